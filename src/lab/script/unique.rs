//! Unique amounts: of a sum of them it can be told which are in it, and how often.
//!
//! The lowest bits of an amount are its weight, as [`crate::lab::events::views`] wants it. The weights of a register are so
//! small that all of them together, each twice, leave the bits above alone: an edit that counts twice does not look like one
//! that is not shown any more.

use crate::domain::seed::Stream;
use crate::lab::events::views::WEIGHT_BITS;

/// Amounts have so many bits: a quarter of a million of them add up to less than a register holds.
const BITS: u32 = WEIGHT_BITS + 1;

/// The bound on weights where no register is edited more often than this.
pub fn heaviest(edits: u64) -> u64 {
    (1 << (WEIGHT_BITS - 1)) / edits.max(1)
}

/// A unique amount. All are of one size, and none is nearly nothing.
pub fn unique_amount(stream: &mut Stream, heaviest: u64, negative: bool) -> i64 {
    let weight = 1 + stream.below(heaviest.max(2) - 1) as i64;
    if negative { weight - (1 << BITS) } else { weight + (1 << WEIGHT_BITS) }
}
