//! The sections that the report of every run has, one file each: from a record to blocks. Those of one kind of trial are in the
//! folder of its experiment.

pub mod checks;
pub mod claims;
pub mod counterexamples;
pub mod devices;
pub mod failed;
pub mod figures;
pub mod mutants;
pub mod planted;
pub mod repeat;
pub mod timing;
pub mod unseen;
pub mod verdict;
