//! Every order of a few deltas, through the binary: proofs with their counts, and the smallest disagreements.

use crate::common::{Answer, UnderWay, answer, cases, unwrapped};
use serde_json::Value;

fn run(table: &str, args: &[&str]) -> Answer {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("walk.toml");
    std::fs::write(&path, format!("version = 2\n[every-order]\nseed = 'C0FFEE'\n{table}")).expect("a file");
    answer(&[&["run", path.to_str().expect("a path of text")], args].concat())
}

#[test]
fn the_report_of_every_order_of_every_algebra() {
    let answer = answer(&["run", "every-order"]);
    assert_eq!((answer.exit, answer.talk.as_str()), (0, ""), "{}", answer.output);
    insta::assert_snapshot!(answer.output);
}

#[test]
fn every_case_of_a_disagreement_replays_and_a_right_merge_does_not() {
    let report = answer(&["run", "every-order"]).output;
    // The report names the smallest of them more than once.
    let mut cases = cases(&report);
    cases.sort_unstable();
    cases.dedup();
    assert_eq!(cases.len(), 3, "{report}");
    for case in cases {
        assert_eq!(answer(&["replay", case]).exit, 1, "{case}");
        let fields: Vec<&str> = case.split(',').collect();
        let sound = case.replace(fields[1], "xor");
        assert_eq!(answer(&["replay", &sound]).exit, 0, "{sound}");
    }
    let unknown = answer(&["replay", "case1,mean,merge,start=0,first=1,second=1"]);
    assert_eq!(unknown.exit, 2);
    assert!(unknown.talk.contains("'mean' is not an algebra; allowed are xor"), "{}", unknown.talk);
}

#[test]
fn twenty_deltas_are_proved_with_the_full_number_of_their_orders() {
    let answer = run("deltas = 20\nalgebras = ['max']", &[]);
    assert_eq!(answer.exit, 0, "{}", answer.output);
    let told = unwrapped(&answer.output);
    assert!(told.contains("proved: all 2432902008176640000 schedules (every order of 20 deltas)"), "{told}");
    assert!(told.contains("10485760 merges over 1048576 delivered sets"), "{told}");
}

#[test]
fn sources_that_keep_their_order_repeats_and_losses_are_walked_too() {
    let of = |table: &str| unwrapped(&run(table, &[]).output);
    // Three sources of four deltas each: 12! / 4!^3 interleavings.
    assert!(of("deltas = 12\nsources = 3\nalgebras = ['xor']").contains("proved: all 34650 schedules"));
    assert!(of("deltas = 6\nrepeats = 2\nalgebras = ['or']").contains("verdict holds"));
    let repeated = of("deltas = 6\nrepeats = 2\nalgebras = ['xor']");
    assert!(repeated.contains("verdict falsified") && repeated.contains("1 different delta;"), "{repeated}");
    assert!(of("deltas = 6\nlosses = true\nalgebras = ['wrapping-add']").contains("verdict holds"));
}

#[test]
fn a_walk_over_its_budget_or_memory_is_refused_before_it_starts_with_its_cost_and_what_fits() {
    let over = run("deltas = 30\nalgebras = ['xor']", &["--budget", "1000000"]);
    assert_eq!((over.exit, over.output.as_str()), (2, ""), "{}", over.talk);
    assert!(
        over.talk.contains("deliveries") && over.talk.contains("what fits is every order of 16 deltas"),
        "{}",
        over.talk
    );
    let memory = run("deltas = 15\nsources = 15\nalgebras = ['xor']\nmemory_mib = 1", &[]);
    assert_eq!(memory.exit, 2, "{}", memory.output);
}

#[test]
fn records_of_walks_do_not_depend_on_the_number_of_threads() {
    let record = |threads: &str| {
        let answer = run("deltas = 13", &["--threads", threads, "--record", "-"]);
        let mut record: Value = serde_json::from_str(&answer.output).expect("JSON");
        let fields = record.as_object_mut().expect("an object");
        fields.remove("timing");
        fields.remove("host");
        record
    };
    assert_eq!(record("1"), record("3"));
}

#[test]
#[cfg(unix)]
fn a_long_walk_that_is_interrupted_keeps_what_it_covered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (scenario, record) = (folder.path().join("long.toml"), folder.path().join("long.json"));
    let table = "deltas = 32\nalgebras = ['max']\nbudget = 1000000000000\n";
    std::fs::write(&scenario, format!("version = 2\n[every-order]\nseed = '1'\n{table}")).expect("a file");
    let args = ["run", scenario.to_str().expect("text"), "--record", record.to_str().expect("text")];
    assert_eq!(UnderWay::start(&args).interrupted().exit, 130);
    let record: Value = serde_json::from_str(&std::fs::read_to_string(&record).expect("a record")).expect("JSON");
    assert_eq!(record["verdict"], "inconclusive");
    let walk = &record["walks"][0];
    assert_eq!((&walk["proved"], walk["of"].as_str().map(str::len)), (&"0".into(), Some(36)));
    assert!(walk["merges"].as_u64() > Some(0), "{walk}");
}

#[test]
fn a_walk_that_cannot_show_what_it_claims_to_test_for_is_refused_a_plain_pass() {
    let told = |table: &str| {
        let answer = run(table, &[]);
        let text = unwrapped(&answer.output);
        let to = text.find(" checks ").unwrap_or(text.len());
        format!("{table:?}: exit {}, {}", answer.exit, &text[..to])
    };
    insta::assert_snapshot!(
        [
            "deltas = 1\nalgebras = ['xor']",
            "deltas = 5\nsources = 1\nalgebras = ['last-arrival-wins']",
            "deltas = 5\nalgebras = ['max']\nclaims = ['repeated-delivery']",
            "deltas = 1\nrepeats = 2\nalgebras = ['max']",
            "deltas = 5\nalgebras = ['min']\nstart = '0'",
            "deltas = 5\nalgebras = ['or', 'f64-sum']\nstart = 'FFFFFFFFFFFFFFFF'",
            "deltas = 5\nalgebras = ['min']",
            "deltas = 5\nrepeats = 2\nalgebras = ['max']\nclaims = ['repeated-delivery']",
        ]
        .map(told)
        .join("\n")
    );
    let refused = run("deltas = 5\nclaims = ['dead-banks']", &[]);
    assert_eq!(refused.exit, 2);
    assert!(refused.talk.contains("expected `order-dependence` or `repeated-delivery`"), "{}", refused.talk);
}

#[test]
fn whether_a_walk_fits_does_not_depend_on_the_number_of_threads() {
    let exit = |threads| run("deltas = 12\nalgebras = ['xor']", &["--memory", "1", "--threads", threads]).exit;
    assert_eq!(["1", "65", "1024"].map(exit), [0; 3]);
}
