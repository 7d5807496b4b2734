//! Records: users create them, change them field by field, and delete them. A register is the key of one record.
//!
//! Each field merges by its own type: labels ([`crate::data::label`]) and one set of tags ([`crate::data::tags`]). To a label
//! of a record a create is a write, and to its tags a create removes all elements. A delete takes away what its user's replica
//! showed, and no change that had not arrived there. What becomes of a record that is deleted and changed at the same time, an
//! engine declares ([`Deleted`]).
//!
//! | rule | what it forbids | for whom |
//! |---|---|---|
//! | strange | a record that nobody created | all |
//! | back | a record, and its create and every change of it was deleted by somebody who had seen that | all; where a delete wins, creates alone count |
//! | gone | no record, and no delete can have taken away its create and every change of it | all; where a delete may win, creates alone count, and a delete that did not know them may take them away |
//! | of a field | what labels and tags forbid | all; where a delete may win, a delete or a create at the same time may take a change with it |
//!
//! Half a record, without one of its labels, is wrong at any instant: that is judged where views are followed
//! (`whole_records`). Where an engine declares a horizon, all that belongs to a record may be lost once so much time has passed
//! since it was deleted, unless somebody created it again who knew of the delete.
//!
//! Create under a used key, delete against concurrent change: Shapiro, Preguiça, Baquero and Zawirski, "A comprehensive study
//! of Convergent and Commutative Replicated Data Types", INRIA RR-7506, 2011, has the sets of keys; a map whose values are
//! replicated data types is in Almeida, Shoker and Baquero, "Delta state replicated data types", JPDC 111, 2018.

use std::collections::BTreeSet;

use crate::data::seen::{Edited, Terms, Whereabouts};
use crate::data::{Wrong, label, tags};
use crate::domain::data::{Carries, Deleted, Element, Intent, Part, Record, Value, View};
use crate::domain::history::{Fate, Sighting, UserEdit};

/// The value that a create gives to a label.
pub fn created(value: Value, field: u32) -> Value {
    value.wrapping_add(field.into())
}

/// Does what a user intends; gives whether the record changed. `labels` is how many labels a record has.
pub fn apply(record: &mut Option<Box<Record>>, intent: Intent, labels: u32) -> bool {
    match (record.as_deref_mut(), intent) {
        (None, Intent::Create(value)) => {
            let labels = (0..labels).map(|field| [created(value, field)].into()).collect();
            *record = Some(Box::new(Record { labels, tags: BTreeSet::new() }));
            true
        }
        (Some(_), Intent::Delete) => {
            *record = None;
            true
        }
        (Some(record), Intent::Set { field, value }) => {
            let values = record.labels.get_mut(field as usize);
            values.is_some_and(|values| label::apply(values, Intent::Write(value)))
        }
        (Some(record), Intent::Tag(element)) => tags::apply(&mut record.tags, Intent::Insert(element)),
        (Some(record), Intent::Untag(element)) => tags::apply(&mut record.tags, Intent::Remove(element)),
        _ => false,
    }
}

/// Whether an edit means anything to a user who is shown this: nobody creates what is there, or changes what is not.
pub fn is_meant(shown: Option<&Record>, intent: Intent) -> bool {
    match (shown, intent) {
        (Some(record), Intent::Untag(element)) => record.tags.contains(&element),
        (shown, Intent::Create(_)) => shown.is_none(),
        (shown, _) => shown.is_some(),
    }
}

/// The edits of a record that meant something.
struct Edits<'a> {
    edits: Vec<&'a Edited<'a>>,
    policy: Deleted,
    /// Deletes that were made until this instant are beyond the horizon. Nothing where the engine declares no horizon, and in a
    /// world that is younger.
    beyond: Option<u64>,
}

impl<'a> Edits<'a> {
    fn of(edits: &'a [Edited<'a>], Terms { carries, now, .. }: Terms) -> Self {
        let is_meant = |edited: &&Edited<'_>| is_meant(edited.sighting.shown.record(), edited.edit.intent);
        Edits {
            edits: edits.iter().filter(is_meant).collect(),
            policy: carries.records.unwrap_or_default(),
            beyond: carries.horizon.and_then(|horizon| now.checked_sub(horizon)),
        }
    }

    /// Whether an edit may be lost because its record was deleted longer ago than the horizon, and not created again since by
    /// somebody who knew of that.
    fn may_be_too_late(&self, edit: &Edited<'_>) -> bool {
        let Some(beyond) = self.beyond else { return false };
        let is_of = |create: &&Edited<'_>| is_same(create, edit) || create.was_seen_by(edit);
        let is_over = |delete: &Edited<'_>| !self.creates().filter(is_of).any(|create| delete.was_seen_by(create));
        self.deletes().any(|delete| delete.edit.at <= beyond && is_over(delete))
    }

    fn deletes(&self) -> impl Iterator<Item = &'a Edited<'a>> {
        self.edits.iter().copied().filter(|edited| edited.edit.intent == Intent::Delete)
    }

    fn creates(&self) -> impl Iterator<Item = &'a Edited<'a>> {
        self.edits.iter().copied().filter(|edited| matches!(edited.edit.intent, Intent::Create(_)))
    }

    /// Creates and changes.
    fn makes(&self) -> impl Iterator<Item = &'a Edited<'a>> {
        self.edits.iter().copied().filter(|edited| edited.edit.intent.makes())
    }

    /// The edits of which each has the record be there.
    fn keep_there(&self) -> Vec<&'a Edited<'a>> {
        match self.policy {
            Deleted::EditWins => self.makes().collect(),
            Deleted::DeleteWins | Deleted::Either => self.creates().collect(),
        }
    }

    /// Whether the user of a delete had seen an edit for certain: it had come, or it is the create without which no record
    /// would have been shown.
    fn had_seen(&self, delete: &Edited<'_>, edit: &Edited<'_>) -> bool {
        let is_create = matches!(edit.edit.intent, Intent::Create(_));
        edit.was_seen_by(delete) || is_create && edit.may_be_seen_by(delete) && self.creates().count() == 1
    }

    /// Whether a delete can have taken an edit away. `is_older` says whether the delete is older for certain.
    fn may_delete(&self, delete: &Edited<'_>, edit: &Edited<'_>, is_older: bool) -> bool {
        match self.policy {
            Deleted::EditWins => edit.may_be_seen_by(delete),
            Deleted::DeleteWins | Deleted::Either => !is_older,
        }
    }

    /// Whether a delete or a create at the same time may have taken a change with it. Where an edit wins, none may.
    fn may_be_dropped(&self, change: &Edited<'_>, may_be: impl Fn(&Edited<'_>) -> bool) -> bool {
        if self.may_be_too_late(change) {
            return true;
        }
        let mut others = self.creates().chain(self.deletes()).filter(|other| may_be(other));
        // Where the record was shown to whoever changed it, and one create alone can have come, that one had.
        let was_shown = self.creates().all(|create| !is_same(create, change));
        let can_have_come = || self.creates().filter(|create| create.may_be_seen_by(change));
        let had_seen = |other: &Edited<'_>| {
            let is_create = matches!(other.edit.intent, Intent::Create(_));
            let is_the_only = || is_create && other.may_be_seen_by(change) && can_have_come().count() == 1;
            other.was_seen_by(change) || was_shown && is_the_only()
        };
        let is_concurrent = |other: &Edited<'_>| !had_seen(other) && !change.was_seen_by(other);
        self.policy != Deleted::EditWins && others.any(|other| is_concurrent(other) && !is_same(other, change))
    }
}

fn is_same(one: &Edited<'_>, other: &Edited<'_>) -> bool {
    (one.device, one.number) == (other.device, other.number)
}

/// An edit of a record as one of its fields sees it.
struct OfField {
    device: usize,
    number: u32,
    edit: UserEdit,
    sighting: Sighting,
}

impl OfField {
    fn of(edited: &Edited<'_>, intent: Intent, shown: View) -> Self {
        let edit = UserEdit { intent, ..edited.edit };
        OfField {
            device: edited.device,
            number: edited.number,
            edit,
            sighting: Sighting { shown, ..edited.sighting.clone() },
        }
    }

    fn edited(&self) -> Edited<'_> {
        Edited { device: self.device, number: self.number, edit: self.edit, sighting: &self.sighting }
    }
}

/// The writes of a label of a record.
fn writes(edits: &Edits<'_>, of: u32) -> Vec<OfField> {
    let write = |edited: &&Edited<'_>| {
        let value = match edited.edit.intent {
            Intent::Create(value) => created(value, of),
            Intent::Set { field, value } if field == of => value,
            _ => return None,
        };
        let shown = edited.sighting.shown.record().and_then(|record| record.labels.get(of as usize));
        Some(OfField::of(edited, Intent::Write(value), View::Label(shown.cloned().unwrap_or_default())))
    };
    edits.edits.iter().filter_map(write).collect()
}

/// The inserts and removes of a record's tags.
fn inserts_and_removes(edits: &Edits<'_>) -> Vec<OfField> {
    let tagged = edits.edits.iter().filter_map(|edited| match edited.edit.intent {
        Intent::Tag(element) => Some(element),
        _ => None,
    });
    let tagged: BTreeSet<Element> = tagged.collect();
    let mut of_tags = Vec::new();
    for edited in &edits.edits {
        let shown = || View::Tags(edited.sighting.shown.record().map(|record| record.tags.clone()).unwrap_or_default());
        match edited.edit.intent {
            Intent::Tag(element) => of_tags.push(OfField::of(edited, Intent::Insert(element), shown())),
            Intent::Untag(element) => of_tags.push(OfField::of(edited, Intent::Remove(element), shown())),
            // What a deleted record had, nobody sees: a create removes all of it that had come.
            Intent::Create(_) => of_tags.extend(
                tagged
                    .iter()
                    .map(|&element| OfField::of(edited, Intent::Remove(element), View::Tags([element].into()))),
            ),
            _ => {}
        }
    }
    of_tags
}

/// What is wrong with a label is wrong with a field, and with tags alike.
fn in_field(wrong: Wrong, field: u32) -> Wrong {
    let part = |part: Part| match part {
        Part::Value(value) => Part::Field { field, value },
        Part::Element(element) => Part::Tag(element),
        other => other,
    };
    match wrong {
        Wrong::Gone(of) => Wrong::Gone(part(of)),
        Wrong::Back(of) => Wrong::Back(part(of)),
        Wrong::Strange(of) => Wrong::Strange(part(of)),
        Wrong::Beside(of) => Wrong::Beside(part(of)),
        Wrong::Late(of) => Wrong::Late(part(of)),
        of_others @ (Wrong::Twice(_) | Wrong::Moved { .. } | Wrong::Mixed { .. }) => of_others,
        of_others @ (Wrong::Undecided(_) | Wrong::Unheld(_) | Wrong::Overlooked(_)) => of_others,
    }
}

/// What is wrong with a view, given all edits of its register. An edit may be missing where `may_be_missing` says so of its
/// fate.
pub fn wrong(
    view: Option<&Record>,
    edits: &[Edited<'_>],
    terms: Terms,
    may_be_missing: impl Fn(Fate) -> bool,
) -> Vec<Wrong> {
    let (edits, carries) = (Edits::of(edits, terms), terms.carries);
    let binding = |edited: &&Edited<'_>| !may_be_missing(edited.edit.fate);
    let Some(record) = view else {
        let may_be_deleted = |edit: &Edited<'_>| {
            edits.may_be_too_late(edit)
                || edits.deletes().any(|delete| edits.may_delete(delete, edit, delete.was_seen_by(edit)))
        };
        let stays = edits.keep_there().into_iter().filter(|edit| binding(edit)).any(|edit| !may_be_deleted(edit));
        return stays.then_some(Wrong::Gone(Part::Record)).into_iter().collect();
    };
    if edits.creates().next().is_none() {
        return vec![Wrong::Strange(Part::Record)];
    }
    let is_deleted = |edit: &Edited<'_>| edits.deletes().filter(binding).any(|delete| edits.had_seen(delete, edit));
    let mut keep_there: Box<dyn Iterator<Item = &Edited<'_>>> = match edits.policy {
        Deleted::DeleteWins => Box::new(edits.creates()),
        Deleted::EditWins | Deleted::Either => Box::new(edits.makes()),
    };
    if keep_there.all(is_deleted) {
        return vec![Wrong::Back(Part::Record)];
    }
    // What may have been taken along is as if its author's store had been lost: it may be gone, and a clock decides without it.
    // Who had seen what it overwrote has seen that all the same.
    let judged = |of_field: Vec<OfField>, judge: &dyn Fn(&[Edited<'_>]) -> Vec<Wrong>| {
        let strictly = judge(&of_field.iter().map(OfField::edited).collect::<Vec<_>>());
        let mut excused = of_field;
        for change in &mut excused {
            if edits.may_be_dropped(&change.edited(), |_| true) {
                change.edit.fate = Fate::Unshared;
            }
        }
        let leniently = judge(&excused.iter().map(OfField::edited).collect::<Vec<_>>());
        let is_of_lost = |wrong: &Wrong| matches!(wrong, Wrong::Gone(_) | Wrong::Late(_));
        let of_others = strictly.into_iter().filter(|wrong| !is_of_lost(wrong));
        of_others.chain(leniently.into_iter().filter(is_of_lost)).collect::<Vec<Wrong>>()
    };
    let mut wrong = Vec::new();
    for (field, values) in (0..).zip(&record.labels) {
        let said = judged(writes(&edits, field), &|writes| {
            label::wrong(values, writes, carries.labels.unwrap_or_default(), &may_be_missing)
        });
        wrong.extend(said.into_iter().map(|said| in_field(said, field)));
    }
    let said = judged(inserts_and_removes(&edits), &|of_tags| {
        tags::wrong(&record.tags, of_tags, carries.tags.unwrap_or_default(), &may_be_missing)
    });
    wrong.extend(said.into_iter().map(|said| in_field(said, 0)));
    wrong
}

/// How many records, or parts of one, that was deleted at some time are not shown though nobody who deleted the record, or created
/// it anew, had seen all of that: an engine's policy may cover that, or its horizon, and its users are not told.
pub fn lost_with_deletes(view: Option<&Record>, edits: &[Edited<'_>], terms: Terms) -> usize {
    if !edits.iter().any(|edit| edit.edit.intent == Intent::Delete) {
        return 0;
    }
    let carries = Carries { records: Some(Deleted::EditWins), horizon: None, ..terms.carries };
    let wrong = wrong(view, edits, Terms { carries, ..terms }, |fate| fate != Fate::Binding);
    wrong.iter().filter(|wrong| matches!(wrong, Wrong::Gone(_))).count()
}

/// How many values of labels are not shown though nobody to whom they were shown wrote again ([`label::lost_unseen`]).
pub fn lost_unseen(view: Option<&Record>, edits: &[Edited<'_>]) -> usize {
    let edits = Edits::of(edits, Terms::default());
    let of_label = |(field, values): (u32, &BTreeSet<Value>)| {
        let writes = writes(&edits, field);
        label::lost_unseen(values, &writes.iter().map(OfField::edited).collect::<Vec<_>>())
    };
    view.map_or(0, |record| (0..).zip(&record.labels).map(of_label).sum())
}

/// Whether a part that a replica showed may be gone from it, given all edits of its register until now.
pub fn may_be_gone(part: Part, edits: &[Edited<'_>], terms: Terms, at: &impl Whereabouts) -> bool {
    let (edits, carries) = (Edits::of(edits, terms), terms.carries);
    let may_be_deleted = |edit: &Edited<'_>| {
        if edits.may_be_too_late(edit) {
            return true;
        }
        let mut come = edits.deletes().filter(|delete| at.may_be_there(delete));
        come.any(|delete| edits.may_delete(delete, edit, at.is_known(delete) && delete.was_seen_by(edit)))
    };
    let is_there = |edit: &&Edited<'_>| at.is_known(edit) && at.is_there(edit);
    let keep_there = edits.keep_there();
    let keeping = || keep_there.iter().copied();
    // It was shown: one edit is there at least that keeps it there, though it may be known of none.
    if keeping().filter(is_there).all(may_be_deleted)
        && keeping().filter(|edit| at.may_be_there(edit)).any(may_be_deleted)
    {
        return true;
    }
    let may_be_dropped = |of_field: &[OfField], made: Intent| {
        let mut made = of_field.iter().filter(|change| change.edit.intent == made).map(OfField::edited);
        made.any(|change| edits.may_be_dropped(&change, |other| at.may_be_there(other)))
    };
    match part {
        Part::Field { field, value } => {
            let writes = writes(&edits, field);
            let edited: Vec<Edited<'_>> = writes.iter().map(OfField::edited).collect();
            label::may_be_gone(value, &edited, carries.labels.unwrap_or_default(), at)
                || may_be_dropped(&writes, Intent::Write(value))
        }
        Part::Tag(element) => {
            let of_tags = inserts_and_removes(&edits);
            let edited: Vec<Edited<'_>> = of_tags.iter().map(OfField::edited).collect();
            tags::may_be_gone(element, &edited, carries.tags.unwrap_or_default(), at)
                || may_be_dropped(&of_tags, Intent::Insert(element))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
