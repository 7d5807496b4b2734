//! The whole state as its users store it, a fixed number of bytes a register: plain, compressed by Zstandard, or as a
//! Zstandard patch on the last state that both sides have. These are what a bandwidth report compares engines with; the
//! receiver's state is overwritten, as by `full_state.rs`.
//!
//! | bytes of a message | say |
//! |---|---|
//! | 1–5 | how many bytes of the encoded state came before |
//! | 1, in the first message | whether the receiver is to send its state again, without a base |
//! | 1–5, in the first message | how many bytes there are |
//! | 4, in the first message of a patch | CRC-32 of the state that it is a patch on |
//! | the others | encoded state |

use std::collections::BTreeSet;
use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use crate::data;
use crate::domain::data::{Case, Claimed, DataType, Fields, Intent, Record, Stage, View};
use crate::domain::traffic::Kind;
use crate::engine::host::{NodeId, Round};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::wire::{Malformed, Reader, Writer};

/// Bytes as they are.
pub const PLAIN: u8 = 0;
/// Compressed by Zstandard.
pub const COMPRESSED: u8 = 1;
/// A Zstandard patch on a state that both sides have.
pub const PATCH: u8 = 2;

/// The level of compression. Higher ones were tried on states of counters, and make them larger or take ten times as long.
pub const LEVEL: i32 = 9;

/// What every Zstandard frame begins with.
const MAGIC: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

/// States that were sent and that a neighbour may still name: the newest, and the one before.
const KEPT: usize = 2;

/// The largest number that a counter has at the start, where its bytes have room for it.
const MOST_AT_START: u64 = 1_000_000;

/// All registers, in one of the three forms.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct WholeState<const FORM: u8> {
    values: Vec<View>,
}

/// What is under way to a neighbour and from it, and the states that both sides have.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Whether the neighbour has not got the state as it is.
    changes: bool,
    out: Option<Outgoing>,
    incoming: Option<Incoming>,
    /// The last state that the neighbour told; none in forms that patch nothing.
    theirs: Option<Vec<u8>>,
    /// The last states that it was told, the newest last; none in forms that patch nothing.
    ours: Vec<Vec<u8>>,
    /// Whether the newest that both have is the neighbour's.
    theirs_is_newer: bool,
    /// Whether a patch came whose base is not here.
    asks_again: bool,
    /// Whether the neighbour asked for the state without a base.
    is_asked: bool,
}

/// A state on its way to a neighbour.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, Hash)]
struct Outgoing {
    encoded: Vec<u8>,
    base: u32,
    asks_again: bool,
    told: usize,
}

/// A state on its way from a neighbour.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, Hash)]
struct Incoming {
    encoded: Vec<u8>,
    length: usize,
    /// What it is a patch on; nothing if that is not here.
    base: Option<Vec<u8>>,
}

/// What the first message of a state says besides.
struct Head {
    asks_again: bool,
    length: usize,
    base: u32,
}

/// Bytes of a counter: what a signed number up to twice the start takes.
pub fn width_of_counter(start: i64) -> usize {
    let bits = 64 - start.unsigned_abs().saturating_mul(2).leading_zeros() as usize + 1;
    bits.div_ceil(8).clamp(1, 8)
}

/// Bytes of tags: a bit for each element.
fn width_of_tags(fields: &Fields) -> usize {
    (fields.elements as usize).div_ceil(8)
}

/// Bytes of a label: whether it has a value, and the value.
const WIDTH_OF_LABEL: usize = 1 + 8;

/// Bytes of a stock.
const WIDTH_OF_STOCK: usize = 8;

/// Bytes of a record: whether it is there, its labels, and a bit for each element of its tags.
fn width_of_record(fields: &Fields) -> usize {
    1 + fields.record_labels as usize * WIDTH_OF_LABEL + (fields.record_elements as usize).div_ceil(8)
}

/// Bytes of a case: whether it is closed, and a bit for each item that is done. Nothing is refused where what is closed is what is shown.
fn width_of_case(fields: &Fields) -> usize {
    1 + (fields.case_items as usize).div_ceil(8)
}

/// Bytes of a register.
fn width_of(fields: &Fields, data: DataType) -> usize {
    match data {
        DataType::Counter => width_of_counter(fields.start),
        DataType::Stock => WIDTH_OF_STOCK,
        DataType::Tags => width_of_tags(fields),
        // Of a claim its holder is kept, and nobody else: who asks where it is held means nothing.
        DataType::Label | DataType::Claim => WIDTH_OF_LABEL,
        DataType::Record => width_of_record(fields),
        DataType::Case => width_of_case(fields),
        // No register of a fixed number of bytes holds one, and these engines carry none.
        DataType::Text => 0,
    }
}

/// Bytes of a state.
fn width_of_state(fields: &Fields) -> usize {
    DataType::ALL.into_iter().map(|data| fields.count(data) as usize * width_of(fields, data)).sum()
}

/// What a counter holds before any change: numbers up to a million, or up to the start if that is less. Every device was
/// delivered with them.
fn at_start(fields: &Fields, register: u32) -> i64 {
    let mut mixed = u64::from(register).wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ mixed >> 31) % MOST_AT_START.min(fields.start.unsigned_abs().max(1))) as i64
}

/// A state as bytes.
fn to_bytes(fields: &Fields, values: &[View]) -> Vec<u8> {
    let (of_counter, of_tags) = (width_of_counter(fields.start), width_of_tags(fields));
    let mut bytes = Vec::with_capacity(width_of_state(fields));
    for (register, view) in (0..).zip(values) {
        match view {
            View::Counter(number) => {
                let number = at_start(fields, register).wrapping_add(number.wrapping_sub(fields.start));
                bytes.extend_from_slice(&number.to_le_bytes()[..of_counter]);
            }
            View::Stock(left) => bytes.extend_from_slice(&left.to_le_bytes()),
            View::Tags(tags) => write_tags(tags, of_tags, &mut bytes),
            View::Label(values) => write_label(values, &mut bytes),
            View::Text(_) => {}
            View::Case(case) => {
                bytes.push(case.frozen().is_some().into());
                write_tags(&case.done, width_of_case(fields) - 1, &mut bytes);
            }
            View::Claim(claimed) => write_label(&claimed.holder.into_iter().collect(), &mut bytes),
            View::Record(record) => {
                let end = bytes.len() + width_of_record(fields);
                bytes.push(record.is_some().into());
                if let Some(record) = record {
                    record.labels.iter().for_each(|values| write_label(values, &mut bytes));
                    write_tags(&record.tags, end - bytes.len(), &mut bytes);
                }
                bytes.resize(end, 0);
            }
        }
    }
    bytes
}

/// Writes tags as so many bytes.
fn write_tags(tags: &BTreeSet<u32>, width: usize, bytes: &mut Vec<u8>) {
    let place = bytes.len();
    bytes.resize(place + width, 0);
    tags.iter().for_each(|&element| bytes[place + element as usize / 8] |= 1 << (element % 8));
}

/// Writes a label. It has one value at most: a write overwrites.
fn write_label(values: &BTreeSet<u64>, bytes: &mut Vec<u8>) {
    bytes.push(values.len().min(1) as u8);
    bytes.extend_from_slice(&values.first().copied().unwrap_or(0).to_le_bytes());
}

/// Reads tags of so many elements.
fn read_tags(value: &[u8], elements: u32) -> Result<BTreeSet<u32>, Malformed> {
    let is_set = |element: &u32| value[*element as usize / 8] >> (element % 8) & 1 == 1;
    let tags: BTreeSet<u32> = (0..8 * value.len() as u32).filter(is_set).collect();
    if tags.last().is_some_and(|&last| last >= elements) { Err(Malformed::Range("an element")) } else { Ok(tags) }
}

/// Reads a label.
fn read_label(value: &[u8]) -> Result<BTreeSet<u64>, Malformed> {
    let written = u64::from_le_bytes(value[1..].try_into().expect("a label is so wide"));
    match value[0] {
        0 if written == 0 => Ok(BTreeSet::new()),
        1 => Ok([written].into()),
        _ => Err(Malformed::Range("a label")),
    }
}

/// Reads a record.
fn read_record(fields: &Fields, value: &[u8]) -> Result<Option<Box<Record>>, Malformed> {
    let (labels, tags) = value[1..].split_at(fields.record_labels as usize * WIDTH_OF_LABEL);
    match value[0] {
        0 if value.iter().all(|&byte| byte == 0) => Ok(None),
        1 => {
            let labels = labels.chunks(WIDTH_OF_LABEL).map(read_label).collect::<Result<Vec<_>, Malformed>>()?;
            Ok(Some(Box::new(Record { labels, tags: read_tags(tags, fields.record_elements)? })))
        }
        _ => Err(Malformed::Range("a record")),
    }
}

/// The state of these bytes.
fn from_bytes(fields: &Fields, bytes: &[u8]) -> Result<Vec<View>, Malformed> {
    let mut rest = bytes;
    let mut values = Vec::with_capacity(fields.len() as usize);
    for register in 0..fields.len() {
        let width = width_of(fields, fields.of(register));
        let (value, after) = rest.split_at_checked(width).ok_or(Malformed::Short)?;
        rest = after;
        values.push(match fields.of(register) {
            DataType::Counter => {
                let mut number = [0; 8];
                number[..width].copy_from_slice(value);
                // The sign is that of the width: what wrapped there wraps here.
                let unused = 64 - 8 * width as u32;
                let change = i64::from_le_bytes(number).wrapping_sub(at_start(fields, register)) << unused >> unused;
                View::Counter(fields.start.wrapping_add(change))
            }
            DataType::Stock => View::Stock(i64::from_le_bytes(value.try_into().expect("a stock is so wide"))),
            DataType::Tags => View::Tags(read_tags(value, fields.elements)?),
            DataType::Label => View::Label(read_label(value)?),
            DataType::Record => View::Record(read_record(fields, value)?),
            DataType::Text => View::Text(Vec::new()),
            DataType::Case => {
                let stage = match value[0] {
                    0 => Stage::Open,
                    1 => Stage::Closed,
                    _ => return Err(Malformed::Range("a case")),
                };
                let done = read_tags(&value[1..], fields.case_items)?;
                View::Case(Box::new(Case { stage, done, ..Case::default() }))
            }
            DataType::Claim => {
                let holder = read_label(value)?.first().copied();
                View::Claim(Box::new(Claimed { holder, ..Claimed::default() }))
            }
        });
    }
    if rest.is_empty() { Ok(values) } else { Err(Malformed::Long) }
}

/// Compresses a state, as a patch on another where there is one. The frame goes without its magic number, its content size
/// and a checksum: the channel tells all of that.
fn compressed(state: &[u8], base: &[u8]) -> Vec<u8> {
    const MEMORY: &str = "memory takes every state";
    let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(Vec::new(), LEVEL, base).expect(MEMORY);
    encoder.include_contentsize(false).expect(MEMORY);
    encoder.include_checksum(false).expect(MEMORY);
    encoder.write_all(state).expect(MEMORY);
    encoder.finish().expect(MEMORY).split_off(MAGIC.len())
}

/// What [`compressed`] made of a state that has at most so many bytes.
fn decompressed(encoded: &[u8], base: &[u8], most: usize) -> Result<Vec<u8>, Malformed> {
    let bad = |_| Malformed::Range("a compressed state");
    let whole = MAGIC.chain(encoded);
    let decoder = zstd::stream::read::Decoder::with_ref_prefix(std::io::BufReader::new(whole), base).map_err(bad)?;
    let mut state = Vec::with_capacity(most);
    decoder.take(most as u64 + 1).read_to_end(&mut state).map_err(bad)?;
    Ok(state)
}

impl<const FORM: u8> WholeState<FORM> {
    fn encoded(state: &[u8], base: &[u8]) -> Vec<u8> {
        if FORM == PLAIN { state.to_vec() } else { compressed(state, base) }
    }

    fn decoded(fields: &Fields, encoded: &[u8], base: &[u8]) -> Result<Decoded, Malformed> {
        let most = || width_of_state(fields);
        let state = if FORM == PLAIN { encoded.to_vec() } else { decompressed(encoded, base, most())? };
        let values = from_bytes(fields, &state)?;
        Ok((state, values))
    }

    /// The state that both sides have by now, as far as this side knows.
    fn base(fields: &Fields, peer: &Peer) -> Vec<u8> {
        if FORM != PATCH || peer.is_asked {
            return Vec::new();
        }
        let newest = if peer.theirs_is_newer { peer.theirs.as_ref() } else { peer.ours.last() };
        newest.or(peer.theirs.as_ref()).cloned().unwrap_or_else(|| to_bytes(fields, &fields.starts()))
    }

    /// The state that a neighbour means.
    fn named(fields: &Fields, peer: &Peer, base: u32) -> Option<Vec<u8>> {
        let nothing = Vec::new();
        let starts = to_bytes(fields, &fields.starts());
        let known = peer.ours.iter().chain(&peer.theirs).chain([&nothing, &starts]);
        known.into_iter().find(|state| crc32fast::hash(state) == base).cloned()
    }

    /// What a message says: its place, what a first one says besides, and its part of the encoded state.
    fn read<'a>(about: &About, reader: &mut Reader<'a>) -> Result<(usize, Option<Head>, &'a [u8]), Malformed> {
        let place = reader.small("a place")? as usize;
        let head = match place {
            0 => {
                let asks_again = reader.at_most(1, "a request")? == 1;
                // A compressed state that does not shrink is a little longer than the state.
                let most = 1024 + 2 * width_of_state(&about.fields) as u64;
                let length = reader.at_most(most, "a length")? as usize;
                let base = match FORM {
                    PATCH => u32::from(reader.pair()?) | u32::from(reader.pair()?) << 16,
                    _ => crc32fast::hash(&[]),
                };
                Some(Head { asks_again, length, base })
            }
            _ => None,
        };
        let part = reader.rest();
        if part.is_empty() { Err(Malformed::Short) } else { Ok((place, head, part)) }
    }

    /// The incoming state with this message, and whether the neighbour wants this side's state again.
    fn with(about: &About, peer: &Peer, reader: &mut Reader) -> Result<(Incoming, bool), Malformed> {
        let (place, head, part) = Self::read(about, reader)?;
        let asks_again = head.as_ref().is_some_and(|head| head.asks_again);
        let mut incoming = match head {
            Some(Head { length, base, .. }) => {
                let base = Self::named(&about.fields, peer, base);
                Incoming { encoded: Vec::with_capacity(length), length, base }
            }
            None => peer.incoming.clone().filter(|incoming| incoming.encoded.len() == place).ok_or(OUT_OF_PLACE)?,
        };
        incoming.encoded.extend_from_slice(part);
        if incoming.encoded.len() > incoming.length { Err(Malformed::Long) } else { Ok((incoming, asks_again)) }
    }

    /// The state that came, with its bytes; nothing if more is to come, or if it is a patch on what is not here.
    fn whole(fields: &Fields, incoming: &Incoming) -> Result<Option<Decoded>, Malformed> {
        let is_whole = incoming.encoded.len() == incoming.length;
        let base = incoming.base.as_ref().filter(|_| is_whole);
        base.map(|base| Self::decoded(fields, &incoming.encoded, base)).transpose()
    }
}

/// A state as bytes, and what it shows.
type Decoded = (Vec<u8>, Vec<View>);

const OUT_OF_PLACE: Malformed = Malformed::Range("a place");

impl<const FORM: u8> Content for WholeState<FORM> {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.values = about.fields.starts();
    }

    fn meet(&self, about: &About, _before: Option<Peer>, _blank: bool) -> Peer {
        Peer { changes: self.values != about.fields.starts(), ..Peer::default() }
    }

    fn edit(&mut self, about: &About, peers: &mut Peers<Peer>, register: u32, intent: Intent) {
        if !data::is_meant(&self.values[register as usize], intent) {
            return;
        }
        data::apply(&about.fields, &mut self.values[register as usize], intent);
        peers.values_mut().for_each(|peer| peer.changes = true);
    }

    fn offer(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> Option<Round> {
        if peer.out.is_none() && std::mem::take(&mut peer.changes) {
            let state = to_bytes(&about.fields, &self.values);
            let base = Self::base(&about.fields, peer);
            let encoded = Self::encoded(&state, &base);
            let asks_again = std::mem::take(&mut peer.asks_again);
            peer.is_asked = false;
            if FORM == PATCH {
                peer.ours.push(state);
                let surplus = peer.ours.len().saturating_sub(KEPT);
                peer.ours.drain(..surplus);
            }
            peer.out = Some(Outgoing { encoded, base: crc32fast::hash(&base), asks_again, told: 0 });
        }
        let out = peer.out.as_mut().filter(|out| out.told < out.encoded.len())?;
        let begins = out.told == 0;
        writer.of(Kind::Addressing).number(out.told as u64);
        if begins {
            writer.of(Kind::Framing).byte(out.asks_again.into()).number(out.encoded.len() as u64);
            if FORM == PATCH {
                writer.of(Kind::Ids).raw(&out.base.to_le_bytes());
            }
        }
        let until = out.encoded.len().min(out.told + about.fragment.max(1));
        writer.of(Kind::Payload).raw(&out.encoded[out.told..until]);
        out.told = until;
        Some(Round { begins, ends: until == out.encoded.len() })
    }

    fn arrived(&mut self, peer: &mut Peer) {
        if peer.out.take_if(|out| out.told == out.encoded.len()).is_some() {
            peer.theirs_is_newer = false;
        }
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<bool, Malformed> {
        let unknown = Peer::default();
        let (incoming, asks_again) = Self::with(about, peers.get(&from).unwrap_or(&unknown), reader)?;
        let came = Self::whole(&about.fields, &incoming)?;
        let is_over = incoming.encoded.len() == incoming.length;
        let peer = peers.entry(from).or_default();
        if asks_again {
            (peer.changes, peer.is_asked) = (true, true);
        }
        if is_over && came.is_none() {
            (peer.changes, peer.asks_again) = (true, true);
        }
        peer.incoming = (!is_over).then_some(incoming);
        let Some((state, values)) = came else { return Ok(false) };
        if FORM == PATCH {
            (peer.theirs, peer.theirs_is_newer) = (Some(state), true);
        }
        let changes = values != self.values;
        if changes {
            self.values = values;
            peers.iter_mut().filter(|(peer, _)| **peer != from).for_each(|(_, peer)| peer.changes = true);
        }
        Ok(changes)
    }

    fn check(&self, about: &About, peers: &Peers<Peer>, from: NodeId, reader: &mut Reader) -> Result<(), Malformed> {
        let unknown = Peer::default();
        let (incoming, _) = Self::with(about, peers.get(&from).unwrap_or(&unknown), reader)?;
        Self::whole(&about.fields, &incoming).map(|_| ())
    }

    fn shows(&self, _about: &About) -> Vec<View> {
        self.values.clone()
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        u64::from(peer.changes || peer.out.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(start: i64) -> Fields {
        let of_records = Fields { records: 2, record_labels: 2, record_elements: 9, ..Fields::counters(5, start) };
        Fields { tags: 2, elements: 11, labels: 2, ..of_records }
    }

    #[test]
    fn a_counter_takes_the_bytes_that_twice_its_start_takes() {
        let widths = [0, 1, 32, 63, 64, 8192, 1 << 21, 1 << 29, 1 << 61].map(width_of_counter);
        assert_eq!(widths, [1, 1, 1, 1, 2, 2, 3, 4, 8]);
    }

    proptest! {
        #[test]
        fn a_state_is_its_registers_at_their_widths_and_is_read_back(
            changes in proptest::collection::vec(-1000..1000i64, 5),
            tags in proptest::collection::btree_set(0..11u32, 0..11),
        ) {
            let fields = fields(1 << 29);
            let counters = changes.iter().map(|change| View::Counter(fields.start + change));
            let others = [View::Tags(tags), View::Tags(BTreeSet::new()), View::Label([7].into()), View::Label([].into())];
            let record = Record { labels: vec![[3].into(), [4].into()], tags: [8].into() };
            let records = [View::Record(Some(Box::new(record))), View::Record(None)];
            let values: Vec<View> = counters.chain(others).chain(records).collect();
            let bytes = to_bytes(&fields, &values);
            prop_assert_eq!(bytes.len(), 5 * 4 + 2 * 2 + 2 * 9 + 2 * (1 + 2 * 9 + 2));
            prop_assert_eq!(from_bytes(&fields, &bytes), Ok(values));
        }

        #[test]
        fn any_bytes_are_a_state_or_an_error(bytes: Vec<u8>, base: Vec<u8>) {
            let _ = from_bytes(&fields(1 << 29), &bytes);
            let _ = decompressed(&bytes, &base, 100);
        }

        #[test]
        fn a_patch_on_a_state_gives_the_other(one: Vec<u8>, other: Vec<u8>) {
            let patch = compressed(&other, &one);
            prop_assert_eq!(decompressed(&patch, &one, other.len()), Ok(other));
        }
    }

    #[test]
    fn a_patch_on_a_state_that_differs_little_is_little() {
        let fields = Fields::counters(5000, 1 << 61);
        let before = fields.starts();
        let mut after = before.clone();
        after.iter_mut().step_by(49).for_each(|value| _ = data::apply(&fields, value, Intent::Increase(7)));
        let [before, after] = [before, after].map(|values| to_bytes(&fields, &values));
        let (plain, patch) = (compressed(&after, &[]).len(), compressed(&after, &before).len());
        assert_eq!(after.len(), 40_000);
        assert!((10_000..25_000).contains(&plain) && patch < 1000, "{plain} and {patch} bytes");
    }
}
