//! Speed of the modelled device: clock cycles of the bench engine and commands of the adapter, per second of the host.
//!
//! Everything goes through the registers and the driver, as a campaign does it. The target is 100 M cycles/s at any
//! number of active banks; the board makes 100 M cycles/s. With feature `rtl` the simulated RTL is measured beside the
//! model, in interleaved pairs; its target is 15 M cycles/s with waveforms compiled in but closed.

use abench::device::driver::Driver;
use abench::device::model::{Model, PUBLISHED_BANKS, Plants};
use abench::domain::execution::EngineRun;
use abench::domain::seed::Seed;
use abench::domain::watch::Unwatched;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Clock cycles of one run: enough that starting it costs nothing.
const CYCLES: u32 = 4_000_037;

fn driver() -> Driver {
    Driver::open(Box::new(Model::new(PUBLISHED_BANKS, &Plants::default()))).expect("the model is there")
}

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("model engine (cycles)");
    group.sample_size(20).throughput(Throughput::Elements(CYCLES.into()));
    for active in 1..=PUBLISHED_BANKS {
        let mut driver = driver();
        let run = EngineRun { count: CYCLES * active, active, seed: Seed::new(0xDEAD_BEEF_0BAD_F00D) };
        group.bench_function(format!("{active} active"), |bencher| {
            bencher.iter(|| {
                let outcome = driver.run(run, &mut Unwatched).expect("the model answers");
                assert_eq!(outcome.cycles, CYCLES);
                outcome
            });
        });
    }
    group.finish();
}

/// The RTL, and how many times slower than the model it is.
#[cfg(feature = "rtl")]
mod rtl {
    use std::time::{Duration, Instant};

    use abench::device::rtl::Rtl;

    use super::*;

    /// Clock cycles of one run.
    const CYCLES: u32 = 1_000_037;

    /// Interleaved pairs of runs.
    const PAIRS: usize = 9;

    fn driver() -> Driver {
        let rtl = Rtl::new(PUBLISHED_BANKS, &Plants::default()).expect("a simulation");
        Driver::open(Box::new(rtl)).expect("the simulation is there")
    }

    fn run(driver: &mut Driver, active: u32) -> Duration {
        let run = EngineRun { count: CYCLES * active, active, seed: Seed::new(0xDEAD_BEEF_0BAD_F00D) };
        let start = Instant::now();
        let outcome = driver.run(run, &mut Unwatched).expect("an answer");
        assert_eq!(outcome.cycles, CYCLES);
        start.elapsed()
    }

    pub fn engine(criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("rtl engine (cycles)");
        group.sample_size(10).throughput(Throughput::Elements(CYCLES.into()));
        for active in [1, 4, 8] {
            let mut driver = driver();
            group.bench_function(format!("{active} active"), |bencher| bencher.iter(|| run(&mut driver, active)));
        }
        group.finish();
        let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
        if asked("--bench") && !asked("--list") {
            [1, 4, 8].into_iter().for_each(beside_the_model);
        }
    }

    fn beside_the_model(active: u32) {
        let (mut model, mut rtl) = (super::driver(), driver());
        let pair = |_| (run(&mut rtl, active).as_secs_f64(), run(&mut model, active).as_secs_f64());
        let pairs: Vec<(f64, f64)> = (0..PAIRS).map(pair).collect();
        let median = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[PAIRS / 2]
        };
        let rate = f64::from(CYCLES) / 1e6 / median(pairs.iter().map(|(rtl, _)| *rtl).collect());
        let ratio = median(pairs.iter().map(|(rtl, model)| rtl / model).collect());
        println!(
            "rtl, {active} active: {rate:.1} M cycles/s (wanted 15), {ratio:.0} times as long as the model in one run"
        );
    }
}

fn adapter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("model adapter (deltas)");
    group.throughput(Throughput::Elements(1));
    let mut driver = driver();
    driver.load(0, 0).expect("the model answers");
    let mut delta = 1u64;
    group.bench_function("accumulate", |bencher| {
        bencher.iter(|| {
            delta = delta.rotate_left(7);
            driver.accumulate(delta)
        });
    });
    group.finish();
}

#[cfg(not(feature = "rtl"))]
criterion_group!(benches, engine, adapter);
#[cfg(feature = "rtl")]
criterion_group!(benches, engine, adapter, rtl::engine);
criterion_main!(benches);
