//! UARTBone from any bytes: what `properties/uartbone.rs` says of its decoder, tried by libFuzzer.

#![no_main]

#[path = "../properties/uartbone.rs"]
mod property;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| property::holds_for(bytes));
