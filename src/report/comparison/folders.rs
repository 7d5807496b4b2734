//! Records against records: which are of the same trial, and what came of all of them.
//!
//! Records are matched by what was asked, and not by the names of their files. What is left is matched by name, so that a
//! trial that was changed is refused with the reason.

use serde::Serialize;

use crate::domain::verdict::exit;
use crate::report::any::AnyRecord as Any;
use crate::report::comparison::{Comparison, Direction, Limits, Move, asked_otherwise, compare, name};

/// A record, and what messages call it.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its file.
    pub origin: String,
    /// The record.
    pub record: Any,
}

impl Named {
    /// What the record is of.
    pub fn of(&self) -> String {
        match &self.record {
            Any::Run(record) => name(record),
            Any::Qualification(_) => "qualification".to_owned(),
            Any::Ledger(_) | Any::RtlMutation(_) => self.record.kind().to_owned(),
        }
    }

    fn asks_the_same(&self, other: &Named) -> bool {
        match (&self.record, &other.record) {
            (Any::Run(one), Any::Run(other)) => asked_otherwise(one, other).is_none(),
            (Any::Run(_), _) | (_, Any::Run(_)) => false,
            (one, other) => one.kind() == other.kind(),
        }
    }
}

/// Two records that are not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// What they are of.
    pub of: String,
    /// Why.
    pub reason: String,
}

/// What came of comparing all records of BASE with those of NEW.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Gate {
    /// Of each pair.
    pub pairs: Vec<Comparison>,
    /// Pairs that are of other trials.
    pub refused: Vec<Refused>,
    /// What BASE has alone.
    pub only_base: Vec<String>,
    /// What NEW has alone.
    pub only_new: Vec<String>,
    /// What a reader should know of the records themselves, a sentence each.
    pub notes: Vec<String>,
}

impl Gate {
    /// Compares one record with one other.
    pub fn of_two(base: &Named, new: &Named, limits: Limits) -> Gate {
        let mut gate = Gate::default();
        gate.pair(base, new, limits);
        gate
    }

    /// Compares all records with all others.
    pub fn of_folders(base: &[Named], new: &[Named], limits: Limits) -> Gate {
        let mut gate = Gate::default();
        let mut left: Vec<&Named> = new.iter().collect();
        let mut without = Vec::new();
        for record in base {
            match left.iter().position(|other| record.asks_the_same(other)) {
                Some(place) => gate.pair(record, left.remove(place), limits),
                None => without.push(record),
            }
        }
        for record in without {
            match left.iter().position(|other| record.of() == other.of()) {
                Some(place) => gate.pair(record, left.remove(place), limits),
                None => gate.only_base.push(record.of()),
            }
        }
        gate.only_new = left.into_iter().map(Named::of).collect();
        gate
    }

    fn pair(&mut self, base: &Named, new: &Named, limits: Limits) {
        match compare(&base.record, &new.record, limits) {
            Ok(comparison) => self.pairs.push(comparison),
            Err(unlike) => self.refused.push(Refused { of: new.of(), reason: unlike.to_string() }),
        }
    }

    /// Everything that moved in pairs that tell something, with what it is of: what is worse and matters most first.
    pub fn moves(&self) -> Vec<(&str, &Move)> {
        let telling = self.pairs.iter().filter(|pair| pair.inconclusive.is_none());
        let mut moves: Vec<(&str, &Move)> =
            telling.flat_map(|pair| pair.moves.iter().map(|moved| (pair.of.as_str(), moved))).collect();
        let rank = |moved: &Move| match moved.direction {
            Direction::Worse => 0,
            Direction::Better => 1,
            Direction::New => 2,
        };
        moves.sort_by_key(|(_, moved)| (rank(moved), moved.kind));
        moves
    }

    /// 5 where anything is worse, or where NEW lacks a record that BASE has; else 3 where nothing can be said of a pair, or
    /// nothing was compared; else 0.
    pub fn exit_code(&self) -> u8 {
        let codes = self.pairs.iter().map(Comparison::exit_code);
        let lacking = self.only_base.iter().map(|_| exit::REGRESSION);
        let untold = self.refused.iter().map(|_| exit::INCONCLUSIVE);
        let nothing = if self.pairs.is_empty() { exit::INCONCLUSIVE } else { exit::HOLDS };
        codes.chain(lacking).chain(untold).fold(nothing, exit::worse)
    }

    /// The judgement in a word, and why in a few.
    pub fn verdict(&self) -> (&'static str, String) {
        let moves = self.moves();
        let worse: Vec<_> = moves.iter().filter(|(_, moved)| moved.direction == Direction::Worse).collect();
        match self.exit_code() {
            exit::REGRESSION => {
                let of = |of: &str| if self.pairs.len() > 1 { format!("{of}: ") } else { String::new() };
                let lacking = self.only_base.iter().map(|of| format!("NEW has no record of {of}"));
                let words = lacking.chain(worse.iter().map(|(name, Move { kind, what, base, new, .. })| {
                    let moved = match (base, new) {
                        (Some(base), Some(new)) => format!(": {base}, now {new}"),
                        _ => " is not in NEW".to_owned(),
                    };
                    format!("{}{kind} of {what}{moved}", of(name))
                }));
                let words: Vec<String> = words.collect();
                let more = if words.len() > 1 { format!("; {} more", words.len() - 1) } else { String::new() };
                ("regression", format!("{}{more}", words.first().cloned().unwrap_or_default()))
            }
            exit::INCONCLUSIVE => {
                let reason = self.pairs.iter().find_map(|pair| pair.inconclusive.clone());
                let refused = || self.refused.first().map(|refused| format!("{}: {}", refused.of, refused.reason));
                ("inconclusive", reason.or_else(refused).unwrap_or_else(|| "nothing was compared".to_owned()))
            }
            _ => ("no regression", String::new()),
        }
    }
}
