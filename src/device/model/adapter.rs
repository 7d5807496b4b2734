//! The adapter: one accumulator, 256 contexts, one command at a time.

use crate::device::model::{Plants, note};
use crate::device::registers::adapter::*;
use crate::device::registers::command;
use crate::domain::fault::Fault;

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
    response_ok: bool,
    busy_clocks: u64,
    last_delta: u64,
    plants: Plants,
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
            response_ok: false,
            busy_clocks: 0,
            last_delta: 0,
            plants,
        }
    }

    /// The word at this offset.
    pub fn read(&self, offset: u32) -> u32 {
        let busy = self.busy_clocks > 0;
        match offset {
            CMD => self.code,
            RS1 => self.rs1,
            RS2 => self.rs2,
            RD => self.rd,
            STATUS => (u32::from(self.response_ok && !busy) * RESPONSE_OK) | (u32::from(busy) * BUSY),
            _ => 0,
        }
    }

    /// Takes a word at this offset.
    pub fn write(&mut self, offset: u32, word: u32) {
        if self.busy_clocks > 0 {
            return;
        }
        match offset {
            CMD => {
                self.code = word & 0x7;
                self.rd = self.command();
                self.response_ok = true;
                self.busy_clocks = COMMAND_CLOCKS;
            }
            RS1 => self.rs1 = word,
            RS2 => self.rs2 = word,
            _ => {}
        }
    }

    /// So many clocks.
    pub fn advance(&mut self, clocks: u64) {
        self.busy_clocks = self.busy_clocks.saturating_sub(clocks);
    }

    fn state(&self) -> u64 {
        self.references[self.context] ^ self.accumulator
    }

    /// Carries out the command and gives its response, which is about the state before it.
    fn command(&mut self) -> u32 {
        let state = self.state();
        let (low, high) = (state as u32, (state >> 32) as u32);
        match self.code {
            command::LOAD => {
                self.context = (self.rs1 & 0xFF) as usize;
                self.load_low = self.rs2;
                low
            }
            command::LOAD_HI => {
                self.references[self.context] = join(self.load_low, self.rs2);
                self.accumulator = 0;
                self.last_delta = 0;
                high
            }
            command::ACCUM => {
                self.delta_low = self.rs1;
                low
            }
            command::ACCUM_HI => {
                let delta = self.taken(join(self.delta_low, self.rs1));
                self.accumulator ^= delta;
                self.last_delta = delta;
                high
            }
            command::READ => self.shown(state) as u32,
            command::READ_HI => (self.shown(state) >> 32) as u32,
            command::SWAP => {
                self.context = (self.rs1 & 0xFF) as usize;
                self.references[self.context] = state;
                self.accumulator = 0;
                self.last_delta = 0;
                low
            }
            _ => IDENTITY | u32::from(self.accumulator == 0),
        }
    }

    /// The delta that the accumulator takes of the one given.
    fn taken(&self, delta: u64) -> u64 {
        let mut taken = delta;
        for (fault, activity) in self.plants.each() {
            if fault == Fault::LostHighWord {
                taken = delta & u64::from(u32::MAX);
                note(activity, taken != delta);
            }
        }
        taken
    }

    /// The state that a READ answers with.
    fn shown(&self, state: u64) -> u64 {
        let mut shown = state;
        for (fault, activity) in self.plants.each() {
            if fault == Fault::StaleRead {
                shown = state ^ self.last_delta;
                note(activity, shown != state);
            }
        }
        shown
    }
}

fn join(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
