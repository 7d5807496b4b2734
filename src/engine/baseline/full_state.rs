//! The whole state, overwriting the receiver's. A value travels as its difference from the start, which every device was
//! delivered with; one that does not fit a message goes on in the next, from the register that it begins with.

use serde::{Deserialize, Serialize};

use crate::domain::traffic::Kind;
use crate::engine::host::{NodeId, Round};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::wire::{Malformed, Reader, Writer};

/// All registers.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct FullState {
    values: Vec<i64>,
}

/// Whether a neighbour has not got the state as it is; and, of the one that is under way, the next register to be told, and
/// the one after those that fly.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Peer {
    news: bool,
    next: Option<u32>,
    flying: Option<u32>,
}

impl Content for FullState {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.values = vec![about.start; about.registers as usize];
    }

    fn meet(&self, about: &About, _before: Option<Peer>, _blank: bool) -> Peer {
        Peer { news: self.values.iter().any(|&value| value != about.start), ..Peer::default() }
    }

    fn edit(&mut self, _about: &About, peers: &mut Peers<Peer>, register: u32, amount: i64) {
        let value = &mut self.values[register as usize];
        *value = value.wrapping_add(amount);
        peers.values_mut().for_each(|peer| peer.news = true);
    }

    fn offer(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> Option<Round> {
        let begins = peer.next.is_none();
        if begins && !std::mem::take(&mut peer.news) {
            return None;
        }
        let mut next = peer.next.take().unwrap_or(0);
        writer.of(Kind::Addressing).number(next.into()).of(Kind::Payload);
        while next < about.registers && writer.len() < about.piece.max(1) + 1 {
            writer.signed(self.values[next as usize].wrapping_sub(about.start));
            next += 1;
        }
        let ends = next == about.registers;
        (peer.flying, peer.next) = (Some(next), (!ends).then_some(next));
        Some(Round { begins: begins || ends && !peer.news, ends })
    }

    fn arrived(&mut self, peer: &mut Peer) {
        peer.flying = None;
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<(), Malformed> {
        let first = reader.small("a register")? as usize;
        let mut values = Vec::new();
        while !reader.is_done() {
            values.push(about.start.wrapping_add(reader.signed()?));
        }
        let told = self.values.get_mut(first..).and_then(|from| from.get_mut(..values.len()));
        let told = told.filter(|told| !told.is_empty()).ok_or(Malformed::Range("a register"))?;
        if values != *told {
            told.copy_from_slice(&values);
            peers.iter_mut().filter(|(peer, _)| **peer != from).for_each(|(_, peer)| peer.news = true);
        }
        Ok(())
    }

    fn shows(&self, _about: &About) -> Vec<i64> {
        self.values.clone()
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        u64::from(peer.news || peer.next.is_some() || peer.flying.is_some())
    }
}
