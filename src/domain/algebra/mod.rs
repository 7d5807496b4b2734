//! Algebras: how a delta merges into a state, and which laws each of them claims.
//!
//! A claim is what a reasonable user or vendor of the merge would say of it, and some of them are wrong: that is what
//! the trial of laws is for. A new algebra is one file here and one line in [`REGISTRY`], below its `mod`.
//!
//! Knows: `law`. Must not: try a law, or know what comes of its claims.

mod f64_sum;
mod last_arrival_wins;
mod max;
mod min;
pub mod minifloat;
pub mod number;
mod or;
mod signed_saturating_add;
mod unsigned_saturating_add;
mod wrapping_add;
mod xor;

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::domain::law::Law;
use crate::domain::nearest::meant;

pub use f64_sum::F64Sum;
pub use last_arrival_wins::LastArrivalWins;
pub use max::Max;
pub use min::Min;
pub use number::{Number, Reading, Word};
pub use or::Or;
pub use signed_saturating_add::SignedSaturatingAdd;
pub use unsigned_saturating_add::UnsignedSaturatingAdd;
pub use wrapping_add::WrappingAdd;
pub use xor::Xor;

/// A way to merge, as a type: loops that are generic over it are compiled for each one.
pub trait Algebra: Copy + fmt::Debug + Default + Send + Sync + 'static {
    /// Its name in scenarios, records and reports.
    const NAME: &'static str;
    /// What it does, in a line.
    const ABOUT: &'static str;
    /// What stands between two operands in an equation.
    const SIGN: &'static str;
    /// The laws that it claims.
    const CLAIMS: &'static [Law];
    /// It on words of 8 bits, few enough for every case to be tried.
    const AT_8: Carrier<u8>;
    /// It on words of 64 bits; its `merge` is [`Algebra::merge`].
    const AT_64: Carrier<u64>;

    /// The state after this delta.
    fn merge(state: u64, delta: u64) -> u64;
}

/// An algebra on words of one width.
#[derive(Clone, Copy, Debug)]
pub struct Carrier<W> {
    /// The state after a delta.
    pub merge: fn(W, W) -> W,
    /// The word that changes nothing, where there is said to be one.
    pub identity: Option<W>,
    /// What undoes a word, where something is said to.
    pub inverse: Option<Inverse<W>>,
    /// What the words mean. Of words that mean the same, only the canonical one is an operand.
    pub reading: Reading,
}

/// What undoes a word.
#[derive(Clone, Copy, Debug)]
pub struct Inverse<W> {
    /// The function, as written.
    pub form: &'static str,
    /// The function.
    pub of: fn(W) -> W,
}

/// An algebra as a value: for loops over all of them, and for lists.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// [`Algebra::NAME`].
    pub name: &'static str,
    /// [`Algebra::ABOUT`].
    pub about: &'static str,
    /// [`Algebra::SIGN`].
    pub sign: &'static str,
    /// [`Algebra::CLAIMS`].
    pub claims: &'static [Law],
    /// [`Algebra::AT_8`].
    pub at_8: Carrier<u8>,
    /// [`Algebra::AT_64`].
    pub at_64: Carrier<u64>,
}

impl Entry {
    /// The entry of this algebra.
    pub const fn of<A: Algebra>() -> Self {
        Entry {
            name: A::NAME,
            about: A::ABOUT,
            sign: A::SIGN,
            claims: A::CLAIMS,
            at_8: A::AT_8,
            at_64: Carrier { merge: A::merge, ..A::AT_64 },
        }
    }
}

/// Work that is compiled for each algebra and chosen by name: see [`Named::visit`].
pub trait Generic {
    /// What the work gives.
    type Output;

    /// Does it with this algebra.
    fn with<A: Algebra>(self) -> Self::Output;
}

/// Makes the registry and the way from a name back to its type out of one list.
macro_rules! registry {
    ($($algebra:ident,)*) => {
        /// All algebras, in the order in which they are listed.
        pub const REGISTRY: &[Entry] = &[$(Entry::of::<$algebra>(),)*];

        impl Named {
            /// Does this work with the algebra of this name.
            pub fn visit<G: Generic>(self, work: G) -> G::Output {
                match self.0 {
                    $(<$algebra as Algebra>::NAME => work.with::<$algebra>(),)*
                    name => unreachable!("{name} was found in the registry"),
                }
            }
        }
    };
}

registry! {
    Xor,
    WrappingAdd,
    Max,
    Min,
    Or,
    UnsignedSaturatingAdd,
    SignedSaturatingAdd,
    F64Sum,
    LastArrivalWins,
}

/// The name of an algebra that there is, as scenarios have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Named(&'static str);

impl Named {
    /// Its entry in the registry.
    pub fn entry(self) -> &'static Entry {
        REGISTRY.iter().find(|entry| entry.name == self.0).expect("a name is one of the registry's")
    }
}

/// A text that names no algebra.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is not an algebra{}; allowed are {}", meant(given, REGISTRY.iter().map(|entry| entry.name)), names())]
pub struct AlgebraError {
    given: String,
}

fn names() -> String {
    let names: Vec<&str> = REGISTRY.iter().map(|entry| entry.name).collect();
    names.join(", ")
}

impl FromStr for Named {
    type Err = AlgebraError;

    fn from_str(text: &str) -> Result<Self, AlgebraError> {
        let entry = REGISTRY.iter().find(|entry| entry.name == text);
        entry.map(|entry| Named(entry.name)).ok_or_else(|| AlgebraError { given: text.to_owned() })
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Named;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "the name of an algebra: {}", names())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Named, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NameOf;

    impl Generic for NameOf {
        type Output = (&'static str, u64);

        fn with<A: Algebra>(self) -> Self::Output {
            (A::NAME, A::merge(5, 9))
        }
    }

    #[test]
    fn every_name_leads_to_its_entry_and_its_type_and_back() {
        for entry in REGISTRY {
            let named: Named = entry.name.parse().expect("it is registered");
            assert_eq!((named.entry().name, named.to_string().as_str()), (entry.name, entry.name));
            assert_eq!(named.visit(NameOf), (entry.name, (entry.at_64.merge)(5, 9)));
            let text = serde_json::to_string(&named).expect("JSON");
            assert_eq!(serde_json::from_str::<Named>(&text).expect("a name"), named);
        }
    }

    #[test]
    fn what_is_no_algebra_is_refused_with_those_there_are() {
        insta::assert_snapshot!("mean".parse::<Named>().expect_err("there is none").to_string());
    }

    #[test]
    fn a_claim_of_an_identity_or_an_inverse_names_it_at_both_widths() {
        for entry in REGISTRY {
            if entry.claims.contains(&Law::Identity) {
                assert!(entry.at_8.identity.is_some() && entry.at_64.identity.is_some(), "{}", entry.name);
            }
            if entry.claims.contains(&Law::Inverse) {
                assert!(entry.at_8.inverse.is_some() && entry.at_64.inverse.is_some(), "{}", entry.name);
            }
        }
    }
}
