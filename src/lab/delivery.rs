//! What reliable channels deliver over any number of connections, stores and devices, and what is counted and kept of it.

use crate::domain::data::{Intent, View};
use crate::domain::offline::{Journal, OfflineTrial};
use crate::domain::seed::Seed;
use crate::domain::traffic::Traffic;
use crate::engine::host::{Entropy, Host, NodeId, Sent};
use crate::engine::port::Engine;
use crate::engine::port::Reception;
use crate::engine::port::Relation;
use crate::engine::port::Settings;
use crate::engine::store::Owner;
use crate::engine::store::disk::{Disk, Loss};
use crate::engine::{REGISTRY, Registration, find, reference};
use crate::lab::settings;
use crate::lab::tests::trial;

const HUB: NodeId = 4;

/// Client 0, client 1 and the hub, and lines between each client and the hub.
struct Three {
    nodes: Vec<Box<dyn Engine>>,
    hosts: Vec<Host<Disk>>,
    engine: &'static Registration,
    trial: OfflineTrial,
    up: [bool; 2],
    starts: u64,
}

impl Three {
    fn of(name: &str, fragment: u32) -> Self {
        let engine = find(name).expect("an engine");
        let mut trial = trial(1);
        trial.journal = Journal { fragment, ..Journal::default() };
        let three = Three { nodes: Vec::new(), hosts: Vec::new(), engine, trial, up: [false; 2], starts: 0 };
        (0..3).fold(three, |mut three, place| {
            let (node, host) = three.new_node(place);
            three.nodes.push(node);
            three.hosts.push(host);
            three
        })
    }

    fn number(place: usize) -> NodeId {
        [0, 1, HUB][place]
    }

    fn new_node(&mut self, place: usize) -> (Box<dyn Engine>, Host<Disk>) {
        self.starts += 1;
        let number = Self::number(place);
        let stream = Seed::new(self.starts).stream("entropy").member(number.into());
        let disk = Disk::new(Owner { scenario: 1, client: number });
        let mut host = Host::new(disk, Entropy::Drawn(Box::new(stream)));
        host.now = self.hosts.first().map_or(0, |host| host.now);
        let settings = settings(&self.trial, None)(number);
        (self.engine.open.node(&settings, &mut host).expect("a disk"), host)
    }

    fn edit(&mut self, place: usize, register: u32, amount: i64) {
        self.nodes[place].edit(&mut self.hosts[place], register, Intent::Increase(amount)).expect("a disk");
    }

    fn connect(&mut self, client: usize) {
        self.up[client] = true;
        self.nodes[2].connected(&mut self.hosts[2], client as u32, Relation::Child).expect("a disk");
        self.nodes[client].connected(&mut self.hosts[client], HUB, Relation::Parent).expect("a disk");
    }

    fn disconnect(&mut self, client: usize) {
        self.up[client] = false;
        self.nodes[2].disconnected(client as u32);
        self.nodes[client].disconnected(HUB);
        self.hosts.iter_mut().for_each(|host| host.sent.clear());
    }

    /// The device of this place has lost its store.
    fn lose(&mut self, place: usize) {
        (0..2).filter(|&client| place == 2 || place == client).for_each(|client| self.disconnect(client));
        (self.nodes[place], self.hosts[place]) = self.new_node(place);
    }

    /// The node of this place starts again, from its own store or from another that takes its place.
    fn reopen(&mut self, place: usize, store: Option<Disk>, loss: Loss) {
        let host = &mut self.hosts[place];
        if let Some(store) = store {
            host.store = store;
        }
        host.store.crash(loss);
        let of = Settings { client: host.store.owner().client, ..settings(&self.trial, None)(Self::number(place)) };
        self.nodes[place] = self.engine.open.node(&of, host).expect("a sound store");
    }

    /// Takes all that was sent, with its sender.
    fn sent(&mut self) -> Vec<(usize, Sent)> {
        let sent = (0..3)
            .flat_map(|place| self.hosts[place].sent.drain(..).map(move |sent| (place, sent)).collect::<Vec<_>>());
        sent.collect()
    }

    fn arrives(&mut self, from: usize, sent: &Sent) -> Option<Reception> {
        let to = (0..3).find(|&to| Self::number(to) == sent.to).expect("a node");
        if !self.up[from.min(to)] {
            return None;
        }
        let received = self.nodes[to].receive(&mut self.hosts[to], Self::number(from), &sent.frame.bytes);
        Some(received.expect("a disk"))
    }

    /// Who is to be woken next is.
    fn wake(&mut self) -> bool {
        let Some(at) = self.nodes.iter().filter_map(|node| node.wakes_at()).min() else { return false };
        for place in 0..3 {
            (self.hosts[place].now, self.hosts[place].wall) = (at, at as i64);
            self.nodes[place].wake(&mut self.hosts[place]).expect("a disk");
        }
        true
    }

    /// Lets at most so many messages arrive, until nobody has anything to say; gives all that were sent.
    fn talk(&mut self, most: usize) -> Vec<Sent> {
        let mut all = Vec::new();
        loop {
            let sent = self.sent();
            if sent.is_empty() && !self.wake() {
                return all;
            }
            for (from, sent) in sent {
                if all.len() >= most {
                    return all;
                }
                self.arrives(from, &sent);
                all.push(sent);
            }
            assert!(all.len() < 100_000, "{}: they never fall silent", self.engine.name);
        }
    }

    fn shows(&self) -> Vec<Vec<View>> {
        self.nodes.iter().map(|node| node.shows()).collect()
    }

    fn visits(&mut self, clients: &[usize]) {
        for &client in clients {
            self.visit(client);
        }
    }

    fn visit(&mut self, client: usize) -> Vec<Sent> {
        self.connect(client);
        let all = self.talk(usize::MAX);
        self.disconnect(client);
        all
    }
}

fn channels() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().map(|engine| engine.name).filter(|&name| name != reference().name)
}

#[test]
fn an_answer_that_is_late_from_an_earlier_connection_is_none_to_what_waits_in_this_one() {
    for name in channels() {
        let mut three = Three::of(name, 4096);
        three.connect(0);
        let early = three.talk(usize::MAX);
        three.disconnect(0);
        three.edit(0, 3, 7);
        three.connect(0);
        // Whatever the first said comes again at every step of the second, and the second loses every message once.
        for _ in 0..12 {
            let lost = three.sent();
            for late in &early {
                let from = if late.to == HUB { 0 } else { 2 };
                three.arrives(from, late);
            }
            three.sent();
            if !lost.is_empty() {
                three.wake();
            }
            for (from, sent) in three.sent() {
                three.arrives(from, &sent);
            }
        }
        three.talk(usize::MAX);
        assert_eq!(three.nodes[2].shows()[3], 12, "{name}");
        assert_eq!([0, 2].map(|place| three.nodes[place].backlog()), [Some(0); 2], "{name}");
    }
}

#[test]
fn two_messages_of_the_same_bytes_have_answers_of_their_own() {
    let mut three = Three::of("lww-arrival", 4096);
    three.connect(0);
    three.talk(usize::MAX);
    let mut answers = Vec::new();
    for amount in [7, 1, -1] {
        three.edit(0, 3, amount);
        three.wake();
        let told = three.sent();
        // The last one is lost, and the answer to the first, which told the same, comes again.
        if amount == -1 {
            let first: &Sent = answers.first().expect("it was answered");
            assert_eq!(three.arrives(2, first), Some(Reception::Stale));
        } else {
            for (from, sent) in &told {
                three.arrives(*from, sent);
            }
            for (from, sent) in three.sent() {
                three.arrives(from, &sent);
                answers.push(sent);
            }
        }
    }
    three.talk(usize::MAX);
    assert_eq!(three.nodes[2].shows()[3], 12);
}

#[test]
fn every_message_is_taken_once_however_often_it_comes_and_though_its_answer_was_lost_with_the_connection() {
    for name in channels() {
        let mut three = Three::of(name, 4096);
        three.edit(0, 3, 7);
        three.connect(0);
        // Until the first data has come, twice; its answers are lost.
        'first: loop {
            for (from, sent) in three.sent() {
                three.arrives(from, &sent);
                if sent.traffic.payload > 0 {
                    three.arrives(from, &sent);
                    break 'first;
                }
            }
        }
        three.disconnect(0);
        let again = three.visit(0);
        assert!(again.iter().all(|sent| sent.to == 0 || sent.traffic.payload == 0), "{name}: {again:?}");
        assert_eq!(
            three.shows(),
            [0, 1, 2].map(|place| if place == 1 { vec![5; 32] } else { shown(&[(3, 12)]) }),
            "{name}"
        );
        assert_eq!(three.nodes[0].backlog(), Some(0), "{name}");
    }
}

fn shown(changed: &[(usize, i64)]) -> Vec<i64> {
    let mut shown = vec![5; 32];
    changed.iter().for_each(|&(register, value)| shown[register] = value);
    shown
}

#[test]
fn who_lost_its_store_is_given_all_of_it_again_and_who_did_not_is_given_nothing_twice() {
    for name in channels() {
        for lost in [0, 2] {
            let mut three = Three::of(name, 4096);
            three.edit(0, 3, 7);
            three.edit(0, 4, -2);
            three.visit(0);
            three.visit(1);
            let told = three.visit(1);
            assert!(told.iter().all(|sent| sent.traffic.payload == 0 && sent.traffic.retransmission == 0), "{name}");
            let all = vec![shown(&[(3, 12), (4, 3)]); 3];
            assert_eq!(three.shows(), all, "{name}");
            three.lose(lost);
            three.visits(&[0, 1]);
            // The hub's registers are the truth by reconciliation, and two differences are none by "xor-delta".
            let expected = match (name, lost) {
                ("reconciliation", 2) => vec![shown(&[]); 3],
                ("xor-delta", 2) => continue,
                _ => all,
            };
            assert_eq!(three.shows(), expected, "{name}, {lost} lost its store");
            three.edit(1, 9, 1);
            three.visits(&[1, 0]);
            let changed: Vec<View> = three.shows().iter().map(|shows| shows[9].clone()).collect();
            assert_eq!(changed, [6, 6, 6], "{name}, {lost} lost its store");
        }
    }
}

#[test]
fn operations_and_running_sums_of_copied_and_set_back_devices_are_of_another_incarnation() {
    for name in ["operation-log", "pn-counter", "reconciliation"] {
        for copied in [true, false] {
            let mut three = Three::of(name, 4096);
            three.edit(0, 3, 7);
            three.visit(0);
            three.visit(1);
            let backup = three.hosts[0].store.clone();
            three.edit(0, 3, 10);
            if copied {
                // Client 1's device is replaced by the copy.
                three.reopen(1, Some(backup), Loss::All);
                three.edit(1, 3, 10);
                three.visits(&[0, 1, 0]);
                assert_eq!(three.shows(), vec![shown(&[(3, 32)]); 3], "{name}");
            } else {
                three.visit(0);
                three.reopen(0, Some(backup), Loss::All);
                three.edit(0, 3, 100);
                three.visits(&[0, 1]);
                assert_eq!(three.shows(), vec![shown(&[(3, 122)]); 3], "{name}");
            }
        }
    }
}

#[test]
fn in_visits_that_are_too_short_for_all_of_it_everyone_gets_on() {
    for name in channels() {
        let mut three = Three::of(name, 12);
        (0..32).for_each(|register| three.edit(0, register, 1_000_000 + i64::from(register)));
        let mut visits = 0;
        while three.nodes[2].shows() != three.nodes[0].shows() || three.nodes[0].backlog() > Some(0) {
            three.connect(0);
            // A handshake, a welcome, and two messages with their answers.
            let told = three.talk(6);
            let longest = told.iter().map(|sent| sent.frame.bytes.len()).max().expect("they talk");
            assert!(longest < 60, "{name}: {longest} bytes");
            three.disconnect(0);
            visits += 1;
            assert!(visits < 60, "{name}: {:?} left", three.nodes[0].backlog());
        }
        assert!(visits > 3, "{name}: {visits}");
    }
}

#[test]
fn what_is_told_again_over_another_connection_counts_as_sent_again() {
    for name in REGISTRY.iter().map(|engine| engine.name) {
        let mut three = Three::of(name, 4096);
        (0..9).for_each(|register| three.edit(0, register, 1000 + i64::from(register)));
        let mut total = Traffic::default();
        for _ in 0..5 {
            three.connect(0);
            // What the client tells never comes.
            let mut told = false;
            while !told {
                let sent = three.sent();
                let silent = sent.is_empty();
                for (from, sent) in sent {
                    let has_data = sent.traffic.payload > 0 || sent.traffic.retransmission > 16;
                    if has_data && from == 0 {
                        total += sent.traffic;
                        told = true;
                    } else {
                        three.arrives(from, &sent);
                    }
                }
                if silent {
                    three.wake();
                }
            }
            three.disconnect(0);
        }
        let payload = match name {
            "full-state" => 18 + 23,
            "delta-state" => 14,
            _ => 18,
        };
        assert_eq!(total.payload, payload, "{name}: {total:?}");
        let once = total.total() - total.retransmission;
        assert_eq!(total.retransmission, 4 * once, "{name}: {total:?}");
    }
}

#[test]
fn whatever_happened_a_node_shows_the_same_when_it_starts_again_from_its_store_and_everything_gets_on() {
    for name in channels() {
        for compact_after in [1, 3, 4096] {
            let mut three = Three::of(name, 12);
            three.trial.journal.compact_after = compact_after;
            (0..3).for_each(|place| three.reopen(place, None, Loss::All));
            for round in 0..40u32 {
                let client = (round % 2) as usize;
                (0..3).for_each(|edit| three.edit(client, (7 * round + edit) % 32, 1000 + i64::from(round)));
                three.connect(client);
                // Sometimes too short for all, so that a message is on its way when the power fails.
                three.talk(if round % 3 == 0 { usize::MAX } else { 3 + round as usize % 5 });
                three.disconnect(client);
                for place in 0..3 {
                    let before = (three.nodes[place].shows(), three.nodes[place].backlog());
                    three.reopen(place, None, Loss::Nothing);
                    let after = (three.nodes[place].shows(), three.nodes[place].backlog());
                    assert_eq!(after, before, "{name}, round {round}, place {place}, compacted after {compact_after}");
                }
            }
            three.visits(&[0, 1, 0, 1]);
            assert_eq!((0..2).map(|place| three.nodes[place].backlog()).sum::<Option<u64>>(), Some(0), "{name}");
            if ["operation-log", "pn-counter", "reconciliation"].contains(&name) {
                let total: i64 = three.nodes[2].shows().iter().map(|view| view.number().expect("a counter") - 5).sum();
                assert_eq!(total, (0..40).map(|round| 3 * (1000 + round)).sum::<i64>(), "{name}");
                assert!(three.shows().windows(2).all(|two| two[0] == two[1]), "{name}");
            }
        }
    }
}

#[test]
fn what_was_shown_to_the_user_or_acknowledged_survives_a_power_failure_at_every_step() {
    for name in ["operation-log", "pn-counter", "reconciliation"] {
        for steps in 0..24 {
            let mut three = Three::of(name, 4096);
            three.edit(1, 3, 7);
            three.visit(1);
            three.hosts[2].crash_after(steps);
            three.hosts[0].crash_after(steps);
            three.edit(0, 4, 9);
            let shown = !three.hosts[0].shown.is_empty();
            three.connect(0);
            three.talk(40);
            three.disconnect(0);
            for place in [0, 2] {
                three.hosts[place].revive();
                three.reopen(place, None, Loss::All);
            }
            three.visits(&[0, 1, 0]);
            let all = three.shows();
            assert!(all.windows(2).all(|two| two[0] == two[1]), "{name}, {steps} steps: {all:?}");
            assert_eq!(all[0][3], 12, "{name}, {steps} steps: it was acknowledged");
            assert!(all[0][4] == 14 || all[0][4] == 5 && !shown, "{name}, {steps} steps: {}", all[0][4]);
        }
    }
}

#[test]
fn who_greeted_and_has_nothing_to_tell_says_so_until_this_connections_answer_comes() {
    for name in channels() {
        let mut three = Three::of(name, 4096);
        let early = three.visit(1);
        three.edit(0, 3, 7);
        three.visit(0);
        three.connect(1);
        // The handshake and the welcome come; what says that nothing is to be told is lost.
        for _ in 0..2 {
            for (from, sent) in three.sent() {
                three.arrives(from, &sent);
            }
        }
        assert!(!three.sent().is_empty(), "{name}");
        for late in early.iter().filter(|sent| sent.to == 1) {
            assert_eq!(three.arrives(2, late), Some(Reception::Stale), "{name}");
        }
        three.talk(usize::MAX);
        assert_eq!(three.nodes[1].shows()[3], 12, "{name}");
        assert_eq!(three.nodes[2].backlog(), Some(0), "{name}");
    }
}
