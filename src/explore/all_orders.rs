//! Every order of a workload that is small enough.

use crate::domain::explorer::{Claim, Explorer};
use crate::domain::order::Order;

/// What it is called.
pub const NAME: &str = "all";

/// All `n!` orders, in lexicographic order of their indices.
#[derive(Clone, Copy, Debug)]
pub struct AllOrders;

impl AllOrders {
    /// `deltas!`, if it is at most `limit`.
    pub fn within(deltas: u64, limit: u64) -> Option<u64> {
        let mut factorial = 1u64;
        for factor in 2..=deltas {
            factorial = factorial.checked_mul(factor).filter(|&f| f <= limit)?;
        }
        (factorial <= limit).then_some(factorial)
    }
}

impl Explorer for AllOrders {
    fn name(&self) -> &'static str {
        NAME
    }

    fn number(&self, deltas: u64) -> Option<u64> {
        AllOrders::within(deltas, u64::MAX)
    }

    /// Empty if there are more than `limit`: a part of all orders would prove nothing.
    fn orders(&self, deltas: u64, limit: u64) -> Box<dyn Iterator<Item = Order>> {
        let first: Option<Vec<u32>> = AllOrders::within(deltas, limit).map(|_| (0..deltas as u32).collect());
        let following = |indices: &Vec<u32>| {
            let mut next = indices.clone();
            next_permutation(&mut next).then_some(next)
        };
        Box::new(std::iter::successors(first, following).map(Order::Exactly))
    }

    fn claim(&self, _deltas: u64) -> Claim {
        Claim::EveryOrder
    }

    /// A bit for every order, by which those that were delivered are counted.
    fn bytes(&self, deltas: u64) -> u64 {
        self.number(deltas).map_or(u64::MAX, |orders| orders.div_ceil(64) * 8)
    }
}

/// The lexicographically next arrangement, or `false` after the last (Knuth, TAOCP 4A, section 7.2.1.2, algorithm L).
fn next_permutation(items: &mut [u32]) -> bool {
    let Some(pivot) = items.windows(2).rposition(|pair| pair[0] < pair[1]) else {
        return false;
    };
    let successor = items.iter().rposition(|&item| item > items[pivot]).expect("the item after the pivot is larger");
    items.swap(pivot, successor);
    items[pivot + 1..].reverse();
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_orders_of_up_to_four_deltas_are_distinct_and_complete() {
        for (deltas, expected) in [(1, 1), (2, 2), (3, 6), (4, 24)] {
            let orders: Vec<Order> = AllOrders.orders(deltas, 64).collect();
            let texts: std::collections::BTreeSet<String> = orders.iter().map(Order::to_string).collect();
            assert_eq!((orders.len(), texts.len()), (expected, expected));
        }
    }

    #[test]
    fn a_workload_with_too_many_orders_gets_none() {
        assert!(AllOrders.orders(5, 64).next().is_none());
        assert!(AllOrders.orders(u64::from(u32::MAX), u64::MAX).next().is_none());
    }
}
