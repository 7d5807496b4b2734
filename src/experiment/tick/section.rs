//! Sync ticks in bytes, against the information bound and the full state.

use std::mem;

use crate::domain::shown::tenths;
use crate::domain::trial::TickTrial;
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::first_screen::Screen;
use crate::report::record::{Record, TickRecord};
use crate::report::view::View;

impl View for TickTrial {
    fn screen(&self, record: &Record, screen: &mut Screen<'_>) {
        first_screen(record, screen);
    }

    fn sections(&self, record: &Record) -> Vec<Section> {
        section(record).into_iter().collect()
    }
}

/// The table, where the run came to its end.
pub fn first_screen(record: &Record, screen: &mut Screen<'_>) {
    if let Some(mut table) = table(&record.ticks).filter(|_| !record.interrupted) {
        // A first screen has no captions, and no number stands without its evidence.
        table.columns[0] = Column::words(mem::take(&mut table.caption));
        screen.text().fitted(&table);
    }
}

/// The table, and how it is to be read.
pub fn section(record: &Record) -> Option<Section> {
    let ticks = &record.ticks;
    let mut blocks = vec![Block::Table(table(ticks)?)];
    if ticks.iter().any(|tick| tick.changed.is_empty()) {
        blocks.push(Block::Note("No context changes under this SEED: a tick of no bytes.".to_owned()));
    }
    if ticks.iter().any(|tick| tick.value_bytes.saturating_mul(10) < tick.odd_bound_tenths) {
        blocks.push(Block::Note(
            "The bound grants that the receiver knows how many contexts changed. No message of fewer bytes, on average, can \
             be decoded: the values alone are below it."
                .to_owned(),
        ));
    }
    Section::of("ticks", "Bytes of a sync tick, against the bound and the full state", blocks)
}

/// One column a tick.
fn table(ticks: &[TickRecord]) -> Option<Table> {
    let first = ticks.first()?;
    let name = |tick: &TickRecord| if tick.published { "published" } else { "this SEED" };
    let columns = [Column::words("")].into_iter().chain(ticks.iter().map(|tick| Column::number(name(tick))));
    type Row = (&'static str, fn(&TickRecord) -> String);
    let rows: [Row; 11] = [
        ("contexts changed, of 256", |tick| tick.changed.len().to_string()),
        ("values alone, undecodable", |tick| bytes(tick.value_bytes)),
        ("+ addressing", |tick| bytes(tick.addressing_bytes)),
        ("+ framing", |tick| bytes(tick.framing_bytes)),
        ("+ ids", |tick| bytes(tick.id_bytes)),
        ("+ checksum", |tick| bytes(tick.checksum_bytes)),
        ("= message, decodable", |tick| bytes(tick.message_bytes)),
        ("information bound", |tick| format!("{} B", tenths(tick.bound_tenths))),
        ("information bound, lowest bits known", |tick| format!("{} B", tenths(tick.odd_bound_tenths))),
        ("full state", |tick| bytes(tick.full_state_bytes)),
        ("message, of the full state", share),
    ];
    let rows = rows.iter().map(|(label, value)| {
        [Cell::text(label)].into_iter().chain(ticks.iter().map(|tick| Cell::text(value(tick)))).collect()
    });
    Some(Table::numbers(format!("One sync tick (evidence {})", first.evidence), columns, rows))
}

fn bytes(number: u64) -> String {
    format!("{number} B")
}

fn share(tick: &TickRecord) -> String {
    let doubled = u128::from(tick.message_bytes) * 2000;
    match doubled.checked_div(tick.full_state_bytes.into()) {
        Some(per_two_mille) => format!("{} %", tenths(per_two_mille.div_ceil(2) as u64)),
        None => "-".to_owned(),
    }
}
