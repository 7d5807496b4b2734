//! What a record holds of a world of clients.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::data::{DataType, Decided};
use crate::domain::evidence::Evidence;
use crate::domain::fault_count::FaultCounts;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::traffic::Traffic;
use crate::domain::verdict::{Verdict, Warrant};
use crate::report::record::Latencies;

/// A world of clients, and what engines made of it. All times are virtual.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfflineRecord {
    /// How the numbers were got.
    pub evidence: Evidence,
    /// Clients.
    pub clients: u32,
    /// Registers.
    pub registers: u32,
    /// Whether there is a hub; without one, clients send to each other.
    pub hub: bool,
    /// Edits that users saw accepted, and that meant something: nobody removes what is not shown.
    pub edits: u64,
    /// One row an engine.
    pub engines: Vec<EngineRecord>,
    /// Engines that this world does not suit, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, String>,
    /// One row a planted mutant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutants: Vec<MutantRecord>,
    /// The hub's merges on accumulators, against the hub.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merges: Vec<MergeRecord>,
    /// Why there are none, where there could be some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merges_left_out: Option<String>,
}

/// What an engine came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineRecord {
    /// Its name.
    pub name: String,
    /// Its verdict: the worst of its judges'.
    pub verdict: Verdict,
    /// What a `holds` rests on.
    pub warrant: Option<Warrant>,
    /// Each judge's verdict and sentence.
    pub oracles: BTreeMap<OracleId, (Verdict, String)>,
    /// Whether another run gives the same: not with an engine that has timers of its own, nor with one that says so.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub repeats: bool,
    /// Of an engine that has timers of its own: every run of the scenario's own world.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<WorldRecord>,
    /// Every world that was tried: the scenario's own, and then those that were drawn. They differ from it in their seed
    /// alone, and it is none of the sample.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worlds: Vec<WorldRecord>,
    /// Registers that are wrong at the replica that has most of them.
    pub wrong_registers: u32,
    /// Messages that arrived, and of these, damaged ones.
    pub deliveries: u64,
    /// Messages that did not decode.
    pub damaged: u64,
    /// How often each fault that the scenario asks for was injected, and how often it took effect, in all worlds that
    /// were tried; by the scenario's key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: FaultCounts,
    /// Edits that were refused: their users were notified, and they are not in the ledger.
    #[serde(default, skip_serializing_if = "is_none")]
    pub refused_edits: u64,
    /// Bytes that clients sent: without a hub, all bytes.
    pub up: Traffic,
    /// Bytes that were sent to clients by others than clients: without a hub, none. No byte is in both.
    pub down: Traffic,
    /// Both ways, in per mille of what the full state takes in this world; nothing if that is not on trial.
    pub of_full_state_per_mille: Option<u64>,
    /// The information bound, both ways: what it takes to say once which counters each client changed, and by how much, where
    /// all choices are alike. Nothing in a world that is written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_bytes: Option<u64>,
    /// Bytes and edits in equal parts of the world's time until faults are over: how bytes grow with history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over_time: Vec<PartRecord>,
    /// Bytes that all nodes keep.
    pub stored: u64,
    /// For every edit and every other client that came to have it: how long that took, in milliseconds. With an engine
    /// that sends no ids, a client has an edit when it takes a message from a state that the edit went into, whatever the
    /// merge makes of it.
    pub staleness_ms: Latencies,
    /// For every edit and every other client: how many never came to have it, and are in no percentile. Nothing in a world
    /// of more than 64 clients, where staleness is not measured.
    pub undelivered: Option<u64>,
    /// The same as a histogram: HdrHistogram's V2 encoding, in base64.
    pub staleness_histogram: String,
    /// For every edit that all replicas came to have, edges and the hub included: how long that took, in milliseconds.
    /// What it means to have one is as for staleness.
    #[serde(default)]
    pub convergence_ms: Latencies,
    /// How many edits some replica never came to have, and are in no percentile. Nothing where staleness is not measured.
    #[serde(default)]
    pub unconverged: Option<u64>,
    /// The same as a histogram, in the same encoding.
    #[serde(default)]
    pub convergence_histogram: String,
    /// For every world that was tried and in which all replicas showed the same bytes in the end: how long that took from
    /// the end of all faults, in milliseconds.
    #[serde(default)]
    pub world_convergence_ms: Latencies,
    /// How many of the worlds that were tried are in no percentile: their replicas differed in the end, or were not quiescent.
    #[serde(default)]
    pub unconverged_worlds: u64,
    /// The same as a histogram, in the same encoding.
    #[serde(default)]
    pub world_convergence_histogram: String,
    /// From the end of all faults until the last message, in milliseconds.
    pub settled_ms: u64,
    /// Steps of the script that could not be done, or that waited in vain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<String>,
    /// Stores that were refused when their nodes started again: whose, why, and what was lost with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_stores: Vec<String>,
    /// What became of the edits of each register with a name, in the scenario's own world.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldRecord>,
    /// The backlog, the statuses and a part of the audit of the replicas, where they tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<ReplicaRecord>,
}

/// What became of the edits of a register with a name. Every edit is counted once: merged, superseded, dropped, unaccounted,
/// waiting, or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldRecord {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub data: DataType,
    /// Who can say that an edit of it counts: it follows from what it holds, whatever the engine makes of it.
    pub decided: Decided,
    /// Edits that users made and that meant something, refused ones among them.
    pub edits: u64,
    /// Edits that all replicas show in the end, or that are in a sum which is right everywhere.
    pub merged: u64,
    /// Edits in whose place a user who had seen them made another.
    #[serde(default, skip_serializing_if = "is_none")]
    pub superseded: u64,
    /// Edits that a replica does not show in the end though nobody who had seen them took them away.
    #[serde(default, skip_serializing_if = "is_none")]
    pub dropped: u64,
    /// Edits of a sum that is wrong: which of them count, nobody can tell.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unaccounted: u64,
    /// Edits that still wait for a decision in the end.
    #[serde(default, skip_serializing_if = "is_none")]
    pub waiting: u64,
    /// Edits that were refused, by the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedRecord>,
    /// The most values that any replica showed of a label at once: a conflict that users could see, as far as there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<String>,
    /// How edits waited until they were decided, where any did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<WaitedRecord>,
    /// What nobody may be shown and somebody was, in sentences without their full stops.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<String>,
    /// What replicas show in the end: one view if all agree.
    pub shows: Vec<ShownRecord>,
}

/// Edits that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedRecord {
    /// Why.
    pub why: String,
    /// How many.
    pub edits: u64,
    /// The first of them.
    pub first: String,
}

/// Edits that waited until somebody had decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitedRecord {
    /// How many their own users saw waiting.
    pub edits: u64,
    /// For whom.
    pub decided_by: String,
    /// The longest time from an edit until its user saw it decided, in milliseconds; 0 where none was decided.
    pub longest_ms: u64,
    /// How many of them were not decided in the end, as far as their users were told.
    #[serde(default, skip_serializing_if = "is_none")]
    pub undecided: u64,
    /// What the first of those users was shown meanwhile.
    pub shown: String,
    /// Registers that showed edits of others to such a user meanwhile, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub came_in: Vec<String>,
}

/// What replicas show of a register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownRecord {
    /// The view, in words.
    pub view: String,
    /// Which replicas show it; empty where all do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
}

/// A part of a world's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartRecord {
    /// All bytes that nodes sent.
    pub bytes: u64,
    /// Of these, ids and acknowledgements.
    pub metadata_bytes: u64,
    /// Edits that users saw accepted, and that meant something: nobody removes what is not shown.
    pub edits: u64,
}

/// One world in which an engine was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldRecord {
    /// What it is drawn from.
    pub seed: Seed,
    /// The engine's verdict there.
    pub verdict: Verdict,
    /// Each judge's.
    pub judges: BTreeMap<OracleId, Verdict>,
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// When a replica was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// When faults were over, and nobody was connected again yet.
    FaultsOver,
    /// In the end.
    #[default]
    Settled,
}

/// What one replica says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicaRecord {
    /// Its node.
    pub node: String,
    /// When.
    #[serde(default)]
    pub when: Moment,
    /// Registers by status.
    pub statuses: BTreeMap<String, u32>,
    /// Edits that no other node has acknowledged.
    pub backlog: u64,
    /// Deltas that they make up so far.
    #[serde(default)]
    pub backlog_deltas: u64,
    /// Messages that wait for an acknowledgement.
    #[serde(default)]
    pub backlog_messages: u64,
    /// Whether its journal, played again, leads to what it shows.
    pub replays: bool,
    /// Whether it shows the same once its state was taken from its store again.
    #[serde(default)]
    pub rebuilds: bool,
    /// Messages that it sends when it is asked to try everything again.
    #[serde(default)]
    pub requeued: u64,
    /// Deltas that it could not take.
    pub refused: u64,
    /// Why it could not take its parent's snapshot, where it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmergeable: Option<String>,
    /// What its store had against being read, where it had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<String>,
    /// The last changes of one register: whose, how much, and through which message; then what all before them come to.
    /// Together they come to what it shows, from a start of 0.
    pub audit: Vec<String>,
}

/// A planted mutant, and who caught it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MutantRecord {
    /// The engine that it was planted in.
    pub engine: String,
    /// Its name.
    pub mutant: String,
    /// The judges that falsified the mutant and not the engine without it, by name.
    pub caught_by: Vec<OracleId>,
    /// What the first of them says.
    pub sentence: String,
    /// The shortest way that is known to show it, as a text for `abench replay`; of a mutant that was walked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

/// A hub's merges, made again by an accumulator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeRecord {
    /// The engine.
    pub engine: String,
    /// The accumulator, as `--backend` takes it.
    pub backend: String,
    /// How its answers are got.
    pub evidence: Evidence,
    /// Merges.
    pub merges: u64,
    /// Of these, changes that only a start of the hub explains: what a crash took back or left.
    #[serde(default)]
    pub by_starts: u64,
    /// Bytes that were compared.
    pub compared: u64,
    /// Of these, bytes that differ.
    pub different: u64,
}

/// Every crash and every order of deliveries in a small world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EverywhereRecord {
    /// How the numbers were got.
    pub evidence: Evidence,
    /// The replica as it is.
    pub sound: WalkedRecord,
    /// The smaller world in which mutants are planted, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planted_in: Option<PlantedInRecord>,
    /// Each planted mutant, in that smaller world.
    pub mutants: Vec<MutantRecord>,
}

/// How the states of an engine are explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Explored {
    /// Nodes are copied in memory.
    BySnapshot,
    /// Nodes are started again, and the same happens to them.
    ByReExecution,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Explored::BySnapshot => "by snapshot",
            Explored::ByReExecution => "by re-execution",
        })
    }
}

/// A walk over every order of deliveries in a small world, with one engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveriesRecord {
    /// The engine.
    pub engine: String,
    /// How the numbers were got.
    pub evidence: Evidence,
    /// How its states were explored.
    pub explored: Explored,
    /// How far the walk came. The way to what is wrong is that of the smallest world in which it was found.
    pub walked: WalkedRecord,
    /// The smallest world in which the engine fails, in words, where it is smaller than that of the trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest: Option<String>,
    /// What the judges say.
    pub verdict: Verdict,
    /// How the engine did not repeat itself, if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrepeatable: Option<String>,
    /// How far the walk came, where it ended because its actions were used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<String>,
    /// What each judge says of the end that one of them has something against, where there is one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub against: BTreeMap<OracleId, (Verdict, String)>,
}

/// The world in which mutants are planted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlantedInRecord {
    /// What it is, in words.
    pub world: String,
    /// The replica without a mutant, there.
    pub sound: WalkedRecord,
}

/// A walk through a small world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalkedRecord {
    /// States that can be reached.
    pub states: u64,
    /// Steps between them.
    pub steps: u64,
    /// Of these, crashes: at each point between two actions of a node, with each thing that the disk may have kept.
    pub crashes: u64,
    /// Of these, deliveries.
    pub deliveries: u64,
    /// Ways from the beginning to an end, as a full integer.
    pub ways: String,
    /// Ends that differ.
    pub ends: u64,
    /// Whether all of them were visited.
    pub complete: bool,
    /// The way to the first end that a judge has something against, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub way_there: Vec<String>,
}
