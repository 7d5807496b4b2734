//! `abench merge SHARD...`: the shards of one run, as one record.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use crate::campaign;
use crate::cmd::kept::END;
use crate::cmd::options::{LinkOptions, TerminalOptions};
use crate::cmd::waveforms::WaveformPlace;
use crate::cmd::{Failure, Ran, RecordPlace, asked_plan, deliver, open_subjects, outputs};
use crate::console::Console;
use crate::console::progress::{ProgressWatch, StopRequest};
use crate::domain::subject::SubjectError;
use crate::domain::verdict::exit;
use crate::report::format::text::Table;
use crate::report::journal::{Head, Journal, Shard, difference};

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # The shards of a run that was split with --shard, as one record
  abench merge part1.jsonl part2.jsonl --record whole.json";

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
    #[arg(long, value_name = "N")]
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
    let journal = put_together(&args.shards)?;
    let plan = asked_plan(&journal.head.asked, "the shards", args.link, args.threads)?;
    let place = RecordPlace::open(args.record.as_deref())?;
    let waveform_place = WaveformPlace::of(args.waveforms.as_deref(), &place);
    let mut subjects = open_subjects(&plan, args.waveforms.as_deref())?;
    let console = Console::new(args.terminal.color);
    let mut watch = ProgressWatch::new(console, args.terminal.progress, StopRequest::listen());
    let mut record = match campaign::merged(&plan, &journal, &mut subjects, &mut watch) {
        Ok(record) => record,
        Err(SubjectError::Interrupted) => {
            console.say("abench: stopped by the user before the shards were put together");
            return Ok(exit::INTERRUPTED);
        }
        Err(error @ SubjectError::Internal(_)) => return Err(Failure { exit: exit::INTERNAL, error: error.into() }),
        Err(error) => return Err(Failure::usage(error)),
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
        let Some(journal) = Journal::read(path)? else {
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
    let mut journals = journals.into_values().map(|(_, journal)| journal);
    let first = journals.next().expect("at least one file is named");
    let mut whole = Journal::none(Head { shard: None, ..first.head.clone() });
    whole.take(first);
    journals.for_each(|journal| whole.take(journal));
    Ok(whole)
}
