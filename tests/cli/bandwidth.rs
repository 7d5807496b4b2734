//! Bandwidth reports: a customer's own numbers.

use serde_json::Value;

use crate::common::{Answer, short_answer, unwrapped};

/// A report that takes little time.
const SMALL: &[&str] = &[
    "bandwidth",
    "--records",
    "200",
    "--changed",
    "2%",
    "--clients",
    "5",
    "--syncs-per-day",
    "6",
    "--link",
    "64kbit",
    "--price-per-mb",
    "0.05",
    "--budget",
    "5000",
];

fn small(more: &[&str]) -> Answer {
    short_answer(&[SMALL, more].concat())
}

/// A record, without what differs between runs.
fn record(text: &str) -> Value {
    let mut record: Value = serde_json::from_str(text).expect("a record");
    record["timing"] = Value::Null;
    record["host"] = Value::Null;
    record
}

/// The record of such a report.
fn small_record(more: &[&str]) -> Value {
    let answer = small(&[&["--record", "-"], more].concat());
    record(&answer.output)
}

fn row<'a>(record: &'a Value, name: &str) -> &'a Value {
    let rows = record["bandwidth"]["rows"].as_array().expect("rows");
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("a row of {name}"))
}

#[test]
fn the_first_screen_has_the_answer_first_and_the_verdict_last_and_fits() {
    let Answer { exit, output, .. } = small(&[]);
    assert_eq!(exit, 0, "{output}");
    let lines: Vec<&str> = output.lines().collect();
    let rows: usize = lines.iter().map(|line| line.chars().count().div_ceil(80).max(1)).sum();
    assert!(rows <= 24, "{rows} rows of 80 columns:\n{output}");
    let text = unwrapped(&output);
    assert!(
        text.contains("delta-state: ") && text.contains(" a month for ") && text.contains("full state "),
        "{output}"
    );
    assert!(output.contains("information bound") && output.contains("\n  abench bandwidth --records 200"), "{output}");
    assert!(lines.last().expect("lines").starts_with("verdict holds"), "{output}");
}

#[test]
fn the_numbers_that_are_shown_are_those_of_the_record() {
    let shown = unwrapped(&small(&["-vv"]).output);
    let record = small_record(&[]);
    let rows = record["bandwidth"]["rows"].as_array().expect("rows");
    assert!(rows.len() >= 12);
    let known: Vec<&Value> = rows.iter().filter(|row| !row["estimate"].is_null()).collect();
    assert!(known.len() >= 8, "{known:?}");
    for row in known {
        let month = row["estimate"]["bytes_per_month"].as_u64().expect("bytes") as f64;
        let cost = row["estimate"]["cost_per_month_millionths"].as_u64().expect("a cost") as f64 / 1e6;
        // A megabyte costs 0.05.
        assert!((cost - month / 1e6 * 0.05).abs() < 1e-6, "{row}");
        let month = if month >= 1e6 { format!("{:.1} MB", month / 1e6) } else { format!("{:.1} kB", month / 1e3) };
        assert!(shown.contains(&format!(" {month} {cost:.2} ")), "{month} for {cost:.2} of {row} is not in {shown}");
    }
}

#[test]
fn the_command_that_it_names_makes_the_same_record_on_any_number_of_threads() {
    let output = small(&["--value-bytes", "4", "--latency", "150ms", "--loss", "1.5%", "--days", "14"]).output;
    let command = output.lines().find_map(|line| line.strip_prefix("  abench ")).expect("a command");
    let again = |threads| {
        let args: Vec<&str> = command.split(' ').chain(["--record", "-", "--threads", threads]).collect();
        record(&short_answer(&args).output)
    };
    let (one, three) = (again("1"), again("3"));
    assert_eq!(one, three);
    let first = small_record(&["--value-bytes", "4", "--latency", "150ms", "--loss", "1.5%", "--days", "14"]);
    assert_eq!(one, first);
    assert_ne!(one["bandwidth"], small_record(&[])["bandwidth"]);
}

#[test]
fn who_saves_bytes_by_losing_edits_is_shown_with_its_wrong_records_and_a_report_about_it_is_falsified() {
    let record = small_record(&[]);
    for (name, is_right) in
        [("delta-state", true), ("operation-log", true), ("lww-arrival", false), ("whole-state", false)]
    {
        let row = row(&record, name);
        assert_eq!(row["wrong_records"] == 0, is_right, "{row}");
        assert_eq!(row["verdict"] == "holds", is_right, "{row}");
    }
    let Answer { exit, output, .. } = small(&["--engines", "lww-arrival"]);
    assert_eq!(exit, 1, "{output}");
    assert!(output.contains(" wrong record") && output.ends_with("verdict falsified (exit 1)\n"), "{output}");
}

#[test]
fn where_the_rule_of_scaling_does_not_hold_no_number_is_given() {
    // Ten years from few days: whatever grows a little in one doubling is unknown after nine.
    let flags = with(&[["--engines", "operation-log,delta-state"], ["--days", "3660"], ["--budget", "1000"]]);
    let Answer { exit, output, .. } = short_answer(&flags);
    assert_eq!(exit, 3, "{output}");
    assert!(output.contains("unknown") && output.contains("scaling"), "{output}");
    assert!(output.ends_with("verdict inconclusive (exit 3)\n"), "{output}");
}

#[test]
fn compressed_forms_take_less_than_the_plain_one_and_nobody_takes_less_than_the_bound_without_losing_edits() {
    let record = small_record(&[]);
    let of = |row: &Value| row["estimate"]["bytes_per_sync_tenths"].as_u64().expect("bytes");
    let [plain, zstd, patch] =
        ["whole-state", "whole-state-zstd", "whole-state-zstd-patch"].map(|name| of(row(&record, name)));
    assert!(patch < zstd && zstd < plain, "{patch} {zstd} {plain}");
    let bound = record["bandwidth"]["bound"]["bytes_per_sync_tenths"].as_u64().expect("a bound");
    for row in record["bandwidth"]["rows"].as_array().expect("rows") {
        assert!(row["verdict"] != "holds" || row["estimate"].is_null() || of(row) > bound, "{row}");
    }
}

#[test]
fn worlds_of_tags_are_measured_too() {
    let answer = small(&["--values", "tags", "--record", "-"]);
    let record = record(&answer.output);
    assert_eq!(answer.exit, 0, "{}", answer.talk);
    assert_eq!(record["bandwidth"]["record_bytes"], 2);
    assert_eq!(row(&record, "delta-state")["verdict"], "holds");
    assert!(record["bandwidth"]["left_out"]["pn-counter"].is_string());
}

/// The small report with other values of some flags.
fn with<'a>(flags: &[[&'a str; 2]]) -> Vec<&'a str> {
    let is_other = |flag: &str| flags.iter().any(|[other, _]| *other == flag);
    let kept = SMALL[1..].chunks(2).filter(|pair| !is_other(pair[0])).flatten().copied();
    ["bandwidth"].into_iter().chain(kept).chain(flags.iter().flatten().copied()).collect()
}

#[test]
fn nonsense_is_refused_with_the_flag_the_value_and_what_is_allowed() {
    let flags: &[&[[&str; 2]]] = &[
        &[["--records", "0"]],
        &[["--records", "5k"]],
        &[["--clients", "-4"]],
        &[["--changed", "200%"]],
        &[["--changed", "0.001%"]],
        &[["--link", "64"]],
        &[["--link", "64kB"]],
        &[["--syncs-per-day", "0"]],
        &[["--away", "9h"]],
        &[["--online", "5h"]],
        &[["--price-per-mb", "free"]],
        &[["--loss", "100%"]],
        &[["--days", "0"]],
        &[["--value-bytes", "9"]],
        &[["--value-bytes", "2"], ["--amount", "1000"]],
        &[["--engines", "gossip"]],
        &[["--values", "tags"], ["--engines", "pn-counter"]],
        &[["--values", "tags"], ["--clients", "65"]],
        &[["--clients", "100000"]],
    ];
    let with_flags = flags.iter().map(|flags| (flags.concat().join(" "), with(flags)));
    let without = [
        ("nothing".to_owned(), vec!["bandwidth"]),
        ("two of four".to_owned(), vec!["bandwidth", "--records", "5000", "--changed", "2%"]),
        ("another kind of scenario".to_owned(), vec!["bandwidth", "field-tally"]),
    ];
    let told = without.into_iter().chain(with_flags).map(|(what, args)| {
        let Answer { exit, talk, output } = short_answer(&args);
        assert_eq!((exit, output.as_str()), (2, ""), "{args:?}: {talk}");
        format!("{what}\n{talk}")
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_scenario_holds_the_same_numbers_and_flags_go_before_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("numbers.toml");
    let text = "version = 2\nabout = \"numbers\"\n[bandwidth]\nrecords = 200\nchanged = 0.02\nclients = 5\nsyncs_per_day = 6\n\
                price_per_mb = 0.05\nbudget = 5000\nlink = { bits_per_s = 64000 }\n";
    std::fs::write(&path, text).expect("it can be written");
    let path = path.to_str().expect("text");
    let of = |args: &[&str]| record(&short_answer(&[args, &["--record", "-"]].concat()).output)["bandwidth"].clone();
    let by_flags = small_record(&[])["bandwidth"].clone();
    assert_eq!(of(&["bandwidth", path]), by_flags);
    assert_eq!(of(&["run", path]), by_flags);
    assert_eq!(of(&["bandwidth", path, "--records", "300"])["asked"]["records"], 300);
}
