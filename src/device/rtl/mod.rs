//! The RTL in `rtl/`, simulated by Verilator, behind a [`Bus`].
//!
//! Knows: how a Wishbone access goes, clock by clock, and how faults are planted. Must not: know what any register means,
//! or who drives it. What the RTL does at each register is the table in [`crate::device::model`].

mod ffi;
pub mod lockstep;
mod signals;
mod vcd;

use std::time::Duration;

use crate::bus::{Bus, BusError};
use crate::device::model::{ACCESS_CLOCKS, ALL_BYTES, Plants, slave};
use crate::device::plants;
use crate::device::registers::CLOCK_HZ;

use ffi::Simulation;

/// Clocks between two looks at what the planted faults have done: few enough that no count of 32 bits goes round, with
/// every fault in use in all lanes of each clock.
const CLOCKS_BETWEEN_COUNTS: u64 = 1 << 26;

/// How many faults there is room for.
pub const MOST_PLANTED: usize = plants::SLOTS;

/// The simulated device.
pub struct Rtl {
    simulation: Simulation,
    /// Where faults are planted, a sound device beside: what the faults change is what the two show differently.
    sound: Option<Simulation>,
    plants: Plants,
    /// How often each fault was in use when it was last looked at.
    counted: Vec<u32>,
    clock: u64,
    link: String,
}

impl Rtl {
    /// A device after reset whose engine has this many banks, with these faults in it.
    pub fn new(banks: u32, plants: &Plants) -> Result<Self, BusError> {
        // Its name and its number; the date of its release says no more.
        let simulator: Vec<String> = ffi::simulator().split(' ').take(2).map(str::to_owned).collect();
        let link = format!("{} simulation of rtl/abench_top.v", simulator.join(" "));
        let planted = plants.activity();
        let refused = |reason: String| BusError::Link { link: link.clone(), reason };
        let none = || refused(format!("there is no simulation with {banks} banks; there are those with 1 to 32"));
        if planted.len() > MOST_PLANTED {
            let reason = format!("it has room for {MOST_PLANTED} planted faults, not {}", planted.len());
            return Err(refused(reason));
        }
        let mut simulation = Simulation::new(banks, !planted.is_empty()).ok_or_else(none)?;
        for (slot, (fault, _)) in planted.iter().enumerate() {
            let (kind, argument) = plants::words(*fault);
            simulation.plant(slot as u32, kind, argument);
        }
        let sound = if planted.is_empty() { None } else { Some(Simulation::new(banks, false).ok_or_else(none)?) };
        Ok(Rtl { simulation, sound, plants: plants.clone(), counted: vec![0; planted.len()], clock: 0, link })
    }

    /// The first of the clocks of an access to these bytes; gives the word that a read answers with, and whether a sound
    /// device answers the same.
    fn begin(&mut self, writes: bool, address: u32, word: u32, bytes: u8) -> (u32, bool) {
        let access = |simulation: &mut Simulation| {
            simulation.drive(true, writes, address, word, bytes);
            simulation.advance(1);
            simulation.word()
        };
        let answered = access(&mut self.simulation);
        let right = self.sound.as_mut().is_none_or(|sound| access(sound) == answered);
        self.clock += 1;
        (answered, right)
    }

    /// No access any more.
    fn release(&mut self) {
        self.simulation.drive(false, false, 0, 0, ALL_BYTES);
        if let Some(sound) = &mut self.sound {
            sound.drive(false, false, 0, 0, ALL_BYTES);
        }
    }

    fn advance(&mut self, clocks: u64) {
        let mut left = clocks;
        while left > 0 {
            let step = if self.sound.is_some() { left.min(CLOCKS_BETWEEN_COUNTS) } else { left };
            self.simulation.advance(step);
            if let Some(sound) = &mut self.sound {
                sound.advance(step);
            }
            self.count();
            left -= step;
        }
        self.clock = self.clock.saturating_add(clocks);
    }

    /// Takes over how often the planted faults were in use.
    fn count(&mut self) {
        for (place, counted) in self.counted.iter_mut().enumerate() {
            let now = self.simulation.reached(place as u32);
            self.plants.reached_again(place, now.wrapping_sub(*counted).into());
            *counted = now;
        }
    }
}

impl Bus for Rtl {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        let (word, right) = self.begin(false, address, 0, ALL_BYTES);
        if let (false, Some((site, _))) = (right, slave(address)) {
            self.plants.shown_otherwise(site);
        }
        self.advance(ACCESS_CLOCKS - 1);
        self.release();
        Ok(word)
    }

    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.begin(true, address, word, ALL_BYTES);
        self.advance(ACCESS_CLOCKS - 1);
        self.release();
        Ok(())
    }

    fn selects_bytes(&self) -> bool {
        true
    }

    fn write_bytes(&mut self, address: u32, word: u32, bytes: u8) -> Result<bool, BusError> {
        self.begin(true, address, word, bytes & ALL_BYTES);
        self.advance(ACCESS_CLOCKS - 1);
        self.release();
        Ok(true)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.clock.saturating_mul(1_000_000_000 / CLOCK_HZ))
    }

    fn pause(&mut self, duration: Duration) {
        let clocks = duration.as_nanos() * u128::from(CLOCK_HZ) / 1_000_000_000;
        self.advance(u64::try_from(clocks).unwrap_or(u64::MAX));
    }

    fn ends_with_its_driver(&self) -> bool {
        true
    }

    fn link(&self) -> &str {
        &self.link
    }
}
