//! The delta-state device: its register maps, one driver over any bus, a model, and the serial protocol of a smaller
//! build.
//!
//! Knows: `bus` and `domain`. Must not: judge what a device answers.

pub mod driver;
pub mod mark;
pub mod model;
pub mod registers;
pub mod serial;
