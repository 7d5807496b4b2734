//! Records as files: written whole or not at all, read with a reason where they cannot be.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::report::ledger::{self, Ledger};
use crate::report::qualification::{self, Qualification};
use crate::report::record::{FORMAT, Record, VERSION};
use crate::report::seal::{Opened, Seal, Sealed, sealed};

/// Why a record cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Nothing can be written there.
    #[error("cannot write to {}: {error}", path.display())]
    Unwritable {
        /// Where it should go.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The text is no JSON, or ends too early.
    #[error("{origin}: not a record: {error}")]
    Malformed {
        /// The file.
        origin: String,
        /// What is wrong, with line and column.
        error: serde_json::Error,
    },
    /// It is the record of a qualification.
    #[error("{origin}: the record of a qualification, which is not replayed; run abench qualify again")]
    Qualification {
        /// The file.
        origin: String,
    },
    /// It is a ledger of claims.
    #[error("{origin}: a ledger of claims, which is not replayed; run abench falsify again")]
    Ledger {
        /// The file.
        origin: String,
    },
    /// The JSON is something else.
    #[error("{origin}: not a record: its \"format\" should be \"{FORMAT}\" and is {found}")]
    Format {
        /// The file.
        origin: String,
        /// What it says it is.
        found: String,
    },
    /// The record is of another version.
    #[error("{origin}: a record of version {found}; this abench reads version {known}{advice}")]
    Version {
        /// The file.
        origin: String,
        /// Its version, or `null`.
        found: String,
        /// The version that is read.
        known: u32,
        /// What to do, where that is known.
        advice: &'static str,
    },
}

/// A place that a record, or another file of a run, will be written to. It is tried before the run, so that a run is not lost for want of a place.
pub struct Destination {
    path: PathBuf,
    way: Way,
}

enum Way {
    /// Beside its final place, and moved there when it is whole; with the permissions of the file that it replaces.
    Replace(Option<Permissions>),
    /// Straight into what is no regular file: a device, a pipe.
    Direct(File),
}

impl Destination {
    /// Sees whether this path can be written to. Nothing is there to see until [`Destination::write`].
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let unwritable = |error| RecordError::Unwritable { path: path.to_owned(), error };
        let target = followed(path);
        let way = match fs::metadata(&target) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(unwritable(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")));
            }
            Ok(metadata) if !metadata.is_file() => {
                Way::Direct(File::options().write(true).open(&target).map_err(unwritable)?)
            }
            Ok(metadata) => {
                // An existing file that may not be written is not replaced behind its owner's back.
                File::options().append(true).open(&target).map_err(unwritable)?;
                Way::Replace(Some(metadata.permissions()))
            }
            Err(_) => Way::Replace(None),
        };
        if let Way::Replace(permissions) = &way {
            // It is gone again at once: a run that is killed leaves nothing behind.
            beside(&target, permissions.clone()).map_err(unwritable)?;
        }
        Ok(Destination { path: target, way })
    }

    /// The folder that a file will be in; `None` for what is no regular file.
    pub fn folder(&self) -> Option<PathBuf> {
        match self.way {
            Way::Replace(_) => Some(folder_of(&self.path).to_owned()),
            Way::Direct(_) => None,
        }
    }

    /// Writes a text, whole or not at all.
    pub fn write(self, text: &str) -> Result<(), RecordError> {
        let Destination { path, way } = self;
        let written = match way {
            Way::Direct(mut file) => file.write_all(text.as_bytes()),
            Way::Replace(permissions) => replace(&path, permissions, text),
        };
        written.map_err(|error| RecordError::Unwritable { path, error })
    }
}

/// What a link names, so that it is replaced and not the link; also where it is not there yet.
fn followed(path: &Path) -> PathBuf {
    if let Ok(target) = fs::canonicalize(path) {
        return target;
    }
    match fs::read_link(path) {
        Ok(target) => path.parent().unwrap_or(Path::new("")).join(target),
        Err(_) => path.to_owned(),
    }
}

fn replace(path: &Path, permissions: Option<Permissions>, text: &str) -> io::Result<()> {
    within_limit(text.len() as u64)?;
    let mut file = beside(path, permissions)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Refuses a file that is longer than files of this process may be: the system would end the process in the middle of it,
/// and what was written by then would stay.
fn within_limit(length: u64) -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        if let Some(limit) = getrlimit(Resource::Fsize).current.filter(|&limit| length > limit) {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it takes {length} B, and files may have {limit} B here (ulimit -f)"),
            ));
        }
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(path: &Path, permissions: Option<Permissions>) -> io::Result<NamedTempFile> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".abench-record-");
    if let Some(permissions) = permissions.or_else(default_permissions) {
        builder.permissions(permissions);
    }
    builder.tempfile_in(folder)
}

/// What a file gets that is made in the ordinary way; the process's mask is applied to it.
fn default_permissions() -> Option<Permissions> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Some(Permissions::from_mode(0o666))
    }
    #[cfg(not(unix))]
    None
}

/// A record as text, with its digests.
pub fn to_text<R: Sealed>(record: &R) -> String {
    let mut text = serde_json::to_string_pretty(&sealed(record)).expect("a record holds nothing that JSON cannot");
    text.push('\n');
    text
}

/// A record of any kind.
#[derive(Clone, Debug)]
pub enum Any {
    /// Of a run.
    Run(Box<Record>),
    /// Of a qualification.
    Qualification(Box<Qualification>),
    /// Of a trial of claims.
    Ledger(Box<Ledger>),
}

/// The record of a run in this text; `origin` is what messages call it.
///
/// # Errors
/// If it is no record, one of another version, or of something else than a run.
pub fn from_text(text: &str, origin: &str) -> Result<Opened<Record>, RecordError> {
    let origin_of = || origin.to_owned();
    let value: Value = serde_json::from_str(text).map_err(|error| malformed(origin, error))?;
    match value.get("format").and_then(Value::as_str) {
        Some(qualification::FORMAT) => return Err(RecordError::Qualification { origin: origin_of() }),
        Some(ledger::FORMAT) => return Err(RecordError::Ledger { origin: origin_of() }),
        _ => {}
    }
    let Opened { record, seal } = opened(text, &value, origin)?;
    match record {
        Any::Run(record) => Ok(Opened { record: *record, seal }),
        Any::Qualification(_) | Any::Ledger(_) => unreachable!("their formats were looked for"),
    }
}

/// The record in this text; `origin` is what messages call it.
///
/// # Errors
/// If it is no record, or one of another version.
pub fn any_from_text(text: &str, origin: &str) -> Result<Opened<Any>, RecordError> {
    let value: Value = serde_json::from_str(text).map_err(|error| malformed(origin, error))?;
    opened(text, &value, origin)
}

fn malformed(origin: &str, error: serde_json::Error) -> RecordError {
    RecordError::Malformed { origin: origin.to_owned(), error }
}

/// The record in this text, which has this value.
fn opened(text: &str, value: &Value, origin: &str) -> Result<Opened<Any>, RecordError> {
    // What it is and of which version are looked at first: another version may have other fields.
    let format = value.get("format").and_then(Value::as_str).unwrap_or_default();
    let (known, older) = match format {
        FORMAT => (VERSION, ": abench convert FILE gives it in this version"),
        qualification::FORMAT => (qualification::VERSION, ": run abench qualify again"),
        ledger::FORMAT => (ledger::VERSION, ": run abench falsify again"),
        _ => {
            let found = value.get("format").map_or("missing".to_owned(), Value::to_string);
            return Err(RecordError::Format { origin: origin.to_owned(), found });
        }
    };
    let version = value.get("version").cloned().unwrap_or_default();
    if version != known {
        let advice = match version.as_u64() {
            Some(newer) if newer > known.into() => ": use a newer abench",
            Some(_) => older,
            None => "",
        };
        return Err(RecordError::Version { origin: origin.to_owned(), found: version.to_string(), known, advice });
    }
    let seal = Seal::of(value);
    // Of the text and not of the value, so that errors have a line.
    let malformed = |error| malformed(origin, error);
    let record = match format {
        FORMAT => Any::Run(Box::new(serde_json::from_str(text).map_err(malformed)?)),
        qualification::FORMAT => Any::Qualification(Box::new(serde_json::from_str(text).map_err(malformed)?)),
        _ => Any::Ledger(Box::new(serde_json::from_str(text).map_err(malformed)?)),
    };
    Ok(Opened { record, seal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_read_as_one_and_is_no_record_of_a_run() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/claims.json");
        let text = fs::read_to_string(path).expect("the recorded ledger");
        let Opened { record: Any::Ledger(read), seal } = any_from_text(&text, "claims.json").expect("it is sound")
        else {
            panic!("it is a ledger")
        };
        assert_eq!((to_text(&*read), seal), (text.clone(), Seal::Intact));
        assert!(matches!(from_text(&text, "claims.json"), Err(RecordError::Ledger { .. })));
        let newer = text.replacen("\"version\": 1", "\"version\": 2", 1);
        let said = any_from_text(&newer, "claims.json").expect_err("it is newer").to_string();
        assert_eq!(said, "claims.json: a record of version 2; this abench reads version 1: use a newer abench");
        assert!(any_from_text("{", "cut.json").is_err());
    }
}
