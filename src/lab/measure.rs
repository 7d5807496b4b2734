//! What is measured in a world: deliveries and bytes; how stale what clients show is, [`super::staleness`] tells.

use std::collections::BTreeMap;

use crate::domain::offline::OfflineTrial;
use crate::domain::traffic::Traffic;
use crate::engine::host::{NodeId, Sent, Time};
use crate::engine::port::Engine;
use crate::engine::port::Reception;
use crate::lab::convergence::OfWorld;
use crate::lab::staleness::{Knowledge, Staleness};

/// The measures of a world.
pub struct Measures {
    /// Messages that arrived.
    pub deliveries: u64,
    /// Of these, damaged.
    pub damaged: u64,
    /// Bytes that all nodes keep durably in the end.
    pub stored: u64,
    /// How long edits took to come to other clients, and which never did.
    pub staleness: Staleness,
    /// The world's time to convergence, in milliseconds; nothing if its replicas do not agree in the end.
    pub converged_ms: Option<u64>,
    convergence: OfWorld,
    clients: u32,
    up: Traffic,
    down: Traffic,
    /// The client whose messages are kept, and their times and bytes.
    watched: Option<NodeId>,
    /// When it sent or was sent how many bytes.
    pub log: Vec<(Time, u64)>,
    /// What is told by the end of the round that is under way, or ended last, by sender and receiver.
    rounds: BTreeMap<(NodeId, NodeId), Knowledge>,
    /// What the ends of connections cut off, by sender and receiver.
    untold: BTreeMap<(NodeId, NodeId), Traffic>,
}

impl Measures {
    /// Nothing yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        Measures {
            deliveries: 0,
            damaged: 0,
            stored: 0,
            staleness: Staleness::of(trial),
            converged_ms: None,
            convergence: OfWorld::default(),
            clients: trial.clients,
            up: Traffic::default(),
            down: Traffic::default(),
            watched: None,
            log: Vec::new(),
            rounds: BTreeMap::new(),
            untold: BTreeMap::new(),
        }
    }

    pub(super) fn watch(&mut self, client: NodeId) {
        self.watched = Some(client);
    }

    /// Bytes that clients sent, and that were sent to them by others than clients: no byte is in both.
    pub fn client_traffic(&self) -> (Traffic, Traffic) {
        (self.up, self.down)
    }

    /// Faults are over, and this is how a node is.
    pub(super) fn faults_over(&mut self, node: Option<&dyn Engine>, now: Time) {
        self.convergence.begins(node, now);
    }

    /// A node did something.
    pub(super) fn looks(&mut self, number: NodeId, node: Option<&dyn Engine>, now: Time) {
        self.convergence.sees(number, node, now);
    }

    /// A node is on again.
    pub(super) fn started(&mut self, number: NodeId, node: &dyn Engine, now: Time) {
        self.convergence.started(number, node, now);
    }

    /// The world is at its end, and its replicas agree or do not; faults were over at this time.
    pub(super) fn ended(&mut self, agree: bool, faults: Time) {
        self.converged_ms = agree.then(|| self.convergence.after(faults) / 1000);
    }

    pub(super) fn arrived(&mut self) {
        self.deliveries += 1;
    }

    pub(super) fn received(&mut self, reception: Reception) {
        self.damaged += u64::from(reception == Reception::Damaged);
    }

    /// So much of a message that was counted was never on the line: when its changes are told again, that is the first time.
    pub(super) fn never_sent(&mut self, from: NodeId, to: NodeId, never: Traffic) {
        if never.payload > 0 {
            *self.untold.entry((from, to)).or_default() += never;
        }
        if from < self.clients {
            self.up -= never;
        } else if to < self.clients {
            self.down -= never;
        }
    }

    /// Counts a message; gives what its receiver knows when it takes it, if its sender's round ends with it.
    pub(super) fn sent(&mut self, from: NodeId, to: NodeId, sent: &mut Sent, now: Time) -> Option<Knowledge> {
        if sent.traffic.retransmission > 0
            && let Some(untold) = self.untold.get_mut(&(from, to))
        {
            let first = untold.draw(sent.traffic.retransmission);
            sent.traffic.retransmission -= first.total();
            sent.traffic += first;
        }
        if self.watched.is_some_and(|client| client == from || client == to) {
            self.log.push((now, sent.traffic.total()));
        }
        // What one client sends to another is sent by a client: each byte counts once.
        if from < self.clients {
            self.up += sent.traffic;
        } else if to < self.clients {
            self.down += sent.traffic;
        }
        let knows = self.staleness.known_to(from)?;
        if sent.round.begins {
            self.rounds.insert((from, to), knows.into());
        }
        self.rounds.get(&(from, to)).filter(|_| sent.round.ends).cloned()
    }

    /// A node has not what it had: what it was telling was something else.
    pub(super) fn set_back(&mut self, node: NodeId) {
        self.rounds.retain(|&(from, _), _| from != node);
    }
}
