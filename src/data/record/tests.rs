use super::*;
use crate::domain::data::{Clock, Concurrent, Overwrites};
use crate::domain::history::Had;
use Fate::{Binding, Unshared};
use proptest::prelude::*;

const DEVICES: usize = 3;
const LABELS: u32 = 2;

/// What a user saw whose replica had exactly this number of edits of each device.
fn exact(shown: Option<Record>, had: [u32; DEVICES]) -> Sighting {
    Sighting {
        shown: View::Record(shown.map(Box::new)),
        had: Had::upto(&had, [].into()),
        may_have: had.into(),
        wall: 0,
    }
}

fn edit(device: usize, number: u32, intent: Intent, fate: Fate, sighting: &Sighting) -> Edited<'_> {
    Edited { device, number, edit: UserEdit { at: 0, register: 0, intent, fate }, sighting }
}

fn record(labels: [&[Value]; 2], tags: &[Element]) -> Record {
    Record {
        labels: labels.map(|values| values.iter().copied().collect()).to_vec(),
        tags: tags.iter().copied().collect(),
    }
}

fn terms(deleted: Deleted) -> Terms {
    let carries = Carries::with_tags(Concurrent::InsertWins).and_labels(Overwrites::Multi).and_records(deleted);
    Terms { carries, ..Terms::default() }
}

const STRICT: Deleted = Deleted::EditWins;

fn said(view: Option<&Record>, edits: &[Edited<'_>], deleted: Deleted) -> Vec<Wrong> {
    wrong(view, edits, terms(deleted), Fate::is_unshared)
}

fn gone(field: u32, value: Value) -> Wrong {
    Wrong::Gone(Part::Field { field, value })
}

fn back(field: u32, value: Value) -> Wrong {
    Wrong::Back(Part::Field { field, value })
}

#[test]
fn a_record_is_there_once_it_was_created_and_no_more_once_somebody_who_saw_that_deleted_it() {
    let (nothing, new) = (exact(None, [0; 3]), record([&[5], &[6]], &[]));
    let created = [edit(0, 0, Intent::Create(5), Binding, &nothing)];
    assert_eq!(said(Some(&new), &created, STRICT), []);
    assert_eq!(said(None, &created, STRICT), [Wrong::Gone(Part::Record)]);
    assert_eq!(said(None, &[edit(0, 0, Intent::Create(5), Unshared, &nothing)], STRICT), []);
    assert_eq!(said(Some(&new), &[], STRICT), [Wrong::Strange(Part::Record)]);
    let seen = exact(Some(new.clone()), [1, 0, 0]);
    let deleted = [created[0], edit(1, 0, Intent::Delete, Binding, &seen)];
    for policy in [Deleted::EditWins, Deleted::DeleteWins, Deleted::Either] {
        assert_eq!(said(None, &deleted, policy), [], "{policy:?}");
        assert_eq!(said(Some(&new), &deleted, policy), [Wrong::Back(Part::Record)], "{policy:?}");
    }
    // A delete that may be missing deletes nothing for certain, and one of what is not shown means nothing.
    let unshared = [created[0], edit(1, 0, Intent::Delete, Unshared, &seen)];
    assert_eq!([said(None, &unshared, STRICT), said(Some(&new), &unshared, STRICT)], [vec![], vec![]]);
    let blind = [created[0], edit(1, 0, Intent::Delete, Binding, &nothing)];
    assert_eq!(said(None, &blind, STRICT), [Wrong::Gone(Part::Record)]);
}

#[test]
fn of_a_delete_and_a_change_at_the_same_time_the_policy_says_what_stays_and_half_a_record_never_does() {
    let (nothing, new) = (exact(None, [0; 3]), record([&[5], &[6]], &[]));
    let seen = exact(Some(new), [1, 0, 0]);
    let edits = [
        edit(0, 0, Intent::Create(5), Binding, &nothing),
        edit(1, 0, Intent::Delete, Binding, &seen),
        edit(2, 0, Intent::Set { field: 0, value: 20 }, Binding, &seen),
    ];
    let changed = record([&[20], &[6]], &[]);
    assert_eq!(
        [said(Some(&changed), &edits, STRICT), said(None, &edits, STRICT)],
        [vec![], vec![Wrong::Gone(Part::Record)]]
    );
    let wins = Deleted::DeleteWins;
    assert_eq!(
        [said(Some(&changed), &edits, wins), said(None, &edits, wins)],
        [vec![Wrong::Back(Part::Record)], vec![]]
    );
    let either = Deleted::Either;
    assert_eq!([said(Some(&changed), &edits, either), said(None, &edits, either)], [vec![], vec![]]);
    // What the delete took away of a record that stays is half a record, and so is the old value beside the new one.
    assert_eq!(said(Some(&record([&[20], &[]], &[])), &edits, STRICT), [gone(1, 6)]);
    assert_eq!(said(Some(&record([&[5, 20], &[6]], &[])), &edits, STRICT), [back(0, 5)]);
    assert!(record([&[20], &[]], &[]).lacks() == Some(1) && changed.lacks().is_none());
}

#[test]
fn a_record_that_is_created_under_a_used_key_has_nothing_of_the_old_one() {
    let nothing = exact(None, [0; 3]);
    let seen = exact(Some(record([&[5], &[6]], &[])), [1, 0, 0]);
    let tagged = exact(Some(record([&[5], &[6]], &[3])), [1, 1, 0]);
    let over = exact(None, [1, 2, 0]);
    let edits = [
        edit(0, 0, Intent::Create(5), Binding, &nothing),
        edit(1, 0, Intent::Tag(3), Binding, &seen),
        edit(1, 1, Intent::Delete, Binding, &tagged),
        edit(0, 1, Intent::Create(40), Binding, &over),
    ];
    let new = record([&[40], &[41]], &[]);
    assert_eq!(said(Some(&new), &edits, STRICT), []);
    assert_eq!(said(Some(&record([&[40], &[41]], &[3])), &edits, STRICT), [Wrong::Back(Part::Tag(3))]);
    assert_eq!(said(Some(&record([&[40], &[6, 41]], &[])), &edits, STRICT), [back(1, 6)]);
    assert_eq!(
        said(Some(&record([&[5], &[6]], &[])), &edits, STRICT),
        [back(0, 5), gone(0, 40), back(1, 6), gone(1, 41)]
    );
    // A change of the old record that nobody had seen stays beside the new one, where an edit wins; elsewhere it may go.
    let late = [&edits[..], &[edit(2, 0, Intent::Set { field: 0, value: 20 }, Binding, &seen)]].concat();
    let both = record([&[20, 40], &[41]], &[]);
    assert_eq!([said(Some(&both), &late, STRICT), said(Some(&new), &late, STRICT)], [vec![], vec![gone(0, 20)]]);
    assert_eq!(said(Some(&new), &late, Deleted::Either), []);
}

#[test]
fn fields_merge_each_by_its_own_type_and_a_record_that_is_replaced_as_a_whole_loses_one() {
    let nothing = exact(None, [0; 3]);
    let seen = exact(Some(record([&[5], &[6]], &[])), [1, 0, 0]);
    let first = exact(Some(record([&[20], &[6]], &[])), [1, 1, 0]);
    let second = exact(Some(record([&[5], &[30]], &[])), [1, 0, 1]);
    let edits = [
        edit(0, 0, Intent::Create(5), Binding, &nothing),
        edit(1, 0, Intent::Set { field: 0, value: 20 }, Binding, &seen),
        edit(1, 1, Intent::Tag(1), Binding, &first),
        edit(2, 0, Intent::Set { field: 1, value: 30 }, Binding, &seen),
        edit(2, 1, Intent::Tag(2), Binding, &second),
    ];
    assert_eq!(said(Some(&record([&[20], &[30]], &[1, 2])), &edits, STRICT), []);
    let last = Carries::with_tags(Concurrent::Either)
        .and_labels(Overwrites::Last(Clock::Arrival))
        .and_records(Deleted::Either);
    let replaced = record([&[5], &[30]], &[2]);
    let of_last = |view: &Record, edits: &[Edited<'_>]| {
        wrong(Some(view), edits, Terms { carries: last, ..Terms::default() }, Fate::is_unshared)
    };
    assert_eq!(of_last(&replaced, &edits), [back(0, 5), Wrong::Gone(Part::Tag(1))]);
    // Deleted and created again by one who saw it all; another changed the old record at the same time, and brings it back.
    let over = exact(None, [1, 1, 0]);
    let edits = [
        edits[0],
        edit(1, 0, Intent::Delete, Binding, &seen),
        edit(0, 1, Intent::Create(40), Binding, &over),
        edit(2, 0, Intent::Set { field: 0, value: 20 }, Binding, &seen),
    ];
    assert_eq!(
        of_last(&record([&[40], &[41]], &[]), &edits),
        [],
        "the change went with the record that it was made in"
    );
    assert_eq!(of_last(&record([&[20], &[6]], &[]), &edits), [back(1, 6)], "half of it is the old record");
}

#[test]
fn to_remove_a_tag_that_is_not_shown_means_nothing_and_keeps_no_record_there() {
    let (nothing, new) = (exact(None, [0; 3]), record([&[5], &[6]], &[]));
    let seen = exact(Some(new.clone()), [1, 0, 0]);
    let edits = [
        edit(0, 0, Intent::Create(5), Binding, &nothing),
        edit(1, 0, Intent::Delete, Binding, &seen),
        edit(2, 0, Intent::Untag(3), Binding, &seen),
    ];
    assert_eq!(
        [said(None, &edits, STRICT), said(Some(&new), &edits, STRICT)],
        [vec![], vec![Wrong::Back(Part::Record)]]
    );
}

#[test]
fn beyond_the_horizon_a_change_that_had_not_seen_the_delete_may_be_lost_and_within_it_none_may() {
    let (nothing, new) = (exact(None, [0; 3]), record([&[5], &[6]], &[]));
    let seen = exact(Some(new), [1, 0, 0]);
    let edits = [
        edit(0, 0, Intent::Create(5), Binding, &nothing),
        edit(1, 0, Intent::Delete, Binding, &seen),
        edit(2, 0, Intent::Set { field: 0, value: 20 }, Binding, &seen),
    ];
    let said = |now| {
        let carries = terms(STRICT).carries.and_horizon(100);
        wrong(None, &edits, Terms { carries, now, has_authority: false }, Fate::is_unshared)
    };
    assert_eq!([said(99), said(100)], [vec![Wrong::Gone(Part::Record)], vec![]]);
    // So may a change by one who knew of the delete, as the record came back: who forgets it may not have known that.
    let knew = exact(Some(record([&[20], &[6]], &[])), [1, 1, 1]);
    let later = [&edits[..], &[edit(0, 1, Intent::Set { field: 1, value: 30 }, Binding, &knew)]].concat();
    let terms_at = |now| Terms { carries: terms(STRICT).carries.and_horizon(100), now, has_authority: false };
    let said = |now| wrong(None, &later, terms_at(now), Fate::is_unshared);
    assert_eq!([said(99), said(100)], [vec![Wrong::Gone(Part::Record)], vec![]]);
    // A create that had seen the delete is kept for ever.
    let over = exact(None, [1, 1, 0]);
    let anew = [&edits[..2], &[edit(0, 1, Intent::Create(40), Binding, &over)]].concat();
    assert_eq!(wrong(None, &anew, terms_at(1000), Fate::is_unshared), [Wrong::Gone(Part::Record)]);
    // So is what is changed of it then. Whether it is known that a create had come decides, and not that it can have.
    let new = record([&[40], &[41]], &[]);
    let tagged = |sighting| [&anew[..], &[edit(2, 1, Intent::Tag(1), Binding, sighting)]].concat();
    let (knew, may_know) = (
        exact(Some(new.clone()), [2, 1, 0]),
        Sighting { had: Had::upto(&[1, 1, 0], [].into()), ..exact(Some(new.clone()), [2, 1, 0]) },
    );
    let said = |sighting| wrong(Some(&new), &tagged(sighting), terms_at(1000), Fate::is_unshared);
    assert_eq!([said(&knew), said(&may_know)], [vec![Wrong::Gone(Part::Tag(1))], vec![]]);
}

/// How many edits of each device have arrived for certain, and how many may have.
struct Come {
    had: [u32; DEVICES],
    may_have: [u32; DEVICES],
}

impl Whereabouts for Come {
    fn is_known(&self, _edit: &Edited<'_>) -> bool {
        true
    }

    fn is_there(&self, edit: &Edited<'_>) -> bool {
        edit.number < self.had[edit.device]
    }

    fn may_be_there(&self, edit: &Edited<'_>) -> bool {
        edit.number < self.may_have[edit.device]
    }
}

#[test]
fn a_record_and_its_fields_may_be_gone_only_if_an_edit_can_have_come_that_takes_them_away() {
    let (nothing, seen) = (exact(None, [0; 3]), exact(Some(record([&[5], &[6]], &[])), [1, 0, 0]));
    let edits = [
        edit(0, 0, Intent::Create(5), Binding, &nothing),
        edit(1, 0, Intent::Delete, Binding, &seen),
        edit(2, 0, Intent::Set { field: 0, value: 20 }, Binding, &seen),
    ];
    let [there, first, second] = [Part::Record, Part::Field { field: 0, value: 5 }, Part::Field { field: 1, value: 6 }];
    let said = |deleted, may_have: [u32; 3], had: [u32; 3]| {
        let at = Come { had, may_have };
        [there, first, second].map(|part| may_be_gone(part, &edits, terms(deleted), &at))
    };
    assert_eq!(said(STRICT, [1, 0, 0], [1, 0, 0]), [false; 3], "nothing can have come");
    assert_eq!(said(STRICT, [1, 1, 0], [1, 0, 0]), [true; 3], "a delete takes all");
    assert_eq!(said(STRICT, [1, 0, 1], [1, 0, 0]), [false, true, false], "a change takes one value");
    assert_eq!(
        said(STRICT, [1, 1, 1], [1, 0, 1]),
        [false, true, false],
        "a change is there that the delete had not seen"
    );
    assert_eq!(said(Deleted::Either, [1, 1, 1], [1, 0, 1]), [true; 3]);
}

#[test]
fn a_tag_may_be_gone_where_it_was_removed_or_the_record_was_deleted_and_nowhere_else() {
    let (nothing, new) = (exact(None, [0; 3]), exact(Some(record([&[5], &[6]], &[])), [1, 0, 0]));
    let tagged = exact(Some(record([&[5], &[6]], &[3])), [2, 0, 0]);
    let edits = [
        edit(0, 0, Intent::Create(5), Binding, &nothing),
        edit(0, 1, Intent::Tag(3), Binding, &new),
        edit(1, 0, Intent::Untag(3), Binding, &tagged),
        edit(2, 0, Intent::Delete, Binding, &tagged),
    ];
    let said =
        |may_have: [u32; 3]| may_be_gone(Part::Tag(3), &edits, terms(STRICT), &Come { had: [2, 0, 0], may_have });
    assert_eq!([said([2, 0, 0]), said([2, 1, 0]), said([2, 0, 1])], [false, true, true]);
}

#[test]
fn what_one_adds_to_a_record_of_another_may_not_be_lost_though_no_message_tells_that_its_create_had_come() {
    let nothing = exact(None, [0; 3]);
    let shown = Sighting { had: Had::upto(&[0; 3], [].into()), ..exact(Some(record([&[5], &[6]], &[])), [1, 0, 0]) };
    let edits = [edit(0, 0, Intent::Create(5), Binding, &nothing), edit(1, 0, Intent::Tag(3), Binding, &shown)];
    let said = said(Some(&record([&[5], &[6]], &[])), &edits, Deleted::Either);
    assert_eq!(said, [Wrong::Gone(Part::Tag(3))]);
}

#[test]
fn of_two_creates_at_the_same_time_one_may_be_dropped_though_it_can_be_that_its_user_knew_the_other() {
    let nothing = exact(None, [0; 3]);
    let may_know = Sighting { had: Had::upto(&[0; 3], [].into()), ..exact(None, [1, 0, 0]) };
    let edits = [edit(0, 0, Intent::Create(5), Binding, &nothing), edit(1, 0, Intent::Create(40), Binding, &may_know)];
    let shown = record([&[5], &[6]], &[]);
    assert_eq!(said(Some(&shown), &edits, Deleted::Either), []);
    assert_eq!(lost_with_deletes(Some(&shown), &edits, terms(Deleted::Either)), 0, "nobody deleted it");
}

#[test]
fn what_a_policy_or_a_horizon_covers_is_counted() {
    let (nothing, new) = (exact(None, [0; 3]), record([&[5], &[6]], &[]));
    let seen = exact(Some(new.clone()), [1, 0, 0]);
    let edits = [
        edit(0, 0, Intent::Create(5), Binding, &nothing),
        edit(1, 0, Intent::Delete, Binding, &seen),
        edit(2, 0, Intent::Set { field: 0, value: 20 }, Binding, &seen),
    ];
    let lost = |view: Option<&Record>, edits: &[Edited<'_>]| lost_with_deletes(view, edits, terms(Deleted::Either));
    assert_eq!([lost(None, &edits), lost(Some(&record([&[20], &[6]], &[])), &edits)], [1, 0]);
    assert_eq!(lost(None, &edits[..2]), 0, "who deleted it had seen all of it");
}

/// A step of plain records: a device edits, or takes all that another has.
#[derive(Clone, Copy, Debug)]
enum Step {
    Edit(usize, Kind),
    Take(usize, usize),
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Create,
    Delete,
    Set(u32),
    Tag(Element),
    Untag(Element),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![
        2 => Just(Kind::Create),
        1 => Just(Kind::Delete),
        2 => (0..LABELS).prop_map(Kind::Set),
        1 => (0..3u32).prop_map(Kind::Tag),
        1 => (0..3u32).prop_map(Kind::Untag),
    ];
    let step = prop_oneof![
        (0..DEVICES, kind).prop_map(|(device, kind)| Step::Edit(device, kind)),
        (0..DEVICES, 0..DEVICES).prop_map(|(to, from)| Step::Take(to, from)),
    ];
    proptest::collection::vec(step, 1..30)
}

/// Edits with what their users had seen, by device, number and intent.
type Made = Vec<(usize, u32, Intent, Sighting)>;

/// What these edits come to: by definition, without any engine.
fn shown(made: &Made, has: [u32; DEVICES]) -> Option<Record> {
    let come: Vec<&(usize, u32, Intent, Sighting)> =
        made.iter().filter(|(device, number, ..)| *number < has[*device]).collect();
    let is_taken = |device: usize, number: u32, by: &dyn Fn(Intent) -> bool| {
        come.iter().any(|(.., intent, seen)| by(*intent) && seen.may_have[device] > number)
    };
    let is_there = come
        .iter()
        .any(|&&(device, number, intent, _)| intent.makes() && !is_taken(device, number, &|by| by == Intent::Delete));
    is_there.then(|| {
        let mut record = Record::of(LABELS);
        for &&(device, number, intent, _) in &come {
            for (field, values) in (0..).zip(&mut record.labels) {
                let writes = |by: Intent| match by {
                    Intent::Create(value) => Some(created(value, field)),
                    Intent::Set { field: of, value } if of == field => Some(value),
                    _ => None,
                };
                let stays = !is_taken(device, number, &|by| writes(by).is_some());
                values.extend(writes(intent).filter(|_| stays));
            }
            if let Intent::Tag(element) = intent {
                let removes = |by| matches!(by, Intent::Create(_)) || by == Intent::Untag(element);
                record.tags.extend((!is_taken(device, number, &removes)).then_some(element));
            }
        }
        record
    })
}

/// Plays steps, and then everybody takes everything: all edits that meant something, and what is shown.
fn played(steps: &[Step]) -> (Made, Option<Record>) {
    let (mut made, mut has) = (Made::new(), [[0u32; DEVICES]; DEVICES]);
    for &step in steps {
        match step {
            Step::Edit(device, kind) => {
                let shown = shown(&made, has[device]);
                let value = 100 + 10 * made.len() as Value;
                let intent = match kind {
                    Kind::Create => Intent::Create(value),
                    Kind::Delete => Intent::Delete,
                    Kind::Set(field) => Intent::Set { field, value },
                    Kind::Tag(element) => Intent::Tag(element),
                    Kind::Untag(element) => Intent::Untag(element),
                };
                if is_meant(shown.as_ref(), intent) {
                    made.push((device, has[device][device], intent, exact(shown, has[device])));
                    has[device][device] += 1;
                }
            }
            Step::Take(to, from) => {
                let came = has[from];
                has[to].iter_mut().zip(came).for_each(|(mine, theirs)| *mine = (*mine).max(theirs));
            }
        }
    }
    let all = std::array::from_fn(|device| has[device][device]);
    let shown = shown(&made, all);
    (made, shown)
}

proptest! {
    #[test]
    fn what_plain_records_show_is_right_and_every_other_view_is_wrong(steps in steps()) {
        let (made, shown) = played(&steps);
        let edits: Vec<Edited<'_>> =
            made.iter().map(|(device, number, intent, seen)| edit(*device, *number, *intent, Binding, seen)).collect();
        prop_assert_eq!(said(shown.as_ref(), &edits, STRICT), []);
        prop_assert_eq!(said(shown.as_ref(), &edits, Deleted::Either), []);
        let Some(record) = shown else {
            // Whatever is shown of a record that was deleted, or never created, is wrong.
            let some = said(Some(&Record::of(LABELS)), &edits, STRICT);
            prop_assert!(matches!(some[..], [Wrong::Back(Part::Record) | Wrong::Strange(Part::Record)]), "{:?}", some);
            return Ok(());
        };
        prop_assert!(record.lacks().is_none(), "a record is whole by definition");
        prop_assert_eq!(said(None, &edits, STRICT), [Wrong::Gone(Part::Record)]);
        for field in 0..LABELS {
            for &value in &record.labels[field as usize] {
                let mut less = record.clone();
                less.labels[field as usize].remove(&value);
                prop_assert_eq!(said(Some(&less), &edits, STRICT), [gone(field, value)]);
            }
            let mut strange = record.clone();
            strange.labels[field as usize].insert(7);
            prop_assert_eq!(said(Some(&strange), &edits, STRICT), [Wrong::Strange(Part::Field { field, value: 7 })]);
            let written = made.iter().filter_map(|(.., intent, _)| match *intent {
                Intent::Create(value) => Some(created(value, field)),
                Intent::Set { field: of, value } if of == field => Some(value),
                _ => None,
            });
            for value in written.filter(|value| !record.labels[field as usize].contains(value)) {
                let mut more = record.clone();
                more.labels[field as usize].insert(value);
                prop_assert_eq!(said(Some(&more), &edits, STRICT), [back(field, value)]);
            }
        }
        for element in 0..3 {
            let mut other = record.clone();
            if !other.tags.remove(&element) {
                other.tags.insert(element);
            }
            prop_assert_eq!(said(Some(&other), &edits, STRICT).len(), 1, "element {}", element);
        }
    }
}
