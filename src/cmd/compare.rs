//! `abench compare BASE NEW`: the gate against regressions.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueHint};
use serde_json::json;

use crate::cmd::{Failure, report, unwritable};
use crate::console::{Console, Stream, When};
use crate::report::any::{AnyRecord, from_text as any_from_text};
use crate::report::comparison::folders::{Gate, Named};
use crate::report::comparison::{Limits, SLOWER_THAN, bencher, view};
use crate::report::document::Detail;
use crate::report::seal::{Opened, Seal};

/// Commands to start from, and what they come to, for the help.
const EXAMPLES: &str = "\
Examples:
  # Is the new run worse in anything?
  abench compare base.json new.json
  # All records of two commits, and the metrics of the new one for Bencher
  abench compare base-records new-records --format bencher

Exit codes: 0 no regression, 5 regression, 3 nothing can be said, 2 the records
cannot be compared. abench --help lists all of them.

Results must be equal. Verdicts, warrants, mutants, bytes and delays must not be
worse. Times are compared where both records have --samples 5 or more of the
same host, and are a regression where the 95 % interval of the ratio of medians
lies above --slower-than.";

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    /// The record to compare with, of a run or of a qualification; or a folder of records
    #[arg(value_name = "BASE", value_hint = ValueHint::AnyPath)]
    pub base: PathBuf,
    /// The record on trial, or a folder of records
    #[arg(value_name = "NEW", value_hint = ValueHint::AnyPath)]
    pub new: PathBuf,
    /// Times are a regression from this ratio on
    #[arg(long, value_name = "RATIO", default_value_t = SLOWER_THAN, value_parser = parse_ratio)]
    pub slower_than: f64,
    /// What to write to standard output: text, the comparison as JSON, or NEW as the JSON that Bencher takes
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Compare records that were altered after abench wrote them, or that have no digest
    #[arg(long)]
    pub accept_altered: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: When,
    /// Print everything that moved, and every time; -vv is the same
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print the verdict alone
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For Bencher.
    Bencher,
}

/// Compares them and gives the exit code.
pub fn run(args: &CompareArgs) -> Result<u8, Failure> {
    if args.format != Format::Text && (args.verbose > 0 || args.quiet) {
        return Err(Failure::usage(anyhow!("-v and -q are about the text, and --format asks for JSON")));
    }
    let (base, new) = (&args.base, &args.new);
    let limits = Limits { slower_than: args.slower_than };
    let mut altered = Vec::new();
    let (gate, of_new) = match (base.is_dir(), new.is_dir()) {
        (true, true) => {
            let (base, new) = (folder(base, args, &mut altered)?, folder(new, args, &mut altered)?);
            (Gate::of_folders(&base, &new, limits), new)
        }
        (false, false) => {
            let (base, new) = (file(base, args, &mut altered)?, file(new, args, &mut altered)?);
            let gate = Gate::of_two(&base, &new, limits);
            if let Some(refused) = gate.refused.first() {
                let (base, new, reason) = (base.origin, new.origin, &refused.reason);
                return Err(Failure::usage(anyhow!("{base} and {new} are not compared: {reason}")));
            }
            (gate, vec![new])
        }
        (is_base, _) => {
            let (folder, file) = if is_base { (base, new) } else { (new, base) };
            let (folder, file) = (folder.display(), file.display());
            return Err(Failure::usage(anyhow!(
                "{folder} is a folder and {file} is not: name two records, or two folders"
            )));
        }
    };
    let gate = Gate { notes: altered, ..gate };
    show(&gate, &of_new, args)?;
    Ok(gate.exit_code())
}

fn show(gate: &Gate, new: &[Named], args: &CompareArgs) -> Result<(), Failure> {
    let console = Console::new(args.color);
    let json = |value: &serde_json::Value| format!("{value:#}\n");
    let output = match args.format {
        Format::Text => {
            let detail = match (args.quiet, args.verbose) {
                (true, _) => Detail::Verdict,
                (false, 0) => Detail::Screen,
                (false, _) => Detail::All,
            };
            let called = [&args.base, &args.new].map(|path| path.display().to_string());
            view::render(gate, [&called[0], &called[1]], console.width(Stream::Output), detail)
        }
        Format::Json => json(&json!({ "verdict": gate.verdict().0, "exit": gate.exit_code(), "gate": gate })),
        Format::Bencher => json(&bencher::metrics(new.iter().map(|named| &named.record))),
    };
    if args.format != Format::Text {
        let line = view::verdict_line(gate, console.width(Stream::Error));
        console.write(Stream::Error, &format!("abench: {line}\n")).map_err(unwritable)?;
    }
    console.write(Stream::Output, &output).map_err(unwritable)
}

/// The record in a file. An altered one is refused, or a sentence about it is added.
fn file(path: &Path, args: &CompareArgs, altered: &mut Vec<String>) -> Result<Named, Failure> {
    let origin = path.display().to_string();
    let text = report::read(path, &origin)?;
    let Opened { record, seal } = any_from_text(&text, &origin)?;
    // Records of mutants of the RTL are not sealed: their script writes them.
    if seal != Seal::Intact && !matches!(record, AnyRecord::RtlMutation(_)) {
        if !args.accept_altered {
            return Err(Failure::usage(anyhow!(
                "{origin}: {seal}. Nothing is compared with it; --accept-altered compares it all the same"
            )));
        }
        altered.push(format!("{origin}: {seal}"));
    }
    Ok(Named { origin, record })
}

/// The records of a folder, in the order of their files' names. Other files may lie there, if their names do not end in
/// `.json`.
fn folder(path: &Path, args: &CompareArgs, altered: &mut Vec<String>) -> Result<Vec<Named>, Failure> {
    let unreadable = |error| Failure::usage(anyhow!("cannot read the folder {}: {error}", path.display()));
    let entries: Result<Vec<_>, _> = std::fs::read_dir(path).map_err(unreadable)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(unreadable)?.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    if paths.is_empty() {
        return Err(Failure::usage(anyhow!(
            "{} has no records: abench run SCENARIO... --record {0} writes some",
            path.display()
        )));
    }
    paths.iter().map(|path| file(path, args, altered)).collect()
}

/// A ratio of times.
fn parse_ratio(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|ratio| (1.0..=1000.0).contains(ratio));
    number.ok_or_else(|| format!("'{text}' is not a ratio of times; allowed are numbers from 1 to 1000, such as 1.25"))
}
