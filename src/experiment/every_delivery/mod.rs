//! Every order of deliveries in a small world, for many engines: what can be copied is walked by snapshot, the others by
//! re-execution. An engine that fails is walked once more in smaller worlds, for the fewest things that have to happen.

mod section;
mod smallest;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::domain::count::counted;
use crate::domain::every_delivery::{Bounds, EveryDeliveryTrial};
use crate::domain::evidence::Evidence;
use crate::domain::fault::{Fault, FaultClass};
use crate::domain::finding::Finding;
use crate::domain::judge::Judge;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::{Verdict, Warrant};
use crate::domain::watch::Watch;
use crate::engine::{self, Open, Registration};
use crate::experiment::answers::Answers;
use crate::experiment::jobs::Shared;
use crate::experiment::small_world::{Came, Counterexample, Most, counterexample, walked};
use crate::experiment::valid::Passed;
use crate::experiment::{Bench, Changes, Experiment, NoEffect, claims, took};
use crate::report::offline_record::{DeliveriesRecord, Explored, WalkedRecord};
use crate::report::record::{Check, ClaimRecord, Part, Record, Unseen};
use crate::subject::Subjects;

/// The most states of the reference that a walk which used up its actions is compared with.
const COMPARED_WITH: u64 = 100_000;

/// What a walk of an engine came to.
#[derive(Serialize, Deserialize)]
struct Ended {
    row: DeliveriesRecord,
    /// The shortest way to what a judge has something against.
    finding: Option<Finding>,
    took: Duration,
}

/// What the check of an engine is called.
fn name_of(engine: &str) -> String {
    format!("every delivery of {engine}")
}

impl Experiment for EveryDeliveryTrial {
    /// Refuses engines that are unknown, and those that say that they do not repeat themselves.
    fn refuse(&self) -> Result<(), String> {
        engine::check_timeless(&self.engines)?;
        let unrepeatable = engine::asked(&self.engines).find(|engine| match engine.open {
            Open::Started(started) => started.capabilities().is_some_and(|of| !of.repeats),
            Open::Function(_) => false,
        });
        unrepeatable.map_or(Ok(()), |engine| {
            Err(format!(
                "engines: '{}' says that it does not repeat itself, and a walk by re-execution needs that; put it on trial \
                 in a world of [offline]",
                engine.name
            ))
        })
    }

    fn judges(&self) -> &'static [Judge] {
        &[Judge::EveryEnd, Judge::Expectation]
    }

    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect> {
        let orders = ["--budget", "--orders"];
        changes.refuse(&orders, "is about arrival orders of deltas, and this scenario walks over all of messages")?;
        changes.refuse(&["--memory"], "bounds a search or a world, and most_states bounds this one")?;
        self.seed = changes.seed.unwrap_or(self.seed);
        if !changes.engines.is_empty() {
            self.engines.clone_from(&changes.engines);
        }
        Ok(())
    }

    fn no_backend(&self) -> Option<&'static str> {
        Some("a walk over every delivery is one of engines")
    }

    fn answers(&self) -> Answers {
        let checks = engine::asked(&self.engines).map(|engine| name_of(engine.name)).collect();
        Answers { checks, ..Answers::default() }
    }

    fn no_fault(&self, _fault: Fault) -> Option<&'static str> {
        Some("a walk over every delivery has no device")
    }

    fn run(&self, _passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError> {
        let Bench { jobs, record, watch, .. } = bench;
        let asked = engine::asked(&self.engines).enumerate();
        let ours: Vec<&'static Registration> =
            asked.filter(|(place, _)| jobs.takes(*place)).map(|(_, engine)| engine).collect();
        watch.begin("engines", ours.len() as u64);
        let id = |engine: &&'static Registration| name_of(engine.name);
        let ended = jobs.run(&ours, id, watch, |engine, watch| {
            let start = Instant::now();
            let (row, finding) = row(self, engine, &mut Shared(watch))?;
            Ok(Ended { row, finding, took: start.elapsed() })
        });
        watch.end();
        if jobs.is_part() {
            return ended.failed.map_or(Ok(()), Err);
        }
        for Ended { row, finding, took: time } in ended.of {
            let check = check(self, &row, finding);
            took(record, &check.name, time);
            record.checks.push(check);
            record.deliveries.push(row);
        }
        ended.failed.map_or(Ok(()), Err)
    }

    fn claims(&self, record: &Record, _subjects: &Subjects) -> Vec<ClaimRecord> {
        claims::of_subjects(&[FaultClass::LostEdit], &record.checks)
    }

    fn unseen(&self, record: &Record, _subjects: &Subjects) -> Unseen {
        let mut by_run = vec![
            format!(
                "The proof is of {}: what takes more to go wrong is sampled in larger worlds alone.",
                tried(self.into())
            ),
            "Messages of one connection arrive in any order: a transport that keeps the order has fewer ways."
                .to_owned(),
            "No node crashes, and no connection ends before the walk's end. Counters alone are edited.".to_owned(),
        ];
        if record.deliveries.iter().any(|row| row.explored == Explored::ByReExecution) {
            by_run.push(
                "An engine by re-execution is taken to do what it did before. What it did is compared each time that it is \
                 started again; what it would do in a start that the walk did not need is not known."
                    .to_owned(),
            );
        }
        Unseen { by_bank_sweep: Vec::new(), by_run }
    }
}

/// Walks through the world of a trial with one engine.
fn row(
    trial: &EveryDeliveryTrial,
    engine: &'static Registration,
    watch: &mut dyn Watch,
) -> Result<(DeliveriesRecord, Option<Finding>), SubjectError> {
    let one = NonZeroUsize::MIN;
    let most = most(trial, engine);
    let Came { record: walked, against, unrepeatable, is_used_up, .. } =
        walked((trial.into(), most), engine, None, one, watch)?;
    let unfinished = is_used_up.then(|| unfinished(trial, &walked, watch)).transpose()?;
    let explored = if engine.copies { Explored::BySnapshot } else { Explored::ByReExecution };
    let verdict = match (&against, &unrepeatable) {
        (Some(_), _) => Verdict::Falsified,
        (None, None) if walked.complete => Verdict::Holds,
        (None, _) => Verdict::Inconclusive,
    };
    let mut row = DeliveriesRecord {
        engine: engine.name.to_owned(),
        evidence: Evidence::Software,
        explored,
        walked,
        smallest: None,
        verdict,
        unrepeatable,
        unfinished,
        against: BTreeMap::new(),
    };
    let Some(against) = against else { return Ok((row, None)) };
    let (bounds, against) = match smallest::of(trial.into(), most, engine, watch)? {
        Some(smallest) => {
            row.smallest = Some(tried(smallest.bounds));
            (smallest.bounds, smallest.against)
        }
        None => (trial.into(), against),
    };
    let world = (bounds, most, tried(bounds));
    let Counterexample { against, way_there, finding } = counterexample(world, (engine, None), against, watch)?;
    (row.against, row.walked.way_there) = (against, way_there);
    Ok((row, Some(finding)))
}

/// How far the walk of an engine goes: that of an engine in a process by its actions, too.
fn most(trial: &EveryDeliveryTrial, engine: &Registration) -> Most {
    let is_process = !engine.copies && matches!(engine.open, Open::Started(_));
    Most { states: trial.most_states, actions: is_process.then_some(trial.most_actions) }
}

/// How far a walk came that used up its actions, beside what the reference has in the same world, which can be copied.
fn unfinished(
    trial: &EveryDeliveryTrial,
    walked_so_far: &WalkedRecord,
    watch: &mut dyn Watch,
) -> Result<String, SubjectError> {
    let most = Most { states: COMPARED_WITH, actions: None };
    let whole = walked((trial.into(), most), engine::reference(), None, NonZeroUsize::MIN, watch)?.record;
    let more = if whole.complete { "" } else { "more than " };
    Ok(format!(
        "{} used up after {} and {}, in which nothing is wrong, where {} has {more}{} and {}: raise most_actions, or begin with \
         fewer clients, edits, retries, lost or repeated messages",
        counted(trial.most_actions, "action"),
        counted(walked_so_far.states, "state"),
        counted(walked_so_far.ends, "end"),
        engine::reference().name,
        counted(whole.states, "state"),
        counted(whole.ends, "end"),
    ))
}

fn check(trial: &EveryDeliveryTrial, row: &DeliveriesRecord, finding: Option<Finding>) -> Check {
    let of = tried(trial.into());
    let DeliveriesRecord { walked, against, verdict, smallest, unrepeatable, unfinished, .. } = row;
    let summary = match verdict {
        Verdict::Falsified => {
            let against = against.iter().filter(|(_, (said, _))| *said == Verdict::Falsified);
            let said: Vec<String> = against.map(|(judge, (_, sentence))| format!("{judge}: {sentence}")).collect();
            format!("{}; in {}", said.join("; "), smallest.as_ref().unwrap_or(&of))
        }
        Verdict::Holds => format!("{of}: no judge has anything against any end"),
        Verdict::Inconclusive => match (unrepeatable, unfinished) {
            (Some(how), _) => how.clone(),
            (None, Some(how_far)) => format!("{of}: {how_far}"),
            (None, None) => format!("{of}: more than {}", counted(trial.most_states, "state")),
        },
    };
    let assumption = match row.explored {
        Explored::BySnapshot => "A state holds everything that its future depends on.",
        Explored::ByReExecution => "An engine that is given the same again does the same, as it did each time.",
    };
    let warrant = (*verdict == Verdict::Holds).then(|| Warrant::Walked {
        schedules: walked.ways.clone(),
        of,
        assumptions: vec![assumption.to_owned()],
    });
    Check {
        name: name_of(&row.engine),
        part: Part::Replicas,
        judge: Judge::EveryEnd,
        subjects: BTreeMap::from([(row.engine.clone(), row.evidence)]),
        verdict: *verdict,
        summary,
        oracles: against.iter().map(|(judge, (verdict, _))| (*judge, *verdict)).collect(),
        warrant,
        orders: None,
        tries: vec![FaultClass::LostEdit],
        findings: finding.into_iter().collect(),
    }
}

/// What may happen in a small world without crashes, in words.
fn tried(bounds: Bounds) -> String {
    let Bounds { clients, edits, edits_before, retries, losses, repeats, .. } = bounds;
    let when = match edits_before {
        0 => "made at any time".to_owned(),
        all if all == edits => "made before the connection".to_owned(),
        some => format!("{some} of them made before the connection"),
    };
    let beyond = [(retries, "retry"), (losses, "lost message"), (repeats, "repeated message")];
    let beyond = beyond.iter().filter(|(number, _)| *number > 0);
    let beyond: Vec<String> = beyond.map(|(number, what)| format!(", up to {}", counted(number, what))).collect();
    format!(
        "{} and a hub, {} each, {when}, every order of connections and deliveries{}",
        counted(clients, "client"),
        counted(edits, "edit"),
        beyond.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;
    use crate::domain::watch::Unwatched;
    use crate::engine::REGISTRY;

    fn trial() -> EveryDeliveryTrial {
        EveryDeliveryTrial {
            seed: Seed::new(1),
            clients: 2,
            edits: 1,
            edits_before: 1,
            retries: 0,
            losses: 0,
            repeats: 0,
            engines: Vec::new(),
            most_states: 100_000,
            most_actions: 5_000,
        }
    }

    fn of(trial: &EveryDeliveryTrial, engine: &'static Registration) -> DeliveriesRecord {
        row(trial, engine, &mut Unwatched).expect("nobody stops it").0
    }

    #[test]
    fn a_walk_by_re_execution_comes_to_what_a_walk_by_snapshot_comes_to() {
        for engine in REGISTRY {
            let copied: &'static Registration = engine;
            // The same engine, as if nobody could copy it.
            let again = Registration { copies: false, mutants: Vec::new, ..Registration { ..*copied } };
            let again: &'static Registration = Box::leak(Box::new(again));
            for trial in [trial(), EveryDeliveryTrial { repeats: 1, clients: 1, edits: 2, ..trial() }] {
                let (snapshot, re_execution) = (of(&trial, copied), of(&trial, again));
                assert_eq!(re_execution.explored, Explored::ByReExecution);
                assert_eq!(snapshot.verdict, re_execution.verdict, "{}", engine.name);
                assert_eq!(snapshot.walked.ways, re_execution.walked.ways, "{}", engine.name);
                assert!(re_execution.walked.states >= snapshot.walked.states, "{}", engine.name);
            }
        }
    }

    #[test]
    fn a_walk_that_uses_up_its_actions_ends_there_and_says_how_far_it_came() {
        let again = Registration { copies: false, ..Registration { ..*engine::reference() } };
        let again: &'static Registration = Box::leak(Box::new(again));
        let trial = EveryDeliveryTrial { most_actions: 60, ..trial() };
        let most = Most { states: trial.most_states, actions: Some(trial.most_actions) };
        let came = walked(((&trial).into(), most), again, None, NonZeroUsize::MIN, &mut Unwatched).expect("it walks");
        assert!(came.is_used_up && !came.record.complete && came.against.is_none());
        assert!(came.actions > 60 && came.record.states < 203, "{:?}", came.record);
        let told = unfinished(&trial, &came.record, &mut Unwatched).expect("the reference is walked");
        assert!(told.starts_with("60 actions used up after "), "{told}");
        assert!(told.contains("where delta-state has 203 states and 16 ends: raise most_actions"), "{told}");
        let enough = Most { actions: Some(100_000), ..most };
        let came = walked(((&trial).into(), enough), again, None, NonZeroUsize::MIN, &mut Unwatched).expect("it walks");
        assert!(!came.is_used_up && came.record.complete);
    }

    #[test]
    fn an_engine_that_fails_is_shown_in_the_smallest_world_in_which_it_does() {
        let engine = engine::find("first-writer").expect("an engine");
        let row = of(&EveryDeliveryTrial { edits: 2, edits_before: 0, losses: 1, ..trial() }, engine);
        assert_eq!(row.verdict, Verdict::Falsified);
        let smallest = row.smallest.expect("there is one");
        assert!(smallest.starts_with("1 client and a hub, 2 edits each"), "{smallest}");
        assert!(!row.walked.way_there.is_empty());
    }
}
