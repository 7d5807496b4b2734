//! Options that several verbs take.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use crate::console::When;
use crate::domain::explorer::ExplorerSpec;
use crate::domain::fault::Fault;
use crate::domain::seed::Seed;
use crate::domain::trial::Budget;

/// Options of every run.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// Backends, separated by commas: scalar, simd, threads, model or model:BANKS, software for the first three [default:
    /// software,model]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub backend: Option<Vec<String>>,
    /// Seed of 64 bits, hexadecimal; in place of the argument, or of a scenario's own
    #[arg(long, value_name = "SEED", id = "seed")]
    pub seed: Option<Seed>,
    /// Deliveries that the arrival orders may make to each subject: a number, or nominal seconds such as 10s
    /// [default: 16777216]
    #[arg(long, value_name = "DELIVERIES")]
    pub budget: Option<Budget>,
    /// Arrival orders: auto, all, covering:T, sample:K, adversarial or replay:SCHEDULE (see `abench list explorers`)
    /// [default: all if there are at most 64, else adversarial and 64 drawn]
    #[arg(long, value_name = "SPEC")]
    pub orders: Option<ExplorerSpec>,
    /// Plant a fault in a model or a simulation; may be given again for another one (see `abench list faults`)
    #[arg(long, value_name = "FAULT")]
    pub plant: Vec<Fault>,
    /// Write the JSON record to a file, or to standard output with -
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Folder for waveforms of what goes wrong in a device that is simulated from RTL [default: that of the record]
    #[arg(long, value_name = "FOLDER")]
    pub waveforms: Option<PathBuf>,
    /// Threads of the backend `threads` [default: all cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub threads: Option<NonZeroUsize>,
    /// How the terminal is used.
    #[command(flatten)]
    pub terminal: TerminalOptions,
}

/// How the terminal is used.
#[derive(Clone, Copy, Debug, Args)]
pub struct TerminalOptions {
    /// When to show progress on standard error
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub progress: When,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: When,
}

/// A number of threads.
pub fn parse_threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|number| number.get() <= 1024);
    number.ok_or_else(|| format!("'{text}' is not a number of threads; allowed are whole numbers from 1 to 1024"))
}
