//! What is asked of a device before it is used: what it is, whether it marks itself as an emulator, whether its link passes
//! every byte, and whether its adapter gives back a known state.

use crate::bus::Bus;
use crate::device::driver::{Driver, DriverError, ECHOES, OPERAND_REGISTERS, SEED_REGISTERS, TRIES};
use crate::device::mark;
use crate::device::registers::engine;
use crate::domain::access::Register;
use crate::domain::evidence::Evidence;
use crate::domain::subject::DeviceIdentity;

impl Driver {
    /// How the device's answers are got, where it is an emulator of ours and says so.
    pub fn mark(&mut self) -> Result<Option<Evidence>, DriverError> {
        let marked = self.ask_for_mark();
        // No question is left behind for whoever reads the seed next.
        self.bus.write_run(SEED_REGISTERS[0], &[1, 0])?;
        marked
    }

    pub(super) fn ask_for_mark(&mut self) -> Result<Option<Evidence>, DriverError> {
        // Whoever gives the question back as it was asked is no emulator of ours. What is neither that nor a mark was damaged
        // on its way, unless it is always the same.
        let (mut before, mut times) = (mark::QUESTION, 0);
        let mut half = None;
        for _ in 0..TRIES {
            let echo = self.echo_of(mark::QUESTION, SEED_REGISTERS)?;
            let words = [echo as u32, (echo >> 32) as u32];
            let marked = mark::evidence(&words);
            if mark::is_whole(words) {
                return Ok(marked);
            }
            if echo == mark::QUESTION {
                return Ok(half);
            }
            half = half.or(marked);
            times = if echo == before { times + 1 } else { 1 };
            before = echo;
            if times == ECHOES {
                return match marked {
                    Some(_) => Err(DriverError::HalfMark { link: self.bus.link().to_owned(), came: echo }),
                    None => Ok(half),
                };
            }
        }
        Ok(half)
    }

    /// Has every byte there is go to the device and come back. A terminal server in telnet mode, a tty that translates line
    /// ends and a line of seven bits change some of them, always in the same way, and would make a sound device look wrong.
    /// What comes otherwise each time is damaged by chance: that is no reason to refuse a link. Nor are registers of the
    /// engine that do not keep what the adapter's keep.
    pub(super) fn see_every_byte_come_back(&mut self) -> Result<(), DriverError> {
        if self.bus.ends_with_its_driver() {
            return Ok(());
        }
        for first in (0..=u8::MAX).step_by(8) {
            let word = u64::from_le_bytes(std::array::from_fn(|place| first + place as u8));
            let Some(came) = self.comes_back_as(word, SEED_REGISTERS)? else { continue };
            if self.comes_back_as(word, OPERAND_REGISTERS)?.is_some() {
                return Err(DriverError::Altered { link: self.bus.link().to_owned(), word, came });
            }
            // The link passes the word: the seed registers do not keep it.
            self.misread(Register::SeedLo, word as u32, came as u32);
            self.misread(Register::SeedHi, (word >> 32) as u32, (came >> 32) as u32);
        }
        Ok(())
    }

    /// What a word comes back as from a pair of registers, if that is always the same other one.
    pub(super) fn comes_back_as(&mut self, word: u64, registers: [u32; 2]) -> Result<Option<u64>, DriverError> {
        let mut came = None;
        for _ in 0..ECHOES {
            let echo = self.echo_of(word, registers)?;
            if echo == word || came.is_some_and(|came| came != echo) {
                return Ok(None);
            }
            came = Some(echo);
        }
        Ok(came)
    }

    pub(super) fn prime(&mut self) -> Result<(), DriverError> {
        const REFERENCE: u64 = 0x0123_4567_89AB_CDEF;
        const DELTA: u64 = 0xA5A5_A5A5_5A5A_5A5A;
        let expected = REFERENCE ^ DELTA;
        let (mut before, mut got) = (Vec::new(), 0);
        for tries in 0..TRIES {
            self.load(0, REFERENCE)?;
            self.accumulate(DELTA)?;
            before.push(got);
            got = self.read()?;
            if got == expected {
                if tries > 0 {
                    self.opening.push(format!(
                        "the adapter gave back a known state at try {} of {TRIES}; the last of the tries before read \
                         {:#018x}, expected {expected:#018x}",
                        tries + 1,
                        before.last().copied().unwrap_or_default()
                    ));
                }
                return Ok(());
            }
        }
        // A device that answers, though wrongly, is there: whether its answers are right is judged, not assumed. What it
        // keeps may make its answers come in turns. One that answers otherwise each time is not there.
        if got != 0 && before.contains(&got) {
            self.opening.push(format!(
                "the adapter gave back no known state in {TRIES} tries; expected {expected:#018x}, got {got:#018x}"
            ));
            return Ok(());
        }
        Err(DriverError::Priming { link: self.bus.link().to_owned(), tries: TRIES, expected, got })
    }
}

/// Asks the device what it is until it says the same twice: noise may look like an identity, but hardly so twice. Gives
/// how often it was asked, too.
pub(super) fn identify(bus: &mut dyn Bus) -> Result<(DeviceIdentity, u32), DriverError> {
    let (mut status, mut before) = (0, None);
    for read in 1..=TRIES {
        status = bus.read(engine::BASE + engine::STATUS)?;
        let (version, banks) = (status >> 24, status >> 16 & 0xFF);
        // A line that echoes gives back the question, 0x02013c00, which but for these zeros would be a device of one bank.
        let others_are_zero = status & 0xFFFF & !(engine::DONE | engine::BUSY) == 0;
        let is_identity = others_are_zero && version > 0 && (1..=crate::domain::fault::MOST_BANKS).contains(&banks);
        if is_identity && before == Some((version, banks)) {
            return Ok((DeviceIdentity { version, banks, link: bus.link().to_owned() }, read));
        }
        before = Some((version, banks));
    }
    Err(DriverError::Identity { link: bus.link().to_owned(), status, tries: TRIES })
}
