//! What an adapter should show, from its documented operations alone.

use crate::domain::execution::AdapterOp;
use crate::domain::fault::{Fault, WrongOperator};

/// The first read that showed something else than it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongRead {
    /// The operation's place in the list.
    pub place: usize,
    /// What it should have shown.
    pub expected: u64,
    /// What it showed.
    pub got: u64,
}

/// Ways in which an adapter may be wrong throughout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flaw {
    /// Every READ answers with the state before the last ACCUM.
    pub stale_read: bool,
    /// The high half of no ACCUM is taken.
    pub lost_high_word: bool,
    /// ACCUM takes deltas by this operator in place of XOR.
    pub operator: Option<WrongOperator>,
    /// An ACCUM right after another starts from the accumulator before that one.
    pub pipeline_hazard: bool,
}

/// The sound adapter.
const SOUND: Flaw = Flaw { stale_read: false, lost_high_word: false, operator: None, pipeline_hazard: false };

impl Flaw {
    /// Every READ answers with the state before the last ACCUM.
    pub const STALE_READ: Flaw = Flaw { stale_read: true, ..SOUND };

    /// The high half of no ACCUM is taken.
    pub const LOST_HIGH_WORD: Flaw = Flaw { lost_high_word: true, ..SOUND };

    /// An ACCUM right after another starts from the accumulator before that one.
    pub const PIPELINE_HAZARD: Flaw = Flaw { pipeline_hazard: true, ..SOUND };

    /// ACCUM takes deltas by this operator.
    pub const fn wrong_operator(operator: WrongOperator) -> Flaw {
        Flaw { operator: Some(operator), ..SOUND }
    }

    /// All but the sound adapter, the simplest first.
    fn all() -> impl Iterator<Item = Flaw> {
        let operators = WrongOperator::ALL.map(Flaw::wrong_operator);
        let both = Flaw { stale_read: true, lost_high_word: true, ..SOUND };
        let alone = [Flaw::STALE_READ, Flaw::LOST_HIGH_WORD, Flaw::PIPELINE_HAZARD];
        alone.into_iter().chain(operators).chain([both])
    }

    /// The flaw in words.
    pub fn sentence(self) -> String {
        let mut told = Vec::new();
        if self.stale_read {
            told.push("every READ answers with the state before the last ACCUM".to_owned());
        }
        if self.lost_high_word {
            told.push("the high half of every ACCUM is lost".to_owned());
        }
        if let Some(operator) = self.operator {
            told.push(format!("ACCUM takes deltas by {operator} in place of XOR"));
        }
        if self.pipeline_hazard {
            told.push("an ACCUM right after another starts from the accumulator before that one".to_owned());
        }
        told.join("; ")
    }

    /// The faults that do this.
    pub fn faults(self) -> Vec<Fault> {
        let parts = [
            (self.stale_read, Fault::StaleRead),
            (self.lost_high_word, Fault::LostHighWord),
            (self.pipeline_hazard, Fault::PipelineHazard),
        ];
        let operator = self.operator.map(Fault::AccumOperator);
        parts.into_iter().filter(|(is, _)| *is).map(|(_, fault)| fault).chain(operator).collect()
    }

    /// Whether reads of `ops` show this flaw: one that a sound adapter would have answered otherwise.
    pub fn shows_in(self, ops: &[AdapterOp]) -> bool {
        let (mut sound, mut flawed) = (Contexts::default(), Contexts { flaw: self, ..Contexts::default() });
        ops.iter().any(|&op| match (sound.follow(op), flawed.follow(op)) {
            (Some(right), Some(shown)) => right != shown,
            _ => false,
        })
    }
}

/// The flaw that accounts for everything that the reads of `ops` showed, the right answers among them.
pub fn explain(ops: &[AdapterOp], shown: &[u64]) -> Option<Flaw> {
    let accounts = |flaw| wrong_reads(Contexts { flaw, ..Contexts::default() }, ops, shown).next().is_none();
    Flaw::all().find(|&flaw| accounts(flaw))
}

/// What the reads of `ops` should have shown and did, in order; only those that the operations before them determine.
pub fn judged_reads(ops: &[AdapterOp], shown: &[u64]) -> Vec<(u64, u64)> {
    let mut contexts = Contexts::default();
    let mut shown = shown.iter();
    let judged = ops.iter().filter_map(|&op| {
        let expected = contexts.follow(op);
        let got = if op == AdapterOp::Read { *shown.next()? } else { return None };
        Some((expected?, got))
    });
    judged.collect()
}

/// The references and the accumulator as far as operations have determined them. What was there before is unknown, so
/// that a list of operations is judged by itself and means the same on a device that is not fresh from reset.
pub struct Contexts {
    references: [Option<u64>; 256],
    accumulator: Option<u64>,
    selected: Option<u8>,
    last_delta: u64,
    /// The accumulator before the last operation, if that was an ACCUM.
    before_last: Option<u64>,
    flaw: Flaw,
}

impl Default for Contexts {
    fn default() -> Self {
        Contexts {
            references: [None; 256],
            accumulator: None,
            selected: None,
            last_delta: 0,
            before_last: None,
            flaw: SOUND,
        }
    }
}

impl Contexts {
    /// Follows one operation; for a read, gives what it should show, if that is determined.
    pub fn follow(&mut self, op: AdapterOp) -> Option<u64> {
        let earlier = self.before_last.take();
        match op {
            AdapterOp::Load { context, reference } => {
                self.references[usize::from(context)] = Some(reference);
                self.selected = Some(context);
                self.clear();
                None
            }
            AdapterOp::Select { context } => {
                self.selected = Some(context);
                None
            }
            AdapterOp::Accumulate(delta) => {
                let taken = if self.flaw.lost_high_word { delta & 0xFFFF_FFFF } else { delta };
                let before = self.accumulator;
                self.before_last = before;
                let from = earlier.filter(|_| self.flaw.pipeline_hazard).or(before);
                self.accumulator = from.map(|accumulator| match self.flaw.operator {
                    None => accumulator ^ taken,
                    Some(wrong) => wrong.apply(accumulator, taken),
                });
                self.last_delta = before.zip(self.accumulator).map_or(taken, |(before, after)| before ^ after);
                None
            }
            AdapterOp::Swap { context } => {
                self.references[usize::from(context)] = self.state();
                self.selected = Some(context);
                self.clear();
                None
            }
            AdapterOp::Read if self.flaw.stale_read => Some(self.state()? ^ self.last_delta),
            AdapterOp::Read => self.state(),
        }
    }

    fn clear(&mut self) {
        self.accumulator = Some(0);
        self.last_delta = 0;
    }

    fn state(&self) -> Option<u64> {
        Some(self.references[usize::from(self.selected?)]? ^ self.accumulator?)
    }
}

/// Compares what the reads of `ops` showed, in order, with what they should have.
pub fn first_wrong_read(ops: &[AdapterOp], shown: &[u64]) -> Option<WrongRead> {
    wrong_reads(Contexts::default(), ops, shown).next()
}

/// How many of the reads of `ops` showed what they should not have.
pub fn number_of_wrong_reads(ops: &[AdapterOp], shown: &[u64]) -> usize {
    wrong_reads(Contexts::default(), ops, shown).count()
}

fn wrong_reads(mut contexts: Contexts, ops: &[AdapterOp], shown: &[u64]) -> impl Iterator<Item = WrongRead> {
    let mut shown = shown.iter();
    ops.iter().enumerate().filter_map(move |(place, &op)| {
        let expected = contexts.follow(op);
        let got = if op == AdapterOp::Read { *shown.next()? } else { return None };
        expected.filter(|&expected| expected != got).map(|expected| WrongRead { place, expected, got })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use AdapterOp::*;

    #[test]
    fn an_epoch_keeps_the_state_and_clears_the_accumulator() {
        let ops = [
            Load { context: 3, reference: 0xF0 },
            Accumulate(0x0F),
            Read,
            Swap { context: 4 },
            Read,
            Accumulate(0xFF),
            Read,
            Select { context: 3 },
            Read,
        ];
        // The accumulator is shared: context 3 is seen through what context 4 accumulated.
        assert_eq!(first_wrong_read(&ops, &[0xFF, 0xFF, 0x00, 0xF0 ^ 0xFF]), None);
        let wrong = first_wrong_read(&ops, &[0xFF, 0xFF, 0x01, 0x0F]);
        assert_eq!(wrong, Some(WrongRead { place: 6, expected: 0, got: 1 }));
    }

    #[test]
    fn a_flaw_is_named_only_if_it_accounts_for_every_read() {
        let ops = [Load { context: 3, reference: 0xF0 }, Accumulate(7 << 32 | 1), Read, Swap { context: 3 }, Read];
        assert_eq!(explain(&ops, &[0xF0, 7 << 32 | 0xF1]), Some(Flaw::STALE_READ));
        assert_eq!(explain(&ops, &[0xF1, 0xF1]), Some(Flaw::LOST_HIGH_WORD));
        assert_eq!(explain(&ops, &[0xF0, 0xF1]), Some(Flaw { stale_read: true, lost_high_word: true, ..SOUND }));
        assert_eq!(explain(&ops, &[0xF0, 0xF0]), None);
    }

    #[test]
    fn what_nothing_determined_is_not_judged() {
        assert_eq!(first_wrong_read(&[Read], &[5]), None);
        assert_eq!(first_wrong_read(&[Accumulate(1), Read], &[5]), None);
        assert_eq!(first_wrong_read(&[Swap { context: 1 }, Read], &[5]), None);
        assert_eq!(first_wrong_read(&[Load { context: 1, reference: 0 }, Select { context: 2 }, Read], &[5]), None);
    }
}
