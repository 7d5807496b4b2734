//! The bench engine, clock by clock.
//!
//! [`Engine::clock`] is the plain version: one clock, every bank, every fault. [`Engine::advance`] gives the same for
//! many clocks at a time, faster, and is checked against it.

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

/// Clocks from which on the sums of many deltas are computed in closed form.
const MANY_CLOCKS: u64 = 1 << 14;

/// Clocks in which every lane takes an index, beginning with index `first` in lane 0.
fn accumulate_clocks(accumulators: &mut [u64], seed: u64, first: u64, lanes: u32, clocks: u64) {
    if clocks >= MANY_CLOCKS {
        return accumulate_many(accumulators, seed, first, lanes, clocks);
    }
    accumulate_each(accumulators, seed, first, lanes, clocks);
}

/// Delta by delta.
fn accumulate_each(accumulators: &mut [u64], seed: u64, first: u64, lanes: u32, clocks: u64) {
    let accumulators = &mut accumulators[..lanes as usize];
    let mut index = first;
    for _ in 0..clocks {
        for (accumulator, index) in accumulators.iter_mut().zip(index..) {
            *accumulator ^= Xorshift64.generate(seed ^ index);
        }
        index += u64::from(lanes);
    }
}

/// All at once: xorshift64 is linear, so that the sum of the deltas is the delta of the sum of what they are made of.
fn accumulate_many(accumulators: &mut [u64], seed: u64, first: u64, lanes: u32, clocks: u64) {
    let seeds = if clocks.is_multiple_of(2) { 0 } else { seed };
    for (accumulator, lane) in accumulators[..lanes as usize].iter_mut().zip(0..) {
        *accumulator ^= Xorshift64.generate(seeds ^ sum_of_indices(first + lane, lanes.into(), clocks));
    }
}

/// The XOR of `first`, `first + step`, … , `count` of them. Bit j of a number n is `floor(n / 2^j)` modulo 2.
fn sum_of_indices(first: u64, step: u64, count: u64) -> u64 {
    let parity = |bit: u32| sum_of_quotients(count.into(), 1 << bit, step.into(), first.into()) as u64 & 1;
    (0..u64::BITS).fold(0, |sum, bit| sum | parity(bit) << bit)
}

/// The sum of `floor((step * i + first) / divisor)` for i from 0 to `count - 1`, by Euclid's algorithm.
fn sum_of_quotients(mut count: u128, mut divisor: u128, mut step: u128, mut first: u128) -> u128 {
    let mut sum = 0;
    loop {
        sum += count * count.saturating_sub(1) / 2 * (step / divisor) + count * (first / divisor);
        (step, first) = (step % divisor, first % divisor);
        let end = step * count + first;
        if end < divisor {
            return sum;
        }
        (count, first) = (end / divisor, end % divisor);
        (divisor, step) = (step, divisor);
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
            (1..12u32).prop_map(Fault::CountWraps),
            (1..8u32).prop_map(Fault::CyclesWrap),
            Just(Fault::ActiveNotClamped),
            (0..64u32).prop_map(Fault::StuckSeedBit),
            Just(Fault::SeedNotReset),
            (0..8u32).prop_map(Fault::ShortLane),
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
            banks in 8..=32u32, count in 0..600u32, active in 0..40u32, seed: u64,
            steps in proptest::collection::vec(0..80u64, 1..12),
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
        fn many_deltas_at_once_are_as_many_single_ones(
            seed: u64, first in 0..1u64 << 32, lanes in 1..=32u32, clocks in 1..200u64,
        ) {
            let (mut each, mut many) = ([0; 32], [0; 32]);
            accumulate_each(&mut each, seed, first, lanes, clocks);
            accumulate_many(&mut many, seed, first, lanes, clocks);
            prop_assert_eq!(each, many);
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
        assert_eq!(with(Fault::CountWraps(3)), (sum(&[0, 1]), 1));
        assert_eq!(with(Fault::CyclesWrap(1)), (all, 1));
        // SEED 1000 is 992 without its bit 3.
        let stuck = (0..10).fold(0, |sum, index| sum ^ Xorshift64.generate(992 ^ index));
        assert_eq!(with(Fault::StuckSeedBit(3)), (stuck, 3));
        let long = |faults: &[Fault]| ended(started_with(faults, 8, 259, 4, 1000));
        let lost = Xorshift64.generate(1000 ^ 257);
        assert_eq!(long(&[Fault::ShortLane(1)]), (long(&[]).0 ^ lost, 65));
    }

    #[test]
    fn active_above_the_banks_is_kept_where_it_is_not_clamped_and_its_lanes_lose_their_deltas() {
        let faults = [Fault::ActiveNotClamped];
        let engine = started_with(&faults, 4, 11, 5, 1000);
        assert_eq!(engine.read(ACTIVE), 5);
        let sound = ended(started(4, 11, 4, 1000)).0;
        let lost = [4, 9].iter().fold(0, |sum, index| sum ^ Xorshift64.generate(1000 ^ index));
        assert_eq!(ended(engine), (sound ^ lost, 3));
        let read = |word: u32| started_with(&faults, 4, 1, word, 1).read(ACTIVE);
        assert_eq!([0, 4, 9, 64, u32::MAX].map(read), [1, 4, 9, 1, 63]);
    }

    #[test]
    fn a_seed_that_no_reset_sets_is_zero_until_it_is_written() {
        let mut engine = Engine::new(8, Plants::new(&[Fault::SeedNotReset]));
        assert_eq!((engine.read(SEED_LO), engine.read(SEED_HI)), (0, 0));
        engine.write(SEED_HI, 7);
        assert_eq!((engine.read(SEED_LO), engine.read(SEED_HI)), (0, 7));
        engine.write(SEED_LO, 5);
        assert_eq!((engine.read(SEED_LO), engine.read(SEED_HI)), (5, 7));
    }

    #[test]
    fn a_write_of_fewer_than_four_bytes_is_ignored_unless_selects_are() {
        let mut engine = Engine::new(8, Plants::default());
        engine.write_bytes(COUNT, 0x1122_3344, 0b0001);
        assert_eq!(engine.read(COUNT), 0);
        let mut planted = Engine::new(8, Plants::new(&[Fault::EngineSelectsIgnored]));
        planted.write_bytes(COUNT, 0x1122_3344, 0b0001);
        assert_eq!(planted.read(COUNT), 0x1122_3344);
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
        (engine.cycles, engine.clocks) = (u32::MAX / 7 - 1, u32::MAX / 7 - 1);
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
