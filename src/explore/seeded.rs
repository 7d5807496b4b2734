//! Orders drawn at random from the seed.

use crate::domain::explorer::Explorer;
use crate::domain::order::Order;
use crate::domain::verdict::Warrant;

/// What it is called.
pub const NAME: &str = "seeded";

/// Independently drawn permutations, numbered from 0.
#[derive(Clone, Copy, Debug)]
pub struct Seeded;

impl Explorer for Seeded {
    fn name(&self) -> &'static str {
        NAME
    }

    fn orders(&self, _deltas: u64, limit: u64) -> Vec<Order> {
        (0..limit).map(Order::Seeded).collect()
    }

    fn warrant(&self, _deltas: u64, tried: u64) -> Option<Warrant> {
        (tried > 0).then_some(Warrant::Sampled { orders: tried })
    }
}
