//! The walk over all subsets for small states, in blocks that stay in the first-level cache.
//!
//! Every set has one path: its deltas from number `c` on, ascending, then those below `c`, ascending; the state at the
//! end of the path is the set's state. A block holds the states of the `2^c` sets that agree in the deltas from `c` on,
//! and is filled from its first state with a delivery each. Every other way into a set comes from a set of the same
//! block or, over a delta `d` from `c` on, from the set at the same place in the block without `d`. That block is filled
//! again for the purpose, so that no more than two blocks a thread exist at any time: a walk over `n` deltas recomputes
//! about `(n - c) * 2^(n-1)` states beside its `n * 2^(n-1)` merges, and memory does not grow with `n`.
//!
//! If no way into any set of fewer than `m` deltas gives another state than the path does, all ways into each of them do
//! give that state, by induction over the size. So the smallest set with a mismatch is the smallest that two ways reach
//! in different states at all.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Mutex;

use num_bigint::BigUint;

use super::plan::Cost;
use super::scan::{Counted, Least, Mismatch, Scan};
use super::share::in_parts;
use super::subsets::{self, members};
use crate::domain::replica::Replica;
use crate::domain::watch::Watch;

/// Bytes of a block's states: two blocks fit a first-level cache of 32 KiB with room to spare.
const BLOCK_BYTES: u64 = 8 << 10;

/// Below so many merges, threads take longer to start than to work.
const SHARED_FROM: u128 = 1 << 18;

/// How many of `n` deltas vary inside a block.
fn block_bits<R: Replica>(replica: &R, n: u32) -> u32 {
    (BLOCK_BYTES / replica.snapshot_bytes().max(1)).max(16).ilog2().min(n)
}

/// What the walk costs.
pub fn cost<R: Replica>(replica: &R, n: u32, threads: NonZeroUsize) -> Cost {
    let inside = block_bits(replica, n);
    let outside = n - inside;
    let blocks = BigUint::from(1u8) << outside;
    // Over all blocks: `k` of `outside` deltas lead to a block, and `k - 1` to each of its `k` neighbours, which are then
    // filled: sum of k, of k (k - 1) and of k (2^inside - 1).
    let ones = &blocks * outside / 2u32;
    let paths = &ones + &blocks * outside * outside.saturating_sub(1) / 4u32;
    let fills = ones * ((BigUint::from(1u8) << inside) - 1u32);
    Cost {
        merges: (BigUint::from(n) << n) / 2u32,
        recomputed: paths + fills,
        memory: (BigUint::from(2 * threads.get()) * replica.snapshot_bytes()) << inside,
    }
}

/// Walks over all sets of `n` deltas; the cost must have been found to fit 64 bits.
pub fn scan<R: Replica>(replica: &R, n: u32, threads: NonZeroUsize, watch: &mut dyn Watch) -> Scan {
    scan_by(replica, n, threads, watch, |walk, outer, scratch| walk.block(outer, scratch))
}

/// The walk, in which `step` tries every way into the sets of one block.
pub(super) fn scan_by<R: Replica>(
    replica: &R,
    n: u32,
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
    step: impl Fn(&Walk<R>, u64, &mut Scratch<R::Snapshot>) + Sync,
) -> Scan {
    let inside = block_bits(replica, n);
    let outside = n - inside;
    let blocks = 1u64 << outside;
    let (least, counted) = (Least::new(), Mutex::new(Counted::nothing()));
    let walk = Walk { replica, inside, least: &least };
    let threads = if (u128::from(n) << n) / 2 < SHARED_FROM { NonZeroUsize::MIN } else { threads };
    let batch = (blocks / (threads.get() as u64 * 8)).clamp(1, 16);
    watch.begin("sets of deltas, in blocks", blocks);
    watch.unit("blocks");
    let done = in_parts(
        blocks,
        batch,
        threads,
        watch,
        || {
            let states = || vec![replica.start(); 1 << inside];
            Scratch { block: states(), before: states(), counted: Counted::nothing() }
        },
        |scratch, places: Range<u64>| {
            let mut outer = subsets::at(outside, places.start);
            for place in places.clone() {
                if least.admits(outer.count_ones()) {
                    step(&walk, outer, scratch);
                }
                if place + 1 < places.end {
                    outer = subsets::next(outside, outer);
                }
            }
            let of_batch = std::mem::replace(&mut scratch.counted, Counted::nothing());
            counted.lock().expect("no thread panics while it holds the lock").add(&of_batch);
        },
    );
    watch.end();
    let counted = counted.into_inner().expect("no thread panicked");
    let settled = counted.settled(outside).map(|size| if size == outside { n } else { size });
    let Counted { merges, sets, .. } = counted;
    Scan { least: least.into_found(), complete: done == blocks, merges, sets, settled }
}

/// The path of a set, as the deliveries that lead to it.
pub fn path<R: Replica>(replica: &R, n: u32, set: u64) -> Vec<u32> {
    let below = subsets::all(block_bits(replica, n));
    members(set & !below).chain(members(set & below)).collect()
}

/// What a thread works on, and what it has done since it last told.
pub(super) struct Scratch<S> {
    block: Vec<S>,
    before: Vec<S>,
    pub(super) counted: Counted,
}

pub(super) struct Walk<'a, R> {
    replica: &'a R,
    inside: u32,
    least: &'a Least,
}

impl<R: Replica> Walk<'_, R> {
    /// Tries every way into the sets of one block; bit `i` of `outer` stands for delta `inside + i`.
    pub(super) fn block(&self, outer: u64, scratch: &mut Scratch<R::Snapshot>) {
        // What defines the states of the block's sets but the first, whose path comes from another block.
        let mut merges = self.fill(outer, &mut scratch.block);
        for delta in 0..self.inside {
            // Where no delta above this one was delivered, it is the last of the set's path.
            let pair = 2usize << delta;
            let pairs = &scratch.block[pair..];
            merges += pairs.len() as u64 / 2;
            let same = match delta {
                0 => self.pairs_agree(0, pairs, 2),
                1 => self.pairs_agree(1, pairs, 4),
                2 => self.pairs_agree(2, pairs, 8),
                _ => self.pairs_agree(delta, pairs, pair),
            };
            if !same {
                let without = |place: usize| (place & (1 << delta) != 0).then(|| &scratch.block[place ^ (1 << delta)]);
                self.report(outer, delta, &scratch.block, without);
            }
        }
        for other in members(outer) {
            let delta = self.inside + other;
            self.fill(outer & !(1 << other), &mut scratch.before);
            merges += scratch.before.len().min(scratch.block.len()) as u64;
            if !self.agree(delta, &scratch.before, &scratch.block) {
                self.report(outer, delta, &scratch.block, |place| Some(&scratch.before[place]));
            }
        }
        scratch.counted.part(outer);
        scratch.counted.sets += scratch.block.len() as u64;
        scratch.counted.merges += merges;
    }

    /// The states of a block's sets, along their paths. How many deliveries lead from the first to the others.
    fn fill(&self, outer: u64, block: &mut [R::Snapshot]) -> u64 {
        let first = members(outer)
            .fold(self.replica.start(), |state, other| self.replica.deliver(&state, (self.inside + other) as usize));
        block[0] = first;
        let mut deliveries = 0;
        for delta in 0..self.inside {
            let (done, rest) = block.split_at_mut(1 << delta);
            deliveries += done.len().min(rest.len()) as u64;
            for (state, before) in rest.iter_mut().zip(done) {
                *state = self.replica.deliver(before, delta as usize);
            }
        }
        deliveries
    }

    /// Whether delivering `delta` to each state before gives the state after.
    ///
    /// No early exit and no branch: the compiler makes vectors of it.
    #[inline]
    fn agree(&self, delta: u32, before: &[R::Snapshot], after: &[R::Snapshot]) -> bool {
        let pairs = before.iter().zip(after);
        pairs.fold(true, |same, (before, after)| same & (self.replica.deliver(before, delta as usize) == *after))
    }

    /// The same for runs of states, the first half of each before and the other after.
    #[inline(always)]
    fn pairs_agree(&self, delta: u32, states: &[R::Snapshot], run: usize) -> bool {
        states.chunks_exact(run).fold(true, |same, states| {
            let (before, after) = states.split_at(run / 2);
            same & self.agree(delta, before, after)
        })
    }

    /// Takes note of the smallest set of the block whose state is not what `delta` makes of the state before.
    #[cold]
    fn report<'s>(
        &self,
        outer: u64,
        delta: u32,
        block: &'s [R::Snapshot],
        before: impl Fn(usize) -> Option<&'s R::Snapshot>,
    ) {
        let wrong = (0..block.len()).filter(|&place| {
            before(place).is_some_and(|before| self.replica.deliver(before, delta as usize) != block[place])
        });
        let mismatch = |place: usize| {
            let set = outer << self.inside | place as u64;
            Mismatch { size: set.count_ones(), set, last: delta }
        };
        if let Some(least) = wrong.map(mismatch).min() {
            self.least.offer(least);
        }
    }
}
