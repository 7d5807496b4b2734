//! What every experiment on devices ends with: the registers that the driver read back wrong, and the link of a device that
//! is accused.

pub mod job;
pub mod link_on_trial;
pub mod read_backs;

use crate::domain::subject::{Device, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::oracle::contexts::Flaw;
use crate::report::record::{CauseRecord, Check, Part, Record};
use crate::subject::Subjects;

/// Judges what lies between abench and the devices, after all other checks.
///
/// # Errors
/// If the user stops it, or a device gives no answer.
pub fn judge(subjects: &mut Subjects, record: &mut Record, watch: &mut dyn Watch) -> Result<(), SubjectError> {
    subjects.all_devices().for_each(|device| read_backs::judge(device, record));
    link_on_trial::judge(subjects, record, watch)
}

/// Adds the fault of a device's adapter that explains what a check found, if it explains all of it.
pub fn explain(record: &mut Record, device: &dyn Device, flaw: Option<Flaw>) {
    let falsified = |check: &&Check| check.part == Part::Adapter && check.verdict == Verdict::Falsified;
    let of_device = record.checks.iter().filter(falsified).filter(|check| check.subjects.contains_key(device.name()));
    let others = record.causes.iter().filter(|cause| cause.device == device.name() && cause.in_adapter).count();
    // What explains few answers, and not those of an earlier check, explains nothing.
    let Some(flaw) = flaw.filter(|_| others > 0 || of_device.count() <= 1) else { return };
    let (sentence, names) = (flaw.sentence(), flaw.faults());
    let known = |cause: &CauseRecord| cause.device == device.name() && cause.sentence == sentence;
    if !record.causes.iter().any(known) {
        let (dead_banks, flipped_bits, lost_deltas) = Default::default();
        let device = device.name().to_owned();
        let names = names.iter().map(ToString::to_string).collect();
        record.causes.push(CauseRecord {
            device,
            in_adapter: true,
            sentence,
            dead_banks,
            flipped_bits,
            lost_deltas,
            names,
        });
    }
}
