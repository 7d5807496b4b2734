//! What is planted for the judges of the sweeps, and of the table that is made of one.

use super::{Observed, bank_runs, judge_bank_sweep, judge_short_sweep, observe, short_runs};
use crate::domain::execution::EngineRun;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::subject::{BenchDevice, Device, Subject};
use crate::domain::verdict::{Outcome, Verdict};
use crate::domain::watch::Unwatched;
use crate::experiment::control::device::{BANKS, WrongDevice};
use crate::experiment::control::{Control, Show, Shown, agreed, bits};
use crate::oracle::equations::right_result;
use crate::report::board_table;
use crate::report::record::{Check, DeviceRecord};

/// For the bank sweep.
pub const BANK_SWEEP: &[Control] = &[Control {
    judge: Judge::BankSweep,
    planted: "each bit of a result and of a cycle counter wrong, in each row in turn",
    show: Show::Alone(|| {
        show(&bank_runs(BANKS, COUNT, SEED), |device, sweep| judge_bank_sweep(device, sweep, sweep.len()).0)
    }),
}];

/// For the short sweep.
pub const SHORT_SWEEP: &[Control] = &[Control {
    judge: Judge::ShortSweep,
    planted: "each bit of a result and of a cycle counter wrong, in each run in turn",
    show: Show::Alone(|| show(&short_runs(BANKS, SEED), |device, sweep| judge_short_sweep(device, sweep, sweep.len()))),
}];

/// For the board's table.
pub const BOARD_TABLE: &[Control] = &[Control {
    judge: Judge::BoardTable,
    planted: "each row wrong, in its result and in its cycles",
    show: Show::Alone(show_table),
}];

/// Deltas of the bank sweep.
const COUNT: u32 = 13;

const SEED: Seed = Seed::new(7);

/// What is XORed into result and cycles of one run, by its place.
type Plant = (usize, (u64, u32));

/// The runs by a device in which this is planted.
fn observed(runs: &[EngineRun], (place, masks): Plant) -> (WrongDevice, Vec<Observed>) {
    let wrong = runs[place];
    let mut device = WrongDevice::in_runs(move |run| if run == wrong { masks } else { (0, 0) });
    let sweep = observe(&mut device, runs, right_result, &mut Unwatched).expect("software answers");
    (device, sweep)
}

fn show(runs: &[EngineRun], judge: impl Fn(&dyn BenchDevice, &[Observed]) -> Check) -> Shown {
    let results = bits().map(|mask| (mask, 0));
    let cycles = (0..u32::BITS).map(|bit| (0, 1 << bit));
    // Every bit of both, and every run.
    let masks: Vec<(u64, u32)> = results.chain(cycles).collect();
    let wrong = (0..masks.len().max(runs.len())).map(|number| (number % runs.len(), masks[number % masks.len()]));
    Shown::of((0, (0, 0)), wrong, |plant| {
        let (device, sweep) = observed(runs, plant);
        let check = judge(&device, &sweep);
        // The oracle of what is wrong has to tell, and the check with it.
        let oracle = if plant.1.1 == 0 { OracleId::Truth } else { OracleId::Cycles };
        agreed(&check, oracle)
    })
}

fn show_table() -> Shown {
    let runs = bank_runs(BANKS, COUNT, SEED);
    let wrong = (0..runs.len()).flat_map(|place| [(place, (1 << 63, 0)), (place, (0, 1))]);
    Shown::of((0, (0, 0)), wrong, |plant| {
        let (device, sweep) = observed(&runs, plant);
        let (check, table) = judge_bank_sweep(&device, &sweep, sweep.len());
        let identity = device.identity();
        let record = DeviceRecord {
            name: device.name().to_owned(),
            evidence: device.evidence(),
            version: identity.version,
            banks: identity.banks,
            link: identity.link.clone(),
            link_events: Vec::new(),
            opening: Vec::new(),
        };
        let text = board_table::render(&record, &table, Outcome::of(check.verdict).board());
        let rows = text.lines().filter(|line| line.ends_with("  OK")).count();
        match (text.contains("ALL MATCH"), text.contains("VERIFY: FAILED"), rows) {
            (true, false, rows) if rows == runs.len() => Verdict::Holds,
            (false, true, rows) if rows + 1 == runs.len() => Verdict::Falsified,
            _ => Verdict::Inconclusive,
        }
    })
}
