//! What happens to registers that have names: edits that wait until somebody has decided, and edits that are refused at once.
//!
//! A user's own replica tells whether an edit waits: as long as it shows the edit as waiting, nobody has told that user anything.
//! Meanwhile other registers go on: which of them showed edits of others there is observed, too.
//!
//! Knows: views. Must not: know engines, or judge.

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, Observer};
use crate::data;
use crate::domain::data::{Decided, Fields, Intent, Part, View};
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{OfName, RefusedAtOnce, Wait};
use crate::engine::host::{NodeId, Time};

/// An edit that was not decided yet, as far as its user was told.
#[derive(Debug)]
struct Pending {
    since: Time,
    has_waited: bool,
}

/// What is observed of registers with names; nothing in a world without names.
#[derive(Debug, Default)]
pub struct Named {
    fields: Fields,
    nodes: Vec<String>,
    of: Vec<OfName>,
    pending: BTreeMap<(NodeId, u32, Part), Pending>,
    /// Who made a part of a register that merges.
    makers: BTreeMap<(u32, Part), BTreeSet<NodeId>>,
    /// Of nodes whose user waits: the parts that registers which merge showed when the wait began.
    before: BTreeMap<NodeId, BTreeSet<(u32, Part)>>,
}

impl Named {
    /// Nothing yet.
    pub fn of(trial: &OfflineTrial) -> Self {
        let is_on = !trial.names.is_empty();
        Named {
            fields: trial.fields(),
            nodes: if is_on { (0..trial.nodes()).map(|node| trial.name(node)).collect() } else { Vec::new() },
            of: trial.names.iter().map(|_| OfName::default()).collect(),
            ..Named::default()
        }
    }

    fn edited(&mut self, client: NodeId, register: u32, intent: Intent, since: Time) {
        let Some((part, true)) = intent.part() else { return };
        match self.fields.of(register).decided() {
            Decided::Locally => drop(self.makers.entry((register, part)).or_default().insert(client)),
            Decided::ByAuthority if !matches!(part, Part::Item(_)) => {
                // Who asks again waits since the first time.
                self.pending.entry((client, register, part)).or_insert(Pending { since, has_waited: false });
            }
            Decided::ByAuthority | Decided::ByRights => {}
        }
    }

    /// The parts that registers which merge show.
    fn merged(&self, views: &[View]) -> BTreeSet<(u32, Part)> {
        let merging = (0..).zip(views).filter(|(register, _)| self.fields.of(*register).decided() == Decided::Locally);
        merging.flat_map(|(register, view)| view.parts().into_iter().map(move |part| (register, part))).collect()
    }

    /// A replica shows this now.
    fn look(&mut self, node: NodeId, views: &[View], now: Time) {
        for (of, view) in self.of.iter_mut().zip(views) {
            if let Some(values) = view.values().filter(|values| values.len() > of.conflict.len().max(1)) {
                of.conflict.clone_from(values);
            }
            of.holders.extend(view.claimed().and_then(|claimed| claimed.holder));
            of.closed_with.extend(view.case().and_then(|case| case.frozen().cloned()));
        }
        let of_node = self.pending.range_mut((node, 0, Part::Element(0))..).take_while(|((of, ..), _)| *of == node);
        let (mut decided, mut is_any_waiting) = (Vec::new(), false);
        for (&key, pending) in of_node {
            let (_, register, part) = key;
            let (view, of) = (&views[register as usize], &mut self.of[register as usize]);
            if view.shows_waiting(part) {
                is_any_waiting = true;
                if !std::mem::replace(&mut pending.has_waited, true) {
                    of.waited += 1;
                    of.first_wait.get_or_insert_with(|| Wait {
                        client: self.nodes[node as usize].clone(),
                        shown: view.to_string(),
                    });
                }
            } else if view.parts().contains(&part) {
                if pending.has_waited {
                    of.longest_wait = of.longest_wait.max(now.saturating_sub(pending.since));
                }
                decided.push(key);
            }
        }
        for key in &decided {
            self.pending.remove(key);
        }
        self.others_come_in(node, views, is_any_waiting);
    }

    /// While a user waits, parts that others made come in.
    fn others_come_in(&mut self, node: NodeId, views: &[View], is_any_waiting: bool) {
        let was_waiting = self.before.contains_key(&node);
        if !is_any_waiting && !was_waiting {
            return;
        }
        let shown = self.merged(views);
        let before = self.before.entry(node).or_insert_with(|| shown.clone());
        let is_of_others = |key: &&(u32, Part)| self.makers.get(key).is_some_and(|makers| !makers.contains(&node));
        let come: BTreeSet<u32> =
            shown.difference(before).filter(is_of_others).map(|(register, _)| *register).collect();
        if is_any_waiting {
            for waiting in self.pending.iter().filter(|((of, ..), pending)| *of == node && pending.has_waited) {
                self.of[waiting.0.1 as usize].came_in_meanwhile.extend(&come);
            }
        } else {
            self.before.remove(&node);
        }
    }

    /// What was seen of each register with a name, in their order, once the world is at its end.
    pub fn seen(&self) -> Vec<OfName> {
        let mut of = self.of.clone();
        for (&(_, register, _), _) in self.pending.iter().filter(|(_, pending)| pending.has_waited) {
            of[register as usize].still_waiting += 1;
        }
        of
    }
}

impl Observer for Named {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        if self.of.is_empty() {
            return;
        }
        match *event {
            Event::Edited { client, edit, made_at, accepted, sighting, ref shows, .. } => {
                if accepted.is_some() && data::was_meant(sighting, edit.intent) {
                    self.edited(client, edit.register, edit.intent, made_at);
                }
                if let Some(replica) = shows {
                    self.look(client, &replica.shows(), now);
                }
            }
            Event::EditRefused { client, edit, at, by_rule } => {
                let client = self.nodes[client as usize].clone();
                let of = &mut self.of[edit.register as usize];
                of.refused.push(RefusedAtOnce { client, intent: edit.intent, at, shown: by_rule });
            }
            Event::Acted { node, ref replica } | Event::Started { node, ref replica } => {
                self.look(node, &replica.shows(), now);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{Case, Claimed, Stage};
    use crate::domain::offline::{Cases, Claims, Tags};
    use crate::domain::seed::Seed;

    const TAGS: u32 = 0;
    const CLAIM: u32 = 1;
    const CASE: u32 = 2;

    fn named() -> Named {
        let trial = OfflineTrial {
            registers: 0,
            tags: Tags { registers: 1, ..Tags::default() },
            claims: Claims { registers: 1, ..Claims::default() },
            cases: Cases { registers: 1, ..Cases::default() },
            names: ["tags", "number", "list"].map(str::to_owned).to_vec(),
            ..OfflineTrial::of(Seed::new(1), 2)
        };
        Named::of(&trial)
    }

    fn views(tags: &[u32], claimed: Claimed, stage: Stage) -> Vec<View> {
        let case = Case { stage, ..Case::default() };
        vec![View::Tags(tags.iter().copied().collect()), View::Claim(Box::new(claimed)), View::Case(Box::new(case))]
    }

    fn waiting(value: u64) -> Claimed {
        Claimed { waiting: [value].into(), ..Claimed::default() }
    }

    fn held(value: u64) -> Claimed {
        Claimed { holder: Some(value), ..Claimed::default() }
    }

    #[test]
    fn a_claim_waits_until_its_own_user_is_shown_the_decision_and_another_users_replica_says_nothing_of_it() {
        let mut named = named();
        named.edited(0, CLAIM, Intent::Claim(7), 1_000);
        named.look(0, &views(&[], waiting(7), Stage::Open), 2_000);
        named.look(1, &views(&[], held(7), Stage::Open), 5_000);
        assert_eq!((named.seen()[CLAIM as usize].longest_wait, named.seen()[CLAIM as usize].still_waiting), (0, 1));
        named.look(0, &views(&[], held(7), Stage::Open), 9_000);
        let seen = &named.seen()[CLAIM as usize];
        assert_eq!((seen.waited, seen.longest_wait, seen.still_waiting), (1, 8_000, 0));
        let first = seen.first_wait.as_ref().expect("it waited");
        assert_eq!((first.client.as_str(), first.shown.as_str()), ("client 0", "free, waiting: 7"));
        assert_eq!(seen.holders, [7].into());
    }

    #[test]
    fn a_claim_that_is_granted_at_once_never_waits_and_both_holders_are_seen() {
        let mut named = named();
        named.edited(0, CLAIM, Intent::Claim(7), 1_000);
        named.look(0, &views(&[], held(7), Stage::Open), 2_000);
        named.look(1, &views(&[], held(8), Stage::Open), 2_000);
        let seen = &named.seen()[CLAIM as usize];
        assert_eq!((seen.waited, seen.still_waiting, &seen.holders), (0, 0, &[7, 8].into()));
    }

    #[test]
    fn of_values_that_were_shown_at_once_the_most_are_kept_and_one_value_is_no_conflict() {
        let labels = crate::domain::offline::Labels { registers: 1, edits: 0 };
        let names = vec!["owner".to_owned()];
        let trial = OfflineTrial { registers: 0, labels, names, ..OfflineTrial::of(Seed::new(1), 2) };
        let mut named = Named::of(&trial);
        let mut after = |values: &[u64]| {
            named.look(0, &[View::Label(values.iter().copied().collect())], 1);
            named.seen()[0].conflict.clone()
        };
        assert_eq!(after(&[5]), [].into());
        assert_eq!(after(&[5, 6]), [5, 6].into());
        assert_eq!(after(&[7, 8]), [5, 6].into());
        assert_eq!(after(&[6, 7, 8]), [6, 7, 8].into());
    }

    #[test]
    fn while_a_close_waits_tags_of_others_come_in_and_those_of_its_own_user_do_not_count() {
        let mut named = named();
        named.edited(0, TAGS, Intent::Insert(1), 500);
        named.edited(0, CASE, Intent::Close, 1_000);
        named.look(0, &views(&[1], Claimed::default(), Stage::CloseRequested), 1_000);
        named.edited(0, TAGS, Intent::Insert(2), 2_000);
        named.look(0, &views(&[1, 2], Claimed::default(), Stage::CloseRequested), 2_000);
        assert_eq!(named.seen()[CASE as usize].came_in_meanwhile, BTreeSet::new());
        named.edited(1, TAGS, Intent::Insert(3), 2_500);
        named.look(0, &views(&[1, 2, 3], Claimed::default(), Stage::CloseRequested), 3_000);
        assert_eq!(named.seen()[CASE as usize].came_in_meanwhile, [TAGS].into());
        named.look(0, &views(&[1, 2, 3], Claimed::default(), Stage::Closed), 4_000);
        let seen = &named.seen()[CASE as usize];
        assert_eq!((seen.waited, seen.longest_wait, seen.still_waiting), (1, 3_000, 0));
        assert_eq!(seen.closed_with, [BTreeSet::new()].into());
    }
}
