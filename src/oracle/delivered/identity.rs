//! What tells two orders of the same deltas apart, and how many different ones were delivered.

use std::collections::BTreeSet;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::domain::explorer::IdentifiedBy;

/// The identity of an order on its way.
pub enum Identity {
    /// The rank so far: the numbers of smaller deltas still to come, in factorial base.
    Rank {
        /// In lexicographic order among the orders that begin with as many deliveries.
        rank: u64,
        /// A bit for every delta that came.
        came: u32,
        /// Deltas that are still to come.
        left: u64,
    },
    /// The hash so far.
    Hash(SipHasher24),
}

impl Identity {
    /// Of an order of so many deltas, of which none has come.
    pub fn new(deltas: u64) -> Self {
        match IdentifiedBy::of(deltas) {
            IdentifiedBy::LehmerRank => Identity::Rank { rank: 0, came: 0, left: deltas },
            IdentifiedBy::SipHash128 => Identity::Hash(SipHasher24::new_with_keys(0, 0)),
        }
    }

    /// Takes what is delivered next.
    pub fn deliver(&mut self, indices: &[u32]) {
        match self {
            Identity::Rank { rank, came, left } => {
                for &index in indices {
                    let smaller_came = (*came & ((1 << index) - 1)).count_ones();
                    *rank = *rank * *left + u64::from(index - smaller_came);
                    *came |= 1 << index;
                    *left -= 1;
                }
            }
            Identity::Hash(hasher) => {
                let mut bytes = [0; 256];
                for indices in indices.chunks(64) {
                    for (place, index) in bytes.chunks_exact_mut(4).zip(indices) {
                        place.copy_from_slice(&index.to_le_bytes());
                    }
                    hasher.write(&bytes[..4 * indices.len()]);
                }
            }
        }
    }

    /// The rank or the hash.
    pub fn finish(&self) -> u128 {
        match self {
            Identity::Rank { rank, .. } => u128::from(*rank),
            Identity::Hash(hasher) => hasher.finish128().as_u128(),
        }
    }
}

/// The different orders among those that came.
pub enum Distinct {
    /// A bit for every order that there is, by rank, where all of them are to come.
    Bits {
        /// How many there are.
        all: u64,
        /// The bits.
        bits: Vec<u64>,
        /// How many are set.
        set: u64,
    },
    /// The identities.
    Identities(BTreeSet<u128>),
}

impl Distinct {
    /// None so far. `all` is how many there are, if all of them are to come.
    pub fn none(all: Option<u64>) -> Self {
        match all {
            Some(all) => Distinct::Bits { all, bits: vec![0; all.div_ceil(64) as usize], set: 0 },
            None => Distinct::Identities(BTreeSet::new()),
        }
    }

    /// Adds an order.
    pub fn add(&mut self, identity: u128) {
        match self {
            Distinct::Bits { bits, set, .. } => {
                let (word, bit) = ((identity / 64) as usize, 1 << (identity % 64));
                *set += u64::from(bits[word] & bit == 0);
                bits[word] |= bit;
            }
            Distinct::Identities(identities) => {
                identities.insert(identity);
            }
        }
    }

    /// What every identity is below, where each of them has a bit.
    pub fn most(&self) -> Option<u64> {
        match self {
            Distinct::Bits { all, .. } => Some(*all),
            Distinct::Identities(_) => None,
        }
    }

    /// How many differ.
    pub fn number(&self) -> u64 {
        match self {
            Distinct::Bits { set, .. } => *set,
            Distinct::Identities(identities) => identities.len() as u64,
        }
    }
}

/// A hash of identities in the order in which they came, as 32 hexadecimal digits: SipHash-2-4 with 128 bits, under the
/// key 0, of each as 16 bytes, lowest first.
pub struct Sequence(SipHasher24);

impl Default for Sequence {
    fn default() -> Self {
        Sequence(SipHasher24::new_with_keys(0, 0))
    }
}

impl Sequence {
    /// Takes the next.
    pub fn add(&mut self, identity: u128) {
        self.0.write(&identity.to_le_bytes());
    }

    /// The hash, highest digit first.
    pub fn text(&self) -> String {
        format!("{:032x}", self.0.finish128().as_u128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(order: &[u32]) -> u128 {
        let mut identity = Identity::new(order.len() as u64);
        identity.deliver(order);
        identity.finish()
    }

    #[test]
    fn the_ranks_of_all_orders_are_all_numbers_below_their_factorial() {
        assert_eq!(
            [&[0, 1, 2], &[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]].map(|o| identity(o)),
            [0, 1, 2, 3, 4, 5]
        );
        let backwards: Vec<u32> = (0..20).rev().collect();
        assert_eq!(identity(&backwards), 2_432_902_008_176_640_000 - 1);
    }

    #[test]
    fn the_hash_of_a_longer_order_depends_on_the_order_and_not_on_how_it_is_cut() {
        let given: Vec<u32> = (0..21).collect();
        let mut other = given.clone();
        other.swap(19, 20);
        assert_ne!(identity(&given), identity(&other));
        let mut parts = Identity::new(21);
        given.chunks(4).for_each(|part| parts.deliver(part));
        assert_eq!(parts.finish(), identity(&given));
    }

    #[test]
    fn what_comes_again_is_counted_once() {
        for mut distinct in [Distinct::none(Some(120)), Distinct::none(None)] {
            [0, 119, 64, 0, 64].into_iter().for_each(|identity| distinct.add(identity));
            assert_eq!(distinct.number(), 3);
        }
    }
}
