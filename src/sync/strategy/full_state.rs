//! The whole state, overwriting the receiver's. A value travels as its difference from the start, which every device was
//! delivered with.

use crate::domain::traffic::Kind;
use crate::sync::host::NodeId;
use crate::sync::strategy::courier::{About, Content, Peers};
use crate::sync::wire::{Malformed, Reader, Writer};

/// All registers.
#[derive(Clone, Debug, Default)]
pub struct FullState {
    values: Vec<i64>,
}

/// Whether a neighbour has not got the state as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peer {
    news: bool,
    flying: bool,
}

impl Content for FullState {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.values = vec![about.start; about.registers as usize];
    }

    fn meet(&self, about: &About) -> Peer {
        Peer { news: self.values.iter().any(|&value| value != about.start), flying: false }
    }

    fn edit(&mut self, _about: &About, peers: &mut Peers<Peer>, register: u32, amount: i64) {
        let value = &mut self.values[register as usize];
        *value = value.wrapping_add(amount);
        peers.values_mut().for_each(|peer| peer.news = true);
    }

    fn offer(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> bool {
        if peer.news {
            *peer = Peer { news: false, flying: true };
            writer.of(Kind::Payload);
            self.values.iter().for_each(|&value| {
                writer.signed(value.wrapping_sub(about.start));
            });
        }
        peer.flying
    }

    fn settled(&mut self, peer: &mut Peer, arrived: bool) {
        peer.news |= peer.flying && !arrived;
        peer.flying = false;
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<(), Malformed> {
        let values: Result<Vec<i64>, Malformed> =
            (0..about.registers).map(|_| Ok(about.start.wrapping_add(reader.signed()?))).collect();
        let values = values?;
        reader.end()?;
        if values != self.values {
            self.values = values;
            peers.iter_mut().filter(|(peer, _)| **peer != from).for_each(|(_, peer)| peer.news = true);
        }
        Ok(())
    }

    fn shows(&self, _about: &About) -> Vec<i64> {
        self.values.clone()
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        u64::from(peer.news || peer.flying)
    }

    fn stored(&self) -> u64 {
        8 * self.values.len() as u64
    }
}
