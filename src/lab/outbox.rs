//! What devices tell their users of what waits to be sent, compared with what can have left them.
//!
//! A user who is told that nothing waits may lose the device. So an engine may tell that only once another replica can have
//! every edit of that user. What can have left a device, its messages tell: an edit that no message brought anywhere is nowhere
//! else.
//!
//! Three kinds of edits need not leave: those that changed nothing, those that were undone before anything was sent, and those
//! that no longer show, because the engine's policy let another edit take their place. An edit of a counter or a stock always
//! counts. What was made before a device lost its own store is not asked about here: the judges of truth and durability ask.
//!
//! Knows: the ledger, and who sent what to whom. Must not: look into a message or a node, but for what it shows and tells.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::domain::data::{Intent, Part};
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::{self, ToldEarly};
use crate::engine::host::{NodeId, Time};
use crate::lab::World;
use crate::lab::events::{Event, Observer};

/// What is known of one client's edits: by number, those before each of these.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// All of them.
    made: usize,
    /// Another replica can have them.
    left: usize,
    /// They were made before the device lost its own store.
    lost: usize,
    /// Its user was told that nothing waits.
    told: usize,
}

/// What devices told.
#[derive(Debug)]
pub struct Outbox {
    by_client: Vec<Known>,
    told: u64,
    early: u64,
    first: Option<Early>,
}

/// The first edit that was nowhere else when its user was told that nothing waits.
#[derive(Clone, Copy, Debug)]
struct Early {
    client: NodeId,
    number: usize,
    register: u32,
    at: Time,
}

impl Outbox {
    /// Nothing was told yet.
    pub(super) fn of(trial: &OfflineTrial) -> Self {
        Outbox { by_client: vec![Known::default(); trial.clients as usize], told: 0, early: 0, first: None }
    }

    fn changes(&mut self, node: NodeId, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.by_client.get_mut(node as usize) {
            change(known);
        }
    }

    /// What was told, once the world is at its end; nothing where no device ever told that nothing waits.
    pub(super) fn seen(&self, name: impl Fn(NodeId) -> String) -> Option<over_time::Outbox> {
        let first = self.first.map(|Early { client, number, register, at }| ToldEarly {
            node: name(client),
            edit: number as u64 + 1,
            register,
            at,
        });
        (self.told > 0).then_some(over_time::Outbox { told: self.told, early: self.early, first })
    }
}

impl Observer for Outbox {
    fn sees(&mut self, _now: Time, event: &Event<'_>) {
        match *event {
            Event::Edited { client, .. } => self.changes(client, |known| known.made += 1),
            Event::Received { from, made, .. } => self.changes(from, |known| known.left = known.left.max(made)),
            Event::StoreLost { node } | Event::StoreDamaged { node } | Event::StoreSetBack { node } => {
                self.changes(node, |known| known.lost = known.made);
            }
            Event::StoreCopied { from, to } => {
                self.changes(from, |known| known.left = known.made);
                self.changes(to, |known| known.lost = known.made);
            }
            _ => {}
        }
    }
}

impl World<'_> {
    /// A node did something. Whether it tells its user now that nothing waits, and whether that is true.
    pub(super) fn ask_outbox(&mut self, number: NodeId) {
        let Some(&Known { made, left, lost, told }) = self.measures.outbox.by_client.get(number as usize) else {
            return;
        };
        let device = &self.devices[number as usize];
        if made == told || device.replica().is_none_or(|replica| replica.backlog() != Some(0)) {
            return;
        }
        let nowhere_else = left.max(lost).max(told)..made;
        let early = self.first_that_waits(number, nowhere_else);
        let register = |number: usize| device.edits[number].register;
        let early = early.map(|edit| Early { client: number, number: edit, register: register(edit), at: self.now });
        let outbox = &mut self.measures.outbox;
        outbox.by_client[number as usize].told = made;
        outbox.told += 1;
        outbox.early += u64::from(early.is_some());
        outbox.first = outbox.first.or(early);
    }

    /// Of these edits of a client, the first that others need.
    fn first_that_waits(&self, client: NodeId, edits: Range<usize>) -> Option<usize> {
        let device = &self.devices[client as usize];
        // Where a crash came first, nobody was told that the edit is accepted.
        let made: Vec<usize> = edits.filter(|&number| !device.edits[number].fate.is_unshared()).collect();
        let is_any_shown = made.iter().any(|&number| device.edits[number].intent.part().is_some());
        let shown = if is_any_shown { device.replica()?.shows().into_owned() } else { Vec::new() };
        let mut sums: BTreeMap<u32, i64> = BTreeMap::new();
        let mut here_alone: BTreeSet<(u32, Part)> = BTreeSet::new();
        let mut waits: BTreeSet<usize> = BTreeSet::new();
        for &number in &made {
            let edit = device.edits[number];
            let Some((part, stays)) = edit.intent.part() else {
                let sum = sums.entry(edit.register).or_default();
                *sum = sum.wrapping_add(edit.intent.amount().unwrap_or(0));
                waits.extend(matches!(edit.intent, Intent::Transfer { .. }).then_some(number));
                continue;
            };
            let before = self.sightings.get(&(client as usize, number as u32)).map(|seen| seen.shown.parts());
            let changes = before.is_some_and(|before| before.contains(&part) != stays);
            let is_undone = !stays && here_alone.contains(&(edit.register, part));
            if stays && changes {
                here_alone.insert((edit.register, part));
            }
            let still_shows =
                shown.get(edit.register as usize).is_some_and(|view| view.parts().contains(&part) == stays);
            if changes && still_shows && !is_undone && !self.others_did(client, edit.register, (part, stays)) {
                waits.insert(number);
            }
        }
        let counts = |&&number: &&usize| sums.get(&device.edits[number].register).is_some_and(|&sum| sum != 0);
        waits.extend(made.iter().find(counts));
        waits.first().copied()
    }

    /// Whether another user did the same: then the engine may have taken that edit in the place of this one.
    fn others_did(&self, client: NodeId, register: u32, does: (Part, bool)) -> bool {
        let others = (0..self.trial.clients).filter(|&other| other != client);
        let mut edits = others.flat_map(|other| {
            let device = &self.devices[other as usize];
            &device.edits[..device.made]
        });
        edits.any(|edit| edit.register == register && edit.intent.part() == Some(does))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::offline::{FaultKind, Labels, Link, NodeFault, OfflineTrial, Records, Tags, Workload};
    use crate::domain::over_time::Outbox;
    use crate::domain::watch::Unwatched;
    use crate::engine::{self, REGISTRY, Registration};
    use crate::lab::tests::trial;
    use crate::lab::{World, settings};
    use crate::scenario::offline::Users;

    fn outbox(trial: &OfflineTrial, engine: &Registration, mutant: Option<&'static str>) -> Outbox {
        let world = World::new(trial, engine, &settings(trial, mutant)).expect("a world");
        let users = (0..trial.clients).map(|client| Users::of(trial).edits(client)).collect();
        let history = world.with_unique_amounts(users).run(&mut Unwatched).expect("it ends").history;
        history.over_time.outbox.expect("devices told that nothing waits")
    }

    /// Worlds over lines that lose messages, in some of which a store is lost, set back or copied, or processes crash.
    fn worlds() -> impl Iterator<Item = OfflineTrial> {
        let link = Link { lost_per_mille: 100, repeated_per_mille: 20, reordered_per_mille: 50, ..Link::default() };
        let fault = |kind| NodeFault {
            kind,
            node: "client 1".into(),
            at_s: 9000,
            for_s: 60,
            age_s: if kind == FaultKind::Restore { 6000 } else { 0 },
            ..NodeFault::default()
        };
        let faults = [None, Some(FaultKind::Wipe), Some(FaultKind::Restore), Some(FaultKind::Clone)];
        (0..8u64).map(move |seed| OfflineTrial {
            link,
            faults: faults[seed as usize % faults.len()].map(fault).into_iter().collect(),
            hub: seed % 3 < 2,
            crashes: 10,
            ..trial(seed)
        })
    }

    #[test]
    fn who_merges_every_edit_tells_the_truth_of_what_waits_and_who_takes_what_was_sent_for_delivered_is_found() {
        let all = |trial: OfflineTrial| OfflineTrial {
            tags: Tags { registers: 2, elements: 4, edits: 30, removes_percent: 45 },
            labels: Labels { registers: 2, edits: 20 },
            records: Records { registers: 2, elements: 3, edits: 30, ..Records::default() },
            ..trial
        };
        for trial in worlds().flat_map(|trial| [trial.clone(), all(trial)]) {
            let merges = ["delta-state", "operation-log", "delta-summary", "pn-counter"];
            let merges =
                merges.into_iter().filter_map(|name| engine::find(name).ok()).filter(|engine| engine.suits(&trial));
            for engine in merges {
                let Outbox { told, early, first } = outbox(&trial, engine, None);
                assert!(told > 5 && early == 0, "{}, {:?}: {early} of {told}, {first:?}", engine.name, trial.seed);
            }
            // Without a hub, one peer or another has the edit before all of them are told.
            let Outbox { early, .. } = outbox(&trial, engine::reference(), Some("tell-delivered-when-sent"));
            assert!(early > 0 || !trial.hub, "{:?}", trial.seed);
        }
    }

    #[test]
    fn an_edit_that_the_policy_of_an_engine_let_another_take_the_place_of_need_not_leave() {
        let mut engines = 0;
        for trial in worlds() {
            let trial = OfflineTrial {
                tags: Tags { registers: 2, elements: 4, edits: 30, removes_percent: 45 },
                labels: Labels { registers: 1, edits: 40 },
                workload: Workload { ticks: 0, ..trial.workload.clone() },
                ..trial
            };
            for engine in REGISTRY.iter().filter(|engine| engine.suits(&trial)) {
                let Outbox { told, early, first } = outbox(&trial, engine, None);
                assert!(told > 5 && early == 0, "{}, {:?}: {early} of {told}, {first:?}", engine.name, trial.seed);
                engines += 1;
            }
        }
        assert!(engines >= 32, "{engines}");
    }
}
