//! Clients that are not ours, against the emulator: LiteX's RemoteClient, CommUDP and litex_cli (PyPI `litex` 2024.12), and
//! wishbone-tool 0.7.9 (crates.io), as a client and as a bridge.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Answer, Reading, unwrapped};
use crate::served::{Background, Emulator, answer_in_time, ended_in_time};

/// A program that the test command installs below `target`, if it is there; in CI it must be.
fn installed(program: &str) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(program);
    if program.exists() {
        return Some(program);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI it must be there: {}", program.display());
    let _ = writeln!(std::io::stderr(), "SKIPPED: {} is not installed (.ci/test installs it)", program.display());
    None
}

/// What these lines of Python answer, with LiteX's remote clients at hand.
fn python(lines: &str, args: &[&str]) -> Option<Answer> {
    let mut command = Command::new(installed("litex/bin/python")?);
    // A csr.csv in the current folder would be read.
    command.current_dir(std::env::temp_dir()).args(["-c", lines]).args(args);
    Some(ended_in_time(command))
}

/// Host and port of a backend that is reached at one.
fn host_and_port(backend: &str) -> (&str, &str) {
    let place = backend.strip_prefix("etherbone:tcp:").expect("a bridge");
    place.rsplit_once(':').expect("a port")
}

const REMOTE_CLIENT: &str = "
import sys
from litex.tools.litex_client import RemoteClient
bus = RemoteClient(host=sys.argv[1], port=int(sys.argv[2]))
bus.open()
assert bus.read(0xf0021020) == 0x02080000
bus.write(0xf002100c, [0x11111111, 0x22222222])
assert bus.read(0xf002100c, length=2) == [0x11111111, 0x22222222]
assert bus.read(0xf0021010, length=3, burst='fixed') == [0x22222222] * 3
bus.write(0xf0021004, [1000, 8, 7, 0])
bus.write(0xf0021000, 1)
while bus.read(0xf0021000) != 2:
    pass
print('cycles', bus.read(0xf0021014), flush=True)
bus.close()
";

#[test]
fn remote_client_of_litex_works_with_the_greeting_of_litex_server_and_waits_in_vain_for_a_soc_that_is_silent() {
    let emulator = Emulator::serving(&["litex-server", "etherbone:tcp"], &[]);
    let (host, port) = host_and_port(emulator.backend());
    let Some(answer) = python(REMOTE_CLIENT, &[host, port]) else { return };
    assert_eq!((answer.exit, answer.output.trim()), (0, "cycles 125"), "{answer:?}");
    let (host, port) = host_and_port(&emulator.backends()[1]);
    let silent = python(REMOTE_CLIENT, &[host, port]).expect("it is installed");
    assert!(silent.exit != 0 && silent.talk.contains("timed out"), "{silent:?}");
    // Ours takes both.
    for backend in emulator.backends() {
        let answer = answer_in_time(&["5", "--backend", backend]);
        assert_eq!(answer.exit, 0, "{backend}: {answer:?}");
    }
}

#[test]
fn litex_cli_reads_and_writes_registers_through_the_emulated_litex_server() {
    let Some(program) = installed("litex/bin/litex_cli") else { return };
    let emulator = Emulator::serving(&["litex-server"], &[]);
    let (host, port) = host_and_port(emulator.backend());
    let folder = tempfile::tempdir().expect("a folder");
    let registers = "constant,config_csr_data_width,32,,\nconstant,config_bus_address_width,32,,\n\
                     csr_register,bench_seed_lo,0xf002100c,1,rw\ncsr_register,bench_status,0xf0021020,1,ro\n";
    fs::write(folder.path().join("csr.csv"), registers).expect("a file");
    let cli = |args: &[&str]| {
        let mut command = Command::new(installed("litex/bin/python").expect("it is installed"));
        command.arg(&program).current_dir(folder.path()).args(["--host", host, "--port", port]).args(args);
        let answer = ended_in_time(command);
        assert_eq!(answer.exit, 0, "{args:?}: {answer:?}");
        answer.output
    };
    assert_eq!(cli(&["--read", "0xf0021020"]).trim(), "0xf0021020 : 0x02080000");
    cli(&["--write", "0xf002100c", "0x12345678"]);
    let all = cli(&["--regs"]);
    assert!(all.contains("0xf002100c : 0x12345678 bench_seed_lo"), "{all}");
    assert!(all.contains("0xf0021020 : 0x02080000 bench_status"), "{all}");
}

/// How often wishbone-tool is begun: where its thread opens the link before its main program waits for that, it waits for
/// ever (wishbone-bridge 1.1.0, `connect`).
const BEGINNINGS: u32 = 40;

/// How long wishbone-tool is waited for before it is begun again.
const BEGINNING: Duration = Duration::from_secs(4);

/// What wishbone-tool says of a register, or when it writes one.
fn wishbone_tool(link: &[&str], access: &[&str]) -> Option<String> {
    let program = installed("wishbone-tool/bin/wishbone-tool")?;
    for _ in 0..BEGINNINGS {
        let mut command = Command::new(&program);
        command.args(link).args(access).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut tool = Background(command.spawn().expect("wishbone-tool starts"));
        let start = Instant::now();
        while start.elapsed() < BEGINNING {
            if let Some(status) = tool.0.try_wait().expect("a process") {
                assert!(status.success(), "{link:?} {access:?}: {status}");
                let mut output = String::new();
                tool.0.stdout.take().expect("a pipe").read_to_string(&mut output).expect("text");
                return Some(output);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    panic!("{link:?} {access:?}: wishbone-tool hangs, {BEGINNINGS} times of {BEGINNINGS}");
}

/// The bridge of wishbone-tool to this emulated SoC, and the port that it listens at.
fn wishbone_bridge(program: &Path, host: &str, port: &str) -> (Background, u16) {
    for _ in 0..BEGINNINGS {
        let own = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let child = Command::new(program)
            .args(["--ethernet-host", host, "--ethernet-port", port, "--ethernet-tcp", "--server", "wishbone"])
            .args(["--wishbone-port", &own.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let bridge = Background(child.expect("wishbone-tool starts"));
        let start = Instant::now();
        while start.elapsed() < BEGINNING {
            if TcpStream::connect(("127.0.0.1", own)).is_ok() {
                return (bridge, own);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    panic!("wishbone-tool does not listen, {BEGINNINGS} times of {BEGINNINGS}");
}

#[test]
fn wishbone_tool_reads_and_writes_over_a_tty_and_over_tcp() {
    let emulator = Emulator::serving(&["uartbone:pty", "etherbone:tcp"], &[]);
    let tty = emulator.backend().strip_prefix("uartbone:").expect("a tty");
    let (host, port) = host_and_port(&emulator.backends()[1]);
    let tcp = ["--ethernet-host", host, "--ethernet-port", port, "--ethernet-tcp"];
    for (link, word) in [(&["--serial", tty][..], "305419896"), (&tcp, "2271560481")] {
        let Some(status) = wishbone_tool(link, &["0xf0021020"]) else { return };
        assert!(status.contains("Value at f0021020: 02080000"), "{status}");
        wishbone_tool(link, &["0xf002100c", word]);
        let seed = wishbone_tool(link, &["0xf002100c"]).expect("it is installed");
        let word: u32 = word.parse().expect("a word");
        assert!(seed.contains(&format!("Value at f002100c: {word:08x}")), "{seed}");
    }
}

#[test]
fn the_standard_campaign_holds_through_the_bridge_of_wishbone_tool_which_reads_words_that_follow_each_other_alone() {
    let Some(program) = installed("wishbone-tool/bin/wishbone-tool") else { return };
    let emulator = Emulator::serving(&["etherbone:tcp"], &[]);
    let (host, port) = host_and_port(emulator.backend());
    let (_bridge, port) = wishbone_bridge(&program, host, port);
    let answer = answer_in_time(&["5", "--backend", &format!("etherbone:tcp:127.0.0.1:{port}")]);
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert!(Reading::of(&answer.output).all_match, "{}", answer.output);
}

/// Two network namespaces with a line between them, 10.77.0.1 and 10.77.0.2, which end with the script; $1 is abench, $2
/// the Python that has LiteX, $3 wishbone-tool.
const NAMESPACES: &str = r#"
set -e
ip link set lo up
unshare -n sleep 170 &
far=$!
trap 'kill $far $emulator' EXIT
emulator=$far
until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
inside="nsenter -t $far -n"
ip link add soc type veth peer name host netns $far
ip addr add 10.77.0.1/24 dev soc
ip link set soc up
$inside ip link set lo up
$inside ip addr add 10.77.0.2/24 dev host
$inside ip link set host up
"$1" emulate etherbone:udp:1234 --bind 10.77.0.1 --idle 100 > "$4" &
emulator=$!
until grep -q listening "$4"; do sleep 0.02; done
echo "CommUDP"
$inside "$2" -c '
from litex.tools.remote.comm_udp import CommUDP
bus = CommUDP(server="10.77.0.1", port=1234)
bus.open(probe=True)
assert bus.read(0xf0021020) == 0x02080000
bus.write(0xf002100c, [0x33333333, 0x44444444])
assert bus.read(0xf002100c, length=2) == [0x33333333, 0x44444444]
print("words", "%08x %08x" % tuple(bus.read(0xf002100c, length=2)))
bus.close()
'
echo "wishbone-tool"
# It may wait for ever: it is begun again.
for beginning in $(seq 40); do
    timeout 4 $inside "$3" --ethernet-host 10.77.0.1 --ethernet-port 1234 0xf0021020 && break
done
echo "abench"
$inside "$1" 5 -vv --backend etherbone:udp:10.77.0.1:1234
"#;

#[test]
fn clients_at_another_address_get_the_replies_of_etherbone_over_udp_at_liteeths_port() {
    let python = installed("litex/bin/python");
    let (Some(python), Some(tool)) = (python, installed("wishbone-tool/bin/wishbone-tool")) else { return };
    let may = Command::new("unshare").args(["-n", "ip", "link", "set", "lo", "up"]).stderr(Stdio::null()).status();
    if !may.is_ok_and(|status| status.success()) {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "in CI unshare, ip and the right to use them must be there"
        );
        let _ = writeln!(std::io::stderr(), "SKIPPED: network namespaces need root, util-linux and iproute2");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("unshare");
    command.args(["-n", "sh", "-c", NAMESPACES, "sh", env!("CARGO_BIN_EXE_abench")]);
    let answer = ended_in_time({
        command.arg(python).arg(tool).arg(folder.path().join("listening"));
        command
    });
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert!(answer.output.contains("words 33333333 44444444\n"), "{answer:?}");
    assert!(answer.output.contains("Value at f0021020: 02080000"), "{answer:?}");
    assert!(
        unwrapped(&answer.output)
            .contains("evidence: model what it is: version 2, banks 8, reached etherbone over UDP"),
        "{answer:?}"
    );
    assert!(Reading::of(&answer.output).all_match, "{answer:?}");
}

#[test]
fn a_client_at_the_emulators_own_address_is_told_that_liteeth_would_not_reach_it() {
    let mut child = crate::common::abench()
        .args(["emulate", "etherbone:udp", "--idle", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let line = BufReader::new(child.stdout.take().expect("a pipe")).lines().next().expect("a line").expect("text");
    let place = line.strip_prefix("listening etherbone:udp:").expect("where it listens").to_owned();
    let mut talk = BufReader::new(child.stderr.take().expect("a pipe"));
    let _emulator = Background(child);
    let client = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let read = [0x4E, 0x6F, 0x10, 0x44, 0, 0, 0, 0, 0, 0x0F, 0, 1, 0, 0, 0, 0, 0xF0, 0x02, 0x10, 0x20];
    client.send_to(&read, &place).expect("it is sent");
    let mut told = String::new();
    talk.read_line(&mut told).expect("text");
    assert!(told.contains("gets no reply: LiteEth replies to port") && told.contains("--reply-to-source"), "{told}");
    // With that option it is answered there.
    let emulator = Emulator::serving(&["etherbone:udp"], &["--reply-to-source"]);
    client.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    let place = emulator.backend().strip_prefix("etherbone:udp:").expect("a place");
    client.send_to(&read, place).expect("it is sent");
    let mut reply = [0; 64];
    let (length, _) = client.recv_from(&mut reply).expect("a reply");
    assert_eq!(&reply[length - 4..length], [2, 8, 0, 0]);
}
