//! Which edits can have reached whom: the ends of every path of messages. Nothing beyond can be in what a replica shows.
//!
//! Who has an edit for certain, [`super::holdings`] tells. A specification needs both bounds: what an edit made must be shown
//! unless somebody may have seen it and taken it away, and must not be shown if that edit was seen for certain and what it
//! made was taken away.
//!
//! Knows: who sent what to whom, and when. Must not: look into a message or a node, but for what it shows.

use std::sync::Arc;

use crate::domain::history::Sighting;
use crate::domain::offline::OfflineTrial;
use crate::engine::host::{NodeId, Time};
use crate::engine::port::Engine;
use crate::lab::events::{Event, Observer};
use crate::lab::holdings::Holdings;

/// By client, so many edits can have reached somebody.
pub(super) type AtMost = Arc<[u32]>;

/// By node, what can have reached it. Empty in a world of counters alone.
pub struct Reach {
    by_node: Vec<AtMost>,
}

impl Reach {
    /// Nothing has reached anybody.
    pub(super) fn of(trial: &OfflineTrial) -> Self {
        let nodes = if trial.fields().mean_what_is_shown() { trial.nodes() as usize } else { 0 };
        Reach { by_node: vec![vec![0; trial.clients as usize].into(); nodes] }
    }

    /// A user edits.
    fn edited(&mut self, client: NodeId) {
        if let Some(reached) = self.by_node.get_mut(client as usize) {
            let mut more = reached.to_vec();
            more[client as usize] += 1;
            *reached = more.into();
        }
    }

    /// What a message of this node brings at most that is sent now.
    pub(super) fn sent(&self, from: NodeId) -> Option<AtMost> {
        self.by_node.get(from as usize).cloned()
    }

    /// A message arrived that brings no more than this.
    pub(super) fn arrived(&mut self, to: NodeId, brings: Option<&AtMost>) {
        if let Some(brings) = brings {
            self.can_have(to, brings);
        }
    }

    fn can_have(&mut self, to: NodeId, brings: &[u32]) {
        if let Some(reached) = self.by_node.get_mut(to as usize)
            && reached.iter().zip(brings.iter()).any(|(had, more)| more > had)
        {
            *reached = reached.iter().zip(brings.iter()).map(|(&had, &more)| had.max(more)).collect();
        }
    }

    /// A device was set up from another's store.
    fn copied(&mut self, from: NodeId, to: NodeId) {
        if let Some(brings) = self.by_node.get(from as usize).cloned() {
            self.can_have(to, &brings);
        }
    }

    /// So many edits of each client can have reached a node; nothing in a world of counters alone.
    pub(super) fn of_node(&self, node: NodeId) -> Option<&[u32]> {
        self.by_node.get(node as usize).map(AsRef::as_ref)
    }

    /// What a user has seen who is about to edit a register.
    pub(super) fn sighting(
        &self,
        node: &dyn Engine,
        number: NodeId,
        (register, wall): (u32, i64),
        holdings: &Holdings,
    ) -> Sighting {
        let shown = node.shows().swap_remove(register as usize);
        let had = holdings.had_by(number);
        Sighting { shown, had, may_have: self.by_node[number as usize].clone(), wall }
    }
}

impl Observer for Reach {
    fn sees(&mut self, _now: Time, event: &Event<'_>) {
        match *event {
            Event::Edited { client, .. } => self.edited(client),
            Event::StoreCopied { from, to } => self.copied(from, to),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{Deleted, Overwrites, Runs, Spending};
    use crate::domain::offline::{Edge, FaultKind, Labels, Link, NodeFault, Records, Stocks, Tags, Texts, Workload};
    use crate::domain::verdict::Verdict;
    use crate::domain::watch::Unwatched;
    use crate::engine::{REGISTRY, Registration};
    use crate::lab::tests::trial;
    use crate::lab::{World, settings};
    use crate::oracle::offline::{convergence, monotonic, overspending, truth, whole_records};
    use crate::scenario::offline::Users;

    /// Worlds with tags.
    fn worlds() -> impl Iterator<Item = OfflineTrial> {
        worlds_of(Tags { registers: 3, elements: 5, edits: 40, removes_percent: 45 }, Labels::default())
    }

    /// Worlds with tags or labels: a star, a tree and peers, over lines that lose and reorder, with crashes and lost stores.
    fn worlds_of(tags: Tags, labels: Labels) -> impl Iterator<Item = OfflineTrial> {
        let link = Link { lost_per_mille: 50, repeated_per_mille: 20, reordered_per_mille: 50, ..Link::default() };
        let edge = Edge { name: "near".into(), parent: Some("hub".into()), clients: vec![0, 1] };
        let fault = |kind, node: &str, at_s, age_s| NodeFault {
            kind,
            node: node.into(),
            at_s,
            for_s: 60,
            age_s,
            ..NodeFault::default()
        };
        let faults = [
            Vec::new(),
            vec![fault(FaultKind::Wipe, "client 1", 9000, 0)],
            vec![fault(FaultKind::Restore, "client 2", 12_000, 6000)],
            vec![fault(FaultKind::Clone, "client 0", 11_000, 0)],
            vec![fault(FaultKind::Wipe, "client 3", 8000, 0), fault(FaultKind::Restore, "client 0", 15_000, 9000)],
        ];
        (0..30u64).map(move |seed| {
            let workload = Workload { decrements: false, ..trial(seed).workload };
            let faults = faults[seed as usize % faults.len()].clone();
            let edges = if seed % 3 == 1 { vec![edge.clone()] } else { Vec::new() };
            // Small messages: what is told takes several, and a visit may end between two of them.
            let journal = crate::domain::offline::Journal { fragment: 64, ..Default::default() };
            let hub = seed % 3 < 2;
            OfflineTrial { tags, labels, link, faults, edges, journal, hub, crashes: 20, workload, ..trial(seed) }
        })
    }

    fn said(trial: &OfflineTrial, engine: &Registration) -> [(Verdict, String); 3] {
        let world = World::new(trial, engine, &settings(trial, None)).expect("a world");
        let users = (0..trial.clients).map(|client| Users::of(trial).edits(client)).collect();
        let history = world.with_unique_amounts(users).run(&mut Unwatched).expect("it ends").history;
        assert!(history.ledger.sightings.len() >= 100, "{}", history.ledger.sightings.len());
        let monotonic = monotonic::judge(&history).expect("it was followed");
        [truth::judge(&history), convergence::judge(&history), monotonic].map(|said| (said.verdict, said.sentence))
    }

    #[test]
    fn engines_that_declare_that_an_insert_wins_keep_their_word_in_worlds_of_every_shape_and_others_lose_elements() {
        for engine in REGISTRY {
            let (mut falsified, mut unshown) = (0, 0);
            for trial in worlds().filter(|trial| engine.suits(trial)) {
                let [(truth, why), (agree, differ), (monotonic, gone)] = said(&trial, engine);
                unshown += u32::from(monotonic == Verdict::Falsified);
                if engine.carries.tags.unwrap_or_default() == crate::domain::data::Concurrent::InsertWins {
                    assert_eq!(monotonic, Verdict::Holds, "{}, {:?}: {gone}", engine.name, trial.seed);
                    assert_ne!(truth, Verdict::Falsified, "{}, {:?}: {why}", engine.name, trial.seed);
                    assert_eq!(agree, Verdict::Holds, "{}, {:?}: {differ}", engine.name, trial.seed);
                }
                falsified += u32::from(truth == Verdict::Falsified);
            }
            let carries_tags = worlds().next().is_some_and(|trial| engine.suits(&trial));
            let is_right = engine.carries.tags.unwrap_or_default() == crate::domain::data::Concurrent::InsertWins;
            assert_eq!(falsified >= 25, carries_tags && !is_right, "{}: {falsified} of 30", engine.name);
            assert_eq!(unshown >= 25, carries_tags && !is_right, "{}: {unshown} of 30", engine.name);
        }
    }

    #[test]
    fn engines_that_show_every_value_keep_their_word_in_worlds_of_every_shape_and_who_lets_old_writes_win_does_not() {
        let labels = Labels { registers: 3, edits: 40 };
        for engine in REGISTRY.iter().filter(|engine| engine.carries.labels.is_some()) {
            let mut falsified = 0;
            for trial in worlds_of(Tags::default(), labels).filter(|trial| engine.suits(trial)) {
                // Counters are judged elsewhere.
                let trial = OfflineTrial { workload: Workload { ticks: 0, ..trial.workload.clone() }, ..trial };
                let [(truth, why), (agree, differ), (monotonic, gone)] = said(&trial, engine);
                if engine.carries.labels == Some(Overwrites::Multi) {
                    assert_eq!(monotonic, Verdict::Holds, "{}, {:?}: {gone}", engine.name, trial.seed);
                    assert_ne!(truth, Verdict::Falsified, "{}, {:?}: {why}", engine.name, trial.seed);
                    assert_eq!(agree, Verdict::Holds, "{}, {:?}: {differ}", engine.name, trial.seed);
                }
                falsified += u32::from(truth == Verdict::Falsified);
            }
            match engine.carries.labels {
                Some(Overwrites::One) => assert!(falsified >= 25, "{}: {falsified} of 30", engine.name),
                Some(Overwrites::Multi) => assert_eq!(falsified, 0, "{}", engine.name),
                _ => {}
            }
        }
    }

    #[test]
    fn records_are_whole_and_right_in_worlds_of_every_shape_where_fields_merge_and_wrong_where_records_are_replaced() {
        let records = Records { registers: 3, elements: 4, edits: 50, ..Records::default() };
        for engine in REGISTRY.iter().filter(|engine| engine.carries.records.is_some()) {
            let (mut falsified, mut worlds) = (0, 0);
            for trial in worlds_of(Tags::default(), Labels::default()).filter(|trial| engine.suits(trial)) {
                let trial =
                    OfflineTrial { records, workload: Workload { ticks: 0, ..trial.workload.clone() }, ..trial };
                let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
                let users = (0..trial.clients).map(|client| Users::of(&trial).edits(client)).collect();
                let history = world.with_unique_amounts(users).run(&mut Unwatched).expect("it ends").history;
                let truth = truth::judge(&history);
                if engine.carries.records == Some(Deleted::EditWins) {
                    let whole = whole_records::judge(&history).expect("there are records");
                    let monotonic = monotonic::judge(&history).expect("it was followed");
                    let said = format!(
                        "{}, {:?}: {}; {}; {}",
                        engine.name, trial.seed, truth.sentence, whole.sentence, monotonic.sentence
                    );
                    assert_ne!(truth.verdict, Verdict::Falsified, "{said}");
                    assert_eq!([whole.verdict, monotonic.verdict], [Verdict::Holds; 2], "{said}");
                    assert_eq!(convergence::judge(&history).verdict, Verdict::Holds, "{said}");
                }
                (falsified, worlds) = (falsified + u32::from(truth.verdict == Verdict::Falsified), worlds + 1);
            }
            let is_replaced = engine.carries.records == Some(Deleted::Either);
            assert_eq!(2 * falsified >= worlds, is_replaced, "{}: {falsified} of {worlds}", engine.name);
        }
    }

    #[test]
    fn texts_are_right_in_worlds_of_every_shape_where_letters_merge_and_wrong_where_texts_are_replaced() {
        let texts = Texts { registers: 2, edits: 40, moves_percent: 20, erases_percent: 15 };
        for engine in REGISTRY.iter().filter(|engine| engine.carries.texts.is_some()) {
            let (mut falsified, mut worlds) = (0, 0);
            for trial in worlds_of(Tags::default(), Labels::default()).filter(|trial| engine.suits(trial)) {
                let trial = OfflineTrial { texts, workload: Workload { ticks: 0, ..trial.workload.clone() }, ..trial };
                let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
                let users = (0..trial.clients).map(|client| Users::of(&trial).edits(client)).collect();
                let history = world.with_unique_amounts(users).run(&mut Unwatched).expect("it ends").history;
                let truth = truth::judge(&history);
                if engine.carries.texts == Some(Runs::BothWays) {
                    let monotonic = monotonic::judge(&history).expect("it was followed");
                    let said = format!("{}, {:?}: {}; {}", engine.name, trial.seed, truth.sentence, monotonic.sentence);
                    assert_ne!(truth.verdict, Verdict::Falsified, "{said}");
                    assert_eq!(monotonic.verdict, Verdict::Holds, "{said}");
                    assert_eq!(convergence::judge(&history).verdict, Verdict::Holds, "{said}");
                }
                (falsified, worlds) = (falsified + u32::from(truth.verdict == Verdict::Falsified), worlds + 1);
            }
            let is_replaced = engine.carries.texts == Some(Runs::Mixed);
            assert_eq!(2 * falsified >= worlds, is_replaced, "{}: {falsified} of {worlds}", engine.name);
        }
    }

    #[test]
    fn who_spends_by_rights_never_overspends_in_worlds_of_every_shape_and_who_spends_what_is_shown_does() {
        let stocks = Stocks { registers: 2, edits: 60, supplies_percent: 4, transfers_percent: 20, most: 4 };
        for engine in REGISTRY.iter().filter(|engine| engine.carries.stocks.is_some()) {
            let (mut falsified, mut worlds, mut refused) = (0, 0, 0);
            for trial in worlds_of(Tags::default(), Labels::default()) {
                let trial = OfflineTrial { stocks, workload: Workload { ticks: 0, ..trial.workload.clone() }, ..trial };
                if !engine.suits(&trial) {
                    continue;
                }
                let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
                let history = world.run(&mut Unwatched).expect("it ends").history;
                let said = overspending::judge(&history).expect("there is a stock");
                if engine.carries.stocks == Some(Spending::Rights) {
                    assert_ne!(
                        said.verdict,
                        Verdict::Falsified,
                        "{}, {:?}: {}",
                        engine.name,
                        trial.seed,
                        said.sentence
                    );
                    let truth = truth::judge(&history);
                    assert_ne!(truth.verdict, Verdict::Falsified, "{}: {}", engine.name, truth.sentence);
                }
                let spent = history.over_time.spending.expect("there is a stock");
                assert!(spent.takes >= 5, "{}, {:?}: {spent:?}", engine.name, trial.seed);
                refused += spent.refused;
                (falsified, worlds) = (falsified + u32::from(said.verdict == Verdict::Falsified), worlds + 1);
            }
            let by_rights = engine.carries.stocks == Some(Spending::Rights);
            assert_eq!(2 * falsified >= worlds, !by_rights, "{}: {falsified} of {worlds}", engine.name);
            assert!(refused >= 100, "{}: {refused}", engine.name);
        }
    }

    #[test]
    fn what_can_have_reached_a_node_is_what_every_sender_on_the_way_could_have_had() {
        let tags = Tags { registers: 1, ..Tags::default() };
        let mut reach = Reach::of(&OfflineTrial { tags, ..trial(1) });
        let had = |reach: &Reach, node: usize| reach.by_node[node].to_vec();
        reach.edited(0);
        let early = reach.sent(0);
        reach.edited(0);
        reach.edited(1);
        reach.arrived(4, early.as_ref());
        assert_eq!(had(&reach, 4), [1, 0, 0, 0], "what was made after the message was sent is not in it");
        let from_hub = reach.sent(4);
        reach.arrived(1, from_hub.as_ref());
        assert_eq!(had(&reach, 1), [1, 1, 0, 0]);
        reach.copied(1, 2);
        assert_eq!(had(&reach, 2), [1, 1, 0, 0]);
        assert!(Reach::of(&trial(1)).sent(0).is_none(), "without tags nothing is kept");
    }
}
