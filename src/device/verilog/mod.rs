//! A user's own Verilog, simulated by Verilator, behind a [`Bus`]: compiled and loaded while the program runs.
//!
//! Knows: the ports of the device, and how a Wishbone access goes. Must not: know what any register means, or who drives it.
//! Unlike `device::rtl`, it needs no feature of the build, sees nothing but the ports, and waits for each
//! acknowledgement.

mod cache;
mod compile;
mod ffi;
mod ports;
mod sources;
mod tools;

use std::path::PathBuf;
use std::time::Duration;

use crate::bus::{Bus, BusError};
use crate::device::model::{Plants, slave};
use crate::device::plants;
use crate::device::registers::{CLOCK_HZ, adapter, command, engine};

use ffi::{Access, Library, Simulation};
use ports::Port;

/// The name of the top module if no other is asked for.
pub const TOP: &str = "abench_top";

/// Clocks that an access may take before the device is silent.
const MOST_CLOCKS: u32 = 4096;

/// All four bytes of a word.
const ALL_BYTES: u32 = 0xF;

/// Clocks between two looks at what the planted faults have done: few enough that no count of 32 bits goes round.
const CLOCKS_BETWEEN_COUNTS: u64 = 1 << 26;

/// How many faults there is room for, where the Verilog has ports for them.
pub const MOST_PLANTED: usize = plants::SLOTS;

/// Which Verilog is put on trial, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Design {
    /// The folder of its sources.
    pub folder: PathBuf,
    /// Its top module.
    pub top: String,
    /// Inputs beside those of the bus, and their values, which do not change. Those that are not named are 0.
    pub inputs: Vec<(String, u64)>,
}

/// Why a design cannot be put on trial.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DesignError {
    /// The sources are not what they have to be.
    #[error("{0}")]
    Sources(String),
    /// A tool is missing, or failed for another reason than the sources.
    #[error("{0}")]
    Tool(String),
}

/// A design that is compiled and loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    library: Library,
    inputs: Vec<(String, u64)>,
    link: String,
}

impl Loaded {
    /// Compiles a design, if it is not in the cache of compiled ones, and loads it; with the ports for planted faults if
    /// these are wanted.
    pub fn new(design: &Design, takes_plants: bool) -> Result<Self, DesignError> {
        let compiled = compile::compiled(design, takes_plants)?;
        for (name, value) in &design.inputs {
            let extra = ports::extra_inputs(&compiled.ports);
            let Some(port) = extra.iter().find(|port| port.name == *name) else {
                let there: Vec<&str> = extra.iter().map(|port| port.name.as_str()).collect();
                let there = if there.is_empty() { "no other input".to_owned() } else { there.join(", ") };
                let reason = format!("'{name}' is not an input beside those of the bus; there is {there}");
                return Err(DesignError::Sources(reason));
            };
            if port.bits < 64 && value >> port.bits != 0 {
                let reason = format!("{name}={value} does not fit: the port has {} bits", port.bits);
                return Err(DesignError::Sources(reason));
            }
        }
        let library = Library::load(&compiled.library)
            .map_err(|reason| DesignError::Tool(format!("the compiled simulation cannot be loaded: {reason}")))?;
        // Its name and its number; the date of its release says no more.
        let simulator: Vec<String> = library.simulator().split(' ').take(2).map(str::to_owned).collect();
        let folder = design.folder.display();
        let link = format!("{} simulation of {folder}, sources {}", simulator.join(" "), compiled.sources);
        Ok(Loaded { library, inputs: design.inputs.clone(), link })
    }

    fn simulation(&self) -> Result<Simulation, BusError> {
        let mut simulation = Simulation::new(self.library)
            .ok_or_else(|| BusError::on(&self.link, "the simulation cannot be made: is there too little memory?"))?;
        for (name, value) in &self.inputs {
            simulation.set(name, *value);
        }
        simulation.reset();
        // A register that no reset sets may start right by chance. After some use it does not.
        for (address, word) in USE {
            simulation.access(true, ALL_BYTES, address, word, MOST_CLOCKS);
            simulation.advance(USE_CLOCKS);
        }
        simulation.reset();
        Ok(simulation)
    }
}

/// Writes that leave no register as a reset does, but write no context: whether a reset clears the memory of contexts after
/// use is not asked here.
const USE: [(u32, u32); 9] = [
    (engine::BASE + engine::COUNT, 0x0003_0005),
    (engine::BASE + engine::ACTIVE, 1),
    (engine::BASE + engine::SEED_LO, 0x5AC3_96F0),
    (engine::BASE + engine::SEED_HI, 0x0F69_3CA5),
    (adapter::BASE + adapter::RS1, 0x3CA5_5A96),
    (adapter::BASE + adapter::RS2, 0xC35A_A569),
    (adapter::BASE + adapter::CMD, command::ACCUM),
    (engine::BASE + engine::COUNT, 5),
    (engine::BASE + engine::CTRL, engine::START),
];

/// Clocks after each of them: longer than the run takes.
const USE_CLOCKS: u64 = 64;

/// The simulated device.
pub struct Verilog {
    simulation: Simulation,
    /// Where faults are planted, a device without them: what the faults change is what the two show differently.
    sound: Option<Simulation>,
    plants: Plants,
    /// How often each fault was in use when it was last looked at.
    counted: Vec<u32>,
    clock: u64,
    link: String,
}

impl Verilog {
    /// A device after reset, with these faults in it.
    pub fn new(design: &Loaded, plants: &Plants) -> Result<Self, BusError> {
        let planted = plants.activity();
        let mut simulation = design.simulation()?;
        for (slot, (fault, _)) in planted.iter().enumerate() {
            let (kind, argument) = plants::words(*fault);
            simulation.plant(slot as u32, kind, argument);
        }
        let sound = if planted.is_empty() { None } else { Some(design.simulation()?) };
        let (plants, counted, link) = (plants.clone(), vec![0; planted.len()], design.link.clone());
        Ok(Verilog { simulation, sound, plants, counted, clock: 0, link })
    }

    fn access(&mut self, writes: bool, bytes: u32, address: u32, word: u32) -> Result<u32, BusError> {
        let access = self.simulation.access(writes, bytes, address, word, MOST_CLOCKS);
        let (answered, clocks) = match access {
            Access::Acknowledged(word, clocks) => (word, clocks),
            Access::Silent => {
                let what = if writes { "write to" } else { "read of" };
                let reason = format!("wb_ack_o was not raised in {MOST_CLOCKS} clocks of a {what} {address:#010x}");
                return Err(BusError::on(&self.link, reason));
            }
            Access::Stopped => return Err(self.stopped()),
        };
        self.clock += clocks;
        if let Some(sound) = &mut self.sound
            && sound.access(writes, bytes, address, word, MOST_CLOCKS) != access
            && let (false, Some((site, _))) = (writes, slave(address))
        {
            self.plants.shown_otherwise(site);
        }
        self.count();
        Ok(answered)
    }

    fn stopped(&self) -> BusError {
        BusError::on(&self.link, format!("the simulation stopped: {}", self.simulation.stopped()))
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

impl Bus for Verilog {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        self.access(false, ALL_BYTES, address, 0)
    }

    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.access(true, ALL_BYTES, address, word).map(|_| ())
    }

    fn selects_bytes(&self) -> bool {
        true
    }

    fn write_bytes(&mut self, address: u32, word: u32, bytes: u8) -> Result<bool, BusError> {
        self.access(true, u32::from(bytes) & ALL_BYTES, address, word).map(|_| true)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.clock.saturating_mul(1_000_000_000 / CLOCK_HZ))
    }

    /// A simulation that stopped meanwhile is told of by the next access.
    fn pause(&mut self, duration: Duration) {
        let clocks = duration.as_nanos() * u128::from(CLOCK_HZ) / 1_000_000_000;
        let mut left = u64::try_from(clocks).unwrap_or(u64::MAX);
        self.clock = self.clock.saturating_add(left);
        while left > 0 {
            let step = left.min(CLOCKS_BETWEEN_COUNTS);
            let goes_on = self.simulation.advance(step);
            if let Some(sound) = &mut self.sound {
                sound.advance(step);
            }
            self.count();
            left = if goes_on { left - step } else { 0 };
        }
    }

    fn ends_with_its_driver(&self) -> bool {
        true
    }

    fn link(&self) -> &str {
        &self.link
    }
}
