//! What one writer did of a case, whether it asked to close it, and with which items it closed it.
//!
//! The node that all others sync through is the only one that closes: as soon as a request reaches it, with the items that it has
//! then. Nobody takes that back. So whatever else was done is refused, and no share need say so. What an item takes is its number,
//! for good.
//!
//! Knows: items. Must not: know connections, or who may close.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::data::{Case, DataType, Element, Fields, Stage};
use crate::domain::traffic::Kind;
use crate::engine::by_writer::OneByOne;
use crate::engine::views;
use crate::engine::wire::{Malformed, Reader, Writer, length};

/// What one writer made of one case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Work {
    done: BTreeSet<Element>,
    asks_to_close: bool,
    closed: Option<BTreeSet<Element>>,
}

/// The forms of a share: it asks to close, or it closes; 3 is both. Each begins with what the writer did.
const ASKS: u64 = 1;
const CLOSES: u64 = 2;

impl Work {
    /// The writer does an item.
    pub fn make(&mut self, item: Element) {
        self.done.insert(item);
    }

    /// The writer asks to close the case.
    pub fn ask_to_close(&mut self) {
        self.asks_to_close = true;
    }

    /// The writer closes the case with these items.
    pub fn close(&mut self, items: BTreeSet<Element>) {
        self.closed = Some(items);
    }

    /// What the writer did.
    pub fn done(&self) -> &BTreeSet<Element> {
        &self.done
    }

    /// Whether it asked to close the case.
    pub fn asks(&self) -> bool {
        self.asks_to_close
    }

    /// The items with which it closed the case.
    pub fn closed(&self) -> Option<&BTreeSet<Element>> {
        self.closed.as_ref()
    }

    /// What both come to. One writer closes a case twice only where its store was set back between: the smaller set stands, at all
    /// replicas alike.
    pub fn merged(&self, other: &Self) -> Self {
        Work {
            done: self.done.union(&other.done).copied().collect(),
            asks_to_close: self.asks_to_close || other.asks_to_close,
            closed: self.closed.iter().chain(&other.closed).min().cloned(),
        }
    }

    /// Adds it to what is shown. What is refused is known once all shares were added ([`settled`]): until then, everything that
    /// anybody did is.
    pub fn show(&self, case: &mut Case) {
        case.refused.extend(&self.done);
        if let Some(items) = &self.closed {
            let stands = case.frozen().is_none_or(|frozen| items < frozen);
            (case.stage, case.done) =
                (Stage::Closed, if stands { items.clone() } else { std::mem::take(&mut case.done) });
        } else if self.asks_to_close {
            case.stage = case.stage.max(Stage::CloseRequested);
        }
    }

    /// Bytes on the line.
    pub fn length(&self) -> usize {
        items_weigh(&self.done) + self.closed.as_ref().map_or(0, items_weigh)
    }
}

fn items_weigh(items: &BTreeSet<Element>) -> usize {
    length(items.len() as u64) + views::gaps(items).map(|gap| length(gap.into())).sum::<usize>()
}

fn write_items(items: &BTreeSet<Element>, writer: &mut Writer) {
    writer.number(items.len() as u64);
    views::gaps(items).for_each(|gap| _ = writer.number(gap.into()));
}

fn read_items(fields: &Fields, reader: &mut Reader) -> Result<BTreeSet<Element>, Malformed> {
    let mut next = 0u64;
    let count = reader.count("a number of items")?;
    (0..count).map(|_| views::element(fields.case_items, reader.number()?, &mut next)).collect()
}

/// Of a closed case, what it was not closed with is refused. Of another, everything counts that was done.
pub fn settled(case: &mut Case) {
    if case.stage == Stage::Closed {
        case.refused.retain(|item| !case.done.contains(item));
    } else {
        case.done = std::mem::take(&mut case.refused);
    }
}

impl OneByOne for Work {
    fn form(&self) -> u64 {
        let asks = if self.asks_to_close { ASKS } else { 0 };
        asks | if self.closed.is_some() { CLOSES } else { 0 }
    }

    fn write(&self, writer: &mut Writer) {
        writer.of(Kind::Payload);
        write_items(&self.done, writer);
        self.closed.iter().for_each(|items| write_items(items, writer));
    }

    fn read(fields: &Fields, register: u32, form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        if fields.of(register) != DataType::Case {
            return Err(Malformed::Range("the form of a share"));
        }
        let done = read_items(fields, reader)?;
        let closed = if form & CLOSES == 0 { None } else { Some(read_items(fields, reader)?) };
        Ok(Work { done, asks_to_close: form & ASKS != 0, closed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    const FIELDS: Fields = Fields {
        counters: 1,
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
        cases: 1,
        case_items: 9,
    };

    fn shares() -> impl Strategy<Value = Work> {
        let parts = (btree_set(0..9u32, 0..4), any::<bool>(), proptest::option::of(btree_set(0..9u32, 0..4)));
        parts.prop_map(|(done, asks_to_close, closed)| Work { done, asks_to_close, closed })
    }

    fn shown<'a>(all: impl IntoIterator<Item = &'a Work>) -> Case {
        let mut case = Case::default();
        all.into_iter().for_each(|share| share.show(&mut case));
        settled(&mut case);
        case
    }

    proptest! {
        #[test]
        fn a_merge_gives_the_same_in_any_order_and_twice(one in shares(), other in shares(), third in shares()) {
            prop_assert_eq!(one.merged(&other), other.merged(&one));
            prop_assert_eq!(one.merged(&other).merged(&third), one.merged(&other.merged(&third)));
            prop_assert_eq!(one.merged(&one), one);
        }

        #[test]
        fn every_share_is_read_back_and_takes_what_it_says(share in shares()) {
            let mut writer = Writer::bare();
            OneByOne::write(&share, &mut writer);
            let bytes = writer.into_bytes();
            prop_assert_eq!(bytes.len(), share.length());
            let mut reader = Reader::bare(&bytes);
            prop_assert_eq!(Work::read(&FIELDS, 1, share.form(), &mut reader), Ok(share));
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn whatever_anybody_did_is_done_or_refused_and_replicas_agree_in_any_order(all in vec(shares(), 1..4)) {
            let case = shown(&all);
            prop_assert!(case.is_canonical());
            prop_assert_eq!(&case, &shown(all.iter().rev()));
            let places: BTreeSet<Element> = case.done.union(&case.refused).copied().collect();
            prop_assert!(all.iter().all(|share| share.done.is_subset(&places)));
            prop_assert_eq!(case.stage == Stage::Closed, all.iter().any(|share| share.closed.is_some()));
        }
    }

    #[test]
    fn a_share_of_another_register_or_with_an_item_too_many_is_malformed() {
        let read = |register, form, bytes: &[u8]| Work::read(&FIELDS, register, form, &mut Reader::bare(bytes));
        assert!(read(1, CLOSES, &[1, 8, 0]).is_ok());
        for (register, form, bytes) in
            [(0, ASKS, &[0][..]), (1, ASKS, &[1, 9]), (1, CLOSES, &[1, 8]), (1, 0, &[2, 8, 0])]
        {
            assert!(read(register, form, bytes).is_err(), "{register} {form} {bytes:?}");
        }
    }
}
