//! What every strategy is to the world: a node that edits, talks, and can be restarted.

use std::collections::BTreeMap;

use crate::domain::seed::Stream;
use crate::sync::acknowledged::{Acknowledged, Ids};
use crate::sync::host::{Entropy, Host, NodeId, Time};
use crate::sync::replica::acknowledgements::acknowledgements;
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
    /// Its log has this length, and [`Node::ids`] tells of every edit whether it is in it.
    Own(u64),
    /// It has all that is in this node's log up to a position.
    Of(NodeId, u64),
    /// It has nothing of anybody's.
    Nothing,
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Registers by status.
    pub statuses: BTreeMap<String, u32>,
    /// Edits that no other node has acknowledged.
    pub backlog: u64,
    /// Deltas that those edits make up so far.
    pub backlog_deltas: u64,
    /// Messages that wait for an answer.
    pub backlog_messages: u64,
    /// Whether its journal, played again, leads to what it shows.
    pub replays: bool,
    /// Whether it shows the same once its state was taken from its store again.
    pub rebuilds: bool,
    /// Messages that it sends when it is told to try everything again.
    pub requeued: u64,
    /// Deltas that it could not take.
    pub refused: u64,
    /// Why it could not take its parent's snapshot, where it could not.
    pub unmergeable: Option<String>,
    /// What its store had against being read, where it had.
    pub refusals: Vec<String>,
    /// The last changes of one register: whose, how much, and through which message; then what all before them come to.
    pub audit: Vec<String>,
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

    /// Forgets all neighbours but these: a copy of a device may be elsewhere.
    fn keep_neighbours(&mut self, _neighbours: &[NodeId]) {}

    /// The ids of what it has, where it tells them.
    fn ids(&self) -> Option<Ids<'_>> {
        None
    }

    /// What a message that it sends acknowledges, where it tells ids.
    fn acknowledges(&self, _frame: &[u8], _acknowledged: &mut Acknowledged) {}

    /// What it says of itself, where it does. `disk` is a copy of its own.
    fn report(&self, _disk: Disk) -> Option<Report> {
        None
    }

    /// The same node in memory, for tests that try many things from one moment. No world makes one: what a world backs up,
    /// copies or sets back is a store.
    fn copy(&self) -> Option<Box<dyn Node>> {
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

    fn ids(&self) -> Option<Ids<'_>> {
        Some(self.replica.state().ids())
    }

    fn acknowledges(&self, frame: &[u8], acknowledged: &mut Acknowledged) {
        acknowledgements(frame, self.settings.registers, acknowledged);
    }

    fn report(&self, disk: Disk) -> Option<Report> {
        Some(self.replica.report(disk))
    }

    fn copy(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

/// A node's random numbers after its `starts`-th start.
pub fn entropy(stream: &Stream, node: NodeId, starts: u64) -> Entropy {
    Entropy::Drawn(Box::new(stream.member(u64::from(node) << 32 | starts)))
}
