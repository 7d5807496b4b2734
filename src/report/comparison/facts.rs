//! A record as facts: what it found, by name, each with the direction in which it gets worse.

use serde::Serialize;

use crate::domain::verdict::{Verdict, Warrant};
use crate::report::comparison::{Direction, Move, of_bandwidth, of_codecs, of_curves, of_engines};
use crate::report::record::{Check, PlantedOutcome, Record, TickRecord};

/// What a fact is about, what matters most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A judgement.
    Verdict,
    /// A result that must not change.
    Result,
    /// What a `holds` rests on.
    Warrant,
    /// What was planted, and whether it was found.
    Mutant,
    /// Bytes that are sent or stored.
    Bytes,
    /// How long edits are under way, in virtual time.
    Delay,
    /// How long the run took.
    Time,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Kind::Verdict => "verdict",
            Kind::Result => "result",
            Kind::Warrant => "warrant",
            Kind::Mutant => "mutant",
            Kind::Bytes => "bytes",
            Kind::Delay => "delay",
            Kind::Time => "time",
        })
    }
}

/// A value, and how it is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Must be the same.
    Exact(String),
    /// Gets worse from `holds` over `inconclusive` to `falsified`.
    Verdict(Verdict),
    /// Something is so, which is good, or is not; in a word.
    Good(bool, String),
    /// Gets worse as it rests on less.
    Warrant(Warrant),
    /// Gets worse as it grows; with its unit.
    Amount(u64, &'static str),
    /// So many of so many; gets worse as the share falls, and as the number does.
    Share(u64, u64),
}

/// A value with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it is about.
    pub kind: Kind,
    /// What it is the value of.
    pub what: String,
    /// The value.
    pub value: Value,
}

impl Fact {
    /// A fact.
    pub fn new(kind: Kind, what: impl Into<String>, value: Value) -> Self {
        Fact { kind, what: what.into(), value }
    }

    /// Whether both are about the same.
    pub fn is_of(&self, other: &Fact) -> bool {
        self.kind == other.kind && self.what == other.what
    }

    /// How the value moved, if it did.
    pub(super) fn moved(&self, now: &Fact) -> Option<Move> {
        let (direction, change) = moved(&self.value, &now.value)?;
        Some(self.as_move(Some(&self.value), Some(&now.value), change, direction))
    }

    /// NEW does not have it: nobody looks any more.
    pub(super) fn gone(&self) -> Move {
        self.as_move(Some(&self.value), None, "not in NEW".to_owned(), Direction::Worse)
    }

    /// BASE does not have it.
    pub(super) fn come(&self) -> Move {
        self.as_move(None, Some(&self.value), "not in BASE".to_owned(), Direction::New)
    }

    fn as_move(&self, base: Option<&Value>, new: Option<&Value>, change: String, direction: Direction) -> Move {
        let (kind, what) = (self.kind, self.what.clone());
        Move { kind, what, base: base.map(said), new: new.map(said), change, direction }
    }
}

/// A value in a few words.
fn said(value: &Value) -> String {
    match value {
        Value::Exact(text) | Value::Good(_, text) => text.clone(),
        Value::Verdict(verdict) => verdict.to_string(),
        Value::Warrant(warrant) => in_short(warrant),
        Value::Amount(amount, unit) => format!("{amount} {unit}").trim_end().to_owned(),
        Value::Share(part, whole) => format!("{part} of {whole}"),
    }
}

/// Which way a value moved, and by how much in words; nothing if it did not.
fn moved(base: &Value, new: &Value) -> Option<(Direction, String)> {
    let by = |worse: bool| if worse { Direction::Worse } else { Direction::Better };
    match (base, new) {
        _ if base == new => None,
        (Value::Verdict(base), Value::Verdict(new)) => Some((by(new > base), word(new > base))),
        (Value::Good(base, _), Value::Good(new, _)) => {
            // Another word for what is as good, or as bad, as before is no move.
            (base != new).then(|| (by(*base), word(*base)))
        }
        (Value::Warrant(base), Value::Warrant(new)) => {
            let (base, new) = (strength(base), strength(new));
            (base != new).then(|| (by(new < base), if new < base { "weaker" } else { "stronger" }.to_owned()))
        }
        (Value::Amount(base, unit), Value::Amount(new, _)) => {
            let difference = i128::from(*new) - i128::from(*base);
            Some((by(new > base), format!("{difference:+} {unit}").trim_end().to_owned()))
        }
        (Value::Share(part, whole), Value::Share(now, of)) => {
            let shares = [u128::from(*now) * u128::from(*whole), u128::from(*part) * u128::from(*of)];
            let is_worse = (shares[0], *now) < (shares[1], *part);
            let difference = i128::from(*now) - i128::from(*part);
            Some((by(is_worse), if difference == 0 { word(is_worse) } else { format!("{difference:+}") }))
        }
        _ => Some((Direction::Worse, "changed".to_owned())),
    }
}

fn word(is_worse: bool) -> String {
    if is_worse { "worse" } else { "better" }.to_owned()
}

/// How much a warrant is worth: what kind it is, and how much of that.
fn strength(warrant: &Warrant) -> (u8, String) {
    // Whole numbers of any length in their order: by length, and then by their digits.
    let number = |digits: &str| format!("{:08}{digits}", digits.len());
    match warrant {
        Warrant::Worlds { drawn } => (0, number(&drawn.to_string())),
        Warrant::Sampled { orders, .. } => (0, number(&orders.to_string())),
        Warrant::Covered { strength, .. } => (1, number(&strength.to_string())),
        Warrant::Searched { sets, .. } => (2, number(&sets.to_string())),
        Warrant::Walked { schedules, .. } => (3, number(schedules)),
        Warrant::Proved { deltas } => (4, number(&deltas.to_string())),
    }
}

fn in_short(warrant: &Warrant) -> String {
    match warrant {
        Warrant::Worlds { drawn } => format!("sampled, k = {drawn}"),
        Warrant::Sampled { orders, .. } => format!("sampled, k = {orders}"),
        Warrant::Covered { strength, .. } => format!("covered, t = {strength}"),
        Warrant::Searched { sets, .. } => format!("searched, {sets} sets"),
        Warrant::Walked { .. } => "proved by a walk".to_owned(),
        Warrant::Proved { deltas } => format!("proved, {deltas}!"),
    }
}

/// The facts of a run.
pub fn facts(record: &Record) -> Vec<Fact> {
    let mut facts = vec![Fact::new(Kind::Verdict, "the whole run", Value::Verdict(record.verdict))];
    if let Some(expectation) = &record.expectation {
        let word = if expectation.met { "met" } else { "not met" };
        facts.push(Fact::new(Kind::Verdict, "expectations", Value::Good(expectation.met, word.to_owned())));
    }
    if let Some(fault) = record.internal_error() {
        facts.push(Fact::new(Kind::Verdict, "the harness", Value::Good(false, fault)));
    } else {
        facts.push(Fact::new(Kind::Verdict, "the harness", Value::Good(true, "sound".to_owned())));
    }
    facts.extend(record.checks.iter().flat_map(of_check));
    facts.extend(of_devices(record));
    facts.extend(of_claims(record));
    facts.extend(of_plants(record));
    facts.extend(record.ticks.iter().flat_map(of_tick));
    facts.extend(of_walks_and_laws(record));
    facts.extend(record.offline.iter().flat_map(of_engines::of_world));
    facts.extend(record.everywhere.iter().flat_map(of_engines::of_crashes));
    facts.extend(record.deliveries.iter().flat_map(of_engines::of_deliveries));
    facts.extend(record.bandwidth.iter().flat_map(of_bandwidth::facts));
    facts.extend(record.codecs.iter().flat_map(of_codecs::facts));
    facts.extend(record.curves.iter().flat_map(of_curves::facts));
    numbered(&mut facts);
    facts
}

/// Gives facts of the same name numbers.
pub(super) fn numbered(facts: &mut [Fact]) {
    for place in 1..facts.len() {
        let (before, rest) = facts.split_at_mut(place);
        let same = before.iter().filter(|fact| fact.kind == rest[0].kind && stem(&fact.what) == rest[0].what).count();
        if same > 0 {
            rest[0].what = format!("{} #{}", rest[0].what, same + 1);
        }
    }
}

fn stem(what: &str) -> &str {
    what.rsplit_once(" #").map_or(what, |(stem, _)| stem)
}

fn of_check(check: &Check) -> Vec<Fact> {
    let name = &check.name;
    let mut facts = vec![Fact::new(Kind::Verdict, name.clone(), Value::Verdict(check.verdict))];
    let oracles = check.oracles.iter();
    facts.extend(
        oracles
            .map(|(oracle, verdict)| Fact::new(Kind::Verdict, format!("{name}: {oracle}"), Value::Verdict(*verdict))),
    );
    // What a check that fails rests on is its counterexample.
    if let Some(warrant) = check.warrant.as_ref().filter(|_| check.verdict == Verdict::Holds) {
        facts.push(Fact::new(Kind::Warrant, name.clone(), Value::Warrant(warrant.clone())));
    }
    let subjects = check.subjects.iter().map(|(subject, evidence)| (subject, evidence.to_string()));
    facts.extend(subjects.map(|(subject, evidence)| {
        Fact::new(Kind::Result, format!("{name}: evidence of {subject}"), Value::Exact(evidence))
    }));
    for delivered in check.orders.iter().flat_map(|orders| &orders.delivered) {
        let what = format!("{name}: orders by {}", delivered.explorer);
        facts.push(Fact::new(Kind::Result, what.clone(), Value::Exact(delivered.orders.to_string())));
        facts.push(Fact::new(Kind::Result, format!("{what}, digest"), Value::Exact(delivered.digest.clone())));
    }
    facts
}

fn of_devices(record: &Record) -> Vec<Fact> {
    let mut facts = Vec::new();
    let exact = |what: String, value: String| Fact::new(Kind::Result, what, Value::Exact(value));
    for (what, word) in [("reference", record.reference), ("reference of splitmix64", record.splitmix64_reference)] {
        facts.extend(word.map(|word| exact(what.to_owned(), word.to_string())));
    }
    for device in &record.devices {
        let name = &device.name;
        facts.push(exact(format!("{name}: evidence"), device.evidence.to_string()));
        facts.push(exact(format!("{name}: version"), device.version.to_string()));
        facts.push(exact(format!("{name}: banks"), device.banks.to_string()));
    }
    for sweep in &record.bank_sweeps {
        for row in &sweep.rows {
            let name = format!("{}, {} banks", sweep.device, row.banks);
            facts.push(exact(format!("{name}: result"), row.result.to_string()));
            facts.push(exact(format!("{name}: cycles"), row.cycles.to_string()));
        }
    }
    facts
}

fn of_claims(record: &Record) -> impl Iterator<Item = Fact> {
    record.claims.iter().map(|claim| {
        let is_tried = !claim.tried_by.is_empty();
        let word = if is_tried { "tested" } else { "not tested" };
        let class = serde_json::to_value(claim.class).expect("a word");
        let what = format!("{} of {}", class.as_str().unwrap_or_default(), claim.of);
        Fact::new(Kind::Warrant, what, Value::Good(is_tried, word.to_owned()))
    })
}

/// What was planted in judges and devices.
fn of_plants(record: &Record) -> Vec<Fact> {
    let controls = record.controls.iter().map(|control| {
        let what = format!("wrong answers refused by {}", control.judge);
        Fact::new(Kind::Mutant, what, Value::Share(control.refused, control.wrong))
    });
    let planted = record.planted.iter().map(|planted| {
        let is_found = matches!(
            planted.outcome,
            PlantedOutcome::Detected | PlantedOutcome::FoundTogether | PlantedOutcome::Equivalent
        );
        let what = format!("{} in {}", planted.fault, planted.device);
        Fact::new(Kind::Mutant, what, Value::Good(is_found, planted.outcome.to_string()))
    });
    controls.chain(planted).collect()
}

fn of_tick(tick: &TickRecord) -> Vec<Fact> {
    let name = if tick.published { "published tick".to_owned() } else { format!("tick {}", tick.seed) };
    let parts = [
        ("message", tick.message_bytes),
        ("values", tick.value_bytes),
        ("addressing", tick.addressing_bytes),
        ("framing", tick.framing_bytes),
        ("ids", tick.id_bytes),
        ("checksum", tick.checksum_bytes),
    ];
    let mut facts: Vec<Fact> =
        parts.map(|(part, bytes)| Fact::new(Kind::Bytes, format!("{name}: {part}"), Value::Amount(bytes, "B"))).into();
    for (what, value) in [
        ("contexts that change", tick.changed.len() as u64),
        ("full state, bytes", tick.full_state_bytes),
        ("bound, tenths of a byte", tick.bound_tenths),
    ] {
        facts.push(Fact::new(Kind::Result, format!("{name}: {what}"), Value::Exact(value.to_string())));
    }
    facts
}

fn of_walks_and_laws(record: &Record) -> Vec<Fact> {
    let exact = |what: String, value: &str| Fact::new(Kind::Result, what, Value::Exact(value.to_owned()));
    let walks = record.walks.iter().flat_map(|walk| {
        [
            exact(format!("{}: schedules proved", walk.check), &walk.proved),
            exact(format!("{}: schedules", walk.check), &walk.of),
        ]
    });
    let trials = record.laws.iter().flat_map(|laws| &laws.trials).map(|trial| {
        let name = trial.name();
        match trial.claimed {
            true => Fact::new(Kind::Verdict, name, Value::Verdict(trial.verdict)),
            // A law that nobody claims may hold or not; it may not change.
            false => Fact::new(Kind::Result, name, Value::Exact(trial.verdict.to_string())),
        }
    });
    walks.chain(trials).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direction(base: Value, new: Value) -> Option<Direction> {
        moved(&base, &new).map(|(direction, _)| direction)
    }

    #[test]
    fn every_kind_of_value_has_a_direction() {
        use Direction::{Better, Worse};
        let amount = |bytes| Value::Amount(bytes, "B");
        let verdict = Value::Verdict;
        let exact = |text: &str| Value::Exact(text.to_owned());
        for (worse, better) in [
            (amount(161), amount(160)),
            (verdict(Verdict::Falsified), verdict(Verdict::Inconclusive)),
            (verdict(Verdict::Inconclusive), verdict(Verdict::Holds)),
            (Value::Share(30, 32), Value::Share(31, 32)),
            (Value::Share(31, 32), Value::Share(31, 31)),
            (Value::Share(31, 31), Value::Share(32, 32)),
            (Value::Good(false, "survived".into()), Value::Good(true, "killed".into())),
        ] {
            assert_eq!(direction(better.clone(), worse.clone()), Some(Worse), "{better:?} {worse:?}");
            assert_eq!(direction(worse.clone(), better.clone()), Some(Better), "{worse:?} {better:?}");
            assert_eq!(direction(worse.clone(), worse), None);
        }
        assert_eq!(direction(exact("a"), exact("b")), Some(Worse));
        assert_eq!(direction(exact("b"), exact("a")), Some(Worse));
    }

    #[test]
    fn warrants_get_weaker_from_proofs_over_coverage_to_samples_and_by_their_numbers() {
        let walked = |schedules: &str| Warrant::Walked {
            schedules: schedules.to_owned(),
            of: String::new(),
            assumptions: Vec::new(),
        };
        let falling = [
            Warrant::Proved { deltas: 10 },
            Warrant::Proved { deltas: 9 },
            walked("1000000000000000000000000000000000000000000"),
            walked("999999999999999999999999999999999999999999"),
            Warrant::Searched { steps: 5, sets: 4 },
            Warrant::Covered { strength: 3, tuples: 10 },
            Warrant::Covered { strength: 2, tuples: 1000 },
            Warrant::Sampled { orders: 64, by: None },
            Warrant::Sampled { orders: 9, by: None },
        ];
        for pair in falling.windows(2) {
            let [strong, weak] = [&pair[0], &pair[1]].map(|warrant| Value::Warrant(warrant.clone()));
            assert_eq!(direction(strong.clone(), weak.clone()), Some(Direction::Worse), "{strong:?} {weak:?}");
            assert_eq!(direction(weak, strong), Some(Direction::Better));
        }
    }

    #[test]
    fn facts_of_the_same_name_are_told_apart() {
        let fact = |what: &str| Fact::new(Kind::Result, what, Value::Exact(String::new()));
        let mut facts = vec![fact("a"), fact("b"), fact("a"), fact("a")];
        numbered(&mut facts);
        let names: Vec<&str> = facts.iter().map(|fact| fact.what.as_str()).collect();
        assert_eq!(names, ["a", "b", "a #2", "a #3"]);
    }
}
