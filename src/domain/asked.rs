//! What was asked of a device, counted where it is asked: which bits of its registers, which commands' answers, which
//! pairs of contexts. What nothing looked at cannot have been found wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::access::{Access, Command, Register};
use crate::domain::execution::{AdapterOp, EngineRun};
use crate::domain::fault::Site;
use crate::domain::seed::Seed;

/// Pairs of contexts that there are, each with itself among them.
pub const ALL_PAIRS: usize = 256 * 256;

/// Registers that keep all 32 bits of what is written to them.
pub const KEEPERS: [Register; 5] = [Register::Count, Register::SeedLo, Register::SeedHi, Register::Rs1, Register::Rs2];

/// Registers whose values after a reset are documented.
pub const RESET_ONES: [Register; 7] = [
    Register::Count,
    Register::Active,
    Register::SeedLo,
    Register::SeedHi,
    Register::Cycles,
    Register::ResultLo,
    Register::ResultHi,
];

/// A command that selects another context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Move {
    /// LOAD.
    Load,
    /// SWAP.
    Swap,
}

/// Bits of a register that were written as 0, and as 1, and then read back or used by a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bits {
    zeros: u32,
    ones: u32,
}

impl Bits {
    fn look(&mut self, word: u32) {
        self.ones |= word;
        self.zeros |= !word;
    }
}

/// A set of ordered pairs of contexts.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u64>", into = "Vec<u64>")]
struct Pairs(Box<[u64; ALL_PAIRS / 64]>);

impl Default for Pairs {
    fn default() -> Self {
        Pairs(Box::new([0; ALL_PAIRS / 64]))
    }
}

impl TryFrom<Vec<u64>> for Pairs {
    type Error = &'static str;

    fn try_from(words: Vec<u64>) -> Result<Self, &'static str> {
        words.try_into().map(Pairs).map_err(|_| "a set of pairs of contexts has 1024 words of 64 bits")
    }
}

impl From<Pairs> for Vec<u64> {
    fn from(pairs: Pairs) -> Vec<u64> {
        pairs.0.to_vec()
    }
}

impl Pairs {
    fn insert(&mut self, from: u8, to: u8) {
        let place = usize::from(from) << 8 | usize::from(to);
        self.0[place / 64] |= 1 << (place % 64);
    }

    fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// What was asked of one device. Where the device is now is not kept: who reads it back asks the device nothing more.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    kept: BTreeMap<Register, Bits>,
    reset: BTreeSet<Register>,
    answers: BTreeSet<Command>,
    loads: Pairs,
    swaps: Pairs,
    actives: BTreeSet<u32>,
    parts_of_words: BTreeSet<bool>,
    longest_run: u32,
    flags_during_runs: bool,
    // Where the device is now, as far as it is known.
    #[serde(skip)]
    written: BTreeMap<Register, u32>,
    #[serde(skip)]
    after_reset: bool,
    #[serde(skip)]
    selected: Option<u8>,
    #[serde(skip)]
    moved: Option<(Move, u8, u8)>,
    #[serde(skip)]
    started: Option<EngineRun>,
    #[serde(skip)]
    is_running: bool,
}

impl Asked {
    /// The device was brought to where it was opened: nothing is known of what its registers hold.
    pub fn restarted(&mut self) {
        self.written.clear();
        (self.after_reset, self.selected, self.moved) = (false, None, None);
        (self.started, self.is_running) = (None, false);
    }

    /// The engine made this run, and its result was asked for.
    pub fn run(&mut self, run: EngineRun) {
        let seed = run.seed.value();
        let used =
            [(Register::Count, run.count), (Register::SeedLo, seed as u32), (Register::SeedHi, (seed >> 32) as u32)];
        for (register, word) in used {
            self.kept.entry(register).or_default().look(word);
        }
        self.actives.insert(run.active);
        self.longest_run = self.longest_run.max(run.count);
    }

    /// The adapter carried these operations out.
    pub fn operations(&mut self, ops: &[AdapterOp]) {
        for op in ops {
            match *op {
                AdapterOp::Load { context, .. } | AdapterOp::Select { context } => {
                    self.moves(Move::Load, Some(context))
                }
                AdapterOp::Swap { context } => self.moves(Move::Swap, Some(context)),
                AdapterOp::Accumulate(_) => {}
                AdapterOp::Read => {
                    self.answers.extend([Command::Read, Command::ReadHi]);
                    self.state_shown();
                }
            }
        }
    }

    /// These accesses were made, to the last of them.
    pub fn accesses(&mut self, accesses: &[Access]) {
        for &access in accesses {
            match access {
                Access::Reset => {
                    self.restarted();
                    self.after_reset = true;
                }
                Access::Write(Register::Ctrl, word) if word & 1 != 0 && !self.is_running => {
                    self.started = self.set_up();
                    self.is_running = true;
                }
                Access::Write(register, word) => {
                    self.written.insert(register, word);
                }
                Access::WriteBytes(register, ..) => {
                    self.parts_of_words.insert(register.site() == Site::Engine);
                }
                Access::See(register) => self.seen(register),
                Access::Do(command) => self.command(command),
                Access::Finish | Access::PollDone | Access::PollIdle => {
                    if let Some(run) = self.started.take() {
                        self.run(run);
                    }
                    self.is_running = false;
                }
            }
        }
    }

    /// The run that was set up by what was written.
    fn set_up(&self) -> Option<EngineRun> {
        let of = |register| self.written.get(&register).copied();
        let seed = u64::from(of(Register::SeedHi)?) << 32 | u64::from(of(Register::SeedLo)?);
        Some(EngineRun { count: of(Register::Count)?, active: of(Register::Active)?, seed: Seed::new(seed) })
    }

    fn seen(&mut self, register: Register) {
        match self.written.get(&register) {
            Some(&word) if register == Register::Active => {
                self.actives.insert(word);
            }
            Some(&word) => self.kept.entry(register).or_default().look(word),
            None if self.after_reset => {
                self.reset.insert(register);
            }
            None => {}
        }
        self.flags_during_runs |= self.is_running && matches!(register, Register::Ctrl | Register::EngineStatus);
    }

    fn command(&mut self, command: Command) {
        self.answers.insert(command);
        if command != Command::Status {
            self.state_shown();
        }
        let context = self.written.get(&Register::Rs1).map(|&rs1| rs1 as u8);
        match command {
            Command::Load => self.moves(Move::Load, context),
            Command::Swap => self.moves(Move::Swap, context),
            _ => {}
        }
    }

    fn moves(&mut self, by: Move, to: Option<u8>) {
        self.moved = self.selected.zip(to).map(|(from, to)| (by, from, to));
        self.selected = to;
    }

    /// The state of the selected context was shown: what the last move did was looked at.
    fn state_shown(&mut self) {
        match self.moved.take() {
            Some((Move::Load, from, to)) => self.loads.insert(from, to),
            Some((Move::Swap, from, to)) => self.swaps.insert(from, to),
            None => {}
        }
    }

    /// Bits of a register that nothing wrote both as 0 and as 1 and then read back or ran with.
    pub fn bits_not_kept(&self, register: Register) -> u32 {
        let Bits { zeros, ones } = self.kept.get(&register).copied().unwrap_or_default();
        !(zeros & ones)
    }

    /// Whether a value after reset of this register was looked at.
    pub fn saw_reset_value(&self, register: Register) -> bool {
        self.reset.contains(&register)
    }

    /// Whether the answer (RD) of this command was looked at.
    pub fn saw_answer(&self, command: Command) -> bool {
        self.answers.contains(&command)
    }

    /// Pairs of contexts, the selected one and the one that a command names, of [`ALL_PAIRS`], whose state was looked at
    /// after the command.
    pub fn pairs(&self, by: Move) -> usize {
        match by {
            Move::Load => self.loads.len(),
            Move::Swap => self.swaps.len(),
        }
    }

    /// Whether ACTIVE was written as 0, and as more than there are banks, and read back or run with.
    pub fn saw_active_clamped(&self, banks: u32) -> bool {
        self.actives.contains(&0) && self.actives.last().is_some_and(|&most| most > banks)
    }

    /// Whether parts of words were written to this part of the device.
    pub fn wrote_parts_of_words(&self, site: Site) -> bool {
        self.parts_of_words.contains(&(site == Site::Engine))
    }

    /// Whether `busy` was looked at during a run.
    pub fn saw_flags_during_runs(&self) -> bool {
        self.flags_during_runs
    }

    /// Deltas of the longest run; 0 if there was none.
    pub fn longest_run(&self) -> u32 {
        self.longest_run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_counts_when_it_was_written_both_ways_and_read_back() {
        let mut asked = Asked::default();
        assert_eq!(asked.bits_not_kept(Register::Rs1), u32::MAX);
        asked.accesses(&[Access::Write(Register::Rs1, 0xF0), Access::See(Register::Rs1)]);
        assert_eq!(asked.bits_not_kept(Register::Rs1), u32::MAX);
        asked.accesses(&[Access::Write(Register::Rs1, 0x0F)]);
        assert_eq!(asked.bits_not_kept(Register::Rs1), u32::MAX, "it was not read back");
        asked.accesses(&[Access::See(Register::Rs1)]);
        assert_eq!(asked.bits_not_kept(Register::Rs1), !0xFF);
        asked.run(EngineRun { count: 1, active: 1, seed: Seed::new(!0) });
        asked.run(EngineRun { count: 2, active: 1, seed: Seed::new(0) });
        assert_eq!([Register::SeedLo, Register::Count].map(|register| asked.bits_not_kept(register)), [0, !3]);
    }

    #[test]
    fn a_pair_counts_when_the_state_after_it_was_shown() {
        let mut asked = Asked::default();
        asked.operations(&[AdapterOp::Select { context: 3 }, AdapterOp::Read]);
        assert_eq!(asked.pairs(Move::Load), 0, "nobody knows what was selected before");
        asked.operations(&[AdapterOp::Swap { context: 4 }, AdapterOp::Select { context: 5 }]);
        assert_eq!(asked.pairs(Move::Swap), 0, "nobody looked");
        asked.operations(&[AdapterOp::Read, AdapterOp::Swap { context: 5 }, AdapterOp::Read]);
        assert_eq!((asked.pairs(Move::Load), asked.pairs(Move::Swap)), (1, 1));
        asked.accesses(&[Access::Write(Register::Rs1, 7), Access::Do(Command::Swap), Access::Do(Command::Status)]);
        assert_eq!(asked.pairs(Move::Swap), 1, "STATUS shows no state");
        asked.accesses(&[Access::Do(Command::Accum)]);
        assert_eq!(asked.pairs(Move::Swap), 2);
        assert!(asked.saw_answer(Command::Status) && !asked.saw_answer(Command::LoadHi));
    }

    #[test]
    fn a_value_after_reset_counts_until_the_register_is_written() {
        let mut asked = Asked::default();
        asked.accesses(&[Access::See(Register::Count), Access::Reset, Access::Write(Register::SeedLo, 5)]);
        asked.accesses(&[Access::See(Register::SeedLo), Access::See(Register::Count)]);
        assert!(asked.saw_reset_value(Register::Count) && !asked.saw_reset_value(Register::SeedLo));
    }
}
