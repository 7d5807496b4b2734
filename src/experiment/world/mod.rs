//! Worlds of clients that work offline: every engine in the same world, judged against what the users did.

pub mod controls;
mod effects;
pub mod hub_merge;
mod planted;
pub mod planting;
pub mod replicas;
mod sample;
pub mod smallest;
mod tried;
mod unique_amounts;
mod whole_worlds;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use base64::Engine;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};

use crate::domain::count::counted;
use crate::domain::data::Intent;
use crate::domain::evidence::Evidence;
use crate::domain::fault::FaultClass;
use crate::domain::fault_count::FaultCounts;
use crate::domain::finding::Finding;
use crate::domain::history::{Fate, History, UserEdit};
use crate::domain::judge::Judge;
use crate::domain::offline::{OfflineTrial, Presence, Workload};
use crate::domain::seed::Seed;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::engine::{self, Registration};
use crate::experiment::valid::Valid;
use crate::experiment::{Found, jobs};
use crate::lab::convergence;
use crate::lab::{Outcome, World, WorldError, both_ways, settings};
use crate::oracle::offline::judgements;
use crate::oracle::offline::truth::wrong_registers;
use crate::report::offline_record::{EngineRecord, MutantRecord, OfflineRecord};
use crate::report::record::{Check, Latencies, Part, Unseen};
use crate::scenario::offline::SECOND;
use crate::subject::Subjects;
use tried::Try;

/// Worlds of other seeds that are tried before it is asked which engines still hold.
const AT_ONCE: usize = 64;

/// An engine in the worlds that were tried so far.
struct Standing {
    engine: &'static Registration,
    row: EngineRecord,
    edits: u64,
    /// Of every world that was tried, when it converged.
    converged: Vec<Option<u64>>,
    /// What the hub merged, where accumulators are to merge it again.
    merged: Option<Outcome>,
    took: Duration,
}

impl Standing {
    /// Whether nothing is left to try: it is falsified, or was tried in all worlds.
    fn is_done(&self, trial: &OfflineTrial) -> bool {
        self.row.verdict == Verdict::Falsified || self.converged.len() as u64 > u64::from(trial.more_worlds)
    }
}

/// Puts every engine of the trial on trial, one check each, and then every mutant that is to be planted. Worlds are
/// independent jobs; what they come to is put together in a fixed order.
pub fn run(
    trial: Valid<&OfflineTrial>,
    subjects: &mut Subjects,
    threads: NonZeroUsize,
    found: &mut Found,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let trial = *trial;
    let (engines, left_out) = on_trial(trial);
    let threads = tried::at_once(trial, threads);
    let (mut standing, mut failed) = in_its_own_world(trial, &engines, threads, watch);
    if failed.is_none() {
        failed = in_more_worlds(trial, &mut standing, threads, watch);
    }
    if failed.is_some() {
        // The record of what was done until then.
        standing.retain(|standing| standing.is_done(trial));
    }
    let checked = jobs::run(&standing, threads, &mut Unwatched, |standing, _| {
        let start = Instant::now();
        let smallest = smallest_of(standing, trial.tags.registers > 0)?;
        Ok((smallest, start.elapsed()))
    });
    let mut record = OfflineRecord {
        evidence: Evidence::Software,
        clients: trial.clients,
        registers: trial.registers,
        hub: trial.hub,
        edits: 0,
        engines: Vec::new(),
        left_out,
        mutants: Vec::new(),
        merges: Vec::new(),
        merges_left_out: None,
    };
    for (standing, (smallest, took)) in standing.into_iter().zip(checked.all()?) {
        let Standing { engine, mut row, edits, converged, merged, took: before } = standing;
        record.edits = edits;
        effects::tell(&mut row);
        tell_convergence(&mut row, &converged);
        found.took(engine.name, before + took);
        found.checks.push(check(engine, &mut row, smallest));
        if engine.tells_merges && trial.hub && hub_merge::is_set_back(trial) {
            record.merges_left_out = Some(hub_merge::SET_BACK.to_owned());
        } else if let Some(outcome) = merged {
            hub_merge::compare(trial, engine, &outcome, subjects, &mut record.merges)?;
        }
        record.engines.push(row);
    }
    if let Some(error) = failed {
        return Err(error);
    }
    share_of_full_state(&mut record.engines);
    record.mutants = with_mutants(trial, &record.engines, threads, watch)?;
    found.checks.extend(hub_merge::checks(&record.merges));
    found.offline = Some(record);
    Ok(())
}

/// Tries every engine in the world of the trial itself.
fn in_its_own_world(
    trial: &OfflineTrial,
    engines: &[&'static Registration],
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
) -> (Vec<Standing>, Option<SubjectError>) {
    let of =
        |&engine: &&'static Registration| Try { trial: Cow::Borrowed(trial), engine, mutant: None, for_long: true };
    let tries: Vec<Try> = engines.iter().map(of).collect();
    watch.begin("engines", tried::number_of_jobs(&tries));
    let compares = trial.hub && !hub_merge::is_set_back(trial);
    let outcomes = tried::all(&tries, threads, watch, |tried, outcome, took| {
        let row = row(trial, tried.engine, &outcome);
        let (edits, converged) = (outcome.history.ledger.len() as u64, vec![outcome.measures.converged_ms()]);
        (row, edits, converged, Some(outcome).filter(|_| compares && tried.engine.tells_merges), took)
    });
    let stands =
        |(&engine, (row, edits, converged, merged, took))| Standing { engine, row, edits, converged, merged, took };
    (engines.iter().zip(outcomes.of).map(stands).collect(), outcomes.failed)
}

/// Tries engines that hold in other worlds of the kind, and tells of each when it converged; the first that an engine fails
/// in is the one that is told of.
fn in_more_worlds(
    trial: &OfflineTrial,
    standing: &mut [Standing],
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
) -> Option<SubjectError> {
    let mut others = other_worlds(trial);
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
            let in_other = move |other| Try { trial: Cow::Borrowed(other), engine, mutant: None, for_long: false };
            some.iter().map(in_other)
        };
        let tries: Vec<Try> = left.iter().flat_map(of).collect();
        let outcomes = tried::all(&tries, threads, watch, |tried, outcome, took| {
            let Outcome { mut history, measures, .. } = outcome;
            let faults = effects::taken_out(&mut history);
            MoreWorld {
                seed: tried.trial.seed,
                converged_ms: measures.converged_ms(),
                faults,
                judged: judged(&history),
                wrong_registers: wrong_registers(&history),
                took,
            }
        });
        let mut worlds = outcomes.of.into_iter();
        for standing in &mut left {
            worlds.by_ref().take(some.len()).for_each(|world| standing.came_to(world));
        }
        if outcomes.failed.is_some() {
            return outcomes.failed;
        }
    }
}

/// What one of the other worlds came to.
struct MoreWorld {
    seed: Seed,
    converged_ms: Option<u64>,
    faults: FaultCounts,
    judged: (Said, Verdict),
    wrong_registers: u32,
    took: Duration,
}

impl Standing {
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
                row.oracles.insert(name.clone(), (*verdict, sentence));
            }
            row.verdict = Verdict::Falsified;
            row.wrong_registers = row.wrong_registers.max(wrong_registers);
        } else if verdict == Verdict::Inconclusive && row.verdict == Verdict::Holds {
            let (truth, sentence) = &said["truth"];
            row.oracles.insert("truth".to_owned(), (*truth, format!("under seed {seed}: {sentence}")));
            row.verdict = verdict;
        }
    }
}

/// Plants every mutant, and tells who catches it.
fn with_mutants(
    trial: &OfflineTrial,
    rows: &[EngineRecord],
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
) -> Result<Vec<MutantRecord>, SubjectError> {
    let of = |(engine, mutant)| Try { trial: Cow::Borrowed(trial), engine, mutant: Some(mutant), for_long: false };
    let tries: Vec<Try> = planted(engine::on_trial(trial), &trial.mutants).map(of).collect();
    watch.begin("mutants", tried::number_of_jobs(&tries));
    let caught = tried::all(&tries, threads, watch, |tried, outcome, _| {
        let without = rows.iter().find(|row| row.name == tried.engine.name).map(|row| &row.oracles);
        let mutant = tried.mutant.expect("one is planted in each");
        caught((tried.engine, mutant), &outcome.history, without)
    });
    caught.all()
}

/// The smallest world of each data type that an engine gets wrong, where it gets any wrong.
fn smallest_of(standing: &Standing, with_tags: bool) -> Result<Vec<Finding>, SubjectError> {
    if standing.row.wrong_registers == 0 {
        return Ok(Vec::new());
    }
    let of_counters = smallest::finding(standing.engine)?;
    let of_tags = if with_tags { smallest::finding_of_tags(standing.engine)? } else { None };
    Ok(of_counters.into_iter().chain(of_tags).collect())
}

/// The engines that the trial asks for and that its world is one for; and why others are left out.
fn on_trial(trial: &OfflineTrial) -> (Vec<&'static Registration>, BTreeMap<String, String>) {
    let (on, out): (Vec<&Registration>, Vec<&Registration>) =
        engine::asked(trial).partition(|engine| engine.suits(trial));
    let left_out =
        |engine: &Registration| (engine.name.to_owned(), engine.unsuited(trial).unwrap_or_default().to_owned());
    (on, out.into_iter().map(left_out).collect())
}

/// The mutants of these names, each with the first of these engines that has it.
pub fn planted(
    among: impl IntoIterator<Item = &'static Registration>,
    names: &[String],
) -> impl Iterator<Item = (&'static Registration, &'static str)> {
    let among: Vec<&'static Registration> = among.into_iter().collect();
    names.iter().map(move |name| engine::find_mutant(among.iter().copied(), name).expect("its name was looked up"))
}

fn failed(error: WorldError) -> SubjectError {
    match error {
        WorldError::Stopped => SubjectError::Interrupted,
        WorldError::Miscounted(_) => SubjectError::Internal(error.to_string()),
        WorldError::Store { .. } => SubjectError::Unavailable(error.to_string()),
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
        worlds: vec![sample::tried(trial.seed, &oracles, verdict)],
        oracles,
        // Where nobody can be judged, nothing is wrong yet.
        wrong_registers: if history.cut_off.is_some() { 0 } else { wrong_registers(&history) },
        deliveries: measures.deliveries,
        damaged: measures.damaged,
        faults,
        up,
        down,
        of_full_state_per_mille: None,
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
        replicas: replicas::rows(trial, outcome),
    }
}

fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).expect("memory takes every histogram");
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Has a row tell when the worlds that were tried converged.
fn tell_convergence(row: &mut EngineRecord, converged: &[Option<u64>]) {
    let mut histogram = convergence::empty();
    for &ms in converged.iter().flatten() {
        histogram.record(ms).expect("it grows as it must");
    }
    row.world_convergence_ms = Latencies::from(&histogram);
    row.unconverged_worlds = converged.len() as u64 - histogram.len();
    row.world_convergence_histogram = encoded(&histogram);
}

/// What every judge says, by its name: its verdict and a sentence.
pub type Said = BTreeMap<String, (Verdict, String)>;

/// What every judge says, and the worst verdict of those that could tell. Where truth cannot, or a fault that was asked
/// for never took effect, nothing else stands for it.
pub fn judged(history: &History) -> (Said, Verdict) {
    let said: Said = judgements(history).map(|(name, said)| (name.to_owned(), (said.verdict, said.sentence))).collect();
    let unique_amounts = said.values().map(|(verdict, _)| *verdict).filter(|&verdict| verdict != Verdict::Inconclusive);
    let told = Verdict::of_set(unique_amounts.chain([said["truth"].0, said["faults"].0]));
    // A script that did not go as it is written shows nothing but what is wrong.
    let tells_nothing = history.ledger.is_empty() || !history.unmet.is_empty() && told == Verdict::Holds;
    (said, if tells_nothing { Verdict::Inconclusive } else { told })
}

/// The other worlds of the kind that a trial asks for: the same in all but the seed.
fn other_worlds(trial: &OfflineTrial) -> impl Iterator<Item = OfflineTrial> {
    let seeds = trial.seed.stream("more worlds");
    let seed = move |number| Seed::new(seeds.member(number).word());
    (0..u64::from(trial.more_worlds)).map(move |number| OfflineTrial { seed: seed(number), ..trial.clone() })
}

fn check(engine: &Registration, row: &mut EngineRecord, findings: Vec<Finding>) -> Check {
    let verdict = row.verdict;
    let holds = verdict == Verdict::Holds;
    row.warrant = holds.then(|| sample::warrant(&row.worlds));
    let against = row.oracles.iter().filter(|(_, (said, _))| *said == Verdict::Falsified);
    let against: Vec<String> = against.map(|(name, (_, sentence))| format!("{name}: {sentence}")).collect();
    let summary = match verdict {
        Verdict::Falsified => against.join("; "),
        Verdict::Holds => {
            format!("{}; {}", sample::holding(&row.worlds), row.oracles["truth"].1)
        }
        Verdict::Inconclusive => match &row.oracles["truth"] {
            (Verdict::Inconclusive, sentence) => format!("truth: {sentence}"),
            _ if row.oracles["faults"].0 == Verdict::Inconclusive => format!("faults: {}", row.oracles["faults"].1),
            _ if !row.unmet.is_empty() => format!("the script did not go as it is written: {}", row.unmet.join("; ")),
            _ => "nobody edited anything".to_owned(),
        },
    };
    Check {
        name: engine.name.to_owned(),
        part: Part::Replicas,
        judge: Judge::World,
        subjects: BTreeMap::from([(engine.name.to_owned(), Evidence::Software)]),
        verdict,
        summary,
        oracles: row.oracles.iter().map(|(name, (verdict, _))| (name.clone(), *verdict)).collect(),
        warrant: row.warrant.clone(),
        orders: None,
        tries: vec![FaultClass::LostEdit],
        findings,
    }
}

fn share_of_full_state(rows: &mut [EngineRecord]) {
    let both = |row: &EngineRecord| both_ways(&(row.up, row.down));
    let Some(full) = rows
        .iter()
        .find(|row| engine::find(&row.name).is_ok_and(|engine| engine.full_state))
        .map(both)
        .filter(|&full| full > 0)
    else {
        return;
    };
    for row in rows {
        row.of_full_state_per_mille = Some((both(row) * 1000 + full / 2) / full);
    }
}

/// Who caught a mutant, and what the first of them says. A judge that has something against the engine without the mutant,
/// too, catches nothing.
pub fn caught(
    (engine, mutant): (&Registration, &'static str),
    history: &History,
    without: Option<&Said>,
) -> MutantRecord {
    let (said, _) = judged(history);
    let accuses =
        |said: &Said, name: &String| said.get(name).is_some_and(|(verdict, _)| *verdict == Verdict::Falsified);
    let against: Vec<(&String, &String)> = said
        .iter()
        .filter(|(name, _)| accuses(&said, name) && !without.is_some_and(|without| accuses(without, name)))
        .map(|(name, (_, s))| (name, s))
        .collect();
    MutantRecord {
        engine: engine.name.to_owned(),
        mutant: mutant.to_string(),
        caught_by: against.iter().map(|(name, _)| (*name).clone()).collect(),
        sentence: against
            .first()
            .map_or("no judge has anything against it here".to_owned(), |(_, said)| (*said).clone()),
    }
}

/// A world in which nothing goes wrong: clients connect in the end, one after the other.
fn faultless_trial(clients: u32, registers: u32, start: i64) -> OfflineTrial {
    OfflineTrial {
        seed: Seed::new(0),
        registers,
        start,
        tags: Default::default(),
        clients,
        engines: Vec::new(),
        mutants: Vec::new(),
        hub: true,
        edges: Vec::new(),
        workload: Workload { ticks: 0, changed: 1, most: 1, decrements: false, zipf_hundredths: None },
        presence: Presence { lasts_s: 1, away_s: (1 << 30, 1 << 30), here_s: (1, 1) },
        steps: Vec::new(),
        link: Default::default(),
        clocks: Default::default(),
        faults: Vec::new(),
        crashes: 0,
        more_worlds: 0,
        settle_s: 3600,
        staleness_s: None,
        load: Default::default(),
        journal: Default::default(),
        memory_mib: crate::domain::offline::default_memory(),
    }
}

/// Ticks of a long history.
const TICKS: u64 = 400;

/// Seconds between them.
const BETWEEN: u64 = 60;

/// Seconds of a tick, at its end, that a visit takes.
const VISIT: u64 = 20;

/// A long history in one connection, with a hub or between two peers, as it is in the world that is on trial.
fn connected_for_long(hub: bool) -> OfflineTrial {
    let presence = Presence { lasts_s: TICKS * BETWEEN, away_s: (0, 0), here_s: (TICKS * BETWEEN, TICKS * BETWEEN) };
    OfflineTrial { hub, presence, ..faultless_trial(2, 64, 0) }
}

/// The same, with each tick in a visit of its own: both connect, complete a handshake, sync and leave, and nobody starts again.
fn visits_for_long(hub: bool) -> OfflineTrial {
    let away = BETWEEN - VISIT;
    let presence = Presence { lasts_s: TICKS * BETWEEN, away_s: (away, away), here_s: (VISIT, VISIT) };
    OfflineTrial { presence, ..connected_for_long(hub) }
}

/// The bytes both ways of the same tick, again and again: four registers up by one, then down by one.
fn long_history(engine: &Registration, trial: &OfflineTrial, watch: &mut dyn Watch) -> Result<Vec<u64>, SubjectError> {
    let tick = |tick: u64| {
        let amount = if tick.is_multiple_of(2) { 1 } else { -1 };
        let at = (tick * BETWEEN + 10) * SECOND;
        (0..4).map(move |place| UserEdit {
            at,
            register: 9 * place + 3,
            intent: Intent::Increase(amount),
            fate: Fate::Binding,
        })
    };
    // One client alone edits: where edits are lost, what two leave of theirs is not the same tick any more.
    let users = vec![(0..TICKS).flat_map(tick).collect(), Vec::new()];
    let world = World::new(trial, engine, &settings(trial, None));
    let outcome = world.and_then(|world| world.with_users(users).watched(0).run(watch));
    let mut bytes = vec![0; TICKS as usize];
    for (at, more) in outcome.map_err(failed)?.measures.bytes.log {
        if let Some(tick) = bytes.get_mut((at / (BETWEEN * SECOND)) as usize) {
            *tick += more;
        }
    }
    // The first has the first handshake in it.
    bytes.remove(0);
    Ok(bytes)
}

/// What such a trial cannot see.
pub fn unseen(trial: &OfflineTrial) -> Unseen {
    let drawn = match trial.more_worlds {
        0 => String::new(),
        some => format!(", and {} drawn from those that differ from it in their seed alone", counted(some, "world")),
    };
    let by_run = format!(
        "Tried, in virtual time: the scenario's own world{drawn}. Other worlds, and real networks and disks, may differ. What \
         only small worlds can show is tried in all ways by crash-everywhere."
    );
    Unseen { by_bank_sweep: Vec::new(), by_run: vec![by_run] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::{Ledger, NodeEnd, UniqueAmounts};
    use crate::domain::offline::FaultKind;
    use crate::domain::trial::Trial;
    use crate::scenario::shipped;

    /// What an engine makes of a world, with unique amounts, too.
    fn history(trial: &OfflineTrial, engine: &Registration) -> History {
        let tried = Try { trial: Cow::Borrowed(trial), engine, mutant: None, for_long: false };
        let outcomes = tried::all(&[tried], NonZeroUsize::MIN, &mut Unwatched, |_, outcome, _| outcome.history);
        outcomes.all().expect("it ends").remove(0)
    }

    /// A world of one edit, and it is there.
    fn sound() -> History {
        let edit = UserEdit { at: 0, register: 0, intent: Intent::Increase(1), fate: Fate::Binding };
        let ledger = Ledger::of_counters(1, 5, vec![vec![edit]]);
        let ends = vec![NodeEnd::of_counters("hub", [6])];
        History { ledger, ends, quiescent: true, ..History::default() }
    }

    #[test]
    fn an_engine_whose_world_of_unique_amounts_was_not_finished_is_not_accused_and_its_edits_are_not_said_to_count() {
        let unique_amounts = Some(UniqueAmounts::Unfinished { quiescent: true, backlog: 7 });
        let (said, verdict) = judged(&History { unique_amounts, ..sound() });
        assert_eq!((verdict, said["exactly once"].0), (Verdict::Holds, Verdict::Inconclusive));
        let told = sample::holding(&[sample::tried(Seed::new(1), &said, verdict)]);
        assert!(told.contains("exactly once cannot tell in 1 of 1"), "{told}");
    }

    #[test]
    fn where_truth_cannot_be_told_nothing_stands_for_it() {
        let mut history = sound();
        let amount = |edit: i64| (1 << 44) + (edit + 7).pow(6) % 999_999_937;
        let lost = (0..91).map(|edit| UserEdit {
            at: 0,
            register: 0,
            intent: Intent::Increase(amount(edit)),
            fate: Fate::Unshared,
        });
        history.ledger.by_device.push(lost.collect());
        assert_eq!(judged(&history).1, Verdict::Holds, "all that may be missing is");
        history.ends[0].registers[0] = (amount(90) + history.ends[0].registers[0].number().expect("a counter")).into();
        let (said, verdict) = judged(&history);
        let against = said.values().filter(|(verdict, _)| *verdict == Verdict::Falsified).count();
        assert_eq!((said["truth"].0, verdict, against), (Verdict::Inconclusive, Verdict::Inconclusive, 0));
    }

    #[test]
    fn a_device_that_crashed_before_its_user_saw_any_of_twenty_edits_is_not_accused() {
        let mut trial = OfflineTrial { seed: Seed::new(6), crashes: 200, ..faultless_trial(1, 1, 0) };
        trial.workload = Workload { ticks: 150, changed: 1, most: 1000, decrements: false, zipf_hundredths: None };
        trial.presence = Presence { lasts_s: 20_000, away_s: (60, 65), here_s: (30, 130) };
        let right = engine::find("delta-summary").expect("an engine");
        let history = history(&trial, right);
        let excused = history.ledger.edits().filter(|edit| edit.fate.is_unshared()).count();
        // More sums than 2^16, with unique amounts.
        assert!(excused > 16, "{excused}");
        let (said, verdict) = judged(&history);
        assert_eq!(
            (verdict, said["truth"].0, said["exactly once"].0),
            (Verdict::Holds, Verdict::Holds, Verdict::Holds)
        );
    }

    #[test]
    fn handshakes_that_grow_with_history_are_seen_by_the_judge_of_metadata_where_ticks_are_visits() {
        use crate::domain::offline::NodeFault;
        let right = engine::find("delta-summary").expect("an engine");
        // Every start in which a peer edits has a name of its own, and each is in every handshake from then on.
        let crash = |tick| NodeFault {
            kind: FaultKind::Crash,
            node: "client 0".to_owned(),
            at_s: tick * BETWEEN + 1,
            for_s: 1,
            age_s: 0,
        };
        let visits = |faults| {
            let trial = OfflineTrial { faults, ..visits_for_long(false) };
            long_history(right, &trial, &mut Unwatched).expect("it ends")
        };
        let connected = long_history(right, &connected_for_long(false), &mut Unwatched).expect("it ends");
        let said = |visits| {
            let history = History { ticks: connected.clone(), visits, ..History::default() };
            crate::oracle::offline::metadata::judge(&history)
        };
        let (sound, grows) = (said(visits(Vec::new())), said(visits((0..TICKS).map(crash).collect())));
        assert_eq!(sound.verdict, Verdict::Holds, "{}", sound.sentence);
        assert_eq!(grows.verdict, Verdict::Falsified, "{}", grows.sentence);
    }

    #[test]
    fn no_engine_that_claims_constant_metadata_grows_in_one_connection_or_in_visits_with_or_without_a_hub() {
        for engine in engine::REGISTRY.iter().filter(|engine| engine.constant) {
            for hub in [true, false] {
                if !engine.suits(&connected_for_long(hub)) {
                    continue;
                }
                let bytes = |trial| long_history(engine, &trial, &mut Unwatched).expect("it ends");
                let (ticks, visits) = (bytes(connected_for_long(hub)), bytes(visits_for_long(hub)));
                let judgement =
                    crate::oracle::offline::metadata::judge(&History { ticks, visits, ..History::default() });
                assert_ne!(judgement.verdict, Verdict::Falsified, "{} hub {hub}: {}", engine.name, judgement.sentence);
            }
        }
    }

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

    /// The world in which a client and then the hub lose their stores.
    fn two_stores_lost() -> OfflineTrial {
        match shipped::find("two-stores-lost").expect("it is shipped").expect("it is sound").trial {
            Trial::Offline(trial) => *trial,
            _ => panic!("it is a world"),
        }
    }

    #[test]
    fn edits_that_everybody_showed_and_nobody_kept_are_counted_and_never_excused() {
        let trial = two_stores_lost();
        let said_of = |engine: &Registration| {
            let (said, _) = judged(&history(&trial, engine));
            assert_eq!(said["monotonic"].0 == Verdict::Falsified, engine.name == "delta-summary", "{said:?}");
            said["truth"].clone()
        };
        let right = engine::find("delta-summary").expect("an engine");
        let (verdict, told) = said_of(right);
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(told.starts_with("38 of 288 edits lost though up to 4 replicas had shown them"), "{told}");
        // The same replica would break its word if it declared more.
        let (verdict, told) = said_of(&Registration { survives: engine::Survives::WhileShown, ..*right });
        assert_eq!(verdict, Verdict::Falsified, "{told}");
        assert!(told.contains("is 255 and should be 293"), "{told}");
        for keeps in ["operation-log", "pn-counter"] {
            let engine = engine::find(keeps).expect("it is registered");
            assert_eq!(engine.survives, engine::Survives::WhileShown);
            assert_eq!(said_of(engine), (Verdict::Holds, "every register is what 288 edits come to".to_owned()));
        }
    }

    #[test]
    fn where_devices_are_lost_an_edit_that_counts_twice_or_is_missing_does_not_hide_behind_those_that_may() {
        let mut excused = 0;
        for (name, _) in shipped::SHIPPED {
            let Some(Ok(scenario)) = shipped::find(name) else { panic!("{name} is shipped") };
            let Trial::Offline(trial) = scenario.trial else { continue };
            let lost = [FaultKind::Wipe, FaultKind::Clone, FaultKind::Restore, FaultKind::Damage];
            // Where amounts are small, or many edits of one register may be missing, one that counts twice hides behind those.
            let hides = trial.workload.most < 1_000_000 || trial.registers < 8;
            if hides || !trial.faults.iter().any(|fault| lost.contains(&fault.kind)) {
                continue;
            }
            let right = engine::reference();
            let mut history = history(&trial, right);
            assert_eq!(wrong_registers(&history), 0, "{name}");
            for edit in history.ledger.edits().copied().collect::<Vec<_>>() {
                // One that may be missing counts once or not at all: three or two times are too many.
                let wrong = if edit.fate.is_unshared() { [2, 2] } else { [1, -1] };
                for times in wrong {
                    let by = edit.amount() * times;
                    let add = |history: &mut History, by: i64| {
                        for end in &mut history.ends {
                            let view = &mut end.registers[edit.register as usize];
                            *view = (view.number().expect("a counter") + by).into();
                        }
                    };
                    add(&mut history, by);
                    assert_eq!(wrong_registers(&history), 1, "{name}: {edit:?} {times:+}");
                    add(&mut history, -by);
                }
                excused += u64::from(edit.fate.is_unshared());
            }
        }
        assert!(excused >= 15, "devices are lost with edits that no other has");
    }
}
