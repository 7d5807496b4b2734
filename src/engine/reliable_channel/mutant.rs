//! Mutants of the reliable channel: mistakes that real ones were made with, to be planted one at a time.

use crate::engine::mutant;
use crate::engine::store::disk;

/// A mistake to plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// An edit is shown as accepted before it is in the journal.
    AcceptBeforeJournal,
    /// An edit is shown as accepted when it is written, before the disk has it.
    AcceptBeforeDurable,
    /// A message is counted and acknowledged, and what it brought is dropped.
    AnswerAndKeepNothing,
    /// A restarted, copied or restored device goes on with its old incarnation.
    ReuseIncarnation,
    /// A neighbour that was set back, or lost its store, is not given again what it had.
    TrustWhoWasSetBack,
    /// A node that was set back to before it met its neighbour goes on from the neighbour's numbers, and does not say so.
    HideSetBack,
    /// A copy of another device's store keeps the name of that store.
    KeepCopiedName,
    /// What was acknowledged is sent again, for ever.
    SendForEver,
    /// The number of a message is durable at once, and what the message brought a little later.
    PositionBeforePayload,
    /// Who did not answer once is not talked to again until this node restarts.
    GiveUpAfterRefusal,
    /// Who answered is asked again after a while, for ever.
    AskForEver,
    /// A message that is not answered is not sent again while the connection is up.
    WaitInSilence,
    /// The time between two attempts does not grow, for a node that is refused, too.
    RetryWithoutBackoff,
    /// Compaction drops what is pending for neighbours.
    CompactionDropsPending,
    /// Names come from random numbers alone, which may come again after everything was lost.
    NameByChanceAlone,
    /// A device's name is its account's, whatever became of its store.
    NameByAccount,
    /// What one neighbour has taken is not told to the others.
    SyncOneNeighbour,
    /// Who is met is told the name of every store that was ever met.
    SendAllNames,
    /// An edit that the store refused stays in memory, though its user was told that it is refused.
    KeepRefusedEdit,
    /// Bare values of another replica are taken for edits of this one's user.
    ImportAsEdits,
    /// Once a message is on its way, its sender's user is told that nothing waits.
    TellDeliveredWhenSent,
    /// What waits for others is forgotten when the user signs in again.
    EmptyOutboxAtSignIn,
}

impl Mutant {
    /// All of them, with the name and what it is in a line.
    pub const ALL: &[(Mutant, &str, &str)] = &[
        (Mutant::AcceptBeforeJournal, "accept-before-journal", "an edit is accepted before it is in the journal"),
        (Mutant::AcceptBeforeDurable, "accept-before-durable", "an edit is accepted before it is durable"),
        (Mutant::AnswerAndKeepNothing, "answer-and-keep-nothing", "a message is acknowledged, and dropped"),
        (Mutant::ReuseIncarnation, "reuse-incarnation", "a restarted device goes on with its old incarnation"),
        (Mutant::TrustWhoWasSetBack, "trust-who-was-set-back", "who was set back is not given again what it had"),
        (Mutant::KeepCopiedName, "keep-copied-name", "a copy of another device's store keeps the name of that store"),
        (Mutant::HideSetBack, "hide-set-back", "who was set back to before it met the other does not say so"),
        (Mutant::SendForEver, "send-for-ever", "what was acknowledged is sent again, for ever"),
        (
            Mutant::PositionBeforePayload,
            "position-before-payload",
            "the number of a message is durable before what it brought",
        ),
        (Mutant::GiveUpAfterRefusal, "give-up-after-refusal", "who did not answer once is not talked to again"),
        (Mutant::AskForEver, "ask-for-ever", "who answered is asked again, for ever"),
        (Mutant::WaitInSilence, "wait-in-silence", "a message that is not answered is not sent again"),
        (Mutant::RetryWithoutBackoff, "retry-without-backoff", "the time between two attempts does not grow"),
        (Mutant::CompactionDropsPending, "compaction-drops-pending", "compaction drops what neighbours lack"),
        (Mutant::NameByChanceAlone, "name-by-chance-alone", "names come from random numbers, which may come again"),
        (Mutant::NameByAccount, "name-by-account", "a device keeps its account's name, whatever became of its store"),
        (Mutant::SyncOneNeighbour, "sync-one-neighbour", "what one neighbour has taken is not sent to the others"),
        (Mutant::SendAllNames, "send-all-names", "the name of every store that was ever met is sent to whoever is met"),
        (Mutant::KeepRefusedEdit, "keep-refused-edit", "an edit that the store refused stays in memory"),
        (Mutant::ImportAsEdits, "import-as-edits", "bare values of another replica are taken for edits"),
        (
            Mutant::TellDeliveredWhenSent,
            "tell-delivered-when-sent",
            "a user is told that nothing waits as soon as it was sent, though it may be lost on its way",
        ),
        (
            Mutant::EmptyOutboxAtSignIn,
            "empty-outbox-at-sign-in",
            "what waits for others is forgotten when the user signs in again",
        ),
    ];

    /// The mutant of this name, if it is one of these.
    pub fn named(name: &str) -> Option<Self> {
        Mutant::ALL.iter().find(|(_, of, _)| *of == name).map(|&(mutant, ..)| mutant)
    }
}

/// Mutants that no crash walk can show, and why.
const NOT_IN_WALKS: &[(Mutant, &str)] = &[
    (Mutant::ReuseIncarnation, "no store is copied or set back in a walk"),
    (Mutant::TrustWhoWasSetBack, "no store is lost or set back in a walk"),
    (Mutant::HideSetBack, "no store is set back in a walk"),
    (Mutant::KeepCopiedName, "no store is copied in a walk"),
    (
        Mutant::WaitInSilence,
        "when a walk settles every node connects anew, and a new connection sends what was not acknowledged",
    ),
    (Mutant::RetryWithoutBackoff, "a walk has no clock"),
    (Mutant::NameByChanceAlone, "no random numbers come again in a walk"),
    (Mutant::NameByAccount, "no store is lost, copied or set back in a walk"),
    (Mutant::SendAllNames, "a walk has no clock, and counts no bytes"),
    (Mutant::KeepRefusedEdit, "no store is full in a walk"),
    (Mutant::ImportAsEdits, "no device is set up from bare values in a walk"),
    (Mutant::EmptyOutboxAtSignIn, "in a walk every user stays signed in"),
    (Mutant::TellDeliveredWhenSent, "a walk asks nobody what users are told of what waits"),
];

/// The mutants of the channel, those of its store included.
pub fn all() -> impl Iterator<Item = mutant::Mutant> {
    mutant::Mutant::of_table(Mutant::ALL, NOT_IN_WALKS).into_iter().chain(disk::Mutant::all())
}
