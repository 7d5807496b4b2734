//! Looks into simulated devices that went wrong: the smallest case of each finding, again, with a waveform of the clocks
//! around the first wrong one.

use siphasher::sip::SipHasher24;

use crate::campaign::{adapter_round_trips, arrival_orders};
use crate::domain::case::Case;
use crate::domain::execution::Execution;
use crate::domain::fault::Site;
use crate::domain::subject::{BenchDevice, Subject, SubjectError};
use crate::domain::watch::Watch;
use crate::domain::waveform::Look;
use crate::report::record::{Record, WaveformRecord};
use crate::subject::Subjects;

/// A waveform that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waveform {
    /// The case that it is of.
    pub case: String,
    /// What its file is called: the same for the same case.
    pub name: String,
    /// The text of a VCD file.
    pub vcd: String,
}

/// Looks into the devices that a record finds wrong, and adds to it what is seen. Gives the waveforms, which are not
/// written yet. A device that gives no answer any more is not looked into further.
pub fn look_into(record: &mut Record, subjects: &Subjects, watch: &mut dyn Watch) -> Vec<Waveform> {
    let mut waveforms = Vec::new();
    let findings = record.checks.iter().flat_map(|check| &check.findings).filter(|finding| finding.reproducible);
    for finding in findings {
        let Some(device) = subjects.devices.iter().find(|device| device.name() == finding.subject) else { continue };
        if record.waveforms.iter().any(|known| known.case == finding.case) {
            continue;
        }
        let case: Case = finding.case.parse().expect("a finding's case was made from one");
        let Ok(Some(look)) = look_into_case(&case, device, watch) else { continue };
        let (waveform, seen) = told(&case, look);
        record.waveforms.push(seen);
        waveforms.extend(waveform);
    }
    waveforms
}

/// Looks into a device while it replays a case; `None` if it cannot be looked into, or the case is not of a device.
pub fn look_into_case(
    case: &Case,
    device: &dyn BenchDevice,
    watch: &mut dyn Watch,
) -> Result<Option<Look>, SubjectError> {
    let part = match case.execution {
        Execution::Engine(_) => Site::Engine,
        Execution::Adapter(_) | Execution::Delivery { .. } => Site::Adapter,
        Execution::Accumulate { .. } | Execution::Merge { .. } | Execution::Edits { .. } => return Ok(None),
    };
    device.look_into(part, &mut |device| match &case.execution {
        Execution::Engine(run) => device.run(*run, watch).map(drop),
        Execution::Adapter(ops) => adapter_round_trips::operate(device, ops, watch).map(drop),
        Execution::Delivery { count, seed, order } => {
            arrival_orders::deliver(device, order, *count, *seed, watch).map(drop)
        }
        Execution::Accumulate { .. } | Execution::Merge { .. } | Execution::Edits { .. } => Ok(()),
    })
}

/// A look as a record tells it, and the waveform if there is one.
pub fn told(case: &Case, look: Look) -> (Option<Waveform>, WaveformRecord) {
    let text = case.to_string();
    let seen = |clock, nanoseconds, bank, what| WaveformRecord {
        case: text.clone(),
        device: case.subject.clone(),
        clock,
        nanoseconds,
        bank,
        what,
        file: None,
    };
    match look.first_wrong {
        None => {
            let what = format!("no clock of the first {} differs from a sound model's", look.compared);
            (None, seen(None, None, None, what))
        }
        Some(first) => {
            let record = seen(Some(first.clock), Some(first.nanoseconds), first.bank, first.what);
            (Some(Waveform { name: file_name(case), case: text, vcd: look.vcd }), record)
        }
    }
}

/// Short, free of what a file system may not take, and another one for another case.
fn file_name(case: &Case) -> String {
    let digest = SipHasher24::new().hash(case.to_string().as_bytes());
    format!("{}-{:08x}.vcd", case.subject.replace(':', "-"), digest >> 32)
}
