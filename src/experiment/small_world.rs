//! One walk through a small world of an engine, on one thread or more.
//!
//! Knows: how threads share a walk. Must not: say what it means.

use std::num::NonZeroUsize;

use crate::domain::every_delivery::Bounds;
use crate::domain::history::History;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::experiment::jobs::{self, Shared};
use crate::experiment::world::judged;
use crate::explore::every_step::{Walk, Walked};
use crate::lab::crash_walk::{Counts, SmallWorld, States, Step, Unknown};
use crate::report::offline_record::WalkedRecord;

/// What one thread did.
struct Part {
    counts: Counts,
    judged_ends: u64,
    /// The end that a judge has something against, and the way there.
    against: Option<(History, Vec<String>)>,
    /// Why nothing is known of the engine.
    unknown: Option<Unknown>,
}

/// What a walk came to.
pub(super) struct Came {
    /// Its numbers.
    pub(super) record: WalkedRecord,
    /// What a judge has something against.
    pub(super) against: Option<History>,
    /// How the engine did not repeat itself, if it did not: then the walk shows nothing.
    pub(super) unrepeatable: Option<String>,
}

/// Walks through a world, to the first end that a judge has something against.
///
/// Which of several such ends is the first depends on the threads, and so does which states come before the bound. Where a walk
/// on several threads does not come to its end, one thread walks once more, and the record is the same for any number. The
/// price is the time of both.
pub(super) fn walked(
    (bounds, most_states): (Bounds, u64),
    engine: &'static Registration,
    mutant: Option<&'static str>,
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
) -> Result<Came, SubjectError> {
    let mut on =
        |threads| on_threads(most_states, |states| SmallWorld::new(bounds, engine, mutant, states), threads, watch);
    let walked = on(threads)?;
    if threads > NonZeroUsize::MIN && !walked.record.complete {
        return on(NonZeroUsize::MIN);
    }
    Ok(walked)
}

/// Walks through a world, of which each thread opens one of its own.
fn on_threads(
    most_states: u64,
    open: impl Fn(&States) -> SmallWorld<'_> + Sync,
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
) -> Result<Came, SubjectError> {
    let states = States::default();
    let start = open(&states).start();
    let walk = Walk::new(start, most_states, threads.get());
    let take_part = |&thread: &usize, watch: &mut dyn Watch| {
        let mut world = open(&states);
        let (mut against, mut judged_ends, mut stopped, mut reported) = (None, 0, false, 0);
        let mut unknown = None;
        let mut judge = |world: &mut SmallWorld<'_>, end: &_, way: &[Step]| {
            stopped |= watch.stop_requested();
            let Counts { crashes, deliveries } = world.counts();
            watch.steps(crashes + deliveries - reported);
            reported = crashes + deliveries;
            let history = world.settled(end);
            unknown = world.unknown().cloned();
            if unknown.is_some() {
                return false;
            }
            judged_ends += 1;
            if judged(&history).1 == Verdict::Falsified {
                against = Some((history, way.iter().map(|step| world.told(step)).collect()));
            }
            against.is_none() && !stopped
        };
        walk.take_part(thread, &mut world, &mut judge);
        if stopped {
            Err(SubjectError::Interrupted)
        } else {
            Ok(Part { counts: world.counts(), judged_ends, against, unknown })
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
    let (against, way_there) = parts.iter_mut().find_map(|part| part.against.take()).unzip();
    let (ways, way_there) = (ways.to_string(), way_there.unwrap_or_default());
    let record = WalkedRecord { states, steps, crashes, deliveries, ways, ends, complete, way_there };
    Ok(Came { record, against, unrepeatable })
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
                let world = (trial.into(), trial.most_states);
                let came = walked(world, engine, None, threads, &mut Unwatched).expect("nobody stops it");
                (came.record, came.against.map(|history| judged(&history).0))
            };
            let alone = on(1);
            assert_eq!(alone.0.complete, complete, "{name}");
            for threads in [2, 3] {
                assert_eq!(on(threads), alone, "{name} on {threads} threads");
            }
        }
    }
}
