//! The verbs, one file each, and what they share: from options to a plan, from a plan to a record, a report and an exit
//! code.

pub mod bandwidth;
pub mod compare;
pub mod completions;
pub mod convert;
pub mod emulate;
pub mod engine;
pub mod falsify;
mod kept;
pub mod list;
pub mod maelstrom;
pub mod man;
pub mod merge;
pub mod names;
pub mod options;
pub mod outputs;
pub mod qualify;
pub mod replay;
pub mod report;
pub mod run;
pub mod samples;
mod saved_script;
pub mod show;
pub mod standard;
mod waveforms;

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use anyhow::anyhow;

use crate::campaign::waveforms::Waveform;
use crate::campaign::{self, Plan};
use crate::cmd::options::{LinkOptions, RunOptions, TerminalOptions};
use crate::cmd::waveforms::WaveformPlace;
use crate::console::progress::{ProgressWatch, StopRequest, end_processes_with_abench};
use crate::console::{Console, Stream};
use crate::domain::fault::Fault;
use crate::domain::subject::{Device, SubjectError};
use crate::domain::verdict::exit;
use crate::engine::{check_name, of_version_1, process};
use crate::experiment;
use crate::experiment::valid::Valid;
use crate::explore::PlanError;
use crate::fault::catalogue::{why_never, why_not_activated};
use crate::report::file::{Destination, RecordError, to_text};
use crate::report::format::text::{self, Table};
use crate::report::journal::Journal;
use crate::report::record::{Asked, Record};
use crate::report::seal::Sealed;
use crate::scenario::Scenario;
use crate::scenario::file::ScenarioError;
use crate::subject::{self, Conditions, OpenError, Subjects};

/// The verbs, as the command line names them.
pub const VERBS: &[&str] = &[
    "run",
    "falsify",
    "bandwidth",
    "replay",
    "compare",
    "qualify",
    "merge",
    "report",
    "emulate",
    "engine",
    "maelstrom",
    "convert",
    "list",
    "show",
    "completions",
    "man",
    "help",
];

/// Why a verb could not do its work, and the exit code that this gives. A verdict is no failure.
#[derive(Debug)]
pub struct Failure {
    /// One of [`exit`].
    pub exit: u8,
    /// What went wrong, where, and what is allowed.
    pub error: anyhow::Error,
}

impl Failure {
    fn usage(error: impl Into<anyhow::Error>) -> Self {
        Failure { exit: exit::USAGE, error: error.into() }
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        Failure::usage(error)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Failure::usage(error)
    }
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Self {
        let exit = match error {
            SubjectError::Unavailable(_) => exit::UNAVAILABLE,
            SubjectError::Internal(_) => exit::INTERNAL,
            SubjectError::Journal(_) => exit::USAGE,
            SubjectError::Interrupted => exit::INTERRUPTED,
        };
        Failure { exit, error: error.into() }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let exit = if matches!(error, OpenError::Unavailable { .. }) { exit::UNAVAILABLE } else { exit::USAGE };
        Failure { exit, error: error.into() }
    }
}

/// What backends a run uses if nothing names any.
const DEFAULT_BACKENDS: [&str; 2] = [subject::SOFTWARE, "model"];

fn unusable_orders(scenario: &Scenario, refused: PlanError) -> Failure {
    let of = scenario.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
    Failure::usage(anyhow!("{of}arrival orders: {refused}"))
}

/// Starts those of these engines that run in processes: what they are decides whether a trial can run.
fn start_engines<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), Failure> {
    for name in names {
        let start = if process::split(name).is_some() {
            process::start
        } else if crate::engine::maelstrom::split(name).is_some() {
            crate::engine::maelstrom::start
        } else {
            continue;
        };
        end_processes_with_abench();
        start(name).map_err(|error| Failure { exit: exit::UNAVAILABLE, error: anyhow!("engines: {error}") })?;
    }
    Ok(())
}

/// The first engine that has the name of an older version: the table that names it, that name, and today's.
fn renamed_engine(scenario: &Scenario) -> Option<(&'static str, String, &'static str)> {
    let renamed = |name: &&str| check_name(name).is_err().then(|| of_version_1(name)).flatten();
    let first =
        |table, names: Vec<&str>| names.iter().find_map(|name| Some((table, (*name).to_owned(), renamed(name)?)));
    let expected = scenario.expect.iter().flat_map(|expect| expect.engines.keys());
    first(scenario.trial.table(), scenario.trial.keys().engines())
        .or_else(|| first("expect.engines", expected.map(String::as_str).collect()))
}

/// The scenario, if it can run.
fn valid(scenario: Scenario) -> Result<Valid<Scenario>, Failure> {
    start_engines(scenario.trial.keys().engines())?;
    let of = scenario.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
    if let Some((table, old, now)) = renamed_engine(&scenario) {
        return Err(Failure::usage(anyhow!("{of}[{table}]: the engine '{old}' has another name now: {now}")));
    }
    let lines = scenario.steps.clone();
    Valid::of(scenario).map_err(|refused| {
        let place = lines.and_then(|lines| Some(format!("{}, line {}", lines.origin, lines.line(&refused.reason)?)));
        Failure::usage(match place {
            Some(place) => anyhow!("{place}: {}", refused.reason),
            None => anyhow!("{of}{refused}"),
        })
    })
}

/// The plan for a scenario under these options. What the command line names goes before what the scenario names.
fn plan(scenario: Scenario, options: &RunOptions) -> Result<Plan, Failure> {
    let scenario = valid(scenario)?;
    let experiment = experiment::of(&scenario.trial);
    if let Some(unmet) = experiment.rehearse() {
        let lines = scenario.steps.as_ref();
        let line = lines.and_then(|lines| Some(format!("{}, line {}: ", lines.origin, lines.line(&unmet)?)));
        return Err(Failure::usage(anyhow!("{}{unmet}", line.unwrap_or_default())));
    }
    let no_backend = experiment.no_backend();
    let verilog = options.rtl.as_ref().map(|folder| format!("{}:{folder}", subject::verilog::NAME));
    let with_verilog = |names: &[String]| {
        let names = names.iter().chain(&verilog).map(String::as_str);
        subject::backends(names)
    };
    let backends = match (&options.backend, &scenario.backends) {
        (None, None) if no_backend.is_some() && verilog.is_none() => Vec::new(),
        (_, _) if no_backend.is_some() => {
            return Err(Failure::usage(anyhow!("{}: name no backend", no_backend.unwrap_or_default())));
        }
        (Some(names), _) => with_verilog(names)?,
        (None, None) if verilog.is_some() => with_verilog(&[subject::SOFTWARE.to_owned()])?,
        (None, None) => subject::backends(DEFAULT_BACKENDS)?,
        (None, Some(asked)) => with_verilog(&asked.names)
            .map_err(|error| Failure::usage(anyhow!("{}, line {}: backend: {error}", asked.origin, asked.line)))?,
    };
    let link = options.link.conditions(&backends)?;
    let conditions = Conditions { threads: threads(options.threads), faults: distinct(&options.plant)?, link };
    Ok(Plan { scenario, backends, conditions })
}

fn threads(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

fn distinct(faults: &[Fault]) -> Result<Vec<Fault>, Failure> {
    for (place, fault) in faults.iter().enumerate() {
        if faults[..place].contains(fault) {
            return Err(Failure::usage(anyhow!("--plant {fault} is given twice; plant each fault once")));
        }
    }
    Ok(faults.to_vec())
}

/// What a run gives.
struct Ran {
    record: Record,
    /// Of simulated devices that went wrong, not written yet.
    waveforms: Vec<Waveform>,
}

/// Refuses a planted fault that no device of the run could ever have.
fn plants_act(plan: &Plan, subjects: &Subjects) -> Result<(), Failure> {
    let takers: Vec<_> = subjects.all_devices().filter(|device| !device.planted().is_empty()).collect();
    for &fault in &plan.conditions.faults {
        if takers.is_empty() {
            return Err(Failure::usage(anyhow!("--plant {fault}: {}", why_not_activated(fault, None))));
        }
        let never = |device: &&dyn Device| Some((device.name().to_owned(), why_never(fault, device.identity().banks)?));
        let never: Vec<_> = takers.iter().map_while(never).collect();
        if let Some((name, reason)) = never.first().filter(|_| never.len() == takers.len()) {
            return Err(Failure::usage(anyhow!("--plant {fault} can do nothing in {name}: {reason}")));
        }
    }
    Ok(())
}

/// Opens the subjects of a plan, if all that it asks for can be tried on them.
fn open_subjects(plan: &Plan, waveforms: Option<&Path>) -> Result<Subjects, Failure> {
    let subjects = subject::open(&plan.backends, &plan.conditions)?;
    waveforms::possible(waveforms, &subjects)?;
    plants_act(plan, &subjects)?;
    campaign::fits(plan, &subjects).map_err(|refused| unusable_orders(&plan.scenario, refused))?;
    Ok(subjects)
}

/// The plan of what a record or a journal says that was asked for; `what` is what messages call it.
fn asked_plan(
    asked: &Asked,
    what: &str,
    link: LinkOptions,
    wanted_threads: Option<NonZeroUsize>,
) -> Result<Plan, Failure> {
    let faults: Result<Vec<Fault>, _> = asked.faults.iter().map(|fault| fault.parse::<Fault>()).collect();
    let faults = faults.map_err(|error| Failure::usage(anyhow!("{what}: {error}")))?;
    let scenario = Scenario::of(asked);
    start_engines(scenario.trial.keys().engines())?;
    let scenario = Valid::of(scenario)
        .map_err(|refused| Failure::usage(anyhow!("{what}: what was asked for cannot run: {refused}")))?;
    let experiment = experiment::of(&scenario.trial);
    if let Some(reason) = faults.iter().find_map(|&fault| experiment.no_fault(fault)) {
        return Err(Failure::usage(anyhow!("{what}: asked.faults: {reason}; [] is allowed")));
    }
    if let Some(reason) = experiment.no_backend().filter(|_| !asked.backends.is_empty()) {
        return Err(Failure::usage(anyhow!("{what}: asked.backends: {reason}; [] is allowed")));
    }
    let backends = subject::backends(asked.backends.iter().map(String::as_str))?;
    let link = link.conditions(&backends)?;
    let conditions = Conditions { threads: threads(wanted_threads), faults: distinct(&faults)?, link };
    Ok(Plan { scenario, backends, conditions })
}

/// Runs a plan, with progress, and looks into what went wrong where that can be done; `waveforms` is where they are asked
/// for by name.
fn execute(
    plan: &Plan,
    terminal: TerminalOptions,
    stop: &StopRequest,
    waveforms: Option<&Path>,
    journal: &Journal,
) -> Result<Ran, Failure> {
    let (console, start) = (Console::new(terminal.color), Instant::now());
    let mut subjects = open_subjects(plan, waveforms)?;
    let mut watch = ProgressWatch::new(console, terminal.progress, stop.clone());
    let mut record = campaign::run_kept(plan, journal, &mut subjects, &mut watch)?;
    let waveforms = campaign::waveforms::look_into(&mut record, &subjects, &mut watch);
    // Who waits for a run waits for its backends, too.
    record.timing.total_us = start.elapsed().as_micros() as u64;
    Ok(Ran { record, waveforms })
}

/// Runs a plan as [`execute`] does, as often as is asked for. Where a backend is not there, the record says what was tried
/// and why it ended.
fn attempt(
    plan: &Plan,
    terminal: TerminalOptions,
    stop: &StopRequest,
    options: &RunOptions,
    (place, journal): (RecordPlace, &Journal),
) -> Result<(Ran, RecordPlace), Failure> {
    let once = || execute(plan, terminal, stop, options.waveforms.as_deref(), journal);
    let failure = match samples::repeated(plan, options.samples, once) {
        Ok(ran) => return Ok((ran, place)),
        Err(failure) => failure,
    };
    if let Some(OpenError::Unavailable { backend, error }) = failure.error.downcast_ref() {
        place.write(&campaign::unavailable(plan, backend, error), Console::new(terminal.color))?;
    }
    Err(failure)
}

/// Where a run's record goes.
enum RecordPlace {
    Nowhere,
    Output,
    File(Box<Destination>),
}

impl RecordPlace {
    /// Made ready before the run, so that a place that cannot be written to is told at once.
    fn open(path: Option<&Path>) -> Result<Self, Failure> {
        match path {
            None => Ok(RecordPlace::Nowhere),
            Some(path) if path == Path::new("-") => Ok(RecordPlace::Output),
            Some(path) if path.as_os_str().is_empty() => {
                Err(Failure::usage(anyhow!("--record takes the name of a file, or - for standard output")))
            }
            Some(path) => Ok(RecordPlace::File(Box::new(Destination::open(path)?))),
        }
    }

    fn write(self, record: &impl Sealed, console: Console) -> Result<(), Failure> {
        match self {
            RecordPlace::Nowhere => Ok(()),
            RecordPlace::Output => console.write(Stream::Output, &to_text(record)).map_err(unwritable),
            RecordPlace::File(destination) => destination.write(&to_text(record)).map_err(Failure::from),
        }
    }
}

/// Writes a run's waveforms and its record and shows its report.
fn deliver(
    mut ran: Ran,
    (place, waveforms): (RecordPlace, &WaveformPlace),
    terminal: TerminalOptions,
    table: Table,
    is_summarised: bool,
) -> Result<Record, Failure> {
    waveforms.write(&ran.waveforms, &mut ran.record.waveforms);
    let report = |width| match is_summarised {
        true => String::new(),
        false => text::render(&experiment::shown(&ran.record), width, table, terminal.detail()),
    };
    deliver_text(place, terminal, &ran.record, report)?;
    say_if_broken(&ran.record, Console::new(terminal.color));
    Ok(ran.record)
}

/// Says what is wrong with the judges of a run, where anything is.
fn say_if_broken(record: &Record, console: Console) {
    if let Some(fault) = record.internal_error() {
        console.say(&format!("abench: internal error, which is a bug of abench: {fault}"));
    }
}

/// Writes a record and shows its report: the record first. With the record on standard output, the report is talk.
fn deliver_text(
    place: RecordPlace,
    terminal: TerminalOptions,
    record: &impl Sealed,
    report: impl Fn(usize) -> String,
) -> Result<(), Failure> {
    let console = Console::new(terminal.color);
    let stream = if matches!(place, RecordPlace::Output) { Stream::Error } else { Stream::Output };
    let written = place.write(record, console);
    let mut report = report(console.width(stream));
    if written.is_err() {
        report = without_record(&report);
    }
    let shown = console.write(stream, &report);
    match stream {
        Stream::Output => written.and(shown.map_err(unwritable)),
        // Talk that nobody can hear is no failure.
        Stream::Error => written,
    }
}

/// A report whose record could not be written: its last line tells the exit code that the process has.
fn without_record(report: &str) -> String {
    let ending = format!("(exit {}: the record could not be written)\n", exit::USAGE);
    report.rsplit_once("(exit ").map_or_else(|| report.to_owned(), |(before, _)| format!("{before}{ending}"))
}

fn unwritable(error: std::io::Error) -> Failure {
    Failure::usage(anyhow!("cannot write to standard output: {error}"))
}
