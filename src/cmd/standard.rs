//! `abench [COUNT [SEED]]`: the standard campaign.

use anyhow::anyhow;
use clap::Args;

use crate::campaign;
use crate::cmd::names;
use crate::cmd::options::RunOptions;
use crate::cmd::waveforms::WaveformPlace;
use crate::cmd::{Failure, RecordPlace, VERBS, attempt, deliver, kept, plan};
use crate::console::Console;
use crate::console::progress::StopRequest;
use crate::domain::nearest::nearest;
use crate::domain::seed::Seed;
use crate::domain::trial::{Count, StandardTrial, Trial};
use crate::report::format::text::Table;
use crate::report::record::Record;
use crate::scenario::Scenario;

/// Arguments of the standard campaign.
#[derive(Debug, Args)]
pub struct StandardArgs {
    /// Number of deltas, 1 to 4294967295 [default: 65537]
    #[arg(value_parser = parse_count, allow_negative_numbers = true)]
    pub count: Option<Count>,
    /// Seed of 64 bits, hexadecimal, with or without 0x [default: 0xDEADBEEF0BADF00D]
    #[arg(value_name = "SEED", id = "SEED", conflicts_with = "seed", allow_negative_numbers = true)]
    pub seed_argument: Option<Seed>,
    /// What is one too many; taken so that the message can say so.
    #[arg(hide = true, allow_negative_numbers = true)]
    pub surplus: Vec<String>,
    /// The options of every run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// Runs it and gives the exit code.
pub fn run(args: &StandardArgs) -> Result<u8, Failure> {
    if let Some(surplus) = args.surplus.first() {
        return Err(Failure::usage(anyhow!("abench takes COUNT and SEED; '{surplus}' is one too many")));
    }
    let published = StandardTrial::published();
    let trial = StandardTrial {
        count: args.count.unwrap_or(published.count),
        seed: args.seed_argument.or(args.run.seed).unwrap_or(published.seed),
        budget: args.run.budget.unwrap_or(published.budget),
        memory_mib: args.run.memory.unwrap_or(published.memory_mib),
        orders: args.run.orders.clone(),
        ..published
    };
    let plan = plan(Scenario::unnamed(Trial::Standard(trial)), &args.run)?;
    let stop = StopRequest::listen();
    if let Some(shard) = args.run.shard {
        return kept::run_shard_of(&plan, shard, &args.run, &stop);
    }
    let place = RecordPlace::open(args.run.record.as_deref())?;
    let waveforms = args.run.waveforms.as_deref();
    let waveform_place = WaveformPlace::of(waveforms, &place);
    let journaled = args.run.journaled(args.run.record.as_deref());
    let console = Console::new(args.run.terminal.color);
    let journal = kept::open(campaign::head(&plan, None), journaled, args.run.resume, console)?;
    let ran = attempt(&plan, args.run.terminal, &stop, &args.run, (place, &journal));
    let delivered =
        ran.and_then(|(ran, place)| deliver(ran, (place, &waveform_place), args.run.terminal, Table::Shown, false));
    let is_whole = delivered.as_ref().is_ok_and(Record::is_whole);
    kept::close(journal, is_whole, Console::new(args.run.terminal.color))?;
    let record = delivered?;
    Ok(record.exit)
}

/// A COUNT; what does not even look like one may be a misspelt verb.
fn parse_count(text: &str) -> Result<Count, String> {
    text.parse().map_err(|error| {
        if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let verb = nearest(text, VERBS.iter().copied()).map(|verb| (verb, format!("abench {verb}")));
            let scenario = nearest(text, names::scenarios()).map(|name| (name, format!("abench run {name}")));
            let of_names = nearest(text, [&verb, &scenario].into_iter().flatten().map(|(name, _)| *name));
            let meant = [scenario, verb].into_iter().flatten().find(|(name, _)| Some(*name) == of_names);
            let meant = meant.map_or(String::new(), |(_, command)| format!("; did you mean {command}?"));
            format!("{error}; nor is it a verb: those are {}{meant}", VERBS.join(", "))
        } else {
            format!("{error}")
        }
    })
}
