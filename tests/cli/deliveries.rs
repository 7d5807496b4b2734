//! Walks over every order of deliveries: by snapshot, and by re-execution of engines in processes.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::{Answer, abench, unwrapped};

/// One client, which edits twice and connects when it likes; a message may be lost and one repeated.
const SMALL: &str = "\
version = 2
[every-delivery]
seed = \"0x7\"
clients = 1
edits = 2
edits_before = 1
losses = 1
";

/// What a walk of these engines comes to, and its record, if it has one.
fn walk(scenario: &str, engines: &str) -> (Answer, Option<Value>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, record) = (folder.path().join("small.toml"), folder.path().join("record.json"));
    std::fs::write(&file, scenario).expect("a file");
    let mut command = abench();
    command.arg("run").arg(&file).args(["-vv", "--engines", engines, "--record"]).arg(&record);
    let answer = Answer::of(command.output().expect("the binary starts"));
    let record = std::fs::read_to_string(&record).ok().map(|text| serde_json::from_str(&text).expect("a record"));
    (answer, record)
}

fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success());
    assert!(found || std::env::var("CI").as_deref() != Ok("true"), "in CI python3 must be there");
    found
}

#[test]
fn an_engine_in_a_process_is_walked_by_re_execution_and_the_warrant_says_so() {
    if !has_python() {
        return;
    }
    let engines = "delta-state,mine=cmd:python3 adapters/template/adapter.py";
    let (answer, record) = walk(SMALL, engines);
    assert_eq!(answer.exit, 0, "{answer:?}");
    let record = record.expect("a record");
    let rows = record["deliveries"].as_array().expect("rows");
    let explored: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["engine"].as_str().unwrap_or(""), row["explored"].as_str().unwrap_or(""))).collect();
    assert_eq!(explored, [("delta-state", "by-snapshot"), ("mine", "by-re-execution")]);
    for row in rows {
        assert_eq!((&row["verdict"], &row["walked"]["complete"]), (&"holds".into(), &true.into()), "{row}");
    }
    let told = unwrapped(&answer.output);
    assert!(told.contains("An engine that is given the same again does the same, as it did each time."), "{told}");
}

#[test]
fn an_engine_that_does_something_else_the_second_time_has_no_verdict() {
    if !has_python() {
        return;
    }
    let (answer, record) = walk(SMALL, "mine=cmd:python3 tests/engines/says_other_things.py");
    assert_eq!(answer.exit, 3, "{answer:?}");
    let record = record.expect("a record");
    assert_eq!(record["deliveries"][0]["verdict"], "inconclusive");
    let told = unwrapped(&answer.output);
    assert!(told.contains("it does not repeat itself: after "), "{told}");
}

#[test]
fn a_walk_of_an_engine_in_a_process_ends_when_its_actions_are_used_up_and_says_what_was_covered() {
    if !has_python() {
        return;
    }
    let two = SMALL.replace("clients = 1", "clients = 2") + "most_actions = 40\n";
    let (answer, record) = walk(&two, "mine=cmd:python3 adapters/template/adapter.py");
    assert_eq!(answer.exit, 3, "{answer:?}");
    let row = &record.expect("a record")["deliveries"][0];
    assert_eq!((&row["verdict"], &row["walked"]["complete"]), (&"inconclusive".into(), &false.into()), "{row}");
    let told = unwrapped(&answer.output);
    assert!(told.contains("40 actions used up after ") && told.contains("raise most_actions"), "{told}");
}

#[test]
fn an_engine_that_says_that_it_does_not_repeat_itself_is_refused_with_what_to_do() {
    if !has_python() {
        return;
    }
    let (answer, _) = walk(SMALL, "mine=cmd:python3 tests/engines/misbehaves.py says-that-it-does-not-repeat");
    assert_eq!(answer.exit, 2, "{answer:?}");
    assert!(unwrapped(&answer.talk).contains("put it on trial in a world of [offline]"), "{answer:?}");
}

#[test]
fn an_engine_that_loses_an_edit_is_shown_in_the_smallest_world_with_the_way_there() {
    let two = SMALL.replace("clients = 1", "clients = 2");
    let (answer, record) = walk(&two, "xor-delta,first-writer");
    assert_eq!(answer.exit, 1, "{answer:?}");
    let record = record.expect("a record");
    let told = unwrapped(&answer.output);
    // XOR loses no edit of one client; two clients' edits carry into the same bits.
    for (place, smallest) in [(0, "2 clients and a hub, 1 edit each"), (1, "1 client and a hub, 2 edits each")] {
        let row = &record["deliveries"][place];
        assert!(row["smallest"].as_str().is_some_and(|told| told.starts_with(smallest)), "{row}");
        assert!(row["walked"]["way_there"].as_array().is_some_and(|way| !way.is_empty()), "{row}");
        assert!(told.contains(smallest), "{smallest}: {told}");
    }
}

#[test]
fn a_walk_of_an_engine_that_fails_by_itself_accuses_it() {
    if !has_python() {
        return;
    }
    let (answer, record) = walk(SMALL, "mine=cmd:python3 tests/engines/misbehaves.py ends");
    assert_eq!(answer.exit, 1, "{answer:?}");
    let record = record.expect("a record");
    assert_eq!(record["deliveries"][0]["against"]["running"][0], "falsified", "{record}");
}
