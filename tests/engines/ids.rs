//! What a new id at every start costs: bytes of every sync, though there is nothing new.

use abench::domain::data::Intent;
use abench::domain::offline::{Journal, OfflineTrial};
use abench::domain::seed::Seed;
use abench::engine::find;
use abench::engine::host::{Entropy, Host, NodeId};
use abench::engine::port::{Engine, Relation};
use abench::engine::store::disk::Disk;
use abench::engine::store::{Owner, Store};
use abench::lab::settings;

/// A client and a hub.
struct Two {
    nodes: Vec<Box<dyn Engine>>,
    hosts: Vec<Host<Disk>>,
    trial: OfflineTrial,
    name: &'static str,
}

impl Two {
    fn of(name: &'static str) -> Self {
        // The 100th edit is one after which the library saves the whole document.
        let journal = Journal { compact_after: 50, ..Journal::default() };
        let trial = OfflineTrial { registers: 8, journal, ..OfflineTrial::of(Seed::new(1), 1) };
        let mut two = Two { nodes: Vec::new(), hosts: Vec::new(), trial, name };
        for node in 0..2 {
            let stream = Seed::new(3).stream("entropy").member(u64::from(node));
            let disk = Disk::new(Owner { scenario: 1, client: node });
            two.hosts.push(Host::new(disk, Entropy::Drawn(Box::new(stream))));
            let opened = two.open(node);
            two.nodes.push(opened);
        }
        two
    }

    fn open(&mut self, node: NodeId) -> Box<dyn Engine> {
        let engine = find(self.name).expect("it is in this build");
        let settings = settings(&self.trial, None)(node);
        engine.open.node(&settings, &mut self.hosts[node as usize]).expect("a sound store")
    }

    /// The client starts again and edits once, so many times.
    fn starts(&mut self, times: u32) {
        for start in 0..times {
            self.nodes[0] = self.open(0);
            self.nodes[0].edit(&mut self.hosts[0], start % 8, Intent::Increase(1)).expect("it edits");
        }
    }

    /// The two sync; gives the bytes of all messages.
    fn sync(&mut self) -> usize {
        for (node, relation) in [(1, Relation::Child), (0, Relation::Parent)] {
            self.nodes[node].connected(&mut self.hosts[node], 1 - node as NodeId, relation).expect("it connects");
        }
        let mut bytes = 0;
        loop {
            let sent: Vec<_> = (0..2).flat_map(|from| self.hosts[from].sent.split_off(0)).collect();
            if sent.is_empty() {
                break;
            }
            for message in sent {
                bytes += message.frame.bytes.len();
                let to = message.to as usize;
                self.nodes[to].receive(&mut self.hosts[to], 1 - message.to, &message.frame.bytes).expect("it takes it");
            }
        }
        (0..2).for_each(|node| self.nodes[node].disconnected(1 - node as NodeId));
        assert_eq!(self.nodes[0].shows(), self.nodes[1].shows());
        bytes
    }
}

/// After so many starts: bytes of a sync without anything new, and of the client's store.
fn after(name: &'static str, starts: u32) -> (usize, u64) {
    let mut two = Two::of(name);
    two.starts(starts);
    two.sync();
    let idle = two.sync();
    assert_eq!(two.sync(), idle, "{name}: it is the same at every sync");
    (idle, two.hosts[0].store.bytes())
}

#[test]
fn a_new_id_at_every_start_costs_bytes_at_every_sync_and_in_the_store() {
    for (new, same) in [("yrs-per-client", "yrs-per-client-same-id"), ("loro-counter", "loro-counter-same-id")] {
        let [(idle, stored), (same_idle, same_stored)] = [new, same].map(|name| after(name, 100));
        println!(
            "after 100 starts: {new} {idle} B a sync and {stored} B stored; {same} {same_idle} B and {same_stored} B"
        );
        assert!(idle > 2 * same_idle + 400, "{new}: {idle} B, and {same_idle} B with one id");
        assert!(stored > same_stored, "{new}: {stored} B, and {same_stored} B with one id");
    }
    // What Automerge exchanges when it connects is a filter of all changes, whoever made them: an id costs room in the store.
    let [(_, stored), (_, same_stored)] =
        ["automerge-counter", "automerge-counter-same-id"].map(|name| after(name, 100));
    println!("after 100 starts: automerge-counter {stored} B stored, and {same_stored} B with one id");
    assert!(stored > same_stored, "{stored} B, and {same_stored} B with one id");
}
