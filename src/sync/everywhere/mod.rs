//! A small world in which anything may happen at any time: clients and a hub as they are, and every order of edits,
//! connections, deliveries, retries and losses, and a crash between any two actions of a node, with everything that its disk
//! may have kept.
//!
//! Edit `i` of client `c` adds 4 to the power of `c` times the edits of each plus `i`, so that what a replica shows tells how
//! often each edit counts. What a node does depends on itself and on the message that it receives alone: each such turn is
//! worked out once, and a moment is the numbers of the nodes and messages that it is made of. Knows: the replica. Must
//! not: judge.

mod interned;
mod station;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::rc::Rc;

use crate::domain::flaw::Flaw;
use crate::domain::history::{Fate, History, Ledger, NodeEnd, UserEdit};
use crate::domain::offline::CrashEverywhereTrial;
use crate::explore::every_step::System;
use crate::sync::host::NodeId;
use crate::sync::replica::message::{Message, unframed};
use crate::sync::replica::session::Relation;
use crate::sync::store::disk::Loss;
use interned::Interned;
use station::{Deed, Done, Letter, Station, settings};

/// The world, and all that was worked out about it so far.
#[derive(Debug)]
pub struct SmallWorld {
    trial: CrashEverywhereTrial,
    flaw: Option<Flaw>,
    stations: Interned<Station>,
    letters: Interned<Letter>,
    /// Stations of all nodes, and messages that are on their way together.
    crews: Interned<Box<[u32]>>,
    underway: Interned<Box<[u32]>>,
    turns: HashMap<(u32, Deed), Rc<Turn>>,
    crashes: HashMap<(u32, Deed), Rc<[Crashed]>>,
}

/// What a node becomes by what it does, and the messages that it sends.
#[derive(Debug)]
struct Turn {
    station: u32,
    sent: Box<[u32]>,
    actions: u32,
}

/// The same where a crash came after so many actions.
#[derive(Debug)]
struct Crashed {
    after: u32,
    loss: Loss,
    turn: Turn,
}

/// All that the world holds: two moments are the same if and only if they are equal in every byte of every node and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    crew: u32,
    underway: u32,
    left: Left,
}

/// What may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Left {
    retries: u8,
    crashes: u8,
    losses: u8,
}

/// Retries without an end, once faults are over.
const ENDLESS: u8 = u8::MAX;

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Its user edits.
    Edit,
    /// It connects with the hub.
    Connect,
    /// The message of this number arrives.
    Receive(u32),
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
    /// The message of this number is lost.
    Lose(u32),
}

impl SmallWorld {
    /// The world of a trial, with a flaw planted or none.
    pub fn new(trial: &CrashEverywhereTrial, flaw: Option<Flaw>) -> Self {
        SmallWorld {
            trial: trial.clone(),
            flaw,
            stations: Interned::default(),
            letters: Interned::default(),
            crews: Interned::default(),
            underway: Interned::default(),
            turns: HashMap::new(),
            crashes: HashMap::new(),
        }
    }

    fn hub(&self) -> NodeId {
        self.trial.clients
    }

    /// Everyone is switched on, nobody is connected, and nothing was edited.
    pub fn start(&mut self) -> Moment {
        let nodes = (0..=self.hub()).map(|node| self.stations.number(Station::new(node, self.flaw))).collect();
        let bound = |most: u32| u8::try_from(most).unwrap_or(ENDLESS - 1);
        let CrashEverywhereTrial { retries, crashes, losses, .. } = self.trial;
        let left = Left { retries: bound(retries), crashes: bound(crashes), losses: bound(losses) };
        let moment = Moment { crew: self.crews.number(nodes), underway: self.underway.number(Box::default()), left };
        (0..=self.hub()).fold(moment, |moment, node| self.act(moment, node, Act::Restart))
    }

    /// What happens, in words.
    pub fn told(&self, step: &Step) -> String {
        let letter = |number: u32| {
            let letter = self.letters.value(number);
            let (from, to, bytes) = &*letter;
            let message = unframed(bytes).and_then(|(_, body)| Message::read(body, 1));
            let what = message.map_or("bytes".to_owned(), |message| format!("{message:?}"));
            format!("{what} from node {from} to node {to}")
        };
        let act = |act: Act| match act {
            Act::Edit => "its user edits".to_owned(),
            Act::Connect => "it connects".to_owned(),
            Act::Receive(number) => format!("it receives {}", letter(number)),
            Act::Retry => "it sends again what was not acknowledged".to_owned(),
            Act::Restart => "it starts".to_owned(),
        };
        match *step {
            Step::Act(node, done) => format!("node {node}: {}", act(done)),
            Step::Crash(node, done, after, loss) => format!(
                "node {node}: {}, and it crashes after {after} actions; of what was not durable its disk loses {loss:?}",
                act(done)
            ),
            Step::Lose(number) => format!("lost: {}", letter(number)),
        }
    }

    /// Acts that nodes can do.
    fn acts(&self, moment: Moment) -> Vec<(NodeId, Act)> {
        let mut acts = Vec::new();
        let crew = self.crews.value(moment.crew);
        let hub_is_up = self.stations.value(crew[self.hub() as usize]).replica.is_some();
        for (node, &number) in crew.iter().enumerate() {
            let (node, station) = (node as NodeId, self.stations.value(number));
            let Some(replica) = &station.replica else {
                if !station.refused {
                    acts.push((node, Act::Restart));
                }
                continue;
            };
            let is_client = node < self.hub();
            if is_client && station.edits < self.trial.edits {
                acts.push((node, Act::Edit));
            }
            if is_client && hub_is_up && !station.connected && station.edits >= self.trial.edits_before {
                acts.push((node, Act::Connect));
            }
            if replica.wakes_at().is_some() && moment.left.retries > 0 {
                acts.push((node, Act::Retry));
            }
        }
        acts.extend(self.different(moment).map(|number| (self.letters.value(number).1, Act::Receive(number))));
        acts
    }

    /// Messages on their way. Of those that are the same it does not matter which arrives, or is lost.
    fn different(&self, moment: Moment) -> impl Iterator<Item = u32> + use<> {
        let mut different = self.underway.value(moment.underway).to_vec();
        different.dedup();
        different.into_iter()
    }

    /// An act as the node sees it.
    fn deed(&self, moment: Moment, node: NodeId, act: Act) -> Deed {
        match act {
            Act::Edit => {
                let station = self.stations.value(self.crews.value(moment.crew)[node as usize]);
                Deed::Edit(amount(&self.trial, node, station.edits))
            }
            Act::Connect => Deed::Connect(self.hub(), Relation::Parent),
            Act::Receive(number) => Deed::Receive(number),
            Act::Retry => Deed::Retry,
            Act::Restart => Deed::Restart,
        }
    }

    fn work_out(&self, node: NodeId, station: u32, deed: Deed, crash_after: Option<u32>) -> Done {
        let letter = match deed {
            Deed::Receive(number) => Some(self.letters.value(number)),
            _ => None,
        };
        let settings = settings(&self.trial, node, self.flaw);
        self.stations.value(station).after(&settings, deed, letter.as_deref(), crash_after)
    }

    fn named(&mut self, station: Station, sent: Vec<Letter>, actions: u32) -> Turn {
        let sent = sent.into_iter().map(|letter| self.letters.number(letter)).collect();
        Turn { station: self.stations.number(station), sent, actions }
    }

    /// What a node in this state comes to by a deed.
    fn turn(&mut self, node: NodeId, station: u32, deed: Deed) -> Rc<Turn> {
        if let Some(turn) = self.turns.get(&(station, deed)) {
            return Rc::clone(turn);
        }
        let Done { station: after, sent, actions } = self.work_out(node, station, deed, None);
        let turn = Rc::new(self.named(after, sent, actions));
        self.turns.insert((station, deed), Rc::clone(&turn));
        turn
    }

    /// The same with a crash before the first, between any two and after the last of its actions.
    fn crashed(&mut self, node: NodeId, station: u32, deed: Deed) -> Rc<[Crashed]> {
        if let Some(crashed) = self.crashes.get(&(station, deed)) {
            return Rc::clone(crashed);
        }
        let actions = self.turn(node, station, deed).actions;
        let mut all = Vec::new();
        for after in 0..=actions {
            let Done { station, sent, .. } = self.work_out(node, station, deed, Some(after));
            for loss in station.disk.losses() {
                let mut station = station.clone();
                station.disk.crash(loss);
                let sent = if self.trial.late { sent.clone() } else { Vec::new() };
                all.push(Crashed { after, loss, turn: self.named(station, sent, after) });
            }
        }
        let crashed: Rc<[Crashed]> = all.into();
        self.crashes.insert((station, deed), Rc::clone(&crashed));
        crashed
    }

    /// What the moment is before a node does it, for all others: a message is taken from the network, a retry used up, and
    /// the hub knows who connects.
    fn begun(&mut self, mut moment: Moment, node: NodeId, act: Act) -> Moment {
        match act {
            Act::Receive(number) => moment = self.without(moment, number),
            Act::Retry if moment.left.retries != ENDLESS => moment.left.retries -= 1,
            Act::Connect => moment = self.replaced(moment, self.hub(), Deed::Connect(node, Relation::Child)),
            _ => {}
        }
        moment
    }

    fn without(&mut self, moment: Moment, number: u32) -> Moment {
        let mut underway = self.underway.value(moment.underway).to_vec();
        if let Ok(place) = underway.binary_search(&number) {
            underway.remove(place);
        }
        Moment { underway: self.underway.number(underway.into()), ..moment }
    }

    /// A node does something that sends nothing.
    fn replaced(&mut self, moment: Moment, node: NodeId, deed: Deed) -> Moment {
        let mut crew: Box<[u32]> = (*self.crews.value(moment.crew)).clone();
        let turn = self.turn(node, crew[node as usize], deed);
        debug_assert!(turn.sent.is_empty(), "it has nothing to say");
        crew[node as usize] = turn.station;
        Moment { crew: self.crews.number(crew), ..moment }
    }

    /// The moment after a node has become another and has sent messages.
    fn ended(&mut self, moment: Moment, node: NodeId, turn: &Turn) -> Moment {
        let mut crew: Box<[u32]> = (*self.crews.value(moment.crew)).clone();
        crew[node as usize] = turn.station;
        let mut underway = moment.underway;
        if !turn.sent.is_empty() {
            let mut all = self.underway.value(underway).to_vec();
            all.extend_from_slice(&turn.sent);
            all.sort_unstable();
            underway = self.underway.number(all.into());
        }
        Moment { crew: self.crews.number(crew), underway, ..moment }
    }

    /// Breaks all connections of a node.
    fn cut_off(&mut self, mut moment: Moment, node: NodeId) -> Moment {
        if !self.trial.late {
            // A connection that breaks takes with it what is on its way.
            let mut underway = self.underway.value(moment.underway).to_vec();
            underway.retain(|&number| {
                let letter = self.letters.value(number);
                letter.0 != node && letter.1 != node
            });
            moment.underway = self.underway.number(underway.into());
        }
        let neighbours = if node == self.hub() { 0..self.hub() } else { self.hub()..self.hub() + 1 };
        neighbours.fold(moment, |moment, peer| self.replaced(moment, peer, Deed::Disconnect(node)))
    }

    fn station(&self, moment: Moment, node: NodeId) -> u32 {
        self.crews.value(moment.crew)[node as usize]
    }

    fn act(&mut self, moment: Moment, node: NodeId, act: Act) -> Moment {
        let deed = self.deed(moment, node, act);
        let moment = self.begun(moment, node, act);
        let turn = self.turn(node, self.station(moment, node), deed);
        self.ended(moment, node, &turn)
    }

    /// What the world comes to when faults are over: everyone starts and is connected anew, and everything arrives.
    pub fn settled(&mut self, moment: &Moment) -> History {
        /// Deliveries after which it is not going to be quiet.
        const RESTLESS: usize = 2000;
        let mut moment = Moment { left: Left { retries: ENDLESS, crashes: 0, losses: 0 }, ..*moment };
        // Edits that its user did not get to are no part of the way.
        let edits_before = std::mem::take(&mut self.trial.edits_before);
        for client in 0..self.hub() {
            moment = self.replaced(moment, client, Deed::Disconnect(self.hub()));
            moment = self.replaced(moment, self.hub(), Deed::Disconnect(client));
        }
        let mut quiet = false;
        for _ in 0..RESTLESS {
            // Everyone starts and connects, then messages, then retries: everything that is sent arrives.
            let rank = |act: &(NodeId, Act)| match act.1 {
                Act::Restart | Act::Connect => 0,
                Act::Receive(_) => 1,
                Act::Retry => 2,
                Act::Edit => 3,
            };
            match self.acts(moment).into_iter().filter(|(_, act)| *act != Act::Edit).min_by_key(rank) {
                None => {
                    quiet = true;
                    break;
                }
                Some((node, act)) => moment = self.act(moment, node, act),
            }
        }
        self.trial.edits_before = edits_before;
        self.history(moment, quiet)
    }

    fn history(&self, moment: Moment, quiet: bool) -> History {
        let crew: Vec<Rc<Station>> =
            self.crews.value(moment.crew).iter().map(|&number| self.stations.value(number)).collect();
        let edit = |node: NodeId, station: &Station, number: u32| UserEdit {
            at: 0,
            register: 0,
            amount: amount(&self.trial, node, number),
            fate: if station.excused >> number & 1 == 1 { Fate::Unshared } else { Fate::Binding },
        };
        let numbered = || crew.iter().zip(0..);
        let by_device = numbered().map(|(station, node)| (0..station.edits).map(|i| edit(node, station, i)).collect());
        let held = || numbered().filter_map(|(station, node)| Some((node, station.replica.as_ref()?)));
        let ends = held().map(|(node, replica)| NodeEnd {
            name: if node == self.hub() { "hub".to_owned() } else { format!("client {node}") },
            registers: replica.sums().to_vec(),
        });
        History {
            ledger: Ledger { start: 0, registers: 1, by_device: by_device.collect() },
            ends: ends.collect(),
            forgotten: crew.iter().map(|station| u64::from(station.forgotten)).sum(),
            broken: crew.iter().filter(|station| station.broken).count() as u64,
            restarts: Some(self.trial.crashes.into()),
            quiet,
            backlog: held().map(|(_, replica)| replica.backlog().edits).sum(),
            ..History::default()
        }
    }
}

/// By how much an edit changes the register: what is shown tells how often each counts, up to three times.
fn amount(trial: &CrashEverywhereTrial, client: NodeId, edit: u32) -> i64 {
    1 << (2 * (client * trial.edits + edit))
}

impl System for SmallWorld {
    type State = Moment;
    type Step = Step;

    fn steps(&mut self, moment: &Moment) -> Vec<(Step, Moment)> {
        let mut steps = Vec::new();
        for (node, act) in self.acts(*moment) {
            let deed = self.deed(*moment, node, act);
            let begun = self.begun(*moment, node, act);
            let station = self.station(begun, node);
            let turn = self.turn(node, station, deed);
            steps.push((Step::Act(node, act), self.ended(begun, node, &turn)));
            let is_down = act != Act::Restart && self.stations.value(station).replica.is_none();
            if moment.left.crashes == 0 || is_down {
                continue;
            }
            let left = Left { crashes: moment.left.crashes - 1, ..begun.left };
            for Crashed { after, loss, turn } in self.crashed(node, station, deed).iter() {
                let next = self.ended(Moment { left, ..begun }, node, turn);
                steps.push((Step::Crash(node, act, *after, *loss), self.cut_off(next, node)));
            }
        }
        if moment.left.losses > 0 {
            let left = Left { losses: moment.left.losses - 1, ..moment.left };
            for number in self.different(*moment) {
                steps.push((Step::Lose(number), self.without(Moment { left, ..*moment }, number)));
            }
        }
        steps
    }
}
