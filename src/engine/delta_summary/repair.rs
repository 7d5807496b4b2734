//! What a user and an operator may ask of a replica: status, backlog, audit, and repair.

use std::collections::BTreeSet;

use crate::domain::count::counted;
use crate::engine::delta_summary::log::Delta;
use crate::engine::delta_summary::session::What;
use crate::engine::delta_summary::state::{Entry, MessageId, Run};
use crate::engine::delta_summary::sums::Edit;
use crate::engine::delta_summary::{Replica, held, recovered};
use crate::engine::host::{Host, NodeId};
use crate::engine::port::Relation;
use crate::engine::store::{Store, StoreError};
use crate::engine::vector::{Actor, Overlap};

/// What is to be said of one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Edited here, and never sent.
    Local,
    /// An edit of it is on its way.
    Syncing,
    /// All edits of it that are shown here are acknowledged.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose operations.
    pub whose: Whose,
    /// By how much.
    pub amount: i64,
    /// Through which message; `None` for an edit made here, and for what an image stands for.
    pub through: Option<MessageId>,
}

/// Whose a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// An author's operations.
    Author(Run),
    /// Positions of a parent's log: that node can tell whose they are.
    Log(Run),
    /// Everybody's from before the last compaction.
    Image {
        /// Of so many clients the operations are known to be in it; at a leaf, its own alone. They can tell of theirs.
        authors: u64,
        /// Of all others, at a leaf: what the parent's log had up to this position. That node can tell whose they are.
        followed: Option<(Actor, u64)>,
    },
}

impl std::fmt::Display for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Whose::Author((author, first, last)) => write!(f, "by {author} {first}-{last}"),
            Whose::Log((log, first, last)) => {
                write!(f, "by positions {first}-{last} of the log of {log}, which can tell whose they are")
            }
            Whose::Image { authors, followed } => {
                let authors = counted(authors, "client");
                write!(f, "from before the last compaction, by {authors} that can tell of their own")?;
                let Some((log, position)) = followed else { return Ok(()) };
                write!(f, " and by the log of {log} up to position {position}, which can tell whose the others are")
            }
        }
    }
}

/// What became of the edits of one register.
#[derive(Clone, Copy, Default)]
struct Edited {
    /// Some are acknowledged, some on their way, some neither.
    given: bool,
    sent: bool,
    kept: bool,
    /// What the register is without those that wait.
    others: i64,
}

impl Edited {
    fn count(&mut self, waits: bool, sent: bool, amount: i64) {
        self.given |= !waits;
        self.sent |= waits && sent;
        self.kept |= waits && !sent;
        if waits {
            self.others = self.others.wrapping_sub(amount);
        }
    }

    /// The worst that is to be said of any.
    fn status(self, failed: bool) -> Option<Status> {
        let known = self.given || self.others != 0;
        match (self.sent, self.kept) {
            (false, false) => known.then_some(Status::Synced),
            (true, _) if failed => Some(Status::Failed),
            (true, _) => Some(Status::Syncing),
            (false, true) => Some(if known { Status::Modified } else { Status::Local }),
        }
    }
}

impl Replica {
    /// Whether this delta was made here and is not acknowledged.
    fn waits(&self, delta: &Delta) -> bool {
        let Delta { author, first, last, .. } = *delta;
        author.client == self.settings.client
            && self.state.given.overlap(author, first, last) != Overlap::Seen
            && self.state.settled.overlap(author, first, last) != Overlap::Seen
    }

    /// The status of every register that was edited here or is not as it was at the start.
    pub fn statuses(&self) -> Vec<Option<Status>> {
        // A leaf that cannot take its parent's snapshot cannot go on by itself, either.
        let failed = self.unmergeable.is_some() || self.sessions.values().any(|session| session.failed);
        let mut sent: BTreeSet<Run> = BTreeSet::new();
        for outstanding in self.sessions.values().flat_map(|session| &session.outstanding) {
            if let What::Deltas(runs) = &outstanding.what {
                sent.extend(runs);
            }
        }
        let mut of: Vec<Edited> =
            self.state.sums.values().iter().map(|&sum| Edited { others: sum, ..Edited::default() }).collect();
        for (_, delta) in self.state.log.iter().filter(|(_, delta)| delta.author.client == self.settings.client) {
            let waits = self.waits(delta);
            // Where a session was given up, what it was sealed for has been tried, in deltas or in sums.
            let sent = failed || sent.contains(&(delta.author, delta.first, delta.last));
            for (register, amount) in delta.changes.iter() {
                of[register as usize].count(waits, sent, amount);
            }
        }
        for &Edit { register, amount } in &self.state.pending {
            of[register as usize].count(true, false, amount);
        }
        of.into_iter().map(|edited| edited.status(failed)).collect()
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

    /// What changed a register, whose changes they were, and through which message they came: together they come to what
    /// the register shows. What is from before the last compaction is one change, the first, where it comes to anything.
    pub fn audit<S: Store>(&self, store: &mut S, register: u32) -> Result<Vec<Change>, StoreError> {
        let (mut state, entries) = held(&self.settings, store)?;
        let mut shown = state.sums.values()[register as usize];
        let mut audit = Vec::new();
        if shown != 0 {
            let authors = state.seen.iter().map(|(actor, _)| actor.client).collect::<BTreeSet<u32>>().len() as u64;
            let followed = state.cursor.as_ref().map(|(log, ranges)| (*log, ranges.prefix()));
            audit.push(Change { whose: Whose::Image { authors, followed }, amount: shown, through: None });
        }
        for entry in entries {
            let entry = entry?;
            let said = match &entry {
                Entry::Took(through, delta) => {
                    Some((Whose::Author((delta.author, delta.first, delta.last)), Some(*through)))
                }
                &Entry::Summed { through, log, first, last, .. } => {
                    Some((Whose::Log((log, first, last)), Some(through)))
                }
                // All that was known of others is what it says from now on.
                &Entry::Adopted { through, log, position, .. } => Some((Whose::Log((log, 1, position)), Some(through))),
                _ => None,
            };
            state.apply(entry);
            let before = std::mem::replace(&mut shown, state.sums.values()[register as usize]);
            if shown != before {
                // What no message brought was made here.
                let (whose, through) = said.unwrap_or((Whose::Author((state.me, state.made, state.made)), None));
                audit.push(Change { whose, amount: shown.wrapping_sub(before), through });
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

    /// Takes the state from the store again, whatever it is now; a store that is refused leaves it as it is. What is on its
    /// way to neighbours is made anew.
    pub fn rebuild<S: Store>(&mut self, host: &mut Host<S>) -> Result<(), StoreError> {
        self.state = recovered(&self.settings, &mut host.store)?;
        self.unknown = false;
        self.requeue(host)
    }

    /// Tries again at once what was given up or waits, with every neighbour.
    pub fn requeue<S: Store>(&mut self, host: &mut Host<S>) -> Result<(), StoreError> {
        let peers: Vec<(NodeId, Relation)> = self.sessions.iter().map(|(&peer, s)| (peer, s.relation)).collect();
        peers.into_iter().try_for_each(|(peer, relation)| match self.opens(peer, relation) {
            true => self.connected(host, peer, relation),
            false => self.renew(host, peer),
        })
    }

    /// Makes anew what a neighbour lacks by what it said last: this side cannot open a handshake with it.
    fn renew<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) -> Result<(), StoreError> {
        let end = self.state.log.len();
        let Some(session) = self.sessions.get_mut(&peer) else { return Ok(()) };
        session.look_again();
        session.outstanding.clear();
        (session.attempts, session.failed, session.reached) = (0, false, session.reached.min(end));
        self.settle_timer(peer);
        self.push(host, peer)
    }

    /// Deltas that could not be taken, and why a snapshot could not: what an operator must look at.
    pub fn troubles(&self) -> (u64, Option<&str>) {
        (self.refused, self.unmergeable.as_deref())
    }
}
