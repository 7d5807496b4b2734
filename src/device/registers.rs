//! The register maps of the two Wishbone slaves: 32-bit little-endian words at byte offsets.

use crate::domain::access::Register;

/// Clock of both slaves, in cycles per second.
pub const CLOCK_HZ: u64 = 100_000_000;

/// Where a register is on the board.
pub fn address(register: Register) -> u32 {
    match register {
        Register::Ctrl => engine::BASE + engine::CTRL,
        Register::Count => engine::BASE + engine::COUNT,
        Register::Active => engine::BASE + engine::ACTIVE,
        Register::SeedLo => engine::BASE + engine::SEED_LO,
        Register::SeedHi => engine::BASE + engine::SEED_HI,
        Register::Cycles => engine::BASE + engine::CYCLES,
        Register::ResultLo => engine::BASE + engine::RESULT_LO,
        Register::ResultHi => engine::BASE + engine::RESULT_HI,
        Register::EngineStatus => engine::BASE + engine::STATUS,
        Register::Cmd => adapter::BASE + adapter::CMD,
        Register::Rs1 => adapter::BASE + adapter::RS1,
        Register::Rs2 => adapter::BASE + adapter::RS2,
        Register::Rd => adapter::BASE + adapter::RD,
        Register::AdapterStatus => adapter::BASE + adapter::STATUS,
    }
}

/// The adapter: one bank, 256 contexts, one command at a time.
pub mod adapter {
    /// Where it is on the board.
    pub const BASE: u32 = 0xF002_0000;
    /// Write a command's code to start it; read the last code.
    pub const CMD: u32 = 0x00;
    /// First operand.
    pub const RS1: u32 = 0x04;
    /// Second operand.
    pub const RS2: u32 = 0x08;
    /// Response of the last command.
    pub const RD: u32 = 0x0C;
    /// `{response_ok bit 1, busy bit 0}`.
    pub const STATUS: u32 = 0x10;
    /// STATUS: a command is being carried out.
    pub const BUSY: u32 = 1 << 0;
    /// STATUS: RD holds the response of the last command.
    pub const RESPONSE_OK: u32 = 1 << 1;
    /// Number of contexts.
    pub const CONTEXTS: usize = 256;
    /// What the STATUS command answers, before bit 0 tells whether the accumulator is zero: version 2, one bank.
    pub const IDENTITY: u32 = 0x0002_0100;
}

/// The adapter's commands: funct3 codes.
pub mod command {
    /// Selects context RS1\[7:0\], latches the low word RS2.
    pub const LOAD: u32 = 0;
    /// Latches the low word RS1 of a delta.
    pub const ACCUM: u32 = 1;
    /// Answers with the low word of the state.
    pub const READ: u32 = 2;
    /// Writes the state into context RS1\[7:0\], selects it, clears the accumulator.
    pub const SWAP: u32 = 3;
    /// Writes the reference with the high word RS2, clears the accumulator.
    pub const LOAD_HI: u32 = 4;
    /// Accumulates the delta with the high word RS1.
    pub const ACCUM_HI: u32 = 5;
    /// Answers with the high word of the state.
    pub const READ_HI: u32 = 6;
    /// Answers with the identity and whether the accumulator is zero.
    pub const STATUS: u32 = 7;
}

/// The bench engine: several banks, accumulates deltas that it generates.
pub mod engine {
    /// Where it is on the board.
    pub const BASE: u32 = 0xF002_1000;
    /// Write [`START`] or [`CLEAR`]; read `{done bit 1, busy bit 0}`.
    pub const CTRL: u32 = 0x00;
    /// Number of deltas.
    pub const COUNT: u32 = 0x04;
    /// Number of active banks; reads back clamped.
    pub const ACTIVE: u32 = 0x08;
    /// Low word of the seed.
    pub const SEED_LO: u32 = 0x0C;
    /// High word of the seed.
    pub const SEED_HI: u32 = 0x10;
    /// Clock cycles of the last accumulate loop.
    pub const CYCLES: u32 = 0x14;
    /// Low word of the merged accumulator.
    pub const RESULT_LO: u32 = 0x18;
    /// High word of the merged accumulator.
    pub const RESULT_HI: u32 = 0x1C;
    /// `{version 31:24, banks 23:16, 0, done bit 1, busy bit 0}`.
    pub const STATUS: u32 = 0x20;
    /// CTRL: starts a run; ignored unless idle.
    pub const START: u32 = 1 << 0;
    /// CTRL: clears the outputs.
    pub const CLEAR: u32 = 1 << 1;
    /// CTRL and STATUS: a run is going on.
    pub const BUSY: u32 = 1 << 0;
    /// CTRL and STATUS: the last run is over and its outputs stand.
    pub const DONE: u32 = 1 << 1;
}
