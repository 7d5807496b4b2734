//! What a run cannot see.

use crate::report::document::{Block, Section};
use crate::report::record::Record;

/// The limits of the bank sweep alone, and those of the whole run.
pub fn section(record: &Record) -> Option<Section> {
    if record.interrupted {
        return None;
    }
    let of = |heading: &str, limits: &[String]| {
        let list = Block::List(limits.to_vec());
        if limits.is_empty() { Vec::new() } else { vec![Block::Heading(heading.to_owned()), list] }
    };
    let by_bank_sweep =
        of("The bank sweep alone (evidence software: its equations over GF(2))", &record.unseen.by_bank_sweep);
    let by_run = of("The whole run (evidence software: computed from what was run)", &record.unseen.by_run);
    Section::of("unseen", "What this run cannot see", by_bank_sweep.into_iter().chain(by_run).collect())
}
