//! The kernels for AVX2: four deltas a vector. It has no 64-bit multiplication: splitmix64 pays for each with several
//! 32-bit ones.

use std::ops::Range;

use super::portable;
use crate::domain::delta::Generate;

/// Lanes in a block: four vectors of 256 bits. With more, 16 registers do not suffice for splitmix64.
const LANES: usize = 16;
const _: () = assert!((super::LONGEST_BLOCK as usize).is_multiple_of(LANES));

/// Shows that the processor has AVX2: [`Avx2::detect`] alone makes one.
#[derive(Clone, Copy, Debug)]
pub(in crate::subject) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Avx2(()))
    }

    // Calling code for a processor that may not be there is unsafe; nothing else in this file is.
    #[allow(unsafe_code)]
    pub(super) fn accumulate<G: Generate>(self, generator: G, seed: u64, indices: Range<u64>) -> u64 {
        // SAFETY: `self` exists only where `detect` found the feature.
        unsafe { accumulate(generator, seed, indices) }
    }

    #[allow(unsafe_code)]
    pub(super) fn fold(self, arrivals: &[u64]) -> u64 {
        // SAFETY: as above.
        unsafe { fold(arrivals) }
    }
}

#[target_feature(enable = "avx2")]
fn accumulate<G: Generate>(generator: G, seed: u64, indices: Range<u64>) -> u64 {
    portable::generated::<G, LANES>(generator, seed, indices)
}

#[target_feature(enable = "avx2")]
fn fold(arrivals: &[u64]) -> u64 {
    portable::stored(arrivals)
}
