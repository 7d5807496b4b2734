//! Looks into simulated devices that went wrong: the smallest case of each finding, again, with a waveform of the clocks
//! around the first wrong one.

use siphasher::sip::SipHasher24;

use crate::domain::case::Case;
use crate::domain::execution::{EngineRun, Execution};
use crate::domain::fault::Site;
use crate::domain::subject::{BenchDevice, Subject, SubjectError};
use crate::domain::watch::Watch;
use crate::domain::waveform::Look;
use crate::experiment::standard::{adapter_round_trips, arrival_orders};
use crate::report::record::{Record, WaveformRecord};
use crate::subject::Subjects;

/// A waveform that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waveform {
    /// The case that it is of.
    pub case: String,
    /// What its file is called: the same for the same case.
    pub name: String,
    /// The text of a VCD file, whose first line names the case.
    pub vcd: String,
}

impl Waveform {
    /// The first line of its file, by which a file is known to be a waveform of the same case.
    pub fn mark(&self) -> &str {
        self.vcd.lines().next().unwrap_or_default()
    }
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
        Execution::Registers(ref accesses) => accesses.last().map_or(Site::Engine, |access| access.part()),
        Execution::Accumulate { .. }
        | Execution::Merge { .. }
        | Execution::Edits { .. }
        | Execution::Tags { .. }
        | Execution::Script(_)
        | Execution::Walk(_)
        | Execution::Law(_) => {
            return Ok(None);
        }
    };
    device.look_into(part, &mut |device| match &case.execution {
        Execution::Engine(run) => device.run(*run, watch).map(drop),
        Execution::Adapter(ops) => adapter_round_trips::operate(device, ops, watch).map(drop),
        Execution::Registers(accesses) => device.access(accesses, watch).map(drop),
        Execution::Delivery { count, seed, order } => {
            arrival_orders::deliver(device, order, *count, *seed, watch).map(drop)
        }
        Execution::Accumulate { .. }
        | Execution::Merge { .. }
        | Execution::Edits { .. }
        | Execution::Tags { .. }
        | Execution::Script(_)
        | Execution::Walk(_)
        | Execution::Law(_) => Ok(()),
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
        unwritten: None,
    };
    match look.first_wrong {
        None => {
            let what = format!("no clock of the first {} differs from a sound model's", look.compared);
            (None, seen(None, None, None, what))
        }
        Some(first) => {
            let record = seen(Some(first.clock), Some(first.nanoseconds), first.bank, first.what);
            let vcd = format!("$comment abench waveform of {text} $end\n{}", look.vcd);
            (Some(Waveform { name: file_name(case), case: text, vcd }), record)
        }
    }
}

/// Says what was run and what was planted in it; short, free of what a file system may not take, and another one for
/// another case.
fn file_name(case: &Case) -> String {
    /// As many faults as a name says; the rest is counted.
    const SAID: usize = 3;
    let ran = match &case.execution {
        Execution::Engine(EngineRun { count, active, .. }) => format!("engine-count-{count}-active-{active}"),
        Execution::Adapter(_) => "adapter".to_owned(),
        Execution::Registers(_) => "registers".to_owned(),
        Execution::Delivery { count, .. } => format!("delivery-count-{count}"),
        // Of these there is no waveform.
        Execution::Accumulate { .. }
        | Execution::Merge { .. }
        | Execution::Edits { .. }
        | Execution::Tags { .. }
        | Execution::Script(_)
        | Execution::Walk(_)
        | Execution::Law(_) => "software".to_owned(),
    };
    let mut name = format!("abench-{}-{ran}", case.subject);
    case.faults.iter().take(SAID).for_each(|fault| name += &format!("-{fault}"));
    if case.faults.len() > SAID {
        name += &format!("-and-{}-more", case.faults.len() - SAID);
    }
    let digest = SipHasher24::new().hash(case.to_string().as_bytes());
    format!("{}-{:08x}.vcd", name.replace(':', "-"), digest >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(case: &str) -> String {
        file_name(&case.parse().expect("a case"))
    }

    #[test]
    fn a_file_is_named_after_what_was_run_and_what_was_planted() {
        let engine = name("case1,rtl,engine,count=4,active=3,seed=7,plant=dead-bank:3");
        assert!(engine.starts_with("abench-rtl-engine-count-4-active-3-dead-bank-3-"), "{engine}");
        let adapter = name("case1,rtl:4,adapter,ops=load:0:0x5+accum:0x3+read,plant=stale-read");
        assert!(adapter.starts_with("abench-rtl-4-adapter-stale-read-"), "{adapter}");
        let plants: String = (0..5).map(|bit| format!(",plant=flip-bit:{bit}")).collect();
        let many = name(&format!("case1,rtl,engine,count=4,active=3,seed=7{plants}"));
        assert!(many.contains("-flip-bit-0-flip-bit-1-flip-bit-2-and-2-more-"), "{many}");
    }

    #[test]
    fn another_case_has_another_name_and_none_has_what_a_file_system_may_not_take() {
        let one = name("case1,rtl,engine,count=4,active=3,seed=7");
        assert_eq!(one, name("case1,rtl,engine,count=4,active=3,seed=0x0000000000000007"));
        assert_ne!(one, name("case1,rtl,engine,count=4,active=3,seed=8"));
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)), "{one}");
    }
}
