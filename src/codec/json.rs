//! An outbox in JSON: a list of operations, each with an id by which a receiver takes it once. Plain, and by gzip.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use crate::codec::operations::{Batch, Operation};
use crate::codec::{Codec, Needs, Receiver, Refused, Replica, Tick};

/// An operation as an outbox keeps it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Client, incarnation, sequence and place in the tick.
    id: String,
    register: u32,
    add: i64,
}

/// The most bytes that an entry takes.
const MOST_OF_ENTRY: u64 = 128;

fn to_json(tick: &Tick) -> Vec<u8> {
    let Batch { client, incarnation, sequence, operations } = Batch::of(tick);
    let id = |place| format!("{client}-{incarnation:08x}-{sequence}-{place}");
    let entry = |(place, Operation { register, add })| Entry { id: id(place), register, add };
    serde_json::to_vec(&operations.into_iter().enumerate().map(entry).collect::<Vec<_>>()).expect("it is plain data")
}

/// What an id says, but for the place in the tick.
fn read_id(id: &str) -> Option<(Replica, u64)> {
    let mut parts = id.split('-');
    let client = parts.next()?.parse().ok()?;
    let incarnation = u32::from_str_radix(parts.next()?, 16).ok()?;
    Some((Replica { client, incarnation }, parts.next()?.parse().ok()?))
}

fn take_json(receiver: &mut Receiver, json: &[u8]) -> Result<(), Refused> {
    let entries: Vec<Entry> = serde_json::from_slice(json).map_err(|_| Refused::Range("an outbox"))?;
    let ids = entries.iter().map(|entry| read_id(&entry.id).ok_or(Refused::Range("an id")));
    let ids = ids.collect::<Result<Vec<_>, Refused>>()?;
    // An outbox is sent a tick at a time here.
    let Some(&(from, sequence)) = ids.first() else { return Ok(()) };
    if ids.iter().any(|&id| id != (from, sequence)) {
        return Err(Refused::Range("an id"));
    }
    let operations = entries.into_iter().map(|Entry { register, add, .. }| Operation { register, add }).collect();
    Batch { client: from.client, incarnation: from.incarnation, sequence, operations }.into(receiver)
}

/// The codec that sends it as it is.
pub struct Outbox;

impl Codec for Outbox {
    fn name(&self) -> &'static str {
        "json-outbox"
    }

    fn about(&self) -> &'static str {
        "operations in JSON, each with an id"
    }

    fn needs(&self) -> Needs {
        Needs::Sequences
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        to_json(tick)
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        take_json(receiver, message)
    }
}

/// The codec that sends it by gzip.
pub struct Gzipped;

impl Codec for Gzipped {
    fn name(&self) -> &'static str {
        "json-outbox-gzip"
    }

    fn about(&self) -> &'static str {
        "operations in JSON, each with an id, by gzip at level 9"
    }

    fn needs(&self) -> Needs {
        Needs::Sequences
    }

    fn encode(&self, tick: &Tick, _asked: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&to_json(tick)).and_then(|()| encoder.finish()).expect("memory takes every outbox")
    }

    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused> {
        let most = MOST_OF_ENTRY * (receiver.registers.len() as u64 + 1);
        let mut json = Vec::new();
        let read = GzDecoder::new(message).take(most + 1).read_to_end(&mut json);
        match read {
            Ok(length) if length as u64 <= most => take_json(receiver, &json),
            Ok(_) => Err(Refused::Long),
            Err(_) => Err(Refused::Range("a gzip stream")),
        }
    }
}
