//! The walk over all orders says what plain enumeration says, whatever is merged and however deliveries are restricted.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use abench::domain::replica::{Merging, Replica};
use abench::domain::verdict::Verdict;
use abench::domain::watch::{Unwatched, Watch};
use abench::explore::exhaustive::{
    Comparison, Cost, Disagreement, Judgement, Limits, Outcome, Plan, Refused, Schedules, Unsettled, explore,
    explore_comparing,
};
use num_bigint::BigUint;
use proptest::prelude::*;

fn limits(threads: usize) -> Limits {
    Limits { memory: 1 << 30, deliveries: 1 << 40, threads: NonZeroUsize::new(threads).unwrap() }
}

/// What plain enumeration finds: every allowed sequence and each of its prefixes, replayed from the start, with nothing
/// merged and nothing left out.
struct Enumerated {
    /// Size of the smallest set of deliveries that two sequences reach showing something else.
    smallest: Option<usize>,
    /// Complete sequences.
    orders: u64,
}

struct Enumeration<'a, R> {
    replica: &'a R,
    plan: &'a Plan,
    /// What was shown first for each set; the key of a set is what was delivered, chain by chain.
    shown: BTreeMap<Vec<u32>, Vec<u8>>,
    found: Enumerated,
}

fn enumerated<R: Replica>(replica: &R, plan: &Plan) -> Enumerated {
    let found = Enumerated { smallest: None, orders: 0 };
    let mut enumeration = Enumeration { replica, plan, shown: BTreeMap::new(), found };
    enumeration.go(&mut Vec::new(), &mut Vec::new());
    enumeration.found
}

impl<R: Replica> Enumeration<'_, R> {
    /// `sequence` is what was delivered, `places` where each delivery stands in its plan.
    fn go(&mut self, sequence: &mut Vec<u32>, places: &mut Vec<u32>) {
        let state = sequence.iter().fold(self.replica.start(), |state, &d| self.replica.deliver(&state, d as usize));
        let mut key = places.clone();
        key.sort_unstable();
        if matches!(self.plan.schedules, Schedules::Repeated { .. }) {
            key.dedup();
        }
        let (size, shown) = (key.len(), self.replica.show(&state));
        if *self.shown.entry(key).or_insert_with(|| shown.clone()) != shown {
            self.found.smallest = Some(self.found.smallest.map_or(size, |smallest| smallest.min(size)));
        }
        self.found.orders += u64::from(self.complete(places));
        for (place, delta) in self.allowed(places) {
            sequence.push(delta);
            places.push(place);
            self.go(sequence, places);
            sequence.pop();
            places.pop();
        }
    }

    fn complete(&self, places: &[u32]) -> bool {
        self.plan.losses
            || match &self.plan.schedules {
                Schedules::EveryOrder { deltas } => places.len() == *deltas as usize,
                Schedules::PerSource { queues } => places.len() == queues.iter().map(Vec::len).sum::<usize>(),
                Schedules::Repeated { deltas, .. } => (0..*deltas).all(|delta| places.contains(&delta)),
            }
    }

    /// The places that may be delivered next, and their deltas.
    fn allowed(&self, places: &[u32]) -> Vec<(u32, u32)> {
        match &self.plan.schedules {
            Schedules::EveryOrder { deltas } => {
                (0..*deltas).filter(|place| !places.contains(place)).map(|place| (place, place)).collect()
            }
            Schedules::Repeated { deltas, times } => {
                let again = |delta: &u32| places.iter().filter(|place| *place == delta).count() < *times as usize;
                (0..*deltas).filter(again).map(|delta| (delta, delta)).collect()
            }
            Schedules::PerSource { queues } => {
                let (mut allowed, mut start) = (Vec::new(), 0);
                for queue in queues {
                    let own = start..start + queue.len() as u32;
                    let next = places.iter().filter(|place| own.contains(place)).max().map_or(start, |last| last + 1);
                    let may_be_lost = if self.plan.losses { own.end } else { own.end.min(next + 1) };
                    allowed.extend((next..may_be_lost).map(|place| (place, queue[(place - start) as usize])));
                    start = own.end;
                }
                allowed
            }
        }
    }
}

/// The same replica, said to be large, so that small walks are cut into many blocks, too.
struct Heavy<'a, R>(&'a R);

impl<R: Replica> Replica for Heavy<'_, R> {
    type Snapshot = R::Snapshot;
    fn start(&self) -> R::Snapshot {
        self.0.start()
    }
    fn deliver(&self, snapshot: &R::Snapshot, delta: usize) -> R::Snapshot {
        self.0.deliver(snapshot, delta)
    }
    fn show(&self, snapshot: &R::Snapshot) -> Vec<u8> {
        self.0.show(snapshot)
    }
    fn snapshot_bytes(&self) -> u64 {
        8 << 10
    }
}

fn disagreement(outcome: &Outcome) -> Option<&Disagreement> {
    match &outcome.judgement {
        Judgement::Disagree(disagreement) => Some(disagreement),
        _ => None,
    }
}

/// The walk in all its forms, each of which must say the same.
fn walked<R: Replica>(replica: &R, plan: &Plan) -> Outcome {
    let mut outcomes = Vec::new();
    for comparison in [Comparison::Whole, Comparison::Digest128] {
        for threads in [1, 2, 5] {
            let limits = limits(threads);
            let plain = explore_comparing(replica, plan, comparison, &limits, &mut Unwatched).expect("it fits");
            let heavy = explore_comparing(&Heavy(replica), plan, comparison, &limits, &mut Unwatched).expect("it fits");
            outcomes.push((comparison, plain, heavy));
        }
    }
    for same in outcomes.chunks(3) {
        assert_eq!(same[0], same[1], "two threads change nothing");
        assert_eq!(same[0], same[2], "five threads change nothing");
    }
    let size = |outcome: &Outcome| disagreement(outcome).map(|found| found.deltas.len());
    for (_, plain, heavy) in &outcomes {
        assert_eq!(plain.verdict(), outcomes[0].1.verdict());
        assert_eq!(size(plain), size(&outcomes[0].1));
        assert_eq!(plain.coverage, heavy.coverage);
        assert_eq!(size(plain), size(heavy));
        [plain, heavy].into_iter().filter_map(disagreement).for_each(|found| witnessed(replica, found));
    }
    outcomes.swap_remove(0).1
}

/// A counterexample says the truth: replayed, both ways deliver the set and show what is said.
fn witnessed<R: Replica>(replica: &R, found: &Disagreement) {
    for way in [&found.first, &found.second] {
        let state =
            way.deliveries.iter().fold(replica.start(), |state, &delta| replica.deliver(&state, delta as usize));
        assert_eq!(replica.show(&state), way.shown);
        let mut delivered = way.deliveries.clone();
        delivered.sort_unstable();
        if delivered.len() > found.deltas.len() {
            delivered.dedup();
        }
        assert_eq!(delivered, found.deltas);
    }
    assert_ne!(found.first.shown, found.second.shown);
    assert!(found.smallest);
}

/// The walk and plain enumeration agree on everything that both say.
fn same_as_enumerated<R: Replica>(replica: &R, plan: &Plan) -> Outcome {
    let (outcome, plainly) = (walked(replica, plan), enumerated(replica, plan));
    assert_eq!(disagreement(&outcome).map(|found| found.deltas.len()), plainly.smallest, "{plan:?}");
    let expected = if plainly.smallest.is_some() { Verdict::Falsified } else { Verdict::Holds };
    assert_eq!(outcome.verdict(), expected);
    assert_eq!(outcome.coverage.of_orders, BigUint::from(plainly.orders));
    let covered = if outcome.verdict() == Verdict::Holds { plainly.orders } else { 0 };
    assert_eq!(outcome.coverage.orders, BigUint::from(covered));
    if outcome.verdict() == Verdict::Holds {
        assert_eq!(BigUint::from(outcome.coverage.sets), plan.sets());
        if outcome.coverage.snapshots == outcome.coverage.sets {
            assert_eq!(BigUint::from(outcome.coverage.merges), plan.merges());
        }
    }
    outcome
}

type Merge = fn(u64, u64) -> u64;

const ALGEBRAS: [(&str, Merge); 9] = [
    ("xor", |state, delta| state ^ delta),
    ("wrapping add", u64::wrapping_add),
    ("max", u64::max),
    ("min", u64::min),
    ("or", |state, delta| state | delta),
    ("unsigned saturating add", u64::saturating_add),
    ("signed saturating add", |state, delta| (state as i64).saturating_add(delta as i64) as u64),
    ("f64 sum", |state, delta| (f64::from_bits(state) + f64::from_bits(delta)).to_bits()),
    ("last arrival wins", |_, delta| delta),
];

fn algebra(name: &str) -> Merge {
    ALGEBRAS.iter().find(|(known, _)| *known == name).expect("it is known").1
}

/// Values that bring out what merges do at their limits, as integers and as numbers with fractions.
fn values() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0..4u64,
        Just(u64::MAX),
        Just(i64::MAX as u64),
        Just(i64::MIN as u64),
        Just(u64::MAX - 1),
        prop::sample::select(vec![0.1f64, 0.2, 0.3, 1.0, 1e16, -1e16, 2.0]).prop_map(f64::to_bits),
    ]
}

fn plans() -> impl Strategy<Value = Plan> {
    let schedules = prop_oneof![
        (0..6u32).prop_map(Plan::every_order),
        prop::collection::vec(prop::collection::vec(0..6u32, 0..4), 0..4)
            .prop_filter("short enough to enumerate", |queues| queues.iter().map(Vec::len).sum::<usize>() <= 6)
            .prop_map(Plan::per_source),
        (0..4u32, 1..3u32).prop_map(|(deltas, times)| Plan::repeated(deltas, times)),
        (0..3u32, 1..4u32).prop_map(|(deltas, times)| Plan::repeated(deltas, times)),
    ];
    (schedules, any::<bool>()).prop_map(|(plan, losses)| if losses { plan.with_losses() } else { plan })
}

/// A machine with a few states, of any behaviour at all.
#[derive(Debug)]
struct Machine {
    states: usize,
    /// The next state, by state and delta.
    next: Vec<u8>,
    /// What states show is their number without so many low bits.
    hidden: u32,
}

impl Replica for Machine {
    type Snapshot = u8;
    fn start(&self) -> u8 {
        0
    }
    fn deliver(&self, snapshot: &u8, delta: usize) -> u8 {
        self.next[usize::from(*snapshot) + delta * self.states]
    }
    fn show(&self, snapshot: &u8) -> Vec<u8> {
        vec![snapshot >> self.hidden]
    }
}

fn machines() -> impl Strategy<Value = Machine> {
    (2..7usize, 0..3u32).prop_flat_map(|(states, hidden)| {
        prop::collection::vec(0..states as u8, states * 6).prop_map(move |next| Machine { states, next, hidden })
    })
}

/// A replica that remembers the order of arrivals and shows them sorted, unless told what to show instead.
struct Journal<F>(F);

fn sorted(arrivals: &[u8]) -> Vec<u8> {
    let mut shown = arrivals.to_vec();
    shown.sort_unstable();
    shown
}

impl<F: Fn(&[u8]) -> Vec<u8> + Sync> Replica for Journal<F> {
    type Snapshot = Vec<u8>;
    fn start(&self) -> Vec<u8> {
        Vec::new()
    }
    fn deliver(&self, snapshot: &Vec<u8>, delta: usize) -> Vec<u8> {
        let mut longer = snapshot.clone();
        longer.push(delta as u8);
        longer
    }
    fn show(&self, snapshot: &Vec<u8>) -> Vec<u8> {
        self.0(snapshot)
    }
    fn snapshot_bytes(&self) -> u64 {
        64
    }
}

/// Knows which deltas it has, and whether they came by the one planted way: this delta last into that set.
struct OneWrongWay {
    set: u64,
    last: u32,
}

impl Replica for OneWrongWay {
    type Snapshot = u64;
    fn start(&self) -> u64 {
        0
    }
    fn deliver(&self, snapshot: &u64, delta: usize) -> u64 {
        let after = snapshot | 1 << delta;
        let planted = self.last as usize == delta && after & !(1 << 63) == self.set;
        if planted { after | 1 << 63 } else { after }
    }
    fn show(&self, snapshot: &u64) -> Vec<u8> {
        snapshot.to_be_bytes().to_vec()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_algebra_is_judged_as_by_plain_enumeration(
        deltas in prop::collection::vec(values(), 6), start in prop_oneof![Just(0), values()], plan in plans()
    ) {
        for (_, merge) in ALGEBRAS {
            same_as_enumerated(&Merging { deltas: &deltas, start, merge }, &plan);
        }
    }

    #[test]
    fn every_machine_is_judged_as_by_plain_enumeration(machine in machines(), plan in plans()) {
        same_as_enumerated(&machine, &plan);
    }

    #[test]
    fn one_wrong_way_among_many_thousands_is_found(n in 11..14u32, drawn: u64, pick: u32) {
        let set = drawn % (1 << n);
        prop_assume!(set.count_ones() >= 2);
        let members: Vec<u32> = (0..n).filter(|delta| set >> delta & 1 == 1).collect();
        let last = members[pick as usize % members.len()];
        for comparison in [Comparison::Whole, Comparison::Digest128] {
            let plan = Plan::every_order(n);
            let outcome =
                explore_comparing(&OneWrongWay { set, last }, &plan, comparison, &limits(2), &mut Unwatched).unwrap();
            let found = disagreement(&outcome).expect("it is found");
            witnessed(&OneWrongWay { set, last }, found);
            prop_assert_eq!(&found.deltas, &members);
        }
    }
}

#[test]
fn workloads_of_up_to_nine_deltas_are_judged_as_by_plain_enumeration() {
    let (tenth, large) = (0.1f64.to_bits(), 1e16f64.to_bits());
    let deltas = [3, 1 << 40, u64::MAX, tenth, large, (-1e16f64).to_bits(), 7, i64::MAX as u64, 0x8000_0000_0000_0001];
    std::thread::scope(|scope| {
        for (_, merge) in ALGEBRAS {
            let replica = Merging { deltas: &deltas, start: 0, merge };
            scope.spawn(move || (1..=9).for_each(|n| drop(same_as_enumerated(&replica, &Plan::every_order(n)))));
        }
    });
}

#[test]
fn every_way_into_every_set_is_tried() {
    // A walk that leaves out a set, or a way into one, or that compares a state with itself, misses its plant.
    let n = 7;
    for set in 1u64..1 << n {
        for last in (0..n).filter(|last| set >> last & 1 == 1) {
            let outcome = walked(&OneWrongWay { set, last }, &Plan::every_order(n));
            let found = disagreement(&outcome).expect("it is found");
            // There is one way into a set of one delta. The sets above it are then reached in two.
            assert_eq!(found.deltas.len() as u32, set.count_ones().max(2), "{set:b} by {last}");
            if set.count_ones() > 1 {
                assert_eq!(found.deltas, (0..n).filter(|delta| set >> delta & 1 == 1).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn from_a_zero_start_last_arrival_wins_is_falsified_with_two_deltas() {
    let deltas: Vec<u64> = (1..=12).collect();
    let replica = Merging { deltas: &deltas, start: 0, merge: algebra("last arrival wins") };
    let outcome = walked(&replica, &Plan::every_order(12));
    assert_eq!(disagreement(&outcome).expect("it is falsified").deltas, [0, 1]);
    assert_eq!((outcome.coverage.settled, outcome.coverage.sets, outcome.coverage.merges), (1, 14, 14));
}

#[test]
fn from_a_zero_start_signed_saturating_add_is_falsified_with_three_deltas() {
    let deltas = [1, 2, 3, i64::MAX as u64, 4, -5i64 as u64].map(|delta: u64| delta);
    let replica = Merging { deltas: &deltas, start: 0, merge: algebra("signed saturating add") };
    let outcome = same_as_enumerated(&replica, &Plan::every_order(6));
    assert_eq!(disagreement(&outcome).expect("it is falsified").deltas.len(), 3);
}

#[test]
fn from_a_zero_start_f64_sum_is_falsified_with_three_deltas() {
    let deltas = [0.1f64, 0.2, 0.3, 0.4].map(f64::to_bits);
    let replica = Merging { deltas: &deltas, start: 0, merge: algebra("f64 sum") };
    let outcome = same_as_enumerated(&replica, &Plan::every_order(4));
    assert_eq!(disagreement(&outcome).expect("it is falsified").deltas.len(), 3);
}

#[test]
fn merges_cover_all_orders_as_a_full_integer() {
    let deltas: Vec<u64> = (0..20).map(|delta| 0x9E37_79B9_7F4A_7C15u64.wrapping_mul(delta + 1)).collect();
    for (name, merge) in &ALGEBRAS[..6] {
        let replica = Merging { deltas: &deltas, start: 0, merge };
        let outcome = explore(&replica, &Plan::every_order(20), &limits(2), &mut Unwatched).unwrap();
        assert_eq!(outcome.judgement, Judgement::Agree, "{name}");
        let coverage = outcome.coverage;
        assert_eq!(coverage.orders.to_string(), "2432902008176640000");
        assert_eq!((coverage.merges, coverage.sets, coverage.settled), (20 << 19, 1 << 20, 20));
    }
}

#[test]
fn a_journal_agrees_in_what_it_shows_though_its_snapshots_differ() {
    let outcome = same_as_enumerated(&Journal(sorted), &Plan::every_order(6));
    assert_eq!(outcome.judgement, Judgement::Agree);
    // Every arrangement of every subset is a snapshot.
    assert_eq!((outcome.coverage.sets, outcome.coverage.snapshots), (64, 1957));
    assert_eq!(outcome.comparison, Comparison::Whole);
}

#[test]
fn snapshots_that_are_reached_again_are_followed_once() {
    // The set and its last two arrivals: 30 classes at six deltas, each reached in 24 ways.
    let last_two = Merging {
        deltas: &[1, 2, 4, 8, 16, 32],
        start: 0,
        merge: |state: u64, delta: u64| (state & 0xFF | delta) | (state >> 8 & 0xFF) << 16 | delta << 8,
    };
    struct ShowsTheSet<R>(R);
    impl<R: Replica<Snapshot = u64>> Replica for ShowsTheSet<R> {
        type Snapshot = u64;
        fn start(&self) -> u64 {
            self.0.start()
        }
        fn deliver(&self, snapshot: &u64, delta: usize) -> u64 {
            self.0.deliver(snapshot, delta)
        }
        fn show(&self, snapshot: &u64) -> Vec<u8> {
            vec![*snapshot as u8]
        }
    }
    let outcome = same_as_enumerated(&ShowsTheSet(last_two), &Plan::every_order(6));
    assert_eq!(outcome.judgement, Judgement::Agree);
    // Subsets of m deltas have m (m - 1) last twos: 15 * 2 + 20 * 6 + 15 * 12 + 6 * 20 + 30, and 7 smaller sets.
    assert_eq!(outcome.coverage.snapshots, 7 + 30 + 120 + 180 + 120 + 30);
}

#[test]
fn a_journal_that_shows_its_order_late_is_falsified_by_the_smallest_set_that_does() {
    let late = Journal(|arrivals: &[u8]| if arrivals.len() > 3 { arrivals.to_vec() } else { sorted(arrivals) });
    for plan in [Plan::every_order(6), Plan::per_source(vec![vec![0, 1, 2], vec![3, 4, 5]])] {
        let outcome = same_as_enumerated(&late, &plan);
        assert_eq!(disagreement(&outcome).expect("it is falsified").deltas.len(), 4);
        assert_eq!(outcome.coverage.settled, 3);
    }
}

#[test]
fn a_journal_that_outgrows_its_memory_proves_nothing_and_says_how_far_it_came() {
    let small = Limits { memory: 100_000, ..limits(2) };
    let outcome = explore(&Journal(sorted), &Plan::every_order(9), &small, &mut Unwatched).unwrap();
    let Judgement::Inconclusive(Unsettled::Classes { deltas }) = outcome.judgement else { panic!("{outcome:?}") };
    assert_eq!(outcome.coverage.settled + 1, deltas);
    assert!((2..9).contains(&deltas), "{deltas}");
    assert_eq!(outcome.coverage.orders, BigUint::ZERO);
    for threads in [1, 5] {
        let again = Limits { threads: NonZeroUsize::new(threads).unwrap(), ..small };
        assert_eq!(explore(&Journal(sorted), &Plan::every_order(9), &again, &mut Unwatched).unwrap(), outcome);
    }
    let few = Limits { deliveries: 10_000, ..limits(2) };
    let outcome = explore(&Journal(sorted), &Plan::every_order(9), &few, &mut Unwatched).unwrap();
    assert_eq!(outcome.verdict(), Verdict::Inconclusive);
}

#[test]
fn large_snapshots_are_told_apart_by_a_hash_and_the_outcome_says_so() {
    // Sorted on arrival, so that snapshots agree and no classes need to be followed.
    struct Sorting;
    impl Replica for Sorting {
        type Snapshot = Vec<u8>;
        fn start(&self) -> Vec<u8> {
            Vec::new()
        }
        fn deliver(&self, snapshot: &Vec<u8>, delta: usize) -> Vec<u8> {
            let place = snapshot.partition_point(|&present| usize::from(present) < delta);
            let mut longer = snapshot.clone();
            longer.insert(place, delta as u8);
            longer
        }
        fn show(&self, snapshot: &Vec<u8>) -> Vec<u8> {
            snapshot.clone()
        }
    }
    let outcome = explore(&Sorting, &Plan::every_order(12), &limits(2), &mut Unwatched).unwrap();
    assert_eq!((outcome.judgement, outcome.comparison), (Judgement::Agree, Comparison::Digest128));
    assert_eq!((outcome.coverage.merges, outcome.coverage.sets), (12 << 11, 1 << 12));
}

#[test]
fn a_proof_says_what_it_takes_for_granted() {
    let replica = Merging { deltas: &[1, 2, 3], start: 0, merge: u64::max };
    let said = |comparison| {
        explore_comparing(&replica, &Plan::every_order(3), comparison, &limits(1), &mut Unwatched)
            .unwrap()
            .assumptions()
    };
    assert_eq!(said(Comparison::Whole).len(), 1);
    insta::assert_snapshot!(said(Comparison::Digest128)[1], @"Snapshots were compared by 128-bit SipHash-2-4, as if by a random function: the probability that any difference was missed is at most 12 / 2^128.");
}

#[test]
fn what_any_order_breaks_can_hold_while_sources_keep_theirs() {
    // Two registers; a delta below 4 sets the first, another the second.
    let registers = |state: u64, delta: u64| if delta < 4 { state & !0xFF | delta } else { state & 0xFF | delta << 8 };
    let replica = Merging { deltas: &[0, 1, 2, 3, 4, 5, 6, 7], start: 0, merge: registers };
    let kept = Plan::per_source(vec![vec![0, 1, 2, 3], vec![4, 5, 6, 7]]);
    let outcome = same_as_enumerated(&replica, &kept);
    assert_eq!(outcome.coverage.orders, BigUint::from(70u8));
    assert_eq!((outcome.coverage.sets, outcome.coverage.merges), (25, 40));
    assert_eq!(same_as_enumerated(&replica, &kept.clone().with_losses()).verdict(), Verdict::Holds);
    let crossed = Plan::per_source(vec![vec![0, 4, 2, 3], vec![1, 5, 6, 7]]);
    assert_eq!(disagreement(&same_as_enumerated(&replica, &crossed)).expect("it is falsified").deltas, [0, 1]);
    let outcome = same_as_enumerated(&replica, &Plan::every_order(8));
    assert_eq!(disagreement(&outcome).expect("it is falsified").deltas, [0, 1]);
}

#[test]
fn a_repeated_delta_cancels_under_xor_and_is_absorbed_by_max() {
    let plan = Plan::repeated(3, 2);
    let of = |name| same_as_enumerated(&Merging { deltas: &[5, 6, 7], start: 0, merge: algebra(name) }, &plan);
    let xor = of("xor");
    let found = disagreement(&xor).expect("it is falsified");
    assert_eq!(
        (&found.deltas[..], &found.first.deliveries[..], &found.second.deliveries[..]),
        (&[0][..], &[0][..], &[0, 0][..])
    );
    for name in ["max", "or"] {
        assert_eq!(of(name).verdict(), Verdict::Holds);
    }
}

#[test]
fn a_replica_may_count_repeats_as_long_as_it_does_not_show_them() {
    let counting = Journal(|arrivals: &[u8]| {
        let mut shown = sorted(arrivals);
        shown.dedup();
        shown
    });
    let outcome = same_as_enumerated(&counting, &Plan::repeated(3, 2));
    assert_eq!(outcome.judgement, Judgement::Agree);
    assert!(outcome.coverage.snapshots > outcome.coverage.sets);
}

/// Shows which deltas were delivered; and, where all were, whether `telling` came again last of all. Of the repeats before
/// that it keeps only that there were some, so that unlike histories meet in one snapshot.
struct AgainLast {
    telling: usize,
}

impl Replica for AgainLast {
    type Snapshot = (u8, bool, bool);

    fn start(&self) -> Self::Snapshot {
        (0, false, false)
    }

    fn deliver(&self, &(delivered, again, told): &Self::Snapshot, delta: usize) -> Self::Snapshot {
        let repeated = delivered >> delta & 1 == 1;
        let tells = repeated && again && delivered == 3 && delta == self.telling;
        (delivered | 1 << delta, again || repeated, told || tells)
    }

    fn show(&self, &(delivered, _, told): &Self::Snapshot) -> Vec<u8> {
        vec![delivered, u8::from(told)]
    }
}

#[test]
fn equal_snapshots_that_have_other_repeats_left_are_not_taken_for_the_same() {
    for telling in [0, 1] {
        let outcome = same_as_enumerated(&AgainLast { telling }, &Plan::repeated(2, 2));
        assert_eq!(outcome.verdict(), Verdict::Falsified, "delta {telling}");
    }
}

#[test]
fn a_plan_over_its_budget_is_refused_with_its_cost_and_the_strongest_that_fits() {
    let replica = Merging { deltas: &[1; 64], start: 0, merge: u64::wrapping_add };
    let tight = Limits { deliveries: 1_000_000, ..limits(1) };
    let small = Limits { memory: 100_000, ..limits(1) };
    let sources = Plan::per_source(vec![(0..10).collect(); 6]);
    for (plan, limits) in [
        (Plan::every_order(20), tight),
        (Plan::every_order(64), tight),
        (Plan::repeated(12, 3), tight),
        (sources.clone(), tight),
        (sources.clone().with_losses(), tight),
        (sources, small),
        (Plan::repeated(12, 3).with_losses(), small),
    ] {
        let refused = explore(&replica, &plan, &limits, &mut Unwatched).expect_err("it does not fit");
        let Refused::OverBudget { cost, strongest, .. } = &refused else { panic!("{refused}") };
        let fits = |cost: &Cost| cost.deliveries() <= limits.deliveries.into() && cost.memory <= limits.memory.into();
        assert!(!fits(cost));
        let strongest = strongest.as_ref().expect("some deltas fit");
        assert!(fits(&strongest.cost(&replica, Comparison::Whole, limits.threads)));
        assert!(explore(&replica, strongest, &limits, &mut Unwatched).is_ok());
        assert!(refused.to_string().contains("what fits is every"), "{refused}");
    }
    assert!(matches!(explore(&replica, &Plan::repeated(2, 16), &tight, &mut Unwatched), Err(Refused::Repeats(16))));
    let none = Limits { memory: 1, ..tight };
    let refused = explore(&replica, &Plan::every_order(5), &none, &mut Unwatched).expect_err("nothing fits");
    insta::assert_snapshot!(refused, @"the walk takes 80 deliveries and 512 bytes; the limits are 1000000 and 1; no part of it fits: allow more of what is short");
}

#[test]
fn no_more_is_delivered_than_the_cost_says() {
    struct Counting(std::sync::atomic::AtomicU64);
    impl Replica for Counting {
        type Snapshot = u64;
        fn start(&self) -> u64 {
            0
        }
        fn deliver(&self, snapshot: &u64, delta: usize) -> u64 {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            snapshot ^ (1 << delta)
        }
        fn show(&self, snapshot: &u64) -> Vec<u8> {
            snapshot.to_be_bytes().to_vec()
        }
    }
    for n in [0, 1, 5, 10, 11, 13] {
        for comparison in [Comparison::Whole, Comparison::Digest128] {
            let (replica, plan) = (Counting(0.into()), Plan::every_order(n));
            explore_comparing(&replica, &plan, comparison, &limits(2), &mut Unwatched).unwrap();
            let cost = plan.cost(&replica, comparison, NonZeroUsize::MIN);
            assert_eq!(BigUint::from(replica.0.into_inner()), cost.deliveries(), "{n} deltas, {comparison:?}");
            assert_eq!(cost.merges, plan.merges());
        }
    }
}

/// Asks to stop after so many units.
struct StopsAfter {
    left: u64,
    seen: u64,
}

impl Watch for StopsAfter {
    fn begin(&mut self, _: &str, _: u64) {}
    fn advance(&mut self, units: u64) {
        self.seen += units;
    }
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        self.seen >= self.left
    }
}

#[test]
fn a_disagreement_that_is_found_before_a_stop_is_told_and_proved_smallest_only_where_it_is() {
    // The whole set, and one way into a large set of the block that is walked over first.
    let deep = OneWrongWay { set: (1 << 20) - 1, last: 3 };
    let early = OneWrongWay { set: (1 << 9) - 1, last: 3 };
    let stop = || StopsAfter { left: 1, seen: 0 };
    let outcome = explore(&deep, &Plan::every_order(20), &limits(1), &mut stop()).unwrap();
    assert_eq!(outcome.judgement, Judgement::Inconclusive(Unsettled::Stopped));
    let outcome = explore(&early, &Plan::every_order(20), &limits(1), &mut stop()).unwrap();
    let found = disagreement(&outcome).expect("it was found");
    assert_eq!(found.deltas.len(), 9);
    // Sets of fewer deltas that hold one from 10 on were not all looked at.
    assert!(!found.smallest && outcome.coverage.settled < 8);
    let outcome = explore(&early, &Plan::every_order(20), &limits(1), &mut Unwatched).unwrap();
    assert!(disagreement(&outcome).expect("it was found").smallest);
}

#[test]
fn a_walk_that_is_stopped_keeps_the_coverage_that_it_reached() {
    let deltas: Vec<u64> = (1..=24).collect();
    let replica = Merging { deltas: &deltas, start: 0, merge: u64::wrapping_add };
    for (plan, comparison) in [
        (Plan::every_order(22), Comparison::Whole),
        (Plan::every_order(16), Comparison::Digest128),
        (Plan::per_source(vec![(0..6).collect(); 5]), Comparison::Whole),
    ] {
        // By digest, the first pass, of 1024 parts, covers nothing yet.
        let mut watch = StopsAfter { left: 1600, seen: 0 };
        let outcome = explore_comparing(&replica, &plan, comparison, &limits(2), &mut watch).unwrap();
        assert_eq!(outcome.judgement, Judgement::Inconclusive(Unsettled::Stopped), "{plan:?}");
        let coverage = outcome.coverage;
        assert!(coverage.settled >= 1 && coverage.merges > 0, "{coverage:?}");
        assert!(BigUint::from(coverage.merges) < plan.merges() && BigUint::from(coverage.sets) < plan.sets());
        assert_eq!(coverage.orders, BigUint::ZERO);
    }
}
