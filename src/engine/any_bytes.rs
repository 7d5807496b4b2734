//! Nodes in the middle of their talk, to be given any bytes: what the properties and the fuzz target of the frame decoders
//! are about.
//!
//! Two clients and a hub, or three peers, edit, sync, come again and restart in a fixed order, so that every kind of frame
//! of an engine is said. Knows: nodes. Must not: know what a frame means.

use std::collections::VecDeque;

use crate::domain::data::{DataType, Fields, Intent, View};
use crate::domain::letter::Letter;
use crate::engine::host::{Entropy, Host, NodeId};
use crate::engine::port::Engine;
use crate::engine::port::Relation;
use crate::engine::port::{EngineError, Reception, Settings};
use crate::engine::store::Owner;
use crate::engine::store::disk::Disk;
use crate::engine::wire::CHECKSUM;
use crate::engine::{Open, Registration};

/// Steps after which everything was said that is going to be.
pub const STEPS: usize = 90;

/// Nodes of a talk: two clients and a hub, or three peers.
pub const NODES: NodeId = 3;

/// Counters of each.
pub const REGISTERS: u32 = 24;

/// The registers of a talk: counters, and one of each other data type that is sent and that the engine carries.
fn fields(engine: &Registration) -> Fields {
    let one = |data| u32::from(engine.carries.has(data));
    let [tags, labels, records] = [DataType::Tags, DataType::Label, DataType::Record].map(one);
    let [texts, claims] = [DataType::Text, DataType::Claim].map(one);
    let (record_labels, record_elements) = (2 * records, 3 * records);
    let counters = Fields::counters(REGISTERS, 5);
    Fields { tags, elements: 3 * tags, labels, records, record_labels, record_elements, texts, claims, ..counters }
}

/// What users do to registers that are no counters, one after the other.
fn of_others(fields: &Fields, turn: u32) -> Option<(u32, Intent)> {
    let (element, value) = (turn / 3 % 3, u64::from(turn) + 100);
    // A text in the turns of records, where there are both.
    let has_text = fields.texts > 0 && (turn / 3).is_multiple_of(2);
    let third = if has_text { DataType::Text } else { DataType::Record };
    // So is a claim in the turns of labels.
    let has_claim = fields.claims > 0 && (turn / 3) % 4 == 3;
    let second = if has_claim { DataType::Claim } else { DataType::Label };
    let data = [DataType::Tags, second, third][turn as usize % 3];
    let letter = |number: u32| Letter::numbered(number.into());
    let intent = match (data, turn / 3 % 5) {
        (DataType::Text, 4) => Intent::Erase(letter(turn.saturating_sub(12))),
        (DataType::Text, 2) => Intent::Type { after: None, letter: letter(turn) },
        (DataType::Text, _) => Intent::Type { after: Some(letter(turn.saturating_sub(6))), letter: letter(turn) },
        (DataType::Tags, 3) => Intent::Remove(element),
        (DataType::Tags, _) => Intent::Insert(element),
        (DataType::Label, _) => Intent::Write(value),
        (DataType::Claim, _) => Intent::Claim(value),
        (_, 0) => Intent::Create(value),
        (_, 1) => Intent::Set { field: element % 2, value },
        (_, 2) => Intent::Tag(element),
        (_, 3) => Intent::Delete,
        _ => Intent::Create(value),
    };
    (fields.count(data) > 0).then(|| (fields.first(data), intent))
}

/// A frame on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who sent it.
    pub from: NodeId,
    /// Who gets it.
    pub to: NodeId,
    /// The bytes.
    pub frame: Vec<u8>,
}

/// Nodes of one engine, and all that they said so far.
#[derive(Debug)]
pub struct Talk {
    open: Open,
    fields: Fields,
    /// How many edits were made.
    edits: u32,
    peers: bool,
    nodes: Vec<Box<dyn Engine>>,
    hosts: Vec<Host<Disk>>,
    underway: VecDeque<Said>,
    /// Every frame that was sent.
    pub said: Vec<Said>,
}

/// What a node made of bytes and must not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Bytes that are refused change nothing.
    #[error("bytes were refused, and {0} is another than before")]
    Changed(&'static str),
    /// Bytes that are taken leave a node that goes on.
    #[error("after it took the bytes: {0}")]
    Store(#[from] EngineError),
    /// What was taken is there again after a restart.
    #[error("after it took the bytes, a restart shows something else")]
    Restart,
}

impl Talk {
    /// The talk of an engine, between peers or with a hub, after so many steps.
    pub fn after(engine: &Registration, peers: bool, steps: usize) -> Result<Talk, EngineError> {
        let mut talk = Talk {
            open: engine.open,
            fields: fields(engine),
            edits: 0,
            peers,
            nodes: Vec::new(),
            hosts: Vec::new(),
            underway: VecDeque::new(),
            said: Vec::new(),
        };
        for node in 0..NODES {
            let settings = settings(node, peers, talk.fields);
            let owner = Owner { scenario: 1, client: node };
            let mut host = Host::new(Disk::new(owner), Entropy::Counted(u64::from(node) << 16));
            talk.nodes.push(engine.open.node(&settings, &mut host)?);
            talk.hosts.push(host);
        }
        (0..3).try_for_each(|register| talk.edit(0, register))?;
        talk.pairs().try_for_each(|(one, other)| talk.connect(one, other))?;
        (0..steps).try_for_each(|step| talk.step(step))?;
        Ok(talk)
    }

    /// One of its nodes in the same moment, with its surroundings.
    pub fn moment(&self, node: NodeId) -> Moment {
        let relation = match self.peers {
            true => Relation::Peer,
            false if node == 2 => Relation::Child,
            false => Relation::Parent,
        };
        let held = self.nodes[node as usize].copy().expect("only engines that can be copied are tried with any bytes");
        let (host, neighbours) = (self.hosts[node as usize].clone(), self.neighbours(node));
        Moment {
            open: self.open,
            settings: settings(node, self.peers, self.fields),
            node: held,
            host,
            neighbours,
            relation,
        }
    }

    /// Gives a frame to its receiver itself, not to a copy of it as [`Talk::moment`] would. What the talk is after that is
    /// no talk of honest nodes.
    pub fn give(&mut self, said: &Said) -> Result<Reception, EngineError> {
        let (held, host) = self.has(said.to);
        held.receive(host, said.from, &said.frame)
    }

    /// A node edits and does what its timer asks for; gives what it shows.
    pub fn goes_on(&mut self, node: NodeId) -> Result<Vec<View>, EngineError> {
        self.edit(node, 3)?;
        self.wake(node)?;
        Ok(self.nodes[node as usize].shows())
    }

    /// Those that are connected, by number.
    fn pairs(&self) -> std::vec::IntoIter<(NodeId, NodeId)> {
        let pairs = if self.peers { vec![(0, 1), (0, 2), (1, 2)] } else { vec![(0, 2), (1, 2)] };
        pairs.into_iter()
    }

    /// Whom a node is connected to.
    pub fn neighbours(&self, node: NodeId) -> Vec<NodeId> {
        self.pairs()
            .filter_map(|(one, other)| match node {
                node if node == one => Some(other),
                node if node == other => Some(one),
                _ => None,
            })
            .collect()
    }

    fn has(&mut self, node: NodeId) -> (&mut dyn Engine, &mut Host<Disk>) {
        (self.nodes[node as usize].as_mut(), &mut self.hosts[node as usize])
    }

    fn edit(&mut self, node: NodeId, register: u32) -> Result<(), EngineError> {
        let other = of_others(&self.fields, self.edits);
        self.edits += 1;
        let (held, host) = self.has(node);
        let amount = if register.is_multiple_of(2) { 70_000 } else { -3 };
        held.edit(host, register % REGISTERS, Intent::Increase(amount))?;
        other.map_or(Ok(()), |(register, intent)| held.edit(host, register, intent))
    }

    fn connect(&mut self, one: NodeId, other: NodeId) -> Result<(), EngineError> {
        let relations = if self.peers { [Relation::Peer; 2] } else { [Relation::Parent, Relation::Child] };
        let (held, host) = self.has(other);
        held.connected(host, one, relations[1])?;
        let (held, host) = self.has(one);
        held.connected(host, other, relations[0])?;
        self.post();
        Ok(())
    }

    fn post(&mut self) {
        for from in 0..NODES {
            for sent in std::mem::take(&mut self.hosts[from as usize].sent) {
                let said = Said { from, to: sent.to, frame: sent.frame.bytes };
                self.said.push(said.clone());
                self.underway.push_back(said);
            }
        }
    }

    fn step(&mut self, step: usize) -> Result<(), EngineError> {
        match step {
            // A client comes again, and what was on its way to it is gone.
            24 => {
                self.underway.retain(|said| said.from != 0 && said.to != 0);
                for peer in self.neighbours(0) {
                    self.has(0).0.disconnected(peer);
                    self.has(peer).0.disconnected(0);
                    self.connect(0, peer)?;
                }
            }
            // The hub restarts.
            52 => {
                self.restart(2)?;
                for (one, other) in self.pairs().filter(|(_, other)| *other == 2) {
                    self.has(one).0.disconnected(2);
                    self.connect(one, other)?;
                }
            }
            step if step.is_multiple_of(4) => self.edit((step / 4) as NodeId % 2, step as u32)?,
            _ => match self.underway.pop_front() {
                Some(Said { from, to, frame }) => {
                    let (held, host) = self.has(to);
                    held.receive(host, from, &frame).map(drop)?;
                }
                None => (0..NODES).try_for_each(|node| self.wake(node))?,
            },
        }
        self.post();
        Ok(())
    }

    fn wake(&mut self, node: NodeId) -> Result<(), EngineError> {
        let (held, host) = self.has(node);
        if let Some(at) = held.wakes_at() {
            host.now = host.now.max(at);
            held.wake(host)?;
        }
        Ok(())
    }

    fn restart(&mut self, node: NodeId) -> Result<(), EngineError> {
        let place = node as usize;
        self.nodes[place] = self.open.node(&settings(node, self.peers, self.fields), &mut self.hosts[place])?;
        Ok(())
    }
}

/// One node of a talk, in the middle of it.
#[derive(Debug)]
pub struct Moment {
    open: Open,
    settings: Settings,
    node: Box<dyn Engine>,
    host: Host<Disk>,
    neighbours: Vec<NodeId>,
    relation: Relation,
}

impl Moment {
    /// What is in its store.
    pub fn disk(&self) -> Disk {
        self.host.store.clone()
    }

    /// Gives it a frame, as if a neighbour had sent it. Refused, that changes nothing; taken, it leaves a node that edits,
    /// talks, and is the same again after a restart.
    pub fn give(mut self, from: NodeId, frame: &[u8]) -> Result<Reception, Wrong> {
        self.host.wall += 1;
        let (before, kept) = (format!("{:?}", self.node), self.host.store.clone());
        let reception = self.node.receive(&mut self.host, from, frame)?;
        if reception != Reception::Damaged {
            return self.goes_on().map(|()| reception);
        }
        let changed = [
            ("the node", format!("{:?}", self.node) != before),
            ("its store", self.host.store != kept),
            ("what it sends", !self.host.sent.is_empty()),
        ];
        match changed.iter().find(|(_, changed)| *changed) {
            Some((what, _)) => Err(Wrong::Changed(what)),
            None => Ok(reception),
        }
    }

    fn goes_on(self) -> Result<(), Wrong> {
        let Moment { open, settings, mut node, mut host, neighbours, relation } = self;
        node.edit(&mut host, 3, Intent::Increase(-3))?;
        // A record is created where it is not there, and changed where it is.
        for turn in [2, 5, 1, 0] {
            if let Some((register, intent)) = of_others(&settings.fields, turn) {
                node.edit(&mut host, register, intent)?;
            }
        }
        let wake = |node: &mut Box<dyn Engine>, host: &mut Host<Disk>| match node.wakes_at() {
            Some(at) => {
                host.now = host.now.max(at);
                node.wake(host)
            }
            None => Ok(()),
        };
        wake(&mut node, &mut host)?;
        neighbours.iter().try_for_each(|&peer| node.connected(&mut host, peer, relation))?;
        wake(&mut node, &mut host)?;
        let shown = node.shows();
        let again = open.node(&settings, &mut host)?;
        if again.shows() == shown { Ok(()) } else { Err(Wrong::Restart) }
    }
}

/// The frame with the checksum that its other bytes should have: what a faulty or hostile sender says, and no link.
pub fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let checksum = crc32fast::hash(&body);
    body.extend(checksum.to_le_bytes());
    body
}

/// A frame without its checksum.
pub fn unsealed(frame: &[u8]) -> &[u8] {
    &frame[..frame.len().saturating_sub(CHECKSUM)]
}

fn settings(node: NodeId, peers: bool, fields: Fields) -> Settings {
    Settings {
        node,
        client: node,
        fields,
        serves: peers || node == 2,
        is_root: false,
        serves_relays: peers,
        retry_after: 1000,
        retry_at_most: 8000,
        retries: 3,
        handshakes: 4,
        linger: 10,
        // Small ones, so that messages travel in fragments and journals become images.
        fragment: if node == 2 { 36 } else { 12 },
        retain: 1,
        compact_after: 9,
        mutant: None,
    }
}
