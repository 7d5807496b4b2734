//! The way back: the reference as a Maelstrom node, so that a harness of others can put it on trial.
//!
//! What the reference sends travels as a message `frame`, its bytes in base64. Timers run in real time, and nothing survives the
//! process. Knows: the port and the protocol. Must not: know which engine the reference is.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::domain::data::{Fields, Intent, View};
use crate::domain::offline::{MOST_ELEMENTS, MOST_TAGS, MaelstromWorkload};
use crate::domain::seed::Seed;
use crate::engine::host::{Host, NodeId, Time};
use crate::engine::maelstrom::message::{Body, Envelope, ErrorCode, body, error, kind, line};
use crate::engine::port::{Engine, EngineError, Reception, Relation, Settings, entropy};
use crate::engine::process::protocol::LONGEST_LINE;
use crate::engine::store::Owner;
use crate::engine::store::disk::Disk;
use crate::engine::{self};

/// Lines that wait to be taken.
const MOST_WAITING: usize = 1024;

/// The retries and the waits of the engine: a node of a harness is reached again within seconds, and a test of it is over in a minute.
const RETRY_AFTER: Time = 200_000;
const RETRY_AT_MOST: Time = 1_000_000;
const LINGER: Time = 20_000;

/// Sets are spread over registers: whole numbers below this can be in one.
const MOST: u64 = MOST_TAGS as u64 * MOST_ELEMENTS as u64;

/// Why a node ends before its input does.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A pipe failed.
    #[error("standard input or output failed: {0}")]
    Pipe(#[from] io::Error),
    /// A line is no message.
    #[error("a line of the input is no message of Maelstrom: {0}")]
    NoMessage(String),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Serves one node until the input ends.
///
/// # Errors
/// If a line is no message, or a pipe fails.
pub fn serve(
    workload: MaelstromWorkload,
    input: impl BufRead + Send + 'static,
    output: &mut dyn Write,
) -> Result<(), ServeError> {
    let (sender, lines) = mpsc::sync_channel(MOST_WAITING);
    std::thread::spawn(move || hand_on(input, &sender));
    let mut node: Option<Served> = None;
    loop {
        let line = match next(&lines, node.as_ref().and_then(Served::wakes_in)) {
            Next::Line(line) => line?,
            Next::Time => {
                if let Some(node) = &mut node {
                    node.wake(output)?;
                }
                continue;
            }
            Next::End => return Ok(()),
        };
        let no_message = |error: serde_json::Error| ServeError::NoMessage(error.to_string());
        let envelope = Envelope::read(&line).map_err(no_message)?;
        let request = envelope.body().map_err(no_message)?;
        if kind(&request) == "init" {
            let mut begun = Served::init(workload, &request)?;
            begun.answer(output, &envelope.src, &request, body("init_ok", json!({})))?;
            begun.connect(output)?;
            node = Some(begun);
        } else if let Some(node) = &mut node {
            node.take(output, &envelope.src, &request)?;
        } else if kind(&request) != "frame" {
            // A node that began earlier may have sent a frame already. That one is lost, and is sent again.
            return Err(ServeError::NoMessage(format!("'{}' before 'init'", kind(&request))));
        }
    }
}

enum Next {
    Line(io::Result<Vec<u8>>),
    Time,
    End,
}

fn next(lines: &Receiver<io::Result<Vec<u8>>>, wakes_in: Option<Duration>) -> Next {
    let line = match wakes_in {
        Some(wait) => lines.recv_timeout(wait),
        None => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match line {
        Ok(line) => Next::Line(line),
        Err(RecvTimeoutError::Timeout) => Next::Time,
        Err(RecvTimeoutError::Disconnected) => Next::End,
    }
}

/// Reads lines until the input ends, or nobody takes them any more.
fn hand_on(mut input: impl BufRead, lines: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut line = Vec::new();
        let read = input.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut line);
        let line = match read {
            Ok(0) => return,
            Ok(_) if line.len() == LONGEST_LINE => Err(io::Error::other("a line is longer than 16 MiB")),
            Ok(_) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Ok(_) => Ok(line),
            Err(error) => Err(error),
        };
        let failed = line.is_err();
        if lines.send(line).is_err() || failed {
            return;
        }
    }
}

/// A node that was initialised.
struct Served {
    workload: MaelstromWorkload,
    name: String,
    names: Vec<String>,
    engine: Box<dyn Engine>,
    host: Host<Disk>,
    began: Instant,
    next_id: u64,
}

impl Served {
    fn init(workload: MaelstromWorkload, request: &Body) -> Result<Self, ServeError> {
        let missing = || ServeError::NoMessage("'init' has no 'node_id' that is among its 'node_ids'".to_owned());
        let name = request.get("node_id").and_then(Value::as_str).ok_or_else(missing)?.to_owned();
        let names = request.get("node_ids").and_then(Value::as_array).ok_or_else(missing)?;
        let names: Vec<String> = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let number = names.iter().position(|other| *other == name).ok_or_else(missing)? as NodeId;
        let fields = match workload.counts() {
            true => Fields::counters(1, 0),
            false => Fields { tags: MOST_TAGS, elements: MOST_ELEMENTS, ..Fields::default() },
        };
        let settings = Settings {
            node: number,
            client: number,
            fields,
            serves: true,
            is_root: false,
            serves_relays: true,
            retry_after: RETRY_AFTER,
            retry_at_most: RETRY_AT_MOST,
            // As long as the harness runs, a neighbour can come back.
            retries: u32::MAX,
            handshakes: 4,
            linger: LINGER,
            fragment: 1 << 16,
            retain: 1024,
            compact_after: 4096,
            mutant: None,
        };
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64);
        // What a process draws must not come again after a restart.
        let random = Seed::new(wall as u64 ^ u64::from(std::process::id()) << 40).stream("maelstrom");
        let mut host = Host::new(Disk::new(Owner { scenario: 0, client: number }), entropy(&random, number, 0));
        (host.wall, host.started) = (wall, wall);
        let engine = engine::reference().open.node(&settings, &mut host)?;
        Ok(Served { workload, name, names, engine, host, began: Instant::now(), next_id: 1 })
    }

    fn clock(&mut self) {
        let now = self.began.elapsed().as_micros() as Time;
        (self.host.now, self.host.wall) = (now, self.host.started + now as i64);
    }

    fn wakes_in(&self) -> Option<Duration> {
        let now = self.began.elapsed();
        self.engine.wakes_at().map(|at| Duration::from_micros(at).saturating_sub(now))
    }

    fn wake(&mut self, output: &mut dyn Write) -> Result<(), ServeError> {
        self.clock();
        self.engine.wake(&mut self.host)?;
        self.post(output)
    }

    /// All others are its neighbours, whatever the topology of the harness says: a message finds its way to everyone.
    fn connect(&mut self, output: &mut dyn Write) -> Result<(), ServeError> {
        self.clock();
        for peer in 0..self.names.len() as NodeId {
            if self.names[peer as usize] != self.name {
                self.engine.connected(&mut self.host, peer, Relation::Peer)?;
            }
        }
        self.post(output)
    }

    fn take(&mut self, output: &mut dyn Write, from: &str, request: &Body) -> Result<(), ServeError> {
        self.clock();
        let answer = match kind(request) {
            "topology" => Some(body("topology_ok", json!({}))),
            "read" => Some(self.read()),
            "frame" => {
                self.frame(from, request)?;
                None
            }
            edit if edit == self.workload.edit() => Some(self.edit(request)?),
            // An answer to nothing that it asked.
            _ if request.contains_key("in_reply_to") => None,
            other => {
                let of = self.workload.name();
                Some(error(ErrorCode::NotSupported, format!("'{other}' is no request of the workload {of}")))
            }
        };
        if let Some(answer) = answer {
            self.answer(output, from, request, answer)?;
        }
        self.post(output)
    }

    /// A client edits. The edit is accepted once it is in the store of this process, which is memory.
    fn edit(&mut self, request: &Body) -> Result<Body, ServeError> {
        let malformed = |text: String| Ok(error(ErrorCode::MalformedRequest, text));
        let (register, intent) = if self.workload.counts() {
            let Some(delta) = request.get("delta").and_then(Value::as_i64) else {
                return malformed("'delta' is to be a whole number".to_owned());
            };
            if delta < 0 && self.workload == MaelstromWorkload::GCounter {
                return malformed("a g-counter only grows".to_owned());
            }
            (0, Intent::Increase(delta))
        } else {
            let key = if self.workload == MaelstromWorkload::Broadcast { "message" } else { "element" };
            let Some(number) = request.get(key).and_then(Value::as_u64).filter(|&number| number < MOST) else {
                return malformed(format!("'{key}' is to be a whole number below {MOST}"));
            };
            let elements = u64::from(MOST_ELEMENTS);
            ((number / elements) as u32, Intent::Insert((number % elements) as u32))
        };
        if intent != Intent::Increase(0) {
            self.engine.edit(&mut self.host, register, intent)?;
            if self.host.shown.is_empty() {
                return Ok(error(ErrorCode::Crash, "the edit was not accepted"));
            }
            self.host.shown.clear();
        }
        Ok(body(&format!("{}_ok", self.workload.edit()), json!({})))
    }

    fn read(&self) -> Body {
        let views = self.engine.shows();
        let value = if self.workload.counts() {
            json!(views.first().and_then(View::number).unwrap_or(0))
        } else {
            let of = |(register, view): (u64, &View)| {
                let tags: Vec<u64> = view.tags().into_iter().flatten().map(|&element| u64::from(element)).collect();
                tags.into_iter().map(move |element| register * u64::from(MOST_ELEMENTS) + element)
            };
            json!((0..).zip(&views).flat_map(of).collect::<Vec<u64>>())
        };
        let mut answer = body("read_ok", json!({}));
        answer.insert(self.workload.shown().to_owned(), value);
        answer
    }

    /// What another node sent. What it cannot read is lost, as on any link.
    fn frame(&mut self, from: &str, request: &Body) -> Result<(), ServeError> {
        let bytes = request.get("bytes").and_then(Value::as_str).and_then(|text| STANDARD.decode(text).ok());
        let peer = self.names.iter().position(|name| name == from);
        if let Some((bytes, peer)) = bytes.zip(peer) {
            let _: Reception = self.engine.receive(&mut self.host, peer as NodeId, &bytes)?;
        }
        Ok(())
    }

    fn answer(&mut self, output: &mut dyn Write, to: &str, request: &Body, mut answer: Body) -> Result<(), ServeError> {
        if let Some(id) = request.get("msg_id") {
            answer.insert("in_reply_to".to_owned(), id.clone());
            answer.insert("msg_id".to_owned(), self.next_id.into());
            self.next_id += 1;
            self.write(output, to, &answer)?;
        }
        Ok(())
    }

    /// Sends what the engine handed to its host.
    fn post(&mut self, output: &mut dyn Write) -> Result<(), ServeError> {
        let mut sent: VecDeque<_> = std::mem::take(&mut self.host.sent).into();
        while let Some(message) = sent.pop_front() {
            let to = self.names[message.to as usize].clone();
            self.write(output, &to, &body("frame", json!({ "bytes": STANDARD.encode(&message.frame.bytes) })))?;
        }
        output.flush().map_err(ServeError::from)
    }

    fn write(&self, output: &mut dyn Write, to: &str, body: &Body) -> Result<(), ServeError> {
        let mut line = line(&self.name, to, body);
        line.push(b'\n');
        output.write_all(&line).map_err(ServeError::from)
    }
}
