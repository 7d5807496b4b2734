//! Records as JUnit XML for CI systems: a suite for each record, a test case for each check of a run, each claim of a
//! ledger, each mutant of a qualification.
//!
//! A file has a failure or an error exactly where the exit code of a record is not 0. So what is inconclusive is a failure,
//! and not skipped, which CI systems show as passed; and an expected falsification passes. What the harness could not
//! do is an error. Skipped is what only a board could tell.
//!
//! Knows: the record. Must not: judge.

mod ledger;
mod qualification;
mod rtl_mutation;

use std::collections::BTreeMap;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::domain::finding::{Finding, Quantity};
use crate::domain::verdict::Verdict;
use crate::report::document::section::counterexamples;
use crate::report::inert::for_xml;
use crate::report::record::{Asked, Check, ControlRecord, Met, Part, PlantedOutcome, Record};
use crate::report::seal::Seal;

pub use ledger::suite as suite_of_ledger;
pub use qualification::suite as suite_of_qualification;
pub use rtl_mutation::suite as suite_of_rtl_mutation;

/// The XML of these suites.
pub fn render(suites: Vec<TestSuite>) -> String {
    let mut report = Report::new("abench");
    report.set_time(suites.iter().filter_map(|suite| suite.time).sum());
    report.add_test_suites(suites);
    let skipped = format!(" skipped=\"{}\"", report.skipped);
    let xml = report.to_string().expect("memory takes every text");
    // The schema of CI systems has no such count for all suites together. In a name, the quotes would be escaped: the first
    // one is what is meant.
    xml.replacen(&skipped, "", 1)
}

/// The suite of a run: a case for each check. An altered record is marked as such.
pub fn suite(seal: Seal, record: &Record) -> TestSuite {
    let name = name(record);
    let mut suite = TestSuite::new(for_xml(&name));
    suite.set_time(micros(record.timing.total_us));
    let properties = [
        ("abench", record.abench.clone()),
        ("verdict", record.verdict.to_string()),
        ("reason", record.reason.clone()),
        ("exit code", record.outcome().exit_code().to_string()),
    ];
    if seal != Seal::Intact {
        suite.add_property(Property::new("warning", for_xml(&seal.to_string())));
    }
    suite.add_properties(properties.map(|(name, value)| Property::new(name, for_xml(&value))));
    let times: BTreeMap<&str, u64> =
        record.timing.checks_us.iter().rev().map(|(name, us)| (name.as_str(), *us)).collect();
    for check in &record.checks {
        let mut case = of_check(record, check);
        if let Some(&us) = times.get(check.name.as_str()) {
            case.set_time(micros(us));
        }
        suite.add_test_case(case_of(&name, case));
    }
    let others =
        record.controls.iter().map(of_control).chain(mutants(record)).chain(planted(record)).chain(whole(record));
    suite.add_test_cases(others.map(|case| case_of(&name, case)));
    suite
}

/// A case with its class: CI systems group by it, and points in it would make folders.
fn case_of(suite: &str, mut case: TestCase) -> TestCase {
    case.set_classname(for_xml(&format!("abench.{}", suite.replace('.', "_"))));
    case
}

/// What a suite is called.
fn name(record: &Record) -> String {
    record.asked.scenario.clone().unwrap_or_else(|| record.asked.trial.keys().title())
}

fn micros(us: u64) -> Duration {
    Duration::from_micros(us)
}

fn passed(name: &str) -> TestCase {
    TestCase::new(for_xml(name), TestCaseStatus::success())
}

/// A case that passed, with what is to be said of it.
fn remarked(name: &str, remark: &str) -> TestCase {
    let mut case = passed(name);
    case.set_system_out(for_xml(remark));
    case
}

/// A case that did not pass: its kind in a word, what is wrong in a line, and all of it.
fn failed(name: &str, kind: NonSuccessKind, word: &str, line: &str, all: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(word).set_message(for_xml(line)).set_description(for_xml(all));
    TestCase::new(for_xml(name), status)
}

fn of_check(record: &Record, check: &Check) -> TestCase {
    let Check { name, verdict, summary, findings, .. } = check;
    let said: Vec<String> = std::iter::once(format!("{verdict}: {summary}"))
        .chain(findings.iter().map(|finding| said(&record.asked, finding)))
        .collect();
    let said = said.join("\n\n");
    if !is_as_expected(record, check) {
        return failed(name, NonSuccessKind::Failure, &verdict.to_string(), &format!("{verdict}: {summary}"), &said);
    }
    let mut case = passed(name);
    if *verdict != Verdict::Holds {
        case.set_system_out(for_xml(&format!("as expected, {said}")));
    }
    case
}

/// Whether a check's verdict is what the scenario expects of it, or no worse than what it expects of the whole run.
fn is_as_expected(record: &Record, check: &Check) -> bool {
    let expect = record.asked.expect.as_ref().filter(|_| record.expectation.is_some());
    let Some(expect) = expect else { return check.verdict == Verdict::Holds };
    let of_engine = expect.engines.get(&check.name).filter(|_| check.part == Part::Replicas).map(|of| of.verdict);
    match expect.checks.get(&check.name).copied().or(of_engine) {
        Some(expected) => check.verdict == expected,
        None => check.verdict <= expect.verdict.unwrap_or(Verdict::Holds),
    }
}

/// A finding, and how it is shown again.
fn said(asked: &Asked, finding: &Finding) -> String {
    let Finding { subject, evidence, during, quantity, expected, got, size, reproducible, .. } = finding;
    let command = counterexamples::command(asked, finding);
    let values = match quantity {
        Quantity::Judges => String::new(),
        _ => format!("\nexpected {quantity} {expected}, got {got}"),
    };
    let again = if *reproducible { "" } else { "\nthe same execution did not give this answer again" };
    format!("{during} on {subject} (evidence {evidence}){values}{again}\nsmallest: {size}\nreplay: {command}")
}

fn of_control(control: &ControlRecord) -> TestCase {
    let name = format!("control of the judge '{}': {}", control.judge, control.planted);
    match control.fault() {
        None => passed(&name),
        Some(fault) => failed(&name, NonSuccessKind::Error, "internal", &fault, &fault),
    }
}

/// A case for each mutant that was planted in an engine.
fn mutants(record: &Record) -> impl Iterator<Item = TestCase> {
    let of_worlds = record.offline.iter().flat_map(|world| &world.mutants);
    let mutants = of_worlds.chain(record.everywhere.iter().flat_map(|walk| &walk.mutants));
    mutants.map(|mutant| {
        let name = format!("mutant {} of {} is killed", mutant.mutant, mutant.engine);
        if !mutant.caught_by.is_empty() {
            return passed(&name);
        }
        failed(&name, NonSuccessKind::Failure, "survived", "no judge found this mutant", &mutant.sentence)
    })
}

/// A case for each fault that was planted in a device and that escaped every check.
fn planted(record: &Record) -> impl Iterator<Item = TestCase> {
    record.planted.iter().filter(|planted| planted.outcome == PlantedOutcome::Escaped).map(|planted| {
        let name = format!("planted fault {} of {} is detected", planted.fault, planted.device);
        failed(&name, NonSuccessKind::Failure, "escaped", "no check found this fault", &planted.reason)
    })
}

/// The whole run: whether it came to its end, and whether it ended as expected.
fn whole(record: &Record) -> Vec<TestCase> {
    let interrupted = record.interrupted.then(|| "stopped by the user: what is missing was not done".to_owned());
    let wrong = [
        ("interrupted", interrupted),
        ("internal", record.internal_error()),
        ("unavailable", record.unavailable.clone()),
    ];
    let ended = "the run comes to its end";
    let mut cases: Vec<TestCase> = wrong
        .into_iter()
        .filter_map(|(word, why)| why.map(|why| failed(ended, NonSuccessKind::Error, word, &why, &why)))
        .collect();
    if cases.is_empty() {
        cases.push(passed(ended));
    }
    let Record { verdict, reason, .. } = record;
    match &record.expectation {
        Some(Met { met: true, .. }) => cases.push(passed("all expectations of the scenario are met")),
        Some(Met { unmet, .. }) if unmet.is_empty() => {
            cases.push(failed(
                "all expectations of the scenario are met",
                NonSuccessKind::Failure,
                "unmet",
                reason,
                reason,
            ));
        }
        Some(Met { unmet, .. }) => cases.extend(
            unmet
                .iter()
                .map(|unmet| failed(&format!("expectation: {unmet}"), NonSuccessKind::Failure, "unmet", unmet, unmet)),
        ),
        None if *verdict == Verdict::Holds => cases.push(passed("the verdict is holds")),
        None => {
            let word = verdict.to_string();
            cases.push(failed(
                "the verdict is holds",
                NonSuccessKind::Failure,
                &word,
                &format!("{word}: {reason}"),
                reason,
            ));
        }
    }
    cases
}

#[cfg(test)]
mod tests;
