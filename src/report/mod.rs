//! The record of a run, and the views of it. Whatever is shown is read from a record.
//!
//! How the part of one kind of trial reads, its experiment says: [`view`].
//!
//! Knows: `domain`. Must not: run or judge anything.

pub mod any;
pub mod bandwidth_record;
pub mod board_table;
pub mod codecs_record;
pub mod comparison;
pub mod curves_record;
pub mod document;
pub mod figure;
pub mod file;
pub mod first_screen;
pub mod format;
pub mod histogram_log;
pub mod inert;
pub mod input;
pub mod journal;
pub mod junit;
pub mod ledger;
pub mod offline_record;
pub mod qualification;
pub mod record;
pub mod rtl_mutation;
pub mod samples;
pub mod seal;
pub mod version_1;
pub mod view;
