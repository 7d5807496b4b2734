//! The binary: a command line to an exit code.

use std::panic::catch_unwind;
use std::process::ExitCode;

use abench::cli::{Cli, Verb};
use abench::cmd;
use abench::console::progress::exit_code;
use abench::console::{Console, When};
use abench::domain::nearest::nearest;
use abench::domain::verdict::exit;
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        Console::new(When::Auto).say(&format!("abench: internal error, which is a bug of abench: {panic}"));
    }));
    ExitCode::from(exit_code(catch_unwind(dispatch).unwrap_or(exit::INTERNAL)))
}

fn dispatch() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let error = with_nearest_verb(error);
            let printed = error.print();
            // If nobody can read a message, the exit code still tells. Help that was asked for must come.
            let is_lost = printed.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe);
            return if error.use_stderr() || is_lost { exit::USAGE } else { exit::HOLDS };
        }
    };
    let ended = match &cli.verb {
        None => cmd::standard::run(&cli.standard),
        Some(Verb::Run(args)) => cmd::run::run(args),
        Some(Verb::Falsify(args)) => cmd::falsify::run(args),
        Some(Verb::Bandwidth(args)) => cmd::bandwidth::run(args),
        Some(Verb::Replay(args)) => cmd::replay::run(args),
        Some(Verb::Compare(args)) => cmd::compare::run(args),
        Some(Verb::Qualify(args)) => cmd::qualify::run(args),
        Some(Verb::Merge(args)) => cmd::merge::run(args),
        Some(Verb::Report(args)) => cmd::report::run(args),
        Some(Verb::Emulate(args)) => cmd::emulate::run(args),
        Some(Verb::Engine(args)) => cmd::engine::run(args),
        Some(Verb::Maelstrom(args)) => cmd::maelstrom::run(args),
        Some(Verb::Convert(args)) => cmd::convert::run(args),
        Some(Verb::List(args)) => cmd::list::run(args),
        Some(Verb::Show(args)) => cmd::show::run(args),
        Some(Verb::Completions(args)) => cmd::completions::run(args, Cli::command()),
        Some(Verb::Man(args)) => cmd::man::run(args, Cli::command()),
    };
    ended.unwrap_or_else(|failure| {
        Console::new(When::Auto).say(&format!("abench: {:#}", failure.error));
        failure.exit
    })
}

/// Suggests a verb where `abench help` is asked about one that there is not.
fn with_nearest_verb(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(written)) = error.get(ContextKind::InvalidSubcommand)
        && let Some(verb) = nearest(written, cmd::VERBS.iter().copied())
    {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![verb.to_owned()]));
    }
    error
}
