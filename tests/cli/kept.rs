//! Runs that are killed and go on, and runs that are split into shards and put together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::yield_now;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Answer, abench, short_answer};
use crate::jobs::{WALK, WORLD, written};

/// A trial of laws, small.
const LAWS: &str = "version = 2\n[laws]\nseed = '7'\ntries = 50\n";

/// A walk over every order, small.
const ORDERS: &str = "version = 2\n[every-order]\nseed = '7'\ndeltas = 5\n";

/// One sync tick.
const TICK: &str = "version = 2\n[tick]\nseed = '7'\n";

/// A campaign on software and a device, small: all orders of its deltas are just too many for one job.
pub const CAMPAIGN: &str = "version = 2\n[standard]\ncount = 8\nseed = '7'\n";

pub fn record(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("the record is there");
    let mut record: Value = serde_json::from_str(&text).expect("a record is whole or not there");
    let fields = record.as_object_mut().expect("an object");
    fields.remove("timing").expect("it is there");
    fields.remove("host").expect("it is there");
    record
}

/// A folder in which a scenario was run at once, its scenario, and its record.
pub fn at_once(text: &str) -> (TempDir, String, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = written(&folder, "scenario.toml", text);
    let path = folder.path().join("at-once.json");
    let ran = short_answer(&["run", &scenario, "-q", "--record", &path.display().to_string()]);
    assert!(ran.exit < 4, "{}", ran.talk);
    let record = record(&path);
    (folder, scenario, record)
}

/// Runs the shards of a scenario, and gives their files.
pub fn shards(folder: &TempDir, scenario: &str, of: u32) -> Vec<String> {
    let shard = |number: u32| {
        let path = folder.path().join(format!("shard-{number}-of-{of}.json")).display().to_string();
        let ran = short_answer(&["run", scenario, "--shard", &format!("{number}/{of}"), "--record", &path]);
        assert_eq!(ran.exit, 0, "{}", ran.talk);
        path
    };
    (1..=of).map(shard).collect()
}

pub fn merge(parts: &[String], record: &Path) -> Answer {
    let mut args = vec!["merge"];
    args.extend(parts.iter().map(String::as_str));
    let record = record.display().to_string();
    short_answer(&[&args[..], &["-q", "--record", &record]].concat())
}

#[test]
fn the_shards_of_a_run_come_to_the_record_of_the_run_at_once_in_any_order_and_number() {
    let bare = WORLD.replace("more_worlds = 5\n", "").replace("mutants = ['accept-before-durable']\n", "");
    for (kind, text) in [("world", WORLD), ("bare world", &bare), ("walk", WALK), ("laws", LAWS), ("orders", ORDERS)] {
        let (folder, scenario, whole) = at_once(text);
        for of in [1, 2, 3, 7] {
            let mut parts = shards(&folder, &scenario, of);
            parts.reverse();
            let path = folder.path().join(format!("merged-{of}.json"));
            let merged = merge(&parts, &path);
            assert_eq!(Some(u64::try_from(merged.exit).expect("a code")), whole["exit"].as_u64(), "{}", merged.talk);
            assert_eq!(record(&path), whole, "{kind} in {of} shards");
        }
    }
}

#[test]
fn the_shards_of_a_campaign_and_of_a_tick_come_to_the_record_of_the_run_at_once() {
    let walk = "version = 2\n[standard]\ncount = 5\nseed = '7'\nchecks = ['arrival-orders']\norders = 'exhaustive'\n";
    for (text, of) in [(CAMPAIGN, 3), (walk, 2), (TICK, 2)] {
        let (folder, scenario, whole) = at_once(text);
        let path = folder.path().join("merged.json");
        let merged = merge(&shards(&folder, &scenario, of), &path);
        assert_eq!(Some(u64::try_from(merged.exit).expect("a code")), whole["exit"].as_u64(), "{}", merged.talk);
        assert_eq!(record(&path), whole, "{text} in {of} shards");
    }
}

#[test]
fn shards_that_are_missing_repeated_unfinished_or_of_another_run_are_named() {
    let (folder, scenario, _) = at_once(WALK);
    let parts = shards(&folder, &scenario, 3);
    let record = folder.path().join("merged.json");
    let refused = |parts: &[&String]| {
        let parts: Vec<String> = parts.iter().map(|part| (*part).clone()).collect();
        let answer = merge(&parts, &record);
        assert_eq!(answer.exit, 2, "{}", answer.talk);
        assert!(!record.exists(), "nothing is written");
        answer.talk
    };
    assert!(refused(&[&parts[0], &parts[2]]).contains("shards that are missing: 2/3"));
    let twice = refused(&[&parts[0], &parts[1], &parts[2], &parts[1]]);
    assert!(twice.contains("shard 2/3 comes twice") && twice.contains("shard-2-of-3.json"), "{twice}");
    let others = shards(&folder, &scenario, 2);
    assert!(refused(&[&parts[0], &others[1]]).contains("shards of different runs: the number of shards differs"));
    let another = written(&folder, "another.toml", &WALK.replace("seed = '1'", "seed = '2'"));
    let elsewhere = tempfile::tempdir().expect("a folder");
    let of_another = shards(&elsewhere, &another, 3);
    let different = refused(&[&parts[0], &of_another[1], &parts[2]]);
    assert!(different.contains("shards of different runs: the scenario differs"), "{different}");
    let onto = short_answer(&["merge", &parts[0], &parts[1], &parts[2], "--record", &parts[1]]);
    assert!(onto.exit == 2 && onto.talk.contains("would overwrite the shard"), "{}", onto.talk);
    // The last line of a shard says that it has run all its jobs.
    let text = fs::read_to_string(&parts[1]).expect("it is there");
    let lines: Vec<&str> = text.lines().collect();
    fs::write(&parts[1], format!("{}\n", lines[..lines.len() - 1].join("\n"))).expect("it is written");
    assert!(refused(&[&parts[0], &parts[1], &parts[2]]).contains("shard 2/3 did not end; go on with it by --resume"));
    let resumed = short_answer(&["run", &scenario, "--shard", "2/3", "--record", &parts[1], "--resume"]);
    assert_eq!(resumed.exit, 0, "{}", resumed.talk);
    assert_eq!(fs::read_to_string(&parts[1]).expect("it is there"), text, "the same last line again");
    let altered = text.replacen("\"complete\":true", "\"complete\":false", 1);
    assert_ne!(altered, text, "a walk says whether it is complete");
    fs::write(&parts[1], altered).expect("it is written");
    assert!(refused(&[&parts[0], &parts[1], &parts[2]]).contains("altered since it was written"));
}

/// Starts a run with a journal, and kills it as soon as the journal is longer by so many bytes; whether it had ended before.
fn killed_after(bytes: u64, scenario: &str, record: &Path) -> bool {
    let length = || fs::metadata(journal_of(record)).map_or(0, |of| of.len());
    let until = length() + bytes;
    let mut child = abench()
        .args(["run", scenario, "-q", "--resume", "--record"])
        .arg(record)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut ended = false;
    while length() < until && !ended {
        yield_now();
        ended = child.try_wait().expect("it can be asked").is_some();
    }
    // SIGKILL, which nobody can answer.
    let _ = child.kill();
    child.wait().expect("it is over");
    ended
}

pub fn journal_of(record: &Path) -> PathBuf {
    record.with_extension("json.journal")
}

#[test]
fn a_run_that_is_killed_200_times_at_any_instant_goes_on_to_the_record_of_a_run_at_once() {
    let (folder, scenario, whole) = at_once(&WORLD.replace("more_worlds = 5", "more_worlds = 60"));
    let path = folder.path().join("killed.json");
    let (mut kills, mut ends, mut kept) = (0_u64, 0, 0);
    while kills < 200 {
        // From at once, by steps that share no divisor with the period, to some jobs later.
        let bytes = kills * 1009 % 12_000 * (kills % 5).min(1);
        if !killed_after(bytes, &scenario, &path) {
            kills += 1;
            kept += u64::from(fs::read_to_string(journal_of(&path)).is_ok_and(|text| text.lines().count() > 1));
        }
        if path.exists() {
            assert_eq!(record(&path), whole, "after {kills} kills");
            ends += 1;
            // A kill may come between the record and the end of its journal.
            fs::remove_file(&path).expect("it is there");
            let _ = fs::remove_file(journal_of(&path));
        }
    }
    assert!(kept > 100 && ends > 1, "{kept} kills came after a job had ended, and {ends} runs ended");
    killed_after(u64::MAX / 2, &scenario, &path);
    assert_eq!(record(&path), whole);
}

#[test]
fn a_journal_that_is_left_is_named_and_gone_once_the_record_is_whole() {
    let (folder, scenario, whole) = at_once(WORLD);
    let path = folder.path().join("run.json");
    let named = path.display().to_string();
    let journal = journal_of(&path);
    // As a kill leaves it: the first job alone.
    let part = &shards(&folder, &scenario, 1)[0];
    let text = fs::read_to_string(part).expect("it is there");
    let head = text.lines().next().expect("a line");
    assert!(head.contains("\"shard\""), "{head}");
    let first = text.lines().nth(1).expect("a job");
    fs::write(&journal, format!("{head}\n{first}\n")).expect("it is written");
    let refused = short_answer(&["run", &scenario, "-q", "--record", &named]);
    assert_eq!(refused.exit, 2);
    assert!(refused.talk.contains("run.json.journal has 1 job of a run that did not end"), "{}", refused.talk);
    assert!(refused.talk.contains("--resume"), "{}", refused.talk);
    // What was killed before its first job ended is begun anew.
    for nothing in ["", &head[..20]] {
        fs::write(&journal, nothing).expect("it is written");
        let anew = short_answer(&["run", &scenario, "-q", "--record", &named]);
        assert_eq!(Some(u64::try_from(anew.exit).expect("a code")), whole["exit"].as_u64(), "{}", anew.talk);
        assert!(record(&path) == whole && !journal.exists());
        fs::remove_file(&path).expect("it is there");
    }
    fs::write(&journal, format!("{head}\n")).expect("it is written");
    let of_shard = short_answer(&["run", &scenario, "-q", "--resume", "--record", &named]);
    assert!(of_shard.exit == 2 && of_shard.talk.contains("the shard differs"), "{}", of_shard.talk);
    fs::write(&journal, "").expect("it is written");
    let resumed = short_answer(&["run", &scenario, "-q", "--resume", "--record", &named]);
    assert_eq!(Some(u64::try_from(resumed.exit).expect("a code")), whole["exit"].as_u64(), "{}", resumed.talk);
    assert_eq!(record(&path), whole);
    assert!(!journal.exists(), "the record has taken its place");
    assert!(!resumed.talk.contains("no journal at"), "an empty journal is there: {}", resumed.talk);
    let anew = short_answer(&["run", &scenario, "-q", "--resume", "--record", &named]);
    let said = format!("no journal at {named}.journal: this run starts from the beginning");
    assert!(anew.talk.contains(&said), "{}", anew.talk);
    let nowhere = short_answer(&["run", &scenario, "-q", "--resume"]);
    assert!(
        nowhere.exit == 2 && nowhere.talk.contains("name the file of that record with --record"),
        "{}",
        nowhere.talk
    );
    let unnamed = short_answer(&["run", &scenario, "--shard", "1/2"]);
    assert!(unnamed.exit == 2 && unnamed.talk.contains("name one with --record"), "{}", unnamed.talk);
    let part_there = short_answer(&["run", &scenario, "--shard", "1/1", "--record", part]);
    assert!(
        part_there.exit == 2 && part_there.talk.contains("is there: go on with it by --resume"),
        "{}",
        part_there.talk
    );
    for text in ["0/2", "3/2", "1", "a/b"] {
        let wrong = short_answer(&["run", &scenario, "--shard", text, "--record", &named]);
        assert!(wrong.exit == 2 && wrong.talk.contains("allowed is K/N"), "{}", wrong.talk);
    }
}

#[test]
fn a_campaign_that_is_killed_at_any_length_of_its_journal_goes_on_to_the_record_of_a_run_at_once() {
    let (folder, scenario, whole) = at_once(CAMPAIGN);
    let path = folder.path().join("killed.json");
    for bytes in [1, 700, 4000, 20_000] {
        killed_after(bytes, &scenario, &path);
        if path.exists() {
            assert_eq!(record(&path), whole, "{bytes} bytes");
            fs::remove_file(&path).expect("it is there");
        }
    }
    killed_after(u64::MAX / 2, &scenario, &path);
    assert_eq!(record(&path), whole);
}
