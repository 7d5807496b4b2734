//! The serial command protocol: one state, no contexts, no bench engine, and no register that tells what answers.

pub mod codec;

use std::time::{Duration, Instant};

use crate::bus::line::{Line, NoAnswer};
use crate::bus::stream::ByteStream;
use crate::bus::timed::{RoundTrips, record};
use crate::bus::{BusError, ask_again};
use crate::device::mark;
use crate::domain::evidence::Evidence;
use crate::domain::link_events::LinkEvents;

use codec::{ACCUMULATOR_IS_ZERO, Command};

/// How often a question is asked before the device is given up.
const TRIES: u32 = 2;

/// What answers to the serial command protocol.
pub struct Serial {
    line: Line,
    round_trips: RoundTrips,
    asked_again: u32,
    made_good: u32,
}

impl Serial {
    /// The device at the other end of this stream, once it has shown that it answers: before anything is written, and
    /// then to a known LOAD and ACCUM. Latencies of its answers go to `round_trips`.
    ///
    /// # Errors
    /// If it does not answer, or has not given back what was loaded after a bounded number of tries.
    pub fn open(stream: Box<dyn ByteStream>, round_trips: &RoundTrips) -> Result<Self, BusError> {
        let mut serial = Serial {
            line: Line::over(stream),
            round_trips: RoundTrips::clone(round_trips),
            asked_again: 0,
            made_good: 0,
        };
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
        for _ in 0..mark::STATUSES {
            if let Some(emulated) = mark::evidence_of_status(self.status()?) {
                return Ok(Some(emulated));
            }
        }
        Ok(None)
    }

    /// What happened on the line.
    pub fn link_events(&self) -> LinkEvents {
        LinkEvents { made_good: self.made_good, ..self.line.events().clone() }
    }

    /// How it is reached.
    pub fn link(&self) -> &str {
        self.line.link()
    }

    /// Loads and accumulates known words until what comes back is right.
    pub fn prime(&mut self) -> Result<(), BusError> {
        const REFERENCE: u64 = 0x0123_4567_89AB_CDEF;
        const DELTA: u64 = 0xA5A5_A5A5_5A5A_5A5A;
        const PRIMINGS: u32 = 16;
        let expected = (REFERENCE, REFERENCE ^ DELTA, 0);
        let (mut before, mut got) = (None, (0, 0, 0));
        for _ in 0..PRIMINGS {
            self.load(REFERENCE)?;
            self.accumulate(DELTA)?;
            before = Some(got.1);
            got = (self.word(Command::Reference)?, self.read()?, self.status()? & ACCUMULATOR_IS_ZERO);
            if got == expected {
                return Ok(());
            }
        }
        // A device that answers, though wrongly, is there: whether its answers are right is judged, not assumed. One
        // whose reference is not what was loaded is no device that speaks this protocol, nor is one that answers otherwise
        // each time.
        if got.0 == REFERENCE && before == Some(got.1) {
            return Ok(());
        }
        if got.0 == REFERENCE {
            return Err(self.error(format!(
                "what answers gives another state each time, in {PRIMINGS} tries; expected {:#018x} to R, got {:#018x}",
                expected.1, got.1
            )));
        }
        Err(self.error(format!(
            "what answers did not give back its reference in {PRIMINGS} tries; expected {REFERENCE:#018x} to D, got {:#018x}",
            got.0
        )))
    }

    fn error(&self, reason: impl Into<String>) -> BusError {
        BusError::on(self.line.link(), reason)
    }

    fn tell(&mut self, command: Command) -> Result<(), BusError> {
        self.line.tell(&command.encode()).map_err(|error| self.error(format!("{}: {error}", letter(command))))
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
        for tries in 0..TRIES {
            let start = Instant::now();
            match self.line.ask(&command.encode(), answer) {
                Ok(()) => {
                    self.made_good += u32::from(tries > 0);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::timed::no_round_trips;
    use codec::Decoder;
    use std::io;

    /// A far end that has forgotten a part of what it is told.
    #[derive(Default)]
    struct FarEnd {
        decoder: Decoder,
        reference: u64,
        accumulator: u64,
        keeps_no_reference: bool,
        keeps_no_accumulator: bool,
        answers_otherwise_each_time: bool,
        /// What S is answered with: the first answers, and all later ones.
        statuses: (Vec<u8>, u8),
        answer: Vec<u8>,
        /// Bytes of what is sent next that are lost.
        losing: usize,
        /// How long it was waited for in vain.
        waited: Duration,
    }

    impl ByteStream for FarEnd {
        fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
            let lost = std::mem::take(&mut self.losing);
            for &byte in &bytes[lost..] {
                match self.decoder.push(byte) {
                    Some(Command::Load(word)) if !self.keeps_no_reference => self.reference = word,
                    Some(Command::Accumulate(word)) if !self.keeps_no_accumulator => self.accumulator ^= word,
                    Some(Command::Read) => {
                        // A LOAD clears the accumulator of a sound one.
                        self.answer.extend((self.reference ^ self.accumulator).to_be_bytes());
                        self.accumulator = u64::from(self.answers_otherwise_each_time) * (self.accumulator + 1);
                    }
                    Some(Command::Reference) => self.answer.extend(self.reference.to_be_bytes()),
                    Some(Command::Status) => {
                        let (first, later) = &mut self.statuses;
                        self.answer.push(first.pop().unwrap_or(*later));
                    }
                    Some(Command::Load(_) | Command::Accumulate(_)) | None => {}
                }
            }
            Ok(())
        }

        fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<usize> {
            let got = buffer.len().min(self.answer.len());
            buffer[..got].copy_from_slice(&self.answer[..got]);
            self.answer.drain(..got);
            self.waited += if got == 0 { patience } else { Duration::ZERO };
            Ok(got)
        }

        fn now(&self) -> Instant {
            Instant::now() + self.waited
        }

        fn line_time(&self, _bytes: usize) -> Duration {
            Duration::ZERO
        }

        fn link(&self) -> &str {
            "far end"
        }
    }

    fn opened(far_end: FarEnd) -> Result<Serial, BusError> {
        Serial::open(Box::new(far_end), &no_round_trips())
    }

    #[test]
    fn what_does_not_give_back_its_reference_is_no_device_that_speaks_this_protocol() {
        let refused = opened(FarEnd { keeps_no_reference: true, ..FarEnd::default() }).err().expect("it is refused");
        let told = "far end: what answers did not give back its reference in 16 tries; expected 0x0123456789abcdef to D, \
                    got 0x0000000000000000";
        assert_eq!(refused.to_string(), told);
    }

    #[test]
    fn a_question_that_is_lost_is_asked_again() {
        let serial = opened(FarEnd { losing: 1, keeps_no_accumulator: true, ..FarEnd::default() }).expect("a device");
        assert_eq!(serial.asked_again, 1);
    }

    #[test]
    fn what_gives_another_state_each_time_is_no_device() {
        let far_end = FarEnd { answers_otherwise_each_time: true, keeps_no_accumulator: true, ..FarEnd::default() };
        let refused = opened(far_end).err().expect("it is refused").to_string();
        assert!(
            refused.contains("gives another state each time, in 16 tries; expected 0xa486e0c2d3f197b5 to R"),
            "{refused}"
        );
    }

    #[test]
    fn a_link_that_damages_some_answers_does_not_hide_the_mark_of_an_emulator() {
        let marked = mark::status_bits(Evidence::Model);
        // One status is asked for by opening, one by priming, and the mark four times.
        let told = |damaged| {
            let far_end = FarEnd { statuses: (vec![0; damaged], marked), ..FarEnd::default() };
            opened(far_end).expect("a device").mark()
        };
        assert_eq!(told(2 + 3), Ok(Some(Evidence::Model)));
        assert_eq!(told(2 + 4), Ok(None));
    }

    #[test]
    fn a_state_that_is_wrong_is_left_to_be_judged() {
        assert!(opened(FarEnd { keeps_no_accumulator: true, ..FarEnd::default() }).is_ok());
    }
}
