//! The backend that simulates the RTL: its evidence, and the waveforms of what goes wrong in it.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Answer, Reading, UnderWay, abench, answer, in_full, unwrapped};
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

/// What the binary answers in this folder: a run without a place for its waveforms leaves them where it was started.
fn answer_in(folder: &Path, args: &[&str]) -> Answer {
    Answer::of(abench().args(in_full(args)).current_dir(folder).output().expect("the binary starts"))
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
    let device = "rtl evidence: rtl-simulation what it is: version 2, banks 8, reached Verilator 5.";
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
    let record: Value = serde_json::from_str(&fs::read_to_string(&record).expect("a record")).expect("JSON");
    let seen = &record["waveforms"][0];
    let vcd_name = names.iter().find(|name| name.contains("-engine-")).expect("a waveform of the engine's case");
    assert_eq!((seen["bank"].as_u64(), seen["file"].as_str()), (Some(3), Some(vcd_name.as_str())));
    let (clock, at) = (seen["clock"].as_u64().expect("a clock"), seen["nanoseconds"].as_u64().expect("a time"));
    assert_eq!(at, 10 * clock - 5);
    let told = format!("first wrong: clock {clock} since reset, at {at} ns: bank 3 holds 0x0 and should hold 0x");
    let unwrapped = unwrapped(&output);
    assert!(unwrapped.contains(&told) && unwrapped.contains(&format!("waveform: {vcd_name}")), "{unwrapped}");
    let vcd = fs::read_to_string(folder.path().join(vcd_name)).expect("a waveform");
    let times = times(&vcd);
    // Eight clocks before the first wrong one and eight after it, with both edges of each.
    const CLOCK: u64 = 10_000;
    assert!(times.contains(&(1000 * at)), "{times:?}");
    let (first, last) = (times[0], times[times.len() - 1]);
    assert_eq!((1000 * at - first, last - 1000 * at), (17 * CLOCK / 2, 17 * CLOCK / 2), "{times:?}");
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
    let Answer { output, exit, .. } = answer_in(folder.path(), &["replay", text(&record)]);
    assert_eq!(exit, 1);
    assert!(output.contains("replay: the same as recorded"), "{output}");
}

/// The name of the one waveform of an engine's case in a folder, which the report names too.
fn only_waveform(folder: &Path, output: &str) -> String {
    let of_engine = |name: &String| name.contains("-engine-") && name.ends_with(".vcd");
    let names: Vec<String> = names_in(folder).into_iter().filter(of_engine).collect();
    let [name] = &names[..] else { panic!("one waveform: {names:?}\n{output}") };
    assert!(unwrapped(output).contains(&format!("waveform: {name}")), "{name}\n{output}");
    name.clone()
}

#[test]
fn without_a_place_a_waveform_is_left_in_the_current_folder_and_named_after_its_case() {
    let planted = ["50", "--backend", "rtl", "--plant", "flip-bit:5"];
    for more in [&[][..], &["--record", "-"]] {
        let folder = tempfile::tempdir().expect("a folder");
        let Answer { output, talk, exit } = answer_in(folder.path(), &[&planted, more].concat());
        assert_eq!(exit, 1, "{talk}");
        let report = if more.is_empty() { output } else { talk };
        let name = only_waveform(folder.path(), &report);
        assert!(name.starts_with("abench-rtl-engine-count-") && name.contains("-flip-bit-5-"), "{name}");
        let told = unwrapped(&report);
        assert!(
            told.contains("first wrong: clock ") && told.contains("RESULT holds 0x20 and should hold 0x0"),
            "{told}"
        );
    }
}

#[test]
fn a_replayed_case_and_a_replayed_record_leave_their_waveform_in_the_current_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let case = "case1,rtl,engine,count=4,active=4,seed=0x0000000000000007,plant=dead-bank:3";
    for _ in 0..2 {
        let Answer { output, exit, .. } = answer_in(folder.path(), &["replay", case]);
        assert_eq!(exit, 1, "{output}");
        assert!(output.contains("bank 3 holds 0x"), "{output}");
        let name = only_waveform(folder.path(), &output);
        let vcd = fs::read_to_string(folder.path().join(name)).expect("a waveform");
        assert!(vcd.starts_with(&format!("$comment abench waveform of {case}")), "{}", &vcd[..200]);
    }
    let records = tempfile::tempdir().expect("a folder");
    let record = records.path().join("run.json");
    answer(&["9", "--backend", "rtl:2", "--plant", "extra-cycle", "--record", text(&record), "--waveforms", "none"]);
    assert_eq!(names_in(records.path()), ["run.json"]);
    let folder = tempfile::tempdir().expect("a folder");
    let Answer { output, exit, .. } = answer_in(folder.path(), &["replay", text(&record)]);
    assert_eq!(exit, 1, "{output}");
    only_waveform(folder.path(), &output);
}

#[test]
fn no_waveform_is_written_where_none_is_asked_for_or_nothing_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = ["50", "--backend", "rtl", "--plant", "flip-bit:5", "--waveforms", "none"];
    let Answer { output, exit, .. } = answer_in(folder.path(), &refused);
    assert_eq!(exit, 1);
    let told = unwrapped(&output);
    assert!(told.contains("first wrong: clock "), "{told}");
    assert!(told.contains("no waveform written: --waveforms none asks for none"), "{told}");
    let Answer { exit, .. } = answer_in(folder.path(), &["50", "--backend", "rtl,model"]);
    assert_eq!(exit, 0);
    let Answer { exit, .. } = answer_in(folder.path(), &["50", "--plant", "flip-bit:5", "--waveforms", "none"]);
    assert_eq!(exit, 1);
    assert_eq!(names_in(folder.path()), [""; 0]);
}

#[test]
fn what_is_in_the_way_of_a_waveform_is_left_as_it_is_and_the_verdict_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = ["50", "--backend", "rtl", "--plant", "flip-bit:5"];
    let first = answer_in(folder.path(), &run);
    let name = only_waveform(folder.path(), &first.output);
    let path = folder.path().join(&name);
    fs::write(&path, "mine").expect("a file");
    let told = |answer: &Answer| {
        assert_eq!(answer.exit, 1, "{answer:?}");
        let reason =
            format!("no waveform written: ./{name} is there, is no waveform of this case, and is left as it is");
        assert!(unwrapped(&answer.output).contains(&reason), "{}", answer.output);
    };
    told(&answer_in(folder.path(), &run));
    assert_eq!(fs::read_to_string(&path).expect("a file"), "mine");
    // Nor is anything written where a link leads.
    fs::remove_file(&path).expect("it goes");
    std::os::unix::fs::symlink("elsewhere", &path).expect("a link");
    told(&answer_in(folder.path(), &run));
    let names = names_in(folder.path());
    assert!(names.contains(&name) && !names.contains(&"elsewhere".to_owned()), "{names:?}");
}

#[test]
fn a_folder_that_takes_no_waveform_changes_no_verdict_and_the_report_says_why() {
    let run = ["50", "--backend", "rtl", "--plant", "flip-bit:5"];
    let given = |answer: Answer, reason: &str| {
        assert_eq!(answer.exit, 1, "{answer:?}");
        let told = unwrapped(&answer.output);
        assert!(told.contains("verdict falsified") && told.contains("first wrong: clock "), "{told}");
        assert!(told.contains(&format!("no waveform written: {reason}")), "{told}");
    };
    given(answer(&[&run[..], &["--waveforms", "/no/such/folder"]].concat()), "/no/such/folder is no folder;");
    given(answer(&[&run[..], &["--waveforms", "Cargo.toml"]].concat()), "Cargo.toml is no folder;");
    // The current folder may be read and not written, by a user who does not own it.
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("abench");
    fs::copy(env!("CARGO_BIN_EXE_abench"), &program).expect("a copy");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).expect("its owner closes it");
    let mut command = Command::new(&program);
    if fs::write(folder.path().join("probe"), "").is_ok() {
        fs::remove_file(folder.path().join("probe")).expect("it goes");
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    }
    let ended = command.args(in_full(&run)).current_dir(folder.path()).output().expect("the binary starts");
    given(Answer::of(ended), "./abench-rtl-engine-count-");
    assert_eq!(names_in(folder.path()), ["abench"]);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("its owner opens it");
}

#[test]
fn what_can_be_no_waveform_is_refused_before_the_run() {
    let refused = |args: &[&str]| {
        let Answer { output, talk, exit } = answer(args);
        assert_eq!((exit, output.as_str()), (2, ""), "{talk}");
        talk
    };
    let folder = tempfile::tempdir().expect("a folder");
    let model = refused(&["5", "--backend", "model", "--waveforms", text(folder.path())]);
    assert!(model.contains("use --backend rtl"), "{model}");
    let banks = refused(&["5", "--backend", "rtl:33"]);
    assert!(banks.contains("BANKS is a whole number from 1 to 32"), "{banks}");
}

/// What a waveform shows: of every signal, by its place in the device, its words and the times since when they stand, in
/// picoseconds.
fn signals(vcd: &str) -> BTreeMap<String, Vec<(u64, u64)>> {
    let (mut scopes, mut names, mut signals, mut time) = (Vec::new(), BTreeMap::new(), BTreeMap::new(), 0);
    for line in vcd.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["$scope", "module", scope, ..] => scopes.push(scope),
            ["$upscope", ..] => drop(scopes.pop()),
            ["$var", _, _, code, name, ..] => {
                let place = [scopes.join("."), name.to_owned()].join(".");
                names.entry(code).or_insert_with(Vec::new).push(place);
            }
            [value, ..] if value.starts_with('#') => time = value[1..].parse().expect("a time"),
            [value, code] if value.starts_with('b') => shown(&names[code], time, &value[1..], &mut signals),
            [value] if value.starts_with(['0', '1']) => shown(&names[&value[1..]], time, &value[..1], &mut signals),
            _ => {}
        }
    }
    signals
}

fn shown(names: &[String], time: u64, bits: &str, signals: &mut BTreeMap<String, Vec<(u64, u64)>>) {
    // What is wider than 64 bits is not looked at.
    let Ok(word) = u64::from_str_radix(bits, 2) else { return };
    names.iter().for_each(|name| signals.entry(name.clone()).or_default().push((time, word)));
}

/// The word that a signal of the device has in this picosecond.
fn word_at(signals: &BTreeMap<String, Vec<(u64, u64)>>, name: &str, time: u64) -> u64 {
    let found: Vec<_> = signals.iter().filter(|(place, _)| place.ends_with(name)).collect();
    let [(_, words), ..] = found[..] else { panic!("{name} is not among {:?}", signals.keys()) };
    words.iter().rev().find(|(since, _)| *since <= time).unwrap_or_else(|| panic!("{name} has no word at {time}")).1
}

/// Faults that show where a register should change: it stays as it was.
const STAY: [&str; 2] = ["dead-bank:3", "stale-read"];

#[test]
fn a_waveform_shows_the_part_that_goes_wrong_as_the_report_says_it() {
    for (fault, name) in [
        ("dead-bank:3", "engine.bank[3]"),
        ("extra-cycle", "engine.cycles"),
        ("flip-bit:5", "engine.result"),
        ("stale-read", "adapter.response"),
        ("lost-high-word", "adapter.accumulator"),
        ("accum-operator:add", "adapter.accumulator"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let record = folder.path().join("run.json");
        let run = ["50", "--backend", "rtl", "--plant", fault, "--record", text(&record)];
        assert_eq!(answer(&run).exit, 1, "{fault}");
        let record: Value = serde_json::from_str(&fs::read_to_string(&record).expect("a record")).expect("JSON");
        let seen = &record["waveforms"][0];
        let what = seen["what"].as_str().expect("words");
        let held = what.split(" holds 0x").nth(1).and_then(|rest| rest.split(' ').next()).expect("a word");
        let held = u64::from_str_radix(held, 16).expect("hexadecimal");
        let vcd = fs::read_to_string(folder.path().join(seen["file"].as_str().expect("a file"))).expect("a waveform");
        let signals = signals(&vcd);
        let at = 1000 * seen["nanoseconds"].as_u64().expect("a time");
        // What the clock changes is there 1 ns after it rises; a reader who samples at the rise sees what stood before it.
        assert_eq!(word_at(&signals, name, at + 1_000), held, "{fault}: {what}");
        assert_eq!(word_at(&signals, name, at) == held, STAY.contains(&fault), "{fault}: {what}");
        // Each part with its inner life, and the bus that both are on.
        for inside in ["adapter.stage", "adapter.code", "adapter.rs1", "engine.next", "engine.busy", "wb_adr_i", "clk"]
        {
            word_at(&signals, inside, at);
        }
    }
}

/// Where the test command installs a parser of VCD files that is not ours.
fn pyvcd() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pyvcd/bin/python");
    if python.exists() {
        return Some(python);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI pyvcd must be there: {}", python.display());
    let _ = writeln!(std::io::stderr(), "SKIPPED: pyvcd is not installed (.ci/test installs it with python3)");
    None
}

#[test]
fn a_parser_that_is_not_ours_finds_the_named_clock_and_the_contexts_that_the_case_touches() {
    let Some(python) = pyvcd() else { return };
    for (fault, name) in [
        ("dead-bank:3", "bank[3]"),
        ("extra-cycle", "engine.cycles"),
        ("stale-read", "adapter.response"),
        ("lost-high-word", "adapter.accumulator"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let record = folder.path().join("run.json");
        let run = ["50", "--backend", "rtl", "--plant", fault, "--record", text(&record)];
        assert_eq!(answer(&run).exit, 1, "{fault}");
        let record: Value = serde_json::from_str(&fs::read_to_string(&record).expect("a record")).expect("JSON");
        let seen = &record["waveforms"][0];
        let what = seen["what"].as_str().expect("words");
        let held = what.split(" holds 0x").nth(1).and_then(|rest| rest.split(' ').next()).expect("a word");
        let at = seen["nanoseconds"].as_u64().expect("a time").to_string();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/first_wrong.py");
        let vcd = folder.path().join(seen["file"].as_str().expect("a file"));
        let mut reader = Command::new(&python);
        reader.arg(script).arg(&vcd).args([&at, name, held]).args(STAY.contains(&fault).then_some("stays"));
        let read = Answer::of(reader.output().expect("it starts"));
        assert_eq!(read.exit, 0, "{fault}: {what}: {read:?}");
        let of_adapter = name.starts_with("adapter");
        assert_eq!(read.output.contains("contexts.context_"), of_adapter, "{fault}: {read:?}");
        // Another clock, or another word, is not found.
        let mut wrong = Command::new(&python);
        wrong.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/first_wrong.py")).arg(&vcd);
        wrong.args([&at, name, "0x123456789abcdef"]);
        assert_eq!(Answer::of(wrong.output().expect("it starts")).exit, 1, "{fault}");
    }
}

#[test]
fn the_rtl_is_served_to_other_programs_and_its_evidence_goes_with_it() {
    let sound = Emulator::serving(&["uartbone:tcp", "etherbone:udp"], &["--device", "rtl"]);
    for backend in sound.backends() {
        let answer = answer_in_time(&["1001", "7", "--backend", backend]);
        assert_eq!(answer.exit, 0, "{backend}: {answer:?}");
        let told = unwrapped(&answer.output);
        assert!(told.contains(&format!("{backend} evidence: rtl-simulation what it is: version 2, banks 8")), "{told}");
    }
    let dead = Emulator::serving(&["uartbone:tcp"], &["--device", "rtl:4", "--plant", "dead-bank:3"]);
    let answer = answer_in_time(&["1001", "7", "--backend", dead.backend()]);
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert!(answer.output.contains("bank 3 dead"), "{}", answer.output);
}

#[test]
fn a_long_run_of_the_rtl_is_stopped_by_a_signal_and_keeps_its_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    // A simulation of these clocks takes minutes.
    let run = UnderWay::start(&["4000000001", "--backend", "rtl", "--record", text(&path)]);
    let answer = run.interrupted();
    assert_eq!(answer.exit, 130, "{answer:?}");
    let record: Value = serde_json::from_str(&fs::read_to_string(&path).expect("a record")).expect("JSON");
    assert_eq!((&record["interrupted"], &record["verdict"]), (&Value::Bool(true), &Value::from("inconclusive")));
    let case = "case1,rtl,engine,count=4000000000,active=1,seed=1";
    let answer = UnderWay::start(&["replay", case]).interrupted();
    assert_eq!((answer.exit, answer.output.as_str()), (130, ""), "{answer:?}");
    assert!(answer.talk.contains("stopped by the user before the case came to its end"), "{}", answer.talk);
}

#[test]
fn more_faults_than_there_is_room_for_are_bad_input() {
    let plants: Vec<String> = (0..64).map(|bit| format!("flip-bit:{bit}")).chain(["short-count".to_owned()]).collect();
    let plants: Vec<&str> = plants.iter().flat_map(|fault| ["--plant", fault]).collect();
    for start in [&["5", "--backend", "rtl"][..], &["emulate", "uartbone:tcp", "--idle", "1", "--device", "rtl"]] {
        let refused = answer(&[start, &plants].concat());
        assert_eq!((refused.exit, refused.output.as_str()), (2, ""), "{refused:?}");
        assert!(refused.talk.contains("room for 64 planted faults, not 65"), "{}", refused.talk);
    }
}
