//! The catalogue of faults that can be planted, and what to say of one that did nothing.
//!
//! Knows: `domain`. Must not: plant anything itself (the model has the switches), or judge a run.

pub mod catalogue;
