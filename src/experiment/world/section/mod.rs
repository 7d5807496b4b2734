//! What a world of clients adds to a report: its engines, what they cost and get wrong, and how stale they are.

mod engines;
mod fields;
mod staleness;

use crate::domain::count::counted;
use crate::domain::judge::Judge;
use crate::domain::offline::OfflineTrial;
use crate::domain::oracle::OracleId;
use crate::domain::shown::percent;
use crate::domain::verdict::Verdict;
use crate::report::document::{Cell, Column, Section, Table};
use crate::report::first_screen::Screen;
use crate::report::first_screen::screen::worst;
use crate::report::inert::quoted;
use crate::report::offline_record::{EngineRecord, OfflineRecord};
use crate::report::record::{Check, Record};
use crate::report::view::View;
use crate::scenario::shipped;

impl View for OfflineTrial {
    fn what_ran(&self, record: &Record) -> Option<String> {
        record.offline.as_ref().map(world)
    }

    fn screen(&self, record: &Record, screen: &mut Screen<'_>) {
        record.offline.iter().for_each(|offline| first_screen(offline, record.interrupted, screen));
    }

    /// What is against an engine stands in its row.
    fn has_row(&self, check: &Check) -> bool {
        check.judge == Judge::World
    }

    fn counterexample(&self, record: &Record, screen: &mut Screen<'_>) {
        in_its_own_world(self, record, screen);
    }

    fn how_far(&self, record: &Record) -> String {
        let rows = record.offline.iter().flat_map(|offline| &offline.engines);
        let tried: Vec<&str> = rows.map(|row| row.name.as_str()).collect();
        match tried.is_empty() {
            true => "No engine was tried to the end.".to_owned(),
            false => format!("Tried to the end, of {} engines: {}", self.engines.join(", "), tried.join(", ")),
        }
    }

    fn sections(&self, record: &Record) -> Vec<Section> {
        [fields::section(record), engines::section(record), staleness::section(record)].into_iter().flatten().collect()
    }

    fn details(&self, record: &Record) -> Vec<Section> {
        engines::detail(record).into_iter().collect()
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

fn first_screen(offline: &OfflineRecord, interrupted: bool, screen: &mut Screen<'_>) {
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
    screen.text().fitted(&Table::numbers("", columns, shown.iter().map(row)));
    screen.more(offline.engines.len(), "engine");
    fields::screen(offline, screen);
    if let survivors @ 1.. = offline.mutants.iter().filter(|mutant| mutant.caught_by.is_empty()).count() {
        screen.cut(&format!("  {} of {} survived", survivors, counted(offline.mutants.len(), "mutant")));
    }
}

/// The judges that have something against an engine, or cannot tell.
fn against(engine: &EngineRecord) -> String {
    let of = |wanted: Verdict| {
        let judges = engine.oracles.iter().filter(move |(_, (verdict, _))| *verdict == wanted);
        judges.map(|(&id, _)| id).collect::<Vec<_>>()
    };
    match engine.verdict {
        Verdict::Holds => String::new(),
        verdict => {
            let judges = of(verdict);
            let truth = judges.iter().find(|&&id| id == OracleId::Truth).or(judges.first());
            let more = if judges.len() > 1 { format!(" +{}", judges.len() - 1) } else { String::new() };
            truth.map_or(String::new(), |id| format!("{id}{more}"))
        }
    }
}

/// Of an engine that is falsified in a world that nothing made smaller, as where it is written down step by step: the same
/// run of that engine alone.
fn in_its_own_world(trial: &OfflineTrial, record: &Record, screen: &mut Screen<'_>) {
    let rows = record.offline.iter().flat_map(|offline| &offline.engines);
    let mut falsified = rows.filter(|row| row.verdict == Verdict::Falsified);
    let Some((row, scenario)) = falsified.next().zip(record.asked.scenario.as_deref()) else { return };
    let is_asked = |text: &&str| text.strip_prefix(&row.name).is_some_and(|rest| rest.starts_with('='));
    let engine = trial.engines.iter().map(String::as_str).find(is_asked).unwrap_or(&row.name);
    screen.cut(&format!("counterexample, of {}: the world itself", row.name));
    // A record knows its scenario's name, and not the folder of a file that is not shipped.
    let scenario = if shipped::find(scenario).is_some() { scenario.to_owned() } else { format!("{scenario}.toml") };
    screen.replay(&format!("abench run {} --engines {}", quoted(&scenario), quoted(engine)));
}
