//! Records as files: written whole or not at all, read with a reason where they cannot be.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::domain::json;
use crate::report::inert::{inert, inert_start};
use crate::report::journal;
use crate::report::seal::{Seal, Sealed, sealed};

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
        error: String,
    },
    /// It is the record of something else than a run.
    #[error("{origin}: the record of {kind}, and that of a run is needed{again}")]
    NoRun {
        /// The file.
        origin: String,
        /// What it is of.
        kind: &'static str,
        /// What to do.
        again: &'static str,
    },
    /// It is a journal.
    #[error(
        "{origin}: the journal of a run, and not a record: go on with the run by --resume, or put its shards together by abench merge"
    )]
    Journal {
        /// The file.
        origin: String,
    },
    /// The JSON is something else.
    #[error("{origin}: not a record: its \"format\" should be {wanted} and is {found}")]
    Format {
        /// The file.
        origin: String,
        /// What it could say.
        wanted: String,
        /// What it says it is.
        found: String,
    },
    /// The record is of another version.
    #[error("{origin}: a record of version {found}; this abench reads version {read}{advice}")]
    Version {
        /// The file.
        origin: String,
        /// Its version, or `null`.
        found: String,
        /// The version that is read.
        read: u32,
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
            let folder = folder_of(&target);
            if !folder.exists() {
                let missing = format!("the folder {} does not exist", folder.display());
                return Err(unwritable(io::Error::new(io::ErrorKind::NotFound, missing)));
            }
            // It is gone again at once: a run that is killed leaves nothing behind.
            beside(&target, permissions.clone()).map_err(|error| unwritable(without_name(&error)))?;
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
        written.map_err(|error| RecordError::Unwritable { path, error: without_name(&error) })
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
pub(super) fn within_limit(length: u64) -> io::Result<()> {
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

/// What the system says, without the name of the file that is there for a while.
fn without_name(error: &io::Error) -> io::Error {
    let said = error.to_string();
    let said = said.split_once(" at path ").map_or(said.as_str(), |(said, _)| said);
    io::Error::new(error.kind(), said.to_owned())
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
    let mut text = json::to_text(&sealed(record)).expect("a record holds nothing that JSON cannot");
    text.push('\n');
    text
}

/// Characters of a record that a message quotes at most.
const QUOTED: usize = 300;

impl RecordError {
    /// Of a text that is no JSON, or JSON of another form.
    pub fn malformed(error: &serde_json::Error, origin: &str) -> Self {
        RecordError::Malformed { origin: origin.to_owned(), error: quoted_error(error) }
    }
}

/// What is wrong, without what would upset a terminal. A long value is cut, and the place, which stands last, is kept.
fn quoted_error(error: &serde_json::Error) -> String {
    let whole = inert(&error.to_string());
    match whole.rfind(" at line ").filter(|&place| whole[..place].chars().count() > QUOTED) {
        Some(place) => format!("{}{}", inert_start(&whole[..place], QUOTED), &whole[place..]),
        None => whole,
    }
}

/// What a record says it is, and whether it was altered. It is looked at first: another kind, and another version, has other
/// fields.
pub struct Head {
    format: Option<Value>,
    version: Option<Value>,
    seal: Seal,
}

impl Head {
    /// The head of the record in this text; `origin` is what messages call it.
    pub fn of(text: &str, origin: &str) -> Result<Self, RecordError> {
        if journal::is_one(text) {
            return Err(RecordError::Journal { origin: origin.to_owned() });
        }
        let value: Value = serde_json::from_str(text).map_err(|error| RecordError::malformed(&error, origin))?;
        let (format, version) = (value.get("format").cloned(), value.get("version").cloned());
        Ok(Head { format, version, seal: Seal::of(&value) })
    }

    /// Whether it says that it is this.
    pub fn is_of(&self, format: &str) -> bool {
        self.format.as_ref().is_some_and(|found| found == format)
    }

    /// Whether the record is as it was written.
    pub fn seal(&self) -> Seal {
        self.seal
    }

    /// What is wrong where it is none of these.
    pub fn unknown(&self, formats: &[&str], origin: &str) -> RecordError {
        let found = self.format.as_ref().map_or("missing".to_owned(), ToString::to_string);
        let wanted: Vec<String> = formats.iter().map(|format| format!("\"{format}\"")).collect();
        let wanted = match wanted.split_last() {
            Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
            _ => wanted.concat(),
        };
        RecordError::Format { origin: origin.to_owned(), wanted, found: inert_start(&found, QUOTED) }
    }

    /// Refuses every version but the one that is read; `older` is what to do with an older one.
    pub fn of_version(&self, read: u32, older: &'static str, origin: &str) -> Result<(), RecordError> {
        let version = self.version.clone().unwrap_or_default();
        if version == read {
            return Ok(());
        }
        let advice = match version.as_u64() {
            Some(newer) if newer > read.into() => ": use a newer abench",
            Some(_) => older,
            None => "",
        };
        let found = inert_start(&version.to_string(), QUOTED);
        Err(RecordError::Version { origin: origin.to_owned(), found, read, advice })
    }
}
