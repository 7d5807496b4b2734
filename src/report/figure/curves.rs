//! Bytes of a sync as one thing grows: the cheapest engines that are right, between the bound and the full state.

use super::plot::{Axis, Place, Sample, Series, WIDTH, bytes, legend, lines, number};
use super::svg::{Dash, Ink, Mark, Svg};
use super::{Figure, table_of};
use crate::domain::shown::tenths;
use crate::report::curves_record::{CurveRecord, CurveRow, CurvesRecord, PointRecord};

/// The height of the plot.
const DOWN: i32 = 2700;

/// What engines are drawn with, the cheapest first.
const ENGINES: [(Ink, Mark); 3] = [(Ink::First, Mark::Dot), (Ink::Third, Mark::Diamond), (Ink::Fourth, Mark::Cross)];

/// A plot for each curve that has points.
pub(super) fn of_curves(record: &CurvesRecord) -> Vec<Figure> {
    record.curves.iter().filter_map(|curve| of_curve(record, curve)).collect()
}

/// An engine's row at every point, if it is right at all of them.
fn along<'a>(curve: &'a CurveRecord, engine: &str) -> Option<Vec<&'a CurveRow>> {
    let rows: Option<Vec<&CurveRow>> =
        curve.points.iter().map(|point| point.rows.iter().find(|row| row.engine == engine)).collect();
    rows.filter(|rows| !rows.is_empty() && rows.iter().all(|row| row.wrong == 0))
}

fn of_curve(record: &CurvesRecord, curve: &CurveRecord) -> Option<Figure> {
    let last = curve.points.last()?;
    let mut right: Vec<(&str, Vec<&CurveRow>)> = record
        .arrivals
        .iter()
        .filter_map(|arrival| Some((arrival.engine.as_str(), along(curve, &arrival.engine)?)))
        .collect();
    right.sort_by_key(|(_, rows)| rows.last().map(|row| row.total()));
    right.truncate(ENGINES.len());
    let xs = || curve.points.iter().map(|point| f64::from(point.x));
    let of = |value: fn(&PointRecord) -> f64| xs().zip(curve.points.iter().map(value)).collect::<Vec<_>>();
    let series = |name: &str, ink, dash, mark, points| Series { name: name.to_owned(), ink, dash, mark, points };
    let mut all = vec![
        series("full state", Ink::Second, Some(Dash::Dashes), None, of(|point| point.full_state as f64)),
        series("information bound", Ink::Text, Some(Dash::Points), None, of(|point| point.bound_tenths as f64 / 10.0)),
    ];
    for ((name, rows), (ink, mark)) in right.iter().zip(ENGINES) {
        let points = xs().zip(rows.iter().map(|row| row.total() as f64)).collect();
        all.push(series(name, ink, Some(Dash::Whole), Some(mark), points));
    }
    let points = all.iter().flat_map(|series| series.points.iter());
    let x = Axis::of(curve.axis.unit(), points.clone().map(|point| point.0), number);
    let y = Axis::of("bytes of a sync", points.map(|point| point.1), bytes);
    let title = format!("Bytes of a sync by {} (evidence {})", curve.axis, record.evidence);
    let told: Vec<String> = right
        .iter()
        .filter_map(|(name, rows)| Some(format!("{name} {} B to {} B", rows.first()?.total(), rows.last()?.total())))
        .collect();
    let alt = format!(
        "Bytes of a sync from {} to {} {}: {}; the full state {} B to {} B. The cheapest engines that are right at every point.",
        curve.points.first()?.x,
        last.x,
        curve.axis.unit(),
        if told.is_empty() { "no engine is right at every point".to_owned() } else { told.join("; ") },
        curve.points.first()?.full_state,
        last.full_state
    );
    let mut table = table_of(["engine", "at", "bytes, B", "information bound, B", "full state, B"]);
    for (name, rows) in &right {
        for (point, row) in curve.points.iter().zip(rows) {
            table.row([
                (*name).to_owned(),
                point.x.to_string(),
                row.total().to_string(),
                tenths(point.bound_tenths),
                point.full_state.to_string(),
            ]);
        }
    }
    let mut svg = Svg::default();
    lines(&mut svg, Place { at: (0, 0), size: (WIDTH, DOWN) }, &x, &y, &all);
    let entries: Vec<(Sample, String)> = all.iter().map(|series| (Sample::of(series), series.name.clone())).collect();
    let below = legend(&mut svg, DOWN + 40, WIDTH, &entries);
    Some(Figure { svg: svg.finish((WIDTH, DOWN + below + 60), &title, &alt), title, alt, table, is_repeated: true })
}
