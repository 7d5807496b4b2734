//! What a node has acknowledged to others by ids, and what it has: the same question for every engine that tells ids.
//!
//! Knows: ids and positions. Must not: know messages, or which engine a node is.

use crate::engine::host::OpId;
use crate::engine::vector::{Actor, Ranges, VersionVector};

/// The ids of what a node has, as it tells them.
#[derive(Clone, Copy, Debug)]
pub struct Ids<'a> {
    /// Operations that are in what it shows.
    pub has: &'a VersionVector,
    /// Its own operations that another has acknowledged.
    pub given: &'a VersionVector,
    /// The log of another that it follows, and what it has of it.
    pub position: Option<&'a (Actor, Ranges)>,
}

impl Ids<'_> {
    /// Whether it has this operation.
    pub fn contains(&self, id: OpId) -> bool {
        self.has.get(id.actor).is_some_and(|ranges| ranges.contains(id.sequence))
    }
}

/// What a node has acknowledged since it was set up, and must therefore still have after any crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Acknowledged {
    operations: VersionVector,
    /// Positions, by log.
    positions: VersionVector,
}

impl Acknowledged {
    /// Whether nothing was.
    pub fn is_empty(&self) -> bool {
        *self == Acknowledged::default()
    }

    /// It acknowledged these operations of one actor.
    pub fn operations(&mut self, actor: Actor, first: u64, last: u64) {
        self.operations.insert(actor, first, last);
    }

    /// It acknowledged this log up to a position.
    pub fn position(&mut self, log: Actor, position: u64) {
        self.positions.insert(log, 1, position);
    }

    /// Whether a node has all of that. A position says nothing once its log is not followed any more: the node that it is of
    /// did not know it either, and sends all that it has.
    pub fn is_kept_by(&self, ids: Ids<'_>) -> bool {
        let reached = |(log, positions): (_, &Ranges)| {
            ids.position.is_none_or(|(followed, ranges)| *followed != log || ranges.covers(positions))
        };
        self.positions.iter().all(reached) && ids.has.covers(&self.operations)
    }
}
