//! Replicas: deliveries a second in memory, how time grows with the number of clients, and edits a second on SQLite.
//!
//! Rates are of one run on one core, in processor time of its thread where the system tells that; the growth is a ratio of
//! two worlds in the same run, repeated and interleaved. An argument runs one part alone: `deliveries`, `million`, `scale`,
//! `connected` or `sqlite`. `benches/compare` compares the numbers of two commits.

#[path = "shared/clock.rs"]
mod clock;

use std::time::{Duration, Instant};

use abench::domain::offline::{OfflineTrial, Presence, Workload};
use abench::domain::seed::Seed;
use abench::domain::watch::Unwatched;
use abench::engine;
use abench::lab::{Outcome, World, settings};
use clock::Clock;

fn trial(clients: u32, ticks: u32, changed: u32, presence: Presence) -> OfflineTrial {
    OfflineTrial {
        workload: Workload { ticks, changed, most: 3, decrements: true, zipf_hundredths: None },
        presence,
        settle_s: 100_000,
        ..OfflineTrial::of(Seed::new(0xBE7C), clients)
    }
}

/// The engine whose leaves keep one number a register, however many others write: for worlds of many clients.
const OF_MANY: &str = "delta-summary";

fn run(engine: &str, trial: &OfflineTrial) -> (Outcome, Duration) {
    let engine = engine::find(engine).expect("it is registered");
    let start = Clock::start();
    let world = World::new(trial, engine, &settings(trial, None)).expect("a world");
    let outcome = world.run(&mut Unwatched).expect("it ends");
    let took = start.elapsed();
    let truth = outcome.history.ledger.truth();
    let right = outcome.history.quiescent && outcome.history.ends.iter().all(|end| end.registers == truth);
    assert!(right, "the result is wrong, and so is what was measured");
    (outcome, took)
}

fn median(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0], values[values.len() - 1])
}

/// Eight clients that are always connected, and tick again and again.
fn deliveries(full: bool) {
    let lasts_s = if full { 400_000 } else { 2_000 };
    let here = Presence { lasts_s, away_s: (0, 1), here_s: (lasts_s, lasts_s) };
    let trial = trial(8, (lasts_s / 20) as u32, 4, here);
    let engines = [engine::reference().name, OF_MANY];
    let rate = |engine: &str| {
        let (outcome, took) = run(engine, &trial);
        outcome.measures.deliveries as f64 / took.as_secs_f64()
    };
    let pairs: Vec<[f64; 2]> = (0..if full { 5 } else { 1 }).map(|_| engines.map(rate)).collect();
    for (place, engine) in engines.into_iter().enumerate() {
        let (middle, least, most) = median(pairs.iter().map(|pair| pair[place]).collect());
        println!(
            "{engine}: deliveries, 8 clients x 256 registers: {middle:.0}/s ({least:.0}-{most:.0}), wanted 500000/s"
        );
    }
    let (middle, least, most) = median(pairs.iter().map(|[one, other]| one / other).collect());
    let [one, other] = engines;
    println!("deliveries a second, {one} / {other}: {middle:.2} ({least:.2}-{most:.2}), wanted at least 0.9");
}

/// Clients that are away all day and are then sent one summary each of what they lack; and clients that come for a
/// moment three times a day, among others who do, so that a summary is followed by pending changes.
fn scale(full: bool) {
    let away_all_day = Presence { lasts_s: 86_400, away_s: (86_400, 86_400), here_s: (1, 1) };
    let now_and_then = Presence { lasts_s: 86_400, away_s: (20_000, 40_000), here_s: (20, 60) };
    growth(full, "one summary each", &away_all_day);
    growth(full, "three visits a day", &now_and_then);
}

/// Not of the reference: in each of its replicas it keeps a share of every register of every writer, here 2.5 million in
/// 10,000 replicas.
fn growth(full: bool, name: &str, presence: &Presence) {
    let edits = 1000;
    let (few, many) = if full { (100, 10_000) } else { (10, 50) };
    let per_edit = |clients: u32| {
        let (outcome, took) = run(OF_MANY, &trial(clients, edits / 10, 10, presence.clone()));
        let took = took.as_secs_f64();
        let deliveries = outcome.measures.deliveries / u64::from(clients);
        (took / outcome.history.ledger.len() as f64, took, deliveries)
    };
    let ratios = (0..if full { 3 } else { 1 }).map(|_| {
        // As many edits by few clients, in many worlds, as by many clients in one.
        let worlds: Vec<_> = (0..if full { many / few } else { 1 }).map(|_| per_edit(few)).collect();
        let one = worlds.iter().map(|(per_edit, ..)| per_edit).sum::<f64>() / worlds.len() as f64;
        let (other, took, deliveries) = per_edit(many);
        let (first, memory) = (worlds[0].2, memory());
        println!(
            "{OF_MANY}: {many} clients x {edits} edits, {name}: {took:.3} s to convergence, {memory}, \
             {deliveries} deliveries a client (of {few}: {first})"
        );
        other / one
    });
    let (middle, least, most) = median(ratios.collect());
    println!(
        "{OF_MANY}: time per edit, {many} / {few} clients, {name}: {middle:.2} ({least:.2}-{most:.2}), wanted at most 1.5"
    );
}

/// Clients that are connected nearly all the time: each edit is delivered to each of them.
fn connected(full: bool) {
    let presence = Presence { lasts_s: 40_000, away_s: (300, 900), here_s: (7_200, 14_400) };
    let (few, many) = if full { (100, 2_000) } else { (10, 50) };
    for engine in [engine::reference().name, OF_MANY] {
        let per_delivery = |clients: u32, edits: u32| {
            let (outcome, took) = run(engine, &trial(clients, edits / clients, 1, presence.clone()));
            let deliveries = outcome.measures.deliveries;
            (took.as_secs_f64() * 1e9 / deliveries as f64, took.as_secs_f64(), deliveries)
        };
        let ratios = (0..if full { 3 } else { 1 }).map(|_| {
            // As many edits, by few or by many.
            let (one, ..) = per_delivery(few, many);
            let (other, took, deliveries) = per_delivery(many, many);
            println!(
                "{engine}: {many} connected clients: {took:.1} s, {deliveries} deliveries of {other:.0} ns \
                 ({few}: {one:.0} ns), {}",
                memory()
            );
            other / one
        });
        let (middle, least, most) = median(ratios.collect());
        println!(
            "{engine}: time per delivery, {many} / {few} connected clients: {middle:.2} ({least:.2}-{most:.2}), \
             wanted at most 1.5"
        );
    }
}

/// A million registers, most edits at the same few of them (Zipf).
fn million(full: bool) {
    let day = Presence { lasts_s: 28_800, away_s: (600, 3600), here_s: (300, 1800) };
    let (clients, ticks) = if full { (8, 100) } else { (2, 1) };
    let mut trial = OfflineTrial { registers: 1_000_000, ..trial(clients, ticks, 250, day) };
    trial.workload.zipf_hundredths = Some(100);
    let (outcome, took) = run(engine::reference().name, &trial);
    let (edits, took) = (outcome.history.ledger.len(), took.as_secs_f64());
    println!("{clients} clients x 1000000 registers: {edits} edits to convergence in {took:.1} s, {}", memory());
}

/// The most memory that this process had.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or("memory unknown".to_owned(), |peak| format!("peak memory {}", peak.trim()))
}

#[cfg(feature = "sqlite")]
fn sqlite(full: bool) {
    use abench::engine::delta_summary::Replica;
    use abench::engine::delta_summary::sums::Edit;
    use abench::engine::host::{Entropy, Host};
    use abench::engine::store::Owner;
    use abench::engine::store::sqlite::Sqlite;
    let folder = tempfile::tempdir().expect("a folder");
    let rate = |name: &str, batch: usize, batches: usize| {
        let path = folder.path().join(format!("{name}.db"));
        let store = Sqlite::open(&path, Owner { scenario: 1, client: 0 }).expect("a store");
        let mut host = Host::new(store, Entropy::Counted(0));
        let mut told = settings(&trial(1, 0, 1, Presence { lasts_s: 1, away_s: (1, 1), here_s: (1, 1) }), None)(0);
        told.compact_after = u64::MAX;
        let mut replica = Replica::open(told, &mut host).expect("a replica");
        let edits: Vec<Edit> = (0..batch as u32).map(|edit| Edit { register: edit % 256, amount: 1 }).collect();
        let start = Instant::now();
        (0..batches).for_each(|_| replica.edits(&mut host, &edits).expect("a disk"));
        (batch * batches) as f64 / start.elapsed().as_secs_f64()
    };
    let (batched, single) = if full {
        (rate("batches", 500, 200), rate("single", 1, 2000))
    } else {
        (rate("batches", 50, 2), rate("single", 1, 5))
    };
    println!("SQLite, batches of 500 edits: {batched:.0} journaled edits/s, wanted 20000/s");
    println!("SQLite, single durable edits: {single:.0}/s");
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_full: bool) {
    println!("SQLite: not in this build; --features sqlite");
}

/// A part of the bench, in full or as a test that it works.
type Part = fn(bool);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let full = arguments.iter().any(|argument| argument == "--bench");
    let parts: [(&str, Part); 5] = [
        ("deliveries", deliveries),
        ("million", million),
        ("scale", scale),
        ("connected", connected),
        ("sqlite", sqlite),
    ];
    let only = arguments.iter().find(|argument| !argument.starts_with('-'));
    if let Some(only) = only.filter(|only| parts.iter().all(|(name, _)| name != only)) {
        let names = parts.map(|(name, _)| name).join(", ");
        eprintln!("'{only}' is not a part of this bench; allowed are {names}");
        std::process::exit(2);
    }
    for (_, part) in parts.iter().filter(|(name, _)| only.is_none_or(|only| only == name)) {
        part(full);
    }
}
