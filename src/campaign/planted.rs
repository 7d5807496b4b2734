//! What became of the planted faults.

use crate::domain::fault::{Activity, Fault, Site};
use crate::domain::seed::Seed;
use crate::domain::verdict::Verdict;
use crate::fault::catalogue::{Use, why_equivalent, why_not_activated, why_unchanged};
use crate::report::record::{CauseRecord, Check, Part, PlantedOutcome, PlantedRecord};
use crate::subject::told::Told;

/// The outcome of every fault that was to be planted, in every device that takes faults. A fault is detected if it
/// changed something, a check of its part of the device was falsified, and it is either named as the cause or the only
/// one there that changed anything.
pub fn outcomes(
    faults: &[Fault],
    devices: &[Told],
    checks: &[Check],
    causes: &[CauseRecord],
    longest_run: u32,
    seed: Seed,
) -> Vec<PlantedRecord> {
    let takers: Vec<&Told> = devices.iter().filter(|device| !device.planted.is_empty()).collect();
    if takers.is_empty() {
        return faults.iter().map(|&fault| nowhere(fault)).collect();
    }
    let mut records = Vec::new();
    for device in takers {
        let used = Use { banks: device.record.banks, longest_run, seed };
        let planted = &device.planted;
        for &(fault, activity) in planted {
            let found_by = found_by(device.name(), fault.site(), checks);
            let changed_something =
                |(other, activity): &&(Fault, Activity)| other.site() == fault.site() && activity.changed > 0;
            let alone = planted.iter().filter(changed_something).count() == 1;
            let named =
                causes.iter().any(|cause| cause.device == device.name() && cause.names.contains(&fault.to_string()));
            records.push(outcome(device.name(), fault, activity, used, &found_by, alone || named));
        }
    }
    records
}

/// The checks that found this part of the device wrong, by name.
fn found_by<'a>(device: &str, site: Site, checks: &'a [Check]) -> Vec<&'a str> {
    let falsified = checks.iter().filter(|check| check.verdict == Verdict::Falsified);
    let of_device = falsified.filter(|check| check.findings.iter().any(|finding| finding.subject == device));
    let of_site = of_device.filter(|check| (check.part == Part::Engine) == (site == Site::Engine));
    of_site.map(|check| check.name.as_str()).collect()
}

fn nowhere(fault: Fault) -> PlantedRecord {
    PlantedRecord {
        device: String::new(),
        fault: fault.to_string(),
        outcome: PlantedOutcome::NotActivated,
        reached: 0,
        changed: 0,
        reason: why_not_activated(fault, None),
    }
}

fn outcome(
    device: &str,
    fault: Fault,
    activity: Activity,
    used: Use,
    found_by: &[&str],
    told_apart: bool,
) -> PlantedRecord {
    let Activity { reached, changed } = activity;
    let (outcome, reason) = match (reached, changed, found_by) {
        (0, ..) => (PlantedOutcome::NotActivated, why_not_activated(fault, Some(used))),
        (_, 0, _) => match why_equivalent(fault) {
            Some(reason) => (PlantedOutcome::Equivalent, reason),
            None => (PlantedOutcome::Escaped, why_unchanged(fault, used.seed)),
        },
        (.., []) => (PlantedOutcome::Escaped, "it changed something, and every check passed".to_owned()),
        (.., found_by) if told_apart => (PlantedOutcome::Detected, format!("found by {}", found_by.join(", "))),
        (.., found_by) => {
            let reason = format!(
                "found by {}, together with others planted; which of them it was is not told",
                found_by.join(", ")
            );
            (PlantedOutcome::FoundTogether, reason)
        }
    };
    PlantedRecord { device: device.to_owned(), fault: fault.to_string(), outcome, reached, changed, reason }
}
