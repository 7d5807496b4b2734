//! What became of the planted faults.

use crate::campaign::engine_sweeps::{BANK_SWEEP, SHORT_SWEEP};
use crate::domain::fault::{Activity, Fault, Site};
use crate::domain::seed::Seed;
use crate::domain::subject::Device;
use crate::domain::verdict::Verdict;
use crate::fault::catalogue::{Use, why_equivalent, why_not_activated};
use crate::report::record::{Check, PlantedOutcome, PlantedRecord};

/// The outcome of every fault that was to be planted, in every device that takes faults. A fault is detected if it
/// changed something and a check of its device was falsified.
pub fn outcomes(
    faults: &[Fault],
    devices: &[&dyn Device],
    checks: &[Check],
    longest_run: u32,
    seed: Seed,
) -> Vec<PlantedRecord> {
    let takers: Vec<&&dyn Device> = devices.iter().filter(|device| !device.planted().is_empty()).collect();
    if takers.is_empty() {
        return faults.iter().map(|&fault| nowhere(fault)).collect();
    }
    let mut records = Vec::new();
    for device in takers {
        let used = Use { banks: device.identity().banks, longest_run, seed };
        let found_by = |site: Site| -> Vec<&str> {
            let falsified = checks.iter().filter(|check| check.verdict == Verdict::Falsified);
            let of_device = falsified.filter(|check| check.findings.iter().any(|f| f.subject == device.name()));
            let of_site = of_device.filter(|check| site_of(&check.name) == site);
            of_site.map(|check| check.name.as_str()).collect()
        };
        for (fault, activity) in device.planted() {
            records.push(outcome(device.name(), fault, activity, used, &found_by(fault.site())));
        }
    }
    records
}

/// The part of a device that a check uses.
fn site_of(check: &str) -> Site {
    match check {
        BANK_SWEEP | SHORT_SWEEP => Site::Engine,
        _ => Site::Adapter,
    }
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

fn outcome(device: &str, fault: Fault, activity: Activity, used: Use, found_by: &[&str]) -> PlantedRecord {
    let Activity { reached, changed } = activity;
    let (outcome, reason) = match (reached, changed, found_by) {
        (0, ..) => (PlantedOutcome::NotActivated, why_not_activated(fault, Some(used))),
        (_, 0, _) => (PlantedOutcome::Equivalent, why_equivalent(fault, used)),
        (.., []) => (PlantedOutcome::Escaped, "it changed something, and every check passed".to_owned()),
        (.., found_by) => (PlantedOutcome::Detected, format!("found by {}", found_by.join(", "))),
    };
    PlantedRecord { device: device.to_owned(), fault: fault.to_string(), outcome, reached, changed, reason }
}
