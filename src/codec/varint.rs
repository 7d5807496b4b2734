//! Numbers as LEB128, and signed ones zigzag first.

use crate::codec::Refused;

/// Writes a number, 1 to 10 bytes.
#[inline]
pub fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads a number, in the only form in which it is written.
#[inline]
pub fn take(bytes: &mut &[u8]) -> Result<u64, Refused> {
    let mut number = 0u64;
    for place in 0..10 {
        let (&byte, rest) = bytes.split_first().ok_or(Refused::Short)?;
        *bytes = rest;
        if place == 9 && byte > 1 || place > 0 && byte == 0 {
            return Err(Refused::Range("a number"));
        }
        number |= u64::from(byte & 0x7F) << (7 * place);
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Refused::Range("a number"))
}

/// Reads a number of 32 bits.
pub fn take_small(bytes: &mut &[u8], what: &'static str) -> Result<u32, Refused> {
    u32::try_from(take(bytes)?).map_err(|_| Refused::Range(what))
}

/// Reads the next of ascending registers, each told as its distance to `next`, the lowest that it could be.
pub fn take_register(bytes: &mut &[u8], next: &mut u64, registers: usize) -> Result<u32, Refused> {
    let register = take(bytes)?.checked_add(*next).filter(|&register| register < registers as u64);
    let register = register.ok_or(Refused::Range("a register"))?;
    *next = register + 1;
    Ok(register as u32)
}

/// A signed number as one without a sign: small ones of either sign are small.
#[inline]
pub fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

/// What [`zigzag`] made of a number, back.
#[inline]
pub fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}
