//! One program at a time on a serial line: two that share one take each other's answers.
//!
//! A line is locked in the two ways that programs for serial lines look at: `flock` on the tty, which ends with the process
//! that holds it, and a lock file in the manner of UUCP (`/var/lock/LCK..ttyUSB0`, which holds a process id), which other
//! programs wrote long before and names the owner. `TIOCEXCL` is not used: it does not stop root, and would outlive a process
//! that is killed while another one keeps the tty open.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// Where lock files are.
pub const FOLDER: &str = "/var/lock";

/// How often a lock file that nobody owns any more is replaced before it is given up.
const TRIES: u32 = 4;

/// Why a tty cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] io::Error),
    /// Another program uses it.
    #[error("{0}")]
    InUse(String),
}

/// A tty that this process alone uses.
#[derive(Debug)]
pub struct TtyLock {
    /// The lock file, where one could be made.
    file: Option<PathBuf>,
    /// Holds the `flock`.
    tty: File,
}

impl TtyLock {
    /// Locks the tty at this path, with its lock file in this folder. Where no lock file can be made (no such folder, or no
    /// right to write there), `flock` alone has to do. Whoever opens the tty for use does so afterwards: to open it changes
    /// its settings.
    pub fn of(path: &Path, folder: &Path) -> Result<Self, LockError> {
        let flags = (OFlags::NOCTTY | OFlags::NONBLOCK).bits() as i32;
        let tty = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
        let file = folder.join(format!("LCK..{}", name(path)));
        match flock(&tty, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let owner = owner_by(&file).filter(|owner| is_alive(*owner)).or_else(|| owner_of_flock(&tty));
                return Err(in_use(path, owner, "it holds the lock of the tty"));
            }
            // A file system without locks: the lock file has to do.
            Err(_) => {}
        }
        Ok(TtyLock { file: make(path, file)?, tty })
    }
}

impl Drop for TtyLock {
    fn drop(&mut self) {
        if let Some(file) = self.file.take().filter(|file| owner_by(file) == Some(own())) {
            let _ = fs::remove_file(file);
        }
        // A process that another thread starts holds the tty until it runs its own program, and its lock for so long.
        let _ = flock(&self.tty, FlockOperation::Unlock);
    }
}

fn own() -> u32 {
    std::process::id()
}

/// What a tty is called in the name of its lock file: its path below /dev, links followed.
fn name(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let below = path.strip_prefix("/dev").unwrap_or(&path);
    below.to_string_lossy().trim_start_matches('/').replace('/', "_")
}

/// Makes the lock file, in place of one whose owner is gone.
fn make(path: &Path, file: PathBuf) -> Result<Option<PathBuf>, LockError> {
    // It appears whole, or not at all: nobody reads one without its process id.
    let whole = file.with_file_name(format!("LTMP..{}.{}", own(), name(path)));
    let written = fs::File::create(&whole).and_then(|mut made| writeln!(made, "{:>10}", own()));
    if written.is_err() {
        return Ok(None);
    }
    let made = link(path, &whole, file);
    let _ = fs::remove_file(&whole);
    made
}

fn link(path: &Path, whole: &Path, file: PathBuf) -> Result<Option<PathBuf>, LockError> {
    for _ in 0..TRIES {
        match fs::hard_link(whole, &file) {
            Ok(()) => return Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(_) => return Ok(None),
        }
        let says = format!("{} says so", file.display());
        match owner_by(&file) {
            Some(owner) if is_alive(owner) && owner != own() => return Err(in_use(path, Some(owner), &says)),
            // Its owner is gone, or was this process.
            Some(_) => {}
            None if !file.exists() => continue,
            None => {
                return Err(LockError::InUse(format!(
                    "{} locks it and names no process; remove that file if no program uses the line",
                    file.display()
                )));
            }
        }
        if let Err(error) = fs::remove_file(&file)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(LockError::InUse(format!(
                "{} locks it for a process that is gone, and cannot be removed ({error}); remove that file",
                file.display()
            )));
        }
    }
    Err(LockError::InUse(format!("{} is made by others again and again", file.display())))
}

fn in_use(path: &Path, owner: Option<u32>, by: &str) -> LockError {
    let Some(owner) = owner else {
        return LockError::InUse(format!(
            "another program uses {} ({by}); wait for its end, or end it",
            path.display()
        ));
    };
    let program = fs::read_to_string(format!("/proc/{owner}/comm")).unwrap_or_default();
    let program = if program.is_empty() { String::new() } else { format!(" ({})", program.trim()) };
    let who = if owner == own() { "this run itself".to_owned() } else { format!("process {owner}{program}") };
    LockError::InUse(format!("{who} uses {} ({by}); wait for its end, or end it", path.display()))
}

/// The process id in a lock file: ten digits and an end of line, or four bytes.
fn owner_by(file: &Path) -> Option<u32> {
    let bytes = fs::read(file).ok()?;
    if let Some(binary) = bytes.first_chunk().filter(|_| bytes.len() == 4 && !bytes.is_ascii()) {
        return Some(u32::from_ne_bytes(*binary));
    }
    String::from_utf8(bytes).ok()?.split_whitespace().next()?.parse().ok()
}

/// Who holds the `flock` of this file, by the kernel's list.
fn owner_of_flock(tty: &File) -> Option<u32> {
    let inode = tty.metadata().ok()?.ino().to_string();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // 1: FLOCK ADVISORY WRITE 4711 00:19:5 0 EOF
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, owner, place, ..] = words[..] else { return None };
        (place.rsplit(':').next() == Some(&inode)).then(|| owner.parse().ok())?
    })
}

/// Whether there is such a process.
fn is_alive(owner: u32) -> bool {
    let Some(pid) = i32::try_from(owner).ok().and_then(Pid::from_raw) else { return false };
    test_kill_process(pid) != Err(Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// What stands for a tty: any file can be locked.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            let place = Place(tempfile::tempdir().expect("a folder"));
            fs::write(place.tty(), "").expect("a file");
            place
        }

        fn tty(&self) -> PathBuf {
            self.0.path().join("ttyUSB9")
        }

        fn lock(&self) -> Result<TtyLock, String> {
            TtyLock::of(&self.tty(), self.0.path()).map_err(|error| error.to_string())
        }

        fn file(&self) -> PathBuf {
            self.0.path().join(format!("LCK..{}", name(&self.tty())))
        }
    }

    #[test]
    fn a_lock_names_its_owner_refuses_the_next_one_and_is_gone_at_its_end() {
        let place = Place::new();
        let lock = place.lock().expect("it is free");
        assert_eq!(fs::read_to_string(place.file()).expect("a lock file"), format!("{:>10}\n", own()));
        let refused = place.lock().expect_err("it is in use");
        assert!(
            refused.starts_with("this run itself uses ") && refused.contains("holds the lock of the tty"),
            "{refused}"
        );
        drop(lock);
        assert!(!place.file().exists());
        place.lock().expect("it is free again");
        assert_eq!(fs::read_dir(place.0.path()).expect("a folder").count(), 1, "nothing is left behind");
    }

    #[test]
    fn a_lock_of_a_program_that_locks_by_file_alone_is_respected_while_it_lives_and_replaced_afterwards() {
        let place = Place::new();
        let mut owner = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().expect("a process");
        fs::write(place.file(), format!("{:>10}\n", owner.id())).expect("a file");
        // A process has its name once it has begun.
        let (named, start) = (format!("/proc/{}/comm", owner.id()), std::time::Instant::now());
        while !fs::read_to_string(&named).is_ok_and(|name| name == "sleep\n") {
            assert!(start.elapsed() < std::time::Duration::from_secs(20), "it begins");
        }
        let refused = place.lock().expect_err("it is in use");
        assert!(refused.starts_with(&format!("process {} (sleep) uses ", owner.id())), "{refused}");
        owner.kill().and_then(|()| owner.wait()).expect("it ends");
        let lock = place.lock().expect("its owner is gone");
        assert_eq!(owner_by(&place.file()), Some(own()));
        drop(lock);
        fs::write(place.file(), "nobody\n").expect("a file");
        let refused = place.lock().expect_err("it is locked");
        assert!(refused.contains("remove that file if no program uses the line"), "{refused}");
    }

    #[test]
    fn a_lock_without_a_file_is_one_too_and_its_owner_is_known_by_the_kernel() {
        let place = Place::new();
        let nowhere = place.0.path().join("no such folder");
        let _lock = TtyLock::of(&place.tty(), &nowhere).expect("it is free");
        let refused = TtyLock::of(&place.tty(), &nowhere).expect_err("it is in use").to_string();
        assert!(refused.starts_with("this run itself uses "), "{refused}");
    }

    #[test]
    fn every_tty_has_a_name_of_its_own() {
        assert_eq!(name(Path::new("/dev/no-such-tty")), "no-such-tty");
        assert_eq!(name(Path::new("/dev/pts/no-such-pty")), "pts_no-such-pty");
    }
}
