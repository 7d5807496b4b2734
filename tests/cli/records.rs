//! Records: deterministic, written whole or not at all, read with a reason where they cannot be, and replayed.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::common::{PUBLISHED, UnderWay, abench, answer, short_answer};
use serde_json::Value;

fn record(args: &[&str]) -> Value {
    let answer = answer(&[args, &["--record", "-"]].concat());
    serde_json::from_str(&answer.output).expect("the output is the JSON alone")
}

fn without_timing_and_host(mut record: Value) -> Value {
    let fields = record.as_object_mut().expect("an object");
    assert!(fields.remove("timing").is_some() && fields.remove("host").is_some());
    record
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn runs_with_other_numbers_of_threads_give_equal_records_outside_timing_and_host() {
    let one = record(&["65537", "--threads", "1"]);
    let three = record(&["65537", "--threads", "3"]);
    assert_eq!((one["host"]["threads"].as_u64(), three["host"]["threads"].as_u64()), (Some(1), Some(3)));
    assert_eq!(without_timing_and_host(one), without_timing_and_host(three));
}

#[test]
fn timing_holds_round_trips_orders_and_checks() {
    let record = record(&["100"]);
    let timing = &record["timing"];
    assert!(timing["round_trips_ns"]["model"]["count"].as_u64() > Some(10_000), "{timing}");
    assert_eq!(timing["orders_ns"]["simd"]["count"].as_u64(), Some(74));
    assert!(timing["total_us"].as_u64() > Some(0));
    assert!(timing["checks_us"].as_array().is_some_and(|checks| checks.len() >= 5));
}

#[test]
fn the_time_of_a_run_is_what_the_user_waits_for_with_the_controls_of_its_judges() {
    let record = record(&["run", "tick", "--threads", "1"]);
    let timing = &record["timing"];
    let checks: Vec<(String, u64)> = serde_json::from_value(timing["checks_us"].clone()).expect("names and times");
    let (first, controls) = &checks[0];
    assert_eq!(first, "controls of the judges");
    assert!(*controls > 0, "{timing}");
    let in_all: u64 = checks.iter().map(|(_, us)| us).sum();
    assert!(timing["total_us"].as_u64() >= Some(in_all), "{timing}");
}

#[test]
fn with_the_record_on_standard_output_the_report_is_talk() {
    let answer = answer(&["5", "--record", "-"]);
    assert!(answer.output.starts_with('{') && answer.output.ends_with("}\n"));
    assert!(answer.talk.contains("verdict holds"));
}

#[test]
fn a_record_file_is_written_whole_and_nothing_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    fs::write(&path, "an older record").expect("a file");
    let answered = answer(&["9", "--record", text(&path)]);
    assert_eq!(answered.exit, 0);
    let record: Value = serde_json::from_str(&fs::read_to_string(&path).expect("a record")).expect("JSON");
    assert_eq!(record["verdict"], "holds");
    assert_eq!(names_in(folder.path()), ["run.json"]);
}

#[test]
#[cfg(unix)]
fn a_record_may_go_to_what_is_no_file_and_leaves_it_there() {
    use std::os::unix::fs::FileTypeExt;
    assert_eq!(answer(&["9", "--record", "/dev/null"]).exit, 0);
    assert!(fs::metadata("/dev/null").expect("it is still there").file_type().is_char_device());
}

#[test]
#[cfg(unix)]
fn a_link_to_a_record_stays_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let (target, link) = (folder.path().join("target.json"), folder.path().join("link.json"));
    fs::write(&target, "").expect("a file");
    std::os::unix::fs::symlink(&target, &link).expect("a link");
    assert_eq!(answer(&["9", "--record", text(&link)]).exit, 0);
    assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
    assert!(fs::read_to_string(&target).expect("the record").contains("abench-record"));
}

#[test]
fn a_place_that_cannot_be_written_to_is_told_before_the_run_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in [folder.path().join("no/such/run.json"), folder.path().to_owned()] {
        let answer = answer(&["4294967295", "--record", text(&path)]);
        assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{}", answer.talk);
        assert!(answer.talk.contains("cannot write to"), "{}", answer.talk);
        assert!(answer.talk.contains(text(&path)), "{}", answer.talk);
    }
    assert!(names_in(folder.path()).is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_under_the_record_or_the_report_is_an_error_and_no_panic() {
    let record = answer(&["9", "--record", "/dev/full"]);
    assert_eq!(record.exit, 2);
    assert!(record.talk.contains("cannot write to /dev/full"), "{}", record.talk);
    let full = fs::File::options().write(true).open("/dev/full").expect("it is there");
    let report = abench().arg("9").stdout(full).output().expect("the binary starts");
    assert_eq!(report.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&report.stderr).contains("cannot write to standard output"));
}

#[test]
fn a_reader_that_closes_the_pipe_ends_the_run_quietly_with_the_verdicts_code() {
    for (args, exit) in [(&["9"][..], 0), (&["9", "--plant", "dead-bank:0"], 1), (&["list"], 0)] {
        let mut child = abench().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(exit), &b""[..]), "{args:?}");
    }
}

#[test]
fn a_record_replays_to_the_same_and_with_the_same_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    for (args, exit) in [
        (&PUBLISHED[..], 0),
        (&["100", "7", "--plant", "dead-bank:3", "--plant", "stale-read"], 1),
        (&["65537", "--budget", "5"], 3),
        (&["run", "tick"], 0),
        (&["run", "laws"], 0),
    ] {
        assert_eq!(answer(&[args, &["--record", text(&path)]].concat()).exit, exit);
        let replayed = answer(&["replay", text(&path)]);
        assert_eq!(replayed.exit, exit, "{}", replayed.output);
        assert!(replayed.output.contains("the same as recorded"), "{}", replayed.output);
    }
}

#[test]
fn a_record_that_does_not_come_again_is_inconclusive_and_the_values_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    answer(&["9", "--record", text(&path)]);
    let record =
        fs::read_to_string(&path).expect("a record").replace("\"verdict\": \"holds\"", "\"verdict\": \"falsified\"");
    fs::write(&path, record).expect("a file");
    let replayed = short_answer(&["replay", text(&path)]);
    assert_eq!(replayed.exit, 3);
    assert!(replayed.output.contains("/verdict: recorded \"falsified\", now \"holds\""), "{}", replayed.output);
}

#[test]
fn a_case_replays_from_a_file_and_from_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("case.txt");
    fs::write(&path, "case1,model,engine,count=9,active=8,seed=7,plant=dead-bank:0\n").expect("a file");
    assert_eq!(answer(&["replay", text(&path)]).exit, 1);
    let input = fs::File::open(&path).expect("a file");
    let replayed = abench().args(["replay", "-"]).stdin(input).output().expect("the binary starts");
    assert_eq!(replayed.status.code(), Some(1));
}

#[test]
fn a_case_shows_what_was_expected_and_what_came() {
    insta::assert_snapshot!(answer(&["replay", "case1,model,engine,count=9,active=8,seed=7,plant=dead-bank:0"]).output);
}

#[test]
fn a_planted_fault_without_effect_in_its_case_is_inconclusive() {
    let replayed = answer(&["replay", "case1,model,engine,count=9,active=8,seed=7,plant=drop:7"]);
    assert_eq!(replayed.exit, 3);
    assert!(replayed.output.contains("planted and without effect in this case: drop:7"), "{}", replayed.output);
}

#[test]
fn a_case_in_which_nothing_is_judged_is_inconclusive() {
    for ops in ["read", "select:5+read", "load:0:0x1", "accum:0x1+read"] {
        let replayed = answer(&["replay", &format!("case1,model,adapter,ops={ops}")]);
        assert_eq!(replayed.exit, 3, "{ops}: {}", replayed.output);
        assert!(replayed.output.contains("nothing that the case shows is determined"), "{}", replayed.output);
    }
    assert_eq!(answer(&["replay", "case1,model,adapter,ops=load:0:0x1+accum:0x3+read"]).exit, 0);
}

#[test]
#[cfg(unix)]
fn a_link_to_a_record_that_is_not_there_yet_stays_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("link.json");
    std::os::unix::fs::symlink("target.json", &link).expect("a link");
    assert_eq!(answer(&["9", "--record", text(&link)]).exit, 0);
    assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
    assert_eq!(names_in(folder.path()), ["link.json", "target.json"]);
}

#[test]
#[cfg(unix)]
fn a_run_that_is_killed_leaves_no_part_of_a_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    let args = ["4294967295", "--backend", "model", "--record", text(&path)];
    UnderWay::start(&args).killed();
    // Its journal is whole at any instant, and is what --resume goes on with.
    assert_eq!(names_in(folder.path()), ["run.json.journal"]);
}

#[test]
fn what_is_no_record_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    answer(&["9", "--record", text(&path)]);
    let whole = fs::read_to_string(&path).expect("a record");
    for (bad, expected) in [
        (whole[..whole.len() / 2].to_owned(), "line "),
        (whole[..1].to_owned(), "line 1"),
        (String::new(), "line 1"),
        ("not JSON".to_owned(), "line 1"),
        ("{}".to_owned(), "or \"abench-rtl-mutation\" and is missing"),
        ("[1]".to_owned(), "not a record"),
        (whole.replacen("abench-record", "other", 1), "and is \"other\""),
        (whole.replacen("abench-record", "abench-qualification", 1), "not a record: unknown field `asked`"),
        (
            whole.replacen("\"version\": 2", "\"version\": 3", 1),
            "a record of version 3; this abench reads version 2: use a newer",
        ),
        (whole.replacen("\"version\": 2", "\"version\": 99999999999", 1), "use a newer abench"),
        (whole.replacen("\"version\": 2", "\"version\": 1", 1), "abench convert"),
        (whole.replacen("\"version\": 2,", "", 1), "a record of version null"),
        (whole.replacen("\"seed\": \"0x", "\"seed\": \"0y", 1), "not a record"),
        (whole.replacen("\"interrupted\"", "\"disrupted\"", 1), "unknown field `disrupted`"),
        (whole.replacen("\"scalar\"", "\"gpu\"", 1), "'gpu' is not a backend"),
    ] {
        fs::write(&path, bad).expect("a file");
        let answer = answer(&["replay", text(&path)]);
        assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{}", answer.talk);
        assert!(answer.talk.contains(expected), "expected {expected}: {}", answer.talk);
    }
    fs::write(&path, [0xFF, 0x00]).expect("a file");
    assert_eq!(answer(&["replay", text(&path)]).exit, 2);
    let scenario = "scenarios/tick.toml";
    let answer = answer(&["replay", scenario]);
    assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{}", answer.talk);
    assert!(answer.talk.contains("this is a scenario; replay takes a case or a record"), "{}", answer.talk);
    assert!(answer.talk.contains("abench run scenarios/tick.toml"), "{}", answer.talk);
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_keeps_its_partial_record_and_is_inconclusive() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    let ended = UnderWay::start(&["4294967295", "--backend", "model", "--record", text(&path)]).interrupted();
    assert_eq!(ended.exit, 130, "{}", ended.talk);
    let record: Value = serde_json::from_str(&fs::read_to_string(&path).expect("a record")).expect("JSON");
    assert_eq!((&record["verdict"], &record["interrupted"]), (&"inconclusive".into(), &true.into()));
    assert!(!ended.output.contains("ALL MATCH"));
}
