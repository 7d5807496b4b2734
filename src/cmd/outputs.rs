//! Files that a verb writes: none takes the place of another, or of a scenario that is read.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cmd::Failure;

/// Whether an argument names a scenario's file: it has a `/` or ends in `.toml`.
pub fn is_path(named: &OsStr) -> bool {
    let named = named.to_string_lossy();
    named.contains('/') || named.ends_with(".toml")
}

/// The files among scenarios that are named.
pub fn scenario_files(scenarios: &[OsString]) -> impl Iterator<Item = (&str, &Path)> {
    scenarios.iter().filter(|named| is_path(named)).map(|named| ("the scenario", Path::new(named)))
}

/// Refuses an output, named by its option, that would take the place of another one or of an input.
pub fn differ<'a>(
    inputs: impl Iterator<Item = (&'a str, &'a Path)>,
    outputs: impl Iterator<Item = (&'a str, &'a Path)>,
) -> Result<(), Failure> {
    let mut taken: Vec<(String, PathBuf)> =
        inputs.map(|(what, path)| (format!("{what} {}", path.display()), whole(path))).collect();
    for (option, path) in outputs.filter(|(_, path)| *path != Path::new("-")) {
        let is_device = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        let file = whole(path);
        if let Some((other, _)) = taken.iter().find(|(_, other)| *other == file && !is_device) {
            let path = path.display();
            return Err(Failure::usage(anyhow!("{option} {path} would overwrite {other}: name another file")));
        }
        taken.push((format!("what {option} writes"), file));
    }
    Ok(())
}

/// A path from the root, links followed as far as they lead somewhere.
fn whole(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let in_folder = || Some(std::fs::canonicalize(folder).ok()?.join(path.file_name()?));
    std::fs::canonicalize(path).ok().or_else(in_folder).unwrap_or_else(|| path.to_owned())
}
