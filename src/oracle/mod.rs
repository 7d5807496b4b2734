//! Judgements: what a subject should have shown, whether it did, and what its wrong answers tell.
//!
//! Knows: `domain`. Must not: drive a subject, or know how it works.

pub mod contexts;
pub mod delivered;
pub mod equations;
pub mod gf2;
pub mod invariance;
pub mod laws;
pub mod offline;
pub mod registers;
pub mod residue;
pub mod truth;
