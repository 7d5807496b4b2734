//! Bytes that replicas exchange, by what they are for.

use serde::{Deserialize, Serialize};

/// What a byte of a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The changes themselves.
    Payload,
    /// Which registers they belong to.
    Addressing,
    /// What kind of message it is, where its parts end, and whether it is whole.
    Framing,
    /// Whose operations they are, which, and the cursors that tell what is lacking.
    Ids,
    /// What tells a sender that its message arrived.
    Acks,
}

/// Bytes by kind. A message that is sent again counts as retransmission alone, whatever it carries, and whichever
/// connection its bytes went over before. What counts is what was put on the line: of a message that a connection's end cut
/// off, the bytes until then; the others count when they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// The changes themselves.
    pub payload: u64,
    /// Which registers they belong to.
    pub addressing: u64,
    /// Kinds of message, lengths, checksums.
    pub framing: u64,
    /// Operation ids, cursors.
    pub ids: u64,
    /// Acknowledgements.
    pub acks: u64,
    /// All bytes of messages that were sent again.
    pub retransmission: u64,
}

impl Traffic {
    /// All bytes.
    pub fn total(&self) -> u64 {
        self.payload + self.addressing + self.framing + self.ids + self.acks + self.retransmission
    }

    /// The same bytes, sent again.
    pub fn again(&self) -> Traffic {
        Traffic { retransmission: self.total(), ..Traffic::default() }
    }

    /// Takes the first so many bytes out of it: those of a message are framing, ids, addressing, payload and
    /// acknowledgements in this order.
    pub fn draw(&mut self, mut bytes: u64) -> Traffic {
        let mut drawn = Traffic::default();
        let kinds = [
            (&mut self.framing, &mut drawn.framing),
            (&mut self.ids, &mut drawn.ids),
            (&mut self.addressing, &mut drawn.addressing),
            (&mut self.payload, &mut drawn.payload),
            (&mut self.acks, &mut drawn.acks),
            (&mut self.retransmission, &mut drawn.retransmission),
        ];
        for (left, taken) in kinds {
            *taken = bytes.min(*left);
            *left -= *taken;
            bytes -= *taken;
        }
        drawn
    }

    /// Counts so many more bytes of a kind.
    pub fn count(&mut self, kind: Kind, bytes: u64) {
        *match kind {
            Kind::Payload => &mut self.payload,
            Kind::Addressing => &mut self.addressing,
            Kind::Framing => &mut self.framing,
            Kind::Ids => &mut self.ids,
            Kind::Acks => &mut self.acks,
        } += bytes;
    }
}

impl std::ops::AddAssign for Traffic {
    fn add_assign(&mut self, other: Traffic) {
        self.payload += other.payload;
        self.addressing += other.addressing;
        self.framing += other.framing;
        self.ids += other.ids;
        self.acks += other.acks;
        self.retransmission += other.retransmission;
    }
}

impl std::ops::SubAssign for Traffic {
    fn sub_assign(&mut self, other: Traffic) {
        self.payload -= other.payload;
        self.addressing -= other.addressing;
        self.framing -= other.framing;
        self.ids -= other.ids;
        self.acks -= other.acks;
        self.retransmission -= other.retransmission;
    }
}
