//! Records of version 1 as records of version 2.

use serde_json::{Map, Value};

use crate::domain::json;
use crate::report::any::run_from_text;
use crate::report::file::RecordError;
use crate::report::record::{FORMAT, Record, VERSION};

/// The version that is converted.
const CONVERTED: u64 = 1;

/// Keys of version 1, and what they are called now, wherever they are in a record.
const RENAMED: &[(&str, &str)] = &[
    ("strategies", "engines"),
    ("strategy", "engine"),
    ("flaws", "mutants"),
    ("flaw", "mutant"),
    ("piece", "fragment"),
];

/// What names of version 1 are called now.
pub struct Names<'a> {
    /// The name of an engine of version 1, today.
    pub engine: &'a dyn Fn(&str) -> Option<&'static str>,
    /// The name of a check of version 1, today.
    pub check: &'a dyn Fn(&str) -> String,
    /// What stands for all engines.
    pub all: &'static str,
    /// The engine that mutants were planted in, and that crash walks were of.
    pub walked: &'static str,
}

/// Why a record is not converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// It is no JSON, or no record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// It is of the version of today.
    #[error("{origin}: nothing to convert: this record is of version {VERSION}, which this abench reads as it is")]
    Current {
        /// The file.
        origin: String,
    },
    /// It is of another version.
    #[error(
        "{origin}, line {line}: \"version\": {found} is not converted; {CONVERTED} is, to the version {VERSION} of today"
    )]
    Version {
        /// The file.
        origin: String,
        /// Where it says so.
        line: usize,
        /// What it says.
        found: String,
    },
    /// It has a key or a value that version 1 did not have.
    #[error("{origin}, line {line}: not a record of version {CONVERTED}: {reason}")]
    Unknown {
        /// The file.
        origin: String,
        /// Where the key is, or the first line.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// This record of version 1 as one of version 2.
///
/// # Errors
/// If it is no record, one of another version, or has what version 1 did not have.
pub fn converted(text: &str, origin: &str, names: &Names<'_>) -> Result<Record, ConvertError> {
    let malformed = |error| RecordError::malformed(&error, origin);
    let mut record: Value = serde_json::from_str(text).map_err(malformed)?;
    if record["format"] != FORMAT {
        // The reader of records says what it is instead.
        return Ok(run_from_text(text, origin)?.record);
    }
    if record["version"] == VERSION {
        return Err(ConvertError::Current { origin: origin.to_owned() });
    }
    if record["version"] != CONVERTED {
        let (origin, line, found) = (origin.to_owned(), line_of(text, "version"), record["version"].to_string());
        return Err(ConvertError::Version { origin, line, found });
    }
    record["version"] = VERSION.into();
    rename_keys(&mut record);
    asked(&mut record["asked"], names);
    found(&mut record, names);
    json::from_value(record).map_err(|error| {
        let reason = error.to_string();
        let key = reason.split('`').nth(1).unwrap_or_default().to_owned();
        ConvertError::Unknown { origin: origin.to_owned(), line: line_of(text, &key), reason }
    })
}

/// The line of the first key of this name, or the first line.
fn line_of(text: &str, key: &str) -> usize {
    1 + text.lines().position(|line| line.contains(&format!("\"{key}\":"))).unwrap_or(0)
}

fn rename_keys(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, now) in RENAMED {
                if let Some(field) = fields.remove(*key) {
                    fields.insert((*now).to_owned(), field);
                }
            }
            fields.values_mut().for_each(rename_keys);
        }
        Value::Array(values) => values.iter_mut().for_each(rename_keys),
        _ => {}
    }
}

fn asked(asked: &mut Value, names: &Names<'_>) {
    if let Some(Value::Object(world)) = asked.pointer_mut("/trial/offline") {
        let engines = world.entry("engines").or_insert_with(|| vec![names.all].into());
        engines.as_array_mut().into_iter().flatten().for_each(|name| rename(name, names));
    }
    if let Some(Value::Object(walk)) = asked.pointer_mut("/trial/crash-everywhere") {
        walk.entry("engine").or_insert_with(|| names.walked.into());
    }
    rename_fields(asked.pointer_mut("/expect/engines"), names);
    rename_fields(asked.pointer_mut("/expect/checks"), names);
}

fn found(record: &mut Value, names: &Names<'_>) {
    for check in record["checks"].as_array_mut().into_iter().flatten() {
        rename(&mut check["name"], names);
        rename_fields(check.get_mut("subjects"), names);
        for finding in check["findings"].as_array_mut().into_iter().flatten() {
            rename(&mut finding["subject"], names);
            if let Some(case) = finding["case"].as_str() {
                let parts: Vec<String> = case.split(',').map(|part| now(part, names)).collect();
                finding["case"] = parts.join(",").into();
            }
        }
    }
    for claim in record["claims"].as_array_mut().into_iter().flatten() {
        rename(&mut claim["of"], names);
        claim["tried_by"].as_array_mut().into_iter().flatten().for_each(|check| rename(check, names));
    }
    for row in record.pointer_mut("/offline/engines").and_then(Value::as_array_mut).into_iter().flatten() {
        rename(&mut row["name"], names);
    }
    rename_fields(record.pointer_mut("/offline/left_out"), names);
    for merge in record.pointer_mut("/offline/merges").and_then(Value::as_array_mut).into_iter().flatten() {
        rename(&mut merge["engine"], names);
    }
    for mutants in ["/offline/mutants", "/everywhere/mutants"] {
        for row in record.pointer_mut(mutants).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(row) = row {
                row.entry("engine").or_insert_with(|| names.walked.into());
            }
        }
    }
}

fn now(name: &str, names: &Names<'_>) -> String {
    (names.engine)(name).map_or_else(|| (names.check)(name), str::to_owned)
}

fn rename(name: &mut Value, names: &Names<'_>) {
    if let Some(old) = name.as_str() {
        *name = now(old, names).into();
    }
}

fn rename_fields(fields: Option<&mut Value>, names: &Names<'_>) {
    if let Some(Value::Object(fields)) = fields {
        let renamed: Map<String, Value> =
            std::mem::take(fields).into_iter().map(|(name, value)| (now(&name, names), value)).collect();
        *fields = renamed;
    }
}
