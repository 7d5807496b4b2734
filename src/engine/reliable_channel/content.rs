//! What an engine is to the reliable channel that carries it: what it keeps, offers and takes.
//!
//! Knows: edits, and bytes of messages. Must not: know connections, or whether anything arrives.

use std::collections::BTreeMap;
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::data::{Fields, Intent, View};
use crate::engine::host::{Merge, NodeId, Round};
use crate::engine::vector::Actor;
use crate::engine::wire::{Malformed, Reader, Writer};

/// What an engine's content is told about its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct About {
    /// Whose edits it makes.
    pub actor: Actor,
    /// Its store's name; 0 before the store is begun.
    pub store: u32,
    /// The registers, and what they are at the start.
    pub fields: Fields,
    /// What its clock shows, in microseconds.
    pub wall: i64,
    /// About how many bytes of content a message may have; one thing it always has.
    pub fragment: usize,
    /// Whether others sync through it.
    pub serves: bool,
    /// Whether all others sync through it, by way of nobody else.
    pub is_root: bool,
    /// A mutant that is planted in the node, by name: one of its content, or of what carries it.
    pub mutant: Option<&'static str>,
}

impl About {
    /// What its clock shows, in milliseconds: as fine as stamps are.
    pub fn millis(&self) -> i64 {
        self.wall.div_euclid(1000)
    }
}

/// Whether a stock shows as many units as an edit needs: the check of an application that knows its own view alone.
pub fn is_shown(content: &impl Content, about: &About, register: u32, intent: Intent) -> bool {
    let shown = content.shows(about).get(register as usize).and_then(View::number);
    shown.is_some_and(|shown| shown >= i64::from(intent.spends()))
}

/// A neighbour's bookkeeping by neighbour.
pub type Peers<P> = BTreeMap<NodeId, P>;

/// What an engine sends and makes of what it gets. All of it is durable, and what it becomes depends on nothing but what it is
/// told here: a store keeps what happened, and it happens again after a restart.
pub trait Content: Clone + std::fmt::Debug + Default + Eq + Hash + Send + Sync + Serialize + DeserializeOwned {
    /// What is kept about a neighbour.
    type Peer: Clone + Default + std::fmt::Debug + Eq + Hash + Send + Sync + Serialize + DeserializeOwned;

    /// Before anything happened.
    fn begin(&mut self, about: &About);

    /// A new store has its name. A copy of another device's store has one of its own, and meets its neighbours anew.
    fn begun(&mut self, _about: &About) {}

    /// Whether the user may take these units out of a stock, or transfer the rights to them. Other edits are not asked about.
    fn allows(&self, about: &About, register: u32, intent: Intent) -> bool {
        is_shown(self, about, register, intent)
    }

    /// What is kept about a neighbour that is met anew: all that is not as in the beginning may be pending. `before` is what
    /// was kept; a `blank` one has nothing from here.
    fn meet(&self, about: &About, before: Option<Self::Peer>, blank: bool) -> Self::Peer;

    /// The user edits.
    fn edit(&mut self, about: &About, peers: &mut Peers<Self::Peer>, register: u32, intent: Intent);

    /// Writes what is pending for a neighbour, a fragment of it; nothing if nothing is.
    fn offer(&mut self, about: &About, peer: &mut Self::Peer, writer: &mut Writer) -> Option<Round>;

    /// What was offered last has arrived.
    fn arrived(&mut self, peer: &mut Self::Peer);

    /// Takes what a neighbour offered: all of it, or, where it is malformed, nothing. Says whether it may show something
    /// else now.
    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Self::Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<bool, Malformed>;

    /// Whether this can be taken, before it is. An engine that reads all of it first can tell without a copy of itself.
    fn check(
        &self,
        about: &About,
        peers: &Peers<Self::Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<(), Malformed> {
        self.clone().take(about, &mut peers.clone(), from, reader).map(drop)
    }

    /// It is going to be stored as a whole: a time to put in order what is out of order. Nothing that shows changes.
    fn tidy(&mut self) {}

    /// What taking this would merge into counters, one by one, where it is merged and does not replace anything.
    fn merges(&self, _about: &About, _reader: &mut Reader) -> Result<Vec<(u32, Merge)>, Malformed> {
        Ok(Vec::new())
    }

    /// What every register shows. Edits and what is taken alone change that.
    fn shows(&self, about: &About) -> Vec<View>;

    /// How many things are pending for a neighbour, or on their way.
    fn waiting(&self, peer: &Self::Peer) -> u64;
}
