//! UARTBone: the bus of a LiteX SoC over a serial line, or over a TCP connection that stands for one.
//!
//! Nothing is acknowledged, so a lost byte shows as an answer that does not come: the line is then left quiet until
//! the far end has forgotten what it had, and the read is asked once more. One read is under way at a time, since the
//! far end does not listen while it answers.

pub mod codec;

use std::time::{Duration, Instant};

use crate::bus::stream::{ByteStream, NoAnswer, ask};
use crate::bus::{Bus, BusError};

use codec::{Command, words_of};

/// How often a read is asked before the device is given up.
const TRIES: u32 = 2;

/// Words in one write; LiteX's own clients send no longer ones.
const WRITTEN_AT_ONCE: usize = 8;

/// A bus over a stream of bytes.
pub struct UartBone {
    stream: Box<dyn ByteStream>,
    opened: Instant,
}

impl UartBone {
    /// The bus at the other end of this stream.
    pub fn over(stream: Box<dyn ByteStream>) -> Self {
        UartBone { stream, opened: Instant::now() }
    }

    fn error(&self, reason: impl Into<String>) -> BusError {
        BusError::on(self.stream.link(), reason)
    }

    /// Reads consecutive words.
    fn read_run(&mut self, address: u32, words: &mut [u32]) -> Result<(), BusError> {
        let question = Command::Read { address, words: words.len() as u8, fixed: false }.encode();
        let mut answer = vec![0; 4 * words.len()];
        let (mut most, mut patience) = (0, Duration::ZERO);
        for _ in 0..TRIES {
            match ask(self.stream.as_mut(), &question, &mut answer) {
                Ok(()) => {
                    words.copy_from_slice(&words_of(&answer));
                    return Ok(());
                }
                Err(NoAnswer::Short { got, waited }) => (most, patience) = (most.max(got), waited),
                Err(NoAnswer::OutOfStep(what)) => {
                    return Err(self.error(format!("read of {address:#010x}: {what}")));
                }
                Err(NoAnswer::Broken(error)) => {
                    return Err(self.error(format!("read of {address:#010x}: {error}")));
                }
            }
        }
        let wanted = answer.len();
        Err(self.error(format!(
            "no answer to a read of {address:#010x}: expected {wanted} bytes within {patience:.1?}, got {most}, asked \
             {TRIES} times"
        )))
    }
}

impl Bus for UartBone {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        let mut word = [0];
        self.read_run(address, &mut word)?;
        Ok(word[0])
    }

    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.write_run(address, &[word])
    }

    fn read_each(&mut self, addresses: &[u32], words: &mut [u32]) -> Result<(), BusError> {
        let mut first = 0;
        for run in addresses.chunk_by(|one, next| one.wrapping_add(4) == *next) {
            for part in run.chunks(codec::MOST_WORDS) {
                self.read_run(part[0], &mut words[first..first + part.len()])?;
                first += part.len();
            }
        }
        Ok(())
    }

    fn write_run(&mut self, address: u32, words: &[u32]) -> Result<(), BusError> {
        for (part, words) in words.chunks(WRITTEN_AT_ONCE).enumerate() {
            let address = address.wrapping_add((4 * WRITTEN_AT_ONCE * part) as u32);
            let bytes = Command::Write { address, words: words.to_vec(), fixed: false }.encode();
            self.stream.send(&bytes).map_err(|error| self.error(format!("write to {address:#010x}: {error}")))?;
        }
        Ok(())
    }

    fn elapsed(&self) -> Duration {
        self.opened.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn link(&self) -> &str {
        self.stream.link()
    }
}
