//! Worlds of every engine, small and bad.

use super::*;
use crate::domain::data::Overwrites;
use crate::domain::offline::{Link, Presence, Workload};
use crate::domain::seed::Seed;
use crate::domain::watch::Unwatched;
use crate::engine::{self, REGISTRY, Registration};

pub(crate) fn trial(seed: u64) -> OfflineTrial {
    OfflineTrial {
        registers: 32,
        start: 5,
        workload: Workload { ticks: 20, changed: 3, most: 3, decrements: true, zipf_hundredths: None },
        presence: Presence { lasts_s: 20_000, away_s: (100, 2000), here_s: (20, 300) },
        ..OfflineTrial::of(Seed::new(seed), 4)
    }
}

fn wrong(trial: &OfflineTrial, name: &str) -> (Outcome, u32) {
    let engine = engine::find(name).expect("an engine");
    let world = World::new(trial, engine, &settings(trial, None)).expect("a world");
    let outcome = world.run(&mut Unwatched).expect("it ends");
    let truth = outcome.history.ledger.truth();
    let wrong = outcome.history.ends.iter().map(|end| end.registers.iter().zip(&truth).filter(|(a, b)| a != b).count());
    let wrong = wrong.max().unwrap_or(0) as u32;
    (outcome, wrong)
}

/// A user who wants to stop once it was asked so often.
struct Impatient {
    asked: std::cell::Cell<u32>,
    patience: u32,
}

impl Watch for Impatient {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.asked.get() > self.patience
    }
}

#[test]
fn a_world_asks_before_every_event_whether_to_stop() {
    let engine = engine::find("delta-summary").expect("an engine");
    let trial = trial(1);
    for patience in [0, 1, 100] {
        let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
        let mut watch = Impatient { asked: Default::default(), patience };
        let stopped = matches!(world.run(&mut watch), Err(WorldError::Stopped));
        assert_eq!((stopped, watch.asked.get()), (true, patience + 1));
    }
}

const BAD: Link = Link {
    bits_per_s: 64_000,
    latency_ms: 300,
    jitter_ms: 400,
    lost_per_mille: 150,
    repeated_per_mille: 100,
    reordered_per_mille: 150,
    truncated_per_mille: 30,
    corrupted_per_mille: 30,
    outages: 5,
    outage_s: 90,
};

#[test]
fn what_each_engine_makes_of_a_good_and_of_a_bad_network() {
    let mut rows = Vec::new();
    for engine in REGISTRY {
        let (good, wrong_good) = wrong(&trial(1), engine.name);
        let (bad, wrong_bad) = wrong(&OfflineTrial { link: BAD, ..trial(1) }, engine.name);
        let row = |outcome: &Outcome, wrong: u32| {
            let (up, down) = outcome.history.traffic;
            let History { quiescent, backlog, .. } = outcome.history;
            format!("{wrong} wrong, {} up, {} down, quiescent {quiescent}, backlog {backlog}", up.total(), down.total())
        };
        rows.push(format!("{}: {} | {}", engine.name, row(&good, wrong_good), row(&bad, wrong_bad)));
    }
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn the_right_replica_is_right_in_many_bad_worlds() {
    for seed in 0..40 {
        let edges = vec![
            crate::domain::offline::Edge { name: "near".into(), parent: Some("hub".into()), clients: vec![0, 1] },
            crate::domain::offline::Edge { name: "far".into(), parent: Some("near".into()), clients: vec![2] },
        ];
        let star = OfflineTrial { link: BAD, crashes: 20, ..trial(seed) };
        let small = crate::domain::offline::Journal { retain: 1, compact_after: 20, fragment: 64 };
        let compact = OfflineTrial { journal: small, ..star.clone() };
        let compact_only = crate::domain::offline::Journal { fragment: 4096, ..small };
        let fragments_only = crate::domain::offline::Journal { retain: 64, compact_after: 4096, ..small };
        for trial in [
            OfflineTrial { journal: compact_only, crashes: 0, link: Link::default(), ..star.clone() },
            OfflineTrial { journal: compact_only, crashes: 0, ..star.clone() },
            OfflineTrial { journal: compact_only, ..star.clone() },
            OfflineTrial { journal: fragments_only, crashes: 0, link: Link::default(), ..star.clone() },
            OfflineTrial { journal: fragments_only, crashes: 0, ..star.clone() },
            OfflineTrial { journal: fragments_only, ..star.clone() },
            OfflineTrial { edges: edges.clone(), ..star.clone() },
            OfflineTrial { edges, journal: fragments_only, ..star.clone() },
            OfflineTrial { hub: false, ..star.clone() },
            OfflineTrial { hub: false, journal: fragments_only, ..star.clone() },
            compact,
            star,
        ] {
            let (outcome, wrong) = wrong_but_excused(&trial);
            let History { quiescent, backlog, forgotten, broken, unkept, .. } = outcome.history;
            let all = (wrong, quiescent, backlog, forgotten, broken, unkept);
            assert_eq!(all, (0, true, 0, 0, 0, 0), "seed {seed} {trial:?}");
        }
    }
}

/// A world of any shape in which all goes wrong that one device may survive: crashes and outages of all, and one store
/// that is lost, set back or copied.
fn hostile(seed: u64) -> OfflineTrial {
    use crate::domain::offline::{Edge, FaultKind, Journal, NodeFault};
    let mut stream = Seed::new(seed).stream("hostile");
    let mut one_of = |most: u64| stream.below(most);
    let clients = 3 + one_of(4) as u32;
    let mut world = OfflineTrial { clients, crashes: [0, 20][one_of(2) as usize], ..trial(seed) };
    world.link = [Link::default(), BAD][one_of(2) as usize];
    world.link.repeated_per_mille = [world.link.repeated_per_mille, 300][one_of(2) as usize];
    world.journal = Journal {
        retain: [0, 4, 64][one_of(3) as usize],
        compact_after: [8, 60, 4096][one_of(3) as usize],
        fragment: [64, 512, 4096][one_of(3) as usize],
    };
    let mut nodes: Vec<String> = (0..world.clients).map(|client| format!("client {client}")).collect();
    match one_of(3) {
        0 => nodes.push("hub".into()),
        1 => {
            world.hub = false;
        }
        _ => {
            let edge =
                |name: &str, parent: &str, clients| Edge { name: name.into(), parent: Some(parent.into()), clients };
            world.edges = vec![edge("near", "hub", vec![0, 1]), edge("far", "near", vec![2])];
            nodes.extend(["hub", "near", "far"].map(String::from));
        }
    }
    let lasts_s = world.presence.lasts_s;
    let mut fault = |kind, node: String| {
        let at_s = lasts_s / 4 + stream.below(lasts_s / 2);
        let age_s = if kind == FaultKind::Restore { 1 + stream.below(at_s - 1) } else { 0 };
        NodeFault { kind, node, at_s, for_s: 1 + stream.below(lasts_s / 20), age_s, ..NodeFault::default() }
    };
    let place = |seed: u64, all: usize| (seed / 7) as usize % all;
    let lost = nodes[place(seed, nodes.len())].clone();
    let kinds = [FaultKind::Wipe, FaultKind::Restore, FaultKind::Clone, FaultKind::Damage];
    // A copy takes the place of the client after it.
    let copied = lost.strip_prefix("client ").is_some_and(|number| number != (world.clients - 1).to_string());
    let kind = match kinds[seed as usize % 4] {
        FaultKind::Clone if !copied => FaultKind::Wipe,
        // A parent that is set back lacks what it compacted since: nobody could tell a part of it.
        FaultKind::Restore if !lost.starts_with("client") && world.journal.compact_after < 4096 => FaultKind::Wipe,
        kind => kind,
    };
    world.faults = vec![fault(kind, lost), fault(FaultKind::Crash, nodes[place(seed * 3, nodes.len())].clone())];
    world.faults.push(fault(FaultKind::Outage, nodes[place(seed * 5, nodes.len())].clone()));
    world
}

#[test]
fn the_right_replica_survives_any_one_lost_set_back_or_copied_store_in_worlds_of_any_shape() {
    for seed in 0..600 {
        let trial = hostile(seed);
        let (outcome, wrong) = wrong_but_excused(&trial);
        let History { quiescent, backlog, forgotten, broken, unkept, .. } = outcome.history;
        let all = (wrong, quiescent, backlog, forgotten, broken, unkept);
        assert_eq!(all, (0, true, 0, 0, 0, 0), "seed {seed} {trial:?}");
    }
}

#[test]
fn a_world_with_very_many_visits_comes_to_its_end_and_is_right() {
    let presence = Presence { lasts_s: 90_000, away_s: (1, 1), here_s: (1, 1) };
    let trial = OfflineTrial { clients: 2, presence, ..trial(1) };
    let (outcome, wrong) = wrong_but_excused(&trial);
    let History { cut_off, quiescent, backlog, .. } = outcome.history;
    assert_eq!((wrong, cut_off, quiescent, backlog), (0, None, true, 0));
    assert_eq!(outcome.history.ledger.len(), 2 * 20 * 3, "every edit was made");
    assert!(outcome.measures.deliveries > 170_000, "{}", outcome.measures.deliveries);
}

#[test]
fn long_messages_all_get_through_a_line_that_needs_several_visits_for_each() {
    let presence = Presence { lasts_s: 86_400, away_s: (1800, 3600), here_s: (5, 10) };
    let link = Link { bits_per_s: 2400, latency_ms: 150, ..Link::default() };
    let workload = Workload { ticks: 40, changed: 1000, most: 1_000_000, decrements: false, zipf_hundredths: None };
    let journal = crate::domain::offline::Journal { fragment: 1024, ..Default::default() };
    let slow = OfflineTrial { clients: 2, registers: 2000, presence, link, workload, journal, ..trial(1) };
    let (outcome, wrong) = wrong_but_excused(&slow);
    let History { quiescent, backlog, .. } = outcome.history;
    assert_eq!((wrong, quiescent, backlog), (0, true, 0));
}

#[test]
fn an_acknowledgement_that_a_crash_belies_is_seen_where_it_was_given_by_peers_edges_and_leaves() {
    let edge = crate::domain::offline::Edge { name: "near".into(), parent: Some("hub".into()), clients: vec![0, 1] };
    let crashing = |seed| OfflineTrial { crashes: 60, ..trial(seed) };
    let peers = |seed| OfflineTrial { hub: false, ..crashing(seed) };
    let edges = |seed| OfflineTrial { edges: vec![edge.clone()], ..crashing(seed) };
    let broken = |trial: OfflineTrial, mutant| {
        let engine = engine::find("delta-summary").expect("an engine");
        let world = World::new(&trial, engine, &settings(&trial, mutant)).expect("its stores are in memory");
        world.run(&mut Unwatched).expect("nobody stops it").history.broken
    };
    for shape in [&peers as &dyn Fn(u64) -> OfflineTrial, &edges, &crashing] {
        let all = |mutant| (0..12).filter(|&seed| broken(shape(seed), mutant) > 0).count();
        assert_eq!(all(None), 0);
        assert!(all(Some("ack-before-durable")) > 0, "{:?}", shape(0));
    }
}

fn wrong_but_excused(trial: &OfflineTrial) -> (Outcome, u32) {
    let (outcome, _) = wrong(trial, "delta-summary");
    let wrong = crate::oracle::offline::truth::wrong_registers(&outcome.history);
    (outcome, wrong)
}

#[test]
fn in_a_shipped_world_that_ends_well_only_what_is_excused_comes_to_nobody() {
    use crate::domain::trial::Trial;
    use crate::scenario::shipped;
    let (mut worlds, mut undelivered_in_all) = (0, 0);
    for (name, _) in shipped::SHIPPED {
        let scenario = shipped::find(name).expect("it is shipped").expect("it is sound");
        let Trial::Offline(trial) = scenario.trial else { continue };
        // Nobody waits for a device that left for good.
        let of_steps = trial.steps.iter().filter_map(|step| match &step.action {
            Action::Fault(fault) => Some(fault),
            _ => None,
        });
        if trial.faults.iter().chain(of_steps).any(|fault| fault.kind == crate::domain::offline::FaultKind::Retire) {
            continue;
        }
        // Where one value of a label is shown, its writer alone may know of one that lost.
        let tells_all =
            |engine: &&Registration| trial.labels.registers == 0 || engine.carries.labels == Some(Overwrites::Multi);
        for engine in REGISTRY.iter().filter(|engine| engine.suits(&trial)).filter(tells_all) {
            let (outcome, _) = wrong(&trial, engine.name);
            let excused = outcome.history.ledger.edits().filter(|edit| edit.fate != Fate::Binding).count() as u64;
            let Some(undelivered) = outcome.measures.staleness.undelivered() else { continue };
            if crate::oracle::offline::truth::wrong_registers(&outcome.history) == 0 {
                let most = excused * u64::from(trial.clients - 1);
                assert!(undelivered <= most, "{name}, {}: {undelivered} of {most}", engine.name);
                worlds += 1;
                undelivered_in_all += undelivered;
            }
        }
    }
    assert!(worlds > 20 && undelivered_in_all > 20, "{worlds} and {undelivered_in_all}");
}

#[test]
fn a_damaged_store_is_refused_and_its_node_is_restored_by_its_peers_with_the_loss_reported() {
    use crate::domain::offline::{FaultKind, NodeFault};
    let damage = |node: &str, at_s| NodeFault {
        kind: FaultKind::Damage,
        node: node.into(),
        at_s,
        for_s: 60,
        age_s: 0,
        ..NodeFault::default()
    };
    for seed in 0..16 {
        // Images, too, are damaged: journals are compacted early. What a leaf has lost, the hub alone can give, so that the
        // hub is damaged in worlds of its own.
        let clients = || vec![damage("client 1", 9000), damage("client 2", 17_000)];
        let faults = if seed % 2 == 0 { clients() } else { vec![damage("hub", 14_000)] };
        let journal = crate::domain::offline::Journal { retain: 1, compact_after: 20, ..Default::default() };
        let trial = OfflineTrial { faults, journal, ..trial(seed) };
        let (outcome, wrong) = wrong_but_excused(&trial);
        let History { quiescent, backlog, forgotten, broken, unkept, ledger, .. } = &outcome.history;
        let all = (wrong, *quiescent, *backlog, *forgotten, *broken, *unkept);
        assert_eq!(all, (0, true, 0, 0, 0, 0), "seed {seed}");
        let lost = ledger.edits().filter(|edit| edit.fate != Fate::Binding).count();
        let told = outcome.refused_stores;
        assert_eq!(told.len(), trial.faults.len(), "seed {seed}: {told:?}");
        for fault in &trial.faults {
            let word = format!("{}: the store is damaged: ", fault.node);
            assert!(told.iter().any(|told| told.starts_with(&word)), "{word} {told:?}");
        }
        let counted: usize =
            told.iter().filter_map(|told| told.split("; ").last()?.split(' ').next()?.parse::<usize>().ok()).sum();
        assert_eq!(counted, lost, "seed {seed}: {told:?}");
    }
}

#[test]
fn who_waits_for_longer_than_any_backoff_and_says_nothing_is_judged() {
    use crate::oracle::offline::progress;
    // One client's edits go up in fragments over a bad line. What the mutant does not send again, it waits for without end.
    let link = Link { lost_per_mille: 400, ..Link::default() };
    let presence = Presence { lasts_s: 3600, away_s: (1, 1), here_s: (3600, 3600) };
    let workload = Workload { ticks: 1, changed: 40, most: 1_000_000, decrements: true, zipf_hundredths: None };
    let journal = crate::domain::offline::Journal { fragment: 64, ..Default::default() };
    let engine = engine::find("delta-summary").expect("an engine");
    let mut stuck = 0;
    for seed in 0..12 {
        let trial = OfflineTrial {
            clients: 2,
            registers: 64,
            link,
            presence: presence.clone(),
            workload: workload.clone(),
            journal,
            ..trial(seed)
        };
        let history = |mutant| {
            let world = World::new(&trial, engine, &settings(&trial, mutant)).expect("a world");
            world.run(&mut Unwatched).expect("it ends").history
        };
        assert_eq!(history(None).backlog, 0);
        let History { quiescent, cut_off, backlog, .. } = history(Some("lost-fragments-stay-lost"));
        let history = History { quiescent, cut_off, backlog, settle_bound: 1, ..History::default() };
        assert_eq!((quiescent, cut_off), (true, None), "seed {seed}");
        stuck += u32::from(progress::judge(&history).verdict == crate::domain::verdict::Verdict::Falsified);
    }
    assert!(stuck >= 3, "{stuck}");
}
