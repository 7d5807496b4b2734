//! Messages that wait for their acknowledgement, and long ones in fragments: what of them is sent, what the other has, and
//! what of their bytes is counted.
//!
//! Knows: one message at a time. Must not: know what it says.

use crate::domain::traffic::Traffic;
use crate::engine::delta_summary::Replica;
use crate::engine::delta_summary::log::Delta;
use crate::engine::delta_summary::message::{Body, Message};
use crate::engine::delta_summary::mutant::Mutant;
use crate::engine::delta_summary::session::What;
use crate::engine::delta_summary::state::Entry;
use crate::engine::host::{Host, NodeId, Time};
use crate::engine::mutant::reaches;
use crate::engine::port::Settings;
use crate::engine::store::{Store, StoreError};
use crate::engine::vector::{Overlap, Ranges};

/// A message that is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outstanding {
    /// What it is about.
    pub what: What,
    pub(super) body: Body,
    pub(super) id: u32,
    /// Fragments that the other has, and that were sent, numbered from 1.
    pub(super) got: Ranges,
    pub(super) sent: Ranges,
    /// Fragments that were ever sent: those that are sent once more are retransmissions.
    counted: Ranges,
    /// What of the traffic is not counted yet.
    uncounted: Traffic,
    /// When to send it again, if nothing is heard of it until then.
    pub(super) due: Time,
}

/// Fragments on their way at once.
pub(super) const FRAGMENTS: u64 = 8;

impl Outstanding {
    pub(super) fn new(what: What, body: Body) -> Self {
        let id = crc32fast::hash(&body.bytes);
        let uncounted = body.traffic;
        let none = Ranges::default;
        Outstanding { what, body, id, got: none(), sent: none(), counted: none(), uncounted, due: 0 }
    }

    pub(super) fn fragments(&self, fragment: usize) -> u64 {
        self.body.bytes.len().div_ceil(fragment) as u64
    }
}

impl Outstanding {
    /// What of it was handed to the network for this neighbour before, over whichever connection, is sent again. A summary that
    /// goes on further than one before is another message.
    pub(super) fn told_before<S: Store>(&mut self, host: &Host<S>, to: NodeId, settings: &Settings) {
        let Some(told) = host.told.get(&to) else { return };
        if let Some((_, fragments, uncounted)) = told.fragments.as_ref().filter(|(id, ..)| *id == self.id) {
            (self.counted, self.uncounted) = (fragments.clone(), *uncounted);
            return;
        }
        let What::Deltas(runs) = &self.what else { return };
        let before = |author, first, last| told.operations.overlap(author, first, last) == Overlap::Seen;
        if !runs.iter().any(|&(author, first, last)| before(author, first, last)) {
            return;
        }
        if runs.iter().all(|&(author, first, last)| before(author, first, last)) {
            self.uncounted = Traffic::default();
            self.counted.insert(1, self.fragments(settings.fragment));
            return;
        }
        let mut deltas = outstanding_deltas(self, settings.fields.counters).unwrap_or_default();
        deltas.retain(|delta| before(delta.author, delta.first, delta.last));
        let again = Message::Deltas(deltas).body().traffic;
        let Traffic { payload, addressing, ids, retransmission, .. } = &mut self.uncounted;
        for (new, again) in [(payload, again.payload), (addressing, again.addressing), (ids, again.ids)] {
            let again = again.min(*new);
            *new -= again;
            *retransmission += again;
        }
    }

    /// Keeps what was handed to the network of what is told.
    fn note<S: Store>(&self, host: &mut Host<S>, to: NodeId, all: u64) {
        if !matches!(self.what, What::Deltas(_) | What::Sums(..)) {
            return;
        }
        let told = host.told.entry(to).or_default();
        if all > 1 || matches!(self.what, What::Sums(..)) {
            let counted = if all > 1 { self.counted.clone() } else { Ranges::up_to(1) };
            told.fragments = Some((self.id, counted, self.uncounted));
        }
        if let What::Deltas(runs) = &self.what
            && self.sent.len() == all
        {
            runs.iter().for_each(|&(author, first, last)| told.operations.insert(author, first, last));
        }
    }
}

impl Replica {
    /// A fragment came in: it is kept across crashes, and what is there is told. With the last one the message is read.
    pub(super) fn fragment<S: Store>(
        &mut self,
        host: &mut Host<S>,
        session: u16,
        entry: Entry,
    ) -> Result<(), StoreError> {
        let Entry::Fragment { from, id, .. } = entry else { return Ok(()) };
        self.note(host, entry)?;
        let Some(fragments) = self.state.fragments.get(&(from, id)) else { return Ok(()) };
        let mut got = Ranges::default();
        fragments.got.keys().for_each(|&place| got.insert(u64::from(place) + 1, u64::from(place) + 1));
        let whole = got.prefix() == u64::from(fragments.count);
        self.reply(host, from, session, &Message::Fragments { id, got });
        if whole && let Some(fragments) = self.state.fragments.remove(&(from, id)) {
            let body: Vec<u8> = fragments.got.into_values().flatten().collect();
            // A body that is made of fragments holds no fragments: this goes one level deep.
            if crc32fast::hash(&body) == id && !matches!(Message::read(&body, 0), Ok(Message::Fragment { .. })) {
                self.read(host, from, session, &body)?;
            }
        }
        Ok(())
    }

    /// The other tells which fragments it has: more are sent.
    pub(super) fn fragments<S: Store>(&mut self, host: &mut Host<S>, from: NodeId, id: u32, got: Ranges) {
        let session = self.sessions.get_mut(&from).expect("it was looked up");
        session.answered();
        let Some(place) = session.outstanding.iter().position(|outstanding| outstanding.id == id) else { return };
        let mut outstanding = session.outstanding.remove(place);
        let all = outstanding.fragments(self.settings.fragment);
        // Not added but replaced: a crash may have cost the other what it had.
        if !reaches(self.mutant, Mutant::LostFragmentsStayLost) {
            outstanding.got = Ranges::default();
        }
        for (first, last) in got.runs().filter(|&(_, last)| last <= all) {
            outstanding.got.insert(first, last);
            outstanding.sent.insert(first, last);
        }
        let underway = outstanding.sent.len().saturating_sub(outstanding.got.len());
        outstanding.due = self.settings.again_at(0, host);
        if outstanding.got.len() < all {
            transmit(&self.settings, host, from, session.id, &mut outstanding, FRAGMENTS.saturating_sub(underway));
        }
        let session = self.sessions.get_mut(&from).expect("it was looked up");
        if outstanding.what != What::Welcome || outstanding.got.len() < all {
            session.outstanding.insert(place, outstanding);
        }
        self.settle_timer(from);
    }
}

/// The deltas in a message, for the mistake that gives them new ids.
pub(super) fn outstanding_deltas(outstanding: &Outstanding, registers: u32) -> Option<Vec<Delta>> {
    match Message::read(&outstanding.body.bytes, registers) {
        Ok(Message::Deltas(deltas)) => Some(deltas),
        _ => None,
    }
}

/// Sends a message, or up to so many of its fragments that are not on their way.
pub(super) fn transmit<S: Store>(
    settings: &Settings,
    host: &mut Host<S>,
    to: NodeId,
    session: u16,
    outstanding: &mut Outstanding,
    most: u64,
) {
    let again = outstanding.uncounted == Traffic::default();
    let all = outstanding.fragments(settings.fragment);
    if all <= 1 {
        let (frame, mut traffic) = outstanding.body.framed(session);
        traffic -= outstanding.body.traffic;
        traffic += if again { outstanding.body.traffic } else { outstanding.uncounted };
        outstanding.uncounted = Traffic::default();
        outstanding.sent.insert(1, 1);
        outstanding.note(host, to, 1);
        return host.send(to, frame, if again { traffic.again() } else { traffic });
    }
    let lacking: Vec<u64> =
        (1..=all).filter(|&fragment| !outstanding.sent.contains(fragment)).take(most as usize).collect();
    for fragment in lacking {
        let from = (fragment as usize - 1) * settings.fragment;
        let bytes = outstanding.body.bytes[from..outstanding.body.bytes.len().min(from + settings.fragment)].to_vec();
        let length = bytes.len() as u64;
        let message = Message::Fragment { id: outstanding.id, count: all as u32, place: fragment as u32 - 1, bytes };
        let (frame, mut traffic) = message.body().framed(session);
        if outstanding.counted.contains(fragment) {
            traffic = traffic.again();
        } else {
            // The bytes of a fragment are what they are in the message: they are the payload of none but their frame.
            traffic.payload = 0;
            traffic += outstanding.uncounted.draw(length);
            outstanding.counted.insert(fragment, fragment);
        }
        outstanding.sent.insert(fragment, fragment);
        host.send(to, frame, traffic);
    }
    outstanding.note(host, to, all);
}
