//! Faults of nodes and links happen, and last as long as the scenario says.

use super::*;
use crate::domain::data::View;
use crate::domain::fault_count::FaultCounts;
use crate::domain::offline::{Clocks, Edge, FaultKind, Link, NodeFault, Presence};
use crate::domain::watch::Unwatched;
use crate::engine::find;
use crate::engine::port::entropy;
use crate::engine::store::Store;
use crate::lab::tests::trial;
use crate::lab::*;
use std::collections::BTreeSet;

pub(super) fn world(trial: &OfflineTrial) -> World<'_> {
    World::new(trial, find("delta-summary").expect("an engine"), &settings(trial, None)).expect("a world")
}

/// Lets everything happen until this time.
pub(super) fn until(world: &mut World<'_>, seconds: u64) {
    while let Some((at, event)) = world.calendar.next() {
        world.now = at;
        world.happen(event).expect("a disk");
        if at >= seconds * SECOND {
            return;
        }
    }
}

#[test]
fn an_outage_of_a_link_is_over_when_all_that_overlap_are() {
    let trial = OfflineTrial { link: Link { outages: 3, ..Link::default() }, ..trial(1) };
    let mut world = world(&trial);
    world.happen(Planned::Presence(0, true)).expect("a disk");
    assert!(world.connections[0].open);
    let mut after = |out| {
        world.happen(Planned::Outage(0, out)).expect("a disk");
        world.connections[0].open
    };
    assert_eq!([true, true, false, false].map(&mut after), [false, false, false, true]);
}

#[test]
fn a_link_is_down_as_long_as_its_outages_last_and_carries_nothing_meanwhile() {
    let open_for = |outages, outage_s| {
        let mut trial = OfflineTrial { link: Link { outages, outage_s, ..Link::default() }, clients: 1, ..trial(1) };
        trial.presence.away_s = (0, 0);
        trial.presence.here_s = (20_000, 20_000);
        let (mut world, mut open, mut before) = (world(&trial), 0, 0);
        while let Some((at, event)) = world.calendar.next()
            && at < trial.presence.lasts_s * SECOND
        {
            open += if world.connections[0].open { at - before } else { 0 };
            (world.now, before) = (at, at);
            world.happen(event).expect("a disk");
        }
        open / SECOND
    };
    let (whole, less) = (open_for(0, 60), open_for(4, 1000));
    assert!(whole > 19_000, "{whole} s");
    // Four of a thousand seconds each, of which some overlap or end with the world.
    assert!((1000..=4001).contains(&(whole - less)), "{whole} s and {less} s");
}

#[test]
fn a_node_is_away_until_its_last_outage_is_over_and_down_until_its_last_failure_is() {
    let fault =
        |kind, at_s, for_s| NodeFault { kind, node: "hub".to_owned(), at_s, for_s, age_s: 0, ..NodeFault::default() };
    for kind in [FaultKind::Outage, FaultKind::Crash] {
        let faults = vec![fault(kind, 1000, 900), fault(kind, 1200, 60)];
        let mut trial = OfflineTrial { faults, clients: 1, ..trial(1) };
        trial.presence.away_s = (0, 0);
        trial.presence.here_s = (20_000, 20_000);
        let mut world = world(&trial);
        let mut open = Vec::new();
        for seconds in [990, 1100, 1300, 1890, 1950] {
            world.plan(seconds * SECOND, Planned::Presence(0, true));
        }
        for seconds in [990, 1100, 1300, 1890, 1950] {
            until(&mut world, seconds);
            open.push(world.connections[0].open);
        }
        assert_eq!(open, [true, false, false, false, true], "{kind:?}");
    }
}

#[test]
fn a_power_failure_leaves_all_nothing_or_a_part_of_what_was_not_synced() {
    const ENTRY: u64 = 112;
    let trial = trial(1);
    let mut left = BTreeSet::new();
    for start in 0..60 {
        let mut world = world(&trial);
        let device = &mut world.devices[0];
        device.host = Host::new(device.host.store.clone(), entropy(&trial.seed.stream("entropy"), 0, start));
        let synced = device.host.store.bytes();
        device.host.store.append(&[7; ENTRY as usize - 12]).expect("memory");
        assert_eq!(device.host.store.unsynced(), ENTRY);
        world.power_failed(0).expect("a disk");
        let device = &world.devices[0];
        assert!(!device.up && device.back > world.now);
        left.insert(device.host.store.bytes() - synced);
    }
    assert!(left.contains(&0) && left.contains(&ENTRY), "{left:?}");
    assert!(left.iter().filter(|&&left| 0 < left && left < ENTRY).count() > 5, "torn in many places: {left:?}");
}

#[test]
fn crashes_come_as_often_as_they_are_drawn_and_after_any_number_of_steps() {
    let trial = OfflineTrial { crashes: 100, ..trial(1) };
    let mut world = world(&trial);
    let mut steps = BTreeSet::new();
    while let Some((at, event)) = world.calendar.next() {
        if let Planned::Fault(Fault::Fuse(_, after)) = event {
            steps.insert(after);
        }
        world.now = at;
        world.happen(event).expect("a disk");
    }
    let starts: u64 = world.devices.iter().map(|device| device.starts).sum();
    // One comes with the next thing that its node does, and two may come together.
    assert!((50..=100).contains(&starts), "{starts} starts");
    assert_eq!(steps, (1..=12).collect());
}

#[test]
fn a_device_is_set_back_to_what_it_was_when_its_backup_was_taken() {
    let fault = NodeFault {
        kind: FaultKind::Restore,
        node: "client 0".to_owned(),
        at_s: 10_000,
        for_s: 60,
        age_s: 6_000,
        ..NodeFault::default()
    };
    let trial = OfflineTrial { faults: vec![fault], ..trial(1) };
    let mut world = world(&trial);
    let held = |world: &World<'_>| world.devices[0].host.store.clone().load().expect("a disk");
    until(&mut world, 4_000);
    let (made, backup) = (world.devices[0].made, held(&world));
    assert!(world.devices[0].backup.as_ref().is_some_and(|(then, ..)| *then == made && made > 0));
    while world.devices[0].back == 0 {
        let (at, event) = world.calendar.next().expect("there is more to come");
        world.now = at;
        world.happen(event).expect("a disk");
    }
    assert!(world.now >= 10_000 * SECOND && world.devices[0].made > made);
    assert_eq!(held(&world), backup);
}

#[test]
fn what_is_on_its_way_when_a_connection_goes_down_is_gone() {
    let trial = trial(1);
    for stays in [true, false] {
        let mut world = world(&trial);
        world.happen(Planned::Presence(0, true)).expect("a disk");
        world.happen(Planned::Presence(0, stays)).expect("a disk");
        while let Some((at, event)) = world.calendar.next() {
            world.now = at;
            let arrives = matches!(event, Planned::Arrival { .. });
            if arrives {
                world.happen(event).expect("a disk");
                break;
            }
        }
        assert_eq!(world.measures.deliveries, u64::from(stays));
    }
}

#[test]
fn clients_clocks_are_wrong_as_they_are_drawn_and_go_into_what_they_do() {
    let clocks = Clocks { skew_s: 1000, drift_ppm: 100, jumps: 1, jump_s: 60 };
    let trial = OfflineTrial { clocks, ..trial(1) };
    let mut world = world(&trial);
    let shown =
        |world: &World<'_>| -> BTreeSet<i64> { world.devices.iter().map(|device| device.clock.shows(0)).collect() };
    assert_eq!(shown(&world).len(), 5, "no two are the same");
    assert_eq!(world.devices[4].clock.shows(7), 7, "the hub's is right");
    world.now = 5_000 * SECOND;
    world.act(0, |_, _| Ok(())).expect("a disk");
    assert_eq!(world.devices[0].host.wall, world.devices[0].clock.shows(world.now));
    assert!(world.devices[0].made > 0 && world.devices[0].host.wall.abs_diff(world.now as i64) > SECOND);
}

#[test]
fn lines_of_clients_are_metered_and_those_between_edges_and_the_hub_are_not() {
    let edges = vec![Edge { name: "near".into(), parent: Some("hub".into()), clients: vec![0] }];
    let link = Link { bits_per_s: 8_000, latency_ms: 1000, ..Link::default() };
    let trial = OfflineTrial { edges, link, ..trial(1) };
    let mut world = world(&trial);
    for connection in &mut world.connections {
        let metered = connection.ends[0] < trial.clients;
        let frame = Frame { bytes: vec![0; 1000], has_edits: true };
        let [arrival, _] = connection.wire.send(10 * SECOND, frame, Traffic::default(), 0, false);
        let at = arrival.expect("it is sound").at - 10 * SECOND;
        assert_eq!(at, if metered { 2_000_000 } else { 20_800 }, "{:?}", connection.ends);
    }
    assert_eq!(world.connections.len(), 5);
}

#[test]
fn a_crash_excuses_the_edit_that_it_came_before_the_showing_of_and_no_other() {
    let trial = OfflineTrial { crashes: 1, ..trial(1) };
    for steps in 1..=9 {
        let mut world = world(&trial);
        world.devices[0].host.crash_after(steps);
        world.now = 15_000 * SECOND;
        world.act(0, |_, _| Ok(())).expect("a disk");
        let device = &world.devices[0];
        // An edit is appended, synced and shown.
        let (made, shown) = (steps.div_ceil(3) as usize, steps as usize / 3);
        assert!(!device.up && device.edits.len() > 9);
        assert_eq!((device.made, device.ids.len()), (made, shown), "{steps} steps");
        let excused: Vec<usize> = (0..device.edits.len()).filter(|&edit| is_excused(&device.edits[edit])).collect();
        assert_eq!(excused, (shown..made).collect::<Vec<_>>(), "{steps} steps");
    }
}

#[test]
fn what_a_lost_store_does_not_excuse_is_held_by_another_and_what_it_does_was_made_last() {
    let fault = NodeFault {
        kind: FaultKind::Wipe,
        node: "client 0".to_owned(),
        at_s: 0,
        for_s: 60,
        age_s: 0,
        ..NodeFault::default()
    };
    let (mut excused_in_all, mut held_in_all, mut excused_though_held) = (0, 0, 0);
    for at_s in (2_000..18_000).step_by(500) {
        let trial = OfflineTrial { faults: vec![NodeFault { at_s, ..fault.clone() }], ..trial(1) };
        let mut world = world(&trial);
        let mut held_above = Vec::new();
        while world.devices[0].back == 0 {
            let (at, event) = world.calendar.next().expect("there is more to come");
            let hub = world.devices[4].node.as_deref().expect("it is up");
            held_above = world.devices[0].ids.iter().map(|&id| has(hub, id)).collect();
            world.now = at;
            world.happen(event).expect("a disk");
        }
        let device = &world.devices[0];
        // Those that its user made since anything last happened to it nobody can have.
        held_above.resize(device.made, false);
        let excused: Vec<bool> = device.edits[..device.made].iter().map(is_excused).collect();
        assert!(excused.is_sorted(), "at {at_s} s: {excused:?}");
        for (number, (&excused, &held)) in excused.iter().zip(&held_above).enumerate() {
            assert!(excused || held, "edit {number} at {at_s} s");
            (excused_in_all, held_in_all) = (excused_in_all + u32::from(excused), held_in_all + u32::from(held));
            excused_though_held += u32::from(excused && held);
        }
    }
    assert!(excused_in_all > 20 && held_in_all > 200, "{excused_in_all} and {held_in_all}");
    assert_eq!(excused_though_held, 0);
}

/// Client 0 edits three times a second or so, and is always connected; acknowledgements are 6 s behind.
fn busy(faults: Vec<NodeFault>) -> OfflineTrial {
    let mut busy = OfflineTrial { clients: 2, faults, link: Link { latency_ms: 3000, ..Link::default() }, ..trial(1) };
    (busy.workload.ticks, busy.workload.changed) = (2000, 1);
    busy.presence = Presence { lasts_s: 600, away_s: (0, 1), here_s: (1000, 1000) };
    busy
}

#[test]
fn of_a_client_that_is_never_quiescent_only_what_had_not_arrived_may_be_missing() {
    let trial = busy(vec![of_client(FaultKind::Wipe, 300, 10, 0)]);
    // What the first writer drops of its own is not lost with the store.
    for (engine, least) in [("delta-summary", 1), ("operation-log", 1), ("pn-counter", 1), ("first-writer", 0)] {
        let mut world = World::new(&trial, find(engine).expect("one"), &settings(&trial, None)).expect("a world");
        until(&mut world, 299);
        assert!(world.devices[0].edits.iter().all(|edit| !is_excused(edit)));
        let mut ids = Vec::new();
        while world.devices[0].back == 0 {
            let (at, event) = world.calendar.next().expect("there is more to come");
            ids.clone_from(&world.devices[0].ids);
            world.now = at;
            world.happen(event).expect("a disk");
        }
        let device = &world.devices[0];
        let excused = device.edits.iter().filter(|edit| is_excused(edit)).count();
        assert!(device.made > 900 && (least..80).contains(&excused), "{engine}: {excused} of {}", device.made);
        let hub = world.devices[2].node.as_deref().expect("it is up");
        for (edit, &id) in device.edits.iter().zip(&ids).filter(|_| engine == "delta-summary") {
            assert_eq!(is_excused(edit), !has(hub, id), "{edit:?}");
        }
    }
}

fn has(node: &dyn Engine, id: OpId) -> bool {
    node.ids().is_none_or(|ids| ids.contains(id))
}

/// Whether it may be missing.
fn is_excused(edit: &UserEdit) -> bool {
    edit.fate != Fate::Binding
}

/// How many of each client's edits may be missing once these faults have begun, with how many it had made.
fn excused_after(faults: Vec<NodeFault>) -> Vec<(usize, usize)> {
    let mut all = trial(1);
    (all.presence.away_s, all.presence.here_s) = ((0, 0), (20_000, 20_000));
    let trial = OfflineTrial { faults, ..all };
    let mut world = world(&trial);
    until(&mut world, trial.faults.last().map_or(0, |fault| fault.at_s));
    let excused = |device: &Device| device.edits.iter().filter(|edit| is_excused(edit)).count();
    world.devices[..4].iter().map(|device| (excused(device), device.made)).collect()
}

#[test]
fn an_acknowledgement_says_nothing_once_the_store_that_gave_it_is_lost() {
    let hub = |at_s| NodeFault { node: "hub".to_owned(), ..of_client(FaultKind::Wipe, at_s, 600, 0) };
    let client = |at_s| of_client(FaultKind::Wipe, at_s, 600, 0);
    let excused = excused_after(vec![client(9_000)]);
    assert!(excused[0].0 < 6 && excused[0].1 > 20, "{excused:?}");
    assert!(excused_after(vec![hub(9_000)]).iter().all(|(excused, _)| *excused == 0), "their authors have them");
    let restored = |at_s, age_s| NodeFault { kind: FaultKind::Restore, age_s, ..hub(at_s) };
    let set_back = excused_after(vec![client(9_000), restored(9_100, 4_000)]);
    assert!(set_back[0].0 > 0 && set_back[0].0 + 10 < set_back[0].1, "the backup has what was older: {set_back:?}");
    for both in [vec![hub(9_000), client(9_100)], vec![client(9_000), hub(9_100)]] {
        let excused = excused_after(both);
        assert!(excused[0].0 == excused[0].1 && excused[0].1 > 20, "{excused:?}");
        assert!(excused[1..].iter().all(|(excused, made)| *excused == 0 && *made > 0), "{excused:?}");
    }
}

#[test]
fn where_a_client_and_then_the_hub_lost_its_edits_the_right_replica_is_not_accused() {
    let fault = |node: &str, at_s| NodeFault { node: node.to_owned(), ..of_client(FaultKind::Wipe, at_s, 600, 0) };
    for faults in [["hub", "client 0"], ["client 0", "hub"]] {
        for seed in 0..8 {
            let faults = vec![fault(faults[0], 9_000), fault(faults[1], 9_100)];
            let trial = OfflineTrial { faults, ..trial(seed) };
            let outcome = world(&trial).run(&mut Unwatched).expect("it ends");
            let wrong = crate::oracle::offline::truth::wrong_registers(&outcome.history);
            assert_eq!(wrong, 0, "seed {seed}: {:?}", trial.faults);
        }
    }
}

#[test]
fn a_copy_that_is_elsewhere_than_its_original_has_nothing_left_for_neighbours_that_it_has_not() {
    let near = crate::domain::offline::Edge { name: "near".into(), parent: Some("hub".into()), clients: vec![1, 2] };
    let faults = vec![of_client(FaultKind::Clone, 9_000, 600, 0)];
    let trial = OfflineTrial { edges: vec![near], faults, ..trial(1) };
    for engine in ["operation-log", "pn-counter", "full-state", "delta-summary"] {
        let world = World::new(&trial, find(engine).expect("an engine"), &settings(&trial, None));
        let outcome = world.expect("a world").run(&mut Unwatched).expect("it ends");
        assert_eq!((outcome.history.quiescent, outcome.history.backlog), (true, 0), "{engine}");
    }
}

/// What a client shows after these faults, when it is up again, and which stores were refused.
fn after(faults: Vec<NodeFault>, engine: &str) -> (Vec<View>, Vec<String>) {
    let trial = OfflineTrial { faults, ..trial(1) };
    let mut world = World::new(&trial, find(engine).expect("an engine"), &settings(&trial, None)).expect("a world");
    while world.devices[0].starts == 0 {
        let (at, event) = world.calendar.next().expect("there is more to come");
        world.now = at;
        // What its peers would give it is not looked at.
        if !matches!(event, Planned::Presence(..)) || at < 9_000 * SECOND {
            world.happen(event).expect("a disk");
        }
    }
    let shown = world.devices[0].node.as_ref().expect("it started").shows();
    (shown, world.refused_stores)
}

pub(super) fn of_client(kind: FaultKind, at_s: u64, for_s: u64, age_s: u64) -> NodeFault {
    NodeFault { kind, node: "client 0".to_owned(), at_s, for_s, age_s, ..NodeFault::default() }
}

#[test]
fn a_store_that_is_set_back_to_its_backup_is_whole_whatever_became_of_the_one_before() {
    for engine in ["delta-summary", "pn-counter", "full-state"] {
        let restored = of_client(FaultKind::Restore, 9_500, 60, 1_000);
        let (alone, _) = after(vec![restored.clone()], engine);
        assert!(alone.iter().any(|shown| *shown != 5), "{engine}");
        for kind in [FaultKind::Wipe, FaultKind::Damage] {
            let both = after(vec![of_client(kind, 9_200, 300, 0), restored.clone()], engine);
            assert_eq!(both, (alone.clone(), Vec::new()), "{engine} after {kind:?}");
        }
    }
}

#[test]
fn the_backup_of_a_device_that_lost_its_store_and_has_not_started_again_holds_nothing() {
    for engine in ["delta-summary", "pn-counter", "full-state"] {
        let faults = vec![of_client(FaultKind::Wipe, 9_200, 800, 0), of_client(FaultKind::Restore, 9_500, 60, 100)];
        assert_eq!(after(faults, engine), (vec![View::Counter(5); 32], Vec::new()), "{engine}");
    }
}

#[test]
fn where_a_store_is_gone_there_is_nothing_to_damage_and_its_node_just_starts() {
    for engine in ["delta-summary", "pn-counter"] {
        let wiped = of_client(FaultKind::Wipe, 9_200, 300, 0);
        for at_s in [9_100, 9_300] {
            let faults = vec![wiped.clone(), of_client(FaultKind::Damage, at_s, 600, 0)];
            assert_eq!(
                after(faults, engine),
                (vec![View::Counter(5); 32], Vec::new()),
                "{engine}, damaged at {at_s} s"
            );
        }
        let (_, refused) = after(vec![of_client(FaultKind::Damage, 9_200, 300, 0)], engine);
        assert_eq!(refused.len(), 1, "{engine}");
        assert!(refused[0].ends_with(" that no other store had"), "{refused:?}");
    }
}

#[test]
fn a_node_whose_damaged_store_is_refused_knows_nothing_any_more() {
    for engine in ["delta-summary", "pn-counter"] {
        let trial = OfflineTrial { faults: vec![of_client(FaultKind::Damage, 9_200, 300, 0)], ..trial(1) };
        let found = find(engine).expect("an engine");
        let mut world = World::new(&trial, found, &settings(&trial, None)).expect("a world");
        let others = |world: &World<'_>| -> u32 {
            let (holdings, made) =
                (&world.measures.staleness.holdings, |client: u32| world.devices[client as usize].made);
            let edits = (1..4).flat_map(|client| (0..made(client) as u32).map(move |edit| (client, edit)));
            edits.filter(|&(client, edit)| holdings.holds(0, client, edit).expect("it is measured")).count() as u32
        };
        until(&mut world, 9_200);
        assert!(others(&world) > 0, "{engine}");
        while world.devices[0].starts == 0 {
            let (at, event) = world.calendar.next().expect("there is more to come");
            world.now = at;
            world.happen(event).expect("a disk");
        }
        assert_eq!(others(&world), 0, "{engine}");
    }
}

/// How often each fault took effect in this world with this engine, in a lab that leaves one out or none.
fn counts_in(trial: &OfflineTrial, engine: &str, left_out: Option<LeftOut>) -> FaultCounts {
    let world = World::new(trial, find(engine).expect("an engine"), &settings(trial, None)).expect("a world");
    let world = if let Some(fault) = left_out { world.leaving_out(fault) } else { world };
    world.run(&mut Unwatched).expect("it ends").history.faults
}

/// A world with every fault that is drawn.
fn every_drawn_fault() -> OfflineTrial {
    let link = Link {
        jitter_ms: 100,
        lost_per_mille: 50,
        repeated_per_mille: 50,
        reordered_per_mille: 50,
        truncated_per_mille: 50,
        corrupted_per_mille: 50,
        outages: 5,
        outage_s: 300,
        ..Link::default()
    };
    let clocks = Clocks { jumps: 2, jump_s: 60, ..Clocks::default() };
    let mut trial = OfflineTrial { link, clocks, crashes: 20, ..trial(1) };
    (trial.presence.away_s, trial.presence.here_s) = ((10, 100), (300, 900));
    trial
}

#[test]
fn every_fault_that_is_drawn_takes_effect_and_one_that_the_lab_leaves_out_is_noticed() {
    let trial = every_drawn_fault();
    for engine in ["delta-state", "delta-summary", "full-state"] {
        let sound = counts_in(&trial, engine, None);
        assert_eq!(sound.len(), Drawn::ALL.len());
        for (key, count) in &sound {
            assert!(count.idle.is_empty() && count.effective > 0, "{engine}: {key}: {count:?}");
            assert!(count.effective <= count.injected, "{engine}: {key}: {count:?}");
        }
        for fault in Drawn::ALL {
            let counts = counts_in(&trial, engine, Some(LeftOut::Drawn(fault)));
            let idle: Vec<&String> =
                counts.iter().filter(|(_, count)| !count.idle.is_empty()).map(|(key, _)| key).collect();
            assert_eq!(idle, [fault.key()], "{engine}: {fault:?}: {counts:?}");
            let said = crate::oracle::offline::faults::counts(&counts);
            assert_eq!(said.verdict, crate::domain::verdict::Verdict::Inconclusive);
            assert!(said.sentence.contains(fault.key()), "{}", said.sentence);
        }
    }
}

/// One fault of each kind, far enough from each other, in a world in which clients are mostly connected.
fn one_of_each_kind() -> OfflineTrial {
    let fault = |kind: FaultKind, at_s| match kind {
        FaultKind::Restore => of_client(kind, at_s, 300, 700),
        FaultKind::Drop => NodeFault { to: Some("hub".to_owned()), nth: Some(3), ..of_client(kind, at_s, 0, 0) },
        FaultKind::Import => NodeFault { from: Some("hub".to_owned()), ..of_client(kind, at_s, 300, 0) },
        FaultKind::Retire => NodeFault { node: "client 3".to_owned(), ..of_client(kind, at_s, 0, 0) },
        _ => of_client(kind, at_s, 300, 0),
    };
    let faults = FaultKind::ALL.iter().zip(1..).map(|(&kind, number)| fault(kind, 1_300 * number)).collect();
    let mut trial = OfflineTrial { faults, ..trial(1) };
    trial.workload.ticks = 100;
    (trial.presence.away_s, trial.presence.here_s) = ((10, 100), (300, 900));
    assert_eq!(trial.impossible(), None);
    trial
}

#[test]
fn every_fault_of_a_node_takes_effect_and_one_that_the_lab_leaves_out_is_noticed() {
    let trial = one_of_each_kind();
    for engine in ["delta-state", "delta-summary", "full-state"] {
        let sound = counts_in(&trial, engine, None);
        assert!(sound.values().all(|count| (count.injected, count.effective) == (1, 1)), "{engine}: {sound:?}");
        for fault in &trial.faults {
            let counts = counts_in(&trial, engine, Some(LeftOut::OfNodes(fault.kind)));
            let idle: Vec<&String> = counts.values().flat_map(|count| count.idle.keys()).collect();
            let name = format!("({} of {} at {} s)", fault.kind.name(), fault.node, fault.at_s);
            assert!(idle.len() == 1 && idle[0].ends_with(&name), "{engine}: {idle:?}, and not {name}");
        }
    }
}

#[test]
fn a_fault_that_changes_nothing_has_no_effect_and_the_reason_is_said() {
    let idle_of = |faults: Vec<NodeFault>| {
        let mut trial = OfflineTrial { faults, ..trial(1) };
        (trial.presence.away_s, trial.presence.here_s) = ((5_000, 5_000), (300, 300));
        let counts = counts_in(&trial, "delta-state", None);
        counts.into_values().flat_map(|count| count.idle).collect::<Vec<_>>()
    };
    let hub = |kind, at_s, for_s, age_s| NodeFault { node: "hub".to_owned(), ..of_client(kind, at_s, for_s, age_s) };
    let cases = [
        // Clients come at 5,000 s for the first time, so that until then nothing reaches the hub.
        (vec![hub(FaultKind::Outage, 1_000, 60, 0)], "faults[0] (outage of hub at 1000 s)", "nobody was connected"),
        (vec![hub(FaultKind::Wipe, 1_000, 60, 0)], "faults[0] (wipe of hub at 1000 s)", "no more than that of a new"),
        (vec![hub(FaultKind::Damage, 1_000, 60, 0)], "faults[0] (damage of hub at 1000 s)", "no bit of what hub"),
        (vec![hub(FaultKind::Restore, 2_000, 60, 900)], "faults[0] (restore of hub at 2000 s)", "the backup of hub is"),
        (
            vec![hub(FaultKind::Crash, 1_000, 600, 0), hub(FaultKind::Crash, 1_200, 60, 0)],
            "faults[1] (crash of hub at 1200 s)",
            "hub had no power then",
        ),
        (
            vec![hub(FaultKind::Crash, 4_900, 1_000, 0), hub(FaultKind::Outage, 5_000, 300, 0)],
            "faults[1] (outage of hub at 5000 s)",
            "nobody was connected",
        ),
    ];
    for (faults, name, why) in cases {
        let idle = idle_of(faults);
        assert_eq!(idle.len(), 1, "{idle:?}");
        assert!(idle[0].0 == name && idle[0].1.contains(why), "{idle:?}");
    }
}

#[test]
fn a_device_that_retired_is_not_expected_in_the_end_and_what_it_passed_on_counts() {
    let fault = NodeFault { node: "client 3".to_owned(), ..of_client(FaultKind::Retire, 10_000, 0, 0) };
    let mut trial = OfflineTrial { faults: vec![fault], ..trial(1) };
    (trial.presence.away_s, trial.presence.here_s) = ((0, 0), (20_000, 20_000));
    let history = world(&trial).run(&mut Unwatched).expect("it ends").history;
    assert_eq!(history.ends.len(), 4);
    assert!(history.ends.iter().all(|end| end.name != "client 3"));
    let its = &history.ledger.by_device[3];
    assert!(its.len() > 20 && its.iter().filter(|edit| is_excused(edit)).count() < 6, "{its:?}");
    assert_eq!(crate::oracle::offline::truth::wrong_registers(&history), 0);
}

#[test]
fn the_last_replica_that_is_left_owes_its_edits_to_nobody() {
    let retire = |client: u32| NodeFault {
        node: format!("client {client}"),
        ..of_client(FaultKind::Retire, 5_000 + u64::from(client), 0, 0)
    };
    let trial = OfflineTrial { hub: false, faults: (1..4).map(retire).collect(), ..trial(1) };
    let history = world(&trial).run(&mut Unwatched).expect("it ends").history;
    assert_eq!((history.ends.len(), history.backlog), (1, 0));
}

#[test]
fn who_starts_over_draws_the_random_numbers_of_its_first_start_and_does_not_take_a_name_again() {
    let over = of_client(FaultKind::StartOver, 9_000, 60, 0);
    let trial = OfflineTrial { faults: vec![over], ..trial(1) };
    let mut world = World::new(&trial, find("delta-state").expect("one"), &settings(&trial, None)).expect("a world");
    until(&mut world, 8_900);
    let names =
        |world: &World<'_>| -> BTreeSet<u32> { world.devices[0].ids.iter().map(|id| id.actor.incarnation).collect() };
    let first = names(&world);
    let mut later = BTreeSet::new();
    while let Some((at, event)) = world.calendar.next() {
        world.now = at;
        world.happen(event).expect("a disk");
        if world.devices[0].starts > 0 {
            later.extend(names(&world));
        }
    }
    assert!(!first.is_empty() && !later.is_empty());
    assert!(first.is_disjoint(&later), "{first:?} and {later:?}");
}
