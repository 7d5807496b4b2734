//! Work in numbered parts, shared out to threads, that can be stopped between parts.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::domain::watch::Watch;

/// Has `work` done for every range of `batch` parts below `total`, in any order, and gives the number of parts done.
///
/// Where the watch asks to stop, parts that were begun are finished: what is done is always `0..done`. Each worker makes
/// its own scratch space. The calling thread is a worker and the only one that talks to the watch.
pub fn in_parts<S>(
    total: u64,
    batch: u64,
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, Range<u64>) + Sync,
) -> u64 {
    let worker = |next: Next<'_>| {
        let mut own = scratch();
        while let Some(parts) = next() {
            work(&mut own, parts);
        }
    };
    by_workers(total, batch, threads, watch, &worker)
}

/// What a worker asks for its next parts, when it has done the last.
type Next<'a> = &'a mut dyn FnMut() -> Option<Range<u64>>;

/// The same for workers of any kind: threads are compiled once, and not for every kind of work.
fn by_workers(
    total: u64,
    batch: u64,
    threads: NonZeroUsize,
    watch: &mut dyn Watch,
    worker: &(dyn Fn(Next<'_>) + Sync),
) -> u64 {
    let (next, done, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let take = || {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        // Nothing but the number passes through the counter; results are handed over when the threads are joined.
        let start = next.fetch_add(batch, Ordering::Relaxed);
        (start < total).then(|| start..total.min(start + batch))
    };
    // What a worker took last is done when the worker asks for more.
    let and_count = |last: &mut u64| {
        let parts = take();
        *last = parts.as_ref().map_or(0, |parts| parts.end - parts.start);
        parts
    };
    thread::scope(|scope| {
        let workers = (threads.get() as u64).min(total.div_ceil(batch));
        // A thread that the system refuses to start is no error: the others take its parts.
        let others: Vec<_> = (1..workers)
            .map_while(|_| {
                let body = || {
                    let mut last = 0;
                    worker(&mut || {
                        done.fetch_add(last, Ordering::Relaxed);
                        and_count(&mut last)
                    });
                };
                thread::Builder::new().spawn_scoped(scope, body).ok()
            })
            .collect();
        let (mut last, mut told) = (0, 0);
        worker(&mut || {
            let now = last + done.fetch_add(last, Ordering::Relaxed);
            if last > 0 {
                watch.advance(now - told);
                told = now;
                if watch.stop_requested() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
            and_count(&mut last)
        });
        for other in others {
            if let Err(panic) = other.join() {
                std::panic::resume_unwind(panic);
            }
        }
        watch.advance(done.load(Ordering::Relaxed) - told);
    });
    done.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::Unwatched;
    use std::sync::Mutex;

    struct StopsAt(u64);

    impl Watch for StopsAt {
        fn begin(&mut self, _: &str, _: u64) {}
        fn advance(&mut self, units: u64) {
            self.0 = self.0.saturating_sub(units);
        }
        fn end(&mut self) {}
        fn stop_requested(&self) -> bool {
            self.0 == 0
        }
    }

    fn parts_done(total: u64, threads: usize, watch: &mut dyn Watch) -> (u64, Vec<u64>) {
        let seen = Mutex::new(Vec::new());
        let threads = NonZeroUsize::new(threads).unwrap();
        let done = in_parts(total, 7, threads, watch, || (), |(), parts| seen.lock().unwrap().extend(parts));
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        (done, seen)
    }

    #[test]
    fn every_part_is_done_once() {
        for threads in [1, 2, 5] {
            let (done, seen) = parts_done(1000, threads, &mut Unwatched);
            assert_eq!(done, 1000);
            assert!(seen.into_iter().eq(0..1000));
        }
    }

    #[test]
    fn what_was_done_before_a_stop_is_a_prefix() {
        for threads in [1, 2, 5] {
            // So many that the other threads never come to an end while the one that is told to stop waits for its turn.
            let (done, seen) = parts_done(u64::MAX >> 1, threads, &mut StopsAt(100));
            assert!((100..u64::MAX >> 1).contains(&done), "{done}");
            assert!(seen.into_iter().eq(0..done));
        }
    }
}
