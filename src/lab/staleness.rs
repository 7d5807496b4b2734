//! How long an edit takes to come to every other client, and which edits never come. When the last replica has one,
//! [`super::convergence`] is told.
//!
//! Who has an edit is seen in one of two ways. Where an engine tells ids: who serves has the ids, and a leaf has what its
//! parent had at the position that its cursor stands for. A delta that was overtaken by a later one, or of which fragments
//! are missing, has not come. Where an engine tells no ids: each of its messages is made of all that its sender has and the
//! neighbour has not acknowledged, and whoever takes the last one of a round has every edit that had gone into its sender's
//! state, though a merge may have made nothing of it. Whoever took a part of the round may have any of them, and may pass
//! them on.
//!
//! Edits of a client count in their order: one is known where all before it are, but for those that were lost with their
//! device. Knows: nodes and their logs. Must not: judge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hdrhistogram::Histogram;

use crate::data;
use crate::domain::offline::{MOST_WATCHED, OfflineTrial};
use crate::engine::host::Round;
use crate::engine::host::{NodeId, OpId, Time};
use crate::engine::port::{Reached, Reception};
use crate::lab::convergence::{self, OfEdits};
use crate::lab::events::{Event, Observer, Replica};

/// So many edits of each client went into a state.
#[derive(Clone, Debug)]
pub struct Knowledge {
    certain: Arc<[u32]>,
    /// The same with what a node may have without anybody's knowledge, where that is more.
    possible: Option<Arc<[u32]>>,
    /// Whether the round that tells it ends with the message that carries it.
    ends: bool,
}

impl Knowledge {
    /// Whether whoever takes the message has all of it.
    pub(super) fn ends(&self) -> bool {
        self.ends
    }
}

/// From this position of a log on, so many edits of a client are in it.
type Learned = (u64, u32, u32);

/// What a node had when its backup was taken, and by receiver what its rounds tell: a node that is set back goes on with those.
#[derive(Clone)]
struct Backup {
    knows: Vec<u32>,
    rounds: Vec<(NodeId, Knowledge)>,
}

/// Staleness in a world.
pub struct Staleness {
    /// For every edit and every other client that came to have it, how long that took; in milliseconds.
    pub histogram: Histogram<u64>,
    /// How long edits took to come to all replicas.
    pub convergence: OfEdits,
    clients: u32,
    /// By client, when each edit was made and what it is called; nothing where the user did not see it accepted.
    edits: Vec<Vec<(Time, Option<OpId>)>>,
    /// By client, edits that are not waited for: they were never shown, or are lost with the stores that had them.
    passed: Vec<BTreeSet<u32>>,
    /// By node, and how often each edit was counted by client.
    knows: Vec<Vec<u32>>,
    counted: Vec<Vec<u32>>,
    /// By client and author, when each edit came, where the scenario sets a bound on that.
    arrivals: Vec<Vec<Vec<Time>>>,
    /// By serving node, what its log has from which position on; and up to where each leaf has read that.
    learned: Vec<Vec<Learned>>,
    read: BTreeMap<(NodeId, NodeId), usize>,
    by_ids: bool,
    backups: BTreeMap<NodeId, Backup>,
    /// What is told by the end of the round that is under way, or ended last, by sender and receiver.
    rounds: BTreeMap<(NodeId, NodeId), Knowledge>,
    /// By node, what it may have beside what it has for certain.
    may_have: BTreeMap<NodeId, Vec<u32>>,
    /// By node, what rounds that did not end may have brought it. It counts as shown where it is passed on to.
    in_part: BTreeMap<NodeId, Vec<u32>>,
}

impl Staleness {
    /// Nothing yet; nothing ever in a world of too many clients, or of an engine that does not report what its nodes take.
    pub(super) fn of(trial: &OfflineTrial, reports: bool) -> Self {
        let watched = reports && trial.clients <= MOST_WATCHED;
        let [clients, nodes] = [trial.clients, trial.nodes()].map(|count| if watched { count as usize } else { 0 });
        Staleness {
            histogram: convergence::empty(),
            convergence: OfEdits::of(clients),
            clients: trial.clients,
            edits: vec![Vec::new(); clients],
            passed: vec![BTreeSet::new(); clients],
            knows: vec![vec![0; clients]; nodes],
            counted: vec![vec![0; clients]; nodes],
            arrivals: vec![vec![Vec::new(); clients]; if trial.staleness_s.is_some() { clients } else { 0 }],
            learned: vec![Vec::new(); nodes],
            read: BTreeMap::new(),
            by_ids: false,
            backups: BTreeMap::new(),
            rounds: BTreeMap::new(),
            may_have: BTreeMap::new(),
            in_part: BTreeMap::new(),
        }
    }

    /// Whether anybody knows who has which edit.
    pub(super) fn is_measured(&self) -> bool {
        !self.edits.is_empty()
    }

    /// For every edit that its user saw accepted, and every other client: those that never came to have it. Nothing where
    /// it was not measured.
    pub fn undelivered(&self) -> Option<u64> {
        Some(self.shown()? * u64::from(self.clients - 1) - self.histogram.len())
    }

    /// Edits that their users saw accepted, and that some replica never came to have. Nothing where it was not measured.
    pub fn unconverged(&self) -> Option<u64> {
        Some(self.shown()? - self.convergence.histogram.len())
    }

    /// When each edit of an author was made, and when it came to another client: at the end of all time if it never did.
    /// Without those that nobody waits for. Nothing where that was not measured.
    pub(super) fn times(&self, author: NodeId, client: NodeId) -> Option<impl Iterator<Item = (Time, Time)>> {
        let (author, arrivals) = (author as usize, self.arrivals.get(client as usize)?);
        let arrived = move |edit: usize| arrivals[author].get(edit).copied().unwrap_or(Time::MAX);
        let waited = (0..)
            .zip(&self.edits[author])
            .filter(move |(edit, (_, id))| id.is_some() && !self.passed[author].contains(edit));
        Some(waited.map(move |(edit, &(at, _))| (at, arrived(edit as usize))))
    }

    fn shown(&self) -> Option<u64> {
        let shown = |edits: &Vec<(Time, Option<OpId>)>| edits.iter().filter(|(_, id)| id.is_some()).count() as u64;
        (!self.edits.is_empty()).then(|| self.edits.iter().map(shown).sum())
    }

    /// How old an edit is now, in milliseconds, if it is waited for.
    fn age(&self, client: usize, edit: u32, now: Time) -> Option<u64> {
        let (at, id) = self.edits[client][edit as usize];
        let waited = id.is_some() && !self.passed[client].contains(&edit);
        waited.then(|| now.saturating_sub(at) / 1000)
    }

    /// Whether nodes told ids: then what they have was looked up, and not counted.
    pub(super) fn goes_by_ids(&self) -> bool {
        self.by_ids
    }

    /// So many edits of each client are in the state of a node.
    pub(super) fn known_to(&self, node: NodeId) -> Option<&[u32]> {
        self.knows.get(node as usize).map(Vec::as_slice)
    }

    /// What a node had of each client's edits when its last backup was taken.
    pub(super) fn backup_of(&self, node: NodeId) -> Option<&[u32]> {
        Some(&self.backups.get(&node)?.knows)
    }

    /// How many replicas have ever shown a client's edit, its author's included.
    pub(super) fn shown_by(&self, client: NodeId, edit: u32) -> u32 {
        let others = self.counted.iter().filter(|counted| counted[client as usize] > edit);
        1 + others.count() as u32
    }

    /// What the round tells whose message is sent now. It travels with the message, for this observer alone.
    pub(super) fn carried(&mut self, from: NodeId, to: NodeId, round: Round) -> Option<Knowledge> {
        if round.begins {
            self.began(from, to);
        }
        let told = self.rounds.get(&(from, to))?;
        Some(Knowledge { ends: round.ends, ..told.clone() })
    }

    /// A user edits; without an id, it saw nothing.
    fn edited(&mut self, client: NodeId, at: Time, id: Option<OpId>) {
        let Some(edits) = self.edits.get_mut(client as usize) else { return };
        if id.is_none() {
            self.passed[client as usize].insert(edits.len() as u32);
        }
        edits.push((at, id));
        self.knows[client as usize][client as usize] += 1;
    }

    /// A node has a client's edits up to this one.
    fn has(&mut self, node: NodeId, client: u32, edits: u32, now: Time) {
        let (place, of) = (node as usize, client as usize);
        if edits <= self.knows[place][of] {
            return;
        }
        self.knows[place][of] = edits;
        self.shows(node, client, edits, now);
    }

    /// A node shows a client's edits up to this one.
    fn shows(&mut self, node: NodeId, client: u32, edits: u32, now: Time) {
        let (place, of) = (node as usize, client as usize);
        let before = self.counted[place][of];
        if node == client || edits <= before {
            return;
        }
        self.counted[place][of] = edits;
        if let Some(arrivals) = self.arrivals.get_mut(place) {
            arrivals[of].resize(edits as usize, now);
        }
        if node < self.clients {
            for edit in before..edits {
                if let Some(age) = self.age(of, edit, now) {
                    self.histogram.record(age).expect("it grows as it must");
                }
            }
        }
        if self.convergence.waits_for(of, before) {
            self.converge(of, now);
        }
    }

    /// The node of which most waited for a client's edits has more of them.
    fn converge(&mut self, of: usize, now: Time) {
        let others = self.counted.iter().enumerate().filter(|&(node, _)| node != of);
        let least = others.map(|(_, counted)| counted[of]).min().unwrap_or(0);
        for edit in self.convergence.reached(of, least) {
            if let Some(age) = self.age(of, edit, now) {
                self.convergence.histogram.record(age).expect("it grows as it must");
            }
        }
    }

    /// A node took a message of a round that tells this.
    fn took(&mut self, node: NodeId, carries: &Knowledge, now: Time) {
        if !carries.ends {
            self.took_part(node, carries);
            return;
        }
        for (client, &edits) in carries.certain.iter().enumerate() {
            self.has(node, client as u32, edits, now);
        }
        if let Some(possible) = &carries.possible {
            self.may_have(node, possible, now);
        }
    }

    /// A node may have this. Its power failed over a message that brought it, and the node may have stored the message: then
    /// nobody sends it again, and nothing else tells that it came. So it counts as shown, there and wherever it goes on to, and
    /// never as held.
    fn may_have(&mut self, node: NodeId, brings: &[u32], now: Time) {
        raise(self.may_have.entry(node).or_default(), brings);
        for (client, &edits) in brings.iter().enumerate() {
            self.shows(node, client as u32, edits, now);
        }
    }

    /// A node took a part of a round: nobody knows which of the round's edits were in it.
    fn took_part(&mut self, node: NodeId, carries: &Knowledge) {
        let brings = carries.possible.as_ref().unwrap_or(&carries.certain);
        if brings.iter().zip(&self.knows[node as usize]).any(|(brings, had)| brings > had) {
            raise(self.in_part.entry(node).or_default(), brings);
        }
    }

    /// All that a node can have, where that is more than what it has for certain.
    fn possible(&mut self, node: NodeId) -> Option<Arc<[u32]>> {
        let knows = &self.knows[node as usize];
        let mut possible = knows.clone();
        for beside in [&mut self.may_have, &mut self.in_part] {
            if let Some(beside) = beside.get(&node) {
                raise(&mut possible, beside);
            }
        }
        if possible == *knows {
            self.may_have.remove(&node);
            self.in_part.remove(&node);
            return None;
        }
        Some(possible.into())
    }

    /// A node begins a round. Where its power fails over that, what it sends once it is on again may be this round.
    pub(super) fn began(&mut self, from: NodeId, to: NodeId) {
        if let Some(knows) = self.knows.get(from as usize) {
            let known = Knowledge { certain: knows.as_slice().into(), possible: self.possible(from), ends: false };
            self.rounds.insert((from, to), known);
        }
    }

    /// A node that has ids may have more of them, in a log of this length.
    fn serves(&mut self, node: NodeId, held: &Replica<'_>, length: u64, now: Time) {
        let learned = &mut self.learned[node as usize];
        while learned.last().is_some_and(|&(position, ..)| position > length) {
            learned.pop();
        }
        for client in 0..self.clients {
            let (of, before) = (client as usize, self.knows[node as usize][client as usize]);
            let mut edits = before;
            while let Some((_, id)) = self.edits[of].get(edits as usize)
                && (self.passed[of].contains(&edits) || id.is_some_and(|id| held.has(id)))
            {
                edits += 1;
            }
            if edits > before {
                self.has(node, client, edits, now);
                self.learned[node as usize].push((length, client, edits));
            }
        }
    }

    /// A leaf has its parent's log up to a position.
    fn follows(&mut self, node: NodeId, parent: NodeId, position: u64, now: Time) {
        let mut place = self.read.get(&(node, parent)).copied().unwrap_or(0);
        while let Some(&(_, client, edits)) =
            self.learned[parent as usize].get(place).filter(|(learned, ..)| *learned <= position)
        {
            self.has(node, client, edits, now);
            place += 1;
        }
        self.read.insert((node, parent), place);
    }

    /// This edit of a client may be lost: who does not have it is not waited for.
    fn lost(&mut self, client: NodeId, edit: usize) {
        if let Some(passed) = self.passed.get_mut(client as usize) {
            passed.insert(edit as u32);
        }
    }

    /// A node has only this any more, and its own.
    fn set_back(&mut self, node: NodeId, mut knows: Vec<u32>) {
        if let Some(edits) = self.edits.get(node as usize) {
            knows[node as usize] = edits.len() as u32;
        }
        self.knows[node as usize] = knows;
        self.may_have.remove(&node);
        self.in_part.remove(&node);
        self.read.retain(|&(leaf, parent), _| leaf != node && parent != node);
    }

    /// A node lost all that it had.
    fn wiped(&mut self, node: NodeId) {
        if !self.knows.is_empty() {
            self.learned[node as usize].clear();
            self.set_back(node, vec![0; self.clients as usize]);
        }
    }

    /// What the rounds of a node tell, by receiver.
    fn rounds_of(&self, node: NodeId) -> Vec<(NodeId, Knowledge)> {
        let of_node = self.rounds.range((node, 0)..=(node, NodeId::MAX));
        of_node.map(|(&(_, to), told)| (to, told.clone())).collect()
    }

    /// A node's rounds are these any more.
    fn goes_on_with(&mut self, node: NodeId, rounds: Vec<(NodeId, Knowledge)>) {
        self.rounds.retain(|&(from, _), _| from != node);
        self.rounds.extend(rounds.into_iter().map(|(to, told)| ((node, to), told)));
    }

    /// A backup was taken of a node.
    fn backed_up(&mut self, node: NodeId) {
        if let Some(knows) = self.knows.get(node as usize).cloned() {
            self.backups.insert(node, Backup { knows, rounds: self.rounds_of(node) });
        }
    }

    /// A node was set back to its backup.
    fn restored(&mut self, node: NodeId) {
        if let Some(Backup { knows, rounds }) = self.backups.get(&node).cloned() {
            self.goes_on_with(node, rounds);
            self.set_back(node, knows);
        }
    }

    /// A client's device was set up from another's.
    fn copied(&mut self, from: NodeId, to: NodeId, now: Time) {
        if self.knows.is_empty() {
            return;
        }
        self.goes_on_with(to, self.rounds_of(from));
        self.set_back(to, vec![0; self.clients as usize]);
        for (client, edits) in self.knows[from as usize].clone().into_iter().enumerate() {
            self.has(to, client as u32, edits, now);
        }
    }
}

impl Staleness {
    /// A node took a message: it may have edits that it had not.
    fn learns(&mut self, to: NodeId, replica: &Replica<'_>, carries: Option<&Knowledge>, now: Time) {
        let reached = replica.reached();
        self.by_ids |= reached.is_some();
        match reached {
            Some(Reached::Own(length)) => self.serves(to, replica, length, now),
            Some(Reached::Of(parent, position)) => self.follows(to, parent, position, now),
            Some(Reached::Nothing) => {}
            None => {
                if let Some(carries) = carries {
                    self.took(to, carries, now);
                }
            }
        }
    }
}

impl Observer for Staleness {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        if self.edits.is_empty() {
            return;
        }
        match *event {
            Event::Edited { client, edit, accepted, sighting, .. } => {
                // What changes nothing need not be told.
                self.edited(client, edit.at, accepted.filter(|_| data::was_meant(sighting, edit.intent)));
            }
            Event::EditLost { client, number, .. } => self.lost(client, number),
            Event::Received { to, reception: Reception::Taken, carries, replica: Some(replica), .. } => {
                self.learns(to, &replica, carries, now);
            }
            Event::Received { to, carries: Some(carries), replica: None, .. } if carries.ends => {
                self.may_have(to, carries.possible.as_ref().unwrap_or(&carries.certain), now);
            }
            Event::Received { to, carries: Some(carries), replica: None, .. } => self.took_part(to, carries),
            Event::BackedUp { node } => self.backed_up(node),
            Event::StoreLost { node } => self.wiped(node),
            Event::StoreSetBack { node } => self.restored(node),
            Event::StoreCopied { from, to } => self.copied(from, to, now),
            _ => {}
        }
    }
}

/// Each number becomes the larger one of both.
fn raise(numbers: &mut Vec<u32>, others: &[u32]) {
    numbers.resize(numbers.len().max(others.len()), 0);
    numbers.iter_mut().zip(others).for_each(|(number, &other)| *number = other.max(*number));
}

#[cfg(test)]
impl From<Vec<u32>> for Knowledge {
    fn from(edits: Vec<u32>) -> Self {
        Knowledge { certain: edits.into(), possible: None, ends: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::history::{Fate, UserEdit};
    use crate::domain::offline::Presence;
    use crate::domain::seed::Seed;
    use crate::engine;
    use crate::engine::delta_summary::log::Delta;
    use crate::engine::delta_summary::message::Message;
    use crate::engine::delta_summary::sums::{Changes, Edit};
    use crate::engine::host::{Entropy, Host};
    use crate::engine::port::Relation;
    use crate::engine::store::Owner;
    use crate::engine::store::disk::Disk;
    use crate::engine::vector::Actor;
    use crate::lab::tests::trial;
    use crate::lab::{World, settings};
    use crate::scenario::offline::SECOND;

    fn edit(sequence: u64) -> OpId {
        OpId { actor: Actor { client: 0, incarnation: 1 }, sequence }
    }

    #[test]
    fn a_delta_that_was_lost_has_not_come_with_the_later_one_that_did() {
        let trial = trial(1);
        let (hub, mut staleness) = (trial.clients, Staleness::of(&trial, true));
        let owner = Owner { scenario: 1, client: hub };
        let mut host = Host::new(Disk::new(owner), Entropy::Drawn(Box::new(Seed::new(1).stream("entropy"))));
        let right = engine::find("delta-summary").expect("an engine");
        let mut node = right.open.node(&settings(&trial, None)(hub), &mut host).expect("a hub");
        node.connected(&mut host, 0, Relation::Child).expect("a disk");
        for sequence in 1..=2 {
            staleness.edited(0, 0, Some(edit(sequence)));
        }
        let mut arrives = |sequence, now| {
            let delta = Delta {
                author: edit(1).actor,
                first: sequence,
                last: sequence,
                changes: Changes::of(&[Edit { register: 0, amount: 1 }]),
            };
            let (frame, _) = Message::Deltas(vec![delta]).body().framed(0);
            node.receive(&mut host, 0, &frame.bytes).expect("a disk");
            let Some(Reached::Own(length)) = node.reached() else { panic!("it serves") };
            staleness.serves(hub, &Replica(node.as_ref()), length, now);
            staleness.follows(1, hub, length, now);
            (staleness.histogram.len(), staleness.undelivered())
        };
        assert_eq!(arrives(2, 1_000_000), (0, Some(6)));
        assert_eq!(arrives(1, 9_000_000), (2, Some(4)));
        assert_eq!((staleness.histogram.min() / 10, staleness.histogram.max() / 10), (900, 900));
    }

    #[test]
    fn a_leaf_has_what_its_parent_had_at_its_position_and_no_more() {
        let mut staleness = Staleness::of(&trial(1), true);
        (0..3).for_each(|sequence| staleness.edited(0, sequence * 1_000_000, Some(edit(sequence + 1))));
        staleness.learned[4] = vec![(5, 0, 1), (9, 0, 3)];
        staleness.follows(1, 4, 8, 10_000_000);
        assert_eq!((staleness.known_to(1).map(|knows| knows[0]), staleness.histogram.len()), (Some(1), 1));
        staleness.follows(1, 4, 9, 20_000_000);
        assert_eq!((staleness.known_to(1).map(|knows| knows[0]), staleness.histogram.len()), (Some(3), 3));
    }

    #[test]
    fn who_was_wiped_knows_nothing_and_what_comes_again_counts_no_second_time() {
        let mut staleness = Staleness::of(&trial(1), true);
        staleness.edited(0, 0, Some(edit(1)));
        let all: Knowledge = vec![1, 0, 0, 0].into();
        staleness.took(1, &all, 1_000_000);
        staleness.wiped(1);
        assert_eq!(staleness.known_to(1), Some(&[0; 4][..]));
        staleness.took(1, &all, 9_000_000);
        assert_eq!((staleness.histogram.len(), staleness.histogram.max() / 10), (1, 100));
        assert_eq!(staleness.undelivered(), Some(2));
    }

    #[test]
    fn a_device_that_is_set_back_or_copied_goes_on_with_the_rounds_of_that_store() {
        let mut staleness = Staleness::of(&trial(1), true);
        let ends = |staleness: &mut Staleness, from| {
            let told = staleness.carried(from, 4, Round { begins: false, ends: true });
            told.filter(Knowledge::ends).map(|told| told.certain[0])
        };
        let edits = |staleness: &mut Staleness| {
            staleness.edited(0, 0, Some(edit(1)));
            staleness.began(0, 4);
        };
        edits(&mut staleness);
        staleness.backed_up(0);
        edits(&mut staleness);
        staleness.copied(0, 1, 0);
        staleness.restored(0);
        assert_eq!([0, 1, 2].map(|client| ends(&mut staleness, client)), [Some(1), Some(2), None]);
    }

    #[test]
    fn what_a_relay_tells_before_a_round_is_over_may_have_all_of_the_round_and_the_relay_itself_shows_none_of_it() {
        let mut staleness = Staleness::of(&trial(1), true);
        staleness.edited(0, 0, Some(edit(1)));
        let round = |begins, ends| Round { begins, ends };
        let part = staleness.carried(0, 4, round(true, false)).expect("a round");
        staleness.took(4, &part, 1_000_000);
        assert_eq!((staleness.known_to(4).map(|knows| knows[0]), staleness.shown_by(0, 0)), (Some(0), 1));
        let told = staleness.carried(4, 1, round(true, true)).expect("a round");
        staleness.took(1, &told, 2_000_000);
        // It came to client 1, as far as anybody can tell, and nobody holds it for certain.
        assert_eq!((staleness.known_to(1).map(|knows| knows[0]), staleness.shown_by(0, 0)), (Some(0), 2));
        staleness.set_back(4, vec![0; 4]);
        let told = staleness.carried(4, 2, round(true, true)).expect("a round");
        staleness.took(2, &told, 3_000_000);
        assert_eq!(staleness.shown_by(0, 0), 2, "who is set back has no part of a round any more");
    }

    #[test]
    fn an_edit_converges_once_and_with_the_last_of_all_replicas_be_it_the_hub_that_lost_another() {
        let mut staleness = Staleness::of(&trial(1), true);
        (1..=2).for_each(|sequence| staleness.edited(0, sequence * 1_000_000, Some(edit(sequence))));
        let upto = |edits| -> Knowledge { vec![edits, 0, 0, 0].into() };
        let told = |staleness: &Staleness| (staleness.convergence.histogram.len(), staleness.unconverged());
        staleness.took(4, &upto(1), 2_000_000);
        (1..4).for_each(|client| staleness.took(client, &upto(2), 5_000_000));
        assert_eq!(told(&staleness), (1, Some(1)), "the hub lacks the second");
        staleness.wiped(4);
        staleness.took(4, &upto(1), 7_000_000);
        assert_eq!(told(&staleness), (1, Some(1)), "the first came again");
        staleness.took(4, &upto(2), 9_000_000);
        assert_eq!(told(&staleness), (2, Some(0)));
        let histogram = &staleness.convergence.histogram;
        assert_eq!((histogram.min() / 10, histogram.max() / 10), (400, 700));
    }

    #[test]
    fn an_edit_that_is_lost_with_its_device_is_undelivered_and_stands_in_no_other_ones_way() {
        let mut staleness = Staleness::of(&trial(1), true);
        (1..=3).for_each(|sequence| staleness.edited(0, 0, Some(edit(sequence))));
        let first: Knowledge = vec![1, 0, 0, 0].into();
        staleness.took(4, &first, 1_000_000);
        // The hub has the first, and nobody the second.
        staleness.lost(0, 1);
        let all: Knowledge = vec![3, 0, 0, 0].into();
        (1..4).for_each(|client| staleness.took(client, &all, 1_000_000));
        assert_eq!((staleness.histogram.len(), staleness.undelivered()), (6, Some(3)));
        staleness.took(4, &all, 1_000_000);
        assert_eq!((staleness.convergence.histogram.len(), staleness.unconverged()), (2, Some(1)));
    }

    #[test]
    fn an_edit_is_as_old_as_it_is_though_its_device_was_alone_until_long_after_it() {
        let mut apart = trial(1);
        apart.presence = Presence { lasts_s: 1000, away_s: (1 << 30, 1 << 30), here_s: (1, 1) };
        let edit = UserEdit { at: 10 * SECOND, register: 3, intent: Intent::Increase(1), fate: Fate::Binding };
        for name in ["delta-summary", "lww-arrival", "reconciliation"] {
            let found = engine::find(name).expect("an engine");
            let world = World::new(&apart, found, &settings(&apart, None)).expect("a world");
            let users = vec![vec![edit], Vec::new(), Vec::new(), Vec::new()];
            let outcome = world.with_users(users).run(&mut crate::domain::watch::Unwatched).expect("it ends");
            let staleness = outcome.measures.staleness;
            assert_eq!((staleness.histogram.len(), staleness.undelivered()), (3, Some(0)), "{name}");
            // Everyone is connected after 1000 s.
            let (least, most) = (staleness.histogram.min(), staleness.histogram.max());
            assert!((989_000..996_000).contains(&least) && most < 996_000, "{name}: {least} to {most} ms");
        }
    }

    #[test]
    fn in_a_quiescent_world_an_edit_is_as_stale_as_the_ways_to_the_hub_and_on_take() {
        let mut quiescent = trial(1);
        (quiescent.presence, quiescent.workload.ticks) =
            (Presence { lasts_s: 1000, away_s: (0, 0), here_s: (1000, 1000) }, 2);
        for name in ["delta-summary", "lww-arrival", "reconciliation"] {
            let found = engine::find(name).expect("an engine");
            let world = World::new(&quiescent, found, &settings(&quiescent, None)).expect("a world");
            let outcome = world.run(&mut crate::domain::watch::Unwatched).expect("it ends");
            let staleness = &outcome.measures.staleness;
            // 4 clients with 6 edits each, of which 3 others hear; each waits for more for a second here and at the hub,
            // and travels for 20 ms twice.
            assert_eq!((staleness.histogram.len(), staleness.undelivered()), (72, Some(0)), "{name}");
            let (least, most) = (staleness.histogram.min(), staleness.histogram.max());
            assert!((1000..2100).contains(&least) && (2000..2200).contains(&most), "{name}: {least} to {most}");
        }
    }
}
