//! The record of `rtl/mutate`: mutants of the gateware that the campaigns were tried with.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What every such record says it is.
pub const FORMAT: &str = "abench-rtl-mutation";

/// The version of the format.
pub const VERSION: u32 = 1;

/// What became of mutants of the gateware.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RtlMutation {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The version of yosys that made the mutants.
    pub yosys: String,
    /// What they were drawn from.
    pub seed: u64,
    /// SHA-256 of the sources.
    pub rtl: String,
    /// The campaigns that each was tried with: a name and its command.
    pub campaigns: Vec<String>,
    /// The mutation score by part of the gateware, and of `all`.
    pub score: BTreeMap<String, Score>,
    /// The mutants.
    pub mutants: Vec<Mutant>,
}

/// How many mutants came to what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// All of them.
    pub planted: u64,
    /// Those that a check found.
    pub killed: u64,
    /// Those that were shown as a difference in what the device's documents leave open.
    pub shown: u64,
    /// Those that no check found.
    pub survived: u64,
    /// Those that are proved to be the same circuit.
    pub equivalent: u64,
    /// Killed, of the planted less the equivalent; nothing where there are none.
    pub percent: Option<f64>,
}

/// A mutant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// Its number.
    pub number: u64,
    /// The part of the gateware.
    pub part: String,
    /// What was changed.
    pub change: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The campaign and the check that found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What proves that it is equivalent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Why it survived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// No check found it.
    Survived,
    /// It was shown as a difference in what the device's documents leave open.
    Shown,
    /// It is proved to be the same circuit.
    Equivalent,
    /// A check found it.
    Killed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::Survived => "survived",
            Outcome::Shown => "shown",
            Outcome::Equivalent => "equivalent",
            Outcome::Killed => "killed",
        })
    }
}
