//! The walk over every delivered set, of a subject that may hold more than it shows.
//!
//! A state is put back by having the subject take what was shown, so that what else the subject holds is that of the step before, and
//! not that of the order that would have led there. Two ways that disagree are a contradiction; that all agree is no
//! proof of any whole order, and the search says of none that it holds.
//!
//! Knows: sets of deltas and the words that are shown. Must not: know how a subject is asked, or speak of proof.

use crate::domain::watch::Watch;
use crate::explore::exhaustive::subsets;

/// Bytes for each set: the word that was shown.
const BYTES_PER_SET: u64 = size_of::<u64>() as u64;

/// How many steps a search over `n` deltas takes, `n` up to 32: `n * 2^(n-1)`.
pub fn steps(n: u32) -> u64 {
    (u64::from(n) << n) / 2
}

/// How many deliveries it takes: each step puts a state back with one, and makes another.
pub fn deliveries(n: u32) -> u64 {
    2 * steps(n)
}

/// How many bytes it takes.
pub fn bytes(n: u32) -> u64 {
    BYTES_PER_SET << n
}

/// What a search did and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// Steps that were made: one delivery to one loaded state.
    pub steps: u64,
    /// Sets whose every way was tried.
    pub sets: u64,
    /// All ways to all sets of up to so many deltas were tried.
    pub settled: u32,
    /// The first step whose end is not what the truth says.
    pub untrue: Option<Step>,
    /// The first two ways into one set that end differently.
    pub disagreement: Option<Disagreement>,
    /// Whether it came to the end.
    pub complete: bool,
}

/// What a subject shows in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The state, once it was put back.
    pub before: u64,
    /// The state after the delta.
    pub after: u64,
}

/// A step into a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The deltas that were delivered before, ascending.
    pub before: Vec<u32>,
    /// The state that was put back for them.
    pub from: u64,
    /// The delta of the step.
    pub delta: u32,
    /// What was shown.
    pub shown: Shown,
    /// The state that is true of all of these deltas.
    pub truth: u64,
}

/// Two ways into one set, by their last deltas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The deltas, ascending.
    pub deltas: Vec<u32>,
    /// The last delta of one way, and the state that it ends in.
    pub one: (u32, u64),
    /// The other's.
    pub other: (u32, u64),
}

/// Makes every step from every set of the deltas to the next larger ones, smaller sets first, from a start of 0; `truth`
/// is the merge that a step should make, and `step` the one that it does make. It ends at the first disagreement, which is
/// one of the fewest deltas, and goes on after a step that is untrue.
pub fn search<E>(
    deltas: &[u64],
    truth: impl Fn(u64, u64) -> u64,
    mut step: impl FnMut(u64, u64) -> Result<Shown, E>,
    watch: &mut dyn Watch,
) -> (Searched, Option<E>) {
    let n = deltas.len() as u32;
    let true_of = |set: u64| subsets::members(set).fold(0, |state, delta| truth(state, deltas[delta as usize]));
    let mut states = vec![0u64; 1 << n];
    let mut searched = Searched { sets: 1, ..Searched::default() };
    let mut set = 0;
    for _ in 1..1u64 << n {
        set = subsets::next(n, set);
        if watch.stop_requested() {
            return (searched, None);
        }
        let expected = true_of(set);
        let mut first: Option<(u32, u64)> = None;
        for delta in subsets::members(set) {
            let from = states[(set & !(1 << delta)) as usize];
            let shown = match step(from, deltas[delta as usize]) {
                Ok(shown) => shown,
                Err(error) => return (searched, Some(error)),
            };
            let end = shown.after;
            searched.steps += 1;
            if shown != (Shown { before: from, after: expected }) && searched.untrue.is_none() {
                let before = subsets::members(set & !(1 << delta)).collect();
                searched.untrue = Some(Step { before, from, delta, shown, truth: expected });
            }
            match first {
                None => first = Some((delta, end)),
                Some(one) if one.1 != end => {
                    let deltas = subsets::members(set).collect();
                    searched.disagreement = Some(Disagreement { deltas, one, other: (delta, end) });
                    return (searched, None);
                }
                Some(_) => {}
            }
        }
        watch.advance(u64::from(set.count_ones()));
        states[set as usize] = first.map_or(0, |(_, end)| end);
        searched.sets += 1;
        if set == subsets::all(set.count_ones()) << (n - set.count_ones()) {
            searched.settled = set.count_ones();
        }
    }
    // What was counted on the way, beside what there is: a search that left something out is not complete.
    searched.complete = searched.steps == steps(n) && searched.sets == 1 << n;
    (searched, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::Unwatched;
    use std::convert::Infallible;

    const DELTAS: [u64; 6] = [0x11, 0x22, 0x44, 0x77, 0x88, 0xFF];

    fn searched(mut step: impl FnMut(u64, u64) -> u64) -> Searched {
        let truth = |state: u64, delta| state ^ delta;
        let shown = |before, delta| Ok(Shown { before, after: step(before, delta) });
        search::<Infallible>(&DELTAS, truth, shown, &mut Unwatched).0
    }

    #[test]
    fn a_right_merge_is_searched_to_the_end_with_a_step_for_every_way() {
        let Searched { steps: made, sets, settled, untrue, disagreement, complete } =
            searched(|state, delta| state ^ delta);
        assert_eq!((made, sets, settled, complete), (steps(6), 64, 6, true));
        assert_eq!((untrue, disagreement), (None, None));
    }

    #[test]
    fn a_merge_that_depends_on_the_order_is_found_with_the_fewest_deltas() {
        let found = searched(|_, delta| delta);
        assert_eq!(found.settled, 1);
        assert_eq!(found.disagreement, Some(Disagreement { deltas: vec![0, 1], one: (0, 0x11), other: (1, 0x22) }));
        assert!(!found.complete);
    }

    #[test]
    fn a_merge_that_is_wrong_in_every_order_is_untrue_and_does_not_disagree() {
        let found = searched(|state, delta| state | delta);
        assert_eq!((found.disagreement, found.complete), (None, true));
        // 0x11, 0x22 and 0x44 have no bit in common; 0x77 has.
        let untrue =
            Step { before: vec![3], from: 0x77, delta: 0, shown: Shown { before: 0x77, after: 0x77 }, truth: 0x66 };
        assert_eq!(found.untrue, Some(untrue));
    }

    #[test]
    fn a_state_that_cannot_be_put_back_is_untrue_even_where_the_end_is_right() {
        let truth = |state: u64, delta| state ^ delta;
        let step = |from: u64, delta| Ok(Shown { before: from & 0xF, after: from ^ delta });
        let found = search::<Infallible>(&DELTAS, truth, step, &mut Unwatched).0;
        assert_eq!(found.untrue.map(|step| (step.before, step.shown.before)), Some((vec![1], 0x2)));
    }

    #[test]
    fn a_search_that_is_stopped_or_whose_subject_falls_silent_has_settled_only_what_it_tried_in_every_way() {
        let truth = |state: u64, delta| state ^ delta;
        for silent_after in 0..steps(6) {
            let mut left = silent_after;
            let step = |before: u64, delta| {
                left = left.checked_sub(1).ok_or("silent")?;
                Ok(Shown { before, after: before ^ delta })
            };
            let (searched, failed) = search(&DELTAS, truth, step, &mut Unwatched);
            assert_eq!((failed, searched.steps, searched.complete), (Some("silent"), silent_after, false));
            // 6, 6 + 30, 6 + 30 + 60, ... steps reach all sets of up to 1, 2, 3, ... deltas.
            let all_up_to = |size: u32| (1..=size).map(|k| u64::from(k) * subsets::binomial(6, k)).sum::<u64>();
            let settled = (0..=6).rev().find(|&size| all_up_to(size) <= silent_after).unwrap_or(0);
            assert_eq!(searched.settled, settled, "after {silent_after} steps");
        }
    }
}
