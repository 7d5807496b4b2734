//! The command line: flags and arguments, and which verb they mean.

use clap::{Parser, Subcommand};

use crate::cmd::convert::ConvertArgs;
use crate::cmd::emulate::EmulateArgs;
use crate::cmd::list::ListArgs;
use crate::cmd::merge::MergeArgs;
use crate::cmd::qualify::QualifyArgs;
use crate::cmd::replay::ReplayArgs;
use crate::cmd::run::RunArgs;
use crate::cmd::show::ShowArgs;
use crate::cmd::standard::StandardArgs;

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
    Run(Box<RunArgs>),
    /// Run a counterexample, or a whole record, again
    Replay(ReplayArgs),
    /// Plant faults under scenarios, and report what these would miss
    Qualify(QualifyArgs),
    /// Put the shards of one run together, as one record
    Merge(MergeArgs),
    /// Serve a device to other programs, over UARTBone, Etherbone or the serial protocol
    Emulate(EmulateArgs),
    /// Convert scenarios and records of an older version
    Convert(ConvertArgs),
    /// List scenarios, backends, explorers, algebras, engines, mutants, faults and disturbances
    List(ListArgs),
    /// Print the file of a shipped scenario, to copy and to change
    Show(ShowArgs),
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
    fn messages_name_all_verbs() {
        let command = Cli::command();
        let verbs: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).chain(["help"]).collect();
        assert_eq!(verbs, crate::cmd::VERBS);
    }

    #[test]
    fn every_flag_has_a_help_that_starts_with_a_capital_and_ends_without_a_full_stop() {
        fn visit(command: &clap::Command) {
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let starts = help.chars().next().is_some_and(char::is_uppercase);
                assert!(starts && !help.ends_with('.'), "{} {}: {help}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(visit);
        }
        visit(&Cli::command());
    }
}
