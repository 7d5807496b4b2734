//! The message that carries one tick's changes, counted byte by byte.
//!
//! It is the most compact plain form that a receiver can decode without knowing anything of the tick beforehand, and
//! that tells a repeated message from a new one:
//!
//! | bytes | field | kind |
//! |---|---|---|
//! | 4 | length of what follows, little-endian | framing |
//! | 4 | replica, little-endian | id |
//! | 8 | sequence number, little-endian | id |
//! | 1–2 | number of changes, LEB128 | addressing |
//! | 1–2 each | gap to the previous changed context, less one, LEB128 | addressing |
//! | 8 each | delta, little-endian | value |
//! | 4 | CRC-32 (IEEE 802.3) of all before it, little-endian | checksum |

use crate::scenario::tick::{CONTEXTS, Change};

/// Bytes before the addressing: length, replica, sequence number.
const HEADER: usize = 16;

/// Bytes of the checksum.
const CHECKSUM: usize = 4;

/// A message's bytes by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// The deltas themselves.
    pub values: u64,
    /// Which contexts they belong to.
    pub addressing: u64,
    /// Where the message ends.
    pub framing: u64,
    /// Whose message it is, and which.
    pub ids: u64,
    /// What tells a damaged message.
    pub checksum: u64,
}

impl Bytes {
    /// All of them.
    pub fn total(self) -> u64 {
        self.values + self.addressing + self.framing + self.ids + self.checksum
    }
}

/// A decoded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sent it.
    pub replica: u32,
    /// Which of its messages it is.
    pub sequence: u64,
    /// What changed, by context.
    pub changes: Vec<Change>,
}

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The bytes end too early, or go on too long.
    #[error("the message should have {expected} bytes and has {got}")]
    Length {
        /// As its length field says, or the fewest that there can be.
        expected: usize,
        /// As it has.
        got: usize,
    },
    /// The checksum is another one.
    #[error("the message's checksum is {got:#010x} and should be {expected:#010x}")]
    Checksum {
        /// Of the bytes.
        expected: u32,
        /// In the message.
        got: u32,
    },
    /// The addressing names contexts that do not exist, or the fields do not fill the length.
    #[error("the message's contexts or values do not fit its length")]
    Fields,
}

/// The message, and what its bytes are for. `changes` must be by ascending context. A tick without changes sends
/// nothing: no bytes at all.
pub fn encode(replica: u32, sequence: u64, changes: &[Change]) -> (Vec<u8>, Bytes) {
    if changes.is_empty() {
        return (Vec::new(), Bytes::default());
    }
    let mut addressing = Vec::new();
    push_leb128(&mut addressing, changes.len() as u64);
    let mut next = 0;
    for change in changes {
        push_leb128(&mut addressing, u64::from(change.context) - next);
        next = u64::from(change.context) + 1;
    }
    let values: Vec<u8> = changes.iter().flat_map(|change| change.delta.to_le_bytes()).collect();
    let length = HEADER - 4 + addressing.len() + values.len() + CHECKSUM;
    let mut message = Vec::with_capacity(4 + length);
    message.extend((length as u32).to_le_bytes());
    message.extend(replica.to_le_bytes());
    message.extend(sequence.to_le_bytes());
    message.extend(&addressing);
    message.extend(&values);
    message.extend(crc32fast::hash(&message).to_le_bytes());
    let bytes = Bytes {
        values: values.len() as u64,
        addressing: addressing.len() as u64,
        framing: 4,
        ids: 12,
        checksum: CHECKSUM as u64,
    };
    (message, bytes)
}

/// The message in these bytes.
pub fn decode(bytes: &[u8]) -> Result<Message, MessageError> {
    let length = |expected| MessageError::Length { expected, got: bytes.len() };
    let (body, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(length(HEADER + CHECKSUM))?;
    let (header, mut rest) = body.split_first_chunk::<HEADER>().ok_or(length(HEADER + CHECKSUM))?;
    let [l0, l1, l2, l3, r0, r1, r2, r3, sequence @ ..] = *header;
    let expected = (u32::from_le_bytes([l0, l1, l2, l3]) as usize).saturating_add(4);
    if expected != bytes.len() {
        return Err(length(expected));
    }
    let (expected, got) = (crc32fast::hash(body), u32::from_le_bytes(*checksum));
    if expected != got {
        return Err(MessageError::Checksum { expected, got });
    }
    let count = take_leb128(&mut rest).filter(|&count| count <= CONTEXTS.into()).ok_or(MessageError::Fields)?;
    let mut contexts = Vec::new();
    let mut next = 0u64;
    for _ in 0..count {
        let context = take_leb128(&mut rest).and_then(|gap| next.checked_add(gap)).ok_or(MessageError::Fields)?;
        contexts.push(u8::try_from(context).map_err(|_| MessageError::Fields)?);
        next = context + 1;
    }
    let (values, []) = rest.as_chunks::<8>() else { return Err(MessageError::Fields) };
    if values.len() != contexts.len() {
        return Err(MessageError::Fields);
    }
    let changes = contexts.iter().zip(values);
    let changes = changes.map(|(&context, value)| Change { context, delta: u64::from_le_bytes(*value) }).collect();
    Ok(Message { replica: u32::from_le_bytes([r0, r1, r2, r3]), sequence: u64::from_le_bytes(sequence), changes })
}

/// The fewest bytes, on average, that tell which of 256 contexts changed and by what, if the receiver knows how many:
/// `log2 C(256, changes) / 8` for the places and `value_bits / 8` for each value (Shannon, 1948). Bytes, not rounded.
pub fn information_bound(changes: u64, value_bits: u32) -> f64 {
    // libm's logarithm gives the same bits on every machine, which the platform's own need not.
    let places: f64 = (0..changes).map(|i| libm::log2((u64::from(CONTEXTS) - i) as f64 / (i + 1) as f64)).sum();
    (places + changes as f64 * f64::from(value_bits)) / 8.0
}

fn push_leb128(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// A number of at most two bytes: none here is larger than 256.
fn take_leb128(bytes: &mut &[u8]) -> Option<u64> {
    let (&low, rest) = bytes.split_first()?;
    *bytes = rest;
    if low < 0x80 {
        return Some(low.into());
    }
    let (&high, rest) = bytes.split_first()?;
    *bytes = rest;
    (1..0x80).contains(&high).then(|| u64::from(low & 0x7F) | u64::from(high) << 7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::tick::{PUBLISHED_SEED, changes};
    use proptest::prelude::*;

    fn any_changes() -> impl Strategy<Value = Vec<Change>> {
        proptest::collection::btree_map(any::<u8>(), any::<u64>(), 1..=256)
            .prop_map(|map| map.into_iter().map(|(context, delta)| Change { context, delta }).collect())
    }

    proptest! {
        #[test]
        fn every_message_decodes_to_what_was_encoded(changes in any_changes(), replica: u32, sequence: u64) {
            let (message, bytes) = encode(replica, sequence, &changes);
            prop_assert_eq!(bytes.total(), message.len() as u64);
            prop_assert_eq!(decode(&message), Ok(Message { replica, sequence, changes }));
        }

        #[test]
        fn a_message_with_a_flipped_bit_or_a_missing_end_is_refused(changes in any_changes(), at: prop::sample::Index, bit in 0..8u32) {
            let (message, _) = encode(1, 1, &changes);
            let mut flipped = message.clone();
            flipped[at.index(message.len())] ^= 1 << bit;
            prop_assert!(decode(&flipped).is_err());
            prop_assert!(decode(&message[..at.index(message.len())]).is_err());
        }

        #[test]
        fn any_bytes_give_a_message_or_an_error(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }

        #[test]
        fn any_body_with_a_right_checksum_gives_a_message_or_an_error(body in proptest::collection::vec(any::<u8>(), 12..60)) {
            let mut message = ((body.len() + CHECKSUM) as u32).to_le_bytes().to_vec();
            message.extend(body);
            message.extend(crc32fast::hash(&message).to_le_bytes());
            let _ = decode(&message);
        }
    }

    #[test]
    fn the_published_tick_takes_201_bytes_and_not_160() {
        let (message, bytes) = encode(1, 1, &changes(PUBLISHED_SEED));
        let expected = Bytes { values: 160, addressing: 21, framing: 4, ids: 12, checksum: 4 };
        assert_eq!((bytes, message.len()), (expected, 201));
    }

    #[test]
    fn the_information_bound_of_the_published_tick() {
        assert_eq!(format!("{:.1}", information_bound(20, 64)), "172.2");
        assert_eq!(format!("{:.1}", information_bound(20, 63)), "169.7");
        assert_eq!(information_bound(0, 64), 0.0);
    }
}
