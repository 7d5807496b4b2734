//! The record of a trial of curves: what a sync takes as one thing grows, beside the full state and the information bound;
//! and what a client pays that comes new, lost its store, or lost its place.

use serde::{Deserialize, Serialize};

use crate::domain::curves::Axis;
use crate::domain::evidence::Evidence;
use crate::domain::verdict::Verdict;

/// A trial of curves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvesRecord {
    /// Registers of a replica.
    pub registers: u32,
    /// Of these, those that a tick changes where nothing else is said.
    pub changed: u32,
    /// The largest amount where nothing else is said.
    pub most: u32,
    /// Syncs that a point is the median of.
    pub samples: u32,
    /// How the numbers were got.
    pub evidence: Evidence,
    /// The curves.
    pub curves: Vec<CurveRecord>,
    /// What two replicas pay to find out in which ids they differ, where neither knows what the other has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceRecord>,
    /// Ticks before a client comes new, wiped or set back.
    pub arrivals_after: u32,
    /// What such a client pays, an engine each.
    pub arrivals: Vec<ArrivalRecord>,
}

/// One curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveRecord {
    /// What grows.
    pub axis: Axis,
    /// Its points, in ascending order.
    pub points: Vec<PointRecord>,
}

/// One point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointRecord {
    /// How far along the axis, in its unit.
    pub x: u32,
    /// The information bound of all messages of the point together, in tenths of a byte, rounded: the median.
    pub bound_tenths: u64,
    /// The full state in all of these messages, in bytes.
    pub full_state: u64,
    /// The full state in all of them, compressed by zstd at level 3: the median.
    pub zstd: u64,
    /// The changes in all of them as a zstd patch on what the receiver has: the median.
    pub zstd_patch: u64,
    /// What each engine takes.
    pub rows: Vec<CurveRow>,
}

/// An engine at a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveRow {
    /// The engine.
    pub engine: String,
    /// Bytes from clients, and to clients: of the sync with the median of both.
    pub up: u64,
    /// See `up`.
    pub down: u64,
    /// Registers that are wrong at the replica with most wrong ones, at any sync.
    pub wrong: u32,
    /// Bytes that the hub stores in the end.
    pub hub_stores: u64,
    /// Bytes that the first client stores in the end.
    pub client_stores: u64,
}

impl CurveRow {
    /// Bytes both ways.
    pub fn total(&self) -> u64 {
        self.up + self.down
    }
}

/// A client that lost its place: sets of ids, of which each side lacks half of the differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceRecord {
    /// Ids that a side has.
    pub ids: u64,
    /// Ids that one side has alone.
    pub differences: u32,
    /// Bytes both ways until each side knows which ids to send: sums, requests, and the hashes that are asked for.
    pub sketch: u64,
    /// Parts in which the sums were sent.
    pub parts: u32,
    /// Bytes of all ids, 6 bytes each, which is what a side sends that has no sketch.
    pub all_ids: u64,
    /// The information bound, in tenths of a byte: which of the ids differ.
    pub bound_tenths: u64,
    /// Differences that were not found, or found and are none.
    pub wrong: u32,
}

/// What a client pays that comes without what it had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrivalRecord {
    /// The engine.
    pub engine: String,
    /// Bytes both ways of the first sync of a new client.
    pub new: u64,
    /// Of a client that lost its store and comes back as who it was.
    pub wiped: u64,
    /// Of a client whose store was set back by ten ticks. Nothing where the engine refused to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_back: Option<u64>,
    /// Of a sync in which nobody has anything to say.
    pub idle: u64,
    /// Registers that are wrong after all of that, at the replica with most wrong ones.
    pub wrong: u32,
    /// What the judge says of the engine, at all points.
    pub verdict: Verdict,
    /// How an engine that others made failed by itself, if it did. Points that it did not come to have no row of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}
