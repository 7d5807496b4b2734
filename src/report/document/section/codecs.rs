//! Codecs of a tick: bytes against the bound, and wrong registers by how messages arrived.

use crate::domain::shown::tenths;
use crate::report::codecs_record::{CodecRow, CodecsRecord, Of, Wrong, WrongRegisters};
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::record::Record;

/// The heads of the table's columns.
const HEADS: [&str; 15] = [
    "tick as",
    "verdict",
    "narrow B",
    "of bound",
    "wide B",
    "of bound",
    "connection B",
    "wrong",
    "repeated",
    "reordered",
    "lost",
    "two writers",
    "needs",
    "kind",
    "evidence",
];

/// How to read the table.
const HOW_TO_READ: &str = "Bytes are those of the largest message; of bound is the median in hundredths of the \
     information bound, which grants that the receiver knows how many registers change and within which bounds. A connection \
     is all bytes of an engine both ways, with handshake and acknowledgements, for a narrow tick (median). Wrong are \
     registers at the receiver, the most of any tick or of any 3 ticks in a row: with each message once, each twice, the \
     second before the first, the second lost, and two writers at the same time. A star: the receiver notices nothing. For an \
     engine, each tick has a connection of its own: repeated, reordered and lost are messages within the second connection, \
     ticks are never reordered, and every wrong register has a star.";

/// The ticks, in words.
pub fn ticks(record: &CodecsRecord) -> String {
    format!(
        ": {} ticks of {} of {} registers, within ±{} and of 64 bits",
        record.ticks, record.changed, record.registers, record.most
    )
}

/// How many per cent so many bytes are of a bound.
pub fn share(bytes: u64, bound_tenths: u64) -> String {
    match (u128::from(bytes) * 20_000).checked_div(bound_tenths.into()) {
        Some(doubled) => format!("{} %", tenths(doubled.div_ceil(2) as u64)),
        None => "-".to_owned(),
    }
}

/// The rows by the bytes of a narrow tick, those that can be decoded first.
pub fn in_order(record: &CodecsRecord) -> Vec<&CodecRow> {
    let mut rows: Vec<&CodecRow> = record.rows.iter().collect();
    rows.sort_by_key(|row| (row.verdict, row.narrow.largest));
    rows
}

/// The cells of a row.
fn cells(record: &CodecsRecord, row: &CodecRow) -> [String; 15] {
    let wrong = |of: fn(&WrongRegisters) -> Wrong| match row.wrong.as_ref().map(of) {
        None => "-".to_owned(),
        Some(Wrong { registers, silent: 0 }) => registers.to_string(),
        Some(Wrong { registers, .. }) => format!("{registers}*"),
    };
    let kind = if row.of == Of::Codec { "codec" } else { "engine" };
    [
        row.name.clone(),
        row.verdict.to_string(),
        row.narrow.largest.to_string(),
        share(row.narrow.median, record.narrow_bound_tenths),
        row.wide.largest.to_string(),
        share(row.wide.median, record.wide_bound_tenths),
        row.narrow.connection.map_or("-".to_owned(), |bytes| bytes.to_string()),
        wrong(|wrong| wrong.exact),
        wrong(|wrong| wrong.repeated),
        wrong(|wrong| wrong.reordered),
        wrong(|wrong| wrong.lost),
        wrong(|wrong| wrong.two_writers),
        row.needs.clone(),
        kind.to_owned(),
        row.evidence.to_string(),
    ]
}

/// The row of the information bound.
fn of_bound(record: &CodecsRecord) -> [String; 15] {
    let mut cells: [String; 15] = std::array::from_fn(|_| "-".to_owned());
    cells[0] = "information bound".to_owned();
    cells[2] = tenths(record.narrow_bound_tenths);
    cells[4] = tenths(record.wide_bound_tenths);
    cells
}

/// One row a codec or engine, and the bound. Columns of a higher rank are left out first where there is no room.
pub fn table(record: &CodecsRecord, rows: &[&CodecRow]) -> Table {
    const RANKS: [u8; 15] = [0, 0, 0, 3, 0, 6, 7, 0, 1, 5, 4, 2, 8, 9, 10];
    let columns = HEADS.iter().zip(RANKS).enumerate().map(|(place, (head, rank))| match place {
        2..12 => Column::number(*head).ranked(rank),
        _ => Column::words(*head).ranked(rank),
    });
    let of_row = |row: &&CodecRow| {
        let cells = cells(record, row).map(Cell::text).into_iter().enumerate();
        cells.map(|(place, cell)| if place == 1 { Cell::verdict(row.verdict) } else { cell }).collect()
    };
    let bound: Vec<Cell> = of_bound(record).map(Cell::text).into_iter().collect();
    Table::numbers(format!("Codecs{}", ticks(record)), columns, rows.iter().map(of_row).chain([bound]))
}

/// What one tick takes in each codec and engine.
pub fn section(record: &Record) -> Option<Section> {
    let of = record.codecs.as_ref()?;
    let about = of.rows.iter().map(|row| format!("{}: {}", row.name, row.about)).collect();
    let blocks = vec![Block::Table(table(of, &in_order(of))), Block::Note(HOW_TO_READ.to_owned()), Block::List(about)];
    Section::of("codecs", "One tick in every codec", blocks)
}
