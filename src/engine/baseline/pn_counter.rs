//! Each client's sums of its increments and of its decrements, which only grow, merged by maximum: a PN-counter.
//!
//! Shapiro, Preguiça, Baquero and Zawirski, "A comprehensive study of Convergent and Commutative Replicated Data Types",
//! INRIA RR-7506, 2011, specification 7.
//!
//! A device that starts again may be a copy of another, or set back: its sums are those of a new incarnation. A sum of 0 is
//! not told: the lowest bit of the gap between registers tells whether anything was taken away, and then the next one
//! whether anything was added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::domain::traffic::Kind;
use crate::engine::host::{NodeId, Round};
use crate::engine::reliable_channel::by_actor::{self, OfActor};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::reliable_channel::pending::News;
use crate::engine::vector::Actor;
use crate::engine::wire::{Malformed, Reader, Writer, length, placed};

/// Whose sums, of which register.
type Slot = (Actor, u32);

/// What was added, and what was taken away.
type Sums = (u64, u64);

/// By actor and register, what was added and what was taken away.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct RunningSums {
    #[serde(serialize_with = "write_stored", deserialize_with = "by_actor::deserialize")]
    sums: BTreeMap<Slot, Sums>,
}

impl OfActor for (Slot, Sums) {
    type Rest = (u32, Sums);

    fn parted(&self) -> (Actor, Self::Rest) {
        let ((actor, register), sums) = *self;
        (actor, (register, sums))
    }

    fn joined(actor: Actor, (register, sums): Self::Rest) -> Self {
        ((actor, register), sums)
    }
}

fn write_stored<S: Serializer>(sums: &BTreeMap<Slot, Sums>, serializer: S) -> Result<S::Ok, S::Error> {
    let sums: Vec<(Slot, Sums)> = sums.iter().map(|(&slot, &sums)| (slot, sums)).collect();
    by_actor::serialize(&sums, serializer)
}

/// Writes slots, ascending, with their sums.
fn write_sums<'a>(slots: impl Iterator<Item = (&'a Slot, &'a Sums)>, writer: &mut Writer) {
    let slots: Vec<(&Slot, &Sums)> = slots.collect();
    let groups = slots.chunk_by(|(one, _), (next, _)| one.0 == next.0);
    writer.of(Kind::Framing).number(groups.clone().count() as u64);
    for group in groups {
        group[0].0.0.write(writer.of(Kind::Ids));
        writer.of(Kind::Addressing).number(group.len() as u64);
        let mut next = 0;
        for &(&(_, register), &(added, taken)) in group {
            let gap = u64::from(register - next);
            writer.of(Kind::Addressing);
            match (added, taken) {
                (_, 0) => writer.number(gap << 1).of(Kind::Payload).number(added),
                (0, _) => writer.number(gap << 2 | 1).of(Kind::Payload).number(taken),
                _ => writer.number(gap << 2 | 3).of(Kind::Payload).number(added).number(taken),
            };
            next = register + 1;
        }
    }
}

/// Reads what [`write_sums`] wrote.
fn read_sums(reader: &mut Reader, registers: u32) -> Result<Vec<(Slot, Sums)>, Malformed> {
    let mut sums = Vec::new();
    for _ in 0..reader.count("a number of actors")? {
        let actor = Actor::read(reader)?;
        let mut next = 0u64;
        for _ in 0..reader.count("a number of registers")? {
            let told = reader.number()?;
            let gap = if told & 1 == 0 { told >> 1 } else { told >> 2 };
            let register = placed(gap, &mut next, registers)?;
            let sum = match told & 3 {
                1 => (0, reader.number()?),
                3 => (reader.number()?, reader.number()?),
                _ => (reader.number()?, 0),
            };
            sums.push(((actor, register), sum));
        }
    }
    Ok(sums)
}

impl Content for RunningSums {
    /// Sums that a neighbour does not have as they are.
    type Peer = News<Slot>;

    fn begin(&mut self, _about: &About) {}

    fn meet(&self, _about: &About, _before: Option<News<Slot>>, _blank: bool) -> News<Slot> {
        News::of(self.sums.keys().copied())
    }

    fn edit(&mut self, about: &About, peers: &mut Peers<News<Slot>>, register: u32, amount: i64) {
        let slot = (about.actor, register);
        let (added, taken) = self.sums.entry(slot).or_default();
        let sum = if amount < 0 { taken } else { added };
        // It only grows, whatever a neighbour said that it was.
        *sum = sum.saturating_add(amount.unsigned_abs());
        peers.values_mut().for_each(|news| news.insert(slot));
    }

    fn offer(&mut self, about: &About, news: &mut News<Slot>, writer: &mut Writer) -> Option<Round> {
        let weighs = |slot: &Slot| {
            let (added, taken) = self.sums[slot];
            2 + length(added) + length(taken)
        };
        let round = news.take_off(about.piece, weighs)?;
        write_sums(news.flying().iter().map(|slot| (slot, &self.sums[slot])), writer);
        Some(round)
    }

    fn arrived(&mut self, news: &mut News<Slot>) {
        news.arrived();
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<News<Slot>>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<(), Malformed> {
        let sums = read_sums(reader, about.registers)?;
        reader.end()?;
        for (slot, (added, taken)) in sums {
            let mine = self.sums.entry(slot).or_default();
            let merged = (mine.0.max(added), mine.1.max(taken));
            if merged != *mine {
                *mine = merged;
                for (_, news) in peers.iter_mut().filter(|(peer, _)| **peer != from) {
                    news.insert(slot);
                }
            }
        }
        Ok(())
    }

    fn shows(&self, about: &About) -> Vec<i64> {
        let mut values = vec![about.start; about.registers as usize];
        for (&(_, register), &(added, taken)) in &self.sums {
            let value = &mut values[register as usize];
            *value = value.wrapping_add(added.wrapping_sub(taken) as i64);
        }
        values
    }

    fn waiting(&self, news: &News<Slot>) -> u64 {
        news.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_0_takes_no_byte_and_every_pair_of_sums_comes_back() {
        let slot = |register| (Actor { client: 3, incarnation: 1 }, register);
        let told = |sums: &[(u32, Sums)]| {
            let sums: Vec<(Slot, Sums)> = sums.iter().map(|&(register, sums)| (slot(register), sums)).collect();
            let mut writer = Writer::bare();
            write_sums(sums.iter().map(|(slot, sums)| (slot, sums)), &mut writer);
            let (bytes, traffic) = writer.unsealed();
            let mut reader = Reader::bare(&bytes);
            assert_eq!(read_sums(&mut reader, 64), Ok(sums));
            assert_eq!(reader.end(), Ok(()));
            (traffic.addressing - 1, traffic.payload)
        };
        assert_eq!(told(&[(3, (7, 0))]), (1, 1));
        assert_eq!(told(&[(3, (0, 7))]), (1, 1));
        assert_eq!(told(&[(3, (7, 7))]), (1, 2));
        assert_eq!(told(&[(3, (0, 0))]), (1, 1));
        // Gaps up to 63 are a byte where nothing was taken away, and up to 31 where something was.
        assert_eq!(told(&[(0, (1, 0)), (32, (0, 300)), (63, (u64::MAX, u64::MAX))]), (3, 1 + 2 + 20));
    }
}
