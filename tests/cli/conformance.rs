//! The device against its documents: what is found comes with a case that shows it again.

use serde_json::Value;

use crate::common::{answer, unwrapped};
use crate::served::Emulator;

/// A run with these arguments, and its record.
fn recorded(args: &[&str]) -> (i32, Value) {
    let answer = answer(&[args, &["--record", "-"]].concat());
    (answer.exit, serde_json::from_str(&answer.output).expect("the output is the JSON alone"))
}

/// The case of the first counterexample of a check.
fn case_of(record: &Value, name: &str) -> String {
    let checks = record["checks"].as_array().expect("a list");
    let check = checks.iter().find(|check| check["name"] == name).expect(name);
    check["findings"][0]["case"].as_str().unwrap_or_else(|| panic!("{name} found nothing")).to_owned()
}

#[test]
fn what_is_found_is_falsified_again_by_its_case() {
    for (fault, name) in [
        ("stuck-seed-bit:61", "conformance of the engine"),
        ("seed-not-reset", "conformance of the engine"),
        ("short-lane:5", "conformance of the engine"),
        ("engine-selects-ignored", "conformance of the engine"),
        ("load-wrong-response", "conformance of the adapter"),
        ("swap-keeps-bit-7", "conformance of the adapter"),
    ] {
        let (exit, record) = recorded(&["9", "5", "--backend", "model", "--plant", fault]);
        assert_eq!(exit, 1, "{fault}");
        let case = case_of(&record, name);
        let again = answer(&["replay", &case]);
        assert_eq!(again.exit, 1, "{fault}: {case}: {}{}", again.output, again.talk);
        assert!(again.output.contains("falsified"), "{}", again.output);
    }
}

#[test]
fn a_stuck_seed_bit_behind_a_link_is_falsified_and_its_case_too() {
    let emulator = Emulator::serving(&["etherbone:tcp"], &["--plant", "stuck-seed-bit:61"]);
    let backend = emulator.backends()[0].as_str();
    // Bit 61 of this SEED is 0, so that its runs alone do not show it.
    let (exit, record) = recorded(&["9", "DEADBEEF0BADF00D", "--backend", backend]);
    assert_eq!(exit, 1);
    let case = case_of(&record, "conformance of the engine");
    let again = answer(&["replay", &case]);
    assert_eq!(again.exit, 1, "{case}: {}{}", again.output, again.talk);
}

#[test]
fn the_shipped_scenario_meets_its_expectations_and_looks_at_every_pair_of_contexts() {
    let answer = answer(&["run", "conformance"]);
    assert_eq!(answer.exit, 0, "{}", answer.output);
    let told = unwrapped(&answer.output);
    assert!(told.contains("SWAP between 65536 and LOAD between 65536 of 65536 pairs of contexts"), "{told}");
    assert!(!told.contains("Pairs of contexts: of the"), "{told}");
}

#[test]
fn a_case_that_a_link_cannot_carry_out_is_refused_with_the_reason() {
    let emulator = Emulator::serving(&["etherbone:tcp"], &[]);
    let backend = &emulator.backends()[0];
    for accesses in ["reset+see:count", "write:count:0x1+bytes:count:3:0x2+see:count"] {
        let answer = answer(&["replay", &format!("case1,{backend},registers,accesses={accesses}")]);
        assert_eq!(answer.exit, 2, "{}{}", answer.output, answer.talk);
        assert!(unwrapped(&answer.talk).contains("replay it on model or rtl"), "{}", answer.talk);
    }
}
