//! `abench run SCENARIO...`: scenarios from files, or shipped ones by name.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::builder::OsStringValueParser;
use clap::{Args, ValueHint};

use crate::campaign::{self, Plan};
use crate::cmd::names::{self, WithNames};
use crate::cmd::options::{RunOptions, TerminalOptions};
use crate::cmd::outputs;
use crate::cmd::saved_script::ScriptPlace;
use crate::cmd::waveforms::WaveformPlace;
use crate::cmd::{Failure, RecordPlace, attempt, deliver, kept, plan, unwritable};
use crate::console::progress::StopRequest;
use crate::console::{Console, Stream, When};
use crate::domain::nearest::meant;
use crate::domain::verdict::exit;
use crate::experiment::{self, Changes};
use crate::report::file::Destination;
use crate::report::format::text::{self, Table};
use crate::report::histogram_log;
use crate::report::record::Record;
use crate::scenario::{Scenario, file, shipped};

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # A shipped scenario; abench list scenarios names them
  abench run field-tally
  # Your own file, and its record
  abench run ./mine.toml --record mine.json
  # Several, their records in an existing folder
  abench run tick laws field-tags --record records
  # Other engines in the same world
  abench run field-tally --engines all
  # As a gate: the verdicts alone, and no counterexample is reduced to a script
  abench run field-tally --engines all --no-reduce
  # Does the scenario notice a dead bank?
  abench run bank-sweep --plant dead-bank:1
  # A board on a serial line
  abench run conformance --backend uartbone:/dev/ttyUSB1

Exit codes: 0 every verdict is holds, or what its scenario expects; 1 one is
falsified, or not what is expected; 3 inconclusive.
abench --help lists all of them.";

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    /// A scenario: a shipped name, or a path (with a / or ending in .toml); - for standard input
    #[arg(required = true, value_name = "SCENARIO", hide_possible_values = true,
          value_parser = WithNames::of_scenarios(OsStringValueParser::new()))]
    pub scenarios: Vec<OsString>,
    /// Write the staleness and the time to convergence of every engine to a file, as a log that HdrHistogram's tools read
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub histogram_log: Option<PathBuf>,
    /// Write the smallest script that falsifies an engine of a world of clients to a file, as a scenario: that of the first
    /// engine, in the order of the report, that has one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub save_script: Option<PathBuf>,
    /// Leave out the reduction of a drawn world that falsifies an engine to a script: the run is over sooner
    #[arg(long, conflicts_with = "save_script")]
    pub no_reduce: bool,
    /// The options of every run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// Runs them one after the other and gives the exit code of the worst.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let records = record_paths(args)?;
    let logs = [("--histogram-log", &args.histogram_log), ("--save-script", &args.save_script)];
    if let Some((option, _)) = logs.iter().find(|(_, path)| path.as_deref() == Some(Path::new("-"))) {
        return Err(Failure::usage(anyhow!("{option} takes the name of a file")));
    }
    let journals: Vec<Option<PathBuf>> = records.iter().map(|record| record.as_deref().map(kept::beside)).collect();
    let journals = journals.iter().map(|journal| ("the journal of --record", journal));
    let files = records.iter().map(|record| ("--record", record)).chain(journals).chain(logs);
    outputs::differ(
        outputs::scenario_files(&args.scenarios),
        files.filter_map(|(option, path)| Some((option, path.as_deref()?))),
    )?;
    if args.histogram_log.is_some() && args.scenarios.len() > 1 {
        return Err(Failure::usage(anyhow!("--histogram-log takes the histograms of one scenario")));
    }
    if args.save_script.is_some() && args.scenarios.len() > 1 {
        return Err(Failure::usage(anyhow!("--save-script takes the script of one scenario")));
    }
    // All are read before any is run: a misspelt name is told at once.
    let plans: Result<Vec<_>, Failure> =
        args.scenarios.iter().map(|named| plan(adjusted(find(named)?, args)?, &args.run)).collect();
    let (plans, stop) = (plans?, StopRequest::listen());
    if let Some(shard) = args.run.shard {
        let [plan] = &plans[..] else {
            return Err(Failure::usage(anyhow!("--shard splits one scenario: name one")));
        };
        return kept::run_shard_of(plan, shard, &args.run, &stop);
    }
    // Dashboards read one table an output, so that several scenarios show none.
    let table = if plans.len() == 1 { Table::Shown } else { Table::Left };
    let is_summarised = args.run.terminal.quiet && plans.len() > 1;
    let (mut worst, mut summary) = (exit::HOLDS, Vec::new());
    // All are looked at before the first runs: hours of work do not end at the journal of the last.
    let mut places = Vec::new();
    for (plan, record) in plans.iter().zip(&records) {
        places.push(RecordPlace::open(record.as_deref())?);
        kept::check(&campaign::head(plan, None), args.run.journaled(record.as_deref()), args.run.resume)?;
    }
    for ((plan, record), place) in plans.iter().zip(&records).zip(places) {
        let waveforms = args.run.waveforms.as_deref();
        let waveform_place = WaveformPlace::of(waveforms, &place);
        let log = args.histogram_log.as_deref().map(Destination::open).transpose()?;
        let script = args.save_script.as_deref().map(|path| ScriptPlace::open(path, plan)).transpose()?;
        let journaled = args.run.journaled(record.as_deref());
        let console = Console::new(args.run.terminal.color);
        let journal = kept::open(campaign::head(plan, None), journaled, args.run.resume, console)?;
        let (ran, place) = match attempt(plan, args.run.terminal, &stop, &args.run, (place, &journal)) {
            Ok(ran) => ran,
            Err(failure) => {
                kept::close(journal, false, Console::new(args.run.terminal.color))?;
                let name = plan.scenario.name.as_deref().unwrap_or_default();
                summary.push(format!("  {name}: not run: {:#} (exit {})\n", failure.error, failure.exit));
                summarise(&plans, summary, exit::worse(worst, failure.exit), args.run.terminal)?;
                return Err(failure);
            }
        };
        if let Some(log) = log {
            let text = histogram_log::render(&ran.record);
            let none = || Failure::usage(anyhow!("--histogram-log is about engines, and this scenario has none"));
            log.write(&text.ok_or_else(none)?)?;
        }
        let delivered = deliver(ran, (place, &waveform_place), args.run.terminal, table, is_summarised);
        let is_whole = delivered.as_ref().is_ok_and(Record::is_whole);
        kept::close(journal, is_whole, Console::new(args.run.terminal.color))?;
        let record = delivered?;
        if let Some(script) = script {
            script.save(&record, Console::new(args.run.terminal.color))?;
        }
        worst = exit::worse(worst, record.exit);
        summary.push(record_line(&record));
        if record.interrupted {
            break;
        }
    }
    summarise(&plans, summary, worst, args.run.terminal)?;
    Ok(worst)
}

/// Where the record of each scenario goes: to the file that is named, or into the folder under the scenario's name.
fn record_paths(args: &RunArgs) -> Result<Vec<Option<PathBuf>>, Failure> {
    let Some(record) = &args.run.record else { return Ok(vec![None; args.scenarios.len()]) };
    if !record.is_dir() && args.scenarios.len() > 1 {
        let (path, number) = (record.display(), args.scenarios.len());
        return Err(Failure::usage(anyhow!(
            "--record needs an existing folder for the records of {number} scenarios; {path} is not one"
        )));
    }
    if !record.is_dir() {
        return Ok(vec![Some(record.clone())]);
    }
    let name = |named: &OsString| Path::new(named).file_stem().unwrap_or_default().to_owned();
    let names: Vec<_> = args.scenarios.iter().map(name).collect();
    if let Some(twice) = (0..names.len()).find(|&place| names[..place].contains(&names[place])) {
        let (named, record) = (names[twice].display(), record.display());
        return Err(Failure::usage(anyhow!(
            "two scenarios are named {named}, and {record} has one place for its record"
        )));
    }
    let path = |mut name: std::ffi::OsString| {
        name.push(".json");
        Some(record.join(name))
    };
    Ok(names.into_iter().map(path).collect())
}

/// Of several scenarios, a line each, and the exit code of all as the last line.
fn summarise(plans: &[Plan], mut lines: Vec<String>, worst: u8, terminal: TerminalOptions) -> Result<(), Failure> {
    if plans.len() == 1 {
        return Ok(());
    }
    let left = plans.iter().skip(lines.len()).filter_map(|plan| plan.scenario.name.as_deref());
    lines.extend(left.map(|name| format!("  {name}: not run\n")));
    let before = if terminal.quiet { "" } else { "\n" };
    let summary = format!("{before}{}{} scenarios (exit {worst})\n", lines.concat(), plans.len());
    Console::new(terminal.color).write(Stream::Output, &summary).map_err(unwritable)
}

/// A scenario in one line.
fn record_line(record: &Record) -> String {
    let name = record.asked.scenario.as_deref().unwrap_or("a scenario without a name");
    format!("  {name}: {}\n", text::verdict_line(record))
}

/// The scenario that is meant: an argument with a `/` or ending in `.toml` is a path, and `-` is standard input.
pub fn find(named: &OsStr) -> Result<Scenario, Failure> {
    let named = if named == "-" { OsStr::new("/dev/stdin") } else { named };
    if outputs::is_path(named) {
        return Ok(file::read(Path::new(named))?);
    }
    let named = &*named.to_string_lossy();
    match shipped::find(named) {
        Some(scenario) => Ok(scenario?),
        None => {
            let meant = meant(named, names::scenarios());
            let advice = "a file is named with a / or ends in .toml, and abench list scenarios names the shipped ones";
            Err(Failure::usage(anyhow!("'{named}' is not a shipped scenario{meant}; {advice}")))
        }
    }
}

/// The scenario with the command line's seed, bounds and orders. Under others, or with a fault planted, its expectations
/// are those of another run.
fn adjusted(mut scenario: Scenario, args: &RunArgs) -> Result<Scenario, Failure> {
    let RunOptions { seed, budget, memory, orders, plant, engines, .. } = &args.run;
    let (seed, budget, memory) = (*seed, *budget, *memory);
    let changes = Changes { seed, budget, memory, orders: orders.clone(), engines: engines.clone() };
    let before = scenario.trial.clone();
    experiment::of_mut(&mut scenario.trial).adjust(&changes).map_err(Failure::usage)?;
    for &fault in plant {
        if let Some(reason) = experiment::of(&scenario.trial).no_fault(fault) {
            return Err(Failure::usage(anyhow!("--plant {fault} can do nothing here: {reason}")));
        }
    }
    let is_another = scenario.trial != before || changes.bound() || !plant.is_empty();
    if is_another && scenario.expect.take().is_some() {
        let name = scenario.name.as_deref().unwrap_or("the scenario");
        let told =
            format!("abench: {name}: its expectations are left out: they are for its own seed, bounds and engines\n");
        Console::new(When::Auto).write(Stream::Error, &told).map_err(unwritable)?;
    }
    if args.no_reduce {
        // No verdict depends on it: what is expected stays.
        experiment::of_mut(&mut scenario.trial).leave_reduction_out().map_err(Failure::usage)?;
    }
    Ok(scenario)
}
