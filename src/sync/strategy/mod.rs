//! Strategies: what travels on a sync, and how it merges.
//!
//! A new strategy is one file here and one entry in [`REGISTRY`]. All but the replica that is done right are a
//! [`content::Content`]: what they send and make of what they get. One reliable channel carries the content to each
//! neighbour, once and in order, in messages that short visits have time for. It meets a neighbour anew that lost its store
//! or was set back. All strategies write to disks that lose what was not synced; the reliable channel stores what others
//! may rely on before it is sent.

mod by_actor;
pub mod content;
#[cfg(test)]
mod delivery;
mod first_writer;
mod full_state;
mod hybrid_clock;
mod last_arrival;
mod neighbour;
mod news;
mod operation_log;
mod reconciliation;
mod register_map;
pub mod reliable_channel;
mod running_sums;
#[cfg(test)]
mod tests;
mod wall_clock;
mod xor_delta;

use crate::domain::offline::OfflineTrial;
use crate::sync::host::Host;
use crate::sync::node::{Node, ReplicaNode};
use crate::sync::replica::Settings;
use crate::sync::store::StoreError;
use crate::sync::store::disk::Disk;
use content::Content;
use reliable_channel::ReliableChannel;

/// Opens a node of a strategy as its store has it.
pub type Open = fn(&Settings, &OfflineTrial, &mut Host<Disk>) -> Result<Box<dyn Node>, StoreError>;

/// What every node of a strategy keeps, by what it grows with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// The registers, and edits until they are passed on.
    Registers,
    /// Every edit of everyone.
    Edits,
    /// Every client's sums of every register.
    ClientSums,
}

/// Which losses of stores a strategy declares that an edit survives. It is held to that: where an edit is missing though it
/// should have survived, the strategy is falsified; where more was lost, nothing is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survives {
    /// All, as long as one running replica still shows the edit.
    WhileShown,
    /// All, as long as the store of its author, or one that others sync through, still holds it.
    WithAuthorOrRelay,
}

impl Survives {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Survives::WhileShown => "any loss, as long as one running replica still shows the edit",
            Survives::WithAuthorOrRelay => {
                "any loss, as long as the store of the edit's author, or of a node that others sync through, still holds it"
            }
        }
    }
}

/// A strategy's entry.
pub struct Strategy {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Whether it claims that the bytes of a tick do not grow with history.
    pub constant: bool,
    /// Whether it works between peers, without a hub.
    pub peers: bool,
    /// What each of its nodes keeps.
    pub keeps: Keeps,
    /// Which losses of stores it declares that an edit survives.
    pub survives: Survives,
    /// How a node is opened.
    pub open: Open,
}

/// The strategy that is done right.
pub const RIGHT: &str = "additive-delta";

/// The delta-state as published.
pub const XOR: &str = "xor-delta";

fn channel<C: Content + 'static>(
    settings: &Settings,
    trial: &OfflineTrial,
    host: &mut Host<Disk>,
) -> Result<Box<dyn Node>, StoreError> {
    Ok(Box::new(ReliableChannel::<C>::open(settings.clone(), trial.start, host)?))
}

/// All strategies.
pub const REGISTRY: &[Strategy] = &[
    Strategy {
        name: "full-state",
        about: "the whole state, overwriting the receiver's",
        constant: true,
        peers: true,
        keeps: Keeps::Registers,
        survives: Survives::WhileShown,
        open: channel::<full_state::FullState>,
    },
    Strategy {
        name: "last-arrival",
        about: "changed registers, the last to arrive wins",
        constant: true,
        peers: true,
        keeps: Keeps::Registers,
        survives: Survives::WhileShown,
        open: channel::<last_arrival::LastArrival>,
    },
    Strategy {
        name: "last-wall-clock",
        about: "changed registers, the latest by the writer's clock wins",
        constant: true,
        peers: true,
        keeps: Keeps::Registers,
        survives: Survives::WhileShown,
        open: channel::<wall_clock::WallClock>,
    },
    Strategy {
        name: "last-hybrid-clock",
        about: "changed registers, the latest by a hybrid logical clock wins",
        constant: true,
        peers: true,
        keeps: Keeps::Registers,
        survives: Survives::WhileShown,
        open: channel::<hybrid_clock::HybridClock>,
    },
    Strategy {
        name: "first-writer",
        about: "changed registers, the first write ever wins",
        constant: true,
        peers: true,
        keeps: Keeps::Registers,
        survives: Survives::WhileShown,
        open: channel::<first_writer::FirstWriter>,
    },
    Strategy {
        name: "reconciliation",
        about: "operations to the hub, which replays them and answers with the registers",
        constant: true,
        peers: false,
        keeps: Keeps::Registers,
        survives: Survives::WithAuthorOrRelay,
        open: channel::<reconciliation::Reconciliation>,
    },
    Strategy {
        name: "operation-log",
        about: "every operation to everyone, and kept by everyone",
        constant: false,
        peers: true,
        keeps: Keeps::Edits,
        survives: Survives::WhileShown,
        open: channel::<operation_log::OperationLog>,
    },
    Strategy {
        name: XOR,
        about: "the XOR of a register before and after, merged by XOR, as published",
        constant: true,
        peers: true,
        keeps: Keeps::Registers,
        survives: Survives::WhileShown,
        open: channel::<xor_delta::XorDelta>,
    },
    Strategy {
        name: RIGHT,
        about: "increments with operation ids, merged by addition if not seen before",
        constant: true,
        peers: true,
        keeps: Keeps::Registers,
        survives: Survives::WithAuthorOrRelay,
        open: |settings, trial, host| Ok(Box::new(ReplicaNode::open(settings.clone(), trial.start, host)?)),
    },
    Strategy {
        name: "running-sums",
        about: "each client's sums of increments and of decrements, merged by maximum",
        constant: false,
        peers: true,
        keeps: Keeps::ClientSums,
        survives: Survives::WhileShown,
        open: channel::<running_sums::RunningSums>,
    },
];

impl Strategy {
    /// Whether this world is one for it.
    pub fn suits(&self, trial: &OfflineTrial) -> bool {
        self.peers || trial.hub && trial.edges.is_empty()
    }
}

/// Why a world is none for a strategy.
pub const UNSUITED: &str = "which needs a hub that every client is connected to";

/// A name that is no strategy's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a strategy; allowed are {names}", names = names())]
pub struct Unknown(pub String);

fn names() -> String {
    REGISTRY.iter().map(|strategy| strategy.name).collect::<Vec<_>>().join(", ")
}

/// The strategy of this name.
pub fn find(name: &str) -> Result<&'static Strategy, Unknown> {
    REGISTRY.iter().find(|strategy| strategy.name == name).ok_or_else(|| Unknown(name.to_owned()))
}
