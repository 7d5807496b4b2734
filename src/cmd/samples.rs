//! `--samples N`: a trial run again and again, for its times.
//!
//! Every run opens its backends anew, so that no run knows of the one before. The record is that of the first run; its
//! `timing` keeps the times of those after it. Runs of one version must find the same: where they do not, the record says so.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use crate::campaign::{Plan, replay};
use crate::cmd::{Failure, Ran};
use crate::domain::count::counted;
use crate::domain::verdict::Verdict;
use crate::report::record::{Latencies, Record};
use crate::report::samples::{Sample, Yardstick};
use crate::subject::Backend;

/// A number of runs.
pub fn parse_samples(text: &str) -> Result<NonZeroU32, String> {
    let number = text.parse::<NonZeroU32>().ok().filter(|number| number.get() <= 1000);
    number.ok_or_else(|| format!("'{text}' is not a number of runs; allowed are whole numbers from 1 to 1000"))
}

/// Runs a trial as often as is asked for. Without a number, once, and no sample is kept.
pub(super) fn repeated(
    plan: &Plan,
    samples: Option<NonZeroU32>,
    mut once: impl FnMut() -> Result<Ran, Failure>,
) -> Result<Ran, Failure> {
    let Some(runs) = samples.map(NonZeroU32::get) else { return once() };
    let (mut first, mut kept): (Option<Ran>, Vec<Sample>) = (None, Vec::new());
    // The first run warms up: what a process computes once, it computes there. Its record counts, and its times do not.
    for run in 0..=runs {
        let (before, start) = (yardstick(), processor_time());
        let mut ran = once()?;
        let spent = processor_time().zip(start).map(|(end, start)| end.saturating_sub(start));
        if ran.record.interrupted || ran.record.unavailable.is_some() || ran.record.internal_error().is_some() {
            ran.record.timing.samples = kept;
            return Ok(ran);
        }
        if run > 0 {
            kept.push(sample(&ran.record, spent, [before, yardstick()]));
        }
        let is_linked = plan.backends.iter().any(Backend::is_linked);
        match &mut first {
            None => first = Some(ran),
            Some(first) => {
                if let Some(told) = disagreement(&first.record, &ran.record, run + 1) {
                    doubt(&mut first.record, told, is_linked);
                    break;
                }
            }
        }
    }
    let mut first = first.expect("there is at least one run");
    first.record.timing.samples = kept;
    Ok(first)
}

/// What another run found otherwise than the first, if anything.
fn disagreement(first: &Record, other: &Record, run: u32) -> Option<String> {
    let differences = replay::differences(first, other);
    let shown = differences.first()?;
    let number = counted(differences.len(), "value");
    Some(format!("run {run} of the same trial found {number} otherwise than run 1, such as {shown}"))
}

/// Over a link, what does not come again may be the link's doing. Without one, abench contradicts itself.
fn doubt(record: &mut Record, told: String, is_linked: bool) {
    if !is_linked {
        record.contradiction = Some(told.clone());
    }
    if !is_linked || record.verdict != Verdict::Falsified {
        record.verdict = Verdict::Inconclusive;
        record.reason = told;
    }
    // What was expected was expected of runs that agree.
    if let Some(expectation) = &mut record.expectation {
        expectation.met = false;
        expectation.unmet.push("runs of the same trial did not agree".to_owned());
    }
    record.exit = record.outcome().exit_code();
}

fn sample(record: &Record, spent: Option<Duration>, yardstick: [Yardstick; 2]) -> Sample {
    let timing = &record.timing;
    let middle = |(name, times): (&String, &Latencies)| (times.count > 0).then(|| (name.clone(), times.p50));
    Sample {
        total_us: timing.total_us,
        processor_us: spent.map(|spent| spent.as_micros() as u64),
        checks_us: timing.checks_us.clone(),
        orders_ns: timing.orders_ns.iter().filter_map(middle).collect(),
        round_trips_ns: timing.round_trips_ns.iter().filter_map(middle).collect(),
        deliveries: timing.deliveries,
        yardstick,
    }
}

/// Times a fixed piece of work: xorshift, which needs no memory and cannot be shortened.
fn yardstick() -> Yardstick {
    /// About 4 ms of a processor of 2026 in a release build.
    const STEPS: u32 = 4_000_000;
    let (start, spent) = (Instant::now(), thread_time());
    let word = (0..STEPS).fold(0x9E37_79B9_7F4A_7C15u64, |mut word, _| {
        word ^= word << 13;
        word ^= word >> 7;
        word ^ (word << 17)
    });
    black_box(word);
    let spent = thread_time().zip(spent).map(|(end, start)| end.saturating_sub(start));
    let (wall, spent) = (start.elapsed(), spent.map(|spent| spent.as_nanos() as u64));
    Yardstick { wall_ns: wall.as_nanos() as u64, processor_ns: spent }
}

#[cfg(unix)]
fn clock(id: rustix::time::ClockId) -> Option<Duration> {
    Duration::try_from(rustix::time::clock_gettime(id)).ok()
}

/// Processor time of all threads of this process, those that have ended included.
#[cfg(unix)]
fn processor_time() -> Option<Duration> {
    clock(rustix::time::ClockId::ProcessCPUTime)
}

#[cfg(unix)]
fn thread_time() -> Option<Duration> {
    clock(rustix::time::ClockId::ThreadCPUTime)
}

#[cfg(not(unix))]
fn processor_time() -> Option<Duration> {
    None
}

#[cfg(not(unix))]
fn thread_time() -> Option<Duration> {
    None
}
