//! Values that are met again and again, each kept once and named by a number. Two values have one number only if they are
//! equal in every field: nothing rests on a hash.

use std::hash::Hash;
use std::rc::Rc;

use rustc_hash::FxHashMap;

/// Values, numbered in the order in which they were first met.
#[derive(Clone, Debug)]
pub(super) struct Interned<T> {
    numbers: FxHashMap<Rc<T>, u32>,
    values: Vec<Rc<T>>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Interned { numbers: FxHashMap::default(), values: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    /// The number of a value.
    pub(super) fn number(&mut self, value: T) -> u32 {
        if let Some(&number) = self.numbers.get(&value) {
            return number;
        }
        let number = u32::try_from(self.values.len()).expect("a walk is bounded far below as many values");
        // A copy takes the memory that it needs; the original has room to grow.
        let value = Rc::new(value.clone());
        self.numbers.insert(Rc::clone(&value), number);
        self.values.push(value);
        number
    }

    /// The value of a number that was given.
    pub(super) fn value(&self, number: u32) -> Rc<T> {
        Rc::clone(&self.values[number as usize])
    }

    /// All values that were met.
    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter().map(Rc::as_ref)
    }
}
