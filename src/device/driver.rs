//! The one driver: what to write to which register, over any bus, with a deadline on every wait.
//!
//! Knows: the register maps and the order in which they are used. Must not: know which device is at the other end.

mod accesses;

use std::time::Duration;

use crate::bus::{Bus, BusError, MARGIN};
use crate::device::mark;
use crate::device::registers::{CLOCK_HZ, adapter, command, engine};
use crate::domain::access::Register;
use crate::domain::evidence::Evidence;
use crate::domain::execution::{AdapterOp, EngineOutcome, EngineRun};
use crate::domain::link_events::LinkEvents;
use crate::domain::subject::{DeviceIdentity, Misread};
use crate::domain::watch::Watch;

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

/// The longest pause between two looks at a busy device, so that a long run can be stopped and shows progress.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// How long to wait before the next look at a run: as long as it should still take. A run that is overdue is looked at
/// less and less often: a thousand looks a millisecond, for a second, cost more than they show.
fn until_next_look(expected: Duration, waited: Duration) -> Duration {
    let (left, overdue) = (expected.saturating_sub(waited), waited.saturating_sub(expected));
    left.max(overdue / 4).clamp(Duration::from_micros(1), LONGEST_PAUSE)
}

/// How much longer than its time an answer of a device in this process may take at least: a million clocks.
const SIMULATED_MARGIN: Duration = Duration::from_millis(10);

/// How long is waited for the end of a run whose outcome nobody wants: one that was found at open, or was left. Longer
/// runs exist; who stops one, or starts another, is not kept waiting for them.
const LONGEST_REST: Duration = Duration::from_secs(5);

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

    /// How the device's answers are got, where it is an emulator of ours and says so.
    pub fn mark(&mut self) -> Result<Option<Evidence>, DriverError> {
        let marked = self.ask_for_mark();
        // No question is left behind for whoever reads the seed next.
        self.bus.write_run(SEED_REGISTERS[0], &[1, 0])?;
        marked
    }

    fn ask_for_mark(&mut self) -> Result<Option<Evidence>, DriverError> {
        // Whoever gives the question back as it was asked is no emulator of ours. What is neither that nor a mark was damaged
        // on its way, unless it is always the same.
        let (mut before, mut times) = (mark::QUESTION, 0);
        let mut half = None;
        for _ in 0..TRIES {
            let echo = self.echo_of(mark::QUESTION, SEED_REGISTERS)?;
            let words = [echo as u32, (echo >> 32) as u32];
            let marked = mark::evidence(&words);
            if mark::is_whole(words) {
                return Ok(marked);
            }
            if echo == mark::QUESTION {
                return Ok(half);
            }
            half = half.or(marked);
            times = if echo == before { times + 1 } else { 1 };
            before = echo;
            if times == ECHOES {
                return match marked {
                    Some(_) => Err(DriverError::HalfMark { link: self.bus.link().to_owned(), came: echo }),
                    None => Ok(half),
                };
            }
        }
        Ok(half)
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

    /// Has every byte there is go to the device and come back. A terminal server in telnet mode, a tty that translates line
    /// ends and a line of seven bits change some of them, always in the same way, and would make a sound device look wrong.
    /// What comes otherwise each time is damaged by chance: that is no reason to refuse a link. Nor are registers of the
    /// engine that do not keep what the adapter's keep.
    fn see_every_byte_come_back(&mut self) -> Result<(), DriverError> {
        if self.bus.ends_with_its_driver() {
            return Ok(());
        }
        for first in (0..=u8::MAX).step_by(8) {
            let word = u64::from_le_bytes(std::array::from_fn(|place| first + place as u8));
            let Some(came) = self.comes_back_as(word, SEED_REGISTERS)? else { continue };
            if self.comes_back_as(word, OPERAND_REGISTERS)?.is_some() {
                return Err(DriverError::Altered { link: self.bus.link().to_owned(), word, came });
            }
            // The link passes the word: the seed registers do not keep it.
            self.misread(Register::SeedLo, word as u32, came as u32);
            self.misread(Register::SeedHi, (word >> 32) as u32, (came >> 32) as u32);
        }
        Ok(())
    }

    /// What a word comes back as from a pair of registers, if that is always the same other one.
    fn comes_back_as(&mut self, word: u64, registers: [u32; 2]) -> Result<Option<u64>, DriverError> {
        let mut came = None;
        for _ in 0..ECHOES {
            let echo = self.echo_of(word, registers)?;
            if echo == word || came.is_some_and(|came| came != echo) {
                return Ok(None);
            }
            came = Some(echo);
        }
        Ok(came)
    }

    /// What a pair of registers, one after the other, gives back of what is written to it.
    fn echo_of(&mut self, word: u64, registers: [u32; 2]) -> Result<u64, DriverError> {
        self.bus.write_run(registers[0], &[word as u32, (word >> 32) as u32])?;
        let mut words = [0; 2];
        self.bus.read_each(&registers, &mut words)?;
        let [low, high] = words;
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    fn prime(&mut self) -> Result<(), DriverError> {
        const REFERENCE: u64 = 0x0123_4567_89AB_CDEF;
        const DELTA: u64 = 0xA5A5_A5A5_5A5A_5A5A;
        let expected = REFERENCE ^ DELTA;
        let (mut before, mut got) = (Vec::new(), 0);
        for tries in 0..TRIES {
            self.load(0, REFERENCE)?;
            self.accumulate(DELTA)?;
            before.push(got);
            got = self.read()?;
            if got == expected {
                if tries > 0 {
                    self.opening.push(format!(
                        "the adapter gave back a known state at try {} of {TRIES}; the last of the tries before read \
                         {:#018x}, expected {expected:#018x}",
                        tries + 1,
                        before.last().copied().unwrap_or_default()
                    ));
                }
                return Ok(());
            }
        }
        // A device that answers, though wrongly, is there: whether its answers are right is judged, not assumed. What it
        // keeps may make its answers come in turns. One that answers otherwise each time is not there.
        if got != 0 && before.contains(&got) {
            self.opening.push(format!(
                "the adapter gave back no known state in {TRIES} tries; expected {expected:#018x}, got {got:#018x}"
            ));
            return Ok(());
        }
        Err(DriverError::Priming { link: self.bus.link().to_owned(), tries: TRIES, expected, got })
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

    fn await_engine(&mut self, run: EngineRun, watch: &mut dyn Watch) -> Result<(), DriverError> {
        let expected = self.expected(run.cycles());
        let start = self.bus.elapsed();
        let patience = expected + self.margin(expected);
        let mut reported = 0;
        loop {
            let waited = self.bus.elapsed() - start;
            let done = share(u64::from(run.count), waited, expected);
            watch.advance(done - reported);
            reported = done;
            let status = self.read_engine(engine::STATUS)?;
            if status & engine::DONE != 0 && status & engine::BUSY == 0 {
                watch.advance(u64::from(run.count) - reported);
                return Ok(());
            }
            if watch.stop_requested() {
                return Err(DriverError::Interrupted);
            }
            if waited >= patience {
                let what = format!("a run of {} deltas on {} banks", run.count, run.active);
                return Err(self.late(what, waited, status, "bit 1 (done) set and bit 0 (busy) clear"));
            }
            self.bus.pause(until_next_look(expected, waited));
        }
    }

    /// Waits, within a bound, until the engine is not busy. A start would be ignored by one that is, and the outcome that
    /// it then shows would be that of another run.
    fn await_idle(&mut self) -> Result<(), DriverError> {
        let start = self.bus.elapsed();
        loop {
            let waited = self.bus.elapsed() - start;
            let status = self.read_engine(engine::STATUS)?;
            if status & engine::BUSY == 0 {
                return Ok(());
            }
            if waited >= LONGEST_REST {
                let longest = self.expected(u32::MAX);
                return Err(DriverError::Occupied { link: self.bus.link().to_owned(), waited, status, longest });
            }
            self.bus.pause(LONGEST_PAUSE);
        }
    }

    /// Waits, within a bound, for the end of a run that was left: a run cannot be stopped. Gives whether it has ended.
    fn let_run_end(&mut self) -> Result<bool, DriverError> {
        let Some(end) = self.running else { return Ok(true) };
        let now = self.bus.elapsed();
        let deadline = (end.max(now) + MARGIN).min(now + LONGEST_REST);
        while self.bus.elapsed() < deadline {
            if self.read_engine(engine::STATUS)? & engine::BUSY == 0 {
                self.running = None;
                return Ok(true);
            }
            self.bus.pause(LONGEST_PAUSE);
        }
        Ok(false)
    }

    /// How long after its time an answer is waited for. The time of a device in this process is that of its clock, and
    /// nothing but the device can be late: to wait for a second of it may take a simulation a minute.
    fn margin(&self, expected: Duration) -> Duration {
        if self.bus.ends_with_its_driver() { MARGIN.min(7 * expected + SIMULATED_MARGIN) } else { MARGIN }
    }

    /// How long a run of so many clock cycles should take.
    fn expected(&self, cycles: u32) -> Duration {
        Duration::from_nanos(u64::from(cycles) * 1_000_000_000 / self.clock_hz.max(1))
    }

    fn late(&self, what: String, waited: Duration, status: u32, wanted: &'static str) -> DriverError {
        DriverError::Deadline { link: self.bus.link().to_owned(), what, waited, status, wanted }
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

/// The part of `whole` that should be done after `waited` of `expected`.
fn share(whole: u64, waited: Duration, expected: Duration) -> u64 {
    if expected.is_zero() {
        return 0;
    }
    let done = u128::from(whole) * waited.as_nanos() / expected.as_nanos();
    u64::try_from(done).unwrap_or(whole).min(whole)
}

/// Asks the device what it is until it says the same twice: noise may look like an identity, but hardly so twice. Gives
/// how often it was asked, too.
fn identify(bus: &mut dyn Bus) -> Result<(DeviceIdentity, u32), DriverError> {
    let (mut status, mut before) = (0, None);
    for read in 1..=TRIES {
        status = bus.read(engine::BASE + engine::STATUS)?;
        let (version, banks) = (status >> 24, status >> 16 & 0xFF);
        // A line that echoes gives back the question, 0x02013c00, which but for these zeros would be a device of one bank.
        let others_are_zero = status & 0xFFFF & !(engine::DONE | engine::BUSY) == 0;
        let is_identity = others_are_zero && version > 0 && (1..=crate::domain::fault::MOST_BANKS).contains(&banks);
        if is_identity && before == Some((version, banks)) {
            return Ok((DeviceIdentity { version, banks, link: bus.link().to_owned() }, read));
        }
        before = Some((version, banks));
    }
    Err(DriverError::Identity { link: bus.link().to_owned(), status, tries: TRIES })
}

#[cfg(test)]
mod tests;
