//! Every order of a workload that is small enough.

use crate::domain::explorer::Explorer;
use crate::domain::order::Order;
use crate::domain::verdict::Warrant;

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

    fn warrant(&self, deltas: u64, tried: u64) -> Option<Warrant> {
        (AllOrders::within(deltas, tried) == Some(tried)).then_some(Warrant::Proved { deltas })
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
            assert_eq!(AllOrders.warrant(deltas, expected as u64), Some(Warrant::Proved { deltas }));
        }
    }

    #[test]
    fn a_workload_with_too_many_orders_gets_none_and_nothing_is_proved() {
        assert!(AllOrders.orders(5, 64).next().is_none());
        assert!(AllOrders.orders(u64::from(u32::MAX), u64::MAX).next().is_none());
        assert_eq!(AllOrders.warrant(4, 23), None);
        assert_eq!(AllOrders.warrant(5, 64), None);
    }
}
