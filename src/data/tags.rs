//! Tags: a set of elements that users insert and remove.
//!
//! Every replica shows a set. A remove takes away the inserts of its element that had reached the user's replica, and no
//! others: an observed-remove set (Shapiro, Preguiça, Baquero and Zawirski, "A comprehensive study of Convergent and
//! Commutative Replicated Data Types", INRIA RR-7506, 2011, specification 15).
//!
//! The lab cannot look into a replica. It knows two bounds of what had reached one: `had` is there for certain, as far as
//! messages tell, and nothing beyond `may_have` can be there, as no message could have brought it. The specification
//! accuses only where both bounds agree.

use std::collections::BTreeSet;

use crate::domain::data::{Concurrent, Element, Intent};
use crate::domain::history::{Fate, Sighting, UserEdit};

/// Does what a user intends; gives whether the set changed.
pub fn apply(elements: &mut BTreeSet<Element>, intent: Intent) -> bool {
    match intent {
        Intent::Increase(_) => false,
        Intent::Insert(element) => elements.insert(element),
        Intent::Remove(element) => elements.remove(&element),
    }
}

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
    /// Whether this edit took part in what the other's user had seen, at least.
    fn was_seen_by(&self, other: &Edited<'_>) -> bool {
        self.is_before(other) || other.sighting.had.get(self.device).is_some_and(|&had| had > self.number)
    }

    /// Whether this edit may have taken part in what the other's user had seen.
    fn may_be_seen_by(&self, other: &Edited<'_>) -> bool {
        self.is_before(other) || other.sighting.may_have.get(self.device).is_some_and(|&had| had > self.number)
    }

    fn is_before(&self, other: &Edited<'_>) -> bool {
        self.device == other.device && self.number < other.number
    }

    /// Whether its user removes an element that the user's replica shows. Removing what is not shown means nothing.
    fn removes(&self, element: Element) -> bool {
        self.edit.intent == Intent::Remove(element) && self.sighting.shown.contains(&element)
    }
}

/// What is wrong with an element of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is not shown, and nobody who could have seen its insert removed it.
    Gone(Element),
    /// It is shown, and every insert of it was removed by somebody who had seen that insert.
    Back(Element),
    /// It is shown, and nobody ever inserted it.
    Strange(Element),
}

impl Wrong {
    /// Which element.
    pub fn element(self) -> Element {
        match self {
            Wrong::Gone(element) | Wrong::Back(element) | Wrong::Strange(element) => element,
        }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Wrong::Gone(element) => write!(f, "element {element} is gone, and nobody removed it"),
            Wrong::Back(element) => write!(f, "element {element} is back, and every insert of it was removed"),
            Wrong::Strange(element) => write!(f, "element {element} is shown, and nobody inserted it"),
        }
    }
}

/// What is wrong with a view, given all edits of its register. An edit may be missing where `may_be_missing` says so of its
/// fate.
pub fn wrong(
    view: &BTreeSet<Element>,
    edits: &[Edited<'_>],
    concurrent: Concurrent,
    may_be_missing: impl Fn(Fate) -> bool,
) -> Vec<Wrong> {
    let inserted = edits.iter().filter_map(|edited| match edited.edit.intent {
        Intent::Insert(element) => Some(element),
        Intent::Increase(_) | Intent::Remove(_) => None,
    });
    let elements: BTreeSet<Element> = inserted.chain(view.iter().copied()).collect();
    let binding = |edited: &&Edited<'_>| !may_be_missing(edited.edit.fate);
    let judge = |element: Element| {
        let inserts: Vec<&Edited<'_>> =
            edits.iter().filter(|edited| edited.edit.intent == Intent::Insert(element)).collect();
        let removes: Vec<&Edited<'_>> = edits.iter().filter(|edited| edited.removes(element)).collect();
        if view.contains(&element) {
            let is_removed =
                |insert: &&Edited<'_>| removes.iter().filter(|edit| binding(edit)).any(|edit| insert.was_seen_by(edit));
            return match inserts.is_empty() {
                true => Some(Wrong::Strange(element)),
                false => inserts.iter().all(is_removed).then_some(Wrong::Back(element)),
            };
        }
        let may_be_removed = |insert: &Edited<'_>| {
            removes.iter().any(|remove| match concurrent {
                Concurrent::InsertWins => insert.may_be_seen_by(remove),
                Concurrent::Either => !remove.was_seen_by(insert),
            })
        };
        let stays = inserts.iter().filter(|insert| binding(insert)).any(|insert| !may_be_removed(insert));
        stays.then_some(Wrong::Gone(element))
    };
    elements.into_iter().filter_map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Concurrent::{Either, InsertWins};
    use Fate::{Binding, Unshared};
    use Intent::{Insert, Remove};

    /// Edits of devices: intent, what was shown, what had come for certain, and what may have.
    type Row<'a> = (usize, u32, Intent, Fate, &'a Sighting);

    fn sighting(shown: &[Element], had: &[u32], may_have: &[u32]) -> Sighting {
        Sighting { shown: shown.iter().copied().collect(), had: had.into(), may_have: may_have.into() }
    }

    fn said(view: &[Element], rows: &[Row<'_>], concurrent: Concurrent) -> Vec<Wrong> {
        let edited = rows.iter().map(|&(device, number, intent, fate, sighting)| {
            let edit = UserEdit { at: 0, register: 0, intent, fate };
            Edited { device, number, edit, sighting }
        });
        let edits: Vec<Edited<'_>> = edited.collect();
        wrong(&view.iter().copied().collect(), &edits, concurrent, Fate::is_unshared)
    }

    #[test]
    fn an_element_that_nobody_removed_must_be_shown_and_one_that_nobody_inserted_must_not() {
        let nothing = sighting(&[], &[0, 0], &[0, 0]);
        let rows = [(0, 0, Insert(3), Binding, &nothing)];
        assert_eq!(said(&[3], &rows, InsertWins), []);
        assert_eq!(said(&[], &rows, InsertWins), [Wrong::Gone(3)]);
        assert_eq!(said(&[], &rows, Either), [Wrong::Gone(3)]);
        assert_eq!(said(&[3, 4], &rows, InsertWins), [Wrong::Strange(4)]);
        let may_be_missing = [(0, 0, Insert(3), Unshared, &nothing)];
        assert_eq!([said(&[], &may_be_missing, InsertWins), said(&[3], &may_be_missing, InsertWins)], [vec![], vec![]]);
    }

    #[test]
    fn an_element_whose_every_insert_was_seen_and_removed_must_not_be_shown() {
        let (nothing, seen) = (sighting(&[], &[0, 0], &[0, 0]), sighting(&[3], &[1, 0], &[1, 0]));
        let rows = [(0, 0, Insert(3), Binding, &nothing), (1, 0, Remove(3), Binding, &seen)];
        assert_eq!(said(&[], &rows, InsertWins), []);
        assert_eq!(said(&[3], &rows, InsertWins), [Wrong::Back(3)]);
        let may_be_missing = [rows[0], (1, 0, Remove(3), Unshared, &seen)];
        assert_eq!([said(&[], &may_be_missing, InsertWins), said(&[3], &may_be_missing, InsertWins)], [vec![], vec![]]);
        // Its own insert a user has seen, and a remove of what is not shown means nothing.
        let own = sighting(&[3], &[0, 0], &[0, 0]);
        let alone = [(0, 0, Insert(3), Binding, &nothing), (0, 1, Remove(3), Binding, &own)];
        assert_eq!(said(&[3], &alone, InsertWins), [Wrong::Back(3)]);
        let blind = [(0, 0, Insert(3), Binding, &nothing), (0, 1, Remove(3), Binding, &nothing)];
        assert_eq!(said(&[], &blind, InsertWins), [Wrong::Gone(3)]);
    }

    #[test]
    fn of_an_insert_and_a_remove_at_the_same_time_the_insert_wins_where_the_engine_declares_so() {
        let (nothing, seen) = (sighting(&[], &[0, 0], &[0, 0]), sighting(&[3], &[1, 0], &[1, 0]));
        // Device 0 inserts, device 1 removes that insert, and device 0 inserts again without having seen the remove.
        let rows = [
            (0, 0, Insert(3), Binding, &nothing),
            (1, 0, Remove(3), Binding, &seen),
            (0, 1, Insert(3), Binding, &nothing),
        ];
        assert_eq!(said(&[], &rows, InsertWins), [Wrong::Gone(3)]);
        assert_eq!(
            [said(&[3], &rows, InsertWins), said(&[3], &rows, Either), said(&[], &rows, Either)],
            [vec![], vec![], vec![]]
        );
        // Who inserts after having seen the remove means it, whatever the policy.
        let after = sighting(&[], &[1, 1], &[1, 1]);
        let rows = [rows[0], rows[1], (0, 1, Insert(3), Binding, &after)];
        assert_eq!(said(&[], &rows, Either), [Wrong::Gone(3)]);
    }

    #[test]
    fn what_may_have_been_seen_and_is_not_known_to_have_been_accuses_nobody() {
        let (nothing, perhaps) = (sighting(&[], &[0, 0], &[0, 0]), sighting(&[3], &[0, 0], &[1, 0]));
        let rows = [(0, 0, Insert(3), Binding, &nothing), (1, 0, Remove(3), Binding, &perhaps)];
        assert_eq!([said(&[], &rows, InsertWins), said(&[3], &rows, InsertWins)], [vec![], vec![]]);
    }
}
