//! The deltas of a replica in the order in which it took them, and what any run of them comes to.
//!
//! A position in it names everything before it, so that a cursor is one number and a summary of thousands of deltas costs
//! no more than the registers that it changes: sums of prefixes are kept at intervals.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::delta_summary::sums::{Changes, Sums};
use crate::engine::vector::{Actor, Overlap, VersionVector};
use crate::engine::wire::{Malformed, Reader, Writer};

/// A run of one actor's operations, and what they come to. Its boundaries never change once it was sent, so that a
/// receiver has seen all of it or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Delta {
    /// Whose operations.
    pub author: Actor,
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// What they come to.
    pub changes: Changes,
}

impl Delta {
    /// Writes it, for a store.
    pub fn write(&self, writer: &mut Writer) {
        self.author.write(writer);
        writer.number(self.first).number(self.last - self.first);
        self.changes.write(writer);
    }

    /// Reads it.
    pub fn read(reader: &mut Reader, registers: u32) -> Result<Delta, Malformed> {
        let author = Actor::read(reader)?;
        let (first, last) = read_run(reader)?;
        Ok(Delta { author, first, last, changes: Changes::read(reader, registers)? })
    }
}

/// Reads the first and the last number of a run, written as the first and the difference.
pub fn read_run(reader: &mut Reader) -> Result<(u64, u64), Malformed> {
    let first = reader.at_most(u64::MAX >> 2, "a sequence number")?;
    let more = reader.at_most(u64::MAX >> 2, "a run of sequence numbers")?;
    if first == 0 { Err(Malformed::Range("a sequence number")) } else { Ok((first, first + more)) }
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Log {
    /// Deltas that were dropped from the front.
    base: u64,
    deltas: VecDeque<Delta>,
    /// What the dropped ones come to, and everything; kept where summaries are made.
    prefixes: Option<Prefixes>,
    by_client: BTreeMap<u32, VecDeque<u64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Prefixes {
    /// Positions, and what all up to there comes to.
    kept: VecDeque<(u64, Sums)>,
    total: Sums,
    /// Changes since the last one that was kept.
    since: usize,
}

impl Log {
    /// An empty log; one that `serves` keeps sums of prefixes.
    pub fn new(registers: u32, serves: bool) -> Self {
        let zero = || Sums::new(registers);
        let prefixes = serves.then(|| Prefixes { kept: VecDeque::from([(0, zero())]), total: zero(), since: 0 });
        Log { base: 0, deltas: VecDeque::new(), prefixes, by_client: BTreeMap::new() }
    }

    /// The position after the last delta.
    pub fn len(&self) -> u64 {
        self.base + self.deltas.len() as u64
    }

    /// Whether it never had any.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position before the first delta that is kept.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The delta at a position, from 1.
    pub fn at(&self, position: u64) -> Option<&Delta> {
        self.deltas.get(usize::try_from(position.checked_sub(self.base + 1)?).ok()?)
    }

    /// Every delta that is kept, with its position.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Delta)> {
        self.deltas.iter().enumerate().map(|(place, delta)| (self.base + 1 + place as u64, delta))
    }

    /// The deltas of a client after `after`.
    pub fn of_client(&self, client: u32, after: u64) -> impl Iterator<Item = &Delta> {
        let positions = self.by_client.get(&client).into_iter().flat_map(move |all| {
            let from = all.partition_point(|&position| position <= after);
            all.iter().skip(from).copied()
        });
        positions.filter_map(|position| self.at(position))
    }

    /// The deltas of an author, in a log that serves others.
    pub fn of_author(&self, author: Actor) -> impl Iterator<Item = &Delta> {
        self.of_client(author.client, 0).filter(move |delta| delta.author == author)
    }

    /// This delta and all before it that its author made without a gap, as one. Who has a part of the delta, from a copy
    /// of the author's device, knows what the beginning of that comes to, and can take the rest.
    pub fn widened(&self, delta: &Delta) -> Delta {
        let ends: BTreeMap<u64, &Delta> = self.of_author(delta.author).map(|part| (part.last, part)).collect();
        let (mut first, mut parts) = (delta.first, vec![&delta.changes]);
        while let Some(part) = ends.get(&(first - 1)) {
            first = part.first;
            parts.push(&part.changes);
        }
        Delta { author: delta.author, first, last: delta.last, changes: Changes::together(parts) }
    }

    /// Whether a run, of which the other has a part, can be sent from an earlier beginning.
    pub fn can_widen(&self, (author, first, last): (Actor, u64, u64), holds: &VersionVector) -> bool {
        holds.overlap(author, first, last) == Overlap::Partial
            && self.of_author(author).any(|part| part.last + 1 == first)
    }

    /// What all deltas ever taken come to.
    pub fn total(&self) -> Changes {
        self.prefixes.as_ref().map(|prefixes| prefixes.total.changes()).unwrap_or_default()
    }

    /// Adds a delta.
    pub fn push(&mut self, delta: Delta) {
        let position = self.len() + 1;
        if let Some(prefixes) = &mut self.prefixes {
            self.by_client.entry(delta.author.client).or_default().push_back(position);
            prefixes.total.add(&delta.changes);
            prefixes.since += delta.changes.len();
            if prefixes.since >= prefixes.total.registers() {
                prefixes.since = 0;
                prefixes.kept.push_back((position, prefixes.total.clone()));
            }
        }
        self.deltas.push_back(delta);
    }

    /// What the deltas after `after` come to; `None` if some of them were dropped.
    pub fn sums_after(&self, after: u64) -> Option<Sums> {
        let prefixes = self.prefixes.as_ref()?;
        let place = prefixes.kept.partition_point(|&(position, _)| position <= after).checked_sub(1)?;
        let (position, before) = &prefixes.kept[place];
        if after < self.base || *position < self.base {
            return None;
        }
        let mut before = before.clone();
        for position in position + 1..=after {
            before.add(&self.at(position)?.changes);
        }
        Some(prefixes.total.since(before))
    }

    /// Puts two deltas in the place of one, in a log that serves nobody: positions after it move.
    pub fn replace(&mut self, author: Actor, first: u64, two: [Delta; 2]) {
        debug_assert!(self.prefixes.is_none(), "others know positions in this log");
        if let Some(place) = self.deltas.iter().position(|delta| delta.author == author && delta.first == first) {
            let [one, other] = two;
            self.deltas[place] = one;
            self.deltas.insert(place + 1, other);
        }
    }

    /// Drops the deltas up to a position, keeping what they come to.
    pub fn drop_up_to(&mut self, position: u64) {
        let Some(count) = position.min(self.len()).checked_sub(self.base).filter(|&count| count > 0) else { return };
        let position = self.base + count;
        if let Some(prefixes) = &mut self.prefixes {
            let place = prefixes.kept.partition_point(|&(kept, _)| kept <= position) - 1;
            let (from, mut sums) = prefixes.kept[place].clone();
            for (_, delta) in self.deltas.iter().enumerate().filter(|&(place, _)| {
                let at = self.base + 1 + place as u64;
                from < at && at <= position
            }) {
                sums.add(&delta.changes);
            }
            prefixes.kept.drain(..=place);
            prefixes.kept.push_front((position, sums));
            for positions in self.by_client.values_mut() {
                while positions.front().is_some_and(|&at| at <= position) {
                    positions.pop_front();
                }
            }
            self.by_client.retain(|_, positions| !positions.is_empty());
        }
        self.deltas.drain(..count as usize);
        self.base = position;
    }

    /// Makes one of the deltas up to a position that follow each other, author by author, in a log that serves nobody. A
    /// parent that has lost everything can still be given them.
    pub fn merge_up_to(&mut self, position: u64) {
        debug_assert!(self.prefixes.is_none(), "others know positions in this log");
        let Some(count) = position.min(self.len()).checked_sub(self.base).filter(|&count| count > 0) else { return };
        let mut old: Vec<Delta> = self.deltas.drain(..count as usize).collect();
        old.sort_by_key(|delta| (delta.author, delta.first));
        let follows = |before: &Delta, next: &Delta| before.author == next.author && before.last + 1 == next.first;
        let merged: Vec<Delta> = old
            .chunk_by(follows)
            .map(|run| Delta {
                author: run[0].author,
                first: run[0].first,
                last: run[run.len() - 1].last,
                changes: Changes::together(run.iter().map(|delta| &delta.changes)),
            })
            .collect();
        self.base += count - merged.len() as u64;
        merged.into_iter().rev().for_each(|delta| self.deltas.push_front(delta));
    }

    /// Writes it, for an image.
    pub fn write(&self, writer: &mut Writer) {
        writer.number(self.base).number(self.deltas.len() as u64);
        if let Some(prefixes) = &self.prefixes {
            // The first prefix that is kept is the one at the base, after every drop and at the start.
            prefixes.kept[0].1.write(writer);
        }
        self.deltas.iter().for_each(|delta| delta.write(writer));
    }

    /// Reads it.
    pub fn read(reader: &mut Reader, registers: u32, serves: bool) -> Result<Log, Malformed> {
        let mut log = Log::new(registers, serves);
        log.base = reader.at_most(u64::MAX >> 2, "a position")?;
        let count = reader.count("a number of deltas")?;
        if let Some(prefixes) = &mut log.prefixes {
            prefixes.total = Sums::read(reader, registers)?;
            prefixes.kept = VecDeque::from([(log.base, prefixes.total.clone())]);
        }
        for _ in 0..count {
            log.push(Delta::read(reader, registers)?);
        }
        Ok(log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::delta_summary::sums::tests::changes;
    use proptest::prelude::*;

    const REGISTERS: u32 = 5;

    fn deltas() -> impl Strategy<Value = Vec<Delta>> {
        proptest::collection::vec((0..3u32, changes(REGISTERS, 3)), 0..30).prop_map(|all| {
            let author = |client| Actor { client, incarnation: 1 };
            let numbered = all.into_iter().enumerate();
            let delta = |(place, (client, changes)): (usize, (u32, Changes))| Delta {
                author: author(client),
                first: place as u64 + 1,
                last: place as u64 + 1,
                changes,
            };
            numbered.map(delta).collect()
        })
    }

    proptest! {
        #[test]
        fn a_run_comes_to_the_sum_of_its_deltas_before_and_after_a_drop_and_from_an_image(
            deltas in deltas(), from: prop::sample::Index, dropped: prop::sample::Index,
        ) {
            let (from, dropped) = (from.index(deltas.len() + 1), dropped.index(deltas.len() + 1));
            let mut log = Log::new(REGISTERS, true);
            deltas.iter().for_each(|delta| log.push(delta.clone()));
            let mut expected = Sums::new(REGISTERS);
            deltas[from..].iter().for_each(|delta| expected.add(&delta.changes));
            prop_assert_eq!(log.sums_after(from as u64), Some(expected.clone()));
            log.drop_up_to(dropped as u64);
            let expected = (from >= dropped).then_some(expected);
            prop_assert_eq!(log.sums_after(from as u64), expected.clone());
            let mut writer = Writer::bare();
            log.write(&mut writer);
            let bytes = writer.into_bytes();
            let read = Log::read(&mut Reader::bare(&bytes), REGISTERS, true).expect("it was written");
            prop_assert_eq!(read.sums_after(from as u64), expected);
            let of_client = |log: &Log| log.of_client(1, from as u64).cloned().collect::<Vec<_>>();
            prop_assert_eq!(of_client(&read), of_client(&log));
        }
    }
}
