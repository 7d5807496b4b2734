//! The verdict of a run, why it is what it is, and what it rests on.

use std::collections::BTreeMap;

use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::judge::Judge;
use crate::domain::verdict::{Verdict, Warrant, exit};
use crate::report::document::{Judgement, sentence};
use crate::report::record::{Check, Record};

/// The judgement of a run.
pub fn judgement(record: &Record) -> Judgement {
    let (remark, exit) = ending(record);
    Judgement {
        verdict: record.verdict,
        remark,
        exit,
        reasons: reasons(record),
        warrants: warrants(&record.checks),
        facts: facts(record),
    }
}

fn reasons(record: &Record) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(fault) = record.internal_error() {
        reasons.push(format!("The harness contradicts itself, so that this run is worth nothing: {fault}."));
    }
    if record.interrupted {
        reasons.push("The user stopped the run: what is missing was not done.".to_owned());
    }
    reasons.extend(record.unavailable.iter().map(|reason| format!("A backend was unavailable: {reason}.")));
    reasons.push(sentence(&record.reason));
    reasons.extend(record.causes.iter().map(|cause| format!("Cause in {}: {}.", cause.device, cause.sentence)));
    match record.expectation.as_ref().filter(|_| !record.interrupted) {
        Some(expectation) if expectation.met => {
            reasons.push("Every expectation of the scenario is met.".to_owned());
        }
        Some(expectation) => {
            reasons.extend(expectation.unmet.iter().map(|unmet| format!("Not as the scenario expects: {unmet}.")));
        }
        None => {}
    }
    reasons.retain(|reason| !reason.is_empty());
    reasons
}

fn warrants(checks: &[Check]) -> Vec<String> {
    let grounds = grounds(checks, Warrant::to_string).into_iter();
    grounds.map(|(ground, names)| format!("{}: {ground}.", names.join(", "))).collect()
}

/// What the checks that hold rest on, in the words of `say`, those with the same ground together.
pub fn grounds(checks: &[Check], say: fn(&Warrant) -> String) -> Vec<(String, Vec<&str>)> {
    let mut grounds: Vec<(String, Vec<&str>)> = Vec::new();
    for check in checks.iter().filter(|check| check.verdict == Verdict::Holds) {
        let Some(warrant) = &check.warrant else { continue };
        let warrant = say(warrant);
        match grounds.iter_mut().find(|(ground, _)| *ground == warrant) {
            Some((_, names)) => names.push(&check.name),
            None => grounds.push((warrant, vec![&check.name])),
        }
    }
    grounds
}

fn facts(record: &Record) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    if let Some(offline) = &record.offline {
        let (clients, registers) = (counted(offline.clients, "client"), counted(offline.registers, "register"));
        let hub = if offline.hub { "a hub" } else { "no hub" };
        let edits = counted(offline.edits, "edit");
        fact("world", format!("{clients}, {hub}, {registers}, {edits} (evidence {})", offline.evidence));
    }
    fact("seed", record.asked.trial.seed().to_string());
    let subjects: BTreeMap<String, Evidence> = record.checks.iter().flat_map(|check| check.subjects.clone()).collect();
    fact("on trial", on(&subjects));
    fact("planted faults", record.asked.faults.join(", "));
    fact("checks", counts(&record.checks));
    let (refused, wrong) = refused(record);
    fact("controls", format!("{refused} of {wrong} planted wrong answers were refused"));
    fact("made by", format!("abench {}", record.abench));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// "9 hold, 3 falsified".
pub fn counts(checks: &[Check]) -> String {
    let of = |verdict: Verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let counts = [Verdict::Holds, Verdict::Falsified, Verdict::Inconclusive].map(|verdict| match of(verdict) {
        0 => None,
        number if verdict == Verdict::Holds && number > 1 => Some(format!("{number} hold")),
        number => Some(format!("{number} {verdict}")),
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    if counts.is_empty() { "none made".to_owned() } else { counts.join(", ") }
}

/// What is said with the verdict, and the exit code.
fn ending(record: &Record) -> (String, u8) {
    let code = record.exit;
    let why = match (code, record.expectation.as_ref().map(|expectation| expectation.met)) {
        (exit::INTERRUPTED, _) => ": stopped by the user",
        (exit::INTERNAL, _) => ", but worth nothing: the harness contradicts itself",
        (exit::UNAVAILABLE, _) => ", as far as it went: a backend was unavailable",
        (_, Some(true)) if record.verdict != Verdict::Holds => ", as expected",
        (_, Some(false)) => ", and not all is as expected",
        _ => "",
    };
    let one_world =
        |check: &Check| check.judge == Judge::World && matches!(check.warrant, Some(Warrant::Worlds { drawn: 0 }));
    // A falsification needs no sample.
    let rests_on_one = record.verdict == Verdict::Holds && record.checks.iter().any(one_world);
    let doubt = if rests_on_one { ", one world only: no statistical bound" } else { "" };
    (format!("{doubt}{why}"), code)
}

/// "scalar, simd (evidence software), model (evidence model)".
pub fn on(subjects: &BTreeMap<String, Evidence>) -> String {
    let mut by_evidence: BTreeMap<Evidence, Vec<&str>> = BTreeMap::new();
    for (subject, evidence) in subjects {
        by_evidence.entry(*evidence).or_default().push(subject);
    }
    let groups: Vec<String> =
        by_evidence.iter().map(|(evidence, names)| format!("{} (evidence {evidence})", names.join(", "))).collect();
    groups.join(", ")
}

/// Of the wrong answers that were planted before the run, how many were refused, and all.
pub fn refused(record: &Record) -> (u64, u64) {
    let each = record.controls.iter().map(|control| (control.refused, control.wrong));
    each.fold((0, 0), |(refused, wrong), control| (refused + control.0, wrong + control.1))
}
