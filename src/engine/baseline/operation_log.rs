//! Every operation, with its id, to everyone; everyone keeps all of them. A remove names the inserts that its user's replica
//! showed, and a write the writes, so that they take away no others. A device that starts again makes its operations as a
//! new incarnation: it may be a copy of another, or set back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::data;
use crate::domain::data::{DataType, Element, Intent, Value, View};
use crate::domain::traffic::Kind;
use crate::engine::host::{NodeId, Round};
use crate::engine::reliable_channel::by_actor::{self, OfActor};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::vector::{Actor, Ranges};
use crate::engine::wire::{Malformed, Reader, Writer, length, signed_length};

/// The id of an operation.
type Id = (Actor, u64);

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Operation {
    actor: Actor,
    sequence: u64,
    register: u32,
    what: What,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum What {
    Add(i64),
    Insert(Element),
    /// Takes away these inserts.
    Remove(Vec<Id>),
    /// Has a label hold this value, and takes away these writes.
    Write(Value, Vec<Id>),
}

/// Operations on tags as they travel.
const INSERT: u64 = 0;
const REMOVE: u64 = 1;

/// All operations, in the order in which they came here.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct OperationLog {
    #[serde(with = "by_actor")]
    operations: Vec<Operation>,
    seen: BTreeMap<Actor, Ranges>,
    values: Vec<i64>,
    /// By register and part of its view, the operations that made it and were not taken away; and all that were.
    made_by: BTreeMap<(u32, u64), BTreeSet<Id>>,
    taken_away: BTreeSet<Id>,
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
    type Rest = (u64, u32, What);

    fn parted(&self) -> (Actor, Self::Rest) {
        (self.actor, (self.sequence, self.register, self.what.clone()))
    }

    fn joined(actor: Actor, (sequence, register, what): Self::Rest) -> Self {
        Operation { actor, sequence, register, what }
    }
}

impl Operation {
    /// About what it takes.
    fn weighs(&self) -> usize {
        let what = match &self.what {
            What::Add(amount) => signed_length(*amount),
            What::Insert(element) => length(u64::from(*element) << 1),
            What::Remove(ids) => 1 + 6 * ids.len(),
            What::Write(value, ids) => 1 + length(*value) + 6 * ids.len(),
        };
        length(self.register.into()) + what
    }
}

impl OperationLog {
    fn add(&mut self, operation: Operation) -> bool {
        let seen = self.seen.entry(operation.actor).or_default();
        if seen.contains(operation.sequence) {
            return false;
        }
        seen.insert(operation.sequence, operation.sequence);
        let id = (operation.actor, operation.sequence);
        match &operation.what {
            What::Add(amount) => {
                let value = &mut self.values[operation.register as usize];
                *value = value.wrapping_add(*amount);
            }
            What::Insert(element) => self.make(operation.register, (*element).into(), id),
            What::Remove(ids) => self.take_away(ids),
            What::Write(value, ids) => {
                self.take_away(ids);
                self.make(operation.register, *value, id);
            }
        }
        self.operations.push(operation);
        true
    }

    /// An operation makes a part of a view, unless it was taken away before it came.
    fn make(&mut self, register: u32, part: u64, id: Id) {
        if !self.taken_away.contains(&id) {
            self.made_by.entry((register, part)).or_default().insert(id);
        }
    }

    fn take_away(&mut self, ids: &[Id]) {
        self.taken_away.extend(ids);
        self.made_by.retain(|_, made| {
            made.retain(|id| !ids.contains(id));
            !made.is_empty()
        });
    }

    /// The operations that made parts of a register and were not taken away.
    fn there(&self, register: u32) -> impl Iterator<Item = (u64, &BTreeSet<Id>)> {
        self.made_by.range((register, 0)..=(register, u64::MAX)).map(|(&(_, part), ids)| (part, ids))
    }
}

impl What {
    fn write(&self, writer: &mut Writer) {
        match self {
            What::Add(amount) => _ = writer.of(Kind::Payload).signed(*amount),
            What::Insert(element) => _ = writer.of(Kind::Payload).number(u64::from(*element) << 1 | INSERT),
            What::Remove(ids) => {
                writer.of(Kind::Payload).number((ids.len() as u64) << 1 | REMOVE);
                write_ids(ids, writer);
            }
            What::Write(value, ids) => {
                writer.of(Kind::Payload).number(*value).of(Kind::Ids).number(ids.len() as u64);
                write_ids(ids, writer);
            }
        }
    }

    fn read(about: &About, register: u32, reader: &mut Reader) -> Result<What, Malformed> {
        match about.fields.of(register) {
            DataType::Counter | DataType::Stock => return Ok(What::Add(reader.signed()?)),
            DataType::Label => {
                let (value, count) = (reader.number()?, reader.number()?);
                return Ok(What::Write(value, read_ids(count, reader)?));
            }
            DataType::Tags => {}
        }
        let told = reader.number()?;
        if told & 1 == INSERT {
            let element = u32::try_from(told >> 1).ok().filter(|&element| element < about.fields.elements);
            return Ok(What::Insert(element.ok_or(Malformed::Range("an element"))?));
        }
        Ok(What::Remove(read_ids(told >> 1, reader)?))
    }
}

fn write_ids(ids: &[Id], writer: &mut Writer) {
    for (actor, sequence) in ids {
        actor.write(writer.of(Kind::Ids));
        writer.number(*sequence);
    }
}

fn read_ids(count: u64, reader: &mut Reader) -> Result<Vec<Id>, Malformed> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push((Actor::read(reader)?, reader.number()?));
    }
    Ok(ids)
}

impl Content for OperationLog {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        let start = |register| about.fields.start_of(register).number().unwrap_or(0);
        self.values = (0..about.fields.sums()).map(start).collect();
    }

    fn meet(&self, _about: &About, _before: Option<Peer>, _blank: bool) -> Peer {
        Peer::default()
    }

    fn edit(&mut self, about: &About, _peers: &mut Peers<Peer>, register: u32, intent: Intent) {
        if self.actor != about.actor {
            (self.actor, self.made) = (about.actor, 0);
        }
        self.made += 1;
        let what = match intent {
            Intent::Increase(_) | Intent::Supply(_) | Intent::Take(_) | Intent::Transfer { .. } => {
                What::Add(intent.amount().unwrap_or(0))
            }
            Intent::Insert(element) => What::Insert(element),
            Intent::Remove(element) => {
                What::Remove(self.made_by.get(&(register, element.into())).into_iter().flatten().copied().collect())
            }
            Intent::Write(value) => {
                What::Write(value, self.there(register).flat_map(|(_, ids)| ids).copied().collect())
            }
        };
        self.add(Operation { actor: about.actor, sequence: self.made, register, what });
    }

    fn offer(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> Option<Round> {
        let (mut changes, mut size) = (Vec::new(), 0);
        peer.offered = peer.has;
        for operation in &self.operations[peer.has..] {
            if !peer.gave(operation) {
                if size >= about.fragment.max(1) {
                    break;
                }
                size += operation.weighs();
                changes.push(operation);
            }
            peer.offered += 1;
        }
        if changes.is_empty() {
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
        changes.sort_unstable_by_key(|operation| (operation.actor, operation.sequence));
        let authors = changes.chunk_by(|one, next| one.actor == next.actor);
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
                    operation.what.write(writer);
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
                    let register = reader.at_most(u64::from(about.fields.len()) - 1, "a register")? as u32;
                    let what = What::read(about, register, reader)?;
                    operations.push(Operation { actor, sequence: next, register, what });
                    next += 1;
                }
            }
        }
        reader.end()?;
        for operation in operations {
            if let Some(peer) = peers.get_mut(&from) {
                let came = peer.came_from.entry(operation.actor).or_default();
                came.insert(operation.sequence, operation.sequence);
            }
            self.add(operation);
        }
        Ok(())
    }

    fn shows(&self, about: &About) -> Vec<View> {
        let mut views = about.fields.starts();
        for (view, value) in views.iter_mut().zip(&self.values) {
            let shown = view.number().unwrap_or(0);
            data::add(view, value.wrapping_sub(shown));
        }
        for &(register, part) in self.made_by.keys() {
            match &mut views[register as usize] {
                View::Label(values) => _ = values.insert(part),
                view => _ = data::apply(view, Intent::Insert(part as Element)),
            }
        }
        views
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        self.operations[peer.has..].iter().filter(|operation| !peer.gave(operation)).count() as u64
    }
}
