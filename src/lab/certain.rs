//! Which edits have come to whom for certain, in worlds where edits mean what is shown, or where a store is lost: whoever
//! takes a message that ends a round has all that its sender had when the round began.
//!
//! A device that loses its store, or is set back, goes on with edits that are made without those before. Whoever has one of
//! the new ones need not have the lost ones, though others may, and give them back. So each loss begins a new stretch of the
//! device's edits, and what somebody has is counted stretch by stretch. [`super::staleness`] counts without them: it asks how
//! long an edit takes, and not what a user can have meant.
//!
//! Knows: who took what from whom, and whose stores were lost. Must not: look into a message or a node.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::history::{Had, Stretch};
use crate::domain::offline::{MOST_WATCHED, OfflineTrial};
use crate::engine::host::{NodeId, Round};
use crate::lab::events::Event;

/// Up to which edit of each stretch somebody has all: first those that begin with their device's first edit, by device. Of
/// stretches that are not in it, it has nothing.
pub(super) type Upto = Arc<[u32]>;

/// What a store has, and by receiver what its rounds tell.
#[derive(Clone, Debug)]
struct Store {
    had: Vec<u32>,
    rounds: Vec<(NodeId, Upto)>,
}

/// By node, what it has for certain. Empty in a world of counters of which no store is lost.
#[derive(Debug, Default)]
pub struct Certain {
    clients: usize,
    later: Arc<[Stretch]>,
    /// By client, how many edits it has made, and the number of its stretch.
    made: Vec<(u32, usize)>,
    had: Vec<Vec<u32>>,
    backups: BTreeMap<NodeId, Store>,
    /// What is told by the end of the round that is under way, or ended last, by sender and receiver.
    rounds: BTreeMap<(NodeId, NodeId), Upto>,
    /// Whether the engine says which messages tell all that it has.
    reports: bool,
}

impl Certain {
    /// Nobody has anything.
    pub(super) fn of(trial: &OfflineTrial, loses_stores: bool, reports: bool) -> Self {
        let is_asked = trial.fields().mean_what_is_shown() || (loses_stores && trial.clients <= MOST_WATCHED);
        let [clients, nodes] = [trial.clients, trial.nodes()].map(|count| if is_asked { count as usize } else { 0 });
        let (made, had) = ((0..clients).map(|client| (0, client)).collect(), vec![vec![0; clients]; nodes]);
        Certain { clients, made, had, reports, ..Certain::default() }
    }

    /// What a node has.
    pub(super) fn of_node(&self, node: NodeId) -> Had {
        let mut upto = self.had.get(node as usize).cloned().unwrap_or_default();
        upto.resize(self.clients + self.later.len(), 0);
        Had::upto(&upto, self.later.clone())
    }

    /// Whether a node has an edit for certain; nothing in a world in which nobody asks.
    pub(super) fn has(&self, node: NodeId, client: NodeId, edit: usize) -> Option<bool> {
        Some(self.includes(self.had.get(node as usize)?, client, edit))
    }

    /// Whether a node's backup has an edit for certain; nothing where there is none.
    pub(super) fn backup_has(&self, node: NodeId, client: NodeId, edit: usize) -> Option<bool> {
        Some(self.includes(&self.backups.get(&node)?.had, client, edit))
    }

    fn includes(&self, had: &[u32], client: NodeId, edit: usize) -> bool {
        let stretches = self.later.iter().enumerate().filter(|(_, stretch)| stretch.device == client as usize);
        let begun = stretches.take_while(|(_, stretch)| stretch.first as usize <= edit).last();
        let place = begun.map_or(client as usize, |(number, _)| self.clients + number);
        had.get(place).is_some_and(|&upto| upto as usize > edit)
    }

    /// What whoever takes a message that is sent now has then, if its sender's round ends with it.
    pub(super) fn carried(&mut self, from: NodeId, to: NodeId, round: Round) -> Option<Upto> {
        if round.begins {
            self.began(from, to);
        }
        self.rounds.get(&(from, to)).filter(|_| round.ends && self.reports).cloned()
    }

    /// A node begins a round. Where its power fails over that, what it sends once it is on again may be this round.
    pub(super) fn began(&mut self, from: NodeId, to: NodeId) {
        if let Some(had) = self.had.get(from as usize).filter(|_| self.reports) {
            self.rounds.insert((from, to), had.as_slice().into());
        }
    }

    /// A node took a message that carries this.
    pub(super) fn took(&mut self, to: NodeId, carries: &[u32]) {
        let Some(had) = self.had.get_mut(to as usize) else { return };
        had.resize(had.len().max(carries.len()), 0);
        had.iter_mut().zip(carries).for_each(|(had, &carried)| *had = carried.max(*had));
    }

    fn edited(&mut self, client: NodeId) {
        let Some((made, stretch)) = self.made.get_mut(client as usize) else { return };
        *made += 1;
        let had = &mut self.had[client as usize];
        had.resize(had.len().max(*stretch + 1), 0);
        had[*stretch] = *made;
    }

    /// What a node's store has; nothing where nobody asks.
    fn store_of(&self, node: NodeId) -> Option<Store> {
        let had = self.had.get(node as usize)?.clone();
        let rounds = self.rounds.range((node, 0)..=(node, NodeId::MAX));
        Some(Store { had, rounds: rounds.map(|(&(_, to), told)| (to, told.clone())).collect() })
    }

    /// A node's store is replaced by this one.
    fn set_back(&mut self, node: NodeId, Store { had, rounds }: Store) {
        let Some(place) = self.had.get_mut(node as usize) else { return };
        *place = had;
        self.rounds.retain(|&(from, _), _| from != node);
        self.rounds.extend(rounds.into_iter().map(|(to, told)| ((node, to), told)));
        if let Some((made, stretch)) = self.made.get_mut(node as usize) {
            let begun = Stretch { device: node as usize, first: *made };
            self.later = self.later.iter().copied().chain([begun]).collect();
            *stretch = self.clients + self.later.len() - 1;
        }
    }

    /// This happens.
    pub(super) fn sees(&mut self, event: &Event<'_>) {
        match *event {
            Event::Edited { client, .. } => self.edited(client),
            Event::BackedUp { node } => {
                if let Some(store) = self.store_of(node) {
                    self.backups.insert(node, store);
                }
            }
            Event::StoreLost { node } => {
                self.set_back(node, Store { had: vec![0; self.clients], rounds: Vec::new() });
            }
            Event::StoreSetBack { node } => {
                if let Some(store) = self.backups.get(&node).cloned() {
                    self.set_back(node, store);
                }
            }
            Event::StoreCopied { from, to } => {
                if let Some(store) = self.store_of(from) {
                    self.set_back(to, store);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::history::{Fate, UserEdit};
    use crate::domain::offline::Tags;
    use crate::lab::tests::trial;

    const ROUND: Round = Round { begins: true, ends: true };

    fn certain() -> Certain {
        Certain::of(&OfflineTrial { tags: Tags { registers: 1, ..Tags::default() }, ..trial(1) }, false, true)
    }

    fn edits(certain: &mut Certain, client: NodeId) {
        let edit = UserEdit { at: 0, register: 0, intent: Intent::Insert(1), fate: Fate::Binding };
        certain.sees(&Event::Edited {
            client,
            number: 0,
            edit: &edit,
            made_at: edit.at,
            accepted: None,
            sighting: None,
            shows: None,
        });
    }

    fn has(certain: &Certain, node: NodeId) -> Vec<bool> {
        let had = certain.of_node(node);
        (0..certain.made[0].0).map(|number| had.has(0, number)).collect()
    }

    #[test]
    fn who_has_what_a_device_made_after_it_was_set_back_need_not_have_what_was_lost() {
        let mut certain = certain();
        edits(&mut certain, 0);
        certain.sees(&Event::BackedUp { node: 0 });
        edits(&mut certain, 0);
        // Device 1 takes both, the hub nothing yet.
        let both = certain.carried(0, 1, ROUND).expect("the round ends");
        certain.took(1, &both);
        certain.sees(&Event::StoreSetBack { node: 0 });
        edits(&mut certain, 0);
        assert_eq!(
            [0, 1, 4].map(|node| has(&certain, node)),
            [vec![true, false, true], vec![true, true, false], vec![false; 3],]
        );
        let after = certain.carried(0, 4, ROUND).expect("the round ends");
        certain.took(4, &after);
        assert_eq!(has(&certain, 4), [true, false, true]);
        // Device 1 gives the lost one back, to the hub and through the hub to its author.
        let given = certain.carried(1, 4, ROUND).expect("the round ends");
        certain.took(4, &given);
        let given = certain.carried(4, 0, ROUND).expect("the round ends");
        certain.took(0, &given);
        assert_eq!([0, 1, 4].map(|node| has(&certain, node)), [vec![true; 3], vec![true, true, false], vec![true; 3],]);
    }

    #[test]
    fn who_was_wiped_has_nothing_and_a_copy_has_what_the_other_had_and_not_its_own() {
        let mut certain = certain();
        edits(&mut certain, 0);
        certain.sees(&Event::StoreLost { node: 0 });
        edits(&mut certain, 0);
        assert_eq!(has(&certain, 0), [false, true]);
        let after = certain.carried(0, 1, ROUND).expect("the round ends");
        certain.took(1, &after);
        certain.sees(&Event::StoreCopied { from: 1, to: 0 });
        edits(&mut certain, 0);
        assert_eq!([has(&certain, 0), has(&certain, 1)], [[false, true, true], [false, true, false]]);
        certain.sees(&Event::StoreCopied { from: 2, to: 0 });
        assert_eq!(has(&certain, 0), [false; 3]);
    }

    #[test]
    fn in_a_world_of_counters_what_a_device_made_before_its_store_was_lost_does_not_come_with_what_it_made_later() {
        let mut certain = Certain::of(&trial(1), true, true);
        edits(&mut certain, 0);
        certain.sees(&Event::BackedUp { node: 0 });
        certain.began(0, 4);
        edits(&mut certain, 0);
        certain.sees(&Event::StoreSetBack { node: 0 });
        let told = certain.carried(0, 4, Round { begins: false, ends: true });
        assert_eq!(told, None, "the round began after the backup");
        certain.sees(&Event::StoreLost { node: 0 });
        edits(&mut certain, 0);
        let told = certain.carried(0, 1, ROUND).expect("the round ends");
        certain.took(1, &told);
        assert_eq!([0, 1, 2].map(|edit| certain.has(1, 0, edit)), [Some(false), Some(false), Some(true)]);
        assert_eq!(Certain::of(&trial(1), false, true).has(1, 0, 0), None);
    }

    #[test]
    fn a_message_tells_what_its_sender_had_when_its_round_began_and_a_part_of_a_round_tells_nothing() {
        let mut certain = certain();
        edits(&mut certain, 0);
        assert_eq!(certain.carried(0, 1, Round { begins: true, ends: false }), None);
        edits(&mut certain, 0);
        let told = certain.carried(0, 1, Round { begins: false, ends: true }).expect("the round ends");
        certain.took(1, &told);
        assert_eq!(has(&certain, 1), [true, false]);
        let tags = Tags { registers: 1, ..Tags::default() };
        let untold = Certain::of(&OfflineTrial { tags, ..trial(1) }, false, false);
        assert_eq!({ untold }.carried(0, 1, ROUND), None, "the engine's marks say nothing");
        assert_eq!(Certain::of(&trial(1), false, true).carried(0, 1, ROUND), None, "nobody asks");
    }
}
