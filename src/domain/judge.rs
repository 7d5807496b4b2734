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
    EveryEnd,
    /// What engines send in worlds of a customer's numbers.
    Bandwidth,
    /// What a receiver makes of a tick in a codec.
    Codecs,
    /// What replicas show after each sync along a curve.
    Curves,
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
            Judge::EveryEnd => "every end",
            Judge::Bandwidth => "bandwidth",
            Judge::Codecs => "codecs",
            Judge::Curves => "curves",
        })
    }
}

impl Judge {
    /// All of them.
    pub const ALL: &[Judge] = &[
        Judge::Reference,
        Judge::Accumulation,
        Judge::BankSweep,
        Judge::ShortSweep,
        Judge::BoardTable,
        Judge::ArrivalOrders,
        Judge::EverySet,
        Judge::Search,
        Judge::RoundTrips,
        Judge::TickMessage,
        Judge::TickOnDevice,
        Judge::Conformance,
        Judge::AsAClient,
        Judge::Warrant,
        Judge::Expectation,
        Judge::Link,
        Judge::Laws,
        Judge::EveryOrder,
        Judge::HubMerge,
        Judge::World,
        Judge::EveryEnd,
        Judge::Bandwidth,
        Judge::Codecs,
        Judge::Curves,
    ];

    /// What it judges, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Judge::Reference => "the software reference against the closed form",
            Judge::Accumulation => "software accumulators against the reference",
            Judge::BankSweep => "results and cycles of the published sweep over the banks",
            Judge::ShortSweep => "results and cycles of short runs on every number of active banks",
            Judge::BoardTable => "the board's table, as a dashboard reads it",
            Judge::ArrivalOrders => "states after whole arrival orders: all equal, and equal to the sum of the deltas",
            Judge::EverySet => "states of an accumulator after every delivered set of deltas",
            Judge::Search => "states of a device after every delivered set of deltas that a search reaches",
            Judge::RoundTrips => "what an adapter reads back from every context",
            Judge::TickMessage => "whether the message of a tick decodes to the changes",
            Judge::TickOnDevice => "the state of a device after a tick",
            Judge::Conformance => "every word of a device's registers against its documents",
            Judge::AsAClient => "a device in the register sequence of the published program",
            Judge::Warrant => "how much the delivered orders prove",
            Judge::Expectation => "what a scenario expects, and the exit code",
            Judge::Link => "whether the link to a device, and not the device, is wrong",
            Judge::Laws => "the laws that an algebra claims",
            Judge::EveryOrder => "the state of an algebra after every order of its deltas",
            Judge::HubMerge => "the merges of a hub, made again by backends",
            Judge::World => "a world of replicas, by the judges of worlds below",
            Judge::EveryEnd => "every end that a small world can have",
            Judge::Bandwidth => {
                "bytes of engines in worlds of a customer's numbers: wrong records, and rules of scaling"
            }
            Judge::Curves => "what replicas show after each sync along a curve, and whether its bytes can hold it",
            Judge::Codecs => "what a receiver makes of a tick in a codec, and whether its bytes can hold it",
        }
    }
}
