//! The device's registers, commands and contexts against its documents.
//!
//! Only what the documents fix is judged; the expectation of each word is that of [`crate::oracle::registers`]. What they
//! leave open is looked at, too, and shown where it differs from our own table.

pub mod differences;
mod pairs;
mod programs;

use std::collections::BTreeMap;

use crate::domain::access::{Access, Command, Register};
use crate::domain::asked::{ALL_PAIRS, Asked, KEEPERS, Move};
use crate::domain::execution::Execution;
use crate::domain::fault::{FaultClass, MOST_BANKS, Site};
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::subject::{BenchDevice, SubjectError};
use crate::domain::trial::StandardTrial;
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::experiment::case_text;
use crate::experiment::control::device::WrongDevice;
use crate::experiment::control::{Control, Show, Shown, agreed};
use crate::explore::minimise::fewest_items;
use crate::oracle::registers::{Known, WrongWord, first_wrong_word, judged_words};
use crate::report::record::{Check, Part};

pub(in crate::experiment) use programs::Program;
use programs::programs;

/// Name of the check of the engine's registers and runs.
pub const OF_ENGINE: &str = "conformance of the engine";

/// Name of the check of the adapter's registers, commands and contexts.
pub const OF_ADAPTER: &str = "conformance of the adapter";

/// The judge.
pub(in crate::experiment) const ORACLE: OracleId = OracleId::Documents;

/// Replays for making a counterexample smaller.
const REPLAYS: u32 = 100;

/// Clocks of the runs in all replays that make a counterexample smaller: a slow simulation does as many in some seconds.
const MOST_CLOCKS: u64 = 1 << 22;

/// Replays in which a wait may be long overdue: a simulation takes some seconds for each.
const MOST_OVERDUE: u32 = 3;

/// What is known of a device before it is asked.
pub fn known(device: &dyn BenchDevice) -> Known {
    Known::of(device.identity(), device.is_in_process(), device.selects_bytes())
}

/// What was found in one part of a device so far.
#[derive(Default)]
pub(in crate::experiment) struct Found {
    pub planned: usize,
    pub made: usize,
    pub wrong: usize,
    pub words: usize,
    pub asked: Asked,
    pub findings: Vec<Finding>,
}

/// Makes the check on a device; gives what was found until an error, and the error.
pub fn check(
    device: &mut dyn BenchDevice,
    trial: &StandardTrial,
    watch: &mut dyn Watch,
) -> (Vec<Check>, Result<(), SubjectError>) {
    let known = known(device);
    let most_pairs = usize::try_from(trial.budget.get()).unwrap_or(usize::MAX);
    let all = programs(known, trial.seed, trial.conformance, most_pairs);
    let mut found = [Found::default(), Found::default()];
    let of = |part: Site| usize::from(part == Site::Adapter);
    all.iter().for_each(|program| found[of(program.part)].planned += 1);
    watch.begin("conformance", all.iter().map(|program| program.accesses.len() as u64).sum());
    watch.unit("accesses");
    let mut ended = Ok(());
    for program in &all {
        if let Err(error) = make(device, known, program, &mut found[of(program.part)], watch) {
            ended = Err(error);
            break;
        }
    }
    watch.end();
    let differing = match ended {
        Ok(()) => differences::of(device, trial.seed, watch),
        Err(_) => Ok(Vec::new()),
    };
    let differing = differing.unwrap_or_else(|error| {
        ended = Err(error);
        Vec::new()
    });
    let [engine, adapter] = found;
    let checks = vec![
        engine.into_check(device, Site::Engine, &differing),
        adapter.into_check(device, Site::Adapter, &differing),
    ];
    (checks, ended)
}

/// Has the device make the accesses of a program, and judges them.
pub(in crate::experiment) fn make(
    device: &mut dyn BenchDevice,
    known: Known,
    program: &Program,
    found: &mut Found,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let shown = device.access(&program.accesses, watch)?;
    found.made += 1;
    found.words += judged_words(known, &program.accesses, &shown).len();
    found.asked.accesses(&program.accesses);
    let Some(wrong) = first_wrong_word(known, &program.accesses, &shown) else { return Ok(()) };
    found.wrong += 1;
    // One counterexample of each part is made small; others would mostly be of the same cause.
    if found.findings.iter().any(|finding| finding.reproducible) {
        return Ok(());
    }
    let failing = &program.accesses[..=wrong.place];
    let reproducible = comes_again(device, known, failing, wrong, watch)?;
    let shrunk =
        if reproducible && can_be_made_smaller(known, failing) { shrink(device, known, failing, watch)? } else { None };
    let (accesses, shows, size) = shrunk.unwrap_or_else(|| (failing.to_vec(), wrong, "not made smaller".to_owned()));
    found.findings.push(Finding {
        subject: device.name().to_owned(),
        evidence: device.evidence(),
        during: format!("{}: {}", program.during, told(&accesses, shows)),
        quantity: Quantity::Word,
        expected: Hex64(shows.expected.into()),
        got: Hex64(shows.got.into()),
        reproducible,
        oracle: ORACLE,
        case: case_text(device, Execution::Registers(accesses)),
        size,
    });
    Ok(())
}

/// How often an access has to be wrong again where it does not show the same word again.
const AGAIN: usize = 3;

/// Whether these accesses lead to the same wrong word again. What is read while a run goes on is another word each time: such
/// an access counts if it is wrong three times more, one after the other.
pub fn comes_again(
    device: &mut dyn BenchDevice,
    known: Known,
    accesses: &[Access],
    wrong: WrongWord,
    watch: &mut dyn Watch,
) -> Result<bool, SubjectError> {
    for _ in 0..AGAIN {
        match first_wrong_word(known, accesses, &device.access(accesses, watch)?) {
            Some(again) if again == wrong => return Ok(true),
            Some(again) if again.place == wrong.place => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Over a link, a list that waits for a run is kept as it is: without its START, or its settings, each try would wait for up to
/// 43 s of real time.
fn can_be_made_smaller(known: Known, failing: &[Access]) -> bool {
    let waits = |access: &Access| matches!(access, Access::Finish | Access::PollDone | Access::PollIdle);
    known.in_process || !failing.iter().any(waits)
}

/// What was read, in words.
fn told(accesses: &[Access], wrong: WrongWord) -> String {
    let bits = if wrong.fixed == u32::MAX { String::new() } else { format!(", bits {:#x}", wrong.fixed) };
    match accesses[wrong.place] {
        Access::See(register) => format!("{} as it reads{bits}", register.name()),
        Access::Do(command) => format!("the answer of {command}{bits}"),
        Access::PollDone | Access::PollIdle => format!("CTRL as it is polled{bits}"),
        _ => format!("the engine's STATUS at the end of a run{bits}"),
    }
}

/// Clocks that the runs in a list take, as far as it says.
fn clocks(accesses: &[Access]) -> u64 {
    let (mut count, mut active, mut clocks) = (0, 1, 0);
    for access in accesses {
        match *access {
            Access::Write(Register::Count, word) => count = u64::from(word),
            Access::Write(Register::Active, word) => active = u64::from(word.clamp(1, MOST_BANKS)),
            Access::Finish => clocks += count / active,
            _ => {}
        }
    }
    clocks
}

/// Whether each wait for a run follows a START of its own. A wait without a run ends at its deadline alone, which costs a
/// simulation seconds.
fn every_wait_has_a_run(accesses: &[Access]) -> bool {
    let mut started = false;
    accesses.iter().all(|access| match *access {
        Access::Write(Register::Ctrl, word) => {
            started |= word & 1 != 0;
            true
        }
        Access::Finish | Access::PollDone | Access::PollIdle => std::mem::take(&mut started),
        _ => true,
    })
}

/// Whether a wait was given up, by the word that it shows.
fn is_overdue(accesses: &[Access], shown: &[u32]) -> bool {
    let (busy, done) = (|word: u32| word & 1 != 0, |word: u32| word & 2 != 0);
    accesses.iter().filter(|access| access.shows()).zip(shown).any(|(access, &word)| match access {
        Access::Finish => busy(word) || !done(word),
        Access::PollDone => !done(word),
        Access::PollIdle => busy(word),
        _ => false,
    })
}

/// Fewer accesses that still show a wrong word: the fewest last ones, and of these whatever is needed. `None` where what is
/// left does not go wrong the same way twice.
fn shrink(
    device: &mut dyn BenchDevice,
    known: Known,
    failing: &[Access],
    watch: &mut dyn Watch,
) -> Result<Option<(Vec<Access>, WrongWord, String)>, SubjectError> {
    let mut overdue = 0;
    let mut replay = |accesses: &[Access]| {
        // What would take too long passes, and nothing is proved minimal then.
        if overdue >= MOST_OVERDUE || !every_wait_has_a_run(accesses) {
            return Ok(None);
        }
        let shown = device.access(accesses, watch)?;
        overdue += u32::from(is_overdue(accesses, &shown));
        Ok::<_, SubjectError>(first_wrong_word(known, accesses, &shown))
    };
    let mut start = failing;
    let lengths = (3..usize::BITS).map(|log| 1 << log).take_while(|&length| length < failing.len());
    for length in lengths {
        let last = &failing[failing.len() - length..];
        if replay(last)?.is_some() {
            start = last;
            break;
        }
    }
    // A reset stands at the start or nowhere.
    let is_case = |accesses: &[Access]| !accesses.is_empty() && !accesses[1..].contains(&Access::Reset);
    let bound = u32::try_from(MOST_CLOCKS / clocks(start).max(1)).map_or(REPLAYS, |replays| replays.min(REPLAYS));
    let smallest =
        fewest_items(start, bound, |accesses| Ok::<_, SubjectError>(is_case(accesses) && replay(accesses)?.is_some()))?;
    let shown = device.access(&smallest.found, watch)?;
    let Some(shows) = first_wrong_word(known, &smallest.found, &shown) else { return Ok(None) };
    if !comes_again(device, known, &smallest.found, shows, watch)? {
        return Ok(None);
    }
    let len = smallest.found.len();
    let size = if smallest.neighbours_pass && overdue < MOST_OVERDUE {
        format!("{len} accesses; leaving out any one of them passes")
    } else {
        format!("{len} accesses after {} replays; not proved minimal", smallest.replays)
    };
    Ok(Some((smallest.found, shows, size)))
}

impl Found {
    /// What is found so far, and whether all that was planned was made.
    pub(in crate::experiment) fn verdict(&self) -> Verdict {
        let falsified = self.findings.iter().any(|finding| finding.reproducible);
        match (falsified, self.findings.is_empty(), self.made == self.planned) {
            (true, ..) => Verdict::Falsified,
            (_, true, true) => Verdict::Holds,
            _ => Verdict::Inconclusive,
        }
    }

    fn into_check(self, device: &dyn BenchDevice, part: Site, differing: &[differences::Difference]) -> Check {
        let verdict = self.verdict();
        let what = match part {
            Site::Engine => "registers, flags and runs of COUNTs up to",
            Site::Adapter => "operands, commands and their answers, SWAP and LOAD between",
        };
        let extent = match part {
            Site::Engine => self.asked.longest_run().to_string(),
            Site::Adapter => format!("{} and {} of {ALL_PAIRS} pairs of contexts", self.pairs().1, self.pairs().0),
        };
        let wrong = match self.wrong {
            0 => String::new(),
            wrong => format!("{wrong} of {} lists of accesses show wrong words: ", self.made),
        };
        let lists = match self.made == self.planned {
            true => String::new(),
            false => format!("; {} of {} lists of accesses were made", self.made, self.planned),
        };
        let differing: Vec<&str> =
            differing.iter().filter(|difference| difference.part == part).map(|d| d.sentence.as_str()).collect();
        let differing = match differing.is_empty() {
            true => String::new(),
            false => format!(
                "; differs from our table, where the device's documents leave it open: {}",
                differing.join("; ")
            ),
        };
        Check {
            name: if part == Site::Engine { OF_ENGINE } else { OF_ADAPTER }.to_owned(),
            part: if part == Site::Engine { Part::Engine } else { Part::Adapter },
            judge: Judge::Conformance,
            subjects: BTreeMap::from([(device.name().to_owned(), device.evidence())]),
            verdict,
            oracles: BTreeMap::from([(ORACLE, verdict)]),
            summary: format!("{wrong}{what} {extent}, {} words that the documents fix{lists}{differing}", self.words),
            warrant: None,
            orders: None,
            tries: self.tried(part),
            findings: self.findings,
        }
    }

    fn pairs(&self) -> (usize, usize) {
        (self.asked.pairs(Move::Load), self.asked.pairs(Move::Swap))
    }

    /// The kinds of fault that it tried, by what was asked.
    fn tried(&self, part: Site) -> Vec<FaultClass> {
        let kept = |register: &&Register| register.site() == part;
        let all_kept = KEEPERS.iter().filter(kept).all(|&register| self.asked.bits_not_kept(register) == 0);
        let all_answers = Command::ALL.into_iter().all(|command| self.asked.saw_answer(command));
        let (loads, swaps) = self.pairs();
        let tried = match part {
            Site::Engine => {
                vec![(all_kept, FaultClass::WrongRegister), (self.asked.longest_run() > 0, FaultClass::WrongCycles)]
            }
            Site::Adapter => vec![
                (all_kept, FaultClass::WrongRegister),
                (all_answers, FaultClass::WrongAnswer),
                (loads > 0 && swaps > 0, FaultClass::WrongContext),
            ],
        };
        tried.into_iter().filter(|(tries, _)| *tries).map(|(_, class)| class).collect()
    }
}

/// What is planted for the judge of a device's words.
pub const CONTROLS: &[Control] = &[
    Control {
        judge: Judge::Conformance,
        planted: "each bit of a register that is read back, and of a command's answer, wrong",
        show: Show::Alone(show_bits),
    },
    Control {
        judge: Judge::Conformance,
        planted: "three bits of every kind of word wrong, each at its place in a list of all",
        show: Show::Alone(show_places),
    },
    Control {
        judge: Judge::Conformance,
        planted: "a word of each list of accesses wrong, in turn, in the whole check",
        show: Show::Alone(show_lists),
    },
];

/// The accesses up to the one that shows the word of this number.
pub(in crate::experiment) fn until_word(accesses: &[Access], number: u64) -> &[Access] {
    let mut shows = accesses.iter().enumerate().filter(|(_, access)| access.shows());
    &accesses[..shows.nth(number as usize).map_or(0, |(at, _)| at + 1)]
}

/// What the judge makes of a list by a device whose word of this number is wrong by a mask.
fn of_list(part: Site, accesses: &[Access], number: u64, mask: u64) -> Verdict {
    let mut device = WrongDevice::in_words(move |at| if at == number { mask } else { 0 });
    let program = Program { during: String::new(), part, accesses: accesses.to_vec() };
    let mut found = Found { planned: 1, ..Found::default() };
    match make(&mut device, known(&WrongDevice::right()), &program, &mut found, &mut Unwatched) {
        Ok(()) => agreed(&found.into_check(&device, part, &[]), ORACLE),
        Err(_) => Verdict::Inconclusive,
    }
}

fn show_bits() -> Shown {
    let lists = [
        (Site::Engine, vec![Access::Write(Register::Count, 5), Access::See(Register::Count)]),
        (Site::Adapter, vec![Access::Do(Command::LoadHi), Access::Do(Command::Status)]),
    ];
    let wrong = (0..u32::BITS).flat_map(|bit| [(0, 1 << bit), (1, 1 << bit)]);
    Shown::of((0, 0), wrong, |(list, mask): (usize, u64)| {
        let (part, accesses) = &lists[list];
        let last = accesses.iter().filter(|access| access.shows()).count() as u64 - 1;
        of_list(*part, accesses, last, mask)
    })
}

/// A list in which every kind of word is judged, with the bits of each that the documents fix.
fn every_kind_of_word() -> Vec<(Access, u32)> {
    use Access::{Do, Finish, See, Write};
    use Register::{Active, AdapterStatus, Cmd, Count, Ctrl, Cycles, Rd, ResultHi, ResultLo, Rs1, Rs2, SeedHi, SeedLo};
    let all = u32::MAX;
    let mut words = vec![(Access::Reset, 0)];
    words.extend([(Write(Count, 9), 0), (Write(Active, 3), 0), (Write(SeedLo, 7), 0), (Write(SeedHi, 8), 0)]);
    words.extend([Count, Active, SeedLo, SeedHi].map(|register| (See(register), all)));
    words.extend([(Write(Ctrl, 1), 0), (Finish, 3)]);
    words.extend([Cycles, ResultLo, ResultHi, Register::EngineStatus].map(|register| (See(register), all)));
    words.extend([(See(Ctrl), 3), (Write(Rs1, 3), 0), (Write(Rs2, 0x1234_5678), 0)]);
    // Which context is selected after a reset is open, and with it the answer of the first LOAD.
    words.push((Do(Command::Load), 0));
    words.extend(Command::ALL.map(|command| (Do(command), all)));
    words.extend([Rs1, Rs2, Rd].map(|register| (See(register), all)));
    words.extend([(See(Cmd), 7), (See(AdapterStatus), 3)]);
    words
}

fn show_places() -> Shown {
    let words = every_kind_of_word();
    let accesses: Vec<Access> = words.iter().map(|&(access, _)| access).collect();
    let shown = words.iter().filter(|(access, _)| access.shows()).map(|&(_, fixed)| fixed).enumerate();
    let wrong: Vec<(u64, u64)> = shown
        .filter(|(_, fixed)| *fixed != 0)
        .flat_map(|(place, fixed)| {
            let bits: Vec<u32> = (0..u32::BITS).filter(|bit| fixed >> bit & 1 == 1).collect();
            [bits[0], bits[7 * place % bits.len()], bits[bits.len() - 1]].map(|bit| (place as u64, 1 << bit))
        })
        .collect();
    Shown::of((0, 0), wrong, |(place, mask)| of_list(Site::Engine, &accesses, place, mask))
}

fn show_lists() -> Shown {
    let trial = StandardTrial::published();
    let right = known(&WrongDevice::right());
    let all = programs(right, trial.seed, trial.conformance, usize::MAX);
    // The first word that is judged, if the documents fix this bit of it.
    let place = |program: &Program| {
        let mut documented = crate::oracle::registers::Documented::new(right);
        let shown = program.accesses.iter().filter_map(|&access| {
            let fixed = documented.follow(access).map_or(0, |(_, fixed)| fixed);
            access.shows().then_some(fixed)
        });
        shown.enumerate().find(|(_, fixed)| fixed & 1 == 1).map(|(place, _)| place as u64)
    };
    let wrong: Vec<(usize, u64)> = all.iter().map(place).enumerate().filter_map(|(n, at)| Some((n, at?))).collect();
    Shown::of((usize::MAX, 0), wrong, |(number, place)| {
        let begin: Vec<Access> = match all.get(number) {
            Some(program) => until_word(&program.accesses, place).to_vec(),
            None => Vec::new(),
        };
        let mut device = WrongDevice::in_lists(move |accesses, at| {
            u64::from(!begin.is_empty() && at == place && accesses.starts_with(&begin))
        });
        match check(&mut device, &trial, &mut Unwatched) {
            (checks, Ok(())) => Verdict::of_set(checks.iter().map(|check| agreed(check, ORACLE))),
            _ => Verdict::Inconclusive,
        }
    })
}

#[cfg(test)]
mod tests;
