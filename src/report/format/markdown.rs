//! A document as Markdown that fits a comment on a pull request: the verdict first, detail folded.
//!
//! What does not fit is left out section by section, and named. Of several records the worst come first and are kept.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::domain::count::counted;
use crate::domain::verdict::exit;
use crate::report::document::{Align, Block, Cell, Document, Judgement, Report, Section, Table, Tone};
use crate::report::inert::inert;

/// The bytes of a comment on the common forges, at most.
pub const MOST_BYTES: usize = 65_536;

/// What is kept free for the sentences that name what was left out.
const RESERVE: usize = 2048;

/// Bytes of a command or of steps, above which only their size is shown.
const LONGEST_CODE: usize = 4096;

/// Rows of a table that are shown.
const MOST_ROWS: usize = 120;

/// Bytes of the table of all records.
const OVERVIEW: usize = MOST_BYTES * 2 / 5;

/// Characters of a title, and of the reasons in the table of all records.
const LONGEST_WORDS: usize = 200;

/// Reasons of a verdict that are shown, and the characters of each.
const MOST_REASONS: usize = 24;
const LONGEST_REASON: usize = 1000;

/// The whole comment, in at most [`MOST_BYTES`] bytes. Of several records the worst come first.
pub fn render(document: &Document) -> String {
    let mut text = format!("# {}\n\n", escaped(&short(&document.title)));
    let order = worst_first(&document.reports);
    let mut rows_left_out = 0;
    if let Some(overview) = &document.overview {
        let rows = order.iter().filter_map(|&place| overview.rows.get(place));
        let (overview, shown) = overview_text(overview, rows);
        text += &overview;
        rows_left_out = order.len() - shown;
    }
    let mut left = MOST_BYTES - RESERVE - text.len();
    let is_several = document.overview.is_some();
    let mut parts: Vec<Part> =
        order.iter().flat_map(|&place| parts(&document.reports[place], place, is_several)).collect();
    // What everybody should read is given its place before any detail is, and what went wrong before what did not.
    let mut has_verdict = BTreeSet::new();
    for rank in [Rank::First, Rank::OfBad, Rank::Judgement, Rank::Repeat, Rank::Detail] {
        for part in parts.iter_mut().filter(|part| part.rank == rank) {
            // No section stands without the verdict of its record.
            if part.is_verdict() || has_verdict.contains(&part.report) {
                part.fit(&mut left);
            }
            if part.fits && part.is_verdict() {
                has_verdict.insert(part.report);
            }
        }
    }
    parts.iter().filter(|part| part.fits).for_each(|part| text += &part.text);
    text += &left_out(&parts, rows_left_out, is_several);
    text
}

/// The places of reports, the worst first: by exit code, then by verdict, then as they came.
fn worst_first(reports: &[Report]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..reports.len()).collect();
    order.sort_by_key(|&place| {
        let Judgement { verdict, exit, .. } = reports[place].judgement;
        std::cmp::Reverse((exit::badness(exit), verdict))
    });
    order
}

/// The table of all records with as many rows as fit, and how many these are.
fn overview_text<'a>(overview: &Table, rows: impl Iterator<Item = &'a Vec<Cell>>) -> (String, usize) {
    let short_cells = |row: &Vec<Cell>| {
        row.iter().map(|cell| Cell { text: short(&cell.text), tone: cell.tone }).collect::<Vec<Cell>>()
    };
    let mut shown = Table { rows: Vec::new(), ..overview.clone() };
    let mut bytes = table(&shown).len();
    for row in rows.map(short_cells) {
        let one = Table { rows: vec![row], ..shown.clone() };
        let more = table(&one).len() - table(&Table { rows: Vec::new(), ..one.clone() }).len();
        if bytes + more > OVERVIEW || shown.rows.len() == MOST_ROWS {
            break;
        }
        bytes += more;
        shown.rows.extend(one.rows);
    }
    (table(&shown) + "\n", shown.rows.len())
}

/// A piece that is shown whole or not at all.
struct Part {
    /// The place of its record, and what that is called.
    report: usize,
    of: String,
    /// The title of its section; empty where it is the verdict.
    title: String,
    text: String,
    rank: Rank,
    fits: bool,
}

/// How soon a piece gets its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    /// The verdict of a record whose exit code is not 0, or of the only one, and what failed.
    First,
    /// The other parts of a record whose exit code is not 0.
    OfBad,
    /// The verdict of another record, and what failed.
    Judgement,
    /// How to repeat it.
    Repeat,
    /// All else.
    Detail,
}

impl Part {
    fn is_verdict(&self) -> bool {
        self.title.is_empty()
    }

    fn fit(&mut self, left: &mut usize) {
        if self.text.len() <= *left {
            *left -= self.text.len();
            self.fits = true;
        }
    }
}

/// Says what was left out, in less than [`RESERVE`] bytes.
fn left_out(parts: &[Part], rows: usize, is_several: bool) -> String {
    let missing: Vec<&Part> = parts.iter().filter(|part| !part.fits).collect();
    if missing.is_empty() && rows == 0 {
        return String::new();
    }
    let mut told = Vec::new();
    if rows > 0 {
        told.push(format!("the rows of {}, none worse", counted(rows, "record")));
    }
    let verdicts = missing.iter().filter(|part| part.is_verdict());
    let records: Vec<&str> = verdicts.map(|part| part.of.as_str()).collect();
    if !records.is_empty() {
        told.push(format!("the verdict's reasons of {}: {}", counted(records.len(), "record"), named(&records, ", ")));
    }
    let mut sections: Vec<(&str, usize)> = Vec::new();
    for part in missing.iter().filter(|part| !part.is_verdict()) {
        match sections.iter_mut().find(|(title, _)| *title == part.title) {
            Some((_, times)) => *times += 1,
            None => sections.push((&part.title, 1)),
        }
    }
    let sections: Vec<String> = sections
        .into_iter()
        .map(
            |(title, times)| {
                if is_several { format!("{title} ({})", counted(times, "record")) } else { title.to_owned() }
            },
        )
        .collect();
    if !sections.is_empty() {
        told.push(named(&sections.iter().map(String::as_str).collect::<Vec<_>>(), "; "));
    }
    let kept = if is_several { " (the worst records are kept)" } else { "" };
    let told = told.join("; ");
    format!("\n> Left out, to fit a comment{kept}: {told}. `abench report --format html` shows everything.\n")
}

/// As many of these names as fit, and how many more there are.
fn named(names: &[&str], between: &str) -> String {
    const MOST: usize = RESERVE / 3;
    let mut told = String::new();
    for (place, name) in names.iter().enumerate() {
        if told.len() + name.len() > MOST {
            let more = names.len() - place;
            return if told.is_empty() { more.to_string() } else { format!("{told}, and {more} more") };
        }
        told += if told.is_empty() { "" } else { between };
        told += name;
    }
    told
}

/// The beginning of a title or of reasons.
fn short(words: &str) -> String {
    cut(words, LONGEST_WORDS)
}

fn cut(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    words.chars().take(most).chain(['…']).collect()
}

fn parts(report: &Report, place: usize, is_several: bool) -> Vec<Part> {
    let of = escaped(&short(&inert(&report.title)));
    let level = if is_several { 2 } else { 1 };
    let heading = if is_several { format!("## {of}\n\n") } else { String::new() };
    let warning = report.warning.as_ref().map(|warning| format!("⚠️ **{}**\n\n", escaped(warning)));
    let verdict = heading + &warning.unwrap_or_default() + &judgement(&report.judgement);
    let is_bad = !is_several || report.judgement.exit != exit::HOLDS;
    let rank = |section: &Section| match section.name {
        "failed" if is_bad => Rank::First,
        "failed" => Rank::Judgement,
        _ if is_several && is_bad => Rank::OfBad,
        "repeat" => Rank::Repeat,
        _ => Rank::Detail,
    };
    let first = if is_bad { Rank::First } else { Rank::Judgement };
    let first = Part { report: place, of: of.clone(), title: String::new(), text: verdict, rank: first, fits: false };
    let sections = report.sections.iter().map(|section| Part {
        report: place,
        of: of.clone(),
        title: escaped(&section.title),
        text: section_text(section, level + 1),
        rank: rank(section),
        fits: false,
    });
    [first].into_iter().chain(sections).collect()
}

fn judgement(judgement: &Judgement) -> String {
    let mark = mark(judgement.tone());
    let mut text = format!("{mark}**{}**\n\n", escaped(&judgement.line()));
    for reason in judgement.reasons.iter().take(MOST_REASONS) {
        line(&mut text, &format!("- {}", escaped(&cut(reason, LONGEST_REASON))));
    }
    if judgement.reasons.len() > MOST_REASONS {
        let more = judgement.reasons.len() - MOST_REASONS;
        line(&mut text, &format!("- And {}, which the record has.", counted(more, "more reason")));
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
    let row = |row: &Vec<Cell>| {
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
    use crate::report::document::{Column, Detail};

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
    fn the_icon_of_the_verdict_is_that_of_the_exit_code() {
        let line = |verdict, remark: &str, exit| {
            let mut one = document(Vec::new());
            let judgement = &mut one.reports[0].judgement;
            (judgement.verdict, judgement.remark, judgement.exit) = (verdict, remark.to_owned(), exit);
            render(&one).lines().nth(2).expect("a verdict").to_owned()
        };
        assert_eq!(line(Verdict::Falsified, ", as expected", 0), "✅ **verdict falsified, as expected (exit 0)**");
        assert_eq!(line(Verdict::Falsified, "", 1), "❌ **verdict falsified (exit 1)**");
        assert_eq!(line(Verdict::Holds, ", and not all is as expected", 1).chars().next(), Some('❌'));
        assert_eq!(line(Verdict::Inconclusive, "", 3), "⚠️ **verdict inconclusive (exit 3)**");
        assert_eq!(line(Verdict::Inconclusive, ", as expected", 0).chars().next(), Some('✅'));
    }

    #[test]
    fn of_more_records_than_fit_the_worst_are_kept_and_the_others_are_counted() {
        let one = |place: usize| {
            let Document { reports, .. } = document(vec![Block::List(vec!["words ".repeat(40); 3])]);
            let mut report = reports[0].clone();
            report.title = format!("run-{place}");
            if place % 1000 == 999 {
                (report.judgement.verdict, report.judgement.exit) = (Verdict::Falsified, 1);
            }
            report
        };
        let reports: Vec<Report> = (0..4000).map(one).collect();
        let rows = reports.iter().map(|report| vec![Cell::text(&report.title), Cell::text("why ".repeat(100))]);
        let columns = [Column::words("record"), Column::words("why")];
        let overview = Some(Table::prose("All", columns, rows));
        let text = render(&Document { title: "title ".repeat(20_000), overview, reports });
        assert!(text.len() <= MOST_BYTES, "{}", text.len());
        for bad in ["run-999", "run-1999", "run-2999", "run-3999"] {
            assert!(text.contains(&format!("| {bad} |")), "{bad} has its row");
            let (_, report) = text.split_once(&format!("## {bad}\n")).expect("it has its verdict");
            let report = report.split("\n## ").next().unwrap_or_default();
            assert!(report.contains("**verdict falsified (exit 1)**") && report.contains("A section"), "{report}");
        }
        let note = text.lines().last().expect("a line");
        assert!(note.starts_with("> Left out, to fit a comment (the worst records are kept): the rows of "), "{note}");
        assert!(note.contains(" records, none worse; the verdict's reasons of ") && note.len() < RESERVE, "{note}");
    }

    #[test]
    fn reasons_without_end_leave_room_for_what_failed() {
        let mut long = document(vec![Block::Paragraph("What failed.".to_owned())]);
        long.reports[0].judgement.reasons = vec!["because ".repeat(1000); 1000];
        let text = render(&long);
        assert!(text.len() <= MOST_BYTES && text.contains("- And 976 more reasons, which the record has."), "{text}");
        assert!(text.contains("What failed."));
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
