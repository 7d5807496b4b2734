//! Rules: which part of a record decides about a claim, and how. Knows no record.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::domain::count::counted;
use crate::domain::seed::Seed;
use crate::domain::verdict::Verdict;

/// A rule. A claim holds if all of its rules do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rule {
    /// The verdict of a check.
    Check {
        /// Its name.
        check: String,
        /// What it should be.
        #[serde(default = "holds")]
        is: Wanted,
        /// Whether only the answers of a board count.
        #[serde(default)]
        silicon: bool,
    },
    /// What a judge says of an engine in a world.
    Engine {
        /// The engine.
        engine: String,
        /// The judge; all of them together if none is named.
        judge: Option<String>,
        /// What it should say.
        #[serde(default = "holds")]
        is: Wanted,
    },
    /// A law of an algebra.
    Law {
        /// Algebra and law, such as `xor idempotent`.
        law: String,
        /// What its trial should come to.
        #[serde(default = "holds")]
        is: Wanted,
    },
    /// A number of a record.
    Number {
        /// Which.
        number: Number,
        /// Active banks, of a number of the bank sweep.
        banks: Option<NonZeroU32>,
        /// The engine that it is of.
        engine: Option<String>,
        /// The engine that it is compared with.
        than: Option<String>,
        /// The least that it may be.
        at_least: Option<Amount>,
        /// The most that it may be.
        at_most: Option<Amount>,
        /// Whether only the answers of a board count.
        #[serde(default)]
        silicon: bool,
    },
    /// What the `holds` of a check rests on.
    Warrant {
        /// The check, or the engine in a world.
        check: String,
        /// What it should rest on at least.
        at_least: Strength,
    },
    /// How many planted mutants a scenario kills.
    Mutants {
        /// Where they are planted.
        planted_in: PlantedIn,
        /// How many are drawn; all of them if nothing is said.
        sample: Option<NonZeroUsize>,
        /// What they are drawn from.
        seed: Option<Seed>,
        /// The mutation score in per cent: killed of those that are planted and not equivalent.
        at_least: Amount,
    },
    /// Something that no run can tell, on any backend.
    Instrument {
        /// What has to be measured, and with what.
        instrument: String,
    },
}

/// A verdict that a rule can ask for: to be inconclusive is no claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// Holds.
    Holds,
    /// Falsified.
    Falsified,
}

fn holds() -> Wanted {
    Wanted::Holds
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Wanted::Holds { "should hold" } else { "should be falsified" })
    }
}

impl Wanted {
    /// What a verdict says of a rule that wants this.
    pub fn judge(self, verdict: Verdict) -> Verdict {
        match (self, verdict) {
            (Wanted::Falsified, Verdict::Holds) => Verdict::Falsified,
            (Wanted::Falsified, Verdict::Falsified) => Verdict::Holds,
            _ => verdict,
        }
    }
}

/// A number that a rule can compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Number {
    /// Bytes of the values of a tick alone.
    TickValueBytes,
    /// Bytes of a tick's message that a receiver can decode.
    TickMessageBytes,
    /// Bytes of that message that are no values.
    TickMetadataBytes,
    /// Bytes that no decodable message of a tick can go below on average.
    TickBoundBytes,
    /// Bytes of the full state of a tick.
    TickFullStateBytes,
    /// Contexts that change in a tick, in per cent.
    TickChangedPercent,
    /// Bytes that a tick's message saves of the full state, in per cent.
    TickSavingPercent,
    /// Clock cycles of a bank sweep's run.
    SweepCycles,
    /// Cycles with one bank, of the cycles with more.
    SweepSpeedUp,
    /// Sets of dead banks that a bank sweep alone would miss.
    SweepMissedSets,
    /// Bytes that an engine moves both ways, over the whole world.
    EngineBytes,
    /// Of these, bytes that are no changes themselves, in per cent.
    EngineMetadataPercent,
    /// Bytes that an engine saves of what another one moves, in per cent.
    EngineSavingPercent,
    /// Registers that an engine shows wrongly.
    EngineWrongRegisters,
}

/// What a number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A tick.
    Tick,
    /// A bank sweep.
    Sweep,
    /// An engine in a world.
    Engine,
}

impl Number {
    /// What it is of.
    pub fn of(self) -> Of {
        use Number::*;
        match self {
            TickValueBytes | TickMessageBytes | TickMetadataBytes | TickBoundBytes | TickFullStateBytes
            | TickChangedPercent | TickSavingPercent => Of::Tick,
            SweepCycles | SweepSpeedUp | SweepMissedSets => Of::Sweep,
            EngineBytes | EngineMetadataPercent | EngineSavingPercent | EngineWrongRegisters => Of::Engine,
        }
    }

    /// Whether it is of one run of a sweep.
    fn takes_banks(self) -> bool {
        matches!(self, Number::SweepCycles | Number::SweepSpeedUp)
    }

    /// Its unit, as it follows a number.
    pub fn unit(self) -> &'static str {
        use Number::*;
        match self {
            TickValueBytes | TickMessageBytes | TickMetadataBytes | TickBoundBytes | TickFullStateBytes
            | EngineBytes => " B",
            TickChangedPercent | TickSavingPercent | EngineMetadataPercent | EngineSavingPercent => " %",
            SweepCycles => " cycles",
            SweepSpeedUp => " times",
            SweepMissedSets => " sets",
            EngineWrongRegisters => " registers",
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Number::TickValueBytes => "bytes of the values alone",
            Number::TickMessageBytes => "bytes of the message",
            Number::TickMetadataBytes => "bytes of the message besides the values",
            Number::TickBoundBytes => "information bound of the message",
            Number::TickFullStateBytes => "bytes of the full state",
            Number::TickChangedPercent => "contexts that change",
            Number::TickSavingPercent => "saving of the message against the full state",
            Number::SweepCycles => "cycles",
            Number::SweepSpeedUp => "speed-up",
            Number::SweepMissedSets => "sets of dead banks that the sweep misses",
            Number::EngineBytes => "bytes both ways",
            Number::EngineMetadataPercent => "bytes that are no changes",
            Number::EngineSavingPercent => "saving",
            Number::EngineWrongRegisters => "wrong registers",
        })
    }
}

/// What a `holds` rests on, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// A sample that bounds the share of what could still disagree.
    Sampled,
    /// Every tuple of deliveries, or every step from a state that was put back.
    Covered,
    /// All of what was asked.
    Proved,
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Strength::Sampled => "sampled",
            Strength::Covered => "covered",
            Strength::Proved => "proved",
        })
    }
}

/// Where mutants are planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlantedIn {
    /// In the model of a device.
    Devices,
    /// In the engines of a world.
    Engines,
}

/// A bound: a number of thousandths, so that no two machines read a decimal differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u64);

impl Amount {
    /// The largest whole number that can be a bound.
    const MOST: u64 = 1 << 50;

    /// It in thousandths.
    pub fn thousandths(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        match rest {
            0 => write!(f, "{whole}"),
            _ => f.write_str(format!("{whole}.{rest:03}").trim_end_matches('0')),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bound;
        impl Visitor<'_> for Bound {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a number from 0 to {} with at most three decimals", Amount::MOST)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
                let allowed = (number <= Amount::MOST).then(|| Amount(number * 1000));
                allowed.ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
                }
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Amount, E> {
                let thousandths = (number * 1000.0).round();
                let is_exact = (number - thousandths / 1000.0).abs() < 1e-9;
                let allowed = is_exact && (0.0..=Amount::MOST as f64).contains(&number);
                let allowed = allowed.then_some(Amount(thousandths as u64));
                allowed.ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
            }
        }
        deserializer.deserialize_any(Bound)
    }
}

impl Rule {
    /// Why its keys do not go together, if they do not: the key, and what is allowed.
    pub fn unsound(&self) -> Option<String> {
        match self {
            Rule::Number { number, banks, engine, than, at_least, at_most, silicon } => {
                let takes_engine = number.of() == Of::Engine;
                let takes_than = *number == Number::EngineSavingPercent;
                let keys = [
                    ("banks", banks.is_some(), number.takes_banks()),
                    ("engine", engine.is_some(), takes_engine),
                    ("than", than.is_some(), takes_than),
                ];
                let wrong = keys.into_iter().find(|(_, is_given, is_needed)| is_given != is_needed);
                match wrong {
                    Some((key, true, _)) => Some(format!("{key}: {number} has none; leave the key out")),
                    Some((key, false, _)) => Some(format!("{key}: {number} needs it")),
                    None if at_least.is_none() && at_most.is_none() => {
                        Some("at_least: a number needs a bound, at_least or at_most, or both".to_owned())
                    }
                    None if at_least.zip(*at_most).is_some_and(|(least, most)| least > most) => {
                        Some("at_most: it is below at_least, so that no number could be right".to_owned())
                    }
                    None if engine.is_some() && engine == than => {
                        Some("than: an engine is compared with another one, not with itself".to_owned())
                    }
                    None if *silicon && number.of() != Of::Sweep => {
                        Some("silicon: only numbers of a bank sweep come from a board".to_owned())
                    }
                    None => None,
                }
            }
            Rule::Mutants { sample, seed, at_least, .. } => match (sample, seed) {
                (Some(_), None) => Some("seed: a sample needs it".to_owned()),
                (None, Some(_)) => Some("seed: without a sample nothing is drawn from it".to_owned()),
                _ if at_least.thousandths() > 100_000 => Some("at_least: a mutation score is 100 % at most".to_owned()),
                _ => None,
            },
            _ => None,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on_silicon = |silicon: bool| if silicon { ", on a board" } else { "" };
        match self {
            Rule::Check { check, is, silicon } => write!(f, "the check '{check}' {is}{}", on_silicon(*silicon)),
            Rule::Engine { engine, judge: Some(judge), is } => write!(f, "'{judge}' of {engine} {is}"),
            Rule::Engine { engine, judge: None, is } => write!(f, "{engine} {is}"),
            Rule::Law { law, is } => write!(f, "the law '{law}' {is}"),
            Rule::Number { silicon, .. } => {
                write!(f, "{} should be {}{}", self.what(), self.bound(), on_silicon(*silicon))
            }
            Rule::Warrant { check, at_least } => write!(f, "the check '{check}' should hold, and be {at_least}"),
            Rule::Mutants { planted_in, sample, seed, at_least } => {
                let of = if *planted_in == PlantedIn::Devices { "device" } else { "engine" };
                write!(f, "at least {at_least} % of {of} mutants should be killed")?;
                drawn(*sample, *seed).map_or(Ok(()), |drawn| write!(f, ", of {drawn}"))
            }
            Rule::Instrument { instrument } => write!(f, "{instrument}"),
        }
    }
}

/// A sample, in words.
fn drawn(sample: Option<NonZeroUsize>, seed: Option<Seed>) -> Option<String> {
    let (sample, seed) = sample.zip(seed)?;
    Some(format!("{sample} drawn from seed {seed}"))
}

impl Rule {
    /// The sample of mutants that it is about, in words.
    pub fn sample(&self) -> Option<String> {
        let Rule::Mutants { sample, seed, .. } = self else { return None };
        drawn(*sample, *seed)
    }

    /// The number that it compares, in words.
    pub fn what(&self) -> String {
        let Rule::Number { number, banks, engine, than, .. } = self else { return String::new() };
        let engine = engine.as_ref().map_or(String::new(), |engine| format!(" of {engine}"));
        let than = than.as_ref().map_or(String::new(), |than| format!(" against {than}"));
        let banks = banks.map_or(String::new(), |banks| format!(" at {}", counted(banks, "bank")));
        format!("{number}{engine}{than}{banks}")
    }

    /// The bound of a number, in words.
    pub fn bound(&self) -> String {
        let Rule::Number { number, at_least, at_most, .. } = self else { return String::new() };
        let unit = number.unit();
        match (at_least, at_most) {
            (Some(least), Some(most)) if least == most => format!("{least}{unit}"),
            (Some(least), Some(most)) => format!("from {least} to {most}{unit}"),
            (Some(least), None) => format!("at least {least}{unit}"),
            (None, Some(most)) => format!("at most {most}{unit}"),
            (None, None) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Result<Rule, String> {
        let table: toml::Table = toml::from_str(text).expect("TOML");
        Rule::deserialize(table).map_err(|error| error.message().to_owned())
    }

    fn unsound(text: &str) -> Option<String> {
        rule(text).expect("a rule").unsound()
    }

    #[test]
    fn a_bound_is_read_exactly_with_up_to_three_decimals() {
        let bound = |text: &str| rule(&format!("by = 'mutants'\nplanted_in = 'devices'\nat_least = {text}"));
        let read = |text| match bound(text) {
            Ok(Rule::Mutants { at_least, .. }) => (at_least.thousandths(), at_least.to_string()),
            other => panic!("{other:?}"),
        };
        assert_eq!(read("92"), (92_000, "92".to_owned()));
        assert_eq!(read("7.99"), (7990, "7.99".to_owned()));
        assert_eq!(read("0.05"), (50, "0.05".to_owned()));
        for text in ["-1", "0.0001", "nan", "inf", "1e300", "'many'"] {
            assert!(bound(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_that_do_not_go_together_are_named() {
        let number = |rest: &str| unsound(&format!("by = 'number'\n{rest}")).unwrap_or_default();
        assert!(number("number = 'sweep-cycles'\nat_most = 1").starts_with("banks:"));
        assert!(number("number = 'tick-value-bytes'\nbanks = 2\nat_most = 1").starts_with("banks:"));
        assert!(number("number = 'engine-bytes'\nat_most = 1").starts_with("engine:"));
        assert!(number("number = 'engine-saving-percent'\nengine = 'a'\nat_least = 1").starts_with("than:"));
        assert!(
            number("number = 'engine-saving-percent'\nengine = 'a'\nthan = 'a'\nat_least = 1").starts_with("than:")
        );
        assert!(number("number = 'tick-value-bytes'").starts_with("at_least:"));
        assert!(number("number = 'tick-value-bytes'\nat_least = 2\nat_most = 1").starts_with("at_most:"));
        assert!(number("number = 'tick-value-bytes'\nat_least = 2\nsilicon = true").starts_with("silicon:"));
        assert_eq!(number("number = 'tick-value-bytes'\nat_least = 160\nat_most = 160"), "");
        let mutants =
            |rest: &str| unsound(&format!("by = 'mutants'\nplanted_in = 'devices'\n{rest}")).unwrap_or_default();
        assert!(mutants("at_least = 90\nsample = 3").starts_with("seed:"));
        assert!(mutants("at_least = 90\nseed = '1'").starts_with("seed:"));
        assert!(mutants("at_least = 101").starts_with("at_least:"));
        assert_eq!(mutants("at_least = 100\nsample = 3\nseed = '1'"), "");
    }

    #[test]
    fn an_unknown_kind_key_or_value_is_refused() {
        for text in [
            "by = 'luck'",
            "by = 'check'",
            "by = 'check'\ncheck = 'x'\nbanks = 2",
            "by = 'check'\ncheck = 'x'\nis = 'inconclusive'",
            "by = 'number'\nnumber = 'joules'\nat_most = 1",
        ] {
            assert!(rule(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rule_that_wants_a_falsification_turns_the_verdict_around_and_keeps_doubt() {
        use Verdict::*;
        assert_eq!([Holds, Inconclusive, Falsified].map(|v| Wanted::Holds.judge(v)), [Holds, Inconclusive, Falsified]);
        assert_eq!(
            [Holds, Inconclusive, Falsified].map(|v| Wanted::Falsified.judge(v)),
            [Falsified, Inconclusive, Holds]
        );
    }
}
