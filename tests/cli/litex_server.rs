//! The standard campaign through the real bridge, `litex_server` from PyPI, with nothing of ours between it and the
//! emulator's line.

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::Reading;
use crate::served::{Background, Emulator, answer_in_time};

/// Where the test command installs it.
fn installed() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/litex/bin");
    let found = folder.join("litex_server").exists();
    if found {
        return Some(folder);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI litex_server must be there: {}", folder.display());
    // Said past the test's own output, which is hidden where a test passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED: litex_server is not installed (.ci/test installs it with python3)");
    None
}

/// A bridge to an emulator's UARTBone over TCP, ready to be asked.
struct Bridge {
    _process: Background,
    /// Kept open: a bridge that cannot say who came serves nobody.
    _output: Lines<BufReader<ChildStdout>>,
    backend: String,
}

impl Bridge {
    fn to(folder: &Path, emulator: &Emulator) -> Self {
        let line = emulator.backend().strip_prefix("uartbone:").expect("a line");
        let line = if line.starts_with('/') { line.to_owned() } else { format!("socket://{line}") };
        // A port that is free, by the word of whoever gives them out; the bridge cannot tell which one it was given.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let mut child = Command::new(folder.join("python"))
            .arg("-u")
            .arg(folder.join("litex_server"))
            .args(["--uart", "--uart-port", &line, "--bind-ip", "127.0.0.1", "--bind-port", &port.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("litex_server starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let process = Background(child);
        // It says so once it is bound, and listens right after: a connection that comes before is refused.
        let ready = output.by_ref().map_while(Result::ok).any(|line| line.contains("tcp port:"));
        assert!(ready, "litex_server says where it listens");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "litex_server listens");
            std::thread::yield_now();
        }
        Bridge { _process: process, _output: output, backend: format!("etherbone:tcp:127.0.0.1:{port}") }
    }
}

#[test]
fn the_standard_campaign_through_litex_server_holds_and_with_a_dead_bank_it_is_falsified() {
    let Some(folder) = installed() else { return };
    for line in ["uartbone:tcp", "uartbone:pty"] {
        let emulator = Emulator::serving(&[line], &[]);
        let bridge = Bridge::to(&folder, &emulator);
        let answer = answer_in_time(&["--backend", &bridge.backend]);
        assert_eq!(answer.exit, 0, "{line}: {answer:?}");
        assert!(Reading::of(&answer.output).all_match, "{}", answer.output);
        assert!(answer.output.contains("evidence=model"), "{}", answer.output);
    }
    let emulator = Emulator::serving(&["uartbone:tcp"], &["--plant", "dead-bank:3"]);
    let bridge = Bridge::to(&folder, &emulator);
    let answer = answer_in_time(&["--backend", &bridge.backend]);
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert!(answer.output.contains("bank 3 dead"), "{}", answer.output);
}

#[test]
fn a_bridge_whose_device_fell_silent_is_given_up_and_so_is_the_wedged_one_that_it_leaves_behind() {
    let Some(folder) = installed() else { return };
    let emulator = Emulator::serving(&["uartbone:tcp"], &["--disturb", "silence:0"]);
    let bridge = Bridge::to(&folder, &emulator);
    for _ in 0..2 {
        let answer = answer_in_time(&["--backend", &bridge.backend]);
        assert_eq!(answer.exit, 4, "{answer:?}");
        assert!(answer.talk.contains("expected a reply within 2.0s"), "{}", answer.talk);
        assert!(answer.talk.contains("answers nobody until it is started again"), "{}", answer.talk);
    }
}
