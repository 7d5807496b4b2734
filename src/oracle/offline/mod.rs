//! Judgements of worlds, one file each: they see the ledger of the users and what replicas show. Durability also asks which
//! ids a replica holds, and progress what it has left to send; truth and counting ask no replica.

pub mod convergence;
pub mod durability;
pub mod exactly_once;
pub mod metadata;
pub mod missing;
pub mod progress;
pub mod truth;

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
