//! The workflow that gates changes: its steps run, in a folder of their own, with stand-ins for cargo and git.
//!
//! No step is left out: one whose verb abench does not have fails, by name.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::common::short_answer;

const WORKFLOW: &str = include_str!("../../.github/workflows/gate.yml");

/// A step with a command.
#[derive(Debug, Default)]
struct Step {
    name: String,
    run: String,
}

/// The steps of the workflow that run something, in order. It reads the forms that this one file has: a name, and a command
/// on one line or in a block.
fn steps() -> Vec<Step> {
    let blocks = WORKFLOW.split("\n      - name: ").skip(1);
    let step = |block: &str| {
        let (name, rest) = block.split_once('\n')?;
        let (_, run) = rest.split_once("        run: ")?;
        let (first, more) = run.split_once('\n').unwrap_or((run, ""));
        let block = more.lines().map_while(|line| line.strip_prefix("          "));
        let run = if first == "|" { block.map(|line| format!("{line}\n")).collect() } else { first.to_owned() };
        Some(Step { name: name.to_owned(), run })
    };
    blocks.filter_map(step).collect()
}

/// The verbs of abench that a command uses.
fn verbs(run: &str) -> Vec<&str> {
    let words: Vec<&str> = run.split_whitespace().collect();
    let is_abench = |word: &str| word.trim_matches('"').rsplit('/').next() == Some("abench");
    words.windows(2).filter(|pair| is_abench(pair[0])).map(|pair| pair[1]).collect()
}

fn has(verb: &str) -> bool {
    short_answer(&[verb, "--help"]).output.contains(&format!("abench {verb}"))
}

fn program(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\nset -eu\n{text}\n")).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
}

#[test]
fn every_step_of_the_workflow_does_its_work() {
    let (machine, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let at = |name: &str| machine.path().join(name);
    // In place of what takes minutes: cargo install gives this build, and git a folder.
    let abench = env!("CARGO_BIN_EXE_abench");
    let install = format!(
        "[ \"$1 $2 $3\" = 'install --locked --path' ] && [ -d \"$4\" ] && [ \"$5\" = --root ]\nmkdir -p \"$6/bin\"\ncp '{abench}' \"$6/bin/abench\""
    );
    fs::create_dir(at("stand-ins")).expect("a folder");
    program(&at("stand-ins"), "cargo", &install);
    program(
        &at("stand-ins"),
        "git",
        "[ \"$1 $2 $3\" = 'worktree add --detach' ] && [ \"$5\" = 0123abc ]\nmkdir -p \"$4\"",
    );
    fs::write(at("path"), "").expect("a file");
    for Step { name, run } in steps() {
        if let Some(verb) = verbs(&run).into_iter().find(|verb| !has(verb)) {
            panic!("the step '{name}' needs abench {verb}, which there is not");
        }
        let added =
            fs::read_to_string(at("path")).expect("a file").lines().map(|line| format!("{line}:")).collect::<String>();
        let path = format!("{added}{}:{}", at("stand-ins").display(), std::env::var("PATH").expect("a path"));
        let done = Command::new("bash")
            .args(["-e", "-o", "pipefail", "-c", &run])
            .current_dir(folder.path())
            .env("PATH", path)
            .env("RUNNER_TEMP", machine.path())
            .env("GITHUB_PATH", at("path"))
            .env("GITHUB_STEP_SUMMARY", at("summary"))
            .env("BASE", "0123abc")
            .env("SCENARIOS", "tick laws")
            .output()
            .expect("bash starts");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{name}: {run}: {:?}: {said}", done.status.code());
    }
    for made in ["base/tick.json", "base/laws.json", "records/tick.json", "records/laws.json"] {
        assert!(folder.path().join(made).is_file(), "{made}");
    }
    let summary = fs::read_to_string(at("summary")).expect("a summary");
    assert!(summary.contains("tick") && summary.contains("holds"), "{summary}");
    for made in ["page.html", "junit.xml"] {
        assert!(fs::metadata(folder.path().join(made)).is_ok_and(|file| file.len() > 100), "{made}");
    }
}

#[test]
fn a_scenario_that_the_base_does_not_know_is_left_out_aloud_and_the_others_are_compared() {
    let (machine, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let abench = env!("CARGO_BIN_EXE_abench");
    let [base, change] = ["base/bin", "change/bin"].map(|name| machine.path().join(name));
    for bin in [&base, &change] {
        fs::create_dir_all(bin).expect("a folder");
    }
    program(&base, "abench", &format!("[ \"$2\" != laws ] || exit 2\nexec '{abench}' \"$@\""));
    program(&change, "abench", &format!("exec '{abench}' \"$@\""));
    let path = format!("{}:{}", change.display(), std::env::var("PATH").expect("a path"));
    let mut said = String::new();
    for name in ["Run the base", "Run the change", "Compare the change with the base"] {
        let step = steps().into_iter().find(|step| step.name == name).expect(name);
        let done = Command::new("bash")
            .args(["-e", "-o", "pipefail", "-c", &step.run])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("RUNNER_TEMP", machine.path())
            .env("SCENARIOS", "laws tick")
            .output()
            .expect("bash starts");
        said += &String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{name}: {said}{}", String::from_utf8_lossy(&done.stderr));
    }
    assert!(said.contains("::warning::the base has no record of laws (exit 2): it is not compared"), "{said}");
    assert!(!said.contains("no record of tick") && said.contains("only in NEW: laws"), "{said}");
}

#[test]
fn the_steps_are_read_whole_and_its_scenarios_are_shipped() {
    let steps = steps();
    let names = WORKFLOW.lines().filter(|line| line.trim_start().starts_with("run: ")).count();
    assert_eq!(steps.len(), names);
    assert!(steps.iter().all(|step| !step.run.trim().is_empty()), "{steps:?}");
    let used: Vec<&str> = steps.iter().flat_map(|step| verbs(&step.run)).collect();
    assert_eq!(used, ["run", "run", "compare", "report", "report", "report"]);
    let scenarios = WORKFLOW.lines().find_map(|line| line.trim_start().strip_prefix("SCENARIOS: ")).expect("a list");
    let shipped = short_answer(&["list", "scenarios"]).output;
    let is_shipped = |name: &str| shipped.lines().any(|line| line.split_whitespace().next() == Some(name));
    assert!(scenarios.split(' ').all(is_shipped), "{scenarios}");
}
