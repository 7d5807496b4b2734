//! What the conformance check asks: lists of register accesses, drawn from the seed.

use crate::domain::access::{Access, Command, Register};
use crate::domain::asked::{KEEPERS, RESET_ONES};
use crate::domain::delta::Xorshift64;
use crate::domain::fault::Site;
use crate::domain::seed::Seed;
use crate::domain::trial::Conformance;
use crate::experiment::standard::conformance::pairs::{Circuit, cover, de_bruijn};
use crate::oracle::registers::Known;

/// Accesses that are judged together.
pub struct Program {
    /// What is done, in words.
    pub during: String,
    /// The part of the device that it is about.
    pub part: Site,
    /// The accesses.
    pub accesses: Vec<Access>,
}

impl Program {
    pub(in crate::experiment) fn of(part: Site, during: impl Into<String>, accesses: Vec<Access>) -> Self {
        Program { during: during.into(), part, accesses }
    }
}

/// COUNTs of runs on every number of active banks: of every residue modulo 4, and with indices of 16 bits and more.
const COUNTS: [u32; 4] = [1_000, 65_544, 65_549, 77_777];

/// A COUNT, and CYCLES at one active bank, of more than 20 bits.
const ABOVE_20_BITS: u32 = (1 << 20) + 1;

/// A COUNT, and CYCLES at one active bank, of more than 24 bits.
const ABOVE_24_BITS: u32 = (1 << 24) + 1;

/// COUNT of a run whose flags are looked at while it goes on.
const LONG: u32 = 100_000;

/// Contexts that the commands are tried on.
const FEW: [u8; 4] = [0x00, 0x7F, 0x80, 0xFF];

/// All programs for such a device.
pub fn programs(known: Known, seed: Seed, extent: Conformance, most_pairs: usize) -> Vec<Program> {
    let mut programs = Vec::new();
    if known.in_process {
        programs.extend([reset_of_engine(), reset_of_contexts()]);
    }
    programs.extend([engine_registers(), active(known.banks, seed), flags(seed)]);
    programs.push(bits_of_banks(known.banks, seed));
    programs.extend(runs(known.banks, seed, extent));
    programs.extend([operands(), commands(seed, extent), zero_bit()]);
    programs.extend(moves(seed, extent, most_pairs));
    if known.in_process && known.selects_bytes {
        programs.extend([parts_of_engine_words(seed), parts_of_adapter_words(seed)]);
    }
    programs
}

fn reset_of_engine() -> Program {
    let seen = RESET_ONES.into_iter().chain([Register::Ctrl, Register::EngineStatus]).map(Access::See);
    Program::of(Site::Engine, "registers after a reset", [Access::Reset].into_iter().chain(seen).collect())
}

fn reset_of_contexts() -> Program {
    let mut accesses = vec![Access::Reset];
    for context in 0..=u8::MAX {
        accesses.extend([Access::Write(Register::Rs1, context.into()), Access::Do(Command::Load)]);
        accesses.extend([Access::Do(Command::Read), Access::Do(Command::ReadHi)]);
    }
    Program::of(Site::Adapter, "contexts after a reset", accesses)
}

/// A walking one, then a walking zero.
fn walking(step: u32) -> u32 {
    let one = 1 << (step % 32);
    if step % 64 < 32 { one } else { !one }
}

/// Registers that keep what is written, of one part: each bit of each is 0 and 1, with other words in the others.
fn walks(part: Site) -> Vec<Access> {
    let keepers: Vec<Register> = KEEPERS.into_iter().filter(|register| register.site() == part).collect();
    let mut accesses = Vec::new();
    for step in 0..64 {
        let word = |place: usize| walking(step + 11 * place as u32);
        accesses.extend(keepers.iter().enumerate().map(|(place, &register)| Access::Write(register, word(place))));
        accesses.extend(keepers.iter().map(|&register| Access::See(register)));
    }
    accesses
}

fn engine_registers() -> Program {
    Program::of(Site::Engine, "registers written and read back", walks(Site::Engine))
}

fn operands() -> Program {
    Program::of(Site::Adapter, "operands written and read back", walks(Site::Adapter))
}

/// One run, from settings to outputs. Nothing is cleared before it.
fn run(count: u32, active: u32, seed: Seed) -> Vec<Access> {
    let word = seed.value();
    let settings = [
        (Register::Count, count),
        (Register::Active, active),
        (Register::SeedLo, word as u32),
        (Register::SeedHi, (word >> 32) as u32),
        (Register::Ctrl, 1),
    ];
    let mut accesses: Vec<Access> =
        settings.into_iter().map(|(register, word)| Access::Write(register, word)).collect();
    accesses.push(Access::Finish);
    accesses.extend([Register::Cycles, Register::ResultLo, Register::ResultHi].map(Access::See));
    accesses
}

fn active(banks: u32, seed: Seed) -> Program {
    let beyond = [0, banks + 1, 9, 63, 64, 255, 256, u32::MAX];
    let mut accesses = Vec::new();
    for active in (1..=banks).chain(beyond).chain((0..32).map(|bit| 1 << bit)) {
        accesses.extend([Access::Write(Register::Active, active), Access::See(Register::Active)]);
    }
    for active in beyond {
        accesses.extend(run(1_003, active, seed));
    }
    Program::of(Site::Engine, "ACTIVE, clamped", accesses)
}

/// `done` and `busy` when a run is started, while it goes on, when it is started once more meanwhile, and after it.
fn flags(seed: Seed) -> Program {
    let looks = [Register::Ctrl, Register::EngineStatus].map(Access::See);
    let mut accesses = Vec::new();
    for count in [LONG, 0, LONG + 1] {
        let whole = run(count, 1, seed);
        let (settings, outputs) = whole.split_at(5);
        accesses.extend(settings);
        if count != 0 {
            accesses.extend(looks);
            accesses.push(Access::Write(Register::Ctrl, 1));
            accesses.extend(looks);
        }
        accesses.extend(outputs);
        accesses.extend(looks);
        accesses.extend([Register::Count, Register::Active, Register::SeedLo, Register::SeedHi].map(Access::See));
    }
    Program::of(Site::Engine, "done and busy around runs", accesses)
}

/// Short runs after which each bit of each bank was 1 in one and 0 in another, and some of drawn seeds. Under one seed a bit
/// of a bank may hold 0 at the end of every run, and under the complement too, since most bits of their deltas are equal.
fn bits_of_banks(banks: u32, seed: Seed) -> Program {
    let mut accesses = Vec::new();
    for bank in 0..banks {
        // The last delta goes to this bank, and is all ones, then zero.
        for delta in [u64::MAX, 0] {
            accesses.extend(run(bank + 1, banks, Seed::new(Xorshift64::invert(delta) ^ u64::from(bank))));
        }
    }
    let mut stream = seed.stream("conformance: banks");
    for active in (1..=banks).chain(1..=banks) {
        let count = stream.below(4 * u64::from(banks)) as u32;
        accesses.extend(run(count, active, Seed::new(stream.word())));
    }
    Program::of(Site::Engine, "runs that set and clear every bit of every bank", accesses)
}

/// Runs of two complementary seeds.
fn runs(banks: u32, seed: Seed, extent: Conformance) -> Vec<Program> {
    let seeds = [seed, Seed::new(!seed.value())];
    let all: Vec<u32> = (1..=banks).collect();
    let ends = if banks == 1 { vec![1] } else { vec![1, banks] };
    let mut counts: Vec<(u32, &[u32])> = COUNTS.into_iter().map(|count| (count, &all[..])).collect();
    match extent {
        Conformance::Quick => counts.push((ABOVE_20_BITS, &ends)),
        Conformance::Whole => counts.extend([(ABOVE_20_BITS, &all[..]), (ABOVE_24_BITS, &ends)]),
        Conformance::Longest => {
            counts.extend([(ABOVE_20_BITS, &all[..]), (ABOVE_24_BITS, &ends), (u32::MAX, &ends[ends.len() - 1..])]);
        }
    }
    let program = |(count, actives): (u32, &[u32])| {
        let pairs = actives.iter().flat_map(|&active| seeds.map(|seed| (active, seed)));
        let accesses = pairs.flat_map(|(active, seed)| run(count, active, seed)).collect();
        Program::of(Site::Engine, format!("runs of COUNT {count}"), accesses)
    };
    counts.into_iter().map(program).collect()
}

/// A command with its operands.
fn command(command: Command, rs1: u32, rs2: u32) -> [Access; 3] {
    [Access::Write(Register::Rs1, rs1), Access::Write(Register::Rs2, rs2), Access::Do(command)]
}

/// Every command right after every other, two and, in the whole check, three in a row, on contexts that are known.
fn commands(seed: Seed, extent: Conformance) -> Program {
    let mut stream = seed.stream("conformance: commands");
    let mut accesses = Vec::new();
    for context in FEW {
        let word = stream.word();
        accesses.extend(command(Command::Load, context.into(), word as u32));
        accesses.extend(command(Command::LoadHi, 0, (word >> 32) as u32));
    }
    accesses.extend(command(Command::Accum, 5, 0));
    let in_a_row = if extent == Conformance::Quick { 2 } else { 3 };
    for code in de_bruijn(Command::ALL.len(), in_a_row) {
        let word = stream.word();
        // The context is one of the few; what stands above its eight bits should not matter.
        let context = FEW[(word % FEW.len() as u64) as usize];
        let rs1 = (word >> 32) as u32 & !0xFF | u32::from(context);
        accesses.extend(command(Command::ALL[code], rs1, (word as u32).rotate_left(7)));
        let looks = [Register::Cmd, Register::Rd, Register::AdapterStatus, Register::Rs1, Register::Rs2];
        if stream.below(4) == 0 {
            accesses.extend(looks.map(Access::See));
        }
    }
    Program::of(Site::Adapter, "commands back to back", accesses)
}

fn delta(word: u64) -> [Access; 4] {
    [
        Access::Write(Register::Rs1, word as u32),
        Access::Do(Command::Accum),
        Access::Write(Register::Rs1, (word >> 32) as u32),
        Access::Do(Command::AccumHi),
    ]
}

/// The STATUS command with each bit of the accumulator alone, with its halves zero alone and together.
fn zero_bit() -> Program {
    let mut accesses = Vec::new();
    accesses.extend(command(Command::Load, 9, 0x1234_5678));
    accesses.extend(command(Command::LoadHi, 0, 0x9ABC_DEF0));
    accesses.push(Access::Do(Command::Status));
    let halves = [0, u64::MAX, u64::MAX << 32, u64::MAX >> 32];
    for accumulator in (0..u64::BITS).map(|bit| 1 << bit).chain(halves) {
        // LOAD_HI clears what was accumulated.
        accesses.push(Access::Do(Command::LoadHi));
        accesses.extend(delta(accumulator));
        accesses.push(Access::Do(Command::Status));
    }
    // A delta onto itself is none, and so is what comes after a SWAP.
    for _ in 0..2 {
        accesses.extend(delta(u64::MAX >> 32));
        accesses.push(Access::Do(Command::Status));
    }
    accesses.extend([Access::Write(Register::Rs1, 10), Access::Do(Command::Swap), Access::Do(Command::Status)]);
    Program::of(Site::Adapter, "STATUS of zero and other accumulators", accesses)
}

/// SWAP, then LOAD, between pairs of contexts: all of them, or as many as are drawn.
fn moves(seed: Seed, extent: Conformance, most_pairs: usize) -> Vec<Program> {
    let mut stream = seed.stream("conformance: contexts");
    let circuit = match extent {
        Conformance::Quick => cover(&mut stream),
        Conformance::Whole | Conformance::Longest => Circuit::of_all(&mut stream, most_pairs),
    };
    let mut swaps = Vec::new();
    swaps.extend(command(Command::Load, circuit.start().into(), 0));
    swaps.extend(command(Command::LoadHi, 0, 0));
    for to in circuit.steps() {
        let (word, above) = (stream.word(), stream.word() as u32 & !0xFF);
        swaps.extend(delta(word));
        swaps.extend([Access::Write(Register::Rs1, above | u32::from(to)), Access::Do(Command::Swap)]);
    }
    // What was written last, and what else it may have hit, is looked at.
    let visited = circuit.visited();
    for &context in &visited {
        swaps.extend([Access::Write(Register::Rs1, context.into()), Access::Do(Command::Load)]);
        swaps.extend([Access::Do(Command::Read), Access::Do(Command::ReadHi)]);
    }
    let mut loads = Vec::new();
    for to in [circuit.start()].into_iter().chain(circuit.steps()) {
        let word = stream.word();
        loads.extend(command(Command::Load, to.into(), word as u32));
        loads.extend([Access::Write(Register::Rs2, (word >> 32) as u32), Access::Do(Command::LoadHi)]);
    }
    for &context in &visited {
        loads.extend([Access::Write(Register::Rs1, context.into()), Access::Do(Command::Load)]);
        loads.extend([Access::Do(Command::Read), Access::Do(Command::ReadHi)]);
    }
    vec![
        Program::of(Site::Adapter, "SWAP from context to context", swaps),
        Program::of(Site::Adapter, "LOAD from context to context", loads),
    ]
}

/// Selections of some bytes of a word, and not of all four.
fn parts() -> impl Iterator<Item = u8> {
    0..0xF
}

fn parts_of_engine_words(seed: Seed) -> Program {
    let mut accesses = run(1_000, 1, seed);
    for register in [Register::Count, Register::SeedLo, Register::SeedHi] {
        for bytes in parts() {
            accesses.extend([
                Access::Write(register, 1),
                Access::WriteBytes(register, bytes, !0),
                Access::See(register),
            ]);
        }
    }
    // What ACTIVE is clamped to after a write of its lowest byte alone is open.
    accesses.extend([Access::WriteBytes(Register::Active, 0, !0), Access::See(Register::Active)]);
    // START and clear are in the lowest byte: where that is not selected, the run before still stands.
    for bytes in parts().filter(|bytes| bytes & 1 == 0) {
        accesses.extend([Access::WriteBytes(Register::Ctrl, bytes, 3), Access::See(Register::EngineStatus)]);
        accesses.push(Access::See(Register::ResultLo));
    }
    Program::of(Site::Engine, "writes of some bytes of a word", accesses)
}

fn parts_of_adapter_words(seed: Seed) -> Program {
    let word = seed.value();
    let mut accesses = Vec::new();
    accesses.extend(command(Command::Load, 3, word as u32));
    accesses.extend(command(Command::LoadHi, 3, (word >> 32) as u32));
    for register in [Register::Rs1, Register::Rs2] {
        for bytes in parts() {
            accesses.push(Access::Write(register, 0x3333_3333));
            accesses.extend([Access::WriteBytes(register, bytes, 0x5555_5555), Access::See(register)]);
        }
    }
    // Whether a write of any byte of CMD starts a command is open.
    accesses.extend([Access::WriteBytes(Register::Cmd, 0, Command::Swap.code()), Access::See(Register::Cmd)]);
    accesses.extend([Access::Do(Command::Read), Access::Do(Command::ReadHi)]);
    Program::of(Site::Adapter, "writes of some bytes of a word", accesses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::registers::Documented;

    fn known(banks: u32) -> Known {
        Known { version: 2, banks, in_process: true, selects_bytes: true }
    }

    #[test]
    fn nearly_every_word_that_is_shown_is_one_that_the_documents_fix() {
        for (banks, extent) in [(1, Conformance::Quick), (8, Conformance::Whole), (32, Conformance::Quick)] {
            for program in programs(known(banks), Seed::new(7), extent, usize::MAX) {
                let mut documented = Documented::new(known(banks));
                let open = program.accesses.iter().filter(|access| {
                    let expected = documented.follow(**access);
                    access.shows() && expected.is_none()
                });
                // What a device held before a list is not known: its first commands have answers that nobody can judge.
                let open = open.count();
                let allowed = match program.during.as_str() {
                    "LOAD from context to context" => 257,
                    "commands back to back" => 5,
                    _ => 2,
                };
                assert!(open <= allowed, "{}: {open} of {}", program.during, program.accesses.len());
            }
        }
    }
}
