//! How 32-bit words get to a device and back.
//!
//! Knows: addresses, words, links and time on a link. Must not: know what any register means.

pub mod etherbone;
pub mod line;
pub mod mapped;
pub mod stream;
pub mod timed;
pub mod tty_lock;
pub mod uartbone;

use std::time::Duration;

use crate::domain::link_events::LinkEvents;

/// How much longer than the line needs an answer may take: room for the far end, and for a busy machine.
pub const MARGIN: Duration = Duration::from_secs(1);

/// How often questions may be asked again on one link, all together. Each takes about a second: a link that needs it
/// more often would keep a run waiting for hours, and is none to judge a device by.
pub const MOST_ASKED_AGAIN: u32 = 32;

/// Counts that a question has to be asked again; `Err` says that this was too often.
pub fn ask_again(asked_again: &mut u32) -> Result<(), String> {
    *asked_again += 1;
    if *asked_again <= MOST_ASKED_AGAIN {
        return Ok(());
    }
    Err(format!("the link loses too much: questions had to be asked again {asked_again} times in one run"))
}

/// Why a word did not get through.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The link is gone, or did not answer in time.
    #[error("{link}: {reason}")]
    Link {
        /// How the device is reached.
        link: String,
        /// What happened.
        reason: String,
    },
}

impl BusError {
    /// What happened on this link.
    pub fn on(link: &str, reason: impl Into<String>) -> Self {
        BusError::Link { link: link.to_owned(), reason: reason.into() }
    }
}

/// 32-bit register access to a device, however reached.
///
/// A register that is read is not changed by it: a read that got no answer may be asked again.
pub trait Bus {
    /// Reads the word at this byte address.
    fn read(&mut self, address: u32) -> Result<u32, BusError>;

    /// Writes the word at this byte address.
    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError>;

    /// Reads the words at these byte addresses, one after the other in this order; in fewer round trips where the link
    /// can. `words` is as long as `addresses`.
    fn read_each(&mut self, addresses: &[u32], words: &mut [u32]) -> Result<(), BusError> {
        for (address, word) in addresses.iter().zip(words) {
            *word = self.read(*address)?;
        }
        Ok(())
    }

    /// Writes the first of these words at this byte address, the next one four bytes further, and so on; in fewer
    /// messages where the link can.
    fn write_run(&mut self, address: u32, words: &[u32]) -> Result<(), BusError> {
        (address..).step_by(4).zip(words).try_for_each(|(address, word)| self.write(address, *word))
    }

    /// Writes those bytes of a word that `bytes` selects, bit k the k-th lowest byte. `false`, and nothing is written, where
    /// the link cannot write less than a word.
    fn write_bytes(&mut self, _address: u32, _word: u32, _bytes: u8) -> Result<bool, BusError> {
        Ok(false)
    }

    /// Whether [`Bus::write_bytes`] can write less than a word.
    fn selects_bytes(&self) -> bool {
        false
    }

    /// The device is open: what is asked from now on is no part of opening it.
    fn opened(&mut self) {}

    /// Time since the link was opened, by the device's side of it: real for a board, simulated for a model. Deadlines
    /// are measured in it, so a model's deadline does not depend on the machine.
    fn elapsed(&self) -> Duration;

    /// Lets this much of that time pass.
    fn pause(&mut self, duration: Duration);

    /// What happened on the link, and was survived.
    fn events(&self) -> LinkEvents {
        LinkEvents::default()
    }

    /// Whether the device ends with whoever drives it, so that nobody after them finds it at work: one in this process.
    fn ends_with_its_driver(&self) -> bool {
        false
    }

    /// How the device is reached, for messages and records.
    fn link(&self) -> &str;
}
