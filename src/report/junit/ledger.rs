//! The ledger of claims as a suite: a case for each claim.

use std::iter;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::{case_of, failed, micros, passed};
use crate::report::inert::for_xml;
use crate::report::ledger::{ClaimEntry, ClaimTrial, ClaimVerdict, Ledger};
use crate::report::seal::Seal;

/// What the suite of a ledger is called.
const NAME: &str = "claims";

/// The suite of a ledger: a claim that did not come out as expected fails, and one that only a board could decide is skipped.
pub fn suite(seal: Seal, ledger: &Ledger) -> TestSuite {
    let mut suite = TestSuite::new(NAME);
    suite.set_time(micros(ledger.timing.total_us));
    let properties = [
        ("abench", ledger.abench.clone()),
        ("claims from", ledger.claims_from.clone()),
        ("planted", ledger.planted.join(", ")),
        ("verdict", ledger.verdict().to_string()),
        ("exit code", ledger.outcome().exit_code().to_string()),
    ];
    if seal != Seal::Intact {
        suite.add_property(Property::new("warning", for_xml(&seal.to_string())));
    }
    suite.add_properties(properties.map(|(name, value)| Property::new(name, for_xml(&value))));
    let cases = ledger.claims.iter().map(of_claim).chain(whole(ledger));
    suite.add_test_cases(cases.map(|case| case_of(NAME, case)));
    suite
}

fn of_claim(claim: &ClaimEntry) -> TestCase {
    let ClaimEntry { id, expected, trial, .. } = claim;
    let told = told(claim);
    if !claim.is_tried() {
        return skipped(id, "not tried: stopped by the user", &told);
    }
    if !claim.is_as_expected() {
        let line = match &claim.weaker {
            Some(weaker) if trial.verdict == *expected => {
                format!("{}, as expected, but its weaker claim is {}", trial.verdict, weaker.trial.verdict)
            }
            _ => format!("{}, but {expected} is expected", trial.verdict),
        };
        return failed(id, NonSuccessKind::Failure, &word(trial.verdict), &line, &told);
    }
    match trial.verdict {
        ClaimVerdict::NoHardware => skipped(id, "no hardware here", &told),
        ClaimVerdict::Holds => passed(id),
        verdict => {
            let mut case = passed(id);
            case.set_system_out(for_xml(&format!("{verdict}, as expected\n\n{told}")));
            case
        }
    }
}

fn word(verdict: ClaimVerdict) -> String {
    verdict.to_string().replace(' ', "-")
}

/// A case that could not be tried here.
fn skipped(name: &str, why: &str, all: &str) -> TestCase {
    let mut status = TestCaseStatus::skipped();
    status.set_type("skipped").set_message(for_xml(why)).set_description(for_xml(all));
    TestCase::new(for_xml(name), status)
}

/// The claim, what decided about it, and how to see it again.
fn told(claim: &ClaimEntry) -> String {
    let ClaimEntry { says, source, refuted_if, trial, weaker, .. } = claim;
    let head = format!("\"{says}\" ({source})\nrefuted if {refuted_if}");
    let weaker = weaker.iter().flat_map(|weaker| {
        iter::once(format!("weaker claim: {} ({})", weaker.says, weaker.trial.verdict)).chain(of_trial(&weaker.trial))
    });
    iter::once(head).chain(of_trial(trial)).chain(weaker).collect::<Vec<_>>().join("\n")
}

fn of_trial(trial: &ClaimTrial) -> impl Iterator<Item = String> {
    let decisive = trial.decisive().map(|decision| {
        let run = if decision.run.is_empty() { String::new() } else { format!("{}: ", decision.run) };
        format!("{}: {run}{}", decision.verdict, decision.found)
    });
    let counterexample = trial.counterexample().map(|found| {
        let size = if found.size.is_empty() { String::new() } else { format!(" ({})", found.size) };
        format!("counterexample: {}{size}\nreplay: {}", found.sentence, found.command)
    });
    decisive.chain(counterexample)
}

/// Whether the trial of all claims came to its end.
fn whole(ledger: &Ledger) -> Vec<TestCase> {
    let ended = "the trial of claims comes to its end";
    let interrupted = ledger.interrupted.then(|| {
        let left: Vec<&str> = ledger.not_tried().map(|claim| claim.id.as_str()).collect();
        format!("stopped by the user; not tried: {}", if left.is_empty() { "-".to_owned() } else { left.join(", ") })
    });
    let wrong = [
        ("interrupted", interrupted),
        ("internal", ledger.contradiction.clone()),
        ("unavailable", ledger.unavailable.clone()),
    ];
    let wrong = wrong.into_iter().filter_map(|(word, why)| Some((word, why?)));
    let cases: Vec<TestCase> =
        wrong.map(|(word, why)| failed(ended, NonSuccessKind::Error, word, &why, &why)).collect();
    if cases.is_empty() { vec![passed(ended)] } else { cases }
}
