//! Judgements of worlds, one file each: they see the ledger of the users and what replicas show. Durability also asks which
//! ids a replica holds, and progress what it has left to send; truth and counting ask no replica.

pub mod convergence;
pub mod durability;
pub mod exactly_once;
pub mod metadata;
pub mod missing;
pub mod progress;
pub mod truth;

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::domain::verdict::Verdict;

/// What a judge says of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Its verdict.
    pub verdict: Verdict,
    /// Why, a sentence without its full stop.
    pub sentence: String,
}

impl Judgement {
    fn of(holds: bool, sentence: String) -> Self {
        Judgement { verdict: if holds { Verdict::Holds } else { Verdict::Falsified }, sentence }
    }
}

/// What every judge says of a world, by its name. Of one that was cut off before faults were over none can tell anything:
/// not all was edited, and replicas had no chance to agree.
pub fn judgements(history: &History) -> impl Iterator<Item = (&'static str, Judgement)> {
    JUDGES.iter().map(|&(name, judge)| match history.cut_off_after {
        None => (name, judge(history)),
        Some(deliveries) => {
            let sentence = format!("cut off after {}, before faults were over", counted(deliveries, "delivery"));
            (name, Judgement { verdict: Verdict::Inconclusive, sentence })
        }
    })
}

/// A judge.
pub type Judge = fn(&History) -> Judgement;

/// All judges, by name.
pub const JUDGES: &[(&str, Judge)] = &[
    ("convergence", convergence::judge),
    ("truth", truth::judge),
    ("durability", durability::judge),
    ("exactly once", exactly_once::judge),
    ("progress", progress::judge),
    ("metadata", metadata::judge),
];
