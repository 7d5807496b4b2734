//! The clock of benchmarks on machines where others work, too.

use std::time::{Duration, Instant};

/// A time that passes: the processor time of this thread, or, where the system does not tell it, time.
#[derive(Clone, Copy)]
pub struct Clock(Instant, Option<Duration>);

impl Clock {
    /// It begins now.
    pub fn start() -> Self {
        Clock(Instant::now(), Self::of_processor())
    }

    fn of_processor() -> Option<Duration> {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        told.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    }

    /// What has passed since.
    pub fn elapsed(self) -> Duration {
        let Clock(start, processor) = self;
        let took = Self::of_processor().zip(processor).map(|(now, then)| now.saturating_sub(then));
        took.filter(|took| !took.is_zero()).unwrap_or_else(|| start.elapsed())
    }
}
