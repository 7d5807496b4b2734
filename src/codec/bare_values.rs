//! The new values alone: what the published claim counts. Nothing tells which registers they belong to.

use crate::codec::{Codec, Needs, Receiver, Refused, Tick};

/// The codec.
pub struct BareValues;

impl Codec for BareValues {
    fn name(&self) -> &'static str {
        "bare-values"
    }

    fn about(&self) -> &'static str {
        "the new values alone, 8 bytes each"
    }

    fn needs(&self) -> Needs {
        Needs::NotSent
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        tick.changes().flat_map(|change| change.new.to_le_bytes()).collect()
    }

    fn receive(&self, _receiver: &mut Receiver, _message: &[u8]) -> Result<(), Refused> {
        Err(Refused::Undecodable)
    }
}
