//! `abench qualify SCENARIO...`: plants faults and mutants under scenarios, and reports what these would miss.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::builder::OsStringValueParser;
use clap::{Args, ValueHint};

use crate::campaign::qualification::devices::{self, DevicePlan, QualifyError};
use crate::campaign::qualification::engines::{self, EnginePlan};
use crate::cmd::names::WithNames;
use crate::cmd::options::{TerminalOptions, parse_threads};
use crate::cmd::run::find;
use crate::cmd::{Failure, RecordPlace, deliver_text, kept, outputs, threads, valid};
use crate::console::Console;
use crate::console::progress::{ProgressWatch, StopRequest};
use crate::domain::seed::Seed;
use crate::domain::verdict::exit;
use crate::domain::watch::Watch;
use crate::experiment;
use crate::experiment::jobs::Jobs;
use crate::experiment::valid::Valid;
use crate::report::format::text::{Table, render};
use crate::report::journal::{Head, Journal, Qualified, Shard, Work};
use crate::report::qualification::Qualification;
use crate::report::record::Asked;
use crate::scenario::Scenario;
use crate::scenario::shipped::SHIPPED;
use crate::subject::{self, Backend};

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # What would this scenario miss in a device?
  abench qualify bank-sweep
  # In a device with four banks
  abench qualify bank-sweep --backend model:4
  # Ten mutants of engines, drawn from a seed
  abench qualify field-tally --sample 10 --seed 7
  # The first of two parts; abench merge puts the parts together
  abench qualify --shard 1/2 --record part1.jsonl

Exit codes: 0 what was planted came out as the scenarios expect, 1 it did not.
abench --help lists all of them.";

/// Arguments of `qualify`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct QualifyArgs {
    /// A scenario: a shipped name, or a path (with a / or ending in .toml). All shipped worlds and crash walks if none is
    /// named
    #[arg(value_name = "SCENARIO", hide_possible_values = true,
          value_parser = WithNames::of_scenarios(OsStringValueParser::new()))]
    pub scenarios: Vec<OsString>,
    /// Device that takes the faults: model, or rtl in a build with that feature; :BANKS may follow [default: model]
    #[arg(long, value_name = "MODEL")]
    pub backend: Option<String>,
    /// Try each mutant of an engine until a world and a crash walk have killed it, and no longer
    #[arg(long)]
    pub until_killed: bool,
    /// Plant COUNT faults of devices and COUNT mutants of engines, drawn from the seed, and not all
    #[arg(long, value_name = "COUNT", requires = "seed", value_parser = parse_sample)]
    pub sample: Option<NonZeroUsize>,
    /// Seed of the sample, hexadecimal
    #[arg(long, value_name = "SEED", requires = "sample")]
    pub seed: Option<Seed>,
    /// Threads among which the mutants are shared out [default: all cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub threads: Option<NonZeroUsize>,
    /// Write the JSON record to a file, or to standard output with -
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Go on with a qualification that was stopped or killed: the jobs that ended are in the journal beside the file of
    /// --record
    #[arg(long)]
    pub resume: bool,
    /// Run part K of N of the jobs, and keep what they come to in the file of --record; abench merge puts the N files together
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// How the terminal is used.
    #[command(flatten)]
    pub terminal: TerminalOptions,
}

/// The device that takes the faults where none is named.
const MODEL: &str = "model";

/// What is qualified.
struct QualifyPlan {
    devices: Option<DevicePlan>,
    engines: Option<EnginePlan>,
}

impl QualifyPlan {
    /// Of scenarios, each of which can take faults or mutants.
    fn of(scenarios: Vec<Valid<Scenario>>, asked: &Qualified) -> Result<Self, Failure> {
        let sample = asked.sample;
        let (of_engines, of_devices): (Vec<_>, Vec<_>) =
            scenarios.into_iter().partition(|scenario| has_engines(scenario));
        let devices = match of_devices.is_empty() {
            true => None,
            false => {
                let backend = backend(asked.backend.as_deref().unwrap_or(MODEL))?;
                Some(DevicePlan { scenarios: of_devices, backend, sample })
            }
        };
        let until_killed = asked.until_killed;
        let engines = (!of_engines.is_empty()).then_some(EnginePlan { scenarios: of_engines, until_killed, sample });
        Ok(QualifyPlan { devices, engines })
    }

    /// Runs the jobs; nothing where only some of them are run here.
    fn run(&self, jobs: &Jobs<'_>, watch: &mut dyn Watch) -> Result<Option<Qualification>, Failure> {
        let devices = self.devices.as_ref().map(|plan| devices::qualify(plan, jobs, watch)).transpose()?.flatten();
        let engines = self.engines.as_ref().map(|plan| engines::qualify(plan, jobs, watch)).transpose()?.flatten();
        Ok((!jobs.is_part()).then(|| Qualification::of(devices, engines)))
    }
}

impl From<QualifyError> for Failure {
    fn from(error: QualifyError) -> Self {
        match error {
            QualifyError::Open(error) => error.into(),
            QualifyError::Subject(error) => error.into(),
        }
    }
}

fn parse_sample(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| format!("'{text}' is no size of a sample; allowed are whole numbers from 1"))
}

/// Qualifies them and gives the exit code.
pub fn run(args: &QualifyArgs) -> Result<u8, Failure> {
    // Who stops a qualification before its first mutant wants to be told so, too.
    let console = Console::new(args.terminal.color);
    let mut watch = ProgressWatch::new(console, args.terminal.progress, StopRequest::listen());
    let scenarios = named(args)?;
    let unused = unused(args, scenarios.iter().all(|of| has_engines(of)), !scenarios.iter().any(|of| has_engines(of)));
    if let Some(reason) = unused {
        return Err(Failure::usage(anyhow!("{reason}")));
    }
    let asked = asked(args, &scenarios);
    let plan = QualifyPlan::of(scenarios, &asked)?;
    let journal = args.record.as_deref().map(kept::beside);
    let files = [("--record", args.record.as_deref()), ("the journal of --record", journal.as_deref())];
    outputs::differ(
        outputs::scenario_files(&args.scenarios),
        files.into_iter().filter_map(|(option, path)| Some((option, path?))),
    )?;
    let threads = threads(args.threads);
    let head = Head::of_work(Work::Qualification(Box::new(asked)), args.shard);
    if args.shard.is_some() {
        return kept::run_shard(head, (args.record.as_deref(), args.resume), console, |journal| {
            plan.run(&Jobs::all(threads, journal), &mut watch).map(drop)
        });
    }
    let place = RecordPlace::open(args.record.as_deref())?;
    let journal = kept::open(head, args.record.as_deref(), args.resume, console)?;
    let ran = plan.run(&Jobs::all(threads, &journal), &mut watch);
    let delivered = ran.and_then(|ran| deliver(&ran.expect("all jobs are run here"), place, args.terminal));
    kept::close(journal, delivered.as_ref().is_ok_and(|exit| *exit != exit::INTERRUPTED), console)?;
    delivered
}

fn deliver(qualification: &Qualification, place: RecordPlace, terminal: TerminalOptions) -> Result<u8, Failure> {
    deliver_text(place, terminal, qualification, |width| render(qualification, width, Table::Left, terminal.detail()))?;
    Ok(qualification.exit_code())
}

/// Makes the record of a qualification all of whose jobs a journal has, shows it and gives its exit code.
pub(super) fn merge(
    asked: &Qualified,
    journal: &Journal,
    place: RecordPlace,
    (terminal, wanted_threads): (TerminalOptions, Option<NonZeroUsize>),
    watch: &mut dyn Watch,
) -> Result<u8, Failure> {
    let scenarios: Result<Vec<_>, Failure> = asked.scenarios.iter().map(|asked| valid(Scenario::of(asked))).collect();
    let plan = QualifyPlan::of(scenarios?, asked)?;
    let jobs = Jobs { only_kept: true, ..Jobs::all(threads(wanted_threads), journal) };
    deliver(&plan.run(&jobs, watch)?.expect("all jobs are kept"), place, terminal)
}

/// What is asked for: enough to do it again.
fn asked(args: &QualifyArgs, scenarios: &[Valid<Scenario>]) -> Qualified {
    let of = |scenario: &Valid<Scenario>| Asked {
        scenario: scenario.name.clone(),
        expect: scenario.expect.clone(),
        ..Asked::of(scenario.trial.clone())
    };
    let has_devices = scenarios.iter().any(|scenario| !has_engines(scenario));
    Qualified {
        scenarios: scenarios.iter().map(of).collect(),
        backend: has_devices.then(|| args.backend.clone().unwrap_or_else(|| MODEL.to_owned())),
        sample: args.sample.map(NonZeroUsize::get).zip(args.seed),
        until_killed: args.until_killed,
    }
}

/// The scenarios that are named, or all that put engines on trial. All of them can take faults or mutants.
fn named(args: &QualifyArgs) -> Result<Vec<Valid<Scenario>>, Failure> {
    let shipped = SHIPPED.iter().map(|(name, _)| find(name.as_ref()));
    let scenarios: Result<Vec<Scenario>, Failure> = match args.scenarios.is_empty() {
        true => shipped.filter(|found| found.as_ref().map_or(true, has_engines)).collect(),
        false => args.scenarios.iter().map(|named| find(named)).collect(),
    };
    let scenarios = scenarios?;
    for scenario in &scenarios {
        let experiment = experiment::of(&scenario.trial);
        if experiment.no_backend().is_some() && experiment.planting().is_none() {
            let name = scenario.name.as_deref().unwrap_or_default();
            return Err(Failure::usage(anyhow!(
                "'{name}' puts neither a device nor an engine on trial, and faults are planted in those"
            )));
        }
    }
    scenarios.into_iter().map(valid).collect()
}

/// Whether it puts engines on trial.
fn has_engines(scenario: &Scenario) -> bool {
    experiment::of(&scenario.trial).planting().is_some()
}

/// An option that would have no effect.
fn unused(args: &QualifyArgs, no_devices: bool, no_engines: bool) -> Option<&'static str> {
    let of_devices = no_devices && args.backend.is_some();
    let of_engines = no_engines && args.until_killed;
    of_devices
        .then_some("--backend is about devices, and no scenario that is named puts one on trial")
        .or(of_engines.then_some("--until-killed is about engines, and no scenario that is named puts one on trial"))
}

fn backend(named: &str) -> Result<Backend, Failure> {
    let mut backends = subject::backends([named])?;
    backends.pop().filter(|backend| backends.is_empty() && backend.takes_faults()).ok_or_else(|| {
        Failure::usage(anyhow!(
            "'{named}' takes no faults; --backend is model, or rtl in a build with that feature; :BANKS may follow"
        ))
    })
}
