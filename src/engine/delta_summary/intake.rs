//! What a replica takes in: deltas and summaries of others, judged by id alone, and what it then need not keep.
//!
//! Knows: the replica's state and sessions. Must not: make edits of its own.

use crate::engine::host::{Host, Merge, NodeId};
use crate::engine::mutant::reaches;
use crate::engine::store::{Store, StoreError};
use crate::engine::vector::{Actor, Overlap, VersionVector};

use super::Replica;
use super::log::Delta;
use super::message::Message;
use super::mutant::Mutant;
use super::session::What;
use super::state::{Entry, MessageId, Run};
use super::sums::Changes;
use crate::engine::port::Relation;

impl Replica {
    /// Deltas came in: new ones are taken, those that were seen are acknowledged again.
    pub(super) fn take<S: Store>(
        &mut self,
        host: &mut Host<S>,
        through: MessageId,
        session: u16,
        deltas: Vec<Delta>,
    ) -> Result<(), StoreError> {
        let from = through.from;
        let mut taken: Vec<Run> = Vec::with_capacity(deltas.len());
        let mut fresh: Vec<Entry> = Vec::with_capacity(deltas.len());
        let mut coming = VersionVector::default();
        for delta in deltas {
            let Delta { author, first, last, .. } = delta;
            let mut overlap = self.state.seen.overlap(author, first, last);
            if self.has(Mutant::DedupByLastSequence)
                && self.state.seen.get(author).is_some_and(|seen| first <= seen.last())
            {
                overlap = Overlap::Seen;
            }
            if overlap == Overlap::New {
                overlap = coming.overlap(author, first, last);
            }
            match overlap {
                Overlap::Seen => taken.push((author, first, last)),
                Overlap::New => {
                    coming.insert(author, first, last);
                    taken.push((author, first, last));
                    fresh.push(Entry::Took(through, delta));
                }
                Overlap::Partial => match self.state.remainder(&delta) {
                    Some(rest) if coming.overlap(author, rest.first, rest.last) == Overlap::New => {
                        coming.insert(author, rest.first, rest.last);
                        taken.push((author, first, last));
                        fresh.push(Entry::Took(through, rest));
                    }
                    _ => {
                        // Who sent it is told what is here, and sends what can be told apart.
                        self.refused += 1;
                        taken.extend(self.state.part_of(author, first, last));
                    }
                },
            }
        }
        let ack = Message::Taken(taken.clone());
        if self.has(Mutant::AckBeforeDurable) {
            self.reply(host, from, session, &ack);
        }
        let changes = !fresh.is_empty();
        if changes {
            let came = if host.merged.is_some() { merges(&fresh) } else { Vec::new() };
            self.commit_all(host, fresh)?;
            host.merge(came);
        }
        if !self.has(Mutant::AckBeforeDurable) {
            self.reply(host, from, session, &ack);
        }
        let holds = &mut self.sessions.get_mut(&from).expect("it was looked up").holds;
        for &(actor, first, last) in &taken {
            let first = if reaches(self.mutant, Mutant::HoldsAllBeforeDelta) { 1 } else { first };
            holds.insert(actor, first, last);
        }
        if self.has(Mutant::CursorWithoutGaps) {
            taken.iter().for_each(|&(actor, _, last)| self.state.seen.insert(actor, 1, last));
        }
        if changes {
            self.changes(host);
        }
        Ok(())
    }

    /// Deltas that were sent are durable at the other's.
    pub(super) fn taken<S: Store>(&mut self, host: &mut Host<S>, from: NodeId, runs: &[Run]) -> Result<(), StoreError> {
        if !self.settings.serves {
            self.split(host, from, runs)?;
        }
        let session = self.sessions.get_mut(&from).expect("it was looked up");
        let mut is_pending = false;
        for &(actor, first, last) in runs {
            is_pending |= session.holds.overlap(actor, first, last) != Overlap::Seen;
            session.holds.insert(actor, first, last);
        }
        if session.sent_runs().any(|run| self.state.log.can_widen(run, &session.holds)) {
            session.look_again();
        }
        if is_pending {
            // What is refused again and again is sent ever more rarely.
            session.answered();
        }
        let (relation, client) = (session.relation, self.settings.client);
        if relation != Relation::Child {
            for &(actor, first, last) in runs.iter().filter(|(actor, ..)| actor.client == client) {
                // Of many peers, the first to have it is enough.
                if relation == Relation::Parent || self.state.given.overlap(actor, first, last) != Overlap::Seen {
                    self.note(host, Entry::Given(first, last, actor))?;
                }
            }
        }
        // What cannot be noted is asked for again.
        let session = self.sessions.get_mut(&from).expect("it was looked up");
        let holds = &session.holds;
        let held = |&(actor, first, last): &Run| holds.overlap(actor, first, last) == Overlap::Seen;
        session
            .outstanding
            .retain(|outstanding| !matches!(&outstanding.what, What::Deltas(runs) if runs.iter().all(held)));
        self.settle_timer(from);
        self.push(host, from)
    }

    /// Where the other has a part of one's own delta, which only a copy of this device can have sent, the delta becomes two.
    pub(super) fn split<S: Store>(&mut self, host: &mut Host<S>, from: NodeId, runs: &[Run]) -> Result<(), StoreError> {
        let client = self.settings.client;
        for &(actor, first, last) in runs.iter().filter(|(actor, ..)| actor.client == client) {
            for at in [first - 1, last] {
                if at > 0 && self.state.splits_at(actor, at) {
                    self.commit(host, Entry::Split(actor, at))?;
                    let session = self.sessions.get_mut(&from).expect("it was looked up");
                    session.look_again();
                }
            }
        }
        Ok(())
    }

    /// A summary of the parent's log came in: it is the next run, one that was taken, or one that does not fit.
    pub(super) fn summed<S: Store>(
        &mut self,
        host: &mut Host<S>,
        entry: Entry,
        with: &[Run],
    ) -> Result<(), StoreError> {
        let Entry::Summed { through, log, first, last, without, .. } = &entry else { return Ok(()) };
        let (from, log) = (through.from, *log);
        let Some((_, ranges)) = self.state.cursor_in(log) else { return self.handshake_again(host, from) };
        let mine = |&(actor, first, last): &Run| self.state.seen.overlap(actor, first, last) == Overlap::Seen;
        // What a copy of this device has sent must not count here again.
        let foreign = |&(actor, first, last): &Run| self.state.seen.overlap(actor, first, last) == Overlap::New;
        match ranges.overlap(*first, *last) {
            Overlap::New if without.iter().all(mine) && with.iter().all(foreign) => {
                if self.has(Mutant::AckBeforeDurable) {
                    let mut reached = ranges.clone();
                    reached.insert(*first, *last);
                    self.tell_position(host, from, log, reached.prefix());
                }
                if self.has(Mutant::CursorBeforePayload) {
                    self.commit_cursor(host, entry)?;
                } else {
                    self.commit(host, entry)?;
                }
            }
            Overlap::Seen => {}
            // Sender and receiver do not agree on what is lacking: start the session again.
            _ => return self.handshake_again(host, from),
        }
        self.tell_reached(host, from, log);
        Ok(())
    }

    /// Has a summary happen of which the position alone is in the journal: a mutant's mistake.
    fn commit_cursor<S: Store>(&mut self, host: &mut Host<S>, mut entry: Entry) -> Result<(), StoreError> {
        let whole = entry.clone();
        if let Entry::Summed { changes, .. } = &mut entry {
            *changes = Changes::default();
        }
        self.commit_as(host, &entry, whole)
    }

    /// A snapshot of the parent's log came in: everything but one's own edits is what it says.
    pub(super) fn adopt<S: Store>(
        &mut self,
        host: &mut Host<S>,
        through: MessageId,
        log: Actor,
        position: u64,
        mut within: Vec<Run>,
        changes: Changes,
    ) -> Result<(), StoreError> {
        let have = self.state.cursor_in(log).map(|(_, ranges)| ranges.prefix());
        let mut mergeable = true;
        if have.is_none_or(|have| have < position) {
            if have.is_some() {
                // The cursor is a position of the same log: what it covers is in the snapshot, too.
                let settled = self.state.settled.iter();
                within.extend(settled.flat_map(|(actor, ranges)| ranges.runs().map(move |(a, b)| (actor, a, b))));
            }
            if self.state.made > self.state.sealed {
                self.commit(host, Entry::Sealed)?;
            }
            self.split(host, through.from, &within)?;
            let mut covered = VersionVector::default();
            within.iter().for_each(|&(actor, first, last)| covered.insert(actor, first, last));
            let torn = |delta: &Delta| covered.overlap(delta.author, delta.first, delta.last) == Overlap::Partial;
            if self.state.log.iter().any(|(_, delta)| torn(delta)) {
                self.unmergeable = Some("the parent has a part of edits that are here as one sum".to_owned());
                mergeable = false;
            } else {
                self.unmergeable = None;
                if self.has(Mutant::SnapshotAckBeforeDurable) {
                    self.tell_position(host, through.from, log, position);
                }
                self.commit(host, Entry::Adopted { through, log, position, within, changes })?;
            }
        }
        if mergeable {
            self.tell_reached(host, through.from, log);
        }
        // A split has the deltas that are on their way made anew.
        self.settle_timer(through.from);
        self.push(host, through.from)
    }

    pub(super) fn tell_reached<S: Store>(&mut self, host: &mut Host<S>, from: NodeId, log: Actor) {
        let position = self.state.cursor_in(log).map_or(0, |(_, ranges)| ranges.prefix());
        self.tell_position(host, from, log, position);
    }

    fn tell_position<S: Store>(&self, host: &mut Host<S>, from: NodeId, log: Actor, position: u64) {
        let session = self.sessions[&from].id;
        self.reply(host, from, session, &Message::Reached { log, position });
    }

    /// Drops from the journal what need not be told to anyone any more. What was done before is done, whatever the store
    /// says now: a compaction that was refused is tried again after the next entry.
    pub(super) fn compact<S: Store>(&mut self, host: &mut Host<S>) {
        if self.state.entries < self.settings.compact_after {
            return;
        }
        let end = self.state.log.len();
        let settled =
            |delta: &Delta| self.state.settled.overlap(delta.author, delta.first, delta.last) == Overlap::Seen;
        let frontier = if self.has(Mutant::CompactionPastFrontier) {
            end
        } else if self.settings.serves_relays && !self.has(Mutant::RelaysCompact) {
            0
        } else if self.settings.serves {
            end.saturating_sub(self.settings.retain)
        } else {
            let unsettled = self.state.log.iter().find(|(_, delta)| !settled(delta)).map(|(at, _)| at - 1);
            unsettled.unwrap_or(end).min(end.saturating_sub(self.settings.retain))
        };
        // What is forgotten is forgotten once the image is there.
        let mut compacted = self.state.clone();
        if self.settings.serves || self.has(Mutant::CompactionPastFrontier) {
            compacted.drop_up_to(frontier);
        } else {
            compacted.log.merge_up_to(frontier);
            if compacted.log.at(frontier + 1).is_some() && self.has(Mutant::LeafCompactionDropsEdit) {
                compacted.log.drop_up_to(frontier + 1);
            }
        }
        compacted.entries = 0;
        match host.replace(&compacted.image()) {
            Ok(()) => self.state = compacted,
            Err(error) if error.is_refusal() => {}
            Err(_) => self.unknown = true,
        }
    }
}

/// What these entries add to registers.
fn merges(entries: &[Entry]) -> Vec<(u32, Merge)> {
    let deltas = entries.iter().filter_map(|entry| if let Entry::Took(_, delta) = entry { Some(delta) } else { None });
    deltas.flat_map(|delta| delta.changes.iter().map(|(register, amount)| (register, Merge::Add(amount)))).collect()
}
