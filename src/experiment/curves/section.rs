//! Curves: bytes of a sync as one thing grows, where engines cost more than the full state, and what a client pays that comes without
//! what it had.

use std::collections::BTreeSet;

use crate::domain::count::counted;
use crate::domain::curves::{Axis, CurvesTrial};
use crate::domain::shown::tenths;
use crate::report::curves_record::{ArrivalRecord, CurveRecord, CurveRow, CurvesRecord, PlaceRecord, PointRecord};
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::first_screen::Screen;
use crate::report::first_screen::screen::ROWS;
use crate::report::record::Record;
use crate::report::view::View;

/// How to read the tables.
const HOW_TO_READ: &str = "Bytes are all that a sync moves, both ways, with handshakes and acknowledgements: the median of \
     the syncs at a point. With several writers a sync is that of all of them, until all have what all did. A star: some \
     replica shows wrong registers after a sync. The bound is what tells the changes at least, in all messages that a sync \
     needs; the full state and zstd are 8 bytes a register in each of these messages, plain and compressed. Dearer: the points \
     at which an engine moves no fewer bytes than that. Registers start at 0, so that zstd has little to say at first.";

impl View for CurvesTrial {
    fn what_ran(&self, record: &Record) -> Option<String> {
        record.curves.as_ref().map(|of| format!("{} (evidence {})", what(of), of.evidence))
    }

    fn screen(&self, record: &Record, screen: &mut Screen<'_>) {
        let Some(of) = &record.curves else { return };
        let first = of.curves.iter().find(|curve| curve.axis == Axis::Density).or(of.curves.first());
        if let Some(curve) = first {
            screen.text().fitted(&table(of, curve, ROWS));
        }
        let (more, place) = (counted(of.curves.len().saturating_sub(1), "more curve"), screen.elsewhere());
        screen.cut(&format!("  and {more}, and what a new, wiped or set-back client pays ({place})"));
    }

    fn sections(&self, record: &Record) -> Vec<Section> {
        section(record).into_iter().collect()
    }
}

/// What was measured, in words.
fn what(record: &CurvesRecord) -> String {
    format!(
        ": {} of {} registers change within ±{} where nothing else is said; medians of {} syncs",
        record.changed, record.registers, record.most, record.samples
    )
}

/// The engines that have a row at a point, in the order in which they were measured.
fn engines(record: &CurvesRecord) -> Vec<&str> {
    record.arrivals.iter().map(|arrival| arrival.engine.as_str()).collect()
}

fn row<'a>(point: &'a PointRecord, engine: &str) -> Option<&'a CurveRow> {
    point.rows.iter().find(|row| row.engine == engine)
}

/// The points at which an engine moves no fewer bytes than something else.
fn dearer(curve: &CurveRecord, engine: &str, other: fn(&PointRecord) -> u64) -> String {
    let taken: Vec<(&PointRecord, &CurveRow)> =
        curve.points.iter().filter_map(|point| Some((point, row(point, engine)?))).collect();
    let is_dearer: Vec<bool> = taken.iter().map(|(point, row)| row.total() >= other(point)).collect();
    let dearer: Vec<u32> = taken.iter().zip(&is_dearer).filter(|(_, is)| **is).map(|((point, _), _)| point.x).collect();
    let turns = is_dearer.windows(2).filter(|pair| pair[0] != pair[1]).count();
    match (&dearer[..], turns) {
        _ if taken.is_empty() => "-".to_owned(),
        ([], _) => "never".to_owned(),
        (_, 0) => "always".to_owned(),
        ([first, ..], 1) if is_dearer.last() == Some(&true) => format!("from {first}"),
        ([.., last], 1) => format!("up to {last}"),
        (all, _) => all.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// A curve as a table: engines, then what they are compared with. The engines that take least at the last point come first.
fn table(record: &CurvesRecord, curve: &CurveRecord, most: usize) -> Table {
    let mut engines = engines(record);
    let last = |engine: &str| curve.points.iter().rev().find_map(|point| row(point, engine)).map(CurveRow::total);
    let is_wrong = |engine: &str| curve.points.iter().filter_map(|point| row(point, engine)).any(|row| row.wrong > 0);
    engines.sort_by_key(|engine| (is_wrong(engine), last(engine).unwrap_or(u64::MAX)));
    engines.truncate(most);
    let points = curve.points.len();
    // The ends of a curve are what is read first.
    let rank = |place: usize| if place == 0 || place + 1 == points { 0 } else { 1 + (place % 2) as u8 };
    let mut columns = vec![Column::words(format!("B by {}", curve.axis.unit()))];
    columns.extend(
        curve.points.iter().enumerate().map(|(place, point)| Column::number(point.x.to_string()).ranked(rank(place))),
    );
    columns.push(Column::number("dearer than full").ranked(3));
    columns.push(Column::number("than zstd").ranked(4));
    let of_engine = |engine: &&str| {
        let bytes = curve.points.iter().map(|point| {
            row(point, engine)
                .map_or("-".to_owned(), |row| format!("{}{}", row.total(), if row.wrong > 0 { "*" } else { "" }))
        });
        let crosses = [dearer(curve, engine, |point| point.full_state), dearer(curve, engine, |point| point.zstd)];
        [(*engine).to_owned()].into_iter().chain(bytes).chain(crosses).map(Cell::text).collect::<Vec<_>>()
    };
    type Compared = (&'static str, fn(&PointRecord) -> String);
    let compared: [Compared; 4] = [
        ("full state", |point| point.full_state.to_string()),
        ("full state, zstd", |point| point.zstd.to_string()),
        ("zstd patch", |point| point.zstd_patch.to_string()),
        ("information bound", |point| tenths(point.bound_tenths)),
    ];
    let compared = compared.map(|(name, of)| {
        let cells = curve.points.iter().map(of);
        let none = ["-".to_owned(), "-".to_owned()];
        [name.to_owned()].into_iter().chain(cells).chain(none).map(Cell::text).collect::<Vec<_>>()
    });
    let title = format!("Bytes of a sync by {} (evidence {})", curve.axis, record.evidence);
    Table::numbers(title, columns, engines.iter().map(of_engine).chain(compared))
}

/// What a client pays that comes without what it had, and what replicas store.
fn arrivals(record: &CurvesRecord) -> Table {
    let columns = [
        Column::words("engine"),
        Column::words("verdict"),
        Column::number("idle B"),
        Column::number("new B"),
        Column::number("wiped B"),
        Column::number("set back B"),
        Column::number("hub stores B").ranked(1),
        Column::number("client stores B").ranked(2),
        Column::number("after ticks").ranked(3),
    ];
    let rows = record.arrivals.iter().map(|arrival| {
        let ArrivalRecord { engine, new, wiped, set_back, idle, verdict, failed, .. } = arrival;
        let history = record.curves.iter().find(|curve| curve.axis == Axis::History);
        let last =
            history.and_then(|curve| curve.points.iter().rev().find_map(|point| Some((point.x, row(point, engine)?))));
        let stored = |of: fn(&CurveRow) -> u64| last.map_or("-".to_owned(), |(_, row)| of(row).to_string());
        let paid = |bytes: u64| if failed.is_some() { "-".to_owned() } else { bytes.to_string() };
        vec![
            Cell::text(engine),
            Cell::verdict(*verdict),
            Cell::text(paid(*idle)),
            Cell::text(paid(*new)),
            Cell::text(paid(*wiped)),
            Cell::text(match set_back {
                Some(bytes) => bytes.to_string(),
                None if failed.is_some() => "-".to_owned(),
                None => "refused".to_owned(),
            }),
            Cell::text(stored(|row| row.hub_stores)),
            Cell::text(stored(|row| row.client_stores)),
            Cell::text(last.map_or("-".to_owned(), |(ticks, _)| ticks.to_string())),
        ]
    });
    let title = format!(
        "What a client pays after {} ticks of two writers: a sync with nothing to say, a new client, one that lost its store, \
         one whose store was set back by 10 ticks (evidence {})",
        record.arrivals_after, record.evidence
    );
    Table::numbers(title, columns, rows)
}

/// What it takes to find out what differs.
fn places(record: &CurvesRecord) -> Table {
    let columns = ["ids", "differences", "sketch B", "parts", "all ids B", "bound B", "wrong"].map(Column::number);
    let rows = record.places.iter().map(|place| {
        let PlaceRecord { ids, differences, sketch, parts, all_ids, bound_tenths, wrong } = *place;
        [
            ids.to_string(),
            differences.to_string(),
            sketch.to_string(),
            parts.to_string(),
            all_ids.to_string(),
            tenths(bound_tenths),
            wrong.to_string(),
        ]
        .map(Cell::text)
    });
    let title = "A client that lost its place: bytes until both sides know which ids to send, by set reconciliation, and of \
                 all ids (evidence software)";
    Table::numbers(title, columns, rows.map(Vec::from))
}

/// All curves, and what arrivals pay.
fn section(record: &Record) -> Option<Section> {
    let of = record.curves.as_ref()?;
    let mut blocks: Vec<Block> = of.curves.iter().map(|curve| Block::Table(table(of, curve, usize::MAX))).collect();
    blocks.push(Block::Table(arrivals(of)));
    if !of.places.is_empty() {
        blocks.push(Block::Table(places(of)));
    }
    blocks.push(Block::Note(HOW_TO_READ.to_owned()));
    let failed: BTreeSet<String> = of
        .arrivals
        .iter()
        .filter_map(|arrival| Some(format!("{} failed: {}", arrival.engine, arrival.failed.as_ref()?)))
        .collect();
    blocks.push(Block::List(failed.into_iter().collect()));
    Section::of("curves", "What a sync takes as one thing grows", blocks)
}
