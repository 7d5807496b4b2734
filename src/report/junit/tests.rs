use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use roxmltree::{Document, Node};

use super::*;
use crate::domain::evidence::Evidence;
use crate::report::figure::tests::{kept, shipped};
use crate::report::ledger::{ClaimVerdict, Ledger};
use crate::report::qualification::Qualification;
use crate::report::qualification::devices::{self, Coverage, DeviceQualification, MutantOutcome, MutantRecord};
use crate::report::qualification::mutants::{self, EngineQualification, MutantRow, Score};
use crate::report::record::Asked;
use crate::report::rtl_mutation::{self as rtl_mutation_record, RtlMutation};

/// The XML of runs that nobody altered.
fn render(records: &[Record]) -> String {
    super::render(records.iter().map(|record| suite(Seal::Intact, record)).collect())
}

/// Failures and errors, by the names of their cases.
fn failing(xml: &str) -> Vec<String> {
    let document = Document::parse(xml).expect("well-formed");
    let fails = |case: &Node| case.children().any(|child| child.has_tag_name("failure") || child.has_tag_name("error"));
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase")).filter(fails);
    cases.map(|case| case.attribute("name").unwrap_or_default().to_owned()).collect()
}

/// A standard run whose checks hold.
fn sound() -> Record {
    Record { expectation: None, ..kept("recorded-65537") }
}

#[test]
fn something_fails_exactly_where_the_exit_code_is_not_0() {
    let mut looked_at = 0;
    for (name, record) in shipped() {
        assert_eq!(failing(&render(std::slice::from_ref(&record))), Vec::<String>::new(), "{name}: exit 0");
        let unmet = Met { met: false, unmet: vec!["the answer is 41 and should be 42".to_owned()] };
        let without =
            Record { asked: Asked { expect: None, ..record.asked.clone() }, expectation: None, ..record.clone() };
        let variants = [
            Record { interrupted: true, ..without.clone() },
            Record { unavailable: Some("the board fell silent".to_owned()), ..record.clone() },
            Record { contradiction: Some("two counts differ".to_owned()), ..record.clone() },
            Record { expectation: Some(unmet), ..record },
            without,
        ];
        for variant in variants {
            let failing = failing(&render(std::slice::from_ref(&variant)));
            assert_eq!(failing.is_empty(), variant.outcome().exit_code() == 0, "{name}: {failing:?}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 100, "{looked_at}");
}

#[test]
fn a_falsified_check_has_its_finding_and_how_to_replay_it_and_an_expected_one_passes() {
    let expected = kept("hub-set-back");
    assert!(failing(&render(std::slice::from_ref(&expected))).is_empty());
    assert!(render(std::slice::from_ref(&expected)).contains("as expected, falsified"));
    let asked = Asked { expect: None, ..expected.asked.clone() };
    let xml = render(&[Record { asked, expectation: None, ..expected.clone() }]);
    assert_eq!(failing(&xml), ["delta-summary", "reconciliation", "the verdict is holds"]);
    let document = Document::parse(&xml).expect("well-formed");
    let text = document.descendants().find(|node| node.has_tag_name("failure")).and_then(|node| node.text());
    let case = &expected.checks.iter().flat_map(|check| &check.findings).next().expect("a finding").case;
    assert!(text.is_some_and(|text| text.contains(&format!("replay: abench replay {case}"))), "{text:?}");
}

#[test]
fn a_check_of_another_verdict_than_expected_fails_by_itself() {
    let mut changed = kept("hub-set-back");
    let check = changed.checks.iter_mut().find(|check| check.name == "reconciliation").expect("a check");
    check.verdict = Verdict::Holds;
    changed.expectation = Some(Met { met: false, unmet: vec!["reconciliation holds".to_owned()] });
    assert_eq!(failing(&render(&[changed])), ["reconciliation", "expectation: reconciliation holds"]);
}

#[test]
fn a_judge_that_refuses_nothing_is_an_error_and_a_mutant_that_survives_a_failure() {
    let mut changed = kept("edge-outage");
    changed.controls[0].refused = 0;
    let offline = changed.offline.as_mut().expect("a world");
    offline.mutants[0].caught_by.clear();
    let mutant = format!("mutant {} of {} is killed", offline.mutants[0].mutant, offline.mutants[0].engine);
    let failing = failing(&render(&[changed]));
    assert!(failing[0].starts_with("control of the judge"), "{failing:?}");
    assert!(failing.contains(&mutant) && failing.contains(&"the run comes to its end".to_owned()), "{failing:?}");
}

#[test]
fn there_is_a_suite_for_each_record_and_a_timed_case_for_each_check() {
    let records = [sound(), kept("tick")];
    let xml = render(&records);
    let document = Document::parse(&xml).expect("well-formed");
    let suites: Vec<Node> = document.descendants().filter(|node| node.has_tag_name("testsuite")).collect();
    assert_eq!(
        suites.iter().map(|suite| suite.attribute("name")).collect::<Vec<_>>(),
        [Some("recorded-65537"), Some("tick")]
    );
    for (suite, record) in suites.iter().zip(&records) {
        let cases: Vec<Node> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
        assert_eq!(suite.attribute("tests"), Some(cases.len().to_string().as_str()));
        for check in &record.checks {
            let case = cases.iter().find(|case| case.attribute("name") == Some(&check.name)).expect(&check.name);
            let timed = record.timing.checks_us.iter().any(|(name, _)| *name == check.name);
            assert_eq!(case.attribute("time").is_some(), timed, "{}", check.name);
        }
    }
}

/// The recorded ledger.
fn ledger() -> Ledger {
    serde_json::from_str(include_str!("../../../results/claims.json")).expect("a ledger of today")
}

fn of_ledger(ledger: &Ledger) -> String {
    super::render(vec![suite_of_ledger(Seal::Intact, ledger)])
}

/// The names of cases that are skipped.
fn skipped(xml: &str) -> Vec<String> {
    let document = Document::parse(xml).expect("well-formed");
    let skipped = document.descendants().filter(|node| node.has_tag_name("skipped"));
    skipped.filter_map(|node| Some(node.parent()?.attribute("name")?.to_owned())).collect()
}

#[test]
fn a_ledger_is_a_suite_with_a_case_for_each_claim_and_what_needs_a_board_is_skipped() {
    let ledger = ledger();
    let xml = of_ledger(&ledger);
    let document = Document::parse(&xml).expect("well-formed");
    let cases: Vec<&str> = document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
        .filter_map(|n| n.attribute("name"))
        .collect();
    let claims: Vec<&str> = ledger.claims.iter().map(|claim| claim.id.as_str()).collect();
    assert_eq!(cases[..claims.len()], claims);
    assert_eq!(cases[claims.len()..], ["the trial of claims comes to its end"]);
    assert_eq!(failing(&xml), Vec::<String>::new(), "all is as expected");
    let no_hardware = ledger.claims.iter().filter(|claim| claim.trial.verdict == ClaimVerdict::NoHardware);
    assert_eq!(skipped(&xml), no_hardware.map(|claim| claim.id.clone()).collect::<Vec<_>>());
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).expect("a suite");
    assert_eq!(suite.attribute("skipped"), Some("4"));
    assert!(xml.contains("201 B, not at most 160 B") && xml.contains("replay: abench run tick"), "{xml}");
}

#[test]
fn a_claim_with_another_verdict_than_expected_fails_and_a_stopped_trial_is_an_error() {
    let sound = ledger();
    let place = |id: &str| sound.claims.iter().position(|claim| claim.id == id).expect("a claim");
    let with = |id: &str, verdict| {
        let mut changed = sound.clone();
        changed.claims[place(id)].trial.verdict = verdict;
        changed
    };
    for (id, verdict) in [
        ("banks-identical", ClaimVerdict::Falsified),
        ("160-bytes", ClaimVerdict::Holds),
        ("banks-identical", ClaimVerdict::Inconclusive),
        ("banks-identical", ClaimVerdict::NoHardware),
    ] {
        let xml = of_ledger(&with(id, verdict));
        assert_eq!(failing(&xml), [id], "{verdict}");
        assert!(xml.contains(&format!("{verdict}, but ")), "{xml}");
    }
    let mut weaker = sound.clone();
    let claim = &mut weaker.claims[place("160-bytes")];
    claim.weaker.as_mut().expect("a weaker claim").trial.verdict = ClaimVerdict::Falsified;
    assert_eq!(failing(&of_ledger(&weaker)), ["160-bytes"]);
    let stopped = Ledger { interrupted: true, ..with("banks-identical", ClaimVerdict::NotTried) };
    let xml = of_ledger(&stopped);
    assert_eq!(failing(&xml), ["the trial of claims comes to its end"]);
    assert!(skipped(&xml).contains(&"banks-identical".to_owned()), "{xml}");
    for broken in [
        Ledger { contradiction: Some("two counts differ".to_owned()), ..sound.clone() },
        Ledger { unavailable: Some("the board fell silent".to_owned()), ..sound.clone() },
        Ledger { interrupted: true, ..sound.clone() },
    ] {
        assert_eq!(failing(&of_ledger(&broken)).is_empty(), broken.outcome().exit_code() == 0);
    }
}

/// A record whose texts want to be more than text.
fn hostile() -> Record {
    const HOSTILE: &str = "]]></failure><testcase name='x'/>\u{0}\u{1b}[2J\u{fffe}\u{202e} skipped=\"0\" & \"quoted\"";
    let mut record = kept("hub-set-back");
    record.asked.scenario = Some(HOSTILE.to_owned());
    record.expectation = Some(Met { met: false, unmet: vec![HOSTILE.to_owned()] });
    record.unavailable = Some(HOSTILE.to_owned());
    for check in &mut record.checks {
        check.name = format!("{HOSTILE} {}", check.name);
        check.summary = HOSTILE.to_owned();
        check.verdict = Verdict::Falsified;
        check.findings.iter_mut().for_each(|finding| finding.during = HOSTILE.to_owned());
    }
    record
}

#[test]
fn hostile_texts_stay_texts() {
    let record = hostile();
    let xml = render(std::slice::from_ref(&record));
    let document = Document::parse(&xml).expect("well-formed");
    assert!(!document.descendants().any(|node| node.attribute("name") == Some("x")));
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).expect("a suite");
    assert_eq!(suite.attribute("skipped"), Some("0"), "the count of a suite stays");
    let name = suite.attribute("name").expect("a name");
    assert!(name.starts_with("]]></failure>") && name.contains('\u{fffd}') && !name.contains('\u{1b}'), "{name:?}");
}

/// What the schema says against the XML; nothing where the validator is missing.
fn against_schema(xml: &str) -> Option<String> {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/junit.xsd");
    let command = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema", schema, "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = command else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI xmllint must be there: install libxml2-utils");
        eprintln!("skipped: xmllint is missing (package libxml2-utils), so JUnit XML is not validated");
        return None;
    };
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(xml.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    Some(if output.status.success() { String::new() } else { String::from_utf8_lossy(&output.stderr).into_owned() })
}

#[test]
fn the_schema_of_ci_systems_takes_every_record_and_refuses_what_is_none() {
    let Some(against) = against_schema("<testsuites><testcase/></testsuites>") else { return };
    assert!(against.contains("testcase"), "the validator sees what is wrong: {against}");
    let records: Vec<Record> = shipped().into_iter().map(|(_, record)| record).collect();
    assert!(records.len() > 40);
    for records in [&records[..], &[hostile()], &[]] {
        assert_eq!(against_schema(&render(records)).as_deref(), Some(""));
    }
    let mut hostile = ledger();
    hostile.claims[0].id = "]]></testcase>\u{0} skipped=\"4\"".to_owned();
    hostile.claims[0].trial.verdict = ClaimVerdict::Falsified;
    let stopped = Ledger { interrupted: true, ..ledger() };
    for ledger in [ledger(), hostile, stopped] {
        assert_eq!(against_schema(&of_ledger(&ledger)).as_deref(), Some(""));
    }
    let qualified = super::render(vec![suite_of_qualification(Seal::Missing, &qualification(MutantOutcome::Escaped))]);
    assert_eq!(against_schema(&qualified).as_deref(), Some(""));
    assert_eq!(against_schema(&super::render(vec![suite_of_rtl_mutation(&gateware())])).as_deref(), Some(""));
}

/// A qualification with one fault of a device, which came to this, and one mutant of an engine, which was killed.
fn qualification(of_device: MutantOutcome) -> Qualification {
    let cell = devices::Cell { outcome: of_device, oracles: BTreeSet::new(), reason: "no <check> saw it".to_owned() };
    let devices = DeviceQualification {
        backend: "model".to_owned(),
        evidence: Evidence::Model,
        void: false,
        interrupted: false,
        crashed: false,
        unmet: Vec::new(),
        controls: vec![devices::Control {
            scenario: "tick".to_owned(),
            trial: kept("tick").asked.trial,
            verdict: Verdict::Holds,
            sound: true,
            reason: String::new(),
        }],
        planned: 1,
        by_scenario: vec![Coverage::of([of_device].into_iter())],
        by_oracle: vec![BTreeMap::new()],
        together: Coverage::of([of_device].into_iter()),
        mutants: vec![MutantRecord {
            kind: "dead bank".to_owned(),
            faults: vec!["dead-bank:1".to_owned()],
            together: of_device,
            cells: vec![cell],
        }],
    };
    let score = Score::of([mutants::Outcome::Killed]);
    let engines = EngineQualification {
        interrupted: false,
        crashed: false,
        until_killed: false,
        planned: 1,
        unmet: Vec::new(),
        score,
        by_worlds: score,
        by_walks: Score::default(),
        by_judge: BTreeMap::new(),
        scenarios: Vec::new(),
        mutants: vec![MutantRow {
            engine: "delta-state".to_owned(),
            mutant: "forgets".to_owned(),
            about: "it forgets".to_owned(),
            not_in_walks: None,
            together: mutants::Outcome::Killed,
            cells: Vec::new(),
        }],
    };
    Qualification::of(Some(devices), Some(engines))
}

fn of_qualification(record: &Qualification) -> String {
    super::render(vec![suite_of_qualification(Seal::Intact, record)])
}

#[test]
fn a_qualification_has_a_case_for_each_control_and_mutant_and_fails_exactly_where_its_exit_code_is_not_0() {
    let sound = qualification(MutantOutcome::Detected);
    let xml = of_qualification(&sound);
    for name in
        ["tick of model without a fault", "fault dead-bank:1 of model is detected", "mutant forgets of delta-state"]
    {
        assert!(xml.contains(name), "{name}: {xml}");
    }
    let changed = |outcome: MutantOutcome, change: &dyn Fn(&mut Qualification)| {
        let mut record = qualification(outcome);
        change(&mut record);
        (record.exit_code(), failing(&of_qualification(&record)))
    };
    let device = |record: &mut Qualification| record.devices.take().expect("a device");
    assert_eq!(changed(MutantOutcome::Detected, &|_| ()), (0, vec![]));
    // Whoever expects no full coverage lets a fault escape.
    assert_eq!(changed(MutantOutcome::Escaped, &|_| ()), (0, vec![]));
    let unmet = changed(MutantOutcome::Escaped, &|record| {
        let unmet = vec!["tick: expected 100 % at least".to_owned()];
        record.devices = Some(DeviceQualification { unmet, ..device(record) });
    });
    let fails = ["fault dead-bank:1 of model is detected", "expectation: tick: expected 100 % at least"];
    assert_eq!(unmet, (1, fails.map(str::to_owned).to_vec()));
    let unsound = changed(MutantOutcome::Detected, &|record| {
        let mut of = device(record);
        (of.void, of.controls[0].sound) = (true, false);
        record.devices = Some(of);
    });
    assert_eq!(unsound, (1, vec!["tick of model without a fault".to_owned()]));
    let stopped = changed(MutantOutcome::Detected, &|record| {
        record.devices = Some(DeviceQualification { interrupted: true, ..device(record) });
    });
    assert_eq!(stopped, (130, vec!["all faults of devices are planted".to_owned()]));
}

/// The recorded mutants of the gateware.
fn gateware() -> RtlMutation {
    serde_json::from_str(include_str!("../../../results/rtl-mutation.json")).expect("a record of today")
}

#[test]
fn every_mutant_of_the_gateware_that_survives_fails() {
    let record = gateware();
    let survivors = record.mutants.iter().filter(|mutant| mutant.outcome == rtl_mutation_record::Outcome::Survived);
    let failing = failing(&super::render(vec![suite_of_rtl_mutation(&record)]));
    assert_eq!(failing.len(), survivors.count());
    assert!(failing[0].starts_with("mutant #"), "{failing:?}");
}
