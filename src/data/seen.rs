//! Edits with what their users had seen, as specifications look at them.
//!
//! The lab cannot look into a replica. It knows two bounds of what had reached one: `had` is there for certain, as far as
//! messages tell, and nothing beyond `may_have` can be there, as no message could have brought it. A specification accuses
//! only where both bounds agree.
//!
//! Knows: the ledger. Must not: know what an edit does.

use crate::domain::data::Carries;
use crate::domain::history::{Sighting, UserEdit};

/// An edit of one register, with what its user had seen.
#[derive(Clone, Copy, Debug)]
pub struct Edited<'a> {
    /// Whose, by number of the device.
    pub device: usize,
    /// Which edit of that device.
    pub number: u32,
    /// The edit.
    pub edit: UserEdit,
    /// What the user's replica showed then.
    pub sighting: &'a Sighting,
}

impl Edited<'_> {
    /// Whether this edit took part in what the other's user had seen, at least. An earlier edit of the same user need not
    /// have: the device may have been set back between the two.
    pub fn was_seen_by(&self, other: &Edited<'_>) -> bool {
        other.sighting.had.has(self.device, self.number)
    }

    /// Whether this edit may have taken part in what the other's user had seen.
    pub fn may_be_seen_by(&self, other: &Edited<'_>) -> bool {
        let is_before = self.device == other.device && self.number < other.number;
        is_before || other.sighting.may_have.get(self.device).is_some_and(|&had| had > self.number)
    }
}

/// What an engine is held to, at an instant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms {
    /// The data types that it carries, and its policies.
    pub carries: Carries,
    /// The instant, in microseconds since the world began.
    pub now: u64,
    /// Whether the world has a node that all others sync through, which can decide.
    pub has_authority: bool,
}

/// What is known of where edits are while a world runs.
pub trait Whereabouts {
    /// Whether it is known who has this edit: its author's store was not lost since it was made.
    fn is_known(&self, edit: &Edited<'_>) -> bool;

    /// Whether the replica has it for certain.
    fn is_there(&self, edit: &Edited<'_>) -> bool;

    /// Whether the replica may have it.
    fn may_be_there(&self, edit: &Edited<'_>) -> bool;
}
