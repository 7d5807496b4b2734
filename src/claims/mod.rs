//! Published claims: their file, their trial, and the ledger of what became of them.
//!
//! A claim is data: the words of its source, the scenarios that try it, and the rules by which their records decide. Nothing
//! here knows a claim, and no number of the ledger comes from the file of claims: numbers come from the run.
//!
//! [`mod@file`] reads claims, [`decidable`] refuses rules that could never decide, [`trial`] runs each scenario once, [`judge`]
//! asks the records. Knows: everything above it. Must not: print, or know who watches.

pub mod decidable;
pub mod file;
pub mod judge;
pub mod rule;
pub mod trial;

use crate::claims::rule::Rule;
use crate::report::ledger::ClaimVerdict;

/// The claims that come with abench.
pub const SHIPPED: &str = include_str!("../../scenarios/claims.toml");

/// What the shipped claims are called in messages and ledgers.
pub const SHIPPED_NAME: &str = "shipped";

/// Claims that were read, and where from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// [`SHIPPED_NAME`], or the file.
    pub origin: String,
    /// The claims, in the order of the file.
    pub claims: Vec<Claim>,
}

/// A published claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub id: String,
    /// The claim in its source's words.
    pub says: String,
    /// Its source.
    pub source: String,
    /// What would refute it.
    pub refuted_if: String,
    /// The verdict that is expected.
    pub expected: ClaimVerdict,
    /// What decides about it.
    pub rules: Vec<PlacedRule>,
    /// A weaker claim that holds where this one does not.
    pub weaker: Option<Weaker>,
}

impl Claim {
    /// All rules, those of the weaker claim too.
    pub fn all_rules(&self) -> impl Iterator<Item = &PlacedRule> {
        self.rules.iter().chain(self.weaker.iter().flat_map(|weaker| &weaker.rules))
    }
}

/// A weaker claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weaker {
    /// It in words.
    pub says: String,
    /// What decides about it.
    pub rules: Vec<PlacedRule>,
}

/// A rule, and the scenarios whose records it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedRule {
    /// The rule.
    pub rule: Rule,
    /// The scenarios: shipped names, or paths. None where no run can tell.
    pub scenarios: Vec<String>,
    /// The line of the file.
    pub line: usize,
}

impl Claims {
    /// The scenarios that all rules ask, each once, in the order of their first use.
    pub fn scenarios(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.claims.iter().flat_map(Claim::all_rules).flat_map(|placed| &placed.scenarios) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }
}
