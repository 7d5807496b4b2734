//! Families of orders in which every ordered tuple of deliveries occurs.
//!
//! A sequence covering array of strength T over n deltas is a list of permutations such that every T distinct deltas
//! come, in each of their T! orders and with anything between them, in at least one of it (Kuhn, Higdon, Lawrence,
//! Kacker and Lei, "Combinatorial Methods for Event Sequence Testing", ICST 2012; Chee, Colbourn, Horsley and Zhou,
//! "Sequence Covering Arrays", SIAM J. Discrete Math. 27(4), 2013). Whatever depends on the order of at most T deltas
//! shows in one of them.
//!
//! Knows: how such a family is made. Must not: warrant what it covers; that is counted where its orders are delivered.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::explorer::{Claim, Explorer};
use crate::domain::order::Order;
use crate::domain::seed::{Seed, Stream};

/// What it is called.
pub const NAME: &str = "covering";

/// The strengths that a family may have.
pub const STRENGTHS: std::ops::RangeInclusive<u32> = 2..=6;

/// The most tuples, n^T, that a family is made for. They take a bit each, twice 2 MiB in all, and the largest families
/// take seconds to make.
pub const MOST_TUPLES: u64 = 1 << 24;

/// Bytes for so many tuples, n^T: a bit each, while a family is made and again while it is counted.
pub fn bytes_to_count(tuples: u64) -> u64 {
    2 * tuples.div_ceil(8)
}

/// Why there is no family of this strength for a workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoveringError {
    /// The strength is none.
    #[error("covering:{0} is not a plan; allowed are strengths from {least} to {most}", least = STRENGTHS.start(), most = STRENGTHS.end())]
    Strength(u32),
    /// So many distinct deliveries are not made.
    #[error("covering:{strength} needs {strength} distinct deliveries, and COUNT {deltas} makes fewer{}", instead(*deltas))]
    TooFew {
        /// The strength.
        strength: u32,
        /// Deltas of the workload.
        deltas: u64,
    },
    /// The tuples cannot be counted.
    #[error(
        "covering:{strength} of {deltas} deltas has to count {deltas}^{strength} tuples, and at most {MOST_TUPLES} are \
         counted{}",
        instead(*deltas)
    )]
    TooMany {
        /// The strength.
        strength: u32,
        /// Deltas of the workload.
        deltas: u64,
    },
}

fn instead(deltas: u64) -> String {
    strongest(deltas)
        .map_or_else(String::new, |strength| format!("; the strongest that is made is covering:{strength}"))
}

/// Whether a family of this strength is made for so many deltas.
pub fn fits(deltas: u64, strength: u32) -> Result<(), CoveringError> {
    if !STRENGTHS.contains(&strength) {
        return Err(CoveringError::Strength(strength));
    }
    if deltas < strength.into() {
        return Err(CoveringError::TooFew { strength, deltas });
    }
    match deltas.checked_pow(strength) {
        Some(tuples) if tuples <= MOST_TUPLES => Ok(()),
        _ => Err(CoveringError::TooMany { strength, deltas }),
    }
}

/// The largest strength of which a family is made for so many deltas.
pub fn strongest(deltas: u64) -> Option<u32> {
    STRENGTHS.rev().find(|&strength| fits(deltas, strength).is_ok())
}

/// A family of orders.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    orders: Vec<Vec<u32>>,
}

impl Family {
    /// The family of this strength for so many deltas, drawn from this seed: the same one every time.
    pub fn drawn(deltas: u64, strength: u32, seed: Seed) -> Result<Arc<Family>, CoveringError> {
        type Key = (u64, u32, Seed);
        // Every order of a run asks for its family: the last one is kept.
        static LAST: Mutex<Option<(Key, Arc<Family>)>> = Mutex::new(None);
        fits(deltas, strength)?;
        let key = (deltas, strength, seed);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kept, family)) = &*last
            && *kept == key
        {
            return Ok(Arc::clone(family));
        }
        let mut stream = seed.stream(NAME).member(strength.into());
        let orders = construct(deltas as usize, strength as usize, &mut stream);
        let family = Arc::new(Family { orders });
        *last = Some((key, Arc::clone(&family)));
        Ok(family)
    }

    /// Its orders, each a permutation of `0..deltas`.
    pub fn orders(&self) -> &[Vec<u32>] {
        &self.orders
    }
}

/// One bit for every tuple of deltas, the first of them being the most significant digit of its number to the base n.
struct Tuples {
    deltas: usize,
    strength: usize,
    bits: Vec<u64>,
}

impl Tuples {
    fn none(deltas: usize, strength: usize) -> Self {
        let bits = vec![0; deltas.pow(strength as u32).div_ceil(64)];
        Tuples { deltas, strength, bits }
    }

    #[inline]
    fn has(&self, tuple: usize) -> bool {
        self.bits[tuple / 64] >> (tuple % 64) & 1 == 1
    }

    /// Adds every tuple that this order delivers, neighbours or not.
    fn mark(&mut self, order: &[u32]) {
        self.mark_after(order, self.strength, 0);
    }

    fn mark_after(&mut self, rest: &[u32], missing: usize, tuple: usize) {
        if missing == 0 {
            self.bits[tuple / 64] |= 1 << (tuple % 64);
            return;
        }
        for (place, &delta) in rest.iter().enumerate() {
            self.mark_after(&rest[place + 1..], missing - 1, tuple * self.deltas + delta as usize);
        }
    }

    /// The first tuple of distinct deltas, from the one with this number on and round, that is not there.
    fn missing_from(&self, start: usize) -> Option<Vec<u32>> {
        let all = self.deltas.pow(self.strength as u32);
        let digits = |mut tuple: usize| {
            let mut digits = vec![0; self.strength];
            for digit in digits.iter_mut().rev() {
                *digit = (tuple % self.deltas) as u32;
                tuple /= self.deltas;
            }
            digits
        };
        let distinct = |digits: &Vec<u32>| (1..digits.len()).all(|place| !digits[..place].contains(&digits[place]));
        (start..all).chain(0..start).filter(|&tuple| !self.has(tuple)).map(digits).find(distinct)
    }
}

/// Permutations that cover every tuple, each followed by its reverse: a greedy construction as Kuhn's and Chee's, but
/// built delta by delta. The first is drawn. Every other begins with a tuple that is still missing, so that the family
/// ends, and takes the remaining deltas in drawn order, each at the place where it adds most missing tuples. As each
/// order stands beside its reverse, a tuple is missing whenever its reverse is, and only one direction is looked at.
fn construct(deltas: usize, strength: usize, stream: &mut Stream) -> Vec<Vec<u32>> {
    let mut covered = Tuples::none(deltas, strength);
    let mut orders = Vec::new();
    loop {
        let start = stream.below(deltas.pow(strength as u32) as u64) as usize;
        let mut drawn: Vec<u32> = (0..deltas as u32).collect();
        stream.shuffle(&mut drawn);
        let order = if orders.is_empty() {
            drawn
        } else {
            let Some(mut order) = covered.missing_from(start) else { return orders };
            let begun = order.clone();
            for delta in drawn.into_iter().filter(|delta| !begun.contains(delta)) {
                let place = Insertion::of(delta, &order, &covered).best_place();
                order.insert(place, delta);
            }
            order
        };
        let reverse: Vec<u32> = order.iter().rev().copied().collect();
        covered.mark(&order);
        covered.mark(&reverse);
        orders.extend([order, reverse]);
    }
}

/// What a delta would add to an order at each place.
struct Insertion<'a> {
    order: &'a [u32],
    covered: &'a Tuples,
    /// Where the number of missing tuples that would be added changes, and by how much.
    steps: Vec<i32>,
}

/// One more digit than the largest strength.
const DIGITS: usize = *STRENGTHS.end() as usize + 1;

impl<'a> Insertion<'a> {
    fn of(delta: u32, order: &'a [u32], covered: &'a Tuples) -> Self {
        let mut insertion = Insertion { order, covered, steps: vec![0; order.len() + 2] };
        let mut numbers = [0; DIGITS];
        numbers[0] = delta as usize;
        insertion.visit(delta as usize, 0, 0, 0, numbers, [0; DIGITS]);
        insertion
    }

    /// Goes through the sets of deltas that make a tuple together with the new one. `chosen` of them stand at `places`;
    /// `number` is theirs, and `numbers[g]` the one with the new delta after the first `g` of them.
    fn visit(
        &mut self,
        delta: usize,
        chosen: usize,
        from: usize,
        number: usize,
        numbers: [usize; DIGITS],
        mut places: [usize; DIGITS],
    ) {
        if chosen + 1 == self.covered.strength {
            for (gap, &tuple) in numbers[..=chosen].iter().enumerate() {
                if !self.covered.has(tuple) {
                    let first = if gap == 0 { 0 } else { places[gap - 1] + 1 };
                    let after_last = if gap == chosen { self.order.len() } else { places[gap] } + 1;
                    self.steps[first] += 1;
                    self.steps[after_last] -= 1;
                }
            }
            return;
        }
        let base = self.covered.deltas;
        for place in from..self.order.len() {
            let digit = self.order[place] as usize;
            let mut longer = numbers;
            longer[..=chosen].iter_mut().for_each(|tuple| *tuple = *tuple * base + digit);
            let number = number * base + digit;
            longer[chosen + 1] = number * base + delta;
            places[chosen] = place;
            self.visit(delta, chosen + 1, place + 1, number, longer, places);
        }
    }

    /// The first of the places that add most.
    fn best_place(&self) -> usize {
        let (mut added, mut best, mut most) = (0, 0, i32::MIN);
        for (place, step) in self.steps[..=self.order.len()].iter().enumerate() {
            added += step;
            if added > most {
                (best, most) = (place, added);
            }
        }
        best
    }
}

/// The orders of a covering family, all of them or none.
#[derive(Clone, Copy, Debug)]
pub struct Covering {
    /// T: the length of the tuples.
    pub strength: u32,
    /// What the family is drawn from.
    pub seed: Seed,
}

impl Explorer for Covering {
    fn name(&self) -> &'static str {
        NAME
    }

    /// 0 if there is no such family.
    fn number(&self, deltas: u64) -> Option<u64> {
        Some(Family::drawn(deltas, self.strength, self.seed).map_or(0, |family| family.orders.len() as u64))
    }

    /// Empty if the family has more than `limit` orders, or if there is none: a part of a family covers less.
    fn orders(&self, deltas: u64, limit: u64) -> Box<dyn Iterator<Item = Order>> {
        let strength = self.strength;
        let orders = self.number(deltas).filter(|&orders| orders <= limit).unwrap_or(0);
        Box::new((0..orders).map(move |number| Order::Covering { strength, number }))
    }

    /// A bit for every tuple, while the family is made and again while it is counted, and its orders.
    fn bytes(&self, deltas: u64) -> u64 {
        let orders = self.number(deltas).unwrap_or(0);
        bytes_to_count(deltas.saturating_pow(self.strength))
            .saturating_add(orders.saturating_mul(deltas).saturating_mul(size_of::<u32>() as u64))
    }

    fn claim(&self, _deltas: u64) -> Claim {
        Claim::EveryTuple { strength: self.strength }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

    /// The ordered tuples of this length that these orders deliver, by the plainest means.
    fn plain_tuples(orders: &[Vec<u32>], strength: usize) -> usize {
        fn extend(tuples: &mut BTreeSet<Vec<u32>>, tuple: &mut Vec<u32>, rest: &[u32], missing: usize) {
            if missing == 0 {
                tuples.insert(tuple.clone());
                return;
            }
            for (place, &delta) in rest.iter().enumerate() {
                tuple.push(delta);
                extend(tuples, tuple, &rest[place + 1..], missing - 1);
                tuple.pop();
            }
        }
        let mut tuples = BTreeSet::new();
        orders.iter().for_each(|order| extend(&mut tuples, &mut Vec::new(), order, strength));
        tuples.len()
    }

    /// n (n - 1) ... (n - T + 1).
    fn all_tuples(deltas: u64, strength: u32) -> usize {
        (0..u64::from(strength)).map(|taken| deltas - taken).product::<u64>() as usize
    }

    #[test]
    fn every_ordered_triple_of_64_deltas_occurs_in_at_most_40_orders() {
        for seed in [SEED, Seed::new(0), Seed::new(1), Seed::new(u64::MAX)] {
            let family = Family::drawn(64, 3, seed).expect("it fits");
            assert!(family.orders().len() <= 40, "{seed}: {} orders", family.orders().len());
            assert_eq!(plain_tuples(family.orders(), 3), 64 * 63 * 62);
        }
    }

    #[test]
    fn pairs_take_an_order_and_its_reverse() {
        for deltas in [2, 3, 64, 4096] {
            let family = Family::drawn(deltas, 2, SEED).expect("it fits");
            let [order, reverse] = family.orders() else { panic!("{} orders", family.orders().len()) };
            assert!(order.iter().eq(reverse.iter().rev()));
        }
    }

    #[test]
    fn the_size_of_a_family_by_strength_and_deltas() {
        let sizes: Vec<String> =
            [(2, 4096), (3, 3), (3, 10), (3, 64), (3, 128), (4, 4), (4, 10), (4, 24), (5, 12), (6, 8)]
                .iter()
                .map(|&(strength, deltas)| {
                    let family = Family::drawn(deltas, strength, SEED).expect("it fits");
                    format!("T={strength} n={deltas}: {}", family.orders().len())
                })
                .collect();
        insta::assert_debug_snapshot!(sizes);
    }

    #[test]
    fn golden_first_orders_of_a_family() {
        let family = Family::drawn(8, 3, SEED).expect("it fits");
        insta::assert_compact_debug_snapshot!(family.orders()[..4]);
    }

    proptest! {
        #[test]
        fn every_family_is_of_permutations_and_covers_every_tuple(deltas in 2..14u64, strength in 2..5u32, seed: u64) {
            prop_assume!(u64::from(strength) <= deltas);
            let family = Family::drawn(deltas, strength, Seed::new(seed)).expect("it fits");
            prop_assert_eq!(plain_tuples(family.orders(), strength as usize), all_tuples(deltas, strength));
            for order in family.orders() {
                let mut sorted = order.clone();
                sorted.sort_unstable();
                prop_assert!(sorted.iter().copied().eq(0..deltas as u32));
            }
        }
    }

    #[test]
    fn what_cannot_be_covered_is_refused_with_its_cost_and_the_strongest_that_fits() {
        let refused = |deltas, strength| Family::drawn(deltas, strength, SEED).expect_err("no family").to_string();
        insta::assert_debug_snapshot!([
            refused(64, 1),
            refused(64, 7),
            refused(2, 3),
            refused(1, 2),
            refused(257, 3),
            refused(65, 4),
            refused(4097, 2),
            refused(u64::MAX, 6),
        ]);
    }

    #[test]
    fn a_family_is_given_whole_or_not_at_all() {
        let covering = Covering { strength: 3, seed: SEED };
        let whole: Vec<Order> = covering.orders(10, 1000).collect();
        assert_eq!(whole[1], Order::Covering { strength: 3, number: 1 });
        let size = whole.len() as u64;
        assert!(covering.orders(10, size - 1).next().is_none());
    }
}
