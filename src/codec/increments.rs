//! The gap to each register that changed, and by how much it grew, both as a variable number of bytes.

use crate::codec::{Codec, Needs, Receiver, Refused, Tick, varint};

/// The codec.
pub struct Increments;

impl Codec for Increments {
    fn name(&self) -> &'static str {
        "increments"
    }

    fn about(&self) -> &'static str {
        "gaps between registers and signed increments, as varints; no ids, no checksum"
    }

    fn needs(&self) -> Needs {
        Needs::Registers
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        let (mut message, mut next) = (Vec::new(), 0);
        for change in tick.changes() {
            varint::push(&mut message, u64::from(change.register - next));
            varint::push(&mut message, varint::zigzag(change.amount()));
            next = change.register + 1;
        }
        message
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        let (mut rest, mut next) = (message, 0);
        let mut changes = Vec::new();
        while !rest.is_empty() {
            let register = varint::take_register(&mut rest, &mut next, receiver.registers.len())?;
            changes.push((register, varint::unzigzag(varint::take(&mut rest)?)));
        }
        changes.into_iter().for_each(|(register, amount)| receiver.add(register, amount));
        Ok(())
    }
}
