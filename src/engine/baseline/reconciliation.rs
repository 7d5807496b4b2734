//! Clients send operations to the hub, which replays them; the hub's registers come back, and each client shows them with
//! its own operations on top that are not in them yet. A register travels as its difference from the start.
//!
//! The hub is the truth here: a client that knew another is told every register, and what only the lost one had replayed is
//! gone. With the last message of a round come the numbers of the operations that are in what was told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::domain::data::{Intent, View};
use crate::domain::traffic::Kind;
use crate::engine::host::{NodeId, Round};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::reliable_channel::pending::PendingChanges;
use crate::engine::vector::Actor;
use crate::engine::wire::{Malformed, Reader, Writer, length, signed_length};

/// A message from a client is a list of operations, one from the hub a list of registers.
const OPERATIONS: u8 = 0;
const REGISTERS: u8 = 1;

/// The highest number of an operation.
const MOST: u64 = u64::MAX >> 2;

/// One of a client's own operations.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq, Hash)]
struct Operation {
    actor: Actor,
    number: u64,
    register: u32,
    amount: i64,
}

impl Operation {
    /// About what it takes.
    fn weighs(&self) -> usize {
        length(self.register.into()) + signed_length(self.amount)
    }
}

/// A client, or the hub.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Reconciliation {
    /// The hub's registers, as far as they are known here.
    values: Vec<i64>,
    /// One's own operations that are not in them, and how many were before these.
    pending: VecDeque<Operation>,
    dropped: u64,
    actor: Actor,
    made: u64,
    /// At the hub: by actor, up to which of its operations was replayed. They come in order; what is lacking was replayed by a
    /// hub that lost it.
    replayed: BTreeMap<Actor, u64>,
}

/// What a neighbour lacks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Registers, at the hub.
    changes: PendingChanges<u32>,
    /// Whose operations came from it, and whose it does not know how far they were replayed; whose it is being told.
    actors: BTreeSet<Actor>,
    untold: BTreeSet<Actor>,
    telling: BTreeSet<Actor>,
    /// How many of one's operations arrived there, will have when what flies has, and are in the round.
    offered: u64,
    underway: u64,
    round: u64,
}

impl Reconciliation {
    fn offer_operations(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> Option<Round> {
        let end = self.dropped + self.pending.len() as u64;
        let from = peer.offered.max(self.dropped);
        let left = || self.pending.iter().skip((from - self.dropped) as usize);
        let &Operation { actor, number, .. } = left().next()?;
        let mut size = 0;
        let fits = |operation: &&Operation| {
            let fits = operation.actor == actor && size < about.fragment.max(1);
            size += operation.weighs();
            fits
        };
        let told: Vec<&Operation> = left().take_while(fits).collect();
        actor.write(writer.of(Kind::Framing).byte(OPERATIONS).of(Kind::Ids));
        writer.number(number).of(Kind::Framing).number(told.len() as u64);
        for operation in &told {
            writer.of(Kind::Addressing).number(operation.register.into());
            writer.of(Kind::Payload).signed(operation.amount);
        }
        peer.underway = from + told.len() as u64;
        let begins = from >= peer.round || peer.underway == end;
        if from >= peer.round {
            peer.round = end;
        }
        Some(Round { begins, ends: peer.underway >= peer.round })
    }

    fn offer_registers(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> Option<Round> {
        let difference = |register: u32| self.values[register as usize].wrapping_sub(about.fields.start);
        let taken_off = peer.changes.take_off(about.fragment, |&register| 1 + signed_length(difference(register)));
        if taken_off.is_none() && peer.untold.is_empty() {
            return None;
        }
        if peer.changes.is_told() {
            peer.telling = std::mem::take(&mut peer.untold);
        }
        writer.of(Kind::Framing).byte(REGISTERS).number(peer.telling.len() as u64);
        for actor in &peer.telling {
            actor.write(writer.of(Kind::Ids));
            writer.number(self.replayed.get(actor).copied().unwrap_or(0));
        }
        let flying = peer.changes.flying();
        writer.of(Kind::Addressing).number(flying.len() as u64);
        let mut next = 0;
        for &register in flying {
            writer.of(Kind::Addressing).number(u64::from(register - next));
            writer.of(Kind::Payload).signed(difference(register));
            next = register + 1;
        }
        Some(taken_off.unwrap_or(Round { begins: true, ends: true }))
    }

    fn replay(&mut self, actor: Actor, first: u64, changes: Vec<(u32, i64)>, peers: &mut Peers<Peer>) {
        let replayed = self.replayed.entry(actor).or_default();
        for (number, (register, amount)) in (first..).zip(changes) {
            if number > *replayed {
                *replayed = number;
                let value = &mut self.values[register as usize];
                *value = value.wrapping_add(amount);
                peers.values_mut().for_each(|peer| peer.changes.insert(register));
            }
        }
    }

    fn drop_replayed(&mut self, actor: Actor, number: u64) {
        while self.pending.front().is_some_and(|first| first.actor == actor && first.number <= number) {
            self.pending.pop_front();
            self.dropped += 1;
        }
    }
}

fn read_changes(reader: &mut Reader, registers: u32, ascending: bool) -> Result<Vec<(u32, i64)>, Malformed> {
    let count = reader.count("a number of changes")?;
    let mut next = 0u64;
    let mut changes = Vec::with_capacity(count);
    for _ in 0..count {
        let register = reader.register(&mut next, registers)?;
        changes.push((register, reader.signed()?));
        // Operations come in the order in which they were made, registers in their own.
        if !ascending {
            next = 0;
        }
    }
    Ok(changes)
}

fn read_number(reader: &mut Reader) -> Result<(Actor, u64), Malformed> {
    Ok((Actor::read(reader)?, reader.at_most(MOST, "an operation")?))
}

impl Content for Reconciliation {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.values = vec![about.fields.start; about.fields.counters as usize];
    }

    fn meet(&self, about: &About, before: Option<Peer>, blank: bool) -> Peer {
        // One that had another hub's registers, or later ones of this, is told all of them. A client has none to tell.
        let changes = |&(_, &value): &(u32, &i64)| value != about.fields.start || !blank;
        let changes = (0..).zip(&self.values).filter(changes).map(|(register, _)| register);
        let changes = if about.serves { PendingChanges::of(changes) } else { PendingChanges::default() };
        let actors = before.map(|before| before.actors).unwrap_or_default();
        Peer { changes, untold: actors.clone(), actors, ..Peer::default() }
    }

    fn edit(&mut self, about: &About, _peers: &mut Peers<Peer>, register: u32, intent: Intent) {
        let amount = intent.amount().unwrap_or(0);
        if self.actor != about.actor {
            (self.actor, self.made) = (about.actor, 0);
        }
        self.made += 1;
        self.pending.push_back(Operation { actor: self.actor, number: self.made, register, amount });
    }

    fn offer(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> Option<Round> {
        if about.serves {
            self.offer_registers(about, peer, writer)
        } else {
            self.offer_operations(about, peer, writer)
        }
    }

    fn arrived(&mut self, peer: &mut Peer) {
        // The hub has replayed what it acknowledged; it is dropped when the registers with it are here.
        peer.offered = peer.offered.max(peer.underway);
        peer.changes.arrived();
        peer.telling.clear();
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<bool, Malformed> {
        match reader.byte()? {
            OPERATIONS => {
                let (actor, number) = read_number(reader)?;
                let changes = read_changes(reader, about.fields.counters, false)?;
                reader.end()?;
                self.replay(actor, number, changes, peers);
                if let Some(peer) = peers.get_mut(&from) {
                    peer.actors.insert(actor);
                    peer.untold.insert(actor);
                }
            }
            REGISTERS => {
                let count = reader.count("a number of actors")?;
                let told: Result<Vec<(Actor, u64)>, Malformed> = (0..count).map(|_| read_number(reader)).collect();
                let (told, changes) = (told?, read_changes(reader, about.fields.counters, true)?);
                reader.end()?;
                for (register, value) in changes {
                    self.values[register as usize] = about.fields.start.wrapping_add(value);
                }
                // Actors are told in their order, and made their operations in another.
                told.iter().for_each(|_| told.iter().for_each(|&(actor, number)| self.drop_replayed(actor, number)));
            }
            _ => return Err(Malformed::Range("a kind of message")),
        }
        Ok(true)
    }

    fn shows(&self, _about: &About) -> Vec<View> {
        let mut values = self.values.clone();
        for &Operation { register, amount, .. } in &self.pending {
            let value = &mut values[register as usize];
            *value = value.wrapping_add(amount);
        }
        values.into_iter().map(View::Counter).collect()
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        peer.changes.len() as u64
            + (self.dropped + self.pending.len() as u64).saturating_sub(peer.offered.max(self.dropped))
    }
}
