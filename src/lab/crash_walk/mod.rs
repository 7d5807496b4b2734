//! A small world in which anything may happen at any time: clients and a hub as they are, and every order of edits,
//! connections, deliveries, retries and losses, and a crash between any two steps of a node, with everything that its disk
//! may have kept.
//!
//! The world has one register, of any data type; what users do to it is in `users.rs`. What a node does depends on itself and on
//! the message that it receives alone: each such transition is worked out once, and a moment is the numbers of the nodes and
//! messages that it is made of. Knows: the port of engines. Must not: judge.

mod interned;
mod local_state;
#[cfg(test)]
mod tests;
mod users;
mod written;

use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::domain::count::counted;
use crate::domain::every_delivery::Bounds;
use crate::domain::history::{CutOff, History, NodeEnd};
use crate::domain::over_time::{Failed, OverTime, Running};
use crate::engine::Registration;
use crate::engine::host::NodeId;
use crate::engine::port::{Node, Relation};
use crate::engine::store::disk::Loss;
use crate::explore::every_step::System;
use interned::Interned;
use local_state::{Action, Done, Ended, Envelope, LocalState, settings};
use users::OfUser;
pub use written::Impossible;

/// All states that were met, by number: what threads that walk through one world share.
#[derive(Debug, Default)]
pub struct States {
    local_states: Interned<Arc<LocalState>>,
    envelopes: Interned<Arc<Envelope>>,
    /// Local states of all nodes, and messages that are on their way together.
    global_states: Interned<Numbers>,
    underway: Interned<Numbers>,
}

/// Numbers of values: few in nearly every state.
type Numbers = SmallVec<[u32; 6]>;

/// The world as one thread walks through it, and all that this thread has worked out so far.
#[derive(Debug)]
pub struct SmallWorld<'a> {
    bounds: Bounds,
    engine: &'static Registration,
    mutant: Option<&'static str>,
    states: &'a States,
    transitions: FxHashMap<(u32, Action), Rc<Transition>>,
    crashes: FxHashMap<(u32, Action), Rc<[Crashed]>>,
    counts: Counts,
    visited: u64,
    unknown: Option<Unknown>,
}

/// Why nothing is known of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It cannot be run here.
    Unavailable(String),
    /// It does not do the same where the same happens to it again.
    Unrepeatable(String),
}

/// What happened on the way, of the states that this thread was the first to visit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Crashes.
    pub crashes: u64,
    /// Messages that arrived.
    pub deliveries: u64,
    /// Actions of nodes that were worked out, each once: what an engine that is walked by re-execution takes its time for.
    pub actions: u64,
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

/// A moment while it changes.
#[derive(Clone)]
struct Scene {
    nodes: Numbers,
    /// In the order of their numbers.
    underway: Numbers,
    left: Left,
}

impl Scene {
    /// Takes a message from the network.
    fn take(&mut self, number: u32) {
        if let Ok(place) = self.underway.binary_search(&number) {
            self.underway.remove(place);
        }
    }

    /// A node has become another, and has sent messages.
    fn turn(&mut self, node: NodeId, transition: &Transition) {
        self.nodes[node as usize] = transition.local_state;
        for &number in &transition.sent {
            let place = self.underway.partition_point(|&other| other < number);
            self.underway.insert(place, number);
        }
    }
}

/// What may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Left {
    retries: u8,
    crashes: u8,
    losses: u8,
    repeats: u8,
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
    /// The message of this number arrives at a node, and will arrive again.
    Repeat(NodeId, u32),
}

impl<'a> SmallWorld<'a> {
    /// The world of a trial, with a mutant planted or none.
    pub fn new(
        bounds: impl Into<Bounds>,
        engine: &'static Registration,
        mutant: Option<&'static str>,
        states: &'a States,
    ) -> Self {
        SmallWorld {
            bounds: bounds.into(),
            engine,
            mutant,
            states,
            transitions: FxHashMap::default(),
            crashes: FxHashMap::default(),
            counts: Counts::default(),
            visited: 0,
            unknown: None,
        }
    }

    /// Why nothing is known of the engine, if that came to light.
    pub fn unknown(&self) -> Option<&Unknown> {
        self.unknown.as_ref()
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How often it was asked what can happen in a state.
    pub fn visited(&self) -> u64 {
        self.visited
    }

    fn hub(&self) -> NodeId {
        self.bounds.clients
    }

    /// Everyone is switched on, nobody is connected, and nothing was edited.
    pub fn start(&mut self) -> Moment {
        let nodes: Numbers =
            (0..=self.hub()).map(|node| self.states.local_states.number(LocalState::new(node, self.mutant))).collect();
        let bound = |most: u32| u8::try_from(most).unwrap_or(ENDLESS - 1);
        let Bounds { retries, crashes, losses, repeats, .. } = self.bounds;
        let left =
            Left { retries: bound(retries), crashes: bound(crashes), losses: bound(losses), repeats: bound(repeats) };
        let moment = Moment {
            nodes: self.states.global_states.number::<Numbers>(nodes),
            underway: self.states.underway.number(Numbers::new()),
            left,
        };
        (0..=self.hub()).fold(moment, |moment, node| self.act(moment, node, Act::Restart))
    }

    /// What happens, in words.
    pub fn told(&self, step: &Step) -> String {
        let envelope = |number: u32| {
            let (from, to, bytes) = &**self.states.envelopes.value(number);
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
            Step::Repeat(node, number) => {
                format!("node {node}: it receives {}, which arrives once more later", envelope(number))
            }
        }
    }

    /// Acts that nodes can do.
    fn acts(&self, moment: Moment) -> Vec<(NodeId, Act)> {
        let mut acts = Vec::new();
        let nodes = self.states.global_states.value(moment.nodes);
        let hub_is_up = self.states.local_states.value(nodes[self.hub() as usize]).node.is_some();
        for (node, &number) in nodes.iter().enumerate() {
            let (node, local_state) = (node as NodeId, self.states.local_states.value(number));
            let Some(held) = &local_state.node else {
                if !local_state.refused {
                    acts.push((node, Act::Restart));
                }
                continue;
            };
            let is_client = node < self.hub();
            if is_client && local_state.edits < self.bounds.edits {
                acts.push((node, Act::Edit));
            }
            if is_client && hub_is_up && !local_state.connected && local_state.edits >= self.bounds.edits_before {
                acts.push((node, Act::Connect));
            }
            if held.0.wakes_at().is_some() && moment.left.retries > 0 {
                acts.push((node, Act::Retry));
            }
        }
        acts.extend(self.different(moment).map(|number| (self.states.envelopes.value(number).1, Act::Receive(number))));
        acts
    }

    /// Messages on their way. Of those that are the same it does not matter which arrives, or is lost.
    fn different(&self, moment: Moment) -> impl Iterator<Item = u32> + use<> {
        let mut different = self.states.underway.value(moment.underway).clone();
        different.dedup();
        different.into_iter()
    }

    /// An act as the node sees it.
    fn action(&self, moment: Moment, node: NodeId, act: Act) -> Action {
        match act {
            Act::Edit => {
                let local_state =
                    self.states.local_states.value(self.states.global_states.value(moment.nodes)[node as usize]);
                Action::Edit(users::intent(&self.bounds, node, local_state.edits))
            }
            Act::Connect => Action::Connect(self.hub(), Relation::Parent),
            Act::Receive(number) => Action::Receive(number),
            Act::Retry => Action::Retry,
            Act::Restart => Action::Restart,
        }
    }

    fn work_out(&self, node: NodeId, local_state: u32, action: Action, crash_after: Option<u32>) -> Done {
        let envelope = match action {
            Action::Receive(number) => Some(&**self.states.envelopes.value(number)),
            _ => None,
        };
        let settings = settings(&self.bounds, node, self.mutant);
        self.states.local_states.value(local_state).after(self.engine, &settings, action, envelope, crash_after)
    }

    fn named(&mut self, local_state: LocalState, sent: Vec<Envelope>, steps: u32) -> Transition {
        match local_state.ended.as_deref() {
            Some(Ended::Unavailable(why)) => self.unknown = Some(Unknown::Unavailable(why.clone())),
            Some(Ended::Unrepeatable(why)) => self.unknown = Some(Unknown::Unrepeatable(why.clone())),
            Some(Ended::Failed(_)) | None => {}
        }
        let sent = sent.into_iter().map(|envelope| self.states.envelopes.number(envelope)).collect();
        Transition { local_state: self.states.local_states.number(local_state), sent, steps }
    }

    /// What a node in this state comes to by an action.
    fn transition(&mut self, node: NodeId, local_state: u32, action: Action) -> Rc<Transition> {
        if let Some(transition) = self.transitions.get(&(local_state, action)) {
            return Rc::clone(transition);
        }
        let Done { state: after, sent, steps } = self.work_out(node, local_state, action, None);
        self.counts.actions += 1;
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
                let sent = if self.bounds.late { sent.clone() } else { Vec::new() };
                all.push(Crashed { after, loss, transition: self.named(local_state, sent, after) });
            }
        }
        let crashed: Rc<[Crashed]> = all.into();
        self.crashes.insert((local_state, action), Rc::clone(&crashed));
        crashed
    }

    /// A moment as it is, to be changed.
    fn opened(&self, moment: Moment) -> Scene {
        let nodes = self.states.global_states.value(moment.nodes).clone();
        let underway = self.states.underway.value(moment.underway).clone();
        Scene { nodes, underway, left: moment.left }
    }

    /// The moment that a scene has become.
    fn closed(&self, Scene { nodes, underway, left }: Scene) -> Moment {
        let (nodes, underway) = (self.states.global_states.number(nodes), self.states.underway.number(underway));
        Moment { nodes, underway, left }
    }

    /// What changes before a node acts, for all others: a message is taken from the network, a retry used up, and the hub
    /// knows who connects.
    fn begin(&mut self, scene: &mut Scene, node: NodeId, act: Act) {
        match act {
            Act::Receive(number) => scene.take(number),
            Act::Retry if scene.left.retries != ENDLESS => scene.left.retries -= 1,
            Act::Connect => {
                let hub = self.hub();
                let transition =
                    self.transition(hub, scene.nodes[hub as usize], Action::Connect(node, Relation::Child));
                scene.turn(hub, &transition);
            }
            _ => {}
        }
    }

    /// A node does something that sends nothing.
    fn replace(&mut self, scene: &mut Scene, node: NodeId, action: Action) {
        let transition = self.transition(node, scene.nodes[node as usize], action);
        debug_assert!(transition.sent.is_empty(), "it has nothing to say");
        scene.nodes[node as usize] = transition.local_state;
    }

    /// Breaks all connections of a node.
    fn cut_off(&mut self, scene: &mut Scene, node: NodeId) {
        if !self.bounds.late {
            // A connection that breaks takes with it what is on its way.
            scene.underway.retain(|&mut number| {
                let envelope = self.states.envelopes.value(number);
                envelope.0 != node && envelope.1 != node
            });
        }
        let neighbours = if node == self.hub() { 0..self.hub() } else { self.hub()..self.hub() + 1 };
        neighbours.for_each(|peer| self.replace(scene, peer, Action::Disconnect(node)));
    }

    fn act(&mut self, moment: Moment, node: NodeId, act: Act) -> Moment {
        let action = self.action(moment, node, act);
        let mut scene = self.opened(moment);
        self.begin(&mut scene, node, act);
        let transition = self.transition(node, scene.nodes[node as usize], action);
        scene.turn(node, &transition);
        self.closed(scene)
    }

    /// What the world comes to when faults are over: everyone starts and is connected anew, and everything arrives.
    pub fn settled(&mut self, moment: &Moment) -> History {
        /// Deliveries after which it is not going to be quiescent.
        const RESTLESS: usize = 2000;
        if self.has_ended(moment) {
            return self.history(*moment, false);
        }
        let mut moment = Moment { left: Left { retries: ENDLESS, crashes: 0, losses: 0, repeats: 0 }, ..*moment };
        // Edits that its user did not get to are no part of the way.
        let edits_before = std::mem::take(&mut self.bounds.edits_before);
        let mut scene = self.opened(moment);
        for client in 0..self.hub() {
            self.replace(&mut scene, client, Action::Disconnect(self.hub()));
            self.replace(&mut scene, self.hub(), Action::Disconnect(client));
        }
        moment = self.closed(scene);
        let mut quiescent = false;
        for _ in 0..RESTLESS {
            // Everyone starts and connects, then messages, then retries: everything that is sent arrives.
            let rank = |act: &(NodeId, Act)| match act.1 {
                Act::Restart | Act::Connect => 0,
                Act::Receive(_) => 1,
                Act::Retry => 2,
                Act::Edit => 3,
            };
            // Of messages the first by its bytes: their numbers depend on which thread met them first.
            let content = |act: &(NodeId, Act)| match act.1 {
                Act::Receive(number) => Some(self.states.envelopes.value(number)),
                _ => None,
            };
            let order = |act: &(NodeId, Act)| (rank(act), content(act));
            match self.acts(moment).into_iter().filter(|(_, act)| *act != Act::Edit).min_by_key(order) {
                None => {
                    quiescent = true;
                    break;
                }
                Some((node, act)) => moment = self.act(moment, node, act),
            }
        }
        self.bounds.edits_before = edits_before;
        self.history(moment, quiescent)
    }

    /// Whether a node has ended by itself.
    fn has_ended(&self, moment: &Moment) -> bool {
        let nodes = self.states.global_states.value(moment.nodes);
        nodes.iter().any(|&number| self.states.local_states.value(number).ended.is_some())
    }

    fn name(&self, node: NodeId) -> String {
        if node == self.hub() { "hub".to_owned() } else { format!("client {node}") }
    }

    fn history(&self, moment: Moment, quiescent: bool) -> History {
        let nodes: Vec<&LocalState> = self
            .states
            .global_states
            .value(moment.nodes)
            .iter()
            .map(|&number| &**self.states.local_states.value(number))
            .collect();
        let numbered = || nodes.iter().zip(0..);
        let users: Vec<OfUser<'_>> = nodes.iter().map(|node| of_user(node)).collect();
        let held = || numbered().filter_map(|(local_state, node)| Some((node, local_state.node.as_ref()?)));
        let ends = held().map(|(number, Node(node))| NodeEnd { name: self.name(number), registers: node.shows() });
        let failed = numbered().find_map(|(local_state, node)| match local_state.ended.as_deref() {
            Some(Ended::Failed(why)) => Some(Failed { node: self.name(node), at: 0, why: why.clone() }),
            _ => None,
        });
        let has_ended = failed.is_some();
        let running = (self.engine.foreign || has_ended).then_some(Running { failed });
        History {
            ledger: users::ledger(&self.bounds, &users),
            carries: self.engine.carries,
            has_authority: true,
            cut_off: has_ended.then_some(CutOff::EngineFailed),
            over_time: OverTime {
                running,
                spending: users::spending(&self.bounds, &users, |node| self.name(node)),
                holders: users::holders(&self.bounds, &users, |node| self.name(node)),
                frozen: users::frozen(&self.bounds, &users, |node| self.name(node)),
                ..OverTime::default()
            },
            ends: ends.collect(),
            forgotten: nodes.iter().map(|local_state| u64::from(local_state.forgotten)).sum(),
            broken: nodes.iter().filter(|local_state| local_state.broken).count() as u64,
            restarts: Some(self.bounds.crashes.into()),
            quiescent,
            backlog: held().map(|(_, Node(node))| node.backlog().unwrap_or(0)).sum(),
            ..History::default()
        }
    }
}

/// What the user of a node did.
fn of_user(node: &LocalState) -> OfUser<'_> {
    let LocalState { edits, excused, declined, ref seen, holders, ref frozen, .. } = *node;
    OfUser { edits, excused, declined, seen, holders, frozen }
}

impl System for SmallWorld<'_> {
    type State = Moment;
    type Step = Step;

    fn steps(&mut self, moment: &Moment) -> Vec<(Step, Moment)> {
        let mut steps = Vec::new();
        self.visited += 1;
        if self.has_ended(moment) {
            return steps;
        }
        for (node, act) in self.acts(*moment) {
            let action = self.action(*moment, node, act);
            let mut begun = self.opened(*moment);
            self.begin(&mut begun, node, act);
            let local_state = begun.nodes[node as usize];
            let transition = self.transition(node, local_state, action);
            let mut acted = begun.clone();
            acted.turn(node, &transition);
            steps.push((Step::Act(node, act), self.closed(acted)));
            let is_down = act != Act::Restart && self.states.local_states.value(local_state).node.is_none();
            if moment.left.crashes == 0 || is_down {
                continue;
            }
            begun.left.crashes -= 1;
            for Crashed { after, loss, transition } in self.crashed(node, local_state, action).iter() {
                let mut crashed = begun.clone();
                crashed.turn(node, transition);
                self.cut_off(&mut crashed, node);
                steps.push((Step::Crash(node, act, *after, *loss), self.closed(crashed)));
            }
        }
        if moment.left.losses > 0 {
            for number in self.different(*moment) {
                let mut lossy = self.opened(*moment);
                lossy.left.losses -= 1;
                lossy.take(number);
                steps.push((Step::Lose(number), self.closed(lossy)));
            }
        }
        if moment.left.repeats > 0 {
            for number in self.different(*moment) {
                let node = self.states.envelopes.value(number).1;
                let mut repeated = self.opened(*moment);
                repeated.left.repeats -= 1;
                let transition = self.transition(node, repeated.nodes[node as usize], Action::Receive(number));
                repeated.turn(node, &transition);
                steps.push((Step::Repeat(node, number), self.closed(repeated)));
            }
        }
        steps
    }

    fn counts(&mut self, step: &Step) {
        match step {
            Step::Crash(..) => self.counts.crashes += 1,
            Step::Act(_, Act::Receive(_)) | Step::Repeat(..) => self.counts.deliveries += 1,
            _ => {}
        }
    }
}
