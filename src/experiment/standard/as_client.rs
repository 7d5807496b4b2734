//! The device as a client uses it: runs in the register sequence of the published program, one right after the other.
//!
//! Our own driver clears the engine before a run over a link, and reads back what it wrote. Neither happens here between
//! the runs of a session, so what the driver adds for safety cannot make a wrong device right. A session begins where the
//! device was opened; its first run leaves something behind for the second. A case holds the whole session that it needs.

use std::collections::BTreeMap;

use crate::domain::access::{Access, Command, Register};
use crate::domain::count::counted;
use crate::domain::execution::EngineRun;
use crate::domain::fault::{FaultClass, Site};
use crate::domain::judge::Judge;
use crate::domain::seed::Seed;
use crate::domain::subject::{BenchDevice, SubjectError};
use crate::domain::trial::StandardTrial;
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::experiment::control::device::WrongDevice;
use crate::experiment::control::{Control, Show, Shown, agreed};
use crate::experiment::standard::conformance::{self, Found, ORACLE, Program, until_word};
use crate::oracle::equations::UnseenBanks;
use crate::oracle::registers::Known;
use crate::report::record::{Check, Part};

use super::engine_sweeps::bank_runs;

/// Name of the check.
pub const AS_CLIENT: &str = "as a client";

/// COUNT of a run that is still going on when a client first polls, over a link: 20 ms at one active bank and 100 MHz, longer
/// than a round trip over the links that abench knows, a USB adapter with its latency timer of 16 ms among them.
const LONG_OVER_LINKS: u32 = 2_000_001;

/// The same on a device in this process, where a poll follows START by a few clocks.
const LONG_IN_PROCESS: u32 = 1_025;

/// COUNT of a run that is over before a client first polls.
const SHORT: u32 = 5;

/// The settings of a run, in the order in which the published program writes them, and START.
fn start(run: EngineRun) -> [Access; 5] {
    let seed = run.seed.value();
    [
        Access::Write(Register::Count, run.count),
        Access::Write(Register::Active, run.active),
        Access::Write(Register::SeedLo, seed as u32),
        Access::Write(Register::SeedHi, (seed >> 32) as u32),
        Access::Write(Register::Ctrl, 1),
    ]
}

/// The outputs, in the order in which the published program reads them.
const OUTPUTS: [Access; 3] =
    [Access::See(Register::Cycles), Access::See(Register::ResultLo), Access::See(Register::ResultHi)];

/// One run as the published program makes it.
fn published(run: EngineRun) -> Vec<Access> {
    [&start(run)[..], &[Access::PollDone], &OUTPUTS].concat()
}

/// The published sweep: the rows of the board's table, one right after the other.
fn sweep(banks: u32, count: u32, seed: Seed) -> Program {
    let accesses = bank_runs(banks, count, seed).into_iter().flat_map(published).collect();
    Program::of(Site::Engine, "the published sweep, nothing cleared between its rows", accesses)
}

/// Runs of which each is due another outcome than the one before: what is left of that one would show.
fn one_after_the_other(banks: u32, seed: Seed, long: u32) -> Program {
    let other = Seed::new(!seed.value());
    let run = |count, active, seed| EngineRun { count, active, seed };
    let short = run(SHORT, banks, other);
    // `done` is up when the long runs start: a client that polls for it reads too early if it does not fall.
    let long = [run(long, 1, seed), run(long + 2, 1, other)];
    // Delta 0 alone, no delta at all, and the same run twice.
    let ends = [run(1, 1, seed), run(0, 1, seed), run(3, banks, seed), run(3, banks, seed)];
    let mut runs = vec![short, long[0], short, long[1], run(7, banks.div_ceil(2), seed)];
    runs.extend(ends);
    Program::of(Site::Engine, "runs one after the other", runs.into_iter().flat_map(published).collect())
}

/// What other clients do: they poll for `busy`, read the outputs in another order, or twice, write the settings in another
/// order, or only the setting that changes.
fn other_ways(banks: u32, seed: Seed, long: u32) -> Program {
    let run = EngineRun { count: 77, active: banks, seed };
    let mut accesses = published(run);
    let [count, active, low, high, go] = start(EngineRun { count: 1_001, active: 1, seed: Seed::new(!seed.value()) });
    accesses.extend([high, low, active, count, go, Access::PollIdle]);
    accesses.extend(OUTPUTS.into_iter().rev());
    accesses.extend([OUTPUTS, OUTPUTS].concat());
    // COUNT alone changes, then SEED_HI alone, then nothing.
    for changed in
        [Some(Access::Write(Register::Count, 1_003)), Some(Access::Write(Register::SeedHi, 0x5A5A_A5A5)), None]
    {
        accesses.extend(changed);
        accesses.extend([Access::Write(Register::Ctrl, 1), Access::PollDone]);
        accesses.extend(OUTPUTS.into_iter().rev());
    }
    accesses.extend(start(EngineRun { count: long, active: 1, seed }));
    accesses.push(Access::PollIdle);
    accesses.extend(OUTPUTS);
    Program::of(Site::Engine, "polls, reads and settings in other orders", accesses)
}

/// LOAD, ACCUM and READ of two contexts in turn, as the published tick does it.
fn adapter(seed: Seed) -> Program {
    let mut stream = seed.stream("as a client");
    let mut accesses = Vec::new();
    for context in [3u32, 200, 3, 3] {
        let (reference, delta) = (stream.word(), stream.word());
        let write = |register, word: u64| Access::Write(register, word as u32);
        accesses.extend([
            Access::Write(Register::Rs1, context),
            write(Register::Rs2, reference),
            Access::Do(Command::Load),
            write(Register::Rs2, reference >> 32),
            Access::Do(Command::LoadHi),
            write(Register::Rs1, delta),
            Access::Do(Command::Accum),
            write(Register::Rs1, delta >> 32),
            Access::Do(Command::AccumHi),
            Access::Do(Command::Read),
            Access::Do(Command::ReadHi),
        ]);
    }
    Program::of(Site::Adapter, "LOAD, ACCUM and READ", accesses)
}

/// All sessions with such a device.
fn sessions(known: Known, count: u32, seed: Seed) -> [Program; 4] {
    let (banks, long) = (known.banks, if known.in_process { LONG_IN_PROCESS } else { LONG_OVER_LINKS });
    // The long runs come first: a case of theirs comes out the same over a slow link, too.
    [one_after_the_other(banks, seed, long), sweep(banks, count, seed), other_ways(banks, seed, long), adapter(seed)]
}

/// Makes the check on a device; gives what was found until an error, and the error.
pub fn check(
    device: &mut dyn BenchDevice,
    trial: &StandardTrial,
    watch: &mut dyn Watch,
) -> (Check, Result<(), SubjectError>) {
    let (known, banks) = (conformance::known(device), device.identity().banks);
    let (count, seed) = (trial.count.get(), trial.seed);
    let sessions = sessions(known, count, seed);
    let mut found = Found { planned: sessions.len(), ..Found::default() };
    watch.begin(AS_CLIENT, sessions.iter().map(|session| session.accesses.len() as u64).sum());
    watch.unit("accesses");
    let ended = sessions.iter().try_for_each(|session| conformance::make(device, known, session, &mut found, watch));
    watch.end();
    let (verdict, made, planned) = (found.verdict(), found.made, found.planned);
    let starts = sessions[..made].iter().flat_map(|session| &session.accesses);
    let runs = starts.filter(|access| matches!(access, Access::Write(Register::Ctrl, _))).count();
    let whole = if made == planned { String::new() } else { format!("; {made} of {planned} sessions were made") };
    let wrong = match found.wrong {
        0 => String::new(),
        wrong => format!("{wrong} of {made} sessions show wrong words: "),
    };
    let check = Check {
        name: AS_CLIENT.to_owned(),
        judge: Judge::AsAClient,
        part: Part::Engine,
        subjects: BTreeMap::from([(device.name().to_owned(), device.evidence())]),
        verdict,
        summary: format!(
            "{wrong}{} in the register sequence of the published program, nothing cleared, read back or primed in between, {}{whole}",
            counted(runs as u64, "run"),
            counted(found.words as u64, "word")
        ),
        oracles: BTreeMap::from([(ORACLE, verdict)]),
        warrant: None,
        orders: None,
        tries: tried(banks, count, seed, made == planned),
        findings: found.findings,
    };
    (check, ended)
}

/// The kinds of fault that the sessions would have noticed. Dead banks only where the runs separate every set of them.
fn tried(banks: u32, count: u32, seed: Seed, whole: bool) -> Vec<FaultClass> {
    if !whole {
        return Vec::new();
    }
    let mut tried = vec![FaultClass::LeftFromBefore, FaultClass::FlippedResultBits, FaultClass::WrongCycles];
    if UnseenBanks::of(&bank_runs(banks, count, seed), banks).sets() == 0 {
        tried.push(FaultClass::DeadBanks);
    }
    tried
}

/// A word of each session wrong, in turn.
pub const CONTROLS: &[Control] = &[Control {
    judge: Judge::AsAClient,
    planted: "the first word of each session wrong, and one after it",
    show: Show::Alone(show),
}];

fn show() -> Shown {
    let trial = StandardTrial { count: "77".parse().expect("a COUNT"), ..StandardTrial::published() };
    let sessions = sessions(conformance::known(&WrongDevice::right()), 77, trial.seed);
    let wrong = (0..sessions.len()).flat_map(|session| [(session, 1), (session, 2)]);
    Shown::of((0, 0), wrong, |(session, word)| {
        // The answers of the first LOADs are open, and the poll is looked at for one flag alone.
        let number = if session == 3 { word + 1 } else { word };
        let begin = until_word(&sessions[session].accesses, number).to_vec();
        let mut device =
            WrongDevice::in_lists(
                move |accesses, at| {
                    if word > 0 && at == number && accesses.starts_with(&begin) { 1 << 9 } else { 0 }
                },
            );
        let (check, ended) = check(&mut device, &trial, &mut Unwatched);
        if ended.is_ok() { agreed(&check, ORACLE) } else { Verdict::Inconclusive }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::Fault;
    use crate::domain::verdict::Verdict;
    use crate::domain::watch::Unwatched;
    use crate::oracle::registers::Documented;
    use crate::subject::device::BusDevice;

    /// A device behind a link.
    const FAR: Known = Known { version: 2, banks: 8, in_process: false, selects_bytes: false };

    fn checked(banks: u32, faults: &[Fault]) -> Check {
        let mut device = BusDevice::model("model", banks, faults).expect("the model is there");
        let (check, ended) = check(&mut device, &StandardTrial::published(), &mut Unwatched);
        assert_eq!(ended, Ok(()));
        check
    }

    #[test]
    fn a_sound_device_holds_with_any_number_of_banks() {
        for banks in 1..=32 {
            let check = checked(banks, &[]);
            assert_eq!(check.verdict, Verdict::Holds, "{banks} banks: {:?}", check.findings);
        }
    }

    #[test]
    fn what_a_run_leaves_to_the_next_one_is_found_and_the_case_holds_the_run_before() {
        for banks in [1, 2, 8, 32] {
            for fault in [Fault::StartKeepsBanks, Fault::DoneStays] {
                let check = checked(banks, &[fault]);
                assert_eq!(check.verdict, Verdict::Falsified, "{banks} banks, {fault}");
                let finding = check.findings.iter().find(|finding| finding.reproducible).expect("it comes again");
                let starts = finding.case.matches("write:ctrl:0x1").count();
                assert!(starts >= 2, "{fault}: {}", finding.case);
            }
        }
    }

    #[test]
    fn every_word_of_a_session_with_the_engine_is_one_that_the_documents_fix() {
        for session in sessions(FAR, 65_537, Seed::new(0xDEAD_BEEF_0BAD_F00D)) {
            let mut documented = Documented::new(FAR);
            let open = session.accesses.iter().filter(|access| {
                let expected = documented.follow(**access);
                access.shows() && expected.is_none()
            });
            // The first LOAD's answer, and those of the first LOAD_HI of each context, show what the device held before.
            assert!(open.count() <= if session.part == Site::Adapter { 3 } else { 0 }, "{}", session.during);
        }
    }

    #[test]
    fn each_run_of_a_session_is_due_another_outcome_than_the_one_before_but_for_the_one_that_is_made_twice() {
        let session = one_after_the_other(8, Seed::new(0xDEAD_BEEF_0BAD_F00D), LONG_OVER_LINKS);
        let mut documented = Documented::new(FAR);
        let words: Vec<u32> = session
            .accesses
            .iter()
            .filter_map(|access| documented.follow(*access).filter(|_| matches!(access, Access::See(_))))
            .map(|(word, _)| word)
            .collect();
        let outcomes: Vec<&[u32]> = words.chunks(OUTPUTS.len()).collect();
        let same = outcomes.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert_eq!((outcomes.len(), same), (9, 1), "{outcomes:?}");
    }

    #[test]
    fn a_session_costs_few_words_over_a_link() {
        let words = sessions(FAR, 65_537, Seed::new(1)).into_iter().flat_map(|session| session.accesses);
        let words = words.map(|access| match access {
            Access::Do(_) => 2,
            _ => usize::from(access.shows()),
        });
        assert!(words.sum::<usize>() < 250);
    }
}
