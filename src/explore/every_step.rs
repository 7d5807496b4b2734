//! Every way through a small system, whatever its steps are: a walk over its states, each visited once.
//!
//! That a state holds everything that its future depends on is taken for granted; which states are the same is their own
//! equality, and no hash. The number of ways is exact: that of a state is the sum of those of the states after it.

use std::collections::hash_map::Entry;
use std::hash::Hash;

use num_bigint::BigUint;
use rustc_hash::FxHashMap;

/// A system of which every way is to be tried.
pub trait System {
    /// All that it holds, or what names it and nothing else.
    type State: Copy + Eq + Hash;
    /// Something that can happen.
    type Step;

    /// All that can happen in a state, and the state after each; nothing at an end. The system may remember what it
    /// worked out.
    fn steps(&mut self, state: &Self::State) -> Vec<(Self::Step, Self::State)>;
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
pub type Judge<'a, S> = &'a mut dyn FnMut(&mut S, &<S as System>::State, &[<S as System>::Step]) -> bool;

/// The number of ways from a state: most fit 64 bits, and millions of states are kept.
#[derive(Clone, Copy)]
enum Ways {
    /// The state is on the way that is being walked.
    Open,
    Few(u64),
    /// At this place among the large ones.
    Many(u32),
}

struct Walk<'a, S: System> {
    system: &'a mut S,
    judge: Judge<'a, S>,
    seen_step: &'a mut dyn FnMut(&S::Step),
    way: Vec<S::Step>,
    most: u64,
    ways: FxHashMap<S::State, Ways>,
    many: Vec<BigUint>,
    walked: Walked,
}

/// Walks from `start` over at most so many states, and judges every end.
pub fn walk<S: System>(
    system: &mut S,
    start: &S::State,
    most: u64,
    judge: Judge<S>,
    seen_step: &mut dyn FnMut(&S::Step),
) -> Walked {
    let walked = Walked { states: 0, steps: 0, ends: 0, ways: BigUint::ZERO, complete: true };
    let (way, ways, many) = (Vec::new(), FxHashMap::default(), Vec::new());
    let mut walk = Walk { system, judge, seen_step, way, most, ways, many, walked };
    let ways = walk.from(*start).map_or(BigUint::ZERO, |ways| walk.counted(ways));
    Walked { ways, ..walk.walked }
}

impl<S: System> Walk<'_, S> {
    fn counted(&self, ways: Ways) -> BigUint {
        match ways {
            Ways::Open => BigUint::ZERO,
            Ways::Few(ways) => ways.into(),
            Ways::Many(place) => self.many[place as usize].clone(),
        }
    }

    fn kept(&mut self, ways: BigUint) -> Ways {
        if let Ok(few) = u64::try_from(&ways) {
            return Ways::Few(few);
        }
        self.many.push(ways);
        Ways::Many(u32::try_from(self.many.len() - 1).expect("memory for so many numbers ends before"))
    }

    /// The ways from a state to an end; `None` if the walk was stopped.
    fn from(&mut self, state: S::State) -> Option<Ways> {
        match self.ways.entry(state) {
            Entry::Occupied(known) => {
                let known = *known.get();
                if matches!(known, Ways::Open) {
                    // A way that leads back to where it was has no end, and cannot be counted.
                    self.walked.complete = false;
                    return Some(Ways::Few(0));
                }
                return Some(known);
            }
            Entry::Vacant(place) => place.insert(Ways::Open),
        };
        self.walked.states += 1;
        if self.walked.states > self.most {
            self.walked.complete = false;
            return None;
        }
        let steps = self.system.steps(&state);
        // Sums of 64 bits, and what went beyond.
        let (mut few, mut many) = (0u64, BigUint::ZERO);
        if steps.is_empty() {
            self.walked.ends += 1;
            if !(self.judge)(self.system, &state, &self.way) {
                self.walked.complete = false;
                return None;
            }
            few = 1;
        }
        for (step, next) in steps {
            self.walked.steps += 1;
            (self.seen_step)(&step);
            self.way.push(step);
            let after = self.from(next)?;
            match after {
                Ways::Few(after) if few.checked_add(after).is_some() => few += after,
                after => many += self.counted(after),
            }
            self.way.pop();
        }
        let ways = self.kept(many + few);
        self.ways.insert(state, ways);
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

        fn steps(&mut self, &(x, y): &(u32, u32)) -> Vec<(bool, (u32, u32))> {
            let both = [(x < self.0, true, (x + 1, y)), (y < self.0, false, (x, y + 1))];
            both.into_iter().filter(|(can, ..)| *can).map(|(_, step, next)| (step, next)).collect()
        }
    }

    fn every_way(size: u32, most: u64, judge: Judge<Grid>) -> Walked {
        walk(&mut Grid(size), &(0, 0), most, judge, &mut |_| {})
    }

    #[test]
    fn the_ways_through_a_grid_are_the_binomial_coefficient() {
        let mut ends = Vec::new();
        let mut judge = |_: &mut Grid, end: &(u32, u32), _: &[bool]| {
            ends.push(*end);
            true
        };
        let walked = every_way(10, 1000, &mut judge);
        assert_eq!((walked.states, walked.steps, walked.ends, walked.complete), (121, 220, 1, true));
        assert_eq!(walked.ways, BigUint::from(184_756u32));
        assert_eq!(ends, [(10, 10)]);
    }

    #[test]
    fn ways_beyond_64_bits_are_counted_to_the_last() {
        // 80 over 40.
        let walked = every_way(40, 2000, &mut |_, _, _| true);
        assert_eq!(walked.ways.to_string(), "107507208733336176461620");
    }

    #[test]
    fn a_bound_that_is_reached_or_a_judge_that_stops_is_told() {
        assert!(!every_way(10, 50, &mut |_, _, _| true).complete);
        assert!(!every_way(2, 50, &mut |_, _, _| false).complete);
    }
}
