//! The walk over all subsets for large states: what is kept of a set is a 128-bit digest.
//!
//! Every set's path delivers its deltas in ascending order. The paths make a tree; each pass goes through it depth first
//! with the states of one path at hand. The first pass notes the digest of every set's state, the second compares it with
//! what every other way into the set gives, from the states of the sets one delta smaller. The reasoning is that of
//! [`super::blocks`].

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use num_bigint::BigUint;
use siphasher::sip128::{Hasher128, SipHasher24};

use super::plan::Cost;
use super::scan::{Counted, Least, Mismatch, Scan};
use super::share::in_parts;
use super::subsets::{self, members};
use crate::domain::replica::Replica;
use crate::domain::watch::Watch;

/// So many deltas, the first ones, tell the parts that are shared out: enough parts to stop soon and to share evenly.
const SHARED_BITS: u32 = 10;

/// What the walk costs.
pub fn cost<R: Replica>(replica: &R, n: u32, threads: NonZeroUsize) -> Cost {
    let sets = BigUint::from(1u8) << n;
    let shared = n.min(SHARED_BITS);
    let to_parts = BigUint::from(u64::from(shared) << shared);
    Cost {
        merges: &sets * n / 2u32,
        // A delivery for each digest, and in both passes the way to the first set of each part.
        recomputed: &sets - (1u64 << shared) + to_parts,
        memory: sets * 16u32 + BigUint::from(threads.get()) * (n + 1) * replica.snapshot_bytes(),
    }
}

/// Walks over all sets of `n` deltas; the cost must have been found to fit.
pub fn scan<R: Replica>(replica: &R, n: u32, threads: NonZeroUsize, watch: &mut dyn Watch) -> Scan {
    let shared = n.min(SHARED_BITS);
    let parts = 1u64 << shared;
    let walk = Walk { replica, n };
    let mut table = vec![0u128; 1 << n];
    watch.begin("sets of deltas, by digest", 2 * parts);
    watch.unit("parts");
    let slices: Vec<Mutex<&mut [u128]>> = table.chunks_mut(1 << (n - shared)).map(Mutex::new).collect();
    let filled = in_parts(
        parts,
        1,
        threads,
        watch,
        || (),
        |(), places| {
            for part in places {
                let mut slice = slices[part as usize].lock().expect("each part is taken once");
                walk.tree(&walk.first(part), part, shared, &mut |set, state| {
                    slice[(set >> shared) as usize] = digest(state)
                });
            }
        },
    );
    drop(slices);
    let (least, counted) = (Least::new(), Mutex::new(Counted::nothing()));
    let compared = if filled < parts {
        0
    } else {
        in_parts(
            parts,
            1,
            threads,
            watch,
            || (),
            |(), places| {
                let mut of_batch = Counted::nothing();
                for place in places {
                    let part = subsets::at(shared, place);
                    let expected = |set| table[((set & (parts - 1)) << (n - shared) | set >> shared) as usize];
                    walk.compare(&walk.first(part), part, shared, &least, &expected, &mut of_batch);
                    of_batch.part(part);
                }
                counted.lock().expect("no thread panics while it holds the lock").add(&of_batch);
            },
        )
    };
    watch.end();
    let counted = counted.into_inner().expect("no thread panicked");
    let settled = counted.settled(shared).map(|size| if size == shared { n } else { size });
    let Counted { merges, sets, .. } = counted;
    Scan { least: least.into_found(), complete: compared == parts, merges, sets, settled }
}

/// 128 bits that tell a state.
fn digest(state: &impl Hash) -> u128 {
    let mut hasher = SipHasher24::new_with_keys(0x6f72_6465_7273_2061, 0x6e64_2073_7461_7465);
    state.hash(&mut hasher);
    hasher.finish128().as_u128()
}

struct Walk<'a, R> {
    replica: &'a R,
    n: u32,
}

impl<R: Replica> Walk<'_, R> {
    /// The state of a part's first set.
    fn first(&self, part: u64) -> R::Snapshot {
        members(part).fold(self.replica.start(), |state, delta| self.replica.deliver(&state, delta as usize))
    }

    /// Shows `visit` this set's state, and those of all sets whose path goes on from it over deltas from `from` on.
    fn tree(&self, state: &R::Snapshot, set: u64, from: u32, visit: &mut impl FnMut(u64, &R::Snapshot)) {
        visit(set, state);
        for delta in from..self.n {
            self.tree(&self.replica.deliver(state, delta as usize), set | 1 << delta, delta + 1, visit);
        }
    }

    /// In the same tree, compares what every delivery gives with the digest of the set that it leads to.
    fn compare(
        &self,
        state: &R::Snapshot,
        set: u64,
        from: u32,
        least: &Least,
        expected: &impl Fn(u64) -> u128,
        counted: &mut Counted,
    ) {
        let size = set.count_ones() + 1;
        counted.sets += 1;
        for delta in (0..self.n).filter(|delta| set & 1 << delta == 0) {
            if !least.admits(size) {
                return;
            }
            let next = set | 1 << delta;
            let after = self.replica.deliver(state, delta as usize);
            counted.merges += 1;
            if digest(&after) != expected(next) {
                least.offer(Mismatch { size, set: next, last: delta });
            }
            if delta >= from {
                self.compare(&after, next, delta + 1, least, expected, counted);
            }
        }
    }
}
