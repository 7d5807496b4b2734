//! Codecs: how the changes of one tick become the bytes of one message, and what a receiver makes of them.
//!
//! A codec is one file here and one line in [`REGISTRY`]. [`frame`] is the project's own: its payload ([`payload`]) is
//! entropy-coded by integers alone ([`range_coder`]), so that it has the same bytes on every machine. The others are what
//! it is compared with: plain formats, compressors, patches, and what libraries and databases send.
//! [`sketch`] is for replicas that do not know what the other has.
//!
//! Knows: `domain`. Must not: know worlds, engines, or whether a message arrives.

mod bare_values;
mod bitmap;
mod bsdiff;
mod cbor;
pub mod frame;
mod full_state;
mod gap_values;
mod increments;
mod json;
mod operations;
pub mod payload;
mod postcard;
pub mod range_coder;
pub mod receiver;
mod rsync;
pub mod sketch;
mod sqlite;
#[cfg(test)]
mod tests;
pub mod varint;
mod zstd;

pub use receiver::Receiver;

/// Who sends: a client, in one of its incarnations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replica {
    /// The client.
    pub client: u32,
    /// Which of its starts.
    pub incarnation: u32,
}

/// One tick of one replica: its registers before and after.
#[derive(Clone, Copy, Debug)]
pub struct Tick<'a> {
    /// Who made it.
    pub from: Replica,
    /// Which of its ticks it is, from 1.
    pub sequence: u64,
    /// The registers before it.
    pub old: &'a [i64],
    /// The registers after it, as many.
    pub new: &'a [i64],
}

/// What a tick makes of one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The register.
    pub register: u32,
    /// Its value before.
    pub old: i64,
    /// Its value after.
    pub new: i64,
}

impl Change {
    /// By how much it grew; it wraps as a register does.
    pub fn amount(self) -> i64 {
        self.new.wrapping_sub(self.old)
    }
}

impl Tick<'_> {
    /// The registers that change, ascending.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        let both = self.old.iter().zip(self.new);
        let all = (0..).zip(both).map(|(register, (&old, &new))| Change { register, old, new });
        all.filter(|change| change.old != change.new)
    }

    /// How many registers change.
    pub fn changed(&self) -> usize {
        self.changes().count()
    }
}

/// What a receiver must have, besides the message, for the message to come out right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// Its own registers: some are overwritten, or added to.
    Registers,
    /// Its own registers, and what it took of every replica.
    Sequences,
    /// Exactly the registers that the sender had before the tick.
    OldState,
    /// What is not in the message, and nothing else tells.
    NotSent,
}

impl Needs {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Needs::Nothing => "nothing",
            Needs::Registers => "its registers",
            Needs::Sequences => "its registers, and the sequences that it took",
            Needs::OldState => "the sender's old state",
            Needs::NotSent => "what no message tells",
        }
    }
}

/// Why a receiver does not take a message. It is then as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It ends too early.
    #[error("the message ends too early")]
    Short,
    /// It goes on after its end.
    #[error("the message has bytes after its end")]
    Long,
    /// It is not as it was sent.
    #[error("the checksum does not fit the message")]
    Checksum,
    /// It is of another format or version.
    #[error("the message is of another format, or of another version of it")]
    Format,
    /// A field has a value that its place does not allow.
    #[error("{0} is out of its range")]
    Range(&'static str),
    /// It is a patch on another state.
    #[error("the message is a patch on another state than the receiver's")]
    OldState,
    /// Some of it was taken before, and some was not.
    #[error("the message repeats a part of what was taken before")]
    Overlap,
    /// No receiver can decode it.
    #[error("no receiver can decode the message")]
    Undecodable,
}

/// A codec.
pub trait Codec: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// What it sends, in a line.
    fn about(&self) -> &'static str;

    /// What a receiver must have.
    fn needs(&self) -> Needs;

    /// What a receiver sends first, where it does: these bytes count too.
    fn asks(&self, _registers: &[i64]) -> Vec<u8> {
        Vec::new()
    }

    /// The message of a tick, to a receiver that asked so.
    fn encode(&self, tick: &Tick, asked: &[u8]) -> Vec<u8>;

    /// What a receiver makes of a message: all of it, or, where it is refused, nothing.
    ///
    /// # Errors
    /// If it does not take the message.
    fn receive(&self, receiver: &mut Receiver, message: &[u8]) -> Result<(), Refused>;
}

/// All codecs, in the order of the table.
pub const REGISTRY: &[&dyn Codec] = &[
    &bare_values::BareValues,
    &bitmap::Bitmap,
    &gap_values::GapValues,
    &increments::Increments,
    &frame::Framed,
    &full_state::FullState,
    &zstd::Whole { name: "zstd-3", level: 3 },
    &zstd::Whole { name: "zstd-19", level: 19 },
    &zstd::Patch,
    &bsdiff::Bsdiff,
    &rsync::Rsync,
    &json::Outbox,
    &json::Gzipped,
    &cbor::Cbor,
    &postcard::Postcard,
    &sqlite::Changeset,
    &sqlite::Patchset,
];

/// What a message of changes is compared with: the whole state, the whole state compressed, and a patch on what the receiver has.
pub const COMPARED: [&dyn Codec; 3] = [&full_state::FullState, &zstd::Whole { name: "zstd-3", level: 3 }, &zstd::Patch];

/// The registers of bytes that hold so many, 8 bytes each.
fn from_words(bytes: &[u8], registers: usize) -> Result<Vec<i64>, Refused> {
    let (words, rest) = bytes.as_chunks::<8>();
    match words.len().cmp(&registers) {
        std::cmp::Ordering::Less => Err(Refused::Short),
        std::cmp::Ordering::Equal if rest.is_empty() => {
            Ok(words.iter().map(|&word| i64::from_le_bytes(word)).collect())
        }
        _ => Err(Refused::Long),
    }
}

/// Registers as bytes, 8 each, the lowest first.
fn to_words(registers: &[i64]) -> Vec<u8> {
    registers.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// What goes before a patch: a CRC-32 of the sender's old state and then its new one. A patch alone does not name the state
/// that it is for: where it copies nothing from it, it fits any.
fn checksum_of_patch(old: &[u8], new: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(old);
    hasher.update(new);
    hasher.finalize().to_le_bytes()
}
