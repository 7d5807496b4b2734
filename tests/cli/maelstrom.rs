//! Maelstrom nodes of three languages in worlds of abench, and the reference as a node of a harness that is not ours.
//!
//! Their worlds run in real time: each test has a world of a few seconds, and asks for what comes out whatever the machine is busy
//! with. A count of a race is asked of a world in which dozens are expected.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Answer, abench, has, short_answer, unwrapped};

/// A world of 3 clients for 2 s, and 3 s to come to rest.
fn world(registers: &str) -> String {
    format!(
        r#"
version = 2
[offline]
seed = "0x7"
clients = 3
hub = false
settle_s = 3
{registers}
[offline.presence]
lasts_s = 2
away_s = [0, 1]
here_s = [1, 1]
[offline.link]
latency_ms = 5
"#
    )
}

/// One counter, of which each client makes so many edits.
fn counter(ticks: u32, decrements: bool) -> String {
    world(&format!("registers = 1\nworkload = {{ ticks = {ticks}, changed = 1, most = 9, decrements = {decrements} }}"))
}

fn set(workload: &str) -> String {
    world(&format!(
        "registers = 0\nworkload = {{ ticks = 0, changed = 0 }}\nmaelstrom = {{ workload = '{workload}' }}\n\
         tags = {{ registers = 1, elements = 512, edits = 8, removes_percent = 0 }}"
    ))
}

/// What a world comes to with a node.
fn run(world: &str, node: &str) -> (Answer, Option<Value>) {
    let folder = TempDir::new().expect("a folder");
    let (scenario, record) = (folder.path().join("world.toml"), folder.path().join("record.json"));
    fs::write(&scenario, world).expect("it is written");
    let mut command = abench();
    command.arg("run").arg(&scenario).arg("--record").arg(&record);
    command.args(["--threads", "4", "-vv", "--engines", &format!("theirs={node}")]);
    let answer = Answer::of(command.output().expect("the binary starts"));
    let record = fs::read_to_string(&record).ok().map(|text| serde_json::from_str(&text).expect("a record"));
    (answer, record)
}

/// A node in Python, of a workload, with something that it does wrong.
fn python(workload: &str, how: &str) -> String {
    format!("maelstrom:python3 tests/maelstrom/node.py {workload} {how}")
}

fn verdict_of<'a>(record: &'a Option<Value>, judge: &str) -> &'a Value {
    &record.as_ref().expect("a record")["offline"]["engines"][0]["oracles"][judge][0]
}

/// The node in Rust, compiled without crates.
fn rust_node(folder: &Path) -> String {
    let node = folder.join("node");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiled =
        Command::new(rustc).args(["--edition", "2024", "-O", "tests/maelstrom/node.rs", "-o"]).arg(&node).output();
    let compiled = compiled.expect("rustc starts");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    node.display().to_string()
}

#[test]
fn a_right_counter_in_python_holds_in_three_runs_and_the_record_says_that_it_is_not_deterministic() {
    if !has("python3") {
        return;
    }
    let (answer, record) = run(&counter(8, true), &python("pn-counter", ""));
    assert_eq!(answer.exit, 0, "{answer:?}");
    let engine = &record.as_ref().expect("a record")["offline"]["engines"][0];
    assert_eq!((&engine["repeats"], engine["runs"].as_array().map(Vec::len)), (&Value::Bool(false), Some(3)));
    assert!(engine["runs"].as_array().expect("runs").iter().all(|run| run["verdict"] == "holds"), "{engine}");
    let told = unwrapped(&answer.output);
    assert!(
        told.contains("theirs: not deterministic; the runs of the scenario's own world gave holds, holds, holds"),
        "{told}"
    );
    assert!(told.contains("it has timers of its own: its worlds run in real time"), "{told}");
    assert!(told.contains("no edit waits for its answer; its timers go on"), "{told}");
}

#[test]
fn a_counter_that_counts_again_is_falsified_in_every_run_and_has_no_script() {
    if !has("python3") {
        return;
    }
    let (answer, record) = run(&counter(8, false), &python("g-counter", "sums"));
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert_eq!(*verdict_of(&record, "truth"), "falsified");
    let told = unwrapped(&answer.output);
    assert!(told.contains("no script is given: an engine with timers of its own does not repeat itself"), "{told}");
}

#[test]
fn a_set_in_javascript_that_sends_again_holds_over_a_bad_link_and_one_that_tells_once_is_falsified() {
    if !has("node") {
        return;
    }
    let bad = |workload| set(workload) + "lost_per_mille = 300\n";
    let (answer, _) = run(&bad("broadcast"), "maelstrom:node tests/maelstrom/node.mjs broadcast");
    assert_eq!(answer.exit, 0, "{answer:?}");
    let (answer, record) = run(&bad("g-set"), "maelstrom:node tests/maelstrom/node.mjs g-set tells-once");
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert_eq!(*verdict_of(&record, "convergence"), "falsified");
}

#[test]
fn a_counter_in_rust_that_compares_in_seq_kv_holds_and_one_that_writes_loses_edits() {
    let folder = TempDir::new().expect("a folder");
    let node = rust_node(folder.path());
    let (answer, _) = run(&counter(12, false), &format!("maelstrom:{node} seq-kv"));
    assert_eq!(answer.exit, 0, "{answer:?}");
    let (answer, record) = run(&counter(40, false), &format!("maelstrom:{node} lin-kv writes"));
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert_eq!(*verdict_of(&record, "truth"), "falsified");
    assert_eq!(*verdict_of(&record, "convergence"), "holds");
}

#[test]
fn links_to_services_lose_messages_and_a_node_that_asks_again_holds() {
    if !has("python3") {
        return;
    }
    let bad = counter(12, false) + "jitter_ms = 5\nlost_per_mille = 200\n";
    let node = |how: &str| format!("maelstrom:python3 tests/maelstrom/kv_counter.py {how}");
    let (answer, record) = run(&bad, &node(""));
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert_eq!(*verdict_of(&record, "faults"), "holds");
    let (answer, record) = run(&bad, &node("adds-again"));
    // In real time, it is one run in which truth accuses, and another in which exactly once does.
    assert_eq!((answer.exit, &record.expect("a record")["verdict"]), (1, &"falsified".into()), "{answer:?}");
}

#[test]
fn a_node_that_answers_no_edit_costs_no_more_time_than_its_world_lasts() {
    if !has("python3") {
        return;
    }
    let world = counter(30, true).replace("settle_s = 3", "settle_s = 8") + "[offline.maelstrom]\nruns = 1\n";
    let (answer, record) = run(&world, &python("pn-counter", "deaf"));
    assert_eq!(answer.exit, 1, "{answer:?}");
    // Two worlds of 10 s, its own and that of unique amounts. Should time go back to when an edit was due, 90 edits take 4 s each.
    let took = record.expect("a record")["timing"]["total_us"].as_u64().expect("a time");
    assert!(took < 60_000_000, "{took} us");
}

#[test]
fn a_node_that_answers_no_edit_is_given_up_after_three_in_a_long_world() {
    if !has("python3") {
        return;
    }
    let long = counter(30, true).replace("lasts_s = 2", "lasts_s = 90").replace("away_s = [0, 1]", "away_s = [1, 1]");
    let world = long.replace("here_s = [1, 1]", "here_s = [90, 90]") + "[offline.maelstrom]\nruns = 1\n";
    let (answer, _) = run(&world, &python("pn-counter", "deaf"));
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert!(unwrapped(&answer.output).contains("it answered no 'add' of 3 that it was asked"), "{}", answer.output);
}

#[test]
fn a_signal_ends_a_run_that_waits_for_a_node_at_once() {
    if !has("python3") {
        return;
    }
    let folder = TempDir::new().expect("a folder");
    let (scenario, hangs) = (folder.path().join("world.toml"), folder.path().join("hangs"));
    fs::write(&scenario, counter(4, true)).expect("it is written");
    let node = format!("theirs={}", python("pn-counter", &format!("hangs:{}", hangs.display())));
    let mut command = abench();
    command.arg("run").arg(&scenario).args(["--threads", "4", "--engines", &node]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    while !hangs.exists() {
        thread::sleep(Duration::from_millis(5));
    }
    let start = Instant::now();
    let kill = format!("kill -TERM {}", run.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh").success());
    let answer = Answer::of(run.wait_with_output().expect("it ends"));
    assert_eq!(answer.exit, 130, "{answer:?}");
    // It waits for the answer to 'init' for 10 s.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn what_a_node_does_wrong_is_a_finding_that_says_what_it_did() {
    if !has("python3") {
        return;
    }
    let wrong = [
        (
            "garbage",
            "it wrote a line that is no message of Maelstrom: expected value at line 1 column 1; a message is an object with \
             'src', 'dest' and 'body'; its line was 'added!'",
        ),
        (
            "crashes",
            "it ended (exit status 3) when it was to answer 'add'; it wrote to standard error: 'the index is corrupt'",
        ),
        (
            "a-stranger",
            "it sent a message to 'n77', which is no node, no service and not its client; nodes are n0 to n2, services lin-kv, \
             seq-kv and lww-kv, and its client is c",
        ),
        (
            "no-number",
            "its answer to 'read' has no whole number 'value': it is '\"many\"'; its line was '{\"src\": \"n",
        ),
        ("deaf", "it answered no 'add' of 1 that it was asked; its client waited 5.04 s for each, or until the end"),
    ];
    for (how, why) in wrong {
        let world = counter(8, true) + "[offline.maelstrom]\nruns = 1\n";
        let (answer, record) = run(&world, &python("pn-counter", how));
        assert_eq!((answer.exit, verdict_of(&record, "running")), (1, &"falsified".into()), "{how}: {answer:?}");
        assert!(unwrapped(&answer.output).contains(why), "{how}: {}", answer.output);
    }
}

#[test]
fn a_node_that_floods_is_ended_in_bounded_memory() {
    if !has("python3") {
        return;
    }
    let world = counter(8, true) + "[offline.maelstrom]\nruns = 1\n";
    let (answer, record) = run(&world, &python("pn-counter", "floods"));
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert_eq!(*verdict_of(&record, "running"), "falsified");
    assert!(unwrapped(&answer.output).contains("it wrote more than 8 MiB within a second"), "{}", answer.output);
}

#[test]
fn a_node_that_keeps_a_store_survives_a_crash_and_one_that_keeps_nothing_does_not() {
    if !has("python3") {
        return;
    }
    let crash = "[[offline.faults]]\nkind = 'crash'\nnode = 'client 1'\nat_s = 1\nfor_s = 1\n";
    let world = counter(12, true) + "[offline.maelstrom]\nruns = 1\n" + crash;
    let stored = |how: &str| python("pn-counter", how).replace("maelstrom:", "maelstrom-store:");
    let (answer, _) = run(&world, &stored("stores"));
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert!(
        unwrapped(&answer.output).contains("its store is its current folder: a power failure is SIGKILL"),
        "{answer:?}"
    );
    let (answer, _) = run(&world, &stored(""));
    assert_eq!(answer.exit, 1, "{answer:?}");
    let (answer, _) = run(&world, &python("pn-counter", "stores"));
    assert_eq!(answer.exit, 2, "{answer:?}");
    assert!(unwrapped(&answer.talk).contains("name it as theirs=maelstrom-store:"), "{}", answer.talk);
}

#[test]
fn what_comes_in_some_runs_alone_is_inconclusive() {
    if !has("python3") {
        return;
    }
    let folder = TempDir::new().expect("a folder");
    let begun = folder.path().join("begun");
    let world = counter(8, true) + "[offline.maelstrom]\nruns = 4\n";
    let (answer, record) = run(&world, &python("pn-counter", &format!("sometimes:{}", begun.display())));
    assert_eq!(answer.exit, 3, "{answer:?}");
    let record = record.expect("a record");
    let runs = record["offline"]["engines"][0]["runs"].as_array().expect("runs");
    assert!(runs.iter().any(|run| run["verdict"] == "falsified"), "{runs:?}");
    let told = unwrapped(&answer.output);
    assert!(told.contains("not reproducible") && told.contains("in 1 of 4 runs of this world"), "{told}");
}

#[test]
fn a_node_that_cannot_be_asked_is_unavailable_and_the_message_says_what_to_do() {
    if !has("python3") {
        return;
    }
    let asked = [
        (python("pn-counter", "silent"), "does not begin: it did not answer 'init' within 10 s"),
        (
            python("pn-counter", "another-workload"),
            "it does not know 'read' of the workload pn-counter: error 10, 'what is that?'",
        ),
        (
            python("pn-counter", "answers-init-alone"),
            "it answered no request of the workload pn-counter: none of 1 'add' (5.04 s waited for each at most) and none of",
        ),
        ("maelstrom:./nothing-here".to_owned(), "cannot start './nothing-here'"),
        ("maelstrom:".to_owned(), "the command has no words"),
    ];
    for (node, why) in asked {
        let world = counter(4, true) + "[offline.maelstrom]\nruns = 1\n";
        let (answer, _) = run(&world, &node);
        assert_eq!(answer.exit, 4, "{node}: {answer:?}");
        let told = unwrapped(&answer.output) + &unwrapped(&answer.talk);
        assert!(told.contains(why), "{node}: {told}");
    }
}

#[test]
fn worlds_that_are_none_for_such_a_node_are_refused_before_anything_runs() {
    if !has("python3") {
        return;
    }
    let theirs = python("pn-counter", "");
    for (scenario, why) in [
        ("field-tally", "which keeps one counter or one set"),
        ("killed-between-two-writes", "and this world is written down step by step"),
        ("maelstrom-g-set", ""),
    ] {
        let answer = short_answer(&["run", scenario, "--engines", &format!("theirs={theirs}"), "--threads", "4"]);
        if why.is_empty() {
            // A counter in a world of a set answers 'add' without an element by falling over.
            assert_eq!(answer.exit, 1, "{answer:?}");
        } else {
            assert_eq!(answer.exit, 2, "{answer:?}");
            assert!(unwrapped(&answer.talk).contains(why), "{}", answer.talk);
        }
    }
}

#[test]
fn the_reference_as_a_node_satisfies_a_harness_of_others() {
    if !has("python3") {
        return;
    }
    let harnesses: Vec<_> = ["g-counter", "pn-counter", "g-set", "broadcast"]
        .into_iter()
        .map(|workload| {
            let mut harness = Command::new("python3");
            harness.args(["tests/maelstrom/harness.py", workload, env!("CARGO_BIN_EXE_abench"), "maelstrom", workload]);
            (workload, harness.stdout(Stdio::piped()).spawn().expect("python3 starts"))
        })
        .collect();
    for (workload, harness) in harnesses {
        let ended = harness.wait_with_output().expect("it ends");
        assert!(ended.status.success(), "{workload}: {}", String::from_utf8_lossy(&ended.stdout));
        assert!(!String::from_utf8_lossy(&ended.stdout).starts_with("0 messages"), "{workload}");
    }
}

#[test]
fn the_stand_in_for_the_harness_sees_a_node_that_is_wrong() {
    if !has("python3") {
        return;
    }
    let mut harness = Command::new("python3");
    harness.args([
        "tests/maelstrom/harness.py",
        "g-counter",
        "python3",
        "tests/maelstrom/node.py",
        "g-counter",
        "keeps-to-itself",
    ]);
    let ended = harness.output().expect("python3 starts");
    assert_eq!(ended.status.code(), Some(1), "{}", String::from_utf8_lossy(&ended.stdout));
}

#[test]
fn the_reference_as_a_node_holds_in_a_world_of_abench_too() {
    let (answer, _) = run(&set("g-set"), &format!("maelstrom:{} maelstrom g-set", env!("CARGO_BIN_EXE_abench")));
    assert_eq!(answer.exit, 0, "{answer:?}");
}

#[test]
fn the_node_refuses_what_is_no_message_and_ends_with_its_input() {
    let asked = |input: &str| {
        use std::io::Write as _;
        let mut command = abench();
        command.args(["maelstrom", "g-counter"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut node = command.spawn().expect("the binary starts");
        node.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it is written");
        Answer::of(node.wait_with_output().expect("it ends"))
    };
    assert_eq!((asked("").exit, asked("").output), (0, String::new()));
    let init = r#"{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}"#;
    let add = r#"{"src":"c0","dest":"n1","body":{"type":"add","msg_id":2,"delta":-1}}"#;
    let read = r#"{"src":"c0","dest":"n1","body":{"type":"read","msg_id":3}}"#;
    let answer = asked(&format!("{init}\n\n{add}\n{read}\n"));
    assert_eq!(answer.exit, 0, "{answer:?}");
    let answers: Vec<Value> = answer.output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), 3, "{answer:?}");
    assert_eq!((&answers[0]["body"]["type"], &answers[0]["body"]["in_reply_to"]), (&"init_ok".into(), &1.into()));
    assert_eq!(answers[1]["body"]["code"], 12, "a g-counter only grows");
    assert_eq!(answers[2]["body"]["value"], 0);
    for (input, why) in [
        ("hello\n", "a line of the input is no message of Maelstrom"),
        (add, "'add' before 'init'"),
        (r#"{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":[]}}"#, "node_id"),
    ] {
        let answer = asked(input);
        assert_eq!(answer.exit, 2, "{input}: {answer:?}");
        assert!(answer.talk.contains(why), "{input}: {}", answer.talk);
    }
}
