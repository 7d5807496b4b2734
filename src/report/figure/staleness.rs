//! How long edits took to come to other clients, by engine.

use super::plot::{Axis, Row, Sample, WIDTH, height_of_rows, legend, rows};
use super::svg::{Ink, Mark, Svg};
use super::{Figure, table_of};
use crate::domain::count::counted;
use crate::domain::shown::time;
use crate::report::offline_record::{EngineRecord, OfflineRecord};

/// The percentiles, and what each is drawn as.
const PERCENTILES: [(&str, Mark, Ink); 4] = [
    ("p50", Mark::Dot, Ink::First),
    ("p90", Mark::Diamond, Ink::Fourth),
    ("p99", Mark::Triangle, Ink::Second),
    ("longest", Mark::Frame, Ink::Third),
];

/// Times that an axis may show, in milliseconds: 1 ms to 30 days.
const TIMES: [f64; 12] =
    [1.0, 10.0, 100.0, 1e3, 10e3, 60e3, 600e3, 3_600e3, 21_600e3, 86_400e3, 604_800e3, 2_592_000e3];

/// Percentiles of staleness, where they were measured.
pub(super) fn of_world(world: &OfflineRecord) -> Option<Figure> {
    let measured: Vec<&EngineRecord> = world.engines.iter().filter(|engine| engine.staleness_ms.count > 0).collect();
    let least = measured.iter().map(|engine| engine.staleness_ms.p50).min()?;
    let most = measured.iter().map(|engine| engine.staleness_ms.max).max()?;
    let row = |engine: &&EngineRecord| {
        let times = &engine.staleness_ms;
        let values = [times.p50, times.p90, times.p99, times.max];
        let marks = values.into_iter().zip(PERCENTILES);
        Row {
            name: engine.name.clone(),
            marks: marks.map(|(ms, (_, mark, ink))| (ms as f64, mark, ink)).collect(),
            label: String::new(),
        }
    };
    let all_rows: Vec<Row> = measured.iter().map(row).collect();
    let axis =
        Axis::at("time until another client has an edit, log scale", ticks(least as f64, most as f64), true, said);
    let evidence = world.evidence;
    let title = format!("Staleness by engine (evidence {evidence}, virtual time)");
    let range = |of: fn(&EngineRecord) -> u64| {
        let values = measured.iter().map(|engine| of(engine));
        let (least, most) = (values.clone().min().unwrap_or(0), values.max().unwrap_or(0));
        let (least, most) = (time(least), time(most));
        if least == most { least } else { format!("{least} to {most}") }
    };
    let alt = format!(
        "Time from an edit until another client has it, for {}: half within {}, 99 % within {}. Edits that never came are in \
         no percentile.",
        counted(measured.len(), "engine"),
        range(|engine| engine.staleness_ms.p50),
        range(|engine| engine.staleness_ms.p99)
    );
    let mut table = table_of(["engine", "measured", "p50, ms", "p90, ms", "p99, ms", "longest, ms", "never came"]);
    for engine in &measured {
        let times = &engine.staleness_ms;
        let [count, p50, p90, p99, max] =
            [times.count, times.p50, times.p90, times.p99, times.max].map(|n| n.to_string());
        let never = engine.undelivered.map_or("-".to_owned(), |never| never.to_string());
        table.row([engine.name.clone(), count, p50, p90, p99, max, never]);
    }
    let mut svg = Svg::default();
    rows(&mut svg, 0, &axis, &all_rows, &[]);
    let height = height_of_rows(all_rows.len()) + 40;
    let entries = PERCENTILES.map(|(name, mark, ink)| (Sample::Mark(mark, ink), name.to_owned()));
    let below = legend(&mut svg, height, WIDTH, &entries);
    Some(Figure { svg: svg.finish((WIDTH, height + below + 20), &title, &alt), title, alt, table, is_repeated: true })
}

/// Times around these two, both included.
fn ticks(least: f64, most: f64) -> Vec<f64> {
    let first = TIMES.iter().rposition(|&tick| tick <= least).unwrap_or(0);
    let last = TIMES.iter().position(|&tick| tick >= most).unwrap_or(TIMES.len() - 1).max(first + 1);
    let last = last.min(TIMES.len() - 1);
    let mut ticks = TIMES[first.min(last - 1)..=last].to_vec();
    if let Some(end) = ticks.last_mut()
        && *end < most
    {
        *end = most;
    }
    ticks
}

/// A time of an axis.
fn said(ms: f64) -> String {
    match ms {
        86_400e3.. => format!("{} d", (ms / 86_400e3) as u64),
        3_600e3.. => format!("{} h", (ms / 3_600e3) as u64),
        60e3.. => format!("{} min", (ms / 60e3) as u64),
        1e3.. => format!("{} s", (ms / 1e3) as u64),
        _ => format!("{} ms", ms as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_enclose_what_was_measured() {
        for (least, most) in [(0.0, 0.0), (5.0, 7.0), (2e6, 2e6), (1.0, 3e9), (9e9, 1e10)] {
            let ticks = ticks(least, most);
            assert!(ticks.len() >= 2 && ticks.windows(2).all(|pair| pair[0] < pair[1]), "{least} to {most}: {ticks:?}");
            assert!(*ticks.last().expect("two") >= most, "{least} to {most}: {ticks:?}");
        }
        assert_eq!(ticks(2e6, 2e7).into_iter().map(said).collect::<Vec<_>>(), ["10 min", "1 h", "6 h"]);
    }
}
