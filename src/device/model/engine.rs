//! The bench engine, clock by clock.
//!
//! [`Engine::clock`] is the plain version: one clock, every bank, every fault. [`Engine::advance`] gives the same for
//! many clocks at a time, faster, and is checked against it.

use crate::device::model::{Plants, note};
use crate::device::registers::engine::*;
use crate::domain::delta::{Generate, Xorshift64};
use crate::domain::fault::{Fault, MOST_BANKS};

/// Version that STATUS tells.
const VERSION: u32 = 2;

/// The engine's registers and banks.
pub struct Engine {
    banks: u32,
    count: u32,
    active: u32,
    seed: u64,
    cycles: u32,
    result: u64,
    done: bool,
    busy: bool,
    accumulators: [u64; MOST_BANKS as usize],
    plants: Plants,
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
            cycles: 0,
            result: 0,
            done: false,
            busy: false,
            accumulators: [0; MOST_BANKS as usize],
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
            SEED_LO => self.seed as u32,
            SEED_HI => (self.seed >> 32) as u32,
            CYCLES => self.cycles,
            RESULT_LO => self.result as u32,
            RESULT_HI => (self.result >> 32) as u32,
            STATUS => VERSION << 24 | self.banks << 16 | flags,
            _ => 0,
        }
    }

    /// Takes a word at this offset.
    pub fn write(&mut self, offset: u32, word: u32) {
        if self.busy {
            return;
        }
        match offset {
            CTRL => {
                if word & (CLEAR | START) != 0 {
                    self.clear();
                }
                self.busy = word & START != 0;
            }
            COUNT => self.count = word,
            ACTIVE => self.active = word.clamp(1, self.banks),
            SEED_LO => self.seed = self.seed >> 32 << 32 | u64::from(word),
            SEED_HI => self.seed = self.seed << 32 >> 32 | u64::from(word) << 32,
            _ => {}
        }
    }

    fn clear(&mut self) {
        self.accumulators = [0; MOST_BANKS as usize];
        self.cycles = 0;
        self.result = 0;
        self.done = false;
    }

    /// One clock, as the hardware does it.
    pub fn clock(&mut self) {
        if !self.busy {
            return;
        }
        let first = self.next_index();
        if first >= u64::from(self.count) {
            self.merge();
            return;
        }
        for lane in 0..u64::from(self.active) {
            let index = first + lane;
            if index < u64::from(self.count) {
                self.accumulators[lane as usize] ^= Xorshift64.generate(self.seed ^ index);
            }
        }
        self.cycles += 1;
    }

    /// So many clocks.
    pub fn advance(&mut self, clocks: u64) {
        if !self.busy {
            return;
        }
        // Clocks in which every active lane has an index need no comparison with COUNT.
        let remaining = u64::from(self.count).saturating_sub(self.next_index());
        let full = clocks.min(remaining / u64::from(self.active));
        self.full_clocks(full);
        for _ in full..clocks.min(full + 2) {
            self.clock();
        }
    }

    /// The index that lane 0 takes in the next clock.
    fn next_index(&self) -> u64 {
        u64::from(self.cycles) * u64::from(self.active)
    }

    fn full_clocks(&mut self, clocks: u64) {
        let first = self.next_index();
        let accumulators = &mut self.accumulators;
        match self.active {
            1 => accumulate_clocks::<1>(accumulators, self.seed, first, clocks),
            2 => accumulate_clocks::<2>(accumulators, self.seed, first, clocks),
            3 => accumulate_clocks::<3>(accumulators, self.seed, first, clocks),
            4 => accumulate_clocks::<4>(accumulators, self.seed, first, clocks),
            5 => accumulate_clocks::<5>(accumulators, self.seed, first, clocks),
            6 => accumulate_clocks::<6>(accumulators, self.seed, first, clocks),
            7 => accumulate_clocks::<7>(accumulators, self.seed, first, clocks),
            8 => accumulate_clocks::<8>(accumulators, self.seed, first, clocks),
            16 => accumulate_clocks::<16>(accumulators, self.seed, first, clocks),
            32 => accumulate_clocks::<32>(accumulators, self.seed, first, clocks),
            _ => {
                for _ in 0..clocks {
                    self.clock();
                }
                return;
            }
        }
        self.cycles += clocks as u32;
    }

    /// The clock after the last delta: the banks are merged into RESULT, here with what is planted in them.
    fn merge(&mut self) {
        let mut result = 0;
        for lane in 0..self.active {
            result ^= self.accumulators[lane as usize];
        }
        for (fault, activity) in self.plants.each() {
            if let Some(error) = self.error_of(fault) {
                note(activity, error != 0);
                result ^= error;
            }
        }
        self.result = result;
        self.busy = false;
        self.done = true;
    }

    /// What a fault in the engine adds to the merged result of the run that ends; `None` if the run did not use the
    /// faulty part. Every fault here is linear over GF(2), so that what it does can be added where the banks are merged.
    fn error_of(&self, fault: Fault) -> Option<u64> {
        let takes_a_delta = |bank: u32| bank < self.active && bank < self.count;
        let is_dead = |bank: u32| self.plants.each().any(|(fault, _)| fault == Fault::DeadBank(bank));
        match fault {
            Fault::DeadBank(bank) if takes_a_delta(bank) => Some(self.accumulators[bank as usize]),
            // Under XOR an index left out and an index applied twice come to the same; in a dead bank, to nothing.
            Fault::Drop(index) | Fault::Duplicate(index) if index < self.count && !is_dead(index % self.active) => {
                Some(Xorshift64.generate(self.seed ^ u64::from(index)))
            }
            Fault::FlipBit(bit) => Some(1 << bit),
            _ => None,
        }
    }
}

/// `clocks` clocks in which all `LANES` lanes take an index, beginning with index `first` in lane 0.
fn accumulate_clocks<const LANES: usize>(accumulators: &mut [u64], seed: u64, first: u64, clocks: u64) {
    let mut lanes = [0u64; LANES];
    let mut index = first;
    for _ in 0..clocks {
        for (lane, accumulator) in lanes.iter_mut().enumerate() {
            *accumulator ^= Xorshift64.generate(seed ^ (index + lane as u64));
        }
        index += LANES as u64;
    }
    for (accumulator, lane) in accumulators.iter_mut().zip(lanes) {
        *accumulator ^= lane;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn started(banks: u32, count: u32, active: u32, seed: u64) -> Engine {
        let mut engine = Engine::new(banks, Plants::default());
        engine.write(COUNT, count);
        engine.write(ACTIVE, active);
        engine.write(SEED_LO, seed as u32);
        engine.write(SEED_HI, (seed >> 32) as u32);
        engine.write(CTRL, START);
        engine
    }

    fn registers(engine: &Engine) -> Vec<u32> {
        (CTRL..=STATUS).step_by(4).map(|offset| engine.read(offset)).collect()
    }

    proptest! {
        #[test]
        fn many_clocks_at_once_are_as_many_single_ones(
            banks in 1..=32u32, count in 0..200u32, active in 0..40u32, seed: u64,
            steps in proptest::collection::vec(0..40u64, 1..12),
        ) {
            let mut fast = started(banks, count, active, seed);
            let mut plain = started(banks, count, active, seed);
            for step in steps {
                fast.advance(step);
                (0..step).for_each(|_| plain.clock());
                prop_assert_eq!(registers(&fast), registers(&plain));
                prop_assert_eq!(fast.accumulators, plain.accumulators);
            }
        }
    }

    #[test]
    fn a_busy_engine_ignores_writes_and_counts_its_cycles() {
        let mut engine = started(8, 100, 8, 5);
        engine.advance(3);
        for offset in (CTRL..=STATUS).step_by(4) {
            engine.write(offset, u32::MAX);
        }
        assert_eq!(registers(&engine), [BUSY, 100, 8, 5, 0, 3, 0, 0, 0x0208_0001]);
        engine.advance(1000);
        assert_eq!(engine.read(CYCLES), 13);
        assert_eq!(engine.read(CTRL), DONE);
    }

    #[test]
    fn a_run_without_deltas_is_over_after_one_clock() {
        let mut engine = started(8, 0, 8, 5);
        assert_eq!(engine.read(CTRL), BUSY);
        engine.clock();
        assert_eq!(registers(&engine), [DONE, 0, 8, 5, 0, 0, 0, 0, 0x0208_0002]);
    }

    #[test]
    fn clear_empties_the_outputs_of_an_idle_engine() {
        let mut engine = started(8, 9, 8, 5);
        engine.advance(9);
        engine.write(CTRL, CLEAR);
        assert_eq!(registers(&engine), [0, 9, 8, 5, 0, 0, 0, 0, 0x0208_0000]);
    }

    #[test]
    fn the_last_index_of_the_longest_run_does_not_overflow() {
        let mut engine = started(8, u32::MAX, 7, 0);
        engine.cycles = u32::MAX / 7 - 1;
        engine.advance(100);
        assert_eq!((engine.read(CYCLES), engine.read(CTRL)), (u32::MAX.div_ceil(7), DONE));
    }

    #[test]
    fn a_planted_fault_counts_when_it_is_used_and_when_it_changes_something() {
        let plants = Plants::new(&[Fault::DeadBank(3), Fault::Drop(9), Fault::Drop(5)]);
        let mut engine = Engine::new(8, plants.clone());
        for count in [3, 6] {
            engine.write(COUNT, count);
            engine.write(ACTIVE, 8);
            engine.write(SEED_LO, 5);
            engine.write(CTRL, START);
            engine.advance(10);
        }
        let activity: Vec<(u64, u64)> = plants.activity().iter().map(|(_, a)| (a.reached, a.changed)).collect();
        // Bank 3 is used with 6 deltas; index 9 never; index 5 is SEED, so its delta is 0.
        assert_eq!(activity, [(1, 1), (0, 0), (1, 0)]);
    }
}
