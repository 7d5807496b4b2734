//! The kinds of fault that a run claims to test for, and the checks that tried them.

use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::record::{ClaimRecord, Record};

/// What stands above how much was tried, which few claims have to say.
const EXTENT: &str = "how much was tried";

/// A row a claim.
pub fn section(record: &Record) -> Option<Section> {
    if record.claims.is_empty() {
        return None;
    }
    let columns = ["fault", "of", "checks that hold and would have noticed it", EXTENT].map(Column::words);
    let rows = record.claims.iter().map(|claim| {
        let ClaimRecord { class, of, tried_by, extent } = claim;
        let tried_by = match tried_by.is_empty() {
            true => Cell::toned("none", Tone::Doubtful),
            false => Cell::text(tried_by.join(", ")),
        };
        let extent = Cell::text(extent.as_deref().unwrap_or_default());
        vec![Cell::text(class), Cell::text(of), tried_by, extent]
    });
    let table = Table::prose("Claims, each with the checks that tried it", columns, rows);
    let is_known = record.claims.iter().any(|claim| claim.extent.is_some());
    let table = if is_known { table } else { table.without(EXTENT) };
    Section::of("claims", "Faults that this run claims to test for", vec![Block::Table(table)])
}
