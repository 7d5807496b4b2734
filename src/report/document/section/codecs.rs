//! Codecs of a tick: bytes against the bound, and wrong registers by how messages arrived.

use crate::report::codecs::{HEADS, HOW_TO_READ, cells, in_order, of_bound, ticks};
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::record::Record;

/// One row a codec or engine, and the bound.
pub fn section(record: &Record) -> Option<Section> {
    let of = record.codecs.as_ref()?;
    let columns = HEADS.iter().enumerate().map(|(place, head)| match place {
        2..12 => Column::number(*head),
        _ => Column::words(*head),
    });
    let rows = in_order(of).into_iter().map(|row| {
        let cells = cells(of, row).map(Cell::text).into_iter().enumerate();
        cells.map(|(place, cell)| if place == 1 { Cell::verdict(row.verdict) } else { cell }).collect()
    });
    let bound = of_bound(of).map(Cell::text).into_iter().collect();
    let table = Table::numbers(format!("Codecs{}", ticks(of)), columns, rows.chain([bound]));
    let about = of.rows.iter().map(|row| format!("{}: {}", row.name, row.about)).collect();
    let blocks = vec![Block::Table(table), Block::Note(HOW_TO_READ.to_owned()), Block::List(about)];
    Section::of("codecs", "One tick in every codec", blocks)
}
