//! `abench show NAME`: the file of a shipped scenario, or the shipped claims, to copy and to change; or the schema that
//! editors check scenarios by, that of the engine protocol, or an adapter to start from.

use anyhow::anyhow;
use clap::Args;
use clap::builder::StringValueParser;

use crate::claims;
use crate::cmd::names::{self, WithNames};
use crate::cmd::{Failure, unwritable};
use crate::console::{Console, Stream, When};
use crate::domain::nearest::meant;
use crate::domain::verdict::exit;
use crate::engine::process::protocol;
use crate::scenario::schema::SCHEMA;
use crate::scenario::shipped::SHIPPED;

/// What can be shown beside scenarios: a name, and a text.
pub const OTHERS: &[(&str, &str)] = &[
    ("claims", claims::SHIPPED),
    ("schema", SCHEMA),
    ("engine-protocol", protocol::SCHEMA),
    ("adapter.py", include_str!("../../adapters/template/adapter.py")),
    ("adapter.mjs", include_str!("../../adapters/template/adapter.mjs")),
];

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # A scenario to start from
  abench show tick > mine.toml
  # The JSON schema of scenarios, for editors
  abench show schema > scenario.schema.json
  # The JSON schema of the engine protocol, for authors of adapters
  abench show engine-protocol > engine-protocol.schema.json
  # An adapter to start from, in Python; adapter.mjs is in JavaScript
  abench show adapter.py > my_adapter.py";

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// The name of a shipped scenario (see `abench list scenarios`), claims for the claims of `abench falsify`, schema for the
    /// JSON schema of scenarios, engine-protocol for that of the engine protocol, or adapter.py and adapter.mjs for an adapter to
    /// start from
    #[arg(value_name = "NAME", hide_possible_values = true,
          value_parser = WithNames::of_what_is_shown(StringValueParser::new()))]
    pub name: String,
}

/// Prints it, byte for byte.
pub fn run(args: &ShowArgs) -> Result<u8, Failure> {
    let name = &args.name;
    let Some((_, text)) = SHIPPED.iter().chain(OTHERS).find(|(shipped, _)| *shipped == name) else {
        let meant = meant(name, names::shown());
        return Err(Failure::usage(anyhow!(
            "'{name}' is not a shipped scenario{meant}; abench list scenarios names them, and {} can be shown, too",
            OTHERS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        )));
    };
    Console::new(When::Never).write(Stream::Output, text).map_err(unwritable)?;
    Ok(exit::HOLDS)
}
