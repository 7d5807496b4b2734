//! A table of columns that fits a width: where it does not, the columns that matter least are left out.

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
    let widest = |place: usize| {
        let cells = rows.iter().map(|row| row[place].chars().count());
        cells.chain([columns[place].head.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(widest).collect();
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
    let line = |cell: &dyn Fn(usize) -> String, styled: bool| {
        let mut line = String::new();
        for &place in &shown {
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
}
