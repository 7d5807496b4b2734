//! Carries what a strategy has to say: one bounded message at a time to each neighbour, sent again until it is acknowledged.
//!
//! | message | says |
//! |---|---|
//! | greeting | the sender's two bytes of this connection, its store, and what it has of the other's (`neighbour.rs`) |
//! | welcome | the same, after the two bytes of the greeting that it answers |
//! | ready | nothing: who greeted has nothing to tell, and is heard |
//! | data | the number of the message to this neighbour, and content |
//! | arrived | that number; 0 for ready |
//!
//! All but the greeting begin with the two bytes that their receiver told for this connection, so that nothing that is late
//! from an earlier one is taken for an answer. What a node holds survives everything but the loss of its device. A device
//! cannot tell a restart from having been copied or set back, so that each makes its edits as a new incarnation.
//!
//! Knows: connections and neighbours. Must not: know what content says.

use std::collections::BTreeMap;

use crate::domain::traffic::{Kind, Traffic};
use crate::sync::host::{Host, NodeId, OpId, Round, Time};
use crate::sync::node::Node;
use crate::sync::replica::session::Relation;
use crate::sync::replica::{INCARNATIONS, Reception, Settings};
use crate::sync::store::StoreError;
use crate::sync::store::disk::Disk;
use crate::sync::strategy::content::{About, Content, Peers};
use crate::sync::strategy::neighbour::{Flying, Greeting, Knows, Meeting, Neighbour};
use crate::sync::vector::Actor;
use crate::sync::wire::{Frame, Malformed, Reader, Writer};

const DATA: u8 = 0x10;
const ARRIVED: u8 = 0x11;
const GREETING: u8 = 0x12;
const WELCOME: u8 = 0x13;
const READY: u8 = 0x14;

/// Greetings of one connection that are remembered: more than one comes where an earlier connection's is late.
const GREETINGS: usize = 4;

/// What waits for an answer in a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    Nothing,
    Welcome,
    Heard,
    Arrival,
}

/// A greeting that came, what was told as one's own two bytes in answer, and the other's.
#[derive(Clone, Copy, Debug)]
struct Heard {
    mine: u16,
    theirs: u16,
    greeting: Greeting,
}

/// A connection to a neighbour.
#[derive(Clone, Debug)]
struct Line {
    /// Whether this side greets: a child does, and of two peers the one with the lower number. It also speaks first: what a
    /// child has goes up before what its parent has comes down.
    greets: bool,
    /// The two bytes with which messages to this side begin.
    mine: u16,
    /// Those of the other, once it is known to be there.
    theirs: Option<u16>,
    heard: Vec<Heard>,
    awaits: Awaits,
    frame: Option<Frame>,
    ends: bool,
    attempts: u32,
    due: Option<Time>,
}

/// A node of a strategy.
#[derive(Clone, Debug)]
pub struct Courier<C: Content> {
    settings: Settings,
    about: About,
    content: C,
    peers: Peers<C::Peer>,
    neighbours: BTreeMap<NodeId, Neighbour>,
    /// Which store this is.
    store: u32,
    /// The last two bytes that were told.
    told: u16,
    lines: BTreeMap<NodeId, Line>,
    news_at: Option<Time>,
    made: u64,
}

impl<C: Content + Default> Courier<C> {
    /// A new device's, before it starts.
    fn new(settings: Settings, start: i64) -> Self {
        let actor = Actor { client: settings.client, incarnation: 0 };
        let Settings { registers, piece, serves, .. } = settings;
        let about = About { actor, registers, start, wall: 0, piece, serves };
        let mut content = C::default();
        content.begin(&about);
        let (peers, neighbours, lines) = (Peers::new(), BTreeMap::new(), BTreeMap::new());
        Courier { settings, about, content, peers, neighbours, store: 0, told: 0, lines, news_at: None, made: 0 }
    }

    /// A new device's.
    pub fn open(settings: Settings, start: i64, host: &mut Host<Disk>) -> Self {
        let mut courier = Courier::new(settings, start);
        courier.start(host);
        courier
    }

    fn start(&mut self, host: &mut Host<Disk>) {
        if self.store == 0 {
            self.store = 1 + host.random(INCARNATIONS - 1) as u32;
        }
        self.told = host.random(1 << 16) as u16;
        self.about.actor.incarnation = 0;
    }

    /// Two bytes that no connection had for long.
    fn fresh_pair(&mut self) -> u16 {
        self.told = self.told.wrapping_add(1);
        self.told
    }

    /// The store that was met at a neighbour; 0 if none was.
    fn met(&self, at: NodeId) -> u32 {
        self.neighbours.get(&at).map_or(0, |known| known.store)
    }

    /// Messages that were given to a neighbour.
    fn gave(&self, to: NodeId) -> u64 {
        self.neighbours.get(&to).map_or(0, Neighbour::gave)
    }

    /// Messages taken from a store at a neighbour.
    fn taken(&self, from: NodeId, store: u32) -> u64 {
        self.neighbours.get(&from).map_or(0, |known| known.taken_of(store))
    }

    /// The other is there, and this is what it told.
    fn meet(&mut self, from: NodeId, mine: u16, theirs: u16, greeting: Greeting) {
        let line = self.lines.get_mut(&from).expect("it is connected");
        (line.mine, line.theirs) = (mine, Some(theirs));
        (line.awaits, line.frame, line.due) = (Awaits::Nothing, None, None);
        line.heard.clear();
        let greets = line.greets;
        let known = self.neighbours.entry(from).or_default();
        let meeting = known.met(greeting);
        if !greets {
            // Who greeted speaks since it heard the answer, and knows what was given.
            known.unheard = None;
        }
        match meeting {
            Meeting::Again => {}
            Meeting::Arrived => {
                if let Some(peer) = self.peers.get_mut(&from) {
                    self.content.arrived(peer);
                }
            }
            Meeting::Anew => {
                let before = self.peers.remove(&from);
                let peer = self.content.meet(&self.about, before, greeting.knows == Knows::Nobody);
                self.peers.insert(from, peer);
            }
        }
    }

    /// Sends what is sent again until it is answered.
    fn say(&mut self, host: &mut Host<Disk>, to: NodeId, awaits: Awaits, said: (Frame, Traffic), round: Round) {
        let line = self.lines.get_mut(&to).expect("it is connected");
        let (frame, traffic) = said;
        (line.awaits, line.frame, line.ends) = (awaits, Some(frame.clone()), round.ends);
        (line.attempts, line.due) = (0, Some(host.now + self.settings.retry_after));
        host.tell(to, frame, traffic, round);
    }

    /// Offers a neighbour what is news to it, if nothing else is on its way.
    fn offer(&mut self, host: &mut Host<Disk>, to: NodeId) {
        let Some(line) = self.lines.get(&to) else { return };
        let Some(theirs) = line.theirs.filter(|_| line.awaits != Awaits::Arrival) else { return };
        let (Some(peer), Some(known)) = (self.peers.get_mut(&to), self.neighbours.get_mut(&to)) else { return };
        let mut begins = false;
        if known.flying.is_none() {
            let mut writer = Writer::bare();
            let Some(round) = self.content.offer(&self.about, peer, &mut writer) else { return };
            let (content, traffic) = writer.unsealed();
            begins = round.begins;
            known.flying = Some(Flying { content, traffic, ends: round.ends, sent: false });
        }
        let Some((frame, traffic, ends)) = known.frame(DATA, theirs) else { return };
        self.say(host, to, Awaits::Arrival, (frame, traffic), Round { begins, ends });
    }

    fn answer(host: &mut Host<Disk>, to: NodeId, theirs: u16, number: u64) {
        let mut writer = Writer::tagged(ARRIVED);
        writer.of(Kind::Acks).raw(&theirs.to_le_bytes()).number(number);
        let (frame, traffic) = writer.seal();
        host.send(to, frame, traffic);
    }

    /// A greeting came: it is answered with what this side has. Who it is from is known when that is answered.
    fn greeted(&mut self, host: &mut Host<Disk>, from: NodeId, theirs: u16, greeting: Greeting) -> Reception {
        let Some(line) = self.lines.get(&from).filter(|line| !line.greets && line.theirs.is_none()) else {
            return Reception::Stale;
        };
        let before = line.heard.iter().find(|heard| heard.theirs == theirs && heard.greeting == greeting).copied();
        let mine = before.map_or_else(|| self.fresh_pair(), |heard| heard.mine);
        let mut writer = Writer::tagged(WELCOME);
        writer.of(Kind::Ids).raw(&theirs.to_le_bytes()).raw(&mine.to_le_bytes());
        let knows = Knows::of(self.met(from), greeting.store);
        let (taken, gave) = (self.taken(from, greeting.store), self.gave(from));
        let answer = Greeting { store: self.store, knows, taken, gave };
        answer.write_answer(greeting, &mut writer);
        let (frame, traffic) = writer.seal();
        host.send(from, frame, if before.is_some() { traffic.again() } else { traffic });
        let heard = &mut self.lines.get_mut(&from).expect("it was looked up").heard;
        if before.is_none() {
            heard.truncate(GREETINGS - 1);
            heard.insert(0, Heard { mine, theirs, greeting });
        }
        Reception::Taken
    }

    /// The answer to one's greeting came.
    fn welcomed(
        &mut self,
        host: &mut Host<Disk>,
        from: NodeId,
        [mine, theirs]: [u16; 2],
        greeting: Greeting,
    ) -> Reception {
        let line = &self.lines[&from];
        if !line.greets || line.theirs.is_some() || line.mine != mine {
            return Reception::Stale;
        }
        self.meet(from, mine, theirs, greeting);
        self.offer(host, from);
        if self.lines[&from].awaits == Awaits::Nothing {
            let mut writer = Writer::tagged(READY);
            writer.of(Kind::Ids).raw(&theirs.to_le_bytes());
            self.say(host, from, Awaits::Heard, writer.seal(), Round::default());
        }
        Reception::Taken
    }

    /// The greeting that is answered by what begins with these two bytes, where it is not known yet who is there.
    fn opened_by(&self, from: NodeId, mine: u16) -> Option<Heard> {
        let line = self.lines.get(&from).filter(|line| line.theirs.is_none())?;
        line.heard.iter().find(|heard| heard.mine == mine).copied()
    }

    /// Whether messages that begin with these two bytes are of this connection.
    fn is_open(&self, from: NodeId, mine: u16) -> bool {
        self.lines.get(&from).is_some_and(|line| line.theirs.is_some() && line.mine == mine)
    }

    fn ready(&mut self, host: &mut Host<Disk>, from: NodeId, mine: u16) -> Reception {
        if let Some(Heard { theirs, greeting, .. }) = self.opened_by(from, mine) {
            self.meet(from, mine, theirs, greeting);
        } else if !self.is_open(from, mine) {
            return Reception::Stale;
        }
        if let Some(theirs) = self.lines[&from].theirs {
            Self::answer(host, from, theirs, 0);
        }
        self.offer(host, from);
        Reception::Taken
    }

    fn data(
        &mut self,
        host: &mut Host<Disk>,
        from: NodeId,
        mine: u16,
        mut reader: Reader,
    ) -> Result<Reception, Malformed> {
        let opened_by = self.opened_by(from, mine);
        if opened_by.is_none() && !self.is_open(from, mine) {
            return Ok(Reception::Stale);
        }
        let taken = self.taken(from, opened_by.map_or(self.met(from), |heard| heard.greeting.store));
        let number = reader.number()?;
        if number == 0 || number > taken + 1 {
            return Ok(Reception::Stale);
        }
        let about = About { wall: host.wall, ..self.about };
        if number == taken + 1 {
            // What is malformed changes nothing, and so it must not make out who is there.
            let before = opened_by.map(|_| self.clone());
            if let Some(Heard { theirs, greeting, .. }) = opened_by {
                self.meet(from, mine, theirs, greeting);
            }
            if let Err(malformed) = self.content.take(&about, &mut self.peers, from, &mut reader) {
                if let Some(before) = before {
                    *self = before;
                }
                return Err(malformed);
            }
            self.neighbours.entry(from).or_default().taken = number;
            if host.merged.is_some() {
                host.merge(self.content.merged());
            }
            self.news_at.get_or_insert(host.now + self.settings.linger);
        } else if let Some(Heard { theirs, greeting, .. }) = opened_by {
            self.meet(from, mine, theirs, greeting);
        }
        self.about = about;
        if let Some(theirs) = self.lines[&from].theirs {
            Self::answer(host, from, theirs, number);
        }
        Ok(Reception::Taken)
    }

    fn arrived(&mut self, host: &mut Host<Disk>, from: NodeId, mine: u16, number: u64) -> Reception {
        if !self.is_open(from, mine) {
            return Reception::Stale;
        }
        let line = self.lines.get_mut(&from).expect("it is open");
        let known = self.neighbours.entry(from).or_default();
        match line.awaits {
            Awaits::Heard if number == 0 => {}
            Awaits::Arrival if number == known.delivered + 1 && known.flying.is_some() => {
                (known.delivered, known.flying) = (number, None);
                if let Some(peer) = self.peers.get_mut(&from) {
                    self.content.arrived(peer);
                }
            }
            _ => return Reception::Stale,
        }
        known.unheard = None;
        (line.awaits, line.frame, line.due) = (Awaits::Nothing, None, None);
        self.about.wall = host.wall;
        self.offer(host, from);
        Reception::Taken
    }

    fn understood(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, Malformed> {
        let (tag, mut reader) = Reader::open(frame)?;
        if !self.lines.contains_key(&from) {
            return Ok(Reception::Stale);
        }
        let first = reader.pair()?;
        Ok(match tag {
            GREETING => {
                let greeting = Greeting::read(&mut reader, self.store)?;
                reader.end()?;
                self.greeted(host, from, first, greeting)
            }
            WELCOME => {
                let (theirs, greeting) = (reader.pair()?, Greeting::read_answer(&mut reader, self.met(from))?);
                reader.end()?;
                self.welcomed(host, from, [first, theirs], greeting)
            }
            READY => {
                reader.end()?;
                self.ready(host, from, first)
            }
            DATA => self.data(host, from, first, reader)?,
            ARRIVED => {
                let number = reader.number()?;
                reader.end()?;
                self.arrived(host, from, first, number)
            }
            _ => return Err(Malformed::Range("a kind of message")),
        })
    }
}

impl<C: Content + Default + 'static> Node for Courier<C> {
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, amount: i64) -> Result<(), StoreError> {
        self.about.wall = host.wall;
        if self.about.actor.incarnation == 0 {
            self.about.actor.incarnation = 1 + host.random(INCARNATIONS - 1) as u32;
        }
        self.content.edit(&self.about, &mut self.peers, register, amount);
        self.made += 1;
        host.show(OpId { actor: self.about.actor, sequence: self.made });
        if !self.lines.is_empty() {
            self.news_at.get_or_insert(host.now + self.settings.linger);
        }
        Ok(())
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, relation: Relation) -> Result<(), StoreError> {
        self.disconnected(peer);
        let greets = match relation {
            Relation::Parent => true,
            Relation::Child => false,
            Relation::Peer => self.settings.node < peer,
        };
        let mine = if greets { self.fresh_pair() } else { 0 };
        let (awaits, heard) = (Awaits::Nothing, Vec::new());
        let line = Line { greets, mine, theirs: None, heard, awaits, frame: None, ends: false, attempts: 0, due: None };
        self.lines.insert(peer, line);
        if greets {
            let mut writer = Writer::tagged(GREETING);
            let met = self.met(peer);
            writer.of(Kind::Ids).raw(&mine.to_le_bytes()).number(self.store.into()).number(met.into());
            writer.number(self.taken(peer, met)).number(self.gave(peer));
            self.say(host, peer, Awaits::Welcome, writer.seal(), Round::default());
        }
        Ok(())
    }

    fn disconnected(&mut self, peer: NodeId) {
        // What was on its way may have arrived: the next greeting tells.
        self.lines.remove(&peer);
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, StoreError> {
        Ok(self.understood(host, from, frame).unwrap_or(Reception::Damaged))
    }

    fn wakes_at(&self) -> Option<Time> {
        self.lines.values().filter_map(|line| line.due).chain(self.news_at).min()
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), StoreError> {
        if self.news_at.is_some_and(|time| time <= host.now) {
            self.news_at = None;
            let peers: Vec<NodeId> = self.lines.keys().copied().collect();
            peers.into_iter().for_each(|peer| self.offer(host, peer));
        }
        let Settings { retry_after, retry_at_most, retries, .. } = self.settings;
        for (&peer, line) in &mut self.lines {
            if line.due.is_none_or(|due| due > host.now) {
                continue;
            }
            line.attempts += 1;
            if line.attempts > retries {
                line.due = None;
            } else if let Some(frame) = line.frame.clone() {
                let backoff = retry_after.saturating_mul(1 << line.attempts.min(20)).min(retry_at_most);
                line.due = Some(host.now + backoff + host.random(backoff / 2 + 1));
                let traffic = Traffic { retransmission: frame.bytes.len() as u64, ..Traffic::default() };
                host.tell(peer, frame, traffic, Round { begins: false, ends: line.ends });
            }
        }
        Ok(())
    }

    fn shows(&self) -> Vec<i64> {
        self.content.shows(&self.about)
    }

    fn backlog(&self) -> u64 {
        // Where nobody was met, nothing arrived anywhere.
        if self.peers.is_empty() {
            return self.made;
        }
        self.peers.values().map(|peer| self.content.waiting(peer)).sum()
    }

    fn restart(mut self: Box<Self>, host: &mut Host<Disk>, node: NodeId) -> Result<Box<dyn Node>, StoreError> {
        self.lines.clear();
        // What was copied from another device may know this one as its neighbour.
        self.peers.remove(&node);
        self.neighbours.remove(&node);
        self.settings.node = node;
        self.news_at = None;
        self.start(host);
        Ok(self)
    }

    fn keep_neighbours(&mut self, neighbours: &[NodeId]) {
        self.peers.retain(|peer, _| neighbours.contains(peer));
        self.neighbours.retain(|peer, _| neighbours.contains(peer));
    }

    fn afresh(self: Box<Self>) -> Box<dyn Node> {
        Box::new(Courier::<C>::new(self.settings, self.about.start))
    }

    fn copy(&self) -> Box<dyn Node> {
        Box::new(self.clone())
    }

    fn stored(&self, _host: &Host<Disk>) -> u64 {
        let mut writer = Writer::bare();
        self.about.actor.write(&mut writer);
        writer.number(self.store.into()).number(self.made);
        self.content.keep(&self.about, &self.peers, &mut writer);
        for (&node, neighbour) in &self.neighbours {
            writer.number(node.into());
            neighbour.keep(&mut writer);
        }
        writer.len() as u64
    }
}
