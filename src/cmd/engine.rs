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
    let steps = check::check(command);
    let console = Console::new(When::Auto);
    console.write(Stream::Output, &told(&steps, console.width(Stream::Output))).map_err(unwritable)?;
    let fails = steps.iter().any(|step| matches!(step.outcome, Outcome::Failed { .. }));
    Ok(if fails { exit::FALSIFIED } else { exit::HOLDS })
}

/// The steps, a line each, and what to do where one failed.
fn told(steps: &[Step], width: usize) -> String {
    let mut text = String::new();
    let indented = |text: &str| {
        let options =
            textwrap::Options::new(width.max(40)).initial_indent("          ").subsequent_indent("          ");
        textwrap::fill(text, options) + "\n"
    };
    for Step { name, outcome } in steps {
        match outcome {
            Outcome::Passed(seen) if seen.is_empty() => text += &format!("  ok      {name}\n"),
            Outcome::Passed(seen) => text += &format!("  ok      {name} ({seen})\n"),
            Outcome::NotAsked(why) => text += &format!("  -       {name}: not asked: {why}\n"),
            Outcome::Failed { why, advice } => {
                text += &format!("  FAILED  {name}\n");
                text += &indented(why);
                text += &indented(&format!("To do: {advice}."));
            }
        }
    }
    let count = |is: fn(&Outcome) -> bool| steps.iter().filter(|step| is(&step.outcome)).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed { .. }));
    let passed = count(|outcome| matches!(outcome, Outcome::Passed(_)));
    text += &match failed {
        0 => format!("{passed} steps passed: it can stand trial (exit 0)\n"),
        _ => {
            format!("{passed} steps passed, {failed} failed: docs/engine-protocol.md describes the protocol (exit 1)\n")
        }
    };
    text
}
