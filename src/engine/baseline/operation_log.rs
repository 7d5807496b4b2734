//! Every operation, with its id, to everyone; everyone keeps all of them. A device that starts again makes its operations as a
//! new incarnation: it may be a copy of another, or set back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::traffic::Kind;
use crate::engine::host::{NodeId, Round};
use crate::engine::reliable_channel::by_actor::{self, OfActor};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::vector::{Actor, Ranges};
use crate::engine::wire::{Malformed, Reader, Writer, length, signed_length};

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Operation {
    actor: Actor,
    sequence: u64,
    register: u32,
    amount: i64,
}

/// All operations, in the order in which they came here.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct OperationLog {
    #[serde(with = "by_actor")]
    operations: Vec<Operation>,
    seen: BTreeMap<Actor, Ranges>,
    values: Vec<i64>,
    actor: Actor,
    made: u64,
}

/// Up to where a neighbour has the log, up to where it was offered, and up to where the round goes; what came from it is not
/// told it again.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Peer {
    has: usize,
    offered: usize,
    round: usize,
    came_from: BTreeMap<Actor, Ranges>,
}

impl Peer {
    fn gave(&self, operation: &Operation) -> bool {
        self.came_from.get(&operation.actor).is_some_and(|ranges| ranges.contains(operation.sequence))
    }
}

impl OfActor for Operation {
    type Rest = (u64, u32, i64);

    fn parted(&self) -> (Actor, Self::Rest) {
        (self.actor, (self.sequence, self.register, self.amount))
    }

    fn joined(actor: Actor, (sequence, register, amount): Self::Rest) -> Self {
        Operation { actor, sequence, register, amount }
    }
}

impl Operation {
    /// About what it takes.
    fn weighs(&self) -> usize {
        length(self.register.into()) + signed_length(self.amount)
    }
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

    fn meet(&self, _about: &About, _before: Option<Peer>, _blank: bool) -> Peer {
        Peer::default()
    }

    fn edit(&mut self, about: &About, _peers: &mut Peers<Peer>, register: u32, amount: i64) {
        if self.actor != about.actor {
            (self.actor, self.made) = (about.actor, 0);
        }
        self.made += 1;
        self.add(Operation { actor: about.actor, sequence: self.made, register, amount });
    }

    fn offer(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> Option<Round> {
        let (mut news, mut size) = (Vec::new(), 0);
        peer.offered = peer.has;
        for operation in &self.operations[peer.has..] {
            if !peer.gave(operation) {
                if size >= about.piece.max(1) {
                    break;
                }
                size += operation.weighs();
                news.push(operation);
            }
            peer.offered += 1;
        }
        if news.is_empty() {
            peer.has = peer.offered;
            peer.came_from.clear();
            return None;
        }
        let all = peer.offered == self.operations.len();
        let begins = peer.has >= peer.round || all;
        if peer.has >= peer.round {
            peer.round = self.operations.len();
        }
        let round = Round { begins, ends: peer.offered >= peer.round };
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
        Some(round)
    }

    fn arrived(&mut self, peer: &mut Peer) {
        peer.has = peer.offered;
        if peer.has == self.operations.len() {
            peer.came_from.clear();
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
        self.operations[peer.has..].iter().filter(|operation| !peer.gave(operation)).count() as u64
    }
}
