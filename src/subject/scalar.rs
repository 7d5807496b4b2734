//! The reference accumulator: one delta after the other, nothing else.
//!
//! Every other accumulator is compared with this one, so it must stay so plain that reading it is enough to believe it.

use std::ops::Range;

use crate::domain::delta::Deltas;
use crate::domain::subject::{Accumulator, WordState};
use crate::subject::word::Word;

/// What it is called.
pub const NAME: &str = "scalar";

/// A 64-bit state into which deltas are XORed one by one, on the calling thread.
#[derive(Clone, Debug, Default)]
pub struct Scalar {
    state: u64,
}

impl Scalar {
    /// An accumulator with state 0.
    pub fn new() -> Self {
        Scalar::default()
    }
}

impl Word for Scalar {
    const NAME: &'static str = NAME;

    fn word(&mut self) -> &mut u64 {
        &mut self.state
    }
}

impl WordState for Scalar {
    fn after(&self, mut state: u64, arrivals: &[u64]) -> u64 {
        for delta in arrivals {
            state ^= delta;
        }
        state
    }
}

impl Accumulator for Scalar {
    fn accumulate(&mut self, deltas: Deltas, indices: Range<u64>) {
        for index in indices {
            self.state ^= deltas.at(index);
        }
    }
}

/// What the tests of the other accumulators need in order to compare them with this one.
#[cfg(test)]
pub(super) mod agreement {
    use super::*;
    use crate::domain::delta::{Generate, Generator, SplitMix64};
    use crate::domain::seed::Seed;
    use crate::domain::subject::Subject;
    use proptest::prelude::*;

    /// Any workload under either generator.
    pub fn workloads() -> impl Strategy<Value = Deltas> {
        (prop_oneof![Just(Generator::Xorshift64), Just(Generator::SplitMix64)], any::<u64>())
            .prop_map(|(generator, seed)| Deltas { generator, seed: Seed::new(seed) })
    }

    /// Ranges of up to `longest` indices: from the beginning, around 2^32, at the very end, anywhere; and wrong-way ones.
    pub fn ranges(longest: u64) -> impl Strategy<Value = Range<u64>> {
        let around_32_bits = (1u64 << 32) - 2 * longest..(1u64 << 32) + 2 * longest;
        let start = prop_oneof![0..1000u64, around_32_bits, u64::MAX - longest..=u64::MAX, any::<u64>()];
        let end = move |start: u64| (0..=longest).prop_map(move |length| start..start.saturating_add(length));
        prop_oneof![
            19 => start.prop_flat_map(end),
            1 => (1..1000u64).prop_map(|start| start..start / 2),
        ]
    }

    /// So many different arrivals.
    pub fn arrivals(length: usize, seed: u64) -> Vec<u64> {
        (0..length as u64).map(|index| SplitMix64.generate(seed ^ index)).collect()
    }

    /// Fails unless both show the same state after the same range, from states that differ from 0.
    pub fn assert_same_sum(other: &mut dyn Accumulator, deltas: Deltas, indices: Range<u64>) {
        let mut scalar = Scalar::new();
        for accumulator in [&mut scalar as &mut dyn Accumulator, other] {
            accumulator.reset().unwrap();
            accumulator.deliver(&[0x5EED]).unwrap();
            accumulator.accumulate(deltas, indices.clone());
        }
        assert_eq!(other.observe(), scalar.observe(), "{} after {deltas:?}, {indices:?}", other.name());
    }

    /// Fails unless both show the same state after the same arrivals, which the other gets in two calls.
    pub fn assert_same_delivery(other: &mut dyn Subject, arrivals: &[u64], cut: usize) {
        let mut scalar = Scalar::new();
        scalar.deliver(arrivals).unwrap();
        let (before, after) = arrivals.split_at(cut.min(arrivals.len()));
        other.reset().unwrap();
        other.deliver(before).unwrap();
        other.deliver(after).unwrap();
        assert_eq!(other.observe(), scalar.observe(), "{} after {} and {}", other.name(), before.len(), after.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delta::Generator;
    use crate::domain::seed::Seed;
    use crate::domain::subject::Subject;

    fn state_after(deltas: Deltas, count: u64) -> u64 {
        let mut scalar = Scalar::new();
        scalar.accumulate(deltas, 0..count);
        scalar.observe().unwrap()
    }

    #[test]
    fn it_gives_the_results_recorded_from_the_board() {
        for (count, seed, result) in [
            (65_537, 0xDEAD_BEEF_0BAD_F00D, 0x17e9_fe29_b5dc_0aad),
            (1_000_003, 0xA70A_1CBA_1234_5678, 0x2dd5_70fa_93fb_0cd3),
        ] {
            assert_eq!(state_after(Deltas::of_engine(Seed::new(seed)), count), result);
        }
    }

    #[test]
    fn it_generates_splitmix64_deltas_too() {
        // The first two are the published outputs of splitmix64.c for the inputs 0 and, by its definition, 1.
        let deltas = Deltas { generator: Generator::SplitMix64, seed: Seed::new(0) };
        assert_eq!(state_after(deltas, 1), 0xE220_A839_7B1D_CDAF);
        assert_eq!(state_after(deltas, 2), 0xE220_A839_7B1D_CDAF ^ deltas.at(1));
    }

    #[test]
    fn what_arrives_adds_to_the_state_until_it_is_reset() {
        let deltas = Deltas::of_engine(Seed::new(7));
        let mut scalar = Scalar::new();
        scalar.accumulate(deltas, 3..4);
        scalar.deliver(&[1, 2]).unwrap();
        scalar.deliver(&[]).unwrap();
        assert_eq!(scalar.observe(), Ok(deltas.at(3) ^ 1 ^ 2));
        scalar.reset().unwrap();
        assert_eq!(scalar.observe(), Ok(0));
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "a wrong-way range is what is tried")]
    fn empty_and_wrong_way_ranges_add_nothing() {
        let deltas = Deltas::of_engine(Seed::new(7));
        let mut scalar = Scalar::new();
        scalar.accumulate(deltas, 5..5);
        scalar.accumulate(deltas, 9..5);
        assert_eq!(scalar.observe(), Ok(0));
    }
}
