//! Who holds which edits. Every observer that asks asks here.
//!
//! Who has an edit is seen in one of two ways. Where an engine tells ids: who serves has the ids, and a leaf has what its
//! parent had at the position that its cursor stands for. A delta that was overtaken by a later one, or of which fragments
//! are missing, has not come. Where an engine tells no ids: each of its messages is made of all that its sender has and the
//! neighbour has not acknowledged, and whoever takes the last one of a round has every edit that had gone into its sender's
//! state, though a merge may have made nothing of it. Whoever took a part of the round may have any of them, and may pass
//! them on.
//!
//! A device that loses its store, or is set back, goes on with edits that are made without those before. Whoever has one of
//! the new ones need not have the lost ones, though others may, and give them back. So each loss begins a new stretch of the
//! device's edits, and what somebody has is counted stretch by stretch: one edit is held where all before it in its stretch
//! are, but for those that nobody waits for.
//!
//! Knows: who took what from whom, whose stores were lost, and ids where they are told. Must not: know times, or judge.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::domain::history::{Had, Stretch};
use crate::domain::offline::{MOST_WATCHED, OfflineTrial};
use crate::engine::host::{NodeId, OpId, Round};
use crate::engine::port::{Reached, Reception};
use crate::lab::events::{Event, Replica};

/// By stretch, up to which edit of its device, that one excluded. Of stretches that are not in it: nothing.
type Upto = [u32];

/// What a message tells whoever takes it.
#[derive(Clone, Debug)]
pub struct Knowledge {
    certain: Arc<Upto>,
    /// The same with what a node may have without anybody's knowledge, where that is more.
    possible: Option<Arc<Upto>>,
    /// Whether the round that tells it ends with the message that carries it.
    ends: bool,
}

impl Knowledge {
    /// Whether whoever takes the message has all of it.
    pub(super) fn ends(&self) -> bool {
        self.ends
    }

    fn at_most(&self) -> &Upto {
        self.possible.as_ref().unwrap_or(&self.certain)
    }
}

/// A node shows edits of a stretch that it had not shown before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) node: NodeId,
    pub(super) stretch: usize,
    /// By number of the device.
    pub(super) edits: Range<u32>,
}

/// What a store has, and by receiver what its rounds tell.
#[derive(Clone, Debug, Default)]
struct Store {
    holds: Vec<u32>,
    rounds: Vec<(NodeId, Knowledge)>,
}

/// From this position of a log on, a stretch is in it up to this edit.
type Learned = (u64, usize, u32);

/// By node, what it has. Empty in a world of more clients than are watched.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Whether the engine tells who takes what.
    reports: bool,
    /// First those that begin with their device's first edit, by device.
    stretches: Vec<Stretch>,
    /// The others, as sightings have them.
    later: Arc<[Stretch]>,
    /// By client, its stretches, ascending.
    of_client: Vec<Vec<usize>>,
    /// By client, what each edit is called; nothing where the user did not see it accepted.
    edits: Vec<Vec<Option<OpId>>>,
    /// By client, edits that are not waited for: they were never shown, or are lost with the stores that had them.
    passed: Vec<BTreeSet<u32>>,
    /// By node and stretch: what it has, and what it has ever shown of others.
    holds: Vec<Vec<u32>>,
    shown: Vec<Vec<u32>>,
    /// By serving node, what its log has from which position on; and up to where each leaf has read that.
    learned: Vec<Vec<Learned>>,
    read: BTreeMap<(NodeId, NodeId), usize>,
    backups: BTreeMap<NodeId, Store>,
    /// What is told by the round that is under way, or ended last, by sender and receiver.
    rounds: BTreeMap<(NodeId, NodeId), Knowledge>,
    /// By node, what it may have beside what it has for certain: its power failed over a message that brought it.
    may_have: BTreeMap<NodeId, Vec<u32>>,
    /// By node, what rounds that did not end may have brought it. It counts as shown where it is passed on to.
    in_part: BTreeMap<NodeId, Vec<u32>>,
    news: Vec<Shown>,
}

impl Holdings {
    /// Nobody has anything.
    pub(super) fn of(trial: &OfflineTrial, reports: bool) -> Self {
        let watched = trial.clients <= MOST_WATCHED;
        let [clients, nodes] = [trial.clients, trial.nodes()].map(|count| if watched { count as usize } else { 0 });
        Holdings {
            reports,
            stretches: (0..clients).map(|device| Stretch { device, first: 0 }).collect(),
            of_client: (0..clients).map(|client| vec![client]).collect(),
            edits: vec![Vec::new(); clients],
            passed: vec![BTreeSet::new(); clients],
            holds: vec![vec![0; clients]; nodes],
            shown: vec![vec![0; clients]; nodes],
            learned: vec![Vec::new(); nodes],
            ..Holdings::default()
        }
    }

    /// Whether anybody knows who has which edit.
    pub(super) fn are_known(&self) -> bool {
        self.reports && !self.edits.is_empty()
    }

    /// Edits that their users saw accepted.
    pub(super) fn accepted(&self) -> u64 {
        self.edits.iter().flatten().flatten().count() as u64
    }

    /// Whether others wait for an edit.
    pub(super) fn is_waited_for(&self, client: NodeId, edit: u32) -> bool {
        let accepted = self.edits[client as usize].get(edit as usize).is_some_and(Option::is_some);
        accepted && !self.passed[client as usize].contains(&edit)
    }

    /// The device whose edits are in a stretch.
    pub(super) fn device(&self, stretch: usize) -> NodeId {
        self.stretches[stretch].device as NodeId
    }

    /// Whether a node has an edit; nothing where nobody knows.
    pub(super) fn holds(&self, node: NodeId, client: NodeId, edit: u32) -> Option<bool> {
        self.are_known().then(|| self.includes(&self.holds[node as usize], client, edit))
    }

    /// Whether an edit is in the last backup of a node.
    pub(super) fn backup_holds(&self, node: NodeId, client: NodeId, edit: u32) -> bool {
        self.backups.get(&node).is_some_and(|backup| self.includes(&backup.holds, client, edit))
    }

    /// How many replicas have ever shown a client's edit, its author's included.
    pub(super) fn shown_by(&self, client: NodeId, edit: u32) -> u32 {
        let others = self.shown.iter().filter(|shown| self.includes(shown, client, edit));
        1 + others.count() as u32
    }

    /// Up to which edit of a stretch every node but its author has ever shown all.
    pub(super) fn shown_everywhere(&self, stretch: usize) -> u32 {
        let device = self.stretches[stretch].device;
        let others = self.shown.iter().enumerate().filter(|&(node, _)| node != device);
        others.map(|(_, shown)| upto(shown, stretch)).min().unwrap_or(0)
    }

    /// What a node has for certain, for the specification of what means what is shown.
    pub(super) fn had_by(&self, node: NodeId) -> Had {
        let mut had = self.holds.get(node as usize).cloned().unwrap_or_default();
        had.resize(self.stretches.len(), 0);
        Had::upto(&had, self.later.clone())
    }

    /// What nodes have come to show since somebody asked last.
    pub(super) fn news(&mut self) -> Vec<Shown> {
        std::mem::take(&mut self.news)
    }

    fn includes(&self, held: &Upto, client: NodeId, edit: u32) -> bool {
        let stretches = &self.of_client[client as usize];
        let begun = stretches.partition_point(|&stretch| self.stretches[stretch].first <= edit);
        upto(held, stretches[begun - 1]) > edit
    }

    /// Up to which edit a stretch goes.
    fn end(&self, stretch: usize) -> u32 {
        let device = self.stretches[stretch].device;
        let mut stretches = self.of_client[device].iter().skip_while(|&&other| other <= stretch);
        stretches.next().map_or(self.edits[device].len() as u32, |&next| self.stretches[next].first)
    }

    /// What the round tells whose message is sent now. It travels with the message, for observers alone.
    pub(super) fn carried(&mut self, from: NodeId, to: NodeId, round: Round) -> Option<Knowledge> {
        if round.begins {
            self.began(from, to);
        }
        let told = self.rounds.get(&(from, to))?;
        Some(Knowledge { ends: round.ends, ..told.clone() })
    }

    /// A node begins a round. Where its power fails over that, what it sends once it is on again may be this round.
    pub(super) fn began(&mut self, from: NodeId, to: NodeId) {
        if let Some(holds) = self.holds.get(from as usize).filter(|_| self.reports) {
            let certain = holds.as_slice().into();
            let known = Knowledge { certain, possible: self.possible(from), ends: false };
            self.rounds.insert((from, to), known);
        }
    }

    /// A user edits; without an id, it saw nothing.
    fn edited(&mut self, client: NodeId, id: Option<OpId>) {
        let edits = &mut self.edits[client as usize];
        if id.is_none() {
            self.passed[client as usize].insert(edits.len() as u32);
        }
        edits.push(id);
        let made = edits.len() as u32;
        if let Some(&stretch) = self.of_client[client as usize].last() {
            raise(&mut self.holds[client as usize], stretch, made);
        }
    }

    /// A node has a stretch up to this edit.
    fn has(&mut self, node: NodeId, stretch: usize, edits: u32) {
        if raise(&mut self.holds[node as usize], stretch, edits) {
            self.shows(node, stretch, edits);
        }
    }

    /// A node shows a stretch up to this edit.
    fn shows(&mut self, node: NodeId, stretch: usize, edits: u32) {
        let Stretch { device, first } = self.stretches[stretch];
        let before = upto(&self.shown[node as usize], stretch).max(first);
        let is_new = device != node as usize && raise(&mut self.shown[node as usize], stretch, edits) && before < edits;
        if is_new && self.reports {
            self.news.push(Shown { node, stretch, edits: before..edits });
        }
    }

    /// A node took a message of a round that tells this.
    fn took(&mut self, node: NodeId, carries: &Knowledge) {
        if !carries.ends {
            self.took_part(node, carries);
            return;
        }
        for (stretch, &edits) in carries.certain.iter().enumerate() {
            self.has(node, stretch, edits);
        }
        if let Some(possible) = &carries.possible {
            self.may_have(node, possible);
        }
    }

    /// A node may have this. Its power failed over a message that brought it, and the node may have stored the message: then
    /// nobody sends it again, and nothing else tells that it came. So it counts as shown, there and wherever it goes on to, and
    /// never as held.
    fn may_have(&mut self, node: NodeId, brings: &Upto) {
        raise_all(self.may_have.entry(node).or_default(), brings);
        for (stretch, &edits) in brings.iter().enumerate() {
            self.shows(node, stretch, edits);
        }
    }

    /// A node took a part of a round: nobody knows which of the round's edits were in it.
    fn took_part(&mut self, node: NodeId, carries: &Knowledge) {
        if is_more(carries.at_most(), &self.holds[node as usize]) {
            raise_all(self.in_part.entry(node).or_default(), carries.at_most());
        }
    }

    /// All that a node can have, where that is more than what it has for certain.
    fn possible(&mut self, node: NodeId) -> Option<Arc<Upto>> {
        if self.may_have.is_empty() && self.in_part.is_empty() {
            return None;
        }
        let holds = &self.holds[node as usize];
        let mut possible = holds.clone();
        for beside in [&self.may_have, &self.in_part] {
            if let Some(beside) = beside.get(&node) {
                raise_all(&mut possible, beside);
            }
        }
        if !is_more(&possible, holds) {
            self.may_have.remove(&node);
            self.in_part.remove(&node);
            return None;
        }
        Some(possible.into())
    }

    /// A node that has ids may have more of them, in a log of this length.
    fn serves(&mut self, node: NodeId, replica: &Replica<'_>, length: u64) {
        let learned = &mut self.learned[node as usize];
        while learned.last().is_some_and(|&(position, ..)| position > length) {
            learned.pop();
        }
        for stretch in 0..self.stretches.len() {
            let Stretch { device, first } = self.stretches[stretch];
            let before = upto(&self.holds[node as usize], stretch).max(first);
            let (mut edits, end) = (before, self.end(stretch));
            while edits < end
                && let Some(id) = self.edits[device].get(edits as usize)
                && (self.passed[device].contains(&edits) || id.is_some_and(|id| replica.has(id)))
            {
                edits += 1;
            }
            if edits > before {
                self.has(node, stretch, edits);
                self.learned[node as usize].push((length, stretch, edits));
            }
        }
    }

    /// A leaf has its parent's log up to a position.
    fn follows(&mut self, node: NodeId, parent: NodeId, position: u64) {
        let mut place = self.read.get(&(node, parent)).copied().unwrap_or(0);
        while let Some(&(_, stretch, edits)) =
            self.learned[parent as usize].get(place).filter(|(learned, ..)| *learned <= position)
        {
            self.has(node, stretch, edits);
            place += 1;
        }
        self.read.insert((node, parent), place);
    }

    /// A node took a message: it may have edits that it had not.
    fn learns(&mut self, to: NodeId, replica: &Replica<'_>, carries: Option<&Knowledge>) {
        match replica.reached() {
            Some(Reached::Own(length)) => self.serves(to, replica, length),
            Some(Reached::Of(parent, position)) => self.follows(to, parent, position),
            Some(Reached::Nothing) => {}
            None => {
                if let Some(carries) = carries {
                    self.took(to, carries);
                }
            }
        }
    }

    /// What a node's store has.
    fn store_of(&self, node: NodeId) -> Store {
        let rounds = self.rounds.range((node, 0)..=(node, NodeId::MAX));
        let rounds = rounds.map(|(&(_, to), told)| (to, told.clone())).collect();
        Store { holds: self.holds[node as usize].clone(), rounds }
    }

    /// A node's store is replaced by this one.
    fn set_back(&mut self, node: NodeId, Store { holds, rounds }: Store) {
        self.holds[node as usize] = holds;
        self.rounds.retain(|&(from, _), _| from != node);
        self.rounds.extend(rounds.into_iter().map(|(to, told)| ((node, to), told)));
        self.may_have.remove(&node);
        self.in_part.remove(&node);
        self.read.retain(|&(leaf, parent), _| leaf != node && parent != node);
        if let Some(stretches) = self.of_client.get_mut(node as usize) {
            stretches.push(self.stretches.len());
            let begun = Stretch { device: node as usize, first: self.edits[node as usize].len() as u32 };
            self.stretches.push(begun);
            self.later = self.stretches[self.of_client.len()..].into();
        }
    }

    /// A client's device was set up from another's.
    fn copied(&mut self, from: NodeId, to: NodeId) {
        let Store { holds, rounds } = self.store_of(from);
        self.set_back(to, Store { holds: Vec::new(), rounds });
        for (stretch, edits) in holds.into_iter().enumerate() {
            self.has(to, stretch, edits);
        }
    }

    /// This happens. `accepted` is what an edit is called whose user saw it accepted, and which others wait for.
    pub(super) fn sees(&mut self, event: &Event<'_>, accepted: Option<OpId>) {
        if self.edits.is_empty() {
            return;
        }
        match *event {
            Event::Edited { client, .. } => self.edited(client, accepted),
            Event::EditLost { client, number, .. } => _ = self.passed[client as usize].insert(number as u32),
            Event::Received { to, reception: Reception::Taken, carries, replica: Some(replica), .. }
                if self.reports =>
            {
                self.learns(to, &replica, carries);
            }
            Event::Received { to, carries: Some(carries), replica: None, .. } if carries.ends => {
                self.may_have(to, carries.at_most());
            }
            Event::Received { to, carries: Some(carries), replica: None, .. } => self.took_part(to, carries),
            Event::BackedUp { node } => {
                let store = self.store_of(node);
                self.backups.insert(node, store);
            }
            Event::StoreLost { node } => {
                self.learned[node as usize].clear();
                self.set_back(node, Store::default());
            }
            Event::StoreSetBack { node } => {
                if let Some(store) = self.backups.get(&node).cloned() {
                    self.set_back(node, store);
                }
            }
            Event::StoreCopied { from, to } => self.copied(from, to),
            _ => {}
        }
    }
}

fn upto(held: &Upto, stretch: usize) -> u32 {
    held.get(stretch).copied().unwrap_or(0)
}

/// Whether one has an edit that the other lacks.
fn is_more(one: &Upto, other: &Upto) -> bool {
    (0..).zip(one).any(|(stretch, &edits)| edits > upto(other, stretch))
}

/// A stretch is held up to this edit, if not further; gives whether that is more.
fn raise(held: &mut Vec<u32>, stretch: usize, edits: u32) -> bool {
    let is_more = edits > upto(held, stretch);
    if is_more {
        held.resize(held.len().max(stretch + 1), 0);
        held[stretch] = edits;
    }
    is_more
}

fn raise_all(held: &mut Vec<u32>, brings: &Upto) {
    (0..).zip(brings).for_each(|(stretch, &edits)| _ = raise(held, stretch, edits));
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
    use crate::lab::settings;
    use crate::lab::tests::trial;

    const ROUND: Round = Round { begins: true, ends: true };

    fn holdings() -> Holdings {
        Holdings::of(&trial(1), true)
    }

    fn id(sequence: u64) -> OpId {
        OpId { actor: Actor { client: 0, incarnation: 1 }, sequence }
    }

    /// Client 0 edits.
    fn edits(holdings: &mut Holdings) {
        holdings.edited(0, Some(id(holdings.edits[0].len() as u64 + 1)));
    }

    fn happens(holdings: &mut Holdings, event: &Event<'_>) {
        holdings.sees(event, None);
    }

    /// One node talks to another until its round is over.
    fn talks(holdings: &mut Holdings, from: NodeId, to: NodeId) {
        let told = holdings.carried(from, to, ROUND).expect("a round");
        holdings.took(to, &told);
    }

    /// Which of client 0's edits a node has.
    fn has(holdings: &Holdings, node: NodeId) -> Vec<bool> {
        let (had, made) = (holdings.had_by(node), holdings.edits[0].len() as u32);
        let has: Vec<bool> = (0..made).map(|edit| holdings.holds(node, 0, edit).expect("it is known")).collect();
        assert!((0..made).zip(&has).all(|(edit, &has)| had.has(0, edit) == has), "{had:?}");
        has
    }

    #[test]
    fn a_delta_that_was_lost_has_not_come_with_the_later_one_that_did() {
        let trial = trial(1);
        let (hub, mut holdings) = (trial.clients, holdings());
        let owner = Owner { scenario: 1, client: hub };
        let mut host = Host::new(Disk::new(owner), Entropy::Drawn(Box::new(Seed::new(1).stream("entropy"))));
        let right = engine::find("delta-summary").expect("an engine");
        let mut node = right.open.node(&settings(&trial, None)(hub), &mut host).expect("a hub");
        node.connected(&mut host, 0, Relation::Child).expect("a disk");
        (0..2).for_each(|_| edits(&mut holdings));
        let mut arrives = |sequence| {
            let changes = Changes::of(&[Edit { register: 0, amount: 1 }]);
            let delta = Delta { author: id(1).actor, first: sequence, last: sequence, changes };
            let (frame, _) = Message::Deltas(vec![delta]).body().framed(0);
            node.receive(&mut host, 0, &frame.bytes).expect("a disk");
            let Some(Reached::Own(length)) = node.reached() else { panic!("it serves") };
            holdings.serves(hub, &Replica::of(node.as_ref()), length);
            holdings.follows(1, hub, length);
            [has(&holdings, hub), has(&holdings, 1)]
        };
        assert_eq!(arrives(2), [[false; 2]; 2]);
        assert_eq!(arrives(1), [[true; 2]; 2]);
    }

    #[test]
    fn a_leaf_has_what_its_parent_had_at_its_position_and_no_more() {
        let mut holdings = holdings();
        (0..3).for_each(|_| edits(&mut holdings));
        holdings.learned[4] = vec![(5, 0, 1), (9, 0, 3)];
        holdings.follows(1, 4, 8);
        assert_eq!(has(&holdings, 1), [true, false, false]);
        holdings.follows(1, 4, 9);
        assert_eq!(has(&holdings, 1), [true; 3]);
        let shown = |edits| Shown { node: 1, stretch: 0, edits };
        assert_eq!(holdings.news(), [shown(0..1), shown(1..3)]);
    }

    #[test]
    fn a_device_that_is_set_back_or_copied_goes_on_with_the_rounds_of_that_store() {
        let mut holdings = holdings();
        let ends = |holdings: &mut Holdings, from| {
            let told = holdings.carried(from, 4, Round { begins: false, ends: true });
            told.map(|told| told.certain[0])
        };
        edits(&mut holdings);
        holdings.began(0, 4);
        happens(&mut holdings, &Event::BackedUp { node: 0 });
        edits(&mut holdings);
        holdings.began(0, 4);
        happens(&mut holdings, &Event::StoreCopied { from: 0, to: 1 });
        happens(&mut holdings, &Event::StoreSetBack { node: 0 });
        assert_eq!([0, 1, 2].map(|client| ends(&mut holdings, client)), [Some(1), Some(2), None]);
        happens(&mut holdings, &Event::StoreLost { node: 0 });
        assert_eq!(ends(&mut holdings, 0), None);
    }

    #[test]
    fn what_a_relay_tells_before_a_round_is_over_may_have_all_of_the_round_and_the_relay_itself_shows_none_of_it() {
        let mut holdings = holdings();
        edits(&mut holdings);
        let part = holdings.carried(0, 4, Round { begins: true, ends: false }).expect("a round");
        holdings.took(4, &part);
        assert_eq!((has(&holdings, 4), holdings.shown_by(0, 0)), (vec![false], 1));
        talks(&mut holdings, 4, 1);
        // It came to client 1, as far as anybody can tell, and nobody holds it for certain.
        assert_eq!((has(&holdings, 1), holdings.shown_by(0, 0)), (vec![false], 2));
        happens(&mut holdings, &Event::StoreLost { node: 4 });
        talks(&mut holdings, 4, 2);
        assert_eq!(holdings.shown_by(0, 0), 2, "who lost its store has no part of a round any more");
    }

    #[test]
    fn who_has_what_a_device_made_after_it_was_set_back_need_not_have_what_was_lost() {
        let mut holdings = holdings();
        edits(&mut holdings);
        happens(&mut holdings, &Event::BackedUp { node: 0 });
        edits(&mut holdings);
        // Device 1 takes both, the hub nothing yet.
        talks(&mut holdings, 0, 1);
        assert!(!holdings.backup_holds(0, 0, 1) && holdings.backup_holds(0, 0, 0));
        happens(&mut holdings, &Event::StoreSetBack { node: 0 });
        edits(&mut holdings);
        assert_eq!(
            [0, 1, 4].map(|node| has(&holdings, node)),
            [vec![true, false, true], vec![true, true, false], vec![false; 3]]
        );
        talks(&mut holdings, 0, 4);
        assert_eq!(has(&holdings, 4), [true, false, true]);
        assert_eq!([0, 1, 2].map(|edit| holdings.shown_by(0, edit)), [3, 2, 2]);
        // Device 1 gives the lost one back, to the hub and through the hub to its author.
        talks(&mut holdings, 1, 4);
        talks(&mut holdings, 4, 0);
        assert_eq!([0, 1, 4].map(|node| has(&holdings, node)), [vec![true; 3], vec![true, true, false], vec![true; 3]]);
    }

    #[test]
    fn who_was_wiped_has_nothing_and_a_copy_has_what_the_other_had_and_not_its_own() {
        let mut holdings = holdings();
        edits(&mut holdings);
        happens(&mut holdings, &Event::StoreLost { node: 0 });
        // A store that is lost before anything is made again begins a stretch without edits.
        happens(&mut holdings, &Event::StoreLost { node: 0 });
        edits(&mut holdings);
        assert_eq!(has(&holdings, 0), [false, true]);
        talks(&mut holdings, 0, 1);
        happens(&mut holdings, &Event::StoreCopied { from: 1, to: 0 });
        edits(&mut holdings);
        assert_eq!([has(&holdings, 0), has(&holdings, 1)], [[false, true, true], [false, true, false]]);
        happens(&mut holdings, &Event::StoreCopied { from: 2, to: 0 });
        assert_eq!(has(&holdings, 0), [false; 3]);
    }

    #[test]
    fn a_message_tells_what_its_sender_had_when_its_round_began_and_a_part_of_a_round_tells_nothing_for_certain() {
        let mut holdings = holdings();
        edits(&mut holdings);
        let part = holdings.carried(0, 1, Round { begins: true, ends: false }).expect("a round");
        holdings.took(1, &part);
        edits(&mut holdings);
        assert_eq!(has(&holdings, 1), [false, false]);
        let told = holdings.carried(0, 1, Round { begins: false, ends: true }).expect("a round");
        holdings.took(1, &told);
        assert_eq!(has(&holdings, 1), [true, false]);
        let mut untold = Holdings::of(&trial(1), false);
        edits(&mut untold);
        assert!(untold.carried(0, 1, ROUND).is_none() && !untold.are_known(), "the engine's marks say nothing");
        assert!(untold.had_by(0).has(0, 0), "a device has what its user made");
        happens(&mut untold, &Event::StoreCopied { from: 0, to: 1 });
        assert_eq!((untold.had_by(1).has(0, 0), untold.news()), (true, Vec::new()), "nobody knows who shows what");
        let many = OfflineTrial { clients: MOST_WATCHED + 1, ..trial(1) };
        assert!(Holdings::of(&many, true).carried(0, 1, ROUND).is_none(), "too many to be watched");
    }
}
