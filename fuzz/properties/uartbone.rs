//! UARTBone from any bytes: no panic, every command within its bounds, and each one the same again when it is encoded
//! and decoded.

use abench::bus::uartbone::codec::{Command, Decoder, MOST_WORDS, words_of};

/// Panics where these bytes show otherwise.
pub fn holds_for(bytes: &[u8]) {
    let mut decoder = Decoder::default();
    for &byte in bytes {
        let Some(command) = decoder.push(byte) else { continue };
        assert!(!decoder.is_midway());
        let words = match &command {
            Command::Write { words, .. } => words.len(),
            Command::Read { words, .. } => usize::from(*words),
        };
        assert!((1..=MOST_WORDS).contains(&words));
        assert_eq!(command.addresses().count(), words);
        let mut again = Decoder::default();
        let decoded: Vec<Command> = command.encode().iter().filter_map(|&byte| again.push(byte)).collect();
        assert_eq!(decoded, [command]);
    }
    assert_eq!(words_of(bytes).len(), bytes.len() / 4);
}
