//! A drawn world that falsifies an engine, reduced to a script: the world is written down while it runs, and then steps are
//! left out as long as the same judge accuses the same engine.
//!
//! Every script that is tried passes the door, runs in a world of its own, and goes as it is written. The order of tries is
//! fixed, and their budget is counted in deliveries, so that the result is the same on any machine.

mod fewest;
mod shorter;

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::standing::Standing;
use super::tried::{self, Try};
use super::{Said, failed, judged, unique_amounts};
use crate::domain::case::Case;
use crate::domain::count::counted;
use crate::domain::data::Intent;
use crate::domain::evidence::Evidence;
use crate::domain::execution::Execution;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::history::History;
use crate::domain::offline::{FaultKind, Link, OfflineTrial, Presence, Records, Stocks, Tags, Texts, Workload};
use crate::domain::oracle::OracleId;
use crate::domain::script::{Action, MOST_STEPS, MessageFate};
use crate::domain::seed::Seed;
use crate::domain::subject::SubjectError;
use crate::domain::trial::Trial;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::experiment::valid::Valid;
use crate::lab::script::recorder::{Moment, steps};
use crate::lab::{World, settings};
use crate::scenario::Scenario;

/// Judges that a script can show, the one first that says most.
const JUDGES: [OracleId; 14] = [
    OracleId::Running,
    OracleId::Truth,
    OracleId::ExactlyOnce,
    OracleId::Convergence,
    OracleId::Durability,
    OracleId::Monotonic,
    OracleId::WholeRecords,
    OracleId::Uniqueness,
    OracleId::Frozen,
    OracleId::StalenessBound,
    OracleId::Progress,
    OracleId::Load,
    OracleId::Overspending,
    OracleId::Outbox,
];

/// Deliveries and steps that a reduction may take: so many, and so many times those of the world, and never more than this.
const BUDGET: (u64, u64, u64) = (50_000, 20, 500_000);

/// Steps of a script that is shown. A longer one helps nobody.
const MOST_SHOWN: usize = 400;

/// What stands for a script where nobody wants one.
const LEFT_OUT: &str = "no script is given: the reduction to a script was left out";

/// What became of a world that falsifies an engine.
#[derive(Debug)]
pub(super) enum Reduced {
    /// A script that falsifies the engine in the same way.
    Script(Box<Finding>),
    /// There is none, and why; a sentence without its full stop.
    Not(String),
}

/// Reduces the first world that falsifies an engine. Nothing where it is written down already, or where a smaller world was
/// found that shows the same.
pub(super) fn reduced(
    trial: &OfflineTrial,
    standing: &Standing,
    smallest: &[Finding],
    watch: &mut dyn Watch,
) -> Result<Option<Reduced>, SubjectError> {
    let is_falsified = |verdict: &Verdict| *verdict == Verdict::Falsified;
    let falsifying = standing.row.worlds.iter().find(|world| is_falsified(&world.verdict));
    let Some(world) = falsifying.filter(|_| !trial.is_scripted()) else { return Ok(None) };
    let accuses = |judge: OracleId| world.judges.get(&judge).is_some_and(is_falsified);
    if smallest.iter().any(|finding| accuses(finding.oracle)) {
        return Ok(None);
    }
    if !trial.reduce {
        return Ok(Some(Reduced::Not(LEFT_OUT.to_owned())));
    }
    let Some(judge) = JUDGES.into_iter().find(|&judge| accuses(judge)) else {
        let names: Vec<&str> = world.judges.iter().filter(|(_, v)| is_falsified(v)).map(|(id, _)| id.name()).collect();
        let not = format!("no script is given: a script is short, and {} judges the whole history", names.join(", "));
        return Ok(Some(Reduced::Not(not)));
    };
    let (least, times, most) = BUDGET;
    let budget = (least + times.saturating_mul(standing.row.deliveries)).min(most);
    of_world(trial, world.seed, standing.engine, judge, budget, watch).map(Some)
}

/// Reduces the world of this seed, in which this judge accuses this engine.
fn of_world(
    trial: &OfflineTrial,
    seed: Seed,
    engine: &Registration,
    judge: OracleId,
    budget: u64,
    watch: &mut dyn Watch,
) -> Result<Reduced, SubjectError> {
    let drawn = OfflineTrial { seed, ..trial.clone() };
    let world = World::new(&drawn, engine, &settings(&drawn, None));
    let moments = world.and_then(|world| world.recorded().run(watch)).map_err(failed)?.moments;
    let mut reduction =
        Reduction { engine, judge, trial: around(&drawn, judge), moments, spent: 0, budget: u64::MAX, watch };
    // The script is run at any price: only then is anything known of it.
    if !reduction.begins(drawn.link)? {
        return Ok(Reduced::Not("this world could not be written down as a script that fails the same way".to_owned()));
    }
    reduction.budget = reduction.spent.saturating_add(budget);
    let is_cut_short = match shorter::shorten(&mut reduction) {
        Ok(()) => false,
        Err(Stop::OverBudget) => true,
        Err(Stop::Failed(error)) => return Err(error),
    };
    reduction.finding(is_cut_short.then_some(budget))
}

/// Why a reduction ends early.
enum Stop {
    /// Its budget is spent.
    OverBudget,
    /// A world came to no end.
    Failed(SubjectError),
}

/// A script that falsifies an engine, while it becomes smaller.
struct Reduction<'a> {
    engine: &'a Registration,
    judge: OracleId,
    /// The world around the script, without steps.
    trial: OfflineTrial,
    moments: Vec<Moment>,
    spent: u64,
    budget: u64,
    watch: &'a mut dyn Watch,
}

/// The world of a script that stands for a drawn world, without its steps, on sound links.
fn around(drawn: &OfflineTrial, judge: OracleId) -> OfflineTrial {
    let Link { bits_per_s, latency_ms, .. } = drawn.link;
    let mut trial = OfflineTrial {
        engines: Vec::new(),
        mutants: Vec::new(),
        workload: Workload::absent(),
        presence: Presence::absent(),
        link: Link { bits_per_s, latency_ms, ..Link::default() },
        clocks: Default::default(),
        faults: Vec::new(),
        crashes: 0,
        more_worlds: 0,
        ..drawn.clone()
    };
    let Tags { edits, removes_percent, .. } = Tags::default();
    trial.tags = Tags { edits, removes_percent, ..trial.tags };
    trial.stocks = Stocks { registers: trial.stocks.registers, ..Stocks::default() };
    trial.labels.edits = 0;
    (trial.claims.edits, trial.cases.edits) = (0, 0);
    trial.texts = Texts { registers: trial.texts.registers, ..Texts::default() };
    let Records { edits, creates_percent, deletes_percent, tags_percent, .. } = Records::default();
    trial.records = Records { edits, creates_percent, deletes_percent, tags_percent, ..trial.records };
    // A bound that another judge holds an engine to is no part of the counterexample.
    trial.staleness_s = trial.staleness_s.filter(|_| judge == OracleId::StalenessBound);
    if judge != OracleId::Load {
        trial.load = Default::default();
    }
    trial
}

impl Reduction<'_> {
    /// Finds a script that fails as the drawn world did: without messages that were late by jitter alone, or else with
    /// them, or else over links that treat messages as those of the drawn world do.
    fn begins(&mut self, drawn: Link) -> Result<bool, SubjectError> {
        let all = std::mem::take(&mut self.moments);
        let is_fate = |moment: &Moment| matches!(moment.action, Action::Message { .. });
        let is_late = |moment: &Moment| {
            let jitter = drawn.jitter_ms * 1000;
            matches!(&moment.action, Action::Message { fate: MessageFate::Delay(by), .. } if *by <= jitter)
        };
        let without = |out: &dyn Fn(&Moment) -> bool| all.iter().filter(|moment| !out(moment)).cloned().collect();
        let sound = self.trial.clone();
        let as_drawn = OfflineTrial { link: Link { outages: 0, ..drawn }, ..sound.clone() };
        let mut ways: Vec<(&OfflineTrial, Vec<Moment>)> =
            vec![(&sound, without(&is_late)), (&sound, all.clone()), (&as_drawn, without(&is_fate))];
        ways.dedup();
        for (trial, moments) in ways {
            match self.takes(trial.clone(), moments) {
                Ok(true) => return Ok(true),
                Ok(false) | Err(Stop::OverBudget) => {}
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Tries another script, and goes on with it where it fails the same way.
    fn takes(&mut self, trial: OfflineTrial, moments: Vec<Moment>) -> Result<bool, Stop> {
        let script = OfflineTrial { steps: steps(&moments), ..trial };
        let fails = self.fails(&script)?;
        if fails {
            self.trial = OfflineTrial { steps: Vec::new(), ..script };
            self.moments = moments;
        }
        Ok(fails)
    }

    /// Whether the judge accuses the engine in this world, which can be and goes as it is written.
    fn fails(&mut self, script: &OfflineTrial) -> Result<bool, Stop> {
        if script.steps.is_empty() || script.steps.len() > MOST_STEPS || valid(script, self.engine).is_err() {
            return Ok(false);
        }
        if self.spent >= self.budget {
            return Err(Stop::OverBudget);
        }
        let stopped = |error| Stop::Failed(failed(error));
        let world = World::new(script, self.engine, &settings(script, None)).map_err(stopped)?;
        let outcome = world.run(self.watch).map_err(stopped)?;
        // A world without deliveries takes its time, too.
        self.spent += outcome.measures.deliveries + script.steps.len() as u64 + u64::from(script.nodes());
        if !outcome.unmet.is_empty() {
            return Ok(false);
        }
        let mut history = outcome.history;
        let said = |history: &History| judged(history).0.get(&self.judge).map(|(verdict, _)| *verdict);
        let verdict = match said(&history) {
            // Some judges can tell by unique amounts alone.
            None | Some(Verdict::Inconclusive) => {
                let unique = unique_amounts::run(script, self.engine, None, self.watch).map_err(Stop::Failed)?;
                self.spent += outcome.measures.deliveries + script.steps.len() as u64;
                (history.unique_amounts, history.over_time.unshown) = (Some(unique.0), unique.1);
                said(&history)
            }
            verdict => verdict,
        };
        Ok(verdict == Some(Verdict::Falsified))
    }

    /// The script as a finding, run once more as a replay runs it. `budget` is what was spent, where it was cut short.
    fn finding(self, budget: Option<u64>) -> Result<Reduced, SubjectError> {
        let Reduction { engine, judge, trial, moments, watch, .. } = self;
        let script = OfflineTrial { steps: steps(&moments), ..trial };
        let (said, _) = run(&script, engine, watch)?;
        let Some((Verdict::Falsified, sentence)) = said.get(&judge) else {
            return Ok(Reduced::Not(
                "this world could not be written down as a script that fails each time".to_owned(),
            ));
        };
        let count = |is: fn(&Action) -> bool| script.steps.iter().filter(|step| is(&step.action)).count();
        let edits = count(|action| matches!(action, Action::Edit { .. }));
        let connections = count(|action| matches!(action, Action::Connect { .. }));
        let faults = count(is_fault);
        let counts = format!(
            "{}, {}, {} in {}",
            counted(edits, "edit"),
            counted(faults, "fault"),
            counted(connections, "connection"),
            counted(script.steps.len(), "step")
        );
        if script.steps.len() > MOST_SHOWN {
            return Ok(Reduced::Not(format!(
                "a script that fails the same way was not made small enough to be shown: {counts} were left when the budget \
                 was spent"
            )));
        }
        let size = match budget {
            None => format!("{counts}; no single step can be left out"),
            Some(budget) => format!(
                "{counts}; the reduction was cut short by its budget of {budget} deliveries, and smaller scripts may fail the \
                 same way"
            ),
        };
        let against = said.values().filter(|(verdict, _)| *verdict == Verdict::Falsified).count() as u64;
        let clients = counted(script.clients as usize, "client");
        let during = format!("{judge}, in a script with {clients}: {sentence}");
        let execution = Execution::Script(Box::new(script));
        let case = Case { subject: engine.name.to_owned(), execution, faults: Vec::new() };
        Ok(Reduced::Script(Box::new(Finding {
            subject: engine.name.to_owned(),
            evidence: Evidence::Software,
            during,
            quantity: Quantity::Judges,
            expected: Hex64(0),
            got: Hex64(against),
            reproducible: true,
            oracle: judge,
            case: case.to_string(),
            size,
        })))
    }
}

/// Whether a step is something that goes wrong.
fn is_fault(action: &Action) -> bool {
    match action {
        Action::Fault(_) | Action::CrashDuring { .. } | Action::Cut { .. } | Action::Clock { .. } => true,
        Action::Message { .. } => true,
        Action::Pass | Action::Edit { .. } | Action::Words { .. } => false,
        Action::Connect { .. } | Action::Disconnect(_) => false,
        Action::BackUp(_) | Action::Link { .. } | Action::Work { .. } | Action::Until { .. } => false,
    }
}

/// The devices that a step is about.
fn devices(action: &Action) -> BTreeSet<String> {
    let names: Vec<&String> = match action {
        Action::Pass | Action::Until { .. } => Vec::new(),
        Action::Connect { node, .. } | Action::Disconnect(node) | Action::BackUp(node) => vec![node],
        Action::Edit { node, .. } | Action::CrashDuring { node, .. } | Action::Clock { node, .. } => vec![node],
        Action::Link { node, .. } | Action::Work { node, .. } | Action::Words { node, .. } => vec![node],
        Action::Message { from: one, to: other, .. } | Action::Cut { node: one, with: other, .. } => vec![one, other],
        Action::Fault(fault) => [&fault.node].into_iter().chain(&fault.from).chain(&fault.to).collect(),
    };
    let mut names: BTreeSet<String> = names.into_iter().cloned().collect();
    if let Action::Edit { intent: Intent::Transfer { to, .. }, .. } = action {
        names.insert(format!("client {to}"));
    }
    if let Action::Fault(fault) = action
        && fault.kind == FaultKind::Clone
        && let Some(client) = shorter::client(&fault.node)
    {
        // The copy takes the place of the next client's device.
        names.insert(format!("client {}", client + 1));
    }
    names
}

/// The script of a case, if it can run with this engine.
///
/// # Errors
/// What is wrong with it.
fn valid(script: &OfflineTrial, engine: &Registration) -> Result<(), String> {
    let trial = OfflineTrial { engines: vec![engine.name.to_owned()], ..script.clone() };
    let scenario = Scenario::unnamed(Trial::Offline(Box::new(trial)));
    Valid::of(scenario).map(drop).map_err(|refused| refused.to_string())
}

/// What all judges say of an engine in a world that is written down, and the steps that were not done as they are written.
fn run(
    script: &OfflineTrial,
    engine: &Registration,
    watch: &mut dyn Watch,
) -> Result<(Said, Vec<String>), SubjectError> {
    let tried = Try { trial: Cow::Borrowed(script), engine, mutant: None, for_long: false, run: 1 };
    let history = tried::outcome(&tried.trial, tried.engine, tried.mutant, watch)?.history;
    Ok((judged(&history).0, history.unmet))
}

/// What a script shows when it is replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What each judge that accuses says.
    pub against: Vec<String>,
    /// Steps that were not done as they are written.
    pub unmet: Vec<String>,
    /// The worst that any judge says, or that none can tell.
    pub verdict: Verdict,
}

/// Why a script is not replayed.
#[derive(Debug, thiserror::Error)]
pub enum Unshown {
    /// It passes no door.
    #[error("{0}")]
    Refused(String),
    /// It came to no end.
    #[error(transparent)]
    Failed(#[from] SubjectError),
}

/// Runs the script of a case.
///
/// # Errors
/// If it cannot be, or does not end.
pub fn shown(script: &OfflineTrial, engine: &Registration, watch: &mut dyn Watch) -> Result<Shown, Unshown> {
    valid(script, engine).map_err(Unshown::Refused)?;
    let history = tried::outcome(script, engine, None, watch)?.history;
    let (said, verdict) = judged(&history);
    let against = said.into_iter().filter(|(_, (verdict, _))| *verdict == Verdict::Falsified);
    let against = against.map(|(judge, (_, sentence))| format!("{judge}: {sentence}")).collect();
    Ok(Shown { against, unmet: history.unmet, verdict })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::script::world::written_down;
    use crate::domain::watch::Unwatched;
    use crate::engine;
    use crate::scenario::shipped;

    fn drawn(name: &str) -> OfflineTrial {
        match shipped::find(name).expect("it is shipped").expect("it is sound").trial {
            Trial::Offline(trial) => *trial,
            _ => panic!("it is a world"),
        }
    }

    /// The script of a shipped world of its own seed, its size, and whether it falsifies the engine by the same judge.
    fn script(scenario: &str, engine: &str, judge: OracleId, budget: u64) -> (OfflineTrial, String) {
        let (trial, engine) = (drawn(scenario), engine::find(engine).expect("an engine"));
        let reduced = of_world(&trial, trial.seed, engine, judge, budget, &mut Unwatched).expect("it ends");
        let Reduced::Script(finding) = reduced else { panic!("{scenario}: {reduced:?}") };
        let case: Case = finding.case.parse().expect(&finding.case);
        let script = written_down(&case.execution).expect("a script");
        let shown = shown(&script, engine, &mut Unwatched).expect("it ends");
        assert_eq!(shown.verdict, Verdict::Falsified, "{}", finding.case);
        assert!(shown.against.iter().any(|words| words.starts_with(judge.name())), "{:?}", shown.against);
        (script, finding.size)
    }

    #[test]
    fn a_hub_that_is_set_back_is_a_script_of_which_no_step_can_be_left_out() {
        for (name, judge) in [("delta-summary", OracleId::Monotonic), ("reconciliation", OracleId::Truth)] {
            let (script, size) = script("hub-set-back", name, judge, 2_000_000);
            assert!(script.steps.len() <= 8 && script.clients <= 2, "{name}: {size}: {script:?}");
            assert!(size.ends_with("no single step can be left out"), "{size}");
            let engine = engine::find(name).expect("an engine");
            for leave in 0..script.steps.len() {
                let mut without = script.clone();
                without.steps.remove(leave);
                let accuses = shown(&without, engine, &mut Unwatched).is_ok_and(|shown| {
                    shown.unmet.is_empty() && shown.against.iter().any(|words| words.starts_with(judge.name()))
                });
                assert!(!accuses, "{name} fails without step {leave} of {script:?}");
            }
        }
    }

    #[test]
    fn a_reduction_that_is_cut_short_says_so_and_its_script_fails_all_the_same() {
        let (long, size) = script("two-stores-lost", "delta-summary", OracleId::Monotonic, 3_000);
        assert!(size.contains("cut short by its budget of 3000 deliveries"), "{size}");
        let (short, _) = script("two-stores-lost", "delta-summary", OracleId::Monotonic, 2_000_000);
        assert!(short.steps.len() < long.steps.len(), "{} {}", short.steps.len(), long.steps.len());
    }

    #[test]
    fn a_reducer_that_keeps_a_script_that_does_not_fail_is_seen() {
        let (trial, engine) = (drawn("hub-set-back"), engine::find("delta-summary").expect("an engine"));
        let moments = vec![Moment { at: 0, action: Action::Connect { node: "client 0".to_owned(), over: 0 } }];
        let around = around(&trial, OracleId::Monotonic);
        let watch = &mut Unwatched;
        let wrong =
            Reduction { engine, judge: OracleId::Monotonic, trial: around, moments, spent: 0, budget: 1, watch };
        let reduced = wrong.finding(None).expect("it ends");
        assert!(matches!(&reduced, Reduced::Not(why) if why.contains("could not be written down")), "{reduced:?}");
    }

    #[test]
    fn a_script_that_cannot_be_or_does_not_go_as_it_is_written_is_not_gone_on_with() {
        let engine = engine::find("delta-summary").expect("an engine");
        let around = around(&drawn("hub-set-back"), OracleId::Monotonic);
        let watch = &mut Unwatched;
        let mut reduction = Reduction {
            engine,
            judge: OracleId::Monotonic,
            trial: around,
            moments: Vec::new(),
            spent: 0,
            budget: 99,
            watch,
        };
        let trial = reduction.trial.clone();
        let fault = Action::Fault(crate::domain::offline::NodeFault::plain(FaultKind::Restore, "hub"));
        for action in [Action::Connect { node: "client 9".to_owned(), over: 0 }, fault] {
            let taken = reduction.takes(trial.clone(), vec![Moment { at: 0, action }]);
            assert!(matches!(taken, Ok(false)));
        }
        assert!(matches!(reduction.takes(trial.clone(), Vec::new()), Ok(false)));
        reduction.spent = 99;
        let sound = vec![Moment { at: 0, action: Action::Connect { node: "client 0".to_owned(), over: 0 } }];
        assert!(matches!(reduction.takes(trial, sound), Err(Stop::OverBudget)));
    }

    #[test]
    fn what_is_judged_by_histories_as_long_as_this_has_no_script_and_says_so() {
        let whole = [OracleId::Metadata, OracleId::Faults];
        assert!(crate::oracle::offline::ids().all(|id| JUDGES.contains(&id) != whole.contains(&id)));
    }
}
