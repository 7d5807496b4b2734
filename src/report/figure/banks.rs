//! Cycles and rate by the number of banks.

use super::plot::{Axis, LINE, Place, Sample, Series, WIDTH, legend, lines, number};
use super::svg::{Dash, Ink, Mark, Svg};
use super::{Figure, table_of};
use crate::domain::shown::ratio;
use crate::report::record::{BankRow, BankSweep};

/// The height of one plot.
const DOWN: i32 = 2000;

/// A device's bank sweep.
pub(super) fn of_sweep(sweep: &BankSweep) -> Option<Figure> {
    let BankSweep { device, evidence, count, rows, .. } = sweep;
    let (first, last) = (rows.first()?, rows.last()?);
    let banks = |row: &BankRow| f64::from(row.banks);
    let rate = |cycles: u32| if cycles == 0 { 0.0 } else { f64::from(*count) / f64::from(cycles) };
    let drawn = |name: &str, expected: bool, of: &dyn Fn(&BankRow) -> f64, only: &dyn Fn(&BankRow) -> bool| Series {
        name: name.to_owned(),
        ink: if expected { Ink::Text } else { Ink::First },
        dash: Some(if expected { Dash::Dashes } else { Dash::Whole }),
        mark: None,
        points: rows.iter().filter(|row| only(row)).map(|row| (banks(row), of(row))).collect(),
    };
    let marked = |ok: bool, of: &dyn Fn(&BankRow) -> f64| Series {
        name: if ok { "as expected".to_owned() } else { "result or cycles wrong".to_owned() },
        ink: if ok { Ink::First } else { Ink::Bad },
        dash: None,
        mark: Some(if ok { Mark::Dot } else { Mark::Cross }),
        points: rows.iter().filter(|row| row.ok == ok).map(|row| (banks(row), of(row))).collect(),
    };
    let all = |_: &BankRow| true;
    let series = |measured: &dyn Fn(&BankRow) -> f64, expected: &dyn Fn(&BankRow) -> f64| {
        vec![
            drawn("expected", true, expected, &all),
            drawn("measured", false, measured, &all),
            marked(true, measured),
            marked(false, measured),
        ]
    };
    let cycles = series(&|row| f64::from(row.cycles), &|row| f64::from(row.expected_cycles));
    let rates = series(&|row| rate(row.cycles), &|row| rate(row.expected_cycles));
    let values = |series: &[Series]| series.iter().flat_map(|of| &of.points).map(|point| point.1).collect::<Vec<f64>>();
    let ticks: Vec<f64> = rows.iter().map(banks).collect();
    // One number of banks is no axis.
    let ticks = if ticks.len() > 1 { ticks } else { vec![banks(first), banks(first) + 1.0] };
    let x = Axis::at("active banks, log scale", ticks, true, number);
    let cycle_axis = Axis::of("clock cycles", values(&cycles).into_iter(), short_number);
    let most = values(&rates).into_iter().fold(1.0, f64::max);
    let rate_axis = Axis::linear("deltas a cycle", most, number);
    let mut svg = Svg::default();
    lines(&mut svg, Place { at: (0, 0), size: (WIDTH, DOWN) }, &x, &cycle_axis, &cycles);
    lines(&mut svg, Place { at: (0, DOWN + LINE / 2), size: (WIDTH, DOWN) }, &x, &rate_axis, &rates);
    let top = 2 * DOWN + LINE;
    let shown = cycles.iter().filter(|series| !series.points.is_empty());
    let entries: Vec<(Sample, String)> = shown.map(|series| (Sample::of(series), series.name.clone())).collect();
    let below = legend(&mut svg, top, WIDTH, &entries);
    let title = format!("Cycles and rate by banks: {device} (evidence {evidence})");
    let wrong = rows.iter().filter(|row| !row.ok).count();
    let wrong = match wrong {
        0 => "Every row is as expected.".to_owned(),
        some => format!("{some} of {} rows are wrong.", rows.len()),
    };
    let alt = format!(
        "{count} deltas take {} cycles with {} and {} cycles with {} active banks: {} and {} deltas a cycle. {wrong}",
        first.cycles,
        first.banks,
        last.cycles,
        last.banks,
        ratio((*count).into(), first.cycles.into()),
        ratio((*count).into(), last.cycles.into())
    );
    let heads = ["banks", "cycles", "expected cycles", "deltas a cycle", "speed-up", "result", "expected result", "ok"];
    let mut table = table_of(heads);
    for row in rows {
        table.row([
            row.banks.to_string(),
            row.cycles.to_string(),
            row.expected_cycles.to_string(),
            ratio((*count).into(), row.cycles.into()),
            ratio(first.cycles.into(), row.cycles.into()),
            row.result.to_string(),
            sweep.expected.to_string(),
            if row.ok { "yes" } else { "no" }.to_owned(),
        ]);
    }
    Some(Figure { svg: svg.finish((WIDTH, top + below + 20), &title, &alt), title, alt, table, is_repeated: true })
}

/// A number of an axis: `20 k`.
fn short_number(value: f64) -> String {
    match value {
        1e9.. => format!("{} G", number(value / 1e9)),
        1e6.. => format!("{} M", number(value / 1e6)),
        1e3.. => format!("{} k", number(value / 1e3)),
        _ => number(value),
    }
}
