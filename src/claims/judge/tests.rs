//! Every rule is asked of a record that holds, and of the same record with one thing changed that refutes it.

use serde::Deserialize;

use super::*;
use crate::domain::oracle::OracleId;
use crate::report::ledger::ClaimVerdict::{Falsified, Holds, Inconclusive, NoHardware, NotTried};

/// The record in `results` of a shipped scenario.
fn recorded(name: &str) -> Record {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("results/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("a record")).expect("a record of today")
}

fn rule(text: &str) -> Rule {
    let table: toml::Table = toml::from_str(&text.replace(", ", "\n")).expect("TOML");
    let rule = Rule::deserialize(table).expect("a rule");
    assert_eq!(rule.unsound(), None);
    rule
}

fn asked(rule_text: &str, record: &Record) -> Decision {
    of_record(&rule(rule_text), record, Asked { run: "a-scenario", command: "abench run a-scenario" })
}

/// The verdict about a record as it is, and after this change.
fn verdicts(name: &str, text: &str, change: impl Fn(&mut Record)) -> [ClaimVerdict; 2] {
    let mut record = recorded(name);
    let before = asked(text, &record).verdict;
    change(&mut record);
    [before, asked(text, &record).verdict]
}

fn check<'a>(record: &'a mut Record, name: &str) -> &'a mut Check {
    record.checks.iter_mut().find(|check| check.name == name).expect("a check")
}

fn row<'a>(record: &'a mut Record, name: &str) -> &'a mut EngineRecord {
    let offline = record.offline.as_mut().expect("a world");
    offline.engines.iter_mut().find(|row| row.name == name).expect("a row")
}

#[test]
fn a_check_that_is_falsified_refutes_and_its_finding_is_the_counterexample() {
    let text = "by = 'check', check = 'bank sweep'";
    assert_eq!(
        verdicts("recorded-65537", text, |record| check(record, "bank sweep").verdict = Verdict::Falsified),
        [Holds, Falsified]
    );
    assert_eq!(
        verdicts("recorded-65537", text, |record| check(record, "bank sweep").verdict = Verdict::Inconclusive),
        [Holds, Inconclusive]
    );
    let mut record = recorded("field-tally");
    let found = asked("by = 'check', check = 'full-state'", &record).counterexample.expect("one");
    assert!(found.command.starts_with("abench replay case1,full-state,edits"), "{found:?}");
    check(&mut record, "full-state").findings.clear();
    let whole = asked("by = 'check', check = 'full-state'", &record).counterexample.expect("one");
    assert_eq!(whole.command, "abench run a-scenario");
}

#[test]
fn of_a_check_on_two_devices_the_worse_decides() {
    let mut record = recorded("recorded-65537");
    let mut other = check(&mut record, "bank sweep").clone();
    other.verdict = Verdict::Falsified;
    record.checks.push(other);
    assert_eq!(asked("by = 'check', check = 'bank sweep'", &record).verdict, Falsified);
}

#[test]
fn a_rule_about_silicon_is_undecided_until_a_board_answers_and_then_judged() {
    for text in [
        "by = 'check', check = 'bank sweep', silicon = true",
        "by = 'number', number = 'sweep-cycles', banks = 8, at_most = 8193, silicon = true",
    ] {
        let on_board = |record: &mut Record| {
            let subjects = check(record, "bank sweep").subjects.values_mut();
            subjects.for_each(|evidence| *evidence = Evidence::Silicon);
            record.bank_sweeps[0].evidence = Evidence::Silicon;
        };
        assert_eq!(verdicts("recorded-65537", text, on_board), [NoHardware, Holds], "{text}");
        let wrong = |record: &mut Record| {
            on_board(record);
            check(record, "bank sweep").verdict = Verdict::Falsified;
            record.bank_sweeps[0].rows[3].cycles += 1;
        };
        assert_eq!(verdicts("recorded-65537", text, wrong), [NoHardware, Falsified], "{text}");
    }
}

#[test]
fn a_judge_decides_about_an_engine_and_not_the_other_judges() {
    let text = "by = 'engine', engine = 'delta-state', judge = 'truth'";
    let judged = |judge: OracleId| {
        move |record: &mut Record| {
            let oracle = row(record, "delta-state").oracles.get_mut(&judge).expect("a judge");
            oracle.0 = Verdict::Falsified;
        }
    };
    assert_eq!(verdicts("field-tally", text, judged(OracleId::Truth)), [Holds, Falsified]);
    assert_eq!(verdicts("field-tally", text, judged(OracleId::Progress)), [Holds, Holds]);
    let whole = "by = 'engine', engine = 'delta-state'";
    let fall = |record: &mut Record| row(record, "delta-state").verdict = Verdict::Falsified;
    assert_eq!(verdicts("field-tally", whole, fall), [Holds, Falsified]);
    let gone = |record: &mut Record| drop(row(record, "delta-state").oracles.remove(&OracleId::Truth));
    assert_eq!(verdicts("field-tally", text, gone), [Holds, Inconclusive]);
}

#[test]
fn the_counterexample_to_a_judge_is_one_of_that_judge_or_the_world_itself() {
    let record = recorded("no-server");
    let of = |judge: OracleId| {
        let text = format!("by = 'engine', engine = 'xor-delta', judge = '{judge}'");
        asked(&text, &record).counterexample.expect("it is falsified").command
    };
    assert!(of(OracleId::Truth).starts_with("abench replay case1,xor-delta,edits"), "{}", of(OracleId::Truth));
    assert_eq!(of(OracleId::Convergence), "abench run a-scenario --engines xor-delta");
}

#[test]
fn a_rule_that_wants_a_falsification_is_refuted_by_what_holds() {
    let text = "by = 'engine', engine = 'full-state', judge = 'truth', is = 'falsified'";
    let right = |record: &mut Record| {
        row(record, "full-state").oracles.insert(OracleId::Truth, (Verdict::Holds, "all is right".to_owned()));
    };
    assert_eq!(verdicts("field-tally", text, right), [Holds, Falsified]);
}

#[test]
fn a_law_is_refuted_by_its_trial_with_the_witness() {
    let fall = |record: &mut Record| {
        let trials = &mut record.laws.as_mut().expect("laws").trials;
        let law = trials.iter_mut().find(|trial| trial.name() == "xor associative").expect("a law");
        law.verdict = Verdict::Falsified;
    };
    assert_eq!(verdicts("laws", "by = 'law', law = 'xor associative'", fall), [Holds, Falsified]);
    let decision = asked("by = 'law', law = 'xor idempotent'", &recorded("laws"));
    assert_eq!(decision.verdict, Falsified);
    assert!(decision.counterexample.expect("a witness").sentence.contains("1 ^ 1 = 0"));
}

#[test]
fn a_number_outside_its_bound_refutes_and_one_at_its_bound_does_not() {
    let bytes = |change: i64| {
        move |record: &mut Record| {
            let tick = &mut record.ticks[0];
            tick.message_bytes = tick.message_bytes.saturating_add_signed(change);
        }
    };
    let most = "by = 'number', number = 'tick-message-bytes', at_most = 201";
    assert_eq!(verdicts("tick", most, bytes(1)), [Holds, Falsified]);
    assert_eq!(verdicts("tick", most, bytes(-1)), [Holds, Holds]);
    let least = "by = 'number', number = 'tick-message-bytes', at_least = 201";
    assert_eq!(verdicts("tick", least, bytes(-1)), [Holds, Falsified]);
    let metadata = "by = 'number', number = 'tick-metadata-bytes', at_most = 41";
    assert_eq!(verdicts("tick", metadata, bytes(1)), [Holds, Falsified]);
    // 1 - 201/2048 is 90.185…: neither is rounded into its bound.
    let saving =
        |bound: &str| asked(&format!("by = 'number', number = 'tick-saving-percent', {bound}"), &recorded("tick"));
    assert_eq!(saving("at_least = 90.185").verdict, Holds);
    assert_eq!(saving("at_least = 90.186").verdict, Falsified);
    assert_eq!(saving("at_most = 90.185").verdict, Falsified);
    assert_eq!(saving("at_least = 92").number.expect("a number").shown, "90.18 %");
}

#[test]
fn numbers_of_a_sweep_are_those_of_its_rows() {
    let slower = |record: &mut Record| record.bank_sweeps[0].rows[3].cycles += 32;
    let cycles = "by = 'number', number = 'sweep-cycles', banks = 8, at_least = 8193, at_most = 8193";
    assert_eq!(verdicts("recorded-65537", cycles, slower), [Holds, Falsified]);
    let speed_up = "by = 'number', number = 'sweep-speed-up', banks = 8, at_least = 7.99, at_most = 8";
    assert_eq!(verdicts("recorded-65537", speed_up, slower), [Holds, Falsified]);
    let misses = "by = 'number', number = 'sweep-missed-sets', at_most = 127";
    let more = |record: &mut Record| record.bank_sweeps[0].missed_sets += 1;
    assert_eq!(verdicts("recorded-65537", misses, more), [Holds, Falsified]);
    let none = "by = 'number', number = 'sweep-cycles', banks = 3, at_most = 1";
    assert_eq!(asked(none, &recorded("recorded-65537")).verdict, Inconclusive);
}

#[test]
fn numbers_of_an_engine_are_those_of_its_row() {
    let heavier = |record: &mut Record| row(record, "delta-state").up.retransmission += 20_000;
    let saving =
        "by = 'number', number = 'engine-saving-percent', engine = 'delta-state', than = 'full-state', at_least = 30";
    assert_eq!(verdicts("field-tally", saving, heavier), [Holds, Falsified]);
    let bytes = "by = 'number', number = 'engine-bytes', engine = 'delta-state', at_most = 32000";
    assert_eq!(verdicts("field-tally", bytes, heavier), [Holds, Falsified]);
    let metadata = "by = 'number', number = 'engine-metadata-percent', engine = 'delta-state', at_most = 85";
    assert_eq!(verdicts("field-tally", metadata, heavier), [Holds, Falsified]);
    let wrong = "by = 'number', number = 'engine-wrong-registers', engine = 'delta-state', at_most = 0";
    assert_eq!(
        verdicts("field-tally", wrong, |record| row(record, "delta-state").wrong_registers = 1),
        [Holds, Falsified]
    );
    // What moves more than the other saves less than nothing.
    let text =
        "by = 'number', number = 'engine-saving-percent', engine = 'full-state', than = 'delta-state', at_least = 0";
    let decision = asked(text, &recorded("field-tally"));
    assert_eq!(decision.verdict, Falsified);
    assert!(decision.found.starts_with("saving of full-state against delta-state: -136.6"), "{}", decision.found);
}

#[test]
fn a_check_that_holds_by_less_than_the_claim_asks_for_leaves_it_undecided() {
    let walked = "by = 'warrant', check = 'every order of xor', at_least = 'proved'";
    let sampled = |record: &mut Record| {
        check(record, "every order of xor").warrant = Some(Warrant::Sampled { orders: 1000, by: None });
    };
    assert_eq!(verdicts("every-order", walked, sampled), [Holds, Inconclusive]);
    let fall = |record: &mut Record| check(record, "every order of xor").verdict = Verdict::Falsified;
    assert_eq!(verdicts("every-order", walked, fall), [Holds, Falsified]);
    let sample = "by = 'warrant', check = 'arrival orders', at_least = 'sampled'";
    let few = |record: &mut Record| {
        check(record, "arrival orders").warrant = Some(Warrant::Sampled { orders: 3, by: None });
    };
    assert_eq!(verdicts("recorded-65537", sample, few), [Holds, Inconclusive]);
}

#[test]
fn what_was_not_reached_is_not_tried_and_a_backend_that_is_gone_is_told() {
    let stopped = |record: &mut Record| {
        record.interrupted = true;
        record.checks.clear();
        record.ticks.clear();
    };
    let gone = |record: &mut Record| {
        record.unavailable = Some("the line is silent".to_owned());
        record.checks.clear();
        record.ticks.clear();
    };
    for text in [
        "by = 'check', check = 'published tick on the device'",
        "by = 'number', number = 'tick-message-bytes', at_least = 1",
    ] {
        assert_eq!(verdicts("tick", text, stopped), [Holds, NotTried]);
        assert_eq!(verdicts("tick", text, gone), [Holds, Inconclusive]);
        let mut record = recorded("tick");
        gone(&mut record);
        assert_eq!(asked(text, &record).found, "the line is silent");
    }
}

mod mutants {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::report::qualification::devices::{Cell, Coverage, MutantRecord};

    fn qualified(outcomes: &[MutantOutcome]) -> DeviceQualification {
        let mutant = |&outcome: &MutantOutcome| MutantRecord {
            kind: "dead-bank:K".to_owned(),
            faults: vec!["dead-bank:1".to_owned()],
            together: outcome,
            cells: vec![Cell { outcome, oracles: BTreeSet::new(), reason: "nobody looked".to_owned() }],
        };
        let together = Coverage::of(outcomes.iter().copied());
        DeviceQualification {
            backend: "model".to_owned(),
            evidence: Evidence::Model,
            void: false,
            interrupted: false,
            crashed: false,
            unmet: Vec::new(),
            controls: Vec::new(),
            planned: outcomes.len() as u64,
            by_scenario: vec![together],
            by_oracle: vec![BTreeMap::new()],
            together,
            mutants: outcomes.iter().map(mutant).collect(),
        }
    }

    fn asked(at_least: &str, qualification: &DeviceQualification) -> Decision {
        let rule = rule(&format!("by = 'mutants', planted_in = 'devices', at_least = {at_least}"));
        of_devices(&rule, qualification, Asked { run: "mutants", command: "abench qualify x" })
    }

    #[test]
    fn a_mutant_that_escapes_lowers_the_score_and_is_named() {
        use MutantOutcome::{Detected, Equivalent, Escaped, NotActivated};
        let half = qualified(&[Detected, Escaped, Equivalent]);
        assert_eq!(asked("50", &half).verdict, Holds);
        let decision = asked("50.001", &half);
        assert_eq!(decision.verdict, Falsified);
        let found = decision.counterexample.expect("a mutant");
        assert!(found.sentence.contains("dead-bank:1 escaped: nobody looked"), "{found:?}");
        assert_eq!(found.command, "abench qualify x");
        assert_eq!(asked("100", &qualified(&[Detected, NotActivated])).verdict, Falsified);
        assert_eq!(asked("100", &qualified(&[Detected, Equivalent])).verdict, Holds);
    }

    #[test]
    fn a_qualification_that_says_nothing_decides_nothing() {
        use MutantOutcome::Detected;
        let sound = || qualified(&[Detected]);
        assert_eq!(asked("100", &DeviceQualification { interrupted: true, ..sound() }).verdict, NotTried);
        assert_eq!(asked("100", &DeviceQualification { void: true, ..sound() }).verdict, Inconclusive);
        assert_eq!(asked("100", &DeviceQualification { crashed: true, ..sound() }).verdict, Inconclusive);
        assert_eq!(asked("0", &qualified(&[])).verdict, Inconclusive);
    }
}
