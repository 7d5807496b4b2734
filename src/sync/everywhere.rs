//! A small world in which anything may happen at any time: clients and a hub as they are, and every order of edits,
//! deliveries, retries and losses, and a crash between any two actions of a node, with everything that its disk may have
//! kept.
//!
//! Edit `i` adds 4 to the power of `i`, so that what a replica shows tells how often each edit counts. Knows: the replica.
//! Must not: judge.

use std::hash::{Hash, Hasher};

use crate::domain::flaw::Flaw;
use crate::domain::history::{History, Ledger, NodeEnd, UserEdit};
use crate::domain::offline::CrashEverywhereTrial;
use crate::explore::every_step::System;
use crate::sync::host::{Entropy, Host, NodeId, OpId};
use crate::sync::replica::message::{Message, unframed};
use crate::sync::replica::session::Relation;
use crate::sync::replica::state::Run;
use crate::sync::replica::{Replica, Settings};
use crate::sync::store::disk::{Disk, Loss};
use crate::sync::store::{Owner, StoreError};
use crate::sync::vector::Overlap;

/// The world, before anything happened.
#[derive(Clone, Debug)]
pub struct SmallWorld {
    trial: CrashEverywhereTrial,
    flaw: Option<Flaw>,
}

/// A node: what is in its memory, and what is on its disk.
#[derive(Clone, Debug)]
struct Station {
    replica: Option<Replica>,
    disk: Disk,
    drawn: u64,
    edits: u32,
    /// Edits that its user saw accepted.
    shown: Vec<OpId>,
    /// Runs that it acknowledged.
    promised: Vec<Run>,
}

/// All that the world holds.
#[derive(Clone, Debug)]
pub struct Moment {
    stations: Vec<Station>,
    /// Messages on their way: sender, receiver, bytes; sorted, because the network keeps no order.
    underway: Vec<(NodeId, NodeId, Vec<u8>)>,
    retries: u32,
    crashes: u32,
    losses: u32,
    /// Edits that were made: amount, and whether the user never saw it accepted.
    ledger: Vec<(i64, bool)>,
    forgotten: u64,
    unkept: u64,
}

impl Hash for Moment {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for station in &self.stations {
            let Station { replica, disk, drawn, edits, shown, promised } = station;
            (replica, disk, drawn, edits, shown, promised).hash(hasher);
        }
        (&self.underway, self.retries, self.crashes, self.losses, &self.ledger).hash(hasher);
        (self.forgotten, self.unkept).hash(hasher);
    }
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Its user edits.
    Edit,
    /// The message at this place arrives.
    Receive(usize),
    /// It sends again what was not acknowledged.
    Retry,
    /// It starts again.
    Restart,
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A node acts.
    Act(NodeId, Act),
    /// A node acts, and crashes after so many actions on its surroundings; this is what its disk keeps of the rest.
    Crash(NodeId, Act, u32, Loss),
    /// The message at this place is lost.
    Lose(usize),
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::Act(node, act) => write!(f, "node {node}: {act:?}"),
            Step::Crash(node, act, after, loss) => {
                write!(
                    f,
                    "node {node}: {act:?}, and a crash after {after} actions; of what was not durable it loses {loss:?}"
                )
            }
            Step::Lose(place) => write!(f, "message {place} is lost"),
        }
    }
}

impl SmallWorld {
    /// The world of a trial, with a flaw planted or none.
    pub fn new(trial: &CrashEverywhereTrial, flaw: Option<Flaw>) -> Self {
        let edits_before = if flaw.is_some() { 0 } else { trial.edits_before };
        SmallWorld { trial: CrashEverywhereTrial { edits_before, ..trial.clone() }, flaw }
    }

    fn hub(&self) -> NodeId {
        self.trial.clients
    }

    fn settings(&self, node: NodeId) -> Settings {
        Settings {
            node,
            client: node,
            registers: 1,
            serves: node == self.hub(),
            serves_relays: false,
            // There is no time here: what may happen later may happen now.
            retry_after: 0,
            retry_at_most: 0,
            retries: u32::MAX,
            greetings: 1,
            linger: 0,
            piece: 4096,
            retain: 0,
            // Soon enough that compaction is among the steps.
            compact_after: 6,
            flaw: self.flaw,
        }
    }

    /// Everyone is switched on and connected, and nothing was edited.
    pub fn start(&self) -> Moment {
        let stations = (0..=self.hub()).map(|client| Station {
            replica: None,
            disk: Disk::new(Owner { scenario: 0, client }),
            drawn: 100 * u64::from(client),
            edits: 0,
            shown: Vec::new(),
            promised: Vec::new(),
        });
        let CrashEverywhereTrial { retries, crashes, losses, .. } = self.trial;
        let mut moment = Moment {
            stations: stations.collect(),
            underway: Vec::new(),
            retries,
            crashes,
            losses,
            ledger: Vec::new(),
            forgotten: 0,
            unkept: 0,
        };
        for node in (0..=self.hub()).rev() {
            self.act(&mut moment, node, Act::Restart, None);
        }
        moment
    }

    /// Acts that a node can do.
    fn acts(&self, moment: &Moment) -> Vec<(NodeId, Act)> {
        let mut acts = Vec::new();
        for (node, station) in moment.stations.iter().enumerate() {
            let node = node as NodeId;
            let Some(replica) = &station.replica else {
                acts.push((node, Act::Restart));
                continue;
            };
            if node < self.hub() && station.edits < self.trial.edits {
                acts.push((node, Act::Edit));
            }
            if replica.wakes_at().is_some() && moment.retries > 0 {
                acts.push((node, Act::Retry));
            }
        }
        let mut before = None;
        for (place, message) in moment.underway.iter().enumerate() {
            // Of messages that are the same it does not matter which arrives.
            if before.replace(message) != Some(message) {
                acts.push((message.1, Act::Receive(place)));
            }
        }
        acts
    }

    /// Does it, up to a crash after so many actions; gives how many there were, and how many bytes were not durable then.
    fn act(&self, moment: &mut Moment, node: NodeId, act: Act, crash: Option<(u32, Loss)>) -> (u32, u64) {
        let received = match act {
            Act::Receive(place) => Some(moment.underway.remove(place)),
            _ => None,
        };
        if act == Act::Retry {
            moment.retries -= 1;
        }
        let amount = 1i64 << (2 * moment.ledger.len());
        let station = &mut moment.stations[node as usize];
        let mut host = Host::new(station.disk.clone(), Entropy::Counted(station.drawn));
        if let Some((after, _)) = crash {
            host.crash_after(after);
        }
        let done = self.do_act(&mut station.replica, &mut host, node, act, received, amount);
        if act == Act::Edit {
            station.edits += 1;
            moment.ledger.push((amount, host.shown.is_empty()));
        }
        debug_assert!(done.is_ok(), "a simulated disk takes everything");
        station.shown.append(&mut host.shown);
        station.drawn = host.drawn();
        station.disk = host.store.clone();
        if act == Act::Restart && crash.is_none() {
            moment.forgotten += lost(station);
        }
        for sent in std::mem::take(&mut host.sent) {
            station.promised.extend(promises(&sent.frame.bytes));
            station.promised.sort_unstable();
            station.promised.dedup();
            moment.underway.push((node, sent.to, sent.frame.bytes));
        }
        let unsynced = station.disk.unsynced();
        if let Some((_, loss)) = crash {
            station.disk.crash(loss);
            station.replica = None;
        }
        moment.underway.sort_unstable();
        let neighbours = if node == self.hub() { 0..self.hub() } else { self.hub()..self.hub() + 1 };
        if crash.is_some() {
            // A connection that breaks takes with it what is on its way.
            moment.underway.retain(|&(from, to, _)| self.trial.late || from != node && to != node);
            for peer in neighbours {
                if let Some(replica) = &mut moment.stations[peer as usize].replica {
                    replica.disconnected(node);
                }
            }
        } else if act == Act::Restart
            || act == Act::Edit && moment.stations[node as usize].edits == self.trial.edits_before
        {
            neighbours.for_each(|peer| self.connect(moment, node, peer));
        }
        (host.steps, unsynced)
    }

    fn do_act(
        &self,
        slot: &mut Option<Replica>,
        host: &mut Host<Disk>,
        node: NodeId,
        act: Act,
        received: Option<(NodeId, NodeId, Vec<u8>)>,
        amount: i64,
    ) -> Result<(), StoreError> {
        match (act, slot, received) {
            (Act::Restart, slot, _) => *slot = Some(Replica::open(self.settings(node), host)?),
            (Act::Edit, Some(replica), _) => {
                replica.edit(host, 0, amount)?;
                replica.tell_news(host)?;
            }
            (Act::Receive(_), Some(replica), Some((from, _, bytes))) => {
                replica.receive(host, from, &bytes)?;
                if replica.has_news() {
                    replica.tell_news(host)?;
                }
            }
            (Act::Retry, Some(replica), _) => replica.retry_due(host)?,
            // A message to a node that is down is gone.
            _ => {}
        }
        Ok(())
    }

    /// Connects two nodes that are both up; the client greets.
    fn connect(&self, moment: &mut Moment, one: NodeId, other: NodeId) {
        if moment.stations[one as usize].replica.is_none() || moment.stations[other as usize].replica.is_none() {
            return;
        }
        let (client, hub) = (one.min(other), one.max(other));
        if moment.stations[client as usize].edits < self.trial.edits_before {
            return;
        }
        for (node, peer, relation) in [(hub, client, Relation::Child), (client, hub, Relation::Parent)] {
            let station = &mut moment.stations[node as usize];
            let mut host = Host::new(station.disk.clone(), Entropy::Counted(station.drawn));
            if let Some(replica) = &mut station.replica {
                let connected = replica.connected(&mut host, peer, relation);
                debug_assert!(connected.is_ok(), "a simulated disk takes everything");
            }
            station.drawn = host.drawn();
            station.disk = host.store;
            moment.underway.extend(host.sent.into_iter().map(|sent| (node, sent.to, sent.frame.bytes)));
        }
        moment.underway.sort_unstable();
    }

    /// What the world comes to when faults are over: everyone starts and is connected anew, and everything arrives.
    pub fn settled(&self, moment: &Moment) -> History {
        let world =
            SmallWorld { trial: CrashEverywhereTrial { edits_before: 0, ..self.trial.clone() }, flaw: self.flaw };
        world.settle(moment.clone())
    }

    fn settle(&self, mut moment: Moment) -> History {
        /// Deliveries after which it is not going to be quiet.
        const RESTLESS: usize = 2000;
        moment.retries = u32::MAX;
        for node in
            (0..=self.hub()).filter(|&node| moment.stations[node as usize].replica.is_none()).collect::<Vec<_>>()
        {
            self.act(&mut moment, node, Act::Restart, None);
        }
        for client in 0..self.hub() {
            for (node, peer) in [(client, self.hub()), (self.hub(), client)] {
                if let Some(replica) = &mut moment.stations[node as usize].replica {
                    replica.disconnected(peer);
                }
            }
            self.connect(&mut moment, client, self.hub());
        }
        let mut quiet = false;
        for _ in 0..RESTLESS {
            let acts = self.acts(&moment);
            // Messages first, then retries: everything that is sent arrives.
            let rank = |act: &(NodeId, Act)| match act.1 {
                Act::Receive(_) => 0,
                Act::Restart | Act::Retry => 2,
                Act::Edit => 3,
            };
            match acts.into_iter().filter(|(_, act)| *act != Act::Edit).min_by_key(rank) {
                None => {
                    quiet = true;
                    break;
                }
                Some((node, act)) => {
                    self.act(&mut moment, node, act, None);
                }
            }
        }
        self.history(&moment, quiet)
    }

    fn history(&self, moment: &Moment, quiet: bool) -> History {
        let edit = |&(amount, excused): &(i64, bool)| UserEdit { at: 0, register: 0, amount, excused };
        let ledger = Ledger { start: 0, registers: 1, by_device: vec![moment.ledger.iter().map(edit).collect()] };
        let held =
            moment.stations.iter().enumerate().filter_map(|(node, station)| Some((node, station.replica.as_ref()?)));
        let ends = held.clone().map(|(node, replica)| NodeEnd {
            name: if node as NodeId == self.hub() { "hub".to_owned() } else { format!("client {node}") },
            registers: replica.sums().to_vec(),
        });
        History {
            ledger,
            ends: ends.collect(),
            forgotten: moment.forgotten,
            unkept: moment.unkept,
            quiet,
            backlog: held.map(|(_, replica)| replica.backlog().edits).sum(),
            ..History::default()
        }
    }
}

/// Edits that were shown, and runs that were acknowledged, that a restarted node does not have.
fn lost(station: &Station) -> u64 {
    let Some(replica) = &station.replica else { return 0 };
    let state = replica.state();
    let has = |&(actor, first, last): &Run| state.seen.overlap(actor, first, last) == Overlap::Seen;
    let shown = station.shown.iter().map(|id| (id.actor, id.sequence, id.sequence));
    (shown.filter(|run| !has(run)).count() + station.promised.iter().filter(|run| !has(run)).count()) as u64
}

/// The runs that a message acknowledges.
fn promises(frame: &[u8]) -> Vec<Run> {
    match unframed(frame).and_then(|(_, body)| Message::read(body, 1)) {
        Ok(Message::Taken(runs)) => runs,
        _ => Vec::new(),
    }
}

impl System for SmallWorld {
    type State = Moment;
    type Step = Step;

    fn steps(&self, moment: &Moment) -> Vec<Step> {
        let mut steps = Vec::new();
        for (node, act) in self.acts(moment) {
            steps.push(Step::Act(node, act));
            if moment.crashes == 0 {
                continue;
            }
            let mut dry = moment.clone();
            let (actions, _) = self.act(&mut dry, node, act, None);
            for after in 0..=actions {
                let (_, unsynced) = self.act(&mut moment.clone(), node, act, Some((after, Loss::Nothing)));
                steps.push(Step::Crash(node, act, after, Loss::All));
                if unsynced > 0 {
                    steps.push(Step::Crash(node, act, after, Loss::After(unsynced / 2)));
                    steps.push(Step::Crash(node, act, after, Loss::Nothing));
                }
            }
        }
        if moment.losses > 0 {
            steps.extend((0..moment.underway.len()).map(Step::Lose));
        }
        steps
    }

    fn take(&self, moment: &Moment, step: &Step) -> Moment {
        let mut after = moment.clone();
        match *step {
            Step::Act(node, act) => {
                self.act(&mut after, node, act, None);
            }
            Step::Crash(node, act, actions, loss) => {
                after.crashes -= 1;
                self.act(&mut after, node, act, Some((actions, loss)));
            }
            Step::Lose(place) => {
                after.losses -= 1;
                after.underway.remove(place);
            }
        }
        after
    }
}
