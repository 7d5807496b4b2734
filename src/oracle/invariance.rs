//! Whether all orders lead to the same state, right or wrong.

use crate::domain::oracle::{Disagreement, Oracle};
use crate::domain::order::Order;

/// Compares every state with the one after the first order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Invariance {
    first: Option<u64>,
}

impl Oracle for Invariance {
    fn judge(&mut self, _order: &Order, state: u64) -> Option<Disagreement> {
        let expected = *self.first.get_or_insert(state);
        (state != expected).then_some(Disagreement { expected, got: state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::truth::Truth;

    #[test]
    fn a_subject_that_is_always_wrong_is_invariant_and_not_true() {
        let (mut invariance, mut truth) = (Invariance::default(), Truth { expected: 7 });
        for order in [Order::Given, Order::Reverse] {
            assert_eq!(invariance.judge(&order, 5), None);
            assert_eq!(truth.judge(&order, 5), Some(Disagreement { expected: 7, got: 5 }));
        }
    }

    #[test]
    fn a_state_that_depends_on_the_order_is_found() {
        let mut invariance = Invariance::default();
        assert_eq!(invariance.judge(&Order::Given, 5), None);
        assert_eq!(invariance.judge(&Order::Reverse, 6), Some(Disagreement { expected: 5, got: 6 }));
    }
}
