//! The messages of the replica, byte by byte.
//!
//! A frame is a tag, a body, two bytes that name the session, and a CRC-32. Bodies of more than a fragment travel in fragments.

use crate::domain::traffic::{Kind, Traffic};
use crate::engine::delta_summary::log::{Delta, read_run};
use crate::engine::delta_summary::state::Run;
use crate::engine::delta_summary::stored::{read_runs, write_runs};
use crate::engine::delta_summary::sums::Changes;
use crate::engine::vector::{Actor, Ranges, VersionVector};
use crate::engine::wire::{CHECKSUM, Frame, Malformed, Reader, Writer};

/// What replicas say to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Who connects tells what it has: a leaf how far it has the parent's log, and its own operations beyond that; a
    /// relay everything.
    Hello {
        /// Whether it wants summaries.
        leaf: bool,
        /// Whose edits it makes.
        client: u32,
        /// The parent's log, and the position in it.
        cursor: Option<(Actor, u64)>,
        /// Operations that it has.
        holds: VersionVector,
    },
    /// The answer: what the other has of those, and what it makes of the cursor.
    Welcome {
        /// What its log is called now.
        log: Actor,
        /// The cursor as it understands it; `None` if it does not.
        reached: Option<u64>,
        /// Operations that it has.
        holds: VersionVector,
    },
    /// Deltas.
    Deltas(Vec<Delta>),
    /// These runs are durable here.
    Taken(Vec<Run>),
    /// What a run of the sender's log comes to.
    Summary {
        /// The sender's log.
        log: Actor,
        /// From this position.
        first: u64,
        /// To this one.
        last: u64,
        /// The receiver's own operations, which are left out.
        without: Vec<Run>,
        /// Operations of the receiver's client that it has not told of, and that are left in: another device's, or its own
        /// that a copy of it has sent.
        with: Vec<Run>,
        /// What the others come to.
        changes: Changes,
    },
    /// What the sender's log comes to from its beginning.
    Snapshot {
        /// The sender's log.
        log: Actor,
        /// To this position.
        position: u64,
        /// The operations of the receiver's client that are in it.
        within: Vec<Run>,
        /// What all comes to.
        changes: Changes,
    },
    /// The log up to this position is durable here.
    Reached {
        /// The log.
        log: Actor,
        /// The position.
        position: u64,
    },
    /// A fragment of a long body.
    Fragment {
        /// The body's CRC-32.
        id: u32,
        /// How many fragments it has.
        count: u32,
        /// Which this is, from 0.
        place: u32,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The fragments of a long body that are here; numbered from 1.
    Fragments {
        /// The body's CRC-32.
        id: u32,
        /// Those that are here.
        got: Ranges,
    },
}

const HELLO: u8 = 1;
const WELCOME: u8 = 2;
const DELTAS: u8 = 3;
const TAKEN: u8 = 4;
const SUMMARY: u8 = 5;
const SNAPSHOT: u8 = 6;
const REACHED: u8 = 7;
const FRAGMENT: u8 = 8;
const FRAGMENTS: u8 = 9;

/// The most fragments that a body may have.
const MOST_FRAGMENTS: u64 = 1 << 20;

/// A tag and a body, before they are framed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Body {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they are for.
    pub traffic: Traffic,
}

impl Body {
    /// The frame of this body in a session.
    pub fn framed(&self, session: u16) -> (Frame, Traffic) {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 2 + CHECKSUM);
        bytes.extend_from_slice(&self.bytes);
        bytes.extend(session.to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        let mut traffic = self.traffic;
        traffic.count(Kind::Ids, 2);
        traffic.count(Kind::Framing, CHECKSUM as u64);
        (Frame { bytes, has_edits: traffic.payload > 0 }, traffic)
    }
}

/// Takes a frame apart: its session and its body.
pub fn unframed(frame: &[u8]) -> Result<(u16, &[u8]), Malformed> {
    let (rest, checksum) = frame.split_last_chunk::<CHECKSUM>().ok_or(Malformed::Short)?;
    if crc32fast::hash(rest) != u32::from_le_bytes(*checksum) {
        return Err(Malformed::Checksum);
    }
    let (body, session) = rest.split_last_chunk::<2>().ok_or(Malformed::Short)?;
    Ok((u16::from_le_bytes(*session), body))
}

impl Message {
    /// Its body.
    pub fn body(&self) -> Body {
        let mut writer;
        match self {
            Message::Hello { leaf, client, cursor, holds } => {
                writer = Writer::tagged(HELLO);
                writer.of(Kind::Ids).byte(u8::from(*leaf) | u8::from(cursor.is_some()) << 1);
                writer.number((*client).into());
                if let Some((log, position)) = cursor {
                    log.write(&mut writer);
                    writer.number(*position);
                }
                holds.write(&mut writer);
            }
            Message::Welcome { log, reached, holds } => {
                writer = Writer::tagged(WELCOME);
                log.write(writer.of(Kind::Ids));
                writer.number(reached.map_or(0, |position| position + 1));
                holds.write(&mut writer);
            }
            Message::Deltas(deltas) => {
                writer = Writer::tagged(DELTAS);
                write_deltas(&mut writer, deltas);
            }
            Message::Taken(runs) => {
                writer = Writer::tagged(TAKEN);
                write_runs(writer.of(Kind::Acks), runs);
            }
            Message::Summary { log, first, last, without, with, changes } => {
                writer = Writer::tagged(SUMMARY);
                log.write(writer.of(Kind::Ids));
                writer.number(*first).number(last - first);
                write_runs(&mut writer, without);
                write_runs(&mut writer, with);
                changes.write(&mut writer);
            }
            Message::Snapshot { log, position, within, changes } => {
                writer = Writer::tagged(SNAPSHOT);
                log.write(writer.of(Kind::Ids));
                writer.number(*position);
                write_runs(&mut writer, within);
                changes.write(&mut writer);
            }
            Message::Reached { log, position } => {
                writer = Writer::tagged(REACHED);
                log.write(writer.of(Kind::Acks));
                writer.number(*position);
            }
            Message::Fragment { id, count, place, bytes } => {
                writer = Writer::tagged(FRAGMENT);
                writer.number((*id).into()).number((*count).into()).number((*place).into());
                writer.of(Kind::Payload).raw(bytes);
            }
            Message::Fragments { id, got } => {
                writer = Writer::tagged(FRAGMENTS);
                writer.of(Kind::Acks).number((*id).into()).number(got.runs().count() as u64);
                for (first, last) in got.runs() {
                    writer.number(first).number(last - first);
                }
            }
        }
        let (bytes, traffic) = writer.unsealed();
        Body { bytes, traffic }
    }

    /// The message in a body.
    pub fn read(body: &[u8], registers: u32) -> Result<Message, Malformed> {
        let reader = &mut Reader::bare(body);
        let message = match reader.byte()? {
            HELLO => {
                let flags = reader.at_most(3, "the flags of a hello")?;
                let client = reader.small("a client")?;
                let cursor = if flags & 2 == 0 { None } else { Some((Actor::read(reader)?, position(reader)?)) };
                Message::Hello { leaf: flags & 1 != 0, client, cursor, holds: VersionVector::read(reader)? }
            }
            WELCOME => Message::Welcome {
                log: Actor::read(reader)?,
                reached: position(reader)?.checked_sub(1),
                holds: VersionVector::read(reader)?,
            },
            DELTAS => Message::Deltas(read_deltas(reader, registers)?),
            TAKEN => Message::Taken(read_runs(reader)?),
            SUMMARY => {
                let log = Actor::read(reader)?;
                let (first, last) = read_run(reader)?;
                let (without, with) = (read_runs(reader)?, read_runs(reader)?);
                Message::Summary { log, first, last, without, with, changes: Changes::read(reader, registers)? }
            }
            SNAPSHOT => Message::Snapshot {
                log: Actor::read(reader)?,
                position: position(reader)?,
                within: read_runs(reader)?,
                changes: Changes::read(reader, registers)?,
            },
            REACHED => Message::Reached { log: Actor::read(reader)?, position: position(reader)? },
            FRAGMENT => {
                let id = reader.small("a checksum")?;
                let count = reader.at_most(MOST_FRAGMENTS, "a number of fragments")? as u32;
                let place = reader.at_most(u64::from(count.max(1)) - 1, "a fragment")? as u32;
                Message::Fragment { id, count, place, bytes: reader.rest().to_vec() }
            }
            FRAGMENTS => {
                let id = reader.small("a checksum")?;
                let mut got = Ranges::default();
                for _ in 0..reader.count("a number of runs")? {
                    let (first, last) = read_run(reader)?;
                    got.insert(first, last);
                }
                Message::Fragments { id, got }
            }
            _ => return Err(Malformed::Range("a kind of message")),
        };
        if reader.is_done() { Ok(message) } else { Err(Malformed::Long) }
    }
}

fn position(reader: &mut Reader) -> Result<u64, Malformed> {
    reader.at_most(u64::MAX >> 2, "a position")
}

/// Deltas, those of one author after another told once who that is.
fn write_deltas(writer: &mut Writer, deltas: &[Delta]) {
    let groups = deltas.chunk_by(|one, next| one.author == next.author);
    writer.of(Kind::Framing).number(groups.clone().count() as u64);
    for group in groups {
        group[0].author.write(writer.of(Kind::Ids));
        writer.of(Kind::Framing).number(group.len() as u64);
        for delta in group {
            writer.of(Kind::Ids).number(delta.first).number(delta.last - delta.first);
            delta.changes.write(writer);
        }
    }
}

fn read_deltas(reader: &mut Reader, registers: u32) -> Result<Vec<Delta>, Malformed> {
    let mut deltas = Vec::new();
    for _ in 0..reader.count("a number of authors")? {
        let author = Actor::read(reader)?;
        for _ in 0..reader.count("a number of deltas")? {
            let (first, last) = read_run(reader)?;
            deltas.push(Delta { author, first, last, changes: Changes::read(reader, registers)? });
        }
    }
    Ok(deltas)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::delta_summary::sums::tests::changes;
    use proptest::prelude::*;

    const REGISTERS: u32 = 300;

    fn actor() -> impl Strategy<Value = Actor> {
        any::<(u32, u32)>().prop_map(|(client, incarnation)| Actor { client, incarnation })
    }

    fn run() -> impl Strategy<Value = Run> {
        (actor(), 1..1000u64, 0..50u64).prop_map(|(actor, first, more)| (actor, first, first + more))
    }

    fn vector() -> impl Strategy<Value = VersionVector> {
        proptest::collection::vec(run(), 0..6).prop_map(|runs| {
            let mut vector = VersionVector::default();
            runs.into_iter().for_each(|(actor, first, last)| vector.insert(actor, first, last));
            vector
        })
    }

    fn message() -> impl Strategy<Value = Message> {
        let runs = || proptest::collection::vec(run(), 0..5);
        let delta = (run(), changes(REGISTERS, 8)).prop_map(|((author, first, last), changes)| Delta {
            author,
            first,
            last,
            changes,
        });
        prop_oneof![
            (any::<bool>(), any::<u32>(), proptest::option::of((actor(), 0..9999u64)), vector())
                .prop_map(|(leaf, client, cursor, holds)| Message::Hello { leaf, client, cursor, holds }),
            (actor(), proptest::option::of(0..9999u64), vector()).prop_map(|(log, reached, holds)| Message::Welcome {
                log,
                reached,
                holds
            }),
            proptest::collection::vec(delta, 0..6).prop_map(Message::Deltas),
            runs().prop_map(Message::Taken),
            (run(), runs(), runs(), changes(REGISTERS, 8)).prop_map(|((log, first, last), without, with, changes)| {
                Message::Summary { log, first, last, without, with, changes }
            }),
            (actor(), 0..9999u64, runs(), changes(REGISTERS, 8))
                .prop_map(|(log, position, within, changes)| Message::Snapshot { log, position, within, changes }),
            (actor(), 0..9999u64).prop_map(|(log, position)| Message::Reached { log, position }),
            (any::<u32>(), 1..9u32, any::<Vec<u8>>()).prop_map(|(id, count, bytes)| Message::Fragment {
                id,
                count,
                place: count - 1,
                bytes
            }),
            (any::<u32>(), 1..9u64).prop_map(|(id, last)| Message::Fragments { id, got: Ranges::up_to(last) }),
        ]
    }

    proptest! {
        #[test]
        fn every_message_decodes_to_what_was_encoded_and_every_byte_is_counted(message in message(), session: u16) {
            let body = message.body();
            prop_assert_eq!(body.traffic.total(), body.bytes.len() as u64);
            let (frame, traffic) = body.framed(session);
            prop_assert_eq!(traffic.total(), frame.bytes.len() as u64);
            let (told, read) = unframed(&frame.bytes).expect("it is whole");
            prop_assert_eq!(told, session);
            prop_assert_eq!(Message::read(read, REGISTERS), Ok(message));
        }

        #[test]
        fn any_bytes_give_a_message_or_an_error(bytes: Vec<u8>, tag in 0..12u8) {
            let _ = unframed(&bytes);
            let tagged: Vec<u8> = [tag].into_iter().chain(bytes).collect();
            let _ = Message::read(&tagged, REGISTERS);
        }

        #[test]
        fn a_message_with_a_byte_changed_gives_a_message_or_an_error(
            message in message(), at: prop::sample::Index, byte: u8,
        ) {
            let mut bytes = message.body().bytes;
            let place = at.index(bytes.len());
            bytes[place] = byte;
            let _ = Message::read(&bytes, REGISTERS);
        }
    }
}
