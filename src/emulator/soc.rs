//! The SoC that is emulated: a device behind its bus, at the pace of the clock on the wall, with the mark of an
//! emulator and what is disturbed at its registers.
//!
//! A device that is simulated has a time of its own. While its bench engine runs, that time is kept at the pace of real
//! time, so that a client sees it busy for as long as a board would be: what an access cannot simulate in a short while is
//! made good later, also while nobody asks. A device that is simulated more slowly than that falls behind and runs as fast
//! as it can. While the engine is idle, time passes with accesses alone.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::bus::{Bus, BusError};
use crate::device::mark;
use crate::device::registers::{adapter, engine};
use crate::domain::evidence::Evidence;
use crate::domain::seed::{Seed, Stream};
use crate::emulator::disturbance::Disturbance;

/// How long one access may be held up by simulating the time that passed since the one before it.
const LONGEST_CATCH_UP: Duration = Duration::from_millis(5);

/// The stretches of time that are simulated at once, between two looks at the clock.
const SHORTEST_SLICE: Duration = Duration::from_micros(20);
const LONGEST_SLICE: Duration = Duration::from_millis(5);

/// How soon a device that keeps pace should be looked at again while its engine runs.
const PACE_TICK: Duration = Duration::from_millis(5);

/// The longest run that a count of 32 bits allows, at 100 MHz: who left one behind keeps nobody busy for longer.
const LONGEST_RUN: Duration = Duration::from_secs(43);

/// The shortest time that is worth to be simulated: some clocks.
const GRAIN: Duration = Duration::from_micros(1);

/// The registers that are asked for the mark.
const SEED: [u32; 2] = [engine::BASE + engine::SEED_LO, engine::BASE + engine::SEED_HI];

/// The emulated SoC.
pub struct Soc {
    bus: Box<dyn Bus>,
    evidence: Evidence,
    disturbances: Vec<Disturbance>,
    random: Stream,
    words_read: u32,
    opened: Instant,
    /// What tells real time.
    now: Box<dyn Fn() -> Instant>,
    /// Since when the engine runs: in real time and in the device's.
    running: Option<(Instant, Duration)>,
    engine_was_started: bool,
    /// What was last written to the engine's seed registers.
    seed: u64,
    adapter_was_used: bool,
}

impl Soc {
    /// A SoC around a device whose answers are of this evidence.
    pub fn new(bus: Box<dyn Bus>, evidence: Evidence, disturbances: &[Disturbance], seed: Seed) -> Self {
        Soc {
            bus,
            evidence,
            disturbances: disturbances.to_vec(),
            random: seed.stream("garbage"),
            words_read: 0,
            opened: Instant::now(),
            now: Box::new(Instant::now),
            running: None,
            engine_was_started: false,
            seed: 0,
            adapter_was_used: false,
        }
    }

    /// How its answers are got.
    pub fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// What it says that it is, where that is disturbed.
    pub fn identity(&self) -> Option<u32> {
        self.disturbances.iter().find_map(|disturbance| match disturbance {
            Disturbance::Identity(word) => Some(*word),
            _ => None,
        })
    }

    /// Simulates the time that the engine has run for, as much of it as a short while allows. Gives how soon there is
    /// more to simulate, if there will be.
    pub fn keep_pace(&mut self) -> Option<Duration> {
        let (since, device_since) = self.running?;
        let start = (self.now)();
        let target = start.saturating_duration_since(since).min(LONGEST_RUN);
        let mut slice = SHORTEST_SLICE;
        loop {
            let passed = self.bus.elapsed().saturating_sub(device_since);
            let behind = target.saturating_sub(passed);
            if behind < GRAIN {
                return (target < LONGEST_RUN).then_some(PACE_TICK);
            }
            self.bus.pause(behind.min(slice));
            if (self.now)().saturating_duration_since(start) >= LONGEST_CATCH_UP {
                return Some(Duration::ZERO);
            }
            slice = (2 * slice).min(LONGEST_SLICE);
        }
    }

    fn disturbed(&mut self, address: u32, word: u32) -> u32 {
        const ENGINE_CTRL: u32 = engine::BASE + engine::CTRL;
        const ENGINE_STATUS: u32 = engine::BASE + engine::STATUS;
        const ADAPTER_STATUS: u32 = adapter::BASE + adapter::STATUS;
        let before = self.words_read;
        self.words_read = self.words_read.saturating_add(1);
        let (started, used) = (self.engine_was_started, self.adapter_was_used);
        let mut shown = word;
        for &disturbance in &self.disturbances {
            shown = match (disturbance, address) {
                (Disturbance::Garbage(words), _) if before >= words => self.random.word() as u32,
                (Disturbance::Identity(identity), ENGINE_STATUS) => identity,
                (Disturbance::EngineStaysBusy, ENGINE_CTRL | ENGINE_STATUS) if started => {
                    shown & !engine::DONE | engine::BUSY
                }
                (Disturbance::DoneAtOnce, ENGINE_CTRL | ENGINE_STATUS) if started => {
                    shown & !engine::BUSY | engine::DONE
                }
                (Disturbance::AdapterStaysBusy, ADAPTER_STATUS) if used => adapter::BUSY,
                _ => shown,
            };
        }
        shown
    }
}

impl Bus for Soc {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        if SEED.contains(&address) && self.seed == mark::QUESTION {
            return Ok(mark::word(self.evidence));
        }
        self.keep_pace();
        let word = self.bus.read(address)?;
        if [engine::CTRL, engine::STATUS].contains(&address.wrapping_sub(engine::BASE)) && word & engine::BUSY == 0 {
            self.running = None;
        }
        Ok(self.disturbed(address, word))
    }

    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.keep_pace();
        if address == SEED[0] {
            self.seed = self.seed & !0xFFFF_FFFF | u64::from(word);
        } else if address == SEED[1] {
            self.seed = self.seed & 0xFFFF_FFFF | u64::from(word) << 32;
        }
        self.adapter_was_used |= address == adapter::BASE + adapter::CMD;
        let starts = address == engine::BASE + engine::CTRL && word & engine::START != 0;
        if !starts {
            return self.bus.write(address, word);
        }
        self.engine_was_started = true;
        if self.disturbances.contains(&Disturbance::DoneAtOnce) {
            return Ok(());
        }
        // A start is ignored by an engine at work, whose time goes on; whoever starts another run need not have seen the end
        // of the one before.
        if self.running.is_some() && self.bus.read(engine::BASE + engine::STATUS)? & engine::BUSY == 0 {
            self.running = None;
        }
        self.bus.write(address, word)?;
        self.running.get_or_insert(((self.now)(), self.bus.elapsed()));
        Ok(())
    }

    fn elapsed(&self) -> Duration {
        self.opened.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn link(&self) -> &str {
        self.bus.link()
    }
}

/// The SoC as each of its links sees it.
#[derive(Clone)]
pub struct SharedSoc(Rc<RefCell<Soc>>);

impl SharedSoc {
    /// A SoC that several links can share.
    pub fn of(soc: Soc) -> Self {
        SharedSoc(Rc::new(RefCell::new(soc)))
    }

    /// How its answers are got.
    pub fn evidence(&self) -> Evidence {
        self.0.borrow().evidence()
    }

    /// What it says that it is, where that is disturbed.
    pub fn identity(&self) -> Option<u32> {
        self.0.borrow().identity()
    }

    /// How much of the device's time has passed.
    #[cfg(test)]
    pub(super) fn simulated(&self) -> Duration {
        self.0.borrow().bus.elapsed()
    }

    /// Simulates what is due; see [`Soc::keep_pace`].
    pub fn keep_pace(&self) -> Option<Duration> {
        self.0.borrow_mut().keep_pace()
    }
}

impl Bus for SharedSoc {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        self.0.borrow_mut().read(address)
    }

    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.0.borrow_mut().write(address, word)
    }

    fn elapsed(&self) -> Duration {
        self.0.borrow().elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        self.0.borrow_mut().pause(duration);
    }

    fn link(&self) -> &str {
        "the emulated SoC"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::driver::Driver;
    use crate::device::model::{Model, PUBLISHED_BANKS, Plants};
    use crate::domain::execution::EngineRun;
    use crate::domain::watch::Unwatched;

    fn soc(disturbances: &[Disturbance]) -> Soc {
        let model = Model::new(PUBLISHED_BANKS, &Plants::default());
        Soc::new(Box::new(model), Evidence::Model, disturbances, Seed::new(1))
    }

    #[test]
    fn a_run_lasts_as_long_as_on_a_board_and_gives_what_the_model_gives() {
        let mut driver = Driver::open(Box::new(soc(&[]))).expect("a device");
        // 2 ms at 100 MHz.
        let run = EngineRun { count: 200_000, active: 1, seed: Seed::new(5) };
        let start = Instant::now();
        let outcome = driver.run(run, &mut Unwatched).expect("an outcome");
        assert!(start.elapsed() >= Duration::from_millis(2));
        let mut model = Driver::open(Box::new(Model::new(PUBLISHED_BANKS, &Plants::default()))).expect("a device");
        assert_eq!(Ok(outcome), model.run(run, &mut Unwatched));
    }

    #[test]
    fn time_that_could_not_be_simulated_at_once_is_made_good() {
        use std::cell::Cell;
        /// A device that is simulated at twice the pace of real time, which passes with that alone.
        struct TwiceAsFast(Rc<Cell<Duration>>, Rc<Cell<Duration>>);
        impl Bus for TwiceAsFast {
            fn read(&mut self, _address: u32) -> Result<u32, BusError> {
                Ok(engine::BUSY)
            }
            fn write(&mut self, _address: u32, _word: u32) -> Result<(), BusError> {
                Ok(())
            }
            fn elapsed(&self) -> Duration {
                self.0.get()
            }
            fn pause(&mut self, duration: Duration) {
                self.0.set(self.0.get() + duration);
                self.1.set(self.1.get() + duration / 2);
            }
            fn link(&self) -> &str {
                "twice as fast"
            }
        }
        let (device, real) = (Rc::new(Cell::new(Duration::ZERO)), Rc::new(Cell::new(Duration::ZERO)));
        let mut soc = soc(&[]);
        soc.bus = Box::new(TwiceAsFast(Rc::clone(&device), Rc::clone(&real)));
        let (start, clock) = (Instant::now(), Rc::clone(&real));
        soc.now = Box::new(move || start + clock.get());
        soc.write(engine::BASE + engine::CTRL, engine::START).expect("it starts");
        real.set(Duration::from_millis(100));
        soc.read(engine::BASE + engine::STATUS).expect("a word");
        assert!(device.get() < Duration::from_millis(20), "one access holds nobody up: {device:?}");
        while soc.keep_pace() == Some(Duration::ZERO) {
            assert!(real.get() < Duration::from_secs(1), "it never gets there: {device:?} of {real:?}");
        }
        assert!(device.get() >= Duration::from_millis(190), "{device:?} of {real:?}");
        // And no more than the longest run is ever due.
        real.set(Duration::from_secs(3600));
        while soc.keep_pace().is_some() {}
        assert_eq!(device.get(), LONGEST_RUN);
    }

    #[test]
    fn a_run_is_over_in_its_time_though_nobody_looked_at_the_one_before_or_only_at_ctrl() {
        let (device, look) = (engine::BASE, |register: u32| [register].map(|offset| engine::BASE + offset));
        for seen in [None, Some(engine::CTRL), Some(engine::STATUS)] {
            let mut soc = soc(&[]);
            let start = Instant::now();
            let clock = Rc::new(std::cell::Cell::new(Duration::ZERO));
            let passed = Rc::clone(&clock);
            soc.now = Box::new(move || start + passed.get());
            // The second begins when the time of the longest run there is has passed since the first.
            for began in [Duration::ZERO, LONGEST_RUN + Duration::from_secs(1)] {
                clock.set(began);
                soc.write(device + engine::COUNT, 100_000).expect("it is set");
                soc.write(device + engine::CTRL, engine::START).expect("it starts");
                clock.set(began + Duration::from_micros(1100));
                while soc.keep_pace() == Some(Duration::ZERO) {}
                for address in seen.into_iter().flat_map(look) {
                    let word = soc.read(address).expect("a word");
                    assert_eq!(word & (engine::BUSY | engine::DONE), engine::DONE, "{seen:?}, after {began:?}");
                    assert_eq!(soc.keep_pace(), None, "an engine that was seen to be done needs no time");
                }
            }
            let status = soc.read(device + engine::STATUS).expect("a word");
            assert_eq!(status & (engine::BUSY | engine::DONE), engine::DONE, "{seen:?}");
        }
    }

    #[test]
    fn the_mark_is_shown_whatever_else_is_disturbed() {
        let mut soc = soc(&[Disturbance::Garbage(0), Disturbance::Identity(0)]);
        for (address, half) in SEED.into_iter().zip([mark::QUESTION as u32, (mark::QUESTION >> 32) as u32]) {
            soc.write(address, half).expect("it is written");
        }
        let words = SEED.map(|address| soc.read(address).expect("a word"));
        assert_eq!(mark::evidence(&words), Some(Evidence::Model));
        soc.write(SEED[1], 0).expect("it is written");
        assert_eq!(mark::evidence(&SEED.map(|address| soc.read(address).expect("a word"))), None);
        assert_ne!(soc.read(adapter::BASE), soc.read(adapter::BASE));
    }
}
