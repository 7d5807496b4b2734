//! A process and its descendants: started without the environment of abench, watched for memory and number, and ended to the
//! last one.
//!
//! Root ignores resource limits, and V8 needs its address space: so the processes are looked at ten times a second, and their
//! folders once.
//! Descendants that leave the process group are found because abench takes in orphans (a subreaper, `prctl(2)`). Knows:
//! processes. Must not: know what they say.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, set_child_subreaper, waitpid,
};

use crate::engine::process::child::shown;
use crate::engine::process::folder::{Folder, STORE, Unfit, within};
use crate::engine::process::starter;
use crate::engine::process::words::Words;

/// The most memory of one node, with all processes that it started: resident bytes.
pub const MOST_BYTES: u64 = 2 << 30;

/// The most processes of one node.
pub const MOST_PROCESSES: usize = 64;

/// How often processes are looked at.
const EVERY: Duration = Duration::from_millis(100);

/// Looks at processes for each look at their folders.
const LOOKS_A_FOLDER: u64 = 10;

/// How long the last of its processes may take to be gone after SIGKILL.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// A process, and those that it starts.
#[derive(Debug)]
pub struct Watched {
    child: Child,
    status: Option<ExitStatus>,
    tree: Arc<Tree>,
}

/// What the watch knows of a process.
#[derive(Debug)]
struct Tree {
    root: Pid,
    /// What its environment has, and that of all whom it starts, unless they clear it.
    mark: String,
    /// Its folders, and what they are called.
    folders: [(PathBuf, &'static str); 2],
    /// Its processes, as far as they were seen: their numbers, and when they started, since numbers come again.
    seen: Mutex<BTreeSet<(i32, u64)>>,
    /// The limit that it exceeded.
    over: Mutex<Option<String>>,
}

/// How a process ended.
#[derive(Debug)]
pub enum Ended {
    /// It exceeded a limit, and was killed.
    OverLimit(String),
    /// By itself.
    By(ExitStatus),
    /// It did not.
    Not,
}

/// The pipes of a process.
pub type Pipes = (ChildStdin, ChildStdout, ChildStderr);

/// A process in the table of the kernel.
#[derive(Clone, Copy, Debug)]
struct Seen {
    pid: i32,
    parent: i32,
    group: i32,
    started: u64,
    resident: u64,
    /// The processor time that it used, in hundredths of a second.
    used: u64,
    /// Whether it runs now, or waits for a disk.
    is_running: bool,
    /// Whether it ended, and nobody has asked how.
    has_ended: bool,
}

impl Watched {
    /// Starts a process in a folder, with an environment of its own.
    pub fn start(words: &Words, folder: &Folder) -> io::Result<(Self, Pipes)> {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let all = words.absolute();
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let mark = format!("ABENCH_NODE={}-{number}", getpid().as_raw_nonzero());
        // Orphans of a process would else go to init, where nobody ends them.
        set_child_subreaper(Some(getpid()))?;
        let mut command = Command::new(&all[0]);
        command
            .args(&all[1..])
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs([("HOME", folder.scratch()), ("TMPDIR", folder.scratch())])
            .envs([("LANG", "C.UTF-8"), ("TZ", "UTC"), ("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1")])
            .envs(mark.split_once('='))
            .current_dir(folder.store())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = starter::spawned(command)?;
        let pipes = child.stdin.take().zip(child.stdout.take()).zip(child.stderr.take());
        let ((stdin, stdout), stderr) = pipes.expect("all three are pipes");
        let root = Pid::from_child(&child);
        let folders = [(folder.store(), STORE), (folder.scratch(), "the folder beside the store")];
        let tree = Arc::new(Tree { root, mark, folders, seen: Mutex::default(), over: Mutex::default() });
        watch(&tree);
        Ok((Watched { child, status: None, tree }, (stdin, stdout, stderr)))
    }

    /// Sends a signal to all processes that it started, as far as they are known.
    pub fn signal(&self, signal: Signal) {
        for pid in self.tree.look(&processes()).iter().filter_map(|process| Pid::from_raw(process.pid)) {
            let _ = kill_process(pid, signal);
        }
    }

    /// How it ended, if it did, within a second.
    pub fn ended(&mut self) -> Ended {
        let until = Instant::now() + Duration::from_secs(1);
        while self.status.is_none() && Instant::now() < until {
            self.status = self.child.try_wait().ok().flatten();
            if self.status.is_none() {
                thread::sleep(Duration::from_millis(1));
            }
        }
        let over = self.tree.over.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (over, self.status) {
            (Some(why), _) => Ended::OverLimit(why),
            (None, Some(status)) => Ended::By(status),
            (None, None) => Ended::Not,
        }
    }

    /// How its first process ended, if it did.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.status = self.status.or_else(|| self.child.try_wait().ok().flatten());
        self.status
    }

    /// The processor time that its processes used, in hundredths of a second, and whether one of them runs now.
    pub fn processor_time(&self) -> (u64, bool) {
        let of_tree = self.tree.look(&processes());
        (of_tree.iter().map(|process| process.used).sum(), of_tree.iter().any(|process| process.is_running))
    }

    /// The processes that it started which hold the other end of this pipe: the number and the command of each.
    pub fn holders(&self, pipe: &impl AsFd) -> Vec<String> {
        let end = |process: &str, fd: &str| fs::read_link(format!("/proc/{process}/fd/{fd}")).ok();
        let Some(pipe) = end("self", &pipe.as_fd().as_raw_fd().to_string()) else { return Vec::new() };
        let holds = |process: &Seen| {
            let open = fs::read_dir(format!("/proc/{}/fd", process.pid)).ok()?;
            let is_held =
                open.filter_map(Result::ok).any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target == pipe));
            let command = fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            is_held.then(|| format!("process {} {}", process.pid, shown(command.trim())))
        };
        self.tree.look(&processes()).iter().filter_map(holds).collect()
    }

    /// Kills it and all processes that it started, and waits until they are gone.
    pub fn end(&mut self) {
        self.tree.kill(&processes());
        if self.status.is_none() {
            self.status = self.child.wait().ok();
        }
        let deadline = Instant::now() + GONE_WITHIN;
        while self.tree.reap() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Tree {
    /// Those of these processes that are of the tree.
    fn look(&self, all: &[Seen]) -> Vec<Seen> {
        let (here, root) = (getpid().as_raw_nonzero().get(), self.root.as_raw_nonzero().get());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // An orphan's parent is abench. It is known by its group, or by what its environment says.
        let is_orphan = |process: &Seen| {
            process.parent == here && process.pid != root && (process.group == root || self.is_marked(process.pid))
        };
        let mut of_tree: Vec<Seen> = Vec::new();
        let mut left: Vec<Seen> = all.to_vec();
        loop {
            let (more, others): (Vec<Seen>, Vec<Seen>) = left.into_iter().partition(|process| {
                process.pid == root
                    || seen.contains(&(process.pid, process.started))
                    || of_tree.iter().any(|parent| parent.pid == process.parent)
            });
            left = others;
            if more.is_empty() {
                break;
            }
            of_tree.extend(more);
        }
        of_tree.extend(left.into_iter().filter(is_orphan));
        *seen = of_tree.iter().map(|process| (process.pid, process.started)).collect();
        of_tree
    }

    fn is_marked(&self, pid: i32) -> bool {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable == self.mark.as_bytes())
    }

    fn kill(&self, all: &[Seen]) {
        // The group first: whoever is in it starts nothing any more.
        let _ = kill_process_group(self.root, Signal::KILL);
        for pid in self.look(all).iter().filter_map(|process| Pid::from_raw(process.pid)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// Takes in what is left of it after its first process ended, and says whether anything is.
    fn reap(&self) -> bool {
        let left = self.look(&processes());
        let root = self.root.as_raw_nonzero().get();
        let others: Vec<Pid> = left
            .iter()
            .filter(|process| process.pid != root)
            .filter_map(|process| Pid::from_raw(process.pid))
            .collect();
        for &process in &others {
            let _ = kill_process(process, Signal::KILL);
            let _ = waitpid(Some(process), WaitOptions::NOHANG);
        }
        !others.is_empty()
    }

    fn folders_over_limit(&self) -> Option<String> {
        // A folder that changes meanwhile is read again at the next look.
        self.folders.iter().find_map(|(folder, what)| match within(folder, what) {
            Err(Unfit::Over(why)) => Some(why),
            Err(Unfit::Unreadable(_)) | Ok(_) => None,
        })
    }

    /// Asks how orphans ended, which nobody else will.
    fn take_in(&self, ended: &[Seen]) {
        let here = getpid().as_raw_nonzero().get();
        let orphans =
            ended.iter().filter(|process| process.parent == here && process.pid != self.root.as_raw_nonzero().get());
        for orphan in orphans.filter_map(|process| Pid::from_raw(process.pid)) {
            let _ = waitpid(Some(orphan), WaitOptions::NOHANG);
        }
    }

    /// Kills it if it has too many processes, or takes too much memory or, where that is looked at, too much of the disk.
    fn holds_to_limits(&self, all: &[Seen], also_folders: bool) {
        let here = self.look(all);
        let (ended, running): (Vec<Seen>, Vec<Seen>) = here.into_iter().partition(|process| process.has_ended);
        self.take_in(&ended);
        let resident: u64 = running.iter().map(|process| process.resident).sum();
        let why = if running.len() > MOST_PROCESSES {
            format!("{} of its processes run, and {MOST_PROCESSES} are allowed", running.len())
        } else if resident > MOST_BYTES {
            format!("it took {} MiB of memory, and {} MiB are allowed", resident >> 20, MOST_BYTES >> 20)
        } else if let Some(why) = also_folders.then(|| self.folders_over_limit()).flatten() {
            why
        } else {
            return;
        };
        self.over.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.kill(all);
    }
}

/// Processes that are looked at.
static WATCHED: OnceLock<Mutex<Vec<Weak<Tree>>>> = OnceLock::new();

/// Ends all processes that abench started, with all that these started: for an end of abench that drops nothing.
pub fn end_all() {
    let trees = WATCHED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let trees: Vec<Arc<Tree>> = trees.iter().filter_map(Weak::upgrade).collect();
    trees.iter().for_each(|tree| tree.kill(&processes()));
    // What was started meanwhile by one that is gone now has abench for a parent.
    trees.iter().for_each(|tree| tree.kill(&processes()));
}

/// Ends the processes whose home is below this folder: what an abench that is gone has left.
pub fn end_those_within(folder: &Path) {
    let home = [b"HOME=", folder.as_os_str().as_bytes(), b"/"].concat();
    let is_one = |process: &&Seen| {
        let environment = fs::read(format!("/proc/{}/environ", process.pid)).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable.starts_with(&home))
    };
    for process in processes().iter().filter(is_one) {
        let _ = Pid::from_raw(process.pid).map(|pid| kill_process(pid, Signal::KILL));
    }
}

/// Has a process looked at from now on, until nobody holds it any more.
fn watch(tree: &Arc<Tree>) {
    let watched = WATCHED.get_or_init(Mutex::default);
    let mut trees = watched.lock().unwrap_or_else(PoisonError::into_inner);
    let is_first = trees.is_empty();
    trees.push(Arc::downgrade(tree));
    if is_first {
        thread::spawn(move || {
            for look in 0u64.. {
                thread::sleep(EVERY);
                let mut trees = watched.lock().unwrap_or_else(PoisonError::into_inner);
                trees.retain(|tree| tree.strong_count() > 0);
                let now: Vec<Arc<Tree>> = trees.iter().filter_map(Weak::upgrade).collect();
                if trees.is_empty() {
                    return;
                }
                drop(trees);
                let all = processes();
                now.iter().for_each(|tree| tree.holds_to_limits(&all, look % LOOKS_A_FOLDER == 0));
            }
        });
    }
}

/// All processes of this machine.
fn processes() -> Vec<Seen> {
    let page = rustix::param::page_size() as u64;
    let read = |entry: fs::DirEntry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name of a program is in parentheses, and can hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        // proc(5): field 4 is the parent, 5 the group, 14 and 15 the processor time, 22 the start, 24 the resident pages.
        // Field 3, the state, is the first here.
        let field = |number: usize| fields.get(number - 3)?.parse::<i64>().ok();
        let (parent, group) = (field(4)? as i32, field(5)? as i32);
        let is_one_of = |states: [&str; 2]| fields.first().is_some_and(|state| states.contains(state));
        let (has_ended, is_running) = (is_one_of(["Z", "X"]), is_one_of(["R", "D"]));
        let (started, resident) = (field(22)? as u64, field(24)? as u64 * page);
        let used = (field(14)? + field(15)?) as u64 * 100 / rustix::param::clock_ticks_per_second();
        Some(Seen { pid, parent, group, started, resident, used, is_running, has_ended })
    };
    fs::read_dir("/proc").map_or(Vec::new(), |entries| entries.filter_map(Result::ok).filter_map(read).collect())
}
