//! Bytes against change density: the message of a tick with more and fewer changes.

use super::plot::{Axis, Place, Sample, Series, WIDTH, bytes, legend, lines, number};
use super::svg::{Dash, Ink, Mark, Svg};
use super::{Figure, table_of};
use crate::domain::shown::tenths;
use crate::report::record::{DensityRecord, TickRecord};

/// The height of the plot.
const DOWN: i32 = 2700;

/// The message, the information bound and the full state, by the share of contexts that change.
pub(super) fn of_tick(tick: &TickRecord) -> Option<Figure> {
    let contexts = tick.by_density.iter().map(|density| density.changed).max()?;
    let per_cent = |changed: u32| f64::from(changed) * 100.0 / f64::from(contexts);
    let along = |of: &dyn Fn(&DensityRecord) -> f64| {
        tick.by_density.iter().map(|density| (per_cent(density.changed), of(density))).collect::<Vec<(f64, f64)>>()
    };
    let series = |name: &str, ink, dash, mark, points| Series { name: name.to_owned(), ink, dash, mark, points };
    let of_this_tick = vec![(per_cent(tick.changed.len() as u32), tick.message_bytes as f64)];
    let full_state = along(&|_| tick.full_state_bytes as f64);
    let message = along(&|density| density.message_bytes as f64);
    let bound = along(&|density| density.bound_tenths as f64 / 10.0);
    let all = [
        series("full state", Ink::Second, Some(Dash::Dashes), None, full_state),
        series("message", Ink::First, Some(Dash::Whole), Some(Mark::Dot), message),
        series("information bound", Ink::Text, Some(Dash::Points), None, bound),
        series("this tick", Ink::Third, None, Some(Mark::Frame), of_this_tick),
    ];
    let points = all.iter().flat_map(|series| series.points.iter());
    let x = Axis::of("contexts that change, %", points.clone().map(|point| point.0), number);
    let y = Axis::of("bytes of a tick", points.map(|point| point.1), bytes);
    let which = if tick.published { "published tick" } else { "tick of this seed" };
    let title = format!("Bytes against change density: {which} (evidence {})", tick.evidence);
    let dearer = tick.by_density.iter().find(|density| density.message_bytes >= tick.full_state_bytes);
    let dearer = match dearer {
        Some(density) => format!(
            " At {} % ({} contexts) it takes {} B, no less than the full state.",
            number(per_cent(density.changed)),
            density.changed,
            density.message_bytes
        ),
        None => " It is smaller than the full state at every density that was tried.".to_owned(),
    };
    let this = &tick.changed.len();
    let alt = format!(
        "Bytes of the message of a tick against the share of {contexts} contexts that change. With {this} contexts, \
         {} %, it takes {} B of {} B of full state.{dearer}",
        number(per_cent(*this as u32)),
        tick.message_bytes,
        tick.full_state_bytes
    );
    let mut table = table_of([
        "contexts that change",
        "of all, %",
        "message, B",
        "information bound, B",
        "full state, B",
        "of full state, %",
    ]);
    for density in &tick.by_density {
        let per_mille = density.message_bytes * 1000 / tick.full_state_bytes.max(1);
        table.row([
            density.changed.to_string(),
            number(per_cent(density.changed)),
            density.message_bytes.to_string(),
            tenths(density.bound_tenths),
            tick.full_state_bytes.to_string(),
            tenths(per_mille),
        ]);
    }
    let mut svg = Svg::default();
    lines(&mut svg, Place { at: (0, 0), size: (WIDTH, DOWN) }, &x, &y, &all);
    let entries = all.each_ref().map(|series| (Sample::of(series), series.name.clone()));
    let below = legend(&mut svg, DOWN + 40, WIDTH, &entries);
    Some(Figure { svg: svg.finish((WIDTH, DOWN + below + 60), &title, &alt), title, alt, table, is_repeated: false })
}
