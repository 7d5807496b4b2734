//! Independent jobs on several threads, and the one door that all that runs passes.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{UnderWay, answer};
use crate::kept::CAMPAIGN;

/// A world of all engines, with a mutant, other worlds, and accumulators that merge again.
pub const WORLD: &str = "version = 2\n[offline]\nseed = '0xC0FFEE'\nregisters = 4\nclients = 3\nengines = ['all']\n\
                     mutants = ['accept-before-durable']\nmore_worlds = 5\ncrashes = 20\n\
                     [offline.workload]\nticks = 20\nchanged = 2\n\
                     [offline.presence]\nlasts_s = 20000\naway_s = [60, 600]\nhere_s = [60, 600]\n\
                     [offline.link]\nlost_per_mille = 50\n";

/// A walk that holds, with mutants of which each falsifies it.
pub const WALK: &str = "version = 2\n[crash-everywhere]\nseed = '1'\nclients = 1\nedits = 1\nretries = 1\ncrashes = 1\n\
                    mutants = ['accept-before-journal', 'accept-before-durable', 'send-for-ever']\n";

pub fn written(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file");
    path.display().to_string()
}

/// The record of a scenario that is run with these arguments, without what differs between two runs.
fn record(scenario: &str, arguments: &[&str]) -> Value {
    let answer = answer(&[&["run", scenario, "--record", "-"], arguments].concat());
    let mut record: Value = serde_json::from_str(&answer.output).unwrap_or_else(|_| panic!("{}", answer.talk));
    let fields = record.as_object_mut().expect("an object");
    fields.remove("timing").expect("it is there");
    fields.remove("host").expect("it is there");
    record
}

#[test]
fn a_record_is_the_same_for_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("world.toml", WORLD), ("walk.toml", WALK), ("campaign.toml", CAMPAIGN)] {
        let path = written(&folder, name, text);
        let of = |threads| record(&path, &["--threads", threads]);
        let one = of("1");
        assert!(!one["checks"].as_array().expect("checks").is_empty(), "{one}");
        for threads in ["2", "3", "16"] {
            assert_eq!(of(threads), one, "{name} on {threads} threads");
        }
    }
}

#[test]
#[cfg(unix)]
fn worlds_on_several_threads_tell_how_far_they_are_and_stop_when_they_are_asked_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(&folder, "long.toml", &WORLD.replace("more_worlds = 5", "more_worlds = 100000"));
    let stopped = UnderWay::start(&["run", &path, "--threads", "3"]).interrupted();
    assert_eq!(stopped.exit, 130, "{}", stopped.talk);
    assert!(stopped.output.contains("stopped by the user"), "{}", stopped.output);
}

#[test]
fn a_replayed_record_passes_the_same_door_as_a_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(&folder, "world.toml", &WORLD.replace("'all'", "'delta-state'"));
    let sound = answer(&["run", &path, "--record", "-"]).output;
    let sound: Value = serde_json::from_str(&sound).expect("JSON");
    let refused = |place: &str, value: Value, said: &[&str]| {
        let mut record = sound.clone();
        *record.pointer_mut(place).expect("it is there") = value;
        let path = written(&folder, "changed.json", &record.to_string());
        let answer = answer(&["replay", &path]);
        assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{place}: {}", answer.talk);
        for said in said {
            assert!(answer.talk.contains(said), "{place}: {}", answer.talk);
        }
        assert!(answer.talk.contains("changed.json") && !answer.talk.contains("internal error"), "{}", answer.talk);
    };
    let trial = "/asked/trial/offline";
    refused(&format!("{trial}/registers"), json!(0), &["registers = 0 is not allowed; 1 to 1048576 are"]);
    refused(&format!("{trial}/clients"), json!(0), &["clients = 0 is not allowed"]);
    refused(&format!("{trial}/engines"), json!(["gossip"]), &["engines: 'gossip' is not an engine; allowed are"]);
    refused(&format!("{trial}/engines/0"), json!("additive-delta"), &["engines: 'additive-delta'", "delta-state"]);
    refused(&format!("{trial}/mutants"), json!(["gremlin"]), &["mutants: 'gremlin'"]);
    refused(&format!("{trial}/presence/away_s"), json!([9, 1]), &["presence.away_s = [9, 1]"]);
    refused("/asked/faults", json!(["dead-bank:1"]), &["asked.faults", "[] is allowed"]);
    refused("/asked/expect", json!({ "mutants": { "accept-before-durable": "gut feeling" } }), &["'gut feeling'"]);
    let every_order = json!({ "every-order": { "seed": "0x7", "deltas": 33 } });
    refused("/asked/trial", every_order, &["[every-order]: deltas = 33 is not allowed"]);
    let walk = json!({ "crash-everywhere": { "seed": "0x7", "clients": 9, "edits": 1, "retries": 0, "crashes": 0 } });
    refused("/asked/trial", walk, &["[crash-everywhere]: clients = 9 is not allowed; 1 to 3 are"]);
}
