//! `--orders` through the binary: what chooses the arrival orders, what it covers, and what is refused.

use crate::common::{Reading, UnderWay, answer, unwrapped};
use serde_json::{Value, json};

fn record(args: &[&str]) -> Value {
    serde_json::from_str(&answer(&[args, &["--record", "-"]].concat()).output).expect("the output is the JSON alone")
}

fn orders_check(record: &Value) -> &Value {
    let checks = record["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["name"] == "arrival orders").expect("orders were tried")
}

/// What the report says of the arrival orders, as one line.
fn told(args: &[&str]) -> String {
    let answer = answer(args);
    let text = unwrapped(&answer.output);
    let from = text.find("orders: ").unwrap_or_else(|| panic!("{args:?}: {}{}", answer.output, answer.talk));
    let to = text[from..].find(" holds adapter").map_or(text.len(), |end| from + end);
    format!("{}: exit {}, {}", args.join(" "), answer.exit, &text[from..to])
}

#[test]
fn every_explorer_says_exactly_what_it_covered_and_what_that_is_worth() {
    let all: Vec<String> = [
        &["64", "7"][..],
        &["64", "7", "--orders", "auto"],
        &["64", "7", "--orders", "covering:3"],
        &["64", "7", "--orders", "covering:2"],
        &["64", "7", "--orders", "standard"],
        &["6", "7", "--orders", "all"],
        &["6", "7", "--orders", "auto"],
        &["5", "7", "--orders", "sample:64"],
        &["64", "7", "--orders", "sample:1000"],
        &["64", "7", "--orders", "adversarial"],
        &["2", "7", "--orders", "adversarial"],
        &["5000", "7", "--orders", "auto"],
        &["64", "7", "--orders", "replay:schedule1,count=64,seed=7,length=64,order=covering:3:7"],
        &["4", "7", "--orders", "replay:schedule1,count=4,seed=7,length=4,order=exactly:2.0.3.1"],
    ]
    .map(told)
    .to_vec();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn orders_that_cannot_be_tried_are_refused_before_the_run_with_the_reason() {
    let all: Vec<String> = [
        &["64", "7", "--orders", ""][..],
        &["64", "7", "--orders", "shuffled"],
        &["64", "7", "--orders", "covering:9"],
        &["300", "7", "--orders", "covering:3"],
        &["20", "7", "--orders", "all"],
        &["300", "7", "--orders", "exhaustive"],
        &["21", "7", "--orders", "exhaustive"],
        &["20", "7", "--orders", "exhaustive", "--memory", "1"],
        &["256", "7", "--orders", "covering:3", "--memory", "1"],
        &["100", "7", "--orders", "sample:100000", "--memory", "1"],
        &["12", "7", "--memory", "much"],
        &["64", "7", "--orders", "covering:3", "--budget", "1000"],
        &["64", "7", "--orders", "auto", "--budget", "63"],
        &["300", "7", "--orders", "covering:2", "--backend", "model"],
        &["64", "7", "--orders", "replay:schedule1,count=64,seed=8,length=64,order=reverse"],
        &["64", "7", "--orders", "replay:schedule9,count=64,seed=7,length=64,order=reverse"],
        &["run", "tick", "--orders", "auto"],
        &["run", "recorded-65537", "--orders", "all"],
    ]
    .map(|args| {
        let answer = answer(args);
        assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{args:?}: {}", answer.talk);
        format!("$ abench {}\n{}", args.join(" "), answer.talk)
    })
    .to_vec();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_scenario_names_its_orders_and_the_command_line_goes_before_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ordered.toml");
    let path_text = path.to_str().expect("a path");
    std::fs::write(&path, "version = 2\n[standard]\ncount = 9\nseed = '7'\norders = 'covering:2'").expect("a file");
    let recorded = record(&["run", path_text]);
    assert_eq!(recorded["asked"]["trial"]["standard"]["orders"], "covering:2");
    assert_eq!(orders_check(&recorded)["warrant"]["covered"]["tuples"], 72);
    let schedule = "replay:schedule1,scenario=ordered,count=9,seed=7,length=9,order=reverse";
    assert_eq!(orders_check(&record(&["run", path_text, "--orders", schedule]))["orders"]["coverage"]["tried"], 1);
    std::fs::write(&path, "version = 2\n[standard]\ncount = 9\nseed = '7'\norders = 'cover:2'").expect("a file");
    let refused = answer(&["run", path_text]);
    assert_eq!(refused.exit, 2);
    assert!(refused.talk.contains("ordered: [standard]: orders: 'cover:2' is not an explorer"), "{}", refused.talk);
}

#[test]
fn a_counterexample_shows_its_sequences_and_its_whole_order_can_be_pasted_back() {
    let planted = ["100", "7", "--plant", "lost-high-word"];
    let report = answer(&planted).output;
    assert!(report.contains("\n  Differing bytes, of which 0 is the lowest: 4."), "{report}");
    assert!(report.contains("found in 11 replays"), "{report}");
    let spec = report.lines().find_map(|line| line.strip_prefix("    --orders ")).expect("it is shown");
    let replayed = record(&[&planted[..], &["--orders", spec]].concat());
    let check = orders_check(&replayed);
    assert_eq!((&check["verdict"], &check["orders"]["coverage"]["tried"]), (&"falsified".into(), &1.into()));
    let counterexample = &check["orders"]["counterexamples"][0];
    assert_eq!(counterexample["case"], check["findings"][0]["case"]);
    assert_eq!(counterexample["schedule"], spec.strip_prefix("replay:").expect("it is a replay"));
    assert_eq!(counterexample["wrong"]["state"], check["findings"][0]["got"]);
}

#[test]
fn a_record_is_checked_by_a_program_that_shares_no_code_with_this_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    let path = path.to_str().expect("a path");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/third_party/orders.py");
    let checked = || {
        let python = std::process::Command::new("python3").args([script, path]).output().expect("python3 is installed");
        let text = String::from_utf8(python.stdout).expect("text") + &String::from_utf8_lossy(&python.stderr);
        (python.status.code(), text.trim().to_owned())
    };
    let written = |record: &Value| std::fs::write(path, record.to_string()).expect("it is written");
    for (args, exit, told) in [
        (
            &["64", "7", "--orders", "covering:3"][..],
            0,
            "30 covering read, 249984 3-tuples counted, 30 different, warrant covered is so",
        ),
        (&["64", "7"], 0, "10 adversarial computed, 64 seeded computed, 73 different, warrant sampled is so"),
        (&["300", "7", "--orders", "sample:5"], 0, "5 seeded computed, 5 different, warrant sampled is so"),
        (&["5", "7", "--orders", "sample:64"], 0, "64 seeded computed, 51 different, warrant sampled is so"),
        (&["6", "7", "--orders", "all"], 0, "720 all computed, 720 different, warrant proved is so"),
        (&["64", "7", "--orders", "adversarial"], 3, "10 adversarial computed, 9 different"),
    ] {
        assert_eq!(answer(&[args, &["--record", path]].concat()).exit, exit, "{args:?}");
        let (code, text) = checked();
        assert_eq!((code, text.strip_prefix("arrival orders: ")), (Some(0), Some(told)), "{args:?}: {text}");
    }
    // And it can tell: a family that lacks an order, another seed, a warrant that was not earned.
    let tampered = |args: &[&str], change: &dyn Fn(&mut Value)| {
        let mut recorded = record(args);
        let checks = recorded["checks"].as_array_mut().expect("checks");
        change(checks.iter_mut().find(|check| check["name"] == "arrival orders").expect("it was made"));
        written(&recorded);
        let (code, text) = checked();
        assert_eq!(code, Some(1), "{text}");
        text
    };
    let family = ["16", "7", "--orders", "covering:3"];
    let told = tampered(&family, &|check| {
        check["orders"]["delivered"][0]["listed"].as_array_mut().expect("orders").pop();
    });
    assert!(told.contains("orders of covering"), "{told}");
    let told = tampered(&family, &|check| {
        let listed = check["orders"]["delivered"][0]["listed"].as_array_mut().expect("orders");
        listed[0] = listed[1].clone();
    });
    assert!(told.contains("digest of covering"), "{told}");
    let told = tampered(&["300", "7", "--orders", "sample:64"], &|check| check["orders"]["seed"] = json!("0x08"));
    assert!(told.contains("digest of seeded"), "{told}");
    let earned = json!({ "proved": { "deltas": 64 } });
    let told = tampered(&["64", "7", "--orders", "adversarial"], &|check| check["warrant"] = earned.clone());
    assert!(told.contains("the warrant 'proved' of arrival orders is not what the orders give"), "{told}");
}

#[test]
fn the_document_of_orders_has_the_golden_values_that_it_gives_to_others() {
    let document = include_str!("../../docs/orders.md");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/third_party/orders.py");
    let python =
        std::process::Command::new("python3").args([script, "--golden"]).output().expect("python3 is installed");
    let golden = String::from_utf8(python.stdout).expect("text");
    let flat = document.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in golden.lines() {
        assert!(flat.contains(line), "{line}");
    }
    // The same values are pinned in this crate by a golden test of its own.
    let pinned = include_str!(
        "../../src/explore/snapshots/abench__explore__permutation__tests__golden_seeded_orders_short_and_long.snap"
    );
    assert!(golden.lines().all(|line| pinned.contains(&line.replace(' ', ", "))), "{golden}{pinned}");
}

#[test]
fn a_record_with_orders_replays_to_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    let path = path.to_str().expect("a path");
    for spec in ["auto", "covering:3", "sample:9"] {
        assert_eq!(answer(&["40", "7", "--orders", spec, "--record", path]).exit, 0);
        let replayed = answer(&["replay", path]);
        assert_eq!(replayed.exit, 0, "{}", replayed.output);
    }
}

#[test]
fn dashboards_read_the_table_alone_beside_every_explorer() {
    for spec in ["auto", "all", "covering:2", "sample:8", "sample:3", "adversarial"] {
        let reading = Reading::of(&answer(&["5", "7", "--orders", spec]).output);
        // Without a warrant the run is inconclusive, and no dashboard turns green.
        let warranted = !["sample:3", "adversarial"].contains(&spec);
        assert_eq!((reading.rows.len(), reading.all_match), (4, warranted), "{spec}");
    }
}

#[test]
fn every_order_of_software_is_proved_and_a_device_is_searched_and_proved_by_nothing() {
    let recorded = record(&["10", "7", "--orders", "exhaustive"]);
    assert_eq!(recorded["verdict"], "holds");
    let check = |name: &str| {
        let checks = recorded["checks"].as_array().expect("checks");
        checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no check {name}")).clone()
    };
    for subject in ["scalar", "simd", "threads"] {
        let walked = check(&format!("every order on {subject}"));
        assert_eq!(
            (&walked["verdict"], &walked["warrant"]["walked"]["schedules"]),
            (&"holds".into(), &"3628800".into())
        );
        assert_eq!((&walked["oracles"]["invariance"], &walked["oracles"]["truth"]), (&"holds".into(), &"holds".into()));
    }
    let searched = check("every delivered set on model");
    let warrant = json!({ "searched": { "steps": 5120, "sets": 1024 } });
    assert_eq!((&searched["verdict"], &searched["warrant"]), (&"holds".into(), &warrant));
    assert_eq!(check("arrival orders")["warrant"]["covered"]["strength"], 5);
    let walks = recorded["walks"].as_array().expect("walks");
    let covered: Vec<(&str, u64, u64)> = walks
        .iter()
        .map(|walk| {
            let text = |key: &str| walk[key].as_str().expect("a text");
            assert_eq!(text("of"), "3628800");
            (text("proved"), walk["merges"].as_u64().expect("merges"), walk["sets"].as_u64().expect("sets"))
        })
        .collect();
    assert_eq!(covered, [("3628800", 5120, 1024), ("3628800", 5120, 1024), ("3628800", 5120, 1024), ("0", 5120, 1024)]);
}

/// Everything in a record that claims a proof about this subject.
fn proofs_of(record: &Value, subject: &str) -> Vec<Value> {
    let checks = record["checks"].as_array().expect("checks").iter();
    let about = checks.filter(|check| !check["subjects"][subject].is_null());
    let proved = about.filter(|check| !check["warrant"]["walked"].is_null() || !check["warrant"]["proved"].is_null());
    let walks = record["walks"].as_array().expect("walks").iter();
    let walked = walks.filter(|walk| walk["check"].as_str().is_some_and(|check| check.ends_with(subject)));
    proved.cloned().chain(walked.filter(|walk| walk["proved"] != "0").cloned()).collect()
}

#[test]
fn a_device_with_hidden_state_is_not_called_proved() {
    let with = |fault: &str| record(&["12", "7", "--orders", "exhaustive", "--backend", "model", "--plant", fault]);
    // The hazard needs two deltas at once, and each step of the search is one: whole orders find it.
    let hazard = with("pipeline-hazard");
    let checks = hazard["checks"].as_array().expect("checks");
    let verdict = |name: &str| &checks.iter().find(|check| check["name"] == name).expect("it was made")["verdict"];
    assert_eq!(verdict("every delivered set on model"), "holds");
    assert_eq!(verdict("arrival orders"), "falsified");
    assert_eq!((&hazard["verdict"], proofs_of(&hazard, "model")), (&"falsified".into(), vec![]));
    // What comes so late that neither notices it leaves a warrant that says how little was looked at.
    let late = with("accum-drop:4000000");
    assert_eq!((&late["verdict"], proofs_of(&late, "model")), (&"inconclusive".into(), vec![]));
}

#[test]
fn a_search_finds_a_wrong_merge_with_the_fewest_deltas_and_a_case_that_replays() {
    let planted = ["12", "7", "--orders", "exhaustive", "--backend", "model", "--plant"];
    for (fault, during, operations) in [
        ("accum-operator:or", "delta 0 after the deltas 1", 4),
        ("lost-high-word", "delta 0 after none", 3),
        // Every seventh ACCUM since the device was opened is lost: the step alone goes right.
        ("accum-drop:7", "delta 2 after none", 8),
    ] {
        let recorded = record(&[&planted[..], &[fault]].concat());
        let checks = recorded["checks"].as_array().expect("checks");
        let search = checks.iter().find(|check| check["name"] == "every delivered set on model").expect("it was made");
        let finding = &search["findings"][0];
        assert_eq!((&search["verdict"], &finding["during"]), (&"falsified".into(), &during.into()), "{fault}");
        let case = finding["case"].as_str().expect("a case");
        assert_eq!((case.matches('+').count() + 1, answer(&["replay", case]).exit), (operations, 1), "{case}");
    }
}

#[test]
fn a_scenario_that_names_no_orders_takes_the_strongest_that_fit() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unordered.toml");
    std::fs::write(&path, "version = 2\n[standard]\ncount = 9\nseed = '7'").expect("a file");
    let recorded = record(&["run", path.to_str().expect("a path")]);
    assert_eq!(recorded["asked"]["trial"]["standard"]["orders"], "auto");
    assert_eq!(recorded["walks"].as_array().map(Vec::len), Some(4));
    assert!(record(&["9", "7"])["walks"].is_null(), "the standard campaign names its own plan");
    // On who takes no order that long, none is tried, and the report says so.
    std::fs::write(&path, "version = 2\nbackend = ['model']\n[standard]\ncount = 301\nseed = '7'").expect("a file");
    let told = unwrapped(&answer(&["run", path.to_str().expect("a path")]).output);
    assert!(told.contains("verdict holds") && told.contains("Arrival orders on model: none"), "{told}");
}

#[test]
#[cfg(unix)]
fn a_long_walk_of_an_accumulator_that_is_interrupted_keeps_what_it_covered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.json");
    let path = path.to_str().expect("a path");
    let args = ["32", "7", "--orders", "exhaustive", "--backend", "scalar", "--budget", "1000000s", "--record", path];
    assert_eq!(UnderWay::start(&args).interrupted().exit, 130);
    let record: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a record")).expect("JSON");
    assert_eq!((&record["verdict"], &record["walks"][0]["proved"]), (&"inconclusive".into(), &"0".into()));
    assert_eq!(record["walks"][0]["of"], "263130836933693530167218012160000000");
    assert!(record["walks"][0]["merges"].as_u64() > Some(0), "{}", record["walks"][0]);
}
