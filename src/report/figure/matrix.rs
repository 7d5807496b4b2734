//! The mutation matrix: who finds which mutant.

use std::collections::BTreeSet;

use super::plot::{Sample, legend};
use super::svg::{Anchor, Dash, Ink, Mark, Svg, short, width};
use super::{Figure, table_of};
use crate::domain::count::counted;
use crate::domain::oracle::OracleId;
use crate::report::document::{self, Column};
use crate::report::offline_record::MutantRecord;
use crate::report::qualification::Qualification;
use crate::report::qualification::devices::{DeviceQualification, MutantOutcome};
use crate::report::qualification::mutants::{EngineQualification, Outcome};
use crate::report::record::{PlantedOutcome, Record};

/// What became of a mutant in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Killed,
    Survived,
    NotReached,
    Equivalent,
    Crashed,
    /// Others may have found it.
    NotFound,
    NotTried,
}

impl Cell {
    const ALL: [Cell; 7] = [
        Cell::Killed,
        Cell::Survived,
        Cell::NotReached,
        Cell::Equivalent,
        Cell::Crashed,
        Cell::NotFound,
        Cell::NotTried,
    ];

    fn word(self) -> &'static str {
        match self {
            Cell::Killed => "killed",
            Cell::Survived => "survived",
            Cell::NotReached => "not reached",
            Cell::Equivalent => "equivalent",
            Cell::Crashed => "the harness crashed",
            Cell::NotFound => "not found",
            Cell::NotTried => "not tried",
        }
    }

    fn mark(self) -> Option<(Mark, Ink)> {
        Some(match self {
            Cell::Killed => (Mark::Square, Ink::Good),
            Cell::Survived => (Mark::Cross, Ink::Bad),
            Cell::NotReached => (Mark::Ring, Ink::Doubt),
            Cell::Equivalent => (Mark::Frame, Ink::Third),
            Cell::Crashed => (Mark::Triangle, Ink::Bad),
            Cell::NotFound => (Mark::Ring, Ink::Text),
            Cell::NotTried => return None,
        })
    }
}

/// A matrix: what its columns are, and a row of cells for each mutant.
struct Matrix {
    title: String,
    /// What a column is.
    what: &'static str,
    columns: Vec<String>,
    /// A mutant's name, what became of it over all columns, and in each.
    rows: Vec<(String, Cell, Vec<Cell>)>,
}

/// The mutants and planted faults of a run.
pub(super) fn of_record(record: &Record) -> Vec<Figure> {
    let of_world = record.offline.as_ref().map(|world| (world.evidence, &world.mutants));
    let of_walk = record.everywhere.as_ref().map(|walk| (walk.evidence, &walk.mutants));
    let mutants = of_world.into_iter().chain(of_walk).filter(|(_, mutants)| !mutants.is_empty());
    let mut figures: Vec<Figure> = mutants
        .map(|(evidence, mutants)| {
            by_judge(format!("Mutants of engines by judge (evidence {evidence})"), mutants).figure()
        })
        .collect();
    if !record.planted.is_empty() {
        figures.push(planted(record).figure());
    }
    figures
}

/// The matrices of a qualification.
pub(super) fn of_qualification(qualification: &Qualification) -> Vec<Figure> {
    let devices = qualification.devices.as_ref().filter(|devices| !devices.mutants.is_empty()).map(of_devices);
    let engines = qualification.engines.as_ref().filter(|engines| !engines.mutants.is_empty()).map(of_engines);
    devices.into_iter().chain(engines).map(Matrix::figure).collect()
}

fn by_judge(title: String, mutants: &[MutantRecord]) -> Matrix {
    let judges: BTreeSet<OracleId> = mutants.iter().flat_map(|mutant| mutant.caught_by.iter().copied()).collect();
    let row = |mutant: &MutantRecord| {
        // A judge that lets a mutant pass which another finds has not failed.
        let found = |judge: &OracleId| if mutant.caught_by.contains(judge) { Cell::Killed } else { Cell::NotFound };
        let together = if mutant.caught_by.is_empty() { Cell::Survived } else { Cell::Killed };
        (format!("{} in {}", mutant.mutant, mutant.engine), together, judges.iter().map(found).collect())
    };
    let rows = mutants.iter().map(row).collect();
    Matrix { title, what: "judge", columns: judges.into_iter().map(|judge| judge.to_string()).collect(), rows }
}

fn planted(record: &Record) -> Matrix {
    let devices: BTreeSet<&String> = record.planted.iter().map(|planted| &planted.device).collect();
    let column = |device: &&String| if device.is_empty() { "nowhere".to_owned() } else { (*device).clone() };
    let cell = |outcome: PlantedOutcome| match outcome {
        PlantedOutcome::Detected | PlantedOutcome::FoundTogether => Cell::Killed,
        PlantedOutcome::Escaped => Cell::Survived,
        PlantedOutcome::NotActivated => Cell::NotReached,
        PlantedOutcome::Equivalent => Cell::Equivalent,
    };
    let rows = record.planted.iter().map(|planted| {
        let outcome = cell(planted.outcome);
        let cells = devices.iter().map(|&device| if *device == planted.device { outcome } else { Cell::NotTried });
        (planted.fault.clone(), outcome, cells.collect())
    });
    let evidence: BTreeSet<String> = record.devices.iter().map(|device| device.evidence.to_string()).collect();
    let evidence = evidence.into_iter().collect::<Vec<_>>().join(", ");
    let evidence = if evidence.is_empty() { String::new() } else { format!(" (evidence {evidence})") };
    let title = format!("Planted faults{evidence}");
    Matrix { title, what: "device", columns: devices.iter().map(column).collect(), rows: rows.collect() }
}

fn of_devices(devices: &DeviceQualification) -> Matrix {
    let cell = |outcome: MutantOutcome| match outcome {
        MutantOutcome::Detected => Cell::Killed,
        MutantOutcome::Escaped => Cell::Survived,
        MutantOutcome::NotActivated => Cell::NotReached,
        MutantOutcome::Equivalent => Cell::Equivalent,
        MutantOutcome::Crashed => Cell::Crashed,
    };
    let rows = devices.mutants.iter().map(|mutant| {
        let cells = mutant.cells.iter().map(|of| cell(of.outcome)).collect();
        (mutant.label(), cell(mutant.together), cells)
    });
    let DeviceQualification { backend, evidence, .. } = devices;
    Matrix {
        title: format!("Faults of {backend} by scenario (evidence {evidence})"),
        what: "scenario",
        columns: devices.controls.iter().map(|control| control.scenario.clone()).collect(),
        rows: rows.collect(),
    }
}

fn of_engines(engines: &EngineQualification) -> Matrix {
    let cell = |outcome: Outcome| match outcome {
        Outcome::Killed => Cell::Killed,
        Outcome::Survived => Cell::Survived,
        Outcome::NotReached => Cell::NotReached,
        Outcome::Crashed => Cell::Crashed,
    };
    let rows = engines.mutants.iter().map(|row| {
        let cells = row.cells.iter().map(|of| of.as_ref().map_or(Cell::NotTried, |of| cell(of.outcome))).collect();
        (format!("{} in {}", row.mutant, row.engine), cell(row.together), cells)
    });
    Matrix {
        title: "Mutants of engines by scenario (evidence software)".to_owned(),
        what: "scenario",
        columns: engines.scenarios.iter().map(|row| row.scenario.clone()).collect(),
        rows: rows.collect(),
    }
}

impl Matrix {
    fn figure(self) -> Figure {
        let alt = self.alt();
        let mut table = table_of(["mutant", "in all"]);
        table.columns.extend(self.columns.iter().map(Column::words));
        let row = |(name, together, cells): &(String, Cell, Vec<Cell>)| {
            let words = [name.as_str(), together.word()].into_iter().chain(cells.iter().map(|cell| cell.word()));
            words.map(document::Cell::text).collect()
        };
        table.rows = self.rows.iter().map(row).collect();
        Figure { svg: self.drawn(&alt), title: self.title, alt, table, is_repeated: true }
    }

    fn alt(&self) -> String {
        let count = |cell: Cell| self.rows.iter().filter(|(_, together, _)| *together == cell).count();
        let counts = Cell::ALL.iter().filter(|&&cell| count(cell) > 0);
        let counts: Vec<String> = counts.map(|&cell| format!("{} {}", count(cell), cell.word())).collect();
        let survivors: Vec<&str> = self
            .rows
            .iter()
            .filter(|(_, together, _)| matches!(together, Cell::Survived | Cell::NotReached))
            .map(|(name, ..)| name.as_str())
            .collect();
        let named =
            if survivors.is_empty() { String::new() } else { format!(" Not killed: {}.", survivors.join(", ")) };
        format!(
            "{} by {}: over all of them {}.{named}",
            counted(self.rows.len(), "mutant"),
            counted(self.columns.len(), self.what),
            counts.join(", ")
        )
    }

    fn drawn(&self, alt: &str) -> String {
        /// Characters of a mutant's name, and of a column's.
        const NAMES: (usize, usize) = (42, 28);
        const CELL: i32 = 170;
        let longest = |names: &mut dyn Iterator<Item = &String>, most| {
            names.map(|name| width(&short(name, most))).max().unwrap_or(0)
        };
        let left = longest(&mut self.rows.iter().map(|row| &row.0), NAMES.0) + 140;
        let heads = longest(&mut self.columns.iter(), NAMES.1);
        // Heads go up at 60 degrees: sine and cosine.
        let top = heads * 87 / 100 + 160;
        let across = left + self.columns.len() as i32 * CELL + CELL;
        let survive = |row: &&(String, Cell, Vec<Cell>)| !matches!(row.1, Cell::Killed | Cell::Equivalent);
        let words = self.rows.iter().filter(survive).map(|row| width(row.1.word())).max().unwrap_or(0);
        let all = (across + (heads / 2).max(words)).max(3000);
        let mut svg = Svg::default();
        let column = |place: usize| left + place as i32 * CELL + CELL / 2;
        for (place, name) in self.columns.iter().enumerate() {
            svg.slanted((column(place), top - 90), &short(name, NAMES.1));
        }
        for (place, row @ (name, together, cells)) in self.rows.iter().enumerate() {
            let y = top + place as i32 * CELL + CELL / 2;
            svg.line(&[(left, y + CELL / 2), (across - CELL, y + CELL / 2)], Ink::Faint, Dash::Whole, 6);
            svg.text((left - 80, y), Anchor::End, &short(name, NAMES.0));
            for (place, cell) in cells.iter().enumerate() {
                if let Some((mark, ink)) = cell.mark() {
                    svg.mark((column(place), y), mark, ink);
                }
            }
            // Who slips through everywhere is what people look for.
            if survive(&row) {
                svg.bold((across - CELL / 2, y), Anchor::Start, together.word());
            }
        }
        let below = top + self.rows.len() as i32 * CELL + 80;
        let shown = |cell: &&Cell| self.rows.iter().any(|(.., cells)| cells.contains(cell));
        let entries: Vec<(Sample, String)> = Cell::ALL
            .iter()
            .filter(shown)
            .filter_map(|cell| cell.mark().map(|(mark, ink)| (Sample::Mark(mark, ink), cell.word().to_owned())))
            .collect();
        let height = legend(&mut svg, below, all, &entries);
        svg.finish((all, below + height + 20), &self.title, alt)
    }
}
