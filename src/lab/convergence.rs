//! Time to convergence: what it means, and how it is measured. Both kinds are in milliseconds of virtual time.
//!
//! - Of an edit: from when its user saw it accepted until the last replica came to have it, edges and the hub included.
//!   Who has an edit, [`super::holdings`] tells, in worlds of so many clients as it watches; with an engine that sends no
//!   ids, having an edit does not mean that the merge made anything of it. An edit that some replica never came to have has
//!   no such time; a replica that had it, and lost it, had it.
//! - Of a world: from when faults are over and everyone is connected until the last change of what any replica shows,
//!   where all show the same bytes from then on. A replica that is off shows nothing: it changes when it starts again. A
//!   world that is not quiescent in the end, or whose replicas differ, has no such time. Whether what they agree on is right,
//!   the judge of truth tells alone.
//!
//! Knows: nodes, and what they show. Must not: judge.

use std::hash::{DefaultHasher, Hash, Hasher};

use hdrhistogram::Histogram;

use crate::engine::host::{NodeId, Time};
use crate::engine::port::Position;
use crate::lab::events::{Event, Observer, Replica};

/// A histogram without values.
pub fn empty() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are allowed")
}

/// The time to convergence of edits.
pub struct OfEdits {
    /// For every edit that all replicas came to have: how long that took.
    pub histogram: Histogram<u64>,
    /// By stretch of edits, up to which edit every other node has them; nothing where no node has any.
    everywhere: Vec<Option<u32>>,
}

impl OfEdits {
    /// Of nobody's yet.
    pub(super) fn none() -> Self {
        OfEdits { histogram: empty(), everywhere: Vec::new() }
    }

    /// Whether a node that had a stretch up to this edit until now was among those that others wait for.
    pub(super) fn waits_for(&self, stretch: usize, had: u32) -> bool {
        self.everywhere.get(stretch).copied().flatten().is_none_or(|everywhere| everywhere == had)
    }

    /// A node that had a stretch up to one edit until now has more, and every node has it up to another edit: gives those that
    /// had not come so far before.
    pub(super) fn reached(&mut self, stretch: usize, had: u32, edits: u32) -> std::ops::Range<u32> {
        self.everywhere.resize(self.everywhere.len().max(stretch + 1), None);
        let before = self.everywhere[stretch].unwrap_or(had);
        let after = before.max(edits);
        self.everywhere[stretch] = Some(after);
        before..after
    }
}

/// The time to convergence of a world, once its faults are over.
#[derive(Default)]
pub(super) struct OfWorld {
    /// By node, how far it was and what it showed when it was looked at last; nothing while faults are not over.
    shown: Vec<(Option<Position>, u64)>,
    faults_over: Option<Time>,
    changed_at: Time,
    agree: bool,
}

impl OfWorld {
    /// A node did something after faults were over.
    fn acted(&mut self, number: NodeId, replica: &Replica<'_>, now: Time) {
        if self.shown.len() <= number as usize {
            self.shown.resize(number as usize + 1, (None, 0));
        }
        let shown = &mut self.shown[number as usize];
        let position = replica.position();
        if position.is_some() && position == shown.0 {
            return;
        }
        // Compared with others of this run alone: the numbers themselves mean nothing.
        let mut hasher = DefaultHasher::new();
        replica.shows().hash(&mut hasher);
        let shows = hasher.finish();
        if shows != shown.1 {
            self.changed_at = now;
        }
        *shown = (position, shows);
    }

    /// How long after the end of all faults the last change came, once the world is at its end; nothing if its replicas do
    /// not agree, or it was not quiescent.
    pub(super) fn after_faults(&self) -> Option<Time> {
        self.agree.then(|| self.changed_at.saturating_sub(self.faults_over.unwrap_or(0)))
    }
}

impl Observer for OfWorld {
    fn sees(&mut self, now: Time, event: &Event<'_>) {
        match event {
            Event::FaultsOver => (self.faults_over, self.changed_at) = (Some(now), now),
            Event::Acted { node, replica } if self.faults_over.is_some() => self.acted(*node, replica, now),
            Event::Started { node, replica } if self.faults_over.is_some() => {
                // Positions of two starts say nothing about each other.
                if let Some((position, _)) = self.shown.get_mut(*node as usize) {
                    *position = None;
                }
                self.acted(*node, replica, now);
                self.changed_at = now;
            }
            Event::Ended { quiescent, agree } => self.agree = *quiescent && *agree,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{Intent, View};
    use crate::domain::history::{Fate, UserEdit};
    use crate::domain::offline::{Edge, FaultKind, Link, NodeFault, OfflineTrial};
    use crate::engine::{REGISTRY, Registration};
    use crate::lab::tests::trial;
    use crate::lab::{Outcome, World, settings};
    use crate::scenario::offline::SECOND;

    /// A star, a tree, and peers.
    fn shapes(trial: &OfflineTrial) -> [OfflineTrial; 3] {
        let edge = Edge { name: "near".into(), parent: Some("hub".into()), clients: vec![0, 1] };
        let tree = OfflineTrial { edges: vec![edge], ..trial.clone() };
        [trial.clone(), tree, OfflineTrial { hub: false, ..trial.clone() }]
    }

    /// Lets a world come to its end, and looks at it after each thing that happens.
    fn watched(mut world: World<'_>, mut look: impl FnMut(&World<'_>)) -> Outcome {
        let deadline = (world.trial.presence.lasts_s + 4 * world.trial.settle_s) * SECOND;
        while let Some((at, event)) = world.calendar.next() {
            if at > deadline {
                return world.ended(false);
            }
            world.now = at;
            world.happen(event).expect("a disk");
            look(&world);
        }
        world.ended(true)
    }

    fn world<'a>(trial: &'a OfflineTrial, engine: &Registration) -> World<'a> {
        World::new(trial, engine, &settings(trial, None)).expect("a world")
    }

    #[test]
    fn a_world_has_converged_when_all_replicas_are_seen_to_show_the_same_from_then_on() {
        let link = Link { lost_per_mille: 300, jitter_ms: 400, repeated_per_mille: 200, ..Link::default() };
        let (mut converged, mut differ, mut earlier) = (0, 0, 0);
        for seed in 0..2 {
            // A client is off when faults are over.
            let faults = vec![NodeFault {
                kind: FaultKind::Crash,
                node: "client 1".into(),
                at_s: 19_990,
                for_s: 30,
                age_s: 0,
                ..NodeFault::default()
            }];
            let bad = OfflineTrial { link, crashes: 10, faults, ..trial(seed) };
            for trial in shapes(&trial(seed)).into_iter().chain(shapes(&bad)) {
                for engine in REGISTRY.iter().filter(|engine| engine.suits(&trial)) {
                    let lasts = trial.presence.lasts_s * SECOND;
                    let mut since = None;
                    let outcome = watched(world(&trial, engine), |world| {
                        let shown = |device: &crate::lab::Device| device.node.as_ref().map(|node| node.shows());
                        let first = shown(&world.devices[0]);
                        let agree =
                            world.settling && world.devices.iter().all(|device| device.up && shown(device) == first);
                        since = agree.then(|| since.unwrap_or(world.now));
                    });
                    let quiescent = outcome.history.quiescent;
                    let seen: Option<u64> = since.filter(|_| quiescent).map(|since| (since - lasts) / 1000);
                    assert_eq!(outcome.measures.converged_ms(), seen, "{}, seed {seed} {trial:?}", engine.name);
                    converged += u32::from(seen.is_some());
                    differ += u32::from(seen.is_none());
                    earlier += u32::from(seen.is_some_and(|ms| ms < outcome.history.settled_after / 1000));
                }
            }
        }
        assert!(converged > 30 && differ > 2 && earlier > 10, "{converged} {differ} {earlier}");
    }

    #[test]
    fn a_world_that_is_not_quiescent_in_the_end_has_not_converged() {
        let trial = trial(1);
        for quiescent in [true, false] {
            let world = world(&trial, &REGISTRY[0]);
            assert_eq!(world.ended(quiescent).measures.converged_ms().is_some(), quiescent);
        }
    }

    #[test]
    fn an_edit_has_converged_when_it_is_seen_in_what_the_last_replica_shows() {
        // Each edit has a register of its own: who has it is to be seen, and no merge of these can lose it.
        let visible = ["reconciliation", "operation-log", "xor-delta", "delta-summary", "pn-counter"];
        for engine in REGISTRY.iter().filter(|engine| visible.contains(&engine.name)) {
            for trial in shapes(&OfflineTrial { registers: 80, ..trial(5) }) {
                // Between peers, XOR takes back what comes twice.
                if !engine.suits(&trial) || (engine.name == "xor-delta" && !trial.hub) {
                    continue;
                }
                let edit = |number: u32| UserEdit {
                    at: u64::from(number) * 200 * SECOND,
                    register: number,
                    intent: Intent::Increase(1),
                    fate: Fate::Binding,
                };
                let of = |client: u32| (0..80).filter(|number| number % 4 == client).map(edit).collect();
                let mut ages = vec![None; 80];
                let users = (0..4).map(of).collect();
                let mut deliveries = 0;
                let outcome = watched(world(&trial, engine).with_users(users), |world| {
                    if world.measures.deliveries == deliveries {
                        return;
                    }
                    deliveries = world.measures.deliveries;
                    let shown: Vec<Vec<View>> =
                        world.devices.iter().map(|device| device.node.as_ref().expect("it is on").shows()).collect();
                    for (number, age) in ages.iter_mut().enumerate() {
                        if age.is_none() && shown.iter().all(|shown| shown[number] == trial.start + 1) {
                            *age = Some((world.now - number as u64 * 200 * SECOND) / 1000);
                        }
                    }
                });
                let mut seen = empty();
                ages.iter().flatten().for_each(|&age| seen.record(age).expect("it grows as it must"));
                let staleness = &outcome.measures.staleness;
                assert_eq!((seen.len(), staleness.unconverged()), (80, Some(0)), "{}", engine.name);
                assert!(seen == staleness.convergence.histogram, "{} {trial:?}", engine.name);
                assert!(seen.min() > 0 && seen.min() >= staleness.histogram.min(), "{}", engine.name);
            }
        }
    }
}
