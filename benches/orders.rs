//! Rates of the walk over all orders, in merges per second, beside those who try orders in other ways.
//!
//! First, by criterion, the walk over 16, 20 and 24 deltas under four merges (one of them is not linear, so that no
//! algebra can take the work away) and over 20 by each software accumulator's own code, the walk by digest, the one that
//! follows classes, the search of every delivered set of 14 deltas on the model, and plain enumeration of all orders of 8
//! and 9 deltas. Then, both sides in turn in one run (A B A B ...), merges per second over the states per second that
//! `stateright` counts as generated, on the same graph: one replica, 20 deltas, every delivery a transition. The median of
//! the ratios is shown with the least and the greatest. Both use as many threads, two where there are two cores.
//!
//! `--large` after the `--` adds timed walks over 28 and 30 deltas, and `--largest` one over 32.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use abench::domain::delta::{Generate, SplitMix64};
use abench::domain::replica::{Merging, Replica};
use abench::domain::seed::Seed;
use abench::domain::trial::Budget;
use abench::domain::verdict::Verdict;
use abench::domain::watch::Unwatched;
use abench::experiment::standard::arrival_orders::{Workload, searched};
use abench::explore::exhaustive::{Comparison, Judgement, Limits, Outcome, Plan, explore, explore_comparing};
use abench::subject::device::BusDevice;
use abench::subject::scalar::Scalar;
use abench::subject::simd::Simd;
use abench::subject::threads::Threads;
use abench::subject::walk::Walkable;
use criterion::{Criterion, Throughput};
use stateright::{Checker, Model, Property};

/// How much faster the walk should be than states are generated.
const TARGET: f64 = 60.0;

/// Deltas on both sides of the ratio.
const RATIO_DELTAS: u32 = 20;

/// Pairs for the ratio, the first of which warms up.
const PAIRS: usize = 8;

/// Timed walks of each size behind `--large`; there is one behind `--largest`.
const RUNS: usize = 3;

type Merge = fn(&[u64], u32) -> Duration;

/// Merges under which all orders agree. The last is `x + y + 2xy`, which is `(1 + 2x)(1 + 2y)` seen without the 1.
const MERGES: [(&str, Merge); 4] = [
    ("xor", |deltas, n| timed(deltas, n, |state, delta| state ^ delta)),
    ("wrapping add", |deltas, n| timed(deltas, n, u64::wrapping_add)),
    ("max", |deltas, n| timed(deltas, n, u64::max)),
    ("circle product", |deltas, n| timed(deltas, n, circle)),
];

fn main() {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    let measures = has("--bench") && !has("--list");
    let deltas: Vec<u64> = (0..32).map(|index| SplitMix64.generate(index)).collect();
    if has("--large") || has("--largest") {
        large(&deltas, if has("--largest") { &[32] } else { &[20, 24, 28, 30] });
        return;
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    walks(&mut criterion, &deltas, if measures { &[16, 20, 24] } else { &[10] });
    subjects(&mut criterion, &deltas, if measures { 20 } else { 8 });
    device(&mut criterion, if measures { 14 } else { 4 });
    digests(&mut criterion, &deltas, if measures { 18 } else { 8 });
    sources(&mut criterion, &deltas, if measures { 6 } else { 2 });
    plain(&mut criterion, &deltas, if measures { &[8, 9] } else { &[4] });
    criterion.final_summary();
    if measures {
        ratios(&deltas, RATIO_DELTAS, PAIRS);
    } else {
        // Only that it works: times this short say nothing.
        let few: &'static [u64] = Vec::leak(deltas[..8].to_vec());
        for breadth_first in [false, true] {
            model_checked(few, breadth_first);
        }
    }
}

fn circle(state: u64, delta: u64) -> u64 {
    state.wrapping_add(delta).wrapping_add(state.wrapping_mul(delta).wrapping_mul(2))
}

fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn limits() -> Limits {
    Limits { memory: 64 << 20, deliveries: u64::MAX, threads: threads() }
}

/// The deliveries that reach a set in a new way.
fn merges(n: u32) -> u64 {
    u64::from(n) << (n - 1)
}

fn checked(outcome: &Outcome, n: u32) {
    assert_eq!(outcome.judgement, Judgement::Agree);
    assert_eq!(outcome.coverage.merges, merges(n));
}

/// One walk, through the path that every replica takes.
fn timed(deltas: &[u64], n: u32, merge: impl Fn(u64, u64) -> u64 + Sync) -> Duration {
    let replica = Merging { deltas: black_box(deltas), start: black_box(0), merge };
    let start = Instant::now();
    let outcome = explore(&replica, &Plan::every_order(n), &limits(), &mut Unwatched);
    let time = start.elapsed();
    checked(&outcome.expect("it fits"), n);
    time
}

fn walks(criterion: &mut Criterion, deltas: &[u64], sizes: &[u32]) {
    for &n in sizes {
        let mut group = criterion.benchmark_group(format!("walk over {n} deltas, merges"));
        group.throughput(Throughput::Elements(merges(n)));
        for (name, merge) in MERGES {
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|times| (0..times).map(|_| merge(deltas, n)).sum());
            });
        }
        group.finish();
    }
}

/// The walk over every order by each software accumulator's own code.
fn subjects(criterion: &mut Criterion, deltas: &[u64], n: u32) {
    let accumulators: [Box<dyn Walkable>; 3] =
        [Box::new(Scalar::new()), Box::new(Simd::best()), Box::new(Threads::new(threads()))];
    let mut group = criterion.benchmark_group(format!("walk over {n} deltas on a subject, merges"));
    group.throughput(Throughput::Elements(merges(n)));
    for accumulator in &accumulators {
        group.bench_function(accumulator.name(), |bencher| {
            bencher.iter(|| {
                let outcome = accumulator.walk(&deltas[..n as usize], &limits(), &mut Unwatched);
                checked(&outcome.expect("it fits"), n);
            });
        });
    }
    group.finish();
}

/// The search of every delivered set on the model of the device, each state put back through its registers.
fn device(criterion: &mut Criterion, n: u32) {
    let (seed, budget) = (Seed::new(0xDEAD_BEEF_0BAD_F00D), Budget::default());
    let workload = Workload {
        scenario: None,
        count: n,
        seed,
        truth: 0,
        budget,
        memory: 1 << 20,
        banks: 8,
        software: false,
        devices: true,
    };
    let mut model = BusDevice::model("model", 8, &[]).expect("the model opens");
    let mut group = criterion.benchmark_group(format!("search of {n} deltas on the model, steps"));
    group.throughput(Throughput::Elements(merges(n)));
    group.bench_function("model", |bencher| {
        bencher.iter(|| {
            let searched = searched::check(&mut model, &workload, &mut Unwatched);
            assert_eq!((searched.check.verdict, searched.walk.merges), (Verdict::Holds, merges(n)));
        });
    });
    group.finish();
}

fn digests(criterion: &mut Criterion, deltas: &[u64], n: u32) {
    let replica = Merging { deltas, start: 0, merge: |state, delta| state ^ delta };
    let mut group = criterion.benchmark_group(format!("walk by digest over {n} deltas, merges"));
    group.throughput(Throughput::Elements(merges(n)));
    group.bench_function("xor", |bencher| {
        bencher.iter(|| {
            let plan = Plan::every_order(n);
            let outcome = explore_comparing(&replica, &plan, Comparison::Digest128, &limits(), &mut Unwatched);
            checked(&outcome.expect("it fits"), n);
        });
    });
    group.finish();
}

/// The walk that follows classes, over so many clients with queues as long.
fn sources(criterion: &mut Criterion, deltas: &[u64], clients: u32) {
    let replica = Merging { deltas, start: 0, merge: |state, delta| state ^ delta };
    let plan = Plan::per_source(vec![(0..clients).collect(); clients as usize]);
    let merges = u64::try_from(plan.merges()).expect("there are few");
    let mut group = criterion.benchmark_group(format!("walk over {clients} queues of {clients} deltas, merges"));
    group.throughput(Throughput::Elements(merges));
    group.bench_function("xor", |bencher| {
        bencher.iter(|| {
            let outcome = explore(&replica, &plan, &limits(), &mut Unwatched).expect("it fits");
            assert_eq!(outcome.coverage.merges, merges);
        });
    });
    group.finish();
}

/// Every order, each replayed from the start.
fn plain(criterion: &mut Criterion, deltas: &[u64], sizes: &[u32]) {
    for &n in sizes {
        let replica = Merging { deltas, start: 0, merge: |state, delta| state ^ delta };
        let mut group = criterion.benchmark_group(format!("plain enumeration of {n} deltas, replays"));
        group.throughput(Throughput::Elements((1..=u64::from(n)).product()));
        group.bench_function("xor", |bencher| bencher.iter(|| enumerate(&replica, n)));
        group.finish();
    }
}

/// Heap's algorithm (The Computer Journal 6(3), 1963).
fn enumerate(replica: &impl Replica<Snapshot = u64>, n: u32) -> u64 {
    let replay =
        |order: &[usize]| order.iter().fold(replica.start(), |state, &delta| replica.deliver(&state, black_box(delta)));
    let mut order: Vec<usize> = (0..n as usize).collect();
    let expected = replay(&order);
    let (mut counters, mut place, mut replays) = (vec![0; order.len()], 1, 1);
    while place < order.len() {
        if counters[place] < place {
            order.swap(if place % 2 == 0 { 0 } else { counters[place] }, place);
            assert_eq!(replay(&order), expected);
            replays += 1;
            counters[place] += 1;
            place = 1;
        } else {
            counters[place] = 0;
            place += 1;
        }
    }
    assert_eq!(replays, (1..=u64::from(n)).product::<u64>());
    replays
}

/// The same graph for the model checker: what has been delivered, and the state.
struct OneReplica<'a>(&'a [u64]);

impl Model for OneReplica<'static> {
    type State = (u32, u64);
    type Action = u32;

    fn init_states(&self) -> Vec<Self::State> {
        vec![(0, 0)]
    }

    fn actions(&self, (delivered, _): &Self::State, actions: &mut Vec<u32>) {
        actions.extend((0..self.0.len() as u32).filter(|delta| delivered & 1 << delta == 0));
    }

    fn next_state(&self, (delivered, state): &Self::State, delta: u32) -> Option<Self::State> {
        Some((delivered | 1 << delta, state ^ self.0[delta as usize]))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("all orders agree", |model: &Self, &(delivered, state)| {
            delivered + 1 != 1 << model.0.len() || state == model.0.iter().fold(0, |sum, delta| sum ^ delta)
        })]
    }
}

/// The time, and the states counted as generated.
fn model_checked(deltas: &'static [u64], breadth_first: bool) -> (Duration, u64) {
    let checker = OneReplica(deltas).checker().threads(threads().get());
    let start = Instant::now();
    let (generated, unique, violated) = if breadth_first {
        let checker = checker.spawn_bfs().join();
        (checker.state_count(), checker.unique_state_count(), !checker.discoveries().is_empty())
    } else {
        let checker = checker.spawn_dfs().join();
        (checker.state_count(), checker.unique_state_count(), !checker.discoveries().is_empty())
    };
    let time = start.elapsed();
    assert!(!violated);
    assert_eq!(unique, 1 << deltas.len(), "it visits the same graph");
    (time, generated as u64)
}

fn ratios(deltas: &[u64], n: u32, pairs: usize) {
    println!("One replica, {n} deltas, xor, {} threads; {} pairs of runs in turn\n", threads(), pairs - 1);
    let deltas: &'static [u64] = Vec::leak(deltas[..n as usize].to_vec());
    for (name, breadth_first) in [("depth first", false), ("breadth first", true)] {
        let mut runs: Vec<(f64, f64)> = (0..pairs)
            .map(|_| {
                let walk = merges(n) as f64 / MERGES[0].1(deltas, n).as_secs_f64();
                let (time, generated) = model_checked(deltas, breadth_first);
                (walk, generated as f64 / time.as_secs_f64())
            })
            .skip(1)
            .collect();
        runs.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let ratio = |run: (f64, f64)| run.0 / run.1;
        let middle = runs[runs.len() / 2];
        println!(
            "walk {:.0} M merges/s, stateright {name} {:.1} M generated states/s: ratio {:.0} ({:.0} to {:.0}), \
             at least {TARGET}: {}",
            middle.0 / 1e6,
            middle.1 / 1e6,
            ratio(middle),
            ratio(runs[0]),
            ratio(runs[runs.len() - 1]),
            if ratio(middle) >= TARGET { "met" } else { "MISSED" }
        );
    }
}

fn large(deltas: &[u64], sizes: &[u32]) {
    println!("Timed walks, {} threads, at most 64 MiB: least and greatest time, and the best rate\n", threads());
    for &n in sizes {
        for (name, merge) in MERGES {
            let runs = if n > 30 { 1 } else { RUNS };
            let mut times: Vec<Duration> = (0..runs).map(|_| merge(deltas, n)).collect();
            times.sort();
            let rate = merges(n) as f64 / times[0].as_secs_f64() / 1e9;
            println!("n = {n}, {name:<16}{:>12.3?}{:>12.3?}{rate:>8.2} G merges/s", times[0], times[times.len() - 1]);
        }
    }
}
