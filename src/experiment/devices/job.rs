//! A device is one job: whatever is asked of it, from the first check to the look at its link.
//!
//! It is one because a device is used by one at a time, keeps state from one check to the next, and counts what is asked of
//! it; and its round trips are timed, so that nothing else runs beside it. Knows: stages of checks. Must not: know which
//! checks there are.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{link_on_trial, read_backs};
use crate::domain::subject::{BenchDevice, Device, Subject, SubjectError};
use crate::domain::trial::Trial;
use crate::domain::watch::Watch;
use crate::experiment::jobs::Jobs;
use crate::report::record::{BankSweep, CauseRecord, Check, Record, WalkRecord};
use crate::subject::Subjects;
use crate::subject::told::Told;

/// A device that is used by one job.
pub enum OnTrial<'a> {
    /// It has a bench engine.
    Bench(&'a mut dyn BenchDevice),
    /// It has none.
    Plain(&'a mut dyn Device),
}

impl OnTrial<'_> {
    /// As any device.
    pub fn device(&mut self) -> &mut dyn Device {
        match self {
            OnTrial::Bench(device) => *device,
            OnTrial::Plain(device) => *device,
        }
    }

    /// As what takes deltas.
    pub fn subject(&mut self) -> &mut dyn Subject {
        match self {
            OnTrial::Bench(device) => *device,
            OnTrial::Plain(device) => *device,
        }
    }

    /// With its bench engine, if it has one.
    pub fn bench(&mut self) -> Option<&mut dyn BenchDevice> {
        match self {
            OnTrial::Bench(device) => Some(*device),
            OnTrial::Plain(_) => None,
        }
    }
}

/// What is asked of a device, in the order in which a record tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Both sweeps of its engine.
    Sweeps,
    /// As a client uses it.
    AsAClient,
    /// Every delivered set.
    EverySet,
    /// Its adapter, command by command.
    RoundTrips,
    /// Its registers against its documents.
    Conformance,
    /// The published tick.
    PublishedTick,
    /// The tick of another seed.
    OwnTick,
    /// What the driver read back.
    ReadBacks,
}

/// What a stage adds to the record.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    checks: Vec<Check>,
    walks: Vec<WalkRecord>,
    bank_sweeps: Vec<BankSweep>,
    causes: Vec<CauseRecord>,
    checks_us: Vec<(String, u64)>,
}

/// What a device's job came to; `T` is what its orders came to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Used<T> {
    parts: BTreeMap<Stage, Part>,
    /// What its arrival orders came to.
    pub orders: T,
    link: Option<Check>,
    told: Told,
}

/// A device in its job, and what was found in it so far.
pub struct Job<'a> {
    /// The device.
    pub device: OnTrial<'a>,
    record: Record,
    parts: BTreeMap<Stage, Part>,
}

impl Job<'_> {
    /// Makes the checks of a stage. What they add to the record is kept also where the device goes away before the end.
    ///
    /// # Errors
    /// As the checks.
    pub fn stage(
        &mut self,
        stage: Stage,
        check: impl FnOnce(&mut OnTrial<'_>, &mut Record) -> Result<(), SubjectError>,
    ) -> Result<(), SubjectError> {
        let Record { checks, walks, bank_sweeps, causes, timing, .. } = &self.record;
        let before = [checks.len(), walks.len(), bank_sweeps.len(), causes.len(), timing.checks_us.len()];
        let made = check(&mut self.device, &mut self.record);
        let Record { checks, walks, bank_sweeps, causes, timing, .. } = &self.record;
        let part = Part {
            checks: checks[before[0]..].to_vec(),
            walks: walks[before[1]..].to_vec(),
            bank_sweeps: bank_sweeps[before[2]..].to_vec(),
            causes: causes[before[3]..].to_vec(),
            checks_us: timing.checks_us[before[4]..].to_vec(),
        };
        self.parts.insert(stage, part);
        made
    }
}

/// What is asked of each device, and how the outcomes are told apart.
pub struct Asked<'a, T> {
    /// The trial.
    pub trial: &'a Trial,
    /// The number of the first device's job among all jobs.
    pub first: usize,
    /// Makes the checks.
    #[allow(clippy::type_complexity)]
    pub checks: &'a dyn Fn(&mut Job<'_>, &mut dyn Watch) -> (T, Result<(), SubjectError>),
    /// Whether what came of the orders accuses the device of this name.
    pub accuses: &'a dyn Fn(&T, &str) -> bool,
}

/// Uses the devices, one after the other. After one that gives no answer, no other is used.
///
/// # Errors
/// In the second place, if the user stops it, a device gives no answer, or the journal cannot be used.
pub fn on_each<T: Serialize + DeserializeOwned>(
    subjects: &mut Subjects,
    jobs: &Jobs<'_>,
    asked: &Asked<'_, T>,
    watch: &mut dyn Watch,
) -> (Vec<Used<T>>, Result<(), SubjectError>) {
    let mut all = Vec::new();
    let benches = subjects.devices.len();
    for place in (0..benches + subjects.serials.len()).filter(|place| jobs.takes(asked.first + place)) {
        let name = subjects.told()[place].name().to_owned();
        let used = jobs.one(&format!("device {name}"), || {
            let device = match subjects.devices.get_mut(place) {
                Some(device) => OnTrial::Bench(device),
                None => OnTrial::Plain(&mut subjects.serials[place - benches]),
            };
            let record = Record::begun(asked.trial.clone());
            let mut job = Job { device, record, parts: BTreeMap::new() };
            let (orders, link, ended) = use_one(&mut job, asked, watch);
            let parts = job.parts;
            let told = subjects.told().swap_remove(place);
            (Used { parts, orders, link, told }, ended)
        });
        let (used, ended) = match used {
            Ok(used) => used,
            Err(error) => return (all, Err(error)),
        };
        if let Err(error) = is_of(&used.told, &subjects.told()[place]) {
            return (all, Err(SubjectError::Journal(error)));
        }
        subjects.kept.insert(name, used.told.clone());
        all.push(used);
        if ended.is_err() {
            return (all, ended);
        }
    }
    (all, Ok(()))
}

/// Makes the checks on one device, and looks at its registers and at its link.
fn use_one<T>(
    job: &mut Job<'_>,
    asked: &Asked<'_, T>,
    watch: &mut dyn Watch,
) -> (T, Option<Check>, Result<(), SubjectError>) {
    let (orders, tried) = (asked.checks)(job, watch);
    if tried == Err(SubjectError::Interrupted) {
        return (orders, None, tried);
    }
    // It asks the device nothing, and fails never.
    let judged = job.stage(Stage::ReadBacks, |device, record| {
        read_backs::judge(device.device(), record);
        Ok(())
    });
    let name = job.device.device().name().to_owned();
    let accused = job.record.checks.iter().any(|check| link_on_trial::accuses(check, &name));
    if !accused && !(asked.accuses)(&orders, &name) {
        return (orders, None, tried.and(judged));
    }
    let before = job.record.timing.checks_us.len();
    let (link, heard) = link_on_trial::hear(job.device.device(), &mut job.record, watch);
    let took = job.record.timing.checks_us[before..].to_vec();
    job.parts.entry(Stage::ReadBacks).or_default().checks_us.extend(took);
    (orders, link, tried.and(judged).and(heard))
}

/// Whether what a journal tells is of the device that is there.
fn is_of(told: &Told, live: &Told) -> Result<(), String> {
    let of = |told: &Told| {
        let faults: Vec<_> = told.planted.iter().map(|(fault, _)| *fault).collect();
        let crate::report::record::DeviceRecord { name, evidence, version, banks, link, .. } = told.record.clone();
        (name, evidence, version, banks, link, faults, told.asked.is_some(), told.in_process)
    };
    let name = live.name();
    let other = || format!("the journal was written with another device as {name}: remove it, and run again");
    if of(told) == of(live) { Ok(()) } else { Err(other()) }
}

/// Adds what the devices came to in a stage.
pub fn add<T>(record: &mut Record, used: &mut [Used<T>], stage: Stage) {
    for part in used.iter_mut().filter_map(|used| used.parts.remove(&stage)) {
        let Part { checks, walks, bank_sweeps, causes, checks_us } = part;
        record.checks.extend(checks);
        record.walks.extend(walks);
        record.bank_sweeps.extend(bank_sweeps);
        record.causes.extend(causes);
        record.timing.checks_us.extend(checks_us);
    }
}

/// Adds what is said of the devices' registers and links, after all other checks.
pub fn settle<T>(record: &mut Record, mut used: Vec<Used<T>>) {
    add(record, &mut used, Stage::ReadBacks);
    for Used { link, told, .. } in used {
        if let Some(check) = link {
            link_on_trial::settle(record, told.name(), check);
        }
    }
}
