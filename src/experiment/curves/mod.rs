//! What a sync takes along curves: as more registers change, amounts grow, more clients write, histories get longer. Each
//! engine is measured at every point, beside the information bound and the full state, and asked at every sync whether all
//! replicas show what their users did. A job is an engine.

mod baselines;
mod measured;
mod places;
mod section;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::domain::curves::{Axis, CurvesTrial, Point};
use crate::domain::evidence::Evidence;
use crate::domain::fault::{Fault, FaultClass};
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Stream;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::engine::port::EngineError;
use crate::engine::{self, Open, Registration};
use crate::experiment::answers::Answers;
use crate::experiment::claims::{self, MESSAGE};
use crate::experiment::control::{Control, Show, Shown};
use crate::experiment::jobs::Inner;
use crate::experiment::valid::Passed;
use crate::experiment::{Bench, Changes, Experiment, NoEffect, took};
use crate::report::curves_record::{ArrivalRecord, CurveRecord, CurveRow, CurvesRecord, PointRecord};
use crate::report::record::{Check, ClaimRecord, Part, Record, Unseen};
use crate::subject::Subjects;

/// The most ticks of history, of time away, and writers, of an engine in a process: each edit is a line to it and back.
const OF_PROCESSES: (u32, u32, u32) = (100, 30, 8);

/// Ticks of two writers before a client arrives that lacks what it had.
const BEFORE_ARRIVAL: u32 = 100;

/// What the check of an engine is called.
fn name_of(engine: &str) -> String {
    format!("curves of {engine}")
}

/// Everything that was measured of an engine.
#[derive(Serialize, Deserialize)]
struct Measured {
    /// By curve and point.
    rows: Vec<(Axis, u32, CurveRow)>,
    arrival: ArrivalRecord,
    took: Duration,
}

impl Experiment for CurvesTrial {
    /// Refuses engines that are unknown.
    fn refuse(&self) -> Result<(), String> {
        engine::check_timeless(&self.engines)
    }

    fn judges(&self) -> &'static [Judge] {
        &[Judge::Curves, Judge::Expectation]
    }

    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect> {
        let bounds = ["--budget", "--memory", "--orders"];
        changes.refuse(&bounds, "is about arrival orders, and a trial of curves has none")?;
        self.seed = changes.seed.unwrap_or(self.seed);
        if !changes.engines.is_empty() {
            self.engines.clone_from(&changes.engines);
        }
        Ok(())
    }

    fn no_backend(&self) -> Option<&'static str> {
        Some("a trial of curves is one of engines")
    }

    fn answers(&self) -> Answers {
        let engines = engine::asked(&self.engines).map(|engine| name_of(engine.name));
        let checks = engines.chain([places::NAME.to_owned()]).collect();
        Answers { checks, ..Answers::default() }
    }

    fn no_fault(&self, _fault: Fault) -> Option<&'static str> {
        Some("a trial of curves has no device")
    }

    fn run(&self, _passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError> {
        let Bench { jobs, record, watch, .. } = bench;
        let asked = engine::asked(&self.engines).enumerate();
        let ours: Vec<&'static Registration> =
            asked.filter(|(place, _)| jobs.takes(*place)).map(|(_, engine)| engine).collect();
        watch.begin("curves", ours.len() as u64);
        watch.unit("engines");
        let id = |engine: &&'static Registration| name_of(engine.name);
        let tried = jobs.run(&ours, id, watch, |engine, watch| measured(self, engine, &mut Inner(watch)));
        watch.end();
        if jobs.is_part() {
            return tried.failed.map_or(Ok(()), Err);
        }
        let mut section = section(self);
        for Measured { rows, mut arrival, took: time } in tried.of {
            for (axis, x, row) in rows {
                let curve =
                    section.curves.iter_mut().find(|curve| curve.axis == axis).expect("it is a curve of the trial");
                let point = curve.points.iter_mut().find(|point| point.x == x).expect("it is a point of the curve");
                point.rows.push(row);
            }
            let against = against(&section, &arrival);
            arrival.verdict = if against.is_none() { Verdict::Holds } else { Verdict::Falsified };
            let check = check(&section, &arrival, against);
            took(record, &check.name, time);
            record.checks.push(check);
            section.arrivals.push(arrival);
        }
        let start = Instant::now();
        section.places = places::all(self.seed);
        record.checks.push(places::check(&section.places));
        took(record, places::NAME, start.elapsed());
        record.curves = Some(section);
        tried.failed.map_or(Ok(()), Err)
    }

    /// That what is sent can be decoded, by every check that holds.
    fn claims(&self, record: &Record, _subjects: &Subjects) -> Vec<ClaimRecord> {
        vec![claims::claim(FaultClass::WrongMessage, MESSAGE, &record.checks, &|check| check.part == Part::Message)]
    }

    fn unseen(&self, _record: &Record, _subjects: &Subjects) -> Unseen {
        let by_run = [
            "Registers and amounts are drawn evenly: a real workload may suit an engine better or worse.",
            "Connections are never cut, and lose nothing: what faults cost, worlds measure.",
            "Counters start at 0: an engine that sends values is better off here than where they are large.",
            "Headers of TCP, IP, TLS and HTTP are not counted: every engine's messages need them.",
        ];
        Unseen { by_bank_sweep: Vec::new(), by_run: by_run.map(str::to_owned).to_vec() }
    }
}

fn stream_of(trial: &CurvesTrial, axis: Axis) -> Stream {
    trial.seed.stream("curves").member(axis as u64)
}

/// The record without engines.
fn section(trial: &CurvesTrial) -> CurvesRecord {
    let of_curve = |(axis, points): (Axis, Vec<Point>)| {
        let seed = stream_of(trial, axis);
        let of_point = |point: Point| {
            let baselines::Baselines { bound_tenths, full_state, zstd, zstd_patch } =
                baselines::of(point, trial.samples, &seed);
            PointRecord { x: point.x, bound_tenths, full_state, zstd, zstd_patch, rows: Vec::new() }
        };
        CurveRecord { axis, points: points.into_iter().map(of_point).collect() }
    };
    CurvesRecord {
        registers: trial.registers,
        changed: trial.changed,
        most: trial.most,
        samples: trial.samples,
        evidence: Evidence::Software,
        curves: trial.curves().into_iter().map(of_curve).collect(),
        places: Vec::new(),
        arrivals_after: BEFORE_ARRIVAL.min(trial.history),
        arrivals: Vec::new(),
    }
}

/// Measures an engine at every point that it takes part in.
fn measured(
    trial: &CurvesTrial,
    engine: &'static Registration,
    watch: &mut dyn Watch,
) -> Result<Measured, SubjectError> {
    let start = Instant::now();
    let mut rows = Vec::new();
    let mut arrival = ArrivalRecord {
        engine: engine.name.to_owned(),
        new: 0,
        wiped: 0,
        set_back: None,
        idle: 0,
        wrong: 0,
        verdict: Verdict::Inconclusive,
        failed: None,
    };
    match measure(trial, engine, (&mut rows, &mut arrival), watch) {
        Ok(()) => {}
        Err(Broken::Stopped) => return Err(SubjectError::Interrupted),
        Err(Broken::Engine(EngineError::Unavailable(why))) => return Err(SubjectError::Unavailable(why)),
        Err(Broken::Engine(error)) if engine.foreign => arrival.failed = Some(error.to_string()),
        Err(Broken::Engine(error)) => {
            return Err(SubjectError::Internal(format!("the curves of {}: {error}", engine.name)));
        }
    }
    Ok(Measured { rows, arrival, took: start.elapsed() })
}

/// Why an engine was not measured to the end.
enum Broken {
    Stopped,
    Engine(EngineError),
}

impl From<EngineError> for Broken {
    fn from(error: EngineError) -> Self {
        if error == EngineError::Interrupted { Broken::Stopped } else { Broken::Engine(error) }
    }
}

fn measure(
    trial: &CurvesTrial,
    engine: &'static Registration,
    (rows, arrival): (&mut Vec<(Axis, u32, CurveRow)>, &mut ArrivalRecord),
    watch: &mut dyn Watch,
) -> Result<(), Broken> {
    for (axis, points) in trial.curves() {
        let seed = stream_of(trial, axis);
        for point in points.into_iter().filter(|point| takes_part(engine, point)) {
            if watch.stop_requested() {
                return Err(Broken::Stopped);
            }
            rows.push((axis, point.x, measured::row(engine, point, trial.samples, &seed)?));
        }
    }
    let base = Point {
        x: 0,
        registers: trial.registers,
        changed: trial.changed,
        most: trial.most.into(),
        writers: 2,
        overlap: 50,
        history: BEFORE_ARRIVAL.min(trial.history),
        away: 1,
    };
    let seed = trial.seed.stream("arrivals");
    let measured::Arrivals { new, wiped, set_back, idle, wrong } = measured::arrivals(engine, base, &seed)?;
    (arrival.new, arrival.wiped, arrival.set_back, arrival.idle, arrival.wrong) = (new, wiped, set_back, idle, wrong);
    Ok(())
}

/// Whether an engine is measured at a point: one in a process is not where the point has too many edits, and none where it
/// says that it does not keep such numbers.
fn takes_part(engine: &Registration, point: &Point) -> bool {
    let (history, away, writers) = OF_PROCESSES;
    match engine.open {
        Open::Function(_) => true,
        Open::Started(_) => {
            let is_small = point.history <= history && point.away <= away && point.writers <= writers;
            is_small && (point.most < 1 << 40 || engine.keeps_all_numbers())
        }
    }
}

/// What there is against an engine, if there is something: wrong registers, a failure, or fewer bytes than the bound.
fn against(section: &CurvesRecord, arrival: &ArrivalRecord) -> Option<String> {
    if let Some(why) = &arrival.failed {
        return Some(format!("it failed: {why}"));
    }
    let points = section.curves.iter().flat_map(|curve| curve.points.iter().map(move |point| (curve.axis, point)));
    let rows: Vec<(Axis, &PointRecord, &CurveRow)> = points
        .flat_map(|(axis, point)| point.rows.iter().map(move |row| (axis, point, row)))
        .filter(|(_, _, row)| row.engine == arrival.engine)
        .collect();
    if let Some((axis, point, row)) = rows.iter().find(|(_, _, row)| row.wrong > 0) {
        let places = rows.iter().filter(|(_, _, row)| row.wrong > 0).count();
        return Some(format!(
            "{} of {} registers are wrong at {} {}, and some at {places} of {} points",
            row.wrong,
            section.registers,
            point.x,
            axis.unit(),
            rows.len()
        ));
    }
    if let Some((axis, point, row)) = rows.iter().find(|(_, point, row)| is_under_bound(point, row)) {
        return Some(format!(
            "{} B at {} {} lie under the information bound, below which no messages can be on average",
            row.total(),
            point.x,
            axis.unit()
        ));
    }
    (arrival.wrong > 0)
        .then(|| format!("{} registers are wrong after a client came new, wiped or set back", arrival.wrong))
}

/// Whether a row has fewer bytes than the bound. The bound is that of another sync of the same kind: a twentieth is what they
/// differ by.
fn is_under_bound(point: &PointRecord, row: &CurveRow) -> bool {
    20 * 10 * row.total() < 19 * point.bound_tenths
}

fn check(section: &CurvesRecord, arrival: &ArrivalRecord, against: Option<String>) -> Check {
    let points: usize = section.curves.iter().map(|curve| curve.points.len()).sum();
    let at = section.curves.iter().flat_map(|curve| &curve.points).flat_map(|point| &point.rows);
    let at = at.filter(|row| row.engine == arrival.engine).count();
    let verdict = arrival.verdict;
    Check {
        name: name_of(&arrival.engine),
        part: Part::Message,
        judge: Judge::Curves,
        subjects: BTreeMap::from([(arrival.engine.clone(), section.evidence)]),
        verdict,
        oracles: BTreeMap::from([(OracleId::Truth, verdict)]),
        summary: against.unwrap_or_else(|| {
            format!(
                "all replicas show what their users did after each of {} syncs at {at} of {points} points",
                at as u32 * section.samples
            )
        }),
        warrant: None,
        orders: None,
        tries: vec![FaultClass::WrongMessage],
        findings: Vec::new(),
    }
}

/// What is planted for the judge of curves.
pub const CONTROLS: &[Control] = &[Control {
    judge: Judge::Curves,
    planted: "a register wrong at one point, or after an arrival; fewer bytes than the bound; an engine that failed; a \
              difference of two sets that was not found",
    show: Show::Alone(show),
}];

fn show() -> Shown {
    #[derive(Clone, Copy)]
    enum Planted {
        Nothing,
        WrongAtAPoint,
        WrongAfterAnArrival,
        UnderTheBound,
        Failed,
        NotFound,
    }
    let wrong = [
        Planted::WrongAtAPoint,
        Planted::WrongAfterAnArrival,
        Planted::UnderTheBound,
        Planted::Failed,
        Planted::NotFound,
    ];
    Shown::of(Planted::Nothing, wrong, |planted| {
        let mut row =
            CurveRow { engine: "control".to_owned(), up: 60, down: 0, wrong: 0, hub_stores: 0, client_stores: 0 };
        let mut arrival = ArrivalRecord {
            engine: "control".to_owned(),
            new: 1,
            wiped: 1,
            set_back: None,
            idle: 1,
            wrong: 0,
            verdict: Verdict::Inconclusive,
            failed: None,
        };
        match planted {
            Planted::Nothing => {}
            Planted::WrongAtAPoint => row.wrong = 1,
            Planted::WrongAfterAnArrival => arrival.wrong = 1,
            Planted::UnderTheBound => row.up = 20,
            Planted::Failed => arrival.failed = Some("it ended".to_owned()),
            Planted::NotFound => return places::planted(),
        }
        let point =
            PointRecord { x: 1, bound_tenths: 396, full_state: 2048, zstd: 900, zstd_patch: 90, rows: vec![row] };
        let section = CurvesRecord {
            registers: 256,
            changed: 20,
            most: 1000,
            samples: 1,
            evidence: Evidence::Software,
            curves: vec![CurveRecord { axis: Axis::History, points: vec![point] }],
            places: Vec::new(),
            arrivals_after: 1,
            arrivals: Vec::new(),
        };
        if against(&section, &arrival).is_none() { Verdict::Holds } else { Verdict::Falsified }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;
    use crate::domain::watch::Unwatched;

    fn trial() -> CurvesTrial {
        CurvesTrial {
            seed: Seed::new(7),
            registers: 64,
            changed: 5,
            most: 100,
            history: 10,
            samples: 2,
            axes: vec![Axis::Writers, Axis::Away],
            engines: Vec::new(),
        }
    }

    fn of(name: &str) -> Measured {
        measured(&trial(), engine::find(name).expect("an engine"), &mut Unwatched).expect("nobody stops it")
    }

    #[test]
    fn the_reference_is_right_at_every_point_and_takes_no_fewer_bytes_than_the_bound() {
        let Measured { rows, arrival, .. } = of("delta-state");
        assert_eq!(rows.len(), 11);
        assert!(rows.iter().all(|(_, _, row)| row.wrong == 0), "{:?}", rows.iter().map(|(_, x, row)| (x, row.wrong)));
        assert_eq!((arrival.wrong, arrival.failed), (0, None));
        let section = section(&trial());
        for (axis, x, row) in &rows {
            let curve = section.curves.iter().find(|curve| curve.axis == *axis).expect("a curve");
            let point = curve.points.iter().find(|point| point.x == *x).expect("a point");
            assert!(!is_under_bound(point, row), "{axis} {x}: {} B of {}", row.total(), point.bound_tenths);
        }
    }

    #[test]
    fn an_engine_that_keeps_the_last_writer_is_wrong_where_several_write() {
        let Measured { rows, .. } = of("lww-arrival");
        let wrong = |axis, x| {
            let row = rows.iter().find(|(of, at, _)| (*of, *at) == (axis, x)).expect("a row");
            row.2.wrong
        };
        assert_eq!(wrong(Axis::Writers, 1), 0);
        assert!(wrong(Axis::Writers, 4) > 0);
    }
}
