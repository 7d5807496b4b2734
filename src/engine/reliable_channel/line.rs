//! A connection to a neighbour, in memory: who is there, what was said last, and when it is said again.
//!
//! Knows: one connection. Must not: send anything.

use crate::engine::host::Time;
use crate::engine::reliable_channel::neighbour::Handshake;
use crate::engine::wire::Frame;

/// What waits for an answer in a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Awaits {
    Nothing,
    Welcome,
    Heard,
    Arrival,
}

/// A handshake that came, what was told as one's own two bytes in answer, and the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Heard {
    pub mine: u16,
    pub theirs: u16,
    pub handshake: Handshake,
}

/// A connection to a neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Line {
    /// Whether this side opens the handshake: a child does, and of two peers the one with the lower number. It also speaks first: what a
    /// child has goes up before what its parent has comes down.
    pub opens: bool,
    /// The two bytes with which messages to this side begin.
    pub mine: u16,
    /// Those of the other, once it is known to be there.
    pub theirs: Option<u16>,
    pub heard: Vec<Heard>,
    pub awaits: Awaits,
    /// What was said last: kept for a mutant alone, as what is said again is made again.
    pub said: Option<Frame>,
    pub ends: bool,
    pub attempts: u32,
    pub due: Option<Time>,
}

impl Line {
    /// A connection on which nothing was said yet.
    pub fn new(opens: bool, mine: u16) -> Self {
        let (awaits, heard) = (Awaits::Nothing, Vec::new());
        Line { opens, mine, theirs: None, heard, awaits, said: None, ends: false, attempts: 0, due: None }
    }
}
