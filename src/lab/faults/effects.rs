//! Counts of faults: how often each was injected, and how often it took effect.
//!
//! Injected is what the world meant to do. Effective is what was seen where the fault should show: a frame that arrives
//! with other bytes than it was sent with, a store that holds something else than before, a node that lost its power. The
//! two are counted in different places, so that a fault that is left out by mistake is seen.

use crate::domain::fault_count::{FaultCount, FaultCounts};
use crate::domain::offline::{FaultKind, Link, NodeFault, OfflineTrial};
use crate::engine::host::NodeId;
use crate::engine::store::disk::{Disk, Files};
use crate::engine::store::{Kept, Store};
use crate::lab::World;
use crate::lab::script::Script;
use crate::scenario::offline::SECOND;

/// A fault that is drawn, and not named one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::lab) enum Drawn {
    /// `crashes`.
    Crash,
    /// `clocks.jumps`.
    Jump,
    /// `link.outages`.
    Outage,
    /// `link.lost_per_mille`.
    Loss,
    /// `link.repeated_per_mille`.
    Repetition,
    /// `link.reordered_per_mille`.
    Reordering,
    /// `link.truncated_per_mille`.
    Truncation,
    /// `link.corrupted_per_mille`.
    Corruption,
}

impl Drawn {
    /// All of them.
    pub(in crate::lab) const ALL: [Drawn; 8] = [
        Drawn::Crash,
        Drawn::Jump,
        Drawn::Outage,
        Drawn::Loss,
        Drawn::Repetition,
        Drawn::Reordering,
        Drawn::Truncation,
        Drawn::Corruption,
    ];

    /// Those that strike messages at a rate of their link.
    pub(in crate::lab) const OF_MESSAGES: [Drawn; 5] =
        [Drawn::Loss, Drawn::Repetition, Drawn::Reordering, Drawn::Truncation, Drawn::Corruption];

    /// The scenario's key.
    pub(in crate::lab) fn key(self) -> &'static str {
        match self {
            Drawn::Crash => "crashes",
            Drawn::Jump => "clocks.jumps",
            Drawn::Outage => "link.outages",
            Drawn::Loss => "link.lost_per_mille",
            Drawn::Repetition => "link.repeated_per_mille",
            Drawn::Reordering => "link.reordered_per_mille",
            Drawn::Truncation => "link.truncated_per_mille",
            Drawn::Corruption => "link.corrupted_per_mille",
        }
    }

    /// How often a link is asked for it; 0 for what is no fault of a link.
    pub(in crate::lab) fn of_link(self, link: &Link) -> u32 {
        match self {
            Drawn::Crash | Drawn::Jump => 0,
            Drawn::Outage => link.outages,
            Drawn::Loss => link.lost_per_mille,
            Drawn::Repetition => link.repeated_per_mille,
            Drawn::Reordering => link.reordered_per_mille,
            Drawn::Truncation => link.truncated_per_mille,
            Drawn::Corruption => link.corrupted_per_mille,
        }
    }

    /// Whether this scenario asks for it.
    fn is_asked(self, trial: &OfflineTrial) -> bool {
        match self {
            Drawn::Crash => trial.crashes > 0,
            Drawn::Jump => trial.clocks.jumps > 0,
            of_link => of_link.of_link(&trial.link) > 0,
        }
    }

    /// Why it never took effect, if it never did.
    fn why(self, injected: u64) -> &'static str {
        match (self, injected) {
            (Drawn::Crash, 0) => "no node had power when one was due",
            (Drawn::Crash, _) => "no node took as many steps as were left until the crash",
            (Drawn::Jump, _) => "no client read its clock after a jump",
            (Drawn::Outage, 0) => "none began before faults were over",
            (Drawn::Outage, _) => "no link was in use, or was going to be, while one lasted",
            (_, 0) => "no message was hit: too few were sent for so small a rate",
            (Drawn::Reordering, _) => "no later message overtook one that was held back",
            (Drawn::Loss | Drawn::Repetition | Drawn::Truncation | Drawn::Corruption, _) => {
                "no message that was hit belonged to a connection that was still up when it arrived"
            }
        }
    }
}

/// How often a fault was injected, and took effect.
#[derive(Clone, Debug, Default)]
struct Effect {
    injected: u64,
    effective: u64,
    why: String,
}

/// The counts of a world.
#[derive(Clone, Debug, Default)]
pub(in crate::lab) struct Effects {
    drawn: [Effect; Drawn::ALL.len()],
    /// By number of the fault in the scenario.
    of_nodes: Vec<Effect>,
    /// A planted fault of the lab itself: this is counted as injected, and never done. Only tests set it.
    pub(in crate::lab) left_out: Option<LeftOut>,
}

/// What a lab with a planted fault leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lab) enum LeftOut {
    /// A fault that is drawn.
    Drawn(Drawn),
    /// A kind of fault of nodes.
    OfNodes(FaultKind),
}

impl Effects {
    /// None yet.
    pub(in crate::lab) fn of(faults: usize) -> Self {
        Effects { of_nodes: vec![Effect::default(); faults], ..Effects::default() }
    }

    /// Whether the lab does this fault.
    pub(in crate::lab) fn does(&self, fault: LeftOut) -> bool {
        self.left_out != Some(fault)
    }

    /// So many drawn faults were injected.
    pub(in crate::lab) fn inject(&mut self, fault: Drawn, times: u64) {
        self.drawn[fault as usize].injected += times;
    }

    /// So many drawn faults took effect.
    pub(in crate::lab) fn take_effect(&mut self, fault: Drawn, times: u64) {
        self.drawn[fault as usize].effective += times;
    }

    /// An engine lost so many messages on links that it brings along.
    pub(in crate::lab) fn lost(&mut self, messages: u64) {
        self.inject(Drawn::Loss, messages);
        self.take_effect(Drawn::Loss, messages);
    }

    /// The fault of this number was injected. Should it never take effect, this is why.
    pub(in crate::lab) fn inject_in_node(&mut self, number: usize, why: impl Into<String>) {
        let effect = &mut self.of_nodes[number];
        (effect.injected, effect.why) = (1, why.into());
    }

    /// The fault of this number took effect.
    pub(in crate::lab) fn take_effect_in_node(&mut self, number: usize) {
        self.of_nodes[number].effective = 1;
    }

    /// The counts, by the scenario's keys.
    fn counts(&self, trial: &OfflineTrial, faults: &[(String, &NodeFault)]) -> FaultCounts {
        let mut counts = FaultCounts::new();
        for (fault, effect) in Drawn::ALL.into_iter().zip(&self.drawn) {
            let key = fault.key();
            if fault.is_asked(trial) {
                let Effect { injected, effective, .. } = *effect;
                let idle = (effective == 0).then(|| (key.to_owned(), fault.why(injected).to_owned()));
                counts.insert(key.to_owned(), FaultCount { injected, effective, idle: idle.into_iter().collect() });
            }
        }
        for ((name, fault), effect) in faults.iter().zip(&self.of_nodes) {
            let count = counts.entry(format!("faults, kind {}", fault.kind.name())).or_default();
            count.injected += effect.injected;
            count.effective += effect.effective;
            if effect.effective == 0 {
                let why = if effect.injected == 0 { "it did not come" } else { &effect.why };
                count.idle.insert(name.clone(), why.to_owned());
            }
        }
        counts
    }
}

/// What a store holds: by effects, and in files.
pub(in crate::lab) type Held = (Kept, Option<Files>);

/// What a store holds; nothing if it cannot be read.
pub(in crate::lab) fn content(disk: &Disk) -> Option<Held> {
    Some((disk.clone().load().ok()?, disk.files().cloned()))
}

/// Whether a store holds something else than a new device's. One that was wiped has no files until its engine starts.
pub(in crate::lab) fn is_unlike(disk: &Disk, new: &Held) -> bool {
    content(disk).is_none_or(|(kept, files)| kept != new.0 || files.is_some() && files != new.1)
}

impl World<'_> {
    /// A connection would be up but for outages: those that it is in take effect.
    pub(in crate::lab) fn outages_block(&mut self, link: usize) {
        let connection = &mut self.connections[link];
        let waiting = std::mem::take(&mut connection.idle_outages);
        self.effects.take_effect(Drawn::Outage, waiting.into());
        self.script.iter_mut().for_each(|script| script.is_cut(link));
        for end in self.connections[link].ends {
            self.takes_effect(end, FaultKind::Outage);
        }
    }

    /// Whether a node's store holds more than that of a new device.
    pub(in crate::lab) fn is_used(&self, node: NodeId) -> bool {
        let device = &self.devices[node as usize];
        device.first.as_deref().is_some_and(|first| is_unlike(&device.host.store, first))
    }

    /// The counts of this world, in its end.
    pub(in crate::lab) fn fault_counts(&mut self) -> FaultCounts {
        for fault in Drawn::OF_MESSAGES {
            let injected = self.connections.iter().map(|connection| connection.wire.injected(fault)).sum();
            self.effects.inject(fault, injected);
        }
        let lasts = self.trial.presence.lasts_s * SECOND;
        self.effects.inject(Drawn::Jump, u64::from(self.trial.clocks.jumps) * u64::from(self.trial.clients));
        let read = |device: &crate::lab::Device| device.clock.jumped_until(device.host.now.min(lasts));
        let jumped = self.devices.iter().map(read).sum();
        self.effects.take_effect(Drawn::Jump, jumped);
        let named = |number: usize| {
            let fault = &self.faults[number];
            let (kind, node) = (fault.kind.name(), &fault.node);
            match self.script.as_ref().map(|script| script.step_of_fault(number)) {
                Some(step) => format!("steps[{step}] ({kind} of {node})"),
                None => format!("faults[{number}] ({kind} of {node} at {} s)", fault.at_s),
            }
        };
        let faults = (0..self.faults.len()).map(|number| (named(number), &self.faults[number]));
        let faults: Vec<(String, &NodeFault)> = faults.collect();
        let mut counts = self.effects.counts(self.trial, &faults);
        let of_steps = self.script.as_ref().and_then(Script::count);
        counts.extend(of_steps.map(|count| ("steps".to_owned(), count)));
        counts
    }
}
