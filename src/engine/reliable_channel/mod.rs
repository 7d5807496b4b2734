//! Carries what an engine has to say: one bounded message at a time to each neighbour, sent again until it is acknowledged.
//!
//! | message | says |
//! |---|---|
//! | handshake | the sender's two bytes of this connection, its store, and what it has of the other's (`neighbour.rs`) |
//! | welcome | the same, after the two bytes of the handshake that it answers |
//! | ready | nothing: who opened the handshake has nothing to tell, and is heard |
//! | data | the number of the message to this neighbour, and content |
//! | arrived | that number; 0 for ready |
//!
//! All but the handshake begin with the two bytes that their receiver told for this connection, so that nothing that is late
//! from an earlier one is taken for an answer. What others may rely on is in its store before it is said (`durable.rs`). A
//! device cannot tell a restart from having been copied or set back, so that each makes its edits as a new incarnation.
//!
//! Knows: connections and neighbours. Must not: know what content says.

pub mod by_actor;
pub mod content;
mod durable;
mod line;
pub mod mutant;
mod neighbour;
pub mod pending;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::data::{Intent, Stage, View};
use crate::domain::traffic::{Kind, Traffic};
use crate::engine::host::{Host, Later, NodeId, Round, Time};
use crate::engine::mutant::reaches;
use crate::engine::port::{Engine, EngineError, Position, Relation};
use crate::engine::port::{INCARNATIONS, Imported, Reception, Settings};
use crate::engine::reliable_channel::content::Content;
use crate::engine::reliable_channel::neighbour::{Handshake, Knows};
use crate::engine::store::StoreError;
use crate::engine::store::disk::Disk;
use crate::engine::wire::{Frame, Malformed, Reader, Writer};
use durable::{Durable, Entry};
use line::{Awaits, Heard, Line};
use mutant::Mutant;

const DATA: u8 = 0x10;
const ARRIVED: u8 = 0x11;
const HANDSHAKE: u8 = 0x12;
const WELCOME: u8 = 0x13;
const READY: u8 = 0x14;

/// Handshakes of one connection that are remembered: more than one comes where an earlier connection's is late.
const HANDSHAKES: usize = 4;

/// A node of an engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReliableChannel<C: Content> {
    settings: Settings,
    mutant: Option<Mutant>,
    durable: Durable<C>,
    /// The last two bytes that were told.
    told: u16,
    lines: BTreeMap<NodeId, Line>,
    /// When something is sent again, and to whom: [`Line::due`] of all lines, the first one first.
    timers: BTreeSet<(Time, NodeId)>,
    changes_at: Option<Time>,
    /// Neighbours that are not talked to any more: a mutant's mistake.
    given_up: BTreeSet<NodeId>,
    /// Stores that were ever met: another mutant's mistake.
    names: BTreeSet<u32>,
}

/// Why a frame was not taken: it is malformed, or the store failed.
enum Refused {
    Malformed,
    Store(StoreError),
}

impl From<Malformed> for Refused {
    fn from(_: Malformed) -> Self {
        Refused::Malformed
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Refused::Store(error)
    }
}

impl<C: Content> ReliableChannel<C> {
    /// A node as its store has it.
    pub fn open(settings: Settings, host: &mut Host<Disk>) -> Result<Self, StoreError> {
        let mut durable = Durable::load(&settings, &mut host.store)?;
        let mutant = settings.mutant.and_then(Mutant::named);
        // Copies that keep the store's name look like one device to a neighbour.
        let is_copy =
            durable.node != settings.node && !matches!(mutant, Some(Mutant::KeepCopiedName | Mutant::ReuseIncarnation));
        if durable.store == 0 || is_copy {
            let (store, node) = (fresh_name(host, mutant == Some(Mutant::NameByChanceAlone)), settings.node);
            durable.begin(host, store, node)?;
            durable.sync(host, settings.compact_after)?;
        }
        // What was copied from another device may know this one as its neighbour.
        durable.keep_neighbours(|peer| peer != settings.node);
        // Not by chance alone: a device whose random numbers come again must not seem to be in its old connection.
        let told = host.unlike_before(1 << 16) as u16;
        let (lines, timers, given_up, names) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Ok(ReliableChannel { settings, mutant, durable, told, lines, timers, changes_at: None, given_up, names })
    }

    fn sync(&mut self, host: &mut Host<Disk>) -> Result<(), StoreError> {
        if self.durable.is_long(self.settings.compact_after) && self.has(Mutant::CompactionDropsPending) {
            return self.durable.replace_without_news(host);
        }
        self.durable.sync(host, self.settings.compact_after)
    }

    /// Has what was said last to a neighbour be sent again at a time, or never.
    fn set_timer(&mut self, to: NodeId, due: Option<Time>) {
        let line = self.lines.get_mut(&to).expect("it is connected");
        let before = std::mem::replace(&mut line.due, due);
        if before != due {
            before.map(|time| self.timers.remove(&(time, to)));
            due.map(|time| self.timers.insert((time, to)));
        }
    }

    /// The connection is over. What was on its way may have arrived: the next handshake tells.
    fn end(&mut self, to: NodeId) {
        if let Some(Line { due: Some(due), .. }) = self.lines.remove(&to) {
            self.timers.remove(&(due, to));
        }
    }

    /// Two bytes that no connection had for long.
    fn fresh_pair(&mut self) -> u16 {
        self.told = self.told.wrapping_add(1);
        self.told
    }

    /// The other is there, and this is what it told.
    fn meet(
        &mut self,
        host: &mut Host<Disk>,
        from: NodeId,
        mine: u16,
        theirs: u16,
        handshake: Handshake,
    ) -> Result<(), StoreError> {
        // Who opened the handshake speaks since it heard the answer, and knows what was given.
        let heard = !self.lines[&from].opens;
        // Who lost its store, or was set back, is trusted to have what it was given.
        let trusted = self.has(Mutant::TrustWhoWasSetBack) && self.durable.met(from) != 0;
        let handshake = if trusted { self.durable.as_before(from, handshake) } else { handshake };
        self.durable.write(host, Entry::Met { peer: from, handshake, heard })?;
        let was_met = self.durable.met(from) != 0;
        self.durable.meet(from, handshake, heard);
        if !was_met && self.has(Mutant::HideSetBack) {
            self.durable.heard(from);
        }
        let line = self.lines.get_mut(&from).expect("it is connected");
        (line.mine, line.theirs) = (mine, Some(theirs));
        line.awaits = Awaits::Nothing;
        line.heard.clear();
        self.set_timer(from, None);
        Ok(())
    }

    /// A write failed after what it says had happened in memory. Where the store refused it, that is undone: the state is
    /// what the store has, and what neighbours lack is tried again later.
    fn undone(&mut self, host: &mut Host<Disk>, error: StoreError) -> StoreError {
        if error.is_refusal() {
            if let Err(unreadable) = self.durable.read_again(&self.settings, host) {
                return unreadable;
            }
            self.changes_at.get_or_insert(host.now + self.settings.retry_after);
        }
        error
    }

    /// Sends what is sent again until it is answered.
    fn say(&mut self, host: &mut Host<Disk>, to: NodeId, awaits: Awaits, said: (Frame, Traffic), round: Round) {
        let (frame, traffic) = said;
        let kept = self.has(Mutant::SendForEver).then(|| frame.clone());
        let line = self.lines.get_mut(&to).expect("it is connected");
        (line.awaits, line.said, line.ends, line.attempts) = (awaits, kept, round.ends, 0);
        let again = Some(host.now + self.settings.retry_after).filter(|_| !self.has(Mutant::WaitInSilence));
        self.set_timer(to, again);
        host.tell(to, frame, traffic, round);
    }

    /// Nothing was heard for a while: what was said last is sent again.
    fn say_again(&mut self, host: &mut Host<Disk>, to: NodeId) {
        let retries = self.settings.retries;
        let asks = self.has(Mutant::AskForEver);
        let line = self.lines.get_mut(&to).expect("it is connected");
        if let Some(theirs) = line.theirs.filter(|_| asks && line.awaits == Awaits::Nothing) {
            return self.say(host, to, Awaits::Heard, ready(theirs), Round::default());
        }
        line.attempts += 1;
        let gives_up = line.attempts > retries;
        if self.has(Mutant::GiveUpAfterRefusal) {
            self.given_up.insert(to);
            return self.end(to);
        }
        if gives_up {
            return self.set_timer(to, None);
        }
        let line = &self.lines[&to];
        let (attempts, ends) = (line.attempts, line.ends);
        let Some(frame) = self.said(to) else { return self.set_timer(to, None) };
        let due = host.now + self.backoff(host, attempts);
        self.set_timer(to, Some(due));
        let traffic = Traffic { retransmission: frame.bytes.len() as u64, ..Traffic::default() };
        host.tell(to, frame, traffic, Round { begins: false, ends });
    }

    /// How long to wait before the next attempt: twice as long after each attempt, and up to half as much again by chance.
    fn backoff(&self, host: &mut Host<Disk>, attempts: u32) -> Time {
        let Settings { retry_after, retry_at_most, .. } = self.settings;
        if self.has(Mutant::RetryWithoutBackoff) {
            return retry_after;
        }
        let backoff = retry_after.saturating_mul(1 << attempts.min(20)).min(retry_at_most);
        backoff + host.random(backoff / 2 + 1)
    }

    /// What was said last to a neighbour and waits for an answer: what it is made of stays as it is until then.
    fn said(&self, to: NodeId) -> Option<Frame> {
        let line = self.lines.get(&to)?;
        match line.awaits {
            Awaits::Nothing => line.said.clone(),
            Awaits::Welcome => Some(self.handshake(to, line.mine).0),
            Awaits::Heard => Some(ready(line.theirs?).0),
            Awaits::Arrival => Some(self.durable.neighbours.get(&to)?.frame(DATA, line.theirs?)?.0),
        }
    }

    fn handshake(&self, to: NodeId, mine: u16) -> (Frame, Traffic) {
        let mut writer = Writer::tagged(HANDSHAKE);
        let met = self.durable.met(to);
        writer.of(Kind::Ids).raw(&mine.to_le_bytes()).number(self.durable.store.into()).number(met.into());
        writer.number(self.durable.taken(to, met)).number(self.durable.gave(to));
        writer.seal()
    }

    /// Offers a neighbour what is pending for it, if nothing else is on its way.
    fn offer(&mut self, host: &mut Host<Disk>, to: NodeId) -> Result<(), StoreError> {
        let Some(line) = self.lines.get(&to) else { return Ok(()) };
        let Some(theirs) = line.theirs.filter(|_| line.awaits != Awaits::Arrival) else { return Ok(()) };
        let mut begins = false;
        if !self.durable.flies(to) {
            let Some(round) = self.durable.offer(to) else { return Ok(()) };
            begins = round.begins;
            // The other may take it as soon as it is said, and it is the same message from then on.
            let written = self.durable.write(host, Entry::Offered { peer: to }).and_then(|()| self.sync(host));
            written.map_err(|error| self.undone(host, error))?;
        }
        let known = &self.durable.neighbours[&to];
        let Some((frame, traffic, number)) = known.frame(DATA, theirs) else { return Ok(()) };
        let ends = known.flying.as_ref().is_some_and(|flying| flying.ends);
        let again = host.told.entry(to).or_default().message == Some((self.durable.store, number));
        let traffic = if again { traffic.again() } else { traffic };
        self.say(host, to, Awaits::Arrival, (frame, traffic), Round { begins, ends });
        if !host.has_crashed() {
            host.told.entry(to).or_default().message = Some((self.durable.store, number));
        }
        Ok(())
    }

    fn answer(host: &mut Host<Disk>, to: NodeId, theirs: u16, number: u64) {
        let mut writer = Writer::tagged(ARRIVED);
        writer.of(Kind::Acks).raw(&theirs.to_le_bytes()).number(number);
        let (frame, traffic) = writer.seal();
        host.send(to, frame, traffic);
    }

    /// A handshake came: it is answered with what this side has. Who it is from is known when that is answered.
    fn hears_handshake(&mut self, host: &mut Host<Disk>, from: NodeId, theirs: u16, handshake: Handshake) -> Reception {
        let Some(line) = self.lines.get(&from).filter(|line| !line.opens && line.theirs.is_none()) else {
            return Reception::Stale;
        };
        let before = line.heard.iter().find(|heard| heard.theirs == theirs && heard.handshake == handshake).copied();
        let mine = before.map_or_else(|| self.fresh_pair(), |heard| heard.mine);
        let mut writer = Writer::tagged(WELCOME);
        writer.of(Kind::Ids).raw(&theirs.to_le_bytes()).raw(&mine.to_le_bytes());
        let knows = Knows::of(self.durable.met(from), handshake.store);
        let (taken, gave) = (self.durable.taken(from, handshake.store), self.durable.gave(from));
        let answer = Handshake { store: self.durable.store, knows, taken, gave };
        answer.write_answer(handshake, &mut writer);
        if self.has(Mutant::SendAllNames) {
            self.names.insert(handshake.store);
            self.names.iter().for_each(|&name| _ = writer.of(Kind::Ids).number(name.into()));
        }
        let (frame, traffic) = writer.seal();
        host.send(from, frame, if before.is_some() { traffic.again() } else { traffic });
        let heard = &mut self.lines.get_mut(&from).expect("it was looked up").heard;
        if before.is_none() {
            heard.truncate(HANDSHAKES - 1);
            heard.insert(0, Heard { mine, theirs, handshake });
        }
        Reception::Taken
    }

    /// The answer to one's handshake came.
    fn welcomed(
        &mut self,
        host: &mut Host<Disk>,
        from: NodeId,
        [mine, theirs]: [u16; 2],
        handshake: Handshake,
    ) -> Result<Reception, StoreError> {
        let line = &self.lines[&from];
        if !line.opens || line.theirs.is_some() || line.mine != mine {
            return Ok(Reception::Stale);
        }
        self.meet(host, from, mine, theirs, handshake)?;
        self.offer(host, from)?;
        if self.lines[&from].awaits == Awaits::Nothing {
            self.say(host, from, Awaits::Heard, ready(theirs), Round::default());
        }
        Ok(Reception::Taken)
    }

    /// The handshake that is answered by what begins with these two bytes, where it is not known yet who is there.
    fn opened_by(&self, from: NodeId, mine: u16) -> Option<Heard> {
        let line = self.lines.get(&from).filter(|line| line.theirs.is_none())?;
        line.heard.iter().find(|heard| heard.mine == mine).copied()
    }

    /// Whether messages that begin with these two bytes are of this connection.
    fn is_open(&self, from: NodeId, mine: u16) -> bool {
        self.lines.get(&from).is_some_and(|line| line.theirs.is_some() && line.mine == mine)
    }

    fn ready(&mut self, host: &mut Host<Disk>, from: NodeId, mine: u16) -> Result<Reception, StoreError> {
        if let Some(Heard { theirs, handshake, .. }) = self.opened_by(from, mine) {
            self.meet(host, from, mine, theirs, handshake)?;
        } else if !self.is_open(from, mine) {
            return Ok(Reception::Stale);
        }
        if let Some(theirs) = self.lines[&from].theirs {
            Self::answer(host, from, theirs, 0);
        }
        self.offer(host, from)?;
        Ok(Reception::Taken)
    }

    fn data(
        &mut self,
        host: &mut Host<Disk>,
        from: NodeId,
        mine: u16,
        mut reader: Reader,
    ) -> Result<Reception, Refused> {
        let opened_by = self.opened_by(from, mine);
        if opened_by.is_none() && !self.is_open(from, mine) {
            return Ok(Reception::Stale);
        }
        let met = opened_by.map_or(self.durable.met(from), |heard| heard.handshake.store);
        let taken = self.durable.taken(from, met);
        let number = reader.number()?;
        if number == 0 || number > taken + 1 {
            return Ok(Reception::Stale);
        }
        let content = reader.rest();
        if number == taken + 1 {
            // What is malformed changes nothing, and so it must not make out who is there.
            if opened_by.is_some() {
                self.durable.check(from, host.wall, content)?;
            }
            if let Some(Heard { theirs, handshake, .. }) = opened_by {
                self.meet(host, from, mine, theirs, handshake)?;
            }
            let merges = if host.merged.is_some() { self.durable.merges(content)? } else { Vec::new() };
            self.take(host, from, content)?;
            host.merge(merges);
            self.changes_at.get_or_insert(host.now + self.settings.linger);
        } else if let Some(Heard { theirs, handshake, .. }) = opened_by {
            self.meet(host, from, mine, theirs, handshake)?;
        }
        if let Some(theirs) = self.lines[&from].theirs {
            Self::answer(host, from, theirs, number);
        }
        Ok(Reception::Taken)
    }

    /// Takes the content of the next message: what it becomes is durable before it is acknowledged.
    fn take(&mut self, host: &mut Host<Disk>, from: NodeId, content: &[u8]) -> Result<(), Refused> {
        let (peer, wall) = (from, host.wall);
        if self.has(Mutant::AnswerAndKeepNothing) {
            self.durable.count(from);
            return Ok(self.sync(host)?);
        }
        self.durable.take(from, wall, content)?;
        if self.has(Mutant::PositionBeforePayload) {
            self.durable.write(host, Entry::Counted { peer })?;
            self.sync(host)?;
            return Ok(self.durable.write(host, Entry::Kept { peer, wall, content })?);
        }
        let took = self.durable.write(host, Entry::Took { peer, wall, content });
        took.map_err(|error| self.undone(host, error))?;
        Ok(self.sync(host)?)
    }

    fn arrived(
        &mut self,
        host: &mut Host<Disk>,
        from: NodeId,
        mine: u16,
        number: u64,
    ) -> Result<Reception, StoreError> {
        if !self.is_open(from, mine) {
            return Ok(Reception::Stale);
        }
        let known = self.durable.neighbours.entry(from).or_default();
        match self.lines[&from].awaits {
            Awaits::Heard if number == 0 => {
                if known.unheard.is_some() {
                    self.durable.write(host, Entry::Heard { peer: from })?;
                    self.durable.heard(from);
                }
            }
            Awaits::Arrival if number == known.delivered + 1 && known.flying.is_some() => {
                self.durable.write(host, Entry::Arrived { peer: from })?;
                self.durable.arrived(from);
                if self.has(Mutant::SyncOneNeighbour) {
                    self.durable.forget_changes_for(|peer| peer != from);
                }
            }
            _ => return Ok(Reception::Stale),
        }
        let line = self.lines.get_mut(&from).expect("it is open");
        line.awaits = Awaits::Nothing;
        if !reaches(self.mutant, Mutant::SendForEver) {
            self.set_timer(from, None);
        }
        self.offer(host, from)?;
        if self.has(Mutant::AskForEver) && self.lines[&from].awaits == Awaits::Nothing {
            self.set_timer(from, Some(host.now + self.settings.retry_after));
        }
        Ok(Reception::Taken)
    }

    fn has(&self, mutant: Mutant) -> bool {
        reaches(self.mutant, mutant)
    }

    fn understood(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, Refused> {
        let (tag, mut reader) = Reader::open(frame)?;
        if !self.lines.contains_key(&from) {
            return Ok(Reception::Stale);
        }
        let first = reader.pair()?;
        Ok(match tag {
            HANDSHAKE => {
                let handshake = Handshake::read(&mut reader, self.durable.store)?;
                reader.end()?;
                self.hears_handshake(host, from, first, handshake)
            }
            WELCOME => {
                let (theirs, handshake) =
                    (reader.pair()?, Handshake::read_answer(&mut reader, self.durable.met(from))?);
                if !self.has(Mutant::SendAllNames) {
                    reader.end()?;
                }
                self.welcomed(host, from, [first, theirs], handshake)?
            }
            READY => {
                reader.end()?;
                self.ready(host, from, first)?
            }
            DATA => self.data(host, from, first, reader)?,
            ARRIVED => {
                let number = reader.number()?;
                reader.end()?;
                self.arrived(host, from, first, number)?
            }
            _ => return Err(Refused::Malformed),
        })
    }
}

/// Who opened the handshake has nothing to tell.
fn ready(theirs: u16) -> (Frame, Traffic) {
    let mut writer = Writer::tagged(READY);
    writer.of(Kind::Ids).raw(&theirs.to_le_bytes());
    writer.seal()
}

/// A name that no start of any device had before; with a mutant, a random number alone.
fn fresh_name(host: &mut Host<Disk>, by_chance: bool) -> u32 {
    let bound = INCARNATIONS - 1;
    1 + if by_chance { host.random(bound) } else { host.unlike_before(bound) } as u32
}

impl<C: Content + 'static> Engine for ReliableChannel<C> {
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, intent: Intent) -> Result<(), EngineError> {
        let by_account = self.has(Mutant::NameByAccount).then_some(1);
        if !self.durable.allows(register, intent) {
            host.later = Some(Later::Refused);
            return Ok(());
        }
        let reused = self.has(Mutant::ReuseIncarnation).then_some(self.durable.store).or(by_account);
        let by_chance = self.has(Mutant::NameByChanceAlone);
        let fresh = || reused.unwrap_or_else(|| fresh_name(host, by_chance));
        let incarnation = self.durable.actor(fresh).incarnation;
        let wall = host.wall;
        let id = self.durable.next_id();
        if self.has(Mutant::AcceptBeforeJournal) {
            host.show(id);
        }
        let written = self.durable.write(host, Entry::Edit { incarnation, wall, register, intent });
        if self.has(Mutant::KeepRefusedEdit) && written.is_err() {
            self.durable.edit(wall, register, intent);
        }
        written?;
        self.durable.edit(wall, register, intent);
        if self.has(Mutant::AcceptBeforeDurable) {
            host.show(id);
        }
        self.sync(host)?;
        if !self.has(Mutant::AcceptBeforeJournal) && !self.has(Mutant::AcceptBeforeDurable) {
            host.show(id);
        }
        if !self.lines.is_empty() {
            self.changes_at.get_or_insert(host.now + self.settings.linger);
        }
        Ok(())
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, relation: Relation) -> Result<(), EngineError> {
        self.disconnected(peer);
        if self.given_up.contains(&peer) {
            return Ok(());
        }
        let opens = match relation {
            Relation::Parent => true,
            Relation::Child => false,
            Relation::Peer => self.settings.node < peer,
        };
        let mine = if opens { self.fresh_pair() } else { 0 };
        self.lines.insert(peer, Line::new(opens, mine));
        if opens {
            let handshake = self.handshake(peer, mine);
            self.say(host, peer, Awaits::Welcome, handshake, Round::default());
        }
        Ok(())
    }

    fn disconnected(&mut self, peer: NodeId) {
        self.end(peer);
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, EngineError> {
        match self.understood(host, from, frame) {
            Ok(reception) => Ok(reception),
            Err(Refused::Malformed) => Ok(Reception::Damaged),
            Err(Refused::Store(error)) => Err(error.into()),
        }
    }

    fn import(&mut self, host: &mut Host<Disk>, values: &[View]) -> Result<Imported, EngineError> {
        if !self.has(Mutant::ImportAsEdits) {
            return Ok(Imported::Refused);
        }
        for (register, value) in (0..).zip(values) {
            match value {
                View::Stock(left) => {
                    let units = u32::try_from(*left).unwrap_or(if *left > 0 { u32::MAX } else { 0 });
                    if units > 0 {
                        self.edit(host, register, Intent::Supply(units))?;
                    }
                }
                View::Counter(number) if *number == self.settings.fields.start => {}
                View::Counter(number) => {
                    self.edit(host, register, Intent::Increase(number.wrapping_sub(self.settings.fields.start)))?;
                }
                View::Tags(tags) => {
                    tags.iter().try_for_each(|&element| self.edit(host, register, Intent::Insert(element)))?;
                }
                View::Label(values) => {
                    values.iter().try_for_each(|&value| self.edit(host, register, Intent::Write(value)))?;
                }
                View::Text(letters) => {
                    let mut after = None;
                    for &letter in letters {
                        self.edit(host, register, Intent::Type { after: after.replace(letter), letter })?;
                    }
                }
                View::Claim(claimed) => {
                    claimed.holder.iter().try_for_each(|&holder| self.edit(host, register, Intent::Claim(holder)))?;
                }
                View::Case(case) => {
                    case.done.iter().try_for_each(|&item| self.edit(host, register, Intent::Do(item)))?;
                    if case.stage > Stage::Open {
                        self.edit(host, register, Intent::Close)?;
                    }
                }
                View::Record(None) => {}
                View::Record(Some(record)) => {
                    let values = record.labels.iter().map(|values| values.first().copied().unwrap_or(0));
                    self.edit(host, register, Intent::Create(0))?;
                    for (field, value) in (0..).zip(values) {
                        self.edit(host, register, Intent::Set { field, value })?;
                    }
                    record.tags.iter().try_for_each(|&element| self.edit(host, register, Intent::Tag(element)))?;
                }
            }
        }
        Ok(Imported::Taken)
    }

    fn refused(&mut self, host: &mut Host<Disk>, peer: NodeId) -> Result<(), EngineError> {
        // Those that are refused together do not all come back at once.
        if let Some(line) = self.lines.get(&peer).filter(|line| line.due.is_some()) {
            let due = host.now + self.backoff(host, line.attempts);
            self.set_timer(peer, Some(due));
        }
        Ok(())
    }

    fn signed_in(&mut self, _host: &mut Host<Disk>) -> Result<(), EngineError> {
        if self.has(Mutant::EmptyOutboxAtSignIn) {
            self.durable.forget_changes_for(|_| true);
        }
        Ok(())
    }

    fn wakes_at(&self) -> Option<Time> {
        self.timers.first().map(|&(due, _)| due).into_iter().chain(self.changes_at).min()
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        if self.changes_at.is_some_and(|time| time <= host.now) {
            self.changes_at = None;
            let peers: Vec<NodeId> = self.lines.keys().copied().collect();
            peers.into_iter().try_for_each(|peer| self.offer(host, peer))?;
        }
        let due = self.timers.iter().take_while(|(due, _)| *due <= host.now).map(|&(_, peer)| peer);
        let mut due: Vec<NodeId> = due.collect();
        due.sort_unstable();
        due.into_iter().for_each(|peer| self.say_again(host, peer));
        Ok(())
    }

    fn shows(&self) -> Vec<View> {
        self.durable.shows()
    }

    fn position(&self) -> Option<Position> {
        Some((self.durable.version(), 0, None))
    }

    fn backlog(&self) -> Option<u64> {
        let Durable { content, peers, neighbours, .. } = &self.durable;
        // Where nobody was met, nothing arrived anywhere.
        if peers.is_empty() {
            return Some(self.durable.made());
        }
        let flies = |peer: &NodeId| neighbours.get(peer).is_some_and(|known| known.flying.is_some());
        let taken_for_there = |peer: &NodeId| flies(peer) && self.has(Mutant::TellDeliveredWhenSent);
        Some(peers.iter().filter(|(peer, _)| !taken_for_there(peer)).map(|(_, peer)| content.waiting(peer)).sum())
    }

    fn keep_neighbours(&mut self, neighbours: &[NodeId]) {
        self.durable.keep_neighbours(|peer| neighbours.contains(&peer));
    }
}
