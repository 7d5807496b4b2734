//! Clients and a hub without a line that takes time: one client at a time is connected until all is said, and each message
//! arrives, twice, late or never. For measuring what a sync takes; what worlds with faults make of an engine, worlds try.
//!
//! Knows: the port of engines. Must not: judge.

use std::collections::VecDeque;

use crate::domain::data::{Fields, Intent, View};
use crate::domain::seed::Stream;
use crate::engine::Registration;
use crate::engine::host::{Entropy, Host, NodeId, Time};
use crate::engine::port::{Engine, EngineError, Relation, Settings};
use crate::engine::store::disk::Disk;
use crate::engine::store::{Owner, Store};

/// Messages and timers in a connection after which an engine has not come to rest.
const MOST_STEPS: u32 = 10_000;

/// Microseconds of a second.
const SECOND: Time = 1_000_000;

/// What happens to the messages of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Each arrives once, in order.
    Exact,
    /// Each arrives twice.
    Repeated,
    /// The last that was sent arrives first.
    Reordered,
    /// The first of the client that carries edits never arrives.
    Lost,
    /// The connection ends once the first of the client that carries edits has arrived: nothing that answers it does.
    CutOff,
}

struct Sent {
    from: NodeId,
    to: NodeId,
    bytes: Vec<u8>,
    has_edits: bool,
}

/// Bytes of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Of messages from the client that carry edits.
    pub edits: u64,
    /// Of all messages from the client.
    pub up: u64,
    /// Of all messages to the client.
    pub down: u64,
}

impl Moved {
    /// All bytes, both ways.
    pub fn total(self) -> u64 {
        self.up + self.down
    }
}

/// A copy of a client's store.
#[derive(Clone, Debug)]
pub struct Backup(Disk);

/// Clients and a hub.
pub struct Net {
    engine: &'static Registration,
    fields: Fields,
    nodes: Vec<Box<dyn Engine>>,
    hosts: Vec<Host<Disk>>,
    queue: VecDeque<Sent>,
}

/// What a node is told: as in a world, but that a state of the largest size travels in one message.
fn settings(fields: Fields, node: NodeId, hub: NodeId) -> Settings {
    Settings {
        node,
        client: node,
        fields,
        serves: node == hub,
        is_root: false,
        serves_relays: false,
        retry_after: 2 * SECOND,
        retry_at_most: 300 * SECOND,
        retries: 1000,
        handshakes: 4,
        linger: SECOND,
        fragment: 1 << 20,
        retain: 256,
        compact_after: 256,
        mutant: None,
    }
}

impl Net {
    /// So many clients, none of which met the hub.
    pub fn of(
        engine: &'static Registration,
        fields: Fields,
        clients: u32,
        random: &Stream,
    ) -> Result<Self, EngineError> {
        let mut net = Net { engine, fields, nodes: Vec::new(), hosts: Vec::new(), queue: VecDeque::new() };
        for node in 0..=clients {
            let entropy = Entropy::Drawn(Box::new(random.member(node.into())));
            let mut host = Host::new(Disk::new(Owner { scenario: 1, client: node }), entropy);
            net.nodes.push(engine.open.node(&settings(fields, node, clients), &mut host)?);
            net.hosts.push(host);
        }
        Ok(net)
    }

    /// The hub: clients are numbered before it.
    pub fn hub(&self) -> NodeId {
        self.nodes.len() as NodeId - 1
    }

    /// A client's user edits.
    pub fn edit(&mut self, client: NodeId, register: u32, intent: Intent) -> Result<(), EngineError> {
        let host = &mut self.hosts[client as usize];
        host.shown.clear();
        self.nodes[client as usize].edit(host, register, intent)?;
        if host.shown.is_empty() {
            return Err(EngineError::Failed("it neither accepted an edit nor refused it".to_owned()));
        }
        Ok(())
    }

    /// A client is connected until all is said. Gives the bytes that were sent, of a message that is repeated or lost once.
    pub fn connection(&mut self, client: NodeId, delivery: Delivery) -> Result<Moved, EngineError> {
        let mut moved = Moved::default();
        let mut loses = delivery == Delivery::Lost;
        let hub = self.hub();
        for (node, peer, relation) in [(hub, client, Relation::Child), (client, hub, Relation::Parent)] {
            self.nodes[node as usize].connected(&mut self.hosts[node as usize], peer, relation)?;
        }
        self.post(client, delivery, &mut loses, &mut moved);
        for _ in 0..MOST_STEPS {
            let next = if delivery == Delivery::Reordered { self.queue.pop_back() } else { self.queue.pop_front() };
            match next {
                Some(Sent { from, to, bytes, has_edits }) => {
                    self.nodes[to as usize].receive(&mut self.hosts[to as usize], from, &bytes)?;
                    if delivery == Delivery::CutOff && has_edits && from == client {
                        break;
                    }
                }
                None => {
                    let both = [client, hub].into_iter();
                    let due = both.filter_map(|node| Some((self.nodes[node as usize].wakes_at()?, node))).min();
                    let Some((at, node)) = due else { break };
                    self.pass_until(at);
                    self.nodes[node as usize].wake(&mut self.hosts[node as usize])?;
                }
            }
            self.post(client, delivery, &mut loses, &mut moved);
        }
        self.nodes[hub as usize].disconnected(client);
        self.nodes[client as usize].disconnected(hub);
        self.hosts.iter_mut().for_each(|host| host.sent.clear());
        self.queue.clear();
        Ok(moved)
    }

    /// Time passes for all.
    fn pass_until(&mut self, at: Time) {
        for host in &mut self.hosts {
            host.now = host.now.max(at);
            host.wall = host.now as i64;
        }
    }

    fn post(&mut self, client: NodeId, delivery: Delivery, loses: &mut bool, moved: &mut Moved) {
        let hub = self.hub();
        for from in [client, hub] {
            for sent in std::mem::take(&mut self.hosts[from as usize].sent) {
                // Whatever is for another client waits for a connection of its own.
                if from == hub && sent.to != client {
                    continue;
                }
                let length = sent.frame.bytes.len() as u64;
                *(if from == hub { &mut moved.down } else { &mut moved.up }) += length;
                let has_edits = sent.frame.has_edits;
                if has_edits && from != hub {
                    moved.edits += length;
                    if std::mem::take(loses) {
                        continue;
                    }
                }
                let copies = if delivery == Delivery::Repeated { 2 } else { 1 };
                for _ in 0..copies {
                    self.queue.push_back(Sent { from, to: sent.to, bytes: sent.frame.bytes.clone(), has_edits });
                }
            }
        }
    }

    /// What a node shows.
    pub fn shows(&self, node: NodeId) -> Vec<View> {
        self.nodes[node as usize].shows()
    }

    /// Bytes that a node stores.
    pub fn stored(&mut self, node: NodeId) -> Result<u64, EngineError> {
        self.collect_files(node)?;
        Ok(self.hosts[node as usize].store.bytes())
    }

    fn collect_files(&mut self, node: NodeId) -> Result<(), EngineError> {
        if let Some(files) = self.nodes[node as usize].files()? {
            self.hosts[node as usize].store.set_files(files);
        }
        Ok(())
    }

    /// A copy of a client's store.
    pub fn back_up(&mut self, client: NodeId) -> Result<Backup, EngineError> {
        self.collect_files(client)?;
        Ok(Backup(self.hosts[client as usize].store.clone()))
    }

    /// A client starts again from a copy of its store.
    pub fn set_back(&mut self, client: NodeId, Backup(disk): Backup) -> Result<(), EngineError> {
        let place = client as usize;
        self.nodes[place].halt();
        let host = &mut self.hosts[place];
        host.store = disk;
        // A device starts at another time than before.
        host.now += SECOND;
        (host.wall, host.started) = (host.now as i64, host.now as i64);
        let settings = settings(self.fields, client, self.nodes.len() as NodeId - 1);
        self.nodes[place] = self.engine.open.node(&settings, host)?;
        Ok(())
    }

    /// A client loses its store, and starts as a new device.
    pub fn wipe(&mut self, client: NodeId) -> Result<(), EngineError> {
        self.set_back(client, Backup(Disk::new(Owner { scenario: 1, client })))
    }
}
