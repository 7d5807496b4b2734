//! Qualifications: faults and mutants are planted under scenarios, and what finds them is counted.
//!
//! A qualification measures scenarios and judges, not what they put on trial.

pub mod devices;
pub mod engines;
