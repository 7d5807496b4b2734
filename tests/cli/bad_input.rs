//! Bad input ends with a sentence that says what, where and what is allowed, and with the documented exit code.

use crate::common::{Answer, short_answer, without_rtl};

fn refused(args: &[&str]) -> String {
    let Answer { exit, output, talk } = short_answer(args);
    assert_eq!((exit, output.as_str()), (2, ""), "{args:?}: {talk}");
    assert!(!talk.contains("panicked"), "{talk}");
    format!("$ abench {}\n{talk}", args.join(" "))
}

#[test]
fn every_kind_of_bad_argument_is_refused_with_a_reason() {
    let all: Vec<String> = [
        &["0"][..],
        &["4294967296"],
        &["-1"],
        &["many"],
        &["1.5"],
        &["5", "0x12345678901234567"],
        &["5", "xyz"],
        &["5", ""],
        &["5", "-7"],
        &["5", "7", "--seed", "7"],
        &["5", "7", "9"],
        &["--backend", "gpu"],
        &["--backend", "software,scalar"],
        &["--backend", "model:33"],
        &["--plant", "gremlin"],
        &["--plant", "dead-bank:99"],
        &["--plant", "stale-read", "--plant", "stale-read"],
        &["--fast"],
        &["--threads", "0"],
        &["--budget", "soon"],
        &["--color", "red"],
        &["run"],
        &["run", "nothing"],
        &["run", "no/such.toml"],
        &["run", "tick", "recorded-65537", "--record", "both.json"],
        &["run", "tick", "--budget", "5"],
        &["run", "bank-sweep", "--budget", "5"],
        &["run", "laws", "--plant", "dead-bank:1"],
        &["--record", ""],
        &["run", "laws", "--budget", "5"],
        &["run", "laws", "--backend", "simd"],
        &["list", "birds"],
        &["--backend", "uartbone"],
        &["--backend", "uartbone:ttyUSB1"],
        &["--backend", "etherbone:localhost:1234"],
        &["--backend", "etherbone:udp:localhost"],
        &["--backend", "serial:localhost:1234"],
        &["--backend", "devmem:here"],
        &["--backend", "devmem:0xf0020001"],
        &["--backend", "uio"],
        &["--backend", "uio:x"],
        &["--silicon"],
        &["--baud", "0"],
        &["--backend", "model", "--baud", "9600"],
        &["--backend", "uartbone:localhost:1234", "--baud", "9600"],
        &["--backend", "uartbone:ttyUSB1", "--baud", "9600"],
        &["--clock", "50MHz"],
        &["--clock", "999999"],
        &["--clock", "1000000001"],
        &["--backend", "model", "--clock", "50000000"],
        &["--backend", "serial:/dev/ttyUSB1", "--clock", "50000000"],
        &["emulate"],
        &["emulate", "etherbone:pty"],
        &["emulate", "uartbone:tcp", "--disturb", "lose:0"],
        &["emulate", "uartbone:tcp", "--plant", "gremlin"],
        &["emulate", "uartbone:tcp", "--device", "scalar"],
        &["emulate", "uartbone:tcp", "--idle", "0"],
        &["emulate", "uartbone:tcp", "--bind", "192.0.2.1"],
        &["replay"],
        &["replay", "no-such-file"],
        &["replay", "case1,model,engine,count=1"],
        &["replay", "case2,model,engine,count=1,active=1,seed=1"],
        &["replay", "case1,software,accumulate,generator=xorshift64,count=1,seed=1"],
        &["replay", "case1,scalar,engine,count=1,active=1,seed=1"],
        &["replay", "case1,model,accumulate,generator=xorshift64,count=1,seed=1"],
        &["replay", "case1,model,engine,count=1,active=9,seed=1"],
        &["replay", "case1,model,delivery,count=257,seed=1,order=reverse"],
        &["replay", "case1,scalar,delivery,count=9,seed=1,order=covering:2:2"],
        &["replay", "case1,scalar,delivery,count=2,seed=1,order=covering:3:0"],
        &["replay", "case1,scalar,delivery,count=4294967295,seed=1,order=covering:2:0"],
    ]
    .map(refused)
    .to_vec();
    insta::assert_snapshot!(without_rtl(&all.join("\n")));
}

#[test]
fn a_scenario_file_with_a_mistake_is_refused_with_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mistaken.toml");
    let world = |fault: &str| {
        format!(
            "version = 2\n[offline]\nseed = '7'\nclients = 2\nfaults = [{fault}]\nworkload = {{ ticks = 2, changed = 1 }}\n\
             presence = {{ lasts_s = 100, away_s = [1, 2], here_s = [1, 2] }}\n"
        )
    };
    for (text, expected) in [
        ("version = 2\n[standard]\ncuont = 5\nseed = '7'", "line 3, column 1"),
        ("version = 2\n[standard]\ncount = 'x'\nseed = '7'", "expected a whole number from 1 to 4294967295"),
        ("version = 2\n[standard]\ncount = 0\nseed = '7'", "line 3, column 9"),
        ("version = 2\n[tick]\nseed = 7", "expected a text of 1 to 16 hexadecimal digits"),
        (
            "version = 2\nbackend = ['gpu']\n[tick]\nseed = '7'",
            "mistaken.toml, line 2: backend: 'gpu' is not a backend",
        ),
        ("version = 2\n[laws]\nseed = '7'\ntires = 5", "unknown field `tires`, expected `seed` or `tries`"),
        ("version = 2\n[laws]\nseed = '7'\ntries = 0", "line 4, column 9"),
        ("version = 2\n[laws]\nseed = '7'\ntries = 0", "expected a whole number of tries from 1 to 1000000000"),
        (
            &world("{ kind = 'full', node = 'hub', at_s = 5 }"),
            "faults[0].for_s = 0 lasts no time; kind = 'full' takes 1 s or more",
        ),
        (&world("{ kind = 'retire', node = 'hub', at_s = 5 }"), "'hub' cannot retire; allowed are clients"),
        (
            &world("{ kind = 'drop', node = 'client 0', at_s = 5, to = 'client 1', nth = 1 }"),
            "faults[0].to = 'client 1' has no link with client 0",
        ),
        (
            &world("{ kind = 'wipe', node = 'hub', at_s = 5, messages = 'lost' }"),
            "faults[0].messages is not allowed for kind = 'wipe'; leave it out",
        ),
        ("version = 9", "this abench reads version = 2"),
        ("\u{0}\u{1}", "line 1"),
    ] {
        std::fs::write(&path, text).expect("a file");
        let talk = refused(&["run", path.to_str().expect("a path")]);
        assert!(talk.contains(expected), "{talk}");
        assert!(talk.contains("mistaken.toml"), "{talk}");
    }
    std::fs::write(&path, [0xFF, 0xFE, 0x00]).expect("a file");
    assert!(refused(&["run", path.to_str().expect("a path")]).contains("cannot read the scenario"));
}
