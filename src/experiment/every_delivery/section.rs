//! Every order of deliveries in a small world, a row for each engine, and the ways to what is wrong.

use crate::domain::every_delivery::EveryDeliveryTrial;
use crate::domain::oracle::OracleId;
use crate::domain::verdict::Verdict;
use crate::experiment::small_world::way;
use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::first_screen::Screen;
use crate::report::first_screen::screen::worst;
use crate::report::offline_record::{DeliveriesRecord, WalkedRecord};
use crate::report::record::Record;
use crate::report::view::View;

impl View for EveryDeliveryTrial {
    fn screen(&self, record: &Record, screen: &mut Screen<'_>) {
        // What an interrupted walk covered is a part of nothing that anybody asked for.
        if !record.deliveries.is_empty() && !record.interrupted {
            screen.text().fitted(&deliveries(&worst(&record.deliveries, |row| row.verdict)));
            screen.more(record.deliveries.len(), "engine");
        }
    }

    fn rates(&self, record: &Record) -> Vec<String> {
        let whole = record.deliveries.iter().filter(|row| row.walked.complete && row.verdict == Verdict::Holds);
        let states: u64 = whole.clone().map(|row| row.walked.states).sum();
        let rate = record.timing.rate(states, |name| whole.clone().any(|row| name == super::name_of(&row.engine)));
        rate.map(|rate| format!("{rate} states/s")).into_iter().collect()
    }

    fn sections(&self, record: &Record) -> Vec<Section> {
        section(record).into_iter().collect()
    }
}

fn section(record: &Record) -> Option<Section> {
    let mut blocks = Vec::new();
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

/// A row for each engine whose deliveries were walked.
fn deliveries(rows: &[&DeliveriesRecord]) -> Table {
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
        let judges: Vec<OracleId> = judges.map(|(&judge, _)| judge).collect();
        let first = judges.iter().find(|&&judge| judge == OracleId::Truth).or(judges.first());
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
