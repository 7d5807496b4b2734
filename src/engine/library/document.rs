//! What a library is to the node that keeps it: a document with registers, and a sync protocol.

use crate::data::text;
use crate::domain::data::{Fields, Intent, View};
use crate::domain::letter::Letter;
use crate::domain::traffic::Kind;

/// What a document says to a neighbour: one message of the library's own sync protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The library's bytes.
    pub bytes: Vec<u8>,
    /// What they are for. Bytes of a library cannot be split: a message that carries changes is payload as a whole, and one
    /// that tells versions is ids.
    pub kind: Kind,
    /// Whether who has taken this message, and all before it, has all that is in the document now.
    pub brings_all: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The document is another than before.
    Changes,
    /// It is the same.
    Nothing,
}

/// Why a library did not do what it was asked: in its own words.
pub type Refused = String;

/// A library with a mapping. Any call may panic.
pub trait Document: Send + Sync + Sized + 'static {
    /// What it keeps of a neighbour while the two are connected.
    type Session: Default + Send + Sync;

    /// The document with which every replica starts, in the hands of a replica with this id. A library takes as many bits of
    /// the id as its users' replicas have.
    fn begin(fields: &Fields, id: u128) -> Self;

    /// Takes what [`Document::save`] or [`Document::changes`] gave.
    fn load(&mut self, saved: &[u8]) -> Result<(), Refused>;

    /// The whole document.
    fn save(&mut self) -> Vec<u8>;

    /// What came into the document since this was asked last, or since it was loaded: for the store, and for neighbours.
    fn changes(&mut self) -> Vec<u8>;

    /// Its user edits.
    fn edit(&mut self, register: u32, intent: Intent) -> Result<(), Refused>;

    /// What a register shows.
    fn show(&self, register: u32) -> View;

    /// What it says next, as far as it knows the neighbour; nothing if it has nothing to say now. It is called again once
    /// the message before has arrived.
    fn say(&mut self, session: &mut Self::Session) -> Option<Said>;

    /// The neighbour said this. What it refuses changes nothing.
    fn hear(&mut self, session: &mut Self::Session, said: &[u8]) -> Result<Heard, Refused>;

    /// These changes ([`Document::changes`]) came into the document, and not from this neighbour.
    fn note(&self, _session: &mut Self::Session, _changes: &[u8]) {}

    /// Whether the neighbour has all that is in the document, as far as it has said.
    fn has_all(&mut self, session: &mut Self::Session) -> bool;
}

/// What a keystroke does to a text. Libraries count in units of their own: these are the strings to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keystroke {
    /// What stands before the place.
    pub before: String,
    /// What is erased there.
    pub erased: String,
    /// What is typed there.
    pub typed: String,
}

/// What an intent does to a text that is shown; nothing where it means nothing.
pub fn keystroke(shown: &str, intent: Intent) -> Option<Keystroke> {
    let shown = Letter::all_of(shown);
    let (place, erased, typed) = match intent {
        Intent::Type { after, letter } => (text::place(&shown, after), String::new(), Letter::text(&[letter])),
        Intent::Erase(letter) => {
            let place = shown.iter().position(|&of| of == letter)?;
            (place, Letter::text(&[letter]), String::new())
        }
        _ => return None,
    };
    Some(Keystroke { before: Letter::text(&shown[..place]), erased, typed })
}

/// What a counter of a mapping shows, if its changes come to this.
pub fn counter(fields: &Fields, sum: i64) -> View {
    View::Counter(fields.start.wrapping_add(sum))
}
