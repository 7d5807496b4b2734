//! The first write of a register wins, for ever.

use serde::{Deserialize, Serialize};

use crate::engine::baseline::register_map::{Policy, RegisterMap, Stamp};
use crate::engine::reliable_channel::content::About;

/// Registers of which the first write by the clock stays.
pub type FirstWriter = RegisterMap<First>;

/// The earlier time wins; of two at one time, the lower client.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct First;

impl Policy for First {
    const STAMPED: bool = true;

    fn stamp(&mut self, about: &About) -> Stamp {
        Stamp { time: about.millis(), count: 0, client: about.actor.client }
    }

    fn wins(new: Stamp, old: Option<Stamp>) -> bool {
        old.is_none_or(|old| new < old)
    }
}
