//! The last write to arrive wins.

use serde::{Deserialize, Serialize};

use crate::engine::baseline::register_map::{Policy, RegisterMap, Stamp};
use crate::engine::reliable_channel::content::About;

/// Registers of which the last to arrive stays.
pub type LastArrival = RegisterMap<Arrival>;

/// Whatever comes takes the place of what is there.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Arrival;

impl Policy for Arrival {
    const STAMPED: bool = false;

    fn stamp(&mut self, _about: &About) -> Stamp {
        Stamp::default()
    }

    fn wins(_new: Stamp, _old: Option<Stamp>) -> bool {
        true
    }
}
