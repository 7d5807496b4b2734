//! The delta-state device: its register maps, one driver over any bus, a model, the serial protocol of a smaller build,
//! and with feature `rtl` the RTL.
//!
//! Knows: `bus` and `domain`. Must not: judge what a device answers.

pub mod driver;
pub mod mark;
pub mod model;
pub mod registers;
#[cfg(feature = "rtl")]
pub mod rtl;
pub mod serial;
