//! The plots and diagrams of a record.

use crate::report::document::{Block, Section};
use crate::report::record::Record;

/// Every figure that the record gives.
pub fn section(record: &Record) -> Option<Section> {
    let figures = crate::report::figure::of(record);
    Section::of("figures", "Figures", figures.into_iter().map(|figure| Block::Figure(Box::new(figure))).collect())
}
