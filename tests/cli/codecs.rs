//! Trials of codecs: one tick in every codec, against the information bound.

use serde_json::Value;

use crate::common::short_answer;

/// A scenario of few ticks.
const FEW: &str = "\
version = 2
[codecs]
seed = \"0x7EC7\"
ticks = 20
";

/// The answer of a run of this scenario with these options, in a folder of its own.
fn run(scenario: &str, more: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ticks.toml");
    std::fs::write(&file, scenario).expect("a file");
    let file = file.to_str().expect("a path of text");
    let answer = short_answer(&[&["run", file], more].concat());
    (answer.exit, answer.output, answer.talk)
}

fn rows(record: &str) -> Vec<Value> {
    let record: Value = serde_json::from_str(record).expect("a record");
    record["codecs"]["rows"].as_array().expect("rows").clone()
}

#[test]
fn every_codec_and_engine_has_a_row_with_bytes_wrong_registers_and_evidence() {
    let (_, record, _) = run(FEW, &["--engines", "all", "--record", "-"]);
    let rows = rows(&record);
    let named = |of: &str| rows.iter().filter(|row| row["of"] == of).count();
    assert_eq!(named("codec"), abench::codec::REGISTRY.len());
    assert_eq!(named("engine"), abench::engine::REGISTRY.len());
    for row in &rows {
        assert!(row["narrow"]["largest"].as_u64() > Some(0) && row["wide"]["largest"].as_u64() > Some(0), "{row}");
        assert_eq!(row["evidence"], "software");
        let is_bare = row["name"] == "bare-values";
        assert_eq!(row["decodable"], !is_bare);
        let exact = &row["wrong"]["exact"]["registers"];
        // It loses the second change of a register, which some of three ticks in a row make.
        if row["name"] == "first-writer" {
            assert_eq!(row["verdict"], "falsified");
            assert!(exact.as_u64() > Some(0), "{row}");
            continue;
        }
        // An engine claims that messages may be repeated, reordered and lost, and has two writers and a set-back sender.
        let engine_is_wrong = row["of"] == "engine"
            && ["repeated", "reordered", "lost", "two_writers", "cut_off", "set_back"].iter().any(|how| {
                let wrong = &row["wrong"][how];
                ["registers", "lost", "resurrected"].iter().any(|what| wrong[what].as_u64() > Some(0))
            });
        assert_eq!(row["verdict"], if is_bare || engine_is_wrong { "falsified" } else { "holds" }, "{row}");
        assert_eq!(*exact, if is_bare { Value::Null } else { 0.into() }, "{row}");
    }
}

#[test]
fn what_overwrites_is_wrong_by_two_writers_and_what_has_no_ids_by_repetition() {
    let (_, record, _) = run(FEW, &["--engines", "delta-state", "--record", "-"]);
    let rows = rows(&record);
    let wrong = |name: &str, how: &str| {
        let row = rows.iter().find(|row| row["name"] == name).expect("a row");
        row["wrong"][how]["registers"].as_u64().expect("a number")
    };
    for name in ["frame", "postcard", "delta-state"] {
        assert_eq!(["exact", "repeated", "reordered", "two_writers"].map(|how| wrong(name, how)), [0; 4], "{name}");
    }
    assert!(wrong("increments", "repeated") > 0);
    assert!(wrong("full-state", "two_writers") > 0);
    assert!(wrong("bitmap", "two_writers") > 0);
    // The channel of an engine sends again what was lost; a codec has nothing that could.
    assert_eq!([wrong("delta-state", "lost"), wrong("frame", "lost")], [0, 20]);
}

#[test]
fn an_engine_that_loses_an_edit_of_two_writers_is_falsified_and_a_codec_says_what_it_does_not_claim() {
    let (exit, record, _) = run(FEW, &["--engines", "delta-state,xor-delta", "--record", "-"]);
    assert_eq!(exit, 1);
    let all: Value = serde_json::from_str(&record).expect("a record");
    let check = |name: &str| {
        let checks = all["checks"].as_array().expect("checks").iter();
        let check = checks.into_iter().find(|check| check["name"] == name).expect(name);
        (check["verdict"].as_str().expect("a verdict"), check["summary"].as_str().expect("a sentence"))
    };
    let (verdict, said) = check("tick of xor-delta");
    assert_eq!(verdict, "falsified");
    assert!(said.contains("registers wrong where two write at the same time"), "{said}");
    assert_eq!(check("tick of delta-state").0, "holds");
    let (verdict, said) = check("codec increments");
    assert_eq!(verdict, "holds");
    assert!(said.contains("It claims nothing about delivery: up to"), "{said}");
    let (_, table, _) = run(FEW, &["-vv"]);
    let row = table.lines().find(|line| line.trim_start().starts_with("increments ")).expect("a row");
    assert!(row.contains("*)"), "what is beyond its claim stands in parentheses: {row}");
}

#[test]
fn an_unknown_engine_and_an_impossible_tick_are_refused_with_what_is_allowed() {
    let (exit, _, talk) = run(FEW, &["--engines", "delta-stat"]);
    assert_eq!(exit, 2);
    assert!(talk.contains("'delta-stat' is not an engine") && talk.contains("delta-state"), "{talk}");
    let (exit, _, talk) = run(&FEW.replace("ticks = 20", "changed = 257"), &[]);
    assert_eq!(exit, 2);
    assert!(talk.contains("changed = 257 is not allowed; 1 to 256 are"), "{talk}");
    let (exit, _, talk) = run(FEW, &["--orders", "auto"]);
    assert_eq!(exit, 2, "{talk}");
}

#[test]
fn a_frame_that_is_larger_than_a_scenario_expects_is_an_unmet_expectation() {
    let expects = |most: u64| {
        let checks = "[expect]\nverdict = \"falsified\"\n[expect.checks]\n\"codec bare-values\" = \"falsified\"\n";
        format!("{FEW}{checks}[expect.codecs]\nframe = {{ narrow_at_most = {most} }}\n")
    };
    assert_eq!(run(&expects(64), &[]).0, 0);
    let (exit, output, _) = run(&expects(32), &[]);
    assert_eq!(exit, 1);
    assert!(output.contains("largest narrow message of frame: expected at most 32 B, got"), "{output}");
}
