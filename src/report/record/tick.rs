//! Sync ticks in bytes.

use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::hex::Hex64;

/// One sync tick, in bytes (evidence: software, by encoding and decoding the message).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TickRecord {
    /// What decides which contexts change.
    pub seed: Hex64,
    /// How the bytes were got.
    pub evidence: Evidence,
    /// Whether it is the published one.
    pub published: bool,
    /// The contexts that change.
    pub changed: Vec<u32>,
    /// The values alone, which no receiver could decode.
    pub value_bytes: u64,
    /// What tells which contexts they belong to.
    pub addressing_bytes: u64,
    /// What tells where the message ends.
    pub framing_bytes: u64,
    /// What tells a repeated message from a new one.
    pub id_bytes: u64,
    /// What tells a damaged message.
    pub checksum_bytes: u64,
    /// The whole message.
    pub message_bytes: u64,
    /// The information bound for arbitrary values, in tenths of a byte, rounded; the receiver knows how many changed.
    pub bound_tenths: u64,
    /// The same for values whose lowest bit is always 1, as these are.
    pub odd_bound_tenths: u64,
    /// The full state.
    pub full_state_bytes: u64,
    /// Messages of ticks that change fewer and more contexts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_density: Vec<DensityRecord>,
}

/// The message of a tick that changes so many contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DensityRecord {
    /// How many contexts change.
    pub changed: u32,
    /// The whole message; a receiver decoded it.
    pub message_bytes: u64,
    /// The information bound for arbitrary values, in tenths of a byte, rounded.
    pub bound_tenths: u64,
}
