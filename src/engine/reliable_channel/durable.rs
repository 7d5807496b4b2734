//! The state of a reliable channel that survives a crash: the journal, the image, and how they are read.
//!
//! An entry of the journal says what happened, not what became of it: content is deterministic, so that the same happens
//! again when the journal is read. An image stands for all before it; the journal is replaced by one when it has grown
//! longer than the image, or to `compact_after` entries.
//!
//! Knows: what happened, the store. Must not: know connections, or send anything.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::domain::data::{DataType, Fields, Intent, View};
use crate::domain::traffic::Traffic;
use crate::engine::host::{Host, Merge, NodeId, OpId, Round};
use crate::engine::port::Settings;
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::reliable_channel::neighbour::{Flying, Handshake, Knows, Meeting, Neighbour};
use crate::engine::store::disk::Disk;
use crate::engine::store::{Store, StoreError};
use crate::engine::vector::Actor;
use crate::engine::wire::{Malformed, Reader, Writer};

/// Bytes that a journal may have however small the image is.
const SMALL_JOURNAL: u64 = 1 << 10;

/// Bytes that most entries of the journal do not exceed.
const ENTRY: usize = 128;

/// An entry of the journal.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub enum Entry<'a> {
    /// The store was begun under this number, at this node.
    Begun(u32, NodeId),
    /// The user edited.
    Edit { incarnation: u32, wall: i64, register: u32, intent: Intent },
    /// A neighbour told what it has; it has heard this node's answer, or not yet.
    Met { peer: NodeId, handshake: Handshake, heard: bool },
    /// What is pending for a neighbour was put into a message.
    Offered { peer: NodeId },
    /// The next message of a neighbour came, with this content.
    Took { peer: NodeId, wall: i64, content: &'a [u8] },
    /// The message on its way to a neighbour arrived.
    Arrived { peer: NodeId },
    /// A neighbour has heard this node, and nothing was on its way.
    Heard { peer: NodeId },
    /// The next message of a neighbour came. A mutant writes this first, and then what the message brought.
    Counted { peer: NodeId },
    /// What a message brought that was counted before.
    Kept { peer: NodeId, wall: i64, content: &'a [u8] },
    /// The store was begun under this number, at this node, at this time of its clock, in a world where that matters.
    BegunAt { store: u32, node: NodeId, wall: i64 },
}

/// The durable state.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, Hash)]
#[serde(bound = "")]
pub struct Durable<C: Content> {
    /// Which store this is; 0 before it is begun.
    pub store: u32,
    /// The node that it was begun at. At another it is a copy.
    pub node: NodeId,
    /// What travels.
    pub content: C,
    /// What the content keeps about each neighbour.
    pub peers: Peers<C::Peer>,
    /// Which messages were delivered to each neighbour, and taken from it.
    pub neighbours: BTreeMap<NodeId, Neighbour>,
    /// Edits of the user.
    made: u64,
    /// What the content is told.
    #[serde(skip, default = "nothing")]
    about: About,
    /// Size of the journal, in entries and in bytes, and of the image, in bytes.
    #[serde(skip)]
    sizes: (u64, u64, u64),
    /// How often what it shows may have become another since it was loaded.
    #[serde(skip)]
    version: Version,
}

/// A count that makes no difference: two replicas are the same, however often each became another.
#[derive(Clone, Copy, Debug, Default)]
struct Version(u64);

impl PartialEq for Version {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, _hasher: &mut H) {}
}

fn nothing() -> About {
    let actor = Actor { client: 0, incarnation: 0 };
    About {
        actor,
        store: 0,
        fields: Fields::default(),
        wall: 0,
        fragment: 0,
        serves: false,
        is_root: false,
        mutant: None,
    }
}

impl<C: Content> Durable<C> {
    /// What a store has, that of a new device if it has nothing.
    pub fn load(settings: &Settings, store: &mut Disk) -> Result<Self, StoreError> {
        let kept = store.load()?;
        let Settings { fields, fragment, serves, is_root, client, mutant, .. } = *settings;
        let actor = Actor { client, incarnation: 0 };
        let about = About { actor, store: 0, fields, wall: 0, fragment, serves, is_root, mutant };
        let damaged = |why: String| StoreError::Damaged(why);
        let mut durable = match &kept.image {
            Some(image) => {
                let read = postcard::from_bytes::<Self>(image);
                let durable = read.map_err(|error| damaged(format!("the image says nothing: {error}")))?;
                let about = About { store: durable.store, ..about };
                Durable { about, sizes: (0, 0, image.len() as u64), ..durable }
            }
            None => {
                let mut content = C::default();
                content.begin(&about);
                let (peers, neighbours) = (Peers::new(), BTreeMap::new());
                let version = Version::default();
                Durable { store: 0, node: 0, content, peers, neighbours, made: 0, about, sizes: (0, 0, 0), version }
            }
        };
        if durable.shows().len() != fields.len() as usize {
            return Err(damaged(format!("the image is not of {} registers", fields.len())));
        }
        for (number, bytes) in kept.entries.iter().enumerate() {
            let why = |why: &dyn std::fmt::Display| damaged(format!("entry {number} of the journal: {why}"));
            let entry = postcard::from_bytes(bytes).map_err(|error| why(&error))?;
            durable.happen_again(entry).map_err(|malformed| why(&malformed))?;
            durable.grown(bytes.len());
        }
        durable.about.actor.incarnation = 0;
        Ok(durable)
    }

    fn happen_again(&mut self, entry: Entry<'_>) -> Result<(), Malformed> {
        match entry {
            Entry::Begun(store, node) => self.begun(store, node, 0),
            Entry::BegunAt { store, node, wall } => self.begun(store, node, wall),
            Entry::Edit { incarnation, wall, register, intent } => {
                if !self.about.fields.allow(register, intent) {
                    return Err(Malformed::Range("an edit"));
                }
                self.about.actor.incarnation = incarnation;
                self.edit(wall, register, intent);
            }
            Entry::Met { peer, handshake, heard } => self.meet(peer, handshake, heard),
            Entry::Offered { peer } => {
                self.offer(peer).ok_or(Malformed::Range("a message to a neighbour"))?;
            }
            Entry::Took { peer, wall, content } => self.take(peer, wall, content)?,
            Entry::Arrived { peer } => self.arrived(peer),
            Entry::Heard { peer } => self.heard(peer),
            Entry::Counted { peer } => self.count(peer),
            Entry::Kept { peer, wall, content } => self.keep(peer, wall, content)?,
        }
        Ok(())
    }

    fn grown(&mut self, bytes: usize) {
        self.sizes.0 += 1;
        self.sizes.1 += bytes as u64;
    }

    /// The store gets a name, at this node. Stores hold rights to stocks, and when each began tells the newest.
    pub fn begin(&mut self, host: &mut Host<Disk>, store: u32, node: NodeId) -> Result<(), StoreError> {
        let wall = host.wall;
        let holds_rights = self.about.fields.count(DataType::Stock) > 0;
        let entry = if holds_rights { Entry::BegunAt { store, node, wall } } else { Entry::Begun(store, node) };
        self.begun(store, node, wall);
        self.write(host, entry)
    }

    fn begun(&mut self, store: u32, node: NodeId, wall: i64) {
        (self.store, self.node) = (store, node);
        (self.about.store, self.about.wall) = (store, wall);
        self.content.begun(&self.about);
    }

    /// Writes down what happened. Until [`Durable::sync`] a crash may lose it.
    pub fn write(&mut self, host: &mut Host<Disk>, entry: Entry<'_>) -> Result<(), StoreError> {
        let mut room = [0; ENTRY];
        if let Ok(bytes) = postcard::to_slice(&entry, &mut room) {
            host.append(bytes)?;
            self.grown(bytes.len());
            return Ok(());
        }
        let bytes = postcard::to_allocvec(&entry).map_err(|error| StoreError::Unusable(error.to_string()))?;
        host.append(&bytes)?;
        self.grown(bytes.len());
        Ok(())
    }

    /// Makes durable what was written down. Nothing that another may see of it is done before.
    pub fn sync(&mut self, host: &mut Host<Disk>, compact_after: u64) -> Result<(), StoreError> {
        if !self.is_long(compact_after) {
            return host.sync();
        }
        self.content.tidy();
        let room = Vec::with_capacity(self.sizes.2 as usize);
        let image = postcard::to_extend(&*self, room).map_err(|error| StoreError::Unusable(error.to_string()))?;
        match host.replace(&image) {
            Ok(()) => self.sizes = (0, 0, image.len() as u64),
            // The journal has everything: the image is tried again after the next entry.
            Err(error) if error.is_refusal() => return host.sync(),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The state that the store has, after it refused to write down what had happened in memory already.
    pub fn read_again(&mut self, settings: &Settings, host: &mut Host<Disk>) -> Result<(), StoreError> {
        let mut stored = Self::load(settings, &mut host.store)?;
        stored.keep_neighbours(|peer| self.neighbours.contains_key(&peer) || self.peers.contains_key(&peer));
        (stored.about.actor, stored.about.store) = (self.about.actor, self.about.store);
        stored.version.0 = self.version.0 + 1;
        *self = stored;
        Ok(())
    }

    /// Whether the journal is so long that an image replaces it.
    pub fn is_long(&self, compact_after: u64) -> bool {
        let (entries, journal, image) = self.sizes;
        entries >= compact_after.max(1) || journal > SMALL_JOURNAL.max(image)
    }

    /// Replaces the journal by an image in which nothing is pending for a neighbour: a mutant's mistake.
    pub fn replace_without_news(&mut self, host: &mut Host<Disk>) -> Result<(), StoreError> {
        let forgetful = Durable { peers: Peers::new(), ..self.clone() };
        let image = postcard::to_allocvec(&forgetful).map_err(|error| StoreError::Unusable(error.to_string()))?;
        self.sizes = (0, 0, image.len() as u64);
        host.replace(&image)
    }

    /// Whose edits these are. `incarnation` is one that no device had before, if this one has none since it started.
    pub fn actor(&mut self, incarnation: impl FnOnce() -> u32) -> Actor {
        if self.about.actor.incarnation == 0 {
            self.about.actor.incarnation = incarnation();
        }
        self.about.actor
    }

    /// The user edits.
    pub fn edit(&mut self, wall: i64, register: u32, intent: Intent) {
        self.about.wall = wall;
        self.content.edit(&self.about, &mut self.peers, register, intent);
        self.made += 1;
        self.version.0 += 1;
    }

    /// Whether the user may do this to a stock.
    pub fn allows(&self, register: u32, intent: Intent) -> bool {
        intent.spends() == 0 || self.content.allows(&self.about, register, intent)
    }

    /// The id of the next edit.
    pub fn next_id(&self) -> OpId {
        OpId { actor: self.about.actor, sequence: self.made + 1 }
    }

    /// Edits of the user.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Between two loads, what it shows is the same as long as this is: edits and what is taken alone change that.
    pub fn version(&self) -> u64 {
        self.version.0
    }

    /// What every register shows.
    pub fn shows(&self) -> Vec<View> {
        self.content.shows(&self.about)
    }

    /// The store that was met at a neighbour; 0 if none was.
    pub fn met(&self, at: NodeId) -> u32 {
        self.neighbours.get(&at).map_or(0, |known| known.store)
    }

    /// Messages that were given to a neighbour.
    pub fn gave(&self, to: NodeId) -> u64 {
        self.neighbours.get(&to).map_or(0, Neighbour::gave)
    }

    /// Messages taken from a store at a neighbour.
    pub fn taken(&self, from: NodeId, store: u32) -> u64 {
        self.neighbours.get(&from).map_or(0, |known| known.taken_of(store))
    }

    /// A neighbour is there, and this is what it told.
    pub fn meet(&mut self, peer: NodeId, handshake: Handshake, heard: bool) {
        let known = self.neighbours.entry(peer).or_default();
        let meeting = known.met(handshake);
        if heard {
            known.unheard = None;
        }
        match meeting {
            Meeting::Again => {}
            Meeting::Arrived => {
                if let Some(peer) = self.peers.get_mut(&peer) {
                    self.content.arrived(peer);
                }
            }
            Meeting::Anew => {
                let before = self.peers.remove(&peer);
                let kept = self.content.meet(&self.about, before, handshake.knows == Knows::Nobody);
                self.peers.insert(peer, kept);
            }
        }
    }

    /// Whether a message to this neighbour is on its way.
    pub fn flies(&self, to: NodeId) -> bool {
        self.neighbours.get(&to).is_some_and(|known| known.flying.is_some())
    }

    /// Puts what is pending for a neighbour into a message; nothing if nothing is, or one is on its way.
    pub fn offer(&mut self, to: NodeId) -> Option<Round> {
        let (peer, known) = (self.peers.get_mut(&to)?, self.neighbours.get_mut(&to)?);
        if known.flying.is_some() {
            return None;
        }
        let mut writer = Writer::bare();
        let round = self.content.offer(&self.about, peer, &mut writer)?;
        let (content, traffic): (Vec<u8>, Traffic) = writer.unsealed();
        known.flying = Some(Flying { content, traffic, ends: round.ends });
        Some(round)
    }

    /// Takes the next message of a neighbour: all of it, or, where it is malformed, nothing.
    pub fn take(&mut self, from: NodeId, wall: i64, content: &[u8]) -> Result<(), Malformed> {
        self.keep(from, wall, content)?;
        self.count(from);
        Ok(())
    }

    /// Takes what a message of a neighbour brought.
    fn keep(&mut self, from: NodeId, wall: i64, content: &[u8]) -> Result<(), Malformed> {
        let about = About { wall, ..self.about };
        let changes = self.content.take(&about, &mut self.peers, from, &mut Reader::bare(content))?;
        self.about = about;
        self.version.0 += u64::from(changes);
        Ok(())
    }

    /// Whether the next message of a neighbour can be taken.
    pub fn check(&self, from: NodeId, wall: i64, content: &[u8]) -> Result<(), Malformed> {
        let about = About { wall, ..self.about };
        self.content.check(&about, &self.peers, from, &mut Reader::bare(content))
    }

    /// What taking this would merge, register by register.
    pub fn merges(&self, content: &[u8]) -> Result<Vec<(u32, Merge)>, Malformed> {
        self.content.merges(&self.about, &mut Reader::bare(content))
    }

    /// Counts the next message of a neighbour. Whoever counts it without taking it is a mutant.
    pub fn count(&mut self, from: NodeId) {
        self.neighbours.entry(from).or_default().taken += 1;
    }

    /// What a neighbour told, as if it still had all that it was given: a mutant's mistake.
    pub fn as_before(&self, from: NodeId, handshake: Handshake) -> Handshake {
        let taken = self.neighbours.get(&from).map_or(0, |known| known.delivered);
        Handshake { knows: Knows::You, taken: handshake.taken.max(taken), ..handshake }
    }

    /// The message on its way to a neighbour arrived there.
    pub fn arrived(&mut self, at: NodeId) {
        let known = self.neighbours.entry(at).or_default();
        (known.delivered, known.flying, known.unheard) = (known.delivered + 1, None, None);
        if let Some(peer) = self.peers.get_mut(&at) {
            self.content.arrived(peer);
        }
    }

    /// Takes what is pending for these neighbours as told, where nothing is on its way to them: the mistake of a mutant.
    pub fn forget_changes_for(&mut self, these: impl Fn(NodeId) -> bool) {
        let Durable { content, peers, neighbours, about, .. } = self;
        let flies = |peer: &NodeId| neighbours.get(peer).is_some_and(|known| known.flying.is_some());
        for (_, peer) in peers.iter_mut().filter(|(peer, _)| these(**peer) && !flies(peer)) {
            while content.offer(about, peer, &mut Writer::bare()).is_some() {
                content.arrived(peer);
            }
        }
    }

    /// A neighbour has heard this node; nothing was on its way.
    pub fn heard(&mut self, by: NodeId) {
        self.neighbours.entry(by).or_default().unheard = None;
    }

    /// Forgets all neighbours but these.
    pub fn keep_neighbours(&mut self, kept: impl Fn(NodeId) -> bool) {
        self.peers.retain(|&peer, _| kept(peer));
        self.neighbours.retain(|&peer, _| kept(peer));
    }
}
