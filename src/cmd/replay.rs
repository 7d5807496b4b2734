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
use crate::domain::subject::{DeviceIdentity, SubjectError};
use crate::domain::verdict::{Outcome, Verdict, exit};
use crate::experiment;
use crate::report::any::run_from_text;
use crate::report::document::Detail;
use crate::report::document::section::{counterexamples, devices};
use crate::report::format::text::{self, Table, Text, styled};
use crate::report::inert::quoted;
use crate::report::input;
use crate::report::journal::Journal;
use crate::report::record::Record;
use crate::report::seal::{Opened, Seal};
use crate::scenario::file::is_scenario;
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
    if is_scenario(&text) {
        let command = format!("abench run {}", quoted(&origin));
        return Err(Failure::usage(anyhow!(
            "{origin}: this is a scenario; replay takes a case or a record. To run the scenario: {command}"
        )));
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
        Execution::Merge { .. }
            | Execution::Edits { .. }
            | Execution::Tags { .. }
            | Execution::Script(_)
            | Execution::Walk(_)
            | Execution::Law(_)
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
    let mut report = Text::new(console.width(Stream::Output));
    case_report(&mut report, &case, &replayed, devices);
    if let (Verdict::Falsified, [device]) = (verdict, &subjects.devices[..])
        && let Ok(Some(look)) = look_into_case(&case, device, &mut watch)
    {
        let (waveform, mut seen) = told(&case, look);
        place.write(waveform.as_slice(), std::slice::from_mut(&mut seen));
        for line in counterexamples::waveform_lines(&seen) {
            match line.starts_with("waveform: ") {
                true => report.line(&format!("  {line}")),
                false => report.paragraph("  ", 4, &line),
            }
        }
    }
    let exit = Outcome::of(verdict).exit_code();
    let mut report = if args.terminal.quiet { String::new() } else { report.finish() };
    report += &format!("verdict {} (exit {exit})\n", styled(verdict));
    console.write(Stream::Output, &report).map_err(unwritable)?;
    Ok(exit)
}

fn case_report<'a>(
    report: &mut Text,
    case: &Case,
    replayed: &Replayed,
    devices: impl Iterator<Item = (&'a DeviceIdentity, LinkEvents)>,
) {
    // What is pasted is not broken: the terminal wraps it.
    report.line(&format!("replay of {case}"));
    for (DeviceIdentity { version, banks, link }, events) in devices {
        report.paragraph("  ", 4, &format!("device: {}", devices::identity(*version, *banks, link)));
        events.sentences().iter().for_each(|event| report.paragraph("  ", 4, &format!("link: {event}")));
    }
    for comparison in &replayed.compared {
        let quantity = comparison.quantity.to_string();
        let (expected, got) = (comparison.expected, comparison.got);
        let is_counter = comparison.quantity == Quantity::Cycles;
        let decimal = |value: u64| if is_counter { format!(" ({value})") } else { String::new() };
        report.paragraph("  ", 4, &format!("expected {quantity:<7}{expected}{}", decimal(expected.0)));
        let evidence = replayed.evidence;
        report.paragraph("  ", 4, &format!("got      {quantity:<7}{got}{}  (evidence {evidence})", decimal(got.0)));
    }
    replayed.told.iter().for_each(|step| report.paragraph("    ", 8, step));
    let against = replayed.against.iter().map(|told| format!("against {}: {told}", case.subject));
    against.for_each(|told| report.paragraph("  ", 4, &told));
    if replayed.verdict == Verdict::Holds {
        match &case.execution {
            Execution::Script(_) | Execution::Walk(_) => {
                report.paragraph("  ", 4, &format!("no judge has anything against {}", case.subject));
            }
            Execution::Law(law) => {
                report.paragraph(
                    "  ",
                    4,
                    &format!("these words do not contradict that {} is {}", case.subject, law.law),
                );
            }
            _ => {}
        }
    }
    if let Some(doubt) = &replayed.doubt {
        report.paragraph("  ", 4, doubt);
    }
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
    let mut report = text::render(&experiment::shown(&fresh), console.width(Stream::Output), Table::Shown, detail);
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
