//! The smaller of two numbers: the maximum turned over, with the same claims. What changes nothing is the largest word.

use crate::domain::algebra::{Algebra, Carrier, Reading};
use crate::domain::law::Law;

/// The smaller of two unsigned numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Min;

impl Algebra for Min {
    const NAME: &'static str = "min";
    const ABOUT: &'static str = "the smaller of two unsigned numbers";
    const SIGN: &'static str = "min";
    const CLAIMS: &'static [Law] = &[Law::Commutative, Law::Associative, Law::Idempotent, Law::Identity];
    const AT_8: Carrier<u8> =
        Carrier { merge: u8::min, identity: Some(u8::MAX), inverse: None, reading: Reading::Unsigned };
    const AT_64: Carrier<u64> =
        Carrier { merge: Self::merge, identity: Some(u64::MAX), inverse: None, reading: Reading::Unsigned };

    #[inline(always)]
    fn merge(state: u64, delta: u64) -> u64 {
        state.min(delta)
    }
}
