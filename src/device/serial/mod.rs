//! The serial command protocol: one state, no contexts, no bench engine, and no register that tells what answers.

pub mod codec;

use std::time::{Duration, Instant};

use crate::bus::stream::{ByteStream, NoAnswer, ask};
use crate::bus::timed::{RoundTrips, record};
use crate::bus::{BusError, ask_again};
use crate::device::mark;
use crate::domain::evidence::Evidence;

use codec::{ACCUMULATOR_IS_ZERO, Command};

/// How often a question is asked before the device is given up.
const TRIES: u32 = 2;

/// What answers to the serial command protocol.
pub struct Serial {
    stream: Box<dyn ByteStream>,
    round_trips: RoundTrips,
    asked_again: u32,
}

impl Serial {
    /// The device at the other end of this stream, once it has shown that it answers: before anything is written, and
    /// then to a known LOAD and ACCUM. Latencies of its answers go to `round_trips`.
    ///
    /// # Errors
    /// If it does not answer, or has not given back what was loaded after a bounded number of tries.
    pub fn open(stream: Box<dyn ByteStream>, round_trips: &RoundTrips) -> Result<Self, BusError> {
        let mut serial = Serial { stream, round_trips: RoundTrips::clone(round_trips), asked_again: 0 };
        serial.status()?;
        serial.prime()?;
        Ok(serial)
    }

    /// Loads a reference, which clears the accumulator.
    pub fn load(&mut self, reference: u64) -> Result<(), BusError> {
        self.tell(Command::Load(reference))
    }

    /// XORs a delta into the accumulator.
    pub fn accumulate(&mut self, delta: u64) -> Result<(), BusError> {
        self.tell(Command::Accumulate(delta))
    }

    /// The state.
    pub fn read(&mut self) -> Result<u64, BusError> {
        self.word(Command::Read)
    }

    /// How its answers are got, where it is an emulator of ours and says so.
    pub fn mark(&mut self) -> Result<Option<Evidence>, BusError> {
        // Several times: a link that damages one answer does not hide the mark.
        for _ in 0..mark::WORDS {
            if let Some(emulated) = mark::evidence_of_status(self.status()?) {
                return Ok(Some(emulated));
            }
        }
        Ok(None)
    }

    /// How it is reached.
    pub fn link(&self) -> &str {
        self.stream.link()
    }

    /// Loads and accumulates known words until what comes back is right.
    pub fn prime(&mut self) -> Result<(), BusError> {
        const REFERENCE: u64 = 0x0123_4567_89AB_CDEF;
        const DELTA: u64 = 0xA5A5_A5A5_5A5A_5A5A;
        const PRIMINGS: u32 = 16;
        let expected = (REFERENCE, REFERENCE ^ DELTA, 0);
        let mut got = (0, 0, 0);
        for _ in 0..PRIMINGS {
            self.load(REFERENCE)?;
            self.accumulate(DELTA)?;
            got = (self.word(Command::Reference)?, self.read()?, self.status()? & ACCUMULATOR_IS_ZERO);
            if got == expected {
                return Ok(());
            }
        }
        // A device that answers, though wrongly, is there: whether its answers are right is judged, not assumed. One
        // whose reference is not what was loaded is no device that speaks this protocol.
        if got.0 == REFERENCE {
            return Ok(());
        }
        Err(self.error(format!(
            "what answers did not give back its reference in {PRIMINGS} tries; expected {REFERENCE:#018x} to D, got {:#018x}",
            got.0
        )))
    }

    fn error(&self, reason: impl Into<String>) -> BusError {
        BusError::on(self.stream.link(), reason)
    }

    fn tell(&mut self, command: Command) -> Result<(), BusError> {
        self.stream.send(&command.encode()).map_err(|error| self.error(format!("{}: {error}", letter(command))))
    }

    fn word(&mut self, command: Command) -> Result<u64, BusError> {
        let mut word = [0; 8];
        self.ask(command, &mut word)?;
        Ok(u64::from_be_bytes(word))
    }

    fn status(&mut self) -> Result<u8, BusError> {
        let mut status = [0];
        self.ask(Command::Status, &mut status)?;
        Ok(status[0])
    }

    fn ask(&mut self, command: Command, answer: &mut [u8]) -> Result<(), BusError> {
        let (mut most, mut patience) = (0, Duration::ZERO);
        for _ in 0..TRIES {
            let start = Instant::now();
            match ask(self.stream.as_mut(), &command.encode(), answer) {
                Ok(()) => {
                    record(&mut self.round_trips.borrow_mut(), start.elapsed());
                    return Ok(());
                }
                Err(NoAnswer::Short { got, waited }) => {
                    (most, patience) = (most.max(got), waited);
                    ask_again(&mut self.asked_again).map_err(|reason| self.error(reason))?;
                }
                Err(NoAnswer::OutOfStep(what)) => return Err(self.error(format!("{}: {what}", letter(command)))),
                Err(NoAnswer::Broken(error)) => return Err(self.error(format!("{}: {error}", letter(command)))),
            }
        }
        let (letter, wanted) = (letter(command), answer.len());
        Err(self.error(format!(
            "no answer to {letter}: expected {wanted} bytes within {patience:.1?}, got {most}, asked {TRIES} times"
        )))
    }
}

fn letter(command: Command) -> char {
    command.encode()[0].into()
}
