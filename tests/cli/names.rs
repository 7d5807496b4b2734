//! A name that is not there is refused with the one that was meant.

use crate::common::{Answer, short_answer};

fn refused(args: &[&str]) -> String {
    let Answer { exit, output, talk } = short_answer(args);
    assert_eq!((exit, output.as_str()), (2, ""), "{args:?}: {talk}");
    talk
}

#[test]
fn a_misspelt_engine_fault_backend_explorer_or_disturbance_is_answered_with_the_right_name() {
    for (args, meant) in [
        (
            &["run", "field-tally", "--engines", "delta-stat"][..],
            "'delta-stat' is not an engine (did you mean delta-state?)",
        ),
        (&["--plant", "dead-bnk:1"], "(did you mean dead-bank:1?)"),
        (&["emulate", "uartbone:tcp", "--plant", "stale-raed"], "(did you mean stale-read?)"),
        (&["--backend", "modle:4"], "(did you mean model:4?)"),
        (&["--backend", "softwear"], "(did you mean software?)"),
        (&["run", "conformance", "--backend", "uartbon:/dev/ttyUSB1"], "(did you mean uartbone:/dev/ttyUSB1?)"),
        (&["--orders", "coverin:3"], "(did you mean covering:3?)"),
        (&["emulate", "uartbone:tcp", "--disturb", "loose:10"], "(did you mean lose:10?)"),
        (&["run", "feild-tags"], "(did you mean field-tags?)"),
        (&["man", "qualfy"], "(did you mean qualify?)"),
    ] {
        let talk = refused(args);
        assert!(talk.contains(meant), "{args:?}: {talk}");
    }
    assert!(!refused(&["--plant", "gremlin"]).contains("did you mean"), "nothing is like it");
}

#[test]
fn a_misspelt_key_or_value_of_a_scenario_is_answered_with_the_right_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mistaken.toml");
    let world = "version = 2\n[offline]\nseed = '7'\nclients = 2\n";
    for (text, meant) in [
        ("version = 2\n[standard]\ncuont = 5\nseed = '7'", "; did you mean count?"),
        ("version = 2\n[standrad]\ncount = 5\nseed = '7'", "; did you mean standard?"),
        ("version = 2\n[standard]\ncount = 5\nseed = '7'\nchecks = ['bank-swep']", "; did you mean bank-sweep?"),
        ("version = 2\n[every-order]\nseed = '7'\ndeltas = 5\nalgebras = ['xro']", "(did you mean xor?)"),
        ("version = 2\n[tick]\nseed = '7'\n[expect]\nverdcit = 'holds'", "; did you mean verdict?"),
        (
            &format!("{world}engines = ['delta-stat']\nsteps = [{{ connect = 'client 0' }}]"),
            "(did you mean delta-state?)",
        ),
        (
            &format!("{world}mutants = ['send-forever']\nsteps = [{{ connect = 'client 0' }}]"),
            "(did you mean send-for-ever?)",
        ),
        (&format!("{world}steps = [{{ conect = 'client 0' }}]"), "(did you mean connect?)"),
        (&format!("{world}steps = [{{ link = 'client 0', latency = 5 }}]"), "; did you mean latency_ms?"),
        (
            &format!("{world}steps = [{{ connect = 'client 0' }}]\n[expect.mutants]\nsend-for-ever = 'truht'"),
            "(did you mean truth?)",
        ),
    ] {
        std::fs::write(&path, text).expect("a file");
        let talk = refused(&["run", path.to_str().expect("a path")]);
        assert!(talk.contains(meant), "{text}\n{talk}");
    }
}

#[test]
fn an_engine_under_the_name_of_an_older_version_is_answered_with_its_name_of_today() {
    let told = "the engine 'running-sums' has another name now: pn-counter";
    let of_flag = refused(&["run", "field-tally", "--engines", "running-sums"]);
    assert!(of_flag.contains(&format!("field-tally: [offline]: {told}")), "{of_flag}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.toml");
    let world = "version = 2\n[offline]\nseed = '7'\nclients = 2\nsteps = [{ connect = 'client 0' }]\n";
    for (keys, table) in [
        ("engines = ['full-state', 'running-sums']", "[offline]"),
        ("[expect.engines]\nrunning-sums = { verdict = 'holds' }", "[expect.engines]"),
    ] {
        std::fs::write(&path, format!("{world}{keys}")).expect("a file");
        let talk = refused(&["run", path.to_str().expect("a path")]);
        assert!(talk.contains(&format!("{table}: {told}")), "{keys}: {talk}");
    }
}

#[test]
fn an_expected_check_that_no_run_makes_is_answered_with_the_check_that_was_meant() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mistaken.toml");
    let text = "version = 2\n[standard]\ncount = 5\nseed = '7'\nchecks = ['bank-sweep']\n[expect.checks]\n'bank swep' = 'holds'\n";
    std::fs::write(&path, text).expect("a file");
    let Answer { exit, output, .. } = short_answer(&["run", path.to_str().expect("a path"), "-v"]);
    assert_eq!(exit, 1, "{output}");
    assert!(output.contains("check bank swep: expected holds, got nothing (did you mean bank sweep?)"), "{output}");
}
