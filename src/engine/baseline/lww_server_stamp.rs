//! The last write to arrive at the hub wins: the hub numbers writes as they arrive, and everyone takes the one with the
//! largest number. No clock of a writer is asked.
//!
//! A write that the hub has not numbered yet is shown at its writer alone, and over whatever arrives there: it will get a
//! larger number. It is sent with an id. The hub remembers the last id of each writer and label, so that a write which is sent
//! again gets no second number, by which it would win over those whose writers had seen it.
//!
//! | field | kind |
//! |---|---|
//! | number of labels | addressing |
//! | each: gap to the label before | addressing |
//! | to the hub: the writer and the number of the write | id |
//! | from the hub: the number of the write that it has, and that of the receiver's last write that it has numbered, or 0 | id |
//! | value | payload |

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::data::{Intent, Value, View};
use crate::domain::traffic::Kind;
use crate::engine::host::{NodeId, Round};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::reliable_channel::pending::PendingChanges;
use crate::engine::vector::Actor;
use crate::engine::wire::{Malformed, Reader, Writer, length};

/// The id of a write.
type Id = (Actor, u64);

/// One label.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
struct Label {
    /// The write that won so far: its number, and the value.
    numbered: Option<(u64, Value)>,
    /// What this device's user wrote since, and the hub has not numbered, as far as is known here.
    own: Option<(Id, Value)>,
    /// At the hub, the last write of each writer that was numbered.
    last_of: BTreeMap<Actor, u64>,
}

/// All labels.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct ServerStamp {
    labels: Vec<Label>,
    /// At the hub, how many writes were numbered.
    arrived: u64,
    actor: Actor,
    made: u64,
}

/// The labels that a neighbour does not have as they are, and the last write of each label that came from it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct Peer {
    changes: PendingChanges<u32>,
    came: BTreeMap<u32, Id>,
}

/// What a message says of a label.
struct Told {
    register: u32,
    id: Id,
    number: u64,
    value: Value,
}

impl Content for ServerStamp {
    type Peer = Peer;

    fn begin(&mut self, about: &About) {
        self.labels = vec![Label::default(); about.fields.len() as usize];
    }

    fn meet(&self, about: &About, before: Option<Peer>, _blank: bool) -> Peer {
        let is_told = |label: &Label| if about.serves { label.numbered.is_some() } else { label.own.is_some() };
        let told = (0..).zip(&self.labels).filter(|(_, label)| is_told(label)).map(|(register, _)| register);
        Peer { changes: PendingChanges::of(told), came: before.unwrap_or_default().came }
    }

    fn edit(&mut self, about: &About, peers: &mut Peers<Peer>, register: u32, intent: Intent) {
        let Intent::Write(value) = intent else { return };
        if self.actor != about.actor {
            (self.actor, self.made) = (about.actor, 0);
        }
        self.made += 1;
        self.labels[register as usize].own = Some(((self.actor, self.made), value));
        peers.values_mut().for_each(|peer| peer.changes.insert(register));
    }

    fn offer(&mut self, about: &About, peer: &mut Peer, writer: &mut Writer) -> Option<Round> {
        let weighs = |label: &Label| {
            let value =
                if about.serves { label.numbered.map(|(_, value)| value) } else { label.own.map(|(_, value)| value) };
            12 + length(value.unwrap_or(0))
        };
        let round = peer.changes.take_off(about.fragment, |&register| weighs(&self.labels[register as usize]))?;
        // What the hub has numbered meanwhile is no write of this device any more.
        let is_told = |&&register: &&u32| about.serves || self.labels[register as usize].own.is_some();
        let told: Vec<u32> = peer.changes.flying().iter().filter(is_told).copied().collect();
        writer.of(Kind::Addressing).number(told.len() as u64);
        let mut next = 0;
        for register in told {
            let label = &self.labels[register as usize];
            writer.of(Kind::Addressing).number(u64::from(register - next));
            next = register + 1;
            let value = if about.serves {
                let (number, value) = label.numbered.unwrap_or_default();
                writer.of(Kind::Ids).number(number);
                match peer.came.get(&register) {
                    Some((actor, of_theirs)) => {
                        writer.number(*of_theirs);
                        actor.write(writer);
                    }
                    None => _ = writer.number(0),
                }
                value
            } else {
                let ((actor, number), value) = label.own.unwrap_or_default();
                actor.write(writer.of(Kind::Ids));
                writer.number(number);
                value
            };
            writer.of(Kind::Payload).number(value);
        }
        Some(round)
    }

    fn arrived(&mut self, peer: &mut Peer) {
        peer.changes.arrived();
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<Peer>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<bool, Malformed> {
        let mut told = Vec::new();
        let mut next = 0u64;
        for _ in 0..reader.count("a number of labels")? {
            let register = reader.register(&mut next, about.fields.len())?;
            let (id, number) = if about.serves {
                ((Actor::read(reader)?, reader.number()?), 0)
            } else {
                let (number, of_mine) = (reader.number()?, reader.number()?);
                let actor = if of_mine > 0 { Actor::read(reader)? } else { Actor::default() };
                ((actor, of_mine), number)
            };
            told.push(Told { register, id, number, value: reader.number()? });
        }
        reader.end()?;
        for told in told {
            match about.serves {
                true => self.number(peers, from, &told),
                false => self.learn(&told),
            }
        }
        Ok(true)
    }

    fn shows(&self, _about: &About) -> Vec<View> {
        let value = |label: &Label| label.own.map(|(_, value)| value).or(label.numbered.map(|(_, value)| value));
        self.labels.iter().map(|label| View::Label(value(label).into_iter().collect())).collect()
    }

    fn waiting(&self, peer: &Peer) -> u64 {
        peer.changes.len() as u64
    }
}

impl ServerStamp {
    /// A write arrives at the hub: it gets a number, unless it has one. Its writer is told in any case.
    fn number(&mut self, peers: &mut Peers<Peer>, from: NodeId, told: &Told) {
        let Told { register, id, value, .. } = *told;
        let label = &mut self.labels[register as usize];
        let last = label.last_of.entry(id.0).or_default();
        let is_new = id.1 > *last;
        if is_new {
            *last = id.1;
            self.arrived += 1;
            label.numbered = Some((self.arrived, value));
        }
        for (&number, peer) in peers.iter_mut() {
            if number == from {
                peer.came.insert(register, id);
            }
            if number == from || is_new {
                peer.changes.insert(register);
            }
        }
    }

    /// A device learns what the hub has numbered.
    fn learn(&mut self, told: &Told) {
        let label = &mut self.labels[told.register as usize];
        if told.number > label.numbered.map_or(0, |(number, _)| number) {
            label.numbered = Some((told.number, told.value));
        }
        // Its own write is numbered, and what the hub has is this write or a later one.
        label.own.take_if(|(id, _)| id.0 == told.id.0 && id.1 <= told.id.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Fields;

    const HUB: NodeId = 2;

    /// A node, and what it keeps about its neighbours.
    struct Node {
        about: About,
        content: ServerStamp,
        peers: Peers<Peer>,
    }

    fn node(number: NodeId) -> Node {
        let about = About {
            actor: Actor { client: number, incarnation: 1 },
            store: 1,
            fields: Fields { labels: 1, ..Fields::default() },
            wall: 0,
            fragment: 4096,
            serves: number == HUB,
            is_root: number == HUB,
            mutant: None,
        };
        let neighbours = if number == HUB { vec![0, 1] } else { vec![HUB] };
        let peers = neighbours.into_iter().map(|peer| (peer, Peer::default())).collect();
        let mut content = ServerStamp::default();
        content.begin(&about);
        Node { about, content, peers }
    }

    impl Node {
        fn writes(&mut self, value: Value) {
            self.content.edit(&self.about, &mut self.peers, 0, Intent::Write(value));
        }

        fn offers(&mut self, to: NodeId) -> Vec<u8> {
            let (mut writer, peer) = (Writer::bare(), self.peers.get_mut(&to).expect("a neighbour"));
            assert!(self.content.offer(&self.about, peer, &mut writer).is_some(), "something is pending");
            self.content.arrived(peer);
            writer.into_bytes()
        }

        fn takes(&mut self, from: NodeId, bytes: &[u8]) {
            self.content.take(&self.about, &mut self.peers, from, &mut Reader::bare(bytes)).expect("it was written");
        }

        fn shows(&self) -> Vec<View> {
            self.content.shows(&self.about)
        }
    }

    #[test]
    fn the_last_to_arrive_wins_and_a_write_that_is_sent_again_is_no_later_one() {
        let [mut one, mut other, mut hub] = [0, 1, HUB].map(node);
        one.writes(7);
        let sent = one.offers(HUB);
        hub.takes(0, &sent);
        let told = hub.offers(1);
        other.takes(HUB, &told);
        assert_eq!(other.shows(), [View::Label([7].into())]);
        // Who has seen it writes again, and then the first comes once more.
        other.writes(8);
        let written = other.offers(HUB);
        hub.takes(1, &written);
        hub.takes(0, &sent);
        assert_eq!(hub.shows(), [View::Label([8].into())]);
        assert_eq!(one.shows(), [View::Label([7].into())], "the hub has not told it anything");
        let told = hub.offers(0);
        one.takes(HUB, &told);
        assert_eq!(one.shows(), [View::Label([8].into())]);
    }

    #[test]
    fn what_is_not_numbered_yet_stays_shown_at_its_writer_whatever_arrives() {
        let [mut one, mut other, mut hub] = [0, 1, HUB].map(node);
        one.writes(7);
        let sent = one.offers(HUB);
        hub.takes(0, &sent);
        other.writes(8);
        let told = hub.offers(1);
        other.takes(HUB, &told);
        assert_eq!(other.shows(), [View::Label([8].into())]);
        let written = other.offers(HUB);
        hub.takes(1, &written);
        let told = hub.offers(1);
        other.takes(HUB, &told);
        assert_eq!([hub.shows(), other.shows()], [[View::Label([8].into())], [View::Label([8].into())]]);
    }
}
