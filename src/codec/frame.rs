//! The frame: increments of counters that a receiver can decode without knowing anything of the tick beforehand, that tell
//! a repeated message from a new one and a damaged one from a whole one, in about as few bytes as there can be.
//!
//! | bytes | field |
//! |---|---|
//! | 1 | `0xA`, and the version of the format, 4 bits each |
//! | 1–5 | length of what follows, LEB128, as all numbers here |
//! | 1–5, 1–5 | replica: client, incarnation |
//! | 1–10, 1–10 | sequence numbers of its ticks: the first, and how many more |
//! | 1–5 | how many registers there are |
//! | 1–5 | how many of them change |
//! | any | which, and by what: entropy-coded, see [`payload`](crate::codec::payload) |
//! | 4 | CRC-32 (IEEE 802.3) of all before it, little-endian |
//!
//! A frame of these contents has these bytes, on every machine: the golden frames of the tests are the format.

use crate::codec::payload::{read_amounts, read_registers, write_amounts, write_registers};
use crate::codec::range_coder::{Decoder, Encoder};
use crate::codec::{Codec, Needs, Receiver, Refused, Replica, Tick, varint};

/// What every frame begins with: the mark of the format, and its version.
pub const BEGINS: u8 = 0xA1;

/// Bytes of the checksum.
const CHECKSUM: usize = 4;

/// A frame, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Who sent it.
    pub from: Replica,
    /// The first of its ticks that are in it.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// How many registers the sender has.
    pub registers: u32,
    /// What changed, ascending by register, and by how much.
    pub changes: Vec<(u32, i64)>,
}

/// The bytes of a frame.
///
/// # Panics
/// If its changes do not ascend, or are of registers that it does not have; or its last tick is before its first.
pub fn encode(frame: &Frame) -> Vec<u8> {
    let Frame { from, first, last, registers, ref changes } = *frame;
    assert!(first <= last && changes.is_sorted_by(|one, next| one.0 < next.0), "ticks and changes ascend");
    assert!(changes.last().is_none_or(|change| change.0 < registers), "changes are of registers that are there");
    let (places, amounts): (Vec<u32>, Vec<i64>) = changes.iter().copied().unzip();
    let mut encoder = Encoder::default();
    write_registers(&mut encoder, registers, &places);
    write_amounts(&mut encoder, &amounts);
    let mut rest = Vec::new();
    for number in [from.client.into(), from.incarnation.into(), first, last - first] {
        varint::push(&mut rest, number);
    }
    varint::push(&mut rest, registers.into());
    varint::push(&mut rest, changes.len() as u64);
    rest.extend(encoder.finish());
    let mut bytes = vec![BEGINS];
    varint::push(&mut bytes, (rest.len() + CHECKSUM) as u64);
    bytes.extend(rest);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// The frame of these bytes, for a receiver that takes at most so many registers: what is allocated is bounded by them, and
/// never by what a frame claims.
///
/// # Errors
/// If they are no frame.
pub fn decode(bytes: &[u8], most_registers: u32) -> Result<Frame, Refused> {
    let (&begins, mut rest) = bytes.split_first().ok_or(Refused::Short)?;
    if begins != BEGINS {
        return Err(Refused::Format);
    }
    let length = varint::take(&mut rest)?;
    match (rest.len() as u64).cmp(&length) {
        std::cmp::Ordering::Less => return Err(Refused::Short),
        std::cmp::Ordering::Greater => return Err(Refused::Long),
        std::cmp::Ordering::Equal => {}
    }
    let (mut rest, checksum) = rest.split_last_chunk::<CHECKSUM>().ok_or(Refused::Short)?;
    if crc32fast::hash(&bytes[..bytes.len() - CHECKSUM]) != u32::from_le_bytes(*checksum) {
        return Err(Refused::Checksum);
    }
    let rest = &mut rest;
    let client = varint::take_small(rest, "a client")?;
    let from = Replica { client, incarnation: varint::take_small(rest, "an incarnation")? };
    let first = varint::take(rest)?;
    let last = first.checked_add(varint::take(rest)?).ok_or(Refused::Range("a sequence number"))?;
    let registers = varint::take_small(rest, "the number of registers")?;
    let changed = varint::take_small(rest, "the number of changes")?;
    if registers > most_registers {
        return Err(Refused::Range("the number of registers"));
    }
    if changed > registers {
        return Err(Refused::Range("the number of changes"));
    }
    let mut decoder = Decoder::of(rest);
    let places = read_registers(&mut decoder, registers, changed)?;
    let amounts = read_amounts(&mut decoder, changed)?;
    decoder.end()?;
    Ok(Frame { from, first, last, registers, changes: places.into_iter().zip(amounts).collect() })
}

/// The codec.
pub struct Framed;

impl Codec for Framed {
    fn name(&self) -> &'static str {
        "frame"
    }

    fn about(&self) -> &'static str {
        "increments, entropy-coded, with version, replica, sequences and checksum"
    }

    fn needs(&self) -> Needs {
        Needs::Sequences
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        encode(&Frame {
            from: tick.from,
            first: tick.sequence,
            last: tick.sequence,
            registers: tick.new.len() as u32,
            changes: tick.changes().map(|change| (change.register, change.amount())).collect(),
        })
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        let registers = receiver.registers.len() as u32;
        let frame = decode(message, registers)?;
        if frame.registers != registers {
            return Err(Refused::Range("the number of registers"));
        }
        if receiver.takes(frame.from, frame.first, frame.last)? {
            frame.changes.iter().for_each(|&(register, amount)| receiver.add(register, amount));
        }
        Ok(())
    }
}
