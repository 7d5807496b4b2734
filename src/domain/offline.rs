//! Trials of replicas: a world of clients that work offline, the links between them, and what goes wrong.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::data::Fields;
use crate::domain::script::Step;
use crate::domain::seed::Seed;
use crate::domain::traffic::Traffic;
use crate::domain::trial::MemoryMib;
use crate::domain::verdict::Verdict;

/// The most registers that a world can have.
pub const MOST_REGISTERS: u32 = 1 << 20;

/// The most registers that hold tags.
pub const MOST_TAGS: u32 = 4096;

/// The most elements of one of them.
pub const MOST_ELEMENTS: u32 = 1024;

/// Clients up to which is known which edits had reached whom: each edit at each other client is one value.
pub const MOST_WATCHED: u32 = 64;

/// The most clients.
pub const MOST_CLIENTS: u32 = 100_000;

/// A world, and the engines that are put on trial in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfflineTrial {
    /// What everything is drawn from.
    pub seed: Seed,
    /// How many counters there are, 256 if not told.
    #[serde(default = "default_registers")]
    pub registers: u32,
    /// What every counter is at the start.
    #[serde(default)]
    pub start: i64,
    /// Registers that hold tags, and what users do to them. They are numbered after the counters.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// How many clients there are.
    pub clients: u32,
    /// The engines, by name, or `all`; the reference alone if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub engines: Vec<String>,
    /// Mutants that are planted, one after the other, each in the first engine on trial that has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutants: Vec<String>,
    /// Whether there is a hub; without one, every client is linked with every other.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub hub: bool,
    /// Replicas between clients and the hub.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
    /// What the users do, in a world that is drawn.
    #[serde(default = "Workload::absent", skip_serializing_if = "Workload::is_absent")]
    pub workload: Workload,
    /// When clients are connected, in a world that is drawn.
    #[serde(default = "Presence::absent", skip_serializing_if = "Presence::is_absent")]
    pub presence: Presence,
    /// What happens, step by step, in a world that is written down. A world is either drawn or written down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The links of clients.
    #[serde(default)]
    pub link: Link,
    /// The clocks of clients.
    #[serde(default, skip_serializing_if = "Clocks::is_exact")]
    pub clocks: Clocks,
    /// What happens to nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<NodeFault>,
    /// Crashes at random steps of random nodes, besides.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub crashes: u32,
    /// So many worlds like this one, of other seeds, in which every engine that holds is tried, too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_worlds: u32,
    /// Whether a drawn world that falsifies an engine is reduced to a script.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub reduce: bool,
    /// With all faults over and everyone connected, all must be quiescent within so many seconds.
    #[serde(default = "default_settle")]
    pub settle_s: u64,
    /// While two devices are present, whatever is down between them, an edit of one is at the other within so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staleness_s: Option<u64>,
    /// What the hub may have to bear in its busiest second.
    #[serde(default, skip_serializing_if = "LoadBounds::is_none")]
    pub load: LoadBounds,
    /// How engines keep their journals.
    #[serde(default)]
    pub journal: Journal,
    /// Bound on the memory that the world may take.
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

/// Registers that hold tags: sets of elements that users insert and remove. Each is empty at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tags {
    /// How many registers hold tags.
    pub registers: u32,
    /// How many elements each can have. Elements are numbered from 0.
    pub elements: u32,
    /// Edits of each client, at random times.
    pub edits: u32,
    /// Edits of a hundred that remove an element. The others insert one.
    pub removes_percent: u32,
}

impl Default for Tags {
    /// None, of 16 elements; where there are some, 4 edits of 10 remove an element.
    fn default() -> Self {
        Tags { registers: 0, elements: 16, edits: 0, removes_percent: 40 }
    }
}

impl Tags {
    fn is_empty(&self) -> bool {
        self.registers == 0
    }
}

/// A replica between clients and the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// What it is called.
    pub name: String,
    /// The hub, or another edge.
    pub parent: Option<String>,
    /// The clients that are connected to it, and not to the hub.
    pub clients: Vec<u32>,
}

/// What the users do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Ticks of each client, at random times.
    pub ticks: u32,
    /// Registers that one tick changes, each by one edit.
    pub changed: u32,
    /// The largest amount of an edit, either way.
    #[serde(default = "default_most")]
    pub most: u32,
    /// Whether amounts may be negative.
    #[serde(default = "yes")]
    pub decrements: bool,
    /// The exponent of Zipf's law by which registers are chosen, in hundredths; all alike if not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

/// When clients are connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// How long the world lasts before it settles, in seconds.
    pub lasts_s: u64,
    /// The shortest and the longest time that a client is away, in seconds.
    pub away_s: (u64, u64),
    /// The shortest and the longest time that it is connected, in seconds.
    pub here_s: (u64, u64),
}

/// A link between two nodes, the same both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Link {
    /// Bits a second.
    pub bits_per_s: u64,
    /// The time that the first bit takes, in milliseconds.
    pub latency_ms: u64,
    /// More of it, at random, up to so many milliseconds.
    pub jitter_ms: u64,
    /// Messages of a thousand that are lost.
    pub lost_per_mille: u32,
    /// That come twice.
    pub repeated_per_mille: u32,
    /// That are held back until others have overtaken them.
    pub reordered_per_mille: u32,
    /// That lose their end.
    pub truncated_per_mille: u32,
    /// That have a bit flipped.
    pub corrupted_per_mille: u32,
    /// Outages of each link, at random times.
    pub outages: u32,
    /// How long each lasts, in seconds.
    pub outage_s: u64,
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

/// How wrong clients' clocks are: up to so much, either way, at random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clocks {
    /// From the start, in seconds.
    pub skew_s: u64,
    /// How much faster or slower they go, in millionths.
    pub drift_ppm: u32,
    /// How often each jumps.
    pub jumps: u32,
    /// By how much, in seconds.
    pub jump_s: u64,
}

impl Clocks {
    fn is_exact(&self) -> bool {
        *self == Clocks::default()
    }
}

/// What the hub may have to bear in any one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadBounds {
    /// Attempts to connect to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
    /// Messages that arrive at it and that it sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Their bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
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
#[serde(deny_unknown_fields)]
pub struct NodeFault {
    /// What.
    pub kind: FaultKind,
    /// To whom: `client N`, `hub`, or an edge's name.
    pub node: String,
    /// When, in seconds.
    pub at_s: u64,
    /// For how long it is down or away, in seconds.
    #[serde(default)]
    pub for_s: u64,
    /// The backup's age when a store is restored from it, in seconds.
    #[serde(default)]
    pub age_s: u64,
    /// Whose values a device is set up from, where it is set up from bare values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Whose message is dropped: the node sends it to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Which of the messages to drop, from 1, counted from `at_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// Among messages of which kind; all if not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageKind>,
    /// What becomes of messages to a frozen process; they wait if not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<WhileFrozen>,
}

/// Kinds of messages that the network can tell apart. Each message is of one kind, the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(rename_all = "kebab-case")]
pub enum WhileFrozen {
    /// The host keeps them until the process goes on.
    Wait,
    /// They are lost.
    Lost,
}

/// What can happen to a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
            FaultKind::Outage | FaultKind::Full | FaultKind::Refuse | FaultKind::ReadOnly | FaultKind::Freeze
        )
    }
}

/// How engines keep their journals, where they have a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Journal {
    /// Deltas that a compaction leaves, though it need not.
    pub retain: u64,
    /// Entries after which the journal is compacted.
    pub compact_after: u64,
    /// Bytes of the longest message that travels in one fragment.
    pub fragment: u32,
}

impl Default for Journal {
    fn default() -> Self {
        Journal { retain: 64, compact_after: 4096, fragment: 4096 }
    }
}

/// A small world in which every crash and every order of deliveries is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrashEverywhereTrial {
    /// Named for the record; nothing is drawn.
    pub seed: Seed,
    /// Clients, besides the hub.
    pub clients: u32,
    /// Edits of each client, of one register.
    pub edits: u32,
    /// Retries of all nodes together.
    pub retries: u32,
    /// Crashes of all nodes together.
    pub crashes: u32,
    /// Messages that may be lost, together.
    #[serde(default)]
    pub losses: u32,
    /// Edits of each client before it connects for the first time; the others come at any time.
    #[serde(default)]
    pub edits_before: u32,
    /// Whether messages outlive the connection that they were sent in.
    #[serde(default)]
    pub late: bool,
    /// The engine that is walked through; the reference if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Mutants that are planted, one after the other, in a smaller world: of one client, with at least one message that
    /// may be lost and edits at any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutants: Vec<String>,
    /// The most states that are visited for each. A state takes 150 to 700 bytes of memory, those of what its nodes hold
    /// included.
    #[serde(default = "default_states")]
    pub most_states: u64,
}

fn default_states() -> u64 {
    5_000_000
}

/// What a scenario expects of one engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineExpectation {
    /// Its verdict.
    pub verdict: Verdict,
    /// How many registers are wrong at the replica that has most of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong_registers: Option<u32>,
}

/// Expectations of engines, by name.
pub type EngineExpectations = BTreeMap<String, EngineExpectation>;

impl OfflineTrial {
    /// The registers of every replica.
    pub fn fields(&self) -> Fields {
        let Tags { registers, elements, .. } = self.tags;
        Fields { counters: self.registers, start: self.start, tags: registers, elements }
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
