//! What a client would see wrong is falsified over every link: what our driver adds for safety excuses no device.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use abench::fault::catalogue::{Shape, mutants};
use abench::report::record::Record;

use crate::common::{Answer, PUBLISHED};
use crate::links::record_of;
use crate::served::{Emulator, answer_in_time, ended_in_time};

/// The record of a standard campaign with the published COUNT and SEED.
fn published_run(backend: &str, options: &[&str]) -> (Answer, Record) {
    let answer = answer_in_time(&[&PUBLISHED[..], &["--backend", backend, "--record", "-"], options].concat());
    let record = record_of(&answer);
    (answer, record)
}

/// The cases of a check that was falsified.
fn cases(record: &Record, check: &str) -> Vec<String> {
    let falsified = record.checks.iter().filter(|found| found.name == check).flat_map(|found| &found.findings);
    falsified.filter(|finding| finding.reproducible).map(|finding| finding.case.clone()).collect()
}

#[test]
fn a_device_that_leaves_something_to_the_next_run_is_falsified_over_every_link_and_its_case_replays() {
    for fault in ["start-keeps-banks", "done-stays"] {
        let emulator = Emulator::serving(&["uartbone:tcp", "etherbone:udp"], &["--plant", fault]);
        let over_links = emulator.backends().iter().map(|backend| (backend.as_str(), Vec::new()));
        for (backend, options) in over_links.chain([("model", vec!["--plant", fault])]) {
            let (answer, record) = published_run(backend, &options);
            assert_eq!(answer.exit, 1, "{fault}, {backend}: {answer:?}");
            let cases = cases(&record, "as a client");
            let case = cases.first().unwrap_or_else(|| panic!("{fault}, {backend}: {record:#?}"));
            assert!(case.matches("write:ctrl:0x1").count() > 1, "the run before is in the case: {case}");
            let replayed = answer_in_time(&["replay", case]);
            assert_eq!(replayed.exit, 1, "{fault}, {backend}: {replayed:?}");
            assert!(replayed.output.contains("falsified"), "{}", replayed.output);
        }
    }
}

#[test]
fn a_seed_bit_that_no_run_uses_is_falsified_by_what_was_read_back_at_opening() {
    // Bit 29 of SEED_HI is 0 in the published seed: no run of the table shows that it is stuck.
    let emulator = Emulator::serving(&["uartbone:tcp", "etherbone:udp"], &["--plant", "stuck-seed-bit:61"]);
    for backend in emulator.backends() {
        let (answer, record) = published_run(backend, &[]);
        assert_eq!(answer.exit, 1, "{backend}: {answer:?}");
        let sweep = &record.bank_sweeps[0];
        assert!(sweep.rows.iter().all(|row| row.ok), "the table alone does not show it");
        let cases = cases(&record, "read-backs");
        let case = cases.first().unwrap_or_else(|| panic!("{backend}: {record:#?}"));
        assert_eq!(answer_in_time(&["replay", case]).exit, 1, "{case}");
        // So, too, where the scenario asks for nothing but the published sweep.
        let alone = answer_in_time(&["run", "bank-sweep", "--backend", backend, "--record", "-"]);
        assert!(record_of(&alone).checks.iter().any(|check| check.name == "read-backs"), "{alone:?}");
    }
}

/// Banks of the devices that the published program is played against: they have every kind of fault, and fewer sets of dead
/// banks than eight.
const BANKS: u32 = 4;

/// Whether Python is there; said by name where it is not, and a failure in CI.
fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success());
    if !found {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI python3 must be there");
        let _ = writeln!(std::io::stderr(), "SKIPPED: python3 is not installed");
    }
    found
}

/// Whether the published program, played by a client that shares no code with ours, prints a row that does not match.
fn published_program_mismatches(uartbone: &str) -> bool {
    let (host, port) = uartbone.strip_prefix("uartbone:").and_then(|at| at.rsplit_once(':')).expect("a port");
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/published_program.py"));
    command.args([host, port]).args(PUBLISHED);
    let answer = ended_in_time(command);
    assert!([0, 1].contains(&answer.exit), "{answer:?}");
    assert_eq!(answer.exit == 0, answer.output.contains("ALL MATCH"), "{answer:?}");
    answer.exit == 1
}

/// Two emulators at a time, as many as the smallest machine has cores.
const WORKERS: usize = 2;

#[test]
fn wherever_the_published_program_mismatches_our_verdict_over_the_link_is_falsified() {
    if !has_python() {
        return;
    }
    let sound = Emulator::serving(&["uartbone:tcp"], &["--device", &format!("model:{BANKS}")]);
    assert!(!published_program_mismatches(sound.backend()), "a sound device matches");
    let mutants = mutants(Shape { banks: BANKS, longest_run: 65_537 });
    let (next, mismatches) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let device = format!("model:{BANKS}");
            let planted = mutant.faults.iter().flat_map(|fault| ["--plant".to_owned(), fault.to_string()]);
            let options: Vec<String> = ["--device".to_owned(), device].into_iter().chain(planted).collect();
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            let emulator = Emulator::serving(&["uartbone:tcp", "etherbone:udp"], &options);
            if published_program_mismatches(&emulator.backends()[0]) {
                mismatches.fetch_add(1, Ordering::Relaxed);
                let answer = answer_in_time(&[&PUBLISHED[..], &["--backend", &emulator.backends()[1]]].concat());
                assert_eq!(answer.exit, 1, "{:?}: {answer:?}", mutant.faults);
                assert!(answer.output.contains("verdict falsified"), "{:?}: {answer:?}", mutant.faults);
            }
        }
    };
    std::thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(work))));
    let mismatches = mismatches.into_inner();
    assert!(mismatches > 20 && mismatches < mutants.len(), "{mismatches} of {} mutants", mutants.len());
}
