//! What a subject can be asked to do, and what it shows when it has done so.

use crate::domain::access::Access;
use crate::domain::data::Element;
use crate::domain::delta::Generator;
use crate::domain::law::Law;
use crate::domain::offline::OfflineTrial;
use crate::domain::order::Order;
use crate::domain::seed::Seed;
use crate::domain::way::Way;

/// One run of a bench engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineRun {
    /// Number of generated deltas.
    pub count: u32,
    /// Number of banks that share them: bank `k` takes the indices `k`, `k + active`, `k + 2 * active`, …
    pub active: u32,
    /// What the indices are combined with.
    pub seed: Seed,
}

impl EngineRun {
    /// The clock cycles that the run takes: ceil(count / active).
    pub fn cycles(self) -> u32 {
        self.count.div_ceil(self.active)
    }
}

/// What an engine shows after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineOutcome {
    /// The merged accumulators of the banks.
    pub result: u64,
    /// Clock cycles of the accumulate loop.
    pub cycles: u32,
}

/// The words by which a law is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LawCase {
    /// The law.
    pub law: Law,
    /// How wide the words are: 8 or 64 bits.
    pub bits: u32,
    /// As many as the law has operands; none for all words, which are tried at 8 bits alone.
    pub words: Vec<u64>,
}

/// One operation of the adapter on 64-bit words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AdapterOp {
    /// Selects the context, writes its reference, clears the accumulator.
    Load {
        /// Which of the 256.
        context: u8,
        /// Its new reference.
        reference: u64,
    },
    /// Selects the context and writes nothing: the first half of a LOAD.
    Select {
        /// Which of the 256.
        context: u8,
    },
    /// XORs a delta into the accumulator.
    Accumulate(u64),
    /// Writes the current state into this context, selects it, clears the accumulator.
    Swap {
        /// Which of the 256.
        context: u8,
    },
    /// Shows the selected context's reference XOR the accumulator.
    Read,
}

/// Everything that a case can ask of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    /// A bench engine generates and accumulates its own deltas.
    Engine(EngineRun),
    /// A software accumulator accumulates the deltas `start..start + count`.
    Accumulate {
        /// What generates them.
        generator: Generator,
        /// The first index.
        start: u32,
        /// Number of deltas.
        count: u32,
        /// What the indices are combined with.
        seed: Seed,
        /// Whether they arrive together, from memory; else the accumulator generates them itself.
        arrive: bool,
    },
    /// The deltas `0..count` arrive one at a time in this order, from a start of 0.
    Delivery {
        /// Number of deltas in the workload.
        count: u32,
        /// What the indices are combined with.
        seed: Seed,
        /// The order in which they arrive.
        order: Order,
    },
    /// Two sequences of the same deltas, each merged by an algebra from the same start.
    Merge {
        /// The state before any delivery.
        start: u64,
        /// The deltas' values in one order.
        first: Vec<u64>,
        /// In the other.
        second: Vec<u64>,
    },
    /// Clients of an engine edit one register while they are away, and then connect, one after the other.
    Edits {
        /// The register at the start.
        start: i64,
        /// The amounts of each client's edits.
        clients: Vec<Vec<i64>>,
    },
    /// Clients of an engine insert elements into one tags register while they are away, and then connect, one after the
    /// other. The register is empty at the start; as a word it has a bit for each of its elements, which are 0 to 63.
    Tags {
        /// The elements that each client inserts.
        clients: Vec<Vec<Element>>,
    },
    /// A world of clients that is written down, step by step. It names no engine: the case does.
    Script(Box<OfflineTrial>),
    /// A way through a small world of an engine.
    Walk(Box<Way>),
    /// Words by which a law of an algebra is tried.
    Law(LawCase),
    /// Operations of an adapter, one after the other, from whatever state it is in.
    Adapter(Vec<AdapterOp>),
    /// Accesses to a device's registers, one after the other, from whatever state it is in.
    Registers(Vec<Access>),
}
