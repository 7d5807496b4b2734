//! One writer's part in a record: its creates and changes by number, and for each field what it made there.
//!
//! Every create and every change by a writer has a number, from 1: the writer asserts that the record is there. A share says
//! of the last of them whether anybody who saw it has deleted the record since. So a record is there as long as one assertion
//! is that no delete had seen: a change that nobody saw who deleted the record brings it back whole, since a delete leaves the
//! fields alone. The fields are shares of their own: of labels [`Writes`], of tags [`Inserts`]; a create takes the place of
//! all that the fields show, or would show.
//!
//! A deleted record keeps its last values, unseen: what one takes is, for each writer that ever changed it, a number, and what
//! the writer's last values take. That ends [`HORIZON`] after the node that all others sync through heard of the delete, by its
//! clock: that node buries the record, and every replica drops all of it but two numbers. A record that is created under the same
//! key has another life, and what belongs to a buried life is void wherever it comes from: a change that comes later than that
//! does not bring half a record back.
//!
//! Knows: the numbers of edits. Must not: know connections, or stores.

use serde::{Deserialize, Serialize};

use crate::data::record::created;
use crate::domain::data::{Fields, Intent, Record};
use crate::domain::traffic::Kind;
use crate::engine::by_writer::{Beside, Lived, OneByOne};
use crate::engine::delta_state::tags::Inserts;
use crate::engine::delta_state::writes::Writes;
use crate::engine::wire::{Malformed, Reader, Writer, length, signed_length};

/// How long a deleted record can be brought back by a change that had not seen the delete: 30 days, in milliseconds.
pub const HORIZON: i64 = 30 * 86_400_000;

/// One writer's part in one record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OfRecord {
    /// How many lives of the record were buried when the share began: its numbers begin with it.
    begun: u64,
    /// The life of the record that the writer changed last.
    life: u64,
    last: u64,
    /// Whether nobody who had seen the last has deleted the record.
    is_there: bool,
    /// What it wrote to each label. Where it is short, nothing was written to the others.
    labels: Vec<Writes>,
    tags: Inserts,
    /// When this node heard that the record is deleted, in milliseconds of its clock; of the node that buries records.
    deleted: Option<i64>,
    /// Up to which life the writer buried the record.
    buried: u64,
}

/// No record has more lives, and no writer changes it more often.
const MOST: u64 = u64::MAX >> 2;

/// The forms of a share: whether the last assertion is there, and whether any tag was inserted.
const IS_THERE: u64 = 1;
const HAS_TAGS: u64 = 2;

/// What else a share has: when the delete was heard of, and what was buried.
const WAS_DELETED: u64 = 1;
const BEGAN_LATER: u64 = 2;
const WAS_BURIED: u64 = 4;

impl OfRecord {
    /// The writer creates the record, or changes it.
    pub fn edit(&mut self, intent: Intent, beside: &Beside) {
        if *self == OfRecord::default() {
            self.begun = beside.buried;
        }
        (self.last, self.is_there, self.life) = (self.last + 1, true, self.life.max(beside.life));
        match intent {
            Intent::Create(value) => (0..beside.labels).for_each(|field| self.label(field).made(created(value, field))),
            Intent::Set { field, value } => self.label(field).made(value),
            Intent::Tag(element) => self.tags.insert(element),
            _ => {}
        }
    }

    fn label(&mut self, field: u32) -> &mut Writes {
        if self.labels.len() <= field as usize {
            self.labels.resize(field as usize + 1, Writes::default());
        }
        &mut self.labels[field as usize]
    }

    /// Anyone deletes the record, creates it anew, or takes away what a field shows; gives whether anything was here.
    pub fn taken_away(&mut self, intent: Intent) -> bool {
        match intent {
            Intent::Delete => std::mem::take(&mut self.is_there),
            Intent::Create(_) => self.cleared(),
            Intent::Set { field, .. } => self.labels.get_mut(field as usize).is_some_and(Writes::overwritten),
            Intent::Untag(element) => self.tags.remove(element),
            _ => false,
        }
    }

    /// Takes away what every field shows, or would show; gives whether anything was.
    pub fn cleared(&mut self) -> bool {
        let mut any = false;
        self.labels.iter_mut().for_each(|label| any |= label.overwritten());
        self.tags.clear() || any
    }

    /// What it tells of the record as such.
    pub fn lived(&self) -> Lived {
        Lived { life: self.life, is_there: self.is_there, deleted: self.deleted, buried: self.buried }
    }

    /// The record is deleted, as is heard now.
    pub fn note_deleted(&mut self, millis: i64) {
        self.deleted = self.deleted.max(Some(millis));
    }

    /// The writer buries a life of the record, and all before it.
    pub fn bury(&mut self, life: u64) {
        *self = OfRecord { buried: life, begun: life, ..OfRecord::default() };
    }

    /// A life was buried: drops what belongs to it. Gives whether anything is left that others must know.
    pub fn outlives(&mut self, buried: u64) -> bool {
        if self.life <= buried && self.buried == 0 {
            return false;
        }
        if self.life <= buried {
            *self = OfRecord { buried: self.buried, begun: self.begun, ..OfRecord::default() };
        }
        true
    }

    /// It has the record be there, whatever became of that: the mistake of a mutant.
    pub fn assert_there(&mut self) {
        self.is_there = true;
    }

    /// What both come to. Where one began after more lives were buried, what the other has is void.
    pub fn merged(&self, other: &Self) -> Self {
        if self.begun != other.begun {
            let newer = if self.begun > other.begun { self } else { other };
            return OfRecord { buried: self.buried.max(other.buried), ..newer.clone() };
        }
        let newer = |of: &Self| (of.last, !of.is_there);
        let is_there = if newer(other) > newer(self) { other.is_there } else { self.is_there };
        let places = self.labels.len().max(other.labels.len());
        let label = |of: &Self, place: usize| of.labels.get(place).copied().unwrap_or_default();
        OfRecord {
            begun: self.begun,
            life: self.life.max(other.life),
            last: self.last.max(other.last),
            is_there,
            labels: (0..places).map(|place| label(self, place).merged(label(other, place))).collect(),
            tags: self.tags.merged(&other.tags),
            deleted: self.deleted.max(other.deleted),
            buried: self.buried.max(other.buried),
        }
    }

    /// Adds what the fields show to a record.
    pub fn show(&self, record: &mut Record) {
        for (values, label) in record.labels.iter_mut().zip(&self.labels) {
            values.extend(label.value());
        }
        record.tags.extend(self.tags.elements());
    }

    fn others(&self) -> u64 {
        (if self.deleted.is_some() { WAS_DELETED } else { 0 })
            | (if self.begun > 0 { BEGAN_LATER } else { 0 })
            | (if self.buried > 0 { WAS_BURIED } else { 0 })
    }

    /// Bytes on the line.
    pub fn length(&self) -> usize {
        let labels = self.labels.iter().map(|label| 1 + label.length()).sum::<usize>();
        let tags = if self.tags.is_new() { 0 } else { self.tags.length() };
        let others = self.deleted.map_or(0, signed_length)
            + [self.begun, self.buried].into_iter().filter(|&of| of > 0).map(length).sum::<usize>();
        1 + others + length(self.life) + length(self.last) + length(self.labels.len() as u64) + labels + tags
    }

    /// Writes it. What was never written to is two bytes.
    pub fn write(&self, writer: &mut Writer) {
        writer.of(Kind::Framing).number(self.others());
        if let Some(deleted) = self.deleted {
            writer.of(Kind::Ids).signed(deleted);
        }
        for of in [self.begun, self.buried].into_iter().filter(|&of| of > 0) {
            writer.of(Kind::Ids).number(of);
        }
        writer.of(Kind::Ids).number(self.life).number(self.last).of(Kind::Framing).number(self.labels.len() as u64);
        for label in &self.labels {
            writer.of(Kind::Framing).number(label.form());
            label.write(writer);
        }
        if !self.tags.is_new() {
            self.tags.write(writer);
        }
    }

    /// Reads it.
    pub fn read(fields: &Fields, form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        let others = reader.at_most(WAS_DELETED | BEGAN_LATER | WAS_BURIED, "what else a share has")?;
        let deleted = if others & WAS_DELETED != 0 { Some(reader.signed()?) } else { None };
        let mut told = |flag| match others & flag {
            0 => Ok(0),
            _ => reader
                .at_most(MOST, "a life")
                .and_then(|of| if of > 0 { Ok(of) } else { Err(Malformed::Range("a life")) }),
        };
        let (begun, buried) = (told(BEGAN_LATER)?, told(WAS_BURIED)?);
        let (life, last) = (reader.at_most(MOST, "a life")?, reader.at_most(MOST, "the number of a change")?);
        if form & IS_THERE != 0 && last == 0 {
            return Err(Malformed::Range("the number of a change"));
        }
        let count = reader.at_most(fields.record_labels.into(), "a number of labels")?;
        let labels = (0..count).map(|_| {
            let form = reader.number()?;
            Writes::read_of(form, reader)
        });
        let labels = labels.collect::<Result<Vec<Writes>, Malformed>>()?;
        let has_tags = form & HAS_TAGS != 0;
        let tags = if has_tags { Inserts::read_of(fields.record_elements, reader)? } else { Inserts::default() };
        Ok(OfRecord { begun, life, last, is_there: form & IS_THERE != 0, labels, tags, deleted, buried })
    }

    /// How it is written.
    pub fn form(&self) -> u64 {
        (if self.is_there { IS_THERE } else { 0 }) | (if self.tags.is_new() { 0 } else { HAS_TAGS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIELDS: Fields = Fields { records: 1, record_labels: 2, record_elements: 5, ..EMPTY };
    const EMPTY: Fields = Fields {
        counters: 0,
        start: 0,
        stocks: 0,
        tags: 0,
        elements: 0,
        labels: 0,
        records: 0,
        record_labels: 0,
        record_elements: 0,
        texts: 0,
        claims: 0,
        cases: 0,
        case_items: 0,
    };

    /// Of a record with two labels, in its first life.
    fn beside(intent: Intent) -> Beside {
        let life = if matches!(intent, Intent::Create(_)) { 2 } else { 1 };
        Beside { life, labels: 2, ..Beside::default() }
    }

    fn change() -> impl Strategy<Value = Intent> {
        prop_oneof![
            (0..100u64).prop_map(Intent::Create),
            (0..2u32, 0..100u64).prop_map(|(field, value)| Intent::Set { field, value }),
            (0..5u32).prop_map(Intent::Tag),
            (0..5u32).prop_map(Intent::Untag),
        ]
    }

    fn taken() -> impl Strategy<Value = Intent> {
        prop_oneof![Just(Intent::Delete), change()]
    }

    /// Three replicas of one writer's share: each took some of its states, and its users took away from that.
    fn replicas() -> impl Strategy<Value = [OfRecord; 3]> {
        let seen = || proptest::collection::vec((any::<prop::sample::Index>(), taken()), 0..4);
        (proptest::collection::vec(change(), 1..8), seen(), seen(), seen()).prop_map(|(changes, a, b, c)| {
            let states: Vec<OfRecord> = changes
                .iter()
                .scan(OfRecord::default(), |state, &intent| {
                    state.edit(intent, &beside(intent));
                    Some(state.clone())
                })
                .collect();
            [a, b, c].map(|seen| {
                seen.into_iter().fold(OfRecord::default(), |state, (index, taken)| {
                    let mut state = state.merged(index.get(&states));
                    state.taken_away(taken);
                    state
                })
            })
        })
    }

    proptest! {
        #[test]
        fn merging_is_commutative_associative_and_idempotent([a, b, c] in replicas()) {
            prop_assert_eq!(a.merged(&b), b.merged(&a));
            prop_assert_eq!(a.merged(&b).merged(&c), a.merged(&b.merged(&c)));
            prop_assert_eq!(a.merged(&a), a.clone());
            prop_assert_eq!(a.merged(&b).merged(&a), a.merged(&b), "what was merged changes nothing");
        }

        #[test]
        fn every_share_is_read_back_and_takes_as_many_bytes_as_it_says([share, ..] in replicas()) {
            let mut writer = Writer::bare();
            share.write(&mut writer);
            let bytes = writer.into_bytes();
            prop_assert_eq!(bytes.len(), share.length());
            let mut reader = Reader::bare(&bytes);
            prop_assert_eq!(OfRecord::read(&FIELDS, share.form(), &mut reader), Ok(share));
            prop_assert_eq!(reader.end(), Ok(()));
        }
    }

    #[test]
    fn a_change_that_no_delete_had_seen_brings_the_whole_record_back_and_an_older_state_does_not() {
        let mut writer = OfRecord::default();
        writer.edit(Intent::Create(5), &beside(Intent::Create(5)));
        let mut other = writer.clone();
        assert!(other.taken_away(Intent::Delete) && !other.taken_away(Intent::Delete));
        assert_eq!(other.merged(&writer), other, "an older state does not bring it back");
        let change = Intent::Set { field: 1, value: 9 };
        writer.edit(change, &beside(change));
        let both = other.merged(&writer);
        let mut record = Record { labels: vec![Default::default(); 2], ..Record::default() };
        both.show(&mut record);
        assert!(both.lived().is_there);
        assert_eq!(record.labels, [[5].into(), [9].into()]);
    }

    #[test]
    fn what_belongs_to_a_buried_life_is_void_and_a_share_that_began_later_replaces_it() {
        let mut old = OfRecord::default();
        (0..5).for_each(|_| old.edit(Intent::Create(5), &beside(Intent::Set { field: 0, value: 0 })));
        let mut left = old.clone();
        assert!(!left.outlives(1), "nothing is left of it");
        let mut anew = OfRecord::default();
        anew.edit(Intent::Create(40), &Beside { life: 2, buried: 1, labels: 2, ..Beside::default() });
        assert!(anew.outlives(1));
        assert_eq!(
            [anew.merged(&old), old.merged(&anew)],
            [anew.clone(), anew.clone()],
            "though its numbers are lower"
        );
        let mut grave = OfRecord::default();
        grave.bury(1);
        assert!(grave.outlives(1) && grave.length() < 10);
        assert_eq!(grave.lived(), Lived { buried: 1, ..Lived::default() });
    }
}
