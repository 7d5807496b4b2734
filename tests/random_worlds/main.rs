//! Random legal worlds: every key of `[offline]` but `mutants` gets a random value that its bounds allow, and near their ends
//! more often than elsewhere. A third of the worlds are written down as random steps. Each world runs twice, on one thread and on two. The two records must be the same, the run must end with
//! a verdict, and no random world may falsify the reference.
//!
//! A world that fails is kept as a scenario under `target/tmp/random-worlds`, and the message says how to run it again.
//! The seed is the commit, where git knows one; `ABENCH_RANDOM_WORLDS_SEED` sets another and `ABENCH_RANDOM_WORLDS` how
//! many worlds there are.

mod steps;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use abench::domain::data::DataType;
use abench::domain::seed::{Seed, Stream};
use abench::engine::{self, REGISTRY, Registration};
use serde_json::Value;
use steps::{Register, Script};

/// So many worlds where nothing else is asked for.
const WORLDS: u64 = 100;

/// The seed where git knows no commit.
const FIXED: u64 = 0x5EED;

fn asked(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

/// The first 64 bits of the commit that is tested.
fn seed() -> Seed {
    if let Some(asked) = asked("ABENCH_RANDOM_WORLDS_SEED") {
        return asked.parse().expect("ABENCH_RANDOM_WORLDS_SEED is a seed");
    }
    let git = Command::new("git").args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "HEAD"]).output();
    let commit =
        git.ok().filter(|git| git.status.success()).map(|git| String::from_utf8_lossy(&git.stdout).into_owned());
    let word = commit.and_then(|commit| u64::from_str_radix(commit.get(..16)?, 16).ok());
    Seed::new(word.unwrap_or(FIXED))
}

/// The nodes of a world.
struct Shape {
    clients: u64,
    hub: bool,
    /// The parent and the clients of each edge.
    of_edges: Vec<(String, Vec<u64>)>,
}

/// Draws the keys of one world.
struct Draws(Stream);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True once in so many draws.
    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    /// A share of a thousand: mostly none, sometimes a little, seldom most.
    fn per_mille(&mut self) -> u64 {
        let most = self.of(&[0, 0, 0, 20, 100, 500]);
        self.below(most + 1)
    }

    /// The start of every register: near the limits of 64 bits half of the time.
    fn start(&mut self) -> i64 {
        let near = self.below(8) as i64;
        match self.below(6) {
            0 => 0,
            1 => i64::MAX - near,
            2 => i64::MIN + near,
            3 => 123_456,
            4 => -near,
            _ => self.0.word() as i64,
        }
    }
}

/// A scenario with one random world.
fn scenario(draws: &mut Draws) -> String {
    let mut text = "version = 2\n[offline]\n".to_owned();
    let mut line = |key: &str, value: String| writeln!(text, "{key} = {value}").expect("text takes everything");
    let hub = draws.below(4) > 0;
    let registers = draws.of(&[1, 2, 3, 8, 64, 65]);
    let clients = draws.between(if hub { 1 } else { 2 }, 6);
    line("seed", format!("'{:#x}'", draws.0.word()));
    line("registers", registers.to_string());
    line("start", draws.start().to_string());
    line("clients", clients.to_string());
    line("hub", hub.to_string());
    let edges = if hub { draws.of(&[0, 0, 1, 2]) } else { 0 };
    let mut free: Vec<u64> = (0..clients).collect();
    let mut shape = Shape { clients, hub, of_edges: Vec::new() };
    for edge in 0..edges {
        let parent = if edge > 0 && draws.one_in(2) { format!("edge{}", edge - 1) } else { "hub".to_owned() };
        let taken = draws.below(free.len() as u64 + 1) as usize;
        let at_edge: Vec<u64> = free.drain(..taken).collect();
        shape.of_edges.push((parent, at_edge));
    }
    if edges > 0 {
        let edge = |(number, (parent, clients)): (usize, &(String, Vec<u64>))| {
            format!("{{ name = 'edge{number}', parent = '{parent}', clients = {clients:?} }}")
        };
        let edges: Vec<String> = shape.of_edges.iter().enumerate().map(edge).collect();
        line("edges", format!("[{}]", edges.join(", ")));
    }
    let reference = engine::reference().name;
    // Beside counters, eight worlds of ten have other data types, and the engines that carry them.
    let is_scripted = draws.one_in(3);
    let mut of_steps: Vec<Register> = Vec::new();
    of_steps.extend((0..registers).map(|_| Register { of: DataType::Counter, elements: 0, labels: 0 }));
    let types: Vec<DataType> = match draws.below(10) {
        0 => vec![DataType::Stock],
        1 => vec![DataType::Tags],
        2 => vec![DataType::Label],
        3 => vec![DataType::Record],
        4 => vec![
            draws.of(&[DataType::Stock, DataType::Tags]),
            draws.of(&[DataType::Label, DataType::Record, DataType::Text, DataType::Claim, DataType::Case]),
        ],
        5 => vec![DataType::Text],
        6 => vec![DataType::Claim],
        7 => vec![DataType::Case],
        _ => Vec::new(),
    };
    for data in &types {
        let (registers, elements, labels) = (draws.between(1, 3), draws.between(1, 5), draws.between(1, 4));
        of_steps.extend((0..registers).map(|_| Register { of: *data, elements, labels }));
        line(&format!("{}.registers", data.plural()), registers.to_string());
        if !is_scripted {
            line(&format!("{}.edits", data.plural()), draws.of(&[0, 1, 12, 40]).to_string());
        }
        match data {
            DataType::Tags => line("tags.elements", elements.to_string()),
            DataType::Case => {
                line("cases.items", elements.to_string());
                line("cases.closes_percent", draws.of(&[0, 10, 40]).to_string());
            }
            DataType::Stock => {
                line("stocks.supplies_percent", draws.of(&[0, 10, 40]).to_string());
                line("stocks.transfers_percent", draws.of(&[0, 10, 40, 100]).to_string());
                line("stocks.most", draws.of(&[1, 5, 1_000_000]).to_string());
            }
            DataType::Record => {
                line("records.labels", labels.to_string());
                line("records.elements", elements.to_string());
                line("records.creates_percent", draws.of(&[10, 25, 50]).to_string());
                line("records.deletes_percent", draws.of(&[0, 10, 40]).to_string());
            }
            DataType::Text => {
                line("texts.moves_percent", draws.of(&[0, 12, 60]).to_string());
                line("texts.erases_percent", draws.of(&[0, 12, 40]).to_string());
            }
            _ => {}
        }
    }
    let suits = |engine: &&Registration| {
        (engine.peers || hub && edges == 0) && types.iter().all(|&data| engine.carries.has(data))
    };
    let supported: Vec<&str> = REGISTRY.iter().filter(suits).map(|engine| engine.name).collect();
    let others = draws.of(&[0, 0, 1, 1, 2, 2, 2, supported.len() as u64]);
    let mut engines = vec![reference];
    for _ in 0..others {
        let other = draws.of(&supported);
        if !engines.contains(&other) {
            engines.push(other);
        }
    }
    line("engines", format!("{engines:?}"));
    // A hub bears more than any of these worlds has.
    if hub && draws.one_in(3) {
        for (key, least) in [("attempts", 1u64 << 20), ("messages", 1 << 20), ("bytes", 1 << 40)] {
            line(&format!("load.{key}"), draws.of(&[least, 1 << 50]).to_string());
        }
    }
    let waits_s = link(draws, &mut line);
    // Where the line is slow and long messages are lost again and again, a replica needs its time.
    line("settle_s", (86_400 + 20 * waits_s).to_string());
    // No present device waits for longer: what is late then never comes. A script may cut devices off for longer.
    if draws.one_in(3) && !is_scripted {
        line("staleness_s", (100_000 + 20 * waits_s).to_string());
    }
    if is_scripted {
        // Where the link is as it was meant to be, a script may wait.
        let steps = draws.of(&[1, 4, 12, 40]);
        let is_calm = draws.one_in(3);
        if !is_calm {
            rates(draws, &mut line);
        }
        let steps = Script::of(&shape, &of_steps, is_calm).drawn(draws, steps);
        line("steps", format!("[\n    {},\n]", steps.join(",\n    ")));
        return text;
    }
    rates(draws, &mut line);
    line("crashes", draws.of(&[0, 0, 3, 12]).to_string());
    line("more_worlds", draws.of(&[0, 0, 1]).to_string());
    let lasts = draws.of(&[600, 3600, 14_400]);
    line("faults", format!("[{}]", faults(draws, &shape, lasts).join(", ")));

    line("workload.ticks", draws.of(&[0, 1, 3, 12, 30]).to_string());
    line("workload.changed", draws.between(1, u64::min(registers, 9)).to_string());
    line("workload.most", draws.of(&[1, 3, 1000, u64::from(u32::MAX)]).to_string());
    line("workload.decrements", draws.one_in(2).to_string());
    if draws.one_in(3) {
        line("workload.zipf_hundredths", draws.of(&[1, 100, 1000]).to_string());
    }
    line("presence.lasts_s", lasts.to_string());
    for key in ["presence.away_s", "presence.here_s"] {
        let least = draws.of(&[0, 1, 60, 600]);
        let most = least + draws.of(&[1, 30, 1200]);
        line(key, format!("[{least}, {most}]"));
    }
    line("link.outages", draws.of(&[0, 0, 1, 5]).to_string());
    line("link.outage_s", draws.between(1, 300).to_string());
    if draws.one_in(3) {
        line("clocks.skew_s", draws.of(&[0, 1, 86_400]).to_string());
        line("clocks.drift_ppm", draws.of(&[0, 100, 1_000_000]).to_string());
        let jumps = draws.below(3);
        line("clocks.jumps", jumps.to_string());
        line("clocks.jump_s", if jumps > 0 { draws.between(1, 90_000) } else { 0 }.to_string());
    }
    text
}

/// How links are, and what nodes keep and send. Gives the seconds that the longest message takes.
fn link(draws: &mut Draws, line: &mut impl FnMut(&str, String)) -> u64 {
    let (bits_per_s, fragment) = (draws.of(&[9600, 64_000, 10_000_000]), draws.of(&[64, 65, 200, 4096, 1 << 24]));
    line("link.bits_per_s", bits_per_s.to_string());
    line("link.latency_ms", draws.of(&[0, 20, 900]).to_string());
    line("link.jitter_ms", draws.of(&[0, 0, 5, 3000]).to_string());
    line("journal.retain", draws.of(&[0, 0, 1, 64, 1_000_000_000]).to_string());
    line("journal.compact_after", draws.of(&[1, 2, 7, 40, 4096, 1_000_000_000]).to_string());
    line("journal.fragment", fragment.to_string());
    8 * fragment / bits_per_s
}

/// What links do to messages.
fn rates(draws: &mut Draws, line: &mut impl FnMut(&str, String)) {
    for key in ["lost", "repeated", "reordered", "truncated", "corrupted"] {
        line(&format!("link.{key}_per_mille"), draws.per_mille().to_string());
    }
}

/// Every kind of fault of a node.
const KINDS: &[&str] = &[
    "crash",
    "outage",
    "wipe",
    "clone",
    "restore",
    "damage",
    "full",
    "refuse",
    "read-only",
    "freeze",
    "retire",
    "start-over",
    "import",
    "drop",
    "signed-out",
];

impl Shape {
    /// The names of all nodes: clients first, then the hub, then edges.
    fn names(&self) -> Vec<String> {
        let clients = (0..self.clients).map(|client| format!("client {client}"));
        let edges = (0..self.of_edges.len()).map(|edge| format!("edge{edge}"));
        clients.chain(self.hub.then(|| "hub".to_owned())).chain(edges).collect()
    }

    /// The nodes that a node has a link with.
    fn linked_with(&self, node: &str) -> Vec<String> {
        let names = self.names();
        if !self.hub {
            return names.into_iter().filter(|other| other != node).collect();
        }
        let parent = |name: &str| {
            let edge = self.of_edges.iter().enumerate().find_map(|(number, (parent, below))| {
                let is_edge = name == format!("edge{number}");
                let is_client = below.iter().any(|client| name == format!("client {client}"));
                if is_edge { Some(parent.clone()) } else { is_client.then(|| format!("edge{number}")) }
            });
            edge.or_else(|| (name != "hub").then(|| "hub".to_owned()))
        };
        let children = names.iter().filter(|other| parent(other).as_deref() == Some(node)).cloned();
        parent(node).into_iter().chain(children).collect()
    }
}

/// Faults of random nodes.
fn faults(draws: &mut Draws, shape: &Shape, lasts: u64) -> Vec<String> {
    let (clients, hub) = (shape.clients, shape.hub);
    let (mut restored, mut retired) = (Vec::new(), BTreeSet::new());
    let mut faults = Vec::new();
    for _ in 0..draws.of(&[0, 1, 2, 4, 6]) {
        let mut nodes = shape.names();
        let kind = draws.of(KINDS);
        if kind == "clone" {
            // Another client stands after it, and its device is replaced.
            nodes.truncate(clients as usize - 1);
        }
        if nodes.is_empty() {
            continue;
        }
        let node = &nodes[draws.below(nodes.len() as u64) as usize];
        // One backup at a time: a second one of the same node may overlap the first.
        if kind == "restore" && restored.contains(node) {
            continue;
        }
        // Without a hub, one client stays.
        let stays = |node: &String| retired.iter().filter(|&other| other != node).count() as u64 + 1 < clients;
        if kind == "retire" && !hub && !stays(node) {
            continue;
        }
        let linked = shape.linked_with(node);
        let of_users = ["retire", "signed-out"].contains(&kind);
        if kind == "import" && linked.is_empty() || of_users && !node.starts_with("client") {
            continue;
        }
        let at = draws.between(1, lasts - 1);
        let mut fault = format!("{{ kind = '{kind}', node = '{node}', at_s = {at}");
        let mut key = |key: &str, value: String| write!(fault, ", {key} = {value}").expect("text takes everything");
        match kind {
            "retire" | "drop" => {}
            "full" | "refuse" | "read-only" | "freeze" | "signed-out" => {
                key("for_s", draws.between(1, u64::min(lasts - at, 1000)).to_string());
            }
            _ => key("for_s", draws.below(u64::min(lasts - at, 1000) + 1).to_string()),
        }
        if kind == "freeze" && draws.one_in(2) {
            key("messages", format!("'{}'", draws.of(&["wait", "lost"])));
        }
        if kind == "import" {
            key("from", format!("'{}'", linked[draws.below(linked.len() as u64) as usize]));
        }
        if kind == "drop" {
            if linked.is_empty() {
                continue;
            }
            key("to", format!("'{}'", linked[draws.below(linked.len() as u64) as usize]));
            key("nth", draws.of(&[1, 1, 2, 5]).to_string());
            if draws.one_in(2) {
                key("message", format!("'{}'", draws.of(&["retransmission", "data", "acknowledgement", "handshake"])));
            }
        }
        if kind == "retire" {
            retired.insert(node.clone());
        }
        if kind == "restore" {
            restored.push(node.clone());
            write!(fault, ", age_s = {}", draws.between(1, at)).expect("text takes everything");
        }
        faults.push(fault + " }");
    }
    faults
}

/// A world: its scenario, and what is wrong with a run of it, if anything is.
struct Tried {
    scenario: PathBuf,
    wrong: Option<String>,
    engines: u64,
    edits: u64,
}

/// The record of a run on so many threads, without what no run can repeat; or what the run ended with.
fn record(scenario: &PathBuf, threads: u32) -> Result<Value, String> {
    let threads = threads.to_string();
    let mut run = Command::new(env!("CARGO_BIN_EXE_abench"));
    run.arg("run").arg(scenario).args(["--threads", &threads, "--progress", "never", "--record", "-"]);
    let output = run.output().expect("the binary starts");
    let talk = String::from_utf8_lossy(&output.stderr);
    // What holds, what is falsified, what nothing can be told of. Anything else is a fault of abench, or of the generator.
    if !matches!(output.status.code(), Some(0 | 1 | 3)) {
        return Err(format!("the run ends with {}: {talk}", output.status));
    }
    let mut record: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("the record is none: {error}"))?;
    let sections = record.as_object_mut().ok_or("the record is no table")?;
    sections.remove("timing");
    sections.remove("host");
    Ok(record)
}

/// What is wrong with the runs of this scenario; else how many engines ran, and how many edits there were.
fn judged(scenario: &PathBuf) -> Result<(u64, u64), String> {
    let one = record(scenario, 1)?;
    let two = record(scenario, 2)?;
    // Byte for byte, the order of keys included.
    let texts = [one.to_string(), two.to_string()];
    if texts[0] != texts[1] {
        return Err("the record of two threads is not that of one".to_owned());
    }
    let world = &one["offline"];
    let rows = world["engines"].as_array().ok_or("no engine ran")?;
    let reference =
        rows.iter().find(|row| row["name"] == engine::reference().name).ok_or("the reference did not run")?;
    if reference["verdict"] == "falsified" {
        return Err(format!("the reference is falsified: {}", reference["oracles"]));
    }
    Ok((rows.len() as u64, world["edits"].as_u64().unwrap_or(0)))
}

/// Draws this world, and runs it.
fn tried(stream: &Stream, number: u64) -> Tried {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("random-worlds-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the worlds");
    let text = scenario(&mut Draws(stream.member(number)));
    let scenario = folder.join(format!("world-{number}.toml"));
    std::fs::write(&scenario, text).expect("a file");
    let (wrong, (engines, edits)) = match judged(&scenario) {
        Ok(counts) => (None, counts),
        Err(wrong) => (Some(wrong), (0, 0)),
    };
    if wrong.is_none() {
        std::fs::remove_file(&scenario).expect("it was written");
    }
    Tried { scenario, wrong, engines, edits }
}

#[test]
fn random_legal_worlds_end_with_a_verdict_whatever_the_number_of_threads_and_never_falsify_the_reference() {
    let seed = seed();
    let worlds = asked("ABENCH_RANDOM_WORLDS").map_or(WORLDS, |worlds| worlds.parse().expect("a number of worlds"));
    let stream = seed.stream("random worlds");
    let (next, all) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= worlds {
                        return;
                    }
                    let tried = tried(&stream, number);
                    all.lock().expect("no thread fails").push(tried);
                }
            });
        }
    });
    let all = all.into_inner().expect("no thread fails");
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|tried| {
            let wrong = tried.wrong.as_ref()?;
            Some(format!("abench run {}: {wrong}", tried.scenario.display()))
        })
        .collect();
    let of = wrong.len();
    assert!(wrong.is_empty(), "ABENCH_RANDOM_WORLDS_SEED={seed}: {of} of {worlds} worlds fail\n{}", wrong.join("\n"));
    // The generator does not draw worlds in which nothing happens.
    let (engines, edits) = all.iter().fold((0, 0), |(engines, edits), t| (engines + t.engines, edits + t.edits));
    assert!(
        2 * engines >= 3 * worlds && edits >= 30 * worlds,
        "{engines} engines and {edits} edits in {worlds} worlds"
    );
}
