//! Engines: what one replica does when something happens to it, and what of it travels.
//!
//! A new engine is one file or folder here and one entry in [`REGISTRY`]. All stand behind one port ([`port::Engine`]), and
//! write to disks that lose what was not synced. Most are a content of the reliable channel: what they send and make of what
//! they get. The channel carries content to each neighbour, once and in order, in messages that short visits have time for;
//! it meets a neighbour anew that lost its store or was set back, and stores what others may rely on before it is sent.
//!
//! Knows: `domain`. Must not: know the world that an engine runs in, or judge.

pub mod acknowledged;
pub mod any_bytes;
mod baseline;
mod by_writer;
mod delta_state;
pub mod delta_summary;
pub mod fugue;
pub mod host;
pub mod library;
pub mod maelstrom;
pub mod mutant;
pub mod port;
pub mod process;
mod reliable_channel;
pub mod replayed;
pub mod store;
#[cfg(test)]
mod tests;
pub mod vector;
mod views;
pub mod wire;

use std::borrow::Cow;

use crate::domain::data::{Carries, Clock, Closing, Concurrent, Deleted, Granting, Overwrites, Runs, Spending};
use crate::domain::nearest::meant;
use crate::domain::offline::OfflineTrial;
use crate::engine::host::Host;
use crate::engine::mutant::Mutant;
use crate::engine::port::{Engine, EngineError, Settings};
use crate::engine::store::disk::Disk;
use baseline::whole_state::{self, WholeState};
use delta_summary::node::ReplicaNode;
use reliable_channel::ReliableChannel;
use reliable_channel::content::Content;

/// Opens a node of an engine as its store has it.
pub type OpenNode = fn(&Settings, &mut Host<Disk>) -> Result<Box<dyn Engine>, EngineError>;

/// Opens a node of one world, in which nodes may have more in common than their links.
pub type OpenInWorld = Box<dyn Fn(&Settings, &mut Host<Disk>) -> Result<Box<dyn Engine>, EngineError>>;

/// How nodes of an engine are opened.
#[derive(Clone, Copy, Debug)]
pub enum Open {
    /// By a function.
    Function(OpenNode),
    /// By something that is only known while abench runs: a command that is started.
    Started(&'static dyn Started),
}

/// What opens nodes and is only known while abench runs.
pub trait Started: std::fmt::Debug + Sync {
    /// Opens a node as its store has it.
    fn open(&'static self, settings: &Settings, host: &mut Host<Disk>) -> Result<Box<dyn Engine>, EngineError>;

    /// What opens the nodes of this world, now and after a crash.
    fn in_world(&'static self, _trial: &OfflineTrial) -> OpenInWorld {
        Box::new(move |settings, host| self.open(settings, host))
    }

    /// Why it does not support this world, if it does not.
    fn unsuited(&self, trial: &OfflineTrial) -> Option<String>;

    /// What it says of itself, if it speaks the engine protocol.
    fn capabilities(&self) -> Option<&process::protocol::Capabilities> {
        None
    }

    /// What a reader of its verdict must know: what it is, what it promises, what its faults cannot show.
    fn notes(&self) -> Vec<String>;
}

impl Open {
    /// Opens a node as its store has it.
    pub fn node(self, settings: &Settings, host: &mut Host<Disk>) -> Result<Box<dyn Engine>, EngineError> {
        match self {
            Open::Function(open) => open(settings, host),
            Open::Started(engine) => engine.open(settings, host),
        }
    }

    /// What opens the nodes of a world.
    pub fn in_world(self, trial: &OfflineTrial) -> OpenInWorld {
        match self {
            Open::Function(open) => Box::new(open),
            Open::Started(engine) => engine.in_world(trial),
        }
    }
}

/// What every node of an engine keeps, by what it grows with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// The registers, and edits until they are passed on.
    Registers,
    /// Every edit of everyone.
    Edits,
    /// Every client's sums of every register.
    ClientSums,
}

/// Which losses of stores an engine declares that an edit survives. It is held to that: where an edit is missing though it
/// should have survived, the engine is falsified; where more was lost, nothing is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survives {
    /// All, as long as one running replica still shows the edit.
    WhileShown,
    /// All, as long as the store of its author, or one that others sync through, still holds it.
    WithAuthorOrRelay,
}

impl Survives {
    /// In words.
    pub fn told(self) -> &'static str {
        match self {
            Survives::WhileShown => "any loss, as long as one running replica still shows the edit",
            Survives::WithAuthorOrRelay => {
                "any loss, as long as the store of the edit's author, or of a node that others sync through, still holds it"
            }
        }
    }
}

/// An engine's entry.
#[derive(Debug)]
pub struct Registration {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Whether it claims that the bytes of a tick do not grow with history.
    pub constant: bool,
    /// Whether it works between peers, without a hub.
    pub peers: bool,
    /// What each of its nodes keeps.
    pub keeps: Keeps,
    /// Which losses of stores it declares that an edit survives.
    pub survives: Survives,
    /// The data types that it carries, and what it makes of edits at the same time.
    pub carries: Carries,
    /// Whether it sends whole states: the bytes of others are compared with its bytes.
    pub full_state: bool,
    /// Whether its nodes tell what they merge into registers, so that backends can make the same merges again.
    pub tells_merges: bool,
    /// Whether its nodes can be copied and compared in memory, which walks over all states need.
    pub copies: bool,
    /// Whether others made it, so that it can fail by itself: whether it kept running is judged.
    pub foreign: bool,
    /// Whether its nodes report what they take, by ids or by rounds ([`host::Round`]). An engine that does not has no
    /// staleness: nobody can know when an edit arrived.
    pub reports: bool,
    /// Whether its frames say of themselves whether they carry edits ([`wire::Frame::has_edits`]). Where they do not, a node
    /// that takes no edits of others cannot tell them apart, and refuses all of them.
    pub tells_edits: bool,
    /// Whether its nodes have timers of their own, which nobody drives: then virtual time goes no faster than real time, no run
    /// can be repeated, and nothing makes a counterexample smaller.
    pub own_timers: bool,
    /// What a frame says, in words, where that is worth reading.
    pub describe: fn(&[u8]) -> Option<String>,
    /// Its mutants.
    pub mutants: fn() -> Vec<Mutant>,
    /// How a node is opened.
    pub open: Open,
}

fn channel<C: Content + 'static>(settings: &Settings, host: &mut Host<Disk>) -> Result<Box<dyn Engine>, EngineError> {
    Ok(Box::new(ReliableChannel::<C>::open(settings.clone(), host)?))
}

impl Registration {
    /// An engine that claims nothing, with a hub alone and counters alone.
    pub const fn of(name: &'static str, about: &'static str, open: OpenNode) -> Self {
        Registration {
            name,
            about,
            constant: false,
            peers: false,
            keeps: Keeps::Registers,
            survives: Survives::WithAuthorOrRelay,
            copies: true,
            foreign: false,
            reports: true,
            carries: Carries::COUNTERS,
            full_state: false,
            tells_merges: false,
            tells_edits: true,
            own_timers: false,
            describe: |_| None,
            mutants: Vec::new,
            open: Open::Function(open),
        }
    }
}

/// All engines. The first is the reference: what is tried where nothing else is named.
pub const REGISTRY: &[Registration] = &[
    Registration {
        constant: true,
        peers: true,
        keeps: Keeps::ClientSums,
        survives: Survives::WhileShown,
        carries: Carries::with_tags(Concurrent::InsertWins)
            .and_labels(Overwrites::Multi)
            .and_stocks(Spending::Rights)
            .and_records(Deleted::EditWins)
            .and_horizon(delta_state::HORIZON as u64 * 1000)
            .and_texts(Runs::BothWays)
            .and_claims(Granting::ByAuthority)
            .and_cases(Closing::ByAuthority),
        tells_merges: true,
        mutants: delta_state::mutants,
        ..Registration::of(
            "delta-state",
            "each writer's share of each register, the newer replaces the older",
            channel::<delta_state::DeltaState>,
        )
    },
    Registration {
        constant: true,
        peers: true,
        tells_merges: true,
        describe: delta_summary::node::described,
        mutants: delta_summary::mutant::all,
        ..Registration::of(
            "delta-summary",
            "increments with operation ids, each once; a leaf gets one sum of what it lacks",
            |settings, host| Ok(Box::new(ReplicaNode::open(settings.clone(), host)?)),
        )
    },
    Registration {
        peers: true,
        keeps: Keeps::ClientSums,
        survives: Survives::WhileShown,
        carries: Carries::COUNTERS.and_stocks(Spending::Shown),
        ..Registration::of(
            "pn-counter",
            "each client's sums of increments and of decrements, merged by maximum",
            channel::<baseline::pn_counter::PnCounter>,
        )
    },
    Registration {
        peers: true,
        keeps: Keeps::Edits,
        survives: Survives::WhileShown,
        carries: Carries::with_tags(Concurrent::InsertWins)
            .and_labels(Overwrites::Multi)
            .and_stocks(Spending::Shown)
            .and_records(Deleted::EditWins)
            .and_texts(Runs::BothWays)
            .and_claims(Granting::Shown)
            .and_cases(Closing::Shown),
        ..Registration::of(
            "operation-log",
            "every operation to everyone, and kept by everyone",
            channel::<baseline::operation_log::OperationLog>,
        )
    },
    Registration {
        constant: true,
        ..Registration::of(
            "reconciliation",
            "operations to the hub, which replays them and answers with the registers",
            channel::<baseline::reconciliation::Reconciliation>,
        )
    },
    Registration {
        constant: true,
        peers: true,
        survives: Survives::WhileShown,
        tells_merges: true,
        ..Registration::of(
            "xor-delta",
            "the XOR of a register before and after, merged by XOR, as published",
            channel::<baseline::xor_delta::XorDelta>,
        )
    },
    Registration {
        constant: true,
        peers: true,
        survives: Survives::WhileShown,
        carries: Carries::with_tags(Concurrent::Either)
            .and_labels(Overwrites::Last(Clock::Arrival))
            .and_stocks(Spending::Shown)
            .and_records(Deleted::Either)
            .and_texts(Runs::Mixed)
            .and_claims(Granting::Shown)
            .and_cases(Closing::Shown),
        full_state: true,
        ..Registration::of(
            "full-state",
            "the whole state, overwriting the receiver's",
            channel::<baseline::full_state::FullState>,
        )
    },
    Registration {
        constant: true,
        peers: true,
        survives: Survives::WhileShown,
        carries: Carries::with_tags(Concurrent::Either)
            .and_labels(Overwrites::Last(Clock::Arrival))
            .and_stocks(Spending::Shown)
            .and_records(Deleted::Either)
            .and_texts(Runs::Mixed)
            .and_claims(Granting::Shown)
            .and_cases(Closing::Shown),
        ..Registration::of(
            "lww-arrival",
            "changed registers, the last to arrive wins",
            channel::<baseline::lww_arrival::LastArrival>,
        )
    },
    Registration {
        constant: true,
        peers: true,
        survives: Survives::WhileShown,
        carries: Carries::with_tags(Concurrent::Either)
            .and_labels(Overwrites::Last(Clock::Wall))
            .and_stocks(Spending::Shown)
            .and_records(Deleted::Either)
            .and_texts(Runs::Mixed)
            .and_claims(Granting::Shown)
            .and_cases(Closing::Shown),
        ..Registration::of(
            "lww-wall-clock",
            "changed registers, the latest by the writer's clock wins",
            channel::<baseline::lww_wall_clock::WallClock>,
        )
    },
    Registration {
        constant: true,
        peers: true,
        survives: Survives::WhileShown,
        carries: Carries::with_tags(Concurrent::Either)
            .and_labels(Overwrites::Last(Clock::Hybrid))
            .and_stocks(Spending::Shown)
            .and_records(Deleted::Either)
            .and_texts(Runs::Mixed)
            .and_claims(Granting::Shown)
            .and_cases(Closing::Shown),
        ..Registration::of(
            "lww-hybrid-clock",
            "changed registers, the latest by a hybrid logical clock wins",
            channel::<baseline::lww_hybrid_clock::HybridClock>,
        )
    },
    Registration {
        constant: true,
        peers: true,
        survives: Survives::WhileShown,
        carries: Carries::with_tags(Concurrent::Either)
            .and_labels(Overwrites::One)
            .and_stocks(Spending::Shown)
            .and_records(Deleted::Either)
            .and_texts(Runs::Mixed)
            .and_claims(Granting::Shown)
            .and_cases(Closing::Shown),
        ..Registration::of(
            "first-writer",
            "changed registers, the first write ever wins",
            channel::<baseline::first_writer::FirstWriter>,
        )
    },
];

/// Engines of labels. They carry no counters, so that most worlds have nothing for them: they are on trial where they are
/// named, and the name of all does not stand for them.
pub const OF_LABELS: &[Registration] = &[Registration {
    carries: Carries::labels_alone(Overwrites::Last(Clock::Arrival)),
    ..Registration::of(
        "lww-server-stamp",
        "labels alone; the hub numbers writes as they arrive, the last wins",
        channel::<baseline::lww_server_stamp::ServerStamp>,
    )
}];

/// Whole states at their users' own width: plain, compressed, and as a patch. Bandwidth reports compare engines with them,
/// and no trial names them.
pub const WHOLE_STATES: &[Registration] = &[
    whole_state(
        "whole-state",
        "the whole state, a fixed number of bytes a register",
        channel::<WholeState<{ whole_state::PLAIN }>>,
    ),
    whole_state(
        "whole-state-zstd",
        "the whole state, compressed by Zstandard",
        channel::<WholeState<{ whole_state::COMPRESSED }>>,
    ),
    whole_state(
        "whole-state-zstd-patch",
        "the whole state as a Zstandard patch on the last state that both sides have",
        channel::<WholeState<{ whole_state::PATCH }>>,
    ),
];

const fn whole_state(name: &'static str, about: &'static str, open: OpenNode) -> Registration {
    Registration {
        peers: true,
        survives: Survives::WhileShown,
        carries: Carries::with_tags(Concurrent::Either),
        ..Registration::of(name, about, open)
    }
}

/// The engine that is tried where none is named.
pub fn reference() -> &'static Registration {
    &REGISTRY[0]
}

/// The first of these engines that has a mutant of this name, and the name.
pub fn find_mutant(
    among: impl IntoIterator<Item = &'static Registration>,
    name: &str,
) -> Result<(&'static Registration, &'static str), UnknownMutant> {
    let mut all = Vec::new();
    for engine in among {
        for mutant in (engine.mutants)() {
            if mutant.name == name {
                return Ok((engine, mutant.name));
            }
            all.push(mutant.name);
        }
    }
    let meant = meant(name, all.iter().copied());
    Err(UnknownMutant { name: name.to_owned(), meant, allowed: all.join(", ") })
}

/// A name that is no mutant's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{name}' is not a mutant of an engine that is on trial{meant}; allowed are {allowed}")]
pub struct UnknownMutant {
    name: String,
    meant: String,
    allowed: String,
}

/// What stands for all engines of abench itself where they are named: the same in every build.
pub const ALL: &str = "all";

/// Every engine of this build: those of abench itself, then libraries.
pub fn every() -> impl Iterator<Item = &'static Registration> {
    REGISTRY.iter().chain(OF_LABELS).chain(library::REGISTRY)
}

/// The engines of these names: the reference alone if there is none.
pub fn asked(names: &[String]) -> impl Iterator<Item = &'static Registration> + '_ {
    let reference = names.is_empty().then(reference);
    let named = |among: &'static [Registration], group: &'static str| {
        among.iter().filter(move |engine| names.iter().any(|name| name == engine.name || name == group))
    };
    let of_labels = OF_LABELS.iter().filter(|engine| names.iter().any(|name| name == engine.name));
    let started = names.iter().filter_map(|name| process::find(name));
    let libraries = named(library::REGISTRY, library::LIBRARIES);
    reference.into_iter().chain(named(REGISTRY, ALL)).chain(of_labels).chain(libraries).chain(started)
}

/// Whether this is the name of an engine of this build, or stands for several.
pub fn check_name(name: &str) -> Result<(), Unknown> {
    let is_group = name == ALL || name == library::LIBRARIES && !library::REGISTRY.is_empty();
    if is_group { Ok(()) } else { find(name).map(drop) }
}

/// Whether these are names of engines that can be measured in virtual time, outside a world.
///
/// # Errors
/// The name that is none, or the engine that has timers of its own.
pub fn check_timeless(names: &[String]) -> Result<(), String> {
    for name in names {
        check_name(name).map_err(|unknown| format!("engines: {unknown}"))?;
    }
    let own_timers = asked(names).find(|engine| engine.own_timers);
    own_timers.map_or(Ok(()), |engine| {
        Err(format!(
            "engines: '{}' has timers of its own and runs in real time; put it on trial in a world of [offline]",
            engine.name
        ))
    })
}

/// The engines that a trial asks for and that its world is one for.
pub fn on_trial(trial: &OfflineTrial) -> impl Iterator<Item = &'static Registration> + '_ {
    asked(&trial.engines).filter(|engine| engine.suits(trial))
}

impl Registration {
    /// Why it does not support this world, if it does not.
    pub fn unsuited(&self, trial: &OfflineTrial) -> Option<Cow<'static, str>> {
        if let Some(data) = trial.fields().types().find(|&data| !self.carries.has(data)) {
            return Some(format!("which carries {}, and this world has {}", self.carries, data.plural()).into());
        }
        let has_topology = self.peers || trial.hub && trial.edges.is_empty();
        if !has_topology {
            return Some("which needs a hub that every client is connected to".into());
        }
        match self.open {
            Open::Function(_) => None,
            Open::Started(engine) => engine.unsuited(trial).map(Cow::Owned),
        }
    }

    /// What a reader of its verdict must know, of an engine that others made.
    pub fn notes(&self) -> Vec<String> {
        match self.open {
            Open::Function(_) => Vec::new(),
            Open::Started(engine) => engine.notes(),
        }
    }

    /// Whether it supports this world.
    pub fn suits(&self, trial: &OfflineTrial) -> bool {
        self.unsuited(trial).is_none()
    }

    /// Whether it says that it keeps numbers of 64 bits, each exactly.
    pub fn keeps_all_numbers(&self) -> bool {
        match self.open {
            Open::Function(_) => true,
            Open::Started(started) => {
                let range = started.capabilities().map(|of| of.counters);
                range.is_none_or(|range| (range.min.0, range.max.0) == (i64::MIN, i64::MAX))
            }
        }
    }
}

/// A name that is no engine's, or that of one which is not in this build.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No engine has this name.
    #[error("'{0}' is not an engine{meant}; allowed are {names}, NAME=cmd:COMMAND for an engine in a process, and \
        NAME=maelstrom:PATH for a Maelstrom node",
        meant = meant(.0, all_names()), names = names())]
    Name(String),
    /// A library has it, and libraries are not in this build.
    #[error("the engine '{0}' needs a build with --features engines")]
    NotInThisBuild(String),
    /// It stands for all libraries, and they are not in this build.
    #[error("the engines '{0}' need a build with --features engines")]
    NoneInThisBuild(String),
}

fn all_names() -> impl Iterator<Item = &'static str> {
    every().map(|engine| engine.name)
}

fn names() -> String {
    all_names().collect::<Vec<_>>().join(", ")
}

/// Names that engines had in version 1 of scenarios and records, and their names today.
const NAMES_OF_VERSION_1: &[(&str, &str)] = &[
    ("additive-delta", "delta-summary"),
    ("running-sums", "pn-counter"),
    ("last-arrival", "lww-arrival"),
    ("last-wall-clock", "lww-wall-clock"),
    ("last-hybrid-clock", "lww-hybrid-clock"),
    ("full-state", "full-state"),
    ("first-writer", "first-writer"),
    ("reconciliation", "reconciliation"),
    ("operation-log", "operation-log"),
    ("xor-delta", "xor-delta"),
];

/// The engine of version 1 that mutants were planted in, and that crash walks were of.
pub const PLANTED_IN_VERSION_1: &str = "additive-delta";

/// Today's name of an engine that version 1 knew by this name, or that has this name today.
pub fn of_version_1(name: &str) -> Option<&'static str> {
    let renamed = NAMES_OF_VERSION_1.iter().find(|(old, _)| *old == name).map(|&(_, now)| now);
    renamed.or_else(|| find(name).ok().map(|engine| engine.name))
}

/// The engine of this name.
pub fn find(name: &str) -> Result<&'static Registration, Unknown> {
    every().find(|engine| engine.name == name).or_else(|| process::find(name)).ok_or_else(|| match name {
        library::LIBRARIES => Unknown::NoneInThisBuild(name.to_owned()),
        name if library::NAMES.contains(&name) => Unknown::NotInThisBuild(name.to_owned()),
        name => Unknown::Name(name.to_owned()),
    })
}
