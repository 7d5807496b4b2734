//! How a message of a process travels: the numbers of requests and answers, its body, and a checksum, since every transport
//! that these engines have has one. All of that but the body counts as framing.

use crate::engine::process::protocol::Send;
use crate::engine::wire::{Malformed, Reader, Writer};

const REQUEST: u8 = 1;
const ANSWER: u8 = 2;

/// A message that arrived.
#[derive(Debug, PartialEq, Eq)]
pub struct Read<'a> {
    /// The body.
    pub body: &'a [u8],
    /// The number of the request, where it is one.
    pub request: Option<u64>,
    /// The number of the request that it answers, where it answers one.
    pub answer: Option<u64>,
}

/// The bytes of a message.
pub fn write(send: &Send) -> Vec<u8> {
    let mut kind = 0;
    kind |= if send.request.is_some() { REQUEST } else { 0 };
    kind |= if send.answer.is_some() { ANSWER } else { 0 };
    let mut writer = Writer::tagged(kind);
    for number in [send.request, send.answer].into_iter().flatten() {
        writer.number(number);
    }
    writer.raw(&send.body.0);
    writer.seal().0.bytes
}

/// The bytes of a message with this body, neither a request nor an answer.
pub fn of_body(body: &[u8]) -> Vec<u8> {
    let mut writer = Writer::tagged(0);
    writer.raw(body);
    writer.seal().0.bytes
}

/// What is in the bytes of a message.
///
/// # Errors
/// If they are no message: damaged, cut short, or of an unknown kind.
pub fn read(bytes: &[u8]) -> Result<Read<'_>, Malformed> {
    let (kind, mut reader) = Reader::open(bytes)?;
    if kind & !(REQUEST | ANSWER) != 0 {
        return Err(Malformed::Range("a kind of message"));
    }
    let mut number = |bit: u8| if kind & bit == 0 { Ok(None) } else { reader.number().map(Some) };
    let (request, answer) = (number(REQUEST)?, number(ANSWER)?);
    Ok(Read { body: reader.rest(), request, answer })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::process::protocol::Bytes;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_message_arrives_as_it_was_sent_and_any_bytes_are_one_or_none(
            body: Vec<u8>, request: Option<u64>, answer: Option<u64>, junk: Vec<u8>,
        ) {
            let send = Send {
                to: 0, body: Bytes(body.clone()), request, answer, edits: true, again: false, ids: 0, begins: false,
                ends: false,
            };
            let bytes = write(&send);
            prop_assert_eq!(read(&bytes), Ok(Read { body: &body, request, answer }));
            let _ = read(&junk);
        }
    }
}
