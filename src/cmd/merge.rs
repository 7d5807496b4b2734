//! `abench merge SHARD...`: the shards of one run, as one record.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;

use crate::campaign;
use crate::cmd::kept::END;
use crate::cmd::options::{LinkOptions, TerminalOptions, parse_threads};
use crate::cmd::report::MOST_BYTES;
use crate::cmd::waveforms::WaveformPlace;
use crate::cmd::{Failure, Ran, RecordPlace, asked_plan, deliver, open_subjects, outputs, qualify};
use crate::console::Console;
use crate::console::progress::{ProgressWatch, StopRequest};
use crate::domain::subject::SubjectError;
use crate::domain::verdict::exit;
use crate::report::format::text::Table;
use crate::report::journal::{Head, Journal, JournalError, Shard, Work, difference};
use crate::report::{any, input};

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # The shards of a run that was split with --shard, as one record
  abench merge part1.jsonl part2.jsonl --record whole.json

Exit codes: that of the whole run.
abench --help lists all of them.";

/// Arguments of `merge`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct MergeArgs {
    /// The files of all shards of a run, in any order
    #[arg(required = true, value_name = "SHARD")]
    pub shards: Vec<PathBuf>,
    /// Write the JSON record to a file, or to standard output with -
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Folder for waveforms of what goes wrong in a device that is simulated from RTL, or none for none
    #[arg(long, value_name = "FOLDER")]
    pub waveforms: Option<PathBuf>,
    /// Threads for what is left to do [default: all cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub threads: Option<NonZeroUsize>,
    /// How the other ends of links are reached.
    #[command(flatten)]
    pub link: LinkOptions,
    /// How the terminal is used.
    #[command(flatten)]
    pub terminal: TerminalOptions,
}

/// Puts them together and gives the exit code of the run.
pub fn run(args: &MergeArgs) -> Result<u8, Failure> {
    let inputs = args.shards.iter().map(|path| ("the shard", path.as_path()));
    outputs::differ(inputs, args.record.iter().map(|path| ("--record", path.as_path())))?;
    let console = Console::new(args.terminal.color);
    let mut watch = ProgressWatch::new(console, args.terminal.progress, StopRequest::listen());
    let journal = put_together(&args.shards)?;
    let asked = match &journal.head.asked {
        Work::Run(asked) => asked,
        Work::Qualification(asked) => {
            if args.waveforms.is_some() {
                return Err(Failure::usage(anyhow!(
                    "--waveforms is about runs, and these are shards of a qualification"
                )));
            }
            let place = RecordPlace::open(args.record.as_deref())?;
            return qualify::merge(asked, &journal, place, (args.terminal, args.threads), &mut watch);
        }
    };
    let plan = asked_plan(asked, "the shards", args.link, args.threads)?;
    let place = RecordPlace::open(args.record.as_deref())?;
    let waveform_place = WaveformPlace::of(args.waveforms.as_deref(), &place);
    let mut subjects = open_subjects(&plan, args.waveforms.as_deref())?;
    let mut record = match campaign::merged(&plan, &journal, &mut subjects, &mut watch) {
        Ok(record) => record,
        Err(SubjectError::Interrupted) => {
            console.say("abench: stopped by the user before the shards were put together");
            return Ok(exit::INTERRUPTED);
        }
        Err(error) => return Err(error.into()),
    };
    let waveforms = campaign::waveforms::look_into(&mut record, &subjects, &mut watch);
    let record = deliver(Ran { record, waveforms }, (place, &waveform_place), args.terminal, Table::Shown, false)?;
    Ok(record.exit)
}

/// All outcomes of a run, if these are its shards, each once and each whole.
fn put_together(paths: &[PathBuf]) -> Result<Journal, Failure> {
    let refused = |error: anyhow::Error| Err(Failure::usage(error));
    let mut journals: BTreeMap<Shard, (&PathBuf, Journal)> = BTreeMap::new();
    for path in paths {
        let Some(journal) = Journal::read(path).map_err(|error| no_shard(path, error))? else {
            let path = path.display();
            return refused(anyhow!("{path}: not a shard: a shard is what abench run writes with --shard K/N"));
        };
        let Some(shard) = journal.head.shard else {
            return refused(anyhow!("{}: the journal of a whole run, and not of a shard", path.display()));
        };
        if !journal.has(END) {
            return refused(anyhow!("{}: shard {shard} did not end; go on with it by --resume", path.display()));
        }
        if let Some((first, _)) = journals.get(&shard) {
            let (first, path) = (first.display(), path.display());
            return refused(anyhow!("shard {shard} comes twice, in {first} and in {path}: name each shard once"));
        }
        if let Some((first, (known, other))) = journals.iter().next() {
            let whole = |head: &Head| Head { shard: None, ..head.clone() };
            let differs = difference(&whole(&other.head), &whole(&journal.head));
            let differs = differs.or((first.of != shard.of).then_some("the number of shards"));
            if let Some(what) = differs {
                let (known, path) = (known.display(), path.display());
                return refused(anyhow!("{known} and {path} are shards of different runs: {what} differs"));
            }
        }
        journals.insert(shard, (path, journal));
    }
    let of = journals.keys().next().map_or(0, |shard| shard.of.get());
    let has = |number: &u32| journals.keys().any(|shard| shard.number.get() == *number);
    let missing: Vec<String> = (1..=of).filter(|number| !has(number)).map(|number| format!("{number}/{of}")).collect();
    if !missing.is_empty() {
        return refused(anyhow!("shards that are missing: {}", missing.join(", ")));
    }
    let head = journals.values().next().map(|(_, journal)| journal.head.clone()).expect("at least one file is named");
    let mut whole = Journal::none(Head { shard: None, ..head });
    let mut taken: Vec<&PathBuf> = Vec::new();
    for (path, journal) in journals.into_values() {
        if let Err(job) = whole.take(journal) {
            let has =
                |path: &&&PathBuf| Journal::read(path).is_ok_and(|journal| journal.is_some_and(|of| of.has(&job)));
            let first = taken.iter().find(has).map_or(String::new(), |path| path.display().to_string());
            return refused(anyhow!(
                "{first} and {} have different outcomes of the job '{job}': what was run was not the same, or does not repeat \
                 itself; run both shards again",
                path.display()
            ));
        }
        taken.push(path);
    }
    Ok(whole)
}

/// Why a file is no shard. Of a record it is said what shows it.
fn no_shard(path: &Path, error: JournalError) -> Failure {
    let text = input::text(path, MOST_BYTES).unwrap_or_default();
    match (&error, any::from_text(&text, "")) {
        (JournalError::Foreign { .. }, Ok(opened)) => Failure::usage(anyhow!(
            "{}: the record of {}, and not a shard: abench report shows it, and a shard is what abench run writes with \
             --shard K/N",
            path.display(),
            opened.record.kind()
        )),
        _ => error.into(),
    }
}
