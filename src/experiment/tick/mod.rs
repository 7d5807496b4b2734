//! One sync tick: its message, and what every device makes of it.

pub mod message;
pub mod sync_tick;

use crate::domain::fault::{Fault, FaultClass, Site};
use crate::domain::judge::Judge;
use crate::domain::seed::Seed;
use crate::domain::subject::{AdapterShape, Device, SubjectError};
use crate::domain::trial::TickTrial;
use crate::domain::watch::Watch;
use crate::experiment::answers::Answers;
use crate::experiment::claims::{self, MESSAGE};
use crate::experiment::valid::Passed;
use crate::experiment::{Bench, Changes, Experiment, NoEffect, devices, timed};
use crate::report::record::{Check, ClaimRecord, Part, Record, Unseen};
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
        let Bench { subjects, record, watch, .. } = bench;
        let tried = check(self.seed, subjects, record, watch);
        if tried == Err(SubjectError::Interrupted) {
            return tried;
        }
        tried.and(devices::judge(subjects, record, watch))
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

/// Checks the message of this seed's tick, and the tick on every device that has contexts.
///
/// # Errors
/// If the user stops it, or a device gives no answer.
pub fn check(
    seed: Seed,
    subjects: &mut Subjects,
    record: &mut Record,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let (check, tick) = check_message(seed)?;
    record.checks.push(check);
    record.ticks.push(tick);
    let takes_ticks = |device: &&mut dyn Device| device.adapter() == AdapterShape::Contexts;
    for device in subjects.all_devices_mut().filter(takes_ticks) {
        let (check, flaw) = timed(record, sync_tick::name(seed), |_| check_device(device, seed, watch))?;
        record.checks.push(check);
        devices::explain(record, device, flaw);
    }
    Ok(())
}
