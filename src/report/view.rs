//! The port by which an experiment says how its part of a record reads.
//!
//! What every run has (its verdict, checks, counterexamples, limits, times) is said here, in `report`. What only one kind of
//! trial has, its experiment says. Whoever shows a record of a run gives [`Views`] with it.

use crate::domain::trial::Trial;
use crate::report::document::Section;
use crate::report::first_screen::Screen;
use crate::report::record::{Check, Record};

/// Where the view of a trial's kind is found.
pub type Views = fn(&Trial) -> &dyn View;

/// How the record of a kind of trial reads, where it differs from other kinds.
pub trait View {
    /// What ran, behind the name of the scenario; where this says nothing, the subjects and their evidence stand there.
    fn what_ran(&self, record: &Record) -> Option<String> {
        let _ = record;
        None
    }

    /// The part of the first screen that people came for.
    fn screen(&self, record: &Record, screen: &mut Screen<'_>);

    /// Whether what failed in this check stands in a row of that part, and needs no line of its own.
    fn has_row(&self, check: &Check) -> bool {
        let _ = check;
        false
    }

    /// The smallest counterexample on the first screen, where no check has a finding.
    fn counterexample(&self, record: &Record, screen: &mut Screen<'_>) {
        let _ = (record, screen);
    }

    /// How fast what ran was, each number with its unit.
    fn rates(&self, record: &Record) -> Vec<String> {
        let _ = record;
        Vec::new()
    }

    /// How far an interrupted run came, as a sentence.
    fn how_far(&self, record: &Record) -> String {
        match record.checks.len() {
            0 => "No check was completed.".to_owned(),
            1 => "1 check was completed, and the others were not.".to_owned(),
            completed => format!("{completed} checks were completed, and the others were not."),
        }
    }

    /// The sections that everybody should read, in their order.
    fn sections(&self, record: &Record) -> Vec<Section>;

    /// The sections of detail.
    fn details(&self, record: &Record) -> Vec<Section> {
        let _ = record;
        Vec::new()
    }
}
