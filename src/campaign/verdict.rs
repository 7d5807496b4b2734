//! The verdict of a run, its reason and its exit code: decided here, once, before anything of the run is shown or written.

use crate::campaign::expectation;
use crate::domain::count::counted;
use crate::domain::fault::FaultClass;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::report::record::{Check, ClaimRecord, Part, Record};

/// Decides the verdict of a run and its reason, whether it is as the scenario expects, and the exit code.
pub(super) fn decide(record: &mut Record) {
    let ended = record.ended.clone();
    record.interrupted = ended == Some(SubjectError::Interrupted);
    match &ended {
        Some(SubjectError::Unavailable(reason)) => record.unavailable = Some(reason.clone()),
        Some(SubjectError::Internal(reason)) => record.contradiction = Some(reason.clone()),
        // Of a journal that cannot be used, no record is made.
        Some(SubjectError::Interrupted | SubjectError::Journal(_)) | None => {}
    }
    (record.verdict, record.reason) = of_run(record);
    if let Some(fault) = record.internal_error() {
        record.verdict = Verdict::Inconclusive;
        record.reason = format!("nothing can be judged: {fault}");
    }
    record.expectation = record.asked.expect.as_ref().map(|expect| expectation::judge(expect, record));
    record.exit = record.outcome().exit_code();
}

/// The verdict of what was found, what was planted, and how the run ended.
fn of_run(record: &Record) -> (Verdict, String) {
    let (mut verdict, mut reason) = of_checks(&record.checks, &record.claims);
    if verdict == Verdict::Holds && !record.planted.is_empty() {
        verdict = Verdict::Inconclusive;
        let planted = record.planted.iter().map(|p| format!("planted {}, {}: {}", p.fault, p.outcome, p.reason));
        reason = planted.collect::<Vec<_>>().join("; ");
    }
    let escaped: Vec<String> = record.escaped_mutants().map(|name| format!("planted {name}, escaped")).collect();
    if !escaped.is_empty() {
        let escaped = escaped.join("; ");
        reason = if verdict == Verdict::Holds { escaped } else { format!("{reason}; {escaped}") };
        // What cannot tell a mutant from a sound replica says little about the sound one.
        verdict = Verdict::of_set([verdict, Verdict::Inconclusive]);
    }
    if !record.is_whole() && verdict != Verdict::Falsified {
        return (Verdict::Inconclusive, "the run did not come to its end".to_owned());
    }
    (verdict, reason)
}

/// The verdict of a run, and why. Falsified beats inconclusive beats holds: the run is falsified if any check is, and
/// inconclusive if any check could not tell. A blind check is left to the claims: it compared everything and found nothing
/// wrong, but its right answer is 0, and every claim must be tried by a check that holds.
fn of_checks(checks: &[Check], claims: &[ClaimRecord]) -> (Verdict, String) {
    let names = |wanted: &dyn Fn(&&Check) -> bool| {
        let mut names: Vec<&str> = checks.iter().filter(wanted).map(|check| check.name.as_str()).collect();
        names.dedup();
        names.join(", ")
    };
    let falsified = names(&|check| check.verdict == Verdict::Falsified);
    if !falsified.is_empty() {
        return (Verdict::Falsified, format!("falsified by: {falsified}"));
    }
    if let Some(link) = checks.iter().find(|check| check.part == Part::Link && check.verdict == Verdict::Inconclusive) {
        return (Verdict::Inconclusive, link.summary.clone());
    }
    let doubtful = names(&|check| check.findings.iter().any(|finding| !finding.reproducible));
    if !doubtful.is_empty() {
        return (Verdict::Inconclusive, format!("wrong answers that did not come again: {doubtful}"));
    }
    let could_not_tell = |check: &&Check| check.verdict == Verdict::Inconclusive && !is_blind(check);
    let undecided: Vec<String> =
        checks.iter().filter(could_not_tell).map(|check| format!("{}: {}", check.name, check.summary)).collect();
    let untried: Vec<&ClaimRecord> = claims.iter().filter(|claim| claim.tried_by.is_empty()).collect();
    match (untried.is_empty(), claims.is_empty()) {
        (_, true) => (Verdict::Inconclusive, "there is nothing in it that could have been wrong".to_owned()),
        // The claims name the change that would help, where there is one.
        (true, _) if !undecided.is_empty() => {
            (Verdict::Inconclusive, format!("could not tell: {}", undecided.join("; ")))
        }
        (false, _) => (Verdict::Inconclusive, untested(&untried)),
        (true, _) => (Verdict::Holds, format!("Every claimed fault class was tested; {}.", passed(checks))),
    }
}

/// "all checks passed", or how many did and which can tell nothing, of a run without a failed check.
fn passed(checks: &[Check]) -> String {
    let mut blind: Vec<&str> = checks.iter().filter(|check| is_blind(check)).map(|check| check.name.as_str()).collect();
    blind.dedup();
    match blind.split_last() {
        None => "all checks passed".to_owned(),
        Some((last, others)) => {
            let holds = checks.iter().filter(|check| check.verdict == Verdict::Holds).count();
            let others = if others.is_empty() { String::new() } else { format!("{} and ", others.join(", ")) };
            format!("{} passed, and {others}{last} can tell nothing", counted(holds, "check"))
        }
    }
}

/// The claims that no check tried, and the change that would have each of them tried.
fn untested(claims: &[&ClaimRecord]) -> String {
    let mut by_remedy: Vec<(&str, Vec<String>)> = Vec::new();
    for claim in claims {
        let (remedy, class) = (remedy(claim.class), claim.class.to_string());
        match by_remedy.iter_mut().find(|(other, _)| *other == remedy) {
            Some((_, classes)) if classes.contains(&class) => {}
            Some((_, classes)) => classes.push(class),
            None => by_remedy.push((remedy, vec![class])),
        }
    }
    let advice: Vec<String> = match &by_remedy[..] {
        [(remedy, _)] => vec![capitalised(remedy)],
        several => several.iter().map(|(remedy, classes)| format!("For {}: {remedy}", classes.join(", "))).collect(),
    };
    let names: Vec<String> = claims.iter().map(|claim| format!("{} ({})", claim.class, claim.of)).collect();
    format!("Claimed but untested: {}. {}", names.join(", "), advice.join(". "))
}

fn capitalised(words: &str) -> String {
    let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

/// Whether a check is inconclusive although every comparison that it made came out right: the right answer told nothing.
fn is_blind(check: &Check) -> bool {
    let all_hold = check.oracles.values().all(|&verdict| verdict == Verdict::Holds);
    check.verdict == Verdict::Inconclusive && !check.oracles.is_empty() && all_hold
}

/// The change to a scenario that would have a kind of fault tried.
fn remedy(class: FaultClass) -> &'static str {
    match class {
        FaultClass::DeadBanks => "add the check short-sweep, which sees every set of them for every SEED",
        FaultClass::LostDelta | FaultClass::FlippedResultBits | FaultClass::WrongCycles => {
            "add the check short-sweep, or take a COUNT that is no multiple of 4"
        }
        FaultClass::WrongAccumulation => "add the check accumulation and a software backend",
        FaultClass::WrongOperator | FaultClass::PipelineHazard => "add the check adapter-round-trips",
        FaultClass::OrderDependence => "have at least two deltas that are not all 0 arrive in at least two orders",
        FaultClass::StaleRead | FaultClass::LostHighWord | FaultClass::WrongContext => {
            "add the check adapter-round-trips"
        }
        FaultClass::LeftFromBefore => "add the check as-a-client",
        FaultClass::WrongRegister | FaultClass::WrongAnswer => "add the check conformance",
        FaultClass::WrongMessage => "add the check sync-tick",
        FaultClass::RepeatedDelivery => "have deltas delivered again, with repeats = 2 or more",
        FaultClass::FalseLaw => "claim no law that is falsified",
        FaultClass::LostEdit => "put an engine on trial that loses none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::evidence::Evidence;
    use crate::domain::finding::{Finding, Quantity};
    use crate::domain::hex::Hex64;
    use crate::domain::judge::Judge;
    use crate::domain::oracle::OracleId;
    use crate::experiment::claims::claim;

    /// A check that holds and tries stale reads.
    fn round_trips() -> Check {
        Check {
            name: "round trips".to_owned(),
            part: Part::Adapter,
            judge: Judge::RoundTrips,
            subjects: Default::default(),
            verdict: Verdict::Holds,
            summary: String::new(),
            oracles: Default::default(),
            warrant: None,
            orders: None,
            tries: vec![FaultClass::StaleRead],
            findings: Vec::new(),
        }
    }

    #[test]
    fn a_check_that_could_not_tell_leaves_the_run_inconclusive_unless_it_is_blind() {
        let oracles = |verdict| [(OracleId::Truth, verdict)].into();
        let sound = round_trips();
        let claims = [claim(FaultClass::StaleRead, "model", std::slice::from_ref(&sound), &|_| true)];
        let beside = |other: Check| of_checks(&[round_trips(), other], &claims);
        let name = "a walk".to_owned();
        let stopped = Check {
            name,
            verdict: Verdict::Inconclusive,
            summary: "too many states".to_owned(),
            oracles: oracles(Verdict::Inconclusive),
            ..round_trips()
        };
        let told = (Verdict::Inconclusive, "could not tell: a walk: too many states".to_owned());
        assert_eq!(beside(stopped.clone()), told);
        // All that it compared was right, and the right answer told nothing: the others have to try what is claimed.
        let blind = Check { oracles: oracles(Verdict::Holds), ..stopped.clone() };
        let passed = "Every claimed fault class was tested; 1 check passed, and a walk can tell nothing.";
        assert_eq!(beside(blind.clone()), (Verdict::Holds, passed.to_owned()));
        let another = Check { name: "a tick".to_owned(), ..blind.clone() };
        let told = of_checks(&[round_trips(), another, blind], &claims).1;
        assert!(told.ends_with("; 1 check passed, and a tick and a walk can tell nothing."), "{told}");
        let wrong = Check { verdict: Verdict::Falsified, ..round_trips() };
        assert_eq!(of_checks(&[sound, stopped, wrong], &claims).0, Verdict::Falsified);
    }

    #[test]
    fn claims_that_no_check_tried_are_named_with_the_change_that_would_try_them() {
        let sound = round_trips();
        let of = |class| claim(class, "model", std::slice::from_ref(&sound), &|_| true);
        let told = |classes: &[FaultClass]| {
            let claims: Vec<ClaimRecord> = classes.iter().map(|&class| of(class)).collect();
            let (verdict, reason) = of_checks(std::slice::from_ref(&sound), &claims);
            assert_eq!(verdict, Verdict::Inconclusive);
            reason
        };
        assert_eq!(
            told(&[FaultClass::StaleRead, FaultClass::DeadBanks]),
            "Claimed but untested: dead banks (model). Add the check short-sweep, which sees every set of them for every \
             SEED"
        );
        assert_eq!(
            told(&[FaultClass::WrongRegister, FaultClass::LeftFromBefore, FaultClass::WrongAnswer]),
            "Claimed but untested: wrong register (model), state left by the run before (model), wrong answer of a \
             command (model). For wrong register, wrong answer of a command: add the check conformance. For state left \
             by the run before: add the check as-a-client"
        );
    }

    #[test]
    fn a_wrong_answer_that_did_not_come_again_is_no_pass_whatever_the_check_says() {
        let finding = Finding {
            subject: "model".to_owned(),
            evidence: Evidence::Model,
            during: String::new(),
            quantity: Quantity::State,
            expected: Hex64(1),
            got: Hex64(2),
            reproducible: false,
            oracle: OracleId::Truth,
            case: String::new(),
            size: String::new(),
        };
        let check = round_trips();
        let claims = [claim(FaultClass::StaleRead, "model", std::slice::from_ref(&check), &|_| true)];
        assert_eq!(of_checks(std::slice::from_ref(&check), &claims).0, Verdict::Holds);
        let doubtful = Check { findings: vec![finding], ..check };
        let told = (Verdict::Inconclusive, "wrong answers that did not come again: round trips".to_owned());
        assert_eq!(of_checks(&[doubtful], &claims), told);
    }
}
