//! The bench engine, clock by clock.
//!
//! [`Engine::clock`] is the plain version: one clock, every bank, every fault. [`Engine::advance`] gives the same for
//! many clocks at a time, faster, and is checked against it.

mod lanes;

use lanes::accumulate_clocks;

use crate::device::model::{ALL_BYTES, Plants};
use crate::device::registers::engine::*;
use crate::domain::delta::{Generate, Xorshift64};
use crate::domain::fault::{Fault, MOST_BANKS, Site, WrongOperator};

/// Version that STATUS tells.
const VERSION: u32 = 2;

/// The bits that ACTIVE has.
const LANES: u32 = 0x3F;

/// The last index that a short lane takes.
const SHORT_LANE_ENDS: u64 = 255;

/// The engine's registers and banks.
pub struct Engine {
    banks: u32,
    count: u32,
    active: u32,
    seed: u64,
    /// SEED as the run uses it.
    seed_of_run: u64,
    /// Whether SEED_LO was written since the reset.
    seed_low_written: bool,
    cycles: u32,
    /// Clocks of this run that deltas were taken in.
    clocks: u32,
    result: u64,
    done: bool,
    busy: bool,
    accumulators: [u64; MOST_BANKS as usize],
    /// The banks merged before the last clock, where done is raised too soon.
    taken_early: Option<u64>,
    plants: Plants,
    faults: Vec<(usize, Fault)>,
}

impl Engine {
    /// An engine after reset.
    ///
    /// # Panics
    /// If `banks` is not 1 to 32.
    pub fn new(banks: u32, plants: Plants) -> Self {
        assert!((1..=MOST_BANKS).contains(&banks), "an engine has 1 to {MOST_BANKS} banks, not {banks}");
        Engine {
            banks,
            count: 0,
            active: 1,
            seed: 1,
            seed_of_run: 1,
            seed_low_written: false,
            cycles: 0,
            clocks: 0,
            result: 0,
            done: false,
            busy: false,
            accumulators: [0; MOST_BANKS as usize],
            taken_early: None,
            faults: plants.at(Site::Engine),
            plants,
        }
    }

    /// The word at this offset.
    pub fn read(&self, offset: u32) -> u32 {
        let flags = (u32::from(self.done) * DONE) | (u32::from(self.busy) * BUSY);
        match offset {
            CTRL => flags,
            COUNT => self.count,
            ACTIVE => self.active,
            SEED_LO => self.seed_in_use() as u32,
            SEED_HI => (self.seed_in_use() >> 32) as u32,
            CYCLES => self.cycles,
            RESULT_LO => self.result as u32,
            RESULT_HI => (self.result >> 32) as u32,
            STATUS => VERSION << 24 | self.banks << 16 | flags,
            _ => 0,
        }
    }

    /// What the banks have accumulated so far, 0 beyond the last one.
    pub fn banks(&self) -> &[u64; MOST_BANKS as usize] {
        &self.accumulators
    }

    /// RESULT.
    pub fn result(&self) -> u64 {
        self.result
    }

    /// CYCLES.
    pub fn cycles(&self) -> u32 {
        self.cycles
    }

    /// Whether the last run is over and its outputs stand.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Whether a run is going on.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// SEED as it is read and used, with what is planted in it.
    fn seed_in_use(&self) -> u64 {
        self.faults.iter().fold(self.seed, |seed, &(_, fault)| match fault {
            Fault::StuckSeedBit(bit) => seed & !(1 << bit),
            Fault::SeedNotReset if !self.seed_low_written => seed >> 32 << 32,
            _ => seed,
        })
    }

    /// Counts the faults that a read of a seed register uses, after it was made.
    pub fn was_read(&self, offset: u32) {
        if [SEED_LO, SEED_HI].contains(&offset) {
            self.uses(offset);
        }
    }

    /// Counts the faults that a read at this offset, or with that of CTRL a start, uses.
    fn uses(&self, offset: u32) {
        if self.busy || self.faults.is_empty() {
            return;
        }
        for &(place, fault) in &self.faults {
            let in_use = match fault {
                Fault::StuckSeedBit(bit) => [CTRL, if bit < 32 { SEED_LO } else { SEED_HI }].contains(&offset),
                Fault::SeedNotReset => [CTRL, SEED_LO].contains(&offset) && !self.seed_low_written,
                _ => false,
            };
            if in_use {
                self.plants.reached(place);
            }
        }
    }

    /// Takes a word at this offset, of which these bytes are selected.
    pub fn write_bytes(&mut self, offset: u32, word: u32, bytes: u8) {
        if bytes == ALL_BYTES || (!self.busy && self.meets(Fault::EngineSelectsIgnored)) {
            self.write(offset, word);
        }
    }

    /// Takes a word at this offset.
    pub fn write(&mut self, offset: u32, word: u32) {
        if self.busy {
            return;
        }
        match offset {
            CTRL => {
                let (banks, done) = (self.accumulators, self.done);
                if word & (CLEAR | START) != 0 {
                    self.clear();
                }
                if word & START != 0 {
                    self.seed_of_run = self.seed_in_use();
                    self.uses(CTRL);
                    self.busy = true;
                }
                if word & (CLEAR | START) == START {
                    self.stays_at_start(&banks, done);
                }
            }
            COUNT => self.count = self.count_taken(word),
            ACTIVE if word > self.banks && self.meets(Fault::ActiveNotClamped) => {
                self.active = (word & LANES).max(1);
            }
            ACTIVE => self.active = word.clamp(1, self.banks),
            SEED_LO => {
                self.seed = self.seed >> 32 << 32 | u64::from(word);
                self.seed_low_written = true;
            }
            SEED_HI => self.seed = self.seed << 32 >> 32 | u64::from(word) << 32,
            _ => {}
        }
    }

    /// What COUNT becomes when this is written.
    fn count_taken(&self, word: u32) -> u32 {
        let mut taken = word;
        for &(place, fault) in &self.faults {
            if let Fault::CountWraps(bits) = fault
                && word >> bits != 0
            {
                taken &= (1 << bits) - 1;
                self.plants.reached(place);
            }
        }
        taken
    }

    /// CYCLES counts one clock more.
    fn count_cycle(&mut self) {
        let mut cycles = self.cycles.wrapping_add(1);
        for &(place, fault) in &self.faults {
            if let Fault::CyclesWrap(bits) = fault
                && cycles >> bits != 0
            {
                cycles &= (1 << bits) - 1;
                self.plants.reached(place);
            }
        }
        self.cycles = cycles;
    }

    fn clear(&mut self) {
        self.accumulators = [0; MOST_BANKS as usize];
        self.taken_early = None;
        self.cycles = 0;
        self.clocks = 0;
        self.result = 0;
        self.done = false;
    }

    /// What a START alone leaves as it was, where that is planted: CTRL clear never does.
    fn stays_at_start(&mut self, banks: &[u64; MOST_BANKS as usize], done: bool) {
        for &(place, fault) in &self.faults {
            match fault {
                Fault::StartKeepsBanks => self.accumulators = *banks,
                Fault::DoneStays if done => self.done = true,
                _ => continue,
            }
            self.plants.reached(place);
        }
    }

    /// One clock, as the hardware does it.
    pub fn clock(&mut self) {
        if !self.busy {
            return;
        }
        let (first, end) = (self.next_index(), self.end());
        if first >= end {
            self.finish();
            return;
        }
        let beyond = first + u64::from(self.active);
        if beyond >= end && self.has(|fault| fault == Fault::EarlyDone) {
            self.taken_early = Some(self.merged());
        }
        for lane in 0..self.active {
            let index = first + u64::from(lane);
            let dropped = beyond > end && self.has(|fault| fault == Fault::PartialCycleDropped);
            if index < end && !dropped {
                self.take(lane, index);
            }
        }
        self.clocks += 1;
        self.count_cycle();
    }

    /// So many clocks.
    pub fn advance(&mut self, clocks: u64) {
        let mut left = clocks;
        while left > 0 && self.busy {
            let (next, full) = (self.next_index(), self.sound_clocks().min(left));
            if full > 0 {
                self.accumulate(next, full);
                left -= full;
            } else {
                self.clock();
                left -= 1;
            }
        }
    }

    /// So many clocks from this index on in which every active lane takes an index, as [`Engine::sound_clocks`] allows.
    fn accumulate(&mut self, next: u64, clocks: u64) {
        let before = self.accumulators;
        let mut first = next;
        for &(place, fault) in &self.faults {
            if let Fault::IndexWraps(bits) = fault
                && next >> bits != 0
            {
                first = next & ((1 << bits) - 1);
                self.plants.reached_again(place, clocks * u64::from(self.active));
            }
        }
        accumulate_clocks(&mut self.accumulators, self.seed_of_run, first, self.active, clocks);
        for &(place, fault) in &self.faults {
            if let Fault::ShortLane(lane) = fault
                && lane < self.active
                && next > SHORT_LANE_ENDS
            {
                self.accumulators[lane as usize] = before[lane as usize];
                self.plants.reached_again(place, clocks);
            }
        }
        self.clocks += clocks as u32;
        self.cycles += clocks as u32;
    }

    /// How many of the next clocks every active lane takes an index in, and no fault of single deltas touches.
    fn sound_clocks(&self) -> u64 {
        if self.active > self.banks {
            return 0;
        }
        let next = self.next_index();
        let mut end = self.end();
        for &(_, fault) in &self.faults {
            match fault {
                Fault::CyclesWrap(bits) => {
                    let clocks = (1 << bits) - 1 - u64::from(self.cycles);
                    end = end.min(next + clocks * u64::from(self.active));
                }
                Fault::ShortLane(lane) if lane < self.active && next <= SHORT_LANE_ENDS => {
                    end = end.min(SHORT_LANE_ENDS + 1);
                }
                Fault::IndexWraps(bits) => end = end.min(((next >> bits) + 1) << bits),
                Fault::Drop(at) | Fault::Duplicate(at) | Fault::Torn(at) | Fault::Misaddress(at) => {
                    end = end.min(stop_before(next, at.into()));
                }
                Fault::Reorder(at) => {
                    end = end.min(stop_before(next, at.into())).min(stop_before(next, u64::from(at) + 1));
                }
                Fault::BankOperator(_) | Fault::SwapBanks(..) => return 0,
                // The clock before the last full one is the last that is none of its own.
                Fault::EarlyDone => end = end.saturating_sub(u64::from(self.active)),
                _ => {}
            }
        }
        end.saturating_sub(next) / u64::from(self.active)
    }

    /// The index that lane 0 takes in the next clock.
    fn next_index(&self) -> u64 {
        u64::from(self.clocks) * u64::from(self.active)
    }

    /// The first index that is not taken.
    fn end(&self) -> u64 {
        let count = u64::from(self.count);
        self.faults.iter().fold(count, |end, &(_, fault)| match fault {
            Fault::ShortCount => end.saturating_sub(1),
            Fault::LongCount => end + 1,
            _ => end,
        })
    }

    /// A lane takes the delta of an index, with whatever is planted on its way.
    fn take(&mut self, lane: u32, index: u64) {
        let (mut from, mut bank, mut times, mut mask, mut operator) = (index, lane, 1, u64::MAX, None);
        for &(place, fault) in &self.faults {
            let at = |planted: u32| index == u64::from(planted);
            let touched = match fault {
                Fault::Drop(planted) if at(planted) => {
                    times = 0;
                    true
                }
                Fault::Duplicate(planted) if at(planted) => {
                    times += 1;
                    true
                }
                Fault::Torn(planted) if at(planted) => {
                    mask = u64::from(u32::MAX);
                    true
                }
                Fault::Misaddress(planted) if at(planted) => {
                    bank = (bank + 1) % self.banks;
                    true
                }
                // The neighbour is there to exchange places with only if the run takes both.
                Fault::Reorder(planted) if at(planted) && index + 1 < self.end() => {
                    from = index + 1;
                    true
                }
                Fault::Reorder(planted) if index == u64::from(planted) + 1 => {
                    from = index - 1;
                    true
                }
                Fault::IndexWraps(bits) if index >> bits != 0 => {
                    from = index & ((1 << bits) - 1);
                    true
                }
                Fault::ShortLane(short) if lane == short && index > SHORT_LANE_ENDS => {
                    times = 0;
                    true
                }
                Fault::SwapBanks(one, other) if bank == one || bank == other => {
                    bank = if bank == one { other } else { one };
                    true
                }
                Fault::BankOperator(wrong) => {
                    operator = Some(wrong);
                    true
                }
                _ => false,
            };
            if touched {
                self.plants.reached(place);
            }
        }
        // A lane above the last bank has none to accumulate in.
        if bank >= self.banks {
            return;
        }
        let delta = Xorshift64.generate(self.seed_of_run ^ from) & mask;
        let accumulator = &mut self.accumulators[bank as usize];
        for _ in 0..times {
            *accumulator = match operator {
                None => *accumulator ^ delta,
                Some(wrong) => WrongOperator::apply(wrong, *accumulator, delta),
            };
        }
    }

    /// The banks, merged, as their faults let them be seen.
    fn merged(&self) -> u64 {
        let bank = |bank: u32| {
            self.faults.iter().fold(self.accumulators[bank as usize], |seen, &(_, fault)| match fault {
                Fault::DeadBank(dead) if dead == bank => 0,
                Fault::StuckBank(stuck) if stuck == bank => u64::MAX,
                _ => seen,
            })
        };
        (0..self.banks).fold(0, |merged, number| merged ^ bank(number))
    }

    /// The clock after the last delta: the banks are merged into RESULT.
    fn finish(&mut self) {
        let mut result = self.taken_early.unwrap_or_else(|| self.merged());
        let mut extra = false;
        for &(place, fault) in &self.faults {
            let in_use = match fault {
                Fault::DeadBank(bank) => bank < self.active && bank < self.count,
                Fault::StuckBank(bank) => bank < self.banks,
                Fault::PartialCycleDropped => !self.count.is_multiple_of(self.active),
                Fault::ShortCount | Fault::EarlyDone => self.count > 0,
                Fault::FlipBit(bit) => {
                    result ^= 1 << bit;
                    true
                }
                Fault::ExtraCycle => {
                    extra = true;
                    true
                }
                Fault::LongCount => true,
                _ => false,
            };
            if in_use {
                self.plants.reached(place);
            }
        }
        if extra {
            self.count_cycle();
        }
        self.result = result;
        self.busy = false;
        self.done = true;
    }

    /// Whether this fault is planted; if so, it is in use.
    fn meets(&self, planted: Fault) -> bool {
        let place = self.faults.iter().find(|(_, fault)| *fault == planted).map(|(place, _)| *place);
        place.inspect(|&place| self.plants.reached(place)).is_some()
    }

    fn has(&self, planted: impl Fn(Fault) -> bool) -> bool {
        self.faults.iter().any(|&(_, fault)| planted(fault))
    }
}

/// The end of a stretch that begins at `next` and leaves out `index`, if that is still to come.
fn stop_before(next: u64, index: u64) -> u64 {
    if index < next { u64::MAX } else { index }
}

#[cfg(test)]
mod tests;
