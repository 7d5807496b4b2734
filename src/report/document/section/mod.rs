//! The sections of a run's report, one file each: from a record to blocks.

pub mod bandwidth;
pub mod banks;
pub mod checks;
pub mod claims;
pub mod codecs;
pub mod counterexamples;
pub mod curves;
pub mod devices;
pub mod engines;
pub mod failed;
pub mod figures;
pub mod laws;
pub mod mutants;
pub mod orders;
pub mod planted;
pub mod repeat;
pub mod staleness;
pub mod ticks;
pub mod timing;
pub mod unseen;
pub mod verdict;
