//! Behaviour through the binary.

mod common;

mod bad_input;
mod every_order;
mod offline;
mod orders;
mod planted_faults;
mod published_runs;
mod qualification;
mod readme;
mod records;
mod results;
