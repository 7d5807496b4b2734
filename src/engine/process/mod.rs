//! Engines in processes of their own: `NAME=cmd:COMMAND`. Every node is a process that speaks the engine protocol.
//!
//! A process cannot be copied or compared, so no walk over all states drives it; and what an engine does between two
//! answers, nobody sees. Everything else is as for every engine: the same worlds, faults and judges. Knows: processes, and
//! what they say of themselves. Must not: know which engine one is.

pub mod check;
pub(in crate::engine) mod child;
pub(in crate::engine) mod folder;
pub mod frame;
mod node;
pub mod protocol;
mod root;
mod starter;
mod watched;
pub(in crate::engine) mod words;

pub use child::interrupt;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::data::{Carries, Clock, Fields, Overwrites};
use crate::domain::offline::OfflineTrial;
use crate::domain::script::{Action, Step};
use crate::engine::host::Host;
use crate::engine::port::{Engine, EngineError, Settings};
use crate::engine::store::disk::{Disk, Files};
use crate::engine::{self, Keeps, Open, Registration, Started, library};
use child::{Child, FIRST_ANSWER};
use folder::Folder;
use node::ProcessNode;
use protocol::{Bytes, Capabilities, Identity, Input, Storage, VERSION};
use words::Words;

/// What the name of an engine in a process has before its command.
pub const PREFIX: &str = "cmd:";

/// The most nodes of a world that run as processes.
pub const MOST_NODES: u32 = 64;

/// An engine in a process: its command, and what it says of itself.
#[derive(Debug)]
pub struct ProcessEngine {
    name: String,
    words: Words,
    /// How long its processes may be idle while they owe an answer, where that is less than they may take.
    most_idle: Option<Duration>,
    capabilities: Capabilities,
    /// The documents that replicas start with, by the registers of their world.
    documents: Mutex<Vec<(Fields, Bytes)>>,
}

/// The engines that were started, with the text that names each.
static STARTED: Mutex<Vec<(String, &'static Registration)>> = Mutex::new(Vec::new());

/// Ends all processes that abench started, with all that these started, and removes their folders: for an end of abench that
/// drops nothing.
pub fn end_all() {
    root::no_more();
    watched::end_all();
    root::remove_all();
}

/// Splits the text that names an engine in a process: its name, and its command. Nothing if the text names none.
pub fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.find(PREFIX)?;
    let (name, command) = (&text[..at], &text[at + PREFIX.len()..]);
    match name.strip_suffix('=') {
        Some(name) if !name.is_empty() => Some((name, command)),
        None if name.is_empty() => Some((command, command)),
        _ => None,
    }
}

/// The entry of an engine that was started: by the whole text that names it, or by its name alone.
pub fn find(text: &str) -> Option<&'static Registration> {
    let started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    let is_it = |(of, entry): &&(String, &'static Registration)| of == text || entry.name == text;
    started.iter().find(is_it).map(|&(_, entry)| entry)
}

/// The text that names an engine that was started, with its command; nothing of an engine of abench.
pub fn text_of(name: &str) -> Option<String> {
    let started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    started.iter().find(|(_, entry)| entry.name == name).map(|(text, _)| text.clone())
}

/// Starts the process that this text names, asks what it is, and enters it, once.
///
/// # Errors
/// [`EngineError::Unavailable`] if the command cannot be started, or does not speak the protocol.
pub fn start(text: &str) -> Result<&'static Registration, EngineError> {
    begin(text, None).map_err(|error| match error {
        EngineError::Failed(why) => {
            let (name, command) = split(text).unwrap_or_default();
            EngineError::Unavailable(format!(
                "the engine '{name}' ('{command}') does not say what it is: {why}; abench engine check tries it step by step"
            ))
        }
        error => error,
    })
}

/// As [`start`], with processes that may be idle for so long at most while they owe an answer. [`EngineError::Failed`] if the
/// process does not say what it is.
fn begin(text: &str, most_idle: Option<Duration>) -> Result<&'static Registration, EngineError> {
    if let Some(entry) = find(text) {
        return Ok(entry);
    }
    let unavailable = |why: String| EngineError::Unavailable(why);
    let (name, command) = split(text).ok_or_else(|| {
        unavailable(format!("'{text}' names no process; write NAME=cmd:COMMAND, such as mine=cmd:python3 mine.py"))
    })?;
    is_free(name, PREFIX).map_err(unavailable)?;
    let words = Words::of(command).map_err(unavailable)?;
    let folder = Folder::with(&Files::new()).map_err(|error| unavailable(format!("cannot make a folder: {error}")))?;
    let mut child = Child::start(&words, &folder)?;
    child.may_be_idle_for(most_idle);
    let capabilities = introduced(&mut child, name)?;
    drop(child);
    let (name, documents) = (name.to_owned(), Mutex::default());
    Ok(enter(text, registration(ProcessEngine { name, words, most_idle, capabilities, documents })))
}

/// Whether an engine that is started may have this name; else why not.
pub(in crate::engine) fn is_free(name: &str, prefix: &str) -> Result<(), String> {
    if find(name).is_some() {
        return Err(format!("two engines are named '{name}'; give each a name of its own, as in {name}-2={prefix}…"));
    }
    if engine::check_name(name).is_ok() || name == library::LIBRARIES {
        return Err(format!("'{name}' names engines of abench; give yours another name, as in my-{name}={prefix}…"));
    }
    Ok(())
}

/// Has an engine that was started be found by the text that names it.
pub(in crate::engine) fn enter(text: &str, entry: &'static Registration) -> &'static Registration {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner).push((text.to_owned(), entry));
    entry
}

/// What a process says that it is.
fn introduced(child: &mut Child, name: &str) -> Result<Capabilities, EngineError> {
    let answer = child.ask((0, 0), Input::Hello { protocol: VERSION }, FIRST_ANSWER)?;
    let refused = |why: String| Err(EngineError::Failed(why));
    match (answer.failed, answer.engine) {
        (Some(why), _) => refused(why),
        (None, None) => refused(format!("the answer of '{name}' to 'hello' has no 'engine'")),
        (None, Some(is)) if is.protocol != VERSION => refused(format!(
            "it speaks version {} of the protocol, and this abench speaks version {VERSION}",
            is.protocol
        )),
        (None, Some(is)) if is.horizon_s.is_some() && is.records.is_none() => {
            refused("it declares 'horizon_s', which is about records, and no 'records'".to_owned())
        }
        (None, Some(is)) => Ok(is),
    }
}

/// The entry of an engine. Engines are entered once a run and are there to its end.
fn registration(engine: ProcessEngine) -> &'static Registration {
    let is = engine.capabilities.clone();
    let name: &'static str = String::leak(engine.name.clone());
    let about = String::leak(format!("{} {}: {}", is.name, is.version, is.about));
    let engine: &'static ProcessEngine = Box::leak(Box::new(engine));
    let entry = Registration {
        name,
        about,
        peers: is.peers,
        keeps: Keeps::Registers,
        survives: is.survives.into(),
        carries: Carries {
            counters: true,
            stocks: is.stocks.map(Into::into),
            tags: is.tags.map(Into::into),
            labels: is.labels.map(|labels| overwrites(labels.into(), is.clock)),
            records: is.records.map(Into::into),
            texts: is.texts.map(Into::into),
            claims: is.claims.map(Into::into),
            cases: is.cases.map(Into::into),
            horizon: is.horizon_s.map(|seconds| seconds.get().saturating_mul(1_000_000)),
        },
        copies: false,
        foreign: true,
        reports: is.rounds,
        open: Open::Started(engine),
        ..Registration::of(name, about, |_, _| unreachable!("it is opened by its process"))
    };
    Box::leak(Box::new(entry))
}

/// What an engine is held to. Where its stamps come from the machine's clock, nobody knows which write is the last by them.
fn overwrites(declared: Overwrites, clock: protocol::Clock) -> Overwrites {
    match (declared, clock) {
        (Overwrites::Last(Clock::Wall), protocol::Clock::Own) => Overwrites::One,
        (declared, _) => declared,
    }
}

/// How far the users of a world can move a register: down, and up.
fn largest_sums(trial: &OfflineTrial) -> [u128; 2] {
    if !trial.is_scripted() {
        // Ten times as many units are supplied at once as are taken.
        let most = u64::from(trial.workload.most).max(10 * u64::from(trial.stocks.most));
        let most = if trial.stocks.registers > 0 { most } else { trial.workload.most.into() };
        let moved = u128::from(trial.edits()).saturating_mul(u128::from(most));
        return if trial.workload.decrements || trial.stocks.registers > 0 { [moved; 2] } else { [0, moved] };
    }
    let users = |node: &str| trial.nodes_named(node).len() as u128;
    let of_step = |step: &Step| match &step.action {
        Action::Edit { node, intent, .. } => {
            let amount = intent.amount().unwrap_or(0);
            let moved = u128::from(amount.unsigned_abs()) * users(node);
            if amount < 0 { [moved, 0] } else { [0, moved] }
        }
        action @ Action::Work { node, workload, .. } => {
            let moved = u128::from(action.edits()) * u128::from(workload.most) * users(node);
            if workload.decrements { [moved; 2] } else { [0, moved] }
        }
        _ => [0, 0],
    };
    let add = |[down, up]: [u128; 2], [more_down, more_up]: [u128; 2]| {
        [down.saturating_add(more_down), up.saturating_add(more_up)]
    };
    trial.steps.iter().map(of_step).fold([0, 0], add)
}

impl Started for ProcessEngine {
    fn open(&'static self, settings: &Settings, host: &mut Host<Disk>) -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(ProcessNode::open(self, settings, host)?))
    }

    fn unsuited(&self, trial: &OfflineTrial) -> Option<String> {
        if trial.nodes() > MOST_NODES {
            return Some(format!(
                "which runs a process for each node, of which a world may have {MOST_NODES}, and this world has {}",
                trial.nodes()
            ));
        }
        let [down, up] = largest_sums(trial).map(|sum| i128::try_from(sum).unwrap_or(i128::MAX));
        let start = i128::from(trial.start);
        let (least, most) = (start.saturating_sub(down), start.saturating_add(up));
        let range = self.capabilities.counters;
        let fits = least >= range.min.0.into() && most <= range.max.0.into();
        (!fits).then(|| {
            let range = self.range();
            format!("which keeps numbers {range} exactly, and registers of this world may come to {least} or {most}")
        })
    }

    fn capabilities(&self) -> Option<&Capabilities> {
        Some(&self.capabilities)
    }

    fn notes(&self) -> Vec<String> {
        let is = &self.capabilities;
        let mut notes = vec![format!("{}: {} {}, run as {}", self.name, is.name, is.version, self.words)];
        notes.extend((!is.promises.is_empty()).then(|| format!("its documentation promises: {}", is.promises)));
        notes.push(format!("it expects {}", is.transport.told()));
        notes.extend(match is.store {
            Storage::Journal => None,
            Storage::Files => Some(
                "a power failure is SIGKILL, and its files are as it wrote them: loss of what was not synced is not shown",
            ),
            Storage::Memory => Some("its store is memory alone: it starts again from the last snapshot of its adapter"),
        }
        .map(str::to_owned));
        notes.push(
            match is.id {
                Identity::Kept => "a restart keeps the engine's own id",
                Identity::Renewed => "a restart takes a new id",
            }
            .to_owned(),
        );
        notes.extend((!is.repeats).then(|| "it does not repeat itself: another run may end in another way".to_owned()));
        notes
    }
}

impl ProcessEngine {
    /// A process of it in a folder, which has said what it is.
    fn child(&self, folder: &Folder) -> Result<Child, EngineError> {
        let mut child = Child::start(&self.words, folder)?;
        child.may_be_idle_for(self.most_idle);
        introduced(&mut child, &self.name)?;
        Ok(child)
    }

    /// Whether an amount is one that it keeps exactly.
    fn keeps(&self, amount: i64) -> bool {
        (self.capabilities.counters.min.0..=self.capabilities.counters.max.0).contains(&amount)
    }

    fn range(&self) -> String {
        format!("from {} to {}", self.capabilities.counters.min.0, self.capabilities.counters.max.0)
    }

    /// The document that all replicas of such a world start with, if the engine needs one: made by a process of its own, once.
    fn document(&self, fields: Fields) -> Result<Option<Bytes>, EngineError> {
        if !self.capabilities.document {
            return Ok(None);
        }
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, document)) = documents.iter().find(|(of, _)| *of == fields) {
            return Ok(Some(document.clone()));
        }
        let unavailable = |error| EngineError::Unavailable(format!("cannot make a folder for a process: {error}"));
        let folder = Folder::with(&Files::new()).map_err(unavailable)?;
        let mut child = self.child(&folder)?;
        let answer = child.ask((0, 0), Input::Create { registers: fields.into() }, FIRST_ANSWER)?;
        let none = || EngineError::Failed("its answer to 'create' has no 'document'".to_owned());
        let document = answer.document.ok_or_else(none)?;
        documents.push((fields, document.clone()));
        Ok(Some(document))
    }
}
