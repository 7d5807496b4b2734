//! The line to one neighbour: messages of a library's sync protocol, each once and in order, as over a TCP connection.
//!
//! Sync protocols of libraries are made for a reliable connection, and the links of worlds lose, repeat and reorder. So each
//! message waits until the one before was acknowledged, and is sent again, later and later, until then.
//!
//! | bytes of a frame | say |
//! |---|---|
//! | 1 | what it is: the first message of a session, another, or an acknowledgement |
//! | 4 in the first, then 1 | the session, drawn when the connection came up; later its lowest byte |
//! | 1–2, not in the first | the number of the message |
//! | the others | the library's own |
//! | 4 | CRC-32 |
//!
//! Knows: frames. Must not: know what a library says.

use crate::domain::traffic::{Kind, Traffic};
use crate::engine::host::{Round, Time};
use crate::engine::library::document::Said;
use crate::engine::wire::{Frame, Malformed, Reader, Writer};

const FIRST: u8 = 0x20;
const NEXT: u8 = 0x21;
const ARRIVED: u8 = 0x22;

/// Sessions are drawn from so many.
pub(super) const SESSIONS: u64 = 1 << 32;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told<'a> {
    /// The first message of a session.
    First(u32, &'a [u8]),
    /// Another message: the lowest byte of its session, and its number.
    Next(u8, u64, &'a [u8]),
    /// A message arrived.
    Arrived(u8, u64),
}

/// Reads a frame.
pub(super) fn read(frame: &[u8]) -> Result<Told<'_>, Malformed> {
    let (tag, mut reader) = Reader::open(frame)?;
    Ok(match tag {
        FIRST => {
            let session = u32::from(reader.pair()?) | u32::from(reader.pair()?) << 16;
            Told::First(session, reader.rest())
        }
        NEXT => Told::Next(reader.byte()?, reader.number()?, reader.rest()),
        ARRIVED => {
            let told = Told::Arrived(reader.byte()?, reader.number()?);
            reader.end()?;
            told
        }
        _ => return Err(Malformed::Range("a kind of frame")),
    })
}

/// The frame that acknowledges a message of a neighbour's session.
pub(super) fn arrived(session: u32, number: u64) -> (Frame, Traffic) {
    let mut writer = Writer::tagged(ARRIVED);
    writer.byte(session as u8).of(Kind::Acks).number(number);
    writer.seal()
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Outstanding {
    pub(super) number: u64,
    frame: Frame,
    traffic: Traffic,
    brings_all: bool,
    /// How often it was sent.
    pub(super) sent: u32,
}

impl Outstanding {
    /// It is sent, again or for the first time.
    pub(super) fn send(&mut self) -> (Frame, Traffic, Round) {
        self.sent += 1;
        let traffic = if self.sent == 1 { self.traffic } else { self.traffic.again() };
        // Sent again it brings what was there when it was made.
        let round = Round { begins: self.brings_all && self.sent == 1, ends: self.brings_all };
        (self.frame.clone(), traffic, round)
    }
}

/// One end of a line.
#[derive(Debug, Default)]
pub(super) struct Line<S> {
    /// Whether there is a connection.
    pub(super) up: bool,
    /// What the library keeps of the neighbour.
    pub(super) library: S,
    /// The session of this end, and how many messages it had.
    pub(super) session: u32,
    pub(super) said: u64,
    /// The session of the other end, and the number of the next message of it.
    pub(super) of_neighbour: Option<u32>,
    pub(super) heard: u64,
    /// The message that waits for its acknowledgement.
    pub(super) outstanding: Option<Outstanding>,
    /// When it is sent again, or the library is asked what to say.
    pub(super) due: Option<Time>,
}

impl<S: Default> Line<S> {
    /// A connection came up, or must begin anew: nothing is known of the neighbour.
    pub(super) fn begin(&mut self, session: u32) {
        *self = Line { up: true, session, ..Line::default() };
    }

    /// Puts what the library says into a message.
    pub(super) fn message(&mut self, said: Said) -> Outstanding {
        let number = self.said;
        self.said += 1;
        let mut writer = Writer::tagged(if number == 0 { FIRST } else { NEXT });
        match number {
            0 => writer.raw(&self.session.to_le_bytes()),
            _ => writer.byte(self.session as u8).number(number),
        };
        writer.of(said.kind).raw(&said.bytes);
        let (frame, traffic) = writer.seal();
        Outstanding { number, frame, traffic, brings_all: said.brings_all, sent: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_messages_is_read_and_every_byte_is_counted() {
        let mut line: Line<()> = Line::default();
        line.begin(0x0403_0201);
        let said = |kind| Said { bytes: vec![7; 9], kind, brings_all: true };
        let (first, traffic, round) = line.message(said(Kind::Ids)).send();
        assert_eq!(read(&first.bytes), Ok(Told::First(0x0403_0201, &[7; 9])));
        assert_eq!((traffic.framing, traffic.ids, traffic.total()), (9, 9, first.bytes.len() as u64));
        assert_eq!(round, Round { begins: true, ends: true });
        let mut next = line.message(said(Kind::Payload));
        let (frame, ..) = next.send();
        assert_eq!(read(&frame.bytes), Ok(Told::Next(1, 1, &[7; 9])));
        let (again, traffic, round) = next.send();
        assert_eq!((again, traffic.retransmission), (frame.clone(), frame.bytes.len() as u64));
        assert_eq!(round, Round { begins: false, ends: true });
        let (frame, traffic) = arrived(0x0403_0201, 300);
        assert_eq!(read(&frame.bytes), Ok(Told::Arrived(1, 300)));
        assert_eq!((traffic.framing, traffic.acks), (6, 2));
    }
}
