//! The times of repeated runs of one trial, as a record keeps them.
//!
//! Knows: nothing of what the trial is. Must not: measure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::record::Deliveries;

/// One of several runs of a trial.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The whole run by the clock on the wall, in microseconds.
    pub total_us: u64,
    /// The processor time of the process in the run, all threads together, in microseconds; nothing where the system does
    /// not tell.
    pub processor_us: Option<u64>,
    /// Every check by the clock on the wall, in microseconds.
    pub checks_us: Vec<(String, u64)>,
    /// Half of the whole arrival orders took at most so long, in nanoseconds, by subject.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub orders_ns: BTreeMap<String, u64>,
    /// Half of the register round trips took at most so long, in nanoseconds, by device.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub round_trips_ns: BTreeMap<String, u64>,
    /// Deliveries in worlds of clients.
    pub deliveries: Deliveries,
    /// A piece of work that is always the same, made right before the run and right after it.
    pub yardstick: [Yardstick; 2],
}

/// How long a fixed piece of work took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Yardstick {
    /// By the clock on the wall, in nanoseconds. More than the processor time: other programs had the processor.
    pub wall_ns: u64,
    /// The processor time of the thread, in nanoseconds; nothing where the system does not tell. More than elsewhere: the
    /// processor was slower.
    pub processor_ns: Option<u64>,
}
