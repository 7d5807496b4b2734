//! Carries what a strategy has to say: one message at a time to each neighbour, sent again until it is acknowledged.
//!
//! An acknowledgement names the message by its checksum, so that a strategy pays for ids only where it has its own. What
//! a node holds survives everything but the loss of its device.

use std::collections::BTreeMap;

use crate::domain::traffic::{Kind, Traffic};
use crate::sync::host::{Host, Merge, NodeId, OpId, Time};
use crate::sync::node::Node;
use crate::sync::replica::session::Relation;
use crate::sync::replica::{INCARNATIONS, Reception, Settings};
use crate::sync::store::StoreError;
use crate::sync::store::disk::Disk;
use crate::sync::vector::Actor;
use crate::sync::wire::{CHECKSUM, Frame, Malformed, Reader, Writer};

/// What a strategy's content is told about its node.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Whose edits it makes.
    pub actor: Actor,
    /// How many registers there are.
    pub registers: u32,
    /// What each is at the start.
    pub start: i64,
    /// What its clock shows, in microseconds.
    pub wall: i64,
}

impl About {
    /// What its clock shows, in milliseconds: as fine as stamps are.
    pub fn millis(&self) -> i64 {
        self.wall.div_euclid(1000)
    }
}

/// A neighbour's bookkeeping by neighbour.
pub type Peers<P> = BTreeMap<NodeId, P>;

/// What a strategy sends and makes of what it gets.
pub trait Content: Clone + std::fmt::Debug {
    /// What is kept about a neighbour.
    type Peer: Clone + Default + std::fmt::Debug;

    /// Before anything happened.
    fn begin(&mut self, about: &About);

    /// What is kept about a neighbour who was never met: all that is not as in the beginning is news to it.
    fn meet(&self, about: &About) -> Self::Peer;

    /// The user edits.
    fn edit(&mut self, about: &About, peers: &mut Peers<Self::Peer>, register: u32, amount: i64);

    /// Writes what is news to a neighbour; `false` if nothing is.
    fn offer(&mut self, about: &About, peer: &mut Self::Peer, writer: &mut Writer) -> bool;

    /// What was offered last has arrived, or must be offered again.
    fn settled(&mut self, peer: &mut Self::Peer, arrived: bool);

    /// Takes what a neighbour offered: all of it, or, where it is malformed, nothing.
    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Self::Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<(), Malformed>;

    /// What was taken last, register by register, where it is merged and does not replace anything.
    fn merged(&self) -> Vec<(u32, Merge)> {
        Vec::new()
    }

    /// What every register shows.
    fn shows(&self, about: &About) -> Vec<i64>;

    /// How many things are news to a neighbour, or on their way.
    fn waiting(&self, peer: &Self::Peer) -> u64;

    /// Bytes that it keeps.
    fn stored(&self) -> u64;
}

const DATA: u8 = 0x10;
const ARRIVED: u8 = 0x11;
const READY: u8 = 0x12;

/// A connection to a neighbour.
#[derive(Clone, Debug)]
struct Line {
    /// Whether the neighbour speaks first, and has not yet.
    listening: bool,
    flying: Option<(Frame, Traffic)>,
    /// Whether what flies is content, and not a greeting.
    content: bool,
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
    lines: BTreeMap<NodeId, Line>,
    news_at: Option<Time>,
    made: u64,
}

impl<C: Content + Default> Courier<C> {
    /// A new device's.
    pub fn new(settings: Settings, start: i64) -> Self {
        let actor = Actor { client: settings.client, incarnation: 0 };
        let about = About { actor, registers: settings.registers, start, wall: 0 };
        let mut content = C::default();
        content.begin(&about);
        Courier { settings, about, content, peers: Peers::new(), lines: BTreeMap::new(), news_at: None, made: 0 }
    }

    /// Offers a neighbour what is news to it, if nothing else is on its way.
    fn offer(&mut self, host: &mut Host<Disk>, to: NodeId) {
        let (Some(line), Some(peer)) = (self.lines.get_mut(&to), self.peers.get_mut(&to)) else { return };
        if line.listening || line.flying.is_some() {
            return;
        }
        let mut writer = Writer::tagged(DATA);
        if self.content.offer(&self.about, peer, &mut writer) {
            let (frame, traffic) = writer.seal();
            line.flying = Some((frame.clone(), traffic));
            (line.attempts, line.content) = (0, true);
            line.due = Some(host.now + self.settings.retry_after);
            host.send(to, frame, traffic);
        }
    }

    fn answer(host: &mut Host<Disk>, to: NodeId, frame: &[u8]) {
        let mut writer = Writer::tagged(ARRIVED);
        writer.of(Kind::Acks).raw(&frame[frame.len() - CHECKSUM..]);
        let (frame, traffic) = writer.seal();
        host.send(to, frame, traffic);
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
        let (content, about) = (&self.content, &self.about);
        self.peers.entry(peer).or_insert_with(|| content.meet(about));
        // A child speaks first: what it has goes up before what the parent has comes down.
        let listening = relation == Relation::Child;
        self.lines.insert(peer, Line { listening, flying: None, content: false, attempts: 0, due: None });
        self.offer(host, peer);
        if relation == Relation::Parent && self.lines[&peer].flying.is_none() {
            let (frame, traffic) = Writer::tagged(READY).seal();
            let line = self.lines.get_mut(&peer).expect("it was just made");
            (line.flying, line.content) = (Some((frame.clone(), traffic)), false);
            line.due = Some(host.now + self.settings.retry_after);
            host.send(peer, frame, traffic);
        }
        Ok(())
    }

    fn disconnected(&mut self, peer: NodeId) {
        if self.lines.remove(&peer).is_some_and(|line| line.flying.is_some() && line.content)
            && let Some(peer) = self.peers.get_mut(&peer)
        {
            self.content.settled(peer, false);
        }
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, StoreError> {
        let Ok((tag, mut reader)) = Reader::open(frame) else { return Ok(Reception::Damaged) };
        let Some(line) = self.lines.get_mut(&from) else { return Ok(Reception::Stale) };
        let about = About { wall: host.wall, ..self.about };
        match tag {
            DATA => {
                if self.content.take(&about, &mut self.peers, from, &mut reader).is_err() {
                    return Ok(Reception::Damaged);
                }
                (line.listening, self.about) = (false, about);
                if host.merged.is_some() {
                    host.merge(self.content.merged());
                }
                Self::answer(host, from, frame);
                self.news_at.get_or_insert(host.now + self.settings.linger);
            }
            READY => {
                if reader.end().is_err() {
                    return Ok(Reception::Damaged);
                }
                (line.listening, self.about) = (false, about);
                Self::answer(host, from, frame);
                self.offer(host, from);
            }
            ARRIVED => {
                let checksum = reader.rest();
                if checksum.len() != CHECKSUM {
                    return Ok(Reception::Damaged);
                }
                let flies = |(flying, _): &(Frame, Traffic)| flying.bytes.ends_with(checksum);
                if !line.flying.as_ref().is_some_and(flies) {
                    return Ok(Reception::Stale);
                }
                (line.flying, line.due, self.about) = (None, None, about);
                if let Some(peer) = self.peers.get_mut(&from).filter(|_| line.content) {
                    self.content.settled(peer, true);
                }
                self.offer(host, from);
            }
            _ => return Ok(Reception::Damaged),
        }
        Ok(Reception::Taken)
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
            } else if let Some((frame, traffic)) = &line.flying {
                let backoff = retry_after.saturating_mul(1 << line.attempts.min(20)).min(retry_at_most);
                line.due = Some(host.now + backoff + host.random(backoff / 2 + 1));
                host.send(peer, frame.clone(), traffic.again());
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

    fn restart(mut self: Box<Self>, _host: &mut Host<Disk>, node: NodeId) -> Result<Box<dyn Node>, StoreError> {
        let peers: Vec<NodeId> = self.lines.keys().copied().collect();
        peers.into_iter().for_each(|peer| self.disconnected(peer));
        self.settings.node = node;
        self.news_at = None;
        Ok(self)
    }

    fn afresh(self: Box<Self>) -> Box<dyn Node> {
        Box::new(Courier::<C>::new(self.settings, self.about.start))
    }

    fn copy(&self) -> Box<dyn Node> {
        Box::new(self.clone())
    }

    fn stored(&self, _host: &Host<Disk>) -> u64 {
        self.content.stored()
    }
}
