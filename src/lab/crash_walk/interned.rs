//! Values that are met again and again, each kept once and named by a number. Two values have one number only if they are
//! equal in every field: nothing rests on a hash. All threads of a walk share them.

use std::borrow::Borrow;
use std::hash::Hash;

use dashmap::{DashMap, Entry};
use rustc_hash::FxBuildHasher;

/// Parts of a table that each have a lock of their own: so many that two threads seldom want the same.
const SHARDS: usize = 64;

/// Values, numbered in the order in which they were first met. Copies of a value should be cheap: two are kept.
#[derive(Debug)]
pub(super) struct Interned<T: Eq + Hash> {
    numbers: DashMap<T, u32, FxBuildHasher>,
    values: boxcar::Vec<T>,
}

impl<T: Eq + Hash> Default for Interned<T> {
    fn default() -> Self {
        let numbers = DashMap::with_hasher_and_shard_amount(FxBuildHasher, SHARDS);
        Interned { numbers, values: boxcar::Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    /// The number of a value.
    pub(super) fn number<V: Eq + Hash + Into<T>>(&self, value: V) -> u32
    where
        T: Borrow<V>,
    {
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let value: T = value.into();
        match self.numbers.entry(value.clone()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let number = self.values.push(value);
                *place.insert(u32::try_from(number).expect("a walk is bounded far below as many values"))
            }
        }
    }

    /// The value of a number that was given.
    pub(super) fn value(&self, number: u32) -> &T {
        &self.values[number as usize]
    }

    /// All values that were met.
    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter().map(|(_, value)| value)
    }
}
