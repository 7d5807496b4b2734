//! The bench engine, clock by clock.
//!
//! [`Engine::clock`] is the plain version: one clock, every bank, every fault. [`Engine::advance`] gives the same for
//! many clocks at a time, faster, and is checked against it.

use crate::device::model::Plants;
use crate::device::registers::engine::*;
use crate::domain::delta::{Generate, Xorshift64};
use crate::domain::fault::{Fault, MOST_BANKS, Site, WrongOperator};

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
            cycles: 0,
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
            SEED_LO => self.seed as u32,
            SEED_HI => (self.seed >> 32) as u32,
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
                self.busy = word & START != 0;
                if word & (CLEAR | START) == START {
                    self.stays_at_start(&banks, done);
                }
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
        self.taken_early = None;
        self.cycles = 0;
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
        self.cycles = self.cycles.wrapping_add(1);
    }

    /// So many clocks.
    pub fn advance(&mut self, clocks: u64) {
        let mut left = clocks;
        while left > 0 && self.busy {
            let (next, full) = (self.next_index(), self.sound_clocks().min(left));
            if full > 0 {
                accumulate_clocks(&mut self.accumulators, self.seed, next, self.active, full);
                self.cycles += full as u32;
                left -= full;
            } else {
                self.clock();
                left -= 1;
            }
        }
    }

    /// How many of the next clocks every active lane takes an index in, and no fault of single deltas touches.
    fn sound_clocks(&self) -> u64 {
        let next = self.next_index();
        let mut end = self.end();
        for &(_, fault) in &self.faults {
            match fault {
                Fault::Drop(at) | Fault::Duplicate(at) | Fault::Torn(at) | Fault::Misaddress(at) => {
                    end = end.min(stop_before(next, at.into()));
                }
                Fault::Reorder(at) => {
                    end = end.min(stop_before(next, at.into())).min(stop_before(next, u64::from(at) + 1));
                }
                Fault::BankOperator(_) | Fault::IndexWraps(_) | Fault::SwapBanks(..) => return 0,
                // The clock before the last full one is the last that is none of its own.
                Fault::EarlyDone => end = end.saturating_sub(u64::from(self.active)),
                _ => {}
            }
        }
        end.saturating_sub(next) / u64::from(self.active)
    }

    /// The index that lane 0 takes in the next clock.
    fn next_index(&self) -> u64 {
        u64::from(self.cycles) * u64::from(self.active)
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
        let delta = Xorshift64.generate(self.seed ^ from) & mask;
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
                    self.cycles = self.cycles.wrapping_add(1);
                    true
                }
                Fault::LongCount => true,
                _ => false,
            };
            if in_use {
                self.plants.reached(place);
            }
        }
        self.result = result;
        self.busy = false;
        self.done = true;
    }

    fn has(&self, planted: impl Fn(Fault) -> bool) -> bool {
        self.faults.iter().any(|&(_, fault)| planted(fault))
    }
}

/// The end of a stretch that begins at `next` and leaves out `index`, if that is still to come.
fn stop_before(next: u64, index: u64) -> u64 {
    if index < next { u64::MAX } else { index }
}

/// Clocks in which every lane takes an index, beginning with index `first` in lane 0.
fn accumulate_clocks(accumulators: &mut [u64], seed: u64, first: u64, lanes: u32, clocks: u64) {
    match lanes {
        1 => accumulate_lanes::<1>(accumulators, seed, first, clocks),
        2 => accumulate_lanes::<2>(accumulators, seed, first, clocks),
        3 => accumulate_lanes::<3>(accumulators, seed, first, clocks),
        4 => accumulate_lanes::<4>(accumulators, seed, first, clocks),
        5 => accumulate_lanes::<5>(accumulators, seed, first, clocks),
        6 => accumulate_lanes::<6>(accumulators, seed, first, clocks),
        7 => accumulate_lanes::<7>(accumulators, seed, first, clocks),
        8 => accumulate_lanes::<8>(accumulators, seed, first, clocks),
        _ => {
            let accumulators = &mut accumulators[..lanes as usize];
            let mut index = first;
            for _ in 0..clocks {
                for (accumulator, index) in accumulators.iter_mut().zip(index..) {
                    *accumulator ^= Xorshift64.generate(seed ^ index);
                }
                index += u64::from(lanes);
            }
        }
    }
}

fn accumulate_lanes<const LANES: usize>(accumulators: &mut [u64], seed: u64, first: u64, clocks: u64) {
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

    fn started_with(faults: &[Fault], banks: u32, count: u32, active: u32, seed: u64) -> Engine {
        let mut engine = Engine::new(banks, Plants::new(faults));
        engine.write(COUNT, count);
        engine.write(ACTIVE, active);
        engine.write(SEED_LO, seed as u32);
        engine.write(SEED_HI, (seed >> 32) as u32);
        engine.write(CTRL, START);
        engine
    }

    fn started(banks: u32, count: u32, active: u32, seed: u64) -> Engine {
        started_with(&[], banks, count, active, seed)
    }

    fn any_fault() -> impl Strategy<Value = Fault> {
        let operator = prop_oneof![Just(WrongOperator::Or), Just(WrongOperator::Add), Just(WrongOperator::Overwrite)];
        prop_oneof![
            (0..8u32).prop_map(Fault::DeadBank),
            (0..8u32).prop_map(Fault::StuckBank),
            (0..4u32, 4..8u32).prop_map(|(one, other)| Fault::SwapBanks(one, other)),
            (0..100u32).prop_map(Fault::Drop),
            (0..100u32).prop_map(Fault::Duplicate),
            (0..100u32).prop_map(Fault::Reorder),
            (0..100u32).prop_map(Fault::Torn),
            (0..100u32).prop_map(Fault::Misaddress),
            operator.prop_map(Fault::BankOperator),
            Just(Fault::ShortCount),
            Just(Fault::LongCount),
            Just(Fault::PartialCycleDropped),
            (1..8u32).prop_map(Fault::IndexWraps),
            Just(Fault::EarlyDone),
            Just(Fault::ExtraCycle),
            (0..64u32).prop_map(Fault::FlipBit),
            Just(Fault::StartKeepsBanks),
            Just(Fault::DoneStays),
        ]
    }

    /// The result of a run to its end, and its cycles.
    fn ended(mut engine: Engine) -> (u64, u32) {
        engine.advance(10_000);
        assert_eq!(engine.read(CTRL), DONE);
        (engine.result, engine.cycles)
    }

    fn registers(engine: &Engine) -> Vec<u32> {
        (CTRL..=STATUS).step_by(4).map(|offset| engine.read(offset)).collect()
    }

    proptest! {
        #[test]
        fn many_clocks_at_once_are_as_many_single_ones(
            banks in 8..=32u32, count in 0..200u32, active in 0..40u32, seed: u64,
            steps in proptest::collection::vec(0..40u64, 1..12),
            faults in proptest::collection::btree_set(any_fault(), 0..3),
        ) {
            let faults: Vec<Fault> = faults.into_iter().collect();
            let mut fast = started_with(&faults, banks, count, active, seed);
            let mut plain = started_with(&faults, banks, count, active, seed);
            for step in steps {
                fast.advance(step);
                (0..step).for_each(|_| plain.clock());
                prop_assert_eq!(registers(&fast), registers(&plain));
                prop_assert_eq!(fast.accumulators, plain.accumulators);
                prop_assert_eq!(fast.plants.activity(), plain.plants.activity());
            }
        }

        #[test]
        fn exchanging_banks_or_deltas_changes_no_result(count in 0..200u32, active in 1..=8u32, seed: u64, at in 0..200u32) {
            let sound = ended(started(8, count, active, seed));
            for fault in [Fault::SwapBanks(0, 7), Fault::Reorder(at), Fault::Misaddress(at)] {
                prop_assert_eq!(ended(started_with(&[fault], 8, count, active, seed)), sound);
            }
        }
    }

    #[test]
    fn faults_of_the_engine_do_what_they_are_called() {
        let sum = |indices: &[u64]| indices.iter().fold(0, |sum, index| sum ^ Xorshift64.generate(1000 ^ index));
        let with = |fault: Fault| ended(started_with(&[fault], 8, 10, 4, 1000));
        let all = sum(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(ended(started(8, 10, 4, 1000)), (all, 3));
        assert_eq!(with(Fault::DeadBank(1)), (sum(&[0, 2, 3, 4, 6, 7, 8]), 3));
        assert_eq!(with(Fault::StuckBank(7)), (all ^ u64::MAX, 3));
        assert_eq!(with(Fault::Drop(4)), (all ^ sum(&[4]), 3));
        assert_eq!(with(Fault::Duplicate(4)), (all ^ sum(&[4]), 3));
        assert_eq!(with(Fault::Torn(4)), (all ^ (sum(&[4]) >> 32 << 32), 3));
        assert_eq!(with(Fault::BankOperator(WrongOperator::Overwrite)), (sum(&[8, 9, 6, 7]), 3));
        assert_eq!(with(Fault::ShortCount), (all ^ sum(&[9]), 3));
        assert_eq!(with(Fault::LongCount), (all ^ sum(&[10]), 3));
        assert_eq!(with(Fault::PartialCycleDropped), (all ^ sum(&[8, 9]), 3));
        assert_eq!(with(Fault::EarlyDone), (all ^ sum(&[8, 9]), 3));
        assert_eq!(with(Fault::IndexWraps(3)), (sum(&[2, 3, 4, 5, 6, 7]), 3));
        assert_eq!(with(Fault::ExtraCycle), (all, 4));
        assert_eq!(with(Fault::FlipBit(5)), (all ^ 32, 3));
    }

    #[test]
    fn what_stays_at_a_start_is_as_the_run_before_left_it_and_clear_takes_it_back() {
        let second = |faults: &[Fault], ctrl: u32| {
            let mut engine = started_with(faults, 8, 3, 4, 1000);
            engine.advance(10);
            engine.write(COUNT, 9);
            engine.write(CTRL, ctrl);
            let status = engine.read(CTRL);
            engine.advance(10);
            (status, engine.result)
        };
        let sound = second(&[], START);
        assert_eq!(sound.0, BUSY);
        let first = ended(started(8, 3, 4, 1000)).0;
        assert_eq!(second(&[Fault::StartKeepsBanks], START), (BUSY, sound.1 ^ first));
        assert_eq!(second(&[Fault::DoneStays], START), (BUSY | DONE, sound.1));
        assert_eq!(second(&[Fault::StartKeepsBanks, Fault::DoneStays], START | CLEAR), sound);
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
    fn a_planted_fault_counts_when_it_is_in_use() {
        let plants = Plants::new(&[Fault::DeadBank(3), Fault::Drop(9), Fault::Drop(5)]);
        let mut engine = Engine::new(8, plants.clone());
        for count in [3, 6] {
            engine.write(COUNT, count);
            engine.write(ACTIVE, 8);
            engine.write(CTRL, START);
            engine.advance(10);
        }
        let reached: Vec<u64> = plants.activity().iter().map(|(_, activity)| activity.reached).collect();
        assert_eq!(reached, [1, 0, 1]);
    }
}
