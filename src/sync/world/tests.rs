//! Worlds of every strategy, small and bad.

use super::*;
use crate::domain::offline::{Link, Presence, Workload};
use crate::domain::seed::Seed;
use crate::domain::watch::Unwatched;
use crate::sync::strategy::{self, REGISTRY};

pub(super) fn trial(seed: u64) -> OfflineTrial {
    OfflineTrial {
        seed: Seed::new(seed),
        registers: 32,
        start: 5,
        clients: 4,
        strategies: Vec::new(),
        flaws: Vec::new(),
        hub: true,
        edges: Vec::new(),
        workload: Workload { ticks: 20, changed: 3, most: 3, decrements: true, zipf_hundredths: None },
        presence: Presence { lasts_s: 20_000, away_s: (100, 2000), here_s: (20, 300) },
        link: Link::default(),
        clocks: Default::default(),
        faults: Vec::new(),
        crashes: 0,
        more_worlds: 0,
        settle_s: 3600,
        journal: Default::default(),
        memory_mib: crate::domain::offline::default_memory(),
    }
}

fn wrong(trial: &OfflineTrial, name: &str) -> (Outcome, u32) {
    let strategy = strategy::find(name).expect("a strategy");
    let world = World::new(trial, strategy, &settings(trial, None)).expect("a world");
    let outcome = world.run(&mut Unwatched).expect("it ends");
    let truth = outcome.history.ledger.truth();
    let wrong = outcome.history.ends.iter().map(|end| end.registers.iter().zip(&truth).filter(|(a, b)| a != b).count());
    let wrong = wrong.max().unwrap_or(0) as u32;
    (outcome, wrong)
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
fn what_each_strategy_makes_of_a_good_and_of_a_bad_network() {
    let mut rows = Vec::new();
    for strategy in REGISTRY {
        let (good, wrong_good) = wrong(&trial(1), strategy.name);
        let (bad, wrong_bad) = wrong(&OfflineTrial { link: BAD, ..trial(1) }, strategy.name);
        let row = |outcome: &Outcome, wrong: u32| {
            let (up, down) = outcome.history.traffic;
            let History { quiet, backlog, .. } = outcome.history;
            format!("{wrong} wrong, {} up, {} down, quiet {quiet}, backlog {backlog}", up.total(), down.total())
        };
        rows.push(format!("{}: {} | {}", strategy.name, row(&good, wrong_good), row(&bad, wrong_bad)));
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
        let small = crate::domain::offline::Journal { retain: 1, compact_after: 20, piece: 64 };
        let compact = OfflineTrial { journal: small, ..star.clone() };
        let compact_only = crate::domain::offline::Journal { piece: 4096, ..small };
        let pieces_only = crate::domain::offline::Journal { retain: 64, compact_after: 4096, ..small };
        for trial in [
            OfflineTrial { journal: compact_only, crashes: 0, link: Link::default(), ..star.clone() },
            OfflineTrial { journal: compact_only, crashes: 0, ..star.clone() },
            OfflineTrial { journal: compact_only, ..star.clone() },
            OfflineTrial { journal: pieces_only, crashes: 0, link: Link::default(), ..star.clone() },
            OfflineTrial { journal: pieces_only, crashes: 0, ..star.clone() },
            OfflineTrial { journal: pieces_only, ..star.clone() },
            OfflineTrial { edges, ..star.clone() },
            OfflineTrial { hub: false, ..star.clone() },
            compact,
            star,
        ] {
            let (outcome, wrong) = wrong_but_excused(&trial);
            let History { quiet, backlog, forgotten, unkept, .. } = outcome.history;
            let all = (wrong, quiet, backlog, forgotten, unkept);
            assert_eq!(all, (0, true, 0, 0, 0), "seed {seed} {trial:?}");
        }
    }
}

fn wrong_but_excused(trial: &OfflineTrial) -> (Outcome, u32) {
    let (outcome, _) = wrong(trial, strategy::RIGHT);
    let wrong = crate::oracle::offline::truth::wrong_registers(&outcome.history);
    (outcome, wrong)
}
