//! Walks: over every order of deltas, and over every crash or every delivery of a small world.

use crate::domain::count::counted;
use crate::domain::hex::Hex64;
use crate::domain::verdict::Verdict;
use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::offline_record::{DeliveriesRecord, EverywhereRecord, WalkedRecord};
use crate::report::record::{Record, WalkRecord, WayRecord};

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
    if let Some(everywhere) = &record.everywhere {
        let EverywhereRecord { evidence, sound, planted_in, .. } = everywhere;
        if !record.interrupted {
            blocks.push(Block::Paragraph(format!(
                "Every crash and every order of deliveries: {} (evidence {evidence}).",
                walk(sound)
            )));
        }
        blocks.extend(way_there(sound));
        if let Some(planted_in) = planted_in.as_ref().filter(|_| !record.interrupted) {
            let told = format!(
                "Mutants are planted in a smaller world: {}. Without a mutant: {}.",
                planted_in.world,
                walk(&planted_in.sound)
            );
            blocks.push(Block::Paragraph(told));
            blocks.extend(way_there(&planted_in.sound));
        }
    }
    if !record.deliveries.is_empty() && !record.interrupted {
        let rows: Vec<&DeliveriesRecord> = record.deliveries.iter().collect();
        blocks.push(Block::Table(deliveries(&rows)));
    }
    for row in &record.deliveries {
        let place = row.smallest.as_deref().unwrap_or("the whole world");
        blocks.extend(way(&row.walked, format!("The way to what is wrong with {}, in {place}", row.engine)));
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

/// A row for each engine whose deliveries were walked.
pub fn deliveries(rows: &[&DeliveriesRecord]) -> Table {
    let columns = [
        Column::words("engine"),
        Column::words("verdict"),
        Column::number("ways"),
        Column::number("states").ranked(3),
        Column::number("ends").ranked(2),
        Column::words("explored").ranked(1),
        Column::words("evidence").ranked(4),
        Column::words("against it"),
    ];
    let rows = rows.iter().map(|row| {
        let judges = row.against.iter().filter(|(_, (said, _))| *said == Verdict::Falsified);
        let judges: Vec<&str> = judges.map(|(judge, _)| judge.as_str()).collect();
        let first = judges.iter().find(|judge| **judge == "truth").or(judges.first());
        let more = if judges.len() > 1 { format!(" +{}", judges.len() - 1) } else { String::new() };
        let against = first.map_or(String::new(), |judge| format!("{judge}{more}"));
        let WalkedRecord { ways, states, ends, complete, .. } = &row.walked;
        // The ways to ends are counted when all of them are known.
        let ways = if *complete { ways.as_str() } else { "-" };
        vec![
            Cell::text(&row.engine),
            Cell::verdict(row.verdict),
            Cell::text(ways),
            Cell::text(states),
            Cell::text(ends),
            Cell::text(row.explored),
            Cell::text(row.evidence),
            Cell::text(against),
        ]
    });
    Table::numbers("Every order of deliveries, by engine", columns, rows)
}

fn way_there(walked: &WalkedRecord) -> Option<Block> {
    way(walked, "The way to what is wrong".to_owned())
}

fn way(walked: &WalkedRecord, caption: String) -> Option<Block> {
    let lines: Vec<String> =
        walked.way_there.iter().enumerate().map(|(place, step)| format!("{:>3} {step}", place + 1)).collect();
    (!lines.is_empty()).then_some(Block::Steps { caption, lines })
}

/// What a walk came through.
fn walk(walked: &WalkedRecord) -> String {
    let WalkedRecord { states, steps, crashes, deliveries, ways, ends, complete, way_there } = walked;
    let all = match (complete, way_there.is_empty()) {
        (true, _) => "all of them",
        (false, true) => "not all of them: the bound on states was reached",
        (false, false) => "not all of them: a judge had something against an end",
    };
    format!(
        "{}, {all}; {} between them, of which {} and {}; {} from the beginning to one of {}",
        counted(states, "state"),
        counted(steps, "step"),
        counted(crashes, "crash"),
        counted(deliveries, "delivery"),
        counted(ways, "way"),
        counted(ends, "end")
    )
}
