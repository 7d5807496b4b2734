//! The delta-state device: its register maps, one driver over any bus, and a model.
//!
//! Knows: `bus` and `domain`. Must not: judge what a device answers.

pub mod driver;
pub mod model;
pub mod registers;
