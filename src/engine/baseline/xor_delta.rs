//! The delta-state as published: what travels is the XOR of a register before and after, and XOR merges it. There are no
//! ids: "the delta is the merge".
//!
//! So nobody can tell which deltas are in a state. One that has nothing is given the whole difference to the start; one that
//! lost some, or has some of its own, is given what comes, as a second delta that it has would undo it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::data::{Intent, View};
use crate::domain::traffic::Kind;
use crate::engine::host::{Merge, NodeId, Round};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::wire::{Malformed, Reader, Writer, signed_length};

/// Registers as words.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct XorDelta {
    words: Vec<u64>,
}

fn read_deltas(reader: &mut Reader, registers: u32) -> Result<Vec<(u32, u64)>, Malformed> {
    let mut deltas = Vec::new();
    let mut next = 0u64;
    for _ in 0..reader.count("a number of registers")? {
        let register = reader.register(&mut next, registers)?;
        deltas.push((register, reader.signed()? as u64));
    }
    Ok(deltas)
}

/// By register, what a neighbour has not merged: what is told in the round that is under way, and after it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Peer {
    fresh: BTreeMap<u32, u64>,
    round: BTreeMap<u32, u64>,
    flying: BTreeMap<u32, u64>,
}

impl Peer {
    fn add(&mut self, register: u32, delta: u64) {
        let words = if self.round.contains_key(&register) { &mut self.round } else { &mut self.fresh };
        let word = words.entry(register).or_default();
        *word ^= delta;
        if *word == 0 {
            words.remove(&register);
        }
    }

    fn take_off(&mut self, limit: usize) -> Option<Round> {
        let begins = self.round.is_empty();
        if begins {
            std::mem::swap(&mut self.round, &mut self.fresh);
        }
        let mut size = 0;
        let full = |(_, delta): &(&u32, &u64)| {
            let full = size >= limit.max(1);
            size += 1 + signed_length(**delta as i64);
            full
        };
        let first_left = self.round.iter().find(full).map(|(&register, _)| register);
        let left = first_left.map(|first| self.round.split_off(&first)).unwrap_or_default();
        self.flying = std::mem::replace(&mut self.round, left);
        let ends = self.round.is_empty();
        (!self.flying.is_empty()).then_some(Round { begins: begins || ends && self.fresh.is_empty(), ends })
    }
}

impl Content for XorDelta {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.words = vec![about.fields.start as u64; about.fields.counters as usize];
    }

    fn meet(&self, about: &About, before: Option<Peer>, blank: bool) -> Peer {
        let mut peer = before.unwrap_or_default();
        for (register, delta) in std::mem::take(&mut peer.flying) {
            peer.add(register, delta);
        }
        if !blank {
            return peer;
        }
        peer = Peer::default();
        let words = self.words.iter().enumerate();
        words.for_each(|(register, &word)| peer.add(register as u32, word ^ about.fields.start as u64));
        peer
    }

    fn edit(&mut self, _about: &About, peers: &mut Peers<Peer>, register: u32, intent: Intent) {
        let amount = intent.amount().unwrap_or(0);
        let word = &mut self.words[register as usize];
        let before = *word;
        *word = (*word as i64).wrapping_add(amount) as u64;
        peers.values_mut().for_each(|peer| peer.add(register, before ^ *word));
    }

    fn offer(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> Option<Round> {
        let round = peer.take_off(about.fragment)?;
        writer.of(Kind::Addressing).number(peer.flying.len() as u64);
        let mut next = 0;
        for (&register, &delta) in &peer.flying {
            writer.of(Kind::Addressing).number(u64::from(register - next));
            // A change of sign is all ones: as a signed number it is short.
            writer.of(Kind::Payload).signed(delta as i64);
            next = register + 1;
        }
        Some(round)
    }

    fn arrived(&mut self, peer: &mut Peer) {
        peer.flying.clear();
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<bool, Malformed> {
        let deltas = read_deltas(reader, about.fields.counters)?;
        reader.end()?;
        for (register, delta) in deltas {
            self.words[register as usize] ^= delta;
            peers.iter_mut().filter(|(peer, _)| **peer != from).for_each(|(_, peer)| peer.add(register, delta));
        }
        Ok(true)
    }

    fn merges(&self, about: &About, reader: &mut Reader) -> Result<Vec<(u32, Merge)>, Malformed> {
        let deltas = read_deltas(reader, about.fields.counters)?;
        Ok(deltas.into_iter().map(|(register, delta)| (register, Merge::Xor(delta))).collect())
    }

    fn shows(&self, _about: &About) -> Vec<View> {
        self.words.iter().map(|&word| View::Counter(word as i64)).collect()
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        (peer.fresh.len() + peer.round.len() + peer.flying.len()) as u64
    }
}
