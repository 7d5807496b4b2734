//! What the registers of a world hold: data types, what users intend to do to them, and what replicas show.
//!
//! What an intent does, and which views are right, each data type says in its own file. Here are the words alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One of the elements that a tags register can have. Elements are numbered from 0.
pub type Element = u32;

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataType {
    /// A number that users add to and subtract from. It wraps at 64 bits.
    Counter,
    /// A set of elements that users add and remove.
    Tags,
}

/// What a user intends with an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Intent {
    /// A counter becomes larger by this amount, or smaller where the amount is negative.
    Increase(i64),
    /// This element becomes one of the tags.
    Insert(Element),
    /// This element is no longer one of the tags. The user means what the replica shows: an insert that has not
    /// arrived here is not meant.
    Remove(Element),
}

impl Intent {
    /// The data type that can be edited so.
    pub fn of(self) -> DataType {
        match self {
            Intent::Increase(_) => DataType::Counter,
            Intent::Insert(_) | Intent::Remove(_) => DataType::Tags,
        }
    }

    /// By how much a counter becomes larger; nothing for another data type.
    pub fn amount(self) -> Option<i64> {
        match self {
            Intent::Increase(amount) => Some(amount),
            Intent::Insert(_) | Intent::Remove(_) => None,
        }
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

/// What a replica shows of one register. A view is canonical: two views are equal if and only if users see the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum View {
    /// Of a counter.
    Counter(i64),
    /// Of tags.
    Tags(BTreeSet<Element>),
}

impl View {
    /// The number that a counter shows; nothing for another data type.
    pub fn number(&self) -> Option<i64> {
        match self {
            View::Counter(number) => Some(*number),
            View::Tags(_) => None,
        }
    }

    /// The elements that a tags register shows; nothing for another data type.
    pub fn tags(&self) -> Option<&BTreeSet<Element>> {
        match self {
            View::Counter(_) => None,
            View::Tags(tags) => Some(tags),
        }
    }

    /// The canonical bytes: a counter as 8 bytes, tags as 4 bytes an element in ascending order, all big endian.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            View::Counter(number) => number.to_be_bytes().to_vec(),
            View::Tags(tags) => tags.iter().flat_map(|element| element.to_be_bytes()).collect(),
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
            View::Counter(number) => write!(f, "{number}"),
            View::Tags(tags) => {
                let elements: Vec<String> = tags.iter().map(Element::to_string).collect();
                write!(f, "{{{}}}", elements.join(", "))
            }
        }
    }
}

/// The registers of a world: counters first, then tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fields {
    /// How many counters there are.
    pub counters: u32,
    /// What every counter is at the start.
    pub start: i64,
    /// How many tags registers there are. Each is empty at the start.
    pub tags: u32,
    /// How many elements a tags register can have.
    pub elements: u32,
}

impl Fields {
    /// Counters alone.
    pub fn counters(counters: u32, start: i64) -> Self {
        Fields { counters, start, tags: 0, elements: 0 }
    }

    /// How many registers there are.
    pub fn len(&self) -> u32 {
        self.counters + self.tags
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a register holds.
    pub fn of(&self, register: u32) -> DataType {
        if register < self.counters { DataType::Counter } else { DataType::Tags }
    }

    /// What a register shows at the start.
    pub fn start_of(&self, register: u32) -> View {
        match self.of(register) {
            DataType::Counter => View::Counter(self.start),
            DataType::Tags => View::Tags(BTreeSet::new()),
        }
    }

    /// What all registers show at the start.
    pub fn starts(&self) -> Vec<View> {
        (0..self.len()).map(|register| self.start_of(register)).collect()
    }

    /// Whether a register can be edited so.
    pub fn allow(&self, register: u32, intent: Intent) -> bool {
        let in_range = match intent {
            Intent::Increase(_) => true,
            Intent::Insert(element) | Intent::Remove(element) => element < self.elements,
        };
        register < self.len() && self.of(register) == intent.of() && in_range
    }
}
