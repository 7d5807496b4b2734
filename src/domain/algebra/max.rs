//! The larger of two numbers: a grow-only register. It is claimed to be a join semilattice with a bottom, the textbook
//! case of a merge that needs nothing of its network; nothing undoes a maximum, and nobody claims so.

use crate::domain::algebra::{Algebra, Carrier, Reading};
use crate::domain::law::Law;

/// The larger of two unsigned numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Max;

impl Algebra for Max {
    const NAME: &'static str = "max";
    const ABOUT: &'static str = "the larger of two unsigned numbers";
    const SIGN: &'static str = "max";
    const CLAIMS: &'static [Law] = &[Law::Commutative, Law::Associative, Law::Idempotent, Law::Identity];
    const AT_8: Carrier<u8> = Carrier { merge: u8::max, identity: Some(0), inverse: None, reading: Reading::Unsigned };
    const AT_64: Carrier<u64> =
        Carrier { merge: Self::merge, identity: Some(0), inverse: None, reading: Reading::Unsigned };

    #[inline(always)]
    fn merge(state: u64, delta: u64) -> u64 {
        state.max(delta)
    }
}
