//! Walks over every order.

use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::hex::Hex64;

/// A walk over every order, or a search of every delivered set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalkRecord {
    /// The check that it belongs to.
    pub check: String,
    /// How the states were got.
    pub evidence: Evidence,
    /// The schedules, in words.
    pub schedules: String,
    /// How many of them are proved to agree, as a full integer: all or none.
    pub proved: String,
    /// How many there are, as a full integer.
    pub of: String,
    /// Deliveries that the judgement rests on.
    pub merges: u64,
    /// Delivered sets whose every way was tried.
    pub sets: u64,
    /// Different snapshots of these sets.
    pub snapshots: u64,
    /// All ways to deliver up to so many deltas agree.
    pub settled: u32,
    /// What the judgement takes for granted, a sentence each.
    pub assumptions: Vec<String>,
    /// Two ways that disagree, if any do.
    pub ways: Vec<WayRecord>,
}

/// Deliveries, and the state that they lead to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WayRecord {
    /// Index and value of each delta, in the order of delivery.
    pub deltas: Vec<(u32, Hex64)>,
    /// The state after all of them.
    pub state: Hex64,
}
