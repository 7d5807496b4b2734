//! What a walk over every delivered set came to, as parts of a check and of the record.

use crate::domain::evidence::Evidence;
use crate::domain::hex::Hex64;
use crate::domain::verdict::{Verdict, Warrant};
use crate::explore::exhaustive::{Disagreement, Judgement, Outcome, Plan, Schedules, Unsettled, Way};
use crate::report::record::{WalkRecord, WayRecord};

/// What all ways agreeing is worth, where they do.
pub fn warrant(plan: &Plan, outcome: &Outcome) -> Option<Warrant> {
    (outcome.verdict() == Verdict::Holds).then(|| Warrant::Walked {
        schedules: outcome.coverage.of_orders.to_string(),
        of: plan.describe(),
        assumptions: outcome.assumptions(),
    })
}

/// What was walked over and what came of it, in a sentence without its full stop.
pub fn summary(plan: &Plan, outcome: &Outcome) -> String {
    let coverage = &outcome.coverage;
    let walked = format!("{} merges over {} delivered sets", coverage.merges, coverage.sets);
    match &outcome.judgement {
        Judgement::Agree => format!("{}: all ways agree; {walked}", plan.describe()),
        Judgement::Disagree(Disagreement { deltas, smallest, .. }) => {
            let size = deltas.len();
            let none = if *smallest { "; no fewer do" } else { "" };
            format!("{}: two ways to deliver {size} deltas disagree{none}; {walked}", plan.describe())
        }
        Judgement::Inconclusive(Unsettled::Stopped) => {
            format!(
                "{}: stopped by the user; of up to {} deltas all ways agree; {walked}",
                plan.describe(),
                coverage.settled
            )
        }
        Judgement::Inconclusive(Unsettled::Classes { deltas }) => format!(
            "{}: states that differ and show the same became too many at {deltas} deltas; of up to {} all ways agree; \
             {walked}",
            plan.describe(),
            coverage.settled
        ),
    }
}

/// How small a disagreement of so many deltas is, in words.
pub fn size(plan: &Plan, deltas: usize, smallest: bool) -> String {
    match (smallest, &plan.schedules) {
        (true, Schedules::Repeated { .. }) => {
            format!("{deltas} different deltas; of fewer, all orders and repeats agree")
        }
        (true, _) => format!("{deltas} deltas; of fewer, all orders agree"),
        (false, _) => format!("{deltas} deltas; not proved minimal"),
    }
}

/// The walk, as the record keeps it.
pub fn record(name: String, evidence: Evidence, plan: &Plan, deltas: &[u64], outcome: &Outcome) -> WalkRecord {
    let coverage = &outcome.coverage;
    let way = |way: &Way| WayRecord {
        deltas: way.deliveries.iter().map(|&delta| (delta, Hex64(deltas[delta as usize]))).collect(),
        state: Hex64(word(&way.shown)),
    };
    WalkRecord {
        check: name,
        evidence,
        schedules: plan.describe(),
        proved: coverage.orders.to_string(),
        of: coverage.of_orders.to_string(),
        merges: coverage.merges,
        sets: coverage.sets,
        snapshots: coverage.snapshots,
        settled: coverage.settled,
        assumptions: outcome.assumptions(),
        ways: match &outcome.judgement {
            Judgement::Disagree(Disagreement { first, second, .. }) => vec![way(first), way(second)],
            _ => Vec::new(),
        },
    }
}

/// A shown state as the word that it is, most significant byte first.
pub fn word(shown: &[u8]) -> u64 {
    shown.iter().fold(0, |word, &byte| word << 8 | u64::from(byte))
}
