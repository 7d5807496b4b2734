//! The RTL under Verilator as a subject: `rtl`, or `rtl:BANKS`.

use crate::device::model::Plants;
use crate::device::rtl::{MOST_PLANTED, Rtl, lockstep};
use crate::domain::evidence::Evidence;
use crate::domain::fault::Fault;
use crate::domain::subject::SubjectError;
use crate::subject::device::BusDevice;
use crate::subject::{Backend, Conditions, OpenError, Opened, open_device};

pub(super) fn open(backend: &Backend, conditions: &Conditions) -> Result<Opened, OpenError> {
    let planted = conditions.faults.len();
    if planted > MOST_PLANTED {
        let reason = format!("it has room for {MOST_PLANTED} planted faults, not {planted}; plant fewer");
        return Err(OpenError::Argument { backend: backend.to_string(), reason });
    }
    open_device(backend, conditions, device)
}

/// The simulated device with so many banks and these faults in it.
pub fn device(name: &str, banks: u32, faults: &[Fault]) -> Result<BusDevice, SubjectError> {
    let plants = Plants::new(faults);
    let planted = plants.clone();
    let device =
        BusDevice::open(name, Evidence::RtlSimulation, plants, move || Ok(Box::new(Rtl::new(banks, &planted)?)))?;
    let (name, faults) = (name.to_owned(), faults.to_vec());
    Ok(device.with_look(Box::new(move |part, drive| {
        lockstep::look(banks, &faults, part, |connect| {
            drive(&mut BusDevice::open(&name, Evidence::RtlSimulation, Plants::new(&faults), connect)?)
        })
    })))
}
