//! Libraries behind the port of engines: what they make of any bytes, that their failures are findings, and what was seen of
//! each in the scripts of `adapters/libraries`.
#![cfg(feature = "engines")]

#[path = "engines/any_bytes.rs"]
mod any_bytes;
#[path = "engines/ids.rs"]
mod ids;
#[path = "engines/scripts.rs"]
mod scripts;
#[path = "engines/worlds.rs"]
mod worlds;
