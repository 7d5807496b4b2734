//! A case again, or a whole record again.

use crate::campaign::engine_sweeps;
use crate::campaign::{accumulation, arrival_orders};
use crate::domain::case::Case;
use crate::domain::evidence::Evidence;
use crate::domain::execution::{EngineRun, Execution};
use crate::domain::finding::Quantity;
use crate::domain::hex::Hex64;
use crate::domain::order::Order;
use crate::domain::seed::Seed;
use crate::domain::subject::{Device, Subject, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::explore::permutation::{Undeliverable, deliverable};
use crate::oracle::contexts::first_wrong_read;
use crate::oracle::equations;
use crate::report::record::Record;
use crate::subject::Subjects;

/// What a case showed when it was replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// How the answers are got.
    pub evidence: Evidence,
    /// What was compared.
    pub compared: Vec<Comparison>,
    /// Holds if everything is as it should be.
    pub verdict: Verdict,
    /// Planted faults that did nothing in this case, by their texts.
    pub idle_faults: Vec<String>,
}

/// One quantity as it should be and as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Which.
    pub quantity: Quantity,
    /// As it should be.
    pub expected: Hex64,
    /// As it is.
    pub got: Hex64,
}

/// Why a case cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The subject cannot do what the case asks.
    #[error("{subject} cannot replay this case: {reason}")]
    Incapable {
        /// The subject's name.
        subject: String,
        /// What it cannot do.
        reason: String,
    },
    /// There is no such order of the workload.
    #[error(transparent)]
    Order(#[from] Undeliverable),
    /// The subject gave no answer.
    #[error(transparent)]
    Subject(#[from] SubjectError),
}

/// Replays a case on the one subject that was opened for it.
pub fn case(case: &Case, subjects: &mut Subjects, watch: &mut dyn Watch) -> Result<Replayed, ReplayError> {
    if let Execution::Delivery { count, seed, order } = &case.execution {
        deliverable(order, (*count).into(), *seed)?;
    }
    let incapable = |reason: &str| ReplayError::Incapable { subject: case.subject.clone(), reason: reason.to_owned() };
    let compared = match (&case.execution, &mut subjects.accumulators[..], &mut subjects.devices[..]) {
        (Execution::Engine(run), _, [device]) => engine(device, *run, watch)?,
        (Execution::Adapter(ops), _, [device]) => {
            let shown = device.operate(ops)?;
            let wrong = first_wrong_read(ops, &shown);
            let last = shown.last().copied().unwrap_or(0);
            let (expected, got) = wrong.map_or((last, last), |wrong| (wrong.expected, wrong.got));
            vec![Comparison { quantity: Quantity::State, expected: Hex64(expected), got: Hex64(got) }]
        }
        (Execution::Accumulate { count, seed }, [accumulator], _) => {
            let expected = equations::right_result(EngineRun { count: *count, active: 1, seed: *seed });
            let got = accumulation::accumulate(accumulator.as_mut(), *count, *seed, watch)?;
            vec![Comparison { quantity: Quantity::Result, expected: Hex64(expected), got: Hex64(got) }]
        }
        (Execution::Delivery { count, seed, order }, [accumulator], []) => {
            delivery(accumulator.as_mut(), *count, *seed, order)?
        }
        (Execution::Delivery { count, seed, order }, [], [device]) => {
            if u64::from(*count) > device.longest_order() {
                return Err(incapable("a device takes orders of at most 256 deltas"));
            }
            delivery(device, *count, *seed, order)?
        }
        (Execution::Engine(_) | Execution::Adapter(_), ..) => return Err(incapable("it has no engine and no adapter")),
        (Execution::Accumulate { .. } | Execution::Delivery { .. }, ..) => {
            return Err(incapable("it does not generate deltas by itself; use a case of kind engine"));
        }
    };
    let right = compared.iter().all(|comparison| comparison.expected == comparison.got);
    Ok(Replayed {
        evidence: evidence(subjects),
        compared,
        verdict: if right { Verdict::Holds } else { Verdict::Falsified },
        idle_faults: idle_faults(subjects),
    })
}

fn engine(device: &mut dyn Device, run: EngineRun, watch: &mut dyn Watch) -> Result<Vec<Comparison>, ReplayError> {
    let banks = device.identity().banks;
    if run.active > banks {
        let reason = format!("it has {banks} banks and the case wants {} active", run.active);
        return Err(ReplayError::Incapable { subject: device.name().to_owned(), reason });
    }
    let observed = engine_sweeps::observe(device, &[run], equations::right_result, watch)?[0];
    let (expected, got) = (observed.expected, observed.got);
    Ok(vec![
        Comparison { quantity: Quantity::Result, expected: Hex64(expected.result), got: Hex64(got.result) },
        Comparison {
            quantity: Quantity::Cycles,
            expected: Hex64(expected.cycles.into()),
            got: Hex64(got.cycles.into()),
        },
    ])
}

fn delivery(subject: &mut dyn Subject, count: u32, seed: Seed, order: &Order) -> Result<Vec<Comparison>, ReplayError> {
    let (expected, got) = arrival_orders::deliver(subject, order, count, seed)?;
    Ok(vec![Comparison { quantity: Quantity::State, expected: Hex64(expected), got: Hex64(got) }])
}

fn evidence(subjects: &Subjects) -> Evidence {
    subjects.devices.first().map_or(Evidence::Software, |device| device.evidence())
}

fn idle_faults(subjects: &Subjects) -> Vec<String> {
    let planted = subjects.devices.iter().flat_map(|device| device.planted());
    planted.filter(|(_, activity)| activity.changed == 0).map(|(fault, _)| fault.to_string()).collect()
}

/// Where two records differ outside `timing` and `host`: the paths, shortest first within each part.
pub fn differences(recorded: &Record, fresh: &Record) -> Vec<String> {
    let value = |record: &Record| {
        serde_json::to_value(record.without_timing_and_host()).expect("a record holds nothing that JSON cannot")
    };
    let mut paths = Vec::new();
    compare("", &value(recorded), &value(fresh), &mut paths);
    paths
}

fn compare(path: &str, recorded: &serde_json::Value, fresh: &serde_json::Value, paths: &mut Vec<String>) {
    use serde_json::Value::{Array, Object};
    match (recorded, fresh) {
        (Object(a), Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let absent = serde_json::Value::Null;
                compare(&format!("{path}/{key}"), a.get(key).unwrap_or(&absent), b.get(key).unwrap_or(&absent), paths);
            }
        }
        (Array(a), Array(b)) if a.len() == b.len() => {
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}/{place}"), a, b, paths);
            }
        }
        _ if recorded == fresh => {}
        _ => paths.push(format!("{path}: recorded {recorded}, now {fresh}")),
    }
}
