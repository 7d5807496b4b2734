//! Makes a failing execution smaller, within a bound on how often it is replayed.

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
}
