//! Plots and diagrams of a record: an SVG each, with a text that says what it shows and the table behind it.

use crate::report::record::Record;

/// The figures of a record, the most important first.
pub fn of(_record: &Record) -> Vec<Figure> {
    Vec::new()
}

/// A plot or a diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What it shows, in few words.
    pub title: String,
    /// Inline SVG: it uses `currentColor` and the page's variables, so that it is read on a light and on a dark ground.
    pub svg: String,
    /// What it shows, for those who cannot see it.
    pub alt: String,
    /// The numbers behind it.
    pub table: FigureTable,
}

/// The numbers behind a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureTable {
    /// What stands above each column.
    pub heads: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}
