//! The sum of floating point numbers, on their bits: averages, totals, gradients. It is used as if it were the sum of
//! real numbers, so that the claims are those of real numbers.
//!
//! Numbers that mean the same are the same word: every NaN becomes 0x7ff8000000000000, since processors differ in which
//! NaN they hand on, and -0.0 becomes 0.0, since both are 0 and no sum from 0.0 on comes to -0.0. Without the second
//! rule 0.0 would not be an identity byte for byte: -0.0 + 0.0 is 0.0. Infinities stay what they are. The 8-bit version
//! is E5M2, whose rules are those of IEEE 754, with the same two rules.

use crate::domain::algebra::number::canonical_f64 as canonical_bits;
use crate::domain::algebra::{Algebra, Carrier, Inverse, Reading, minifloat};
use crate::domain::law::Law;

/// Addition of IEEE 754 binary64 numbers, rounded to nearest even.
#[derive(Clone, Copy, Debug, Default)]
pub struct F64Sum;

impl Algebra for F64Sum {
    const NAME: &'static str = "f64-sum";
    const ABOUT: &'static str = "addition of IEEE 754 binary64 numbers, rounded to nearest even; at 8 bits, of E5M2";
    const SIGN: &'static str = "+";
    const CLAIMS: &'static [Law] = &[Law::Commutative, Law::Associative, Law::Identity, Law::Inverse];
    const AT_8: Carrier<u8> = Carrier {
        merge: minifloat::add,
        identity: Some(0),
        inverse: Some(Inverse { form: "-a", of: |a| minifloat::canonical(a ^ 0x80) }),
        reading: Reading::Float,
    };
    const AT_64: Carrier<u64> = Carrier {
        merge: Self::merge,
        identity: Some(0),
        inverse: Some(Inverse { form: "-a", of: |a| canonical(-f64::from_bits(a)) }),
        reading: Reading::Float,
    };

    #[inline(always)]
    fn merge(state: u64, delta: u64) -> u64 {
        canonical(f64::from_bits(state) + f64::from_bits(delta))
    }
}

fn canonical(number: f64) -> u64 {
    canonical_bits(number.to_bits())
}
