//! A finding: one observed contradiction, with the case that shows it again.

use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::hex::Hex64;
use crate::domain::oracle::OracleId;

/// Which of a subject's outputs was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// The merged result of an engine run.
    Result,
    /// The cycle counter of an engine run.
    Cycles,
    /// The state that a subject shows.
    State,
    /// A word that a register shows.
    Word,
    /// How many judges of a world have something against what replicas did.
    Judges,
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Quantity::Result => "result",
            Quantity::Cycles => "cycles",
            Quantity::State => "state",
            Quantity::Word => "word",
            Quantity::Judges => "judges",
        })
    }
}

/// One contradiction between what a subject showed and what it should have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The subject that showed it.
    pub subject: String,
    /// How its answers are got.
    pub evidence: Evidence,
    /// What was being done, in words.
    pub during: String,
    /// What was wrong.
    pub quantity: Quantity,
    /// What it should have been.
    pub expected: Hex64,
    /// What it was.
    pub got: Hex64,
    /// Whether the same execution gave the same wrong answer again.
    pub reproducible: bool,
    /// The judge that found it.
    pub oracle: OracleId,
    /// The smallest case that was found to show a contradiction of this kind, as a text for `abench replay`.
    pub case: String,
    /// How small that case is, in words, and whether smaller ones were ruled out.
    pub size: String,
}
