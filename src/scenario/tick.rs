//! The workload of one sync tick: 256 contexts of 8 bytes, of which a seeded few change.

use crate::domain::delta::{Generate, SplitMix64};
use crate::domain::seed::Seed;

/// Contexts of the device.
pub const CONTEXTS: u32 = 256;

/// Bytes of the full state: 8 for each context.
pub const FULL_STATE_BYTES: u64 = 8 * CONTEXTS as u64;

/// The published tick's seed.
pub const PUBLISHED_SEED: Seed = Seed::new(0xD1A5_7A7E);

/// The contexts that change in the published tick.
pub const PUBLISHED_CHANGED: [u32; 20] =
    [10, 40, 47, 53, 69, 74, 78, 96, 99, 124, 136, 138, 145, 150, 185, 194, 200, 207, 237, 242];

/// The bytes that the published claim counts for it: those of the values alone.
pub const PUBLISHED_BYTES: u64 = 160;

/// One context's change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which of the 256.
    pub context: u8,
    /// By what it is XORed; its lowest bit is always 1.
    pub delta: u64,
}

/// The changes of the tick under this seed, by context: context `i` changes if `mix(seed ^ 0xA5A5 ^ i) % 100 < 5`, by
/// `mix(seed ^ 0x1234 ^ i) | 1`.
pub fn changes(seed: Seed) -> Vec<Change> {
    let mix = |salt: u64, context: u8| SplitMix64.generate(seed.value() ^ salt ^ u64::from(context));
    let changed = (0..=u8::MAX).filter(|&context| mix(0xA5A5, context) % 100 < 5);
    changed.map(|context| Change { context, delta: mix(0x1234, context) | 1 }).collect()
}

/// So many changes under this seed, by context: of the contexts with the smallest `mix(seed ^ 0xA5A5 ^ i)`, by the same
/// deltas.
pub fn some_changes(seed: Seed, changed: u32) -> Vec<Change> {
    let mix = |salt: u64, context: u8| SplitMix64.generate(seed.value() ^ salt ^ u64::from(context));
    let mut contexts: Vec<u8> = (0..=u8::MAX).collect();
    contexts.sort_by_key(|&context| mix(0xA5A5, context));
    contexts.truncate(changed as usize);
    contexts.sort_unstable();
    contexts.into_iter().map(|context| Change { context, delta: mix(0x1234, context) | 1 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_tick_changes_the_published_contexts() {
        let changed: Vec<u32> = changes(PUBLISHED_SEED).iter().map(|change| u32::from(change.context)).collect();
        assert_eq!(changed, PUBLISHED_CHANGED);
    }

    #[test]
    fn another_seed_changes_another_number() {
        assert_eq!(changes(Seed::new(0xDEAD_BEEF_0BAD_F00D)).len(), 12);
    }
}
