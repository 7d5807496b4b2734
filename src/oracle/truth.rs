//! Whether a state is what the workload comes to.

use crate::domain::oracle::{Disagreement, Oracle};
use crate::domain::order::Order;

/// Compares every state with the one that the reference reached.
#[derive(Clone, Copy, Debug)]
pub struct Truth {
    /// The state after all deltas, by the reference.
    pub expected: u64,
}

impl Oracle for Truth {
    fn judge(&mut self, _order: &Order, state: u64) -> Option<Disagreement> {
        (state != self.expected).then_some(Disagreement { expected: self.expected, got: state })
    }
}
