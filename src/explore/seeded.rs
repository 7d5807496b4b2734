//! Orders drawn at random from the seed.

use crate::domain::explorer::{Audit, Claim, Explorer};
use crate::domain::order::Order;
use crate::explore::permutation;

/// What it is called in records.
pub const NAME: &str = "seeded";

/// What it is asked for by.
pub const ASKED_FOR: &str = "sample";

/// So many independently drawn permutations of the workload's seed, numbered from 0.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    /// How many.
    pub orders: u64,
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

    fn claim(&self, deltas: u64) -> Claim {
        Claim::Drawn { by: permutation::shuffle_of(deltas) }
    }

    /// One order at a time, and what their audit notes.
    fn bytes(&self, deltas: u64) -> u64 {
        permutation::seeded_bytes(deltas) + Audit::bytes(deltas)
    }
}
