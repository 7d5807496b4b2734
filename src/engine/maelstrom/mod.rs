//! Nodes that speak Maelstrom's protocol: `NAME=maelstrom:COMMAND`. Every replica is a process that needs no adapter.
//!
//! Such a node has timers of its own, and answers when it likes. So its worlds run in real time: virtual time goes no faster,
//! and nothing is repeated byte for byte. What one does between two lines, nobody sees; what it shows is what its last answer to
//! `read` gave. Knows: processes, and the protocol. Must not: know which node one is.

mod message;
mod node;
pub mod served;
mod service_link;
mod services;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::data::{Carries, Concurrent};
use crate::domain::offline::{Clocks, FaultKind, Link, MaelstromWorkload, OfflineTrial};
use crate::domain::seed::Seed;
use crate::engine::host::{Host, NodeId, Time};
use crate::engine::port::{Engine, EngineError, Settings};
use crate::engine::process::child::Child;
use crate::engine::process::folder::Folder;
use crate::engine::process::words::Words;
use crate::engine::process::{self, enter, is_free};
use crate::engine::store::disk::{Disk, Files};
use crate::engine::{Open, OpenInWorld, Registration, Started};
use node::MaelstromNode;
use services::Services;

/// What the name of a node has before its command.
pub const PREFIX: &str = "maelstrom:";

/// The same, of a node that keeps in its current folder what must survive.
pub const STORE_PREFIX: &str = "maelstrom-store:";

/// The most nodes of a world.
const MOST_NODES: u32 = 25;

/// The longest that one world may last, from its beginning to its end, in seconds.
const LONGEST_S: u64 = 120;

/// The longest that all worlds of a run may last together.
const LONGEST_RUN_S: u64 = 1800;

/// The most edits of one counter: their unique amounts must come to less than 2^53, which JavaScript counts exactly.
const MOST_EDITS: u64 = 240;

/// Microseconds in a second.
const SECOND: Time = 1_000_000;

/// How far virtual time may be behind and catch up. Beyond that it goes on from where it is: to hurry would shorten what nodes
/// have to come to rest.
const BEHIND: Duration = Duration::from_millis(250);

/// A kind of node: its command.
#[derive(Debug)]
pub struct MaelstromEngine {
    name: String,
    words: Words,
    keeps_store: bool,
}

/// What the nodes of one world have in common.
#[derive(Debug)]
struct Shared {
    workload: MaelstromWorkload,
    nodes: u32,
    /// The parent of each node, if it has one. In a world without a hub no node has a parent, and all are linked with all.
    parents: Vec<Option<NodeId>>,
    /// When faults are over, when nodes may send for the last time, and when the world ends.
    faults_over: Time,
    last_message: Time,
    end: Time,
    pace: Mutex<Option<Pace>>,
    services: Mutex<Services>,
    /// What links are like, those to services too, and where chances come from.
    link: Link,
    seed: Seed,
}

/// How virtual time follows real time.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// A moment of real time, and the virtual time of it.
    moment: Instant,
    at: Time,
    /// The latest virtual time that was waited for.
    latest: Time,
}

/// Splits the text that names a node: its name, whether it keeps a store, and its command. Nothing if the text names none.
pub fn split(text: &str) -> Option<(&str, bool, &str)> {
    let command_of = |text| {
        let of = |prefix, keeps| Some((keeps, str::strip_prefix(text, prefix)?));
        of(PREFIX, false).or_else(|| of(STORE_PREFIX, true))
    };
    if let Some((keeps, command)) = command_of(text) {
        return Some((command, keeps, command));
    }
    let (name, rest) = text.split_once('=')?;
    let (keeps, command) = command_of(rest).filter(|_| !name.is_empty())?;
    Some((name, keeps, command))
}

/// Starts the node that this text names, has it answer `init`, and enters it, once.
///
/// # Errors
/// [`EngineError::Unavailable`] if the command cannot be started, or does not answer `init`.
pub fn start(text: &str) -> Result<&'static Registration, EngineError> {
    if let Some(entry) = process::find(text) {
        return Ok(entry);
    }
    let unavailable = |why: String| EngineError::Unavailable(why);
    let (name, keeps_store, command) = split(text).ok_or_else(|| {
        unavailable(format!(
            "'{text}' names no Maelstrom node; write NAME={PREFIX}COMMAND, such as mine={PREFIX}./node"
        ))
    })?;
    is_free(name, if keeps_store { STORE_PREFIX } else { PREFIX }).map_err(unavailable)?;
    let words = Words::of(command).map_err(unavailable)?;
    let folder = Folder::with(&Files::new()).map_err(|error| unavailable(format!("cannot make a folder: {error}")))?;
    let mut child = Child::start(&words, &folder)?;
    node::begin(&mut child, 0, 1).map_err(|error| {
        unavailable(format!(
            "the Maelstrom node '{name}' ({words}) does not begin: {error}; docs/maelstrom.md says what it is asked"
        ))
    })?;
    drop(child);
    Ok(enter(text, registration(MaelstromEngine { name: name.to_owned(), words, keeps_store })))
}

/// The entry of a node. Nodes are entered once a run and are there to its end.
fn registration(engine: MaelstromEngine) -> &'static Registration {
    let name: &'static str = String::leak(engine.name.clone());
    let about = String::leak(format!("a Maelstrom node, run as {}", engine.words));
    let engine: &'static MaelstromEngine = Box::leak(Box::new(engine));
    Box::leak(Box::new(Registration {
        peers: true,
        // Users of its workloads insert, and remove nothing.
        carries: Carries::with_tags(Concurrent::InsertWins),
        copies: false,
        foreign: true,
        reports: false,
        own_timers: true,
        open: Open::Started(engine),
        ..Registration::of(name, about, |_, _| unreachable!("it is opened by its process"))
    }))
}

/// What the nodes of a world are asked.
///
/// # Errors
/// If there is no workload of this world.
pub fn workload(trial: &OfflineTrial) -> Result<MaelstromWorkload, String> {
    let asked = trial.maelstrom.workload;
    let of = match (trial.registers, trial.tags.registers) {
        (1, 0) if trial.workload.decrements => MaelstromWorkload::PnCounter,
        (1, 0) => MaelstromWorkload::GCounter,
        (0, 1) if trial.tags.removes_percent > 0 => {
            return Err("which keeps sets that only grow, and users of this world remove elements; set \
                        tags.removes_percent = 0"
                .to_owned());
        }
        (0, 1) => MaelstromWorkload::GSet,
        (counters, sets) => {
            return Err(format!(
                "which keeps one counter or one set, and this world has {counters} counters and {sets} sets; \
                 maelstrom-pn-counter and maelstrom-g-set are worlds for it"
            ));
        }
    };
    match asked {
        None => Ok(of),
        Some(asked) if asked.counts() != of.counts() || asked == MaelstromWorkload::GCounter && asked != of => {
            Err(format!("which would be asked the workload {}, and this world is one of {}", asked.name(), of.name()))
        }
        Some(asked) => Ok(asked),
    }
}

impl MaelstromEngine {
    /// Why faults of this world cannot happen to such a node.
    fn unsuited_faults(&self, trial: &OfflineTrial) -> Option<String> {
        if trial.clocks != Clocks::default() {
            return Some("which reads the clock of this machine, and clocks of this world are wrong".to_owned());
        }
        let of_links =
            |kind| matches!(kind, FaultKind::Outage | FaultKind::Refuse | FaultKind::Drop | FaultKind::SignedOut);
        let of_stores =
            |kind| !matches!(kind, FaultKind::Full | FaultKind::ReadOnly | FaultKind::Freeze | FaultKind::Import);
        let kinds = trial.faults.iter().map(|fault| fault.kind);
        let crashes = (trial.crashes > 0).then_some(FaultKind::Crash);
        let other = kinds.chain(crashes).find(|&kind| !(of_links(kind) || self.keeps_store && of_stores(kind)))?;
        let advice = if self.keeps_store || !of_stores(other) {
            String::new()
        } else {
            format!("; name it as {}={STORE_PREFIX}… if it keeps in its current folder what must survive", self.name)
        };
        Some(format!("which has faults of links alone, and this world has '{}'{advice}", other.name()))
    }
}

impl Started for MaelstromEngine {
    fn open(&'static self, _: &Settings, _: &mut Host<Disk>) -> Result<Box<dyn Engine>, EngineError> {
        Err(EngineError::Unavailable("a Maelstrom node runs in a world".to_owned()))
    }

    fn in_world(&'static self, trial: &OfflineTrial) -> OpenInWorld {
        let (nodes, lasts, settle) = (trial.nodes(), trial.presence.lasts_s * SECOND, trial.settle_s * SECOND);
        let shared = Arc::new(Shared {
            // Who does not suit a world is not on trial in it.
            workload: workload(trial).unwrap_or(MaelstromWorkload::PnCounter),
            nodes,
            parents: (0..nodes).map(|node| trial.parent(node)).collect(),
            faults_over: lasts,
            last_message: lasts + settle - settle / 8,
            end: lasts + settle,
            pace: Mutex::default(),
            services: Mutex::new(Services::new(trial.seed.stream("maelstrom services"))),
            link: trial.link,
            seed: trial.seed,
        });
        Box::new(move |settings, host| Ok(Box::new(MaelstromNode::open(self, &shared, settings, host)?)))
    }

    fn unsuited(&self, trial: &OfflineTrial) -> Option<String> {
        if trial.is_scripted() {
            return Some("which runs in real time, and this world is written down step by step".to_owned());
        }
        let of = match workload(trial) {
            Ok(of) => of,
            Err(why) => return Some(why),
        };
        let lasts = trial.presence.lasts_s.saturating_add(trial.settle_s);
        if lasts > LONGEST_S {
            return Some(format!(
                "which runs in real time, for {LONGEST_S} s at most, and this world lasts {lasts} s with settle_s"
            ));
        }
        let worlds = 2 * (u64::from(trial.maelstrom.runs) + u64::from(trial.more_worlds));
        if worlds * lasts > LONGEST_RUN_S {
            return Some(format!(
                "which runs in real time, for {LONGEST_RUN_S} s at most in all worlds, and {worlds} of {lasts} s are more: \
                 lower maelstrom.runs or more_worlds"
            ));
        }
        if trial.nodes() > MOST_NODES {
            return Some(format!("of which a world may have {MOST_NODES}, and this world has {}", trial.nodes()));
        }
        if trial.start != 0 {
            return Some("whose counter begins at 0, and this world has another start".to_owned());
        }
        if of.counts() && trial.edits() > MOST_EDITS {
            return Some(format!("which is asked {MOST_EDITS} edits at most, and this world has {}", trial.edits()));
        }
        self.unsuited_faults(trial)
    }

    fn notes(&self) -> Vec<String> {
        let store = match self.keeps_store {
            true => "its store is its current folder: a power failure is SIGKILL, and its files are as it wrote them",
            false => "it keeps nothing in a store that abench knows of: faults of links alone happen to it",
        };
        vec![
            format!("{}: a Maelstrom node, run as {}", self.name, self.words),
            "it has timers of its own: its worlds run in real time, and another run may end in another way. So each is run \
             several times: what comes every time is falsified, what does not is inconclusive"
                .to_owned(),
            "what it shows is what its last answer to 'read' gave".to_owned(),
            "services (lin-kv, seq-kv, lww-kv) are reached over links that delay and lose messages as those of this scenario do; \
             outages and absences are between nodes alone, and what services carry is no part of the bytes"
                .to_owned(),
            "Maelstrom's network loses messages and delays them; where this scenario repeats, cuts or alters them, a damaged \
             message is dropped and a repeated one comes twice"
                .to_owned(),
            store.to_owned(),
        ]
    }
}

impl Shared {
    /// Waits until real time is as far as virtual time, and gives that. A world that is far behind goes on from there: a busy
    /// machine makes it slower, and no deadline shorter. An edit that its user wanted to make earlier is made now: time never
    /// goes back.
    fn wait_until(&self, now: Time) -> Time {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let real = Instant::now();
        let pace = pace.get_or_insert(Pace { moment: real, at: now, latest: now });
        pace.latest = pace.latest.max(now);
        let due = pace.moment + Duration::from_micros(pace.latest - pace.at);
        match due.checked_duration_since(real) {
            Some(early) => std::thread::sleep(early),
            None if real.saturating_duration_since(due) > BEHIND => (pace.moment, pace.at) = (real, pace.latest),
            None => {}
        }
        pace.latest
    }

    /// The neighbour of a node that is on the way to another.
    fn next_hop(&self, from: NodeId, to: NodeId) -> Option<NodeId> {
        let above = |node: NodeId| self.parents.get(node as usize).copied().flatten();
        if self.parents.iter().all(Option::is_none) {
            return Some(to);
        }
        let mut at = to;
        while let Some(parent) = above(at) {
            if parent == from {
                return Some(at);
            }
            at = parent;
        }
        above(from)
    }

    /// The nodes that a node is linked with.
    fn neighbours(&self, node: NodeId) -> Vec<NodeId> {
        (0..self.nodes).filter(|&other| other != node && self.next_hop(node, other) == Some(other)).collect()
    }
}

/// What Maelstrom calls a node.
fn node_name(node: NodeId) -> String {
    format!("n{node}")
}

/// The number of a node that is called so.
fn node_number(name: &str, nodes: u32) -> Option<NodeId> {
    let number = name.strip_prefix('n')?.parse().ok()?;
    (number < nodes && node_name(number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::offline::{Edge, Presence, Tags, Workload};

    #[test]
    fn a_text_names_a_node_with_its_prefix_and_a_name_or_none() {
        assert_eq!(split("maelstrom:./node -v"), Some(("./node -v", false, "./node -v")));
        assert_eq!(split("mine=maelstrom:./node a=b"), Some(("mine", false, "./node a=b")));
        assert_eq!(split("mine=maelstrom-store:./node"), Some(("mine", true, "./node")));
        assert_eq!([split("maelstrom"), split("=maelstrom:x"), split("x=cmd:maelstrom:")], [None; 3]);
    }

    fn counter() -> OfflineTrial {
        let mut trial = OfflineTrial::of(Seed::new(1), 3);
        (trial.registers, trial.hub, trial.settle_s) = (1, false, 4);
        trial.workload = Workload { ticks: 4, changed: 1, most: 3, decrements: true, zipf_hundredths: None };
        trial.presence = Presence { lasts_s: 5, away_s: (0, 1), here_s: (1, 2) };
        trial
    }

    #[test]
    fn the_workload_follows_from_the_world_and_one_that_does_not_fit_is_refused() {
        let mut trial = counter();
        assert_eq!(workload(&trial), Ok(MaelstromWorkload::PnCounter));
        trial.maelstrom.workload = Some(MaelstromWorkload::GCounter);
        assert!(workload(&trial).unwrap_err().contains("g-counter, and this world is one of pn-counter"));
        trial.workload.decrements = false;
        assert_eq!(workload(&trial), Ok(MaelstromWorkload::GCounter));
        trial.maelstrom.workload = Some(MaelstromWorkload::Broadcast);
        assert!(workload(&trial).is_err());
        (trial.registers, trial.tags) = (0, Tags { registers: 1, edits: 4, removes_percent: 0, elements: 64 });
        assert_eq!(workload(&trial), Ok(MaelstromWorkload::Broadcast));
        trial.tags.removes_percent = 1;
        assert!(workload(&trial).unwrap_err().contains("tags.removes_percent = 0"));
        trial.registers = 7;
        assert!(workload(&trial).unwrap_err().contains("7 counters and 1 sets"));
    }

    #[test]
    fn worlds_that_no_real_time_allows_are_refused_and_stores_need_a_word() {
        let engine = |keeps_store| MaelstromEngine {
            name: "mine".to_owned(),
            words: Words::of("./node").expect("words"),
            keeps_store,
        };
        assert_eq!(engine(false).unsuited(&counter()), None);
        let refused = |change: fn(&mut OfflineTrial), keeps| {
            let mut trial = counter();
            change(&mut trial);
            engine(keeps).unsuited(&trial).unwrap_or_default()
        };
        assert!(refused(|trial| trial.settle_s = 3600, false).contains("lasts 3605 s"));
        assert!(refused(|trial| trial.more_worlds = 200, false).contains("406 of 9 s are more"));
        assert!(refused(|trial| trial.clients = 26, false).contains("this world has 26"));
        assert!(refused(|trial| trial.start = 5, false).contains("begins at 0"));
        assert!(refused(|trial| trial.clocks.skew_s = 5, false).contains("clocks of this world are wrong"));
        assert!(
            refused(|trial| trial.crashes = 1, false)
                .contains("this world has 'crash'; name it as mine=maelstrom-store:")
        );
        assert_eq!(refused(|trial| trial.crashes = 1, true), "");
        assert!(refused(|trial| trial.workload.ticks = 81, false).contains("240 edits at most"));
    }

    fn shared(trial: &OfflineTrial) -> Shared {
        Shared {
            workload: MaelstromWorkload::GSet,
            nodes: trial.nodes(),
            parents: (0..trial.nodes()).map(|node| trial.parent(node)).collect(),
            faults_over: 0,
            last_message: 0,
            end: 0,
            pace: Mutex::default(),
            services: Mutex::new(Services::new(trial.seed.stream("s"))),
            link: trial.link,
            seed: trial.seed,
        }
    }

    #[test]
    fn an_edit_that_is_late_is_made_now_and_costs_no_time() {
        let shared = shared(&counter());
        let a_while_ago = Instant::now().checked_sub(Duration::from_secs(60)).expect("a minute");
        *shared.pace.lock().expect("a lock") = Some(Pace { moment: a_while_ago, at: 0, latest: 50 * SECOND });
        let start = Instant::now();
        assert_eq!([10 * SECOND, 50 * SECOND + 1].map(|now| shared.wait_until(now)), [50 * SECOND, 50 * SECOND + 1]);
        // To go on from the tenth second would be to wait for 40 s.
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }

    #[test]
    fn in_a_tree_a_message_takes_the_way_over_the_hub() {
        let mut trial = counter();
        trial.hub = true;
        trial.edges = vec![Edge { name: "near".to_owned(), parent: Some("hub".to_owned()), clients: vec![0, 1] }];
        let shared = shared(&trial);
        // Clients 0, 1 and 2, the hub, the edge of 0 and 1.
        let way = |from, to| shared.next_hop(from, to);
        assert_eq!([way(0, 1), way(4, 1), way(0, 2), way(4, 2), way(3, 2)], [4, 1, 4, 3, 2].map(Some));
        assert_eq!(
            [shared.neighbours(0), shared.neighbours(4), shared.neighbours(3)],
            [vec![4], vec![0, 1, 3], vec![2, 4]]
        );
        assert_eq!([node_number("n2", 3), node_number("n3", 3), node_number("n02", 3)], [Some(2), None, None]);
    }
}
