//! Bitwise or: a grow-only set of 64 members. It is claimed to be a join semilattice with the empty set at its bottom.

use crate::domain::algebra::{Algebra, Carrier, Reading};
use crate::domain::law::Law;

/// Bitwise or.
#[derive(Clone, Copy, Debug, Default)]
pub struct Or;

impl Algebra for Or {
    const NAME: &'static str = "or";
    const ABOUT: &'static str = "bitwise or";
    const SIGN: &'static str = "|";
    const CLAIMS: &'static [Law] = &[Law::Commutative, Law::Associative, Law::Idempotent, Law::Identity];
    const AT_8: Carrier<u8> =
        Carrier { merge: |state, delta| state | delta, identity: Some(0), inverse: None, reading: Reading::Unsigned };
    const AT_64: Carrier<u64> =
        Carrier { merge: Self::merge, identity: Some(0), inverse: None, reading: Reading::Unsigned };

    #[inline(always)]
    fn merge(state: u64, delta: u64) -> u64 {
        state | delta
    }
}
