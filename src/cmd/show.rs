//! `abench show NAME`: the file of a shipped scenario, or the shipped claims, to copy and to change.

use anyhow::anyhow;
use clap::Args;
use clap::builder::StringValueParser;

use crate::claims;
use crate::cmd::names::{self, WithNames};
use crate::cmd::{Failure, unwritable};
use crate::console::{Console, Stream, When};
use crate::domain::nearest::meant;
use crate::domain::verdict::exit;
use crate::scenario::shipped::SHIPPED;

/// What the shipped claims are asked for by.
const CLAIMS: &str = "claims";

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # A scenario to start from
  abench show tick > mine.toml";

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// The name of a shipped scenario (see `abench list scenarios`), or claims for the claims of `abench falsify`
    #[arg(value_name = "NAME", hide_possible_values = true,
          value_parser = WithNames::of_scenarios(StringValueParser::new()))]
    pub name: String,
}

/// Prints it, byte for byte.
pub fn run(args: &ShowArgs) -> Result<u8, Failure> {
    let name = &args.name;
    let files = || SHIPPED.iter().copied().chain([(CLAIMS, claims::SHIPPED)]);
    let Some((_, text)) = files().find(|(shipped, _)| shipped == name) else {
        let meant = meant(name, names::scenarios().into_iter().chain([CLAIMS]));
        return Err(Failure::usage(anyhow!(
            "'{name}' is not a shipped scenario{meant}; abench list scenarios names them"
        )));
    };
    Console::new(When::Never).write(Stream::Output, text).map_err(unwritable)?;
    Ok(exit::HOLDS)
}
