//! Arrival orders: the same deltas delivered in many orders, judged by two oracles.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::campaign::case_text;
use crate::domain::delta::{Deltas, Generate, SplitMix64};
use crate::domain::execution::Execution;
use crate::domain::explorer::Explorer;
use crate::domain::fault::FaultClass;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::oracle::Oracle;
use crate::domain::order::Order;
use crate::domain::seed::Seed;
use crate::domain::subject::{Subject, SubjectError};
use crate::domain::trial::Budget;
use crate::domain::verdict::{Verdict, Warrant};
use crate::domain::watch::Watch;
use crate::explore::adversarial::{self, Adversarial};
use crate::explore::all_orders::AllOrders;
use crate::explore::minimise::fewest_items;
use crate::explore::permutation::Permutation;
use crate::explore::seeded::Seeded;
use crate::oracle::invariance::Invariance;
use crate::oracle::truth::Truth;
use crate::report::record::{Check, Orders, Part};

/// Name of the check.
pub const ARRIVAL_ORDERS: &str = "arrival orders";

/// Seeded permutations that are tried where the budget allows, and the most orders that are all tried.
const ORDERS: u64 = 64;

/// Arrivals that are delivered at a time; enough for `threads` to share them out.
const BATCH: usize = 1 << 16;

/// Replays for making a counterexample smaller.
const REPLAYS: u32 = 100;

/// The longest order that is made smaller delta by delta.
const MINIMISED_UP_TO: u64 = 4096;

/// The workload whose orders are tried, and within what.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Number of deltas.
    pub count: u32,
    /// What the deltas, and the seeded orders, are drawn from.
    pub seed: Seed,
    /// The state after all of them.
    pub truth: u64,
    /// Bound on the deliveries to each subject.
    pub budget: Budget,
    /// Banks that the adversarial interleavings are made for.
    pub banks: u32,
}

/// The orders of a run, by the explorers that chose them.
struct Chosen {
    explorers: Vec<(Box<dyn Explorer>, Vec<Order>)>,
}

impl Chosen {
    /// All orders where there are at most 64; else the adversarial ones and up to 64 seeded ones, as many as fit.
    fn of(workload: &Workload) -> Self {
        let count = u64::from(workload.count);
        let fitting = workload.budget.get() / count;
        let all: Box<dyn Explorer> = Box::new(AllOrders);
        if AllOrders::within(count, ORDERS).is_some_and(|orders| orders <= fitting) {
            let orders = all.orders(count, ORDERS);
            return Chosen { explorers: vec![(all, orders)] };
        }
        let adversarial: Box<dyn Explorer> = Box::new(Adversarial { banks: workload.banks });
        // Where not all fit, half of them are drawn: only those carry a warrant.
        let by_hand = adversarial.orders(count, fitting / 2);
        let seeded: Box<dyn Explorer> = Box::new(Seeded);
        let drawn = seeded.orders(count, ORDERS.min(fitting - by_hand.len() as u64));
        Chosen { explorers: vec![(adversarial, by_hand), (seeded, drawn)] }
    }

    fn orders(&self) -> impl Iterator<Item = &Order> {
        self.explorers.iter().flat_map(|(_, orders)| orders)
    }

    fn warrant(&self, count: u64) -> Option<Warrant> {
        self.explorers.iter().find_map(|(explorer, orders)| explorer.warrant(count, orders.len() as u64))
    }
}

/// The time that each subject took an order, in nanoseconds, by its name.
pub type Latencies = Vec<(String, Histogram<u64>)>;

/// One subject's two judges, and what they found.
struct Trial {
    invariance: (Invariance, Verdict),
    truth: (Truth, Verdict),
    first_wrong: Option<Order>,
    latencies: Histogram<u64>,
}

/// Delivers the workload to every subject in every order that fits the budget. Gives the check, and the time that each
/// subject took an order, in nanoseconds.
pub fn check(
    subjects: &mut [&mut dyn Subject],
    workload: &Workload,
    watch: &mut dyn Watch,
) -> Result<(Check, Latencies), SubjectError> {
    let count = u64::from(workload.count);
    let chosen = Chosen::of(workload);
    let tried = chosen.orders().count() as u64;
    watch.begin(ARRIVAL_ORDERS, tried * count);
    let mut trials: Vec<Trial> = subjects.iter().map(|_| Trial::new(workload.truth)).collect();
    let mut fingerprints = BTreeSet::new();
    let mut telling = false;
    for order in chosen.orders() {
        let (states, fingerprint) = deliver_to_all(subjects, &mut trials, order, workload, watch)?;
        fingerprints.insert(fingerprint);
        telling |= states.iter().any(|states| states.before_last.expected != 0 || states.last.expected != 0);
        for (trial, states) in trials.iter_mut().zip(states) {
            trial.judge(order, states);
        }
    }
    watch.end();
    let mut findings = Vec::new();
    for (subject, trial) in subjects.iter_mut().zip(&trials) {
        if let Some(order) = &trial.first_wrong {
            findings.push(finding(*subject, order, workload, watch)?);
        }
    }
    let distinct = fingerprints.len() as u64;
    let oracles = oracles(tried, count, &trials);
    let doubt = doubt(tried, distinct, telling, &oracles, workload);
    let verdict = match Verdict::of_set(oracles.values().copied()) {
        Verdict::Falsified if !findings.is_empty() && findings.iter().all(|finding| !finding.reproducible) => {
            Verdict::Inconclusive
        }
        Verdict::Holds if doubt.is_some() => Verdict::Inconclusive,
        verdict => verdict,
    };
    let check = Check {
        name: ARRIVAL_ORDERS.to_owned(),
        part: Part::Orders,
        subjects: subjects.iter().map(|subject| (subject.name().to_owned(), subject.evidence())).collect(),
        verdict,
        summary: doubt.unwrap_or_else(|| summary(tried, distinct, workload)),
        oracles,
        warrant: chosen.warrant(count).filter(|_| verdict == Verdict::Holds),
        orders: Some(orders_record(&chosen, tried, distinct, workload)),
        tries: vec![FaultClass::OrderDependence],
        findings,
    };
    let names = subjects.iter().map(|subject| subject.name().to_owned());
    Ok((check, names.zip(trials.into_iter().map(|trial| trial.latencies)).collect()))
}

impl Trial {
    fn new(truth: u64) -> Self {
        Trial {
            invariance: (Invariance::default(), Verdict::Holds),
            truth: (Truth { expected: truth }, Verdict::Holds),
            first_wrong: None,
            latencies: Histogram::new(3).expect("three digits are within what a histogram allows"),
        }
    }

    fn judge(&mut self, order: &Order, states: States) {
        let States { before_last, last } = states;
        if self.invariance.0.judge(order, last.got).is_some() {
            self.invariance.1 = Verdict::Falsified;
        }
        let wrong_before_last = Truth { expected: before_last.expected }.judge(order, before_last.got).is_some();
        if wrong_before_last || self.truth.0.judge(order, last.got).is_some() {
            self.truth.1 = Verdict::Falsified;
            self.first_wrong.get_or_insert_with(|| order.clone());
        }
    }
}

/// A state that a subject shows, beside what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    expected: u64,
    got: u64,
}

/// What a subject shows of one order. The state before the last delivery is judged too: where the right end is 0, a
/// subject that does nothing would otherwise pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct States {
    before_last: Shown,
    last: Shown,
}

impl States {
    /// The first state that is wrong, or the last one.
    fn telling(self) -> Shown {
        if self.before_last.expected != self.before_last.got { self.before_last } else { self.last }
    }
}

/// An order on its way, a batch of arrivals at a time, and the plain sum of what has arrived.
struct Delivery {
    permutation: Permutation,
    deltas: Deltas,
    batch: Vec<u64>,
    expected: u64,
    /// The sum of the indices sent, which is known of a permutation.
    indices: u128,
    fingerprint: u64,
}

impl Delivery {
    fn of(order: &Order, count: u32, seed: Seed) -> Self {
        let permutation = Permutation::prepare(order, count.into(), seed);
        let batch = vec![0; BATCH.min(permutation.len() as usize)];
        Delivery { permutation, deltas: Deltas::of_engine(seed), batch, expected: 0, indices: 0, fingerprint: 0 }
    }

    /// A number that two orders of the same deltas share with a chance of about 2^-64 only.
    ///
    /// # Panics
    /// If the order was no permutation of the workload's indices, which is a fault of the harness and must not be
    /// blamed on a subject. (An order that lists its deltas may leave some out.)
    fn finish(&self, order: &Order, count: u32) -> u64 {
        let all = u128::from(count) * u128::from(count - 1) / 2;
        let permuted = matches!(order, Order::Exactly(_)) || self.indices == all;
        assert!(permuted, "order {order} of {count} deltas does not deliver each of them once");
        self.fingerprint
    }

    /// Sends the arrivals at these positions.
    fn send<E>(&mut self, positions: Range<u64>, mut arrive: impl FnMut(&[u64]) -> Result<(), E>) -> Result<(), E> {
        let mut first = positions.start;
        while first < positions.end {
            let arrivals = &mut self.batch[..BATCH.min((positions.end - first) as usize)];
            self.permutation.fill(first, arrivals);
            for index in arrivals.iter_mut() {
                self.indices += u128::from(*index);
                self.fingerprint = SplitMix64.generate(self.fingerprint ^ *index);
                *index = self.deltas.at(*index);
            }
            self.expected = arrivals.iter().fold(self.expected, |state, delta| state ^ delta);
            arrive(arrivals)?;
            first += arrivals.len() as u64;
        }
        Ok(())
    }
}

/// Subjects that are asked the same, each timed by itself.
struct TimedSubjects<'a, 'b> {
    subjects: &'a mut [&'b mut dyn Subject],
    elapsed: Vec<Duration>,
}

impl TimedSubjects<'_, '_> {
    fn each<T>(
        &mut self,
        mut ask: impl FnMut(&mut dyn Subject) -> Result<T, SubjectError>,
    ) -> Result<Vec<T>, SubjectError> {
        let timed = self.subjects.iter_mut().zip(&mut self.elapsed).map(|(subject, elapsed)| {
            let start = Instant::now();
            let answer = ask(*subject);
            *elapsed += start.elapsed();
            answer
        });
        timed.collect()
    }
}

/// Delivers one order to all subjects and gives what each shows, and the order's fingerprint.
fn deliver_to_all(
    subjects: &mut [&mut dyn Subject],
    trials: &mut [Trial],
    order: &Order,
    workload: &Workload,
    watch: &mut dyn Watch,
) -> Result<(Vec<States>, u64), SubjectError> {
    let mut delivery = Delivery::of(order, workload.count, workload.seed);
    let len = delivery.permutation.len();
    let elapsed = vec![Duration::ZERO; subjects.len()];
    let mut subjects = TimedSubjects { subjects, elapsed };
    let mut arrive = |subjects: &mut TimedSubjects, arrivals: &[u64]| {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        subjects.each(|subject| subject.deliver(arrivals))?;
        watch.advance(arrivals.len() as u64);
        Ok(())
    };
    subjects.each(|subject| subject.restart().and_then(|()| subject.reset()))?;
    delivery.send(0..len - 1, |arrivals| arrive(&mut subjects, arrivals))?;
    let (expected_before, before) = (delivery.expected, subjects.each(|subject| subject.observe())?);
    delivery.send(len - 1..len, |arrivals| arrive(&mut subjects, arrivals))?;
    let (expected, last) = (delivery.expected, subjects.each(|subject| subject.observe())?);
    for (trial, elapsed) in trials.iter_mut().zip(&subjects.elapsed) {
        trial.latencies.saturating_record(elapsed.as_nanos() as u64);
    }
    let states = before.into_iter().zip(last).map(|(before, last)| States {
        before_last: Shown { expected: expected_before, got: before },
        last: Shown { expected, got: last },
    });
    Ok((states.collect(), delivery.finish(order, workload.count)))
}

/// Delivers one order to one subject; gives the state that it should show and the one that it does, before the last
/// delivery if that is where they differ.
pub fn deliver(
    subject: &mut dyn Subject,
    order: &Order,
    count: u32,
    seed: Seed,
    watch: &mut dyn Watch,
) -> Result<(u64, u64), SubjectError> {
    let mut delivery = Delivery::of(order, count, seed);
    let len = delivery.permutation.len();
    let mut arrive = |subject: &mut dyn Subject, arrivals: &[u64]| {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        watch.advance(arrivals.len() as u64);
        subject.deliver(arrivals)
    };
    subject.restart()?;
    subject.reset()?;
    delivery.send(0..len - 1, |arrivals| arrive(subject, arrivals))?;
    let before_last = Shown { expected: delivery.expected, got: subject.observe()? };
    delivery.send(len - 1..len, |arrivals| arrive(subject, arrivals))?;
    let last = Shown { expected: delivery.expected, got: subject.observe()? };
    let Shown { expected, got } = States { before_last, last }.telling();
    Ok((expected, got))
}

/// The contradiction that an order shows, with the fewest deltas that the bound allows to find.
fn finding(
    subject: &mut dyn Subject,
    order: &Order,
    workload: &Workload,
    watch: &mut dyn Watch,
) -> Result<Finding, SubjectError> {
    let Workload { count, seed, .. } = *workload;
    let mut attempt = |order: &Order| deliver(subject, order, count, seed, watch);
    let (expected, got) = attempt(order)?;
    let reproducible = expected != got;
    let (mut shown, mut size) = (order.clone(), "not made smaller".to_owned());
    if reproducible && u64::from(count) <= MINIMISED_UP_TO {
        let permutation = Permutation::prepare(order, count.into(), seed);
        let mut indices = vec![0; permutation.len() as usize];
        permutation.fill(0, &mut indices);
        let smallest = fewest_items(&indices, REPLAYS, |indices| {
            let indices = indices.iter().map(|&index| index as u32).collect();
            let (expected, got) = attempt(&Order::Exactly(indices))?;
            Ok::<bool, SubjectError>(expected != got)
        })?;
        size = match (smallest.found.len(), smallest.neighbours_pass) {
            (1, _) => "one delta; fewer cannot fail".to_owned(),
            (len, true) => format!("{len} deltas; leaving out any one of them passes"),
            (len, false) => format!("{len} deltas after {REPLAYS} replays; not proved minimal"),
        };
        shown = Order::Exactly(smallest.found.iter().map(|&index| index as u32).collect());
    }
    let (expected, got) = attempt(&shown)?;
    Ok(Finding {
        subject: subject.name().to_owned(),
        evidence: subject.evidence(),
        during: format!("arrival order {order}"),
        quantity: Quantity::State,
        expected: Hex64(expected),
        got: Hex64(got),
        reproducible,
        oracle: "truth".to_owned(),
        case: case_text(subject, Execution::Delivery { count, seed, order: shown }),
        size,
    })
}

/// The judgement of each oracle over all subjects. One order agrees with itself, which says nothing, unless it is the
/// only one there is.
fn oracles(tried: u64, count: u64, trials: &[Trial]) -> BTreeMap<String, Verdict> {
    let verdict = |of: fn(&Trial) -> Verdict, least: u64| match Verdict::of_set(trials.iter().map(of)) {
        Verdict::Holds if tried < least => Verdict::Inconclusive,
        verdict => verdict,
    };
    BTreeMap::from([
        ("invariance".to_owned(), verdict(|trial| trial.invariance.1, count.min(2))),
        ("truth".to_owned(), verdict(|trial| trial.truth.1, 1)),
    ])
}

/// So many deltas have so many orders that two of the few that are drawn are never the same by chance.
const SURELY_DISTINCT_FROM: u32 = 12;

/// Why the orders tell nothing, if they do not.
fn doubt(
    tried: u64,
    distinct: u64,
    telling: bool,
    oracles: &BTreeMap<String, Verdict>,
    workload: &Workload,
) -> Option<String> {
    let Workload { count, budget, .. } = workload;
    let fit = budget.get();
    if tried == 0 {
        let planned = u64::from(*count) * planned(workload);
        Some(format!(
            "not one complete order of {count} deltas fits the budget of {fit} deliveries; --budget {} takes two, and \
             --budget {planned} all that are planned",
            2 * u64::from(*count),
        ))
    } else if *count >= SURELY_DISTINCT_FROM && distinct < tried {
        Some(format!(
            "only {distinct} of the {tried} orders are different ones: the stream that draws them is degenerate"
        ))
    } else if oracles.values().any(|&verdict| verdict == Verdict::Inconclusive) {
        Some(format!(
            "one complete order of {count} deltas fits the budget of {fit} deliveries, and one order cannot disagree with \
             another; --budget {} takes two",
            2 * u64::from(*count),
        ))
    } else if !telling {
        Some("every state is right to be 0: a subject that does nothing passes".to_owned())
    } else {
        None
    }
}

/// How many orders would be tried without a bound.
fn planned(workload: &Workload) -> u64 {
    let count = u64::from(workload.count);
    let by_hand = || Adversarial { banks: workload.banks }.orders(count, ORDERS).len() as u64;
    AllOrders::within(count, ORDERS).unwrap_or_else(|| ORDERS + by_hand())
}

fn summary(tried: u64, distinct: u64, workload: &Workload) -> String {
    let count = workload.count;
    let orders = if tried == 1 { "order" } else { "orders" };
    let different = if distinct < tried { format!(" ({distinct} different ones)") } else { String::new() };
    format!(
        "{tried} {orders}{different} of {count} deltas, the last two states byte for byte against scalar, the last also \
         against each other"
    )
}

fn orders_record(chosen: &Chosen, tried: u64, distinct: u64, workload: &Workload) -> Orders {
    let count = u64::from(workload.count);
    let named = chosen.explorers.iter().filter(|(explorer, _)| explorer.name() == adversarial::NAME);
    Orders {
        deltas: count,
        explorers: chosen.explorers.iter().map(|(e, orders)| (e.name().to_owned(), orders.len() as u64)).collect(),
        distinct,
        named: named.flat_map(|(_, orders)| orders.iter().map(Order::to_string)).collect(),
        deliveries: tried * count,
        budget: workload.budget.get(),
        nominal_deliveries_per_second: Budget::DELIVERIES_PER_SECOND,
    }
}
