//! The table of codecs: bytes of a tick against the information bound, and wrong registers by how messages arrived.

use crate::domain::verdict::Verdict;
use crate::report::codecs_record::{CodecRow, CodecsRecord, Of, Wrong};
use crate::report::columns::{Column, lines, wrapped};
use crate::report::text::{Text, styled, tenths};

/// Rows on the first screen.
const ROWS: usize = 10;

/// The heads of the table's columns.
pub const HEADS: [&str; 15] = [
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
pub const HOW_TO_READ: &str = "Bytes are those of the largest message; of bound is the median in hundredths of the \
     information bound, which grants that the receiver knows how many registers change and within which bounds. A connection \
     is all bytes of an engine both ways, with handshake and acknowledgements, for a narrow tick (median). Wrong are \
     registers at the receiver, the most of any tick: with each message once, each twice, the second before the first, the \
     second lost, and two writers at the same time. A star: the receiver notices nothing.";

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
pub fn cells(record: &CodecsRecord, row: &CodecRow) -> [String; 15] {
    let wrong = |of: fn(&crate::report::codecs_record::WrongRegisters) -> Wrong| match row.wrong.as_ref().map(of) {
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
pub fn of_bound(record: &CodecsRecord) -> [String; 15] {
    let mut cells: [String; 15] = std::array::from_fn(|_| "-".to_owned());
    cells[0] = "information bound".to_owned();
    cells[2] = tenths(record.narrow_bound_tenths);
    cells[4] = tenths(record.wide_bound_tenths);
    cells
}

impl Text {
    /// The smallest messages.
    pub(super) fn codecs_screen(&mut self, record: &CodecsRecord) {
        let rows = in_order(record);
        let shown: Vec<Vec<String>> = rows.iter().take(ROWS).map(|row| cells(record, row).to_vec()).collect();
        let ranks = [0, 0, 0, 1, 0, 5, 6, 0, 0, 3, 2, 0, 7, 8, 9];
        let columns = columns(&ranks);
        let rows_shown = [shown, vec![of_bound(record).to_vec()]].concat();
        lines(&columns, &rows_shown, self.width(), style).iter().for_each(|line| self.line(line));
        if let more @ 1.. = rows.len().saturating_sub(ROWS) {
            self.cut(&format!("  and {more} more, dearer or undecodable (-vv shows all)"));
        }
    }

    /// All that the record has.
    pub(super) fn codecs(&mut self, record: &CodecsRecord) {
        self.heading(&format!("codecs{}", ticks(record)));
        let mut rows: Vec<Vec<String>> = in_order(record).iter().map(|row| cells(record, row).to_vec()).collect();
        rows.push(of_bound(record).to_vec());
        let columns = columns(&[0; 15]);
        wrapped(&columns, &rows, self.width(), style).iter().for_each(|line| self.line(line));
        self.paragraph("", 2, HOW_TO_READ);
        for row in &record.rows {
            self.paragraph("  - ", 4, &format!("{}: {}", row.name, row.about));
        }
    }
}

fn columns(ranks: &[u8; 15]) -> Vec<Column> {
    let is_words = |place: usize| !(2..12).contains(&place);
    HEADS
        .iter()
        .zip(ranks)
        .enumerate()
        .map(|(place, (&head, &rank))| Column { head, rank, left: is_words(place) })
        .collect()
}

fn style(place: usize, cell: &str) -> String {
    let verdict = [Verdict::Holds, Verdict::Falsified].into_iter().find(|verdict| verdict.to_string() == cell);
    verdict.filter(|_| place == 1).map_or(cell.to_owned(), styled)
}
