//! `abench completions SHELL`: what a shell needs to complete verbs, options and names.

use clap::Args;
use clap_complete::Shell;

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
        .subcommands(command.get_subcommands().cloned());
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, NAME, &mut script);
    let script = String::from_utf8(script).expect("all help is text");
    match shell {
        Shell::Zsh => with_files_beside_scenarios(&script),
        Shell::Fish => script + &names_of_arguments(&command),
        _ => script,
    }
}

/// Where a name may stand, zsh completes no file; but these scenarios are names or files.
fn with_files_beside_scenarios(script: &str) -> String {
    let names = format!("({})", names::scenarios().join(" "));
    let both = format!(r#"{{_alternative "scenarios\:scenario\:{names}" "files\:file\:_files -g \"*.toml\""}}"#);
    let takes_files = |line: &str| line.starts_with("'*::scenarios");
    let line = |line: &str| if takes_files(line) { line.replace(&names, &both) } else { line.to_owned() };
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
