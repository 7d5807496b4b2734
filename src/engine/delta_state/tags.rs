//! One writer's inserts of a tags register: those that are still there, and the number of the last.
//!
//! Every insert has a number, from 1. A share says: of this writer's inserts up to the last, exactly these are there. An
//! insert that is neither among them nor later than the last was removed, so that a remove leaves nothing behind. This is
//! an observed-remove set without tombstones, split by writer: Bieniusa et al., "An optimized conflict-free replicated
//! set", INRIA RR-8083, 2012.
//!
//! Knows: the numbers of inserts. Must not: know connections, or stores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::data::{DataType, Element, Fields};
use crate::domain::traffic::Kind;
use crate::engine::by_writer::OneByOne;
use crate::engine::views;
use crate::engine::wire::{Malformed, Reader, Writer, length};

/// No writer inserts more often: what is read leaves room to count on.
const MOST: u64 = u64::MAX >> 2;

/// One writer's inserts of one register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Inserts {
    last: u64,
    /// By element, the number of its newest insert, from 1 to the last.
    there: BTreeMap<Element, u64>,
}

impl Inserts {
    /// The writer inserts an element.
    pub fn insert(&mut self, element: Element) {
        self.last += 1;
        self.there.insert(element, self.last);
    }

    /// Anyone removes an element that is here; gives whether it was.
    pub fn remove(&mut self, element: Element) -> bool {
        self.there.remove(&element).is_some()
    }

    /// The elements that are there.
    pub fn elements(&self) -> impl Iterator<Item = Element> {
        self.there.keys().copied()
    }

    /// What both come to: an insert is there if both have it, or if one has it and the other never heard of it.
    pub fn merged(&self, other: &Self) -> Self {
        let has = |of: &Self, element: Element, number: u64| of.there.get(&element) == Some(&number);
        let stays = |of: &Self, element: Element, number: u64| number > of.last || has(of, element, number);
        let mine = self.there.iter().filter(|&(&element, &number)| stays(other, element, number));
        let theirs = other.there.iter().filter(|&(&element, &number)| stays(self, element, number));
        let mut there: BTreeMap<Element, u64> = BTreeMap::new();
        for (&element, &number) in mine.chain(theirs) {
            let newest = there.entry(element).or_default();
            *newest = number.max(*newest);
        }
        Inserts { last: self.last.max(other.last), there }
    }

    /// Anyone removes all elements that are here; gives whether any was.
    pub fn clear(&mut self) -> bool {
        !std::mem::take(&mut self.there).is_empty()
    }

    /// Whether the writer never inserted anything.
    pub fn is_new(&self) -> bool {
        self.last == 0
    }

    /// Reads inserts into a set of so many elements.
    pub fn read_of(elements: u32, reader: &mut Reader) -> Result<Self, Malformed> {
        let (last, count) = (reader.at_most(MOST, "the number of an insert")?, reader.count("a number of elements")?);
        let mut next = 0u64;
        let mut read = || {
            let element = views::element(elements, reader.number()?, &mut next)?;
            let number = last.checked_sub(reader.number()?).filter(|&number| number > 0);
            Ok((element, number.ok_or(Malformed::Range("the number of an insert"))?))
        };
        Ok(Inserts { last, there: (0..count).map(|_| read()).collect::<Result<_, Malformed>>()? })
    }

    /// Bytes on the line.
    pub fn length(&self) -> usize {
        let numbers = self.there.values().map(|&number| length(self.last - number)).sum::<usize>();
        let gaps = views::gaps(self.there.keys()).map(|gap| length(gap.into())).sum::<usize>();
        length(self.last) + length(self.there.len() as u64) + numbers + gaps
    }
}

impl OneByOne for Inserts {
    fn form(&self) -> u64 {
        0
    }

    fn write(&self, writer: &mut Writer) {
        writer.of(Kind::Ids).number(self.last).of(Kind::Framing).number(self.there.len() as u64);
        for (gap, number) in views::gaps(self.there.keys()).zip(self.there.values()) {
            writer.of(Kind::Payload).number(gap.into()).of(Kind::Ids).number(self.last - number);
        }
    }

    fn read(fields: &Fields, register: u32, form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        if fields.of(register) != DataType::Tags || form != 0 {
            return Err(Malformed::Range("the form of a share"));
        }
        Inserts::read_of(fields.elements, reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a writer did, and what two replicas removed of it that had seen so much of it.
    fn replicas() -> impl Strategy<Value = [Inserts; 3]> {
        let removes = || proptest::collection::vec((any::<prop::sample::Index>(), 0..5u32), 0..6);
        (proptest::collection::vec(0..5u32, 1..8), removes(), removes(), removes()).prop_map(|(inserts, a, b, c)| {
            let states: Vec<Inserts> = inserts
                .iter()
                .scan(Inserts::default(), |state, &element| {
                    state.insert(element);
                    Some(state.clone())
                })
                .collect();
            [a, b, c].map(|removes| {
                removes.into_iter().fold(Inserts::default(), |state, (seen, element)| {
                    let mut state = state.merged(seen.get(&states));
                    state.remove(element);
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
            let fields = Fields { tags: 1, elements: 5, ..Fields::default() };
            let mut writer = Writer::bare();
            share.write(&mut writer);
            let bytes = writer.into_bytes();
            prop_assert_eq!(bytes.len(), share.length());
            let mut reader = Reader::bare(&bytes);
            prop_assert_eq!(Inserts::read(&fields, 0, 0, &mut reader), Ok(share));
            prop_assert_eq!(reader.end(), Ok(()));
        }
    }

    #[test]
    fn a_remove_leaves_nothing_behind_and_takes_away_what_was_seen_alone() {
        let mut writer = Inserts::default();
        writer.insert(3);
        let mut other = writer.clone();
        assert!(other.remove(3) && !other.remove(3));
        assert_eq!(other.length(), 2, "the number of the last insert, and that none is there");
        // An older state does not bring it back.
        assert_eq!(other.merged(&writer), other);
        // The writer inserts it again, and has not heard of the remove.
        writer.insert(3);
        assert!(other.merged(&writer).elements().eq([3]));
    }
}
