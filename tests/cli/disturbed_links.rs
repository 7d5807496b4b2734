//! Links that are not there, and devices that do not answer as they should: each run ends in time, says what was
//! expected and what came, keeps what was done until then, and is never a pass.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use abench::domain::verdict::Verdict;
use abench::report::record::Record;

use crate::common::Answer;
use crate::links::record_of;
use crate::served::{Emulator, answer_in_time, ended_in_time};

/// What a run over a disturbed link says: on standard error, and in its report.
fn disturbed(link: &str, disturbance: &str) -> Answer {
    let emulator = Emulator::serving(&[link], &["--disturb", disturbance]);
    let answer = answer_in_time(&["5", "--backend", emulator.backend()]);
    assert!(!answer.output.contains("ALL MATCH") && !answer.output.contains("verdict holds"), "{answer:?}");
    assert!(!answer.talk.contains("panicked"), "{answer:?}");
    answer
}

fn given_up(link: &str, disturbance: &str, told: &str) {
    let answer = disturbed(link, disturbance);
    assert_eq!(answer.exit, 4, "{link}, {disturbance}: {answer:?}");
    let said = format!("{} {}", answer.talk, answer.output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(told), "{link}, {disturbance}: {said}");
}

#[test]
fn a_device_that_never_answers_is_given_up() {
    given_up("uartbone:tcp", "silence:0", "expected 4 bytes within 1.0s, got 0, asked 2 times");
    given_up("uartbone:pty", "silence:0", "expected 4 bytes within 1.0s, got 0, asked 2 times");
    given_up("etherbone:tcp", "silence:0", "expected a reply within 2.0s, got 0 bytes");
    given_up("etherbone:udp", "silence:0", "expected a reply of 1 words within 1.0s, got none, asked 4 times");
    given_up("serial:pty", "silence:0", "no answer to S: expected 1 bytes within 1.0s, got 0");
}

#[test]
fn an_answer_over_a_slow_line_is_waited_for_as_long_as_its_bytes_take() {
    let emulator = Emulator::serving(&["uartbone:pty"], &["--disturb", "silence:0"]);
    let answer = answer_in_time(&["5", "--backend", emulator.backend(), "--baud", "50"]);
    assert_eq!(answer.exit, 4, "{answer:?}");
    // A question of six bytes and an answer of four are a hundred bits.
    assert!(answer.talk.contains("expected 4 bytes within 3.0s, got 0, asked 2 times"), "{}", answer.talk);
}

#[test]
fn an_answer_that_comes_after_its_deadline_is_not_taken_for_that_to_the_next_question() {
    given_up("uartbone:tcp", "delay:1300", "the answer came late: 0 of 4 bytes within 1.0s");
    given_up("serial:pty", "delay:1300", "the answer came late");
    given_up("etherbone:tcp", "delay:3000", "expected a reply within 2.0s");
    given_up("etherbone:udp", "delay:1500", "asked 4 times");
}

#[test]
fn a_device_that_answers_garbage_is_no_device() {
    for link in ["uartbone:tcp", "etherbone:udp"] {
        given_up(link, "garbage:0", "after 16 reads; expected, twice the same, a version of 1 or more");
        given_up(link, "garbage:400", "");
    }
    given_up("uartbone:pty", "flip:1", "");
}

#[test]
fn a_device_with_another_identity_is_refused_before_anything_is_written() {
    given_up("uartbone:tcp", "identity:0", "status register reads 0x00000000 after 16 reads");
    given_up("etherbone:tcp", "identity:0x02210000", "status register reads 0x02210000 after 16 reads");
    given_up("etherbone:udp", "identity:ffffffff", "the published board reads 0x02080000");
    let reference =
        "did not give back its reference in 16 tries; expected 0x0123456789abcdef to D, got 0x0000000002080000";
    given_up("serial:pty", "identity:02080000", reference);
}

#[test]
fn a_device_that_stays_busy_is_given_up_at_its_deadline() {
    given_up("uartbone:tcp", "engine-stays-busy", "a run of 5 deltas on 1 banks was not done after 1.");
    given_up("etherbone:udp", "engine-stays-busy", "expected bit 1 (done) set and bit 0 (busy) clear");
    given_up("uartbone:pty", "adapter-stays-busy", "adapter command 0 was not done after 1s");
    given_up("serial:pty", "adapter-stays-busy", "no answer to S");
}

#[test]
fn a_device_that_says_done_at_once_is_falsified_by_its_data() {
    for link in ["uartbone:tcp", "etherbone:udp"] {
        let answer = disturbed(link, "done-at-once");
        assert_eq!(answer.exit, 1, "{answer:?}");
        assert!(answer.output.contains("verdict falsified"), "{}", answer.output);
    }
}

#[test]
fn a_run_whose_device_goes_away_keeps_what_was_done_until_then() {
    for (link, disturbance, told) in [
        ("uartbone:tcp", "silence:1500", "asked 2 times"),
        ("uartbone:tcp", "disconnect:1500", "the far end closed the link"),
        ("uartbone:pty", "disconnect:1500", ""),
        ("etherbone:tcp", "disconnect:1500", "the far end closed the link"),
        ("etherbone:udp", "disconnect:1500", "nothing listens at"),
        ("etherbone:udp", "silence:1500", "asked 4 times"),
        ("serial:pty", "disconnect:900", ""),
    ] {
        let emulator = Emulator::serving(&[link], &["--disturb", disturbance]);
        let backends = format!("scalar,{}", emulator.backend());
        let answer = answer_in_time(&["65537", "--backend", &backends, "--record", "-"]);
        assert_eq!(answer.exit, 4, "{link}, {disturbance}: {answer:?}");
        let record = record_of(&answer);
        let unavailable = record.unavailable.expect("why it ended");
        assert!(unavailable.contains(told), "{link}, {disturbance}: {unavailable}");
        assert_eq!(record.verdict, Verdict::Inconclusive);
        let done: Vec<&str> = record.checks.iter().map(|check| check.name.as_str()).collect();
        let expected: &[&str] =
            if link == "serial:pty" { &["accumulation"] } else { &["accumulation", "bank sweep", "short sweep"] };
        assert_eq!(done[..expected.len()], *expected, "{link}, {disturbance}");
    }
}

/// The record of a short run whose device is gone after so many answers.
fn cut_off(answers: u32, plant: &[&str]) -> Record {
    let emulator =
        Emulator::serving(&["uartbone:tcp"], &[&["--disturb", &format!("disconnect:{answers}")], plant].concat());
    let answer = answer_in_time(&["5", "--backend", emulator.backend(), "--record", "-"]);
    assert_eq!(answer.exit, 4, "{answer:?}");
    record_of(&answer)
}

#[test]
fn a_sweep_that_is_cut_off_keeps_the_rows_that_were_made_and_holds_nothing() {
    let mut seen = BTreeSet::new();
    for answers in (56..100).step_by(2) {
        let record = cut_off(answers, &[]);
        assert_eq!(record.verdict, Verdict::Inconclusive);
        let Some(sweep) = record.bank_sweeps.first() else { continue };
        let rows: Vec<u32> = sweep.rows.iter().map(|row| row.banks).collect();
        assert!([1, 2, 4, 8].starts_with(&rows) && sweep.rows.iter().all(|row| row.ok), "{answers}: {rows:?}");
        seen.insert(rows.len());
        let check = &record.checks[0];
        if rows.len() < 4 {
            assert_eq!((record.checks.len(), check.verdict), (1, Verdict::Inconclusive), "{answers}");
            assert_eq!(check.summary, format!("{} of 4 runs were made, and were right", rows.len()));
            assert!(check.oracles.values().all(|&oracle| oracle == Verdict::Inconclusive), "{check:?}");
        } else {
            assert_eq!((check.name.as_str(), check.verdict), ("bank sweep", Verdict::Holds));
            assert!(record.checks[1..].iter().all(|check| check.verdict == Verdict::Inconclusive), "{record:?}");
        }
    }
    assert!(seen.contains(&4) && seen.len() > 2, "{seen:?}");
}

#[test]
fn a_wrong_row_is_a_finding_also_where_its_sweep_was_cut_off() {
    let mut runs = (56..100).step_by(4).map(|answers| cut_off(answers, &["--plant", "dead-bank:0"]));
    let found = runs.find(|record| record.bank_sweeps.first().is_some_and(|sweep| sweep.rows.len() < 4));
    let found = found.expect("one that was cut off in the bank sweep");
    assert_eq!(found.verdict, Verdict::Falsified);
    let finding = &found.checks[0].findings[0];
    assert!(finding.reproducible && finding.size.starts_with("not made smaller: "), "{finding:?}");
}

#[test]
fn a_device_that_was_wrong_before_it_fell_silent_stays_falsified_over_every_link() {
    let runs = ["uartbone:tcp", "etherbone:udp"].map(|link| {
        std::thread::spawn(move || {
            let emulator = Emulator::serving(&[link], &["--plant", "dead-bank:0", "--disturb", "silence:400"]);
            (link, answer_in_time(&["5", "--backend", emulator.backend(), "--record", "-"]))
        })
    });
    for run in runs {
        let (link, answer) = run.join().expect("it ends");
        assert_eq!((answer.exit, record_of(&answer).verdict), (4, Verdict::Falsified), "{link}: {answer:?}");
    }
}

#[test]
fn one_byte_that_is_lost_in_mid_run_accuses_no_sound_device() {
    // These seeds lose one byte, of a question or of a write, some seconds before the end of the run.
    let runs = ["5c", "bb"].map(|seed| {
        std::thread::spawn(move || {
            let emulator = Emulator::serving(&["uartbone:tcp"], &["--disturb", "lose:1000000", "--seed", seed]);
            let answer = answer_in_time(&["5", "--backend", emulator.backend(), "--record", "-"]);
            (seed, emulator.backend().to_owned(), answer)
        })
    });
    for run in runs {
        let (seed, backend, answer) = run.join().expect("it ends");
        let record = record_of(&answer);
        assert!([0, 3].contains(&answer.exit), "{seed}: {answer:?}");
        assert!([Verdict::Holds, Verdict::Inconclusive].contains(&record.verdict), "{seed}: {record:?}");
        assert!(record.checks.iter().all(|check| check.findings.iter().all(|finding| !finding.reproducible)), "{seed}");
        // It was lost: a question was asked again.
        let longest = record.timing.round_trips_ns[&backend].max;
        assert!(longest >= 1_000_000_000, "{seed}: {longest} ns");
    }
}

#[test]
fn a_few_lost_or_damaged_bytes_end_no_run_in_a_panic_and_falsify_no_sound_device() {
    // Each lost byte costs a stream some five seconds: a few are enough, and the links wait beside each other.
    let runs = [
        ("uartbone:tcp", "lose:200000", "4"),
        ("uartbone:tcp", "flip:100000", "1"),
        ("etherbone:udp", "lose:5000", "1"),
        ("etherbone:udp", "flip:100000", "1"),
        ("serial:pty", "lose:3000", "1"),
        // So many that the link is given up while what looked wrong is tried again.
        ("etherbone:udp", "lose:50", "1"),
    ];
    let runs = runs.map(|(link, disturbance, seed)| {
        std::thread::spawn(move || {
            let emulator = Emulator::serving(&[link], &["--disturb", disturbance, "--seed", seed]);
            let answer = answer_in_time(&["5", "--backend", emulator.backend(), "--record", "-"]);
            (link, disturbance, emulator.backend().to_owned(), answer)
        })
    });
    for run in runs {
        let (link, disturbance, backend, answer) = run.join().expect("it ends");
        assert!([0, 3, 4].contains(&answer.exit), "{link}, {disturbance}: {answer:?}");
        assert!(!answer.talk.contains("panicked"), "{answer:?}");
        let record = record_of(&answer);
        assert_ne!(record.verdict, Verdict::Falsified, "{link}, {disturbance}: {answer:?}");
        if disturbance.starts_with("lose") {
            // Something was lost, and asked again: after a quarter of a second over UDP, after a second elsewhere.
            let longest = record.timing.round_trips_ns[&backend].max;
            assert!(longest >= 250_000_000, "{link}, {disturbance}: {longest} ns");
        }
    }
}

#[test]
fn what_is_not_there_or_may_not_be_used_is_unavailable_with_the_reason() {
    let plain = tempfile::NamedTempFile::new().expect("a file");
    let plain = plain.path().to_str().expect("a path");
    // No program is given port 1 that asks for any port, nor a pty of this number: one that another test had given back
    // could by now be that of another emulator.
    for (backend, told) in [
        ("uartbone:127.0.0.1:1", "nothing listens there"),
        ("etherbone:tcp:127.0.0.1:1", "nothing listens there"),
        ("etherbone:udp:127.0.0.1:1", "nothing listens at 127.0.0.1"),
        ("uartbone:/dev/pts/4294967295", "cannot open /dev/pts/4294967295: No such file"),
        ("uartbone:/no/such/tty", "No such file or directory (os error 2); is the board plugged in"),
        ("serial:/no/such/tty", "No such file or directory"),
        (&format!("uartbone:{plain}"), "expected a serial device"),
        ("serial:/dev/null", "expected a serial device"),
        ("uartbone:/tmp", "Is a directory (os error 21); expected a serial device"),
        ("uartbone:no-such-host.invalid:1234", "cannot connect"),
        ("etherbone:udp:no-such-host.invalid:1234", "has no address"),
        ("uio:4000", "cannot read /sys/class/uio/uio4000/maps/map0/size: No such file"),
        ("uio:4000", "once the driver uio_pdrv_genirq is loaded, its parameter of_id names"),
    ] {
        let Answer { exit, output, talk } = answer_in_time(&["5", "--backend", backend]);
        assert_eq!((exit, output.as_str()), (4, ""), "{backend}: {talk}");
        assert!(talk.contains("is unavailable") && talk.contains(told), "{backend}: {talk}");
    }
}

#[test]
fn what_is_not_there_leaves_a_record_of_what_was_tried() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("r.json");
    let answer =
        answer_in_time(&["5", "--backend", "scalar,uartbone:/no/such", "--record", place.to_str().expect("a path")]);
    assert_eq!((answer.exit, answer.output.as_str()), (4, ""), "{answer:?}");
    let record: abench::report::record::Record =
        serde_json::from_str(&fs::read_to_string(&place).expect("a record")).expect("a record");
    assert_eq!(record.asked.backends, ["scalar", "uartbone:/no/such"]);
    assert_eq!((record.verdict, record.checks.len()), (Verdict::Inconclusive, 0));
    let unavailable = record.unavailable.expect("why it ended");
    assert!(unavailable.starts_with("backend 'uartbone:/no/such': ") && unavailable.contains("No such file"));
    let shown = answer_in_time(&["5", "--backend", "uartbone:/no/such", "--record", "-"]);
    assert_eq!((shown.exit, record_of(&shown).asked.backends), (4, vec!["uartbone:/no/such".to_owned()]));
}

/// A copy of a program, as a user who owns nothing, where root runs the test.
fn as_nobody(program: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program).args(args);
    command
}

#[test]
fn what_may_not_be_opened_is_unavailable_and_says_who_may() {
    let told = |refused: Answer| {
        assert_eq!(refused.exit, 4, "{refused:?}");
        assert!(refused.talk.contains("Permission denied"), "{}", refused.talk);
        assert!(refused.talk.contains("must be in the group that owns it, or be root"), "{}", refused.talk);
    };
    let folder = tempfile::tempdir().expect("a folder");
    let closed = folder.path().join("closed");
    fs::write(&closed, "").expect("a file");
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).expect("its owner closes it");
    let backend = format!("uartbone:{}", closed.display());
    if File::open(&closed).is_err() {
        return told(answer_in_time(&["5", "--backend", &backend]));
    }
    // Root may open anything, and so another user must try.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("a folder for all");
    let program = folder.path().join("abench");
    fs::copy(env!("CARGO_BIN_EXE_abench"), &program).expect("a copy");
    told(ended_in_time(as_nobody(&program, &["5", "--backend", &backend])));
    let emulator = Emulator::serving(&["uartbone:pty"], &[]);
    told(ended_in_time(as_nobody(&program, &["5", "--backend", emulator.backend()])));
}

#[test]
fn words_that_are_wrong_in_another_way_each_time_falsify_nothing() {
    given_up("serial:pty", "garbage:0", "gives another state each time, in 16 tries; expected 0xa486e0c2d3f197b5 to R");
    // In the arrival orders, and in the round trips.
    for disturbance in ["garbage:60", "garbage:9000"] {
        given_up("serial:pty", disturbance, "gives another state each time, in 16 tries");
    }
}

#[test]
fn a_replay_over_a_link_that_gives_garbage_accuses_no_device() {
    for (link, words) in [("uartbone:tcp", 42), ("uartbone:tcp", 50), ("serial:pty", 28)] {
        let emulator = Emulator::serving(&[link], &["--disturb", &format!("garbage:{words}")]);
        let case = format!("case1,{},adapter,ops=load:0:0x5+accum:0x3+read+accum:0x9+read", emulator.backend());
        let answer = answer_in_time(&["replay", &case]);
        assert_eq!(answer.exit, 4, "{link}, {words}: {answer:?}");
        assert!(answer.talk.contains("tries") || answer.talk.contains("after 16 reads"), "{}", answer.talk);
    }
}
