//! An accumulator that is right but for what is planted in it: what a control gives to a judge.

use std::ops::Range;

use crate::domain::delta::Deltas;
use crate::domain::evidence::Evidence;
use crate::domain::subject::{Accumulator, Rearranged, Subject, SubjectError};
use crate::experiment::control::NAME;

/// What an accumulator's state is, given all that arrived.
type After = Box<dyn Fn(&[u64]) -> u64 + Sync>;

/// An accumulator that shows what a function makes of its arrivals.
pub struct WrongAccumulator {
    name: &'static str,
    arrived: Vec<u64>,
    after: After,
    wrong_when_rearranged: bool,
}

/// The XOR of arrivals: the right state.
pub fn sum(arrivals: &[u64]) -> u64 {
    arrivals.iter().fold(0, |state, delta| state ^ delta)
}

impl WrongAccumulator {
    /// One whose state is this of all that arrived since its reset.
    pub fn showing(after: impl Fn(&[u64]) -> u64 + Sync + 'static) -> Self {
        WrongAccumulator { name: NAME, arrived: Vec::new(), after: Box::new(after), wrong_when_rearranged: false }
    }

    /// The same under another name.
    pub fn named(self, name: &'static str) -> Self {
        WrongAccumulator { name, ..self }
    }

    /// The same, which is wrong in one bit where its work is shared out otherwise.
    pub fn wrong_when_rearranged(self) -> Self {
        WrongAccumulator { wrong_when_rearranged: true, ..self }
    }
}

impl Subject for WrongAccumulator {
    fn name(&self) -> &str {
        self.name
    }

    fn evidence(&self) -> Evidence {
        Evidence::Software
    }

    fn longest_order(&self) -> u64 {
        u64::MAX
    }

    fn reset(&mut self) -> Result<(), SubjectError> {
        self.arrived.clear();
        Ok(())
    }

    fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
        self.arrived.extend(arrivals);
        Ok(())
    }

    fn observe(&mut self) -> Result<u64, SubjectError> {
        Ok((self.after)(&self.arrived))
    }
}

impl Accumulator for WrongAccumulator {
    fn accumulate(&mut self, deltas: Deltas, indices: Range<u64>) {
        self.arrived.extend(indices.map(|index| deltas.at(index)));
    }

    fn rearranged(&self) -> Vec<Rearranged> {
        let wrong = WrongAccumulator::showing(|arrived| sum(arrived) ^ 1);
        let rearranged = Rearranged { accumulator: Box::new(wrong), lengths: vec![7] };
        if self.wrong_when_rearranged { vec![rearranged] } else { Vec::new() }
    }
}
