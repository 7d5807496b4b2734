//! Addition that stops at the largest word: a counter that must not wrap. Its users claim what they claim of a sum, but
//! for the inverse: what was lost at the largest word cannot be taken back, and an unsigned number has no negative.

use crate::domain::algebra::{Algebra, Carrier, Reading};
use crate::domain::law::Law;

/// Addition of unsigned numbers that stops at the largest.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnsignedSaturatingAdd;

impl Algebra for UnsignedSaturatingAdd {
    const NAME: &'static str = "unsigned-saturating-add";
    const ABOUT: &'static str = "addition of unsigned numbers that stops at the largest";
    const SIGN: &'static str = "+";
    const CLAIMS: &'static [Law] = &[Law::Commutative, Law::Associative, Law::Identity];
    const AT_8: Carrier<u8> =
        Carrier { merge: u8::saturating_add, identity: Some(0), inverse: None, reading: Reading::Unsigned };
    const AT_64: Carrier<u64> =
        Carrier { merge: Self::merge, identity: Some(0), inverse: None, reading: Reading::Unsigned };

    #[inline(always)]
    fn merge(state: u64, delta: u64) -> u64 {
        state.saturating_add(delta)
    }
}
