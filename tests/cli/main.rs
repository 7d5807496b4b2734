//! Behaviour through the binary.

mod common;
mod served;

mod adapters;
mod as_client;
mod bad_input;
mod bandwidth;
mod busy_lines;
mod compare;
mod completions;
mod conformance;
mod convert;
mod disturbed_links;
mod every_order;
mod expectations;
mod falsify;
mod first_screen;
mod histogram_log;
mod input_files;
mod jobs;
mod kept;
mod links;
mod litex_clients;
mod litex_server;
mod manual;
mod names;
mod offline;
mod orders;
mod pages;
mod planted_faults;
mod process_engines;
mod progress;
mod published_runs;
mod qualification;
mod readme;
mod records;
mod report;
mod results;
#[cfg(feature = "rtl")]
mod rtl;
mod scripts;
mod verdicts;
mod verilog;
mod workflow;
