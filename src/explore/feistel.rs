//! A random permutation of `0..len` that is computed position by position: a Feistel network whose round functions are
//! tables of random numbers.
//!
//! A position of `bits` bits is split into a low and a high half. Even rounds change the high half by a table entry that
//! the low half selects, odd rounds the low half by one that the high half selects (Luby and Rackoff, "How to Construct
//! Pseudorandom Permutations from Pseudorandom Functions", SIAM J. Comput. 17(2), 1988). The tables are drawn from
//! ChaCha20, so that each round function is a random function and not a keyed mix. A result outside `0..len` is sent
//! through the network again until it falls inside: cycle walking (Black and Rogaway, "Ciphers with Arbitrary Finite
//! Domains", CT-RSA 2002), which takes fewer than two passes on average.
//!
//! `docs/orders.md` describes it for those who want to compute the same orders without this code.

use crate::domain::seed::Stream;

/// Rounds of the network. Known distinguishers of `r` rounds with halves of `w` bits need about `2^((r - 4) w)`
/// permutations (Patarin, "Generic Attacks on Feistel Schemes", ASIACRYPT 2001).
pub const ROUNDS: usize = 12;

/// A drawn permutation of `0..len`, `len` from 5 to 2^32.
pub struct Feistel {
    len: u64,
    low_bits: u32,
    /// The entries of each round's table, [`ROUNDS`] tables one after the other.
    tables: Vec<u16>,
    /// Where each table begins.
    starts: [usize; ROUNDS],
}

/// Bits of the low and of the high half for so many deltas.
fn halves(len: u64) -> (u32, u32) {
    let bits = (u64::BITS - (len - 1).leading_zeros()).max(2);
    (bits / 2, bits - bits / 2)
}

/// Bytes of the tables for so many deltas.
pub fn bytes(len: u64) -> u64 {
    let (low, high) = halves(len);
    ((1 << low) + (1 << high)) * (ROUNDS as u64 / 2) * size_of::<u16>() as u64
}

impl Feistel {
    /// Draws the tables, the first round's first: each 64-bit word of the stream gives four entries, lowest 16 bits
    /// first, and an entry keeps as many of its lowest bits as the half that it changes has.
    pub fn draw(len: u64, stream: &mut Stream) -> Self {
        let (low, high) = halves(len);
        let (mut tables, mut starts) = (Vec::new(), [0; ROUNDS]);
        for (round, start) in starts.iter_mut().enumerate() {
            let (selects, changes) = if round % 2 == 0 { (low, high) } else { (high, low) };
            *start = tables.len();
            let end = *start + (1 << selects);
            while tables.len() < end {
                let word = stream.word();
                let entries = (0..4).map(|place| (word >> (16 * place)) as u16 & (u16::MAX >> (16 - changes)));
                tables.extend(entries.take(end - tables.len()));
            }
        }
        Feistel { len, low_bits: low, tables, starts }
    }

    /// What this position delivers.
    #[inline]
    pub fn index(&self, position: u64) -> u64 {
        let mask = (1usize << self.low_bits) - 1;
        let (mut low, mut high) = (position as usize & mask, position as usize >> self.low_bits);
        loop {
            for pair in self.starts.chunks_exact(2) {
                high ^= usize::from(self.tables[pair[0] + low]);
                low ^= usize::from(self.tables[pair[1] + high]);
            }
            let index = (high as u64) << self.low_bits | low as u64;
            if index < self.len {
                return index;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;

    #[test]
    fn it_permutes_whatever_the_length() {
        for len in [5, 16, 17, 100, 1 << 10, (1 << 11) + 1, 16_384, 100_003] {
            let feistel = Feistel::draw(len, &mut Seed::new(7).stream("feistel").member(len));
            let mut all: Vec<u64> = (0..len).map(|position| feistel.index(position)).collect();
            assert_eq!(feistel.tables.len() as u64 * 2, bytes(len));
            all.sort_unstable();
            assert!(all.into_iter().eq(0..len), "{len}");
        }
    }
}
