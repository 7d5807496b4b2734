//! Bytes against full state and the information bound: of engines in a world, and of one tick.

use super::plot::{Axis, Reference, Row, Sample, WIDTH, bytes, height_of_rows, legend, rows};
use super::svg::{Dash, Ink, Mark, Svg};
use super::{Figure, mark_of, table_of};
use crate::domain::count::counted;
use crate::domain::shown::{percent, tenths};
use crate::domain::verdict::Verdict;
use crate::report::offline_record::{EngineRecord, OfflineRecord};
use crate::report::record::TickRecord;

/// All bytes of clients, both ways.
fn both_ways(engine: &EngineRecord) -> u64 {
    engine.up.total() + engine.down.total()
}

/// The bytes of every engine in the same world.
pub(super) fn of_world(world: &OfflineRecord, interrupted: bool) -> Option<Figure> {
    let OfflineRecord { evidence, clients, registers, edits, engines, .. } = world;
    if engines.is_empty() {
        return None;
    }
    let share = |engine: &EngineRecord| engine.of_full_state_per_mille.filter(|_| !interrupted);
    let bound = engines.iter().filter_map(|engine| engine.bound_bytes).min();
    // The engine that the shares are of; of several with its bytes, any.
    let full = engines.iter().find(|engine| engine.of_full_state_per_mille == Some(1000)).map(both_ways);
    let row = |engine: &EngineRecord| {
        let (mark, ink) = mark_of(engine.verdict);
        let share = share(engine).map_or(String::new(), |share| format!(", {}", percent(share)));
        let label = format!("{} B{share}", both_ways(engine));
        Row { name: engine.name.clone(), marks: vec![(both_ways(engine) as f64, mark, ink)], label }
    };
    let mut sorted: Vec<&EngineRecord> = engines.iter().collect();
    sorted.sort_by_key(|engine| (both_ways(engine), engine.name.clone()));
    let lines = [(full, Dash::Dashes, "full state"), (bound, Dash::Points, "information bound")];
    let references: Vec<Reference> = lines
        .into_iter()
        .filter_map(|(value, dash, name)| Some(Reference { value: value? as f64, dash, name: name.to_owned() }))
        .collect();
    let all_rows: Vec<Row> = sorted.iter().map(|engine| row(engine)).collect();
    let values = sorted.iter().map(|engine| both_ways(engine)).chain(bound).map(|bytes| bytes as f64);
    let axis = Axis::of("bytes of clients, both ways", values, bytes);
    let mut entries = verdicts(&engines.iter().map(|engine| engine.verdict).collect::<Vec<_>>());
    entries.extend(references.iter().map(|line| (Sample::Line(line.dash, Ink::Text), line.name.clone())));
    let title = format!("Bytes by engine (evidence {evidence})");
    let extremes = match (sorted.first(), sorted.last()) {
        (Some(least), Some(most)) if sorted.len() > 1 => format!(
            " Fewest: {}, {} B, {}. Most: {}, {} B, {}.",
            least.name,
            both_ways(least),
            least.verdict,
            most.name,
            both_ways(most),
            most.verdict
        ),
        _ => String::new(),
    };
    let bound_told = bound.map_or(String::new(), |bound| {
        format!(" The information bound is {bound} B: what it takes to say every change once.")
    });
    let alt = format!(
        "Bytes that clients sent and received, by engine, in the same world of {}, {} and {}.{extremes}{bound_told}",
        counted(clients, "client"),
        counted(registers, "register"),
        counted(edits, "edit")
    );
    let heads = [
        "engine",
        "verdict",
        "wrong registers",
        "up, B",
        "down, B",
        "both, B",
        "of full state, %",
        "information bound, B",
        "stored, B",
    ];
    let mut table = table_of(heads);
    for engine in &sorted {
        table.row([
            engine.name.clone(),
            engine.verdict.to_string(),
            engine.wrong_registers.to_string(),
            engine.up.total().to_string(),
            engine.down.total().to_string(),
            both_ways(engine).to_string(),
            share(engine).map_or("-".to_owned(), tenths),
            engine.bound_bytes.map_or("-".to_owned(), |bound| bound.to_string()),
            engine.stored.to_string(),
        ]);
    }
    Some(Figure {
        svg: drawn(&title, &alt, &axis, &all_rows, &references, &entries),
        title,
        alt,
        table,
        is_repeated: true,
    })
}

/// The bytes of one tick.
pub(super) fn of_tick(tick: &TickRecord) -> Figure {
    let TickRecord { seed, evidence, published, changed, .. } = tick;
    let share = |value: u64| format!("{value} B, {}", percent(value * 1000 / tick.full_state_bytes.max(1)));
    let row = |name: &str, value: u64, mark: Mark, ink: Ink| Row {
        name: name.to_owned(),
        marks: vec![(value as f64, mark, ink)],
        label: share(value),
    };
    let all_rows = [
        row("values alone", tick.value_bytes, Mark::Ring, Ink::Doubt),
        row("the whole message", tick.message_bytes, Mark::Dot, Ink::First),
        row("full state", tick.full_state_bytes, Mark::Square, Ink::Second),
    ];
    let bound = tick.bound_tenths as f64 / 10.0;
    let name = "information bound".to_owned();
    let references = [Reference { value: bound, dash: Dash::Points, name: name.clone() }];
    let values = [tick.value_bytes, tick.message_bytes, tick.full_state_bytes].map(|bytes| bytes as f64);
    let axis = Axis::of("bytes of one tick", values.into_iter().chain([bound]), bytes);
    let entries = [
        (Sample::Line(Dash::Points, Ink::Text), name),
        (Sample::Mark(Mark::Ring, Ink::Doubt), "no receiver can decode it".to_owned()),
    ];
    let which = if *published { "the published tick" } else { "the tick of this seed" };
    let title = format!("Bytes of {which} (evidence {evidence})");
    let alt = format!(
        "{} change under seed {seed}. The values alone take {} B, which no receiver could decode; the whole message takes \
         {} B, the information bound is {} B, and the full state takes {} B.",
        counted(changed.len(), "context"),
        tick.value_bytes,
        tick.message_bytes,
        tenths(tick.bound_tenths),
        tick.full_state_bytes
    );
    let mut table = table_of(["what", "bytes"]);
    let parts = [
        ("values", tick.value_bytes),
        ("addressing", tick.addressing_bytes),
        ("framing", tick.framing_bytes),
        ("id", tick.id_bytes),
        ("checksum", tick.checksum_bytes),
        ("the whole message", tick.message_bytes),
        ("full state", tick.full_state_bytes),
    ];
    parts.into_iter().for_each(|(what, bytes)| table.row([what.to_owned(), bytes.to_string()]));
    table.row(["information bound".to_owned(), tenths(tick.bound_tenths)]);
    table.row(["information bound of odd values".to_owned(), tenths(tick.odd_bound_tenths)]);
    Figure { svg: drawn(&title, &alt, &axis, &all_rows, &references, &entries), title, alt, table, is_repeated: true }
}

/// What the marks of these verdicts mean.
pub(super) fn verdicts(shown: &[Verdict]) -> Vec<(Sample, String)> {
    let all = [Verdict::Holds, Verdict::Falsified, Verdict::Inconclusive];
    let entry = |verdict: Verdict| {
        let (mark, ink) = mark_of(verdict);
        (Sample::Mark(mark, ink), verdict.to_string())
    };
    all.into_iter().filter(|verdict| shown.contains(verdict)).map(entry).collect()
}

/// Rows of marks with their legend.
pub(super) fn drawn(
    title: &str,
    alt: &str,
    axis: &Axis,
    all_rows: &[Row],
    references: &[Reference],
    entries: &[(Sample, String)],
) -> String {
    let mut svg = Svg::default();
    rows(&mut svg, 0, axis, all_rows, references);
    let height = height_of_rows(all_rows.len()) + 40;
    let below = legend(&mut svg, height, WIDTH, entries);
    svg.finish((WIDTH, height + below + 20), title, alt)
}
