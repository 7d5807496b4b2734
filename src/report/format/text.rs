//! A document as plain text of a given width: for terminals, and for files that are read with a pager.
//!
//! Dashboards that read a terminal's output skip it: no line begins with two whole numbers.

use anstyle::{AnsiColor, Style};
use textwrap::Options;

use crate::report::document::{Align, Block, Cell, Document, Judgement, Report, Section, Shape, Table, Tone};
use crate::report::inert::inert;

/// Columns that no text is made narrower than.
const LEAST_WIDTH: usize = 40;

/// Columns between two columns.
const GAP: usize = 2;

/// Columns that a column of words keeps at least where a table is too wide.
const LEAST_WORDS: usize = 18;

/// The whole text, styled for a terminal. Its last line is the verdict, where it is of one record.
pub fn render(document: &Document, width: usize) -> String {
    let mut text = Text { out: String::new(), width: width.max(LEAST_WIDTH) };
    text.title(&document.title);
    if let Some(overview) = &document.overview {
        text.blank();
        text.table(overview);
    }
    document.reports.iter().for_each(|report| text.report(report, document.overview.is_some()));
    text.out
}

struct Text {
    out: String,
    width: usize,
}

impl Text {
    fn blank(&mut self) {
        self.out.push('\n');
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn title(&mut self, title: &str) {
        let bold = Style::new().bold();
        self.line(&format!("{bold}{}{bold:#}", inert(title)));
    }

    /// Words, with a beginning before the first line and as much room before the others.
    fn words(&mut self, beginning: &str, words: &str) {
        let rest = " ".repeat(beginning.chars().count());
        let words = inert(words);
        for (place, line) in wrapped(&words, self.width - rest.len()).into_iter().enumerate() {
            self.line(&format!("{}{line}", if place == 0 { beginning } else { &rest }));
        }
    }

    fn report(&mut self, report: &Report, is_one_of_several: bool) {
        if is_one_of_several {
            self.blank();
            self.line(&"=".repeat(self.width.min(100)));
            self.title(&report.title);
        }
        self.judgement(&report.judgement);
        report.sections.iter().for_each(|section| self.section(section));
        self.blank();
        self.verdict(&report.judgement);
    }

    fn verdict(&mut self, judgement: &Judgement) {
        let Judgement { verdict, remark, exit, .. } = judgement;
        let style = style((*verdict).into());
        self.line(&format!("verdict {style}{verdict}{style:#}{} (exit {exit})", inert(remark)));
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
        self.blank();
        self.title(&section.title);
        for (place, block) in section.blocks.iter().enumerate() {
            // Tables and commands stand apart; a caption stands with what it is of.
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
                lines.iter().for_each(|line| self.line(&format!("    {}", inert(line))));
            }
            Block::Figure(figure) => {
                self.words("  ", &format!("{}. {}", figure.title, figure.alt));
                // A row that began with two numbers would be taken for one of the board's table.
                for row in &figure.table.rows {
                    let cells = figure.table.heads.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
                    let said: Vec<String> = cells.map(|(head, cell)| format!("{head} {cell}")).collect();
                    self.words("  - ", &said.join(", "));
                }
            }
        }
    }

    fn facts(&mut self, facts: &[(String, String)]) {
        let widest = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(self.width / 3);
        facts.iter().for_each(|(name, value)| self.words(&format!("  {:<widest$}  ", inert(name)), value));
    }

    fn table(&mut self, table: &Table) {
        self.words("  ", &table.caption);
        let heads: Vec<String> = table.columns.iter().map(|column| inert(&column.title())).collect();
        let aligns: Vec<Align> = table.columns.iter().map(|column| column.align).collect();
        let plain = |row: &Vec<Cell>| row.iter().map(|cell| inert(&cell.text)).collect();
        let rows: Vec<Vec<String>> = table.rows.iter().map(plain).collect();
        let tone = |row: usize, column: usize| table.rows[row].get(column).map_or(Tone::Plain, |cell| cell.tone);
        if table.shape == Shape::Prose {
            return self.prose(&heads, &rows, tone);
        }
        self.grid(&heads, &aligns, &rows, tone);
    }

    /// Rows of sentences: the first cells on a line, the last one below them.
    fn prose(&mut self, heads: &[String], rows: &[Vec<String>], tone: impl Fn(usize, usize) -> Tone) {
        let Some(last) = heads.len().checked_sub(1) else { return };
        for (place, row) in rows.iter().enumerate() {
            let cell = |column: usize| {
                let style = style(tone(place, column));
                format!("{style}{}{style:#}", row.get(column).map_or("", String::as_str))
            };
            let first: Vec<String> = (0..last.min(2)).map(cell).collect();
            self.line(&format!("  {}", first.join("  ")));
            for (head, words) in heads.iter().zip(row).skip(last.min(2)).filter(|(_, words)| !words.is_empty()) {
                self.words("      ", &format!("{head}: {words}"));
            }
        }
    }

    /// A table of columns; where it is too wide its columns of words are wrapped, and where that does not help either a
    /// row takes a line for each cell.
    fn grid(&mut self, heads: &[String], aligns: &[Align], rows: &[Vec<String>], tone: impl Fn(usize, usize) -> Tone) {
        let Some(widths) = self.widths(heads, aligns, rows) else { return self.stacked(heads, rows, tone) };
        self.row(heads, aligns, &widths, |_| Tone::Plain);
        for (place, row) in rows.iter().enumerate() {
            self.row(row, aligns, &widths, |column| tone(place, column));
        }
    }

    /// The width of each column, if all of them fit: what stands above a column is wrapped first, then words in it. Numbers
    /// and words themselves are not broken.
    fn widths(&self, heads: &[String], aligns: &[Align], rows: &[Vec<String>]) -> Option<Vec<usize>> {
        let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
        let widest = |column: usize| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let longest_word = |text: &String| text.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
        let too_wide =
            |widths: &[usize]| widths.iter().map(|width| GAP + width).sum::<usize>().saturating_sub(self.width);
        let whole: Vec<usize> =
            (0..heads.len()).map(|column| widest(column).max(heads[column].chars().count())).collect();
        if too_wide(&whole) == 0 {
            return Some(whole);
        }
        let mut widths: Vec<usize> =
            (0..heads.len()).map(|column| widest(column).max(longest_word(&heads[column]))).collect();
        loop {
            let excess = too_wide(&widths);
            if excess == 0 {
                return Some(widths);
            }
            // The widest column of words gives way.
            let least = |column: usize| {
                let words = cells(column).chain([&heads[column]]).map(longest_word).max().unwrap_or(0);
                words.max(LEAST_WORDS)
            };
            let words =
                (0..widths.len()).filter(|&column| aligns[column] == Align::Left && widths[column] > least(column));
            let widest = words.max_by_key(|&column| widths[column])?;
            widths[widest] = widths[widest].saturating_sub(excess).max(least(widest));
        }
    }

    fn row(&mut self, cells: &[String], aligns: &[Align], widths: &[usize], tone: impl Fn(usize) -> Tone) {
        let wrapped: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, &width)| wrapped(cell, width)).collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        for place in 0..height {
            let mut line = String::new();
            for (column, lines) in wrapped.iter().enumerate() {
                let text = lines.get(place).map_or("", String::as_str);
                let padding = " ".repeat(widths[column].saturating_sub(text.chars().count()));
                let style = style(tone(column));
                let text = format!("{style}{text}{style:#}");
                line += &" ".repeat(GAP);
                line += &if aligns[column] == Align::Left { text + &padding } else { padding + &text };
            }
            self.line(&line);
        }
    }

    fn stacked(&mut self, heads: &[String], rows: &[Vec<String>], tone: impl Fn(usize, usize) -> Tone) {
        let widest = heads.iter().map(|head| head.chars().count()).max().unwrap_or(0).min(self.width / 2);
        for (place, row) in rows.iter().enumerate() {
            for (column, (head, cell)) in heads.iter().zip(row).enumerate() {
                let style = style(tone(place, column));
                let beginning = if column == 0 { "  " } else { "    " };
                match column {
                    0 => self.words(beginning, cell),
                    _ if cell.chars().count() + widest + 6 > self.width => {
                        self.words(beginning, &format!("{head}: {cell}"))
                    }
                    _ => self.line(&format!("{beginning}{head:<widest$}  {style}{cell}{style:#}")),
                }
            }
        }
    }
}

/// Lines of at most so many columns; a word that is longer is broken.
fn wrapped(words: &str, width: usize) -> Vec<String> {
    let options = Options::new(width.max(1)).word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(words, options).into_iter().map(|line| line.into_owned()).collect()
}

fn style(tone: Tone) -> Style {
    let colour = match tone {
        Tone::Plain => return Style::new(),
        Tone::Good => AnsiColor::Green,
        Tone::Doubtful => AnsiColor::Yellow,
        Tone::Bad => AnsiColor::Red,
    };
    Style::new().fg_color(Some(colour.into())).bold()
}
