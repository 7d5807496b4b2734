//! The records in `results/` are what a fresh run gives.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::common::{answer, short_answer};
use abench::report::ledger::Ledger;
use abench::scenario::shipped::SHIPPED;

/// The record of `rtl/mutate`, which is no run of a scenario.
const OF_MUTATION: &str = "rtl-mutation.json";

/// The ledger of the shipped claims.
const OF_CLAIMS: &str = "claims.json";

fn results() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results")
}

#[test]
fn every_shipped_scenario_has_a_record_and_every_record_a_scenario() {
    let shipped: BTreeSet<String> = SHIPPED.iter().map(|(name, _)| format!("{name}.json")).collect();
    let entries = fs::read_dir(results()).expect("the folder of results");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let is_record = |name: &String| name.ends_with(".json") && name != OF_MUTATION && name != OF_CLAIMS;
    let records: BTreeSet<String> = names.filter(is_record).collect();
    assert_eq!(records, shipped);
}

/// Times of a debug build say nothing of how long a run takes.
#[test]
fn every_record_is_of_a_release_build() {
    let builds = SHIPPED.iter().map(|(name, _)| {
        let record = fs::read(results().join(format!("{name}.json"))).expect("a record");
        let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
        (*name, record["host"]["build"].clone())
    });
    let others: Vec<_> = builds.filter(|(_, build)| build != "release").collect();
    assert!(others.is_empty(), "{others:?}");
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

#[test]
fn a_fresh_trial_of_the_shipped_claims_equals_its_ledger_outside_timing_and_host() {
    let recorded = fs::read_to_string(results().join(OF_CLAIMS)).expect("the ledger");
    let recorded: Ledger = serde_json::from_str(&recorded).expect("a ledger of today");
    let answer = short_answer(&["falsify", "--record", "-"]);
    assert_eq!(answer.exit, 0, "{}", answer.talk);
    let fresh: Ledger = serde_json::from_str(&answer.output).expect("a ledger");
    assert_eq!(
        fresh.without_timing_and_host(),
        recorded.without_timing_and_host(),
        "if the change is meant, renew the ledger with results/bless"
    );
}
