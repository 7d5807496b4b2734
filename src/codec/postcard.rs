//! A batch of operations in postcard: binary, without names of fields.

use crate::codec::operations::Batch;
use crate::codec::{Codec, Needs, Receiver, Refused, Tick};

/// The codec.
pub struct Postcard;

impl Codec for Postcard {
    fn name(&self) -> &'static str {
        "postcard"
    }

    fn about(&self) -> &'static str {
        "a batch of operations in postcard, with replica and sequence"
    }

    fn needs(&self) -> Needs {
        Needs::Sequences
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        postcard::to_allocvec(&Batch::of(tick)).expect("memory takes every batch")
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        match postcard::take_from_bytes::<Batch>(message) {
            Ok((batch, [])) => batch.into(receiver),
            Ok(_) => Err(Refused::Long),
            Err(_) => Err(Refused::Range("a batch")),
        }
    }
}
