//! Bytes by what they are for, as engines declare them: up from clients, down to them, and between relays.

use std::collections::BTreeMap;

use crate::domain::traffic::Traffic;
use crate::engine::host::{NodeId, Time};
use crate::lab::events::{Event, Observer};

/// What was sent in a world.
#[derive(Debug, Default)]
pub struct Bytes {
    clients: u32,
    /// What clients sent.
    pub up: Traffic,
    /// What was sent to clients by others than clients.
    pub down: Traffic,
    /// What relays sent to each other.
    pub between: Traffic,
    /// When the client whose messages are kept sent or was sent how many bytes, as long as they are on the line.
    pub log: Vec<(Time, u64)>,
    watched: Option<NodeId>,
    /// What the ends of connections cut off, by sender and receiver.
    untold: BTreeMap<(NodeId, NodeId), Traffic>,
}

impl Bytes {
    /// Nothing yet.
    pub(in crate::lab) fn of(clients: u32) -> Self {
        Bytes { clients, ..Bytes::default() }
    }

    /// Keeps the time of every message of this client.
    pub(in crate::lab) fn watch(&mut self, client: NodeId) {
        self.watched = Some(client);
    }

    /// What of a message that is sent again was never on the line before: that counts as sent for the first time.
    pub(in crate::lab) fn for_the_first_time(&mut self, from: NodeId, to: NodeId, traffic: &mut Traffic) {
        if traffic.retransmission > 0
            && let Some(untold) = self.untold.get_mut(&(from, to))
        {
            let first = untold.draw(traffic.retransmission);
            traffic.retransmission -= first.total();
            *traffic += first;
        }
    }

    fn of_direction(&mut self, from: NodeId, to: NodeId) -> &mut Traffic {
        // What one client sends to another is sent by a client: each byte counts once.
        match (from < self.clients, to < self.clients) {
            (true, _) => &mut self.up,
            (false, true) => &mut self.down,
            (false, false) => &mut self.between,
        }
    }
}

impl Observer for Bytes {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        match *event {
            Event::Sent { from, to, bytes, traffic, .. } => {
                if self.watched.is_some_and(|client| client == from || client == to) {
                    self.log.push((now, bytes as u64));
                }
                *self.of_direction(from, to) += *traffic;
            }
            Event::CutOff { from, to, never } => {
                if never.payload > 0 {
                    *self.untold.entry((from, to)).or_default() += *never;
                }
                *self.of_direction(from, to) -= *never;
            }
            _ => {}
        }
    }
}
