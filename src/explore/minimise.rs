//! Makes a failing execution smaller, within a bound on how often it is replayed.

use std::collections::BTreeMap;

/// What came of making something smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smallest<T> {
    /// The smallest that still fails.
    pub found: T,
    /// How often the subject was asked.
    pub replays: u32,
    /// Whether every smaller neighbour was tried and passed: leaving out any one item of a list, or one less of a
    /// number. `false` if the bound was reached first.
    pub neighbours_pass: bool,
}

/// A list as short as it gets by leaving out runs of items and then single ones, while `fails` stays true: ddmin
/// (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002).
///
/// `items` itself must fail. At most `bound` replays.
pub fn fewest_items<T: Clone, E>(
    items: &[T],
    bound: u32,
    mut fails: impl FnMut(&[T]) -> Result<bool, E>,
) -> Result<Smallest<Vec<T>>, E> {
    let mut found = items.to_vec();
    let mut replays = 0;
    let mut parts = 2.min(found.len());
    while found.len() >= 2 {
        let run = found.len().div_ceil(parts);
        let mut shorter = None;
        for start in (0..found.len()).step_by(run) {
            if replays == bound {
                return Ok(Smallest { found, replays, neighbours_pass: false });
            }
            let mut rest = found.clone();
            rest.drain(start..(start + run).min(found.len()));
            replays += 1;
            if fails(&rest)? {
                shorter = Some(rest);
                break;
            }
        }
        match shorter {
            Some(rest) => {
                found = rest;
                parts = (parts - 1).clamp(2, found.len().max(2));
            }
            None if run == 1 => return Ok(Smallest { found, replays, neighbours_pass: true }),
            None => parts = (parts * 2).min(found.len()),
        }
    }
    Ok(Smallest { found, replays, neighbours_pass: true })
}

/// A number between `passes` and `fails_at` that fails while the one below it passes, found by halving.
///
/// `fails_at` must fail, and `passes`, which is smaller, must pass.
pub fn smallest_number<E>(
    passes: u32,
    fails_at: u32,
    mut fails: impl FnMut(u32) -> Result<bool, E>,
) -> Result<Smallest<u32>, E> {
    let (mut below, mut found, mut replays) = (passes, fails_at, 0);
    while found - below > 1 {
        let middle = below + (found - below) / 2;
        replays += 1;
        if fails(middle)? {
            found = middle;
        } else {
            below = middle;
        }
    }
    Ok(Smallest { found, replays, neighbours_pass: true })
}

/// What came of trying a sequence of deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It shows the same class of finding.
    Same,
    /// It does not.
    Other,
    /// It was not tried: no replays are left.
    Spent,
}

/// A sequence of deliveries as small as it gets: deltas dropped, then neighbours sorted, then indices made smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmallestSequence {
    /// What is delivered, by index.
    pub found: Vec<u32>,
    /// Whether leaving out any one delta was tried and shows something else.
    pub minimal: bool,
}

/// Makes a sequence that shows a finding smaller while `attempt` says that the class of the finding stays the same.
///
/// Deltas that matter are found one by one from the back, each by halving: where k of n matter and what fails still
/// fails with more deltas in it, that takes about k · log2 n attempts. Whether or not that is so, the end is a sequence
/// that was tried and that fails, and of which every single delta is then left out once. Indices may change only where
/// the workload's other deltas show the same class.
///
/// `sequence` itself must show it; `attempt` is never asked twice about the same sequence.
pub fn smallest_sequence<E>(
    sequence: &[u32],
    attempt: impl FnMut(&[u32]) -> Result<Attempt, E>,
) -> Result<SmallestSequence, E> {
    let mut search = Search { attempt, known: BTreeMap::new(), spent: false, found: sequence.to_vec() };
    search.drop_deltas()?;
    // A change of order or of indices may make another delta superfluous, so that all is done until nothing changes.
    loop {
        let before = search.found.clone();
        search.drop_single_deltas()?;
        let minimal = !search.spent;
        search.sort_neighbours()?;
        search.lower_indices()?;
        if search.found == before || search.spent {
            // What changed last has not been looked through, unless nothing did.
            let minimal = minimal && search.found == before;
            return Ok(SmallestSequence { found: search.found, minimal });
        }
    }
}

struct Search<A> {
    attempt: A,
    known: BTreeMap<Vec<u32>, bool>,
    spent: bool,
    /// The smallest sequence so far that shows the finding.
    found: Vec<u32>,
}

impl<A, E> Search<A>
where
    A: FnMut(&[u32]) -> Result<Attempt, E>,
{
    /// Whether this sequence shows the same; then it is the new smallest one. `false` when no replays are left.
    fn take(&mut self, sequence: Vec<u32>) -> Result<bool, E> {
        if self.spent || sequence.is_empty() {
            return Ok(false);
        }
        let same = match self.known.get(&sequence) {
            Some(&same) => same,
            None => match (self.attempt)(&sequence)? {
                Attempt::Spent => {
                    self.spent = true;
                    return Ok(false);
                }
                outcome => outcome == Attempt::Same,
            },
        };
        self.known.insert(sequence.clone(), same);
        if same {
            self.found = sequence;
        }
        Ok(same)
    }

    fn drop_deltas(&mut self) -> Result<(), E> {
        let mut front = self.found.clone();
        let mut kept: Vec<u32> = Vec::new();
        while !front.is_empty() && !self.take(kept.clone())? {
            // The shortest part of the front that still fails with what is kept: its last delta matters.
            let (mut passes, mut fails) = (0, front.len());
            while fails - passes > 1 && !self.spent {
                let middle = passes + (fails - passes) / 2;
                if self.take([&front[..middle], &kept].concat())? {
                    fails = middle;
                } else {
                    passes = middle;
                }
            }
            if self.spent {
                break;
            }
            kept.insert(0, front[fails - 1]);
            front.truncate(fails - 1);
        }
        Ok(())
    }

    fn drop_single_deltas(&mut self) -> Result<(), E> {
        let mut place = 0;
        while place < self.found.len() {
            let mut shorter = self.found.clone();
            shorter.remove(place);
            place = if self.take(shorter)? { 0 } else { place + 1 };
        }
        Ok(())
    }

    fn sort_neighbours(&mut self) -> Result<(), E> {
        let mut place = 0;
        while place + 1 < self.found.len() {
            let mut swapped = self.found.clone();
            swapped.swap(place, place + 1);
            let out_of_order = self.found[place] > self.found[place + 1];
            place = if out_of_order && self.take(swapped)? { place.saturating_sub(1) } else { place + 1 };
        }
        Ok(())
    }

    /// All indices at once, to the smallest that keep their order, or else one by one to the smallest that is free.
    fn lower_indices(&mut self) -> Result<(), E> {
        let mut sorted = self.found.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let rank = |index: &u32| sorted.partition_point(|other| other < index) as u32;
        let ranks: Vec<u32> = self.found.iter().map(rank).collect();
        if ranks == self.found || self.take(ranks)? {
            return Ok(());
        }
        for place in 0..self.found.len() {
            let free = (0..self.found[place]).find(|index| !self.found.contains(index));
            if let Some(free) = free {
                let mut lower = self.found.clone();
                lower[place] = free;
                self.take(lower)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn containing<'a>(needed: &'a [u32]) -> impl FnMut(&[u32]) -> Result<bool, Infallible> + 'a {
        move |items| Ok(needed.iter().all(|n| items.contains(n)))
    }

    proptest! {
        #[test]
        fn what_matters_stays_and_all_else_goes(len in 1..200u32, a in 0..200u32, b in 0..200u32) {
            let items: Vec<u32> = (0..len).collect();
            let mut needed: Vec<u32> = vec![a % len, b % len];
            needed.sort_unstable();
            needed.dedup();
            let Ok(smallest) = fewest_items(&items, u32::MAX, containing(&needed));
            prop_assert_eq!(smallest.found, needed);
            prop_assert!(smallest.neighbours_pass);
        }

        #[test]
        fn the_first_failing_number_is_found(edge in 1..u32::MAX) {
            let Ok(smallest) = smallest_number(0, u32::MAX, |n| Ok::<_, Infallible>(n >= edge));
            prop_assert_eq!(smallest.found, edge);
            prop_assert!(smallest.replays <= 32);
        }
    }

    #[test]
    fn a_spent_bound_is_told() {
        let items: Vec<u32> = (0..200).collect();
        let Ok(smallest) = fewest_items(&items, 5, containing(&[3, 150]));
        assert_eq!(smallest.replays, 5);
        assert!(!smallest.neighbours_pass);
        assert!(smallest.found.contains(&3) && smallest.found.contains(&150));
    }

    /// Whether these deltas arrive in this order, whatever lies between them.
    fn arrive(pattern: &[u32], sequence: &[u32]) -> bool {
        let mut rest = sequence.iter();
        pattern.iter().all(|delta| rest.any(|other| other == delta))
    }

    /// The smallest sequence with the pattern in it, and how many attempts that took.
    fn smallest(sequence: &[u32], pattern: &[u32], bound: u32) -> (SmallestSequence, u32) {
        let mut attempts = 0;
        let found = smallest_sequence(sequence, |sequence| {
            if attempts == bound {
                return Ok::<Attempt, Infallible>(Attempt::Spent);
            }
            attempts += 1;
            Ok(if arrive(pattern, sequence) { Attempt::Same } else { Attempt::Other })
        });
        let Ok(found) = found;
        (found, attempts)
    }

    proptest! {
        #[test]
        fn up_to_three_deltas_of_64_that_matter_are_found_within_fifty_attempts(
            sequence in Just((0..64).collect::<Vec<u32>>()).prop_shuffle(),
            mut places in proptest::collection::btree_set(0..64usize, 1..4),
        ) {
            let pattern: Vec<u32> = std::mem::take(&mut places).into_iter().map(|place| sequence[place]).collect();
            let (smallest, attempts) = smallest(&sequence, &pattern, u32::MAX);
            prop_assert_eq!(smallest, SmallestSequence { found: pattern, minimal: true });
            prop_assert!(attempts <= 50, "{} attempts", attempts);
        }

        #[test]
        fn whatever_fails_the_end_was_tried_and_no_delta_of_it_can_be_left_out(
            sequence in Just((0..12).collect::<Vec<u32>>()).prop_shuffle(),
            key: u64,
        ) {
            // Fails or passes as a hash of the set says: nothing is monotone.
            let fails = |sequence: &[u32]| {
                let set = sequence.iter().fold(0u64, |set, delta| set | 1 << delta);
                sequence.len() == 12 || (set ^ key).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 62 == 0
            };
            let Ok(smallest) = smallest_sequence(&sequence, |sequence| {
                Ok::<Attempt, Infallible>(if fails(sequence) { Attempt::Same } else { Attempt::Other })
            });
            prop_assert!(fails(&smallest.found) && smallest.minimal);
            for place in 0..smallest.found.len() {
                let mut shorter = smallest.found.clone();
                shorter.remove(place);
                prop_assert!(shorter.is_empty() || !fails(&shorter));
            }
        }
    }

    #[test]
    fn neighbours_are_sorted_and_indices_lowered_where_that_shows_the_same() {
        // Any three deltas fail whose first is the largest.
        let Ok(smallest) = smallest_sequence(&[9, 40, 17, 33, 21, 5], |sequence| {
            let fails = sequence.len() >= 3 && sequence.iter().max() == sequence.iter().rev().nth(2);
            Ok::<Attempt, Infallible>(if fails { Attempt::Same } else { Attempt::Other })
        });
        assert_eq!(smallest, SmallestSequence { found: vec![2, 0, 1], minimal: true });
    }

    #[test]
    fn without_replays_left_the_smallest_so_far_is_given_and_not_called_minimal() {
        let sequence: Vec<u32> = (0..64).rev().collect();
        for bound in 0..20 {
            let (smallest, attempts) = smallest(&sequence, &[60, 30, 3], bound);
            assert_eq!((attempts, smallest.minimal), (bound, false));
            assert!(arrive(&[60, 30, 3], &smallest.found));
        }
    }
}
