//! Plots of numbers: lines over two axes, and rows of marks over one. The plotting crate does axes, grid and lines.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, DrawingArea, IntoDrawingArea, IntoFont, LineSeries, PathElement, Ranged,
    ShapeStyle,
};
use plotters::style::TextStyle;

use super::canvas::{Canvas, colour};
use super::svg::{Anchor, At, CHARACTER, Dash, FONT, Ink, Mark, Svg, short, width};

/// The width of a plot: at about that of a narrow screen its text is as large as it says.
pub(super) const WIDTH: i32 = 3700;

/// Lines of text are so far apart.
pub(super) const LINE: i32 = 170;

/// One axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    title: String,
    low: f64,
    high: f64,
    log: bool,
    ticks: Vec<f64>,
    tell: fn(f64) -> String,
}

impl Axis {
    /// An axis for these values: logarithmic where they span a decade, and then its title says so.
    pub(super) fn of(title: &str, values: impl Iterator<Item = f64> + Clone, tell: fn(f64) -> String) -> Axis {
        let above = values.clone().filter(|&value| value > 0.0);
        let least = above.clone().fold(f64::INFINITY, f64::min);
        let most = above.fold(0.0, f64::max);
        if most < 10.0 * least {
            return Axis::linear(title, most.max(1.0), tell);
        }
        // Down and up to 1, 2 or 5 times a power of ten.
        let (low, high) = (step_below(least), step_above(most));
        let steps = steps().filter(|&tick| low <= tick && tick <= high);
        Axis { title: format!("{title}, log scale"), low, high, log: true, ticks: few(steps.collect()), tell }
    }

    /// From 0.
    pub(super) fn linear(title: &str, most: f64, tell: fn(f64) -> String) -> Axis {
        let step = steps().find(|step| step * 5.0 >= most).unwrap_or(most);
        let ticks: Vec<f64> = (0..=5).map(|tick| f64::from(tick) * step).filter(|&tick| tick < most + step).collect();
        let high = ticks.last().copied().unwrap_or(most);
        Axis { title: title.to_owned(), low: 0.0, high, log: false, ticks, tell }
    }

    /// An axis with exactly these ticks.
    pub(super) fn at(title: &str, ticks: Vec<f64>, log: bool, tell: fn(f64) -> String) -> Axis {
        let (low, high) = (ticks.first().copied().unwrap_or(0.0), ticks.last().copied().unwrap_or(1.0));
        Axis { title: title.to_owned(), low, high, log, ticks, tell }
    }

    /// Rows from 0, without ticks.
    fn rows(rows: usize) -> Axis {
        // The first row is on top.
        Axis {
            title: String::new(),
            low: rows as f64,
            high: 0.0,
            log: false,
            ticks: Vec::new(),
            tell: |_| String::new(),
        }
    }
}

/// 1, 2 and 5 times every power of ten.
fn steps() -> impl Iterator<Item = f64> {
    (-3..20).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * libm::pow(10.0, f64::from(power))))
}

fn step_below(value: f64) -> f64 {
    steps().take_while(|&step| step <= value).last().unwrap_or(value)
}

fn step_above(value: f64) -> f64 {
    steps().find(|&step| step >= value).unwrap_or(value)
}

/// At most six of these ticks: powers of ten, or every second or later of them.
fn few(ticks: Vec<f64>) -> Vec<f64> {
    const MOST: usize = 6;
    if ticks.len() <= MOST {
        return ticks;
    }
    let is_power = |tick: &&f64| (libm::log10(**tick) - libm::round(libm::log10(**tick))).abs() < 1e-9;
    let powers: Vec<f64> = ticks.iter().filter(is_power).copied().collect();
    let every = powers.len().div_ceil(MOST).max(1);
    powers.into_iter().step_by(every).collect()
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = match self.log {
            // libm's logarithm gives the same bits on every machine, which the platform's own need not.
            true if *value <= 0.0 => 0.0,
            true => (libm::log10(*value) - libm::log10(self.low)) / (libm::log10(self.high) - libm::log10(self.low)),
            false => (value - self.low) / (self.high - self.low),
        };
        from + libm::round(share.clamp(0.0, 1.0) * f64::from(to - from)) as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Lighter lines between ticks are left out.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

/// One series.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// What it is called.
    pub(super) name: String,
    /// What it is drawn with.
    pub(super) ink: Ink,
    /// How its line goes; nothing if it has none.
    pub(super) dash: Option<Dash>,
    /// The mark at each point; nothing if it has none.
    pub(super) mark: Option<Mark>,
    /// Its points.
    pub(super) points: Vec<(f64, f64)>,
}

/// A part of a drawing: its upper left corner, and its size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The upper left corner.
    pub(super) at: At,
    /// Width and height.
    pub(super) size: At,
}

type Chart<'a, 'b> = ChartContext<'a, Canvas<'b>, Cartesian2d<Axis, Axis>>;

/// Space for what stands on the left of a plot, and below it.
const LEFT: i32 = 520;
const BELOW: i32 = 220;

/// What drawing on a text can never give.
const DRAWS: &str = "a drawing takes everything";

/// Lines over two axes, the titles of the axes above and below.
pub(super) fn lines(svg: &mut Svg, place: Place, x: &Axis, y: &Axis, series: &[Series]) {
    let (left, top) = place.at;
    let (across, down) = place.size;
    svg.text((left, top + LINE / 2), Anchor::Start, &y.title);
    svg.text((left + across, top + down - LINE / 2), Anchor::End, &x.title);
    let inner = Place { at: (left, top + LINE), size: (across, down - 2 * LINE) };
    let points = on_axes(svg, inner, (x, y), LEFT, |chart| {
        for Series { ink, dash, points, .. } in series {
            if let Some(dash) = *dash {
                let style = ShapeStyle { color: colour(*ink, dash).into(), filled: false, stroke_width: 18 };
                chart.draw_series(LineSeries::new(points.iter().copied(), style)).expect(DRAWS);
            }
        }
        let at = |series: &Series| series.points.iter().map(|point| chart.backend_coord(point)).collect::<Vec<At>>();
        series.iter().map(at).collect::<Vec<_>>()
    });
    for (series, points) in series.iter().zip(points) {
        if let Some(mark) = series.mark {
            points.into_iter().for_each(|at| svg.mark(at, mark, series.ink));
        }
    }
}

/// Axes and their grid, and in them what `draw` draws.
fn on_axes<T>(
    svg: &mut Svg,
    Place { at, size }: Place,
    (x, y): (&Axis, &Axis),
    left: i32,
    draw: impl FnOnce(&mut Chart<'_, '_>) -> T,
) -> T {
    // The area begins at 0, so that places of the chart are those of the drawing.
    let canvas = Canvas { svg, size: ((at.0 + size.0) as u32, (at.1 + size.1) as u32) };
    let root: DrawingArea<Canvas<'_>, plotters::coord::Shift> = canvas.into_drawing_area();
    let area = root.margin(at.1 as u32, 0, at.0 as u32, 0);
    // The label of the last tick stands half beyond the axis.
    let last = x.ticks.last().map_or(0, |&tick| width(&(x.tell)(tick)) / 2);
    let mut chart = ChartBuilder::on(&area)
        .margin_right(last.max(200))
        .margin_top(60)
        .x_label_area_size(BELOW)
        .y_label_area_size(left)
        .build_cartesian_2d(x.clone(), y.clone())
        .expect(DRAWS);
    let ends = chart.plotting_area().get_x_axis_pixel_range();
    let labelled = labelled(x, (ends.start, ends.end));
    let of_text = colour(Ink::Text, Dash::Whole);
    let text = TextStyle::from(("sans-serif", FONT).into_font()).color(&of_text);
    chart
        .configure_mesh()
        .x_labels(x.ticks.len().max(1))
        .y_labels(y.ticks.len().max(1))
        .x_label_formatter(&|value| if labelled.contains(value) { (x.tell)(*value) } else { String::new() })
        .y_label_formatter(&|value| (y.tell)(*value))
        .label_style(text)
        .axis_style(colour(Ink::Text, Dash::Whole))
        .bold_line_style(colour(Ink::Faint, Dash::Whole))
        .light_line_style(colour(Ink::Faint, Dash::Whole))
        .set_all_tick_mark_size(30)
        .draw()
        .expect(DRAWS);
    draw(&mut chart)
}

/// The ticks of a horizontal axis between these ends that have a label: the first, and as many as do not touch the label
/// before them. On a linear axis they are at even distances.
fn labelled(axis: &Axis, ends: (i32, i32)) -> Vec<f64> {
    if axis.log {
        return apart(axis, ends, &axis.ticks);
    }
    let every = |step| axis.ticks.iter().copied().step_by(step).collect::<Vec<f64>>();
    let fits = |ticks: &Vec<f64>| apart(axis, ends, ticks).len() == ticks.len();
    (1..=axis.ticks.len()).map(every).find(fits).unwrap_or_default()
}

/// The ticks of these whose labels do not touch the label before them.
fn apart(axis: &Axis, ends: (i32, i32), ticks: &[f64]) -> Vec<f64> {
    /// The least space between two labels.
    const GAP: i32 = CHARACTER / 2;
    let mut least = i32::MIN;
    let is_apart = |tick: &f64| {
        let (middle, half) = (axis.map(tick, ends), width(&(axis.tell)(*tick)) / 2);
        let is_apart = middle - half >= least;
        if is_apart {
            least = middle + half + GAP;
        }
        is_apart
    };
    ticks.iter().copied().filter(is_apart).collect()
}

/// A row of marks.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its name, on the left.
    pub(super) name: String,
    /// Each mark with its value.
    pub(super) marks: Vec<(f64, Mark, Ink)>,
    /// What stands beside the last mark.
    pub(super) label: String,
}

/// A line across all rows.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    /// Its value.
    pub(super) value: f64,
    /// How it goes.
    pub(super) dash: Dash,
    /// What it is, for the legend.
    pub(super) name: String,
}

/// Rows are so far apart.
const ROW: i32 = 220;

/// The height of rows of marks.
pub(super) fn height_of_rows(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX / (2 * ROW)) * ROW + BELOW + LINE + 60
}

/// Rows of marks over one axis.
pub(super) fn rows(svg: &mut Svg, top: i32, x: &Axis, rows: &[Row], references: &[Reference]) {
    /// Characters of a row's name.
    const NAME: usize = 21;
    let down = height_of_rows(rows.len());
    let left = rows.iter().map(|row| width(&short(&row.name, NAME))).max().unwrap_or(0) + 120;
    svg.text((WIDTH, top + down - LINE / 2), Anchor::End, &x.title);
    let place = Place { at: (0, top), size: (WIDTH, down - LINE) };
    let middle = |row: usize| row as f64 + 0.5;
    let (edge, marks) = on_axes(svg, place, (x, &Axis::rows(rows.len())), left, |chart| {
        for (row, marks) in rows.iter().map(|row| &row.marks).enumerate() {
            // A line joins the marks of a row, so that they are seen to belong together.
            let ends = marks.iter().map(|(value, ..)| (*value, middle(row)));
            let style = ShapeStyle { color: colour(Ink::Faint, Dash::Whole).into(), filled: false, stroke_width: 30 };
            chart.draw_series(LineSeries::new(ends, style)).expect(DRAWS);
        }
        for Reference { value, dash, .. } in references {
            let style = ShapeStyle { color: colour(Ink::Text, *dash).into(), filled: false, stroke_width: 14 };
            let ends = vec![(*value, 0.0), (*value, rows.len() as f64)];
            chart.draw_series([PathElement::new(ends, style)]).expect(DRAWS);
        }
        let at = |(row, marks): (usize, &Row)| -> Vec<At> {
            marks.marks.iter().map(|(value, ..)| chart.backend_coord(&(*value, middle(row)))).collect()
        };
        let edge = chart.backend_coord(&(x.low, 0.0)).0;
        (edge, rows.iter().enumerate().map(at).collect::<Vec<_>>())
    });
    for (row, places) in rows.iter().zip(marks) {
        for (&(_, mark, ink), &at) in row.marks.iter().zip(&places) {
            svg.mark(at, mark, ink);
        }
        let Some(&(right, y)) = places.iter().max_by_key(|at| at.0) else { continue };
        let leftmost = places.iter().map(|at| at.0).min().unwrap_or(right);
        svg.text((left - 80, y), Anchor::End, &short(&row.name, NAME));
        // Beside the marks where there is room, on the right first.
        let wide = width(&row.label);
        if right + 100 + wide <= WIDTH {
            svg.text((right + 100, y), Anchor::Start, &row.label);
        } else if leftmost - 100 - wide >= edge {
            svg.text((leftmost - 100, y), Anchor::End, &row.label);
        }
    }
}

/// What a legend shows beside a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sample {
    /// A mark.
    Mark(Mark, Ink),
    /// A line.
    Line(Dash, Ink),
    /// Both.
    Both(Mark, Dash, Ink),
}

impl Sample {
    /// What a series shows.
    pub(super) fn of(series: &Series) -> Sample {
        match (series.mark, series.dash) {
            (Some(mark), Some(dash)) => Sample::Both(mark, dash, series.ink),
            (Some(mark), None) => Sample::Mark(mark, series.ink),
            (None, dash) => Sample::Line(dash.unwrap_or_default(), series.ink),
        }
    }
}

/// What marks and lines mean, in as many lines as it takes within a width; gives the height.
pub(super) fn legend(svg: &mut Svg, top: i32, within: i32, entries: &[(Sample, String)]) -> i32 {
    const SAMPLE: i32 = 260;
    let (mut x, mut y) = (0, top + LINE / 2);
    for (sample, name) in entries {
        let wide = SAMPLE + 70 + width(name) + 2 * CHARACTER;
        if x > 0 && x + wide > within {
            (x, y) = (0, y + LINE);
        }
        let ends = [(x + 20, y), (x + SAMPLE, y)];
        let middle = (x + 20 + (SAMPLE - 20) / 2, y);
        match *sample {
            Sample::Mark(mark, ink) => svg.mark(middle, mark, ink),
            Sample::Line(dash, ink) => svg.line(&ends, ink, dash, 18),
            Sample::Both(mark, dash, ink) => {
                svg.line(&ends, ink, dash, 18);
                svg.mark(middle, mark, ink);
            }
        }
        svg.text((x + SAMPLE + 70, y), Anchor::Start, name);
        x += wide;
    }
    y + LINE / 2 - top
}

/// Bytes in short, for axes: `200 B`, `5 kB`.
pub(super) fn bytes(value: f64) -> String {
    let (scaled, unit) = match value {
        1e9.. => (value / 1e9, "GB"),
        1e6.. => (value / 1e6, "MB"),
        1e3.. => (value / 1e3, "kB"),
        _ => (value, "B"),
    };
    format!("{} {unit}", number(scaled))
}

/// A number without an empty fraction.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_logarithmic_where_values_span_a_decade_and_says_so() {
        let axis = Axis::of("bytes", [12.0, 119.0].into_iter(), bytes);
        assert_eq!((axis.title.as_str(), axis.log), ("bytes", false));
        let axis = Axis::of("bytes", [12.0, 120.0].into_iter(), bytes);
        assert_eq!((axis.title.as_str(), axis.log), ("bytes, log scale", true));
        assert_eq!((axis.low, axis.high), (10.0, 200.0));
    }

    #[test]
    fn an_axis_has_few_ticks_and_takes_every_value() {
        for most in [1.0, 7.0, 99.0, 12_345.0, 4e9, 1e19] {
            for least in [1.0, most] {
                let axis = Axis::of("it", [least, most].into_iter(), number);
                assert!((2..=6).contains(&axis.ticks.len()), "{most}: {:?}", axis.ticks);
                assert!(axis.low <= least && most <= axis.high, "{least} to {most}: {axis:?}");
            }
        }
        let nothing = Axis::of("it", [0.0].into_iter(), number);
        assert_eq!(nothing.map(&0.0, (0, 100)), 0);
    }

    #[test]
    fn a_decade_is_as_long_as_another_and_what_lies_outside_stays_on_the_edge() {
        let axis = Axis::of("it", [1.0, 10_000.0].into_iter(), number);
        let at = |value: f64| axis.map(&value, (0, 4000));
        assert_eq!([0.0, 1.0, 10.0, 1000.0, 10_000.0, 1e9].map(at), [0, 0, 1000, 3000, 4000, 4000]);
    }

    #[test]
    fn labels_of_ticks_are_apart_and_the_first_one_stays() {
        let minutes: fn(f64) -> String = |value| format!("{} min", number(value));
        let mut dropped = 0;
        let scales: Vec<Axis> = [1.0, 3.0, 60.0, 9999.0, 5e6, 2e8, 7e13]
            .into_iter()
            .flat_map(|least| [1.0, 4.0, 12.0, 700.0, 1e5].map(|times| (least, least * times)))
            .flat_map(|(least, most)| {
                [bytes, number, minutes].map(|tell| Axis::of("it", [least, most].into_iter(), tell))
            })
            .chain([Axis::at("it", vec![10.0, 60.0, 600.0, 3600.0, 86_400.0], true, minutes)])
            .chain([Axis::at("it", (1..=64).map(f64::from).collect(), true, number), Axis::rows(3)])
            .collect();
        for axis in scales {
            for ends in [(520, 3500), (520, 1650), (2370, 3500), (0, 300)] {
                let shown = labelled(&axis, ends);
                assert_eq!(shown.first(), axis.ticks.first(), "{axis:?}");
                dropped += axis.ticks.len() - shown.len();
                let place = |tick: f64| (axis.map(&tick, ends), width(&(axis.tell)(tick)) / 2);
                for ((one, half), (other, other_half)) in shown.windows(2).map(|pair| (place(pair[0]), place(pair[1])))
                {
                    assert!(one + half + CHARACTER / 2 <= other - other_half, "{axis:?} over {ends:?}: {shown:?}");
                }
            }
        }
        assert!(dropped > 50, "{dropped}");
    }

    #[test]
    fn labels_that_have_room_are_all_shown() {
        let axis = Axis::at("it", vec![1.0, 2.0, 4.0, 8.0], true, number);
        assert_eq!(labelled(&axis, (520, 3500)), [1.0, 2.0, 4.0, 8.0]);
        let axis = Axis::linear("it", 250e6, bytes);
        let shown: Vec<String> = labelled(&axis, (1500, 3500)).into_iter().map(bytes).collect();
        assert_eq!(shown, ["0 B", "100 MB", "200 MB"]);
    }

    #[test]
    fn bytes_are_told_in_units_that_fit() {
        assert_eq!([0.0, 200.0, 5000.0, 2e6, 1e9].map(bytes), ["0 B", "200 B", "5 kB", "2 MB", "1 GB"]);
    }
}
