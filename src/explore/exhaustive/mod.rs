//! Every order: a walk over the lattice of delivered sets.
//!
//! If every way to reach a set of deltas gives the same snapshot, all orders through that set agree, and the sets one
//! delta larger need to be tried from that one snapshot only: `n * 2^(n-1)` deliveries stand for all `n!` orders. That
//! rests on a snapshot holding all state ([`crate::domain::replica`]).
//!
//! Two fast walks look for the smallest set that two ways reach in different snapshots: `blocks` for small states, in
//! memory that does not grow with the number of sets, and `digests` for large ones. Where none is found, the orders
//! agree. Where one is found and shows a difference, it is the smallest counterexample. Where snapshots differ but show
//! the same (a journal keeps its order), and for schedules of other kinds, `classes` follows all snapshots level by
//! level while they fit the budget.
//!
//! Knows: the replica and which deliveries lead where. Must not: know what a merge does, print, or read a clock.

mod blocks;
mod classes;
mod digests;
mod every_set;
mod plan;
mod planted;
mod scan;
mod share;
pub(super) mod subsets;

use num_bigint::BigUint;

pub use every_set::{Beside, every_set};
pub use plan::{Comparison, Cost, Limits, MOST_REPEATS, Plan, Refused, Schedules};
pub use planted::{FAULTS, Fault, explore_with};

use crate::domain::replica::Replica;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use classes::{End, Followed};
use scan::{Mismatch, Scan, ascending};

/// What a walk came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The judgement.
    pub judgement: Judgement,
    /// What it rests on.
    pub coverage: Coverage,
    /// How snapshots were told apart. The assumption of a hash is part of what a proof rests on.
    pub comparison: Comparison,
}

/// Whether all ways agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// All orders of the plan, and all ways to every set of deltas on the way, show the same. Proved.
    Agree,
    /// They do not.
    Disagree(Disagreement),
    /// The walk ended early.
    Inconclusive(Unsettled),
}

/// Why a walk proves nothing about larger sets than it settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// It was asked to stop.
    Stopped,
    /// It came to its end, and what it counted on the way is not what the plan has: a fault of the walk.
    Miscounted,
    /// States that differ, but show the same, became too many for the limits among the sets of so many deltas.
    Classes {
        /// How many deltas.
        deltas: u32,
    },
}

/// Two sequences that deliver the same deltas and end in different states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The deltas, ascending; with repeats, each once.
    pub deltas: Vec<u32>,
    /// One way.
    pub first: Way,
    /// The other.
    pub second: Way,
    /// Whether it is proved that all ways to deliver any fewer deltas of the plan agree.
    pub smallest: bool,
}

/// A delivery sequence and what the state after it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The deltas by index, first delivery first.
    pub deliveries: Vec<u32>,
    /// The shown state, byte for byte.
    pub shown: Vec<u8>,
}

/// How far a walk came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Deliveries that the judgement rests on; those that only recompute a state do not count. After a disagreement: the
    /// ways into the sets of fewer deltas, and into the one that disagrees.
    pub merges: u64,
    /// Sets (vectors of prefixes, multisets) of deltas whose every way was tried; likewise.
    pub sets: u64,
    /// Different snapshots of these sets. As many as sets, unless a history can be seen in a snapshot.
    pub snapshots: u64,
    /// All ways to deliver up to so many different deltas (with sources: so many deltas) were tried and agree.
    pub settled: u32,
    /// How many complete orders are proved to agree: all of the plan, or none.
    pub orders: BigUint,
    /// How many the plan has.
    pub of_orders: BigUint,
}

impl Outcome {
    /// Holds, falsified or inconclusive.
    pub fn verdict(&self) -> Verdict {
        match self.judgement {
            Judgement::Agree => Verdict::Holds,
            Judgement::Disagree(_) => Verdict::Falsified,
            Judgement::Inconclusive(_) => Verdict::Inconclusive,
        }
    }

    /// What the judgement takes for granted, as sentences. A disagreement itself takes nothing for granted, since both of
    /// its sequences were replayed from the start; that no smaller one exists does.
    pub fn assumptions(&self) -> Vec<String> {
        let mut assumptions = vec!["A snapshot holds all of the subject's state.".to_owned()];
        if self.comparison == Comparison::Digest128 {
            assumptions.push(format!(
                "Snapshots were compared by 128-bit SipHash-2-4, as if by a random function: the probability that any \
                 difference was missed is at most {} / 2^128.",
                self.coverage.merges
            ));
        }
        assumptions
    }
}

/// Walks over all that the plan delivers to the replica, telling snapshots apart in the way that fits them.
pub fn explore<R: Replica>(
    replica: &R,
    plan: &Plan,
    limits: &Limits,
    watch: &mut dyn Watch,
) -> Result<Outcome, Refused> {
    explore_comparing(replica, plan, Comparison::fitting::<R>(), limits, watch)
}

/// The same, telling snapshots apart as asked.
pub fn explore_comparing<R: Replica>(
    replica: &R,
    plan: &Plan,
    comparison: Comparison,
    limits: &Limits,
    watch: &mut dyn Watch,
) -> Result<Outcome, Refused> {
    plan.admit(replica, comparison, limits)?;
    let Schedules::EveryOrder { deltas } = plan.schedules else {
        return Ok(followed(replica, plan, limits, watch));
    };
    let scan = match comparison {
        Comparison::Whole => blocks::scan(replica, deltas, limits.threads, watch),
        Comparison::Digest128 => digests::scan(replica, deltas, limits.threads, watch),
    };
    Ok(concluded(replica, plan, comparison, scan, limits, watch))
}

/// What a scan of every order comes to.
fn concluded<R: Replica>(
    replica: &R,
    plan: &Plan,
    comparison: Comparison,
    scan: Scan,
    limits: &Limits,
    watch: &mut dyn Watch,
) -> Outcome {
    let Schedules::EveryOrder { deltas } = plan.schedules else { unreachable!("other schedules are followed") };
    let Some(mismatch) = scan.least else {
        let whole = scan.settled == Some(deltas) && plan.is_counted_by(scan.merges, scan.sets);
        let judgement = match (scan.complete, whole) {
            (true, true) => Judgement::Agree,
            (true, false) => Judgement::Inconclusive(Unsettled::Miscounted),
            (false, _) => Judgement::Inconclusive(Unsettled::Stopped),
        };
        return outcome(plan, judgement, &scan, comparison);
    };
    let path = |set| match comparison {
        Comparison::Whole => blocks::path(replica, deltas, set),
        Comparison::Digest128 => ascending(set),
    };
    let first = path(mismatch.set);
    let mut second = path(mismatch.set & !(1 << mismatch.last));
    second.push(mismatch.last);
    let [first, second] = [first, second].map(|deliveries| replayed(replica, deliveries));
    if first.shown != second.shown {
        let smallest = scan.settled.is_some_and(|settled| settled + 1 >= mismatch.size);
        let deltas = ascending(mismatch.set);
        let judgement = Judgement::Disagree(Disagreement { deltas, first, second, smallest });
        return outcome(plan, judgement, &up_to(plan, &mismatch, scan), comparison);
    }
    if !scan.complete {
        let stopped = Judgement::Inconclusive(Unsettled::Stopped);
        return outcome(plan, stopped, &up_to(plan, &mismatch, scan), comparison);
    }
    if plan.admit_classes(replica, limits) {
        return followed(replica, plan, limits, watch);
    }
    let judgement = Judgement::Inconclusive(Unsettled::Classes { deltas: mismatch.size });
    outcome(plan, judgement, &up_to(plan, &mismatch, scan), comparison)
}

/// What was scanned, no further than whole sizes smaller than the mismatch: beyond, sets were left out that cannot hold a
/// smaller one, and which depends on the threads.
fn up_to(plan: &Plan, mismatch: &Mismatch, scan: Scan) -> Scan {
    let Schedules::EveryOrder { deltas } = plan.schedules else { return scan };
    let settled = scan.settled.unwrap_or(0).min(mismatch.size - 1);
    let of_size = |size| subsets::binomial(deltas, size);
    Scan {
        merges: (0..=settled).map(|size| u64::from(size) * of_size(size)).sum::<u64>() + u64::from(mismatch.size),
        sets: (0..=settled).map(of_size).sum::<u64>() + 1,
        settled: Some(settled),
        ..scan
    }
}

fn outcome(plan: &Plan, judgement: Judgement, scan: &Scan, comparison: Comparison) -> Outcome {
    let coverage = coverage(plan, &judgement, scan.merges, scan.sets, scan.sets, scan.settled);
    Outcome { judgement, coverage, comparison }
}

fn coverage(
    plan: &Plan,
    judgement: &Judgement,
    merges: u64,
    sets: u64,
    snapshots: u64,
    settled: Option<u32>,
) -> Coverage {
    let of_orders = plan.orders();
    let orders = if *judgement == Judgement::Agree { of_orders.clone() } else { BigUint::ZERO };
    Coverage { merges, sets, snapshots, settled: settled.unwrap_or(0), orders, of_orders }
}

/// The walk that follows classes, as an outcome.
fn followed<R: Replica>(replica: &R, plan: &Plan, limits: &Limits, watch: &mut dyn Watch) -> Outcome {
    let Followed { end, merges, sets, classes, settled } = classes::follow(replica, plan, limits, watch);
    // With one class a set, every way is one delivery; with more, it is one from each class.
    let one_class_each = classes == sets;
    let whole = plan.is_counted_by(merges, sets) || (!one_class_each && plan.is_passed_by(merges, sets));
    let judgement = match end {
        End::Agree if whole => Judgement::Agree,
        End::Agree => Judgement::Inconclusive(Unsettled::Miscounted),
        End::Stopped => Judgement::Inconclusive(Unsettled::Stopped),
        End::Full(deltas) => Judgement::Inconclusive(Unsettled::Classes { deltas }),
        End::Differ(ways) => {
            let [first, second] = ways.map(|deliveries| replayed(replica, deliveries));
            let mut deltas = first.deliveries.clone();
            deltas.sort_unstable();
            if matches!(plan.schedules, Schedules::Repeated { .. }) {
                deltas.dedup();
            }
            Judgement::Disagree(Disagreement { deltas, first, second, smallest: true })
        }
    };
    let coverage = coverage(plan, &judgement, merges, sets, classes, settled);
    Outcome { judgement, coverage, comparison: Comparison::Whole }
}

/// Delivers a sequence from the start.
fn replayed<R: Replica>(replica: &R, deliveries: Vec<u32>) -> Way {
    let end = deliveries.iter().fold(replica.start(), |state, &delta| replica.deliver(&state, delta as usize));
    Way { shown: replica.show(&end), deliveries }
}
