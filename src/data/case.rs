//! Cases: pieces of work with a checklist, which users work off and ask to close. Only what is closed counts, and it counts as it is.
//!
//! Users do items wherever they are: items merge, as elements of a set do. To close is no merge: two replicas that each closed the
//! case with the items that they knew have signed two lists. So a request waits for the node that decides, which closes the case
//! with exactly the items that it has then. What comes later is refused, and kept, so that its user is told. That what is closed
//! stays as it is, is judged over time.
//!
//! | rule | what it forbids | for whom |
//! |---|---|---|
//! | frozen | a closed case that is shown with other items, at any instant and at any replica | all |
//! | strange | an item that nobody did, or a request that nobody made | all |
//! | gone | an item that is neither done nor refused; a request of which nothing is shown | all |
//! | unheld | an item is refused, and the case is not closed | all |
//! | overlooked | an item is refused that whoever asked to close the case had done before | all |
//! | undecided | in the end, a request waits, though all that can decide was reached | all; who asks an authority may wait where the world has none |

use std::collections::BTreeSet;

use crate::data::seen::{Edited, Terms};
use crate::data::{Wrong, is_meant};
use crate::domain::data::{Case, Closing, Element, Intent, Part, Stage};
use crate::domain::history::Fate;

/// Does what a user intends where the replica closes what it shows; gives whether that changed anything.
pub fn apply(case: &mut Case, intent: Intent) -> bool {
    let is_closed = case.stage == Stage::Closed;
    match intent {
        _ if is_closed => false,
        Intent::Do(item) => case.done.insert(item),
        Intent::Close => {
            case.stage = Stage::Closed;
            true
        }
        _ => false,
    }
}

fn item_of(edited: &Edited<'_>) -> Option<Element> {
    match edited.edit.intent {
        Intent::Do(item) => Some(item),
        _ => None,
    }
}

/// What is wrong with a view in the end, given all edits of its register. An edit may be missing where `may_be_missing` says so
/// of its fate.
pub fn wrong(shown: &Case, edits: &[Edited<'_>], terms: Terms, may_be_missing: impl Fn(Fate) -> bool) -> Vec<Wrong> {
    let done: BTreeSet<Element> = edits.iter().filter_map(item_of).collect();
    let all: BTreeSet<Element> = shown.done.union(&shown.refused).copied().collect();
    let mut wrong: Vec<Wrong> = all.difference(&done).map(|&item| Wrong::Strange(Part::Item(item))).collect();
    let is_request = |edited: &&Edited<'_>| edited.edit.intent == Intent::Close;
    let is_requested = shown.stage > Stage::Open;
    if is_requested && !edits.iter().any(|edited| is_request(&edited)) {
        wrong.push(Wrong::Strange(Part::Close));
    }
    let means_something = |edited: &&Edited<'_>| is_meant(&edited.sighting.shown, edited.edit.intent);
    let binding = || edits.iter().filter(|edited| !may_be_missing(edited.edit.fate)).filter(means_something);
    let must_be: BTreeSet<Element> = binding().filter_map(item_of).collect();
    wrong.extend(must_be.difference(&all).map(|&item| Wrong::Gone(Part::Item(item))));
    if !is_requested && binding().any(|edited| is_request(&edited)) {
        wrong.push(Wrong::Gone(Part::Close));
    }
    if shown.stage != Stage::Closed {
        wrong.extend(shown.refused.iter().map(|&item| Wrong::Unheld(Part::Item(item))));
    } else if !edits.iter().any(|edited| may_be_missing(edited.edit.fate)) {
        let overlooked = shown.refused.iter().filter(|&&item| is_before_all_requests(item, edits));
        wrong.extend(overlooked.map(|&item| Wrong::Overlooked(Part::Item(item))));
    }
    let can_decide = terms.has_authority || terms.carries.cases.unwrap_or_default() == Closing::Shown;
    if can_decide && shown.stage == Stage::CloseRequested {
        wrong.push(Wrong::Undecided(Part::Close));
    }
    wrong
}

/// Whether everybody who asked to close the case had done this item before that: what one user did arrives together.
fn is_before_all_requests(item: Element, edits: &[Edited<'_>]) -> bool {
    let had_done = |request: &Edited<'_>| {
        edits.iter().any(|edited| {
            edited.device == request.device && edited.number < request.number && item_of(edited) == Some(item)
        })
    };
    let mut requests = edits.iter().filter(|edited| edited.edit.intent == Intent::Close).peekable();
    requests.peek().is_some() && requests.all(had_done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{Carries, View};
    use crate::domain::history::{Had, Sighting, UserEdit};
    use Fate::{Binding, Unshared};
    use Stage::{CloseRequested, Closed, Open};

    fn case(stage: Stage, done: &[Element], refused: &[Element]) -> Case {
        Case { stage, done: done.iter().copied().collect(), refused: refused.iter().copied().collect() }
    }

    fn sighting(stage: Stage) -> Sighting {
        let shown = View::Case(Box::new(case(stage, &[], &[])));
        Sighting { shown, had: Had::upto(&[0; 2], [].into()), may_have: [0; 2].into(), wall: 0 }
    }

    fn edit(device: usize, number: u32, intent: Intent, fate: Fate, sighting: &Sighting) -> Edited<'_> {
        let edit = UserEdit { at: 0, register: 0, intent, fate };
        Edited { device, number, edit, sighting }
    }

    fn said_by(has_authority: bool, closing: Closing, shown: &Case, edits: &[Edited<'_>]) -> Vec<Wrong> {
        let terms = Terms { carries: Carries::COUNTERS.and_cases(closing), now: 0, has_authority };
        wrong(shown, edits, terms, Fate::is_unshared)
    }

    fn said(shown: &Case, edits: &[Edited<'_>]) -> Vec<Wrong> {
        said_by(true, Closing::ByAuthority, shown, edits)
    }

    const CLOSE: Intent = Intent::Close;

    fn item(item: Element) -> Part {
        Part::Item(item)
    }

    #[test]
    fn an_item_is_done_or_refused_and_only_a_closed_case_refuses() {
        let open = sighting(Open);
        let edits = [
            edit(0, 0, Intent::Do(1), Binding, &open),
            edit(1, 0, CLOSE, Binding, &open),
            edit(1, 1, Intent::Do(2), Binding, &open),
        ];
        for right in [case(Closed, &[1, 2], &[]), case(Closed, &[1], &[2]), case(Closed, &[], &[1, 2])] {
            assert_eq!(said(&right, &edits), [], "{right:?}");
        }
        assert_eq!(said(&case(Closed, &[1], &[]), &edits), [Wrong::Gone(item(2))]);
        assert_eq!(said(&case(Closed, &[1, 3], &[2]), &edits), [Wrong::Strange(item(3))]);
        assert_eq!(said(&case(Open, &[1, 2], &[]), &edits), [Wrong::Gone(Part::Close)]);
        assert_eq!(said(&case(CloseRequested, &[1, 2], &[]), &edits), [Wrong::Undecided(Part::Close)]);
        let unheld = [Wrong::Unheld(item(2)), Wrong::Undecided(Part::Close)];
        assert_eq!(said(&case(CloseRequested, &[1], &[2]), &edits), unheld);
        assert_eq!(said(&case(Closed, &[1], &[]), &edits[..1]), [Wrong::Strange(Part::Close)]);
    }

    #[test]
    fn whoever_asks_to_close_keeps_what_that_user_had_done_before() {
        let open = sighting(Open);
        let edits = [
            edit(0, 0, Intent::Do(1), Binding, &open),
            edit(0, 1, CLOSE, Binding, &open),
            edit(1, 0, CLOSE, Binding, &open),
        ];
        assert_eq!(said(&case(Closed, &[], &[1]), &edits[..2]), [Wrong::Overlooked(item(1))]);
        assert_eq!(said(&case(Closed, &[], &[1]), &edits), [], "another's request may have come first");
        let lost = [edits[0], edit(0, 1, CLOSE, Unshared, &open)];
        assert_eq!(said(&case(Closed, &[], &[1]), &lost), []);
    }

    #[test]
    fn a_request_waits_only_where_nobody_can_decide_and_what_meant_nothing_or_was_lost_may_be_missing() {
        let (open, closed) = (sighting(Open), sighting(Closed));
        let edits = [edit(0, 0, Intent::Do(1), Unshared, &open), edit(1, 0, CLOSE, Binding, &open)];
        let waits = case(CloseRequested, &[], &[]);
        assert_eq!(said_by(false, Closing::ByAuthority, &waits, &edits), []);
        assert_eq!(said_by(false, Closing::Shown, &waits, &edits), [Wrong::Undecided(Part::Close)]);
        let edits = [edits[1], edit(0, 0, Intent::Do(1), Binding, &closed), edit(0, 1, CLOSE, Binding, &closed)];
        assert_eq!(said(&case(Closed, &[], &[]), &edits), []);
        assert_eq!(said(&case(Open, &[], &[]), &edits[1..]), []);
    }

    #[test]
    fn who_closes_by_what_is_shown_freezes_that() {
        let mut shown = Case::default();
        assert!(apply(&mut shown, Intent::Do(3)));
        assert!(!apply(&mut shown, Intent::Do(3)) && !apply(&mut shown, Intent::Claim(3)));
        assert!(apply(&mut shown, CLOSE));
        assert!(!apply(&mut shown, Intent::Do(4)) && !apply(&mut shown, CLOSE));
        assert_eq!(shown, case(Closed, &[3], &[]));
        let view = View::Case(Box::new(case(Closed, &[1, 3], &[2])));
        assert_eq!(view.to_string(), "closed, done: {1, 3}, refused: {2}");
        assert_eq!(View::Case(Box::new(case(CloseRequested, &[], &[]))).to_string(), "close requested, done: {}");
        assert!(case(Closed, &[1], &[2]).is_canonical());
        assert!(!case(Closed, &[1], &[1]).is_canonical() && !case(CloseRequested, &[1], &[2]).is_canonical());
    }
}
