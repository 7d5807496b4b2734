//! A replica that is a Maelstrom node, behind the engines' port: its user is a client of the node, and its neighbours are other nodes.
//!
//! A node answers when it likes. It is looked at every few milliseconds: what it wrote is handed on, and a user waits until the
//! node answers. Knows: the port and the protocol. Must not: look into what nodes tell each other.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::domain::data::{Element, Intent, View};
use crate::domain::offline::MaelstromWorkload;
use crate::domain::traffic::{Kind, Traffic};
use crate::engine::host::{Host, Later, NodeId, OpId, Round, Time};
use crate::engine::maelstrom::message::{Body, Envelope, ErrorCode, body, is_definite, kind, line, told};
use crate::engine::maelstrom::service_link::{Fate, Passing, ServiceLink};
use crate::engine::maelstrom::{MaelstromEngine, SECOND, Shared, node_name, node_number, services};
use crate::engine::port::{Engine, EngineError, INCARNATIONS, InMemory, Position, Reception, Relation, Settings};
use crate::engine::process::child::{Child, shown};
use crate::engine::process::folder::Folder;
use crate::engine::process::frame;
use crate::engine::store::disk::{Disk, Files};
use crate::engine::vector::Actor;
use crate::engine::wire::Frame;

/// How long a node may take to answer `init`.
const BEGINS_WITHIN: Duration = Duration::from_secs(10);

/// The number of the first request. Some nodes take 0 for none.
const INIT: u64 = 1;

/// How often a node is looked at, in microseconds.
const EVERY: Time = 5_000;

/// The most lines that are taken from a node at one look, and the most bytes that it may write within a second.
const MOST_LINES: u32 = 1000;
const MOST_BYTES: usize = 8 << 20;

/// How often a node is asked what it shows.
const READ_EVERY: Time = 100_000;

/// How long a client waits for the answer to an edit, and to `read`: so long, and as long as `ROUND_TRIPS` over a link take at most.
const EDIT_WITHIN: Time = 5 * SECOND;
const READ_WITHIN: Time = SECOND;
const ROUND_TRIPS: Time = 4;

/// The most edits in a row that a node which never answered one may leave unanswered while all its links were up.
const MOST_IN_VAIN: u64 = 3;

/// Bytes of a line that are quoted.
const QUOTED: usize = 200;

/// A replica.
#[derive(Debug)]
pub struct MaelstromNode {
    engine: &'static MaelstromEngine,
    shared: Arc<Shared>,
    settings: Settings,
    name: String,
    client: String,
    /// Nothing once its power failed.
    child: Option<Child>,
    folder: Folder,
    connected: BTreeSet<NodeId>,
    service_link: ServiceLink,
    /// How long a client waits for the answer to an edit, and to `read`.
    within: [Time; 2],
    /// Whether it was told the topology, where its workload has one.
    knows_topology: bool,
    /// Requests of its client that were not answered yet.
    edit: Option<Asked>,
    read: Option<Asked>,
    next_id: u64,
    next_read: Time,
    /// The second of the world that it writes in, and how many bytes it has written there.
    written: (Time, usize),
    /// When the last `read` was asked that it answered, and what became of the last one that it did not.
    read_of: Option<Time>,
    refusal: Option<String>,
    /// Reads that it was asked.
    reads: u64,
    /// Whether a link was down since the edit was asked, and the edits in a row that it did not answer though none was.
    was_cut_off: bool,
    in_vain: u64,
    /// Edits that it was asked, that it answered, and that it accepted.
    edits: [u64; 3],
    /// By element, how often it was inserted here.
    inserts: BTreeMap<Element, u64>,
    views: Vec<View>,
    revision: u64,
    wakes_at: Option<Time>,
    fresh: u32,
}

/// A request.
#[derive(Clone, Copy, Debug)]
struct Asked {
    id: u64,
    at: Time,
}

/// Has a process answer `init`, as one of `nodes` nodes. Gives the lines that it wrote before its answer.
pub(super) fn begin(child: &mut Child, node: NodeId, nodes: u32) -> Result<Vec<Vec<u8>>, EngineError> {
    let names: Vec<String> = (0..nodes).map(node_name).collect();
    let name = node_name(node);
    let init = body("init", json!({ "msg_id": INIT, "node_id": name, "node_ids": names }));
    child.hand(&line("c0", &name, &init))?;
    let (deadline, mut early) = (Instant::now() + BEGINS_WITHIN, Vec::new());
    loop {
        while let Some(line) = child.next_line("init")? {
            let Some(answer) = answer_to(&line, INIT)? else {
                early.push(line);
                continue;
            };
            if kind(&answer) == "error" {
                return Err(EngineError::Unavailable(format!("it refuses 'init': {}", refusal(&answer))));
            }
            return Ok(early);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let most = BEGINS_WITHIN.as_secs();
            return Err(EngineError::Unavailable(format!("it did not answer 'init' within {most} s")));
        }
        child.wait_for_line(left)?;
    }
}

/// The body of a line that is an answer to the request of this number.
fn answer_to(line: &[u8], id: u64) -> Result<Option<Body>, EngineError> {
    let (envelope, body) = read(line)?;
    let is_it = envelope.dest.starts_with('c') && body.get("in_reply_to").and_then(Value::as_u64) == Some(id);
    Ok(is_it.then_some(body))
}

fn read(line: &[u8]) -> Result<(Envelope<'_>, Body), EngineError> {
    let garbage = |error: serde_json::Error| {
        let why = format!(
            "it wrote a line that is no message of Maelstrom: {error}; a message is an object with 'src', 'dest' and 'body'"
        );
        quoting(failed(why), line)
    };
    let envelope = Envelope::read(line).map_err(garbage)?;
    let body = envelope.body().map_err(garbage)?;
    Ok((envelope, body))
}

fn refusal(answer: &Body) -> String {
    let (code, text) = told(answer);
    format!("error {code}, {}", shown(&text))
}

fn failed(why: String) -> EngineError {
    EngineError::Failed(why)
}

/// A failure, with the beginning of the line that it is about.
fn quoting(error: EngineError, line: &[u8]) -> EngineError {
    let EngineError::Failed(why) = error else { return error };
    let cut = if line.len() > QUOTED { ", which goes on" } else { "" };
    failed(format!("{why}; its line was {}{cut}", shown(&String::from_utf8_lossy(&line[..line.len().min(QUOTED)]))))
}

/// A value of an answer, as it was written.
fn written(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| shown(&value.to_string()))
}

/// Microseconds, as seconds.
fn seconds(time: Time) -> String {
    format!("{} s", (time / 1000) as f64 / 1000.0)
}

impl MaelstromNode {
    /// Starts a process as a node.
    pub(super) fn open(
        engine: &'static MaelstromEngine,
        shared: &Arc<Shared>,
        settings: &Settings,
        host: &mut Host<Disk>,
    ) -> Result<Self, EngineError> {
        let files = host.store.files().cloned().unwrap_or_default();
        let folder = Folder::with(&files)
            .map_err(|error| EngineError::Unavailable(format!("cannot make a folder for a process: {error}")))?;
        let mut child = Child::start(&engine.words, &folder)?;
        let early = begin(&mut child, settings.node, shared.nodes)?;
        let fresh = host.unlike_before(INCARNATIONS) as u32;
        // A node that starts again has other luck.
        let chances =
            shared.seed.stream("maelstrom service link").member(u64::from(fresh) << 32 | u64::from(settings.node));
        let longer = ROUND_TRIPS * 2 * ServiceLink::slowest(&shared.link);
        let mut node = MaelstromNode {
            engine,
            shared: Arc::clone(shared),
            settings: settings.clone(),
            name: node_name(settings.node),
            client: format!("c{}", settings.node),
            child: Some(child),
            folder,
            connected: BTreeSet::new(),
            service_link: ServiceLink::new(shared.link, shared.faults_over, chances),
            within: [EDIT_WITHIN, READ_WITHIN].map(|within| within + longer),
            knows_topology: false,
            edit: None,
            read: None,
            next_id: INIT + 1,
            next_read: host.now,
            written: (0, 0),
            read_of: None,
            refusal: None,
            reads: 0,
            was_cut_off: false,
            in_vain: 0,
            edits: [0; 3],
            inserts: BTreeMap::new(),
            views: settings.fields.starts(),
            revision: 0,
            wakes_at: Some(host.now),
            fresh,
        };
        early.iter().try_for_each(|line| node.take(host, line))?;
        if engine.keeps_store {
            node.read_at_once(host)?;
        }
        Ok(node)
    }

    /// Asks what the node shows, and waits: what is in its store is what it has shown before.
    fn read_at_once(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        self.ask_to_read(host.now)?;
        let deadline = Instant::now() + Duration::from_micros(self.within[1]);
        while let Some(child) = &mut self.child {
            if let Some(line) = child.next_line("read")? {
                self.take(host, &line)?;
                // Virtual time stands still, and services are there.
                self.services_answer(host, Time::MAX)?;
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if self.read.is_none() || left.is_zero() {
                return Ok(());
            }
            child.wait_for_line(left)?;
        }
        Ok(())
    }

    fn ask_to_read(&mut self, now: Time) -> Result<(), EngineError> {
        self.read = Some(self.ask("read", json!({}), now)?);
        self.reads += 1;
        Ok(())
    }

    /// Hands the node a request of its client.
    fn ask(&mut self, of: &str, keys: Value, now: Time) -> Result<Asked, EngineError> {
        let asked = Asked { id: self.next_id, at: now };
        self.next_id += 1;
        let mut body = body(of, keys);
        body.insert("msg_id".to_owned(), asked.id.into());
        let line = line(&self.client, &self.name, &body);
        if let Some(child) = &mut self.child {
            child.hand(&line)?;
        }
        Ok(asked)
    }

    /// Looks at the node: hands on what it wrote, gives up what it did not answer in time, and asks what it shows.
    fn look(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        let now = self.shared.wait_until(host.now);
        if self.child.is_none() {
            return Ok(());
        }
        self.services_answer(host, now)?;
        let has_topology = self.shared.workload == MaelstromWorkload::Broadcast;
        if has_topology && !std::mem::replace(&mut self.knows_topology, true) {
            let nodes = 0..self.shared.nodes;
            let neighbours = |node| self.shared.neighbours(node).into_iter().map(node_name).collect::<Vec<_>>();
            let topology: BTreeMap<String, Vec<String>> =
                nodes.map(|node| (node_name(node), neighbours(node))).collect();
            self.ask("topology", json!({ "topology": topology }), now)?;
        }
        for _ in 0..MOST_LINES {
            let what = if self.edit.is_some() { self.shared.workload.edit() } else { "read" };
            let Some(child) = &mut self.child else { break };
            let Some(line) = child.next_line(what)? else { break };
            let second = now / SECOND;
            let before = if self.written.0 == second { self.written.1 } else { 0 };
            self.written = (second, before + line.len());
            if self.written.1 > MOST_BYTES {
                let why = format!("it wrote more than {} MiB within a second", MOST_BYTES >> 20);
                return Err(quoting(failed(why), &line));
            }
            if !line.iter().all(u8::is_ascii_whitespace) {
                self.take(host, &line)?;
            }
        }
        let is_late = |asked: &Option<Asked>, within| asked.is_some_and(|asked| now > asked.at + within);
        if is_late(&self.edit, self.within[0]) {
            self.edit = None;
            host.later = Some(Later::Unknown);
            self.in_vain = if self.was_cut_off { 0 } else { self.in_vain + 1 };
            if self.edits[1] == 0 && self.in_vain >= MOST_IN_VAIN {
                return Err(self.silent());
            }
        }
        if is_late(&self.read, self.within[1]) {
            self.read = None;
            self.refusal = Some(format!("no answer within {}", seconds(self.within[1])));
        }
        if self.read.is_none() && now >= self.next_read {
            self.next_read = now + READ_EVERY;
            self.ask_to_read(now)?;
        }
        Ok(())
    }

    /// It answered no edit. Where it answered no `read` either, it may speak another workload, and nothing is known of it.
    fn silent(&self) -> EngineError {
        let (workload, [edit_within, read_within]) = (self.shared.workload, self.within.map(seconds));
        let (of, edit, asked) = (workload.name(), workload.edit(), self.edits[0]);
        if self.read_of.is_some() {
            return failed(format!(
                "it answered no '{edit}' of {asked} that it was asked; its client waited {edit_within} for each, or until the end"
            ));
        }
        let why = self.refusal.as_ref().map_or(String::new(), |why| format!("; the last 'read': {why}"));
        EngineError::Unavailable(format!(
            "it answered no request of the workload {of}: none of {asked} '{edit}' ({edit_within} waited for each at \
             most) and none of {} 'read' ({read_within} at most){why}; does it speak another workload?",
            self.reads
        ))
    }

    /// Takes a line that the node wrote.
    fn take(&mut self, host: &mut Host<Disk>, line: &[u8]) -> Result<(), EngineError> {
        let (envelope, body) = read(line)?;
        if envelope.src != self.name {
            let why = format!("it is {}, and wrote a message from {}", self.name, shown(&envelope.src));
            return Err(quoting(failed(why), line));
        }
        if let Some(to) = node_number(&envelope.dest, self.shared.nodes) {
            return self.pass_on(host, to, line);
        }
        if services::is_service(&envelope.dest) {
            return self.send_to_service(host, Passing::Request(envelope.dest, body), line.len());
        }
        if envelope.dest == self.client {
            return self.answered(host, &body).map_err(|error| quoting(error, line));
        }
        // The client that asked 'init' needs nothing more.
        if envelope.dest == "c0" {
            return Ok(());
        }
        let why = format!(
            "it sent a message to {}, which is no node, no service and not its client; nodes are n0 to n{}, services lin-kv, \
             seq-kv and lww-kv, and its client is {}",
            shown(&envelope.dest),
            self.shared.nodes - 1,
            self.client
        );
        Err(quoting(failed(why), line))
    }

    /// Hands a message to the next node on its way. There is none while the link is down: the message is lost.
    fn pass_on(&mut self, host: &mut Host<Disk>, to: NodeId, line: &[u8]) -> Result<(), EngineError> {
        if to == self.settings.node {
            return self.child.as_mut().map_or(Ok(()), |child| child.hand(line));
        }
        let hop = self.shared.next_hop(self.settings.node, to);
        let Some(hop) = hop.filter(|hop| self.connected.contains(hop) && host.now < self.shared.last_message) else {
            return Ok(());
        };
        let bytes = frame::of_body(line);
        let mut traffic = Traffic::default();
        traffic.count(Kind::Framing, (bytes.len() - line.len()) as u64);
        traffic.count(Kind::Payload, line.len() as u64);
        host.tell(hop, Frame { bytes, has_edits: true }, traffic, Round::default());
        Ok(())
    }

    /// Puts a message of the node to a service, or the way back, on the link between them.
    fn send_to_service(&mut self, host: &mut Host<Disk>, message: Passing, bytes: usize) -> Result<(), EngineError> {
        match self.service_link.send(host.now, message, bytes) {
            Fate::Comes => {}
            Fate::Lost => host.lost += 1,
            Fate::TooMuch => {
                return Err(failed(
                    "more than 16 MiB are on their way between it and services; it is to ask less at once".to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// What has arrived by this time, does: services answer requests, and the node gets answers.
    fn services_answer(&mut self, host: &mut Host<Disk>, by: Time) -> Result<(), EngineError> {
        while let Some(message) = self.service_link.arrived(by) {
            match message {
                Passing::Answer(line) => self.child.as_mut().map_or(Ok(()), |child| child.hand(&line))?,
                Passing::Request(service, request) => {
                    let mut services = self.shared.services.lock().unwrap_or_else(PoisonError::into_inner);
                    let mut answer = services.ask(&service, &self.name, &request);
                    drop(services);
                    if let Some(id) = request.get("msg_id") {
                        answer.insert("in_reply_to".to_owned(), id.clone());
                    }
                    let line = line(&service, &self.name, &answer);
                    let bytes = line.len();
                    self.send_to_service(host, Passing::Answer(line), bytes)?;
                }
            }
        }
        Ok(())
    }

    /// The node answers its client. What comes too late is no answer any more.
    fn answered(&mut self, host: &mut Host<Disk>, answer: &Body) -> Result<(), EngineError> {
        let id = answer.get("in_reply_to").and_then(Value::as_u64);
        let is_of = |asked: Option<Asked>| asked.is_some_and(|asked| Some(asked.id) == id);
        let workload = self.shared.workload;
        if is_of(self.read) {
            let at = self.read.take().map(|asked| asked.at);
            if kind(answer) == "error" {
                self.refusal = Some(self.known("read", answer)?);
                return Ok(());
            }
            self.expects("read", answer)?;
            let views = vec![view(workload, self.settings.fields.elements, answer)?];
            self.read_of = at;
            if views != self.views {
                (self.views, self.revision) = (views, self.revision + 1);
            }
        } else if is_of(self.edit) {
            self.edit = None;
            self.edits[1] += 1;
            if kind(answer) == "error" {
                self.known(workload.edit(), answer)?;
                host.later = Some(if is_definite(told(answer).0) { Later::Refused } else { Later::Unknown });
                return Ok(());
            }
            self.expects(workload.edit(), answer)?;
            self.edits[2] += 1;
            let actor = Actor { client: self.settings.client, incarnation: self.fresh };
            host.show(OpId { actor, sequence: self.edits[2] });
        }
        Ok(())
    }

    /// The words of an error. One that says that the node does not know the request is none: it is asked another workload.
    fn known(&self, what: &str, answer: &Body) -> Result<String, EngineError> {
        if told(answer).0 != ErrorCode::NotSupported as u64 {
            return Ok(refusal(answer));
        }
        let (of, why) = (self.shared.workload.name(), refusal(answer));
        Err(EngineError::Unavailable(format!(
            "it does not know '{what}' of the workload {of}: {why}; choose a world of the workload that it speaks, such as \
             maelstrom-broadcast, maelstrom-g-set, maelstrom-g-counter or maelstrom-pn-counter"
        )))
    }

    fn expects(&self, what: &str, answer: &Body) -> Result<(), EngineError> {
        if kind(answer).strip_suffix("_ok") == Some(what) {
            return Ok(());
        }
        let is = written(answer.get("type"));
        Err(failed(format!(
            "it answered '{what}' with a message of the type {is}; the type is to be '{what}_ok' or 'error'"
        )))
    }

    /// The world is at its end: whether the node answered enough that what it shows means anything.
    fn ends(&self) -> Result<(), EngineError> {
        let settle = seconds(self.shared.end - self.shared.faults_over);
        let [asked, answered, _] = self.edits;
        let why = self.refusal.as_ref().map_or(String::new(), |why| format!(": {why}"));
        if answered == 0 && (self.read_of.is_none() || asked > 0 && self.is_read_to_the_end()) {
            return Err(self.silent());
        }
        if !self.is_read_to_the_end() {
            return Err(failed(format!("it answered no 'read' in the {settle} after faults were over{why}")));
        }
        Ok(())
    }

    /// Whether it answered a `read` that was asked after faults were over.
    fn is_read_to_the_end(&self) -> bool {
        self.read_of.is_some_and(|at| at >= self.shared.faults_over)
    }
}

/// What an answer to `read` shows.
fn view(workload: MaelstromWorkload, elements: u32, answer: &Body) -> Result<View, EngineError> {
    let key = workload.shown();
    let value = answer.get(key);
    let none = |what: &str| {
        let is = written(value);
        failed(format!("its answer to 'read' has no {what} '{key}': it is {is}"))
    };
    if workload.counts() {
        return value.and_then(Value::as_i64).map(View::Counter).ok_or_else(|| none("whole number"));
    }
    let list = value.and_then(Value::as_array).ok_or_else(|| none("list"))?;
    let element = |value: &Value| {
        let number = value.as_u64().ok_or_else(|| {
            let is = written(Some(value));
            failed(format!("its answer to 'read' has the element {is}, which nobody added: elements are whole numbers"))
        })?;
        Ok((number % u64::from(elements)) as Element)
    };
    list.iter().map(element).collect::<Result<_, EngineError>>().map(View::Tags)
}

impl Engine for MaelstromNode {
    fn edit(&mut self, host: &mut Host<Disk>, _register: u32, intent: Intent) -> Result<(), EngineError> {
        let now = self.shared.wait_until(host.now);
        let workload = self.shared.workload;
        let keys = match intent {
            Intent::Increase(amount) => json!({ "delta": amount }),
            Intent::Insert(element) | Intent::Remove(element) => {
                // Every message is another one, as in Maelstrom, though users insert an element again: what is left of it after a
                // division is the element.
                let (before, elements) = (self.inserts.entry(element).or_default(), self.settings.fields.elements);
                let turn = *before * u64::from(self.shared.nodes) + u64::from(self.settings.node);
                *before += 1;
                let message = u64::from(element) + u64::from(elements) * turn;
                if workload == MaelstromWorkload::Broadcast {
                    json!({ "message": message })
                } else {
                    json!({ "element": message })
                }
            }
            _ => {
                let why = format!("it keeps no {}", intent.of().plural());
                return Err(EngineError::Failed(why));
            }
        };
        self.edits[0] += 1;
        self.edit = Some(self.ask(workload.edit(), keys, now)?);
        self.was_cut_off = self.connected.len() < self.shared.neighbours(self.settings.node).len();
        host.later = Some(Later::Waits);
        Ok(())
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, _: Relation) -> Result<(), EngineError> {
        self.connected.insert(peer);
        self.look(host)
    }

    fn disconnected(&mut self, peer: NodeId) {
        self.connected.remove(&peer);
        self.was_cut_off = true;
    }

    fn receive(&mut self, host: &mut Host<Disk>, _from: NodeId, bytes: &[u8]) -> Result<Reception, EngineError> {
        let Ok(frame) = frame::read(bytes) else { return Ok(Reception::Damaged) };
        let to = Envelope::read(frame.body).ok().and_then(|it| node_number(&it.dest, self.shared.nodes));
        let Some(to) = to else { return Ok(Reception::Damaged) };
        self.shared.wait_until(host.now);
        self.pass_on(host, to, frame.body)?;
        self.look(host)?;
        Ok(Reception::Taken)
    }

    fn wakes_at(&self) -> Option<Time> {
        self.wakes_at.map(|at| self.service_link.arrives_at().map_or(at, |arrives| arrives.min(at)))
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        self.look(host)?;
        if self.wakes_at.is_none() || host.now < self.shared.end {
            self.wakes_at = (host.now < self.shared.end).then(|| host.now - host.now % EVERY + EVERY);
            return Ok(());
        }
        self.wakes_at = None;
        if self.child.is_some() { self.ends() } else { Ok(()) }
    }

    fn shows(&self) -> Vec<View> {
        self.views.clone()
    }

    fn position(&self) -> Option<Position> {
        Some((self.revision, 0, None))
    }

    /// A node keeps no list of what it has sent.
    fn backlog(&self) -> Option<u64> {
        None
    }

    fn files(&mut self) -> Result<Option<Files>, EngineError> {
        if !self.engine.keeps_store {
            return Ok(None);
        }
        self.child.iter().for_each(|child| child.pause());
        let files = self.folder.files();
        self.child.iter().for_each(|child| child.resume());
        files.map(Some).map_err(|error| failed(format!("its folder cannot be read: {error}")))
    }

    fn halt(&mut self) {
        self.child = None;
    }
}

/// A process is no value: nobody can copy it, or compare it with another.
impl InMemory for MaelstromNode {
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
