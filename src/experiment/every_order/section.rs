//! Walks over every order of deltas: how many schedules are proved, and the ways that disagree.

use crate::domain::hex::Hex64;
use crate::domain::trial::EveryOrderTrial;
use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::first_screen::Screen;
use crate::report::record::{Record, WalkRecord, WayRecord};
use crate::report::view::View;

impl View for EveryOrderTrial {
    fn screen(&self, record: &Record, screen: &mut Screen<'_>) {
        first_screen(record, screen);
    }

    fn rates(&self, record: &Record) -> Vec<String> {
        let merges = record.walks.iter().map(|walk| walk.merges).sum();
        let rate = record.timing.rate(merges, |name| record.walks.iter().any(|walk| walk.check == name));
        rate.map(|rate| format!("{rate} merges/s")).into_iter().collect()
    }

    fn sections(&self, record: &Record) -> Vec<Section> {
        section(record).into_iter().collect()
    }
}

/// How far each walk came. What an interrupted one covered is a part of nothing that anybody asked for.
pub fn first_screen(record: &Record, screen: &mut Screen<'_>) {
    for walk in record.walks.iter().filter(|_| !record.interrupted) {
        screen.cut(&format!("  {}: {} of {} schedules proved", walk.check, walk.proved, walk.of));
    }
}

/// How far each walk came, and the ways that disagree.
pub fn section(record: &Record) -> Option<Section> {
    let mut blocks = Vec::new();
    if !record.walks.is_empty() && !record.interrupted {
        blocks.push(Block::Table(table(&record.walks)));
    }
    for walk in &record.walks {
        if let [first, second] = &walk.ways[..] {
            blocks.push(Block::Table(ways(&walk.check, first, second)));
            let difference = first.state.0 ^ second.state.0;
            let bytes = (0..8).filter(|byte| difference >> (8 * byte) & 0xFF != 0).map(|byte: u32| byte.to_string());
            let bytes: Vec<String> = bytes.collect();
            blocks.push(Block::Note(format!("Differing bytes, of which 0 is the lowest: {}.", bytes.join(", "))));
        }
    }
    Section::of("walks", "Every order, exactly", blocks)
}

fn table(walks: &[WalkRecord]) -> Table {
    let columns = [
        Column::words("check"),
        Column::words("evidence"),
        Column::number("proved"),
        Column::number("of schedules"),
        Column::number("deliveries"),
        Column::number("sets"),
    ];
    let rows = walks.iter().map(|walk| {
        let tone = if walk.proved == walk.of { Tone::Good } else { Tone::Bad };
        vec![
            Cell::text(&walk.check),
            Cell::text(walk.evidence),
            Cell::toned(&walk.proved, tone),
            Cell::text(&walk.of),
            Cell::text(walk.merges),
            Cell::text(walk.sets),
        ]
    });
    Table::numbers("Walks over every order: schedules that are proved to agree", columns, rows)
}

/// Two ways that disagree, side by side.
fn ways(check: &str, first: &WayRecord, second: &WayRecord) -> Table {
    let cell = |way: &WayRecord, place: usize| {
        Cell::text(way.deltas.get(place).map_or(String::new(), |(index, value)| format!("delta {index} {value}")))
    };
    let deliveries = (0..first.deltas.len().max(second.deltas.len()))
        .map(|place| vec![Cell::text(format!("#{}", place + 1)), cell(first, place), cell(second, place)]);
    let states = [
        vec![Cell::text("state"), Cell::text(first.state), Cell::text(second.state)],
        vec![Cell::text("difference"), Cell::text(Hex64(first.state.0 ^ second.state.0)), Cell::text("")],
    ];
    let columns = ["delivered", "one way", "another"].map(Column::words);
    Table::numbers(format!("Two ways that disagree: {check}"), columns, deliveries.chain(states))
}
