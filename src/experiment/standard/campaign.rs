//! The jobs of the standard campaign, and how they are put together.
//!
//! | job | runs |
//! |---|---|
//! | `reference` | in every shard: all others need it |
//! | `accumulation of NAME`, `every order on NAME` | one at a time: each uses all cores by itself, or is timed |
//! | `arrival orders EXPLORER 0 to N` | alone: it is timed |
//! | `arrival orders EXPLORER M to N` | on all cores |
//! | `device NAME` | alone: all that is asked of a device (see [`crate::experiment::devices::job`]) |

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::accumulation::seams::{self, Seams};
use super::accumulation::{self, References};
use super::arrival_orders::slices::{self, Taken};
use super::arrival_orders::together::{Together, together};
use super::arrival_orders::{self, ARRIVAL_ORDERS, Workload, searched, walked};
use super::{adapter_round_trips, as_client, choose, conformance, sweeps, takes, workload};
use crate::domain::finding::Finding;
use crate::domain::hex::Hex64;
use crate::domain::subject::{Subject, SubjectError};
use crate::domain::trial::{StandardCheck, StandardTrial};
use crate::domain::watch::Watch;
use crate::experiment::devices::job::{Asked, Job, Stage, Used, add, on_each, settle};
use crate::experiment::jobs::{Jobs, Within};
use crate::experiment::{Bench, devices, tick, timed, took};
use crate::explore::choice::Choice;
use crate::explore::exhaustive::Limits;
use crate::report::record::{Check, Latencies, Record, WalkRecord};
use crate::scenario::tick::PUBLISHED_SEED;
use crate::subject::Subjects;
use crate::subject::scalar;
use crate::subject::walk::Walkable;

/// What the jobs came to, those that ended.
#[derive(Default)]
struct Ended {
    accumulated: Vec<Accumulated>,
    walked: Vec<Walked>,
    /// Of software, which takes its orders together.
    orders: Vec<Taken>,
    /// Whether software took all of its orders.
    orders_whole: bool,
    used: Vec<Used<OrdersOnDevice>>,
}

/// What an accumulator came to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accumulated {
    findings: Vec<Finding>,
    took: Duration,
}

/// What a walk over every order on an accumulator came to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Walked {
    check: Check,
    walk: WalkRecord,
    took: Duration,
}

/// What the arrival orders on a device came to.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrdersOnDevice {
    taken: Vec<Taken>,
    whole: bool,
}

/// What is tried of the orders, and by whom.
struct Orders<'a> {
    workload: Workload<'a>,
    chosen: Choice,
}

/// Runs the jobs, and adds what they come to.
pub(super) fn run(trial: &StandardTrial, bench: Bench<'_>) -> Result<(), SubjectError> {
    let Bench { subjects, jobs, record, watch } = bench;
    let (references, time) = reference(trial, &jobs, watch)?;
    record.reference = Some(Hex64(references.xorshift64));
    record.splitmix64_reference = Some(Hex64(references.splitmix64));
    if let Some(wrong) = accumulation::check_reference(references, trial.count.get(), trial.seed) {
        took(record, accumulation::ACCUMULATION, time);
        record.checks.push(wrong);
        return devices::judge(subjects, record, watch);
    }
    let scenario = record.asked.scenario.clone();
    let orders = orders(trial, scenario.as_deref(), references, subjects)?;
    let mut ended = Ended::default();
    let campaign = Campaign { trial, references, orders: orders.as_ref(), jobs };
    let result = campaign.run_all(subjects, &mut ended, record, watch);
    if campaign.jobs.is_part() {
        return result;
    }
    campaign.put_together(ended, (subjects, time), result, record)
}

/// The references by which all else is judged.
fn reference(
    trial: &StandardTrial,
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
) -> Result<(References, Duration), SubjectError> {
    const ID: &str = "reference";
    if let Some(kept) = jobs.kept(ID)? {
        return Ok(kept);
    }
    let start = Instant::now();
    watch.begin(accumulation::ACCUMULATION, 2 * u64::from(trial.count.get()));
    watch.unit("deltas");
    let references = References::of(trial.count.get(), trial.seed, watch)?;
    watch.end();
    let outcome = (references, start.elapsed());
    jobs.keep(ID, &outcome)?;
    Ok(outcome)
}

/// What is tried of the orders, if anyone takes any.
fn orders<'a>(
    trial: &StandardTrial,
    scenario: Option<&'a str>,
    references: References,
    subjects: &Subjects,
) -> Result<Option<Orders<'a>>, SubjectError> {
    let workload = workload(trial, scenario, references.xorshift64, subjects);
    if !trial.makes(StandardCheck::ArrivalOrders) || !workload.software && !workload.devices {
        return Ok(None);
    }
    let chosen = choose(trial, &workload).map_err(|refused| SubjectError::Unavailable(refused.to_string()))?;
    Ok(Some(Orders { workload, chosen }))
}

struct Campaign<'a> {
    trial: &'a StandardTrial,
    references: References,
    orders: Option<&'a Orders<'a>>,
    jobs: Jobs<'a>,
}

impl Campaign<'_> {
    /// Runs the jobs until one fails.
    fn run_all(
        &self,
        subjects: &mut Subjects,
        ended: &mut Ended,
        record: &Record,
        watch: &mut dyn Watch,
    ) -> Result<(), SubjectError> {
        let mut number = 0;
        if self.trial.makes(StandardCheck::Accumulation) {
            self.accumulations(subjects, &mut number, ended, watch)?;
        }
        if let Some(orders) = self.orders {
            if orders.chosen.every_set {
                self.walks(orders, subjects, &mut number, ended, watch)?;
            }
            if orders.workload.software {
                self.arrival_orders(orders, subjects, &mut number, ended, watch)?;
            }
        }
        let checks = |job: &mut Job<'_>, watch: &mut dyn Watch| {
            let mut orders = OrdersOnDevice::default();
            let made = self.on_device(job, &mut orders, watch);
            (orders, made)
        };
        let trial = record.asked.trial.clone();
        let asked = Asked { trial: &trial, first: number, checks: &checks, accuses: &OrdersOnDevice::accuses };
        let (used, result) = on_each(subjects, &self.jobs, &asked, watch);
        ended.used = used;
        result
    }

    fn accumulations(
        &self,
        subjects: &Subjects,
        number: &mut usize,
        ended: &mut Ended,
        watch: &mut dyn Watch,
    ) -> Result<(), SubjectError> {
        let accumulators = subjects.accumulators.iter().map(AsRef::<dyn Walkable>::as_ref);
        let on_trial = accumulators.filter(|accumulator| accumulator.name() != scalar::NAME);
        let ours: Vec<&dyn Walkable> = self.ours(on_trial, number);
        if ours.is_empty() {
            return Ok(());
        }
        let (count, seed) = (self.trial.count.get(), self.trial.seed);
        let seams = Seams::of(seed)?;
        watch.begin(accumulation::ACCUMULATION, ours.len() as u64);
        watch.unit("accumulators");
        let id = |accumulator: &&dyn Walkable| format!("accumulation of {}", accumulator.name());
        let outcomes = self.jobs.on(std::num::NonZeroUsize::MIN).run(&ours, id, watch, |accumulator, watch| {
            let start = Instant::now();
            let mut own = accumulator.another();
            let watch = &mut Within::of(2 * u64::from(count), watch);
            let findings = accumulation::check_one(own.as_mut(), self.references, &seams, (count, seed), watch)?;
            Ok(Accumulated { findings, took: start.elapsed() })
        });
        watch.end();
        ended.accumulated = outcomes.of;
        outcomes.failed.map_or(Ok(()), Err)
    }

    fn walks(
        &self,
        orders: &Orders<'_>,
        subjects: &Subjects,
        number: &mut usize,
        ended: &mut Ended,
        watch: &mut dyn Watch,
    ) -> Result<(), SubjectError> {
        let Workload { memory, budget, .. } = orders.workload;
        let limits = Limits { memory, deliveries: budget.get(), threads: self.jobs.threads };
        for accumulator in self.ours(subjects.accumulators.iter(), number) {
            let name = walked::name(accumulator.name());
            if let Some(kept) = self.jobs.kept(&name)? {
                ended.walked.push(kept);
                continue;
            }
            let start = Instant::now();
            let walk = walked::check(accumulator.as_ref(), &orders.workload, &limits, watch)?;
            let (failed, took) = (walk.ended, start.elapsed());
            let walked = Walked { check: walk.check, walk: walk.walk, took };
            if failed.is_none() {
                self.jobs.keep(&name, &walked)?;
            }
            ended.walked.push(walked);
            failed.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    fn arrival_orders(
        &self,
        orders: &Orders<'_>,
        subjects: &Subjects,
        number: &mut usize,
        ended: &mut Ended,
        watch: &mut dyn Watch,
    ) -> Result<(), SubjectError> {
        let Orders { workload, chosen } = orders;
        let planned = slices::planned(chosen, workload.count);
        let ours = self.ours(planned, number);
        let (alone, beside): (Vec<_>, Vec<_>) = ours.into_iter().partition(slices::OrdersOf::is_first);
        let takers: Vec<&dyn Walkable> = subjects.accumulators.iter().map(AsRef::as_ref).collect();
        let takers: Vec<&dyn Walkable> = takers.into_iter().filter(|taker| takes(*taker, workload.count)).collect();
        let take = |slice: &slices::OrdersOf, watch: &mut dyn Watch| {
            let mut own: Vec<Box<dyn Walkable>> = takers.iter().map(|taker| taker.another()).collect();
            let mut own: Vec<&mut dyn Subject> = own.iter_mut().map(|own| own.as_mut() as &mut dyn Subject).collect();
            let watch = &mut Within::of(slice.number.saturating_mul(workload.count.into()), watch);
            let (mut taken, failed) = slices::take(&mut own, workload, chosen, *slice, watch);
            failed.map_or(Ok(()), Err)?;
            let failed = slices::look_closer(&mut own, std::slice::from_mut(&mut taken), workload, watch);
            failed.map_or(Ok(taken), Err)
        };
        watch.begin(ARRIVAL_ORDERS, (alone.len() + beside.len()) as u64);
        watch.unit("parts");
        let one = self.jobs.on(std::num::NonZeroUsize::MIN);
        let mut of_slices: Vec<(slices::OrdersOf, Taken)> = Vec::new();
        let mut failed = None;
        for (slices, jobs) in [(alone, one), (beside, self.jobs)] {
            if failed.is_none() {
                let outcomes = jobs.run(&slices, |slice| slice.id(chosen), watch, take);
                of_slices.extend(slices.into_iter().zip(outcomes.of));
                failed = outcomes.failed;
            }
        }
        watch.end();
        of_slices.sort_by_key(|(slice, _)| (slice.explorer, slice.first));
        ended.orders_whole = failed.is_none();
        ended.orders = of_slices.into_iter().map(|(_, taken)| taken).collect();
        failed.map_or(Ok(()), Err)
    }

    /// What of these belongs to this shard. Each is a job, and has the next number.
    fn ours<T>(&self, all: impl IntoIterator<Item = T>, number: &mut usize) -> Vec<T> {
        let mut takes = |_: &T| {
            *number += 1;
            self.jobs.takes(*number - 1)
        };
        all.into_iter().filter(|one| takes(one)).collect()
    }

    /// Makes every check that a device allows.
    fn on_device(
        &self,
        job: &mut Job<'_>,
        on_device: &mut OrdersOnDevice,
        watch: &mut dyn Watch,
    ) -> Result<(), SubjectError> {
        let trial = self.trial;
        if trial.makes(StandardCheck::BankSweep) || trial.makes(StandardCheck::ShortSweep) {
            job.stage(Stage::Sweeps, |device, record| {
                let bench = device.bench();
                bench.map_or(Ok(()), |bench| sweeps(bench, self.references.xorshift64, trial, record, watch))
            })?;
        }
        if trial.makes(StandardCheck::AsAClient) {
            job.stage(Stage::AsAClient, |device, record| {
                let Some(bench) = device.bench() else { return Ok(()) };
                let made = timed(record, as_client::AS_CLIENT, |_| Ok(as_client::check(bench, trial, watch)));
                let (check, ended) = made?;
                record.checks.push(check);
                ended
            })?;
        }
        if let Some(Orders { workload, chosen }) = self.orders
            && takes(job.device.subject(), workload.count)
        {
            if chosen.every_set {
                job.stage(Stage::EverySet, |device, record| {
                    let name = searched::name(device.device().name());
                    let searched = timed(record, &name, |_| Ok(searched::check(device.device(), workload, watch)))?;
                    record.checks.push(searched.check);
                    record.walks.push(searched.walk);
                    searched.ended.map_or(Ok(()), Err)
                })?;
            }
            let (taken, ended) = arrival_orders::take_all(&mut [job.device.subject()], workload, chosen, watch);
            (on_device.taken, on_device.whole) = (taken, ended.is_none());
            ended.map_or(Ok(()), Err)?;
        }
        if trial.makes(StandardCheck::AdapterRoundTrips) {
            job.stage(Stage::RoundTrips, |device, record| {
                let device = device.device();
                let (check, flaw) = timed(record, adapter_round_trips::ROUND_TRIPS, |_| {
                    adapter_round_trips::check(device, trial.seed, watch)
                })?;
                record.checks.push(check);
                devices::explain(record, device, flaw);
                Ok(())
            })?;
        }
        if trial.makes(StandardCheck::Conformance) {
            job.stage(Stage::Conformance, |device, record| {
                let Some(bench) = device.bench() else { return Ok(()) };
                let made = timed(record, conformance::OF_ENGINE, |_| Ok(conformance::check(bench, trial, watch)));
                let (checks, ended) = made?;
                record.checks.extend(checks);
                ended
            })?;
        }
        self.ticks().into_iter().try_for_each(|seed| tick::check_on_device(job, seed, watch))
    }

    /// The seeds of the ticks that are tried.
    fn ticks(&self) -> Vec<crate::domain::seed::Seed> {
        let own = Some(self.trial.seed).filter(|seed| *seed != PUBLISHED_SEED);
        if self.trial.makes(StandardCheck::SyncTick) {
            [PUBLISHED_SEED].into_iter().chain(own).collect()
        } else {
            Vec::new()
        }
    }

    /// Adds what the jobs came to, in the order of the checks. `result` is why not all of them ended, where they did not.
    fn put_together(
        &self,
        ended: Ended,
        (subjects, reference): (&Subjects, Duration),
        result: Result<(), SubjectError>,
        record: &mut Record,
    ) -> Result<(), SubjectError> {
        let Ended { accumulated, walked, orders, orders_whole, mut used } = ended;
        let time = accumulated.iter().map(|accumulated| accumulated.took).sum::<Duration>();
        took(record, accumulation::ACCUMULATION, reference + time);
        let on_trial = subjects.accumulators.iter().filter(|accumulator| accumulator.name() != scalar::NAME);
        let on_trial: Vec<_> = on_trial.map(|one| (one.name().to_owned(), one.evidence())).collect();
        let is_tried = self.trial.makes(StandardCheck::Accumulation) && !subjects.accumulators.is_empty();
        if is_tried && accumulated.len() == on_trial.len() {
            let findings = accumulated.into_iter().flat_map(|accumulated| accumulated.findings).collect();
            let check = accumulation::together(on_trial, self.trial.count.get(), seams::ranges(), findings);
            record.checks.push(check);
        }
        [Stage::Sweeps, Stage::AsAClient].into_iter().for_each(|stage| add(record, &mut used, stage));
        for Walked { check, walk, took: time } in walked {
            took(record, &check.name, time);
            record.checks.push(check);
            record.walks.push(walk);
        }
        add(record, &mut used, Stage::EverySet);
        if let Some(of) = self.orders {
            let whole = (orders_whole || !of.workload.software) && used.iter().all(|used| used.orders.is_whole());
            let of_devices = used.iter_mut().map(|used| std::mem::take(&mut used.orders.taken));
            let groups: Vec<Vec<Taken>> = [orders].into_iter().chain(of_devices).filter(|of| !of.is_empty()).collect();
            let why = result.as_ref().err().filter(|_| !whole);
            if !groups.is_empty() {
                add_orders(of, &groups, why, record)?;
            }
        }
        [Stage::RoundTrips, Stage::Conformance].into_iter().for_each(|stage| add(record, &mut used, stage));
        if result.is_ok() {
            self.ticks().into_iter().try_for_each(|seed| tick::add_checks(record, &mut used, seed))?;
        } else {
            [Stage::PublishedTick, Stage::OwnTick].into_iter().for_each(|stage| add(record, &mut used, stage));
        }
        settle(record, used);
        result
    }
}

/// Adds the check of the arrival orders.
fn add_orders(
    Orders { workload, chosen }: &Orders<'_>,
    groups: &[Vec<Taken>],
    ended: Option<&SubjectError>,
    record: &mut Record,
) -> Result<(), SubjectError> {
    let time = groups.iter().flatten().map(Taken::took).sum::<Duration>();
    let Together { check, latencies } = together(workload, chosen, groups, ended).map_err(|wrong| {
        SubjectError::Journal(format!("{ARRIVAL_ORDERS}: what the journal has of them is not sound: {wrong}"))
    })?;
    took(record, ARRIVAL_ORDERS, time);
    record.checks.push(check);
    let summaries = latencies.iter().map(|(subject, histogram)| (subject.clone(), Latencies::from(histogram)));
    record.timing.orders_ns = summaries.collect();
    Ok(())
}

impl OrdersOnDevice {
    /// Whether all orders that were begun were taken.
    fn is_whole(&self) -> bool {
        self.whole || self.taken.is_empty()
    }

    /// Whether a state was wrong in them, twice in the same way.
    fn accuses(&self, _device: &str) -> bool {
        self.taken.iter().any(Taken::accuses)
    }
}
