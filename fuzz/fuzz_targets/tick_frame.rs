//! The frame of a tick from any bytes: what `properties/tick_frame.rs` says of its decoder, tried by libFuzzer.

#![no_main]

#[path = "../properties/tick_frame.rs"]
mod property;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| property::holds_for(bytes));
