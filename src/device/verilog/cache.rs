//! Compiled designs of earlier runs: a folder for each, by the digest of all that went into it.
//!
//! `ABENCH_CACHE` names the cache's folder; else it is `abench` in `XDG_CACHE_HOME`, or in `.cache` of the home folder. Where
//! there is none of these, or it cannot be written to, each run compiles anew.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::device::verilog::Port;
use crate::device::verilog::sources;

/// Designs that are kept; the ones that were not used for the longest time make room.
const MOST_KEPT: usize = 32;

/// What the names of folders begin with that are compiled in.
const SCRATCH: &str = "new-";

/// How old such a folder is when nobody compiles in it any more.
const ABANDONED: Duration = Duration::from_secs(2 * 3600);

const LIBRARY: &str = "simulation.so";
/// The part of the simulator's runtime that is always there.
const RUNTIME: &str = "verilated.o";

const ENTRY: &str = "entry.json";

/// What is kept beside a compiled design.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The ports of its top module.
    pub ports: Vec<Port>,
    /// Every file that Verilator read for it, with the file's digest: a file that is included can be anywhere.
    pub read: Vec<(PathBuf, String)>,
}

/// The folder of compiled designs.
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The user's.
    pub fn of_user() -> Self {
        let set = |variable| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = set("ABENCH_CACHE").or_else(|| {
            let cache = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
            cache.or_else(|| set("HOME").map(|home| home.join(".cache"))).map(|cache| cache.join("abench"))
        });
        let folder = folder.map(|folder| folder.join("rtl"));
        Cache { folder: folder.filter(|folder| fs::create_dir_all(folder).is_ok()) }
    }

    /// The library of this key, if it is there and nothing that went into it has changed.
    pub fn find(&self, key: &str) -> Option<(PathBuf, Entry)> {
        let folder = self.folder.as_ref()?.join(key);
        let entry: Entry = serde_json::from_slice(&fs::read(folder.join(ENTRY)).ok()?).ok()?;
        let is_fresh = |(path, digest): &(PathBuf, String)| sources::digest_of(path).as_ref() == Some(digest);
        if !entry.read.iter().all(is_fresh) {
            return None;
        }
        let library = folder.join(LIBRARY);
        // When it was used last decides what makes room; a cache that cannot be written to is of use as well.
        let _ = fs::File::options().append(true).open(&library).and_then(|file| file.set_modified(SystemTime::now()));
        library.is_file().then_some((library, entry))
    }

    /// Where the compiled parts of the simulator's runtime are kept that belong to this key; `scratch` without a cache.
    pub fn runtime(&self, key: &str, scratch: &Path) -> PathBuf {
        let folder = self.folder.as_ref().map(|folder| folder.join(format!("runtime-{key}")));
        folder.filter(|folder| fs::create_dir_all(folder).is_ok()).unwrap_or_else(|| scratch.to_owned())
    }

    /// A folder to compile in, on the same disk as the cache.
    pub fn scratch(&self) -> io::Result<TempDir> {
        let in_cache =
            self.folder.as_ref().and_then(|folder| tempfile::Builder::new().prefix(SCRATCH).tempdir_in(folder).ok());
        in_cache.map_or_else(tempfile::tempdir, Ok)
    }

    /// Keeps a library that was compiled in `scratch`, and gives where it is: without a cache that is in `scratch`, which
    /// has to stay until the library is loaded.
    pub fn keep(&self, key: &str, scratch: &TempDir, library: &Path, entry: &Entry) -> io::Result<PathBuf> {
        let kept = scratch.path().join("kept");
        fs::create_dir(&kept)?;
        fs::rename(library, kept.join(LIBRARY))?;
        fs::write(kept.join(ENTRY), serde_json::to_string(entry)?)?;
        if let Some(folder) = &self.folder {
            let place = folder.join(key);
            // Another process may have been quicker, or what is there may be stale: in either case this one is as good.
            if place.exists() {
                let _ = fs::rename(&place, scratch.path().join("stale"));
            }
            if fs::rename(&kept, &place).is_ok() {
                make_room(folder, &place);
                return Ok(place.join(LIBRARY));
            }
        }
        Ok(kept.join(LIBRARY))
    }
}

/// Removes what was not used for the longest time, but not what was just made; and what a process left that was killed
/// while it compiled.
fn make_room(folder: &Path, made: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let used = |path: &Path| {
        let is_scratch = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(SCRATCH));
        let is_abandoned = |at: &SystemTime| at.elapsed().is_ok_and(|age| age > ABANDONED);
        // The oldest of all.
        let abandoned = || changed(path).filter(is_abandoned).map(|_| SystemTime::UNIX_EPOCH);
        if is_scratch { abandoned() } else { changed(&path.join(LIBRARY)).or_else(|| changed(&path.join(RUNTIME))) }
    };
    let mut kept: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path != made)
        .filter_map(|path| Some((used(&path)?, path)))
        .collect();
    kept.sort();
    let abandoned = kept.iter().filter(|(used, _)| *used == SystemTime::UNIX_EPOCH).count();
    let surplus = (kept.len() + 1).saturating_sub(MOST_KEPT).max(abandoned);
    for (_, path) in kept.into_iter().take(surplus) {
        // Whoever has loaded it keeps it.
        let _ = fs::remove_dir_all(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cache: &Cache, key: &str, read: &[(PathBuf, String)]) -> PathBuf {
        let scratch = cache.scratch().expect("a folder");
        let library = scratch.path().join("made.so");
        fs::write(&library, key).expect("written");
        let entry = Entry { ports: Vec::new(), read: read.to_vec() };
        cache.keep(key, &scratch, &library, &entry).expect("kept")
    }

    #[test]
    fn a_design_is_found_until_a_file_that_it_was_made_from_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache { folder: Some(folder.path().to_owned()) };
        let included = folder.path().join("included.vh");
        fs::write(&included, "one").expect("written");
        let read = [(included.clone(), sources::digest_of(&included).expect("it is read"))];
        let place = kept(&cache, "key", &read);
        assert_eq!(cache.find("key").map(|(library, _)| library), Some(place));
        assert!(cache.find("other").is_none());
        fs::write(&included, "two").expect("written");
        assert!(cache.find("key").is_none());
    }

    #[test]
    fn the_cache_is_bounded_and_the_least_recently_used_makes_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache { folder: Some(folder.path().to_owned()) };
        for number in 0..MOST_KEPT {
            kept(&cache, &format!("key{number}"), &[]);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert!(cache.find("key0").is_some(), "all have room, and this one is used now");
        kept(&cache, "one-more", &[]);
        let there = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(there, MOST_KEPT);
        assert!(cache.find("key0").is_some() && cache.find("one-more").is_some());
        assert!(cache.find("key1").is_none());
    }
}
