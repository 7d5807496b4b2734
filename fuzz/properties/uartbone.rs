//! UARTBone from any bytes: no panic, every access within its bounds, each one the same again when it is encoded and
//! decoded, and nothing of a command after its time.

use std::time::Duration;

use abench::bus::uartbone::codec::{Access, COMMAND_TIME, Command, Decoder, MOST_WORDS, words_of};

/// Panics where these bytes show otherwise.
pub fn holds_for(bytes: &[u8]) {
    let (mut decoder, mut now) = (Decoder::default(), Duration::ZERO);
    for &byte in bytes {
        // A byte says itself how long after the one before it comes, now and then too late.
        now += Duration::from_millis(if byte % 61 == 60 { 70 } else { 0 });
        let Some(access) = decoder.push(byte, now) else { continue };
        assert!(decoder.begun().is_none_or(|begun| now - begun < COMMAND_TIME));
        let number = access.addresses().count();
        assert!((1..=MOST_WORDS + 1).contains(&number));
        assert!(access.addresses().all(|address| address % 4 == 0));
        let command = match access {
            Access::Write { address, word } => Command::Write { address, words: vec![word], fixed: false },
            // No client asks for 256 words.
            Access::Read { words: 256, .. } => continue,
            Access::Read { address, words, fixed } => Command::Read { address, words: words as u8, fixed },
        };
        let mut again = Decoder::default();
        let decoded: Vec<Access> = command.encode().iter().filter_map(|&byte| again.push(byte, now)).collect();
        assert_eq!(decoded, [access]);
        assert!(again.begun().is_none());
    }
    assert_eq!(words_of(bytes).len(), bytes.len() / 4);
}
