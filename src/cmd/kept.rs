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
use crate::domain::subject::SubjectError;
use crate::domain::verdict::exit;
use crate::report::journal::{Journal, JournalError, Shard, is_begun};

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

/// The journal of a run whose record goes to this file, if it goes to one.
pub(super) fn open(plan: &Plan, record: Option<&Path>, resume: bool) -> Result<Journal, Failure> {
    let head = campaign::head(plan, None);
    let is_file = |path: &&Path| *path != Path::new("-") && (path.is_file() || !path.exists());
    let Some(record) = record.filter(is_file) else {
        let advice = "--resume goes on with the journal beside a record: name the file of that record with --record";
        return if resume { Err(Failure::usage(anyhow!(advice))) } else { Ok(Journal::none(head)) };
    };
    let path = beside(record);
    if resume || !path.exists() {
        return Ok(if path.exists() { Journal::resume(&path, head)? } else { Journal::begin(&path, head)? });
    }
    // What was killed before its first job ended left nothing to go on with.
    let jobs = match Journal::read(&path)? {
        Some(journal) => journal.jobs(),
        None if is_begun(&path, &head)? => 0,
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
    // Whoever writes to it has it locked, and is found out here.
    Journal::resume(&path, Journal::read(&path)?.map_or(head.clone(), |journal| journal.head))?.remove()?;
    Ok(Journal::begin(&path, head)?)
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

/// Runs one shard of a plan, and gives the exit code: 0 where all its jobs ended, whatever they came to.
pub(super) fn run_shard(plan: &Plan, shard: Shard, options: &RunOptions, stop: &StopRequest) -> Result<u8, Failure> {
    let console = Console::new(options.terminal.color);
    let record = options.record.as_deref().filter(|path| *path != Path::new("-"));
    let Some(path) = record else {
        return Err(Failure::usage(anyhow!("--shard keeps what its jobs come to in a file: name one with --record")));
    };
    let head = campaign::head(plan, Some(shard));
    let journal = match (path.exists(), options.resume) {
        (false, _) => Journal::begin(path, head)?,
        (true, true) => Journal::resume(path, head)?,
        (true, false) => {
            let path = path.display();
            return Err(Failure::usage(anyhow!("{path} is there: go on with it by --resume, or name another file")));
        }
    };
    if journal.has(END) {
        console.say(&format!("abench: shard {shard} has run all its jobs: {}", path.display()));
        return Ok(exit::HOLDS);
    }
    let mut subjects = open_subjects(plan, options.waveforms.as_deref())?;
    let mut watch = ProgressWatch::new(console, options.terminal.progress, stop.clone());
    match campaign::run_shard(plan, &journal, &mut subjects, &mut watch) {
        Ok(()) => {
            journal.keep(END, &())?;
            let path = path.display();
            console.say(&format!("abench: shard {shard} has run all its jobs: {path}; abench merge gives the verdict"));
            Ok(exit::HOLDS)
        }
        Err(SubjectError::Interrupted) => {
            console.say(&format!("abench: shard {shard} was stopped: --resume goes on with {}", path.display()));
            Ok(exit::INTERRUPTED)
        }
        Err(error) => Err(error.into()),
    }
}
