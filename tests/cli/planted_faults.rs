//! The run finds what is planted in it, names it, and hands over a case that shows it again.

use std::num::NonZeroUsize;

use abench::campaign::{self, Plan};
use abench::domain::fault::Fault;
use abench::domain::oracle::OracleId;
use abench::domain::seed::Seed;
use abench::domain::trial::{StandardTrial, Trial};
use abench::domain::verdict::Verdict;
use abench::domain::watch::Unwatched;
use abench::experiment::shown;
use abench::experiment::valid::Valid;
use abench::report::document::Detail;
use abench::report::format::text::{Table, render};
use abench::report::record::{PlantedOutcome, Record};
use abench::scenario::Scenario;
use abench::subject::{Conditions, backends, open};

use crate::common::{Reading, answer, cases, unwrapped};

/// A standard campaign on the model alone with these faults in it.
fn campaign(count: &str, seed: u64, faults: &[Fault]) -> Record {
    let count = count.parse().expect("a COUNT");
    let trial = StandardTrial { count, seed: Seed::new(seed), ..StandardTrial::published() };
    let plan = Plan {
        scenario: Valid::of(Scenario::unnamed(Trial::Standard(trial))).expect("it is sound"),
        backends: backends(["model"]).expect("a backend"),
        conditions: Conditions { threads: NonZeroUsize::MIN, faults: faults.to_vec(), link: Default::default() },
    };
    let mut subjects = open(&plan.backends, &plan.conditions).expect("the model is there");
    campaign::run(&plan, &mut subjects, &mut Unwatched)
}

fn dead(set: u32) -> Vec<u32> {
    (0..8).filter(|bank| set >> bank & 1 == 1).collect()
}

#[test]
fn every_one_of_the_255_sets_of_dead_banks_is_found_and_named() {
    for seed in [0xDEAD_BEEF_0BAD_F00D, 7, 0x10000] {
        for set in 1..256 {
            let faults: Vec<Fault> = dead(set).into_iter().map(Fault::DeadBank).collect();
            let record = campaign("65537", seed, &faults);
            assert_eq!(record.verdict, Verdict::Falsified, "seed {seed:#x}, set {set:#x}");
            assert_eq!(record.causes[0].dead_banks, dead(set), "seed {seed:#x}");
            assert!(record.planted.iter().all(|fault| fault.outcome == PlantedOutcome::Detected));
        }
    }
}

#[test]
fn dead_banks_and_pairs_of_them_are_named_on_the_screen_and_never_green() {
    for (plants, named) in [
        (&["dead-bank:0"][..], "bank 0 dead"),
        (&["dead-bank:7"], "bank 7 dead"),
        (&["dead-bank:1", "dead-bank:6"], "banks 1 and 6 dead"),
    ] {
        for seed in ["0xDEADBEEF0BADF00D", "7", "0x10000"] {
            let mut args = vec!["65537", seed];
            plants.iter().for_each(|plant| args.extend(["--plant", plant]));
            let answer = answer(&args);
            assert_eq!(answer.exit, 1);
            assert!(answer.output.contains(named), "{}", answer.output);
            assert!(answer.output.contains("VERIFY: FAILED"));
            assert!(!Reading::of(&answer.output).all_match);
        }
    }
}

#[test]
fn every_kind_of_fault_is_found_and_its_cause_named() {
    for (plant, cause) in [
        ("dead-bank:3", "bank 3 dead"),
        ("drop:0", "the delta of index 0 dropped or applied twice"),
        ("drop:15", "the delta of index 15 dropped or applied twice"),
        ("drop:65536", "the delta of index 65536 dropped or applied twice"),
        ("duplicate:1000", "the delta of index 1000 dropped or applied twice"),
        ("flip-bit:0", "bit 0 of the merged result inverted"),
        ("flip-bit:63", "bit 63 of the merged result inverted"),
        ("stale-read", "every READ answers with the state before the last ACCUM"),
        ("lost-high-word", "the high half of every ACCUM is lost"),
    ] {
        let answer = answer(&["--plant", plant]);
        assert_eq!(answer.exit, 1, "{plant}");
        assert!(unwrapped(&answer.output).contains(cause), "{plant}: {}", answer.output);
        assert!(answer.output.contains("  expected ") && answer.output.contains("  got "));
        assert!(unwrapped(&answer.output).contains(&format!("detected {plant} in: model")), "{}", answer.output);
    }
}

#[test]
fn every_case_that_a_report_shows_replays_to_the_same_verdict() {
    for plant in ["dead-bank:5", "drop:3", "drop:40000", "flip-bit:17", "stale-read", "lost-high-word", "accum-drop:7"]
    {
        for count in ["65537", "100"] {
            let report = answer(&[count, "--plant", plant]).output;
            let cases = cases(&report);
            assert!(!cases.is_empty() || (plant == "drop:40000" && count == "100"), "{plant}: {report}");
            for case in cases {
                assert!(case.contains(&format!("plant={plant}")), "{case}");
                let replayed = answer(&["replay", case]);
                assert_eq!(replayed.exit, 1, "{case}: {}", replayed.output);
                let sound = case.replace(&format!(",plant={plant}"), "");
                assert_eq!(answer(&["replay", &sound]).exit, 0, "{sound}");
            }
        }
    }
}

#[test]
fn the_report_of_a_dead_bank_that_the_table_cannot_show() {
    insta::assert_snapshot!(answer(&["--plant", "dead-bank:3"]).output);
}

#[test]
fn a_fault_in_the_adapter_is_also_found_by_the_arrival_orders_where_the_device_takes_them() {
    let record = campaign("100", 5, &[Fault::LostHighWord]);
    let orders = record.checks.iter().find(|check| check.name == "arrival orders").expect("the check was made");
    assert_eq!(orders.verdict, Verdict::Falsified);
    assert_eq!(orders.findings[0].size, "one delta; fewer cannot fail");
    // A delta whose high half never arrives gives the same wrong state in every order: the oracles are not one.
    let oracles = &orders.oracles;
    assert_eq!((oracles[&OracleId::Invariance], oracles[&OracleId::Truth]), (Verdict::Holds, Verdict::Falsified));
}

#[test]
fn a_fault_that_the_run_cannot_activate_or_that_changes_nothing_is_inconclusive_with_the_reason() {
    for (args, reason) in [
        (&["--plant", "drop:4000000"][..], "no run reaches index 4000000: the longest has indices 0 to 1048576"),
        (
            &["10", "1", "--plant", "drop:3", "--plant", "duplicate:3"],
            "every word that was read is as a sound device shows it",
        ),
        (&["--plant", "swap-banks:0:7"], "the banks are merged by XOR, whichever holds a delta"),
        (&["run", "recorded-65537", "--plant", "drop:4000000"], "no run reaches index 4000000"),
    ] {
        let answer = answer(args);
        assert_eq!(answer.exit, 3, "{args:?}: {}", answer.output);
        assert!(unwrapped(&answer.output).contains(reason), "{args:?}: {}", answer.output);
        assert!(!Reading::of(&answer.output).all_match);
    }
}

#[test]
fn a_fault_that_is_detected_beside_one_that_is_not_activated_falsifies() {
    let record = campaign("100", 1, &[Fault::DeadBank(2), Fault::Drop(4_000_000)]);
    assert_eq!(record.verdict, Verdict::Falsified);
    let outcomes: Vec<PlantedOutcome> = record.planted.iter().map(|fault| fault.outcome).collect();
    assert_eq!(outcomes, [PlantedOutcome::Detected, PlantedOutcome::NotActivated]);
}

#[test]
fn faults_that_hide_each_other_are_told_apart_where_the_residues_allow_it_and_else_found_together() {
    let record = campaign("65537", 0xDEAD_BEEF_0BAD_F00D, &[Fault::DeadBank(3), Fault::Drop(3), Fault::Drop(12)]);
    assert_eq!((&record.causes[0].dead_banks[..], &record.causes[0].lost_deltas[..]), (&[3][..], &[3, 12][..]));
    let three = [Fault::Drop(100), Fault::Drop(101), Fault::Drop(102)];
    let record = campaign("65537", 0xDEAD_BEEF_0BAD_F00D, &three);
    // Their sum is the delta of index 103, which is not lost: no index is named.
    assert!(record.causes[0].lost_deltas.is_empty(), "{}", record.causes[0].sentence);
    assert!(record.planted.iter().all(|fault| fault.outcome == PlantedOutcome::FoundTogether));
    let record = campaign("100", 1, &[Fault::StaleRead, Fault::LostHighWord]);
    assert_eq!(record.causes[0].names, ["stale-read", "lost-high-word"]);
}

#[test]
fn an_adapter_that_keeps_something_from_before_is_falsified_and_its_case_replays() {
    for fault in ["load-keeps-accumulator", "accum-drop:7", "swap-wrong-context", "early-read"] {
        let answer = answer(&["100", "1", "--plant", fault]);
        assert_eq!(answer.exit, 1, "{fault}: {}", answer.output);
        assert!(unwrapped(&answer.output).contains(&format!("detected {fault} in: model")), "{}", answer.output);
    }
    let report = answer(&["100", "1", "--plant", "load-keeps-accumulator"]).output;
    let case = *cases(&report).first().expect("a case");
    assert!(case.len() < 300, "{case}");
    assert_eq!(answer(&["replay", case]).exit, 1);
}

#[test]
fn a_fault_that_hides_from_the_first_checks_is_not_given_the_name_of_another() {
    for plant in ["accum-drop:1", "accum-repeat:1", "early-read"] {
        let report = answer(&["--plant", plant]);
        assert_eq!(report.exit, 1);
        assert!(!report.output.contains("cause         model"), "{plant}: {}", report.output);
    }
}

#[test]
fn of_faults_in_two_parts_the_one_that_no_check_finds_is_not_credited_with_the_other() {
    let record = campaign("100", 1, &[Fault::DeadBank(3), Fault::SwapBanks(0, 1), Fault::StaleRead]);
    let outcomes: Vec<PlantedOutcome> = record.planted.iter().map(|fault| fault.outcome).collect();
    // Swapped banks are in use whenever the dead one is; the cause names the dead one, and no run could name the others.
    assert_eq!((outcomes[0], outcomes[2]), (PlantedOutcome::Detected, PlantedOutcome::Detected));
    assert_ne!(outcomes[1], PlantedOutcome::Detected);
}

#[test]
fn a_bank_sweep_alone_does_not_call_a_case_the_smallest_that_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bare.toml");
    let text = "version = 2\n[standard]\ncount = 1001\nseed = '7'\nchecks = ['bank-sweep']\n";
    std::fs::write(&path, text).expect("a file");
    let sized = |plant: &str| answer(&["run", path.to_str().expect("text"), "--plant", plant]).output;
    assert!(sized("flip-bit:5").contains("there is no smaller COUNT"));
    assert!(sized("torn:3").contains("not the smallest: nothing below COUNT 16 was tried"));
    assert!(sized("torn:500").contains("one delta fewer passes"));
}

#[test]
fn without_faults_the_same_campaigns_hold() {
    for (count, seed) in [("65537", 0xDEAD_BEEF_0BAD_F00D), ("65537", 7), ("65537", 0x10000), ("2", 1), ("3", 2)] {
        assert_eq!(campaign(count, seed, &[]).verdict, Verdict::Holds, "COUNT {count}, SEED {seed:#x}");
    }
}

#[test]
fn one_delta_has_one_order_and_a_campaign_that_claims_to_try_orders_is_refused_a_plain_pass() {
    let alone = campaign("1", 1, &[]);
    assert_eq!(alone.verdict, Verdict::Inconclusive);
    assert!(alone.reason.contains("Have at least two deltas"), "{}", alone.reason);
}

#[test]
fn dashboards_read_the_same_in_a_window_of_any_width() {
    for (count, faults) in [("65537", &[][..]), ("100", &[Fault::DeadBank(1), Fault::StaleRead])] {
        let record = campaign(count, 0xDEAD_BEEF_0BAD_F00D, faults);
        let reading = |width| {
            Reading::of(
                &anstream::adapter::strip_str(&render(&shown(&record), width, Table::Shown, Detail::All)).to_string(),
            )
        };
        let wide = reading(1000);
        assert_eq!(wide.rows.len(), 4);
        assert_eq!(wide.all_match, faults.is_empty());
        for width in 0..150 {
            assert_eq!(reading(width), wide, "{width} columns");
        }
    }
}
