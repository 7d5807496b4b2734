//! Mistakes that can be planted in the replica, each one that real ones were made with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A mistake to plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// An edit is applied and shown before it is in the journal.
    ApplyBeforeJournal,
    /// An edit is shown when it is written, before the disk has it.
    ShowBeforeSync,
    /// A delta is a duplicate if its number is not above the last one seen.
    DedupByLastSequence,
    /// A message is acknowledged before what it brought is durable.
    AckBeforeDurable,
    /// Compaction drops deltas that nobody else has.
    CompactionPastFrontier,
    /// The cursor is the last number seen, as if there were no gaps before it.
    CursorWithoutGaps,
    /// A retry sends the same edits under new ids.
    RetryWithNewId,
    /// A restarted device goes on with the numbers of its last incarnation.
    SameIncarnation,
    /// A delta's boundaries are forgotten in a crash, so that it may be sent again with others.
    UnsealedDelta,
    /// The journal is emptied before the image that stands for it is durable.
    ClearBeforeImage,
    /// After a crash between an image and the end of its journal, entries that the image stands for are played again.
    ReplayOverImage,
}

impl Flaw {
    /// All of them, with the name and what it is in a line.
    pub const ALL: &[(Flaw, &str, &str)] = &[
        (Flaw::ApplyBeforeJournal, "apply-before-journal", "an edit is shown before it is in the journal"),
        (Flaw::ShowBeforeSync, "show-before-sync", "an edit is shown before the journal with it is durable"),
        (
            Flaw::DedupByLastSequence,
            "dedup-by-last-sequence",
            "a delta numbered below the last one seen is a duplicate",
        ),
        (Flaw::AckBeforeDurable, "ack-before-durable", "a message is acknowledged before it is durable"),
        (Flaw::CompactionPastFrontier, "compaction-past-frontier", "compaction drops what nobody else has"),
        (Flaw::CursorWithoutGaps, "cursor-without-gaps", "the cursor is the last number seen, gaps or not"),
        (Flaw::RetryWithNewId, "retry-with-new-id", "a retry sends the same edits under new ids"),
        (Flaw::SameIncarnation, "same-incarnation", "a restarted device goes on with its old numbers"),
        (Flaw::UnsealedDelta, "unsealed-delta", "a delta's boundaries are forgotten in a crash"),
        (Flaw::ClearBeforeImage, "clear-before-image", "the journal is emptied before its image is durable"),
        (Flaw::ReplayOverImage, "replay-over-image", "entries that the image stands for are played again"),
    ];

    fn name(self) -> &'static str {
        Flaw::ALL.iter().find(|(flaw, ..)| *flaw == self).map_or("", |(_, name, _)| name)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that is no flaw.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a flaw of a replica; allowed are {names}", names = names())]
pub struct FlawError(String);

fn names() -> String {
    Flaw::ALL.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl FromStr for Flaw {
    type Err = FlawError;

    fn from_str(text: &str) -> Result<Self, FlawError> {
        let found = Flaw::ALL.iter().find(|(_, name, _)| *name == text);
        found.map(|&(flaw, ..)| flaw).ok_or_else(|| FlawError(text.to_owned()))
    }
}

impl Serialize for Flaw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Flaw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flaw_has_a_name_that_reads_back() {
        for &(flaw, name, _) in Flaw::ALL {
            assert_eq!((name.parse(), flaw.to_string().as_str()), (Ok(flaw), name));
        }
        assert!("none".parse::<Flaw>().is_err());
    }
}
