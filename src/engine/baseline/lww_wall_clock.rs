//! The last write by the writers' clocks wins.

use serde::{Deserialize, Serialize};

use crate::engine::baseline::register_map::{Policy, RegisterMap, Stamp};
use crate::engine::reliable_channel::content::About;

/// Registers of which the last by the clock stays.
pub type WallClock = RegisterMap<Wall>;

/// The later time wins; of two at one time, the higher client.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Wall;

impl Policy for Wall {
    const STAMPED: bool = true;

    fn stamp(&mut self, about: &About) -> Stamp {
        Stamp { time: about.millis(), count: 0, client: about.actor.client }
    }

    fn wins(new: Stamp, old: Option<Stamp>) -> bool {
        old.is_none_or(|old| new >= old)
    }
}
