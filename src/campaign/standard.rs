//! The standard campaign: both sweeps, the arrival orders, the adapter, the sync tick.

use crate::campaign::accumulation::References;
use crate::campaign::arrival_orders::Chosen;
use crate::campaign::coverage::EngineRuns;
use crate::campaign::engine_sweeps::{self, BANK_SWEEP, SHORT_SWEEP, bank_runs, short_runs};
use crate::campaign::{Progress, accumulation, adapter_round_trips, arrival_orders, tick};
use crate::device::model::PUBLISHED_BANKS;
use crate::domain::execution::EngineRun;
use crate::domain::subject::{BenchDevice, Device, Subject, SubjectError};
use crate::domain::trial::{StandardCheck, StandardTrial};
use crate::domain::watch::Watch;
use crate::explore::PlanError;
use crate::report::record::{CauseRecord, Latencies};
use crate::scenario::tick::PUBLISHED_SEED;
use crate::subject::Subjects;
use crate::subject::scalar::Scalar;

/// Makes every check that the subjects allow.
pub fn run(
    trial: &StandardTrial,
    subjects: &mut Subjects,
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
            progress.checks.push(accumulation::check(accumulators, references, count, seed, watch)?);
        }
        progress.checks.extend(wrong);
        watch.end();
        Ok(sound.then_some(references.xorshift64))
    })?;
    let Some(reference) = reference else { return Ok(()) };
    if trial.makes(StandardCheck::BankSweep) || trial.makes(StandardCheck::ShortSweep) {
        for device in &mut subjects.devices {
            sweeps(device, reference, trial, progress, watch)?;
        }
    }
    if trial.makes(StandardCheck::ArrivalOrders) {
        orders(trial, reference, subjects, progress, watch)?;
    }
    let round_trips = trial.makes(StandardCheck::AdapterRoundTrips);
    for device in subjects.all_devices_mut().filter(|_| round_trips) {
        let (check, flaw) =
            progress.timed(adapter_round_trips::ROUND_TRIPS, |_| adapter_round_trips::check(device, seed, watch))?;
        progress.checks.push(check);
        progress.flaw(device, flaw);
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
    let bank_sweep = progress.timed(BANK_SWEEP, |_| {
        watch.begin(BANK_SWEEP, u64::from(count) * bank_runs.len() as u64);
        let sweep = engine_sweeps::observe(device, &bank_runs, |_| reference, watch)?;
        watch.end();
        Ok(sweep)
    })?;
    let short_sweep = progress.timed(SHORT_SWEEP, |_| {
        watch.begin(SHORT_SWEEP, short_runs.iter().map(|run| u64::from(run.count)).sum());
        let mut scalar = Scalar::default();
        let results: Result<Vec<u64>, _> =
            short_runs.iter().map(|&run| engine_sweeps::reference_result(&mut scalar, run)).collect();
        let mut results = results?.into_iter();
        let expected = |_| results.next().expect("a result for every run");
        let sweep = engine_sweeps::observe(device, &short_runs, expected, watch)?;
        watch.end();
        Ok(sweep)
    })?;
    let sweeps = [bank_sweep.as_slice(), &short_sweep].concat();
    let mut short = engine_sweeps::observe_nothing(device, &sweeps, watch)?;
    short.extend(&short_sweep);
    let cause = engine_sweeps::diagnose(device, &[bank_sweep.as_slice(), &short].concat(), watch)?;
    if !bank_sweep.is_empty() {
        let (mut check, table) = engine_sweeps::judge_bank_sweep(device, &bank_sweep);
        check.findings = engine_sweeps::findings(device, &bank_sweep, &short, cause.as_ref(), watch)?;
        progress.bank_sweeps.push(table);
        progress.checks.push(check);
    }
    if !short_sweep.is_empty() {
        let mut check = engine_sweeps::judge_short_sweep(device, &short_sweep);
        check.findings = engine_sweeps::findings(device, &short_sweep, &short, cause.as_ref(), watch)?;
        progress.checks.push(check);
    }
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
    progress: &mut Progress,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let workload = workload(trial, reference, subjects);
    let mut takers = takers(trial, subjects);
    if takers.is_empty() {
        return Ok(());
    }
    let chosen = match &trial.orders {
        None => Chosen::standard(&workload),
        Some(spec) => Chosen::asked_for(spec, &workload, progress.scenario.as_deref())
            .map_err(|refused| SubjectError::Unavailable(refused.to_string()))?,
    };
    let outcome = progress
        .timed(arrival_orders::ARRIVAL_ORDERS, |_| Ok(arrival_orders::check(&mut takers, &workload, &chosen, watch)))?;
    progress.checks.push(outcome.check);
    let summaries = outcome.latencies.iter().map(|(subject, histogram)| (subject.clone(), Latencies::from(histogram)));
    progress.timing.orders_ns = summaries.collect();
    outcome.ended.map_or(Ok(()), Err)
}

/// Whether the orders that the trial asks for can be tried on these subjects within the budget.
pub fn orders_fit(trial: &StandardTrial, scenario: Option<&str>, subjects: &mut Subjects) -> Result<(), PlanError> {
    let Some(spec) = &trial.orders else { return Ok(()) };
    let workload = workload(trial, 0, subjects);
    Chosen::asked_for(spec, &workload, scenario)?;
    if takers(trial, subjects).is_empty() { Err(PlanError::NoTaker(workload.count.into())) } else { Ok(()) }
}

fn workload(trial: &StandardTrial, truth: u64, subjects: &Subjects) -> arrival_orders::Workload {
    let banks = subjects.devices.iter().map(|device| device.identity().banks).max().unwrap_or(PUBLISHED_BANKS);
    let StandardTrial { count, seed, budget, .. } = *trial;
    arrival_orders::Workload { count: count.get(), seed, truth, budget, banks }
}

/// The subjects that take orders of so many deltas.
fn takers<'a>(trial: &StandardTrial, subjects: &'a mut Subjects) -> Vec<&'a mut dyn Subject> {
    let software = subjects.accumulators.iter_mut().map(|accumulator| accumulator.as_mut() as &mut dyn Subject);
    let devices = subjects.devices.iter_mut().map(|device| device as &mut dyn Subject);
    let serials = subjects.serials.iter_mut().map(|device| device as &mut dyn Subject);
    let takes = |subject: &&mut dyn Subject| subject.longest_order() >= trial.count.get().into();
    software.chain(devices).chain(serials).filter(takes).collect()
}
