//! The document: what a report says, in blocks that know no format. Every format shows the same document.
//!
//! Knows: records. Must not: know of HTML, Markdown or terminals, or judge anything.

mod ledger;
mod qualification;
mod rtl_mutation;
mod run;
mod section;
mod table;

use crate::domain::verdict::Verdict;
use crate::report::any::AnyRecord;
use crate::report::figure::Figure;
use crate::report::seal::Seal;
pub use table::{Align, Cell, Column, Shape, Table, Tone};

/// A report of some records.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it is called.
    pub title: String,
    /// One row a record, where there are several.
    pub overview: Option<Table>,
    /// What each record says.
    pub reports: Vec<Report>,
}

/// What one record says.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What ran.
    pub title: String,
    /// The judgement, which comes first.
    pub judgement: Judgement,
    /// All the rest, the most important first.
    pub sections: Vec<Section>,
}

/// The verdict, and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What is to be said with it: ", as expected".
    pub remark: String,
    /// The exit code that it gave.
    pub exit: u8,
    /// Why it is what it is, a sentence each.
    pub reasons: Vec<String>,
    /// What a `holds` rests on, a sentence each.
    pub warrants: Vec<String>,
    /// What ran, and with what.
    pub facts: Vec<(String, String)>,
}

impl Judgement {
    /// The last line of a report: "verdict falsified, as expected (exit 0)".
    pub fn line(&self) -> String {
        format!("verdict {}{} (exit {})", self.verdict, self.remark, self.exit)
    }
}

/// A part of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// A word of letters and hyphens, the same in every report.
    pub name: &'static str,
    /// Its heading.
    pub title: String,
    /// Whether it is detail, which a format may fold.
    pub folded: bool,
    /// What is in it.
    pub blocks: Vec<Block>,
}

impl Section {
    /// A section of what everybody should read; nothing if nothing is in it.
    fn of(name: &'static str, title: impl Into<String>, blocks: Vec<Block>) -> Option<Self> {
        let title = title.into();
        (!blocks.is_empty()).then_some(Section { name, title, folded: false, blocks })
    }

    /// A section of detail; nothing if nothing is in it.
    fn detail(name: &'static str, title: impl Into<String>, blocks: Vec<Block>) -> Option<Self> {
        Some(Section { folded: true, ..Section::of(name, title, blocks)? })
    }
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading below the section's.
    Heading(String),
    /// Sentences.
    Paragraph(String),
    /// Sentences that each stand for themselves.
    List(Vec<String>),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// A table.
    Table(Table),
    /// How the above is to be read.
    Note(String),
    /// A command that can be pasted, on one line.
    Command(String),
    /// Lines that stand as they are, with what they are.
    Steps {
        /// What they are.
        caption: String,
        /// The lines.
        lines: Vec<String>,
    },
    /// A plot or a diagram.
    Figure(Box<Figure>),
}

/// A record, and how its file is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The file, as commands name it.
    pub file: String,
    /// What is in it.
    pub record: AnyRecord,
    /// Whether it is as it was written.
    pub seal: Seal,
    /// A command that makes the same again without the file, where there is one.
    pub again: Option<String>,
}

impl Document {
    /// The document of these records, in their order.
    pub fn of(sources: &[Source]) -> Self {
        let reports: Vec<Report> = sources.iter().map(report).collect();
        let title = match &reports[..] {
            [one] => format!("abench: {}", one.title),
            several => format!("abench: {} records", several.len()),
        };
        Document { title, overview: (reports.len() > 1).then(|| overview(&reports)), reports }
    }
}

fn report(source: &Source) -> Report {
    let mut report = match &source.record {
        AnyRecord::Run(record) => run::report(record, &source.file, source.again.as_deref()),
        AnyRecord::Qualification(record) => qualification::report(record),
        AnyRecord::Ledger(record) => ledger::report(record),
        AnyRecord::RtlMutation(record) => rtl_mutation::report(record),
    };
    // Records of mutants of the RTL are not sealed: their script writes them.
    let is_sealed = !matches!(source.record, AnyRecord::RtlMutation(_));
    if is_sealed && source.seal != Seal::Intact {
        report.judgement.reasons.insert(0, capitalised(&source.seal.to_string()));
    }
    report
}

/// A sentence of this text.
fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

fn overview(reports: &[Report]) -> Table {
    let columns = [Column::words("record"), Column::words("verdict"), Column::number("exit"), Column::words("why")];
    let row = |report: &Report| {
        let Judgement { verdict, remark, exit, reasons, .. } = &report.judgement;
        let verdict = Cell { text: format!("{verdict}{remark}"), ..Cell::verdict(*verdict) };
        vec![Cell::text(&report.title), verdict, Cell::text(exit), Cell::text(reasons.join(" "))]
    };
    Table::prose("The records of this report", columns, reports.iter().map(row))
}
