//! What is measured in a world: deliveries, bytes, and how stale what clients show is.

use std::collections::BTreeMap;
use std::rc::Rc;

use hdrhistogram::Histogram;

use crate::domain::offline::OfflineTrial;
use crate::domain::traffic::Traffic;
use crate::sync::host::{NodeId, Sent, Time};
use crate::sync::replica::Reception;
use crate::sync::wire::CHECKSUM;

/// So many edits of each client went into a state.
pub type Knowledge = Rc<[u32]>;

/// Clients up to which staleness is measured: each edit at each other client is one value.
const MOST_WATCHED: u32 = 64;

/// The measures of a world.
pub struct Measures {
    /// Messages that arrived.
    pub deliveries: u64,
    /// Of these, damaged.
    pub damaged: u64,
    /// Of these, of a session that was over.
    pub stale: u64,
    /// Bytes that all nodes keep durably in the end.
    pub stored: u64,
    /// For every edit and every other client, the time until that client accepted a message from someone whose state the
    /// edit had gone into; in milliseconds.
    pub staleness: Histogram<u64>,
    clients: u32,
    up: Traffic,
    down: Traffic,
    knows: Vec<Vec<u32>>,
    edited_at: Vec<Vec<Time>>,
    /// The client whose messages are kept, and their times and bytes.
    watched: Option<NodeId>,
    /// When it sent or was sent how many bytes.
    pub log: Vec<(Time, u64)>,
    /// What the messages carried that may come again, by sender and checksum.
    carried: BTreeMap<(NodeId, u32), Knowledge>,
}

impl Measures {
    /// Nothing yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        let watched = trial.clients <= MOST_WATCHED;
        let (clients, nodes) = (trial.clients as usize, if watched { trial.nodes() as usize } else { 0 });
        Measures {
            deliveries: 0,
            damaged: 0,
            stale: 0,
            stored: 0,
            staleness: Histogram::new(3).expect("three digits are allowed"),
            clients: trial.clients,
            up: Traffic::default(),
            down: Traffic::default(),
            knows: vec![vec![0; clients]; nodes],
            edited_at: vec![Vec::new(); if watched { clients } else { 0 }],
            watched: None,
            log: Vec::new(),
            carried: BTreeMap::new(),
        }
    }

    pub(super) fn watch(&mut self, client: NodeId) {
        self.watched = Some(client);
    }

    /// Bytes that clients sent, and that were sent to them.
    pub fn client_traffic(&self) -> (Traffic, Traffic) {
        (self.up, self.down)
    }

    pub(super) fn arrived(&mut self) {
        self.deliveries += 1;
    }

    pub(super) fn received(&mut self, reception: Reception) {
        match reception {
            Reception::Taken => {}
            Reception::Damaged => self.damaged += 1,
            Reception::Stale => self.stale += 1,
        }
    }

    pub(super) fn edited(&mut self, client: NodeId, at: Time) {
        if let Some(times) = self.edited_at.get_mut(client as usize) {
            times.push(at);
            self.knows[client as usize][client as usize] += 1;
        }
    }

    /// Counts a message; gives what its sender knew when it was made, if it carries changes.
    pub(super) fn sent(&mut self, from: NodeId, to: NodeId, sent: &Sent, now: Time) -> Option<Knowledge> {
        if self.watched.is_some_and(|client| client == from || client == to) {
            self.log.push((now, sent.traffic.total()));
        }
        if from < self.clients {
            self.up += sent.traffic;
        }
        if to < self.clients {
            self.down += sent.traffic;
        }
        let knows = self.knows.get(from as usize)?;
        let key = (from, sent.frame.bytes.last_chunk::<CHECKSUM>().map_or(0, |bytes| u32::from_le_bytes(*bytes)));
        if sent.traffic.payload > 0 {
            let knowledge: Knowledge = knows.as_slice().into();
            self.carried.insert(key, knowledge.clone());
            Some(knowledge)
        } else {
            self.carried.get(&key).cloned()
        }
    }

    /// A node accepted what a message carried.
    pub(super) fn heard(&mut self, node: NodeId, carries: &Knowledge, now: Time) {
        let Some(knows) = self.knows.get_mut(node as usize) else { return };
        for (client, (&carried, known)) in carries.iter().zip(knows).enumerate() {
            if client as u32 == node || carried <= *known {
                continue;
            }
            if node < self.clients {
                for &at in &self.edited_at[client][*known as usize..carried as usize] {
                    self.staleness.record((now - at) / 1000).expect("it grows as it must");
                }
            }
            *known = carried;
        }
    }
}
