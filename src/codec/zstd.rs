//! The full state, compressed by Zstandard: by itself, and as a patch on the sender's old state. Frames of every codec go
//! without their magic number and content size, which the receiver does not need. Before a patch goes a checksum of the old
//! state and the new one.

use std::io::{BufReader, Read, Write};

use crate::codec::{Codec, Needs, Receiver, Refused, Tick, checksum_of_patch, from_words, to_words};

/// What every Zstandard frame begins with.
const MAGIC: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

/// The level of patches: the one that makes the smallest.
const LEVEL_OF_PATCH: i32 = 19;

const MEMORY: &str = "memory takes every state";

/// A frame of these bytes, on a base that the receiver has as well.
pub(super) fn compressed(bytes: &[u8], base: &[u8], level: i32) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(Vec::new(), level, base).expect(MEMORY);
    encoder.set_pledged_src_size(Some(bytes.len() as u64)).expect(MEMORY);
    encoder.include_contentsize(false).expect(MEMORY);
    encoder.include_checksum(false).expect(MEMORY);
    encoder.write_all(bytes).expect(MEMORY);
    encoder.finish().expect(MEMORY).split_off(MAGIC.len())
}

/// The largest window that a frame may ask memory for, as a power of two. It has room for the frame's bytes and its base,
/// and is never larger than the library's own limit.
fn largest_window(bytes: usize) -> u32 {
    const LEAST: u32 = 10;
    const DEFAULT: u32 = 27;
    bytes.next_power_of_two().ilog2().clamp(LEAST, DEFAULT)
}

/// The bytes of a frame on this base, refused above a limit. The decoder takes memory for no more than the limit.
pub(super) fn decompressed(frame: &[u8], base: &[u8], most: usize) -> Result<Vec<u8>, Refused> {
    let bad = |_| Refused::Range("a Zstandard frame");
    let whole = BufReader::new(MAGIC.chain(frame));
    let mut decoder = zstd::stream::read::Decoder::with_ref_prefix(whole, base).map_err(bad)?.single_frame();
    decoder.window_log_max(largest_window(most + base.len())).map_err(bad)?;
    let mut bytes = Vec::new();
    decoder.take(most as u64 + 1).read_to_end(&mut bytes).map_err(bad)?;
    if bytes.len() > most { Err(Refused::Long) } else { Ok(bytes) }
}

/// The registers of a frame; refused if it holds another number of them.
fn registers_of(frame: &[u8], base: &[u8], registers: usize) -> Result<Vec<i64>, Refused> {
    from_words(&decompressed(frame, base, 8 * registers)?, registers)
}

/// The codec that sends the state by itself, at a level.
pub struct Whole {
    /// Its name.
    pub name: &'static str,
    /// The level.
    pub level: i32,
}

impl Codec for Whole {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        "every register, compressed by Zstandard at this level, without magic number and content size"
    }

    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        compressed(&to_words(tick.new), &[], self.level)
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        receiver.registers = registers_of(message, &[], receiver.registers.len())?;
        Ok(())
    }
}

/// The codec that sends a patch.
pub struct Patch;

impl Codec for Patch {
    fn name(&self) -> &'static str {
        "zstd-patch"
    }

    fn about(&self) -> &'static str {
        "a Zstandard patch, level 19, on the sender's old state, without magic number and content size, with a checksum of \
         both states"
    }

    fn needs(&self) -> Needs {
        Needs::OldState
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        let (old, new) = (to_words(tick.old), to_words(tick.new));
        let mut message = checksum_of_patch(&old, &new).to_vec();
        message.extend(compressed(&new, &old, LEVEL_OF_PATCH));
        message
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        let (checksum, patch) = message.split_first_chunk::<4>().ok_or(Refused::Short)?;
        let old = to_words(&receiver.registers);
        let registers = registers_of(patch, &old, receiver.registers.len())?;
        if checksum_of_patch(&old, &to_words(&registers)) != *checksum {
            return Err(Refused::OldState);
        }
        receiver.registers = registers;
        Ok(())
    }
}
