//! The delta-state device: its register maps, one driver over any bus, a model, the serial protocol of a smaller build,
//! a user's own Verilog, and with feature `rtl` the RTL.
//!
//! Knows: `bus` and `domain`. Must not: judge what a device answers.

pub mod driver;
pub mod mark;
pub mod model;
mod plants;
pub mod registers;
#[cfg(feature = "rtl")]
pub mod rtl;
pub mod serial;
pub mod verilog;
