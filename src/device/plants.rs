//! Faults as the words that plant them in the RTL. `rtl/bench_engine_plants.vh` and `rtl/delta_adapter_plants.vh` have
//! the same kinds.

use crate::domain::fault::{Fault, WrongOperator};

/// How many faults the RTL has room for.
pub const SLOTS: usize = 64;

/// The kind and the argument that plant a fault.
pub fn words(fault: Fault) -> (u32, u32) {
    match fault {
        Fault::DeadBank(bank) => (1, bank),
        Fault::StuckBank(bank) => (2, bank),
        Fault::SwapBanks(one, other) => (3, other << 8 | one),
        Fault::Drop(index) => (4, index),
        Fault::Duplicate(index) => (5, index),
        Fault::Reorder(index) => (6, index),
        Fault::Torn(index) => (7, index),
        Fault::Misaddress(index) => (8, index),
        Fault::BankOperator(wrong) => (9, operator(wrong)),
        Fault::ShortCount => (10, 0),
        Fault::LongCount => (11, 0),
        Fault::PartialCycleDropped => (12, 0),
        Fault::IndexWraps(bits) => (13, bits),
        Fault::EarlyDone => (14, 0),
        Fault::ExtraCycle => (15, 0),
        Fault::FlipBit(bit) => (16, bit),
        Fault::StaleRead => (17, 0),
        Fault::EarlyRead => (18, 0),
        Fault::LostHighWord => (19, 0),
        Fault::AccumDrop(every) => (20, every),
        Fault::AccumRepeat(every) => (21, every),
        Fault::AccumOperator(wrong) => (22, operator(wrong)),
        Fault::LoadKeepsAccumulator => (23, 0),
        Fault::LoadWrongContext => (24, 0),
        Fault::SwapWrongContext => (25, 0),
        Fault::PipelineHazard => (26, 0),
        Fault::StartKeepsBanks => (27, 0),
        Fault::DoneStays => (28, 0),
        Fault::SwapKeepsBit7 => (29, 0),
        Fault::LoadWrongResponse => (30, 0),
        Fault::ZeroBitLowHalf => (31, 0),
        Fault::AdapterSelectsIgnored => (32, 0),
        Fault::ActiveNotClamped => (33, 0),
        Fault::StuckSeedBit(bit) => (34, bit),
        Fault::SeedNotReset => (35, 0),
        Fault::ShortLane(lane) => (36, lane),
        Fault::CyclesWrap(bits) => (37, bits),
        Fault::CountWraps(bits) => (38, bits),
        Fault::EngineSelectsIgnored => (39, 0),
    }
}

fn operator(wrong: WrongOperator) -> u32 {
    match wrong {
        WrongOperator::Or => 1,
        WrongOperator::Add => 2,
        WrongOperator::Overwrite => 3,
    }
}
