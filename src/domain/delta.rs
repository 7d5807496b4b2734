//! Deltas that are generated from a seed and an index, as the bench engine generates them.
//!
//! Delta `i` is `f(SEED ^ i)`. A workload of four thousand million deltas is three words here: nothing is stored.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::seed::Seed;

/// A function that turns `SEED ^ index` into a delta.
pub trait Generate: Copy + Send + Sync {
    /// The delta for this input.
    fn generate(self, input: u64) -> u64;
}

/// Marsaglia's 64-bit xorshift with the triple (13, 7, 17) ("Xorshift RNGs", J. Stat. Softw. 8(14), 2003): the bench
/// engine's generator. It is a bijection, and linear over GF(2): `f(a ^ b) = f(a) ^ f(b)`, and only `f(0)` is 0.
#[derive(Clone, Copy, Debug)]
pub struct Xorshift64;

impl Generate for Xorshift64 {
    #[inline(always)]
    fn generate(self, input: u64) -> u64 {
        let mut x = input;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    }
}

impl Xorshift64 {
    /// The input whose delta this is; each of the three steps is undone, the last one first.
    pub fn invert(delta: u64) -> u64 {
        let undo_left = |mut x: u64, shift: u32| {
            let mut known = shift;
            while known < 64 {
                x ^= x << known;
                known *= 2;
            }
            x
        };
        let undo_right = |mut x: u64, shift: u32| {
            let mut known = shift;
            while known < 64 {
                x ^= x >> known;
                known *= 2;
            }
            x
        };
        undo_left(undo_right(undo_left(delta, 17), 7), 13)
    }
}

/// The output function of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014): add the golden gamma, then mix. It is a bijection and not linear over GF(2).
#[derive(Clone, Copy, Debug)]
pub struct SplitMix64;

impl Generate for SplitMix64 {
    #[inline(always)]
    fn generate(self, input: u64) -> u64 {
        let mut z = input.wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// The generators by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Generator {
    /// [`Xorshift64`], the bench engine's.
    Xorshift64,
    /// [`SplitMix64`].
    SplitMix64,
}

impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Generator::Xorshift64 => "xorshift64",
            Generator::SplitMix64 => "splitmix64",
        })
    }
}

/// A workload of generated deltas: delta `i` is `generator(seed ^ i)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deltas {
    /// What turns an input into a delta.
    pub generator: Generator,
    /// What every index is combined with.
    pub seed: Seed,
}

impl Deltas {
    /// The deltas that the bench engine accumulates under this seed.
    pub fn of_engine(seed: Seed) -> Self {
        Deltas { generator: Generator::Xorshift64, seed }
    }

    /// The deltas with these indices, in memory.
    pub fn stored(self, indices: std::ops::Range<u64>) -> Vec<u64> {
        indices.map(|index| self.at(index)).collect()
    }

    /// Delta `index`.
    pub fn at(self, index: u64) -> u64 {
        let input = self.seed.value() ^ index;
        match self.generator {
            Generator::Xorshift64 => Xorshift64.generate(input),
            Generator::SplitMix64 => SplitMix64.generate(input),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splitmix64_gives_the_published_sequence_from_state_zero() {
        // The first outputs of the reference splitmix64.c with x = 0; its state advances by the golden gamma.
        let gamma = 0x9E37_79B9_7F4A_7C15u64;
        let outputs: Vec<u64> = (0..3u64).map(|n| SplitMix64.generate(gamma.wrapping_mul(n))).collect();
        assert_eq!(outputs, [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F]);
    }

    #[test]
    fn the_sum_of_the_first_two_engine_deltas_is_the_same_for_every_seed() {
        for seed in [0, 7, 0xDEAD_BEEF_0BAD_F00D] {
            let deltas = Deltas::of_engine(Seed::new(seed));
            assert_eq!(deltas.at(0) ^ deltas.at(1), 0x4082_2041);
        }
    }

    proptest! {
        #[test]
        fn xorshift_is_linear_and_has_an_inverse(a: u64, b: u64) {
            prop_assert_eq!(Xorshift64.generate(a ^ b), Xorshift64.generate(a) ^ Xorshift64.generate(b));
            prop_assert_eq!(Xorshift64::invert(Xorshift64.generate(a)), a);
        }
    }
}
