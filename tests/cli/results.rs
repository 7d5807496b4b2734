//! The records in `results/` are what a fresh run gives.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::common::answer;
use abench::scenario::shipped::SHIPPED;

/// The record of `rtl/mutate`, which is no run of a scenario.
const OF_MUTATION: &str = "rtl-mutation.json";

fn results() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results")
}

#[test]
fn every_shipped_scenario_has_a_record_and_every_record_a_scenario() {
    let shipped: BTreeSet<String> = SHIPPED.iter().map(|(name, _)| format!("{name}.json")).collect();
    let entries = fs::read_dir(results()).expect("the folder of results");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let is_record = |name: &String| name.ends_with(".json") && name != OF_MUTATION;
    let records: BTreeSet<String> = names.filter(is_record).collect();
    assert_eq!(records, shipped);
}

#[test]
fn a_fresh_run_of_every_shipped_scenario_equals_its_record_outside_timing_and_host() {
    for (name, _) in SHIPPED {
        let record = results().join(format!("{name}.json"));
        let replayed = answer(&["replay", record.to_str().expect("a path of text")]);
        let same = replayed.exit == 0 && replayed.output.contains("the same as recorded");
        assert!(
            same,
            "{name}; if the change is meant, renew the records with results/bless\n{}{}",
            replayed.output, replayed.talk
        );
    }
}
