//! The backend that simulates the RTL: its evidence, and the waveforms of what goes wrong in it.

use std::fs;
use std::path::Path;

use crate::common::{Answer, Reading, answer, unwrapped};
use crate::served::{Emulator, answer_in_time};
use serde_json::Value;

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The times of a waveform, in picoseconds.
fn times(vcd: &str) -> Vec<u64> {
    vcd.lines().filter_map(|line| line.strip_prefix('#')?.parse().ok()).collect()
}

#[test]
fn the_recorded_table_comes_from_the_rtl_with_its_evidence() {
    let Answer { output, exit, .. } = answer(&["--backend", "rtl", "65537", "0xDEADBEEF0BADF00D"]);
    assert_eq!(exit, 0);
    assert!(output.starts_with("ATOMiK parallel-bench  v2  N_BANKS=8  evidence=rtl-simulation\n"), "{output}");
    let reading = Reading::of(&output);
    let rows: Vec<(u32, u64)> = reading.rows.iter().map(|(banks, cycles, _)| (*banks, *cycles)).collect();
    assert_eq!(rows, [(1, 65_537), (2, 32_769), (4, 16_385), (8, 8_193)]);
    assert!(output.contains("VERIFY: ALL MATCH"));
    let device = "- rtl: evidence rtl-simulation, version 2, banks 8, reached Verilator 5.";
    let unwrapped = unwrapped(&output);
    assert!(unwrapped.contains(device) && unwrapped.contains("simulation of rtl/abench_top.v"), "{unwrapped}");
}

#[test]
fn a_dead_bank_is_shown_in_a_waveform_beside_the_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join("run.json");
    let run = ["100", "--backend", "rtl", "--plant", "dead-bank:3", "--record", text(&record)];
    let Answer { output, exit, .. } = answer(&run);
    assert_eq!(exit, 1, "{output}");
    let names = names_in(folder.path());
    let [vcd_name, record_name] = &names[..] else { panic!("a waveform and a record: {names:?}") };
    assert_eq!(record_name, "run.json");
    let record: Value = serde_json::from_str(&fs::read_to_string(&record).expect("a record")).expect("JSON");
    let seen = &record["waveforms"][0];
    assert_eq!((seen["bank"].as_u64(), seen["file"].as_str()), (Some(3), Some(vcd_name.as_str())));
    let (clock, at) = (seen["clock"].as_u64().expect("a clock"), seen["nanoseconds"].as_u64().expect("a time"));
    assert_eq!(at, 10 * clock - 5);
    let told = format!("first wrong: clock {clock} since reset, at {at} ns: bank 3 holds 0x0 and should hold 0x");
    let unwrapped = unwrapped(&output);
    assert!(unwrapped.contains(&told) && unwrapped.contains(&format!("waveform: {vcd_name}")), "{unwrapped}");
    let vcd = fs::read_to_string(folder.path().join(vcd_name)).expect("a waveform");
    let times = times(&vcd);
    assert!(times.first() < Some(&(1000 * at)) && times.last() > Some(&(1000 * at)), "{times:?}");
    assert!(times.contains(&(1000 * at)) && times.len() <= 2 * 17 + 1, "{times:?}");
    assert!(vcd.contains("bank[3]") && vcd.len() < 30_000, "{} bytes", vcd.len());
}

#[test]
fn the_same_case_gives_the_same_waveform_again() {
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let case = "case1,rtl:4,engine,count=9,active=4,seed=7,plant=drop:5";
    for folder in &folders {
        let Answer { output, exit, .. } = answer(&["replay", case, "--waveforms", text(folder.path())]);
        assert_eq!(exit, 1, "{output}");
        assert!(output.contains("bank 1 holds 0x"), "{output}");
    }
    let [one, other] = folders.map(|folder| {
        let names = names_in(folder.path());
        assert_eq!(names.len(), 1, "{names:?}");
        (names[0].clone(), fs::read(folder.path().join(&names[0])).expect("a waveform"))
    });
    assert_eq!(one, other);
}

#[test]
fn a_record_of_the_rtl_replays_to_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join("run.json");
    assert_eq!(answer(&["50", "--backend", "rtl", "--plant", "stale-read", "--record", text(&record)]).exit, 1);
    let Answer { output, exit, .. } = answer(&["replay", text(&record)]);
    assert_eq!(exit, 1);
    assert!(output.contains("replay: the same as recorded"), "{output}");
}

#[test]
fn without_a_place_no_waveform_is_written_and_the_report_says_so() {
    let Answer { output, .. } = answer(&["50", "--backend", "rtl", "--plant", "flip-bit:5"]);
    let unwrapped = unwrapped(&output);
    assert!(unwrapped.contains("the engine's RESULT holds 0x20 and should hold 0x0"), "{unwrapped}");
    assert!(unwrapped.contains("waveform: none written; --waveforms FOLDER writes it"), "{unwrapped}");
}

#[test]
fn a_place_that_takes_no_waveform_is_refused_before_the_run() {
    let refused = |args: &[&str]| {
        let Answer { output, talk, exit } = answer(args);
        assert_eq!((exit, output.as_str()), (2, ""), "{talk}");
        talk
    };
    let none = refused(&["5", "--backend", "rtl", "--waveforms", "/no/such/folder"]);
    assert!(none.contains("--waveforms takes a folder, and /no/such/folder is none"), "{none}");
    let folder = tempfile::tempdir().expect("a folder");
    let model = refused(&["5", "--backend", "model", "--waveforms", text(folder.path())]);
    assert!(model.contains("use --backend rtl"), "{model}");
    let banks = refused(&["5", "--backend", "rtl:33"]);
    assert!(banks.contains("BANKS is a whole number from 1 to 32"), "{banks}");
}

#[test]
fn the_rtl_is_served_to_other_programs_and_its_evidence_goes_with_it() {
    let sound = Emulator::serving(&["uartbone:tcp", "etherbone:udp"], &["--device", "rtl"]);
    for backend in sound.backends() {
        let answer = answer_in_time(&["1001", "7", "--backend", backend]);
        assert_eq!(answer.exit, 0, "{backend}: {answer:?}");
        let told = unwrapped(&answer.output);
        assert!(told.contains(&format!("{backend}: evidence rtl-simulation, version 2, banks 8")), "{told}");
    }
    let dead = Emulator::serving(&["uartbone:tcp"], &["--device", "rtl:4", "--plant", "dead-bank:3"]);
    let answer = answer_in_time(&["1001", "7", "--backend", dead.backend()]);
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert!(answer.output.contains("bank 3 dead"), "{}", answer.output);
}
