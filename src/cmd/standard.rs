//! `abench [COUNT [SEED]]`: the standard campaign.

use crate::cli::StandardArgs;
use crate::cmd::{Failure, RecordPlace, deliver, execute, plan};
use crate::console::progress::StopRequest;
use crate::domain::trial::{StandardTrial, Trial};
use crate::report::text::Table;
use crate::scenario::Scenario;

/// Runs it and gives the exit code.
pub fn run(args: &StandardArgs) -> Result<u8, Failure> {
    let published = StandardTrial::published();
    let trial = StandardTrial {
        count: args.count.unwrap_or(published.count),
        seed: args.seed_argument.or(args.run.seed).unwrap_or(published.seed),
        budget: args.run.budget.unwrap_or(published.budget),
    };
    let plan = plan(Scenario::unnamed(Trial::Standard(trial)), &args.run)?;
    let place = RecordPlace::open(args.run.record.as_deref())?;
    let record = execute(&plan, args.run.terminal, &StopRequest::listen())?;
    deliver(&record, place, args.run.terminal, Table::Shown)?;
    Ok(record.outcome().exit_code())
}
