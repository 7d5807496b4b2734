//! How a world ends: whether its replicas came to rest, whether it was cut off, and what the judges get.

use crate::domain::history::{CutOff, History, NodeEnd};
use crate::domain::offline::OfflineTrial;
use crate::engine::host::Time;
use crate::engine::store::Store as _;
use crate::engine::vector::VersionVector;
use crate::lab::events::Event;
use crate::lab::script::Script;
use crate::lab::{Device, Outcome, Planned, World};
use crate::scenario::offline::SECOND;

impl World<'_> {
    /// When faults were over, or now if they are not. A message that a step has come late is a fault until it has come.
    pub(super) fn faults_over(&self) -> Time {
        let late_until = self.script.as_ref().map_or(0, Script::late_until);
        self.faults_over.unwrap_or(self.now).max(late_until)
    }

    /// When the last message arrived, since faults were over.
    pub(super) fn settled_after(&self) -> Time {
        self.last_arrival.saturating_sub(self.faults_over())
    }

    /// Whether replicas wait, and nothing of what they wait for is on its way: nobody has said anything for longer than the
    /// longest backoff, so that nobody is going to. This is the end of the world, as if no replica had a timer.
    pub(super) fn waits_in_vain(&self, at: Time, next: &Planned) -> bool {
        let longest = self.devices.iter().map(|device| device.settings.longest_wait()).max().unwrap_or(0);
        let is_silent = at.saturating_sub(self.last_arrival) > longest;
        is_silent && self.under_way(next) == 0
    }

    /// How many messages are on their way, what happens next included.
    pub(super) fn under_way(&self, next: &Planned) -> u64 {
        let all = std::iter::once(next).chain(self.calendar.planned());
        all.filter(|planned| matches!(planned, Planned::Arrival { .. })).count() as u64
    }

    pub(super) fn cut_off(&self) -> Option<CutOff> {
        if self.has_failed() {
            return Some(CutOff::EngineFailed);
        }
        if !self.settling {
            return Some(CutOff::BeforeFaultsEnded(self.measures.deliveries));
        }
        // Who still talks when it should be quiescent goes on and on; who was quiescent in time, and had more to send, was cut off.
        let was_quiescent = self.settled_after() <= self.trial.settle_s * SECOND;
        let next = self.next.filter(|_| was_quiescent);
        next.map(|(at, under_way)| CutOff::WhileWaiting { next: at - self.faults_over(), under_way })
    }

    pub(super) fn ended(mut self, quiescent: bool) -> Outcome {
        // A world that is broken off may have lines that are busy for long.
        (0..self.connections.len()).for_each(|link| self.cut(link));
        (0..self.devices.len() as u32).for_each(|node| self.hear(node, true));
        let mut history = History {
            cut_off: self.cut_off(),
            lasted: self.now,
            quiescent,
            settled_after: self.settled_after(),
            settle_bound: self.trial.settle_s * SECOND,
            forgotten: self.forgotten,
            broken: self.broken.len() as u64,
            survives: self.survives.told(),
            carries: self.carries,
            has_authority: self.trial.root().is_some(),
            own_timers: self.own_timers,
            ..History::default()
        };
        history.ledger.fields = self.trial.fields();
        history.ledger.sightings = std::mem::take(&mut self.sightings);
        for device in &mut self.devices {
            device.edits.truncate(device.made);
            history.ledger.by_device.push(std::mem::take(&mut device.edits));
        }
        history.traffic = self.measures.client_traffic();
        for (number, device) in self.devices.iter().enumerate() {
            if let Some(node) = &device.node {
                // The last one that is left owes nothing to anybody.
                if !self.staying_neighbours(number as u32).is_empty() {
                    history.backlog += node.backlog().unwrap_or(0);
                }
                history.ends.push(NodeEnd { name: self.trial.name(number as u32), registers: node.shows() });
                self.measures.stored += device.host.store.bytes();
            }
        }
        let agree = history.ends.windows(2).all(|ends| ends[0].registers == ends[1].registers);
        self.emit(&Event::Ended { quiescent, agree });
        history.over_time = self.measures.over_time(|node| self.trial.name(node));
        history.over_time.running = self.running.take();
        if !self.constant {
            history.over_time.metadata.clear();
        }
        history.unkept = unkept(self.trial, &self.devices);
        let asked = |device: &Device| device.retired || device.node.as_ref().is_some_and(|node| node.ids().is_some());
        history.restarts =
            self.devices.iter().all(asked).then(|| self.devices.iter().map(|device| device.starts).sum());
        let in_the_end = self.kept().unwrap_or_default();
        history.faults = self.fault_counts();
        history.refused_edits = self.refused_edits;
        let unmet = self.script.as_ref().map_or(Vec::new(), |script| script.unmet().to_vec());
        history.unmet = unmet.iter().map(ToString::to_string).collect();
        let moments = self.recorder.take().map_or(Vec::new(), |recorder| recorder.moments());
        let World { measures, trace, refused_stores, kept: when_faults_ended, .. } = self;
        Outcome { history, measures, when_faults_ended, in_the_end, trace, refused_stores, unmet, moments }
    }
}

/// Clients whose acknowledged edits are not where they were acknowledged.
fn unkept(trial: &OfflineTrial, devices: &[Device]) -> u64 {
    let ids = |number: u32| devices[number as usize].node.as_ref().and_then(|node| node.ids());
    let broken = (0..trial.clients).filter(|&client| {
        let Some(given) = ids(client).map(|ids| ids.given) else { return false };
        if let Some(parent) = trial.parent(client) {
            return ids(parent).is_some_and(|parent| !parent.has.covers(given));
        }
        let mut kept = VersionVector::default();
        let others = (0..trial.clients).filter(|&other| other != client).filter_map(ids);
        others.for_each(|other| kept.join(other.has));
        !kept.covers(given)
    });
    broken.count() as u64
}
