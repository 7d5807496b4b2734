//! Records as plain text of a given width: for terminals, and for files that are read with a pager.
//!
//! A text begins with the first screen. What follows is the document, as much of it as is asked for, and the verdict is the
//! last line. Dashboards read the board's table, which comes first where it is shown, and skip the rest: no other line
//! begins with two whole numbers, and the words that they take for a green light are in that table alone.

use anstyle::Style;
use textwrap::{Options, WordSplitter};

use crate::domain::verdict::Verdict;
use crate::report::document::section::verdict::judgement;
use crate::report::document::{
    Block, Detail, Document, Judgement, Report, Section, Shape, Source, Table as Rows, Tone,
};
use crate::report::figure::Figure;
use crate::report::format::grid::{self, broken, style};
use crate::report::inert::inert;
use crate::report::record::Record;
use crate::report::view::Views;

/// Columns of text where the output is no terminal.
pub const DEFAULT_WIDTH: usize = 100;

/// Columns that no text is made narrower than.
const LEAST_WIDTH: usize = 40;

/// Lines of a screen, the prompt's not among them.
pub(in crate::report) const SCREEN: usize = 23;

/// Whether a report begins with the board's table, of which there is at most one in an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// It does, if a device was on trial.
    Shown,
    /// It does not.
    Left,
}

/// A record that people are shown.
pub trait Shown {
    /// All that it says: of a record that is in `file`, where `again` makes the same without it.
    fn report(&self, file: &str, again: Option<&str>) -> Report;

    /// The verdict, and what it rests on.
    fn judgement(&self) -> Judgement;

    /// The first screen without its last line, which is the verdict. With more detail, all that it names follows.
    fn screen(&self, text: &mut Text, detail: Detail);

    /// The board's table, for dashboards.
    fn board_table(&self) -> Option<String> {
        None
    }
}

/// A record as text, styled for a terminal. Its last line is the verdict.
pub fn render(shown: &dyn Shown, width: usize, table: Table, detail: Detail) -> String {
    let mut text = Text::new(width);
    match detail {
        Detail::Verdict => text.verdict(&shown.judgement()),
        Detail::Screen => {
            text.board_table(shown, table);
            shown.screen(&mut text, detail);
            text.verdict(&shown.judgement());
        }
        Detail::Checks | Detail::All => {
            text.board_table(shown, table);
            text.in_full(shown, &shown.report("RECORD", None), detail);
        }
    }
    text.finish()
}

/// The last line of a run's text.
pub fn verdict_line(record: &Record) -> String {
    styled_line(&judgement(record))
}

/// Files of records as text: all that they say. The board's table is left out, for a file is no run.
pub fn of_files(sources: &[Source], width: usize, views: Views) -> String {
    let document = Document::of(sources, views);
    let mut text = Text::new(width);
    if let Some(overview) = &document.overview {
        text.title(&document.title);
        text.blank();
        text.table(overview);
    }
    for (source, report) in sources.iter().zip(&document.reports) {
        if document.overview.is_some() {
            text.blank();
            text.line(&"=".repeat(text.width.min(DEFAULT_WIDTH)));
            text.title(&report.title);
        }
        source.record.shown(views, |shown| text.in_full(shown, report, Detail::All));
    }
    text.finish()
}

/// A verdict's word in its colour.
pub fn styled(verdict: Verdict) -> String {
    let style = style(verdict.into());
    format!("{style}{verdict}{style:#}")
}

fn styled_line(judgement: &Judgement) -> String {
    let Judgement { verdict, remark, exit, .. } = judgement;
    let style = style(judgement.tone());
    format!("verdict {style}{verdict}{style:#}{} (exit {exit})", inert(remark))
}

/// Text that is written line by line, none of them wider than a terminal where it can be broken.
pub struct Text {
    out: String,
    width: usize,
    has_board_table: bool,
}

impl Text {
    /// Nothing yet, in lines of so many columns.
    pub fn new(width: usize) -> Self {
        Text { out: String::new(), width: width.max(LEAST_WIDTH), has_board_table: false }
    }

    /// All that was written.
    pub fn finish(self) -> String {
        self.out
    }

    /// Columns of a line.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether the board's table was written, which tells COUNT and SEED.
    pub fn has_board_table(&self) -> bool {
        self.has_board_table
    }

    /// Lines that were written, as a terminal of this width shows them.
    pub fn lines(&self) -> usize {
        self.out
            .lines()
            .map(|line| anstream::adapter::strip_str(line).to_string().chars().count())
            .map(|columns| columns.div_ceil(self.width).max(1))
            .sum()
    }

    /// What another text of this width holds.
    pub fn append(&mut self, other: Text) {
        self.out += &other.out;
    }

    /// One line, as it is.
    pub fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// One line, cut off where the terminal ends.
    pub fn cut(&mut self, line: &str) {
        self.line(&shortened(&inert(line), self.width));
    }

    /// A paragraph with every line but the first indented by `indent` columns, and the first one too if it is not
    /// given a beginning of its own.
    pub fn paragraph(&mut self, beginning: &str, indent: usize, words: &str) {
        let rest = " ".repeat(indent);
        let first = if beginning.is_empty() { rest.as_str() } else { beginning };
        let options = Options::new(self.width).initial_indent(first).subsequent_indent(&rest);
        let options = options.word_splitter(WordSplitter::NoHyphenation);
        for line in textwrap::wrap(&inert(words), options) {
            self.line(&line);
        }
    }

    /// A table, without its columns that matter least where there is no room.
    pub fn fitted(&mut self, table: &Rows) {
        grid::fitted(table, self.width).iter().for_each(|line| self.line(line));
    }

    /// The same without what stands above its columns.
    pub fn headless(&mut self, table: &Rows) {
        grid::fitted(table, self.width).iter().skip(1).for_each(|line| self.line(line));
    }

    fn blank(&mut self) {
        self.out.push('\n');
    }

    fn board_table(&mut self, shown: &dyn Shown, table: Table) {
        if let Some(board) = shown.board_table().filter(|_| table == Table::Shown) {
            self.out += &board;
            self.blank();
            self.has_board_table = true;
        }
    }

    fn title(&mut self, title: &str) {
        let bold = Style::new().bold();
        for line in broken(&inert(title), self.width) {
            self.line(&format!("{bold}{line}{bold:#}"));
        }
    }

    /// Words, with a beginning before the first line and as much room before the others.
    fn words(&mut self, beginning: &str, words: &str) {
        self.paragraph(beginning, beginning.chars().count(), words);
    }

    /// The first screen, and the sections that this much detail shows.
    fn in_full(&mut self, shown: &dyn Shown, report: &Report, detail: Detail) {
        report.warning.iter().for_each(|warning| self.words("", warning));
        shown.screen(self, detail);
        self.judgement(&report.judgement);
        report.sections.iter().filter(|section| section.detail <= detail).for_each(|section| self.section(section));
        self.blank();
        self.verdict(&report.judgement);
    }

    fn verdict(&mut self, judgement: &Judgement) {
        self.line(&styled_line(judgement));
    }

    fn judgement(&mut self, judgement: &Judgement) {
        self.verdict(judgement);
        judgement.reasons.iter().for_each(|reason| self.words("  ", reason));
        if !judgement.warrants.is_empty() {
            self.line("  what holds rests on:");
            judgement.warrants.iter().for_each(|warrant| self.words("  - ", warrant));
        }
        self.facts(&judgement.facts);
    }

    fn section(&mut self, section: &Section) {
        let is_told = |block: &&Block| !matches!(block, Block::Figure(figure) if figure.is_repeated);
        let blocks: Vec<&Block> = section.blocks.iter().filter(is_told).collect();
        if blocks.is_empty() {
            return;
        }
        self.blank();
        self.title(&section.title);
        for (place, block) in blocks.into_iter().enumerate() {
            // Tables and headings stand apart; a caption stands with what it is of.
            let stands_apart = matches!(block, Block::Heading(_) | Block::Table(_) | Block::Figure(_));
            if place > 0 && stands_apart {
                self.blank();
            }
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(heading) => self.words("  ", heading),
            Block::Paragraph(words) | Block::Note(words) => self.words("  ", words),
            Block::List(items) => items.iter().for_each(|item| self.words("  - ", item)),
            Block::Facts(facts) => self.facts(facts),
            Block::Table(table) => self.table(table),
            // What is pasted must not be broken by the report: the terminal wraps it.
            Block::Command(command) => self.line(&format!("    {}", inert(command))),
            Block::Steps { caption, lines } => {
                self.words("  ", &format!("{caption}:"));
                lines.iter().for_each(|line| self.paragraph("    ", 8, line));
            }
            Block::Figure(figure) => self.figure(figure),
        }
    }

    fn facts(&mut self, facts: &[(String, String)]) {
        let widest = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(self.width / 3);
        facts.iter().for_each(|(name, value)| self.words(&format!("  {:<widest$}  ", inert(name)), value));
    }

    fn table(&mut self, table: &Rows) {
        self.words("  ", &table.caption);
        match table.shape {
            Shape::Prose => self.prose(table),
            Shape::Numbers => grid::whole(table, self.width).iter().for_each(|line| self.line(line)),
        }
    }

    /// The table of a figure; the drawing is for pages.
    fn figure(&mut self, figure: &Figure) {
        self.words("  ", &format!("{}. {}", figure.title, figure.alt));
        // A row of two numbers would be taken for one of the board's table.
        let lines = grid::whole(&figure.table, self.width - 3);
        lines.iter().for_each(|line| self.line(&format!("  |{line}")));
    }

    /// Rows of sentences: what the row is, with its verdict before it, and the other cells below.
    fn prose(&mut self, table: &Rows) {
        let verdicts = table.rows.iter().filter_map(|row| row.get(1)).map(|cell| cell.text.chars().count());
        let widest = verdicts.max().unwrap_or(0);
        let is_judged = table.rows.iter().filter_map(|row| row.get(1)).any(|cell| cell.tone != Tone::Plain);
        for row in &table.rows {
            let [name, second, rest @ ..] = &row[..] else { continue };
            let heads = table.columns.iter().map(|column| column.title()).skip(if is_judged { 2 } else { 1 });
            let below = if is_judged { rest } else { &row[1..] };
            match is_judged {
                true => {
                    let (style, padding) = (style(second.tone), widest - second.text.chars().count() + 2);
                    let verdict = inert(&second.text);
                    self.hanging(&format!("{style}{verdict}{style:#}{:padding$}", ""), widest + 4, &name.text);
                }
                false => self.words("  ", &name.text),
            }
            for (head, cell) in heads.zip(below).filter(|(_, cell)| !cell.text.is_empty()) {
                self.words("      ", &format!("{head}: {}", cell.text));
            }
        }
    }

    /// Words beside a styled beginning, which takes `columns` with its indent.
    fn hanging(&mut self, beginning: &str, columns: usize, words: &str) {
        for (place, line) in broken(&inert(words), self.width.saturating_sub(columns)).iter().enumerate() {
            match place {
                0 => self.line(&format!("  {beginning}{line}")),
                _ => self.line(&format!("{:columns$}{line}", "")),
            }
        }
    }
}

/// A text of at most so many columns.
pub(in crate::report) fn shortened(text: &str, columns: usize) -> String {
    match text.char_indices().nth(columns) {
        None => text.to_owned(),
        Some(_) => format!("{}…", text.chars().take(columns.saturating_sub(1)).collect::<String>().trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_has_the_colour_of_the_exit_code() {
        let line = |verdict, exit| {
            let (remark, reasons, warrants, facts) = (String::new(), Vec::new(), Vec::new(), Vec::new());
            styled_line(&Judgement { verdict, remark, exit, reasons, warrants, facts })
        };
        let tones = [(Verdict::Falsified, 0, Tone::Good), (Verdict::Falsified, 1, Tone::Bad)];
        for (verdict, exit, tone) in tones.into_iter().chain([(Verdict::Inconclusive, 3, Tone::Doubtful)]) {
            let line = line(verdict, exit);
            assert!(line.starts_with(&format!("verdict {}{verdict}", style(tone))), "{line:?}");
            assert_eq!(anstream::adapter::strip_str(&line).to_string(), format!("verdict {verdict} (exit {exit})"));
        }
    }
}
