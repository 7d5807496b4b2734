//! Registers that are overwritten one by one: what the last-writer and first-writer strategies share.

use std::collections::BTreeSet;

use crate::domain::traffic::Kind;
use crate::sync::host::NodeId;
use crate::sync::strategy::courier::{About, Content, Peers};
use crate::sync::wire::{Malformed, Reader, Writer};

/// When a register was written, by whatever the policy calls time, and by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Time.
    pub time: i64,
    /// Which of several at that time.
    pub count: u32,
    /// Whose it is.
    pub client: u32,
}

/// Which of two writes stays.
pub trait Policy: Clone + Default + std::fmt::Debug {
    /// Whether writes carry stamps.
    const STAMPED: bool;

    /// The stamp of a write that is made now.
    fn stamp(&mut self, about: &About) -> Stamp;

    /// A stamp came in.
    fn heard(&mut self, _about: &About, _stamp: Stamp) {}

    /// Whether a write takes the place of another; `None` is the start.
    fn wins(new: Stamp, old: Option<Stamp>) -> bool;
}

/// Registers with the stamps of their last writes.
#[derive(Clone, Debug, Default)]
pub struct RegisterMap<P> {
    policy: P,
    registers: Vec<(i64, Option<Stamp>)>,
}

/// Registers that a neighbour does not have as they are.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    news: BTreeSet<u32>,
    flying: BTreeSet<u32>,
}

impl<P: Policy> Content for RegisterMap<P> {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.registers = vec![(about.start, None); about.registers as usize];
    }

    fn meet(&self, _about: &About) -> Peer {
        let written = self.registers.iter().enumerate().filter(|(_, (_, stamp))| stamp.is_some());
        Peer { news: written.map(|(register, _)| register as u32).collect(), flying: BTreeSet::new() }
    }

    fn edit(&mut self, about: &About, peers: &mut Peers<Peer>, register: u32, amount: i64) {
        let stamp = self.policy.stamp(about);
        let (value, last) = &mut self.registers[register as usize];
        if P::wins(stamp, *last) {
            (*value, *last) = (value.wrapping_add(amount), Some(stamp));
            peers.values_mut().for_each(|peer| {
                peer.news.insert(register);
            });
        }
    }

    fn offer(&mut self, _about: &About, peer: &mut Peer, writer: &mut Writer) -> bool {
        if peer.news.is_empty() {
            return false;
        }
        peer.flying = std::mem::take(&mut peer.news);
        writer.of(Kind::Addressing).number(peer.flying.len() as u64);
        let mut next = 0;
        for &register in &peer.flying {
            let (value, stamp) = self.registers[register as usize];
            writer.of(Kind::Addressing).number(u64::from(register - next));
            writer.of(Kind::Payload).signed(value);
            if P::STAMPED {
                let Stamp { time, count, client } = stamp.unwrap_or_default();
                writer.of(Kind::Ids).signed(time).number(count.into()).number(client.into());
            }
            next = register + 1;
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
        let mut writes = Vec::new();
        let mut next = 0u64;
        for _ in 0..reader.count("a number of registers")? {
            let register = reader.register(&mut next, about.registers)?;
            let value = reader.signed()?;
            let stamp = if P::STAMPED {
                Stamp { time: reader.signed()?, count: reader.small("a count")?, client: reader.small("a client")? }
            } else {
                Stamp::default()
            };
            writes.push((register, value, stamp));
        }
        reader.end()?;
        for (register, new, stamp) in writes {
            self.policy.heard(about, stamp);
            let (value, last) = &mut self.registers[register as usize];
            if (new, Some(stamp)) != (*value, *last) && P::wins(stamp, *last) {
                (*value, *last) = (new, Some(stamp));
                for (_, peer) in peers.iter_mut().filter(|(peer, _)| **peer != from) {
                    peer.news.insert(register);
                }
            }
        }
        Ok(())
    }

    fn shows(&self, _about: &About) -> Vec<i64> {
        self.registers.iter().map(|&(value, _)| value).collect()
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        (peer.news.len() + peer.flying.len()) as u64
    }

    fn stored(&self) -> u64 {
        (if P::STAMPED { 24 } else { 8 }) * self.registers.len() as u64
    }
}
