//! Tables as lines that fit a width: on a screen the columns that matter least are left out; in full, heads and words are
//! wrapped first, and where that does not help the last columns follow below. A list of names has what each is beside it.

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSplitter};

use crate::report::document::{Align, Cell, Column, Table, Tone};
use crate::report::inert::inert;

/// Columns of the gap between two columns.
const GAP: usize = 2;

/// Columns that a column of words keeps at least where a table is too wide.
const LEAST_WORDS: usize = 18;

/// How something that is good or bad is coloured.
pub fn style(tone: Tone) -> Style {
    let colour = match tone {
        Tone::Plain => return Style::new(),
        Tone::Good => AnsiColor::Green,
        Tone::Doubtful => AnsiColor::Yellow,
        Tone::Bad => AnsiColor::Red,
    };
    Style::new().fg_color(Some(colour.into())).bold()
}

/// Lines of at most so many columns; a word that is longer is broken.
pub fn broken(words: &str, width: usize) -> Vec<String> {
    let options = Options::new(width.max(1)).word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(words, options).into_iter().map(|line| line.into_owned()).collect()
}

/// A table on a screen, its head first: columns of a rank are left out, the highest first, until it fits `width`. Those
/// without a rank stay.
pub fn fitted(table: &Table, width: usize) -> Vec<String> {
    let widths: Vec<usize> =
        (0..table.columns.len()).map(|place| widest(table, place).max(head(table, place))).collect();
    let mut shown: Vec<usize> = (0..table.columns.len()).collect();
    while taken(&widths, &shown) > width {
        let ranked = shown.iter().copied().filter(|&place| table.columns[place].rank > 0);
        let Some(least) = ranked.max_by_key(|&place| table.columns[place].rank) else { break };
        shown.retain(|&place| place != least);
    }
    lines(table, &shown, &widths)
}

/// A table with all that is in it, in at most `width` columns.
pub fn whole(table: &Table, width: usize) -> Vec<String> {
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let natural: Vec<usize> = all.iter().map(|&place| widest(table, place).max(head(table, place))).collect();
    if taken(&natural, &all) <= width {
        return lines(table, &all, &natural);
    }
    if let Some(widths) = wrapped_widths(table, width) {
        return lines(table, &all, &widths);
    }
    // The first column names the row, so that it stands beside each part.
    let room = width.saturating_sub(2 * GAP);
    let mut widths: Vec<usize> =
        all.iter().map(|&place| widest(table, place).max(longest_word(&table.columns[place].title()))).collect();
    widths[0] = widths[0].min(room / 2);
    let beside = room - widths[0];
    widths.iter_mut().skip(1).for_each(|width| *width = (*width).min(beside));
    let mut parts: Vec<Vec<usize>> = vec![vec![0]];
    for place in all.into_iter().skip(1) {
        match parts.last_mut() {
            Some(part) if part.len() == 1 || taken(&widths, part) + GAP + widths[place] <= width => part.push(place),
            _ => parts.push(vec![0, place]),
        }
    }
    let parts: Vec<Vec<String>> = parts.iter().map(|part| lines(table, part, &widths)).collect();
    parts.join(&String::new())
}

fn taken(widths: &[usize], shown: &[usize]) -> usize {
    shown.iter().map(|&place| GAP + widths[place]).sum()
}

fn cells(table: &Table, place: usize) -> impl Iterator<Item = &Cell> {
    table.rows.iter().filter_map(move |row| row.get(place))
}

fn widest(table: &Table, place: usize) -> usize {
    cells(table, place).map(|cell| inert(&cell.text).chars().count()).max().unwrap_or(0)
}

fn head(table: &Table, place: usize) -> usize {
    table.columns[place].title().chars().count()
}

fn longest_word(text: &str) -> usize {
    text.split(' ').map(|word| word.chars().count()).max().unwrap_or(0)
}

/// The width of each column, if all of them fit: what stands above a column is wrapped first, then words in it. Numbers
/// and words themselves are not broken.
fn wrapped_widths(table: &Table, width: usize) -> Option<Vec<usize>> {
    let title = |place: usize| longest_word(&table.columns[place].title());
    let mut widths: Vec<usize> = (0..table.columns.len()).map(|place| widest(table, place).max(title(place))).collect();
    loop {
        let excess = widths.iter().map(|width| GAP + width).sum::<usize>().saturating_sub(width);
        if excess == 0 {
            return Some(widths);
        }
        // The widest column of words gives way.
        let least = |place: usize| {
            let words = cells(table, place).map(|cell| longest_word(&inert(&cell.text))).max().unwrap_or(0);
            words.max(title(place)).max(LEAST_WORDS)
        };
        let words = (0..widths.len())
            .filter(|&place| table.columns[place].align == Align::Left && widths[place] > least(place));
        let widest = words.max_by_key(|&place| widths[place])?;
        widths[widest] = widths[widest].saturating_sub(excess).max(least(widest));
    }
}

/// The lines of the columns that are shown.
fn lines(table: &Table, shown: &[usize], widths: &[usize]) -> Vec<String> {
    let heads: Vec<Cell> = table.columns.iter().map(|column| Cell::text(column.title())).collect();
    let rows = [&heads].into_iter().chain(&table.rows);
    rows.flat_map(|row| row_lines(row, &table.columns, shown, widths)).collect()
}

fn row_lines(row: &[Cell], columns: &[Column], shown: &[usize], widths: &[usize]) -> Vec<String> {
    let text = |place: usize| row.get(place).map_or(String::new(), |cell| inert(&cell.text));
    let wrapped: Vec<Vec<String>> = shown.iter().map(|&place| broken(&text(place), widths[place])).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    let line = |of_row: usize| {
        let mut line = String::new();
        for (lines, &place) in wrapped.iter().zip(shown) {
            let text = lines.get(of_row).map_or("", String::as_str);
            let padding = " ".repeat(widths[place].saturating_sub(text.chars().count()));
            let style = style(row.get(place).map_or(Tone::Plain, |cell| cell.tone));
            let text = if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") };
            line += &" ".repeat(GAP);
            line += &if columns[place].align == Align::Left { text + &padding } else { padding + &text };
        }
        line.trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

/// The least room beside the names of a list in which a sentence can be read.
const READABLE: usize = 24;

/// A list of names, each with what it is: beside it in a column of its own, or below it where the name is too long for that.
/// No word is broken, so that a word longer than `width` stands out.
pub fn named(entries: &[(String, String)], indent: usize, width: usize) -> String {
    let lengths = entries.iter().map(|(name, _)| name.chars().count());
    // A few long names do not push what all the others are to the right edge.
    let longest = lengths.filter(|&length| length <= (width * 2 / 5).max(8)).max().unwrap_or(0);
    let column = indent + longest + GAP;
    let column = if column + READABLE <= width { column } else { indent + 2 * GAP };
    let wrapped = |words: &str, first: usize, rest: usize| {
        let (first, rest) = (" ".repeat(first), " ".repeat(rest));
        let options = Options::new(width).initial_indent(&first).subsequent_indent(&rest).break_words(false);
        textwrap::wrap(words, options.word_splitter(WordSplitter::NoHyphenation)).join("\n")
    };
    let entry = |(name, about): &(String, String)| {
        let lines = wrapped(about, column, column);
        if indent + name.chars().count() + GAP <= column {
            // What a name is begins in its column, on the name's own line.
            let beside = lines.get(column..).unwrap_or_default();
            let padded = format!("{:indent$}{name:<rest$}", "", rest = column - indent);
            format!("{padded}{beside}").trim_end().to_owned() + "\n"
        } else {
            wrapped(name, indent, indent + 2 * GAP) + "\n" + &lines + "\n"
        }
    };
    entries.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_engines() -> Table {
        let columns = [Column::words("engine"), Column::number("bytes").ranked(1), Column::number("stale").ranked(2)];
        Table::numbers("", columns, [["delta-state", "120 B", "2 h"].map(Cell::text).to_vec()])
    }

    #[test]
    fn the_columns_that_matter_least_are_left_out_where_there_is_no_room() {
        let at = |width| fitted(&of_engines(), width);
        assert_eq!(at(80), ["  engine       bytes  stale", "  delta-state  120 B    2 h"]);
        assert_eq!(at(24), ["  engine       bytes", "  delta-state  120 B"]);
        assert_eq!(at(5), ["  engine", "  delta-state"]);
    }

    #[test]
    fn a_list_has_what_a_name_is_beside_it_and_below_a_name_that_is_too_long() {
        let entries = [("tick", "one sync tick of a device"), ("recorded-1000003", "the published run")]
            .map(|(name, about)| (name.to_owned(), about.to_owned()));
        assert_eq!(
            named(&entries, 2, 60),
            "  tick              one sync tick of a device\n  recorded-1000003  the published run\n"
        );
        assert_eq!(
            named(&entries, 2, 34),
            "  tick  one sync tick of a device\n  recorded-1000003\n        the published run\n"
        );
        assert_eq!(
            named(&entries, 0, 20),
            "tick\n    one sync tick of\n    a device\nrecorded-1000003\n    the published\n    run\n"
        );
    }

    #[test]
    fn a_list_breaks_no_word_and_is_no_wider_than_its_longest_word_asks_for() {
        let entries = [("a: b, [c]", "of a few words, and one-that-is-very-long-and-has-hyphens in it"), ("x", "")]
            .map(|(name, about)| (name.to_owned(), about.to_owned()));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let all = words(&entries.iter().map(|(name, about)| format!("{name} {about} ")).collect::<String>());
        for width in 0..120 {
            let list = named(&entries, 2, width);
            assert_eq!(words(&list), all, "{width}");
            let too_wide = list.lines().filter(|line| line.chars().count() > width);
            too_wide.for_each(|line| assert_eq!(words(line).len(), 1, "{width}: {line}"));
        }
    }

    #[test]
    fn columns_that_do_not_fit_follow_below_beside_the_first() {
        let at = |width| whole(&of_engines(), width);
        assert_eq!(at(27), ["  engine       bytes  stale", "  delta-state  120 B    2 h"]);
        let below =
            ["  engine       bytes", "  delta-state  120 B", "", "  engine       stale", "  delta-state    2 h"];
        assert_eq!(at(26), below);
        assert!(at(20).iter().all(|line| line.chars().count() <= 20), "{:?}", at(20));
    }
}
