//! Worlds of clients that work offline: every engine in the same world, judged against what the users did.

mod bound;
pub mod controls;
mod effects;
mod faultless;
mod fields;
pub mod hub_merge;
mod kept;
mod planted;
pub mod planting;
pub mod reduced;
pub mod replicas;
mod sample;
mod section;
pub mod smallest;
mod standing;
mod tried;
mod unique_amounts;
mod whole_worlds;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

use crate::domain::count::counted;
use crate::domain::data::Fields;
use crate::domain::evidence::Evidence;
use crate::domain::fault::{Fault, FaultClass};
use crate::domain::finding::Finding;
use crate::domain::history::History;
use crate::domain::judge::Judge;
use crate::domain::offline::{FaultKind, OfflineTrial};
use crate::domain::oracle::OracleId;
use crate::domain::script::{Action, Step};
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::engine::port::EngineError;
use crate::engine::{self, Registration};
use crate::experiment::answers::Answers;
use crate::experiment::jobs::Jobs;
use crate::experiment::planting::Planting;
use crate::experiment::valid::Passed;
use crate::experiment::{self, Bench, Changes, Experiment, NO_REDUCE, NoEffect, claims, devices};
use crate::lab::{WorldError, both_ways, memory, script};
use crate::oracle::offline::judgements;
use crate::report::offline_record::{EngineRecord, MutantRecord, OfflineRecord};
use crate::report::record::{Check, ClaimRecord, Part, Record, Unseen};
use crate::subject::Subjects;
use reduced::Reduced;
use standing::{Standing, again, decides, in_its_own_world, in_more_worlds, tell_convergence};
use tried::Try;

impl Experiment for OfflineTrial {
    /// Refuses a world whose engines or mutants are unknown, or do not support its topology, or that takes too much memory.
    fn refuse(&self) -> Result<(), String> {
        for name in &self.engines {
            engine::check_name(name).map_err(|unknown| format!("engines: {unknown}"))?;
            if let Some(why) = engine::find(name).ok().and_then(|engine| engine.unsuited(self)) {
                return Err(format!("engines: this world is not supported by '{name}', {why}"));
            }
        }
        for name in &self.mutants {
            engine::find_mutant(engine::on_trial(self), name).map_err(|unknown| format!("mutants: {unknown}"))?;
        }
        memory::fits(self).map_err(|error| error.to_string())
    }

    fn rehearse(&self) -> Option<String> {
        // Where no engine on trial comes through it and the engine of the controls does, that is no mistake of the script.
        // (Its disks must take everything.)
        let fills = |step: &Step| matches!(&step.action, Action::Fault(fault) if fault.kind == FaultKind::Full);
        let is_full = self.steps.iter().any(fills);
        let sound = Some(&planted::ENGINE).filter(|engine| engine.suits(self) && !is_full);
        let engines = engine::on_trial(self).filter(|engine| engine.suits(self)).chain(sound);
        Some(script::rehearse(self, engines, &mut Unwatched)?.to_string())
    }

    fn judges(&self) -> &'static [Judge] {
        &[Judge::World, Judge::HubMerge, Judge::Link, Judge::Expectation]
    }

    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect> {
        let orders = ["--budget", "--orders"];
        changes.refuse(&orders, "is about arrival orders, and a world of clients has its own time and links")?;
        self.seed = changes.seed.unwrap_or(self.seed);
        self.memory_mib = changes.memory.unwrap_or(self.memory_mib);
        if !changes.engines.is_empty() {
            self.engines.clone_from(&changes.engines);
            // A mutant is one of an engine, which may not be among these.
            self.mutants.clear();
        }
        Ok(())
    }

    fn leave_reduction_out(&mut self) -> Result<(), NoEffect> {
        let reason = "is about worlds that are drawn, and this one is written down: leave the option out";
        self.reduce = false;
        if self.is_scripted() { Err(NoEffect { option: NO_REDUCE, reason }) } else { Ok(()) }
    }

    fn answers(&self) -> Answers {
        let engines: Vec<&'static str> = engine::on_trial(self).map(|engine| engine.name).collect();
        let merging = engine::on_trial(self).filter(|engine| self.hub && self.registers > 0 && engine.tells_merges);
        let merges = merging.map(|engine| hub_merge::name(engine.name));
        let checks = engines.iter().map(|&name| name.to_owned()).chain(merges).collect();
        Answers { checks, engines, ..Answers::default() }
    }

    fn no_fault(&self, _fault: Fault) -> Option<&'static str> {
        Some("a world is one of replicas, and its devices make merges again that hold by themselves")
    }

    fn planting(&self) -> Option<&dyn Planting> {
        Some(self)
    }

    fn run(&self, _passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError> {
        let Bench { subjects, jobs, record, watch } = bench;
        let tried = try_all(self, subjects, jobs.on(tried::at_once(self, jobs.threads)), record, watch);
        if tried == Err(SubjectError::Interrupted) {
            return tried;
        }
        tried.and(devices::judge(subjects, record, watch))
    }

    fn claims(&self, record: &Record, _subjects: &Subjects) -> Vec<ClaimRecord> {
        // A hub's merge on accumulators tries these, and is no claim about edits.
        let of_edits = record.checks.iter().filter(|check| !hub_merge::is_merge(check));
        claims::of_subjects(&[FaultClass::LostEdit], &of_edits.cloned().collect::<Vec<_>>())
    }

    fn unseen(&self, _record: &Record, _subjects: &Subjects) -> Unseen {
        unseen(self)
    }
}

/// Puts every engine of the trial on trial, one check each, and then every mutant that is to be planted. Worlds are
/// independent jobs; what they come to is put together in a fixed order.
fn try_all(
    trial: &OfflineTrial,
    subjects: &mut Subjects,
    jobs: Jobs<'_>,
    found: &mut Record,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let (engines, left_out) = on_trial(trial);
    let (mut standing, mut failed) = in_its_own_world(trial, &engines, &jobs, watch);
    if failed.is_none() {
        failed = again(trial, &mut standing, &jobs, watch);
    }
    if failed.is_none() {
        failed = in_more_worlds(trial, &mut standing, &jobs, watch);
    }
    if failed.is_some() {
        // The record of what was done until then.
        standing.retain(|standing| standing.is_done(trial));
    }
    let said: BTreeMap<&'static str, Said> =
        standing.iter().map(|of| (of.engine.name, of.said_of_own.clone())).collect();
    if jobs.is_part() && decides(trial) {
        // What fails in the world of the trial fails in every part, and one of them makes it smaller.
        let ours = |(place, standing): &(usize, Standing)| jobs.takes(*place) || standing.row.worlds.len() > 1;
        standing = standing.into_iter().enumerate().filter(ours).map(|(_, standing)| standing).collect();
    }
    watch.begin("counterexamples", standing.len() as u64);
    let checked = jobs.run(&standing, Standing::counterexample, watch, |standing, watch| {
        let start = Instant::now();
        if standing.engine.own_timers {
            let why = (standing.row.verdict == Verdict::Falsified).then(|| NO_SCRIPT.to_owned());
            return Ok((Vec::new(), why, start.elapsed()));
        }
        let mut findings = smallest_of(standing, &trial.fields())?;
        let mut unreduced = None;
        match reduced::reduced(trial, standing, &findings, watch)? {
            Some(Reduced::Script(finding)) => findings.insert(0, *finding),
            Some(Reduced::Not(why)) => unreduced = Some(why),
            None => {}
        }
        Ok((findings, unreduced, start.elapsed()))
    });
    // Who stopped while counterexamples were made smaller has the record of those that were.
    let failed = failed.or(checked.failed);
    if jobs.is_part() {
        return failed.map_or_else(|| with_mutants(trial, &said, &jobs, watch).map(drop), Err);
    }
    let mut record = OfflineRecord {
        evidence: Evidence::Software,
        clients: trial.clients,
        registers: trial.fields().len(),
        hub: trial.hub,
        edits: 0,
        engines: Vec::new(),
        left_out,
        mutants: Vec::new(),
        merges: Vec::new(),
        merges_left_out: None,
    };
    for (standing, (findings, unreduced, took)) in standing.into_iter().zip(checked.of) {
        let Standing { engine, mut row, edits, converged, merged, took: before, own_world_took, .. } = standing;
        found.timing.deliveries.count += row.deliveries;
        found.timing.deliveries.us += own_world_took.as_micros() as u64;
        record.edits = edits;
        effects::tell(&mut row);
        tell_convergence(&mut row, &converged);
        experiment::took(found, engine.name, before + took);
        found.checks.push(check(engine, &mut row, findings, unreduced));
        if engine.tells_merges && trial.hub && hub_merge::is_set_back(trial) {
            record.merges_left_out = Some(hub_merge::SET_BACK.to_owned());
        } else if let Some(merged) = merged {
            hub_merge::compare(trial, engine, &merged, subjects, &mut record.merges)?;
        }
        record.engines.push(row);
    }
    if let Some(error) = failed {
        return Err(error);
    }
    share_of_full_state(&mut record.engines);
    record.mutants = with_mutants(trial, &said, &jobs, watch)?;
    found.checks.extend(hub_merge::checks(&record.merges));
    found.offline = Some(record);
    Ok(())
}

/// What stands for a script where the engine cannot repeat itself.
const NO_SCRIPT: &str = "no script is given: an engine with timers of its own does not repeat itself";

/// Plants every mutant, and tells who catches it.
fn with_mutants(
    trial: &OfflineTrial,
    said: &BTreeMap<&'static str, Said>,
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
) -> Result<Vec<MutantRecord>, SubjectError> {
    let of =
        |(engine, mutant)| Try { trial: Cow::Borrowed(trial), engine, mutant: Some(mutant), for_long: false, run: 1 };
    let planted = planted(engine::on_trial(trial), &trial.mutants).enumerate();
    let ours = planted.filter(|(place, _)| jobs.takes(*place)).map(|(_, planted)| planted);
    let tries: Vec<Try> = ours.map(of).collect();
    watch.begin("mutants", tried::number_of_jobs(&tries));
    let caught = tried::all("world", &tries, jobs, watch, |tried, outcome, _| {
        let mutant = tried.mutant.expect("one is planted in each");
        caught((tried.engine, mutant), &judged(&outcome.history).0, said.get(tried.engine.name))
    });
    caught.all()
}

/// The smallest world of counters and of tags that an engine gets wrong, where the world has those and the engine gets any
/// wrong; tags first. Of other data types, the reduced script is the counterexample.
fn smallest_of(standing: &Standing, fields: &Fields) -> Result<Vec<Finding>, SubjectError> {
    if standing.row.wrong_registers == 0 {
        return Ok(Vec::new());
    }
    let of_counters = if fields.counters > 0 { smallest::finding(standing.engine)? } else { None };
    let of_tags = if fields.tags > 0 { smallest::finding_of_tags(standing.engine)? } else { None };
    Ok(of_tags.into_iter().chain(of_counters).collect())
}

/// The engines that the trial asks for and that its world is one for; and why others are left out.
fn on_trial(trial: &OfflineTrial) -> (Vec<&'static Registration>, BTreeMap<String, String>) {
    let (on, out): (Vec<&Registration>, Vec<&Registration>) =
        engine::asked(&trial.engines).partition(|engine| engine.suits(trial));
    let left_out =
        |engine: &Registration| (engine.name.to_owned(), engine.unsuited(trial).unwrap_or_default().into_owned());
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

/// Why a run ends where a world came to no end.
pub fn failed(error: WorldError) -> SubjectError {
    match error {
        WorldError::Stopped | WorldError::Engine { error: EngineError::Interrupted, .. } => SubjectError::Interrupted,
        WorldError::Miscounted(_) => SubjectError::Internal(error.to_string()),
        WorldError::Engine { .. } => SubjectError::Unavailable(error.to_string()),
    }
}

/// What every judge says: its verdict and a sentence.
pub type Said = BTreeMap<OracleId, (Verdict, String)>;

/// What every judge says, and the worst verdict of those that could tell. Where truth cannot, or a fault that was asked
/// for never took effect, nothing else stands for it.
pub fn judged(history: &History) -> (Said, Verdict) {
    judged_while(history, || true).expect("nobody stops it")
}

/// The same; nothing where the judges are stopped, who ask between any two of them whether to go on.
pub fn judged_while(history: &History, goes_on: impl Fn() -> bool) -> Option<(Said, Verdict)> {
    let mut said = Said::new();
    for (id, judgement) in judgements(history) {
        if !goes_on() {
            return None;
        }
        said.insert(id, (judgement.verdict, judgement.sentence));
    }
    let unique_amounts = said.values().map(|(verdict, _)| *verdict).filter(|&verdict| verdict != Verdict::Inconclusive);
    let judged = Verdict::of_set(unique_amounts.chain([said[&OracleId::Truth].0, said[&OracleId::Faults].0]));
    // A script that did not go as it is written shows nothing but what is wrong.
    let tells_nothing = history.ledger.is_empty() || !history.unmet.is_empty();
    Some((said, if tells_nothing && judged == Verdict::Holds { Verdict::Inconclusive } else { judged }))
}

fn check(engine: &Registration, row: &mut EngineRecord, findings: Vec<Finding>, unreduced: Option<String>) -> Check {
    let verdict = row.verdict;
    let holds = verdict == Verdict::Holds;
    row.warrant = holds.then(|| sample::warrant(&row.worlds));
    let against = row.oracles.iter().filter(|(_, (said, _))| *said == Verdict::Falsified);
    let against: Vec<String> = against.map(|(name, (_, sentence))| format!("{name}: {sentence}")).collect();
    let summary = match verdict {
        Verdict::Falsified => against.into_iter().chain(unreduced).collect::<Vec<_>>().join("; "),
        Verdict::Holds => {
            format!("{}; {}", sample::holding(&row.worlds), row.oracles[&OracleId::Truth].1)
        }
        Verdict::Inconclusive if row.runs.iter().any(|run| run.verdict == Verdict::Falsified) => {
            let some = row.oracles.iter().filter(|(_, (_, sentence))| sentence.starts_with("in "));
            let some: Vec<String> = some.map(|(name, (_, sentence))| format!("{name}: {sentence}")).collect();
            format!("not reproducible: {}", some.join("; "))
        }
        Verdict::Inconclusive => match &row.oracles[&OracleId::Truth] {
            (Verdict::Inconclusive, sentence) => format!("truth: {sentence}"),
            _ if row.oracles[&OracleId::Faults].0 == Verdict::Inconclusive => {
                format!("faults: {}", row.oracles[&OracleId::Faults].1)
            }
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
        oracles: row.oracles.iter().map(|(&id, (verdict, _))| (id, *verdict)).collect(),
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
pub fn caught((engine, mutant): (&Registration, &'static str), said: &Said, without: Option<&Said>) -> MutantRecord {
    let accuses = |said: &Said, id: &OracleId| said.get(id).is_some_and(|(verdict, _)| *verdict == Verdict::Falsified);
    let against: Vec<(OracleId, &String)> = said
        .iter()
        .filter(|(name, _)| accuses(said, name) && !without.is_some_and(|without| accuses(without, name)))
        .map(|(&id, (_, s))| (id, s))
        .collect();
    MutantRecord {
        engine: engine.name.to_owned(),
        mutant: mutant.to_string(),
        caught_by: against.iter().map(|(id, _)| *id).collect(),
        sentence: against
            .first()
            .map_or("no judge has anything against it here".to_owned(), |(_, said)| (*said).clone()),
        case: None,
    }
}

/// What such a trial cannot see.
fn unseen(trial: &OfflineTrial) -> Unseen {
    let drawn = match trial.more_worlds {
        0 => String::new(),
        some => format!(", and {} drawn from those that differ from it in their seed alone", counted(some, "world")),
    };
    let in_real_time: Vec<&str> =
        engine::on_trial(trial).filter(|engine| engine.own_timers).map(|engine| engine.name).collect();
    let not_deterministic = (!in_real_time.is_empty()).then(|| {
        format!(
            "Not deterministic: {} ran in real time, {} in each world of the scenario, and another run may end in another way.",
            in_real_time.join(", "),
            counted(trial.maelstrom.runs, "time")
        )
    });
    let by_run = format!(
        "Tried, in virtual time: the scenario's own world{drawn}. Other worlds, and real networks and disks, may differ. What \
         only small worlds can show is tried in all ways by crash-everywhere."
    );
    let notes = engine::on_trial(trial).flat_map(|engine| engine.notes());
    Unseen { by_bank_sweep: Vec::new(), by_run: not_deterministic.into_iter().chain([by_run]).chain(notes).collect() }
}

#[cfg(test)]
mod tests {
    use super::faultless::faultless_trial;
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::history::{Fate, Ledger, NodeEnd, UniqueAmounts, UserEdit};
    use crate::domain::offline::{FaultKind, Presence, Workload};
    use crate::domain::seed::Seed;
    use crate::domain::trial::Trial;
    use crate::domain::watch::Unwatched;
    use crate::oracle::offline::truth::wrong_registers;
    use crate::scenario::shipped;

    /// What an engine makes of a world, with unique amounts, too.
    fn history(trial: &OfflineTrial, engine: &Registration) -> History {
        tried::outcome(trial, engine, None, &mut Unwatched).expect("it ends").history
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
        assert_eq!((verdict, said[&OracleId::ExactlyOnce].0), (Verdict::Holds, Verdict::Inconclusive));
        let words = sample::holding(&[sample::tried(Seed::new(1), &said, verdict)]);
        assert!(words.contains("exactly once cannot tell in 1 of 1"), "{words}");
    }

    #[test]
    fn a_user_who_stops_waits_for_one_judge_at_most() {
        let all = judged(&sound()).0.len();
        let asked = std::cell::Cell::new(0);
        let after = |most: usize| {
            asked.set(0);
            judged_while(&sound(), || asked.replace(asked.get() + 1) < most).is_some()
        };
        assert!(after(all) && !after(all - 1) && !after(0));
        assert_eq!(asked.get(), 1, "the others are not asked what they say");
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
        assert_eq!((said[&OracleId::Truth].0, verdict, against), (Verdict::Inconclusive, Verdict::Inconclusive, 0));
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
            (verdict, said[&OracleId::Truth].0, said[&OracleId::ExactlyOnce].0),
            (Verdict::Holds, Verdict::Holds, Verdict::Holds)
        );
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
            assert_eq!(said[&OracleId::Monotonic].0 == Verdict::Falsified, engine.name == "delta-summary", "{said:?}");
            said[&OracleId::Truth].clone()
        };
        let right = engine::find("delta-summary").expect("an engine");
        let (verdict, words) = said_of(right);
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(words.starts_with("38 of 288 edits lost though up to 4 replicas had shown them"), "{words}");
        // The same replica would break its word if it declared more.
        let (verdict, words) = said_of(&Registration { survives: engine::Survives::WhileShown, ..*right });
        assert_eq!(verdict, Verdict::Falsified, "{words}");
        assert!(words.contains("is 255 and should be 293"), "{words}");
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
