//! Worlds in which nothing goes wrong, and long histories of one and the same tick.

use super::failed;
use crate::domain::data::Intent;
use crate::domain::history::{Fate, UserEdit};
use crate::domain::offline::{OfflineTrial, Presence, Workload};
use crate::domain::seed::Seed;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::lab::{World, settings};
use crate::scenario::offline::SECOND;

/// A world in which nothing goes wrong: clients connect in the end, one after the other.
pub(super) fn faultless_trial(clients: u32, registers: u32, start: i64) -> OfflineTrial {
    OfflineTrial {
        registers,
        start,
        workload: Workload { ticks: 0, changed: 1, most: 1, decrements: false, zipf_hundredths: None },
        presence: Presence { lasts_s: 1, away_s: (1 << 30, 1 << 30), here_s: (1, 1) },
        ..OfflineTrial::of(Seed::new(0), clients)
    }
}

/// Ticks of a long history.
const TICKS: u64 = 400;

/// Seconds between them.
const BETWEEN: u64 = 60;

/// Seconds of a tick, at its end, that a visit takes.
const VISIT: u64 = 20;

/// A long history in one connection, with a hub or between two peers, as it is in the world that is on trial.
pub(super) fn connected_for_long(hub: bool) -> OfflineTrial {
    let presence = Presence { lasts_s: TICKS * BETWEEN, away_s: (0, 0), here_s: (TICKS * BETWEEN, TICKS * BETWEEN) };
    OfflineTrial { hub, presence, ..faultless_trial(2, 64, 0) }
}

/// The same, with each tick in a visit of its own: both connect, complete a handshake, sync and leave, and nobody starts again.
pub(super) fn visits_for_long(hub: bool) -> OfflineTrial {
    let away = BETWEEN - VISIT;
    let presence = Presence { lasts_s: TICKS * BETWEEN, away_s: (away, away), here_s: (VISIT, VISIT) };
    OfflineTrial { presence, ..connected_for_long(hub) }
}

/// The bytes both ways of the same tick, again and again: four registers up by one, then down by one.
pub(super) fn long_history(
    engine: &Registration,
    trial: &OfflineTrial,
    watch: &mut dyn Watch,
) -> Result<Vec<u64>, SubjectError> {
    let tick = |tick: u64| {
        let amount = if tick.is_multiple_of(2) { 1 } else { -1 };
        let at = (tick * BETWEEN + 10) * SECOND;
        (0..4).map(move |place| UserEdit {
            at,
            register: 9 * place + 3,
            intent: Intent::Increase(amount),
            fate: Fate::Binding,
        })
    };
    // One client alone edits: where edits are lost, what two leave of theirs is not the same tick any more.
    let users = vec![(0..TICKS).flat_map(tick).collect(), Vec::new()];
    let world = World::new(trial, engine, &settings(trial, None));
    let outcome = world.and_then(|world| world.with_users(users).watched(0).run(watch));
    let mut bytes = vec![0; TICKS as usize];
    for (at, more) in outcome.map_err(failed)?.measures.bytes.log {
        if let Some(tick) = bytes.get_mut((at / (BETWEEN * SECOND)) as usize) {
            *tick += more;
        }
    }
    // The first has the first handshake in it.
    bytes.remove(0);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::History;
    use crate::domain::offline::{FaultKind, NodeFault};
    use crate::domain::verdict::Verdict;
    use crate::domain::watch::Unwatched;
    use crate::engine;

    #[test]
    fn handshakes_that_grow_with_history_are_seen_by_the_judge_of_metadata_where_ticks_are_visits() {
        let right = engine::find("delta-summary").expect("an engine");
        // Every start in which a peer edits has a name of its own, and each is in every handshake from then on.
        let crash = |tick| NodeFault {
            kind: FaultKind::Crash,
            node: "client 0".to_owned(),
            at_s: tick * BETWEEN + 1,
            for_s: 1,
            ..NodeFault::default()
        };
        let visits = |faults| {
            let trial = OfflineTrial { faults, ..visits_for_long(false) };
            long_history(right, &trial, &mut Unwatched).expect("it ends")
        };
        let connected = long_history(right, &connected_for_long(false), &mut Unwatched).expect("it ends");
        let said = |visits| {
            let history = History { ticks: connected.clone(), visits, ..History::default() };
            crate::oracle::offline::metadata::judge(&history)
        };
        let (sound, grows) = (said(visits(Vec::new())), said(visits((0..TICKS).map(crash).collect())));
        assert_eq!(sound.verdict, Verdict::Holds, "{}", sound.sentence);
        assert_eq!(grows.verdict, Verdict::Falsified, "{}", grows.sentence);
    }

    #[test]
    fn no_engine_that_claims_constant_metadata_grows_in_one_connection_or_in_visits_with_or_without_a_hub() {
        for engine in engine::REGISTRY.iter().filter(|engine| engine.constant) {
            for hub in [true, false] {
                if !engine.suits(&connected_for_long(hub)) {
                    continue;
                }
                let bytes = |trial| long_history(engine, &trial, &mut Unwatched).expect("it ends");
                let (ticks, visits) = (bytes(connected_for_long(hub)), bytes(visits_for_long(hub)));
                let judgement =
                    crate::oracle::offline::metadata::judge(&History { ticks, visits, ..History::default() });
                assert_ne!(judgement.verdict, Verdict::Falsified, "{} hub {hub}: {}", engine.name, judgement.sentence);
            }
        }
    }
}
