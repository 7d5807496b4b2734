//! UARTBone on the wire (LiteX): `[command u8][words u8 1..255][address >> 2, u32]`, then data words; all big-endian.
//! Nothing is acknowledged, checked or framed.

/// The most words of one command.
pub const MOST_WORDS: usize = 255;

/// Bytes before the data words.
pub const HEAD: usize = 6;

const WRITE: u8 = 1;
const READ: u8 = 2;
const WRITE_FIXED: u8 = 3;
const READ_FIXED: u8 = 4;

/// What is asked of the far end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Write these words.
    Write {
        /// Where the first one goes; a byte address, of which the lowest two bits do not travel.
        address: u32,
        /// One to [`MOST_WORDS`].
        words: Vec<u32>,
        /// Whether all of them go to the same address, or each four bytes further than the one before.
        fixed: bool,
    },
    /// Read so many words.
    Read {
        /// Where the first one is.
        address: u32,
        /// One to [`MOST_WORDS`].
        words: u8,
        /// Whether all of them are read at the same address.
        fixed: bool,
    },
}

impl Command {
    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        let head = |code: u8, words: u8, address: u32| {
            let [a, b, c, d] = (address >> 2).to_be_bytes();
            vec![code, words, a, b, c, d]
        };
        match self {
            Command::Read { address, words, fixed } => head(if *fixed { READ_FIXED } else { READ }, *words, *address),
            Command::Write { address, words, fixed } => {
                let mut bytes = head(if *fixed { WRITE_FIXED } else { WRITE }, words.len() as u8, *address);
                bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
                bytes
            }
        }
    }

    /// The byte addresses that it touches, in order; they wrap at the end of the address space.
    pub fn addresses(&self) -> impl Iterator<Item = u32> + use<> {
        let (address, words, fixed) = match self {
            Command::Write { address, words, fixed } => (*address, words.len(), *fixed),
            Command::Read { address, words, fixed } => (*address, usize::from(*words), *fixed),
        };
        let step = if fixed { 0 } else { 4 };
        (0..words as u32).map(move |place| address.wrapping_add(step * place))
    }
}

/// Takes commands out of a stream of bytes, as the far end does.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    taken: Vec<u8>,
}

impl Decoder {
    /// Takes a byte; gives the command that it completes. A byte that begins no command is skipped, and so is a head
    /// that asks for no words.
    pub fn push(&mut self, byte: u8) -> Option<Command> {
        self.taken.push(byte);
        let [code, words, ..] = self.taken[..] else {
            if !(WRITE..=READ_FIXED).contains(&byte) {
                self.taken.clear();
            }
            return None;
        };
        let data = if code == WRITE || code == WRITE_FIXED { 4 * usize::from(words) } else { 0 };
        if self.taken.len() < HEAD + data {
            return None;
        }
        let taken = std::mem::take(&mut self.taken);
        let all = words_of(&taken[2..]);
        let (address, fixed) = (all[0] << 2, code == WRITE_FIXED || code == READ_FIXED);
        match code {
            _ if words == 0 => None,
            WRITE | WRITE_FIXED => Some(Command::Write { address, words: all[1..].to_vec(), fixed }),
            _ => Some(Command::Read { address, words, fixed }),
        }
    }

    /// Forgets a half command, as after 100 ms of silence.
    pub fn forget(&mut self) {
        self.taken.clear();
    }

    /// Whether a command has begun and not ended.
    pub fn is_midway(&self) -> bool {
        !self.taken.is_empty()
    }
}

/// The words in these bytes; what is left of a last one is left out.
pub fn words_of(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn commands(bytes: &[u8]) -> Vec<Command> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|&byte| decoder.push(byte)).collect()
    }

    #[test]
    fn a_read_of_the_status_register_is_the_documented_bytes() {
        let read = Command::Read { address: 0xF002_1020, words: 1, fixed: false };
        assert_eq!(read.encode(), [0x02, 0x01, 0x3C, 0x00, 0x84, 0x08]);
        assert_eq!(words_of(&[0x02, 0x08, 0, 0]), [0x0208_0000]);
    }

    #[test]
    fn a_half_command_is_forgotten_when_asked_to_and_bytes_that_begin_none_are_skipped() {
        let mut decoder = Decoder::default();
        assert!([1, 1, 0].iter().all(|&byte| decoder.push(byte).is_none()));
        assert!(decoder.is_midway());
        decoder.forget();
        let read = Command::Read { address: 4, words: 3, fixed: true };
        let mut bytes = vec![0, 0xFF, 7, 5];
        bytes.extend(read.encode());
        assert_eq!(bytes.iter().filter_map(|&byte| decoder.push(byte)).collect::<Vec<_>>(), [read]);
        assert_eq!(commands(&[2, 0, 0, 0, 0, 0]), []);
    }

    #[test]
    fn addresses_wrap_at_the_end_of_the_address_space() {
        let read = Command::Read { address: u32::MAX - 3, words: 2, fixed: false };
        assert_eq!(read.addresses().collect::<Vec<_>>(), [u32::MAX - 3, 0]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(address: u32, words in proptest::collection::vec(any::<u32>(), 1..=255), fixed: bool) {
            let address = address & !3;
            let read = Command::Read { address, words: words.len() as u8, fixed };
            let write = Command::Write { address, words, fixed };
            prop_assert_eq!(commands(&[write.encode(), read.encode()].concat()), [write, read]);
        }
    }
}
