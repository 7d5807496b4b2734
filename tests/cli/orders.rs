//! `--orders` through the binary: what chooses the arrival orders, what it covers, and what is refused.

use crate::common::{Reading, answer, unwrapped};
use serde_json::Value;

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
        &["64", "7", "--orders", "covering:3", "--budget", "1000"],
        &["64", "7", "--orders", "auto", "--budget", "63"],
        &["300", "7", "--orders", "auto", "--backend", "model"],
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
    std::fs::write(&path, "version = 1\n[standard]\ncount = 9\nseed = '7'\norders = 'covering:2'").expect("a file");
    let recorded = record(&["run", path_text]);
    assert_eq!(recorded["asked"]["trial"]["standard"]["orders"], "covering:2");
    assert_eq!(orders_check(&recorded)["warrant"]["covered"]["tuples"], 72);
    let schedule = "replay:schedule1,scenario=ordered,count=9,seed=7,length=9,order=reverse";
    assert_eq!(orders_check(&record(&["run", path_text, "--orders", schedule]))["orders"]["coverage"]["tried"], 1);
    std::fs::write(&path, "version = 1\n[standard]\ncount = 9\nseed = '7'\norders = 'cover:2'").expect("a file");
    let refused = answer(&["run", path_text]);
    assert_eq!(refused.exit, 2);
    assert!(refused.talk.contains("ordered: arrival orders: 'cover:2' is not an explorer"), "{}", refused.talk);
}

#[test]
fn a_counterexample_shows_its_sequences_and_its_whole_order_can_be_pasted_back() {
    let planted = ["100", "7", "--plant", "lost-high-word"];
    let report = answer(&planted).output;
    assert!(report.contains("\n  differing bytes, of which 0 is the lowest: 4\n"), "{report}");
    let line = report.lines().find(|line| line.contains("whole order: --orders ")).expect("it is shown");
    let (replays, spec) = line.split_once("; whole order: --orders ").expect("it is shown");
    assert_eq!(replays, "  found in 11 replays");
    let replayed = record(&[&planted[..], &["--orders", spec]].concat());
    let check = orders_check(&replayed);
    assert_eq!((&check["verdict"], &check["orders"]["coverage"]["tried"]), (&"falsified".into(), &1.into()));
    let counterexample = &check["orders"]["counterexamples"][0];
    assert_eq!(counterexample["case"], check["findings"][0]["case"]);
    assert_eq!(counterexample["schedule"], spec.strip_prefix("replay:").expect("it is a replay"));
    assert_eq!(counterexample["wrong"]["state"], check["findings"][0]["got"]);
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
    for spec in ["auto", "all", "covering:2", "sample:8", "adversarial"] {
        let reading = Reading::of(&answer(&["5", "7", "--orders", spec]).output);
        assert_eq!((reading.rows.len(), reading.all_match), (4, true), "{spec}");
    }
}
