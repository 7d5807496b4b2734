//! The verdict of a run, why it is what it is, and what it rests on.

use std::collections::BTreeMap;

use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::verdict::Verdict;
use crate::report::document::Judgement;
use crate::report::first_screen::ending;
use crate::report::record::{Check, Record};
use crate::report::text::on;

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

/// The words as a sentence, with a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let Some(first) = characters.next() else { return String::new() };
    let stop = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    first.to_uppercase().chain(characters).chain(stop.chars()).collect()
}

/// What the checks that hold rest on, those with the same ground together.
fn warrants(checks: &[Check]) -> Vec<String> {
    let mut grounds: Vec<(String, Vec<&str>)> = Vec::new();
    for check in checks.iter().filter(|check| check.verdict == Verdict::Holds) {
        let Some(warrant) = &check.warrant else { continue };
        let warrant = warrant.to_string();
        match grounds.iter_mut().find(|(ground, _)| *ground == warrant) {
            Some((_, names)) => names.push(&check.name),
            None => grounds.push((warrant, vec![&check.name])),
        }
    }
    grounds.into_iter().map(|(ground, names)| format!("{}: {ground}.", names.join(", "))).collect()
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
    let (refused, wrong) = record
        .controls
        .iter()
        .fold((0, 0), |(refused, wrong), control| (refused + control.refused, wrong + control.wrong));
    fact("controls", format!("{refused} of {wrong} planted wrong answers were refused"));
    fact("made by", format!("abench {}", record.abench));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// "9 holds, 3 falsified".
pub fn counts(checks: &[Check]) -> String {
    let counts = [Verdict::Holds, Verdict::Falsified, Verdict::Inconclusive].map(|verdict| {
        let number = checks.iter().filter(|check| check.verdict == verdict).count();
        (number > 0).then(|| format!("{number} {verdict}"))
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    if counts.is_empty() { "none made".to_owned() } else { counts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_sentence() {
        assert_eq!(["", "falsified by: x", "Done."].map(sentence), ["", "Falsified by: x.", "Done."]);
    }
}
