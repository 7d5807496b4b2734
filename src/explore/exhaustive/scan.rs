//! What the two fast walks over all subsets have in common: they look for a set that two ways reach in different
//! snapshots, and keep the smallest.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::subsets::{binomial, members};

/// A set, and a delta whose delivery as the last one gives another snapshot than the set's path does. By size of the
/// set, then by the set as a number, then by delta: the order in which the smallest is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mismatch {
    /// How many deltas.
    pub size: u32,
    /// Which.
    pub set: u64,
    /// The one that comes last.
    pub last: u32,
}

/// What a scan did and found.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The smallest mismatch in what was scanned.
    pub least: Option<Mismatch>,
    /// Whether all was scanned that could hold a smaller one.
    pub complete: bool,
    /// Ways that were compared, or that define a set's state; where there is a mismatch, an upper bound.
    pub merges: u64,
    /// Sets whose every predecessor was tried; likewise.
    pub sets: u64,
    /// All sets of up to so many deltas were scanned.
    pub settled: Option<u32>,
}

/// The smallest mismatch so far, shared by threads.
///
/// The size alone is read without a lock and used only to leave out sets that cannot hold a smaller mismatch, so that
/// neither the number of threads nor their timing changes which one remains.
#[derive(Debug)]
pub struct Least {
    size: AtomicU32,
    found: Mutex<Option<Mismatch>>,
}

impl Least {
    /// None so far.
    pub fn new() -> Self {
        Least { size: AtomicU32::new(u32::MAX), found: Mutex::new(None) }
    }

    /// Whether a set of this size could still be the smallest.
    pub fn admits(&self, size: u32) -> bool {
        size <= self.size.load(Ordering::Relaxed)
    }

    /// Takes note of a mismatch.
    pub fn offer(&self, mismatch: Mismatch) {
        let mut found = self.found.lock().expect("no thread panics while it holds the lock");
        if found.is_none_or(|least| mismatch < least) {
            *found = Some(mismatch);
            self.size.store(mismatch.size, Ordering::Relaxed);
        }
    }

    /// The smallest of all that were offered.
    pub fn into_found(self) -> Option<Mismatch> {
        self.found.into_inner().expect("no thread panicked")
    }
}

/// Up to which size all of `2^n` parts, ordered by size, are among the first `done`; and how many parts of the next size
/// are.
pub fn settled_sizes(n: u32, done: u64) -> (Option<u32>, u64) {
    let (mut settled, mut left) = (None, done);
    for size in 0..=n {
        if left < binomial(n, size) {
            break;
        }
        left -= binomial(n, size);
        settled = Some(size);
    }
    (settled, left)
}

/// The deltas of a set, ascending.
pub fn ascending(set: u64) -> Vec<u32> {
    members(set).collect()
}
