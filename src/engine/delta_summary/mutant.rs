//! Mutants of the replica: mistakes that real ones were made with, to be planted one at a time.

use crate::engine::mutant;
use crate::engine::store::disk;

/// A mistake to plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutant {
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
    /// The position in the parent's log is durable at once, and the summary that leads to it with the next image.
    CursorBeforePayload,
    /// Who did not answer once is not talked to again until this replica restarts.
    StopAfterRefusal,
    /// A handshake that was answered is sent again, for ever.
    HandshakeForEver,
    /// A message that is not acknowledged is not sent again while the connection is up.
    NeverSendAgain,
    /// A leaf's compaction drops an edit that its parent does not have.
    LeafCompactionDropsEdit,
    /// Fragments that the receiver had, and lost again, are never sent again.
    LostFragmentsStayLost,
    /// A replica whose neighbours serve others, too, drops deltas that they may lack.
    RelaysCompact,
    /// Who sends a delta is taken to have all that its author made before it.
    HoldsAllBeforeDelta,
    /// A snapshot is acknowledged before it is durable.
    SnapshotAckBeforeDurable,
    /// What a register shows stops at the limits of 64 bits, where it should wrap.
    SumsClamp,
}

impl Mutant {
    /// All of them, with the name and what it is in a line.
    pub const ALL: &[(Mutant, &str, &str)] = &[
        (Mutant::ApplyBeforeJournal, "apply-before-journal", "an edit is shown before it is in the journal"),
        (Mutant::ShowBeforeSync, "show-before-sync", "an edit is shown before the journal with it is durable"),
        (
            Mutant::DedupByLastSequence,
            "dedup-by-last-sequence",
            "a delta numbered below the last one seen is a duplicate",
        ),
        (Mutant::AckBeforeDurable, "ack-before-durable", "a message is acknowledged before it is durable"),
        (Mutant::CompactionPastFrontier, "compaction-past-frontier", "compaction drops what nobody else has"),
        (Mutant::CursorWithoutGaps, "cursor-without-gaps", "the cursor is the last number seen, gaps or not"),
        (Mutant::RetryWithNewId, "retry-with-new-id", "a retry sends the same edits under new ids"),
        (Mutant::SameIncarnation, "same-incarnation", "a restarted device goes on with its old numbers"),
        (Mutant::UnsealedDelta, "unsealed-delta", "a delta's boundaries are forgotten in a crash"),
        (Mutant::CursorBeforePayload, "cursor-before-payload", "the cursor is durable before what it stands for"),
        (Mutant::StopAfterRefusal, "stop-after-refusal", "who did not answer once is not talked to again"),
        (Mutant::HandshakeForEver, "handshake-for-ever", "a handshake that was answered is sent again, for ever"),
        (Mutant::NeverSendAgain, "never-send-again", "a message that is not acknowledged is not sent again"),
        (
            Mutant::LeafCompactionDropsEdit,
            "leaf-compaction-drops-edit",
            "a leaf's compaction drops an edit that its parent lacks",
        ),
        (
            Mutant::LostFragmentsStayLost,
            "lost-fragments-stay-lost",
            "fragments that the receiver lost again are never sent again",
        ),
        (Mutant::RelaysCompact, "relays-compact", "who serves relays drops deltas that they may lack"),
        (Mutant::HoldsAllBeforeDelta, "takes-all-before-delta", "who sends a delta is taken to have all before it"),
        (
            Mutant::SnapshotAckBeforeDurable,
            "snapshot-ack-before-durable",
            "a snapshot is acknowledged before it is durable",
        ),
        (Mutant::SumsClamp, "sums-clamp", "a register stops at the limits of 64 bits, where it should wrap"),
    ];

    /// The mutant of this name, if it is one of these.
    pub fn named(name: &str) -> Option<Self> {
        Mutant::ALL.iter().find(|(_, of, _)| *of == name).map(|&(mutant, ..)| mutant)
    }
}

/// Mutants that no crash walk can show, and why.
const NOT_IN_WALKS: &[(Mutant, &str)] = &[
    (
        Mutant::SameIncarnation,
        "no store is copied or set back in a walk, and after a crash the old numbers go on where they stopped",
    ),
    (
        Mutant::SnapshotAckBeforeDurable,
        "a leaf of a walk gets a snapshot only before it has a position: after a crash it asks for everything again",
    ),
    (
        Mutant::NeverSendAgain,
        "when a walk settles every node connects anew, and a new connection sends what was not acknowledged",
    ),
    (Mutant::LostFragmentsStayLost, "the messages of a walk are too short for fragments"),
    (Mutant::RelaysCompact, "a walk has one hub, and nobody else who serves others"),
    (Mutant::HoldsAllBeforeDelta, "a leaf is sent sums, and a walk has no other neighbours"),
    (Mutant::SumsClamp, "the registers of a walk start at 0, and a walk makes too few edits to reach a limit"),
];

/// The mutants of the engine, those of its store included.
pub fn all() -> Vec<mutant::Mutant> {
    let of_replica = mutant::Mutant::of_table(Mutant::ALL, NOT_IN_WALKS);
    of_replica.into_iter().chain(disk::Mutant::all()).collect()
}
