//! Codecs of a tick: bytes against the bound, and wrong registers by how messages arrived.

use crate::domain::shown::tenths;
use crate::report::codecs_record::{CodecRow, CodecsRecord, Of, Sizes, Wrong, WrongRegisters};
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::record::Record;

/// The heads of the table's columns.
const HEADS: [&str; 17] = [
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
    "cut off",
    "set back",
    "needs",
    "kind",
    "evidence",
];

/// How to read the table.
const HOW_TO_READ: &str = "Bytes are those of the largest message; of bound is the median in hundredths of the \
     information bound, which grants that the receiver knows how many registers change and within which bounds. A connection \
     is all bytes of an engine both ways, with handshake and acknowledgements, for a narrow tick (median). Wrong are \
     registers at the receiver, the most of any tick or of any 3 ticks in a row: with each message once, each twice, the \
     second before the first, the second lost, two writers at the same time, a connection that ends once the second arrived, \
     and the sender's store set back to what it was before the second. A star: the receiver notices nothing. For an \
     engine, each tick has a connection of its own: repeated, reordered and lost are messages within the second connection, \
     ticks are never reordered, and every wrong register has a star. Elements of \
     tags that are lost, or back after they were removed, stand beside the registers.";

/// How to read the columns that a screen has room for.
pub const IN_SHORT: &str = "B: the largest message. Then wrong registers: each message once, each twice, two writers at \
     once, the sender set back. *: the receiver notices nothing.";

/// The ticks, in words.
pub fn ticks(record: &CodecsRecord) -> String {
    format!(
        ": {} ticks of {} of {} registers, changed within ±{} (narrow) and by any 64 bits (wide)",
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

/// How many registers are wrong, with a star where nobody noticed; and elements that are lost, or back.
fn told(wrong: Wrong) -> String {
    let Wrong { registers, silent, lost, resurrected } = wrong;
    let star = if silent == 0 { "" } else { "*" };
    let elements = [(lost, "lost"), (resurrected, "back")].into_iter().filter(|(number, _)| *number > 0);
    let elements: String = elements.map(|(number, what)| format!(", {number} {what}")).collect();
    format!("{registers}{star}{elements}")
}

/// The cells of a row.
fn cells(record: &CodecsRecord, row: &CodecRow) -> [String; 17] {
    let wrong = |of: fn(&WrongRegisters) -> Option<Wrong>| row.wrong.as_ref().and_then(of).map_or("-".to_owned(), told);
    let wide = |cell: &dyn Fn(Sizes) -> String| row.wide.map_or("-".to_owned(), cell);
    let kind = if row.of == Of::Codec { "codec" } else { "engine" };
    [
        row.name.clone(),
        row.verdict.to_string(),
        row.narrow.largest.to_string(),
        share(row.narrow.median, record.narrow_bound_tenths),
        wide(&|sizes| sizes.largest.to_string()),
        wide(&|sizes| share(sizes.median, record.wide_bound_tenths)),
        row.narrow.connection.map_or("-".to_owned(), |bytes| bytes.to_string()),
        wrong(|wrong| Some(wrong.exact)),
        wrong(|wrong| Some(wrong.repeated)),
        wrong(|wrong| Some(wrong.reordered)),
        wrong(|wrong| Some(wrong.lost)),
        wrong(|wrong| Some(wrong.two_writers)),
        wrong(|wrong| wrong.cut_off),
        wrong(|wrong| wrong.set_back),
        if row.ticks < record.ticks { format!("{}; of {} ticks", row.needs, row.ticks) } else { row.needs.clone() },
        kind.to_owned(),
        row.evidence.to_string(),
    ]
}

/// The row of the information bound.
fn of_bound(record: &CodecsRecord) -> [String; 17] {
    let mut cells: [String; 17] = std::array::from_fn(|_| "-".to_owned());
    cells[0] = "information bound".to_owned();
    cells[2] = tenths(record.narrow_bound_tenths);
    cells[4] = tenths(record.wide_bound_tenths);
    cells
}

/// One row a codec or engine, and the bound. Columns of a higher rank are left out first where there is no room.
pub fn table(record: &CodecsRecord, rows: &[&CodecRow]) -> Table {
    const RANKS: [u8; 17] = [0, 0, 0, 4, 0, 8, 9, 0, 1, 6, 5, 2, 7, 3, 10, 11, 12];
    let columns = HEADS.iter().zip(RANKS).enumerate().map(|(place, (head, rank))| match place {
        2..14 => Column::number(*head).ranked(rank),
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
