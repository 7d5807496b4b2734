//! Judgements of worlds, one file each: they see the ledger of the users and what replicas show. Durability also asks which
//! ids a replica holds, and progress what it has left to send; truth and counting ask no replica.

pub mod convergence;
pub mod durability;
pub mod exactly_once;
pub mod faults;
pub mod load;
pub mod metadata;
pub mod missing;
pub mod monotonic;
pub mod overspending;
pub mod progress;
pub mod running;
pub mod specified;
pub mod staleness_bound;
pub mod truth;
pub mod whole_records;

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

/// What every judge that has something to judge says of a world, by its name. A judge of the end can tell nothing of a world
/// that was cut off before its replicas had a chance to agree. What was seen while the world ran stands all the same.
pub fn judgements(history: &History) -> impl Iterator<Item = (&'static str, Judgement)> {
    let of_the_end = JUDGES.iter().map(|&(name, judge)| match history.cut_off {
        None => (name, judge(history)),
        Some(why) => (name, Judgement { verdict: Verdict::Inconclusive, sentence: cut_off(history, why) }),
    });
    of_the_end.chain(JUDGES_OVER_TIME.iter().filter_map(|&(name, judge)| Some((name, judge(history)?))))
}

/// The names of all judges.
pub fn names() -> impl Iterator<Item = &'static str> {
    JUDGES.iter().map(|&(name, _)| name).chain(JUDGES_OVER_TIME.iter().map(|&(name, _)| name))
}

/// What each judge of worlds asks, in a line, by its name.
pub const ABOUT: &[(&str, &str)] = &[
    ("convergence", "whether all replicas show the same at the end"),
    ("truth", "whether they show what the users did"),
    ("durability", "whether no crash lost what was shown as accepted or acknowledged"),
    ("exactly once", "whether every edit counts exactly once"),
    ("progress", "whether all is sent, and the replicas fall silent, in time after the last fault"),
    ("metadata", "whether ids and acknowledgements do not grow with history, where the engine claims that"),
    ("faults", "whether every fault that the scenario asks for took effect"),
    ("monotonic", "whether no replica stops showing an edit, unless its store was lost"),
    ("running", "whether an engine that others made keeps running, and answers as its port demands"),
    ("staleness bound", "whether edits reach the others within staleness_s"),
    ("load", "whether the hub gets no more in a second than the scenario allows"),
    ("overspending", "whether no more units of a stock are taken than were supplied"),
    ("whole records", "whether a record is shown with all its fields, or not at all"),
];

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
        CutOff::EngineFailed => "the world ended when the engine failed".to_owned(),
    }
}

/// A judge of what a world came to.
pub type Judge = fn(&History) -> Judgement;

/// A judge of what was seen while a world ran; nothing where the scenario asks for no such thing.
pub type JudgeOverTime = fn(&History) -> Option<Judgement>;

/// All judges of what was seen while a world ran, by name.
pub const JUDGES_OVER_TIME: &[(&str, JudgeOverTime)] = &[
    ("monotonic", monotonic::judge),
    ("running", running::judge),
    ("staleness bound", staleness_bound::judge),
    ("load", load::judge),
    ("overspending", overspending::judge),
    ("whole records", whole_records::judge),
];

/// All judges of what a world came to, by name.
pub const JUDGES: &[(&str, Judge)] = &[
    ("convergence", convergence::judge),
    ("truth", truth::judge),
    ("durability", durability::judge),
    ("exactly once", exactly_once::judge),
    ("progress", progress::judge),
    ("metadata", metadata::judge),
    ("faults", faults::judge),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_judge_of_worlds_says_what_it_asks() {
        assert!(ABOUT.iter().map(|(name, _)| *name).eq(names()));
    }
}
