//! What is pending for a neighbour, thing by thing, in rounds of bounded messages.
//!
//! A round is all that was pending when it began. It is told in portions, so that visits that are too short for all of it get on;
//! what becomes pending meanwhile is told in the next. What flies is forgotten when it has arrived: the reliable channel keeps
//! its bytes.
//! Knows: which things. Must not: know what they say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize, Serializer};

use crate::engine::host::Round;

/// What a neighbour has not got as it is.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, Hash)]
#[serde(bound(serialize = "K: Ord + Serialize", deserialize = "K: Ord + Deserialize<'de>"))]
pub struct PendingChanges<K> {
    fresh: Set<K>,
    round: Set<K>,
    /// Ascending.
    flying: Vec<K>,
}

/// Things up to this number are kept in one fragment of memory, which stays: most neighbours wait for a few things, and a tree
/// of one would be made and dropped for every message.
const FEW: usize = 32;

/// A set. Equal sets are kept in the same way.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(from = "BTreeSet<K>", bound = "K: Ord + Deserialize<'de>")]
enum Set<K> {
    /// At most [`FEW`], ascending.
    Few(Vec<K>),
    /// More.
    Many(BTreeSet<K>),
}

impl<K> From<BTreeSet<K>> for Set<K> {
    fn from(things: BTreeSet<K>) -> Self {
        if things.len() > FEW { Set::Many(things) } else { Set::Few(things.into_iter().collect()) }
    }
}

impl<K: Ord + Serialize> Serialize for Set<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Set::Few(few) => few.serialize(serializer),
            Set::Many(many) => many.serialize(serializer),
        }
    }
}

impl<K: Ord + Copy> Set<K> {
    fn len(&self) -> usize {
        match self {
            Set::Few(few) => few.len(),
            Set::Many(many) => many.len(),
        }
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn contains(&self, thing: &K) -> bool {
        match self {
            Set::Few(few) => few.binary_search(thing).is_ok(),
            Set::Many(many) => many.contains(thing),
        }
    }

    fn insert(&mut self, thing: K) {
        match self {
            Set::Few(few) => {
                if let Err(place) = few.binary_search(&thing) {
                    few.insert(place, thing);
                    if few.len() > FEW {
                        *self = Set::Many(std::mem::take(few).into_iter().collect());
                    }
                }
            }
            Set::Many(many) => {
                many.insert(thing);
            }
        }
    }

    /// Takes the first things out, as long as each fits.
    fn draw(&mut self, into: &mut Vec<K>, mut fits: impl FnMut(&K) -> bool) {
        match self {
            Set::Few(few) => {
                let fit = few.iter().take_while(|thing| fits(thing)).count();
                into.extend(few.drain(..fit));
            }
            Set::Many(many) => {
                while let Some(first) = many.first().copied().filter(|first| fits(first)) {
                    into.push(first);
                    many.pop_first();
                }
                if many.len() <= FEW {
                    *self = Set::from(std::mem::take(many));
                }
            }
        }
    }
}

impl<K: Ord + Copy> Set<K> {
    /// Takes out all things that fit this.
    fn draw_out(&mut self, into: &mut Vec<K>, fits: &mut impl FnMut(&K) -> bool) {
        match self {
            Set::Few(few) => few.retain(|thing| {
                let goes = fits(thing);
                into.extend(goes.then_some(*thing));
                !goes
            }),
            Set::Many(many) => {
                let before = many.len();
                many.retain(|thing| {
                    let goes = fits(thing);
                    into.extend(goes.then_some(*thing));
                    !goes
                });
                if many.len() < before && many.len() <= FEW {
                    *self = Set::from(std::mem::take(many));
                }
            }
        }
    }
}

impl<K> Default for PendingChanges<K> {
    fn default() -> Self {
        PendingChanges { fresh: Set::Few(Vec::new()), round: Set::Few(Vec::new()), flying: Vec::new() }
    }
}

impl<K: Ord + Copy> PendingChanges<K> {
    /// All of these.
    pub fn of(things: impl IntoIterator<Item = K>) -> Self {
        PendingChanges { fresh: Set::from(things.into_iter().collect::<BTreeSet<K>>()), ..PendingChanges::default() }
    }

    /// This is another now. What its round has yet to tell is told as it is then.
    pub fn insert(&mut self, thing: K) {
        if !self.round.contains(&thing) {
            self.fresh.insert(thing);
        }
    }

    /// Has the next portion fly, of about so many bytes and at least one thing; nothing if nothing is pending. Each thing of the
    /// portion is weighed once, in order.
    pub fn take_off(&mut self, limit: usize, mut weighs: impl FnMut(&K) -> usize) -> Option<Round> {
        let begins = self.round.is_empty();
        if begins {
            std::mem::swap(&mut self.round, &mut self.fresh);
        }
        self.flying.clear();
        let mut size = 0;
        self.round.draw(&mut self.flying, |thing| {
            let fits = size < limit.max(1);
            if fits {
                size += weighs(thing).max(1);
            }
            fits
        });
        if self.flying.is_empty() {
            return None;
        }
        let ends = self.round.is_empty();
        Some(Round { begins: begins || ends && self.fresh.is_empty(), ends })
    }

    /// Has all that is pending and fits this fly along with a portion; gives what the portion is of its round then.
    pub fn take_along(&mut self, round: Round, mut goes_along: impl FnMut(&K) -> bool) -> Round {
        let taken = self.flying.len();
        self.round.draw_out(&mut self.flying, &mut goes_along);
        self.fresh.draw_out(&mut self.flying, &mut goes_along);
        if self.flying.len() > taken {
            self.flying.sort_unstable();
        }
        let ends = self.round.is_empty();
        Round { begins: round.begins || ends && self.fresh.is_empty(), ends }
    }

    /// What flies, ascending.
    pub fn flying(&self) -> &[K] {
        &self.flying
    }

    /// What flew has arrived.
    pub fn arrived(&mut self) {
        self.flying.clear();
    }

    /// How many things have not arrived.
    pub fn len(&self) -> usize {
        self.fresh.len() + self.round.len() + self.flying.len()
    }

    /// Whether nothing is pending that does not fly.
    pub fn is_told(&self) -> bool {
        self.fresh.is_empty() && self.round.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_set_is_what_a_plain_one_is_however_many_are_in_it(
            steps in proptest::collection::vec((0..90u32, 0..12u32), 0..200),
        ) {
            let (mut set, mut plain) = (Set::from(BTreeSet::new()), BTreeSet::new());
            for (thing, takes) in steps {
                set.insert(thing);
                plain.insert(thing);
                if takes == 11 {
                    let mut drawn = Vec::new();
                    set.draw(&mut drawn, |&first| first <= thing);
                    let rest = plain.split_off(&(thing + 1));
                    prop_assert_eq!(drawn, plain.into_iter().collect::<Vec<u32>>());
                    plain = rest;
                }
                prop_assert_eq!(set.len(), plain.len());
                prop_assert!((0..90).all(|thing| set.contains(&thing) == plain.contains(&thing)));
                // Whatever became of it, it is the same as one that was just made.
                prop_assert_eq!(&set, &Set::from(plain.clone()));
                let [one, other] = [postcard::to_allocvec(&set), postcard::to_allocvec(&plain)].map(Result::unwrap);
                prop_assert_eq!(&one, &other);
                prop_assert_eq!(&postcard::from_bytes::<Set<u32>>(&one).unwrap(), &set);
            }
        }
    }

    #[test]
    fn a_round_is_told_in_portions_and_what_becomes_pending_changes_meanwhile_in_the_next() {
        let mut changes = PendingChanges::of(0..5u32);
        let weighs = |_: &u32| 10;
        let flies = |changes: &mut PendingChanges<u32>| {
            let round = changes.take_off(20, weighs)?;
            let flying = changes.flying().to_vec();
            changes.arrived();
            Some((flying, round.begins, round.ends))
        };
        assert_eq!(flies(&mut changes), Some((vec![0, 1], true, false)));
        // One that was told is pending again, one that is yet to be told is not told twice.
        changes.insert(0);
        changes.insert(3);
        assert_eq!(flies(&mut changes), Some((vec![2, 3], false, false)));
        assert_eq!(flies(&mut changes), Some((vec![4], false, true)));
        assert_eq!(flies(&mut changes), Some((vec![0], true, true)));
        assert_eq!(flies(&mut changes), None);
        // Where nothing is pending after the last portion, it tells all that there is then.
        let mut changes = PendingChanges::of(0..3u32);
        flies(&mut changes);
        changes.insert(2);
        assert_eq!(flies(&mut changes), Some((vec![2], true, true)));
    }

    #[test]
    fn what_belongs_together_goes_along_with_the_portion_and_is_told_once() {
        let mut changes = PendingChanges::of(0..50u32);
        let round = changes.take_off(20, |_| 10).expect("there are fifty");
        changes.insert(51);
        let round = changes.take_along(round, |thing| thing % 25 == 1);
        assert_eq!((round.begins, round.ends), (true, false));
        assert_eq!(changes.flying(), [0, 1, 26, 51]);
        assert_eq!(changes.len(), 51);
        changes.arrived();
        changes.take_off(10_000, |_| 10).expect("the others");
        assert_eq!(changes.flying().len(), 47);
        assert!(!changes.flying().contains(&26) && changes.is_told());
        // What goes along may be all that was left.
        let mut changes = PendingChanges::of(0..3u32);
        let round = changes.take_off(1, |_| 10).expect("there are three");
        assert!(!round.ends && changes.take_along(round, |_| true).ends && changes.is_told());
    }

    #[test]
    fn what_flies_is_not_told_yet_and_counts_until_it_arrives() {
        let mut changes = PendingChanges::of([3u32, 9, 200]);
        assert_eq!((changes.len(), changes.is_told()), (3, false));
        changes.take_off(1, |_| 1).expect("there are three");
        assert_eq!((changes.len(), changes.is_told()), (3, false));
        changes.arrived();
        assert_eq!(changes.len(), 2);
    }
}
