//! A chooser of arrival orders, and the text by which one is asked for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::order::{Order, Shuffle};

/// Chooses arrival orders of a workload, within a bound. What is chosen depends on the explorer's own values and on the
/// number of deltas alone.
pub trait Explorer: Sync {
    /// Its name in records and reports.
    fn name(&self) -> &'static str;

    /// How many orders of `deltas` deltas it chooses; `None` if a 64-bit number does not tell.
    fn number(&self, deltas: u64) -> Option<u64>;

    /// At most `limit` orders of `deltas` deltas, made as they are asked for.
    fn orders(&self, deltas: u64, limit: u64) -> Box<dyn Iterator<Item = Order>>;

    /// What its orders of `deltas` deltas are said to be. Whether they are is counted where they are delivered.
    fn claim(&self, deltas: u64) -> Claim;

    /// Memory that choosing them takes, in bytes.
    fn bytes(&self, _deltas: u64) -> u64 {
        0
    }
}

/// What the orders of an explorer are said to be, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// Every order, once each.
    EveryOrder,
    /// Every ordered tuple of so many deltas occurs in one of them.
    EveryTuple {
        /// T: the length of the tuples.
        strength: u32,
    },
    /// Each is drawn independently of the others, from orders that are all equally likely.
    Drawn {
        /// How.
        by: Shuffle,
    },
    /// Nothing that would tell about other orders: they were chosen by hand.
    Chosen,
}

/// What drawn orders look like, beside what chance gives. It is taken from what was delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The orders that were looked at.
    pub orders: u64,
    /// How many of them differ.
    pub distinct: u64,
    /// Positions of each at which the delivered delta itself was looked at.
    pub positions: u64,
    /// How far the inversions at these positions are from their mean, in thousandths of a standard deviation.
    pub inversions_off_by: i64,
    /// How often two orders deliver the same delta at the same of these positions.
    pub agreements: u64,
    /// How far that is from its mean, in thousandths of a standard deviation.
    pub agreements_off_by: i64,
    /// Deltas of which every position was noted.
    pub deltas: u64,
    /// The most orders in which one of them arrived in the same part of the order, of up to eight parts.
    pub most_in_one_part: u64,
    /// How far the orders are from spreading each part of the deltas over all parts of the order, summed over the orders,
    /// in thousandths of a standard deviation; `None` for fewer than 64 deltas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread_off_by: Option<i64>,
    /// The same of all orders together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places_off_by: Option<i64>,
    /// Why they cannot be taken for drawn, where they cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
}

impl Audit {
    /// Orders that are looked at, the first of those that were drawn.
    pub const ORDERS: u64 = 255;

    /// Positions of each order at which the delivered delta itself is looked at.
    pub const POSITIONS: u64 = 256;

    /// The most deltas of which every position is noted. Of more, every second, fourth, … is.
    pub const DELTAS: u64 = 1 << 17;

    /// Parts of an order in which a delta may arrive.
    pub const PARTS: u64 = 8;

    /// Bytes that it notes of orders of so many deltas: at most 1.5 MiB.
    pub fn bytes(deltas: u64) -> u64 {
        Self::PARTS * deltas.min(Self::DELTAS) + Self::ORDERS * Self::POSITIONS.min(deltas) * size_of::<u64>() as u64
    }
}

/// How orders are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentifiedBy {
    /// By their place among all orders of their deltas in lexicographic order, from 0 (Knuth, TAOCP 3, section 5.1.1).
    /// Exact.
    LehmerRank,
    /// By SipHash-2-4 with 128 bits, under the key 0, of the delivered indices as little-endian 32-bit numbers. Two of
    /// `k` different orders share one with a probability of about `k^2 / 2^129`.
    SipHash128,
}

impl IdentifiedBy {
    /// Up to so many deltas an order is told by its rank: 20! is below 2^64.
    pub const RANKED_UP_TO: u64 = 20;

    /// How orders of so many deltas are told apart.
    pub fn of(deltas: u64) -> Self {
        if deltas <= IdentifiedBy::RANKED_UP_TO { IdentifiedBy::LehmerRank } else { IdentifiedBy::SipHash128 }
    }
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
