//! The journal of a run: the outcome of every job that ended, a line of JSON each, so that a run that was killed goes on
//! where it was, and so that the shards of a run can be put together.
//!
//! The first line says what was asked for. Each line ends with its CRC-32: a line that was cut off is left out, one that was
//! altered is refused. Knows: lines and files, and that a time is no part of what an outcome says. Must not: know what an
//! outcome is.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::json;
use crate::domain::seed::Seed;
use crate::report::file::within_limit;
use crate::report::inert::inert_start;
use crate::report::input;
use crate::report::record::Asked;

/// What the first line of every journal says it is.
pub const FORMAT: &str = "abench-journal";

/// The version of the format that this abench writes and reads.
pub const VERSION: u32 = 2;

/// One of the parts that a run is split into: part `number` of `of`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which part.
    pub number: NonZeroU32,
    /// How many parts there are.
    pub of: NonZeroU32,
}

/// The most parts that a run is split into.
const MOST_SHARDS: u32 = 100_000;

/// A text that is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a shard; allowed is K/N, such as 2/4: part 2 of 4, with K from 1 to N, and N up to {MOST_SHARDS}"
)]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let parts = text.split_once('/').and_then(|(part, of)| Some((number(part)?, number(of)?)));
        let possible = |shard: &Shard| shard.number <= shard.of && shard.of.get() <= MOST_SHARDS;
        let shard = parts.map(|(number, of)| Shard { number, of }).filter(possible);
        shard.ok_or_else(|| ShardError(text.to_owned()))
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// What a journal keeps the jobs of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// A run.
    Run(Box<Asked>),
    /// A qualification.
    Qualification(Box<Qualified>),
}

/// What is qualified, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Qualified {
    /// The scenarios, of which each names no backend.
    pub scenarios: Vec<Asked>,
    /// The device that takes the faults, where one does.
    pub backend: Option<String>,
    /// How many are planted, and what they are drawn from, where not all are.
    pub sample: Option<(usize, Seed)>,
    /// Whether a mutant is tried no more once a world and a walk have killed it.
    pub until_killed: bool,
}

/// The first line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The version of abench that made it.
    pub abench: String,
    /// What was asked for.
    pub asked: Work,
    /// Which part of the run it is of, where the run is split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

impl Head {
    /// Of a run that was asked for.
    pub fn of(asked: Asked, shard: Option<Shard>) -> Self {
        Head::of_work(Work::Run(Box::new(asked)), shard)
    }

    /// Of anything that has jobs.
    pub fn of_work(asked: Work, shard: Option<Shard>) -> Self {
        // Another build may come to other outcomes. The first line is part of no record.
        let (format, abench) = (FORMAT.to_owned(), env!("ABENCH_VERSION").to_owned());
        Head { format, version: VERSION, abench, asked, shard }
    }
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("the journal {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no journal.
    #[error("{}: not a journal of abench: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A line is not as it was written.
    #[error("{}, line {line}: altered since it was written; remove the file, and run again", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// Which line.
        line: usize,
    },
    /// Another run writes to it.
    #[error("{}: another run writes to this journal: wait for it, or name another --record", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// It is of another run.
    #[error("{}: the journal of another run: {what} differs; remove the file, or name another --record", path.display())]
    Another {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
}

/// A line of a journal after the first.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    job: String,
    #[serde(borrow)]
    outcome: &'a RawValue,
}

/// The outcomes of a run's jobs, by the jobs' ids.
#[derive(Debug)]
pub struct Journal {
    /// The first line.
    pub head: Head,
    kept: BTreeMap<String, Box<RawValue>>,
    file: Option<Mutex<Kept>>,
    /// Jobs that ended since it was opened.
    since: AtomicUsize,
}

/// The file of a journal that is written.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    /// Locked: another run cannot write to it.
    file: File,
    /// Bytes of its whole lines.
    length: u64,
    /// Whether a line could not be written. Then no other line is, which would stand behind a part of one.
    is_broken: bool,
}

impl Kept {
    /// Takes the file for this run alone.
    fn of(path: &Path, file: File, length: u64) -> Result<Mutex<Kept>, JournalError> {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Mutex::new(Kept { path: path.to_owned(), file, length, is_broken: false })),
            Err(Errno::WOULDBLOCK) => Err(JournalError::Taken { path: path.to_owned() }),
            Err(error) => Err(JournalError::File { path: path.to_owned(), error: error.into() }),
        }
    }

    /// Adds a line, which is on disk when this returns. Of a line that cannot be written nothing stays.
    fn add(&mut self, line: &str) -> Result<(), JournalError> {
        let failed = |error| JournalError::File { path: self.path.clone(), error };
        if self.is_broken {
            return Err(failed(io::Error::other("an earlier line could not be written")));
        }
        let fits = within_limit(self.length.saturating_add(line.len() as u64));
        match fits.and_then(|()| self.file.write_all(line.as_bytes())).and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.length += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.is_broken = true;
                // Where not even this is possible, the part of a line is left out when the journal is read.
                let _ = self.file.set_len(self.length);
                Err(failed(error))
            }
        }
    }
}

/// A process that another thread starts holds every open file until it runs its own program. Closing the file would leave
/// the lock with that process for so long.
impl Drop for Kept {
    fn drop(&mut self) {
        // Where this is refused, the lock goes with the last that holds the file.
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

impl Journal {
    /// A journal without a file, which keeps nothing: that of a run that is not resumed.
    pub fn none(head: Head) -> Self {
        Journal { head, kept: BTreeMap::new(), file: None, since: AtomicUsize::new(0) }
    }

    /// Begins the journal of a run, in a file that is not there yet.
    ///
    /// # Errors
    /// If the file is there or cannot be written.
    pub fn begin(path: &Path, head: Head) -> Result<Self, JournalError> {
        let failed = |error| JournalError::File { path: path.to_owned(), error };
        let file = OpenOptions::new().create_new(true).append(true).open(path).map_err(failed)?;
        let file = Kept::of(path, file, 0)?;
        let begun = file.lock().unwrap_or_else(PoisonError::into_inner).add(&sealed(&head));
        if begun.is_err() {
            // Nothing was kept in it. The reason is told by what failed first.
            let _ = fs::remove_file(path);
        }
        begun?;
        Ok(Journal { head, kept: BTreeMap::new(), file: Some(file), since: AtomicUsize::new(0) })
    }

    /// Goes on with a journal. A last line that was cut off is taken out of the file.
    ///
    /// # Errors
    /// If it cannot be read, was altered, or is of another run.
    pub fn resume(path: &Path, head: Head) -> Result<Self, JournalError> {
        let failed = |error| JournalError::File { path: path.to_owned(), error };
        let Some((read, bytes)) = usable(path, &head)? else {
            fs::remove_file(path).map_err(failed)?;
            return Journal::begin(path, head);
        };
        let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        let kept = Kept::of(path, file, bytes)?;
        kept.lock().unwrap_or_else(PoisonError::into_inner).file.set_len(bytes).map_err(failed)?;
        Ok(Journal { file: Some(kept), ..read })
    }

    /// Whether a run can go on with a journal, which stays as it is.
    ///
    /// # Errors
    /// As for [`Journal::resume`].
    pub fn can_resume(path: &Path, head: &Head) -> Result<(), JournalError> {
        usable(path, head).map(drop)
    }

    /// Reads a journal; nothing where not even its first line is whole.
    ///
    /// # Errors
    /// If it cannot be read, or was altered.
    pub fn read(path: &Path) -> Result<Option<Self>, JournalError> {
        Ok(read(path)?.map(|(journal, _)| journal))
    }

    /// Takes in the outcomes of another journal. Where both have a job, the first is kept.
    ///
    /// # Errors
    /// The job of which the two have different outcomes, times apart.
    pub fn take(&mut self, other: Journal) -> Result<(), String> {
        for (job, outcome) in other.kept {
            match self.kept.entry(job) {
                Entry::Vacant(free) => drop(free.insert(outcome)),
                Entry::Occupied(known) if says(known.get()) == says(&outcome) => {}
                Entry::Occupied(known) => return Err(known.key().clone()),
            }
        }
        Ok(())
    }

    /// Whether this job has ended.
    pub fn has(&self, job: &str) -> bool {
        self.kept.contains_key(job)
    }

    /// Its file, if it has one.
    pub fn path(&self) -> Option<PathBuf> {
        self.file.as_ref().map(|file| file.lock().unwrap_or_else(PoisonError::into_inner).path.clone())
    }

    /// How many jobs it has, those that ended since it was opened included.
    pub fn jobs(&self) -> usize {
        self.kept.len() + self.since.load(Ordering::Relaxed)
    }

    /// The outcome of a job, where the job has ended.
    pub fn outcome<T: DeserializeOwned>(&self, job: &str) -> Option<Result<T, serde_json::Error>> {
        self.kept.get(job).map(|outcome| json::from_text(outcome.get()))
    }

    /// Keeps the outcome of a job: it is on disk when this returns.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keep<T: Serialize>(&self, job: &str, outcome: &T) -> Result<(), JournalError> {
        let Some(file) = &self.file else { return Ok(()) };
        let outcome = json::to_raw(outcome).expect("an outcome is plain data");
        let line = sealed(&Line { job: job.to_owned(), outcome: &outcome });
        file.lock().unwrap_or_else(PoisonError::into_inner).add(&line)?;
        self.since.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Removes the file: its run has its record.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(self) -> Result<(), JournalError> {
        let Some(file) = self.file else { return Ok(()) };
        let path = file.lock().unwrap_or_else(PoisonError::into_inner).path.clone();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(JournalError::File { path, error }),
            _ => Ok(()),
        }
    }
}

/// What differs between two runs, if anything does.
pub fn difference(one: &Head, other: &Head) -> Option<&'static str> {
    let first = |differs: &[(&'static str, bool)]| differs.iter().find(|(_, differs)| *differs).map(|(what, _)| *what);
    let asked = || match (&one.asked, &other.asked) {
        (Work::Run(one), Work::Run(other)) => first(&[
            ("the scenario", one.trial != other.trial || one.scenario != other.scenario),
            ("what is expected", one.expect != other.expect),
            ("the backends", one.backends != other.backends),
            ("the planted faults", one.faults != other.faults),
        ]),
        (Work::Qualification(one), Work::Qualification(other)) => first(&[
            ("the list of scenarios", one.scenarios != other.scenarios),
            ("the backend", one.backend != other.backend),
            ("the sample", one.sample != other.sample),
            ("--until-killed", one.until_killed != other.until_killed),
        ]),
        _ => Some("the verb"),
    };
    let version = first(&[("the version of abench", one.abench != other.abench)]);
    version.or_else(asked).or_else(|| first(&[("the shard", one.shard != other.shard)]))
}

/// What an outcome says, its times left out. A time is a `Duration`: an object of seconds and nanoseconds, and nothing else.
fn says(outcome: &RawValue) -> Option<Value> {
    fn timeless(value: &mut Value) {
        match value {
            Value::Object(fields)
                if fields.len() == 2 && fields.contains_key("secs") && fields.contains_key("nanos") =>
            {
                *value = Value::Null;
            }
            Value::Object(fields) => fields.values_mut().for_each(timeless),
            Value::Array(values) => values.iter_mut().for_each(timeless),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(outcome.get()).ok()?;
    timeless(&mut value);
    Some(value)
}

/// Whether a text is that of a journal, by how it begins.
pub fn is_one(text: &str) -> bool {
    text.starts_with(&format!("{{\"format\":\"{FORMAT}\""))
}

/// A line with its checksum.
fn sealed(line: &impl Serialize) -> String {
    let text = json::to_line(line).expect("a line is plain data");
    format!("{text}\t{:08x}\n", crc32fast::hash(text.as_bytes()))
}

/// The text of a line that is as it was written.
fn opened(line: &str) -> Option<&str> {
    let (text, checksum) = line.rsplit_once('\t')?;
    (u32::from_str_radix(checksum, 16) == Ok(crc32fast::hash(text.as_bytes()))).then_some(text)
}

impl JournalError {
    fn foreign(path: &Path, reason: &str) -> Self {
        JournalError::Foreign { path: path.to_owned(), reason: inert_start(reason, QUOTED) }
    }
}

/// Characters of a reason that a message quotes at most.
const QUOTED: usize = 300;

/// The longest journal that is read.
const MOST_BYTES: u64 = 1 << 32;

/// Whether a file is what a kill leaves of the first line of this journal, if it comes before that line is whole: nothing, or
/// a beginning of it.
pub fn is_begun(path: &Path, head: &Head) -> Result<bool, JournalError> {
    let bytes = bytes(path)?;
    Ok(sealed(head).as_bytes().starts_with(&bytes))
}

/// The journal of this run, and the bytes of its whole lines; nothing where not even its first line was written whole.
fn usable(path: &Path, head: &Head) -> Result<Option<(Journal, u64)>, JournalError> {
    let Some((read, bytes)) = read(path)? else {
        let foreign = || JournalError::foreign(path, "its first line is none of a journal");
        return if is_begun(path, head)? { Ok(None) } else { Err(foreign()) };
    };
    match difference(&read.head, head) {
        Some(what) => Err(JournalError::Another { path: path.to_owned(), what }),
        None => Ok(Some((read, bytes))),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, JournalError> {
    let text = input::bytes(path, MOST_BYTES);
    text.map_err(|error| JournalError::File { path: path.to_owned(), error })
}

/// What a first line says that it is.
#[derive(Deserialize)]
struct Format {
    format: String,
    version: u32,
}

/// A journal and the bytes of its whole lines; nothing where not even the first is whole.
fn read(path: &Path) -> Result<Option<(Journal, u64)>, JournalError> {
    let bytes = bytes(path)?;
    let foreign = |reason: &str| JournalError::foreign(path, reason);
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let text = std::str::from_utf8(&bytes[..whole]).map_err(|error| foreign(&error.to_string()))?;
    let mut lines = text.lines().enumerate();
    let Some((_, first)) = lines.next() else { return Ok(None) };
    let first = opened(first).ok_or_else(|| foreign("its first line has no checksum"))?;
    let Format { format, version } = serde_json::from_str(first).map_err(|error| foreign(&error.to_string()))?;
    if format != FORMAT {
        return Err(foreign(&format!("its format is {format}")));
    }
    if version != VERSION {
        return Err(foreign(&format!("it is of version {version}, and this abench reads version {VERSION}")));
    }
    let head: Head = json::from_text(first).map_err(|error| foreign(&error.to_string()))?;
    let mut kept = BTreeMap::new();
    for (number, line) in lines {
        let altered = || JournalError::Altered { path: path.to_owned(), line: number + 1 };
        let text = opened(line).ok_or_else(altered)?;
        let Line { job, outcome } = serde_json::from_str(text).map_err(|_| altered())?;
        kept.insert(job, outcome.to_owned());
    }
    Ok(Some((Journal { head, kept, file: None, since: AtomicUsize::new(0) }, whole as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;
    use crate::domain::trial::{TickTrial, Trial};

    fn head(seed: u64) -> Head {
        Head::of(Asked::of(Trial::Tick(TickTrial { seed: Seed::new(seed) })), None)
    }

    /// The path of a journal of three jobs.
    fn written(folder: &Path) -> PathBuf {
        let path = folder.join("run.journal");
        let journal = Journal::begin(&path, head(1)).expect("the folder takes it");
        ["a", "b", "c"].iter().enumerate().for_each(|(n, job)| journal.keep(job, &vec![n; 40]).expect("it is kept"));
        path
    }

    #[test]
    fn a_journal_that_is_cut_at_any_byte_keeps_every_job_whose_line_was_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = written(folder.path());
        let bytes = fs::read(&path).expect("it is there");
        for length in 0..=bytes.len() {
            fs::write(&path, &bytes[..length]).expect("it is written");
            let journal = Journal::resume(&path, head(1)).expect("a cut is no damage");
            let lines = bytes[..length].iter().filter(|&&byte| byte == b'\n').count();
            assert_eq!(journal.jobs(), lines.saturating_sub(1), "{length} bytes");
            // What is kept now stands after the last whole line.
            journal.keep("d", &7).expect("it is kept");
            drop(journal);
            let again = Journal::resume(&path, head(1)).expect("it is whole");
            assert_eq!(again.outcome::<u32>("d").expect("it was kept").expect("a number"), 7, "{length} bytes");
            assert_eq!(again.jobs(), lines.saturating_sub(1) + 1);
        }
    }

    #[test]
    fn an_altered_line_and_the_journal_of_another_run_are_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = written(folder.path());
        let other = Journal::resume(&path, head(2)).expect_err("another run").to_string();
        assert!(other.contains("the scenario differs"), "{other}");
        let text = fs::read_to_string(&path).expect("it is there").replacen("\"b\"", "\"x\"", 1);
        fs::write(&path, text).expect("it is written");
        let altered = Journal::resume(&path, head(1)).expect_err("altered").to_string();
        assert!(altered.contains("line 3: altered"), "{altered}");
        fs::write(&path, "{}\n").expect("it is written");
        assert!(matches!(Journal::read(&path), Err(JournalError::Foreign { .. })));
    }

    #[test]
    fn a_file_that_is_no_journal_stays_as_it_is_and_a_journal_is_of_one_run_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let notes = folder.path().join("notes");
        for text in ["notes without a line's end", "notes\n"] {
            fs::write(&notes, text).expect("it is written");
            assert!(matches!(Journal::resume(&notes, head(1)), Err(JournalError::Foreign { .. })), "{text}");
            assert_eq!(fs::read_to_string(&notes).expect("it is there"), text);
        }
        let path = folder.path().join("run.journal");
        let first = Journal::begin(&path, head(1)).expect("the folder takes it");
        assert!(matches!(Journal::resume(&path, head(1)), Err(JournalError::Taken { .. })));
        // As a process holds it that is being started meanwhile.
        let held = first.file.as_ref().map(|kept| kept.lock().expect("whole").file.try_clone().expect("it is open"));
        drop(first);
        Journal::resume(&path, head(1)).expect("nobody has it").remove().expect("it is there");
        drop(held);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn of_a_line_that_cannot_be_written_nothing_stays_and_no_other_line_follows() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = written(folder.path());
        let length = fs::metadata(&path).expect("it is there").len();
        let full = File::options().append(true).open("/dev/full").expect("Linux has it");
        let mut kept = Kept { path: path.clone(), file: full, length, is_broken: false };
        assert!(kept.add("a line\n").is_err());
        kept.file = File::options().append(true).open(&path).expect("it is there");
        let said = kept.add("another line\n").expect_err("the first is missing").to_string();
        assert!(said.contains("an earlier line could not be written"), "{said}");
        assert_eq!(fs::metadata(&path).expect("it is there").len(), length);
    }

    #[test]
    fn a_shard_is_a_part_of_so_many() {
        assert_eq!("2/4".parse::<Shard>().expect("a shard").to_string(), "2/4");
        for text in ["", "0/4", "5/4", "1", "1/0", "-1/4", "+1/4", "1/4/2", "a/b", "1/4000000000"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
