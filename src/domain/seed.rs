//! Seeds and the random streams drawn from them.
//!
//! Everything random in a run comes from here: ChaCha20 in named streams, with bounded draws and shuffles of our own
//! over it, because a library's algorithms may change between versions and a recorded run must not. The golden tests
//! below pin all three.

use std::fmt;
use std::str::FromStr;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};

use crate::domain::hex::{Hex64, HexError};

/// The one number that a run is reproduced from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
pub struct Seed(Hex64);

impl Seed {
    /// The seed with this value.
    pub const fn new(value: u64) -> Self {
        Seed(Hex64(value))
    }

    /// Its 64 bits.
    pub const fn value(self) -> u64 {
        self.0.0
    }

    /// The stream of random words with this name.
    ///
    /// The ChaCha key (32 bytes, RFC 8439 section 2.3) is the seed in little-endian order and then the name itself,
    /// padded with zeros, so that two names can never share a stream.
    ///
    /// # Panics
    /// If the name is longer than 24 bytes; names are literals of this crate.
    pub fn stream(self, name: &str) -> Stream {
        assert!(name.len() <= 24, "a stream's name has at most 24 bytes: {name}");
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&self.value().to_le_bytes());
        key[8..8 + name.len()].copy_from_slice(name.as_bytes());
        Stream { random: ChaCha20Rng::from_seed(key) }
    }
}

impl FromStr for Seed {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        text.parse().map(Seed)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An endless sequence of random words that depends on its seed and name alone.
#[derive(Clone)]
pub struct Stream {
    random: ChaCha20Rng,
}

impl Stream {
    /// The member of this stream's family with number `number`, from its start: ChaCha's 64-bit nonce.
    pub fn member(&self, number: u64) -> Stream {
        let mut random = self.random.clone();
        random.set_stream(number);
        random.set_word_pos(0);
        Stream { random }
    }

    /// The next 64 random bits.
    pub fn word(&mut self) -> u64 {
        self.random.next_u64()
    }

    /// A number below `bound`, every one equally likely.
    ///
    /// Lemire's multiplication with rejection ("Fast Random Integer Generation in an Interval", ACM TOMACS 29(1),
    /// 2019, algorithm 5), on 64-bit words.
    ///
    /// # Panics
    /// If `bound` is 0: there is no such number.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below 0");
        loop {
            let product = u128::from(self.word()) * u128::from(bound);
            // What is rejected is below `2^64 mod bound`, which is below `bound`: the division is rarely needed.
            if product as u64 >= bound || product as u64 >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// Puts the items in an order of which all are equally likely.
    ///
    /// Durstenfeld's form of the Fisher–Yates shuffle (CACM 7(7), 1964, algorithm 235), from the last item down.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

    #[test]
    fn a_stream_is_chacha20_under_the_seed_and_the_name() {
        let mut stream = Seed::new(0).stream("");
        // The first block of ChaCha20 under the all-zero key and nonce: RFC 8439, appendix A.1, test vector 1.
        assert_eq!(stream.word(), u64::from_le_bytes([0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90]));
        assert_eq!(stream.word(), u64::from_le_bytes([0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28]));
    }

    #[test]
    fn golden_words_of_a_named_stream() {
        let mut stream = SEED.stream("orders");
        let words: Vec<String> = (0..4).map(|_| Hex64(stream.word()).to_string()).collect();
        insta::assert_debug_snapshot!(words);
    }

    #[test]
    fn golden_bounded_draws() {
        let mut stream = SEED.stream("draws");
        let draws: Vec<u64> = [1, 2, 3, 10, 1000, 1 << 40, u64::MAX].map(|bound| stream.below(bound)).to_vec();
        insta::assert_debug_snapshot!(draws);
    }

    #[test]
    fn golden_shuffle() {
        let mut items: Vec<u8> = (0..16).collect();
        SEED.stream("shuffle").shuffle(&mut items);
        insta::assert_compact_debug_snapshot!(items);
    }

    #[test]
    fn streams_of_other_names_and_members_differ() {
        let first = |mut stream: Stream| stream.word();
        let all = [
            first(SEED.stream("a")),
            first(SEED.stream("b")),
            first(SEED.stream("a").member(1)),
            first(Seed::new(1).stream("a")),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other != one));
        }
    }

    #[test]
    fn a_member_starts_at_its_beginning_whatever_was_drawn_before() {
        let mut drawn = SEED.stream("a");
        drawn.word();
        drawn.word();
        assert_eq!(drawn.member(5).word(), SEED.stream("a").member(5).word());
    }

    #[test]
    fn small_draws_are_even_within_what_chance_allows() {
        let mut stream = SEED.stream("even");
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        // Chi-square with 5 degrees of freedom stays below 20.5 in 99.9 % of fair samples.
        let chi: f64 = counts.iter().map(|&c| (f64::from(c) - 10_000.0).powi(2) / 10_000.0).sum();
        assert!(chi < 20.5, "{counts:?}");
    }
}
