//! Mutants of engines that a scenario plants itself, and the judges that caught them.

use crate::domain::oracle::names;
use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::inert::quoted;
use crate::report::offline_record::MutantRecord;
use crate::report::record::Record;

/// A row a mutant.
pub fn section(record: &Record) -> Option<Section> {
    let of_world = record.offline.iter().flat_map(|offline| &offline.mutants);
    let of_walk = record.everywhere.iter().flat_map(|everywhere| &everywhere.mutants);
    let mutants: Vec<&MutantRecord> = of_world.chain(of_walk).collect();
    if mutants.is_empty() {
        return None;
    }
    let killed = mutants.iter().filter(|mutant| !mutant.caught_by.is_empty()).count();
    let columns = ["mutant", "in", "outcome", "killed by", "what the first of them says"].map(Column::words);
    let caption = format!("Mutants, planted one at a time: {killed} of {} killed", mutants.len());
    let again = mutants.iter().filter_map(|of| {
        let told = format!("{} of {}, again:", of.mutant, of.engine);
        Some([Block::Paragraph(told), Block::Command(format!("abench replay {}", quoted(of.case.as_deref()?)))])
    });
    let again: Vec<Block> = again.flatten().collect();
    let rows = mutants.into_iter().map(|of| {
        let MutantRecord { engine, mutant, caught_by, sentence, .. } = of;
        let outcome = match caught_by.is_empty() {
            true => Cell::toned("survived", Tone::Bad),
            false => Cell::toned("killed", Tone::Good),
        };
        let by = if caught_by.is_empty() { "-".to_owned() } else { names(caught_by) };
        vec![Cell::text(mutant), Cell::text(engine), outcome, Cell::text(by), Cell::text(sentence)]
    });
    let table = Table::prose(caption, columns, rows);
    Section::of("mutants", "Planted mutants", [Block::Table(table)].into_iter().chain(again).collect())
}
