//! Faults of nodes: power failures, lost, damaged and cloned devices, old backups.

pub(super) mod effects;
pub(super) mod marks;
#[cfg(test)]
mod tests;

use crate::domain::count::counted;
use crate::domain::offline::{FaultKind, NodeFault};
use crate::engine::acknowledged::Acknowledged;
use crate::engine::host::{Host, NodeId};
use crate::engine::port::Settings;
use crate::engine::port::entropy;
use crate::engine::store::disk::{Disk, Loss};
use crate::engine::store::{Owner, StoreError};
use crate::lab::events::{Event, Observer, Replica};
use crate::lab::{Device, Planned, World, WorldError};
use crate::scenario::offline::SECOND;
use effects::{Drawn, LeftOut, content};

/// A step of a fault of a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The fault of this number begins.
    Begins(usize),
    /// The fault of this number, an outage, is over.
    Reachable(usize),
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
            Fault::Reachable(number) => {
                let Some(node) = self.trial.node(&self.faults[number].node) else { return Ok(()) };
                let outages = &mut self.devices[node as usize].outages;
                outages.retain(|&other| other != number);
                let reachable = outages.is_empty();
                self.emit(&Event::Reachable { node, reachable });
                self.refresh_all(node)
            }
            Fault::Backup(node) => {
                // What its user did until now is in the backup.
                self.act(node, |_, _| Ok(()))?;
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
        self.effects.inject_in_node(number, self.why_idle(fault));
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
            FaultKind::Outage => {
                self.devices[node as usize].outages.push(number);
                self.emit(&Event::Reachable { node, reachable: false });
                self.plan(back, Planned::Fault(Fault::Reachable(number)));
                return self.refresh_all(node);
            }
            FaultKind::Wipe => {
                if self.is_used(node) {
                    self.effects.take_effect_in_node(number);
                }
                self.lose(node, None);
                let device = &mut self.devices[node as usize];
                device.host.store = device.host.store.wiped();
                self.devices[node as usize].wiped = true;
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
                if self.is_used(node) {
                    self.effects.take_effect_in_node(number);
                }
                self.lose(twin, None);
                let Device { host, settings, .. } = &self.devices[node as usize];
                let copied = (host.store.clone(), Settings { node: twin, ..settings.clone() });
                self.devices[twin as usize].set_up(copied.0, copied.1);
                self.emit(&Event::StoreCopied { from: node, to: twin });
                self.reach.copied(node, twin);
                self.fail(twin, back)?;
                return Ok(());
            }
        }
        self.fail(node, back)
    }

    /// Why a fault of a node does not take effect, should it not.
    fn why_idle(&self, fault: &NodeFault) -> String {
        let node = &fault.node;
        match fault.kind {
            FaultKind::Crash => format!("{node} had no power then"),
            FaultKind::Outage => format!("nobody was connected with {node}, or was going to be, while it lasted"),
            FaultKind::Wipe | FaultKind::Clone => format!("the store of {node} held no more than that of a new device"),
            FaultKind::Restore => format!("the backup of {node} is what its store held when it was restored"),
            FaultKind::Damage => {
                format!("no bit of what {node} had stored was another when it started again")
            }
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
        let pause = 1 + self.devices[node as usize].host.random(60);
        self.fail(node, self.now + pause * SECOND)
    }

    /// The power of a node fails, and comes back.
    fn fail(&mut self, node: NodeId, back: u64) -> Result<(), WorldError> {
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
        self.measures.sees(self.now, &Event::Stopped { node });
        // Of two failures that overlap, the one that lasts longer tells when it is over.
        device.back = device.back.max(back);
        self.refresh_all(node)?;
        self.plan(back, Planned::Fault(Fault::Restart(node)));
        Ok(())
    }

    fn restart(&mut self, node: NodeId) -> Result<(), WorldError> {
        let random = self.trial.seed.stream("entropy");
        let failed = |error| WorldError::Store { node: self.trial.name(node), error };
        let device = &mut self.devices[node as usize];
        if device.up || self.now < device.back {
            return Ok(());
        }
        device.starts += 1;
        let store = std::mem::replace(&mut device.host.store, Disk::new(Owner { scenario: 0, client: 0 }));
        let told = std::mem::take(&mut device.host.told);
        device.host = Host::new(store, entropy(&random, node, device.starts));
        device.host.told = told;
        device.host.now = self.now;
        let wiped = std::mem::take(&mut device.wiped);
        // Where nothing is left there is nothing to damage.
        if let Some((lost, number)) = device.damaged.take().filter(|_| !wiped) {
            let mut places = self.trial.seed.stream("damage").member(u64::from(node) << 32 | device.starts);
            let before = device.host.store.clone();
            if self.effects.does(LeftOut::OfNodes(FaultKind::Damage)) {
                device.host.store.damage(places.word());
            }
            let used = content(&before).as_ref() != device.first.as_deref();
            if used && device.host.store != before {
                self.effects.take_effect_in_node(number);
            }
            // What is refused is put aside, and the node starts without anything, as a new device does; its peers give it
            // what they have.
            let opened = (self.open)(&device.settings, &mut device.host.clone());
            if let Err(why @ StoreError::Damaged(_)) = opened {
                let (name, lost) = (self.trial.name(node), counted(lost, "edit"));
                self.refused_stores.push(format!("{name}: {why}; {lost} that no other store had"));
                self.measures.sees(self.now, &Event::StoreLost { node });
                device.host.store = Disk::new(device.host.store.owner());
            }
        }
        let mut held = (self.open)(&device.settings, &mut device.host).map_err(failed)?;
        held.keep_neighbours(&device.connections.iter().map(|&(peer, _)| peer).collect::<Vec<_>>());
        if let Some(ids) = held.ids() {
            self.forgotten += device.ids.iter().filter(|&&id| !ids.contains(id)).count() as u64;
            if !device.acknowledged.is_kept_by(ids) {
                self.broken.insert(node);
            }
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.started(node, self.now);
        }
        self.measures.sees(self.now, &Event::Started { node, replica: Replica(held.as_ref()) });
        (device.node, device.up) = (Some(held), true);
        self.trace_from_start(node);
        self.refresh_all(node)?;
        self.plan_wake(node)
    }
}
