//! `abench bandwidth`: a bandwidth report with the user's own numbers.

use std::any::Any;
use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use crate::campaign::{self, Plan};
use crate::cmd::options::{LinkOptions, TerminalOptions, parse_threads};
use crate::cmd::samples::{self, parse_samples};
use crate::cmd::waveforms::WaveformPlace;
use crate::cmd::{Failure, RecordPlace, deliver, execute, kept, outputs, report, run, threads, valid};
use crate::console::Console;
use crate::console::progress::StopRequest;
use crate::domain::bandwidth::impossible::{Impossible, MOST_RECORDS};
use crate::domain::bandwidth::units::{BitRate, Duration, Millis, PerMille, Price, Rate, Share};
use crate::domain::bandwidth::{self, BandwidthTrial, Values};
use crate::domain::offline::{Link, MOST_CLIENTS};
use crate::domain::seed::Seed;
use crate::domain::trial::{Budget, MemoryMib, Trial};
use crate::experiment;
use crate::experiment::bandwidth::size::Sizes;
use crate::report::any::AnyRecord;
use crate::report::document::{Document, Source};
use crate::report::file::Destination;
use crate::report::format::html;
use crate::report::format::text::Table;
use crate::report::record::Record;
use crate::report::seal::Seal;
use crate::scenario::Scenario;
use crate::subject::Conditions;

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # What do 40 clients with 5000 records move, and what does it cost?
  abench bandwidth --records 5000 --changed 2% --clients 40 --syncs-per-day 6
  # One page to hand over
  abench bandwidth field-bandwidth --price-per-mb 0.05 --html page.html

Exit codes: 0 holds, 1 falsified, 3 inconclusive.
abench --help lists all of them.";

/// Arguments of `bandwidth`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BandwidthArgs {
    /// A scenario with a table [bandwidth]: a shipped name, or a path (with a / or ending in .toml). Flags go before its keys
    #[arg(value_name = "SCENARIO")]
    pub scenario: Option<OsString>,
    /// Records that every client has
    #[arg(long, value_name = "N", value_parser = |text: &str| whole(text, 1, MOST_RECORDS), allow_negative_numbers = true)]
    pub records: Option<u32>,
    /// Share of the records that a client changes in a tick, such as 2% or 0.02
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub changed: Option<Share>,
    /// Clients
    #[arg(long, value_name = "N", value_parser = |text: &str| whole(text, 1, MOST_CLIENTS), allow_negative_numbers = true)]
    pub clients: Option<u32>,
    /// How often a client syncs in a day, such as 6, or 0.2 for once in five days
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub syncs_per_day: Option<Rate>,
    /// How often a client changes records in a day [default: as often as it syncs]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub ticks_per_day: Option<Rate>,
    /// What a record holds [default: counters]
    #[arg(long, value_name = "KIND")]
    pub values: Option<ValuesArg>,
    /// Bytes of a counter as its users store it, 2 to 8 [default: 8]
    #[arg(long, value_name = "N", value_parser = |text: &str| whole(text, 2, 8), allow_negative_numbers = true)]
    pub value_bytes: Option<u32>,
    /// Largest change of a counter, either way [default: 100]
    #[arg(long, value_name = "N", value_parser = |text: &str| whole(text, 1, 1_000_000), allow_negative_numbers = true)]
    pub amount: Option<u32>,
    /// Longest time that a client is away, such as 6h [default: a quarter longer than on average]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub away: Option<Duration>,
    /// How long a client stays connected [default: 2m]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub online: Option<Duration>,
    /// What a client's link carries, such as 64kbit or 1Mbit/s [default: 10Mbit]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub link: Option<BitRate>,
    /// Time that a link takes, such as 150ms [default: 20ms]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub latency: Option<Millis>,
    /// Share of the messages that a link loses, such as 3% [default: 0%]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub loss: Option<PerMille>,
    /// Price of a megabyte (1,000,000 bytes), such as 0.05
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true)]
    pub price_per_mb: Option<Price>,
    /// Days that are to be run; where the fewest records are too many for the budget, fewer are run [default: 30]
    #[arg(long, value_name = "N", value_parser = |text: &str| whole(text, 1, 3660), allow_negative_numbers = true)]
    pub days: Option<u32>,
    /// Engines, separated by commas: names of `abench list engines`; the report is about the first [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub engines: Option<Vec<String>>,
    /// Edits that may be delivered to clients in each world; what takes more is scaled down [default: 4000000]
    #[arg(long, value_name = "EDITS")]
    pub budget: Option<Budget>,
    /// Memory that all worlds together may use, in MiB [default: 1024]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<MemoryMib>,
    /// Seed of 64 bits, hexadecimal
    #[arg(long, value_name = "SEED")]
    pub seed: Option<Seed>,
    /// Run the report N times, and keep the times of each run in the record: `abench compare` needs 5 or more [default: one
    /// run, and no samples]
    #[arg(long, value_name = "N", value_parser = parse_samples, conflicts_with = "resume")]
    pub samples: Option<NonZeroU32>,
    /// Threads that worlds run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub threads: Option<NonZeroUsize>,
    /// Write the JSON record to a file, or to standard output with -
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Write the report as one page to a file, to be handed over
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Go on with a run that was stopped or killed: the worlds that ended are in the journal beside the file of --record
    #[arg(long)]
    pub resume: bool,
    /// How the terminal is used.
    #[command(flatten)]
    pub terminal: TerminalOptions,
}

/// What a record holds, on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ValuesArg {
    /// Numbers that users add to and subtract from
    Counters,
    /// Sets of tags that users add and remove
    Tags,
}

/// Runs it and gives the exit code.
pub fn run(args: &BandwidthArgs) -> Result<u8, Failure> {
    let named = args.scenario.iter().filter(|named| outputs::is_path(named));
    let inputs = named.map(|named| ("the scenario", Path::new(named)));
    if args.html.as_deref().is_some_and(|path| path == Path::new("-") || path.as_os_str().is_empty()) {
        return Err(Failure::usage(anyhow!("--html takes the name of a file")));
    }
    let journal = args.record.as_deref().map(kept::beside);
    let outputs = [("--record", &args.record), ("the journal of --record", &journal), ("--html", &args.html)];
    outputs::differ(inputs, outputs.iter().filter_map(|(option, path)| Some((*option, path.as_deref()?))))?;
    let scenario = match &args.scenario {
        Some(named) => adjusted(run::find(named)?, args)?,
        None => Scenario::unnamed(Trial::Bandwidth(Box::new(from_flags(args)?))),
    };
    let link = LinkOptions { baud: None, clock: None, silicon: false }.conditions(&[])?;
    let conditions = Conditions { threads: threads(args.threads), faults: Vec::new(), link };
    let plan = Plan { scenario: valid(scenario)?, backends: Vec::new(), conditions };
    let place = RecordPlace::open(args.record.as_deref())?;
    let page = args.html.as_deref().map(Destination::open).transpose()?;
    let waveforms = WaveformPlace::of(None, &place);
    // A run for its times has no journal: it must do all its work, and no more.
    let journaled = args.record.as_deref().filter(|_| args.samples.is_none());
    let journal = kept::open(campaign::head(&plan, None), journaled, args.resume, Console::new(args.terminal.color))?;
    let stop = StopRequest::listen();
    let ran = samples::repeated(&plan, args.samples, || execute(&plan, args.terminal, &stop, None, &journal));
    let delivered = ran.and_then(|ran| deliver(ran, (place, &waveforms), args.terminal, Table::Left, false));
    let is_whole = delivered.as_ref().is_ok_and(Record::is_whole);
    kept::close(journal, is_whole, Console::new(args.terminal.color))?;
    let record = delivered?;
    if let Some(page) = page {
        let file = args.record.as_ref().map_or("RECORD".to_owned(), |path| path.display().to_string());
        page.write(&html::render(&document(&record, file)))?;
    }
    Ok(record.exit)
}

/// The document of a record that was just made.
fn document(record: &Record, file: String) -> Document {
    let again = report::again(record);
    let source = Source { file, record: AnyRecord::Run(Box::new(record.clone())), seal: Seal::Intact, again };
    Document::of(&[source], experiment::view)
}

/// The trial of these flags alone.
fn from_flags(args: &BandwidthArgs) -> Result<BandwidthTrial, Failure> {
    let needed = [
        ("--records", args.records.is_some()),
        ("--changed", args.changed.is_some()),
        ("--clients", args.clients.is_some()),
        ("--syncs-per-day", args.syncs_per_day.is_some()),
    ];
    let missing: Vec<&str> = needed.iter().filter(|(_, given)| !given).map(|(flag, _)| *flag).collect();
    let (Some(records), Some(changed), Some(clients), Some(syncs_per_day)) =
        (args.records, args.changed, args.clients, args.syncs_per_day)
    else {
        return Err(Failure::usage(anyhow!(
            "a bandwidth report needs {}, or a scenario with a table [bandwidth]; for example: abench bandwidth --records \
             5000 --changed 2% --clients 40 --syncs-per-day 6",
            missing.join(", ")
        )));
    };
    let trial = BandwidthTrial {
        seed: bandwidth::default_seed(),
        records,
        changed,
        clients,
        syncs_per_day,
        ticks_per_day: None,
        values: Values::default(),
        value_bytes: bandwidth::default_value_bytes(),
        amount: bandwidth::default_amount(),
        away: None,
        online: bandwidth::default_online(),
        link: Link::default(),
        price_per_mb: None,
        days: bandwidth::default_days(),
        engines: bandwidth::all(),
        budget: bandwidth::default_budget(),
        memory_mib: bandwidth::default_memory(),
    };
    let trial = with_flags(trial, args);
    let refused = |impossible: Impossible| Failure::usage(anyhow!("{}", as_flags(&impossible.to_string())));
    trial.impossible_key().map_or(Ok(()), |impossible| Err(refused(impossible)))?;
    Sizes::of(&trial).map_err(refused)?;
    Ok(trial)
}

/// A scenario's numbers, with those of the flags in their place.
fn adjusted(mut scenario: Scenario, args: &BandwidthArgs) -> Result<Scenario, Failure> {
    // The verb is that of one kind: it asks for its own keys.
    let keys: &dyn Any = scenario.trial.keys();
    let Some(trial) = keys.downcast_ref::<BandwidthTrial>() else {
        let name = scenario.name.as_deref().unwrap_or("the scenario");
        let table = scenario.trial.table();
        return Err(Failure::usage(anyhow!(
            "{name} has a table [{table}], not [bandwidth]; abench run {name} runs it"
        )));
    };
    let changed = with_flags(trial.clone(), args);
    if changed != *trial && scenario.expect.take().is_some() {
        let name = scenario.name.as_deref().unwrap_or("the scenario");
        Console::new(args.terminal.color)
            .say(&format!("abench: {name}: its expectations are left out: they are for its own numbers"));
    }
    scenario.trial = Trial::Bandwidth(Box::new(changed));
    Ok(scenario)
}

/// A trial with what the flags name.
fn with_flags(trial: BandwidthTrial, args: &BandwidthArgs) -> BandwidthTrial {
    let link = Link {
        bits_per_s: args.link.map_or(trial.link.bits_per_s, BitRate::get),
        latency_ms: args.latency.map_or(trial.link.latency_ms, Millis::get),
        lost_per_mille: args.loss.map_or(trial.link.lost_per_mille, PerMille::get),
        ..trial.link
    };
    let values = args.values.map_or(trial.values, |values| match values {
        ValuesArg::Counters => Values::Counters,
        ValuesArg::Tags => Values::Tags,
    });
    BandwidthTrial {
        seed: args.seed.unwrap_or(trial.seed),
        records: args.records.unwrap_or(trial.records),
        changed: args.changed.unwrap_or(trial.changed),
        clients: args.clients.unwrap_or(trial.clients),
        syncs_per_day: args.syncs_per_day.unwrap_or(trial.syncs_per_day),
        ticks_per_day: args.ticks_per_day.or(trial.ticks_per_day),
        values,
        value_bytes: args.value_bytes.unwrap_or(trial.value_bytes),
        amount: args.amount.unwrap_or(trial.amount),
        away: args.away.or(trial.away),
        online: args.online.unwrap_or(trial.online),
        link,
        price_per_mb: args.price_per_mb.or(trial.price_per_mb),
        days: args.days.unwrap_or(trial.days),
        engines: args.engines.clone().unwrap_or(trial.engines),
        budget: args.budget.unwrap_or(trial.budget),
        memory_mib: args.memory.unwrap_or(trial.memory_mib),
    }
}

/// A message about keys, in the words of the command line.
fn as_flags(message: &str) -> String {
    const KEYS: [&str; 15] = [
        "records",
        "changed",
        "clients",
        "syncs_per_day",
        "value_bytes",
        "values",
        "amount",
        "away",
        "online",
        "link",
        "days",
        "engines",
        "budget",
        "memory_mib",
        "price_per_mb",
    ];
    let words = message.split(' ').collect::<Vec<_>>();
    let mut told = Vec::new();
    let mut place = 0;
    while place < words.len() {
        let word = words[place];
        let key = KEYS.iter().find(|key| **key == word).filter(|_| words.get(place + 1) == Some(&"="));
        match key {
            Some(&"memory_mib") => told.push("--memory".to_owned()),
            Some(key) => told.push(format!("--{}", key.replace('_', "-"))),
            None => told.push(word.to_owned()),
        }
        place += if key.is_some() { 2 } else { 1 };
    }
    told.join(" ")
}

/// A whole number within bounds.
fn whole(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    let digits_alone = text.bytes().all(|byte| byte.is_ascii_digit());
    number
        .filter(|_| digits_alone)
        .ok_or_else(|| format!("'{text}' is not allowed; whole numbers from {least} to {most} are"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_messages_are_told_as_flags() {
        let told = as_flags("away = 9h does not go together with syncs_per_day = 6, and memory_mib = 8 is allowed");
        assert_eq!(told, "--away 9h does not go together with --syncs-per-day 6, and --memory 8 is allowed");
    }
}
