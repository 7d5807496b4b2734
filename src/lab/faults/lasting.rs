//! Faults that last: outages, full stores, nodes that refuse connections or edits, processes that are frozen, users whose
//! sign-in is not valid.

use crate::domain::history::UserEdit;
use crate::domain::offline::{FaultKind, WhileFrozen};
use crate::domain::traffic::Traffic;
use crate::engine::host::{NodeId, Time};
use crate::engine::port::Relation;
use crate::engine::wire::Frame;
use crate::lab::events::Event;
use crate::lab::faults::Fault;
use crate::lab::faults::marks::Marks;
use crate::lab::holdings::Knowledge;
use crate::lab::reach::AtMost;
use crate::lab::{Planned, World, WorldError};

/// The most that waits for a frozen process; what comes later is lost.
const MOST_WAITING: usize = 4096;

/// What waits for a frozen process, in the order in which it came.
#[derive(Debug)]
pub(in crate::lab) enum Waiting {
    /// A message.
    Message { from: NodeId, frame: Frame, carries: Option<Knowledge>, reaches: Option<AtMost>, made: usize },
    /// A connection that is up, and what the other is.
    Up(NodeId, Relation),
    /// A connection that is down.
    Down(NodeId),
    /// A message that came back.
    Refusal(NodeId),
    /// Its user has signed in again.
    SignedIn,
}

impl World<'_> {
    /// The faults of this kind that a node is in.
    fn suffered(&self, node: NodeId, kind: FaultKind) -> impl Iterator<Item = usize> {
        let faults = &self.faults;
        self.devices[node as usize].lasting.iter().copied().filter(move |&number| faults[number].kind == kind)
    }

    /// Whether a node is in a fault of this kind.
    pub(in crate::lab) fn suffers(&self, node: NodeId, kind: FaultKind) -> bool {
        self.suffered(node, kind).next().is_some()
    }

    /// The faults of this kind that a node is in take effect.
    pub(in crate::lab) fn takes_effect(&mut self, node: NodeId, kind: FaultKind) {
        let suffered: Vec<usize> = self.suffered(node, kind).collect();
        suffered.into_iter().for_each(|number| self.effects.take_effect_in_node(number));
    }

    /// A fault begins that lasts.
    pub(super) fn begin_lasting(&mut self, number: usize, node: NodeId, back: Time) -> Result<(), WorldError> {
        let kind = self.faults[number].kind;
        self.plan(back, Planned::Fault(Fault::Over(number)));
        let first = !self.suffers(node, kind);
        match kind {
            // A process that is not there cannot be frozen.
            FaultKind::Freeze if !self.devices[node as usize].up => return Ok(()),
            FaultKind::Freeze if first => {
                self.devices[node as usize].frozen_at = self.now;
                self.emit(&Event::Frozen { node, frozen: true });
            }
            FaultKind::Outage => self.emit(&Event::Reachable { node, reachable: false }),
            FaultKind::SignedOut if first => {
                self.emit(&Event::Reachable { node, reachable: false });
                self.hang_up(node)?;
            }
            FaultKind::Refuse if first => self.hang_up(node)?,
            FaultKind::Full => self.devices[node as usize].host.store.set_full(true),
            _ => {}
        }
        self.devices[node as usize].lasting.push(number);
        match kind {
            FaultKind::Outage => self.refresh_all(node),
            FaultKind::Refuse if first => self.others_connect(node),
            FaultKind::SignedOut if first => self.connects_again(node),
            _ => Ok(()),
        }
    }

    /// The fault of this number is over.
    pub(super) fn end_lasting(&mut self, number: usize) -> Result<(), WorldError> {
        let fault = &self.faults[number];
        let Some(node) = self.trial.node(&fault.node) else { return Ok(()) };
        let lasting = &mut self.devices[node as usize].lasting;
        let before = lasting.len();
        lasting.retain(|&other| other != number);
        if lasting.len() == before || self.suffers(node, fault.kind) {
            return Ok(());
        }
        match fault.kind {
            FaultKind::Outage => {
                self.is_reachable_again(node);
                self.refresh_all(node)
            }
            FaultKind::Full => {
                self.devices[node as usize].host.store.set_full(false);
                Ok(())
            }
            // Those that try to connect come to know when they try next.
            FaultKind::Refuse => self.hears_again(node),
            FaultKind::SignedOut => {
                self.is_reachable_again(node);
                self.signs_in(node)
            }
            FaultKind::Freeze => self.thaw(node),
            _ => Ok(()),
        }
    }

    /// The links of a node whose connections are up: the other end, the link, and what the node and the other are to each
    /// other.
    fn open_links(&self, node: NodeId) -> Vec<(NodeId, usize, Relation, Relation)> {
        let of = &self.devices[node as usize].connections;
        let open = of.iter().filter(|&&(_, link)| self.connections[link].open);
        let ends = open.map(|&(peer, link)| {
            let connection = &self.connections[link];
            let side = usize::from(connection.ends[0] != node);
            (peer, link, connection.relations[side], connection.relations[1 - side])
        });
        ends.collect()
    }

    /// Whether a node comes to know of a connection with another: it listens, and whoever is there is signed in.
    pub(in crate::lab) fn hears_of(&self, node: NodeId, peer: NodeId) -> bool {
        !self.suffers(node, FaultKind::Refuse) && !self.suffers(peer, FaultKind::SignedOut)
    }

    /// Tells that a node can be reached again, unless another fault still keeps it from the others.
    fn is_reachable_again(&mut self, node: NodeId) {
        let reachable = !self.suffers(node, FaultKind::Outage) && !self.suffers(node, FaultKind::SignedOut);
        if reachable {
            self.emit(&Event::Reachable { node, reachable });
        }
    }

    /// All connections of a node are gone.
    fn hang_up(&mut self, node: NodeId) -> Result<(), WorldError> {
        for (peer, link, ..) in self.open_links(node) {
            self.cut(link);
            self.emit(&Event::ConnectionDown { link });
            self.tell(node, Waiting::Down(peer))?;
            self.tell(peer, Waiting::Down(node))?;
        }
        Ok(())
    }

    /// The links to a node that does not listen are still there: the others try to connect.
    fn others_connect(&mut self, node: NodeId) -> Result<(), WorldError> {
        if !self.open_links(node).is_empty() {
            self.takes_effect(node, FaultKind::Refuse);
        }
        self.others_hear_again(node)
    }

    /// The links of a node whose user is not signed in are still there: it tries to connect.
    fn connects_again(&mut self, node: NodeId) -> Result<(), WorldError> {
        if !self.open_links(node).is_empty() {
            self.takes_effect(node, FaultKind::SignedOut);
        }
        self.hears_again(node)
    }

    /// A user has signed in again: its device connects anew, and the others let it.
    fn signs_in(&mut self, node: NodeId) -> Result<(), WorldError> {
        self.tell(node, Waiting::SignedIn)?;
        for (peer, link, to_node, to_peer) in self.open_links(node) {
            let hears = [self.hears_of(node, peer), self.hears_of(peer, node)];
            self.cut(link);
            self.emit(&Event::ConnectionDown { link });
            if hears != [false; 2] {
                self.emit(&Event::ConnectionUp { link, from: node, to: peer });
            }
            if hears[0] {
                self.tell(node, Waiting::Down(peer))?;
                self.tell(node, Waiting::Up(peer, to_node))?;
            }
            if hears[1] {
                self.tell(peer, Waiting::Up(node, to_peer))?;
            }
        }
        Ok(())
    }

    /// The others are told of their connections with a node.
    fn others_hear_again(&mut self, node: NodeId) -> Result<(), WorldError> {
        for (peer, link, _, to_peer) in self.open_links(node) {
            if self.hears_of(peer, node) {
                self.emit(&Event::ConnectionUp { link, from: peer, to: node });
                self.tell(peer, Waiting::Up(node, to_peer))?;
            }
        }
        Ok(())
    }

    /// A node is told of its connections.
    fn hears_again(&mut self, node: NodeId) -> Result<(), WorldError> {
        for (peer, link, to_node, _) in self.open_links(node) {
            if self.hears_of(node, peer) {
                self.emit(&Event::ConnectionUp { link, from: node, to: peer });
                self.tell(node, Waiting::Up(peer, to_node))?;
            }
        }
        Ok(())
    }

    /// Tells a node what happened to it; one that is frozen hears of it when it goes on.
    pub(in crate::lab) fn tell(&mut self, node: NodeId, what: Waiting) -> Result<(), WorldError> {
        if self.suffers(node, FaultKind::Freeze) {
            self.takes_effect(node, FaultKind::Freeze);
            let lost = self
                .suffered(node, FaultKind::Freeze)
                .any(|number| self.faults[number].messages == Some(WhileFrozen::Lost));
            let waiting = &mut self.devices[node as usize].waiting;
            match &what {
                Waiting::Message { from, .. } if lost || waiting.len() >= MOST_WAITING => {
                    let from = *from;
                    self.emit(&Event::MessageLost { from, to: node });
                }
                _ => waiting.push(what),
            }
            return Ok(());
        }
        match what {
            Waiting::Message { from, frame, carries, reaches, made } => {
                self.receive(from, node, &frame, (carries.as_ref(), reaches.as_ref(), made))
            }
            Waiting::Up(peer, relation) => self.act(node, |node, host| node.connected(host, peer, relation)),
            Waiting::Down(peer) => self.act(node, |node, _| {
                node.disconnected(peer);
                Ok(())
            }),
            Waiting::Refusal(peer) => self.act(node, |node, host| node.refused(host, peer)),
            Waiting::SignedIn => self.act(node, |node, host| node.signed_in(host)),
        }
    }

    /// A frozen process goes on, with its old memory. Its clocks stood still meanwhile.
    fn thaw(&mut self, node: NodeId) -> Result<(), WorldError> {
        self.emit(&Event::Frozen { node, frozen: false });
        let device = &mut self.devices[node as usize];
        device.lag += self.now - device.frozen_at;
        device.thawed_at = self.now;
        let waiting = std::mem::take(&mut device.waiting);
        waiting.into_iter().try_for_each(|what| self.tell(node, what))?;
        self.act(node, |_, _| Ok(()))
    }

    /// A process that has no power is not frozen any more.
    pub(super) fn unfreeze(&mut self, node: NodeId) {
        if self.suffers(node, FaultKind::Freeze) {
            self.emit(&Event::Frozen { node, frozen: false });
        }
        let faults = &self.faults;
        let device = &mut self.devices[node as usize];
        device.lasting.retain(|&number| faults[number].kind != FaultKind::Freeze);
        device.waiting.clear();
        device.lag = 0;
    }

    /// Whether a message that arrives is sent back: its receiver does not listen, or takes no edits of others, or its sender's
    /// user is not signed in.
    pub(in crate::lab) fn is_refused(&mut self, from: NodeId, to: NodeId, marks: Marks) -> bool {
        let refuses = !self.hears_of(to, from);
        let may_have_edits = marks.has_edits || !self.tells_edits;
        let read_only = may_have_edits && self.serves(to) && self.suffers(to, FaultKind::ReadOnly);
        if refuses {
            self.takes_effect(to, FaultKind::Refuse);
            self.takes_effect(from, FaultKind::SignedOut);
        }
        if read_only {
            self.takes_effect(to, FaultKind::ReadOnly);
        }
        refuses || read_only
    }

    /// A message is sent back, and its sender comes to know.
    pub(in crate::lab) fn send_back(&mut self, link: usize, from: NodeId, to: NodeId, line: (Time, u32)) {
        let changes_alone = self.tells_edits && self.hears_of(to, from);
        self.emit(&Event::Refused { from, to, changes_alone });
        let latency = self.connections[link].wire.latency();
        self.plan(self.now + latency, Planned::Refusal { link, sender: from, receiver: to, line });
    }

    /// What its user wanted to do is refused, and the user is told. `by_rule` is what its replica showed of a stock, where the
    /// engine's own rule refuses.
    pub(in crate::lab) fn refuse_edit(&mut self, client: NodeId, by_rule: Option<i64>) {
        let device = &mut self.devices[client as usize];
        let number = device.made as u32;
        let edit: UserEdit = device.edits.remove(device.made);
        self.refused_edits += 1;
        self.sightings.remove(&(client as usize, number));
        if let Some(recorder) = self.recorder.as_mut().filter(|_| by_rule.is_some()) {
            recorder.edited((client, self.trial.name(client)), &edit, self.now);
        }
        let at = edit.at.max(self.devices[client as usize].thawed_at);
        self.emit(&Event::EditRefused { client, edit: &edit, at, by_rule });
    }

    /// The network counts messages from now on, until the one that the fault picks out.
    pub(super) fn pick_out(&mut self, number: usize) {
        let fault = &self.faults[number];
        let to = fault.to.as_deref().and_then(|to| self.trial.node(to));
        let ends = self.trial.node(&fault.node).zip(to);
        self.drops.extend(ends.map(|(from, to)| Dropping { number, from, to, seen: 0 }));
    }

    /// Whether the network drops a message that a fault picked out.
    pub(in crate::lab) fn drops(&mut self, from: NodeId, to: NodeId, traffic: &Traffic) -> bool {
        if self.settling || self.drops.is_empty() {
            return false;
        }
        let (faults, effects, mut drops) = (&self.faults, &mut self.effects, false);
        self.drops.retain_mut(|drop| {
            let fault = &faults[drop.number];
            let counts = (drop.from, drop.to) == (from, to) && fault.message.is_none_or(|kind| kind.is_of(traffic));
            drop.seen += u32::from(counts);
            let found = counts && Some(drop.seen) == fault.nth;
            if found {
                drops = true;
                effects.take_effect_in_node(drop.number);
            }
            !found
        });
        drops
    }
}

/// A message that is picked out by name.
#[derive(Clone, Copy, Debug)]
pub(in crate::lab) struct Dropping {
    /// The fault's number.
    pub number: usize,
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// How many messages of the kind were seen.
    pub seen: u32,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::offline::{NodeFault, OfflineTrial};
    use crate::domain::watch::Unwatched;
    use crate::engine::find;
    use crate::lab::faults::tests::{of_client, until, world};
    use crate::lab::settings;
    use crate::lab::tests::trial;
    use crate::scenario::offline::SECOND;

    #[test]
    fn an_edit_that_a_full_store_refuses_is_told_to_its_user_and_is_nowhere_and_sync_goes_on_when_there_is_room() {
        let mut full = OfflineTrial { faults: vec![of_client(FaultKind::Full, 5_000, 4_000, 0)], ..trial(1) };
        full.workload.ticks = 100;
        (full.presence.away_s, full.presence.here_s) = ((0, 0), (20_000, 20_000));
        let edits = |trial: &OfflineTrial| {
            let users = crate::scenario::offline::Users::of(trial);
            users.edits(0).iter().filter(|edit| (5_000 * SECOND..9_000 * SECOND).contains(&edit.at)).count() as u64
        };
        assert!(edits(&full) > 30);
        for engine in crate::engine::REGISTRY {
            let world = World::new(&full, engine, &settings(&full, None)).expect("a world");
            let history = world.run(&mut Unwatched).expect("it ends").history;
            assert_eq!(history.refused_edits, edits(&full), "{}", engine.name);
            assert_eq!(history.ledger.by_device[0].len() as u64 + edits(&full), 300, "{}", engine.name);
            assert_eq!((history.quiescent, history.backlog), (true, 0), "{}", engine.name);
            if ["delta-state", "delta-summary", "operation-log", "pn-counter"].contains(&engine.name) {
                assert_eq!(crate::oracle::offline::truth::wrong_registers(&history), 0, "{}", engine.name);
            }
        }
    }

    #[test]
    fn what_a_device_has_in_memory_after_its_store_refused_writes_is_what_its_store_has() {
        let mut trial = OfflineTrial { faults: vec![of_client(FaultKind::Full, 5_000, 10_000, 0)], ..trial(1) };
        trial.workload.ticks = 100;
        (trial.presence.away_s, trial.presence.here_s) = ((10, 100), (300, 900));
        for engine in crate::engine::REGISTRY {
            let mut world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
            let mut refused = 0;
            while let Some((at, event)) = world.calendar.next()
                && at < 14_900 * SECOND
            {
                world.now = at;
                world.happen(event).expect("a full disk ends no world");
                let device = &world.devices[0];
                if world.refused_edits > refused {
                    refused = world.refused_edits;
                    let mut again = device.host.clone();
                    again.store.set_full(false);
                    let stored = engine.open.node(&device.settings, &mut again).expect("it opens").shows();
                    assert_eq!(device.node.as_ref().expect("it is up").shows(), stored, "{}", engine.name);
                }
            }
            assert!(refused > 20, "{}: {refused}", engine.name);
        }
    }

    #[test]
    fn a_device_that_is_refused_tries_again_later_and_later_and_not_all_at_once() {
        let fault = NodeFault { node: "hub".to_owned(), ..of_client(FaultKind::Refuse, 5_000, 3_600, 0) };
        let mut trial = OfflineTrial { faults: vec![fault], clients: 40, ..trial(1) };
        (trial.presence.away_s, trial.presence.here_s) = ((0, 0), (20_000, 20_000));
        for engine in ["delta-state", "delta-summary", "full-state"] {
            let mut world =
                World::new(&trial, find(engine).expect("an engine"), &settings(&trial, None)).expect("a world");
            let mut attempts = vec![Vec::new(); 40];
            while let Some((at, event)) = world.calendar.next() {
                if let Planned::Refusal { sender, .. } = event {
                    attempts[sender as usize].push(at);
                }
                world.now = at;
                world.happen(event).expect("a disk");
            }
            let settings = settings(&trial, None)(0);
            for (client, times) in attempts.iter().enumerate() {
                let gaps: Vec<Time> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
                assert!((8..=22).contains(&times.len()), "{engine}: client {client}: {} attempts", times.len());
                for (number, gap) in gaps.iter().enumerate() {
                    let nominal = (settings.retry_after << number.min(20)).min(settings.retry_at_most);
                    assert!(2 * gap >= nominal, "{engine}: client {client}: gap {number} is {gap} us of {nominal} us");
                }
            }
            // The third attempts of all are spread by their jitter.
            let thirds: BTreeSet<Time> = attempts.iter().map(|times| times[2] / SECOND).collect();
            assert!(thirds.len() > 3, "{engine}: {thirds:?}");
        }
    }

    #[test]
    fn nothing_of_a_device_arrives_until_its_user_has_signed_in_again() {
        let faults = vec![of_client(FaultKind::SignedOut, 5_000, 3_600, 0)];
        let mut trial = OfflineTrial { faults, clients: 1, ..trial(1) };
        trial.workload.ticks = 100;
        (trial.presence.away_s, trial.presence.here_s) = ((0, 0), (20_000, 20_000));
        let mut world = world(&trial);
        let hub = |world: &World| world.devices[1].node.as_ref().expect("it is up").shows();
        until(&mut world, 5_100);
        let (before, made) = (hub(&world), world.devices[0].made);
        until(&mut world, 8_590);
        assert_eq!(hub(&world), before);
        assert!(world.devices[0].made > made + 10, "its user edits all the same");
        until(&mut world, 9_600);
        assert_ne!(hub(&world), before);
    }

    #[test]
    fn a_user_who_was_signed_out_for_weeks_while_connected_delivers_everything_too() {
        // Longer than any engine tries without an answer.
        let faults = vec![of_client(FaultKind::SignedOut, 5_000, 2_000_000, 0)];
        let mut trial = OfflineTrial { faults, ..trial(1) };
        (trial.presence.away_s, trial.presence.here_s) = ((0, 0), (2_100_000, 2_100_000));
        (trial.presence.lasts_s, trial.workload.ticks) = (2_100_000, 100);
        for engine in ["delta-state", "delta-summary", "operation-log"] {
            let engine = find(engine).expect("an engine");
            let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
            let history = world.run(&mut Unwatched).expect("a disk").history;
            let wrong = crate::oracle::offline::truth::wrong_registers(&history);
            assert_eq!((wrong, history.quiescent), (0, true), "{}", engine.name);
        }
    }

    #[test]
    fn of_two_faults_that_keep_a_device_from_others_the_last_one_tells_when_it_is_back() {
        for kind in [FaultKind::Refuse, FaultKind::Outage, FaultKind::SignedOut, FaultKind::Crash, FaultKind::Freeze] {
            for (at_s, for_s) in [(4_000, 2_000), (6_000, 5_000), (6_000, 1_000)] {
                for node in ["client 0", "hub"] {
                    if node == "hub" && kind == FaultKind::SignedOut {
                        continue;
                    }
                    let other = NodeFault { node: node.to_owned(), ..of_client(kind, at_s, for_s, 0) };
                    let faults = vec![of_client(FaultKind::SignedOut, 5_000, 3_600, 0), other];
                    let mut trial = OfflineTrial { faults, ..trial(1) };
                    trial.workload.ticks = 100;
                    (trial.presence.away_s, trial.presence.here_s) = ((0, 0), (20_000, 20_000));
                    for engine in ["delta-state", "delta-summary"] {
                        let engine = find(engine).expect("an engine");
                        let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
                        let history = world.run(&mut Unwatched).expect("a disk").history;
                        let wrong = crate::oracle::offline::truth::wrong_registers(&history);
                        assert_eq!(
                            (wrong, history.quiescent),
                            (0, true),
                            "{}: {kind:?} of {node} at {at_s}",
                            engine.name
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_frozen_process_does_nothing_and_goes_on_with_its_old_memory_and_clocks() {
        let mut trial = OfflineTrial { faults: vec![of_client(FaultKind::Freeze, 5_000, 3_000, 0)], ..trial(1) };
        trial.workload.ticks = 100;
        (trial.presence.away_s, trial.presence.here_s) = ((0, 0), (20_000, 20_000));
        let mut world = world(&trial);
        until(&mut world, 5_001);
        let (made, shows) = (world.devices[0].made, world.devices[0].node.as_ref().expect("it is up").shows());
        until(&mut world, 7_000);
        let device = &world.devices[0];
        assert_eq!((device.made, device.node.as_ref().expect("it is up").shows()), (made, shows));
        assert!(world.connections[device.connections[0].1].open, "others take it for connected");
        assert!(!device.waiting.is_empty());
        until(&mut world, 9_000);
        let device = &world.devices[0];
        assert!(device.waiting.is_empty() && device.made > made + 10);
        assert_eq!(device.lag, 3_000 * SECOND);
        assert!(device.host.now + 3_000 * SECOND <= world.now + SECOND);
    }
}
