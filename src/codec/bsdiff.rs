//! bsdiff's patch on the sender's old state, compressed by Zstandard in the place of bzip2. Percival, "Naive differences of
//! executable code", 2003. A patch is bytes to add to bytes of the old state, which nothing in it names: a checksum of the
//! old state and the new one goes before it.

use crate::codec::{Codec, Needs, Receiver, Refused, Tick, checksum_of_patch, from_words, to_words, zstd};

const LEVEL: i32 = 19;

const MEMORY: &str = "memory takes every state";

/// The most that a patch may be without compression: each of its runs has 24 bytes of control, and adds at least a byte.
fn most(registers: usize) -> usize {
    25 * (8 * registers + 1)
}

/// The codec.
pub struct Bsdiff;

impl Codec for Bsdiff {
    fn name(&self) -> &'static str {
        "bsdiff"
    }

    fn about(&self) -> &'static str {
        "bsdiff's patch on the sender's old state, by Zstandard at level 19 without magic number and content size, with a \
         checksum of both states"
    }

    fn needs(&self) -> Needs {
        Needs::OldState
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        let (old, new) = (to_words(tick.old), to_words(tick.new));
        let mut patch = Vec::new();
        bsdiff::diff(&old, &new, &mut patch).expect(MEMORY);
        let mut message = checksum_of_patch(&old, &new).to_vec();
        message.extend(zstd::compressed(&patch, &[], LEVEL));
        message
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        let (checksum, patch) = message.split_first_chunk::<4>().ok_or(Refused::Short)?;
        let registers = receiver.registers.len();
        let patch = zstd::decompressed(patch, &[], most(registers))?;
        let (old, mut new) = (to_words(&receiver.registers), Vec::new());
        bsdiff::patch(&old, &mut &patch[..], &mut new).map_err(|_| Refused::Range("a patch"))?;
        if checksum_of_patch(&old, &new) != *checksum {
            return Err(Refused::OldState);
        }
        receiver.registers = from_words(&new, registers)?;
        Ok(())
    }
}
