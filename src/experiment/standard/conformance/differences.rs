//! What the device's documents leave open, beside our own table: shown, not judged.

use crate::domain::access::{Access, Command, Register};
use crate::domain::fault::Site;
use crate::domain::seed::Seed;
use crate::domain::subject::{BenchDevice, SubjectError};
use crate::domain::watch::Watch;

/// Something that a device does otherwise than our table says.
pub struct Difference {
    /// The part of the device.
    pub part: Site,
    /// What it does.
    pub sentence: String,
}

/// A question that the documents leave open.
struct Question {
    part: Site,
    /// What is asked, in words.
    about: &'static str,
    /// Whether it can be asked over a link, too.
    over_links: bool,
    accesses: Vec<Access>,
    /// The last words that our table has.
    ours: Vec<u32>,
}

/// COUNT of a run that still goes on some accesses after its start.
const LONG: u32 = 100_000;

fn questions(seed: Seed) -> Vec<Question> {
    use Access::{Do, Finish, See, Write};
    use Register::{AdapterStatus, Count, Ctrl, Cycles, Rd, ResultHi, ResultLo, Rs1, SeedLo};
    let word = seed.value();
    let set = |count: u32| {
        vec![
            Write(Count, count),
            Write(Register::Active, 1),
            Write(SeedLo, word as u32),
            Write(Register::SeedHi, (word >> 32) as u32),
        ]
    };
    let with = |first: Vec<Access>, rest: &[Access]| [first, rest.to_vec()].concat();
    let started = || with(set(LONG), &[Write(Ctrl, 1)]);
    let engine = Site::Engine;
    vec![
        Question {
            part: Site::Adapter,
            about: "STATUS after a reset",
            over_links: false,
            accesses: vec![Access::Reset, See(AdapterStatus)],
            ours: vec![0],
        },
        Question {
            part: engine,
            about: "CYCLES and RESULT after a CTRL clear",
            over_links: true,
            accesses: with(
                set(9),
                &[Write(Ctrl, 1), Finish, Write(Ctrl, 2), See(Cycles), See(ResultLo), See(ResultHi)],
            ),
            ours: vec![0, 0, 0],
        },
        Question {
            part: engine,
            about: "done and busy after a CTRL clear",
            over_links: true,
            accesses: with(set(9), &[Write(Ctrl, 1), Finish, Write(Ctrl, 2), See(Ctrl)]),
            ours: vec![0],
        },
        Question {
            part: engine,
            about: "COUNT and SEED_LO that are written while the engine is busy",
            over_links: false,
            accesses: with(started(), &[Write(SeedLo, !(word as u32)), Write(Count, 7), See(SeedLo), See(Count)]),
            ours: vec![word as u32, LONG],
        },
        Question {
            part: engine,
            about: "CTRL right after a start, with done up before it",
            over_links: false,
            accesses: with(set(LONG), &[Write(Ctrl, 1), Finish, Write(Ctrl, 1), See(Ctrl)]),
            ours: vec![1],
        },
        Question {
            part: engine,
            about: "RESULT while the engine is busy",
            over_links: false,
            accesses: with(started(), &[See(ResultLo), See(ResultHi)]),
            ours: vec![0, 0],
        },
        lowest_byte("COUNT after a write of its lowest byte alone", Count),
        lowest_byte("RS1 after a write of its lowest byte alone", Rs1),
        Question {
            part: Site::Adapter,
            about: "RD right after a command was given, beside the answer before",
            over_links: false,
            accesses: vec![Do(Command::Status), Write(Register::Cmd, Command::Status.code()), See(Rd)],
            // The accumulator that priming leaves is not 0.
            ours: vec![0x0002_0100],
        },
        Question {
            part: Site::Adapter,
            about: "STATUS of the adapter right after a command was given",
            over_links: false,
            accesses: vec![Do(Command::Status), Write(Register::Cmd, Command::Status.code()), See(AdapterStatus)],
            ours: vec![1],
        },
    ]
}

/// A write of a register's lowest byte, over a word that was written before.
fn lowest_byte(about: &'static str, register: Register) -> Question {
    const WORD: u32 = 0x1122_3344;
    Question {
        part: register.site(),
        about,
        over_links: false,
        accesses: vec![Access::Write(register, WORD), Access::WriteBytes(register, 1, 0x55), Access::See(register)],
        ours: vec![WORD],
    }
}

/// What this device does otherwise than our table says.
pub fn of(device: &mut dyn BenchDevice, seed: Seed, watch: &mut dyn Watch) -> Result<Vec<Difference>, SubjectError> {
    let mut differences = Vec::new();
    let in_process = device.is_in_process();
    for question in questions(seed).into_iter().filter(|question| question.over_links || in_process) {
        let selects = question.accesses.iter().any(|access| matches!(access, Access::WriteBytes(..)));
        if selects && !device.selects_bytes() {
            continue;
        }
        let shown = device.access(&question.accesses, watch)?;
        let last = &shown[shown.len() - question.ours.len()..];
        if last != question.ours {
            let words = |words: &[u32]| words.iter().map(|word| format!("{word:#x}")).collect::<Vec<_>>().join(", ");
            differences.push(Difference {
                part: question.part,
                sentence: format!("{} read {} (ours {})", question.about, words(last), words(&question.ours)),
            });
        }
    }
    Ok(differences)
}
