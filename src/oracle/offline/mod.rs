//! Judgements of worlds, one file each: they see the ledger of the users and what replicas show. Durability also asks which
//! ids a replica holds, and progress what it has left to send; truth and counting ask no replica.

pub mod convergence;
pub mod durability;
pub mod exactly_once;
pub mod faults;
pub mod metadata;
pub mod missing;
pub mod of_tags;
pub mod progress;
pub mod truth;

use crate::domain::count::counted;
use crate::domain::history::{CutOff, History};
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

/// What every judge says of a world, by its name. Of one that was cut off before its replicas had a chance to agree none can
/// tell anything.
pub fn judgements(history: &History) -> impl Iterator<Item = (&'static str, Judgement)> {
    JUDGES.iter().map(|&(name, judge)| match history.cut_off {
        None => (name, judge(history)),
        Some(why) => (name, Judgement { verdict: Verdict::Inconclusive, sentence: cut_off(history, why) }),
    })
}

fn cut_off(history: &History, why: CutOff) -> String {
    match why {
        CutOff::BeforeFaultsEnded(deliveries) => {
            format!("cut off after {}, before faults were over", counted(deliveries, "message"))
        }
        CutOff::WhileWaiting(next) => format!(
            "cut off while {} waited to be sent: the next attempt was to come {} s after faults were over, and the bound is \
             {} s; give a longer settle_s",
            counted(history.backlog, "change"),
            next / 1_000_000,
            history.settle_bound / 1_000_000
        ),
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
    ("faults", faults::judge),
];
