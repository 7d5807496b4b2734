//! Faults that last: outages, full stores, nodes that refuse connections or edits, processes that are frozen.

use crate::domain::history::UserEdit;
use crate::domain::offline::{FaultKind, WhileFrozen};
use crate::domain::traffic::Traffic;
use crate::engine::host::{NodeId, Time};
use crate::engine::port::Relation;
use crate::engine::wire::Frame;
use crate::lab::events::Event;
use crate::lab::faults::Fault;
use crate::lab::faults::marks::Marks;
use crate::lab::reach::Reached;
use crate::lab::staleness::Knowledge;
use crate::lab::{Planned, World, WorldError};

/// The most that waits for a frozen process; what comes later is lost.
const MOST_WAITING: usize = 4096;

/// What waits for a frozen process, in the order in which it came.
#[derive(Debug)]
pub(in crate::lab) enum Waiting {
    /// A message.
    Message { from: NodeId, frame: Frame, carries: Option<Knowledge>, reaches: Option<Reached> },
    /// A connection that is up, and what the other is.
    Up(NodeId, Relation),
    /// A connection that is down.
    Down(NodeId),
    /// A message that came back.
    Refusal(NodeId),
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
        let lasting = &self.devices[node as usize].lasting;
        for &number in lasting.iter().filter(|&&number| self.faults[number].kind == kind) {
            self.effects.take_effect_in_node(number);
        }
    }

    /// A fault begins that lasts.
    pub(super) fn begin_lasting(&mut self, number: usize, node: NodeId, back: Time) -> Result<(), WorldError> {
        let kind = self.faults[number].kind;
        self.plan(back, Planned::Fault(Fault::Over(number)));
        let first = !self.suffers(node, kind);
        match kind {
            // A process that is not there cannot be frozen.
            FaultKind::Freeze if !self.devices[node as usize].up => return Ok(()),
            FaultKind::Freeze if first => self.devices[node as usize].frozen_at = self.now,
            FaultKind::Outage => self.emit(&Event::Reachable { node, reachable: false }),
            FaultKind::Refuse if first => self.hang_up(node)?,
            FaultKind::Full => self.devices[node as usize].host.store.set_full(true),
            _ => {}
        }
        self.devices[node as usize].lasting.push(number);
        match kind {
            FaultKind::Outage => self.refresh_all(node),
            FaultKind::Refuse if first => self.reconnect_others(node),
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
                self.emit(&Event::Reachable { node, reachable: true });
                self.refresh_all(node)
            }
            FaultKind::Full => {
                self.devices[node as usize].host.store.set_full(false);
                Ok(())
            }
            FaultKind::Refuse => self.listen_again(node),
            FaultKind::Freeze => self.thaw(node),
            _ => Ok(()),
        }
    }

    /// The links of a node whose connections are up: the link, the other end, and what the node and the other are to each
    /// other.
    fn open_links(&self, node: NodeId) -> Vec<(NodeId, Relation, Relation)> {
        let of = &self.devices[node as usize].connections;
        let open = of.iter().filter(|&&(_, link)| self.connections[link].open);
        let ends = open.map(|&(peer, link)| {
            let connection = &self.connections[link];
            let side = usize::from(connection.ends[0] != node);
            (peer, connection.relations[side], connection.relations[1 - side])
        });
        ends.collect()
    }

    /// A node does not listen any more: all its connections are gone.
    fn hang_up(&mut self, node: NodeId) -> Result<(), WorldError> {
        for (peer, ..) in self.open_links(node) {
            let links = &self.devices[node as usize].connections;
            if let Ok(place) = links.binary_search_by_key(&peer, |&(peer, _)| peer) {
                let link = links[place].1;
                self.cut(link);
                self.emit(&Event::ConnectionDown { link });
            }
            self.tell(node, Waiting::Down(peer))?;
            self.tell(peer, Waiting::Down(node))?;
        }
        Ok(())
    }

    /// The links to a node that does not listen are still there: the others try to connect.
    fn reconnect_others(&mut self, node: NodeId) -> Result<(), WorldError> {
        let open = self.open_links(node);
        if !open.is_empty() {
            self.takes_effect(node, FaultKind::Refuse);
        }
        open.into_iter().try_for_each(|(peer, _, to_peer)| self.tell(peer, Waiting::Up(node, to_peer)))
    }

    /// A node listens again. Those that try to connect come to know when they try next.
    fn listen_again(&mut self, node: NodeId) -> Result<(), WorldError> {
        self.open_links(node).into_iter().try_for_each(|(peer, to_node, _)| self.tell(node, Waiting::Up(peer, to_node)))
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
            Waiting::Message { from, frame, carries, reaches } => {
                self.receive(from, node, &frame, (carries.as_ref(), reaches.as_ref()))
            }
            Waiting::Up(peer, relation) => self.act(node, |node, host| node.connected(host, peer, relation)),
            Waiting::Down(peer) => self.act(node, |node, _| {
                node.disconnected(peer);
                Ok(())
            }),
            Waiting::Refusal(peer) => self.act(node, |node, host| node.refused(host, peer)),
        }
    }

    /// A frozen process goes on, with its old memory. Its clocks stood still meanwhile.
    fn thaw(&mut self, node: NodeId) -> Result<(), WorldError> {
        let device = &mut self.devices[node as usize];
        device.lag += self.now - device.frozen_at;
        let waiting = std::mem::take(&mut device.waiting);
        waiting.into_iter().try_for_each(|what| self.tell(node, what))?;
        self.act(node, |_, _| Ok(()))
    }

    /// A process that has no power is not frozen any more.
    pub(super) fn unfreeze(&mut self, node: NodeId) {
        let faults = &self.faults;
        let device = &mut self.devices[node as usize];
        device.lasting.retain(|&number| faults[number].kind != FaultKind::Freeze);
        device.waiting.clear();
        device.lag = 0;
    }

    /// Whether a message that arrives is sent back: its receiver does not listen, or takes no edits of others.
    pub(in crate::lab) fn is_refused(&mut self, to: NodeId, marks: Marks) -> bool {
        let refuses = self.suffers(to, FaultKind::Refuse);
        let read_only = marks.has_edits && self.serves(to) && self.suffers(to, FaultKind::ReadOnly);
        if refuses {
            self.takes_effect(to, FaultKind::Refuse);
        }
        if read_only {
            self.takes_effect(to, FaultKind::ReadOnly);
        }
        refuses || read_only
    }

    /// A message is sent back, and its sender comes to know.
    pub(in crate::lab) fn send_back(&mut self, link: usize, from: NodeId, to: NodeId, line: (Time, u32)) {
        self.emit(&Event::Refused { from, to });
        let latency = self.connections[link].wire.latency();
        self.plan(self.now + latency, Planned::Refusal { link, sender: from, receiver: to, line });
    }

    /// What its user wanted to do is refused, and the user is told.
    pub(in crate::lab) fn refuse_edit(&mut self, client: NodeId) {
        let device = &mut self.devices[client as usize];
        let number = device.made as u32;
        let edit: UserEdit = device.edits.remove(device.made);
        self.refused_edits += 1;
        self.sightings.remove(&(client as usize, number));
        self.emit(&Event::EditRefused { client, edit: &edit });
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
