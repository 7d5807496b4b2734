//! `abench engine check COMMAND`: whether a command is an engine that can stand trial.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::anyhow;
use clap::{Args, Subcommand};

use crate::cmd::{Failure, unwritable};
use crate::console::progress::end_processes_with_abench;
use crate::console::{Console, Stream, When};
use crate::domain::verdict::exit;
use crate::engine::process::check::{self, Outcome, Step};
use crate::report::format::text::Text;

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
///
/// # Errors
/// If the command cannot be started.
pub fn run(args: &EngineArgs) -> Result<u8, Failure> {
    let What::Check { command } = &args.what;
    end_processes_with_abench();
    let console = Console::new(When::Auto);
    let width = console.width(Stream::Output);
    let mut written = Ok(());
    let (mut passed, mut failed) = (0, 0);
    let mut unstartable = None;
    // A process may take its time, up to a deadline, for each of them.
    check::check(command, |step| {
        if let Some(reason) = cannot_be_started(command, &step) {
            unstartable = Some(reason);
            return;
        }
        match step.outcome {
            Outcome::Passed(_) => passed += 1,
            Outcome::Failed { .. } | Outcome::FailedAgain => failed += 1,
            Outcome::NotAsked(_) => {}
        }
        if written.is_ok() {
            written = console.write(Stream::Output, &told(&step, width));
        }
    });
    if let Some(reason) = unstartable {
        return Err(Failure { exit: exit::UNAVAILABLE, error: anyhow!("'{command}' cannot be started: {reason}") });
    }
    let in_all = match failed {
        0 => format!("{passed} steps passed: it can stand trial (exit 0)"),
        _ => format!("{passed} steps passed, {failed} failed: docs/engine-protocol.md describes the protocol (exit 1)"),
    };
    let in_all = wrapped(width, "", 0, &in_all);
    written.and_then(|()| console.write(Stream::Output, &in_all)).map_err(unwritable)?;
    Ok(if failed > 0 { exit::FALSIFIED } else { exit::HOLDS })
}

/// Why a command cannot be started, where this is why the first step failed.
fn cannot_be_started(command: &str, step: &Step) -> Option<String> {
    let Outcome::Failed { why, .. } = &step.outcome else { return None };
    let Some(words) = shlex::split(command) else { return Some("it has a quote without an end".to_owned()) };
    let Some(program) = words.first() else { return Some("it has no words".to_owned()) };
    // What the port tells of a process that the system did not start: the command, and the system's words.
    let of_system = why.strip_prefix("cannot start ")?.strip_prefix(&format!("'{command}'"))?.trim_start_matches(": ");
    let path = Path::new(program);
    let is_executable = |path: &Path| path.metadata().is_ok_and(|file| file.permissions().mode() & 0o111 != 0);
    Some(if !program.contains('/') {
        format!("no executable program of this name in PATH ({of_system}); name a file with a /, as in ./{program}")
    } else if !path.exists() {
        format!("there is no file {program} ({of_system})")
    } else if path.is_dir() {
        format!("{program} is a folder ({of_system})")
    } else if !is_executable(path) {
        format!("the file {program} is not executable ({of_system}); chmod +x {program} makes it so")
    } else {
        format!("{of_system}; if {program} is a script, its first line must name an interpreter that is there")
    })
}

/// A step in a line, and what to do where it failed.
fn told(Step { name, outcome }: &Step, width: usize) -> String {
    match outcome {
        Outcome::Passed(seen) if seen.is_empty() => wrapped(width, "  ok      ", 10, name),
        Outcome::Passed(seen) => wrapped(width, "  ok      ", 10, &format!("{name} ({seen})")),
        Outcome::NotAsked(why) => wrapped(width, "  -       ", 10, &format!("{name}: not asked: {why}")),
        Outcome::FailedAgain => wrapped(width, "  FAILED  ", 10, &format!("{name}, for a reason that is given above")),
        Outcome::Failed { why, advice } => {
            let reasons = [why.as_str(), &format!("To do: {advice}.")].map(|words| wrapped(width, "", 10, words));
            wrapped(width, "  FAILED  ", 10, name) + &reasons.concat()
        }
    }
}

/// A paragraph in lines that fit the terminal.
fn wrapped(width: usize, beginning: &str, indent: usize, words: &str) -> String {
    let mut text = Text::new(width);
    text.paragraph(beginning, indent, words);
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_check_is_wider_than_the_terminal() {
        let long = "a word ".repeat(60);
        let outcomes = [
            Outcome::Passed(long.clone()),
            Outcome::NotAsked("the engine does not say that it carries records of labels and of tags"),
            Outcome::FailedAgain,
            Outcome::Failed { why: long, advice: "append what it took to the journal before it tells anybody of it" },
        ];
        for outcome in outcomes {
            let name = "an edit is accepted and shown, and it comes to the other replica as well as back";
            let told = told(&Step { name, outcome }, 80);
            assert!(told.lines().count() > 1 && told.lines().all(|line| line.chars().count() <= 80), "{told}");
        }
    }
}
