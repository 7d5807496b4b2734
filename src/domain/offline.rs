//! Trials of replicas: a world of clients that work offline, the links between them, and what goes wrong.

mod registers;

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::data::{DataType, Fields};
use crate::domain::script::Step;
use crate::domain::seed::Seed;
use crate::domain::traffic::Traffic;
use crate::domain::trial::MemoryMib;
use crate::domain::verdict::Verdict;
pub use registers::{
    Cases, Claims, Labels, MOST_CASES, MOST_CLAIMS, MOST_ELEMENTS, MOST_KEYSTROKES, MOST_LABELS, MOST_RECORD_LABELS,
    MOST_RECORDS, MOST_STOCKS, MOST_TAGS, MOST_TEXTS, Records, Stocks, Tags, Texts,
};

/// The most registers that a world can have.
pub const MOST_REGISTERS: u32 = 1 << 20;

/// Clients up to which is known which edits had reached whom: each edit at each other client is one value.
pub const MOST_WATCHED: u32 = 64;

/// The most clients.
pub const MOST_CLIENTS: u32 = 100_000;

/// The longest that anything lasts: a hundred years, in seconds.
pub const CENTURY_S: u64 = 100 * 366 * 86_400;

/// The slowest link, in milliseconds.
pub const DAY_MS: u64 = 86_400_000;

/// The largest bound on the load of a hub.
pub const MOST_LOAD: u64 = 1 << 50;

/// The most registers of a world that names them: a report tells of each by itself.
pub const MOST_NAMES: usize = 64;

/// The most characters of a register's name.
pub const LONGEST_NAME: usize = 40;

/// A world, and the engines that are put on trial in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OfflineTrial {
    /// What all that is random is drawn from: a text of 1 to 16 hexadecimal digits, with or without 0x. The same seed gives the same run.
    pub seed: Seed,
    /// How many counters each replica has. Without registers of other types there is at least one.
    #[serde(default = "default_registers")]
    #[cfg_attr(test, schemars(range(max = MOST_REGISTERS)))]
    pub registers: u32,
    /// The value of every counter at the start.
    #[serde(default)]
    pub start: i64,
    /// Registers that hold tags, and what users do to them. They are numbered after the counters.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// Registers that hold stocks, and what users do to them. They are numbered after the counters, before the tags.
    #[serde(default, skip_serializing_if = "Stocks::is_empty")]
    pub stocks: Stocks,
    /// Registers that hold labels, and what users do to them. They are numbered after the tags.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Registers that hold records, and what users do to them. They are numbered after the labels.
    #[serde(default, skip_serializing_if = "Records::is_empty")]
    pub records: Records,
    /// Registers that hold texts, and what users type. They are numbered after the records.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub texts: Texts,
    /// Registers that hold claims, and how often users make one. They are numbered after the texts.
    #[serde(default, skip_serializing_if = "Claims::is_empty")]
    pub claims: Claims,
    /// Registers that hold cases, and what users do with them. They are numbered after the claims.
    #[serde(default, skip_serializing_if = "Cases::is_empty")]
    pub cases: Cases,
    /// What users call the registers: one name for each, in the order of their numbers. With names, the report tells of each
    /// register what was merged, what waited, what was refused and why, and steps may say a name in place of a number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(length(max = MOST_NAMES), inner(length(min = 1, max = LONGEST_NAME), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]+$"))))]
    pub names: Vec<String>,
    /// How many clients there are. In a world with tags, labels, records, texts, claims or cases, 64 are the most.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_CLIENTS)))]
    pub clients: u32,
    /// The engines on trial, by name, or "all"; `abench list engines` names them. Without this key, the reference is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub engines: Vec<String>,
    /// Mutants that are planted, one after the other, each in the first engine on trial that has it; `abench list mutants`
    /// names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutants: Vec<String>,
    /// Whether there is a hub; without one, every client is linked with every other.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[cfg_attr(test, schemars(extend("default" = true)))]
    pub hub: bool,
    /// Replicas between clients and the hub. An edge comes after its parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
    /// What the users do, in a world that is drawn.
    #[serde(default = "Workload::absent", skip_serializing_if = "Workload::is_absent")]
    pub workload: Workload,
    /// When clients are connected, in a world that is drawn.
    #[serde(default = "Presence::absent", skip_serializing_if = "Presence::is_absent")]
    pub presence: Presence,
    /// What happens, step by step, in a world that is written down. A world is either drawn, from workload and presence,
    /// or written down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(length(max = crate::domain::script::MOST_STEPS)))]
    pub steps: Vec<Step>,
    /// The links of clients.
    #[serde(default)]
    pub link: Link,
    /// The clocks of clients.
    #[serde(default, skip_serializing_if = "Clocks::is_exact")]
    pub clocks: Clocks,
    /// What happens to nodes, in a world that is drawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<NodeFault>,
    /// How many crashes there are besides, at random steps of random nodes.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(range(max = 100_000), extend("default" = 0)))]
    pub crashes: u32,
    /// How many more worlds there are, which differ from this one in their seed. Every engine that holds here is tried
    /// there, too.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(range(max = 1_000_000), extend("default" = 0)))]
    pub more_worlds: u32,
    /// Whether a drawn world that falsifies an engine is reduced to a script.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub reduce: bool,
    /// After all faults are over and everyone is connected, all must be quiescent within this time.
    #[serde(default = "default_settle")]
    #[cfg_attr(test, schemars(range(min = 1, max = CENTURY_S)))]
    pub settle_s: u64,
    /// While two devices are present, an edit of one must be at the other within this time, whatever is down between them.
    /// It needs a world of up to 64 clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = CENTURY_S)))]
    pub staleness_s: Option<u64>,
    /// The most load that the hub may have in its busiest second. It needs a hub.
    #[serde(default, skip_serializing_if = "LoadBounds::is_none")]
    pub load: LoadBounds,
    /// How engines keep their journals.
    #[serde(default)]
    pub journal: Journal,
    /// What Maelstrom nodes are asked, and how often; other engines do not look at it.
    #[serde(default, skip_serializing_if = "Maelstrom::is_default")]
    pub maelstrom: Maelstrom,
    /// The most memory that the world may take.
    #[serde(default = "default_memory")]
    pub memory_mib: MemoryMib,
}

impl OfflineTrial {
    /// A world with this seed, this number of clients, and the default of every other key. Nobody edits, and nothing goes
    /// wrong.
    pub fn of(seed: Seed, clients: u32) -> Self {
        OfflineTrial {
            seed,
            registers: default_registers(),
            start: 0,
            tags: Tags::default(),
            stocks: Stocks::default(),
            labels: Labels::default(),
            records: Records::default(),
            texts: Texts::default(),
            claims: Claims::default(),
            cases: Cases::default(),
            names: Vec::new(),
            clients,
            engines: Vec::new(),
            mutants: Vec::new(),
            hub: true,
            edges: Vec::new(),
            workload: Workload::absent(),
            presence: Presence::absent(),
            steps: Vec::new(),
            link: Link::default(),
            clocks: Clocks::default(),
            faults: Vec::new(),
            crashes: 0,
            more_worlds: 0,
            reduce: true,
            settle_s: default_settle(),
            staleness_s: None,
            load: LoadBounds::default(),
            journal: Journal::default(),
            maelstrom: Maelstrom::default(),
            memory_mib: default_memory(),
        }
    }
}

/// 4 GiB.
fn default_memory() -> MemoryMib {
    MemoryMib::mib(4096)
}

fn default_registers() -> u32 {
    256
}

fn default_settle() -> u64 {
    3600
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// A replica between clients and the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// What it is called: any name but "hub" and those of clients.
    #[cfg_attr(test, schemars(regex(pattern = r"^(?!hub$|client )[^\u0000-\u001f\u007f-\u009f]+$")))]
    pub name: String,
    /// The node above it: "hub", or the name of an edge before this one.
    #[cfg_attr(test, schemars(required))]
    pub parent: Option<String>,
    /// The numbers of the clients that connect to it, and not to the hub.
    pub clients: Vec<u32>,
}

/// What the users do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// How many ticks each client has, at random times.
    #[cfg_attr(test, schemars(range(max = 1_000_000_000)))]
    pub ticks: u32,
    /// How many counters one tick changes, each by one edit: at least one, and at most all.
    #[cfg_attr(test, schemars(range(max = MOST_REGISTERS)))]
    pub changed: u32,
    /// The largest amount of an edit, either way.
    #[serde(default = "default_most")]
    #[cfg_attr(test, schemars(range(min = 1, max = u32::MAX)))]
    pub most: u32,
    /// Whether amounts may be negative.
    #[serde(default = "yes")]
    pub decrements: bool,
    /// The exponent of Zipf's law by which counters are chosen. Without this key, all are equally likely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = 1000)))]
    pub zipf_hundredths: Option<u32>,
}

fn default_most() -> u32 {
    3
}

impl Workload {
    /// That of a world that is written down.
    pub fn absent() -> Self {
        Workload { ticks: 0, changed: 0, most: 0, decrements: true, zipf_hundredths: None }
    }

    /// Whether it is that of a world that is written down.
    pub fn is_absent(&self) -> bool {
        *self == Workload::absent()
    }
}

impl Presence {
    /// That of a world that is written down.
    pub fn absent() -> Self {
        Presence { lasts_s: 0, away_s: (0, 0), here_s: (0, 0) }
    }

    /// Whether it is that of a world that is written down.
    pub fn is_absent(&self) -> bool {
        *self == Presence::absent()
    }
}

/// Two numbers. A reader of TOML would take a longer list, and leave out what follows.
fn two<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(u64, u64), D::Error> {
    match Vec::deserialize(deserializer)?[..] {
        [least, most] => Ok((least, most)),
        ref other => Err(D::Error::invalid_length(other.len(), &"two numbers: the least and the most")),
    }
}

/// When clients are connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// How long the world lasts before it settles.
    #[cfg_attr(test, schemars(range(min = 1, max = CENTURY_S)))]
    pub lasts_s: u64,
    /// The shortest and the longest time that a client is away.
    #[serde(deserialize_with = "two")]
    #[cfg_attr(test, schemars(extend("prefixItems" = [{ "type": "integer", "minimum": 0, "maximum": CENTURY_S }, { "type": "integer", "minimum": 1, "maximum": CENTURY_S }])))]
    pub away_s: (u64, u64),
    /// The shortest and the longest time that a client is connected.
    #[serde(deserialize_with = "two")]
    #[cfg_attr(test, schemars(extend("prefixItems" = [{ "type": "integer", "minimum": 0, "maximum": CENTURY_S }, { "type": "integer", "minimum": 1, "maximum": CENTURY_S }])))]
    pub here_s: (u64, u64),
}

/// A link between two nodes, the same both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Link {
    /// What it carries.
    pub bits_per_s: u64,
    /// How long the first bit takes.
    #[cfg_attr(test, schemars(range(max = DAY_MS)))]
    pub latency_ms: u64,
    /// How much longer it may take, at random.
    #[cfg_attr(test, schemars(range(max = DAY_MS)))]
    pub jitter_ms: u64,
    /// How many of a thousand messages are lost. Where clients have edits to send, 999 is the most.
    #[cfg_attr(test, schemars(range(max = 1000)))]
    pub lost_per_mille: u32,
    /// How many of a thousand messages come twice.
    #[cfg_attr(test, schemars(range(max = 1000)))]
    pub repeated_per_mille: u32,
    /// How many of a thousand messages are held back until others have overtaken them.
    #[cfg_attr(test, schemars(range(max = 1000)))]
    pub reordered_per_mille: u32,
    /// How many of a thousand messages lose their end. Where clients have edits to send, 999 is the most.
    #[cfg_attr(test, schemars(range(max = 1000)))]
    pub truncated_per_mille: u32,
    /// How many of a thousand messages have a bit flipped. Where clients have edits to send, 999 is the most.
    #[cfg_attr(test, schemars(range(max = 1000)))]
    pub corrupted_per_mille: u32,
    /// How many outages each link has, at random times.
    #[cfg_attr(test, schemars(range(max = 100_000)))]
    pub outages: u32,
    /// How long each outage lasts.
    #[cfg_attr(test, schemars(range(max = CENTURY_S)))]
    pub outage_s: u64,
}

impl Link {
    /// The most by which a message is late that is held back until others have overtaken it; in milliseconds.
    pub const HELD_BACK_MS: u64 = 8_000;

    /// The most by which the second copy of a message that comes twice is late; in milliseconds.
    pub fn repeated_within_ms(&self) -> u64 {
        self.latency_ms.saturating_mul(10).saturating_add(1_000)
    }

    /// The most that a message and its answer take, where the answer is neither held back nor repeated; in milliseconds.
    pub fn slowest_answer_ms(&self) -> u64 {
        let held = if self.reordered_per_mille > 0 { Link::HELD_BACK_MS } else { 0 };
        let repeated = if self.repeated_per_mille > 0 { self.repeated_within_ms() } else { 0 };
        self.latency_ms.saturating_add(self.jitter_ms).saturating_mul(2).saturating_add(held.max(repeated))
    }
}

impl Default for Link {
    /// A sound link of 10 Mbit/s and 20 ms.
    fn default() -> Self {
        Link {
            bits_per_s: 10_000_000,
            latency_ms: 20,
            jitter_ms: 0,
            lost_per_mille: 0,
            repeated_per_mille: 0,
            reordered_per_mille: 0,
            truncated_per_mille: 0,
            corrupted_per_mille: 0,
            outages: 0,
            outage_s: 60,
        }
    }
}

/// The most runs of one world with an engine that cannot repeat itself.
pub const MOST_RUNS: u32 = 20;

/// What Maelstrom nodes are asked in a world, and how often it is run with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Maelstrom {
    /// The workload. Without this key it follows from the world: a counter whose users never decrement it is a g-counter,
    /// any other a pn-counter, and tags are a g-set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<MaelstromWorkload>,
    /// How often the world is run with a node that cannot repeat itself: what comes again in every run is falsified, what does
    /// not is inconclusive.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_RUNS)))]
    pub runs: u32,
}

impl Default for Maelstrom {
    fn default() -> Self {
        Maelstrom { workload: None, runs: 3 }
    }
}

impl Maelstrom {
    fn is_default(&self) -> bool {
        *self == Maelstrom::default()
    }
}

/// What a Maelstrom node is asked by its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum MaelstromWorkload {
    /// `broadcast` and `read`: messages, each a number.
    Broadcast,
    /// `add` an element, and `read` the set.
    GSet,
    /// `add` an amount that is not negative, and `read` the sum.
    GCounter,
    /// `add` an amount, and `read` the sum.
    PnCounter,
}

impl MaelstromWorkload {
    /// All of them.
    pub const ALL: [MaelstromWorkload; 4] = [
        MaelstromWorkload::Broadcast,
        MaelstromWorkload::GSet,
        MaelstromWorkload::GCounter,
        MaelstromWorkload::PnCounter,
    ];

    /// Its name, as Maelstrom has it.
    pub fn name(self) -> &'static str {
        match self {
            MaelstromWorkload::Broadcast => "broadcast",
            MaelstromWorkload::GSet => "g-set",
            MaelstromWorkload::GCounter => "g-counter",
            MaelstromWorkload::PnCounter => "pn-counter",
        }
    }

    /// Whether it is about a counter; else it is about a set.
    pub fn counts(self) -> bool {
        matches!(self, MaelstromWorkload::GCounter | MaelstromWorkload::PnCounter)
    }

    /// The message by which a client edits.
    pub fn edit(self) -> &'static str {
        if self == MaelstromWorkload::Broadcast { "broadcast" } else { "add" }
    }

    /// The key of the answer to `read` that has what the node shows.
    pub fn shown(self) -> &'static str {
        if self == MaelstromWorkload::Broadcast { "messages" } else { "value" }
    }
}

impl FromStr for MaelstromWorkload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = MaelstromWorkload::ALL;
        let names = || all.map(MaelstromWorkload::name).join(", ");
        let found = all.into_iter().find(|workload| workload.name() == text);
        found.ok_or_else(|| {
            format!("'{text}' is not a workload of Maelstrom that abench knows; allowed are {}", names())
        })
    }
}

/// How wrong clients' clocks are: up to so much, either way, at random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Clocks {
    /// How far a clock is off at the start.
    #[cfg_attr(test, schemars(range(max = CENTURY_S)))]
    pub skew_s: u64,
    /// How much faster or slower a clock goes.
    #[cfg_attr(test, schemars(range(max = 1_000_000)))]
    pub drift_ppm: u32,
    /// How often each clock jumps.
    #[cfg_attr(test, schemars(range(max = 1000)))]
    pub jumps: u32,
    /// How far a clock jumps. It is 0 where no clock jumps.
    #[cfg_attr(test, schemars(range(max = CENTURY_S)))]
    pub jump_s: u64,
}

impl Clocks {
    fn is_exact(&self) -> bool {
        *self == Clocks::default()
    }
}

/// What the hub may have to bear in any one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LoadBounds {
    /// The most attempts to connect to it in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_LOAD)))]
    pub attempts: Option<u64>,
    /// The most messages that arrive at it and that it sends in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_LOAD)))]
    pub messages: Option<u64>,
    /// The most bytes of these messages in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_LOAD)))]
    pub bytes: Option<u64>,
}

impl LoadBounds {
    /// Whether nothing is bounded.
    pub fn is_none(&self) -> bool {
        *self == LoadBounds::default()
    }
}

/// What happens to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NodeFault {
    /// What happens.
    pub kind: FaultKind,
    /// To whom: "client N", "hub", or the name of an edge.
    pub node: String,
    /// When it happens, before the world settles.
    pub at_s: u64,
    /// How long it lasts, or how long the node is down.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(max = CENTURY_S)))]
    pub for_s: u64,
    /// How old the backup is that a store is set back to, for the kind restore.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(max = CENTURY_S)))]
    pub age_s: u64,
    /// From whose values the device is set up, for the kind import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// To whom the node sends the message that is lost, for the kind drop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Which message is lost, counted from 1 at the time at_s, for the kind drop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub nth: Option<u32>,
    /// Which kind of messages is counted, for the kind drop. Without this key, all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageKind>,
    /// What becomes of messages to the process, for the kind freeze. Without this key, they wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<WhileFrozen>,
}

/// Kinds of messages that the network can tell apart. Each message is of one kind, the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum MessageKind {
    /// It was sent before, or a part of it was.
    Retransmission,
    /// It carries changes.
    Data,
    /// It acknowledges something.
    Acknowledgement,
    /// Every other message, handshakes among them.
    Handshake,
}

impl MessageKind {
    /// Whether a message of these bytes is of this kind.
    pub fn is_of(self, traffic: &Traffic) -> bool {
        let kind = match traffic {
            Traffic { retransmission: 1.., .. } => MessageKind::Retransmission,
            Traffic { payload: 1.., .. } => MessageKind::Data,
            Traffic { acks: 1.., .. } => MessageKind::Acknowledgement,
            _ => MessageKind::Handshake,
        };
        self == kind
    }
}

/// What becomes of messages to a process while it is frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum WhileFrozen {
    /// The host keeps them until the process goes on.
    Wait,
    /// They are lost.
    Lost,
}

/// What can happen to a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// It loses power, and starts again.
    #[default]
    Crash,
    /// It cannot be reached.
    Outage,
    /// It loses its store, and starts afresh.
    Wipe,
    /// Another device is set up from its store, under the same client, and both go on: the next client's device is
    /// replaced by it.
    Clone,
    /// Its store is set back to an old backup.
    Restore,
    /// It loses power, and a bit of its store is another when it starts again.
    Damage,
    /// Its store has no room for a time, and refuses writes.
    Full,
    /// It refuses connections for a time: its host can be reached, and nothing listens there.
    Refuse,
    /// It takes no edits for a time: its user cannot edit, and messages of others that carry changes come back, where
    /// others sync through it.
    ReadOnly,
    /// Its process does nothing for a time, and then goes on. Its connections stay up, and its clocks stand still.
    Freeze,
    /// It leaves for good.
    Retire,
    /// It loses its store and starts from nothing, with the random numbers that it had at its very first start.
    StartOver,
    /// It loses its store, and is set up from the bare values that another shows, without ids.
    Import,
    /// One message that it sends is lost.
    Drop,
    /// Its user's sign-in is not valid for a time: all others refuse its connections. Then the user signs in again.
    SignedOut,
}

impl FaultKind {
    /// All of them.
    pub const ALL: &[FaultKind] = &[
        FaultKind::Crash,
        FaultKind::Outage,
        FaultKind::Wipe,
        FaultKind::Clone,
        FaultKind::Restore,
        FaultKind::Damage,
        FaultKind::Full,
        FaultKind::Refuse,
        FaultKind::ReadOnly,
        FaultKind::Freeze,
        FaultKind::Retire,
        FaultKind::StartOver,
        FaultKind::Import,
        FaultKind::Drop,
        FaultKind::SignedOut,
    ];

    /// What a scenario calls it.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Crash => "crash",
            FaultKind::Outage => "outage",
            FaultKind::Wipe => "wipe",
            FaultKind::Clone => "clone",
            FaultKind::Restore => "restore",
            FaultKind::Damage => "damage",
            FaultKind::Full => "full",
            FaultKind::Refuse => "refuse",
            FaultKind::ReadOnly => "read-only",
            FaultKind::Freeze => "freeze",
            FaultKind::Retire => "retire",
            FaultKind::StartOver => "start-over",
            FaultKind::Import => "import",
            FaultKind::Drop => "drop",
            FaultKind::SignedOut => "signed-out",
        }
    }

    /// What happens, in a line.
    pub fn about(self) -> &'static str {
        match self {
            FaultKind::Crash => "the device loses power, and starts again",
            FaultKind::Outage => "the device cannot be reached for a time",
            FaultKind::Wipe => "the device loses its store, and starts afresh",
            FaultKind::Clone => {
                "another device is set up from the store of this one; both go on under the same client, and the next \
                 client's device is replaced"
            }
            FaultKind::Restore => "the store of the device is set back to an old backup",
            FaultKind::Damage => "the device loses power, and a bit of its store has changed when it starts again",
            FaultKind::Full => "the store of the device is full for a time, and refuses writes",
            FaultKind::Refuse => "the device refuses connections for a time, as a host does on which nothing listens",
            FaultKind::ReadOnly => "the device takes no edits for a time, neither its user's nor those of others",
            FaultKind::Freeze => "the process stands still for a time, with its clocks; its connections stay up",
            FaultKind::Retire => "the client leaves for good",
            FaultKind::StartOver => {
                "the device loses its store and starts from nothing, with the random numbers of its first start"
            }
            FaultKind::Import => "the device loses its store, and is set up from the values that another one shows",
            FaultKind::Drop => "one message that the device sends is lost",
            FaultKind::SignedOut => {
                "the sign-in of the device's user is not valid for a time; others refuse its connections until the user \
                 signs in again"
            }
        }
    }

    /// Whether the device comes back without all that it had.
    pub fn loses_store(self) -> bool {
        matches!(
            self,
            FaultKind::Wipe
                | FaultKind::Clone
                | FaultKind::Restore
                | FaultKind::Damage
                | FaultKind::Retire
                | FaultKind::StartOver
                | FaultKind::Import
        )
    }

    /// Whether it lasts for a time while the device has its power.
    pub fn lasts(self) -> bool {
        matches!(
            self,
            FaultKind::Outage
                | FaultKind::Full
                | FaultKind::Refuse
                | FaultKind::ReadOnly
                | FaultKind::Freeze
                | FaultKind::SignedOut
        )
    }
}

/// How engines keep their journals, where they have a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Journal {
    /// How many deltas a compaction leaves, though it need not.
    #[cfg_attr(test, schemars(range(max = 1_000_000_000)))]
    pub retain: u64,
    /// After how many entries the journal is compacted.
    #[cfg_attr(test, schemars(range(min = 1, max = 1_000_000_000)))]
    pub compact_after: u64,
    /// How many bytes the longest message has that travels in one fragment.
    #[cfg_attr(test, schemars(range(min = 64, max = 1 << 24)))]
    pub fragment: u32,
}

impl Default for Journal {
    fn default() -> Self {
        Journal { retain: 64, compact_after: 4096, fragment: 4096 }
    }
}

/// A small world in which every crash and every order of deliveries is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CrashEverywhereTrial {
    /// A text of 1 to 16 hexadecimal digits, with or without 0x, for the record. Nothing is drawn from it.
    pub seed: Seed,
    /// How many clients there are besides the hub.
    #[cfg_attr(test, schemars(range(min = 1, max = 3)))]
    pub clients: u32,
    /// What the one register of the world holds. Without this key, it is a counter.
    #[serde(default, skip_serializing_if = "DataType::is_counter")]
    pub data: DataType,
    /// How many edits each client makes, all of one register.
    #[cfg_attr(test, schemars(range(min = 1, max = 4)))]
    pub edits: u32,
    /// How many retries all nodes have together.
    #[cfg_attr(test, schemars(range(max = 4)))]
    pub retries: u32,
    /// How many crashes all nodes have together.
    #[cfg_attr(test, schemars(range(max = 3)))]
    pub crashes: u32,
    /// How many messages may be lost together.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(max = 3)))]
    pub losses: u32,
    /// How many edits each client makes before it connects for the first time. The others come at any time.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(max = 4)))]
    pub edits_before: u32,
    /// Whether messages outlive the connection that they were sent in.
    #[serde(default)]
    pub late: bool,
    /// The engine that is walked through; `abench list engines` names them. Without this key, it is the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Mutants that are planted, one after the other, in a smaller world: of one client, with at least one message that
    /// may be lost and edits at any time. Mutants with another data type than a counter are planted in the world itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutants: Vec<String>,
    /// The most states that are visited for each. A state takes 150 to 700 bytes of memory, those of what its nodes hold
    /// included.
    #[serde(default = "default_states")]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub most_states: u64,
}

fn default_states() -> u64 {
    5_000_000
}

/// What a scenario expects of one engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EngineExpectation {
    /// Its verdict.
    pub verdict: Verdict,
    /// How many registers are wrong at the replica with the most wrong ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong_registers: Option<u32>,
}

/// Expectations of engines, by name.
pub type EngineExpectations = BTreeMap<String, EngineExpectation>;

impl OfflineTrial {
    /// The registers of every replica.
    pub fn fields(&self) -> Fields {
        let Tags { registers, elements, .. } = self.tags;
        Fields {
            tags: registers,
            elements,
            stocks: self.stocks.registers,
            labels: self.labels.registers,
            records: self.records.registers,
            record_labels: if self.records.is_empty() { 0 } else { self.records.labels },
            record_elements: if self.records.is_empty() { 0 } else { self.records.elements },
            texts: self.texts.registers,
            claims: self.claims.registers,
            cases: self.cases.registers,
            case_items: if self.cases.is_empty() { 0 } else { self.cases.items },
            ..Fields::counters(self.registers, self.start)
        }
    }

    /// What users call a register, where registers have names.
    pub fn named(&self, register: u32) -> Option<&str> {
        self.names.get(register as usize).map(String::as_str)
    }

    /// The number of a node by its name: clients first, then the hub, then edges.
    pub fn node(&self, name: &str) -> Option<u32> {
        if let Some(client) = name.strip_prefix("client ") {
            // A number has one way to be written: "+1" and "01" are not clients' names.
            let number = client.parse().ok().filter(|number: &u32| number.to_string() == client);
            return number.filter(|&client| client < self.clients);
        }
        if name == "hub" {
            return self.hub.then_some(self.clients);
        }
        let place = self.edges.iter().position(|edge| edge.name == name)? as u32;
        Some(self.clients + u32::from(self.hub) + place)
    }

    /// The node that all others sync through: the hub, where there is one.
    pub fn root(&self) -> Option<u32> {
        self.hub.then_some(self.clients)
    }

    /// Whether it is written down, step by step.
    pub fn is_scripted(&self) -> bool {
        !self.steps.is_empty()
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> u32 {
        self.clients + u32::from(self.hub) + self.edges.len() as u32
    }

    /// A node's name.
    pub fn name(&self, node: u32) -> String {
        match node.checked_sub(self.clients) {
            None => format!("client {node}"),
            Some(0) if self.hub => "hub".to_owned(),
            Some(place) => self.edges[place as usize - usize::from(self.hub)].name.clone(),
        }
    }

    /// The node above, where there is one.
    pub fn parent(&self, node: u32) -> Option<u32> {
        if node < self.clients {
            let at = self.edges.iter().find(|edge| edge.clients.contains(&node));
            return at.map_or(self.hub.then_some(self.clients), |edge| self.node(&edge.name));
        }
        let place = (node - self.clients) as usize;
        let edge = self.edges.get(place.checked_sub(usize::from(self.hub))?)?;
        self.node(edge.parent.as_deref()?)
    }
}
