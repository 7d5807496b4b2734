//! abench: a seeded benchmark and falsification harness for offline-first delta-state sync.
//!
//! # Map
//!
//! Data flows one way. A folder uses the rows above its own, and nothing beside or below it; `tests/architecture.rs`
//! holds this true.
//!
//! ```text
//! scenario ─► experiment ─► jobs ─► outcomes ─► record ─► document ─► HTML · Markdown · text, terminal
//!   seed       a kind of     on all    journal     JSON ─┬─► first screen, JUnit
//!              trial         cores                       └─► compare
//! ```
//!
//! | row | module | knows |
//! |---|---|---|
//! | 1 | [`domain`] | the words of the product, as types and traits; nothing else |
//! | 2 | [`data`] | data types: what an intent does, and which views are right |
//! | 2 | [`bus`] | how 32-bit words get to a device and back |
//! | 2 | [`explore`] | schedules, how a failing one is made smaller, and the walk over all orders |
//! | 2 | [`report`] | the record, and the views of it |
//! | 3 | [`scenario`] | files to scenarios, scenarios to workloads |
//! | 3 | [`oracle`] | judgements, and what a set of runs cannot see |
//! | 3 | [`device`] | the register maps, the one driver, the model, the RTL, the serial protocol |
//! | 3 | [`engine`] | the port of replicas, and every engine behind it |
//! | 4 | [`subject`] | everything that can be put on trial, by name |
//! | 4 | [`emulator`] | how a device is served to other programs, and how badly |
//! | 4 | [`lab`] | virtual time: worlds of replicas, their links, disks, clocks and faults |
//! | 4 | [`fault`] | the catalogue of faults that can be planted |
//! | 5 | [`experiment`] | a folder for each kind of trial |
//! | 6 | [`campaign`] | the pipeline: a scenario and its subjects to a record; replays and qualifications |
//! | 7 | [`claims`] | published claims: their file, their trial, and what decides about them |
//! | 7 | [`console`] | the terminal |
//! | 8 | [`cmd`] | one verb a file |
//! | 9 | [`cli`] | the command line; `main` dispatches it and gives the exit code |

pub mod bus;
pub mod campaign;
pub mod claims;
pub mod cli;
pub mod cmd;
pub mod console;
pub mod data;
pub mod device;
pub mod domain;
pub mod emulator;
pub mod engine;
pub mod experiment;
pub mod explore;
pub mod fault;
pub mod lab;
pub mod oracle;
pub mod report;
pub mod scenario;
pub mod subject;
