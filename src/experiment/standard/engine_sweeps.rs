//! The two sweeps of a device's bench engine, against the software reference.
//!
//! The bank sweep is the published run. The short sweep, COUNT 1 to twice the banks at every number of active banks,
//! sees what the bank sweep cannot: every set of dead banks, whatever the SEED.

pub mod controls;

use std::collections::BTreeMap;

use crate::domain::delta::Deltas;
use crate::domain::execution::{EngineOutcome, EngineRun, Execution};
use crate::domain::fault::{Fault, FaultClass};
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::subject::{Accumulator, BenchDevice, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::experiment::case_text;
use crate::explore::minimise::smallest_number;
use crate::oracle::equations::{self, UnseenBanks};
use crate::oracle::residue::{Cause, Residue, explain};
use crate::report::record::{BankRow, BankSweep, Check, Part};

/// Name of the published sweep's check.
pub const BANK_SWEEP: &str = "bank sweep";

/// Name of the short sweep's check.
pub const SHORT_SWEEP: &str = "short sweep";

/// One run of the engine beside what it should have shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The run.
    pub run: EngineRun,
    /// What it should have shown.
    pub expected: EngineOutcome,
    /// What it showed.
    pub got: EngineOutcome,
    /// Whether the same run gave the same wrong answer again; `true` for a right one.
    pub reproducible: bool,
}

impl Observed {
    fn wrong(&self, quantity: Quantity) -> bool {
        match quantity {
            Quantity::Cycles => self.got.cycles != self.expected.cycles,
            _ => self.got.result != self.expected.result,
        }
    }

    fn residue(&self) -> Residue {
        Residue { run: self.run, residue: self.got.result ^ self.expected.result }
    }

    fn right(&self) -> bool {
        self.got == self.expected
    }
}

/// The runs of the bank sweep on a device with so many banks: 1, 2, 4, … active banks, and all of them.
pub fn bank_runs(banks: u32, count: u32, seed: Seed) -> Vec<EngineRun> {
    let mut active: Vec<u32> = (0..u32::BITS).map(|log| 1 << log).take_while(|&active| active <= banks).collect();
    if active.last() != Some(&banks) {
        active.push(banks);
    }
    active.into_iter().map(|active| EngineRun { count, active, seed }).collect()
}

/// The runs of the short sweep, from the smallest.
pub fn short_runs(banks: u32, seed: Seed) -> Vec<EngineRun> {
    let counts = 1..=2 * banks;
    counts.flat_map(|count| (1..=banks).map(move |active| EngineRun { count, active, seed })).collect()
}

/// Has the device make these runs, each of which `expected_result` says the right result of. A wrong answer is asked
/// for once more.
pub fn observe(
    device: &mut dyn BenchDevice,
    runs: &[EngineRun],
    expected_result: impl FnMut(EngineRun) -> u64,
    watch: &mut dyn Watch,
) -> Result<Vec<Observed>, SubjectError> {
    let mut all = Vec::with_capacity(runs.len());
    observe_each(device, runs, expected_result, &mut all, watch)?;
    Ok(all)
}

/// The same; `all` takes each run as soon as it is made, and keeps those that were made before an error.
pub fn observe_each(
    device: &mut dyn BenchDevice,
    runs: &[EngineRun],
    mut expected_result: impl FnMut(EngineRun) -> u64,
    all: &mut Vec<Observed>,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    for &run in runs {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        let expected = EngineOutcome { result: expected_result(run), cycles: run.cycles() };
        let got = device.run(run, watch)?;
        let reproducible = got == expected || device.run(run, watch)? == got;
        all.push(Observed { run, expected, got, reproducible });
    }
    Ok(())
}

/// Judges the bank sweep, of which so many runs were planned. It is inconclusive where some were not made, and where the
/// right answer is 0, since then an engine that does nothing passes.
pub fn judge_bank_sweep(device: &dyn BenchDevice, sweep: &[Observed], planned: usize) -> (Check, BankSweep) {
    let banks = device.identity().banks;
    let runs: Vec<EngineRun> = sweep.iter().map(|observed| observed.run).collect();
    let unseen = UnseenBanks::of(&runs, banks);
    let EngineRun { count, seed, .. } = runs[0];
    let expected = sweep[0].expected.result;
    let blind = if equations::always_zero(count) {
        Some(format!("the right answer of COUNT {count} is 0 for every seed: an engine that does nothing passes"))
    } else if expected == 0 {
        Some("the right answer is 0 under this SEED: an engine that does nothing passes".to_owned())
    } else {
        None
    };
    let active: Vec<String> = runs.iter().map(|run| run.active.to_string()).collect();
    let compared = format!("COUNT {count} at ACTIVE {}, result and cycles against scalar", active.join(", "));
    let mut check = judge((BANK_SWEEP, Judge::BankSweep), device, sweep, planned, compared);
    if let (Verdict::Holds, Some(reason)) = (check.verdict, blind) {
        check.verdict = Verdict::Inconclusive;
        check.summary = reason;
    }
    check.tries = tried(&unseen);
    let rows = sweep.iter().map(|observed| BankRow {
        banks: observed.run.active,
        cycles: observed.got.cycles,
        expected_cycles: observed.expected.cycles,
        result: Hex64(observed.got.result),
        ok: observed.right(),
    });
    let table = BankSweep {
        device: device.name().to_owned(),
        evidence: device.evidence(),
        count,
        seed: Hex64(seed.value()),
        expected: Hex64(expected),
        rows: rows.collect(),
        missed_sets: unseen.sets(),
        all_sets: unseen.all_sets(),
    };
    (check, table)
}

/// Judges the short sweep, of which so many runs were planned.
pub fn judge_short_sweep(device: &dyn BenchDevice, sweep: &[Observed], planned: usize) -> Check {
    let banks = device.identity().banks;
    let runs: Vec<EngineRun> = sweep.iter().map(|observed| observed.run).collect();
    let compared =
        format!("COUNT 1 to {} at every ACTIVE from 1 to {banks}, result and cycles against scalar", 2 * banks);
    let mut check = judge((SHORT_SWEEP, Judge::ShortSweep), device, sweep, planned, compared);
    check.tries = tried(&UnseenBanks::of(&runs, banks));
    check
}

/// The kinds of fault that a sweep notices: any sweep sees a lost delta, an inverted result bit or a wrong cycle
/// counter; dead banks only where no set of them is in the null space of its runs.
fn tried(unseen: &UnseenBanks) -> Vec<FaultClass> {
    let mut tried = vec![FaultClass::LostDelta, FaultClass::FlippedResultBits, FaultClass::WrongCycles];
    if unseen.sets() == 0 {
        tried.insert(0, FaultClass::DeadBanks);
    }
    tried
}

fn judge(
    (name, judge): (&str, Judge),
    device: &dyn BenchDevice,
    sweep: &[Observed],
    planned: usize,
    compared: String,
) -> Check {
    let is_whole = sweep.len() == planned;
    let wrong = sweep.iter().filter(|observed| !observed.right()).count();
    let doubtful = sweep.iter().filter(|observed| !observed.reproducible).count();
    let (verdict, summary) = match (wrong, doubtful) {
        (0, _) if !is_whole => {
            (Verdict::Inconclusive, format!("{} of {planned} runs were made, and were right", sweep.len()))
        }
        (0, _) => (Verdict::Holds, format!("{} runs, {compared}", sweep.len())),
        (wrong, doubtful) if wrong == doubtful => {
            let summary =
                format!("{wrong} of {} runs were wrong and then answered otherwise when repeated", sweep.len());
            (Verdict::Inconclusive, summary)
        }
        _ => (Verdict::Falsified, format!("{wrong} of {} runs are wrong: {compared}", sweep.len())),
    };
    Check {
        name: name.to_owned(),
        part: Part::Engine,
        judge,
        subjects: BTreeMap::from([(device.name().to_owned(), device.evidence())]),
        verdict,
        summary,
        oracles: oracles(sweep, is_whole),
        warrant: None,
        orders: None,
        tries: Vec::new(),
        findings: Vec::new(),
    }
}

/// The judgement of each oracle by itself: truth (results against the reference), cycles (counters against the
/// formula), and invariance (the result of a COUNT is the same at every ACTIVE, right or wrong). None holds of a sweep that
/// is not whole.
fn oracles(sweep: &[Observed], is_whole: bool) -> BTreeMap<OracleId, Verdict> {
    let falsified = |wrong: bool| match wrong {
        true => Verdict::Falsified,
        false if is_whole => Verdict::Holds,
        false => Verdict::Inconclusive,
    };
    let mut results: BTreeMap<u32, u64> = BTreeMap::new();
    let variant =
        sweep.iter().any(|Observed { run, got, .. }| *results.entry(run.count).or_insert(got.result) != got.result);
    BTreeMap::from([
        (OracleId::Truth, falsified(sweep.iter().any(|observed| observed.wrong(Quantity::Result)))),
        (OracleId::Cycles, falsified(sweep.iter().any(|observed| observed.wrong(Quantity::Cycles)))),
        (OracleId::Invariance, falsified(variant)),
    ])
}

/// One more run, of COUNT 0, where the sweeps went wrong: it tells an inverted result bit from the loss of delta 0,
/// which every other run takes. Nothing where they did not.
fn observe_nothing(
    device: &mut dyn BenchDevice,
    sweeps: &[Observed],
    watch: &mut dyn Watch,
) -> Result<Vec<Observed>, SubjectError> {
    if sweeps.iter().all(Observed::right) {
        return Ok(Vec::new());
    }
    let nothing = EngineRun { count: 0, active: 1, seed: sweeps[0].run.seed };
    observe(device, &[nothing], |_| 0, watch)
}

/// What the wrong results of both sweeps tell: the short sweep's runs with those that were made besides, and the cause.
pub fn look_closer(
    device: &mut dyn BenchDevice,
    bank_sweep: &[Observed],
    short_sweep: &[Observed],
    watch: &mut dyn Watch,
) -> Result<(Vec<Observed>, Option<Cause>), SubjectError> {
    let mut short = observe_nothing(device, &[bank_sweep, short_sweep].concat(), watch)?;
    short.extend(short_sweep);
    let cause = diagnose(device, &[bank_sweep, &short].concat(), watch)?;
    Ok((short, cause))
}

/// What the wrong results of these runs tell about their cause, if they are reproducible. Where the cause points to one
/// index beyond the short runs, two more runs tell whether it is that one.
fn diagnose(
    device: &mut dyn BenchDevice,
    observed: &[Observed],
    watch: &mut dyn Watch,
) -> Result<Option<Cause>, SubjectError> {
    if !observed.iter().any(|observed| observed.wrong(Quantity::Result) && observed.reproducible) {
        return Ok(None);
    }
    let residues: Vec<Residue> = observed.iter().map(Observed::residue).collect();
    let Some(mut cause) = explain(&residues, device.identity().banks) else { return Ok(None) };
    let EngineRun { seed, .. } = observed[0].run;
    let longest = observed.iter().map(|observed| observed.run.count).max().unwrap_or(0);
    if let Some(index) = cause.suspect(seed, longest)
        && let Some(active) = (1..=device.identity().banks).find(|active| !cause.dead_banks.contains(&(index % active)))
    {
        let runs = [index, index + 1].map(|count| EngineRun { count, active, seed });
        let pair = observe(device, &runs, equations::right_result, watch)?;
        if pair[0].residue().residue ^ pair[1].residue().residue == Deltas::of_engine(seed).at(index.into()) {
            cause.confirm(index);
        }
    }
    Ok(Some(cause))
}

/// The planted faults that a cause names, as texts.
pub fn named(cause: &Cause) -> Vec<String> {
    let dead = cause.dead_banks.iter().map(|&bank| Fault::DeadBank(bank));
    let flipped = cause.flipped_bits.iter().map(|&bit| Fault::FlipBit(bit));
    let lost = cause.lost_deltas.iter().flat_map(|&index| [Fault::Drop(index), Fault::Duplicate(index)]);
    dead.chain(flipped).chain(lost).map(|fault| fault.to_string()).collect()
}

/// The findings of one sweep, one for each quantity that is wrong in it: the smallest run, made smaller where the
/// device allows it. `short` holds the short sweep's runs, and the one of COUNT 0 if it was made: it shows what passes.
/// Where the device gives no more answers, which `ended` says or is told, they are as large as they were found.
pub fn findings(
    device: &mut dyn BenchDevice,
    sweep: &[Observed],
    short: &[Observed],
    cause: Option<&Cause>,
    ended: &mut Option<SubjectError>,
    watch: &mut dyn Watch,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for quantity in [Quantity::Result, Quantity::Cycles] {
        // One that came again tells more than one that did not.
        let first_wrong = |sweep: &[Observed]| {
            let wrong = sweep.iter().filter(|observed| observed.wrong(quantity));
            wrong.min_by_key(|observed| !observed.reproducible).copied()
        };
        let Some(observed) = first_wrong(sweep) else { continue };
        let (smallest, size) = match first_wrong(short).filter(|in_short| in_short.reproducible) {
            _ if !observed.reproducible => (observed, "not made smaller, since it did not come again".to_owned()),
            Some(in_short) if in_short.run.count == 0 => (in_short, "there is no smaller COUNT".to_owned()),
            Some(in_short) => (in_short, "no smaller COUNT fails at any ACTIVE, under this SEED".to_owned()),
            None => {
                let shrunk = match ended.clone() {
                    None => shrink(device, observed, quantity, cause, watch),
                    Some(error) => Err(error),
                };
                shrunk.unwrap_or_else(|error| {
                    let size = format!("not made smaller: {error}");
                    *ended = Some(error);
                    (observed, size)
                })
            }
        };
        let EngineRun { count, active, .. } = smallest.run;
        let value = |outcome: EngineOutcome| match quantity {
            Quantity::Cycles => Hex64(outcome.cycles.into()),
            _ => Hex64(outcome.result),
        };
        findings.push(Finding {
            subject: device.name().to_owned(),
            evidence: device.evidence(),
            during: format!("engine run, COUNT {count} at {active} active"),
            quantity,
            expected: value(smallest.expected),
            got: value(smallest.got),
            reproducible: observed.reproducible,
            oracle: if quantity == Quantity::Cycles { OracleId::Cycles } else { OracleId::Truth },
            case: case_text(device, Execution::Engine(smallest.run)),
            size,
        });
    }
    findings
}

/// A smaller run that fails as `observed` does, where no run of the short sweep fails: at the index that the cause
/// names, or else by halving COUNT.
fn shrink(
    device: &mut dyn BenchDevice,
    observed: Observed,
    quantity: Quantity,
    cause: Option<&Cause>,
    watch: &mut dyn Watch,
) -> Result<(Observed, String), SubjectError> {
    let passes = 2 * device.identity().banks;
    if !observed.reproducible || observed.run.count <= passes {
        return Ok((observed, "not made smaller".to_owned()));
    }
    let mut smallest = observed;
    let mut fails = |run: EngineRun, watch: &mut dyn Watch| {
        let again = observe(device, &[run], equations::right_result, watch)?[0];
        let wrong = again.wrong(quantity);
        if wrong {
            smallest = again;
        }
        Ok::<bool, SubjectError>(wrong)
    };
    let named = cause.and_then(|cause| cause.lost_deltas.iter().find(|&&index| index >= passes));
    if let Some(&index) = named {
        let at = |count| EngineRun { count, active: 1, ..observed.run };
        if !fails(at(index), watch)? && fails(at(index + 1), watch)? {
            return Ok((smallest, "one delta fewer passes".to_owned()));
        }
    }
    let at = |count| EngineRun { count, ..observed.run };
    // Without a short sweep nothing is known of so few deltas.
    if fails(at(passes), watch)? {
        return Ok((smallest, format!("not the smallest: nothing below COUNT {passes} was tried")));
    }
    let found = smallest_number(passes, observed.run.count, |count| fails(at(count), watch))?.found;
    if smallest.run != at(found) {
        smallest = observed;
    }
    Ok((smallest, "one delta fewer passes, at the same ACTIVE".to_owned()))
}

/// The right results of short runs, by the plain reference.
pub fn reference_result(reference: &mut dyn Accumulator, run: EngineRun) -> Result<u64, SubjectError> {
    reference.reset()?;
    reference.accumulate(Deltas::of_engine(run.seed), 0..run.count.into());
    reference.observe()
}
