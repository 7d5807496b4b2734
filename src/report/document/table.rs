//! Tables: columns with their units, cells with what they mean.

use std::fmt::Display;

use crate::domain::verdict::Verdict;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it shows, and the evidence of its numbers.
    pub caption: String,
    /// Its columns; the first one names the row.
    pub columns: Vec<Column>,
    /// Rows of as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// What it is made of.
    pub shape: Shape,
}

/// What a table is made of, which tells how it is shown where it is too wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Words and numbers that are compared down the columns.
    Numbers,
    /// Sentences, which are read row by row.
    Prose,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub head: String,
    /// The unit of its numbers, where they all have the same.
    pub unit: Option<&'static str>,
    /// Where its cells stand.
    pub align: Align,
    /// Which column goes first where a screen has no room: the one of the highest rank. 0 always stays.
    pub rank: u8,
}

/// Where cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At the left, as words do.
    Left,
    /// At the right, as numbers do.
    Right,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What stands in it.
    pub text: String,
    /// What it means, where it is good or bad. The text says it too.
    pub tone: Tone,
}

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Neither.
    Plain,
    /// It is.
    Good,
    /// Nobody knows.
    Doubtful,
    /// It is not.
    Bad,
}

impl From<Verdict> for Tone {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Holds => Tone::Good,
            Verdict::Inconclusive => Tone::Doubtful,
            Verdict::Falsified => Tone::Bad,
        }
    }
}

impl Column {
    /// A column of words.
    pub fn words(head: impl Into<String>) -> Self {
        Column { head: head.into(), unit: None, align: Align::Left, rank: 0 }
    }

    /// A column of numbers, each with its unit or without one.
    pub fn number(head: impl Into<String>) -> Self {
        Column { head: head.into(), unit: None, align: Align::Right, rank: 0 }
    }

    /// A column of numbers that all have this unit.
    pub fn of(head: impl Into<String>, unit: &'static str) -> Self {
        Column { head: head.into(), unit: Some(unit), align: Align::Right, rank: 0 }
    }

    /// The same column, which goes by this rank where a screen has no room.
    pub fn ranked(self, rank: u8) -> Self {
        Column { rank, ..self }
    }

    /// What stands above it, with the unit.
    pub fn title(&self) -> String {
        self.unit.map_or(self.head.clone(), |unit| format!("{} ({unit})", self.head))
    }
}

impl Cell {
    /// A cell that is neither good nor bad.
    pub fn text(text: impl Display) -> Self {
        Cell { text: text.to_string(), tone: Tone::Plain }
    }

    /// A cell that is good or bad.
    pub fn toned(text: impl Display, tone: Tone) -> Self {
        Cell { text: text.to_string(), tone }
    }

    /// A verdict.
    pub fn verdict(verdict: Verdict) -> Self {
        Cell::toned(verdict, verdict.into())
    }

    /// A number, or a dash where there is none.
    pub fn number(number: Option<impl Display>) -> Self {
        Cell::text(number.map_or("-".to_owned(), |number| number.to_string()))
    }
}

impl Table {
    /// A table of words and numbers.
    pub fn numbers(
        caption: impl Into<String>,
        columns: impl IntoIterator<Item = Column>,
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Self {
        let (columns, rows) = (columns.into_iter().collect(), rows.into_iter().collect());
        Table { caption: caption.into(), columns, rows, shape: Shape::Numbers }
    }

    /// A table of sentences.
    pub fn prose(
        caption: impl Into<String>,
        columns: impl IntoIterator<Item = Column>,
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Self {
        Table { shape: Shape::Prose, ..Table::numbers(caption, columns, rows) }
    }

    /// The same without the column of this head.
    pub fn without(mut self, head: &str) -> Self {
        if let Some(place) = self.columns.iter().position(|column| column.head == head) {
            self.columns.remove(place);
            self.rows.iter_mut().for_each(|row| drop(row.remove(place)));
        }
        self
    }

    /// One more row of cells that are neither good nor bad.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(Cell::text).to_vec());
    }
}
