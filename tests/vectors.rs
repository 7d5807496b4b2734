//! The model, and with feature `rtl` our RTL, conform row by row to behaviour observed in simulation of the reference RTL.

use std::time::Duration;

use abench::bus::Bus;
use abench::device::driver::Driver;
use abench::device::model::{Model, PUBLISHED_BANKS, Plants};
use abench::device::registers::{adapter, engine};
use abench::domain::execution::EngineRun;
use abench::domain::seed::Seed;
use abench::domain::watch::Unwatched;

/// The rows of a table with comment lines and a heading, their numbers decimal or `0x` hexadecimal.
fn rows(table: &str) -> Vec<Vec<u64>> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).expect("a hexadecimal number"),
        None => text.parse().expect("a decimal number"),
    };
    let data = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    data.map(|line| line.split(',').map(number).collect()).collect()
}

/// The devices of this build, as published.
fn published() -> Vec<Box<dyn Bus>> {
    let sound = Plants::default();
    vec![
        Box::new(Model::new(PUBLISHED_BANKS, &sound)),
        #[cfg(feature = "rtl")]
        Box::new(abench::device::rtl::Rtl::new(PUBLISHED_BANKS, &sound).expect("a simulation")),
    ]
}

#[test]
fn every_observed_engine_run_gives_the_same_registers() {
    published().iter_mut().for_each(|device| engine_runs(device.as_mut()));
}

fn engine_runs(device: &mut dyn Bus) {
    let rows = rows(include_str!("vectors/engine.csv"));
    assert_eq!(rows.len(), 300);
    let read = |device: &mut dyn Bus, offset: u32| device.read(engine::BASE + offset).expect("a word");
    for row in rows {
        let &[count, active, seed, ..] = &row[..] else { panic!("a row has at least three columns") };
        for (offset, word) in [
            (engine::COUNT, count),
            (engine::ACTIVE, active),
            (engine::SEED_LO, seed & 0xFFFF_FFFF),
            (engine::SEED_HI, seed >> 32),
            (engine::CTRL, u64::from(engine::START)),
        ] {
            device.write(engine::BASE + offset, word as u32).expect("a write");
        }
        device.pause(Duration::from_millis(1));
        let low = u64::from(read(device, engine::RESULT_LO));
        let high = u64::from(read(device, engine::RESULT_HI));
        let cycles = u64::from(read(device, engine::CYCLES));
        let (readback, status) = (read(device, engine::ACTIVE), read(device, engine::STATUS));
        let observed = [count, active, seed, cycles, high << 32 | low, readback.into(), status.into()];
        assert_eq!(observed, row[..]);
    }
}

#[test]
fn every_observed_engine_run_gives_the_same_through_the_driver() {
    published().into_iter().for_each(driven_runs);
}

fn driven_runs(device: Box<dyn Bus>) {
    let mut driver = Driver::open(device).expect("the device is there");
    for row in rows(include_str!("vectors/engine.csv")) {
        let run = EngineRun { count: row[0] as u32, active: row[1] as u32, seed: Seed::new(row[2]) };
        let outcome = driver.run(EngineRun { active: run.active.clamp(1, 8), ..run }, &mut Unwatched).expect("a run");
        assert_eq!([u64::from(outcome.cycles), outcome.result], row[3..5], "{run:?}");
    }
}

#[test]
fn every_observed_adapter_command_gives_the_same_response() {
    published().iter_mut().for_each(|device| adapter_commands(device.as_mut()));
}

fn adapter_commands(device: &mut dyn Bus) {
    let rows = rows(include_str!("vectors/adapter.csv"));
    assert_eq!(rows.len(), 2000);
    for (place, row) in rows.iter().enumerate() {
        for (offset, word) in [(adapter::RS1, row[1]), (adapter::RS2, row[2]), (adapter::CMD, row[0])] {
            device.write(adapter::BASE + offset, word as u32).expect("a write");
        }
        device.pause(Duration::from_micros(1));
        let status = device.read(adapter::BASE + adapter::STATUS).expect("a word");
        assert_eq!(status, adapter::RESPONSE_OK);
        let response = device.read(adapter::BASE + adapter::RD).expect("a word");
        assert_eq!(u64::from(response), row[3], "command {place}, funct3 {}", row[0]);
    }
}
