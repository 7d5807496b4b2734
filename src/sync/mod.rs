//! What travels when replicas sync, the replicas, and the world that they live in.
//!
//! Knows: `domain`, and the workloads of `scenario`. Must not: judge whether anyone converged.

pub mod acknowledged;
pub mod any_bytes;
pub mod everywhere;
pub mod host;
pub mod node;
pub mod replica;
pub mod store;
pub mod strategy;
pub mod tick_message;
pub mod vector;
pub mod wire;
pub mod world;
