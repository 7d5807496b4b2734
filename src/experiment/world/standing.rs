//! How an engine stands: what the worlds that were tried until now say of it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use base64::Engine;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};
use serde::{Deserialize, Serialize};

use super::hub_merge::Merged;
use super::tried::{self, Took, Try};
use super::{Said, bound, effects, fields, hub_merge, judged, kept, replicas, sample};
use crate::domain::fault_count::FaultCounts;
use crate::domain::offline::OfflineTrial;
use crate::domain::oracle::OracleId;
use crate::domain::over_time;
use crate::domain::seed::Seed;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::experiment::jobs::Jobs;
use crate::lab::{Outcome, convergence};
use crate::oracle::offline::truth::wrong_registers;
use crate::report::offline_record::{EngineRecord, PartRecord, WorldRecord};
use crate::report::record::Latencies;

/// Worlds of other seeds that are tried before it is asked which engines still hold.
const AT_ONCE: usize = 64;

/// Worlds that run at once in real time, whatever the number of cores.
const AT_ONCE_IN_REAL_TIME: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// An engine in the worlds that were tried so far.
pub(super) struct Standing {
    pub(super) engine: &'static Registration,
    pub(super) row: EngineRecord,
    /// What the judges say of it in the world of the trial itself.
    pub(super) said_of_own: Said,
    pub(super) edits: u64,
    /// Of every world that was tried, when it converged.
    pub(super) converged: Vec<Option<u64>>,
    /// What the hub merged, where accumulators are to merge it again.
    pub(super) merged: Option<Merged>,
    pub(super) took: Duration,
    /// Its own world alone.
    pub(super) own_world_took: Duration,
}

impl Standing {
    /// What a journal calls its counterexample: that of the first world that it fails in.
    pub(super) fn counterexample(&self) -> String {
        let first = self.row.worlds.iter().find(|world| world.verdict == Verdict::Falsified);
        let of = first.map_or("none".to_owned(), |world| world.seed.to_string());
        format!("counterexample {of}: {}", self.engine.name)
    }

    /// Whether nothing is left to try: it is falsified, or was tried in all worlds.
    pub(super) fn is_done(&self, trial: &OfflineTrial) -> bool {
        self.row.verdict == Verdict::Falsified || self.converged.len() as u64 > u64::from(trial.more_worlds)
    }
}

/// What an engine came to in the world of the trial itself.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnWorld {
    #[serde(deserialize_with = "kept::row")]
    row: EngineRecord,
    edits: u64,
    #[serde(deserialize_with = "kept::time")]
    converged_ms: Option<u64>,
    merged: Option<Merged>,
    took: Took,
}

/// Whether what an engine comes to in the world of the trial itself decides about its other worlds and its mutants. Then every
/// part of a run needs it.
pub(super) fn decides(trial: &OfflineTrial) -> bool {
    trial.more_worlds > 0 || !trial.mutants.is_empty()
}

/// Tries every engine in the world of the trial itself.
pub(super) fn in_its_own_world(
    trial: &OfflineTrial,
    engines: &[&'static Registration],
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
) -> (Vec<Standing>, Option<SubjectError>) {
    let ours = engines.iter().enumerate().filter(|(place, _)| decides(trial) || jobs.takes(*place));
    let engines: Vec<&'static Registration> = ours.map(|(_, engine)| *engine).collect();
    let of = |&engine: &&'static Registration| Try {
        trial: Cow::Borrowed(trial),
        engine,
        mutant: None,
        for_long: true,
        run: 1,
    };
    let tries: Vec<Try> = engines.iter().map(of).collect();
    watch.begin("engines", tried::number_of_jobs(&tries));
    let compares = trial.hub && !hub_merge::is_set_back(trial);
    let outcomes = tried::all("world", &tries, jobs, watch, |tried, outcome, took| OwnWorld {
        row: row(trial, tried.engine, &outcome),
        edits: outcome.history.ledger.len() as u64,
        converged_ms: outcome.measures.converged_ms(),
        merged: if compares && trial.registers > 0 && tried.engine.tells_merges {
            Merged::of(trial, &outcome)
        } else {
            None
        },
        took,
    });
    let unsound = |own: &OwnWorld| own.merged.as_ref().is_some_and(|merged| !merged.is_of(trial));
    if let Some(place) = outcomes.of.iter().position(unsound) {
        let why = format!("the job '{}' of the journal is not sound", tries[place].id("world"));
        return (Vec::new(), Some(SubjectError::Journal(why)));
    }
    let stands = |(engine, own): (&'static Registration, OwnWorld)| {
        let OwnWorld { row, edits, converged_ms, merged, took: Took { all: took, world: own_world_took } } = own;
        let (said_of_own, converged) = (row.oracles.clone(), vec![converged_ms]);
        Standing { engine, row, said_of_own, edits, converged, merged, took, own_world_took }
    };
    (engines.into_iter().zip(outcomes.of).map(stands).collect(), outcomes.failed)
}

/// Runs the scenario's own world again with engines that cannot repeat themselves: what comes in every run is falsified, what
/// does not is inconclusive.
pub(super) fn again(
    trial: &OfflineTrial,
    standing: &mut [Standing],
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
) -> Option<SubjectError> {
    let others: Vec<&mut Standing> = standing.iter_mut().filter(|standing| standing.engine.own_timers).collect();
    let runs = |standing: &&mut Standing| {
        let engine = standing.engine;
        let of = move |run| Try { trial: Cow::Borrowed(trial), engine, mutant: None, for_long: false, run };
        (2..=trial.maelstrom.runs).map(of)
    };
    let tries: Vec<Try> = others.iter().flat_map(runs).collect();
    if tries.is_empty() && others.is_empty() {
        return None;
    }
    watch.begin("runs", tried::number_of_jobs(&tries));
    // Who runs in real time waits most of the time.
    let jobs = &jobs.on(jobs.threads.max(AT_ONCE_IN_REAL_TIME));
    let outcomes =
        tried::all("world", &tries, jobs, watch, |tried, outcome, took| another(tried.trial.seed, outcome, took));
    if outcomes.failed.is_some() {
        return outcomes.failed;
    }
    let mut runs = outcomes.of.into_iter();
    for standing in others {
        standing.was_run_again(runs.by_ref().take(trial.maelstrom.runs as usize - 1).collect());
    }
    None
}

/// Tries engines that hold in other worlds of the kind, and tells of each when it converged; the first that an engine fails
/// in is the one that is reported.
pub(super) fn in_more_worlds(
    trial: &OfflineTrial,
    standing: &mut [Standing],
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
) -> Option<SubjectError> {
    let mut others = other_worlds(trial).enumerate().filter(|(number, _)| jobs.takes(*number)).map(|(_, world)| world);
    let mut seeds = BTreeSet::from([trial.seed]);
    let to_try = standing.iter().filter(|standing| !standing.is_done(trial)).count() as u64;
    watch.begin("more worlds", 2 * u64::from(trial.more_worlds) * to_try);
    loop {
        let some: Vec<OfflineTrial> = others.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            return None;
        }
        // The same world again is no other world, and a warrant that counts it would be too strong.
        some.iter().for_each(|other| assert!(seeds.insert(other.seed), "two worlds have the seed {}", other.seed));
        let mut left: Vec<&mut Standing> = standing.iter_mut().filter(|standing| !standing.is_done(trial)).collect();
        let of = |standing: &&mut Standing| {
            let engine = standing.engine;
            let in_other =
                move |other| Try { trial: Cow::Borrowed(other), engine, mutant: None, for_long: false, run: 1 };
            some.iter().map(in_other)
        };
        let tries: Vec<Try> = left.iter().flat_map(of).collect();
        let outcomes =
            tried::all("world", &tries, jobs, watch, |tried, outcome, took| another(tried.trial.seed, outcome, took));
        let mut worlds = outcomes.of.into_iter();
        for standing in &mut left {
            worlds.by_ref().take(some.len()).for_each(|world| standing.came_to(world));
        }
        if outcomes.failed.is_some() {
            return outcomes.failed;
        }
    }
}

fn another(seed: Seed, outcome: Outcome, took: Took) -> MoreWorld {
    let Outcome { mut history, measures, .. } = outcome;
    let faults = effects::taken_out(&mut history);
    MoreWorld {
        seed,
        converged_ms: measures.converged_ms(),
        faults,
        judged: judged(&history),
        wrong_registers: wrong_registers(&history),
        took: took.all,
    }
}

/// What one of the other worlds came to, or the same world once more.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoreWorld {
    seed: Seed,
    #[serde(deserialize_with = "kept::time")]
    converged_ms: Option<u64>,
    faults: FaultCounts,
    #[serde(deserialize_with = "kept::judged")]
    judged: (Said, Verdict),
    wrong_registers: u32,
    took: Duration,
}

impl Standing {
    /// Takes in the other runs of its own world. A judge that accuses in some of them and not in all cannot tell.
    fn was_run_again(&mut self, others: Vec<MoreWorld>) {
        let row = &mut self.row;
        row.runs = row.worlds.clone();
        let all = others.len() + 1;
        let is = |row: &EngineRecord, verdict| row.runs.iter().filter(|run| run.verdict == verdict).count();
        for other in others {
            self.took += other.took;
            let (said, verdict) = other.judged;
            row.runs.push(sample::tried(other.seed, &said, verdict));
            row.wrong_registers = row.wrong_registers.max(other.wrong_registers);
            for (judge, (verdict, sentence)) in said {
                let worst = row.oracles.get(&judge).map_or(Verdict::Holds, |(worst, _)| *worst);
                let is_worse = Verdict::of_set([worst, verdict]) == verdict && worst != verdict;
                if is_worse {
                    row.oracles.insert(judge, (verdict, sentence));
                }
            }
        }
        for (judge, (verdict, sentence)) in &mut row.oracles {
            let accuses = |run: &&WorldRecord| run.judges.get(judge) == Some(&Verdict::Falsified);
            let accusing = row.runs.iter().filter(accuses).count();
            if accusing > 0 && accusing < all {
                *sentence = format!("in {accusing} of {all} runs of this world: {sentence}");
                *verdict = Verdict::Inconclusive;
            }
        }
        row.verdict = match (is(row, Verdict::Falsified), is(row, Verdict::Holds)) {
            (falsified, _) if falsified == all => Verdict::Falsified,
            (_, holds) if holds == all => Verdict::Holds,
            _ => Verdict::Inconclusive,
        };
        for world in &mut row.worlds {
            world.verdict = row.verdict;
            world.judges = row.oracles.iter().map(|(judge, (verdict, _))| (*judge, *verdict)).collect();
        }
    }

    /// Takes in the next of the other worlds; those after the first that it fails in do not count.
    fn came_to(&mut self, world: MoreWorld) {
        let MoreWorld { seed, converged_ms, faults, judged: (said, verdict), wrong_registers, took } = world;
        let row = &mut self.row;
        if row.verdict == Verdict::Falsified {
            return;
        }
        self.took += took;
        self.converged.push(converged_ms);
        effects::add(row, &faults);
        row.worlds.push(sample::tried(seed, &said, verdict));
        if verdict == Verdict::Falsified {
            let names = said.iter().filter(|(_, (verdict, _))| *verdict == Verdict::Falsified);
            for (name, (verdict, sentence)) in names {
                let sentence = format!("under seed {seed}: {sentence}");
                row.oracles.insert(*name, (*verdict, sentence));
            }
            row.verdict = Verdict::Falsified;
            row.wrong_registers = row.wrong_registers.max(wrong_registers);
        } else if verdict == Verdict::Inconclusive && row.verdict == Verdict::Holds {
            let (truth, sentence) = &said[&OracleId::Truth];
            row.oracles.insert(OracleId::Truth, (*truth, format!("under seed {seed}: {sentence}")));
            row.verdict = verdict;
        }
    }
}

fn row(trial: &OfflineTrial, engine: &Registration, outcome: &Outcome) -> EngineRecord {
    let mut history = outcome.history.clone();
    let faults = effects::taken_out(&mut history);
    let (oracles, verdict) = judged(&history);
    let measures = &outcome.measures;
    let (up, down) = history.traffic;
    let (staleness, convergence) = (&measures.staleness, &measures.staleness.convergence);
    EngineRecord {
        name: engine.name.to_owned(),
        verdict,
        warrant: None,
        repeats: !engine.own_timers,
        runs: Vec::new(),
        worlds: vec![sample::tried(trial.seed, &oracles, verdict)],
        oracles,
        // Where nobody can be judged, nothing is wrong yet.
        wrong_registers: if history.cut_off.is_some() { 0 } else { wrong_registers(&history) },
        deliveries: measures.deliveries,
        damaged: measures.damaged,
        faults,
        refused_edits: history.refused_edits,
        up,
        down,
        of_full_state_per_mille: None,
        bound_bytes: bound::bytes(trial, &history.ledger),
        over_time: measures.parts().into_iter().map(part).collect(),
        stored: measures.stored,
        staleness_ms: Latencies::from(&staleness.histogram),
        undelivered: staleness.undelivered(),
        staleness_histogram: encoded(&staleness.histogram),
        convergence_ms: Latencies::from(&convergence.histogram),
        unconverged: staleness.unconverged(),
        convergence_histogram: encoded(&convergence.histogram),
        world_convergence_ms: Latencies::default(),
        unconverged_worlds: 0,
        world_convergence_histogram: String::new(),
        settled_ms: history.settled_after / 1000,
        refused_stores: outcome.refused_stores.clone(),
        unmet: history.unmet.clone(),
        fields: fields::rows(trial, &history),
        replicas: replicas::rows(trial, outcome),
    }
}

fn part(part: over_time::Metadata) -> PartRecord {
    PartRecord { bytes: part.all, metadata_bytes: part.bytes, edits: part.edits }
}

fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).expect("memory takes every histogram");
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Has a row tell when the worlds that were tried converged.
pub(super) fn tell_convergence(row: &mut EngineRecord, converged: &[Option<u64>]) {
    let mut histogram = convergence::empty();
    for &ms in converged.iter().flatten() {
        histogram.record(ms).expect("it grows as it must");
    }
    row.world_convergence_ms = Latencies::from(&histogram);
    row.unconverged_worlds = converged.len() as u64 - histogram.len();
    row.world_convergence_histogram = encoded(&histogram);
}

/// The other worlds of the kind that a trial asks for: the same in all but the seed.
pub(super) fn other_worlds(trial: &OfflineTrial) -> impl Iterator<Item = OfflineTrial> {
    let seeds = trial.seed.stream("more worlds");
    let seed = move |number| Seed::new(seeds.member(number).word());
    (0..u64::from(trial.more_worlds)).map(move |number| OfflineTrial { seed: seed(number), ..trial.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::offline::{Presence, Workload};
    use crate::domain::watch::Unwatched;
    use crate::engine;
    use crate::experiment::world::faultless::faultless_trial;

    #[test]
    fn more_worlds_are_worlds_of_their_own_in_which_users_do_other_things() {
        let mut trial = OfflineTrial { seed: Seed::new(5), more_worlds: 4, ..faultless_trial(2, 4, 0) };
        trial.workload = Workload { ticks: 3, ..trial.workload };
        trial.presence.lasts_s = 1000;
        let worlds = std::iter::once(trial.clone()).chain(other_worlds(&trial));
        let ledgers: Vec<_> = worlds
            .map(|world| {
                let outcome = tried::outcome(&world, engine::reference(), None, &mut Unwatched).expect("it ends");
                outcome.history.ledger.by_device
            })
            .collect();
        assert_eq!(ledgers.len(), 5);
        for (place, ledger) in ledgers.iter().enumerate() {
            assert!(!ledgers[..place].contains(ledger), "world {place} is one that was tried before");
        }
    }

    /// How an engine stands whose own world gave these verdicts of truth, one a run.
    fn after_runs(runs: &[Verdict]) -> Standing {
        let trial = faultless_trial(2, 1, 0);
        let engine = engine::reference();
        let outcome = tried::outcome(&trial, engine, None, &mut Unwatched).expect("it ends");
        let of_run = |(run, &verdict): (usize, &Verdict)| {
            let said = Said::from([(OracleId::Truth, (verdict, format!("run {run} says so")))]);
            let judged = (said, verdict);
            let (faults, took) = (FaultCounts::default(), Duration::ZERO);
            MoreWorld { seed: trial.seed, converged_ms: None, faults, judged, wrong_registers: run as u32, took }
        };
        let mut worlds: Vec<MoreWorld> = runs.iter().enumerate().map(of_run).collect();
        let MoreWorld { judged: (said, verdict), .. } = worlds.remove(0);
        let mut row = row(&trial, engine, &outcome);
        row.worlds = vec![sample::tried(trial.seed, &said, verdict)];
        (row.oracles, row.verdict) = (said.clone(), verdict);
        let took = Duration::ZERO;
        let (said_of_own, converged) = (said, Vec::new());
        let mut standing =
            Standing { engine, row, said_of_own, edits: 0, converged, merged: None, took, own_world_took: took };
        standing.was_run_again(worlds);
        standing
    }

    #[test]
    fn what_comes_in_every_run_is_falsified_and_what_comes_in_some_is_inconclusive() {
        let (holds, wrong, cannot_tell) = (Verdict::Holds, Verdict::Falsified, Verdict::Inconclusive);
        let verdict = |runs: &[Verdict]| after_runs(runs).row.verdict;
        assert_eq!([verdict(&[holds; 3]), verdict(&[wrong; 3])], [holds, wrong]);
        assert_eq!([verdict(&[wrong, holds, holds]), verdict(&[holds, cannot_tell])], [cannot_tell; 2]);
        let row = after_runs(&[holds, wrong, holds, wrong]).row;
        assert_eq!(row.verdict, cannot_tell);
        assert_eq!(
            row.oracles[&OracleId::Truth],
            (cannot_tell, "in 2 of 4 runs of this world: run 1 says so".to_owned())
        );
        assert_eq!(row.runs.iter().map(|run| run.verdict).collect::<Vec<_>>(), [holds, wrong, holds, wrong]);
        assert_eq!((row.worlds[0].verdict, row.wrong_registers), (cannot_tell, 3));
    }

    #[test]
    fn parts_of_a_worlds_time_have_all_its_edits_and_no_sound_engine_sends_less_than_the_bound() {
        let mut trial = OfflineTrial { seed: Seed::new(5), ..faultless_trial(3, 16, 0) };
        trial.workload = Workload { ticks: 6, changed: 2, ..trial.workload };
        trial.presence = Presence { lasts_s: 10_000, away_s: (100, 200), here_s: (100, 200) };
        let outcome = tried::outcome(&trial, engine::reference(), None, &mut Unwatched).expect("it ends");
        let row = row(&trial, engine::reference(), &outcome);
        assert_eq!((row.verdict, row.over_time.len()), (Verdict::Holds, 8));
        let sum = |of: fn(&PartRecord) -> u64| row.over_time.iter().map(of).sum::<u64>();
        assert_eq!(sum(|part| part.edits), 36);
        let sent = row.up.total() + row.down.total();
        assert!(0 < sum(|part| part.metadata_bytes) && sum(|part| part.metadata_bytes) < sum(|part| part.bytes));
        assert!(sum(|part| part.bytes) <= sent, "what is sent after the end of all faults is in no part");
        assert!(row.bound_bytes.is_some_and(|bound| 0 < bound && bound < sent), "{:?} of {sent}", row.bound_bytes);
    }
}
