//! Subjects that are right but for what is planted in them: what a control gives to a judge.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::access::Access;
use crate::domain::asked::Asked;
use crate::domain::delta::Deltas;
use crate::domain::evidence::Evidence;
use crate::domain::execution::{AdapterOp, EngineOutcome, EngineRun};
use crate::domain::replica::Merging;
use crate::domain::subject::{Accumulator, BenchDevice, Device, DeviceIdentity, Subject, SubjectError, WordState};
use crate::domain::watch::Watch;
use crate::experiment::control::NAME;
use crate::experiment::standard::conformance;
use crate::explore::exhaustive::{Fault, Limits, Outcome, Refused, explore_with};
use crate::oracle::contexts::Contexts;
use crate::oracle::registers::Documented;
use crate::subject::scalar::Scalar;
use crate::subject::walk::{Truth, Walkable};

/// Banks of the device.
pub const BANKS: u32 = 8;

/// What is XORed into a word.
type Mask = Box<dyn Fn(u64) -> u64>;

/// What is XORed into a word that a list of accesses shows, by the list and the number of the word.
type OfList = Box<dyn Fn(&[Access], u64) -> u64>;

/// A device that is right but for what is XORed into its answers.
pub struct WrongDevice {
    identity: DeviceIdentity,
    contexts: Contexts,
    state: u64,
    reads: u64,
    echoes: u64,
    /// By the number of the READ since the last restart.
    of_read: Mask,
    /// By the right state.
    of_state: Mask,
    of_run: Box<dyn Fn(EngineRun) -> (u64, u32)>,
    /// By the number of the word.
    of_echo: Mask,
    of_word: OfList,
    asked: Asked,
}

impl WrongDevice {
    /// One whose every answer is right.
    pub fn right() -> Self {
        WrongDevice {
            identity: DeviceIdentity { version: 2, banks: BANKS, link: "in-process".to_owned() },
            contexts: Contexts::default(),
            state: 0,
            reads: 0,
            echoes: 0,
            of_read: Box::new(|_| 0),
            of_state: Box::new(|_| 0),
            of_run: Box::new(|_| (0, 0)),
            of_echo: Box::new(|_| 0),
            of_word: Box::new(|_, _| 0),
            asked: Asked::default(),
        }
    }

    /// One whose READs are wrong by this, by their number since the last restart.
    pub fn in_reads(mask: impl Fn(u64) -> u64 + 'static) -> Self {
        WrongDevice { of_read: Box::new(mask), ..WrongDevice::right() }
    }

    /// One whose READs are wrong by this mask wherever they should show this state.
    pub fn in_states(state: u64, mask: u64) -> Self {
        WrongDevice { of_state: Box::new(move |right| if right == state { mask } else { 0 }), ..WrongDevice::right() }
    }

    /// One whose engine runs are wrong by this, in result and cycles.
    pub fn in_runs(mask: impl Fn(EngineRun) -> (u64, u32) + 'static) -> Self {
        WrongDevice { of_run: Box::new(mask), ..WrongDevice::right() }
    }

    /// One whose registers show words that are wrong by this, by their number in a list of accesses.
    pub fn in_words(mask: impl Fn(u64) -> u64 + 'static) -> Self {
        WrongDevice::in_lists(move |_, number| mask(number))
    }

    /// The same, by the list of accesses too.
    pub fn in_lists(mask: impl Fn(&[Access], u64) -> u64 + 'static) -> Self {
        WrongDevice { of_word: Box::new(mask), ..WrongDevice::right() }
    }

    /// One behind a link that damages words by this, by their number from 0.
    pub fn in_echoes(mask: impl Fn(u64) -> u64 + 'static) -> Self {
        WrongDevice { of_echo: Box::new(mask), ..WrongDevice::right() }
    }
}

impl Subject for WrongDevice {
    fn name(&self) -> &str {
        NAME
    }

    fn evidence(&self) -> Evidence {
        Evidence::Software
    }

    fn longest_order(&self) -> u64 {
        u64::MAX
    }

    fn restart(&mut self) -> Result<(), SubjectError> {
        (self.contexts, self.reads) = (Contexts::default(), 0);
        Ok(())
    }

    fn reset(&mut self) -> Result<(), SubjectError> {
        self.state = 0;
        Ok(())
    }

    fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
        self.state = arrivals.iter().fold(self.state, |state, delta| state ^ delta);
        Ok(())
    }

    fn observe(&mut self) -> Result<u64, SubjectError> {
        Ok(self.state)
    }
}

impl Device for WrongDevice {
    fn identity(&self) -> &DeviceIdentity {
        &self.identity
    }

    fn echo(&mut self, word: u64) -> Result<Option<u64>, SubjectError> {
        let came = word ^ (self.of_echo)(self.echoes);
        self.echoes += 1;
        Ok(Some(came))
    }

    fn operate(&mut self, ops: &[AdapterOp]) -> Result<Vec<u64>, SubjectError> {
        let mut shown = Vec::new();
        for &op in ops {
            let state = self.contexts.follow(op);
            if op == AdapterOp::Read {
                let right = state.unwrap_or(0);
                shown.push(right ^ (self.of_state)(right) ^ (self.of_read)(self.reads));
                self.reads += 1;
            }
        }
        Ok(shown)
    }
}

impl BenchDevice for WrongDevice {
    fn run(&mut self, run: EngineRun, _watch: &mut dyn Watch) -> Result<EngineOutcome, SubjectError> {
        let mut scalar = Scalar::default();
        scalar.accumulate(Deltas::of_engine(run.seed), 0..run.count.into());
        let (result, cycles) = (self.of_run)(run);
        Ok(EngineOutcome { result: scalar.observe()? ^ result, cycles: run.cycles() ^ cycles })
    }

    fn access(&mut self, accesses: &[Access], _watch: &mut dyn Watch) -> Result<Vec<u32>, SubjectError> {
        let mut documented = Documented::new(conformance::known(self));
        let mut shown = Vec::new();
        for &access in accesses {
            let expected = documented.follow(access);
            if access.shows() {
                let right = expected.map_or(0, |(word, _)| word);
                shown.push(right ^ (self.of_word)(accesses, shown.len() as u64) as u32);
            }
        }
        Ok(shown)
    }

    fn asked(&self) -> &Asked {
        &self.asked
    }
}

/// An accumulator whose state is one word, and which merges a delta into it by a function.
#[derive(Clone)]
pub struct WrongMerge(Arc<dyn Fn(u64, u64) -> u64 + Send + Sync>);

impl WrongMerge {
    /// One that merges by this function of state and delta.
    pub fn by(merge: impl Fn(u64, u64) -> u64 + Send + Sync + 'static) -> Self {
        WrongMerge(Arc::new(merge))
    }
}

impl WordState for WrongMerge {
    fn after(&self, state: u64, arrivals: &[u64]) -> u64 {
        arrivals.iter().fold(state, |state, &delta| (self.0)(state, delta))
    }
}

// A walk asks for the merge alone.
impl Subject for WrongMerge {
    fn name(&self) -> &str {
        NAME
    }

    fn evidence(&self) -> Evidence {
        Evidence::Software
    }

    fn longest_order(&self) -> u64 {
        u64::MAX
    }

    fn reset(&mut self) -> Result<(), SubjectError> {
        Ok(())
    }

    fn deliver(&mut self, _arrivals: &[u64]) -> Result<(), SubjectError> {
        Ok(())
    }

    fn observe(&mut self) -> Result<u64, SubjectError> {
        Ok(0)
    }
}

impl Accumulator for WrongMerge {
    fn accumulate(&mut self, _deltas: Deltas, _indices: Range<u64>) {}
}

/// An accumulator whose merge is right, and whose walk, or its comparison with the truth, leaves something out.
#[derive(Clone)]
pub struct WrongWalk {
    /// What the walk does wrong.
    pub fault: Option<Fault>,
    /// What the comparison says.
    pub compared: Truth,
}

// A control asks for the walk alone.
impl Subject for WrongWalk {
    fn name(&self) -> &str {
        NAME
    }

    fn evidence(&self) -> Evidence {
        Evidence::Software
    }

    fn longest_order(&self) -> u64 {
        u64::MAX
    }

    fn reset(&mut self) -> Result<(), SubjectError> {
        Ok(())
    }

    fn deliver(&mut self, _arrivals: &[u64]) -> Result<(), SubjectError> {
        Ok(())
    }

    fn observe(&mut self) -> Result<u64, SubjectError> {
        Ok(0)
    }
}

impl Accumulator for WrongWalk {
    fn accumulate(&mut self, _deltas: Deltas, _indices: Range<u64>) {}
}

impl Walkable for WrongWalk {
    fn another(&self) -> Box<dyn Walkable> {
        Box::new(self.clone())
    }

    fn walk(&self, deltas: &[u64], limits: &Limits, watch: &mut dyn Watch) -> Result<Outcome, Refused> {
        let replica = Merging { deltas, start: 0, merge: |state: u64, delta| state ^ delta };
        Ok(explore_with(&replica, deltas.len() as u32, self.fault, limits, watch))
    }

    fn compare(&self, _deltas: &[u64], _watch: &mut dyn Watch) -> Truth {
        self.compared.clone()
    }
}
