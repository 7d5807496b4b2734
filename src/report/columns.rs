//! Tables that fit a width: of a table of numbers the columns that matter least are left out where there is no room, or the
//! last ones follow below; a list of names has what each is beside it or below it.

use textwrap::{Options, WordSplitter};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What stands above it.
    pub head: &'static str,
    /// Which column goes first where there is no room: the one with the highest rank. 0 always stays.
    pub rank: u8,
    /// Whether it is aligned to the left, as words are.
    pub left: bool,
}

/// Columns of the gap between two columns.
const GAP: usize = 2;

/// The lines of a table, its head first, in at most `width` columns if the columns that always stay fit. `style` is given a
/// cell with its column, and may colour it.
pub fn lines(
    columns: &[Column],
    rows: &[Vec<String>],
    width: usize,
    style: impl Fn(usize, &str) -> String,
) -> Vec<String> {
    let widths = widths(columns, rows);
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    let taken = |shown: &[usize]| shown.iter().map(|&place| GAP + widths[place]).sum::<usize>();
    while taken(&shown) > width {
        let Some(least) =
            shown.iter().copied().filter(|&place| columns[place].rank > 0).max_by_key(|&p| columns[p].rank)
        else {
            break;
        };
        shown.retain(|&place| place != least);
    }
    table(columns, &shown, &widths, rows, &style)
}

/// The lines of a table with all of its columns: those that do not fit `width` follow below, after an empty line, beside the
/// first column once more. No column is left out, so a column that is wider than `width` stays so.
pub fn wrapped(
    columns: &[Column],
    rows: &[Vec<String>],
    width: usize,
    style: impl Fn(usize, &str) -> String,
) -> Vec<String> {
    let widths = widths(columns, rows);
    let mut tables: Vec<Vec<usize>> = vec![vec![0]];
    let mut taken = GAP + widths[0];
    for place in 1..columns.len() {
        let of_column = GAP + widths[place];
        match tables.last_mut() {
            Some(shown) if shown.len() == 1 || taken + of_column <= width => {
                shown.push(place);
                taken += of_column;
            }
            _ => {
                tables.push(vec![0, place]);
                taken = GAP + widths[0] + of_column;
            }
        }
    }
    let tables: Vec<Vec<String>> = tables.iter().map(|shown| table(columns, shown, &widths, rows, &style)).collect();
    tables.join(&String::new())
}

/// The widest cell of each column, its head among them.
fn widths(columns: &[Column], rows: &[Vec<String>]) -> Vec<usize> {
    let widest = |place: usize| {
        let cells = rows.iter().map(|row| row[place].chars().count());
        cells.chain([columns[place].head.chars().count()]).max().unwrap_or(0)
    };
    (0..columns.len()).map(widest).collect()
}

/// The lines of a table of the columns that are shown.
fn table(
    columns: &[Column],
    shown: &[usize],
    widths: &[usize],
    rows: &[Vec<String>],
    style: &dyn Fn(usize, &str) -> String,
) -> Vec<String> {
    let line = |cell: &dyn Fn(usize) -> String, styled: bool| {
        let mut line = String::new();
        for &place in shown {
            let text = cell(place);
            let padding = " ".repeat(widths[place] - text.chars().count());
            let text = if styled { style(place, &text) } else { text };
            line += &" ".repeat(GAP);
            line += &if columns[place].left { format!("{text}{padding}") } else { format!("{padding}{text}") };
        }
        line.trim_end().to_owned()
    };
    let head = line(&|place| columns[place].head.to_owned(), false);
    let rest = rows.iter().map(|row| line(&|place| row[place].clone(), true));
    [head].into_iter().chain(rest).collect()
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

    #[test]
    fn the_columns_that_matter_least_are_left_out_where_there_is_no_room() {
        let column = |head, rank, left| Column { head, rank, left };
        let columns = [column("engine", 0, true), column("bytes", 1, false), column("stale", 2, false)];
        let rows = vec![vec!["delta-state".to_owned(), "120 B".to_owned(), "2 h".to_owned()]];
        let at = |width| lines(&columns, &rows, width, |_, cell| cell.to_owned());
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
        let column = |head, left| Column { head, rank: 0, left };
        let columns = [column("engine", true), column("bytes", false), column("stale", false)];
        let rows = vec![vec!["delta-state".to_owned(), "120 B".to_owned(), "2 h".to_owned()]];
        let at = |width| wrapped(&columns, &rows, width, |_, cell| cell.to_owned());
        assert_eq!(at(27), ["  engine       bytes  stale", "  delta-state  120 B    2 h"]);
        let below =
            ["  engine       bytes", "  delta-state  120 B", "", "  engine       stale", "  delta-state    2 h"];
        assert_eq!(at(26), below);
        assert_eq!(at(5), below);
    }
}
