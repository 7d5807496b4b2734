//! Faults that were planted in devices, and what became of them.

use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::record::{PlantedOutcome, PlantedRecord, Record};

/// A row a fault.
pub fn section(record: &Record) -> Option<Section> {
    if record.planted.is_empty() {
        return None;
    }
    let columns = [
        Column::words("fault"),
        Column::words("outcome"),
        Column::words("in"),
        Column::number("in use"),
        Column::number("wrong words"),
        Column::words("why"),
    ];
    let rows = record.planted.iter().map(|planted| {
        let PlantedRecord { device, fault, outcome, reached, changed, reason } = planted;
        let tone = match outcome {
            PlantedOutcome::Detected | PlantedOutcome::FoundTogether => Tone::Good,
            PlantedOutcome::Escaped => Tone::Bad,
            PlantedOutcome::NotActivated => Tone::Doubtful,
            PlantedOutcome::Equivalent => Tone::Plain,
        };
        let place = if device.is_empty() { "no device" } else { device };
        let words = [Cell::text(fault), Cell::toned(outcome, tone), Cell::text(place)];
        let numbers = [Cell::text(reached), Cell::text(changed)];
        words.into_iter().chain(numbers).chain([Cell::text(reason)]).collect()
    });
    let table = Table::prose("Faults that were planted, and what became of them", columns, rows);
    Section::first("planted", "Planted faults", vec![Block::Table(table)])
}
