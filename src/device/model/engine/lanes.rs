//! Deltas of many clocks, in banks: which bank takes which index, and their sums in closed form.
//!
//! Knows: how indices go to lanes, and that xorshift64 is linear. Must not: know a register, or a fault.

use crate::domain::delta::{Generate, Xorshift64};

/// Clocks from which on the sums of many deltas are computed in closed form.
const MANY_CLOCKS: u64 = 1 << 14;

/// Clocks in which every lane takes an index, beginning with index `first` in lane 0.
pub(super) fn accumulate_clocks(accumulators: &mut [u64], seed: u64, first: u64, lanes: u32, clocks: u64) {
    if clocks >= MANY_CLOCKS {
        return accumulate_many(accumulators, seed, first, lanes, clocks);
    }
    accumulate_each(accumulators, seed, first, lanes, clocks);
}

/// Delta by delta.
fn accumulate_each(accumulators: &mut [u64], seed: u64, first: u64, lanes: u32, clocks: u64) {
    let accumulators = &mut accumulators[..lanes as usize];
    let mut index = first;
    for _ in 0..clocks {
        for (accumulator, index) in accumulators.iter_mut().zip(index..) {
            *accumulator ^= Xorshift64.generate(seed ^ index);
        }
        index += u64::from(lanes);
    }
}

/// All at once: xorshift64 is linear, so that the sum of the deltas is the delta of the sum of what they are made of.
fn accumulate_many(accumulators: &mut [u64], seed: u64, first: u64, lanes: u32, clocks: u64) {
    let seeds = if clocks.is_multiple_of(2) { 0 } else { seed };
    for (accumulator, lane) in accumulators[..lanes as usize].iter_mut().zip(0..) {
        *accumulator ^= Xorshift64.generate(seeds ^ sum_of_indices(first + lane, lanes.into(), clocks));
    }
}

/// The XOR of `first`, `first + step`, … , `count` of them. Bit j of a number n is `floor(n / 2^j)` modulo 2.
fn sum_of_indices(first: u64, step: u64, count: u64) -> u64 {
    let parity = |bit: u32| sum_of_quotients(count.into(), 1 << bit, step.into(), first.into()) as u64 & 1;
    (0..u64::BITS).fold(0, |sum, bit| sum | parity(bit) << bit)
}

/// The sum of `floor((step * i + first) / divisor)` for i from 0 to `count - 1`, by Euclid's algorithm.
fn sum_of_quotients(mut count: u128, mut divisor: u128, mut step: u128, mut first: u128) -> u128 {
    let mut sum = 0;
    loop {
        sum += count * count.saturating_sub(1) / 2 * (step / divisor) + count * (first / divisor);
        (step, first) = (step % divisor, first % divisor);
        let end = step * count + first;
        if end < divisor {
            return sum;
        }
        (count, first) = (end / divisor, end % divisor);
        (divisor, step) = (step, divisor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn many_deltas_at_once_are_as_many_single_ones(
            seed: u64, first in 0..1u64 << 32, lanes in 1..=32u32, clocks in 1..200u64,
        ) {
            let (mut each, mut many) = ([0; 32], [0; 32]);
            accumulate_each(&mut each, seed, first, lanes, clocks);
            accumulate_many(&mut many, seed, first, lanes, clocks);
            prop_assert_eq!(each, many);
        }
    }
}
