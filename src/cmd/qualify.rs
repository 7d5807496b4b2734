//! `abench qualify SCENARIO...`: plants faults under scenarios, and reports what these would miss.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use crate::campaign::qualification::{QualificationPlan, qualify};
use crate::cmd::options::TerminalOptions;
use crate::cmd::run::find;
use crate::cmd::{Failure, RecordPlace, deliver_text};
use crate::console::Console;
use crate::console::progress::{ProgressWatch, StopRequest};
use crate::domain::trial::Trial;
use crate::report::qualification::render;
use crate::subject;

/// Arguments of `qualify`.
#[derive(Debug, Args)]
pub struct QualifyArgs {
    /// A scenario: a shipped name, or a path (with a / or ending in .toml)
    #[arg(required = true, value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// Who takes the faults: model, or rtl in a build with that feature; :BANKS may follow
    #[arg(long, value_name = "MODEL", default_value = "model")]
    pub backend: String,
    /// Write the JSON record to a file, or to standard output with -
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// How the terminal is used.
    #[command(flatten)]
    pub terminal: TerminalOptions,
}

/// Qualifies them and gives the exit code.
pub fn run(args: &QualifyArgs) -> Result<u8, Failure> {
    let scenarios: Result<Vec<_>, Failure> = args.scenarios.iter().map(|named| find(named)).collect();
    let scenarios = scenarios?;
    if let Some(laws) = scenarios.iter().find(|scenario| !matches!(scenario.trial, Trial::Standard(_) | Trial::Tick(_)))
    {
        let name = laws.name.as_deref().unwrap_or_default();
        return Err(Failure::usage(anyhow!("'{name}' puts no device on trial, and faults are planted in one")));
    }
    let mut backends = subject::backends([args.backend.as_str()])?;
    let backend = backends.pop().filter(|backend| backends.is_empty() && backend.takes_faults());
    let backend = backend.ok_or_else(|| {
        Failure::usage(anyhow!(
            "'{}' takes no faults; --backend is model, or rtl in a build with that feature; :BANKS may follow",
            args.backend
        ))
    })?;
    let place = RecordPlace::open(args.record.as_deref())?;
    let console = Console::new(args.terminal.color);
    let mut watch = ProgressWatch::new(console, args.terminal.progress, StopRequest::listen());
    let qualification = qualify(&QualificationPlan { scenarios, backend }, &mut watch)?;
    deliver_text(place, args.terminal, &qualification, |width| render(&qualification, width))?;
    Ok(qualification.exit_code())
}
