//! `abench convert`: scenarios and records of version 1 in the version that this abench reads.

use std::fs;
use std::path::Path;

use crate::common::answer;

const OLD: &str = "# A small world.\nversion = 1\n[offline]\nseed = '7'\nregisters = 4\nclients = 2\n\
                   strategies = ['additive-delta', 'running-sums'] # both\n[offline.journal]\npiece = 64\n\
                   [offline.workload]\nticks = 2\nchanged = 1\n[offline.presence]\nlasts_s = 500\naway_s = [10, 50]\n\
                   here_s = [20, 40]\n[expect.strategies]\nadditive-delta = { verdict = 'holds' }\n";

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

#[test]
fn a_scenario_of_version_1_is_refused_with_the_command_that_converts_it_and_runs_once_it_is_converted() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, new) = (folder.path().join("old.toml"), folder.path().join("new.toml"));
    fs::write(&old, OLD).expect("a file");
    let refused = answer(&["run", text(&old)]);
    assert_eq!(refused.exit, 2, "{}", refused.talk);
    assert!(refused.talk.contains("abench convert FILE"), "{}", refused.talk);
    let converted = answer(&["convert", text(&old)]);
    assert_eq!(converted.exit, 0, "{}", converted.talk);
    for expected in
        ["# A small world.\nversion = 2\n", "engines = [\"delta-summary\", \"pn-counter\"] # both", "fragment = 64"]
    {
        assert!(converted.output.contains(expected), "{expected}: {}", converted.output);
    }
    assert_eq!(answer(&["convert", text(&old), "--output", text(&new)]).exit, 0);
    assert_eq!(fs::read_to_string(&new).expect("a file"), converted.output);
    let ran = answer(&["run", text(&new)]);
    assert_eq!(ran.exit, 0, "{}{}", ran.output, ran.talk);
    let again = answer(&["convert", text(&new)]);
    assert_eq!(again.exit, 2);
    let said = "nothing to convert: this scenario is of version 2, which this abench reads as it is";
    assert!(again.talk.contains(said), "{}", again.talk);
}

#[test]
fn where_one_of_several_files_cannot_be_converted_none_is_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, bad) = (folder.path().join("good.toml"), folder.path().join("bad.toml"));
    fs::write(&good, OLD).expect("a file");
    fs::write(&bad, OLD.replace("running-sums", "gossip")).expect("a file");
    let refused = answer(&["convert", "--in-place", text(&good), text(&bad)]);
    assert_eq!(refused.exit, 2);
    assert!(
        refused.talk.contains("line 7: offline.strategies: 'gossip' is not an engine of version 1"),
        "{}",
        refused.talk
    );
    assert_eq!(fs::read_to_string(&good).expect("a file"), OLD);
    assert_eq!(answer(&["convert", text(&good), text(&good)]).exit, 2, "two files go nowhere together");
    assert_eq!(answer(&["convert", "--in-place", text(&good)]).exit, 0);
    assert!(fs::read_to_string(&good).expect("a file").contains("version = 2"));
}

#[test]
fn a_record_of_version_1_is_converted_and_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (record, new) = (folder.path().join("run.json"), folder.path().join("new.json"));
    assert_eq!(answer(&["9", "--record", text(&record)]).exit, 0);
    let old = fs::read_to_string(&record).expect("a record").replacen("\"version\": 2", "\"version\": 1", 1);
    fs::write(&record, old).expect("a file");
    assert!(answer(&["replay", text(&record)]).talk.contains("abench convert FILE"));
    let converted = answer(&["convert", text(&record), "--output", text(&new)]);
    assert_eq!(converted.exit, 0, "{}", converted.talk);
    assert_eq!(answer(&["replay", text(&new)]).exit, 0);
}
