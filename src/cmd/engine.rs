//! `abench engine check COMMAND`: whether a command is an engine that can stand trial.

use clap::{Args, Subcommand};

use crate::cmd::{Failure, unwritable};
use crate::console::progress::end_processes_with_abench;
use crate::console::{Console, Stream, When};
use crate::domain::verdict::exit;
use crate::engine::process::check::{self, Outcome, Step};

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # An adapter that you write: what does it lack?
  abench engine check ./my_adapter.py
  # Then put it on trial in a world, beside the reference
  abench run field-tally --engines delta-state,mine=cmd:./my_adapter.py

Exit codes: 0 it can stand trial, 1 a step failed, 4 it cannot be started.
abench --help lists all of them.";

/// Arguments of `engine`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_value_name = "WHAT", subcommand_help_heading = "What")]
pub struct EngineArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Start a command, and try step by step what a world asks of an engine
    #[command(after_help = EXAMPLES)]
    Check {
        /// The command and its arguments, as one text
        #[arg(value_name = "COMMAND")]
        command: String,
    },
}

/// Checks a command, and gives the exit code: 0 if it can stand trial, 1 if a step failed.
pub fn run(args: &EngineArgs) -> Result<u8, Failure> {
    let What::Check { command } = &args.what;
    end_processes_with_abench();
    let console = Console::new(When::Auto);
    let width = console.width(Stream::Output);
    let mut written = Ok(());
    let (mut passed, mut failed) = (0, 0);
    // A process may take its time, up to a deadline, for each of them.
    check::check(command, |step| {
        match step.outcome {
            Outcome::Passed(_) => passed += 1,
            Outcome::Failed { .. } | Outcome::FailedAgain => failed += 1,
            Outcome::NotAsked(_) => {}
        }
        if written.is_ok() {
            written = console.write(Stream::Output, &told(&step, width));
        }
    });
    let in_all = match failed {
        0 => format!("{passed} steps passed: it can stand trial (exit 0)\n"),
        _ => {
            format!("{passed} steps passed, {failed} failed: docs/engine-protocol.md describes the protocol (exit 1)\n")
        }
    };
    written.and_then(|()| console.write(Stream::Output, &in_all)).map_err(unwritable)?;
    Ok(if failed > 0 { exit::FALSIFIED } else { exit::HOLDS })
}

/// A step in a line, and what to do where it failed.
fn told(Step { name, outcome }: &Step, width: usize) -> String {
    let indented = |text: &str| {
        let options =
            textwrap::Options::new(width.max(40)).initial_indent("          ").subsequent_indent("          ");
        textwrap::fill(text, options) + "\n"
    };
    match outcome {
        Outcome::Passed(seen) if seen.is_empty() => format!("  ok      {name}\n"),
        Outcome::Passed(seen) => format!("  ok      {name} ({seen})\n"),
        Outcome::NotAsked(why) => format!("  -       {name}: not asked: {why}\n"),
        Outcome::FailedAgain => format!("  FAILED  {name}, for a reason that is given above\n"),
        Outcome::Failed { why, advice } => {
            format!("  FAILED  {name}\n{}{}", indented(why), indented(&format!("To do: {advice}.")))
        }
    }
}
