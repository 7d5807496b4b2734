//! Tags: a set of elements that users insert and remove.
//!
//! Every replica shows a set. A remove takes away the inserts of its element that had reached the user's replica, and no
//! others: an observed-remove set (Shapiro, Preguiça, Baquero and Zawirski, "A comprehensive study of Convergent and
//! Commutative Replicated Data Types", INRIA RR-7506, 2011, specification 15).

use std::collections::BTreeSet;

use crate::data::Wrong;
use crate::data::seen::{Edited, Whereabouts};
use crate::domain::data::{Concurrent, Element, Intent, Part};
use crate::domain::history::Fate;

/// Does what a user intends; gives whether the set changed.
pub fn apply(elements: &mut BTreeSet<Element>, intent: Intent) -> bool {
    match intent {
        Intent::Insert(element) => elements.insert(element),
        Intent::Remove(element) => elements.remove(&element),
        _ => false,
    }
}

/// Whether the user of an edit removes an element that the user's replica shows. Removing what is not shown means nothing.
fn removes(edited: &Edited<'_>, element: Element) -> bool {
    let is_shown = || edited.sighting.shown.tags().is_some_and(|shown| shown.contains(&element));
    edited.edit.intent == Intent::Remove(element) && is_shown()
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
        _ => None,
    });
    let elements: BTreeSet<Element> = inserted.chain(view.iter().copied()).collect();
    let binding = |edited: &&Edited<'_>| !may_be_missing(edited.edit.fate);
    let judge = |element: Element| {
        let inserts: Vec<&Edited<'_>> =
            edits.iter().filter(|edited| edited.edit.intent == Intent::Insert(element)).collect();
        let removes: Vec<&Edited<'_>> = edits.iter().filter(|edited| removes(edited, element)).collect();
        if view.contains(&element) {
            let is_removed =
                |insert: &&Edited<'_>| removes.iter().filter(|edit| binding(edit)).any(|edit| insert.was_seen_by(edit));
            return match inserts.is_empty() {
                true => Some(Wrong::Strange(Part::Element(element))),
                false => inserts.iter().all(is_removed).then_some(Wrong::Back(Part::Element(element))),
            };
        }
        let may_be_removed = |insert: &Edited<'_>| {
            removes.iter().any(|remove| match concurrent {
                Concurrent::InsertWins => insert.may_be_seen_by(remove),
                Concurrent::Either => !remove.was_seen_by(insert),
            })
        };
        let stays = inserts.iter().filter(|insert| binding(insert)).any(|insert| !may_be_removed(insert));
        stays.then_some(Wrong::Gone(Part::Element(element)))
    };
    elements.into_iter().filter_map(judge).collect()
}

/// Whether an element that a replica showed may be gone from it, given all edits of that element until now. Every insert that
/// is there must be taken away by a remove that may be.
pub fn may_be_gone(element: Element, edits: &[Edited<'_>], concurrent: Concurrent, at: &impl Whereabouts) -> bool {
    let may_be_there = |edit: &&Edited<'_>| at.may_be_there(edit);
    let removes: Vec<&Edited<'_>> = edits.iter().filter(|edit| removes(edit, element)).filter(may_be_there).collect();
    let may_be_removed = |insert: &Edited<'_>| {
        removes.iter().any(|remove| match concurrent {
            Concurrent::InsertWins => insert.may_be_seen_by(remove),
            Concurrent::Either => !(at.is_known(remove) && remove.was_seen_by(insert)),
        })
    };
    let inserts = || edits.iter().filter(|edit| edit.edit.intent == Intent::Insert(element));
    // It was shown: one insert is there at least, though it may be known of none.
    inserts().filter(|insert| at.is_known(insert) && at.is_there(insert)).all(may_be_removed)
        && inserts().filter(may_be_there).any(may_be_removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::View;
    use crate::domain::history::{Had, Sighting, Stretch, UserEdit};
    use Concurrent::{Either, InsertWins};
    use Fate::{Binding, Unshared};
    use Intent::{Insert, Remove};

    /// Edits of devices: intent, what was shown, what had come for certain, and what may have.
    type Row<'a> = (usize, u32, Intent, Fate, &'a Sighting);

    fn gone(element: Element) -> Wrong {
        Wrong::Gone(Part::Element(element))
    }

    fn back(element: Element) -> Wrong {
        Wrong::Back(Part::Element(element))
    }

    fn strange(element: Element) -> Wrong {
        Wrong::Strange(Part::Element(element))
    }

    fn sighting(shown: &[Element], had: &[u32], may_have: &[u32]) -> Sighting {
        had_of(shown, Had::upto(had, [].into()), may_have)
    }

    fn had_of(shown: &[Element], had: Had, may_have: &[u32]) -> Sighting {
        Sighting { shown: View::Tags(shown.iter().copied().collect()), had, may_have: may_have.into(), wall: 0 }
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
        assert_eq!(said(&[], &rows, InsertWins), [gone(3)]);
        assert_eq!(said(&[], &rows, Either), [gone(3)]);
        assert_eq!(said(&[3, 4], &rows, InsertWins), [strange(4)]);
        let may_be_missing = [(0, 0, Insert(3), Unshared, &nothing)];
        assert_eq!([said(&[], &may_be_missing, InsertWins), said(&[3], &may_be_missing, InsertWins)], [vec![], vec![]]);
    }

    #[test]
    fn an_element_whose_every_insert_was_seen_and_removed_must_not_be_shown() {
        let (nothing, seen) = (sighting(&[], &[0, 0], &[0, 0]), sighting(&[3], &[1, 0], &[1, 0]));
        let rows = [(0, 0, Insert(3), Binding, &nothing), (1, 0, Remove(3), Binding, &seen)];
        assert_eq!(said(&[], &rows, InsertWins), []);
        assert_eq!(said(&[3], &rows, InsertWins), [back(3)]);
        let may_be_missing = [rows[0], (1, 0, Remove(3), Unshared, &seen)];
        assert_eq!([said(&[], &may_be_missing, InsertWins), said(&[3], &may_be_missing, InsertWins)], [vec![], vec![]]);
        // Its own insert a user has seen, and a remove of what is not shown means nothing.
        let own = sighting(&[3], &[1, 0], &[1, 0]);
        let alone = [(0, 0, Insert(3), Binding, &nothing), (0, 1, Remove(3), Binding, &own)];
        assert_eq!(said(&[3], &alone, InsertWins), [back(3)]);
        let blind = [(0, 0, Insert(3), Binding, &nothing), (0, 1, Remove(3), Binding, &nothing)];
        assert_eq!(said(&[], &blind, InsertWins), [gone(3)]);
    }

    #[test]
    fn what_a_device_made_before_it_was_set_back_its_user_has_not_seen_since_unless_it_came_back() {
        let nothing = sighting(&[], &[0, 0], &[0, 0]);
        // Device 0 inserts, is set back to before that, inserts the same again and removes what it shows.
        let after = |first_upto, second_upto| {
            let later = [Stretch { device: 0, first: 1 }];
            had_of(&[3], Had::upto(&[first_upto, 0, second_upto], later.into()), &[2, 0])
        };
        let said = |view: &[Element], seen: &Sighting| {
            let rows = [
                (0, 0, Insert(3), Binding, &nothing),
                (0, 1, Insert(3), Binding, &nothing),
                (0, 2, Remove(3), Binding, seen),
            ];
            [InsertWins, Either].map(|concurrent| said(view, &rows, concurrent))
        };
        let set_back = after(0, 2);
        assert_eq!([said(&[3], &set_back), said(&[], &set_back)], [[vec![], vec![]], [vec![], vec![]]]);
        // Its first insert came back from others before it removed the element: then the element may not stay.
        let came_back = after(1, 2);
        assert_eq!(said(&[3], &came_back), [vec![back(3)], vec![back(3)]]);
        // What it made since it was set back, it has seen.
        let rows = [(0, 1, Insert(3), Binding, &nothing), (0, 2, Remove(3), Binding, &set_back)];
        assert_eq!(super::tests::said(&[3], &rows, InsertWins), [back(3)]);
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
        assert_eq!(said(&[], &rows, InsertWins), [gone(3)]);
        assert_eq!(
            [said(&[3], &rows, InsertWins), said(&[3], &rows, Either), said(&[], &rows, Either)],
            [vec![], vec![], vec![]]
        );
        // Who inserts after having seen the remove means it, whatever the policy.
        let after = sighting(&[], &[1, 1], &[1, 1]);
        let rows = [rows[0], rows[1], (0, 1, Insert(3), Binding, &after)];
        assert_eq!(said(&[], &rows, Either), [gone(3)]);
    }

    #[test]
    fn an_element_that_was_shown_may_be_gone_only_if_a_remove_may_have_come_for_every_insert_that_is_there() {
        let (nothing, seen) = (sighting(&[], &[0, 0], &[0, 0]), sighting(&[3], &[1, 0], &[1, 0]));
        let edit = |device, number, intent, sighting| Edited {
            device,
            number,
            edit: UserEdit { at: 0, register: 0, intent, fate: Binding },
            sighting,
        };
        // Device 0 inserts, device 1 removes that insert, and device 0 inserts again without having seen the remove.
        let edits = [edit(0, 0, Insert(3), &nothing), edit(1, 0, Remove(3), &seen), edit(0, 1, Insert(3), &nothing)];
        let may_be_gone = |concurrent, had: [u32; 2], may_have: [u32; 2]| {
            may_be_gone(3, &edits, concurrent, &Bounds { had, may_have, lost: [0, 0] })
        };
        assert!(!may_be_gone(InsertWins, [1, 0], [1, 0]), "the remove cannot have come");
        assert!(may_be_gone(InsertWins, [1, 0], [1, 1]));
        assert!(!may_be_gone(InsertWins, [2, 1], [2, 1]), "the second insert was never seen by who removed");
        assert!(may_be_gone(Either, [2, 1], [2, 1]));
        assert!(may_be_gone(InsertWins, [1, 0], [2, 1]), "the second insert need not have come");
        // Where nobody knows what came, one insert came all the same.
        assert!(!may_be_gone(InsertWins, [0, 0], [1, 0]));
        assert!(may_be_gone(InsertWins, [0, 0], [2, 1]));
    }

    #[test]
    fn what_was_made_before_its_author_lost_its_store_is_where_nobody_knows() {
        let (nothing, seen) = (sighting(&[], &[0, 0], &[0, 0]), sighting(&[3], &[1, 1], &[1, 1]));
        let edit = |device, number, intent, sighting| Edited {
            device,
            number,
            edit: UserEdit { at: 0, register: 0, intent, fate: Binding },
            sighting,
        };
        // Device 1 removes what it saw of device 0, and inserts it again.
        let edits = [edit(0, 0, Insert(3), &nothing), edit(1, 0, Remove(3), &seen), edit(1, 1, Insert(3), &seen)];
        let may_be_gone = |lost| may_be_gone(3, &edits, Either, &Bounds { had: [1, 2], may_have: [1, 2], lost });
        assert!(!may_be_gone([0, 0]), "who inserts after having seen the remove means it");
        assert!(may_be_gone([0, 2]), "the remove may have been lost, and have come after the insert");
    }

    /// How many edits of each device have come for certain, how many may have, and how many were made before a store was lost.
    struct Bounds {
        had: [u32; 2],
        may_have: [u32; 2],
        lost: [u32; 2],
    }

    impl Whereabouts for Bounds {
        fn is_known(&self, edit: &Edited<'_>) -> bool {
            edit.number >= self.lost[edit.device]
        }

        fn is_there(&self, edit: &Edited<'_>) -> bool {
            edit.number < self.had[edit.device]
        }

        fn may_be_there(&self, edit: &Edited<'_>) -> bool {
            edit.number < self.may_have[edit.device]
        }
    }

    #[test]
    fn what_may_have_been_seen_and_is_not_known_to_have_been_accuses_nobody() {
        let (nothing, perhaps) = (sighting(&[], &[0, 0], &[0, 0]), sighting(&[3], &[0, 0], &[1, 0]));
        let rows = [(0, 0, Insert(3), Binding, &nothing), (1, 0, Remove(3), Binding, &perhaps)];
        assert_eq!([said(&[], &rows, InsertWins), said(&[3], &rows, InsertWins)], [vec![], vec![]]);
    }
}
