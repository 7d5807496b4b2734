//! Every way through a small system, whatever its steps are: a walk over its states, each visited once, on one thread or more.
//!
//! That a state holds everything that its future depends on is taken for granted; which states are the same is their own
//! equality, and no hash. The number of ways is exact: that of a state is the sum of those of the states after it.
//!
//! Threads begin at the start, each with another of its steps first. A state that another thread is in the middle of is walked
//! from its other side, so that both meet and none waits. What a complete walk comes to is the same for any number of threads.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use dashmap::{DashMap, Entry};
use num_bigint::BigUint;
use rustc_hash::{FxBuildHasher, FxHashSet};

/// A system of which every way is to be tried.
pub trait System {
    /// All that it holds, or what names it and nothing else. For all threads it is the same.
    type State: Copy + Eq + Hash;
    /// Something that can happen.
    type Step;

    /// All that can happen in a state, and the state after each; nothing at an end. The system may remember what it
    /// worked out.
    fn steps(&mut self, state: &Self::State) -> Vec<(Self::Step, Self::State)>;

    /// A step of a state is counted: once, whichever thread walks it.
    fn counts(&mut self, _step: &Self::Step) {}
}

/// Parts of the table of states that each have a lock of their own: so many that two threads seldom want the same.
const SHARDS: usize = 64;

/// The most steps of a way: a system that is deeper has no end, as far as anybody can wait for it.
const DEEPEST: usize = 20_000;

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
    /// The state is on the way that a thread is walking.
    Open,
    Few(u64),
    /// At this place among the large ones.
    Many(u32),
}

/// A walk, in which threads take part.
pub struct Walk<State> {
    start: State,
    most: u64,
    threads: usize,
    ways: DashMap<State, Ways, FxBuildHasher>,
    many: Mutex<Vec<BigUint>>,
    states: AtomicU64,
    stopped: AtomicBool,
    walked: Mutex<Walked>,
}

/// One thread of a walk.
struct Walker<'a, S: System> {
    walk: &'a Walk<S::State>,
    thread: usize,
    system: &'a mut S,
    judge: Judge<'a, S>,
    way: Vec<S::Step>,
    /// States on the way of this thread.
    open: FxHashSet<S::State>,
    walked: Walked,
}

/// A state on the way of a thread, with the steps that the thread has not taken yet.
struct Entered<S: System> {
    state: S::State,
    steps: std::vec::IntoIter<(S::Step, S::State)>,
    /// Ways by the steps that were taken: the sum of 64 bits, and what went beyond.
    few: u64,
    many: BigUint,
}

/// Stops the other threads if this one panics: what they would find is never shown.
struct StopsOthers<'a>(&'a AtomicBool);

impl Drop for StopsOthers<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Walks on this thread from `start` over at most so many states, and judges every end.
pub fn walk<S: System>(system: &mut S, start: &S::State, most: u64, judge: Judge<S>) -> Walked {
    let walk = Walk::new(*start, most, 1);
    walk.take_part(0, system, judge);
    walk.came_to()
}

/// The fewest steps that lead from `start` to a state that is wrong, among the first `most` states that are found; of several
/// such ways the first by the order of steps.
pub fn nearest<S: System>(
    system: &mut S,
    start: &S::State,
    most: usize,
    mut is_wrong: impl FnMut(&mut S, &S::State) -> bool,
) -> Option<Vec<S::Step>> {
    // Each state with the place of the one before it, and the step between them.
    let mut found: Vec<(S::State, usize, Option<S::Step>)> = vec![(*start, 0, None)];
    let mut known: FxHashSet<S::State> = FxHashSet::from_iter([*start]);
    let mut place = 0;
    while place < found.len() {
        let state = found[place].0;
        if is_wrong(system, &state) {
            let mut way = Vec::new();
            while let Some(step) = found[place].2.take() {
                way.push(step);
                place = found[place].1;
            }
            way.reverse();
            return Some(way);
        }
        for (step, next) in system.steps(&state) {
            if found.len() < most && known.insert(next) {
                found.push((next, place, Some(step)));
            }
        }
        place += 1;
    }
    None
}

impl<State: Copy + Eq + Hash> Walk<State> {
    /// A walk from `start` over at most so many states, in which so many threads are to take part.
    pub fn new(start: State, most: u64, threads: usize) -> Self {
        let walked = Walked { states: 0, steps: 0, ends: 0, ways: BigUint::ZERO, complete: true };
        Walk {
            start,
            most,
            threads,
            ways: DashMap::with_hasher_and_shard_amount(FxBuildHasher, SHARDS),
            many: Mutex::default(),
            states: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            walked: Mutex::new(walked),
        }
    }

    /// What the thread of this number does: all that no other does. Each has a system of its own, of the same states.
    pub fn take_part<S: System<State = State>>(&self, thread: usize, system: &mut S, judge: Judge<S>) {
        let _stops = StopsOthers(&self.stopped);
        let walked = Walked { states: 0, steps: 0, ends: 0, ways: BigUint::ZERO, complete: true };
        let (way, open) = (Vec::new(), HashSet::default());
        let mut walker = Walker { walk: self, thread, system, judge, way, open, walked };
        let ways = walker.from(self.start).map(|ways| walker.counted(ways));
        let part = walker.walked;
        let mut all = self.walked.lock().unwrap_or_else(PoisonError::into_inner);
        all.states += part.states;
        all.steps += part.steps;
        all.ends += part.ends;
        all.complete &= part.complete && ways.is_some();
        all.ways = ways.unwrap_or_default().max(std::mem::take(&mut all.ways));
    }

    /// What the walk came to.
    pub fn came_to(self) -> Walked {
        self.walked.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: System> Walker<'_, S> {
    fn counted(&self, ways: Ways) -> BigUint {
        match ways {
            Ways::Open => BigUint::ZERO,
            Ways::Few(ways) => ways.into(),
            Ways::Many(place) => self.walk.many.lock().unwrap_or_else(PoisonError::into_inner)[place as usize].clone(),
        }
    }

    fn kept(&self, ways: BigUint) -> Ways {
        if let Ok(few) = u64::try_from(&ways) {
            return Ways::Few(few);
        }
        let mut many = self.walk.many.lock().unwrap_or_else(PoisonError::into_inner);
        many.push(ways);
        Ways::Many(u32::try_from(many.len() - 1).expect("memory for so many numbers ends before"))
    }

    /// The walk is over before everything was visited.
    fn stop<T>(&mut self) -> Option<T> {
        self.walked.complete = false;
        self.walk.stopped.store(true, Ordering::Relaxed);
        None
    }

    /// Visits a state, where no other thread did.
    fn visits(&mut self, state: S::State) -> Visit {
        let known = match self.walk.ways.entry(state) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                place.insert(Ways::Open);
                return Visit::First;
            }
        };
        match known {
            Ways::Open if self.open.contains(&state) => Visit::Back,
            Ways::Open => Visit::Beside,
            known => Visit::Known(known),
        }
    }

    /// The ways from a state to an end; `None` if the walk was stopped. No state is a call within another: a system that has no
    /// end is walked as deep as the bound on states allows.
    fn from(&mut self, start: S::State) -> Option<Ways> {
        let mut entered: Vec<Entered<S>> = Vec::new();
        let mut arrived = self.enter(start, &mut entered)?;
        while let Some(last) = entered.last_mut() {
            if let Some(after) = arrived.take() {
                self.way.pop();
                match after {
                    Ways::Few(after) if last.few.checked_add(after).is_some() => last.few += after,
                    after => last.many += self.counted(after),
                }
            }
            if let Some((step, next)) = last.steps.next() {
                self.way.push(step);
                arrived = self.enter(next, &mut entered)?;
            } else if let Some(Entered { state, few, many, .. }) = entered.pop() {
                self.open.remove(&state);
                let ways = self.kept(many + few);
                self.walk.ways.insert(state, ways);
                arrived = Some(ways);
            }
        }
        arrived
    }

    /// Comes to a state: gives its ways where they are known, and else enters it. `None` if the walk was stopped.
    fn enter(&mut self, state: S::State, entered: &mut Vec<Entered<S>>) -> Option<Option<Ways>> {
        let is_first = match self.visits(state) {
            Visit::Known(ways) => return Some(Some(ways)),
            Visit::Back => {
                // A way that leads back to where it was has no end, and cannot be counted.
                self.walked.complete = false;
                return Some(Some(Ways::Few(0)));
            }
            Visit::First => true,
            Visit::Beside => false,
        };
        if entered.len() >= DEEPEST {
            return self.stop();
        }
        if self.walk.stopped.load(Ordering::Relaxed) {
            self.walked.complete = false;
            return None;
        }
        if is_first {
            self.walked.states += 1;
            if self.walk.states.fetch_add(1, Ordering::Relaxed) >= self.walk.most {
                return self.stop();
            }
        }
        self.open.insert(state);
        let mut steps = self.system.steps(&state);
        let few = u64::from(steps.is_empty());
        if is_first {
            if steps.is_empty() {
                self.walked.ends += 1;
                if !(self.judge)(self.system, &state, &self.way) {
                    return self.stop();
                }
            }
            self.walked.steps += steps.len() as u64;
            steps.iter().for_each(|(step, _)| self.system.counts(step));
        }
        self.in_another_order(&mut steps);
        entered.push(Entered { state, steps: steps.into_iter(), few, many: BigUint::ZERO });
        Some(None)
    }

    /// Each thread takes the steps from another place on, and every second thread takes them backwards.
    fn in_another_order<T>(&self, steps: &mut [T]) {
        if self.thread % 2 == 1 {
            steps.reverse();
        }
        let place = steps.len() * (self.thread / 2) / self.walk.threads.div_ceil(2);
        steps.rotate_left(place);
    }
}

/// How a thread comes to a state.
enum Visit {
    /// Before all others.
    First,
    /// Another is in the middle of it.
    Beside,
    /// It is on the thread's own way.
    Back,
    /// Its ways are known.
    Known(Ways),
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

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
        walk(&mut Grid(size), &(0, 0), most, judge)
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
    fn the_nearest_state_that_is_wrong_is_found_by_the_fewest_steps_within_the_bound() {
        let to = |goal: (u32, u32), most| nearest(&mut Grid(10), &(0, 0), most, |_, &state| state == goal);
        let way = to((3, 1), 1000).expect("it is there");
        assert_eq!((way.len(), way.iter().filter(|&&right| right).count()), (4, 3));
        assert_eq!(to((0, 0), 1), Some(Vec::new()));
        assert_eq!(to((3, 1), 5), None, "the bound is reached before");
        assert_eq!(to((11, 0), 1000), None, "no way leads there");
    }

    #[test]
    fn ways_beyond_64_bits_are_counted_to_the_last() {
        // 80 over 40.
        let walked = every_way(40, 2000, &mut |_, _, _| true);
        assert_eq!(walked.ways.to_string(), "107507208733336176461620");
    }

    #[test]
    fn a_system_without_an_end_is_walked_as_deep_as_the_bound_allows() {
        /// Counts on for ever.
        struct Endless;

        impl System for Endless {
            type State = u32;
            type Step = ();

            fn steps(&mut self, &at: &u32) -> Vec<((), u32)> {
                vec![((), at + 1)]
            }
        }

        let walked = walk(&mut Endless, &0, 1_000_000, &mut |_, _, _| true);
        assert_eq!((walked.states, walked.ends, walked.complete), (20_000, 0, false));
    }

    #[test]
    fn a_bound_that_is_reached_or_a_judge_that_stops_is_told() {
        assert!(!every_way(10, 50, &mut |_, _, _| true).complete);
        assert!(!every_way(2, 50, &mut |_, _, _| false).complete);
    }

    /// A system in which all threads are in the middle of the start at once.
    struct Together<'a, S>(S, &'a Barrier);

    impl<S: System<State: Default>> System for Together<'_, S> {
        type State = S::State;
        type Step = S::Step;

        fn steps(&mut self, state: &S::State) -> Vec<(S::Step, S::State)> {
            if *state == S::State::default() {
                self.1.wait();
            }
            self.0.steps(state)
        }
    }

    /// Walks on this number of threads, which start together. Gives the judged ends, in order.
    fn on<S: System<State: Default + Ord + Send + Sync>>(
        threads: usize,
        system: impl Fn() -> S + Sync,
    ) -> (Walked, Vec<S::State>) {
        let (walk, ends) = (Walk::new(S::State::default(), u64::MAX, threads), Mutex::new(Vec::new()));
        let barrier = Barrier::new(threads);
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (walk, ends, barrier, system) = (&walk, &ends, &barrier, &system);
                scope.spawn(move || {
                    walk.take_part(thread, &mut Together(system(), barrier), &mut |_, end, _| {
                        ends.lock().expect("no judge panics").push(*end);
                        true
                    });
                });
            }
        });
        let mut ends = ends.into_inner().expect("no judge panics");
        ends.sort_unstable();
        (walk.came_to(), ends)
    }

    #[test]
    fn threads_count_together_what_one_counts_alone_and_each_end_is_judged_once() {
        /// Steps right, up and ahead, with ends wherever the sum of two places is the same.
        struct Room(u32);

        impl System for Room {
            type State = [u32; 3];
            type Step = usize;

            fn steps(&mut self, at: &[u32; 3]) -> Vec<(usize, [u32; 3])> {
                let further = |axis: usize| {
                    let mut next = *at;
                    next[axis] += 1;
                    (axis, next)
                };
                let inside = at.iter().all(|&place| place < self.0) && at[0] + at[2] != 2 * self.0 - 2;
                (0..3).filter(|_| inside).map(further).collect()
            }
        }

        let (alone, ends) = on(1, || Room(24));
        assert!(alone.complete && alone.states > 10_000 && alone.ways > BigUint::from(u64::MAX));
        assert_eq!(alone.ends, ends.len() as u64);
        for threads in [2, 3, 8, 8, 8] {
            assert_eq!(on(threads, || Room(24)), (alone.clone(), ends.clone()), "{threads} threads");
        }
    }

    #[test]
    fn a_way_that_leads_back_is_told_on_any_number_of_threads() {
        struct Round;

        impl System for Round {
            type State = u32;
            type Step = ();

            fn steps(&mut self, at: &u32) -> Vec<((), u32)> {
                if *at == 9 { Vec::new() } else { vec![((), (at + 1) % 8), ((), 9)] }
            }
        }

        for threads in [1, 2, 4] {
            assert!(!on(threads, || Round).0.complete, "{threads} threads");
        }
    }
}
