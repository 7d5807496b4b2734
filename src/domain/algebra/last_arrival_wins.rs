//! Overwriting: a plain key-value store without versions. Its users assume that replicas which were sent the same
//! writes agree and that a repeated write does no harm, which is to claim it commutative, associative and idempotent.
//! They assume neither a write that changes nothing nor one that undoes another.

use crate::domain::algebra::{Algebra, Carrier, Reading};
use crate::domain::law::Law;

/// The state becomes what arrived last.
#[derive(Clone, Copy, Debug, Default)]
pub struct LastArrivalWins;

impl Algebra for LastArrivalWins {
    const NAME: &'static str = "last-arrival-wins";
    const ABOUT: &'static str = "the state becomes what arrived last";
    const SIGN: &'static str = "then";
    const CLAIMS: &'static [Law] = &[Law::Commutative, Law::Associative, Law::Idempotent];
    const AT_8: Carrier<u8> =
        Carrier { merge: |_, delta| delta, identity: None, inverse: None, reading: Reading::Unsigned };
    const AT_64: Carrier<u64> =
        Carrier { merge: Self::merge, identity: None, inverse: None, reading: Reading::Unsigned };

    #[inline(always)]
    fn merge(_state: u64, delta: u64) -> u64 {
        delta
    }
}
