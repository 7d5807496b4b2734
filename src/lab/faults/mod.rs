//! Faults of nodes: power failures, lost, damaged and cloned devices, old backups.

pub(super) mod effects;
pub(super) mod lasting;
pub(super) mod marks;
#[cfg(test)]
mod tests;

use crate::domain::count::counted;
use crate::domain::data::View;
use crate::domain::offline::{FaultKind, NodeFault};
use crate::engine::acknowledged::Acknowledged;
use crate::engine::host::{Host, NodeId};
use crate::engine::port::entropy;
use crate::engine::port::{EngineError, Imported, Settings};
use crate::engine::store::disk::{Disk, Loss};
use crate::engine::store::{Owner, StoreError};
use crate::lab::events::{Event, Observer, Replica};
use crate::lab::{Device, Planned, World, WorldError};
use crate::scenario::offline::SECOND;
use effects::{Drawn, LeftOut, content, is_unlike};

/// How long after a node could not start on a full store it is started again.
const START_AGAIN: u64 = 60 * SECOND;

/// A step of a fault of a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The fault of this number begins.
    Begins(usize),
    /// The fault of this number is over.
    Over(usize),
    /// A backup is taken of it.
    Backup(NodeId),
    /// The next thing that it does ends in a power failure, after so many steps.
    Fuse(NodeId, u32),
    /// It starts again.
    Restart(NodeId),
}

impl Device {
    /// Has it hold this and nothing else, whatever became of the store that it had.
    fn set_up(&mut self, disk: Disk, settings: Settings) {
        (self.host.store, self.settings) = (disk, settings);
        (self.wiped, self.damaged) = (false, None);
    }
}

impl World<'_> {
    pub(super) fn plan_faults(&mut self) {
        for (number, fault) in self.trial.faults.iter().enumerate() {
            if let Some(node) = self.trial.node(&fault.node) {
                if fault.kind == FaultKind::Restore {
                    self.plan((fault.at_s - fault.age_s) * SECOND, Planned::Fault(Fault::Backup(node)));
                }
                self.plan(fault.at_s * SECOND, Planned::Fault(Fault::Begins(number)));
            }
        }
        let mut stream = self.trial.seed.stream("crashes");
        for _ in 0..self.trial.crashes {
            let node = stream.below(self.trial.nodes().into()) as NodeId;
            let at = stream.below(self.trial.presence.lasts_s * SECOND);
            let steps = 1 + stream.below(12) as u32;
            self.plan(at, Planned::Fault(Fault::Fuse(node, steps)));
        }
        let outages = self.trial.seed.stream("outages");
        let link = self.trial.link;
        for number in 0..self.connections.len() {
            let mut stream = outages.member(number as u64);
            for _ in 0..link.outages {
                let at = stream.below(self.trial.presence.lasts_s * SECOND);
                self.plan(at, Planned::Outage(number, true));
                self.plan(at + link.outage_s * SECOND, Planned::Outage(number, false));
            }
        }
    }

    pub(super) fn strike(&mut self, fault: Fault) -> Result<(), WorldError> {
        match fault {
            Fault::Begins(number) => self.begin(number),
            Fault::Over(number) => self.end_lasting(number),
            Fault::Backup(node) => {
                // What its user did until now is in the backup.
                self.act(node, |_, _| Ok(()))?;
                self.collect_files(node)?;
                let device = &mut self.devices[node as usize];
                device.backup = Some((device.made, device.host.store.clone(), device.settings.clone()));
                self.emit(&Event::BackedUp { node });
                Ok(())
            }
            Fault::Fuse(node, steps) => {
                if self.devices[node as usize].up {
                    self.effects.inject(Drawn::Crash, 1);
                    if self.effects.does(LeftOut::Drawn(Drawn::Crash)) {
                        self.devices[node as usize].host.crash_after(steps);
                    }
                }
                Ok(())
            }
            Fault::Restart(node) => self.restart(node),
        }
    }

    fn begin(&mut self, number: usize) -> Result<(), WorldError> {
        let fault = &self.faults[number].clone();
        let Some(node) = self.trial.node(&fault.node) else { return Ok(()) };
        let back = self.now + fault.for_s.max(1) * SECOND;
        self.act(node, |_, _| Ok(()))?;
        self.collect_files(node)?;
        let why = self.why_idle(fault);
        let leaver = self.has_retired(fault);
        self.effects.inject_in_node(
            number,
            leaver.map_or(why, |leaver| format!("{} had left for good", self.trial.name(leaver))),
        );
        if leaver.is_some() {
            return Ok(());
        }
        if fault.kind != FaultKind::Damage && !self.effects.does(LeftOut::OfNodes(fault.kind)) {
            return Ok(());
        }
        match fault.kind {
            FaultKind::Crash => {
                if self.devices[node as usize].up {
                    self.effects.take_effect_in_node(number);
                }
                return self.fail(node, back);
            }
            FaultKind::Drop => {
                self.pick_out(number);
                return Ok(());
            }
            kind if kind.lasts() => return self.begin_lasting(number, node, back),
            FaultKind::Retire => return self.retire(number, node),
            FaultKind::Wipe | FaultKind::StartOver | FaultKind::Import => {
                if fault.kind == FaultKind::Import {
                    self.devices[node as usize].import = self.values_of(fault).map(|values| (number, values));
                } else if self.is_used(node) {
                    self.effects.take_effect_in_node(number);
                }
                self.lose(node, None);
                let device = &mut self.devices[node as usize];
                device.host.store = device.host.store.wiped();
                self.devices[node as usize].wiped = true;
                self.devices[node as usize].starts_over |= fault.kind == FaultKind::StartOver;
                self.emit(&Event::StoreLost { node });
            }
            FaultKind::Damage => {
                let lost = self.lose(node, None);
                self.emit(&Event::StoreDamaged { node });
                self.devices[node as usize].damaged = Some((lost, number));
            }
            FaultKind::Restore => {
                let Some((made, disk, settings)) = self.devices[node as usize].backup.take() else { return Ok(()) };
                let now = &self.devices[node as usize];
                if now.wiped || now.damaged.is_some() || content(&disk) != content(&now.host.store) {
                    self.effects.take_effect_in_node(number);
                }
                self.lose(node, Some(made));
                self.devices[node as usize].set_up(disk, settings);
                self.emit(&Event::StoreSetBack { node });
            }
            FaultKind::Clone => {
                let twin = node + 1;
                self.act(twin, |_, _| Ok(()))?;
                self.collect_files(twin)?;
                if self.is_used(node) {
                    self.effects.take_effect_in_node(number);
                }
                self.lose(twin, None);
                let Device { host, settings, .. } = &self.devices[node as usize];
                let copied = (host.store.clone(), Settings { node: twin, ..settings.clone() });
                self.devices[twin as usize].set_up(copied.0, copied.1);
                self.emit(&Event::StoreCopied { from: node, to: twin });
                self.fail(twin, back)?;
                return Ok(());
            }
            _ => return Ok(()),
        }
        self.fail(node, back)
    }

    /// A device leaves for good. What it passed on counts.
    fn retire(&mut self, number: usize, node: NodeId) -> Result<(), WorldError> {
        if self.devices[node as usize].up {
            self.effects.take_effect_in_node(number);
        }
        self.hear(node, true);
        self.lose(node, None);
        self.unfreeze(node);
        let device = &mut self.devices[node as usize];
        device.host.sent.clear();
        (device.up, device.node, device.retired, device.wiped) = (false, None, true, true);
        self.measures.sees(self.now, &Event::Stopped { node });
        self.emit(&Event::Retired { node });
        self.refresh_all(node)?;
        // Its neighbours are told: nothing is kept for it any more.
        for (peer, _) in self.devices[node as usize].connections.clone() {
            let stay = self.staying_neighbours(peer);
            if let Some(replica) = &mut self.devices[peer as usize].node {
                replica.keep_neighbours(&stay);
            }
        }
        Ok(())
    }

    /// The device that left for good, of those that a fault is to happen to.
    fn has_retired(&self, fault: &NodeFault) -> Option<NodeId> {
        let node = self.trial.node(&fault.node)?;
        let nodes = [node, node + u32::from(fault.kind == FaultKind::Clone)];
        nodes.into_iter().find(|&node| self.devices[node as usize].retired)
    }

    /// The nodes that a node has a link with, but for those that left for good.
    pub(super) fn staying_neighbours(&self, node: NodeId) -> Vec<NodeId> {
        let peers = self.devices[node as usize].connections.iter().map(|&(peer, _)| peer);
        peers.filter(|&peer| !self.devices[peer as usize].retired).collect()
    }

    /// The bare values that a device is to be set up from, if whoever shows them has power.
    fn values_of(&self, fault: &NodeFault) -> Option<Vec<View>> {
        let from = self.trial.node(fault.from.as_deref()?)?;
        Some(self.devices[from as usize].replica()?.shows().into_owned())
    }

    /// A new device is given bare values. Edits that count in them are the ledger's: they must not count twice.
    fn import(&mut self, node: NodeId) -> Result<(), WorldError> {
        let Some((number, values)) = self.devices[node as usize].import.take() else { return Ok(()) };
        let new = self.devices[node as usize].replica().map(|replica| replica.shows());
        if new.is_some_and(|new| new != values) {
            self.effects.take_effect_in_node(number);
        }
        let mut imported = Imported::Refused;
        self.act(node, |node, host| {
            imported = node.import(host, &values)?;
            host.shown.clear();
            Ok(())
        })?;
        if imported == Imported::Refused {
            self.refused_stores.push(format!(
                "{}: bare values without ids are refused; it starts from nothing",
                self.trial.name(node)
            ));
        }
        Ok(())
    }

    /// Why a fault of a node does not take effect, should it not.
    fn why_idle(&self, fault: &NodeFault) -> String {
        let node = &fault.node;
        match fault.kind {
            FaultKind::Crash => format!("{node} had no power then"),
            FaultKind::Outage => format!("nobody was connected with {node}, or was going to be, while it lasted"),
            FaultKind::Wipe | FaultKind::Clone | FaultKind::StartOver => {
                format!("the store of {node} held no more than that of a new device")
            }
            FaultKind::Restore => format!("the backup of {node} is what its store held when it was restored"),
            FaultKind::Damage => {
                format!("no bit of what {node} had stored was another when it started again")
            }
            FaultKind::Full => format!("{node} wrote nothing while its store was full"),
            FaultKind::Refuse => {
                format!("nobody was connected with {node}, or was going to be, while it refused connections")
            }
            FaultKind::SignedOut => {
                format!("{node} tried to connect with nobody while its user was not signed in")
            }
            FaultKind::ReadOnly => format!("nobody edited at {node}, or sent it changes, while it took none"),
            FaultKind::Freeze => format!("nothing was going to happen at {node} while it was frozen"),
            FaultKind::Retire => format!("{node} had no power then"),
            FaultKind::Import => format!("the values that {node} was given were those of a new device"),
            FaultKind::Drop => format!("{node} did not send so many messages of the kind"),
        }
    }

    /// A device loses its store, but for what is in a backup: that many edits of its own user, and what it had of others
    /// then. Edits that no other store has may be lost with it; gives how many.
    fn lose(&mut self, node: NodeId, backup: Option<usize>) -> usize {
        let lost = self.fates(node, backup);
        for &(author, edit, fate) in &lost {
            self.devices[author as usize].edits[edit].fate = fate;
            self.emit(&Event::EditLost { client: author, number: edit, fate });
        }
        self.lost_stores.insert(node);
        let device = &mut self.devices[node as usize];
        device.gone.extend(backup.unwrap_or(0)..device.made);
        device.ids.clear();
        device.acknowledged = Acknowledged::default();
        lost.len()
    }

    pub(super) fn power_failed(&mut self, node: NodeId) -> Result<(), WorldError> {
        self.effects.take_effect(Drawn::Crash, 1);
        self.script.iter_mut().for_each(|script| script.power_failed(node));
        for to in std::mem::take(&mut self.devices[node as usize].host.begun) {
            self.measures.staleness.holdings.began(node, to);
        }
        let pause = 1 + self.devices[node as usize].host.random(60);
        self.fail(node, self.now + pause * SECOND)
    }

    /// The power of a node fails, and comes back.
    fn fail(&mut self, node: NodeId, back: u64) -> Result<(), WorldError> {
        self.hear(node, true);
        if let Some(node) = &mut self.devices[node as usize].node {
            node.halt();
        }
        self.collect_files(node)?;
        let device = &mut self.devices[node as usize];
        let unsynced = device.host.store.unsynced();
        let loss = match device.host.random(3) {
            0 => Loss::All,
            1 => Loss::After(device.host.random(unsynced + 1)),
            _ => Loss::Nothing,
        };
        device.host.store.crash(loss);
        device.host.sent.clear();
        (device.up, device.node) = (false, None);
        self.unfreeze(node);
        self.measures.sees(self.now, &Event::Stopped { node });
        // Of two failures that overlap, the one that lasts longer tells when it is over.
        let device = &mut self.devices[node as usize];
        device.back = device.back.max(back);
        self.refresh_all(node)?;
        self.plan(back, Planned::Fault(Fault::Restart(node)));
        Ok(())
    }

    fn restart(&mut self, node: NodeId) -> Result<(), WorldError> {
        let random = self.trial.seed.stream("entropy");
        let failed = |error| WorldError::Engine { node: self.trial.name(node), error };
        let device = &mut self.devices[node as usize];
        if device.up || device.retired || self.now < device.back {
            return Ok(());
        }
        device.starts += 1;
        // Who starts over draws what it drew at its very first start.
        let drawn_at = if std::mem::take(&mut device.starts_over) { 0 } else { device.starts };
        let full = device.lasting.iter().any(|&number| self.faults[number].kind == FaultKind::Full);
        let store = std::mem::replace(&mut device.host.store, Disk::new(Owner { scenario: 0, client: 0 }));
        let told = std::mem::take(&mut device.host.told);
        device.host = Host::new(store, entropy(&random, node, drawn_at));
        device.host.told = told;
        device.host.now = self.now;
        device.host.wall = device.clock.shows(self.now);
        device.host.started = device.host.wall;
        device.host.store.set_full(full);
        let wiped = std::mem::take(&mut device.wiped);
        // Where nothing is left there is nothing to damage.
        if let Some((lost, number)) = device.damaged.take().filter(|_| !wiped) {
            let mut places = self.trial.seed.stream("damage").member(u64::from(node) << 32 | device.starts);
            let before = device.host.store.clone();
            if self.effects.does(LeftOut::OfNodes(FaultKind::Damage)) {
                device.host.store.damage(places.word());
            }
            let used = device.first.as_deref().is_none_or(|first| is_unlike(&before, first));
            if used && device.host.store != before {
                self.effects.take_effect_in_node(number);
            }
            // What is refused is put aside, and the node starts without anything, as a new device does; its peers give it
            // what they have.
            let opened = (self.open)(&device.settings, &mut device.host.clone());
            if let Err(EngineError::Store(why @ StoreError::Damaged(_))) = opened {
                let (name, lost) = (self.trial.name(node), counted(lost, "edit"));
                self.refused_stores.push(format!("{name}: {why}; {lost} that no other store had"));
                self.measures.sees(self.now, &Event::StoreLost { node });
                device.host.store = Disk::new(device.host.store.owner());
            }
        }
        let mut held = match (self.open)(&device.settings, &mut device.host) {
            // Its store takes no writes: whoever started it tries again.
            Err(error) if error.is_refusal() => {
                device.back = self.now + START_AGAIN;
                self.plan(self.now + START_AGAIN, Planned::Fault(Fault::Restart(node)));
                self.takes_effect(node, FaultKind::Full);
                return Ok(());
            }
            // Nobody damaged it: what the engine cannot read is what the engine wrote.
            Err(EngineError::Store(why @ StoreError::Damaged(_))) => {
                return Err(failed(EngineError::Failed(format!("it refuses the store that it wrote: {why}"))));
            }
            held => held.map_err(failed)?,
        };
        held.keep_neighbours(&self.staying_neighbours(node));
        let device = &mut self.devices[node as usize];
        if let Some(ids) = held.ids() {
            self.forgotten += device.ids.iter().filter(|&&id| !ids.contains(id)).count() as u64;
            if !device.acknowledged.is_kept_by(ids) {
                self.broken.insert(node);
            }
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.started(node, self.now);
        }
        self.measures.sees(self.now, &Event::Started { node, replica: Replica::of(held.as_ref()) });
        (device.node, device.up) = (Some(held), true);
        self.trace_from_start(node);
        self.import(node)?;
        self.refresh_all(node)?;
        self.plan_wake(node)
    }
}
