//! In which stores edits are: those that were in one alone may be missing once it is lost, and no others.
//!
//! Of the replica that is done right it is told by ids: an edit is elsewhere if another store has it, or if it was
//! acknowledged by one that was not lost since. The other strategies tell no ids: whoever took a message has all that had
//! gone into its sender's state, as far as the world is small enough to watch who took what; and once a device had nothing
//! left to send, what is in no other store is what its merge dropped. Knows: nodes. Must not: judge.

use crate::sync::host::{NodeId, OpId};
use crate::sync::node::Node;
use crate::sync::replica::Replica;
use crate::sync::vector::{Overlap, VersionVector};
use crate::sync::world::{Device, World};

impl Device {
    fn replica(&self) -> Option<&Replica> {
        self.node.as_ref()?.replica()
    }

    /// Whether its store is there, as far as anyone knows.
    fn is_sound(&self) -> bool {
        !self.wiped && self.damaged.is_none()
    }

    fn has(&self, id: OpId) -> bool {
        self.is_sound() && self.node.as_ref().is_some_and(|node| node.remembers(id))
    }
}

impl World<'_> {
    /// Edits, by author and number, that are in the store of this node and in no other, nor in the backup: the first so many
    /// of its own, and what the node of then holds. An edit's number is its place in the order in which they were made: one
    /// that waited for its device to start again is younger than its time.
    pub(super) fn only_at(&self, node: NodeId, backup: Option<(usize, &dyn Node)>) -> Vec<(NodeId, usize)> {
        let device = &self.devices[node as usize];
        let elsewhere = |edit: &usize| self.is_elsewhere(node, *edit);
        let own = (backup.map_or(0, |(made, _)| made)..device.made)
            .filter(|&edit| !device.edits[edit].excused && !elsewhere(&edit));
        let mut only: Vec<(NodeId, usize)> = own.map(|edit| (node, edit)).collect();
        if device.replica().is_none() {
            return only;
        }
        // Of another's, too, it may have the last copy: of one whose store was lost before.
        for author in (0..self.trial.clients).filter(|&author| author != node) {
            let Device { named, edits, .. } = &self.devices[author as usize];
            for (edit, id) in named.iter().enumerate() {
                let id = id.filter(|_| !edits[edit].excused);
                let backed_up = |id| backup.is_some_and(|(_, held)| held.remembers(id));
                if id.is_some_and(|id| !self.is_held_beside(node, id) && device.has(id) && !backed_up(id)) {
                    only.push((author, edit));
                }
            }
        }
        only
    }

    /// Whether a client's edit is in another store than its own.
    fn is_elsewhere(&self, client: NodeId, edit: usize) -> bool {
        let device = &self.devices[client as usize];
        let Some(replica) = device.replica() else {
            let taken = |other: NodeId| {
                let known = self.measures.staleness.known_to(other)?.get(client as usize)?;
                Some(*known as usize > edit && self.devices[other as usize].is_sound())
            };
            let mut others = (0..self.trial.nodes()).filter(|&other| other != client);
            return edit < device.safe || others.any(|other| taken(other) == Some(true));
        };
        let Some(id) = device.named[edit] else { return false };
        let within = |vector: &VersionVector| vector.overlap(id.actor, id.sequence, id.sequence) == Overlap::Seen;
        within(&replica.state().given) && !within(&device.void) || self.is_held_beside(client, id)
    }

    fn is_held_beside(&self, node: NodeId, id: OpId) -> bool {
        let mut others = (0..).zip(&self.devices).filter(|(other, _)| *other != node);
        others.any(|(_, other)| other.has(id))
    }

    /// What this node acknowledged says nothing any more of where edits are: its store is lost.
    pub(super) fn void_acknowledgements_of(&mut self, node: NodeId) {
        for (client, device) in (0..self.trial.clients).zip(&mut self.devices) {
            let acknowledges = self.trial.parent(client).is_none_or(|parent| parent == node);
            let given = device.node.as_ref().and_then(|node| node.replica()).map(|replica| &replica.state().given);
            if let Some(given) = given.filter(|_| acknowledges && client != node) {
                device.void.join(given);
            }
        }
    }
}
