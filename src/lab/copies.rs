//! Which stores hold an edit, and what it means for an edit that a store is lost.
//!
//! The lab looks into no engine here. It knows who took which message, what had gone into a message's sender when it was
//! made, whose stores were lost, and how old their backups are. From that it tells which replicas have shown an edit and
//! which stores still hold it. What an engine must keep then is its own declaration
//! ([`crate::engine::Survives`]), the same question for all of them.
//!
//! In a world of more clients than are watched, who took what is not known. There an edit is held by others once its author
//! has had nothing left to send, and no store but the author's was lost.

use crate::domain::history::Fate;
use crate::engine::Survives;
use crate::engine::host::NodeId;
use crate::lab::{Device, World};

impl Device {
    /// Whether its store is there, as far as anyone knows.
    fn is_sound(&self) -> bool {
        !self.wiped && self.damaged.is_none()
    }

    /// Whether it has never lost this edit of its own user.
    fn kept(&self, edit: usize) -> bool {
        !self.gone.contains(&edit)
    }
}

impl World<'_> {
    /// The fates of edits, by author and number, when this node's store is lost, or set back to a backup. `backup` says how
    /// many edits of the node's own user are in the backup. Edits are numbered in the order in which they were made, which
    /// is not that of their times: an edit can wait until its device starts again.
    pub(super) fn fates(&self, node: NodeId, backup: Option<usize>) -> Vec<(NodeId, usize, Fate)> {
        let holdings = &self.measures.staleness.holdings;
        if !holdings.are_known() {
            return self.unwatched_fates(node, backup);
        }
        let mut fates = Vec::new();
        for author in 0..self.trial.clients {
            let device = &self.devices[author as usize];
            for edit in (0..device.made).filter(|&edit| device.edits[edit].fate == Fate::Binding) {
                let (held, backed_up) = if author == node {
                    (device.kept(edit), backup.is_some_and(|made| edit < made))
                } else {
                    (
                        self.has(node, author, edit) || self.has_for(node, author, edit),
                        backup.is_some() && holdings.backup_holds(node, author, edit as u32),
                    )
                };
                if held && !backed_up && !self.is_held_beside(node, author, edit) {
                    let showed = holdings.shown_by(author, edit as u32);
                    let acknowledged = if edit < device.safe { 2 } else { 1 };
                    fates.push((author, edit, fate(showed.max(acknowledged))));
                }
            }
        }
        fates
    }

    /// The same where it is not known who took what.
    fn unwatched_fates(&self, node: NodeId, backup: Option<usize>) -> Vec<(NodeId, usize, Fate)> {
        let mut fates = Vec::new();
        if node < self.trial.clients {
            let device = &self.devices[node as usize];
            let binding = |&edit: &usize| device.edits[edit].fate == Fate::Binding && device.kept(edit);
            for edit in (backup.unwrap_or(0)..device.made).filter(binding) {
                if edit >= device.safe {
                    fates.push((node, edit, Fate::Unshared));
                } else if self.others_lost_stores(node) {
                    fates.push((node, edit, Fate::Undeclared { shown_by: 2 }));
                }
            }
        }
        for author in (0..self.trial.clients).filter(|&author| author != node && self.serves(node)) {
            let device = &self.devices[author as usize];
            let binding = device.gone.iter().filter(|&&edit| device.edits[edit].fate == Fate::Binding);
            fates.extend(binding.map(|&edit| (author, edit, Fate::Undeclared { shown_by: 2 })));
        }
        fates
    }

    /// Whether this edit went into what the node has.
    fn has(&self, node: NodeId, author: NodeId, edit: usize) -> bool {
        self.measures.staleness.holdings.holds(node, author, edit as u32) == Some(true)
    }

    /// Whether the author has nothing left to send to this neighbour, though nobody saw the neighbour take the edit: its power
    /// failed when the edit was in its store already.
    fn has_for(&self, node: NodeId, author: NodeId, edit: usize) -> bool {
        let device = &self.devices[author as usize];
        edit < device.safe && device.connections.iter().any(|&(peer, _)| peer == node)
    }

    /// Whether another store than this node's holds an edit, of those that its engine declares to keep it in.
    fn is_held_beside(&self, node: NodeId, author: NodeId, edit: usize) -> bool {
        let of_author = &self.devices[author as usize];
        if author == node && edit < of_author.safe && !self.others_lost_stores(node) {
            // Somebody acknowledged it, whatever the merge made of it.
            return true;
        }
        let keeps = |other: NodeId| match self.survives {
            _ if other == author => of_author.kept(edit),
            Survives::WhileShown => self.has(other, author, edit),
            Survives::WithAuthorOrRelay => self.serves(other) && self.has(other, author, edit),
        };
        let mut others = (0..self.trial.nodes()).filter(|&other| other != node);
        others.any(|other| self.devices[other as usize].is_sound() && keeps(other))
    }

    /// Whether others sync through this node.
    pub(in crate::lab) fn serves(&self, node: NodeId) -> bool {
        node >= self.trial.clients || !self.trial.hub
    }

    fn others_lost_stores(&self, node: NodeId) -> bool {
        self.lost_stores.iter().any(|&other| other != node)
    }
}

/// The fate of an edit that no store holds any more. `shown_by` counts the replicas that had shown the edit.
fn fate(shown_by: u32) -> Fate {
    match shown_by {
        0 | 1 => Fate::Unshared,
        _ => Fate::Undeclared { shown_by },
    }
}
