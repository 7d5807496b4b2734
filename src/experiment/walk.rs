//! What a walk over every delivered set came to, as parts of a check and of the record.
//!
//! Knows: outcomes of walks, and the record. Must not: walk, or know what was walked over.

use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::hex::Hex64;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::{Verdict, Warrant};
use crate::explore::exhaustive::{Disagreement, Judgement, Outcome, Plan, Schedules, Unsettled, Way};
use crate::report::record::{Check, WalkRecord, WayRecord};

/// A check of every delivered set, what it covered, and why it ended early, where it did.
pub struct Walked {
    /// The check.
    pub check: Check,
    /// What it covered.
    pub walk: WalkRecord,
    /// Why it ended early.
    pub ended: Option<SubjectError>,
}

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
    let (merges, sets) = (counted(coverage.merges, "merge"), counted(coverage.sets, "delivered set"));
    let walked = format!("{merges} over {sets}");
    match &outcome.judgement {
        Judgement::Agree => format!("{}: all ways agree; {walked}", plan.describe()),
        Judgement::Disagree(Disagreement { deltas, smallest, .. }) => {
            let size = counted(deltas.len(), "delta");
            let none = if *smallest { "; no fewer do" } else { "" };
            format!("{}: two ways to deliver {size} disagree{none}; {walked}", plan.describe())
        }
        Judgement::Inconclusive(Unsettled::Stopped) => {
            format!(
                "{}: stopped by the user; of up to {} all ways agree; {walked}",
                plan.describe(),
                counted(coverage.settled, "delta")
            )
        }
        Judgement::Inconclusive(Unsettled::Miscounted) => format!(
            "{}: the walk made {walked}, and there are {} over {}; it left some out, and proves nothing: a fault of abench, \
             please report it",
            plan.describe(),
            counted(plan.merges(), "merge"),
            counted(plan.sets(), "delivered set")
        ),
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
            format!("{}; of fewer, all orders and repeats agree", counted(deltas, "different delta"))
        }
        (true, _) => format!("{}; of fewer, all orders agree", counted(deltas, "delta")),
        (false, _) => format!("{}; not proved minimal", counted(deltas, "delta")),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::exhaustive::{Comparison, Coverage};
    use num_bigint::BigUint;

    #[test]
    fn a_disagreement_is_called_the_smallest_only_where_it_is_proved_to_be() {
        let way = |deliveries: Vec<u32>, shown| Way { deliveries, shown: vec![shown] };
        let coverage = Coverage {
            merges: 9,
            sets: 1,
            snapshots: 1,
            settled: 1,
            orders: BigUint::ZERO,
            of_orders: BigUint::from(6u32),
        };
        let said = |smallest| {
            let (first, second) = (way(vec![0, 1], 1), way(vec![1, 0], 2));
            let judgement = Judgement::Disagree(Disagreement { deltas: vec![0, 1], first, second, smallest });
            let outcome = Outcome { judgement, coverage: coverage.clone(), comparison: Comparison::Whole };
            let plan = Plan::every_order(3);
            (summary(&plan, &outcome), size(&plan, 2, smallest), warrant(&plan, &outcome))
        };
        let walked = "9 merges over 1 delivered set";
        let disagree = "every order of 3 deltas: two ways to deliver 2 deltas disagree";
        assert_eq!(
            said(true),
            (format!("{disagree}; no fewer do; {walked}"), "2 deltas; of fewer, all orders agree".to_owned(), None)
        );
        assert_eq!(said(false), (format!("{disagree}; {walked}"), "2 deltas; not proved minimal".to_owned(), None));
    }
}
