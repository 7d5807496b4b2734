//! Software accumulators as functions of their state, so that every order of their deltas can be walked.
//!
//! Knows: the walk, and accumulators whose state is one word. Must not: judge what comes of it.

use crate::domain::replica::Merging;
use crate::domain::subject::{Accumulator, WordState};
use crate::domain::watch::Watch;
use crate::explore::exhaustive::{Beside, Limits, Outcome, Plan, Refused, every_set, explore};

/// An accumulator of which a walk can prove something: of what it does with deltas that arrive one at a time.
pub trait Walkable: Accumulator + Sync {
    /// Another one of the same kind, for a job of its own. It is to be reset before its first delivery.
    fn another(&self) -> Box<dyn Walkable>;

    /// Walks over every order of these deltas, each delivered by itself through the accumulator's own code, from a start
    /// of 0.
    fn walk(&self, deltas: &[u64], limits: &Limits, watch: &mut dyn Watch) -> Result<Outcome, Refused>;

    /// Compares the state of every set of these deltas, delivered by index, with the XOR of its deltas. To be asked where
    /// a walk has shown that all other ways lead to the same state.
    fn compare(&self, deltas: &[u64], watch: &mut dyn Watch) -> Truth;
}

/// What every set was compared to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// All sets have the right state.
    Right,
    /// This is one with the fewest deltas that has not.
    Wrong {
        /// Its deltas, ascending: the order in which they were delivered.
        deltas: Vec<u32>,
        /// The XOR of them.
        expected: u64,
        /// The state.
        got: u64,
    },
    /// The user stopped it.
    Stopped,
    /// So many different sets were compared, and not all: a fault of the comparison.
    Incomplete {
        /// How many.
        sets: u64,
    },
}

/// The plan of [`Walkable::walk`].
pub fn plan(deltas: u32) -> Plan {
    Plan::every_order(deltas)
}

impl<S: Accumulator + WordState + Clone + 'static> Walkable for S {
    fn another(&self) -> Box<dyn Walkable> {
        Box::new(self.clone())
    }

    fn walk(&self, deltas: &[u64], limits: &Limits, watch: &mut dyn Watch) -> Result<Outcome, Refused> {
        let replica = Merging { deltas, start: 0, merge: |state, delta| self.after(state, &[delta]) };
        let plan = plan(deltas.len() as u32);
        explore(&replica, &plan, &plan.within(&replica, limits)?, watch)
    }

    fn compare(&self, deltas: &[u64], watch: &mut dyn Watch) -> Truth {
        let replica = Merging { deltas, start: 0, merge: |state, delta| self.after(state, &[delta]) };
        let reference = Merging { deltas, start: 0, merge: |state: u64, delta| state ^ delta };
        let mut least: Option<(u32, u64, u64, u64)> = None;
        let (mut sets, mut sum) = (0u64, 0u64);
        let all = 1u64 << deltas.len();
        let complete = every_set(&Beside(&replica, &reference), deltas.len() as u32, watch, |set, &(got, expected)| {
            (sets, sum) = (sets + 1, sum.wrapping_add(set));
            let wrong = (set.count_ones(), set, expected, got);
            if got != expected && least.is_none_or(|least| wrong < least) {
                least = Some(wrong);
            }
        });
        match least {
            _ if !complete => Truth::Stopped,
            // Every set once: as many as there are, and the sum of them as numbers.
            None if sets != all || sum != (all - 1).wrapping_mul(all / 2) => Truth::Incomplete { sets },
            None => Truth::Right,
            Some((_, set, expected, got)) => {
                let deltas = (0..deltas.len() as u32).filter(|delta| set >> delta & 1 == 1).collect();
                Truth::Wrong { deltas, expected, got }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::Unwatched;
    use crate::explore::exhaustive::Judgement;
    use crate::subject::scalar::Scalar;
    use std::num::NonZeroUsize;

    #[test]
    fn whether_a_walk_is_made_does_not_depend_on_the_number_of_threads() {
        let deltas: Vec<u64> = (1..=20).map(|delta| delta << 7).collect();
        let alone = plan(20).cost(
            &Merging { deltas: &deltas, start: 0, merge: |state: u64, _| state },
            crate::explore::exhaustive::Comparison::Whole,
            NonZeroUsize::MIN,
        );
        let memory = u64::try_from(alone.memory).expect("it is small");
        for threads in [1, 2, 1024].map(|threads| NonZeroUsize::new(threads).expect("not 0")) {
            let limits = Limits { memory, deliveries: u64::MAX, threads };
            let outcome = Scalar::new().walk(&deltas, &limits, &mut Unwatched).expect("it fits");
            assert_eq!(outcome.judgement, Judgement::Agree);
            let less = Limits { memory: memory - 1, ..limits };
            assert!(Scalar::new().walk(&deltas, &less, &mut Unwatched).is_err());
        }
    }
}
