//! Bytes against history: what an edit takes early and late in a world, by engine.

use super::plot::{Axis, LINE, Place, Sample, Series, WIDTH, bytes, legend, lines};
use super::svg::{Anchor, CHARACTER, Dash, Ink, Mark, Svg, short};
use super::{Figure, table_of};
use crate::domain::count::counted;
use crate::report::offline_record::{EngineRecord, OfflineRecord, PartRecord};

/// The height of one engine's plot with its name.
const DOWN: i32 = 1350;

/// Bytes an edit in each part of the world's time, one plot an engine, all over the same axes.
pub(super) fn of_world(world: &OfflineRecord) -> Option<Figure> {
    let drawn: Vec<&EngineRecord> = world.engines.iter().filter(is_told).collect();
    let parts = drawn.iter().map(|engine| engine.over_time.len()).max()?;
    let all: Vec<[Series; 2]> = drawn.iter().map(|engine| series(engine)).collect();
    let values = all.iter().flatten().flat_map(|series| series.points.iter().map(|point| point.1));
    let ticks: Vec<f64> = (1..=parts).map(|part| part as f64).collect();
    let x = Axis::at("part of the world's time", ticks, false, |part| format!("{part:.0}"));
    let y = Axis::of("bytes an edit", values, bytes);
    let mut svg = Svg::default();
    let half = WIDTH / 2;
    // Bold letters are wider, and the name beside it is not to be touched.
    let letters = (half / CHARACTER - 3) as usize;
    for (place, (engine, series)) in drawn.iter().zip(&all).enumerate() {
        let (left, top) = ((place % 2) as i32 * half, (place / 2) as i32 * (DOWN + LINE));
        svg.bold((left, top + LINE / 2), Anchor::Start, &short(&engine.name, letters));
        lines(&mut svg, Place { at: (left, top + LINE), size: (half, DOWN - LINE / 2) }, &x, &y, series);
    }
    let top = drawn.len().div_ceil(2) as i32 * (DOWN + LINE) + 60;
    let entries: Vec<(Sample, String)> =
        all.first()?.iter().map(|series| (Sample::of(series), series.name.clone())).collect();
    let below = legend(&mut svg, top, WIDTH, &entries);
    let title = format!("Bytes against history (evidence {})", world.evidence);
    let ends = |engine: &&EngineRecord| {
        let mut edited = engine.over_time.iter().filter(|part| part.edits > 0);
        let first = edited.next().map_or(0, an_edit);
        let last = edited.next_back().map_or(first, an_edit);
        format!("{} {first} B and {last} B", engine.name)
    };
    let alt = format!(
        "Bytes an edit in {} of the world's time, the first and the last with an edit that meant something: {}.",
        counted(parts, "equal part"),
        drawn.iter().map(ends).collect::<Vec<_>>().join("; ")
    );
    let mut table = table_of(["engine", "part", "edits", "all bytes, B", "ids and acknowledgements, B", "an edit, B"]);
    for engine in &drawn {
        for (place, part) in engine.over_time.iter().enumerate() {
            table.row([
                engine.name.clone(),
                (place + 1).to_string(),
                part.edits.to_string(),
                part.bytes.to_string(),
                part.metadata_bytes.to_string(),
                if part.edits > 0 { an_edit(part).to_string() } else { "-".to_owned() },
            ]);
        }
    }
    Some(Figure { svg: svg.finish((WIDTH, top + below + 20), &title, &alt), title, alt, table, is_repeated: false })
}

/// Whether a curve can be drawn: there are parts, and two of them have an edit that meant something.
fn is_told(engine: &&EngineRecord) -> bool {
    engine.over_time.iter().filter(|part| part.edits > 0).count() > 1
}

/// Bytes an edit, rounded up.
fn an_edit(part: &PartRecord) -> u64 {
    part.bytes.div_ceil(part.edits.max(1))
}

fn series(engine: &EngineRecord) -> [Series; 2] {
    let along = |of: fn(&PartRecord) -> u64| {
        let parts = engine.over_time.iter().enumerate().filter(|(_, part)| part.edits > 0);
        parts.map(|(place, part)| ((place + 1) as f64, of(part) as f64 / part.edits as f64)).collect()
    };
    [
        Series {
            name: "all bytes".to_owned(),
            ink: Ink::First,
            dash: Some(Dash::Whole),
            mark: Some(Mark::Dot),
            points: along(|part| part.bytes),
        },
        Series {
            name: "ids and acknowledgements".to_owned(),
            ink: Ink::Second,
            dash: Some(Dash::Dashes),
            mark: Some(Mark::Diamond),
            points: along(|part| part.metadata_bytes),
        },
    ]
}
