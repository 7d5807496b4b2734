//! The judges of what was observed: what each asks, by name, and the trait of those that see the states of one subject after
//! its arrival orders.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::order::Order;

/// What is asked of an observation: [`OracleId::about`]. The order is that of the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
#[allow(missing_docs, reason = "what each asks is told by `about`")]
pub enum OracleId {
    Convergence,
    Cycles,
    Documents,
    Durability,
    ExactlyOnce,
    Faults,
    Frozen,
    Invariance,
    Laws,
    Load,
    Metadata,
    Monotonic,
    Outbox,
    Overspending,
    Progress,
    Running,
    Scaling,
    StalenessBound,
    TimeOnline,
    Truth,
    Uniqueness,
    WholeRecords,
    World,
}

impl OracleId {
    /// All, by name.
    pub const ALL: &[OracleId] = &[
        OracleId::Convergence,
        OracleId::Cycles,
        OracleId::Documents,
        OracleId::Durability,
        OracleId::ExactlyOnce,
        OracleId::Faults,
        OracleId::Frozen,
        OracleId::Invariance,
        OracleId::Laws,
        OracleId::Load,
        OracleId::Metadata,
        OracleId::Monotonic,
        OracleId::Outbox,
        OracleId::Overspending,
        OracleId::Progress,
        OracleId::Running,
        OracleId::Scaling,
        OracleId::StalenessBound,
        OracleId::TimeOnline,
        OracleId::Truth,
        OracleId::Uniqueness,
        OracleId::WholeRecords,
        OracleId::World,
    ];

    /// Its name in records and reports.
    pub fn name(self) -> &'static str {
        match self {
            OracleId::Convergence => "convergence",
            OracleId::Cycles => "cycles",
            OracleId::Documents => "documents",
            OracleId::Durability => "durability",
            OracleId::ExactlyOnce => "exactly once",
            OracleId::Faults => "faults",
            OracleId::Frozen => "frozen",
            OracleId::Invariance => "invariance",
            OracleId::Laws => "laws",
            OracleId::Load => "load",
            OracleId::Metadata => "metadata",
            OracleId::Monotonic => "monotonic",
            OracleId::Outbox => "outbox",
            OracleId::Overspending => "overspending",
            OracleId::Progress => "progress",
            OracleId::Running => "running",
            OracleId::Scaling => "scaling",
            OracleId::StalenessBound => "staleness bound",
            OracleId::TimeOnline => "time online",
            OracleId::Truth => "truth",
            OracleId::Uniqueness => "uniqueness",
            OracleId::WholeRecords => "whole records",
            OracleId::World => "world",
        }
    }

    /// What it asks, in a line.
    pub fn about(self) -> &'static str {
        match self {
            OracleId::Convergence => "whether all replicas show the same at the end",
            OracleId::Cycles => "whether a device takes as many cycles as its documents say",
            OracleId::Documents => "whether a register's words are those of the documents",
            OracleId::Durability => "whether no crash lost what was shown as accepted or acknowledged",
            OracleId::ExactlyOnce => "whether every edit counts exactly once",
            OracleId::Faults => "whether every fault that the scenario asks for took effect",
            OracleId::Frozen => "whether what is closed stays as it is",
            OracleId::Invariance => "whether all arrival orders lead to the same state, right or wrong",
            OracleId::Laws => "whether the laws that an algebra claims hold",
            OracleId::Load => "whether the hub gets no more in a second than the scenario allows",
            OracleId::Metadata => {
                "whether ids and acknowledgements do not grow with history, where the engine claims that"
            }
            OracleId::Monotonic => "whether no replica stops showing an edit, unless its store was lost",
            OracleId::Outbox => {
                "whether a device tells that nothing waits only where another replica can have everything"
            }
            OracleId::Overspending => "whether no more units of a stock are taken than were supplied",
            OracleId::Progress => "whether all is sent, and the replicas fall silent, in time after the last fault",
            OracleId::Running => "whether an engine that others made keeps running, and answers as its port demands",
            OracleId::Scaling => {
                "whether a world of two sizes takes bytes by the rule that other sizes are computed by"
            }
            OracleId::StalenessBound => "whether edits reach the others within staleness_s",
            OracleId::TimeOnline => "whether clients are connected as long as the customer's numbers say",
            OracleId::Truth => "whether they show what the users did",
            OracleId::Uniqueness => "whether what can be had once has one holder",
            OracleId::WholeRecords => "whether a record is shown with all its fields, or not at all",
            OracleId::World => "what became of the worlds that bytes were counted in",
        }
    }
}

impl fmt::Display for OracleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no judge has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is not a judge", .0.escape_debug())]
pub struct UnknownOracle(String);

/// The names of these, for people.
pub fn names(oracles: &[OracleId]) -> String {
    oracles.iter().map(|id| id.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for OracleId {
    type Err = UnknownOracle;

    fn from_str(name: &str) -> Result<Self, UnknownOracle> {
        OracleId::ALL.iter().copied().find(|id| id.name() == name).ok_or_else(|| UnknownOracle(name.to_owned()))
    }
}

impl TryFrom<String> for OracleId {
    type Error = UnknownOracle;

    fn try_from(name: String) -> Result<Self, UnknownOracle> {
        name.parse()
    }
}

impl From<OracleId> for &'static str {
    fn from(id: OracleId) -> Self {
        id.name()
    }
}

/// What a judge expected instead of what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// What should have been shown.
    pub expected: u64,
    /// What was.
    pub got: u64,
}

/// Judges the states that one subject shows, one arrival order after the other.
pub trait Oracle {
    /// Judges the state shown after this order.
    fn judge(&mut self, order: &Order, state: u64) -> Option<Disagreement>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_are_in_the_order_of_their_names_and_are_found_by_them() {
        assert!(OracleId::ALL.is_sorted_by_key(|id| id.name()) && OracleId::ALL.is_sorted());
        for &id in OracleId::ALL {
            assert_eq!(id.name().parse(), Ok(id));
        }
        let unknown = "exactly one".parse::<OracleId>().expect_err("no judge has this name").to_string();
        assert_eq!(unknown, "'exactly one' is not a judge");
    }
}
