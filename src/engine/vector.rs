//! Version vectors with gaps: exactly which operations of whom were seen.
//!
//! A last sequence number alone cannot tell a lost operation from one that is still on its way; the ranges beyond the
//! first gap can.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::wire::{Malformed, Reader, Writer};

/// Who makes operations: a client, in one of its incarnations.
///
/// A device draws a new incarnation every time that it starts. Two devices that were set up from one image, or one that
/// was set back to an old backup, therefore never give the same id to two operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The client.
    pub client: u32,
    /// Which of its starts.
    pub incarnation: u32,
}

impl Actor {
    /// Writes it.
    pub fn write(self, writer: &mut Writer) {
        writer.number(self.client.into()).number(self.incarnation.into());
    }

    /// Reads it.
    pub fn read(reader: &mut Reader) -> Result<Actor, Malformed> {
        Ok(Actor { client: reader.small("a client")?, incarnation: reader.small("an incarnation")? })
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:08x}", self.client, self.incarnation)
    }
}

/// How a run of sequence numbers lies to what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// None of it was seen.
    New,
    /// All of it was seen.
    Seen,
    /// Some of it was.
    Partial,
}

/// Sequence numbers from 1 that were seen: all up to a prefix, and runs beyond the gaps after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ranges {
    prefix: u64,
    beyond: Vec<(u64, u64)>,
}

impl Ranges {
    /// All up to this one.
    pub fn up_to(last: u64) -> Self {
        Ranges { prefix: last, beyond: Vec::new() }
    }

    /// The last of those that have no gap before them; 0 if the first is lacking.
    pub fn prefix(&self) -> u64 {
        self.prefix
    }

    /// The last that was seen at all.
    pub fn last(&self) -> u64 {
        self.beyond.last().map_or(self.prefix, |&(_, last)| last)
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.last() == 0
    }

    /// How many were seen.
    pub fn len(&self) -> u64 {
        self.prefix + self.beyond.iter().map(|(first, last)| last - first + 1).sum::<u64>()
    }

    /// The runs, ascending and apart from each other.
    pub fn runs(&self) -> impl Iterator<Item = (u64, u64)> {
        (self.prefix > 0).then_some((1, self.prefix)).into_iter().chain(self.beyond.iter().copied())
    }

    /// How `first..=last` lies to what was seen.
    pub fn overlap(&self, first: u64, last: u64) -> Overlap {
        if last <= self.prefix {
            return Overlap::Seen;
        }
        if first <= self.prefix {
            return Overlap::Partial;
        }
        let after = self.beyond.partition_point(|&(_, end)| end < first);
        match self.beyond.get(after) {
            Some(&(start, end)) if start <= first && last <= end => Overlap::Seen,
            Some(&(start, _)) if start <= last => Overlap::Partial,
            _ => Overlap::New,
        }
    }

    /// Whether this one was seen.
    pub fn contains(&self, number: u64) -> bool {
        self.overlap(number, number) == Overlap::Seen
    }

    /// Adds `first..=last`, of which any part may have been seen.
    pub fn insert(&mut self, first: u64, last: u64) {
        if last < first {
            return;
        }
        let (mut first, mut last) = (first, last);
        if first <= self.prefix + 1 {
            self.prefix = self.prefix.max(last);
        } else {
            let from = self.beyond.partition_point(|&(_, end)| end + 1 < first);
            let to = self.beyond.partition_point(|&(start, _)| start <= last + 1);
            if from < to {
                first = first.min(self.beyond[from].0);
                last = last.max(self.beyond[to - 1].1);
            }
            self.beyond.splice(from..to, [(first, last)]);
        }
        while self.beyond.first().is_some_and(|&(start, _)| start <= self.prefix + 1) {
            let (_, end) = self.beyond.remove(0);
            self.prefix = self.prefix.max(end);
        }
    }

    /// The runs between `first` and `last` that were not seen.
    pub fn gaps(&self, first: u64, last: u64) -> impl Iterator<Item = (u64, u64)> {
        let ends = self.within(first, last).chain([(last + 1, u64::MAX)]);
        let mut next = first;
        ends.filter_map(move |(start, end)| {
            let gap = (next, start.saturating_sub(1).min(last));
            next = next.max(end.saturating_add(1));
            (gap.0 <= gap.1).then_some(gap)
        })
    }

    /// The runs between `first` and `last` that were seen.
    pub fn within(&self, first: u64, last: u64) -> impl Iterator<Item = (u64, u64)> {
        let from = self.beyond.partition_point(|&(_, end)| end < first);
        let beyond = self.beyond[from..].iter().copied().take_while(move |&(start, _)| start <= last);
        let prefix = (first <= self.prefix).then_some((1, self.prefix));
        prefix.into_iter().chain(beyond).map(move |(start, end)| (start.max(first), end.min(last)))
    }

    /// Whether all of the other's were seen.
    pub fn covers(&self, other: &Ranges) -> bool {
        other.runs().all(|(first, last)| self.overlap(first, last) == Overlap::Seen)
    }

    /// Writes them.
    pub fn write(&self, writer: &mut Writer) {
        writer.number(self.prefix).number(self.beyond.len() as u64);
        let mut before = self.prefix;
        for &(first, last) in &self.beyond {
            writer.number(first - before).number(last - first);
            before = last;
        }
    }

    fn read(reader: &mut Reader) -> Result<Ranges, Malformed> {
        let wrong = || Malformed::Range("a run of sequence numbers");
        let mut ranges = Ranges::up_to(reader.at_most(u64::MAX >> 1, "a sequence number")?);
        let mut before = ranges.prefix;
        for _ in 0..reader.count("a number of runs")? {
            let gap = Some(reader.number()?).filter(|&gap| gap > 1).ok_or_else(wrong)?;
            let first = before.checked_add(gap).ok_or_else(wrong)?;
            let last = first.checked_add(reader.number()?).filter(|&last| last < u64::MAX >> 1).ok_or_else(wrong)?;
            ranges.beyond.push((first, last));
            before = last;
        }
        Ok(ranges)
    }
}

/// What was seen of every actor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VersionVector {
    of: BTreeMap<Actor, Ranges>,
}

impl VersionVector {
    /// What was seen of one actor.
    pub fn get(&self, actor: Actor) -> Option<&Ranges> {
        self.of.get(&actor)
    }

    /// How a run of an actor's operations lies to what was seen.
    pub fn overlap(&self, actor: Actor, first: u64, last: u64) -> Overlap {
        self.of.get(&actor).map_or(Overlap::New, |ranges| ranges.overlap(first, last))
    }

    /// Adds a run.
    pub fn insert(&mut self, actor: Actor, first: u64, last: u64) {
        self.of.entry(actor).or_default().insert(first, last);
    }

    /// Adds all that another vector has.
    pub fn join(&mut self, other: &VersionVector) {
        for (&actor, ranges) in &other.of {
            let mine = self.of.entry(actor).or_default();
            ranges.runs().for_each(|(first, last)| mine.insert(first, last));
        }
    }

    /// Whether all of the other's were seen.
    pub fn covers(&self, other: &VersionVector) -> bool {
        let covered = |(actor, ranges): (&Actor, &Ranges)| self.of.get(actor).is_some_and(|mine| mine.covers(ranges));
        other.of.iter().all(covered)
    }

    /// Every actor with what was seen of it, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (Actor, &Ranges)> {
        self.of.iter().map(|(&actor, ranges)| (actor, ranges))
    }

    /// The actors of a client, with what was seen of each.
    pub fn of_client(&self, client: u32) -> impl Iterator<Item = (Actor, &Ranges)> {
        let all = Actor { client, incarnation: 0 }..=Actor { client, incarnation: u32::MAX };
        self.of.range(all).map(|(&actor, ranges)| (actor, ranges))
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Replaces what was seen of an actor.
    pub fn set(&mut self, actor: Actor, ranges: Ranges) {
        self.of.insert(actor, ranges);
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        writer.number(self.of.len() as u64);
        let mut before = 0;
        for (actor, ranges) in &self.of {
            writer.number(u64::from(actor.client - before)).number(actor.incarnation.into());
            ranges.write(writer);
            before = actor.client;
        }
    }

    /// Reads it.
    pub fn read(reader: &mut Reader) -> Result<VersionVector, Malformed> {
        let mut vector = VersionVector::default();
        let mut before = 0u32;
        for _ in 0..reader.count("a number of actors")? {
            let gap = reader.small("a client")?;
            let client = before.checked_add(gap).ok_or(Malformed::Range("a client"))?;
            let actor = Actor { client, incarnation: reader.small("an incarnation")? };
            if vector.of.last_key_value().is_some_and(|(&last, _)| last >= actor) {
                return Err(Malformed::Range("an actor's place"));
            }
            vector.of.insert(actor, Ranges::read(reader)?);
            before = client;
        }
        Ok(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn ranges_are_the_set_that_they_stand_for(
            runs in proptest::collection::vec((1..60u64, 0..6u64), 0..20),
            probe in (1..70u64, 0..8u64),
        ) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for (first, more) in runs {
                ranges.insert(first, first + more);
                set.extend(first..=first + more);
            }
            prop_assert_eq!(ranges.len(), set.len() as u64);
            let (first, last) = (probe.0, probe.0 + probe.1);
            let seen = (first..=last).filter(|number| set.contains(number)).count() as u64;
            let expected = match seen {
                0 => Overlap::New,
                all if all == last - first + 1 => Overlap::Seen,
                _ => Overlap::Partial,
            };
            prop_assert_eq!(ranges.overlap(first, last), expected);
            let lacking: BTreeSet<u64> = ranges.gaps(first, last).flat_map(|(from, to)| from..=to).collect();
            prop_assert_eq!(lacking, (first..=last).filter(|number| !set.contains(number)).collect());
            let within: BTreeSet<u64> = ranges.within(first, last).flat_map(|(from, to)| from..=to).collect();
            prop_assert_eq!(within, (first..=last).filter(|number| set.contains(number)).collect());
            let prefix = (1..).take_while(|number| set.contains(number)).count() as u64;
            prop_assert_eq!(ranges.prefix(), prefix);
            let mut runs = ranges.runs().collect::<Vec<_>>();
            runs.dedup_by(|next, before| next.0 <= before.1 + 1);
            prop_assert_eq!(runs.len(), ranges.runs().count(), "runs stay apart");
        }

        #[test]
        fn a_vector_comes_back_from_its_bytes_and_any_bytes_give_one_or_an_error(
            entries in proptest::collection::vec((0..5u32, 0..3u32, 1..50u64, 0..9u64), 0..30),
            bytes: Vec<u8>,
        ) {
            let mut vector = VersionVector::default();
            for (client, incarnation, first, more) in entries {
                vector.insert(Actor { client, incarnation }, first, first + more);
            }
            let mut writer = Writer::bare();
            vector.write(&mut writer);
            let written = writer.into_bytes();
            prop_assert_eq!(VersionVector::read(&mut Reader::bare(&written)), Ok(vector));
            let _ = VersionVector::read(&mut Reader::bare(&bytes));
        }
    }
}
