//! The report of a run: which sections it has, and in which order.

use crate::report::document::{Report, Section, section};
use crate::report::record::Record;

/// The report of a run whose record is in `file`; `again` is a command that makes the same run without it.
pub fn report(record: &Record, file: &str, again: Option<&str>) -> Report {
    let sections: [Option<Section>; 23] = [
        section::failed::section(record),
        section::bandwidth::section(record),
        section::codecs::section(record),
        section::curves::section(record),
        section::engines::section(record),
        section::staleness::section(record),
        section::banks::section(record),
        section::ticks::section(record),
        section::laws::section(record),
        section::orders::section(record),
        section::figures::section(record),
        section::checks::section(record),
        section::claims::section(record),
        section::planted::section(record),
        section::mutants::section(record),
        section::counterexamples::section(record),
        section::unseen::section(record),
        section::repeat::section(record, file, again),
        section::bandwidth::detail(record),
        section::engines::detail(record),
        section::checks::controls(record),
        section::devices::section(record),
        section::timing::section(record),
    ];
    let judgement = section::verdict::judgement(record);
    Report { title: title(record), warning: None, judgement, sections: sections.into_iter().flatten().collect() }
}

/// What ran, in few words.
fn title(record: &Record) -> String {
    record.asked.scenario.clone().unwrap_or_else(|| record.asked.trial.keys().title())
}
