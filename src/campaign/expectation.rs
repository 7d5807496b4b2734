//! Whether a run came out as its scenario expects.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use crate::campaign::{self, Plan};
use crate::domain::codecs::CodecExpectation;
use crate::domain::evidence::Evidence;
use crate::domain::fault::FaultClass;
use crate::domain::judge::Judge;
use crate::domain::law::LawTrial;
use crate::domain::nearest::meant;
use crate::domain::oracle;
use crate::domain::trial::{Expectation, StandardCheck, StandardTrial, Trial};
use crate::domain::verdict::{Verdict, exit};
use crate::experiment::control::{Control, Show, Shown};
use crate::experiment::standard::accumulation::ACCUMULATION;
use crate::experiment::valid::Valid;
use crate::report::codecs_record::{CodecRow, Sizes};
use crate::report::record::{Check, ControlRecord, Met, Part, Record};
use crate::scenario::Scenario;
use crate::subject::links::LinkConditions;
use crate::subject::scalar::{self, Scalar};
use crate::subject::{Conditions, Subjects};

/// Compares a record with what was expected of it; a sentence for each expectation that was not met. A scenario that
/// names no verdict expects its run to hold. A check that is falsified is expected only where the scenario names it: the
/// verdict of the whole run excuses no check.
pub fn judge(expect: &Expectation, record: &Record) -> Met {
    let mut unmet = Vec::new();
    let mut compare = |what: &str, expected: String, got: Option<String>| {
        let got = got.unwrap_or_else(|| "nothing".to_owned());
        if expected != got {
            unmet.push(format!("{what}: expected {expected}, got {got}"));
        }
    };
    let verdict = expect.verdict.unwrap_or(Verdict::Holds);
    compare("verdict", verdict.to_string(), Some(record.verdict.to_string()));
    if let Some(result) = expect.result {
        compare("reference", result.to_string(), record.reference.map(|word| word.to_string()));
        for row in record.bank_sweeps.iter().flat_map(|sweep| &sweep.rows) {
            compare(&format!("result at {} banks", row.banks), result.to_string(), Some(row.result.to_string()));
        }
    }
    let of_sweeps = !expect.cycles.is_empty() || expect.bank_sweep_misses.is_some();
    if of_sweeps && record.bank_sweeps.is_empty() {
        compare("bank sweep", "one on a device".to_owned(), None);
    }
    for (banks, cycles) in &expect.cycles {
        for sweep in &record.bank_sweeps {
            let row = sweep.rows.iter().find(|row| row.banks == banks.get());
            let what = format!("cycles of {} at {banks} banks", sweep.device);
            compare(&what, cycles.to_string(), row.map(|row| row.cycles.to_string()));
        }
    }
    if let Some(misses) = expect.bank_sweep_misses {
        for sweep in &record.bank_sweeps {
            compare(
                "sets of dead banks that the bank sweep misses",
                misses.to_string(),
                Some(sweep.missed_sets.to_string()),
            );
        }
    }
    for (name, verdict) in &expect.checks {
        let named: Vec<_> = record.checks.iter().filter(|check| check.name == *name).collect();
        if named.is_empty() {
            let meant = meant(name, record.checks.iter().map(|check| check.name.as_str()));
            compare(&format!("check {name}"), verdict.to_string(), Some(format!("nothing{meant}")));
        }
        for check in named {
            compare(&format!("check {name}"), verdict.to_string(), Some(check.verdict.to_string()));
        }
    }
    for (name, verdict) in &expect.claims {
        let law = record.laws.iter().flat_map(|laws| &laws.trials).find(|trial| trial.name() == *name);
        let tried = record.laws.iter().flat_map(|laws| &laws.trials).map(LawTrial::name).collect::<Vec<_>>();
        let none = || format!("nothing{}", meant(name, tried.iter().map(String::as_str)));
        let got = law.map_or_else(none, |trial| trial.verdict.to_string());
        compare(&format!("claim {name}"), verdict.to_string(), Some(got));
    }
    for (algebra, deltas) in &expect.fewest_deltas {
        let walk = record.walks.iter().find(|walk| walk.check == format!("every order of {algebra}"));
        let found = walk.and_then(|walk| walk.ways.first()).map(|way| way.deltas.len().to_string());
        compare(&format!("fewest deltas that {algebra} disagrees about"), deltas.to_string(), found);
    }
    compare_replicas(expect, record, &mut compare);
    compare_codecs(expect, record, &mut compare);
    let seed = record.asked.trial.seed().to_string();
    let tick = record.ticks.iter().find(|tick| tick.seed.to_string() == seed);
    if let Some(changed) = &expect.changed {
        compare("changed contexts", format!("{changed:?}"), tick.map(|tick| format!("{:?}", tick.changed)));
    }
    let numbers = [
        ("bytes of the values", expect.value_bytes, tick.map(|tick| tick.value_bytes)),
        ("bytes of the message", expect.message_bytes, tick.map(|tick| tick.message_bytes)),
        ("bytes of the full state", expect.full_state_bytes, tick.map(|tick| tick.full_state_bytes)),
        ("information bound in tenths of a byte", expect.bound_tenths, tick.map(|tick| tick.bound_tenths)),
    ];
    for (what, expected, got) in numbers {
        if let Some(expected) = expected {
            compare(what, expected.to_string(), got.map(|number| number.to_string()));
        }
    }
    unmet.extend(unexpected(expect, record));
    Met { met: unmet.is_empty(), unmet }
}

/// A sentence for every check that is falsified and that no expectation names as falsified. The check of an algebra is
/// told of by its laws.
fn unexpected(expect: &Expectation, record: &Record) -> Vec<String> {
    let mut sentences = Vec::new();
    for check in record.checks.iter().filter(|check| check.verdict == Verdict::Falsified) {
        let engine = expect.engines.get(&check.name).map(|expected| expected.verdict);
        if [expect.checks.get(&check.name).copied(), engine].contains(&Some(Verdict::Falsified)) {
            continue;
        }
        let laws: Vec<&LawTrial> = falsified_laws(record, check).collect();
        if laws.is_empty() {
            let table =
                if record.offline.is_some() { "[expect.checks] or [expect.engines]" } else { "[expect.checks]" };
            sentences
                .push(format!("check {}: falsified, which {table} does not expect: {}", check.name, check.summary));
        }
        let unnamed = laws.iter().filter(|law| expect.claims.get(&law.name()) != Some(&Verdict::Falsified));
        sentences.extend(
            unnamed.map(|law| format!("claim {}: falsified, which [expect.claims] does not expect", law.name())),
        );
    }
    sentences
}

/// The claimed laws that are falsified of the algebra that a check is about.
fn falsified_laws<'a>(record: &'a Record, check: &'a Check) -> impl Iterator<Item = &'a LawTrial> {
    let trials = record.laws.iter().flat_map(|laws| &laws.trials).filter(|_| check.part == Part::Laws);
    let of_check = trials.filter(|trial| check.subjects.contains_key(&trial.algebra));
    of_check.filter(|trial| trial.claimed && trial.verdict == Verdict::Falsified)
}

/// Compares the largest messages of codecs.
fn compare_codecs(expect: &Expectation, record: &Record, compare: &mut dyn FnMut(&str, String, Option<String>)) {
    for (name, CodecExpectation { narrow_at_most, wide_at_most }) in &expect.codecs {
        let row = record.codecs.as_ref().and_then(|codecs| codecs.find(name));
        let largest = |of: fn(&CodecRow) -> Option<Sizes>| row.and_then(of).map(|sizes| sizes.largest);
        let both = [
            ("narrow", narrow_at_most, largest(|row| Some(row.narrow))),
            ("wide", wide_at_most, largest(|row| row.wide)),
        ];
        for (kind, most, got) in both {
            if let Some(most) = most {
                let expected = format!("at most {most} B");
                let got = got.map(|got| if got <= *most { expected.clone() } else { format!("{got} B") });
                compare(&format!("largest {kind} message of {name}"), expected, got);
            }
        }
    }
}

/// Compares what engines, mutants and small worlds came to.
fn compare_replicas(expect: &Expectation, record: &Record, compare: &mut dyn FnMut(&str, String, Option<String>)) {
    for (name, expected) in &expect.engines {
        let found = record.offline.iter().flat_map(|offline| &offline.engines).find(|row| row.name == *name);
        compare(&format!("engine {name}"), expected.verdict.to_string(), found.map(|row| row.verdict.to_string()));
        if let Some(wrong) = expected.wrong_registers {
            let what = format!("wrong registers of {name}");
            compare(&what, wrong.to_string(), found.map(|row| row.wrong_registers.to_string()));
        }
    }
    let of_worlds = record.offline.iter().flat_map(|offline| &offline.mutants);
    let mutants: Vec<_> =
        of_worlds.chain(record.everywhere.iter().flat_map(|everywhere| &everywhere.mutants)).collect();
    for (mutant, judge) in &expect.mutants {
        let found = mutants.iter().find(|record| record.mutant == *mutant);
        let caught = found.map(|record| match record.caught_by.iter().any(|by| by.name() == judge) {
            true => judge.clone(),
            false => oracle::names(&record.caught_by),
        });
        compare(&format!("mutant {mutant} is caught by"), judge.clone(), caught);
    }
    // A scenario plants a mutant to show that it sees the mutant: an escape is never what it expects.
    for escaped in mutants.iter().filter(|record| record.caught_by.is_empty()) {
        let what = format!("mutant {} of {} is caught by", escaped.mutant, escaped.engine);
        compare(&what, "a judge".to_owned(), Some("none".to_owned()));
    }
    if let Some(ways) = &expect.ways {
        let found = record.everywhere.as_ref().map(|everywhere| everywhere.sound.ways.clone());
        compare("ways through the small world", ways.clone(), found);
    }
}

/// What is planted for the last judge: of what checks say, the one that tells the user.
pub const CONTROLS: &[Control] = &[
    Control {
        judge: Judge::Expectation,
        planted: "falsified checks that nothing expects, and expectations that are not met, by exit code and board's table",
        show: Show::Alone(show),
    },
    Control { judge: Judge::Expectation, planted: "a judge that accuses nobody", show: Show::Alone(show_counting) },
];

/// A record with one check of this verdict, in a scenario that expects this.
fn record_of(verdict: Verdict, expect: Option<Expectation>) -> Record {
    let trial = StandardTrial { checks: vec![StandardCheck::Accumulation], ..StandardTrial::published() };
    let scenario = Scenario { expect, ..Scenario::unnamed(Trial::Standard(trial)) };
    let scenario = Valid::of(scenario).expect("a control is a scenario that can run");
    let conditions = Conditions { threads: NonZeroUsize::MIN, faults: Vec::new(), link: LinkConditions::default() };
    let plan = Plan { scenario, backends: Vec::new(), conditions };
    let check = Check {
        name: ACCUMULATION.to_owned(),
        part: Part::Orders,
        judge: Judge::Accumulation,
        subjects: BTreeMap::from([(scalar::NAME.to_owned(), Evidence::Software)]),
        verdict,
        summary: String::new(),
        oracles: BTreeMap::new(),
        warrant: None,
        orders: None,
        tries: vec![FaultClass::WrongAccumulation],
        findings: Vec::new(),
    };
    let (accepts_right, wrong, refused) = (true, 1, 1);
    let shown = ControlRecord { judge: Judge::Accumulation, planted: String::new(), accepts_right, wrong, refused };
    let mut record = campaign::begun(&plan, vec![shown]);
    record.checks.push(check);
    let subjects = Subjects { accumulators: vec![Box::new(Scalar::default())], ..Subjects::default() };
    campaign::finish(&mut record, &plan, &subjects);
    record
}

fn show() -> Shown {
    let of_run = |verdict| Some(Expectation { verdict: Some(verdict), ..Expectation::default() });
    let of_check = |verdict| {
        let checks = BTreeMap::from([(ACCUMULATION.to_owned(), verdict)]);
        Some(Expectation { verdict: Some(Verdict::Falsified), checks, ..Expectation::default() })
    };
    let number = Some(Expectation { value_bytes: Some(1), ..Expectation::default() });
    let (holds, falsified) = (Verdict::Holds, Verdict::Falsified);
    let wrong = [
        (falsified, None),
        (falsified, Some(Expectation::default())),
        (falsified, of_run(falsified)),
        (falsified, of_check(holds)),
        (holds, of_run(falsified)),
        (holds, of_check(falsified)),
        (holds, number),
    ];
    Shown::of((holds, None), wrong, |(verdict, expect)| {
        let outcome = record_of(verdict, expect).outcome();
        match (outcome.exit_code(), outcome.board()) {
            (exit::HOLDS, Verdict::Holds) => Verdict::Holds,
            (exit::FALSIFIED, Verdict::Falsified) => Verdict::Falsified,
            _ => Verdict::Inconclusive,
        }
    })
}

/// Refusals are counted by [`Shown::of`], which is on trial here and so cannot count for itself.
fn show_counting() -> Shown {
    let seeing = Shown::of(0, [1], |answer| if answer == 1 { Verdict::Falsified } else { Verdict::Holds });
    let blind = Shown::of(0, [1], |_| Verdict::Holds);
    Shown { accepts_right: seeing.accepts_right && seeing.refused == 1, wrong: 1, refused: 1 - blind.refused }
}
