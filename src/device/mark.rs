//! How an emulator says that it is one, so that nothing that it answers is taken for silicon.
//!
//! | where | what an emulator of ours answers |
//! |---|---|
//! | engine, offsets 0xFF0, 0xFF4, 0xFF8, 0xFFC | each `0x454D55xx`: "EMU", and `xx` tells what is emulated: 0x4D ("M") the model, 0x52 ("R") the RTL |
//! | serial protocol, S | bits 6:0 are that `xx`, whatever bit 7 is |
//!
//! The offsets are documented as unmapped. One of the four words is enough, and each is asked by itself and twice, so that
//! a link which damages some of them does not hide the mark.

use crate::device::registers::engine;
use crate::domain::evidence::Evidence;

/// Number of words that carry the mark.
pub const WORDS: usize = 4;

/// Where they are.
pub const ADDRESSES: [u32; WORDS] =
    [engine::BASE + 0xFF0, engine::BASE + 0xFF4, engine::BASE + 0xFF8, engine::BASE + 0xFFC];

const EMU: u32 = 0x454D_5500;
const EMU_BITS: u32 = 0xFFFF_FF00;

/// What is emulated, and its code.
const CODES: [(Evidence, u8); 2] = [(Evidence::Model, b'M'), (Evidence::RtlSimulation, b'R')];

/// Bits of the serial protocol's status byte that carry the mark.
const STATUS_BITS: u8 = 0x7F;

fn code(evidence: Evidence) -> u8 {
    let known = CODES.iter().find(|(known, _)| *known == evidence);
    known.map(|(_, code)| *code).expect("the model and the RTL are all that can be emulated")
}

/// The word of an emulator that serves a device of this evidence.
///
/// # Panics
/// If the evidence is not that of a model or of an RTL simulation: nothing else can be emulated.
pub fn word(evidence: Evidence) -> u32 {
    EMU | u32::from(code(evidence))
}

/// Bits 6:0 of the serial protocol's status byte of such an emulator.
///
/// # Panics
/// As [`word`].
pub fn status_bits(evidence: Evidence) -> u8 {
    code(evidence) & STATUS_BITS
}

/// What these words tell, where one of them is a mark. A mark with a code that is not known is at best a model.
pub fn evidence(words: &[u32]) -> Option<Evidence> {
    let mark = words.iter().find(|word| *word & EMU_BITS == EMU)?;
    let known = CODES.iter().find(|(_, code)| u32::from(*code) == mark & !EMU_BITS);
    Some(known.map_or(Evidence::Model, |(evidence, _)| *evidence))
}

/// What a status byte of the serial protocol tells, where it is a mark.
pub fn evidence_of_status(status: u8) -> Option<Evidence> {
    CODES.iter().find(|(_, code)| *code == status & STATUS_BITS).map(|(evidence, _)| *evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_of_four_is_enough_and_no_other_word_is_a_mark() {
        for (emulated, _) in CODES {
            let mark = word(emulated);
            assert_eq!(evidence(&[0, mark ^ 1 << 31, mark, 0xDEAD_BEEF]), Some(emulated));
            assert_eq!(evidence_of_status(0x80 | status_bits(emulated)), Some(emulated));
            assert_eq!(evidence_of_status(status_bits(emulated)), Some(emulated));
        }
        assert_eq!(evidence(&[0, u32::MAX, 0x0208_0000, 0x454D_0000]), None);
        assert_eq!([0, 0x80, 0xFF, 0x7F].map(evidence_of_status), [None; 4]);
    }
}
