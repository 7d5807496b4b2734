//! The document: what a report says, in blocks that know no format. Every format shows the same document.
//!
//! Knows: records. Must not: know of HTML, Markdown or terminals, or judge anything.

pub(in crate::report) mod ledger;
pub(in crate::report) mod qualification;
pub(in crate::report) mod rtl_mutation;
pub(in crate::report) mod run;
pub mod section;
mod table;

use crate::domain::verdict::{Verdict, exit};
use crate::report::any::AnyRecord;
use crate::report::figure::Figure;
use crate::report::seal::Seal;
use crate::report::view::Views;
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
    /// What has to be known before the verdict is read: that the record was altered.
    pub warning: Option<String>,
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

    /// Whether the run passed, by its exit code: a falsification that the scenario expects passes. Formats choose the icon
    /// and the colour of the whole verdict by it, and write the verdict itself as a word.
    pub fn tone(&self) -> Tone {
        match self.exit {
            exit::HOLDS => Tone::Good,
            // The run could not tell, or did not get to.
            exit::INCONCLUSIVE | exit::UNAVAILABLE | exit::INTERRUPTED => Tone::Doubtful,
            _ => Tone::Bad,
        }
    }
}

/// How much a report tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The verdict alone.
    Verdict,
    /// One screen.
    Screen,
    /// What failed, and the checks, too.
    Checks,
    /// Everything.
    All,
}

/// A part of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// A word of letters and hyphens, the same in every report.
    pub name: &'static str,
    /// Its heading.
    pub title: String,
    /// Whether it is long, so that a page folds it.
    pub folded: bool,
    /// The least detail at which a terminal shows it.
    pub detail: Detail,
    /// What is in it.
    pub blocks: Vec<Block>,
}

impl Section {
    /// A section of what everybody should read; nothing if nothing is in it.
    pub fn of(name: &'static str, title: impl Into<String>, blocks: Vec<Block>) -> Option<Self> {
        let title = title.into();
        (!blocks.is_empty()).then_some(Section { name, title, folded: false, detail: Detail::All, blocks })
    }

    /// A section of what is asked for first after the first screen; nothing if nothing is in it.
    pub fn first(name: &'static str, title: impl Into<String>, blocks: Vec<Block>) -> Option<Self> {
        Some(Section { detail: Detail::Checks, ..Section::of(name, title, blocks)? })
    }

    /// A section of detail; nothing if nothing is in it.
    pub fn detail(name: &'static str, title: impl Into<String>, blocks: Vec<Block>) -> Option<Self> {
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
    pub fn of(sources: &[Source], views: Views) -> Self {
        let reports: Vec<Report> = sources.iter().map(|source| report(source, views)).collect();
        let title = match &reports[..] {
            [one] => format!("abench: {}", one.title),
            several => format!("abench: {} records", several.len()),
        };
        Document { title, overview: (reports.len() > 1).then(|| overview(&reports)), reports }
    }
}

fn report(source: &Source, views: Views) -> Report {
    let mut report = source.record.shown(views, |shown| shown.report(&source.file, source.again.as_deref()));
    // Records of mutants of the RTL are not sealed: their script writes them.
    let is_sealed = !matches!(source.record, AnyRecord::RtlMutation(_));
    report.warning = (is_sealed && source.seal != Seal::Intact).then(|| sentence(&source.seal.to_string()));
    report
}

/// The words as a sentence, with a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let Some(first) = characters.next() else { return String::new() };
    let stop = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    first.to_uppercase().chain(characters).chain(stop.chars()).collect()
}

fn overview(reports: &[Report]) -> Table {
    let columns = [Column::words("record"), Column::words("verdict"), Column::number("exit"), Column::words("why")];
    let row = |report: &Report| {
        let Judgement { verdict, remark, exit, reasons, .. } = &report.judgement;
        let why: Vec<&str> = report.warning.iter().chain(reasons).map(String::as_str).collect();
        let verdict = Cell::toned(format!("{verdict}{remark}"), report.judgement.tone());
        vec![Cell::text(&report.title), verdict, Cell::text(exit), Cell::text(why.join(" "))]
    };
    Table::prose("The records of this report", columns, reports.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A judgement of this verdict and exit code.
    fn judged(verdict: Verdict, exit: u8) -> Judgement {
        let remark = if exit == 0 { ", as expected" } else { "" }.to_owned();
        Judgement { verdict, remark, exit, reasons: Vec::new(), warrants: Vec::new(), facts: Vec::new() }
    }

    #[test]
    fn a_run_passes_by_its_exit_code_whatever_its_verdict() {
        use Tone::{Bad, Doubtful, Good};
        for verdict in [Verdict::Holds, Verdict::Falsified, Verdict::Inconclusive] {
            let tones = [0, 1, 3, 4, 70, 130].map(|exit| judged(verdict, exit).tone());
            assert_eq!(tones, [Good, Bad, Doubtful, Doubtful, Bad, Doubtful], "{verdict}");
        }
    }

    #[test]
    fn the_table_of_all_records_marks_an_expected_falsification_as_passed() {
        let report = |judgement| Report { title: "run".to_owned(), warning: None, judgement, sections: Vec::new() };
        let table = overview(&[report(judged(Verdict::Falsified, 0)), report(judged(Verdict::Falsified, 1))]);
        let cells: Vec<&Cell> = table.rows.iter().map(|row| &row[1]).collect();
        assert_eq!(*cells[0], Cell::toned("falsified, as expected", Tone::Good));
        assert_eq!(*cells[1], Cell::toned("falsified", Tone::Bad));
    }

    #[test]
    fn words_become_a_sentence() {
        assert_eq!(["", "falsified by: x", "Done."].map(sentence), ["", "Falsified by: x.", "Done."]);
    }
}
