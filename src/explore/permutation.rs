//! What each position of an arrival order delivers.
//!
//! Shuffled and listed orders are arrays; all others are computed position by position, so that an order of four
//! thousand million deltas needs no array. `docs/orders.md` describes every order for those who want to compute it
//! without this code.

use crate::domain::order::{Order, Shuffle};
use crate::domain::seed::Seed;
use crate::explore::covering::{self, CoveringError, Family};
use crate::explore::feistel::{self, Feistel};

/// Up to so many deltas a seeded order is a shuffled array, of which every order is equally likely: 512 KiB, which every
/// memory limit allows. Above it is a Feistel network.
const SHUFFLED_UP_TO: u64 = 1 << 17;

/// How the seeded orders of so many deltas are drawn.
pub fn shuffle_of(len: u64) -> Shuffle {
    if len <= SHUFFLED_UP_TO { Shuffle::FisherYates } else { Shuffle::Feistel }
}

/// Bytes that one seeded order of so many deltas takes.
pub fn seeded_bytes(len: u64) -> u64 {
    match shuffle_of(len) {
        Shuffle::FisherYates => len * size_of::<u32>() as u64,
        Shuffle::Feistel => feistel::bytes(len),
    }
}

/// An order of `len` deltas, ready to be delivered.
pub struct Permutation {
    len: u64,
    rule: Rule,
}

enum Rule {
    Rotate(u64),
    Reverse,
    ByBank(Strides),
    Riffle(Strides),
    Array(Vec<u32>),
    Feistel(Feistel),
}

/// Why an order cannot be delivered to a workload, though its text is right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undeliverable {
    /// It belongs to a family that there is not.
    #[error(transparent)]
    NoFamily(#[from] CoveringError),
    /// The family is smaller.
    #[error("{order} is not in its family, whose last order is covering:{strength}:{last}", last = orders - 1)]
    BeyondFamily {
        /// The order.
        order: Order,
        /// The family's strength.
        strength: u32,
        /// How many orders it has.
        orders: u64,
    },
}

/// Whether `order` can be prepared for a workload of `len` deltas. To be asked of every order that comes as a text.
pub fn deliverable(order: &Order, len: u64, seed: Seed) -> Result<(), Undeliverable> {
    let &Order::Covering { strength, number } = order else { return Ok(()) };
    covering::fits(len, strength)?;
    let orders = Family::drawn(len, strength, seed)?.orders().len() as u64;
    if number < orders { Ok(()) } else { Err(Undeliverable::BeyondFamily { order: order.clone(), strength, orders }) }
}

impl Permutation {
    /// Prepares `order` for a workload of `len` deltas; `seed` is what seeded orders are drawn from. Every order but
    /// `exactly:` delivers each delta once; that one delivers what it lists.
    ///
    /// # Panics
    /// If the order is not [`deliverable`].
    pub fn prepare(order: &Order, len: u64, seed: Seed) -> Self {
        let rule = match order {
            Order::Given => Rule::Rotate(0),
            Order::Reverse => Rule::Reverse,
            Order::Rotate(by) => Rule::Rotate(by % len.max(1)),
            Order::HalvesSwapped => Rule::Rotate(len / 2),
            Order::ByBank(banks) => Rule::ByBank(Strides::new(len, *banks)),
            Order::Riffle(runs) => Rule::Riffle(Strides::new(len, *runs)),
            Order::Seeded(number) => {
                let mut stream = seed.stream("orders").member(*number);
                match shuffle_of(len) {
                    Shuffle::FisherYates => {
                        let mut indices: Vec<u32> = (0..len as u32).collect();
                        stream.shuffle(&mut indices);
                        Rule::Array(indices)
                    }
                    Shuffle::Feistel => Rule::Feistel(Feistel::draw(len, &mut stream)),
                }
            }
            Order::Covering { strength, number } => {
                let family = Family::drawn(len, *strength, seed).expect("the order is deliverable");
                Rule::Array(family.orders()[*number as usize].clone())
            }
            Order::Exactly(indices) => {
                return Permutation { len: indices.len() as u64, rule: Rule::Array(indices.clone()) };
            }
        };
        Permutation { len, rule }
    }

    /// How many deliveries the order has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it delivers nothing.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills `indices` with what the positions from `first` on deliver.
    pub fn fill(&self, first: u64, indices: &mut [u64]) {
        let positions = (first..).zip(indices.iter_mut());
        match &self.rule {
            Rule::Rotate(by) => positions.for_each(|(position, index)| {
                let turned = position + by;
                *index = if turned >= self.len { turned - self.len } else { turned };
            }),
            Rule::Reverse => positions.for_each(|(position, index)| *index = self.len - 1 - position),
            Rule::ByBank(strides) => positions.for_each(|(position, index)| *index = strides.by_bank(position)),
            Rule::Riffle(strides) => positions.for_each(|(position, index)| *index = strides.riffle(position)),
            Rule::Array(array) => positions.for_each(|(position, index)| *index = u64::from(array[position as usize])),
            Rule::Feistel(feistel) => positions.for_each(|(position, index)| *index = feistel.index(position)),
        }
    }
}

/// A workload dealt to banks in turn: bank `k` holds `k`, `k + banks`, `k + 2 * banks`, …
struct Strides {
    banks: u64,
    /// How many each bank holds at least.
    each: u64,
    /// How many banks, the first ones, hold one more.
    longer: u64,
}

impl Strides {
    fn new(len: u64, banks: u64) -> Self {
        Strides { banks, each: len / banks, longer: len % banks }
    }

    /// The index at this position when the banks are emptied one after the other.
    fn by_bank(&self, position: u64) -> u64 {
        let in_longer = self.longer * (self.each + 1);
        let (bank, row) = if position < in_longer {
            (position / (self.each + 1), position % (self.each + 1))
        } else {
            let rest = position - in_longer;
            (self.longer + rest / self.each, rest % self.each)
        };
        row * self.banks + bank
    }

    /// The inverse: the workload is cut into runs as long as the banks' shares, and the runs are emptied in turn.
    fn riffle(&self, position: u64) -> u64 {
        let (row, run) = (position / self.banks, position % self.banks);
        run * self.each + run.min(self.longer) + row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

    fn indices(order: &Order, len: u64) -> Vec<u64> {
        let permutation = Permutation::prepare(order, len, SEED);
        let mut indices = vec![u64::MAX; permutation.len() as usize];
        permutation.fill(0, &mut indices);
        indices
    }

    fn any_rule() -> impl Strategy<Value = Order> {
        prop_oneof![
            Just(Order::Given),
            Just(Order::Reverse),
            Just(Order::HalvesSwapped),
            any::<u64>().prop_map(Order::Rotate),
            (1..40u64).prop_map(Order::ByBank),
            (1..40u64).prop_map(Order::Riffle),
            any::<u64>().prop_map(Order::Seeded),
        ]
    }

    proptest! {
        #[test]
        fn every_order_delivers_each_delta_once(order in any_rule(), len in 1..10_000u64) {
            let mut all = indices(&order, len);
            all.sort_unstable();
            prop_assert!(all.iter().copied().eq(0..len));
        }

        #[test]
        fn an_order_of_a_family_delivers_each_delta_once_or_is_not_deliverable(
            len in 1..40u64,
            strength in 2..4u32,
            number in 0..40u64,
        ) {
            let order = Order::Covering { strength, number };
            if deliverable(&order, len, SEED).is_ok() {
                let mut all = indices(&order, len);
                all.sort_unstable();
                prop_assert!(all.iter().copied().eq(0..len));
            }
        }

        #[test]
        fn an_order_filled_in_parts_is_the_same(order in any_rule(), len in 1..6000u64, cut in 0..6000u64) {
            let whole = indices(&order, len);
            let cut = cut.min(len);
            let mut parts = vec![0; len as usize];
            let permutation = Permutation::prepare(&order, len, SEED);
            let (front, back) = parts.split_at_mut(cut as usize);
            permutation.fill(0, front);
            permutation.fill(cut, back);
            prop_assert_eq!(parts, whole);
        }

        #[test]
        fn riffle_undoes_by_bank(len in 1..500u64, banks in 1..40u64) {
            let by_bank = indices(&Order::ByBank(banks), len);
            let riffle = indices(&Order::Riffle(banks), len);
            prop_assert!((0..len).all(|i| riffle[by_bank[i as usize] as usize] == i));
        }
    }

    #[test]
    fn the_named_orders_of_ten_deltas() {
        let shown: Vec<String> =
            ["given", "reverse", "rotate:3", "halves-swapped", "by-bank:4", "riffle:4", "exactly:5.5.0"]
                .iter()
                .map(|text| format!("{text}: {:?}", indices(&text.parse().expect("an order"), 10)))
                .collect();
        insta::assert_debug_snapshot!(shown);
    }

    #[test]
    fn an_order_beyond_its_family_is_told() {
        let told = |text: &str, len| {
            let order = text.parse().expect("an order");
            deliverable(&order, len, SEED).map_err(|error| error.to_string())
        };
        assert_eq!(told("covering:2:1", 9), Ok(()));
        assert_eq!(
            told("covering:2:2", 9),
            Err("covering:2:2 is not in its family, whose last order is covering:2:1".to_owned())
        );
        assert!(told("covering:3:0", 2).is_err());
    }

    #[test]
    fn golden_seeded_orders_short_and_long() {
        let long = Permutation::prepare(&Order::Seeded(3), 4_294_967_295, SEED);
        let mut first = [0; 6];
        long.fill(0, &mut first);
        insta::assert_compact_debug_snapshot!((indices(&Order::Seeded(3), 10), first));
    }
}
