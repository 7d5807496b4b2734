//! The full state as it is.

use crate::codec::{Codec, Needs, Receiver, Refused, Tick, from_words, to_words};

/// The codec.
pub struct FullState;

impl Codec for FullState {
    fn name(&self) -> &'static str {
        "full-state"
    }

    fn about(&self) -> &'static str {
        "every register, 8 bytes each"
    }

    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        to_words(tick.new)
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        receiver.registers = from_words(message, receiver.registers.len())?;
        Ok(())
    }
}
