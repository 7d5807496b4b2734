//! `abench convert FILE...`: scenarios and records of an older version, in the version that this abench reads.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use crate::cmd::{Failure, unwritable};
use crate::console::{Console, Stream, When};
use crate::engine;
use crate::experiment::valid::Valid;
use crate::report::any::run_from_text;
use crate::report::file::{Destination, to_text};
use crate::report::input;
use crate::report::version_1 as record_1;
use crate::scenario::version_1 as scenario_1;
use crate::scenario::{Scenario, file};

/// The longest file that is converted: records are long.
const MOST_BYTES: u64 = 1 << 30;

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # A scenario of version 1, to standard output
  abench convert old.toml
  # A record, to another file
  abench convert old.json --output new.json
  # Several files where they are
  abench convert --in-place one.toml two.toml";

/// Arguments of `convert`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConvertArgs {
    /// A scenario or a record
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write the converted files in the place of the old ones
    #[arg(long, conflicts_with = "output")]
    pub in_place: bool,
    /// Write the converted file to this one [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Converts the files, all or none, and gives the exit code.
pub fn run(args: &ConvertArgs) -> Result<u8, Failure> {
    let number = args.files.len();
    if !args.in_place && number > 1 {
        return Err(Failure::usage(anyhow!(
            "{number} files go nowhere together: convert one, or all of them with --in-place"
        )));
    }
    // Nothing is written before everything is converted.
    let converted: Result<Vec<String>, Failure> = args.files.iter().map(|path| converted(path)).collect();
    let converted = converted?;
    let destination = |path: &Path| Destination::open(path).map_err(Failure::from);
    if args.in_place {
        let destinations: Result<Vec<_>, Failure> = args.files.iter().map(|path| destination(path)).collect();
        for (destination, text) in destinations?.into_iter().zip(converted) {
            destination.write(&text)?;
        }
    } else if let Some(path) = &args.output {
        destination(path)?.write(&converted.concat())?;
    } else {
        Console::new(When::Auto).write(Stream::Output, &converted.concat()).map_err(unwritable)?;
    }
    Ok(crate::domain::verdict::exit::HOLDS)
}

fn converted(path: &Path) -> Result<String, Failure> {
    let origin = path.display().to_string();
    let text =
        input::text(path, MOST_BYTES).with_context(|| format!("cannot read {origin}")).map_err(Failure::usage)?;
    let refused = |refused: &dyn std::fmt::Display| Failure::usage(anyhow!("{origin}: {refused}"));
    let walked = engine::of_version_1(engine::PLANTED_IN_VERSION_1).expect("it has a name today");
    let names = scenario_1::Names { engine: &engine::of_version_1, all: engine::ALL, walked };
    if text.trim_start().starts_with('{') {
        let check = |name: &str| scenario_1::check(name, &names);
        let names = record_1::Names { engine: &engine::of_version_1, check: &check, all: engine::ALL, walked };
        let record = record_1::converted(&text, &origin, &names).map_err(Failure::usage)?;
        let asked = &record.asked;
        let scenario = Scenario { expect: asked.expect.clone(), ..Scenario::unnamed(asked.trial.clone()) };
        Valid::of(scenario).map_err(|reason| refused(&reason))?;
        let text = to_text(&record);
        // What is written can be read.
        run_from_text(&text, &origin)?;
        return Ok(text);
    }
    let text = scenario_1::converted(&text, &names).map_err(|error| match error {
        scenario_1::ConvertError::Malformed(_) | scenario_1::ConvertError::Current => refused(&error),
        error => Failure::usage(anyhow!("{origin}, {error}")),
    })?;
    let scenario = file::parse(&text, &origin, &origin)?;
    Valid::of(scenario).map_err(|reason| refused(&reason))?;
    Ok(text)
}
