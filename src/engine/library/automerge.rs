//! Automerge: a native counter, and a last-writer map, with texts beside it.
//!
//! Its users keep a `sync::State` for each connection, and exchange the messages that it makes until it has none. The
//! protocol is made for a connection that loses nothing.

use automerge::sync::{self, SyncDoc};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, AutoCommit, AutomergeError, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value};

use crate::data::record::{created, is_meant};
use crate::domain::data::{
    Carries, Concurrent, DataType, Deleted, Element, Fields, Intent, Overwrites, Record, Runs, Spending, View,
};
use crate::domain::letter::Letter;
use crate::domain::traffic::Kind;
use crate::engine::library::document::{Document, Heard, Refused, Said, keystroke};
use crate::engine::library::node::{ADVISED, How, LibraryNode};
use crate::engine::{Keeps, OpenNode, Registration, Survives};

pub(super) const COUNTER: Registration =
    engine("automerge-counter", "Automerge 0.12: a counter of its own for each register", |settings, host| {
        LibraryNode::<Replica<Counters>>::open(settings, host, ADVISED)
    });

pub(super) const LWW: Registration = Registration {
    carries: Carries::with_tags(Concurrent::Either)
        .and_labels(Overwrites::Multi)
        .and_stocks(Spending::Shown)
        .and_records(Deleted::Either)
        .and_texts(Runs::Forward),
    ..engine("automerge-lww", "Automerge 0.12: a map from register to value, the last writer wins", |settings, host| {
        LibraryNode::<Replica<LastWriter>>::open(settings, host, ADVISED)
    })
};

pub(super) const SAME_ID: Registration = engine(
    "automerge-counter-same-id",
    "automerge-counter, whose replicas keep their actor id for ever",
    |settings, host| LibraryNode::<Replica<Counters>>::open(settings, host, How { keeps_id: true, ..ADVISED }),
);

pub(super) const UNRELIABLE: Registration = engine(
    "automerge-counter-unreliable",
    "automerge-counter over a line that sends nothing again, which its sync protocol is not made for",
    |settings, host| LibraryNode::<Replica<Counters>>::open(settings, host, How { resends: false, ..ADVISED }),
);

const fn engine(name: &'static str, about: &'static str, open: OpenNode) -> Registration {
    Registration {
        peers: true,
        keeps: Keeps::Edits,
        survives: Survives::WhileShown,
        carries: Carries::COUNTERS.and_stocks(Spending::Shown),
        copies: false,
        foreign: true,
        // What a message brings depends on a filter of what the other has, which is wrong for one change in a hundred.
        reports: false,
        ..Registration::of(name, about, open)
    }
}

/// How registers lie in a document.
trait Registers: Send + Sync + 'static {
    /// Fills the document that all replicas start with.
    fn begin(doc: &mut AutoCommit, fields: &Fields) -> Result<(), AutomergeError>;

    fn edit(doc: &mut AutoCommit, fields: &Fields, register: u32, intent: Intent) -> Result<(), AutomergeError>;

    fn show(doc: &AutoCommit, fields: &Fields, register: u32) -> View;
}

/// A counter for each register. Of counters that two replicas create under one key, one would be lost: they are created in
/// the document that all start with.
struct Counters;

impl Registers for Counters {
    fn begin(doc: &mut AutoCommit, fields: &Fields) -> Result<(), AutomergeError> {
        let counter = |register: u32| doc.put(ROOT, register.to_string(), ScalarValue::counter(fields.start));
        (0..fields.counters).try_for_each(counter)
    }

    fn edit(doc: &mut AutoCommit, _fields: &Fields, register: u32, intent: Intent) -> Result<(), AutomergeError> {
        match intent {
            Intent::Increase(amount) => doc.increment(ROOT, register.to_string(), amount),
            _ => Ok(()),
        }
    }

    fn show(doc: &AutoCommit, fields: &Fields, register: u32) -> View {
        View::Counter(number(doc, register).unwrap_or(fields.start))
    }
}

/// A map from register to value. Tags are an entry for each register and element. A record is a map of its own, with an entry
/// for each label and each tag; of two that were created at the same time, the library shows one. Texts are created in the document
/// that all start with: of two that replicas create under one key, one would be lost.
struct LastWriter;

fn tag(register: u32, element: Element) -> String {
    format!("{register}/{element}")
}

fn number(doc: &AutoCommit, register: u32) -> Option<i64> {
    match doc.get(ROOT, register.to_string()) {
        Ok(Some((Value::Scalar(value), _))) => value.as_i64(),
        _ => None,
    }
}

/// The map of a record that is there.
fn record(doc: &AutoCommit, register: u32) -> Option<ObjId> {
    match doc.get(ROOT, register.to_string()) {
        Ok(Some((Value::Object(ObjType::Map), id))) => Some(id),
        _ => None,
    }
}

/// The key of a tag of a record; its labels have their numbers for keys.
fn tag_of_record(element: Element) -> String {
    format!("tag {element}")
}

fn edit_record(doc: &mut AutoCommit, fields: &Fields, register: u32, intent: Intent) -> Result<(), AutomergeError> {
    let there = record(doc, register);
    let shown = there.as_ref().map(|record| show_record(doc, fields, record));
    if !is_meant(shown.as_ref(), intent) {
        return Ok(());
    }
    let Some(there) = there else {
        let new = doc.put_object(ROOT, register.to_string(), ObjType::Map)?;
        let Intent::Create(value) = intent else { return Ok(()) };
        return (0..fields.record_labels).try_for_each(|field| doc.put(&new, field.to_string(), created(value, field)));
    };
    match intent {
        Intent::Delete => doc.delete(ROOT, register.to_string()),
        Intent::Set { field, value } => doc.put(&there, field.to_string(), value),
        Intent::Tag(element) => doc.put(&there, tag_of_record(element), true),
        Intent::Untag(element) => doc.delete(&there, tag_of_record(element)),
        _ => Ok(()),
    }
}

fn show_record(doc: &AutoCommit, fields: &Fields, record: &ObjId) -> Record {
    let values = |field: u32| {
        let all = doc.get_all(record, field.to_string()).unwrap_or_default();
        all.iter().filter_map(|(value, _)| value.as_u64()).collect()
    };
    let has = |element: &Element| matches!(doc.get(record, tag_of_record(*element)), Ok(Some(_)));
    Record {
        labels: (0..fields.record_labels).map(values).collect(),
        tags: (0..fields.record_elements).filter(has).collect(),
    }
}

/// The text of a register.
fn text(doc: &AutoCommit, register: u32) -> Option<(ObjId, String)> {
    match doc.get(ROOT, register.to_string()) {
        Ok(Some((Value::Object(ObjType::Text), id))) => doc.text(&id).ok().map(|text| (id, text)),
        _ => None,
    }
}

fn edit_text(doc: &mut AutoCommit, register: u32, intent: Intent) -> Result<(), AutomergeError> {
    let Some((id, shown)) = text(doc, register) else { return Ok(()) };
    let Some(keystroke) = keystroke(&shown, intent) else { return Ok(()) };
    let [place, gone] = [&keystroke.before, &keystroke.erased].map(|text| text.chars().count());
    doc.splice_text(&id, place, gone as isize, &keystroke.typed)
}

impl Registers for LastWriter {
    fn begin(doc: &mut AutoCommit, fields: &Fields) -> Result<(), AutomergeError> {
        let first = fields.first(DataType::Text);
        let mut text = |register: u32| doc.put_object(ROOT, register.to_string(), ObjType::Text).map(drop);
        (first..first + fields.texts).try_for_each(&mut text)
    }

    fn edit(doc: &mut AutoCommit, fields: &Fields, register: u32, intent: Intent) -> Result<(), AutomergeError> {
        match intent {
            Intent::Increase(amount) => {
                let before = number(doc, register).unwrap_or(fields.start);
                doc.put(ROOT, register.to_string(), before.wrapping_add(amount))
            }
            Intent::Insert(element) => doc.put(ROOT, tag(register, element), true),
            Intent::Remove(element) => doc.delete(ROOT, tag(register, element)),
            // A put supersedes all values that are here.
            Intent::Write(value) => doc.put(ROOT, register.to_string(), value),
            Intent::Supply(_) | Intent::Take(_) | Intent::Transfer { .. } => Ok(()),
            Intent::Type { .. } | Intent::Erase(_) => edit_text(doc, register, intent),
            of_record => edit_record(doc, fields, register, of_record),
        }
    }

    fn show(doc: &AutoCommit, fields: &Fields, register: u32) -> View {
        match fields.start_of(register) {
            View::Counter(start) | View::Stock(start) => View::Counter(number(doc, register).unwrap_or(start)),
            View::Tags(_) => {
                let has = |element: &Element| matches!(doc.get(ROOT, tag(register, *element)), Ok(Some(_)));
                View::Tags((0..fields.elements).filter(has).collect())
            }
            View::Label(_) => {
                let all = doc.get_all(ROOT, register.to_string()).unwrap_or_default();
                View::Label(all.iter().filter_map(|(value, _)| value.as_u64()).collect())
            }
            View::Record(_) => {
                View::Record(record(doc, register).map(|record| Box::new(show_record(doc, fields, &record))))
            }
            View::Text(_) => View::Text(text(doc, register).map(|(_, text)| Letter::all_of(&text)).unwrap_or_default()),
            // No library carries one.
            start @ (View::Claim(_) | View::Case(_)) => start,
        }
    }
}

/// A document, and how registers lie in it.
struct Replica<R> {
    doc: AutoCommit,
    fields: Fields,
    registers: std::marker::PhantomData<R>,
}

/// Commits carry a time. The same edits are to be the same bytes.
fn at_no_time() -> CommitOptions {
    CommitOptions::default().with_time(0)
}

impl<R: Registers> Document for Replica<R> {
    type Session = sync::State;

    fn begin(fields: &Fields, id: u128) -> Self {
        let mut doc = AutoCommit::new().with_actor(ActorId::from([0; 16]));
        R::begin(&mut doc, fields).expect("a document without a change");
        doc.commit_with(at_no_time());
        doc.set_actor(ActorId::from(id.to_be_bytes()));
        // From here on only what is new is a change.
        doc.save_incremental();
        Replica { doc, fields: *fields, registers: std::marker::PhantomData }
    }

    fn load(&mut self, saved: &[u8]) -> Result<(), Refused> {
        self.doc.load_incremental(saved).map_err(|error| error.to_string())?;
        self.doc.save_incremental();
        Ok(())
    }

    fn save(&mut self) -> Vec<u8> {
        self.doc.save()
    }

    fn changes(&mut self) -> Vec<u8> {
        self.doc.save_incremental()
    }

    fn edit(&mut self, register: u32, intent: Intent) -> Result<(), Refused> {
        R::edit(&mut self.doc, &self.fields, register, intent).map_err(|error| error.to_string())?;
        self.doc.commit_with(at_no_time());
        Ok(())
    }

    fn show(&self, register: u32) -> View {
        R::show(&self.doc, &self.fields, register)
    }

    fn say(&mut self, session: &mut sync::State) -> Option<Said> {
        let message = self.doc.sync().generate_sync_message(session)?;
        let kind = if message.changes.is_empty() { Kind::Ids } else { Kind::Payload };
        Some(Said { bytes: message.encode(), kind, brings_all: false })
    }

    fn hear(&mut self, session: &mut sync::State, said: &[u8]) -> Result<Heard, Refused> {
        let message = sync::Message::decode(said).map_err(|error| error.to_string())?;
        let before = self.doc.get_heads();
        let mut after = session.clone();
        self.doc.sync().receive_sync_message(&mut after, message).map_err(|error| error.to_string())?;
        *session = after;
        Ok(if self.doc.get_heads() == before { Heard::Nothing } else { Heard::Changes })
    }

    fn has_all(&mut self, session: &mut sync::State) -> bool {
        self.doc.has_our_changes(session)
    }
}
