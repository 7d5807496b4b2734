//! The frame of a tick from any bytes: no panic, and what is decoded is the same again when it is encoded and decoded. It is
//! tried as it is, and with the length and the checksum that its body should have, as a hostile sender writes it.

use abench::codec::frame::{BEGINS, decode, encode};
use abench::codec::varint;

/// Registers that a frame may claim.
const MOST: u32 = 1 << 16;

/// Panics where these bytes show otherwise.
pub fn holds_for(bytes: &[u8]) {
    for bytes in [bytes, &sealed(bytes)] {
        if let Ok(frame) = decode(bytes, MOST) {
            assert_eq!(decode(&encode(&frame), MOST), Ok(frame));
        }
    }
}

/// The frame with this body.
fn sealed(body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![BEGINS];
    varint::push(&mut bytes, body.len() as u64 + 4);
    bytes.extend(body);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}
