//! `abench compare`: what moved between two records, and whether that is a regression.

use std::fs;
use std::path::{Path, PathBuf};

use abench::report::any::{AnyRecord as Any, from_text as any_from_text, run_from_text};
use abench::report::file::to_text;
use abench::report::record::Record;
use serde_json::Value;

use crate::common::{Answer, short_answer};

/// A folder with the record of a tick, run five times.
struct Records {
    folder: tempfile::TempDir,
    base: PathBuf,
}

impl Records {
    fn of(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let base = folder.path().join("base.json");
        let answer = short_answer(&[args, &["--record", text(&base)]].concat());
        assert!(base.exists(), "{}", answer.talk);
        Records { folder, base }
    }

    fn tick() -> Self {
        Records::of(&["run", "tick", "--samples", "5"])
    }

    fn read(&self) -> Record {
        run_from_text(&fs::read_to_string(&self.base).expect("a record"), "base").expect("a record").record
    }

    fn write(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, contents).expect("a file");
        path
    }

    /// The record with a change, written by abench's own types: its digests are right.
    fn changed(&self, change: impl FnOnce(&mut Record)) -> PathBuf {
        let mut record = self.read();
        change(&mut record);
        self.write("new.json", &to_text(&record))
    }

    fn compare(&self, new: &Path) -> Answer {
        short_answer(&["compare", text(&self.base), text(new)])
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

#[test]
fn two_runs_of_the_same_trial_are_no_regression() {
    let records = Records::tick();
    let new = records.folder.path().join("new.json");
    assert_eq!(short_answer(&["run", "tick", "--record", text(&new)]).exit, 0);
    let answer = records.compare(&new);
    assert_eq!(answer.exit, 0, "{}", answer.output);
    assert!(answer.output.contains("BASE has 5 and NEW has 1 samples") || answer.output.contains("NEW has 0 samples"));
    assert!(answer.output.ends_with("verdict no regression (exit 0)\n"), "{}", answer.output);
}

#[test]
fn one_byte_more_in_a_message_ends_in_5_and_is_named() {
    let records = Records::tick();
    let answer = records.compare(&records.changed(|record| record.ticks[0].message_bytes += 1));
    assert_eq!(answer.exit, 5, "{}", answer.output);
    assert!(answer.output.contains("+1 B") && answer.output.contains(": message"), "{}", answer.output);
    assert!(answer.output.lines().last().is_some_and(|last| last.starts_with("verdict regression: bytes of ")));
}

#[test]
fn a_slow_down_of_2_ends_in_5_and_is_named() {
    let records = Records::tick();
    let slow = |times: u64| {
        move |record: &mut Record| {
            for (place, sample) in record.timing.samples.iter_mut().enumerate() {
                sample.total_us = times * (100_000 + place as u64);
                sample.processor_us = Some(times * (90_000 + place as u64));
                sample
                    .yardstick
                    .iter_mut()
                    .for_each(|yardstick| yardstick.wall_ns = yardstick.processor_ns.unwrap_or(1));
                sample.yardstick[1] = sample.yardstick[0];
            }
            let yardstick = record.timing.samples[0].yardstick;
            record.timing.samples.iter_mut().for_each(|sample| sample.yardstick = yardstick);
        }
    };
    let base = records.changed(slow(1));
    let base = records.write("quiet.json", &fs::read_to_string(base).expect("a record"));
    let new = records.changed(slow(2));
    let answer = short_answer(&["compare", text(&base), text(&new)]);
    assert_eq!(answer.exit, 5, "{}", answer.output);
    assert!(answer.output.contains("verdict regression: time of the whole run"), "{}", answer.output);
    let lenient = short_answer(&["compare", text(&base), text(&new), "--slower-than", "2.5"]);
    assert_eq!(lenient.exit, 0, "{}", lenient.output);
    assert_eq!(short_answer(&["compare", text(&new), text(&base)]).exit, 0);
}

#[test]
fn a_mutant_that_survives_ends_in_5_and_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let [base, new] = ["base.json", "new.json"].map(|name| folder.path().join(name));
    short_answer(&["qualify", "crash-again", "--until-killed", "--record", text(&base)]);
    let same = short_answer(&["compare", text(&base), text(&base)]);
    assert_eq!(same.exit, 0, "{}", same.output);
    let read = any_from_text(&fs::read_to_string(&base).expect("a record"), "base").expect("a record");
    let Any::Qualification(mut qualification) = read.record else { panic!("it is a qualification") };
    let engines = qualification.engines.as_mut().expect("engines");
    let killed = engines.mutants.iter().position(|row| row.together.to_string() == "killed").expect("one is killed");
    engines.mutants[killed].together = abench::report::qualification::mutants::Outcome::Survived;
    engines.score.killed -= 1;
    engines.score.survived += 1;
    let name = engines.mutants[killed].mutant.clone();
    fs::write(&new, to_text(&*qualification)).expect("a file");
    let answer = short_answer(&["compare", text(&base), text(&new), "-v"]);
    assert_eq!(answer.exit, 5, "{}", answer.output);
    assert!(answer.output.contains(&name) && answer.output.contains("survived"), "{}", answer.output);
    assert!(answer.output.contains("mutation score"), "{}", answer.output);
}

#[test]
fn an_altered_record_is_told_as_such_and_not_compared() {
    let records = Records::tick();
    let whole = fs::read_to_string(&records.base).expect("a record");
    let digest = whole.lines().find(|line| line.starts_with("  \"digest\"")).expect("a digest");
    for (altered, told) in [
        (
            whole.replace("\"message_bytes\": 201", "\"message_bytes\": 202"),
            "the record was altered after abench wrote it",
        ),
        (whole.replacen("\"total_us\": ", "\"total_us\": 1", 1), "the timing or the host of the record was altered"),
        (whole.replace(&format!("{digest}\n"), ""), "the record has no digest"),
    ] {
        assert!(altered != whole, "{told}");
        let path = records.write("altered.json", &altered);
        let answer = records.compare(&path);
        assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{}", answer.talk);
        assert!(answer.talk.contains(told) && answer.talk.contains("altered.json"), "{}", answer.talk);
        let accepted = short_answer(&["compare", text(&records.base), text(&path), "--accept-altered", "-v"]);
        assert!([0, 5].contains(&accepted.exit), "{}", accepted.talk);
        assert!(crate::common::unwrapped(&accepted.output).contains(told), "{}", accepted.output);
    }
}

#[test]
fn a_record_whose_question_was_altered_does_not_replay_to_a_verdict() {
    let records = Records::tick();
    let whole = fs::read_to_string(&records.base).expect("a record");
    let altered = whole.replacen("sha256:", "sha256:0", 1);
    let path = records.write("altered.json", &altered);
    let answer = short_answer(&["replay", text(&path)]);
    assert_eq!(answer.exit, 3, "{}", answer.output);
    assert!(answer.output.contains("the record was altered (exit 3)"), "{}", answer.output);
    assert_eq!(short_answer(&["replay", text(&records.base)]).exit, 0);
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let records = Records::tick();
    let other_seed = records.folder.path().join("seed.json");
    short_answer(&["run", "tick", "--seed", "7", "--record", text(&other_seed)]);
    let empty = tempfile::tempdir().expect("a folder");
    let newer = records.write(
        "newer.json",
        &fs::read_to_string(&records.base).expect("a record").replacen("\"version\": 2", "\"version\": 99", 1),
    );
    let base = text(&records.base);
    let folder = text(records.folder.path());
    for (args, told) in [
        (&[base, text(&other_seed)][..], "they are of other trials: asked.trial.tick.seed is"),
        (&[base, folder], "is a folder and"),
        (&[text(empty.path()), text(empty.path())], "has no records"),
        (&[base, "no/such.json"], "cannot read the record no/such.json"),
        (&[base, text(&newer)], "use a newer abench"),
        (&[base, "Cargo.toml"], "not a record"),
        (&[base, base, "--slower-than", "0.5"], "'0.5' is not a ratio of times"),
        (&[base, base, "--format", "json", "-v"], "--format asks for JSON"),
    ] {
        let answer = short_answer(&[&["compare"], args].concat());
        assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{args:?} {}", answer.talk);
        assert!(answer.talk.contains(told), "expected {told}: {}", answer.talk);
    }
}

#[test]
fn folders_are_compared_record_by_record() {
    let [base, new] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    short_answer(&["run", "tick", "laws", "--record", text(base.path())]);
    short_answer(&["run", "tick", "--record", text(new.path())]);
    let [base, new] = [text(base.path()), text(new.path())];
    let lacking = short_answer(&["compare", base, new]);
    assert_eq!(lacking.exit, 5, "{}", lacking.output);
    assert!(lacking.output.contains("verdict regression: NEW has no record of laws"), "{}", lacking.output);
    let more = short_answer(&["compare", new, base]);
    assert_eq!(more.exit, 0, "{}", more.output);
    assert!(more.output.contains("only in NEW: laws"), "{}", more.output);
}

#[test]
fn the_json_formats_are_json_alone_and_the_verdict_is_talk() {
    let records = Records::tick();
    let base = text(&records.base);
    let json = short_answer(&["compare", base, base, "--format", "json"]);
    let compared: Value = serde_json::from_str(&json.output).expect("JSON");
    assert_eq!((&compared["verdict"], &compared["exit"]), (&"no regression".into(), &0.into()));
    assert!(json.talk.contains("verdict no regression (exit 0)"), "{}", json.talk);
    let bencher = short_answer(&["compare", base, base, "--format", "bencher"]);
    let metrics: Value = serde_json::from_str(&bencher.output).expect("JSON");
    for measures in metrics.as_object().expect("benchmarks").values() {
        for metric in measures.as_object().expect("measures").values() {
            let keys = metric.as_object().expect("a metric").keys();
            assert!(metric["value"].is_number(), "{metric}");
            assert!(
                keys.clone().all(|key| ["value", "lower_value", "upper_value"].contains(&key.as_str())),
                "{metric}"
            );
        }
    }
    assert!(metrics["tick"]["latency"]["lower_value"].is_number(), "{metrics}");
}

#[test]
fn samples_keep_every_run_and_change_nothing_but_the_timing() {
    let records = Records::tick();
    let record = records.read();
    assert_eq!(record.timing.samples.len(), 5);
    for sample in &record.timing.samples {
        assert!(sample.total_us > 0 && sample.yardstick.iter().all(|yardstick| yardstick.wall_ns > 0), "{sample:?}");
    }
    let once = Records::of(&["run", "tick"]);
    assert!(once.read().timing.samples.is_empty());
    assert_eq!(once.read().without_timing_and_host(), record.without_timing_and_host());
    assert_eq!(once.read().digest, record.digest);
    for wrong in ["0", "1001", "many"] {
        let answer = short_answer(&["run", "tick", "--samples", wrong]);
        assert_eq!(answer.exit, 2);
        assert!(answer.talk.contains("allowed are whole numbers from 1 to 1000"), "{}", answer.talk);
    }
}

#[test]
fn the_slow_down_that_is_planted_in_a_copy_still_finds_its_line() {
    let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path);
    let script = read("benches/slow-down");
    let event = script.lines().find_map(|line| line.strip_prefix("event = \"")?.strip_suffix("\\n\""));
    let event = event.expect("the script names the line");
    assert_eq!(read("src/lab/mod.rs").lines().filter(|line| *line == event).count(), 1, "{event}");
}
