//! What a run claims to test for, which checks tried it, and what the run cannot see.
//!
//! Nothing here is a fixed text about a fixed run: every sentence is computed from the equations of the engine runs
//! that were made, and from what the other checks did.

pub mod not_asked;

use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::execution::EngineRun;
use crate::domain::fault::FaultClass;
use crate::domain::trial::{StandardCheck, StandardTrial};
use crate::domain::verdict::Warrant;
use crate::experiment::claims::{MESSAGE, claim};
use crate::experiment::standard::coverage::not_asked::AskedOf;
use crate::experiment::standard::engine_sweeps::{bank_runs, short_runs};
use crate::oracle::equations::{UnseenBanks, UnseenDeltas, always_zero, full_clocks_cancel, right_result};
use crate::oracle::residue::numbered;
use crate::report::record::{Check, ClaimRecord, DeviceRecord, Part, Record, Unseen};
use crate::subject::device::LONGEST_ORDER;

/// What software subjects are called together in a claim.
pub const SOFTWARE: &str = "software";

/// The kinds of fault that a standard campaign claims to test a device for, if it has a bench engine and contexts.
const OF_DEVICE: [FaultClass; 12] = [
    FaultClass::DeadBanks,
    FaultClass::LostDelta,
    FaultClass::FlippedResultBits,
    FaultClass::WrongCycles,
    FaultClass::StaleRead,
    FaultClass::LostHighWord,
    FaultClass::WrongOperator,
    FaultClass::PipelineHazard,
    FaultClass::WrongContext,
    FaultClass::LeftFromBefore,
    FaultClass::WrongRegister,
    FaultClass::WrongAnswer,
];

/// Those of a device that keeps one state and has no bench engine.
const OF_ONE_STATE: [FaultClass; 4] =
    [FaultClass::StaleRead, FaultClass::LostHighWord, FaultClass::WrongOperator, FaultClass::PipelineHazard];

/// The kinds of fault that this device could have. One without a bench engine has no banks.
fn of_device(device: &DeviceRecord) -> &'static [FaultClass] {
    if device.banks == 0 { &OF_ONE_STATE } else { &OF_DEVICE }
}

/// Every claim of a standard campaign, with the checks that hold and tried it.
pub fn claims(trial: &StandardTrial, record: &Record, software: bool, asked: &[AskedOf]) -> Vec<ClaimRecord> {
    let (checks, devices) = (&record.checks, &record.devices);
    let mut claims = Vec::new();
    if software {
        for class in [FaultClass::WrongAccumulation, FaultClass::OrderDependence] {
            claims.push(claim(class, SOFTWARE, checks, &is_software));
        }
    }
    claims.push(claim(FaultClass::WrongMessage, MESSAGE, checks, &|check| check.part == Part::Message));
    for device in devices {
        let concerns = |check: &Check| check.subjects.contains_key(&device.name);
        claims.extend(of_device(device).iter().map(|&class| claim(class, &device.name, checks, &concerns)));
        let takes_orders = checks.iter().any(|check| concerns(check) && check.orders.is_some());
        if takes_orders {
            claims.push(claim(FaultClass::OrderDependence, &device.name, checks, &concerns));
        }
    }
    claims.retain(|claim| trial.claims(claim.class));
    for claim in &mut claims {
        let of_device = asked.iter().find(|asked| asked.device == claim.of);
        claim.extent = of_device.and_then(|asked| asked.extent(claim.class));
    }
    claims
}

fn is_software(check: &Check) -> bool {
    check.part == Part::Orders && check.subjects.values().any(|&evidence| evidence == Evidence::Software)
}

/// The engine runs of one device.
pub struct EngineRuns {
    /// The device's name.
    pub device: String,
    /// Banks of its engine.
    pub banks: u32,
    /// Those of the bank sweep.
    pub bank_sweep: Vec<EngineRun>,
    /// Those of the short sweep.
    pub short_sweep: Vec<EngineRun>,
}

impl EngineRuns {
    /// Those that a trial makes on a device.
    pub fn of(device: &str, banks: u32, trial: &StandardTrial) -> Self {
        let (count, seed) = (trial.count.get(), trial.seed);
        let runs = |check, runs: Vec<EngineRun>| if trial.makes(check) { runs } else { Vec::new() };
        EngineRuns {
            device: device.to_owned(),
            banks,
            bank_sweep: runs(StandardCheck::BankSweep, bank_runs(banks, count, seed)),
            short_sweep: runs(StandardCheck::ShortSweep, short_runs(banks, seed)),
        }
    }
}

/// What a run cannot see.
pub fn unseen(
    trial: &StandardTrial,
    engines: &[EngineRuns],
    checks: &[Check],
    devices: &[DeviceRecord],
    asked: &[AskedOf],
) -> Unseen {
    let mut unseen = Unseen::default();
    for engine in engines {
        let prefix = if engines.len() > 1 { format!("{}: ", engine.device) } else { String::new() };
        let of_engine =
            |sentences: Vec<String>| sentences.into_iter().map(|s| format!("{prefix}{s}")).collect::<Vec<_>>();
        unseen.by_bank_sweep.extend(of_engine(by_bank_sweep(engine)));
        unseen.by_run.extend(of_engine(by_engine_runs(engine)));
    }
    let tries_orders = trial.makes(StandardCheck::ArrivalOrders);
    if tries_orders {
        unseen.by_run.extend(by_orders(checks, devices, trial.count.get()));
    }
    for of_device in asked {
        let prefix = if asked.len() > 1 { format!("{}: ", of_device.device) } else { String::new() };
        unseen.by_run.extend(of_device.sentences().into_iter().map(|sentence| format!("{prefix}{sentence}")));
    }
    unseen.by_run.extend(by_evidence(devices));
    let exactly_once =
        "Every order delivers each delta exactly once. What becomes of a message that is lost or comes twice between \
         replicas is not tried here: under XOR a second copy cancels the first."
            .to_owned();
    unseen.by_run.extend(tries_orders.then_some(exactly_once));
    unseen
}

fn by_bank_sweep(engine: &EngineRuns) -> Vec<String> {
    let Some(&run) = engine.bank_sweep.first() else { return Vec::new() };
    let missed = UnseenBanks::of(&engine.bank_sweep, engine.banks);
    let (sets, all) = (missed.sets(), counted(missed.all_sets(), "set"));
    let mut sentences = Vec::new();
    if always_zero(run.count) {
        sentences.push(format!(
            "COUNT {} is a multiple of 4, so the right answer is 0 for every seed: an engine that does nothing would pass.",
            run.count
        ));
    } else if right_result(run) == 0 {
        sentences.push(format!(
            "The right answer of COUNT {} is 0 under this SEED: an engine that does nothing would pass.",
            run.count
        ));
    }
    sentences.push(match missed.free_banks() {
        Some(banks) if banks.is_empty() => format!("Dead banks: it would see each of the {all}."),
        Some(banks) => format!(
            "{} could be dead, {}, and every row would still match: {sets} of the {all} of dead banks go unseen.",
            capitalised(&span(&banks)),
            if banks.len() == 1 { "alone" } else { "any or all of them" },
        ),
        None => format!("{sets} of the {all} of dead banks go unseen, for example {}.", example(&missed)),
    });
    let active = engine.bank_sweep.iter().map(|run| run.active);
    let cancelling: Vec<u32> = active.filter(|&active| full_clocks_cancel(active)).collect();
    if !cancelling.is_empty() {
        sentences.push(format!(
            "With {} active banks every full clock adds up to 0: an engine that skips full clocks there, and counts \
             them, would pass.",
            listed(&cancelling)
        ));
    }
    sentences
}

fn by_engine_runs(engine: &EngineRuns) -> Vec<String> {
    let runs = [engine.bank_sweep.as_slice(), &engine.short_sweep].concat();
    let Some(&first) = runs.first() else { return Vec::new() };
    let mut sentences = Vec::new();
    let missed = UnseenBanks::of(&runs, engine.banks);
    let all = counted(missed.all_sets(), "set");
    if missed.sets() > 0 {
        let (sets, example) = (missed.sets(), example(&missed));
        sentences.push(format!("Dead banks: {sets} of the {all} go unseen by all engine runs, for example {example}."));
    }
    let lost = UnseenDeltas::of(&runs);
    if let Some(index) = lost.zero {
        sentences.push(format!(
            "Lost deltas: the delta of index {index} is 0, since the index equals SEED; its loss changes nothing."
        ));
    }
    if let Some(example) = &lost.example {
        sentences.push(format!(
            "Lost deltas: some sets of deltas cancel, and their loss goes unseen, for example that of {} together. There are \
             2^{} sets of deltas; 2^{} of them cancel in every run (the empty set counts as one).",
            numbered("index", example),
            lost.deltas,
            lost.dimension
        ));
    }
    // What is seen comes after what is not.
    if missed.sets() == 0 {
        sentences.push(format!(
            "Dead banks: none go unseen; the equations of all engine runs separate {all}, for this SEED."
        ));
    }
    sentences.push(
        "These equations are of faults that are the same at every ACTIVE and in every run; what comes and goes may go \
         unseen."
            .to_owned(),
    );
    let longest_short = engine.short_sweep.iter().map(|run| run.count).max().unwrap_or(0);
    let blind = |active: &u32| {
        let swept = engine.bank_sweep.iter().any(|run| run.active == *active);
        !swept || full_clocks_cancel(*active)
    };
    let short_only: Vec<u32> = (1..=engine.banks).filter(blind).collect();
    if !short_only.is_empty() && first.count > longest_short {
        sentences.push(format!(
            "At ACTIVE {}{}.",
            listed(&short_only),
            match longest_short {
                0 => " the run is sure to see only the deltas of a last clock that is not full".to_owned(),
                _ => format!(
                    " the run is sure to see only the first {longest_short} deltas, and those of a last clock that is not full"
                ),
            }
        ));
    }
    sentences
}

/// A small set of dead banks that goes unseen.
fn example(missed: &UnseenBanks) -> String {
    let set = missed.generators.iter().min_by_key(|set| set.len()).expect("a set goes unseen");
    let banks = numbered("bank", set);
    if set.len() == 1 { format!("{banks} dead alone") } else { format!("{banks} dead together") }
}

fn by_orders(checks: &[Check], devices: &[DeviceRecord], count: u32) -> Vec<String> {
    let mut sentences = Vec::new();
    let walked = checks.iter().any(|check| matches!(check.warrant, Some(Warrant::Walked { .. })));
    let others = match (walked, devices.is_empty()) {
        (false, _) => "the others were not",
        (true, true) => "the walk stands for the others, as far as what it takes for granted is so",
        (true, false) => "on software the walk stands for the others, on a device nothing does",
    };
    for orders in checks.iter().filter_map(|check| check.orders.as_ref()) {
        let distinct = orders.coverage.distinct;
        if orders.coverage.all != distinct.to_string() {
            sentences.push(format!("Arrival orders: {distinct} of the {count}! orders were tried; {others}."));
        }
    }
    for device in devices {
        let took_orders =
            checks.iter().any(|check| check.orders.is_some() && check.subjects.contains_key(&device.name));
        if !took_orders {
            sentences.push(format!(
                "Arrival orders on {}: none, since a device takes orders of at most {LONGEST_ORDER} deltas; COUNT \
                 {LONGEST_ORDER} or less tries them.",
                device.name
            ));
        }
    }
    sentences
}

/// "8", "4 and 8", "3, 5 and 7".
fn listed(numbers: &[u32]) -> String {
    numbered("", numbers).trim_start_matches("s ").trim().to_owned()
}

fn by_evidence(devices: &[DeviceRecord]) -> Vec<String> {
    if devices.is_empty() {
        return vec!["No device was on trial: nothing here is about hardware.".to_owned()];
    }
    let simulated: Vec<String> = devices
        .iter()
        .filter(|device| device.evidence != Evidence::Silicon)
        .map(|device| format!("{} (evidence {})", device.name, device.evidence))
        .collect();
    if simulated.is_empty() {
        return Vec::new();
    }
    vec![format!("Silicon: the answers of {} say nothing about a board.", simulated.join(", "))]
}

/// "banks 1 to 7", or the banks one by one where they do not follow each other.
fn span(banks: &[u32]) -> String {
    match banks {
        [first, .., last] if banks.len() > 2 && banks.windows(2).all(|pair| pair[1] == pair[0] + 1) => {
            format!("banks {first} to {last}")
        }
        _ => numbered("bank", banks),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;

    fn engine(banks: u32, count: u32, seed: u64) -> EngineRuns {
        let seed = Seed::new(seed);
        let (bank_sweep, short_sweep) = (bank_runs(banks, count, seed), short_runs(banks, seed));
        EngineRuns { device: "model".to_owned(), banks, bank_sweep, short_sweep }
    }

    #[test]
    fn what_engine_runs_cannot_see_is_told_in_sentences_that_follow_the_runs() {
        let told = [
            (8, 65_537, 0xDEAD_BEEF_0BAD_F00D),
            (8, 65_536, 0xDEAD_BEEF_0BAD_F00D),
            (8, 65_537, 0x10000),
            (8, 65_549, 0xDEAD_BEEF_0BAD_F00D),
            (8, 77_777, 0xDEAD_BEEF_0BAD_F00D),
            (8, 5, 7),
            (3, 1_000_003, 0xA70A_1CBA_1234_5678),
            (1, 9, 1),
        ]
        .map(|(banks, count, seed)| {
            let engine = engine(banks, count, seed);
            let mut lines = vec![format!("{banks} banks, COUNT {count}, SEED {seed:#x}")];
            lines.extend(by_bank_sweep(&engine).into_iter().map(|s| format!("  bank sweep: {s}")));
            lines.extend(by_engine_runs(&engine).into_iter().map(|s| format!("  run: {s}")));
            lines.join("\n")
        });
        insta::assert_snapshot!(told.join("\n"));
    }
}
