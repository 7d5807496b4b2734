//! The judges of a run, by name. Every check names its judge, and every judge is shown to work before a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who compares answers with what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judge {
    /// The software reference against the closed form.
    Reference,
    /// Software accumulators against the reference.
    Accumulation,
    /// The rows of the bank sweep.
    BankSweep,
    /// The runs of the short sweep.
    ShortSweep,
    /// The board's table, as dashboards read it.
    BoardTable,
    /// States after whole arrival orders: invariance and truth.
    ArrivalOrders,
    /// A walk over every delivered set of an accumulator.
    EverySet,
    /// A search of every delivered set of a device.
    Search,
    /// Reads of an adapter.
    RoundTrips,
    /// The message of a tick.
    TickMessage,
    /// A tick on a device.
    TickOnDevice,
    /// Words of a device's registers, as its documents fix them.
    Conformance,
    /// A device in the register sequence of the published program.
    AsAClient,
    /// What delivered orders warrant.
    Warrant,
    /// Expectations of a scenario, and the exit code.
    Expectation,
    /// The link to a device.
    Link,
    /// The laws of an algebra.
    Laws,
    /// A walk over every order of a merge function.
    EveryOrder,
    /// A hub's merges, made again by backends.
    HubMerge,
    /// A world of replicas.
    World,
    /// Every end of a small world.
    EveryCrash,
}

impl fmt::Display for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Judge::Reference => "reference",
            Judge::Accumulation => "accumulation",
            Judge::BankSweep => "bank sweep",
            Judge::ShortSweep => "short sweep",
            Judge::BoardTable => "board table",
            Judge::ArrivalOrders => "arrival orders",
            Judge::EverySet => "every set",
            Judge::Search => "search",
            Judge::RoundTrips => "round trips",
            Judge::TickMessage => "tick message",
            Judge::TickOnDevice => "tick on device",
            Judge::Conformance => "conformance",
            Judge::AsAClient => "as a client",
            Judge::Warrant => "warrant",
            Judge::Expectation => "expectation",
            Judge::Link => "link",
            Judge::Laws => "laws",
            Judge::EveryOrder => "every order",
            Judge::HubMerge => "hub merge",
            Judge::World => "world",
            Judge::EveryCrash => "every crash",
        })
    }
}
