//! One sync tick: its message, and what every device makes of it. A job is a device.

pub mod message;
pub mod section;
pub mod sync_tick;

use crate::domain::fault::{Fault, FaultClass, Site};
use crate::domain::judge::Judge;
use crate::domain::seed::Seed;
use crate::domain::subject::{AdapterShape, SubjectError};
use crate::domain::trial::TickTrial;
use crate::domain::watch::Watch;
use crate::experiment::answers::Answers;
use crate::experiment::claims::{self, MESSAGE};
use crate::experiment::devices::job::{Asked, Job, Stage, Used, add, on_each, settle};
use crate::experiment::valid::Passed;
use crate::experiment::{Bench, Changes, Experiment, NoEffect, devices, timed};
use crate::report::record::{Check, ClaimRecord, Part, Record, Unseen};
use crate::scenario::tick::PUBLISHED_SEED;
use crate::subject::Subjects;
use sync_tick::{check_device, check_message};

impl Experiment for TickTrial {
    fn judges(&self) -> &'static [Judge] {
        &[Judge::TickMessage, Judge::TickOnDevice, Judge::Link, Judge::Expectation]
    }

    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect> {
        let bounds = ["--budget", "--memory", "--orders"];
        changes.refuse(&bounds, "is about arrival orders, and a tick has none")?;
        changes.refuse_engines()?;
        self.seed = changes.seed.unwrap_or(self.seed);
        Ok(())
    }

    fn answers(&self) -> Answers {
        let checks = sync_tick::checks(self.seed).into();
        Answers { checks, tick: true, device: true, ..Answers::default() }
    }

    fn no_fault(&self, fault: Fault) -> Option<&'static str> {
        (fault.site() == Site::Engine).then_some("a tick does not use the engine")
    }

    fn run(&self, _passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError> {
        let Bench { subjects, jobs, record, watch } = bench;
        let checks = |job: &mut Job<'_>, watch: &mut dyn Watch| ((), check_on_device(job, self.seed, watch));
        let trial = record.asked.trial.clone();
        let asked = Asked { trial: &trial, first: 0, checks: &checks, accuses: &|(), _| false };
        let (mut used, ended) = on_each(subjects, &jobs, &asked, watch);
        add_checks(record, &mut used, self.seed)?;
        settle(record, used);
        ended
    }

    /// That the message can be decoded and, on a device, that it arrives whole.
    fn claims(&self, record: &Record, _subjects: &Subjects) -> Vec<ClaimRecord> {
        if record.ticks.iter().all(|tick| tick.changed.is_empty()) {
            return Vec::new();
        }
        let checks = &record.checks;
        let is_of_message = |check: &Check| check.part == Part::Message;
        let mut claims = vec![claims::claim(FaultClass::WrongMessage, MESSAGE, checks, &is_of_message)];
        for device in &record.devices {
            let of_device = |check: &Check| check.subjects.contains_key(&device.name);
            for class in [FaultClass::StaleRead, FaultClass::LostHighWord] {
                claims.push(claims::claim(class, &device.name, checks, &of_device));
            }
        }
        claims
    }

    fn unseen(&self, _record: &Record, _subjects: &Subjects) -> Unseen {
        Unseen::default()
    }
}

/// Has a device that has contexts apply the tick of this seed, in its job.
///
/// # Errors
/// If the user stops it, or the device gives no answer.
pub fn check_on_device(job: &mut Job<'_>, seed: Seed, watch: &mut dyn Watch) -> Result<(), SubjectError> {
    job.stage(stage(seed), |device, record| {
        let device = device.device();
        if device.adapter() != AdapterShape::Contexts {
            return Ok(());
        }
        let (check, flaw) = timed(record, sync_tick::name(seed), |_| check_device(device, seed, watch))?;
        record.checks.push(check);
        devices::explain(record, device, flaw);
        Ok(())
    })
}

/// Adds the check of this tick's message, which takes no time, and what the devices made of the tick.
///
/// # Errors
/// If the message's bytes are counted wrongly.
pub fn add_checks<T>(record: &mut Record, used: &mut [Used<T>], seed: Seed) -> Result<(), SubjectError> {
    let (check, tick) = check_message(seed)?;
    record.checks.push(check);
    record.ticks.push(tick);
    add(record, used, stage(seed));
    Ok(())
}

fn stage(seed: Seed) -> Stage {
    if seed == PUBLISHED_SEED { Stage::PublishedTick } else { Stage::OwnTick }
}
