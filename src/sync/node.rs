//! What every strategy is to the world: a node that edits, talks, and can be restarted.

use crate::domain::seed::Stream;
use crate::sync::host::{Entropy, Host, NodeId, OpId, Time};
use crate::sync::replica::session::Relation;
use crate::sync::replica::{Reception, Replica, Settings};
use crate::sync::store::StoreError;
use crate::sync::store::disk::Disk;
use crate::sync::vector::{Actor, Ranges};

/// How far a node is in what it made and took, in its own log and in its parent's.
pub type Position = (u64, u64, Option<(Actor, Ranges)>);

/// How far a node is in the edits of others, where it tells that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Its log has this length, and [`Node::remembers`] tells of every edit whether it is in it.
    Own(u64),
    /// It has all that is in this node's log up to a position.
    Of(NodeId, u64),
    /// It has nothing of anybody's.
    Nothing,
}

/// One node of a world.
pub trait Node: std::fmt::Debug {
    /// Its user edits.
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, amount: i64) -> Result<(), StoreError>;

    /// A connection came up.
    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, relation: Relation) -> Result<(), StoreError>;

    /// A connection went down.
    fn disconnected(&mut self, peer: NodeId);

    /// A message arrived.
    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, StoreError>;

    /// When it wants to be woken.
    fn wakes_at(&self) -> Option<Time>;

    /// Its time has come.
    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), StoreError>;

    /// What every register shows.
    fn shows(&self) -> Vec<i64>;

    /// How far it is: between two starts, what it shows is the same as long as this is. Nothing where it does not tell.
    fn position(&self) -> Option<Position> {
        None
    }

    /// How far it is in the edits of others. Nothing where it does not tell: then the messages tell that it took.
    fn reached(&self) -> Option<Reached> {
        None
    }

    /// Edits that no other node has acknowledged.
    fn backlog(&self) -> u64;

    /// It starts again from what survived, as this node.
    fn restart(self: Box<Self>, host: &mut Host<Disk>, node: NodeId) -> Result<Box<dyn Node>, StoreError>;

    /// Forgets all neighbours but these: a copy of a device may be elsewhere.
    fn keep_neighbours(&mut self, _neighbours: &[NodeId]) {}

    /// The same node without anything that it held: its device was lost.
    fn afresh(self: Box<Self>) -> Box<dyn Node>;

    /// The same node, as a backup keeps it beside its disk.
    fn copy(&self) -> Box<dyn Node>;

    /// Whether it still has an edit that it showed.
    fn remembers(&self, _id: OpId) -> bool {
        true
    }

    /// Bytes that it keeps durably, where its disk does not tell.
    fn stored(&self, host: &Host<Disk>) -> u64;

    /// What it must not forget, if it is the replica that is done right.
    fn replica(&self) -> Option<&Replica> {
        None
    }
}

/// The replica that is done right, in a world whose registers start somewhere.
#[derive(Clone, Debug)]
pub struct ReplicaNode {
    replica: Replica,
    settings: Settings,
    start: i64,
}

impl ReplicaNode {
    /// Opens it.
    pub fn open(settings: Settings, start: i64, host: &mut Host<Disk>) -> Result<Self, StoreError> {
        Ok(ReplicaNode { replica: Replica::open(settings.clone(), host)?, settings, start })
    }
}

impl Node for ReplicaNode {
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, amount: i64) -> Result<(), StoreError> {
        self.replica.edit(host, register, amount)
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, relation: Relation) -> Result<(), StoreError> {
        self.replica.connected(host, peer, relation)
    }

    fn disconnected(&mut self, peer: NodeId) {
        self.replica.disconnected(peer);
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, StoreError> {
        self.replica.receive(host, from, frame)
    }

    fn wakes_at(&self) -> Option<Time> {
        self.replica.wakes_at()
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), StoreError> {
        self.replica.wake(host)
    }

    fn shows(&self) -> Vec<i64> {
        self.replica.sums().iter().map(|sum| self.start.wrapping_add(*sum)).collect()
    }

    fn position(&self) -> Option<Position> {
        let state = self.replica.state();
        Some((state.made, state.log.len(), state.cursor.clone()))
    }

    fn reached(&self) -> Option<Reached> {
        let state = self.replica.state();
        Some(match &state.cursor {
            _ if self.settings.serves => Reached::Own(state.log.len()),
            Some((log, ranges)) => Reached::Of(log.client, ranges.prefix()),
            None => Reached::Nothing,
        })
    }

    fn backlog(&self) -> u64 {
        self.replica.backlog().edits
    }

    fn restart(self: Box<Self>, host: &mut Host<Disk>, node: NodeId) -> Result<Box<dyn Node>, StoreError> {
        let settings = Settings { node, ..self.settings };
        Ok(Box::new(ReplicaNode::open(settings, self.start, host)?))
    }

    fn afresh(self: Box<Self>) -> Box<dyn Node> {
        // All that it holds is on its disk.
        self
    }

    fn copy(&self) -> Box<dyn Node> {
        Box::new(self.clone())
    }

    fn remembers(&self, id: OpId) -> bool {
        self.replica.state().seen.get(id.actor).is_some_and(|ranges| ranges.contains(id.sequence))
    }

    fn stored(&self, host: &Host<Disk>) -> u64 {
        use crate::sync::store::Store;
        host.store.bytes()
    }

    fn replica(&self) -> Option<&Replica> {
        Some(&self.replica)
    }
}

/// A node's random numbers after its `starts`-th start.
pub fn entropy(stream: &Stream, node: NodeId, starts: u64) -> Entropy {
    Entropy::Drawn(Box::new(stream.member(u64::from(node) << 32 | starts)))
}
