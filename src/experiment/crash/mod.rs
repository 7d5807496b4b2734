//! Every crash and every order of deliveries in a small world: the replica as it is in all ways; and in a smaller world
//! each planted mutant until a judge catches it, after the replica as it is was walked through that one in all ways, too.

pub mod planting;
mod section;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::domain::every_delivery::Bounds;
use crate::domain::evidence::Evidence;
use crate::domain::fault::{Fault, FaultClass};
use crate::domain::judge::Judge;
use crate::domain::offline::CrashEverywhereTrial;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::{Verdict, Warrant};
use crate::domain::watch::Watch;
use crate::engine::{self, Registration};
use crate::experiment::answers::Answers;
use crate::experiment::control::{Control, Show};
use crate::experiment::jobs::Jobs;
use crate::experiment::planting::Planting;
use crate::experiment::small_world::{Came, Counterexample, Most, counterexample, walked};
use crate::experiment::valid::Passed;
use crate::experiment::world::{self, Said, caught};
use crate::experiment::{self, Bench, Changes, Experiment, NoEffect, claims};
use crate::report::offline_record::{EverywhereRecord, MutantRecord, PlantedInRecord, WalkedRecord};
use crate::report::record::{Check, ClaimRecord, Part, Record, Unseen};
use crate::subject::Subjects;

/// The check's name.
pub const NAME: &str = "every crash";

/// The name of the check that the replica without a mutant holds where mutants are planted.
pub const WITHOUT_MUTANT: &str = "every crash of the smaller world";

/// A walk, which is a job by itself.
#[derive(Clone, Copy)]
enum Job {
    /// Of the engine as it is, through the world of the trial.
    Sound,
    /// Of the engine as it is, through the smaller world: what catches a mutant must have nothing against it there.
    Smaller,
    /// Of a mutant, through the smaller world.
    Mutant(&'static Registration, &'static str),
}

/// What a walk came to.
#[derive(Serialize, Deserialize)]
struct Ended {
    /// Its numbers.
    walked: WalkedRecord,
    /// The shortest way to what a judge has something against.
    against: Option<Counterexample>,
    took: Duration,
}

impl Experiment for CrashEverywhereTrial {
    /// Refuses a walk whose engine, or one of whose mutants, is unknown.
    fn refuse(&self) -> Result<(), String> {
        let engine = match &self.engine {
            Some(name) => engine::find(name).map_err(|unknown| format!("engine: {unknown}"))?,
            None => engine::reference(),
        };
        if !engine.copies {
            return Err(format!(
                "engine: nodes of '{}' cannot be copied in memory, which a walk over every crash needs; a world can crash them \
                 (key crashes, or steps with after_effects)",
                engine.name
            ));
        }
        if !engine.carries.has(self.data) {
            let (name, carries, data) = (engine.name, engine.carries, self.data.plural());
            return Err(format!("data: '{name}' carries {carries}, and this world has {data}"));
        }
        for name in &self.mutants {
            engine::find_mutant([engine], name).map_err(|unknown| format!("mutants: {unknown}"))?;
        }
        Ok(())
    }

    fn judges(&self) -> &'static [Judge] {
        &[Judge::EveryEnd, Judge::Expectation]
    }

    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect> {
        let orders = ["--budget", "--orders"];
        changes.refuse(&orders, "is about arrival orders, and a world of clients has its own time and links")?;
        changes.refuse(&["--memory"], "bounds a search or a world, and most_states bounds this one")?;
        changes.refuse_engines()?;
        self.seed = changes.seed.unwrap_or(self.seed);
        Ok(())
    }

    fn no_backend(&self) -> Option<&'static str> {
        Some("a walk over every crash is one of engines")
    }

    fn answers(&self) -> Answers {
        let smaller = (!self.mutants.is_empty()).then_some(WITHOUT_MUTANT);
        let checks = [NAME].into_iter().chain(smaller).map(str::to_owned).collect();
        Answers { checks, ..Answers::default() }
    }

    fn no_fault(&self, _fault: Fault) -> Option<&'static str> {
        Some("a walk over every crash has no device")
    }

    fn planting(&self) -> Option<&dyn Planting> {
        Some(self)
    }

    fn run(&self, _passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError> {
        walk_all(self, &bench.jobs, bench.record, bench.watch)
    }

    fn claims(&self, record: &Record, _subjects: &Subjects) -> Vec<ClaimRecord> {
        claims::of_subjects(&[FaultClass::LostEdit], &record.checks)
    }

    fn unseen(&self, _record: &Record, _subjects: &Subjects) -> Unseen {
        unseen(self)
    }
}

/// Walks through the world of the sound replica, and through those of the mutants.
fn walk_all(
    trial: &CrashEverywhereTrial,
    jobs: &Jobs<'_>,
    found: &mut Record,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let (engine, smaller) = (walked_engine(trial), smaller(trial));
    let of_mutants = world::planted([engine], &trial.mutants).map(|(engine, mutant)| Job::Mutant(engine, mutant));
    let smaller_walk = (!trial.mutants.is_empty()).then_some(Job::Smaller);
    let others: Vec<Job> = smaller_walk.into_iter().chain(of_mutants).collect();
    let walk = |job: Job, threads: NonZeroUsize, watch: &mut dyn Watch| {
        let start = Instant::now();
        let (world, engine, mutant) = match job {
            Job::Sound => (trial, engine, None),
            Job::Smaller => (&smaller, engine, None),
            Job::Mutant(engine, mutant) => (&smaller, engine, Some(mutant)),
        };
        let (bounds, most) = world_of(world);
        let Came { record, against, .. } = walked((bounds, most), engine, mutant, threads, watch)?;
        let shortest =
            against.map(|against| counterexample((bounds, most, tried(world)), (engine, mutant), against, watch));
        Ok(Ended { walked: record, against: shortest.transpose()?, took: start.elapsed() })
    };
    watch.begin("worlds", 1 + others.len() as u64);
    // The walk through the world of the trial is usually longer than all others together, and takes all threads for itself.
    let sound = match jobs.takes(0) {
        true => Some(jobs.run(&[Job::Sound], Job::id, watch, |job, watch| walk(*job, jobs.threads, watch)).all()?),
        false => None,
    };
    let ours = others.into_iter().enumerate().filter(|(place, _)| jobs.takes(1 + place));
    let ours: Vec<Job> = ours.map(|(_, job)| job).collect();
    let ended = jobs.run(&ours, Job::id, watch, |job, watch| walk(*job, NonZeroUsize::MIN, watch));
    if jobs.is_part() {
        return ended.failed.map_or(Ok(()), Err);
    }
    let mut record = None;
    let sound = sound.into_iter().flatten().map(|ended| (Job::Sound, ended));
    for (job, ended) in sound.chain(ours.iter().copied().zip(ended.of)) {
        tell(job, ended, (trial, &smaller, engine), &mut record, found);
    }
    if let Some(error) = ended.failed {
        return Err(error);
    }
    found.everywhere = record;
    Ok(())
}

impl Job {
    /// What a journal calls it.
    fn id(&self) -> String {
        match self {
            Job::Sound => NAME.to_owned(),
            Job::Smaller => WITHOUT_MUTANT.to_owned(),
            Job::Mutant(engine, mutant) => format!("{WITHOUT_MUTANT}: {} with {mutant}", engine.name),
        }
    }
}

/// Adds what a walk came to: a check of an engine, or who caught a mutant.
fn tell(
    job: Job,
    Ended { mut walked, against, took }: Ended,
    (trial, smaller, engine): (&CrashEverywhereTrial, &CrashEverywhereTrial, &'static Registration),
    record: &mut Option<EverywhereRecord>,
    found: &mut Record,
) {
    if let Some(against) = &against {
        walked.way_there.clone_from(&against.way_there);
    }
    match (job, record) {
        (Job::Sound, record) => {
            experiment::took(found, NAME, took);
            found.checks.push(check(NAME, trial, engine, &walked, against.as_ref()));
            let (evidence, planted_in, mutants) = (Evidence::Software, None, Vec::new());
            *record = Some(EverywhereRecord { evidence, sound: walked, planted_in, mutants });
        }
        (Job::Smaller, Some(record)) => {
            experiment::took(found, WITHOUT_MUTANT, took);
            found.checks.push(check(WITHOUT_MUTANT, smaller, engine, &walked, against.as_ref()));
            record.planted_in = Some(PlantedInRecord { world: tried(smaller), sound: walked });
        }
        (Job::Mutant(engine, mutant), Some(record)) => record.mutants.push(match against {
            Some(Counterexample { against, finding, .. }) => {
                MutantRecord { case: Some(finding.case), ..caught((engine, mutant), &against, None) }
            }
            None => {
                let sentence = "no way through this world shows it".to_owned();
                let (engine, mutant) = (engine.name.to_owned(), mutant.to_owned());
                MutantRecord { engine, mutant, caught_by: Vec::new(), sentence, case: None }
            }
        }),
        // The walk through the world of the trial is the first job.
        (Job::Smaller | Job::Mutant(..), None) => {}
    }
}

/// The world of a trial, and how many of its states are visited at most.
fn world_of(trial: &CrashEverywhereTrial) -> (Bounds, Most) {
    (trial.into(), Most { states: trial.most_states, actions: None })
}

/// The engine that is walked through: the one that is named, or the reference.
pub fn walked_engine(trial: &CrashEverywhereTrial) -> &'static Registration {
    let named = trial.engine.as_deref().map(|name| engine::find(name).expect("its name was looked up"));
    named.unwrap_or_else(engine::reference)
}

/// The world in which mutants are planted: one client and a lost message, with edits at any time, are enough for any mistake
/// with a counter to show, and soon walked. What is wrong with other data types is wrong between two clients: their world is
/// as it is.
fn smaller(trial: &CrashEverywhereTrial) -> CrashEverywhereTrial {
    if !trial.data.is_counter() {
        return CrashEverywhereTrial { mutants: Vec::new(), ..trial.clone() };
    }
    CrashEverywhereTrial {
        clients: 1,
        losses: trial.losses.max(1),
        edits_before: 0,
        mutants: Vec::new(),
        ..trial.clone()
    }
}

fn check(
    name: &str,
    trial: &CrashEverywhereTrial,
    engine: &Registration,
    sound: &WalkedRecord,
    against: Option<&Counterexample>,
) -> Check {
    let of = tried(trial);
    let said: Option<&Said> = against.map(|counterexample| &counterexample.against);
    let (verdict, summary) = match (said, sound.complete) {
        (Some(said), _) => {
            let against = said.iter().filter(|(_, (verdict, _))| *verdict == Verdict::Falsified);
            let shown: Vec<String> = against.map(|(name, (_, sentence))| format!("{name}: {sentence}")).collect();
            (Verdict::Falsified, format!("{of}: {}", shown.join("; ")))
        }
        (None, true) => (Verdict::Holds, format!("{of}: no judge has anything against any end")),
        (None, false) => (Verdict::Inconclusive, format!("{of}: more than {} states", trial.most_states)),
    };
    let warrant = (verdict == Verdict::Holds).then(|| Warrant::Walked {
        schedules: sound.ways.clone(),
        of,
        assumptions: vec!["A state holds everything that its future depends on.".to_owned()],
    });
    Check {
        name: name.to_owned(),
        part: Part::Replicas,
        judge: Judge::EveryEnd,
        subjects: BTreeMap::from([(engine.name.to_owned(), Evidence::Software)]),
        verdict,
        summary,
        oracles: said.map_or(BTreeMap::new(), |said| said.iter().map(|(&id, (verdict, _))| (id, *verdict)).collect()),
        warrant,
        orders: None,
        tries: vec![FaultClass::LostEdit],
        findings: against.map(|counterexample| counterexample.finding.clone()).into_iter().collect(),
    }
}

/// What is planted for the judge of every end.
pub const CONTROLS: &[Control] = &[Control {
    judge: Judge::EveryEnd,
    planted: "an edit lost, an edit counted twice, replicas that differ",
    show: Show::Alone(world::controls::show_world),
}];

/// What is tried, in words.
fn tried(trial: &CrashEverywhereTrial) -> String {
    let CrashEverywhereTrial { data, clients, edits, retries, crashes, losses, edits_before, late, .. } = *trial;
    let of = |number: u32, one: &str, more: &str| format!("{number} {}", if number == 1 { one } else { more });
    let when = match edits_before {
        0 => "made at any time".to_owned(),
        all if all == edits => "made before the first connection".to_owned(),
        some => format!("{some} of them made before the first connection"),
    };
    format!(
        "{} and a hub, {} each{}, {when}, up to {}, {} and {}, messages that {} their connection",
        of(clients, "client", "clients"),
        of(edits, "edit", "edits"),
        if data.is_counter() { String::new() } else { format!(" of {}", data.plural()) },
        of(retries, "retry", "retries"),
        of(crashes, "crash", "crashes"),
        of(losses, "loss", "losses"),
        if late { "outlive" } else { "end with" }
    )
}

/// What such a trial cannot see.
fn unseen(trial: &CrashEverywhereTrial) -> Unseen {
    let lost = if trial.losses == 0 { "no message is lost but by a crash" } else { "messages are lost" };
    let late = if trial.late {
        "messages come after their connection is over"
    } else {
        "none comes after its connection is over"
    };
    let by_run = [
        format!("The proof is of {}: what takes more to go wrong is sampled in the larger worlds alone.", tried(trial)),
        format!(
            "A torn write is tried at one place, its middle. On the network {lost}, {late}, and none is repeated but by \
             retries, or damaged, which their checksums are for."
        ),
        match trial.crashes {
            0 | 1 => "A connection ends by a crash alone, and none comes while a node starts again: that takes two.",
            _ => "A connection ends by a crash alone.",
        }
        .to_owned(),
    ];
    let of_mutants = (!trial.mutants.is_empty()).then(|| {
        format!(
            "Mutants are planted in a smaller world: {}. Whether each is caught in the larger one, too, is not tried.",
            tried(&smaller(trial))
        )
    });
    Unseen { by_bank_sweep: Vec::new(), by_run: by_run.into_iter().chain(of_mutants).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::DataType;
    use crate::domain::seed::Seed;
    use crate::domain::watch::Unwatched;

    #[test]
    fn where_flaws_are_planted_the_replica_without_one_holds_and_would_not_if_it_had_one() {
        let trial = CrashEverywhereTrial {
            seed: Seed::new(1),
            data: DataType::Counter,
            clients: 2,
            edits: 1,
            retries: 0,
            crashes: 1,
            losses: 0,
            edits_before: 1,
            late: false,
            engine: None,
            mutants: vec!["accept-before-journal".to_owned()],
            most_states: 1_000_000,
        };
        let smaller = smaller(&trial);
        let CrashEverywhereTrial { clients, edits, crashes, losses, edits_before, .. } = smaller;
        assert_eq!((clients, edits, crashes, losses, edits_before), (1, 1, 1, 1, 0));
        let verdict = |mutant| {
            let (bounds, most) = world_of(&smaller);
            let engine = engine::reference();
            let Came { record, against, .. } =
                walked((bounds, most), engine, mutant, NonZeroUsize::MIN, &mut Unwatched).expect("nobody stops it");
            let against = against.map(|against| {
                counterexample((bounds, most, String::new()), (engine, mutant), against, &mut Unwatched)
                    .expect("nobody stops it")
            });
            check(WITHOUT_MUTANT, &smaller, engine, &record, against.as_ref()).verdict
        };
        assert_eq!(verdict(None), Verdict::Holds);
        assert_eq!(verdict(Some("accept-before-journal")), Verdict::Falsified);
    }
}
