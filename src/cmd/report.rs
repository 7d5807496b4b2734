//! `abench report RECORD...`: records as a page, as Markdown or as text.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use quick_junit::TestSuite;

use crate::cmd::{Failure, outputs, unwritable};
use crate::console::{Console, Stream, When};
use crate::domain::verdict::exit;
use crate::experiment;
use crate::report::any::{self, AnyRecord};
use crate::report::document::{Document, Source};
use crate::report::file::Destination;
use crate::report::format::{html, markdown, text};
use crate::report::inert::quoted;
use crate::report::input;
use crate::report::junit;
use crate::report::record::Record;
use crate::report::seal::Opened;
use crate::scenario::file;
use crate::scenario::shipped::SHIPPED;

/// Bytes of a record that is read, at most.
pub(super) const MOST_BYTES: u64 = 1 << 28;

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # One page to hand over, of two runs
  abench report run.json other.json --format html --output page.html
  # A comment for a pull request
  abench report run.json --format markdown
  # The ledger of claims for a CI system
  abench report claims.json --format junit --output claims.xml
  # Everything that a record tells, as text
  abench report run.json

Exit codes: 0 whatever the verdicts: a verdict is no failure of a report.
abench --help lists all of them.";

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// A record: of a run, of a qualification, of claims or of rtl/mutate; - for standard input
    #[arg(required = true, value_name = "RECORD")]
    pub records: Vec<PathBuf>,
    /// What to make
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Write to this file [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// When the text is coloured
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: When,
}

/// What a report is made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One page that needs no network, for screens and paper
    Html,
    /// A comment on a pull request, in at most 65536 bytes
    Markdown,
    /// A file for CI systems: a test case for each check of a run, claim of a ledger, or mutant of a qualification
    Junit,
    /// Plain text, as wide as the terminal
    Text,
}

/// Makes the report, and gives the exit code: a verdict in it is no failure of the report.
pub fn run(args: &ReportArgs) -> Result<u8, Failure> {
    let names: Vec<String> = args.records.iter().map(|path| path.display().to_string()).collect();
    if names.iter().filter(|name| *name == "-").count() > 1 {
        return Err(Failure::usage(anyhow!("standard input is one record: name - once")));
    }
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let read = args.records.iter().filter(|path| *path != Path::new("-"));
    let read = read.map(|path| ("the record", path.as_path()));
    outputs::differ(read, output.iter().map(|path| ("--output", *path)))?;
    let destination = output.map(Destination::open).transpose()?;
    let sources: Result<Vec<Source>, Failure> = args.records.iter().map(|path| source(path)).collect();
    let sources = sources?;
    let console = Console::new(args.color);
    let width = if output.is_some() { text::DEFAULT_WIDTH } else { console.width(Stream::Output) };
    let report = match args.format {
        Format::Html => html::render(&Document::of(&sources, experiment::view)),
        Format::Markdown => markdown::render(&Document::of(&sources, experiment::view)),
        Format::Junit => junit::render(sources.iter().map(suite).collect()),
        Format::Text => text::of_files(&sources, width, experiment::view),
    };
    match destination {
        // A file is no terminal.
        Some(destination) => destination.write(&anstream::adapter::strip_str(&report).to_string())?,
        None => console.write(Stream::Output, &report).map_err(unwritable)?,
    }
    Ok(exit::HOLDS)
}

/// The suite of a record.
fn suite(source: &Source) -> TestSuite {
    match &source.record {
        AnyRecord::Run(record) => junit::suite(source.seal, record),
        AnyRecord::Ledger(ledger) => junit::suite_of_ledger(source.seal, ledger),
        AnyRecord::Qualification(record) => junit::suite_of_qualification(source.seal, record),
        AnyRecord::RtlMutation(record) => junit::suite_of_rtl_mutation(record),
    }
}

fn source(path: &Path) -> Result<Source, Failure> {
    let (text, origin, file) = if path == Path::new("-") {
        let text = input::standard_input(MOST_BYTES);
        let text = text.context("cannot read standard input").map_err(Failure::usage)?;
        (text, "standard input".to_owned(), "RECORD".to_owned())
    } else {
        let name = path.display().to_string();
        (read(path, &name)?, name.clone(), name)
    };
    let Opened { record, seal } = any::from_text(&text, &origin)?;
    let again = match &record {
        AnyRecord::Run(record) => again(record),
        _ => None,
    };
    Ok(Source { file, record, seal, again })
}

/// The text of a record's file, which is regular and no longer than any record is.
pub(super) fn read(path: &Path, name: &str) -> Result<String, Failure> {
    input::text(path, MOST_BYTES).with_context(|| format!("cannot read the record {name}")).map_err(Failure::usage)
}

/// The command that makes the same run without its record: of a standard campaign, or of a scenario that is shipped as it
/// was run.
pub(super) fn again(record: &Record) -> Option<String> {
    let asked = &record.asked;
    let what = match &asked.scenario {
        None => asked.trial.keys().command()?,
        Some(name) => {
            let (name, text) = SHIPPED.iter().find(|(shipped, _)| shipped == name)?;
            let shipped = file::parse(text, name, name).ok()?;
            let is_shipped = shipped.trial == asked.trial && shipped.expect == asked.expect;
            is_shipped.then(|| format!("abench run {name}"))?
        }
    };
    let backends = asked.backends.join(",");
    let backends = if backends.is_empty() { String::new() } else { format!(" --backend {}", quoted(&backends)) };
    let faults: String = asked.faults.iter().map(|fault| format!(" --plant {}", quoted(fault))).collect();
    Some(format!("{what}{backends}{faults}"))
}
