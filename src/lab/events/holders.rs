//! Who is shown as the holder of what can be had once, and who was shown before, at whatever replica.
//!
//! Knows: views. Must not: know why a replica shows a holder.

use std::collections::BTreeMap;

use crate::domain::data::{Value, View};
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{Holders, SecondHolder};
use crate::engine::host::{NodeId, Time};
use crate::lab::events::{Event, Observer};

/// A holder, where it was shown, and when.
type Seen = (Value, NodeId, Time);

/// The first holder of each register that was shown anywhere.
#[derive(Debug, Default)]
pub struct FirstHolders {
    is_on: bool,
    by_register: BTreeMap<u32, Seen>,
    /// The node that all others sync through, where there is one.
    authority: Option<NodeId>,
    /// Whether the store of that node was ever lost, damaged, set back or replaced.
    authority_lost: bool,
    looked: u64,
    second: u64,
    /// The register, who was shown first, and who then; whether a loss may explain it.
    first: Option<(u32, Seen, Seen, bool)>,
}

impl FirstHolders {
    /// None yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        FirstHolders { is_on: trial.claims.registers > 0, authority: trial.root(), ..FirstHolders::default() }
    }

    /// A replica shows this now.
    fn look(&mut self, node: NodeId, views: &[View], now: Time) {
        let held = (0..).zip(views).filter_map(|(register, view)| Some((register, view.claimed()?.holder?)));
        held.for_each(|(register, holder)| self.is_shown(register, (holder, node, now)));
    }

    /// A replica shows a holder of a register.
    pub fn is_shown(&mut self, register: u32, seen: Seen) {
        self.looked += 1;
        let one = *self.by_register.entry(register).or_insert(seen);
        if one.0 == seen.0 {
            return;
        }
        self.second += 1;
        // One that no loss explains is named first.
        let is_excused = self.authority_lost;
        if self.first.is_none_or(|(.., was_excused)| was_excused && !is_excused) {
            self.first = Some((register, one, seen, is_excused));
        }
    }

    /// What was seen, once the world is at its end; nothing in a world without claims.
    pub fn in_world(&self, name: impl Fn(NodeId) -> String) -> Option<Holders> {
        self.is_on.then(|| self.seen(name))
    }

    /// What was seen.
    pub fn seen(&self, name: impl Fn(NodeId) -> String) -> Holders {
        let named = |(value, node, at): Seen| (value, name(node), at);
        Holders {
            looked: self.looked,
            held: self.by_register.len() as u64,
            second: self.second,
            first: self.first.map(|(register, one, other, _)| SecondHolder {
                register,
                one: named(one),
                other: named(other),
            }),
            all_after_loss: self.first.is_some_and(|(.., is_excused)| is_excused),
        }
    }
}

impl Observer for FirstHolders {
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
    use crate::domain::data::Claimed;

    fn held(by: Value) -> View {
        View::Claim(Box::new(Claimed { holder: Some(by), ..Claimed::default() }))
    }

    fn seen(of: &FirstHolders) -> (u64, u64, u64, Option<(u32, Value, Value)>, bool) {
        let Holders { looked, held, second, first, all_after_loss } = of.seen(|node| format!("client {node}"));
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
