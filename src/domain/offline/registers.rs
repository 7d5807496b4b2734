//! The registers of a world that are no counters, and what users of a drawn world do to them: one table of a scenario for each
//! data type.

use serde::{Deserialize, Serialize};

/// The most registers that hold stocks.
pub const MOST_STOCKS: u32 = 1_000;

/// The most registers that hold labels.
pub const MOST_LABELS: u32 = 1 << 12;

/// The most registers that hold claims.
pub const MOST_CLAIMS: u32 = 1 << 12;

/// The most registers that hold cases.
pub const MOST_CASES: u32 = 1 << 12;

/// The most registers that hold records.
pub const MOST_RECORDS: u32 = 1 << 12;

/// The most labels of a record.
pub const MOST_RECORD_LABELS: u32 = 16;

/// The most registers that hold texts.
pub const MOST_TEXTS: u32 = 256;

/// The most keystrokes of a client in a world that is drawn.
pub const MOST_KEYSTROKES: u32 = 10_000;

/// The most registers that hold tags.
pub const MOST_TAGS: u32 = 4096;

/// The most elements of one of them.
pub const MOST_ELEMENTS: u32 = 1024;

/// Registers that hold tags: sets of elements that users insert and remove. Each is empty at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Tags {
    /// How many registers hold tags.
    #[cfg_attr(test, schemars(range(max = MOST_TAGS)))]
    pub registers: u32,
    /// How many elements each can have. Elements are numbered from 0.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_ELEMENTS)))]
    pub elements: u32,
    /// How many edits of tags each client makes, at random times.
    #[cfg_attr(test, schemars(range(max = 1_000_000)))]
    pub edits: u32,
    /// How many of a hundred edits remove an element. The others insert one.
    #[cfg_attr(test, schemars(range(max = 100)))]
    pub removes_percent: u32,
}

impl Default for Tags {
    /// None, of 16 elements; where there are some, 4 edits of 10 remove an element.
    fn default() -> Self {
        Tags { registers: 0, elements: 16, edits: 0, removes_percent: 40 }
    }
}

impl Tags {
    pub(super) fn is_empty(&self) -> bool {
        self.registers == 0
    }
}

/// Registers that hold stocks: units that users supply, take and transfer rights to. Each is empty at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Stocks {
    /// How many registers hold stocks.
    #[cfg_attr(test, schemars(range(max = MOST_STOCKS)))]
    pub registers: u32,
    /// How often each client wants to change a stock, at random times. The engine may refuse it.
    #[cfg_attr(test, schemars(range(max = 1_000_000)))]
    pub edits: u32,
    /// How many of a hundred edits supply units.
    #[cfg_attr(test, schemars(range(max = 100)))]
    pub supplies_percent: u32,
    /// How many of a hundred edits transfer rights to another client, of those that are left. The others take units.
    #[cfg_attr(test, schemars(range(max = 100)))]
    pub transfers_percent: u32,
    /// The most units that are taken at once; ten times as many are supplied or transferred.
    #[cfg_attr(test, schemars(range(min = 1, max = 1_000_000)))]
    pub most: u32,
}

impl Default for Stocks {
    /// None; where there are some, 1 edit of 10 supplies up to 50 units, 1 transfers as many, and 8 take up to 5.
    fn default() -> Self {
        Stocks { registers: 0, edits: 0, supplies_percent: 10, transfers_percent: 10, most: 5 }
    }
}

impl Stocks {
    pub(super) fn is_empty(&self) -> bool {
        self.registers == 0
    }
}

/// Registers that hold labels: values that users overwrite. Each has no value at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Labels {
    /// How many registers hold labels.
    #[cfg_attr(test, schemars(range(max = MOST_LABELS)))]
    pub registers: u32,
    /// How many labels each client writes, at random times. No value is written twice.
    #[cfg_attr(test, schemars(range(max = 1_000_000)))]
    pub edits: u32,
}

impl Labels {
    pub(super) fn is_empty(&self) -> bool {
        self.registers == 0
    }
}

/// Registers that hold claims: each is something that can be had once. Nobody holds one at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Claims {
    /// How many registers hold claims.
    #[cfg_attr(test, schemars(range(max = MOST_CLAIMS)))]
    pub registers: u32,
    /// How often each client makes a claim, at random times, each in the name of a value of its own. A claim means nothing where
    /// a holder is shown.
    #[cfg_attr(test, schemars(range(max = 10_000)))]
    pub edits: u32,
}

impl Claims {
    pub(super) fn is_empty(&self) -> bool {
        self.registers == 0
    }
}

/// Registers that hold cases: each is a piece of work with a checklist. Each is open at the start, and nothing of it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Cases {
    /// How many registers hold cases.
    #[cfg_attr(test, schemars(range(max = MOST_CASES)))]
    pub registers: u32,
    /// How many items the checklist of each has. Items are numbered from 0.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_ELEMENTS)))]
    pub items: u32,
    /// How many edits of cases each client makes, at random times. An edit means nothing where the case is shown as closed.
    #[cfg_attr(test, schemars(range(max = 10_000)))]
    pub edits: u32,
    /// How many of a hundred edits ask to close the case. The others do an item.
    #[cfg_attr(test, schemars(range(max = 100)))]
    pub closes_percent: u32,
}

impl Default for Cases {
    /// None, of 16 items; where there are some, 1 edit of 5 asks to close.
    fn default() -> Self {
        Cases { registers: 0, items: 16, edits: 0, closes_percent: 20 }
    }
}

impl Cases {
    pub(super) fn is_empty(&self) -> bool {
        self.registers == 0
    }
}

/// Registers that hold records, which users create, change and delete. None is there at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Records {
    /// How many records there can be.
    #[cfg_attr(test, schemars(range(max = MOST_RECORDS)))]
    pub registers: u32,
    /// How many labels each has.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_RECORD_LABELS)))]
    pub labels: u32,
    /// How many elements the tags of each can have. Elements are numbered from 0.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_ELEMENTS)))]
    pub elements: u32,
    /// How often each client edits a record, at random times. A create means nothing where the record is shown, and everything
    /// else where it is not.
    #[cfg_attr(test, schemars(range(max = 1_000_000)))]
    pub edits: u32,
    /// How many of a hundred edits create a record.
    #[cfg_attr(test, schemars(range(max = 100)))]
    pub creates_percent: u32,
    /// How many of a hundred edits delete one.
    #[cfg_attr(test, schemars(range(max = 100)))]
    pub deletes_percent: u32,
    /// How many of a hundred edits insert or remove a tag. The others set a label.
    #[cfg_attr(test, schemars(range(max = 100)))]
    pub tags_percent: u32,
}

impl Default for Records {
    /// None; where there are some, each has 2 labels and tags of 8 elements, and of 20 edits 5 create, 2 delete, 4 insert or remove
    /// a tag, and 9 set a label.
    fn default() -> Self {
        Records {
            registers: 0,
            labels: 2,
            elements: 8,
            edits: 0,
            creates_percent: 25,
            deletes_percent: 10,
            tags_percent: 20,
        }
    }
}

impl Records {
    pub(super) fn is_empty(&self) -> bool {
        self.registers == 0
    }
}

/// Registers that hold texts, which users type into and erase from. Each is empty at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Texts {
    /// How many registers hold texts.
    #[cfg_attr(test, schemars(range(max = MOST_TEXTS)))]
    pub registers: u32,
    /// How many keystrokes each client makes. Those of a run come a fifth of a second apart, at one place of one text. No letter
    /// is typed twice.
    #[cfg_attr(test, schemars(range(max = MOST_KEYSTROKES)))]
    pub edits: u32,
    /// How many of a hundred keystrokes come at another place, at a random time: a run begins there, typed forward or backward.
    #[cfg_attr(test, schemars(range(max = 100)))]
    pub moves_percent: u32,
    /// How many of a hundred keystrokes erase a letter.
    #[cfg_attr(test, schemars(range(max = 100)))]
    pub erases_percent: u32,
}

impl Default for Texts {
    /// None; where there are some, the cursor moves before 1 keystroke of 8, and 1 of 8 erases a letter.
    fn default() -> Self {
        Texts { registers: 0, edits: 0, moves_percent: 12, erases_percent: 12 }
    }
}

impl Texts {
    pub(super) fn is_empty(&self) -> bool {
        self.registers == 0
    }
}
