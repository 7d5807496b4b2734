//! The standard campaign: both sweeps, the arrival orders, the adapter, the sync tick.
//!
//! Its jobs are in `campaign`.

pub mod accumulation;
pub mod adapter_round_trips;
pub mod arrival_orders;
pub mod as_client;
mod campaign;
pub mod conformance;
pub mod coverage;
pub mod engine_sweeps;
mod section;

use crate::device::model::PUBLISHED_BANKS;
use crate::domain::explorer::{AUTO, ExplorerSpec, STANDARD};
use crate::domain::fault::Fault;
use crate::domain::judge::Judge;
use crate::domain::subject::{BenchDevice, Device, Subject, SubjectError};
use crate::domain::trial::{StandardCheck, StandardTrial};
use crate::domain::watch::Watch;
use crate::experiment::answers::Answers;
use crate::experiment::valid::Passed;
use crate::experiment::{Bench, Changes, Experiment, NoEffect, Setting, tick, timed};
use crate::explore::choice::Choice;
use crate::explore::{self, PlanError};
use crate::report::record::{CauseRecord, ClaimRecord, Record, Unseen};
use crate::scenario::tick::PUBLISHED_SEED;
use crate::subject::Subjects;
use crate::subject::scalar::Scalar;
use crate::subject::told::Told;
use arrival_orders::Workload;
use coverage::EngineRuns;
use coverage::not_asked::AskedOf;
use engine_sweeps::{BANK_SWEEP, SHORT_SWEEP};

impl Experiment for StandardTrial {
    fn refuse(&self) -> Result<(), String> {
        let known = self.orders.as_ref().map_or(Ok(()), explore::known);
        known.map_err(|refused| format!("orders: {refused}"))
    }

    fn judges(&self) -> &'static [Judge] {
        &[
            Judge::Reference,
            Judge::Accumulation,
            Judge::BankSweep,
            Judge::ShortSweep,
            Judge::BoardTable,
            Judge::ArrivalOrders,
            Judge::EverySet,
            Judge::Search,
            Judge::RoundTrips,
            Judge::TickMessage,
            Judge::TickOnDevice,
            Judge::AsAClient,
            Judge::Conformance,
            Judge::Warrant,
            Judge::Link,
            Judge::Expectation,
        ]
    }

    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect> {
        if !self.makes(StandardCheck::ArrivalOrders) {
            let bounds = ["--budget", "--memory", "--orders"];
            changes.refuse(&bounds, "is about arrival orders, and this scenario tries none")?;
        }
        changes.refuse_engines()?;
        self.seed = changes.seed.unwrap_or(self.seed);
        self.budget = changes.budget.unwrap_or(self.budget);
        self.memory_mib = changes.memory.unwrap_or(self.memory_mib);
        self.orders = changes.orders.clone().or(self.orders.take());
        Ok(())
    }

    fn answers(&self) -> Answers {
        let of = |check: StandardCheck| -> Vec<String> {
            let named: &[&str] = match check {
                StandardCheck::Accumulation => &[accumulation::ACCUMULATION],
                StandardCheck::BankSweep => &[BANK_SWEEP],
                StandardCheck::ShortSweep => &[SHORT_SWEEP],
                StandardCheck::ArrivalOrders => &[arrival_orders::ARRIVAL_ORDERS],
                StandardCheck::AdapterRoundTrips => &[adapter_round_trips::ROUND_TRIPS],
                StandardCheck::Conformance => &[conformance::OF_ENGINE, conformance::OF_ADAPTER],
                StandardCheck::AsAClient => &[as_client::AS_CLIENT],
                StandardCheck::SyncTick => {
                    let ticks = [PUBLISHED_SEED, self.seed].map(tick::sync_tick::checks);
                    let [published, own] = ticks;
                    let is_own = |check: &String| !published.contains(check);
                    return published.iter().cloned().chain(own.into_iter().filter(is_own)).collect();
                }
            };
            named.iter().map(ToString::to_string).collect()
        };
        let checks = StandardCheck::ALL.into_iter().filter(|&check| self.makes(check)).flat_map(of).collect();
        let (tick, bank_sweep) = (self.makes(StandardCheck::SyncTick), self.makes(StandardCheck::BankSweep));
        Answers { checks, tick, bank_sweep, device: true, ..Answers::default() }
    }

    fn no_fault(&self, _fault: Fault) -> Option<&'static str> {
        None
    }

    fn longest_run(&self, banks: u32) -> u32 {
        let of = |check, deltas| if self.makes(check) { deltas } else { 0 };
        let of_sweeps = of(StandardCheck::BankSweep, self.count.get()).max(of(StandardCheck::ShortSweep, 2 * banks));
        of_sweeps.max(of(StandardCheck::Conformance, self.conformance.longest_run()))
    }

    fn fits(&self, setting: &Setting<'_>) -> Result<(), PlanError> {
        orders_fit(self, setting.scenario, setting.subjects)
    }

    fn run(&self, _passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError> {
        campaign::run(self, bench)
    }

    fn claims(&self, record: &Record, subjects: &Subjects) -> Vec<ClaimRecord> {
        coverage::claims(self, record, !subjects.accumulators.is_empty(), &asked(&subjects.told()))
    }

    fn unseen(&self, record: &Record, subjects: &Subjects) -> Unseen {
        let told = subjects.told();
        let engines = match record.is_whole() && record.reference.is_some() {
            true => told.iter().filter(|told| told.asked.is_some()).map(|told| engine_runs(told, self)).collect(),
            false => Vec::new(),
        };
        coverage::unseen(self, &engines, &record.checks, &record.devices, &asked(&told))
    }
}

/// What was asked of each device.
fn asked(told: &[Told]) -> Vec<AskedOf> {
    told.iter().filter_map(AskedOf::device).collect()
}

fn engine_runs(told: &Told, trial: &StandardTrial) -> EngineRuns {
    EngineRuns::of(told.name(), told.record.banks, trial)
}

fn sweeps(
    device: &mut dyn BenchDevice,
    reference: u64,
    trial: &StandardTrial,
    record: &mut Record,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let count = trial.count.get();
    let EngineRuns { bank_sweep: bank_runs, short_sweep: short_runs, .. } =
        EngineRuns::of(device.name(), device.identity().banks, trial);
    let (mut bank_sweep, mut short_sweep) = (Vec::new(), Vec::new());
    let made = timed(record, BANK_SWEEP, |_| {
        watch.begin(BANK_SWEEP, u64::from(count) * bank_runs.len() as u64);
        watch.unit("deltas");
        engine_sweeps::observe_each(device, &bank_runs, |_| reference, &mut bank_sweep, watch)?;
        watch.end();
        Ok(())
    });
    let made = made.and_then(|()| {
        timed(record, SHORT_SWEEP, |_| {
            watch.begin(SHORT_SWEEP, short_runs.iter().map(|run| u64::from(run.count)).sum());
            watch.unit("deltas");
            let mut scalar = Scalar::default();
            let results: Result<Vec<u64>, _> =
                short_runs.iter().map(|&run| engine_sweeps::reference_result(&mut scalar, run)).collect();
            let mut results = results?.into_iter();
            let expected = |_| results.next().expect("a result for every run");
            engine_sweeps::observe_each(device, &short_runs, expected, &mut short_sweep, watch)?;
            watch.end();
            Ok(())
        })
    });
    // What was made is kept, also where the device went away before the end of a sweep.
    let first = record.checks.len();
    if !bank_sweep.is_empty() {
        let (check, table) = engine_sweeps::judge_bank_sweep(device, &bank_sweep, bank_runs.len());
        record.bank_sweeps.push(table);
        record.checks.push(check);
    }
    if !short_sweep.is_empty() {
        record.checks.push(engine_sweeps::judge_short_sweep(device, &short_sweep, short_runs.len()));
    }
    let looked = made.and_then(|()| engine_sweeps::look_closer(device, &bank_sweep, &short_sweep, watch));
    let (short, cause, mut ended) = match looked {
        Ok((short, cause)) => (short, cause, None),
        Err(error) => (short_sweep.clone(), None, Some(error)),
    };
    let of_device = record.checks[first..].iter_mut();
    for (check, sweep) in of_device.zip([&bank_sweep, &short_sweep].into_iter().filter(|sweep| !sweep.is_empty())) {
        check.findings = engine_sweeps::findings(device, sweep, &short, cause.as_ref(), &mut ended, watch);
    }
    ended.map_or(Ok(()), Err)?;
    record.causes.extend(cause.map(|cause| CauseRecord {
        device: device.name().to_owned(),
        in_adapter: false,
        sentence: cause.sentence(),
        names: engine_sweeps::named(&cause),
        dead_banks: cause.dead_banks,
        flipped_bits: cause.flipped_bits,
        lost_deltas: cause.lost_deltas,
    }));
    Ok(())
}

/// Whether the orders that the trial asks for can be tried on these subjects within the budget.
fn orders_fit(trial: &StandardTrial, scenario: Option<&str>, subjects: &Subjects) -> Result<(), PlanError> {
    if !trial.makes(StandardCheck::ArrivalOrders) {
        return Ok(());
    }
    let workload = workload(trial, scenario, 0, subjects);
    if workload.software || workload.devices {
        return choose(trial, &workload).map(|_| ());
    }
    // What leaves the choice to us leaves out who takes none; what was asked for must be tried on someone.
    let left_to_us = |spec: &ExplorerSpec| [AUTO, STANDARD].contains(&spec.name());
    let asked = trial.orders.as_ref().is_some_and(|spec| !left_to_us(spec));
    if asked { Err(PlanError::NoTaker(workload.count.into())) } else { Ok(()) }
}

/// The orders that the trial asks for; the standard campaign's own if it asks for none.
fn choose(trial: &StandardTrial, workload: &Workload) -> Result<Choice, PlanError> {
    let spec = trial.orders.clone().unwrap_or_else(ExplorerSpec::standard);
    explore::choose(&spec, &workload.setting())
}

fn workload<'a>(trial: &StandardTrial, scenario: Option<&'a str>, truth: u64, subjects: &Subjects) -> Workload<'a> {
    let banks = subjects.devices.iter().map(|device| device.identity().banks).max().unwrap_or(PUBLISHED_BANKS);
    let StandardTrial { count, seed, budget, memory_mib, .. } = *trial;
    let count = count.get();
    let software = subjects.accumulators.iter().any(|accumulator| takes(accumulator.as_ref(), count));
    let devices = subjects.all_devices().any(|device| takes(device, count));
    Workload { scenario, count, seed, truth, budget, memory: memory_mib.bytes(), banks, software, devices }
}

fn takes<S: Subject + ?Sized>(subject: &S, count: u32) -> bool {
    subject.longest_order() >= count.into()
}
