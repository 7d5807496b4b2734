//! Worlds of clients, through the binary.

use crate::common::{answer, cases, unwrapped};
use std::collections::BTreeSet;

use serde_json::Value;

/// The record of a scenario.
fn record(named: &str) -> Value {
    let answer = answer(&["run", named, "--record", "-"]);
    assert_eq!(answer.exit, 0, "{}", answer.talk);
    serde_json::from_str(&answer.output).expect("JSON")
}

fn without_timing_and_host(mut record: Value) -> Value {
    let fields = record.as_object_mut().expect("an object");
    fields.remove("timing");
    fields.remove("host");
    record
}

#[test]
fn the_report_of_field_tally_is_a_table_of_engines_with_counterexamples() {
    let answer = answer(&["run", "field-tally"]);
    assert_eq!((answer.exit, answer.talk.as_str()), (0, ""), "{}", answer.output);
    insta::assert_snapshot!(answer.output);
}

#[test]
fn agreement_is_not_taken_for_truth_and_right_engines_hold() {
    let record = record("field-tally");
    let rows = record["offline"]["engines"].as_array().expect("rows");
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).expect("a row");
    for name in ["lww-arrival", "lww-wall-clock", "lww-hybrid-clock"] {
        assert_eq!(row(name)["oracles"]["convergence"][0], "holds", "{name} agrees with itself");
        assert_eq!(row(name)["oracles"]["truth"][0], "falsified", "and is wrong");
        assert!(row(name)["wrong_registers"].as_u64() > Some(0));
    }
    for name in ["reconciliation", "operation-log", "delta-summary", "pn-counter"] {
        assert_eq!((&row(name)["verdict"], &row(name)["wrong_registers"]), (&"holds".into(), &0.into()), "{name}");
    }
    for row in rows {
        for way in ["up", "down"] {
            let kinds = row[way].as_object().expect("kinds of bytes");
            assert_eq!(kinds.len(), 6);
            assert!(kinds.values().filter_map(Value::as_u64).sum::<u64>() > 0);
        }
    }
}

#[test]
fn the_smallest_counterexamples_are_two_clients_with_one_increment_each_and_replay() {
    let report = answer(&["run", "field-tally"]).output;
    let cases = cases(&report);
    let of = |name: &str| *cases.iter().find(|case| case.contains(name)).expect("a case");
    for (name, got) in [("xor-delta", "0x0000000000000005"), ("lww-arrival", "0x0000000000000006")] {
        let case = of(name);
        assert!(case.ends_with("start=0x0000000000000005,clients=1+1"), "{case}");
        let replayed = answer(&["replay", case]);
        assert_eq!(replayed.exit, 1);
        assert!(replayed.output.contains("expected state  0x0000000000000007"), "{}", replayed.output);
        assert!(replayed.output.contains(got), "{}", replayed.output);
        assert_eq!(answer(&["replay", &case.replace(name, "delta-summary")]).exit, 0);
    }
    assert!(answer(&["replay", "case1,gossip,edits,start=0x5,clients=1"]).talk.contains("'gossip' is not an engine"));
}

#[test]
fn a_world_replays_identically_from_its_seed_and_differs_under_another() {
    let twice = [0, 1].map(|_| without_timing_and_host(record("duplicate-storm")));
    assert_eq!(twice[0], twice[1]);
    let other = answer(&["run", "duplicate-storm", "--seed", "2", "--record", "-"]);
    let other: Value = serde_json::from_str(&other.output).expect("JSON");
    assert_ne!(other["offline"]["engines"][0]["up"], twice[0]["offline"]["engines"][0]["up"]);
}

#[test]
fn a_scenario_that_asks_for_the_impossible_is_refused_and_the_key_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("world.toml");
    let refused = |extra: &str, workload: &str, link: &str| {
        let text = format!(
            "version = 2\n[offline]\nseed = '7'\nclients = 2\nregisters = 8\n{extra}\n[offline.workload]\nticks = 2\n\
             {workload}\n[offline.presence]\nlasts_s = 100\naway_s = [1, 9]\nhere_s = [1, 9]\n{link}"
        );
        std::fs::write(&path, text).expect("a file");
        let answer = answer(&["run", path.to_str().expect("text")]);
        assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{}", answer.talk);
        unwrapped(&answer.talk.replace(folder.path().to_str().expect("text"), ""))
    };
    insta::assert_debug_snapshot!([
        refused("edges = [{ name = 'near', clients = [0] }]", "changed = 2", ""),
        refused("edges = [{ name = 'near', parent = 'far', clients = [0] }]", "changed = 2", ""),
        refused("", "changed = 9", ""),
        refused("", "changed = 2", "[offline.link]\nbits_per_s = 0"),
        refused("engines = ['gossip']", "changed = 2", ""),
        refused("mutants = ['typo']", "changed = 2", ""),
        refused("faults = [{ kind = 'wipe', node = 'client 2', at_s = 5 }]", "changed = 2", ""),
        refused("", "changed = 2", "[offline.link]\nlost_per_mille = 1001"),
        refused("settle_s = 9223372036854775807", "changed = 2", ""),
        refused("", "changed = 2", "[offline.clocks]\nskew_s = 9223372036854775807"),
        refused(
            "faults = [{ kind = 'crash', node = 'client 0', at_s = 5, for_s = 9223372036854775807 }]",
            "changed = 2",
            ""
        ),
        refused("engines = ['full-state', 'full-state']", "changed = 2", ""),
        refused("engines = ['delta-summary', 'reconciliation']\nhub = false", "changed = 2", ""),
        refused("", "changed = 2", "[offline.link]\nlost_per_mille = 1000"),
        refused("", "changed = 2", "[offline.link]\ntruncated_per_mille = 1000"),
        refused("", "changed = 2", "[offline.link]\ncorrupted_per_mille = 1000"),
        refused("", "changed = 2", "[offline.link]\noutages = 3\noutage_s = 0"),
        refused("", "changed = 2", "[offline.clocks]\njumps = 3"),
        refused("", "changed = 2", "[offline.clocks]\njump_s = 3"),
        refused("hub = false\nfaults = [{ kind = 'wipe', node = 'hub', at_s = 5 }]", "changed = 2", ""),
        refused("faults = [{ kind = 'outage', node = 'hub', at_s = 95, for_s = 6 }]", "changed = 2", ""),
        refused("faults = [{ kind = 'restore', node = 'hub', at_s = 95 }]", "changed = 2", ""),
        refused("faults = [{ kind = 'damage', node = 'hub', at_s = 95, age_s = 5 }]", "changed = 2", ""),
        refused(
            "faults = [{ kind = 'restore', node = 'hub', at_s = 50, age_s = 30 }, { kind = 'restore', node = 'hub', \
             at_s = 60, age_s = 10 }]",
            "changed = 2",
            ""
        ),
        refused("memory_mib = 1", "changed = 2\nmost = 4294967295", "[offline.link]\noutages = 10000"),
        refused("faults = [{ kind = 'wipe', node = 'client +0', at_s = 5 }]", "changed = 2", ""),
        refused("faults = [{ kind = 'wipe', node = 'client 00', at_s = 5 }]", "changed = 2", ""),
        refused("edges = [{ name = \"ne\\u001b[2Jar\", parent = 'hub', clients = [0] }]", "changed = 2", ""),
        refused("", "changed = 2", "[expect.engines]\ngossip = { verdict = 'holds' }"),
        refused("", "changed = 2", "[expect.mutants]\ntypo = 'truth'"),
        refused("", "changed = 2", "[expect.mutants]\nunsealed-delta = 'jury'"),
    ]);
}

#[test]
fn a_link_that_loses_nearly_everything_and_one_with_no_traffic_are_worlds() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("world.toml");
    for (ticks, link, exit) in
        [(2, "lost_per_mille = 999", 0), (0, "lost_per_mille = 1000", 3), (0, "bits_per_s = 0", 3)]
    {
        let text = format!(
            "version = 2\n[offline]\nseed = '7'\nclients = 2\nregisters = 8\nengines = ['delta-summary']\n\
             [offline.workload]\nticks = {ticks}\nchanged = 2\n[offline.presence]\nlasts_s = 100\naway_s = [1, 9]\n\
             here_s = [1, 9]\n[offline.link]\n{link}"
        );
        std::fs::write(&path, text).expect("a file");
        let answer = answer(&["run", path.to_str().expect("text")]);
        assert_eq!(answer.exit, exit, "{link}: {}", answer.talk);
    }
}

#[test]
fn a_small_world_that_cannot_be_walked_is_refused_and_the_key_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("walk.toml");
    let refused = |key: &str, value: &str| {
        let sound = [("clients", "1"), ("edits", "1"), ("retries", "1"), ("crashes", "1")];
        let mut text = "version = 2\n[crash-everywhere]\nseed = '7'\n".to_owned();
        let others = sound.into_iter().filter(|(name, _)| *name != key);
        others.chain([(key, value)]).for_each(|(key, value)| text.push_str(&format!("{key} = {value}\n")));
        std::fs::write(&path, text).expect("a file");
        let answer = answer(&["run", path.to_str().expect("text")]);
        assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{key}: {}", answer.talk);
        let told = unwrapped(&answer.talk);
        assert!(told.contains(key), "{key}: {told}");
    };
    for (key, value) in [
        ("clients", "0"),
        ("clients", "4"),
        ("edits", "0"),
        ("edits", "5"),
        ("retries", "5"),
        ("crashes", "4"),
        ("losses", "4"),
        ("edits_before", "2"),
        ("most_states", "0"),
        ("mutants", "['unsealed-delta', 'unsealed-delta']"),
    ] {
        refused(key, value);
    }
}

#[test]
fn a_world_that_would_take_all_memory_is_refused_before_it_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("world.toml");
    let text = "version = 2\n[offline]\nseed = '7'\nclients = 100000\nregisters = 1048576\n[offline.workload]\nticks = 2\n\
                changed = 2\n[offline.presence]\nlasts_s = 100\naway_s = [1, 9]\nhere_s = [1, 9]\n";
    std::fs::write(&path, text).expect("a file");
    let answer = answer(&["run", path.to_str().expect("text"), "--memory", "2048"]);
    assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{}", answer.talk);
    let told = unwrapped(&answer.talk);
    assert!(told.contains("clients, registers, workload.ticks") && told.contains("memory_mib = 2048"), "{told}");
}

#[test]
fn every_planted_flaw_is_caught_by_a_named_judge() {
    let small = record("crash-everywhere");
    // What catches them has nothing against the replica without a mutant, in the same world.
    let planted_in = &small["everywhere"]["planted_in"];
    assert!(planted_in["world"].as_str().is_some_and(|world| world.starts_with("1 client and a hub")), "{planted_in}");
    assert_eq!((&planted_in["sound"]["complete"], &planted_in["sound"]["way_there"]), (&true.into(), &Value::Null));
    let without = small["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .find(|check| check["name"] == "every crash of the smaller world");
    assert_eq!(without.expect("a check")["verdict"], "holds");
    // None that is planted in a shipped run escapes. That every mutant of every engine is killed is a test of `qualify`.
    let mut killed = BTreeSet::new();
    for (name, _) in abench::scenario::shipped::SHIPPED {
        // A test of records holds them equal to fresh runs.
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("results").join(format!("{name}.json"));
        let record: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a record")).expect("JSON");
        for part in ["everywhere", "offline"] {
            for mutant in record[part]["mutants"].as_array().into_iter().flatten() {
                assert!(mutant["caught_by"].as_array().is_some_and(|judges| !judges.is_empty()), "{name}: {mutant}");
                killed.insert(mutant["mutant"].to_string());
            }
        }
    }
    assert!(killed.len() >= 20, "{killed:?}");
}

/// The record of a world in which nothing goes wrong, with this mutant planted.
fn with_flaw_in_a_quiet_world(mutant: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("quiet.toml");
    let text = format!(
        "version = 2\n[offline]\nseed = '7'\nregisters = 8\nclients = 2\nengines = ['delta-summary']\n\
         mutants = ['{mutant}']\n[offline.workload]\nticks = 3\nchanged = 2\nmost = 9\n[offline.presence]\n\
         lasts_s = 3600\naway_s = [600, 900]\nhere_s = [300, 600]\n"
    );
    std::fs::write(&path, text).expect("a file");
    let answer = answer(&["run", path.to_str().expect("text"), "--record", "-"]);
    let record: Value = serde_json::from_str(&answer.output).expect("JSON");
    assert_eq!(answer.exit, 3, "{}", answer.talk);
    record
}

#[test]
fn a_flaw_that_no_judge_sees_leaves_a_run_inconclusive_and_is_named() {
    // Where nothing is lost, nothing is sent again.
    let record = with_flaw_in_a_quiet_world("retry-with-new-id");
    assert_eq!(record["offline"]["engines"][0]["verdict"], "holds");
    assert_eq!(
        (&record["verdict"], &record["reason"]),
        (&"inconclusive".into(), &"planted retry-with-new-id, escaped".into())
    );
}

#[test]
fn replicas_tell_of_themselves_when_faults_are_over_and_in_the_end_the_hub_first() {
    let edges = record("edge-outage");
    let rows = edges["offline"]["engines"].as_array().expect("rows").iter();
    let rows = rows.filter_map(|row| row["replicas"].as_array()).flatten();
    let told: Vec<(&str, &str)> =
        rows.map(|row| (row["node"].as_str().expect("a name"), row["when"].as_str().expect("a time"))).collect();
    let nodes = ["hub", "near", "client 0", "client 1"];
    let both = ["faults-over", "settled"].into_iter().flat_map(|when| nodes.map(|node| (node, when)));
    assert_eq!(told, both.collect::<Vec<_>>());
    let tally = record("field-tally");
    let right = tally["offline"]["engines"].as_array().expect("rows").iter();
    let right = right.filter_map(|row| row["replicas"].as_array()).flatten().collect::<Vec<_>>();
    let backlog = |row: &&&Value| row["backlog"].as_u64().expect("a number") > 0;
    assert_eq!(right[1]["statuses"]["modified"].as_u64(), right[1]["backlog"].as_u64());
    assert_eq!((right[..4].iter().filter(backlog).count(), right[4..].iter().filter(backlog).count()), (3, 0));
}

#[test]
fn a_million_registers_of_which_a_few_are_edited_all_the_time_are_no_trouble_to_any_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("million.toml");
    let text = "version = 2\n[offline]\nseed = '0x1000000'\nregisters = 1000000\nstart = -7\nclients = 2\nengines = ['all']\n\
                [offline.workload]\nticks = 3\nchanged = 40\nmost = 9\nzipf_hundredths = 100\n\
                [offline.presence]\nlasts_s = 7200\naway_s = [600, 1800]\nhere_s = [300, 900]\n";
    std::fs::write(&path, text).expect("a file");
    let answer = answer(&["run", path.to_str().expect("text"), "--record", "-"]);
    assert_eq!(answer.exit, 1, "those that lose are falsified: {}", answer.talk);
    let record: Value = serde_json::from_str(&answer.output).expect("JSON");
    assert_eq!((&record["offline"]["registers"], &record["offline"]["edits"]), (&1_000_000.into(), &240.into()));
    let rows = record["offline"]["engines"].as_array().expect("rows");
    assert_eq!(rows.len(), abench::engine::REGISTRY.len());
    for row in rows {
        let right = ["reconciliation", "operation-log", "delta-state", "delta-summary", "pn-counter"];
        let holds = right.iter().any(|name| row["name"] == *name);
        assert_eq!((row["verdict"] == "holds", row["wrong_registers"] == 0), (holds, holds), "{row}");
    }
    // What changed travels, and not what there is.
    let bytes =
        |row: &Value| ["up", "down"].map(|way| row[way]["payload"].as_u64().expect("a number")).iter().sum::<u64>();
    let of = |name: &str| bytes(rows.iter().find(|row| row["name"] == name).expect("a row"));
    assert!(1000 * of("delta-summary") < of("full-state"), "{} and {}", of("delta-summary"), of("full-state"));
}
