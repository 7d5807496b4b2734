//! The scripts of `adapters/libraries`: what was seen of each library, as scenarios with expectations.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters/libraries");
    let files = std::fs::read_dir(folder).expect("the folder of scripts").map(|entry| entry.expect("an entry").path());
    let mut scripts: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    scripts.sort();
    scripts
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_abench")).args(arguments).output().expect("abench runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout) + &text(stderr))
}

/// What a script says of an engine, on one line.
fn said_of(script: &str, engine: &str) -> String {
    let path = format!("{}/adapters/libraries/{script}.toml", env!("CARGO_MANIFEST_DIR"));
    let (_, told) = run(&["run", &path, "--engines", engine, "-v"]);
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_script_shows_what_it_expects() {
    let scripts = scripts();
    assert!(scripts.len() >= 7, "{}", scripts.len());
    for script in scripts {
        let (code, told) = run(&["run", script.to_str().expect("a path")]);
        assert_eq!(code, Some(0), "{}: {told}", script.display());
    }
}

#[test]
fn replicas_that_differ_for_good_are_silent_and_refused_changes_are_sent_for_ever() {
    for (script, engine) in [
        ("large-amounts", "loro-counter"),
        ("set-back", "loro-counter-same-id"),
        ("set-back", "yrs-per-client-same-id"),
    ] {
        let said = said_of(script, engine);
        assert!(said.contains("convergence: client"), "{engine}: {said}");
        // Nobody talks on, and nobody has anything to send.
        assert!(!said.contains("progress: "), "{engine}: {said}");
    }
    let unreliable = "automerge-counter-unreliable";
    let said = said_of("one-lost", unreliable);
    assert!(said.contains("progress: quiescent, with 1 edit given up or never sent"), "{said}");
    for (script, engine) in [("set-back", "automerge-counter-same-id"), ("one-lost-then-edited", unreliable)] {
        let said = said_of(script, engine);
        assert!(said.contains("progress: messages go on and on"), "{engine}: {said}");
    }
}

#[test]
fn a_walk_over_every_crash_refuses_an_engine_that_cannot_be_copied() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, shipped) = run(&["show", "crash-everywhere"]);
    let scenario = folder.path().join("walk.toml");
    let (head, _) = shipped.split_once("[expect]").expect("it expects something");
    let (head, _) = head.split_once("mutants").expect("it plants mistakes");
    let text = head.replace("[crash-everywhere]", "[crash-everywhere]\nengine = \"yrs-log\"");
    assert!(text.contains("yrs-log"), "{text}");
    std::fs::write(&scenario, text).expect("a file");
    let (code, told) = run(&["run", scenario.to_str().expect("a path")]);
    assert_eq!(code, Some(2), "{told}");
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("nodes of 'yrs-log' cannot be copied in memory, which a walk over every crash needs"),
        "{told}"
    );
}
