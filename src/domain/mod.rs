//! The words of the product, as types: seeds, deltas, orders, cases, faults, findings and verdicts, and the traits
//! that a system on trial, a chooser of orders and a judge implement.
//!
//! Knows: nothing but itself. Must not: read files, clocks or the environment, print, or use any other folder.

pub mod access;
pub mod algebra;
pub mod asked;
pub mod bandwidth;
pub mod case;
pub mod codecs;
pub mod count;
pub mod curves;
pub mod data;
pub mod delta;
pub mod every_delivery;
pub mod evidence;
pub mod execution;
pub mod explorer;
pub mod factorial;
pub mod fault;
pub mod fault_count;
mod fault_keys;
pub mod finding;
pub mod hex;
pub mod history;
pub mod json;
pub mod judge;
pub mod law;
pub mod letter;
pub mod link_events;
pub mod nearest;
pub mod offline;
pub mod oracle;
pub mod order;
pub mod over_time;
mod possible;
pub mod replica;
pub mod schedule;
pub mod script;
pub mod seed;
pub mod shown;
pub mod subject;
pub mod traffic;
pub mod trial;
pub mod verdict;
pub mod watch;
pub mod waveform;
pub mod way;
