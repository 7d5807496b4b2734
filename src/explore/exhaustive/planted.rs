//! Walks with a fault, to see that what they leave out is counted.

use super::*;

/// What a planted walk does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every third block is left out.
    SkipsBlocks,
    /// One block is walked twice, and another never.
    RepeatsABlock,
    /// The deliveries of one block are not compared.
    SkipsComparisons,
}

/// All of them.
pub const FAULTS: [Fault; 3] = [Fault::SkipsBlocks, Fault::RepeatsABlock, Fault::SkipsComparisons];

/// The walk over every order, with a fault or without.
pub fn explore_with<R: Replica>(
    replica: &R,
    deltas: u32,
    fault: Option<Fault>,
    limits: &Limits,
    watch: &mut dyn Watch,
) -> Outcome {
    let scan = blocks::scan_by(replica, deltas, limits.threads, watch, |walk, outer, scratch| match fault {
        Some(Fault::SkipsBlocks) if outer % 3 == 1 => {}
        Some(Fault::RepeatsABlock) if outer == 2 => walk.block(1, scratch),
        Some(Fault::SkipsComparisons) if outer == 2 => {
            scratch.counted.part(outer);
            // A block of 64-bit states.
            scratch.counted.sets += 1 << 10;
        }
        _ => walk.block(outer, scratch),
    });
    concluded(replica, &Plan::every_order(deltas), Comparison::Whole, scan, limits, watch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::replica::Merging;
    use crate::domain::watch::Unwatched;
    use std::num::NonZeroUsize;

    #[test]
    fn a_walk_that_leaves_out_blocks_or_comparisons_proves_nothing() {
        let deltas: Vec<u64> = (1..=16).collect();
        let replica = Merging { deltas: &deltas, start: 0, merge: |state: u64, delta| state ^ delta };
        for threads in [1, 2].map(|threads| NonZeroUsize::new(threads).expect("not 0")) {
            let limits = Limits { memory: 1 << 30, deliveries: 1 << 40, threads };
            let walked = |fault| explore_with(&replica, 16, fault, &limits, &mut Unwatched);
            let sound = walked(None);
            assert_eq!(
                (sound.judgement, sound.coverage.orders.to_string()),
                (Judgement::Agree, "20922789888000".to_owned())
            );
            for fault in FAULTS {
                let outcome = walked(Some(fault));
                assert_eq!(outcome.judgement, Judgement::Inconclusive(Unsettled::Miscounted), "{fault:?}");
                assert_eq!(outcome.coverage.orders, BigUint::ZERO, "{fault:?}");
            }
        }
    }

    #[test]
    fn a_disagreement_is_not_called_the_smallest_where_smaller_sets_were_left_out() {
        // Deltas 11 and 13 disagree, and the block of the two alone is left out.
        let deltas: Vec<u64> = (0..16).collect();
        let merge = |state: u64, delta: u64| match delta {
            11 if state >> 13 & 1 == 1 => state | 1 << 11 | 1 << 20,
            _ => state | 1 << delta,
        };
        let replica = Merging { deltas: &deltas, start: 0, merge };
        let limits = Limits { memory: 1 << 30, deliveries: 1 << 40, threads: NonZeroUsize::MIN };
        let found = |fault| match explore_with(&replica, 16, fault, &limits, &mut Unwatched).judgement {
            Judgement::Disagree(disagreement) => (disagreement.deltas, disagreement.smallest),
            other => panic!("{other:?}"),
        };
        assert_eq!(found(None), (vec![11, 13], true));
        assert_eq!(found(Some(Fault::SkipsBlocks)), (vec![10, 11, 13], false));
    }
}
