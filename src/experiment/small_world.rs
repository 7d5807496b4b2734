//! One walk through a small world of an engine, on one thread or more.
//!
//! Knows: how threads share a walk. Must not: say what it means.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::domain::case::Case;
use crate::domain::count::counted;
use crate::domain::every_delivery::Bounds;
use crate::domain::evidence::Evidence;
use crate::domain::execution::Execution;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::history::History;
use crate::domain::oracle::OracleId;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::domain::way::{Way, WayStep};
use crate::engine::{Registration, find_mutant};
use crate::experiment::jobs::{self, Shared};
use crate::experiment::world::{Said, judged};
use crate::explore::every_step::{System, Walk, Walked, nearest};
use crate::lab::crash_walk::{Counts, Moment, SmallWorld, States, Step, Unknown};
use crate::report::document::Block;
use crate::report::offline_record::WalkedRecord;

/// How far a walk goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// The most states that are visited.
    pub(super) states: u64,
    /// The most actions of nodes that are worked out, where that is bounded.
    pub(super) actions: Option<u64>,
}

/// A world, and who is told how far the walk through it is. Where each action may start a process, that is after each state; else
/// at each end.
struct Told<'a, 'w> {
    world: SmallWorld<'a>,
    watch: &'w mut dyn Watch,
    is_slow: bool,
    most_actions: Option<u64>,
    reported: u64,
    is_stopped: bool,
}

impl Told<'_, '_> {
    /// Whether the walk is to end, so many steps from its start.
    fn is_over(&mut self, depth: usize) -> bool {
        let visited = self.world.visited();
        self.watch.states(visited - self.reported, depth as u64);
        self.reported = visited;
        self.is_stopped |= self.watch.stop_requested();
        self.is_stopped || self.is_used_up()
    }

    fn is_used_up(&self) -> bool {
        self.most_actions.is_some_and(|most| self.world.counts().actions > most)
    }
}

impl System for Told<'_, '_> {
    type State = Moment;
    type Step = Step;

    /// Where the walk is to end, nothing happens any more.
    fn steps(&mut self, moment: &Moment) -> Vec<(Step, Moment)> {
        if self.is_slow && self.is_over(0) { Vec::new() } else { self.world.steps(moment) }
    }

    fn counts(&mut self, step: &Step) {
        System::counts(&mut self.world, step);
    }
}

/// What one thread did.
struct Part {
    counts: Counts,
    judged_ends: u64,
    /// The end that a judge has something against, and the way there.
    against: Option<Against>,
    /// Why nothing is known of the engine.
    unknown: Option<Unknown>,
    /// Whether it worked out as many actions as it may.
    is_used_up: bool,
}

/// An end that a judge has something against.
pub(super) struct Against {
    /// What the world had come to.
    pub(super) history: History,
    /// The way that the walk took there, which may be a long one.
    way: Vec<WayStep>,
}

/// A way that goes wrong, and what judges say of its end.
#[derive(Serialize, Deserialize)]
pub(super) struct Counterexample {
    /// What judges say.
    pub(super) against: Said,
    /// The way, step by step, in words.
    pub(super) way_there: Vec<String>,
    /// The finding, with the case that shows it again.
    pub(super) finding: Finding,
}

/// What a walk came to.
pub(super) struct Came {
    /// Its numbers.
    pub(super) record: WalkedRecord,
    /// What a judge has something against.
    pub(super) against: Option<Against>,
    /// How the engine did not repeat itself, if it did not: then the walk shows nothing.
    pub(super) unrepeatable: Option<String>,
    /// Actions of nodes that were worked out.
    pub(super) actions: u64,
    /// Whether these were as many as there may be: then the walk did not come to its end.
    pub(super) is_used_up: bool,
}

/// Walks through a world, to the first end that a judge has something against.
///
/// Which of several such ends is the first depends on the threads, and so does which states come before the bound. Where a walk
/// on several threads does not come to its end, one thread walks once more, and the record is the same for any number. The
/// price is the time of both.
pub(super) fn walked(
    (bounds, most): (Bounds, Most),
    engine: &'static Registration,
    mutant: Option<&'static str>,
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
) -> Result<Came, SubjectError> {
    let mut on = |threads| {
        on_threads(most, engine.copies, |states| SmallWorld::new(bounds, engine, mutant, states), threads, watch)
    };
    let walked = on(threads)?;
    if threads > NonZeroUsize::MIN && !walked.record.complete {
        return on(NonZeroUsize::MIN);
    }
    Ok(walked)
}

/// Walks through a world, of which each thread opens one of its own.
fn on_threads(
    most: Most,
    copies: bool,
    open: impl Fn(&States) -> SmallWorld<'_> + Sync,
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
) -> Result<Came, SubjectError> {
    let states = States::default();
    let start = open(&states).start();
    let walk = Walk::new(start, most.states, threads.get());
    let take_part = |&thread: &usize, watch: &mut dyn Watch| {
        let mut told = Told {
            world: open(&states),
            watch,
            is_slow: !copies,
            most_actions: most.actions,
            reported: 0,
            is_stopped: false,
        };
        let (mut against, mut judged_ends, mut unknown) = (None, 0, None);
        let mut judge = |told: &mut Told<'_, '_>, end: &_, way: &[Step]| {
            if told.is_over(way.len()) {
                return false;
            }
            let world = &mut told.world;
            let history = world.settled(end);
            unknown = world.unknown().cloned();
            if unknown.is_some() {
                return false;
            }
            judged_ends += 1;
            if judged(&history).1 == Verdict::Falsified {
                against = Some(Against { history, way: world.written(way) });
            }
            against.is_none()
        };
        walk.take_part(thread, &mut told, &mut judge);
        if told.is_stopped {
            Err(SubjectError::Interrupted)
        } else {
            let is_used_up = told.is_used_up();
            Ok(Part { counts: told.world.counts(), judged_ends, against, unknown, is_used_up })
        }
    };
    let numbers: Vec<usize> = (0..threads.get()).collect();
    let mut parts = jobs::run(&numbers, threads, &mut Shared(watch), take_part).all()?;
    let unrepeatable = match parts.iter_mut().find_map(|part| part.unknown.take()) {
        Some(Unknown::Unavailable(why)) => return Err(SubjectError::Unavailable(why)),
        Some(Unknown::Unrepeatable(how)) => Some(how),
        None => None,
    };
    let Walked { states, steps, ends, ways, complete } = walk.came_to();
    let sum = |of: fn(&Part) -> u64| parts.iter().map(of).sum::<u64>();
    // A walk claims all of its ends: one that nobody judged would be covered by a claim that nothing supports.
    let judged_ends = sum(|part| part.judged_ends);
    assert!(!complete || judged_ends == ends, "{judged_ends} of {ends} ends were judged");
    let (crashes, deliveries) = (sum(|part| part.counts.crashes), sum(|part| part.counts.deliveries));
    // Where a walk is cut short, the state that it stops in is no end.
    let ends = if complete { ends } else { judged_ends };
    let (actions, is_used_up) =
        (sum(|part| part.counts.actions), !complete && parts.iter().any(|part| part.is_used_up));
    let against = parts.iter_mut().find_map(|part| part.against.take());
    let (ways, way_there) = (ways.to_string(), Vec::new());
    let record = WalkedRecord { states, steps, crashes, deliveries, ways, ends, complete, way_there };
    Ok(Came { record, against, unrepeatable, actions, is_used_up })
}

/// States among which a shorter way is looked for: where an engine is copied, and where each step starts it anew.
const NEAR: [u64; 2] = [50_000, 1_000];

/// The shortest way that fails as the walk's end does: the same judges have something against what it comes to. `world` says in
/// words what may happen.
pub(super) fn counterexample(
    (bounds, most, world): (Bounds, Most, String),
    (engine, mutant): (&'static Registration, Option<&'static str>),
    against: Against,
    watch: &mut dyn Watch,
) -> Result<Counterexample, SubjectError> {
    let states = States::default();
    let mut walked = SmallWorld::new(bounds, engine, mutant, &states);
    let (start, judges) = (walked.start(), accusing(&judged(&against.history).0));
    let near = most.states.min(NEAR[usize::from(!engine.copies)]);
    let (mut looked_at, mut stopped, mut is_used_up) = (0, false, false);
    let shorter = nearest(&mut walked, &start, usize::try_from(near).unwrap_or(usize::MAX), |walked, state| {
        looked_at += 1;
        watch.states(1, 0);
        stopped |= watch.stop_requested();
        is_used_up |= most.actions.is_some_and(|most| SmallWorld::counts(walked).actions > most);
        stopped || is_used_up || accusing(&judged(&walked.settled(state)).0) == judges
    });
    if stopped {
        return Err(SubjectError::Interrupted);
    }
    let (steps, size) = match shorter.filter(|_| !is_used_up) {
        Some(way) => (walked.written(&way), "no way of fewer steps fails the same way".to_owned()),
        None => {
            (against.way, format!("not proved minimal: of {looked_at} states near the start none fails the same way"))
        }
    };
    let size = format!("{}; {size}", counted(steps.len(), "step"));
    let (end, way_there) = walked.follow(&steps).expect("the walk came this way");
    let against = judged(&walked.settled(&end)).0;
    let oracle = *judges.first().expect("a judge has something against the end");
    let during = format!("{oracle}, in {world}: {}", against.get(&oracle).map_or("", |(_, sentence)| sentence));
    let way = Way { bounds, mutant: mutant.map(str::to_owned), steps };
    let case = Case { subject: engine.name.to_owned(), execution: Execution::Walk(Box::new(way)), faults: Vec::new() };
    let finding = Finding {
        subject: engine.name.to_owned(),
        evidence: Evidence::Software,
        during,
        quantity: Quantity::Judges,
        expected: Hex64(0),
        got: Hex64(judges.len() as u64),
        reproducible: true,
        oracle,
        case: case.to_string(),
        size,
    };
    Ok(Counterexample { against, way_there, finding })
}

/// The judges that have something against what a world came to.
fn accusing(said: &Said) -> Vec<OracleId> {
    said.iter().filter(|(_, (verdict, _))| *verdict == Verdict::Falsified).map(|(&id, _)| id).collect()
}

/// A way through a small world, followed again.
pub struct Followed {
    /// What happens on it, in words.
    pub way_there: Vec<String>,
    /// What judges say of what the world comes to.
    pub said: Said,
    /// Their verdict.
    pub verdict: Verdict,
}

/// Why a way was not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfollowed {
    /// The engine or its world has no such way.
    Refused(String),
    /// The engine cannot be run here.
    Failed(SubjectError),
}

/// Follows a way with an engine, to what it comes to once faults are over.
///
/// # Errors
/// If the engine has no such way, or cannot be run.
pub fn follow(Way { bounds, mutant, steps }: &Way, engine: &'static Registration) -> Result<Followed, Unfollowed> {
    let refused = |reason: String| Err(Unfollowed::Refused(reason));
    if !engine.carries.has(bounds.data) {
        return refused(format!("it carries {}, and this world has {}", engine.carries, bounds.data.plural()));
    }
    let mutant = match mutant.as_deref().map(|name| find_mutant([engine], name)).transpose() {
        Ok(found) => found.map(|(_, mutant)| mutant),
        Err(unknown) => return refused(unknown.to_string()),
    };
    let states = States::default();
    let mut world = SmallWorld::new(*bounds, engine, mutant, &states);
    let (end, way_there) = world.follow(steps).map_err(|impossible| Unfollowed::Refused(impossible.to_string()))?;
    let history = world.settled(&end);
    match world.unknown() {
        Some(Unknown::Unavailable(why)) => return Err(Unfollowed::Failed(SubjectError::Unavailable(why.clone()))),
        Some(Unknown::Unrepeatable(how)) => return refused(how.clone()),
        None => {}
    }
    let (said, verdict) = judged(&history);
    Ok(Followed { way_there, said, verdict })
}

/// The steps to what is wrong in a report, where anything is.
pub(super) fn way(walked: &WalkedRecord, caption: String) -> Option<Block> {
    let lines: Vec<String> =
        walked.way_there.iter().enumerate().map(|(place, step)| format!("{:>3} {step}", place + 1)).collect();
    (!lines.is_empty()).then_some(Block::Steps { caption, lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::offline::CrashEverywhereTrial;
    use crate::domain::seed::Seed;
    use crate::domain::watch::Unwatched;
    use crate::engine;

    #[test]
    fn a_walk_that_holds_is_falsified_or_reaches_its_bound_comes_to_the_same_on_any_number_of_threads() {
        let trial = CrashEverywhereTrial {
            seed: Seed::new(1),
            data: Default::default(),
            clients: 1,
            edits: 2,
            retries: 0,
            crashes: 1,
            losses: 1,
            edits_before: 0,
            late: false,
            engine: None,
            mutants: Vec::new(),
            most_states: 200_000,
        };
        let bounded = CrashEverywhereTrial { most_states: 500, ..trial.clone() };
        let cases = [("delta-state", &trial, true), ("first-writer", &trial, false), ("delta-state", &bounded, false)];
        for (name, trial, complete) in cases {
            let engine = engine::find(name).expect("an engine");
            let on = |threads| {
                let threads = NonZeroUsize::new(threads).expect("some");
                let world = (trial.into(), Most { states: trial.most_states, actions: None });
                let came = walked(world, engine, None, threads, &mut Unwatched).expect("nobody stops it");
                (came.record, came.against.map(|against| judged(&against.history).0))
            };
            let alone = on(1);
            assert_eq!(alone.0.complete, complete, "{name}");
            for threads in [2, 3] {
                assert_eq!(on(threads), alone, "{name} on {threads} threads");
            }
        }
    }
}
