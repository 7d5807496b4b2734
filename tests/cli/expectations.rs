//! What a scenario expects of its run: every falsified check is expected by name, or the run ends in exit 1.

use std::collections::BTreeSet;
use std::path::PathBuf;

use abench::domain::trial::Expectation;
use abench::domain::verdict::Verdict;
use abench::report::record::{Part, Record};
use abench::scenario::shipped::SHIPPED;

use crate::common::{answer, unwrapped};
use crate::served::{Emulator, answer_in_time};

/// A scenario file of this text, in a folder of its own.
fn scenario(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("world.toml");
    std::fs::write(&path, text).expect("a file");
    (folder, path)
}

/// A small world in which the XOR engine is falsified and the additive one holds, as it expects.
const WORLD: &str = "version = 2\n\
    [offline]\nseed = '0x51'\nregisters = 16\nstart = 100\nclients = 3\nengines = ['xor-delta', 'delta-summary']\n\
    [offline.workload]\nticks = 6\nchanged = 6\nmost = 3\ndecrements = false\n\
    [offline.presence]\nlasts_s = 3600\naway_s = [300, 900]\nhere_s = [60, 120]\n\
    [offline.link]\nbits_per_s = 64000\nlatency_ms = 100\njitter_ms = 0\nlost_per_mille = 0\nrepeated_per_mille = 0\n\
    reordered_per_mille = 0\ntruncated_per_mille = 0\ncorrupted_per_mille = 0\noutages = 0\noutage_s = 1\n\
    [expect]\nverdict = 'falsified'\n\
    [expect.engines]\nxor-delta = { verdict = 'falsified' }\ndelta-summary = { verdict = 'holds' }\n";

#[test]
fn a_falsified_hub_merge_is_not_excused_by_a_world_that_is_expected_to_be_falsified() {
    let (_folder, path) = scenario(WORLD);
    let path = path.to_str().expect("a path of text");
    let sound = Emulator::serving(&["etherbone:tcp"], &[]);
    let met = answer_in_time(&["run", path, "--backend", sound.backend()]);
    assert_eq!(met.exit, 0, "{met:?}");
    let faulty = Emulator::serving(&["etherbone:tcp"], &["--plant", "accum-drop:7"]);
    let unmet = answer_in_time(&["run", path, "--backend", faulty.backend()]);
    assert_eq!(unmet.exit, 1, "{unmet:?}");
    let told = unwrapped(&unmet.output);
    assert!(told.contains("Not as the scenario expects: "), "{told}");
    for engine in ["xor-delta", "delta-summary"] {
        let sentence = format!("check hub merge of {engine}: falsified, which [expect.checks]");
        assert!(told.contains(&sentence), "{engine}: {told}");
    }
}

#[test]
fn field_tally_on_a_device_that_drops_deltas_is_not_as_expected() {
    let faulty = Emulator::serving(&["etherbone:tcp"], &["--plant", "accum-drop:7"]);
    let answer = answer_in_time(&["run", "field-tally", "--backend", faulty.backend(), "--record", "-"]);
    let record: Record = serde_json::from_str(&answer.output).expect("a record");
    let merges = record.checks.iter().filter(|check| check.name.starts_with("hub merge of "));
    let falsified: Vec<bool> = merges.map(|check| check.verdict == Verdict::Falsified).collect();
    assert_eq!(falsified, [true; 3]);
    let met = record.expectation.expect("it has expectations");
    assert_eq!((met.met, answer.exit), (false, 1), "{:?}", met.unmet);
}

#[test]
fn a_falsified_check_is_expected_by_name_and_not_by_the_verdict_of_the_whole() {
    let every = |expect: &str| {
        let (_folder, path) = scenario(&format!(
            "version = 2\n[every-order]\nseed = '7'\ndeltas = 4\nalgebras = ['xor', 'last-arrival-wins']\n[expect]\n{expect}"
        ));
        answer(&["run", path.to_str().expect("a path of text")])
    };
    let whole = every("verdict = 'falsified'");
    assert_eq!(whole.exit, 1, "{}", whole.output);
    assert!(
        unwrapped(&whole.output).contains(
            "check every order of last-arrival-wins: falsified, which [expect.checks] does not expect: every order"
        ),
        "{}",
        whole.output
    );
    let named = every("verdict = 'falsified'\nchecks = { 'every order of last-arrival-wins' = 'falsified' }");
    assert_eq!(named.exit, 0, "{}", named.output);
    let otherwise = every("verdict = 'falsified'\nchecks = { 'every order of last-arrival-wins' = 'holds' }");
    assert_eq!(otherwise.exit, 1, "{}", otherwise.output);
}

#[test]
fn a_falsified_law_is_expected_by_its_own_name() {
    let laws = |claims: &str| {
        let (_folder, path) = scenario(&format!(
            "version = 2\n[laws]\nseed = '7'\ntries = 1000\n[expect]\nverdict = 'falsified'\nclaims = {{ {claims} }}"
        ));
        answer(&["run", path.to_str().expect("a path of text")])
    };
    // Only the laws that are claimed count: that f64-sum is not idempotent accuses nobody.
    let claimed = "'signed-saturating-add associative' = 'falsified', 'signed-saturating-add inverse' = 'falsified', \
                   'f64-sum associative' = 'falsified', 'f64-sum inverse' = 'falsified'";
    let met = laws(&format!("{claimed}, 'last-arrival-wins commutative' = 'falsified'"));
    assert_eq!(met.exit, 0, "{}", met.output);
    let unmet = laws(claimed);
    assert_eq!(unmet.exit, 1, "{}", unmet.output);
    let sentences: Vec<&str> = unmet.output.lines().filter(|line| line.contains("does not expect")).collect();
    assert_eq!(
        sentences,
        ["  - claim last-arrival-wins commutative: falsified, which [expect.claims] does not expect"]
    );
}

/// Whether a scenario's expectations decide about a check of its record.
fn is_named(expect: &Expectation, record: &Record, name: &str) -> bool {
    let check = record.checks.iter().find(|check| check.name == name).expect("it is in the record");
    let trials = record.laws.iter().flat_map(|laws| &laws.trials);
    let mut laws = trials.filter(|trial| trial.claimed && check.subjects.contains_key(&trial.algebra));
    let by_laws = check.part == Part::Laws && laws.all(|trial| expect.claims.contains_key(&trial.name()));
    expect.checks.contains_key(name) || expect.engines.contains_key(name) || by_laws
}

#[test]
fn every_check_of_every_shipped_scenario_is_expected_by_name() {
    for (name, _) in SHIPPED {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results").join(format!("{name}.json"));
        let record: Record =
            serde_json::from_str(&std::fs::read_to_string(&path).expect("a record")).expect("a record of today");
        let scenario = abench::scenario::shipped::find(name).expect("it is shipped").expect("it is sound");
        let expect = scenario.expect.expect("a shipped scenario says what it expects");
        let checks: BTreeSet<&str> = record.checks.iter().map(|check| check.name.as_str()).collect();
        let unnamed: Vec<&str> = checks.iter().copied().filter(|check| !is_named(&expect, &record, check)).collect();
        assert!(unnamed.is_empty(), "{name}: name {unnamed:?} in its [expect.checks]");
        assert!(record.expectation.is_some_and(|met| met.met), "{name}");
    }
}
