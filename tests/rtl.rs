//! The RTL and the model are the same device: every word and every clock, sound and with faults planted, and what either
//! counts of them.
#![cfg(feature = "rtl")]

use std::num::NonZeroUsize;
use std::time::Duration;

use abench::bus::Bus;
use abench::campaign::{self, Plan};
use abench::device::model::{Model, Plants};
use abench::device::registers::{adapter, command, engine};
use abench::device::rtl::Rtl;
use abench::domain::fault::{Fault, MOST_BANKS, WrongOperator};
use abench::domain::seed::Seed;
use abench::domain::trial::{Conformance, StandardCheck, StandardTrial, Trial};
use abench::domain::verdict::Verdict;
use abench::domain::watch::Unwatched;
use abench::experiment::valid::Valid;
use abench::fault::catalogue::{CATALOGUE, ONCE_ESCAPED, Shape, mutants, why_equivalent};
use abench::report::record::Record;
use abench::scenario::Scenario;
use abench::subject::links::LinkConditions;
use abench::subject::{Conditions, backends, open};
use proptest::prelude::*;

/// Random sequences that the two are compared in.
const SEQUENCES: u32 = 10_000;

/// What is done to a device.
#[derive(Clone, Copy, Debug)]
enum Step {
    Read(u32),
    Write(u32, u32),
    WriteBytes(u32, u32, u8),
    Pause(u64),
}

fn any_operator() -> impl Strategy<Value = WrongOperator> {
    prop_oneof![Just(WrongOperator::Or), Just(WrongOperator::Add), Just(WrongOperator::Overwrite)]
}

/// A fault of any kind, near enough to what is run to be in use.
fn any_fault() -> impl Strategy<Value = Fault> {
    let bank = 0..MOST_BANKS;
    let two_banks = (bank.clone(), bank.clone()).prop_filter("two of them", |(one, other)| one != other);
    let index = prop_oneof![4 => 0..40u32, 1 => 0..2_000u32];
    let engine = prop_oneof![
        bank.clone().prop_map(Fault::DeadBank),
        bank.prop_map(Fault::StuckBank),
        two_banks.prop_map(|(one, other)| Fault::SwapBanks(one, other)),
        index.clone().prop_map(Fault::Drop),
        index.clone().prop_map(Fault::Duplicate),
        index.clone().prop_map(Fault::Reorder),
        index.clone().prop_map(Fault::Torn),
        index.prop_map(Fault::Misaddress),
        any_operator().prop_map(Fault::BankOperator),
        Just(Fault::ShortCount),
        Just(Fault::LongCount),
        Just(Fault::PartialCycleDropped),
        (1..32u32).prop_map(Fault::IndexWraps),
        Just(Fault::EarlyDone),
        Just(Fault::ExtraCycle),
        (0..64u32).prop_map(Fault::FlipBit),
        Just(Fault::StartKeepsBanks),
        Just(Fault::DoneStays),
        (1..32u32).prop_map(Fault::CountWraps),
        prop_oneof![1..8u32, 1..32u32].prop_map(Fault::CyclesWrap),
        Just(Fault::ActiveNotClamped),
        (0..64u32).prop_map(Fault::StuckSeedBit),
        Just(Fault::SeedNotReset),
        (0..MOST_BANKS).prop_map(Fault::ShortLane),
        Just(Fault::EngineSelectsIgnored),
    ];
    let adapter = prop_oneof![
        Just(Fault::StaleRead),
        Just(Fault::EarlyRead),
        Just(Fault::LostHighWord),
        (1..5u32).prop_map(Fault::AccumDrop),
        (1..5u32).prop_map(Fault::AccumRepeat),
        any_operator().prop_map(Fault::AccumOperator),
        Just(Fault::PipelineHazard),
        Just(Fault::LoadKeepsAccumulator),
        Just(Fault::LoadWrongContext),
        Just(Fault::SwapWrongContext),
        Just(Fault::SwapKeepsBit7),
        Just(Fault::LoadWrongResponse),
        Just(Fault::ZeroBitLowHalf),
        Just(Fault::AdapterSelectsIgnored),
    ];
    prop_oneof![engine, adapter]
}

/// None, one or several, in any order; the order matters where two meet at the same place.
fn any_faults() -> impl Strategy<Value = Vec<Fault>> {
    let several = proptest::collection::hash_set(any_fault(), 1..4);
    prop_oneof![1 => Just(Vec::new()), 1 => several.prop_map(Vec::from_iter)]
}

/// A word that is often one that a register makes something of.
fn any_word() -> impl Strategy<Value = u32> {
    prop_oneof![3 => 0..8u32, 3 => 0..40u32, 2 => 0..70_000u32, 2 => any::<u32>()]
}

/// An address of a register, one beside it, or any.
fn any_address() -> impl Strategy<Value = u32> {
    let of_engine = (0..=12u32).prop_map(|place| engine::BASE + 4 * place);
    let of_adapter = (0..=8u32).prop_map(|place| adapter::BASE + 4 * place);
    let beside = (prop_oneof![Just(engine::BASE), Just(adapter::BASE)], 0..0x1000u32).prop_map(|(base, at)| base + at);
    prop_oneof![8 => of_engine, 8 => of_adapter, 2 => beside, 1 => any::<u32>()]
}

/// A run of the engine that is started; it may still go on when what comes next is done.
fn any_run() -> impl Strategy<Value = Vec<Step>> {
    // Long runs are rare: a simulated clock costs a hundred times what a modelled one does.
    let count = prop_oneof![400 => 0..80u32, 40 => 0..3_000u32, 1 => 0..300_000u32];
    let seed = prop_oneof![2 => 0..64u64, 3 => any::<u64>()];
    let waits = prop_oneof![1 => Just(0), 2 => 0..60u64, 3 => Just(u64::MAX)];
    (count, 0..40u32, seed, waits).prop_map(|(count, active, seed, waits)| {
        let over = u64::from(count) + 3;
        vec![
            Step::Write(engine::BASE + engine::COUNT, count),
            Step::Write(engine::BASE + engine::ACTIVE, active),
            Step::Write(engine::BASE + engine::SEED_LO, seed as u32),
            Step::Write(engine::BASE + engine::SEED_HI, (seed >> 32) as u32),
            Step::Write(engine::BASE + engine::CTRL, engine::START),
            Step::Pause(waits.min(over)),
        ]
    })
}

/// A command of the adapter with its operands; it is waited for, or not.
fn any_command() -> impl Strategy<Value = Vec<Step>> {
    // Often with the second half of what is in two, and often on few contexts, so that they are met again.
    let code = prop_oneof![4 => Just(command::ACCUM_HI), 2 => Just(command::LOAD_HI), 6 => 0..8u32];
    let operand = prop_oneof![3 => 0..4u32, 1 => 254..256u32, 2 => any::<u32>()];
    (code, operand.clone(), operand, 0..5u64).prop_map(|(code, rs1, rs2, waits)| {
        vec![
            Step::Write(adapter::BASE + adapter::RS1, rs1),
            Step::Write(adapter::BASE + adapter::RS2, rs2),
            Step::Write(adapter::BASE + adapter::CMD, code),
            Step::Pause(waits),
            Step::Read(adapter::BASE + adapter::RD),
        ]
    })
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => any_address().prop_map(|address| vec![Step::Read(address)]),
        5 => (any_address(), any_word()).prop_map(|(address, word)| vec![Step::Write(address, word)]),
        2 => (any_address(), any_word(), 0..16u8).prop_map(|(address, word, bytes)| {
            vec![Step::WriteBytes(address, word, bytes)]
        }),
        3 => (0..30u64).prop_map(|clocks| vec![Step::Pause(clocks)]),
        1 => (0..4u32).prop_map(|word| vec![Step::Write(engine::BASE + engine::CTRL, word)]),
        3 => any_run(),
        5 => any_command(),
    ];
    proptest::collection::vec(step, 1..30).prop_map(|steps| steps.concat())
}

fn take(bus: &mut dyn Bus, step: Step) -> (Option<u32>, Duration) {
    let word = match step {
        Step::Read(address) => Some(bus.read(address).expect("a word")),
        Step::Write(address, word) => {
            bus.write(address, word).expect("a write");
            None
        }
        Step::WriteBytes(address, word, bytes) => {
            assert_eq!(bus.write_bytes(address, word, bytes), Ok(true));
            None
        }
        Step::Pause(clocks) => {
            bus.pause(Duration::from_nanos(10 * clocks));
            None
        }
    };
    (word, bus.elapsed())
}

/// Every register of both parts.
fn registers() -> impl Iterator<Item = Step> {
    let of_engine = (engine::CTRL..=engine::STATUS).step_by(4).map(|offset| Step::Read(engine::BASE + offset));
    let of_adapter = (adapter::CMD..=adapter::STATUS).step_by(4).map(|offset| Step::Read(adapter::BASE + offset));
    of_engine.chain(of_adapter)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: SEQUENCES, ..ProptestConfig::default() })]

    #[test]
    fn the_rtl_and_the_model_answer_alike_clock_by_clock(
        banks in prop_oneof![Just(8), 1..=MOST_BANKS], faults in any_faults(), steps in any_steps(),
    ) {
        let (of_model, of_rtl) = (Plants::new(&faults), Plants::new(&faults));
        let mut model = Model::new(banks, &of_model);
        let mut rtl = Rtl::new(banks, &of_rtl).expect("a simulation");
        for (place, step) in steps.into_iter().chain(registers()).enumerate() {
            prop_assert_eq!(take(&mut rtl, step), take(&mut model, step), "step {}: {:x?}", place, step);
            prop_assert_eq!(of_rtl.activity(), of_model.activity(), "activity after step {}: {:x?}", place, step);
        }
    }
}

const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

/// A short standard campaign on this backend alone, with these faults in it; its check of conformance has long runs, and is
/// made where it is needed.
fn campaign(backend: &str, faults: &[Fault], conformance: bool) -> Record {
    let count = "1003".parse().expect("a COUNT");
    let mut checks = StandardCheck::ALL.to_vec();
    checks.retain(|&check| conformance || check != StandardCheck::Conformance);
    run_of(backend, StandardTrial { count, seed: SEED, checks, ..StandardTrial::published() }, faults)
}

/// Kinds of fault that the check of conformance alone is sure to see.
const OF_CONFORMANCE: [&str; 11] = [
    "count-wraps:B",
    "cycles-wrap:B",
    "active-not-clamped",
    "stuck-seed-bit:B",
    "seed-not-reset",
    "short-lane:K",
    "engine-selects-ignored",
    "swap-keeps-bit-7",
    "load-wrong-response",
    "zero-bit-low-half",
    "adapter-selects-ignored",
];

fn conditions(faults: &[Fault]) -> Conditions {
    Conditions { threads: NonZeroUsize::MIN, faults: faults.to_vec(), link: LinkConditions::default() }
}

fn run_of(backend: &str, trial: StandardTrial, faults: &[Fault]) -> Record {
    let plan = Plan {
        scenario: Valid::of(Scenario::unnamed(Trial::Standard(trial))).expect("it is sound"),
        backends: backends([backend]).expect("a backend"),
        conditions: conditions(faults),
    };
    let mut subjects = open(&plan.backends, &plan.conditions).expect("the device is there");
    campaign::run(&plan, &mut subjects, &mut Unwatched)
}

/// All that a record says, but for which of the two devices it says it of.
fn said(record: &Record) -> String {
    let mut record = record.without_timing_and_host();
    record.devices.iter_mut().for_each(|device| device.link.clear());
    let text = serde_json::to_string_pretty(&record).expect("a record is JSON");
    text.replace("rtl-simulation", "model").replace("rtl", "model")
}

#[test]
fn every_fault_of_the_catalogue_is_caught_in_the_rtl_as_it_is_in_the_model() {
    let mut kinds = Vec::new();
    for mutant in mutants(Shape { banks: 8, longest_run: 1003 }) {
        let conformance = OF_CONFORMANCE.contains(&mutant.kind);
        if conformance && kinds.last() == Some(&mutant.kind) {
            continue;
        }
        let of = |backend| campaign(backend, &mutant.faults, conformance);
        let (of_rtl, of_model) = (of("rtl"), of("model"));
        assert_eq!(said(&of_rtl), said(&of_model), "{:?}", mutant.faults);
        let [first, ..] = mutant.faults[..] else { panic!("a mutant has a fault") };
        // Longer runs than the campaign's alone come to where these wrap.
        let beyond = [16, 20, 24, 31].map(Fault::IndexWraps);
        let shows = why_equivalent(first).is_none() && !beyond.contains(&first);
        assert_eq!(of_rtl.verdict == Verdict::Falsified, shows, "{first}");
        kinds.push(mutant.kind);
    }
    kinds.dedup();
    assert_eq!(kinds.len(), CATALOGUE.len(), "{kinds:?}");
}

#[test]
fn the_twelve_faults_that_once_escaped_are_killed_in_the_rtl_and_in_the_model() {
    // An index of 20 bits is too short for the longest run of this campaign; 31 bits, for any run, are tried in the model.
    for fault in ONCE_ESCAPED.into_iter().chain([Fault::DoneStays, Fault::IndexWraps(20)]) {
        for backend in ["rtl", "model"] {
            assert_eq!(campaign(backend, &[fault], true).verdict, Verdict::Falsified, "{fault} in {backend}");
        }
    }
}

#[test]
fn the_whole_check_of_conformance_holds_on_the_sound_rtl_and_finds_what_wraps_in_long_runs() {
    let of = |faults: &[Fault]| {
        let checks = vec![StandardCheck::Conformance];
        let trial = StandardTrial { checks, conformance: Conformance::Whole, seed: SEED, ..StandardTrial::published() };
        run_of("rtl", trial, faults)
    };
    let sound = of(&[]);
    assert_eq!(sound.verdict, Verdict::Holds, "{}", sound.reason);
    for fault in [Fault::CyclesWrap(24), Fault::IndexWraps(24)] {
        assert_eq!(of(&[fault]).verdict, Verdict::Falsified, "{fault}");
    }
}

#[test]
fn the_sound_rtl_holds_with_any_number_of_banks() {
    for banks in 1..=MOST_BANKS {
        let (of_rtl, of_model) =
            (campaign(&format!("rtl:{banks}"), &[], true), campaign(&format!("model:{banks}"), &[], true));
        assert_eq!(said(&of_rtl), said(&of_model), "{banks} banks");
        assert_ne!(of_rtl.verdict, Verdict::Falsified, "{banks} banks");
    }
}

#[test]
fn no_more_faults_are_planted_than_there_is_room_for() {
    let faults: Vec<Fault> = (0..64).map(Fault::FlipBit).collect();
    assert!(Rtl::new(8, &Plants::new(&faults)).is_ok());
    let more = [faults, vec![Fault::ShortCount]].concat();
    let Err(refused) = Rtl::new(8, &Plants::new(&more)) else { panic!("65 faults fit in 64 slots") };
    assert!(refused.to_string().ends_with("it has room for 64 planted faults, not 65"), "{refused}");
}
