//! Devices as subjects: the driver over some bus, by name.

use crate::bus::timed::{self, RoundTrips, TimedBus};
use crate::bus::{Bus, BusError};
use crate::device::driver::{Driver, DriverError};
use crate::device::model::{Model, Plants};
use crate::domain::evidence::Evidence;
use crate::domain::execution::{AdapterOp, EngineOutcome, EngineRun};
use crate::domain::fault::{Activity, Fault, Site};
use crate::domain::subject::{Device, DeviceIdentity, Drive, Subject, SubjectError};
use crate::domain::watch::Watch;
use crate::domain::waveform::Look;

/// The longest arrival order that a device is asked to take through its adapter, which takes one delta at a time over
/// a link that may be slow.
pub const LONGEST_ORDER: u64 = 256;

/// A device at the other end of a bus.
pub struct BusDevice {
    name: String,
    evidence: Evidence,
    connect: Box<dyn Fn() -> Result<Box<dyn Bus>, BusError>>,
    driver: Driver,
    round_trips: RoundTrips,
    plants: Plants,
    look: Option<LookInto>,
}

/// How a device is looked into while it is used again.
pub type LookInto = Box<dyn Fn(Site, &mut Drive) -> Result<Look, SubjectError>>;

impl BusDevice {
    /// The device at the other end of what `connect` gives, once it has told what it is.
    pub fn open(
        name: &str,
        evidence: Evidence,
        plants: Plants,
        connect: impl Fn() -> Result<Box<dyn Bus>, BusError> + 'static,
    ) -> Result<Self, SubjectError> {
        let round_trips = timed::no_round_trips();
        let bus = connect().map_err(DriverError::from)?;
        let driver = Driver::open(Box::new(TimedBus::over(bus, &round_trips)))?;
        let device = BusDevice {
            name: name.to_owned(),
            evidence,
            connect: Box::new(connect),
            driver,
            round_trips,
            plants,
            look: None,
        };
        // What opening it took is no part of any execution.
        device.plants.forget();
        Ok(device)
    }

    /// The modelled device with so many banks and these faults in it.
    pub fn model(name: &str, banks: u32, faults: &[Fault]) -> Result<Self, SubjectError> {
        let plants = Plants::new(faults);
        let planted = plants.clone();
        BusDevice::open(name, Evidence::Model, plants, move || Ok(Box::new(Model::new(banks, &planted))))
    }

    /// The same device, which can be looked into in this way.
    pub fn with_look(self, look: LookInto) -> Self {
        BusDevice { look: Some(look), ..self }
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

    fn restart(&mut self) -> Result<(), SubjectError> {
        let activity = self.plants.activity();
        let bus = (self.connect)().map_err(DriverError::from)?;
        self.driver = Driver::open(Box::new(TimedBus::over(bus, &self.round_trips)))?;
        self.plants.set_activity(&activity);
        Ok(())
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

    fn can_be_looked_into(&self) -> bool {
        self.look.is_some()
    }

    fn look_into(&self, part: Site, drive: &mut Drive) -> Result<Option<Look>, SubjectError> {
        self.look.as_ref().map(|look| look(part, drive)).transpose()
    }
}
