//! What is to happen to nodes and links does happen, and lasts as long as it is to.

use super::tests::trial;
use super::*;
use crate::domain::offline::{FaultKind, Link, NodeFault};
use crate::sync::store::Store;
use crate::sync::strategy::{RIGHT, find};
use std::collections::BTreeSet;

fn world(trial: &OfflineTrial) -> World<'_> {
    World::new(trial, find(RIGHT).expect("a strategy"), &settings(trial, None)).expect("a world")
}

/// Lets everything happen until this time.
fn until(world: &mut World<'_>, seconds: u64) {
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
    world.happen(Event::Presence(0, true)).expect("a disk");
    assert!(world.connections[0].open);
    let mut after = |out| {
        world.happen(Event::Outage(0, out)).expect("a disk");
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
    let fault = |kind, at_s, for_s| NodeFault { kind, node: "hub".to_owned(), at_s, for_s, age_s: 0 };
    for kind in [FaultKind::Outage, FaultKind::Crash] {
        let faults = vec![fault(kind, 1000, 900), fault(kind, 1200, 60)];
        let mut trial = OfflineTrial { faults, clients: 1, ..trial(1) };
        trial.presence.away_s = (0, 0);
        trial.presence.here_s = (20_000, 20_000);
        let mut world = world(&trial);
        let mut open = Vec::new();
        for seconds in [990, 1100, 1300, 1890, 1950] {
            world.plan(seconds * SECOND, Event::Presence(0, true));
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
        if let Event::Mishap(Mishap::Fuse(_, after)) = event {
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
