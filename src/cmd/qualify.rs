//! `abench qualify SCENARIO...`: plants faults and mutants under scenarios, and reports what these would miss.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::builder::OsStringValueParser;
use clap::{Args, ValueHint};

use crate::campaign::qualification::devices::{self, DevicePlan};
use crate::campaign::qualification::engines::{self, EnginePlan};
use crate::cmd::names::WithNames;
use crate::cmd::options::TerminalOptions;
use crate::cmd::outputs;
use crate::cmd::run::find;
use crate::cmd::{Failure, RecordPlace, deliver_text, threads, valid};
use crate::console::Console;
use crate::console::progress::{ProgressWatch, StopRequest};
use crate::domain::seed::Seed;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::exit;
use crate::experiment;
use crate::experiment::valid::Valid;
use crate::report::format::text::{Table, render};
use crate::report::qualification::Qualification;
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
  abench qualify field-tally --sample 10 --seed 7";

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
    #[arg(long, value_name = "COUNT", requires = "seed")]
    pub sample: Option<NonZeroUsize>,
    /// Seed of the sample, hexadecimal
    #[arg(long, value_name = "SEED", requires = "sample")]
    pub seed: Option<Seed>,
    /// Threads among which the mutants of engines are shared out [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Write the JSON record to a file, or to standard output with -
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// How the terminal is used.
    #[command(flatten)]
    pub terminal: TerminalOptions,
}

/// Qualifies them and gives the exit code.
pub fn run(args: &QualifyArgs) -> Result<u8, Failure> {
    let (of_devices, of_engines): (Vec<_>, Vec<_>) =
        named(args)?.into_iter().partition(|scenario| !has_engines(scenario));
    let unused = unused(args, of_devices.is_empty(), of_engines.is_empty());
    if let Some(reason) = unused {
        return Err(Failure::usage(anyhow!("{reason}")));
    }
    let backend = if of_devices.is_empty() { None } else { Some(backend(args)?) };
    outputs::differ(
        outputs::scenario_files(&args.scenarios),
        args.record.iter().map(|path| ("--record", path.as_path())),
    )?;
    let place = RecordPlace::open(args.record.as_deref())?;
    let console = Console::new(args.terminal.color);
    let mut watch = ProgressWatch::new(console, args.terminal.progress, StopRequest::listen());
    let sample = args.sample.map(NonZeroUsize::get).zip(args.seed);
    let devices = match backend {
        Some(backend) => Some(devices::qualify(&DevicePlan { scenarios: of_devices, backend, sample }, &mut watch)?),
        None => None,
    };
    let engines = match of_engines.is_empty() {
        true => None,
        false => {
            let (until_killed, threads) = (args.until_killed, threads(args.threads));
            let plan = EnginePlan { scenarios: of_engines, until_killed, sample, threads };
            Some(engines::qualify(&plan, &mut watch).map_err(unavailable)?)
        }
    };
    let qualification = Qualification::of(devices, engines);
    deliver_text(place, args.terminal, &qualification, |width| {
        render(&qualification, width, Table::Left, args.terminal.detail())
    })?;
    Ok(qualification.exit_code())
}

/// An engine that cannot run though it has no mutant.
fn unavailable(error: SubjectError) -> Failure {
    Failure { exit: exit::UNAVAILABLE, error: error.into() }
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
    let of_engines = no_engines && (args.until_killed || args.threads.is_some());
    of_devices.then_some("--backend is about devices, and no scenario that is named puts one on trial").or(of_engines
        .then_some("--until-killed and --threads are about engines, and no scenario that is named puts one on trial"))
}

fn backend(args: &QualifyArgs) -> Result<Backend, Failure> {
    let named = args.backend.as_deref().unwrap_or("model");
    let mut backends = subject::backends([named])?;
    backends.pop().filter(|backend| backends.is_empty() && backend.takes_faults()).ok_or_else(|| {
        Failure::usage(anyhow!(
            "'{named}' takes no faults; --backend is model, or rtl in a build with that feature; :BANKS may follow"
        ))
    })
}
