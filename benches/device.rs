//! Speed of the modelled device: clock cycles of the bench engine and commands of the adapter, per second of the host.
//!
//! Everything goes through the registers and the driver, as a campaign does it. The target is 100 M cycles/s at any
//! number of active banks; the board makes 100 M cycles/s.

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

criterion_group!(benches, engine, adapter);
criterion_main!(benches);
