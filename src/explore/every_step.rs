//! Every way through a small system, whatever its steps are: a walk over its states, each visited once.
//!
//! States are told apart by a 128-bit SipHash of all that they hold; that no two that differ share one is taken for
//! granted, as is that a state holds everything that its future depends on. The number of ways is exact: that of a state
//! is the sum of those of the states after it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};

use num_bigint::BigUint;
use siphasher::sip128::{Hasher128, SipHasher13};

/// A system of which every way is to be tried.
pub trait System {
    /// All that it holds.
    type State: Hash;
    /// Something that can happen.
    type Step;

    /// All that can happen in a state; nothing at an end.
    fn steps(&self, state: &Self::State) -> Vec<Self::Step>;

    /// The state after a step.
    fn take(&self, state: &Self::State, step: &Self::Step) -> Self::State;
}

/// What a walk came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// States that were visited.
    pub states: u64,
    /// Steps between them.
    pub steps: u64,
    /// States in which nothing can happen any more.
    pub ends: u64,
    /// Ways from the start to an end.
    pub ways: BigUint,
    /// Whether everything was visited: the bound was not reached, no judge stopped it, and no way leads back.
    pub complete: bool,
}

/// A judge of ends, who is told the way that led there; `false` stops the walk.
pub type Judge<'a, State, Step> = &'a mut dyn FnMut(&State, &[Step]) -> bool;

struct Walk<'a, S: System> {
    system: &'a S,
    judge: Judge<'a, S::State, S::Step>,
    seen_step: &'a mut dyn FnMut(&S::Step),
    way: Vec<S::Step>,
    most: u64,
    /// Ways from a state to an end; `None` while it is on the way that is being walked.
    ways: HashMap<u128, Option<BigUint>>,
    walked: Walked,
}

/// Walks from `start` over at most so many states, and judges every end.
pub fn walk<S: System>(
    system: &S,
    start: &S::State,
    most: u64,
    judge: Judge<S::State, S::Step>,
    seen_step: &mut dyn FnMut(&S::Step),
) -> Walked {
    let walked = Walked { states: 0, steps: 0, ends: 0, ways: BigUint::ZERO, complete: true };
    let mut walk = Walk { system, judge, seen_step, way: Vec::new(), most, ways: HashMap::new(), walked };
    let ways = walk.from(start);
    Walked { ways: ways.unwrap_or(BigUint::ZERO), ..walk.walked }
}

fn digest(state: &impl Hash) -> u128 {
    let mut hasher = SipHasher13::new();
    state.hash(&mut hasher);
    let _ = hasher.finish();
    hasher.finish128().as_u128()
}

impl<S: System> Walk<'_, S> {
    /// The ways from a state to an end; `None` if the walk was stopped.
    fn from(&mut self, state: &S::State) -> Option<BigUint> {
        let key = digest(state);
        match self.ways.entry(key) {
            Entry::Occupied(known) => {
                if known.get().is_none() {
                    // A way that leads back to where it was has no end, and cannot be counted.
                    self.walked.complete = false;
                }
                return Some(known.get().clone().unwrap_or(BigUint::ZERO));
            }
            Entry::Vacant(place) => place.insert(None),
        };
        self.walked.states += 1;
        if self.walked.states > self.most {
            self.walked.complete = false;
            return None;
        }
        let steps = self.system.steps(state);
        let mut ways = BigUint::ZERO;
        if steps.is_empty() {
            self.walked.ends += 1;
            if !(self.judge)(state, &self.way) {
                self.walked.complete = false;
                return None;
            }
            ways = BigUint::from(1u8);
        }
        for step in steps {
            self.walked.steps += 1;
            (self.seen_step)(&step);
            let next = self.system.take(state, &step);
            self.way.push(step);
            ways += self.from(&next)?;
            self.way.pop();
        }
        self.ways.insert(key, Some(ways.clone()));
        Some(ways)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps right and up through a grid.
    struct Grid(u32);

    impl System for Grid {
        type State = (u32, u32);
        type Step = bool;

        fn steps(&self, &(x, y): &(u32, u32)) -> Vec<bool> {
            [(x < self.0, true), (y < self.0, false)]
                .into_iter()
                .filter(|(can, _)| *can)
                .map(|(_, step)| step)
                .collect()
        }

        fn take(&self, &(x, y): &(u32, u32), &right: &bool) -> (u32, u32) {
            if right { (x + 1, y) } else { (x, y + 1) }
        }
    }

    #[test]
    fn the_ways_through_a_grid_are_the_binomial_coefficient() {
        let mut ends = Vec::new();
        let mut judge = |end: &(u32, u32), _: &[bool]| {
            ends.push(*end);
            true
        };
        let walked = walk(&Grid(10), &(0, 0), 1000, &mut judge, &mut |_| {});
        assert_eq!((walked.states, walked.steps, walked.ends, walked.complete), (121, 220, 1, true));
        assert_eq!(walked.ways, BigUint::from(184_756u32));
        assert_eq!(ends, [(10, 10)]);
    }

    #[test]
    fn a_bound_that_is_reached_or_a_judge_that_stops_is_told() {
        assert!(!walk(&Grid(10), &(0, 0), 50, &mut |_, _| true, &mut |_| {}).complete);
        assert!(!walk(&Grid(2), &(0, 0), 50, &mut |_, _| false, &mut |_| {}).complete);
    }
}
