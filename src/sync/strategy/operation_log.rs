//! Every operation, with its id, to everyone; everyone keeps all of them.

use std::collections::BTreeMap;

use crate::domain::traffic::Kind;
use crate::sync::host::NodeId;
use crate::sync::strategy::courier::{About, Content, Peers};
use crate::sync::vector::{Actor, Ranges};
use crate::sync::wire::{Malformed, Reader, Writer};

/// One operation.
#[derive(Clone, Copy, Debug)]
struct Operation {
    actor: Actor,
    sequence: u64,
    register: u32,
    amount: i64,
}

/// All operations, in the order in which they came here.
#[derive(Clone, Debug, Default)]
pub struct OperationLog {
    operations: Vec<Operation>,
    seen: BTreeMap<Actor, Ranges>,
    values: Vec<i64>,
    made: u64,
}

/// Up to where a neighbour has the log, and up to where it was offered; and who it came from is not told again.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    has: usize,
    offered: usize,
    came_from: BTreeMap<Actor, Ranges>,
}

impl OperationLog {
    fn add(&mut self, operation: Operation) -> bool {
        let seen = self.seen.entry(operation.actor).or_default();
        if seen.contains(operation.sequence) {
            return false;
        }
        seen.insert(operation.sequence, operation.sequence);
        let value = &mut self.values[operation.register as usize];
        *value = value.wrapping_add(operation.amount);
        self.operations.push(operation);
        true
    }
}

impl Content for OperationLog {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.values = vec![about.start; about.registers as usize];
    }

    fn meet(&self, _about: &About) -> Peer {
        Peer::default()
    }

    fn edit(&mut self, about: &About, _peers: &mut Peers<Peer>, register: u32, amount: i64) {
        self.made += 1;
        self.add(Operation { actor: about.actor, sequence: self.made, register, amount });
    }

    fn offer(&mut self, _about: &About, peer: &mut Peer, writer: &mut Writer) -> bool {
        let came = |operation: &&Operation| {
            peer.came_from.get(&operation.actor).is_some_and(|ranges| ranges.contains(operation.sequence))
        };
        let mut news: Vec<&Operation> =
            self.operations[peer.has..].iter().filter(|operation| !came(operation)).collect();
        peer.offered = self.operations.len();
        if news.is_empty() {
            peer.has = peer.offered;
            return false;
        }
        // In which order they came here says nothing: by author, and in runs, ids are short.
        news.sort_unstable_by_key(|operation| (operation.actor, operation.sequence));
        let authors = news.chunk_by(|one, next| one.actor == next.actor);
        writer.of(Kind::Framing).number(authors.clone().count() as u64);
        for of_author in authors {
            let runs = of_author.chunk_by(|one, next| one.sequence + 1 == next.sequence);
            of_author[0].actor.write(writer.of(Kind::Ids));
            writer.of(Kind::Framing).number(runs.clone().count() as u64);
            let mut next = 1;
            for run in runs {
                writer.of(Kind::Ids).number(run[0].sequence - next);
                writer.of(Kind::Framing).number(run.len() as u64);
                for operation in run {
                    writer.of(Kind::Addressing).number(operation.register.into());
                    writer.of(Kind::Payload).signed(operation.amount);
                }
                next = run[0].sequence + run.len() as u64;
            }
        }
        true
    }

    fn settled(&mut self, peer: &mut Peer, arrived: bool) {
        if arrived {
            peer.has = peer.offered;
        }
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<(), Malformed> {
        let mut operations = Vec::new();
        for _ in 0..reader.count("a number of actors")? {
            let actor = Actor::read(reader)?;
            let mut next = 1u64;
            for _ in 0..reader.count("a number of runs")? {
                let first = next.checked_add(reader.number()?).filter(|&first| first < u64::MAX >> 2);
                let first = first.ok_or(Malformed::Range("a sequence number"))?;
                next = first;
                for _ in 0..reader.count("a number of operations")? {
                    let register = reader.at_most((about.registers - 1).into(), "a register")? as u32;
                    operations.push(Operation { actor, sequence: next, register, amount: reader.signed()? });
                    next += 1;
                }
            }
        }
        reader.end()?;
        for operation in operations {
            self.add(operation);
            if let Some(peer) = peers.get_mut(&from) {
                let came = peer.came_from.entry(operation.actor).or_default();
                came.insert(operation.sequence, operation.sequence);
            }
        }
        Ok(())
    }

    fn shows(&self, _about: &About) -> Vec<i64> {
        self.values.clone()
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        let came = |operation: &&Operation| {
            peer.came_from.get(&operation.actor).is_some_and(|ranges| ranges.contains(operation.sequence))
        };
        self.operations[peer.has..].iter().filter(|operation| !came(operation)).count() as u64
    }

    fn stored(&self) -> u64 {
        32 * self.operations.len() as u64
    }
}
