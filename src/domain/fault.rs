//! Faults that are planted on purpose, as texts that can be given to `--plant`.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::nearest::meant_form;

/// The most banks that a bench engine can have; its STATUS register counts them in eight bits, the RTL allows 32.
pub const MOST_BANKS: u32 = 32;

/// How an accumulator with a wrong operator takes a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WrongOperator {
    /// `state | delta`.
    Or,
    /// `state + delta`, modulo 2^64.
    Add,
    /// `delta`: the state is overwritten.
    Overwrite,
}

impl WrongOperator {
    /// All of them.
    pub const ALL: [WrongOperator; 3] = [WrongOperator::Or, WrongOperator::Add, WrongOperator::Overwrite];

    /// What the state becomes.
    pub fn apply(self, state: u64, delta: u64) -> u64 {
        match self {
            WrongOperator::Or => state | delta,
            WrongOperator::Add => state.wrapping_add(delta),
            WrongOperator::Overwrite => delta,
        }
    }

    /// Its name, as in the text of a fault.
    pub fn text(self) -> &'static str {
        match self {
            WrongOperator::Or => "or",
            WrongOperator::Add => "add",
            WrongOperator::Overwrite => "overwrite",
        }
    }
}

impl fmt::Display for WrongOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// A fault to plant in a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Bank K of the engine accumulates nothing. Text: `dead-bank:K`.
    DeadBank(u32),
    /// Bank K of the engine reads as all ones when the banks are merged. Text: `stuck-bank:K`.
    StuckBank(u32),
    /// The deltas of banks J and K of the engine go to each other. Text: `swap-banks:J:K`.
    SwapBanks(u32, u32),
    /// The engine leaves out the delta of index I. Text: `drop:I`.
    Drop(u32),
    /// The engine applies the delta of index I twice. Text: `duplicate:I`.
    Duplicate(u32),
    /// The engine takes the deltas of indices I and I + 1 in each other's place. Text: `reorder:I`.
    Reorder(u32),
    /// The engine takes the low half alone of the delta of index I. Text: `torn:I`.
    Torn(u32),
    /// The delta of index I goes to the next bank of the engine. Text: `misaddress:I`.
    Misaddress(u32),
    /// The engine's banks take deltas by a wrong operator. Text: `bank-operator:OP`.
    BankOperator(WrongOperator),
    /// The engine takes one delta fewer than COUNT. Text: `short-count`.
    ShortCount,
    /// The engine takes one delta more than COUNT. Text: `long-count`.
    LongCount,
    /// The engine accumulates nothing in a last clock that not all active banks take part in. Text:
    /// `partial-cycle-dropped`.
    PartialCycleDropped,
    /// The engine's index has B bits and wraps. Text: `index-wraps:B`.
    IndexWraps(u32),
    /// The engine raises done, and takes its result, before the last clock. Text: `early-done`.
    EarlyDone,
    /// The engine's cycle counter is one too high. Text: `extra-cycle`.
    ExtraCycle,
    /// Bit B of the engine's merged result is inverted. Text: `flip-bit:B`.
    FlipBit(u32),
    /// START does not clear the engine's banks: a run goes on from the run before it. CTRL clear does. Text:
    /// `start-keeps-banks`.
    StartKeepsBanks,
    /// The engine's done bit does not fall at START; CTRL clear takes it back. Text: `done-stays`.
    DoneStays,
    /// The engine's COUNT register keeps its low B bits alone. Text: `count-wraps:B`.
    CountWraps(u32),
    /// The engine's CYCLES counter has B bits and wraps. Text: `cycles-wrap:B`.
    CyclesWrap(u32),
    /// The engine's ACTIVE register takes more banks than there are; lanes without a bank lose their deltas. Text:
    /// `active-not-clamped`.
    ActiveNotClamped,
    /// Bit B of the engine's SEED is always 0. Text: `stuck-seed-bit:B`.
    StuckSeedBit(u32),
    /// A reset does not set the engine's SEED: it is 0 after reset. Text: `seed-not-reset`.
    SeedNotReset,
    /// Lane K of the engine takes no index above 255. Text: `short-lane:K`.
    ShortLane(u32),
    /// The engine takes all four bytes of a write, whichever of them are selected. Text: `engine-selects-ignored`.
    EngineSelectsIgnored,
    /// A READ of the adapter answers with the state before the last ACCUM. Text: `stale-read`.
    StaleRead,
    /// A READ of the adapter answers before it is done: with the response of the command before it. Text:
    /// `early-read`.
    EarlyRead,
    /// The adapter does not take the high half of an ACCUM. Text: `lost-high-word`.
    LostHighWord,
    /// The adapter leaves out every N-th ACCUM. Text: `accum-drop:N`.
    AccumDrop(u32),
    /// The adapter carries out every N-th ACCUM twice. Text: `accum-repeat:N`.
    AccumRepeat(u32),
    /// An ACCUM of the adapter that follows another, with no other command between them, starts from the accumulator
    /// before that one, as if its result were not forwarded yet: the delta before is lost. Text: `pipeline-hazard`.
    PipelineHazard,
    /// The adapter takes deltas by a wrong operator. Text: `accum-operator:OP`.
    AccumOperator(WrongOperator),
    /// A LOAD of the adapter does not clear the accumulator. Text: `load-keeps-accumulator`.
    LoadKeepsAccumulator,
    /// A LOAD of the adapter writes the context after the one that it names. Text: `load-wrong-context`.
    LoadWrongContext,
    /// A SWAP of the adapter writes the context after the one that it names. Text: `swap-wrong-context`.
    SwapWrongContext,
    /// A SWAP of the adapter that comes while a context from 128 is selected writes a context from 128, too: bit 7 of the
    /// selected context stays in the address. Text: `swap-keeps-bit-7`.
    SwapKeepsBit7,
    /// A LOAD of the adapter answers with the high half of the state. Text: `load-wrong-response`.
    LoadWrongResponse,
    /// The adapter's STATUS command looks at the low half of the accumulator alone. Text: `zero-bit-low-half`.
    ZeroBitLowHalf,
    /// The adapter takes all four bytes of a write, whichever of them are selected. Text: `adapter-selects-ignored`.
    AdapterSelectsIgnored,
}

/// The forms that a fault's text may take, for messages.
pub const FORMS: &str = "dead-bank:K, stuck-bank:K and swap-banks:J:K (J and K from 0 to 31), drop:I, duplicate:I, \
                         reorder:I, torn:I and misaddress:I (I from 0 to 4294967294), bank-operator:OP and \
                         accum-operator:OP (OP or, add or overwrite), short-count, long-count, partial-cycle-dropped, \
                         index-wraps:B, count-wraps:B and cycles-wrap:B (B from 1 to 31), early-done, extra-cycle, \
                         flip-bit:B and stuck-seed-bit:B (B from 0 to 63), active-not-clamped, seed-not-reset, \
                         short-lane:K (K from 0 to 31), engine-selects-ignored, start-keeps-banks, done-stays, \
                         stale-read, \
                         early-read, lost-high-word, accum-drop:N and accum-repeat:N (N from 1), \
                         pipeline-hazard, \
                         load-keeps-accumulator, load-wrong-context, swap-wrong-context, swap-keeps-bit-7, \
                         load-wrong-response, zero-bit-low-half and adapter-selects-ignored";

/// The names of all faults, without what may follow.
pub const NAMES: [&str; 39] = [
    "dead-bank",
    "stuck-bank",
    "swap-banks",
    "drop",
    "duplicate",
    "reorder",
    "torn",
    "misaddress",
    "bank-operator",
    "short-count",
    "long-count",
    "partial-cycle-dropped",
    "index-wraps",
    "early-done",
    "extra-cycle",
    "flip-bit",
    "start-keeps-banks",
    "done-stays",
    "count-wraps",
    "cycles-wrap",
    "active-not-clamped",
    "stuck-seed-bit",
    "seed-not-reset",
    "short-lane",
    "engine-selects-ignored",
    "stale-read",
    "early-read",
    "lost-high-word",
    "accum-drop",
    "accum-repeat",
    "pipeline-hazard",
    "accum-operator",
    "load-keeps-accumulator",
    "load-wrong-context",
    "swap-wrong-context",
    "swap-keeps-bit-7",
    "load-wrong-response",
    "zero-bit-low-half",
    "adapter-selects-ignored",
];

/// Why a text is not a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a fault that can be planted{meant}; allowed are {FORMS}", meant = meant_form(.0, NAMES))]
pub struct FaultError(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::DeadBank(bank) => write!(f, "dead-bank:{bank}"),
            Fault::StuckBank(bank) => write!(f, "stuck-bank:{bank}"),
            Fault::SwapBanks(one, other) => write!(f, "swap-banks:{one}:{other}"),
            Fault::Drop(index) => write!(f, "drop:{index}"),
            Fault::Duplicate(index) => write!(f, "duplicate:{index}"),
            Fault::Reorder(index) => write!(f, "reorder:{index}"),
            Fault::Torn(index) => write!(f, "torn:{index}"),
            Fault::Misaddress(index) => write!(f, "misaddress:{index}"),
            Fault::BankOperator(operator) => write!(f, "bank-operator:{}", operator.text()),
            Fault::ShortCount => write!(f, "short-count"),
            Fault::LongCount => write!(f, "long-count"),
            Fault::PartialCycleDropped => write!(f, "partial-cycle-dropped"),
            Fault::IndexWraps(bits) => write!(f, "index-wraps:{bits}"),
            Fault::EarlyDone => write!(f, "early-done"),
            Fault::ExtraCycle => write!(f, "extra-cycle"),
            Fault::FlipBit(bit) => write!(f, "flip-bit:{bit}"),
            Fault::StartKeepsBanks => write!(f, "start-keeps-banks"),
            Fault::DoneStays => write!(f, "done-stays"),
            Fault::CountWraps(bits) => write!(f, "count-wraps:{bits}"),
            Fault::CyclesWrap(bits) => write!(f, "cycles-wrap:{bits}"),
            Fault::ActiveNotClamped => write!(f, "active-not-clamped"),
            Fault::StuckSeedBit(bit) => write!(f, "stuck-seed-bit:{bit}"),
            Fault::SeedNotReset => write!(f, "seed-not-reset"),
            Fault::ShortLane(lane) => write!(f, "short-lane:{lane}"),
            Fault::EngineSelectsIgnored => write!(f, "engine-selects-ignored"),
            Fault::StaleRead => write!(f, "stale-read"),
            Fault::EarlyRead => write!(f, "early-read"),
            Fault::LostHighWord => write!(f, "lost-high-word"),
            Fault::AccumDrop(every) => write!(f, "accum-drop:{every}"),
            Fault::AccumRepeat(every) => write!(f, "accum-repeat:{every}"),
            Fault::PipelineHazard => write!(f, "pipeline-hazard"),
            Fault::AccumOperator(operator) => write!(f, "accum-operator:{}", operator.text()),
            Fault::LoadKeepsAccumulator => write!(f, "load-keeps-accumulator"),
            Fault::LoadWrongContext => write!(f, "load-wrong-context"),
            Fault::SwapWrongContext => write!(f, "swap-wrong-context"),
            Fault::SwapKeepsBit7 => write!(f, "swap-keeps-bit-7"),
            Fault::LoadWrongResponse => write!(f, "load-wrong-response"),
            Fault::ZeroBitLowHalf => write!(f, "zero-bit-low-half"),
            Fault::AdapterSelectsIgnored => write!(f, "adapter-selects-ignored"),
        }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let refused = || FaultError(text.to_owned());
        let within = |argument: &str, allowed: Range<u32>| {
            argument.parse::<u32>().ok().filter(|number| allowed.contains(number)).ok_or_else(refused)
        };
        let operator = |argument: &str| {
            WrongOperator::ALL.into_iter().find(|operator| operator.text() == argument).ok_or_else(refused)
        };
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            ["dead-bank", bank] => within(bank, 0..MOST_BANKS).map(Fault::DeadBank),
            ["stuck-bank", bank] => within(bank, 0..MOST_BANKS).map(Fault::StuckBank),
            ["swap-banks", one, other] if one != other => {
                Ok(Fault::SwapBanks(within(one, 0..MOST_BANKS)?, within(other, 0..MOST_BANKS)?))
            }
            ["drop", index] => within(index, 0..u32::MAX).map(Fault::Drop),
            ["duplicate", index] => within(index, 0..u32::MAX).map(Fault::Duplicate),
            ["reorder", index] => within(index, 0..u32::MAX).map(Fault::Reorder),
            ["torn", index] => within(index, 0..u32::MAX).map(Fault::Torn),
            ["misaddress", index] => within(index, 0..u32::MAX).map(Fault::Misaddress),
            ["bank-operator", name] => operator(name).map(Fault::BankOperator),
            ["short-count"] => Ok(Fault::ShortCount),
            ["long-count"] => Ok(Fault::LongCount),
            ["partial-cycle-dropped"] => Ok(Fault::PartialCycleDropped),
            ["index-wraps", bits] => within(bits, 1..u32::BITS).map(Fault::IndexWraps),
            ["early-done"] => Ok(Fault::EarlyDone),
            ["extra-cycle"] => Ok(Fault::ExtraCycle),
            ["flip-bit", bit] => within(bit, 0..u64::BITS).map(Fault::FlipBit),
            ["start-keeps-banks"] => Ok(Fault::StartKeepsBanks),
            ["done-stays"] => Ok(Fault::DoneStays),
            ["count-wraps", bits] => within(bits, 1..u32::BITS).map(Fault::CountWraps),
            ["cycles-wrap", bits] => within(bits, 1..u32::BITS).map(Fault::CyclesWrap),
            ["active-not-clamped"] => Ok(Fault::ActiveNotClamped),
            ["stuck-seed-bit", bit] => within(bit, 0..u64::BITS).map(Fault::StuckSeedBit),
            ["seed-not-reset"] => Ok(Fault::SeedNotReset),
            ["short-lane", lane] => within(lane, 0..MOST_BANKS).map(Fault::ShortLane),
            ["engine-selects-ignored"] => Ok(Fault::EngineSelectsIgnored),
            ["stale-read"] => Ok(Fault::StaleRead),
            ["early-read"] => Ok(Fault::EarlyRead),
            ["lost-high-word"] => Ok(Fault::LostHighWord),
            ["accum-drop", every] => within(every, 1..u32::MAX).map(Fault::AccumDrop),
            ["accum-repeat", every] => within(every, 1..u32::MAX).map(Fault::AccumRepeat),
            ["pipeline-hazard"] => Ok(Fault::PipelineHazard),
            ["accum-operator", name] => operator(name).map(Fault::AccumOperator),
            ["load-keeps-accumulator"] => Ok(Fault::LoadKeepsAccumulator),
            ["load-wrong-context"] => Ok(Fault::LoadWrongContext),
            ["swap-wrong-context"] => Ok(Fault::SwapWrongContext),
            ["swap-keeps-bit-7"] => Ok(Fault::SwapKeepsBit7),
            ["load-wrong-response"] => Ok(Fault::LoadWrongResponse),
            ["zero-bit-low-half"] => Ok(Fault::ZeroBitLowHalf),
            ["adapter-selects-ignored"] => Ok(Fault::AdapterSelectsIgnored),
            _ => Err(refused()),
        }
    }
}

/// The part of a device that a fault is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// The bench engine.
    Engine,
    /// The adapter.
    Adapter,
}

impl Fault {
    /// The part that it is in.
    pub fn site(self) -> Site {
        match self {
            Fault::StaleRead
            | Fault::EarlyRead
            | Fault::LostHighWord
            | Fault::AccumDrop(_)
            | Fault::AccumRepeat(_)
            | Fault::PipelineHazard
            | Fault::AccumOperator(_)
            | Fault::LoadKeepsAccumulator
            | Fault::LoadWrongContext
            | Fault::SwapWrongContext
            | Fault::SwapKeepsBit7
            | Fault::LoadWrongResponse
            | Fault::ZeroBitLowHalf
            | Fault::AdapterSelectsIgnored => Site::Adapter,
            _ => Site::Engine,
        }
    }
}

/// A kind of fault that a campaign claims to test for. A claim is worth nothing unless a check tried it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum FaultClass {
    /// Software accumulators that disagree with the reference.
    WrongAccumulation,
    /// Any set of dead banks.
    DeadBanks,
    /// A single delta that is left out or applied twice.
    LostDelta,
    /// Inverted bits of the merged result.
    FlippedResultBits,
    /// A cycle counter that is wrong.
    WrongCycles,
    /// A state that depends on the order of arrival.
    OrderDependence,
    /// A state that depends on how often a delta arrives.
    RepeatedDelivery,
    /// A READ that answers with an older state.
    StaleRead,
    /// An ACCUM whose high half is lost.
    LostHighWord,
    /// An ACCUM that takes deltas by another operator than XOR.
    WrongOperator,
    /// A delta that is lost because another follows at once.
    PipelineHazard,
    /// A command that writes or shows another context than it should.
    WrongContext,
    /// An engine run that shows, or begins with, what the run before left.
    LeftFromBefore,
    /// A register that does not keep what is written to it, or does not show what it should.
    WrongRegister,
    /// A command whose answer is wrong.
    WrongAnswer,
    /// A message of changes that does not decode to them.
    WrongMessage,
    /// An algebra that does not keep a law which it claims.
    FalseLaw,
    /// An edit of a client that is lost, or counts more than once, on its way through replicas.
    LostEdit,
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            FaultClass::WrongAccumulation => "wrong accumulation",
            FaultClass::DeadBanks => "dead banks",
            FaultClass::LostDelta => "lost or repeated delta",
            FaultClass::FlippedResultBits => "inverted result bits",
            FaultClass::WrongCycles => "wrong cycle counter",
            FaultClass::OrderDependence => "order dependence",
            FaultClass::RepeatedDelivery => "repeated delivery",
            FaultClass::StaleRead => "stale read",
            FaultClass::LostHighWord => "lost high word",
            FaultClass::WrongOperator => "wrong operator of ACCUM",
            FaultClass::PipelineHazard => "pipeline hazard of ACCUM",
            FaultClass::WrongContext => "wrong context",
            FaultClass::LeftFromBefore => "state left by the run before",
            FaultClass::WrongRegister => "wrong register",
            FaultClass::WrongAnswer => "wrong answer of a command",
            FaultClass::WrongMessage => "undecodable message",
            FaultClass::FalseLaw => "law claimed falsely",
            FaultClass::LostEdit => "lost or repeated edit",
        })
    }
}

/// What a planted fault did in the device while it ran, counted by the device itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// How often the faulty part was in use.
    pub reached: u64,
    /// How many words were read, after it was in use, that a sound device would not have shown.
    pub changed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_survives_its_text() {
        for text in [
            "dead-bank:31",
            "stuck-bank:0",
            "swap-banks:0:7",
            "drop:0",
            "duplicate:4294967294",
            "reorder:5",
            "torn:5",
            "misaddress:5",
            "bank-operator:or",
            "bank-operator:add",
            "bank-operator:overwrite",
            "short-count",
            "long-count",
            "partial-cycle-dropped",
            "index-wraps:16",
            "early-done",
            "extra-cycle",
            "flip-bit:63",
            "start-keeps-banks",
            "done-stays",
            "stale-read",
            "early-read",
            "lost-high-word",
            "accum-drop:3",
            "accum-repeat:1",
            "pipeline-hazard",
            "accum-operator:add",
            "load-keeps-accumulator",
            "load-wrong-context",
            "swap-wrong-context",
            "start-keeps-banks",
            "done-stays",
            "count-wraps:24",
            "cycles-wrap:20",
            "active-not-clamped",
            "stuck-seed-bit:61",
            "seed-not-reset",
            "short-lane:7",
            "engine-selects-ignored",
            "swap-keeps-bit-7",
            "load-wrong-response",
            "zero-bit-low-half",
            "adapter-selects-ignored",
        ] {
            let fault: Fault = text.parse().expect("a fault");
            assert_eq!(fault.to_string(), text);
            let name = text.split(':').next().expect("a name");
            assert!(NAMES.contains(&name), "{name}");
        }
    }

    #[test]
    fn the_message_about_a_misspelt_fault_says_which_was_meant() {
        for (text, meant) in [("dead-bnk:1", "dead-bank:1?"), ("lost-hi-word", "lost-high-word?")] {
            let error = text.parse::<Fault>().expect_err(text).to_string();
            assert!(error.contains(&format!("(did you mean {meant})")), "{error}");
        }
    }

    #[test]
    fn what_is_no_fault_is_refused_and_the_message_lists_what_is() {
        for text in ["", "dead-bank", "dead-bank:32", "dead-bank:-1", "drop:4294967295", "flip-bit:64", "stale-read:1"]
        {
            let error = text.parse::<Fault>().expect_err(text);
            assert!(error.to_string().contains("lost-high-word"), "{error}");
        }
    }
}
