//! Any record that can be reported. This is the one place that knows which word means which kind.

use serde::de::DeserializeOwned;

use crate::report::file::{CONVERTED, Head, RecordError};
use crate::report::qualification::{self, Qualification};
use crate::report::record::{self, Record};
use crate::report::rtl_mutation::{self, RtlMutation};

/// A record of some kind.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyRecord {
    /// Of a run.
    Run(Box<Record>),
    /// Of a qualification.
    Qualification(Box<Qualification>),
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

const KINDS: [Kind; 3] = [
    Kind {
        format: record::FORMAT,
        version: record::VERSION,
        older: CONVERTED,
        read: |text, origin| Ok(AnyRecord::Run(read(text, origin)?)),
    },
    Kind {
        format: qualification::FORMAT,
        version: qualification::VERSION,
        older: ": run abench qualify again",
        read: |text, origin| Ok(AnyRecord::Qualification(read(text, origin)?)),
    },
    Kind {
        format: rtl_mutation::FORMAT,
        version: rtl_mutation::VERSION,
        older: ": run rtl/mutate again",
        read: |text, origin| Ok(AnyRecord::RtlMutation(read(text, origin)?)),
    },
];

/// The record in this text; `origin` is what messages call it.
pub fn from_text(text: &str, origin: &str) -> Result<AnyRecord, RecordError> {
    let head = Head::of(text, origin)?;
    let known = KINDS.iter().find(|kind| head.is_of(kind.format));
    let kind = known.ok_or_else(|| head.unknown(&KINDS.map(|kind| kind.format), origin))?;
    head.of_version(kind.version, kind.older, origin)?;
    (kind.read)(text, origin)
}

fn read<T: DeserializeOwned>(text: &str, origin: &str) -> Result<Box<T>, RecordError> {
    serde_json::from_str(text).map(Box::new).map_err(|error| RecordError::malformed(&error, origin))
}
