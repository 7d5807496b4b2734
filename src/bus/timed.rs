//! A bus that times every round trip over another one. A write is none: nothing comes back.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::bus::{Bus, BusError};
use crate::domain::link_events::LinkEvents;

/// Latencies of register round trips in nanoseconds of the host's clock, shared with whoever reports them.
pub type RoundTrips = Rc<RefCell<Histogram<u64>>>;

/// Time of a simulated device that went by in pauses, and how long the host took to simulate it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Simulated {
    /// By the device's clock.
    pub time: Duration,
    /// By the host's clock.
    pub took: Duration,
}

/// What was simulated, shared with whoever reports it.
pub type SimulatedTime = Rc<Cell<Simulated>>;

/// Passes every access on and records how long each read took.
pub struct TimedBus {
    inner: Box<dyn Bus>,
    round_trips: RoundTrips,
    simulated: SimulatedTime,
}

/// A place for latencies, empty.
pub fn no_round_trips() -> RoundTrips {
    // Three significant digits; it resizes itself, so that no latency is too long to be recorded.
    let histogram = Histogram::new(3).expect("three digits are within what a histogram allows");
    Rc::new(RefCell::new(histogram))
}

/// Records a latency, in nanoseconds. What is longer than an hour counts as an hour.
pub fn record(histogram: &mut Histogram<u64>, latency: Duration) {
    const LONGEST: Duration = Duration::from_secs(3600);
    let nanoseconds = latency.min(LONGEST).as_nanos() as u64;
    histogram.record(nanoseconds).expect("a histogram of so many digits resizes itself");
}

impl TimedBus {
    /// Times what goes over `inner`, into `round_trips`, and what a simulated device does in pauses, into `simulated`.
    pub fn over(inner: Box<dyn Bus>, round_trips: &RoundTrips, simulated: &SimulatedTime) -> Self {
        TimedBus { inner, round_trips: Rc::clone(round_trips), simulated: Rc::clone(simulated) }
    }

    fn timed<T>(&mut self, access: impl FnOnce(&mut dyn Bus) -> Result<T, BusError>) -> Result<T, BusError> {
        let start = Instant::now();
        let answer = access(self.inner.as_mut());
        record(&mut self.round_trips.borrow_mut(), start.elapsed());
        answer
    }
}

impl Bus for TimedBus {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        self.timed(|bus| bus.read(address))
    }

    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.inner.write(address, word)
    }

    fn read_each(&mut self, addresses: &[u32], words: &mut [u32]) -> Result<(), BusError> {
        self.timed(|bus| bus.read_each(addresses, words))
    }

    fn write_run(&mut self, address: u32, words: &[u32]) -> Result<(), BusError> {
        self.inner.write_run(address, words)
    }

    fn write_bytes(&mut self, address: u32, word: u32, bytes: u8) -> Result<bool, BusError> {
        self.inner.write_bytes(address, word, bytes)
    }

    fn selects_bytes(&self) -> bool {
        self.inner.selects_bytes()
    }

    fn opened(&mut self) {
        self.inner.opened();
    }

    fn elapsed(&self) -> Duration {
        self.inner.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        // A pause of a board is no work of the host's.
        if !self.inner.ends_with_its_driver() {
            return self.inner.pause(duration);
        }
        let (before, start) = (self.inner.elapsed(), Instant::now());
        self.inner.pause(duration);
        let Simulated { time, took } = self.simulated.get();
        let time = time + self.inner.elapsed().saturating_sub(before);
        self.simulated.set(Simulated { time, took: took + start.elapsed() });
    }

    fn events(&self) -> LinkEvents {
        self.inner.events()
    }

    fn ends_with_its_driver(&self) -> bool {
        self.inner.ends_with_its_driver()
    }

    fn link(&self) -> &str {
        self.inner.link()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_recorded_as_it_is_however_long() {
        let round_trips = no_round_trips();
        for latency in [Duration::from_nanos(40), Duration::from_millis(3), Duration::MAX] {
            record(&mut round_trips.borrow_mut(), latency);
        }
        let histogram = round_trips.borrow();
        assert_eq!(histogram.min(), 40);
        assert!((2_990_000..3_010_000).contains(&histogram.value_at_quantile(0.5)));
        assert!(histogram.max() >= 3_590_000_000_000);
    }
}
