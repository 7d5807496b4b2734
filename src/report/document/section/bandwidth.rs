//! A bandwidth report: the answer, and who sends how much and gets what wrong.

use crate::report::bandwidth::{HEADS, HOW_TO_READ, answer, asked, cells, in_order, of_bound, scaled, unknown};
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::figure;
use crate::report::record::Record;

/// The answer with its table, what was scaled, and the command that repeats it.
pub fn section(record: &Record) -> Option<Section> {
    let of = record.bandwidth.as_ref()?;
    let columns = HEADS.iter().enumerate().map(|(place, head)| match place {
        0 => Column::words(*head),
        _ => Column::number(*head),
    });
    let rows = in_order(of).into_iter().map(|row| {
        let verdict = Cell::verdict(row.verdict);
        cells(row).map(Cell::text).into_iter().chain([verdict]).collect()
    });
    let bound = of_bound(of).map(Cell::text).into_iter().chain([Cell::text("-")]).collect();
    let columns = columns.chain([Column::words("verdict")]);
    let table = Table::numbers(
        format!("Bytes both ways, cost, and wrong records (evidence {})", of.evidence),
        columns,
        rows.chain([bound]),
    );
    let mut blocks = vec![Block::List(answer(of)), Block::Facts(asked(of))];
    blocks.extend(figure::of_bandwidth(of).map(|figure| Block::Figure(Box::new(figure))));
    blocks.extend([Block::Table(table), Block::Paragraph(scaled(of))]);
    blocks.extend(unknown(of).map(Block::Paragraph));
    blocks.push(Block::Note(HOW_TO_READ.to_owned()));
    blocks.extend(of.again.iter().map(|again| Block::Command(again.clone())));
    Section::of("bandwidth", "Bandwidth", blocks)
}
