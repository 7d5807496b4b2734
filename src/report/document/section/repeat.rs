//! How to repeat a run.

use crate::report::document::{Block, Section};
use crate::report::inert::quoted;
use crate::report::record::Record;

/// The commands that repeat it: from the record in `file`, and without it where `again` tells how.
pub fn section(record: &Record, file: &str, again: Option<&str>) -> Option<Section> {
    let mut blocks = vec![
        Block::Paragraph(
            "This runs everything again, from the record alone, and tells whether all is the same as recorded:"
                .to_owned(),
        ),
        Block::Command(format!("abench replay {}", quoted(file))),
    ];
    if let Some(again) = again {
        blocks.push(Block::Paragraph("This makes the same run without the record:".to_owned()));
        blocks.push(Block::Command(again.to_owned()));
    }
    let mut facts = vec![
        ("abench".to_owned(), record.abench.clone()),
        ("record".to_owned(), format!("{} version {}", record.format, record.version)),
        ("seed".to_owned(), record.asked.trial.seed().to_string()),
        ("backends".to_owned(), record.asked.backends.join(", ")),
        ("planted faults".to_owned(), record.asked.faults.join(", ")),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    blocks.push(Block::Facts(facts));
    Section::of("repeat", "How to repeat it", blocks)
}
