//! The facts of a claims ledger: what became of each claim, its weaker form included, and what it rests on.

use crate::report::comparison::facts::{Fact, Kind, Value, numbered};
use crate::report::ledger::{ClaimTrial, Ledger};

/// Whether both put the same claims on trial; if not, what differs.
pub(super) fn same_question(base: &Ledger, new: &Ledger) -> Result<(), String> {
    let differ = |what: &str, base: &str, new: &str| match base == new {
        true => Ok(()),
        false => Err(format!("they are ledgers of other claims: {what} {base} in BASE and {new} in NEW")),
    };
    differ("the claims are from", &base.claims_from, &new.claims_from)?;
    differ("planted is", &base.planted.join(", "), &new.planted.join(", "))
}

/// Why nothing can be said, where that is so.
pub(super) fn inconclusive(base: &Ledger, new: &Ledger) -> Option<String> {
    let ended_early = |ledger: &Ledger, called: &str| match ledger {
        Ledger { interrupted: true, .. } => Some(format!("the trial of {called} was stopped by its user")),
        Ledger { unavailable: Some(reason), .. } => Some(format!("a backend of {called} was unavailable: {reason}")),
        Ledger { contradiction: Some(reason), .. } => Some(format!("the trial of {called} is worth nothing: {reason}")),
        _ => None,
    };
    ended_early(base, "BASE").or_else(|| ended_early(new, "NEW"))
}

/// The facts of a ledger.
pub(super) fn facts(ledger: &Ledger) -> Vec<Fact> {
    let of_claim = |what: &str, trial: &ClaimTrial, is_as_expected: bool| {
        let verdict = Value::Good(is_as_expected, trial.verdict.to_string());
        let warrants = trial.decisions.iter().filter_map(|decision| {
            let warrant = decision.warrant.clone()?;
            let what = format!("{what}: {} in {}", decision.asked, decision.run);
            Some(Fact::new(Kind::Warrant, what, Value::Warrant(warrant)))
        });
        let numbers = trial.decisions.iter().filter_map(|decision| {
            let number = decision.number.as_ref()?;
            let what = format!("{what}: {} in {}", number.what, decision.run);
            Some(Fact::new(Kind::Result, what, Value::Exact(number.shown.clone())))
        });
        let head = Fact::new(Kind::Verdict, what, verdict);
        std::iter::once(head).chain(warrants).chain(numbers).collect::<Vec<_>>()
    };
    let claims = ledger.claims.iter().flat_map(|claim| {
        let mut facts = of_claim(&claim.id, &claim.trial, claim.is_as_expected());
        if let Some(weaker) = &claim.weaker {
            facts.extend(of_claim(&format!("{}, weaker", claim.id), &weaker.trial, claim.is_as_expected()));
        }
        facts
    });
    let mut facts: Vec<Fact> = claims.collect();
    numbered(&mut facts);
    facts
}
