//! The engine protocol, version 1: what abench asks a process, and what the process answers, one JSON object a line.
//!
//! `docs/engine-protocol.md` describes the protocol for authors of adapters. Knows: words and their limits. Must not: know
//! how a process is started, or what an answer does to a node.

use std::collections::BTreeSet;
use std::num::NonZeroU64;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::data::{
    self, Case, Claimed, Closing, Concurrent, Deleted, Element, Fields, Granting, Intent, Overwrites, Record, Runs,
    Spending, Stage, View,
};
use crate::domain::letter::Letter;
use crate::engine::Survives;
use crate::engine::port::Relation;

/// The version that this abench speaks.
pub const VERSION: u32 = 1;

/// The longest line that a process may send, in bytes.
pub const LONGEST_LINE: usize = 16 << 20;

#[cfg(test)]
mod schema;

/// The JSON schema of requests and answers, draft 2020-12, generated from the types below and kept as a file.
pub const SCHEMA: &str = include_str!("../../../../docs/engine-protocol.schema.json");

/// Bytes, as base64 with padding (RFC 4648, section 4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Bytes).map_err(|error| D::Error::custom(format!("not base64: {error}")))
    }
}

/// A 64-bit number as decimal text: many languages lose whole numbers from 2^53 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub i64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let refused = || D::Error::custom(format!("'{text}' is not a whole number of 64 bits in decimal text"));
        text.parse().map(Decimal).map_err(|_| refused())
    }
}

/// A 64-bit number without a sign, as decimal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written(pub u64);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let refused = || D::Error::custom(format!("'{text}' is not a whole number of 64 bits without a sign"));
        text.parse().map(Written).map_err(|_| refused())
    }
}

/// One line to a process: a number that its answer repeats, the time, and what happens.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Request<'a> {
    /// The number. Each is one more than the last; the first is 0.
    pub n: u64,
    /// Virtual time, in microseconds.
    pub now: u64,
    /// What the device's own clock shows, in microseconds.
    pub wall: i64,
    /// What happens.
    #[serde(flatten)]
    pub input: Input<'a>,
}

/// What happens to a replica.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Input<'a> {
    /// The first line: the process says what it is.
    Hello {
        /// The version of the protocol.
        protocol: u32,
    },
    /// Make the document that all replicas of a world start with. Only for those who say that they need one.
    Create {
        /// The registers.
        registers: Registers,
    },
    /// Start as a replica, from what is stored.
    Start(Box<Start>),
    /// The user edits.
    Edit(Edit),
    /// A connection came up.
    Connected {
        /// With whom.
        peer: u32,
        /// What the neighbour is.
        relation: Neighbour,
    },
    /// A connection went down. What was sent and not taken is gone.
    Disconnected {
        /// With whom.
        peer: u32,
    },
    /// A message arrived.
    Message {
        /// From whom.
        from: u32,
        /// What was sent.
        body: &'a Bytes,
        /// The number of the request, where it is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        request: Option<u64>,
        /// The number of the request that it answers, where it answers one.
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<u64>,
    },
    /// A message came back: nothing listens there, or nobody takes changes now.
    Refused {
        /// From whom.
        peer: u32,
    },
    /// The node's user has signed in again; until now all others refused its connections. Told where the capabilities say
    /// `signs_in`.
    SignedIn {},
    /// The time has come that the process asked for.
    Wake {},
    /// The process said that it is busy: is it now?
    Poll {},
    /// What does every register show?
    Views {},
}

/// The registers of a world.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Registers {
    /// How many counters there are: registers 0 and up.
    pub counters: u32,
    /// What every counter is at the start.
    pub start: Decimal,
    /// How many stocks follow. Each is empty at the start. Without this key, there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub stocks: u32,
    /// How many tags registers follow. Each is empty at the start.
    pub tags: u32,
    /// How many elements tags can have, numbered from 0.
    pub elements: u32,
    /// How many labels follow. Each has no value at the start. Without this key, there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub labels: u32,
    /// How many records follow. None is there at the start. Without this key, there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub records: u32,
    /// How many labels a record has.
    #[serde(skip_serializing_if = "is_none")]
    pub record_labels: u32,
    /// How many elements the tags of a record can have, numbered from 0.
    #[serde(skip_serializing_if = "is_none")]
    pub record_elements: u32,
    /// How many texts follow. Each is empty at the start. Without this key, there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub texts: u32,
    /// How many claims follow. Nobody holds one at the start. Without this key, there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub claims: u32,
    /// How many cases follow. Each is open at the start, and nothing of it is done. Without this key, there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub cases: u32,
    /// How many items the checklist of a case has, numbered from 0.
    #[serde(skip_serializing_if = "is_none")]
    pub case_items: u32,
}

impl From<Fields> for Registers {
    fn from(fields: Fields) -> Self {
        let Fields { counters, start, stocks, tags, elements, labels, records, texts, claims, .. } = fields;
        let Fields { record_labels, record_elements, cases, case_items, .. } = fields;
        let start = Decimal(start);
        Registers {
            counters,
            start,
            stocks,
            tags,
            elements,
            labels,
            records,
            record_labels,
            record_elements,
            texts,
            claims,
            cases,
            case_items,
        }
    }
}

fn is_false(is: &bool) -> bool {
    !is
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

/// How a replica starts.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Start {
    /// Which node it is: clients from 0, then the hub, then edges. A device keeps its number when its store is lost or set back.
    pub node: u32,
    /// Whether others sync through it: a hub, an edge, a peer.
    pub serves: bool,
    /// Whether all others sync through it: the hub. It decides what one node alone may decide. Without this key, it is no hub.
    #[serde(skip_serializing_if = "is_false")]
    pub decides: bool,
    /// The registers.
    pub registers: Registers,
    /// Drawn anew at every start, below 2^28: for an id that no earlier start had.
    pub fresh: u32,
    /// The seed of its random choices: 64 bits, 16 hexadecimal digits, drawn anew at every start. After the fault `start-over`
    /// that of the very first start comes again.
    pub seed: String,
    /// Its folder, which holds the files that it stored.
    pub folder: String,
    /// The document that all replicas start with, where one was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Bytes>,
    /// The image that it stored last, where it stored one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Bytes>,
    /// The entries that it stored after the image, in order.
    pub entries: Vec<Bytes>,
    /// How long it should wait before a first retry, in microseconds.
    pub retry_after: u64,
    /// How long it should wait between retries at most, in microseconds.
    pub retry_at_most: u64,
}

/// What a user does.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Edit {
    register: u32,
    #[serde(flatten)]
    intent: Doing,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Doing {
    Add(Decimal),
    Supply(u32),
    Take(u32),
    Transfer(Transferred),
    Insert(Element),
    Remove(Element),
    Write(Written),
    /// The record is there, anew: its labels hold this value and those that follow it, and it has no tags.
    Create(Written),
    /// The record is there no more. It is always true.
    Delete(bool),
    Set(Setting),
    Tag(Element),
    Untag(Element),
    Type(Keystroke),
    /// This letter is no longer in the text.
    Erase(OneLetter),
    /// The user asks for what can be had once, in the name of this value.
    Claim(Written),
    /// This item of the case is done. A script calls it `do`, which is the name of the request here.
    Item(Element),
    /// The user asks to close the case.
    Close(bool),
}

/// A letter of a text: one code point, or a code point and an invisible mark, a variation selector of U+E0100 to U+E01EF, that
/// tells it from others. No text has a letter twice.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(with = "String"))]
struct OneLetter(Letter);

impl Serialize for OneLetter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Letter::text(&[self.0]))
    }
}

/// A letter that a user types.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Keystroke {
    /// The letter.
    letter: OneLetter,
    /// The letter that it comes right after, which is shown; null where it comes at the beginning.
    after: Option<OneLetter>,
}

/// What a label of a record holds.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Setting {
    /// Which label, numbered from 0.
    field: u32,
    /// What it holds.
    value: Written,
}

/// The rights to units of a stock that pass to another client.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Transferred {
    /// The client that receives them.
    to: u32,
    /// How many units.
    units: u32,
}

impl Edit {
    /// An edit of a register.
    pub fn of(register: u32, intent: Intent) -> Self {
        let intent = match intent {
            Intent::Increase(amount) => Doing::Add(Decimal(amount)),
            Intent::Supply(units) => Doing::Supply(units),
            Intent::Take(units) => Doing::Take(units),
            Intent::Transfer { to, units } => Doing::Transfer(Transferred { to, units }),
            Intent::Insert(element) => Doing::Insert(element),
            Intent::Remove(element) => Doing::Remove(element),
            Intent::Write(value) => Doing::Write(Written(value)),
            Intent::Create(value) => Doing::Create(Written(value)),
            Intent::Delete => Doing::Delete(true),
            Intent::Set { field, value } => Doing::Set(Setting { field, value: Written(value) }),
            Intent::Tag(element) => Doing::Tag(element),
            Intent::Untag(element) => Doing::Untag(element),
            Intent::Type { after, letter } => {
                Doing::Type(Keystroke { letter: OneLetter(letter), after: after.map(OneLetter) })
            }
            Intent::Erase(letter) => Doing::Erase(OneLetter(letter)),
            Intent::Claim(value) => Doing::Claim(Written(value)),
            Intent::Do(item) => Doing::Item(item),
            Intent::Close => Doing::Close(true),
        };
        Edit { register, intent }
    }
}

/// What a neighbour is.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Neighbour {
    /// The way to all others.
    Parent,
    /// One whose way to all others this replica is.
    Child,
    /// Neither.
    Peer,
}

impl From<Relation> for Neighbour {
    fn from(relation: Relation) -> Self {
        match relation {
            Relation::Parent => Neighbour::Parent,
            Relation::Child => Neighbour::Child,
            Relation::Peer => Neighbour::Peer,
        }
    }
}

/// One line from a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// The number of the request.
    pub n: u64,
    /// What it is: the answer to `hello`.
    pub engine: Option<Capabilities>,
    /// The document that all replicas start with: the answer to `create`.
    pub document: Option<Bytes>,
    /// What it does, in order. A crash may come between any two.
    pub effects: Vec<Effect>,
    /// When it wants to be woken, in microseconds of virtual time.
    pub wake_at: Option<u64>,
    /// Edits of its own user that no other replica has acknowledged.
    pub backlog: u64,
    /// A number that changes whenever what it shows changes. Without it, the process is asked what it shows after every step.
    pub revision: Option<u64>,
    /// Whether work is going on: it is polled until that is done.
    pub busy: bool,
    /// What became of a message.
    pub message: Option<Taken>,
    /// What every register shows: the answer to `views`.
    pub views: Option<Vec<Shown>>,
    /// Why its store cannot be used: an answer to `start`.
    pub damaged: Option<String>,
    /// Why it cannot go on: a finding about the engine.
    pub failed: Option<String>,
}

/// Why a line is not the answer to a request.
#[derive(Debug, thiserror::Error)]
pub enum Misread {
    /// It is no answer at all.
    #[error(transparent)]
    NoAnswer(#[from] serde_json::Error),
    /// It answers another request.
    #[error("it answers request {answered}, not request {asked}")]
    OfAnother {
        /// The number that it repeats.
        answered: u64,
        /// The number of the request.
        asked: u64,
    },
}

impl Answer {
    /// Reads the line that answers this request.
    ///
    /// # Errors
    /// If the line is no answer, or answers another request.
    pub fn read(line: &[u8], asked: u64) -> Result<Self, Misread> {
        // An array would be read as the keys in their order.
        if line.trim_ascii_start().first() == Some(&b'[') {
            return Err(serde_json::Error::custom("an array, where an object with keys is expected").into());
        }
        let answer: Answer = serde_json::from_slice(line)?;
        let answered = answer.n;
        if answered == asked { Ok(answer) } else { Err(Misread::OfAnother { answered, asked }) }
    }
}

/// What a replica does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Adds an entry to its journal. Until `sync` a crash may lose the entry.
    Append(Bytes),
    /// Makes the journal durable.
    Sync(bool),
    /// Puts an image in the place of the image and the journal, durably.
    Replace(Bytes),
    /// Sends a message.
    Send(Send),
    /// Shows the edit to its user as accepted. Without this effect the edit may count, once, or not at all.
    Accept(bool),
    /// Refuses a take or a transfer: its user is told, and it must not count.
    Refuse(bool),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// To whom.
    pub to: u32,
    /// What.
    pub body: Bytes,
    /// The number of the request, where it is one.
    #[serde(default)]
    pub request: Option<u64>,
    /// The number of the request that it answers, where it answers one.
    #[serde(default)]
    pub answer: Option<u64>,
    /// Whether it carries edits: a node that takes no changes refuses those that do.
    #[serde(default = "yes")]
    pub edits: bool,
    /// Whether it was sent before: its bytes are then retransmission.
    #[serde(default)]
    pub again: bool,
    /// Bytes of the body that are ids, cursors and versions. The others count as payload.
    #[serde(default)]
    pub ids: u64,
    /// Whether what the sender has now is told by the end of a round that begins with this message.
    #[serde(default)]
    pub begins: bool,
    /// Whether the round ends with it.
    #[serde(default)]
    pub ends: bool,
}

fn yes() -> bool {
    true
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// It was understood.
    Taken,
    /// It was damaged on its way.
    Damaged,
    /// It belongs to a session that is over.
    Stale,
}

/// What a register shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "what a register shows is, of a counter, its number as text, \"5\"; of tags, an array of numbers, [3, 4]; of a label, \
                 {\"values\": [\"7\"]}; of a stock, {\"left\": \"5\"}; of a record, {\"record\": null} or \
                 {\"record\": {\"labels\": [[\"7\"]], \"tags\": [3]}}; of a text, {\"text\": \"abc\"}; of a claim, \
                 {\"claim\": {\"holder\": \"7\", \"waiting\": [], \"refused\": [\"8\"]}}; of a case, \
                 {\"case\": {\"stage\": \"closed\", \"done\": [3], \"refused\": [4]}}"
)]
pub enum Shown {
    /// A counter.
    Counter(Decimal),
    /// Tags.
    Tags(BTreeSet<Element>),
    /// A label.
    Label(Values),
    /// A stock.
    Stock(Left),
    /// A record.
    Record(OfRecord),
    /// A text.
    Text(OfText),
    /// A claim.
    Claim(OfClaim),
    /// A case.
    Case(OfCase),
}

/// What the register of a claim shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OfClaim {
    /// Who holds it, who waits, and who was refused. No value stands in two places.
    claim: WholeClaim,
}

/// What is shown of what can be had once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WholeClaim {
    /// Who holds it; null where nobody does.
    #[serde(deserialize_with = "Option::deserialize")]
    holder: Option<Written>,
    /// Who asked for it, and was not told yet.
    waiting: BTreeSet<Written>,
    /// Who asked for it, and does not get it.
    refused: BTreeSet<Written>,
}

impl From<WholeClaim> for Claimed {
    fn from(WholeClaim { holder, waiting, refused }: WholeClaim) -> Self {
        let values = |of: BTreeSet<Written>| of.into_iter().map(|Written(value)| value).collect();
        Claimed { holder: holder.map(|Written(value)| value), waiting: values(waiting), refused: values(refused) }
    }
}

/// What the register of a case shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OfCase {
    /// How far it is, what is done, and what was refused. No item stands in two places.
    case: WholeCase,
}

/// What is shown of a case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WholeCase {
    /// How far it is.
    stage: OfStage,
    /// The items that are done. Of a closed case, those that count.
    done: BTreeSet<Element>,
    /// The items that somebody did, and that do not count. There are none before the case is closed.
    refused: BTreeSet<Element>,
}

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OfStage {
    /// Nobody asked to close it.
    Open,
    /// Somebody asked to close it, and it is not closed yet.
    CloseRequested,
    /// It is closed.
    Closed,
}

impl From<WholeCase> for Case {
    fn from(WholeCase { stage, done, refused }: WholeCase) -> Self {
        let stage = match stage {
            OfStage::Open => Stage::Open,
            OfStage::CloseRequested => Stage::CloseRequested,
            OfStage::Closed => Stage::Closed,
        };
        Case { stage, done, refused }
    }
}

/// What the register of a record shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OfRecord {
    /// The record; null where none is there.
    #[serde(deserialize_with = "Option::deserialize")]
    record: Option<WholeRecord>,
}

/// What a text shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OfText {
    /// All its letters, in order, with their marks.
    text: String,
}

/// A record that is there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WholeRecord {
    /// Of each label, its value, or several that were written at the same time.
    labels: Vec<BTreeSet<Written>>,
    /// The tags.
    tags: BTreeSet<Element>,
}

impl From<WholeRecord> for Record {
    fn from(WholeRecord { labels, tags }: WholeRecord) -> Self {
        let values = |label: BTreeSet<Written>| label.into_iter().map(|Written(value)| value).collect();
        Record { labels: labels.into_iter().map(values).collect(), tags }
    }
}

/// What a stock shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// How many units are left; below 0 where more were taken than supplied.
    left: Decimal,
}

/// What a label shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Values {
    /// No value, one, or several that were written at the same time.
    values: BTreeSet<Written>,
}

impl From<Shown> for View {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Counter(Decimal(number)) => View::Counter(number),
            Shown::Stock(Left { left: Decimal(left) }) => View::Stock(left),
            Shown::Tags(tags) => View::Tags(tags),
            Shown::Text(OfText { text }) => View::Text(Letter::all_of(&text)),
            Shown::Claim(OfClaim { claim }) => View::Claim(Box::new(claim.into())),
            Shown::Case(OfCase { case }) => View::Case(Box::new(case.into())),
            Shown::Record(OfRecord { record }) => View::Record(record.map(|record| Box::new(record.into()))),
            Shown::Label(Values { values }) => View::Label(values.into_iter().map(|Written(value)| value).collect()),
        }
    }
}

/// What an engine is, and what it can do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// The version of the protocol that it speaks.
    pub protocol: u32,
    /// Its name, and which mapping carries the data types.
    pub name: String,
    /// The version of the engine, as it is published.
    pub version: String,
    /// What it does, in a line.
    #[serde(default)]
    pub about: String,
    /// The numbers that its counters keep exactly.
    pub counters: Range,
    /// When it lets a user take units out of a stock, if it carries stocks.
    #[serde(default)]
    pub stocks: Option<OfUnits>,
    /// What it makes of an insert and a remove at the same time, if it carries tags.
    #[serde(default)]
    pub tags: Option<Policy>,
    /// What it shows of values that were written to a label at the same time, if it carries labels.
    #[serde(default)]
    pub labels: Option<OfWrites>,
    /// What it makes of a record that is deleted and changed at the same time, if it carries records. Their labels are as
    /// `labels` says, and their tags as `tags` says.
    #[serde(default)]
    pub records: Option<OfDeletes>,
    /// How long it keeps what it needs of a deleted record to bring it back, in seconds, if it carries records; without this
    /// key, for ever.
    #[serde(default)]
    pub horizon_s: Option<NonZeroU64>,
    /// What becomes of runs of letters that are typed at one place of a text at the same time, if it carries texts.
    #[serde(default)]
    pub texts: Option<OfRuns>,
    /// When it shows a user as the holder of a claim, if it carries claims.
    #[serde(default)]
    pub claims: Option<OfGrants>,
    /// When it shows a case as closed, if it carries cases.
    #[serde(default)]
    pub cases: Option<OfCloses>,
    /// Whether it works between peers. Otherwise it needs a hub that every client is connected to.
    #[serde(default)]
    pub peers: bool,
    /// Whether one and the same run gives the same bytes again.
    pub repeats: bool,
    /// Whether it takes the time from requests alone.
    pub clock: Clock,
    /// What it expects of its transport.
    pub transport: Transport,
    /// Where it stores what must survive.
    pub store: Storage,
    /// Whether a restart keeps the engine's own id.
    pub id: Identity,
    /// Which losses of stores it declares that an edit survives.
    #[serde(default)]
    pub survives: Loss,
    /// Whether all replicas must load a document that one of them makes.
    #[serde(default)]
    pub document: bool,
    /// Whether its messages are marked where rounds begin and end. Without marks nobody can know when an edit arrived.
    #[serde(default)]
    pub rounds: bool,
    /// Whether it wants to be told when its user has signed in again.
    #[serde(default)]
    pub signs_in: bool,
    /// What its documentation promises, in a sentence.
    #[serde(default)]
    pub promises: String,
}

/// Whole numbers from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The least.
    pub min: Decimal,
    /// The greatest.
    pub max: Decimal,
}

/// What becomes of an element that one user inserts while another removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// It stays.
    InsertWins,
    /// It stays or goes; all replicas agree.
    Either,
}

/// When a user may take units out of a stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OfUnits {
    /// Against rights that the device holds: it supplied the units, or another device transferred the rights.
    Rights,
    /// As long as the replica shows enough units.
    Shown,
}

impl From<OfUnits> for Spending {
    fn from(rule: OfUnits) -> Self {
        match rule {
            OfUnits::Rights => Spending::Rights,
            OfUnits::Shown => Spending::Shown,
        }
    }
}

/// What becomes of a record that one user deletes while another changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OfDeletes {
    /// It stays, with all its fields.
    EditWins,
    /// It goes, and the change with it.
    DeleteWins,
    /// It stays or goes; all replicas agree.
    Either,
}

impl From<OfDeletes> for Deleted {
    fn from(policy: OfDeletes) -> Self {
        match policy {
            OfDeletes::EditWins => Deleted::EditWins,
            OfDeletes::DeleteWins => Deleted::DeleteWins,
            OfDeletes::Either => Deleted::Either,
        }
    }
}

/// What becomes of runs of letters that are typed at one place of a text at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OfRuns {
    /// They stay whole, typed forward or backward.
    BothWays,
    /// They stay whole where each letter was typed after the one before.
    Forward,
    /// They may be mixed.
    Mixed,
}

impl From<OfRuns> for Runs {
    fn from(policy: OfRuns) -> Self {
        match policy {
            OfRuns::BothWays => Runs::BothWays,
            OfRuns::Forward => Runs::Forward,
            OfRuns::Mixed => Runs::Mixed,
        }
    }
}

/// When a user is shown as the holder of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OfGrants {
    /// Once the node that all others sync through has decided.
    ByAuthority,
    /// As soon as the user asks, where the replica shows no holder.
    Shown,
}

impl From<OfGrants> for Granting {
    fn from(rule: OfGrants) -> Self {
        match rule {
            OfGrants::ByAuthority => Granting::ByAuthority,
            OfGrants::Shown => Granting::Shown,
        }
    }
}

/// When a case is shown as closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OfCloses {
    /// Once the node that all others sync through has closed it.
    ByAuthority,
    /// As soon as the user asks, with the items that the replica shows.
    Shown,
}

impl From<OfCloses> for Closing {
    fn from(rule: OfCloses) -> Self {
        match rule {
            OfCloses::ByAuthority => Closing::ByAuthority,
            OfCloses::Shown => Closing::Shown,
        }
    }
}

/// What is shown of values that were written to a label at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OfWrites {
    /// All of them, until somebody who sees them writes again.
    MultiValue,
    /// The last by the writers' clocks.
    LastByWallClock,
    /// The last by hybrid logical clocks.
    LastByHybridClock,
    /// The last to arrive.
    LastArrival,
    /// One of them; all replicas agree.
    One,
}

impl From<OfWrites> for Overwrites {
    fn from(policy: OfWrites) -> Self {
        match policy {
            OfWrites::MultiValue => Overwrites::Multi,
            OfWrites::LastByWallClock => Overwrites::Last(data::Clock::Wall),
            OfWrites::LastByHybridClock => Overwrites::Last(data::Clock::Hybrid),
            OfWrites::LastArrival => Overwrites::Last(data::Clock::Arrival),
            OfWrites::One => Overwrites::One,
        }
    }
}

impl From<Policy> for Concurrent {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::InsertWins => Concurrent::InsertWins,
            Policy::Either => Concurrent::Either,
        }
    }
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// From requests.
    Given,
    /// From the machine's clock, too.
    Own,
}

/// What an engine expects of its transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Messages may be lost, repeated and reordered.
    AnyOrder,
    /// Messages of one connection come in order, once, until it ends.
    InOrder,
    /// Every message is taken exactly once, over all connections.
    ExactlyOnce,
}

impl Transport {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Transport::AnyOrder => "messages in any order, repeated or lost",
            Transport::InOrder => "messages in order, once, until the connection ends",
            Transport::ExactlyOnce => "every message exactly once",
        }
    }
}

/// Where an engine stores what must survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Storage {
    /// In abench's journal and image, through effects: a power failure loses what was not synced.
    Journal,
    /// In files of its folder. A power failure is SIGKILL: what was not synced is not lost.
    Files,
    /// In memory alone: it starts again from the image that its adapter stored last, as a snapshot.
    Memory,
}

/// Whether a restart keeps an engine's own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// It is the same after a restart, and after its store was set back.
    Kept,
    /// It is new at every start.
    Renewed,
}

/// Which losses of stores an edit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// All, as long as one running replica still shows the edit.
    WhileShown,
    /// All, as long as the store of its author, or of a node that others sync through, still holds it.
    #[default]
    WithAuthorOrRelay,
}

impl From<Loss> for Survives {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::WhileShown => Survives::WhileShown,
            Loss::WithAuthorOrRelay => Survives::WithAuthorOrRelay,
        }
    }
}
