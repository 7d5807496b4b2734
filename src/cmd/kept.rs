//! `--resume` and `--shard`: the journals of runs, beside their records or in their place.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::campaign::{self, Plan};
use crate::cmd::options::RunOptions;
use crate::cmd::{Failure, open_subjects};
use crate::console::Console;
use crate::console::progress::{ProgressWatch, StopRequest};
use crate::domain::count::counted;
use crate::domain::verdict::exit;
use crate::report::journal::{Head, Journal, JournalError, Shard, is_begun};

/// What the last line of a shard that has run all its jobs is called.
pub(super) const END: &str = "end";

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        Failure::usage(error)
    }
}

/// The file of the journal beside this record.
pub(super) fn beside(record: &Path) -> PathBuf {
    let mut name = OsString::from(record);
    name.push(".journal");
    name.into()
}

/// What is to be done with the file of a journal.
enum Way {
    /// It is not there.
    Begin,
    /// It has the jobs of this run.
    GoOn,
    /// It is there, and has nothing.
    BeginAnew,
}

/// The file of the journal of a run whose record goes to this file, if it goes to one, and what is to be done with it.
fn examined(head: &Head, record: Option<&Path>, resume: bool) -> Result<Option<(PathBuf, Way)>, Failure> {
    let is_file = |path: &&Path| *path != Path::new("-") && (path.is_file() || !path.exists());
    let Some(record) = record.filter(is_file) else {
        let advice = "--resume goes on with the journal beside a record: name the file of that record with --record";
        return if resume { Err(Failure::usage(anyhow!(advice))) } else { Ok(None) };
    };
    let path = beside(record);
    if !path.exists() {
        return Ok(Some((path, Way::Begin)));
    }
    if resume {
        Journal::can_resume(&path, head)?;
        return Ok(Some((path, Way::GoOn)));
    }
    // What was killed before its first job ended left nothing to go on with.
    let jobs = match Journal::read(&path)? {
        Some(journal) => journal.jobs(),
        None if is_begun(&path, head)? => 0,
        None => {
            let path = path.display();
            return Err(Failure::usage(anyhow!("{path} is in the place of this run's journal: name another --record")));
        }
    };
    if jobs > 0 {
        let (jobs, path) = (counted(jobs, "job"), path.display());
        return Err(Failure::usage(anyhow!(
            "{path} has {jobs} of a run that did not end: go on with it by --resume, or remove the file"
        )));
    }
    Ok(Some((path, Way::BeginAnew)))
}

/// Refuses a journal with which a run could not begin or go on. Of several runs all are looked at before the first.
pub(super) fn check(head: &Head, record: Option<&Path>, resume: bool) -> Result<(), Failure> {
    examined(head, record, resume).map(drop)
}

/// The journal of a run whose record goes to this file, if it goes to one.
pub(super) fn open(head: Head, record: Option<&Path>, resume: bool, console: Console) -> Result<Journal, Failure> {
    let Some((path, way)) = examined(&head, record, resume)? else { return Ok(Journal::none(head)) };
    Ok(match way {
        Way::Begin => {
            if resume {
                let path = path.display();
                console.say(&format!("abench: no journal at {path}: this run starts from the beginning"));
            }
            Journal::begin(&path, head)?
        }
        Way::GoOn => Journal::resume(&path, head)?,
        Way::BeginAnew => {
            // Whoever writes to it has it locked, and is found out here.
            Journal::resume(&path, Journal::read(&path)?.map_or(head.clone(), |journal| journal.head))?.remove()?;
            Journal::begin(&path, head)?
        }
    })
}

/// Ends a journal: it is removed if the run is whole or it has kept nothing; otherwise the user is told how to go on.
pub(super) fn close(journal: Journal, is_whole: bool, console: Console) -> Result<(), Failure> {
    let kept = journal.jobs();
    if is_whole || kept == 0 {
        return Ok(journal.remove()?);
    }
    if let Some(path) = journal.path() {
        let jobs = counted(kept, "ended job");
        console.say(&format!("abench: {jobs} kept in {}; --resume goes on from there", path.display()));
    }
    Ok(())
}

/// Runs one shard of what has jobs, and gives the exit code: 0 where all its jobs ended, whatever they came to.
pub(super) fn run_shard(
    head: Head,
    (record, resume): (Option<&Path>, bool),
    console: Console,
    work: impl FnOnce(&Journal) -> Result<(), Failure>,
) -> Result<u8, Failure> {
    let shard = head.shard.expect("a shard is asked for");
    let Some(path) = record.filter(|path| *path != Path::new("-")) else {
        return Err(Failure::usage(anyhow!("--shard keeps what its jobs come to in a file: name one with --record")));
    };
    let named = path.display();
    if path.exists() && !path.is_file() {
        return Err(Failure::usage(anyhow!(
            "{named} is no regular file, and --shard keeps what its jobs come to in one"
        )));
    }
    let journal = match (path.exists(), resume) {
        (false, _) => {
            if resume {
                console.say(&format!("abench: no journal at {named}: this shard starts from the beginning"));
            }
            Journal::begin(path, head)?
        }
        (true, true) => Journal::resume(path, head)?,
        (true, false) => {
            return Err(Failure::usage(anyhow!("{named} is there: go on with it by --resume, or name another file")));
        }
    };
    if journal.has(END) {
        console.say(&format!("abench: shard {shard} has run all its jobs: {named}"));
        return Ok(exit::HOLDS);
    }
    match work(&journal).and_then(|()| Ok(journal.keep(END, &())?)) {
        Ok(()) => {
            console
                .say(&format!("abench: shard {shard} has run all its jobs: {named}; abench merge gives the verdict"));
            Ok(exit::HOLDS)
        }
        Err(Failure { exit: exit::INTERRUPTED, .. }) => {
            console.say(&format!("abench: shard {shard} was stopped: --resume goes on with {named}"));
            Ok(exit::INTERRUPTED)
        }
        Err(failure) => {
            close(journal, false, console)?;
            Err(failure)
        }
    }
}

/// Runs one shard of a plan, and gives the exit code.
pub(super) fn run_shard_of(plan: &Plan, shard: Shard, options: &RunOptions, stop: &StopRequest) -> Result<u8, Failure> {
    let (head, console) = (campaign::head(plan, Some(shard)), Console::new(options.terminal.color));
    run_shard(head, (options.record.as_deref(), options.resume), console, |journal| {
        let mut subjects = open_subjects(plan, options.waveforms.as_deref())?;
        let mut watch = ProgressWatch::new(console, options.terminal.progress, stop.clone());
        Ok(campaign::run_shard(plan, journal, &mut subjects, &mut watch)?)
    })
}
