//! UARTBone on the wire (LiteX): `[command u8][words u8 1..255][address >> 2, u32]`, then data words; all big-endian.
//! Nothing is acknowledged, checked or framed.

use std::time::Duration;

/// The most words of one command.
pub const MOST_WORDS: usize = 255;

/// Bytes before the data words.
pub const HEAD: usize = 6;

/// For how long the far end keeps a command, from its first byte on: what it has not carried out by then, answer included,
/// it drops. LiteX counts from the first byte, not from the last: two gaps of 60 ms lose a command.
pub const COMMAND_TIME: Duration = Duration::from_millis(100);

/// Words of a command whose length is 0. A client has no use for it.
const WORDS_OF_LENGTH_0: u16 = 256;

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
}

/// What a command has the far end do on its bus, word by word: a write reaches the bus as soon as its word is complete,
/// whatever becomes of the rest of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// This word is written at this byte address.
    Write {
        /// Where.
        address: u32,
        /// What.
        word: u32,
    },
    /// Words are read, and their bytes are the answer.
    Read {
        /// Where the first one is; a byte address.
        address: u32,
        /// 1 to 256.
        words: u16,
        /// Whether all of them are read at the same address.
        fixed: bool,
    },
}

impl Access {
    /// The byte addresses that it touches, in order; they wrap at the end of the address space.
    pub fn addresses(self) -> impl Iterator<Item = u32> {
        let (address, words, step) = match self {
            Access::Write { address, .. } => (address, 1, 0),
            Access::Read { address, words, fixed } => (address, words, if fixed { 0 } else { 4 }),
        };
        (0..u32::from(words)).map(move |place| address.wrapping_add(step * place))
    }
}

/// How far a command has come.
#[derive(Clone, Copy, Debug)]
struct Begun {
    /// When its first byte came.
    at: Duration,
    code: u8,
    /// Bytes that came behind the first one.
    taken: usize,
    /// Words that are still to come, or to be read; what a length of 0 means is [`WORDS_OF_LENGTH_0`].
    words: u16,
    /// Address of the next word, in words, once it has come.
    address: u32,
    /// The bytes of the next data word that came.
    data: u32,
}

/// Takes commands out of a stream of bytes, as LiteX 2024.12's `Stream2Wishbone` does. `tests/gateware.rs` feeds both with the
/// same bytes.
///
/// - A command that is not complete [`COMMAND_TIME`] after its first byte is dropped, however close together its bytes
///   came. The words of a write that were complete by then have been written.
/// - Any byte begins a command. An unknown one takes the six bytes of a header and does nothing.
/// - A length of 0 means 256 words: the gateware compares its 8-bit counter with `length - 1`.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    begun: Option<Begun>,
}

impl Decoder {
    /// Takes a byte that came at this time, by a clock that never goes back; gives the access that it completes.
    pub fn push(&mut self, byte: u8, at: Duration) -> Option<Access> {
        let lasts = |begun: &Begun| at.saturating_sub(begun.at) < COMMAND_TIME;
        let Some(mut begun) = self.begun.take().filter(lasts) else {
            self.begun = Some(Begun { at, code: byte, taken: 0, words: 0, address: 0, data: 0 });
            return None;
        };
        begun.taken += 1;
        if begun.taken == 1 {
            begun.words = if byte == 0 { WORDS_OF_LENGTH_0 } else { byte.into() };
        } else if begun.taken < HEAD {
            begun.address = begun.address << 8 | u32::from(byte);
        } else {
            begun.data = begun.data << 8 | u32::from(byte);
        }
        let writes = begun.code == WRITE || begun.code == WRITE_FIXED;
        if begun.taken < HEAD - 1 || (writes && (begun.taken == HEAD - 1 || (begun.taken - HEAD) % 4 != 3)) {
            self.begun = Some(begun);
            return None;
        }
        let address = begun.address << 2;
        if !writes {
            let fixed = begun.code == READ_FIXED;
            let reads = fixed || begun.code == READ;
            return reads.then_some(Access::Read { address, words: begun.words, fixed });
        }
        let access = Access::Write { address, word: begun.data };
        begun.words -= 1;
        begun.address = begun.address.wrapping_add(u32::from(begun.code == WRITE));
        self.begun = (begun.words > 0).then_some(begun);
        Some(access)
    }

    /// When the command that is under way began.
    pub fn begun(&self) -> Option<Duration> {
        self.begun.map(|begun| begun.at)
    }

    /// Forgets a half command.
    pub fn forget(&mut self) {
        self.begun = None;
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

    /// What these bytes have the far end do, that come at once.
    fn accesses(bytes: &[u8]) -> Vec<Access> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|&byte| decoder.push(byte, Duration::ZERO)).collect()
    }

    /// The same where a gap of so many milliseconds lies before each byte.
    fn with_gaps(bytes: &[(u64, u8)]) -> Vec<Access> {
        let (mut decoder, mut now) = (Decoder::default(), Duration::ZERO);
        let took = bytes.iter().filter_map(|&(gap, byte)| {
            now += Duration::from_millis(gap);
            decoder.push(byte, now)
        });
        took.collect()
    }

    const READ_OF_4: [u8; 6] = [2, 3, 0, 0, 0, 1];
    const OF_4: Access = Access::Read { address: 4, words: 3, fixed: false };

    #[test]
    fn a_read_of_the_status_register_is_the_documented_bytes() {
        let read = Command::Read { address: 0xF002_1020, words: 1, fixed: false };
        assert_eq!(read.encode(), [0x02, 0x01, 0x3C, 0x00, 0x84, 0x08]);
        assert_eq!(words_of(&[0x02, 0x08, 0, 0]), [0x0208_0000]);
    }

    #[test]
    fn a_command_is_dropped_100_ms_after_its_first_byte_however_short_its_gaps_are() {
        let gaps = |at: [usize; 2], gap: u64| {
            let mut bytes = READ_OF_4.map(|byte| (0, byte));
            at.into_iter().for_each(|place| bytes[place].0 += gap);
            with_gaps(&bytes)
        };
        assert_eq!(gaps([2, 4], 49), [OF_4]);
        assert_eq!(gaps([2, 4], 60), []);
        // What comes after the 100 ms begins a command of its own.
        let again: Vec<(u64, u8)> =
            [(0, 1), (60, 1), (60, 2)].into_iter().chain(READ_OF_4[1..].iter().map(|&b| (0, b))).collect();
        assert_eq!(with_gaps(&again), [OF_4]);
        // A long pause between two commands is none within one.
        let later: Vec<(u64, u8)> =
            READ_OF_4.iter().chain(&READ_OF_4).enumerate().map(|(n, &b)| (if n == 6 { 5000 } else { 0 }, b)).collect();
        assert_eq!(with_gaps(&later), [OF_4, OF_4]);
    }

    #[test]
    fn the_words_of_a_write_that_came_in_time_are_written_though_the_rest_is_dropped() {
        let bytes: Vec<(u64, u8)> =
            [1, 2, 0, 0, 0, 1, 0xA, 0xB, 0xC, 0xD].map(|byte| (0, byte)).into_iter().chain([(100, 1)]).collect();
        assert_eq!(with_gaps(&bytes), [Access::Write { address: 4, word: 0x0A0B_0C0D }]);
    }

    #[test]
    fn an_unknown_command_takes_the_six_bytes_of_a_header_and_a_length_of_0_means_256_words() {
        for code in [0, 5, b'A', 0xFF] {
            let bytes = [&[code, 9, 2, 2, 2, 2][..], &READ_OF_4].concat();
            assert_eq!(accesses(&bytes), [OF_4], "{code}");
        }
        assert_eq!(accesses(&[4, 0, 0, 0, 0, 1]), [Access::Read { address: 4, words: 256, fixed: true }]);
        let written = accesses(&[&[1, 0, 0, 0, 0, 0][..], &[7; 1024], &READ_OF_4].concat());
        assert_eq!(
            (written.len(), written[255], written[256]),
            (257, Access::Write { address: 1020, word: 0x0707_0707 }, OF_4)
        );
    }

    #[test]
    fn addresses_wrap_at_the_end_of_the_address_space() {
        let read = Access::Read { address: u32::MAX - 3, words: 2, fixed: false };
        assert_eq!(read.addresses().collect::<Vec<_>>(), [u32::MAX - 3, 0]);
        let written = accesses(&Command::Write { address: u32::MAX - 3, words: vec![1, 2], fixed: false }.encode());
        assert_eq!(written[1], Access::Write { address: 0, word: 2 });
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(address: u32, words in proptest::collection::vec(any::<u32>(), 1..=255), fixed: bool) {
            let address = address & !3;
            let read = Command::Read { address, words: words.len() as u8, fixed };
            let step = if fixed { 0 } else { 4 };
            let mut expected: Vec<Access> = (0..).zip(&words).map(|(place, &word)| Access::Write { address: address.wrapping_add(step * place), word }).collect();
            expected.push(Access::Read { address, words: words.len() as u16, fixed });
            let write = Command::Write { address, words, fixed };
            prop_assert_eq!(accesses(&[write.encode(), read.encode()].concat()), expected);
        }
    }
}
