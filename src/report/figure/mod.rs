//! Figures of a record, as inline SVG, each with the table behind it and a text alternative.
//!
//! A figure shows what its record holds and computes nothing that the record does not say. It works on light and dark
//! pages: text takes the page's colour, and a page may set the colours of data as `--figure-first` to `--figure-fourth`,
//! `--figure-good`, `--figure-bad` and `--figure-doubt`. A drawing that is too wide for a narrow screen keeps a least
//! width, so a page should give each figure a box that scrolls sideways.
//!
//! Knows: the record. Must not: judge, or make the page around it.

mod bandwidth;
mod banks;
mod bytes;
mod canvas;
mod curves;
mod density;
mod history;
mod matrix;
mod plot;
mod said;
mod sequence;
mod staleness;
mod svg;

use crate::domain::verdict::Verdict;
use crate::report::document::{Column, Table};
use crate::report::qualification::Qualification;
use crate::report::record::Record;
pub use bandwidth::of_bandwidth;
use svg::{Ink, Mark};

/// A figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What it shows, and how the numbers were got.
    pub title: String,
    /// The drawing: one `svg` element, to be put into a page as it is.
    pub svg: String,
    /// What it shows, for those who do not see it.
    pub alt: String,
    /// The numbers behind it.
    pub table: Table,
    /// Whether a table of the same report has these numbers, so that a text without drawings needs no second one.
    pub is_repeated: bool,
}

/// The table behind a figure, with nothing in it yet.
fn table_of<const N: usize>(heads: [&str; N]) -> Table {
    Table::numbers("", heads.map(Column::words), [])
}

/// The figures that a record has data for.
pub fn of(record: &Record) -> Vec<Figure> {
    let worlds = record.offline.as_ref();
    let of_world = worlds.map(|world| bytes::of_world(world, record.interrupted));
    let mut figures: Vec<Figure> = of_world.into_iter().flatten().collect();
    figures.extend(record.ticks.iter().map(bytes::of_tick));
    figures.extend(record.ticks.iter().filter_map(density::of_tick));
    figures.extend(worlds.and_then(history::of_world));
    figures.extend(worlds.and_then(staleness::of_world));
    figures.extend(record.bank_sweeps.iter().filter_map(banks::of_sweep));
    figures.extend(record.curves.iter().flat_map(curves::of_curves));
    figures.extend(matrix::of_record(record));
    figures.extend(sequence::of_record(record));
    figures
}

/// The figures of a qualification: who kills which mutant under which scenario.
pub fn of_qualification(qualification: &Qualification) -> Vec<Figure> {
    matrix::of_qualification(qualification)
}

/// What a verdict is drawn as: distinguished by shape and by colour.
fn mark_of(verdict: Verdict) -> (Mark, Ink) {
    match verdict {
        Verdict::Holds => (Mark::Dot, Ink::Good),
        Verdict::Falsified => (Mark::Cross, Ink::Bad),
        Verdict::Inconclusive => (Mark::Diamond, Ink::Doubt),
    }
}

#[cfg(test)]
pub(crate) mod tests;
