//! The report of a qualification: the mutation score, the matrix of mutants and scenarios, and what nobody found.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::oracle::OracleId;
use crate::domain::shown::percent;
use crate::domain::verdict::{Verdict, exit};
use crate::report::document::{Block, Cell, Column, Detail, Judgement, Report, Section, Table, Tone};
use crate::report::figure;
use crate::report::inert::quoted;
use crate::report::qualification::Qualification;
use crate::report::qualification::devices::{Coverage, DeviceQualification, MutantOutcome, MutantRecord};
use crate::report::qualification::mutants::{EngineQualification, Kind, MutantRow, Outcome, Score};

/// The report of a qualification.
pub fn report(record: &Qualification) -> Report {
    let (devices, engines) = (record.devices.as_ref(), record.engines.as_ref());
    let sections = [
        devices.and_then(coverage_of_devices),
        devices.and_then(missed_by_devices),
        devices.and_then(matrix_of_devices),
        devices.and_then(missed_by_each),
        engines.and_then(score_by_scenario),
        engines.and_then(matrix_of_engines),
        Section::of(
            "figures",
            "Figures",
            figure::of_qualification(record).into_iter().map(|figure| Block::Figure(Box::new(figure))).collect(),
        ),
        engines.and_then(every_cell),
        devices.and_then(controls_of_devices),
        engines.and_then(exceptions),
        repeat(record),
    ];
    Report {
        title: title(record),
        warning: None,
        judgement: judgement(record),
        sections: sections.into_iter().flatten().map(early).collect(),
    }
}

/// What was qualified, in few words.
pub fn title(record: &Qualification) -> String {
    let scenarios: Vec<&str> = scenarios(record).collect();
    match &scenarios[..] {
        [] => "qualification".to_owned(),
        [one] => format!("qualification of {one}"),
        several => format!("qualification of {} scenarios", several.len()),
    }
}

/// All of a qualification is what was asked for.
fn early(section: Section) -> Section {
    Section { detail: Detail::Checks, ..section }
}

fn scenarios(record: &Qualification) -> impl Iterator<Item = &str> {
    let of_devices = record.devices.iter().flat_map(|of| of.controls.iter().map(|control| control.scenario.as_str()));
    let of_engines = record.engines.iter().flat_map(|of| of.scenarios.iter().map(|row| row.scenario.as_str()));
    of_devices.chain(of_engines)
}

/// The judgement of a qualification.
pub fn judgement(record: &Qualification) -> Judgement {
    let code = record.exit_code();
    let (verdict, remark) = match code {
        exit::HOLDS => (Verdict::Holds, ""),
        exit::FALSIFIED => (Verdict::Falsified, ": not all that was planted was found as expected"),
        exit::INTERRUPTED => (Verdict::Inconclusive, ": stopped by the user"),
        _ => (Verdict::Inconclusive, ": the harness crashed"),
    };
    let mut reasons = Vec::new();
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    if let Some(devices) = &record.devices {
        fact("faults planted in", format!("{} (evidence {})", devices.backend, devices.evidence));
        if devices.void {
            reasons.push("Void: a control is not sound, so that nothing that is found would mean anything.".to_owned());
        }
        if devices.interrupted {
            reasons.push(stopped(devices.mutants.len(), devices.planned));
        } else if !devices.void {
            fact("fault coverage of the device", devices.together.to_string());
        }
        reasons.extend(devices.unmet.iter().map(|unmet| format!("{unmet}.")));
    }
    if let Some(engines) = &record.engines {
        if engines.interrupted {
            reasons.push(stopped(engines.mutants.len(), engines.planned));
        } else {
            fact("mutation score of the engines", engines.score.to_string());
            let alone = [
                ("by drawn worlds alone", engines.by_worlds),
                ("by crash walks, of what they can show", engines.by_walks),
            ];
            alone.iter().filter(|(_, score)| score.planted > 0).for_each(|(name, score)| fact(name, score.to_string()));
        }
        fact("killed by each judge alone", counts(&engines.by_judge));
        if engines.until_killed {
            fact("tried", "each mutant until a world and a walk had killed it".to_owned());
        }
        reasons.extend(engines.unmet.iter().map(|unmet| format!("{unmet}.")));
    }
    if reasons.is_empty() {
        reasons.push("Every planted fault came out as the scenarios expect.".to_owned());
    }
    fact("made by", format!("abench {}", record.abench));
    Judgement { verdict, remark: remark.to_owned(), exit: code, reasons, warrants: Vec::new(), facts }
}

fn stopped(planted: usize, planned: u64) -> String {
    format!("The user stopped it: {planted} of {planned} mutants were planted.")
}

/// "truth 12, durability 3".
pub fn counts(counts: &BTreeMap<OracleId, u64>) -> String {
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

/// What became of the mutants of each kind, under each scenario.
fn coverage_of_devices(of: &DeviceQualification) -> Option<Section> {
    if of.void {
        return None;
    }
    let mut kinds: Vec<&str> = of.mutants.iter().map(|mutant| mutant.kind.as_str()).collect();
    kinds.dedup();
    let mut blocks = Vec::new();
    for (place, control) in of.controls.iter().enumerate() {
        let count = |kind: Option<&str>| {
            let of_kind = of.mutants.iter().filter(|mutant| kind.is_none_or(|kind| mutant.kind == kind));
            Coverage::of(of_kind.filter_map(|mutant| Some(mutant.cells.get(place)?.outcome)))
        };
        let rows =
            kinds.iter().map(|kind| coverage_row(kind, count(Some(kind)))).chain([coverage_row("all", count(None))]);
        let columns = ["injected", "detected", "escaped", "not activated", "equivalent"].map(Column::number);
        let columns = [Column::words("kind of fault")].into_iter().chain(columns);
        let caption = match of.interrupted {
            true => format!("Under {}: stopped before all were planted", control.scenario),
            false => format!("Under {}: fault coverage {} (evidence {})", control.scenario, count(None), of.evidence),
        };
        blocks.push(Block::Table(Table::numbers(caption, columns, rows)));
        if let Some(alone) = of.by_oracle.get(place) {
            blocks.push(Block::Note(format!("Detected by each oracle alone: {}.", counts(alone))));
        }
    }
    Section::of("coverage", "Fault coverage of the device", blocks)
}

fn coverage_row(kind: &str, coverage: Coverage) -> Vec<Cell> {
    let Coverage { injected, detected, escaped, not_activated, equivalent, .. } = coverage;
    let bad = |number: u64, tone: Tone| Cell::toned(number, if number > 0 { tone } else { Tone::Plain });
    vec![
        Cell::text(kind),
        Cell::text(injected),
        Cell::text(detected),
        bad(escaped, Tone::Bad),
        bad(not_activated, Tone::Doubtful),
        Cell::text(equivalent),
    ]
}

/// Mutants by what became of them, and why.
pub type ByReason<'a> = BTreeMap<(MutantOutcome, &'a str), Vec<String>>;

/// What no scenario detects, those of one reason together.
pub fn missed(of: &DeviceQualification) -> ByReason<'_> {
    let missed =
        |mutant: &&MutantRecord| !matches!(mutant.together, MutantOutcome::Detected | MutantOutcome::Equivalent);
    let mut by_reason: ByReason<'_> = BTreeMap::new();
    for mutant in of.mutants.iter().filter(missed) {
        // The scenario that came nearest to it says why.
        let nearest = mutant.cells.iter().rev().find(|cell| cell.outcome == mutant.together);
        let reason = nearest.map_or("", |cell| cell.reason.as_str());
        by_reason.entry((mutant.together, reason)).or_default().push(mutant.label());
    }
    by_reason
}

fn missed_by_devices(of: &DeviceQualification) -> Option<Section> {
    let by_reason = missed(of);
    if by_reason.is_empty() {
        return None;
    }
    let table = reasons("Not detected under any of the scenarios", by_reason);
    Section::of("missed", "Mutants of the device that no scenario detects", vec![Block::Table(table)])
}

/// What each scenario does not detect.
fn missed_by_each(of: &DeviceQualification) -> Option<Section> {
    let each = of.controls.iter().enumerate().filter_map(|(place, control)| {
        let mut by_reason: ByReason<'_> = BTreeMap::new();
        for mutant in &of.mutants {
            let cell = mutant.cells.get(place).filter(|cell| cell.outcome != MutantOutcome::Detected);
            if let Some(cell) = cell {
                by_reason.entry((cell.outcome, &cell.reason)).or_default().push(mutant.label());
            }
        }
        let caption = format!("Not detected under {}", control.scenario);
        (!by_reason.is_empty()).then(|| Block::Table(reasons(&caption, by_reason)))
    });
    Section::detail("missed-by-each", "Mutants of the device that a scenario does not detect", each.collect())
}

fn reasons(caption: &str, by_reason: ByReason<'_>) -> Table {
    let columns = [Column::words("which"), Column::words("outcome"), Column::number("mutants"), Column::words("why")];
    let rows = by_reason.into_iter().map(|((outcome, reason), labels)| {
        let shown = labels.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
        let more = labels.len().saturating_sub(LISTED);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        vec![Cell::text(format!("{shown}{more}")), tone_of(outcome), Cell::text(labels.len()), Cell::text(reason)]
    });
    Table::prose(caption, columns, rows)
}

/// Mutants of one reason that are listed one by one.
const LISTED: usize = 40;

fn tone_of(outcome: MutantOutcome) -> Cell {
    let tone = match outcome {
        MutantOutcome::Detected => Tone::Good,
        MutantOutcome::Escaped | MutantOutcome::Crashed => Tone::Bad,
        MutantOutcome::NotActivated => Tone::Doubtful,
        MutantOutcome::Equivalent => Tone::Plain,
    };
    Cell::toned(outcome, tone)
}

/// Every mutant under every scenario.
fn matrix_of_devices(of: &DeviceQualification) -> Option<Section> {
    if of.mutants.is_empty() {
        return None;
    }
    let scenarios = of.controls.iter().map(|control| Column::words(format!("under {}", control.scenario)));
    let columns: Vec<Column> = [Column::words("mutant"), Column::words("together")]
        .into_iter()
        .chain(scenarios)
        .chain([Column::words("found by")])
        .collect();
    let rows = of.mutants.iter().map(|mutant| {
        let oracles: BTreeSet<&str> =
            mutant.cells.iter().flat_map(|cell| cell.oracles.iter().map(|oracle| oracle.name())).collect();
        let cells = (0..of.controls.len())
            .map(|place| mutant.cells.get(place).map_or(Cell::text("-"), |cell| tone_of(cell.outcome)));
        let found_by =
            if oracles.is_empty() { "-".to_owned() } else { oracles.into_iter().collect::<Vec<_>>().join(", ") };
        [Cell::text(mutant.label()), tone_of(mutant.together)]
            .into_iter()
            .chain(cells)
            .chain([Cell::text(found_by)])
            .collect()
    });
    let caption = format!("{} mutants of {} (evidence {})", of.mutants.len(), of.backend, of.evidence);
    let table = Table::numbers(caption, columns, rows);
    Section::detail("matrix-devices", "Mutation matrix of the device", vec![Block::Table(table)])
}

fn controls_of_devices(of: &DeviceQualification) -> Option<Section> {
    let columns = ["scenario", "sound", "verdict", "why"].map(Column::words);
    let rows = of.controls.iter().map(|control| {
        let sound = if control.sound { Cell::toned("yes", Tone::Good) } else { Cell::toned("no", Tone::Bad) };
        vec![Cell::text(&control.scenario), sound, Cell::verdict(control.verdict), Cell::text(&control.reason)]
    });
    let table = Table::prose("Each scenario without a fault", columns, rows);
    let blocks = if table.rows.is_empty() { Vec::new() } else { vec![Block::Table(table)] };
    Section::detail("controls", "Controls, without a fault", blocks)
}

/// The score of each scenario, and the engines that fail in it without a mutant.
fn score_by_scenario(of: &EngineQualification) -> Option<Section> {
    let columns = ["planted", "killed", "survived", "not reached"].map(Column::number);
    let columns =
        [Column::words("scenario"), Column::words("kind")].into_iter().chain(columns).chain([Column::number("score")]);
    let rows = of.scenarios.iter().map(|row| {
        let Score { planted, killed, survived, not_reached, .. } = row.score;
        let score = (killed * 1000).checked_div(planted).map(percent);
        let numbers = [planted, killed, survived, not_reached].map(Cell::text);
        [Cell::text(&row.scenario), Cell::text(row.kind)]
            .into_iter()
            .chain(numbers)
            .chain([Cell::number(score)])
            .collect()
    });
    let mut blocks =
        vec![Block::Table(Table::numbers("Mutants of engines under each scenario (evidence software)", columns, rows))];
    let fails = of.scenarios.iter().flat_map(|row| {
        let fails = row.controls.iter().filter(|control| control.verdict == Verdict::Falsified);
        fails.map(|control| {
            format!("{} fails in {} without a mutant: {}.", control.engine, row.scenario, control.reason)
        })
    });
    let fails: Vec<String> = fails.collect();
    if !fails.is_empty() {
        blocks.push(Block::List(fails));
    }
    Section::of("scores", "Mutation score by scenario", blocks)
}

/// A row a mutant: how many scenarios killed it, and which judge first.
fn matrix_of_engines(of: &EngineQualification) -> Option<Section> {
    if of.mutants.is_empty() {
        return None;
    }
    let columns = [
        Column::words("mutant"),
        Column::words("in"),
        Column::words("outcome"),
        Column::number("worlds"),
        Column::number("walks"),
        Column::words("first killed by"),
        Column::words("what is wrong with it"),
    ];
    let share = |killed: u64, tried: u64| Cell::number((tried > 0).then(|| format!("{killed} of {tried}")));
    let rows = of.mutants.iter().map(|row| {
        let (worlds, of_worlds, in_world) = of.kills(row, Kind::World);
        let (walks, of_walks, in_walk) = of.kills(row, Kind::Walk);
        let first = in_world.or(in_walk).map(|(scenario, cell)| {
            format!("{} in {scenario}", cell.judges.first().map_or("a judge", |judge| judge.name()))
        });
        vec![
            Cell::text(&row.mutant),
            Cell::text(&row.engine),
            outcome(row.together),
            share(worlds, of_worlds),
            share(walks, of_walks),
            Cell::number(first),
            Cell::text(&row.about),
        ]
    });
    let caption = match of.interrupted {
        true => "Mutants of engines; stopped before all were planted".to_owned(),
        false => format!("Mutants of engines: {} killed (evidence software)", of.score),
    };
    Section::of("matrix", "Mutation matrix of the engines", vec![Block::Table(Table::prose(caption, columns, rows))])
}

fn outcome(outcome: Outcome) -> Cell {
    let tone = match outcome {
        Outcome::Killed => Tone::Good,
        Outcome::Survived | Outcome::Crashed => Tone::Bad,
        Outcome::NotReached => Tone::Doubtful,
    };
    Cell::toned(outcome, tone)
}

/// Every mutant under every scenario.
fn every_cell(of: &EngineQualification) -> Option<Section> {
    if of.mutants.is_empty() {
        return None;
    }
    let scenarios = of.scenarios.iter().map(|row| Column::words(&row.scenario));
    let columns = [Column::words("mutant"), Column::words("in")].into_iter().chain(scenarios);
    let cell = |row: &MutantRow, place: usize| match row.cells.get(place) {
        Some(Some(cell)) => outcome(cell.outcome),
        _ => Cell::text("-"),
    };
    let rows = of.mutants.iter().map(|row| {
        let cells = (0..of.scenarios.len()).map(|place| cell(row, place));
        [Cell::text(&row.mutant), Cell::text(&row.engine)].into_iter().chain(cells).collect()
    });
    let table = Table::numbers("Every mutant under every scenario; a dash where it was not tried", columns, rows);
    Section::detail("cells", "Every mutant under every scenario", vec![Block::Table(table)])
}

/// Mutants that no walk has to kill, and why.
fn exceptions(of: &EngineQualification) -> Option<Section> {
    let excepted = of.mutants.iter().filter_map(|row| {
        let why = row.not_in_walks.as_ref()?;
        Some(format!("{} of {}: {why}.", row.mutant, row.engine))
    });
    let excepted: Vec<String> = excepted.collect();
    let blocks = if excepted.is_empty() { Vec::new() } else { vec![Block::List(excepted)] };
    Section::detail("exceptions", "Mutants that no walk can show", blocks)
}

fn repeat(record: &Qualification) -> Option<Section> {
    let scenarios: Vec<String> = scenarios(record).map(quoted).collect();
    let backend = record.devices.as_ref().map_or(String::new(), |of| format!(" --backend {}", quoted(&of.backend)));
    let until_killed = record.engines.as_ref().is_some_and(|of| of.until_killed);
    let until_killed = if until_killed { " --until-killed" } else { "" };
    let blocks = vec![
        Block::Command(format!("abench qualify {}{backend}{until_killed}", scenarios.join(" "))),
        Block::Note(
            "A scenario of a file is named by its path. If the mutants were a sample, --sample and --seed give the same ones."
                .to_owned(),
        ),
    ];
    Section::of("repeat", "How to repeat it", blocks)
}
