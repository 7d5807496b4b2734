//! Loro: a native counter, and a last-writer map, with texts beside it. Its texts are ordered by Fugue.
//!
//! Its users exchange version vectors, and export what the other lacks by them.

use std::collections::BTreeSet;

use loro::{Container, ExportMode, LoroDoc, LoroError, LoroMap, LoroText, LoroValue, ValueOrContainer, VersionVector};

use crate::data::record::{created, is_meant};
use crate::domain::data::{
    Carries, Concurrent, DataType, Deleted, Element, Fields, Intent, Overwrites, Record, Runs, Spending, View,
};
use crate::domain::letter::Letter;
use crate::domain::traffic::Kind;
use crate::engine::library::document::{Document, Heard, Refused, Said, counter, keystroke};
use crate::engine::library::node::{ADVISED, How, LibraryNode};
use crate::engine::{Keeps, OpenNode, Registration, Survives};

pub(super) const COUNTER: Registration = engine(
    "loro-counter",
    "Loro 1.17: a counter of its own for each register, a float of 64 bits",
    |settings, host| LibraryNode::<Replica<Counters>>::open(settings, host, ADVISED),
);

pub(super) const LWW: Registration = Registration {
    carries: Carries::with_tags(Concurrent::Either)
        .and_labels(Overwrites::One)
        .and_stocks(Spending::Shown)
        .and_records(Deleted::Either)
        .and_texts(Runs::BothWays),
    ..engine("loro-lww", "Loro 1.17: a map from register to value, the last writer wins", |settings, host| {
        LibraryNode::<Replica<LastWriter>>::open(settings, host, ADVISED)
    })
};

pub(super) const SAME_ID: Registration =
    engine("loro-counter-same-id", "loro-counter, whose replicas keep their peer id for ever", |settings, host| {
        LibraryNode::<Replica<Counters>>::open(settings, host, How { keeps_id: true, ..ADVISED })
    });

const fn engine(name: &'static str, about: &'static str, open: OpenNode) -> Registration {
    Registration {
        peers: true,
        keeps: Keeps::Edits,
        survives: Survives::WhileShown,
        carries: Carries::COUNTERS.and_stocks(Spending::Shown),
        copies: false,
        foreign: true,
        ..Registration::of(name, about, open)
    }
}

/// How registers lie in a document.
trait Registers: Send + Sync + 'static {
    fn of(doc: &LoroDoc, fields: &Fields) -> Self;

    fn edit(&mut self, register: u32, intent: Intent) -> Result<(), LoroError>;

    fn show(&self, fields: &Fields, register: u32) -> View;
}

/// A root counter for each register: replicas need no common start for those.
struct Counters(Vec<loro::LoroCounter>);

impl Registers for Counters {
    fn of(doc: &LoroDoc, fields: &Fields) -> Self {
        Counters((0..fields.counters).map(|register| doc.get_counter(register.to_string())).collect())
    }

    fn edit(&mut self, register: u32, intent: Intent) -> Result<(), LoroError> {
        match (self.0.get(register as usize), intent) {
            (Some(counter), Intent::Increase(amount)) => counter.increment(amount as f64),
            _ => Ok(()),
        }
    }

    fn show(&self, fields: &Fields, register: u32) -> View {
        counter(fields, self.0[register as usize].get() as i64)
    }
}

/// A map from register to value. Tags are a map with an entry for each register and element. Records are a map from register to
/// a map of its own, with an entry for each label and each tag; of two that were created at the same time, the library shows one.
struct LastWriter {
    values: LoroMap,
    tags: LoroMap,
    records: LoroMap,
    /// A root text for each register: replicas need no common start for those.
    texts: Vec<LoroText>,
    fields: Fields,
}

fn tag(register: u32, element: Element) -> String {
    format!("{register}/{element}")
}

impl LastWriter {
    fn value(&self, register: u32) -> i64 {
        match self.values.get(&register.to_string()) {
            Some(ValueOrContainer::Value(LoroValue::I64(value))) => value,
            _ => self.fields.start,
        }
    }

    /// The map of a record that is there.
    fn record(&self, register: u32) -> Option<LoroMap> {
        match self.records.get(&register.to_string()) {
            Some(ValueOrContainer::Container(Container::Map(record))) => Some(record),
            _ => None,
        }
    }

    fn text(&self, register: u32) -> Option<&LoroText> {
        self.texts.get(register.checked_sub(self.fields.first(DataType::Text))? as usize)
    }

    fn edit_text(&self, register: u32, intent: Intent) -> Result<(), LoroError> {
        let Some(text) = self.text(register) else { return Ok(()) };
        let Some(keystroke) = keystroke(&text.to_string(), intent) else { return Ok(()) };
        let [place, gone] = [&keystroke.before, &keystroke.erased].map(|text| text.chars().count());
        if gone > 0 { text.delete(place, gone) } else { text.insert(place, &keystroke.typed) }
    }

    fn edit_record(&mut self, register: u32, intent: Intent) -> Result<(), LoroError> {
        let (there, key) = (self.record(register), register.to_string());
        let shown = there.as_ref().map(|record| show_record(&self.fields, record));
        if !is_meant(shown.as_ref(), intent) {
            return Ok(());
        }
        let Some(there) = there else {
            let new = self.records.insert_container(&key, LoroMap::new())?;
            let Intent::Create(value) = intent else { return Ok(()) };
            return (0..self.fields.record_labels)
                .try_for_each(|field| new.insert(&field.to_string(), created(value, field) as i64));
        };
        match intent {
            Intent::Delete => self.records.delete(&key),
            Intent::Set { field, value } => there.insert(&field.to_string(), value as i64),
            Intent::Tag(element) => there.insert(&tag_of_record(element), true),
            Intent::Untag(element) => there.delete(&tag_of_record(element)),
            _ => Ok(()),
        }
    }
}

/// The key of a tag of a record; its labels have their numbers for keys.
fn tag_of_record(element: Element) -> String {
    format!("tag {element}")
}

fn show_record(fields: &Fields, record: &LoroMap) -> Record {
    let has = |element: &Element| record.get(&tag_of_record(*element)).is_some();
    Record {
        labels: (0..fields.record_labels).map(|field| value(record, &field.to_string())).collect(),
        tags: (0..fields.record_elements).filter(has).collect(),
    }
}

/// The value of a label.
fn value(map: &LoroMap, key: &str) -> BTreeSet<u64> {
    match map.get(key) {
        Some(ValueOrContainer::Value(LoroValue::I64(value))) => [value as u64].into(),
        _ => BTreeSet::new(),
    }
}

impl Registers for LastWriter {
    fn of(doc: &LoroDoc, fields: &Fields) -> Self {
        let map = |name| doc.get_map(name);
        let texts = (0..fields.texts).map(|text| doc.get_text(format!("text {text}"))).collect();
        LastWriter { values: map("values"), tags: map("tags"), records: map("records"), texts, fields: *fields }
    }

    fn edit(&mut self, register: u32, intent: Intent) -> Result<(), LoroError> {
        match intent {
            Intent::Increase(amount) => {
                self.values.insert(&register.to_string(), self.value(register).wrapping_add(amount))
            }
            Intent::Insert(element) => self.tags.insert(&tag(register, element), true),
            // To remove what is not shown means nothing. The library would write a delete, which wins over an insert elsewhere.
            Intent::Remove(element) => {
                let key = tag(register, element);
                if self.tags.get(&key).is_some() { self.tags.delete(&key) } else { Ok(()) }
            }
            // Numbers are of 64 bits with a sign there: the same bits are the value.
            Intent::Write(value) => self.values.insert(&register.to_string(), value as i64),
            Intent::Supply(_) | Intent::Take(_) | Intent::Transfer { .. } => Ok(()),
            Intent::Type { .. } | Intent::Erase(_) => self.edit_text(register, intent),
            of_record => self.edit_record(register, of_record),
        }
    }

    fn show(&self, fields: &Fields, register: u32) -> View {
        match fields.start_of(register) {
            View::Counter(_) | View::Stock(_) => View::Counter(self.value(register)),
            View::Tags(_) => {
                let has = |element: &Element| self.tags.get(&tag(register, *element)).is_some();
                View::Tags((0..fields.elements).filter(has).collect())
            }
            View::Label(_) => View::Label(value(&self.values, &register.to_string())),
            View::Record(_) => View::Record(self.record(register).map(|record| Box::new(show_record(fields, &record)))),
            View::Text(_) => {
                let text = self.text(register).map(LoroText::to_string);
                View::Text(Letter::all_of(&text.unwrap_or_default()))
            }
            // No library carries one.
            start @ (View::Claim(_) | View::Case(_)) => start,
        }
    }
}

/// A document, and how registers lie in it.
struct Replica<R> {
    doc: LoroDoc,
    registers: R,
    fields: Fields,
    /// What is in the store.
    kept: VersionVector,
}

/// What is known of a neighbour.
#[derive(Debug, Default)]
struct Session {
    /// Whether it was told this end's version.
    has_version: bool,
    /// What it has, once it said so, and was sent since.
    has: Option<VersionVector>,
}

/// Messages, by their first byte.
const VERSION: u8 = 0;
const UPDATES: u8 = 1;

fn said(tag: u8, bytes: &[u8], kind: Kind) -> Said {
    Said { bytes: [&[tag], bytes].concat(), kind, brings_all: tag == UPDATES }
}

impl<R> Replica<R> {
    fn updates(&self, since: &VersionVector) -> Vec<u8> {
        self.doc.export(ExportMode::updates(since)).expect("a version that the document has")
    }
}

impl<R: Registers> Document for Replica<R> {
    type Session = Session;

    fn begin(fields: &Fields, id: u128) -> Self {
        let doc = LoroDoc::new();
        doc.set_peer_id(id as u64).expect("a document without a change");
        Replica { registers: R::of(&doc, fields), doc, fields: *fields, kept: VersionVector::default() }
    }

    fn load(&mut self, saved: &[u8]) -> Result<(), Refused> {
        self.doc.import(saved).map_err(|error| error.to_string())?;
        self.kept = self.doc.oplog_vv();
        Ok(())
    }

    fn save(&mut self) -> Vec<u8> {
        self.doc.export(ExportMode::Snapshot).expect("a document as it is")
    }

    fn changes(&mut self) -> Vec<u8> {
        let now = self.doc.oplog_vv();
        if now == self.kept {
            return Vec::new();
        }
        let kept = std::mem::replace(&mut self.kept, now);
        self.updates(&kept)
    }

    fn edit(&mut self, register: u32, intent: Intent) -> Result<(), Refused> {
        self.registers.edit(register, intent).map_err(|error| error.to_string())?;
        self.doc.commit();
        Ok(())
    }

    fn show(&self, register: u32) -> View {
        self.registers.show(&self.fields, register)
    }

    fn say(&mut self, session: &mut Session) -> Option<Said> {
        let now = self.doc.oplog_vv();
        if !session.has_version {
            session.has_version = true;
            return Some(said(VERSION, &now.encode(), Kind::Ids));
        }
        let has = session.has.as_mut()?;
        if now <= *has {
            return None;
        }
        let updates = self.doc.export(ExportMode::updates(has)).expect("a version that the document has");
        has.merge(&now);
        Some(said(UPDATES, &updates, Kind::Payload))
    }

    fn hear(&mut self, session: &mut Session, said: &[u8]) -> Result<Heard, Refused> {
        match said.split_first() {
            Some((&VERSION, version)) => {
                session.has = Some(VersionVector::decode(version).map_err(|error| error.to_string())?);
                Ok(Heard::Nothing)
            }
            Some((&UPDATES, updates)) => {
                let before = self.doc.oplog_vv();
                let status = self.doc.import(updates).map_err(|error| error.to_string())?;
                if let Some(has) = &mut session.has {
                    let came = status.success.iter().map(|(&peer, &(_, end))| (peer, end));
                    has.merge(&came.collect());
                }
                Ok(if self.doc.oplog_vv() == before { Heard::Nothing } else { Heard::Changes })
            }
            _ => Err("it is neither a version nor updates".to_owned()),
        }
    }

    fn has_all(&mut self, session: &mut Session) -> bool {
        let now = self.doc.oplog_vv();
        session.has.as_ref().is_some_and(|has| now <= *has)
    }
}
