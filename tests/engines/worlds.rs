//! Every mapping in whole worlds: those that lose nothing hold under faults, and a library that fails is a finding.

use abench::domain::data::Concurrent;
use abench::domain::offline::{FaultKind, Journal, Link, NodeFault, OfflineTrial, Presence, Tags, Workload};
use abench::domain::oracle::OracleId;
use abench::domain::seed::Seed;
use abench::domain::trial::Trial;
use abench::domain::verdict::Verdict;
use abench::domain::watch::Unwatched;
use abench::engine::library::{NAMES, REGISTRY};
use abench::engine::{self, Registration, Unknown};
use abench::lab::{World, settings};
use abench::oracle::offline::judgements;
use abench::scenario::shipped;

fn fault(kind: FaultKind, node: &str, at_s: u64, age_s: u64) -> NodeFault {
    NodeFault { kind, node: node.into(), at_s, for_s: 60, age_s, ..NodeFault::default() }
}

/// Worlds with a hub and without, over lines that lose, repeat, reorder and cut off, in which stores are set back, copied,
/// lost and full.
fn worlds() -> Vec<OfflineTrial> {
    let link = Link {
        lost_per_mille: 50,
        repeated_per_mille: 20,
        reordered_per_mille: 50,
        truncated_per_mille: 10,
        corrupted_per_mille: 10,
        ..Link::default()
    };
    let faults = [
        vec![fault(FaultKind::Restore, "client 2", 12_000, 6000), fault(FaultKind::Crash, "client 0", 9000, 0)],
        vec![fault(FaultKind::Clone, "client 0", 11_000, 0), fault(FaultKind::Wipe, "client 3", 8000, 0)],
        vec![fault(FaultKind::Freeze, "client 1", 7000, 0), fault(FaultKind::Full, "client 2", 9000, 0)],
    ];
    let world = |(seed, faults): (u64, Vec<NodeFault>)| OfflineTrial {
        registers: 12,
        start: 5,
        // So large that no sum of lost edits is another edit's by chance, and small enough for a float.
        workload: Workload { ticks: 12, changed: 3, most: 1_000_000_000, decrements: true, zipf_hundredths: None },
        presence: Presence { lasts_s: 20_000, away_s: (300, 1500), here_s: (60, 600) },
        link,
        faults,
        crashes: 4,
        // So that documents are saved whole, too.
        journal: Journal { compact_after: 20, ..Journal::default() },
        hub: seed != 1,
        ..OfflineTrial::of(Seed::new(seed), 4)
    };
    (0..).zip(faults).map(world).collect()
}

/// What accuses the engine in this world.
fn accused(trial: &OfflineTrial, engine: &Registration) -> Vec<(OracleId, String)> {
    let world = World::new(trial, engine, &settings(trial, None)).expect("a world");
    let history = world.run(&mut Unwatched).expect("it ends").history;
    let said = judgements(&history).filter(|(_, said)| said.verdict == Verdict::Falsified);
    said.map(|(judge, said)| (judge, said.sentence)).collect()
}

/// Mappings of which no edit is lost.
fn sound() -> impl Iterator<Item = &'static Registration> {
    let is_unsound = |name: &str| ["-lww", "-same-id", "-unreliable"].iter().any(|end| name.ends_with(end));
    REGISTRY.iter().filter(move |engine| !is_unsound(engine.name))
}

#[test]
fn mappings_that_lose_nothing_hold_when_stores_are_set_back_copied_lost_and_full() {
    for engine in sound() {
        for trial in worlds() {
            assert_eq!(accused(&trial, engine), [], "{}, {:?}", engine.name, trial.seed);
        }
    }
}

#[test]
fn libraries_with_tags_keep_what_they_declare_of_an_insert_and_a_remove_at_the_same_time() {
    let tags = Tags { registers: 3, elements: 5, edits: 30, removes_percent: 45 };
    for engine in REGISTRY.iter().filter(|engine| engine.carries.tags.is_some()) {
        let wins = engine.carries.tags == Some(Concurrent::InsertWins);
        assert_eq!(wins, engine.name == "crdts-pncounter");
        for trial in worlds() {
            // Counters that nobody edits, and a hub that is not set back.
            let workload = Workload { ticks: 0, changed: 0, most: 1, decrements: true, zipf_hundredths: None };
            let trial = OfflineTrial { tags, registers: 1, workload, faults: Vec::new(), ..trial };
            assert_eq!(accused(&trial, engine), [], "{}, {:?}", engine.name, trial.seed);
        }
    }
}

#[test]
fn every_name_is_registered_and_a_group_stands_for_all_of_them() {
    assert!(NAMES.iter().eq(REGISTRY.iter().map(|engine| &engine.name)));
    let engines = vec!["libraries".to_owned()];
    let trial = OfflineTrial { engines, ..worlds().remove(0) };
    assert!(engine::asked(&trial.engines).map(|engine| engine.name).eq(NAMES.iter().copied()));
    // What stands for all engines of abench is the same in every build.
    let all = OfflineTrial { engines: vec!["all".to_owned()], ..trial };
    assert!(engine::asked(&all.engines).all(|engine| !NAMES.contains(&engine.name)));
    assert_eq!(engine::find("yrs").map(|engine| engine.name), Err(Unknown::Name("yrs".to_owned())));
}

#[test]
fn the_same_world_comes_to_the_same_bytes_again() {
    let trial = worlds().remove(0);
    for engine in sound() {
        let bytes = || {
            let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
            let outcome = world.run(&mut Unwatched).expect("it ends");
            (outcome.history.traffic, outcome.history.ends, outcome.measures.stored)
        };
        assert!(bytes() == bytes(), "{}", engine.name);
    }
}

#[test]
fn a_stock_in_a_document_is_counted_right_and_overspent_by_every_mapping_that_keeps_counters() {
    let Trial::Offline(shop) = shipped::find("shop-stock").expect("it is shipped").expect("it is sound").trial else {
        panic!("it is a world");
    };
    for engine in REGISTRY {
        let accused: Vec<OracleId> = accused(&shop, engine).into_iter().map(|(judge, _)| judge).collect();
        assert!(accused.contains(&OracleId::Overspending), "{}: {accused:?}", engine.name);
        let loses_increments = engine.name.ends_with("-lww");
        assert_eq!(accused.contains(&OracleId::Truth), loses_increments, "{}: {accused:?}", engine.name);
    }
}
