//! `abench completions SHELL`: what a shell needs to complete verbs, options and names.

use clap::Args;
use clap::builder::OsStringValueParser;
use clap_complete::Shell;

use crate::cmd::names::WithNames;
use crate::cmd::{Failure, names, unwritable};
use crate::console::{Console, Stream, When};
use crate::domain::verdict::exit;

/// The command that is completed.
const NAME: &str = "abench";

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # bash
  abench completions bash > ~/.local/share/bash-completion/completions/abench
  # zsh, in a folder that fpath names
  abench completions zsh > ~/.zfunc/_abench
  # fish
  abench completions fish > ~/.config/fish/completions/abench.fish";

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints the script of the shell.
pub fn run(args: &CompletionsArgs, command: clap::Command) -> Result<u8, Failure> {
    Console::new(When::Never).write(Stream::Output, &script(args.shell, command)).map_err(unwritable)?;
    Ok(exit::HOLDS)
}

/// The script with which a shell completes this command.
pub fn script(shell: Shell, command: clap::Command) -> String {
    // COUNT and SEED have no names, and zsh would expect them where a verb may stand.
    let options = command.get_arguments().filter(|argument| !argument.is_positional());
    let mut command = clap::Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .args(options)
        .subcommands(command.get_subcommands().cloned().map(with_bandwidth_scenarios));
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, NAME, &mut script);
    let script = String::from_utf8(script).expect("all help is text");
    match shell {
        Shell::Zsh => with_files_beside_scenarios(&script),
        Shell::Fish => script + &names_of_arguments(&command),
        _ => script,
    }
}

/// A verb; that of bandwidth reports with the names that its scenario may have.
fn with_bandwidth_scenarios(verb: clap::Command) -> clap::Command {
    if verb.get_name() != "bandwidth" {
        return verb;
    }
    let parser = WithNames::of_bandwidth_scenarios(OsStringValueParser::new());
    verb.mut_arg("scenario", |argument| argument.value_parser(parser))
}

/// Where a name may stand, zsh completes no file; but these scenarios are names or files.
fn with_files_beside_scenarios(script: &str) -> String {
    let both = |names: &[&str], line: &str| {
        let names = format!("({})", names.join(" "));
        let both = format!(r#"{{_alternative "scenarios\:scenario\:{names}" "files\:file\:_files -g \"*.toml\""}}"#);
        line.replace(&names, &both)
    };
    let line = |line: &str| match line {
        line if line.starts_with("'*::scenarios") => both(&names::scenarios(), line),
        line if line.starts_with("'::scenario ") => both(&names::bandwidth_scenarios(), line),
        line => line.to_owned(),
    };
    script.lines().map(|text| line(text) + "\n").collect()
}

/// The script for fish completes the values of options alone; these lines add those of arguments.
fn names_of_arguments(command: &clap::Command) -> String {
    let mut lines = String::new();
    for verb in command.get_subcommands() {
        for argument in verb.get_positionals() {
            let names: Vec<String> =
                argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
            if !names.is_empty() {
                let (verb, names) = (verb.get_name(), names.join(" "));
                lines += &format!("complete -c {NAME} -n \"__fish_{NAME}_using_subcommand {verb}\" -a \"{names}\"\n");
            }
        }
    }
    lines
}
