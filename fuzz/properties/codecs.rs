//! The codecs of a tick from any bytes: no panic, and what is refused changes nothing.

use abench::codec::{REGISTRY, Receiver};

/// Registers of the receivers.
const REGISTERS: i64 = 256;

/// Panics where these bytes show otherwise.
pub fn holds_for(bytes: &[u8]) {
    let registers: Vec<i64> = (0..REGISTERS).collect();
    for codec in REGISTRY {
        let before = Receiver::with(&registers);
        let mut receiver = before.clone();
        if codec.receive(&mut receiver, bytes).is_err() {
            assert_eq!(receiver, before, "{}", codec.name());
        }
        assert_eq!(receiver.registers.len(), registers.len(), "{}", codec.name());
    }
}
