//! Scripts: the steps of one world, written down.
//!
//! A step is a flat table of keys. One key is its verb and names the device that the step is about; the others say the rest:
//! `{ edit = "client 0", register = 3, by = 5 }`. The same keys are the step in a scenario file, in a record, and in the
//! short text of a case. [`keys`] reads and writes them, [`text`] is the short text, [`world`] is the short text of the
//! world around them, `possible.rs` refuses steps that cannot be.

pub mod keys;
mod possible;
#[cfg(test)]
pub(crate) mod tests;
pub mod text;
pub mod world;

use std::borrow::Cow;

use crate::domain::data::Intent;
use crate::domain::letter::Letter;
use crate::domain::offline::{Link, NodeFault, Workload};

/// The name that stands for every client in a step.
pub const CLIENTS: &str = "clients";

/// How long a wait lasts at most where its step does not say: an hour, in microseconds.
pub const WITHIN: u64 = 3_600_000_000;

/// The most steps of a script.
pub const MOST_STEPS: usize = 100_000;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How long after the step before it, in microseconds of virtual time.
    pub after: u64,
    /// What happens then.
    pub action: Action,
}

/// What happens in a step. Devices are named as in the rest of a scenario: `client N`, `hub`, an edge's name, or `clients`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: time passes.
    Pass,
    /// A user edits a register.
    Edit {
        /// Whose.
        node: String,
        /// Which register.
        register: u32,
        /// What the user intends.
        intent: Intent,
    },
    /// A user types or erases more than a letter of a text, or a letter where the text ends.
    Words {
        /// Whose.
        node: String,
        /// Which register.
        register: u32,
        /// What the user does.
        words: Words,
    },
    /// A device connects, with all that it has a link to and that is connected.
    Connect {
        /// Which.
        node: String,
        /// Each device connects at a time below this one, in microseconds from the step, drawn from the seed; at once if 0. A
        /// later step that connects or disconnects the device cancels it.
        over: u64,
    },
    /// It disconnects.
    Disconnect(String),
    /// Something happens to a message on its way.
    Message {
        /// Its sender.
        from: String,
        /// Its receiver.
        to: String,
        /// Which of the messages that are sent from now on, from 1.
        number: u32,
        /// What.
        fate: MessageFate,
    },
    /// The link between two devices is down for a time, in microseconds.
    Cut {
        /// One of them.
        node: String,
        /// The other.
        with: String,
        /// For how long.
        lasts: u64,
    },
    /// A fault of a device. It begins now: its `at_s` and `age_s` are 0.
    Fault(NodeFault),
    /// A device loses power within the next thing that it does, after so many effects. It starts again within a minute.
    CrashDuring {
        /// Which.
        node: String,
        /// After so many effects, from 1.
        effects: u32,
    },
    /// A backup is taken of a device's store.
    BackUp(String),
    /// A device's clock is set.
    Clock {
        /// Whose.
        node: String,
        /// By how much, in microseconds; back if negative.
        by: i64,
        /// How much faster it goes from now on, in millionths.
        drift_ppm: i32,
    },
    /// The links of a device are like this from now on.
    Link {
        /// Whose.
        node: String,
        /// How they are.
        link: Link,
    },
    /// A user works for a time: its edits are drawn from the seed.
    Work {
        /// Whose.
        node: String,
        /// For how long, in microseconds.
        lasts: u64,
        /// What it does.
        workload: Workload,
    },
    /// The next step waits until this has come true.
    Until {
        /// What.
        condition: Condition,
        /// For how long at most, in microseconds.
        within: u64,
    },
}

/// What a user does to a text, keystroke by keystroke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// Types.
    Type {
        /// The letters, one after the other.
        text: String,
        /// The piece of text that they come right after, at the first place where the device shows it. Without it they come at
        /// the end; an empty one is the beginning, and so is one that is not shown.
        after: Option<String>,
    },
    /// Erases this piece of text, at the first place where the device shows it.
    Erase(String),
}

impl Words {
    /// The letters that are typed or erased.
    pub fn letters(&self) -> Vec<Letter> {
        match self {
            Words::Type { text, .. } | Words::Erase(text) => Letter::all_of(text),
        }
    }
}

/// What happens to a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFate {
    /// It is lost.
    Lose,
    /// It comes a second time, so much later, in microseconds.
    Repeat(u64),
    /// It comes so much later, in microseconds.
    Delay(u64),
    /// It loses its end: so many bytes are left.
    Truncate(u64),
    /// This bit of it is another.
    Corrupt(u64),
}

/// What a step waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// No message is on its way, and no device is going to do anything.
    Quiescent,
    /// Two devices are running, show the same, and have no message on its way between them.
    InSync {
        /// One of them.
        node: String,
        /// The other.
        with: String,
    },
    /// So many messages were sent from one device to another since the wait began; or arrived there; or were taken, neither
    /// damaged nor of a session that is over.
    Messages {
        /// Their sender.
        from: String,
        /// Their receiver.
        to: String,
        /// How many.
        number: u32,
        /// What has become of them.
        how: Progress,
    },
}

/// How far a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// It was sent.
    Sent,
    /// It arrived.
    Received,
    /// It was taken.
    Taken,
}

/// Why a step cannot be done: in the world that it is in, or as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("steps[{step}].{key}: {reason}")]
pub struct StepError {
    /// Which step, from 0.
    pub step: usize,
    /// The key that is wrong.
    pub key: String,
    /// Why, and what is allowed.
    pub reason: String,
}

impl Action {
    /// The key that names the step.
    pub fn verb(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Action::Pass => keys::AFTER,
            Action::Edit { .. } | Action::Words { .. } => "edit",
            Action::Connect { .. } => "connect",
            Action::Disconnect(_) => "disconnect",
            Action::Message { fate, .. } => fate.verb(),
            Action::Cut { .. } => "cut",
            Action::Fault(fault) => return Cow::Owned(keys::verb_of(fault.kind)),
            Action::CrashDuring { .. } => "crash",
            Action::BackUp(_) => "back_up",
            Action::Clock { .. } => "clock",
            Action::Link { .. } => "link",
            Action::Work { .. } => "work",
            Action::Until { .. } => "until",
        })
    }

    /// How many edits it makes, for each device.
    pub fn edits(&self) -> u64 {
        match self {
            Action::Edit { .. } => 1,
            Action::Words { words, .. } => words.letters().len() as u64,
            Action::Work { workload, .. } => u64::from(workload.ticks) * u64::from(workload.changed),
            _ => 0,
        }
    }

    /// How long it keeps the world from settling, in microseconds.
    pub fn lasts(&self) -> u64 {
        match self {
            Action::Cut { lasts, .. } | Action::Work { lasts, .. } | Action::Connect { over: lasts, .. } => *lasts,
            Action::Fault(fault) => fault.for_s.max(1).saturating_mul(1_000_000),
            Action::Until { within, .. } => *within,
            _ => 0,
        }
    }
}

impl MessageFate {
    /// The key that names it.
    pub fn verb(self) -> &'static str {
        match self {
            MessageFate::Lose => "lose",
            MessageFate::Repeat(_) => "repeat",
            MessageFate::Delay(_) => "delay",
            MessageFate::Truncate(_) => "truncate",
            MessageFate::Corrupt(_) => "corrupt",
        }
    }
}
