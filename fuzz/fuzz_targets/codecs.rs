//! The codecs of a tick from any bytes: what `properties/codecs.rs` says of their decoders, tried by libFuzzer.

#![no_main]

#[path = "../properties/codecs.rs"]
mod property;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| property::holds_for(bytes));
