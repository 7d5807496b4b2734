//! Sessions: what a neighbour has, what it is sent, and when that is sent again.

use super::mutant::Mutant;
use crate::engine::delta_summary::Replica;
use crate::engine::delta_summary::log::Delta;
use crate::engine::delta_summary::message::Message;
use crate::engine::delta_summary::outstanding::{FRAGMENTS, Outstanding, outstanding_deltas, transmit};
use crate::engine::delta_summary::state::{Entry, Run};
use crate::engine::host::{Host, NodeId, Time};
use crate::engine::mutant::reaches;
use crate::engine::port::Relation;
use crate::engine::store::{Store, StoreError};
use crate::engine::vector::{Overlap, Ranges, VersionVector};

/// What a message is about that waits for its acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A handshake.
    Hello,
    /// An answer to one; kept only while it travels in fragments.
    Welcome,
    /// These deltas.
    Deltas(Vec<Run>),
    /// A summary or a snapshot, from a position to another.
    Sums(u64, u64),
}

/// Messages that wait for acknowledgement in one session.
pub(super) const OUTSTANDING: usize = 8;

/// Deltas of a leaf's own after which it is told that they are in the log, if nothing else is new.
const UNSETTLED: usize = 16;

/// A long message that was under way when the connection went down, and what the other had told until then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parked {
    reached: u64,
    holds: VersionVector,
    outstanding: Outstanding,
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
    pub outstanding: Vec<Outstanding>,
    /// Retries since it last answered.
    pub attempts: u32,
    /// How often it was started anew in this connection.
    pub handshakes: u32,
    /// When it was last.
    pub handshake_at: Time,
    /// Whether it was given up.
    pub failed: bool,
    /// Whether a message came back, and nothing was answered since.
    refused: bool,
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
            handshakes: 0,
            handshake_at: 0,
            failed: false,
            refused: false,
            due: None,
        }
    }

    /// Forgets messages that are done.
    pub fn finish(&mut self, done: impl Fn(&What) -> bool) {
        self.outstanding.retain(|outstanding| !done(&outstanding.what));
    }

    /// The other was heard of: it is there.
    pub fn answered(&mut self) {
        (self.attempts, self.failed, self.refused) = (0, false, false);
    }

    /// Whether what is new waits until the neighbour takes what it sent back.
    fn is_held_back(&self) -> bool {
        self.refused && !self.outstanding.is_empty()
    }

    /// The runs of deltas that are on their way.
    pub fn sent_runs(&self) -> impl Iterator<Item = Run> {
        let runs = self.outstanding.iter().filter_map(|outstanding| match &outstanding.what {
            What::Deltas(runs) => Some(runs),
            _ => None,
        });
        runs.flatten().copied()
    }

    /// Deltas are not what they were: those on their way are made anew.
    pub fn look_again(&mut self) {
        self.finish(|what| matches!(what, What::Deltas(_)));
        self.scanned = 0;
    }

    /// The sums that were under way in fragments, to go on with them in the next session.
    pub fn parked(self) -> Option<Parked> {
        let Session { outstanding, reached, holds, .. } = self;
        let underway =
            |outstanding: &Outstanding| matches!(outstanding.what, What::Sums(..)) && !outstanding.got.is_empty();
        let outstanding = outstanding.into_iter().find(underway)?;
        Some(Parked { reached, holds, outstanding })
    }
}

impl Replica {
    /// Sends a message that is an answer: it is not repeated by itself.
    pub(super) fn reply<S: Store>(&self, host: &mut Host<S>, to: NodeId, session: u16, message: &Message) {
        let (frame, traffic) = message.body().framed(session);
        host.send(to, frame, traffic);
    }

    /// Sends a message, in fragments if it is long, and keeps it until it is acknowledged.
    pub(super) fn dispatch<S: Store>(&mut self, host: &mut Host<S>, to: NodeId, what: What, message: &Message) {
        let body = message.body();
        if what == What::Welcome && body.bytes.len() <= self.settings.fragment {
            let (frame, traffic) = body.framed(self.sessions[&to].id);
            return host.send(to, frame, traffic);
        }
        self.send_outstanding(host, to, Outstanding::new(what, body));
    }

    fn send_outstanding<S: Store>(&mut self, host: &mut Host<S>, to: NodeId, mut outstanding: Outstanding) {
        if outstanding.sent.is_empty() {
            outstanding.told_before(host, to, &self.settings);
        }
        let session = self.sessions.get_mut(&to).expect("it is connected");
        transmit(&self.settings, host, to, session.id, &mut outstanding, 1);
        outstanding.due = self.settings.again_at(session.attempts, host);
        session.outstanding.retain(|other| other.id != outstanding.id);
        session.outstanding.push(outstanding);
        self.settle_timer(to);
    }

    /// Has the retry timer run for the message that is to be sent again first; stops it if none waits. That others are
    /// answered, or new ones sent, puts no retry off.
    pub(super) fn settle_timer(&mut self, peer: NodeId) {
        let session = &self.sessions[&peer];
        let first = session.outstanding.iter().map(|outstanding| outstanding.due).min();
        let again = !session.failed && !self.has(Mutant::NeverSendAgain);
        self.set_timer(peer, first.filter(|_| again));
    }

    fn set_timer(&mut self, peer: NodeId, due: Option<Time>) {
        let session = self.sessions.get_mut(&peer).expect("it is connected");
        let before = std::mem::replace(&mut session.due, due);
        before.map(|time| self.timers.remove(&(time, peer)));
        due.map(|time| self.timers.insert((time, peer)));
    }

    /// There is something that neighbours may lack: they are told after a while, so that more can go with it.
    pub(super) fn changes<S: Store>(&mut self, host: &mut Host<S>) {
        if !self.sessions.is_empty() {
            self.changes_at.get_or_insert(host.now + self.settings.linger);
        }
    }

    /// Sends a neighbour what it lacks, as far as not too much waits for its answers already.
    pub(super) fn push<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) -> Result<(), StoreError> {
        let pushed = |session: &&Session| session.open && !session.is_held_back();
        let Some(&Session { leaf, .. }) = self.sessions.get(&peer).filter(pushed) else { return Ok(()) };
        if self.state.made > self.state.sealed {
            // The boundaries are durable before the delta is out: after a crash it is the same delta.
            self.commit(host, Entry::Sealed)?;
        }
        if leaf {
            self.push_sums(host, peer)
        } else {
            self.push_deltas(host, peer)
        }
        Ok(())
    }

    fn push_deltas<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) {
        loop {
            let session = self.sessions.get_mut(&peer).expect("it is connected");
            if session.outstanding.len() >= OUTSTANDING {
                return;
            }
            let (mut group, mut size): (Vec<Delta>, usize) = (Vec::new(), 0);
            session.scanned = session.scanned.max(self.state.log.base());
            while let Some(delta) = self.state.log.at(session.scanned + 1) {
                let overlap = |vector: &VersionVector| vector.overlap(delta.author, delta.first, delta.last);
                if overlap(&session.holds) != Overlap::Seen && overlap(&self.state.settled) != Overlap::Seen {
                    let delta = match overlap(&session.holds) {
                        Overlap::Partial => self.state.log.widened(delta),
                        _ => delta.clone(),
                    };
                    // About what it takes: registers are near each other, amounts small.
                    size += 8 + 3 * delta.changes.len();
                    if size > self.settings.fragment && !group.is_empty() {
                        break;
                    }
                    group.push(delta);
                }
                session.scanned += 1;
            }
            if group.is_empty() {
                return;
            }
            let runs = group.iter().map(|delta| (delta.author, delta.first, delta.last)).collect();
            self.dispatch(host, peer, What::Deltas(runs), &Message::Deltas(group));
        }
    }

    fn push_sums<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) {
        let session = self.sessions.get_mut(&peer).expect("it is connected");
        let (log, reached, end) = (self.state.me, session.reached, self.state.log.len());
        let waiting = session.outstanding.iter().any(|outstanding| matches!(outstanding.what, What::Sums(..)));
        if waiting || reached >= end {
            return;
        }
        if let Some(Parked { reached: before, holds, outstanding }) = self.parked.remove(&peer)
            && before == reached
            && session.holds == holds
        {
            return self.send_outstanding(host, peer, outstanding);
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
                own.iter().for_each(|delta| sums.remove(&delta.changes));
                let changes = sums.changes();
                // A leaf whose edits alone are new shows them already. It is told now and then, to forget the details.
                if changes.is_empty() && own.len() < UNSETTLED {
                    return;
                }
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
                Message::Snapshot { log, position: end, within: runs.collect(), changes: self.state.log.total() }
            }
        };
        self.dispatch(host, peer, What::Sums(reached, end), &message);
    }

    /// A message came back. All that waits for the neighbour is tried again together, and what is new goes after it: a
    /// neighbour that refuses is asked ever more rarely, however much its user edits.
    pub(super) fn refused<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) {
        let Some(session) = self.sessions.get_mut(&peer).filter(|session| !session.outstanding.is_empty()) else {
            return;
        };
        session.refused = true;
        let due = self.settings.again_at(session.attempts, host);
        session.outstanding.iter_mut().for_each(|outstanding| outstanding.due = due);
        self.settle_timer(peer);
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
        session.reached = session.reached.max(position.min(self.state.log.len()));
        session.answered();
        session.snapshot = false;
        self.settle_timer(from);
        self.push(host, from)
    }

    /// Nothing was heard for a while: what has waited long enough for an answer is sent again, the same bytes.
    pub(super) fn retry<S: Store>(&mut self, host: &mut Host<S>, peer: NodeId) -> Result<(), StoreError> {
        let has_new_ids = self.has(Mutant::RetryWithNewId);
        if self.has(Mutant::StopAfterRefusal) {
            self.given_up.insert(peer);
            self.end_session(peer);
            return Ok(());
        }
        let session = self.sessions.get_mut(&peer).expect("it is connected");
        if session.attempts >= self.settings.retries {
            session.failed = true;
            self.set_timer(peer, None);
            return Ok(());
        }
        session.attempts += 1;
        let (id, attempts) = (session.id, session.attempts);
        let mut outstanding_messages = std::mem::take(&mut session.outstanding);
        // An answer in fragments is asked for again by who wants it.
        outstanding_messages.retain(|outstanding| {
            outstanding.due > host.now || outstanding.what != What::Welcome || !outstanding.got.is_empty()
        });
        let now = host.now;
        for outstanding in outstanding_messages.iter_mut().filter(|outstanding| outstanding.due <= now) {
            outstanding.due = self.settings.again_at(attempts, host);
            let is_whole = outstanding.got.len() == outstanding.fragments(self.settings.fragment);
            if is_whole && !reaches(self.mutant, Mutant::LostFragmentsStayLost) {
                // All of it was there, and still it is not acknowledged: the other has lost it again.
                outstanding.got = Ranges::default();
            }
            outstanding.sent = outstanding.got.clone();
            if has_new_ids {
                self.state.with_new_ids(outstanding_deltas(outstanding, self.settings.fields.counters), |deltas| {
                    let runs = deltas.iter().map(|delta| (delta.author, delta.first, delta.last)).collect();
                    let due = outstanding.due;
                    *outstanding = Outstanding::new(What::Deltas(runs), Message::Deltas(deltas).body());
                    outstanding.due = due;
                });
            }
            transmit(&self.settings, host, peer, id, outstanding, FRAGMENTS);
        }
        self.sessions.get_mut(&peer).expect("it is connected").outstanding = outstanding_messages;
        self.settle_timer(peer);
        Ok(())
    }
}

/// The runs of these deltas; one for those that follow each other.
fn runs(deltas: &[&Delta]) -> Vec<Run> {
    let follows = |before: &&Delta, next: &&Delta| before.author == next.author && before.last + 1 == next.first;
    deltas.chunk_by(follows).map(|run| (run[0].author, run[0].first, run[run.len() - 1].last)).collect()
}
