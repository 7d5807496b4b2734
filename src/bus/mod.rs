//! How 32-bit words get to a device and back.
//!
//! Knows: addresses, words, links and time on a link. Must not: know what any register means.

pub mod timed;

use std::time::Duration;

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

/// 32-bit register access to a device, however reached.
pub trait Bus {
    /// Reads the word at this byte address.
    fn read(&mut self, address: u32) -> Result<u32, BusError>;

    /// Writes the word at this byte address.
    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError>;

    /// Time since the link was opened, by the device's side of it: real for a board, simulated for a model. Deadlines
    /// are measured in it, so a model's deadline does not depend on the machine.
    fn elapsed(&self) -> Duration;

    /// Lets this much of that time pass.
    fn pause(&mut self, duration: Duration);

    /// How the device is reached, for messages and records.
    fn link(&self) -> &str;
}
