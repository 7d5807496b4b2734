//! How messages are written and read: numbers as LEB128, signed ones zigzag first, and a CRC-32 at the end.
//!
//! Every byte is counted by what it is for while it is written, so that no total is an estimate. Reading is total: any
//! bytes give a value or a [`Malformed`].

use crate::domain::traffic::{Kind, Traffic};

/// Bytes of the checksum (CRC-32, IEEE 802.3) that ends every frame.
pub const CHECKSUM: usize = 4;

/// Bytes that most frames do not exceed.
const ROOM: usize = 64;

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They end too early.
    #[error("the bytes end too early")]
    Short,
    /// They go on after the end.
    #[error("bytes are left over")]
    Long,
    /// They are not as they were sent.
    #[error("the checksum does not fit")]
    Checksum,
    /// A number has more than 64 bits, or is written longer than it need be.
    #[error("a number is not as this format writes it")]
    Number,
    /// A field has a value that its place does not allow.
    #[error("{0} is out of its range")]
    Range(&'static str),
}

/// A message as it travels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Whether it carries changes, sent again or not.
    pub has_edits: bool,
}

/// Bytes that a number takes.
pub fn length(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

/// Bytes that a signed number takes.
pub fn signed_length(number: i64) -> usize {
    length((number << 1 ^ number >> 63) as u64)
}

/// Writes one frame, counting.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    traffic: Traffic,
    kind: Kind,
    counted: usize,
}

impl Writer {
    /// A frame that begins with this tag.
    pub fn tagged(tag: u8) -> Self {
        let mut bytes = Vec::with_capacity(ROOM);
        bytes.push(tag);
        Writer { bytes, traffic: Traffic::default(), kind: Kind::Framing, counted: 0 }
    }

    /// No frame but a part of one, or an entry of a store.
    pub fn bare() -> Self {
        Writer { bytes: Vec::with_capacity(ROOM), traffic: Traffic::default(), kind: Kind::Framing, counted: 0 }
    }

    /// What follows is of this kind.
    pub fn of(&mut self, kind: Kind) -> &mut Self {
        self.settle();
        self.kind = kind;
        self
    }

    fn settle(&mut self) {
        self.traffic.count(self.kind, (self.bytes.len() - self.counted) as u64);
        self.counted = self.bytes.len();
    }

    /// So many bytes more are likely.
    pub fn reserve(&mut self, more: usize) -> &mut Self {
        self.bytes.reserve(more);
        self
    }

    /// One byte.
    pub fn byte(&mut self, byte: u8) -> &mut Self {
        self.bytes.push(byte);
        self
    }

    /// A number, 1 to 10 bytes.
    #[inline]
    pub fn number(&mut self, mut number: u64) -> &mut Self {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
        self
    }

    /// A signed number: small ones of either sign are short.
    #[inline]
    pub fn signed(&mut self, number: i64) -> &mut Self {
        self.number((number << 1 ^ number >> 63) as u64)
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// So many bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The frame with its checksum, and its bytes by kind.
    pub fn seal(mut self) -> (Frame, Traffic) {
        self.of(Kind::Framing);
        let checksum = crc32fast::hash(&self.bytes);
        self.bytes.extend_from_slice(&checksum.to_le_bytes());
        self.settle();
        (Frame { bytes: self.bytes, has_edits: self.traffic.payload > 0 }, self.traffic)
    }

    /// What was written, without a checksum, and its bytes by kind.
    pub fn unsealed(mut self) -> (Vec<u8>, Traffic) {
        self.settle();
        (self.bytes, self.traffic)
    }

    /// What was written, without a checksum.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads what a [`Writer`] wrote.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The tag of a frame and what follows it, if its checksum fits.
    pub fn open(frame: &'a [u8]) -> Result<(u8, Reader<'a>), Malformed> {
        let (body, checksum) = frame.split_last_chunk::<CHECKSUM>().ok_or(Malformed::Short)?;
        let (&tag, rest) = body.split_first().ok_or(Malformed::Short)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return Err(Malformed::Checksum);
        }
        Ok((tag, Reader { rest }))
    }

    /// What a bare writer wrote.
    pub fn bare(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (&byte, rest) = self.rest.split_first().ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(byte)
    }

    /// Two bytes, the lower one first.
    pub fn pair(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    /// A number.
    #[inline]
    pub fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0u64;
        for place in 0..10 {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7F);
            if place == 9 && byte > 1 || place > 0 && byte == 0 {
                return Err(Malformed::Number);
            }
            number |= low << (7 * place);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Malformed::Number)
    }

    /// A number of at most this size.
    pub fn at_most(&mut self, most: u64, what: &'static str) -> Result<u64, Malformed> {
        Some(self.number()?).filter(|&number| number <= most).ok_or(Malformed::Range(what))
    }

    /// A count of things that take at least one byte each: never more than bytes are left.
    pub fn count(&mut self, what: &'static str) -> Result<usize, Malformed> {
        let count = self.number()?;
        usize::try_from(count).ok().filter(|&count| count <= self.rest.len()).ok_or(Malformed::Range(what))
    }

    /// A number of 32 bits.
    pub fn small(&mut self, what: &'static str) -> Result<u32, Malformed> {
        u32::try_from(self.number()?).map_err(|_| Malformed::Range(what))
    }

    /// The next of ascending registers, each told as its distance to the lowest that it could be; `next` is that one, 0 at
    /// first, and then the one after this. There are `registers`.
    pub fn register(&mut self, next: &mut u64, registers: u32) -> Result<u32, Malformed> {
        placed(self.number()?, next, registers)
    }

    /// A signed number.
    #[inline]
    pub fn signed(&mut self) -> Result<i64, Malformed> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// So many bytes as they are.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// The end, where nothing may follow.
    pub fn end(self) -> Result<(), Malformed> {
        if self.is_done() { Ok(()) } else { Err(Malformed::Long) }
    }
}

/// The register at this distance to the lowest that it could be, as [`Reader::register`] has it.
pub fn placed(distance: u64, next: &mut u64, registers: u32) -> Result<u32, Malformed> {
    let register = distance.checked_add(*next).filter(|&register| register < registers.into());
    let register = register.ok_or(Malformed::Range("a register"))?;
    *next = register + 1;
    Ok(register as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn registers_ascend_and_none_is_beyond_the_last() {
        let read = |distances: &[u64], registers| {
            let mut writer = Writer::bare();
            distances.iter().for_each(|&distance| {
                writer.of(Kind::Addressing).number(distance);
            });
            let (bytes, mut next) = (writer.bytes, 0);
            let mut reader = Reader { rest: &bytes };
            let read: Result<Vec<u32>, Malformed> =
                distances.iter().map(|_| reader.register(&mut next, registers)).collect();
            read
        };
        assert_eq!(read(&[0, 0, 3, 1], 8), Ok(vec![0, 1, 5, 7]));
        assert_eq!(read(&[0, 0, 3, 2], 8), Err(Malformed::Range("a register")));
        assert_eq!(read(&[u64::MAX], 8), Err(Malformed::Range("a register")));
        assert_eq!(read(&[1, u64::MAX], 8), Err(Malformed::Range("a register")));
        assert_eq!(read(&[0], 0), Err(Malformed::Range("a register")));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_every_byte_is_counted(numbers: Vec<u64>, signed: Vec<i64>) {
            let mut writer = Writer::tagged(7);
            writer.of(Kind::Ids);
            numbers.iter().for_each(|&number| { writer.number(number); });
            writer.of(Kind::Payload);
            signed.iter().for_each(|&number| { writer.signed(number); });
            let (frame, traffic) = writer.seal();
            prop_assert_eq!(traffic.total(), frame.bytes.len() as u64);
            prop_assert_eq!(traffic.framing, 5);
            let (tag, mut reader) = Reader::open(&frame.bytes).expect("it is whole");
            prop_assert_eq!(tag, 7);
            for number in numbers {
                prop_assert_eq!(reader.number(), Ok(number));
            }
            for number in signed {
                prop_assert_eq!(reader.signed(), Ok(number));
            }
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn a_damaged_frame_is_refused(body: Vec<u8>, at: prop::sample::Index, bit in 0..8u32) {
            let mut writer = Writer::tagged(1);
            writer.raw(&body);
            let (frame, _) = writer.seal();
            let mut flipped = frame.bytes.clone();
            flipped[at.index(frame.bytes.len())] ^= 1 << bit;
            prop_assert!(Reader::open(&flipped).is_err());
        }
    }

    #[test]
    fn a_number_written_longer_than_it_need_be_is_refused() {
        assert_eq!(Reader::bare(&[0x80, 0]).number(), Err(Malformed::Number));
        assert_eq!(Reader::bare(&[0xFF; 11]).number(), Err(Malformed::Number));
        assert_eq!(Reader::bare(&[0x80]).number(), Err(Malformed::Short));
    }
}
