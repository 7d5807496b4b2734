//! The delta-state as published: what travels is the XOR of a register before and after, and XOR merges it. There are no
//! ids: "the delta is the merge".

use std::collections::BTreeMap;

use crate::domain::traffic::Kind;
use crate::sync::host::{Merge, NodeId};
use crate::sync::strategy::courier::{About, Content, Peers};
use crate::sync::wire::{Malformed, Reader, Writer};

/// Registers as words.
#[derive(Clone, Debug, Default)]
pub struct XorDelta {
    words: Vec<u64>,
    /// What came in last.
    came: Vec<(u32, u64)>,
}

/// By register, what a neighbour has not merged.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    news: BTreeMap<u32, u64>,
    flying: BTreeMap<u32, u64>,
}

impl Peer {
    fn add(&mut self, register: u32, delta: u64) {
        let word = self.news.entry(register).or_default();
        *word ^= delta;
        if *word == 0 {
            self.news.remove(&register);
        }
    }
}

impl Content for XorDelta {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.words = vec![about.start as u64; about.registers as usize];
    }

    fn meet(&self, about: &About) -> Peer {
        let mut peer = Peer::default();
        let words = self.words.iter().enumerate();
        words.for_each(|(register, &word)| peer.add(register as u32, word ^ about.start as u64));
        peer
    }

    fn edit(&mut self, _about: &About, peers: &mut Peers<Peer>, register: u32, amount: i64) {
        let word = &mut self.words[register as usize];
        let before = *word;
        *word = (*word as i64).wrapping_add(amount) as u64;
        peers.values_mut().for_each(|peer| peer.add(register, before ^ *word));
    }

    fn offer(&mut self, _about: &About, peer: &mut Peer, writer: &mut Writer) -> bool {
        if peer.news.is_empty() {
            return false;
        }
        peer.flying = std::mem::take(&mut peer.news);
        writer.of(Kind::Addressing).number(peer.flying.len() as u64);
        let mut next = 0;
        for (&register, &delta) in &peer.flying {
            writer.of(Kind::Addressing).number(u64::from(register - next));
            // A change of sign is all ones: as a signed number it is short.
            writer.of(Kind::Payload).signed(delta as i64);
            next = register + 1;
        }
        true
    }

    fn settled(&mut self, peer: &mut Peer, arrived: bool) {
        for (register, delta) in std::mem::take(&mut peer.flying) {
            if !arrived {
                peer.add(register, delta);
            }
        }
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<(), Malformed> {
        let mut deltas = Vec::new();
        let mut next = 0u64;
        for _ in 0..reader.count("a number of registers")? {
            let register = reader.register(&mut next, about.registers)?;
            deltas.push((register, reader.signed()? as u64));
        }
        reader.end()?;
        self.came = deltas;
        for &(register, delta) in &self.came {
            self.words[register as usize] ^= delta;
            peers.iter_mut().filter(|(peer, _)| **peer != from).for_each(|(_, peer)| peer.add(register, delta));
        }
        Ok(())
    }

    fn merged(&self) -> Vec<(u32, Merge)> {
        self.came.iter().map(|&(register, delta)| (register, Merge::Xor(delta))).collect()
    }

    fn shows(&self, _about: &About) -> Vec<i64> {
        self.words.iter().map(|&word| word as i64).collect()
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        (peer.news.len() + peer.flying.len()) as u64
    }

    fn stored(&self) -> u64 {
        8 * self.words.len() as u64
    }
}
