//! Sessions: what was sent to a neighbour and not acknowledged, when it is sent again, and messages in pieces.

use crate::domain::flaw::Flaw;
use crate::domain::traffic::Traffic;
use crate::sync::host::{Host, NodeId, Time};
use crate::sync::replica::log::Delta;
use crate::sync::replica::message::{Body, Message};
use crate::sync::replica::state::{Entry, Run};
use crate::sync::replica::{Replica, Settings};
use crate::sync::store::{Store, StoreError};
use crate::sync::vector::{Overlap, Ranges, VersionVector};

/// What a neighbour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// This replica's way to all others.
    Parent,
    /// This replica is its way to all others.
    Child,
    /// Neither.
    Peer,
}

/// What a message is about that waits for its acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A greeting.
    Hello,
    /// An answer to one; kept only while it travels in pieces.
    Welcome,
    /// These deltas.
    Deltas(Vec<Run>),
    /// A summary or a snapshot, from a position to another.
    Sums(u64, u64),
}

/// A message that is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parcel {
    /// What it is about.
    pub what: What,
    body: Body,
    id: u32,
    /// Pieces that the other has, and that were sent, numbered from 1.
    got: Ranges,
    sent: Ranges,
    /// Pieces that were ever sent: those that are sent once more are retransmissions.
    counted: Ranges,
    /// What of the traffic is not counted yet.
    uncounted: Traffic,
}

/// Messages that wait for acknowledgement in one session.
const OUTSTANDING: usize = 8;

/// Pieces on their way at once.
const PIECES: u64 = 8;

/// A long message that was under way when the connection went down, and what the other had told until then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parked {
    reached: u64,
    holds: VersionVector,
    parcel: Parcel,
}

/// One connection with a neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    /// Two bytes that tell its messages from those of earlier ones.
    pub id: u16,
    /// What the neighbour is.
    pub relation: Relation,
    /// Whether both know what the other has.
    pub open: bool,
    /// Whether the neighbour takes sums.
    pub leaf: bool,
    /// Whose edits a leaf makes.
    pub client: u32,
    /// Whether it needs all of them: it has no cursor.
    pub snapshot: bool,
    /// Operations that it has; of a leaf, those of its own that it told.
    pub holds: VersionVector,
    /// The position in this replica's log that a leaf has reached.
    pub reached: u64,
    /// Up to where the log was looked at for deltas that it lacks.
    scanned: u64,
    /// Messages that are not acknowledged.
    pub outstanding: Vec<Parcel>,
    /// Retries since it last answered.
    pub attempts: u32,
    /// How often it was started anew in this connection.
    pub greetings: u32,
    /// Whether it was given up.
    pub failed: bool,
    /// When to try again.
    pub due: Option<Time>,
}

impl Session {
    /// A session in which nothing was said yet.
    pub fn new(relation: Relation, id: u16) -> Self {
        Session {
            id,
            relation,
            open: false,
            leaf: false,
            client: 0,
            snapshot: false,
            holds: VersionVector::default(),
            reached: 0,
            scanned: 0,
            outstanding: Vec::new(),
            attempts: 0,
            greetings: 0,
            failed: false,
            due: None,
        }
    }

    /// Forgets messages that are done.
    pub fn finish(&mut self, done: impl Fn(&What) -> bool) {
        self.outstanding.retain(|parcel| !done(&parcel.what));
    }

    /// Deltas are not what they were: those on their way are made anew.
    pub fn look_again(&mut self) {
        self.finish(|what| matches!(what, What::Deltas(_)));
        self.scanned = 0;
    }

    /// The sums that were under way in pieces, to go on with them in the next session.
    pub fn parked(self) -> Option<Parked> {
        let Session { outstanding, reached, holds, .. } = self;
        let underway = |parcel: &Parcel| matches!(parcel.what, What::Sums(..)) && !parcel.got.is_empty();
        let parcel = outstanding.into_iter().find(underway)?;
        Some(Parked { reached, holds, parcel })
    }
}

impl Parcel {
    fn new(what: What, body: Body) -> Self {
        let id = crc32fast::hash(&body.bytes);
        let uncounted = body.traffic;
        Parcel {
            what,
            body,
            id,
            got: Ranges::default(),
            sent: Ranges::default(),
            counted: Ranges::default(),
            uncounted,
        }
    }

    fn pieces(&self, piece: usize) -> u64 {
        self.body.bytes.len().div_ceil(piece) as u64
    }
}

/// Takes so many bytes' worth out of what is not counted.
fn draw(uncounted: &mut Traffic, mut bytes: u64) -> Traffic {
    let mut drawn = Traffic::default();
    let kinds = [
        (&mut uncounted.framing, &mut drawn.framing),
        (&mut uncounted.ids, &mut drawn.ids),
        (&mut uncounted.addressing, &mut drawn.addressing),
        (&mut uncounted.payload, &mut drawn.payload),
        (&mut uncounted.acks, &mut drawn.acks),
    ];
    for (left, taken) in kinds {
        *taken = bytes.min(*left);
        *left -= *taken;
        bytes -= *taken;
    }
    drawn
}

impl Replica {
    /// Sends a message that is an answer: it is not repeated by itself.
    pub(super) fn reply<S: Store>(&self, host: &mut Host<S>, to: NodeId, session: u16, message: &Message) {
        let (frame, traffic) = message.body().framed(session);
        host.send(to, frame, traffic);
    }

    /// Sends a message, in pieces if it is long, and keeps it until it is acknowledged.
    pub(super) fn dispatch<S: Store>(&mut self, host: &mut Host<S>, to: NodeId, what: What, message: &Message) {
        let body = message.body();
        if what == What::Welcome && body.bytes.len() <= self.settings.piece {
            let (frame, traffic) = body.framed(self.sessions[&to].id);
            return host.send(to, frame, traffic);
        }
        self.send_parcel(host, to, Parcel::new(what, body));
    }

    fn send_parcel<S: Store>(&mut self, host: &mut Host<S>, to: NodeId, mut parcel: Parcel) {
        let session = self.sessions.get_mut(&to).expect("it is connected");
        transmit(&self.settings, host, to, session.id, &mut parcel, 1);
        session.outstanding.retain(|other| other.id != parcel.id);
        session.outstanding.push(parcel);
        self.settle_timer(host, to);
    }

    /// Sets the retry timer if something waits for an answer and no timer runs; stops it if nothing does.
    pub(super) fn settle_timer<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) {
        let session = self.sessions.get_mut(&peer).expect("it is connected");
        let Settings { retry_after, retry_at_most, .. } = self.settings;
        let due = if session.outstanding.is_empty() {
            None
        } else {
            let backoff = retry_after.saturating_mul(1 << session.attempts.min(20)).min(retry_at_most);
            // Seeded jitter: replicas that were cut off together do not all come back at once.
            Some(host.now + backoff + host.random(backoff / 2 + 1))
        };
        self.set_timer(peer, due);
    }

    fn set_timer(&mut self, peer: NodeId, due: Option<Time>) {
        let session = self.sessions.get_mut(&peer).expect("it is connected");
        let before = std::mem::replace(&mut session.due, due);
        before.map(|time| self.timers.remove(&(time, peer)));
        due.map(|time| self.timers.insert((time, peer)));
    }

    /// There is something that neighbours may lack: they are told after a while, so that more can go with it.
    pub(super) fn news<S: Store>(&mut self, host: &mut Host<S>) {
        if !self.sessions.is_empty() {
            self.news_at.get_or_insert(host.now + self.settings.linger);
        }
    }

    /// Sends a neighbour what it lacks, as far as not too much waits for its answers already.
    pub(super) fn push<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) -> Result<(), StoreError> {
        match self.sessions.get(&peer) {
            Some(session) if session.open && session.leaf => self.push_sums(host, peer),
            Some(session) if session.open => self.push_deltas(host, peer)?,
            _ => {}
        }
        Ok(())
    }

    fn push_deltas<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) -> Result<(), StoreError> {
        if self.state.made > self.state.sealed {
            // The boundaries are durable before the delta is out: after a crash it is the same delta.
            self.commit(host, Entry::Sealed)?;
        }
        loop {
            let session = self.sessions.get_mut(&peer).expect("it is connected");
            if session.outstanding.len() >= OUTSTANDING {
                return Ok(());
            }
            let (mut group, mut size): (Vec<Delta>, usize) = (Vec::new(), 0);
            session.scanned = session.scanned.max(self.state.log.base());
            while let Some(delta) = self.state.log.at(session.scanned + 1) {
                let Delta { author, first, last, .. } = *delta;
                let held = |vector: &VersionVector| vector.overlap(author, first, last) == Overlap::Seen;
                if !held(&session.holds) && !held(&self.state.settled) {
                    // About what it takes: registers are near each other, amounts small.
                    size += 8 + 3 * delta.changes.len();
                    if size > self.settings.piece && !group.is_empty() {
                        break;
                    }
                    group.push(delta.clone());
                }
                session.scanned += 1;
            }
            if group.is_empty() {
                return Ok(());
            }
            let runs = group.iter().map(|delta| (delta.author, delta.first, delta.last)).collect();
            self.dispatch(host, peer, What::Deltas(runs), &Message::Deltas(group));
        }
    }

    fn push_sums<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) {
        let session = self.sessions.get_mut(&peer).expect("it is connected");
        let (log, reached, end) = (self.state.me, session.reached, self.state.log.len());
        let waiting = session.outstanding.iter().any(|parcel| matches!(parcel.what, What::Sums(..)));
        if waiting || reached >= end {
            return;
        }
        if let Some(Parked { reached: before, holds, parcel }) = self.parked.remove(&peer)
            && before == reached
            && session.holds == holds
        {
            return self.send_parcel(host, peer, parcel);
        }
        let session = &self.sessions[&peer];
        let client = session.client;
        let overlap = |delta: &Delta| session.holds.overlap(delta.author, delta.first, delta.last);
        let held = |delta: &Delta| overlap(delta) == Overlap::Seen;
        // A device that was copied or set back holds a part of what was sealed as one: a sum cannot leave that out.
        let torn = self.state.log.of_client(client, reached).any(|delta| overlap(delta) == Overlap::Partial);
        let sums = (!session.snapshot && !torn).then(|| self.state.log.sums_after(reached)).flatten();
        let message = match sums {
            Some(mut sums) => {
                let of_client = self.state.log.of_client(client, reached);
                let (own, others): (Vec<&Delta>, Vec<&Delta>) = of_client.partition(|delta| held(delta));
                for (register, amount) in own.iter().flat_map(|delta| &delta.changes) {
                    let sum = &mut sums[*register as usize];
                    *sum = sum.wrapping_sub(*amount);
                }
                let changes = nonzero(&sums);
                if changes.is_empty() {
                    return;
                }
                let runs =
                    |deltas: &[&Delta]| deltas.iter().map(|delta| (delta.author, delta.first, delta.last)).collect();
                Message::Summary {
                    log,
                    first: reached + 1,
                    last: end,
                    without: runs(&own),
                    with: runs(&others),
                    changes,
                }
            }
            None => {
                let of_client = self.state.seen.of_client(client);
                let runs = of_client.flat_map(|(actor, ranges)| ranges.runs().map(move |(a, b)| (actor, a, b)));
                let changes = nonzero(self.state.log.total());
                Message::Snapshot { log, position: end, within: runs.collect(), changes }
            }
        };
        self.dispatch(host, peer, What::Sums(reached, end), &message);
    }

    /// A leaf has this replica's log up to a position.
    pub(super) fn reached<S: Store>(
        &mut self,
        host: &mut Host<S>,
        from: NodeId,
        position: u64,
    ) -> Result<(), StoreError> {
        let session = self.sessions.get_mut(&from).expect("it was looked up");
        session.finish(|what| matches!(what, What::Sums(_, to) if *to <= position));
        (session.reached, session.attempts) = (session.reached.max(position.min(self.state.log.len())), 0);
        session.snapshot = false;
        self.settle_timer(host, from);
        self.push(host, from)
    }

    /// Nothing was heard for a while: everything that waits for an answer is sent again, the same bytes.
    pub(super) fn retry<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) -> Result<(), StoreError> {
        let has_new_ids = self.settings.flaw == Some(Flaw::RetryWithNewId);
        let session = self.sessions.get_mut(&peer).expect("it is connected");
        if session.attempts >= self.settings.retries {
            session.failed = true;
            self.set_timer(peer, None);
            return Ok(());
        }
        session.attempts += 1;
        let mut parcels = std::mem::take(&mut session.outstanding);
        let id = session.id;
        for parcel in &mut parcels {
            if parcel.got.len() == parcel.pieces(self.settings.piece) {
                // All of it was there, and still it is not acknowledged: the other has lost it again.
                parcel.got = Ranges::default();
            }
            parcel.sent = parcel.got.clone();
            if has_new_ids {
                self.state.with_new_ids(parcel_deltas(parcel, self.settings.registers), |deltas| {
                    let runs = deltas.iter().map(|delta| (delta.author, delta.first, delta.last)).collect();
                    *parcel = Parcel::new(What::Deltas(runs), Message::Deltas(deltas).body());
                });
            }
            transmit(&self.settings, host, peer, id, parcel, PIECES);
        }
        // An answer in pieces is asked for again by who wants it.
        parcels.retain(|parcel| parcel.what != What::Welcome || !parcel.got.is_empty());
        self.sessions.get_mut(&peer).expect("it is connected").outstanding = parcels;
        self.settle_timer(host, peer);
        Ok(())
    }

    /// A piece came in: it is kept across crashes, and what is there is told. With the last one the message is read.
    pub(super) fn piece<S: Store>(&mut self, host: &mut Host<S>, session: u16, entry: Entry) -> Result<(), StoreError> {
        let Entry::Piece { from, id, .. } = entry else { return Ok(()) };
        self.note(host, entry)?;
        let Some(pieces) = self.state.pieces.get(&(from, id)) else { return Ok(()) };
        let mut got = Ranges::default();
        pieces.got.keys().for_each(|&place| got.insert(u64::from(place) + 1, u64::from(place) + 1));
        let whole = got.prefix() == u64::from(pieces.count);
        self.reply(host, from, session, &Message::Pieces { id, got });
        if whole && let Some(pieces) = self.state.pieces.remove(&(from, id)) {
            let body: Vec<u8> = pieces.got.into_values().flatten().collect();
            // A body that is made of pieces holds no pieces: this goes one level deep.
            if crc32fast::hash(&body) == id && !matches!(Message::read(&body, 0), Ok(Message::Piece { .. })) {
                self.read(host, from, session, &body)?;
            }
        }
        Ok(())
    }

    /// The other tells which pieces it has: more are sent.
    pub(super) fn pieces<S: Store>(&mut self, host: &mut Host<S>, from: NodeId, id: u32, got: Ranges) {
        let session = self.sessions.get_mut(&from).expect("it was looked up");
        session.attempts = 0;
        let Some(place) = session.outstanding.iter().position(|parcel| parcel.id == id) else { return };
        let mut parcel = session.outstanding.remove(place);
        let all = parcel.pieces(self.settings.piece);
        // Not added but replaced: a crash may have cost the other what it had.
        parcel.got = Ranges::default();
        for (first, last) in got.runs().filter(|&(_, last)| last <= all) {
            parcel.got.insert(first, last);
            parcel.sent.insert(first, last);
        }
        let underway = parcel.sent.len().saturating_sub(parcel.got.len());
        if parcel.got.len() < all {
            transmit(&self.settings, host, from, session.id, &mut parcel, PIECES.saturating_sub(underway));
        }
        let session = self.sessions.get_mut(&from).expect("it was looked up");
        if parcel.what != What::Welcome || parcel.got.len() < all {
            session.outstanding.insert(place, parcel);
        }
        self.settle_timer(host, from);
    }
}

fn nonzero(sums: &[i64]) -> Vec<(u32, i64)> {
    let numbered = sums.iter().enumerate().filter(|&(_, &sum)| sum != 0);
    let mut changes = Vec::with_capacity(numbered.clone().count());
    changes.extend(numbered.map(|(register, &sum)| (register as u32, sum)));
    changes
}

/// The deltas in a message, for the mistake that gives them new ids.
fn parcel_deltas(parcel: &Parcel, registers: u32) -> Option<Vec<Delta>> {
    match Message::read(&parcel.body.bytes, registers) {
        Ok(Message::Deltas(deltas)) => Some(deltas),
        _ => None,
    }
}

/// Sends a message, or up to so many of its pieces that are not on their way.
fn transmit<S: Store>(
    settings: &Settings,
    host: &mut Host<S>,
    to: NodeId,
    session: u16,
    parcel: &mut Parcel,
    most: u64,
) {
    let again = parcel.uncounted == Traffic::default();
    let all = parcel.pieces(settings.piece);
    if all <= 1 {
        let (frame, traffic) = parcel.body.framed(session);
        parcel.uncounted = Traffic::default();
        parcel.sent.insert(1, 1);
        return host.send(to, frame, if again { traffic.again() } else { traffic });
    }
    let lacking: Vec<u64> = (1..=all).filter(|&piece| !parcel.sent.contains(piece)).take(most as usize).collect();
    for piece in lacking {
        let from = (piece as usize - 1) * settings.piece;
        let bytes = parcel.body.bytes[from..parcel.body.bytes.len().min(from + settings.piece)].to_vec();
        let length = bytes.len() as u64;
        let message = Message::Piece { id: parcel.id, count: all as u32, place: piece as u32 - 1, bytes };
        let (frame, mut traffic) = message.body().framed(session);
        if parcel.counted.contains(piece) {
            traffic = traffic.again();
        } else {
            // The bytes of a piece are what they are in the message: they are the payload of none but their frame.
            traffic.payload = 0;
            traffic += draw(&mut parcel.uncounted, length);
            parcel.counted.insert(piece, piece);
        }
        parcel.sent.insert(piece, piece);
        host.send(to, frame, traffic);
    }
}
