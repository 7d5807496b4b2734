//! Etherbone on the wire, as LiteX speaks it: one record a packet, 32-bit addresses and words, all big-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 2 | `4E6F` |
//! | 1 | version 1 in bits 7:4; bit 1: probe reply, bit 0: probe |
//! | 1 | `44`: 32-bit port and address |
//! | 4 | zero |
//! | 4 | record: flags 0, byte enable, number of writes, number of reads |
//! | 4 + 4n | if there are writes: the address of the first, and the words |
//! | 4 + 4n | if there are reads: what the reply shall give as its address, and an address a word |
//!
//! A reply is a packet whose record writes the words that were read. A probe has no record; LiteX pads it with four
//! zero bytes, which read as a record of nothing.

/// The most words that a record can write or read.
pub const MOST_WORDS: usize = 255;

/// What every packet begins with, up to its flags.
pub const MAGIC: [u8; 2] = [0x4E, 0x6F];

const VERSION: u8 = 1;
const SIZES: u8 = 0x44;
const HEAD: usize = 8;
const RECORD_HEAD: usize = 4;
const ALL_BYTES: u8 = 0x0F;

/// A packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Whether it asks who is there.
    pub probe: bool,
    /// Whether it answers that.
    pub probe_reply: bool,
    /// Where the first written word goes, or in a reply what the question gave to be repeated.
    pub base: u32,
    /// What is written from there on.
    pub writes: Vec<u32>,
    /// What the reply is to give as its base.
    pub return_base: u32,
    /// The byte addresses that are to be read.
    pub reads: Vec<u32>,
}

/// Why bytes are not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes are needed.
    #[error("a packet of {needed} bytes or more ends after {got}")]
    Short {
        /// How many are needed at least.
        needed: usize,
        /// How many there are.
        got: usize,
    },
    /// They do not begin as a packet does.
    #[error("expected a packet that begins with 4e6f1044, got {0:08x}")]
    Head(u32),
    /// Not all four bytes of a word are meant.
    #[error("expected byte enable 0f, got {0:02x}")]
    ByteEnable(u8),
}

impl Packet {
    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        let flags = VERSION << 4 | u8::from(self.probe_reply) << 1 | u8::from(self.probe);
        let mut bytes = vec![MAGIC[0], MAGIC[1], flags, SIZES, 0, 0, 0, 0];
        if self.probe || self.probe_reply {
            bytes.extend([0; RECORD_HEAD]);
            return bytes;
        }
        bytes.extend([0, ALL_BYTES, self.writes.len() as u8, self.reads.len() as u8]);
        for (base, words) in [(self.base, &self.writes), (self.return_base, &self.reads)] {
            if !words.is_empty() {
                bytes.extend(base.to_be_bytes());
                bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
            }
        }
        bytes
    }

    /// The packet at the beginning of these bytes, and how many of them it takes.
    pub fn decode(bytes: &[u8]) -> Result<(Packet, usize), DecodeError> {
        let short = |needed: usize| DecodeError::Short { needed, got: bytes.len() };
        let head: [u8; 4] = *bytes.first_chunk().ok_or(short(HEAD + RECORD_HEAD))?;
        let [first, second, flags, sizes] = head;
        let known = [first, second] == MAGIC && flags >> 4 == VERSION && flags & 0b1100 == 0 && sizes == SIZES;
        if !known {
            return Err(DecodeError::Head(u32::from_be_bytes(head)));
        }
        let (probe, probe_reply) = (flags & 1 != 0, flags & 2 != 0);
        let record: [u8; RECORD_HEAD] = *bytes
            .get(HEAD..HEAD + RECORD_HEAD)
            .and_then(|record| record.first_chunk())
            .ok_or(short(HEAD + RECORD_HEAD))?;
        if probe || probe_reply {
            return Ok((Packet { probe, probe_reply, ..Packet::default() }, HEAD + RECORD_HEAD));
        }
        let [_, enable, writes, reads] = record;
        if (writes > 0 || reads > 0) && enable != ALL_BYTES {
            return Err(DecodeError::ByteEnable(enable));
        }
        let mut at = HEAD + RECORD_HEAD;
        let mut list = |number: u8| {
            if number == 0 {
                return Ok((0, Vec::new()));
            }
            let end = at + 4 + 4 * usize::from(number);
            let part = bytes.get(at..end).ok_or(short(end))?;
            at = end;
            let mut words = part.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word));
            Ok((words.next().unwrap_or(0), words.collect()))
        };
        let (base, writes) = list(writes)?;
        let (return_base, reads) = list(reads)?;
        Ok((Packet { probe, probe_reply, base, writes, return_base, reads }, at))
    }
}

/// Takes packets out of a stream of bytes, which may hold a greeting or other noise before them. It keeps less than one
/// packet of the longest kind.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
    skipped: usize,
}

impl Decoder {
    /// Takes bytes. [`Decoder::next_packet`] is to be asked until it has no more, before others are taken.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole packet.
    pub fn next_packet(&mut self) -> Option<Packet> {
        let mut at = 0;
        let found = loop {
            match Packet::decode(&self.pending[at..]) {
                Ok((packet, length)) => break Some((packet, length)),
                Err(DecodeError::Short { .. }) => break None,
                Err(_) => at += 1,
            }
        };
        self.skipped += at;
        let taken = at + found.as_ref().map_or(0, |(_, length)| *length);
        self.pending.drain(..taken);
        found.map(|(packet, _)| packet)
    }

    /// Bytes that were no part of a packet.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Bytes that may be the beginning of a packet.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Forgets what is pending.
    pub fn forget(&mut self) {
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("hex"))
            .collect()
    }

    #[test]
    fn a_read_of_the_status_register_and_its_reply_are_the_documented_bytes() {
        let read = Packet { reads: vec![0xF002_1020], ..Packet::default() };
        assert_eq!(read.encode(), bytes("4e6f1044 00000000 000f0001 00000000 f0021020"));
        let reply = bytes("4e6f1044 00000000 000f0100 00000000 02080000");
        assert_eq!(Packet::decode(&reply), Ok((Packet { writes: vec![0x0208_0000], ..Packet::default() }, 20)));
    }

    #[test]
    fn a_greeting_before_the_first_packet_is_skipped() {
        let mut decoder = Decoder::default();
        decoder.push(b"CommUART:localhost:1234");
        assert_eq!(decoder.next_packet(), None);
        let reply = Packet { base: 7, writes: vec![1, 2], ..Packet::default() };
        for byte in reply.encode() {
            assert_eq!(decoder.next_packet(), None);
            decoder.push(&[byte]);
        }
        assert_eq!((decoder.next_packet(), decoder.skipped(), decoder.pending()), (Some(reply), 23, 0));
    }

    #[test]
    fn what_is_no_packet_is_refused_with_what_came() {
        assert_eq!(Packet::decode(&bytes("4e6f2044 00000000 000f0000")), Err(DecodeError::Head(0x4E6F_2044)));
        assert_eq!(Packet::decode(&bytes("4e6f1044 00000000 00030001 0 0")), Err(DecodeError::ByteEnable(3)));
        assert_eq!(Packet::decode(&[]), Err(DecodeError::Short { needed: 12, got: 0 }));
    }

    fn any_packet() -> impl Strategy<Value = Packet> {
        let words = || proptest::collection::vec(any::<u32>(), 0..=255);
        (any::<u32>(), words(), any::<u32>(), words()).prop_map(|(base, writes, return_base, reads)| Packet {
            base: if writes.is_empty() { 0 } else { base },
            return_base: if reads.is_empty() { 0 } else { return_base },
            writes,
            reads,
            ..Packet::default()
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_alone_and_in_a_stream(first in any_packet(), second in any_packet()) {
            let encoded = first.encode();
            prop_assert_eq!(Packet::decode(&encoded), Ok((first.clone(), encoded.len())));
            let mut decoder = Decoder::default();
            decoder.push(&[encoded, second.encode()].concat());
            prop_assert_eq!(decoder.next_packet(), Some(first));
            prop_assert_eq!(decoder.next_packet(), Some(second));
            prop_assert_eq!(decoder.next_packet(), None);
        }
    }
}
