//! The record of a trial of codecs: bytes of a tick in every codec and engine, against the information bound, and what a
//! receiver makes of them.

use serde::{Deserialize, Serialize};

use crate::domain::codecs::{Arrival, Claims, Promise};
use crate::domain::evidence::Evidence;
use crate::domain::verdict::Verdict;

/// A trial of codecs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecsRecord {
    /// Registers of a replica.
    pub registers: u32,
    /// Of these, those that a tick changes.
    pub changed: u32,
    /// The largest amount of a narrow tick.
    pub most: u32,
    /// Ticks of each kind that every row was measured in.
    pub ticks: u32,
    /// Three ticks each, whose messages arrived once, twice, in another order, or never.
    pub histories: u32,
    /// The information bound of a narrow tick, in tenths of a byte, rounded.
    pub narrow_bound_tenths: u64,
    /// The information bound of a wide tick, in tenths of a byte, rounded.
    pub wide_bound_tenths: u64,
    /// Codecs, and then engines.
    pub rows: Vec<CodecRow>,
}

/// Whether a row is of a codec or an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// One message, on its own.
    Codec,
    /// An engine's message, over its own channel.
    Engine,
}

/// A codec or an engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecRow {
    /// Its name.
    pub name: String,
    /// What it is.
    pub of: Of,
    /// What it sends, in a line.
    pub about: String,
    /// How its numbers were got.
    pub evidence: Evidence,
    /// What a receiver must have.
    pub needs: String,
    /// Whether a receiver can decode it.
    pub decodable: bool,
    /// What it claims of how messages arrive.
    #[serde(default)]
    pub claims: Claims,
    /// Ticks of each kind that it was measured in.
    pub ticks: u32,
    /// Histories of three ticks whose messages arrived in every way.
    pub histories: u32,
    /// Bytes of narrow ticks.
    pub narrow: Sizes,
    /// Bytes of wide ticks; none of an engine that does not keep numbers of 64 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wide: Option<Sizes>,
    /// Wrong registers by how messages arrived; none where nothing can be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<WrongRegisters>,
    /// How an engine that others made failed by itself, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// What the judge says.
    pub verdict: Verdict,
}

/// Bytes of the messages of ticks of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// The smallest.
    pub smallest: u64,
    /// The median: half of the messages are not larger.
    pub median: u64,
    /// The largest.
    pub largest: u64,
    /// Of an engine: the median of all bytes of a connection both ways, with handshake and acknowledgements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<u64>,
}

/// Wrong registers at the receiver, the most of any tick or history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongRegisters {
    /// Each message arrives once, in order: after one tick, and after three.
    pub exact: Wrong,
    /// Each arrives twice.
    pub repeated: Wrong,
    /// The second arrives before the first.
    pub reordered: Wrong,
    /// The second never arrives. An engine may send it again.
    pub lost: Wrong,
    /// Two replicas changed registers at the same time, half of them the same.
    pub two_writers: Wrong,
    /// The connection ends once the second arrived, before anything that answers it. Of an engine alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_off: Option<Wrong>,
    /// The sender's store is set back to what it was before the second. Of an engine alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_back: Option<Wrong>,
}

/// Wrong registers in one kind of delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// How many are wrong.
    pub registers: u32,
    /// How many are wrong where the receiver noticed nothing: no message was refused, and no sequence number is missing.
    pub silent: u32,
    /// Elements of tags that are missing. Tags are tried with engines that carry them.
    #[serde(default, skip_serializing_if = "is_none")]
    pub lost: u32,
    /// Elements of tags that were removed, and are shown.
    #[serde(default, skip_serializing_if = "is_none")]
    pub resurrected: u32,
}

fn is_none(number: &u32) -> bool {
    *number == 0
}

impl WrongRegisters {
    /// This is wrong where messages arrive so, and nothing otherwise.
    pub fn where_they_arrive(arrival: Arrival, wrong: Wrong) -> Self {
        let mut all = WrongRegisters::default();
        match arrival {
            Arrival::Exact => all.exact = wrong,
            Arrival::Repeated => all.repeated = wrong,
            Arrival::Reordered => all.reordered = wrong,
            Arrival::Lost => all.lost = wrong,
            Arrival::TwoWriters => all.two_writers = wrong,
            Arrival::CutOff => all.cut_off = Some(wrong),
            Arrival::SetBack => all.set_back = Some(wrong),
        }
        all
    }

    /// What is wrong by how messages arrived; without what was not tried.
    pub fn by_arrival(&self) -> impl Iterator<Item = (Arrival, Wrong)> {
        let all = [
            (Arrival::Exact, Some(self.exact)),
            (Arrival::Repeated, Some(self.repeated)),
            (Arrival::Reordered, Some(self.reordered)),
            (Arrival::Lost, Some(self.lost)),
            (Arrival::TwoWriters, Some(self.two_writers)),
            (Arrival::CutOff, self.cut_off),
            (Arrival::SetBack, self.set_back),
        ];
        all.into_iter().filter_map(|(arrival, wrong)| Some((arrival, wrong?)))
    }
}

/// What is wrong, against what is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is wrong.
    Right,
    /// Something is wrong of which nothing is claimed.
    Beyond,
    /// Something is wrong that is claimed to be right, or to be noticed.
    Contradicts,
}

impl Wrong {
    /// Where this stands against what is claimed of messages that arrive so.
    pub fn standing(self, claims: Claims, arrival: Arrival) -> Standing {
        let is_noticed = self.registers > 0 && self.silent == 0;
        match claims.of(arrival) {
            _ if self.is_right() => Standing::Right,
            Promise::Nothing => Standing::Beyond,
            Promise::Noticed if is_noticed => Standing::Beyond,
            // A replica that refuses to go on after its store was set back shows nothing wrong: its user is told.
            Promise::Right if is_noticed && arrival == Arrival::SetBack => Standing::Beyond,
            Promise::Noticed | Promise::Right => Standing::Contradicts,
        }
    }

    /// Whether nothing is wrong.
    pub fn is_right(self) -> bool {
        (self.registers, self.lost, self.resurrected) == (0, 0, 0)
    }
}

impl CodecsRecord {
    /// The row of this name; of a codec and an engine of one name, the codec's.
    pub fn find(&self, name: &str) -> Option<&CodecRow> {
        self.rows.iter().find(|row| row.name == name)
    }
}
