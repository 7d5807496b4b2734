//! The folder of this abench, in which every process has one of its own.
//!
//! It is gone when no process needs it any more, and when a signal ends abench. Where abench is killed, the next abench
//! removes it, with the processes that it had: a lock, which the kernel opens, says whose abench still runs. Knows: folders of
//! the temporary folder. Must not: know what is in them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::engine::process::watched;

/// What the name of every such folder begins with.
const PREFIX: &str = "abench-engine-";

/// The file that is locked as long as its abench runs.
const LOCK: &str = "lock";

/// How often it is tried to remove a folder: a process that was killed can still be writing.
const TRIES: u32 = 50;

/// The folder.
#[derive(Debug)]
pub struct Root {
    place: TempDir,
    _lock: File,
}

impl Drop for Root {
    fn drop(&mut self) {
        remove(self.place.path());
        state().places.retain(|place| place != self.place.path());
    }
}

/// What is known of it.
struct State {
    root: Weak<Root>,
    /// The folders that are there, those among them that nobody needs any more and a thread still removes.
    places: Vec<PathBuf>,
    /// The number of the next folder in it.
    next: u64,
    /// Whether what others left was looked for.
    is_swept: bool,
    /// Whether abench ends: no folder is made any more.
    is_over: bool,
}

static STATE: Mutex<State> =
    Mutex::new(State { root: Weak::new(), places: Vec::new(), next: 0, is_swept: false, is_over: false });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The path of a new folder, which is not made yet, and what keeps the folder around it.
///
/// # Errors
/// If no folder can be made, or abench ends.
pub fn place() -> io::Result<(Arc<Root>, PathBuf)> {
    let mut state = state();
    if state.is_over {
        return Err(io::Error::other("abench ends"));
    }
    if !std::mem::replace(&mut state.is_swept, true) {
        sweep(&std::env::temp_dir());
    }
    let root = match state.root.upgrade() {
        Some(root) => root,
        None => {
            let root = Arc::new(made(&std::env::temp_dir())?);
            state.root = Arc::downgrade(&root);
            state.places.push(root.place.path().to_owned());
            root
        }
    };
    let path = root.place.path().join(state.next.to_string());
    state.next += 1;
    Ok((root, path))
}

/// No folder is made from now on.
pub fn no_more() {
    state().is_over = true;
}

/// Removes all folders of this abench: for an end that drops nothing.
pub fn remove_all() {
    let places = state().places.clone();
    places.iter().for_each(|place| remove(place));
}

fn made(parent: &Path) -> io::Result<Root> {
    let place = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
    // Under its own name the file is locked from the beginning.
    let unlocked = place.path().join("unlocked");
    let lock = File::create(&unlocked)?;
    lock.try_lock()?;
    fs::rename(&unlocked, place.path().join(LOCK))?;
    Ok(Root { place, _lock: lock })
}

/// Ends the processes and removes the folders of every abench that runs no more.
fn sweep(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let path = entry.path();
        // Of a folder without this file nobody knows whose it is.
        let is_left = || Ok::<bool, io::Error>(File::open(path.join(LOCK))?.try_lock().is_ok());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_left().unwrap_or(false) {
            watched::end_those_within(&path);
            remove(&path);
        }
    }
}

/// Removes a folder with all that is in it. Two threads may remove the same one: neither returns before it is gone.
fn remove(path: &Path) {
    for _ in 0..TRIES {
        // Whether something is missing in it or it is missing itself, the error does not tell.
        let _ = fs::remove_dir_all(path);
        if !fs::exists(path).unwrap_or(false) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_an_abench_left_is_removed_and_that_of_one_that_runs_is_not() {
        let parent = TempDir::new().expect("a folder");
        let running = made(parent.path()).expect("a folder");
        let left = made(parent.path()).expect("a folder");
        let path = left.place.path().to_owned();
        fs::create_dir(path.join("0")).expect("a folder");
        // A killed abench drops nothing; the kernel opens its lock.
        left._lock.unlock().expect("it was locked");
        std::mem::forget(left);
        let foreign = parent.path().join(format!("{PREFIX}of-somebody"));
        fs::create_dir(&foreign).expect("a folder");
        sweep(parent.path());
        assert!(running.place.path().exists() && foreign.exists());
        assert!(!path.exists());
        let path = running.place.path().to_owned();
        drop(running);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_two_threads_remove_is_gone_when_either_returns() {
        let parent = TempDir::new().expect("a folder");
        for turn in 0..20 {
            let path = parent.path().join(turn.to_string());
            for place in 0..40 {
                let folder = path.join(place.to_string());
                fs::create_dir_all(&folder).expect("a folder");
                (0..10).for_each(|file| fs::write(folder.join(file.to_string()), []).expect("it is written"));
            }
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        remove(&path);
                        assert!(!path.exists(), "turn {turn}");
                    });
                }
            });
        }
    }
}
