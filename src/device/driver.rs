//! The one driver: what to write to which register, over any bus, with a deadline on every wait.
//!
//! Knows: the register maps and the order in which they are used. Must not: know which device is at the other end.

mod accesses;
mod error;
mod opening;
mod waits;

pub use error::DriverError;
use opening::identify;

use std::time::Duration;

use crate::bus::Bus;
use crate::device::registers::{CLOCK_HZ, adapter, command, engine};
use crate::domain::access::Register;
use crate::domain::execution::{AdapterOp, EngineOutcome, EngineRun};
use crate::domain::link_events::LinkEvents;
use crate::domain::subject::{DeviceIdentity, Misread};
use crate::domain::watch::Watch;

/// How often a device's first answers may be wrong before it is not the device. On the board the first round trips
/// after mapping have been seen to return 0.
const TRIES: u32 = 16;

/// How often a word has to come back as the same other one before a link is refused: a write that is lost, so often one
/// after the other, is not what happens.
const ECHOES: u32 = 4;

/// The most misreads that are kept: the first ones tell what is wrong.
const MISREADS: usize = 8;

/// Registers that keep what is written to them and do nothing else: the engine's seed, and the adapter's operands.
const SEED_REGISTERS: [u32; 2] = [engine::BASE + engine::SEED_LO, engine::BASE + engine::SEED_HI];
const OPERAND_REGISTERS: [u32; 2] = [adapter::BASE + adapter::RS1, adapter::BASE + adapter::RS2];

/// Drives a device over a bus.
pub struct Driver {
    bus: Box<dyn Bus>,
    identity: DeviceIdentity,
    /// The device's clock, in cycles per second.
    clock_hz: u64,
    /// COUNT and ACTIVE as they were last written, which say how long a run should take.
    count: u32,
    active: u32,
    /// When a run should end, in the device's time, that was started and whose end was not seen, on a link that works.
    running: Option<Duration>,
    /// What was read back otherwise than it was written, always in the same way; at most [`MISREADS`].
    misreads: Vec<Misread>,
    /// What went otherwise than expected while the device was opened.
    opening: Vec<String>,
}

impl Driver {
    /// Identifies the device at the other end, waits until its engine is idle, sees that its link passes every byte, by way of
    /// the seed registers, and primes its adapter. Nothing is written before the identity is right.
    pub fn open(bus: Box<dyn Bus>) -> Result<Self, DriverError> {
        Driver::open_at(CLOCK_HZ, bus)
    }

    /// The same for a device whose clock has so many cycles per second, which say how long its runs should take.
    pub fn open_at(clock_hz: u64, mut bus: Box<dyn Bus>) -> Result<Self, DriverError> {
        let (identity, reads) = identify(bus.as_mut())?;
        let mut driver = Driver::over(bus, identity);
        driver.clock_hz = clock_hz;
        if reads > 2 {
            driver.opening.push(format!(
                "the engine's STATUS was read {reads} times until it told the same identity twice in a row"
            ));
        }
        driver.await_idle()?;
        driver.see_every_byte_come_back()?;
        driver.prime()?;
        driver.bus.opened();
        Ok(driver)
    }

    /// Drives a device that has just been reset and is known to be this one: nothing is asked of it.
    pub fn after_reset(mut bus: Box<dyn Bus>, identity: DeviceIdentity) -> Self {
        bus.opened();
        Driver::over(bus, identity)
    }

    fn over(bus: Box<dyn Bus>, identity: DeviceIdentity) -> Self {
        // A device in this process has just been reset. What another one holds nobody knows.
        let count = if bus.ends_with_its_driver() { 0 } else { u32::MAX };
        Driver {
            bus,
            identity,
            clock_hz: CLOCK_HZ,
            count,
            active: 1,
            running: None,
            misreads: Vec::new(),
            opening: Vec::new(),
        }
    }

    /// Whether the device is in this process, where no link lies between.
    pub fn is_in_process(&self) -> bool {
        self.bus.ends_with_its_driver()
    }

    /// Whether parts of words can be written to the device.
    pub fn selects_bytes(&self) -> bool {
        self.bus.selects_bytes()
    }

    /// Drives what is at hand: neither identified nor primed.
    pub fn of(bus: Box<dyn Bus>) -> Self {
        let identity = DeviceIdentity { version: 0, banks: 0, link: bus.link().to_owned() };
        Driver::after_reset(bus, identity)
    }

    /// Brings a device that cannot be opened anew to where [`Driver::open`] left it, as far as commands can, if it is
    /// still the same device.
    pub fn restart(&mut self) -> Result<(), DriverError> {
        let (identity, _) = identify(self.bus.as_mut())?;
        if identity != self.identity {
            let DeviceIdentity { version, banks, .. } = identity;
            return Err(DriverError::Exchanged { was: Box::new(self.identity.clone()), version, banks });
        }
        // What is written to an engine at work is ignored.
        self.await_idle()?;
        self.write_engine(engine::CTRL, engine::CLEAR)?;
        // SWAP clears the accumulator by itself. A LOAD that does not would otherwise lead to another state each time, and what
        // is wrong would not come again.
        self.swap(0)?;
        self.prime()
    }

    /// What the device says of itself.
    pub fn identity(&self) -> &DeviceIdentity {
        &self.identity
    }

    /// Has the engine accumulate; watched in units of deltas. An engine that is as idle at the end of its time as if it
    /// had not been started is started once more: nobody acknowledges a write, and a link may lose it.
    pub fn run(&mut self, run: EngineRun, watch: &mut dyn Watch) -> Result<EngineOutcome, DriverError> {
        self.start(run)?;
        let mut awaited = self.await_engine(run, watch);
        if let Err(DriverError::Deadline { status, .. }) = &awaited
            && status & (engine::BUSY | engine::DONE) == 0
        {
            self.start(run)?;
            awaited = self.await_engine(run, watch);
        }
        if !matches!(awaited, Err(DriverError::Interrupted | DriverError::Deadline { .. })) {
            self.running = None;
        }
        awaited?;
        let outputs = [engine::CYCLES, engine::RESULT_LO, engine::RESULT_HI].map(|offset| engine::BASE + offset);
        let mut words = [0; 3];
        self.bus.read_each(&outputs, &mut words)?;
        let [cycles, low, high] = words;
        Ok(EngineOutcome { result: u64::from(high) << 32 | u64::from(low), cycles })
    }

    /// Writes a word to the registers that keep the seed of the next run, and reads it back; nothing if the device is in
    /// this process, where no link lies between. A busy engine takes no seed, so a run that was left is waited for.
    pub fn echo(&mut self, word: u64) -> Result<Option<u64>, DriverError> {
        if self.bus.ends_with_its_driver() {
            return Ok(None);
        }
        self.let_run_end()?;
        self.echo_of(word, SEED_REGISTERS).map(Some)
    }

    /// What was read back otherwise than it had been written, always in the same way.
    pub fn misreads(&self) -> &[Misread] {
        &self.misreads
    }

    /// What went otherwise than expected while the device was opened, a sentence without its full stop each.
    pub fn opening(&self) -> &[String] {
        &self.opening
    }

    fn misread(&mut self, register: Register, wrote: u32, read: u32) {
        let misread = Misread { register, wrote, read };
        if wrote != read && self.misreads.len() < MISREADS && !self.misreads.contains(&misread) {
            self.misreads.push(misread);
        }
    }

    /// What happened on the link.
    pub fn link_events(&self) -> LinkEvents {
        self.bus.events()
    }

    /// Has the adapter carry out these operations; gives what each read showed.
    pub fn operate(&mut self, ops: &[AdapterOp]) -> Result<Vec<u64>, DriverError> {
        let mut shown = Vec::new();
        for op in ops {
            match *op {
                AdapterOp::Load { context, reference } => self.load(context, reference)?,
                AdapterOp::Select { context } => self.select(context)?,
                AdapterOp::Accumulate(delta) => self.accumulate(delta)?,
                AdapterOp::Swap { context } => self.swap(context)?,
                AdapterOp::Read => shown.push(self.read()?),
            }
        }
        Ok(shown)
    }

    /// Writes a context's reference and clears the accumulator.
    pub fn load(&mut self, context: u8, reference: u64) -> Result<(), DriverError> {
        // RS2 follows RS1.
        self.bus.write_run(adapter::BASE + adapter::RS1, &[u32::from(context), reference as u32])?;
        self.command(command::LOAD)?;
        self.write_adapter(adapter::RS2, (reference >> 32) as u32)?;
        self.command(command::LOAD_HI)
    }

    /// Selects a context and changes nothing else.
    pub fn select(&mut self, context: u8) -> Result<(), DriverError> {
        self.write_adapter(adapter::RS1, u32::from(context))?;
        self.command(command::LOAD)
    }

    /// XORs a delta into the accumulator.
    pub fn accumulate(&mut self, delta: u64) -> Result<(), DriverError> {
        self.write_adapter(adapter::RS1, delta as u32)?;
        self.command(command::ACCUM)?;
        self.write_adapter(adapter::RS1, (delta >> 32) as u32)?;
        self.command(command::ACCUM_HI)
    }

    /// Writes the state into this context, selects it, clears the accumulator.
    pub fn swap(&mut self, context: u8) -> Result<(), DriverError> {
        self.write_adapter(adapter::RS1, u32::from(context))?;
        self.command(command::SWAP)
    }

    /// The selected context's state.
    pub fn read(&mut self) -> Result<u64, DriverError> {
        let low = self.answer(command::READ)?;
        let high = self.answer(command::READ_HI)?;
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    /// Whether the accumulator is zero, by the adapter's own word.
    pub fn accumulator_is_zero(&mut self) -> Result<bool, DriverError> {
        Ok(self.answer(command::STATUS)? & 1 == 1)
    }

    /// Starts a run, which goes on until its end was seen or the link failed.
    fn start(&mut self, run: EngineRun) -> Result<(), DriverError> {
        let seed = run.seed.value();
        let settings = [run.count, run.active, seed as u32, (seed >> 32) as u32];
        (self.count, self.active) = (run.count, run.active);
        if self.bus.ends_with_its_driver() {
            self.bus.write_run(engine::BASE + engine::COUNT, &settings)?;
        } else {
            self.set(settings)?;
        }
        self.write_engine(engine::CTRL, engine::START)?;
        self.running = Some(self.bus.elapsed() + self.expected(run.cycles()));
        Ok(())
    }

    /// Sets a run over a link, where nobody acknowledges a write: the outcome of the run before is cleared, so that it
    /// cannot be taken for this one's, and what was written is read back. What reads otherwise again and again in the same
    /// way is no loss: the run shows what the device makes of it.
    fn set(&mut self, settings: [u32; 4]) -> Result<(), DriverError> {
        // COUNT, ACTIVE, SEED_LO and SEED_HI follow each other.
        const SHOWN: [u32; 5] = [engine::COUNT, engine::ACTIVE, engine::SEED_LO, engine::SEED_HI, engine::STATUS];
        let (mut before, mut times) = ([0; SHOWN.len()], 0);
        for _ in 0..TRIES {
            self.write_engine(engine::CTRL, engine::CLEAR)?;
            self.bus.write_run(engine::BASE + engine::COUNT, &settings)?;
            let mut shown = [0; SHOWN.len()];
            self.bus.read_each(&SHOWN.map(|offset| engine::BASE + offset), &mut shown)?;
            shown[4] &= engine::DONE | engine::BUSY;
            times = if shown == before { times + 1 } else { 1 };
            if (shown[..4] == settings && shown[4] == 0) || times == ECHOES {
                let registers = [Register::Count, Register::Active, Register::SeedLo, Register::SeedHi];
                for ((register, wrote), read) in registers.into_iter().zip(settings).zip(shown) {
                    self.misread(register, wrote, read);
                }
                return Ok(());
            }
            before = shown;
        }
        // No two of its answers are to be trusted: what the run shows is asked for twice, and so is the link.
        Ok(())
    }

    /// What a pair of registers, one after the other, gives back of what is written to it.
    fn echo_of(&mut self, word: u64, registers: [u32; 2]) -> Result<u64, DriverError> {
        self.bus.write_run(registers[0], &[word as u32, (word >> 32) as u32])?;
        let mut words = [0; 2];
        self.bus.read_each(&registers, &mut words)?;
        let [low, high] = words;
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    fn command(&mut self, code: u32) -> Result<(), DriverError> {
        self.carry_out(code, &[adapter::BASE + adapter::STATUS]).map(|_| ())
    }

    /// Gives a command and its response. RD is asked for together with STATUS and after it: once STATUS says that the
    /// command is done, RD holds its response.
    fn answer(&mut self, code: u32) -> Result<u32, DriverError> {
        self.carry_out(code, &[adapter::STATUS, adapter::RD].map(|offset| adapter::BASE + offset))
    }

    /// Gives a command and reads these registers, of which STATUS is the first, until it is done; gives the last one.
    fn carry_out(&mut self, code: u32, registers: &[u32]) -> Result<u32, DriverError> {
        self.write_adapter(adapter::CMD, code)?;
        let margin = self.margin(Duration::ZERO);
        let deadline = self.bus.elapsed() + margin;
        let mut words = [0; 2];
        let words = &mut words[..registers.len()];
        loop {
            // Before the read: it may spend more than the margin on a lost byte, and then shows what was true long ago.
            let looked = self.bus.elapsed();
            self.bus.read_each(registers, words)?;
            let status = words[0];
            if status & adapter::BUSY == 0 && status & adapter::RESPONSE_OK != 0 {
                return Ok(words[registers.len() - 1]);
            }
            if looked >= deadline {
                let wanted = "bit 1 (response_ok) set and bit 0 (busy) clear";
                return Err(self.late(format!("adapter command {code}"), margin, status, wanted));
            }
        }
    }

    fn read_engine(&mut self, offset: u32) -> Result<u32, DriverError> {
        Ok(self.bus.read(engine::BASE + offset)?)
    }

    fn write_engine(&mut self, offset: u32, word: u32) -> Result<(), DriverError> {
        Ok(self.bus.write(engine::BASE + offset, word)?)
    }

    fn write_adapter(&mut self, offset: u32, word: u32) -> Result<(), DriverError> {
        Ok(self.bus.write(adapter::BASE + offset, word)?)
    }
}

impl Drop for Driver {
    /// Leaves the device idle where it can. A device that ends with its driver is left as it is.
    fn drop(&mut self) {
        if self.running.is_some() && !self.bus.ends_with_its_driver() && matches!(self.let_run_end(), Ok(true)) {
            // What cannot be cleared stays as it is: nobody is left to tell.
            let _ = self.write_engine(engine::CTRL, engine::CLEAR);
        }
    }
}

#[cfg(test)]
mod tests;
