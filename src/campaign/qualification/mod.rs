//! Qualifications: faults and mutants are planted under scenarios, and what finds them is counted.
//!
//! A qualification measures scenarios and judges, not what they put on trial.

pub mod devices;
pub mod engines;

use crate::domain::watch::Watch;

/// A run within a larger one: it shows no progress of its own, and stops when the larger one does.
struct Quiet<'a>(&'a dyn Watch);

impl Watch for Quiet<'_> {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        self.0.stop_requested()
    }
}
