//! What a standard campaign adds to a report. Of a device's bank sweep: cycles, rate and result by number of active banks.

use crate::domain::shown::ratio;
use crate::domain::trial::StandardTrial;
use crate::experiment::{every_order, tick};
use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::first_screen::Screen;
use crate::report::record::{BankSweep, Record};
use crate::report::view::View;

impl View for StandardTrial {
    fn screen(&self, record: &Record, screen: &mut Screen<'_>) {
        every_order::section::first_screen(record, screen);
        // A bank sweep has the board's table, and leaves no room.
        if record.bank_sweeps.is_empty() {
            tick::section::first_screen(record, screen);
        }
    }

    fn sections(&self, record: &Record) -> Vec<Section> {
        let sections = [banks(record), tick::section::section(record), every_order::section::section(record)];
        sections.into_iter().flatten().collect()
    }
}

/// The bank sweep, a table for each device.
fn banks(record: &Record) -> Option<Section> {
    let mut blocks: Vec<Block> = record.bank_sweeps.iter().map(|sweep| Block::Table(table(sweep))).collect();
    blocks.extend(record.bank_sweeps.iter().filter(|sweep| sweep.missed_sets > 0).map(|sweep| {
        let BankSweep { device, missed_sets, all_sets, .. } = sweep;
        Block::Note(format!(
            "The rows of {device} alone would look the same with {missed_sets} of the {all_sets} sets of dead banks."
        ))
    }));
    Section::of("banks", "Cycles and rate by banks", blocks)
}

fn table(sweep: &BankSweep) -> Table {
    let columns = [
        Column::words("device"),
        Column::number("banks"),
        Column::number("cycles"),
        Column::number("should be"),
        Column::number("deltas per cycle"),
        Column::number("speed-up"),
        Column::words("result"),
        Column::words("as it should be"),
    ];
    let single = sweep.rows.first().map_or(0, |row| row.cycles);
    let rows = sweep.rows.iter().map(|row| {
        let ok = if row.ok { Cell::toned("yes", Tone::Good) } else { Cell::toned("no", Tone::Bad) };
        vec![
            Cell::text(&sweep.device),
            Cell::text(row.banks),
            Cell::text(row.cycles),
            Cell::text(row.expected_cycles),
            Cell::text(ratio(sweep.count.into(), row.cycles.into())),
            Cell::text(ratio(single.into(), row.cycles.into())),
            Cell::text(row.result),
            ok,
        ]
    });
    let BankSweep { device, evidence, count, seed, expected, .. } = sweep;
    let caption =
        format!("{count} deltas under seed {seed} on {device} (evidence {evidence}); software reference {expected}");
    Table::numbers(caption, columns, rows)
}
