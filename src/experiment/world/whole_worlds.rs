//! Controls of the judges of worlds, from end to end: a small world runs with an engine in which something is planted, and
//! the judge that it is meant for must refuse what that world came to. So a judge that never accuses is seen, and so is a
//! count that is always 0 on its way to a judge.

use std::num::NonZeroUsize;

use super::{judged, planted as engine, unique_amounts};
use crate::domain::history::History;
use crate::domain::offline::{
    Cases, Claims, FaultKind, LoadBounds, NodeFault, OfflineTrial, Presence, Records, Stocks, Tags, Texts, Workload,
};
use crate::domain::oracle::OracleId;
use crate::domain::over_time::Restarts;
use crate::domain::seed::Seed;
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::experiment::control::Shown;
use crate::experiment::jobs;
use crate::lab::{World, WorldError, settings};

/// A judge, what is planted for it, and what is left out of the history so that nothing else accuses in its place.
type Plant = (OracleId, &'static str, fn(&mut History));

/// What is planted, each for one judge.
const PLANTS: &[Plant] = &[
    (OracleId::Convergence, engine::SHOWS_ANOTHER, |_| {}),
    (OracleId::Truth, engine::SHOWS_TOO_MUCH, |_| {}),
    (OracleId::ExactlyOnce, engine::COUNTS_TWICE, |_| {}),
    (OracleId::Durability, engine::FORGETS_ITS_OWN, |history| {
        (history.broken, history.unkept) = (0, 0);
        leave_out_views(history);
    }),
    (OracleId::Durability, engine::FORGETS_ITS_OWN, leave_out_ids),
    (OracleId::Durability, engine::FORGETS_ANOTHERS, |history| {
        (history.forgotten, history.unkept) = (0, 0);
        leave_out_views(history);
    }),
    (OracleId::Durability, engine::FORGETS_ANOTHERS, leave_out_ids),
    (OracleId::Durability, engine::BELIEVES_TOO_MUCH, |history| (history.forgotten, history.broken) = (0, 0)),
    (OracleId::Progress, engine::GIVES_UP, |_| {}),
    (OracleId::Metadata, engine::GROWS, |_| {}),
    (OracleId::Monotonic, engine::UNSHOWS, |_| {}),
    (OracleId::Monotonic, engine::HIDES_AN_ELEMENT, |_| {}),
    (OracleId::Monotonic, engine::HIDES_A_TAG, |_| {}),
    (OracleId::Monotonic, engine::HIDES_A_LETTER, |_| {}),
    (OracleId::Truth, engine::KEEPS_ERASED, |_| {}),
    (OracleId::StalenessBound, engine::IS_LATE, |_| {}),
    (OracleId::Load, engine::FLOODS, |_| {}),
    (OracleId::Overspending, engine::OVERSPENDS, |_| {}),
    (OracleId::WholeRecords, engine::HALVES_A_RECORD, |_| {}),
    (OracleId::Uniqueness, engine::GRANTS_TWICE, |_| {}),
    (OracleId::Truth, engine::FORGETS_A_CLAIM, |_| {}),
    (OracleId::Frozen, engine::CHANGES_A_CLOSED_CASE, |_| {}),
    (OracleId::Truth, engine::HIDES_AN_ITEM, |_| {}),
    (OracleId::Running, engine::FAILS, |_| {}),
    (OracleId::Outbox, engine::TELLS_DELIVERED, |_| {}),
];

/// As of an engine whose nodes cannot be asked which edits they hold.
fn leave_out_ids(history: &mut History) {
    (history.forgotten, history.broken, history.unkept, history.restarts) = (0, 0, 0, None);
}

/// As if nobody had looked at what nodes show when they start again.
fn leave_out_views(history: &mut History) {
    history.over_time.unshown.iter_mut().for_each(|unshown| unshown.restarts = Restarts::default());
}

/// Two clients and a hub for half a day; one client's power fails once.
fn trial() -> OfflineTrial {
    let crash = NodeFault {
        kind: FaultKind::Crash,
        node: "client 0".to_owned(),
        at_s: 20_000,
        for_s: 60,
        ..NodeFault::default()
    };
    OfflineTrial {
        seed: Seed::new(12),
        workload: Workload { ticks: 100, changed: 1, most: 1000, decrements: true, zipf_hundredths: None },
        tags: Tags { registers: 1, elements: 4, edits: 10, removes_percent: 40 },
        records: Records { registers: 1, edits: 20, elements: 2, ..Records::default() },
        texts: Texts { registers: 1, edits: 12, erases_percent: 30, ..Texts::default() },
        claims: Claims { registers: 2, edits: 9 },
        cases: Cases { registers: 2, items: 9, edits: 9, closes_percent: 20 },
        stocks: Stocks { registers: 1, edits: 30, supplies_percent: 10, transfers_percent: 20, most: 4 },
        presence: Presence { lasts_s: 40_000, away_s: (100, 300), here_s: (1500, 3000) },
        faults: vec![crash],
        staleness_s: Some(600),
        load: LoadBounds { attempts: Some(4), messages: Some(30), bytes: Some(3000) },
        ..super::faultless::faultless_trial(2, 4, 5)
    }
}

/// What a world with this plant comes to.
fn history(plant: Option<&'static str>) -> Option<History> {
    let trial = trial();
    let (unique_amounts, unshown) = unique_amounts::run(&trial, &engine::ENGINE, plant, &mut Unwatched).ok()?;
    let world = World::new(&trial, &engine::ENGINE, &settings(&trial, plant)).ok()?;
    let mut history = world.run(&mut Unwatched).ok()?.history;
    history.unique_amounts = Some(unique_amounts);
    history.over_time.unshown = unshown;
    Some(history)
}

/// Shows each judge the world in which something is planted for it. The world without a plant must hold by every judge.
pub(super) fn show_judges(threads: NonZeroUsize) -> Shown {
    let worlds: Vec<Option<&Plant>> = [None].into_iter().chain(PLANTS.iter().map(Some)).collect();
    let of_world = |planted: &Option<&Plant>, _: &mut dyn Watch| Ok(said_of(*planted));
    let mut said = jobs::run(&worlds, threads, &mut Unwatched, of_world).of.into_iter();
    Shown::of(said.next().unwrap_or(Verdict::Inconclusive), said, |said| said)
}

/// What the judge says for which something is planted; of the world without a plant, all of them.
fn said_of(planted: Option<&Plant>) -> Verdict {
    let Some(mut history) = history(planted.map(|(_, plant, _)| *plant)) else { return Verdict::Inconclusive };
    if let Some((_, _, leave_out)) = planted {
        leave_out(&mut history);
    }
    let (said, _) = judged(&history);
    match planted {
        Some((judge, ..)) => said.get(judge).map_or(Verdict::Inconclusive, |(verdict, _)| *verdict),
        None => Verdict::of_set(said.values().map(|(verdict, _)| *verdict)),
    }
}

/// Shows the observer on the line an engine that does not count its checksums.
pub(super) fn show_line() -> Shown {
    Shown::of(None, [Some(engine::MISCOUNTS)], |plant| {
        let trial = trial();
        let world = World::new(&trial, &engine::ENGINE, &settings(&trial, plant));
        match world.and_then(|world| world.run(&mut Unwatched)) {
            Ok(_) => Verdict::Holds,
            Err(WorldError::Miscounted(_)) => Verdict::Falsified,
            Err(_) => Verdict::Inconclusive,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::offline::ids;

    #[test]
    fn the_world_without_a_plant_holds_by_every_judge_and_each_plant_is_refused_by_its_judge() {
        let (said, verdict) = judged(&history(None).expect("it ends"));
        assert_eq!(verdict, Verdict::Holds, "{said:?}");
        let dead: Vec<_> = said.iter().filter(|(_, (verdict, _))| *verdict != Verdict::Holds).collect();
        assert!(dead.is_empty(), "{dead:?}");
        for (judge, plant, leave_out) in PLANTS {
            let mut history = history(Some(plant)).expect("it ends");
            leave_out(&mut history);
            let (said, _) = judged(&history);
            assert_eq!(said[judge].0, Verdict::Falsified, "{plant}: {said:?}");
        }
        let line = show_line();
        assert!(line.accepts_right && line.refused == 1, "{line:?}");
    }

    #[test]
    fn no_other_judge_sees_an_element_that_is_hidden_for_a_time() {
        let (said, _) = judged(&history(Some(engine::HIDES_AN_ELEMENT)).expect("it ends"));
        let against = said.iter().filter(|(_, (verdict, _))| *verdict == Verdict::Falsified);
        assert_eq!(against.map(|(judge, _)| *judge).collect::<Vec<_>>(), [OracleId::Monotonic], "{said:?}");
        assert!(
            said[&OracleId::Monotonic].1.contains("is gone and no remove that can have come explains it"),
            "{said:?}"
        );
    }

    #[test]
    fn every_judge_of_worlds_has_a_plant() {
        // A fault that takes no effect is planted by a control of its own.
        for judge in ids().filter(|&judge| judge != OracleId::Faults) {
            assert!(PLANTS.iter().any(|(planted, ..)| *planted == judge), "{judge}");
        }
    }
}
