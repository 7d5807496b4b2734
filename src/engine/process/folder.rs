//! The folder of a process: files are put there before it starts, and read when it is at rest or was ended.
//!
//! Knows: regular files, by their paths. Must not: follow a link out of the folder, or know what a file holds.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::engine::process::root::{self, Root};
use crate::engine::store::disk::Files;

/// The most bytes that one node may store, and the most that it may have beside its store.
pub const MOST_BYTES: u64 = 256 << 20;

/// The most files that one node may have.
const MOST_FILES: usize = 10_000;

/// A folder that is gone when nobody holds it any more.
#[derive(Debug)]
pub struct Folder {
    place: PathBuf,
    _root: Arc<Root>,
}

/// Why the files of a folder cannot be had.
#[derive(Debug)]
pub enum Unfit {
    /// They are too many, or too long.
    Over(String),
    /// The folder cannot be read.
    Unreadable(io::Error),
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        Unfit::Unreadable(error)
    }
}

impl From<Unfit> for io::Error {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Over(why) => io::Error::other(why),
            Unfit::Unreadable(error) => error,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.place);
    }
}

impl Folder {
    /// A folder with these files.
    pub fn with(files: &Files) -> io::Result<Self> {
        let (root, place) = root::place()?;
        fs::create_dir(&place)?;
        let folder = Folder { place, _root: root };
        fs::create_dir(folder.scratch())?;
        fs::create_dir(folder.store())?;
        for (path, bytes) in files {
            let path = folder.store().join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, bytes)?;
        }
        Ok(folder)
    }

    /// Where its process keeps what must survive.
    pub fn store(&self) -> PathBuf {
        self.place.join("store")
    }

    /// Where its process may put what need not survive.
    pub fn scratch(&self) -> PathBuf {
        self.place.join("scratch")
    }

    /// All files that must survive. Links and what is not a regular file are left out.
    ///
    /// # Errors
    /// If a file cannot be read, or they are too many or too long.
    pub fn files(&self) -> io::Result<Files> {
        let root = self.store();
        let read = |path: PathBuf| Ok((named(&root, &path)?, fs::read(path)?));
        within(&root, STORE)?.into_iter().map(read).collect()
    }
}

/// What a store is called where it is too large.
pub const STORE: &str = "the store";

/// The regular files below a folder, if they are not too many, nor too long together. `what` is what the folder is called.
///
/// # Errors
/// If they are, or a folder cannot be read.
pub fn within(root: &Path, what: &str) -> Result<Vec<PathBuf>, Unfit> {
    let (mut files, mut bytes, mut folders) = (Vec::new(), 0, vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                bytes += entry.metadata()?.len();
                if bytes > MOST_BYTES || files.len() == MOST_FILES {
                    let most = MOST_BYTES >> 20;
                    return Err(Unfit::Over(format!("{what} has more than {MOST_FILES} files or {most} MiB")));
                }
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

/// The path of a file within the folder, as text.
fn named(root: &Path, path: &Path) -> io::Result<String> {
    let refused = || io::Error::other(format!("the store has a file whose name is not UTF-8: {}", path.display()));
    let within = path.strip_prefix(root).map_err(|_| refused())?;
    let plain = within.components().all(|part| matches!(part, Component::Normal(_)));
    within.to_str().filter(|_| plain).map(str::to_owned).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back_as_they_were_put_there_and_links_are_left_out() {
        let files = Files::from([("db/log".to_owned(), b"one".to_vec()), ("id".to_owned(), Vec::new())]);
        let folder = Folder::with(&files).expect("a folder");
        assert_eq!(folder.files().expect("it is read"), files);
        std::os::unix::fs::symlink("/etc/passwd", folder.store().join("link")).expect("a link");
        fs::write(folder.scratch().join("cache"), b"gone").expect("it is written");
        assert_eq!(folder.files().expect("it is read"), files);
        let place = folder.store();
        drop(folder);
        assert!(!place.exists());
    }

    #[test]
    fn a_store_of_too_many_files_is_refused() {
        let folder = Folder::with(&Files::new()).expect("a folder");
        (0..=MOST_FILES).for_each(|file| fs::write(folder.store().join(file.to_string()), []).expect("it is written"));
        assert!(folder.files().expect_err("too many").to_string().contains("10000 files"));
    }
}
