//! What the engine does, with faults and without.

use super::*;
use proptest::prelude::*;

fn started_with(faults: &[Fault], banks: u32, count: u32, active: u32, seed: u64) -> Engine {
    let mut engine = Engine::new(banks, Plants::new(faults));
    engine.write(COUNT, count);
    engine.write(ACTIVE, active);
    engine.write(SEED_LO, seed as u32);
    engine.write(SEED_HI, (seed >> 32) as u32);
    engine.write(CTRL, START);
    engine
}

fn started(banks: u32, count: u32, active: u32, seed: u64) -> Engine {
    started_with(&[], banks, count, active, seed)
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let operator = prop_oneof![Just(WrongOperator::Or), Just(WrongOperator::Add), Just(WrongOperator::Overwrite)];
    prop_oneof![
        (0..8u32).prop_map(Fault::DeadBank),
        (0..8u32).prop_map(Fault::StuckBank),
        (0..4u32, 4..8u32).prop_map(|(one, other)| Fault::SwapBanks(one, other)),
        (0..100u32).prop_map(Fault::Drop),
        (0..100u32).prop_map(Fault::Duplicate),
        (0..100u32).prop_map(Fault::Reorder),
        (0..100u32).prop_map(Fault::Torn),
        (0..100u32).prop_map(Fault::Misaddress),
        operator.prop_map(Fault::BankOperator),
        Just(Fault::ShortCount),
        Just(Fault::LongCount),
        Just(Fault::PartialCycleDropped),
        (1..8u32).prop_map(Fault::IndexWraps),
        Just(Fault::EarlyDone),
        Just(Fault::ExtraCycle),
        (0..64u32).prop_map(Fault::FlipBit),
        Just(Fault::StartKeepsBanks),
        Just(Fault::DoneStays),
        (1..12u32).prop_map(Fault::CountWraps),
        (1..8u32).prop_map(Fault::CyclesWrap),
        Just(Fault::ActiveNotClamped),
        (0..64u32).prop_map(Fault::StuckSeedBit),
        Just(Fault::SeedNotReset),
        (0..8u32).prop_map(Fault::ShortLane),
    ]
}

/// The result of a run to its end, and its cycles.
fn ended(mut engine: Engine) -> (u64, u32) {
    engine.advance(10_000);
    assert_eq!(engine.read(CTRL), DONE);
    (engine.result, engine.cycles)
}

fn registers(engine: &Engine) -> Vec<u32> {
    (CTRL..=STATUS).step_by(4).map(|offset| engine.read(offset)).collect()
}

proptest! {
    #[test]
    fn many_clocks_at_once_are_as_many_single_ones(
        banks in 8..=32u32, count in 0..600u32, active in 0..40u32, seed: u64,
        steps in proptest::collection::vec(0..80u64, 1..12),
        faults in proptest::collection::btree_set(any_fault(), 0..3),
    ) {
        let faults: Vec<Fault> = faults.into_iter().collect();
        let mut fast = started_with(&faults, banks, count, active, seed);
        let mut plain = started_with(&faults, banks, count, active, seed);
        for step in steps {
            fast.advance(step);
            (0..step).for_each(|_| plain.clock());
            prop_assert_eq!(registers(&fast), registers(&plain));
            prop_assert_eq!(fast.accumulators, plain.accumulators);
            prop_assert_eq!(fast.plants.activity(), plain.plants.activity());
        }
    }

    #[test]
    fn exchanging_banks_or_deltas_changes_no_result(count in 0..200u32, active in 1..=8u32, seed: u64, at in 0..200u32) {
        let sound = ended(started(8, count, active, seed));
        for fault in [Fault::SwapBanks(0, 7), Fault::Reorder(at), Fault::Misaddress(at)] {
            prop_assert_eq!(ended(started_with(&[fault], 8, count, active, seed)), sound);
        }
    }
}

#[test]
fn faults_of_the_engine_do_what_they_are_called() {
    let sum = |indices: &[u64]| indices.iter().fold(0, |sum, index| sum ^ Xorshift64.generate(1000 ^ index));
    let with = |fault: Fault| ended(started_with(&[fault], 8, 10, 4, 1000));
    let all = sum(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(ended(started(8, 10, 4, 1000)), (all, 3));
    assert_eq!(with(Fault::DeadBank(1)), (sum(&[0, 2, 3, 4, 6, 7, 8]), 3));
    assert_eq!(with(Fault::StuckBank(7)), (all ^ u64::MAX, 3));
    assert_eq!(with(Fault::Drop(4)), (all ^ sum(&[4]), 3));
    assert_eq!(with(Fault::Duplicate(4)), (all ^ sum(&[4]), 3));
    assert_eq!(with(Fault::Torn(4)), (all ^ (sum(&[4]) >> 32 << 32), 3));
    assert_eq!(with(Fault::BankOperator(WrongOperator::Overwrite)), (sum(&[8, 9, 6, 7]), 3));
    assert_eq!(with(Fault::ShortCount), (all ^ sum(&[9]), 3));
    assert_eq!(with(Fault::LongCount), (all ^ sum(&[10]), 3));
    assert_eq!(with(Fault::PartialCycleDropped), (all ^ sum(&[8, 9]), 3));
    assert_eq!(with(Fault::EarlyDone), (all ^ sum(&[8, 9]), 3));
    assert_eq!(with(Fault::IndexWraps(3)), (sum(&[2, 3, 4, 5, 6, 7]), 3));
    assert_eq!(with(Fault::ExtraCycle), (all, 4));
    assert_eq!(with(Fault::FlipBit(5)), (all ^ 32, 3));
    assert_eq!(with(Fault::CountWraps(3)), (sum(&[0, 1]), 1));
    assert_eq!(with(Fault::CyclesWrap(1)), (all, 1));
    // SEED 1000 is 992 without its bit 3.
    let stuck = (0..10).fold(0, |sum, index| sum ^ Xorshift64.generate(992 ^ index));
    assert_eq!(with(Fault::StuckSeedBit(3)), (stuck, 3));
    let long = |faults: &[Fault]| ended(started_with(faults, 8, 259, 4, 1000));
    let lost = Xorshift64.generate(1000 ^ 257);
    assert_eq!(long(&[Fault::ShortLane(1)]), (long(&[]).0 ^ lost, 65));
}

#[test]
fn active_above_the_banks_is_kept_where_it_is_not_clamped_and_its_lanes_lose_their_deltas() {
    let faults = [Fault::ActiveNotClamped];
    let engine = started_with(&faults, 4, 11, 5, 1000);
    assert_eq!(engine.read(ACTIVE), 5);
    let sound = ended(started(4, 11, 4, 1000)).0;
    let lost = [4, 9].iter().fold(0, |sum, index| sum ^ Xorshift64.generate(1000 ^ index));
    assert_eq!(ended(engine), (sound ^ lost, 3));
    let read = |word: u32| started_with(&faults, 4, 1, word, 1).read(ACTIVE);
    assert_eq!([0, 4, 9, 64, u32::MAX].map(read), [1, 4, 9, 1, 63]);
}

#[test]
fn a_seed_that_no_reset_sets_is_zero_until_it_is_written() {
    let mut engine = Engine::new(8, Plants::new(&[Fault::SeedNotReset]));
    assert_eq!((engine.read(SEED_LO), engine.read(SEED_HI)), (0, 0));
    engine.write(SEED_HI, 7);
    assert_eq!((engine.read(SEED_LO), engine.read(SEED_HI)), (0, 7));
    engine.write(SEED_LO, 5);
    assert_eq!((engine.read(SEED_LO), engine.read(SEED_HI)), (5, 7));
}

#[test]
fn a_write_of_fewer_than_four_bytes_is_ignored_unless_selects_are() {
    let mut engine = Engine::new(8, Plants::default());
    engine.write_bytes(COUNT, 0x1122_3344, 0b0001);
    assert_eq!(engine.read(COUNT), 0);
    let mut planted = Engine::new(8, Plants::new(&[Fault::EngineSelectsIgnored]));
    planted.write_bytes(COUNT, 0x1122_3344, 0b0001);
    assert_eq!(planted.read(COUNT), 0x1122_3344);
}

#[test]
fn what_stays_at_a_start_is_as_the_run_before_left_it_and_clear_takes_it_back() {
    let second = |faults: &[Fault], ctrl: u32| {
        let mut engine = started_with(faults, 8, 3, 4, 1000);
        engine.advance(10);
        engine.write(COUNT, 9);
        engine.write(CTRL, ctrl);
        let status = engine.read(CTRL);
        engine.advance(10);
        (status, engine.result)
    };
    let sound = second(&[], START);
    assert_eq!(sound.0, BUSY);
    let first = ended(started(8, 3, 4, 1000)).0;
    assert_eq!(second(&[Fault::StartKeepsBanks], START), (BUSY, sound.1 ^ first));
    assert_eq!(second(&[Fault::DoneStays], START), (BUSY | DONE, sound.1));
    assert_eq!(second(&[Fault::StartKeepsBanks, Fault::DoneStays], START | CLEAR), sound);
}

#[test]
fn a_busy_engine_ignores_writes_and_counts_its_cycles() {
    let mut engine = started(8, 100, 8, 5);
    engine.advance(3);
    for offset in (CTRL..=STATUS).step_by(4) {
        engine.write(offset, u32::MAX);
    }
    assert_eq!(registers(&engine), [BUSY, 100, 8, 5, 0, 3, 0, 0, 0x0208_0001]);
    engine.advance(1000);
    assert_eq!(engine.read(CYCLES), 13);
    assert_eq!(engine.read(CTRL), DONE);
}

#[test]
fn a_run_without_deltas_is_over_after_one_clock() {
    let mut engine = started(8, 0, 8, 5);
    assert_eq!(engine.read(CTRL), BUSY);
    engine.clock();
    assert_eq!(registers(&engine), [DONE, 0, 8, 5, 0, 0, 0, 0, 0x0208_0002]);
}

#[test]
fn clear_empties_the_outputs_of_an_idle_engine() {
    let mut engine = started(8, 9, 8, 5);
    engine.advance(9);
    engine.write(CTRL, CLEAR);
    assert_eq!(registers(&engine), [0, 9, 8, 5, 0, 0, 0, 0, 0x0208_0000]);
}

#[test]
fn the_last_index_of_the_longest_run_does_not_overflow() {
    let mut engine = started(8, u32::MAX, 7, 0);
    (engine.cycles, engine.clocks) = (u32::MAX / 7 - 1, u32::MAX / 7 - 1);
    engine.advance(100);
    assert_eq!((engine.read(CYCLES), engine.read(CTRL)), (u32::MAX.div_ceil(7), DONE));
}

#[test]
fn a_planted_fault_counts_when_it_is_in_use() {
    let plants = Plants::new(&[Fault::DeadBank(3), Fault::Drop(9), Fault::Drop(5)]);
    let mut engine = Engine::new(8, plants.clone());
    for count in [3, 6] {
        engine.write(COUNT, count);
        engine.write(ACTIVE, 8);
        engine.write(CTRL, START);
        engine.advance(10);
    }
    let reached: Vec<u64> = plants.activity().iter().map(|(_, activity)| activity.reached).collect();
    assert_eq!(reached, [1, 0, 1]);
}
