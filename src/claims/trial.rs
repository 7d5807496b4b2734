//! The trial of claims: every scenario is run once, every qualification made once, and then each rule asks what it needs.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Instant;

use crate::campaign::qualification::devices::{self, DevicePlan, QualifyError};
use crate::campaign::qualification::engines::{self, EnginePlan};
use crate::campaign::{self, Plan};
use crate::claims::judge::{self, Asked};
use crate::claims::rule::{PlantedIn, Rule};
use crate::claims::{Claim, Claims, PlacedRule};
use crate::domain::seed::Seed;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::experiment::jobs::Jobs;
use crate::report::journal::Journal;
use crate::report::ledger::{
    ClaimEntry, ClaimTrial, ClaimVerdict, Decision, FORMAT, Ledger, LedgerTiming, RunEntry, VERSION, WeakerEntry,
};
use crate::report::qualification::devices::DeviceQualification;
use crate::report::qualification::mutants::EngineQualification;
use crate::report::record::{Host, Record};
use crate::subject::{self, Backend, OpenError};

/// A scenario that claims rest on, ready to run.
pub struct Run {
    /// Its name, as rules have it.
    pub name: String,
    /// How it is run.
    pub plan: Plan,
    /// The command that runs it alone.
    pub command: String,
}

/// A qualification that claims rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Planting<'a> {
    scenario: &'a str,
    planted_in: PlantedIn,
    sample: Option<(usize, Seed)>,
}

impl Planting<'_> {
    fn name(&self) -> String {
        let of = if self.planted_in == PlantedIn::Devices { "devices" } else { "engines" };
        format!("mutants of {of} under {}", self.scenario)
    }

    fn command(&self) -> String {
        let sample = self.sample.map_or(String::new(), |(count, seed)| format!(" --sample {count} --seed {seed}"));
        format!("abench qualify {}{sample}", self.scenario)
    }
}

/// What a qualification came to.
enum Qualified {
    Devices(DeviceQualification),
    Engines(EngineQualification),
}

/// What all runs came to.
#[derive(Default)]
struct Found<'a> {
    records: BTreeMap<&'a str, Record>,
    qualified: BTreeMap<Planting<'a>, Qualified>,
    runs: Vec<RunEntry>,
    timing: LedgerTiming,
    host: Host,
    unavailable: Option<String>,
    contradiction: Option<String>,
    interrupted: bool,
}

/// Tells which run is under way.
struct Within<'a> {
    watch: &'a mut dyn Watch,
    run: String,
}

impl Watch for Within<'_> {
    fn begin(&mut self, stage: &str, total: u64) {
        self.watch.begin(&format!("{}: {stage}", self.run), total);
    }
    fn unit(&mut self, units: &'static str) {
        self.watch.unit(units);
    }
    fn states(&mut self, states: u64, depth: u64) {
        self.watch.states(states, depth);
    }
    fn advance(&mut self, units: u64) {
        self.watch.advance(units);
    }
    fn within(&mut self, thousandths: u64) {
        self.watch.within(thousandths);
    }
    fn end(&mut self) {
        self.watch.end();
    }
    fn stop_requested(&self) -> bool {
        self.watch.stop_requested()
    }
}

/// Puts claims on trial by these runs, one for each scenario that a rule names.
///
/// # Errors
/// If a backend cannot be opened for another reason than that it is not there.
pub fn put_on_trial(claims: &Claims, runs: &[Run], watch: &mut dyn Watch) -> Result<Ledger, QualifyError> {
    let start = Instant::now();
    let plantings = plantings(claims);
    let all = runs.len() + plantings.len();
    let mut found = Found::default();
    for (place, run) in runs.iter().enumerate() {
        if found.interrupted {
            break;
        }
        let watch = &mut Within { watch, run: format!("{} of {all}, {}", place + 1, run.name) };
        found.run(run, watch)?;
    }
    for (place, planting) in plantings.into_iter().enumerate() {
        if found.interrupted {
            break;
        }
        let Some(run) = runs.iter().find(|run| run.name == planting.scenario) else { continue };
        let watch = &mut Within { watch, run: format!("{} of {all}, {}", runs.len() + place + 1, planting.name()) };
        found.qualify(planting, run, watch)?;
    }
    watch.end();
    found.timing.total_us = start.elapsed().as_micros() as u64;
    Ok(found.into_ledger(claims, runs))
}

/// Every qualification that a rule asks for, once.
fn plantings(claims: &Claims) -> Vec<Planting<'_>> {
    let mut plantings = Vec::new();
    for PlacedRule { rule, scenarios, .. } in claims.claims.iter().flat_map(Claim::all_rules) {
        for scenario in scenarios {
            if let Some(planting) = planting(rule, scenario)
                && !plantings.contains(&planting)
            {
                plantings.push(planting);
            }
        }
    }
    plantings
}

fn planting<'a>(rule: &Rule, scenario: &'a str) -> Option<Planting<'a>> {
    let Rule::Mutants { planted_in, sample, seed, .. } = rule else { return None };
    let sample = sample.map(NonZeroUsize::get).zip(*seed);
    Some(Planting { scenario, planted_in: *planted_in, sample })
}

impl<'a> Found<'a> {
    fn run(&mut self, run: &'a Run, watch: &mut dyn Watch) -> Result<(), QualifyError> {
        let start = Instant::now();
        let record = match subject::open(&run.plan.backends, &run.plan.conditions) {
            Ok(mut subjects) => campaign::run(&run.plan, &mut subjects, watch),
            Err(OpenError::Unavailable { backend, error }) => campaign::unavailable(&run.plan, &backend, &error),
            Err(error) => return Err(error.into()),
        };
        let is_whole = !record.interrupted && record.unavailable.is_none();
        self.entered(&run.name, &run.command, is_whole.then_some(record.verdict), &record.reason, start);
        self.interrupted |= record.interrupted;
        self.unavailable = self.unavailable.take().or(record.unavailable.clone());
        let broken = record.internal_error().map(|error| format!("{}: {error}", run.name));
        self.contradiction = self.contradiction.take().or(broken);
        self.host = record.host.clone();
        self.records.insert(&run.name, record);
        Ok(())
    }

    fn qualify(&mut self, planting: Planting<'a>, run: &Run, watch: &mut dyn Watch) -> Result<(), QualifyError> {
        let start = Instant::now();
        let scenarios = vec![run.plan.scenario.clone()];
        let journal = Journal::none(campaign::head(&run.plan, None));
        let jobs = Jobs::all(run.plan.conditions.threads, &journal);
        let (qualified, is_unmet, crashed) = match planting.planted_in {
            PlantedIn::Devices => {
                let backend = model();
                let plan = DevicePlan { scenarios, backend, sample: planting.sample };
                let qualified = devices::qualify(&plan, &jobs, watch)?.expect("all jobs are run here");
                self.interrupted |= qualified.interrupted;
                let (unmet, crashed) = (qualified.void || !qualified.unmet.is_empty(), qualified.crashed);
                (Qualified::Devices(qualified), unmet, crashed)
            }
            PlantedIn::Engines => {
                let plan = EnginePlan { scenarios, until_killed: false, sample: planting.sample };
                let qualified = match engines::qualify(&plan, &jobs, watch) {
                    Ok(qualified) => qualified.expect("all jobs are run here"),
                    Err(error) => {
                        self.unavailable.get_or_insert_with(|| format!("{}: {error}", planting.name()));
                        return Ok(());
                    }
                };
                self.interrupted |= qualified.interrupted;
                let (unmet, crashed) = (!qualified.unmet.is_empty(), qualified.crashed);
                (Qualified::Engines(qualified), unmet, crashed)
            }
        };
        if crashed {
            let why = || format!("{}: the harness crashed under a mutant", planting.name());
            self.contradiction.get_or_insert_with(why);
        }
        let (verdict, reason) = match is_unmet {
            true => (Verdict::Falsified, "Not every mutant was killed that the scenario expects to kill."),
            false => (Verdict::Holds, "Every mutant was killed that the scenario expects to kill."),
        };
        let verdict = (!self.interrupted).then_some(verdict);
        self.entered(&planting.name(), &planting.command(), verdict, reason, start);
        self.qualified.insert(planting, qualified);
        Ok(())
    }

    fn entered(&mut self, name: &str, command: &str, verdict: Option<Verdict>, reason: &str, start: Instant) {
        let reason = if verdict.is_some() { reason.to_owned() } else { "It did not come to its end.".to_owned() };
        let (name, command) = (name.to_owned(), command.to_owned());
        self.timing.runs_us.push((name.clone(), start.elapsed().as_micros() as u64));
        self.runs.push(RunEntry { name, command, verdict, reason });
    }

    fn into_ledger(self, claims: &Claims, runs: &[Run]) -> Ledger {
        let of_rules = |rules: &[PlacedRule]| {
            ClaimTrial::of(rules.iter().flat_map(|placed| self.decisions(placed, runs)).collect())
        };
        let entry = |claim: &Claim| ClaimEntry {
            id: claim.id.clone(),
            says: claim.says.clone(),
            source: claim.source.clone(),
            refuted_if: claim.refuted_if.clone(),
            expected: claim.expected,
            trial: of_rules(&claim.rules),
            weaker: claim
                .weaker
                .as_ref()
                .map(|weaker| WeakerEntry { says: weaker.says.clone(), trial: of_rules(&weaker.rules) }),
        };
        let entries = claims.claims.iter().map(entry).collect();
        let mut planted: Vec<String> =
            runs.iter().flat_map(|run| run.plan.conditions.faults.iter().map(ToString::to_string)).collect();
        planted.sort_unstable();
        planted.dedup();
        Ledger {
            format: FORMAT.to_owned(),
            version: VERSION,
            abench: env!("CARGO_PKG_VERSION").to_owned(),
            claims_from: claims.origin.clone(),
            planted,
            interrupted: self.interrupted,
            unavailable: self.unavailable,
            contradiction: self.contradiction,
            runs: self.runs,
            claims: entries,
            timing: self.timing,
            host: self.host,
            digest: None,
        }
    }

    /// What a rule came to: one decision for each of its scenarios.
    fn decisions(&self, placed: &PlacedRule, runs: &[Run]) -> Vec<Decision> {
        if let Rule::Instrument { instrument } = &placed.rule {
            let asked = Asked { run: "", command: "" };
            return vec![judge::of_instrument(&placed.rule, instrument, asked)];
        }
        let one = |scenario: &String| {
            let command = runs.iter().find(|run| run.name == *scenario).map_or("", |run| run.command.as_str());
            self.decision(&placed.rule, scenario, command)
        };
        placed.scenarios.iter().map(one).collect()
    }

    fn decision(&self, rule: &Rule, scenario: &str, command: &str) -> Decision {
        if let Some(planting) = planting(rule, scenario) {
            let (name, command) = (planting.name(), planting.command());
            let asked = Asked { run: &name, command: &command };
            return match self.qualified.get(&planting) {
                Some(Qualified::Devices(qualified)) => judge::of_devices(rule, qualified, asked),
                Some(Qualified::Engines(qualified)) => judge::of_engines(rule, qualified, asked),
                None => self.not_run(rule, &name),
            };
        }
        match self.records.get(scenario) {
            Some(record) => judge::of_record(rule, record, Asked { run: scenario, command }),
            None => self.not_run(rule, scenario),
        }
    }

    /// The decision about a rule whose run was not made.
    fn not_run(&self, rule: &Rule, run: &str) -> Decision {
        let (verdict, found) = match &self.unavailable {
            Some(reason) if !self.interrupted => (ClaimVerdict::Inconclusive, reason.clone()),
            _ => (ClaimVerdict::NotTried, "stopped by the user before it was run".to_owned()),
        };
        Decision {
            run: run.to_owned(),
            asked: rule.to_string(),
            verdict,
            found,
            evidence: Vec::new(),
            number: None,
            warrant: None,
            counterexample: None,
        }
    }
}

/// The device that mutants are planted in.
fn model() -> Backend {
    let mut backends = subject::backends(["model"]).expect("every build has a model");
    backends.remove(0)
}
