//! What a run is asked to do, and what is expected of it: the plain data of a scenario, and the first part of every
//! record.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::domain::explorer::ExplorerSpec;
use crate::domain::hex::Hex64;
use crate::domain::seed::Seed;
use crate::domain::verdict::Verdict;

/// A number of deltas that a workload can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Count(u32);

impl Count {
    /// The published run's.
    pub const PUBLISHED: Count = Count(65_537);

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A number that is no COUNT.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a COUNT; allowed are whole numbers from 1 to 4294967295")]
pub struct CountError(String);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1 to 4294967295")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Count, E> {
                number.to_string().parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Count, E> {
                number.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_u64(Number)
    }
}

impl FromStr for Count {
    type Err = CountError;

    fn from_str(text: &str) -> Result<Self, CountError> {
        let digits_alone = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u32>().ok().filter(|&number| digits_alone && number > 0);
        number.map(Count).ok_or_else(|| CountError(text.to_owned()))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many deliveries a check of arrival orders may make to each subject.
///
/// Deliveries and not seconds, so that no two machines disagree about what was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Budget(u64);

impl Budget {
    /// What a second of budget is worth, in deliveries: about what the slowest of the machines that this was measured
    /// on delivers to all software subjects.
    pub const DELIVERIES_PER_SECOND: u64 = 20_000_000;

    /// A budget of so many deliveries.
    pub const fn deliveries(deliveries: u64) -> Self {
        Budget(deliveries)
    }

    /// The number of deliveries.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Default for Budget {
    /// 2^24 deliveries: 16 complete orders of a million deltas.
    fn default() -> Self {
        Budget(1 << 24)
    }
}

/// A text that is no budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a budget; allowed is a number of deliveries, such as 16777216, or of nominal seconds, such as 10s \
     (20000000 deliveries each)"
)]
pub struct BudgetError(String);

impl FromStr for Budget {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let (digits, worth) = match text.strip_suffix('s') {
            Some(seconds) => (seconds, Budget::DELIVERIES_PER_SECOND),
            None => (text, 1),
        };
        let number = digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        number.and_then(|n| n.checked_mul(worth)).map(Budget).ok_or_else(|| BudgetError(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Budget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = Budget;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of deliveries, such as 16777216, or a text of nominal seconds, such as \"10s\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Budget, E> {
                Ok(Budget(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Budget, E> {
                number.to_string().parse().map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Budget, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

/// The standard campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardTrial {
    /// Number of deltas.
    pub count: Count,
    /// What all is drawn from.
    pub seed: Seed,
    /// Bound on the deliveries of the arrival orders.
    #[serde(default)]
    pub budget: Budget,
    /// What chooses the arrival orders; `None` leaves it to the campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<ExplorerSpec>,
}

impl StandardTrial {
    /// The published run: 65537 deltas under seed 0xDEADBEEF0BADF00D.
    pub fn published() -> Self {
        let seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);
        StandardTrial { count: Count::PUBLISHED, seed, budget: Budget::default(), orders: None }
    }
}

/// One sync tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TickTrial {
    /// Decides which contexts change and by what.
    pub seed: Seed,
}

/// What is put on trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trial {
    /// The standard campaign.
    Standard(StandardTrial),
    /// One sync tick alone.
    Tick(TickTrial),
}

impl Trial {
    /// The seed that all is drawn from.
    pub fn seed(&self) -> Seed {
        match self {
            Trial::Standard(trial) => trial.seed,
            Trial::Tick(trial) => trial.seed,
        }
    }
}

/// What a scenario expects of its run; what it does not name is not expected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The verdict of the whole run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The result of every row of the bank sweep, and of the reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Hex64>,
    /// Clock cycles by number of banks in the bank sweep.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cycles: BTreeMap<String, u32>,
    /// How many sets of dead banks the bank sweep alone would miss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_sweep_misses: Option<u64>,
    /// Verdicts of checks, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, Verdict>,
    /// The contexts that change in the tick of the scenario's seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<u32>>,
    /// Bytes of that tick's values alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_bytes: Option<u64>,
    /// Bytes of the message that a receiver can decode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_bytes: Option<u64>,
    /// Bytes of the full state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_state_bytes: Option<u64>,
    /// The information bound, in tenths of a byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_tenths: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_whole_number_from_one_to_the_largest_of_32_bits() {
        assert_eq!("65537".parse(), Ok(Count::PUBLISHED));
        assert_eq!("4294967295".parse::<Count>().map(Count::get), Ok(u32::MAX));
        for text in ["", "0", "-1", "+1", "4294967296", "1e3", "0x10", "65537 "] {
            assert!(text.parse::<Count>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_budget_is_deliveries_or_nominal_seconds() {
        assert_eq!("5".parse(), Ok(Budget::deliveries(5)));
        assert_eq!("10s".parse(), Ok(Budget::deliveries(200_000_000)));
        for text in ["", "s", "-1", "+1", "1.5s", "10m", "99999999999999999999", "9999999999999999s"] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }
}
