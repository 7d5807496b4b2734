//! The device through every link, against the emulator: the same campaign, the same table, an honest label.

use abench::domain::evidence::Evidence;
use abench::domain::verdict::Verdict;
use abench::report::record::Record;

use crate::common::{Answer, Reading, UnderWay, unwrapped};
use crate::served::{Emulator, answer_in_time};

const TO_A_BENCH: [&str; 4] = ["uartbone:pty", "uartbone:tcp", "etherbone:tcp", "etherbone:udp"];

pub fn record_of(answer: &Answer) -> Record {
    serde_json::from_str(&answer.output).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

#[test]
fn the_standard_campaign_holds_over_every_link_and_says_that_a_model_answered() {
    let emulator = Emulator::serving(&TO_A_BENCH, &[]);
    for backend in emulator.backends() {
        let answer = answer_in_time(&["--backend", backend]);
        assert_eq!(answer.exit, 0, "{backend}: {answer:?}");
        let reading = Reading::of(&answer.output);
        assert!(reading.all_match && reading.rows.len() == 4, "{backend}: {reading:?}");
        assert!(answer.output.contains("N_BANKS=8  evidence=model\n"), "{}", answer.output);
        let told = unwrapped(&answer.output);
        assert!(told.contains("version 2, banks 8") && told.contains(backend), "{told}");
        assert!(!told.contains("evidence silicon"), "{told}");
    }
}

#[test]
fn a_dead_bank_in_the_emulator_is_found_over_every_link_and_named() {
    let emulator = Emulator::serving(&TO_A_BENCH, &["--plant", "dead-bank:3", "--device", "model:4"]);
    for backend in emulator.backends() {
        let answer = answer_in_time(&["8191", "7", "--backend", backend]);
        assert_eq!(answer.exit, 1, "{backend}: {answer:?}");
        assert!(answer.output.contains("bank 3 dead"), "{}", answer.output);
        assert!(!answer.output.contains("ALL MATCH"), "{}", answer.output);
    }
}

#[test]
fn arrival_orders_and_a_software_reference_go_together_with_a_device_behind_a_link() {
    let emulator = Emulator::serving(&["etherbone:udp"], &[]);
    let answer = answer_in_time(&["5", "9", "--backend", &format!("scalar,{}", emulator.backend()), "--record", "-"]);
    let record = record_of(&answer);
    assert_eq!((answer.exit, record.verdict), (0, Verdict::Holds));
    let orders = record.checks.iter().find(|check| check.orders.is_some()).expect("orders were tried");
    assert_eq!(orders.subjects.get(emulator.backend()), Some(&Evidence::Model));
    let round_trips = &record.timing.round_trips_ns[emulator.backend()];
    assert!(round_trips.count > 1000 && round_trips.p50 > 100, "{round_trips:?}");
}

#[test]
fn the_serial_protocol_has_no_bench_engine_and_takes_what_fits() {
    let emulator = Emulator::serving(&["serial:pty"], &[]);
    let answer = answer_in_time(&["24", "9", "--backend", &format!("scalar,{}", emulator.backend()), "--record", "-"]);
    let record = record_of(&answer);
    assert_eq!((answer.exit, record.verdict), (0, Verdict::Holds), "{answer:?}");
    let checks: Vec<&str> = record
        .checks
        .iter()
        .filter(|check| check.subjects.contains_key(emulator.backend()))
        .map(|check| check.name.as_str())
        .collect();
    assert_eq!(checks, ["arrival orders", "adapter round trips"]);
    assert!(record.bank_sweeps.is_empty());
    assert_eq!((record.devices[0].banks, record.devices[0].evidence), (0, Evidence::Model));
    assert!(unwrapped(&answer.talk).contains("no bench engine, and nothing tells its version"), "{}", answer.talk);
    // What it cannot do it is not asked for.
    let case = format!("case1,{},engine,count=1,active=1,seed=1", emulator.backend());
    let refused = answer_in_time(&["replay", &case]);
    assert_eq!(refused.exit, 2);
    assert!(refused.talk.contains("it has no bench engine"), "{}", refused.talk);
    let case = format!("case1,{},adapter,ops=load:0:0x5+accum:0x3+read", emulator.backend());
    assert_eq!(answer_in_time(&["replay", &case]).exit, 0);
    let case = format!("case1,{},adapter,ops=load:1:0x5+read", emulator.backend());
    assert_eq!(answer_in_time(&["replay", &case]).exit, 2);
}

#[test]
fn faults_of_the_adapter_are_found_over_the_serial_protocol() {
    for fault in ["stale-read", "lost-high-word", "accum-operator:add", "accum-drop:7"] {
        let emulator = Emulator::serving(&["serial:pty"], &["--plant", fault]);
        let answer = answer_in_time(&["24", "9", "--backend", emulator.backend()]);
        assert_eq!(answer.exit, 1, "{fault}: {answer:?}");
        assert!(answer.output.contains("verdict falsified"), "{fault}: {}", answer.output);
    }
}

#[test]
fn how_long_a_run_may_take_is_told_by_the_clock_that_is_given() {
    let emulator = Emulator::serving(&["uartbone:tcp"], &[]);
    // 3 s at the emulator's 100 MHz.
    let case = format!("case1,{},engine,count=300000000,active=1,seed=1", emulator.backend());
    let given_up = answer_in_time(&["replay", &case, "--clock", "1000000000"]);
    assert_eq!(given_up.exit, 4, "{given_up:?}");
    let told = "a run of 300000000 deltas on 1 banks was not done after 1.";
    assert!(unwrapped(&given_up.talk).contains(told), "{}", given_up.talk);
    for clock in [&[][..], &["--clock", "50000000"]] {
        let done = answer_in_time(&[&["replay", &case], clock].concat());
        assert_eq!(done.exit, 0, "{clock:?}: {done:?}");
    }
}

#[test]
fn what_marks_itself_as_an_emulator_is_never_taken_for_silicon() {
    let emulator = Emulator::serving(&["uartbone:tcp", "serial:pty"], &[]);
    for backend in emulator.backends() {
        let answer = answer_in_time(&["5", "--backend", backend, "--silicon"]);
        assert_eq!((answer.exit, answer.output.as_str()), (4, ""), "{answer:?}");
        assert!(answer.talk.contains("marks itself as an emulator (evidence model)"), "{}", answer.talk);
    }
}

#[test]
fn an_emulator_listens_on_the_loopback_and_ends_by_itself() {
    let ended = answer_in_time(&["emulate", "uartbone:tcp", "etherbone:udp", "--idle", "1"]);
    assert_eq!(ended.exit, 0);
    assert!(ended.output.lines().all(|line| line.contains(":127.0.0.1:")), "{}", ended.output);
    assert!(ended.talk.contains("nobody asked anything for 1 s"), "{}", ended.talk);
}

#[test]
fn an_emulator_refuses_what_can_do_nothing_and_what_cannot_be_together() {
    for (args, told) in [
        (
            &["--plant", "dead-bank:9"][..],
            "--plant dead-bank:9 can do nothing in model:8: the engine has no bank 9: its",
        ),
        (&["--device", "model:4", "--plant", "swap-banks:1:4"], "can do nothing in model:4: the engine has no bank 4"),
        (&["--plant", "drop:3", "--plant", "drop:3"], "--plant drop:3 is given twice"),
        (&["--disturb", "lose:5", "--disturb", "lose:7"], "--disturb lose:5 and --disturb lose:7 exclude each other"),
        (&["--disturb", "delay:5", "--disturb", "delay:5"], "--disturb delay:5 is given twice; give each kind once"),
        (&["--disturb", "done-at-once", "--disturb", "engine-stays-busy"], "a run is over at once, or never; give one"),
        (
            &["--disturb", "disconnect:40", "--disturb", "silence:30"],
            "whichever ends the answers first hides the other",
        ),
        (&["--disturb", "delay:5", "--disturb", "silence:0"], "no answer would be left that could be late; let N be 1"),
        (&["--disturb", "delay:0"], "MS from 1 to 60000 (0 would delay nothing)"),
        (
            &["--plant", "reorder:4294967294"],
            "no run has an index after 4294967294, to take its delta first; I is at most",
        ),
        (&["--device", "model:1", "--plant", "misaddress:3"], "the engine's one bank is its own next one; it takes 2"),
    ] {
        let refused = answer_in_time(&[&["emulate", "uartbone:tcp", "--idle", "1"], args].concat());
        assert_eq!((refused.exit, refused.output.as_str()), (2, ""), "{refused:?}");
        assert!(refused.talk.contains(told), "{}", refused.talk);
    }
    let refused = answer_in_time(&["emulate", "serial:pty", "--idle", "1", "--plant", "swap-wrong-context"]);
    assert_eq!((refused.exit, refused.output.as_str()), (2, ""), "{refused:?}");
    assert!(refused.talk.contains("it is about SWAP, which the serial protocol does not know"), "{}", refused.talk);
    for address in ["192.0.2.1", "127.0.0.1"] {
        let refused = answer_in_time(&["emulate", "uartbone:pty", "serial:pty", "--idle", "1", "--bind", address]);
        assert_eq!((refused.exit, refused.output.as_str()), (2, ""), "{refused:?}");
        assert!(refused.talk.contains(&format!("--bind {address} can do nothing here: a pty has")), "{}", refused.talk);
    }
    for args in [["--plant", "dead-bank:3"], ["--disturb", "done-at-once"]] {
        let serial = answer_in_time(&[&["emulate", "serial:pty", "--idle", "1"][..], &args].concat());
        assert_eq!(serial.exit, 2, "{serial:?}");
        assert!(serial.talk.contains("which the serial protocol does not reach"), "{}", serial.talk);
    }
}

#[test]
fn an_emulator_says_at_its_end_what_its_faults_did() {
    let unused = answer_in_time(&["emulate", "uartbone:tcp", "--idle", "1", "--plant", "dead-bank:3"]);
    assert_eq!(unused.exit, 0, "{unused:?}");
    assert!(
        unused.talk.contains("dead-bank:3 did nothing: the part that it is in was never in use"),
        "{}",
        unused.talk
    );
}

#[test]
fn a_run_over_any_link_is_stopped_by_a_signal_and_keeps_its_record() {
    for link in ["etherbone:udp", "etherbone:tcp", "uartbone:tcp"] {
        let emulator = Emulator::serving(&[link], &["--disturb", "delay:2"]);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.json");
        let path = path.to_str().expect("a path of text");
        let args = ["100", "7", "--backend", emulator.backend(), "--record", path];
        assert_eq!(UnderWay::start(&args).interrupted().exit, 130, "{link}");
        let record: Record = serde_json::from_str(&std::fs::read_to_string(path).expect("a record")).expect("JSON");
        assert!(record.interrupted && record.verdict == Verdict::Inconclusive, "{link}");
    }
}
