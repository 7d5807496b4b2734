//! Orders drawn at random from the seed.

use crate::domain::explorer::{Audit, Explorer};
use crate::domain::order::Order;
use crate::domain::seed::Seed;
use crate::domain::verdict::Warrant;
use crate::explore::audit;
use crate::explore::permutation::Permutation;

/// What it is called in records.
pub const NAME: &str = "seeded";

/// What it is asked for by.
pub const ASKED_FOR: &str = "sample";

/// So many independently drawn permutations, numbered from 0.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    /// How many.
    pub orders: u64,
    /// What they are drawn from.
    pub seed: Seed,
}

impl Explorer for Seeded {
    fn name(&self) -> &'static str {
        NAME
    }

    fn number(&self, _deltas: u64) -> Option<u64> {
        Some(self.orders)
    }

    fn orders(&self, _deltas: u64, limit: u64) -> Box<dyn Iterator<Item = Order>> {
        Box::new((0..self.orders.min(limit)).map(Order::Seeded))
    }

    fn warrant(&self, _deltas: u64, tried: u64) -> Option<Warrant> {
        (tried > 0).then_some(Warrant::Sampled { orders: tried })
    }

    fn audit(&self, deltas: u64, tried: u64) -> Option<Audit> {
        let orders = self.orders(deltas, tried.min(audit::ORDERS)).map(|order| {
            let permutation = Permutation::prepare(&order, deltas, self.seed);
            let delivered = audit::positions(deltas).map(|position| {
                let mut index = [0];
                permutation.fill(position, &mut index);
                index[0]
            });
            delivered.collect()
        });
        Some(audit::audit(deltas, orders))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_passes_its_own_audit_by_shuffle_and_by_key() {
        for deltas in [1, 2, 5, 64, 4096, 4097, 65_537, u64::from(u32::MAX)] {
            for seed in 0..4 {
                let seeded = Seeded { orders: 64, seed: Seed::new(seed) };
                let audit = seeded.audit(deltas, 64).expect("it is drawn");
                assert_eq!((audit.orders, audit.rejected), (64, None), "{deltas} deltas, seed {seed}");
            }
        }
    }
}
