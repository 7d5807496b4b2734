//! A bit for each register, and the new values of those that changed.

use crate::codec::{Codec, Needs, Receiver, Refused, Tick, from_words};

/// The codec.
pub struct Bitmap;

impl Codec for Bitmap {
    fn name(&self) -> &'static str {
        "bitmap"
    }

    fn about(&self) -> &'static str {
        "a bit for each register, and the new values, 8 bytes each"
    }

    fn needs(&self) -> Needs {
        Needs::Registers
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        let mut message = vec![0; tick.new.len().div_ceil(8)];
        for change in tick.changes() {
            message[change.register as usize / 8] |= 1 << (change.register % 8);
        }
        message.extend(tick.changes().flat_map(|change| change.new.to_le_bytes()));
        message
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        let registers = receiver.registers.len();
        let (bits, values) = message.split_at_checked(registers.div_ceil(8)).ok_or(Refused::Short)?;
        let is_set = |&register: &usize| bits[register / 8] >> (register % 8) & 1 == 1;
        if (registers..8 * bits.len()).any(|register| is_set(&register)) {
            return Err(Refused::Range("a register"));
        }
        let changed: Vec<usize> = (0..registers).filter(is_set).collect();
        let values = from_words(values, changed.len())?;
        changed.into_iter().zip(values).for_each(|(register, value)| receiver.registers[register] = value);
        Ok(())
    }
}
