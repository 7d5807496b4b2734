//! A chooser of arrival orders.

use crate::domain::order::Order;
use crate::domain::verdict::Warrant;

/// Chooses arrival orders of a workload, within a bound.
pub trait Explorer {
    /// Its name in records and reports.
    fn name(&self) -> &'static str;

    /// At most `limit` orders of `deltas` deltas. What is chosen depends on these two numbers alone.
    fn orders(&self, deltas: u64, limit: u64) -> Vec<Order>;

    /// What it is worth when all subjects agree over `tried` of the orders that it chose; `None` where the choice
    /// says nothing about the orders that were left out.
    fn warrant(&self, deltas: u64, tried: u64) -> Option<Warrant>;
}
