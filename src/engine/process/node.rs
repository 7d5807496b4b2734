//! A replica in a process of its own, behind the engines' port.
//!
//! What an answer asks for is done through the host, effect by effect, so that a crash can come between any two. Knows: the
//! port and the protocol. Must not: know how a process is ended.

use std::any::Any;
use std::collections::BTreeMap;
use std::hash::Hasher;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::data::{DataType, Intent, Record, View};
use crate::domain::traffic::{Kind, Traffic};
use crate::engine::host::{Host, Later, NodeId, OpId, Round, Time};
use crate::engine::port::{Engine, EngineError, INCARNATIONS, InMemory, Position, Reception, Relation, Settings};
use crate::engine::process::ProcessEngine;
use crate::engine::process::child::{ANSWER, Child, FIRST_ANSWER};
use crate::engine::process::folder::{Folder, MOST_BYTES};
use crate::engine::process::frame;
use crate::engine::process::protocol::{Answer, Bytes, Edit, Effect, Input, Send, Start, Storage, Taken};
use crate::engine::store::disk::{Disk, Files};
use crate::engine::store::{Store, StoreError};
use crate::engine::vector::Actor;
use crate::engine::wire::Frame;

/// How the error begins that says that a process was busy for too long.
pub(super) const TOO_LONG_BUSY: &str = "it was busy for longer than";

/// How long a busy process is polled for.
const BUSY_FOR: Duration = Duration::from_secs(30);

/// The most wakes within [`IDLE_WITHIN`] in which an engine may do nothing. An engine that polls would keep a world from its
/// end.
const MOST_IDLE: u32 = 10_000;

/// The virtual time in which idle wakes are counted, in microseconds.
const IDLE_WITHIN: Time = 10 * MINUTE;
const MINUTE: Time = 60_000_000;

/// The pause between two polls.
const POLL_EVERY: Duration = Duration::from_millis(1);

/// A replica in a process.
#[derive(Debug)]
pub struct ProcessNode {
    engine: &'static ProcessEngine,
    settings: Settings,
    /// The process and its folder; the process is behind a lock since it is asked what it shows.
    talk: Mutex<Talk>,
    folder: Folder,
    /// Who is connected, and what each is.
    connected: BTreeMap<NodeId, Relation>,
    /// Edits that were shown as accepted.
    accepted: u64,
    /// Whether an edit waits to be accepted.
    is_due: bool,
    /// Since when idle wakes are counted, and how many there were.
    idle: (Time, u32),
    /// Its number among the starts.
    fresh: u32,
    /// Effects so far.
    done: u64,
    wake_at: Option<Time>,
    backlog: u64,
    /// What it shows is the same as long as this is, if it says so.
    revision: Option<u64>,
}

#[derive(Debug)]
struct Talk {
    /// Nothing once its power failed.
    child: Option<Child>,
    clock: (Time, i64),
    /// What it shows, until something happens to it.
    views: Option<Vec<View>>,
    /// How it failed when it was asked what it shows.
    failed: Option<EngineError>,
}

impl ProcessNode {
    /// Starts a process as a replica, from what is stored.
    pub fn open(
        engine: &'static ProcessEngine,
        settings: &Settings,
        host: &mut Host<Disk>,
    ) -> Result<Self, EngineError> {
        let kept = host.store.load()?;
        let files = host.store.files().cloned().unwrap_or_default();
        let folder = Folder::with(&files).map_err(|error| unavailable(&error))?;
        let is_new = kept.image.is_none() && kept.entries.is_empty() && files.is_empty();
        let document = engine.document(settings.fields)?;
        let mut child = engine.child(&folder)?;
        let fresh = host.unlike_before(INCARNATIONS) as u32;
        let start = Start {
            node: settings.node,
            serves: settings.serves,
            decides: settings.is_root,
            registers: settings.fields.into(),
            fresh,
            seed: format!("{:08x}{:08x}", host.random(1 << 32), host.random(1 << 32)),
            folder: folder.store().display().to_string(),
            document,
            image: kept.image.map(Bytes),
            entries: kept.entries.into_iter().map(Bytes).collect(),
            retry_after: settings.retry_after,
            retry_at_most: settings.retry_at_most,
        };
        let clock = (host.now, host.wall);
        let answer = child.ask(clock, Input::Start(Box::new(start)), FIRST_ANSWER)?;
        if let Some(why) = answer.damaged {
            let why = printable(&why);
            if is_new {
                return Err(EngineError::Failed(format!("it refuses an empty store as damaged: {why}")));
            }
            return Err(StoreError::Damaged(why).into());
        }
        let talk = Mutex::new(Talk { child: Some(child), clock, views: None, failed: None });
        let mut node = ProcessNode {
            engine,
            settings: settings.clone(),
            talk,
            folder,
            connected: BTreeMap::new(),
            accepted: 0,
            is_due: false,
            idle: (0, 0),
            fresh,
            done: 0,
            wake_at: None,
            backlog: 0,
            revision: None,
        };
        node.follow(host, answer)?;
        Ok(node)
    }

    fn talk(&mut self) -> &mut Talk {
        self.talk.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the process what happens, and does what it asks for until it is no longer busy.
    fn tell(&mut self, host: &mut Host<Disk>, input: Input<'_>) -> Result<Option<Taken>, EngineError> {
        let talk = self.talk();
        if let Some(failed) = talk.failed.take() {
            return Err(failed);
        }
        talk.clock = (host.now, host.wall);
        let clock = talk.clock;
        let Some(child) = &mut talk.child else { return Ok(None) };
        let answer = child.ask(clock, input, ANSWER)?;
        self.follow(host, answer)
    }

    /// Does what an answer asks for; a busy process is polled. A store that refuses a write leaves the node as if nothing had
    /// happened: the process starts again from its store.
    fn follow(&mut self, host: &mut Host<Disk>, mut answer: Answer) -> Result<Option<Taken>, EngineError> {
        let began = Instant::now();
        let mut taken = None;
        loop {
            if let Some(why) = answer.failed {
                return Err(EngineError::Failed(format!("it says: {}", printable(&why))));
            }
            taken = taken.or(answer.message);
            (self.wake_at, self.backlog) = (answer.wake_at, answer.backlog);
            self.revise(answer.revision);
            self.done += answer.effects.len() as u64;
            let done = answer.effects.into_iter().try_for_each(|effect| self.effect(host, effect));
            if let Err(error) = done {
                if error.is_refusal() {
                    self.start_again(host)?;
                }
                return Err(error);
            }
            if !answer.busy {
                return Ok(taken);
            }
            if began.elapsed() > BUSY_FOR {
                let most = BUSY_FOR.as_secs();
                return Err(EngineError::Failed(format!("{TOO_LONG_BUSY} {most} s")));
            }
            std::thread::sleep(POLL_EVERY);
            let talk = self.talk();
            let clock = talk.clock;
            let Some(child) = &mut talk.child else { return Ok(taken) };
            answer = child.ask(clock, Input::Poll {}, ANSWER)?;
        }
    }

    /// After its store refused a write: what the process has in memory is what its store has.
    fn start_again(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        let connected = std::mem::take(&mut self.connected);
        *self = ProcessNode::open(self.engine, &self.settings.clone(), host)?;
        connected.into_iter().try_for_each(|(peer, relation)| self.connected(host, peer, relation))
    }

    fn effect(&mut self, host: &mut Host<Disk>, effect: Effect) -> Result<(), EngineError> {
        match effect {
            Effect::Append(Bytes(entry)) if host.store.bytes() + entry.len() as u64 > MOST_BYTES => {
                let most = MOST_BYTES >> 20;
                let why =
                    format!("the store has more than {most} MiB; put an image in the place of entries ('replace')");
                Err(EngineError::Failed(why))
            }
            Effect::Append(Bytes(entry)) => Ok(host.append(&entry)?),
            Effect::Sync(_) => Ok(host.sync()?),
            Effect::Replace(Bytes(image)) => Ok(host.replace(&image)?),
            Effect::Accept(_) => {
                // An edit that is accepted later would be taken for the next one.
                if !std::mem::take(&mut self.is_due) {
                    let why = "it accepted an edit outside its answer to 'edit', or twice";
                    return Err(EngineError::Failed(why.to_owned()));
                }
                self.accepted += 1;
                let actor = Actor { client: self.settings.client, incarnation: self.fresh };
                host.show(OpId { actor, sequence: self.accepted });
                Ok(())
            }
            Effect::Refuse(_) => {
                if !std::mem::take(&mut self.is_due) {
                    let why = "it refused an edit outside its answer to 'edit', or one that it had accepted";
                    return Err(EngineError::Failed(why.to_owned()));
                }
                host.later = Some(Later::Refused);
                Ok(())
            }
            Effect::Send(send) => self.send(host, send),
        }
    }

    /// Something happened: what was shown before is shown still if the revision is the same.
    fn revise(&mut self, revision: Option<u64>) {
        if revision.is_none() || self.revision != revision {
            self.revision = revision;
            self.talk().views = None;
        }
    }

    /// Whether it stores by effects, in the host's store.
    fn stores_here(&self) -> bool {
        self.engine.capabilities.store != Storage::Files
    }

    fn send(&self, host: &mut Host<Disk>, send: Send) -> Result<(), EngineError> {
        if !self.connected.contains_key(&send.to) {
            let why = format!("it sent a message to node {}, with which it has no connection", send.to);
            return Err(EngineError::Failed(why));
        }
        let bytes = frame::write(&send);
        let mut traffic = Traffic::default();
        let (body, ids) = (send.body.0.len() as u64, send.ids.min(send.body.0.len() as u64));
        traffic.count(Kind::Framing, bytes.len() as u64 - body);
        traffic.count(Kind::Ids, ids);
        traffic.count(Kind::Payload, body - ids);
        let traffic = if send.again { traffic.again() } else { traffic };
        let round = Round { begins: send.begins, ends: send.ends };
        host.tell(send.to, Frame { bytes, has_edits: send.edits }, traffic, round);
        Ok(())
    }

    /// What the process shows, asked now, whatever its revision says.
    ///
    /// # Errors
    /// If it does not say, or shows what the registers of its world cannot hold.
    pub(super) fn shows_now(&self) -> Result<Vec<View>, EngineError> {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        self.ask_views(&mut talk)
    }

    /// What it said last of its revision.
    pub(super) fn revision(&self) -> Option<u64> {
        self.revision
    }

    /// What the process shows, asked now.
    fn ask_views(&self, talk: &mut Talk) -> Result<Vec<View>, EngineError> {
        let clock = talk.clock;
        let Some(child) = &mut talk.child else { return Ok(self.settings.fields.starts()) };
        let answer = child.ask(clock, Input::Views {}, ANSWER)?;
        if let Some(why) = answer.failed {
            return Err(EngineError::Failed(format!("it says: {}", printable(&why))));
        }
        if !answer.effects.is_empty() || answer.busy {
            return Err(EngineError::Failed("its answer to 'views' has effects, or says that it is busy".to_owned()));
        }
        let views: Vec<View> = answer.views.unwrap_or_default().into_iter().map(View::from).collect();
        let fields = self.settings.fields;
        let fits = |(register, view): (u32, &View)| match view {
            View::Counter(_) => fields.of(register) == DataType::Counter,
            View::Stock(_) => fields.of(register) == DataType::Stock,
            View::Tags(tags) => {
                fields.of(register) == DataType::Tags && tags.iter().all(|&element| element < fields.elements)
            }
            View::Label(_) => fields.of(register) == DataType::Label,
            View::Text(_) => fields.of(register) == DataType::Text,
            View::Claim(claimed) => fields.of(register) == DataType::Claim && claimed.is_canonical(),
            View::Case(case) => {
                let is_there = |&item: &u32| item < fields.case_items;
                fields.of(register) == DataType::Case
                    && case.is_canonical()
                    && case.done.iter().chain(&case.refused).all(is_there)
            }
            View::Record(record) => {
                let fits = |record: &Record| {
                    record.labels.len() == fields.record_labels as usize
                        && record.tags.iter().all(|&element| element < fields.record_elements)
                };
                fields.of(register) == DataType::Record && record.as_deref().is_none_or(fits)
            }
        };
        if views.len() != fields.len() as usize || !(0..).zip(&views).all(fits) {
            let misfit = (0..fields.len()).zip(&views).find(|&of| !fits(of));
            if let Some((register, view)) = misfit.filter(|_| views.len() == fields.len() as usize) {
                let of = fields.of(register).plural();
                return Err(EngineError::Failed(format!(
                    "its answer to 'views' shows register {register}, one of the {of}, as {view}"
                )));
            }
            let of_type = |data| format!("{} {}", fields.count(data), DataType::plural(data));
            return Err(EngineError::Failed(format!(
                "its answer to 'views' has {} registers; the world has {}",
                views.len(),
                fields.types().map(of_type).collect::<Vec<_>>().join(" and then ")
            )));
        }
        Ok(views)
    }
}

impl Engine for ProcessNode {
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, intent: Intent) -> Result<(), EngineError> {
        if let Intent::Increase(amount) = intent
            && !self.engine.keeps(amount)
        {
            let range = self.engine.range();
            return Err(EngineError::Failed(format!("it keeps numbers {range} exactly, and its user adds {amount}")));
        }
        // What the process could not write it is not told of: then nothing must be undone.
        if self.stores_here() {
            host.has_room()?;
        }
        self.is_due = true;
        let told = self.tell(host, Input::Edit(Edit::of(register, intent))).map(drop);
        self.is_due = false;
        told
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, relation: Relation) -> Result<(), EngineError> {
        self.connected.insert(peer, relation);
        self.tell(host, Input::Connected { peer, relation: relation.into() }).map(drop)
    }

    fn disconnected(&mut self, peer: NodeId) {
        if self.connected.remove(&peer).is_none() {
            return;
        }
        let talk = self.talk();
        let clock = talk.clock;
        let Some(child) = talk.child.as_mut().filter(|_| talk.failed.is_none()) else { return };
        match child.ask(clock, Input::Disconnected { peer }, ANSWER) {
            Err(error) => talk.failed = Some(error),
            Ok(answer) if answer.effects.is_empty() && answer.failed.is_none() && !answer.busy => {
                (self.wake_at, self.backlog) = (answer.wake_at, answer.backlog);
                self.revise(answer.revision);
            }
            Ok(answer) => {
                let why = answer.failed.unwrap_or_else(|| "its answer to 'disconnected' has effects".to_owned());
                talk.failed = Some(EngineError::Failed(printable(&why)));
            }
        }
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, bytes: &[u8]) -> Result<Reception, EngineError> {
        let Ok(read) = frame::read(bytes) else { return Ok(Reception::Damaged) };
        if self.stores_here() {
            host.has_room()?;
        }
        let (body, request, answer) = (Bytes(read.body.to_vec()), read.request, read.answer);
        let taken = self.tell(host, Input::Message { from, body: &body, request, answer })?;
        match taken {
            Some(Taken::Taken) => Ok(Reception::Taken),
            Some(Taken::Damaged) => Ok(Reception::Damaged),
            Some(Taken::Stale) => Ok(Reception::Stale),
            None => Err(EngineError::Failed("its answer to 'message' does not say what became of it".to_owned())),
        }
    }

    fn refused(&mut self, host: &mut Host<Disk>, peer: NodeId) -> Result<(), EngineError> {
        self.tell(host, Input::Refused { peer }).map(drop)
    }

    fn signed_in(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        match self.engine.capabilities.signs_in {
            true => self.tell(host, Input::SignedIn {}).map(drop),
            false => Ok(()),
        }
    }

    fn wakes_at(&self) -> Option<Time> {
        self.wake_at
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        // A world wakes a node for its user's edits, too.
        if self.wake_at.is_none_or(|at| at > host.now) {
            return Ok(());
        }
        let at = self.wake_at.take();
        let (done, revision) = (self.done, self.revision);
        self.tell(host, Input::Wake {})?;
        if self.wake_at.is_some_and(|next| Some(next) == at && next <= host.now) {
            return Err(EngineError::Failed("it wants to be woken again at the same time, for ever".to_owned()));
        }
        if self.done != done || self.revision != revision || host.now > self.idle.0 + IDLE_WITHIN {
            self.idle = (host.now, 0);
        }
        self.idle.1 += 1;
        if self.idle.1 > MOST_IDLE {
            let (wakes, minutes) = (MOST_IDLE, IDLE_WITHIN / MINUTE);
            let why = format!("it was woken {wakes} times within {minutes} minutes of virtual time and did nothing");
            return Err(EngineError::Failed(why));
        }
        Ok(())
    }

    fn shows(&self) -> Vec<View> {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(views) = &talk.views {
            return views.clone();
        }
        let views = match self.ask_views(&mut talk) {
            Ok(views) => views,
            Err(error) => {
                talk.failed.get_or_insert(error);
                self.settings.fields.starts()
            }
        };
        talk.views.insert(views).clone()
    }

    fn position(&self) -> Option<Position> {
        Some((self.revision?, 0, None))
    }

    fn backlog(&self) -> Option<u64> {
        Some(self.backlog)
    }

    fn files(&mut self) -> Result<Option<Files>, EngineError> {
        if let Some(failed) = self.talk().failed.take() {
            return Err(failed);
        }
        if self.stores_here() {
            return Ok(None);
        }
        // A process that goes on meanwhile would give a copy that its folder never was.
        let talk = self.talk();
        talk.child.iter().for_each(|child| child.pause());
        let files = self.folder.files();
        self.talk().child.iter().for_each(|child| child.resume());
        files.map(Some).map_err(|error| EngineError::Failed(format!("its folder cannot be read: {error}")))
    }

    fn halt(&mut self) {
        self.talk().child = None;
    }
}

/// A process is no value: nobody can copy it, or compare it with another.
impl InMemory for ProcessNode {
    fn copy(&self) -> Option<Box<dyn Engine>> {
        None
    }

    fn is_same(&self, _other: &dyn Engine) -> bool {
        false
    }

    fn hash_into(&self, hasher: &mut dyn Hasher) {
        hasher.write_u32(self.fresh);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn unavailable(error: &io::Error) -> EngineError {
    EngineError::Unavailable(format!("cannot make a folder for a process: {error}"))
}

/// What a process says, without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(400).collect()
}
