//! The command line: flags and arguments, and which verb they mean.

use clap::{Parser, Subcommand};

use crate::cmd::bandwidth::BandwidthArgs;
use crate::cmd::compare::CompareArgs;
use crate::cmd::completions::CompletionsArgs;
use crate::cmd::convert::ConvertArgs;
use crate::cmd::emulate::EmulateArgs;
use crate::cmd::engine::EngineArgs;
use crate::cmd::falsify::FalsifyArgs;
use crate::cmd::list::ListArgs;
use crate::cmd::maelstrom::MaelstromArgs;
use crate::cmd::man::ManArgs;
use crate::cmd::merge::MergeArgs;
use crate::cmd::qualify::QualifyArgs;
use crate::cmd::replay::ReplayArgs;
use crate::cmd::report::ReportArgs;
use crate::cmd::run::RunArgs;
use crate::cmd::show::ShowArgs;
use crate::cmd::standard::StandardArgs;

/// Commands to start from, and what the exit code says.
const AFTER_HELP: &str = "\
Examples:
  # The published run
  abench
  # Your own COUNT and SEED
  abench 1000003 0xC0FFEE
  # A world of clients; abench list scenarios names the others
  abench run field-tally

Exit codes: 0 holds, 1 falsified, 2 usage or scenario error, 3 inconclusive, 4 backend unavailable, \
5 regression, 70 internal error, 130 interrupted.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "abench",
    bin_name = "abench",
    version = env!("ABENCH_VERSION"),
    about = "A seeded benchmark and falsification harness for offline-first delta-state sync",
    long_about = "A seeded benchmark and falsification harness for offline-first delta-state sync.\n\nWithout a verb: the \
                  standard campaign. It reproduces the published bank sweep, closes its blind spot, delivers the deltas \
                  in many orders, tries the adapter and weighs a sync tick; then it says what it cannot see.",
    after_help = AFTER_HELP,
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
    /// Put published claims on trial, and print the ledger of what became of them
    Falsify(Box<FalsifyArgs>),
    /// Measure what sync takes with your own numbers: bytes a sync, a day and a month, and what they cost
    Bandwidth(Box<BandwidthArgs>),
    /// Run a counterexample, or a whole record, again
    Replay(ReplayArgs),
    /// Compare a record with an older one: the gate against regressions
    Compare(CompareArgs),
    /// Plant faults under scenarios, and report what these would miss
    Qualify(QualifyArgs),
    /// Put the shards of one run together, as one record
    Merge(MergeArgs),
    /// Make a page, a comment or a text of records
    Report(ReportArgs),
    /// Serve a device to other programs, over UARTBone, Etherbone or the serial protocol
    Emulate(EmulateArgs),
    /// Try whether a command is an engine that can stand trial
    Engine(EngineArgs),
    /// Be a Maelstrom node: the reference, for a harness that is not abench
    Maelstrom(MaelstromArgs),
    /// Convert scenarios and records of an older version
    Convert(ConvertArgs),
    /// List what has a name: scenarios, backends, engines, faults, judges and more
    List(ListArgs),
    /// Print the file of a shipped scenario, to copy and to change, or the schema of scenarios
    Show(ShowArgs),
    /// Print what a shell needs to complete verbs, options and names
    Completions(CompletionsArgs),
    /// Print the manual page of abench or of a verb, or write all pages to a folder
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    use crate::cmd::{names, outputs};
    use crate::scenario::shipped;
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

    #[test]
    fn the_help_of_every_verb_that_gives_a_verdict_tells_its_exit_codes() {
        let command = Cli::command();
        let verbs = ["run", "falsify", "bandwidth", "replay", "compare", "qualify", "merge", "engine"];
        for verb in verbs {
            let of_verb = command.find_subcommand(verb).expect("a verb");
            let help = of_verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("\nExit codes: ") && help.contains("abench --help lists all"), "{verb}: {help}");
        }
    }

    /// The commands under `Examples:` in a help: what a shell would run, up to a pipe or a redirection.
    fn examples(command: &clap::Command) -> Vec<Vec<String>> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let block = help.split_once("Examples:\n").map_or("", |(_, block)| block);
        let commands = block.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with('#'));
        let words = |line: &str| {
            let words = shlex::split(line).unwrap_or_default().into_iter();
            words.take_while(|word| !["|", ">"].contains(&word.as_str())).collect()
        };
        commands.map(words).collect()
    }

    #[test]
    fn every_verb_has_examples_of_itself_in_its_help_and_all_of_them_are_well_formed() {
        let command = Cli::command();
        for verb in [&command].into_iter().chain(command.get_subcommands()) {
            let examples = examples(verb);
            let is_own = |words: &Vec<String>| words.get(1).is_some_and(|word| word == verb.get_name());
            let has_own = examples.first().is_some_and(|words| is_own(words) || verb.get_name() == "abench");
            assert!(has_own, "the help of {} has no example of it under Examples:", verb.get_name());
            for words in examples {
                let parsed = Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
                let scenarios = match parsed.verb {
                    Some(Verb::Run(args)) => args.scenarios,
                    Some(Verb::Qualify(args)) => args.scenarios,
                    Some(Verb::Show(args)) => vec![args.name.into()],
                    _ => Vec::new(),
                };
                let is_there = |name: &OsString| {
                    let shown = |name: &str| shipped::find(name).is_some() || names::shown().contains(&name);
                    outputs::is_path(name) || name.to_str().is_some_and(shown)
                };
                assert!(scenarios.iter().all(is_there), "{words:?} names a scenario that is not shipped");
            }
        }
    }

    #[test]
    fn lines_of_examples_fit_a_terminal_of_80_columns() {
        let command = Cli::command();
        for verb in [&command].into_iter().chain(command.get_subcommands()) {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.lines().filter(|line| line.starts_with("  "));
            examples.for_each(|line| assert!(line.len() <= 80, "{line}"));
        }
    }
}
