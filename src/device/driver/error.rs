//! What can go wrong between the driver and a device.

use std::time::Duration;

use crate::bus::BusError;
use crate::device::driver::ECHOES;
use crate::device::mark;
use crate::domain::subject::DeviceIdentity;

/// Why the driver could not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// A word did not get through.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The device did not come to an end in time.
    #[error(
        "{link}: {what} was not done after {waited:?}; its status register reads {status:#010x}, expected {wanted}"
    )]
    Deadline {
        /// How the device is reached.
        link: String,
        /// What was waited for.
        what: String,
        /// How long, in the device's time.
        waited: Duration,
        /// The last status word.
        status: u32,
        /// What would have ended the wait.
        wanted: &'static str,
    },
    /// What answers is not the device.
    #[error(
        "{link}: the engine's status register reads {status:#010x} after {tries} reads; expected, twice the same, a \
         version of 1 or more in bits 31:24, 1 to 32 banks in bits 23:16 and 0 in bits 15:2 (the published board reads 0x02080000)"
    )]
    Identity {
        /// How the device is reached.
        link: String,
        /// The last status word.
        status: u32,
        /// How often it was read.
        tries: u32,
    },
    /// The engine is at work on something that was not asked of it here.
    #[error(
        "{link}: the engine is still busy with a run that was not started here, after {waited:.0?} (its status register \
         reads {status:#010x}). Is another program using the device? A run that was left behind ends by itself after {longest:.0?} \
         at the most; an engine that is busy for longer needs a reset"
    )]
    Occupied {
        /// How the device is reached.
        link: String,
        /// How long its end was waited for, in the device's time.
        waited: Duration,
        /// The last status word.
        status: u32,
        /// How long the longest run takes.
        longest: Duration,
    },
    /// What answers is another device than before.
    #[error(
        "{}: the device was version {} with {} banks, and is now version {version} with {banks}: was it exchanged, or \
         reset into another bitstream?",
        was.link, was.version, was.banks
    )]
    Exchanged {
        /// What it was.
        was: Box<DeviceIdentity>,
        /// Its version now.
        version: u32,
        /// Its number of banks now.
        banks: u32,
    },
    /// The adapter never gave back what was written to it.
    #[error(
        "{link}: the adapter did not give back a primed state after {tries} tries; expected {expected:#018x}, got {got:#018x}"
    )]
    Priming {
        /// How the device is reached.
        link: String,
        /// How often it was tried.
        tries: u32,
        /// What was written.
        expected: u64,
        /// What was read the last time.
        got: u64,
    },
    /// The link, or the device, changes bytes on their way.
    #[error(
        "{link}: {word:#018x} was written to the engine's seed registers and read back as {came:#018x}, {ECHOES} times \
         the same, and the adapter's operand registers change it, too. Does every byte get through? The line must have \
         eight bits and no parity, a terminal server must pass bytes as they are (raw, not telnet), and nothing may \
         translate line ends"
    )]
    Altered {
        /// How the device is reached.
        link: String,
        /// What was written.
        word: u64,
        /// What came back.
        came: u64,
    },
    /// One of the two seed registers answers with an emulator's mark, and the other does not.
    #[error(
        "{link}: the seed {:#018x}, which asks an emulator for its mark, was written and read back as {came:#018x}, {ECHOES} \
         times the same. One half of it is the mark of an emulator and the other is not: neither a device nor an emulator \
         answers so. Is a register of 32 bits stuck, or is another program between abench and the device?",
        mark::QUESTION
    )]
    HalfMark {
        /// How the device is reached.
        link: String,
        /// What came back.
        came: u64,
    },
    /// The user stopped the run.
    #[error("stopped by the user")]
    Interrupted,
}
