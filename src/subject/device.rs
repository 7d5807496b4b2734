//! Devices as subjects: the driver over some bus, by name.

use crate::bus::Bus;
use crate::bus::timed::{RoundTrips, TimedBus};
use crate::device::driver::{Driver, DriverError};
use crate::device::model::{Model, Plants};
use crate::domain::evidence::Evidence;
use crate::domain::execution::{AdapterOp, EngineOutcome, EngineRun};
use crate::domain::fault::{Activity, Fault};
use crate::domain::subject::{Device, DeviceIdentity, Subject, SubjectError};
use crate::domain::watch::Watch;

/// The longest arrival order that a device is asked to take through its adapter, which takes one delta at a time over
/// a link that may be slow.
const LONGEST_ORDER: u64 = 256;

/// A device at the other end of a bus.
pub struct BusDevice {
    name: String,
    evidence: Evidence,
    driver: Driver,
    round_trips: RoundTrips,
    plants: Plants,
}

impl BusDevice {
    /// The device over this bus, once it has told what it is.
    pub fn open(name: &str, evidence: Evidence, bus: Box<dyn Bus>, plants: Plants) -> Result<Self, SubjectError> {
        let timed = TimedBus::over(bus);
        let round_trips = timed.round_trips();
        let driver = Driver::open(Box::new(timed))?;
        Ok(BusDevice { name: name.to_owned(), evidence, driver, round_trips, plants })
    }

    /// The modelled device with so many banks and these faults in it.
    pub fn model(name: &str, banks: u32, faults: &[Fault]) -> Result<Self, SubjectError> {
        let plants = Plants::new(faults);
        let model = Model::new(banks, &plants);
        BusDevice::open(name, Evidence::Model, Box::new(model), plants)
    }

    /// Latencies of its register round trips, in nanoseconds.
    pub fn round_trips(&self) -> RoundTrips {
        RoundTrips::clone(&self.round_trips)
    }
}

impl From<DriverError> for SubjectError {
    fn from(error: DriverError) -> Self {
        match error {
            DriverError::Interrupted => SubjectError::Interrupted,
            other => SubjectError::Unavailable(other.to_string()),
        }
    }
}

impl Subject for BusDevice {
    fn name(&self) -> &str {
        &self.name
    }

    fn evidence(&self) -> Evidence {
        self.evidence
    }

    fn longest_order(&self) -> u64 {
        LONGEST_ORDER
    }

    fn planted(&self) -> Vec<(Fault, Activity)> {
        self.plants.activity()
    }

    fn reset(&mut self) -> Result<(), SubjectError> {
        Ok(self.driver.load(0, 0)?)
    }

    fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
        arrivals.iter().try_for_each(|&delta| Ok(self.driver.accumulate(delta)?))
    }

    fn observe(&mut self) -> Result<u64, SubjectError> {
        Ok(self.driver.read()?)
    }
}

impl Device for BusDevice {
    fn identity(&self) -> &DeviceIdentity {
        self.driver.identity()
    }

    fn run(&mut self, run: EngineRun, watch: &mut dyn Watch) -> Result<EngineOutcome, SubjectError> {
        Ok(self.driver.run(run, watch)?)
    }

    fn operate(&mut self, ops: &[AdapterOp]) -> Result<Vec<u64>, SubjectError> {
        Ok(self.driver.operate(ops)?)
    }
}
