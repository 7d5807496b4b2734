//! Etherbone from any bytes: no panic; a packet that is decoded is the same again when it is encoded and decoded; a stream
//! gives the same packets in one piece as byte by byte.

use abench::bus::etherbone::codec::{Decoder, Packet};

/// Panics where these bytes show otherwise.
pub fn holds_for(bytes: &[u8]) {
    if let Ok((packet, length)) = Packet::decode(bytes) {
        assert!(length <= bytes.len());
        let encoded = packet.encode();
        assert_eq!(Packet::decode(&encoded), Ok((packet, encoded.len())));
    }
    let mut whole = Decoder::default();
    whole.push(bytes);
    let at_once: Vec<Packet> = std::iter::from_fn(|| whole.next_packet()).collect();
    let mut piecewise = Decoder::default();
    let mut one_by_one = Vec::new();
    for &byte in bytes {
        piecewise.push(&[byte]);
        one_by_one.extend(std::iter::from_fn(|| piecewise.next_packet()));
    }
    assert_eq!(at_once, one_by_one);
    assert_eq!(whole.skipped(), piecewise.skipped());
    assert!(whole.pending() < 2100);
}
