//! Mutants of what replicas keep and show of each data type: mistakes that real ones were made with, to be planted one at a time.
//!
//! Knows: data types. Must not: know how messages travel ([`crate::engine::reliable_channel::mutant`] has what goes wrong there).

use crate::domain::data::{DataType, View};
use crate::engine::mutant::{self, clamped, reaches};
use crate::engine::reliable_channel::content::About;

/// A mistake to plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
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
    /// The hub gives what it has given to whoever asks later for a smaller value.
    GrantTwice,
    /// Who asked for what another holds is not told.
    DropRefusedClaim,
    /// Every replica closes a case that it is asked to, as if all others synced through it.
    CloseWithoutAuthority,
    /// An item counts though its case was closed before it came.
    CountLateItem,
    /// Who did an item of a case that was closed without it is not told.
    DropRefusedItem,
    /// What a register shows stops at the limits of 64 bits, where it should wrap.
    SumsClamp,
}

impl Mutant {
    /// All of them, with the name and what it is in a line.
    const ALL: &[(Mutant, &str, &str)] = &[
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
        (
            Mutant::GrantTwice,
            "grant-twice",
            "the hub gives what somebody holds to whoever asks later for a smaller value",
        ),
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
        (Mutant::SumsClamp, "sums-clamp", "a register stops at the limits of 64 bits, where it should wrap"),
    ];

    /// The data type that it is of.
    fn data(self) -> DataType {
        use Mutant::*;
        match self {
            DropConcurrentValue | OldWriteWins | ResolveUnseenValue => DataType::Label,
            SpendWhatIsShown | OverspendByOne | KeepTransferredRights | LoseTransferredRights => DataType::Stock,
            ResurrectRecord | DeleteUnseenChange | ClearFieldsAtDelete | KeepOldFields | TakeBuriedChange => {
                DataType::Record
            }
            MixRuns | KeepEraseHere | ShowLetterTwice | TypeInFront => DataType::Text,
            GrantWithoutAuthority | GrantTwice | DropRefusedClaim => DataType::Claim,
            CloseWithoutAuthority | CountLateItem | DropRefusedItem => DataType::Case,
            SumsClamp => DataType::Counter,
        }
    }

    /// Whether it is planted, and reached now.
    pub fn is_in(self, about: &About) -> bool {
        about.mutant.is_some_and(|planted| {
            let named = Mutant::ALL.iter().find(|(_, name, _)| *name == planted);
            reaches(named.map(|&(mutant, ..)| mutant), self)
        })
    }
}

/// Mutants that no crash walk can show, and why.
const NOT_IN_WALKS: &[(Mutant, &str)] = &[
    (Mutant::LoseTransferredRights, "it refuses too much, and no judge of a walk asks what was refused"),
    (Mutant::KeepOldFields, "in a walk nobody creates a record again: no view tells what a deleted one had held"),
    (Mutant::TakeBuriedChange, "a walk has no clock"),
    (Mutant::SumsClamp, "the registers of a walk start at 0, and a walk makes too few edits to reach a limit"),
];

/// All of them.
pub fn all() -> impl Iterator<Item = mutant::Mutant> {
    let all = mutant::Mutant::of_table(Mutant::ALL, NOT_IN_WALKS).into_iter();
    all.zip(Mutant::ALL).map(|(mutant, (of, ..))| mutant::Mutant { data: Some(of.data()), ..mutant })
}

/// How a mistake changes what is shown.
type Wrongly = fn(Vec<View>) -> Vec<View>;

/// What is shown with the mistake that is planted.
pub fn shown(about: &About, shows: Vec<View>) -> Vec<View> {
    if about.mutant.is_none() {
        return shows;
    }
    let wrong: [(Mutant, Wrongly); 4] = [
        (Mutant::DropConcurrentValue, one_value),
        (Mutant::DropRefusedClaim, without_refused),
        (Mutant::DropRefusedItem, without_refused_items),
        (Mutant::CountLateItem, with_late_items),
    ];
    if Mutant::SumsClamp.is_in(about) {
        return clamped(shows, about.fields.start);
    }
    match wrong.into_iter().find(|(mutant, _)| mutant.is_in(about)) {
        Some((_, wrong)) => wrong(shows),
        None => shows,
    }
}

/// What is shown where a label shows one value, whatever was written at the same time: the mistake of a mutant.
fn one_value(shows: Vec<View>) -> Vec<View> {
    let one = |view| match view {
        View::Label(values) => View::Label(values.into_iter().take(1).collect()),
        other => other,
    };
    shows.into_iter().map(one).collect()
}

/// What would be shown if nobody was told of refused claims.
fn without_refused(shows: Vec<View>) -> Vec<View> {
    let without = |mut view: View| {
        if let View::Claim(claimed) = &mut view {
            claimed.refused.clear();
        }
        view
    };
    shows.into_iter().map(without).collect()
}

/// What would be shown if nobody was told of refused items.
fn without_refused_items(shows: Vec<View>) -> Vec<View> {
    let without = |mut view: View| {
        if let View::Case(case) = &mut view {
            case.refused.clear();
        }
        view
    };
    shows.into_iter().map(without).collect()
}

/// What would be shown if items counted that came after their case was closed.
fn with_late_items(shows: Vec<View>) -> Vec<View> {
    let with = |mut view: View| {
        if let View::Case(case) = &mut view {
            case.done.append(&mut case.refused);
        }
        view
    };
    shows.into_iter().map(with).collect()
}
