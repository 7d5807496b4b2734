//! `abench replay CASE|FILE`: a counterexample, or a whole record, again.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, ValueHint};

use crate::campaign;
use crate::campaign::replay::{self, ReplayError, Replayed};
use crate::campaign::waveforms::{look_into_case, told};
use crate::cmd::options::{LinkOptions, TerminalOptions, parse_threads};
use crate::cmd::waveforms::{self, WaveformPlace};
use crate::cmd::{Failure, Ran, RecordPlace, asked_plan, execute, say_if_broken, start_engines, threads, unwritable};
use crate::console::progress::{ProgressWatch, StopRequest};
use crate::console::{Console, Stream};
use crate::domain::case::Case;
use crate::domain::execution::Execution;
use crate::domain::finding::Quantity;
use crate::domain::link_events::LinkEvents;
use crate::domain::script::text as steps;
use crate::domain::subject::{DeviceIdentity, SubjectError};
use crate::domain::verdict::{Outcome, Verdict, exit};
use crate::report::any::run_from_text;
use crate::report::document::Detail;
use crate::report::document::section::{counterexamples, devices};
use crate::report::format::text::{self, Table, styled};
use crate::report::input;
use crate::report::journal::Journal;
use crate::report::record::Record;
use crate::report::seal::{Opened, Seal};
use crate::subject::{self, Conditions};

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # A counterexample, as a report shows it
  abench replay case1,model,engine,count=9,active=8,seed=1
  # A whole record: does it come out the same?
  abench replay record.json
  # A counterexample from a file
  abench replay case.txt

Exit codes: that of the run that is made again; 3 where a record does not come
again.
abench --help lists all of them.";

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArgs {
    /// A case as a report shows it (case1,…), or a file that holds a case or a record; - for standard input
    #[arg(value_name = "CASE|FILE", value_hint = ValueHint::FilePath)]
    pub what: OsString,
    /// The command of an engine in a process that the case names: NAME=cmd:COMMAND
    #[arg(long, value_name = "NAME=cmd:COMMAND")]
    pub engines: Vec<String>,
    /// Threads of the backend `threads` [default: all cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub threads: Option<NonZeroUsize>,
    /// Folder for a waveform of what goes wrong in a device that is simulated from RTL, or none for none [default: the
    /// current folder]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub waveforms: Option<PathBuf>,
    /// How the other ends of links are reached.
    #[command(flatten)]
    pub link: LinkOptions,
    /// How the terminal is used.
    #[command(flatten)]
    pub terminal: TerminalOptions,
}

/// The longest file that is read: records are long.
const MOST_BYTES: u64 = 1 << 30;

/// Replays what is named and gives the exit code: that of the verdict found, or 3 where a record's is another one.
pub fn run(args: &ReplayArgs) -> Result<u8, Failure> {
    start_engines(args.engines.iter().map(String::as_str))?;
    // A case never begins as a path that one would use, and no file is needed to replay it.
    if let Some(case) = args.what.to_str().filter(|what| what.starts_with("case") && what.contains(',')) {
        return replay_case(case, "the case", args);
    }
    let text = read(Path::new(&args.what))?;
    let origin = args.what.to_string_lossy();
    let trimmed = text.trim();
    if trimmed.starts_with("case") {
        return replay_case(trimmed, &origin, args);
    }
    replay_record(run_from_text(&text, &origin)?, args)
}

fn read(path: &Path) -> Result<String, Failure> {
    let read = if path == Path::new("-") { input::standard_input(MOST_BYTES) } else { input::text(path, MOST_BYTES) };
    let unreadable = || format!("cannot read the file {}; a case begins with case1,", path.display());
    read.with_context(unreadable).map_err(Failure::usage)
}

fn replay_case(text: &str, origin: &str, args: &ReplayArgs) -> Result<u8, Failure> {
    let case: Case = text.parse().map_err(|error| Failure::usage(anyhow!("{origin}: {error}")))?;
    // A merge is of an algebra, and a world is of an engine: neither needs a backend.
    let has_no_backend = matches!(
        case.execution,
        Execution::Merge { .. } | Execution::Edits { .. } | Execution::Tags { .. } | Execution::Script(_)
    );
    let backends = if has_no_backend { Vec::new() } else { subject::backends([case.subject.as_str()])? };
    if backends.len() != 1 && !has_no_backend {
        return Err(Failure::usage(anyhow!("{origin}: a case has one subject, and '{}' is several", case.subject)));
    }
    let link = args.link.conditions(&backends)?;
    let conditions = Conditions { threads: threads(args.threads), faults: case.faults.clone(), link };
    let mut subjects = subject::open(&backends, &conditions)?;
    waveforms::possible(args.waveforms.as_deref(), &subjects)?;
    let place = WaveformPlace::of(args.waveforms.as_deref(), &RecordPlace::Nowhere);
    let console = Console::new(args.terminal.color);
    let mut watch = ProgressWatch::new(console, args.terminal.progress, StopRequest::listen());
    let replayed = match replay::case(&case, &mut subjects, &mut watch) {
        Ok(replayed) => replayed,
        Err(ReplayError::Subject(SubjectError::Interrupted)) => {
            console.say("abench: stopped by the user before the case came to its end; it is not judged");
            return Ok(exit::INTERRUPTED);
        }
        Err(ReplayError::Subject(error)) => return Err(error.into()),
        Err(error @ (ReplayError::Incapable { .. } | ReplayError::Order(_))) => return Err(Failure::usage(error)),
    };
    let verdict = replayed.verdict;
    let devices = subjects.all_devices().map(|device| (device.identity(), device.link_events()));
    let mut report = case_report(&case, &replayed, devices);
    if let (Verdict::Falsified, [device]) = (verdict, &subjects.devices[..])
        && let Ok(Some(look)) = look_into_case(&case, device, &mut watch)
    {
        let (waveform, mut seen) = told(&case, look);
        place.write(waveform.as_slice(), std::slice::from_mut(&mut seen));
        counterexamples::waveform_lines(&seen).iter().for_each(|line| report += &format!("  {line}\n"));
    }
    let exit = Outcome::of(verdict).exit_code();
    if args.terminal.quiet {
        report.clear();
    }
    report += &format!("verdict {} (exit {exit})\n", styled(verdict));
    console.write(Stream::Output, &report).map_err(unwritable)?;
    Ok(exit)
}

fn case_report<'a>(
    case: &Case,
    replayed: &Replayed,
    devices: impl Iterator<Item = (&'a DeviceIdentity, LinkEvents)>,
) -> String {
    let mut report = format!("replay of {case}\n");
    for (DeviceIdentity { version, banks, link }, events) in devices {
        report += &format!("  device: {}\n", devices::identity(*version, *banks, link));
        events.sentences().iter().for_each(|event| report += &format!("  link: {event}\n"));
    }
    for comparison in &replayed.compared {
        let quantity = comparison.quantity.to_string();
        let (expected, got) = (comparison.expected, comparison.got);
        let is_counter = comparison.quantity == Quantity::Cycles;
        let decimal = |value: u64| if is_counter { format!(" ({value})") } else { String::new() };
        report += &format!("  expected {quantity:<7}{expected}{}\n", decimal(expected.0));
        report += &format!("  got      {quantity:<7}{got}{}  (evidence {})\n", decimal(got.0), replayed.evidence);
    }
    if let Execution::Script(script) = &case.execution {
        script.steps.iter().for_each(|step| report += &format!("    {}\n", steps::line(step)));
        let told = replayed.against.iter().map(|told| format!("  against {}: {told}\n", case.subject));
        told.for_each(|told| report += &told);
        if replayed.verdict == Verdict::Holds {
            report += &format!("  no judge has anything against {}\n", case.subject);
        }
    }
    if let Some(doubt) = &replayed.doubt {
        report += &format!("  {doubt}\n");
    }
    report
}

fn replay_record(opened: Opened<Record>, args: &ReplayArgs) -> Result<u8, Failure> {
    let Opened { record: recorded, seal } = opened;
    let plan = asked_plan(&recorded.asked, &args.what.to_string_lossy(), args.link, args.threads)?;
    let place = WaveformPlace::of(args.waveforms.as_deref(), &RecordPlace::Nowhere);
    let journal = Journal::none(campaign::head(&plan, None));
    let Ran { record: mut fresh, waveforms } =
        execute(&plan, args.terminal, &StopRequest::listen(), args.waveforms.as_deref(), &journal)?;
    place.write(&waveforms, &mut fresh.waveforms);
    let console = Console::new(args.terminal.color);
    let detail = args.terminal.detail();
    let mut report = text::render(&fresh, console.width(Stream::Output), Table::Shown, detail);
    let (exit, mut judgement, last) = compare(&recorded, &fresh, seal);
    if seal != Seal::Intact {
        judgement += &format!("{}: {seal}\n", args.what.to_string_lossy());
    }
    // The verdict is that of the replay, and comes after what it says.
    let before_verdict = report.trim_end().rfind('\n').map_or(0, |end| end + 1);
    report.truncate(before_verdict);
    if detail != Detail::Verdict {
        report += &judgement;
    }
    report += &format!("{last}\n");
    console.write(Stream::Output, &report).map_err(unwritable)?;
    say_if_broken(&fresh, console);
    Ok(exit)
}

/// The exit code of a record's replay, what to say of it, and the last line. A record that does not come again, in its verdict or in
/// anything else outside `timing` and `host`, is inconclusive; so is one whose claims were altered, for what it asks for may be
/// what was altered.
fn compare(recorded: &Record, fresh: &Record, seal: Seal) -> (u8, String, String) {
    /// As many as help; the rest is counted.
    const SHOWN: usize = 10;
    let differences = replay::differences(recorded, fresh);
    if !fresh.interrupted && differences.is_empty() && seal == Seal::ClaimsAltered {
        let outcome = Outcome { verdict: Verdict::Inconclusive, expectation_met: None, ..fresh.outcome() };
        let exit = outcome.exit_code();
        let told = "\nreplay: the same as recorded, outside timing and host\n".to_owned();
        return (
            exit,
            told,
            format!("verdict {}: the record was altered (exit {exit})", styled(Verdict::Inconclusive)),
        );
    }
    if fresh.interrupted || differences.is_empty() {
        let told = if fresh.interrupted { "stopped" } else { "the same as recorded, outside timing and host" };
        return (fresh.exit, format!("\nreplay: {told}\n"), text::verdict_line(fresh));
    }
    let mut told = format!("\nreplay: {} values differ from the record\n", differences.len());
    differences.iter().take(SHOWN).for_each(|difference| told += &format!("  - {difference}\n"));
    if differences.len() > SHOWN {
        told += &format!("  - and {} more\n", differences.len() - SHOWN);
    }
    let outcome = Outcome { verdict: Verdict::Inconclusive, expectation_met: None, ..fresh.outcome() };
    let exit = outcome.exit_code();
    let last = format!("verdict {}: the run does not repeat the record (exit {exit})", styled(Verdict::Inconclusive));
    (exit, told, last)
}
