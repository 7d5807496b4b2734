//! Devices as subjects: the driver over some bus, by name.

use crate::bus::timed::{self, RoundTrips, Simulated, SimulatedTime, TimedBus};
use crate::bus::{Bus, BusError};
use crate::device::driver::{Driver, DriverError};
use crate::device::model::{Model, Plants};
use crate::device::registers::CLOCK_HZ;
use crate::domain::access::Access;
use crate::domain::asked::Asked;
use crate::domain::evidence::Evidence;
use crate::domain::execution::{AdapterOp, EngineOutcome, EngineRun};
use crate::domain::fault::{Activity, Fault, Site};
use crate::domain::link_events::LinkEvents;
use crate::domain::subject::{BenchDevice, Device, DeviceIdentity, Drive, Misread, Subject, SubjectError};
use crate::domain::watch::Watch;
use crate::domain::waveform::Look;
use crate::subject::links::LinkConditions;

/// The longest arrival order that a device is asked to take through its adapter, which takes one delta at a time over
/// a link that may be slow.
pub const LONGEST_ORDER: u64 = 256;

type Connect = Box<dyn Fn() -> Result<Box<dyn Bus>, BusError>>;

/// A device at the other end of a bus.
pub struct BusDevice {
    name: String,
    evidence: Evidence,
    /// Makes the device anew, where that can be done.
    connect: Option<Connect>,
    driver: Driver,
    round_trips: RoundTrips,
    simulated: SimulatedTime,
    plants: Plants,
    look: Option<LookInto>,
    asked: Asked,
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
        let (round_trips, simulated) = (timed::no_round_trips(), SimulatedTime::default());
        let bus = connect().map_err(DriverError::from)?;
        let driver = Driver::open(Box::new(TimedBus::over(bus, &round_trips, &simulated)))?;
        let (name, connect): (_, Option<Connect>) = (name.to_owned(), Some(Box::new(connect)));
        let device = BusDevice {
            name,
            evidence,
            connect,
            driver,
            round_trips,
            simulated,
            plants,
            look: None,
            asked: Asked::default(),
        };
        // What opening it took is no part of any execution.
        device.plants.forget();
        Ok(device)
    }

    /// The device at the other end of a link, which stays connected: a board cannot be made anew. What may be said of it
    /// is decided once it is known whether it bears the mark of an emulator.
    pub fn remote(name: &str, link: LinkConditions, bus: Box<dyn Bus>) -> Result<Self, SubjectError> {
        BusDevice::at(link.clock_hz, name, bus, |driver| link.attestation.evidence(driver.mark()?))
    }

    /// The same at the board's clock, with its evidence told by whoever knows it.
    pub fn linked(
        name: &str,
        bus: Box<dyn Bus>,
        evidence: impl FnOnce(&mut Driver) -> Result<Evidence, SubjectError>,
    ) -> Result<Self, SubjectError> {
        BusDevice::at(CLOCK_HZ, name, bus, evidence)
    }

    fn at(
        clock_hz: u64,
        name: &str,
        bus: Box<dyn Bus>,
        evidence: impl FnOnce(&mut Driver) -> Result<Evidence, SubjectError>,
    ) -> Result<Self, SubjectError> {
        let (round_trips, simulated) = (timed::no_round_trips(), SimulatedTime::default());
        let mut driver = Driver::open_at(clock_hz, Box::new(TimedBus::over(bus, &round_trips, &simulated)))?;
        let (name, evidence) = (name.to_owned(), evidence(&mut driver)?);
        let (plants, asked) = (Plants::default(), Asked::default());
        Ok(BusDevice { name, evidence, connect: None, driver, round_trips, simulated, plants, look: None, asked })
    }

    /// The modelled device with so many banks and these faults in it.
    pub fn model(name: &str, banks: u32, faults: &[Fault]) -> Result<Self, SubjectError> {
        let plants = Plants::new(faults);
        let planted = plants.clone();
        BusDevice::open(name, Evidence::Model, plants, move || Ok(Box::new(Model::new(banks, &planted))))
    }

    /// Makes the device anew and asks nothing of it.
    fn make_anew(&mut self) -> Result<(), SubjectError> {
        let Some(connect) = &self.connect else {
            let reason = "it is at the other end of a link, which cannot reset it; replay the case on model or rtl";
            return Err(SubjectError::Unavailable(format!("{}: {reason}", self.name)));
        };
        let activity = self.plants.activity();
        let bus = connect().map_err(DriverError::from)?;
        let identity = self.driver.identity().clone();
        self.driver = Driver::after_reset(Box::new(TimedBus::over(bus, &self.round_trips, &self.simulated)), identity);
        self.plants.set_activity(&activity);
        Ok(())
    }

    /// The same device, which can be looked into in this way.
    pub fn with_look(self, look: LookInto) -> Self {
        BusDevice { look: Some(look), ..self }
    }

    /// Latencies of its register round trips, in nanoseconds.
    pub fn round_trips(&self) -> RoundTrips {
        RoundTrips::clone(&self.round_trips)
    }

    /// What it simulated while its engine ran, where it is simulated.
    pub fn simulated(&self) -> Simulated {
        self.simulated.get()
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
        self.asked.restarted();
        let Some(connect) = &self.connect else { return Ok(self.driver.restart()?) };
        let activity = self.plants.activity();
        let bus = connect().map_err(DriverError::from)?;
        self.driver = Driver::open(Box::new(TimedBus::over(bus, &self.round_trips, &self.simulated)))?;
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

impl BenchDevice for BusDevice {
    fn run(&mut self, run: EngineRun, watch: &mut dyn Watch) -> Result<EngineOutcome, SubjectError> {
        let outcome = self.driver.run(run, watch)?;
        self.asked.run(run);
        Ok(outcome)
    }

    fn access(&mut self, accesses: &[Access], watch: &mut dyn Watch) -> Result<Vec<u32>, SubjectError> {
        if accesses.first() == Some(&Access::Reset) {
            self.make_anew()?;
        } else {
            self.restart()?;
        }
        if accesses.iter().skip(1).any(|&access| access == Access::Reset) {
            return Err(SubjectError::Unavailable(format!(
                "{}: a device is reset at the start of a case alone",
                self.name
            )));
        }
        let shown = self.driver.access(accesses, watch)?;
        self.asked.accesses(accesses);
        Ok(shown)
    }

    fn is_in_process(&self) -> bool {
        self.driver.is_in_process()
    }

    fn selects_bytes(&self) -> bool {
        self.driver.selects_bytes()
    }

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn can_be_looked_into(&self) -> bool {
        self.look.is_some()
    }

    fn look_into(&self, part: Site, drive: &mut Drive) -> Result<Option<Look>, SubjectError> {
        self.look.as_ref().map(|look| look(part, drive)).transpose()
    }
}

impl Device for BusDevice {
    fn identity(&self) -> &DeviceIdentity {
        self.driver.identity()
    }

    fn echo(&mut self, word: u64) -> Result<Option<u64>, SubjectError> {
        Ok(self.driver.echo(word)?)
    }

    fn link_events(&self) -> LinkEvents {
        self.driver.link_events()
    }

    fn misreads(&self) -> &[Misread] {
        self.driver.misreads()
    }

    fn opening(&self) -> &[String] {
        self.driver.opening()
    }

    fn operate(&mut self, ops: &[AdapterOp]) -> Result<Vec<u64>, SubjectError> {
        let shown = self.driver.operate(ops)?;
        self.asked.operations(ops);
        Ok(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::model::PUBLISHED_BANKS;
    use crate::subject::attestation::Attestation;

    /// A link to something that behaves like the device and does not mark itself.
    fn behind_a_link(attestation: Attestation) -> BusDevice {
        let unmarked = Model::new(PUBLISHED_BANKS, &Plants::default());
        let link = LinkConditions { attestation, ..LinkConditions::default() };
        BusDevice::remote("uartbone:x", link, Box::new(unmarked)).expect("it answers")
    }

    #[test]
    fn what_nobody_attested_is_no_silicon() {
        assert_eq!(behind_a_link(Attestation::None).evidence(), Evidence::Unattested);
        assert_eq!(behind_a_link(Attestation::Silicon).evidence(), Evidence::Silicon);
    }

    #[test]
    fn a_device_that_cannot_be_made_anew_is_brought_to_where_it_was_opened() {
        let mut device = behind_a_link(Attestation::None);
        let at_first = device.observe();
        device.operate(&[AdapterOp::Accumulate(5), AdapterOp::Read]).expect("it answers");
        device.restart().expect("it answers");
        assert_eq!(device.observe(), at_first);
    }
}
