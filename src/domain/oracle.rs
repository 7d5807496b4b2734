//! A judge of what a subject showed after an arrival order.

use crate::domain::order::Order;

/// What a judge expected instead of what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// What should have been shown.
    pub expected: u64,
    /// What was.
    pub got: u64,
}

/// Judges the states that one subject shows, one arrival order after the other.
pub trait Oracle {
    /// Its name in records and reports.
    fn name(&self) -> &'static str;

    /// Judges the state shown after this order.
    fn judge(&mut self, order: &Order, state: u64) -> Option<Disagreement>;
}
