//! A counter: a number of 64 bits that users add to. Every edit counts once, whatever its user's replica showed, so that
//! the right view is the start and the sum of all edits. Where edits may be missing, the judge of truth looks for a sum of
//! some of them.

use crate::domain::data::Intent;

/// Does what a user intends; gives whether the number changed.
pub fn apply(number: &mut i64, intent: Intent) -> bool {
    let amount = intent.amount().unwrap_or(0);
    *number = number.wrapping_add(amount);
    amount != 0
}
