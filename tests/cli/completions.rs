//! Completions: what a shell offers.

use std::process::Command;

use crate::common::{Answer, abench, short_answer};

fn script(shell: &str) -> String {
    let Answer { exit, output, talk } = short_answer(&["completions", shell]);
    assert_eq!((exit, talk.as_str()), (0, ""));
    output
}

/// What bash offers for the last of these words.
fn offered(words: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("abench.bash");
    std::fs::write(&path, script("bash")).expect("a file");
    let (last, before) = words.split_last().expect("a word");
    let previous = before.last().expect("two words");
    let program = format!(
        "source '{}'; COMP_WORDS=({}); COMP_CWORD={}; _abench abench '{last}' '{previous}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        path.display(),
        words.join(" "),
        words.len() - 1,
    );
    let output = Command::new("bash").args(["--norc", "-c", &program]).output().expect("bash starts");
    let answer = Answer::of(output);
    assert_eq!((answer.exit, answer.talk.as_str()), (0, ""), "{words:?}");
    answer.output.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_verbs_scenarios_engines_backends_and_faults() {
    assert_eq!(offered(&["abench", "rep"]), ["replay", "report"]);
    assert_eq!(
        offered(&["abench", "run", "field-"]),
        [
            "field-tags",
            "field-labels",
            "field-stock",
            "field-records",
            "field-text",
            "field-claims",
            "field-cases",
            "field-bandwidth",
            "field-tally"
        ]
    );
    assert_eq!(offered(&["abench", "run", "tick", "kills"]), ["kills-31", "kills-70"]);
    assert_eq!(offered(&["abench", "show", "every-o"]), ["every-order"]);
    assert_eq!(offered(&["abench", "run", "tick", "--engines", "delta-s"]), ["delta-state", "delta-summary"]);
    assert_eq!(offered(&["abench", "--backend", "so"]), ["software"]);
    assert_eq!(offered(&["abench", "--plant", "dead"]), ["dead-bank:"]);
    assert_eq!(offered(&["abench", "emulate", "uartbone:tcp", "--plant", "lost"]), ["lost-high-word"]);
    assert_eq!(offered(&["abench", "list", "eng"]), ["engines"]);
    assert_eq!(offered(&["abench", "falsify", "order-ind"]), ["order-independent"]);
    assert_eq!(offered(&["abench", "bandwidth", "field-"]), ["field-bandwidth"]);
}

#[test]
fn zsh_and_fish_complete_scenarios_too_and_zsh_completes_files_beside_them() {
    let zsh = script("zsh");
    let scenarios = zsh.lines().filter(|line| line.starts_with("'*::scenarios"));
    let offers_both = |line: &str| line.contains("every-order field-tags") && line.contains("_files -g");
    assert_eq!(scenarios.map(offers_both).collect::<Vec<_>>(), [true, true], "of run and of qualify");
    let of_bandwidth = zsh.lines().find(|line| line.starts_with("'::scenario ")).expect("the scenario of bandwidth");
    assert!(of_bandwidth.contains("(field-bandwidth)") && of_bandwidth.contains("_files -g"), "{of_bandwidth}");
    assert!(!zsh.contains("count --"), "an argument without names would stand before the verbs");
    let fish = script("fish");
    for verb in ["run", "qualify", "show"] {
        let line = format!("complete -c abench -n \"__fish_abench_using_subcommand {verb}\" -a \"recorded-65537 ");
        assert!(fish.contains(&line), "{verb}");
    }
}

#[test]
fn every_shell_that_is_known_has_a_script_and_another_one_is_refused() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(script(shell).contains("field-tally") || shell == "elvish" || shell == "powershell", "{shell}");
        assert!(script(shell).contains("replay"), "{shell}");
    }
    let Answer { exit, output, talk } = Answer::of(abench().args(["completions", "ksh"]).output().expect("it starts"));
    assert_eq!((exit, output.as_str()), (2, ""));
    assert!(talk.contains("[possible values: bash, elvish, fish, powershell, zsh]"), "{talk}");
}
