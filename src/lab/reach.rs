//! Which edits can have reached whom: the ends of every path of messages. Nothing beyond can be in what a replica shows.
//!
//! Who has an edit for certain, [`super::staleness`] tells. A judge of tags needs both bounds: an element must be shown
//! unless somebody may have seen its insert and removed it, and must not be shown if every insert was seen for certain and
//! removed.
//!
//! Knows: who sent what to whom, and when. Must not: look into a message or a node, but for what it shows.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::domain::history::Sighting;
use crate::domain::offline::OfflineTrial;
use crate::engine::host::NodeId;
use crate::engine::port::Engine;
use crate::lab::staleness::Staleness;

/// By client, so many edits can have reached somebody.
pub(super) type Reached = Rc<[u32]>;

/// By node, what can have reached it. Empty in a world without tags.
pub(super) struct Reach {
    by_node: Vec<Reached>,
}

impl Reach {
    /// Nothing has reached anybody.
    pub(super) fn of(trial: &OfflineTrial) -> Self {
        let nodes = if trial.tags.registers > 0 { trial.nodes() as usize } else { 0 };
        Reach { by_node: vec![vec![0; trial.clients as usize].into(); nodes] }
    }

    /// A user edits.
    pub(super) fn edited(&mut self, client: NodeId) {
        if let Some(reached) = self.by_node.get_mut(client as usize) {
            let mut more = reached.to_vec();
            more[client as usize] += 1;
            *reached = more.into();
        }
    }

    /// What a message of this node can bring.
    pub(super) fn sent(&self, from: NodeId) -> Option<Reached> {
        self.by_node.get(from as usize).cloned()
    }

    /// A message arrived that can have brought this.
    pub(super) fn arrived(&mut self, to: NodeId, brings: Option<&Reached>) {
        if let Some((reached, brings)) = self.by_node.get_mut(to as usize).zip(brings)
            && reached.iter().zip(brings.iter()).any(|(had, more)| more > had)
        {
            *reached = reached.iter().zip(brings.iter()).map(|(&had, &more)| had.max(more)).collect();
        }
    }

    /// A device was set up from another's store.
    pub(super) fn copied(&mut self, from: NodeId, to: NodeId) {
        let brings = self.sent(from);
        self.arrived(to, brings.as_ref());
    }

    /// What a user has seen who is about to edit a tags register.
    pub(super) fn sighting(&self, node: &dyn Engine, number: NodeId, register: u32, known: &Staleness) -> Sighting {
        let shown = node.shows()[register as usize].tags().cloned().unwrap_or_else(BTreeSet::new);
        let had = known.known_to(number).unwrap_or(&[]).into();
        Sighting { shown, had, may_have: self.by_node[number as usize].as_ref().into() }
    }
}
