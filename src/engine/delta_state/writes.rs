//! One writer's writes of a label: the value of its last, unless somebody who saw that has overwritten it.
//!
//! Every write has a number, from 1, and a writer's next write supersedes its last. A share says: of this writer's writes up
//! to the last, the last one is there, or none is. Who writes takes away what every share shows, and puts its own value
//! there. So a write that was overwritten leaves nothing behind but the number of its writer's last: a multi-value register
//! without tombstones, split by writer, after Bieniusa et al., "An optimized conflict-free replicated set", INRIA RR-8083,
//! 2012. What a label takes is one number and one value for each writer that ever wrote it.
//!
//! Knows: the numbers of writes. Must not: know connections, or stores.

use serde::{Deserialize, Serialize};

use crate::domain::data::{DataType, Fields, Value};
use crate::domain::traffic::Kind;
use crate::engine::by_writer::OneByOne;
use crate::engine::wire::{Malformed, Reader, Writer, length};

/// One writer's writes of one label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Writes {
    last: u64,
    /// The value of the last write, as long as nobody has overwritten it.
    there: Option<Value>,
}

/// No writer writes more often: what is read leaves room to count on.
const MOST: u64 = u64::MAX >> 2;

/// The forms of a share: nothing of it is there, or its last value is.
const OVERWRITTEN: u64 = 0;
const THERE: u64 = 1;

impl Writes {
    /// The writer writes.
    pub fn made(&mut self, value: Value) {
        *self = Writes { last: self.last + 1, there: Some(value) };
    }

    /// Anyone overwrites what is here; gives whether anything was.
    pub fn overwritten(&mut self) -> bool {
        self.there.take().is_some()
    }

    /// The value that is there.
    pub fn value(self) -> Option<Value> {
        self.there
    }

    /// What both come to: the later write, and of one and the same write, that it was overwritten.
    pub fn merged(self, other: Self) -> Self {
        let newer = |of: Self| (of.last, of.there.is_none());
        if newer(other) > newer(self) { other } else { self }
    }

    /// Reads writes in this form.
    pub fn read_of(form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        if form > THERE {
            return Err(Malformed::Range("the form of a share"));
        }
        let last = reader.at_most(MOST, "the number of a write")?;
        let there = if form == THERE { Some(reader.number()?) } else { None };
        if there.is_some() && last == 0 {
            return Err(Malformed::Range("the number of a write"));
        }
        Ok(Writes { last, there })
    }

    /// Bytes on the line.
    pub fn length(self) -> usize {
        length(self.last) + self.there.map_or(0, length)
    }
}

impl OneByOne for Writes {
    fn form(&self) -> u64 {
        if self.there.is_some() { THERE } else { OVERWRITTEN }
    }

    fn write(&self, writer: &mut Writer) {
        writer.of(Kind::Ids).number(self.last);
        if let Some(value) = self.there {
            writer.of(Kind::Payload).number(value);
        }
    }

    fn read(fields: &Fields, register: u32, form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        match fields.of(register) {
            DataType::Label => Writes::read_of(form, reader),
            _ => Err(Malformed::Range("the form of a share")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Three replicas' shares of one writer: a number of writes each, and whether the last was overwritten.
    fn replicas() -> impl Strategy<Value = [Writes; 3]> {
        let seen = || (0..6u64, any::<bool>());
        (seen(), seen(), seen()).prop_map(|(a, b, c)| {
            [a, b, c].map(|(writes, is_overwritten)| {
                let mut share = Writes::default();
                (0..writes).for_each(|place| share.made(1000 + place));
                if is_overwritten {
                    share.overwritten();
                }
                share
            })
        })
    }

    proptest! {
        #[test]
        fn merging_is_commutative_associative_and_idempotent([a, b, c] in replicas()) {
            prop_assert_eq!(a.merged(b), b.merged(a));
            prop_assert_eq!(a.merged(b).merged(c), a.merged(b.merged(c)));
            prop_assert_eq!(a.merged(a), a);
            prop_assert_eq!(a.merged(b).merged(a), a.merged(b), "what was merged changes nothing");
        }

        #[test]
        fn every_share_is_read_back_and_takes_as_many_bytes_as_it_says([share, ..] in replicas()) {
            let fields = Fields { labels: 1, ..Fields::default() };
            let mut writer = Writer::bare();
            share.write(&mut writer);
            let bytes = writer.into_bytes();
            prop_assert_eq!(bytes.len(), share.length());
            let mut reader = Reader::bare(&bytes);
            prop_assert_eq!(Writes::read(&fields, 0, share.form(), &mut reader), Ok(share));
            prop_assert_eq!(reader.end(), Ok(()));
        }
    }

    #[test]
    fn what_was_overwritten_leaves_the_number_of_the_last_write_behind_and_a_later_write_stays() {
        let mut writer = Writes::default();
        writer.made(70_000);
        let mut other = writer;
        assert!(other.overwritten() && !other.overwritten());
        assert_eq!((writer.length(), other.length()), (4, 1));
        // An older state does not bring it back.
        assert_eq!(other.merged(writer), other);
        // The writer writes again, and has not heard of that.
        writer.made(80_000);
        assert_eq!(other.merged(writer).value(), Some(80_000));
    }
}
