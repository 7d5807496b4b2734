//! What every engine is to the world: a node that edits, talks, and can be restarted.
//!
//! The port is a state machine: something happens, and the engine answers with effects. What happens is a call of the
//! engine; an effect is a call of its [`Host`], or what the engine answers when it is asked.
//!
//! | what happens | call |
//! |---|---|
//! | it is started from these stored bytes | [`Open`](crate::engine::Open), which reads them with [`Store::load`](crate::engine::store::Store::load) |
//! | its user edits | [`Engine::edit`] |
//! | it is given bare values to begin with | [`Engine::import`] |
//! | a connection is up, or down | [`Engine::connected`], [`Engine::disconnected`] |
//! | a message arrives, or comes back | [`Engine::receive`], [`Engine::refused`] |
//! | its user signs in again | [`Engine::signed_in`] |
//! | its timer is due | [`Engine::wake`] |
//! | a write is done, or the store refuses it | [`Host::append`], [`Host::sync`] or [`Host::replace`] returns |
//! | a neighbour left for good, or was copied | [`Engine::keep_neighbours`] |
//! | it is observed | [`Engine::shows`], [`Engine::backlog`]; where it tells more, [`Engine::position`], [`Engine::reached`], [`Engine::ids`], [`Engine::acknowledges`], [`Engine::report`] |
//!
//! | effect | call |
//! |---|---|
//! | append, sync, replace | [`Host::append`], [`Host::sync`], [`Host::replace`] |
//! | send | [`Host::send`], or [`Host::tell`] for a part of a round |
//! | the edit is accepted | [`Host::show`] with its id |
//! | the edit is refused | [`Engine::edit`] gives the error of the store, and nothing was shown |
//! | the edit is decided later | [`Later::Waits`](crate::engine::host::Later), then [`Host::show`] or another [`Later`](crate::engine::host::Later); its user edits nothing else until then |
//! | wake me | the time that [`Engine::wakes_at`] gives after every call |
//! | view | what [`Engine::shows`] gives after every call |
//! | merged, where anyone wants to know | [`Host::merge`] |
//!
//! Append, sync, each step of replace, send and accepted are steps: a crash may come between any two of them, and what the
//! engine does after it has no effect. Time, the node's clock and random numbers are the host's, too ([`Host::now`],
//! [`Host::wall`], [`Host::random`]).

use std::any::Any;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use crate::domain::data::{Fields, Intent, View};
use crate::domain::seed::Stream;
use crate::engine::acknowledged::{Acknowledged, Ids};
use crate::engine::host::{Entropy, Host, NodeId, Time};
use crate::engine::store::StoreError;
use crate::engine::store::disk::{Disk, Files};
use crate::engine::vector::{Actor, Ranges};

/// Incarnations are drawn from so many: four bytes in a message, and two devices that were one draw the same once in
/// 268 million starts.
pub const INCARNATIONS: u64 = 1 << 28;

/// What a node is told about itself and its surroundings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Which node it is.
    pub node: NodeId,
    /// Whose operations it makes: the same for all devices of one client.
    pub client: u32,
    /// The registers, and what they are at the start.
    pub fields: Fields,
    /// Whether it serves others: a hub, an edge, a peer. A leaf has one parent and keeps its own deltas alone.
    pub serves: bool,
    /// Whether it is the node that all others sync through: a hub, and no edge or peer.
    pub is_root: bool,
    /// Whether it serves others that serve: they want its deltas and not their sums, so it keeps them all.
    pub serves_relays: bool,
    /// The time before a first retry.
    pub retry_after: Time,
    /// The longest time between retries.
    pub retry_at_most: Time,
    /// Retries without an answer before it gives up until it is connected again, or told to try.
    pub retries: u32,
    /// How often it opens a new handshake at once in one connection, where the other seems to be in another session.
    pub handshakes: u32,
    /// How long it waits for more before it sends pending changes.
    pub linger: Time,
    /// The longest body that travels in one fragment.
    pub fragment: usize,
    /// Deltas that a compaction leaves, though it need not.
    pub retain: u64,
    /// Entries of the journal after which it is compacted.
    pub compact_after: u64,
    /// A mutant that is planted in it, by name.
    pub mutant: Option<&'static str>,
}

impl Settings {
    /// The longest that an engine may say nothing between two attempts: the longest backoff, and half of it for jitter.
    pub fn longest_wait(&self) -> Time {
        self.retry_at_most + self.retry_at_most / 2
    }
}

/// What a neighbour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// This replica's way to all others.
    Parent,
    /// This replica is its way to all others.
    Child,
    /// Neither.
    Peer,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// It was understood.
    Taken,
    /// It was damaged on its way.
    Damaged,
    /// It belongs to a session that is over, or to none.
    Stale,
}

/// What became of bare values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// They were taken for a beginning.
    Taken,
    /// They were refused, and the user is told: the device starts from nothing, and its peers give it what they have.
    Refused,
}

/// How far a node is in what it made and took, in its own log and in its parent's.
pub type Position = (u64, u64, Option<(Actor, Ranges)>);

/// How far a node is in the edits of others, where it tells that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Its log has this length, and [`Engine::ids`] tells of every edit whether it is in it.
    Own(u64),
    /// It has all that is in this node's log up to a position.
    Of(NodeId, u64),
    /// It has nothing of anybody's.
    Nothing,
}

/// What a node says of itself. It is no [`ReplicaRecord`](crate::report::offline_record::ReplicaRecord), which adds the node
/// and the time: an engine must not depend on the form of records, which is read back from files of older versions.
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

/// Why an engine did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Its store did not read or write.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It failed by itself: it panicked, ended, answered what no engine may answer, or did not answer in time. The world is
    /// at its end, and the failure is a finding about the engine.
    #[error("{0}")]
    Failed(String),
    /// It cannot be run here: nothing is known about the engine.
    #[error("{0}")]
    Unavailable(String),
    /// It does not do the same where the same happens to it again: nothing is known of what it was not watched at.
    #[error("it does not repeat itself: after {0} it did something else the second time")]
    Unrepeatable(String),
    /// The user asked to stop while an engine was waited for: nothing is known about the engine.
    #[error("stopped by the user")]
    Interrupted,
}

impl EngineError {
    /// Whether a store wrote nothing and can be used on ([`StoreError::is_refusal`]).
    pub fn is_refusal(&self) -> bool {
        matches!(self, EngineError::Store(error) if error.is_refusal())
    }
}

/// One node of a world.
///
/// A store may refuse a write ([`StoreError::is_refusal`]). An engine that is refused gives the error back, and is as if
/// nothing had happened: what it shows, and what it has in memory, is what its store has. It shows no edit as accepted, and
/// acknowledges no message, that is not written. Nobody tells it when there is room again: it tries again by its own timer.
/// After any other error of the store the world is at its end.
pub trait Engine: std::fmt::Debug + Send + Sync + InMemory {
    /// Its user edits.
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, intent: Intent) -> Result<(), EngineError>;

    /// A connection came up.
    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, relation: Relation) -> Result<(), EngineError>;

    /// A connection went down.
    fn disconnected(&mut self, peer: NodeId);

    /// A message arrived.
    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, EngineError>;

    /// A message to this neighbour came back: nothing listens there, it takes no changes now, or this node's user is not
    /// signed in. The connection is up. An
    /// engine tries again when its own retry timer says so, later and later; it need do nothing here.
    fn refused(&mut self, _host: &mut Host<Disk>, _peer: NodeId) -> Result<(), EngineError> {
        Ok(())
    }

    /// Its user has signed in again. Until now nobody took messages of this node, since the sign-in was no longer valid; what
    /// the user did meanwhile is still to be delivered. Its connections begin anew after that, so that an engine need do
    /// nothing here. A node that is off at that moment is not told: when it starts again, its user is signed in.
    fn signed_in(&mut self, _host: &mut Host<Disk>) -> Result<(), EngineError> {
        Ok(())
    }

    /// It is a new device, and its user gives it the bare values that another replica showed, without ids. An engine whose
    /// state is more than what it shows refuses them: its peers would give it the same changes again, and they would count
    /// twice. One that takes them must show each change once all the same.
    fn import(&mut self, _host: &mut Host<Disk>, _values: &[View]) -> Result<Imported, EngineError> {
        Ok(Imported::Refused)
    }

    /// When it wants to be woken.
    fn wakes_at(&self) -> Option<Time>;

    /// Its time has come.
    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError>;

    /// What every register shows.
    fn shows(&self) -> Vec<View>;

    /// How far it is: between two starts, what it shows is the same as long as this is. Nothing where it does not tell.
    fn position(&self) -> Option<Position> {
        None
    }

    /// How far it is in the edits of others. Nothing where it does not tell: then the messages tell that it took.
    fn reached(&self) -> Option<Reached> {
        None
    }

    /// Edits that no other node has acknowledged. Nothing where it does not tell: an engine that tells 0 tells its user that
    /// nothing waits to be sent.
    fn backlog(&self) -> Option<u64>;

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

    /// The files that it keeps beside the host's store, if it keeps any. They are asked for before anything happens to the
    /// store (a backup, a copy, a power failure), and what is given when it is opened again is what became of them.
    fn files(&mut self) -> Result<Option<Files>, EngineError> {
        Ok(None)
    }

    /// Its power fails. Only [`Engine::files`] is called after this.
    fn halt(&mut self) {}
}

/// A node in memory as a value, for walks and tests that try many things from one moment. Every engine that can be copied,
/// compared and hashed is one; others say that they cannot be copied. No world needs it: what a world backs up, copies or
/// sets back is a store.
pub trait InMemory {
    /// The same node; nothing where a node cannot be copied ([`crate::engine::Registration::copies`]).
    fn copy(&self) -> Option<Box<dyn Engine>>;

    /// Whether the other is a node of this engine that is the same in all that its future depends on.
    fn is_same(&self, other: &dyn Engine) -> bool;

    /// Adds all that its future depends on to a hash.
    fn hash_into(&self, hasher: &mut dyn Hasher);

    /// For [`InMemory::is_same`].
    fn as_any(&self) -> &dyn Any;
}

impl<E: Engine + Clone + Eq + Hash + 'static> InMemory for E {
    fn copy(&self) -> Option<Box<dyn Engine>> {
        Some(Box::new(self.clone()))
    }

    fn is_same(&self, other: &dyn Engine) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn hash_into(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A node's random numbers after its `starts`-th start.
pub fn entropy(stream: &Stream, node: NodeId, starts: u64) -> Entropy {
    Entropy::Drawn(Box::new(stream.member(u64::from(node) << 32 | starts)))
}

/// A node in memory, as a value: two are equal if nothing that they do can tell them apart.
#[derive(Debug)]
pub struct Node(pub Box<dyn Engine>);

impl Clone for Node {
    fn clone(&self) -> Self {
        Node(self.0.copy().expect("only engines that can be copied are walked"))
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(other.0.as_ref())
    }
}

impl Eq for Node {}

impl Hash for Node {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.hash_into(hasher);
    }
}
