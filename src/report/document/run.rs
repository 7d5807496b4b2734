//! The report of a run: which sections it has, and in which order.

use crate::report::document::{Report, Section, section};
use crate::report::record::Record;
use crate::report::view::View;

/// The report of a run whose record is in `file`; `again` is a command that makes the same run without it. The sections of its
/// kind of trial come after what failed, and their detail after all that everybody should read.
pub fn report(record: &Record, view: &dyn View, file: &str, again: Option<&str>) -> Report {
    let failed = section::failed::section(record);
    let common = [
        section::figures::section(record),
        section::checks::section(record),
        section::claims::section(record),
        section::planted::section(record),
        section::mutants::section(record),
        section::counterexamples::section(record),
        section::unseen::section(record),
        section::repeat::section(record, file, again),
    ];
    let last = [section::checks::controls(record), section::devices::section(record), section::timing::section(record)];
    let mut sections: Vec<Section> = failed.into_iter().chain(view.sections(record)).collect();
    sections.extend(common.into_iter().flatten());
    sections.extend(view.details(record));
    sections.extend(last.into_iter().flatten());
    let judgement = section::verdict::judgement(record);
    Report { title: title(record), warning: None, judgement, sections }
}

/// What ran, in few words.
fn title(record: &Record) -> String {
    record.asked.scenario.clone().unwrap_or_else(|| record.asked.trial.keys().title())
}
