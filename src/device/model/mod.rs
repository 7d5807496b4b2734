//! A model of the device at its registers: the bench engine and the adapter, with simulated time, behind a [`Bus`].
//!
//! Knows: what the device does at each register and when. Must not: know who drives it.
//!
//! Only CYCLES is known exactly of the real device. What its documents leave open is decided here, once:
//!
//! | question | decision |
//! |---|---|
//! | what a bus access costs | [`ACCESS_CLOCKS`] clocks, during which a run goes on |
//! | when in an access a word is read or taken | in its first clock, as things stand before it; it is acknowledged, and the word read is there, in its second |
//! | when a run is over | one clock after the last accumulate clock, in which the banks are merged; COUNT 0 too |
//! | outputs of an engine while it is busy | CYCLES counts up; RESULT stays 0 until done |
//! | writes to COUNT, ACTIVE or SEED while busy | ignored |
//! | CTRL start while busy | ignored |
//! | CTRL clear | idle: CYCLES, RESULT and done become 0, and then a start in the same write takes effect; busy: ignored |
//! | done | falls when a run starts or CTRL clear is taken |
//! | how long the adapter is busy | [`adapter::COMMAND_CLOCKS`] clocks |
//! | adapter writes while busy | ignored, CMD too |
//! | RD while the adapter is busy | the response before; the new one is there when busy falls |
//! | response_ok after reset | 0; 1 after the first command, 0 while one is busy |
//! | reads at unmapped or misaligned addresses | 0 |
//! | writes at unmapped, misaligned or read-only addresses | ignored |
//! | writes of fewer than four bytes | ignored; a read gives the whole word |
//! | reset | every register as tabled, all contexts 0 |
//!
//! The RTL in `rtl/` keeps to the same table, clock for clock; `tests/rtl.rs` holds the two together.

pub mod adapter;
pub mod engine;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::bus::{Bus, BusError};
use crate::device::registers::{self, CLOCK_HZ};
use crate::domain::fault::{Activity, Fault, Site};

use adapter::Adapter;
use engine::Engine;

/// Clocks that pass with every bus access.
pub const ACCESS_CLOCKS: u64 = 2;

/// The selection of all four bytes of a word.
pub(in crate::device) const ALL_BYTES: u8 = 0xF;

/// The number of banks on the published board.
pub const PUBLISHED_BANKS: u32 = 8;

/// The faults planted in a model and what each has done, shared with whoever reports them.
#[derive(Clone, Debug, Default)]
pub struct Plants(Rc<[(Fault, Cell<Activity>)]>);

impl Plants {
    /// These faults, none of which has done anything yet.
    pub fn new(faults: &[Fault]) -> Self {
        Plants(faults.iter().map(|&fault| (fault, Cell::default())).collect())
    }

    /// Every planted fault and what it has done so far.
    pub fn activity(&self) -> Vec<(Fault, Activity)> {
        self.0.iter().map(|(fault, activity)| (*fault, activity.get())).collect()
    }

    /// Forgets what the faults have done.
    pub fn forget(&self) {
        self.0.iter().for_each(|(_, activity)| activity.set(Activity::default()));
    }

    /// Sets back what the faults have done to what it was when [`Plants::activity`] gave this.
    pub fn set_activity(&self, activity: &[(Fault, Activity)]) {
        for ((_, cell), (_, activity)) in self.0.iter().zip(activity) {
            cell.set(*activity);
        }
    }

    /// Whether nothing is planted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The planted faults in this part of the device, by their places.
    fn at(&self, site: Site) -> Vec<(usize, Fault)> {
        let faults = self.0.iter().enumerate().map(|(place, (fault, _))| (place, *fault));
        faults.filter(|(_, fault)| fault.site() == site).collect()
    }

    /// Counts that the fault at this place was in use.
    fn reached(&self, place: usize) {
        self.reached_again(place, 1);
    }

    /// Counts that the fault at this place was in use so many times more.
    pub(in crate::device) fn reached_again(&self, place: usize, times: u64) {
        let activity = &self.0[place].1;
        activity.set(Activity { reached: activity.get().reached + times, ..activity.get() });
    }

    /// Counts a word that a sound device would not have shown, for every fault of this part that was in use.
    pub(in crate::device) fn shown_otherwise(&self, site: Site) {
        for (fault, activity) in self.0.iter() {
            if fault.site() == site && activity.get().reached > 0 {
                activity.set(Activity { changed: activity.get().changed + 1, ..activity.get() });
            }
        }
    }
}

/// An engine and an adapter.
struct Parts {
    engine: Engine,
    adapter: Adapter,
}

impl Parts {
    fn new(banks: u32, plants: &Plants) -> Self {
        Parts { engine: Engine::new(banks, plants.clone()), adapter: Adapter::new(plants.clone()) }
    }

    fn advance(&mut self, clocks: u64) {
        self.engine.advance(clocks);
        self.adapter.advance(clocks);
    }

    fn read(&self, address: u32) -> u32 {
        match slave(address) {
            Some((Site::Engine, offset)) => self.engine.read(offset),
            Some((Site::Adapter, offset)) => self.adapter.read(offset),
            None => 0,
        }
    }

    /// One clock in which these bytes of a word are taken, unless its part is busy: then that goes on.
    fn write(&mut self, address: u32, word: u32, bytes: u8) {
        let (engine_takes, adapter_takes) = (!self.engine.is_busy(), !self.adapter.is_busy());
        self.advance(1);
        match slave(address) {
            Some((Site::Engine, offset)) if engine_takes => self.engine.write_bytes(offset, word, bytes),
            Some((Site::Adapter, offset)) if adapter_takes => self.adapter.write_bytes(offset, word, bytes),
            _ => {}
        }
    }
}

/// The modelled device.
pub struct Model {
    parts: Parts,
    /// Where faults are planted, a sound device beside: what the faults change is what the two show differently.
    sound: Option<Parts>,
    plants: Plants,
    clock: u64,
    link: String,
}

impl Model {
    /// A device after reset whose engine has this many banks, with these faults in it.
    ///
    /// # Panics
    /// If `banks` is not 1 to 32.
    pub fn new(banks: u32, plants: &Plants) -> Self {
        Model {
            parts: Parts::new(banks, plants),
            sound: (!plants.is_empty()).then(|| Parts::new(banks, &Plants::default())),
            plants: plants.clone(),
            clock: 0,
            link: "in-process".to_owned(),
        }
    }

    /// The bench engine.
    pub fn engine(&self) -> &Engine {
        &self.parts.engine
    }

    /// The adapter.
    pub fn adapter(&self) -> &Adapter {
        &self.parts.adapter
    }

    /// The first clock of an access, which reads a word.
    pub(in crate::device) fn begin_read(&mut self, address: u32) -> u32 {
        let word = self.parts.read(address);
        if let (Some(sound), Some((site, _))) = (&self.sound, slave(address))
            && sound.read(address) != word
        {
            self.plants.shown_otherwise(site);
        }
        if let Some((Site::Engine, offset)) = slave(address) {
            self.parts.engine.was_read(offset);
        }
        self.advance(1);
        word
    }

    /// The first clock of an access, which takes these bytes of a word.
    pub(in crate::device) fn begin_write(&mut self, address: u32, word: u32, bytes: u8) {
        self.parts.write(address, word, bytes);
        if let Some(sound) = &mut self.sound {
            sound.write(address, word, bytes);
        }
        self.clock += 1;
    }

    /// So many clocks without the first one of an access.
    pub(in crate::device) fn advance(&mut self, clocks: u64) {
        self.parts.advance(clocks);
        if let Some(sound) = &mut self.sound {
            sound.advance(clocks);
        }
        self.clock += clocks;
    }
}

impl Bus for Model {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        let word = self.begin_read(address);
        self.advance(ACCESS_CLOCKS - 1);
        Ok(word)
    }

    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.begin_write(address, word, ALL_BYTES);
        self.advance(ACCESS_CLOCKS - 1);
        Ok(())
    }

    fn selects_bytes(&self) -> bool {
        true
    }

    fn write_bytes(&mut self, address: u32, word: u32, bytes: u8) -> Result<bool, BusError> {
        self.begin_write(address, word, bytes & ALL_BYTES);
        self.advance(ACCESS_CLOCKS - 1);
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

/// The part that answers at an address, and the offset within its 4 KiB; `None` if none does.
pub(in crate::device) fn slave(address: u32) -> Option<(Site, u32)> {
    let (base, offset) = (address & !0xFFF, address & 0xFFF);
    let site = match base {
        registers::engine::BASE => Site::Engine,
        registers::adapter::BASE => Site::Adapter,
        _ => return None,
    };
    offset.is_multiple_of(4).then_some((site, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_register_after_reset_is_what_the_board_reads() {
        let mut model = Model::new(PUBLISHED_BANKS, &Plants::default());
        assert_eq!(model.read(0xF002_1020), Ok(0x0208_0000));
    }

    #[test]
    fn registers_read_their_reset_values() {
        let mut model = Model::new(PUBLISHED_BANKS, &Plants::default());
        let words: Vec<u32> =
            (0x00..0x24).step_by(4).map(|offset| model.read(0xF002_1000 + offset).expect("a word")).collect();
        assert_eq!(words, [0, 0, 1, 1, 0, 0, 0, 0, 0x0208_0000]);
    }

    #[test]
    fn unmapped_addresses_read_zero_and_ignore_writes() {
        let mut model = Model::new(PUBLISHED_BANKS, &Plants::default());
        for address in [0, 0xF001_FFFC, 0xF002_0014, 0xF002_1024, 0xF002_1001, 0xF002_2000, u32::MAX] {
            assert_eq!(model.write(address, u32::MAX), Ok(()));
            assert_eq!(model.read(address), Ok(0), "{address:#x}");
        }
        assert_eq!(model.read(0xF002_1020), Ok(0x0208_0000));
    }

    #[test]
    fn a_fault_changes_what_is_read_and_only_then_counts_as_having_changed_something() {
        let plants = Plants::new(&[Fault::DeadBank(3)]);
        let mut model = Model::new(PUBLISHED_BANKS, &plants);
        let mut run = |count: u32| {
            for (offset, word) in [(0x04, count), (0x08, 8), (0x0C, 3), (0x00, 1)] {
                model.write(0xF002_1000 + offset, word).expect("a write");
            }
            model.pause(Duration::from_micros(1));
            model.read(0xF002_1018).expect("a word");
            let (_, activity) = plants.activity()[0];
            (activity.reached, activity.changed)
        };
        assert_eq!(run(3), (0, 0), "bank 3 has no delta");
        assert_eq!(run(4), (1, 0), "its delta is that of index 3, which is SEED");
        assert_eq!(run(12), (2, 1), "index 11 is its too");
    }

    #[test]
    fn time_passes_with_accesses_and_pauses() {
        let mut model = Model::new(PUBLISHED_BANKS, &Plants::default());
        model.read(0).expect("a word");
        model.pause(Duration::from_micros(3));
        assert_eq!(model.elapsed(), Duration::from_nanos(20 + 3000));
    }
}
