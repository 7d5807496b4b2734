//! A document as Markdown that fits a comment on a pull request: the verdict first, detail folded.
//!
//! What does not fit is left out section by section, and named.

use std::fmt::Write;

use crate::report::document::{Align, Block, Document, Judgement, Report, Section, Table, Tone};
use crate::report::inert::inert;

/// The bytes of a comment on the common forges, at most.
pub const MOST_BYTES: usize = 65_536;

/// What is kept free for the sentences that name what was left out.
const RESERVE: usize = 2048;

/// Bytes of a command or of steps, above which only their size is shown.
const LONGEST_CODE: usize = 4096;

/// Rows of a table that are shown.
const MOST_ROWS: usize = 120;

/// The whole comment, in at most [`MOST_BYTES`] bytes.
pub fn render(document: &Document) -> String {
    let mut text = format!("# {}\n\n", escaped(&document.title));
    let mut left = MOST_BYTES - RESERVE - text.len().min(MOST_BYTES / 2);
    if let Some(overview) = &document.overview {
        let overview = format!("{}\n", table(overview));
        text += &take(overview, &mut left).unwrap_or_default();
    }
    let level = if document.overview.is_some() { 2 } else { 1 };
    // What everybody should read is given its place before any detail is.
    let mut parts: Vec<Part> = document.reports.iter().flat_map(|report| parts(report, level)).collect();
    parts.iter_mut().for_each(|part| part.fit(&mut left, |part| part.first));
    parts.iter_mut().for_each(|part| part.fit(&mut left, |part| !part.first));
    let left_out: Vec<&str> = parts.iter().filter(|part| !part.fits).map(|part| part.title.as_str()).collect();
    parts.iter().filter(|part| part.fits).for_each(|part| text += &part.text);
    if !left_out.is_empty() {
        text += &note_of(&left_out);
    }
    text
}

/// A piece that is shown whole or not at all.
struct Part {
    title: String,
    text: String,
    first: bool,
    fits: bool,
}

impl Part {
    fn fit(&mut self, left: &mut usize, wanted: impl Fn(&Part) -> bool) {
        if wanted(self) && self.text.len() <= *left {
            *left -= self.text.len();
            self.fits = true;
        }
    }
}

fn take(text: String, left: &mut usize) -> Option<String> {
    *left = left.checked_sub(text.len())?;
    Some(text)
}

/// Says what was left out, in less than [`RESERVE`] bytes.
fn note_of(left_out: &[&str]) -> String {
    let mut named = String::new();
    let mut places = left_out.iter();
    for title in places.by_ref() {
        if named.len() + title.len() > RESERVE - 512 {
            named += ", and more";
            break;
        }
        let comma = if named.is_empty() { "" } else { ", " };
        named += &format!("{comma}{title}");
    }
    format!("\n> Left out, to fit a comment: {named}. `abench report --format html` shows everything.\n")
}

fn parts(report: &Report, level: usize) -> Vec<Part> {
    let title = inert(&report.title);
    let heading = if level > 1 { format!("## {}\n\n", escaped(&report.title)) } else { String::new() };
    let warning = report.warning.as_ref().map(|warning| format!("⚠️ **{}**\n\n", escaped(warning)));
    let verdict = heading + &warning.unwrap_or_default() + &judgement(&report.judgement);
    let first = [Part { title: escaped(&title), text: verdict, first: true, fits: false }];
    let sections = report.sections.iter().map(|section| Part {
        title: match level {
            1 => escaped(&section.title),
            _ => format!("{} of {}", escaped(&section.title), escaped(&title)),
        },
        text: section_text(section, level + 1),
        first: section.name == "repeat",
        fits: false,
    });
    first.into_iter().chain(sections).collect()
}

fn judgement(judgement: &Judgement) -> String {
    let mark = mark(judgement.verdict.into());
    let mut text = format!("{mark}**{}**\n\n", escaped(&judgement.line()));
    for reason in &judgement.reasons {
        line(&mut text, &format!("- {}", escaped(reason)));
    }
    if !judgement.warrants.is_empty() {
        text += "\nWhat a `holds` rests on:\n\n";
        judgement.warrants.iter().for_each(|warrant| line(&mut text, &format!("- {}", escaped(warrant))));
    }
    text += "\n";
    text += &facts(&judgement.facts);
    text
}

/// A mark before what is good or bad, besides its word.
fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Good => "✅ ",
        Tone::Doubtful => "⚠️ ",
        Tone::Bad => "❌ ",
    }
}

fn section_text(section: &Section, level: usize) -> String {
    let blocks: String = section.blocks.iter().map(|block| block_text(block, level + 1)).collect();
    match section.folded {
        false => format!("{} {}\n\n{blocks}", "#".repeat(level), escaped(&section.title)),
        true => folded(&section.title, &blocks),
    }
}

fn folded(title: &str, inside: &str) -> String {
    format!("<details><summary>{}</summary>\n\n{inside}\n</details>\n\n", in_html(title))
}

fn block_text(block: &Block, level: usize) -> String {
    match block {
        Block::Heading(heading) => format!("{} {}\n\n", "#".repeat(level.min(6)), escaped(heading)),
        Block::Paragraph(words) => format!("{}\n\n", escaped(words)),
        Block::Note(words) => format!("<sub>{}</sub>\n\n", escaped(words)),
        Block::List(items) => {
            items.iter().map(|item| format!("- {}\n", escaped(item))).chain(["\n".to_owned()]).collect()
        }
        Block::Facts(pairs) => facts(pairs),
        Block::Table(of) if of.rows.len() > 24 => {
            folded(&format!("{} ({} rows)", of.caption, of.rows.len()), &rows_of(of))
        }
        Block::Table(of) => table(of),
        Block::Command(command) => code(std::slice::from_ref(command)),
        Block::Steps { caption, lines } => format!("{}:\n\n{}", escaped(caption), code(lines)),
        Block::Figure(figure) => {
            let rows = rows_of(&figure.table);
            folded(&figure.title, &format!("{}\n\n{rows}", escaped(&figure.alt)))
        }
    }
}

fn facts(pairs: &[(String, String)]) -> String {
    let rows: Vec<Vec<String>> = pairs.iter().map(|(name, value)| vec![escaped(name), escaped(value)]).collect();
    if rows.is_empty() { String::new() } else { grid(&[String::new(), String::new()], &[Align::Left; 2], &rows) }
}

fn table(table: &Table) -> String {
    format!("**{}**\n\n{}", escaped(&table.caption), rows_of(table))
}

fn rows_of(table: &Table) -> String {
    let heads: Vec<String> = table.columns.iter().map(|column| escaped(&column.title())).collect();
    let aligns: Vec<Align> = table.columns.iter().map(|column| column.align).collect();
    let row = |row: &Vec<crate::report::document::Cell>| {
        row.iter().map(|cell| format!("{}{}", mark(cell.tone), escaped(&cell.text))).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = table.rows.iter().take(MOST_ROWS).map(row).collect();
    let more = table.rows.len() - rows.len();
    let more = if more > 0 {
        format!("And {more} more rows, which the page of `--format html` shows.\n\n")
    } else {
        String::new()
    };
    grid(&heads, &aligns, &rows) + &more
}

fn grid(heads: &[String], aligns: &[Align], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    line(&mut text, &format!("| {} |", heads.join(" | ")));
    let rule = aligns.iter().map(|align| if *align == Align::Right { "---:" } else { "---" });
    line(&mut text, &format!("| {} |", rule.collect::<Vec<_>>().join(" | ")));
    rows.iter().for_each(|row| line(&mut text, &format!("| {} |", row.join(" | "))));
    text += "\n";
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes every text");
}

/// Lines in a fence that no line of theirs ends.
fn code(lines: &[String]) -> String {
    let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
    if bytes > LONGEST_CODE {
        return format!("({bytes} bytes, which the record and the page of `--format html` have.)\n\n");
    }
    let lines: Vec<String> = lines.iter().map(|line| inert(line)).collect();
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n\n", lines.join("\n"))
}

/// Words that mean nothing to Markdown, to HTML, or to a forge that links names, numbers and addresses.
fn escaped(words: &str) -> String {
    let words = inert(words);
    let words = words.trim();
    let mut text = String::with_capacity(words.len() + 16);
    let mut before: Option<char> = None;
    for (place, character) in words.char_indices() {
        match character {
            '&' => text += "&amp;",
            '<' => text += "&lt;",
            '>' => text += "&gt;",
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' => text.extend(['\\', character]),
            // Inside a word an underscore is no emphasis.
            '_' if before.is_none_or(|c| !c.is_alphanumeric()) => text += "\\_",
            // Nothing is emphasised, and nobody is called, where a comment stands in between.
            '@' => text += "@<!-- -->",
            '#' => text += "#<!-- -->",
            ':' if words[place..].starts_with("://") => text += ":<!-- -->",
            '.' if before == Some('w') || before == Some('W') => text += "<!-- -->.",
            // At the beginning of a line these would make a list, a rule or a heading.
            '-' | '+' | '=' if place == 0 => text.extend(['\\', character]),
            _ => text.push(character),
        }
        before = Some(character);
    }
    text
}

/// The same for words between tags, where Markdown is not read.
fn in_html(words: &str) -> String {
    let words = inert(words).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    words.replace('@', "@<!-- -->").replace('#', "#<!-- -->").replace("://", ":<!-- -->//")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::report::document::Detail;

    fn document(blocks: Vec<Block>) -> Document {
        let section = Section { name: "x", title: "A section".to_owned(), folded: false, detail: Detail::All, blocks };
        let judgement = Judgement {
            verdict: Verdict::Holds,
            remark: String::new(),
            exit: 0,
            reasons: vec!["It holds.".to_owned()],
            warrants: Vec::new(),
            facts: Vec::new(),
        };
        let report = Report { title: "run".to_owned(), warning: None, judgement, sections: vec![section] };
        Document { title: "abench: run".to_owned(), overview: None, reports: vec![report] }
    }

    #[test]
    fn the_verdict_comes_first_and_what_does_not_fit_is_named() {
        let long = document(vec![Block::List(vec!["words ".repeat(200); 100])]);
        let text = render(&long);
        assert!(text.len() <= MOST_BYTES, "{}", text.len());
        assert!(text.starts_with("# abench: run\n\n✅ **verdict holds (exit 0)**\n"), "{}", &text[..100]);
        assert!(
            text.ends_with("Left out, to fit a comment: A section. `abench report --format html` shows everything.\n")
        );
    }

    #[test]
    fn a_fence_is_longer_than_every_run_of_backticks_in_it() {
        assert_eq!(code(&["a ```` b".to_owned()]), "`````text\na ```` b\n`````\n\n");
        assert!(code(&["x".repeat(LONGEST_CODE)]).starts_with("(4097 bytes"));
    }

    #[test]
    fn words_of_a_record_are_words_in_every_place() {
        let said = escaped("- <script>|`x`|@all #7 https://a www.b.c _it_ a_b *c*");
        assert_eq!(
            said,
            "\\- &lt;script&gt;\\|\\`x\\`\\|@<!-- -->all #<!-- -->7 https:<!-- -->//a www<!-- -->.b.c \\_it_ a_b \\*c\\*"
        );
    }
}
