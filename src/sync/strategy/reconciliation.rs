//! Clients send operations to the hub, which replays them; the hub's registers come back, and each client shows them with
//! its own operations on top that are not in them yet. A register travels as its difference from the start.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::domain::traffic::Kind;
use crate::sync::host::NodeId;
use crate::sync::strategy::courier::{About, Content, Peers};
use crate::sync::vector::Actor;
use crate::sync::wire::{Malformed, Reader, Writer};

/// A message from a client is a list of operations, one from the hub a list of registers.
const OPERATIONS: u8 = 0;
const REGISTERS: u8 = 1;

/// The highest number of an operation or an answer.
const MOST: u64 = u64::MAX >> 2;

/// A client, or the hub.
#[derive(Clone, Debug, Default)]
pub struct Reconciliation {
    /// The hub's registers, as far as they are known here.
    values: Vec<i64>,
    /// One's own operations that are not in them, from `first` on.
    pending: VecDeque<(u32, i64)>,
    first: u64,
    actor: Actor,
    /// At the hub: by actor, up to which of its operations was replayed. They come in order.
    replayed: BTreeMap<Actor, u64>,
    /// Answers that the hub made, and the last one that came: what is late says nothing any more.
    answers: u64,
}

/// What a neighbour lacks.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// Registers, at the hub.
    news: BTreeSet<u32>,
    flying: BTreeSet<u32>,
    /// Who it is, and whether it does not know how far its operations were replayed.
    actor: Option<Actor>,
    untold: bool,
    /// The last operation that arrived there, and the last that is on its way.
    offered: u64,
    underway: Option<u64>,
}

impl Content for Reconciliation {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.values = vec![about.start; about.registers as usize];
        self.first = 1;
    }

    fn meet(&self, about: &About) -> Peer {
        let changed = self.values.iter().enumerate().filter(|&(_, &value)| value != about.start);
        Peer { news: changed.map(|(register, _)| register as u32).collect(), ..Peer::default() }
    }

    fn edit(&mut self, about: &About, _peers: &mut Peers<Peer>, register: u32, amount: i64) {
        self.actor = about.actor;
        self.pending.push_back((register, amount));
    }

    fn offer(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> bool {
        let end = self.first + self.pending.len() as u64;
        if peer.offered + 1 < end {
            let from = peer.offered.max(self.first - 1);
            let operations = self.pending.iter().skip((from + 1 - self.first) as usize);
            self.actor.write(writer.of(Kind::Framing).byte(OPERATIONS).of(Kind::Ids));
            writer.number(from + 1);
            writer.of(Kind::Framing).number(end - from - 1);
            for &(register, amount) in operations {
                writer.of(Kind::Addressing).number(register.into());
                writer.of(Kind::Payload).signed(amount);
            }
            peer.underway = Some(end - 1);
            return true;
        }
        // Only the hub has replayed anything, and answers.
        if self.replayed.is_empty() || (peer.news.is_empty() && !peer.untold) {
            return false;
        }
        peer.flying = std::mem::take(&mut peer.news);
        peer.untold = false;
        let actor = peer.actor.unwrap_or_default();
        actor.write(writer.of(Kind::Framing).byte(REGISTERS).of(Kind::Ids));
        self.answers += 1;
        writer.number(self.replayed.get(&actor).copied().unwrap_or(0)).number(self.answers);
        writer.of(Kind::Addressing).number(peer.flying.len() as u64);
        let mut next = 0;
        for &register in &peer.flying {
            writer.of(Kind::Addressing).number(u64::from(register - next));
            writer.of(Kind::Payload).signed(self.values[register as usize].wrapping_sub(about.start));
            next = register + 1;
        }
        true
    }

    fn settled(&mut self, peer: &mut Peer, arrived: bool) {
        let mut flying = std::mem::take(&mut peer.flying);
        let underway = peer.underway.take();
        if arrived {
            // The hub has replayed what it acknowledged; it is dropped when the registers with it are here.
            peer.offered = underway.unwrap_or(peer.offered);
        } else {
            peer.untold |= peer.actor.is_some();
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
        let kind = reader.byte()?;
        if ![OPERATIONS, REGISTERS].contains(&kind) {
            return Err(Malformed::Range("a kind of message"));
        }
        let (actor, number) = (Actor::read(reader)?, reader.at_most(MOST, "an operation")?);
        let answer = if kind == REGISTERS { reader.at_most(MOST, "an answer")? } else { 0 };
        let count = reader.count("a number of changes")?;
        let mut next = 0u64;
        let mut changes = Vec::with_capacity(count);
        for _ in 0..count {
            let register = reader.register(&mut next, about.registers)?;
            changes.push((register, reader.signed()?));
            // Operations come in the order in which they were made, registers in their own.
            if kind != REGISTERS {
                next = 0;
            }
        }
        reader.end()?;
        if kind == OPERATIONS {
            let replayed = self.replayed.entry(actor).or_default();
            for (place, (register, amount)) in changes.into_iter().enumerate() {
                if number + place as u64 == *replayed + 1 {
                    *replayed += 1;
                    let value = &mut self.values[register as usize];
                    *value = value.wrapping_add(amount);
                    for peer in peers.values_mut() {
                        peer.news.insert(register);
                    }
                }
            }
            if let Some(peer) = peers.get_mut(&from) {
                (peer.actor, peer.untold) = (Some(actor), true);
            }
            return Ok(());
        }
        if answer <= self.answers {
            return Ok(());
        }
        self.answers = answer;
        for (register, value) in changes {
            self.values[register as usize] = about.start.wrapping_add(value);
        }
        if actor == self.actor {
            while self.first <= number && self.pending.pop_front().is_some() {
                self.first += 1;
            }
        }
        Ok(())
    }

    fn shows(&self, _about: &About) -> Vec<i64> {
        let mut values = self.values.clone();
        for &(register, amount) in &self.pending {
            let value = &mut values[register as usize];
            *value = value.wrapping_add(amount);
        }
        values
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        (peer.news.len() + peer.flying.len()) as u64
            + (self.first + self.pending.len() as u64 - 1).saturating_sub(peer.offered)
    }

    fn stored(&self) -> u64 {
        (8 * self.values.len() + 16 * self.pending.len()) as u64
    }
}
