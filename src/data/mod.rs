//! Data types: what an intent does to a view, and which views are right, given what users did and had seen.
//!
//! A new data type is one file here, words in [`crate::domain::data`], and the match arms that the compiler asks for. Engines
//! that replay intents use [`apply`]; judges use [`wrong`] and [`may_be_gone`], which ask the specification of the type.
//! Counters and stocks are specified by their sums, and judged by them. What a stock forbids beside that is in its file.
//!
//! Knows: the ledger. Must not: know engines, messages or the world.

pub mod case;
pub mod claim;
pub mod counter;
pub mod label;
pub mod record;
pub mod seen;
pub mod stock;
pub mod tags;
pub mod text;

use crate::domain::data::{Fields, Intent, Part, View};
use crate::domain::history::{Fate, Sighting};
use crate::domain::letter::Letter;
use seen::{Edited, Terms, Whereabouts};

/// Does what a user intends to a view of one of these registers. An intent of another data type changes nothing; gives whether
/// the view changed.
pub fn apply(fields: &Fields, view: &mut View, intent: Intent) -> bool {
    match view {
        View::Counter(number) => counter::apply(number, intent),
        View::Stock(left) => stock::apply(left, intent),
        View::Tags(elements) => tags::apply(elements, intent),
        View::Label(values) => label::apply(values, intent),
        View::Record(record) => record::apply(record, intent, fields.record_labels),
        View::Text(letters) => text::apply(letters, intent),
        View::Claim(claimed) => claim::apply(claimed, intent),
        View::Case(case) => case::apply(case, intent),
    }
}

/// Whether an edit means anything to a user who is shown this: nobody removes what is not there, or creates what is.
pub fn is_meant(shown: &View, intent: Intent) -> bool {
    match (shown, intent) {
        (View::Tags(elements), Intent::Remove(element)) => elements.contains(&element),
        (View::Record(record), intent) => record::is_meant(record.as_deref(), intent),
        (View::Text(letters), intent) => text::is_meant(letters, intent),
        (View::Claim(claimed), Intent::Claim(_)) => claimed.holder.is_none(),
        (View::Case(case), Intent::Do(_) | Intent::Close) => case.frozen().is_none(),
        _ => true,
    }
}

/// What a user means by an edit who is shown this, where the world that was drawn or written down did not know what that would be.
pub fn meant(shown: &View, intent: Intent) -> Intent {
    shown.letters().map_or(intent, |letters| text::meant(letters, intent))
}

/// Whether an edit meant anything to its user, as far as that is known.
pub fn was_meant(sighting: Option<&Sighting>, intent: Intent) -> bool {
    sighting.is_none_or(|seen| is_meant(&seen.shown, intent))
}

/// Adds an amount to what a counter or a stock shows. Other views stay as they are.
pub fn add(view: &mut View, amount: i64) {
    if let View::Counter(number) | View::Stock(number) = view {
        *number = number.wrapping_add(amount);
    }
}

/// What is wrong with a part of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// It is not shown, and nobody who could have seen it took it away.
    Gone(Part),
    /// It is shown, and every edit that made it was taken away by somebody who had seen that edit.
    Back(Part),
    /// It is shown, and nobody ever made it.
    Strange(Part),
    /// It is shown beside another, and its engine declares to show one.
    Beside(Part),
    /// It is shown, and by the clock that its engine declares, another is later.
    Late(Part),
    /// It is shown twice, and was made once.
    Twice(Part),
    /// It waits, and everything is decided that can be.
    Undecided(Part),
    /// It is refused, and nobody is shown who was preferred.
    Unheld(Part),
    /// It is refused, and whoever had it decided had made it before.
    Overlooked(Part),
    /// Two letters of a text stand the other way round than a user saw them.
    Moved {
        /// The one that stood before the other.
        first: Letter,
        /// The other.
        then: Letter,
    },
    /// Letters of two runs of a text that were typed at the same time are mixed.
    Mixed {
        /// The letter that one of them begins with.
        one: Letter,
        /// The letter that the other begins with.
        other: Letter,
    },
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Wrong::Gone(Part::Record) => {
                write!(f, "the record is gone, and no delete explains it")
            }
            Wrong::Back(Part::Record) => {
                write!(f, "the record is back, and somebody who had seen it deleted it")
            }
            Wrong::Strange(Part::Record) => write!(f, "a record is shown, and nobody created it"),
            Wrong::Gone(part @ (Part::Element(_) | Part::Tag(_))) => write!(f, "{part} is gone, and nobody removed it"),
            Wrong::Back(part @ (Part::Element(_) | Part::Tag(_))) => {
                write!(f, "{part} is back, and every insert of it was removed")
            }
            Wrong::Strange(part @ (Part::Element(_) | Part::Tag(_))) => {
                write!(f, "{part} is shown, and nobody inserted it")
            }
            Wrong::Gone(part @ Part::Letter(_)) => write!(f, "{part} is gone, and nobody erased it"),
            Wrong::Back(part @ Part::Letter(_)) => {
                write!(f, "{part} is back, and somebody who had seen it erased it")
            }
            Wrong::Strange(part @ Part::Letter(_)) => write!(f, "{part} is shown, and nobody typed it"),
            Wrong::Twice(part) => write!(f, "{part} is shown twice, and was typed once"),
            Wrong::Moved { first, then } => {
                write!(f, "{then} stands before {first}, and a user saw them the other way round")
            }
            Wrong::Mixed { one, other } => write!(
                f,
                "two runs that were typed at the same time are mixed: one begins with {one}, the other with {other}"
            ),
            Wrong::Gone(part @ Part::Claim(_)) => {
                write!(f, "{part} is gone: it is neither granted, nor waiting, nor refused")
            }
            Wrong::Strange(part @ Part::Claim(_)) => write!(f, "{part} is shown, and nobody made it"),
            Wrong::Gone(part @ Part::Item(_)) => write!(f, "{part} is gone: it is neither done nor refused"),
            Wrong::Gone(part @ Part::Close) => write!(f, "{part} is gone: the case is shown as open"),
            Wrong::Strange(part @ Part::Item(_)) => write!(f, "{part} is shown, and nobody did it"),
            Wrong::Strange(part @ Part::Close) => write!(f, "{part} is shown, and nobody asked"),
            Wrong::Undecided(part @ Part::Close) => write!(f, "{part} still waits, and the case was not closed"),
            Wrong::Unheld(part @ Part::Item(_)) => write!(f, "{part} is refused, and the case is not closed"),
            Wrong::Overlooked(part) => {
                write!(f, "{part} is refused, and whoever asked to close the case had done it before")
            }
            Wrong::Undecided(part) => write!(f, "{part} still waits, and was neither granted nor refused"),
            Wrong::Unheld(part) => write!(f, "{part} is refused, and nobody is shown as the holder"),
            Wrong::Gone(part) => {
                write!(f, "{part} is gone, and nobody who had seen it overwrote it")
            }
            Wrong::Back(part) => {
                write!(f, "{part} is shown, and somebody who had seen it overwrote it: an old write wins")
            }
            Wrong::Strange(part) => write!(f, "{part} is shown, and nobody wrote it"),
            Wrong::Beside(part) => write!(f, "{part} is shown beside another, and the engine declares to show one"),
            Wrong::Late(part) => write!(f, "{part} is shown, and another was written later by its writer's clock"),
        }
    }
}

/// What is wrong with a view, given all edits of its register. An edit may be missing where `may_be_missing` says so of its
/// fate. Sums are not judged here.
pub fn wrong(view: &View, edits: &[Edited<'_>], terms: Terms, may_be_missing: impl Fn(Fate) -> bool) -> Vec<Wrong> {
    let carries = terms.carries;
    match view {
        View::Counter(_) | View::Stock(_) => Vec::new(),
        View::Tags(shown) => tags::wrong(shown, edits, carries.tags.unwrap_or_default(), may_be_missing),
        View::Label(shown) => label::wrong(shown, edits, carries.labels.unwrap_or_default(), may_be_missing),
        View::Record(shown) => record::wrong(shown.as_deref(), edits, terms, may_be_missing),
        View::Text(shown) => text::wrong(shown, edits, carries.texts.unwrap_or_default(), may_be_missing),
        View::Claim(shown) => claim::wrong(shown, edits, terms, may_be_missing),
        View::Case(shown) => case::wrong(shown, edits, terms, may_be_missing),
    }
}

/// Whether a part that a replica showed may be gone from it, given all edits of its register until now.
pub fn may_be_gone(part: Part, edits: &[Edited<'_>], terms: Terms, at: &impl Whereabouts) -> bool {
    let carries = terms.carries;
    match part {
        Part::Element(element) => tags::may_be_gone(element, edits, carries.tags.unwrap_or_default(), at),
        Part::Value(value) => label::may_be_gone(value, edits, carries.labels.unwrap_or_default(), at),
        Part::Record | Part::Field { .. } | Part::Tag(_) => record::may_be_gone(part, edits, terms, at),
        Part::Letter(letter) => text::may_be_gone(letter, edits, at),
        // Whoever asked is told, for good: no edit takes a claim away, nor what was done of a case.
        Part::Claim(_) | Part::Item(_) | Part::Close => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_changes_a_view_of_its_own_data_type_alone() {
        let fields = Fields { record_labels: 2, ..Fields::default() };
        let all = [Intent::Increase(7), Intent::Insert(3), Intent::Remove(4), Intent::Write(5)];
        let after = |view: View| {
            all.map(|intent| {
                let mut view = view.clone();
                (apply(&fields, &mut view, intent), view.to_string())
            })
        };
        let told = |changed: bool, view: &str| (changed, view.to_owned());
        assert_eq!(
            after(View::Counter(i64::MAX)),
            [
                told(true, "-9223372036854775802"),
                told(false, "9223372036854775807"),
                told(false, "9223372036854775807"),
                told(false, "9223372036854775807")
            ]
        );
        assert_eq!(
            after(View::Tags([4].into())),
            [told(false, "{4}"), told(true, "{3, 4}"), told(true, "{}"), told(false, "{4}")]
        );
        let label = |view: &str| [told(false, view), told(false, view), told(false, view)];
        assert_eq!(after(View::Label([5].into()))[..], [&label("5")[..], &[told(false, "5")]].concat());
        assert_eq!(after(View::Label([5, 6].into()))[..], [&label("5 or 6")[..], &[told(true, "5")]].concat());
        assert_eq!(after(View::Label([].into()))[..], [&label("no value")[..], &[told(true, "5")]].concat());
        assert_eq!(after(View::Text(Letter::all_of("a\u{301}\""))), [(); 4].map(|()| told(false, "\"a\u{301}\\\"\"")));
        let none = told(false, "no record");
        assert_eq!(after(View::Record(None)), [none.clone(), none.clone(), none.clone(), none]);
        let mut view = View::Record(None);
        let edits = [
            (Intent::Delete, told(false, "no record")),
            (Intent::Set { field: 0, value: 9 }, told(false, "no record")),
            (Intent::Create(5), told(true, "[5, 6] {}")),
            (Intent::Create(7), told(false, "[5, 6] {}")),
            (Intent::Set { field: 1, value: 9 }, told(true, "[5, 9] {}")),
            (Intent::Set { field: 2, value: 9 }, told(false, "[5, 9] {}")),
            (Intent::Tag(3), told(true, "[5, 9] {3}")),
            (Intent::Untag(4), told(false, "[5, 9] {3}")),
            (Intent::Write(1), told(false, "[5, 9] {3}")),
            (Intent::Delete, told(true, "no record")),
        ];
        for (intent, expected) in edits {
            assert_eq!((apply(&fields, &mut view, intent), view.to_string()), expected, "{intent:?}");
        }
    }
}
