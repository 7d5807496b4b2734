//! Every order of a few deltas, for merges as plain functions: proved, or falsified by the fewest deltas.

pub mod section;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Instant;

use crate::domain::algebra::{Algebra, Entry, Generic, Named, REGISTRY, Reading};
use crate::domain::case::Case;
use crate::domain::evidence::Evidence;
use crate::domain::execution::Execution;
use crate::domain::fault::{Fault, FaultClass};
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::replica::Merging;
use crate::domain::seed::Seed;
use crate::domain::subject::SubjectError;
use crate::domain::trial::{Budget, EveryOrderTrial, MemoryMib, Trial};
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::experiment::answers::Answers;
use crate::experiment::control::{Control, Show, Shown};
use crate::experiment::jobs::Jobs;
use crate::experiment::valid::Passed;
use crate::experiment::{Bench, Changes, Experiment, NoEffect, Setting, claims, took, walk};
use crate::explore::PlanError;
use crate::explore::exhaustive::{Disagreement, Judgement, Limits, Outcome, Plan, Refused, Unsettled, Way, explore};
use crate::report::journal::{Head, Journal};
use crate::report::record::{Check, ClaimRecord, Part, Record, Unseen};
use crate::subject::Subjects;

impl Experiment for EveryOrderTrial {
    fn judges(&self) -> &'static [Judge] {
        &[Judge::EveryOrder, Judge::Expectation]
    }

    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect> {
        changes.refuse(&["--orders"], "chooses arrival orders, and this scenario walks over all")?;
        changes.refuse_engines()?;
        self.seed = changes.seed.unwrap_or(self.seed);
        self.budget = changes.budget.unwrap_or(self.budget);
        self.memory_mib = changes.memory.unwrap_or(self.memory_mib);
        Ok(())
    }

    fn no_backend(&self) -> Option<&'static str> {
        Some("a walk over every order is one of algebras")
    }

    fn answers(&self) -> Answers {
        let named: Vec<String> = match self.algebras.as_slice() {
            [] => REGISTRY.iter().map(|entry| entry.name.to_owned()).collect(),
            named => named.iter().map(ToString::to_string).collect(),
        };
        let checks = named.iter().map(|named| format!("every order of {named}")).collect();
        Answers { checks, ..Answers::default() }
    }

    fn no_fault(&self, _fault: Fault) -> Option<&'static str> {
        Some("a walk over every order has no device")
    }

    fn fits(&self, setting: &Setting<'_>) -> Result<(), PlanError> {
        Ok(fits(self, setting.threads)?)
    }

    fn run(&self, _passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError> {
        walk_all(self, &bench.jobs, bench.record, bench.watch)
    }

    fn claims(&self, record: &Record, _subjects: &Subjects) -> Vec<ClaimRecord> {
        claims::of_subjects(&claimed(self), &record.checks)
    }

    fn unseen(&self, _record: &Record, _subjects: &Subjects) -> Unseen {
        unseen(self)
    }
}

/// Walks over every order for every algebra of the trial, one check each.
fn walk_all(
    trial: &EveryOrderTrial,
    jobs: &Jobs<'_>,
    record: &mut Record,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let plan = plan(trial);
    let ours = algebras(trial).into_iter().enumerate().filter(|(place, _)| jobs.takes(*place));
    for (_, named) in ours {
        let name = format!("every order of {named}");
        let (check, walk, time) = match jobs.kept(&name)? {
            Some(kept) => kept,
            None => {
                let begun = Instant::now();
                let deltas = deltas(trial, named.entry().at_64.reading);
                let (start, limits) = (start(trial, named.entry()), limits(trial, jobs.threads));
                let walk = Walk { start, plan: &plan, deltas: &deltas, limits, watch };
                let outcome = named.visit(walk).map_err(|refused| SubjectError::Unavailable(refused.to_string()))?;
                let check = check(name.clone(), named.entry(), trial, &plan, &deltas, &outcome);
                let walk = walk::record(name.clone(), Evidence::Software, &plan, &deltas, &outcome);
                if outcome.judgement == Judgement::Inconclusive(Unsettled::Stopped) {
                    record.checks.push(check);
                    record.walks.push(walk);
                    return Err(SubjectError::Interrupted);
                }
                let ended = (check, walk, begun.elapsed());
                jobs.keep(&name, &ended)?;
                ended
            }
        };
        took(record, &name, time);
        record.checks.push(check);
        record.walks.push(walk);
    }
    Ok(())
}

/// Whether the walks of a trial fit their limits.
fn fits(trial: &EveryOrderTrial, threads: NonZeroUsize) -> Result<(), Refused> {
    let deltas = deltas(trial, Reading::Unsigned);
    let replica = Merging { deltas: &deltas, start: 0, merge: |state: u64, _| state };
    plan(trial).within(&replica, &limits(trial, threads)).map(|_| ())
}

/// The algebras on trial.
fn algebras(trial: &EveryOrderTrial) -> Vec<Named> {
    if !trial.algebras.is_empty() {
        return trial.algebras.clone();
    }
    REGISTRY.iter().map(|entry| entry.name.parse().expect("it is registered")).collect()
}

fn plan(trial: &EveryOrderTrial) -> Plan {
    let EveryOrderTrial { deltas, sources, repeats, losses, .. } = *trial;
    let plan = match (sources, repeats) {
        (Some(sources), _) => {
            Plan::per_source((0..sources).map(|source| (source..deltas).step_by(sources as usize).collect()).collect())
        }
        (None, Some(times)) => Plan::repeated(deltas, times),
        (None, None) => Plan::every_order(deltas),
    };
    if losses { plan.with_losses() } else { plan }
}

fn limits(trial: &EveryOrderTrial, threads: NonZeroUsize) -> Limits {
    Limits { memory: trial.memory_mib.bytes(), deliveries: trial.budget.get(), threads }
}

/// The state before any delivery: as the trial names it, or what changes nothing, where there is such a state.
fn start(trial: &EveryOrderTrial, entry: &Entry) -> u64 {
    trial.start.map(|start| start.0).or(entry.at_64.identity).unwrap_or(0)
}

/// Why all ways agreeing tells nothing, if it does not. A start that no delta changes is changed by no set of them.
fn untelling(start: u64, entry: &Entry, deltas: &[u64]) -> Option<String> {
    let changes = deltas.iter().any(|&delta| (entry.at_64.merge)(start, delta) != start);
    (!changes).then(|| {
        format!(
            "no delta changes the start {}: a merge that ignores every delta passes; name another start",
            Hex64(start)
        )
    })
}

/// The values of the deltas: 64 random bits each. As a floating point number, most such words are so much larger or
/// smaller than the others that a sum shows one of them alone; so those have random significands and signs, and sizes
/// from 1 to 256.
fn deltas(trial: &EveryOrderTrial, reading: Reading) -> Vec<u64> {
    /// The bits of sign and significand of a binary64 number (IEEE 754-2019, section 3.4).
    const SIGN_AND_SIGNIFICAND: u64 = 0x800F_FFFF_FFFF_FFFF;
    let mut stream = trial.seed.stream("every order");
    let words = (0..trial.deltas).map(|_| stream.word());
    match reading {
        Reading::Float => words.map(|word| (word & SIGN_AND_SIGNIFICAND) | ((1023 + (word >> 52 & 7)) << 52)).collect(),
        Reading::Unsigned | Reading::Signed => words.collect(),
    }
}

/// A walk that is compiled for each algebra.
struct Walk<'a> {
    start: u64,
    plan: &'a Plan,
    deltas: &'a [u64],
    limits: Limits,
    watch: &'a mut dyn Watch,
}

impl Generic for Walk<'_> {
    type Output = Result<Outcome, Refused>;

    fn with<A: Algebra>(self) -> Self::Output {
        let replica = Merging { deltas: self.deltas, start: self.start, merge: A::merge };
        explore(&replica, self.plan, &self.plan.within(&replica, &self.limits)?, self.watch)
    }
}

fn check(
    name: String,
    entry: &Entry,
    trial: &EveryOrderTrial,
    plan: &Plan,
    deltas: &[u64],
    outcome: &Outcome,
) -> Check {
    let doubt = untelling(start(trial, entry), entry, deltas);
    let verdict = match outcome.verdict() {
        Verdict::Holds if doubt.is_some() => Verdict::Inconclusive,
        verdict => verdict,
    };
    let findings = match &outcome.judgement {
        Judgement::Disagree(disagreement) => vec![finding(entry, trial, plan, deltas, disagreement)],
        _ => Vec::new(),
    };
    Check {
        name,
        part: Part::Orders,
        judge: Judge::EveryOrder,
        subjects: BTreeMap::from([(entry.name.to_owned(), Evidence::Software)]),
        verdict,
        tries: if doubt.is_none() { tried(trial) } else { Vec::new() },
        summary: doubt.unwrap_or_else(|| walk::summary(plan, outcome)),
        oracles: BTreeMap::from([(OracleId::Invariance, verdict)]),
        warrant: walk::warrant(plan, outcome).filter(|_| verdict == Verdict::Holds),
        orders: None,
        findings,
    }
}

/// The kinds of fault that the trial's schedules would show. Whatever the merge, one delta has one order, and one source
/// delivers in one.
fn tried(trial: &EveryOrderTrial) -> Vec<FaultClass> {
    let orders = trial.deltas > 1 && trial.sources != Some(1);
    let repeats = trial.repeats.is_some_and(|times| times > 1);
    let tried = [(orders, FaultClass::OrderDependence), (repeats, FaultClass::RepeatedDelivery)];
    tried.into_iter().filter(|(is_tried, _)| *is_tried).map(|(_, class)| class).collect()
}

/// What the trial claims to test for: dependence on the order, repeats where it has any, and what it names.
fn claimed(trial: &EveryOrderTrial) -> Vec<FaultClass> {
    let mut claims = vec![FaultClass::OrderDependence];
    claims.extend(tried(trial).into_iter().chain(trial.claims.iter().copied()));
    claims.sort_unstable();
    claims.dedup();
    claims
}

fn finding(
    entry: &Entry,
    trial: &EveryOrderTrial,
    plan: &Plan,
    deltas: &[u64],
    disagreement: &Disagreement,
) -> Finding {
    let Disagreement { first, second, smallest, deltas: of } = disagreement;
    let values = |way: &Way| way.deliveries.iter().map(|&delta| deltas[delta as usize]).collect::<Vec<u64>>();
    let execution = Execution::Merge { start: start(trial, entry), first: values(first), second: values(second) };
    let case = Case { subject: entry.name.to_owned(), execution, faults: Vec::new() };
    Finding {
        subject: entry.name.to_owned(),
        evidence: Evidence::Software,
        during: plan.describe(),
        quantity: Quantity::State,
        expected: Hex64(walk::word(&first.shown)),
        got: Hex64(walk::word(&second.shown)),
        reproducible: true,
        oracle: OracleId::Invariance,
        case: case.to_string(),
        size: walk::size(plan, of.len(), *smallest),
    }
}

/// What such a trial cannot see.
fn unseen(trial: &EveryOrderTrial) -> Unseen {
    let by_run = [
        format!(
            "The proofs are of these {} deltas from this start, and of the merge as a function: whether other deltas, or \
             a subject that claims to merge so, do the same is for other trials.",
            trial.deltas
        ),
        "Only whether orders agree is judged here, and not whether what they agree on is right: there is no ledger of what \
         the deltas mean."
            .to_owned(),
    ];
    Unseen { by_bank_sweep: Vec::new(), by_run: by_run.to_vec() }
}

/// What is planted for the judge of walks over every order.
pub const CONTROLS: &[Control] = &[Control {
    judge: Judge::EveryOrder,
    planted: "algebras that two or three deltas in another order falsify",
    show: Show::Alone(show_every_order),
}];

fn show_every_order() -> Shown {
    Shown::of("xor", ["last-arrival-wins", "signed-saturating-add", "f64-sum"], |algebra| {
        let trial = EveryOrderTrial {
            seed: Seed::new(7),
            deltas: 6,
            algebras: vec![algebra.parse().expect("it is registered")],
            start: None,
            sources: None,
            repeats: None,
            losses: false,
            claims: Vec::new(),
            budget: Budget::deliveries(1 << 20),
            memory_mib: MemoryMib::mib(1),
        };
        let mut record = Record::begun(Trial::EveryOrder(trial.clone()));
        let journal = Journal::none(Head::of(record.asked.clone(), None));
        let jobs = Jobs::all(NonZeroUsize::MIN, &journal);
        walk_all(&trial, &jobs, &mut record, &mut Unwatched).expect("it fits");
        record.checks[0].verdict
    })
}
