//! The emulator against the gateware that it stands for: LiteX's UARTBone and LiteEth's Etherbone, both of 2024.12, written
//! as Verilog by their own generators (PyPI `litex`, `liteeth`), simulated, and fed the same bytes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use abench::bus::etherbone::codec::Packet;
use abench::bus::uartbone::codec::{Access, Decoder};
use abench::domain::seed::{Seed, Stream};
use abench::emulator::udp::{Buffered, buffered};

/// The clock of the simulated UARTBone, slow so that its 100 ms are few clocks.
const CLOCK_HZ: u64 = 200_000;

/// What a register reads as in the simulations, but for its address.
const PATTERN: u32 = 0xA5A5_0000;

/// The Python that has LiteX, if it and these programs are installed.
fn python(programs: &[&str]) -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/litex/bin/python");
    let has = |program: &&&str| {
        Command::new(program).arg("--version").output().is_err() && Command::new(program).arg("-V").output().is_err()
    };
    let missing: Vec<&str> = programs.iter().filter(has).copied().collect();
    let has_liteeth =
        || Command::new(&python).args(["-c", "import liteeth, litex"]).status().is_ok_and(|s| s.success());
    if missing.is_empty() && python.exists() && has_liteeth() {
        return Some(python);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI LiteX, LiteEth and {programs:?} must be there");
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: gateware needs LiteX and LiteEth (.ci/test installs them) and {programs:?}"
    );
    None
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateware").join(name)
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).expect("text")
}

fn verilog(python: &Path, kind: &str, number: u64, output: &Path) {
    succeed(Command::new(python).arg(path("to_verilog.py")).arg(kind).arg(number.to_string()).arg(output));
}

/// Bytes with the gap before each: commands of all kinds, of which some stall in the middle and some are damaged. Gaps of
/// 40 ms add up to 80 ms and to 120 ms, so that no command ends near its 100 ms.
fn commands(random: &mut Stream, number: usize) -> Vec<(Duration, u8)> {
    let mut bytes = Vec::new();
    for turn in 0..number {
        let code = match random.below(12) {
            0 => random.below(256) as u8,
            other => (other % 4 + 1) as u8,
        };
        // A length of 0 is 256 words; now and then is often enough.
        let words = if turn % 40 == 7 { 0 } else { random.below(6) as u8 + 1 };
        let mut command = vec![code, words, 0, 0, random.below(256) as u8, random.below(256) as u8];
        if code == 1 || code == 3 {
            let data = if words == 0 { 1024 } else { 4 * usize::from(words) };
            command.extend((0..data).map(|_| random.below(256) as u8));
        }
        if random.below(8) == 0 {
            command.remove(random.below(command.len() as u64) as usize);
        }
        // Most commands come at once; some are late once, twice or three times.
        let gaps = if random.below(3) == 0 { random.below(4) } else { 0 };
        let late: Vec<usize> = (0..gaps).map(|_| random.below(command.len() as u64) as usize).collect();
        for (place, byte) in command.into_iter().enumerate() {
            let times = late.iter().filter(|late| **late == place).count() as u32;
            bytes.push((times * Duration::from_millis(40), byte));
        }
        // What is half said is now and then followed by silence.
        if random.below(4) == 0 {
            bytes.push((Duration::from_millis(150), 2));
        }
    }
    bytes
}

#[test]
fn uartbone_of_the_emulator_does_what_the_gateware_does_with_the_same_bytes() {
    let Some(python) = python(&["iverilog"]) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    verilog(&python, "uartbone", CLOCK_HZ, &place("uartbone.v"));
    let built = place("simulation");
    succeed(
        Command::new("iverilog").args(["-g2005", "-o"]).arg(&built).arg(place("uartbone.v")).arg(path("uartbone_tb.v")),
    );
    let bytes = commands(&mut Seed::new(11).stream("uartbone"), 240);
    let mut stimulus = String::new();
    for (gap, byte) in &bytes {
        let clocks = gap.as_micros() as u64 * CLOCK_HZ / 1_000_000;
        writeln!(stimulus, "{clocks} {byte:02x}").expect("text");
    }
    std::fs::write(place("stimulus"), stimulus).expect("a file");
    let told = succeed(Command::new("vvp").arg(&built).arg(format!("+stimulus={}", place("stimulus").display())));
    let simulated: Vec<&str> = told.lines().take_while(|line| *line != "end").collect();

    let (mut decoder, mut now, mut emulated) = (Decoder::default(), Duration::ZERO, Vec::new());
    for (gap, byte) in bytes {
        now += gap;
        match decoder.push(byte, now) {
            None => {}
            Some(Access::Write { address, word }) => emulated.push(format!("write {address:08x} {word:08x}")),
            Some(read @ Access::Read { .. }) => {
                let words = read.addresses().map(|address| address ^ PATTERN);
                emulated.extend(words.flat_map(u32::to_be_bytes).map(|byte| format!("answer {byte:02x}")));
            }
        }
    }
    let writes = simulated.iter().filter(|line| line.starts_with("write")).count();
    assert!(writes > 300 && simulated.len() - writes > 1000, "{writes} of {}: little was done", simulated.len());
    let differs = simulated.iter().zip(&emulated).position(|(one, other)| one != other);
    assert_eq!(
        (differs, simulated.len()),
        (None, emulated.len()),
        "where the first one differs, and how many there are"
    );
}

/// A packet in the testbench's form: how many words, and the words.
fn stimulus(packet: &Packet) -> String {
    let words: Vec<String> =
        packet.encode().as_chunks().0.iter().map(|word| format!("{:08x}", u32::from_be_bytes(*word))).collect();
    format!("{} {}\n", words.len(), words.join(" "))
}

/// What the simulated LiteEth makes of this packet and then of a read: what came of the packet, and the first reply.
fn simulated(simulation: &Path, stimuli: &Path, packet: &Packet) -> (Buffered, Option<Vec<u8>>) {
    let afterwards = Packet { reads: vec![0x40], return_base: 9, ..Packet::default() };
    std::fs::write(stimuli, stimulus(packet) + &stimulus(&afterwards)).expect("a file");
    let told = succeed(Command::new(simulation).arg(format!("+stimulus={}", stimuli.display())));
    let mut datagrams = told.split("datagram\n").skip(1);
    let (first, second) = (datagrams.next().expect("a datagram"), datagrams.next().expect("a datagram"));
    let mut replies: Vec<Vec<u8>> = vec![Vec::new()];
    for line in first.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [kind @ ("answer" | "last"), word, "port", port] = fields[..] else { continue };
        assert_eq!(port, "1234", "LiteEth replies to its own port");
        let word = u32::from_str_radix(word, 16).expect("a word");
        replies.last_mut().expect("one").extend(word.to_be_bytes());
        if kind == "last" {
            replies.push(Vec::new());
        }
    }
    let writes = first.lines().filter(|line| line.starts_with("write")).count();
    let whole = replies.iter().filter(|reply| !reply.is_empty()).count();
    let is_alive = second.lines().any(|line| line.starts_with("last") || line.trim_start().starts_with("last"));
    let became = match (writes, whole) {
        (0, 0) => Buffered::Stalled,
        _ if writes > packet.writes.len() || whole > 1 => Buffered::Endless,
        _ => Buffered::Whole,
    };
    // Whatever the emulator does not carry out ends LiteEth for good.
    assert_eq!(is_alive, became == Buffered::Whole, "{packet:?}");
    (became, replies.into_iter().next().filter(|reply| !reply.is_empty()))
}

#[test]
fn what_a_liteeth_buffer_cannot_hold_is_what_the_emulator_says_it_cannot() {
    let Some(python) = python(&["verilator", "c++"]) else { return };
    for depth in [4, 16] {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        verilog(&python, "etherbone", depth, &place("etherbone.v"));
        // Its warnings are about Verilog that is generated; Icarus never settles on its combinational logic.
        let mut build = Command::new("verilator");
        build.args([
            "--binary",
            "--timing",
            "-Wno-fatal",
            "-Wno-lint",
            "-O3",
            "--top-module",
            "etherbone_tb",
            "-o",
            "simulation",
        ]);
        succeed(build.arg("--Mdir").arg(place("built")).arg(place("etherbone.v")).arg(path("etherbone_tb.v")));
        let simulation = place("built").join("simulation");
        let most = depth as usize;
        let tried = [
            (0, 1),
            (0, most - 1),
            (0, most),
            (0, most + 1),
            (0, most + 2),
            (0, 64),
            (0, 255),
            (1, 0),
            (most, 0),
            (most + 1, 0),
            (most + 2, 0),
            (64, 0),
        ];
        let mut seen = Vec::new();
        for (writes, reads) in tried {
            let packet = Packet {
                base: 0x2000,
                writes: (0..writes as u32).collect(),
                return_base: 7,
                reads: (0..reads as u32).map(|place| 0x1000 + 8 * place).collect(),
                ..Packet::default()
            };
            let (became, reply) = simulated(&simulation, &place("stimulus"), &packet);
            assert_eq!(became, buffered(depth as u32, writes, reads), "depth {depth}: {writes} writes, {reads} reads");
            let mut words: Vec<u32> = packet.reads.iter().map(|address| address ^ PATTERN).collect();
            if became == Buffered::Endless && reads > 1 {
                words[reads - 1] = words[reads - 2];
            }
            let expected = Packet { base: 7, writes: words, ..Packet::default() }.encode();
            if became != Buffered::Stalled && reads > 0 {
                assert_eq!(reply, Some(expected), "depth {depth}: {writes} writes, {reads} reads");
            }
            seen.push(became);
        }
        assert!([Buffered::Whole, Buffered::Endless, Buffered::Stalled].iter().all(|kind| seen.contains(kind)));
    }
}
