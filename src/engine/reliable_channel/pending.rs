//! What is news to a neighbour, thing by thing, in rounds of bounded messages.
//!
//! A round is all that was news when it began. It is told in portions, so that visits that are too short for all of it get on;
//! what becomes news meanwhile is told in the next. What flies is forgotten when it has arrived: the reliable channel keeps
//! its bytes.
//! Knows: which things. Must not: know what they say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::engine::host::Round;

/// What a neighbour has not got as it is.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, Hash)]
#[serde(bound(serialize = "K: Ord + Serialize", deserialize = "K: Ord + Deserialize<'de>"))]
pub struct News<K> {
    fresh: BTreeSet<K>,
    round: BTreeSet<K>,
    flying: BTreeSet<K>,
}

impl<K> Default for News<K> {
    fn default() -> Self {
        News { fresh: BTreeSet::new(), round: BTreeSet::new(), flying: BTreeSet::new() }
    }
}

impl<K: Ord + Copy> News<K> {
    /// All of these.
    pub fn of(things: impl IntoIterator<Item = K>) -> Self {
        News { fresh: things.into_iter().collect(), round: BTreeSet::new(), flying: BTreeSet::new() }
    }

    /// This is another now. What its round has yet to tell is told as it is then.
    pub fn insert(&mut self, thing: K) {
        if !self.round.contains(&thing) {
            self.fresh.insert(thing);
        }
    }

    /// Has the next portion fly, of about so many bytes and at least one thing; nothing if nothing is news.
    pub fn take_off(&mut self, limit: usize, weighs: impl Fn(&K) -> usize) -> Option<Round> {
        let begins = self.round.is_empty();
        if begins {
            std::mem::swap(&mut self.round, &mut self.fresh);
        }
        let mut size = 0;
        let full = |thing: &&K| {
            let full = size >= limit.max(1);
            size += weighs(thing).max(1);
            full
        };
        let first_left = self.round.iter().find(full).copied();
        let left = first_left.map(|first| self.round.split_off(&first)).unwrap_or_default();
        self.flying = std::mem::replace(&mut self.round, left);
        if self.flying.is_empty() {
            return None;
        }
        let ends = self.round.is_empty();
        Some(Round { begins: begins || ends && self.fresh.is_empty(), ends })
    }

    /// What flies.
    pub fn flying(&self) -> &BTreeSet<K> {
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

    /// Whether nothing is news that does not fly.
    pub fn is_told(&self) -> bool {
        self.fresh.is_empty() && self.round.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_told_in_portions_and_what_becomes_news_meanwhile_in_the_next() {
        let mut news = News::of(0..5u32);
        let weighs = |_: &u32| 10;
        let flies = |news: &mut News<u32>| {
            let round = news.take_off(20, weighs)?;
            let flying: Vec<u32> = news.flying().iter().copied().collect();
            news.arrived();
            Some((flying, round.begins, round.ends))
        };
        assert_eq!(flies(&mut news), Some((vec![0, 1], true, false)));
        // One that was told is news again, one that is yet to be told is not told twice.
        news.insert(0);
        news.insert(3);
        assert_eq!(flies(&mut news), Some((vec![2, 3], false, false)));
        assert_eq!(flies(&mut news), Some((vec![4], false, true)));
        assert_eq!(flies(&mut news), Some((vec![0], true, true)));
        assert_eq!(flies(&mut news), None);
        // Where nothing is news after the last portion, it tells all that there is then.
        let mut news = News::of(0..3u32);
        flies(&mut news);
        news.insert(2);
        assert_eq!(flies(&mut news), Some((vec![2], true, true)));
    }

    #[test]
    fn what_flies_is_not_told_yet_and_counts_until_it_arrives() {
        let mut news = News::of([3u32, 9, 200]);
        assert_eq!((news.len(), news.is_told()), (3, false));
        news.take_off(1, |_| 1).expect("there are three");
        assert_eq!((news.len(), news.is_told()), (3, false));
        news.arrived();
        assert_eq!(news.len(), 2);
    }
}
