//! Orders that are known to break what merely looks order-independent.

use crate::domain::explorer::{Claim, Explorer};
use crate::domain::order::Order;

/// What it is called.
pub const NAME: &str = "adversarial";

/// A fixed list: reversed, rotated, halves swapped, and interleaved by bank for a device with this many banks.
#[derive(Clone, Copy, Debug)]
pub struct Adversarial {
    /// Banks of the device that the interleavings are made for.
    pub banks: u32,
}

impl Explorer for Adversarial {
    fn name(&self) -> &'static str {
        NAME
    }

    fn number(&self, deltas: u64) -> Option<u64> {
        Some(self.orders(deltas, u64::MAX).count() as u64)
    }

    fn orders(&self, deltas: u64, limit: u64) -> Box<dyn Iterator<Item = Order>> {
        let mut orders =
            vec![Order::Reverse, Order::Rotate(1), Order::Rotate(deltas.saturating_sub(1)), Order::HalvesSwapped];
        let mut banks = 2;
        while banks <= u64::from(self.banks).max(2) {
            orders.extend([Order::ByBank(banks), Order::Riffle(banks)]);
            banks *= 2;
        }
        orders.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Box::new(orders.into_iter())
    }

    fn claim(&self, _deltas: u64) -> Claim {
        Claim::Chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_for_eight_banks_is_the_documented_one() {
        let orders: Vec<String> = Adversarial { banks: 8 }.orders(100, 64).map(|order| order.to_string()).collect();
        insta::assert_compact_debug_snapshot!(orders);
    }

    #[test]
    fn no_more_orders_are_given_than_fit() {
        assert_eq!(Adversarial { banks: 8 }.orders(100, 3).count(), 3);
    }
}
