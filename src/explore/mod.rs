//! Schedules: which arrival orders to try, what each position of an order delivers, how a failing execution is made
//! smaller, and the walk that covers every order at once.
//!
//! Knows: `domain`. Must not: know any subject by name, or what an order's outcome should be.

pub mod adversarial;
pub mod all_orders;
pub mod exhaustive;
pub mod minimise;
pub mod permutation;
pub mod seeded;

/// An explorer's entry, for `abench list`.
pub struct Entry {
    /// Its name in records and reports.
    pub name: &'static str,
    /// What it chooses, in a line.
    pub about: &'static str,
}

/// All explorers.
pub const EXPLORERS: &[Entry] = &[
    Entry { name: all_orders::NAME, about: "every order, where there are at most 64" },
    Entry { name: adversarial::NAME, about: "reversed, rotated, halves swapped, interleaved by bank" },
    Entry { name: seeded::NAME, about: "permutations drawn from the seed" },
];
