//! The first screen of a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::count::counted;
use crate::domain::curves::Axis;
use crate::domain::evidence::Evidence;
use crate::domain::judge::Judge;
use crate::domain::shown::{hundredths, percent, ratio, took};
use crate::domain::verdict::Verdict;
use crate::report::bandwidth_record::BandwidthRecord;
use crate::report::board_table;
use crate::report::codecs_record::CodecsRecord;
use crate::report::document::section::{bandwidth, codecs, counterexamples, curves, orders, staleness, ticks, verdict};
use crate::report::document::{Cell, Column, Detail, Judgement, Report, Table, run};
use crate::report::first_screen::{elsewhere, replay, room};
use crate::report::format::text::{Shown, Text};
use crate::report::offline_record::{EngineRecord, EverywhereRecord, OfflineRecord};
use crate::report::record::{Asked, Check, LawsRecord, Part, PlantedOutcome, Record};

/// Rows of a table that are shown.
const ROWS: usize = 10;

/// Rows of engines of a bandwidth report. Forms of the whole state, and the bound, come besides.
const ENGINES: usize = 3;

/// Lines that a replay command may take. A longer one is in the record, and behind `-v`.
const REPLAY: usize = 4;

impl Shown for Record {
    fn report(&self, file: &str, again: Option<&str>) -> Report {
        run::report(self, file, again)
    }

    fn judgement(&self) -> Judgement {
        verdict::judgement(self)
    }

    fn screen(&self, text: &mut Text, detail: Detail) {
        Screen { text, detail }.of(self);
    }

    fn board_table(&self) -> Option<String> {
        let sweep = self.bank_sweeps.first()?;
        let device = self.devices.iter().find(|device| device.name == sweep.device)?;
        Some(board_table::render(device, sweep, self.outcome().board()))
    }
}

struct Screen<'a> {
    text: &'a mut Text,
    detail: Detail,
}

impl Screen<'_> {
    fn of(&mut self, record: &Record) {
        self.what_ran(record);
        self.table(record);
        let last = |with_simulated: bool| {
            let mut text = Text::new(self.text.width());
            let mut last = Screen { text: &mut text, detail: self.detail };
            last.smallest(record);
            last.limits(record);
            last.took(record, with_simulated);
            text
        };
        // What failed comes before how fast the devices were.
        let fails = record.checks.iter().any(|check| check.verdict != Verdict::Holds);
        let whole = Some(last(true)).filter(|last| !fails || room(self.text, last, self.detail) > 3);
        let last = whole.unwrap_or_else(|| last(false));
        let room = room(self.text, &last, self.detail);
        self.failures(record, room.max(1));
        self.text.append(last);
    }

    fn what_ran(&mut self, record: &Record) {
        let has_table = self.text.has_board_table();
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
            _ if record.curves.is_some() => record.curves.as_ref().map(curves::what).unwrap_or_default(),
            _ if record.codecs.is_some() => record.codecs.as_ref().map(codecs::ticks).unwrap_or_default(),
            _ if subjects.is_empty() => String::new(),
            _ if name.is_empty() => verdict::on(&subjects),
            _ => format!(" on {}", verdict::on(&subjects)),
        };
        self.text.paragraph("abench ", 2, &format!("{}: {name}{of}", record.abench));
        let (refused, planted) = verdict::refused(record);
        let counts = verdict::counts(&record.checks);
        self.text.paragraph("", 0, &format!("checks: {counts}; planted wrong answers refused: {refused} of {planted}"));
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
            self.bandwidth(bandwidth);
        }
        if let Some(codecs) = &record.codecs {
            self.codecs(&record.asked, codecs);
        }
        if let Some(of) = &record.curves {
            let first = of.curves.iter().find(|curve| curve.axis == Axis::Density).or(of.curves.first());
            if let Some(curve) = first {
                self.text.fitted(&curves::table(of, curve, ROWS));
            }
            let (left, place) = (of.curves.len().saturating_sub(1), elsewhere(self.detail, Detail::All));
            let more = counted(left, "more curve");
            self.text.cut(&format!("  and {more}, and what a new, wiped or set-back client pays ({place})"));
        }
        if record.interrupted {
            // What a walk covered is a part of nothing that anybody asked for.
            return;
        }
        if let Some(EverywhereRecord { sound, .. }) = &record.everywhere {
            let ends = if sound.complete { "all of them" } else { "not all of them" };
            self.text.cut(&format!(
                "  {} and {} in {} ways: {}, {ends}",
                counted(sound.crashes, "crash"),
                counted(sound.deliveries, "delivery"),
                sound.ways,
                counted(sound.states, "state")
            ));
        }
        if !record.deliveries.is_empty() {
            let shown = worst(&record.deliveries, |row| row.verdict);
            self.text.fitted(&orders::deliveries(&shown));
            self.more(record.deliveries.len(), "engine");
        }
        for walk in &record.walks {
            self.text.cut(&format!("  {}: {} of {} schedules proved", walk.check, walk.proved, walk.of));
        }
        if let Some(table) = ticks::table(&record.ticks).filter(|_| record.bank_sweeps.is_empty()) {
            self.text.fitted(&table);
        }
    }

    fn bandwidth(&mut self, record: &BandwidthRecord) {
        self.text.paragraph("", 0, &bandwidth::answer(record).join(" "));
        let rows = bandwidth::in_order(record);
        let shown = bandwidth::first_of(&rows, ENGINES);
        // Who gets something wrong is told by the number of wrong records, and the time on the link by a sentence.
        let table = bandwidth::table(record, &shown).without("verdict").without(bandwidth::ON_LINK);
        self.text.fitted(&table);
        if shown.len() < rows.len() {
            let left = counted(rows.len() - shown.len(), "more engine");
            self.text.cut(&format!("  and {left}, all wrong or dearer ({})", elsewhere(self.detail, Detail::All)));
        }
        self.text.paragraph("", 2, &bandwidth::scaled(record));
        let told = [bandwidth::empty(record), bandwidth::unknown(record)];
        told.iter().flatten().for_each(|sentence| self.text.cut(&format!("  {sentence}")));
        // The terminal wraps it, so that it can be pasted.
        let again = record.again.as_deref().unwrap_or("abench replay RECORD, or the scenario's file");
        self.text.line(&format!("  {again}"));
    }

    /// The engines that were asked for by name, and the smallest messages.
    fn codecs(&mut self, asked: &Asked, record: &CodecsRecord) {
        let names: Vec<&str> =
            asked.trial.keys().engines().iter().map(|text| text.split('=').next().unwrap_or(text)).collect();
        let (mut rows, others): (Vec<_>, Vec<_>) =
            codecs::in_order(record).into_iter().partition(|row| names.contains(&row.name.as_str()));
        rows.extend(others);
        let shown = &rows[..rows.len().min(ROWS)];
        self.text.fitted(&codecs::table(record, shown));
        if shown.len() < rows.len() {
            let (left, place) = (rows.len() - shown.len(), elsewhere(self.detail, Detail::All));
            self.text.cut(&format!("  and {left} more, dearer or undecodable ({place})"));
        }
        self.text.paragraph("", 2, codecs::IN_SHORT);
    }

    fn engines(&mut self, offline: &OfflineRecord, interrupted: bool) {
        let columns = [
            Column::words("engine"),
            Column::words("verdict"),
            Column::number("wrong"),
            Column::number("bytes").ranked(1),
            Column::number("of full").ranked(2),
            Column::number("stale p99").ranked(3),
            Column::words("against it"),
        ];
        let row = |engine: &&EngineRecord| {
            let share = engine.of_full_state_per_mille.filter(|_| !interrupted);
            let [_, p99] = staleness::percentiles(&engine.staleness_ms);
            vec![
                Cell::text(&engine.name),
                Cell::verdict(engine.verdict),
                Cell::text(format!("{} of {}", engine.wrong_registers, offline.registers)),
                Cell::text(format!("{} B", engine.up.total() + engine.down.total())),
                Cell::number(share.map(percent)),
                Cell::text(p99),
                Cell::text(against(engine)),
            ]
        };
        let shown = worst(&offline.engines, |engine| (engine.verdict, engine.wrong_registers));
        self.text.fitted(&Table::numbers("", columns, shown.iter().map(row)));
        self.more(offline.engines.len(), "engine");
        if let survivors @ 1.. = offline.mutants.iter().filter(|mutant| mutant.caught_by.is_empty()).count() {
            self.text.cut(&format!("  {} of {} survived", survivors, counted(offline.mutants.len(), "mutant")));
        }
    }

    fn algebras(&mut self, laws: &LawsRecord) {
        let names: Vec<&str> = laws.delivery.iter().map(|of| of.algebra.as_str()).collect();
        let claims = |name: &str| -> Vec<Verdict> {
            let claimed = laws.trials.iter().filter(|trial| trial.claimed && trial.algebra == name);
            claimed.map(|trial| trial.verdict).collect()
        };
        let verdict = |name: &&str| claims(name).into_iter().max().unwrap_or(Verdict::Holds);
        let row = |name: &&str| {
            let claims = claims(name);
            let holds = claims.iter().filter(|verdict| **verdict == Verdict::Holds).count();
            vec![Cell::text(name), Cell::verdict(verdict(name)), Cell::text(claims.len()), Cell::text(holds)]
        };
        let columns =
            [Column::words("algebra"), Column::words("verdict"), Column::number("claimed"), Column::number("hold")];
        self.text.fitted(&Table::numbers("", columns, worst(&names, verdict).into_iter().map(row)));
        self.more(names.len(), "algebra");
    }

    fn more(&mut self, all: usize, what: &str) {
        if all > ROWS {
            let (more, place) = (counted(all - ROWS, &format!("more {what}")), elsewhere(self.detail, Detail::All));
            self.text.cut(&format!("  and {more}, none worse ({place})"));
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
        // An engine without a counterexample is falsified by what its row has no room for.
        let has_case = record.checks.iter().any(|check| !check.findings.is_empty());
        let mut accused = record.checks.iter().filter(|check| check.verdict == Verdict::Falsified && in_table(check));
        failures.extend(accused.next().filter(|_| !has_case && failures.is_empty()).map(what_failed));
        if !record.reason.is_empty() && failures.is_empty() && record.verdict == Verdict::Inconclusive {
            failures.push(format!("inconclusive  {}", record.reason));
        }
        let shown = if failures.len() > room { room.saturating_sub(1).max(1) } else { failures.len() };
        failures.iter().take(shown).for_each(|failure| self.text.cut(failure));
        if failures.len() > shown && room > 1 {
            self.text.cut(&format!("and {} (-v shows all)", counted(failures.len() - shown, "more failure")));
        }
    }

    /// The smallest counterexample, and how it is replayed.
    fn smallest(&mut self, record: &Record) -> bool {
        let findings =
            record.checks.iter().flat_map(|check| check.findings.iter().map(move |finding| (check, finding)));
        let Some((check, finding)) = findings.min_by_key(|(_, finding)| finding.case.len()) else {
            return self.witness_of_laws(record) || self.way_of_walk(record);
        };
        self.text.cut(&format!("smallest counterexample, of {}: {}", check.name, finding.size));
        replay(self.text, &counterexamples::command(&record.asked, finding), REPLAY, self.detail);
        true
    }

    /// Of a walk that came to a wrong end: how many steps lead there, in which world.
    fn way_of_walk(&mut self, record: &Record) -> bool {
        let wrong = record.deliveries.iter().filter(|row| !row.walked.way_there.is_empty());
        let Some(row) = wrong.min_by_key(|row| row.walked.way_there.len()) else { return false };
        let steps = counted(row.walked.way_there.len(), "step");
        let world = row.smallest.as_deref().unwrap_or("the whole world");
        let place = elsewhere(self.detail, Detail::All);
        self.text.cut(&format!("smallest counterexample, of {} ({place}): {steps}, in {world}", row.engine));
        true
    }

    /// Of a law that is claimed and does not hold: the terms that show it.
    fn witness_of_laws(&mut self, record: &Record) -> bool {
        let trials = record.laws.iter().flat_map(|laws| &laws.trials);
        let mut falsified = trials.filter(|trial| trial.claimed && trial.verdict == Verdict::Falsified);
        let shown = falsified.find_map(|trial| {
            let widths = [("8", &trial.at_8_bits), ("64", &trial.at_64_bits)];
            widths.into_iter().find_map(|(bits, width)| Some((trial, bits, width.witness.as_ref()?)))
        });
        if let Some((trial, bits, witness)) = shown {
            let size = &witness.size;
            let place = elsewhere(self.detail, Detail::All);
            self.text.cut(&format!("counterexample, of {} at {bits} bits ({place}): {size}", trial.name()));
        }
        shown.is_some()
    }

    fn limits(&mut self, record: &Record) {
        // What the bank sweep alone cannot see, other checks of the run may. What the whole run cannot see comes first.
        let unseen: Vec<&String> = record.unseen.by_run.iter().chain(&record.unseen.by_bank_sweep).collect();
        // What the equations rest on is no limit by itself.
        let is_of_equations =
            |limit: &&&String| ["Dead banks: none", "These equations"].iter().any(|of| limit.starts_with(of));
        let first = unseen.iter().find(|limit| !is_of_equations(limit)).or(unseen.first());
        if let Some(first) = first.filter(|_| !record.interrupted) {
            let limits = counted(unseen.len(), "limit");
            let place = if self.detail == Detail::All { "all below" } else { "which -vv lists" };
            self.text.cut(&format!("cannot see ({limits}, {place}): {first}"));
        }
    }

    /// How long it took, and how fast subjects were.
    fn took(&mut self, record: &Record, with_simulated: bool) {
        let mut told = vec![format!("took {}", took(record.timing.total_us))];
        let deltas = record.checks.iter().find_map(|check| check.orders.as_ref()).map(|orders| orders.deltas);
        let rates = record.timing.orders_ns.iter();
        let rates = rates.filter(|(name, times)| times.count > 0 && times.p50 > 0 && !record.is_simulated(name));
        let rates: Vec<String> = deltas
            .filter(|&deltas| deltas >= 1000)
            .map(|deltas| rates.map(|(name, times)| format!("{name} {}", ratio(deltas, times.p50))).collect())
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
        self.text.paragraph("", 0, &told.join("; "));
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
    let rates = record.clock_by_clock().filter_map(|(name, simulated)| {
        let per_second = u128::from(simulated.cycles) * 1_000_000 / u128::from(simulated.us.max(1));
        (simulated.us >= 1000).then(|| format!("{name} {}", hundredths((per_second / 10_000) as u64)))
    });
    rates.collect()
}
