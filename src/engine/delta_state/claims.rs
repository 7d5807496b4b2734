//! What one writer asked for, and what it decided, of something that can be had once.
//!
//! The node that all others sync through is the only one that decides: it grants the first claim that reaches it, and nobody
//! takes that back. So who else asked is refused, and no share need say so. What a claim takes is its value, for good.
//!
//! Knows: values. Must not: know connections, or who may decide.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::data::{Claimed, DataType, Fields, Value};
use crate::domain::traffic::Kind;
use crate::engine::by_writer::OneByOne;
use crate::engine::wire::{Malformed, Reader, Writer, length};

/// One writer's claims of one thing, and to whom it gave that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claims {
    asked: BTreeSet<Value>,
    granted: Option<Value>,
}

/// The forms of a share: it asks, or it grants; 3 is both.
const ASKS: u64 = 1;
const GRANTS: u64 = 2;

impl Claims {
    /// The writer asks in the name of a value.
    pub fn ask(&mut self, value: Value) {
        self.asked.insert(value);
    }

    /// The writer decides.
    pub fn grant(&mut self, value: Value) {
        self.granted = Some(value);
    }

    /// In whose name it asked first, by value.
    pub fn first_asked(&self) -> Option<Value> {
        self.asked.first().copied()
    }

    /// To whom it was granted.
    pub fn granted(&self) -> Option<Value> {
        self.granted
    }

    /// What both come to. Two decisions of one writer are possible only where its store was set back between them: the smaller
    /// value stands, at all replicas alike.
    pub fn merged(&self, other: &Self) -> Self {
        let granted = self.granted.into_iter().chain(other.granted).min();
        Claims { asked: self.asked.union(&other.asked).copied().collect(), granted }
    }

    /// Adds it to what is shown. Who waits and who is refused is known once all shares were added ([`settled`]).
    pub fn show(&self, claimed: &mut Claimed) {
        claimed.holder = claimed.holder.into_iter().chain(self.granted).min();
        claimed.waiting.extend(&self.asked);
    }

    /// Bytes on the line.
    pub fn length(&self) -> usize {
        let asked = || length(self.asked.len() as u64) + self.asked.iter().map(|&value| length(value)).sum::<usize>();
        self.granted.map_or(0, length) + if self.asked.is_empty() { 0 } else { asked() }
    }
}

/// Where somebody holds it, all others who asked are refused.
pub fn settled(claimed: &mut Claimed) {
    if let Some(holder) = claimed.holder {
        claimed.refused.append(&mut claimed.waiting);
        claimed.refused.remove(&holder);
    }
}

impl OneByOne for Claims {
    fn form(&self) -> u64 {
        let asks = if self.asked.is_empty() { 0 } else { ASKS };
        asks | if self.granted.is_some() { GRANTS } else { 0 }
    }

    fn write(&self, writer: &mut Writer) {
        writer.of(Kind::Payload);
        if !self.asked.is_empty() {
            writer.number(self.asked.len() as u64);
            self.asked.iter().for_each(|&value| _ = writer.number(value));
        }
        self.granted.iter().for_each(|&value| _ = writer.number(value));
    }

    fn read(fields: &Fields, register: u32, form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        if fields.of(register) != DataType::Claim || form == 0 {
            return Err(Malformed::Range("the form of a share"));
        }
        let mut asked = BTreeSet::new();
        if form & ASKS != 0 {
            let count = reader.count("a number of claims")?;
            for _ in 0..count {
                let value = reader.number()?;
                // One way to write each share.
                if asked.last().is_some_and(|&last| last >= value) {
                    return Err(Malformed::Range("the order of claims"));
                }
                asked.insert(value);
            }
            if asked.is_empty() {
                return Err(Malformed::Range("a number of claims"));
            }
        }
        let granted = if form & GRANTS != 0 { Some(reader.number()?) } else { None };
        Ok(Claims { asked, granted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares() -> impl Strategy<Value = Claims> {
        let parts = (proptest::collection::btree_set(1..40u64, 0..4), proptest::option::of(1..40u64));
        parts.prop_map(|(asked, granted)| Claims { asked, granted })
    }

    fn shown<'a>(all: impl IntoIterator<Item = &'a Claims>) -> Claimed {
        let mut claimed = Claimed::default();
        all.into_iter().for_each(|share| share.show(&mut claimed));
        settled(&mut claimed);
        claimed
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
            let fields = Fields { claims: 1, ..Fields::default() };
            if share != Claims::default() {
                let mut writer = Writer::bare();
                OneByOne::write(&share, &mut writer);
                let bytes = writer.into_bytes();
                prop_assert_eq!(bytes.len(), share.length());
                let mut reader = Reader::bare(&bytes);
                prop_assert_eq!(Claims::read(&fields, 0, share.form(), &mut reader), Ok(share));
                prop_assert_eq!(reader.end(), Ok(()));
            }
        }

        #[test]
        fn whoever_asked_holds_it_or_is_refused_as_soon_as_it_is_granted(asked in proptest::collection::vec(shares(), 1..4)) {
            let claimed = shown(&asked);
            prop_assert!(claimed.is_canonical());
            prop_assert_eq!(claimed.holder.is_some(), asked.iter().any(|share| share.granted.is_some()));
            let is_settled = match claimed.holder {
                Some(_) => claimed.waiting.is_empty(),
                None => claimed.refused.is_empty(),
            };
            prop_assert!(is_settled);
        }
    }

    #[test]
    fn a_share_that_says_nothing_or_is_of_another_register_is_malformed() {
        let fields = Fields { claims: 1, ..Fields::counters(1, 0) };
        let read = |register, form, bytes: &[u8]| Claims::read(&fields, register, form, &mut Reader::bare(bytes));
        assert!(read(1, GRANTS, &[7]).is_ok());
        for (register, form, bytes) in [
            (1, 0, &[7][..]),
            (0, GRANTS, &[7]),
            (1, ASKS, &[0]),
            (1, ASKS, &[2, 7, 7]),
            (1, ASKS, &[2, 7]),
            (1, 3, &[1, 7]),
        ] {
            assert!(read(register, form, bytes).is_err(), "{register} {form} {bytes:?}");
        }
    }
}
