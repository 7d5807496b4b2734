//! Waits for the engine: how long a run should take, and how long after that it is given up.

use std::time::Duration;

use crate::bus::MARGIN;
use crate::device::driver::{Driver, DriverError};
use crate::device::registers::engine;
use crate::domain::execution::EngineRun;
use crate::domain::watch::Watch;

/// The longest pause between two looks at a busy device, so that a long run can be stopped and shows progress.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// How much longer than its time an answer of a device in this process may take at least: a million clocks.
const SIMULATED_MARGIN: Duration = Duration::from_millis(10);

/// How long is waited for the end of a run whose outcome nobody wants: one that was found at open, or was left. Longer
/// runs exist; who stops one, or starts another, is not kept waiting for them.
const LONGEST_REST: Duration = Duration::from_secs(5);

impl Driver {
    pub(super) fn await_engine(&mut self, run: EngineRun, watch: &mut dyn Watch) -> Result<(), DriverError> {
        let expected = self.expected(run.cycles());
        let start = self.bus.elapsed();
        let patience = expected + self.margin(expected);
        let mut reported = 0;
        loop {
            let waited = self.bus.elapsed() - start;
            let done = share(u64::from(run.count), waited, expected);
            watch.advance(done - reported);
            reported = done;
            let status = self.read_engine(engine::STATUS)?;
            if status & engine::DONE != 0 && status & engine::BUSY == 0 {
                watch.advance(u64::from(run.count) - reported);
                return Ok(());
            }
            if watch.stop_requested() {
                return Err(DriverError::Interrupted);
            }
            if waited >= patience {
                let what = format!("a run of {} deltas on {} banks", run.count, run.active);
                return Err(self.late(what, waited, status, "bit 1 (done) set and bit 0 (busy) clear"));
            }
            self.bus.pause(until_next_look(expected, waited));
        }
    }

    /// Waits, within a bound, until the engine is not busy. A start would be ignored by one that is, and the outcome that
    /// it then shows would be that of another run.
    pub(super) fn await_idle(&mut self) -> Result<(), DriverError> {
        let start = self.bus.elapsed();
        loop {
            let waited = self.bus.elapsed() - start;
            let status = self.read_engine(engine::STATUS)?;
            if status & engine::BUSY == 0 {
                return Ok(());
            }
            if waited >= LONGEST_REST {
                let longest = self.expected(u32::MAX);
                return Err(DriverError::Occupied { link: self.bus.link().to_owned(), waited, status, longest });
            }
            self.bus.pause(LONGEST_PAUSE);
        }
    }

    /// Waits, within a bound, for the end of a run that was left: a run cannot be stopped. Gives whether it has ended.
    pub(super) fn let_run_end(&mut self) -> Result<bool, DriverError> {
        let Some(end) = self.running else { return Ok(true) };
        let now = self.bus.elapsed();
        let deadline = (end.max(now) + MARGIN).min(now + LONGEST_REST);
        while self.bus.elapsed() < deadline {
            if self.read_engine(engine::STATUS)? & engine::BUSY == 0 {
                self.running = None;
                return Ok(true);
            }
            self.bus.pause(LONGEST_PAUSE);
        }
        Ok(false)
    }

    /// How long after its time an answer is waited for. The time of a device in this process is that of its clock, and
    /// nothing but the device can be late: to wait for a second of it may take a simulation a minute.
    pub(super) fn margin(&self, expected: Duration) -> Duration {
        if self.bus.ends_with_its_driver() { MARGIN.min(7 * expected + SIMULATED_MARGIN) } else { MARGIN }
    }

    /// How long a run of so many clock cycles should take.
    pub(super) fn expected(&self, cycles: u32) -> Duration {
        Duration::from_nanos(u64::from(cycles) * 1_000_000_000 / self.clock_hz.max(1))
    }

    pub(super) fn late(&self, what: String, waited: Duration, status: u32, wanted: &'static str) -> DriverError {
        DriverError::Deadline { link: self.bus.link().to_owned(), what, waited, status, wanted }
    }
}

/// How long to wait before the next look at a run: as long as it should still take. A run that is overdue is looked at
/// less and less often: a thousand looks a millisecond, for a second, cost more than they show.
pub(super) fn until_next_look(expected: Duration, waited: Duration) -> Duration {
    let (left, overdue) = (expected.saturating_sub(waited), waited.saturating_sub(expected));
    left.max(overdue / 4).clamp(Duration::from_micros(1), LONGEST_PAUSE)
}

/// The part of `whole` that should be done after `waited` of `expected`.
fn share(whole: u64, waited: Duration, expected: Duration) -> u64 {
    if expected.is_zero() {
        return 0;
    }
    let done = u128::from(whole) * waited.as_nanos() / expected.as_nanos();
    u64::try_from(done).unwrap_or(whole).min(whole)
}
