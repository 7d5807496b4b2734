//! `abench falsify [CLAIM...]`: published claims on trial, and the ledger of what became of them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use clap::builder::StringValueParser;

use crate::campaign::Plan;
use crate::claims::decidable::decidable;
use crate::claims::file::{self, ClaimsError};
use crate::claims::trial::{Run, put_on_trial};
use crate::claims::{Claim, Claims};
use crate::cmd::names::WithNames;
use crate::cmd::options::{LinkOptions, RunOptions, TerminalOptions, parse_threads};
use crate::cmd::run::find;
use crate::cmd::{Failure, RecordPlace, deliver_text, open_subjects, outputs, plan, plants_act};
use crate::console::Console;
use crate::console::progress::{ProgressWatch, StopRequest};
use crate::domain::fault::Fault;
use crate::domain::nearest::meant;
use crate::experiment;
use crate::report::format::text::{Table, render};
use crate::scenario::Scenario;
use crate::subject::{self, Backend};

/// Commands to start from, for the help.
const EXAMPLES: &str = "\
Examples:
  # Every published claim
  abench falsify
  # Two claims, with all numbers
  abench falsify order-independent 160-bytes -vv
  # The ledger as JSON, to be reported or compared
  abench falsify --record claims.json

Exit codes: 0 every claim has the verdict that is expected of it, 1 one has not.
abench --help lists all of them.";

/// Arguments of `falsify`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct FalsifyArgs {
    /// A claim, by its id; all of them if none is named
    #[arg(value_name = "CLAIM", hide_possible_values = true,
          value_parser = WithNames::of_claims(StringValueParser::new()))]
    pub ids: Vec<String>,
    /// Put the claims of your own file on trial, in place of the shipped ones; `abench show claims` prints those, to copy
    #[arg(long, value_name = "FILE")]
    pub claims: Option<PathBuf>,
    /// Backends of the scenarios that put a device on trial, as `abench run` takes them. A board makes the claims about
    /// silicon decidable [default: software,model]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub backend: Option<Vec<String>>,
    /// Plant a fault in the devices: claims are then expected to fall. May be given again (see `abench list faults`)
    #[arg(long, value_name = "FAULT")]
    pub plant: Vec<Fault>,
    /// Threads of the backend `threads`, of walks over every order, and of mutants [default: all cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub threads: Option<NonZeroUsize>,
    /// Write the ledger as JSON to a file, or to standard output with -
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// How the other ends of links are reached.
    #[command(flatten)]
    pub link: LinkOptions,
    /// How the terminal is used.
    #[command(flatten)]
    pub terminal: TerminalOptions,
}

impl From<ClaimsError> for Failure {
    fn from(error: ClaimsError) -> Self {
        Failure::usage(error)
    }
}

/// Puts them on trial and gives the exit code: 0 where every claim has the verdict that is expected.
pub fn run(args: &FalsifyArgs) -> Result<u8, Failure> {
    // Who stops a run before its first check wants to be told so, too.
    let console = Console::new(args.terminal.color);
    let mut watch = ProgressWatch::new(console, args.terminal.progress, StopRequest::listen());
    let claims = chosen(args)?;
    let scenarios = claims.scenarios();
    let files =
        scenarios.iter().filter(|name| outputs::is_path(name.as_ref())).map(|name| ("the scenario", Path::new(*name)));
    let files = files.chain(args.claims.as_deref().map(|path| ("the claims", path)));
    outputs::differ(files, args.record.iter().map(|path| ("--record", path.as_path())))?;
    let mut runs = Vec::with_capacity(scenarios.len());
    for name in scenarios {
        runs.push(ready(name, args)?);
    }
    has_effect(args, &runs)?;
    planted(&mut runs, &args.plant)?;
    all_fit(&runs)?;
    let place = RecordPlace::open(args.record.as_deref())?;
    let ledger = put_on_trial(&claims, &runs, &mut watch)?;
    deliver_text(place, args.terminal, &ledger, |width| render(&ledger, width, Table::Left, args.terminal.detail()))?;
    if let Some(contradiction) = &ledger.contradiction {
        console.say(&format!("abench: internal error, which is a bug of abench: {contradiction}"));
    }
    Ok(ledger.outcome().exit_code())
}

/// The claims that are named, each of which can be decided.
fn chosen(args: &FalsifyArgs) -> Result<Claims, Failure> {
    let mut claims = match &args.claims {
        Some(path) => file::read(path)?,
        None => file::shipped()?,
    };
    for id in &args.ids {
        if claims.claims.iter().all(|claim| claim.id != *id) {
            return Err(unknown(id, &claims));
        }
    }
    if !args.ids.is_empty() {
        claims.claims.retain(|claim| args.ids.contains(&claim.id));
    }
    // A scenario that is there and not sound says more about itself than that it is not there.
    for name in claims.scenarios() {
        find(name.as_ref()).map_err(|failure| named_by(&claims, name, failure))?;
    }
    decidable(&claims, |name| find(name.as_ref()).ok())?;
    Ok(claims)
}

/// A scenario that cannot be used, with the line of the claim that names it.
fn named_by(claims: &Claims, name: &str, failure: Failure) -> Failure {
    let rules = claims.claims.iter().flat_map(Claim::all_rules);
    let line = rules.into_iter().find(|rule| rule.scenarios.iter().any(|named| named == name)).map(|rule| rule.line);
    let origin = &claims.origin;
    let place = line.map_or(String::new(), |line| format!("{origin}, line {line}: tried_by: "));
    Failure { exit: failure.exit, error: anyhow!("{place}{:#}", failure.error) }
}

fn unknown(id: &str, claims: &Claims) -> Failure {
    let ids: Vec<&str> = claims.claims.iter().map(|claim| claim.id.as_str()).collect();
    let meant = meant(id, ids.iter().copied());
    Failure::usage(anyhow!("'{id}' is not a claim{meant}; there are {}", ids.join(", ")))
}

/// Whether a scenario puts a device on trial.
fn has_device(scenario: &Scenario) -> bool {
    experiment::of(&scenario.trial).answers().device
}

/// A scenario, ready to run.
fn ready(name: &str, args: &FalsifyArgs) -> Result<Run, Failure> {
    let scenario = find(name.as_ref())?;
    let takes_backends = has_device(&scenario);
    let mut options = RunOptions::plain(args.terminal);
    options.threads = args.threads;
    let mut command = format!("abench run {name}");
    if takes_backends {
        options.backend.clone_from(&args.backend);
        options.link = args.link;
        if let Some(backends) = &args.backend {
            command += &format!(" --backend {}", backends.join(","));
        }
        args.plant.iter().for_each(|fault| command += &format!(" --plant {fault}"));
    }
    Ok(Run { name: name.to_owned(), plan: plan(scenario, &options)?, command })
}

/// Refuses options that would have no effect.
fn has_effect(args: &FalsifyArgs, runs: &[Run]) -> Result<(), Failure> {
    let LinkOptions { baud, clock, silicon } = args.link;
    let given = [
        ("--backend", args.backend.is_some()),
        ("--plant", !args.plant.is_empty()),
        ("--baud", baud.is_some()),
        ("--clock", clock.is_some()),
        ("--silicon", silicon),
    ];
    let option = given.into_iter().find(|(_, is_given)| *is_given);
    match option.filter(|_| !runs.iter().any(|run| has_device(&run.plan.scenario))) {
        Some((option, _)) => {
            Err(Failure::usage(anyhow!("{option} is about devices, and no claim that is on trial rests on one")))
        }
        None => Ok(()),
    }
}

/// Plants the faults wherever they can act, and refuses those that can act nowhere.
fn planted(runs: &mut [Run], faults: &[Fault]) -> Result<(), Failure> {
    for (place, fault) in faults.iter().enumerate() {
        if faults[..place].contains(fault) {
            return Err(Failure::usage(anyhow!("--plant {fault} is given twice; plant each fault once")));
        }
        let (mut refused, mut acts) = (None, false);
        for run in runs.iter_mut().filter(|run| has_device(&run.plan.scenario)) {
            let before = run.plan.conditions.faults.clone();
            run.plan.conditions.faults.push(*fault);
            match acts_in(&run.plan, *fault) {
                Ok(()) => acts = true,
                Err(failure) => {
                    run.plan.conditions.faults = before;
                    refused = refused.or(Some(failure));
                }
            }
        }
        if let Some(failure) = refused.filter(|_| !acts) {
            return Err(failure);
        }
    }
    Ok(())
}

fn acts_in(plan: &Plan, fault: Fault) -> Result<(), Failure> {
    if let Some(reason) = experiment::of(&plan.scenario.trial).no_fault(fault) {
        return Err(Failure::usage(anyhow!("--plant {fault} can do nothing here: {reason}")));
    }
    plants_act(plan, &subject::open(&plan.backends, &plan.conditions)?)
}

/// Refuses what does not fit its budget, before anything runs.
fn all_fit(runs: &[Run]) -> Result<(), Failure> {
    // A link is not opened for a question that the other backends answer.
    let local = |run: &&Run| !run.plan.backends.iter().any(Backend::is_linked);
    runs.iter().filter(local).try_for_each(|run| open_subjects(&run.plan, None).map(drop))
}
