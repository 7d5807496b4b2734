//! The standard campaign: both sweeps, the arrival orders, the adapter, the sync tick.

use std::num::NonZeroUsize;

use crate::campaign::accumulation::{References, seams::Seams};
use crate::campaign::arrival_orders::Workload;
use crate::campaign::arrival_orders::{searched, walked};
use crate::campaign::coverage::EngineRuns;
use crate::campaign::engine_sweeps::{self, BANK_SWEEP, SHORT_SWEEP, bank_runs, short_runs};
use crate::campaign::walk::Walked;
use crate::campaign::{Progress, accumulation, adapter_round_trips, arrival_orders, as_client, conformance, tick};
use crate::device::model::PUBLISHED_BANKS;
use crate::domain::execution::EngineRun;
use crate::domain::explorer::{AUTO, ExplorerSpec, STANDARD};
use crate::domain::subject::{BenchDevice, Device, Subject, SubjectError};
use crate::domain::trial::{StandardCheck, StandardTrial};
use crate::domain::watch::Watch;
use crate::explore::choice::Choice;
use crate::explore::exhaustive::Limits;
use crate::explore::{self, PlanError};
use crate::report::record::{CauseRecord, Latencies};
use crate::scenario::tick::PUBLISHED_SEED;
use crate::subject::Subjects;
use crate::subject::scalar::Scalar;

/// Makes every check that the subjects allow.
pub fn run(
    trial: &StandardTrial,
    subjects: &mut Subjects,
    threads: NonZeroUsize,
    progress: &mut Progress,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let StandardTrial { seed, .. } = *trial;
    let count = trial.count.get();
    let reference = progress.timed(accumulation::ACCUMULATION, |progress| {
        watch.begin(accumulation::ACCUMULATION, 2 * u64::from(count) * (1 + subjects.accumulators.len() as u64));
        let references = References::of(count, seed, watch)?;
        progress.references = Some(references);
        let wrong = accumulation::check_reference(references, count, seed);
        let sound = wrong.is_none();
        if !subjects.accumulators.is_empty() && sound && trial.makes(StandardCheck::Accumulation) {
            let accumulators = &mut subjects.accumulators;
            progress.found.checks.push(accumulation::check(
                accumulators,
                references,
                &Seams::of(seed)?,
                (count, seed),
                watch,
            )?);
        }
        progress.found.checks.extend(wrong);
        watch.end();
        Ok(sound.then_some(references.xorshift64))
    })?;
    let Some(reference) = reference else { return Ok(()) };
    if trial.makes(StandardCheck::BankSweep) || trial.makes(StandardCheck::ShortSweep) {
        for device in &mut subjects.devices {
            sweeps(device, reference, trial, progress, watch)?;
        }
    }
    if trial.makes(StandardCheck::AsAClient) {
        for device in &mut subjects.devices {
            let (check, ended) =
                progress.timed(as_client::AS_CLIENT, |_| Ok(as_client::check(device, trial, watch)))?;
            progress.found.checks.push(check);
            ended?;
        }
    }
    if trial.makes(StandardCheck::ArrivalOrders) {
        orders(trial, reference, subjects, threads, progress, watch)?;
    }
    let round_trips = trial.makes(StandardCheck::AdapterRoundTrips);
    for device in subjects.all_devices_mut().filter(|_| round_trips) {
        let (check, flaw) =
            progress.timed(adapter_round_trips::ROUND_TRIPS, |_| adapter_round_trips::check(device, seed, watch))?;
        progress.found.checks.push(check);
        progress.flaw(device, flaw);
    }
    if trial.makes(StandardCheck::Conformance) {
        for device in &mut subjects.devices {
            let (checks, ended) =
                progress.timed(conformance::OF_ENGINE, |_| Ok(conformance::check(device, trial, watch)))?;
            progress.found.checks.extend(checks);
            ended?;
        }
    }
    if trial.makes(StandardCheck::SyncTick) {
        tick(PUBLISHED_SEED, subjects, progress, watch)?;
        if seed != PUBLISHED_SEED {
            tick(seed, subjects, progress, watch)?;
        }
    }
    Ok(())
}

fn sweeps(
    device: &mut dyn BenchDevice,
    reference: u64,
    trial: &StandardTrial,
    progress: &mut Progress,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let (banks, count, seed) = (device.identity().banks, trial.count.get(), trial.seed);
    let runs_of = |check, runs: Vec<EngineRun>| if trial.makes(check) { runs } else { Vec::new() };
    let bank_runs = runs_of(StandardCheck::BankSweep, bank_runs(banks, count, seed));
    let short_runs = runs_of(StandardCheck::ShortSweep, short_runs(banks, seed));
    let (mut bank_sweep, mut short_sweep) = (Vec::new(), Vec::new());
    let made = progress.timed(BANK_SWEEP, |_| {
        watch.begin(BANK_SWEEP, u64::from(count) * bank_runs.len() as u64);
        engine_sweeps::observe_each(device, &bank_runs, |_| reference, &mut bank_sweep, watch)?;
        watch.end();
        Ok(())
    });
    let made = made.and_then(|()| {
        progress.timed(SHORT_SWEEP, |_| {
            watch.begin(SHORT_SWEEP, short_runs.iter().map(|run| u64::from(run.count)).sum());
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
    let first = progress.found.checks.len();
    if !bank_sweep.is_empty() {
        let (check, table) = engine_sweeps::judge_bank_sweep(device, &bank_sweep, bank_runs.len());
        progress.bank_sweeps.push(table);
        progress.found.checks.push(check);
    }
    if !short_sweep.is_empty() {
        progress.found.checks.push(engine_sweeps::judge_short_sweep(device, &short_sweep, short_runs.len()));
    }
    let looked = made.and_then(|()| engine_sweeps::look_closer(device, &bank_sweep, &short_sweep, watch));
    let (short, cause, mut ended) = match looked {
        Ok((short, cause)) => (short, cause, None),
        Err(error) => (short_sweep.clone(), None, Some(error)),
    };
    let of_device = progress.found.checks[first..].iter_mut();
    for (check, sweep) in of_device.zip([&bank_sweep, &short_sweep].into_iter().filter(|sweep| !sweep.is_empty())) {
        check.findings = engine_sweeps::findings(device, sweep, &short, cause.as_ref(), &mut ended, watch);
    }
    ended.map_or(Ok(()), Err)?;
    progress.causes.extend(cause.map(|cause| CauseRecord {
        device: device.name().to_owned(),
        in_adapter: false,
        sentence: cause.sentence(),
        names: engine_sweeps::named(&cause),
        dead_banks: cause.dead_banks,
        flipped_bits: cause.flipped_bits,
        lost_deltas: cause.lost_deltas,
    }));
    let device = device.name().to_owned();
    progress.engines.push(EngineRuns { device, banks, bank_sweep: bank_runs, short_sweep: short_runs });
    Ok(())
}

fn orders(
    trial: &StandardTrial,
    reference: u64,
    subjects: &mut Subjects,
    threads: NonZeroUsize,
    progress: &mut Progress,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let scenario = progress.scenario.clone();
    let workload = workload(trial, scenario.as_deref(), reference, subjects);
    if !workload.software && !workload.devices {
        return Ok(());
    }
    let chosen = choose(trial, &workload).map_err(|refused| SubjectError::Unavailable(refused.to_string()))?;
    if chosen.every_set {
        every_set(&workload, subjects, threads, progress, watch)?;
    }
    let mut takers = takers(trial, subjects);
    let outcome = progress
        .timed(arrival_orders::ARRIVAL_ORDERS, |_| Ok(arrival_orders::check(&mut takers, &workload, &chosen, watch)))?;
    progress.found.checks.push(outcome.check);
    let summaries = outcome.latencies.iter().map(|(subject, histogram)| (subject.clone(), Latencies::from(histogram)));
    progress.found.timing.orders_ns = summaries.collect();
    outcome.ended.map_or(Ok(()), Err)
}

/// Every delivered set on every subject that takes the orders.
fn every_set(
    workload: &Workload,
    subjects: &mut Subjects,
    threads: NonZeroUsize,
    progress: &mut Progress,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let limits = Limits { memory: workload.memory, deliveries: workload.budget.get(), threads };
    for accumulator in &subjects.accumulators {
        let accumulator = accumulator.as_ref();
        let name = walked::name(accumulator.name());
        progress.timed(&name, |_| walked::check(accumulator, workload, &limits, watch))?.into_progress(progress)?;
    }
    for device in subjects.all_devices_mut().filter(|device| takes(*device, workload.count)) {
        let name = searched::name(device.name());
        progress.timed(&name, |_| Ok(searched::check(device, workload, watch)))?.into_progress(progress)?;
    }
    Ok(())
}

impl Walked {
    fn into_progress(self, progress: &mut Progress) -> Result<(), SubjectError> {
        progress.found.checks.push(self.check);
        progress.walks.push(self.walk);
        self.ended.map_or(Ok(()), Err)
    }
}

/// Whether the orders that the trial asks for can be tried on these subjects within the budget.
pub fn orders_fit(trial: &StandardTrial, scenario: Option<&str>, subjects: &Subjects) -> Result<(), PlanError> {
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

/// The subjects that take orders of so many deltas.
fn takers<'a>(trial: &StandardTrial, subjects: &'a mut Subjects) -> Vec<&'a mut dyn Subject> {
    let software = subjects.accumulators.iter_mut().map(|accumulator| accumulator.as_mut() as &mut dyn Subject);
    let devices = subjects.devices.iter_mut().map(|device| device as &mut dyn Subject);
    let serials = subjects.serials.iter_mut().map(|device| device as &mut dyn Subject);
    software.chain(devices).chain(serials).filter(|subject| takes(*subject, trial.count.get())).collect()
}

fn takes<S: Subject + ?Sized>(subject: &S, count: u32) -> bool {
    subject.longest_order() >= count.into()
}
