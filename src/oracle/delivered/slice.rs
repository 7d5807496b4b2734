//! What was delivered in one slice of the orders, so that slices which were delivered apart are counted together.
//!
//! Knows: identities of orders. Must not: count, or judge.

use serde::{Deserialize, Serialize};

use crate::domain::explorer::Audit;

/// The orders of one explorer that were delivered together, in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// The place of the explorer among all.
    pub explorer: usize,
    /// Identities that follow each other as numbers: the first, and how many.
    runs: Vec<(Identifier, u64)>,
    /// The orders themselves, where they are listed or their tuples are counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) whole: Vec<Vec<u32>>,
    /// Whether every order was the one by index.
    pub(super) by_index: bool,
    /// Deliveries that were made, those of an order that was broken off among them.
    pub(super) deliveries: u64,
    /// What the first of drawn orders look like, where they are among these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) audit: Option<Audit>,
}

/// The identity of an order, as hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Identifier(u128);

impl TryFrom<String> for Identifier {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Identifier)
    }
}

impl From<Identifier> for String {
    fn from(Identifier(identity): Identifier) -> String {
        format!("{identity:x}")
    }
}

impl Slice {
    /// No order of this explorer.
    pub(super) fn none(explorer: usize) -> Self {
        Slice { explorer, by_index: true, ..Slice::default() }
    }

    /// Adds an order.
    pub(super) fn add(&mut self, identity: u128) {
        match self.runs.last_mut() {
            Some((first, number)) if first.0.checked_add((*number).into()) == Some(identity) => *number += 1,
            _ => self.runs.push((Identifier(identity), 1)),
        }
    }

    /// How many orders there are; nothing where no 64-bit number tells, or a run of them has none.
    pub fn orders(&self) -> Option<u64> {
        self.runs.iter().try_fold(0u64, |sum, (_, number)| sum.checked_add(*number).filter(|_| *number > 0))
    }

    /// The identities of the orders.
    pub(super) fn identities(&self) -> impl Iterator<Item = u128> {
        let of = |(first, number): &(Identifier, u64)| {
            let first = first.0;
            (0..u128::from(*number)).map(move |place| first.saturating_add(place))
        };
        self.runs.iter().flat_map(of)
    }
}
