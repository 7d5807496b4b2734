//! Worlds as jobs: each engine, each mutant and each seed is tried by itself, and so are the parts of such a try. The last
//! part that ends judges the whole, on its own thread.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::faultless::{connected_for_long, long_history, visits_for_long};
use super::{failed, replicas, unique_amounts};
use crate::domain::history::UniqueAmounts;
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::Unshown;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::experiment::jobs::{self, Jobs, Outcomes};
use crate::lab::{Outcome, World, memory, settings};

/// One engine in one world.
pub(super) struct Try<'a> {
    pub(super) trial: Cow<'a, OfflineTrial>,
    pub(super) engine: &'a Registration,
    pub(super) mutant: Option<&'static str>,
    /// Whether it is tried in long histories, too, where it claims constant metadata.
    pub(super) for_long: bool,
    /// Which run it is of this world, from 1: there are more than one with an engine that cannot repeat itself.
    pub(super) run: u32,
}

/// A part of a try.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The world itself.
    World,
    /// The same world with unique amounts.
    Unique,
    /// A long history in one connection.
    Ticks,
    /// A long history in many connections.
    Visits,
}

/// What the parts of a try have come to so far.
#[derive(Default)]
struct Parts {
    outcome: Option<Outcome>,
    unique_amounts: Option<(UniqueAmounts, Option<Unshown>)>,
    ticks: Option<Vec<u64>>,
    visits: Option<Vec<u64>>,
    ended: usize,
    took: Took,
}

/// How long the parts of a try took together, and how long its world did.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Took {
    pub(super) all: Duration,
    pub(super) world: Duration,
}

impl Try<'_> {
    /// What a journal calls it.
    pub(super) fn id(&self, kind: &str) -> String {
        let with = self.mutant.map_or(String::new(), |mutant| format!(" with {mutant}"));
        let run = if self.run > 1 { format!(", run {}", self.run) } else { String::new() };
        format!("{kind} {}: {}{with}{run}", self.trial.seed, self.engine.name)
    }

    fn parts(&self) -> &'static [Part] {
        if self.for_long && self.engine.constant {
            &[Part::World, Part::Unique, Part::Ticks, Part::Visits]
        } else {
            &[Part::World, Part::Unique]
        }
    }

    fn run(&self, part: Part, watch: &mut dyn Watch) -> Result<Parts, SubjectError> {
        let (trial, engine) = (&*self.trial, self.engine);
        let mut parts = Parts::default();
        match part {
            Part::World => {
                let world = World::new(trial, engine, &settings(trial, self.mutant));
                let world = world.map(|world| world.keeping(replicas::told_of(trial)));
                let world = world.map(|world| if trial.hub { world.traced(trial.clients) } else { world });
                parts.outcome = Some(world.and_then(|world| world.run(watch)).map_err(failed)?);
            }
            Part::Unique => parts.unique_amounts = Some(unique_amounts::run(trial, engine, self.mutant, watch)?),
            Part::Ticks => parts.ticks = Some(long_history(engine, &connected_for_long(trial.hub), watch)?),
            Part::Visits => parts.visits = Some(long_history(engine, &visits_for_long(trial.hub), watch)?),
        }
        Ok(parts)
    }
}

impl Parts {
    fn add(&mut self, part: Parts, took: Duration) {
        if part.outcome.is_some() {
            self.took.world += took;
        }
        self.outcome = self.outcome.take().or(part.outcome);
        self.unique_amounts = self.unique_amounts.take().or(part.unique_amounts);
        self.ticks = self.ticks.take().or(part.ticks);
        self.visits = self.visits.take().or(part.visits);
        self.ended += 1;
        self.took.all += took;
    }

    /// The world's outcome with all that the other parts tell of it.
    fn whole(self) -> (Outcome, Took) {
        let mut outcome = self.outcome.expect("the world is a part of every try");
        if let Some((unique_amounts, unshown)) = self.unique_amounts {
            outcome.history.unique_amounts = Some(unique_amounts);
            outcome.history.over_time.unshown = unshown;
        }
        outcome.history.ticks = self.ticks.unwrap_or_default();
        outcome.history.visits = self.visits.unwrap_or_default();
        (outcome, self.took)
    }
}

/// What one engine comes to in one world, with a mutant or without, one part after the other.
pub(super) fn outcome(
    trial: &OfflineTrial,
    engine: &Registration,
    mutant: Option<&'static str>,
    watch: &mut dyn Watch,
) -> Result<Outcome, SubjectError> {
    let tried = Try { trial: Cow::Borrowed(trial), engine, mutant, for_long: false, run: 1 };
    let mut all = Parts::default();
    for &part in tried.parts() {
        all.add(tried.run(part, watch)?, Duration::ZERO);
    }
    Ok(all.whole().0)
}

/// How many worlds of a trial may run at once: each takes memory, and together no more than one may.
pub(super) fn at_once(trial: &OfflineTrial, threads: NonZeroUsize) -> NonZeroUsize {
    let worlds = u128::from(trial.memory_mib.bytes()) / memory::needed_at_most(trial).max(1);
    threads.min(NonZeroUsize::new(usize::try_from(worlds).unwrap_or(usize::MAX)).unwrap_or(NonZeroUsize::MIN))
}

/// How many jobs these tries come to.
pub(super) fn number_of_jobs(tries: &[Try<'_>]) -> u64 {
    tries.iter().map(|tried| tried.parts().len() as u64).sum()
}

/// Runs those of these tries that no journal has. `finish` makes of each world what is kept of it, on the thread of its last
/// part; it gets how long the parts took together.
pub(super) fn all<T: Serialize + DeserializeOwned + Send>(
    kind: &str,
    tries: &[Try<'_>],
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
    finish: impl Fn(&Try<'_>, Outcome, Took) -> T + Sync,
) -> Outcomes<T> {
    let known: Result<Vec<Option<T>>, SubjectError> = tries.iter().map(|tried| jobs.kept(&tried.id(kind))).collect();
    let mut whole = match known {
        Ok(known) => known,
        Err(error) => return Outcomes { of: Vec::new(), failed: Some(error) },
    };
    let slots: Vec<Mutex<Parts>> = tries.iter().map(|_| Mutex::default()).collect();
    let of = |(place, tried): (usize, &Try<'_>)| tried.parts().iter().map(move |&part| (place, part));
    let left = tries.iter().enumerate().filter(|(place, _)| whole[*place].is_none());
    let parts: Vec<(usize, Part)> = left.flat_map(of).collect();
    watch.advance(
        tries.iter().zip(&whole).filter(|(_, known)| known.is_some()).map(|(t, _)| t.parts().len() as u64).sum(),
    );
    let outcomes = jobs::run(&parts, jobs.threads, watch, |&(place, part), watch| {
        let start = Instant::now();
        let tried = &tries[place];
        let ended = tried.run(part, watch)?;
        let mut slot = slots[place].lock().unwrap_or_else(PoisonError::into_inner);
        slot.add(ended, start.elapsed());
        let ended = (slot.ended == tried.parts().len()).then(|| std::mem::take(&mut *slot).whole());
        drop(slot);
        let Some((outcome, took)) = ended else { return Ok(None) };
        let kept = finish(tried, outcome, took);
        jobs.keep(&tried.id(kind), &kept)?;
        Ok(Some((place, kept)))
    });
    for (place, outcome) in outcomes.of.into_iter().flatten() {
        whole[place] = Some(outcome);
    }
    // What comes after a try that did not end is not reported, as if each had waited for the one before it.
    let of = whole.into_iter().map_while(|outcome| outcome).collect();
    Outcomes { of, failed: outcomes.failed }
}
