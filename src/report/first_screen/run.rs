//! The first screen of a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::finding::Quantity;
use crate::domain::judge::Judge;
use crate::domain::shown::{hundredths, ratio, took};
use crate::domain::verdict::{Verdict, Warrant};
use crate::report::board_table;
use crate::report::document::section::{counterexamples, verdict};
use crate::report::document::{Detail, Judgement, Report, run};
use crate::report::first_screen::room;
use crate::report::first_screen::screen::Screen;
use crate::report::format::text::{Shown, Text};
use crate::report::record::{Check, Part, PlantedOutcome, Record};
use crate::report::view::{View, Views};

/// The record of a run, with what its experiment says of it.
pub struct Run<'a> {
    record: &'a Record,
    view: &'a dyn View,
}

impl<'a> Run<'a> {
    /// This record, to be shown.
    pub fn of(record: &'a Record, views: Views) -> Self {
        Run { record, view: views(&record.asked.trial) }
    }
}

impl Shown for Run<'_> {
    fn report(&self, file: &str, again: Option<&str>) -> Report {
        run::report(self.record, self.view, file, again)
    }

    fn judgement(&self) -> Judgement {
        verdict::judgement(self.record)
    }

    fn screen(&self, text: &mut Text, detail: Detail) {
        FirstScreen { screen: Screen::of(text, detail), view: self.view }.of(self.record);
    }

    fn board_table(&self) -> Option<String> {
        let record = self.record;
        let sweep = record.bank_sweeps.first()?;
        let device = record.devices.iter().find(|device| device.name == sweep.device)?;
        // A sweep whose right answer tells nothing is no green light, though the run holds by its other checks.
        let of_sweep = |check: &&Check| check.judge == Judge::BankSweep && check.subjects.contains_key(&device.name);
        let is_blind = record.checks.iter().filter(of_sweep).any(|check| check.verdict == Verdict::Inconclusive);
        let board = match record.outcome().board() {
            Verdict::Holds if is_blind => Verdict::Inconclusive,
            verdict => verdict,
        };
        Some(board_table::render(device, sweep, board))
    }
}

struct FirstScreen<'a> {
    screen: Screen<'a>,
    view: &'a dyn View,
}

impl FirstScreen<'_> {
    fn of(&mut self, record: &Record) {
        self.what_ran(record);
        self.view.screen(record, &mut self.screen);
        let (width, detail) = (self.screen.text().width(), self.screen.detail());
        let last = |with_simulated: bool| {
            let mut text = Text::new(width);
            let mut last = FirstScreen { screen: Screen::of(&mut text, detail), view: self.view };
            last.smallest(record);
            last.limits(record);
            last.took(record, with_simulated);
            text
        };
        // What failed comes before how fast the devices were.
        let fails = record.checks.iter().any(|check| check.verdict != Verdict::Holds);
        let whole = Some(last(true)).filter(|last| !fails || room(self.screen.text(), last, detail) > 3);
        let last = whole.unwrap_or_else(|| last(false));
        let room = room(self.screen.text(), &last, detail);
        self.judged(record, room);
        self.screen.text().append(last);
    }

    fn what_ran(&mut self, record: &Record) {
        let has_table = self.screen.text().has_board_table();
        let name = match &record.asked.scenario {
            Some(name) => name.clone(),
            None if has_table => String::new(),
            None => record.asked.trial.keys().title(),
        };
        let on_trial = record.checks.iter().filter(|check| check.part != Part::Message);
        let subjects: BTreeMap<String, Evidence> = on_trial.flat_map(|check| check.subjects.clone()).collect();
        let of = match self.view.what_ran(record) {
            Some(of) => of,
            None if subjects.is_empty() => String::new(),
            None if name.is_empty() => verdict::on(&subjects),
            None => format!(" on {}", verdict::on(&subjects)),
        };
        self.screen.text().paragraph("abench ", 2, &format!("{}: {name}{of}", record.abench));
        let (refused, planted) = verdict::refused(record);
        let counts = verdict::counts(&record.checks);
        self.screen.text().paragraph(
            "",
            0,
            &format!("checks: {counts}; planted wrong answers refused: {refused} of {planted}"),
        );
    }

    /// What holds rests on, then unmet expectations, planted faults that escaped, and failed checks, in at most `room` lines.
    fn judged(&mut self, record: &Record, mut room: usize) {
        let mut failures: Vec<String> = Vec::new();
        if let Some(reason) = &record.unavailable {
            failures.push(format!("unavailable   {reason}"));
        }
        if record.interrupted {
            failures.push(format!("interrupted   stopped by the user before the end. {}", self.view.how_far(record)));
        }
        failures
            .extend(record.causes.iter().map(|cause| format!("cause         {}: {}", cause.device, cause.sentence)));
        let expectation = record.expectation.iter().filter(|_| !record.interrupted);
        let unmet = expectation.flat_map(|expectation| &expectation.unmet);
        failures.extend(unmet.map(|unmet| format!("expectation   {unmet}")));
        let escaped = record.planted.iter().filter(|planted| planted.outcome != PlantedOutcome::Detected);
        failures.extend(escaped.map(|planted| format!("planted       {}: {}", planted.fault, planted.reason)));
        let in_table = |check: &&Check| self.view.has_row(check);
        let failed = record.checks.iter().filter(|check| check.verdict != Verdict::Holds && !in_table(check));
        failures.extend(failed.map(what_failed));
        // An engine without a counterexample is falsified by what its row has no room for.
        let has_case = record.checks.iter().any(|check| !check.findings.is_empty());
        let mut accused = record.checks.iter().filter(|check| check.verdict == Verdict::Falsified && in_table(check));
        failures.extend(accused.next().filter(|_| !has_case && failures.is_empty()).map(what_failed));
        if !record.reason.is_empty() && failures.is_empty() && record.verdict == Verdict::Inconclusive {
            failures.push(format!("inconclusive  {}", record.reason));
        }
        // With more detail, the judgement says it in full.
        let warrant = warrant(record).filter(|_| self.screen.detail() == Detail::Screen);
        if let Some(warrant) = warrant.filter(|_| room > failures.len().min(4)) {
            self.screen.cut(&warrant);
            room -= 1;
        }
        // Of what failed, a line is shown on the fullest screen.
        let room = room.max(1);
        let shown = if failures.len() > room { room.saturating_sub(1).max(1) } else { failures.len() };
        failures.iter().take(shown).for_each(|failure| self.screen.cut(failure));
        if failures.len() > shown && room > 1 {
            self.screen.cut(&format!("and {} (-v shows all)", counted(failures.len() - shown, "more failure")));
        }
    }

    /// The smallest counterexample, and how it is replayed.
    fn smallest(&mut self, record: &Record) {
        let findings =
            record.checks.iter().flat_map(|check| check.findings.iter().map(move |finding| (check, finding)));
        let Some((check, finding)) = findings.min_by_key(|(_, finding)| finding.case.len()) else {
            return self.view.counterexample(record, &mut self.screen);
        };
        self.screen.cut(&format!("smallest counterexample, of {}: {}", check.name, finding.size));
        self.screen.replay(&counterexamples::command(&record.asked, finding));
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
            let place = if self.screen.detail() == Detail::All { "all below" } else { "which -vv lists" };
            self.screen.cut(&format!("cannot see ({limits}, {place}): {first}"));
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
        told.extend(self.view.rates(record));
        self.screen.text().paragraph("", 0, &told.join("; "));
    }
}

/// What the checks that hold rest on, in a line.
fn warrant(record: &Record) -> Option<String> {
    let told = |(ground, names): (String, Vec<&str>)| match names[..] {
        [one] => format!("{one}: {ground}"),
        [first, ref others @ ..] => format!("{first} and {} more: {ground}", others.len()),
        [] => ground,
    };
    let told: Vec<String> = verdict::grounds(&record.checks, Warrant::brief).into_iter().map(told).collect();
    (!told.is_empty()).then(|| format!("warrant       {}", told.join("; ")))
}

/// A check that failed: what failed, where, how.
fn what_failed(check: &Check) -> String {
    let of_findings = check.findings.iter().map(|finding| finding.subject.as_str());
    // A check without a finding is of all its subjects.
    let of_one =
        check.subjects.keys().map(String::as_str).filter(|_| check.findings.is_empty() && check.subjects.len() == 1);
    // Who is in the name of the check is not told twice.
    let guilty: BTreeSet<&str> = of_findings.chain(of_one).filter(|subject| !check.name.contains(subject)).collect();
    let guilty: Vec<&str> = guilty.into_iter().collect();
    let place = if guilty.is_empty() || check.part == Part::Replicas {
        String::new()
    } else {
        format!(" on {}", guilty.join(", "))
    };
    // What judges say is the summary.
    let finding = check.findings.first().filter(|finding| finding.quantity != Quantity::Judges);
    let what = finding.map_or(check.summary.clone(), |finding| {
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
