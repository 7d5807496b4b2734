//! Two records of the same trial against each other: what moved, in which direction, and how much it matters.
//!
//! A record is taken apart into [`facts`]: each has a name, a value, and a direction in which it gets worse. Facts of the
//! same name are compared; times are samples, and compared by [`times`]. What a record says in sentences is not compared.
//!
//! Knows: records. Must not: read files, print, or run anything.

pub mod bencher;
pub mod facts;
pub mod folders;
pub mod interval;
mod of_bandwidth;
mod of_codecs;
mod of_curves;
mod of_engines;
mod of_ledgers;
mod of_qualifications;
pub mod times;
pub mod view;

use serde::Serialize;
use serde_json::Value;

use crate::domain::json;
use crate::domain::verdict::exit;
use crate::report::any::AnyRecord as Any;
use crate::report::record::Record;
use crate::report::rtl_mutation::{RtlMutation, Score};
use facts::{Fact, Kind};
use times::Times;

/// What decides how two records are compared.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A time is a regression where its 95 % interval lies above this ratio.
    pub slower_than: f64,
}

/// Where a regression of times begins if nothing says otherwise.
pub const SLOWER_THAN: f64 = 1.25;

/// Which way a value moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It got worse, it changed though it should not, or it is gone: a regression.
    Worse,
    /// It got better.
    Better,
    /// BASE has none to compare with.
    New,
}

/// A value that is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Move {
    /// How much it matters.
    pub kind: Kind,
    /// What it is the value of.
    pub what: String,
    /// In BASE; nothing if BASE has none.
    pub base: Option<String>,
    /// In NEW; nothing if NEW has none.
    pub new: Option<String>,
    /// The difference in a few words.
    pub change: String,
    /// Which way it moved.
    pub direction: Direction,
}

/// What came of a pair of records.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The trial, by its name.
    pub of: String,
    /// All that moved: what is worse first, and of that what matters most.
    pub moves: Vec<Move>,
    /// How many values are as they were.
    pub unmoved: u64,
    /// The times, or why they were not compared.
    pub times: Times,
    /// What a reader should know besides, a sentence each.
    pub notes: Vec<String>,
    /// Why nothing can be said, where that is so.
    pub inconclusive: Option<String>,
}

impl Comparison {
    /// What is worse than it was, what matters most first.
    pub fn regressions(&self) -> impl Iterator<Item = &Move> {
        self.moves.iter().filter(|moved| moved.direction == Direction::Worse)
    }

    /// 5 for a regression, else 3 if nothing can be said, else 0.
    pub fn exit_code(&self) -> u8 {
        match (&self.inconclusive, self.regressions().next()) {
            (Some(_), _) => exit::INCONCLUSIVE,
            (None, Some(_)) => exit::REGRESSION,
            (None, None) => exit::HOLDS,
        }
    }
}

/// Why two records are not compared: they are not of the same trial.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unlike(String);

/// Compares two records of the same trial.
///
/// # Errors
/// If they are of trials that differ.
pub fn compare(base: &Any, new: &Any, limits: Limits) -> Result<Comparison, Unlike> {
    match (base, new) {
        (Any::Run(base), Any::Run(new)) => runs(base, new, limits),
        (Any::Qualification(base), Any::Qualification(new)) => {
            of_qualifications::same_question(base, new).map_err(Unlike)?;
            let inconclusive = of_qualifications::inconclusive(base, new);
            let facts = [of_qualifications::facts(base), of_qualifications::facts(new)];
            let notes = versions(&base.abench, &new.abench);
            let times = Times::none("a qualification is not timed");
            Ok(compared("qualification".to_owned(), facts, times, notes, inconclusive))
        }
        (Any::Ledger(base), Any::Ledger(new)) => {
            of_ledgers::same_question(base, new).map_err(Unlike)?;
            let inconclusive = of_ledgers::inconclusive(base, new);
            let facts = [of_ledgers::facts(base), of_ledgers::facts(new)];
            let times = Times::none("a trial of claims is not timed");
            Ok(compared("claims".to_owned(), facts, times, versions(&base.abench, &new.abench), inconclusive))
        }
        (Any::RtlMutation(base), Any::RtlMutation(new)) => {
            let facts = [of_rtl_mutants(base), of_rtl_mutants(new)];
            let times = Times::none("mutants of the RTL are not timed");
            Ok(compared("mutants of the RTL".to_owned(), facts, times, Vec::new(), None))
        }
        _ => Err(Unlike(format!("one is the record of {}, and the other one of {}", base.kind(), new.kind()))),
    }
}

/// The facts of mutants of the RTL: the score of each part.
fn of_rtl_mutants(record: &RtlMutation) -> Vec<Fact> {
    let score = |(part, score): (&String, &Score)| {
        let share = facts::Value::Share(score.killed, score.planted.saturating_sub(score.equivalent));
        Fact::new(Kind::Mutant, format!("mutation score of {part}"), share)
    };
    record.score.iter().map(score).collect()
}

fn runs(base: &Record, new: &Record, limits: Limits) -> Result<Comparison, Unlike> {
    if let Some(difference) = asked_otherwise(base, new) {
        return Err(Unlike(format!("they are of other trials: {difference}")));
    }
    let ended_early = |record: &Record, called: &str| match record {
        Record { interrupted: true, .. } => Some(format!("the run of {called} was stopped by its user")),
        Record { unavailable: Some(reason), .. } => Some(format!("a backend of {called} was unavailable: {reason}")),
        _ => None,
    };
    let broken = base.internal_error().map(|fault| format!("the run of BASE is worth nothing: {fault}"));
    let inconclusive = ended_early(base, "BASE").or_else(|| ended_early(new, "NEW")).or(broken);
    let facts = [facts::facts(base), facts::facts(new)];
    let times = times::compare(base, new, limits.slower_than);
    Ok(compared(name(new), facts, times, versions(&base.abench, &new.abench), inconclusive))
}

/// What a run is called: its scenario's name, or what it was.
pub fn name(record: &Record) -> String {
    record.asked.scenario.clone().unwrap_or_else(|| record.asked.trial.keys().title())
}

fn versions(base: &str, new: &str) -> Vec<String> {
    let differ = base != new;
    differ.then(|| format!("BASE is of abench {base}, NEW of abench {new}")).into_iter().collect()
}

/// The first thing that was asked otherwise, if anything was. Names and expectations are not part of the question.
fn asked_otherwise(base: &Record, new: &Record) -> Option<String> {
    let asked = |record: &Record| {
        let mut asked = json::to_value(&record.asked).expect("a record holds nothing that JSON cannot");
        for apart in ["scenario", "expect"] {
            asked.as_object_mut().map(|asked| asked.remove(apart));
        }
        asked
    };
    let difference = first_difference("asked", &asked(base), &asked(new))?;
    let name = |record: &Record| record.asked.scenario.clone().unwrap_or_else(|| "a run without a scenario".to_owned());
    let (base, new) = (name(base), name(new));
    let names = if base == new { String::new() } else { format!("BASE is of {base}, NEW of {new}: ") };
    Some(format!("{names}{difference}"))
}

fn first_difference(path: &str, base: &Value, new: &Value) -> Option<String> {
    /// Columns of a value in a message.
    const SHOWN: usize = 60;
    let shown = |value: &Value| match value.to_string() {
        text if text.chars().count() > SHOWN => format!("{}…", text.chars().take(SHOWN).collect::<String>()),
        text => text,
    };
    match (base, new) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.filter_map(|key| {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(base), Some(new)) => first_difference(&path, base, new),
                    (Some(_), None) => Some(format!("{path} is in BASE and not in NEW")),
                    _ => Some(format!("{path} is in NEW and not in BASE")),
                }
            })
            .next()
        }
        _ if base == new => None,
        _ => Some(format!("{path} is {} in BASE and {} in NEW", shown(base), shown(new))),
    }
}

/// Of a check or an engine that only one record has, one line is enough; and what fails rests on nothing.
fn leave_out_what_follows(moves: &mut Vec<Move>) {
    let is_one_sided = |moved: &Move| moved.base.is_none() || moved.new.is_none();
    let follows = |moved: &Move, from: &Move| {
        let is_part = moved.what.split_once(": ").is_some_and(|(of, _)| of == from.what);
        let both_gone = is_one_sided(from) && moved.new.is_none() == from.new.is_none();
        let is_warrant = moved.kind == Kind::Warrant && moved.what == from.what;
        is_one_sided(moved) && from.kind == Kind::Verdict && (is_warrant || (is_part && both_gone))
    };
    let kept: Vec<bool> =
        moves.iter().map(|moved| !moves.iter().any(|from| from != moved && follows(moved, from))).collect();
    let mut kept = kept.into_iter();
    moves.retain(|_| kept.next().unwrap_or(true));
}

fn compared(
    of: String,
    [base, new]: [Vec<Fact>; 2],
    times: Times,
    notes: Vec<String>,
    inconclusive: Option<String>,
) -> Comparison {
    let found = |facts: &[Fact], wanted: &Fact| facts.iter().position(|fact| fact.is_of(wanted));
    let (mut moves, mut unmoved) = (Vec::new(), 0);
    for fact in &base {
        match found(&new, fact).map(|place| &new[place]) {
            Some(now) => match fact.moved(now) {
                Some(moved) => moves.push(moved),
                None => unmoved += 1,
            },
            None => moves.push(fact.gone()),
        }
    }
    moves.extend(new.iter().filter(|fact| found(&base, fact).is_none()).map(Fact::come));
    leave_out_what_follows(&mut moves);
    moves.extend(times.moves());
    moves.sort_by_key(|moved| (moved.direction != Direction::Worse, moved.direction == Direction::New, moved.kind));
    Comparison { of, moves, unmoved, times, notes, inconclusive }
}

#[cfg(test)]
mod tests;
