//! What can be put on trial.

use std::ops::Range;

use crate::domain::access::{Access, Register};
use crate::domain::asked::Asked;
use crate::domain::delta::Deltas;
use crate::domain::evidence::Evidence;
use crate::domain::execution::{AdapterOp, EngineOutcome, EngineRun};
use crate::domain::fault::{Activity, Fault, Site};
use crate::domain::link_events::LinkEvents;
use crate::domain::watch::Watch;
use crate::domain::waveform::Look;

/// Why a subject gave no answer. A wrong answer is not an error: it is judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// It cannot be reached, or did not answer within its deadline.
    #[error("{0}")]
    Unavailable(String),
    /// The harness contradicts itself: whatever it says of this run is worth nothing.
    #[error("{0}")]
    Internal(String),
    /// What was kept of an earlier run cannot be used, or what this one comes to cannot be kept.
    #[error("{0}")]
    Journal(String),
    /// The user stopped the run.
    #[error("stopped by the user")]
    Interrupted,
}

/// A system that takes deltas in the order in which they arrive and shows a state.
pub trait Subject {
    /// Its name, as `--backend` takes it.
    fn name(&self) -> &str;

    /// How its answers are got.
    fn evidence(&self) -> Evidence;

    /// The longest order that it can be asked to take, in deltas.
    fn longest_order(&self) -> u64;

    /// What is planted in it, and what each fault has done so far.
    fn planted(&self) -> Vec<(Fault, Activity)> {
        Vec::new()
    }

    /// Brings it to the state in which it was opened, as far as that can be done, so that an execution can be repeated
    /// from the same start. The state to deliver to is set by [`Subject::reset`].
    fn restart(&mut self) -> Result<(), SubjectError> {
        Ok(())
    }

    /// Sets its state to 0.
    fn reset(&mut self) -> Result<(), SubjectError>;

    /// Applies these deltas, one after the other, to what arrived before.
    fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError>;

    /// The state after all that arrived.
    fn observe(&mut self) -> Result<u64, SubjectError>;
}

/// A software accumulator: it can also generate the deltas that it applies.
pub trait Accumulator: Subject {
    /// Applies the deltas with these indices, every one of them: no algebraic short cut.
    fn accumulate(&mut self, deltas: Deltas, indices: Range<u64>);

    /// The same accumulator with its work shared out otherwise, which must change no result; none if it shares nothing out.
    fn rearranged(&self) -> Vec<Rearranged> {
        Vec::new()
    }
}

/// An accumulator with its work shared out in its own way.
pub struct Rearranged {
    /// By the name under which it can be opened.
    pub accumulator: Box<dyn Accumulator>,
    /// Numbers of deltas that show how it shares them out: every remainder over its workers, and its parts whole.
    pub lengths: Vec<u64>,
}

/// What an accumulator does, as a function of its state: one word, and no other.
///
/// Nothing can be kept where nothing can be written, so a snapshot of the word holds all state. What arrives one by one
/// must lead to the same state as what arrives together.
pub trait WordState: Sync {
    /// The state after these deltas have arrived at this one.
    fn after(&self, state: u64, arrivals: &[u64]) -> u64;
}

/// What is known of a device before it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceIdentity {
    /// Version of the design, as its STATUS register tells; 0 if nothing tells it.
    pub version: u32,
    /// Number of banks of its bench engine, as its STATUS register tells; 0 if it has no bench engine.
    pub banks: u32,
    /// How it is reached.
    pub link: String,
}

/// A word that our driver wrote to a register and read back otherwise, several times in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misread {
    /// The register.
    pub register: Register,
    /// What was written.
    pub wrote: u32,
    /// What was read back.
    pub read: u32,
}

/// What a device's adapter keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdapterShape {
    /// 256 contexts, and SWAP between them.
    Contexts,
    /// One state; context 0 is all that can be named, and there is no SWAP.
    OneState,
}

/// A device with an adapter.
pub trait Device: Subject {
    /// What it says of itself.
    fn identity(&self) -> &DeviceIdentity;

    /// What its adapter keeps, and so which operations it can be asked for.
    fn adapter(&self) -> AdapterShape {
        AdapterShape::Contexts
    }

    /// Writes a word to registers that keep it and do nothing else, and reads it back, over the link that leads to the
    /// device. `None` if there is no link, or are no such registers.
    fn echo(&mut self, _word: u64) -> Result<Option<u64>, SubjectError> {
        Ok(None)
    }

    /// What happened on the link that leads to it.
    fn link_events(&self) -> LinkEvents {
        LinkEvents::default()
    }

    /// What the driver read back otherwise than it had written it, when it opened the device and since.
    fn misreads(&self) -> &[Misread] {
        &[]
    }

    /// What went otherwise than expected when the device was opened, a sentence without its full stop each.
    fn opening(&self) -> &[String] {
        &[]
    }

    /// Has the adapter carry out these operations; gives what each [`AdapterOp::Read`] showed, in order.
    fn operate(&mut self, ops: &[AdapterOp]) -> Result<Vec<u64>, SubjectError>;
}

/// A device with an adapter and a bench engine.
pub trait BenchDevice: Device {
    /// Has the bench engine generate and accumulate deltas.
    fn run(&mut self, run: EngineRun, watch: &mut dyn Watch) -> Result<EngineOutcome, SubjectError>;

    /// Makes these accesses to its registers, one after the other, from the state in which it was opened or, where the
    /// list begins with [`Access::Reset`], from its reset; gives the words that they show, in order.
    fn access(&mut self, accesses: &[Access], watch: &mut dyn Watch) -> Result<Vec<u32>, SubjectError>;

    /// Whether it is in this process: it can be reset, bytes of a word can be written, and nothing but what is asked of
    /// it takes time.
    fn is_in_process(&self) -> bool {
        false
    }

    /// Whether some bytes of a word can be written to it.
    fn selects_bytes(&self) -> bool {
        false
    }

    /// What was asked of it so far.
    fn asked(&self) -> &Asked;

    /// Whether it is a simulation that can be looked into.
    fn can_be_looked_into(&self) -> bool {
        false
    }

    /// Has `drive` use the same device again, from its start, and looks into this part of it meanwhile; `None` where that
    /// cannot be done. `drive` may be called several times, and has to do the same each time.
    fn look_into(&self, _part: Site, _drive: &mut Drive) -> Result<Option<Look>, SubjectError> {
        Ok(None)
    }
}

/// Uses a device that is looked into.
pub type Drive<'a> = dyn FnMut(&mut dyn BenchDevice) -> Result<(), SubjectError> + 'a;
