//! The serial command protocol on the wire: a letter, for some of them eight bytes, and an answer; all big-endian.
//!
//! | question | answer | what it does |
//! |---|---|---|
//! | `L` and 8 bytes | – | loads the reference, clears the accumulator |
//! | `A` and 8 bytes | – | XORs a delta into the accumulator |
//! | `R` | 8 bytes | the state |
//! | `S` | 1 byte | bit 7: the accumulator is zero |
//! | `D` | 8 bytes | the reference |

/// What is asked of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Load this reference.
    Load(u64),
    /// Accumulate this delta.
    Accumulate(u64),
    /// Show the state.
    Read,
    /// Show the status.
    Status,
    /// Show the reference.
    Reference,
}

/// Status: the accumulator is zero.
pub const ACCUMULATOR_IS_ZERO: u8 = 1 << 7;

/// Bytes of a word.
const WORD: usize = 8;

impl Command {
    /// The bytes that travel.
    pub fn encode(self) -> Vec<u8> {
        let with = |letter: u8, word: u64| [&[letter][..], &word.to_be_bytes()].concat();
        match self {
            Command::Load(reference) => with(b'L', reference),
            Command::Accumulate(delta) => with(b'A', delta),
            Command::Read => vec![b'R'],
            Command::Status => vec![b'S'],
            Command::Reference => vec![b'D'],
        }
    }
}

/// Takes commands out of a stream of bytes, as the device does.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    letter: Option<u8>,
    word: u64,
    taken: usize,
}

impl Decoder {
    /// Takes a byte; gives the command that it completes. A letter that is none is skipped.
    pub fn push(&mut self, byte: u8) -> Option<Command> {
        let Some(letter) = self.letter else {
            return match byte {
                b'R' => Some(Command::Read),
                b'S' => Some(Command::Status),
                b'D' => Some(Command::Reference),
                b'L' | b'A' => {
                    self.letter = Some(byte);
                    None
                }
                _ => None,
            };
        };
        (self.word, self.taken) = (self.word << 8 | u64::from(byte), self.taken + 1);
        if self.taken < WORD {
            return None;
        }
        let word = self.word;
        self.forget();
        Some(if letter == b'L' { Command::Load(word) } else { Command::Accumulate(word) })
    }

    /// Forgets a half command.
    pub fn forget(&mut self) {
        *self = Decoder::default();
    }

    /// Whether a command has begun and not ended.
    pub fn is_midway(&self) -> bool {
        self.letter.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_load_is_its_letter_and_eight_bytes_with_the_highest_first() {
        let bytes = Command::Load(0x0102_0304_0506_0708).encode();
        assert_eq!(bytes, [b'L', 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_with_anything_that_is_no_letter_between(word: u64, noise in "[^LARSD]*") {
            let commands =
                [Command::Load(word), Command::Read, Command::Accumulate(!word), Command::Status, Command::Reference];
            let mut decoder = Decoder::default();
            let bytes: Vec<u8> =
                commands.iter().flat_map(|command| [noise.clone().into_bytes(), command.encode()].concat()).collect();
            let decoded: Vec<Command> = bytes.into_iter().filter_map(|byte| decoder.push(byte)).collect();
            prop_assert_eq!(decoded, commands);
            prop_assert!(!decoder.is_midway());
        }
    }
}
