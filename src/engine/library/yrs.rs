//! Yrs, the Rust port of Yjs: a last-writer register, with texts beside it, an entry for each client, and a log. It has no
//! counter.
//!
//! Its users exchange, as y-protocols do: a state vector, what the other lacks by that vector, and then the update of each
//! transaction as it happens.

use std::collections::BTreeSet;
use std::sync::Arc;

use yrs::encoding::read::{Error, Read};
use yrs::updates::decoder::{Decode, Decoder, DecoderV1};
use yrs::updates::encoder::Encode;
use yrs::{
    Any, Array, ArrayRef, ClientID, Doc, GetString, ID, Map, MapPrelim, MapRef, Number, Out, ReadTxn, StateVector,
    Text, TextRef, Transact, TransactionMut, Update, merge_updates_v1,
};

use crate::data::record::{created, is_meant};
use crate::domain::data::{
    Carries, Concurrent, DataType, Deleted, Element, Fields, Intent, Overwrites, Record, Runs, Spending, View,
};
use crate::domain::letter::Letter;
use crate::domain::traffic::Kind;
use crate::engine::library::document::{Document, Heard, Refused, Said, counter, keystroke};
use crate::engine::library::node::{ADVISED, How, LibraryNode};
use crate::engine::wire::Reader;
use crate::engine::{Keeps, OpenNode, Registration, Survives};

pub(super) const PER_CLIENT: Registration = engine(
    "yrs-per-client",
    "Yrs 0.28: a map for each register, in which each replica counts up a number of its own",
    |settings, host| LibraryNode::<Replica<PerClient>>::open(settings, host, ADVISED),
);

pub(super) const LOG: Registration = Registration {
    keeps: Keeps::Edits,
    ..engine("yrs-log", "Yrs 0.28: an array to which every increment is added", |settings, host| {
        LibraryNode::<Replica<Log>>::open(settings, host, ADVISED)
    })
};

pub(super) const LWW: Registration = Registration {
    carries: Carries::with_tags(Concurrent::Either)
        .and_labels(Overwrites::One)
        .and_stocks(Spending::Shown)
        .and_records(Deleted::Either)
        .and_texts(Runs::Forward),
    ..engine("yrs-lww", "Yrs 0.28: a map from register to value, the last writer wins", |settings, host| {
        LibraryNode::<Replica<LastWriter>>::open(settings, host, ADVISED)
    })
};

pub(super) const SAME_ID: Registration = engine(
    "yrs-per-client-same-id",
    "yrs-per-client, whose replicas keep their client id for ever",
    |settings, host| LibraryNode::<Replica<PerClient>>::open(settings, host, How { keeps_id: true, ..ADVISED }),
);

const fn engine(name: &'static str, about: &'static str, open: OpenNode) -> Registration {
    Registration {
        peers: true,
        keeps: Keeps::ClientSums,
        survives: Survives::WhileShown,
        carries: Carries::COUNTERS.and_stocks(Spending::Shown),
        copies: false,
        foreign: true,
        ..Registration::of(name, about, open)
    }
}

/// How registers lie in a document.
trait Registers: Send + Sync + 'static {
    fn of(doc: &Doc, fields: &Fields) -> Self;

    fn edit(&mut self, txn: &mut TransactionMut<'_>, register: u32, intent: Intent);

    fn show(&self, txn: &impl ReadTxn, fields: &Fields, register: u32) -> View;

    /// Others changed the document.
    fn refresh(&mut self, _txn: &impl ReadTxn) {}
}

fn any(number: i64) -> Any {
    Any::Number(Number::Int(number))
}

fn number(out: &Out) -> Option<i64> {
    match out {
        Out::Any(Any::Number(Number::Int(number))) => Some(*number),
        Out::Any(Any::Number(Number::Float(number))) => Some(*number as i64),
        _ => None,
    }
}

/// A map from register to value. Tags are a map with an entry for each register and element. Records are a map from register to
/// a map of its own, with an entry for each label and each tag; of two that were created at the same time, the library shows one.
struct LastWriter {
    values: MapRef,
    tags: MapRef,
    records: MapRef,
    /// A root text for each register: replicas need no common start for those.
    texts: Vec<TextRef>,
    fields: Fields,
}

/// The key of a tag of a record; its labels have their numbers for keys.
fn tag_of_record(element: Element) -> String {
    format!("tag {element}")
}

fn show_record(txn: &impl ReadTxn, fields: &Fields, record: &MapRef) -> Record {
    let has = |element: &Element| record.contains_key(txn, &tag_of_record(*element));
    Record {
        labels: (0..fields.record_labels).map(|field| value(txn, record, &field.to_string())).collect(),
        tags: (0..fields.record_elements).filter(has).collect(),
    }
}

/// The value of a label.
fn value(txn: &impl ReadTxn, map: &MapRef, key: &str) -> BTreeSet<u64> {
    map.get(txn, key).as_ref().and_then(number).map(|value| value as u64).into_iter().collect()
}

impl LastWriter {
    /// The map of a record that is there.
    fn record(&self, txn: &impl ReadTxn, register: u32) -> Option<MapRef> {
        match self.records.get(txn, &register.to_string()) {
            Some(Out::YMap(record)) => Some(record),
            _ => None,
        }
    }

    fn text(&self, register: u32) -> Option<&TextRef> {
        self.texts.get(register.checked_sub(self.fields.first(DataType::Text))? as usize)
    }

    fn edit_text(&self, txn: &mut TransactionMut<'_>, register: u32, intent: Intent) {
        let Some(text) = self.text(register) else { return };
        let Some(keystroke) = keystroke(&text.get_string(txn), intent) else { return };
        // Its documents count bytes, unless they are told to count as Yjs does.
        let [place, gone] = [&keystroke.before, &keystroke.erased].map(|text| text.len() as u32);
        if gone > 0 {
            text.remove_range(txn, place, gone);
        } else {
            text.insert(txn, place, &keystroke.typed);
        }
    }

    fn edit_record(&mut self, txn: &mut TransactionMut<'_>, register: u32, intent: Intent) {
        let (there, key) = (self.record(txn, register), register.to_string());
        let shown = there.as_ref().map(|record| show_record(txn, &self.fields, record));
        if !is_meant(shown.as_ref(), intent) {
            return;
        }
        let Some(there) = there else {
            let new = self.records.insert(txn, key, MapPrelim::default());
            if let Intent::Create(value) = intent {
                for field in 0..self.fields.record_labels {
                    new.insert(txn, field.to_string(), any(created(value, field) as i64));
                }
            }
            return;
        };
        match intent {
            Intent::Delete => _ = self.records.remove(txn, &key),
            Intent::Set { field, value } => _ = there.insert(txn, field.to_string(), any(value as i64)),
            Intent::Tag(element) => _ = there.insert(txn, tag_of_record(element), true),
            Intent::Untag(element) => _ = there.remove(txn, &tag_of_record(element)),
            _ => {}
        }
    }
}

fn tag(register: u32, element: Element) -> String {
    format!("{register}/{element}")
}

impl Registers for LastWriter {
    fn of(doc: &Doc, fields: &Fields) -> Self {
        let (values, tags) = (doc.get_or_insert_map("values"), doc.get_or_insert_map("tags"));
        let texts = (0..fields.texts).map(|text| doc.get_or_insert_text(format!("text {text}"))).collect();
        LastWriter { values, tags, records: doc.get_or_insert_map("records"), texts, fields: *fields }
    }

    fn edit(&mut self, txn: &mut TransactionMut<'_>, register: u32, intent: Intent) {
        match intent {
            Intent::Increase(amount) => {
                let key = register.to_string();
                let before = self.values.get(txn, &key).as_ref().and_then(number).unwrap_or(self.fields.start);
                self.values.insert(txn, key, any(before.wrapping_add(amount)));
            }
            Intent::Insert(element) => {
                self.tags.insert(txn, tag(register, element), true);
            }
            Intent::Remove(element) => {
                self.tags.remove(txn, &tag(register, element));
            }
            // Numbers are of 64 bits with a sign there: the same bits are the value.
            Intent::Write(value) => _ = self.values.insert(txn, register.to_string(), any(value as i64)),
            Intent::Supply(_) | Intent::Take(_) | Intent::Transfer { .. } => {}
            Intent::Type { .. } | Intent::Erase(_) => self.edit_text(txn, register, intent),
            of_record => self.edit_record(txn, register, of_record),
        }
    }

    fn show(&self, txn: &impl ReadTxn, fields: &Fields, register: u32) -> View {
        match fields.start_of(register) {
            View::Counter(start) | View::Stock(start) => {
                let value = self.values.get(txn, &register.to_string());
                View::Counter(value.as_ref().and_then(number).unwrap_or(start))
            }
            View::Tags(_) => {
                let has = |element: &Element| self.tags.contains_key(txn, &tag(register, *element));
                View::Tags((0..fields.elements).filter(has).collect())
            }
            View::Label(_) => View::Label(value(txn, &self.values, &register.to_string())),
            View::Record(_) => {
                View::Record(self.record(txn, register).map(|record| Box::new(show_record(txn, fields, &record))))
            }
            View::Text(_) => {
                let text = self.text(register).map(|text| text.get_string(txn));
                View::Text(Letter::all_of(&text.unwrap_or_default()))
            }
            // No library carries one.
            start @ (View::Claim(_) | View::Case(_)) => start,
        }
    }
}

/// A map for each register, from client to the sum of its increments.
struct PerClient {
    sums: Vec<MapRef>,
    client: String,
}

impl Registers for PerClient {
    fn of(doc: &Doc, fields: &Fields) -> Self {
        let sums = (0..fields.counters).map(|register| doc.get_or_insert_map(register.to_string()));
        PerClient { sums: sums.collect(), client: doc.client_id().get().to_string() }
    }

    fn edit(&mut self, txn: &mut TransactionMut<'_>, register: u32, intent: Intent) {
        let (Some(sums), Intent::Increase(amount)) = (self.sums.get(register as usize), intent) else { return };
        let before = sums.get(txn, &self.client).as_ref().and_then(number).unwrap_or(0);
        sums.insert(txn, self.client.as_str(), any(before.wrapping_add(amount)));
    }

    fn show(&self, txn: &impl ReadTxn, fields: &Fields, register: u32) -> View {
        let sums = self.sums[register as usize].values(txn).flatten();
        counter(fields, sums.filter_map(|sum| number(&sum)).fold(0, i64::wrapping_add))
    }
}

/// An array of registers and amounts in turn. What one transaction adds is never parted by what another does.
struct Log {
    entries: ArrayRef,
    sums: Vec<i64>,
}

impl Registers for Log {
    fn of(doc: &Doc, fields: &Fields) -> Self {
        Log { entries: doc.get_or_insert_array("log"), sums: vec![0; fields.counters as usize] }
    }

    fn edit(&mut self, txn: &mut TransactionMut<'_>, register: u32, intent: Intent) {
        let (Some(sum), Intent::Increase(amount)) = (self.sums.get_mut(register as usize), intent) else { return };
        let end = self.entries.len(txn);
        self.entries.insert_range(txn, end, [any(register.into()), any(amount)]);
        *sum = sum.wrapping_add(amount);
    }

    fn show(&self, _txn: &impl ReadTxn, fields: &Fields, register: u32) -> View {
        counter(fields, self.sums[register as usize])
    }

    fn refresh(&mut self, txn: &impl ReadTxn) {
        self.sums.fill(0);
        let mut entries = self.entries.iter(txn);
        while let (Some(register), Some(amount)) = (entries.next(), entries.next()) {
            let place = number(&register).and_then(|register| usize::try_from(register).ok());
            if let Some(sum) = place.and_then(|place| self.sums.get_mut(place)) {
                *sum = sum.wrapping_add(number(&amount).unwrap_or(0));
            }
        }
    }
}

/// A document, and how registers lie in it.
struct Replica<R> {
    doc: Doc,
    registers: R,
    fields: Fields,
    changes: Vec<u8>,
}

/// What is known of a neighbour.
#[derive(Debug, Default)]
struct Session {
    /// Whether it was told this end's state vector.
    has_vector: bool,
    /// Its state vector, until it was answered.
    asks: Option<StateVector>,
    /// Whether it was answered: from then on it is sent every update.
    is_answered: bool,
    updates: Vec<Vec<u8>>,
}

/// Messages, by their first byte.
const VECTOR: u8 = 0;
const ANSWER: u8 = 1;
const UPDATE: u8 = 2;

/// An update that says nothing.
const EMPTY: &[u8] = &[0, 0];

fn said(tag: u8, bytes: &[u8], kind: Kind) -> Said {
    let kind = if bytes == EMPTY { Kind::Ids } else { kind };
    Said { bytes: [&[tag], bytes].concat(), kind, brings_all: tag != VECTOR }
}

/// Updates and state vectors begin with how many clients follow. The library takes memory for that number before it reads
/// them: a few bytes could make it take gigabytes.
fn promises_no_more_than_there_is(bytes: &[u8]) -> Result<(), Refused> {
    Reader::bare(bytes).count("how many clients follow").map(drop).map_err(|error| error.to_string())
}

impl<R: Registers> Replica<R> {
    fn apply(&mut self, update: &[u8]) -> Result<Vec<u8>, Refused> {
        promises_no_more_than_there_is(update)?;
        let update = Update::decode(&mut Flat(DecoderV1::from(update))).map_err(|error| error.to_string())?;
        let mut txn = self.doc.transact_mut();
        txn.apply_update(update).map_err(|error| error.to_string())?;
        let came = txn.encode_update_v1();
        if came != EMPTY {
            self.registers.refresh(&txn);
        }
        Ok(came)
    }
}

impl<R: Registers> Document for Replica<R> {
    type Session = Session;

    fn begin(fields: &Fields, id: u128) -> Self {
        // Clients of Yjs have 32 random bits.
        let doc = Doc::with_client_id((id as u32).into());
        Replica { registers: R::of(&doc, fields), doc, fields: *fields, changes: Vec::new() }
    }

    fn load(&mut self, saved: &[u8]) -> Result<(), Refused> {
        self.apply(saved).map(drop)
    }

    fn save(&mut self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    fn changes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.changes)
    }

    fn edit(&mut self, register: u32, intent: Intent) -> Result<(), Refused> {
        let mut txn = self.doc.transact_mut();
        self.registers.edit(&mut txn, register, intent);
        let update = txn.encode_update_v1();
        self.changes = if update == EMPTY { Vec::new() } else { update };
        Ok(())
    }

    fn show(&self, register: u32) -> View {
        self.registers.show(&self.doc.transact(), &self.fields, register)
    }

    fn say(&mut self, session: &mut Session) -> Option<Said> {
        if !session.has_vector {
            session.has_vector = true;
            return Some(said(VECTOR, &self.doc.transact().state_vector().encode_v1(), Kind::Ids));
        }
        if let Some(vector) = session.asks.take() {
            (session.is_answered, session.updates) = (true, Vec::new());
            return Some(said(ANSWER, &self.doc.transact().encode_diff_v1(&vector), Kind::Payload));
        }
        let updates = std::mem::take(&mut session.updates);
        match &updates[..] {
            [] => None,
            [update] => Some(said(UPDATE, update, Kind::Payload)),
            several => {
                let merged = merge_updates_v1(several).expect("it wrote them itself");
                Some(said(UPDATE, &merged, Kind::Payload))
            }
        }
    }

    fn hear(&mut self, session: &mut Session, said: &[u8]) -> Result<Heard, Refused> {
        match said.split_first() {
            Some((&VECTOR, vector)) => {
                promises_no_more_than_there_is(vector)?;
                let vector = StateVector::decode_v1(vector).map_err(|error| error.to_string())?;
                session.asks = Some(vector);
                Ok(Heard::Nothing)
            }
            Some((&(ANSWER | UPDATE), update)) => {
                let came = self.apply(update)?;
                if came == EMPTY {
                    return Ok(Heard::Nothing);
                }
                self.changes = came;
                Ok(Heard::Changes)
            }
            _ => Err("it is no message of y-protocols".to_owned()),
        }
    }

    fn note(&self, session: &mut Session, changes: &[u8]) {
        if session.is_answered && !changes.is_empty() {
            session.updates.push(changes.to_vec());
        }
    }

    fn has_all(&mut self, session: &mut Session) -> bool {
        session.is_answered && session.asks.is_none() && session.updates.is_empty()
    }
}

/// Reads updates of documents whose values are flat: numbers, strings and the like. The library's reader calls itself for
/// every list within a list, so that a message of some kilobytes could end the process by filling the stack.
struct Flat<'a>(DecoderV1<'a>);

impl Read for Flat<'_> {
    fn read_u8(&mut self) -> Result<u8, Error> {
        self.0.read_u8()
    }

    fn read_exact(&mut self, len: usize) -> Result<&[u8], Error> {
        self.0.read_exact(len)
    }
}

impl Decoder for Flat<'_> {
    fn reset_ds_cur_val(&mut self) {
        self.0.reset_ds_cur_val();
    }

    fn read_ds_clock(&mut self) -> Result<u32, Error> {
        self.0.read_ds_clock()
    }

    fn read_ds_len(&mut self) -> Result<u32, Error> {
        self.0.read_ds_len()
    }

    fn read_left_id(&mut self) -> Result<ID, Error> {
        self.0.read_left_id()
    }

    fn read_right_id(&mut self) -> Result<ID, Error> {
        self.0.read_right_id()
    }

    fn read_client(&mut self) -> Result<ClientID, Error> {
        self.0.read_client()
    }

    fn read_info(&mut self) -> Result<u8, Error> {
        self.0.read_info()
    }

    fn read_parent_info(&mut self) -> Result<bool, Error> {
        self.0.read_parent_info()
    }

    fn read_type_ref(&mut self) -> Result<u8, Error> {
        self.0.read_type_ref()
    }

    fn read_len(&mut self) -> Result<u32, Error> {
        self.0.read_len()
    }

    fn read_any(&mut self) -> Result<Any, Error> {
        /// Lists and maps of values begin with these.
        const NESTED: [u8; 2] = [117, 118];
        let first = self.0.read_to_end()?.first().copied();
        if first.is_some_and(|tag| NESTED.contains(&tag)) { Err(Error::UnexpectedValue) } else { self.0.read_any() }
    }

    fn read_json(&mut self) -> Result<Any, Error> {
        self.0.read_json()
    }

    fn read_key(&mut self) -> Result<Arc<str>, Error> {
        self.0.read_key()
    }

    fn read_to_end(&mut self) -> Result<&[u8], Error> {
        self.0.read_to_end()
    }
}
