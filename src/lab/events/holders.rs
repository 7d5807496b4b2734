//! What must stay as it is once any replica showed it: who holds what can be had once, and with which items a case was closed.
//!
//! Knows: views. Must not: know why a replica shows what it does.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::data::{Element, Value, View};
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{Lasting, Second};
use crate::engine::host::{NodeId, Time};
use crate::lab::events::{Event, Observer};

/// What was shown, where, and when.
type Seen<T> = (T, NodeId, Time);

/// What must stay as it is.
pub trait Lasts: Clone + Default + Ord {
    /// Whether there is any in a world.
    fn is_in(trial: &OfflineTrial) -> bool;

    /// What a view shows of it.
    fn shown(view: &View) -> Option<Self>;
}

/// The holder of what can be had once.
impl Lasts for Value {
    fn is_in(trial: &OfflineTrial) -> bool {
        trial.claims.registers > 0
    }

    fn shown(view: &View) -> Option<Self> {
        view.claimed()?.holder
    }
}

/// The items of a closed case.
impl Lasts for BTreeSet<Element> {
    fn is_in(trial: &OfflineTrial) -> bool {
        trial.cases.registers > 0
    }

    fn shown(view: &View) -> Option<Self> {
        view.case()?.frozen().cloned()
    }
}

/// Holders of what can be had once.
pub type FirstHolders = Firsts<Value>;

/// Items of closed cases.
pub type FirstFrozen = Firsts<BTreeSet<Element>>;

/// Of each register, what was shown first, wherever that was.
#[derive(Debug, Default)]
pub struct Firsts<T> {
    is_on: bool,
    by_register: BTreeMap<u32, Seen<T>>,
    /// The node that all others sync through, where there is one.
    authority: Option<NodeId>,
    /// Whether the store of that node was ever lost, damaged, set back or replaced.
    authority_lost: bool,
    looked: u64,
    second: u64,
    /// The register, what was shown first, and what then; whether a loss may explain it.
    first: Option<(u32, Seen<T>, Seen<T>, bool)>,
    /// What the node that decides has shown so far.
    decided: BTreeSet<(u32, T)>,
    /// What another node showed before that, each once.
    early: BTreeSet<(u32, T)>,
    first_early: Option<(u32, Seen<T>)>,
}

impl<T: Lasts> Firsts<T> {
    /// None yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        Firsts { is_on: T::is_in(trial), authority: trial.root(), ..Firsts::default() }
    }

    /// A replica shows this now.
    fn look(&mut self, node: NodeId, views: &[View], now: Time) {
        let shown = (0..).zip(views).filter_map(|(register, view)| Some((register, T::shown(view)?)));
        shown.for_each(|(register, shown)| self.is_shown(register, (shown, node, now)));
    }

    /// A replica shows this of a register.
    pub fn is_shown(&mut self, register: u32, seen: Seen<T>) {
        self.looked += 1;
        self.is_decided(register, &seen);
        let one = self.by_register.entry(register).or_insert_with(|| seen.clone());
        if one.0 == seen.0 {
            return;
        }
        self.second += 1;
        // One that no loss explains is named first.
        let is_excused = self.authority_lost;
        if self.first.as_ref().is_none_or(|&(.., was_excused)| was_excused && !is_excused) {
            self.first = Some((register, one.clone(), seen, is_excused));
        }
    }

    /// A node that decides shows what it decided before others can: they hear of it from there.
    fn is_decided(&mut self, register: u32, seen: &Seen<T>) {
        let Some(authority) = self.authority else { return };
        let decision = (register, seen.0.clone());
        if seen.1 == authority {
            self.decided.insert(decision);
        } else if !self.decided.contains(&decision) && self.early.insert(decision) {
            self.first_early.get_or_insert_with(|| (register, seen.clone()));
        }
    }

    /// What was seen, once the world is at its end; nothing in a world without any of it.
    pub fn in_world(&self, name: impl Fn(NodeId) -> String) -> Option<Lasting<T>> {
        self.is_on.then(|| self.seen(name))
    }

    /// What was seen.
    pub fn seen(&self, name: impl Fn(NodeId) -> String) -> Lasting<T> {
        let named = |(shown, node, at): Seen<T>| (shown, name(node), at);
        Lasting {
            looked: self.looked,
            held: self.by_register.len() as u64,
            second: self.second,
            first: self.first.clone().map(|(register, one, other, _)| Second {
                register,
                one: named(one),
                other: named(other),
            }),
            all_after_loss: self.first.as_ref().is_some_and(|&(.., is_excused)| is_excused),
            early: self.early.len() as u64,
            first_early: self.first_early.clone().map(|(register, seen)| (register, named(seen))),
        }
    }
}

impl<T: Lasts> Observer for Firsts<T> {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        if !self.is_on {
            return;
        }
        match *event {
            Event::Edited { client, shows: Some(ref replica), .. } => self.look(client, &replica.shows(), now),
            Event::Acted { node, ref replica } | Event::Started { node, ref replica } => {
                self.look(node, &replica.shows(), now);
            }
            Event::StoreLost { node }
            | Event::StoreDamaged { node }
            | Event::StoreSetBack { node }
            | Event::StoreCopied { to: node, .. } => self.authority_lost |= self.authority == Some(node),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{Case, Claimed, Stage};
    use crate::domain::over_time::Holders;

    fn held(by: Value) -> View {
        View::Claim(Box::new(Claimed { holder: Some(by), ..Claimed::default() }))
    }

    /// Looks, registers with a holder, looks at another; the first of those; whether a loss explains all.
    type Told = (u64, u64, u64, Option<(u32, Value, Value)>, bool);

    fn seen(of: &FirstHolders) -> Told {
        let Holders { looked, held, second, first, all_after_loss, .. } = of.seen(|node| format!("client {node}"));
        (looked, held, second, first.map(|first| (first.register, first.one.0, first.other.0)), all_after_loss)
    }

    #[test]
    fn a_holder_stays_the_same_at_all_replicas_and_times_and_another_is_counted() {
        let mut holders = FirstHolders::default();
        holders.look(0, &[held(3), View::Claim(Box::default()), View::Counter(4)], 5);
        holders.look(1, &[held(3), held(8)], 6);
        assert_eq!(seen(&holders), (3, 2, 0, None, false));
        holders.look(2, &[held(4)], 7);
        holders.look(0, &[held(3), held(7)], 8);
        assert_eq!(seen(&holders), (6, 2, 2, Some((0, 3, 4)), false));
    }

    #[test]
    fn a_closed_case_keeps_its_items_and_one_that_is_open_has_none_to_keep() {
        let case = |stage, done: &[Element]| {
            View::Case(Box::new(Case { stage, done: done.iter().copied().collect(), ..Case::default() }))
        };
        let mut frozen = FirstFrozen::default();
        frozen.look(0, &[case(Stage::CloseRequested, &[1])], 5);
        frozen.look(1, &[case(Stage::Closed, &[1, 2])], 6);
        frozen.look(0, &[case(Stage::Open, &[3])], 7);
        let is_as_before = |frozen: &FirstFrozen| {
            let seen = frozen.seen(|node| format!("client {node}"));
            (seen.looked, seen.second, seen.first.map(|first| first.other.0))
        };
        assert_eq!(is_as_before(&frozen), (1, 0, None));
        frozen.look(0, &[case(Stage::Closed, &[1])], 8);
        assert_eq!(is_as_before(&frozen), (2, 1, Some([1].into())));
    }

    #[test]
    fn who_shows_a_holder_before_the_node_that_decides_ever_did_is_early_once() {
        let mut holders = FirstHolders { authority: Some(9), ..FirstHolders::default() };
        let early = |holders: &FirstHolders| {
            let seen = holders.seen(|node| format!("node {node}"));
            (seen.early, seen.first_early)
        };
        holders.look(9, &[held(3)], 5);
        holders.look(0, &[held(3)], 6);
        assert_eq!(early(&holders), (0, None));
        holders.look(1, &[held(3), held(4)], 7);
        holders.look(1, &[held(3), held(4)], 8);
        let first = Some((1, (4, "node 1".to_owned(), 7)));
        assert_eq!(early(&holders), (1, first.clone()));
        holders.look(9, &[held(3), held(4)], 9);
        holders.look(2, &[held(5), held(4)], 10);
        assert_eq!(early(&holders), (2, first));
        let mut nobody_decides = FirstHolders::default();
        nobody_decides.look(0, &[held(3)], 5);
        assert_eq!(early(&nobody_decides), (0, None));
    }

    #[test]
    fn a_second_holder_that_no_loss_explains_is_named_before_one_that_the_loss_of_the_deciding_store_may_explain() {
        let mut holders = FirstHolders { authority_lost: true, ..FirstHolders::default() };
        holders.look(0, &[held(3)], 5);
        holders.look(1, &[held(4)], 6);
        assert_eq!(seen(&holders), (2, 1, 1, Some((0, 3, 4)), true));
        holders.authority_lost = false;
        holders.look(1, &[held(5)], 7);
        assert_eq!(seen(&holders), (3, 1, 2, Some((0, 3, 5)), false));
    }
}
