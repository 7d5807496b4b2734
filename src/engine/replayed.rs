//! A node that is known by what happened to it: for walks that try many things from one moment, of engines that nobody can
//! copy.
//!
//! A node is opened again, and what happened to it happens again, before the next thing does. Two nodes to which the same
//! happened are the same. That an engine repeats itself is checked: what it did the first time it must do every time.
//!
//! Knows: the port. Must not: know an engine, or be crashed; what is on its disk is the host's.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustc_hash::FxHasher;

use crate::domain::data::{Intent, View};
use crate::engine::Registration;
use crate::engine::host::{Host, NodeId, Time};
use crate::engine::port::{Engine, EngineError, InMemory, Reception, Relation, Settings};
use crate::engine::store::disk::Disk;

/// Nodes that are kept running between two steps of a walk, of all walks together. The others are opened again.
const RUNNING: usize = 16;

/// What happens to a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Input {
    Edit(u32, Intent),
    Connected(NodeId, Relation),
    Disconnected(NodeId),
    Receive(NodeId, Vec<u8>),
    Refused(NodeId),
    SignedIn,
    Wake,
}

/// Something that happened, when, and what the node did.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Happened {
    at: Time,
    input: Input,
    did: u64,
}

/// A running node, where one is kept.
type Running = Mutex<Option<Box<dyn Engine>>>;

/// Those that run, the longest unused first.
static KEPT: Mutex<VecDeque<Weak<Running>>> = Mutex::new(VecDeque::new());

/// A node by re-execution.
pub struct Replayed {
    engine: &'static Registration,
    settings: Settings,
    /// Its surroundings before it was opened.
    start: Arc<Host<Disk>>,
    /// What it did when it was opened.
    opened: u64,
    happened: Vec<Happened>,
    now: Time,
    running: Arc<Running>,
    /// What it shows, its backlog, and when it wants to be woken.
    shows: Vec<View>,
    backlog: Option<u64>,
    wakes_at: Option<Time>,
    /// What went wrong where nobody could be told.
    failed: Option<EngineError>,
}

/// A node does it.
fn happens(engine: &mut dyn Engine, host: &mut Host<Disk>, input: &Input) -> Result<Reception, EngineError> {
    match input {
        Input::Edit(register, intent) => engine.edit(host, *register, *intent)?,
        Input::Connected(peer, relation) => engine.connected(host, *peer, *relation)?,
        Input::Disconnected(peer) => engine.disconnected(*peer),
        Input::Receive(from, bytes) => return engine.receive(host, *from, bytes),
        Input::Refused(peer) => engine.refused(host, *peer)?,
        Input::SignedIn => engine.signed_in(host)?,
        Input::Wake => engine.wake(host)?,
    }
    Ok(Reception::Taken)
}

/// What was done to the surroundings since this many messages were sent, edits shown and steps taken.
fn did(host: &Host<Disk>, (sent, shown, steps): (usize, usize, u32)) -> u64 {
    let mut hasher = FxHasher::default();
    for message in &host.sent[sent..] {
        (message.to, &message.frame.bytes).hash(&mut hasher);
    }
    host.shown[shown..].hash(&mut hasher);
    (host.steps - steps).hash(&mut hasher);
    hasher.finish()
}

fn so_far(host: &Host<Disk>) -> (usize, usize, u32) {
    (host.sent.len(), host.shown.len(), host.steps)
}

impl Replayed {
    /// Opens a node of an engine as its store has it.
    pub fn open(
        engine: &'static Registration,
        settings: &Settings,
        host: &mut Host<Disk>,
    ) -> Result<Self, EngineError> {
        let start = Arc::new(host.clone());
        let before = so_far(host);
        let node = engine.open.node(settings, host)?;
        let mut replayed = Replayed {
            engine,
            settings: settings.clone(),
            start,
            opened: did(host, before),
            happened: Vec::new(),
            now: host.now,
            running: Arc::default(),
            shows: Vec::new(),
            backlog: Some(0),
            wakes_at: None,
            failed: None,
        };
        replayed.look(node)?;
        Ok(replayed)
    }

    /// Keeps what a node says of itself, and the node, for the next thing that happens.
    fn look(&mut self, mut node: Box<dyn Engine>) -> Result<(), EngineError> {
        (self.shows, self.backlog, self.wakes_at) = (node.shows(), node.backlog(), node.wakes_at());
        // A process that fails when it is asked what it shows says so here.
        node.files()?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|running| running.strong_count() > 0);
        kept.push_back(Arc::downgrade(&self.running));
        let ended: Vec<_> = (RUNNING..kept.len()).filter_map(|_| kept.pop_front()?.upgrade()).collect();
        drop(kept);
        ended.iter().for_each(|running| drop(running.lock().unwrap_or_else(PoisonError::into_inner).take()));
        Ok(())
    }

    /// The node as it is: the one that runs, or one to which the same happens again.
    fn node(&self) -> Result<Box<dyn Engine>, EngineError> {
        if let Some(node) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(node);
        }
        let mut host = Host::clone(&self.start);
        let before = so_far(&host);
        let mut node = self.engine.open.node(&self.settings, &mut host)?;
        self.does_as_before(did(&host, before) == self.opened, 0)?;
        for (place, Happened { at, input, did: first }) in self.happened.iter().enumerate() {
            host.now = *at;
            let before = so_far(&host);
            happens(&mut *node, &mut host, input)?;
            self.does_as_before(did(&host, before) == *first, place + 1)?;
        }
        Ok(node)
    }

    fn does_as_before(&self, same: bool, place: usize) -> Result<(), EngineError> {
        let after = || {
            let what = place.checked_sub(1).map(|last| format!("{:?}", self.happened[last].input));
            what.unwrap_or_else(|| "its start".to_owned())
        };
        if same { Ok(()) } else { Err(EngineError::Unrepeatable(after())) }
    }

    fn happens(&mut self, host: &mut Host<Disk>, input: Input) -> Result<Reception, EngineError> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        // Time does not run back for one node.
        host.now = host.now.max(self.now);
        let mut node = self.node()?;
        let before = so_far(host);
        let reception = happens(&mut *node, host, &input)?;
        self.now = host.now;
        self.happened.push(Happened { at: host.now, input, did: did(host, before) });
        self.look(node)?;
        Ok(reception)
    }
}

impl Engine for Replayed {
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, intent: Intent) -> Result<(), EngineError> {
        self.happens(host, Input::Edit(register, intent)).map(drop)
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, relation: Relation) -> Result<(), EngineError> {
        self.happens(host, Input::Connected(peer, relation)).map(drop)
    }

    fn disconnected(&mut self, peer: NodeId) {
        // It does nothing to its surroundings: any will do.
        let mut host = Host::clone(&self.start);
        if let Err(error) = self.happens(&mut host, Input::Disconnected(peer)) {
            self.failed = Some(error);
        }
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, EngineError> {
        self.happens(host, Input::Receive(from, frame.to_vec()))
    }

    fn refused(&mut self, host: &mut Host<Disk>, peer: NodeId) -> Result<(), EngineError> {
        self.happens(host, Input::Refused(peer)).map(drop)
    }

    fn signed_in(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        self.happens(host, Input::SignedIn).map(drop)
    }

    fn wakes_at(&self) -> Option<Time> {
        self.wakes_at
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        self.happens(host, Input::Wake).map(drop)
    }

    fn shows(&self) -> Vec<View> {
        self.shows.clone()
    }

    fn backlog(&self) -> Option<u64> {
        self.backlog
    }
}

impl InMemory for Replayed {
    /// The copy takes the node that runs, if one does: a walk goes on from a copy at once.
    fn copy(&self) -> Option<Box<dyn Engine>> {
        let node = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        Some(Box::new(Replayed {
            engine: self.engine,
            settings: self.settings.clone(),
            start: Arc::clone(&self.start),
            opened: self.opened,
            happened: self.happened.clone(),
            now: self.now,
            running: Arc::new(Mutex::new(node)),
            shows: self.shows.clone(),
            backlog: self.backlog,
            wakes_at: self.wakes_at,
            failed: self.failed.clone(),
        }))
    }

    fn is_same(&self, other: &dyn Engine) -> bool {
        other.as_any().downcast_ref::<Replayed>().is_some_and(|other| {
            (self.engine.name, self.settings.node) == (other.engine.name, other.settings.node)
                && self.failed == other.failed
                && self.happened == other.happened
        })
    }

    fn hash_into(&self, mut hasher: &mut dyn Hasher) {
        (self.settings.node, &self.happened).hash(&mut hasher);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl fmt::Debug for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replayed").field("engine", &self.engine.name).field("happened", &self.happened).finish()
    }
}
