//! Trials of codecs: ticks of so many registers, as messages of every codec and of engines.

use serde::{Deserialize, Serialize};

use crate::domain::seed::Seed;
use crate::domain::trial::Keys;

/// The most ticks that are measured.
pub const MOST_TICKS: u32 = 1_000_000;

/// The most registers of a tick.
pub const MOST_REGISTERS: u32 = 65_536;

/// The ticks that codecs are measured in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CodecsTrial {
    /// What everything is drawn from: a text of 1 to 16 hexadecimal digits, with or without 0x. The same seed gives the same
    /// run.
    pub seed: Seed,
    /// How many registers a replica has.
    #[serde(default = "default_registers")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_REGISTERS)))]
    pub registers: u32,
    /// How many of the registers a tick changes: at most all.
    #[serde(default = "default_changed")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_REGISTERS)))]
    pub changed: u32,
    /// The largest amount of a narrow tick, either way. A wide tick has amounts of 64 bits.
    #[serde(default = "default_most")]
    #[cfg_attr(test, schemars(range(min = 1, max = i32::MAX)))]
    pub most: u32,
    /// How many ticks of each kind every codec is measured in.
    #[serde(default = "default_ticks")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_TICKS)))]
    pub ticks: u32,
    /// The engines whose ticks are measured beside the codecs, by name, or `all`; the reference if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub engines: Vec<String>,
}

fn default_registers() -> u32 {
    256
}

fn default_changed() -> u32 {
    20
}

fn default_most() -> u32 {
    1000
}

fn default_ticks() -> u32 {
    1000
}

impl Keys for CodecsTrial {
    fn seed(&self) -> Seed {
        self.seed
    }

    fn set_seed(&mut self, seed: Seed) {
        self.seed = seed;
    }

    fn title(&self) -> String {
        format!("codecs, {} of {} registers, seed {}", self.changed, self.registers, self.seed)
    }

    fn engines(&self) -> Vec<&str> {
        self.engines.iter().map(String::as_str).collect()
    }

    fn impossible(&self) -> Option<String> {
        let bounds = [
            ("registers", self.registers, 1, MOST_REGISTERS),
            ("changed", self.changed, 1, self.registers),
            ("most", self.most, 1, i32::MAX as u32),
            ("ticks", self.ticks, 1, MOST_TICKS),
        ];
        let beyond = bounds.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value));
        beyond
            .map(|(key, value, least, most)| format!("{key} = {value} is not allowed; {least} to {most} are"))
            .or_else(|| {
                let twice = |place: &usize| self.engines[..*place].contains(&self.engines[*place]);
                let twice = (0..self.engines.len()).find(twice);
                twice.map(|place| format!("engines: '{}' is there twice; name it once", self.engines[place]))
            })
    }
}

/// How the messages of a history arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Each once, in order.
    Exact,
    /// Each twice.
    Repeated,
    /// The second before the first.
    Reordered,
    /// The second never.
    Lost,
    /// Those of two replicas, which changed registers at the same time.
    TwoWriters,
    /// The connection ends once the second arrived.
    CutOff,
    /// Those of a sender whose store was set back to what it was before the second.
    SetBack,
}

/// What a codec or an engine claims of how messages arrive. A codec has no transport; what an engine declares of its own is
/// what it is held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claims {
    /// A codec: that a message is right where each arrives once, in order, from one writer.
    #[default]
    Nothing,
    /// A codec: besides, that a receiver refuses a message that is for another state than its own.
    Refusal,
    /// A codec: that repeated and reordered messages and those of two writers come out right, and a lost one is noticed.
    Sequences,
    /// An engine: that no edit is lost, however messages arrive.
    AnyOrder,
    /// An engine: the same, where messages come once, in order, until the connection ends.
    InOrder,
    /// An engine: the same, where every message comes once, in order.
    ExactlyOnce,
}

/// What is claimed of one kind of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Nothing is wrong.
    Right,
    /// Nothing is wrong unnoticed.
    Noticed,
    /// Nothing.
    Nothing,
}

impl Claims {
    /// What is claimed where messages arrive so.
    pub fn of(self, arrival: Arrival) -> Promise {
        match (self, arrival) {
            (_, Arrival::Exact) => Promise::Right,
            (Claims::Nothing, _) => Promise::Nothing,
            (Claims::Refusal, _) | (Claims::Sequences, Arrival::Lost) => Promise::Noticed,
            (Claims::Sequences, _) | (Claims::AnyOrder, _) => Promise::Right,
            // The hub, which others sync through, has what the sender's store lost: every engine declares to survive that.
            (_, Arrival::TwoWriters | Arrival::SetBack) | (Claims::InOrder, Arrival::CutOff) => Promise::Right,
            (Claims::InOrder | Claims::ExactlyOnce, _) => Promise::Nothing,
        }
    }

    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Claims::Nothing => "nothing about delivery",
            Claims::Refusal => "another state is refused",
            Claims::Sequences => "any order, gaps noticed",
            Claims::AnyOrder => "any order, repeated or lost",
            Claims::InOrder => "in order, until the connection ends",
            Claims::ExactlyOnce => "exactly once",
        }
    }
}

/// What a scenario expects of a codec, or of an engine's message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CodecExpectation {
    /// The most bytes of the largest message of a narrow tick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrow_at_most: Option<u64>,
    /// The most bytes of the largest message of a wide tick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wide_at_most: Option<u64>,
}
