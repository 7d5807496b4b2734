//! Devices that speak the serial protocol, as subjects.

use crate::bus::BusError;
use crate::bus::stream::ByteStream;
use crate::bus::timed::{self, RoundTrips};
use crate::device::serial::Serial;
use crate::domain::evidence::Evidence;
use crate::domain::execution::AdapterOp;
use crate::domain::link_events::LinkEvents;
use crate::domain::subject::{AdapterShape, Device, DeviceIdentity, Subject, SubjectError};
use crate::subject::attestation::Attestation;
use crate::subject::device::LONGEST_ORDER;

/// A device with one state and no bench engine, at the other end of a serial line.
pub struct SerialDevice {
    name: String,
    evidence: Evidence,
    identity: DeviceIdentity,
    serial: Serial,
    round_trips: RoundTrips,
}

impl SerialDevice {
    /// The device at the other end of this stream, once it has shown that it answers.
    pub fn open(name: &str, stream: Box<dyn ByteStream>, attestation: Attestation) -> Result<Self, SubjectError> {
        let round_trips = timed::no_round_trips();
        let mut serial = Serial::open(stream, &round_trips)?;
        let evidence = attestation.evidence(serial.mark()?)?;
        let identity = DeviceIdentity { version: 0, banks: 0, link: serial.link().to_owned() };
        Ok(SerialDevice { name: name.to_owned(), evidence, identity, serial, round_trips })
    }

    /// Latencies of its answers, in nanoseconds.
    pub fn round_trips(&self) -> RoundTrips {
        RoundTrips::clone(&self.round_trips)
    }
}

impl From<BusError> for SubjectError {
    fn from(error: BusError) -> Self {
        SubjectError::Unavailable(error.to_string())
    }
}

impl Subject for SerialDevice {
    fn name(&self) -> &str {
        &self.name
    }

    fn evidence(&self) -> Evidence {
        self.evidence
    }

    fn longest_order(&self) -> u64 {
        LONGEST_ORDER
    }

    fn restart(&mut self) -> Result<(), SubjectError> {
        Ok(self.serial.prime()?)
    }

    fn reset(&mut self) -> Result<(), SubjectError> {
        Ok(self.serial.load(0)?)
    }

    fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
        arrivals.iter().try_for_each(|&delta| Ok(self.serial.accumulate(delta)?))
    }

    fn observe(&mut self) -> Result<u64, SubjectError> {
        Ok(self.serial.read()?)
    }
}

impl Device for SerialDevice {
    fn identity(&self) -> &DeviceIdentity {
        &self.identity
    }

    fn adapter(&self) -> AdapterShape {
        AdapterShape::OneState
    }

    fn link_events(&self) -> LinkEvents {
        self.serial.link_events()
    }

    /// # Panics
    /// If an operation is about another context than 0, or a SWAP: [`AdapterShape::OneState`] has neither.
    fn operate(&mut self, ops: &[AdapterOp]) -> Result<Vec<u64>, SubjectError> {
        let mut shown = Vec::new();
        for op in ops {
            match *op {
                AdapterOp::Load { context: 0, reference } => self.serial.load(reference)?,
                AdapterOp::Accumulate(delta) => self.serial.accumulate(delta)?,
                AdapterOp::Read => shown.push(self.serial.read()?),
                other => panic!("{other} is not for a device that keeps one state"),
            }
        }
        Ok(shown)
    }
}
