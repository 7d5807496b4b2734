//! A range coder: each choice narrows an interval by its share, and the shortest number in the last interval is the code.
//!
//! Martin, "Range encoding: an algorithm for removing redundancy from a digitised message", 1979. Integers alone, so that
//! the bytes are the same everywhere. Whole bytes come out, and zero bytes at the end are left out, as a reader takes what
//! is not there for zeros: at most a byte is lost at the end. The library `constriction` codes in words: its shortest
//! output is a whole number of 32-bit words (of 16 bits in its small form), which is up to 3 bytes more for each message,
//! and bytes are what is measured here.

use crate::codec::Refused;

/// The interval is never narrower: a choice among 2^40 is at most a 65,536th of a bit longer than it need be.
const NARROWEST: u64 = 1 << 56;

/// Writes choices.
#[derive(Clone, Debug)]
pub struct Encoder {
    low: u64,
    range: u64,
    bytes: Vec<u8>,
}

impl Default for Encoder {
    fn default() -> Self {
        Encoder { low: 0, range: u64::MAX, bytes: Vec::new() }
    }
}

impl Encoder {
    /// A choice that has this part of a total of at most 2^40: `size` from `start`.
    #[inline]
    pub fn part(&mut self, start: u64, size: u64, total: u64) {
        debug_assert!(size > 0 && start + size <= total && total <= 1 << 40);
        let unit = self.range / total;
        self.raise(unit * start);
        self.range = if start + size == total { self.range - unit * start } else { unit * size };
        while self.range < NARROWEST {
            self.bytes.push((self.low >> 56) as u8);
            self.low <<= 8;
            self.range <<= 8;
        }
    }

    #[inline]
    fn raise(&mut self, by: u64) {
        let (low, carries) = self.low.overflowing_add(by);
        self.low = low;
        if carries {
            self.carry();
        }
    }

    fn carry(&mut self) {
        for byte in self.bytes.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                return;
            }
        }
    }

    /// A number from 0 to `most`, all equally likely.
    pub fn number(&mut self, number: u64, most: u64) {
        let [(high, low), (most_high, most_low)] = [number, most].map(|number| (number >> 32, number & 0xFFFF_FFFF));
        if most_high > 0 {
            self.part(high, 1, most_high + 1);
        }
        self.part(low, 1, if high == most_high { most_low } else { 0xFFFF_FFFF } + 1);
    }

    /// Bytes that are there so far.
    pub fn written(&self) -> usize {
        self.bytes.len()
    }

    /// About how many bits there are so far.
    pub fn bits(&self) -> u64 {
        8 * self.bytes.len() as u64 + u64::from(self.range.leading_zeros())
    }

    /// The code.
    pub fn finish(mut self) -> Vec<u8> {
        // The shortest number in the interval: nothing but zeros, a carry and zeros, or one byte more.
        match self.low.checked_add(self.range - 1) {
            _ if self.low == 0 => {}
            None => self.carry(),
            Some(_) => self.bytes.push(((self.low + (NARROWEST - 1)) >> 56) as u8),
        }
        while self.bytes.last() == Some(&0) {
            self.bytes.pop();
        }
        self.bytes
    }
}

/// Reads choices. Any bytes are choices; what they decide, the caller bounds.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    code: u64,
    range: u64,
    bytes: &'a [u8],
    read: usize,
}

impl<'a> Decoder<'a> {
    /// Reads this code.
    pub fn of(bytes: &'a [u8]) -> Self {
        let mut decoder = Decoder { code: 0, range: u64::MAX, bytes, read: 0 };
        (0..8).for_each(|_| decoder.shift());
        decoder
    }

    #[inline]
    fn shift(&mut self) {
        let byte = self.bytes.get(self.read).copied().unwrap_or(0);
        self.read += 1;
        self.code = self.code << 8 | u64::from(byte);
    }

    /// Where in a total the next choice lies: the part with it was chosen, and is to be taken.
    #[inline]
    pub fn place(&self, total: u64) -> u64 {
        (self.code / (self.range / total)).min(total - 1)
    }

    /// Takes the part of the total that was chosen.
    #[inline]
    pub fn take(&mut self, start: u64, size: u64, total: u64) {
        let unit = self.range / total;
        self.code = self.code.wrapping_sub(unit * start);
        self.range = if start + size == total { self.range - unit * start } else { unit * size };
        while self.range < NARROWEST {
            self.shift();
            self.range <<= 8;
        }
    }

    /// A number from 0 to `most`.
    pub fn number(&mut self, most: u64) -> u64 {
        let (most_high, most_low) = (most >> 32, most & 0xFFFF_FFFF);
        let mut one = |total| {
            let place = self.place(total);
            self.take(place, 1, total);
            place
        };
        let high = if most_high > 0 { one(most_high + 1) } else { 0 };
        high << 32 | one(if high == most_high { most_low } else { 0xFFFF_FFFF } + 1)
    }

    /// The end: every byte was needed.
    ///
    /// # Errors
    /// If the code goes on, or ends with a zero byte, which no code does.
    pub fn end(self) -> Result<(), Refused> {
        let goes_on = self.bytes.len() > self.read || self.bytes.last() == Some(&0);
        if goes_on { Err(Refused::Long) } else { Ok(()) }
    }
}
