//! One arrival order of the deltas `0..n`, as a short text that can be pasted.
//!
//! The text says how the order is made, not what it comes to: an order of a million deltas is still a word. What each
//! position delivers is computed by `explore::permutation`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the deltas of a workload are ordered. Delta `i` is the one with index `i` in the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// By index: 0, 1, 2, … Text: `given`.
    Given,
    /// By index, backwards. Text: `reverse`.
    Reverse,
    /// By index, beginning at this one and going round. Text: `rotate:R`.
    Rotate(u64),
    /// The second half, then the first. Text: `halves-swapped`.
    HalvesSwapped,
    /// All deltas of bank 0 (indices 0, B, 2B, …), then all of bank 1, and so on. Text: `by-bank:B`.
    ByBank(u64),
    /// The workload cut into B runs that follow each other, delivered in turn, one delta of each. Text: `riffle:B`.
    Riffle(u64),
    /// The seeded permutation with this number. Text: `seeded:K`.
    Seeded(u64),
    /// The permutation with this number of the covering family of this strength. Text: `covering:T:K`.
    Covering {
        /// T: every ordered tuple of so many deltas occurs in the family.
        strength: u32,
        /// K: which of its permutations, from 0.
        number: u64,
    },
    /// These indices, one after the other. Text: `exactly:2.0.1`.
    Exactly(Vec<u32>),
}

/// How a seeded order is drawn from its stream of random words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shuffle {
    /// A Fisher–Yates shuffle with unbiased draws: every order is equally likely.
    FisherYates,
    /// A Feistel network of 12 rounds whose round functions are random tables: for more deltas than are kept in an array.
    Feistel,
}

impl fmt::Display for Shuffle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shuffle::FisherYates => "Fisher-Yates shuffles",
            Shuffle::Feistel => "Feistel networks of 12 rounds",
        })
    }
}

/// Why a text is not an arrival order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not an arrival order; allowed are given, reverse, rotate:R, halves-swapped, by-bank:B, riffle:B, \
     seeded:K, covering:T:K and exactly:I.J.K, with whole numbers, B at least 1"
)]
pub struct OrderError(String);

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Order::Given => write!(f, "given"),
            Order::Reverse => write!(f, "reverse"),
            Order::Rotate(by) => write!(f, "rotate:{by}"),
            Order::HalvesSwapped => write!(f, "halves-swapped"),
            Order::ByBank(banks) => write!(f, "by-bank:{banks}"),
            Order::Riffle(runs) => write!(f, "riffle:{runs}"),
            Order::Seeded(number) => write!(f, "seeded:{number}"),
            Order::Covering { strength, number } => write!(f, "covering:{strength}:{number}"),
            Order::Exactly(indices) => {
                let indices: Vec<String> = indices.iter().map(u32::to_string).collect();
                write!(f, "exactly:{}", indices.join("."))
            }
        }
    }
}

impl FromStr for Order {
    type Err = OrderError;

    fn from_str(text: &str) -> Result<Self, OrderError> {
        let refused = || OrderError(text.to_owned());
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        let number = || argument.and_then(|a| a.parse::<u64>().ok()).ok_or_else(refused);
        let positive = || number().and_then(|n| if n == 0 { Err(refused()) } else { Ok(n) });
        match (name, argument) {
            ("given", None) => Ok(Order::Given),
            ("reverse", None) => Ok(Order::Reverse),
            ("halves-swapped", None) => Ok(Order::HalvesSwapped),
            ("rotate", Some(_)) => number().map(Order::Rotate),
            ("by-bank", Some(_)) => positive().map(Order::ByBank),
            ("riffle", Some(_)) => positive().map(Order::Riffle),
            ("seeded", Some(_)) => number().map(Order::Seeded),
            ("covering", Some(both)) => {
                let (strength, number) = both.split_once(':').ok_or_else(refused)?;
                match (strength.parse(), number.parse()) {
                    (Ok(strength), Ok(number)) => Ok(Order::Covering { strength, number }),
                    _ => Err(refused()),
                }
            }
            ("exactly", Some(list)) => {
                let indices: Result<Vec<u32>, _> = list.split('.').map(str::parse).collect();
                indices.map(Order::Exactly).map_err(|_| refused())
            }
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_order() -> impl Strategy<Value = Order> {
        prop_oneof![
            Just(Order::Given),
            Just(Order::Reverse),
            Just(Order::HalvesSwapped),
            any::<u64>().prop_map(Order::Rotate),
            (1..u64::MAX).prop_map(Order::ByBank),
            (1..u64::MAX).prop_map(Order::Riffle),
            any::<u64>().prop_map(Order::Seeded),
            (any::<u32>(), any::<u64>()).prop_map(|(strength, number)| Order::Covering { strength, number }),
            proptest::collection::vec(any::<u32>(), 1..20).prop_map(Order::Exactly),
        ]
    }

    proptest! {
        #[test]
        fn every_order_survives_its_text(order in any_order()) {
            prop_assert_eq!(order.to_string().parse(), Ok(order));
        }

        #[test]
        fn any_text_gives_an_order_or_an_error(text in ".*") {
            let _ = text.parse::<Order>();
        }
    }

    #[test]
    fn what_is_no_order_is_refused() {
        for text in [
            "",
            "sorted",
            "reverse:1",
            "rotate",
            "rotate:x",
            "by-bank:0",
            "riffle:0",
            "covering:3",
            "covering:3:",
            "covering::1",
            "exactly:",
            "exactly:1..2",
        ] {
            assert!(text.parse::<Order>().is_err(), "{text}");
        }
    }
}
