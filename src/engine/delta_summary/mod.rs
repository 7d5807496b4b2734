//! The replica, done right: additive deltas with stable ids, a journal written before anything shows, and a cursor with
//! its gaps.
//!
//! Read [`state`] first: a replica is the entries of its journal, applied. This file is what it does and says,
//! `intake.rs` what it takes in:
//!
//! 1. An edit is written to the journal, made durable, applied, shown. Nothing else can come first.
//! 2. Who connects says hello, with what it has; the other answers with what it has. Each then sends what the other lacks:
//!    upwards the deltas themselves, to a leaf one summary of all that it lacks.
//! 3. What arrives is judged by id alone: seen is a duplicate, new is taken, in whatever order it comes. It is durable
//!    before it is acknowledged.
//! 4. What is not acknowledged is sent again, the same bytes, later and later ([`session`]).
//!
//! What an edit is, and what edits come to, is in [`sums`]: a second data type would bring another such file, and ids,
//! cursors, the journal and the sessions stay as they are. Knows: its host. Must not: know links, other nodes' insides or
//! the ledger.

pub mod acknowledgements;
mod intake;
pub mod log;
pub mod message;
pub mod mutant;
pub mod node;
mod outstanding;
pub mod repair;
pub mod report;
pub mod session;
pub mod state;
mod stored;
pub mod sums;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::data::View;
use crate::engine::host::{Host, NodeId, OpId, Time};
use crate::engine::mutant::{clamped, reaches};
use crate::engine::port::{INCARNATIONS, Reception, Relation, Settings};
use crate::engine::store::{Store, StoreError};
use crate::engine::vector::{Actor, Overlap, VersionVector};
use message::{Message, unframed};
use mutant::Mutant;
use session::{Parked, Session, What};
use state::{Entry, MessageId, State};
use sums::Edit;

impl Settings {
    /// When to send again what is sent now, after so many retries without an answer.
    fn again_at<S: Store>(&self, attempts: u32, host: &mut Host<S>) -> Time {
        let backoff = self.retry_after.saturating_mul(1 << attempts.min(20)).min(self.retry_at_most);
        // Seeded jitter: replicas that were cut off together do not all come back at once.
        host.now + backoff + host.random(backoff / 2 + 1)
    }
}

/// A replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    settings: Settings,
    mutant: Option<Mutant>,
    state: State,
    sessions: BTreeMap<NodeId, Session>,
    timers: BTreeSet<(Time, NodeId)>,
    /// When to tell all neighbours what they lack.
    changes_at: Option<Time>,
    parked: BTreeMap<NodeId, Parked>,
    /// Deltas that could not be taken because a part of each was seen: a sender's mistake, or two devices' same ids.
    refused: u64,
    /// Why the parent's snapshot could not be taken, where it could not.
    unmergeable: Option<String>,
    /// Whether a write failed and may be there all the same: then the state may be behind the journal.
    unknown: bool,
    /// Neighbours that are not talked to any more: a mutant's mistake.
    given_up: BTreeSet<NodeId>,
}

impl Replica {
    /// A replica as its store has it, in a new incarnation.
    pub fn open<S: Store>(settings: Settings, host: &mut Host<S>) -> Result<Self, StoreError> {
        let state = recovered(&settings, &mut host.store)?;
        let mut replica = Replica {
            mutant: settings.mutant.and_then(Mutant::named),
            settings,
            state,
            sessions: BTreeMap::new(),
            timers: BTreeSet::new(),
            changes_at: None,
            parked: BTreeMap::new(),
            refused: 0,
            unmergeable: None,
            unknown: false,
            given_up: BTreeSet::new(),
        };
        let first = replica.state.me.incarnation == 0;
        if first || !replica.has(Mutant::SameIncarnation) {
            let incarnation = 1 + host.unlike_before(INCARNATIONS - 1) as u32;
            replica.commit(host, Entry::Started(incarnation))?;
        }
        Ok(replica)
    }

    /// Its user edits: durable first, then visible.
    pub fn edit<S: Store>(&mut self, host: &mut Host<S>, register: u32, amount: i64) -> Result<(), StoreError> {
        self.edits(host, &[Edit { register, amount }])
    }

    /// Its user makes several edits in one step: all of them are durable before any of them shows.
    pub fn edits<S: Store>(&mut self, host: &mut Host<S>, edits: &[Edit]) -> Result<(), StoreError> {
        self.is_known()?;
        let first = self.state.made + 1;
        if self.has(Mutant::ApplyBeforeJournal) {
            edits.iter().for_each(|&edit| self.state.apply(Entry::Edit(edit)));
            (first..=self.state.made).for_each(|sequence| host.show(OpId { actor: self.state.me, sequence }));
            edits.iter().try_for_each(|&edit| host.append(&Entry::Edit(edit).bytes()))?;
            return host.sync();
        }
        if self.has(Mutant::ShowBeforeSync) {
            edits.iter().try_for_each(|&edit| host.append(&Entry::Edit(edit).bytes()))?;
            edits.iter().for_each(|&edit| self.state.apply(Entry::Edit(edit)));
            (first..=self.state.made).for_each(|sequence| host.show(OpId { actor: self.state.me, sequence }));
            return host.sync();
        }
        self.commit_all(host, edits.iter().copied().map(Entry::Edit).collect())?;
        (first..=self.state.made).for_each(|sequence| host.show(OpId { actor: self.state.me, sequence }));
        self.changes(host);
        self.compact(host);
        Ok(())
    }

    /// What every register comes to, from a start of 0.
    pub fn sums(&self) -> &[i64] {
        self.state.sums.values()
    }

    /// What every register shows.
    pub fn shows(&self) -> Vec<View> {
        let start = self.settings.fields.start;
        let shows = self.sums().iter().map(|&sum| start.wrapping_add(sum).into()).collect();
        if self.has(Mutant::SumsClamp) { clamped(shows, start) } else { shows }
    }

    /// What it must not forget.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// A connection came up.
    pub fn connected<S: Store>(
        &mut self,
        host: &mut Host<S>,
        peer: NodeId,
        relation: Relation,
    ) -> Result<(), StoreError> {
        self.is_known()?;
        self.disconnected(peer);
        if self.given_up.contains(&peer) {
            return Ok(());
        }
        let opens = self.opens(peer, relation);
        // What it says it has is what it may send: all of it has its boundaries. If they cannot be written, it opens later.
        let seals = opens && self.state.made > self.state.sealed;
        let sealed = if seals { self.commit(host, Entry::Sealed) } else { Ok(()) };
        let session = host.random(1 << 16) as u16;
        let mut session = Session::new(relation, session);
        session.handshake_at = host.now;
        self.sessions.insert(peer, session);
        sealed?;
        if opens {
            let hello = self.hello(relation);
            self.dispatch(host, peer, What::Hello, &hello);
        }
        Ok(())
    }

    /// Whether it is this side that opens the handshake.
    fn opens(&self, peer: NodeId, relation: Relation) -> bool {
        match relation {
            Relation::Parent => true,
            Relation::Child => false,
            Relation::Peer => self.settings.node < peer,
        }
    }

    /// A connection went down. What was under way in fragments goes on where it stopped, once it is up again.
    pub fn disconnected(&mut self, peer: NodeId) {
        if let Some(parked) = self.end_session(peer).and_then(Session::parked) {
            self.parked.insert(peer, parked);
        }
    }

    fn end_session(&mut self, peer: NodeId) -> Option<Session> {
        let session = self.sessions.remove(&peer)?;
        session.due.map(|time| self.timers.remove(&(time, peer)));
        Some(session)
    }

    /// When it wants to be woken.
    pub fn wakes_at(&self) -> Option<Time> {
        self.timers.first().map(|&(time, _)| time).into_iter().chain(self.changes_at).min()
    }

    /// Whether it is going to send pending changes to its neighbours.
    pub fn has_changes(&self) -> bool {
        self.changes_at.is_some()
    }

    /// Its time has come.
    pub fn wake<S: Store>(&mut self, host: &mut Host<S>) -> Result<(), StoreError> {
        self.is_known()?;
        if self.changes_at.is_some_and(|time| time <= host.now) {
            self.send_changes(host)?;
        }
        self.retry_due(host)
    }

    /// Sends every neighbour what it lacks.
    pub fn send_changes<S: Store>(&mut self, host: &mut Host<S>) -> Result<(), StoreError> {
        self.changes_at = None;
        let peers: Vec<NodeId> = self.sessions.keys().copied().collect();
        peers.into_iter().try_for_each(|peer| {
            let Session { relation, open, ref outstanding, .. } = self.sessions[&peer];
            let unsaid = !open && outstanding.is_empty() && self.opens(peer, relation);
            if unsaid { self.connected(host, peer, relation) } else { self.push(host, peer) }
        })
    }

    /// The store refused a write: what was to be done is tried again after a while.
    pub fn try_again_later<S: Store>(&mut self, host: &Host<S>) {
        if !self.sessions.is_empty() {
            self.changes_at.get_or_insert(host.now + self.settings.retry_after);
        }
    }

    /// Sends again what has waited long enough.
    pub fn retry_due<S: Store>(&mut self, host: &mut Host<S>) -> Result<(), StoreError> {
        let due: Vec<NodeId> = self.timers.range(..=(host.now, NodeId::MAX)).map(|&(_, peer)| peer).collect();
        due.into_iter().try_for_each(|peer| self.retry(host, peer))
    }

    /// A message arrived.
    pub fn receive<S: Store>(
        &mut self,
        host: &mut Host<S>,
        from: NodeId,
        frame: &[u8],
    ) -> Result<Reception, StoreError> {
        self.is_known()?;
        let Ok((session, body)) = unframed(frame) else { return Ok(Reception::Damaged) };
        self.read(host, from, session, body)
    }

    fn read<S: Store>(
        &mut self,
        host: &mut Host<S>,
        from: NodeId,
        session: u16,
        body: &[u8],
    ) -> Result<Reception, StoreError> {
        let Ok(message) = Message::read(body, self.settings.fields.counters) else { return Ok(Reception::Damaged) };
        if !self.sessions.contains_key(&from) {
            return Ok(Reception::Stale);
        }
        let through = MessageId { from, checksum: crc32fast::hash(body) };
        match message {
            Message::Hello { .. } => self.hears_handshake(host, from, session, message)?,
            // Deltas are judged by their ids alone: those of a session that is over are as good as any.
            Message::Deltas(deltas) => self.take(host, through, session, deltas)?,
            // A handshake in fragments opens its session with the last of them; a message that is whole is judged by itself.
            Message::Fragment { id, count, place, bytes } => {
                self.fragment(host, session, Entry::Fragment { from, id, count, place, bytes })?;
            }
            _ if self.sessions[&from].id != session => {
                self.out_of_session(host, from, &message)?;
                return Ok(Reception::Stale);
            }
            Message::Welcome { log, reached, holds } => self.welcomed(host, from, log, reached, holds)?,
            Message::Taken(runs) => self.taken(host, from, &runs)?,
            Message::Summary { log, first, last, without, with, changes } => {
                self.summed(host, Entry::Summed { through, log, first, last, without, changes }, &with)?;
            }
            Message::Snapshot { log, position, within, changes } => {
                self.adopt(host, through, log, position, within, changes)?;
            }
            Message::Reached { log, position } => {
                if log == self.state.me {
                    self.reached(host, from, position)?;
                }
            }
            Message::Fragments { id, got } => self.fragments(host, from, id, got),
        }
        self.compact(host);
        Ok(Reception::Taken)
    }

    /// The other is in another session than this one, perhaps by a handshake that arrived late: who opens handshakes opens a new one.
    fn out_of_session<S: Store>(
        &mut self,
        host: &mut Host<S>,
        from: NodeId,
        message: &Message,
    ) -> Result<(), StoreError> {
        let Session { relation, open, .. } = self.sessions[&from];
        let asks = matches!(message, Message::Summary { .. } | Message::Snapshot { .. } | Message::Fragment { .. });
        if asks && open && self.opens(from, relation) { self.handshake_again(host, from) } else { Ok(()) }
    }

    /// Starts a session anew, so often at once and then again after a while: messages that are late could have it do so
    /// without end.
    fn handshake_again<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) -> Result<(), StoreError> {
        let Session { relation, handshakes, handshake_at, .. } = self.sessions[&peer];
        let calm = host.now > handshake_at.saturating_add(self.settings.retry_at_most);
        if handshakes < self.settings.handshakes || calm {
            self.connected(host, peer, relation)?;
            let session = self.sessions.get_mut(&peer).expect("it is connected");
            session.handshakes = if calm { 1 } else { handshakes + 1 };
        }
        Ok(())
    }

    fn has(&self, mutant: Mutant) -> bool {
        reaches(self.mutant, mutant)
    }

    /// Writes an entry to the journal, makes it durable, and only then lets it happen.
    fn commit<S: Store>(&mut self, host: &mut Host<S>, entry: Entry) -> Result<(), StoreError> {
        self.is_known()?;
        let written = host.append(&entry.bytes()).and_then(|()| host.sync());
        self.written(written, 1)?;
        self.state.apply(entry);
        Ok(())
    }

    /// Writes one entry, and lets another happen: a mutant's mistake.
    fn commit_as<S: Store>(&mut self, host: &mut Host<S>, written: &Entry, happens: Entry) -> Result<(), StoreError> {
        self.is_known()?;
        let bytes = written.bytes();
        let written = host.append(&bytes).and_then(|()| host.sync());
        self.written(written, 1)?;
        self.state.apply(happens);
        Ok(())
    }

    /// The same for several entries, in one step.
    fn commit_all<S: Store>(&mut self, host: &mut Host<S>, entries: Vec<Entry>) -> Result<(), StoreError> {
        self.is_known()?;
        let mut appended = 0;
        let append = |entry: &Entry| host.append(&entry.bytes()).inspect(|()| appended += 1);
        let written = entries.iter().try_for_each(append);
        // Where there was room for some of them, the journal has those and the state has not.
        self.unknown |= appended > 0 && matches!(written, Err(StoreError::Full));
        let written = written.and_then(|()| host.sync());
        self.written(written, entries.len() as u64)?;
        entries.into_iter().for_each(|entry| self.state.apply(entry));
        Ok(())
    }

    /// Writes an entry that a crash may lose: it saves work, and nothing rests on it.
    fn note<S: Store>(&mut self, host: &mut Host<S>, entry: Entry) -> Result<(), StoreError> {
        self.is_known()?;
        let written = host.append(&entry.bytes());
        self.written(written, 1)?;
        self.state.apply(entry);
        Ok(())
    }

    /// What became of a write of so many entries. Where the store refused them and no others, nothing has happened. What
    /// was noted before and is gone with them, or may be there or not, has the state and the journal differ.
    fn written(&mut self, written: Result<(), StoreError>, entries: u64) -> Result<(), StoreError> {
        if let Err(error) = &written {
            self.unknown |= match error {
                StoreError::Full => false,
                StoreError::Refused { entries: dropped, .. } => *dropped > entries,
                _ => true,
            };
        }
        written
    }

    /// Refuses to go on where the state may be behind the journal.
    fn is_known(&self) -> Result<(), StoreError> {
        if self.unknown { Err(StoreError::Unknown) } else { Ok(()) }
    }

    /// What it says when it connects.
    fn hello(&self, relation: Relation) -> Message {
        if self.settings.serves {
            let client = self.settings.client;
            return Message::Hello { leaf: false, client, cursor: None, holds: self.state.seen.clone() };
        }
        debug_assert_eq!(relation, Relation::Parent, "a leaf has a parent alone");
        let cursor = self.state.cursor.as_ref().map(|(log, ranges)| (*log, ranges.prefix()));
        // What the cursor covers need not be told.
        let mut holds = VersionVector::default();
        for (_, delta) in self.state.log.iter() {
            if self.state.settled.overlap(delta.author, delta.first, delta.last) != Overlap::Seen {
                holds.insert(delta.author, delta.first, delta.last);
            }
        }
        Message::Hello { leaf: true, client: self.settings.client, cursor, holds }
    }

    /// Someone connected, and says what it has.
    fn hears_handshake<S: Store>(
        &mut self,
        host: &mut Host<S>,
        from: NodeId,
        id: u16,
        hello: Message,
    ) -> Result<(), StoreError> {
        let Message::Hello { leaf, client, cursor, holds } = hello else { return Ok(()) };
        let reached = cursor.map_or(Some(0), |(log, position)| self.state.understood(log, position));
        // A handshake that comes again is answered again, and changes nothing.
        let again = self.sessions.get(&from).is_some_and(|session| session.id == id && session.open);
        let told = if leaf { self.held_of(&holds) } else { self.state.seen.clone() };
        let answer = Message::Welcome { log: self.state.me, reached, holds: told };
        if leaf && reached.is_none() && self.sessions.get(&from).is_some_and(|session| session.open && session.id != id)
        {
            // It may be late, from an earlier connection: what cannot open a session ends none that is open.
            self.reply(host, from, id, &answer);
            return Ok(());
        }
        if !again {
            let relation = self.sessions.get(&from).map_or(Relation::Child, |session| session.relation);
            let mut session = Session::new(relation, id);
            (session.leaf, session.holds, session.snapshot) = (leaf, holds, leaf && cursor.is_none());
            (session.reached, session.client) = (reached.unwrap_or(0), client);
            // A leaf whose cursor says nothing here opens one more handshake, without a cursor.
            session.open = !leaf || reached.is_some();
            self.end_session(from);
            self.sessions.insert(from, session);
        }
        self.dispatch(host, from, What::Welcome, &answer);
        let session = &self.sessions[&from];
        if !leaf && !again && session.relation == Relation::Peer {
            let holds = session.holds.clone();
            self.note_given(host, &holds)?;
        }
        self.push(host, from)
    }

    /// A neighbour has these operations: of one's own, that is worth remembering.
    fn note_given<S: Store>(&mut self, host: &mut Host<S>, holds: &VersionVector) -> Result<(), StoreError> {
        let own = holds.of_client(self.settings.client);
        for (actor, first, last) in own.flat_map(|(actor, ranges)| ranges.runs().map(move |(a, b)| (actor, a, b))) {
            if self.state.given.overlap(actor, first, last) != Overlap::Seen {
                self.note(host, Entry::Given(first, last, actor))?;
            }
        }
        Ok(())
    }

    /// Which of these operations are here.
    fn held_of(&self, holds: &VersionVector) -> VersionVector {
        let mut held = VersionVector::default();
        for (actor, _) in holds.iter() {
            if let Some(ranges) = self.state.seen.get(actor) {
                held.set(actor, ranges.clone());
            }
        }
        held
    }

    /// The other says what it has of what this one told.
    fn welcomed<S: Store>(
        &mut self,
        host: &mut Host<S>,
        from: NodeId,
        log: Actor,
        reached: Option<u64>,
        holds: VersionVector,
    ) -> Result<(), StoreError> {
        let mutant_repeats = self.has(Mutant::HandshakeForEver);
        let session = &self.sessions[&from];
        // That the position means nothing is known already, and the handshake without one waits for its own answer.
        let answered_before = !self.settings.serves && reached.is_none() && self.state.cursor.is_none();
        if session.open || answered_before {
            return Ok(());
        }
        if !self.settings.serves {
            let renamed = match (&self.state.cursor, reached) {
                (Some((name, _)), Some(position)) if *name != log => Some(Entry::Renamed(Some((log, position)))),
                // An answer from before a snapshot of this very log, which came first, says nothing any more.
                (Some((name, _)), None) if *name != log => Some(Entry::Renamed(None)),
                _ => None,
            };
            let lost = matches!(renamed, Some(Entry::Renamed(None)));
            if let Some(entry) = renamed {
                self.commit(host, entry)?;
            }
            if lost {
                let session = self.sessions.get_mut(&from).expect("it was looked up");
                if !mutant_repeats {
                    session.finish(|what| matches!(what, What::Hello));
                }
                let hello = self.hello(Relation::Parent);
                self.dispatch(host, from, What::Hello, &hello);
                return Ok(());
            }
        }
        self.note_given(host, &holds)?;
        let session = self.sessions.get_mut(&from).expect("it was looked up");
        if !mutant_repeats {
            session.finish(|what| matches!(what, What::Hello));
        }
        session.open = true;
        session.answered();
        session.holds.join(&holds);
        self.settle_timer(from);
        self.push(host, from)
    }
}

/// The state that a store holds.
pub(in crate::engine) fn recovered<S: Store>(settings: &Settings, store: &mut S) -> Result<State, StoreError> {
    let (mut state, entries) = held(settings, store)?;
    entries.into_iter().try_for_each(|entry| entry.map(|entry| state.apply(entry)))?;
    Ok(state)
}

/// The state that a store's image holds, or a new one, and the entries that follow it.
fn held<S: Store>(
    settings: &Settings,
    store: &mut S,
) -> Result<(State, impl IntoIterator<Item = Result<Entry, StoreError>>), StoreError> {
    let Settings { client, fields, serves, mutant, .. } = *settings;
    let registers = fields.counters;
    let damaged = |what: &str, error| StoreError::Damaged(format!("{what}: {error}"));
    let kept = store.load()?;
    let mut state = match &kept.image {
        Some(image) => State::read(image, registers, serves).map_err(|error| damaged("the image", error))?,
        None => State::new(client, registers, serves),
    };
    state.entries = 0;
    let entry = move |(place, bytes): (usize, Vec<u8>)| {
        let entry = Entry::read(&bytes, registers).map_err(|error| damaged(&format!("entry {place}"), error))?;
        if serves && matches!(entry, Entry::Split(..)) {
            let why = format!("entry {place}: a delta is split in a log in which others know positions");
            return Err(StoreError::Damaged(why));
        }
        Ok(entry)
    };
    let played = move |entry: &Result<Entry, StoreError>| {
        !(matches!(entry, Ok(Entry::Sealed)) && reaches(mutant.and_then(Mutant::named), Mutant::UnsealedDelta))
    };
    Ok((state, kept.entries.into_iter().enumerate().map(entry).filter(played)))
}
