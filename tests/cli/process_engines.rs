//! Engines in processes of their own: what they do wrong is a finding, or says what is missing; nothing hangs or is left.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Answer, abench, has, short_answer, unwrapped};
use crate::pages::page;

/// A world of two clients and a hub, in which client 0 edits once.
const WORLD: &str = r#"
version = 2
[offline]
seed = "0x7"
registers = 2
start = 5
clients = 2
steps = [
    { connect = "client 0" },
    { edit = "client 0", register = 1, by = 7 },
    { after_s = 60 },
]
"#;

fn has_python() -> bool {
    has("python3")
}

/// What a world with one engine in a process comes to, and its record.
fn run(world: &str, command: &str) -> (Answer, Option<Value>) {
    let folder = TempDir::new().expect("a folder");
    let (scenario, record) = (folder.path().join("world.toml"), folder.path().join("record.json"));
    fs::write(&scenario, world).expect("it is written");
    let mut command_line = abench();
    command_line.arg("run").arg(&scenario).arg("--record").arg(&record);
    command_line.args(["-vv", "--engines", &format!("theirs=cmd:{command}")]);
    let answer = Answer::of(command_line.output().expect("the binary starts"));
    let record = fs::read_to_string(&record).ok().map(|text| serde_json::from_str(&text).expect("a record"));
    (answer, record)
}

fn misbehaves(how: &str) -> (Answer, Option<Value>) {
    run(WORLD, &format!("python3 tests/engines/misbehaves.py {how}"))
}

/// The processes of this machine whose command line has this in it.
fn running(part: &str) -> usize {
    let lines = fs::read_dir("/proc").expect("a table of processes").filter_map(Result::ok);
    let command = |entry: fs::DirEntry| fs::read(entry.path().join("cmdline")).ok();
    lines.filter_map(command).filter(|line| String::from_utf8_lossy(line).replace('\0', " ").contains(part)).count()
}

#[test]
fn the_template_holds_in_a_world_and_the_report_says_what_its_faults_cannot_show() {
    if !has_python() {
        return;
    }
    let (answer, record) = run(WORLD, "python3 adapters/template/adapter.py");
    assert_eq!(answer.exit, 0, "{answer:?}");
    let record = record.expect("a record");
    assert_eq!(record["checks"][0]["name"], "theirs");
    assert_eq!(record["checks"][0]["oracles"]["running"], "holds");
    let told = unwrapped(&answer.output);
    assert!(told.contains("theirs: template 1, run as 'python3 adapters/template/adapter.py'"), "{told}");
}

#[test]
fn whatever_an_engine_does_wrong_is_a_finding_that_says_what_it_did() {
    if !has_python() {
        return;
    }
    let wrong = [
        ("ends", "client 0 failed at"),
        (
            "ends",
            "it ended (exit status 3) when it was to answer 'edit'; it wrote to standard error: 'the database is locked'",
        ),
        ("is-killed", "it ended (signal 11) when it was to answer 'edit'"),
        ("garbage", "its answer to 'edit' is not one: expected value at line 1 column 1"),
        ("nested", "its answer to 'edit' is not one: recursion limit exceeded"),
        ("flood", "its answer to 'edit' is longer than 16 MiB"),
        ("late-number", "when request"),
        ("closes", "it closed its standard output when it was to answer 'edit'"),
        ("to-a-stranger", "it sent a message to node 77, with which it has no connection"),
        ("not-base64", "not base64"),
        ("says-so", "it says: my index is corrupt"),
        ("wakes-for-ever", "it wants to be woken again at the same time, for ever"),
        ("wakes-by-turns", "it was woken 10000 times within 10 minutes of virtual time and did nothing"),
        ("polls", "it was woken 10000 times within 10 minutes of virtual time and did nothing"),
        ("never-accepts", "it neither accepted an edit nor refused it"),
        ("accepts-twice", "it accepted an edit outside its answer to 'edit', or twice"),
        ("accepts-late", "it accepted an edit outside its answer to 'edit', or twice"),
        ("views-fail", "it says: my index is corrupt"),
        ("views-send", "its answer to 'views' has effects, or says that it is busy"),
        ("damaged", "it refuses an empty store as damaged: page 7 of the index is not one"),
        ("array", "its answer to 'edit' is not one: an array, where an object with keys is expected"),
        ("too-few-views", "its answer to 'views' has 1 registers; the world has 2 counters"),
        ("another-type", "its answer to 'views' shows register 1, one of the counters, as {1}"),
        ("forks", "of its processes run, and 64 are allowed"),
        ("takes-memory", "MiB of memory, and 2048 MiB are allowed"),
        ("twice", "it wrote before it was asked|it answered request"),
        ("big-folder", "the store has more than 10000 files or 256 MiB"),
        ("fills-its-folder", "the store has more than 10000 files or 256 MiB"),
        ("fills-its-journal", "the store has more than 256 MiB; put an image in the place of entries"),
    ];
    // Whether a second answer comes before or after the next request decides how it is called.
    for (how, why) in wrong {
        let (answer, record) = misbehaves(how);
        let record = record.unwrap_or_else(|| panic!("{how}: a record: {answer:?}"));
        assert_eq!(
            (answer.exit, &record["checks"][0]["oracles"]["running"]),
            (1, &"falsified".into()),
            "{how}: {answer:?}"
        );
        let output = unwrapped(&answer.output);
        assert!(why.split('|').any(|why| output.contains(why)), "{how}: {}", answer.output);
        assert!(!answer.output.contains("\u{1b}[31m"), "{how}: what an engine wrote is inert");
    }
}

#[test]
fn an_engine_that_says_nothing_or_is_busy_for_ever_is_ended_within_its_deadline() {
    if !has_python() {
        return;
    }
    let all = [
        ("silent", "it did not answer 'edit' within 10 s"),
        ("half-line", "within 10 s; it wrote a line without a newline at its end: '{\"n\": '"),
        ("leaves-its-output 1022", " 'sleep 1022', which it started, still holds its standard output"),
        ("busy-for-ever", "it was busy for longer than 30 s"),
    ];
    // Each waits for its deadline, and none for the processor.
    std::thread::scope(|scope| {
        for (how, why) in all {
            scope.spawn(move || {
                let (answer, record) = misbehaves(how);
                assert_eq!(record.expect("a record")["checks"][0]["oracles"]["running"], "falsified", "{how}");
                assert!(unwrapped(&answer.output).contains(why), "{how}: {}", answer.output);
            });
        }
    });
}

#[test]
fn an_engine_that_refuses_the_store_that_it_wrote_is_falsified() {
    if !has_python() {
        return;
    }
    let crashed = WORLD.replace("{ after_s = 60 },", "{ crash = \"client 0\", after_s = 60 },");
    let (answer, record) = run(&crashed, "python3 tests/engines/misbehaves.py refuses-its-own");
    assert_eq!(record.expect("a record")["checks"][0]["oracles"]["running"], "falsified", "{answer:?}");
    assert!(unwrapped(&answer.output).contains("it refuses the store that it wrote: "), "{}", answer.output);
}

#[test]
fn faults_of_a_store_in_files_take_effect() {
    if !has_python() {
        return;
    }
    let steps = r#"steps = [
    { connect = "clients" },
    { edit = "client 0", register = 1, by = 7 },
    { back_up = "client 0", after_s = 60 },
    { edit = "client 0", register = 1, by = 1 },
    { set_back = "client 0", for_s = 30, after_s = 60 },
    { wipe = "client 1", for_s = 30, after_s = 120 },
    { clone = "client 0", for_s = 30, after_s = 120 },
    { after_s = 600 },
]"#;
    let world = format!("{}{steps}\n", WORLD.split_once("steps").expect("steps").0);
    let (answer, record) = run(&world, "python3 tests/engines/keeps_files.py");
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert_eq!(record.expect("a record")["checks"][0]["oracles"]["faults"], "holds", "{}", answer.output);
}

#[test]
fn processes_that_have_ended_are_not_counted() {
    if !has_python() {
        return;
    }
    let (answer, record) = misbehaves("ends-children");
    assert_eq!(record.expect("a record")["checks"][0]["oracles"]["running"], "holds", "{answer:?}");
}

#[test]
fn an_engine_takes_no_name_that_abench_has() {
    for name in ["delta-state", "all", "libraries"] {
        let answer = short_answer(&["run", "kills-31", "--engines", &format!("{name}=cmd:true")]);
        assert_eq!(answer.exit, 4, "{answer:?}");
        assert!(answer.talk.contains(&format!("'{name}' names engines of abench")), "{}", answer.talk);
    }
}

#[test]
fn an_engine_that_floods_standard_error_is_only_read_at_its_end_and_runs_on() {
    if !has_python() {
        return;
    }
    let (_, record) = misbehaves("floods-stderr");
    assert_eq!(record.expect("a record")["checks"][0]["oracles"]["running"], "holds");
}

#[test]
fn what_is_no_engine_is_unavailable_before_anything_runs() {
    if !has_python() {
        return;
    }
    let none = [
        ("no-such-program-anywhere", "cannot start 'no-such-program-anywhere': No such file"),
        ("cat", "its answer to 'hello' is not one"),
        ("true", "it ended (exit status 0) when it was to answer 'hello'"),
        ("python3 tests/engines/misbehaves.py other-version", "it speaks version 2 of the protocol"),
        ("python3 tests/engines/misbehaves.py unknown-key", "unknown field `colour`"),
        ("python3 'unfinished", "has a quote without an end"),
    ];
    for (command, why) in none {
        let (answer, record) = run(WORLD, command);
        assert!(answer.exit == 4 && record.is_none(), "{command}: {answer:?}");
        assert!(unwrapped(&answer.talk).contains(why), "{command}: {}", answer.talk);
    }
}

#[test]
fn a_world_whose_registers_may_leave_the_range_that_an_engine_keeps_exactly_is_not_supported() {
    if !has_python() {
        return;
    }
    let drawn = "version = 2\n[offline]\nseed = \"7\"\nclients = 2\nregisters = 2\n\
         [offline.workload]\nticks = 9\nchanged = 1\nmost = 9\n\
         [offline.presence]\nlasts_s = 900\naway_s = [60, 90]\nhere_s = [60, 90]\n";
    let scripted = WORLD.replace("by = 7", "by = -20");
    for world in [drawn, scripted.as_str()] {
        let (answer, _) = run(world, "python3 tests/engines/misbehaves.py small-range");
        assert_eq!(answer.exit, 2, "{answer:?}");
        let told = unwrapped(&answer.talk);
        assert!(told.contains("keeps numbers from -10 to 9223372036854775807 exactly"), "{told}");
    }
    // A world that only adds leaves the range at its upper end alone.
    let (answer, record) = run(&WORLD.replace("by = 7", "by = 20"), "python3 tests/engines/misbehaves.py small-range");
    assert!(answer.exit != 2 && record.is_some(), "{answer:?}");
}

/// Sends a signal to a process.
fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().expect("kill is there");
    assert!(sent.success(), "{pid}");
}

/// Waits until something is so, for at most 20 seconds.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_signal_before_a_run_and_a_second_signal_within_one_leave_no_process_and_no_folder_of_an_engine() {
    if !has_python() {
        return;
    }
    let folder = TempDir::new().expect("a folder");
    let scenario = folder.path().join("world.toml");
    fs::write(&scenario, WORLD).expect("it is written");
    // A number of its own tells the processes of this test from those of others.
    for (place, number) in ["1030", "1031"].into_iter().enumerate() {
        let adapter = format!("tests/engines/misbehaves.py silent {number}");
        let mut command = abench();
        match place {
            0 => command.args(["engine", "check", &format!("python3 {adapter}")]),
            _ => command.arg("run").arg(&scenario).args(["--engines", &format!("theirs=cmd:python3 {adapter}")]),
        };
        command.env("TMPDIR", folder.path());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let part = format!("misbehaves.py silent {number}");
        until("the engine starts", || running(&part) > 1);
        // Signals that come at once can become one: they are sent until abench ends.
        let deadline = Instant::now() + Duration::from_secs(20);
        let status = loop {
            signal(child.id(), "INT");
            std::thread::sleep(Duration::from_millis(20));
            if let Some(status) = child.try_wait().expect("it is a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "{part}: it goes on after many signals");
        };
        assert_eq!(status.code(), Some(130), "{part}");
        until("no process of the engine is left", || running(&part) == 0);
        assert_eq!(folders_in(folder.path()), 0, "{part}");
    }
}

/// The folders of processes in this one.
fn folders_in(parent: &Path) -> usize {
    let entries = fs::read_dir(parent).expect("a folder").filter_map(Result::ok);
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("abench-engine-")).count()
}

#[test]
fn a_killed_abench_takes_its_engines_with_it_and_the_next_removes_what_it_left() {
    if !has_python() {
        return;
    }
    let (folder, temporary) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let scenario = folder.path().join("world.toml");
    fs::write(&scenario, WORLD).expect("it is written");
    let run = |how: &str| {
        let mut command = abench();
        command.env("TMPDIR", temporary.path()).arg("run").arg(&scenario);
        command.args(["--engines", &format!("theirs=cmd:python3 tests/engines/misbehaves.py {how}")]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
    };
    let mut killed = run("forks-and-waits 1032");
    until("the engine starts", || running("sleep 1032") > 0);
    killed.kill().expect("it runs");
    killed.wait().expect("it ended");
    until("the engine ends with abench", || running("forks-and-waits 1032") == 0);
    assert_eq!(folders_in(temporary.path()), 1);
    // What the engine started did not end with it, as nothing told the kernel to.
    assert!(running("sleep 1032") > 0);
    run("is-well").wait().expect("it ends");
    until("nothing is left", || running("sleep 1032") == 0);
    assert_eq!(folders_in(temporary.path()), 0);
}

#[test]
fn no_process_that_an_engine_started_is_left_and_none_sees_the_environment_of_abench() {
    if !has_python() {
        return;
    }
    // Other tests run such engines at the same time: what these leave has numbers of its own.
    misbehaves("leaves-daemons 1020");
    misbehaves("forks 1021");
    let parts = ["sleep 1017", "sleep 1018", "sleep 1019", "leaves-daemons 1020", "sleep 1021", "forks 1021"];
    let left = parts.map(|part| (part, running(part)));
    assert!(left.iter().all(|&(_, count)| count == 0), "{left:?}");
    let (answer, _) = misbehaves("environment");
    let told = unwrapped(&answer.output);
    for variable in ["ABENCH_NODE", "HOME", "LANG", "PATH", "TMPDIR"] {
        assert!(told.contains(variable), "{variable}: {told}");
    }
    assert!(!told.contains("CARGO") && told.contains("abench-engine-"), "{told}");
}

#[test]
fn the_transcript_of_the_protocol_is_what_the_template_answers() {
    if !has_python() {
        return;
    }
    let page = page("docs/engine-protocol.md");
    let transcript = page.blocks("jsonl").remove(0).lines;
    let of = |mark: &str| transcript.iter().filter_map(|line| line.strip_prefix(mark)).collect::<Vec<_>>();
    let (requests, answers) = (of("> "), of("< "));
    let mut child = Command::new("python3")
        .arg("adapters/template/adapter.py")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = requests.join("\n") + "\n";
    child.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("it reads");
    let said = String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("text");
    let json = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    let said: Vec<Value> = said.lines().map(json).collect();
    assert_eq!(said, answers.into_iter().map(json).collect::<Vec<_>>());
    // What abench asks is what the page shows: every key of every request is in its table.
    for request in requests.into_iter().map(json) {
        for key in request.as_object().expect("an object").keys() {
            assert!(page.text.contains(&format!("`{key}`")), "{key}");
        }
    }
}

/// A stock of which two clients take all that each of them sees, out of sight of the other.
const STOCK: &str = r#"
version = 2
[offline]
seed = "0x7"
registers = 0
clients = 2
steps = [
    { connect = "clients" },
    { edit = "client 0", register = 0, supply = 5 },
    { until = "quiescent", within_s = 600 },
    { disconnect = "clients" },
    { edit = "client 0", register = 0, take = 5, after_s = 60 },
    { edit = "client 0", register = 0, take = 1, after_s = 60 },
    { edit = "client 1", register = 0, take = 5, after_s = 60 },
    { connect = "clients", after_s = 60 },
]
[offline.stocks]
registers = 1
"#;

#[test]
fn an_engine_that_checks_what_it_shows_refuses_what_is_gone_and_overspends_what_another_took() {
    if !has_python() {
        return;
    }
    let command = "python3 tests/engines/stocks.py";
    let answer = short_answer(&["engine", "check", command]);
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert!(answer.output.contains("24 steps passed"), "{answer:?}");
    let (answer, record) = run(STOCK, command);
    assert_eq!(answer.exit, 1, "{answer:?}");
    let row = &record.expect("a record")["offline"]["engines"][0];
    assert_eq!(row["refused_edits"], 1, "{row}");
    let (said, refused) = (&row["oracles"]["overspending"], &row["oracles"]["truth"]);
    assert_eq!((said[0].as_str(), refused[0].as_str()), (Some("falsified"), Some("holds")), "{row}");
    assert_eq!(
        said[1],
        "5 of 10 units taken were not there: first client 1 took 5 of register 0 after 183 s, and 0 were left"
    );
}

#[test]
fn an_engine_that_refuses_an_edit_that_needs_no_rights_has_failed() {
    if !has_python() {
        return;
    }
    let (answer, record) = misbehaves("refuses");
    assert_eq!(answer.exit, 1, "{answer:?}");
    let said = record.expect("a record")["offline"]["engines"][0]["oracles"]["running"].clone();
    assert_eq!(said[0], "falsified", "{said}");
    assert!(said[1].as_str().is_some_and(|why| why.contains("it refused an edit that needs no rights")), "{said}");
}

/// Two clients change other fields of one record; then one deletes it while the other changes it.
const RECORD: &str = r#"
version = 2
[offline]
seed = "0x7"
registers = 0
clients = 2
steps = [
    { connect = "clients" },
    { edit = "client 0", register = 0, create = 5 },
    { until = "quiescent", within_s = 600 },
    { disconnect = "clients" },
    { edit = "client 0", register = 0, set = 7, field = 0, after_s = 60 },
    { edit = "client 1", register = 0, tag = 1, after_s = 60 },
    { connect = "clients", after_s = 60 },
    { until = "quiescent", within_s = 600 },
    { disconnect = "clients" },
    { edit = "client 0", register = 0, delete = true, after_s = 60 },
    { edit = "client 1", register = 0, set = 9, field = 1, after_s = 60 },
    { connect = "clients", after_s = 60 },
]
[offline.records]
registers = 1
"#;

#[test]
fn an_engine_in_a_process_carries_records_and_is_held_to_what_it_declares_of_deletes() {
    if !has_python() {
        return;
    }
    let command = "python3 tests/engines/records.py";
    let answer = short_answer(&["engine", "check", command]);
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert!(answer.output.contains("24 steps passed"), "{answer:?}");
    let (answer, record) = run(RECORD, command);
    assert_eq!(answer.exit, 0, "{answer:?}");
    let judges = &record.expect("a record")["offline"]["engines"][0]["oracles"];
    let said = |judge: &str| judges[judge][0].as_str().map(str::to_owned);
    assert_eq!(said("whole records").as_deref(), Some("holds"), "{judges}");
    assert_eq!(said("truth").as_deref(), Some("holds"), "{judges}");
    // A horizon excuses losses: it must be one, and of something that there is.
    for (declares, why) in [
        ("horizon_s 0", "expected a nonzero u64"),
        ("horizon_s 3600 records null", "it declares 'horizon_s', which is about records, and no 'records'"),
    ] {
        let answer = short_answer(&["engine", "check", &format!("{command} {declares}")]);
        assert!(answer.exit == 1 && answer.output.contains(why), "{declares}: {answer:?}");
    }
    let answer = short_answer(&["engine", "check", &format!("{command} horizon_s 3600")]);
    assert_eq!(answer.exit, 0, "{answer:?}");
}

/// Two clients type at one place of a text, in front of each other's letters and of their own.
const TEXT: &str = r#"
version = 2
[offline]
seed = "0x7"
registers = 0
clients = 2
steps = [
    { connect = "clients" },
    { edit = "client 0", register = 0, type = "to be" },
    { until = "quiescent", within_s = 600 },
    { disconnect = "clients" },
    { edit = "client 0", register = 0, type = " or not", after = "be", after_s = 60 },
    { edit = "client 1", register = 0, type = " or so", after = "be" },
    { edit = "client 1", register = 0, erase = "to" },
    { edit = "client 0", register = 0, type = "b", after = "", after_s = 60 },
    { edit = "client 0", register = 0, erase = "n" },
    { edit = "client 0", register = 0, type = "a", after = "" },
    { edit = "client 1", register = 0, type = "d", after = "" },
    { edit = "client 1", register = 0, type = "c", after = "" },
    { connect = "clients", after_s = 60 },
]
[offline.texts]
registers = 1
"#;

#[test]
fn an_engine_in_a_process_carries_texts_and_is_held_to_what_it_declares_of_runs() {
    if !has_python() {
        return;
    }
    let command = "python3 tests/engines/texts.py";
    let answer = short_answer(&["engine", "check", command]);
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert!(answer.output.contains("24 steps passed"), "{answer:?}");
    let truth = |command: &str| {
        let (_, record) = run(TEXT, command);
        record.expect("a record")["offline"]["engines"][0]["oracles"]["truth"].clone()
    };
    assert_eq!(truth(command)[0], "holds", "{}", truth(command));
    // Letters that are typed each in front of the one before are mixed with those of others: it does not declare otherwise.
    let said = truth(&format!("{command} texts '\"both-ways\"'"));
    assert_eq!(said[0], "falsified", "{said}");
    assert!(
        said[1].as_str().is_some_and(|why| why.contains("two runs that were typed at the same time are mixed")),
        "{said}"
    );
    let answer = short_answer(&["engine", "check", &format!("{command} texts '\"both-ways\"'")]);
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert!(answer.output.contains("it declares that runs stay whole, typed forward or backward"), "{answer:?}");
}

/// Two clients claim the same thing while they are away; the first one claims it again when it is told.
const CLAIM: &str = r#"
version = 2
[offline]
seed = "0x7"
registers = 0
clients = 2
steps = [
    { edit = "client 0", register = 0, claim = 1 },
    { edit = "client 1", register = 0, claim = 2 },
    { connect = "client 1", after_s = 60 },
    { until = "quiescent", within_s = 600 },
    { connect = "client 0", after_s = 60 },
    { until = "quiescent", within_s = 600 },
    { edit = "client 0", register = 0, claim = 3 },
]
[offline.claims]
registers = 1
"#;

#[test]
fn an_engine_in_a_process_carries_claims_and_may_show_one_holder_alone() {
    if !has_python() {
        return;
    }
    let command = "python3 tests/engines/claims.py";
    let answer = short_answer(&["engine", "check", command]);
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert!(unwrapped(&answer.output).contains("two claims: held by"), "{answer:?}");
    let said = |command: &str| {
        let (_, record) = run(CLAIM, command);
        let judges = record.expect("a record")["offline"]["engines"][0]["oracles"].clone();
        ["uniqueness", "truth"].map(|judge| (judges[judge][0].clone(), judges[judge][1].to_string()))
    };
    let [uniqueness, truth] = said(command);
    assert_eq!([&uniqueness.0, &truth.0], ["holds"; 2], "{uniqueness:?} {truth:?}");
    // Where every replica decides, all agree in the end, and two had told their users.
    let [uniqueness, truth] = said(&format!("{command} at-once"));
    assert_eq!(
        [&uniqueness.0, &truth.0],
        [&"falsified".into(), &"holds".into()] as [&serde_json::Value; 2],
        "{uniqueness:?} {truth:?}"
    );
    assert!(uniqueness.1.contains("first of register 0, where 1 was shown at client 0"), "{uniqueness:?}");
    let answer = short_answer(&["engine", "check", &format!("{command} at-once")]);
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert!(unwrapped(&answer.output).contains("and shows alone: held by 1"), "{answer:?}");
}

/// A case that client 0 closes while client 1 has done an item.
const CASE: &str = r#"
version = 2
[offline]
seed = "0x7"
registers = 0
clients = 2
steps = [
    { edit = "client 0", register = 0, do = 0 },
    { edit = "client 0", register = 0, close = true },
    { edit = "client 1", register = 0, do = 1 },
    { edit = "client 1", register = 0, close = true },
    { connect = "client 1", after_s = 60 },
    { until = "quiescent", within_s = 600 },
    { connect = "client 0", after_s = 60 },
    { until = "quiescent", within_s = 600 },
]
[offline.cases]
registers = 1
items = 2
"#;

#[test]
fn an_engine_in_a_process_carries_cases_and_what_it_closed_stays_as_it_is() {
    if !has_python() {
        return;
    }
    let command = "python3 tests/engines/cases.py";
    let answer = short_answer(&["engine", "check", command]);
    assert_eq!(answer.exit, 0, "{answer:?}");
    for said in ["a case: closed, done:", "a late item: closed, done: {1}, refused: {2}"] {
        assert!(unwrapped(&answer.output).contains(said), "{said}: {answer:?}");
    }
    let said = |command: &str| {
        let (_, record) = run(CASE, command);
        let judges = record.expect("a record")["offline"]["engines"][0]["oracles"].clone();
        ["frozen", "truth"].map(|judge| (judges[judge][0].clone(), judges[judge][1].to_string()))
    };
    let [frozen, truth] = said(command);
    assert_eq!([&frozen.0, &truth.0], ["holds"; 2], "{frozen:?} {truth:?}");
    for (planted, told) in [
        ("at-once", "and shows alone: closed, done: {1}"),
        (
            "late-counts",
            "the hub showed closed, done: {1}, and once an item had come that was done elsewhere it showed",
        ),
    ] {
        let [frozen, _] = said(&format!("{command} {planted}"));
        assert_eq!(frozen.0, "falsified", "{frozen:?}");
        let answer = short_answer(&["engine", "check", &format!("{command} {planted}")]);
        assert_eq!(answer.exit, 1, "{answer:?}");
        assert!(unwrapped(&answer.output).contains(told), "{planted}: {answer:?}");
    }
}

/// Client 0 is refused for an hour, in which its user edits.
const SIGN_IN: &str = r#"
version = 2
[offline]
seed = "0x7"
registers = 1
clients = 2
steps = [
    { connect = "clients" },
    { edit = "client 0", register = 0, by = 1 },
    { until = "quiescent", within_s = 600 },
    { signed_out = "client 0", for_s = 3600 },
    { edit = "client 0", register = 0, by = 2, after_s = 60 },
    { after_s = 3600 },
    { until = "quiescent", within_s = 3600 },
]
"#;

#[test]
fn an_engine_in_a_process_is_told_that_its_user_has_signed_in_again_if_it_wants_to_know() {
    if !has_python() {
        return;
    }
    // What it keeps is asked; how often it tries while it is refused is the matter of another judge.
    let truth = |how: &str| {
        let (answer, record) = run(SIGN_IN, &format!("python3 tests/engines/signs_in.py {how}"));
        let engine = record.unwrap_or_else(|| panic!("{answer:?}"))["offline"]["engines"][0].clone();
        engine["oracles"]["truth"][0].clone()
    };
    assert_eq!(truth(""), "holds");
    assert_eq!(truth("forgets"), "falsified");
    assert_eq!(truth("forgets untold"), "holds");
}
