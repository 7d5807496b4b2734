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
    /// What a register shows stops at the limits of 64 bits, where it should wrap.
    SumsClamp,
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
    /// Of the values that were written to a label at the same time, one is shown.
    DropConcurrentValue,
    /// What a neighbour sends of a label takes the place of what is here, though it is older.
    OldWriteWins,
    /// A write also takes away values that arrive later, and that its user had not seen.
    ResolveUnseenValue,
    /// Units are taken out of a stock as long as the replica shows enough, whoever holds the rights.
    SpendWhatIsShown,
    /// One unit more is taken out of a stock than the device holds rights to.
    OverspendByOne,
    /// Who transfers rights keeps them, too.
    KeepTransferredRights,
    /// Rights that others transferred to a device are not counted there.
    LoseTransferredRights,
    /// Of one and the same change of a record, that the record is there wins over that somebody deleted it.
    ResurrectRecord,
    /// A delete also takes away changes that arrive later, and that its user had not seen.
    DeleteUnseenChange,
    /// A delete takes away the values of the fields, so that a change that it had not seen brings half a record back.
    ClearFieldsAtDelete,
    /// A create under a used key leaves what the fields held before beside its own values.
    KeepOldFields,
    /// What a late change brings of a record that was buried is taken.
    TakeBuriedChange,
    /// Letters of two users that stand beside each other in a text are shown in turn.
    MixRuns,
    /// An erase is not told to others.
    KeepEraseHere,
    /// Where letters of two users meet in a text, one is shown twice.
    ShowLetterTwice,
    /// A letter is put in front of the one that it was typed after.
    TypeInFront,
    /// Every replica decides who holds a claim, as if all others synced through it.
    GrantWithoutAuthority,
    /// The hub gives what it has given to whoever asks later.
    GrantTwice,
    /// Who asked for what another holds is not told.
    DropRefusedClaim,
    /// Every replica closes a case that it is asked to, as if all others synced through it.
    CloseWithoutAuthority,
    /// An item counts though its case was closed before it came.
    CountLateItem,
    /// Who did an item of a case that was closed without it is not told.
    DropRefusedItem,
    /// Once a message is on its way, its sender's user is told that nothing waits.
    TellDeliveredWhenSent,
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
        (Mutant::SumsClamp, "sums-clamp", "a register stops at the limits of 64 bits, where it should wrap"),
        (Mutant::NameByChanceAlone, "name-by-chance-alone", "names come from random numbers, which may come again"),
        (Mutant::NameByAccount, "name-by-account", "a device keeps its account's name, whatever became of its store"),
        (Mutant::SyncOneNeighbour, "sync-one-neighbour", "what one neighbour has taken is not sent to the others"),
        (Mutant::SendAllNames, "send-all-names", "the name of every store that was ever met is sent to whoever is met"),
        (Mutant::KeepRefusedEdit, "keep-refused-edit", "an edit that the store refused stays in memory"),
        (Mutant::ImportAsEdits, "import-as-edits", "bare values of another replica are taken for edits"),
        (
            Mutant::DropConcurrentValue,
            "drop-concurrent-value",
            "of the values that were written to a label at the same time, one is shown",
        ),
        (Mutant::OldWriteWins, "old-write-wins", "what arrives of a label replaces what is here, though it is older"),
        (
            Mutant::ResolveUnseenValue,
            "resolve-unseen-value",
            "a write also takes away values that arrive later, and that its user had not seen",
        ),
        (
            Mutant::SpendWhatIsShown,
            "spend-what-is-shown",
            "units are taken as long as the replica shows enough, whoever holds the rights",
        ),
        (Mutant::OverspendByOne, "overspend-by-one", "one unit more is taken than the device holds rights to"),
        (Mutant::KeepTransferredRights, "keep-transferred-rights", "who transfers rights keeps them, too"),
        (
            Mutant::LoseTransferredRights,
            "lose-transferred-rights",
            "rights that others transferred to a device are not counted there",
        ),
        (
            Mutant::ResurrectRecord,
            "resurrect-record",
            "whoever shows a record goes on showing it, though it was deleted",
        ),
        (
            Mutant::DeleteUnseenChange,
            "delete-unseen-change",
            "a delete also takes away changes of the record that arrive later, and that its user had not seen",
        ),
        (
            Mutant::ClearFieldsAtDelete,
            "clear-fields-at-delete",
            "a delete takes away the values of the fields: a change that it had not seen brings half a record back",
        ),
        (
            Mutant::KeepOldFields,
            "keep-old-fields",
            "a create under a used key leaves what the fields held before beside its own values",
        ),
        (
            Mutant::TakeBuriedChange,
            "take-buried-change",
            "what a late change brings of a record that was forgotten for good is taken",
        ),
        (Mutant::MixRuns, "mix-runs", "letters of two users that stand beside each other in a text are shown in turn"),
        (Mutant::KeepEraseHere, "keep-erase-here", "that a letter was erased is not sent to others"),
        (
            Mutant::ShowLetterTwice,
            "show-letter-twice",
            "where the letters of two users meet in a text, one of them is shown twice",
        ),
        (Mutant::TypeInFront, "type-in-front", "a letter is put in front of the one that it was typed after"),
        (
            Mutant::GrantWithoutAuthority,
            "grant-without-authority",
            "every replica decides who holds a claim, and does not wait for the hub",
        ),
        (Mutant::GrantTwice, "grant-twice", "the hub gives what somebody holds to whoever asks later"),
        (Mutant::DropRefusedClaim, "drop-refused-claim", "who asked for what another holds is not told"),
        (
            Mutant::CloseWithoutAuthority,
            "close-without-authority",
            "every replica closes a case that it is asked to, and does not wait for the hub",
        ),
        (Mutant::CountLateItem, "count-late-item", "an item counts though its case was closed before it came"),
        (
            Mutant::DropRefusedItem,
            "drop-refused-item",
            "who did an item of a case that was closed without it is not told",
        ),
        (
            Mutant::TellDeliveredWhenSent,
            "tell-delivered-when-sent",
            "a user is told that nothing waits as soon as it was sent, though it may be lost on its way",
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
    (Mutant::LoseTransferredRights, "it refuses too much, and no judge of a walk asks what was refused"),
    (Mutant::KeepOldFields, "in a walk nobody creates a record again: no view tells what a deleted one had held"),
    (Mutant::TakeBuriedChange, "a walk has no clock"),
    (Mutant::TellDeliveredWhenSent, "a walk asks nobody what users are told of what waits"),
    (Mutant::SumsClamp, "the registers of a walk start at 0, and a walk makes too few edits to reach a limit"),
];

/// The mutants of an engine over the reliable channel, those of its store included.
pub fn all() -> Vec<mutant::Mutant> {
    let of_channel = mutant::Mutant::of_table(Mutant::ALL, NOT_IN_WALKS);
    of_channel.into_iter().chain(disk::Mutant::all()).collect()
}
