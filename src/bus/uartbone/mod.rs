//! UARTBone: the bus of a LiteX SoC over a serial line, or over a TCP connection that stands for one.
//!
//! Nothing is acknowledged, so a lost byte shows as an answer that does not come: the line is then left quiet until
//! the far end has dropped what it had ([`codec::COMMAND_TIME`] after its first byte, and so never longer after the last one
//! that was sent), and the read is asked once more. One read is under way at a time, since the far end does not listen while
//! it answers. A command and its answer must be over within that time, which limits the words of one command on a slow line.

pub mod codec;

use std::time::{Duration, Instant};

use crate::bus::line::{Line, NoAnswer};
use crate::bus::stream::ByteStream;
use crate::bus::{Bus, BusError, ask_again};
use crate::domain::link_events::LinkEvents;

use codec::{COMMAND_TIME, Command, HEAD, words_of};

/// How often a read is asked before the device is given up.
const TRIES: u32 = 2;

/// Words in one write; LiteX's own clients send no longer ones.
const WRITTEN_AT_ONCE: usize = 8;

/// A bus over a stream of bytes.
pub struct UartBone {
    line: Line,
    opened: Instant,
    asked_again: u32,
    made_good: u32,
}

impl UartBone {
    /// The bus at the other end of this stream.
    pub fn over(stream: Box<dyn ByteStream>) -> Self {
        UartBone { line: Line::over(stream), opened: Instant::now(), asked_again: 0, made_good: 0 }
    }

    fn error(&self, reason: impl Into<String>) -> BusError {
        BusError::on(self.line.link(), reason)
    }

    /// How many words, at most so many, the far end can take or give in the time that it keeps a command for.
    fn words_at_once(&self, most: usize) -> usize {
        (1..=most).rev().find(|words| self.line.line_time(HEAD + 4 * words) <= COMMAND_TIME).unwrap_or(1)
    }

    /// What is wrong with a line on which no command of a single word is over in its time.
    fn too_slow(&self) -> &'static str {
        if self.line.line_time(HEAD + 4) <= COMMAND_TIME {
            return "";
        }
        ". LiteX drops a command, answer included, 100 ms after its first byte, and at this rate one word takes longer: use \
         1200 baud or more"
    }

    /// Reads consecutive words.
    fn read_run(&mut self, address: u32, words: &mut [u32]) -> Result<(), BusError> {
        let question = Command::Read { address, words: words.len() as u8, fixed: false }.encode();
        let mut answer = vec![0; 4 * words.len()];
        let (mut most, mut patience) = (0, Duration::ZERO);
        for tries in 0..TRIES {
            match self.line.ask(&question, &mut answer) {
                Ok(()) => {
                    self.made_good += u32::from(tries > 0);
                    words.copy_from_slice(&words_of(&answer));
                    return Ok(());
                }
                Err(NoAnswer::Short { got, waited }) => {
                    (most, patience) = (most.max(got), waited);
                    ask_again(&mut self.asked_again).map_err(|reason| self.error(reason))?;
                }
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
             {TRIES} times{}",
            self.too_slow()
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
            for part in run.chunks(self.words_at_once(codec::MOST_WORDS)) {
                self.read_run(part[0], &mut words[first..first + part.len()])?;
                first += part.len();
            }
        }
        Ok(())
    }

    fn write_run(&mut self, address: u32, words: &[u32]) -> Result<(), BusError> {
        let at_once = self.words_at_once(WRITTEN_AT_ONCE);
        for (part, words) in words.chunks(at_once).enumerate() {
            let address = address.wrapping_add((4 * at_once * part) as u32);
            let bytes = Command::Write { address, words: words.to_vec(), fixed: false }.encode();
            self.line.tell(&bytes).map_err(|error| self.error(format!("write to {address:#010x}: {error}")))?;
        }
        Ok(())
    }

    fn events(&self) -> LinkEvents {
        LinkEvents { made_good: self.made_good, ..self.line.events().clone() }
    }

    fn elapsed(&self) -> Duration {
        self.opened.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn link(&self) -> &str {
        self.line.link()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::MOST_ASKED_AGAIN;
    use codec::{Access, Decoder};
    use std::io;

    /// A far end whose every register reads as its own address, on a line that can lose or add bytes.
    #[derive(Default)]
    struct FarEnd {
        decoder: Decoder,
        answer: Vec<u8>,
        /// Bytes of what is sent next that are lost.
        losing: usize,
        /// What comes behind the next answer that nobody asked for.
        surplus: Vec<u8>,
        /// How long it was waited for in vain.
        waited: Duration,
    }

    impl ByteStream for FarEnd {
        fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
            let lost = std::mem::take(&mut self.losing);
            for &byte in &bytes[lost..] {
                let Some(read @ Access::Read { .. }) = self.decoder.push(byte, Duration::ZERO) else { continue };
                self.answer.extend(read.addresses().flat_map(u32::to_be_bytes));
                self.answer.append(&mut self.surplus);
            }
            Ok(())
        }

        fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<usize> {
            if self.answer.is_empty() && patience > Duration::from_millis(100) {
                self.decoder.forget();
            }
            let got = buffer.len().min(self.answer.len());
            buffer[..got].copy_from_slice(&self.answer[..got]);
            self.answer.drain(..got);
            self.waited += if got == 0 { patience } else { Duration::ZERO };
            Ok(got)
        }

        fn line_time(&self, _bytes: usize) -> Duration {
            Duration::ZERO
        }

        fn now(&self) -> Instant {
            Instant::now() + self.waited
        }

        fn link(&self) -> &str {
            "far end"
        }
    }

    #[test]
    fn words_are_read_in_the_order_in_which_they_are_asked_for() {
        let mut bus = UartBone::over(Box::new(FarEnd::default()));
        let addresses = [8, 12, 16, 4, 8, 100];
        let mut words = [0; 6];
        bus.read_each(&addresses, &mut words).expect("words");
        assert_eq!(words, addresses);
    }

    #[test]
    fn a_lost_byte_is_made_good_by_silence_and_asking_again() {
        let mut bus = UartBone::over(Box::new(FarEnd { losing: 1, ..FarEnd::default() }));
        assert_eq!(bus.read(0xF002_1020), Ok(0xF002_1020));
        assert_eq!(bus.read(0xF002_1024), Ok(0xF002_1024));
    }

    #[test]
    fn a_link_that_loses_something_again_and_again_is_given_up() {
        let mut bus = UartBone::over(Box::new(FarEnd { losing: 1, ..FarEnd::default() }));
        bus.asked_again = MOST_ASKED_AGAIN;
        let failed = bus.read(4).expect_err("it is given up");
        assert!(failed.to_string().contains("asked again 33 times in one run"), "{failed}");
    }

    /// A far end on a line of a rate, which notes how many words each command has.
    struct Slow {
        baud: u32,
        words: std::rc::Rc<std::cell::RefCell<Vec<usize>>>,
        answer: Vec<u8>,
        written: std::rc::Rc<std::cell::RefCell<Vec<(u32, u32)>>>,
    }

    impl ByteStream for Slow {
        fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
            let mut decoder = Decoder::default();
            self.words.borrow_mut().push(bytes[1].into());
            for access in bytes.iter().filter_map(|&byte| decoder.push(byte, Duration::ZERO)) {
                match access {
                    Access::Write { address, word } => self.written.borrow_mut().push((address, word)),
                    Access::Read { .. } => self.answer.extend(access.addresses().flat_map(u32::to_be_bytes)),
                }
            }
            Ok(())
        }

        fn receive(&mut self, buffer: &mut [u8], _patience: Duration) -> io::Result<usize> {
            let got = buffer.len().min(self.answer.len());
            buffer[..got].copy_from_slice(&self.answer[..got]);
            self.answer.drain(..got);
            Ok(got)
        }

        fn line_time(&self, bytes: usize) -> Duration {
            crate::bus::stream::line_time(bytes, self.baud)
        }

        fn link(&self) -> &str {
            "slow"
        }
    }

    #[test]
    fn a_command_has_no_more_words_than_its_line_carries_in_the_time_that_the_far_end_keeps_it() {
        // 115200 baud carry 1152 bytes in 100 ms, 9600 carry 96, 2400 carry 24 and 1200 carry 12.
        for (baud, written, read) in [(115_200, 8, 255), (9600, 8, 22), (2400, 4, 4), (1200, 1, 1), (300, 1, 1)] {
            let (sizes, kept) = (std::rc::Rc::default(), std::rc::Rc::default());
            let far = Slow {
                baud,
                words: std::rc::Rc::clone(&sizes),
                answer: Vec::new(),
                written: std::rc::Rc::clone(&kept),
            };
            let mut bus = UartBone::over(Box::new(far));
            let words: Vec<u32> = (100..119).collect();
            bus.write_run(0xF002_0000, &words).expect("it is sent");
            assert_eq!(sizes.borrow().iter().max(), Some(&written), "{baud}");
            let expected: Vec<(u32, u32)> = (0..19).map(|place| (0xF002_0000 + 4 * place, 100 + place)).collect();
            assert_eq!(*kept.borrow(), expected, "{baud}");
            sizes.borrow_mut().clear();
            let addresses: Vec<u32> = (0..300).map(|place| 4 * place).collect();
            let mut came = vec![0; 300];
            bus.read_each(&addresses, &mut came).expect("words");
            assert_eq!((sizes.borrow().iter().max(), came == addresses), (Some(&read), true), "{baud}");
        }
    }

    #[test]
    fn bytes_that_nobody_asked_for_are_not_taken_for_the_next_answer() {
        // So many that they are not all there at the first look.
        for surplus in [5, 500] {
            let surplus = vec![0xAA; surplus];
            let mut bus = UartBone::over(Box::new(FarEnd { surplus, ..FarEnd::default() }));
            assert_eq!(bus.read(4), Ok(4));
            assert_eq!(bus.read(8), Ok(8));
        }
    }

    #[test]
    fn a_line_that_does_not_fall_silent_is_given_up() {
        struct Babbling;
        impl ByteStream for Babbling {
            fn send(&mut self, _bytes: &[u8]) -> io::Result<()> {
                Ok(())
            }
            fn receive(&mut self, buffer: &mut [u8], _patience: Duration) -> io::Result<usize> {
                buffer.fill(0xAA);
                Ok(buffer.len())
            }
            fn line_time(&self, _bytes: usize) -> Duration {
                Duration::ZERO
            }
            fn link(&self) -> &str {
                "babbling"
            }
        }
        let error = UartBone::over(Box::new(Babbling)).read(4).expect_err("no answer").to_string();
        assert!(error.starts_with("babbling: read of 0x00000004: the line does not fall silent: "), "{error}");
    }

    #[test]
    fn a_far_end_that_stays_silent_is_asked_twice_and_given_up() {
        struct Silent;
        impl ByteStream for Silent {
            fn send(&mut self, _bytes: &[u8]) -> io::Result<()> {
                Ok(())
            }
            fn receive(&mut self, _buffer: &mut [u8], _patience: Duration) -> io::Result<usize> {
                Ok(0)
            }
            fn line_time(&self, _bytes: usize) -> Duration {
                Duration::ZERO
            }
            fn link(&self) -> &str {
                "silent"
            }
        }
        let error = UartBone::over(Box::new(Silent)).read(4).expect_err("no answer");
        let told = "silent: no answer to a read of 0x00000004: expected 4 bytes within 1.0s, got 0, asked 2 times";
        assert_eq!(error.to_string(), told);
    }
}
