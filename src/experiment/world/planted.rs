//! An engine for controls. Each replica keeps every edit of everyone and sends its neighbours what they have not
//! acknowledged. It is sound, unless something is planted in it: each plant is what one judge must see, in a world that runs
//! from its first event to its last, so that what is counted on the way to a judge is on trial as well.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use crate::data::record::{created, is_meant};
use crate::domain::data::{
    Carries, Case, Claimed, Closing, Concurrent, DataType, Deleted, Element, Granting, Intent, Overwrites, Part,
    Record, Runs, Spending, Stage, Value, View,
};
use crate::domain::letter::Letter;
use crate::domain::traffic::Kind;
use crate::engine::acknowledged::{Acknowledged, Ids};
use crate::engine::host::{Host, Later, NodeId, OpId, Round, Time};
use crate::engine::port::{Engine, EngineError, INCARNATIONS, Reception, Relation, Settings};
use crate::engine::store::disk::Disk;
use crate::engine::store::{Store, StoreError};
use crate::engine::vector::{Actor, VersionVector};
use crate::engine::wire::{Malformed, Reader, Writer};
use crate::engine::{Keeps, Open, Registration, Survives};
use crate::scenario::offline::SECOND;

/// A replica shows a register that no other shows.
pub const SHOWS_ANOTHER: &str = "shows-another";
/// All replicas show a register that the ledger does not explain.
pub const SHOWS_TOO_MUCH: &str = "shows-too-much";
/// Every replica counts the first edit twice.
pub const COUNTS_TWICE: &str = "counts-twice";
/// A replica that starts again has lost the last edit of its own user.
pub const FORGETS_ITS_OWN: &str = "forgets-its-own";
/// A replica that starts again has lost the last edit that it took from another and acknowledged.
pub const FORGETS_ANOTHERS: &str = "forgets-anothers";
/// A replica takes edits for acknowledged that nobody has.
pub const BELIEVES_TOO_MUCH: &str = "believes-too-much";
/// A client sends nothing after its third edit.
pub const GIVES_UP: &str = "gives-up";
/// Messages grow with the number of edits there ever were.
pub const GROWS: &str = "grows";
/// A replica leaves out its first edit from time to time.
pub const UNSHOWS: &str = "unshows";
/// A replica hides an element from time to time.
pub const HIDES_AN_ELEMENT: &str = "hides-an-element";
/// A replica hides a tag of a record from time to time.
pub const HIDES_A_TAG: &str = "hides-a-tag";
/// A replica hides a letter from time to time.
pub const HIDES_A_LETTER: &str = "hides-a-letter";
/// Letters that were erased stay in their text.
pub const KEEPS_ERASED: &str = "keeps-erased-letters";
/// A replica leaves out a label of a record from time to time.
pub const HALVES_A_RECORD: &str = "halves-a-record";
/// The hub shows another holder from time to time.
pub const GRANTS_TWICE: &str = "grants-twice";
/// Claims are not shown.
pub const FORGETS_A_CLAIM: &str = "forgets-a-claim";
/// The hub shows a closed case without one of its items from time to time.
pub const CHANGES_A_CLOSED_CASE: &str = "changes-a-closed-case";
/// An item of a case is not shown, one that was refused if there is any.
pub const HIDES_AN_ITEM: &str = "hides-an-item";
/// A replica waits for an hour before it sends.
pub const IS_LATE: &str = "is-late";
/// From time to time, edits are sent forty times. More often would take most of the time of all controls.
pub const FLOODS: &str = "floods";
/// It ends by itself.
pub const FAILS: &str = "fails";
/// Everybody takes what is left out of a stock, whoever holds the rights.
pub const OVERSPENDS: &str = "overspends";
/// Users are told that nothing waits, whatever was sent.
pub const TELLS_DELIVERED: &str = "tells-delivered";
/// Checksums are not counted.
pub const MISCOUNTS: &str = "miscounts";

/// The engine's entry.
pub const ENGINE: Registration = Registration {
    name: "control",
    about: "every edit to everyone, with something planted",
    constant: true,
    peers: true,
    keeps: Keeps::Edits,
    carries: Carries::with_tags(Concurrent::InsertWins)
        .and_labels(Overwrites::Multi)
        .and_stocks(Spending::Rights)
        .and_records(Deleted::EditWins)
        .and_texts(Runs::BothWays)
        .and_claims(Granting::ByAuthority)
        .and_cases(Closing::ByAuthority),
    copies: true,
    foreign: true,
    reports: true,
    survives: Survives::WhileShown,
    full_state: false,
    tells_merges: false,
    tells_edits: true,
    own_timers: false,
    describe: |_| None,
    mutants: Vec::new,
    open: Open::Function(open),
};

const EDITS: u8 = 1;
const TAKEN: u8 = 2;

/// Where a letter was typed: beside which keystroke, or the root, and whether on its left.
type Beside = (Option<OpId>, bool);

/// One edit: its id, its register and what it does there.
type Entry = (OpId, u32, What);

/// What an edit does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum What {
    Add(i64),
    /// Changes a stock. Rights are those of clients: no store is lost in the worlds of this engine.
    Stock(Intent),
    Insert(Element),
    /// Takes these inserts away.
    Remove(Vec<OpId>),
    /// Has a label hold this value, and takes these writes away.
    Write(Value, Vec<OpId>),
    /// Changes a record, after these changes.
    OfRecord(Intent, Vec<OpId>),
    /// Types a letter on this side of another keystroke, the left if so, or of the root.
    Type(Letter, Option<OpId>, bool),
    /// Takes a letter out of the text.
    Erase(Letter),
    /// Asks for what can be had once; or, of the hub, gives it.
    Claim(Value),
    Grant(Value),
    /// Does an item of a case; asks to close it; or, of the hub, closes it with these items.
    Do(Element),
    Close,
    Closed(Vec<Element>),
}

impl What {
    /// Whether it changes nothing: what messages are padded with.
    fn is_padding(&self) -> bool {
        *self == What::Add(0)
    }
}

/// What a neighbour has of the log here, and when to send it the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Line {
    has: usize,
    up: bool,
    due: Option<Time>,
}

/// A replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Planted {
    settings: Settings,
    me: Actor,
    log: Vec<Entry>,
    has: VersionVector,
    given: VersionVector,
    lines: BTreeMap<NodeId, Line>,
    shown: Shown,
}

/// What a replica shows, until its log grows: whoever asks again is not let wait. Two replicas with the same log show the same.
#[derive(Clone, Debug, Default)]
struct Shown(OnceLock<Vec<View>>);

impl PartialEq for Shown {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Shown {}

impl Hash for Shown {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

fn write_id(OpId { actor, sequence }: OpId, writer: &mut Writer) {
    writer.of(Kind::Ids).number(actor.client.into()).number(actor.incarnation.into()).number(sequence);
}

fn read_id(reader: &mut Reader) -> Result<OpId, Malformed> {
    let actor = Actor { client: reader.small("a client")?, incarnation: reader.small("an incarnation")? };
    Ok(OpId { actor, sequence: reader.number()? })
}

fn read_ids(reader: &mut Reader) -> Result<Vec<OpId>, Malformed> {
    (0..reader.number()?).map(|_| read_id(reader)).collect()
}

fn write((id, register, what): &Entry, writer: &mut Writer) {
    write_id(*id, writer);
    writer.of(Kind::Addressing).number((*register).into());
    match what {
        What::Add(amount) => _ = writer.of(Kind::Payload).number(0).signed(*amount),
        What::Stock(intent) => {
            let (of, units, to) = match *intent {
                Intent::Supply(units) => (4, units, 0),
                Intent::Transfer { to, units } => (5, units, to),
                intent => (6, intent.spends(), 0),
            };
            writer.of(Kind::Payload).number(of).number(units.into()).number(to.into());
        }
        What::Insert(element) => _ = writer.of(Kind::Payload).number(1).number((*element).into()),
        What::Remove(inserts) => {
            writer.of(Kind::Payload).number(2).number(inserts.len() as u64);
            inserts.iter().for_each(|&id| write_id(id, writer));
        }
        What::Write(value, writes) => {
            writer.of(Kind::Payload).number(3).number(*value).number(writes.len() as u64);
            writes.iter().for_each(|&id| write_id(id, writer));
        }
        What::Type(letter, parent, is_left) => {
            writer.of(Kind::Payload).number(12 + u64::from(*is_left)).number(u32::from(*letter).into());
            writer.number(parent.iter().count() as u64);
            parent.iter().for_each(|&id| write_id(id, writer));
        }
        What::Erase(letter) => _ = writer.of(Kind::Payload).number(14).number(u32::from(*letter).into()),
        What::Claim(value) => _ = writer.of(Kind::Payload).number(15).number(*value),
        What::Grant(value) => _ = writer.of(Kind::Payload).number(16).number(*value),
        What::Do(item) => _ = writer.of(Kind::Payload).number(17).number((*item).into()),
        What::Close => _ = writer.of(Kind::Payload).number(18),
        What::Closed(items) => {
            writer.of(Kind::Payload).number(19).number(items.len() as u64);
            items.iter().for_each(|&item| _ = writer.number(item.into()));
        }
        What::OfRecord(intent, seen) => {
            let (of, first, second) = match *intent {
                Intent::Create(value) => (7, value, 0),
                Intent::Set { field, value } => (8, value, field),
                Intent::Tag(element) => (9, element.into(), 0),
                Intent::Untag(element) => (10, element.into(), 0),
                _ => (11, 0, 0),
            };
            writer.of(Kind::Payload).number(of).number(first).number(second.into()).number(seen.len() as u64);
            seen.iter().for_each(|&id| write_id(id, writer));
        }
    }
}

fn read(reader: &mut Reader) -> Result<Entry, Malformed> {
    let (id, register) = (read_id(reader)?, reader.small("a register")?);
    let what = match reader.number()? {
        0 => What::Add(reader.signed()?),
        1 => What::Insert(reader.small("an element")?),
        2 => What::Remove(read_ids(reader)?),
        3 => What::Write(reader.number()?, read_ids(reader)?),
        15 => What::Claim(reader.number()?),
        16 => What::Grant(reader.number()?),
        17 => What::Do(reader.small("an item")?),
        18 => What::Close,
        19 => {
            let count = reader.count("a number of items")?;
            What::Closed((0..count).map(|_| reader.small("an item")).collect::<Result<_, Malformed>>()?)
        }
        of @ 12..=14 => {
            let letter = Letter::try_from(reader.small("a letter")?).map_err(|_| Malformed::Range("a letter"))?;
            match of {
                14 => What::Erase(letter),
                _ => What::Type(letter, read_ids(reader)?.first().copied(), of == 13),
            }
        }
        of @ 7..=11 => {
            let (first, second) = (reader.number()?, reader.small("a field")?);
            let element = || u32::try_from(first).map_err(|_| Malformed::Range("an element"));
            let intent = match of {
                7 => Intent::Create(first),
                8 => Intent::Set { field: second, value: first },
                9 => Intent::Tag(element()?),
                10 => Intent::Untag(element()?),
                _ => Intent::Delete,
            };
            What::OfRecord(intent, read_ids(reader)?)
        }
        of => {
            let (units, to) = (reader.small("a number of units")?, reader.small("a client")?);
            What::Stock(match of {
                4 => Intent::Supply(units),
                5 => Intent::Transfer { to, units },
                _ => Intent::Take(units),
            })
        }
    };
    Ok((id, register, what))
}

fn open(settings: &Settings, host: &mut Host<Disk>) -> Result<Box<dyn Engine>, EngineError> {
    let mut log = Vec::new();
    for entry in host.store.load()?.entries {
        log.push(read(&mut Reader::bare(&entry)).map_err(|why| StoreError::Damaged(why.to_string()))?);
    }
    let own = |entry: &Entry| entry.0.actor.client == settings.client;
    // One that shows in a counter: a replica that cannot be asked is judged by what it shows.
    let shows = |entry: &Entry| matches!(entry.2, What::Add(_)) && !entry.2.is_padding();
    let forgotten = match settings.mutant {
        Some(FORGETS_ITS_OWN) => log.iter().rposition(|entry| shows(entry) && own(entry)),
        Some(FORGETS_ANOTHERS) => log.iter().rposition(|entry| shows(entry) && !own(entry)),
        _ => None,
    };
    forgotten.map(|place| log.remove(place));
    let mut has = VersionVector::default();
    log.iter().for_each(|(id, ..)| has.insert(id.actor, id.sequence, id.sequence));
    let me = Actor { client: settings.client, incarnation: 1 + host.random(INCARNATIONS - 1) as u32 };
    let (given, lines) = (VersionVector::default(), BTreeMap::new());
    Ok(Box::new(Planted { settings: settings.clone(), me, log, has, given, lines, shown: Shown::default() }))
}

impl Planted {
    fn is(&self, plant: &str) -> bool {
        self.settings.mutant == Some(plant)
    }

    fn takes(&mut self, host: &mut Host<Disk>, entry: Entry) -> Result<(), EngineError> {
        let mut writer = Writer::bare();
        write(&entry, &mut writer);
        host.append(&writer.into_bytes())?;
        host.sync()?;
        self.has.insert(entry.0.actor, entry.0.sequence, entry.0.sequence);
        self.log.push(entry);
        self.shown = Shown::default();
        Ok(())
    }

    /// What the replica shows: all edits of the log, added up with the planted mistake.
    fn worked_out(&self) -> Vec<View> {
        let mut shown = vec![self.settings.fields.start; self.settings.fields.counters as usize];
        let times = |place| match place {
            0 if self.is(COUNTS_TWICE) => 2,
            0 if self.is(UNSHOWS) && self.log.len() % 5 == 2 => 0,
            _ => 1,
        };
        let amounts = self.log.iter().filter_map(|(_, register, what)| match what {
            What::Add(amount) => Some((register, amount)),
            _ => None,
        });
        for (place, (&register, amount)) in amounts.enumerate() {
            let register = &mut shown[register as usize];
            *register = register.wrapping_add(amount.wrapping_mul(times(place)));
        }
        shown[0] += i64::from(self.is(SHOWS_TOO_MUCH) || self.is(SHOWS_ANOTHER) && self.settings.node == 0);
        let fields = &self.settings.fields;
        let hidden = self.is(HIDES_AN_ELEMENT) && self.log.len() % 5 == 2;
        let halves = self.is(HALVES_A_RECORD) && self.log.len() % 5 == 2;
        let hides_letter = self.is(HIDES_A_LETTER) && self.log.len() % 5 == 2;
        let forgets_claim = self.is(FORGETS_A_CLAIM);
        let grants_twice = self.is(GRANTS_TWICE) && self.settings.is_root && self.log.len() % 5 == 2;
        let changes_case = self.is(CHANGES_A_CLOSED_CASE) && self.settings.is_root && self.log.len() % 5 == 2;
        let hides_item = self.is(HIDES_AN_ITEM);
        let hides_tag = self.is(HIDES_A_TAG) && self.log.len() % 5 == 2;
        let others = (fields.counters..fields.len()).map(|register| {
            let mut view = fields.start_of(register);
            match &mut view {
                View::Stock(left) => *left = self.left(register),
                View::Record(record) => *record = self.record(register),
                View::Text(letters) => *letters = self.text(register),
                View::Claim(claimed) => **claimed = self.claimed(register),
                View::Case(case) => **case = self.case(register),
                _ => {}
            }
            for (_, part) in self.there(register) {
                match (&mut view, part) {
                    (View::Tags(elements), Part::Element(element)) => _ = elements.insert(element),
                    (View::Label(values), Part::Value(value)) => _ = values.insert(value),
                    _ => {}
                }
            }
            match &mut view {
                View::Tags(elements) if hidden => _ = elements.pop_first(),
                View::Label(values) if hidden => _ = values.pop_first(),
                View::Record(Some(record)) if halves => record.labels[0].clear(),
                View::Text(letters) if hides_letter => _ = letters.pop(),
                View::Claim(claimed) if forgets_claim => **claimed = Claimed::default(),
                View::Claim(claimed) if grants_twice => claimed.holder = claimed.holder.map(|holder| holder + 1000),
                View::Case(case) if hides_item => {
                    let refused = case.refused.pop_first();
                    _ = refused.or_else(|| case.done.pop_first());
                }
                View::Case(case) if changes_case && case.frozen().is_some() => {
                    case.done.pop_first().into_iter().for_each(|item| _ = case.refused.insert(item));
                }
                View::Record(Some(record)) if hides_tag => _ = record.tags.pop_first(),
                _ => {}
            }
            view
        });
        shown.into_iter().map(View::from).chain(others).collect()
    }

    /// The parts of a register that nobody took away, and what made them.
    fn there(&self, register: u32) -> impl Iterator<Item = (OpId, Part)> + '_ {
        let of_register = move || self.log.iter().filter(move |entry| entry.1 == register);
        let removes = of_register().filter_map(|(.., what)| match what {
            What::Remove(made) | What::Write(_, made) => Some(made),
            _ => None,
        });
        let removed: BTreeSet<OpId> = removes.flatten().copied().collect();
        of_register().filter_map(move |(id, _, what)| match what {
            What::Insert(element) if !removed.contains(id) => Some((*id, Part::Element(*element))),
            What::Write(value, _) if !removed.contains(id) => Some((*id, Part::Value(*value))),
            _ => None,
        })
    }

    /// The changes of a record here that a change takes something away from, of those that no other has taken it away from.
    fn taken_by(&self, register: u32, intent: Intent) -> Vec<OpId> {
        let takes = |by: Intent, of: Intent| match by {
            Intent::Delete => of.makes(),
            Intent::Create(_) => of.makes() && !matches!(of, Intent::Untag(_)),
            Intent::Set { field, .. } => {
                matches!(of, Intent::Create(_)) || matches!(of, Intent::Set { field: other, .. } if other == field)
            }
            Intent::Untag(element) => of == Intent::Tag(element),
            _ => false,
        };
        // A create takes all away that a set or the removal of a tag does; a delete is about whether the record is there alone.
        let is_as_much = |by: Intent| match intent {
            Intent::Delete => by == Intent::Delete,
            Intent::Set { field, .. } => {
                matches!(by, Intent::Create(_)) || matches!(by, Intent::Set { field: other, .. } if other == field)
            }
            Intent::Untag(_) => matches!(by, Intent::Create(_)) || by == intent,
            _ => matches!(by, Intent::Create(_)),
        };
        let changes = || {
            self.log.iter().filter_map(|(id, at, what)| match what {
                What::OfRecord(intent, seen) if *at == register => Some((*id, *intent, seen)),
                _ => None,
            })
        };
        let is_taken = |id: OpId| changes().any(|(_, by, seen)| is_as_much(by) && seen.contains(&id));
        changes().filter(|&(id, of, _)| takes(intent, of) && !is_taken(id)).map(|(id, ..)| id).collect()
    }

    /// What the register of a record shows, by definition: of all changes, those that no change takes away which had seen them.
    fn record(&self, register: u32) -> Option<Box<Record>> {
        let changes: Vec<(OpId, Intent, &Vec<OpId>)> = self
            .log
            .iter()
            .filter_map(|(id, at, what)| match what {
                What::OfRecord(intent, seen) if *at == register => Some((*id, *intent, seen)),
                _ => None,
            })
            .collect();
        let is_taken = |id: OpId, by: &dyn Fn(Intent) -> bool| {
            changes.iter().any(|(_, intent, seen)| by(*intent) && seen.contains(&id))
        };
        let stays =
            |&(id, intent, _): &(OpId, Intent, &Vec<OpId>)| intent.makes() && !is_taken(id, &|by| by == Intent::Delete);
        if !changes.iter().any(stays) {
            return None;
        }
        let mut record = Record::of(self.settings.fields.record_labels);
        for &(id, intent, _) in &changes {
            for (field, values) in (0..).zip(&mut record.labels) {
                let writes = |by: Intent| {
                    matches!(by, Intent::Create(_)) || matches!(by, Intent::Set { field: of, .. } if of == field)
                };
                let value = match intent {
                    Intent::Create(value) => created(value, field),
                    Intent::Set { value, .. } if writes(intent) => value,
                    _ => continue,
                };
                values.extend((!is_taken(id, &writes)).then_some(value));
            }
            if let Intent::Tag(element) = intent {
                let removes = |by| matches!(by, Intent::Create(_)) || by == Intent::Untag(element);
                record.tags.extend((!is_taken(id, &removes)).then_some(element));
            }
        }
        Some(Box::new(record))
    }

    /// All keystrokes of a text in order, erased ones among them. They are a tree: what was typed to the left of a keystroke comes
    /// before it, and what was typed to the right after it.
    fn keystrokes(&self, register: u32) -> Vec<(OpId, Letter)> {
        let typed = self.log.iter().filter_map(|(id, at, what)| match what {
            What::Type(letter, parent, is_left) if *at == register => Some(((*parent, *is_left), (*id, *letter))),
            _ => None,
        });
        let mut children: BTreeMap<Beside, BTreeSet<(OpId, Letter)>> = BTreeMap::new();
        typed.for_each(|(beside, child)| _ = children.entry(beside).or_default().insert(child));
        let of = |parent, is_left| children.get(&(parent, is_left)).into_iter().flatten().rev().copied();
        // What is still to come, the next one last; those whose left side is done are marked so.
        let mut order = Vec::new();
        let mut to_come: Vec<((OpId, Letter), bool)> = of(None, false).map(|child| (child, false)).collect();
        while let Some((child, is_left_done)) = to_come.pop() {
            if is_left_done {
                order.push(child);
                to_come.extend(of(Some(child.0), false).map(|child| (child, false)));
            } else {
                to_come.push((child, true));
                to_come.extend(of(Some(child.0), true).map(|child| (child, false)));
            }
        }
        order
    }

    /// What a text shows.
    fn text(&self, register: u32) -> Vec<Letter> {
        let erased =
            |letter: Letter| self.log.iter().any(|(_, at, what)| *at == register && *what == What::Erase(letter));
        let letters = self.keystrokes(register).into_iter().map(|(_, letter)| letter);
        letters.filter(|&letter| !erased(letter) || self.is(KEEPS_ERASED)).collect()
    }

    /// A keystroke after a letter that is shown, or at the beginning: on the right of the one before it, or on the left of the one
    /// after it where something is on that right already.
    fn types(&self, register: u32, after: Option<Letter>, letter: Letter) -> What {
        let order = self.keystrokes(register);
        let place = after.and_then(|after| order.iter().position(|&(_, there)| there == after));
        let before = place.map(|place| order[place].0);
        let is_taken = self
            .log
            .iter()
            .any(|(_, at, what)| *at == register && matches!(what, What::Type(_, parent, false) if *parent == before));
        match order.get(place.map_or(0, |place| place + 1)) {
            Some(&(next, _)) if is_taken => What::Type(letter, Some(next), true),
            _ => What::Type(letter, before, false),
        }
    }

    /// What is shown of what can be had once.
    fn claimed(&self, register: u32) -> Claimed {
        let of_register = || self.log.iter().filter(|entry| entry.1 == register).map(|(.., what)| what);
        let holder = of_register().find_map(|what| if let What::Grant(value) = what { Some(*value) } else { None });
        let asked = of_register().filter_map(|what| if let What::Claim(value) = what { Some(*value) } else { None });
        let others: BTreeSet<Value> = asked.filter(|&value| Some(value) != holder).collect();
        match holder {
            Some(_) => Claimed { holder, refused: others, ..Claimed::default() },
            None => Claimed { waiting: others, ..Claimed::default() },
        }
    }

    /// What is shown of a case.
    fn case(&self, register: u32) -> Case {
        let of_register = || self.log.iter().filter(|entry| entry.1 == register).map(|(.., what)| what);
        let all = of_register().filter_map(|what| if let What::Do(item) = what { Some(*item) } else { None });
        let all: BTreeSet<Element> = all.collect();
        let closed = of_register().find_map(|what| if let What::Closed(items) = what { Some(items) } else { None });
        match closed {
            Some(items) => {
                let done: BTreeSet<Element> = items.iter().copied().collect();
                Case { stage: Stage::Closed, refused: all.difference(&done).copied().collect(), done }
            }
            None if of_register().any(|what| *what == What::Close) => {
                Case { stage: Stage::CloseRequested, done: all, ..Case::default() }
            }
            None => Case { done: all, ..Case::default() },
        }
    }

    /// The hub gives each thing to the first who asked, and closes what it is asked to.
    fn grants(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        let fields = self.settings.fields;
        let first = fields.first(DataType::Claim);
        if !self.settings.is_root {
            return Ok(());
        }
        for register in first..first + fields.claims {
            let Some(value) = self.claimed(register).waiting.pop_first() else { continue };
            let own = self.log.iter().filter(|(id, ..)| id.actor == self.me).count() as u64;
            self.takes(host, (OpId { actor: self.me, sequence: own + 1 }, register, What::Grant(value)))?;
        }
        let first = fields.first(DataType::Case);
        for register in first..first + fields.cases {
            let Case { stage: Stage::CloseRequested, done, .. } = self.case(register) else { continue };
            let own = self.log.iter().filter(|(id, ..)| id.actor == self.me).count() as u64;
            let closed = What::Closed(done.into_iter().collect());
            self.takes(host, (OpId { actor: self.me, sequence: own + 1 }, register, closed))?;
        }
        Ok(())
    }

    fn has(&self, id: OpId) -> bool {
        self.has.get(id.actor).is_some_and(|ranges| ranges.contains(id.sequence))
    }

    /// How many units of a stock are left.
    fn left(&self, register: u32) -> i64 {
        let of_stock = self.log.iter().filter_map(|(_, at, what)| match what {
            What::Stock(intent) if *at == register => intent.amount(),
            _ => None,
        });
        of_stock.sum()
    }

    /// To how many units of a stock this client holds rights.
    fn rights(&self, register: u32) -> i64 {
        let of_stock = self.log.iter().filter_map(|(id, at, what)| match what {
            What::Stock(intent) if *at == register => Some((id.actor.client, *intent)),
            _ => None,
        });
        let here = self.settings.client;
        let gives = |(client, intent): (u32, Intent)| match intent {
            Intent::Supply(units) if client == here => i64::from(units),
            Intent::Transfer { to, units } => i64::from(units) * (i64::from(to == here) - i64::from(client == here)),
            intent if client == here => -i64::from(intent.spends()),
            _ => 0,
        };
        of_stock.map(gives).sum()
    }

    /// Whoever does not have all is sent the rest soon.
    fn plans(&mut self, now: Time) {
        let wait = if self.is(IS_LATE) { 3600 * SECOND } else { self.settings.linger };
        let gave_up = self.is(GIVES_UP) && self.settings.node == 0 && self.log.len() > 3;
        for line in self.lines.values_mut().filter(|line| line.up && !gave_up) {
            if line.has < self.log.len() {
                line.due.get_or_insert(now + wait);
            }
        }
    }

    fn sends(&self, host: &mut Host<Disk>, to: NodeId, writer: Writer, round: Round) {
        let (frame, mut traffic) = writer.seal();
        if self.is(MISCOUNTS) {
            traffic.framing -= 4;
        }
        let floods = self.is(FLOODS) && round.begins && self.log.len().is_multiple_of(20);
        let times = if floods { 40 } else { 1 };
        (0..times).for_each(|_| host.tell(to, frame.clone(), traffic, round));
    }

    fn reads(&mut self, host: &mut Host<Disk>, from: NodeId, tag: u8, reader: &mut Reader) -> Result<(), Malformed> {
        let end = reader.number()?;
        if tag == TAKEN {
            let has = (end as usize).min(self.log.len());
            let line = self.lines.entry(from).or_default();
            let first = line.has.min(has);
            (line.has, line.due) = (line.has.max(has), None);
            for (id, ..) in self.log[first..has].iter().filter(|(id, ..)| id.actor.client == self.settings.client) {
                self.given.insert(id.actor, id.sequence, id.sequence);
            }
            if self.is(BELIEVES_TOO_MUCH) {
                self.given.insert(self.me, 1, 1 << 20);
            }
            return Ok(());
        }
        while !reader.is_done() {
            let entry = read(reader)?;
            if !entry.2.is_padding() && !self.has(entry.0) && entry.1 < self.settings.fields.len() {
                self.takes(host, entry).expect("these disks take everything");
            }
        }
        self.grants(host).expect("these disks take everything");
        let mut taken = Writer::tagged(TAKEN);
        taken.of(Kind::Acks).number(end);
        self.sends(host, from, taken, Round::default());
        Ok(())
    }
}

impl Engine for Planted {
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, intent: Intent) -> Result<(), EngineError> {
        if i64::from(intent.spends()) > self.rights(register).max(0) && intent.spends() > 0 && !self.is(OVERSPENDS) {
            host.later = Some(Later::Refused);
            return Ok(());
        }
        let means_nothing = intent.of() == DataType::Record && !is_meant(self.record(register).as_deref(), intent);
        let what = match intent {
            _ if means_nothing => What::Remove(Vec::new()),
            Intent::Create(_) | Intent::Delete | Intent::Set { .. } | Intent::Tag(_) | Intent::Untag(_) => {
                What::OfRecord(intent, self.taken_by(register, intent))
            }
            Intent::Increase(amount) => What::Add(amount),
            Intent::Supply(_) | Intent::Take(_) | Intent::Transfer { .. } => What::Stock(intent),
            Intent::Insert(element) => What::Insert(element),
            Intent::Remove(element) => {
                let inserts = self.there(register).filter(|(_, inserted)| *inserted == Part::Element(element));
                What::Remove(inserts.map(|(id, _)| id).collect())
            }
            Intent::Type { after, letter } => self.types(register, after, letter),
            Intent::Erase(letter) if !self.text(register).contains(&letter) => What::Remove(Vec::new()),
            Intent::Erase(letter) => What::Erase(letter),
            Intent::Write(value) => What::Write(value, self.there(register).map(|(id, _)| id).collect()),
            Intent::Claim(_) if self.claimed(register).holder.is_some() => What::Remove(Vec::new()),
            Intent::Claim(value) => What::Claim(value),
            Intent::Do(_) | Intent::Close if self.case(register).frozen().is_some() => What::Remove(Vec::new()),
            Intent::Do(item) => What::Do(item),
            Intent::Close => What::Close,
        };
        if self.is(FAILS) && self.log.len() > 3 {
            return Err(EngineError::Failed("it ended by itself".to_owned()));
        }
        let own = self.log.iter().filter(|(id, ..)| id.actor == self.me).count() as u64;
        let id = OpId { actor: self.me, sequence: own + 1 };
        self.takes(host, (id, register, what))?;
        host.show(id);
        self.plans(host.now);
        Ok(())
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, _: Relation) -> Result<(), EngineError> {
        let line = self.lines.entry(peer).or_default();
        (line.up, line.due) = (true, None);
        self.plans(host.now);
        Ok(())
    }

    fn disconnected(&mut self, peer: NodeId) {
        let line = self.lines.entry(peer).or_default();
        (line.up, line.due) = (false, None);
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, EngineError> {
        let Ok((tag, mut reader)) = Reader::open(frame) else { return Ok(Reception::Damaged) };
        if self.reads(host, from, tag, &mut reader).is_err() {
            return Ok(Reception::Damaged);
        }
        self.plans(host.now);
        Ok(Reception::Taken)
    }

    fn wakes_at(&self) -> Option<Time> {
        self.lines.values().filter_map(|line| line.due).min()
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        let due = |line: &Line| line.due.is_some_and(|at| at <= host.now);
        let due: Vec<NodeId> = self.lines.iter().filter(|(_, line)| due(line)).map(|(&peer, _)| peer).collect();
        for peer in due {
            let mut edits = Writer::tagged(EDITS);
            edits.of(Kind::Ids).number(self.log.len() as u64);
            let line = self.lines.get_mut(&peer).expect("it is due");
            line.due = Some(host.now + self.settings.retry_at_most);
            let from = line.has;
            self.log[from..].iter().for_each(|entry| write(entry, &mut edits));
            if self.is(GROWS) {
                self.log.iter().for_each(|&(id, register, _)| write(&(id, register, What::Add(0)), &mut edits));
            }
            self.sends(host, peer, edits, Round { begins: true, ends: true });
        }
        Ok(())
    }

    fn shows(&self) -> Vec<View> {
        self.shown.0.get_or_init(|| self.worked_out()).clone()
    }

    fn backlog(&self) -> Option<u64> {
        if self.is(TELLS_DELIVERED) {
            return Some(0);
        }
        let own = self.log.iter().filter(|(id, ..)| id.actor.client == self.settings.client);
        let given = |id: OpId| self.given.get(id.actor).is_some_and(|ranges| ranges.contains(id.sequence));
        Some(own.filter(|(id, ..)| !given(*id)).count() as u64)
    }

    fn ids(&self) -> Option<Ids<'_>> {
        Some(Ids { has: &self.has, given: &self.given, position: None })
    }

    fn acknowledges(&self, frame: &[u8], acknowledged: &mut Acknowledged) {
        if let Ok((TAKEN, _)) = Reader::open(frame) {
            let taken = self.log.iter().filter(|(id, ..)| id.actor.client != self.settings.client);
            taken.for_each(|(id, ..)| acknowledged.operations(id.actor, id.sequence, id.sequence));
        }
    }
}
