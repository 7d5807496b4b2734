//! Options that several verbs take.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::anyhow;
use clap::builder::StringValueParser;
use clap::{Args, ValueHint};

use crate::bus::stream::DEFAULT_BAUD;
use crate::cmd::Failure;
use crate::cmd::names::WithNames;
use crate::cmd::samples::parse_samples;
use crate::console::When;
use crate::device::registers::CLOCK_HZ;
use crate::domain::explorer::ExplorerSpec;
use crate::domain::fault::Fault;
use crate::domain::seed::Seed;
use crate::domain::trial::{Budget, MemoryMib};
use crate::report::document::Detail;
use crate::report::journal::Shard;
use crate::subject::Backend;
use crate::subject::attestation::Attestation;
use crate::subject::links::LinkConditions;

/// Options of every run.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// Backends, separated by commas: scalar, simd, threads, model or model:BANKS, software for the first three; rtl in a
    /// build with that feature; or a link to a device (see `abench list backends`) [default: software,model]
    #[arg(long, value_name = "LIST", value_delimiter = ',', hide_possible_values = true,
          value_parser = WithNames::of_backends(StringValueParser::new()))]
    pub backend: Option<Vec<String>>,
    /// Put your own Verilog on trial: the .v and .sv files in DIR, whose module abench_top (or NAME) has the ports of
    /// rtl/abench_top.v. Needs Verilator and a C++ compiler. Added to --backend, and in place of the model without it
    #[arg(long, value_name = "DIR[@top=NAME]", value_hint = ValueHint::DirPath)]
    pub rtl: Option<String>,
    /// Seed of 64 bits, hexadecimal; in place of the argument, or of a scenario's own
    #[arg(long, value_name = "SEED", id = "seed")]
    pub seed: Option<Seed>,
    /// Deliveries that the arrival orders may make to each subject: a number, or nominal seconds such as 10s
    /// [default: 16777216]
    #[arg(long, value_name = "DELIVERIES")]
    pub budget: Option<Budget>,
    /// Memory that the arrival orders, or a world of clients, may use, in MiB [default: 256, and 4096 for a world]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<MemoryMib>,
    /// Arrival orders: auto, standard, exhaustive, all, covering:T, sample:K, adversarial or replay:SCHEDULE (see
    /// `abench list explorers`) [default: standard for COUNT and SEED, auto for a scenario that names none]
    #[arg(long, value_name = "SPEC")]
    pub orders: Option<ExplorerSpec>,
    /// Engines of a world of clients, separated by commas: names of `abench list engines`, or all; in place of a scenario's own
    #[arg(long, value_name = "LIST", value_delimiter = ',', hide_possible_values = true,
          value_parser = WithNames::of_engines(StringValueParser::new()))]
    pub engines: Vec<String>,
    /// Plant a fault in a model or a simulation; may be given again for another one (see `abench list faults`)
    #[arg(long, value_name = "FAULT", hide_possible_values = true,
          value_parser = WithNames::of_faults(Fault::from_str))]
    pub plant: Vec<Fault>,
    /// Write the JSON record to a file, or to standard output with -
    #[arg(long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub record: Option<PathBuf>,
    /// Go on with a run that was stopped or killed: the jobs that ended are in the journal beside the file of --record
    #[arg(long)]
    pub resume: bool,
    /// Run part K of N of the jobs, and keep what they come to in the file of --record; abench merge puts the N files together
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Folder for waveforms of what goes wrong in a device that is simulated from RTL, or none for none [default: that of
    /// the record, or else the current folder]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub waveforms: Option<PathBuf>,
    /// Run the trial N times, and keep the times of each run in the record: `abench compare` needs 5 or more [default: one
    /// run, and no samples]
    #[arg(long, value_name = "N", value_parser = parse_samples, conflicts_with_all = ["resume", "shard"])]
    pub samples: Option<NonZeroU32>,
    /// Threads of the backend `threads`, and of walks over every order [default: all cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub threads: Option<NonZeroUsize>,
    /// How the other ends of links are reached.
    #[command(flatten)]
    pub link: LinkOptions,
    /// How the terminal is used.
    #[command(flatten)]
    pub terminal: TerminalOptions,
}

impl RunOptions {
    /// The record that has a journal beside it. A run for its times has none: it must do all its work, and no more.
    pub fn journaled<'a>(&self, record: Option<&'a Path>) -> Option<&'a Path> {
        record.filter(|_| self.samples.is_none())
    }

    /// A run of which nothing is asked besides its scenario.
    pub fn plain(terminal: TerminalOptions) -> Self {
        RunOptions {
            backend: None,
            rtl: None,
            seed: None,
            budget: None,
            memory: None,
            orders: None,
            engines: Vec::new(),
            plant: Vec::new(),
            record: None,
            samples: None,
            resume: false,
            shard: None,
            waveforms: None,
            threads: None,
            link: LinkOptions::default(),
            terminal,
        }
    }
}

/// How the other ends of links are reached, and what is said of them.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct LinkOptions {
    /// Bits per second of a serial line; refused where no backend is a tty [default: 115200]
    #[arg(long, value_name = "RATE", value_parser = parse_baud)]
    pub baud: Option<u32>,
    /// Clock of the bench engines behind links, in cycles per second, 1000000 to 1000000000: how long a run may take
    /// depends on it. Refused where no backend is one [default: 100000000]
    #[arg(long, value_name = "HZ", value_parser = parse_clock)]
    pub clock: Option<u64>,
    /// Say that a board is at the other end of every link: its evidence is then silicon, where it would be unattested.
    /// Refused where an emulator answers
    #[arg(long)]
    pub silicon: bool,
}

impl LinkOptions {
    /// What the links of these backends are opened under.
    pub fn conditions(&self, backends: &[Backend]) -> Result<LinkConditions, Failure> {
        if self.silicon && !backends.iter().any(Backend::is_linked) {
            return Err(Failure::usage(anyhow!(
                "--silicon is said of the other end of a link, and no backend is one: uartbone, etherbone, serial, devmem or \
                 uio"
            )));
        }
        if let Some(baud) = self.baud.filter(|_| !backends.iter().any(Backend::is_on_tty)) {
            return Err(Failure::usage(anyhow!(
                "--baud {baud} can do nothing here: it is the rate of a tty, and no backend is on one: uartbone:PATH or \
                 serial:PATH"
            )));
        }
        if let Some(clock) = self.clock.filter(|_| !backends.iter().any(Backend::has_a_clock_of_its_own)) {
            return Err(Failure::usage(anyhow!(
                "--clock {clock} can do nothing here: it is the clock of a bench engine behind a link, and no backend is one: \
                 uartbone, etherbone, devmem or uio"
            )));
        }
        let attestation = if self.silicon { Attestation::Silicon } else { Attestation::None };
        let (baud, clock_hz) = (self.baud.unwrap_or(DEFAULT_BAUD), self.clock.unwrap_or(CLOCK_HZ));
        Ok(LinkConditions { baud, clock_hz, attestation })
    }
}

/// A number of bits per second.
fn parse_baud(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|baud| (50..=20_000_000).contains(baud));
    number.ok_or_else(|| format!("'{text}' is not a line rate; allowed are whole numbers from 50 to 20000000"))
}

/// A number of clock cycles per second.
fn parse_clock(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|clock| (1_000_000..=1_000_000_000).contains(clock));
    number.ok_or_else(|| {
        format!("'{text}' is not a clock in cycles per second; allowed are whole numbers from 1000000 to 1000000000")
    })
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
    /// Print the checks and counterexamples, too; -vv prints everything
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print the verdict alone
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl TerminalOptions {
    /// How much a report tells.
    pub fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Verdict,
            (false, 0) => Detail::Screen,
            (false, 1) => Detail::Checks,
            (false, _) => Detail::All,
        }
    }
}

/// A number of threads.
pub fn parse_threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|number| number.get() <= 1024);
    number.ok_or_else(|| format!("'{text}' is not a number of threads; allowed are whole numbers from 1 to 1024"))
}
