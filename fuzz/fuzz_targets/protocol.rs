//! Lines of a process from any bytes: what `properties/protocol.rs` says of their reader, tried by libFuzzer. The dictionary
//! `protocol.dict` has the words of the protocol.

#![no_main]

#[path = "../properties/protocol.rs"]
mod property;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| property::holds_for(bytes));
