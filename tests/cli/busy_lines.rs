//! Lines that other programs use too, that are slow, or on which more comes than answers: each is told as what it is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{UnderWay, unwrapped};
use crate::links::record_of;
use crate::served::{Emulator, answer_in_time};

/// A replay of a case of the adapter: few questions.
fn short_case(backend: &str) -> String {
    format!("case1,{backend},adapter,ops=load:0:0x5+accum:0x3+read")
}

#[test]
fn the_second_run_on_a_tty_ends_at_once_and_names_the_first_one_whose_lock_is_gone_with_it() {
    let emulator = Emulator::serving(&["uartbone:pty", "uartbone:pty"], &["--disturb", "delay:2"]);
    let tty = emulator.backend().strip_prefix("uartbone:").expect("a tty");
    let lock = format!("/var/lock/LCK..{}", tty.strip_prefix("/dev/").expect("below /dev").replace('/', "_"));
    let first = UnderWay::start(&["100", "7", "--backend", emulator.backend()]);
    let owner = std::fs::read_to_string(&lock).expect("a lock file").trim().to_owned();
    let start = Instant::now();
    let second = answer_in_time(&["5", "--backend", emulator.backend()]);
    assert_eq!((second.exit, second.output.as_str()), (4, ""), "{second:?}");
    let told = unwrapped(&second.talk);
    assert!(told.contains(&format!("process {owner} (abench) uses {tty}")), "{told}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    // Another tty is another matter.
    let other = answer_in_time(&["replay", &short_case(&emulator.backends()[1])]);
    assert_eq!(other.exit, 0, "{other:?}");
    // What is killed leaves its lock file behind, and nobody is kept out by it.
    first.killed();
    assert!(Path::new(&lock).exists());
    let third = answer_in_time(&["replay", &short_case(emulator.backend())]);
    assert_eq!(third.exit, 0, "{third:?}");
    assert!(!Path::new(&lock).exists(), "it is gone with its run");
}

#[test]
fn a_uartbone_command_with_two_gaps_of_60_ms_is_dropped_and_an_unknown_one_takes_six_bytes() {
    let emulator = Emulator::serving(&["uartbone:tcp"], &[]);
    let place = emulator.backend().strip_prefix("uartbone:").expect("a place");
    let mut line = TcpStream::connect(place).expect("it listens");
    line.set_nodelay(true).expect("it is");
    line.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    let read = [2, 1, 0x3C, 0, 0x84, 8];
    for (part, pause) in [(&read[..2], 60), (&read[2..4], 60), (&read[4..], 150)] {
        line.write_all(part).expect("it is sent");
        std::thread::sleep(Duration::from_millis(pause));
    }
    // Nothing was answered: what comes now is the answer to this, behind an unknown command.
    line.write_all(&[&[0x41, 2, 1, 0x3C, 0, 0x84][..], &[2, 1, 0x3C, 0, 0x84, 3]].concat()).expect("it is sent");
    let mut answer = [0; 4];
    line.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, [0, 0, 0, 1], "SEED_LO after reset, and not the status");
}

#[test]
fn on_a_slow_line_that_drops_what_takes_longer_than_100_ms_a_case_holds() {
    for baud in ["2400", "1200"] {
        let emulator = Emulator::serving(&["uartbone:pty"], &["--baud", baud]);
        let case = short_case(emulator.backend());
        let answer = answer_in_time(&["replay", &case, "--baud", baud]);
        assert_eq!(answer.exit, 0, "{baud}: {answer:?}");
        assert!(!answer.output.contains("link: "), "nothing was asked again: {}", answer.output);
    }
    let emulator = Emulator::serving(&["uartbone:pty"], &["--baud", "600"]);
    let answer = answer_in_time(&["replay", &short_case(emulator.backend()), "--baud", "600"]);
    assert_eq!(answer.exit, 4, "{answer:?}");
    assert!(
        unwrapped(&answer.talk).contains("at this rate one word takes longer: use 1200 baud or more"),
        "{}",
        answer.talk
    );
}

#[test]
fn answers_over_udp_that_come_late_are_told_as_late_and_not_as_lost() {
    let emulator = Emulator::serving(&["etherbone:udp"], &["--disturb", "delay:300"]);
    let answer = answer_in_time(&["replay", &short_case(emulator.backend())]);
    assert_eq!(answer.exit, 0, "{answer:?}");
    let told = unwrapped(&answer.output);
    assert!(told.contains("came late and were not lost; the latest took 3"), "{told}");
    assert!(!told.contains("loses something"), "{told}");
}

#[test]
fn console_text_between_the_answers_of_uartbone_is_survived_and_told() {
    for link in ["uartbone:pty", "uartbone:tcp"] {
        let emulator = Emulator::serving(&[link], &["--disturb", "console:30"]);
        let answer = answer_in_time(&["replay", &short_case(emulator.backend())]);
        assert_eq!(answer.exit, 0, "{link}: {answer:?}");
        let told = unwrapped(&answer.output);
        assert!(
            told.contains("bytes came that nobody asked for (\"[ 12.345678] random: crng init done\\r\\n"),
            "{told}"
        );
    }
    let emulator = Emulator::serving(&["uartbone:tcp"], &["--disturb", "console:2000"]);
    let answer = answer_in_time(&["5", "--backend", emulator.backend(), "--record", "-"]);
    let record = record_of(&answer);
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert!(record.devices[0].link_events[0].contains("is a console on this line?"), "{:?}", record.devices);
}

#[test]
fn an_option_of_the_emulator_without_its_link_is_refused() {
    for (args, told) in [
        (
            &["uartbone:tcp", "--reply-to-source"][..],
            "--reply-to-source can do nothing here: it is about etherbone:udp",
        ),
        (&["etherbone:udp", "--baud", "9600"], "--baud 9600 can do nothing here: it is about uartbone"),
        (
            &["etherbone:tcp", "--disturb", "liteeth-depth:16"],
            "liteeth-depth:16 can do nothing here: it is about etherbone:udp",
        ),
        (&["serial:pty", "--disturb", "console:1"], "console:1 can do nothing here: it is about uartbone"),
        (&["etherbone:udp", "--disturb", "liteeth-depth:0"], "from 1 to 256 for liteeth-depth"),
        (&["etherbone:udp", "--bind", "::1"], "LiteEth speaks IPv4 alone"),
    ] {
        let refused = answer_in_time(&[&["emulate", "--idle", "1"], args].concat());
        assert_eq!((refused.exit, refused.output.as_str()), (2, ""), "{refused:?}");
        assert!(unwrapped(&refused.talk).contains(told), "{}", refused.talk);
    }
}

#[test]
fn our_client_stays_within_the_smallest_buffer_that_liteeth_is_built_with() {
    let emulator = Emulator::serving(&["etherbone:udp"], &["--disturb", "liteeth-depth:4"]);
    let answer = answer_in_time(&["5", "--backend", emulator.backend()]);
    assert_eq!(answer.exit, 0, "{answer:?}");
}
