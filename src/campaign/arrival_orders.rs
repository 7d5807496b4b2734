//! Arrival orders: the same deltas delivered in many orders, judged by two oracles.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::campaign::case_text;
use crate::domain::delta::Deltas;
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
use crate::report::record::{Check, Orders};

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
        let by_hand = adversarial.orders(count, fitting);
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
    for order in chosen.orders() {
        let states = deliver_to_all(subjects, &mut trials, order, workload, watch)?;
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
    let check = Check {
        name: ARRIVAL_ORDERS.to_owned(),
        subjects: subjects.iter().map(|subject| (subject.name().to_owned(), subject.evidence())).collect(),
        verdict: verdict(tried, &trials, &findings),
        summary: summary(tried, workload),
        warrant: chosen.warrant(count).filter(|_| findings.is_empty()),
        orders: Some(orders_record(&chosen, tried, &trials, workload)),
        // The reference took the deltas by index, so that a single other order already tries a second one.
        tries: if tried > 0 { vec![FaultClass::OrderDependence] } else { Vec::new() },
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
}

impl Delivery {
    fn of(order: &Order, count: u32, seed: Seed) -> Self {
        let permutation = Permutation::prepare(order, count.into(), seed);
        let batch = vec![0; BATCH.min(permutation.len() as usize)];
        Delivery { permutation, deltas: Deltas::of_engine(seed), batch, expected: 0 }
    }

    /// Sends the arrivals at these positions.
    fn send<E>(&mut self, positions: Range<u64>, mut arrive: impl FnMut(&[u64]) -> Result<(), E>) -> Result<(), E> {
        let mut first = positions.start;
        while first < positions.end {
            let arrivals = &mut self.batch[..BATCH.min((positions.end - first) as usize)];
            self.permutation.fill(first, arrivals);
            arrivals.iter_mut().for_each(|index| *index = self.deltas.at(*index));
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

/// Delivers one order to all subjects and gives what each shows.
fn deliver_to_all(
    subjects: &mut [&mut dyn Subject],
    trials: &mut [Trial],
    order: &Order,
    workload: &Workload,
    watch: &mut dyn Watch,
) -> Result<Vec<States>, SubjectError> {
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
    subjects.each(|subject| subject.reset())?;
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
    Ok(states.collect())
}

/// Delivers one order to one subject; gives the state that it should show and the one that it does, before the last
/// delivery if that is where they differ.
pub fn deliver(subject: &mut dyn Subject, order: &Order, count: u32, seed: Seed) -> Result<(u64, u64), SubjectError> {
    let mut delivery = Delivery::of(order, count, seed);
    let len = delivery.permutation.len();
    subject.reset()?;
    delivery.send(0..len - 1, |arrivals| subject.deliver(arrivals))?;
    let before_last = Shown { expected: delivery.expected, got: subject.observe()? };
    delivery.send(len - 1..len, |arrivals| subject.deliver(arrivals))?;
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
    let mut attempt = |order: &Order| {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        deliver(subject, order, count, seed)
    };
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

fn verdict(tried: u64, trials: &[Trial], findings: &[Finding]) -> Verdict {
    let judged = trials.iter().flat_map(|trial| [trial.invariance.1, trial.truth.1]);
    match Verdict::of_set(judged) {
        _ if tried == 0 => Verdict::Inconclusive,
        Verdict::Falsified if findings.iter().all(|finding| !finding.reproducible) => Verdict::Inconclusive,
        verdict => verdict,
    }
}

fn summary(tried: u64, workload: &Workload) -> String {
    let Workload { count, budget, .. } = workload;
    if tried == 0 {
        return format!(
            "not one complete order of {count} deltas fits the budget of {} deliveries; --budget {count} takes one, and \
             --budget {} all that are planned",
            budget.get(),
            u64::from(*count)
                * (ORDERS + Adversarial { banks: workload.banks }.orders((*count).into(), ORDERS).len() as u64),
        );
    }
    let orders = if tried == 1 { "order" } else { "orders" };
    format!(
        "{tried} {orders} of {count} deltas, the last two states byte for byte against scalar, the last also against \
         each other"
    )
}

fn orders_record(chosen: &Chosen, tried: u64, trials: &[Trial], workload: &Workload) -> Orders {
    let count = u64::from(workload.count);
    let verdict = |of: fn(&Trial) -> Verdict, least: u64| match Verdict::of_set(trials.iter().map(of)) {
        Verdict::Holds if tried < least => Verdict::Inconclusive,
        verdict => verdict,
    };
    let named = chosen.explorers.iter().filter(|(explorer, _)| explorer.name() == adversarial::NAME);
    Orders {
        deltas: count,
        explorers: chosen.explorers.iter().map(|(e, orders)| (e.name().to_owned(), orders.len() as u64)).collect(),
        named: named.flat_map(|(_, orders)| orders.iter().map(Order::to_string)).collect(),
        deliveries: tried * count,
        budget: workload.budget.get(),
        nominal_deliveries_per_second: Budget::DELIVERIES_PER_SECOND,
        oracles: BTreeMap::from([
            // One order agrees with itself, which says nothing, unless it is the only one there is.
            ("invariance".to_owned(), verdict(|trial| trial.invariance.1, count.min(2))),
            ("truth".to_owned(), verdict(|trial| trial.truth.1, 1)),
        ]),
    }
}
