//! Addition that stops at either end, in two's complement: a balance that must not wrap. It is used where a sum is
//! meant, so that the claims are those of a sum: any order, 0 changes nothing, and a negative amount takes a positive
//! one back. The unsigned kind having most of these laws, they are commonly assumed of the signed kind too.

use crate::domain::algebra::{Algebra, Carrier, Inverse, Reading};
use crate::domain::law::Law;

/// Addition of signed numbers that stops at the smallest and the largest.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignedSaturatingAdd;

impl Algebra for SignedSaturatingAdd {
    const NAME: &'static str = "signed-saturating-add";
    const ABOUT: &'static str = "addition of signed numbers that stops at the smallest and the largest";
    const SIGN: &'static str = "+";
    const CLAIMS: &'static [Law] = &[Law::Commutative, Law::Associative, Law::Identity, Law::Inverse];
    const AT_8: Carrier<u8> = Carrier {
        merge: |state, delta| (state as i8).saturating_add(delta as i8) as u8,
        identity: Some(0),
        inverse: Some(Inverse { form: "-a", of: |a| (a as i8).saturating_neg() as u8 }),
        reading: Reading::Signed,
    };
    const AT_64: Carrier<u64> = Carrier {
        merge: Self::merge,
        identity: Some(0),
        inverse: Some(Inverse { form: "-a", of: |a| (a as i64).saturating_neg() as u64 }),
        reading: Reading::Signed,
    };

    #[inline(always)]
    fn merge(state: u64, delta: u64) -> u64 {
        (state as i64).saturating_add(delta as i64) as u64
    }
}
