//! Which schedules a walk covers, how many there are, and what the walk costs.

use std::num::NonZeroUsize;

use num_bigint::BigUint;

use super::{blocks, classes, digests};
use crate::domain::count::counted;
use crate::domain::replica::Replica;

/// Which delivery sequences are allowed. Deltas are named by their index in the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedules {
    /// The deltas `0..deltas`, each once, in any order: `deltas!` of them.
    EveryOrder {
        /// How many deltas.
        deltas: u32,
    },
    /// Each source delivers its queue from the front, and the sources interleave in any way: a multinomial coefficient
    /// of them. A delta that is in a queue twice is delivered twice.
    PerSource {
        /// The deltas of each source, first delivery first.
        queues: Vec<Vec<u32>>,
    },
    /// The deltas `0..deltas`, each at least once and at most `times` times, in any order. What is shown must depend on
    /// *which* deltas were delivered, and neither on their order nor on how often each was.
    Repeated {
        /// How many deltas.
        deltas: u32,
        /// How often each is delivered at most; 1 to 15.
        times: u32,
    },
}

/// What a walk is asked.
///
/// The claim on trial is the same for all schedules: whatever has been delivered at any moment, what is shown then does
/// not depend on the way there. A replica can be looked at after any delivery, so prefixes of schedules are on trial too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The schedules that are covered.
    pub schedules: Schedules,
    /// Whether any delivery may also be lost. Sequences that deliver the same deltas are compared with each other, and
    /// with no others: nothing is claimed of what a loss itself does to the state.
    pub losses: bool,
}

/// What a walk may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes for states, digests and the record of ways, all threads together.
    pub memory: u64,
    /// Deliveries, those that only recompute a state included.
    pub deliveries: u64,
    /// How many threads work, the calling one included. It changes no result.
    pub threads: NonZeroUsize,
}

/// How snapshots are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// As they are.
    Whole,
    /// By a 128-bit hash, SipHash-2-4 (Aumasson and Bernstein, INDOCRYPT 2012) under a fixed key. For a hash that cannot
    /// be told from a random function, `m` comparisons miss a difference with a probability of at most `m / 2^128`.
    Digest128,
}

impl Comparison {
    /// Whole for small plain words, by hash for what is large or owns memory elsewhere.
    pub fn fitting<R: Replica>() -> Self {
        if std::mem::needs_drop::<R::Snapshot>() || size_of::<R::Snapshot>() > 64 {
            Comparison::Digest128
        } else {
            Comparison::Whole
        }
    }
}

/// What a walk costs if every way to deliver the same deltas gives one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Deliveries that reach a set of deltas in a new way; the walk makes each once.
    pub merges: BigUint,
    /// Deliveries that only recompute a state.
    pub recomputed: BigUint,
    /// Bytes for states, digests and the record of ways.
    pub memory: BigUint,
}

impl Cost {
    /// All deliveries.
    pub fn deliveries(&self) -> BigUint {
        &self.merges + &self.recomputed
    }

    fn fits(&self, limits: &Limits) -> bool {
        self.deliveries() <= BigUint::from(limits.deliveries) && self.memory <= BigUint::from(limits.memory)
    }
}

/// A walk that is not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It would cost more than it may.
    #[error(
        "the walk takes {} deliveries and {} bytes; the limits are {} and {}; {}",
        cost.deliveries(), cost.memory, limits.deliveries, limits.memory,
        strongest.as_ref().map_or("no part of it fits: allow more of what is short".to_owned(), |plan| {
            format!("what fits is {}", plan.describe())
        })
    )]
    OverBudget {
        /// What it would cost.
        cost: Box<Cost>,
        /// What it may.
        limits: Limits,
        /// The same walk over the most deltas, from the first on, that fits.
        strongest: Option<Plan>,
    },
    /// Repeats are counted up to 15.
    #[error("a delta can be delivered 1 to {MOST_REPEATS} times, not {0}")]
    Repeats(u32),
}

/// How often a delta can be delivered.
pub const MOST_REPEATS: u32 = 15;

impl Plan {
    /// Every order of `deltas` deltas.
    pub fn every_order(deltas: u32) -> Self {
        Plan { schedules: Schedules::EveryOrder { deltas }, losses: false }
    }

    /// Every interleaving of these queues.
    pub fn per_source(queues: Vec<Vec<u32>>) -> Self {
        Plan { schedules: Schedules::PerSource { queues }, losses: false }
    }

    /// Every order of `deltas` deltas of which each comes 1 to `times` times.
    pub fn repeated(deltas: u32, times: u32) -> Self {
        Plan { schedules: Schedules::Repeated { deltas, times }, losses: false }
    }

    /// The same, where any delivery may be lost.
    pub fn with_losses(self) -> Self {
        Plan { losses: true, ..self }
    }

    /// The plan in a few words.
    pub fn describe(&self) -> String {
        let schedules = match &self.schedules {
            Schedules::EveryOrder { deltas } => format!("every order of {}", counted(deltas, "delta")),
            Schedules::PerSource { queues } => {
                let lengths: Vec<String> = queues.iter().map(|queue| queue.len().to_string()).collect();
                format!("every interleaving of queues of {} deltas", lengths.join(" + "))
            }
            Schedules::Repeated { deltas, times } => {
                format!("every order of {}, each 1 to {}", counted(deltas, "delta"), counted(times, "time"))
            }
        };
        if self.losses { format!("{schedules}, any of them lost") } else { schedules }
    }

    /// How many different complete delivery sequences the plan has.
    ///
    /// Exponential generating functions: a chain of which `w(k)` choices deliver `k` contributes `sum w(k) x^k / k!`, and
    /// the number of interleavings is the sum of the coefficients of `x^t / t!` of the product (Stanley, Enumerative
    /// Combinatorics 2, section 5.1).
    pub fn orders(&self) -> BigUint {
        let kept = |length: usize| -> Vec<BigUint> {
            let row = binomials(length);
            if self.losses { row } else { (0..=length).map(|k| BigUint::from(u8::from(k == length))).collect() }
        };
        let chains: Vec<Vec<BigUint>> = match &self.schedules {
            Schedules::EveryOrder { deltas } => (0..*deltas).map(|_| kept(1)).collect(),
            Schedules::PerSource { queues } => queues.iter().map(|queue| kept(queue.len())).collect(),
            Schedules::Repeated { deltas, times } => {
                let weights = |k| BigUint::from(u8::from(k > 0 || self.losses));
                (0..*deltas).map(|_| (0..=*times).map(weights).collect()).collect()
            }
        };
        let mut sequences = vec![BigUint::from(1u8)];
        for weights in chains {
            let mut next = vec![BigUint::ZERO; sequences.len() + weights.len() - 1];
            for (total, so_far) in next.iter_mut().enumerate() {
                let row = binomials(total);
                for (k, weight) in weights.iter().enumerate().take(total + 1) {
                    if let Some(before) = sequences.get(total - k) {
                        *so_far += before * weight * &row[k];
                    }
                }
            }
            sequences = next;
        }
        sequences.iter().sum()
    }

    /// How many different sets of deltas (vectors of prefixes, multisets) the schedules pass through.
    pub fn sets(&self) -> BigUint {
        self.radices().iter().fold(BigUint::from(1u8), |product, radix| product * radix)
    }

    /// How many ways in all lead from one of these to a next one.
    pub fn merges(&self) -> BigUint {
        let all = self.sets();
        match (&self.schedules, self.losses) {
            // A queue with gaps has one last delivery unless it is empty.
            (Schedules::PerSource { queues }, true) => queues.iter().map(|queue| &all - (&all >> queue.len())).sum(),
            _ => self.radices().iter().map(|radix| &all / radix * (radix - 1u32)).sum(),
        }
    }

    /// Whether a walk that counted so many merges and sets made all that there are, and no more.
    pub(super) fn is_counted_by(&self, merges: u64, sets: u64) -> bool {
        self.merges() == BigUint::from(merges) && self.sets() == BigUint::from(sets)
    }

    /// Whether a walk that counted so many merges may have made all that there are, from more than one state of a set.
    pub(super) fn is_passed_by(&self, merges: u64, sets: u64) -> bool {
        self.merges() <= BigUint::from(merges) && self.sets() == BigUint::from(sets)
    }

    /// In how many states of delivery each chain can be.
    fn radices(&self) -> Vec<BigUint> {
        match &self.schedules {
            Schedules::EveryOrder { deltas } => vec![BigUint::from(2u8); *deltas as usize],
            Schedules::Repeated { deltas, times } => vec![BigUint::from(times + 1); *deltas as usize],
            Schedules::PerSource { queues } if self.losses => {
                queues.iter().map(|queue| BigUint::from(1u8) << queue.len()).collect()
            }
            Schedules::PerSource { queues } => queues.iter().map(|queue| BigUint::from(queue.len() + 1)).collect(),
        }
    }

    /// What the walk of this plan over this replica costs.
    pub fn cost<R: Replica>(&self, replica: &R, comparison: Comparison, threads: NonZeroUsize) -> Cost {
        match (&self.schedules, comparison) {
            (Schedules::EveryOrder { deltas }, Comparison::Whole) => blocks::cost(replica, *deltas, threads),
            (Schedules::EveryOrder { deltas }, Comparison::Digest128) => digests::cost(replica, *deltas, threads),
            _ => classes::cost(replica, self),
        }
    }

    /// Whether the walk, telling snapshots apart in the way that fits them, stays within these limits.
    pub fn fits<R: Replica>(&self, replica: &R, limits: &Limits) -> Result<(), Refused> {
        self.admit(replica, Comparison::fitting::<R>(), limits)
    }

    /// The limits under which the walk is made: with one thread where several would take too much memory, each its own.
    /// Whether it is made does not depend on how many there are.
    pub fn within<R: Replica>(&self, replica: &R, limits: &Limits) -> Result<Limits, Refused> {
        let alone = Limits { threads: NonZeroUsize::MIN, ..*limits };
        if self.fits(replica, limits).is_ok() { Ok(*limits) } else { self.fits(replica, &alone).map(|()| alone) }
    }

    /// Refuses what costs too much.
    pub(super) fn admit<R: Replica>(
        &self,
        replica: &R,
        comparison: Comparison,
        limits: &Limits,
    ) -> Result<(), Refused> {
        if let Schedules::Repeated { times, .. } = self.schedules
            && !(1..=MOST_REPEATS).contains(&times)
        {
            return Err(Refused::Repeats(times));
        }
        let cost = self.cost(replica, comparison, limits.threads);
        if cost.fits(limits) {
            return Ok(());
        }
        let fits = |plan: &Plan| plan.cost(replica, comparison, limits.threads).fits(limits);
        let strongest = (1..self.longest()).map(|length| self.shortened(length)).take_while(fits).last();
        Err(Refused::OverBudget { cost: Box::new(cost), limits: *limits, strongest })
    }

    /// Whether the walk that follows classes fits, if every set had one.
    pub(super) fn admit_classes<R: Replica>(&self, replica: &R, limits: &Limits) -> bool {
        classes::cost(replica, self).fits(limits)
    }

    /// The number of deltas, or the length of the longest queue.
    fn longest(&self) -> u32 {
        match &self.schedules {
            Schedules::EveryOrder { deltas } | Schedules::Repeated { deltas, .. } => *deltas,
            Schedules::PerSource { queues } => queues.iter().map(Vec::len).max().unwrap_or(0) as u32,
        }
    }

    fn shortened(&self, length: u32) -> Plan {
        let schedules = match &self.schedules {
            Schedules::EveryOrder { .. } => Schedules::EveryOrder { deltas: length },
            Schedules::Repeated { times, .. } => Schedules::Repeated { deltas: length, times: *times },
            Schedules::PerSource { queues } => Schedules::PerSource {
                queues: queues.iter().map(|queue| queue[..queue.len().min(length as usize)].to_vec()).collect(),
            },
        };
        Plan { schedules, losses: self.losses }
    }
}

/// Row `n` of Pascal's triangle.
fn binomials(n: usize) -> Vec<BigUint> {
    let mut row = vec![BigUint::from(1u8)];
    for k in 0..n {
        row.push(&row[k] * (n - k) / (k + 1));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(plan: Plan) -> String {
        plan.orders().to_string()
    }

    #[test]
    fn orders_are_counted_as_full_integers() {
        assert_eq!(number(Plan::every_order(0)), "1");
        assert_eq!(number(Plan::every_order(30)), "265252859812191058636308480000000");
        // 4! / (2! 2!).
        assert_eq!(number(Plan::per_source(vec![vec![0, 1], vec![2, 3]])), "6");
        assert_eq!(number(Plan::repeated(2, 1)), "2");
        // 01, 10; 001, 010, 100, 011, 101, 110; 0011 and its 6 permutations.
        assert_eq!(number(Plan::repeated(2, 2)), "14");
        // The empty one, three of one, six of two, six of three.
        assert_eq!(number(Plan::every_order(3).with_losses()), "16");
    }
}
