//! `abench show NAME`: the file of a shipped scenario, to copy and to change.

use anyhow::anyhow;
use clap::Args;

use crate::cmd::run::nearest;
use crate::cmd::{Failure, unwritable};
use crate::console::{Console, Stream, When};
use crate::domain::verdict::exit;
use crate::scenario::shipped::SHIPPED;

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The name of a shipped scenario (see `abench list scenarios`)
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Prints it, byte for byte.
pub fn run(args: &ShowArgs) -> Result<u8, Failure> {
    let name = &args.name;
    let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| shipped == name) else {
        let meant = nearest(name, SHIPPED.iter().map(|(name, _)| *name));
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"));
        return Err(Failure::usage(anyhow!(
            "'{name}' is not a shipped scenario{meant}; abench list scenarios names them"
        )));
    };
    Console::new(When::Never).write(Stream::Output, text).map_err(unwritable)?;
    Ok(exit::HOLDS)
}
