//! The loops: a scenario and its subjects to a record.
//!
//! [`run`] is the pipeline; each check is a file of its own and gives a [`Check`]. Knows: everything above it. Must not:
//! print, read files, or know who watches.

pub mod accumulation;
pub mod adapter_round_trips;
pub mod arrival_orders;
pub mod as_client;
pub mod conformance;
pub mod controls;
pub mod coverage;
pub mod engine_sweeps;
pub mod every_order;
pub mod expectation;
pub mod laws;
pub mod link_on_trial;
pub mod planted;
pub mod qualification;
pub mod read_backs;
pub mod replay;
pub mod standard;
pub mod sync_tick;
pub mod tick_message;
pub mod walk;
pub mod waveforms;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::campaign::accumulation::References;
use crate::campaign::coverage::EngineRuns;
use crate::campaign::coverage::not_asked::AskedOf;
use crate::campaign::sync_tick::{check_device, check_message};
use crate::domain::case::Case;
use crate::domain::execution::Execution;
use crate::domain::fault::FaultClass;
use crate::domain::hex::Hex64;
use crate::domain::seed::Seed;
use crate::domain::subject::{AdapterShape, BenchDevice, Device, Subject, SubjectError};
use crate::domain::trial::{StandardCheck, Trial};
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::experiment::valid::Valid;
use crate::experiment::{Found, crash, world};
use crate::explore::PlanError;
use crate::oracle::contexts::Flaw;
use crate::report::record::{
    Asked, BankSweep, CauseRecord, Check, ClaimRecord, ControlRecord, DeviceRecord, FORMAT, Host, Latencies,
    LawsRecord, Part, Record, TickRecord, Timing, Unseen, VERSION, WalkRecord,
};
use crate::scenario::Scenario;
use crate::subject::{Backend, Conditions, Subjects};

/// A scenario, and the subjects that it is run with.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is put on trial.
    pub scenario: Valid<Scenario>,
    /// By which subjects.
    pub backends: Vec<Backend>,
    /// How they are opened.
    pub conditions: Conditions,
}

/// Puts a scenario on trial and gives the record. A run that is stopped, or whose backend falls silent, gives the
/// record of what was done until then.
pub fn run(plan: &Plan, subjects: &mut Subjects, watch: &mut dyn Watch) -> Record {
    run_after(plan, controls::show(&plan.scenario.trial, plan.conditions.threads), subjects, watch)
}

/// Runs a plan whose judges have shown this.
fn run_after(plan: &Plan, controls: Vec<ControlRecord>, subjects: &mut Subjects, watch: &mut dyn Watch) -> Record {
    let start = Instant::now();
    let mut progress = Progress { scenario: plan.scenario.name.clone(), controls, ..Progress::default() };
    if progress.controls.iter().any(|control| !control.works()) {
        // Whatever these judges say is worth nothing.
        return progress.into_record(plan, subjects, None);
    }
    let ended = match &plan.scenario.trial {
        Trial::Standard(trial) => standard::run(trial, subjects, plan.conditions.threads, &mut progress, watch),
        Trial::Tick(trial) => tick(trial.seed, subjects, &mut progress, watch),
        Trial::Laws(trial) => laws::run(trial, &mut progress, watch),
        Trial::EveryOrder(trial) => every_order::run(trial, plan.conditions.threads, &mut progress, watch),
        Trial::Offline(trial) => {
            world::run(plan.scenario.part(|_| &**trial), subjects, plan.conditions.threads, &mut progress.found, watch)
        }
        Trial::CrashEverywhere(trial) => {
            crash::run(plan.scenario.part(|_| trial), plan.conditions.threads, &mut progress.found, watch)
        }
    };
    let ended = match ended {
        Err(SubjectError::Interrupted) => ended,
        _ => {
            read_backs::judge(subjects, &mut progress);
            let tried = link_on_trial::judge(subjects, &mut progress, watch);
            ended.and(tried)
        }
    };
    watch.end();
    let mut record = progress.into_record(plan, subjects, ended.err());
    record.timing.total_us = start.elapsed().as_micros() as u64;
    record
}

/// Whether the arrival orders that a plan asks for can be tried on these subjects within its budget. To be asked before
/// [`run`], which ends early where they cannot.
pub fn orders_fit(plan: &Plan, subjects: &Subjects) -> Result<(), PlanError> {
    match &plan.scenario.trial {
        Trial::Standard(trial) => standard::orders_fit(trial, plan.scenario.name.as_deref(), subjects),
        Trial::EveryOrder(trial) => Ok(every_order::fits(trial, plan.conditions.threads)?),
        Trial::Tick(_) | Trial::Laws(_) | Trial::Offline(_) | Trial::CrashEverywhere(_) => Ok(()),
    }
}

/// What a run has found so far.
#[derive(Default)]
pub struct Progress {
    references: Option<References>,
    scenario: Option<String>,
    controls: Vec<ControlRecord>,
    bank_sweeps: Vec<BankSweep>,
    found: Found,
    causes: Vec<CauseRecord>,
    engines: Vec<EngineRuns>,
    ticks: Vec<TickRecord>,
    walks: Vec<WalkRecord>,
    laws: Option<LawsRecord>,
}

impl Progress {
    /// Makes a check and keeps how long it took.
    fn timed<T>(
        &mut self,
        name: &str,
        check: impl FnOnce(&mut Self) -> Result<T, SubjectError>,
    ) -> Result<T, SubjectError> {
        let start = Instant::now();
        let outcome = check(self);
        self.found.took(name, start.elapsed());
        outcome
    }

    fn flaw(&mut self, device: &dyn Device, flaw: Option<Flaw>) {
        let falsified = |check: &&Check| check.part == Part::Adapter && check.verdict == Verdict::Falsified;
        let of_device =
            self.found.checks.iter().filter(falsified).filter(|check| check.subjects.contains_key(device.name()));
        let others = self.causes.iter().filter(|cause| cause.device == device.name() && cause.in_adapter).count();
        // What explains few answers, and not those of an earlier check, explains nothing.
        let Some(flaw) = flaw.filter(|_| others > 0 || of_device.count() <= 1) else { return };
        let (sentence, names) = (flaw.sentence(), flaw.faults());
        let known = |cause: &CauseRecord| cause.device == device.name() && cause.sentence == sentence;
        if !self.causes.iter().any(known) {
            let (dead_banks, flipped_bits, lost_deltas) = Default::default();
            let device = device.name().to_owned();
            let names = names.iter().map(ToString::to_string).collect();
            let in_adapter = true;
            self.causes.push(CauseRecord {
                device,
                in_adapter,
                sentence,
                dead_banks,
                flipped_bits,
                lost_deltas,
                names,
            });
        }
    }

    fn into_record(self, plan: &Plan, subjects: &Subjects, ended: Option<SubjectError>) -> Record {
        let Scenario { name, trial, expect, .. } = &*plan.scenario;
        let devices: Vec<DeviceRecord> = subjects.all_devices().map(device_record).collect();
        let asked: Vec<AskedOf> = subjects.devices.iter().map(|device| AskedOf::device(device)).collect();
        let claims = self.claims(trial, &devices, !subjects.accumulators.is_empty(), &asked);
        let seed = trial.seed();
        let longest_run = subjects.devices.iter().map(|device| device.asked().longest_run()).max().unwrap_or(0);
        let devices_on_trial: Vec<&dyn Device> = subjects.all_devices().collect();
        let faults = &plan.conditions.faults;
        let planted = planted::outcomes(faults, &devices_on_trial, &self.found.checks, &self.causes, longest_run, seed);
        let (mut verdict, mut reason) = coverage::verdict(&self.found.checks, &claims);
        if verdict == Verdict::Holds && !planted.is_empty() {
            verdict = Verdict::Inconclusive;
            let told: Vec<String> =
                planted.iter().map(|p| format!("planted {}, {}: {}", p.fault, p.outcome, p.reason)).collect();
            reason = told.join("; ");
        }
        let escaped: Vec<String> = self.escaped_mutants().map(|name| format!("planted {name}, escaped")).collect();
        if !escaped.is_empty() {
            let escaped = escaped.join("; ");
            reason = if verdict == Verdict::Holds { escaped } else { format!("{reason}; {escaped}") };
            // What cannot tell a mutant from a sound replica says little about the sound one.
            verdict = Verdict::of_set([verdict, Verdict::Inconclusive]);
        }
        let interrupted = ended == Some(SubjectError::Interrupted);
        if ended.is_some() && verdict != Verdict::Falsified {
            verdict = Verdict::Inconclusive;
            reason = "the run did not come to its end".to_owned();
        }
        let unseen = match trial {
            Trial::Standard(trial) => coverage::unseen(trial, &self.engines, &self.found.checks, &devices, &asked),
            Trial::Tick(_) => Unseen::default(),
            Trial::Laws(_) => laws::unseen(),
            Trial::EveryOrder(trial) => every_order::unseen(trial),
            Trial::Offline(trial) => world::unseen(trial),
            Trial::CrashEverywhere(trial) => crash::unseen(trial),
        };
        let mut record = Record {
            format: FORMAT.to_owned(),
            version: VERSION,
            abench: env!("CARGO_PKG_VERSION").to_owned(),
            asked: Asked {
                scenario: name.clone(),
                trial: trial.clone(),
                backends: plan.backends.iter().map(Backend::to_string).collect(),
                faults: plan.conditions.faults.iter().map(ToString::to_string).collect(),
                expect: expect.clone(),
            },
            verdict,
            reason,
            interrupted,
            unavailable: match &ended {
                Some(SubjectError::Unavailable(reason)) => Some(reason.clone()),
                _ => None,
            },
            contradiction: match ended {
                Some(SubjectError::Internal(reason)) => Some(reason),
                _ => None,
            },
            expectation: None,
            controls: self.controls,
            devices,
            reference: self.references.map(|references| Hex64(references.xorshift64)),
            splitmix64_reference: self.references.map(|references| Hex64(references.splitmix64)),
            bank_sweeps: self.bank_sweeps,
            checks: self.found.checks,
            causes: self.causes,
            claims,
            ticks: self.ticks,
            walks: self.walks,
            laws: self.laws,
            offline: self.found.offline,
            everywhere: self.found.everywhere,
            unseen,
            planted,
            waveforms: Vec::new(),
            timing: Timing { round_trips_ns: round_trips(subjects), ..self.found.timing },
            host: host(plan),
        };
        if let Some(fault) = record.internal_error() {
            record.verdict = Verdict::Inconclusive;
            record.reason = format!("nothing can be judged: {fault}");
        }
        record.expectation = expect.as_ref().map(|expect| expectation::judge(expect, &record));
        record
    }

    /// Mutants that were planted, and that no judge has anything against.
    fn escaped_mutants(&self) -> impl Iterator<Item = &str> {
        let of_worlds = self.found.offline.iter().flat_map(|offline| &offline.mutants);
        let mutants = of_worlds.chain(self.found.everywhere.iter().flat_map(|everywhere| &everywhere.mutants));
        mutants.filter(|mutant| mutant.caught_by.is_empty()).map(|mutant| mutant.mutant.as_str())
    }

    fn claims(&self, trial: &Trial, devices: &[DeviceRecord], software: bool, asked: &[AskedOf]) -> Vec<ClaimRecord> {
        match trial {
            Trial::Standard(trial) => coverage::standard_claims(trial, &self.found.checks, devices, software, asked),
            Trial::Tick(_) => {
                let changes = self.ticks.iter().any(|tick| !tick.changed.is_empty());
                coverage::tick_claims(&self.found.checks, devices, changes)
            }
            Trial::Laws(_) => coverage::claims_of_algebras(&[FaultClass::FalseLaw], &self.found.checks),
            Trial::EveryOrder(trial) => coverage::claims_of_algebras(&every_order::claims(trial), &self.found.checks),
            Trial::Offline(_) | Trial::CrashEverywhere(_) => {
                // A hub's merge on accumulators tries these, and is no claim about edits.
                let of_edits = self.found.checks.iter().filter(|check| !world::hub_merge::is_merge(check));
                let of_edits: Vec<Check> = of_edits.cloned().collect();
                coverage::claims_of_algebras(&[FaultClass::LostEdit], &of_edits)
            }
        }
    }
}

/// One tick: its message, and what every device makes of it.
fn tick(
    seed: Seed,
    subjects: &mut Subjects,
    progress: &mut Progress,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let (check, record) = check_message(seed)?;
    progress.found.checks.push(check);
    progress.ticks.push(record);
    let takes_ticks = |device: &&mut dyn Device| device.adapter() == AdapterShape::Contexts;
    for device in subjects.all_devices_mut().filter(takes_ticks) {
        let (check, flaw) = progress.timed(sync_tick::name(seed), |_| check_device(device, seed, watch))?;
        progress.found.checks.push(check);
        progress.flaw(device, flaw);
    }
    Ok(())
}

/// The most deltas that an engine run of this trial takes on a device with so many banks; 0 if it has none.
pub fn standard_longest_run(trial: &Trial, banks: u32) -> u32 {
    match trial {
        Trial::Standard(trial) => {
            let of = |check, deltas| if trial.makes(check) { deltas } else { 0 };
            let of_sweeps =
                of(StandardCheck::BankSweep, trial.count.get()).max(of(StandardCheck::ShortSweep, 2 * banks));
            of_sweeps.max(of(StandardCheck::Conformance, trial.conformance.longest_run()))
        }
        _ => 0,
    }
}

/// A case of this subject, with what is planted in it, as a text.
pub fn case_text<S: Subject + ?Sized>(subject: &S, execution: Execution) -> String {
    let faults = subject.planted().into_iter().map(|(fault, _)| fault).collect();
    Case { subject: subject.name().to_owned(), execution, faults }.to_string()
}

/// The record of a plan that was not begun, since this backend is not there.
pub fn unavailable(plan: &Plan, backend: &str, error: &SubjectError) -> Record {
    let mut record = Progress::default().into_record(plan, &Subjects::default(), Some(error.clone()));
    record.unavailable = Some(format!("backend '{backend}': {error}"));
    record
}

fn device_record(device: &dyn Device) -> DeviceRecord {
    let identity = device.identity();
    DeviceRecord {
        name: device.name().to_owned(),
        evidence: device.evidence(),
        version: identity.version,
        banks: identity.banks,
        link: identity.link.clone(),
        link_events: device.link_events().sentences(),
        opening: device.opening().to_vec(),
    }
}

fn round_trips(subjects: &Subjects) -> BTreeMap<String, Latencies> {
    let devices = subjects.round_trips();
    devices.map(|(name, round_trips)| (name.to_owned(), Latencies::from(&*round_trips.borrow()))).collect()
}

fn host(plan: &Plan) -> Host {
    Host {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        simd: crate::subject::simd::Simd::best().unit().to_string(),
        threads: plan.conditions.threads.get(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::judge::Judge;
    use crate::domain::trial::StandardTrial;
    use crate::domain::verdict::exit;
    use crate::domain::watch::Unwatched;
    use crate::report::text::{DEFAULT_WIDTH, Detail, Table, render};
    use crate::subject::{backends, open};

    /// A small standard campaign of judges that have shown what `change` makes of what they do show.
    fn after(change: impl Fn(&mut Vec<ControlRecord>)) -> Record {
        let trial = StandardTrial { count: "9".parse().expect("a COUNT"), ..StandardTrial::published() };
        let conditions = Conditions {
            threads: std::num::NonZeroUsize::MIN,
            faults: Vec::new(),
            link: crate::subject::links::LinkConditions::default(),
        };
        let backends = backends(["scalar", "model"]).expect("they are there");
        let scenario = Valid::of(Scenario::unnamed(Trial::Standard(trial))).expect("it is sound");
        let plan = Plan { scenario, backends, conditions };
        let mut subjects = open(&plan.backends, &plan.conditions).expect("they open");
        let mut controls = controls::show(&plan.scenario.trial, plan.conditions.threads);
        change(&mut controls);
        run_after(&plan, controls, &mut subjects, &mut Unwatched)
    }

    #[test]
    fn a_run_with_a_dead_judge_is_not_made_and_names_the_judge() {
        assert_eq!(after(|_| {}).outcome().exit_code(), exit::HOLDS);
        let judges = after(|_| {}).controls.len();
        for dead in 0..judges {
            let record = after(|controls| controls[dead].refused -= 1);
            let named = format!("the judge '{}' refused", record.controls[dead].judge);
            assert!(record.reason.contains(&named), "{}", record.reason);
            assert_eq!((record.outcome().exit_code(), record.verdict), (exit::INTERNAL, Verdict::Inconclusive));
            let report = render(&record, DEFAULT_WIDTH, Table::Shown, Detail::All);
            assert!(record.checks.is_empty() && !report.contains("ALL MATCH"), "{report}");
        }
    }

    #[test]
    fn a_check_whose_judge_was_never_tried_is_an_internal_error_and_shows_no_green() {
        let record = after(|controls| controls.retain(|control| control.judge != Judge::RoundTrips));
        assert!(record.reason.contains("the check adapter round trips was given no planted wrong answer"));
        assert_eq!(record.outcome().exit_code(), exit::INTERNAL);
        let report = render(&record, DEFAULT_WIDTH, Table::Shown, Detail::All);
        assert!(report.contains("VERIFY: INCONCLUSIVE") && !report.contains("ALL MATCH"), "{report}");
    }
}
