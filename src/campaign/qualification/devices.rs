//! Faults are planted in a device in turn, under every scenario, and what finds them is counted.
//!
//! It measures scenarios, not devices. Each mutant runs the whole scenario on a model of its own, and is judged by each
//! oracle alone and by all together. The unmodified control must be found sound, or nothing here means anything.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::campaign::qualification::called;
use crate::campaign::{self, Plan};
use crate::domain::evidence::Evidence;
use crate::domain::fault::Fault;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::subject::{Device, Subject, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::experiment;
use crate::experiment::jobs::{Inner, Jobs};
use crate::experiment::valid::Valid;
use crate::fault::catalogue::{Mutant, Shape, mutants};
use crate::report::qualification::devices::{
    Cell, Control, Coverage, DeviceQualification, MutantOutcome, MutantRecord,
};
use crate::report::record::{PlantedOutcome, Record};
use crate::scenario::Scenario;
use crate::subject::links::LinkConditions;
use crate::subject::{Backend, Conditions, OpenError, open};

/// Scenarios to qualify, and the device that faults are planted in.
pub struct DevicePlan {
    /// The scenarios.
    pub scenarios: Vec<Valid<Scenario>>,
    /// The model that takes the faults.
    pub backend: Backend,
    /// A sample of this size, drawn from this seed, and not all mutants.
    pub sample: Option<(usize, Seed)>,
}

/// Why nothing was qualified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QualifyError {
    /// The model cannot be opened without faults.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A job failed.
    #[error(transparent)]
    Subject(#[from] SubjectError),
}

/// A mutant under a scenario: a job.
struct Job<'a> {
    mutant: &'a Mutant,
    scenario: &'a Valid<Scenario>,
}

impl Job<'_> {
    /// What a journal calls it.
    fn id(&self) -> String {
        let faults: Vec<String> = self.mutant.faults.iter().map(Fault::to_string).collect();
        format!("{} under {}", faults.join("+"), called(self.scenario))
    }
}

/// Plants every mutant of the catalogue, or a sample of them, under every scenario. Nothing where only some of the jobs are
/// run here.
///
/// # Errors
/// If the model cannot be opened without faults, or the journal cannot be used.
pub fn qualify(
    plan: &DevicePlan,
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
) -> Result<Option<DeviceQualification>, QualifyError> {
    let bench = Bench { backend: &plan.backend };
    let subjects = open(std::slice::from_ref(&plan.backend), &bench.conditions(&[]))?;
    let device = subjects.devices.first().expect("who takes faults is a device");
    let (banks, evidence) = (device.identity().banks, device.evidence());
    let longest_run = plan.scenarios.iter().map(|s| experiment::of(&s.trial).longest_run(banks)).max().unwrap_or(0);
    let mutants = drawn(mutants(Shape { banks, longest_run }), plan.sample);

    watch.begin("qualification", (mutants.len() as u64 + 1) * plan.scenarios.len() as u64);
    watch.unit("runs");
    let mut controls = Vec::new();
    // Every shard needs them.
    for scenario in &plan.scenarios {
        let id = format!("control of {}", called(scenario));
        let control = match jobs.kept(&id)? {
            Some(kept) => kept,
            None => {
                let control = bench.control(scenario, watch)?;
                if !watch.stop_requested() {
                    jobs.keep(&id, &control)?;
                }
                control
            }
        };
        controls.push(control);
        watch.advance(1);
    }
    let mut records: Vec<MutantRecord> = Vec::new();
    let mut stopped = watch.stop_requested();
    if controls.iter().all(|control| control.sound) {
        let of = |mutant| plan.scenarios.iter().map(move |scenario| Job { mutant, scenario });
        let all = mutants.iter().flat_map(of).enumerate();
        let ours: Vec<Job<'_>> = all.filter(|(number, _)| jobs.takes(*number)).map(|(_, job)| job).collect();
        // Simulations of RTL share the memory of their runtime.
        let threads = if evidence == Evidence::Model { jobs.threads } else { NonZeroUsize::MIN };
        let cells = jobs.on(threads).run(&ours, Job::id, watch, |job, watch| {
            let cell = bench.cell(job.scenario, job.mutant, watch);
            // A mutant that was under way when the user stopped was not tried.
            if watch.stop_requested() { Err(SubjectError::Interrupted) } else { Ok(cell) }
        });
        stopped |= cells.failed == Some(SubjectError::Interrupted);
        if let Some(error) = cells.failed.filter(|error| jobs.is_part() || *error != SubjectError::Interrupted) {
            return Err(error.into());
        }
        let whole = if jobs.is_part() { &[] } else { cells.of.as_slice() };
        let rows = mutants.iter().zip(whole.chunks_exact(plan.scenarios.len()));
        records.extend(rows.map(|(mutant, cells)| record(mutant, cells.to_vec())));
    }
    watch.end();
    let whole = || finished(plan, evidence, controls, records, mutants.len(), stopped || watch.stop_requested());
    match (jobs.is_part(), stopped) {
        (false, _) => Ok(Some(whole())),
        (true, true) => Err(SubjectError::Interrupted.into()),
        (true, false) => Ok(None),
    }
}

/// The mutants, or those of a sample, in the order of the catalogue.
fn drawn(mutants: Vec<Mutant>, sample: Option<(usize, Seed)>) -> Vec<Mutant> {
    let Some((count, seed)) = sample else { return mutants };
    let mut places: Vec<usize> = (0..mutants.len()).collect();
    seed.stream("device mutants").shuffle(&mut places);
    let drawn: BTreeSet<usize> = places.into_iter().take(count).collect();
    mutants.into_iter().enumerate().filter(|(place, _)| drawn.contains(place)).map(|(_, mutant)| mutant).collect()
}

/// What every run of a qualification has in common.
struct Bench<'a> {
    backend: &'a Backend,
}

impl Bench<'_> {
    fn conditions(&self, faults: &[Fault]) -> Conditions {
        Conditions { threads: NonZeroUsize::MIN, faults: faults.to_vec(), link: LinkConditions::default() }
    }

    /// Runs a scenario with these faults. Its expectations are those of a sound run, and are left out.
    fn run(&self, scenario: &Valid<Scenario>, faults: &[Fault], watch: &dyn Watch) -> Result<Record, OpenError> {
        let plan = Plan {
            scenario: scenario.without_expectations(),
            backends: vec![self.backend.clone()],
            conditions: self.conditions(faults),
        };
        let mut subjects = open(&plan.backends, &plan.conditions)?;
        let record = campaign::run(&plan, &mut subjects, &mut Inner(watch));
        // Under judges that cannot fail every mutant would escape, and that would say nothing of the scenario.
        let broken = record.internal_error();
        assert!(broken.is_none(), "{}", broken.unwrap_or_default());
        Ok(record)
    }

    fn control(&self, scenario: &Valid<Scenario>, watch: &dyn Watch) -> Result<Control, OpenError> {
        let record = self.run(scenario, &[], watch)?;
        let whole = !record.interrupted && record.unavailable.is_none();
        let flawless = record.checks.iter().all(|check| check.findings.is_empty());
        Ok(Control {
            scenario: scenario.name.clone().unwrap_or_default(),
            trial: scenario.trial.clone(),
            verdict: record.verdict,
            // A scenario that claims more than it tries is inconclusive, which is what a qualification measures.
            sound: whole && flawless && record.verdict != Verdict::Falsified && !record.checks.is_empty(),
            reason: record.reason,
        })
    }

    /// A mutant under a scenario. A harness that falls over is not a detection.
    fn cell(&self, scenario: &Valid<Scenario>, mutant: &Mutant, watch: &dyn Watch) -> Cell {
        let undetected = |outcome, reason: String| Cell { outcome, oracles: BTreeSet::new(), reason };
        match catch_unwind(AssertUnwindSafe(|| self.run(scenario, &mutant.faults, watch))) {
            Err(_) => undetected(MutantOutcome::Crashed, "the harness crashed, which is a fault of abench".to_owned()),
            Ok(Err(error)) => undetected(MutantOutcome::Escaped, format!("it could not be run: {error}")),
            Ok(Ok(record)) => judge(&record),
        }
    }
}

fn judge(record: &Record) -> Cell {
    let oracles = || record.checks.iter().flat_map(|check| &check.oracles);
    let found: BTreeSet<OracleId> =
        oracles().filter(|(_, verdict)| **verdict == Verdict::Falsified).map(|(oracle, _)| *oracle).collect();
    let falsified = record.checks.iter().find(|check| check.verdict == Verdict::Falsified);
    let all = |wanted: &[PlantedOutcome]| record.planted.iter().all(|planted| wanted.contains(&planted.outcome));
    let (outcome, reason) = if let Some(check) = falsified {
        let shown = check.findings.first().map(|finding| {
            let (quantity, expected, got) = (finding.quantity, finding.expected, finding.got);
            format!(": {}: {quantity} expected {expected}, got {got}", finding.during)
        });
        (MutantOutcome::Detected, format!("{}{}", check.name, shown.unwrap_or_default()))
    } else if all(&[PlantedOutcome::NotActivated]) {
        (MutantOutcome::NotActivated, first_reason(record))
    } else if all(&[PlantedOutcome::NotActivated, PlantedOutcome::Equivalent]) {
        (MutantOutcome::Equivalent, first_reason(record))
    } else {
        let escaped = record.planted.iter().find(|planted| planted.outcome == PlantedOutcome::Escaped);
        (MutantOutcome::Escaped, escaped.map(|planted| planted.reason.clone()).unwrap_or_default())
    };
    let oracles = if outcome == MutantOutcome::Detected { found } else { BTreeSet::new() };
    Cell { outcome, oracles, reason }
}

/// Why the mutant did nothing: the reason of a fault that was in use, if one was.
fn first_reason(record: &Record) -> String {
    let used = record.planted.iter().find(|planted| planted.outcome == PlantedOutcome::Equivalent);
    used.or(record.planted.first()).map(|planted| planted.reason.clone()).unwrap_or_default()
}

fn record(mutant: &Mutant, cells: Vec<Cell>) -> MutantRecord {
    let has = |outcome: MutantOutcome| cells.iter().any(|cell| cell.outcome == outcome);
    // Over a set of scenarios, whatever finds or shows most decides.
    let order = [
        MutantOutcome::Crashed,
        MutantOutcome::Detected,
        MutantOutcome::Escaped,
        MutantOutcome::Equivalent,
        MutantOutcome::NotActivated,
    ];
    let together = order.into_iter().find(|&outcome| has(outcome)).unwrap_or(MutantOutcome::NotActivated);
    let faults = mutant.faults.iter().map(Fault::to_string).collect();
    MutantRecord { kind: mutant.kind.to_owned(), faults, together, cells }
}

fn finished(
    plan: &DevicePlan,
    evidence: Evidence,
    controls: Vec<Control>,
    mutants: Vec<MutantRecord>,
    planned: usize,
    interrupted: bool,
) -> DeviceQualification {
    let column = |place: usize| Coverage::of(mutants.iter().map(|mutant| mutant.cells[place].outcome));
    let by_scenario: Vec<Coverage> = (0..controls.len()).map(column).collect();
    let together = Coverage::of(mutants.iter().map(|mutant| mutant.together));
    let void = !interrupted && !controls.iter().all(|control| control.sound);
    let wanted = |scenario: &Valid<Scenario>| scenario.expect.as_ref().and_then(|e| e.coverage_percent).unwrap_or(100);
    let mut unmet = Vec::new();
    if !void && !interrupted {
        for ((scenario, control), coverage) in plan.scenarios.iter().zip(&controls).zip(&by_scenario) {
            let wanted = wanted(scenario);
            if !coverage.reaches(wanted) {
                unmet.push(format!("{}: expected {wanted} % at least, got {coverage}", control.scenario));
            }
        }
    }
    let mut by_oracle = vec![BTreeMap::new(); controls.len()];
    for mutant in &mutants {
        for (cell, counts) in mutant.cells.iter().zip(&mut by_oracle) {
            for &oracle in &cell.oracles {
                *counts.entry(oracle).or_insert(0) += 1;
            }
        }
    }
    DeviceQualification {
        evidence,
        backend: plan.backend.to_string(),
        void,
        interrupted,
        crashed: together.crashed > 0,
        unmet,
        controls,
        planned: planned as u64,
        by_scenario,
        by_oracle,
        together,
        mutants,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::journal::{Head, Journal};
    use crate::report::record::Asked;
    use crate::scenario::file::parse;
    use crate::subject::backends;
    use std::cell::Cell as Remaining;

    /// Asks to stop once it has been looked at so often.
    struct StopAfter(Remaining<u32>);

    impl Watch for StopAfter {
        fn begin(&mut self, _stage: &str, _total: u64) {}
        fn advance(&mut self, _units: u64) {}
        fn end(&mut self) {}
        fn stop_requested(&self) -> bool {
            let left = self.0.get();
            self.0.set(left.saturating_sub(1));
            left == 0
        }
    }

    #[test]
    fn over_several_scenarios_an_escape_is_not_excused_by_one_that_never_used_the_part() {
        use MutantOutcome::*;
        let together = |outcomes: &[MutantOutcome]| {
            let cell = |&outcome| Cell { outcome, oracles: BTreeSet::new(), reason: String::new() };
            let mutant = Mutant { kind: "dead-bank:K", faults: vec![Fault::DeadBank(1)] };
            record(&mutant, outcomes.iter().map(cell).collect()).together
        };
        assert_eq!(together(&[NotActivated, Escaped]), Escaped);
        assert_eq!(together(&[Equivalent, Escaped]), Escaped);
        assert_eq!(together(&[Escaped, Detected]), Detected);
        assert_eq!(together(&[NotActivated, Equivalent]), Equivalent);
        assert_eq!(together(&[Detected, Crashed]), Crashed);
    }

    #[test]
    fn a_sample_of_mutants_is_drawn_from_its_seed_and_keeps_the_order_of_the_catalogue() {
        let all = || mutants(Shape { banks: 8, longest_run: 1001 });
        let names = |sample| drawn(all(), sample).into_iter().map(|mutant| mutant.faults).collect::<Vec<_>>();
        let (whole, sample) = (names(None), |seed| names(Some((9, Seed::new(seed)))));
        assert_eq!((sample(1).len(), sample(1)), (9, sample(1)));
        assert!((2..20).any(|seed| sample(seed) != sample(1)));
        let places: Vec<usize> = sample(1).iter().filter_map(|drawn| whole.iter().position(|m| m == drawn)).collect();
        assert!(places.len() == 9 && places.is_sorted(), "{places:?}");
        assert_eq!(names(Some((usize::MAX, Seed::new(1)))), whole);
    }

    #[test]
    fn wherever_it_is_stopped_it_records_what_was_planted_until_then_and_nothing_else() {
        let bare = "version = 2\n[standard]\ncount = 1001\nseed = '1'\nchecks = ['bank-sweep']\n";
        let scenario = parse(bare, "bare", "bare").expect("a scenario");
        let backend = backends(["model"]).expect("a backend").remove(0);
        let plan = DevicePlan { scenarios: vec![Valid::of(scenario).expect("it passes")], backend, sample: None };
        let journal = Journal::none(Head::of(Asked::of(plan.scenarios[0].trial.clone()), None));
        let jobs = Jobs::all(NonZeroUsize::MIN, &journal);
        let qualify = |looks| {
            let qualified = qualify(&plan, &jobs, &mut StopAfter(Remaining::new(looks)));
            qualified.expect("the model is there").expect("it is whole")
        };
        let whole = qualify(u32::MAX);
        assert!(!whole.interrupted && !whole.void);
        for looks in 0..120 {
            let stopped = qualify(looks);
            assert!(stopped.interrupted && !stopped.void, "{looks}");
            assert!(stopped.mutants.len() < whole.mutants.len(), "{looks}");
            assert_eq!(stopped.mutants, whole.mutants[..stopped.mutants.len()], "{looks}");
        }
    }
}
