//! How long edits took until others had them, in virtual time.

use crate::domain::shown::time;
use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::offline_record::{EngineRecord, OfflineRecord};
use crate::report::record::{Latencies, Record};

/// Percentiles of staleness and of convergence.
pub fn section(record: &Record) -> Option<Section> {
    let offline = record.offline.as_ref()?;
    let never = |number: u64| Cell::toned(number, if number > 0 { Tone::Bad } else { Tone::Plain });
    let unknown = |number: Option<u64>| number.map_or(Cell::text("-"), never);
    let tables = [
        table("From an edit until another client has it", offline, |engine| {
            (&engine.staleness_ms, unknown(engine.undelivered))
        }),
        table("From an edit until every replica has it", offline, |engine| {
            (&engine.convergence_ms, unknown(engine.unconverged))
        }),
        table("From the end of all faults until all replicas show the same", offline, |engine| {
            (&engine.world_convergence_ms, never(engine.unconverged_worlds))
        }),
    ];
    let mut blocks: Vec<Block> = tables.into_iter().map(Block::Table).collect();
    blocks.push(Block::Note(
        "All times are virtual. Never: what did not come to pass, which is in no percentile. Where an engine sends no ids, a \
         client has an edit when it takes a message from a state that the edit went into, whatever the merge makes of it."
            .to_owned(),
    ));
    Section::of("staleness", "Staleness and convergence", blocks)
}

fn table(what: &str, offline: &OfflineRecord, of: impl Fn(&EngineRecord) -> (&Latencies, Cell)) -> Table {
    let heads = ["count", "p50", "p90", "p99", "longest", "never"].map(Column::number);
    let columns = [Column::words("engine")].into_iter().chain(heads);
    let rows = offline.engines.iter().map(|engine| {
        let (times, never) = of(engine);
        let Latencies { count, p50, p90, p99, max, .. } = *times;
        let shown = [p50, p90, p99, max].map(|ms| Cell::number((count > 0).then(|| time(ms))));
        [Cell::text(&engine.name), Cell::text(count)].into_iter().chain(shown).chain([never]).collect()
    });
    Table::numbers(format!("{what} (evidence {})", offline.evidence), columns, rows)
}

/// The median and the 99th percentile; of nothing there is none.
pub fn percentiles(times: &Latencies) -> [String; 2] {
    [times.p50, times.p99].map(|ms| if times.count > 0 { time(ms) } else { "-".to_owned() })
}
