//! How much memory a world is going to take, before anything of it is made.

use crate::domain::offline::{OfflineTrial, Presence, Records};
use crate::engine::{self, Keeps, Registration};

/// Why a world is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{keys}: this world takes about {needed} MiB by {engine}, most of it by these keys, and memory_mib = {allowed} is \
     allowed; lower one of them, name other engines, or allow more by memory_mib or --memory"
)]
pub struct TooLarge {
    keys: &'static str,
    needed: u128,
    allowed: u64,
    engine: &'static str,
}

/// Refuses a world that takes more memory than it may, by any engine that it puts on trial.
pub fn fits(trial: &OfflineTrial) -> Result<(), TooLarge> {
    let weighed = engine::on_trial(trial).map(|engine| {
        let parts = needed(trial, engine);
        let largest = parts.into_iter().max_by_key(|(_, bytes)| *bytes).map_or("", |(keys, _)| keys);
        (parts.iter().map(|(_, bytes)| bytes).sum::<u128>(), engine.name, largest)
    });
    match weighed.max().filter(|(needed, ..)| *needed > trial.memory_mib.bytes().into()) {
        None => Ok(()),
        Some((needed, engine, keys)) => {
            Err(TooLarge { keys, needed: needed.div_ceil(1 << 20), allowed: trial.memory_mib.bytes() >> 20, engine })
        }
    }
}

/// About how many bytes a world takes by that of its engines which takes most.
pub fn needed_at_most(trial: &OfflineTrial) -> u128 {
    let sum = |engine| needed(trial, engine).iter().map(|(_, bytes)| bytes).sum();
    engine::on_trial(trial).map(sum).max().unwrap_or(0)
}

/// About how many bytes a world takes by its keys, rather more than fewer. Sizes are those of the structures that hold each
/// thing.
fn needed(trial: &OfflineTrial, engine: &Registration) -> [(&'static str, u128); 13] {
    let [clients, registers, nodes] = [trial.clients, trial.fields().len(), trial.nodes()].map(u128::from);
    let edits = u128::from(trial.edits());
    // An edit is in the ledger, in its copy for the judges, in a journal and in a delta of the hub's.
    let users = edits * 160;
    // What a user of tags had seen: the elements that were shown, and a number for each client, twice.
    let of_sighting = 160 + u128::from(trial.tags.elements) * 8 + clients * 8;
    let sightings = clients * u128::from(trial.tags.edits) * of_sighting;
    // What a user of a label had seen: at most one value of each client, and the same numbers.
    let of_labels = clients * u128::from(trial.labels.edits) * (160 + clients * 24);
    // What a user of a record had seen: of each label as much.
    let Records { edits: of_each, labels, elements, .. } = trial.records;
    let of_sighting = 160 + clients * 16 + u128::from(labels) * (40 + clients * 8) + u128::from(elements) * 8;
    let of_records = clients * u128::from(of_each) * of_sighting;
    // What a user of a text had seen: each letter that anybody may have typed before, in half of the world on average.
    let keystrokes = clients * u128::from(trial.texts.edits);
    let kept_texts = nodes * keystrokes * 64;
    let of_texts =
        kept_texts + keystrokes * (160 + clients * 8 + keystrokes / u128::from(trial.texts.registers.max(1)) * 4);
    // What a user of a claim had seen: each claim that anybody may have made before.
    let claimed = clients * u128::from(trial.claims.edits);
    let of_claims = claimed * (200 + clients * 8 + claimed / u128::from(trial.claims.registers.max(1)) * 16);
    // What a user of a case had seen.
    let worked = clients * u128::from(trial.cases.edits);
    let of_cases = worked * (200 + clients * 8 + u128::from(trial.cases.items) * 8);
    // What was done to stocks is put in order in the end.
    let of_stocks = clients * u128::from(trial.stocks.edits) * 240;
    let ends = nodes * (registers * 48 + 4096);
    // A device that starts again edits as another actor.
    let actors = clients + u128::from(trial.crashes) + trial.faults.len() as u128;
    let relays = if trial.hub { 1 + trial.edges.len() as u128 } else { nodes };
    let kept = match engine.keeps {
        Keeps::Registers if trial.hub && trial.edges.is_empty() => nodes * registers * 40,
        // Who serves others that serve keeps their deltas.
        Keeps::Registers => nodes * registers * 40 + relays * edits * 120,
        Keeps::Edits => nodes * (registers * 8 + edits * 56),
        // Every store announces itself in a share of each stock.
        Keeps::ClientSums => {
            nodes * (actors * registers).min(edits) * 96
                + nodes * (nodes + actors) * u128::from(trial.stocks.registers) * 250
        }
    };
    let links = if trial.hub { nodes } else { clients * (clients - 1) / 2 };
    let Presence { lasts_s, away_s, here_s } = trial.presence;
    let cycle = u128::from(away_s.0) + u128::from(away_s.1) + u128::from(here_s.0) + u128::from(here_s.1);
    let visits = clients * (2 * u128::from(lasts_s) / cycle.max(1) + 1);
    [
        ("clients, registers, workload.ticks and workload.changed", users + ends + kept),
        ("clients, tags.edits and tags.elements", sightings),
        ("clients and labels.edits", of_labels),
        ("clients, records.edits and records.labels", of_records),
        ("clients, texts.edits and texts.registers", of_texts),
        ("clients, claims.edits and claims.registers", of_claims),
        ("clients, cases.edits and cases.items", of_cases),
        ("clients and stocks.edits", of_stocks),
        ("clients without a hub", links * 400),
        ("clients, presence.lasts_s, presence.away_s and presence.here_s", visits * 320),
        ("clients and link.outages", links * u128::from(trial.link.outages) * 320),
        ("crashes", u128::from(trial.crashes) * 160),
        ("clients and clocks.jumps", clients * u128::from(trial.clocks.jumps) * 16),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trial::Trial;
    use crate::scenario::shipped;

    fn shipped_world(name: &str) -> OfflineTrial {
        match shipped::find(name).expect("it is shipped").expect("it is sound").trial {
            Trial::Offline(trial) => *trial,
            _ => panic!("{name} is no world"),
        }
    }

    #[test]
    fn a_world_of_too_many_clients_registers_or_edits_is_refused_before_it_is_made() {
        let sound = shipped_world("field-tally");
        assert_eq!(fits(&sound), Ok(()));
        let wide = OfflineTrial { clients: 100_000, registers: 1 << 20, ..sound.clone() };
        let told = fits(&wide).expect_err("it takes terabytes").to_string();
        assert!(told.starts_with("clients, registers, workload.ticks") && told.contains("--memory"), "{told}");
        let mut long = sound.clone();
        long.workload.ticks = 1_000_000_000;
        assert!(fits(&long).is_err());
        let mut restless = sound.clone();
        (restless.presence.lasts_s, restless.presence.away_s, restless.presence.here_s) =
            (3_000_000_000, (0, 1), (0, 1));
        assert!(fits(&restless).is_err_and(|error| error.keys.contains("presence.away_s")));
        let peers = OfflineTrial { clients: 100_000, hub: false, ..sound.clone() };
        assert!(fits(&peers).is_err());
        let mut torn = sound;
        (torn.clients, torn.link.outages) = (10_000, 100_000);
        torn.engines = vec!["delta-summary".to_owned()];
        assert!(fits(&torn).is_err_and(|error| error.keys.contains("link.outages")));
    }

    #[test]
    fn ten_thousand_clients_with_a_thousand_edits_each_fit_by_the_right_engine_and_not_by_a_log() {
        let mut trial = shipped_world("field-tally");
        trial.clients = 10_000;
        (trial.workload.ticks, trial.workload.changed) = (50, 20);
        trial.engines = vec!["delta-summary".to_owned()];
        assert_eq!(fits(&trial), Ok(()));
        trial.engines = vec!["operation-log".to_owned()];
        assert!(fits(&trial).is_err());
    }
}
