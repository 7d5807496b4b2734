//! What clients' links carry in spans of a world's time, by what messages are for, and how often clients come to sync.
//!
//! Knows: messages that are handed to links, and who comes. Must not: know what a message says.

use serde::{Deserialize, Serialize};

use crate::domain::offline::MessageKind;
use crate::domain::traffic::Traffic;
use crate::engine::host::{NodeId, Time};
use crate::lab::events::{Event, Observer};

/// Bytes by what their message is for. What a connection's end cut off is taken back when it is, so that a short span may
/// come to less than nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// Of messages that carry changes.
    pub data: i64,
    /// Of acknowledgements.
    pub acknowledgements: i64,
    /// Of handshakes, and of all other messages.
    pub handshakes: i64,
    /// Of messages that were sent again.
    pub retransmissions: i64,
}

impl Messages {
    /// All bytes.
    pub fn total(&self) -> i64 {
        self.data + self.acknowledgements + self.handshakes + self.retransmissions
    }

    fn count(&mut self, traffic: &Traffic, sign: i64) {
        let kinds = [
            (MessageKind::Retransmission, &mut self.retransmissions),
            (MessageKind::Data, &mut self.data),
            (MessageKind::Acknowledgement, &mut self.acknowledgements),
            (MessageKind::Handshake, &mut self.handshakes),
        ];
        let of_kind = kinds.into_iter().find(|(kind, _)| kind.is_of(traffic));
        of_kind.into_iter().for_each(|(_, bytes)| *bytes += sign * traffic.total() as i64);
    }
}

/// What happened in one span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What clients sent.
    pub up: Messages,
    /// What was sent to clients.
    pub down: Messages,
    /// How often a client came.
    pub syncs: u64,
}

/// A time that a client was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// When it came.
    pub at: Time,
    /// When it left; nothing while it is there.
    pub left: Option<Time>,
    /// Which client.
    pub client: NodeId,
    /// Whether a message of it that carries edits arrived by then.
    pub brought: bool,
}

/// The spans of a world, and every coming of a client.
#[derive(Debug, Default)]
pub struct Service {
    clients: u32,
    /// By client, the place of its last visit.
    last: Vec<Option<usize>>,
    /// When each span begins; the last one is where the last span ends.
    marks: Vec<Time>,
    /// The spans, in order.
    pub spans: Vec<Span>,
    /// When which client came, in order, whatever span it was in.
    pub visits: Vec<Visit>,
}

impl Service {
    /// Spans between these times, ascending. Nothing is kept if there are none.
    pub(in crate::lab) fn of(clients: u32, marks: &[Time]) -> Self {
        let spans = vec![Span::default(); marks.len().saturating_sub(1)];
        let last = vec![None; clients as usize];
        Service { clients, last, marks: marks.to_vec(), spans, visits: Vec::new() }
    }

    fn visit(&mut self, client: NodeId) -> Option<&mut Visit> {
        let place = (*self.last.get(client as usize)?)?;
        self.visits.get_mut(place)
    }

    fn span(&mut self, now: Time) -> Option<&mut Span> {
        let place = self.marks.partition_point(|&mark| mark <= now);
        self.spans.get_mut(place.checked_sub(1)?)
    }

    fn counts(&mut self, now: Time, (from, to): (NodeId, NodeId), traffic: &Traffic, sign: i64) {
        let clients = self.clients;
        let Some(span) = self.span(now) else { return };
        if from < clients {
            span.up.count(traffic, sign);
        } else if to < clients {
            span.down.count(traffic, sign);
        }
    }
}

impl Observer for Service {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        if self.marks.is_empty() {
            return;
        }
        match *event {
            Event::Sent { from, to, traffic, .. } => self.counts(now, (from, to), traffic, 1),
            Event::CutOff { from, to, never } => self.counts(now, (from, to), never, -1),
            Event::Presence { client, here: true } => {
                if let Some(last) = self.last.get_mut(client as usize) {
                    *last = Some(self.visits.len());
                }
                self.visits.push(Visit { at: now, left: None, client, brought: false });
                self.span(now).into_iter().for_each(|span| span.syncs += 1);
            }
            Event::Presence { client, here: false } => {
                self.visit(client).into_iter().for_each(|visit| visit.left = Some(now));
            }
            Event::Arrived { from, has_edits: true, .. } => {
                let visit = self.visit(from).filter(|visit| visit.left.is_none());
                visit.into_iter().for_each(|visit| visit.brought = true);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::offline::{Link, OfflineTrial, Presence};
    use crate::domain::watch::Unwatched;
    use crate::engine::{REGISTRY, WHOLE_STATES};
    use crate::lab::{World, both_ways, settings, tests::trial};

    #[test]
    fn all_spans_together_are_every_byte_of_the_world_and_kinds_of_messages_divide_them() {
        // A bad and slow line, so that messages are sent again and cut off.
        let link = Link { bits_per_s: 400, latency_ms: 100, lost_per_mille: 50, ..Link::default() };
        let presence = Presence { lasts_s: 20_000, away_s: (100, 300), here_s: (5, 20) };
        let mut trial = OfflineTrial { link, presence, clients: 3, registers: 64, ..trial(1) };
        (trial.workload.ticks, trial.workload.changed) = (50, 10);
        for engine in REGISTRY.iter().chain(WHOLE_STATES).filter(|engine| engine.suits(&trial)) {
            let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
            let world = world.serving(&[0, 7_000_000_000, 1 << 60]);
            let outcome = world.run(&mut Unwatched).expect("it ends");
            let Service { spans, visits, .. } = &outcome.measures.service;
            let sum: i64 = spans.iter().map(|span| span.up.total() + span.down.total()).sum();
            assert_eq!(sum as u64, both_ways(&outcome.history.traffic), "{}", engine.name);
            let [first, second] = spans[..] else { panic!("two spans") };
            // Every kind of message comes in some span and direction, also what is sent again.
            let kinds: [fn(&Messages) -> i64; 4] =
                [|of| of.data, |of| of.acknowledgements, |of| of.handshakes, |of| of.retransmissions];
            for (number, kind) in kinds.iter().enumerate() {
                let sum: i64 = [first.up, first.down, second.up, second.down].iter().map(kind).sum();
                assert!(sum > 0, "{}: kind {number}", engine.name);
            }
            assert_eq!(first.syncs + second.syncs, visits.len() as u64);
            assert!(first.syncs > 60 && visits.is_sorted_by_key(|visit| visit.at), "{}", first.syncs);
        }
    }

    #[test]
    fn a_visit_brought_something_if_edits_arrived_before_the_client_left() {
        let mut service = Service::of(2, &[0, 100]);
        let here = |client, here| Event::Presence { client, here };
        let arrived = |from, has_edits| Event::Arrived { from, to: 2, bytes: 1, has_edits };
        let told = [
            (1, here(0, true)),
            (2, here(1, true)),
            (3, arrived(0, false)),
            (4, arrived(1, true)),
            (5, here(0, false)),
            (6, arrived(0, true)),
            (7, here(0, true)),
        ];
        told.iter().for_each(|(now, event)| service.sees(*now, event));
        let visits: Vec<_> = service.visits.iter().map(|visit| (visit.client, visit.left, visit.brought)).collect();
        assert_eq!(visits, [(0, Some(5), false), (1, None, true), (0, None, false)]);
    }

    #[test]
    fn what_comes_before_the_first_mark_or_after_the_last_is_in_no_span() {
        let mut service = Service::of(1, &[10, 20]);
        let traffic = Traffic { acks: 3, ..Traffic::default() };
        for now in [9, 10, 19, 20] {
            service.sees(now, &Event::Sent { from: 0, to: 1, link: 0, bytes: 3, traffic: &traffic });
            service.sees(now, &Event::Presence { client: 0, here: true });
        }
        service.sees(15, &Event::CutOff { from: 0, to: 1, never: &Traffic { acks: 1, ..Traffic::default() } });
        let up = Messages { acknowledgements: 5, ..Messages::default() };
        assert_eq!(service.spans, [Span { up, down: Messages::default(), syncs: 2 }]);
        assert_eq!(service.visits.len(), 4);
    }
}
