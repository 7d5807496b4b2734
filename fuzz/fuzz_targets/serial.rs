//! The serial protocol from any bytes: what `properties/serial.rs` says of its decoder, tried by libFuzzer.

#![no_main]

#[path = "../properties/serial.rs"]
mod property;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| property::holds_for(bytes));
