//! A small world in which anything may happen at any time: clients and a hub as they are, and every order of edits,
//! connections, deliveries, retries and losses, and a crash between any two steps of a node, with everything that its disk
//! may have kept.
//!
//! Edit `i` of client `c` adds 4 to the power of `c` times the edits of each plus `i`, so that what a replica shows tells how
//! often each edit counts. What a node does depends on itself and on the message that it receives alone: each such transition is
//! worked out once, and a moment is the numbers of the nodes and messages that it is made of. Knows: the port of engines. Must
//! not: judge.

mod interned;
mod local_state;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::domain::count::counted;
use crate::domain::data::Intent;
use crate::domain::history::{Fate, History, Ledger, NodeEnd, UserEdit};
use crate::domain::offline::CrashEverywhereTrial;
use crate::engine::Registration;
use crate::engine::host::NodeId;
use crate::engine::port::{Node, Relation};
use crate::engine::store::disk::Loss;
use crate::explore::every_step::System;
use interned::Interned;
use local_state::{Action, Done, Envelope, LocalState, settings};

/// The world, and all that was worked out about it so far.
#[derive(Debug)]
pub struct SmallWorld {
    trial: CrashEverywhereTrial,
    engine: &'static Registration,
    mutant: Option<&'static str>,
    local_states: Interned<LocalState>,
    envelopes: Interned<Envelope>,
    /// LocalStates of all nodes, and messages that are on their way together.
    global_states: Interned<Box<[u32]>>,
    underway: Interned<Box<[u32]>>,
    transitions: FxHashMap<(u32, Action), Rc<Transition>>,
    crashes: FxHashMap<(u32, Action), Rc<[Crashed]>>,
}

/// What a node becomes by what it does, and the messages that it sends.
#[derive(Debug)]
struct Transition {
    local_state: u32,
    sent: Box<[u32]>,
    steps: u32,
}

/// The same where a crash came after so many steps.
#[derive(Debug)]
struct Crashed {
    after: u32,
    loss: Loss,
    transition: Transition,
}

/// All that the world holds: two moments are the same if and only if they are equal in every byte of every node and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    nodes: u32,
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
    /// A node acts, and crashes after so many steps on its surroundings; this is what its disk keeps of the rest.
    Crash(NodeId, Act, u32, Loss),
    /// The message of this number is lost.
    Lose(u32),
}

impl SmallWorld {
    /// The world of a trial, with a mutant planted or none.
    pub fn new(trial: &CrashEverywhereTrial, engine: &'static Registration, mutant: Option<&'static str>) -> Self {
        SmallWorld {
            trial: trial.clone(),
            engine,
            mutant,
            local_states: Interned::default(),
            envelopes: Interned::default(),
            global_states: Interned::default(),
            underway: Interned::default(),
            transitions: FxHashMap::default(),
            crashes: FxHashMap::default(),
        }
    }

    fn hub(&self) -> NodeId {
        self.trial.clients
    }

    /// Everyone is switched on, nobody is connected, and nothing was edited.
    pub fn start(&mut self) -> Moment {
        let nodes = (0..=self.hub()).map(|node| self.local_states.number(LocalState::new(node, self.mutant))).collect();
        let bound = |most: u32| u8::try_from(most).unwrap_or(ENDLESS - 1);
        let CrashEverywhereTrial { retries, crashes, losses, .. } = self.trial;
        let left = Left { retries: bound(retries), crashes: bound(crashes), losses: bound(losses) };
        let moment =
            Moment { nodes: self.global_states.number(nodes), underway: self.underway.number(Box::default()), left };
        (0..=self.hub()).fold(moment, |moment, node| self.act(moment, node, Act::Restart))
    }

    /// What happens, in words.
    pub fn told(&self, step: &Step) -> String {
        let envelope = |number: u32| {
            let envelope = self.envelopes.value(number);
            let (from, to, bytes) = &*envelope;
            let what = (self.engine.describe)(bytes).unwrap_or_else(|| counted(bytes.len(), "byte"));
            format!("{what} from node {from} to node {to}")
        };
        let act = |act: Act| match act {
            Act::Edit => "its user edits".to_owned(),
            Act::Connect => "it connects".to_owned(),
            Act::Receive(number) => format!("it receives {}", envelope(number)),
            Act::Retry => "it sends again what was not acknowledged".to_owned(),
            Act::Restart => "it starts".to_owned(),
        };
        match *step {
            Step::Act(node, done) => format!("node {node}: {}", act(done)),
            Step::Crash(node, done, after, loss) => format!(
                "node {node}: {}, and it crashes after {after} steps; of what was not durable its disk loses {loss:?}",
                act(done)
            ),
            Step::Lose(number) => format!("lost: {}", envelope(number)),
        }
    }

    /// Acts that nodes can do.
    fn acts(&self, moment: Moment) -> Vec<(NodeId, Act)> {
        let mut acts = Vec::new();
        let nodes = self.global_states.value(moment.nodes);
        let hub_is_up = self.local_states.value(nodes[self.hub() as usize]).node.is_some();
        for (node, &number) in nodes.iter().enumerate() {
            let (node, local_state) = (node as NodeId, self.local_states.value(number));
            let Some(held) = &local_state.node else {
                if !local_state.refused {
                    acts.push((node, Act::Restart));
                }
                continue;
            };
            let is_client = node < self.hub();
            if is_client && local_state.edits < self.trial.edits {
                acts.push((node, Act::Edit));
            }
            if is_client && hub_is_up && !local_state.connected && local_state.edits >= self.trial.edits_before {
                acts.push((node, Act::Connect));
            }
            if held.0.wakes_at().is_some() && moment.left.retries > 0 {
                acts.push((node, Act::Retry));
            }
        }
        acts.extend(self.different(moment).map(|number| (self.envelopes.value(number).1, Act::Receive(number))));
        acts
    }

    /// Messages on their way. Of those that are the same it does not matter which arrives, or is lost.
    fn different(&self, moment: Moment) -> impl Iterator<Item = u32> + use<> {
        let mut different = self.underway.value(moment.underway).to_vec();
        different.dedup();
        different.into_iter()
    }

    /// An act as the node sees it.
    fn action(&self, moment: Moment, node: NodeId, act: Act) -> Action {
        match act {
            Act::Edit => {
                let local_state = self.local_states.value(self.global_states.value(moment.nodes)[node as usize]);
                Action::Edit(amount(&self.trial, node, local_state.edits))
            }
            Act::Connect => Action::Connect(self.hub(), Relation::Parent),
            Act::Receive(number) => Action::Receive(number),
            Act::Retry => Action::Retry,
            Act::Restart => Action::Restart,
        }
    }

    fn work_out(&self, node: NodeId, local_state: u32, action: Action, crash_after: Option<u32>) -> Done {
        let envelope = match action {
            Action::Receive(number) => Some(self.envelopes.value(number)),
            _ => None,
        };
        let settings = settings(&self.trial, node, self.mutant);
        self.local_states.value(local_state).after(self.engine, &settings, action, envelope.as_deref(), crash_after)
    }

    fn named(&mut self, local_state: LocalState, sent: Vec<Envelope>, steps: u32) -> Transition {
        let sent = sent.into_iter().map(|envelope| self.envelopes.number(envelope)).collect();
        Transition { local_state: self.local_states.number(local_state), sent, steps }
    }

    /// What a node in this state comes to by a action.
    fn transition(&mut self, node: NodeId, local_state: u32, action: Action) -> Rc<Transition> {
        if let Some(transition) = self.transitions.get(&(local_state, action)) {
            return Rc::clone(transition);
        }
        let Done { state: after, sent, steps } = self.work_out(node, local_state, action, None);
        let transition = Rc::new(self.named(after, sent, steps));
        self.transitions.insert((local_state, action), Rc::clone(&transition));
        transition
    }

    /// The same with a crash before the first, between any two and after the last of its steps.
    fn crashed(&mut self, node: NodeId, local_state: u32, action: Action) -> Rc<[Crashed]> {
        if let Some(crashed) = self.crashes.get(&(local_state, action)) {
            return Rc::clone(crashed);
        }
        let steps = self.transition(node, local_state, action).steps;
        let mut all = Vec::new();
        for after in 0..=steps {
            let Done { state: local_state, sent, .. } = self.work_out(node, local_state, action, Some(after));
            for loss in local_state.disk.losses() {
                let mut local_state = local_state.clone();
                local_state.disk.crash(loss);
                let sent = if self.trial.late { sent.clone() } else { Vec::new() };
                all.push(Crashed { after, loss, transition: self.named(local_state, sent, after) });
            }
        }
        let crashed: Rc<[Crashed]> = all.into();
        self.crashes.insert((local_state, action), Rc::clone(&crashed));
        crashed
    }

    /// What the moment is before a node does it, for all others: a message is taken from the network, a retry used up, and
    /// the hub knows who connects.
    fn begun(&mut self, mut moment: Moment, node: NodeId, act: Act) -> Moment {
        match act {
            Act::Receive(number) => moment = self.without(moment, number),
            Act::Retry if moment.left.retries != ENDLESS => moment.left.retries -= 1,
            Act::Connect => moment = self.replaced(moment, self.hub(), Action::Connect(node, Relation::Child)),
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
    fn replaced(&mut self, moment: Moment, node: NodeId, action: Action) -> Moment {
        let mut nodes: Box<[u32]> = (*self.global_states.value(moment.nodes)).clone();
        let transition = self.transition(node, nodes[node as usize], action);
        debug_assert!(transition.sent.is_empty(), "it has nothing to say");
        nodes[node as usize] = transition.local_state;
        Moment { nodes: self.global_states.number(nodes), ..moment }
    }

    /// The moment after a node has become another and has sent messages.
    fn ended(&mut self, moment: Moment, node: NodeId, transition: &Transition) -> Moment {
        let mut nodes: Box<[u32]> = (*self.global_states.value(moment.nodes)).clone();
        nodes[node as usize] = transition.local_state;
        let mut underway = moment.underway;
        if !transition.sent.is_empty() {
            let mut all = self.underway.value(underway).to_vec();
            all.extend_from_slice(&transition.sent);
            all.sort_unstable();
            underway = self.underway.number(all.into());
        }
        Moment { nodes: self.global_states.number(nodes), underway, ..moment }
    }

    /// Breaks all connections of a node.
    fn cut_off(&mut self, mut moment: Moment, node: NodeId) -> Moment {
        if !self.trial.late {
            // A connection that breaks takes with it what is on its way.
            let mut underway = self.underway.value(moment.underway).to_vec();
            underway.retain(|&number| {
                let envelope = self.envelopes.value(number);
                envelope.0 != node && envelope.1 != node
            });
            moment.underway = self.underway.number(underway.into());
        }
        let neighbours = if node == self.hub() { 0..self.hub() } else { self.hub()..self.hub() + 1 };
        neighbours.fold(moment, |moment, peer| self.replaced(moment, peer, Action::Disconnect(node)))
    }

    fn local_state(&self, moment: Moment, node: NodeId) -> u32 {
        self.global_states.value(moment.nodes)[node as usize]
    }

    fn act(&mut self, moment: Moment, node: NodeId, act: Act) -> Moment {
        let action = self.action(moment, node, act);
        let moment = self.begun(moment, node, act);
        let transition = self.transition(node, self.local_state(moment, node), action);
        self.ended(moment, node, &transition)
    }

    /// What the world comes to when faults are over: everyone starts and is connected anew, and everything arrives.
    pub fn settled(&mut self, moment: &Moment) -> History {
        /// Deliveries after which it is not going to be quiescent.
        const RESTLESS: usize = 2000;
        let mut moment = Moment { left: Left { retries: ENDLESS, crashes: 0, losses: 0 }, ..*moment };
        // Edits that its user did not get to are no part of the way.
        let edits_before = std::mem::take(&mut self.trial.edits_before);
        for client in 0..self.hub() {
            moment = self.replaced(moment, client, Action::Disconnect(self.hub()));
            moment = self.replaced(moment, self.hub(), Action::Disconnect(client));
        }
        let mut quiescent = false;
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
                    quiescent = true;
                    break;
                }
                Some((node, act)) => moment = self.act(moment, node, act),
            }
        }
        self.trial.edits_before = edits_before;
        self.history(moment, quiescent)
    }

    fn history(&self, moment: Moment, quiescent: bool) -> History {
        let nodes: Vec<Rc<LocalState>> =
            self.global_states.value(moment.nodes).iter().map(|&number| self.local_states.value(number)).collect();
        let edit = |node: NodeId, local_state: &LocalState, number: u32| UserEdit {
            at: 0,
            register: 0,
            intent: Intent::Increase(amount(&self.trial, node, number)),
            fate: if local_state.excused >> number & 1 == 1 { Fate::Unshared } else { Fate::Binding },
        };
        let numbered = || nodes.iter().zip(0..);
        let by_device =
            numbered().map(|(local_state, node)| (0..local_state.edits).map(|i| edit(node, local_state, i)).collect());
        let held = || numbered().filter_map(|(local_state, node)| Some((node, local_state.node.as_ref()?)));
        let ends = held().map(|(number, Node(node))| NodeEnd {
            name: if number == self.hub() { "hub".to_owned() } else { format!("client {number}") },
            registers: node.shows(),
        });
        History {
            ledger: Ledger::of_counters(1, 0, by_device.collect()),
            ends: ends.collect(),
            forgotten: nodes.iter().map(|local_state| u64::from(local_state.forgotten)).sum(),
            broken: nodes.iter().filter(|local_state| local_state.broken).count() as u64,
            restarts: Some(self.trial.crashes.into()),
            quiescent,
            backlog: held().map(|(_, Node(node))| node.backlog()).sum(),
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
            let action = self.action(*moment, node, act);
            let begun = self.begun(*moment, node, act);
            let local_state = self.local_state(begun, node);
            let transition = self.transition(node, local_state, action);
            steps.push((Step::Act(node, act), self.ended(begun, node, &transition)));
            let is_down = act != Act::Restart && self.local_states.value(local_state).node.is_none();
            if moment.left.crashes == 0 || is_down {
                continue;
            }
            let left = Left { crashes: moment.left.crashes - 1, ..begun.left };
            for Crashed { after, loss, transition } in self.crashed(node, local_state, action).iter() {
                let next = self.ended(Moment { left, ..begun }, node, transition);
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
