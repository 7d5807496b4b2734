//! Etherbone from any bytes: what `properties/etherbone.rs` says of its decoder, tried by libFuzzer.

#![no_main]

#[path = "../properties/etherbone.rs"]
mod property;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| property::holds_for(bytes));
