//! What a user and an operator may ask of a replica: status, backlog, audit, and repair.

use std::collections::BTreeSet;

use crate::sync::host::{Host, NodeId};
use crate::sync::replica::log::Delta;
use crate::sync::replica::session::{Relation, What};
use crate::sync::replica::state::{Entry, MessageId, Run};
use crate::sync::replica::{Replica, recovered};
use crate::sync::store::{Store, StoreError};
use crate::sync::vector::{Actor, Overlap};

/// What is to be said of one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Edited here, and never sent.
    Local,
    /// An edit of it is on its way.
    Syncing,
    /// All edits of it that were made here are acknowledged.
    Synced,
    /// As synced, and edited here since.
    Modified,
    /// An edit of it could not be sent, and no more attempts are made.
    Failed,
}

/// What waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Edits of this device that no other has acknowledged.
    pub edits: u64,
    /// Deltas that they make up so far.
    pub deltas: u64,
    /// Messages that wait for an acknowledgement.
    pub messages: u64,
}

/// How a register was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose operations: an author's, or a parent's log with its positions.
    pub run: Run,
    /// By how much.
    pub amount: i64,
    /// Through which message; `None` for an edit made here.
    pub through: Option<MessageId>,
}

impl Replica {
    /// Whether this delta was made here and is not acknowledged.
    fn waits(&self, delta: &Delta) -> bool {
        let Delta { author, first, last, .. } = *delta;
        let held = |session: &super::Session| session.holds.overlap(author, first, last) == Overlap::Seen;
        author.client == self.settings.client
            && self.state.given.overlap(author, first, last) != Overlap::Seen
            && self.state.settled.overlap(author, first, last) != Overlap::Seen
            && !(self.settings.serves && self.sessions.values().any(held))
    }

    /// The status of every register that was ever changed.
    pub fn statuses(&self) -> Vec<Option<Status>> {
        let mut statuses = vec![None; self.settings.registers as usize];
        for (status, &sum) in statuses.iter_mut().zip(&self.state.sums) {
            *status = (sum != 0).then_some(Status::Synced);
        }
        let failed = self.sessions.values().any(|session| session.failed);
        let mut sent: BTreeSet<Run> = BTreeSet::new();
        for parcel in self.sessions.values().flat_map(|session| &session.outstanding) {
            if let What::Deltas(runs) = &parcel.what {
                sent.extend(runs);
            }
        }
        let of_here = self.state.log.iter().map(|(_, delta)| delta);
        for delta in of_here.filter(|delta| delta.author.client == self.settings.client) {
            let status = match (self.waits(delta), sent.contains(&(delta.author, delta.first, delta.last))) {
                (false, _) => Status::Synced,
                (true, _) if failed => Status::Failed,
                (true, true) => Status::Syncing,
                (true, false) => Status::Local,
            };
            for &(register, _) in &delta.changes {
                statuses[register as usize] = Some(status);
            }
        }
        for &(register, _) in &self.state.pending {
            let status = &mut statuses[register as usize];
            let before = matches!(status, Some(Status::Synced | Status::Modified));
            *status = Some(if before && self.ever_given(register) { Status::Modified } else { Status::Local });
        }
        statuses
    }

    /// Whether anything of this register is known to another.
    fn ever_given(&self, register: u32) -> bool {
        let pending: i64 = self.state.pending.iter().filter(|(r, _)| *r == register).map(|(_, amount)| amount).sum();
        let touched = |delta: &Delta| delta.changes.iter().any(|&(r, _)| r == register) && !self.waits(delta);
        self.state.sums[register as usize] != pending || self.state.log.iter().any(|(_, delta)| touched(delta))
    }

    /// What waits to be acknowledged.
    pub fn backlog(&self) -> Backlog {
        let waiting: Vec<&Delta> =
            self.state.log.iter().map(|(_, delta)| delta).filter(|delta| self.waits(delta)).collect();
        Backlog {
            edits: self.state.pending.len() as u64 + waiting.iter().map(|d| d.last - d.first + 1).sum::<u64>(),
            deltas: waiting.len() as u64,
            messages: self.sessions.values().map(|session| session.outstanding.len() as u64).sum(),
        }
    }

    /// What changed a register, whose changes they were, and through which message they came; from the journal, back to
    /// the last compaction.
    pub fn audit<S: Store>(&self, store: &mut S, register: u32) -> Result<Vec<Change>, StoreError> {
        let of = |changes: &[(u32, i64)]| changes.iter().find(|(r, _)| *r == register).map(|&(_, amount)| amount);
        let (mut me, mut made) = (Actor { client: self.settings.client, incarnation: 0 }, 0);
        let mut audit = Vec::new();
        let kept = store.load()?;
        if let Some(image) = &kept.image {
            let state = super::State::read(image, self.settings.registers, self.settings.serves);
            let state = state.map_err(|error| StoreError::Damaged(error.to_string()))?;
            (me, made) = (state.me, state.made);
        }
        for bytes in kept.entries {
            let entry = Entry::read(&bytes, self.settings.registers);
            match entry.map_err(|error| StoreError::Damaged(error.to_string()))? {
                Entry::Started(incarnation) => {
                    (me.incarnation, made) = (incarnation, 0);
                }
                Entry::Edit { register: edited, amount } => {
                    made += 1;
                    if edited == register {
                        audit.push(Change { run: (me, made, made), amount, through: None });
                    }
                }
                Entry::Took(through, delta) => {
                    if let Some(amount) = of(&delta.changes) {
                        let run = (delta.author, delta.first, delta.last);
                        audit.push(Change { run, amount, through: Some(through) });
                    }
                }
                Entry::Summed { through, log, first, last, changes, .. } => {
                    if let Some(amount) = of(&changes) {
                        audit.push(Change { run: (log, first, last), amount, through: Some(through) });
                    }
                }
                Entry::Adopted { through, log, position, changes, .. } => {
                    let amount = of(&changes).unwrap_or(0);
                    audit.push(Change { run: (log, 1, position), amount, through: Some(through) });
                }
                Entry::Sealed | Entry::Renamed(_) | Entry::Given(..) | Entry::Split(..) | Entry::Piece { .. } => {}
            }
        }
        Ok(audit)
    }

    /// Whether the journal, played again from its beginning, leads to the state that is shown.
    pub fn replays<S: Store>(&self, store: &mut S) -> Result<bool, StoreError> {
        // What a crash may lose without harm is in the state, and not yet in every store.
        store.sync()?;
        Ok(recovered(&self.settings, store)?.image() == self.state.image())
    }

    /// Takes the state from the store again, whatever it is now. Connections start anew.
    pub fn rebuild<S: Store>(&mut self, host: &mut Host<S>) -> Result<(), StoreError> {
        self.state = recovered(&self.settings, &mut host.store)?;
        self.unknown = false;
        self.requeue(host)
    }

    /// Tries again at once what was given up or waits, with every neighbour.
    pub fn requeue<S: Store>(&mut self, host: &mut Host<S>) -> Result<(), StoreError> {
        let peers: Vec<(NodeId, Relation)> = self.sessions.iter().map(|(&peer, s)| (peer, s.relation)).collect();
        peers.into_iter().try_for_each(|(peer, relation)| self.connected(host, peer, relation))
    }

    /// Deltas that could not be taken, and why a snapshot could not: what an operator must look at.
    pub fn troubles(&self) -> (u64, Option<&str>) {
        (self.refused, self.unmergeable.as_deref())
    }
}
