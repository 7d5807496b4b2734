//! Every operation, with its id, to everyone; everyone keeps all of them. A remove names the inserts that its user's replica
//! showed, and a write the writes, so that they take away no others. What is typed into a text names what it was typed beside
//! ([`Fugue`]). A device that starts again makes its operations as a
//! new incarnation: it may be a copy of another, or set back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::data;
use crate::data::record::created;
use crate::domain::data::{Case, Claimed, DataType, Element, Fields, Intent, Record, Stage, Value, View};
use crate::domain::letter::Letter;
use crate::domain::traffic::Kind;
use crate::engine::fugue::{Fugue, Part};
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
    /// Asks for what can be had once.
    Claim(Value),
    /// Changes a record, and takes away what these made of it.
    OfRecord(Intent, Vec<(Place, Id)>),
    /// Changes a text: what was typed or erased, as it travels ([`Part`]).
    OfText(Vec<u8>),
    /// Does an item of a case.
    Do(Element),
    /// Closes a case with these items.
    Close(Vec<Element>),
}

/// Which part of a register an operation made: of tags and of a label the whole, of a record that it is there, one of its labels,
/// or its tags.
type Place = u32;

/// The whole of a register; of a record, that it is there.
const WHOLE: Place = 0;

/// A record's tags.
const TAGS: Place = Place::MAX;

/// The place of a label of a record.
fn place_of(field: u32) -> Place {
    field + 1
}

/// Operations on tags as they travel.
const INSERT: u64 = 0;
const REMOVE: u64 = 1;

/// Operations on records as they travel.
const CREATE: u64 = 0;
const DELETE: u64 = 1;
const SET: u64 = 2;
const TAG: u64 = 3;
const UNTAG: u64 = 4;

/// All operations, in the order in which they came here.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct OperationLog {
    #[serde(with = "by_actor")]
    operations: Vec<Operation>,
    seen: BTreeMap<Actor, Ranges>,
    values: Vec<i64>,
    /// By register, place and part of the view, the operations that made it and were not taken away; and all that were.
    made_by: BTreeMap<(u32, Place, u64), BTreeSet<Id>>,
    taken_away: BTreeSet<(Place, Id)>,
    /// By register.
    texts: BTreeMap<u32, Fugue>,
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
            What::OfRecord(_, taken) => 4 + 7 * taken.len(),
            What::OfText(part) => part.len(),
            What::Claim(value) => length(*value),
            What::Do(item) => length(u64::from(*item) << 1),
            What::Close(items) => 1 + 2 * items.len(),
        };
        length(self.register.into()) + what
    }
}

impl OperationLog {
    /// Adds an operation to a log of records with so many labels.
    fn add(&mut self, labels: u32, operation: Operation) -> bool {
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
            What::Insert(element) => self.make(operation.register, WHOLE, (*element).into(), id),
            What::Remove(ids) => self.take_away(ids.iter().map(|&id| (WHOLE, id))),
            What::Write(value, ids) => {
                self.take_away(ids.iter().map(|&id| (WHOLE, id)));
                self.make(operation.register, WHOLE, *value, id);
            }
            What::OfRecord(intent, taken) => {
                self.take_away(taken.iter().copied());
                self.change_record(labels, operation.register, *intent, id);
            }
            What::Claim(value) => self.make(operation.register, WHOLE, *value, id),
            What::Do(item) => self.make(operation.register, WHOLE, (*item).into(), id),
            What::Close(_) => {}
            What::OfText(part) => {
                if let Ok(part) = Part::read(&mut Reader::bare(part)) {
                    self.texts.entry(operation.register).or_default().take(&part);
                }
            }
        }
        self.operations.push(operation);
        true
    }

    /// An operation makes a part of a view, unless it was taken away before it came.
    fn make(&mut self, register: u32, place: Place, part: u64, id: Id) {
        if !self.taken_away.contains(&(place, id)) {
            self.made_by.entry((register, place, part)).or_default().insert(id);
        }
    }

    /// An operation changes a record of so many labels, and with that has it be there.
    fn change_record(&mut self, labels: u32, register: u32, intent: Intent, id: Id) {
        match intent {
            Intent::Create(value) => {
                (0..labels).for_each(|field| self.make(register, place_of(field), created(value, field), id));
            }
            Intent::Set { field, value } => self.make(register, place_of(field), value, id),
            Intent::Tag(element) => self.make(register, TAGS, element.into(), id),
            _ => {}
        }
        if intent.makes() {
            self.make(register, WHOLE, 0, id);
        }
    }

    fn take_away(&mut self, taken: impl Iterator<Item = (Place, Id)>) {
        let taken: BTreeSet<(Place, Id)> = taken.collect();
        self.made_by.retain(|&(_, place, _), made| {
            made.retain(|&id| !taken.contains(&(place, id)));
            !made.is_empty()
        });
        self.taken_away.extend(taken);
    }

    /// The operations that made parts of a register and were not taken away, by place and part.
    fn there(&self, register: u32) -> impl Iterator<Item = (Place, u64, &BTreeSet<Id>)> {
        let all = (register, WHOLE, 0)..=(register, TAGS, u64::MAX);
        self.made_by.range(all).map(|(&(_, place, part), ids)| (place, part, ids))
    }

    /// With which items a case was closed. Of those who closed it, the one whose id is the smallest came first, as far as is known
    /// here.
    fn closed(&self, register: u32) -> Option<&[Element]> {
        let of_register = self.operations.iter().filter(|operation| operation.register == register);
        let closed = of_register.filter_map(|operation| match &operation.what {
            What::Close(items) => Some(((operation.actor, operation.sequence), items)),
            _ => None,
        });
        closed.min_by_key(|&(id, _)| id).map(|(_, items)| items.as_slice())
    }

    /// A user types into a text, or erases what it shows; gives what is new in it.
    fn change_text(&mut self, actor: Actor, register: u32, intent: Intent) -> Option<Part> {
        let text = self.texts.entry(register).or_default();
        let shown = Letter::all_of(&text.text());
        let code_points = |letters: &[Letter]| letters.iter().flat_map(|letter| letter.code_points()).count();
        match intent {
            Intent::Type { after, letter } => {
                let place = code_points(&shown[..data::text::place(&shown, after)]);
                let run = text.insert(actor, place, &Letter::text(&[letter]))?;
                Some(text.part(&[run], &[]))
            }
            Intent::Erase(letter) => {
                let place = code_points(&shown[..shown.iter().position(|&there| there == letter)?]);
                let runs = text.erase(place, code_points(&[letter]));
                Some(text.part(&[], &runs))
            }
            _ => None,
        }
    }

    /// Whether a change of a record means anything where this is shown.
    fn is_meant(&self, register: u32, intent: Intent) -> bool {
        let is_there = self.made_by.contains_key(&(register, WHOLE, 0));
        match intent {
            Intent::Create(_) => !is_there,
            Intent::Untag(element) => is_there && self.made_by.contains_key(&(register, TAGS, element.into())),
            _ => is_there,
        }
    }

    /// What a change of a record takes away, of what is here.
    fn taken_by(&self, register: u32, intent: Intent) -> Vec<(Place, Id)> {
        let is_taken = |place: Place, part: u64| match intent {
            Intent::Create(_) => place != WHOLE,
            Intent::Delete => place == WHOLE,
            Intent::Set { field, .. } => place == place_of(field),
            Intent::Untag(element) => place == TAGS && part == u64::from(element),
            _ => false,
        };
        let taken = self.there(register).filter(|&(place, part, _)| is_taken(place, part));
        taken.flat_map(|(place, _, ids)| ids.iter().map(move |&id| (place, id))).collect()
    }
}

impl What {
    fn of_text(part: &Part) -> Self {
        let mut writer = Writer::bare();
        part.write(&mut writer);
        What::OfText(writer.into_bytes())
    }

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
            What::Claim(value) => _ = writer.of(Kind::Payload).number(*value),
            What::Do(item) => _ = writer.of(Kind::Payload).number(u64::from(*item) << 1),
            What::Close(items) => {
                writer.of(Kind::Payload).number((items.len() as u64) << 1 | 1);
                items.iter().for_each(|&item| _ = writer.number(item.into()));
            }
            What::OfText(bytes) => {
                if let Ok(part) = Part::read(&mut Reader::bare(bytes)) {
                    part.write(writer);
                }
            }
            What::OfRecord(intent, taken) => {
                match *intent {
                    Intent::Create(value) => writer.of(Kind::Payload).number(CREATE).number(value),
                    Intent::Set { field, value } => {
                        writer.of(Kind::Payload).number(SET).number(field.into()).number(value)
                    }
                    Intent::Tag(element) => writer.of(Kind::Payload).number(TAG).number(element.into()),
                    Intent::Untag(element) => writer.of(Kind::Payload).number(UNTAG).number(element.into()),
                    _ => writer.of(Kind::Payload).number(DELETE),
                };
                writer.of(Kind::Ids).number(taken.len() as u64);
                for &(place, id) in taken {
                    writer.of(Kind::Addressing).number(place.into());
                    write_ids(&[id], writer);
                }
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
            DataType::Record => return What::read_of_record(&about.fields, reader),
            DataType::Text => return Part::read(reader).map(|part| What::of_text(&part)),
            DataType::Claim => return Ok(What::Claim(reader.number()?)),
            DataType::Case => return What::read_of_case(&about.fields, reader),
            DataType::Tags => {}
        }
        let told = reader.number()?;
        if told & 1 == INSERT {
            let element = u32::try_from(told >> 1).ok().filter(|&element| element < about.fields.elements);
            return Ok(What::Insert(element.ok_or(Malformed::Range("an element"))?));
        }
        Ok(What::Remove(read_ids(told >> 1, reader)?))
    }

    fn read_of_case(fields: &Fields, reader: &mut Reader) -> Result<What, Malformed> {
        let below = |number: u64| match u32::try_from(number) {
            Ok(item) if item < fields.case_items => Ok(item),
            _ => Err(Malformed::Range("an item")),
        };
        let told = reader.number()?;
        if told & 1 == 0 {
            return below(told >> 1).map(What::Do);
        }
        if told >> 1 > fields.case_items.into() {
            return Err(Malformed::Range("a number of items"));
        }
        (0..told >> 1).map(|_| below(reader.number()?)).collect::<Result<_, Malformed>>().map(What::Close)
    }

    fn read_of_record(fields: &Fields, reader: &mut Reader) -> Result<What, Malformed> {
        let form = reader.at_most(UNTAG, "a change of a record")?;
        let mut below = |bound: u32, what| match reader.number()? {
            number if number < bound.into() => Ok(number as u32),
            _ => Err(Malformed::Range(what)),
        };
        let intent = match form {
            SET => Intent::Set { field: below(fields.record_labels, "a label of a record")?, value: reader.number()? },
            TAG => Intent::Tag(below(fields.record_elements, "an element")?),
            UNTAG => Intent::Untag(below(fields.record_elements, "an element")?),
            CREATE => Intent::Create(reader.number()?),
            _ => Intent::Delete,
        };
        let mut taken = Vec::new();
        for _ in 0..reader.number()? {
            let place = reader.at_most(TAGS.into(), "a place")? as Place;
            let ids = read_ids(1, reader)?;
            taken.extend(ids.into_iter().map(|id| (place, id)));
        }
        Ok(What::OfRecord(intent, taken))
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
        if intent.of() == DataType::Record && !self.is_meant(register, intent) {
            return;
        }
        if self.actor != about.actor {
            (self.actor, self.made) = (about.actor, 0);
        }
        let what = match intent {
            Intent::Increase(_) | Intent::Supply(_) | Intent::Take(_) | Intent::Transfer { .. } => {
                What::Add(intent.amount().unwrap_or(0))
            }
            Intent::Insert(element) => What::Insert(element),
            Intent::Remove(element) => {
                let made = self.made_by.get(&(register, WHOLE, element.into()));
                What::Remove(made.into_iter().flatten().copied().collect())
            }
            Intent::Claim(_) if self.there(register).next().is_some() => return,
            Intent::Claim(value) => What::Claim(value),
            Intent::Do(_) | Intent::Close if self.closed(register).is_some() => return,
            Intent::Do(item) => What::Do(item),
            Intent::Close => What::Close(self.there(register).map(|(_, item, _)| item as Element).collect()),
            Intent::Write(value) => {
                What::Write(value, self.there(register).flat_map(|(.., ids)| ids).copied().collect())
            }
            Intent::Type { .. } | Intent::Erase(_) => match self.change_text(about.actor, register, intent) {
                Some(part) => What::of_text(&part),
                None => return,
            },
            Intent::Create(_) | Intent::Delete | Intent::Set { .. } | Intent::Tag(_) | Intent::Untag(_) => {
                What::OfRecord(intent, self.taken_by(register, intent))
            }
        };
        self.made += 1;
        let operation = Operation { actor: about.actor, sequence: self.made, register, what };
        self.add(about.fields.record_labels, operation);
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
        // With records, causes go before effects: whoever gets a part of the log is not shown half a record.
        if about.fields.records == 0 {
            changes.sort_unstable_by_key(|operation| (operation.actor, operation.sequence));
        }
        let authors = changes.chunk_by(|one, next| one.actor == next.actor && one.sequence < next.sequence);
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
    ) -> Result<bool, Malformed> {
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
            self.add(about.fields.record_labels, operation);
        }
        Ok(true)
    }

    fn shows(&self, about: &About) -> Vec<View> {
        let mut views = about.fields.starts();
        for (view, value) in views.iter_mut().zip(&self.values) {
            let shown = view.number().unwrap_or(0);
            data::add(view, value.wrapping_sub(shown));
        }
        for &(register, place, part) in self.made_by.keys() {
            match &mut views[register as usize] {
                View::Label(values) => _ = values.insert(part),
                View::Tags(elements) => _ = elements.insert(part as Element),
                // The first of its parts is that it is there.
                view @ View::Record(None) if place == WHOLE => {
                    *view = View::Record(Some(Box::new(Record::of(about.fields.record_labels))));
                }
                View::Record(Some(record)) if place == TAGS => _ = record.tags.insert(part as Element),
                View::Record(Some(record)) if place != WHOLE => {
                    let label = record.labels.get_mut(place as usize - 1);
                    label.into_iter().for_each(|values| _ = values.insert(part));
                }
                _ => {}
            }
        }
        for register in (0..about.fields.len()).filter(|&register| about.fields.of(register) == DataType::Claim) {
            // Whose id is the smallest came first, as far as is known here.
            let first = self.there(register).min_by_key(|(.., ids)| ids.first().copied());
            let holder = first.map(|(_, value, _)| value);
            let others = self.there(register).map(|(_, value, _)| value).filter(|&value| Some(value) != holder);
            views[register as usize] =
                View::Claim(Box::new(Claimed { holder, refused: others.collect(), ..Claimed::default() }));
        }
        for register in (0..about.fields.len()).filter(|&register| about.fields.of(register) == DataType::Case) {
            let all: BTreeSet<Element> = self.there(register).map(|(_, item, _)| item as Element).collect();
            let case = match self.closed(register) {
                None => Case { done: all, ..Case::default() },
                Some(items) => {
                    let done: BTreeSet<Element> = items.iter().copied().collect();
                    Case { stage: Stage::Closed, refused: all.difference(&done).copied().collect(), done }
                }
            };
            views[register as usize] = View::Case(Box::new(case));
        }
        for (&register, text) in &self.texts {
            views[register as usize] = View::Text(Letter::all_of(&text.text()));
        }
        views
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        self.operations[peer.has..].iter().filter(|operation| !peer.gave(operation)).count() as u64
    }
}
