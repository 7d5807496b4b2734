//! Times of repeated runs against each other.
//!
//! Machines are noisy, and another program must not become a regression. A time is judged a regression only where all of
//! this holds:
//!
//! - both records keep five samples or more, of the same kind of host and the same kind of build;
//! - the 95 % interval of the ratio of medians lies wholly above the limit: see [`interval`](super::interval);
//! - the fastest sample of NEW is slower than the fastest of BASE by more than the limit, too. Other programs only ever add
//!   to a time, so that the fastest sample is the one with the least noise (Chen and Revels, "Robust benchmarking in noisy
//!   environments", 2016);
//! - the machine is not what got slower. Before and after every run a *yardstick* is timed, a piece of work that is always
//!   the same. Where its processor time grew, every limit grows by the same factor. Where it waited for the processor for
//!   more than a tenth of its time, in either record, other programs had the machine: then times by the clock on the wall
//!   are shown and not judged, and the processor time of the run stands alone, which does not count what others use.
//!
//! Times so short that the clock is coarse against them are left out.
//!
//! Knows: samples. Must not: measure.

use serde::Serialize;

use crate::report::comparison::facts::Kind;
use crate::report::comparison::interval::{FEWEST, Interval, median, ratio_of_medians};
use crate::report::comparison::{Direction, Move};
use crate::report::record::{Host, Record};
use crate::report::samples::{Sample, Yardstick};

/// How much of its time a yardstick may wait for the processor before wall-clock times are in doubt.
const WAITING: f64 = 0.10;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// Time on the wall, which other programs lengthen.
    Wall,
    /// Processor time of the process alone.
    Processor,
}

/// One measure over all samples of a record, in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What was timed.
    pub what: String,
    /// By which clock.
    pub clock: Clock,
    /// What is too short to be judged.
    floor: f64,
    /// One value a sample.
    pub nanoseconds: Vec<f64>,
}

/// A time against another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeRow {
    /// What was timed.
    pub what: String,
    /// By which clock.
    pub clock: Clock,
    /// The median of BASE, in nanoseconds.
    pub base_ns: f64,
    /// The median of NEW, in nanoseconds.
    pub new_ns: f64,
    /// NEW by BASE.
    pub ratio: Interval,
    /// The fastest sample of NEW by that of BASE.
    pub fastest: f64,
    /// Which way it moved, if it did and can be judged.
    pub direction: Option<Direction>,
}

/// What came of comparing times.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// Samples of BASE and NEW.
    pub samples: [usize; 2],
    /// Why times were not compared, where they were not.
    pub not_compared: Option<String>,
    /// What a reader should know of the machine, a sentence each.
    pub notes: Vec<String>,
    /// Every time that both have, and that is long enough to be judged.
    pub rows: Vec<TimeRow>,
    /// Times that both have and that are too short to be judged.
    pub too_short: Vec<String>,
}

impl Times {
    /// No times, for this reason.
    pub(super) fn none(reason: impl Into<String>) -> Self {
        Times { not_compared: Some(reason.into()), ..Times::default() }
    }

    /// The times that moved.
    pub(super) fn moves(&self) -> Vec<Move> {
        let moved = self.rows.iter().filter_map(|row| Some((row, row.direction?)));
        moved
            .map(|(row, direction)| Move {
                kind: Kind::Time,
                what: row.what.clone(),
                base: Some(shown(row.base_ns)),
                new: Some(shown(row.new_ns)),
                change: ratio(&row.ratio),
                direction,
            })
            .collect()
    }
}

/// A ratio with its interval, as reports show it.
pub(super) fn ratio(interval: &Interval) -> String {
    format!("x {:.2} ({:.2} to {:.2})", interval.value, interval.lower, interval.upper)
}

/// A time with three digits and its unit.
pub(super) fn shown(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ns if ns >= 1e9 => (ns / 1e9, "s"),
        ns if ns >= 1e6 => (ns / 1e6, "ms"),
        ns if ns >= 1e3 => (ns / 1e3, "us"),
        ns => (ns, "ns"),
    };
    match value {
        value if value >= 99.95 => format!("{value:.0} {unit}"),
        value if value >= 9.995 => format!("{value:.1} {unit}"),
        value => format!("{value:.2} {unit}"),
    }
}

/// The times of two records of the same trial.
pub(super) fn compare(base: &Record, new: &Record, slower_than: f64) -> Times {
    let samples = [base, new].map(|record| record.timing.samples.len());
    let [of_base, of_new] = samples;
    let none = |reason: String| Times { samples, ..Times::none(reason) };
    if samples.iter().any(|&samples| samples < FEWEST) {
        return none(format!(
            "BASE has {of_base} and NEW has {of_new} samples: run both with --samples {FEWEST} or more"
        ));
    }
    if let Some(difference) = other_host(&base.host, &new.host) {
        return none(format!("they are of other hosts: {difference}"));
    }
    let [of_base, of_new] = [base, new].map(|record| Machine::of(&record.timing.samples));
    let slower = of_base.slower_in(&of_new);
    let is_shared = [&of_base, &of_new].iter().any(|machine| machine.waiting > WAITING);
    let mut notes = Vec::new();
    if is_shared {
        notes.push(format!(
            "other programs had the processor, {:.0} % of the time in BASE and {:.0} % in NEW: wall-clock times are not \
             judged, processor time is",
            100.0 * of_base.waiting,
            100.0 * of_new.waiting
        ));
    }
    if !(0.95..=1.05).contains(&slower) {
        notes.push(format!("the machine itself took x {slower:.2} as long for the same work in NEW"));
    }
    let others = series(&new.timing.samples);
    let pairs = series(&base.timing.samples).into_iter().filter_map(|base| {
        let new = others.iter().find(|new| new.what == base.what && new.clock == base.clock)?;
        Some((base, new))
    });
    let (mut rows, mut too_short) = (Vec::new(), Vec::new());
    for (base, new) in pairs {
        if is_too_short(&base, new) {
            too_short.push(base.what);
        } else {
            rows.extend(row(&base, new, slower_than, slower, is_shared));
        }
    }
    Times { samples, not_compared: None, notes, rows, too_short }
}

/// What differs between two hosts, if anything does.
fn other_host(base: &Host, new: &Host) -> Option<String> {
    let Host { os, arch, simd, threads, processor, build } = base;
    let said = |what: &str, base: &str, new: &str| format!("{what} is {base} in BASE and {new} in NEW");
    let pairs = [
        ("the system", os, &new.os),
        ("the architecture", arch, &new.arch),
        ("the processor", processor, &new.processor),
        ("the vector unit", simd, &new.simd),
        ("the build", build, &new.build),
    ];
    let text = pairs.iter().find(|(_, base, new)| base != new).map(|(what, base, new)| said(what, base, new));
    let number = || {
        (*threads != new.threads).then(|| said("the number of threads", &threads.to_string(), &new.threads.to_string()))
    };
    text.or_else(number)
}

/// What yardsticks tell of a machine.
struct Machine {
    /// The part of its time in which a yardstick waited for the processor.
    waiting: f64,
    /// The processor time of a yardstick, where the system tells.
    work: Option<f64>,
}

impl Machine {
    fn of(samples: &[Sample]) -> Machine {
        let yardsticks = || samples.iter().flat_map(|sample| sample.yardstick);
        let work: Option<Vec<f64>> = yardsticks().map(|yardstick| Some(yardstick.processor_ns? as f64)).collect();
        let wall: f64 = yardsticks().map(|Yardstick { wall_ns, .. }| wall_ns as f64).sum();
        let waiting = work.as_ref().filter(|_| wall > 0.0).map_or(0.0, |work| 1.0 - work.iter().sum::<f64>() / wall);
        Machine { waiting: waiting.max(0.0), work: work.map(|work| median(&work)).filter(|&work| work > 0.0) }
    }

    /// How many times as long the same work took elsewhere.
    fn slower_in(&self, other: &Machine) -> f64 {
        self.work.zip(other.work).map_or(1.0, |(here, there)| there / here)
    }
}

fn is_too_short(base: &Series, new: &Series) -> bool {
    [base, new].into_iter().all(|series| median(&series.nanoseconds) < base.floor)
}

fn row(base: &Series, new: &Series, slower_than: f64, machine: f64, is_shared: bool) -> Option<TimeRow> {
    let [base_ns, new_ns] = [base, new].map(|series| median(&series.nanoseconds));
    let ratio = ratio_of_medians(&base.nanoseconds, &new.nanoseconds)?;
    let least = |series: &Series| series.nanoseconds.iter().copied().fold(f64::INFINITY, f64::min);
    let fastest = least(new) / least(base);
    // A machine that got slower excuses a slower run, and one that got faster takes the credit for a faster one.
    let (slow, fast) = (slower_than * machine.max(1.0), machine.min(1.0) / slower_than);
    let direction = match ratio {
        _ if is_shared && base.clock == Clock::Wall => None,
        Interval { lower, .. } if lower > slow && fastest > slow => Some(Direction::Worse),
        Interval { upper, .. } if upper < fast && fastest < fast => Some(Direction::Better),
        _ => None,
    };
    Some(TimeRow { what: base.what.clone(), clock: base.clock, base_ns, new_ns, ratio, fastest, direction })
}

/// A single time that is shorter, in nanoseconds, says more of the clock than of the run.
const SINGLE: f64 = 1e6;

/// The same of an average of many.
const OF_MANY: f64 = 1e3;

/// Both in words.
pub(super) const FLOORS: &str = "less than 1 ms, or 1 us where a time is the average of many";

/// The measures that every sample has.
pub fn series(samples: &[Sample]) -> Vec<Series> {
    let Some(first) = samples.first() else { return Vec::new() };
    let of = |what: String, clock, floor, value: &dyn Fn(&Sample) -> Option<f64>| {
        let nanoseconds: Option<Vec<f64>> = samples.iter().map(value).collect();
        Some(Series { what, clock, floor, nanoseconds: nanoseconds? })
    };
    let micros = |us: u64| us as f64 * 1e3;
    let mut all = vec![
        of("the whole run, processor time".to_owned(), Clock::Processor, SINGLE, &|sample| {
            sample.processor_us.map(micros)
        }),
        of("the whole run".to_owned(), Clock::Wall, SINGLE, &|sample| Some(micros(sample.total_us))),
    ];
    for (place, (check, _)) in first.checks_us.iter().enumerate() {
        let time = |sample: &Sample| {
            let (name, us) = sample.checks_us.get(place)?;
            (name == check).then(|| micros(*us))
        };
        all.push(of(format!("check {check}"), Clock::Wall, SINGLE, &time));
    }
    for subject in first.orders_ns.keys() {
        let time = |sample: &Sample| sample.orders_ns.get(subject).map(|&ns| ns as f64);
        all.push(of(format!("an arrival order on {subject}"), Clock::Wall, OF_MANY, &time));
    }
    for device in first.round_trips_ns.keys() {
        let time = |sample: &Sample| sample.round_trips_ns.get(device).map(|&ns| ns as f64);
        all.push(of(format!("a register round trip on {device}"), Clock::Wall, OF_MANY, &time));
    }
    if first.deliveries.count > 0 {
        let time = |sample: &Sample| {
            let is_timed = sample.deliveries.count > 0 && micros(sample.deliveries.us) >= SINGLE;
            is_timed.then(|| micros(sample.deliveries.us) / sample.deliveries.count as f64)
        };
        all.push(of("a delivery between replicas".to_owned(), Clock::Wall, 0.0, &time));
    }
    all.into_iter().flatten().collect()
}
