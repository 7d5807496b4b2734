//! `abench maelstrom WORKLOAD`: our reference as a Maelstrom node, for a harness that is not ours.

use std::io::{self, BufReader};

use anyhow::anyhow;
use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;

use crate::cmd::Failure;
use crate::domain::offline::MaelstromWorkload;
use crate::domain::verdict::exit;
use crate::engine::maelstrom::served::{self, ServeError};

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # A node of a harness, which starts it and writes to its standard input
  abench maelstrom pn-counter
  # The same node on trial in a world of abench
  abench run maelstrom-g-set --engines 'maelstrom:abench maelstrom g-set'";

/// Arguments of `maelstrom`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct MaelstromArgs {
    /// The workload of the harness
    #[arg(value_name = "WORKLOAD", value_parser = PossibleValuesParser::new(MaelstromWorkload::ALL.map(MaelstromWorkload::name))
          .try_map(|name| name.parse::<MaelstromWorkload>()))]
    workload: MaelstromWorkload,
}

/// Serves until standard input ends.
pub fn run(args: &MaelstromArgs) -> Result<u8, Failure> {
    let served = served::serve(args.workload, BufReader::new(io::stdin()), &mut io::stdout().lock());
    match served {
        Ok(()) => Ok(exit::HOLDS),
        // The harness is gone.
        Err(ServeError::Pipe(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit::HOLDS),
        Err(error @ ServeError::Engine(_)) => Err(Failure { exit: exit::INTERNAL, error: error.into() }),
        Err(error) => Err(Failure::usage(anyhow!("{error}"))),
    }
}
