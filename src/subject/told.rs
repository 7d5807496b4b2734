//! What is told of a device once it has been used: what a run needs of it beside its answers. A journal keeps it, so that
//! the record of a run can be made where the device was not used.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bus::timed::{self, RoundTrips};
use crate::device::registers::CLOCK_HZ;
use crate::domain::asked::Asked;
use crate::domain::fault::{Activity, Fault};
use crate::domain::subject::{BenchDevice, Device};
use crate::report::record::{DeviceRecord, Latencies, Simulated};
use crate::subject::Subjects;
use crate::subject::device::BusDevice;
use crate::subject::serial::SerialDevice;

/// What is told of one device.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// What it says of itself, and what happened on its link.
    pub record: DeviceRecord,
    /// What was planted in it, and what each fault has done.
    pub planted: Vec<(Fault, Activity)>,
    /// What was asked of it, where it has a bench engine.
    pub asked: Option<Asked>,
    /// Whether it is in this process.
    pub in_process: bool,
    /// How long its round trips took.
    pub round_trips: Latencies,
    /// What it simulated, where it did.
    pub simulated: Option<Simulated>,
}

impl Told {
    fn of(device: &dyn Device, round_trips: &RoundTrips) -> Told {
        let identity = device.identity();
        Told {
            record: DeviceRecord {
                name: device.name().to_owned(),
                evidence: device.evidence(),
                version: identity.version,
                banks: identity.banks,
                link: identity.link.clone(),
                link_events: device.link_events().sentences(),
                opening: device.opening().to_vec(),
            },
            planted: device.planted(),
            asked: None,
            in_process: false,
            round_trips: Latencies::from(&*round_trips.borrow()),
            simulated: None,
        }
    }

    fn of_bench(device: &BusDevice) -> Told {
        let timed::Simulated { time, took } = device.simulated();
        let cycles = time.as_nanos() * u128::from(CLOCK_HZ) / 1_000_000_000;
        let (cycles, us) = (u64::try_from(cycles).unwrap_or(u64::MAX), took.as_micros() as u64);
        Told {
            asked: Some(device.asked().clone()),
            in_process: device.is_in_process(),
            simulated: (!time.is_zero()).then_some(Simulated { cycles, us }),
            ..Told::of(device, &device.round_trips())
        }
    }

    fn of_serial(device: &SerialDevice) -> Told {
        Told::of(device, &device.round_trips())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// Deltas of the longest run of its bench engine; 0 if there was none.
    pub fn longest_run(&self) -> u32 {
        self.asked.as_ref().map_or(0, Asked::longest_run)
    }
}

/// What a journal tells of devices that are not used here, by their names.
pub type Kept = BTreeMap<String, Told>;

impl Subjects {
    /// What is told of every device, in their order: by a journal where it tells of it, and otherwise by the device.
    pub fn told(&self) -> Vec<Told> {
        let of_benches = self.devices.iter().map(Told::of_bench);
        let live = of_benches.chain(self.serials.iter().map(Told::of_serial));
        live.map(|told| self.kept.get(told.name()).cloned().unwrap_or(told)).collect()
    }
}
