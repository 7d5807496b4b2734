//! What the two fast walks over all subsets have in common: they look for a set that two ways reach in different
//! snapshots, and keep the smallest.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::subsets::members;
use crate::domain::delta::{Generate, SplitMix64};

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
    /// Ways that were compared, or that define a set's state, as counted where that was done.
    pub merges: u64,
    /// Sets whose every predecessor was tried; likewise.
    pub sets: u64,
    /// All sets of up to so many deltas were scanned; likewise.
    pub settled: Option<u32>,
}

/// What a walk did, counted where it did it.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Ways that were compared, or that define a set's state.
    pub merges: u64,
    /// Sets.
    pub sets: u64,
    /// Of the parts of each size: how many were walked, and the sum of their marks, by which two walks over the same part
    /// are told from walks over two.
    parts: [(u64, u64); SIZES],
}

/// Sizes that a part can have.
const SIZES: usize = 65;

/// What a part adds to the sum of its size.
fn mark(part: u64) -> u64 {
    SplitMix64.generate(part)
}

impl Counted {
    /// Nothing so far.
    pub fn nothing() -> Self {
        Counted { merges: 0, sets: 0, parts: [(0, 0); SIZES] }
    }

    /// A part was walked.
    pub fn part(&mut self, part: u64) {
        let (number, marks) = &mut self.parts[part.count_ones() as usize];
        (*number, *marks) = (*number + 1, marks.wrapping_add(mark(part)));
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Counted) {
        self.merges += other.merges;
        self.sets += other.sets;
        for ((number, marks), (more, other)) in self.parts.iter_mut().zip(&other.parts) {
            (*number, *marks) = (*number + more, marks.wrapping_add(*other));
        }
    }

    /// The largest size up to which every one of `2^bits` parts was walked once; `None` if none was.
    pub fn settled(&self, bits: u32) -> Option<u32> {
        let mut due = Counted::nothing();
        (0..1u64 << bits).for_each(|part| due.part(part));
        (0..=bits).take_while(|&size| self.parts[size as usize] == due.parts[size as usize]).last()
    }
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

/// The deltas of a set, ascending.
pub fn ascending(set: u64) -> Vec<u32> {
    members(set).collect()
}
