//! The first screen: what ran, the table that people came for, what failed, the smallest counterexample, the limits of the run,
//! its time, and the verdict as the last line. At most 24 lines of 80 columns.
//!
//! Knows: the record. Must not: judge.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::judge::Judge;
use crate::domain::verdict::{Verdict, exit};
use crate::report::columns::{Column, lines};
use crate::report::offline::{per_mille, percentiles};
use crate::report::offline_record::{EngineRecord, EverywhereRecord, OfflineRecord};
use crate::report::record::{Check, LawsRecord, Part, PlantedOutcome, Record};
use crate::report::text::{Text, on, styled};
use crate::report::{bandwidth, codecs};

/// Lines of a screen, the prompt's not among them.
pub(super) const SCREEN: usize = 23;

/// Rows of a table that are shown.
const ROWS: usize = 10;

/// Lines that a replay command may take. A longer one is in the record, and behind `-v`.
const REPLAY: usize = 4;

impl Text {
    /// The first screen, after the board's table, if it was written already.
    pub(super) fn first_screen(&mut self, record: &Record) {
        self.what_ran(record);
        self.table(record);
        let last = |with_simulated: bool| {
            let mut last = Text::new(self.width());
            last.smallest(record);
            last.limits(record);
            last.took(record, with_simulated);
            last.verdict(record);
            last
        };
        let room = |last: &Text| SCREEN.saturating_sub(self.lines() + last.lines());
        // What failed comes before how fast the devices were.
        let fails = record.checks.iter().any(|check| check.verdict != Verdict::Holds);
        let last = Some(last(true)).filter(|last| !fails || room(last) > 3).unwrap_or_else(|| last(false));
        let room = room(&last);
        self.failures(record, room.max(1));
        self.out(&last.finish());
    }

    fn what_ran(&mut self, record: &Record) {
        // The board's table tells COUNT and SEED.
        let has_table = self.lines() > 0;
        let name = match &record.asked.scenario {
            Some(name) => name.clone(),
            None if has_table => String::new(),
            None => record.asked.trial.keys().title(),
        };
        let subjects: BTreeMap<String, Evidence> = match record.offline {
            Some(_) => BTreeMap::new(),
            None => {
                let on_trial = record.checks.iter().filter(|check| check.part != Part::Message);
                on_trial.flat_map(|check| check.subjects.clone()).collect()
            }
        };
        let of = match (&record.offline, &record.bandwidth) {
            (Some(offline), _) => world(offline),
            (_, Some(bandwidth)) => format!(": {}", bandwidth::world(bandwidth)),
            _ if record.codecs.is_some() => record.codecs.as_ref().map(codecs::ticks).unwrap_or_default(),
            _ if subjects.is_empty() => String::new(),
            _ if name.is_empty() => on(&subjects),
            _ => format!(" on {}", on(&subjects)),
        };
        self.paragraph("abench ", 2, &format!("{}: {name}{of}", record.abench));
        let (refused, planted) = record
            .controls
            .iter()
            .fold((0, 0), |(refused, wrong), control| (refused + control.refused, wrong + control.wrong));
        let of = |verdict| record.checks.iter().filter(|check| check.verdict == verdict).count();
        let [holds, inconclusive, falsified] =
            [Verdict::Holds, Verdict::Inconclusive, Verdict::Falsified].map(|verdict| (of(verdict), verdict));
        let counts: Vec<String> = [holds, falsified, inconclusive]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, verdict)| match verdict {
                Verdict::Holds if *count == 1 => "1 holds".to_owned(),
                Verdict::Holds => format!("{count} hold"),
                _ => format!("{count} {verdict}"),
            })
            .collect();
        let counts = if counts.is_empty() { "none made".to_owned() } else { counts.join(", ") };
        self.cut(&format!("checks: {counts}; planted wrong answers refused: {refused} of {planted}"));
    }

    /// The table that people came for, by the kind of trial.
    fn table(&mut self, record: &Record) {
        if let Some(offline) = &record.offline {
            self.engines(offline, record.interrupted);
        }
        if let Some(laws) = &record.laws {
            self.algebras(laws);
        }
        if let Some(bandwidth) = &record.bandwidth {
            self.bandwidth_screen(bandwidth);
        }
        if let Some(codecs) = &record.codecs {
            self.codecs_screen(codecs);
        }
        if record.interrupted {
            // What a walk covered is a part of nothing that anybody asked for.
            return;
        }
        if let Some(EverywhereRecord { sound, .. }) = &record.everywhere {
            let ends = if sound.complete { "all of them" } else { "not all of them" };
            self.cut(&format!(
                "  {} and {} in {} ways: {}, {ends}",
                counted(sound.crashes, "crash"),
                counted(sound.deliveries, "delivery"),
                sound.ways,
                counted(sound.states, "state")
            ));
        }
        for walk in &record.walks {
            self.cut(&format!("  {}: {} of {} schedules proved", walk.check, walk.proved, walk.of));
        }
        if record.bank_sweeps.is_empty() {
            self.ticks(&record.ticks);
        }
    }

    fn engines(&mut self, offline: &OfflineRecord, interrupted: bool) {
        let column = |head, rank, left| Column { head, rank, left };
        let columns = [
            column("engine", 0, true),
            column("verdict", 0, true),
            column("wrong", 0, false),
            column("bytes", 1, false),
            column("of full", 2, false),
            column("stale p99", 3, false),
            column("against it", 0, true),
        ];
        let row = |engine: &EngineRecord| {
            let share = engine
                .of_full_state_per_mille
                .filter(|_| !interrupted)
                .map_or("-".to_owned(), |share| format!("{} %", per_mille(share)));
            let [_, p99] = percentiles(&engine.staleness_ms);
            vec![
                engine.name.clone(),
                engine.verdict.to_string(),
                format!("{} of {}", engine.wrong_registers, offline.registers),
                format!("{} B", engine.up.total() + engine.down.total()),
                share,
                p99,
                against(engine),
            ]
        };
        let shown = worst(&offline.engines, |engine| (engine.verdict, engine.wrong_registers));
        let verdicts: Vec<Verdict> = shown.iter().map(|engine| engine.verdict).collect();
        let rows: Vec<Vec<String>> = shown.into_iter().map(row).collect();
        self.rows(&columns, &rows, &verdicts);
        self.more(offline.engines.len(), "engine");
        if let survivors @ 1.. = offline.mutants.iter().filter(|mutant| mutant.caught_by.is_empty()).count() {
            self.cut(&format!("  {} of {} survived", survivors, counted(offline.mutants.len(), "mutant")));
        }
    }

    fn algebras(&mut self, laws: &LawsRecord) {
        let column = |head, left| Column { head, rank: 0, left };
        let columns =
            [column("algebra", true), column("verdict", true), column("claimed", false), column("hold", false)];
        let names: Vec<&str> = laws.delivery.iter().map(|of| of.algebra.as_str()).collect();
        let claims = |name: &str| -> Vec<Verdict> {
            let claimed = laws.trials.iter().filter(|trial| trial.claimed && trial.algebra == name);
            claimed.map(|trial| trial.verdict).collect()
        };
        let verdict = |name: &&str| claims(name).into_iter().max().unwrap_or(Verdict::Holds);
        let shown = worst(&names, verdict);
        let verdicts: Vec<Verdict> = shown.iter().map(|name| verdict(name)).collect();
        let row = |name: &&str| {
            let claims = claims(name);
            let holds = claims.iter().filter(|verdict| **verdict == Verdict::Holds).count();
            vec![(*name).to_owned(), verdict(name).to_string(), claims.len().to_string(), holds.to_string()]
        };
        let rows: Vec<Vec<String>> = shown.into_iter().map(row).collect();
        self.rows(&columns, &rows, &verdicts);
        self.more(names.len(), "algebra");
    }

    /// Rows under their columns, the second of which is a verdict.
    fn rows(&mut self, columns: &[Column], rows: &[Vec<String>], verdicts: &[Verdict]) {
        let style = |place, cell: &str| {
            let verdict = verdicts.iter().find(|verdict| place == 1 && verdict.to_string() == cell);
            verdict.map_or(cell.to_owned(), |&verdict| styled(verdict))
        };
        lines(columns, rows, self.width(), style).iter().for_each(|line| self.line(line));
    }

    fn more(&mut self, all: usize, what: &str) {
        if all > ROWS {
            self.cut(&format!("  and {}, none worse (-vv shows all)", counted(all - ROWS, &format!("more {what}"))));
        }
    }

    /// Unmet expectations, planted faults that escaped, and failed checks, in at most `room` lines.
    fn failures(&mut self, record: &Record, room: usize) {
        let mut failures: Vec<String> = Vec::new();
        if let Some(reason) = &record.unavailable {
            failures.push(format!("unavailable   {reason}"));
        }
        if record.interrupted {
            failures.push(format!("interrupted   stopped by the user before the end; {}", how_far(record)));
        }
        failures
            .extend(record.causes.iter().map(|cause| format!("cause         {}: {}", cause.device, cause.sentence)));
        let expectation = record.expectation.iter().filter(|_| !record.interrupted);
        let unmet = expectation.flat_map(|expectation| &expectation.unmet);
        failures.extend(unmet.map(|unmet| format!("expectation   {unmet}")));
        let escaped = record.planted.iter().filter(|planted| planted.outcome != PlantedOutcome::Detected);
        failures.extend(escaped.map(|planted| format!("planted       {}: {}", planted.fault, planted.reason)));
        // What is against an engine stands in its row.
        let in_table = |check: &&Check| record.offline.is_some() && check.judge == Judge::World;
        let failed = record.checks.iter().filter(|check| check.verdict != Verdict::Holds && !in_table(check));
        failures.extend(failed.map(what_failed));
        if !record.reason.is_empty() && failures.is_empty() && record.verdict == Verdict::Inconclusive {
            failures.push(format!("inconclusive  {}", record.reason));
        }
        let shown = if failures.len() > room { room.saturating_sub(1).max(1) } else { failures.len() };
        failures.iter().take(shown).for_each(|failure| self.cut(failure));
        if failures.len() > shown && room > 1 {
            self.cut(&format!("and {} (-v shows all)", counted(failures.len() - shown, "more failure")));
        }
    }

    /// The smallest counterexample, and how it is replayed.
    fn smallest(&mut self, record: &Record) {
        let findings =
            record.checks.iter().flat_map(|check| check.findings.iter().map(move |finding| (check, finding)));
        let Some((check, finding)) = findings.min_by_key(|(_, finding)| finding.case.len()) else {
            return self.witness_of_laws(record);
        };
        self.cut(&format!("smallest counterexample, of {}: {}", check.name, finding.size));
        let command = format!("  abench replay {}", finding.case);
        if command.chars().count() <= REPLAY * self.width() {
            // A command that is pasted must not be broken by the report: the terminal wraps it.
            self.line(&command);
        } else {
            self.cut("  its replay command is long: -v prints it, and --record FILE keeps it");
        }
    }

    /// Of a law that is claimed and does not hold: the terms that show it.
    fn witness_of_laws(&mut self, record: &Record) {
        let trials = record.laws.iter().flat_map(|laws| &laws.trials);
        let mut falsified = trials.filter(|trial| trial.claimed && trial.verdict == Verdict::Falsified);
        let shown = falsified.find_map(|trial| {
            let widths = [("8", &trial.at_8_bits), ("64", &trial.at_64_bits)];
            widths.into_iter().find_map(|(bits, width)| Some((trial, bits, width.witness.as_ref()?)))
        });
        if let Some((trial, bits, witness)) = shown {
            let size = &witness.size;
            self.cut(&format!("counterexample, of {} at {bits} bits (-vv prints its terms): {size}", trial.name()));
        }
    }

    fn limits(&mut self, record: &Record) {
        let unseen: Vec<&String> = record.unseen.by_bank_sweep.iter().chain(&record.unseen.by_run).collect();
        if !unseen.is_empty() && !record.interrupted {
            self.cut(&format!("cannot see ({}, which -vv lists): {}", counted(unseen.len(), "limit"), unseen[0]));
        }
    }

    /// How long it took, and how fast subjects were.
    fn took(&mut self, record: &Record, with_simulated: bool) {
        let micros = record.timing.total_us;
        let mut told = vec![match micros {
            0..1_000_000 => format!("took {} ms", micros.div_ceil(1000)),
            _ => format!("took {}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
        }];
        let deltas = record.checks.iter().find_map(|check| check.orders.as_ref()).map(|orders| orders.deltas);
        let rates = record.timing.orders_ns.iter().filter(|(_, times)| times.count > 0 && times.p50 > 0);
        let rates: Vec<String> = deltas
            .filter(|&deltas| deltas >= 1000)
            .map(|deltas| rates.map(|(name, times)| format!("{name} {}", rate(deltas, times.p50))).collect())
            .unwrap_or_default();
        if !rates.is_empty() {
            told.push(format!("arrival orders, G deltas/s: {}", rates.join(", ")));
        }
        let simulated = simulated(record);
        if with_simulated && !simulated.is_empty() {
            told.push(format!("simulated M cycles/s: {}", simulated.join(", ")));
        }
        let deliveries = record.timing.deliveries;
        if let Some(per_second) = (deliveries.count * 1_000_000).checked_div(deliveries.us) {
            told.push(format!("{per_second} deliveries/s on one thread"));
        }
        self.paragraph("", 0, &told.join("; "));
    }

    /// The verdict, as the last line, and why the exit code is what it is where that is not clear from the verdict.
    pub(super) fn verdict(&mut self, record: &Record) {
        self.line(&verdict_line(record));
    }
}

/// How far an interrupted run came.
fn how_far(record: &Record) -> String {
    match record.asked.trial.keys().world() {
        Some(trial) => {
            let rows = record.offline.iter().flat_map(|offline| &offline.engines);
            let tried: Vec<&str> = rows.map(|row| row.name.as_str()).collect();
            let tried = if tried.is_empty() { "none".to_owned() } else { tried.join(", ") };
            format!("of the engines {}, tried to the end: {tried}", trial.engines.join(", "))
        }
        None => format!("{} made, and the others not", counted(record.checks.len(), "check")),
    }
}

/// The last line of every report.
pub(super) fn verdict_line(record: &Record) -> String {
    let (remark, code) = ending(record);
    format!("verdict {}{remark} (exit {code})", styled(record.verdict))
}

/// What is said with the verdict, and the exit code.
pub(super) fn ending(record: &Record) -> (String, u8) {
    let code = record.exit;
    let why = match (code, record.expectation.as_ref().map(|expectation| expectation.met)) {
        (exit::INTERRUPTED, _) => ": stopped by the user",
        (exit::INTERNAL, _) => ", but worth nothing: the harness contradicts itself",
        (exit::UNAVAILABLE, _) => ", as far as it went: a backend was unavailable",
        (_, Some(true)) if record.verdict != Verdict::Holds => ", as expected",
        (_, Some(false)) => ", and not all is as expected",
        _ => "",
    };
    let one_world = |check: &Check| {
        use crate::domain::verdict::Warrant;
        check.judge == Judge::World && matches!(check.warrant, Some(Warrant::Worlds { drawn: 0 }))
    };
    let doubt = if record.checks.iter().any(one_world) { ", k = 1 is no sample" } else { "" };
    (format!("{doubt}{why}"), code)
}

fn world(offline: &OfflineRecord) -> String {
    let OfflineRecord { evidence, clients, registers, edits, .. } = offline;
    format!(
        ": {}, {}, {} (evidence {evidence})",
        counted(clients, "client"),
        counted(registers, "register"),
        counted(edits, "edit")
    )
}

/// The worst of many, in the order in which they were.
fn worst<T, K: Ord>(all: &[T], badness: impl Fn(&T) -> K) -> Vec<&T> {
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by_key(|&place| std::cmp::Reverse(badness(&all[place])));
    places.truncate(ROWS);
    places.into_iter().collect::<BTreeSet<_>>().into_iter().map(|place| &all[place]).collect()
}

/// The judges that have something against an engine, or cannot tell.
fn against(engine: &EngineRecord) -> String {
    let of = |wanted: Verdict| {
        let judges = engine.oracles.iter().filter(move |(_, (verdict, _))| *verdict == wanted);
        judges.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    match engine.verdict {
        Verdict::Holds => String::new(),
        verdict => {
            let judges = of(verdict);
            let truth = judges.iter().find(|name| **name == "truth").or(judges.first());
            let more = if judges.len() > 1 { format!(" +{}", judges.len() - 1) } else { String::new() };
            truth.map_or(String::new(), |name| format!("{name}{more}"))
        }
    }
}

/// A check that failed: what failed, where, how.
fn what_failed(check: &Check) -> String {
    let guilty: BTreeSet<&str> = check.findings.iter().map(|finding| finding.subject.as_str()).collect();
    let guilty: Vec<&str> = guilty.into_iter().collect();
    let place = if guilty.is_empty() || check.part == Part::Replicas {
        String::new()
    } else {
        format!(" on {}", guilty.join(", "))
    };
    let what = check.findings.first().map_or(check.summary.clone(), |finding| {
        let more = check.findings.len() - 1;
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let wrong = how_many(&check.summary).map_or(String::new(), |wrong| format!("{wrong}; "));
        format!("{wrong}{}: {} {}, not {}{more}", finding.during, finding.quantity, finding.got, finding.expected)
    });
    format!("{:<14}{}{place}: {what}", check.verdict.to_string(), check.name)
}

/// "2 of 4 runs are wrong", where a check's summary begins so.
fn how_many(summary: &str) -> Option<&str> {
    let (counted, _) = summary.split_once(": ")?;
    let [wrong, "of", all, ..] = counted.split(' ').collect::<Vec<_>>()[..] else { return None };
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(wrong) && is_number(all)).then_some(counted)
}

/// Simulated cycles a second, of each device that simulated any for long enough to tell.
fn simulated(record: &Record) -> Vec<String> {
    let rates = record.timing.simulated.iter().filter_map(|(name, simulated)| {
        let per_second = u128::from(simulated.cycles) * 1_000_000 / u128::from(simulated.us.max(1));
        (simulated.us >= 1000).then(|| format!("{name} {}.{:02}", per_second / 1_000_000, per_second / 10_000 % 100))
    });
    rates.collect()
}

/// Deltas a nanosecond, with two decimals; a dash where no time was measured.
pub(super) fn rate(deltas: u64, nanoseconds: u64) -> String {
    match deltas.saturating_mul(100).checked_div(nanoseconds) {
        Some(hundredths) => format!("{}.{:02}", hundredths / 100, hundredths % 100),
        None => "-".to_owned(),
    }
}
