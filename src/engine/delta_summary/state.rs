//! All that a replica must not forget: the entries of its journal, and what each makes of its state.
//!
//! A replica changes its state by an entry that it wrote to its journal first, and after a crash by the same entries
//! again, through the same function. What was not written did not happen.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::acknowledged::Ids;
use crate::engine::delta_summary::log::{Delta, Log};
use crate::engine::delta_summary::session::OUTSTANDING;
use crate::engine::delta_summary::sums::{Changes, Edit, Sums};
use crate::engine::host::NodeId;
use crate::engine::vector::{Actor, Overlap, Ranges, VersionVector};

/// Which message told of a change: its sender and its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// Who sent it.
    pub from: NodeId,
    /// The CRC-32 of its bytes.
    pub checksum: u32,
}

/// A run of someone's operations.
pub type Run = (Actor, u64, u64);

/// One step of a replica's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It started, in a new incarnation.
    Started(u32),
    /// Its user edited. The entry is the journal and the outbox at once: what no peer has acknowledged is to be sent.
    Edit(Edit),
    /// All edits up to this one are sent together from now on: a delta's boundaries never change.
    Sealed,
    /// A delta came in.
    Took(MessageId, Delta),
    /// A summary of a parent's log came in: its positions `first..=last`, without one's own operations in `without`.
    Summed {
        /// Which message.
        through: MessageId,
        /// The parent's log.
        log: Actor,
        /// From this position.
        first: u64,
        /// To this one.
        last: u64,
        /// One's own operations among them.
        without: Vec<Run>,
        /// What the others come to.
        changes: Changes,
    },
    /// A snapshot came in: a parent's log up to a position, one's own operations in `within` included.
    Adopted {
        /// Which message.
        through: MessageId,
        /// The parent's log.
        log: Actor,
        /// All up to this position.
        position: u64,
        /// One's own operations that are in it.
        within: Vec<Run>,
        /// What it comes to.
        changes: Changes,
    },
    /// The parent's log goes by another name: it was restarted. `None`: the parent does not know the position.
    Renamed(Option<(Actor, u64)>),
    /// The parent has acknowledged a run of one's own operations.
    Given(u64, u64, Actor),
    /// A delta of one's own is sent as two from now on, the first up to this operation: a copy of this device sent a
    /// part of it.
    Split(Actor, u64),
    /// A part of a message that is too long for one fragment.
    Fragment {
        /// Who sends it.
        from: NodeId,
        /// The message's checksum.
        id: u32,
        /// How many fragments it has.
        count: u32,
        /// Which this is, from 0.
        place: u32,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// The fragments of a message so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fragments {
    /// How many there are.
    pub count: u32,
    /// Those that came.
    pub got: BTreeMap<u32, Vec<u8>>,
    /// When the last of them came, counted in fragments.
    latest: u64,
}

/// Messages in fragments that are kept at most of each sender: all that it may send at once, its handshake and an answer to
/// one. With fewer they would drive each other out for ever.
const MOST_INCOMPLETE: usize = OUTSTANDING + 2;

/// Edits for which there is memory from the first that is not sealed.
const PENDING: usize = 128;

/// Earlier incarnations whose names for log positions are still understood.
const LINEAGE: usize = 16;

/// Everything that a journal's entries lead to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Who makes the operations now.
    pub me: Actor,
    /// Earlier names of one's own log, and up to which position each is the same log.
    pub lineage: Vec<(u32, u64)>,
    /// Operations made in this incarnation.
    pub made: u64,
    /// Of these, sealed.
    pub sealed: u64,
    /// Edits that are not sealed.
    pub pending: Vec<Edit>,
    /// Operations that were seen, by author. A leaf sees its own alone; the others are in its cursor.
    pub seen: VersionVector,
    /// How far a leaf has its parent's log.
    pub cursor: Option<(Actor, Ranges)>,
    /// What everything comes to.
    pub sums: Sums,
    /// Deltas, in the order in which they were taken.
    pub log: Log,
    /// One's own operations that the parent has, or, between peers, any of them.
    pub given: VersionVector,
    /// One's own operations that the cursor covers.
    pub settled: VersionVector,
    /// The edits of one's own deltas that are not settled, one by one, by author and first operation.
    pub edits: BTreeMap<(Actor, u64), Vec<Edit>>,
    /// Messages of which some fragments came.
    pub fragments: BTreeMap<(NodeId, u32), Fragments>,
    /// Entries since the image.
    pub entries: u64,
}

impl State {
    /// A new device's, which serves summaries to others or is a leaf.
    pub fn new(client: u32, registers: u32, serves: bool) -> Self {
        State {
            me: Actor { client, incarnation: 0 },
            lineage: Vec::new(),
            made: 0,
            sealed: 0,
            pending: Vec::new(),
            seen: VersionVector::default(),
            cursor: None,
            sums: Sums::new(registers),
            log: Log::new(registers, serves),
            given: VersionVector::default(),
            settled: VersionVector::default(),
            edits: BTreeMap::new(),
            fragments: BTreeMap::new(),
            entries: 0,
        }
    }

    /// Takes one step.
    pub fn apply(&mut self, entry: Entry) {
        self.entries += 1;
        match entry {
            Entry::Started(incarnation) => {
                self.seal();
                self.lineage.push((self.me.incarnation, self.log.len()));
                let surplus = self.lineage.len().saturating_sub(LINEAGE);
                self.lineage.drain(..surplus);
                self.me.incarnation = incarnation;
                (self.made, self.sealed) = (0, 0);
            }
            Entry::Edit(edit) => {
                self.made += 1;
                if self.pending.len() == self.pending.capacity() {
                    self.pending.reserve(PENDING);
                }
                self.pending.push(edit);
                self.sums.edit(edit);
                self.seen.insert(self.me, self.made, self.made);
            }
            Entry::Sealed => self.seal(),
            Entry::Took(_, delta) => {
                self.seen.insert(delta.author, delta.first, delta.last);
                self.sums.add(&delta.changes);
                self.log.push(delta);
            }
            Entry::Summed { log, first, last, without, changes, .. } => {
                if let Some((_, ranges)) = self.cursor.as_mut().filter(|(name, _)| *name == log) {
                    ranges.insert(first, last);
                    self.sums.add(&changes);
                    self.settle(&without);
                }
            }
            Entry::Adopted { log, position, within, changes, .. } => {
                self.sums.clear();
                self.sums.add(&changes);
                self.settled = VersionVector::default();
                self.settle(&within);
                let lacking =
                    |delta: &&Delta| self.settled.overlap(delta.author, delta.first, delta.last) == Overlap::New;
                for delta in self.log.iter().map(|(_, delta)| delta).filter(lacking) {
                    self.sums.add(&delta.changes);
                }
                self.pending.iter().for_each(|&edit| self.sums.edit(edit));
                self.cursor = Some((log, Ranges::up_to(position)));
            }
            Entry::Renamed(known) => {
                self.cursor = known.map(|(log, position)| (log, Ranges::up_to(position)));
                if known.is_none() {
                    self.settled = VersionVector::default();
                    self.given = VersionVector::default();
                }
            }
            Entry::Given(first, last, actor) => self.given.insert(actor, first, last),
            Entry::Split(author, last) => self.split(author, last),
            Entry::Fragment { from, id, count, place, bytes } => {
                let of_sender =
                    || self.fragments.range((from, 0)..=(from, u32::MAX)).map(|(&key, it)| (it.latest, key));
                let latest = of_sender().max().map_or(0, |(latest, _)| latest) + 1;
                let is_new = !self.fragments.contains_key(&(from, id));
                let oldest = of_sender().min().filter(|_| is_new && of_sender().count() >= MOST_INCOMPLETE);
                if let Some((_, key)) = oldest {
                    self.fragments.remove(&key);
                }
                let fragments = self.fragments.entry((from, id)).or_default();
                (fragments.count, fragments.latest) = (count, latest);
                fragments.got.insert(place, bytes);
            }
        }
    }

    fn settle(&mut self, runs: &[Run]) {
        for &(actor, first, last) in runs {
            self.settled.insert(actor, first, last);
            self.given.insert(actor, first, last);
        }
        let settled = &self.settled;
        self.edits.retain(|&(author, first), edits| {
            settled.overlap(author, first, first + edits.len() as u64 - 1) != Overlap::Seen
        });
    }

    /// The parts of a run that were seen.
    pub fn part_of(&self, author: Actor, first: u64, last: u64) -> Vec<Run> {
        let seen = self.seen.get(author).into_iter().flat_map(Ranges::runs);
        let within = seen.filter(|&(from, to)| from <= last && first <= to);
        within.map(|(from, to)| (author, from.max(first), to.min(last))).collect()
    }

    /// The delta of one's own, not settled, that goes on after this operation.
    pub fn splits_at(&self, author: Actor, last: u64) -> bool {
        let before = self.edits.range(..=(author, last)).next_back();
        before.is_some_and(|(&(other, first), edits)| other == author && last + 1 < first + edits.len() as u64)
    }

    fn split(&mut self, author: Actor, last: u64) {
        let before = self.edits.range(..=(author, last)).next_back().filter(|_| self.splits_at(author, last));
        let Some((key, mut edits)) = before.map(|(&key, edits)| (key, edits.clone())) else { return };
        let rest = edits.split_off((last + 1 - key.1) as usize);
        let end = last + rest.len() as u64;
        let delta = |first, last, edits: &[Edit]| Delta { author, first, last, changes: Changes::of(edits) };
        self.log.replace(author, key.1, [delta(key.1, last, &edits), delta(last + 1, end, &rest)]);
        self.edits.insert(key, edits);
        self.edits.insert((author, last + 1), rest);
    }

    fn seal(&mut self) {
        if self.made > self.sealed {
            let edits = std::mem::take(&mut self.pending);
            let (author, first, last) = (self.me, self.sealed + 1, self.made);
            self.sealed = self.made;
            self.log.push(Delta { author, first, last, changes: Changes::of(&edits) });
            self.edits.insert((author, first), edits);
        }
    }

    /// How far a leaf has this log, if it is its parent's.
    pub fn ids(&self) -> Ids<'_> {
        Ids { has: &self.seen, given: &self.given, position: self.cursor.as_ref() }
    }

    /// The position in this log, if it is followed.
    pub fn cursor_in(&self, log: Actor) -> Option<&(Actor, Ranges)> {
        self.cursor.as_ref().filter(|(name, _)| *name == log)
    }

    /// Gives one's own deltas among these new ids: a mistake, to be planted.
    pub fn with_new_ids(&mut self, deltas: Option<Vec<Delta>>, then: impl FnOnce(Vec<Delta>)) {
        let Some(mut deltas) = deltas else { return };
        for delta in deltas.iter_mut().filter(|delta| delta.author == self.me) {
            let more = delta.last - delta.first;
            (delta.first, delta.last) = (self.made + 1, self.made + 1 + more);
            self.made = delta.last;
            self.sealed = self.made;
        }
        then(deltas);
    }

    /// The position in this replica's log that a cursor means, if it still does.
    pub fn understood(&self, log: Actor, position: u64) -> Option<u64> {
        if log.client != self.me.client {
            return None;
        }
        let same_up_to = if log.incarnation == self.me.incarnation {
            self.log.len()
        } else {
            self.lineage.iter().find(|&&(incarnation, _)| incarnation == log.incarnation)?.1
        };
        (position <= same_up_to).then_some(position)
    }

    /// Drops the deltas up to a position of the log.
    pub fn drop_up_to(&mut self, position: u64) {
        self.log.drop_up_to(position);
        let kept: BTreeSet<(Actor, u64)> = self.log.iter().map(|(_, delta)| (delta.author, delta.first)).collect();
        self.edits.retain(|key, _| kept.contains(key));
    }

    /// What of a delta was not seen, if that is one run, and if what was seen of it is known by itself: then it can be
    /// taken, though it was put together by a copy of its author's device and a part of it came from another.
    pub fn remainder(&self, delta: &Delta) -> Option<Delta> {
        let Delta { author, first, last, ref changes } = *delta;
        let (mut known, mut parts) = (Ranges::default(), Vec::new());
        for part in self.log.of_author(author).filter(|part| first <= part.first && part.last <= last) {
            known.insert(part.first, part.last);
            parts.push(&part.changes);
        }
        let mut gaps = known.gaps(first, last);
        let (first, last) = gaps.next()?;
        let single = gaps.next().is_none() && self.seen.overlap(author, first, last) == Overlap::New;
        single.then(|| Delta { author, first, last, changes: changes.without(parts) })
    }
}
