//! A batch of operations in CBOR (RFC 8949): arrays without names of fields.

use minicbor::{Decoder, Encoder};

use crate::codec::operations::{Batch, Operation};
use crate::codec::{Codec, Needs, Receiver, Refused, Tick};

/// The codec.
pub struct Cbor;

type Written = Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>>;

fn write(batch: &Batch) -> Written {
    let mut encoder = Encoder::new(Vec::new());
    encoder.array(4)?.u32(batch.client)?.u32(batch.incarnation)?.u64(batch.sequence)?;
    encoder.array(2 * batch.operations.len() as u64)?;
    for operation in &batch.operations {
        encoder.u32(operation.register)?.i64(operation.add)?;
    }
    Ok(encoder.into_writer())
}

/// The batch of these bytes; nothing if they are another thing, or have another shape.
fn read(message: &[u8]) -> Result<Option<Batch>, minicbor::decode::Error> {
    let mut decoder = Decoder::new(message);
    if decoder.array()? != Some(4) {
        return Ok(None);
    }
    let (client, incarnation, sequence) = (decoder.u32()?, decoder.u32()?, decoder.u64()?);
    let Some(numbers) = decoder.array()?.filter(|numbers| numbers % 2 == 0) else { return Ok(None) };
    // A number takes a byte at least: what is read ends with the bytes, whatever is promised.
    let operations = (0..numbers / 2).map(|_| Ok(Operation { register: decoder.u32()?, add: decoder.i64()? }));
    let operations = operations.collect::<Result<Vec<Operation>, minicbor::decode::Error>>()?;
    let is_over = decoder.position() == message.len();
    Ok(is_over.then_some(Batch { client, incarnation, sequence, operations }))
}

impl Codec for Cbor {
    fn name(&self) -> &'static str {
        "cbor"
    }

    fn about(&self) -> &'static str {
        "a batch of operations in CBOR, with replica and sequence"
    }

    fn needs(&self) -> Needs {
        Needs::Sequences
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        write(&Batch::of(tick)).expect("memory takes every batch")
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        let batch = read(message).ok().flatten().ok_or(Refused::Range("a batch"))?;
        batch.into(receiver)
    }
}
