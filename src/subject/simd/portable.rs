//! The vector kernels in plain Rust, and the unit that every processor has.
//!
//! They are written so that a compiler turns them into vectors of whatever width it may use where they are inlined: here
//! the baseline of the target, in the sibling files the width of their unit. They know nothing of any instruction set.

use std::ops::Range;

use crate::domain::delta::Generate;

/// Lanes in a block: eight vectors of 128 bits.
const LANES: usize = 16;
const _: () = assert!((super::LONGEST_BLOCK as usize).is_multiple_of(LANES));

/// XOR of the deltas with these indices, by the target's baseline instructions.
pub(super) fn accumulate<G: Generate>(generator: G, seed: u64, indices: Range<u64>) -> u64 {
    generated::<G, LANES>(generator, seed, indices)
}

/// XOR of these deltas, by the target's baseline instructions.
pub(super) fn fold(arrivals: &[u64]) -> u64 {
    stored(arrivals)
}

/// XOR of `generator(seed ^ index)` over the indices, in blocks of `LANES`, a power of two. Each delta is generated from
/// its own input and applied.
///
/// A block starts at a multiple of `LANES`, so within it only the low bits of the input change, and they change alike in
/// every block: an input is one word of the block plus an offset of the lane. The addition can never carry. It stands
/// where an XOR would do because a generator that begins with an addition (splitmix64) then has both merged into one.
/// Which lane has which input of a block is all the same for the sum, so no test can tell.
#[inline(always)]
pub(super) fn generated<G: Generate, const LANES: usize>(generator: G, seed: u64, indices: Range<u64>) -> u64 {
    const { assert!(LANES.is_power_of_two()) };
    let low_bits = LANES as u64 - 1;
    let one_by_one = |range: Range<u64>| range.fold(0, |sum, index| sum ^ generator.generate(seed ^ index));

    let first = indices.start.checked_next_multiple_of(LANES as u64).unwrap_or(u64::MAX);
    let end = indices.end & !low_bits;
    if first >= end {
        return one_by_one(indices);
    }
    let offsets: [u64; LANES] = std::array::from_fn(|lane| (seed & low_bits) ^ lane as u64);
    let mut sums = [0u64; LANES];
    let mut start = first;
    while start < end {
        let block = (seed & !low_bits) ^ start;
        for (sum, offset) in sums.iter_mut().zip(&offsets) {
            *sum ^= generator.generate(block.wrapping_add(*offset));
        }
        start += LANES as u64;
    }
    one_by_one(indices.start..first) ^ merge(sums) ^ one_by_one(end..indices.end)
}

/// XOR of deltas in memory. The plain loop is what a compiler makes the best vectors of.
#[inline(always)]
pub(super) fn stored(arrivals: &[u64]) -> u64 {
    arrivals.iter().fold(0, |sum, delta| sum ^ delta)
}

/// One state from the states of the lanes.
#[inline(always)]
fn merge<const LANES: usize>(sums: [u64; LANES]) -> u64 {
    sums.into_iter().fold(0, |state, sum| state ^ sum)
}
