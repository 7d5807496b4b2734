//! Addition modulo 2^64: what a counter in a register does. It is claimed to be a commutative group, as every text on
//! modular arithmetic says.

use crate::domain::algebra::{Algebra, Carrier, Inverse, Reading};
use crate::domain::law::Law;

/// Addition modulo 2^64.
#[derive(Clone, Copy, Debug, Default)]
pub struct WrappingAdd;

impl Algebra for WrappingAdd {
    const NAME: &'static str = "wrapping-add";
    const ABOUT: &'static str = "addition modulo 2^64";
    const SIGN: &'static str = "+";
    const CLAIMS: &'static [Law] = &[Law::Commutative, Law::Associative, Law::Identity, Law::Inverse];
    const AT_8: Carrier<u8> = Carrier {
        merge: u8::wrapping_add,
        identity: Some(0),
        inverse: Some(Inverse { form: "-a", of: u8::wrapping_neg }),
        reading: Reading::Unsigned,
    };
    const AT_64: Carrier<u64> = Carrier {
        merge: Self::merge,
        identity: Some(0),
        inverse: Some(Inverse { form: "-a", of: u64::wrapping_neg }),
        reading: Reading::Unsigned,
    };

    #[inline(always)]
    fn merge(state: u64, delta: u64) -> u64 {
        state.wrapping_add(delta)
    }
}
