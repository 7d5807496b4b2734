//! The pipeline: a valid scenario and its subjects to a record, and what else runs scenarios: replays and qualifications.
//!
//! [`run`] shows that the judges can fail, has the experiment run, and judges the whole. Knows: everything above it. Must not:
//! print, read files, know who watches, or know the kinds of trial.

pub mod controls;
pub mod expectation;
pub mod planted;
pub mod qualification;
pub mod replay;
mod verdict;
pub mod waveforms;

use std::time::Instant;

use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::experiment::jobs::Jobs;
use crate::experiment::valid::Valid;
use crate::experiment::{self, Bench, Setting};
use crate::explore::PlanError;
use crate::report::journal::{Head, Journal, Shard};
use crate::report::record::{Asked, ControlRecord, Host, Record};
use crate::scenario::Scenario;
use crate::subject::told::Told;
use crate::subject::{Backend, Conditions, Subjects};

/// What the time of the controls is called among those of the checks.
const CONTROLS: &str = "controls of the judges";

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
    let journal = Journal::none(head(plan, None));
    run_jobs(plan, Jobs::all(plan.conditions.threads, &journal), subjects, watch)
}

/// Runs a plan as [`run`] does. The journal takes in what its jobs come to, and those that it has are not run again.
///
/// # Errors
/// If the journal cannot be used.
pub fn run_kept(
    plan: &Plan,
    journal: &Journal,
    subjects: &mut Subjects,
    watch: &mut dyn Watch,
) -> Result<Record, SubjectError> {
    usable(run_jobs(plan, Jobs::all(plan.conditions.threads, journal), subjects, watch))
}

/// A record, unless the journal could not be used.
fn usable(record: Record) -> Result<Record, SubjectError> {
    match &record.ended {
        Some(error @ SubjectError::Journal(_)) => Err(error.clone()),
        _ => Ok(record),
    }
}

/// Runs the jobs of a plan that belong to one shard, and keeps what they come to.
///
/// # Errors
/// If the user stops it, a subject gives no answer, or the journal cannot be used.
pub fn run_shard(
    plan: &Plan,
    journal: &Journal,
    subjects: &mut Subjects,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let record = run_jobs(plan, Jobs::all(plan.conditions.threads, journal), subjects, watch);
    record.ended.map_or(Ok(()), Err)
}

/// The record of a plan all of whose jobs a journal has.
///
/// # Errors
/// If it lacks one.
pub fn merged(
    plan: &Plan,
    journal: &Journal,
    subjects: &mut Subjects,
    watch: &mut dyn Watch,
) -> Result<Record, SubjectError> {
    let jobs = Jobs { only_kept: true, ..Jobs::all(plan.conditions.threads, journal) };
    let record = run_jobs(plan, jobs, subjects, watch);
    match &record.ended {
        Some(error) => Err(error.clone()),
        None => Ok(record),
    }
}

/// Shows the judges what is planted for them, and runs a plan. Its time is that of both.
fn run_jobs(plan: &Plan, jobs: Jobs<'_>, subjects: &mut Subjects, watch: &mut dyn Watch) -> Record {
    let start = Instant::now();
    let controls = controls::show(&plan.scenario.trial, plan.conditions.threads);
    let of_controls = (CONTROLS.to_owned(), start.elapsed().as_micros() as u64);
    let mut record = run_after(plan, controls, jobs, subjects, watch);
    record.timing.checks_us.insert(0, of_controls);
    record.timing.total_us = start.elapsed().as_micros() as u64;
    record
}

/// Runs a plan whose judges have shown this.
fn run_after(
    plan: &Plan,
    controls: Vec<ControlRecord>,
    jobs: Jobs<'_>,
    subjects: &mut Subjects,
    watch: &mut dyn Watch,
) -> Record {
    let mut record = begun(plan, controls);
    // What broken judges say is worth nothing.
    if record.controls.iter().all(ControlRecord::works) {
        let ended = plan.scenario.run(Bench { subjects, jobs, record: &mut record, watch });
        watch.end();
        record.ended = ended.err();
    }
    finish(&mut record, plan, subjects);
    record
}

/// Whether what a plan asks for can be tried on these subjects within its budget. To be asked before [`run`], which ends
/// early where it cannot.
///
/// # Errors
/// What it would cost, and what fits.
pub fn fits(plan: &Plan, subjects: &Subjects) -> Result<(), PlanError> {
    let Plan { scenario, conditions, .. } = plan;
    let setting = Setting { scenario: scenario.name.as_deref(), subjects, threads: conditions.threads };
    experiment::of(&scenario.trial).fits(&setting)
}

/// The record of a plan that was not begun, since this backend is not there.
pub fn unavailable(plan: &Plan, backend: &str, error: &SubjectError) -> Record {
    let mut record = begun(plan, Vec::new());
    record.ended = Some(SubjectError::Unavailable(format!("backend '{backend}': {error}")));
    finish(&mut record, plan, &Subjects::default());
    record
}

/// The first line of the journal of a plan.
pub fn head(plan: &Plan, shard: Option<Shard>) -> Head {
    Head::of(asked(plan), shard)
}

/// What a plan asks for.
fn asked(plan: &Plan) -> Asked {
    let Scenario { name, trial, expect, .. } = &*plan.scenario;
    Asked {
        scenario: name.clone(),
        backends: plan.backends.iter().map(Backend::to_string).collect(),
        faults: plan.conditions.faults.iter().map(ToString::to_string).collect(),
        expect: expect.clone(),
        ..Asked::of(trial.clone())
    }
}

/// The record of a plan that was not run yet.
fn begun(plan: &Plan, controls: Vec<ControlRecord>) -> Record {
    Record { asked: asked(plan), controls, host: host(plan), ..Record::begun(plan.scenario.trial.clone()) }
}

/// Adds what follows from all that was found.
fn finish(record: &mut Record, plan: &Plan, subjects: &Subjects) {
    let trial = &plan.scenario.trial;
    let experiment = experiment::of(trial);
    let told = subjects.told();
    record.devices = told.iter().map(|told| told.record.clone()).collect();
    record.claims = experiment.claims(record, subjects);
    record.unseen = experiment.unseen(record, subjects);
    let longest_run = told.iter().map(Told::longest_run).max().unwrap_or(0);
    let faults = &plan.conditions.faults;
    record.planted = planted::outcomes(faults, &told, &record.checks, &record.causes, longest_run, trial.seed());
    let named = |told: &Told| told.name().to_owned();
    record.timing.round_trips_ns = told.iter().map(|told| (named(told), told.round_trips.clone())).collect();
    record.timing.simulated = told.iter().filter_map(|told| Some((named(told), told.simulated?))).collect();
    verdict::decide(record);
}

fn host(plan: &Plan) -> Host {
    Host {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        simd: crate::subject::simd::Simd::best().unit().to_string(),
        threads: plan.conditions.threads.get(),
        processor: processor(),
        build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
    }
}

/// What Linux calls the processor. Two machines with unlike ones are not compared by their times.
fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = |line: &str| Some(line.strip_prefix("model name")?.split_once(':')?.1.trim().to_owned());
    told.lines().find_map(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::judge::Judge;
    use crate::domain::trial::{StandardTrial, Trial};
    use crate::domain::verdict::{Verdict, exit};
    use crate::domain::watch::Unwatched;
    use crate::report::document::Detail;
    use crate::report::format::text::{DEFAULT_WIDTH, Table, render};
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
        let journal = Journal::none(head(&plan, None));
        let jobs = Jobs::all(plan.conditions.threads, &journal);
        run_after(&plan, controls, jobs, &mut subjects, &mut Unwatched)
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
            let report = render(&experiment::shown(&record), DEFAULT_WIDTH, Table::Shown, Detail::All);
            assert!(record.checks.is_empty() && !report.contains("ALL MATCH"), "{report}");
        }
    }

    #[test]
    fn a_check_whose_judge_was_never_tried_is_an_internal_error_and_shows_no_green() {
        let record = after(|controls| controls.retain(|control| control.judge != Judge::RoundTrips));
        assert!(record.reason.contains("the check adapter round trips was given no planted wrong answer"));
        assert_eq!(record.outcome().exit_code(), exit::INTERNAL);
        let report = render(&experiment::shown(&record), DEFAULT_WIDTH, Table::Shown, Detail::All);
        assert!(report.contains("VERIFY: INCONCLUSIVE") && !report.contains("ALL MATCH"), "{report}");
    }
}
