//! What a replica acts upon: its store, the network, the user. Every action is a step, and a crash may come between any
//! two of them.

use std::collections::BTreeMap;

use crate::domain::seed::Stream;
use crate::domain::traffic::Traffic;
use crate::engine::store::{Store, StoreError};
use crate::engine::vector::{Actor, Ranges, VersionVector};
use crate::engine::wire::Frame;

/// Microseconds of virtual time.
pub type Time = u64;

/// A node of the network.
pub type NodeId = u32;

/// The id of one edit, for ever: who made it, and its number among those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// Who.
    pub actor: Actor,
    /// From 1.
    pub sequence: u64,
}

/// A message that was handed to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// To whom.
    pub to: NodeId,
    /// The bytes.
    pub frame: Frame,
    /// What they are for.
    pub traffic: Traffic,
    /// Which part it is of what a neighbour is told.
    pub round: Round,
}

/// Which part a message is of what its sender tells a neighbour, where it tells that in several: who has taken all up to one
/// that ends a round has all that its sender had when the round began. Most messages are neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// What the sender has now is told by the end of this round.
    pub begins: bool,
    /// The round ends with it.
    pub ends: bool,
}

/// What was ever handed to the network for a neighbour, so that what is told again is counted as that. Nothing but counting
/// depends on it, so that it outlives connections and restarts.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Operations.
    pub operations: VersionVector,
    /// The last message in fragments: its checksum, the fragments, and what of its bytes is not counted yet.
    pub fragments: Option<(u32, Ranges, Traffic)>,
    /// The last message with a number: the store that it is from, and the number.
    pub message: Option<(u32, u64)>,
}

/// One step of a node's merge: what something that came in does to one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Its bits are exchanged where these are set.
    Xor(u64),
    /// This is added to it.
    Add(i64),
}

impl Merge {
    /// What the register is after it.
    pub fn into(self, register: i64) -> i64 {
        match self {
            Merge::Xor(bits) => register ^ bits as i64,
            Merge::Add(amount) => register.wrapping_add(amount),
        }
    }
}

/// What an engine says of an edit that it does not accept at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    /// Its user waits: the engine accepts it, refuses it or gives it up at a later call.
    Waits,
    /// It is refused, and its user is told. It must not count.
    Refused,
    /// Nobody knows what became of it: it may count, once, or not.
    Unknown,
}

/// The surroundings of one node.
#[derive(Clone, Debug)]
pub struct Host<S> {
    /// What survives.
    pub store: S,
    /// Virtual time.
    pub now: Time,
    /// What the node's own clock shows, in microseconds.
    pub wall: i64,
    /// Messages handed to the network since they were last taken.
    pub sent: Vec<Sent>,
    /// Edits shown to the user as accepted since they were last taken.
    pub shown: Vec<OpId>,
    /// What the engine says of an edit that it did not accept at once, since it was last taken.
    pub later: Option<Later>,
    /// What was merged since it was last taken, register by register, where anyone wants to know: as it came in, and not
    /// what became of it.
    pub merged: Option<Vec<(u32, Merge)>>,
    /// Neighbours with whom a round was to begin after a crash: for counting alone.
    pub begun: Vec<NodeId>,
    /// By neighbour, what was handed to the network: for counting alone.
    pub told: BTreeMap<NodeId, Told>,
    /// What the clock showed when the node started.
    pub started: i64,
    /// Steps that were taken.
    pub steps: u32,
    /// Writes that the store refused.
    pub refused_writes: u64,
    /// Messages that were lost between the node and what its engine brings along by itself, since they were last taken.
    pub lost: u64,
    entropy: Entropy,
    fuse: Option<u32>,
}

/// Where a node's random numbers come from.
#[derive(Clone)]
pub enum Entropy {
    /// A stream of the seed.
    Drawn(Box<Stream>),
    /// 1, 2, 3, …, for worlds that are searched.
    Counted(u64),
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}

impl<S: Store> Host<S> {
    /// Surroundings at time 0.
    pub fn new(store: S, entropy: Entropy) -> Self {
        let (sent, shown) = (Vec::new(), Vec::new());
        Host {
            store,
            now: 0,
            wall: 0,
            sent,
            shown,
            later: None,
            merged: None,
            begun: Vec::new(),
            told: BTreeMap::new(),
            started: 0,
            steps: 0,
            refused_writes: 0,
            lost: 0,
            entropy,
            fuse: None,
        }
    }

    /// Has the node crash after so many more steps: what it does from then on has no effect.
    pub fn crash_after(&mut self, steps: u32) {
        self.fuse = Some(steps);
    }

    /// Whether the node is going to crash within what it does next, or has.
    pub fn may_crash(&self) -> bool {
        self.fuse.is_some()
    }

    /// Whether the node has crashed.
    pub fn has_crashed(&self) -> bool {
        self.fuse == Some(0)
    }

    /// The node starts again.
    pub fn revive(&mut self) {
        self.fuse = None;
        self.begun.clear();
    }

    fn step(&mut self) -> bool {
        self.steps += 1;
        match &mut self.fuse {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    /// Adds an entry to the journal.
    pub fn append(&mut self, entry: &[u8]) -> Result<(), StoreError> {
        if !self.step() {
            return Ok(());
        }
        let written = self.store.append(entry);
        self.written(written)
    }

    /// Whether a write would be refused now: then that counts as a write that was.
    ///
    /// # Errors
    /// [`StoreError::Full`] if it would.
    pub fn has_room(&mut self) -> Result<(), StoreError> {
        let room = self.store.has_room();
        self.written(room)
    }

    /// Counts a write that the store refused.
    fn written(&mut self, written: Result<(), StoreError>) -> Result<(), StoreError> {
        self.refused_writes += u64::from(written.as_ref().is_err_and(StoreError::is_refusal));
        written
    }

    /// Makes the journal durable.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        if !self.step() {
            return Ok(());
        }
        let written = self.store.sync();
        self.written(written)
    }

    /// Replaces the journal by an image.
    pub fn replace(&mut self, image: &[u8]) -> Result<(), StoreError> {
        let steps = self.store.replacing();
        let written =
            (0..steps).try_for_each(|step| if self.step() { self.store.replace_step(image, step) } else { Ok(()) });
        self.written(written)
    }

    /// Shows an edit to the user as accepted.
    pub fn show(&mut self, id: OpId) {
        if self.step() {
            self.shown.push(id);
        }
    }

    /// Tells what comes in, before anything is done with it.
    pub fn merge(&mut self, merges: impl IntoIterator<Item = (u32, Merge)>) {
        if let Some(merged) = self.merged.as_mut().filter(|_| self.fuse != Some(0)) {
            merged.extend(merges);
        }
    }

    /// Hands a message to the network.
    pub fn send(&mut self, to: NodeId, frame: Frame, traffic: Traffic) {
        self.tell(to, frame, traffic, Round::default());
    }

    /// Hands it a message that is a part of a round.
    pub fn tell(&mut self, to: NodeId, frame: Frame, traffic: Traffic, round: Round) {
        if self.step() {
            self.sent.push(Sent { to, frame, traffic, round });
        } else if round.begins {
            self.begun.push(to);
        }
    }

    /// How many numbers were drawn, where they are counted.
    pub fn drawn(&self) -> u64 {
        match self.entropy {
            Entropy::Drawn(_) => 0,
            Entropy::Counted(drawn) => drawn,
        }
    }

    /// A random number below `bound` for a name that no start of any device had before. A device whose random numbers come
    /// again starts at another time.
    pub fn unlike_before(&mut self, bound: u64) -> u64 {
        let drawn = self.random(bound);
        // SplitMix64's mixer, which leaves the time 0 alone.
        let mut mixed = self.started as u64;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (drawn + (mixed ^ (mixed >> 31)) % bound) % bound
    }

    /// A random number below `bound`, which is at least 1.
    pub fn random(&mut self, bound: u64) -> u64 {
        if bound == 1 {
            return 0;
        }
        match &mut self.entropy {
            Entropy::Drawn(stream) => stream.below(bound),
            Entropy::Counted(drawn) => {
                *drawn += 1;
                *drawn % bound
            }
        }
    }
}
