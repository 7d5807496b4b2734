//! The accumulator on several threads: states of parts, merged.
//!
//! It knows how work is shared out, and nothing of how a part is computed. Because every part starts from 0 and the
//! states are merged at the end, it also shows on every use that deltas may be grouped in any way.

use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::simd::Kernels;
use crate::domain::delta::Deltas;
use crate::domain::subject::{Accumulator, Rearranged, WordState};
use crate::subject::word::Word;

/// Generated deltas in a part: some 50 µs of work, so that a worker whose core is busy holds the others up no longer.
const PART: u64 = 1 << 18;

/// Ranges with fewer deltas than this stay on the calling thread. Starting a thread takes longer than a few of them are
/// worth; but the threads of a run of the published size are to be on trial too.
const SHARED_FROM: u64 = 1 << 15;

/// Orders with fewer arrivals than this stay on the calling thread.
const DELIVERY_SHARED_FROM: usize = 1 << 14;

/// Workers that every run tries, whatever number it was asked for.
const TRIED_WORKERS: std::ops::RangeInclusive<usize> = 1..=8;

/// Deltas in a part where small parts are tried: odd, so that no part begins where a block of vectors does.
const SMALL_PART: u64 = 33;

/// A 64-bit state into which the states of parts are merged that several threads have computed.
#[derive(Clone, Debug)]
pub struct Threads {
    name: String,
    workers: NonZeroUsize,
    kernels: Kernels,
    part: u64,
    shared_from: u64,
    delivery_shared_from: usize,
    state: u64,
}

impl Threads {
    /// One with state 0 that keeps so many cores busy; the calling thread is one of its workers.
    pub fn new(workers: NonZeroUsize) -> Self {
        Threads {
            name: Self::NAME.to_owned(),
            workers,
            kernels: Kernels::best(),
            part: PART,
            shared_from: SHARED_FROM,
            delivery_shared_from: DELIVERY_SHARED_FROM,
            state: 0,
        }
    }

    /// One that is opened by its number of workers.
    pub fn of_workers(workers: NonZeroUsize) -> Self {
        Threads { name: format!("{}:{workers}", Self::NAME), ..Threads::new(workers) }
    }

    /// One that shares out whatever it gets, in parts of at most so many deltas.
    pub fn with_parts(workers: NonZeroUsize, part: NonZeroU64) -> Self {
        let name = format!("{}:{workers}:{part}", Self::NAME);
        Threads { name, part: part.get(), shared_from: 1, delivery_shared_from: 1, ..Threads::new(workers) }
    }

    /// XOR of these deltas, by all workers.
    #[cold]
    fn fold_shared_out(&self, arrivals: &[u64]) -> u64 {
        let parts: Vec<&[u64]> = arrivals.chunks(arrivals.len().div_ceil(self.workers.get())).collect();
        self.share_out(parts.len() as u64, |part| self.kernels.fold(parts[part as usize]))
    }

    /// Merges what `state_of` gives for every part below `parts`.
    ///
    /// Workers draw the number of their next part from a counter, so a slow worker takes fewer. A thread that the system
    /// refuses to start is no error: the calling thread takes what nobody else does.
    fn share_out(&self, parts: u64, state_of: impl Fn(u64) -> u64 + Sync) -> u64 {
        let next = AtomicU64::new(0);
        let work = || {
            let mut state = 0;
            loop {
                // Nothing but the number itself passes through the counter, so no ordering is needed.
                let part = next.fetch_add(1, Ordering::Relaxed);
                if part >= parts {
                    return state;
                }
                state ^= state_of(part);
            }
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..(self.workers.get() as u64).min(parts))
                .map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect();
            others.into_iter().fold(work(), |state, other| match other.join() {
                Ok(of_other) => state ^ of_other,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    }
}

impl Word for Threads {
    const NAME: &'static str = "threads";

    fn called(&self) -> &str {
        &self.name
    }

    fn word(&mut self) -> &mut u64 {
        &mut self.state
    }
}

impl WordState for Threads {
    #[inline]
    fn after(&self, state: u64, arrivals: &[u64]) -> u64 {
        if arrivals.len() < self.delivery_shared_from.max(1) {
            return state ^ self.kernels.fold(arrivals);
        }
        state ^ self.fold_shared_out(arrivals)
    }
}

impl Accumulator for Threads {
    fn accumulate(&mut self, deltas: Deltas, indices: Range<u64>) {
        let count = indices.end.saturating_sub(indices.start);
        self.state ^= if count < self.shared_from {
            self.kernels.accumulate(deltas, indices)
        } else {
            // Two parts a worker at least, so that work is shared wherever it is meant to be.
            let size = self.part.min(count.div_ceil(2 * self.workers.get() as u64));
            self.share_out(count.div_ceil(size), |part| {
                let start = indices.start + part * size;
                let end = indices.end.min(start.saturating_add(size));
                self.kernels.accumulate(deltas, start..end)
            })
        };
    }

    fn rearranged(&self) -> Vec<Rearranged> {
        let mut all = Vec::new();
        for workers in TRIED_WORKERS.filter_map(NonZeroUsize::new) {
            let number = workers.get() as u64;
            let part = NonZeroU64::new(SMALL_PART).expect("not 0");
            // Two parts a worker, with every remainder; and parts of full size, with the last one full, short and long.
            let shares = (0..2 * number).map(|more| 6 * number + more);
            let parts = [0, 1, SMALL_PART - 1].map(|more| 2 * number * SMALL_PART + more);
            all.push(Rearranged {
                accumulator: Box::new(Threads::with_parts(workers, part)),
                lengths: shares.chain(parts).collect(),
            });
            all.push(Rearranged {
                accumulator: Box::new(Threads::of_workers(workers)),
                lengths: vec![SHARED_FROM + number - 1],
            });
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delta::Generator;
    use crate::domain::seed::Seed;
    use crate::domain::subject::Subject;
    use crate::subject::scalar::agreement::{arrivals, assert_same_delivery, assert_same_sum, ranges, workloads};
    use proptest::prelude::*;
    use std::collections::HashSet;
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    fn threads(workers: usize) -> Threads {
        Threads::new(NonZeroUsize::new(workers).unwrap())
    }

    /// With parts so small that short ranges are shared out.
    fn threads_with_small_parts(workers: usize, part: u64) -> Threads {
        Threads { shared_from: part, ..Threads::with_parts(threads(workers).workers, part.try_into().unwrap()) }
    }

    const WORKERS: [usize; 4] = [1, 2, 3, 7];

    #[test]
    fn long_ranges_give_the_recorded_results() {
        for workers in WORKERS {
            let mut threads = threads(workers);
            threads.accumulate(Deltas::of_engine(Seed::new(0xDEAD_BEEF_0BAD_F00D)), 0..65_537);
            assert_eq!(threads.observe(), Ok(0x17e9_fe29_b5dc_0aad));
            threads.reset().unwrap();
            threads.shared_from = PART;
            threads.accumulate(Deltas::of_engine(Seed::new(0xA70A_1CBA_1234_5678)), 0..1_000_003);
            assert_eq!(threads.observe(), Ok(0x2dd5_70fa_93fb_0cd3));
        }
    }

    #[test]
    fn every_part_is_taken_once() {
        for workers in WORKERS {
            let taken = Mutex::new(Vec::new());
            threads(workers).share_out(1000, |part| {
                taken.lock().unwrap().push(part);
                0
            });
            let mut taken = taken.into_inner().unwrap();
            taken.sort();
            assert!(taken.into_iter().eq(0..1000));
        }
    }

    #[test]
    fn work_is_done_by_as_many_threads_as_asked_for() {
        for workers in WORKERS {
            // No worker gets past its first part before all of them have one, or it is certain that they never will.
            let ids = Mutex::new(HashSet::new());
            let deadline = Instant::now() + Duration::from_secs(20);
            threads(workers).share_out(workers as u64, |_| {
                ids.lock().unwrap().insert(thread::current().id());
                while ids.lock().unwrap().len() < workers && Instant::now() < deadline {
                    thread::yield_now();
                }
                0
            });
            assert_eq!(ids.into_inner().unwrap().len(), workers);
        }
    }

    #[test]
    fn a_range_that_is_long_enough_is_shared_out_with_the_parts_of_a_real_run() {
        for generator in [Generator::Xorshift64, Generator::SplitMix64] {
            let deltas = Deltas { generator, seed: Seed::new(0xDEAD_BEEF_0BAD_F00D) };
            let start = (1 << 32) - 12_345;
            assert_same_sum(&mut threads(3), deltas, start..start + SHARED_FROM + 77);
        }
    }

    #[test]
    fn nothing_shared_out_is_state_zero() {
        assert_eq!(threads(2).share_out(0, |_| 1), 0);
    }

    proptest! {
        #[test]
        fn any_number_of_threads_accumulates_what_the_reference_does(
            deltas in workloads(), indices in ranges(2000), part in 1..600u64
        ) {
            for workers in WORKERS {
                assert_same_sum(&mut threads_with_small_parts(workers, part), deltas, indices.clone());
            }
        }

        #[test]
        fn any_number_of_threads_takes_the_arrivals_that_the_reference_does(
            length in 0..3 * DELIVERY_SHARED_FROM, seed: u64, cut in 0..3 * DELIVERY_SHARED_FROM
        ) {
            let all = arrivals(length, seed);
            for workers in WORKERS {
                assert_same_delivery(&mut threads(workers), &all, cut);
                assert_same_delivery(&mut threads(workers), &all, 0);
            }
        }
    }
}
