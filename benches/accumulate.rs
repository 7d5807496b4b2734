//! Rates of the software accumulators, in deltas per second, and of the same loop in C.
//!
//! First the rates, by criterion. Then ratios: both sides of a ratio run in turn (A B A B ...), each pair gives one
//! ratio, and the median of them is shown with the least and the greatest, so that a machine that slows down or has other
//! work disturbs both sides alike. The program in C is built here from `baseline.c` and measures its own loop; its
//! results must be ours, or the benchmark fails. The compiler is `cc`, or what `CC` says.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use abench::domain::delta::{Deltas, Generate, Generator, SplitMix64};
use abench::domain::seed::Seed;
use abench::domain::subject::{Accumulator, Subject};
use abench::subject::scalar::Scalar;
use abench::subject::simd::{Simd, Unit};
use abench::subject::threads::Threads;
use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};

const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

const GENERATORS: [(&str, Generator); 2] =
    [("xorshift64", Generator::Xorshift64), ("splitmix64", Generator::SplitMix64)];

/// Deltas an iteration under criterion.
///
/// Like the next, it is no power of two: xorshift64 is linear, so its sum over such a range is 0 whatever the seed, and a
/// comparison of results would compare nothing.
const RATE_COUNT: u64 = (1 << 26) - 57;

/// Deltas on each side of a pair: some 30 ms for the fastest side, so that starting threads and interrupts weigh little.
const RATIO_COUNT: u64 = (1 << 28) - 57;

/// Deltas where the benchmark only shows that it works, as under `cargo test --benches`.
const TRIAL_COUNT: u64 = 100_003;

/// Pairs for a ratio.
const PAIRS: usize = 15;

/// Arrivals in memory, 128 MiB of them: more than the caches hold.
const ARRIVALS: usize = 1 << 24;

fn main() {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    let measures = has("--bench") && !has("--list");

    let baselines = Baseline::build_all();
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    rates(&mut criterion, &baselines, if measures { RATE_COUNT } else { TRIAL_COUNT });
    deliveries(&mut criterion, if measures { ARRIVALS } else { 1 << 15 });
    criterion.final_summary();
    if measures {
        ratios(&baselines);
    }
}

/// A name for the tables and what it stands for.
type Named = (String, Box<dyn Accumulator>);

fn accumulators() -> Vec<Named> {
    let mut all: Vec<Named> = vec![("scalar".into(), Box::new(Scalar::new()))];
    for unit in Unit::ALL {
        match Simd::with(unit) {
            Some(simd) => all.push((format!("simd {unit}"), Box::new(simd))),
            None => eprintln!("simd {unit} is left out: this processor lacks it."),
        }
    }
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    all.push((format!("threads {cores}"), Box::new(Threads::new(cores))));
    all
}

/// Deltas that are generated: every accumulator, and the loop in C.
fn rates(criterion: &mut Criterion, baselines: &[Baseline], count: u64) {
    for (name, generator) in GENERATORS {
        let deltas = Deltas { generator, seed: SEED };
        let expected = reference(deltas, count);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(count));
        for (name, mut accumulator) in accumulators() {
            group.bench_function(name, |bencher| bencher.iter(|| checked(&mut *accumulator, deltas, count, expected)));
        }
        for baseline in baselines {
            group.bench_function(baseline.name(), |bencher| {
                bencher.iter_custom(|repetitions| baseline.time(name, count, repetitions, expected));
            });
        }
        group.finish();
    }
}

/// Deltas that are read from memory.
fn deliveries(criterion: &mut Criterion, length: usize) {
    let arrivals: Vec<u64> = (0..length as u64).map(|index| SplitMix64.generate(index)).collect();
    let mut group: BenchmarkGroup<'_, WallTime> = criterion.benchmark_group("deliver");
    group.throughput(Throughput::Elements(length as u64));
    for (name, mut accumulator) in accumulators() {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                accumulator.deliver(black_box(&arrivals)).expect("software takes every order");
                accumulator.observe()
            });
        });
    }
    group.finish();
}

fn reference(deltas: Deltas, count: u64) -> u64 {
    let mut scalar = Scalar::new();
    scalar.accumulate(deltas, 0..count);
    scalar.observe().expect("software always answers")
}

fn checked(accumulator: &mut dyn Accumulator, deltas: Deltas, count: u64, expected: u64) {
    accumulator.reset().expect("software can always be reset");
    accumulator.accumulate(black_box(deltas), 0..count);
    assert_eq!(accumulator.observe(), Ok(expected), "{} is wrong after {count} deltas", accumulator.name());
}

/// The program in C, as one set of flags makes it.
struct Baseline {
    flags: &'static str,
    program: PathBuf,
    /// The unit that may use the same instructions.
    rival: Unit,
    /// How fast simd on that unit must at least be, relative to it.
    target: Option<f64>,
}

impl Baseline {
    /// Builds the program once for each set of flags; says what is left out and why.
    fn build_all() -> Vec<Self> {
        let mut plans =
            vec![("-O2", Simd::best().unit(), None), ("-O3 -march=native", Simd::best().unit(), Some(0.95))];
        if Simd::with(Unit::Avx2).is_some() {
            plans.push(("-O3 -march=x86-64-v3", Unit::Avx2, Some(0.95)));
        }
        let mut baselines = Vec::new();
        for (flags, rival, target) in plans {
            match Self::build(flags) {
                Ok(program) => baselines.push(Baseline { flags, program, rival, target }),
                Err(reason) => eprintln!("C {flags} is left out: {reason}"),
            }
        }
        baselines
    }

    fn build(flags: &str) -> Result<PathBuf, String> {
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("baseline{}", flags.replace(' ', "")));
        let output = Command::new(&compiler)
            .arg("-std=c11")
            .args(flags.split(' '))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/baseline.c"))
            .arg("-o")
            .arg(&program)
            .output()
            .map_err(|error| format!("no C compiler {}: {error}", compiler.display()))?;
        if !output.status.success() {
            return Err(format!("{} fails: {}", compiler.display(), String::from_utf8_lossy(&output.stderr).trim()));
        }
        Ok(program)
    }

    fn name(&self) -> String {
        format!("C {}", self.flags)
    }

    /// What the loop alone took for all the repetitions, by the program's own clock.
    fn time(&self, generator: &str, count: u64, repetitions: u64, expected: u64) -> Duration {
        let output = Command::new(&self.program)
            .args([generator, &count.to_string(), &format!("{:x}", SEED.value()), &repetitions.to_string()])
            .stderr(Stdio::inherit())
            .output()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.name()));
        assert!(output.status.success(), "{} ends with {}", self.name(), output.status);
        let text = String::from_utf8(output.stdout).expect("the program prints ASCII");
        let times: Vec<u64> = text
            .lines()
            .map(|line| {
                let (time, result) = line.split_once(' ').expect("a line is a time and a result");
                let result = u64::from_str_radix(result, 16).expect("the result is hexadecimal");
                assert_eq!(result, expected, "{} and scalar differ after {count} {generator} deltas", self.name());
                time.parse::<u64>().expect("the time is decimal")
            })
            .collect();
        assert_eq!(times.len() as u64, repetitions, "{} prints a line for each repetition", self.name());
        Duration::from_nanos(times.iter().sum())
    }
}

/// How often as fast the first side was as the second, in each pair.
struct Ratio(Vec<f64>);

impl Ratio {
    /// Runs both sides in turn; the first pair warms up and does not count.
    fn measure(mut first: impl FnMut() -> Duration, mut second: impl FnMut() -> Duration) -> Self {
        let mut pair = || {
            let time = first();
            second().as_secs_f64() / time.as_secs_f64()
        };
        pair();
        let mut ratios: Vec<f64> = (0..PAIRS).map(|_| pair()).collect();
        ratios.sort_by(f64::total_cmp);
        Ratio(ratios)
    }

    /// One line of the table.
    fn print(&self, name: &str, target: Option<f64>) {
        let (least, median, greatest) = (self.0[0], self.0[PAIRS / 2], self.0[PAIRS - 1]);
        let verdict = target.map_or_else(String::new, |target| {
            format!("  at least {target}: {}", if median >= target { "met" } else { "MISSED" })
        });
        println!("{name:<52}{median:>8.2}{least:>8.2}{greatest:>8.2}{verdict}");
    }
}

/// The table of ratios.
fn ratios(baselines: &[Baseline]) {
    let unit = Simd::best().unit();
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    println!("Ratios of rates: {RATIO_COUNT} deltas a side, {PAIRS} pairs, simd is {unit}, {cores} cores\n");
    println!("{:<52}{:>8}{:>8}{:>8}", "", "median", "min", "max");
    for (name, generator) in GENERATORS {
        let deltas = Deltas { generator, seed: SEED };
        let expected = reference(deltas, RATIO_COUNT);
        let time = |accumulator: &mut dyn Accumulator| {
            let start = Instant::now();
            checked(accumulator, deltas, RATIO_COUNT, expected);
            start.elapsed()
        };
        let (mut scalar, mut simd, mut threads) =
            (Scalar::new(), Simd::best(), Threads::new(const { NonZeroUsize::new(2).unwrap() }));

        for baseline in baselines {
            let mut rival = Simd::with(baseline.rival).expect("baselines are planned for units that are there");
            Ratio::measure(|| time(&mut rival), || baseline.time(name, RATIO_COUNT, 1, expected))
                .print(&format!("{name}: simd {} / {}", baseline.rival, baseline.name()), baseline.target);
        }
        if cores.get() >= 2 {
            Ratio::measure(|| time(&mut threads), || time(&mut simd))
                .print(&format!("{name}: threads 2 / simd"), Some(1.8));
        } else {
            println!("{name}: threads 2 / simd is left out: there is one core.");
        }
        Ratio::measure(|| time(&mut simd), || time(&mut scalar)).print(&format!("{name}: simd / scalar"), None);
    }
}
