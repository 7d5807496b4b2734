//! A world in virtual time: nodes, links, users and faults, all from the seed. It drives engines through their port alone.
//!
//! Users' edits are made just before the next thing that happens to their device, with the time that they have: between
//! two messages a device is alone, so nothing can tell, and thousands of devices that are away cost nothing.
//!
//! Knows: nodes, links, clocks, the workload. Must not: know what a message means, or judge.

mod beginning;
mod calendar;
pub mod clock;
mod connections;
pub mod convergence;
mod copies;
#[cfg(test)]
mod counted;
pub mod crash_walk;
#[cfg(test)]
mod delivery;
mod ending;
pub mod events;
mod faults;
pub mod holdings;
mod link;
mod livelock_budget;
pub mod measure;
pub mod memory;
pub mod merges;
pub mod net;
mod outbox;
mod reach;
pub mod script;
pub mod staleness;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::data;
use crate::domain::data::{Carries, View};
use crate::domain::history::{Fate, History, Sighting, UserEdit};
use crate::domain::offline::{FaultKind, NodeFault, OfflineTrial};
use crate::domain::over_time::{Failed, Running};
use crate::domain::script::{Action, Progress, StepError};
use crate::domain::traffic::Traffic;
use crate::domain::watch::Watch;
use crate::engine::acknowledged::Acknowledged;
use crate::engine::host::{Host, Later, NodeId, OpId, Time};
use crate::engine::port::{Engine, EngineError, Reception, Relation, Report, Settings};
use crate::engine::store::Store;
use crate::engine::store::disk::Disk;
use crate::engine::wire::Frame;
use crate::engine::{OpenInWorld, Survives};
use crate::scenario::offline::SECOND;
use calendar::Calendar;
use clock::Clock;
use events::line::Miscounted;
use events::{Event, Observer, Replica};
use faults::Fault;
use faults::effects::{Effects, Held};
use faults::lasting::{Dropping, Waiting};
use faults::marks::Marks;
use holdings::Knowledge;
use link::Wire;
use livelock_budget::LivelockBudget;
use measure::Measures;
use merges::MergeTrace;
use reach::AtMost;
use script::Script;
use script::recorder::{Moment, Recorder};

/// Something that is going to happen.
#[derive(Debug)]
enum Planned {
    /// A message arrives.
    Arrival {
        link: usize,
        from: NodeId,
        to: NodeId,
        frame: Frame,
        line: (Time, u32),
        carries: Option<Knowledge>,
        marks: Marks,
        reaches: Option<AtMost>,
        /// How many edits the sender's user had made.
        made: usize,
    },
    /// A message comes back to its sender.
    Refusal { link: usize, sender: NodeId, receiver: NodeId, line: (Time, u32) },
    /// A node wants to be woken, or its user edits while it is connected.
    Wake(NodeId),
    /// A client comes or goes.
    Presence(NodeId, bool),
    /// A client comes at a time that a script left open.
    Coming(NodeId),
    /// A link goes down or comes up.
    Outage(usize, bool),
    /// Something happens to a node.
    Fault(Fault),
    /// A client's clock jumps, which it does by itself: for who writes the world down.
    Clock(NodeId, i64, i32),
    /// This step of the script is done.
    Step(usize),
    /// This step of the script has waited for long enough.
    Expired(usize),
    /// Faults are over: everyone is connected, and links are sound.
    Settle,
}

/// A connection between two nodes.
struct Connection {
    ends: [NodeId; 2],
    /// What the second is to the first, and the first to the second.
    relations: [Relation; 2],
    wire: Wire,
    /// Outages that it is in, and how many of them have blocked nothing yet.
    outages: u32,
    idle_outages: u32,
    open: bool,
    /// By direction, how many messages were sent, and the number of the newest that arrived.
    sent: [u32; 2],
    arrived: [u32; 2],
}

/// A device: a node with its surroundings.
struct Device {
    /// What runs on it; nothing while it has no power.
    node: Option<Box<dyn Engine>>,
    settings: Settings,
    host: Host<Disk>,
    /// Whether it is switched on, and, if not, when its power is back.
    up: bool,
    back: Time,
    /// Whether its user has it connected, and the faults that last which it is in, by number.
    here: bool,
    lasting: Vec<usize>,
    /// Since when its process is frozen, if it is; what waits for it; and how far its clocks are behind since.
    frozen_at: Time,
    waiting: Vec<Waiting>,
    lag: Time,
    /// When it was thawed last.
    thawed_at: Time,
    /// Whether it left for good.
    retired: bool,
    /// Whether it starts with its first random numbers; the number of the fault, and the bare values that it is to take.
    starts_over: bool,
    import: Option<(usize, Vec<View>)>,
    starts: u64,
    clock: Clock,
    /// What its user did, and then what it is going to do. The first so many are the ledger.
    edits: Vec<UserEdit>,
    made: usize,
    /// Whether its user waits to hear what became of the edit after those.
    awaits: bool,
    /// The ids of those that were shown as accepted, where it matters whether a restart remembers them.
    ids: Vec<OpId>,
    /// What it acknowledged to others, where that matters.
    acknowledged: Acknowledged,
    /// Edits of its user that were lost with its store at some time; they may have come back since.
    gone: BTreeSet<usize>,
    /// Edits of which everything was acknowledged at some time.
    safe: usize,
    woken_at: Option<Time>,
    /// By neighbour, ascending.
    connections: Vec<(NodeId, usize)>,
    /// How many edits are in it, the store, and whose it is.
    backup: Option<(usize, Disk, Settings)>,
    /// Whether it lost its store, and starts without anything.
    wiped: bool,
    /// Whether its store is damaged: then how many edits no other store had, and the number of the fault.
    damaged: Option<(usize, usize)>,
    /// What its store held when the world began, where a fault is going to change that.
    first: Option<Box<Held>>,
}

impl Device {
    /// What runs on it, to be asked; nothing while it has no power.
    fn replica(&self) -> Option<Replica<'_>> {
        self.node.as_deref().filter(|_| self.up).map(Replica::of)
    }
}

/// A node as it was at some time.
pub struct NodeSnapshot {
    /// Which.
    pub number: NodeId,
    /// What it says of itself, where it does.
    pub report: Option<Report>,
    /// Bytes in its store.
    pub stored: u64,
}

/// What a world came to.
pub struct Outcome {
    /// What the judges need.
    pub history: History,
    /// What was measured.
    pub measures: Measures,
    /// The nodes that were to be kept, when faults were over and nobody was connected again yet.
    pub when_faults_ended: Vec<NodeSnapshot>,
    /// The same nodes in the end.
    pub in_the_end: Vec<NodeSnapshot>,
    /// What came in at the node that was traced.
    pub trace: Option<MergeTrace>,
    /// Stores that were refused when their nodes started again: whose, why, and what was lost with them.
    pub refused_stores: Vec<String>,
    /// Steps of the script that could not be done, or waited in vain.
    pub unmet: Vec<StepError>,
    /// The world as it was written down; nothing if it was not.
    pub moments: Vec<Moment>,
}

/// Why a world came to no end.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A node could not use its store, or its engine cannot be run here.
    #[error("{node}: {error}")]
    Engine {
        /// Which.
        node: String,
        /// Why.
        error: EngineError,
    },
    /// Bytes were counted wrongly: a mistake of the harness, or of how an engine counts what it sends.
    #[error(transparent)]
    Miscounted(#[from] Miscounted),
    /// The user stopped it.
    #[error("stopped by the user")]
    Stopped,
}

/// A world.
pub struct World<'a> {
    trial: &'a OfflineTrial,
    open: OpenInWorld,
    /// Whether nodes have timers of their own, which go on for ever.
    own_timers: bool,
    devices: Vec<Device>,
    connections: Vec<Connection>,
    calendar: Calendar<Planned>,
    /// What happens step by step, if the world is written down.
    script: Option<Script>,
    /// Writes it down.
    recorder: Option<Box<Recorder>>,
    /// All faults of nodes, by number.
    faults: Vec<NodeFault>,
    /// When faults are over, once that is known.
    faults_over: Option<Time>,
    now: Time,
    settling: bool,
    last_arrival: Time,
    /// When something was to happen after the world's time, if anything was, and how many messages were on their way.
    next: Option<(Time, u64)>,
    measures: Measures,
    forgotten: u64,
    /// Nodes that did not have, after a restart, what they had acknowledged.
    broken: BTreeSet<NodeId>,
    trace: Option<MergeTrace>,
    refused_stores: Vec<String>,
    /// Nodes to be kept, and those that were when faults ended.
    keeps: Vec<NodeId>,
    kept: Vec<NodeSnapshot>,
    /// Whether any device loses its store: then it matters which edits are in no other.
    tracks_safety: bool,
    /// Which losses the engine declares that an edit survives.
    survives: Survives,
    /// Whether the engine's frames say whether they carry edits.
    tells_edits: bool,
    /// Whether the engine claims that ids and acknowledgements do not grow with history.
    constant: bool,
    /// The data types that the engine carries, and its policies.
    carries: Carries,
    /// Nodes whose stores were lost, or set back.
    lost_stores: BTreeSet<NodeId>,
    /// Whether any device may start again.
    restarts: bool,
    /// What became of faults.
    effects: Effects,
    /// What users had seen whose edits mean what is shown, by device and number of the edit.
    sightings: BTreeMap<(usize, u32), Sighting>,
    /// Messages that are picked out by name.
    drops: Vec<Dropping>,
    /// Edits that were refused, and their users told.
    refused_edits: u64,
    /// Whether others made the engine, and how it failed, if it did.
    running: Option<Running>,
}

/// Events between two reports of how far a world is.
const BETWEEN_REPORTS: u64 = 1024;

impl World<'_> {
    fn plan(&mut self, at: Time, event: Planned) {
        self.calendar.plan(at, event);
    }

    /// Those that are to be kept, as they are; one that has no power is not.
    fn kept(&mut self) -> Result<Vec<NodeSnapshot>, WorldError> {
        self.keeps.clone().into_iter().try_for_each(|node| self.collect_files(node))?;
        let kept = |&number: &NodeId| {
            let device = &self.devices[number as usize];
            let node = device.node.as_ref().filter(|_| device.up)?;
            let store = &device.host.store;
            Some(NodeSnapshot { number, report: node.report(store.clone()), stored: store.bytes() })
        };
        Ok(self.keeps.iter().filter_map(kept).collect())
    }

    /// Keeps what came in at the node that is traced.
    fn trace(&mut self, node: NodeId) {
        let merged = &mut self.devices[node as usize].host.merged;
        if let Some((trace, merged)) = self.trace.as_mut().zip(merged.as_mut()) {
            trace.came(merged.drain(..));
        }
    }

    /// Has the node tell what comes in, if it is the one that is traced; it has just started.
    fn trace_from_start(&mut self, node: NodeId) {
        let device = &mut self.devices[node as usize];
        if let Some(trace) = self.trace.as_mut().filter(|trace| trace.node == node)
            && let Some(held) = &device.node
        {
            trace.started(&held.shows());
            device.host.merged = Some(Vec::new());
        }
    }

    /// How much of its time is over, in thousandths. In what comes after it there are no more edits.
    fn share_of_time(&self) -> u64 {
        let (now, lasts) = (u128::from(self.now), u128::from(self.trial.lasts().max(1)));
        u64::try_from(now * 1000 / lasts).map_or(1000, |share| share.min(1000))
    }

    /// Lets everything happen until nothing is left to.
    pub fn run(mut self, watch: &mut dyn Watch) -> Result<Outcome, WorldError> {
        let foreseen: u64 = self.devices.iter().map(|device| device.edits.len() as u64).sum();
        let mut livelock_budget = LivelockBudget::of(self.trial, foreseen.max(self.trial.edits()));
        let visits = self.trial.steps.iter().filter(|step| matches!(step.action, Action::Connect { .. })).count();
        (0..visits).for_each(|_| livelock_budget.visit());
        let (mut quiescent, mut happened) = (!self.has_failed(), 0u64);
        while quiescent && let Some((at, event)) = self.calendar.next() {
            let (deliveries, bytes) = (self.measures.deliveries, both_ways(&self.measures.client_traffic()));
            match event {
                Planned::Presence(_, true) | Planned::Coming(_) => livelock_budget.visit(),
                Planned::Settle => livelock_budget.begin_anew(deliveries, bytes),
                _ => {}
            }
            let deadline = self.faults_over.map(|_| self.faults_over() + 4 * self.trial.settle_s * SECOND);
            // A wait that is over is nothing that happens.
            let is_over = self.settling && matches!(event, Planned::Expired(_));
            let is_late = deadline.is_some_and(|deadline| at > deadline) && !is_over;
            if is_late || livelock_budget.is_over(deliveries, bytes) {
                quiescent = is_late && self.waits_in_vain(at, &event);
                self.next = (is_late && !quiescent).then(|| (at, self.under_way(&event)));
                break;
            }
            // Before each event: one of a library, or of an engine that others made, may take long.
            if watch.stop_requested() {
                return Err(WorldError::Stopped);
            }
            if happened.is_multiple_of(BETWEEN_REPORTS) {
                watch.within(self.share_of_time());
            }
            happened += 1;
            self.now = at;
            match self.happen(event).and_then(|()| self.go_on()) {
                Err(WorldError::Engine { node, error: EngineError::Failed(why) }) => {
                    self.fails(node, why);
                    quiescent = false;
                }
                happened => happened?,
            }
        }
        if !self.has_failed() {
            for node in 0..self.devices.len() as NodeId {
                match self.collect_files(node) {
                    Err(WorldError::Engine { node, error: EngineError::Failed(why) }) => self.fails(node, why),
                    collected => collected?,
                }
            }
        }
        let outcome = self.ended(quiescent);
        outcome.measures.line.agrees(&outcome.measures.bytes)?;
        Ok(outcome)
    }

    /// The engine failed by itself at this node: the world is at its end.
    fn fails(&mut self, node: String, why: String) {
        self.running = Some(Running { failed: Some(Failed { node, at: self.now, why }) });
    }

    fn has_failed(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.failed.is_some())
    }

    /// Has the node's store hold the files that its engine keeps by itself.
    fn collect_files(&mut self, number: NodeId) -> Result<(), WorldError> {
        let device = &mut self.devices[number as usize];
        let Some(node) = &mut device.node else { return Ok(()) };
        let files = node.files().map_err(|error| WorldError::Engine { node: self.trial.name(number), error })?;
        if let Some(files) = files {
            device.host.store.set_files(files);
        }
        Ok(())
    }

    /// Tells all observers what happens now.
    fn emit(&mut self, event: &Event<'_>) {
        self.measures.sees(self.now, event);
    }

    fn happen(&mut self, event: Planned) -> Result<(), WorldError> {
        self.write_down(&event);
        match event {
            Planned::Arrival { link, from, to, frame, line, carries, reaches, marks, made } => {
                self.scripted_end(from, to);
                // What arrives while there is no connection is gone, and so is what a connection's end cut off.
                let comes = self.connections[link].open && self.connections[link].wire.carried(line);
                if comes && self.is_refused(from, to, marks) {
                    self.send_back(link, from, to, line);
                } else if comes {
                    self.last_arrival = self.now;
                    self.scripted_progress(from, to, Progress::Received);
                    self.arrives_marked(link, from, marks);
                    self.emit(&Event::Arrived { from, to, bytes: frame.bytes.len(), has_edits: marks.has_edits });
                    self.tell(to, Waiting::Message { from, frame, carries, reaches, made })?;
                }
            }
            Planned::Refusal { link, sender, receiver, line } => {
                if self.connections[link].open && self.connections[link].wire.carried(line) {
                    self.tell(sender, Waiting::Refusal(receiver))?;
                }
            }
            Planned::Wake(node) => {
                if self.devices[node as usize].woken_at == Some(self.now) {
                    self.devices[node as usize].woken_at = None;
                    self.takes_effect(node, FaultKind::Freeze);
                    self.act(node, |node, host| node.wake(host))?;
                }
            }
            Planned::Presence(node, here) => {
                if !self.settling {
                    self.devices[node as usize].here = here;
                    self.emit(&Event::Presence { client: node, here });
                    self.refresh_all(node)?;
                }
            }
            Planned::Coming(node) => self.comes(node)?,
            Planned::Outage(link, out) => {
                self.outage(link, out)?;
            }
            Planned::Fault(fault) => self.strike(fault)?,
            Planned::Clock(..) => {}
            Planned::Step(number) => self.perform(number)?,
            Planned::Expired(step) => self.expire(step)?,
            Planned::Settle => {
                self.settling = true;
                self.faults_over = Some(self.now);
                self.last_arrival = self.now;
                for node in 0..self.devices.len() as NodeId {
                    self.devices[node as usize].here = true;
                    self.act(node, |_, _| Ok(()))?;
                }
                self.emit(&Event::FaultsOver);
                for (node, device) in (0..).zip(&self.devices) {
                    if let Some(replica) = device.replica() {
                        self.measures.sees(self.now, &Event::Acted { node, replica });
                    }
                }
                self.kept = self.kept()?;
                for connection in &mut self.connections {
                    (connection.outages, connection.idle_outages) = (0, 0);
                }
                (0..self.connections.len()).try_for_each(|link| self.refresh(link))?;
            }
        }
        Ok(())
    }

    /// A node takes a message.
    fn receive(
        &mut self,
        from: NodeId,
        to: NodeId,
        frame: &Frame,
        (carries, reaches, made): (Option<&Knowledge>, Option<&AtMost>, usize),
    ) -> Result<(), WorldError> {
        self.measures.reach.arrived(to, reaches);
        let mut reception = Reception::Stale;
        self.act(to, |node, host| {
            reception = node.receive(host, from, &frame.bytes)?;
            Ok(())
        })?;
        self.trace(to);
        if reception == Reception::Taken {
            self.scripted_progress(from, to, Progress::Taken);
        }
        let replica = self.devices[to as usize].replica();
        self.measures.sees(self.now, &Event::Received { from, to, made, reception, carries, replica });
        Ok(())
    }

    /// Has a node do something, after what its user did until now; then what it sent goes on its way. A node that is frozen
    /// does nothing. What its store refuses is as if it had not happened.
    fn act(
        &mut self,
        number: NodeId,
        act: impl FnOnce(&mut dyn Engine, &mut Host<Disk>) -> Result<(), EngineError>,
    ) -> Result<(), WorldError> {
        if self.suffers(number, FaultKind::Freeze) {
            let device = &self.devices[number as usize];
            if device.edits.get(device.made).is_some_and(|edit| edit.at <= self.now) {
                self.takes_effect(number, FaultKind::Freeze);
            }
            return Ok(());
        }
        let read_only = self.suffers(number, FaultKind::ReadOnly);
        let failed = |error| WorldError::Engine { node: self.trial.name(number), error };
        let survived = |done: Result<(), EngineError>| match done {
            Err(error) if error.is_refusal() => Ok(false),
            done => done.map(|()| true).map_err(failed),
        };
        let mut crashed = false;
        loop {
            let device = &mut self.devices[number as usize];
            let Some(node) = device.node.as_mut().filter(|_| device.up) else { return Ok(()) };
            let is_free = !crashed && !device.awaits;
            let Some(edit) = device.edits.get_mut(device.made).filter(|edit| edit.at <= self.now && is_free) else {
                break;
            };
            if read_only {
                self.takes_effect(number, FaultKind::ReadOnly);
                self.refuse_edit(number, None);
                continue;
            }
            let local = edit.at.saturating_sub(device.lag);
            // What its user wanted to do while it was frozen is done when it goes on.
            device.host.now = if device.lag > 0 { local.max(device.host.now) } else { local };
            device.host.wall = device.clock.shows(device.host.now);
            if edit.intent.of().means_what_is_shown() {
                let wall = device.host.wall;
                let (of, holdings) = ((edit.register, wall), &self.measures.staleness.holdings);
                let sighting = self.measures.reach.sighting(node.as_ref(), number, of, holdings);
                // A world that was drawn or written down did not know what would be shown.
                edit.intent = data::meant(&sighting.shown, edit.intent);
                self.sightings.insert((number as usize, device.made as u32), sighting);
            }
            let accepted = survived(node.edit(&mut device.host, edit.register, edit.intent))?;
            crashed = device.host.has_crashed();
            let later = device.host.later.take();
            if later == Some(Later::Refused) && !crashed && device.host.shown.is_empty() {
                if edit.intent.spends() == 0 {
                    return Err(failed(EngineError::Failed("it refused an edit that needs no rights".to_owned())));
                }
                let shown = node.shows().get(edit.register as usize).and_then(View::number).unwrap_or(0);
                self.refuse_edit(number, Some(shown));
                continue;
            }
            if later == Some(Later::Waits) && !crashed && device.host.shown.is_empty() {
                device.awaits = true;
                break;
            }
            if !accepted && !crashed && device.host.shown.is_empty() {
                self.refuse_edit(number, None);
                continue;
            }
            // What a crash came before was never shown as accepted: it may count, once, or not. Nothing else excuses a loss.
            if device.host.shown.is_empty() {
                if !crashed {
                    return Err(failed(EngineError::Failed("it neither accepted an edit nor refused it".to_owned())));
                }
                edit.fate = Fate::Unshared;
            }
            self.edit_is_made(number, false);
        }
        let device = &mut self.devices[number as usize];
        let Some(node) = device.node.as_mut() else { return Ok(()) };
        if !crashed {
            device.host.now = self.now - device.lag;
            device.host.wall = device.clock.shows(device.host.now);
            survived(act(node.as_mut(), &mut device.host))?;
            crashed = device.host.has_crashed();
        }
        self.hear(number, crashed);
        let device = &mut self.devices[number as usize];
        let Some(node) = device.node.as_mut() else { return Ok(()) };
        if !crashed && self.tracks_safety && node.backlog() == Some(0) {
            device.safe = device.made;
        }
        if std::mem::take(&mut device.host.refused_writes) > 0 {
            self.takes_effect(number, FaultKind::Full);
        }
        let lost = std::mem::take(&mut self.devices[number as usize].host.lost);
        self.effects.lost(lost);
        self.post(number);
        if crashed {
            return self.power_failed(number);
        }
        if let Some(replica) = self.devices[number as usize].replica() {
            self.measures.sees(self.now, &Event::Acted { node: number, replica });
        }
        self.ask_outbox(number);
        self.plan_wake(number)
    }

    /// The next edit of a user is in the ledger from now on: it was accepted, or may count all the same. Its user may have
    /// waited for that.
    fn edit_is_made(&mut self, number: NodeId, has_waited: bool) {
        let device = &self.devices[number as usize];
        let edit = &device.edits[device.made];
        let made_at = if has_waited { self.now } else { edit.at.max(device.thawed_at) };
        let accepted = device.host.shown.first().copied();
        let sighting = self.sightings.get(&(number as usize, device.made as u32));
        let shows = device.replica().filter(|_| device.host.may_crash() && accepted.is_some() && !has_waited);
        let edited = Event::Edited { client: number, number: device.made, edit, made_at, accepted, sighting, shows };
        self.measures.sees(self.now, &edited);
        if let Some(recorder) = &mut self.recorder {
            recorder.edited((number, self.trial.name(number)), edit, self.now);
        }
        let device = &mut self.devices[number as usize];
        device.made += 1;
        if self.restarts {
            device.ids.append(&mut device.host.shown);
        }
        device.host.shown.clear();
    }

    /// What became of the edit that a user waits for, as far as it is known by now. Where it `is_over` the user never learns it:
    /// the edit may count, or not.
    fn hear(&mut self, number: NodeId, is_over: bool) {
        let device = &mut self.devices[number as usize];
        let (said, accepted) = (device.host.later.take(), !device.host.shown.is_empty());
        if !device.awaits || !(accepted || said.is_some() || is_over) {
            return;
        }
        device.awaits = false;
        match said {
            Some(Later::Refused) if !accepted => return self.refuse_edit(number, None),
            _ if !accepted => device.edits[device.made].fate = Fate::Unshared,
            _ => {}
        }
        self.edit_is_made(number, true);
    }

    fn plan_wake(&mut self, number: NodeId) -> Result<(), WorldError> {
        let device = &mut self.devices[number as usize];
        let Some(node) = device.node.as_ref().filter(|_| device.up) else { return Ok(()) };
        let lag = device.lag;
        let edit = device.edits.get(device.made).filter(|_| !device.awaits).map(|edit| edit.at);
        let connected = || device.connections.iter().any(|&(_, link)| self.connections[link].open);
        let wakes_at = node.wakes_at().map(|at| at.saturating_add(lag));
        let wake = wakes_at.into_iter().chain(edit.filter(|_| connected())).min();
        let Some(at) = wake.map(|at| at.max(self.now)) else {
            device.woken_at = None;
            return Ok(());
        };
        if device.woken_at != Some(at) {
            device.woken_at = Some(at);
            self.plan(at, Planned::Wake(number));
        }
        Ok(())
    }
}

/// What every node of a world is told.
pub fn settings(trial: &OfflineTrial, mutant: Option<&'static str>) -> impl Fn(NodeId) -> Settings {
    let journal = trial.journal;
    let line = trial.link.latency_ms * 1000 + u64::from(journal.fragment) * 8_000_000 / trial.link.bits_per_s.max(1);
    let (fields, clients, hub, edges) = (trial.fields(), trial.clients, trial.hub, !trial.edges.is_empty());
    move |node| Settings {
        node,
        client: node,
        fields,
        serves: node >= clients || !hub,
        is_root: hub && node == clients,
        serves_relays: !hub || edges,
        // Twice the way there and back of the longest fragment, and the time that the other waits for more.
        retry_after: 2 * SECOND + 4 * line,
        retry_at_most: 300 * SECOND,
        retries: 1000,
        handshakes: 4,
        linger: SECOND,
        fragment: journal.fragment as usize,
        retain: journal.retain,
        compact_after: journal.compact_after,
        mutant,
    }
}

/// Bytes that all clients' links carried, both ways.
pub fn both_ways(traffic: &(Traffic, Traffic)) -> u64 {
    traffic.0.total() + traffic.1.total()
}
