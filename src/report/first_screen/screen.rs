//! A first screen that is being written.

use std::collections::BTreeSet;

use crate::domain::count::counted;
use crate::report::document::Detail;
use crate::report::first_screen::{elsewhere, replay};
use crate::report::format::text::Text;

/// Rows of a table that are shown.
pub const ROWS: usize = 10;

/// Lines that a replay command may take. A longer one is in the record, and behind `-v`.
const REPLAY: usize = 4;

/// The first screen of a run.
pub struct Screen<'a> {
    text: &'a mut Text,
    detail: Detail,
}

impl<'a> Screen<'a> {
    /// Nothing yet, of a text that shows this much.
    pub fn of(text: &'a mut Text, detail: Detail) -> Self {
        Screen { text, detail }
    }

    /// What it is written to.
    pub fn text(&mut self) -> &mut Text {
        self.text
    }

    /// How much the text shows.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// One line, cut off where the terminal ends.
    pub fn cut(&mut self, line: &str) {
        self.text.cut(line);
    }

    /// Where all is shown that the screen leaves out, in words.
    pub fn elsewhere(&self) -> &'static str {
        elsewhere(self.detail, Detail::All)
    }

    /// Where that is shown which needs this much detail, in words.
    pub fn place_of(&self, needed: Detail) -> &'static str {
        elsewhere(self.detail, needed)
    }

    /// How many of a table's rows are left out, of a table of the [`worst`].
    pub fn more(&mut self, all: usize, what: &str) {
        if all > ROWS {
            let (more, place) = (counted(all - ROWS, &format!("more {what}")), self.elsewhere());
            self.text.cut(&format!("  and {more}, none worse ({place})"));
        }
    }

    /// A command that replays a counterexample, or where it is if it is long.
    pub fn replay(&mut self, command: &str) {
        replay(self.text, command, REPLAY, self.detail);
    }
}

/// The worst of many, at most [`ROWS`], in the order in which they were.
pub fn worst<T, K: Ord>(all: &[T], badness: impl Fn(&T) -> K) -> Vec<&T> {
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by_key(|&place| std::cmp::Reverse(badness(&all[place])));
    places.truncate(ROWS);
    places.into_iter().collect::<BTreeSet<_>>().into_iter().map(|place| &all[place]).collect()
}
