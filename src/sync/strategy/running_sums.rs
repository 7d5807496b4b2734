//! Each client's sums of its increments and of its decrements, which only grow, merged by maximum: a PN-counter.
//!
//! Shapiro, Preguiça, Baquero and Zawirski, "A comprehensive study of Convergent and Commutative Replicated Data Types",
//! INRIA RR-7506, 2011, specification 7.
//!
//! The gap between registers tells in its lowest bit whether anything was taken away: a sum of 0 is not told.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::traffic::Kind;
use crate::sync::host::NodeId;
use crate::sync::strategy::courier::{About, Content, Peers};
use crate::sync::wire::{Malformed, Reader, Writer, placed};

/// Whose sums, of which register.
type Slot = (u32, u32);

/// By client and register, what was added and what was taken away.
#[derive(Clone, Debug, Default)]
pub struct RunningSums {
    sums: BTreeMap<Slot, (u64, u64)>,
}

/// Sums that a neighbour does not have as they are.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    news: BTreeSet<Slot>,
    flying: BTreeSet<Slot>,
}

impl Content for RunningSums {
    type Peer = Peer;

    fn begin(&mut self, _about: &About) {}

    fn meet(&self, _about: &About) -> Peer {
        Peer { news: self.sums.keys().copied().collect(), flying: BTreeSet::new() }
    }

    fn edit(&mut self, about: &About, peers: &mut Peers<Peer>, register: u32, amount: i64) {
        let slot = (about.actor.client, register);
        let (added, taken) = self.sums.entry(slot).or_default();
        let sum = if amount < 0 { taken } else { added };
        // It only grows, whatever a neighbour said that it was.
        *sum = sum.saturating_add(amount.unsigned_abs());
        peers.values_mut().for_each(|peer| {
            peer.news.insert(slot);
        });
    }

    fn offer(&mut self, _about: &About, peer: &mut Peer, writer: &mut Writer) -> bool {
        if peer.news.is_empty() {
            return false;
        }
        peer.flying = std::mem::take(&mut peer.news);
        let slots: Vec<Slot> = peer.flying.iter().copied().collect();
        let groups = slots.chunk_by(|one, next| one.0 == next.0);
        writer.of(Kind::Framing).number(groups.clone().count() as u64);
        for group in groups {
            writer.of(Kind::Ids).number(group[0].0.into());
            writer.of(Kind::Addressing).number(group.len() as u64);
            let mut next = 0;
            for slot in group {
                let (added, taken) = self.sums[slot];
                writer.of(Kind::Addressing).number(u64::from(slot.1 - next) << 1 | u64::from(taken > 0));
                writer.of(Kind::Payload).number(added);
                if taken > 0 {
                    writer.number(taken);
                }
                next = slot.1 + 1;
            }
        }
        true
    }

    fn settled(&mut self, peer: &mut Peer, arrived: bool) {
        let mut flying = std::mem::take(&mut peer.flying);
        if !arrived {
            peer.news.append(&mut flying);
        }
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<(), Malformed> {
        let mut sums = Vec::new();
        for _ in 0..reader.count("a number of clients")? {
            let client = reader.small("a client")?;
            let mut next = 0u64;
            for _ in 0..reader.count("a number of registers")? {
                let gap = reader.number()?;
                let register = placed(gap >> 1, &mut next, about.registers)?;
                let added = reader.number()?;
                sums.push(((client, register), (added, if gap & 1 == 1 { reader.number()? } else { 0 })));
            }
        }
        reader.end()?;
        for (slot, (added, taken)) in sums {
            let mine = self.sums.entry(slot).or_default();
            let merged = (mine.0.max(added), mine.1.max(taken));
            if merged != *mine {
                *mine = merged;
                for (_, peer) in peers.iter_mut().filter(|(peer, _)| **peer != from) {
                    peer.news.insert(slot);
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

    fn waiting(&self, peer: &Peer) -> u64 {
        (peer.news.len() + peer.flying.len()) as u64
    }

    fn stored(&self) -> u64 {
        24 * self.sums.len() as u64
    }
}
