//! One process that speaks the engine protocol: a line to it, a line from it, each within a deadline.
//!
//! Whatever the process does (it ends, it floods, it answers out of turn, it says nothing), a question comes back with an
//! error in bounded time and memory. Knows: pipes and lines. Must not: know what an answer does to a node.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::process::{ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::Signal;

use crate::engine::port::EngineError;
use crate::engine::process::folder::Folder;
use crate::engine::process::protocol::{Answer, Input, LONGEST_LINE, Misread, Request};
use crate::engine::process::watched::{Ended, Watched};
use crate::engine::process::words::Words;

/// How long a process may take for its first answer, and for the answer to `start`: languages load their libraries then.
pub const FIRST_ANSWER: Duration = Duration::from_secs(60);

/// How long a process may take for any other answer.
pub const ANSWER: Duration = Duration::from_secs(10);

/// How long nobody asks, while a process is waited for, whether the user wants to stop.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(20);

/// Whether the user has asked to stop.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on nothing waits for a process: the user has asked to stop.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// How the error begins that says that no answer came in time.
pub const NO_ANSWER: &str = "it did not answer";

/// How often a process that may not be idle is looked at while its answer is awaited.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// The processor time below which a process was idle, in hundredths of a second.
const IDLE_BELOW: u64 = 20;

/// Bytes of standard error that are kept: the last ones.
const KEPT_OF_STDERR: usize = 2048;

/// How often standard error is read before the answer is.
const MOST_READS_OF_STDERR: u32 = 64;

/// A running process.
#[derive(Debug)]
pub struct Child {
    watched: Watched,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    /// What it wrote and was not read as a line yet.
    pending: Vec<u8>,
    /// Lines for it that its pipe had no room for yet.
    unsent: VecDeque<u8>,
    /// The last that it wrote to standard error.
    said: VecDeque<u8>,
    next: u64,
    /// How long it may be idle while its answer is awaited, where that is less than it may take.
    most_idle: Option<Duration>,
}

/// Why a question has no answer.
enum Silence {
    /// It ended.
    Ended,
    /// Its line is too long.
    Flood,
    /// It said nothing in time.
    Late,
    /// The user asked to stop.
    Interrupted,
    /// It said nothing, and did nothing for as long.
    Idle(Duration),
    /// The pipe failed.
    Pipe(io::Error),
}

impl Child {
    /// Starts a process in a folder.
    ///
    /// # Errors
    /// If there is no such command.
    pub fn start(words: &Words, folder: &Folder) -> Result<Self, EngineError> {
        let unavailable = |error: io::Error| EngineError::Unavailable(format!("cannot start {words}: {error}"));
        let (watched, pipes) = Watched::start(words, folder).map_err(unavailable)?;
        let (stdin, stdout, stderr) = pipes;
        let quick = ioctl_fionbio(&stdin, true)
            .and_then(|()| ioctl_fionbio(&stdout, true))
            .and_then(|()| ioctl_fionbio(&stderr, true));
        quick.map_err(|error| unavailable(error.into()))?;
        let (pending, said, unsent) = (Vec::new(), VecDeque::new(), VecDeque::new());
        let stderr = Some(stderr);
        Ok(Child { watched, stdin, stdout, stderr, pending, unsent, said, next: 0, most_idle: None })
    }

    /// From now on a process that owes an answer and uses no processor time for so long has not answered in time.
    pub fn may_be_idle_for(&mut self, most: Option<Duration>) {
        self.most_idle = most;
    }

    /// What the process answers.
    ///
    /// # Errors
    /// If it does not answer in time, or answers what is no answer to this.
    pub fn ask(&mut self, (now, wall): (u64, i64), input: Input<'_>, within: Duration) -> Result<Answer, EngineError> {
        let what = name(&input);
        let n = self.next;
        self.next += 1;
        let mut line = serde_json::to_vec(&Request { n, now, wall, input }).expect("a request is plain data");
        line.push(b'\n');
        self.read_what_is_there().map_err(|silence| self.failed(what, &silence, within))?;
        if !self.pending.is_empty() {
            return Err(failed(format!("it wrote before it was asked: {}", self.beginning(&self.pending))));
        }
        let line = self.exchange(&line, within).map_err(|silence| self.failed(what, &silence, within))?;
        Answer::read(&line, n).map_err(|misread| match misread {
            Misread::NoAnswer(error) => {
                failed(format!("its answer to '{what}' is not one: {error}; it wrote {}", self.beginning(&line)))
            }
            Misread::OfAnother { answered, asked } => {
                failed(format!("it answered request {answered} when request {asked} ('{what}') was asked"))
            }
        })
    }

    /// Hands it a line; an answer may come, or not.
    ///
    /// # Errors
    /// If it does not read what it is handed.
    pub fn hand(&mut self, line: &[u8]) -> Result<(), EngineError> {
        if self.unsent.len() + line.len() >= LONGEST_LINE {
            return Err(failed(format!("it does not read its standard input: {} MiB wait for it", LONGEST_LINE >> 20)));
        }
        self.unsent.extend(line);
        self.unsent.push_back(b'\n');
        self.flush()
    }

    /// The next line that it wrote by itself, if there is one. `what` is what it is to answer.
    ///
    /// # Errors
    /// If it ended, or writes without end.
    pub fn next_line(&mut self, what: &str) -> Result<Option<Vec<u8>>, EngineError> {
        self.flush()?;
        let mut end = self.pending.iter().position(|&byte| byte == b'\n');
        if end.is_none() {
            self.read_what_is_there().map_err(|silence| self.failed(what, &silence, ANSWER))?;
            end = self.pending.iter().position(|&byte| byte == b'\n');
        }
        Ok(end.map(|end| {
            let mut line: Vec<u8> = self.pending.drain(..=end).collect();
            line.pop();
            line
        }))
    }

    /// Waits until there is something to read, for so long at most; it may wait less.
    ///
    /// # Errors
    /// [`EngineError::Interrupted`] if the user has asked to stop.
    pub fn wait_for_line(&self, most: Duration) -> Result<(), EngineError> {
        match self.wait(!self.unsent.is_empty(), most) {
            Err(Silence::Interrupted) => Err(EngineError::Interrupted),
            // What fails here fails when the line is read.
            _ => Ok(()),
        }
    }

    /// Writes what its pipe has room for.
    fn flush(&mut self) -> Result<(), EngineError> {
        while !self.unsent.is_empty() {
            let front = self.unsent.as_slices().0;
            match self.stdin.write(front) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if is_later(&error) => break,
                // It may have said why before it ended.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.unsent.clear(),
                Err(error) => return Err(failed(format!("its pipe failed: {error}"))),
            }
        }
        Ok(())
    }

    /// Ends it, with all processes that it started.
    pub fn end(&mut self) {
        self.watched.end();
    }

    /// Writes a line, and reads one.
    fn exchange(&mut self, line: &[u8], within: Duration) -> Result<Vec<u8>, Silence> {
        let (deadline, mut left) = (Instant::now() + within, line);
        let mut worked = (Instant::now(), None);
        loop {
            if let Some(end) = self.pending.iter().position(|&byte| byte == b'\n') {
                let rest = self.pending.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.pending, rest);
                line.pop();
                return Ok(line);
            }
            if !left.is_empty() {
                match self.stdin.write(left) {
                    Ok(written) => left = &left[written..],
                    Err(error) if is_later(&error) => {}
                    // It may have said why before it ended.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => left = &[],
                    Err(error) => return Err(Silence::Pipe(error)),
                }
            }
            let wait = deadline.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Err(Silence::Late);
            }
            let Some(most_idle) = self.most_idle.filter(|&idle| idle < within) else {
                self.wait(!left.is_empty(), wait)?;
                self.read_what_is_there()?;
                continue;
            };
            self.wait(!left.is_empty(), wait.min(LOOKED_AT_EVERY))?;
            self.read_what_is_there()?;
            if Instant::now() < worked.0 + LOOKED_AT_EVERY {
                continue;
            }
            let (used, is_running) = self.watched.processor_time();
            if is_running || worked.1.is_none_or(|before| used > before + IDLE_BELOW) {
                worked = (Instant::now(), Some(used));
            } else if worked.0.elapsed() >= most_idle {
                return Err(Silence::Idle(most_idle));
            }
        }
    }

    /// Waits until there is something to read, or room to write, or it is time to ask again whether to go on.
    fn wait(&self, to_write: bool, most: Duration) -> Result<(), Silence> {
        if INTERRUPTED.load(Ordering::Relaxed) {
            return Err(Silence::Interrupted);
        }
        let most = most.min(BETWEEN_QUESTIONS);
        let mut fds = vec![PollFd::new(&self.stdout, PollFlags::IN)];
        fds.extend(self.stderr.as_ref().map(|stderr| PollFd::new(stderr, PollFlags::IN)));
        if to_write {
            fds.push(PollFd::new(&self.stdin, PollFlags::OUT));
        }
        let timeout = Timespec { tv_sec: most.as_secs() as i64, tv_nsec: most.subsec_nanos().into() };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(Silence::Pipe(error.into())),
        }
    }

    /// Takes what the process has written so far.
    fn read_what_is_there(&mut self) -> Result<(), Silence> {
        let mut buffer = [0; 16 << 10];
        // A process that writes faster than this reads must not keep its answer from being read.
        for _ in 0..MOST_READS_OF_STDERR {
            let Some(stderr) = &mut self.stderr else { break };
            match stderr.read(&mut buffer) {
                Ok(0) => self.stderr = None,
                Ok(read) => {
                    self.said.extend(&buffer[..read]);
                    let over = self.said.len().saturating_sub(KEPT_OF_STDERR);
                    self.said.drain(..over);
                }
                Err(_) => break,
            }
        }
        loop {
            match self.stdout.read(&mut buffer) {
                Ok(0) if self.pending.contains(&b'\n') => return Ok(()),
                Ok(0) => return Err(Silence::Ended),
                Ok(read) => self.pending.extend(&buffer[..read]),
                Err(error) if is_later(&error) => return Ok(()),
                Err(error) => return Err(Silence::Pipe(error)),
            }
            if self.pending.len() > LONGEST_LINE {
                return Err(Silence::Flood);
            }
        }
    }

    fn failed(&mut self, what: &str, silence: &Silence, within: Duration) -> EngineError {
        let why = match silence {
            Silence::Ended => match self.watched.ended() {
                Ended::OverLimit(why) => why,
                Ended::By(status) => format!("it ended ({}) when it was to answer '{what}'", told(status)),
                Ended::Not => format!("it closed its standard output when it was to answer '{what}'"),
            },
            Silence::Interrupted => return EngineError::Interrupted,
            Silence::Flood => format!("its answer to '{what}' is longer than {} MiB", LONGEST_LINE >> 20),
            Silence::Late => self.told_late(format!("{NO_ANSWER} '{what}' within {} s", within.as_secs())),
            Silence::Idle(idle) => self.told_late(format!(
                "{NO_ANSWER} '{what}' within {} s, in which none of its processes did anything",
                idle.as_secs()
            )),
            Silence::Pipe(error) => format!("its pipe failed at '{what}': {error}"),
        };
        // What it wrote before it ended can still be on its way through the pipe.
        let _ = self.read_what_is_there();
        let has_no_end = !self.pending.is_empty() && !matches!(silence, Silence::Flood | Silence::Pipe(_));
        let why = if has_no_end && !self.pending.contains(&b'\n') {
            format!("{why}; it wrote a line without a newline at its end: {}", self.beginning(&self.pending))
        } else {
            why
        };
        let said: Vec<u8> = self.said.iter().copied().collect();
        let said = String::from_utf8_lossy(&said);
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = said[said.len().saturating_sub(3)..].join(" | ");
        failed(if last.is_empty() { why } else { format!("{why}; it wrote to standard error: {}", shown(&last)) })
    }

    /// That no answer came, and why none can come: its first process can have ended, while its output is held open.
    fn told_late(&mut self, late: String) -> String {
        let Some(status) = self.watched.status() else { return late };
        let holds = self.watched.holders(&self.stdout);
        let holds = match holds.first() {
            Some(holder) => format!("{holder}, which it started, still holds its standard output"),
            None => "something that it started still holds its standard output".to_owned(),
        };
        format!("{late}: its first process ended ({}), and {holds}", told(status))
    }

    fn beginning(&self, bytes: &[u8]) -> String {
        shown(&String::from_utf8_lossy(&bytes[..bytes.len().min(200)]))
    }
}

impl Child {
    /// Lets nothing of it go on until [`Child::resume`].
    pub fn pause(&self) {
        self.watched.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.watched.signal(Signal::CONT);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

fn failed(why: String) -> EngineError {
    EngineError::Failed(why)
}

fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Text of a process, without what a terminal would obey.
pub fn shown(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(400).collect();
    format!("'{plain}'")
}

fn told(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "it is not known how".to_owned(),
    }
}

fn name(input: &Input<'_>) -> &'static str {
    match input {
        Input::Hello { .. } => "hello",
        Input::Create { .. } => "create",
        Input::Start(_) => "start",
        Input::Edit(_) => "edit",
        Input::Connected { .. } => "connected",
        Input::Disconnected { .. } => "disconnected",
        Input::Message { .. } => "message",
        Input::Refused { .. } => "refused",
        Input::SignedIn {} => "signed_in",
        Input::Wake {} => "wake",
        Input::Poll {} => "poll",
        Input::Views {} => "views",
    }
}
