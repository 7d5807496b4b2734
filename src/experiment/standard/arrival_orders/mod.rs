//! Arrival orders: the same deltas delivered in many orders, judged by two oracles.

pub mod controls;
mod counterexample;
mod delivery;
mod judgement;
pub mod searched;
pub mod slices;
pub mod together;
pub mod walked;

use hdrhistogram::Histogram;

use crate::domain::delta::Deltas;
use crate::domain::seed::Seed;
use crate::domain::subject::{Subject, SubjectError};
use crate::domain::trial::Budget;
use crate::domain::watch::Watch;
use crate::explore::Setting;
use crate::explore::choice::Choice;
use crate::report::record::Check;

use slices::{OrdersOf, Taken};
use together::{Together, together};

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

/// Delivers the workload to every subject in every chosen order, all of them here.
pub fn check(
    subjects: &mut [&mut dyn Subject],
    workload: &Workload,
    chosen: &Choice,
    watch: &mut dyn Watch,
) -> Outcome {
    let (taken, ended) = take_all(subjects, workload, chosen, watch);
    let together = together(workload, chosen, &[taken], ended.as_ref());
    let Together { check, latencies } = together.expect("what was just delivered is of these orders");
    Outcome { check, latencies, ended }
}

/// Delivers all chosen orders to subjects that take them at the same time.
pub fn take_all(
    subjects: &mut [&mut dyn Subject],
    workload: &Workload,
    chosen: &Choice,
    watch: &mut dyn Watch,
) -> (Vec<Taken>, Option<SubjectError>) {
    watch.begin(ARRIVAL_ORDERS, chosen.planned() * u64::from(workload.count));
    watch.unit("deltas");
    let (mut all, mut ended) = (Vec::new(), None);
    for (explorer, chooser) in chosen.explorers.iter().enumerate() {
        let slice = OrdersOf { explorer, first: 0, number: chooser.planned };
        let (taken, failed) = slices::take(subjects, workload, chosen, slice, watch);
        all.push(taken);
        if failed.is_some() {
            ended = failed;
            break;
        }
    }
    watch.end();
    if ended.is_none() {
        ended = slices::look_closer(subjects, &mut all, workload, watch);
    }
    (all, ended)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod warrants;
