//! The trial of laws: every law of every algebra, and what the verdicts mean for delivery.

mod section;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::domain::algebra::{Entry, REGISTRY};
use crate::domain::case::Case;
use crate::domain::evidence::Evidence;
use crate::domain::execution::{Execution, LawCase};
use crate::domain::fault::{Fault, FaultClass};
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::law::{Law, LawTrial, Term};
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::subject::SubjectError;
use crate::domain::trial::LawsTrial;
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::experiment::answers::Answers;
use crate::experiment::control::{Control, Show, Shown};
use crate::experiment::jobs::{Inner, Jobs};
use crate::experiment::valid::Passed;
use crate::experiment::{Bench, Changes, Experiment, NoEffect, claims, took};
use crate::oracle::laws::try_law;
use crate::report::record::{Check, ClaimRecord, DeliveryRecord, LawsRecord, Part, Record, Unseen};
use crate::subject::Subjects;

impl Experiment for LawsTrial {
    fn judges(&self) -> &'static [Judge] {
        &[Judge::Laws, Judge::Expectation]
    }

    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect> {
        let bounds = ["--budget", "--memory", "--orders"];
        changes.refuse(&bounds, "is about arrival orders, and a trial of laws has none")?;
        changes.refuse_engines()?;
        self.seed = changes.seed.unwrap_or(self.seed);
        Ok(())
    }

    fn no_backend(&self) -> Option<&'static str> {
        Some("a trial of laws is one of algebras")
    }

    fn answers(&self) -> Answers {
        let checks = REGISTRY.iter().map(|entry| format!("laws of {}", entry.name)).collect();
        let laws = REGISTRY.iter().flat_map(|entry| Law::ALL.map(|law| format!("{} {law}", entry.name))).collect();
        Answers { checks, laws, ..Answers::default() }
    }

    fn no_fault(&self, _fault: Fault) -> Option<&'static str> {
        Some("a trial of laws has no device")
    }

    /// Tries all laws of all algebras, one check an algebra.
    fn run(&self, _passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError> {
        try_all(REGISTRY, self, &bench.jobs, bench.record, bench.watch)
    }

    fn claims(&self, record: &Record, _subjects: &Subjects) -> Vec<ClaimRecord> {
        claims::of_subjects(&[FaultClass::FalseLaw], &record.checks)
    }

    fn unseen(&self, _record: &Record, _subjects: &Subjects) -> Unseen {
        unseen()
    }
}

fn try_all(
    entries: &[Entry],
    trial: &LawsTrial,
    jobs: &Jobs<'_>,
    record: &mut Record,
    watch: &mut dyn Watch,
) -> Result<(), SubjectError> {
    let name = |entry: &Entry| format!("laws of {}", entry.name);
    let ours = entries.iter().enumerate().filter(|(place, _)| jobs.takes(*place));
    let ours: Vec<&Entry> = ours.map(|(_, entry)| entry).collect();
    watch.begin("laws of algebras", ours.len() as u64);
    watch.unit("algebras");
    let tried = jobs.run(
        &ours,
        |entry| name(entry),
        watch,
        |entry, watch| {
            let start = Instant::now();
            let one = |&law: &Law| try_law(entry, law, trial.seed, trial.tries.get(), &mut Inner(watch));
            let trials = Law::ALL.iter().map(one).collect::<Result<Vec<_>, _>>()?;
            Ok((trials, start.elapsed()))
        },
    );
    watch.end();
    let mut laws = LawsRecord { evidence: Evidence::Software, trials: Vec::new(), delivery: Vec::new() };
    for (entry, (trials, time)) in ours.into_iter().zip(tried.of) {
        took(record, &name(entry), time);
        record.checks.push(check(name(entry), entry, &trials));
        laws.delivery.push(delivery(entry.name, &trials));
        laws.trials.extend(trials);
    }
    record.laws = Some(laws);
    tried.failed.map_or(Ok(()), Err)
}

/// The check of an algebra: its claims alone decide it.
fn check(name: String, entry: &Entry, trials: &[LawTrial]) -> Check {
    let claimed = || trials.iter().filter(|trial| trial.claimed);
    let laws = |wanted: Verdict| -> Vec<String> {
        claimed().filter(|trial| trial.verdict == wanted).map(|trial| trial.law.to_string()).collect()
    };
    let parts = [Verdict::Falsified, Verdict::Inconclusive, Verdict::Holds].map(|verdict| (verdict, laws(verdict)));
    let said: Vec<String> = parts
        .iter()
        .filter(|(_, laws)| !laws.is_empty())
        .map(|(verdict, laws)| format!("{verdict}: {}", laws.join(", ")))
        .collect();
    let verdict = Verdict::of_set(claimed().map(|trial| trial.verdict));
    Check {
        name,
        part: Part::Laws,
        judge: Judge::Laws,
        subjects: BTreeMap::from([(entry.name.to_owned(), Evidence::Software)]),
        verdict,
        oracles: BTreeMap::from([(OracleId::Laws, verdict)]),
        summary: if said.is_empty() { "it claims no law".to_owned() } else { said.join("; ") },
        warrant: None,
        orders: None,
        tries: vec![FaultClass::FalseLaw],
        findings: claimed().filter_map(finding).collect(),
    }
}

/// The contradiction of a claimed law, with the case that shows it again: of 64 bits, where there is one.
fn finding(trial: &LawTrial) -> Option<Finding> {
    let at = [(64, &trial.at_64_bits), (8, &trial.at_8_bits)];
    let (bits, witness) = at.into_iter().find_map(|(bits, width)| Some((bits, width.witness.as_ref()?)))?;
    let word = |term: &Term| term.word.parse::<Hex64>().map_or(0, |word| word.0);
    // Where nothing is declared that could be tried, all words were, and no few of them show it.
    let is_of_words = !witness.sides.is_empty() && witness.operands.first().is_some_and(|first| first.form == "a");
    let operands = witness.operands.iter().take(trial.law.operands()).filter(|_| is_of_words);
    let case = LawCase { law: trial.law, bits, words: operands.map(word).collect() };
    let side = |place: usize| Hex64(witness.sides.get(place).filter(|_| is_of_words).map_or(0, word));
    Some(Finding {
        subject: trial.algebra.clone(),
        evidence: Evidence::Software,
        during: format!("the law {} at {bits} bits: {}", trial.law, witness.sentence),
        quantity: if is_of_words { Quantity::State } else { Quantity::Judges },
        expected: side(1),
        got: side(0),
        reproducible: true,
        oracle: OracleId::Laws,
        case: Case { subject: trial.algebra.clone(), execution: Execution::Law(case), faults: Vec::new() }.to_string(),
        size: witness.size.clone(),
    })
}

/// What the verdicts mean for delivery.
///
/// If a merge is commutative and associative, a state depends on the set of deltas alone: (s ∘ a) ∘ b = s ∘ (a ∘ b) =
/// s ∘ (b ∘ a) = (s ∘ b) ∘ a. A copy right after the first is absorbed if (s ∘ a) ∘ a = s ∘ (a ∘ a) = s ∘ a, and one
/// that comes later is, if it can be moved there.
fn delivery(algebra: &str, trials: &[LawTrial]) -> DeliveryRecord {
    let all = |laws: &[Law]| {
        let of = trials.iter().filter(|trial| laws.contains(&trial.law));
        Verdict::of_set(of.map(|trial| trial.verdict))
    };
    DeliveryRecord {
        algebra: algebra.to_owned(),
        any_order: all(&[Law::Commutative, Law::Associative]),
        repeated_at_once: all(&[Law::Associative, Law::Idempotent]),
        repeated_at_any_time: all(&[Law::Commutative, Law::Associative, Law::Idempotent]),
    }
}

/// What a trial of laws cannot see.
fn unseen() -> Unseen {
    let by_run = [
        "At 64 bits a law that holds is sampled and not proved: the bound is on the share of contradicting cases among \
         cases drawn as these were, in which small, large and boundary words are far more frequent than among all words.",
        "At 8 bits the algebra is another function, written beside the one at 64 (for f64-sum, the sum of E5M2 numbers): \
         its proof says nothing about a mistake in the other.",
        "Laws are of a merge function. Whether a subject computes it is for the checks of that subject.",
        "The two zeros are read as one word, and all NaNs as another: what a merge makes of their bits goes unseen.",
    ];
    Unseen { by_bank_sweep: Vec::new(), by_run: by_run.map(str::to_owned).to_vec() }
}

/// What is planted for the judge of laws.
pub const CONTROLS: &[Control] = &[Control {
    judge: Judge::Laws,
    planted: "each law claimed of an algebra that breaks it",
    show: Show::Alone(show_laws),
}];

fn show_laws() -> Shown {
    let wrong = [
        ("last-arrival-wins", Law::Commutative),
        ("signed-saturating-add", Law::Associative),
        ("xor", Law::Idempotent),
        ("last-arrival-wins", Law::Identity),
        ("or", Law::Inverse),
    ];
    Shown::of(("xor", Law::Commutative), wrong, |(algebra, law)| {
        let entry = REGISTRY.iter().find(|entry| entry.name == algebra).expect("it is registered");
        let claims = Law::ALL.iter().position(|&other| other == law).map(|place| &Law::ALL[place..=place]);
        let entry = Entry { claims: claims.expect("it is a law"), ..*entry };
        let trial = try_law(&entry, law, Seed::new(7), 1000, &mut Unwatched).expect("nothing stops it");
        check("control".to_owned(), &entry, &[trial]).verdict
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trial::{Trial, Tries};
    use crate::report::journal::{Head, Journal};
    use crate::report::record::Asked;
    use std::num::NonZeroUsize;

    fn tried(entries: &[Entry]) -> Record {
        let trial = LawsTrial { seed: Seed::new(7), tries: Tries::default() };
        let mut record = Record::begun(Trial::Laws(trial.clone()));
        let journal = Journal::none(Head::of(Asked::of(Trial::Laws(trial.clone())), None));
        let jobs = Jobs::all(NonZeroUsize::MIN, &journal);
        try_all(entries, &trial, &jobs, &mut record, &mut Unwatched).expect("nothing stops it");
        record
    }

    #[test]
    fn an_algebra_that_claims_too_much_is_falsified_and_one_that_claims_little_is_not() {
        let xor = REGISTRY[0];
        let bold = Entry { name: "bold", claims: &Law::ALL, ..xor };
        let humble = Entry { name: "humble", claims: &[], ..xor };
        let checks = tried(&[xor, bold, humble]).checks;
        let verdicts: Vec<Verdict> = checks.iter().map(|check| check.verdict).collect();
        assert_eq!(verdicts, [Verdict::Holds, Verdict::Falsified, Verdict::Inconclusive]);
        assert_eq!(checks[1].summary, "falsified: idempotent; holds: commutative, associative, identity, inverse");
    }

    #[test]
    fn what_an_algebra_bears_follows_from_verdicts_and_not_from_claims() {
        let silent: Vec<Entry> = REGISTRY.iter().map(|entry| Entry { claims: &[], ..*entry }).collect();
        let delivery = |entries: &[Entry]| tried(entries).laws.expect("laws").delivery;
        assert_eq!(delivery(&silent), delivery(REGISTRY));
    }
}
