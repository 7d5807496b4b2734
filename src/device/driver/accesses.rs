//! Accesses to registers, one after the other, as a list asks for them.

use std::time::Duration;

use crate::bus::BusError;
use crate::device::driver::waits::until_next_look;
use crate::device::driver::{Driver, DriverError};
use crate::device::registers::{address, engine};
use crate::domain::access::{Access, Register};
use crate::domain::watch::Watch;

/// Accesses between two looks at the watch.
const SLICE: usize = 256;

impl Driver {
    /// Makes these accesses; gives the words that they show. Nothing is cleared, repeated or read back in between: what
    /// the device makes of the accesses is what is asked for. A device is made anew by whoever holds it, not here.
    pub fn access(&mut self, accesses: &[Access], watch: &mut dyn Watch) -> Result<Vec<u32>, DriverError> {
        let mut shown = Vec::new();
        for slice in accesses.chunks(SLICE) {
            if watch.stop_requested() {
                return Err(DriverError::Interrupted);
            }
            for &access in slice {
                match access {
                    Access::Reset => {}
                    Access::Write(register, word) => {
                        self.bus.write(address(register), word)?;
                        match register {
                            Register::Count => self.count = word,
                            Register::Active => self.active = word.clamp(1, self.identity.banks.max(1)),
                            Register::Ctrl if word & engine::START != 0 => {
                                let end = self.bus.elapsed() + self.expected(self.cycles());
                                self.running.get_or_insert(end);
                            }
                            _ => {}
                        }
                    }
                    Access::WriteBytes(register, bytes, word) => {
                        if !self.bus.write_bytes(address(register), word, bytes)? {
                            let reason = "this link writes whole words alone, and the case selects bytes";
                            return Err(BusError::on(self.bus.link(), reason).into());
                        }
                    }
                    Access::See(register) => shown.push(self.bus.read(address(register))?),
                    Access::Do(command) => shown.push(self.answer(command.code())?),
                    Access::Finish | Access::PollDone | Access::PollIdle => {
                        shown.push(self.poll(access, self.expected(self.cycles()), watch)?);
                    }
                }
            }
            watch.advance(slice.len() as u64);
        }
        Ok(shown)
    }

    /// The cycles that a run takes with the settings that were written.
    fn cycles(&self) -> u32 {
        self.count.div_ceil(self.active.max(1))
    }

    /// The first word that ends this wait for a run that should take so long, or the one that is read when the run is
    /// long overdue.
    fn poll(&mut self, access: Access, expected: Duration, watch: &dyn Watch) -> Result<u32, DriverError> {
        let start = self.bus.elapsed();
        loop {
            let waited = self.bus.elapsed() - start;
            let status = self.read_engine(if access == Access::Finish { engine::STATUS } else { engine::CTRL })?;
            let (idle, done) = (status & engine::BUSY == 0, status & engine::DONE != 0);
            if idle && done {
                self.running = None;
            }
            let ends = match access {
                Access::PollDone => done,
                Access::PollIdle => idle,
                _ => idle && done,
            };
            if ends {
                return Ok(status);
            }
            if watch.stop_requested() {
                return Err(DriverError::Interrupted);
            }
            if waited >= expected + self.margin(expected) {
                return Ok(status);
            }
            self.bus.pause(until_next_look(expected, waited));
        }
    }
}
