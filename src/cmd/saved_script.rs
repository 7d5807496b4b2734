//! `--save-script`: the smallest script that falsifies an engine, as a scenario file.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::campaign::Plan;
use crate::cmd::Failure;
use crate::console::Console;
use crate::domain::case::Case;
use crate::domain::finding::Finding;
use crate::domain::offline::OfflineTrial;
use crate::domain::script::world::written_down;
use crate::engine::process;
use crate::report::file::Destination;
use crate::report::record::Record;
use crate::scenario::written;

/// Where the script goes.
pub(super) struct ScriptPlace {
    path: PathBuf,
    destination: Destination,
}

/// A script that was found, and the finding that it shows.
struct Found<'a> {
    finding: &'a Finding,
    engine: String,
    trial: OfflineTrial,
}

impl ScriptPlace {
    /// Made ready before the run, so that a place that cannot be written to is told at once.
    pub(super) fn open(path: &Path, plan: &Plan) -> Result<Self, Failure> {
        if plan.scenario.trial.keys().world().is_none() {
            return Err(Failure::usage(anyhow!(
                "--save-script is about worlds of clients, and this scenario has none: leave the option out"
            )));
        }
        if path == Path::new("-") || path.as_os_str().is_empty() {
            return Err(Failure::usage(anyhow!("--save-script takes the name of a file")));
        }
        Ok(ScriptPlace { path: path.to_owned(), destination: Destination::open(path)? })
    }

    /// Writes the script of the first engine in the report that has a script, and names the engine. Without a script, the
    /// file stays as it is.
    pub(super) fn save(self, record: &Record, console: Console) -> Result<(), Failure> {
        let path = self.path.display();
        let scripts = found(record);
        let Some(Found { finding, engine, trial }) = scripts.first() else {
            console.say(&format!("abench: no script falsifies an engine: {path} was not written"));
            return Ok(());
        };
        let of = record.asked.scenario.as_deref().unwrap_or("a world");
        let about =
            format!("A world of {of} in which {engine} is falsified, reduced. {}: {}.", finding.oracle, finding.size);
        // A file that is to be run again needs the command of an engine in a process.
        let named = process::text_of(engine);
        let named = named.as_deref().unwrap_or(engine);
        self.destination.write(&written::scenario(trial, (engine, named), &about))?;
        let mut others: Vec<&str> =
            scripts.iter().map(|found| &*found.engine).filter(|other| other != engine).collect();
        others.dedup();
        let others = match others.len() {
            0 => String::new(),
            _ => format!("; for that of {}, name it with --engines", others.join(" or ")),
        };
        console.say(&format!("abench: the script of {engine} is in {path}{others}"));
        Ok(())
    }
}

/// The scripts of all findings, in the order of the report.
fn found(record: &Record) -> Vec<Found<'_>> {
    let findings = record.checks.iter().flat_map(|check| &check.findings);
    let script = |finding: &'_ Finding| {
        let case: Case = finding.case.parse().ok()?;
        Some((written_down(&case.execution)?, case.subject))
    };
    findings.filter_map(|finding| script(finding).map(|(trial, engine)| Found { finding, engine, trial })).collect()
}
