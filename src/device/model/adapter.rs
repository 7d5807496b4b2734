//! The adapter: one accumulator, 256 contexts, one command at a time.

use crate::device::model::{ALL_BYTES, Plants};
use crate::device::registers::adapter::*;
use crate::device::registers::command;
use crate::domain::fault::{Fault, Site};

/// Clocks for which a command keeps the adapter busy.
pub const COMMAND_CLOCKS: u64 = 3;

/// The adapter's registers, contexts and accumulator.
pub struct Adapter {
    references: Box<[u64; CONTEXTS]>,
    context: usize,
    accumulator: u64,
    load_low: u32,
    delta_low: u32,
    code: u32,
    rs1: u32,
    rs2: u32,
    rd: u32,
    /// What RD shows when busy falls.
    response: u32,
    response_ok: bool,
    busy_clocks: u64,
    last_delta: u64,
    accums: u64,
    /// The accumulator before the last ACCUM, if no other command came since.
    not_forwarded: Option<u64>,
    plants: Plants,
    faults: Vec<(usize, Fault)>,
}

impl Adapter {
    /// An adapter after reset: all contexts 0, context 0 selected.
    pub fn new(plants: Plants) -> Self {
        Adapter {
            references: Box::new([0; CONTEXTS]),
            context: 0,
            accumulator: 0,
            load_low: 0,
            delta_low: 0,
            code: 0,
            rs1: 0,
            rs2: 0,
            rd: 0,
            response: 0,
            response_ok: false,
            busy_clocks: 0,
            last_delta: 0,
            accums: 0,
            not_forwarded: None,
            faults: plants.at(Site::Adapter),
            plants,
        }
    }

    /// The word at this offset.
    pub fn read(&self, offset: u32) -> u32 {
        let busy = self.is_busy();
        match offset {
            CMD => self.code,
            RS1 => self.rs1,
            RS2 => self.rs2,
            RD => self.rd,
            STATUS => (u32::from(self.response_ok) * RESPONSE_OK) | (u32::from(busy) * BUSY),
            _ => 0,
        }
    }

    /// The references of all contexts.
    pub fn references(&self) -> &[u64; CONTEXTS] {
        &self.references
    }

    /// What has been accumulated so far.
    pub fn accumulator(&self) -> u64 {
        self.accumulator
    }

    /// The selected context.
    pub fn context(&self) -> u32 {
        self.context as u32
    }

    /// RD.
    pub fn rd(&self) -> u32 {
        self.rd
    }

    /// Whether a command is being carried out.
    pub fn is_busy(&self) -> bool {
        self.busy_clocks > 0
    }

    /// Takes a word at this offset, of which these bytes are selected.
    pub fn write_bytes(&mut self, offset: u32, word: u32, bytes: u8) {
        if bytes == ALL_BYTES || (!self.is_busy() && self.meets(Fault::AdapterSelectsIgnored)) {
            self.write(offset, word);
        }
    }

    /// Takes a word at this offset.
    pub fn write(&mut self, offset: u32, word: u32) {
        if self.is_busy() {
            return;
        }
        match offset {
            CMD => {
                self.code = word & 0x7;
                self.response_ok = false;
                self.busy_clocks = COMMAND_CLOCKS;
            }
            RS1 => self.rs1 = word,
            RS2 => self.rs2 = word,
            _ => {}
        }
    }

    /// So many clocks.
    pub fn advance(&mut self, clocks: u64) {
        let before = self.busy_clocks;
        self.busy_clocks = before.saturating_sub(clocks);
        // The state is fetched in the first clock; the command is carried out in the second and answers in the third.
        if before > 1 && self.busy_clocks <= 1 {
            self.response = self.command();
        }
        if before > 0 && !self.is_busy() {
            self.rd = self.response;
            self.response_ok = true;
        }
    }

    fn state(&self) -> u64 {
        self.references[self.context] ^ self.accumulator
    }

    /// Carries out the command and gives its response, which is about the state before it.
    fn command(&mut self) -> u32 {
        let state = self.state();
        let (low, high) = (state as u32, (state >> 32) as u32);
        if !matches!(self.code, command::ACCUM | command::ACCUM_HI) {
            self.not_forwarded = None;
        }
        match self.code {
            command::LOAD => {
                self.context = (self.rs1 & 0xFF) as usize;
                self.load_low = self.rs2;
                if self.meets(Fault::LoadWrongResponse) { high } else { low }
            }
            command::LOAD_HI => {
                let context = self.written(self.context, Fault::LoadWrongContext);
                self.references[context] = join(self.load_low, self.rs2);
                if !self.meets(Fault::LoadKeepsAccumulator) {
                    self.clear();
                }
                high
            }
            command::ACCUM => {
                self.delta_low = self.rs1;
                low
            }
            command::ACCUM_HI => {
                self.accumulate(join(self.delta_low, self.rs1));
                high
            }
            command::READ => self.shown(state) as u32,
            command::READ_HI => (self.shown(state) >> 32) as u32,
            command::SWAP => {
                let bit_7 = self.context & 0x80;
                self.context = (self.rs1 & 0xFF) as usize;
                let kept = if bit_7 != 0 && self.meets(Fault::SwapKeepsBit7) { bit_7 } else { 0 };
                let context = self.written(self.context | kept, Fault::SwapWrongContext);
                self.references[context] = state;
                self.clear();
                low
            }
            _ => {
                let seen = if self.meets(Fault::ZeroBitLowHalf) { self.accumulator << 32 } else { self.accumulator };
                IDENTITY | u32::from(seen == 0)
            }
        }
    }

    fn clear(&mut self) {
        self.accumulator = 0;
        self.last_delta = 0;
    }

    /// Whether this fault is planted; if so, it is in use.
    fn meets(&self, planted: Fault) -> bool {
        let place = self.faults.iter().find(|(_, fault)| *fault == planted).map(|(place, _)| *place);
        place.inspect(|&place| self.plants.reached(place)).is_some()
    }

    /// The context that a command writes: the one that is addressed, or the next one where this fault is planted.
    fn written(&self, addressed: usize, wrong: Fault) -> usize {
        (addressed + usize::from(self.meets(wrong))) % CONTEXTS
    }

    /// Takes a delta, with whatever is planted on its way.
    fn accumulate(&mut self, delta: u64) {
        self.accums += 1;
        let (mut taken, mut times, mut operator) = (delta, 1, None);
        for &(place, fault) in &self.faults {
            let comes_up = |every: u32| self.accums.is_multiple_of(every.into());
            let touched = match fault {
                Fault::LostHighWord => {
                    taken &= u64::from(u32::MAX);
                    true
                }
                Fault::AccumDrop(every) if comes_up(every) => {
                    times = 0;
                    true
                }
                Fault::AccumRepeat(every) if comes_up(every) => {
                    times += 1;
                    true
                }
                Fault::AccumOperator(wrong) => {
                    operator = Some(wrong);
                    true
                }
                _ => false,
            };
            if touched {
                self.plants.reached(place);
            }
        }
        let before = self.accumulator;
        if let Some(earlier) = self.not_forwarded.filter(|_| self.meets(Fault::PipelineHazard)) {
            self.accumulator = earlier;
        }
        self.not_forwarded = Some(before);
        for _ in 0..times {
            self.accumulator = match operator {
                None => self.accumulator ^ taken,
                Some(wrong) => wrong.apply(self.accumulator, taken),
            };
        }
        self.last_delta = before ^ self.accumulator;
    }

    /// The state that a READ answers with.
    fn shown(&self, state: u64) -> u64 {
        let state = if self.meets(Fault::StaleRead) { state ^ self.last_delta } else { state };
        if self.meets(Fault::EarlyRead) { u64::from(self.rd) << 32 | u64::from(self.rd) } else { state }
    }
}

fn join(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::WrongOperator;

    /// An adapter with this fault, after LOAD 3 ← 0xF0 and ACCUM of 7·2^32 + 0x11 and of 0x10.
    fn after_two_deltas(faults: &[Fault]) -> Adapter {
        let mut adapter = Adapter::new(Plants::new(faults));
        for (rs1, rs2, code) in [
            (3, 0xF0, command::LOAD),
            (3, 0, command::LOAD_HI),
            (0x11, 0, command::ACCUM),
            (7, 0, command::ACCUM_HI),
            (0x10, 0, command::ACCUM),
            (0, 0, command::ACCUM_HI),
        ] {
            ask(&mut adapter, rs1, rs2, code);
        }
        adapter
    }

    fn ask(adapter: &mut Adapter, rs1: u32, rs2: u32, code: u32) -> u32 {
        for (offset, word) in [(RS1, rs1), (RS2, rs2), (CMD, code)] {
            adapter.write(offset, word);
        }
        adapter.advance(COMMAND_CLOCKS);
        adapter.read(RD)
    }

    fn shown(adapter: &mut Adapter) -> u64 {
        join(ask(adapter, 0, 0, command::READ), ask(adapter, 0, 0, command::READ_HI))
    }

    #[test]
    fn faults_of_the_adapter_do_what_they_are_called() {
        let with = |fault: Fault| shown(&mut after_two_deltas(&[fault]));
        assert_eq!(shown(&mut after_two_deltas(&[])), 7 << 32 | 0xF1);
        assert_eq!(with(Fault::StaleRead), 7 << 32 | 0xE1);
        assert_eq!(with(Fault::LostHighWord), 0xF1);
        assert_eq!(with(Fault::AccumDrop(2)), 7 << 32 | 0xE1);
        assert_eq!(with(Fault::AccumDrop(1)), 0xF0);
        assert_eq!(with(Fault::AccumRepeat(2)), 7 << 32 | 0xE1);
        // The second delta starts from before the first.
        assert_eq!(with(Fault::PipelineHazard), 0xE0);
        assert_eq!(with(Fault::AccumOperator(WrongOperator::Or)), 7 << 32 | 0xE1);
        assert_eq!(with(Fault::AccumOperator(WrongOperator::Add)), 7 << 32 | 0xD1);
        assert_eq!(with(Fault::LoadWrongContext), 7 << 32 | 0x01);
        // The response of the command before the READ is the high word of the state before the last delta.
        assert_eq!(with(Fault::EarlyRead), 7 << 32 | 7);
    }

    #[test]
    fn a_load_that_keeps_the_accumulator_shows_the_old_deltas() {
        let mut adapter = after_two_deltas(&[Fault::LoadKeepsAccumulator]);
        ask(&mut adapter, 5, 0, command::LOAD);
        ask(&mut adapter, 5, 0, command::LOAD_HI);
        assert_eq!(shown(&mut adapter), 7 << 32 | 1);
    }

    #[test]
    fn a_swap_to_the_wrong_context_leaves_the_right_one_as_it_was() {
        let mut adapter = after_two_deltas(&[Fault::SwapWrongContext]);
        ask(&mut adapter, 9, 0, command::SWAP);
        assert_eq!(shown(&mut adapter), 0);
        ask(&mut adapter, 10, 0, command::LOAD);
        assert_eq!(shown(&mut adapter), 7 << 32 | 0xF1);
    }

    #[test]
    fn a_swap_that_keeps_bit_7_writes_the_upper_half_from_the_upper_half_alone() {
        let states = |from: u32, onto: u32| {
            let mut adapter = Adapter::new(Plants::new(&[Fault::SwapKeepsBit7]));
            ask(&mut adapter, from, 5, command::LOAD);
            ask(&mut adapter, 0, 0, command::LOAD_HI);
            ask(&mut adapter, onto, 0, command::SWAP);
            [onto, onto | 0x80].map(|context| {
                ask(&mut adapter, context, 0, command::LOAD);
                shown(&mut adapter)
            })
        };
        assert_eq!(states(3, 9), [5, 0]);
        assert_eq!(states(131, 9), [0, 5]);
        assert_eq!(states(131, 137), [5, 5]);
    }

    #[test]
    fn wrong_responses_are_those_of_the_commands_that_they_are_called_after() {
        let load = |faults: &[Fault]| ask(&mut after_two_deltas(faults), 3, 0, command::LOAD);
        assert_eq!((load(&[]), load(&[Fault::LoadWrongResponse])), (0xF1, 7));
        let zero = |faults: &[Fault]| {
            let mut adapter = after_two_deltas(faults);
            ask(&mut adapter, 1, 0, command::ACCUM);
            ask(&mut adapter, 0, 0, command::ACCUM_HI);
            ask(&mut adapter, 0, 0, command::STATUS)
        };
        // The accumulator holds 7·2^32.
        assert_eq!((zero(&[]), zero(&[Fault::ZeroBitLowHalf])), (IDENTITY, IDENTITY | 1));
    }

    #[test]
    fn a_write_of_fewer_than_four_bytes_is_ignored_unless_selects_are() {
        let taken = |faults: &[Fault]| {
            let mut adapter = Adapter::new(Plants::new(faults));
            adapter.write_bytes(RS1, 0x1122_3344, 0b0111);
            adapter.read(RS1)
        };
        assert_eq!((taken(&[]), taken(&[Fault::AdapterSelectsIgnored])), (0, 0x1122_3344));
    }

    #[test]
    fn a_busy_adapter_ignores_writes_and_has_no_response_yet() {
        let mut adapter = Adapter::new(Plants::default());
        assert_eq!(adapter.read(STATUS), 0);
        adapter.write(CMD, command::STATUS);
        adapter.write(RS1, 7);
        assert_eq!((adapter.read(STATUS), adapter.read(RS1)), (BUSY, 0));
        adapter.advance(COMMAND_CLOCKS);
        assert_eq!((adapter.read(STATUS), adapter.read(RD)), (RESPONSE_OK, IDENTITY | 1));
    }
}
