//! The command line: flags and arguments, and which verb they mean.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::console::When;
use crate::domain::fault::Fault;
use crate::domain::seed::Seed;
use crate::domain::trial::{Budget, Count};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "abench",
    version,
    about = "A seeded benchmark and falsification harness for offline-first delta-state sync",
    long_about = "A seeded benchmark and falsification harness for offline-first delta-state sync.\n\nWithout a verb: the \
                  standard campaign. It reproduces the published bank sweep, closes its blind spot, delivers the deltas \
                  in many orders, tries the adapter and weighs a sync tick; then it says what it cannot see.",
    after_help = "Exit codes: 0 holds, 1 falsified, 2 usage or scenario error, 3 inconclusive, 4 backend unavailable, \
                  70 internal error, 130 interrupted.",
    args_conflicts_with_subcommands = true,
    subcommand_value_name = "VERB",
    subcommand_help_heading = "Verbs"
)]
pub struct Cli {
    /// What to do; without one, the standard campaign.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// The standard campaign's arguments.
    #[command(flatten)]
    pub standard: StandardArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run scenarios: files, or names of shipped ones
    Run(RunArgs),
    /// Run a counterexample, or a whole record, again
    Replay(ReplayArgs),
    /// List scenarios, backends, explorers and faults
    List(ListArgs),
}

/// Arguments of the standard campaign.
#[derive(Debug, Args)]
pub struct StandardArgs {
    /// Number of deltas, 1 to 4294967295 [default: 65537]
    #[arg(value_parser = parse_count, allow_negative_numbers = true)]
    pub count: Option<Count>,
    /// Seed of 64 bits, hexadecimal, with or without 0x [default: 0xDEADBEEF0BADF00D]
    #[arg(value_name = "SEED", id = "SEED", conflicts_with = "seed", allow_negative_numbers = true)]
    pub seed_argument: Option<Seed>,
    /// The options of every run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// A scenario: a shipped name, or a path (with a / or ending in .toml)
    #[arg(required = true, value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// The options of every run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A case as a report shows it (case1,…), or a file that holds a case or a record; - for standard input
    #[arg(value_name = "CASE|FILE")]
    pub what: String,
    /// Threads of the backend `threads` [default: all cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub threads: Option<NonZeroUsize>,
    /// How the terminal is used.
    #[command(flatten)]
    pub terminal: TerminalOptions,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to list; all of it if nothing is named
    pub what: Option<Listed>,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Listed {
    /// Shipped scenarios.
    Scenarios,
    /// Backends of this build.
    Backends,
    /// Explorers of arrival orders.
    Explorers,
    /// Faults that can be planted.
    Faults,
}

/// Options of every run.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// Backends, separated by commas: scalar, simd, threads, model[:BANKS], software for the first three [default:
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
    /// Plant a fault in the model; may be given again for another one (see `abench list faults`)
    #[arg(long, value_name = "FAULT")]
    pub plant: Vec<Fault>,
    /// Write the JSON record to a file, or to standard output with -
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
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

/// A COUNT; what does not even look like one may be a misspelt verb.
fn parse_count(text: &str) -> Result<Count, String> {
    text.parse().map_err(|error| {
        if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            format!("{error}; nor is it a verb: those are run, replay, list and help")
        } else {
            format!("{error}")
        }
    })
}

fn parse_threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|number| number.get() <= 1024);
    number.ok_or_else(|| format!("'{text}' is not a number of threads; allowed are whole numbers from 1 to 1024"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_help_that_starts_with_a_capital_and_ends_without_a_full_stop() {
        fn visit(command: &clap::Command) {
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let starts = help.chars().next().is_some_and(char::is_uppercase);
                assert!(starts && !help.ends_with('.'), "{} {}: {help}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(visit);
        }
        visit(&Cli::command());
    }
}
