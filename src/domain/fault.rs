//! Faults that are planted on purpose, as texts that can be given to `--plant`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The most banks that a bench engine can have; its STATUS register counts them in eight bits, the RTL allows 32.
pub const MOST_BANKS: u32 = 32;

/// A fault to plant in a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Bank K of the engine accumulates nothing. Text: `dead-bank:K`.
    DeadBank(u32),
    /// The engine leaves out the delta of index I. Text: `drop:I`.
    Drop(u32),
    /// The engine applies the delta of index I twice. Text: `duplicate:I`.
    Duplicate(u32),
    /// Bit B of the engine's merged result is inverted. Text: `flip-bit:B`.
    FlipBit(u32),
    /// A READ of the adapter answers with the state before the last ACCUM. Text: `stale-read`.
    StaleRead,
    /// The adapter does not take the high half of an ACCUM. Text: `lost-high-word`.
    LostHighWord,
}

/// The forms that a fault's text may take, for messages.
pub const FORMS: &str = "dead-bank:K (K from 0 to 31), drop:I and duplicate:I (I from 0 to 4294967294), flip-bit:B (B \
                         from 0 to 63), stale-read and lost-high-word";

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
            Fault::DeadBank(_) | Fault::Drop(_) | Fault::Duplicate(_) | Fault::FlipBit(_) => Site::Engine,
            Fault::StaleRead | Fault::LostHighWord => Site::Adapter,
        }
    }
}

/// Why a text is not a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a fault that can be planted; allowed are {FORMS}")]
pub struct FaultError(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::DeadBank(bank) => write!(f, "dead-bank:{bank}"),
            Fault::Drop(index) => write!(f, "drop:{index}"),
            Fault::Duplicate(index) => write!(f, "duplicate:{index}"),
            Fault::FlipBit(bit) => write!(f, "flip-bit:{bit}"),
            Fault::StaleRead => write!(f, "stale-read"),
            Fault::LostHighWord => write!(f, "lost-high-word"),
        }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let refused = || FaultError(text.to_owned());
        let below = |argument: &str, bound: u32| match argument.parse::<u32>() {
            Ok(number) if number < bound => Ok(number),
            _ => Err(refused()),
        };
        match text.split_once(':') {
            Some(("dead-bank", bank)) => below(bank, MOST_BANKS).map(Fault::DeadBank),
            Some(("drop", index)) => below(index, u32::MAX).map(Fault::Drop),
            Some(("duplicate", index)) => below(index, u32::MAX).map(Fault::Duplicate),
            Some(("flip-bit", bit)) => below(bit, u64::BITS).map(Fault::FlipBit),
            None if text == "stale-read" => Ok(Fault::StaleRead),
            None if text == "lost-high-word" => Ok(Fault::LostHighWord),
            _ => Err(refused()),
        }
    }
}

/// A kind of fault that a campaign claims to test for. A claim is worth nothing unless a check tried it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// A READ that answers with an older state.
    StaleRead,
    /// An ACCUM whose high half is lost.
    LostHighWord,
    /// A command that writes or shows another context than it should.
    WrongContext,
    /// A message of changes that does not decode to them.
    WrongMessage,
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
            FaultClass::StaleRead => "stale read",
            FaultClass::LostHighWord => "lost high word",
            FaultClass::WrongContext => "wrong context",
            FaultClass::WrongMessage => "undecodable message",
        })
    }
}

/// What a planted fault did in the device while it ran, counted by the device itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// How often the faulty part was in use.
    pub reached: u64,
    /// How often it came to something else than a sound part would have.
    pub changed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_survives_its_text() {
        for fault in [
            Fault::DeadBank(31),
            Fault::Drop(0),
            Fault::Duplicate(4_294_967_294),
            Fault::FlipBit(63),
            Fault::StaleRead,
            Fault::LostHighWord,
        ] {
            assert_eq!(fault.to_string().parse(), Ok(fault));
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
