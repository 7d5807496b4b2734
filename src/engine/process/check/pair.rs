//! Two replicas, and the line between them, which loses and repeats what it is told to.

use std::collections::VecDeque;

use super::{Done, HUB, MOST_MESSAGES};
use crate::domain::data::{DataType, Fields, Intent, View};
use crate::engine::host::{Entropy, Host, Later, NodeId, Round, Sent};
use crate::engine::port::{Engine, EngineError, Reception, Relation, Settings};
use crate::engine::process::frame;
use crate::engine::process::node::ProcessNode;
use crate::engine::process::protocol::Capabilities;
use crate::engine::store::disk::{Disk, Loss};
use crate::engine::store::{Kept, Owner, Store};
use crate::engine::{Open, Registration};

/// A message on the line.
pub(super) struct Underway {
    pub(super) from: NodeId,
    sent: Sent,
    /// How many edits of its sender's user its receiver has once this is taken, if it ends a round.
    pub(super) ends_with: Option<usize>,
}

impl Underway {
    /// Whether it can carry edits, as its sender says.
    pub(super) fn has_edits(&self) -> bool {
        self.sent.frame.has_edits
    }
}

/// Two replicas, a client and a hub, and the line between them.
pub(super) struct Pair {
    pub(super) engine: &'static Registration,
    pub(super) nodes: Vec<Box<dyn Engine>>,
    hosts: Vec<Host<Disk>>,
    underway: VecDeque<Underway>,
    /// By replica, how many edits its user made, and how many of these were made when its last round began.
    made: [(usize, Option<usize>); 2],
    /// How often each message comes.
    pub(super) times: usize,
    pub(super) accepted: usize,
    pub(super) said: Vec<Vec<u8>>,
}

impl Pair {
    pub(super) fn of(engine: &'static Registration) -> Result<Pair, EngineError> {
        let (underway, said) = (VecDeque::new(), Vec::new());
        let (nodes, hosts) = (Vec::new(), Vec::new());
        let mut pair = Pair { engine, nodes, hosts, underway, made: [(0, None); 2], times: 1, accepted: 0, said };
        for node in [0, HUB] {
            let owner = Owner { scenario: 1, client: node };
            let mut host = Host::new(Disk::new(owner), Entropy::Counted(u64::from(node) << 16));
            pair.nodes.push(engine.open.node(&settings(node, engine), &mut host)?);
            pair.hosts.push(host);
        }
        Ok(pair)
    }

    fn process(&self, node: NodeId) -> &ProcessNode {
        (*self.nodes[node as usize]).as_any().downcast_ref().expect("it runs as a process")
    }

    /// What it shows, whatever it says of its revision: a step of its own asks for that.
    pub(super) fn shows(&self, node: NodeId) -> Result<Vec<View>, EngineError> {
        self.process(node).shows_now()
    }

    pub(super) fn revision(&self, node: NodeId) -> Option<u64> {
        self.process(node).revision()
    }

    pub(super) fn view(&self, node: NodeId, register: u32) -> Result<View, EngineError> {
        Ok(self.shows(node)?[register as usize].clone())
    }

    pub(super) fn counter(&self, node: NodeId, register: u32) -> Result<i64, EngineError> {
        Ok(self.view(node, register)?.number().expect("it is a counter"))
    }

    /// Whether both show this.
    pub(super) fn both(&self, register: u32, number: i64, messages: usize) -> Result<Done, EngineError> {
        let shown = [self.counter(0, register)?, self.counter(HUB, register)?];
        Ok(match shown {
            _ if messages >= MOST_MESSAGES => Done::Needs(
                format!("the two still talk after {messages} messages"),
                "stop once the peer has everything: answer a message only if it brought something, asks for something, or \
                 shows that the peer lacks something",
            ),
            [client, hub] if client == hub && client > number => Done::Needs(
                format!(
                    "after {messages} messages both show {client} rather than {number}: an edit counts more than once"
                ),
                "recognise an edit that is here already, by an id or a version, also where it comes back to its author",
            ),
            [client, hub] if [client, hub] == [number; 2] => Done::Yes(format!("{messages} messages")),
            [client, hub] => Done::No(format!(
                "after {messages} messages the client shows {client} and the hub {hub}; both should show {number}"
            )),
        })
    }

    fn collect(&mut self) {
        for node in [0, HUB] {
            let host = &mut self.hosts[node as usize];
            self.accepted += host.shown.drain(..).count();
            let (made, at_begin) = &mut self.made[node as usize];
            for sent in host.sent.drain(..) {
                let Round { begins, ends } = sent.round;
                if begins {
                    *at_begin = Some(*made);
                }
                self.said.push(sent.frame.bytes.clone());
                self.underway.push_back(Underway { from: node, sent, ends_with: at_begin.filter(|_| ends) });
            }
        }
    }

    pub(super) fn edit(&mut self, node: NodeId, register: u32, intent: Intent) -> Result<(), EngineError> {
        let place = node as usize;
        self.nodes[place].edit(&mut self.hosts[place], register, intent)?;
        self.made[place].0 += 1;
        self.collect();
        Ok(())
    }

    /// Whether an edit is refused. One that is accepted shows.
    pub(super) fn is_refused(&mut self, node: NodeId, register: u32, intent: Intent) -> Result<bool, EngineError> {
        let before = self.accepted;
        self.edit(node, register, intent)?;
        let is_refused = self.hosts[node as usize].later.take() == Some(Later::Refused);
        Ok(is_refused && self.accepted == before)
    }

    pub(super) fn connect(&mut self) -> Result<(), EngineError> {
        for (node, peer, relation) in [(0, HUB, Relation::Parent), (HUB, 0, Relation::Child)] {
            let place = node as usize;
            self.nodes[place].connected(&mut self.hosts[place], peer, relation)?;
        }
        self.collect();
        Ok(())
    }

    pub(super) fn disconnect(&mut self) -> Result<(), EngineError> {
        self.underway.clear();
        self.nodes[0].disconnected(HUB);
        self.nodes[HUB as usize].disconnected(0);
        // An error of theirs is told when they are asked for their files.
        self.nodes.iter_mut().try_for_each(|node| node.files().map(drop))
    }

    fn receive(&mut self, from: NodeId, to: NodeId, bytes: &[u8]) -> Result<Reception, EngineError> {
        let place = to as usize;
        let reception = self.nodes[place].receive(&mut self.hosts[place], from, bytes)?;
        self.collect();
        Ok(reception)
    }

    /// Delivers at most so many messages, the oldest first. No timer runs.
    pub(super) fn deliver(&mut self, most: usize) -> Result<(), EngineError> {
        for _ in 0..most {
            let Some(message) = self.underway.pop_front() else { break };
            self.arrives(&message)?;
        }
        Ok(())
    }

    /// A message arrives.
    pub(super) fn arrives(&mut self, message: &Underway) -> Result<Reception, EngineError> {
        self.receive(message.from, message.sent.to, &message.sent.frame.bytes)
    }

    /// A message comes back to its sender.
    pub(super) fn comes_back(&mut self, message: &Underway) -> Result<(), EngineError> {
        let place = message.from as usize;
        self.nodes[place].refused(&mut self.hosts[place], message.sent.to)?;
        self.collect();
        Ok(())
    }

    /// Bytes that no replica wrote come to the hub, in a frame that is whole.
    pub(super) fn junk(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let frame = frame::of_body(bytes);
        self.receive(0, HUB, &frame).map(drop)
    }

    /// Lets messages arrive until both are silent for an hour; those of these numbers are lost. Gives how many were sent.
    pub(super) fn talk(&mut self, lost: &[usize]) -> Result<usize, EngineError> {
        let mut number = 0;
        self.talk_with(MOST_MESSAGES, |pair, message| {
            let is_lost = lost.contains(&number);
            number += 1;
            for _ in 0..if is_lost { 0 } else { pair.times } {
                pair.arrives(&message)?;
            }
            Ok(())
        })
    }

    /// Has something done with each message, at most so many, until both are silent for an hour. Gives how many were sent.
    pub(super) fn talk_with(
        &mut self,
        most: usize,
        mut takes: impl FnMut(&mut Pair, Underway) -> Result<(), EngineError>,
    ) -> Result<usize, EngineError> {
        let end = self.hosts[0].now + 3_600_000_000;
        let mut messages = 0;
        while messages < most {
            if let Some(message) = self.underway.pop_front() {
                messages += 1;
                takes(self, message)?;
                continue;
            }
            let Some(at) = self.nodes.iter().filter_map(|node| node.wakes_at()).min().filter(|&at| at <= end) else {
                break;
            };
            for place in [0, HUB as usize] {
                let host = &mut self.hosts[place];
                (host.now, host.wall) = (host.now.max(at), (host.now.max(at)) as i64);
                self.nodes[place].wake(host)?;
            }
            self.collect();
        }
        Ok(messages)
    }

    /// What a node does after so many more effects has no effect: its power fails then.
    pub(super) fn fails_after(&mut self, node: NodeId, effects: u32) {
        self.hosts[node as usize].crash_after(effects);
    }

    /// What a node has stored by effects.
    pub(super) fn stored(&self, node: NodeId) -> Result<Kept, EngineError> {
        Ok(self.hosts[node as usize].store.clone().load()?)
    }

    /// The power of a node fails, and it starts again from its store.
    pub(super) fn power_fails(&mut self, node: NodeId) -> Result<(), EngineError> {
        let place = node as usize;
        self.nodes[place].halt();
        if let Some(files) = self.nodes[place].files()? {
            self.hosts[place].store.set_files(files);
        }
        self.hosts[place].store.crash(Loss::All);
        let store = self.hosts[place].store.clone();
        self.starts_from(node, store)
    }

    /// A node loses its store, and starts again with an empty one.
    pub(super) fn loses_its_store(&mut self, node: NodeId) -> Result<(), EngineError> {
        self.nodes[node as usize].halt();
        let store = self.hosts[node as usize].store.wiped();
        self.starts_from(node, store)
    }

    fn starts_from(&mut self, node: NodeId, store: Disk) -> Result<(), EngineError> {
        let place = node as usize;
        let (now, wall) = (self.hosts[place].now, self.hosts[place].wall);
        let mut host = Host::new(store, Entropy::Counted((u64::from(node) << 16) + 77));
        (host.now, host.wall, host.started) = (now + 1_000_000, wall + 1_000_000, wall + 1_000_000);
        self.nodes[place] = self.engine.open.node(&settings(node, self.engine), &mut host)?;
        self.hosts[place] = host;
        Ok(())
    }
}

pub(super) fn fields(engine: &Registration) -> Fields {
    let tags = if engine.carries.has(DataType::Tags) { 1 } else { 0 };
    let labels = if engine.carries.has(DataType::Label) { 1 } else { 0 };
    let cases = if engine.carries.has(DataType::Case) { 1 } else { 0 };
    let claims = if engine.carries.has(DataType::Claim) { 1 } else { 0 };
    let stocks = if engine.carries.has(DataType::Stock) { 1 } else { 0 };
    let texts = if engine.carries.has(DataType::Text) { 1 } else { 0 };
    let records = if engine.carries.has(DataType::Record) { 1 } else { 0 };
    let of_records =
        Fields { records, record_labels: 2 * records, record_elements: 4 * records, ..Fields::counters(2, 5) };
    Fields { stocks, tags, elements: 4 * tags, labels, texts, claims, cases, case_items: 4 * cases, ..of_records }
}

fn settings(node: NodeId, engine: &Registration) -> Settings {
    Settings {
        node,
        client: node,
        fields: fields(engine),
        serves: node == HUB,
        is_root: node == HUB,
        serves_relays: false,
        retry_after: 2_000_000,
        retry_at_most: 300_000_000,
        retries: 1000,
        handshakes: 4,
        linger: 1_000_000,
        fragment: 4096,
        retain: 1024,
        compact_after: 4096,
        mutant: None,
    }
}

pub(super) fn capabilities(engine: &Registration) -> &'static Capabilities {
    match engine.open {
        Open::Started(started) => started.capabilities().expect("it speaks the engine protocol"),
        Open::Function(_) => unreachable!("it was started by its command"),
    }
}

pub(super) fn unequal(shown: &[View], expected: &[View]) -> String {
    let told = |views: &[View]| views.iter().map(View::to_string).collect::<Vec<_>>().join(", ");
    format!("it shows {}, and {} was expected", told(shown), told(expected))
}
