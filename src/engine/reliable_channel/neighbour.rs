//! What a node keeps of each neighbour for ever: which store it met there, what was delivered to it and taken from it, and
//! the message on its way.
//!
//! Messages to a neighbour are numbered, and each is delivered once, in order, over however many connections: who opens the handshake
//! tells its store and how much of the other's it took. One that lost its store, or was set back, is met anew.
//! Knows: numbers. Must not: know what a message says.

use serde::{Deserialize, Serialize};

use crate::domain::traffic::{Kind, Traffic};
use crate::engine::wire::{Frame, Malformed, Reader, Writer};

/// A message that is not known to have arrived.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Flying {
    pub content: Vec<u8>,
    pub traffic: Traffic,
    /// Whether a round ends with it.
    pub ends: bool,
}

/// What is kept of a neighbour.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Neighbour {
    /// Its store.
    pub store: u32,
    /// Messages that arrived there; what flies is the one after them.
    pub delivered: u64,
    /// Messages that were taken from there.
    pub taken: u64,
    pub flying: Option<Flying>,
    /// What was given when it was met anew last, until it answers: it may not have heard that it is to meet this one anew.
    pub unheard: Option<u64>,
}

/// Whom a node met at a neighbour before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Hash)]
pub enum Knows {
    Nobody,
    Another,
    You,
}

impl Knows {
    /// Whom who met this store met, for one that has another or the same.
    pub fn of(met: u32, yours: u32) -> Self {
        match met {
            0 => Knows::Nobody,
            met if met == yours => Knows::You,
            _ => Knows::Another,
        }
    }
}

/// What a node tells of itself when it is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Hash)]
pub struct Handshake {
    /// Its store.
    pub store: u32,
    /// Whom it met at the other.
    pub knows: Knows,
    /// How many messages it took from there, and how many it gave away, one of which may not have arrived.
    pub taken: u64,
    pub gave: u64,
}

/// The highest number of a message.
const MOST: u64 = u64::MAX >> 4;

impl Handshake {
    /// Reads one that opens a connection, by one that has this store: its store, the one that it met, and the number.
    pub fn read(reader: &mut Reader, mine: u32) -> Result<Self, Malformed> {
        let (store, met) = (read_store(reader)?, reader.small("a store")?);
        let [taken, gave] = [read_count(reader)?, read_count(reader)?];
        Ok(Handshake { store, knows: Knows::of(met, mine), taken, gave })
    }

    /// Writes it as an answer to one that tells whom the other met: a store that it met is not told again.
    pub fn write_answer(self, to: Handshake, writer: &mut Writer) {
        let (knows, is_known) = (self.knows as u64, to.knows == Knows::You);
        writer.of(Kind::Ids).number(self.taken << 3 | knows << 1 | u64::from(is_known)).number(self.gave);
        if !is_known {
            writer.number(self.store.into());
        }
    }

    /// Reads an answer, by one that met this store there.
    pub fn read_answer(reader: &mut Reader, met: u32) -> Result<Self, Malformed> {
        let (told, gave) = (reader.number()?, read_count(reader)?);
        let knows = [Knows::Nobody, Knows::Another, Knows::You];
        let knows = *knows.get((told >> 1 & 3) as usize).ok_or(Malformed::Range("whom it met"))?;
        let store = match (told & 1, met) {
            (1, 0) => return Err(Malformed::Range("a store")),
            (1, met) => met,
            _ => read_store(reader)?,
        };
        Ok(Handshake { store, knows, taken: told >> 3, gave })
    }
}

fn read_count(reader: &mut Reader) -> Result<u64, Malformed> {
    reader.at_most(MOST, "a number of messages")
}

fn read_store(reader: &mut Reader) -> Result<u32, Malformed> {
    Some(reader.small("a store")?).filter(|&store| store > 0).ok_or(Malformed::Range("a store"))
}

/// What a handshake says about what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meeting {
    /// Both know what the other has.
    Again,
    /// The same, and what was on its way has arrived.
    Arrived,
    /// One of the two has lost its store, was set back or is another device, or they never met.
    Anew,
}

impl Neighbour {
    /// Hears a handshake.
    pub fn met(&mut self, handshake: Handshake) -> Meeting {
        let knows_this = handshake.knows == Knows::You;
        // Who heard of this node, and was not heard again, has nothing from it yet.
        let knew = knows_this || handshake.knows == Knows::Nobody && self.delivered == 0;
        // One that was set back does not know what it gave.
        let same = handshake.store == self.store && knew && self.taken <= handshake.gave;
        if same && handshake.taken == self.delivered {
            return Meeting::Again;
        }
        if same && self.flying.is_some() && handshake.taken == self.delivered + 1 {
            (self.delivered, self.flying) = (handshake.taken, None);
            return Meeting::Arrived;
        }
        // Numbers go on from where the other is, so that no two messages ever have the same.
        let delivered = if knows_this { handshake.taken } else { 0 };
        // A store that is new to this one was given nothing, whatever it took: it took that before this one was set back.
        let gave = if handshake.store == self.store { self.gave() } else { 0 };
        *self = Neighbour {
            unheard: Some(gave).filter(|&gave| gave != delivered),
            store: handshake.store,
            delivered,
            taken: self.taken_of(handshake.store),
            flying: None,
        };
        Meeting::Anew
    }

    /// Messages that were given away, with the one that flies.
    pub fn gave(&self) -> u64 {
        self.unheard.unwrap_or(self.delivered + u64::from(self.flying.is_some()))
    }

    /// Messages taken from a store at this neighbour.
    pub fn taken_of(&self, store: u32) -> u64 {
        if store == self.store { self.taken } else { 0 }
    }

    /// What is on its way as a message, what it carries, and its number.
    pub fn frame(&self, tag: u8, to: u16) -> Option<(Frame, Traffic, u64)> {
        let (number, flying) = (self.delivered + 1, self.flying.as_ref()?);
        let mut writer = Writer::tagged(tag);
        writer.of(Kind::Ids).raw(&to.to_le_bytes()).number(number).of(Kind::Payload).raw(&flying.content);
        let (frame, mut traffic) = writer.seal();
        traffic.payload = 0;
        traffic += flying.traffic;
        Some((frame, traffic, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(flies: bool) -> Neighbour {
        let flying = Flying { content: vec![7; 9], traffic: Traffic { payload: 9, ..Traffic::default() }, ends: true };
        Neighbour { store: 50, delivered: 3, taken: 8, flying: flies.then_some(flying), unheard: None }
    }

    #[test]
    fn who_has_what_was_delivered_is_met_again_and_everyone_else_anew() {
        let met = |flies, store, knows, taken| {
            let mut neighbour = known(flies);
            let meeting = neighbour.met(Handshake { store, knows: Knows::of(knows, 40), taken, gave: 8 });
            (meeting, neighbour.delivered, neighbour.taken, neighbour.flying.is_some())
        };
        assert_eq!(met(true, 50, 40, 3), (Meeting::Again, 3, 8, true));
        assert_eq!(met(true, 50, 40, 4), (Meeting::Arrived, 4, 8, false));
        // It lost its store; it is another device that met this one; it was set back; this one was.
        assert_eq!(met(true, 51, 0, 0), (Meeting::Anew, 0, 0, false));
        assert_eq!(met(true, 51, 40, 2), (Meeting::Anew, 2, 0, false));
        assert_eq!(met(true, 50, 40, 2), (Meeting::Anew, 2, 8, false));
        assert_eq!(met(false, 50, 40, 4), (Meeting::Anew, 4, 8, false));
        // This one lost its store.
        assert_eq!(met(true, 50, 41, 3), (Meeting::Anew, 0, 8, false));
        // It was set back, and took nothing from here since.
        let back = Handshake { store: 50, knows: Knows::You, taken: 3, gave: 7 };
        assert_eq!(known(false).met(back), Meeting::Anew);
        // It never learned that it was met.
        let unheard = Handshake { store: 50, knows: Knows::Nobody, taken: 0, gave: 8 };
        assert_eq!(Neighbour { delivered: 0, ..known(true) }.met(unheard), Meeting::Again);
    }

    #[test]
    fn who_was_set_back_tells_so_until_it_is_answered() {
        let mut neighbour = known(false);
        let ahead = Handshake { store: 50, knows: Knows::You, taken: 9, gave: 8 };
        assert_eq!((neighbour.met(ahead), neighbour.delivered, neighbour.gave()), (Meeting::Anew, 9, 3));
        assert_eq!((neighbour.met(ahead), neighbour.gave()), (Meeting::Again, 3), "the connection broke");
        neighbour.unheard = None;
        assert_eq!(neighbour.gave(), 9);
        // It was set back to before it met the other.
        let mut neighbour = Neighbour::default();
        assert_eq!((neighbour.met(ahead), neighbour.delivered, neighbour.gave()), (Meeting::Anew, 9, 0));
    }

    #[test]
    fn an_answer_tells_no_store_to_who_met_it() {
        let [mine, theirs] = [300, 50];
        for (knows, bytes) in [(Knows::Nobody, 4), (Knows::Another, 4), (Knows::You, 2)] {
            let handshake = Handshake { store: theirs, knows, taken: 2, gave: 3 };
            for back in [Knows::Nobody, Knows::Another, Knows::You] {
                let (answer, mut writer) = (Handshake { store: mine, knows: back, taken: 9, gave: 4 }, Writer::bare());
                answer.write_answer(handshake, &mut writer);
                assert_eq!(writer.len(), bytes);
                let met = if knows == Knows::You { mine } else { 7 };
                assert_eq!(Handshake::read_answer(&mut Reader::bare(&writer.into_bytes()), met), Ok(answer));
            }
        }
    }
}
