//! Strategies: what travels on a sync, and how it merges.
//!
//! A new strategy is one file here and one entry in [`REGISTRY`]. All but the replica that is done right are a
//! [`courier::Content`]: what they send and make of what they get; a courier carries it, sends it again, and never loses
//! what it holds. What they get wrong is then the merge's doing alone.

pub mod courier;
mod first_writer;
mod full_state;
mod hybrid_clock;
mod last_arrival;
mod operation_log;
mod reconciliation;
mod register_map;
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
use courier::{Content, Courier};

/// Opens a node of a strategy.
type Open = fn(&Settings, &OfflineTrial, &mut Host<Disk>) -> Result<Box<dyn Node>, StoreError>;

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
    /// How a node is opened.
    pub open: Open,
}

/// The strategy that is done right.
pub const RIGHT: &str = "additive-delta";

/// The delta-state as published.
pub const XOR: &str = "xor-delta";

fn courier<C: Content + Default + 'static>(
    settings: &Settings,
    trial: &OfflineTrial,
    _host: &mut Host<Disk>,
) -> Result<Box<dyn Node>, StoreError> {
    Ok(Box::new(Courier::<C>::new(settings.clone(), trial.start)))
}

/// All strategies.
pub const REGISTRY: &[Strategy] = &[
    Strategy {
        name: "full-state",
        about: "the whole state, overwriting the receiver's",
        constant: true,
        peers: true,
        open: courier::<full_state::FullState>,
    },
    Strategy {
        name: "last-arrival",
        about: "changed registers, the last to arrive wins",
        constant: true,
        peers: true,
        open: courier::<last_arrival::LastArrival>,
    },
    Strategy {
        name: "last-wall-clock",
        about: "changed registers, the latest by the writer's clock wins",
        constant: true,
        peers: true,
        open: courier::<wall_clock::WallClock>,
    },
    Strategy {
        name: "last-hybrid-clock",
        about: "changed registers, the latest by a hybrid logical clock wins",
        constant: true,
        peers: true,
        open: courier::<hybrid_clock::HybridClock>,
    },
    Strategy {
        name: "first-writer",
        about: "changed registers, the first write ever wins",
        constant: true,
        peers: true,
        open: courier::<first_writer::FirstWriter>,
    },
    Strategy {
        name: "reconciliation",
        about: "operations to the hub, which replays them and answers with the registers",
        constant: true,
        peers: false,
        open: courier::<reconciliation::Reconciliation>,
    },
    Strategy {
        name: "operation-log",
        about: "every operation to everyone, and kept by everyone",
        constant: false,
        peers: true,
        open: courier::<operation_log::OperationLog>,
    },
    Strategy {
        name: XOR,
        about: "the XOR of a register before and after, merged by XOR, as published",
        constant: true,
        peers: true,
        open: courier::<xor_delta::XorDelta>,
    },
    Strategy {
        name: RIGHT,
        about: "increments with operation ids, merged by addition if not seen before",
        constant: true,
        peers: true,
        open: |settings, trial, host| Ok(Box::new(ReplicaNode::open(settings.clone(), trial.start, host)?)),
    },
    Strategy {
        name: "running-sums",
        about: "each client's sums of increments and of decrements, merged by maximum",
        constant: false,
        peers: true,
        open: courier::<running_sums::RunningSums>,
    },
];

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
