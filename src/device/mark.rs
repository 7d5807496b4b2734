//! How an emulator says that it is one, so that nothing that it answers is taken for silicon.
//!
//! | where | what an emulator of ours answers |
//! |---|---|
//! | engine, SEED_LO and SEED_HI while the seed is [`QUESTION`] | each `0x454D55xx`: "EMU", and `xx` tells what is emulated: 0x4D ("M") the model, 0x52 ("R") the RTL |
//! | serial protocol, S | bits 6:0 are that `xx`, whatever bit 7 is |
//!
//! A device gives back the seed that was written, the question included: to ask costs a write and a read of registers that
//! every such device has. Nothing outside the register map is read, where a SoC may have nothing that answers and would end
//! each read with a bus time-out. That is why it is asked under `--silicon`, too. One of the two words is a mark as well: a
//! link that damages the other one now and then does not hide it. A mark that is always the same half is nobody's: neither
//! an emulator of ours nor a device answers so.

use crate::domain::evidence::Evidence;

/// The seed that asks for the mark: "emulate?".
pub const QUESTION: u64 = 0x656D_756C_6174_653F;

/// How often the serial protocol's status is asked for it: a link that damages one answer does not hide it.
pub const STATUSES: usize = 4;

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

/// Whether both of these words are one mark.
pub fn is_whole(words: [u32; 2]) -> bool {
    words[0] == words[1] && words[0] & EMU_BITS == EMU
}

/// What a status byte of the serial protocol tells, where it is a mark.
pub fn evidence_of_status(status: u8) -> Option<Evidence> {
    CODES.iter().find(|(_, code)| *code == status & STATUS_BITS).map(|(evidence, _)| *evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_is_enough_and_no_other_word_is_a_mark() {
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
