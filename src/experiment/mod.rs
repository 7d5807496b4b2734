//! Experiments: a folder for each kind of trial, with its loop, its controls, and what it cannot see.
//!
//! An experiment adds what it finds to a [`Found`]. Knows: everything above it. Must not: print, read files, or know who
//! watches.

pub mod control;
pub mod crash;
pub mod jobs;
pub mod planting;
pub mod valid;
pub mod world;

use std::time::{Duration, Instant};

use crate::domain::subject::SubjectError;
use crate::report::offline_record::{EverywhereRecord, OfflineRecord};
use crate::report::record::{Check, Timing};

/// What an experiment has found so far.
#[derive(Default)]
pub struct Found {
    /// Its checks, in the order in which they were made.
    pub checks: Vec<Check>,
    /// What a world came to, where there was one.
    pub offline: Option<OfflineRecord>,
    /// What a crash walk came to, where there was one.
    pub everywhere: Option<EverywhereRecord>,
    /// How long its checks took.
    pub timing: Timing,
}

impl Found {
    /// Keeps how long a check took.
    pub fn took(&mut self, name: &str, time: Duration) {
        self.timing.checks_us.push((name.to_owned(), time.as_micros() as u64));
    }

    /// Makes a check and keeps how long it took.
    pub fn timed<T>(
        &mut self,
        name: &str,
        check: impl FnOnce(&mut Self) -> Result<T, SubjectError>,
    ) -> Result<T, SubjectError> {
        let start = Instant::now();
        let outcome = check(self);
        self.took(name, start.elapsed());
        outcome
    }
}
