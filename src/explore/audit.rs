//! Whether drawn orders look drawn: how many of them differ, and how many inversions they have.
//!
//! Knows: what chance gives. Must not: know where the orders come from.

use std::collections::BTreeMap;

use crate::domain::explorer::Audit;

/// Positions of each order that are looked at. A random order has at any of its positions a random order of what they
/// deliver, so that a part tells as well as the whole.
pub const POSITIONS: u64 = 256;

/// Orders that are looked at.
pub const ORDERS: u64 = 256;

/// Standard deviations that chance is granted. A normal variable is further off once in five hundred million times.
const GRANTED: f64 = 6.0;

/// The positions to look at in an order of so many deltas.
pub fn positions(deltas: u64) -> impl Iterator<Item = u64> {
    let looked_at = POSITIONS.min(deltas);
    (0..looked_at).map(move |place| (u128::from(place) * u128::from(deltas) / u128::from(looked_at)) as u64)
}

/// Audits orders of `deltas` deltas, of which each is given by what it delivers at the [`positions`].
pub fn audit(deltas: u64, orders: impl Iterator<Item = Vec<u64>>) -> Audit {
    let positions = POSITIONS.min(deltas);
    let mut alike: BTreeMap<Vec<u64>, u64> = BTreeMap::new();
    let (mut number, mut sum, mut sum_of_squares) = (0u64, 0.0, 0.0);
    // Mean n(n-1)/4 and variance n(n-1)(2n+5)/72 (Knuth, TAOCP 3, section 5.1.1).
    let n = positions as f64;
    let (mean, variance) = (n * (n - 1.0) / 4.0, n * (n - 1.0) * (2.0 * n + 5.0) / 72.0);
    for order in orders {
        number += 1;
        if positions > 1 {
            let off_by = (inversions(&order) as f64 - mean) / variance.sqrt();
            sum += off_by;
            sum_of_squares += off_by * off_by;
        }
        *alike.entry(order).or_default() += 1;
    }
    let k = number as f64;
    let off_by = if number > 0 { sum / k.sqrt() } else { 0.0 };
    // The squares have mean k and at most the variance of a normal variable's, 2k: an order has lighter tails.
    let spread = if number > 0 && positions > 1 { (sum_of_squares - k) / (2.0 * k).sqrt() } else { 0.0 };
    let pairs_alike: f64 = alike.values().map(|&times| times as f64 * (times - 1) as f64 / 2.0).sum();
    // Of k(k-1)/2 pairs each is alike by chance once in as many times as there are orders; that number of pairs is close
    // to Poisson's where it is small, and the eight more allow for its heavier tail.
    let there_are: f64 = (0..positions).map(|taken| (deltas - taken) as f64).product();
    let expected_alike = k * (k - 1.0) / 2.0 / there_are;
    let rejected = if pairs_alike > expected_alike + GRANTED * expected_alike.sqrt() + 8.0
        || (pairs_alike > 0.0 && expected_alike < 1e-9)
    {
        Some(format!(
            "{number} drawn orders hold only {} different ones: {pairs_alike} pairs are alike, and chance gives \
             {expected_alike:.1}",
            alike.len()
        ))
    } else if off_by.abs() > GRANTED {
        Some(format!("the inversions of {number} drawn orders are {off_by:.1} standard deviations from their mean"))
    } else if spread.abs() > GRANTED + 2.0 {
        Some(format!("the inversions of {number} drawn orders vary as those of random ones do not"))
    } else {
        None
    };
    Audit {
        orders: number,
        distinct: alike.len() as u64,
        positions,
        inversions_off_by: (off_by * 1000.0).round() as i64,
        rejected,
    }
}

fn inversions(order: &[u64]) -> usize {
    (0..order.len()).map(|i| order[i + 1..].iter().filter(|&&later| later < order[i]).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;

    fn rejected(orders: Vec<Vec<u64>>) -> String {
        let deltas = orders[0].len() as u64;
        audit(deltas, orders.into_iter()).rejected.expect("it is no random stream")
    }

    #[test]
    fn streams_that_are_not_random_are_rejected_with_the_reason() {
        let given: Vec<u64> = (0..64).collect();
        let shuffled = |number: u64| {
            let mut order = given.clone();
            Seed::new(7).stream("audit").member(number).shuffle(&mut order);
            order
        };
        let rotated = |by: usize| [&given[by..], &given[..by]].concat();
        let half_sorted = |number: u64| {
            let mut order = shuffled(number);
            order[..40].sort_unstable();
            order
        };
        // Every order and its mirror image: the mean is right and nothing else.
        let mirrored =
            |number: u64| if number.is_multiple_of(2) { given.clone() } else { given.iter().rev().copied().collect() };
        let one_twice = (0..64).map(|number| shuffled(number % 63)).collect();
        insta::assert_debug_snapshot!([
            rejected(vec![shuffled(3); 64]),
            rejected(vec![given.clone(); 64]),
            rejected(one_twice),
            rejected((0..64).map(half_sorted).collect()),
            rejected((0..64).map(|by| rotated(by / 4)).collect()),
            rejected((0..64).map(mirrored).collect()),
            rejected(vec![vec![2, 0, 1, 3, 4]; 64]),
        ]);
        assert_eq!(audit(64, (0..64).map(shuffled)).rejected, None);
    }

    #[test]
    fn orders_as_chance_gives_them_pass_at_every_length() {
        for deltas in [1, 2, 3, 4, 5, 8, 11, 16, 30, 64] {
            for seed in 0..100 {
                let drawn = (0..64).map(|number| {
                    let mut order: Vec<u64> = (0..deltas).collect();
                    Seed::new(seed).stream("audit").member(number).shuffle(&mut order);
                    order
                });
                assert_eq!(audit(deltas, drawn).rejected, None, "{deltas} deltas, seed {seed}");
            }
        }
    }

    #[test]
    fn the_positions_are_spread_over_the_order() {
        assert!(positions(5).eq(0..5));
        assert_eq!(positions(u64::from(u32::MAX)).last(), Some(4_278_190_079));
        assert_eq!(positions(u64::MAX).count(), 256);
    }
}
