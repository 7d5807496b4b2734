//! Codecs of a tick: bytes against the bound, and wrong registers by how messages arrived.

use std::collections::BTreeSet;

use crate::domain::codecs::{Arrival, CodecsTrial};
use crate::domain::evidence::Evidence;
use crate::domain::shown::tenths;
use crate::domain::trial::Keys;
use crate::report::codecs_record::{CodecRow, CodecsRecord, Of, Sizes, Standing, Wrong};
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::first_screen::Screen;
use crate::report::first_screen::screen::ROWS;
use crate::report::record::Record;
use crate::report::view::View;

/// Columns of the table.
const COLUMNS: usize = 18;

/// The heads of the table's columns.
const HEADS: [&str; COLUMNS] = [
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
    "claims",
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
     tags that are lost, or back after they were removed, stand beside the registers. Numbers in parentheses are beyond what \
     the row claims: a codec has no transport, and most claim nothing about delivery; an engine is held to the transport \
     that it declares, and to every set-back, and what it loses beyond that settles nothing.";

/// How to read the columns that a screen has room for.
const IN_SHORT: &str = "B: the largest message. Then wrong registers: each message once, each twice, two writers at \
     once, the sender set back. *: unnoticed. (): beyond what it claims.";

impl View for CodecsTrial {
    fn what_ran(&self, record: &Record) -> Option<String> {
        let of = record.codecs.as_ref()?;
        let evidence: BTreeSet<Evidence> = of.rows.iter().map(|row| row.evidence).collect();
        let evidence: Vec<String> = evidence.iter().map(Evidence::to_string).collect();
        Some(format!("{} (evidence {})", ticks(of), evidence.join(", ")))
    }

    fn screen(&self, record: &Record, screen: &mut Screen<'_>) {
        record.codecs.iter().for_each(|of| first_screen(&Keys::engines(self), of, screen));
    }

    fn sections(&self, record: &Record) -> Vec<Section> {
        section(record).into_iter().collect()
    }
}

/// The engines that were asked for by name, and the smallest messages.
fn first_screen(engines: &[&str], record: &CodecsRecord, screen: &mut Screen<'_>) {
    let names: Vec<&str> = engines.iter().map(|text| text.split('=').next().unwrap_or(text)).collect();
    let (mut rows, others): (Vec<_>, Vec<_>) =
        in_order(record).into_iter().partition(|row| names.contains(&row.name.as_str()));
    rows.extend(others);
    let shown = &rows[..rows.len().min(ROWS)];
    screen.text().fitted(&table(record, shown));
    if shown.len() < rows.len() {
        let (left, place) = (rows.len() - shown.len(), screen.elsewhere());
        screen.cut(&format!("  and {left} more, dearer or undecodable ({place})"));
    }
    screen.text().paragraph("", 2, IN_SHORT);
}

/// The ticks, in words.
fn ticks(record: &CodecsRecord) -> String {
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
fn in_order(record: &CodecsRecord) -> Vec<&CodecRow> {
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
fn cells(record: &CodecsRecord, row: &CodecRow) -> [String; COLUMNS] {
    let wrong = |of: Arrival| {
        let wrong = row.wrong.as_ref().and_then(|wrong| wrong.by_arrival().find(|(arrival, _)| *arrival == of));
        wrong.map_or("-".to_owned(), |(_, wrong)| match wrong.standing(row.claims, of) {
            Standing::Beyond => format!("({})", told(wrong)),
            Standing::Right | Standing::Contradicts => told(wrong),
        })
    };
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
        wrong(Arrival::Exact),
        wrong(Arrival::Repeated),
        wrong(Arrival::Reordered),
        wrong(Arrival::Lost),
        wrong(Arrival::TwoWriters),
        wrong(Arrival::CutOff),
        wrong(Arrival::SetBack),
        if row.ticks < record.ticks { format!("{}; of {} ticks", row.needs, row.ticks) } else { row.needs.clone() },
        row.claims.told().to_owned(),
        kind.to_owned(),
        row.evidence.to_string(),
    ]
}

/// The row of the information bound.
fn of_bound(record: &CodecsRecord) -> [String; COLUMNS] {
    let mut cells: [String; COLUMNS] = std::array::from_fn(|_| "-".to_owned());
    cells[0] = "information bound".to_owned();
    cells[2] = tenths(record.narrow_bound_tenths);
    cells[4] = tenths(record.wide_bound_tenths);
    cells
}

/// One row a codec or engine, and the bound. Columns of a higher rank are left out first where there is no room.
fn table(record: &CodecsRecord, rows: &[&CodecRow]) -> Table {
    const RANKS: [u8; COLUMNS] = [0, 0, 0, 4, 0, 8, 9, 0, 1, 6, 5, 2, 7, 3, 10, 11, 12, 13];
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
fn section(record: &Record) -> Option<Section> {
    let of = record.codecs.as_ref()?;
    let about = of.rows.iter().map(|row| format!("{}: {}", row.name, row.about)).collect();
    let blocks = vec![Block::Table(table(of, &in_order(of))), Block::Note(HOW_TO_READ.to_owned()), Block::List(about)];
    Section::of("codecs", "One tick in every codec", blocks)
}
