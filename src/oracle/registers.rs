//! What a device's registers should show, by its documents alone: what they leave open has no expectation.

use std::collections::BTreeMap;

use crate::domain::access::{Access, Command, Register};
use crate::domain::asked::KEEPERS;
use crate::domain::execution::EngineRun;
use crate::domain::fault::Site;
use crate::domain::seed::Seed;
use crate::domain::subject::DeviceIdentity;
use crate::oracle::equations::right_result;

/// The busy bit of both STATUS registers and of CTRL.
const BUSY: u32 = 1 << 0;

/// The done bit of the engine's STATUS and of CTRL; response_ok of the adapter's STATUS.
const DONE: u32 = 1 << 1;

/// What the STATUS command answers, before bit 0.
const IDENTITY: u32 = 0x0002_0100;

/// Clock cycles of a run that is surely still going on when it was started just before, on a device in this process.
const SURELY_BUSY: u32 = 1_000;

/// Where a word differs from what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongWord {
    /// The access's place in the list.
    pub place: usize,
    /// What it should have shown, in those bits that the documents fix.
    pub expected: u32,
    /// What it showed in them.
    pub got: u32,
    /// The bits that the documents fix.
    pub fixed: u32,
}

/// What is known of the device that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Version of the design.
    pub version: u32,
    /// Banks of the engine.
    pub banks: u32,
    /// Whether nothing but the accesses takes time: the device is in this process.
    pub in_process: bool,
    /// Whether some bytes of a word can be written to it.
    pub selects_bytes: bool,
}

impl Known {
    /// What a device says of itself.
    pub fn of(identity: &DeviceIdentity, in_process: bool, selects_bytes: bool) -> Self {
        Known { version: identity.version, banks: identity.banks, in_process, selects_bytes }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    /// Nothing was started in the list.
    Idle,
    /// A run goes on, of which this is what it takes.
    Busy(Option<EngineRun>),
    /// A run is over.
    Done,
}

/// The registers as far as accesses have determined them.
pub struct Documented {
    known: Known,
    count: Option<u32>,
    active: Option<u32>,
    seed: [Option<u32>; 2],
    /// Registers of which some bytes were written: the word before, and the bits of it that were not.
    parts: BTreeMap<Register, (u32, u32)>,
    engine: Engine,
    /// After a reset, and before anything was started.
    untouched: bool,
    cycles: Option<u32>,
    result: Option<u64>,
    /// Accesses since the run was started.
    since_start: u32,
    rs1: Option<u32>,
    rs2: Option<u32>,
    code: Option<u32>,
    rd: Option<u32>,
    load_low: Option<u32>,
    delta_low: Option<u32>,
    references: Box<[Option<u64>; 256]>,
    accumulator: Option<u64>,
    selected: Option<u8>,
}

impl Documented {
    /// A device of which nothing is known but what it is.
    pub fn new(known: Known) -> Self {
        Documented {
            known,
            count: None,
            active: None,
            seed: [None; 2],
            parts: BTreeMap::new(),
            engine: Engine::Idle,
            untouched: false,
            cycles: None,
            result: None,
            since_start: 0,
            rs1: None,
            rs2: None,
            code: None,
            rd: None,
            load_low: None,
            delta_low: None,
            references: Box::new([None; 256]),
            accumulator: None,
            selected: None,
        }
    }

    fn after_reset(known: Known) -> Self {
        Documented {
            count: Some(0),
            active: Some(1),
            seed: [Some(1), Some(0)],
            untouched: true,
            cycles: Some(0),
            result: Some(0),
            references: Box::new([Some(0); 256]),
            accumulator: Some(0),
            ..Documented::new(known)
        }
    }

    /// Follows one access; gives what it should show and the bits of it that are fixed, if any are.
    pub fn follow(&mut self, access: Access) -> Option<(u32, u32)> {
        self.since_start = self.since_start.saturating_add(1);
        match access {
            Access::Reset => *self = Documented::after_reset(self.known),
            Access::Write(register, word) => self.write(register, word),
            Access::WriteBytes(register, 0xF, word) => self.write(register, word),
            Access::WriteBytes(register, bytes, _) => self.write_bytes(register, bytes),
            Access::See(register) => return self.see(register),
            Access::Do(command) => return self.carry_out(command).map(|word| (word, u32::MAX)),
            Access::Finish => {
                let over = matches!(self.engine, Engine::Busy(_));
                self.finish();
                return over.then_some((DONE, DONE | BUSY));
            }
            // A client that polls for one flag looks at that one alone. Whether its run is over, its reads tell.
            Access::PollDone => {
                self.finish();
                return (self.engine == Engine::Done).then_some((DONE, DONE));
            }
            Access::PollIdle => {
                self.finish();
                return Some((0, BUSY));
            }
        }
        None
    }

    /// The clock cycles that the run going on should take, if they are known.
    pub fn cycles_of_run(&self) -> Option<u32> {
        match self.engine {
            Engine::Busy(run) => run.map(EngineRun::cycles),
            _ => None,
        }
    }

    /// Some bytes of a word are written. Whether a device takes them is open; on Wishbone the others are not valid, and no
    /// device may take them.
    fn write_bytes(&mut self, register: Register, bytes: u8) {
        let busy = matches!(self.engine, Engine::Busy(_)) && register.site() == Site::Engine;
        // START and clear are in the lowest byte.
        if bytes == 0 || register == Register::Ctrl && bytes & 1 == 0 {
            return;
        }
        let before = self.see(register).filter(|_| !busy && KEEPERS.contains(&register));
        self.forget(register);
        if let Some((word, fixed)) = before {
            let written = (0..4).filter(|byte| bytes >> byte & 1 == 1).fold(0, |mask, byte| mask | 0xFF << (8 * byte));
            self.parts.insert(register, (word & fixed & !written, fixed & !written));
        }
        if busy {
            self.engine = Engine::Busy(None);
        }
    }

    fn write(&mut self, register: Register, word: u32) {
        self.parts.remove(&register);
        let busy = matches!(self.engine, Engine::Busy(_));
        match register {
            // A start is ignored; what a clear does to a run is open.
            Register::Ctrl if busy && word & 2 != 0 => self.engine = Engine::Busy(None),
            Register::Ctrl if busy => {}
            Register::Ctrl => {
                if word & 3 != 0 {
                    (self.cycles, self.result, self.untouched) = (None, None, false);
                    self.engine = Engine::Idle;
                }
                if word & 1 != 0 {
                    self.engine = Engine::Busy(self.run());
                    self.since_start = 0;
                }
            }
            Register::Count | Register::Active | Register::SeedLo | Register::SeedHi if busy => {
                self.forget(register);
                self.engine = Engine::Busy(None);
            }
            Register::Count => self.count = Some(word),
            Register::Active => self.active = Some(word.clamp(1, self.known.banks)),
            Register::SeedLo => self.seed[0] = Some(word),
            Register::SeedHi => self.seed[1] = Some(word),
            Register::Rs1 => self.rs1 = Some(word),
            Register::Rs2 => self.rs2 = Some(word),
            Register::Cmd => {
                // Nobody waits for its end here.
                self.forget(Register::Cmd);
                self.code = Some(word & 7);
            }
            _ => {}
        }
    }

    /// What a register holds is not known any more.
    fn forget(&mut self, register: Register) {
        self.parts.remove(&register);
        match register {
            Register::Count => self.count = None,
            Register::Active => self.active = None,
            Register::SeedLo => self.seed[0] = None,
            Register::SeedHi => self.seed[1] = None,
            Register::Rs1 => self.rs1 = None,
            Register::Rs2 => self.rs2 = None,
            Register::Cmd => {
                (self.code, self.rd, self.load_low, self.delta_low) = (None, None, None, None);
                (self.accumulator, self.selected) = (None, None);
                *self.references = [None; 256];
            }
            Register::Ctrl => {
                (self.cycles, self.result, self.untouched) = (None, None, false);
                self.engine = Engine::Busy(None);
            }
            _ => {}
        }
    }

    fn run(&self) -> Option<EngineRun> {
        let seed = u64::from(self.seed[1]?) << 32 | u64::from(self.seed[0]?);
        Some(EngineRun { count: self.count?, active: self.active?, seed: Seed::new(seed) })
    }

    fn finish(&mut self) {
        if let Engine::Busy(run) = self.engine {
            (self.cycles, self.result) = (run.map(EngineRun::cycles), run.map(right_result));
            self.engine = Engine::Done;
        }
    }

    fn see(&self, register: Register) -> Option<(u32, u32)> {
        if let Some(&(word, fixed)) = self.parts.get(&register) {
            return (fixed != 0).then_some((word, fixed));
        }
        let whole = |word: Option<u32>| word.map(|word| (word, u32::MAX));
        let idle = !matches!(self.engine, Engine::Busy(_));
        match register {
            Register::Ctrl => self.flags(),
            Register::Count => whole(self.count),
            Register::Active => whole(self.active),
            Register::SeedLo => whole(self.seed[0]),
            Register::SeedHi => whole(self.seed[1]),
            Register::Cycles => whole(self.cycles.filter(|_| idle)),
            Register::ResultLo => whole(self.result.filter(|_| idle).map(|result| result as u32)),
            Register::ResultHi => whole(self.result.filter(|_| idle).map(|result| (result >> 32) as u32)),
            Register::EngineStatus => {
                let (flags, fixed) = self.flags().unwrap_or((0, 0));
                let Known { version, banks, .. } = self.known;
                Some((version << 24 | banks << 16 | flags, !(DONE | BUSY) | fixed))
            }
            Register::Cmd => self.code.map(|code| (code, 7)),
            Register::Rs1 => whole(self.rs1),
            Register::Rs2 => whole(self.rs2),
            Register::Rd => whole(self.rd),
            // A command was waited for.
            Register::AdapterStatus => self.rd.map(|_| (DONE, DONE | BUSY)),
        }
    }

    /// `done` and `busy` of the engine, as far as they are fixed. Whether `done` is up during a run is open; that a run of
    /// many clocks is going on two accesses after its start is certain where nothing but accesses takes time.
    fn flags(&self) -> Option<(u32, u32)> {
        match self.engine {
            Engine::Idle if self.untouched => Some((0, DONE | BUSY)),
            Engine::Idle => Some((0, BUSY)),
            Engine::Done => Some((DONE, DONE | BUSY)),
            Engine::Busy(Some(run)) => {
                let sure = self.known.in_process && self.since_start <= 16 && run.cycles() >= SURELY_BUSY;
                sure.then_some((BUSY, BUSY))
            }
            Engine::Busy(None) => None,
        }
    }

    fn state(&self) -> Option<u64> {
        Some(self.references[usize::from(self.selected?)]? ^ self.accumulator?)
    }

    /// Carries out a command; gives what RD should hold then.
    fn carry_out(&mut self, command: Command) -> Option<u32> {
        let state = self.state();
        let (low, high) = (state.map(|state| state as u32), state.map(|state| (state >> 32) as u32));
        let joined = |low: Option<u32>, high: Option<u32>| Some(u64::from(high?) << 32 | u64::from(low?));
        let context = self.rs1.map(|rs1| rs1 as u8);
        self.code = Some(command.code());
        self.rd = match command {
            Command::Load => {
                (self.selected, self.load_low) = (context, self.rs2);
                low
            }
            Command::LoadHi => {
                self.store(self.selected, joined(self.load_low, self.rs2));
                high
            }
            Command::Accum => {
                self.delta_low = self.rs1;
                low
            }
            Command::AccumHi => {
                let delta = joined(self.delta_low, self.rs1);
                self.accumulator = self.accumulator.zip(delta).map(|(accumulator, delta)| accumulator ^ delta);
                high
            }
            Command::Read => low,
            Command::ReadHi => high,
            Command::Swap => {
                self.selected = context;
                self.store(context, state);
                low
            }
            Command::Status => self.accumulator.map(|accumulator| IDENTITY | u32::from(accumulator == 0)),
        };
        self.rd
    }

    /// Writes a reference and clears the accumulator; where it is not known which context, none is known any more.
    fn store(&mut self, context: Option<u8>, reference: Option<u64>) {
        match context {
            Some(context) => self.references[usize::from(context)] = reference,
            None => *self.references = [None; 256],
        }
        self.accumulator = Some(0);
    }
}

/// Compares what accesses showed, in order, with what they should have.
pub fn first_wrong_word(known: Known, accesses: &[Access], shown: &[u32]) -> Option<WrongWord> {
    judged_words(known, accesses, shown).into_iter().find(|word| word.expected != word.got)
}

/// What accesses should have shown and did, in those bits that the documents fix; only those that are fixed in some.
pub fn judged_words(known: Known, accesses: &[Access], shown: &[u32]) -> Vec<WrongWord> {
    let mut documented = Documented::new(known);
    let mut shown = shown.iter();
    let judged = accesses.iter().enumerate().filter_map(|(place, &access)| {
        let expected = documented.follow(access);
        let got = if access.shows() { *shown.next()? } else { return None };
        let (expected, fixed) = expected?;
        Some(WrongWord { place, expected: expected & fixed, got: got & fixed, fixed })
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Known = Known { version: 2, banks: 8, in_process: true, selects_bytes: true };

    fn expectations(accesses: &[Access]) -> Vec<Option<(u32, u32)>> {
        let mut documented = Documented::new(KNOWN);
        let followed: Vec<_> = accesses.iter().map(|&access| (access, documented.follow(access))).collect();
        followed.into_iter().filter(|(access, _)| access.shows()).map(|(_, expected)| expected).collect()
    }

    #[test]
    fn nothing_is_expected_of_what_nothing_determined() {
        use Register::*;
        let open = [Count, Active, SeedLo, SeedHi, Cycles, ResultLo, ResultHi, Cmd, Rs1, Rs2, Rd, AdapterStatus];
        for register in open {
            assert_eq!(expectations(&[Access::See(register)]), [None], "{register:?}");
        }
        let commands: Vec<Access> = Command::ALL.into_iter().map(Access::Do).collect();
        assert_eq!(expectations(&commands), [None; 8]);
    }

    #[test]
    fn a_run_is_judged_when_its_end_was_waited_for() {
        use Register::*;
        let accesses = [
            Access::Write(Count, 1003),
            Access::Write(Active, 99),
            Access::Write(SeedLo, 5),
            Access::Write(SeedHi, 0),
            Access::Write(Ctrl, 1),
            Access::See(Cycles),
            Access::Finish,
            Access::See(Cycles),
            Access::See(Active),
            Access::See(Ctrl),
        ];
        let all = u32::MAX;
        assert_eq!(expectations(&accesses), [None, Some((2, 3)), Some((126, all)), Some((8, all)), Some((2, 3))]);
    }

    #[test]
    fn registers_after_a_reset_are_those_of_the_documents() {
        use Register::*;
        let seen = [Count, Active, SeedLo, SeedHi, Cycles, ResultLo, ResultHi].map(Access::See);
        let accesses = [&[Access::Reset][..], &seen].concat();
        let words: Vec<u32> = expectations(&accesses).into_iter().flatten().map(|(word, _)| word).collect();
        assert_eq!(words, [0, 1, 1, 0, 0, 0, 0]);
        assert_eq!(expectations(&[Access::Reset, Access::See(EngineStatus)]), [Some((0x0208_0000, u32::MAX))]);
        assert_eq!(expectations(&[Access::Reset, Access::See(AdapterStatus)]), [None], "left open");
    }

    #[test]
    fn bytes_that_are_not_selected_stay_and_whether_selected_ones_are_taken_is_open() {
        use Register::*;
        let written = [Access::Write(Count, 0x1122_3344), Access::Write(Rs1, 7)];
        let then = |accesses: &[Access]| expectations(&[&written[..], accesses].concat());
        let of_bytes = |register, bytes| Access::WriteBytes(register, bytes, 0x5555_5555);
        assert_eq!(then(&[of_bytes(Count, 0), Access::See(Count)]), [Some((0x1122_3344, u32::MAX))]);
        assert_eq!(then(&[of_bytes(Count, 2), Access::See(Count)]), [Some((0x1122_0044, 0xFFFF_00FF))]);
        let twice = [of_bytes(Count, 2), of_bytes(Count, 9), Access::See(Count), Access::See(Rs1)];
        assert_eq!(then(&twice), [Some((0x0022_0000, 0x00FF_0000)), Some((7, u32::MAX))]);
        assert_eq!(then(&[of_bytes(Count, 3), of_bytes(Count, 12), Access::See(Count)]), [None]);
        assert_eq!(then(&[of_bytes(Count, 3), Access::Write(Count, 5), Access::See(Count)]), [Some((5, u32::MAX))]);
        assert_eq!(then(&[of_bytes(Count, 3), Access::Write(Ctrl, 1), Access::Finish, Access::See(Cycles)])[1], None);
        let flags = |bytes| expectations(&[Access::Reset, Access::WriteBytes(Ctrl, bytes, 1), Access::See(Ctrl)]);
        assert_eq!((flags(0xE), flags(1)), (vec![Some((0, 3))], vec![None]));
    }

    #[test]
    fn a_write_to_a_busy_engine_leaves_the_run_open_and_a_second_start_does_not() {
        use Register::*;
        let start = [
            Access::Write(Count, 9),
            Access::Write(Active, 1),
            Access::Write(SeedLo, 5),
            Access::Write(SeedHi, 0),
            Access::Write(Ctrl, 1),
        ];
        let then = |access| [&start[..], &[access, Access::Finish, Access::See(Cycles)]].concat();
        assert_eq!(expectations(&then(Access::Write(SeedLo, 6)))[1], None);
        assert_eq!(expectations(&then(Access::Write(Ctrl, 1)))[1], Some((9, u32::MAX)));
    }
}
