//! Journals that were edited, that cannot be written, or that are taken for something else.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::common::{Answer, short_answer};
use crate::jobs::{WALK, WORLD, written};
use crate::kept::{at_once, journal_of, merge, record, shards};

/// Edits the outcome of one job by hand, its checksum with it.
fn edit(path: &str, job: &str, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("it is there");
    let sealed = |line: &str| {
        let text = line.rsplit_once('\t').map_or(line, |(text, _)| text);
        let is_meant = text.starts_with(&format!("{{\"job\":\"{job}"));
        let text = if is_meant { text.replacen(from, to, 1) } else { text.to_owned() };
        format!("{text}\t{:08x}\n", crc32fast::hash(text.as_bytes()))
    };
    let edited: String = text.lines().map(sealed).collect();
    assert_ne!(edited, text, "{from} stands in {job}");
    fs::write(path, edited).expect("it is written");
}

/// A campaign that takes little time.
const BRIEF: &str =
    "version = 2\n[standard]\ncount = 9\nseed = '7'\nchecks = ['bank-sweep', 'arrival-orders']\norders = 'sample:64'\n";

/// The shards of a scenario as they were written, in which something is edited by hand, one edit after the other.
struct Parts {
    folder: TempDir,
    paths: Vec<String>,
    texts: Vec<String>,
}

impl Parts {
    fn of(text: &str, number: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let scenario = written(&folder, "scenario.toml", text);
        let paths = shards(&folder, &scenario, number);
        let texts = paths.iter().map(|path| fs::read_to_string(path).expect("it is there")).collect();
        Parts { folder, paths, texts }
    }

    /// A key and its number, as they stand in the first shard.
    fn number_after(&self, key: &str) -> String {
        let text = &self.texts[0];
        let rest = &text[text.find(key).expect("it stands in it") + key.len()..];
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        format!("{key}{number}")
    }

    /// What `merge` says where this was edited in a job of the last shard.
    fn merged(&self, job: &str, from: &str, to: &str) -> Answer {
        let last = self.paths.len() - 1;
        edit(&self.paths[last], job, from, to);
        let record = self.folder.path().join("merged.json");
        let answer = merge(&self.paths, &record);
        assert!(!answer.talk.contains("panicked"), "{}", answer.talk);
        assert_eq!(record.exists(), answer.exit != 2, "{}", answer.talk);
        let _ = fs::remove_file(record);
        fs::write(&self.paths[last], &self.texts[last]).expect("it is written");
        answer
    }

    fn refused(&self, job: &str, from: &str, to: &str, said: &str) {
        let answer = self.merged(job, from, to);
        assert_eq!(answer.exit, 2, "{job}: {}", answer.talk);
        assert!(answer.talk.contains(said), "{job}: {}", answer.talk);
    }
}

#[test]
fn what_was_edited_by_hand_in_a_journal_is_refused_and_never_panics() {
    let world = WORLD.replace("more_worlds = 5\n", "").replace("mutants = ['accept-before-durable']\n", "");
    let world = Parts::of(&world.replace("engines = ['all']", "engines = ['delta-state']"), 1);
    let own = "world 0x0000000000c0ffee: delta-state\"";
    world.refused(own, "\"truth\":[", "\"trust\":[", "'trust' is not a judge");
    world.refused(own, "\"truth\":[", "\"world\":[", "the judge 'truth' says nothing");
    world.refused(own, "\"words\":[[", "\"words\":[[4000000000,1],[", "is not sound");
    world.refused(own, "\"edits\":", "\"unknown\":1,\"edits\":", "no outcome of the job 'world 0x0000000000c0ffee");
    let campaign = Parts::of(BRIEF, 1);
    campaign.refused("arrival orders seeded", "\"explorer\":0", "\"explorer\":9", "is not sound");
    campaign.refused("arrival orders seeded", "\"took\"", "\"taken\"", "no outcome of the job 'arrival orders seeded");
    campaign.refused("device model", "\"banks\":8,\"link\"", "\"banks\":9,\"link\"", "another device as model");
    // What all else is judged by is judged again, wherever it comes from.
    let right = campaign.number_after("\"xorshift64\":");
    let wrong = campaign.merged("reference", &right, "\"xorshift64\":7");
    assert_eq!(wrong.exit, 1, "{}", wrong.talk);
}

#[test]
fn shards_with_different_outcomes_of_one_job_are_named_and_refused() {
    let parts = Parts::of(BRIEF, 2);
    let right = parts.number_after("\"splitmix64\":");
    let refused = parts.merged("reference", &right, "\"splitmix64\":7");
    assert_eq!(refused.exit, 2, "{}", refused.talk);
    for said in ["shard-1-of-2.json", "shard-2-of-2.json", "different outcomes of the job 'reference'"] {
        assert!(refused.talk.contains(said), "{}", refused.talk);
    }
    // The time that a job took is no part of what it came to.
    let took = parts.merged("reference", "\"nanos\":", "\"nanos\":1");
    assert!(took.exit != 2, "{}", took.talk);
}

#[test]
fn a_journal_is_no_record_and_a_record_is_no_shard_and_each_names_its_verb() {
    let (folder, scenario, _) = at_once(WALK);
    let part = shards(&folder, &scenario, 1).remove(0);
    for verb in ["report", "replay"] {
        let refused = short_answer(&[verb, &part]);
        assert_eq!(refused.exit, 2, "{}", refused.talk);
        assert!(
            refused.talk.contains("the journal of a run") && refused.talk.contains("abench merge"),
            "{}",
            refused.talk
        );
    }
    let whole = folder.path().join("at-once.json").display().to_string();
    let refused = short_answer(&["merge", &whole]);
    assert_eq!(refused.exit, 2, "{}", refused.talk);
    for said in ["the record of a run", "abench report shows it", "--shard K/N"] {
        assert!(refused.talk.contains(said), "{}", refused.talk);
    }
    let threads = short_answer(&["merge", &part, "--threads", "4096"]);
    assert!(threads.exit == 2 && threads.talk.contains("is not a number of threads"), "{}", threads.talk);
}

#[test]
fn of_several_scenarios_all_journals_are_looked_at_before_the_first_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenarios = ["first", "second"].map(|name| written(&folder, &format!("{name}.toml"), WALK));
    let records = folder.path().join("records");
    fs::create_dir(&records).expect("a folder");
    let second = records.join("second.json.journal");
    fs::write(&second, "notes\n").expect("it is written");
    for resume in [&[][..], &["--resume"]] {
        let args = ["run", &scenarios[0], &scenarios[1], "-q", "--record", &records.display().to_string()];
        let refused = short_answer(&[&args, resume].concat());
        assert_eq!((refused.exit, refused.output.as_str()), (2, ""), "{}", refused.talk);
        assert!(refused.talk.contains("second.json.journal"), "{}", refused.talk);
        assert_eq!(fs::read_dir(&records).expect("it is there").count(), 1, "nothing was begun");
    }
}

/// Runs a scenario where no file may be longer than so many units of the shell's, of 512 or 1024 bytes.
#[cfg(unix)]
fn within(limit: u32, scenario: &str, path: &Path) -> std::process::Output {
    let program = env!("CARGO_BIN_EXE_abench");
    let script = format!("ulimit -f {limit}; exec \"$@\"");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script, "sh", program, "run", scenario, "-q", "--resume", "--threads", "1", "--record"]);
    command.arg(path).output().expect("a shell")
}

#[test]
#[cfg(unix)]
fn a_journal_that_can_grow_no_more_ends_in_2_and_the_run_goes_on_from_what_is_kept() {
    let (folder, scenario, whole) = at_once(BRIEF);
    let path = folder.path().join("full.json");
    // Not even the first line fits: nothing is begun.
    let nothing = within(0, &scenario, &path);
    let said = String::from_utf8_lossy(&nothing.stderr);
    assert!(nothing.status.code() == Some(2) && !journal_of(&path).exists(), "{said}");
    let full = within(8, &scenario, &path);
    let said = String::from_utf8_lossy(&full.stderr);
    assert_eq!((full.status.code(), path.exists()), (Some(2), false), "{said}");
    for part in ["full.json.journal", "ulimit -f", "kept in", "--resume goes on from there"] {
        assert!(said.contains(part), "{said}");
    }
    let resumed = short_answer(&["run", &scenario, "-q", "--resume", "--record", &path.display().to_string()]);
    assert_eq!((record(&path), journal_of(&path).exists()), (whole, false), "{}", resumed.talk);
}

#[test]
#[cfg(unix)]
fn a_place_where_no_journal_can_be_made_is_told_before_anything_runs() {
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    let scenario = written(&folder, "scenario.toml", BRIEF);
    let path = folder.path().join("run.json");
    // A folder is in its place.
    fs::create_dir(journal_of(&path)).expect("a folder");
    let refused = short_answer(&["run", &scenario, "-q", "--record", &path.display().to_string()]);
    assert_eq!((refused.exit, refused.output.as_str()), (2, ""), "{}", refused.talk);
    assert!(refused.talk.contains("run.json.journal") && !path.exists(), "{}", refused.talk);
    let missing = folder.path().join("missing").join("run.json").display().to_string();
    let refused = short_answer(&["run", &scenario, "-q", "--record", &missing]);
    assert!(refused.exit == 2 && refused.talk.contains("cannot write to"), "{}", refused.talk);
    let device = short_answer(&["run", &scenario, "--shard", "1/2", "--record", "/dev/full"]);
    assert!(device.exit == 2 && device.talk.contains("no regular file"), "{}", device.talk);
}
