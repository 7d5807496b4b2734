//! The first screen of each kind of record: what ran, the table that people came for, what failed, the smallest
//! counterexample, the limits of the run, and its time. At most 24 lines of 80 columns, with the verdict and the prompt.
//!
//! A longer text begins with it, and then names what follows in the place of the option that shows it.
//!
//! Knows: records, and the tables of their documents. Must not: judge.

mod ledger;
mod qualification;
mod rtl_mutation;
mod run;
pub mod screen;

use crate::report::document::Detail;
use crate::report::format::text::{SCREEN, Text};
pub use run::Run;
pub use screen::Screen;

/// Where that is shown which a first screen leaves out.
fn elsewhere(detail: Detail, needed: Detail) -> &'static str {
    match needed {
        _ if detail >= needed => "all below",
        Detail::All => "-vv shows all",
        _ => "-v shows all",
    }
}

/// Lines that are left for a part of a screen which so much was written of, and which ends with `last`.
fn room(text: &Text, last: &Text, detail: Detail) -> usize {
    // The verdict comes last.
    if detail > Detail::Screen { usize::MAX } else { SCREEN.saturating_sub(text.lines() + last.lines() + 1) }
}

/// A command that can be pasted, if it takes no more than so many lines.
fn replay(text: &mut Text, command: &str, most: usize, detail: Detail) {
    if command.chars().count() + 2 <= most * text.width() {
        // A command that is pasted must not be broken by the report: the terminal wraps it.
        text.line(&format!("  {command}"));
    } else if detail == Detail::Screen {
        text.cut("  its replay command is long: -v prints it, and --record FILE keeps it");
    }
}
