//! Schedules: which arrival orders to try, what each position of an order delivers, and how a failing execution is
//! made smaller.
//!
//! Knows: `domain`. Must not: know any subject by name, or what an order's outcome should be.

pub mod adversarial;
pub mod all_orders;
pub mod minimise;
pub mod permutation;
pub mod seeded;
