//! Arrival orders: the same deltas delivered in many orders, judged by two oracles.

pub mod controls;
mod counterexample;
mod delivery;
mod judgement;
pub mod searched;
pub mod walked;

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::bus::timed::record;
use crate::domain::delta::Deltas;
use crate::domain::explorer::Claim;
use crate::domain::fault::FaultClass;
use crate::domain::judge::Judge;
use crate::domain::oracle::Oracle;
use crate::domain::order::Order;
use crate::domain::seed::Seed;
use crate::domain::subject::{Subject, SubjectError};
use crate::domain::trial::Budget;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::explore::Setting;
use crate::explore::choice::Choice;
use crate::oracle::delivered::Delivered;
use crate::oracle::invariance::Invariance;
use crate::oracle::truth::Truth;
use crate::report::record::{Check, Orders, Part};

use counterexample::finding;
use delivery::{Delivery, Shown, States};
use judgement::{doubt, oracles, orders_record, summary};

pub use delivery::deliver;

/// Name of the check.
pub const ARRIVAL_ORDERS: &str = "arrival orders";

/// The workload whose orders are tried, and within what.
#[derive(Clone, Copy, Debug)]
pub struct Workload<'a> {
    /// The scenario's name, where it has one.
    pub scenario: Option<&'a str>,
    /// Number of deltas.
    pub count: u32,
    /// What the deltas, and the seeded orders, are drawn from.
    pub seed: Seed,
    /// The state after all of them.
    pub truth: u64,
    /// Bound on the deliveries to each subject.
    pub budget: Budget,
    /// Bytes that may be used.
    pub memory: u64,
    /// Banks that the adversarial interleavings are made for.
    pub banks: u32,
    /// Whether software accumulators take the orders.
    pub software: bool,
    /// Whether devices do.
    pub devices: bool,
}

impl<'a> Workload<'a> {
    /// What orders are chosen for.
    pub fn setting(&self) -> Setting<'a> {
        let Workload { scenario, count, seed, budget, memory, banks, software, devices, .. } = *self;
        Setting { scenario, deltas: count.into(), seed, banks, budget: budget.get(), memory, software, devices }
    }
}

impl Workload<'_> {
    /// The values of the deltas.
    fn deltas(&self) -> Vec<u64> {
        let generated = Deltas::of_engine(self.seed);
        (0..u64::from(self.count)).map(|index| generated.at(index)).collect()
    }

    /// Why agreement about these deltas tells nothing, if it does not.
    fn untelling(&self, deltas: &[u64]) -> Option<String> {
        let all_zero = deltas.iter().all(|&delta| delta == 0);
        all_zero.then(|| "every state is right to be 0: a subject that does nothing passes".to_owned())
    }
}

/// The time that each subject took an order, in nanoseconds, by its name.
pub type Latencies = Vec<(String, Histogram<u64>)>;

/// One subject's two judges, and what they found.
struct Trial {
    invariance: (Invariance, Verdict),
    truth: (Truth, Verdict),
    /// The first order after which a state was wrong, and what was shown.
    first_wrong: Option<(Order, States)>,
    latencies: Histogram<u64>,
}

/// The check, the time that each subject took an order, in nanoseconds, and why it ended before all planned orders were
/// tried, where it did.
pub struct Outcome {
    /// The check, with what was tried.
    pub check: Check,
    /// Of whole orders.
    pub latencies: Latencies,
    /// Why it ended early.
    pub ended: Option<SubjectError>,
}

/// What was tried of the chosen orders.
struct Tried {
    /// What the subjects were given.
    delivered: Delivered,
    /// Whether any state should have been another than 0.
    telling: bool,
    /// Orders in which a state of any subject was wrong.
    wrong: u64,
    /// The orders that were chosen by hand, by explorer.
    named: Vec<Vec<String>>,
}

/// Delivers the workload to every subject in every chosen order.
pub fn check(
    subjects: &mut [&mut dyn Subject],
    workload: &Workload,
    chosen: &Choice,
    watch: &mut dyn Watch,
) -> Outcome {
    let count = u64::from(workload.count);
    let planned = chosen.planned();
    watch.begin(ARRIVAL_ORDERS, planned * count);
    watch.unit("deltas");
    let mut trials: Vec<Trial> = subjects.iter().map(|_| Trial::new(workload.truth)).collect();
    let (tried, mut ended) = try_orders(subjects, &mut trials, workload, chosen, watch);
    watch.end();
    let (mut findings, mut counterexamples) = (Vec::new(), Vec::new());
    for (subject, trial) in subjects.iter_mut().zip(&trials) {
        if let Some((order, seen)) = trial.first_wrong.as_ref().filter(|_| ended.is_none()) {
            match finding(*subject, order, *seen, workload, watch) {
                Ok(found) => {
                    findings.push(found.finding);
                    counterexamples.extend(found.counterexample);
                    ended = found.ended;
                }
                Err(error) => ended = Some(error),
            }
        }
    }
    let oracles = oracles(tried.delivered.distinct(), count, &trials);
    let measured = tried.delivered.measured();
    let warrant = tried.delivered.warrant(&measured);
    let doubt = match &ended {
        Some(ended) => Some(stopped(ended, &tried, planned, &trials)),
        None => doubt(&tried, chosen, &oracles, warrant.as_ref().err(), workload),
    };
    let verdict = match Verdict::of_set(oracles.values().copied()) {
        // What did not come again, or could not be tried again, may have been the link's doing.
        Verdict::Falsified if findings.iter().all(|finding| !finding.reproducible) => Verdict::Inconclusive,
        Verdict::Falsified => Verdict::Falsified,
        _ if doubt.is_some() => Verdict::Inconclusive,
        _ => Verdict::Holds,
    };
    let told = doubt.filter(|_| verdict == Verdict::Inconclusive).unwrap_or_else(|| summary(&tried, workload));
    let check = Check {
        name: ARRIVAL_ORDERS.to_owned(),
        part: Part::Orders,
        judge: Judge::ArrivalOrders,
        subjects: subjects.iter().map(|subject| (subject.name().to_owned(), subject.evidence())).collect(),
        verdict,
        summary: told,
        oracles,
        warrant: warrant.ok().filter(|_| verdict == Verdict::Holds),
        orders: Some(Orders { counterexamples, ..orders_record(chosen, &tried, measured, workload) }),
        // An order by index is the one in which the reference took the deltas: it tries nothing. One delta has no other.
        tries: if tried.delivered.orders() > 0 && count > 1 && !tried.delivered.by_index_alone() {
            vec![FaultClass::OrderDependence]
        } else {
            Vec::new()
        },
        findings,
    };
    let names = subjects.iter().map(|subject| subject.name().to_owned());
    let latencies = names.zip(trials.into_iter().map(|trial| trial.latencies)).collect();
    Outcome { check, latencies, ended }
}

/// Tries the chosen orders, one after the other, until one cannot be delivered.
fn try_orders(
    subjects: &mut [&mut dyn Subject],
    trials: &mut [Trial],
    workload: &Workload,
    chosen: &Choice,
    watch: &mut dyn Watch,
) -> (Tried, Option<SubjectError>) {
    let count = u64::from(workload.count);
    let claims = chosen.explorers.iter().map(|chooser| (chooser.explorer.claim(count), chooser.planned));
    let mut tried = Tried {
        delivered: Delivered::new(workload.seed, count, claims),
        telling: false,
        wrong: 0,
        named: vec![Vec::new(); chosen.explorers.len()],
    };
    for (place, chooser) in chosen.explorers.iter().enumerate() {
        for order in chooser.explorer.orders(count, chooser.planned) {
            tried.delivered.begin(place);
            let states = match deliver_to_all(subjects, trials, &order, workload, &mut tried.delivered, watch) {
                Ok(states) => states,
                Err(ended) => return (tried, Some(ended)),
            };
            // What is no permutation is a fault of the harness, and must not be blamed on a subject.
            tried.delivered.end().unwrap_or_else(|fault| panic!("order {order}: {fault}"));
            let mut right = true;
            for (trial, states) in trials.iter_mut().zip(states) {
                tried.telling |= states.before_last.expected != 0 || states.last.expected != 0;
                right &= trial.judge(&order, states);
            }
            tried.wrong += u64::from(!right);
            if chooser.explorer.claim(count) == Claim::Chosen {
                tried.named[place].push(order.to_string());
            }
        }
    }
    (tried, None)
}

fn stopped(ended: &SubjectError, tried: &Tried, planned: u64, trials: &[Trial]) -> String {
    let wrong = trials.iter().find_map(|trial| trial.first_wrong.as_ref());
    let wrong = wrong.map_or(String::new(), |(order, _)| format!("; after order {order} a state was wrong"));
    format!("{ended} after {} of {planned} planned orders{wrong}", tried.delivered.orders())
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

    /// Judges the states after an order; whether no oracle has anything against them.
    fn judge(&mut self, order: &Order, states: States) -> bool {
        let States { before_last, last } = states;
        let variant = self.invariance.0.judge(order, last.got).is_some();
        if variant {
            self.invariance.1 = Verdict::Falsified;
        }
        let wrong_before_last = Truth { expected: before_last.expected }.judge(order, before_last.got).is_some();
        let untrue = wrong_before_last || self.truth.0.judge(order, last.got).is_some();
        if untrue {
            self.truth.1 = Verdict::Falsified;
            self.first_wrong.get_or_insert_with(|| (order.clone(), states));
        }
        !(variant || untrue)
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
    delivered: &mut Delivered,
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
        delivered.deliver(arrivals).unwrap_or_else(|fault| panic!("order {order}: {fault}"));
        watch.advance(arrivals.len() as u64);
        Ok(())
    };
    subjects.each(|subject| subject.restart().and_then(|()| subject.reset()))?;
    delivery.send(0..len - 1, |arrivals| arrive(&mut subjects, arrivals))?;
    let (expected_before, before) = (delivery.expected, subjects.each(|subject| subject.observe())?);
    delivery.send(len - 1..len, |arrivals| arrive(&mut subjects, arrivals))?;
    let (expected, last) = (delivery.expected, subjects.each(|subject| subject.observe())?);
    for (trial, elapsed) in trials.iter_mut().zip(&subjects.elapsed) {
        record(&mut trial.latencies, *elapsed);
    }
    let states = before.into_iter().zip(last).map(|(before, last)| States {
        before_last: Shown { expected: expected_before, got: before },
        last: Shown { expected, got: last },
    });
    Ok(states.collect())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod warrants;
