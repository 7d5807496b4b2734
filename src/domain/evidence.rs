//! How a number was got. No number is shown without it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The ground on which a number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Computed by a program on the host.
    Software,
    /// Answered by our model of the device, at its registers.
    Model,
    /// Answered by the RTL under a simulator.
    RtlSimulation,
    /// Answered at the other end of a link, of which nobody has said what it is.
    Unattested,
    /// Answered by a board.
    Silicon,
    /// Taken from a record of an earlier run or from a published document.
    Recorded,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Evidence::Software => "software",
            Evidence::Model => "model",
            Evidence::RtlSimulation => "rtl-simulation",
            Evidence::Unattested => "unattested",
            Evidence::Silicon => "silicon",
            Evidence::Recorded => "recorded",
        })
    }
}
