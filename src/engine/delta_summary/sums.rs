//! The data: signed registers that are edited by addition, what a run of edits changes, and what all of it comes to.
//!
//! Of all the replica, this file knows what an edit is; beside it only what hands registers out: the call that edits one,
//! what [`super::repair`] tells of single ones, and what accumulators are told of a merge. A second data type brings its own
//! [`Edit`], [`Changes`] and [`Sums`], and its own of those three. The rest asks three things of them: changes that follow
//! each other are one change, in any order the same; a part that is known can be taken out of the whole; and all of them
//! have bytes. In other words, a commutative group. Knows: registers and amounts. Must not: know ids, logs or messages.

use crate::domain::traffic::Kind;
use crate::engine::wire::{Malformed, Reader, Writer};

/// What a user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    /// Which register.
    pub register: u32,
    /// By how much.
    pub amount: i64,
}

impl Edit {
    /// Writes it, for a store.
    pub fn write(self, writer: &mut Writer) {
        writer.number(self.register.into()).signed(self.amount);
    }

    /// Reads it.
    pub fn read(reader: &mut Reader, registers: u32) -> Result<Edit, Malformed> {
        let register = reader.at_most((registers - 1).into(), "a register")? as u32;
        Ok(Edit { register, amount: reader.signed()? })
    }
}

/// What edits come to, by register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Changes(Vec<(u32, i64)>);

impl Changes {
    /// Of these edits; what cancels is not in it.
    pub fn of(edits: &[Edit]) -> Changes {
        coalesced(edits.iter().map(|edit| (edit.register, edit.amount)).collect())
    }

    /// All of these as one.
    pub fn together<'a>(parts: impl IntoIterator<Item = &'a Changes>) -> Changes {
        coalesced(parts.into_iter().flat_map(|part| &part.0).copied().collect())
    }

    /// Without these, which are parts of it.
    pub fn without<'a>(&self, parts: impl IntoIterator<Item = &'a Changes>) -> Changes {
        let parts = parts.into_iter().flat_map(|part| &part.0);
        let parts = parts.map(|&(register, amount)| (register, amount.wrapping_neg()));
        coalesced(self.0.iter().copied().chain(parts).collect())
    }

    /// How many registers it names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it names none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By how much each register changes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, i64)> {
        self.0.iter().copied()
    }

    /// By how much this register changes, if it is named.
    pub fn at(&self, register: u32) -> Option<i64> {
        self.0.binary_search_by_key(&register, |&(named, _)| named).ok().map(|place| self.0[place].1)
    }

    /// Writes it: the count, gaps between registers, signed amounts.
    pub fn write(&self, writer: &mut Writer) {
        // Most changes take three bytes or fewer.
        writer.reserve(3 * self.0.len());
        writer.of(Kind::Addressing).number(self.0.len() as u64);
        let mut next = 0;
        for &(register, amount) in &self.0 {
            writer.of(Kind::Addressing).number(u64::from(register - next));
            writer.of(Kind::Payload).signed(amount);
            next = register + 1;
        }
    }

    /// Reads it: registers ascend and are below `registers`.
    pub fn read(reader: &mut Reader, registers: u32) -> Result<Changes, Malformed> {
        let count = reader.count("a number of changes")?;
        let mut changes = Vec::with_capacity(count);
        let mut next = 0u64;
        for _ in 0..count {
            let register = reader.register(&mut next, registers)?;
            changes.push((register, reader.signed()?));
        }
        Ok(Changes(changes))
    }
}

fn coalesced(mut terms: Vec<(u32, i64)>) -> Changes {
    // Sums do not depend on the order of their terms.
    terms.sort_unstable_by_key(|&(register, _)| register);
    let same = |a: &(u32, i64), b: &(u32, i64)| a.0 == b.0;
    // Changes are kept for long: they take the memory that they need, and no more.
    let mut changes = Vec::with_capacity(terms.chunk_by(same).count());
    let sums =
        terms.chunk_by(same).map(|of| (of[0].0, of.iter().fold(0i64, |sum, &(_, amount)| sum.wrapping_add(amount))));
    changes.extend(sums.filter(|&(_, amount)| amount != 0));
    Changes(changes)
}

/// What everything comes to, by register, from a start of 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sums(Vec<i64>);

impl Sums {
    /// Of nothing.
    pub fn new(registers: u32) -> Sums {
        Sums(vec![0; registers as usize])
    }

    /// Starts again, at nothing.
    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    /// How many registers there are.
    pub fn registers(&self) -> usize {
        self.0.len()
    }

    /// What each register comes to.
    pub fn values(&self) -> &[i64] {
        &self.0
    }

    /// With this edit.
    pub fn edit(&mut self, edit: Edit) {
        let sum = &mut self.0[edit.register as usize];
        *sum = sum.wrapping_add(edit.amount);
    }

    /// With these changes.
    pub fn add(&mut self, changes: &Changes) {
        for &(register, amount) in &changes.0 {
            self.edit(Edit { register, amount });
        }
    }

    /// Without these changes, which are parts of it.
    pub fn remove(&mut self, changes: &Changes) {
        for &(register, amount) in &changes.0 {
            self.edit(Edit { register, amount: amount.wrapping_neg() });
        }
    }

    /// What came since it was `before`, in whose place it is.
    pub fn since(&self, mut before: Sums) -> Sums {
        // A summary needs this once: of a million registers, a second copy makes an allocator give the memory of both back
        // to the system, and fault in all its pages again for the next.
        for (sum, now) in before.0.iter_mut().zip(&self.0) {
            *sum = now.wrapping_sub(*sum);
        }
        before
    }

    /// As changes from nothing.
    pub fn changes(&self) -> Changes {
        let numbered = self.0.iter().enumerate().filter(|&(_, &sum)| sum != 0);
        let mut changes = Vec::with_capacity(numbered.clone().count());
        changes.extend(numbered.map(|(register, &sum)| (register as u32, sum)));
        Changes(changes)
    }

    /// Writes it, for a store.
    pub fn write(&self, writer: &mut Writer) {
        self.0.iter().for_each(|&sum| {
            writer.signed(sum);
        });
    }

    /// Reads it.
    pub fn read(reader: &mut Reader, registers: u32) -> Result<Sums, Malformed> {
        let mut sums = Sums::new(registers);
        for sum in &mut sums.0 {
            *sum = reader.signed()?;
        }
        Ok(sums)
    }
}

#[cfg(test)]
pub(in crate::engine) mod tests {
    use super::*;
    use proptest::prelude::*;

    const REGISTERS: u32 = 1000;

    /// Any changes of so many registers at most, some to 0, as bytes could tell of them.
    pub(in crate::engine) fn changes(registers: u32, at_most: usize) -> impl Strategy<Value = Changes> {
        let map = proptest::collection::btree_map(0..registers, any::<i64>(), 0..=at_most);
        map.prop_map(|map| Changes(map.into_iter().collect()))
    }

    fn edits() -> impl Strategy<Value = Vec<Edit>> {
        let edit = (0..REGISTERS, any::<i64>()).prop_map(|(register, amount)| Edit { register, amount });
        // A few registers, so that edits meet.
        proptest::collection::vec(edit, 0..50).prop_map(|mut edits| {
            edits.iter_mut().skip(1).step_by(2).for_each(|edit| edit.register %= 3);
            edits
        })
    }

    fn sums_of(edits: &[Edit]) -> Sums {
        let mut sums = Sums::new(REGISTERS);
        edits.iter().for_each(|&edit| sums.edit(edit));
        sums
    }

    proptest! {
        #[test]
        fn changes_come_back(edits in edits(), bytes: Vec<u8>) {
            let changes = Changes::of(&edits);
            let mut writer = Writer::bare();
            changes.write(&mut writer);
            let bytes_written = writer.into_bytes();
            prop_assert_eq!(Changes::read(&mut Reader::bare(&bytes_written), REGISTERS), Ok(changes));
            let _ = Changes::read(&mut Reader::bare(&bytes), REGISTERS);
        }

        #[test]
        fn edits_come_to_the_same_one_by_one_as_one_change_and_in_two_parts(edits in edits(), at: prop::sample::Index) {
            let sums = sums_of(&edits);
            prop_assert_eq!(sums.changes(), Changes::of(&edits));
            let (one, other) = edits.split_at(at.index(edits.len() + 1));
            let (one, other) = (Changes::of(one), Changes::of(other));
            prop_assert_eq!(Changes::together([&other, &one]), Changes::of(&edits));
            let mut added = Sums::new(REGISTERS);
            added.add(&other);
            added.add(&one);
            prop_assert_eq!(added, sums);
        }

        #[test]
        fn a_part_that_is_taken_out_leaves_the_rest(edits in edits(), at: prop::sample::Index) {
            let (one, other) = edits.split_at(at.index(edits.len() + 1));
            let mut sums = sums_of(&edits);
            let since = sums.since(sums_of(one));
            sums.remove(&Changes::of(one));
            prop_assert_eq!(&sums, &sums_of(other));
            prop_assert_eq!(&since, &sums);
            prop_assert_eq!(Changes::of(&edits).without([&Changes::of(one)]), Changes::of(other));
        }

        #[test]
        fn a_register_is_told_if_it_changes(edits in edits(), register in 0..REGISTERS) {
            let changes = Changes::of(&edits);
            for register in [register, 0, 1, 2] {
                let sum = sums_of(&edits).values()[register as usize];
                prop_assert_eq!(changes.at(register), (sum != 0).then_some(sum));
            }
        }
    }

    #[test]
    fn edits_of_one_register_coalesce_and_those_that_cancel_vanish() {
        let edits = [(3, 1), (1, 5), (3, 2), (2, 7), (2, -7)].map(|(register, amount)| Edit { register, amount });
        assert_eq!(Changes::of(&edits).iter().collect::<Vec<_>>(), [(1, 5), (3, 3)]);
    }
}
