//! What travels when replicas sync.
//!
//! Knows: `domain` and the workloads of `scenario`. Must not: judge whether anyone converged.

pub mod tick_message;
