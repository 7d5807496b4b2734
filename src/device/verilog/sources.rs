//! The sources of a design: which files, and a digest of what is in them.

use std::fs;
use std::hash::Hasher;
use std::io;
use std::path::Path;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::device::verilog::DesignError;

/// The largest source that is read.
const LARGEST: u64 = 64 << 20;

/// The Verilog files in a folder itself, in the order of their names, which have no path before them.
pub fn files(folder: &Path) -> Result<Vec<String>, DesignError> {
    let refused = |reason: String| DesignError::Sources(reason);
    let failed = |error: io::Error| refused(format!("the folder {} cannot be read: {error}", folder.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if ["v", "sv"].contains(&extension) && path.is_file() {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| refused(format!("the name of {} is not UTF-8", path.display())))?;
            names.push(name.to_owned());
        }
    }
    names.sort();
    if names.is_empty() {
        let reason = format!("the folder {} holds no file that ends in .v or .sv", folder.display());
        return Err(refused(format!("{reason}; folders in it are not searched")));
    }
    Ok(names)
}

/// A digest of 128 bits of what is fed to it, as text.
pub struct Digest(SipHasher24);

impl Digest {
    /// Of nothing yet.
    pub fn new() -> Self {
        Digest(SipHasher24::new())
    }

    /// With these bytes after the others, apart from them.
    pub fn with(mut self, bytes: &[u8]) -> Self {
        self.0.write_u64(bytes.len() as u64);
        self.0.write(bytes);
        self
    }

    /// As hexadecimal digits.
    pub fn text(&self) -> String {
        let digest = self.0.finish128();
        format!("{:016x}{:016x}", digest.h1, digest.h2)
    }
}

/// What is in a file.
pub fn read(path: &Path) -> Result<Vec<u8>, DesignError> {
    let refused = |reason: String| DesignError::Sources(format!("{}: {reason}", path.display()));
    let length = fs::metadata(path).map_err(|error| refused(error.to_string()))?.len();
    if length > LARGEST {
        return Err(refused(format!("{length} bytes are too many for a source; allowed are {LARGEST}")));
    }
    fs::read(path).map_err(|error| refused(error.to_string()))
}

/// The digest of all these files' names and contents.
pub fn digest(folder: &Path, names: &[String]) -> Result<String, DesignError> {
    let fed = names.iter().try_fold(Digest::new(), |digest, name| {
        Ok::<_, DesignError>(digest.with(name.as_bytes()).with(&read(&folder.join(name))?))
    });
    Ok(fed?.text())
}

/// The digest of one file, if it can be read.
pub fn digest_of(path: &Path) -> Option<String> {
    read(path).ok().map(|bytes| Digest::new().with(&bytes).text())
}
