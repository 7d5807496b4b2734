//! The RTL beside a sound model, clock by clock: which clock is the first that goes wrong inside, and a waveform of the
//! clocks around it.
//!
//! Knows: what is inside the two. Must not: judge what they answer, or know what is asked of them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::bus::{Bus, BusError};
use crate::device::model::{ACCESS_CLOCKS, ALL_BYTES, Model, Plants};
use crate::device::registers::CLOCK_HZ;
use crate::device::registers::adapter::CONTEXTS;
use crate::device::rtl::Rtl;
use crate::device::rtl::ffi::Inside;
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
    let mut pass = |around: Option<Clock>| {
        let watched = Rc::new(RefCell::new(Watched { around, ..Watched::default() }));
        let (seen, faults) = (Rc::clone(&watched), faults.to_vec());
        drive(Box::new(move || Ok(Box::new(Lockstep::new(banks, &faults, part, &seen)?))))?;
        // All buses are gone with the device that used them, and so is what they held.
        Ok(watched.take())
    };
    let Watched { first_wrong, compared, .. } = pass(None)?;
    let Some((at, first_wrong)) = first_wrong else {
        return Ok(Look { first_wrong: None, compared, vcd: String::new() });
    };
    let waveform = pass(Some(at))?.waveform;
    let vcd = headed(&String::from_utf8_lossy(&waveform), &first_wrong);
    Ok(Look { first_wrong: Some(first_wrong), compared, vcd })
}

/// A VCD file's text with what it shows at its top, and without the date, which would make every one another.
fn headed(text: &str, first_wrong: &FirstWrong) -> String {
    let FirstWrong { clock, nanoseconds, what, .. } = first_wrong;
    let mut vcd = format!("$comment first wrong in clock {clock}, at {nanoseconds} ns: {what} $end\n");
    let mut in_date = false;
    for line in text.lines() {
        in_date |= line.starts_with("$date");
        if !in_date {
            vcd.push_str(line);
            vcd.push('\n');
        }
        in_date &= !line.contains("$end");
    }
    vcd
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
}

/// The RTL with its faults, and a sound model that the same is done to.
struct Lockstep {
    rtl: Rtl,
    model: Model,
    part: Site,
    clock: Clock,
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
        let model = Model::new(banks, &Plants::default());
        Ok(Lockstep { rtl, model, part, clock, watched: Rc::clone(watched), draws: false, link })
    }

    /// So many clocks, one by one where they are looked at.
    fn advance(&mut self, clocks: u64) {
        let mut left = clocks;
        while left > 0 {
            let step = if self.looks() { 1 } else { left };
            self.before_a_clock();
            self.rtl.advance(step);
            self.model.advance(step);
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
        if around.is_some_and(|around| self.clock.number == around.number.saturating_sub(AROUND + 1)) {
            self.rtl.simulation.open_waveform();
            self.draws = true;
        }
    }

    fn after_clocks(&mut self, clocks: u64) {
        let looks = self.looks();
        self.clock.number += clocks;
        let around = self.watched.borrow().around;
        if around.is_some_and(|around| self.draws && self.clock.number == around.number + AROUND) {
            self.keep_waveform();
        }
        if around.is_none() && looks {
            self.watched.borrow_mut().compared += 1;
            if let Some((bank, what)) = self.difference() {
                let number = self.clock.number;
                let nanoseconds = number * CLOCK_NANOSECONDS - CLOCK_NANOSECONDS / 2;
                let first_wrong = FirstWrong { clock: number, nanoseconds, bank, what };
                self.watched.borrow_mut().first_wrong = Some((self.clock, first_wrong));
            }
        }
    }

    fn keep_waveform(&mut self) {
        self.draws = false;
        self.watched.borrow_mut().waveform = self.rtl.simulation.close_waveform();
    }

    /// What differs inside the two now: the bank, if it is one, and words for it.
    fn difference(&self) -> Option<(Option<u32>, String)> {
        let (got, right) = (self.rtl.simulation.inside(), inside(&self.model));
        match self.part {
            Site::Engine => engine_difference(&got, &right),
            Site::Adapter => self.adapter_difference(&got, &right).map(|what| (None, what)),
        }
    }

    fn adapter_difference(&self, got: &Inside, right: &Inside) -> Option<String> {
        let words = [
            ("accumulator", got.accumulator, right.accumulator),
            ("RD", got.rd.into(), right.rd.into()),
            ("selected context", got.context.into(), right.context.into()),
            ("busy", got.adapter_busy.into(), right.adapter_busy.into()),
        ];
        first_difference("the adapter's ", &words).or_else(|| {
            // Contexts are written by commands alone.
            let references = self.model.adapter().references();
            let contexts = (0..CONTEXTS).filter(|_| right.adapter_busy != 0);
            contexts.into_iter().find_map(|context| {
                let name = format!("context {context}");
                let got = self.rtl.simulation.reference(context as u8);
                first_difference("the adapter's ", &[(name.as_str(), got, references[context])])
            })
        })
    }
}

fn engine_difference(got: &Inside, right: &Inside) -> Option<(Option<u32>, String)> {
    let bank = (0..got.banks.len()).find(|&bank| got.banks[bank] != right.banks[bank]);
    if let Some(bank) = bank {
        let name = format!("bank {bank}");
        let what = first_difference("", &[(&name, got.banks[bank], right.banks[bank])]);
        return what.map(|what| (Some(bank as u32), what));
    }
    let words = [
        ("CYCLES", got.cycles.into(), right.cycles.into()),
        ("RESULT", got.result, right.result),
        ("busy", got.engine_busy.into(), right.engine_busy.into()),
        ("done", got.engine_done.into(), right.engine_done.into()),
    ];
    first_difference("the engine's ", &words).map(|what| (None, what))
}

fn first_difference(whose: &str, words: &[(&str, u64, u64)]) -> Option<String> {
    let (name, got, right) = words.iter().find(|(_, got, right)| got != right)?;
    Some(format!("{whose}{name} holds {got:#x} and should hold {right:#x}"))
}

/// What is inside the model, as the RTL shows it.
fn inside(model: &Model) -> Inside {
    let (engine, adapter) = (model.engine(), model.adapter());
    Inside {
        banks: *engine.banks(),
        result: engine.result(),
        accumulator: adapter.accumulator(),
        cycles: engine.cycles(),
        rd: adapter.rd(),
        context: adapter.context(),
        engine_busy: engine.is_busy().into(),
        engine_done: engine.is_done().into(),
        adapter_busy: adapter.is_busy().into(),
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
        self.model.begin_read(address);
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
        self.model.begin_write(address, word, bytes);
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

    fn ends_with_its_driver(&self) -> bool {
        true
    }

    fn link(&self) -> &str {
        &self.link
    }
}
