//! The gap to each register that changed, and its new value, both as a variable number of bytes.

use crate::codec::{Codec, Needs, Receiver, Refused, Tick, varint};

/// The codec.
pub struct GapValues;

impl Codec for GapValues {
    fn name(&self) -> &'static str {
        "gap-varint"
    }

    fn about(&self) -> &'static str {
        "gaps between registers and signed new values, as varints; no ids, no checksum"
    }

    fn needs(&self) -> Needs {
        Needs::Registers
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        let (mut message, mut next) = (Vec::new(), 0);
        varint::push(&mut message, tick.changed() as u64);
        for change in tick.changes() {
            varint::push(&mut message, u64::from(change.register - next));
            next = change.register + 1;
        }
        tick.changes().for_each(|change| varint::push(&mut message, varint::zigzag(change.new)));
        message
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        let (mut rest, mut next) = (message, 0);
        let registers = receiver.registers.len();
        let changed = varint::take(&mut rest)?;
        if changed > registers as u64 {
            return Err(Refused::Range("the number of changes"));
        }
        let places = (0..changed).map(|_| varint::take_register(&mut rest, &mut next, registers));
        let places = places.collect::<Result<Vec<u32>, Refused>>()?;
        let values = places.iter().map(|_| varint::take(&mut rest).map(varint::unzigzag));
        let values = values.collect::<Result<Vec<i64>, Refused>>()?;
        if !rest.is_empty() {
            return Err(Refused::Long);
        }
        places.into_iter().zip(values).for_each(|(register, value)| receiver.registers[register as usize] = value);
        Ok(())
    }
}
