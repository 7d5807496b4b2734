//! Libraries behind the port of engines, against the same libraries called directly: the share of the library's own speed
//! that an engine has.
//!
//! Two replicas. One edits 20 registers of 256, each edit committed, saved and read, and then the two sync and the other
//! reads all registers. The same calls without the port: no frames, no checksums, no journal, no guard. Both in one run,
//! interleaved; the ratio is of the times of the pairs. `benches/compare` compares the numbers of two commits.

use std::time::{Duration, Instant};

use abench::domain::data::{Intent, View};
use abench::domain::offline::OfflineTrial;
use abench::domain::seed::Seed;
use abench::engine;
use abench::engine::host::{Entropy, Host, NodeId};
use abench::engine::port::{Engine, Relation};
use abench::engine::store::Owner;
use abench::engine::store::disk::Disk;
use abench::lab::settings;
use automerge::sync::{self, SyncDoc};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, AutoCommit, ROOT, ReadDoc, ScalarValue};
use crdts::{CmRDT, CvRDT, PNCounter};
use loro::{ExportMode, LoroCounter, LoroDoc, VersionVector};
use std::hint::black_box;
use yrs::updates::decoder::Decode;
use yrs::{Any, Doc, Map, MapRef, Number, Out, ReadTxn, StateVector, Transact, Update, merge_updates_v1};

const REGISTERS: u32 = 256;
const CHANGED: u32 = 20;

/// Which register the edit of a round is of, and by how much.
fn edit(round: u32, place: u32) -> (u32, i64) {
    ((round * 7 + place * 13) % REGISTERS, i64::from(place % 3) + 1)
}

/// A library with a mapping, called directly.
trait Bare {
    fn edit(&mut self, register: u32, amount: i64);
    /// The other replica gets what is new, and reads all of it.
    fn sync(&mut self);
    fn first(&self) -> i64;
}

/// The time that so many rounds take.
fn bare(library: &mut dyn Bare, rounds: u32) -> (Duration, i64) {
    let start = Instant::now();
    for round in 0..rounds {
        (0..CHANGED).map(|place| edit(round, place)).for_each(|(register, amount)| library.edit(register, amount));
        library.sync();
    }
    (start.elapsed(), library.first())
}

/// The same through the port.
fn engine(name: &str, rounds: u32) -> (Duration, i64) {
    let registration = engine::find(name).expect("it is in this build");
    let trial = OfflineTrial { registers: REGISTERS, ..OfflineTrial::of(Seed::new(1), 1) };
    let settings = settings(&trial, None);
    let (mut nodes, mut hosts): (Vec<Box<dyn Engine>>, Vec<Host<Disk>>) = (Vec::new(), Vec::new());
    for node in 0..2 {
        let mut host =
            Host::new(Disk::new(Owner { scenario: 1, client: node }), Entropy::Counted(u64::from(node) << 9));
        nodes.push(registration.open.node(&settings(node), &mut host).expect("a disk"));
        hosts.push(host);
    }
    let start = Instant::now();
    for (node, relation) in [(1, Relation::Child), (0, Relation::Parent)] {
        nodes[node].connected(&mut hosts[node], 1 - node as NodeId, relation).expect("it connects");
    }
    talk(&mut nodes, &mut hosts);
    for round in 0..rounds {
        for (register, amount) in (0..CHANGED).map(|place| edit(round, place)) {
            nodes[0].edit(&mut hosts[0], register, Intent::Increase(amount)).expect("it edits");
        }
        hosts[0].shown.clear();
        talk(&mut nodes, &mut hosts);
    }
    let took = start.elapsed();
    let View::Counter(first) = nodes[1].shows()[0] else { panic!("it is a counter") };
    (took, first)
}

/// Lets every message arrive, until nobody has anything to say.
fn talk(nodes: &mut [Box<dyn Engine>], hosts: &mut [Host<Disk>]) {
    loop {
        let mut silent = true;
        for from in [0, 1] {
            for sent in std::mem::take(&mut hosts[from].sent) {
                silent = false;
                let to = sent.to as usize;
                nodes[to].receive(&mut hosts[to], from as NodeId, &sent.frame.bytes).expect("it takes it");
            }
        }
        if silent {
            let Some(at) = nodes.iter().filter_map(|node| node.wakes_at()).min() else { return };
            for node in [0, 1] {
                hosts[node].now = at;
                nodes[node].wake(&mut hosts[node]).expect("it wakes");
            }
        }
    }
}

struct Automerge {
    docs: [AutoCommit; 2],
    states: [sync::State; 2],
}

impl Automerge {
    fn new() -> Self {
        let doc = |id: u8| {
            let mut doc = AutoCommit::new().with_actor(ActorId::from([0; 16]));
            for register in 0..REGISTERS {
                doc.put(ROOT, register.to_string(), ScalarValue::counter(0)).expect("a new document");
            }
            doc.commit_with(CommitOptions::default().with_time(0));
            doc.set_actor(ActorId::from([id; 16]));
            doc.save_incremental();
            doc
        };
        Automerge { docs: [doc(1), doc(2)], states: [sync::State::new(), sync::State::new()] }
    }
}

impl Bare for Automerge {
    fn edit(&mut self, register: u32, amount: i64) {
        let [doc, _] = &mut self.docs;
        doc.increment(ROOT, register.to_string(), amount).expect("a counter");
        doc.commit_with(CommitOptions::default().with_time(0));
        black_box(doc.save_incremental());
        black_box(doc.get(ROOT, register.to_string()).expect("a counter"));
    }

    fn sync(&mut self) {
        loop {
            let mut silent = true;
            for from in [0, 1] {
                let Some(message) = self.docs[from].sync().generate_sync_message(&mut self.states[from]) else {
                    continue;
                };
                silent = false;
                let bytes = message.encode();
                let (to, before) = (1 - from, self.docs[1 - from].get_heads());
                let message = sync::Message::decode(&bytes).expect("its own bytes");
                self.docs[to].sync().receive_sync_message(&mut self.states[to], message).expect("its own message");
                if self.docs[to].get_heads() != before {
                    black_box(self.docs[to].save_incremental());
                    for register in 0..REGISTERS {
                        black_box(self.docs[to].get(ROOT, register.to_string()).expect("a counter"));
                    }
                }
            }
            if silent {
                return;
            }
        }
    }

    fn first(&self) -> i64 {
        self.docs[1].get(ROOT, "0").expect("it reads").and_then(|(value, _)| value.as_i64()).expect("a counter")
    }
}

struct Yrs {
    docs: [Doc; 2],
    sums: [Vec<MapRef>; 2],
    updates: Vec<Vec<u8>>,
}

fn number(out: Out) -> i64 {
    if let Out::Any(Any::Number(Number::Int(number))) = out { number } else { 0 }
}

impl Yrs {
    fn new() -> Self {
        let docs = [1u64, 2].map(Doc::with_client_id);
        let sums = [0, 1].map(|doc: usize| {
            (0..REGISTERS).map(|register| docs[doc].get_or_insert_map(register.to_string())).collect()
        });
        black_box(docs[0].transact().encode_diff_v1(&StateVector::default()));
        Yrs { docs, sums, updates: Vec::new() }
    }

    fn show(&self, doc: usize, register: u32) -> i64 {
        let txn = self.docs[doc].transact();
        self.sums[doc][register as usize].values(&txn).flatten().map(number).sum()
    }
}

impl Bare for Yrs {
    fn edit(&mut self, register: u32, amount: i64) {
        let sums = &self.sums[0][register as usize];
        let mut txn = self.docs[0].transact_mut();
        let before = sums.get(&txn, "1").map(number).unwrap_or(0);
        sums.insert(&mut txn, "1", Any::Number(Number::Int(before + amount)));
        self.updates.push(txn.encode_update_v1());
        drop(txn);
        black_box(self.show(0, register));
    }

    fn sync(&mut self) {
        let merged = merge_updates_v1(std::mem::take(&mut self.updates)).expect("its own updates");
        let update = Update::decode_v1(&merged).expect("its own update");
        let mut txn = self.docs[1].transact_mut();
        txn.apply_update(update).expect("its own update");
        black_box(txn.encode_update_v1());
        drop(txn);
        (0..REGISTERS).for_each(|register| {
            black_box(self.show(1, register));
        });
    }

    fn first(&self) -> i64 {
        self.show(1, 0)
    }
}

struct Loro {
    docs: [LoroDoc; 2],
    counters: [Vec<LoroCounter>; 2],
    kept: [VersionVector; 2],
    told: VersionVector,
}

impl Loro {
    fn new() -> Self {
        let docs = [1, 2].map(|id| {
            let doc = LoroDoc::new();
            doc.set_peer_id(id).expect("a new document");
            doc
        });
        let counters = [0, 1]
            .map(|doc: usize| (0..REGISTERS).map(|register| docs[doc].get_counter(register.to_string())).collect());
        Loro { docs, counters, kept: Default::default(), told: VersionVector::default() }
    }

    fn keep(&mut self, doc: usize) {
        let now = self.docs[doc].oplog_vv();
        black_box(self.docs[doc].export(ExportMode::updates(&self.kept[doc])).expect("its own version"));
        self.kept[doc] = now;
    }
}

impl Bare for Loro {
    fn edit(&mut self, register: u32, amount: i64) {
        let counter = &self.counters[0][register as usize];
        counter.increment(amount as f64).expect("a counter");
        self.docs[0].commit();
        black_box(counter.get());
        self.keep(0);
    }

    fn sync(&mut self) {
        let updates = self.docs[0].export(ExportMode::updates(&self.told)).expect("its own version");
        self.told = self.docs[0].oplog_vv();
        self.docs[1].import(&updates).expect("its own updates");
        self.keep(1);
        self.counters[1].iter().for_each(|counter| {
            black_box(counter.get());
        });
    }

    fn first(&self) -> i64 {
        self.counters[1][0].get() as i64
    }
}

/// Whole states, as everything of this library.
struct Crdts([Vec<PNCounter<u64>>; 2]);

impl Bare for Crdts {
    fn edit(&mut self, register: u32, amount: i64) {
        let counter = &mut self.0[0][register as usize];
        let op = counter.inc_many(1, amount as u64);
        counter.apply(op);
        black_box(counter.read());
        black_box(postcard::to_allocvec(&self.0[0]).expect("it is written"));
    }

    fn sync(&mut self) {
        let state = postcard::to_allocvec(&self.0[0]).expect("it is written");
        let other: Vec<PNCounter<u64>> = postcard::from_bytes(&state).expect("its own bytes");
        let before = self.0[1].clone();
        self.0[1].iter_mut().zip(other).for_each(|(ours, theirs)| ours.merge(theirs));
        assert!(self.0[1] != before, "something is new");
        black_box(postcard::to_allocvec(&self.0[1]).expect("it is written"));
        self.0[1].iter().for_each(|counter| {
            black_box(counter.read());
        });
    }

    fn first(&self) -> i64 {
        i64::from(self.0[1][0].read().to_signed_bytes_le()[0])
    }
}

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let (rounds, pairs) = if full { (100, 7) } else { (2, 1) };
    type New = fn() -> Box<dyn Bare>;
    let libraries: [(&str, New); 4] = [
        ("automerge-counter", || Box::new(Automerge::new())),
        ("yrs-per-client", || Box::new(Yrs::new())),
        ("loro-counter", || Box::new(Loro::new())),
        ("crdts-pncounter", || Box::new(Crdts([(); 2].map(|()| vec![PNCounter::new(); REGISTERS as usize])))),
    ];
    for (name, new) in libraries {
        let mut ratios = Vec::new();
        let mut rate = 0.0;
        for _ in 0..pairs {
            let (direct, first) = bare(new().as_mut(), rounds);
            let (behind_the_port, same) = engine(name, rounds);
            assert_eq!(first % 256, same % 256, "{name}: the result is wrong, and so is what was measured");
            ratios.push(direct.as_secs_f64() / behind_the_port.as_secs_f64());
            rate = f64::from(rounds * CHANGED) / behind_the_port.as_secs_f64();
        }
        ratios.sort_by(f64::total_cmp);
        println!(
            "{name}: share of the library's own speed {:.2} ({:.2}-{:.2}), wanted at least 0.8; {rate:.0} edits/s",
            ratios[ratios.len() / 2],
            ratios[0],
            ratios[ratios.len() - 1]
        );
    }
}
