//! One writer's part in a stock: what it supplied and took, and the rights that it transferred. A bounded counter, after
//! Balegas et al., "Extending eventually consistent cloud databases for enforcing numeric invariants", SRDS 2015.
//!
//! Rights belong to a holder, which is a store: a device keeps its rights when it restarts, and a device whose store is lost
//! starts as another holder, so that nobody can spend what the old one held. Every store announces itself in a share of its
//! own when it begins. Rights are transferred to the store that the receiving client announced last, by that client's clock,
//! as far as the giver has heard. If that store is lost, the rights are frozen there. They never go to two stores.
//!
//! All numbers of a share only grow, and its writer alone makes them grow: the larger is the newer.
//!
//! Knows: numbers of units. Must not: know connections, or stores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::data::{DataType, Fields, Intent};
use crate::domain::traffic::Kind;
use crate::engine::by_writer::{Beside, Held, OneByOne};
use crate::engine::wire::{Malformed, Reader, Writer, length, signed_length};

/// One writer's part in one stock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rights {
    /// Whose rights these are: the name of a store; 0 before anything is known.
    holder: u32,
    /// When the store began, by its clock in milliseconds: in the share that announces it.
    since: Option<i64>,
    supplied: u64,
    taken: u64,
    /// By holder, the units to which rights were transferred.
    given: BTreeMap<u32, u64>,
}

/// The forms of a share.
const ANNOUNCES: u64 = 1;
const GIVES: u64 = 2;

impl Rights {
    /// The share that announces a store.
    pub fn announced(holder: u32, since: i64) -> Self {
        Rights { holder, since: Some(since), ..Rights::default() }
    }

    /// Whose rights these are and since when, in a share that announces a store.
    pub fn announces(&self) -> Option<(i64, u32)> {
        self.since.map(|since| (since, self.holder))
    }

    /// The user does something.
    pub fn edit(&mut self, intent: Intent, beside: &Beside) {
        self.holder = beside.here;
        let grow = |number: &mut u64, units: u32| *number = number.saturating_add(units.into());
        match intent {
            Intent::Supply(units) => grow(&mut self.supplied, units),
            Intent::Take(units) => grow(&mut self.taken, units),
            Intent::Transfer { units, .. } => grow(self.given.entry(beside.to).or_default(), units),
            _ => {}
        }
    }

    /// By how many units the stock is larger for it.
    pub fn amount(&self) -> i64 {
        self.supplied.wrapping_sub(self.taken) as i64
    }

    /// The rights of a holder, as far as they are in this share. What it gives itself is neither given nor received.
    pub fn of(&self, holder: u32) -> Held {
        let to_holder = i128::from(self.given.get(&holder).copied().unwrap_or(0));
        if self.holder != holder {
            return Held { received: to_holder, ..Held::default() };
        }
        let given: i128 = self.given.values().map(|&units| i128::from(units)).sum();
        Held { own: i128::from(self.supplied) - i128::from(self.taken), given: given - to_holder, received: 0 }
    }

    /// What both come to.
    pub fn merged(&self, other: &Self) -> Self {
        let mut given = self.given.clone();
        for (&holder, &units) in &other.given {
            let most = given.entry(holder).or_default();
            *most = units.max(*most);
        }
        Rights {
            holder: self.holder.max(other.holder),
            since: self.since.max(other.since),
            supplied: self.supplied.max(other.supplied),
            taken: self.taken.max(other.taken),
            given,
        }
    }

    /// Bytes on the line.
    pub fn length(&self) -> usize {
        let given: usize = self.given.iter().map(|(&to, &units)| length(to.into()) + length(units)).sum();
        let count = if self.given.is_empty() { 0 } else { length(self.given.len() as u64) };
        let since = self.since.map_or(0, signed_length);
        length(self.holder.into()) + since + length(self.supplied) + length(self.taken) + count + given
    }
}

impl OneByOne for Rights {
    fn form(&self) -> u64 {
        u64::from(self.since.is_some()) * ANNOUNCES + u64::from(!self.given.is_empty()) * GIVES
    }

    fn write(&self, writer: &mut Writer) {
        writer.of(Kind::Ids).number(self.holder.into());
        if let Some(since) = self.since {
            writer.of(Kind::Ids).signed(since);
        }
        writer.of(Kind::Payload).number(self.supplied).number(self.taken);
        if self.given.is_empty() {
            return;
        }
        writer.of(Kind::Framing).number(self.given.len() as u64);
        for (&to, &units) in &self.given {
            writer.of(Kind::Ids).number(to.into()).of(Kind::Payload).number(units);
        }
    }

    fn read(fields: &Fields, register: u32, form: u64, reader: &mut Reader) -> Result<Self, Malformed> {
        if fields.of(register) != DataType::Stock {
            return Err(Malformed::Range("the form of a share"));
        }
        let holder = reader.small("a holder of rights")?;
        let since = if form & ANNOUNCES > 0 { Some(reader.signed()?) } else { None };
        let (supplied, taken) = (reader.number()?, reader.number()?);
        let mut given = BTreeMap::new();
        if form & GIVES > 0 {
            for _ in 0..reader.count("a number of holders")? {
                let to = reader.small("a holder of rights")?;
                // One way to write each share.
                if given.last_key_value().is_some_and(|(&last, _)| last >= to) {
                    return Err(Malformed::Range("the order of holders"));
                }
                given.insert(to, reader.number()?);
            }
        }
        Ok(Rights { holder, since, supplied, taken, given })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rights() -> impl Strategy<Value = Rights> {
        let given = proptest::collection::btree_map(any::<u32>(), any::<u64>(), 0..4);
        (any::<u32>(), any::<Option<i64>>(), any::<u64>(), any::<u64>(), given)
            .prop_map(|(holder, since, supplied, taken, given)| Rights { holder, since, supplied, taken, given })
    }

    proptest! {
        #[test]
        fn a_share_is_read_back_and_takes_as_many_bytes_as_it_says(share in rights()) {
            let fields = Fields { stocks: 1, ..Fields::default() };
            let mut writer = Writer::bare();
            share.write(&mut writer);
            let bytes = writer.into_bytes();
            prop_assert_eq!(bytes.len(), share.length());
            let mut reader = Reader::bare(&bytes);
            prop_assert_eq!(Rights::read(&fields, 0, share.form(), &mut reader), Ok(share));
            prop_assert!(reader.end().is_ok());
        }

        #[test]
        fn shares_merge_in_any_order_and_any_number_of_times(a in rights(), b in rights(), c in rights()) {
            prop_assert_eq!(a.merged(&b), b.merged(&a));
            prop_assert_eq!(a.merged(&b).merged(&c), a.merged(&b.merged(&c)));
            prop_assert_eq!(a.merged(&a), a);
        }
    }

    #[test]
    fn rights_go_from_one_holder_to_another_and_none_are_made_by_it() {
        let mut share = Rights::announced(7, 0);
        let done = [Intent::Supply(10), Intent::Take(2), Intent::Transfer { to: 1, units: 5 }];
        done.into_iter().for_each(|intent| share.edit(intent, &Beside { here: 7, to: 9, ..Beside::default() }));
        assert_eq!(share.of(7), Held { own: 8, given: 5, received: 0 });
        assert_eq!(share.of(9), Held { own: 0, given: 0, received: 5 });
        assert_eq!((share.of(8), share.amount()), (Held::default(), 8));
    }
}
