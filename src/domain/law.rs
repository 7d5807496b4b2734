//! The laws that an algebra may claim, and what a trial of one found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::verdict::Verdict;

/// A law of a merge `∘`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// `a ∘ b = b ∘ a`.
    Commutative,
    /// `(a ∘ b) ∘ c = a ∘ (b ∘ c)`.
    Associative,
    /// `a ∘ a = a`.
    Idempotent,
    /// A word `e` with `a ∘ e = a` and `e ∘ a = a`.
    Identity,
    /// For every `a` a word `b` with `a ∘ b = e` and `b ∘ a = e`, where `e` is the identity.
    Inverse,
}

impl Law {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Law; 5] = [Law::Commutative, Law::Associative, Law::Idempotent, Law::Identity, Law::Inverse];

    /// How many words a case of it has.
    pub const fn operands(self) -> usize {
        match self {
            Law::Commutative => 2,
            Law::Associative => 3,
            Law::Idempotent | Law::Identity | Law::Inverse => 1,
        }
    }
}

impl Law {
    /// Its name, as the field has it.
    pub fn name(self) -> &'static str {
        match self {
            Law::Commutative => "commutative",
            Law::Associative => "associative",
            Law::Idempotent => "idempotent",
            Law::Identity => "identity",
            Law::Inverse => "inverse",
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What the trial of one law of one algebra found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LawTrial {
    /// The algebra's name.
    pub algebra: String,
    /// The law.
    pub law: Law,
    /// Whether the algebra claims it.
    pub claimed: bool,
    /// The identity at 64 bits, or the inverse as a function of `a`, where one is declared.
    pub by: Option<String>,
    /// The judgement at both widths together.
    pub verdict: Verdict,
    /// On words of 8 bits, where every case can be tried.
    pub at_8_bits: WidthTrial,
    /// On words of 64 bits, where a sample is.
    pub at_64_bits: WidthTrial,
}

impl LawTrial {
    /// What the claim is called, such as `xor associative`.
    pub fn name(&self) -> String {
        format!("{} {}", self.algebra, self.law)
    }
}

/// What was found on words of one width.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WidthTrial {
    /// The judgement.
    pub verdict: Verdict,
    /// What it rests on.
    pub extent: Extent,
    /// The smallest contradiction that is known.
    pub witness: Option<Witness>,
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Extent {
    /// Every case.
    Exhaustive {
        /// How many there are.
        cases: u64,
        /// How many of them contradict the law.
        contradictions: u64,
    },
    /// Random cases until one contradicts, and then, or if none does, every combination of chosen words.
    Sampled {
        /// Random cases that were tried, the contradicting one included.
        tries: u64,
        /// Random cases that were to be tried.
        asked: u64,
        /// Combinations of chosen words.
        chosen: u64,
    },
    /// Nothing: no word or function is declared that could be tried, and there are too many to search.
    Nothing,
}

/// A contradiction of a law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// The words of the case, by the names that they have in the law.
    pub operands: Vec<Term>,
    /// What should be equal and is not: the left side and the right side.
    pub sides: Vec<Term>,
    /// The contradiction in words.
    pub sentence: String,
    /// How small it is, and whether smaller ones were ruled out.
    pub size: String,
}

/// A word with its name or form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// `a`, or an expression.
    pub form: String,
    /// The word: `0x` and all of its digits.
    pub word: String,
    /// What it means, in decimal.
    pub decimal: String,
}
