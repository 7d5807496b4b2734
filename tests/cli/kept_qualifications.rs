//! Qualifications that are killed and go on, and those that are split into shards and put together.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::yield_now;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{abench, short_answer};
use crate::jobs::{WALK, WORLD, written};
use crate::kept::{journal_of, merge};

/// A campaign in which faults of devices are planted, a world, and a walk.
fn scenarios(folder: &TempDir) -> Vec<String> {
    let bare = "version = 2\n[standard]\ncount = 9\nseed = '7'\nchecks = ['bank-sweep']\n";
    let world = WORLD.replace("mutants = ['accept-before-durable']\n", "").replace("more_worlds = 5\n", "");
    let world = world.replace("engines = ['all']", "engines = ['delta-state']");
    [("bare.toml", bare), ("world.toml", &world), ("walk.toml", WALK)]
        .map(|(name, text)| written(folder, name, text))
        .to_vec()
}

fn arguments<'a>(scenarios: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    let named = scenarios.iter().map(String::as_str);
    let sample = ["--sample", "5", "--seed", "7", "-q"];
    ["qualify"].into_iter().chain(named).chain(sample).chain(more.iter().copied()).collect()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("the record is there")
}

#[test]
fn the_shards_of_a_qualification_come_to_the_record_of_the_qualification_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenarios = scenarios(&folder);
    let whole = folder.path().join("whole.json");
    let named = whole.display().to_string();
    let at_once = short_answer(&arguments(&scenarios, &["--record", &named, "--threads", "1"]));
    assert!(at_once.exit < 2 && !journal_of(&whole).exists(), "{}", at_once.talk);
    let on_three = folder.path().join("on-three.json");
    let again = short_answer(&arguments(&scenarios, &["--record", &on_three.display().to_string(), "--threads", "3"]));
    assert_eq!((again.exit, text(&on_three)), (at_once.exit, text(&whole)), "{}", again.talk);
    let record: Value = serde_json::from_str(&text(&whole)).expect("JSON");
    assert_eq!(record["devices"]["mutants"].as_array().map(Vec::len), Some(5), "{record}");
    assert_eq!(record["engines"]["mutants"].as_array().map(Vec::len), Some(5), "{record}");
    for of in [1, 2, 4] {
        let shard = |number: u32| {
            let part = folder.path().join(format!("part-{number}-of-{of}")).display().to_string();
            let ran = short_answer(&arguments(&scenarios, &["--shard", &format!("{number}/{of}"), "--record", &part]));
            assert_eq!(ran.exit, 0, "{}", ran.talk);
            part
        };
        let parts: Vec<String> = (1..=of).map(shard).collect();
        let path = folder.path().join(format!("merged-{of}.json"));
        let merged = merge(&parts, &path);
        assert_eq!((merged.exit, text(&path)), (at_once.exit, text(&whole)), "{of} shards: {}", merged.talk);
    }
}

#[test]
fn a_qualification_that_is_killed_at_any_length_of_its_journal_goes_on_to_the_same_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenarios = scenarios(&folder);
    let whole = folder.path().join("whole.json");
    let at_once = short_answer(&arguments(&scenarios, &["--record", &whole.display().to_string()]));
    assert!(at_once.exit < 2, "{}", at_once.talk);
    let path = folder.path().join("killed.json");
    let named = path.display().to_string();
    let resumed = arguments(&scenarios, &["--resume", "--record", &named]);
    let (mut kills, mut kept) = (0, 0);
    for bytes in [0, 1, 200, 500, 900, 1700, 3000] {
        let length = || fs::metadata(journal_of(&path)).map_or(0, |of| of.len());
        let until = length() + bytes;
        let mut child = abench().args(&resumed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut ended = false;
        while length() < until && !ended {
            yield_now();
            ended = child.try_wait().expect("it can be asked").is_some();
        }
        // SIGKILL, which nobody can answer.
        let _ = child.kill();
        child.wait().expect("it is over");
        kills += u32::from(!ended);
        kept += u32::from(fs::read_to_string(journal_of(&path)).is_ok_and(|text| text.lines().count() > 1));
        if path.exists() {
            assert_eq!(text(&path), text(&whole), "{bytes} bytes");
            fs::remove_file(&path).expect("it is there");
        }
    }
    assert!(kills > 2 && kept > 1, "{kills} kills, of which {kept} left a job");
    let ended = short_answer(&resumed);
    assert_eq!((ended.exit, text(&path)), (at_once.exit, text(&whole)), "{}", ended.talk);
    assert!(!journal_of(&path).exists(), "the record has taken its place");
}

#[test]
fn the_journal_of_another_qualification_is_refused_by_what_differs() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenarios = scenarios(&folder);
    let part = folder.path().join("part").display().to_string();
    let ran = short_answer(&arguments(&scenarios[..1], &["--shard", "1/2", "--record", &part]));
    assert_eq!(ran.exit, 0, "{}", ran.talk);
    let refused = |args: &[&str]| {
        let answer = short_answer(args);
        assert_eq!(answer.exit, 2, "{}", answer.talk);
        answer.talk
    };
    let on = ["--shard", "1/2", "--record", &part, "--resume"];
    assert!(refused(&arguments(&scenarios, &on)).contains("the list of scenarios differs"));
    let of = |more: &[&'static str]| [&["qualify", scenarios[0].as_str()][..], more, &on].concat();
    assert!(refused(&of(&["--sample", "5", "--seed", "8"])).contains("the sample differs"));
    assert!(refused(&of(&["--sample", "5", "--seed", "7", "--backend", "model:4"])).contains("the backend differs"));
    let run = [&["run", scenarios[0].as_str()][..], &on].concat();
    assert!(refused(&run).contains("the verb differs"), "{}", refused(&run));
}
