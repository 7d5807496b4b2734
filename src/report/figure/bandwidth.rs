//! Bytes a month of each sender, with the customer's own numbers, against the full state and the information bound.

use super::bytes::{drawn, verdicts};
use super::plot::{Axis, Reference, Row, Sample, bytes};
use super::svg::{Dash, Ink};
use super::{Figure, mark_of, table_of};
use crate::domain::count::counted;
use crate::domain::shown::{percent, tenths};
use crate::report::bandwidth_record::{BandwidthRecord, BandwidthRow, Estimate};

/// A mark for every sender whose bytes are known; nothing where none is.
pub fn of_bandwidth(record: &BandwidthRecord) -> Option<Figure> {
    let mut known: Vec<(&BandwidthRow, Estimate)> =
        record.rows.iter().filter_map(|row| Some((row, row.estimate?))).collect();
    known.sort_by_key(|(row, of)| (of.bytes_per_month, row.label()));
    let (&(least, fewest), &(most, highest)) = (known.first()?, known.last()?);
    let share = |row: &BandwidthRow| row.of_whole_state_per_mille.map(percent);
    let row = |(row, of): &(&BandwidthRow, Estimate)| {
        let (mark, ink) = mark_of(row.verdict);
        let share = share(row).map_or(String::new(), |share| format!(", {share}"));
        let label = format!("{}{share}", short(of.bytes_per_month));
        Row { name: row.label(), marks: vec![(of.bytes_per_month as f64, mark, ink)], label }
    };
    let rows: Vec<Row> = known.iter().map(row).collect();
    let full = record.whole_state().and_then(|whole| whole.estimate);
    let lines = [(full, Dash::Dashes, "full state"), (Some(record.bound), Dash::Points, "information bound")];
    let references: Vec<Reference> = lines
        .into_iter()
        .filter_map(|(of, dash, name)| {
            Some(Reference { value: of?.bytes_per_month as f64, dash, name: name.to_owned() })
        })
        .collect();
    let values = known.iter().map(|(_, of)| of.bytes_per_month).chain([record.bound.bytes_per_month]);
    let axis = Axis::of("bytes a month, all clients", values.map(|bytes| bytes as f64), bytes);
    let mut entries = verdicts(&known.iter().map(|(row, _)| row.verdict).collect::<Vec<_>>());
    entries.extend(references.iter().map(|line| (Sample::Line(line.dash, Ink::Text), line.name.clone())));
    let title = format!("Bytes a month by sender (evidence {})", record.evidence);
    let unknown = record.rows.len() - known.len();
    let unknown = match unknown {
        0 => String::new(),
        1 => " 1 sender of unknown bytes is not drawn.".to_owned(),
        more => format!(" {more} senders of unknown bytes are not drawn."),
    };
    let told =
        |row: &BandwidthRow, of: Estimate| format!("{}, {}, {}", row.label(), short(of.bytes_per_month), row.verdict);
    let alt = format!(
        "Bytes a month of {}, both ways, by sender. Fewest: {}. Most: {}. The information bound is {}.{unknown}",
        counted(record.clients, "client"),
        told(least, fewest),
        told(most, highest),
        short(record.bound.bytes_per_month)
    );
    let mut table = table_of([
        "sender",
        "verdict",
        "wrong records",
        "a day, B",
        "a month, B",
        "of full state, %",
        "may be wrong by, %",
    ]);
    for row in known.iter().map(|(row, _)| *row).chain(record.rows.iter().filter(|row| row.estimate.is_none())) {
        let number =
            |of: fn(Estimate) -> u64| row.estimate.map_or("unknown".to_owned(), |estimate| of(estimate).to_string());
        table.row([
            row.label(),
            row.verdict.to_string(),
            row.wrong_records.to_string(),
            number(|of| of.bytes_per_day),
            number(|of| of.bytes_per_month),
            row.of_whole_state_per_mille.map_or("-".to_owned(), tenths),
            tenths(record.error_per_mille(row)),
        ]);
    }
    let bound = record.bound;
    let dash = || "-".to_owned();
    let (day, month) = (bound.bytes_per_day.to_string(), bound.bytes_per_month.to_string());
    table.row(["information bound".to_owned(), dash(), dash(), day, month, dash(), dash()]);
    Some(Figure { svg: drawn(&title, &alt, &axis, &rows, &references, &entries), title, alt, table, is_repeated: true })
}

/// Bytes with three digits.
fn short(number: u64) -> String {
    let unit = [1_000_000_000_u64, 1_000_000, 1000].into_iter().find(|unit| number >= *unit).unwrap_or(1);
    // To a tenth of the unit.
    let step = (unit / 10).max(1);
    bytes((number.saturating_add(step / 2) / step * step) as f64)
}
