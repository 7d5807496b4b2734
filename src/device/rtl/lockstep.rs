//! The RTL with its faults beside a sound simulation of the same RTL, clock by clock: which clock is the first after which
//! a signal inside differs, and a waveform of the clocks around it.
//!
//! Knows: what is inside the two. Must not: judge what they answer, or know what is asked of them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use crate::bus::{Bus, BusError};
use crate::device::model::{ACCESS_CLOCKS, ALL_BYTES, Plants};
use crate::device::registers::CLOCK_HZ;
use crate::device::rtl::Rtl;
use crate::device::rtl::signals::{Signals, Wrong};
use crate::device::rtl::vcd::{self, Contexts};
use crate::domain::fault::{Fault, Site};
use crate::domain::waveform::{FirstWrong, Look};

/// Clocks of a waveform before the first wrong one, and after it.
const AROUND: u64 = 8;

/// The most clocks that are compared, one after the other: what a simulation does in some tens of seconds.
const MOST_COMPARED: u64 = 1 << 27;

const CLOCK_NANOSECONDS: u64 = 1_000_000_000 / CLOCK_HZ;

/// What gives buses to the device that is looked into, each after a reset.
pub type Connect = Box<dyn Fn() -> Result<Box<dyn Bus>, BusError>>;

/// Looks into this part of a device with so many banks and these faults while `drive` uses it: once to find the first
/// wrong clock, and where there is one, once more with a waveform around it. `drive` has to do the same both times.
pub fn look<E>(
    banks: u32,
    faults: &[Fault],
    part: Site,
    mut drive: impl FnMut(Connect) -> Result<(), E>,
) -> Result<Look, E> {
    let mut pass = |around: Option<Clock>, touched: Vec<u8>| {
        let contexts = Contexts::of(touched);
        let watched = Rc::new(RefCell::new(Watched { around, contexts, ..Watched::default() }));
        let (seen, faults) = (Rc::clone(&watched), faults.to_vec());
        drive(Box::new(move || Ok(Box::new(Lockstep::new(banks, &faults, part, &seen)?))))?;
        // All buses are gone with the device that used them, and so is what they held.
        Ok(watched.take())
    };
    let Watched { first_wrong, compared, touched, .. } = pass(None, Vec::new())?;
    let Some((at, first_wrong)) = first_wrong else {
        return Ok(Look { first_wrong: None, compared, vcd: String::new() });
    };
    let Watched { waveform, contexts, .. } = pass(Some(at), touched.into_iter().collect())?;
    let vcd = vcd::headed(&contexts.added_to(&String::from_utf8_lossy(&waveform)), &first_wrong);
    Ok(Look { first_wrong: Some(first_wrong), compared, vcd })
}

/// A clock of one of the buses that a device is used through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    /// Which bus, in the order in which they were made.
    bus: u32,
    /// Clocks since its reset.
    number: u64,
}

/// What a pass finds, shared by its buses.
#[derive(Default)]
struct Watched {
    buses: u32,
    compared: u64,
    first_wrong: Option<(Clock, FirstWrong)>,
    /// The clock around which a waveform is wanted.
    around: Option<Clock>,
    waveform: Vec<u8>,
    /// Contexts that were selected or written.
    touched: BTreeSet<u8>,
    /// Their references in the clocks that are drawn.
    contexts: Contexts,
}

/// The RTL with its faults; it has a sound simulation beside it, to which the same is done.
struct Lockstep {
    rtl: Rtl,
    part: Site,
    clock: Clock,
    /// The clock in which the device was open: what was done before it is no part of a case.
    opened: Option<u64>,
    signals: Signals,
    watched: Rc<RefCell<Watched>>,
    draws: bool,
    link: String,
}

impl Lockstep {
    fn new(banks: u32, faults: &[Fault], part: Site, watched: &Rc<RefCell<Watched>>) -> Result<Self, BusError> {
        let rtl = Rtl::new(banks, &Plants::new(faults))?;
        let link = rtl.link().to_owned();
        watched.borrow_mut().buses += 1;
        let clock = Clock { bus: watched.borrow().buses, number: 0 };
        let (opened, signals) = (None, Signals::default());
        Ok(Lockstep { rtl, part, clock, opened, signals, watched: Rc::clone(watched), draws: false, link })
    }

    /// So many clocks, one by one where they are looked at.
    fn advance(&mut self, clocks: u64) {
        let mut left = clocks;
        while left > 0 {
            let step = if self.looks() { 1 } else { left };
            self.before_a_clock();
            self.rtl.advance(step);
            self.after_clocks(step);
            left -= step;
        }
    }

    /// Whether every clock matters: until the first wrong one is found, or a waveform is drawn.
    fn looks(&self) -> bool {
        let watched = self.watched.borrow();
        match watched.around {
            Some(around) => around.bus == self.clock.bus && self.clock.number <= around.number + AROUND,
            None => watched.first_wrong.is_none() && watched.compared < MOST_COMPARED,
        }
    }

    fn before_a_clock(&mut self) {
        let around = self.watched.borrow().around.filter(|around| around.bus == self.clock.bus);
        let begins = around.map(|around| around.number.saturating_sub(AROUND + 1).max(self.opened.unwrap_or(u64::MAX)));
        if begins == Some(self.clock.number) && !self.draws {
            self.rtl.simulation.open_waveform();
            self.draws = true;
            self.draw_contexts();
        }
    }

    fn after_clocks(&mut self, clocks: u64) {
        let looks = self.looks();
        self.clock.number += clocks;
        let around = self.watched.borrow().around;
        if around.is_some_and(|around| self.draws && self.clock.number == around.number + AROUND) {
            self.keep_waveform();
        }
        if self.draws {
            self.draw_contexts();
        }
        if around.is_none() && looks {
            self.compare();
        }
    }

    /// Compares the two simulations after a clock.
    fn compare(&mut self) {
        let Some(sound) = &self.rtl.sound else { return };
        let found = self.signals.compare(self.part, &self.rtl.simulation, sound);
        let mut watched = self.watched.borrow_mut();
        watched.compared += 1;
        watched.touched.extend(found.touched);
        if let Some(Wrong { bank, what }) = found.wrong.filter(|_| self.opened.is_some()) {
            let number = self.clock.number;
            let first_wrong = FirstWrong { clock: number, nanoseconds: vcd::rises_at(number) / 1_000, bank, what };
            watched.first_wrong = Some((self.clock, first_wrong));
        }
    }

    /// Keeps the references of the touched contexts as they are after this clock.
    fn draw_contexts(&mut self) {
        let mut watched = self.watched.borrow_mut();
        watched.contexts.draw(self.clock.number, |context| self.rtl.simulation.reference(context));
    }

    fn keep_waveform(&mut self) {
        self.draws = false;
        self.watched.borrow_mut().waveform = self.rtl.simulation.close_waveform();
    }
}

impl Drop for Lockstep {
    fn drop(&mut self) {
        if self.draws {
            self.keep_waveform();
        }
    }
}

impl Bus for Lockstep {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        self.before_a_clock();
        let (word, _) = self.rtl.begin(false, address, 0, ALL_BYTES);
        self.after_clocks(1);
        self.advance(ACCESS_CLOCKS - 1);
        self.rtl.release();
        Ok(word)
    }

    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.write_bytes(address, word, ALL_BYTES)?;
        Ok(())
    }

    fn selects_bytes(&self) -> bool {
        true
    }

    fn write_bytes(&mut self, address: u32, word: u32, bytes: u8) -> Result<bool, BusError> {
        self.before_a_clock();
        self.rtl.begin(true, address, word, bytes);
        self.after_clocks(1);
        self.advance(ACCESS_CLOCKS - 1);
        self.rtl.release();
        Ok(true)
    }

    fn elapsed(&self) -> Duration {
        self.rtl.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        let clocks = duration.as_nanos() / u128::from(CLOCK_NANOSECONDS);
        self.advance(u64::try_from(clocks).unwrap_or(u64::MAX));
    }

    fn opened(&mut self) {
        self.opened = Some(self.clock.number);
    }

    fn ends_with_its_driver(&self) -> bool {
        true
    }

    fn link(&self) -> &str {
        &self.link
    }
}
