//! Exclusive or: what the hardware does. Its vendor claims a commutative group in which every word undoes itself; for
//! that very reason it cannot be idempotent, and nobody claims so: a second copy cancels the first.

use crate::domain::algebra::{Algebra, Carrier, Inverse, Reading};
use crate::domain::law::Law;

/// Bitwise exclusive or.
#[derive(Clone, Copy, Debug, Default)]
pub struct Xor;

impl Algebra for Xor {
    const NAME: &'static str = "xor";
    const ABOUT: &'static str = "bitwise exclusive or";
    const SIGN: &'static str = "^";
    const CLAIMS: &'static [Law] = &[Law::Commutative, Law::Associative, Law::Identity, Law::Inverse];
    const AT_8: Carrier<u8> = Carrier {
        merge: |state, delta| state ^ delta,
        identity: Some(0),
        inverse: Some(Inverse { form: "a", of: |a| a }),
        reading: Reading::Unsigned,
    };
    const AT_64: Carrier<u64> = Carrier {
        merge: Self::merge,
        identity: Some(0),
        inverse: Some(Inverse { form: "a", of: |a| a }),
        reading: Reading::Unsigned,
    };

    #[inline(always)]
    fn merge(state: u64, delta: u64) -> u64 {
        state ^ delta
    }
}
