//! The serial protocol from any bytes: no panic, and the commands that are found are the same again when they are encoded
//! and decoded.

use abench::device::serial::codec::{Command, Decoder};

/// Panics where these bytes show otherwise.
pub fn holds_for(bytes: &[u8]) {
    let mut decoder = Decoder::default();
    let commands: Vec<Command> = bytes.iter().filter_map(|&byte| decoder.push(byte)).collect();
    let mut again = Decoder::default();
    let encoded: Vec<u8> = commands.iter().flat_map(|command| command.encode()).collect();
    let decoded: Vec<Command> = encoded.iter().filter_map(|&byte| again.push(byte)).collect();
    assert_eq!(decoded, commands);
    assert!(!again.is_midway());
}
