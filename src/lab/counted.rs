//! What is counted of what nodes send, seen from beside: every byte once, by what it is for, and later and later where
//! nobody answers.

use super::tests::trial;
use super::*;
use crate::domain::data::Intent;
use crate::domain::offline::{Journal, Presence};
use crate::domain::seed::Seed;
use crate::domain::watch::Unwatched;
use crate::engine::delta_summary::message::{Message, unframed};
use crate::engine::host::{Entropy, Sent};
use crate::engine::store::Owner;
use crate::engine::{self, REGISTRY, Registration};

/// A client and the hub of a world, with a line of its own between them.
struct Two {
    nodes: Vec<Box<dyn Engine>>,
    hosts: Vec<Host<Disk>>,
    hub: NodeId,
}

impl Two {
    fn of(trial: &OfflineTrial, engine: &Registration, seed: u64) -> Self {
        let hub = trial.clients;
        let (mut nodes, mut hosts) = (Vec::new(), Vec::new());
        for node in [0, hub] {
            let entropy = Entropy::Drawn(Box::new(Seed::new(seed).stream("entropy").member(node.into())));
            let mut host = Host::new(Disk::new(Owner { scenario: 1, client: node }), entropy);
            nodes.push(engine.open.node(&settings(trial, None)(node), &mut host).expect("a disk"));
            hosts.push(host);
        }
        Two { nodes, hosts, hub }
    }

    fn edits(&mut self, node: usize, registers: std::ops::Range<u32>, amount: i64) {
        for register in registers {
            self.nodes[node]
                .edit(&mut self.hosts[node], register, Intent::Increase(amount + i64::from(register)))
                .expect("a disk");
        }
    }

    fn connect(&mut self) {
        self.nodes[1].connected(&mut self.hosts[1], 0, Relation::Child).expect("a disk");
        self.nodes[0].connected(&mut self.hosts[0], self.hub, Relation::Parent).expect("a disk");
    }

    /// Lets everything arrive until nobody has anything to say; gives all that was sent.
    fn talk(&mut self) -> Vec<Sent> {
        let mut all = Vec::new();
        for _ in 0..10_000 {
            let mut sent = [0, 1].map(|node| std::mem::take(&mut self.hosts[node].sent));
            for (node, sent) in sent.iter_mut().enumerate() {
                let from = if node == 0 { 0 } else { self.hub };
                for message in sent.drain(..) {
                    let to = 1 - node;
                    self.nodes[to].receive(&mut self.hosts[to], from, &message.frame.bytes).expect("a disk");
                    all.push(message);
                }
            }
            if self.hosts.iter().all(|host| host.sent.is_empty()) {
                let Some(at) = self.nodes.iter().filter_map(|node| node.wakes_at()).min() else { return all };
                for node in [0, 1] {
                    self.hosts[node].now = at;
                    self.nodes[node].wake(&mut self.hosts[node]).expect("a disk");
                }
            }
        }
        panic!("they never fall silent");
    }
}

#[test]
fn who_gets_no_answer_tries_again_later_and_later_at_times_of_its_own_and_counts_it_as_retransmission() {
    for engine in REGISTRY {
        let tries = |seed| {
            let trial = trial(1);
            let mut two = Two::of(&trial, engine, seed);
            two.edits(0, 0..3, 1);
            two.connect();
            let first: Vec<Sent> = std::mem::take(&mut two.hosts[0].sent);
            assert!(!first.is_empty() && first.iter().all(|sent| sent.traffic.retransmission == 0), "{}", engine.name);
            let (mut times, mut before) = (Vec::new(), 0);
            while times.len() < 14 {
                let at = two.nodes[0].wakes_at().expect("it waits for an answer");
                two.hosts[0].now = at;
                two.nodes[0].wake(&mut two.hosts[0]).expect("a disk");
                let again = std::mem::take(&mut two.hosts[0].sent);
                if again.is_empty() {
                    continue;
                }
                for sent in &again {
                    let bytes = sent.frame.bytes.len() as u64;
                    assert_eq!(
                        sent.traffic,
                        Traffic { retransmission: bytes, ..Traffic::default() },
                        "{}",
                        engine.name
                    );
                    assert_eq!(sent.frame, first[0].frame, "{}: the same bytes", engine.name);
                }
                times.push(at - before);
                before = at;
            }
            times
        };
        let Settings { retry_after, retry_at_most, .. } = settings(&trial(1), None)(0);
        let (one, other) = (tries(1), tries(2));
        for (number, wait) in one.iter().enumerate() {
            let least = (retry_after << number).min(retry_at_most);
            assert!((least..=least + least / 2).contains(wait), "{}: try {number} after {wait}", engine.name);
        }
        assert_ne!(one[1..], other[1..], "{}: two of them would come at once", engine.name);
        let capped: std::collections::BTreeSet<u64> = one[10..].iter().copied().collect();
        assert!(capped.len() > 1, "{}: {capped:?}", engine.name);
    }
}

#[test]
fn every_byte_of_every_message_is_counted_once_and_acknowledgements_as_such() {
    for engine in REGISTRY {
        let mut two = Two::of(&trial(1), engine, 1);
        two.edits(0, 0..9, 1000);
        two.connect();
        let all = two.talk();
        let mut sum = Traffic::default();
        for sent in &all {
            assert_eq!(sent.traffic.total(), sent.frame.bytes.len() as u64, "{}", engine.name);
            // What acknowledges says nothing else, and the other way round.
            let Traffic { payload, addressing, ids, acks, .. } = sent.traffic;
            assert!(acks == 0 || payload + addressing == 0, "{}: {:?}", engine.name, sent.traffic);
            assert!(acks == 0 || engine.name == "delta-summary" || ids == 0, "{}: {:?}", engine.name, sent.traffic);
            sum += sent.traffic;
        }
        // Nine values of two bytes, but for the state, which has one byte for each of the 23 others, and for the reference,
        // whose coder takes less.
        let values = match engine.name {
            "full-state" => 18 + 23,
            "delta-state" => 14,
            _ => 18,
        };
        assert!(sum.payload >= values && sum.payload <= 2 * values, "{}: {sum:?}", engine.name);
        assert!(sum.acks >= 3 && sum.retransmission == 0, "{}: {sum:?}", engine.name);
    }
}

#[test]
fn the_messages_of_the_replica_count_as_what_they_are() {
    let right = engine::find("delta-summary").expect("an engine");
    let mut two = Two::of(&trial(1), right, 1);
    two.edits(0, 0..9, 1000);
    two.connect();
    let mut kinds = [0; 3];
    for sent in two.talk() {
        let (_, body) = unframed(&sent.frame.bytes).expect("it is whole");
        let Traffic { payload, addressing, framing, ids, acks, .. } = sent.traffic;
        // A tag and a checksum frame it, and two bytes name the session.
        let inner = body.len() as u64 - 1;
        match Message::read(body, 32).expect("it is sound") {
            Message::Taken(_) | Message::Reached { .. } | Message::Fragments { .. } => {
                assert_eq!((payload, addressing, framing, ids, acks), (0, 0, 5, 2, inner));
                kinds[0] += 1;
            }
            Message::Deltas(deltas) => {
                let changes: usize = deltas.iter().map(|delta| delta.changes.len()).sum();
                assert_eq!((payload, acks, changes), (18, 0, 9));
                assert_eq!(addressing, 9 + deltas.len() as u64);
                kinds[1] += 1;
            }
            Message::Hello { .. } | Message::Welcome { .. } => {
                assert_eq!((payload, addressing, framing, ids, acks), (0, 0, 5, inner + 2, 0));
                kinds[2] += 1;
            }
            _ => {}
        }
    }
    assert!(kinds.iter().all(|&count| count > 0), "{kinds:?}");
}

#[test]
fn a_message_in_fragments_counts_as_what_is_in_it_and_a_fragment_that_is_sent_again_as_that() {
    let right = engine::find("delta-summary").expect("an engine");
    let small = OfflineTrial { journal: Journal { fragment: 64, ..Journal::default() }, registers: 256, ..trial(1) };
    let mut two = Two::of(&small, right, 1);
    two.connect();
    two.talk();
    // Another client's edits are in one long summary.
    let mut other = Two::of(&OfflineTrial { journal: Journal::default(), ..small.clone() }, right, 9);
    other.edits(0, 0..200, 5000);
    other.connect();
    let deltas = other.talk().into_iter().find(|sent| sent.traffic.payload > 0).expect("deltas");
    two.nodes[1].connected(&mut two.hosts[1], 1, Relation::Child).expect("a disk");
    two.nodes[1].receive(&mut two.hosts[1], 1, &deltas.frame.bytes).expect("a disk");
    two.nodes[1].disconnected(1);
    two.hosts[1].sent.clear();
    // The first fragment is lost, and sent again; from then on all arrive.
    let at = two.nodes[1].wakes_at().expect("it has pending changes");
    two.hosts[1].now = at;
    two.nodes[1].wake(&mut two.hosts[1]).expect("a disk");
    let mut fragments: Vec<Sent> = std::mem::take(&mut two.hosts[1].sent);
    assert_eq!(fragments.len(), 1, "one fragment goes ahead");
    fragments.extend(two.talk().into_iter().filter(|sent| sent.to == 0));
    let (mut whole, mut first, mut again) = (std::collections::BTreeMap::new(), Traffic::default(), 0);
    for sent in &fragments {
        let (_, body) = unframed(&sent.frame.bytes).expect("it is whole");
        let Message::Fragment { place, bytes, .. } = Message::read(body, 256).expect("it is sound") else { continue };
        assert_eq!(sent.traffic.total(), sent.frame.bytes.len() as u64);
        if whole.insert(place, bytes).is_none() {
            assert_eq!(sent.traffic.retransmission, 0, "fragment {place}");
            first += sent.traffic;
        } else {
            assert_eq!(sent.traffic.retransmission, sent.frame.bytes.len() as u64, "fragment {place}");
            again += 1;
        }
    }
    assert!(whole.len() > 5 && again > 0, "{} fragments, {again} sent again", whole.len());
    let body: Vec<u8> = whole.into_values().flatten().collect();
    let message = Message::read(&body, 256).expect("all fragments are there");
    assert!(matches!(message, Message::Summary { .. } | Message::Snapshot { .. }));
    let told = message.body().traffic;
    assert!(told.payload > 300);
    assert_eq!((first.payload, first.addressing, first.acks), (told.payload, told.addressing, 0));
}

#[test]
fn without_a_hub_and_after_all_faults_too_every_byte_counts_once() {
    for engine in REGISTRY {
        for hub in [true, false] {
            let mut trial = OfflineTrial { hub, clients: if hub { 1 } else { 2 }, ..trial(3) };
            // Nobody is connected before everyone is.
            trial.presence = Presence { lasts_s: 1000, away_s: (1 << 30, 1 << 30), here_s: (1, 1) };
            if !engine.suits(&trial) {
                continue;
            }
            let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world").watched(0);
            let outcome = world.run(&mut Unwatched).expect("it ends");
            // All that goes over the only line.
            let seen: u64 = outcome.measures.bytes.log.iter().map(|(_, bytes)| bytes).sum();
            let (up, down) = outcome.history.traffic;
            assert!(
                seen > 0 && outcome.measures.bytes.log.iter().all(|&(at, _)| at >= 1000 * SECOND),
                "{}",
                engine.name
            );
            assert_eq!(both_ways(&(up, down)), seen, "{} with a hub: {hub}", engine.name);
            assert_eq!(down.total() > 0, hub, "{}", engine.name);
        }
    }
}

#[test]
fn what_is_stored_is_what_all_disks_and_nodes_hold() {
    for engine in REGISTRY {
        let (trial, nodes) = (trial(1), 5);
        let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
        let outcome = world.keeping((0..trial.nodes()).collect()).run(&mut Unwatched).expect("it ends");
        let disks: Vec<u64> = outcome.in_the_end.iter().map(|kept| kept.stored).collect();
        assert_eq!((disks.len(), outcome.measures.stored), (nodes, disks.iter().sum()), "{}", engine.name);
        // Whatever merges: what a client edited is on its disk, and a journal is replaced by an image before it is long.
        assert!(disks.iter().all(|&bytes| bytes > 64 && bytes < 40_000), "{}: {disks:?}", engine.name);
    }
}

#[test]
fn every_message_that_arrives_is_a_delivery_and_those_that_their_checksums_refuse_are_damaged() {
    let link = crate::domain::offline::Link { corrupted_per_mille: 100, truncated_per_mille: 50, ..Default::default() };
    let trial = OfflineTrial { link, ..trial(1) };
    let right = engine::find("delta-summary").expect("an engine");
    let mut world = World::new(&trial, right, &settings(&trial, None)).expect("a world");
    let (mut arrived, mut damaged) = (0, 0);
    while let Some((at, event)) = world.calendar.next() {
        if let Planned::Arrival { link, frame, line, .. } = &event
            && world.connections[*link].open
            && world.connections[*link].wire.carried(*line)
        {
            arrived += 1;
            damaged += u64::from(unframed(&frame.bytes).is_err());
        }
        world.now = at;
        world.happen(event).expect("a disk");
    }
    assert!(damaged > 10 && damaged < arrived / 2, "{damaged} of {arrived}");
    assert_eq!((world.measures.deliveries, world.measures.damaged), (arrived, damaged));
}

#[test]
fn no_line_carries_more_than_its_rate_for_as_long_as_it_is_connected() {
    let link = crate::domain::offline::Link { bits_per_s: 400, latency_ms: 100, ..Default::default() };
    let presence = Presence { lasts_s: 20_000, away_s: (100, 300), here_s: (1, 10) };
    let mut trial = OfflineTrial { link, presence, clients: 1, registers: 256, ..trial(1) };
    (trial.workload.ticks, trial.workload.changed) = (200, 40);
    for engine in REGISTRY {
        let mut world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
        let (mut connected, mut before, mut most) = (0, 0, 0);
        while let Some((at, event)) = world.calendar.next()
            && at < trial.presence.lasts_s * SECOND
        {
            connected += if world.connections[0].open { at - before } else { 0 };
            (world.now, before) = (at, at);
            world.happen(event).expect("a disk");
            if !world.connections[0].open {
                let (up, down) = world.measures.client_traffic();
                most = connected * link.bits_per_s / 8_000_000;
                let (up, down) = (up.total(), down.total());
                assert!(up <= most && down <= most, "{}: {up} and {down} of {most}", engine.name);
            }
        }
        let (up, _) = world.measures.client_traffic();
        assert!(most > 10_000 && up.total() > most / 10, "{}: {} of {most}", engine.name, up.total());
    }
}
