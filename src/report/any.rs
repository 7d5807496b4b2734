//! Any record. This is the one place that knows which word means which kind, and the one door through which a record comes in.

use serde::de::DeserializeOwned;

use crate::domain::json;
use crate::report::file::{Head, RecordError};
use crate::report::first_screen::Run;
use crate::report::format::text::Shown;
use crate::report::ledger::{self, Ledger};
use crate::report::qualification::{self, Qualification};
use crate::report::record::{self, Record};
use crate::report::rtl_mutation::{self, RtlMutation};
use crate::report::seal::Opened;
use crate::report::view::Views;

/// A record of some kind.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyRecord {
    /// Of a run.
    Run(Box<Record>),
    /// Of a qualification.
    Qualification(Box<Qualification>),
    /// Of a trial of claims.
    Ledger(Box<Ledger>),
    /// Of mutants of a device's gateware.
    RtlMutation(Box<RtlMutation>),
}

/// How a kind of record is read.
struct Kind {
    /// The word in `"format"`.
    format: &'static str,
    /// The version that is read.
    version: u32,
    /// What to do with one of an older version.
    older: &'static str,
    read: fn(&str, &str) -> Result<AnyRecord, RecordError>,
}

/// What to do with the record of a qualification that is of no use here.
const QUALIFY: &str = ": run abench qualify again";
/// The same for a ledger.
const FALSIFY: &str = ": run abench falsify again";
/// The same for mutants of the RTL.
const MUTATE: &str = ": run rtl/mutate again";

const KINDS: [Kind; 4] = [
    Kind {
        format: record::FORMAT,
        version: record::VERSION,
        older: ": abench convert FILE gives it in this version",
        read: |text, origin| Ok(AnyRecord::Run(read(text, origin)?)),
    },
    Kind {
        format: qualification::FORMAT,
        version: qualification::VERSION,
        older: QUALIFY,
        read: |text, origin| Ok(AnyRecord::Qualification(read(text, origin)?)),
    },
    Kind {
        format: ledger::FORMAT,
        version: ledger::VERSION,
        older: FALSIFY,
        read: |text, origin| Ok(AnyRecord::Ledger(read(text, origin)?)),
    },
    Kind {
        format: rtl_mutation::FORMAT,
        version: rtl_mutation::VERSION,
        older: MUTATE,
        read: |text, origin| Ok(AnyRecord::RtlMutation(read(text, origin)?)),
    },
];

impl AnyRecord {
    /// What is made of it where it is shown. A run is shown with what its experiment says of it.
    pub fn shown<T>(&self, views: Views, make: impl FnOnce(&dyn Shown) -> T) -> T {
        match self {
            AnyRecord::Run(record) => make(&Run::of(record, views)),
            AnyRecord::Qualification(record) => make(&**record),
            AnyRecord::Ledger(record) => make(&**record),
            AnyRecord::RtlMutation(record) => make(&**record),
        }
    }

    /// What it is of.
    pub fn kind(&self) -> &'static str {
        match self {
            AnyRecord::Run(_) => "a run",
            AnyRecord::Qualification(_) => "a qualification",
            AnyRecord::Ledger(_) => "a trial of claims",
            AnyRecord::RtlMutation(_) => "mutants of the RTL",
        }
    }
}

/// The record in this text; `origin` is what messages call it.
///
/// # Errors
/// If it is no record, or one of another version.
pub fn from_text(text: &str, origin: &str) -> Result<Opened<AnyRecord>, RecordError> {
    let head = Head::of(text, origin)?;
    let known = KINDS.iter().find(|kind| head.is_of(kind.format));
    let kind = known.ok_or_else(|| head.unknown(&KINDS.map(|kind| kind.format), origin))?;
    head.of_version(kind.version, kind.older, origin)?;
    Ok(Opened { record: (kind.read)(text, origin)?, seal: head.seal() })
}

/// The record of a run in this text; `origin` is what messages call it.
///
/// # Errors
/// If it is no record, one of another version, or of something else than a run.
pub fn run_from_text(text: &str, origin: &str) -> Result<Opened<Record>, RecordError> {
    let Opened { record, seal } = from_text(text, origin)?;
    let (kind, again) = match record {
        AnyRecord::Run(record) => return Ok(Opened { record: *record, seal }),
        AnyRecord::Qualification(_) => (record.kind(), QUALIFY),
        AnyRecord::Ledger(_) => (record.kind(), FALSIFY),
        AnyRecord::RtlMutation(_) => (record.kind(), MUTATE),
    };
    Err(RecordError::NoRun { origin: origin.to_owned(), kind, again })
}

fn read<T: DeserializeOwned>(text: &str, origin: &str) -> Result<Box<T>, RecordError> {
    json::from_text(text).map(Box::new).map_err(|error| RecordError::malformed(&error, origin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::file::to_text;
    use crate::report::seal::Seal;

    #[test]
    fn a_ledger_is_read_as_one_and_is_no_record_of_a_run() {
        let text = include_str!("../../results/claims.json");
        let Opened { record, seal } = from_text(text, "claims.json").expect("it is sound");
        let AnyRecord::Ledger(read) = record else { panic!("it is a ledger") };
        assert_eq!((to_text(&*read).as_str(), seal), (text, Seal::Intact));
        let said = run_from_text(text, "claims.json").expect_err("it is a ledger").to_string();
        assert_eq!(
            said,
            "claims.json: the record of a trial of claims, and that of a run is needed: run abench falsify again"
        );
        let newer = text.replacen("\"version\": 1", "\"version\": 2", 1);
        let said = from_text(&newer, "claims.json").expect_err("it is newer").to_string();
        assert_eq!(said, "claims.json: a record of version 2; this abench reads version 1: use a newer abench");
        assert!(from_text("{", "cut.json").is_err());
    }
}
