//! The laws of algebras.

use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::law::LawTrial;
use crate::domain::verdict::Verdict;

/// The laws of algebras (evidence: software).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LawsRecord {
    /// How the verdicts were got.
    pub evidence: Evidence,
    /// Every law of every algebra that was tried, claimed or not.
    pub trials: Vec<LawTrial>,
    /// What each algebra bears of its network, computed from the verdicts.
    pub delivery: Vec<DeliveryRecord>,
}

/// What an algebra bears of its network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryRecord {
    /// The algebra's name.
    pub algebra: String,
    /// Whether every order comes to the same: commutative and associative.
    pub any_order: Verdict,
    /// Whether a second copy right after the first changes nothing: associative and idempotent.
    pub repeated_at_once: Verdict,
    /// Whether a second copy changes nothing whenever it arrives: all three.
    pub repeated_at_any_time: Verdict,
}
