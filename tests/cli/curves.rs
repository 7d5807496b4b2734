//! Trials of curves: what a sync takes as one thing grows.

use serde_json::Value;

use crate::common::short_answer;

const FEW: &str = "\
version = 2
[curves]
seed = \"0x7\"
registers = 64
changed = 5
history = 100
samples = 3
axes = [\"density\", \"writers\", \"history\"]
";

fn run(scenario: &str, more: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("few.toml");
    std::fs::write(&file, scenario).expect("a file");
    let answer = short_answer(&[&["run", file.to_str().expect("text")], more].concat());
    (answer.exit, answer.output, answer.talk)
}

#[test]
fn every_engine_has_a_row_at_every_point_beside_the_bound_and_the_full_state() {
    let (exit, record, talk) = run(FEW, &["--engines", "delta-state,xor-delta", "--record", "-"]);
    assert_eq!(exit, 1, "{talk}");
    let record: Value = serde_json::from_str(&record).expect("a record");
    let curves = record["curves"]["curves"].as_array().expect("curves");
    assert_eq!(curves.len(), 3);
    for point in curves.iter().flat_map(|curve| curve["points"].as_array().expect("points")) {
        let number = |value: &Value| value.as_u64().expect("a number");
        let names: Vec<&str> =
            point["rows"].as_array().expect("rows").iter().filter_map(|row| row["engine"].as_str()).collect();
        assert_eq!(names, ["delta-state", "xor-delta"]);
        let of = &point["rows"][0];
        assert_eq!(number(&of["wrong"]), 0, "{point}");
        assert!(10 * (number(&of["up"]) + number(&of["down"])) > number(&point["bound_tenths"]), "{point}");
        assert!(number(&point["full_state"]) >= 64 * 8, "{point}");
    }
    // XOR is wrong where several write, and at no other point.
    for curve in curves {
        for point in curve["points"].as_array().expect("points") {
            let several = curve["axis"] == "writers" && point["x"].as_u64() > Some(1);
            assert_eq!(point["rows"][1]["wrong"].as_u64() > Some(0), several, "{point}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_record_on_any_number_of_threads() {
    let of = |threads: &str| {
        let (_, record, _) = run(FEW, &["--engines", "all", "--threads", threads, "--record", "-"]);
        let record: Value = serde_json::from_str(&record).expect("a record");
        record["curves"].clone()
    };
    assert_eq!(of("1"), of("2"));
}

#[test]
fn an_engine_in_a_process_takes_part_where_its_edits_are_few() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI python3 must be there");
        return;
    }
    let small =
        FEW.replace("history = 100", "history = 10").replace("\"density\", ", "").replace("samples = 3", "samples = 1");
    let (exit, record, talk) =
        run(&small, &["--engines", "mine=cmd:python3 adapters/template/adapter.py", "--record", "-"]);
    assert_eq!(exit, 0, "{talk}");
    let record: Value = serde_json::from_str(&record).expect("a record");
    let writers = record["curves"]["curves"][0]["points"].as_array().expect("points");
    let taken: Vec<(u64, usize)> = writers
        .iter()
        .map(|point| (point["x"].as_u64().unwrap_or(0), point["rows"].as_array().map_or(0, Vec::len)))
        .collect();
    assert_eq!(taken, [(1, 1), (2, 1), (4, 1), (8, 1), (16, 0), (32, 0)]);
}
