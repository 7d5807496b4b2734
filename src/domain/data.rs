//! What the registers of a world hold: data types, what users intend to do to them, and what replicas show.
//!
//! What an intent does, and which views are right, each data type says in its own file. Here are the words alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::letter::Letter;

/// One of the elements that a tags register can have. Elements are numbered from 0.
pub type Element = u32;

/// What users write into a label.
pub type Value = u64;

/// What a register holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DataType {
    /// A number that users add to and subtract from. It wraps at 64 bits.
    #[default]
    Counter,
    /// Units that users supply and take. More than were supplied must never be taken: a bounded counter of the literature.
    Stock,
    /// A set of elements that users add and remove.
    Tags,
    /// A value that users overwrite: a register of the literature.
    Label,
    /// A record that users create, change field by field, and delete; the register is its key. Each field merges by its own
    /// type: labels, and one set of tags.
    Record,
    /// A sequence of letters that users type into and erase from.
    Text,
    /// Something that can be had once, such as a number or a seat: users ask for it, and one of them holds it for good.
    Claim,
    /// A piece of work with a checklist, which users work off and ask to close. What is closed is frozen.
    Case,
}

impl DataType {
    /// All of them, in the order in which a world's registers hold them.
    pub const ALL: [DataType; 8] = [
        DataType::Counter,
        DataType::Stock,
        DataType::Tags,
        DataType::Label,
        DataType::Record,
        DataType::Text,
        DataType::Claim,
        DataType::Case,
    ];

    /// What registers of it are called, in the plural.
    pub fn plural(self) -> &'static str {
        match self {
            DataType::Counter => "counters",
            DataType::Stock => "stocks",
            DataType::Tags => "tags",
            DataType::Label => "labels",
            DataType::Record => "records",
            DataType::Text => "texts",
            DataType::Claim => "claims",
            DataType::Case => "cases",
        }
    }

    /// What one register of it is called.
    pub fn singular(self) -> &'static str {
        match self {
            DataType::Counter => "counter",
            DataType::Stock => "stock",
            DataType::Tags => "tags register",
            DataType::Label => "label",
            DataType::Record => "record",
            DataType::Text => "text",
            DataType::Claim => "claim",
            DataType::Case => "case",
        }
    }

    /// Who can say that an edit of it counts.
    pub fn decided(self) -> Decided {
        match self {
            DataType::Counter | DataType::Tags | DataType::Label | DataType::Record | DataType::Text => {
                Decided::Locally
            }
            DataType::Stock => Decided::ByRights,
            DataType::Claim | DataType::Case => Decided::ByAuthority,
        }
    }

    /// Whether it is a counter: what a walk is of where nothing else is said.
    pub fn is_counter(&self) -> bool {
        *self == DataType::Counter
    }

    /// Whether an edit of it means what its user's replica showed, so that nobody can judge it without that.
    pub fn means_what_is_shown(self) -> bool {
        match self {
            DataType::Counter | DataType::Stock => false,
            DataType::Tags | DataType::Label | DataType::Record | DataType::Text => true,
            DataType::Claim | DataType::Case => true,
        }
    }

    /// Whether a register of it shows its start and the sum of what every edit adds.
    pub fn is_a_sum(self) -> bool {
        match self {
            DataType::Counter | DataType::Stock => true,
            DataType::Tags | DataType::Label | DataType::Record | DataType::Text => false,
            DataType::Claim | DataType::Case => false,
        }
    }
}

/// Who can say that an edit of a data type counts. It follows from what the type means, whatever an engine makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decided {
    /// The device itself: edits of others merge with it.
    Locally,
    /// The device itself, against rights that it was given in advance.
    ByRights,
    /// The node that all others sync through, for the part that only one can decide.
    ByAuthority,
}

impl Decided {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Decided::Locally => "merges",
            Decided::ByRights => "needs rights in advance",
            Decided::ByAuthority => "needs an authority",
        }
    }
}

/// What a user intends with an edit. It is small, and a copy costs nothing: worlds make millions of them. What can be long
/// belongs into a table of the world, and an intent names it by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Intent {
    /// A counter becomes larger by this amount, or smaller where the amount is negative.
    Increase(i64),
    /// This number of units comes into the stock. The rights to them are at the device of this user.
    Supply(u32),
    /// This number of units is taken out of the stock, now and for good. It is refused where the engine cannot allow it.
    Take(u32),
    /// The rights to a number of units pass from the device of this user to another client's, which may then take as many
    /// offline. It is refused where this device has no such rights, or does not know the other client yet.
    Transfer {
        /// The client that receives them, numbered from 0.
        to: u32,
        /// How many units.
        units: u32,
    },
    /// This element becomes one of the tags.
    Insert(Element),
    /// This element is no longer one of the tags. The user means what the replica shows: an insert that has not
    /// arrived here is not meant.
    Remove(Element),
    /// The label has this value. The user means to supersede what the replica shows: a value that has not arrived here is
    /// not meant.
    Write(Value),
    /// The record is there, and anew: its labels hold this value and those that follow it, one each, and it has no tags. It
    /// means nothing where the replica shows the record.
    Create(Value),
    /// The record is no longer there. The user means what the replica shows: an edit of the record that has not arrived here
    /// is not meant. Where the replica shows no record, it means nothing, as do the other edits of a record.
    Delete,
    /// A label of the record has this value, as [`Intent::Write`] has it.
    Set {
        /// Which label, numbered from 0.
        field: u32,
        /// What it holds.
        value: Value,
    },
    /// This element becomes one of the record's tags.
    Tag(Element),
    /// This element is no longer one of the record's tags, as [`Intent::Remove`] has it.
    Untag(Element),
    /// A letter is typed into the text: one keystroke. No text has a letter twice.
    Type {
        /// The letter that it comes right after, of those that the replica shows; at the beginning where there is none, or where
        /// that letter is not shown.
        after: Option<Letter>,
        /// The letter.
        letter: Letter,
    },
    /// This letter is no longer in the text. Where the replica does not show it, that means nothing.
    Erase(Letter),
    /// The user asks for what can be had once, in the name of this value. Where the replica shows who holds it, that means
    /// nothing.
    Claim(Value),
    /// This item of the case's checklist is done. Where the replica shows the case as closed, that means nothing.
    Do(Element),
    /// The user asks to close the case, as its items are shown. Where the replica shows it as closed, that means nothing.
    Close,
}

impl Intent {
    /// The data type that can be edited so.
    pub fn of(self) -> DataType {
        match self {
            Intent::Increase(_) => DataType::Counter,
            Intent::Supply(_) | Intent::Take(_) | Intent::Transfer { .. } => DataType::Stock,
            Intent::Insert(_) | Intent::Remove(_) => DataType::Tags,
            Intent::Write(_) => DataType::Label,
            Intent::Create(_) | Intent::Delete | Intent::Set { .. } | Intent::Tag(_) | Intent::Untag(_) => {
                DataType::Record
            }
            Intent::Type { .. } | Intent::Erase(_) => DataType::Text,
            Intent::Claim(_) => DataType::Claim,
            Intent::Do(_) | Intent::Close => DataType::Case,
        }
    }

    /// By how much a counter or a stock becomes larger; nothing for another data type.
    pub fn amount(self) -> Option<i64> {
        match self {
            Intent::Increase(amount) => Some(amount),
            Intent::Supply(units) => Some(units.into()),
            Intent::Take(units) => Some(-i64::from(units)),
            Intent::Transfer { .. } => Some(0),
            _ => None,
        }
    }

    /// How many units it needs that are there to be taken: 0 for what needs none.
    pub fn spends(self) -> u32 {
        match self {
            Intent::Take(units) | Intent::Transfer { units, .. } => units,
            _ => 0,
        }
    }

    /// Which element it is about; nothing for another data type.
    pub fn element(self) -> Option<Element> {
        match self {
            Intent::Insert(element) | Intent::Remove(element) | Intent::Tag(element) | Intent::Untag(element) => {
                Some(element)
            }
            Intent::Do(item) => Some(item),
            _ => None,
        }
    }

    /// The part of a view that it makes or takes away, and whether that is shown from then on; nothing for a sum.
    pub fn part(self) -> Option<(Part, bool)> {
        match self {
            Intent::Increase(_) | Intent::Supply(_) | Intent::Take(_) | Intent::Transfer { .. } => None,
            Intent::Insert(element) => Some((Part::Element(element), true)),
            Intent::Remove(element) => Some((Part::Element(element), false)),
            Intent::Write(value) => Some((Part::Value(value), true)),
            Intent::Create(_) => Some((Part::Record, true)),
            Intent::Delete => Some((Part::Record, false)),
            Intent::Set { field, value } => Some((Part::Field { field, value }, true)),
            Intent::Tag(element) => Some((Part::Tag(element), true)),
            Intent::Untag(element) => Some((Part::Tag(element), false)),
            Intent::Type { letter, .. } => Some((Part::Letter(letter), true)),
            Intent::Erase(letter) => Some((Part::Letter(letter), false)),
            Intent::Claim(value) => Some((Part::Claim(value), true)),
            Intent::Do(item) => Some((Part::Item(item), true)),
            Intent::Close => Some((Part::Close, true)),
        }
    }

    /// Whether it takes away something that is shown, whoever made that.
    pub fn takes_away(self) -> bool {
        matches!(
            self,
            Intent::Remove(_)
                | Intent::Write(_)
                | Intent::Create(_)
                | Intent::Delete
                | Intent::Set { .. }
                | Intent::Untag(_)
                | Intent::Erase(_)
        )
    }

    /// Whether it makes something that is shown from then on.
    pub fn makes(self) -> bool {
        !matches!(self, Intent::Remove(_) | Intent::Delete | Intent::Erase(_))
    }
}

/// What becomes of an element that one user inserts while another removes it. An engine declares its policy, and the
/// specification holds the engine to the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrent {
    /// The element stays.
    InsertWins,
    /// The element stays, or it does not. All replicas agree.
    #[default]
    Either,
}

/// What becomes of a record that one user deletes while another changes it. An engine declares its policy, and the
/// specification holds the engine to the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deleted {
    /// The record stays, with all its fields: whoever deleted it had not seen the change.
    EditWins,
    /// The record goes, and the change with it.
    DeleteWins,
    /// The record stays, or it goes. All replicas agree.
    #[default]
    Either,
}

impl Deleted {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Deleted::EditWins => "stays, as it was changed",
            Deleted::DeleteWins => "goes",
            Deleted::Either => "stays or goes, everywhere alike",
        }
    }
}

/// What orders the writes of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// The writers' own clocks.
    Wall,
    /// Hybrid logical clocks: near the writers' own clocks, and never behind what the writer has heard of.
    Hybrid,
    /// The order in which writes arrive at a node that others sync through.
    Arrival,
}

/// What an engine shows of values that were written to a label at the same time. An engine declares its policy, and the
/// specification holds the engine to the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overwrites {
    /// All of them, until somebody who sees them writes again: a visible conflict.
    Multi,
    /// One of them: the last by this clock.
    Last(Clock),
    /// One of them. All replicas agree.
    #[default]
    One,
}

impl Overwrites {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Overwrites::Multi => "every value that was not overwritten by somebody who had seen it",
            Overwrites::Last(Clock::Wall) => "the value that was written last by the writers' clocks",
            Overwrites::Last(Clock::Hybrid) => "the value that was written last by hybrid clocks",
            Overwrites::Last(Clock::Arrival) => "the value that arrived last",
            Overwrites::One => "one value",
        }
    }
}

/// When an engine lets a user take units out of a stock. An engine declares its rule. That no more is taken than was
/// supplied, the specification asks of every engine, whatever its rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spending {
    /// Against rights that the device holds: it supplied the units, or another device transferred the rights.
    Rights,
    /// As long as the replica shows enough units.
    #[default]
    Shown,
}

impl Spending {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Spending::Rights => "against rights that its device holds",
            Spending::Shown => "as long as its replica shows enough",
        }
    }
}

/// What becomes of letters that users type one after the other at one place of a text, while others type there who have not seen
/// them: a run. An engine declares its policy, and the specification holds the engine to the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runs {
    /// A run stays whole, whether each of its letters was typed after the one before, or each in front of it.
    BothWays,
    /// A run stays whole whose letters were typed each after the one before.
    Forward,
    /// Letters of two runs may be mixed.
    #[default]
    Mixed,
}

impl Runs {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Runs::BothWays => "stay whole, typed forward or backward",
            Runs::Forward => "stay whole where they are typed forward",
            Runs::Mixed => "may be mixed",
        }
    }
}

/// When an engine shows a user as the holder of a claim. An engine declares its rule. That nobody is shown as the holder beside
/// another, the specification asks of every engine, whatever its rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Granting {
    /// Once the node that all others sync through has decided. Until then a claim waits.
    ByAuthority,
    /// As soon as the user asks, where the replica shows no holder.
    #[default]
    Shown,
}

impl Granting {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Granting::ByAuthority => "once the node that all others sync through has decided",
            Granting::Shown => "as soon as its user asks, where its replica shows no holder",
        }
    }
}

/// When an engine shows a case as closed. An engine declares its rule. That what is closed stays as it is, the specification asks
/// of every engine, whatever its rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closing {
    /// Once the node that all others sync through has closed it, with the items that it had. Until then the request waits.
    ByAuthority,
    /// As soon as the user asks, with the items that the replica shows.
    #[default]
    Shown,
}

impl Closing {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Closing::ByAuthority => "once the node that all others sync through has closed it",
            Closing::Shown => "as soon as its user asks, with the items that its replica shows",
        }
    }
}

/// The data types that an engine carries, and what it declares where sane semantics differ. The specifications hold it to
/// that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carries {
    /// Whether it carries counters.
    pub counters: bool,
    /// When it lets a user take units out of a stock; nothing where it carries no stocks.
    pub stocks: Option<Spending>,
    /// What it makes of an insert and a remove at the same time; nothing where it carries no tags.
    pub tags: Option<Concurrent>,
    /// What it shows of values that were written at the same time; nothing where it carries no labels.
    pub labels: Option<Overwrites>,
    /// What it makes of a record that is deleted and changed at the same time; nothing where it carries no records. Their
    /// fields merge as labels and tags do.
    pub records: Option<Deleted>,
    /// How long it keeps what it needs of a deleted record to bring it back, in microseconds; nothing where it keeps that for
    /// ever. Once so much time has passed since a delete, changes of the record may be lost.
    pub horizon: Option<u64>,
    /// What becomes of runs that are typed at the same time; nothing where it carries no texts.
    pub texts: Option<Runs>,
    /// When it shows a user as the holder of a claim; nothing where it carries no claims.
    pub claims: Option<Granting>,
    /// When it shows a case as closed; nothing where it carries no cases.
    pub cases: Option<Closing>,
}

impl Carries {
    /// Counters alone.
    pub const COUNTERS: Carries = Carries {
        counters: true,
        stocks: None,
        tags: None,
        labels: None,
        records: None,
        horizon: None,
        texts: None,
        claims: None,
        cases: None,
    };

    /// Counters, and tags with this policy.
    pub const fn with_tags(concurrent: Concurrent) -> Self {
        Carries { tags: Some(concurrent), ..Carries::COUNTERS }
    }

    /// Labels alone, with this policy.
    pub const fn labels_alone(overwrites: Overwrites) -> Self {
        Carries { counters: false, labels: Some(overwrites), ..Carries::COUNTERS }
    }

    /// This, and labels with this policy.
    pub const fn and_labels(self, overwrites: Overwrites) -> Self {
        Carries { labels: Some(overwrites), ..self }
    }

    /// This, and records with this policy.
    pub const fn and_records(self, deleted: Deleted) -> Self {
        Carries { records: Some(deleted), ..self }
    }

    /// This, where what is left of a deleted record is kept for so long, in microseconds.
    pub const fn and_horizon(self, horizon: u64) -> Self {
        Carries { horizon: Some(horizon), ..self }
    }

    /// This, and texts with this policy.
    pub const fn and_texts(self, runs: Runs) -> Self {
        Carries { texts: Some(runs), ..self }
    }

    /// This, and claims with this rule.
    pub const fn and_claims(self, granting: Granting) -> Self {
        Carries { claims: Some(granting), ..self }
    }

    /// This, and cases with this rule.
    pub const fn and_cases(self, closing: Closing) -> Self {
        Carries { cases: Some(closing), ..self }
    }

    /// This, and stocks with this rule.
    pub const fn and_stocks(self, spending: Spending) -> Self {
        Carries { stocks: Some(spending), ..self }
    }

    /// Whether it carries a data type.
    pub fn has(&self, data: DataType) -> bool {
        match data {
            DataType::Counter => self.counters,
            DataType::Stock => self.stocks.is_some(),
            DataType::Tags => self.tags.is_some(),
            DataType::Label => self.labels.is_some(),
            DataType::Record => self.records.is_some(),
            DataType::Text => self.texts.is_some(),
            DataType::Claim => self.claims.is_some(),
            DataType::Case => self.cases.is_some(),
        }
    }
}

impl std::fmt::Display for Carries {
    /// "counters alone", or the names of all data types.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let carried = DataType::ALL.into_iter().filter(|&data| self.has(data));
        match carried.map(DataType::plural).collect::<Vec<_>>()[..] {
            [alone] => write!(f, "{alone} alone"),
            [ref others @ .., last] => write!(f, "{} and {last} alone", others.join(", ")),
            [] => write!(f, "nothing"),
        }
    }
}

/// A part of a view that an edit made, and that only another edit may take away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// An element of tags.
    Element(Element),
    /// A value of a label.
    Value(Value),
    /// A record as such.
    Record,
    /// A value of a record's label.
    Field {
        /// Which label, numbered from 0.
        field: u32,
        /// The value.
        value: Value,
    },
    /// An element of a record's tags.
    Tag(Element),
    /// A letter of a text.
    Letter(Letter),
    /// What somebody asked for a claim with: it holds it, waits, or is refused.
    Claim(Value),
    /// An item of a case's checklist: it is done, or was refused.
    Item(Element),
    /// That somebody asked to close a case.
    Close,
}

impl Part {
    /// The edit that takes it away, as a noun; nothing of what stays for good.
    pub fn taken_away_by(self) -> Option<&'static str> {
        match self {
            Part::Element(_) => Some("remove"),
            Part::Value(_) => Some("write"),
            Part::Record => Some("delete"),
            Part::Field { .. } | Part::Tag(_) => Some("edit"),
            Part::Letter(_) => Some("erase"),
            Part::Claim(_) | Part::Item(_) | Part::Close => None,
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Part::Element(element) => write!(f, "element {element}"),
            Part::Value(value) => write!(f, "value {value}"),
            Part::Record => write!(f, "the record"),
            Part::Field { field, value } => write!(f, "value {value} of field {field}"),
            Part::Tag(element) => write!(f, "element {element} of the record"),
            Part::Letter(letter) => write!(f, "{letter}"),
            Part::Claim(value) => write!(f, "the claim of {value}"),
            Part::Item(item) => write!(f, "item {item}"),
            Part::Close => write!(f, "the request to close"),
        }
    }
}

/// What a replica shows of a record that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Record {
    /// What each label shows. Every label has a value: a record is there as a whole, or not at all.
    pub labels: Vec<BTreeSet<Value>>,
    /// The tags.
    pub tags: BTreeSet<Element>,
}

impl Record {
    /// One whose labels have no value yet. `labels` is how many there are.
    pub fn of(labels: u32) -> Self {
        Record { labels: vec![BTreeSet::new(); labels as usize], tags: BTreeSet::new() }
    }

    /// The first label that has no value, where one has none: then half a record is shown.
    pub fn lacks(&self) -> Option<u32> {
        (0..).zip(&self.labels).find(|(_, values)| values.is_empty()).map(|(field, _)| field)
    }
}

/// What a replica shows of what can be had once. No value stands in two places.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claimed {
    /// Who holds it.
    pub holder: Option<Value>,
    /// Who asked for it, and was not told yet.
    pub waiting: BTreeSet<Value>,
    /// Who asked for it and does not get it, as another holds it.
    pub refused: BTreeSet<Value>,
}

impl Claimed {
    /// Whether no value stands in two places.
    pub fn is_canonical(&self) -> bool {
        let is_elsewhere = |value: &Value| self.waiting.contains(value) || self.refused.contains(value);
        self.waiting.is_disjoint(&self.refused) && !self.holder.as_ref().is_some_and(is_elsewhere)
    }

    /// All who asked for it.
    pub fn all(&self) -> impl Iterator<Item = Value> + '_ {
        self.holder.iter().chain(&self.waiting).chain(&self.refused).copied()
    }
}

/// How far a case is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Nobody asked to close it.
    #[default]
    Open,
    /// Somebody asked to close it, and it is not closed yet.
    CloseRequested,
    /// It is closed, and its items are frozen.
    Closed,
}

/// What a replica shows of a case. No item stands in two places, and none is refused before the case is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Case {
    /// How far it is.
    pub stage: Stage,
    /// The items that are done. Of a closed case, those that count.
    pub done: BTreeSet<Element>,
    /// The items that somebody did, and that do not count, as the case was closed without them.
    pub refused: BTreeSet<Element>,
}

impl Case {
    /// Whether no item stands in two places, and none is refused before the case is closed.
    pub fn is_canonical(&self) -> bool {
        self.done.is_disjoint(&self.refused) && (self.refused.is_empty() || self.stage == Stage::Closed)
    }

    /// The items that count, of a closed case; nothing of another.
    pub fn frozen(&self) -> Option<&BTreeSet<Element>> {
        (self.stage == Stage::Closed).then_some(&self.done)
    }
}

/// What a replica shows of one register. A view is canonical: two views are equal if and only if users see the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum View {
    /// Of a counter.
    Counter(i64),
    /// Of a stock: how many units are left. Below 0, more were taken than supplied, as far as the replica knows.
    Stock(i64),
    /// Of tags.
    Tags(BTreeSet<Element>),
    /// Of a label: none was written yet, one, or several at the same time.
    Label(BTreeSet<Value>),
    /// Of a record, where it is there. In a box, so that views of numbers stay small.
    Record(Option<Box<Record>>),
    /// Of a text: its letters, in order.
    Text(Vec<Letter>),
    /// Of what can be had once: who holds it, who waits, and who was refused. In a box, as a record is.
    Claim(Box<Claimed>),
    /// Of a case. In a box, as a record is.
    Case(Box<Case>),
}

impl View {
    /// The number that a counter or a stock shows; nothing for another data type.
    pub fn number(&self) -> Option<i64> {
        match self {
            View::Counter(number) | View::Stock(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements that a tags register shows; nothing for another data type.
    pub fn tags(&self) -> Option<&BTreeSet<Element>> {
        match self {
            View::Tags(tags) => Some(tags),
            _ => None,
        }
    }

    /// The values that a label shows; nothing for another data type.
    pub fn values(&self) -> Option<&BTreeSet<Value>> {
        match self {
            View::Label(values) => Some(values),
            _ => None,
        }
    }

    /// The record that is shown; nothing where none is, or for another data type.
    pub fn record(&self) -> Option<&Record> {
        match self {
            View::Record(record) => record.as_deref(),
            _ => None,
        }
    }

    /// The letters that a text shows, in order; nothing for another data type.
    pub fn letters(&self) -> Option<&[Letter]> {
        match self {
            View::Text(letters) => Some(letters),
            _ => None,
        }
    }

    /// What is shown of what can be had once; nothing for another data type.
    pub fn claimed(&self) -> Option<&Claimed> {
        match self {
            View::Claim(claimed) => Some(claimed),
            _ => None,
        }
    }

    /// What is shown of a case; nothing for another data type.
    pub fn case(&self) -> Option<&Case> {
        match self {
            View::Case(case) => Some(case),
            _ => None,
        }
    }

    /// Whether what an edit made is shown as waiting for a decision.
    pub fn shows_waiting(&self, part: Part) -> bool {
        match (self, part) {
            (View::Claim(claimed), Part::Claim(value)) => claimed.waiting.contains(&value),
            (View::Case(case), Part::Close) => case.stage == Stage::CloseRequested,
            _ => false,
        }
    }

    /// Its parts, ascending. A counter and a stock have none: each shows the sum of all edits.
    pub fn parts(&self) -> BTreeSet<Part> {
        match self {
            View::Counter(_) | View::Stock(_) => BTreeSet::new(),
            View::Tags(tags) => tags.iter().copied().map(Part::Element).collect(),
            View::Label(values) => values.iter().copied().map(Part::Value).collect(),
            View::Text(letters) => letters.iter().copied().map(Part::Letter).collect(),
            View::Claim(claimed) => claimed.all().map(Part::Claim).collect(),
            View::Case(case) => {
                let items = case.done.iter().chain(&case.refused).copied().map(Part::Item);
                items.chain((case.stage > Stage::Open).then_some(Part::Close)).collect()
            }
            View::Record(None) => BTreeSet::new(),
            View::Record(Some(record)) => {
                let of_labels = (0..)
                    .zip(&record.labels)
                    .flat_map(|(field, values)| values.iter().map(move |&value| Part::Field { field, value }));
                let tags = record.tags.iter().copied().map(Part::Tag);
                std::iter::once(Part::Record).chain(of_labels).chain(tags).collect()
            }
        }
    }

    /// The canonical bytes: a counter and a stock as 8 bytes, tags as 4 bytes an element and labels as 8 bytes a value in
    /// ascending order, all big endian. A record is a byte that says whether it is there, each label with the number of its
    /// values in 4 bytes before them, and the tags. A text is 4 bytes a letter, in its order. A claim is three labels: its
    /// holder, those that wait, and those that were refused. A case is a byte that says how far it is, the number of the items
    /// that are done in 4 bytes, and those and the refused ones in 4 bytes each.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            View::Counter(number) | View::Stock(number) => number.to_be_bytes().to_vec(),
            View::Tags(tags) => tags.iter().flat_map(|element| element.to_be_bytes()).collect(),
            View::Label(values) => values.iter().flat_map(|value| value.to_be_bytes()).collect(),
            View::Text(letters) => letters.iter().flat_map(|&letter| u32::from(letter).to_be_bytes()).collect(),
            View::Claim(claimed) => {
                let holder = claimed.holder.into_iter().collect();
                [&holder, &claimed.waiting, &claimed.refused].into_iter().flat_map(counted_bytes).collect()
            }
            View::Case(case) => {
                let mut bytes = vec![case.stage as u8];
                bytes.extend_from_slice(&(case.done.len() as u32).to_be_bytes());
                bytes.extend(case.done.iter().chain(&case.refused).flat_map(|item| item.to_be_bytes()));
                bytes
            }
            View::Record(None) => vec![0],
            View::Record(Some(record)) => {
                let mut bytes = vec![1];
                bytes.extend(record.labels.iter().flat_map(counted_bytes));
                bytes.extend(record.tags.iter().flat_map(|element| element.to_be_bytes()));
                bytes
            }
        }
    }
}

impl From<i64> for View {
    fn from(number: i64) -> Self {
        View::Counter(number)
    }
}

impl PartialEq<i64> for View {
    fn eq(&self, number: &i64) -> bool {
        self.number() == Some(*number)
    }
}

impl std::fmt::Display for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            View::Counter(number) | View::Stock(number) => write!(f, "{number}"),
            View::Tags(tags) => write!(f, "{}", elements(tags)),
            View::Label(values) => write!(f, "{}", choice(values)),
            View::Text(letters) => write!(f, "\"{}\"", Letter::read(letters).escape_debug()),
            View::Claim(claimed) => {
                match claimed.holder {
                    Some(holder) => write!(f, "held by {holder}")?,
                    None => write!(f, "free")?,
                }
                let others = [("waiting", &claimed.waiting), ("refused", &claimed.refused)];
                for (how, values) in others.into_iter().filter(|(_, values)| !values.is_empty()) {
                    let values: Vec<String> = values.iter().map(Value::to_string).collect();
                    write!(f, ", {how}: {}", values.join(", "))?;
                }
                Ok(())
            }
            View::Case(case) => {
                let stage = match case.stage {
                    Stage::Open => "open",
                    Stage::CloseRequested => "close requested",
                    Stage::Closed => "closed",
                };
                write!(f, "{stage}, done: {}", elements(&case.done))?;
                if case.refused.is_empty() { Ok(()) } else { write!(f, ", refused: {}", elements(&case.refused)) }
            }
            View::Record(None) => write!(f, "no record"),
            View::Record(Some(record)) => {
                let labels: Vec<String> = record.labels.iter().map(choice).collect();
                write!(f, "[{}] {}", labels.join(", "), elements(&record.tags))
            }
        }
    }
}

/// The number of values in 4 bytes, and the values.
fn counted_bytes(values: &BTreeSet<Value>) -> Vec<u8> {
    let mut bytes = (values.len() as u32).to_be_bytes().to_vec();
    bytes.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    bytes
}

/// Elements as text.
fn elements(tags: &BTreeSet<Element>) -> String {
    let elements: Vec<String> = tags.iter().map(Element::to_string).collect();
    format!("{{{}}}", elements.join(", "))
}

/// What a label shows as text.
fn choice(values: &BTreeSet<Value>) -> String {
    let values: Vec<String> = values.iter().map(Value::to_string).collect();
    if values.is_empty() { "no value".to_owned() } else { values.join(" or ") }
}

/// The registers of a world, data type by data type in the order of [`DataType::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fields {
    /// How many counters there are.
    pub counters: u32,
    /// What every counter is at the start.
    pub start: i64,
    /// How many stocks there are. Each is empty at the start.
    pub stocks: u32,
    /// How many tags registers there are. Each is empty at the start.
    pub tags: u32,
    /// How many elements a tags register can have.
    pub elements: u32,
    /// How many labels there are. Each has no value at the start.
    pub labels: u32,
    /// How many records there can be. None is there at the start.
    pub records: u32,
    /// How many labels a record has.
    pub record_labels: u32,
    /// How many elements a record's tags can have.
    pub record_elements: u32,
    /// How many texts there are. Each is empty at the start.
    pub texts: u32,
    /// How many things there are that can be had once. Nobody holds one at the start.
    pub claims: u32,
    /// How many cases there are. Each is open at the start, and nothing of it is done.
    pub cases: u32,
    /// How many items the checklist of a case has.
    pub case_items: u32,
}

impl Fields {
    /// Counters alone.
    pub fn counters(counters: u32, start: i64) -> Self {
        Fields { counters, start, ..Fields::default() }
    }

    /// How many registers hold this data type.
    pub fn count(&self, data: DataType) -> u32 {
        match data {
            DataType::Counter => self.counters,
            DataType::Stock => self.stocks,
            DataType::Tags => self.tags,
            DataType::Label => self.labels,
            DataType::Record => self.records,
            DataType::Text => self.texts,
            DataType::Claim => self.claims,
            DataType::Case => self.cases,
        }
    }

    /// The number of the first register of this data type, where there is one.
    pub fn first(&self, data: DataType) -> u32 {
        DataType::ALL.into_iter().take_while(|&of| of != data).map(|of| self.count(of)).sum()
    }

    /// The data types that registers hold.
    pub fn types(&self) -> impl Iterator<Item = DataType> + '_ {
        DataType::ALL.into_iter().filter(|&data| self.count(data) > 0)
    }

    /// How many registers show a sum. They are the first.
    pub fn sums(&self) -> u32 {
        DataType::ALL.into_iter().filter(|data| data.is_a_sum()).map(|data| self.count(data)).sum()
    }

    /// Whether any edit means what its user's replica showed.
    pub fn mean_what_is_shown(&self) -> bool {
        self.types().any(DataType::means_what_is_shown)
    }

    /// How many registers there are.
    pub fn len(&self) -> u32 {
        DataType::ALL.into_iter().map(|data| self.count(data)).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a register holds.
    pub fn of(&self, register: u32) -> DataType {
        let mut next = 0;
        let holds = |&data: &DataType| {
            next += self.count(data);
            register < next
        };
        DataType::ALL.into_iter().find(holds).unwrap_or(DataType::ALL[DataType::ALL.len() - 1])
    }

    /// What a register shows at the start.
    pub fn start_of(&self, register: u32) -> View {
        match self.of(register) {
            DataType::Counter => View::Counter(self.start),
            DataType::Stock => View::Stock(0),
            DataType::Tags => View::Tags(BTreeSet::new()),
            DataType::Label => View::Label(BTreeSet::new()),
            DataType::Record => View::Record(None),
            DataType::Text => View::Text(Vec::new()),
            DataType::Claim => View::Claim(Box::default()),
            DataType::Case => View::Case(Box::default()),
        }
    }

    /// What all registers show at the start.
    pub fn starts(&self) -> Vec<View> {
        (0..self.len()).map(|register| self.start_of(register)).collect()
    }

    /// Whether a register can be edited so.
    pub fn allow(&self, register: u32, intent: Intent) -> bool {
        let elements = match intent.of() {
            DataType::Record => self.record_elements,
            DataType::Case => self.case_items,
            _ => self.elements,
        };
        let in_range = intent.element().is_none_or(|element| element < elements);
        let is_something = match intent {
            Intent::Supply(_) | Intent::Take(_) | Intent::Transfer { .. } => {
                intent.amount() != Some(0) || intent.spends() > 0
            }
            Intent::Set { field, .. } => field < self.record_labels,
            Intent::Create(value) => value.checked_add(self.record_labels.into()).is_some(),
            _ => true,
        };
        register < self.len() && self.of(register) == intent.of() && in_range && is_something
    }
}
