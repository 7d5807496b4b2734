//! A chooser of arrival orders, and the text by which one is asked for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::order::Order;
use crate::domain::verdict::Warrant;

/// Chooses arrival orders of a workload, within a bound. What is chosen depends on the explorer's own values and on the
/// number of deltas alone.
pub trait Explorer {
    /// Its name in records and reports.
    fn name(&self) -> &'static str;

    /// How many orders of `deltas` deltas it chooses; `None` if a 64-bit number does not tell.
    fn number(&self, deltas: u64) -> Option<u64>;

    /// At most `limit` orders of `deltas` deltas, made as they are asked for.
    fn orders(&self, deltas: u64, limit: u64) -> Box<dyn Iterator<Item = Order>>;

    /// What it is worth when all subjects agree over `tried` of the orders that it chose; `None` where the choice
    /// says nothing about the orders that were left out.
    fn warrant(&self, deltas: u64, tried: u64) -> Option<Warrant>;

    /// Memory that choosing them takes, in bytes.
    fn bytes(&self, _deltas: u64) -> u64 {
        0
    }

    /// Whether the first `tried` of its orders are what its warrant takes them for; `None` where that is no question of
    /// chance.
    fn audit(&self, _deltas: u64, _tried: u64) -> Option<Audit> {
        None
    }
}

/// What drawn orders look like, beside what chance gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The orders that were looked at.
    pub orders: u64,
    /// How many of them differ.
    pub distinct: u64,
    /// Positions of each that were looked at.
    pub positions: u64,
    /// How far their inversions are from the mean, in thousandths of a standard deviation.
    pub inversions_off_by: i64,
    /// Why they cannot be taken for drawn, where they cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
}

/// An explorer as it is asked for: a name, and what may follow it and a colon. Which names there are is known to
/// `explore` alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExplorerSpec(String);

/// What asks for the strongest explorer that fits: the default of a scenario.
pub const AUTO: &str = "auto";

/// What asks for the standard campaign's own plan: the default where COUNT and SEED are all that is given.
pub const STANDARD: &str = "standard";

/// A text that asks for no explorer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' asks for no explorer; it begins with a name, such as auto or covering:3")]
pub struct ExplorerSpecError(String);

impl ExplorerSpec {
    /// The strongest that fits.
    pub fn auto() -> Self {
        ExplorerSpec(AUTO.to_owned())
    }

    /// The standard campaign's own plan.
    pub fn standard() -> Self {
        ExplorerSpec(STANDARD.to_owned())
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(name, _)| name)
    }

    /// What follows the first colon, if there is one.
    pub fn argument(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, argument)| argument)
    }
}

impl FromStr for ExplorerSpec {
    type Err = ExplorerSpecError;

    fn from_str(text: &str) -> Result<Self, ExplorerSpecError> {
        let begins_with_a_name = text.starts_with(|c: char| c.is_ascii_alphabetic());
        if begins_with_a_name { Ok(ExplorerSpec(text.to_owned())) } else { Err(ExplorerSpecError(text.to_owned())) }
    }
}

impl TryFrom<String> for ExplorerSpec {
    type Error = ExplorerSpecError;

    fn try_from(text: String) -> Result<Self, ExplorerSpecError> {
        text.parse()
    }
}

impl From<ExplorerSpec> for String {
    fn from(spec: ExplorerSpec) -> String {
        spec.0
    }
}

impl fmt::Display for ExplorerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
