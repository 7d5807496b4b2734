//! Scenarios on trial: what they detect of the faults that are planted under them.

use crate::common::{Answer, answer, unwrapped};
use serde_json::Value;

fn qualified(args: &[&str]) -> (Answer, Value) {
    let answer = answer(&[&["qualify"], args, &["--record", "-"]].concat());
    let mut record: Value = serde_json::from_str(&answer.output).expect("the output is the JSON alone");
    (answer, record["devices"].take())
}

fn count(coverage: &Value, what: &str) -> u64 {
    coverage[what].as_u64().expect("a number")
}

#[test]
fn the_standard_campaign_detects_every_fault_that_is_not_equivalent() {
    for name in ["recorded-65537", "recorded-1000003"] {
        let (answer, record) = qualified(&[name]);
        let coverage = &record["by_scenario"][0];
        assert_eq!(answer.exit, 0, "{}", answer.talk);
        assert!(count(coverage, "detected") > 370);
        let mutants = record["mutants"].as_array().expect("a list");
        let of = |outcome: &str| {
            let cells = mutants.iter().filter(|mutant| mutant["cells"][0]["outcome"] == outcome);
            cells.filter_map(|mutant| mutant["faults"][0].as_str()).collect::<Vec<_>>()
        };
        // Its runs are too short for these.
        assert_eq!(of("not-activated"), ["index-wraps:24", "index-wraps:31", "cycles-wrap:24"]);
        // That done does not fall shows in the register sequence of the published program alone.
        assert!(of("escaped").iter().all(|&fault| fault == "done-stays"), "{:?}", of("escaped"));
        assert_eq!(record["controls"][0]["sound"], true);
    }
}

#[test]
fn the_faults_that_once_escaped_are_detected() {
    let (answer, record) = qualified(&["recorded-65537"]);
    assert_eq!(answer.exit, 0, "{}", answer.talk);
    let mutants = record["mutants"].as_array().expect("a list");
    for fault in [
        "swap-keeps-bit-7",
        "load-wrong-response",
        "zero-bit-low-half",
        "active-not-clamped",
        "stuck-seed-bit:61",
        "short-lane:3",
        "cycles-wrap:20",
        "count-wraps:24",
        "engine-selects-ignored",
        "adapter-selects-ignored",
        "seed-not-reset",
        "index-wraps:20",
    ] {
        let mutant = mutants.iter().find(|mutant| mutant["faults"][0] == fault).expect(fault);
        assert_eq!(mutant["cells"][0]["outcome"], "detected", "{mutant}");
        assert!(mutant["cells"][0]["oracles"].to_string().contains("documents"), "{mutant}");
    }
}

#[test]
fn the_bare_bank_sweep_lets_the_dead_banks_escape() {
    let (answer, record) = qualified(&["bank-sweep"]);
    assert_eq!(answer.exit, 0, "its scenario expects that: {}", answer.talk);
    let escaped = |mutant: &&Value| mutant["cells"][0]["outcome"] == "escaped";
    let mutants = record["mutants"].as_array().expect("a list");
    let dead: Vec<&Value> = mutants.iter().filter(|mutant| mutant["kind"] == "dead-bank:K").collect();
    let escapes: Vec<&&Value> = dead.iter().filter(|mutant| escaped(mutant)).collect();
    assert_eq!((dead.len(), escapes.len()), (255, 127));
    // What escapes is any set of the banks 1 to 7, as the equations say.
    assert!(escapes.iter().all(|mutant| !mutant["faults"].to_string().contains("dead-bank:0")));
    assert!(unwrapped(&answer.talk).contains("escaped dead-bank:1, dead-bank:2, dead-bank:3"), "{}", answer.talk);
}

#[test]
fn every_detection_has_a_reason_and_the_oracles_that_found_it() {
    let (_, record) = qualified(&["recorded-65537"]);
    for mutant in record["mutants"].as_array().expect("a list") {
        let cell = &mutant["cells"][0];
        let oracles = cell["oracles"].as_array().expect("a list");
        assert_eq!(cell["outcome"] == "detected", !oracles.is_empty(), "{mutant}");
        assert!(cell["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{mutant}");
    }
    // The oracles are not one: each finds what others miss.
    let alone = &record["by_oracle"][0];
    let together = count(&record["by_scenario"][0], "detected");
    for oracle in ["truth", "cycles", "invariance"] {
        assert!((1..together).contains(&alone[oracle].as_u64().expect("a number")), "{alone}");
    }
}

#[test]
fn a_coverage_below_what_is_expected_exits_one_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bare.toml");
    let bare = "version = 2\n[standard]\ncount = 65537\nseed = 'DEADBEEF0BADF00D'\nchecks = ['bank-sweep']\n";
    std::fs::write(&path, bare).expect("a file");
    let (answer, _) = qualified(&[path.to_str().expect("a path of text")]);
    assert_eq!(answer.exit, 1);
    assert!(unwrapped(&answer.talk).contains("bare: expected 100 % at least, got"), "{}", answer.talk);
}

#[test]
fn scenarios_together_detect_what_any_of_them_does() {
    let (answer, record) = qualified(&["bank-sweep", "tick", "recorded-65537"]);
    assert_eq!(answer.exit, 0, "{}", answer.talk);
    assert_eq!(record["together"], record["by_scenario"][2]);
    let cells = record["mutants"][0]["cells"].as_array().expect("a list");
    assert_eq!(cells.len(), 3);
}

#[test]
fn the_report_of_a_qualification() {
    let answer = answer(&["qualify", "recorded-65537", "bank-sweep"]);
    assert_eq!((answer.exit, answer.talk.as_str()), (0, ""));
    insta::assert_snapshot!(answer.output);
}

#[test]
fn what_cannot_be_qualified_is_refused() {
    for (args, expected) in [
        (&["qualify", "laws"][..], "'laws' puts neither a device nor an engine on trial"),
        (&["qualify", "tick", "--until-killed"], "--until-killed is about engines"),
        (&["qualify", "kills-70", "--backend", "model"], "--backend is about devices"),
        (&["qualify", "kills-70", "--sample", "3"], "--seed"),
        (&["qualify", "nothing"], "'nothing' is not a shipped scenario"),
        (&["qualify", "tick", "--backend", "simd"], "'simd' takes no faults"),
        (&["qualify", "tick", "--backend", "software"], "'software' takes no faults"),
        (&["qualify", "tick", "--backend", "model:99"], "BANKS is a whole number from 1 to 32"),
    ] {
        let answer = answer(args);
        assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{args:?}: {}", answer.talk);
        assert!(answer.talk.contains(expected), "{args:?}: {}", answer.talk);
    }
}

#[test]
fn a_scenario_that_claims_what_its_checks_do_not_try_is_refused_a_plain_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lint.toml");
    let run = |checks: &str, count: u32| {
        let text = format!("version = 2\n[standard]\ncount = {count}\nseed = 'DEADBEEF0BADF00D'\n{checks}");
        std::fs::write(&path, text).expect("a file");
        answer(&["run", path.to_str().expect("a path of text")])
    };
    let bare = run("checks = ['bank-sweep']", 65537);
    assert_eq!(bare.exit, 3);
    assert!(
        unwrapped(&bare.output).contains("Claimed but untested: dead banks (model). Add the check short-sweep"),
        "{}",
        bare.output
    );
    assert_eq!(run("checks = ['bank-sweep', 'short-sweep']", 65537).exit, 0);
    // 65549 leaves no set of dead banks in the null space of the bank sweep's equations.
    assert_eq!(run("checks = ['bank-sweep']", 65549).exit, 0);
    // A claim can be added and not taken back: the table must not turn green for want of a claim.
    let narrowed = run("checks = ['bank-sweep']\nclaims = ['wrong-cycles']", 65537);
    assert_eq!((narrowed.exit, narrowed.output.contains("ALL MATCH")), (3, false), "{}", narrowed.output);
    let unclaimed = run("checks = ['sync-tick']\nclaims = ['wrong-context']", 65537);
    assert_eq!(unclaimed.exit, 3);
    assert!(
        unwrapped(&unclaimed.output).to_lowercase().contains("add the check adapter-round-trips"),
        "{}",
        unclaimed.output
    );
    let unknown = run("checks = ['bank-swipe']", 65537);
    assert_eq!(unknown.exit, 2);
    assert!(unknown.talk.contains("unknown variant `bank-swipe`"), "{}", unknown.talk);
}

/// What `qualify` answers about engines, and that part of its record.
fn mutants(args: &[&str]) -> (Answer, Value) {
    let answer = answer(&[&["qualify"], args, &["--record", "-"]].concat());
    let mut record: Value = serde_json::from_str(&answer.output).expect("the output is the JSON alone");
    (answer, record["engines"].take())
}

/// The commit as a seed, or a fixed one where git knows none.
fn seed() -> String {
    let git = std::process::Command::new("git").args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "HEAD"]).output();
    let commit = git.ok().filter(|git| git.status.success()).and_then(|git| String::from_utf8(git.stdout).ok());
    format!("0x{}", commit.as_deref().and_then(|commit| commit.get(..16)).unwrap_or("5EED"))
}

#[test]
fn every_mutant_of_every_engine_is_killed_by_a_drawn_world_and_by_a_walk_that_can_show_it() {
    let (answer, record) = mutants(&["--until-killed"]);
    assert_eq!(answer.exit, 0, "{}", answer.talk);
    assert_eq!(record["unmet"], Value::Array(Vec::new()));
    let planted: usize = abench::engine::REGISTRY.iter().map(|engine| (engine.mutants)().len()).sum();
    for score in ["score", "by_worlds"] {
        assert_eq!(count(&record[score], "planted"), planted as u64, "{score}");
        assert_eq!(count(&record[score], "killed"), planted as u64, "{score}");
    }
    // Those that no walk can show are excepted by name, with the reason.
    let rows = record["mutants"].as_array().expect("a list");
    let excepted = rows.iter().filter(|row| row["not_in_walks"].as_str().is_some_and(|why| !why.is_empty())).count();
    assert_eq!(count(&record["by_walks"], "killed"), (planted - excepted) as u64);
    assert!(unwrapped(&answer.talk).contains("Mutants that no walk can show"), "{}", answer.talk);
}

#[test]
fn a_sample_of_mutants_comes_to_the_same_on_any_number_of_threads() {
    let seed = seed();
    let of = |threads: &str| {
        let args = ["kills-70", "bad-line", "crash-while-connected", "--sample", "6", "--seed", &seed];
        mutants(&[&args[..], &["--threads", threads]].concat())
    };
    let ((one, record), (two, same)) = (of("1"), of("2"));
    assert_eq!((one.exit, &record), (two.exit, &same), "seed {seed}");
    assert_eq!((count(&record, "planned"), record["mutants"].as_array().map(Vec::len)), (6, Some(6)), "seed {seed}");
}

#[test]
fn a_mutant_that_escapes_is_named_in_the_summary_and_decides_the_exit_code() {
    // Nobody crashes there, so that what is accepted too early is not lost.
    let (answer, record) = mutants(&["slow-line"]);
    assert_eq!(answer.exit, 1, "{}", answer.talk);
    let row = record["mutants"].as_array().expect("a list").iter().find(|row| row["mutant"] == "accept-before-durable");
    assert_eq!(row.expect("a row")["together"], "survived");
    let told = unwrapped(&answer.talk);
    assert!(told.contains("accept-before-durable of delta-state"), "{told}");
    assert!(told.contains("escapes every world: survived"), "{told}");
    let score = &record["scenarios"][0]["score"];
    assert!(count(score, "not_reached") > 0 && count(score, "killed") > 0, "{score}");
}
