//! The whole state, overwriting the receiver's. A state that does not fit a message goes on in the next, from the register that
//! the message begins with.

use serde::{Deserialize, Serialize};

use crate::data;
use crate::domain::data::{Intent, View};
use crate::domain::traffic::Kind;
use crate::engine::host::{NodeId, Round};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::views;
use crate::engine::wire::{Malformed, Reader, Writer};

/// All registers.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct FullState {
    values: Vec<View>,
}

/// Whether a neighbour has not got the state as it is; and, of the one that is under way, the next register to be told, and
/// the one after those that fly.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Peer {
    changes: bool,
    next: Option<u32>,
    flying: Option<u32>,
}

impl Content for FullState {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.values = about.fields.starts();
    }

    fn meet(&self, about: &About, _before: Option<Peer>, _blank: bool) -> Peer {
        Peer { changes: self.values != about.fields.starts(), ..Peer::default() }
    }

    fn edit(&mut self, about: &About, peers: &mut Peers<Peer>, register: u32, intent: Intent) {
        if !data::is_meant(&self.values[register as usize], intent) {
            return;
        }
        data::apply(&about.fields, &mut self.values[register as usize], intent);
        peers.values_mut().for_each(|peer| peer.changes = true);
    }

    fn offer(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> Option<Round> {
        let begins = peer.next.is_none();
        if begins && !std::mem::take(&mut peer.changes) {
            return None;
        }
        let mut next = peer.next.take().unwrap_or(0);
        writer.of(Kind::Addressing).number(next.into()).of(Kind::Payload);
        while next < about.fields.len() && writer.len() < about.fragment.max(1) + 1 {
            views::write(&about.fields, &self.values[next as usize], writer);
            next += 1;
        }
        let ends = next == about.fields.len();
        (peer.flying, peer.next) = (Some(next), (!ends).then_some(next));
        Some(Round { begins: begins || ends && !peer.changes, ends })
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
    ) -> Result<bool, Malformed> {
        let first = reader.small("a register")?;
        let mut values = Vec::new();
        for register in first.. {
            if reader.is_done() {
                break;
            }
            values.push(views::read(&about.fields, register, reader)?);
        }
        let first = first as usize;
        let told = self.values.get_mut(first..).and_then(|from| from.get_mut(..values.len()));
        let told = told.filter(|told| !told.is_empty()).ok_or(Malformed::Range("a register"))?;
        let changes = values != *told;
        if changes {
            told.clone_from_slice(&values);
            peers.iter_mut().filter(|(peer, _)| **peer != from).for_each(|(_, peer)| peer.changes = true);
        }
        Ok(changes)
    }

    fn shows(&self, _about: &About) -> Vec<View> {
        self.values.clone()
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        u64::from(peer.changes || peer.next.is_some() || peer.flying.is_some())
    }
}
