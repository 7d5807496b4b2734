//! A world before anything has happened: its nodes, their links, and what is foreseen.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::history::UserEdit;
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::Running;
use crate::domain::script::Action;
use crate::engine::Registration;
use crate::engine::acknowledged::Acknowledged;
use crate::engine::host::{Host, NodeId, Time};
use crate::engine::port::EngineError;
use crate::engine::port::Relation;
use crate::engine::port::Settings;
use crate::engine::port::entropy;
use crate::engine::store::Owner;
use crate::engine::store::disk::Disk;
use crate::lab::calendar::Calendar;
use crate::lab::clock::Clock;
use crate::lab::events::Event;
use crate::lab::events::views::Views;
#[cfg(test)]
use crate::lab::faults::effects::LeftOut;
use crate::lab::faults::effects::{self, Effects};
use crate::lab::link::Wire;
use crate::lab::measure::Measures;
use crate::lab::merges::MergeTrace;
use crate::lab::script::Script;
use crate::lab::{Connection, Device, Planned, World, WorldError};
use crate::scenario::offline::{SECOND, Users};

impl<'a> World<'a> {
    /// A world before anything has happened.
    pub fn new(
        trial: &'a OfflineTrial,
        engine: &Registration,
        settings: &dyn Fn(NodeId) -> Settings,
    ) -> Result<Self, WorldError> {
        let (script, faults) = Script::of(trial);
        let crashes = trial.steps.iter().any(|step| matches!(step.action, Action::CrashDuring { .. }));
        let mut world = World {
            trial,
            open: engine.open.in_world(trial),
            own_timers: engine.own_timers,
            devices: Vec::new(),
            connections: Vec::new(),
            calendar: Calendar::default(),
            now: 0,
            settling: false,
            last_arrival: 0,
            next: None,
            measures: Measures::of(trial, engine.reports),
            forgotten: 0,
            broken: BTreeSet::new(),
            trace: None,
            effects: Effects::of(faults.len()),
            drops: Vec::new(),
            refused_edits: 0,
            running: engine.foreign.then(Running::default),
            restarts: trial.crashes > 0 || crashes || !faults.is_empty(),
            refused_stores: Vec::new(),
            keeps: Vec::new(),
            kept: Vec::new(),
            survives: engine.survives,
            constant: engine.constant,
            tells_edits: engine.tells_edits,
            carries: engine.carries,
            sightings: BTreeMap::new(),
            lost_stores: BTreeSet::new(),
            tracks_safety: faults.iter().any(|fault| fault.kind.loses_store()),
            faults_over: script.is_none().then_some(trial.presence.lasts_s * SECOND),
            script,
            recorder: None,
            faults,
        };
        let users = Users::of(trial);
        let (random, mut clocks) = (trial.seed.stream("entropy"), trial.seed.stream("clocks"));
        for node in 0..trial.nodes() {
            let settings = settings(node);
            let owner = Owner { scenario: trial.seed.value(), client: settings.client };
            let mut host = Host::new(Disk::new(owner).with_mutant(settings.mutant), entropy(&random, node, 0));
            let opened = match (world.open)(&settings, &mut host) {
                Err(EngineError::Failed(why)) => {
                    world.fails(trial.name(node), why);
                    None
                }
                opened => Some(opened.map_err(|error| WorldError::Engine { node: trial.name(node), error })?),
            };
            let is_client = node < trial.clients;
            let lasts = trial.presence.lasts_s * SECOND;
            world.devices.push(Device {
                up: opened.is_some(),
                node: opened,
                settings,
                host,
                back: 0,
                here: !is_client,
                lasting: Vec::new(),
                frozen_at: 0,
                waiting: Vec::new(),
                lag: 0,
                thawed_at: 0,
                retired: false,
                starts_over: false,
                import: None,
                starts: 0,
                clock: if is_client { Clock::drawn(trial.clocks, lasts, &mut clocks) } else { Clock::default() },
                edits: if is_client && !trial.is_scripted() { users.edits(node) } else { Vec::new() },
                made: 0,
                awaits: false,
                ids: Vec::new(),
                acknowledged: Acknowledged::default(),
                gone: BTreeSet::new(),
                safe: 0,
                woken_at: None,
                connections: Vec::new(),
                backup: None,
                wiped: false,
                damaged: None,
                first: None,
            });
        }
        for number in 0..world.faults.len() {
            let fault = &world.faults[number];
            let Some(node) = trial.node(&fault.node).filter(|_| fault.kind.loses_store()) else { continue };
            world.collect_files(node)?;
            let device = &mut world.devices[node as usize];
            device.first = effects::content(&device.host.store).map(Box::new);
        }
        world.connect_all();
        if trial.is_scripted() {
            world.plan_script();
        } else {
            world.plan_presence();
            world.plan_faults();
            world.plan(trial.presence.lasts_s * SECOND, Planned::Settle);
        }
        (0..world.connections.len()).try_for_each(|link| world.refresh(link))?;
        if world.own_timers {
            (0..trial.nodes()).try_for_each(|node| world.plan_wake(node))?;
        }
        Ok(world)
    }

    fn connect_all(&mut self) {
        let links = self.trial.seed.stream("links");
        let connect = |world: &mut Self, ends: [NodeId; 2], relations| {
            let number = world.connections.len();
            // Edges and the hub are connected by lines that are not metered.
            let of_client = ends[0] < world.trial.clients;
            let link = if of_client { world.trial.link } else { Default::default() };
            let wire = Wire::new(link, links.member(number as u64));
            world.emit(&Event::Linked { ends, bits_per_s: link.bits_per_s });
            let [sent, arrived] = [[0; 2]; 2];
            world.connections.push(Connection {
                ends,
                relations,
                wire,
                outages: 0,
                idle_outages: 0,
                open: false,
                sent,
                arrived,
            });
            for side in [0, 1] {
                world.devices[ends[side] as usize].connections.push((ends[1 - side], number));
            }
        };
        for node in 0..self.trial.nodes() {
            if let Some(parent) = self.trial.parent(node) {
                connect(self, [node, parent], [Relation::Parent, Relation::Child]);
            } else if !self.trial.hub {
                (0..node).for_each(|peer| connect(self, [peer, node], [Relation::Peer; 2]));
            }
        }
        self.devices.iter_mut().for_each(|device| device.connections.sort_unstable());
    }

    fn plan_presence(&mut self) {
        let stream = self.trial.seed.stream("presence");
        let presence = &self.trial.presence;
        for client in 0..self.trial.clients {
            let mut stream = stream.member(client.into());
            let mut between = |(least, most): (u64, u64)| (least * SECOND) + stream.below((most - least) * SECOND + 1);
            let (mut at, end) = (between(presence.away_s), presence.lasts_s * SECOND);
            while at < end {
                self.plan(at, Planned::Presence(client, true));
                at += between(presence.here_s).max(1);
                if at < end {
                    self.plan(at, Planned::Presence(client, false));
                }
                at += between(presence.away_s).max(1);
            }
        }
    }

    /// The same world, whose users do this instead: by client, in the order in which each does it.
    pub fn with_users(mut self, users: Vec<Vec<UserEdit>>) -> Self {
        self.devices.iter_mut().zip(users).for_each(|(device, edits)| device.edits = edits);
        self
    }

    /// The same world, in which what comes in at this node is kept, in order.
    pub fn traced(mut self, node: NodeId) -> Self {
        self.trace = Some(MergeTrace::new(node, vec![self.trial.start; self.trial.registers as usize]));
        self.trace_from_start(node);
        self
    }

    /// The same world in a lab that leaves a fault out though it was asked for: a planted fault of the lab.
    #[cfg(test)]
    pub(super) fn leaving_out(mut self, fault: LeftOut) -> Self {
        self.effects.left_out = Some(fault);
        self.connections.iter_mut().for_each(|connection| connection.wire.leave_out(fault));
        if fault == LeftOut::Drawn(effects::Drawn::Jump) {
            self.devices.iter_mut().for_each(|device| device.clock = Clock::default());
        }
        self
    }

    /// The same world, of which these nodes are kept.
    pub fn keeping(mut self, nodes: Vec<NodeId>) -> Self {
        self.keeps = nodes;
        self
    }

    /// The same world, whose users make edits of unique amounts, so that what replicas show tells what they stop showing.
    pub fn with_unique_amounts(mut self, users: Vec<Vec<UserEdit>>) -> Self {
        self.measures.follow(Views::of(self.trial, self.carries));
        if let Some(script) = &mut self.script {
            script.with_unique_amounts(self.trial);
        }
        self.with_users(users)
    }

    /// The same world, in which the time of every message of this client is kept.
    pub fn watched(mut self, client: NodeId) -> Self {
        self.measures.watch(client);
        self
    }

    /// The same world, in which what clients' links carry is counted between each of these times and the next.
    pub fn serving(mut self, marks: &[Time]) -> Self {
        self.measures.serve(self.trial.clients, marks);
        self
    }
}
