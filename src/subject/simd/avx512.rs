//! The kernels for AVX-512 (F and DQ): eight deltas a vector. DQ has the 64-bit multiplication that splitmix64 needs.

use std::ops::Range;

use super::portable;
use crate::domain::delta::Generate;

/// Lanes in a block: sixteen vectors of 512 bits, which hides the cost of starting a block.
const LANES: usize = 128;
const _: () = assert!((super::LONGEST_BLOCK as usize).is_multiple_of(LANES));

/// Shows that the processor has AVX-512 F and DQ: [`Avx512::detect`] alone makes one.
#[derive(Clone, Copy, Debug)]
pub(in crate::subject) struct Avx512(());

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq")).then_some(Avx512(()))
    }

    // Calling code for a processor that may not be there is unsafe; nothing else in this file is.
    #[allow(unsafe_code)]
    pub(super) fn accumulate<G: Generate>(self, generator: G, seed: u64, indices: Range<u64>) -> u64 {
        // SAFETY: `self` exists only where `detect` found both features.
        unsafe { accumulate(generator, seed, indices) }
    }

    #[allow(unsafe_code)]
    pub(super) fn fold(self, arrivals: &[u64]) -> u64 {
        // SAFETY: as above.
        unsafe { fold(arrivals) }
    }
}

#[target_feature(enable = "avx512f,avx512dq")]
fn accumulate<G: Generate>(generator: G, seed: u64, indices: Range<u64>) -> u64 {
    portable::generated::<G, LANES>(generator, seed, indices)
}

#[target_feature(enable = "avx512f,avx512dq")]
fn fold(arrivals: &[u64]) -> u64 {
    portable::stored(arrivals)
}
