use super::*;
use crate::domain::fault::Fault;
use crate::domain::trial::Conformance;
use crate::domain::watch::Unwatched;
use crate::experiment::standard::as_client;
use crate::fault::catalogue::ONCE_ESCAPED;
use crate::subject::device::BusDevice;

fn checked(banks: u32, faults: &[Fault], conformance: Conformance) -> Vec<Check> {
    let mut device = BusDevice::model("model", banks, faults).expect("the model is there");
    let trial = StandardTrial { conformance, ..StandardTrial::published() };
    let (checks, ended) = check(&mut device, &trial, &mut Unwatched);
    assert_eq!(ended, Ok(()));
    checks
}

#[test]
fn a_sound_device_conforms_with_any_number_of_banks() {
    for banks in 1..=32 {
        for check in checked(banks, &[], Conformance::Quick) {
            assert_eq!(check.verdict, Verdict::Holds, "{banks} banks: {:?}", check.findings);
            assert!(!check.summary.contains("differs"), "{}", check.summary);
        }
    }
}

#[test]
fn the_whole_check_looks_at_every_pair_of_contexts() {
    let checks = checked(8, &[], Conformance::Whole);
    assert!(checks.iter().all(|check| check.verdict == Verdict::Holds), "{checks:#?}");
    assert!(checks[1].summary.contains("65536 and 65536 of 65536 pairs of contexts"), "{}", checks[1].summary);
    assert!(checks[0].summary.contains("up to 16777217"), "{}", checks[0].summary);
}

#[test]
fn an_index_that_is_one_bit_too_short_is_found_by_the_longest_run() {
    let of_engine = |conformance| checked(8, &[Fault::IndexWraps(31)], conformance).remove(0);
    assert_eq!(of_engine(Conformance::Whole).verdict, Verdict::Holds, "no run is long enough");
    let longest = of_engine(Conformance::Longest);
    assert_eq!(longest.verdict, Verdict::Falsified);
    assert!(longest.findings[0].case.contains("write:count:0xffffffff"), "{}", longest.findings[0].case);
    let sound = checked(8, &[], Conformance::Longest);
    assert!(sound.iter().all(|check| check.verdict == Verdict::Holds), "{sound:#?}");
    for fault in [Fault::CyclesWrap(24), Fault::IndexWraps(24)] {
        assert_eq!(checked(8, &[fault], Conformance::Whole)[0].verdict, Verdict::Falsified, "{fault}");
    }
}

#[test]
fn faults_of_registers_commands_and_contexts_are_found_by_the_quick_check() {
    let faults = [
        (Fault::SwapKeepsBit7, OF_ADAPTER),
        (Fault::LoadWrongResponse, OF_ADAPTER),
        (Fault::ZeroBitLowHalf, OF_ADAPTER),
        (Fault::AdapterSelectsIgnored, OF_ADAPTER),
        (Fault::ActiveNotClamped, OF_ENGINE),
        (Fault::StuckSeedBit(61), OF_ENGINE),
        (Fault::SeedNotReset, OF_ENGINE),
        (Fault::ShortLane(3), OF_ENGINE),
        (Fault::CyclesWrap(20), OF_ENGINE),
        (Fault::CountWraps(24), OF_ENGINE),
        (Fault::IndexWraps(20), OF_ENGINE),
        (Fault::EngineSelectsIgnored, OF_ENGINE),
    ];
    for (fault, name) in faults {
        for check in checked(8, &[fault], Conformance::Quick) {
            let expected = if check.name == name { Verdict::Falsified } else { Verdict::Holds };
            assert_eq!(check.verdict, expected, "{fault}: {} {:?}", check.name, check.findings);
            for finding in &check.findings {
                assert!(finding.case.len() < 600, "{fault}: {}", finding.case);
            }
        }
    }
}

#[test]
fn the_twelve_faults_that_once_escaped_are_killed_in_the_model() {
    let falsified = |checks: &[Check]| checks.iter().any(|check| check.verdict == Verdict::Falsified);
    for fault in ONCE_ESCAPED {
        assert!(falsified(&checked(8, &[fault], Conformance::Quick)), "{fault}");
    }
    assert!(falsified(&checked(8, &[Fault::IndexWraps(31)], Conformance::Longest)), "an index one bit too short");
    let mut keeps_done = BusDevice::model("model", 8, &[Fault::DoneStays]).expect("the model is there");
    let (check, ended) = as_client::check(&mut keeps_done, &StandardTrial::published(), &mut Unwatched);
    assert_eq!((falsified(&[check]), ended), (true, Ok(())), "done does not fall");
}

#[test]
fn every_lane_that_ends_early_and_every_stuck_bit_of_the_seed_is_found_at_any_number_of_banks() {
    for banks in [1, 3, 8, 32] {
        let lanes = (0..banks).step_by(3).map(Fault::ShortLane);
        for fault in lanes.chain([0, 63].map(Fault::StuckSeedBit)).chain([Fault::ActiveNotClamped]) {
            let engine = &checked(banks, &[fault], Conformance::Quick)[0];
            assert_eq!(engine.verdict, Verdict::Falsified, "{banks} banks, {fault}");
        }
    }
}

#[test]
fn a_device_behind_a_link_is_not_asked_for_what_its_link_cannot_do() {
    let far = Known { version: 2, banks: 8, in_process: false, selects_bytes: false };
    let lists = programs(far, StandardTrial::published().seed, Conformance::Quick, usize::MAX);
    let cannot = |access: &Access| matches!(access, Access::Reset | Access::WriteBytes(..));
    assert!(lists.iter().all(|program| !program.accesses.iter().any(cannot)));
    // What is shown costs a word each over a link, and STATUS beside the answer of a command.
    let words = lists.iter().flat_map(|program| &program.accesses).map(|access| match access {
        Access::Do(_) => 2,
        _ => usize::from(access.shows()),
    });
    assert!(words.sum::<usize>() < 6_000);
}
