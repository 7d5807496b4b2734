//! Bandwidth reports: a customer's own numbers.

use abench::experiment::shown;
use abench::report::bandwidth_record::{BandwidthRecord, BandwidthRow};
use abench::report::document::Detail;
use abench::report::format::text::{self, Table};
use abench::report::record::Record;
use serde_json::Value;

use crate::common::{Answer, UnderWay, short_answer, unwrapped};

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
    let rows: usize = lines.iter().map(|line| line.chars().count().div_ceil(100).max(1)).sum();
    assert!(rows <= 23, "{rows} rows of 100 columns:\n{output}");
    let parsed: Record = serde_json::from_str(&small(&["--record", "-"]).output).expect("a record");
    let narrow = text::render(&shown(&parsed), 80, Table::Shown, Detail::Screen);
    let narrow = anstream::adapter::strip_str(&narrow).to_string();
    let rows: usize = narrow.lines().map(|line| line.chars().count().div_ceil(80).max(1)).sum();
    assert!(rows <= 23, "{rows} rows of 80 columns:\n{narrow}");
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
    // Ten years from a day: days are scaled at most ten times.
    let flags = with(&[["--engines", "operation-log,delta-state"], ["--days", "3660"], ["--budget", "1000"]]);
    let Answer { exit, output, .. } = short_answer(&flags);
    assert_eq!(exit, 3, "{output}");
    assert!(output.contains("unknown") && output.contains("no number is given"), "{output}");
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

#[test]
fn the_record_says_what_was_asked_for_and_a_report_of_it_alone_shows_time_on_the_link_and_money() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record.json");
    let path = path.to_str().expect("text");
    let answer = small(&["--record", path, "-q"]);
    assert_eq!(answer.exit, 0, "{}", answer.talk);
    let read = record(&std::fs::read_to_string(path).expect("a record"));
    let of = &read["bandwidth"];
    assert_eq!(
        (&of["link"]["bits_per_s"], &of["price_per_mb"], &of["days"]),
        (&64_000.into(), &"0.05".into(), &30.into())
    );
    for row in of["rows"].as_array().expect("rows").iter().filter(|row| !row["estimate"].is_null()) {
        let number = |name: &str| row["estimate"][name].as_u64().expect("a number");
        let ms = number("bytes_per_sync_tenths") * 800 / 64_000;
        assert!(number("link_ms_per_sync").abs_diff(ms) <= 1, "{row}");
        assert!(number("link_s_per_client_day").abs_diff(ms * 6 / 1000) <= 1, "{row}");
    }
    // The command that has the flags is not asked.
    let text = std::fs::read_to_string(path).expect("a record");
    let mut whole: Value = serde_json::from_str(&text).expect("JSON");
    assert!(whole["bandwidth"].as_object_mut().and_then(|of| of.remove("again")).is_some());
    std::fs::write(path, whole.to_string()).expect("it can be written");
    let shown = unwrapped(&short_answer(&["report", path]).output);
    for part in [
        "link of a client 64kbit, 20 ms, 0.0 % lost",
        "price of a MB 0.05",
        "days 30",
        "keeps a client's link busy for",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

/// A report, as its readers have it.
fn report(args: &str, budget: &str) -> BandwidthRecord {
    let args: Vec<&str> = args.split(' ').chain(["--record", "-", "--budget", budget]).collect();
    let record: Record = serde_json::from_str(&short_answer(&args).output).expect("a record");
    record.bandwidth.expect("a bandwidth report")
}

/// Numbers that are scaled are those of the whole world, within the error that the report states of each; `unknown` senders
/// have none at most.
fn are_within_their_errors(whole: &BandwidthRecord, scaled: &BandwidthRecord, unknown: usize) {
    assert!(!whole.scaled && scaled.scaled, "{scaled:?}");
    let tenths = |row: &BandwidthRow| Some(row.estimate?.bytes_per_sync_tenths as f64);
    let known: Vec<&BandwidthRow> = scaled.rows.iter().filter(|row| row.estimate.is_some()).collect();
    assert!(known.len() + unknown >= scaled.rows.len(), "{} of {}", known.len(), scaled.rows.len());
    for row in known {
        let right = whole.rows.iter().find(|other| other.name == row.name).and_then(tenths).expect("a number");
        let (told, stated) = (tenths(row).expect("a number"), scaled.error_per_mille(row));
        assert!(stated <= scaled.tolerance_per_mille, "{}: {stated}", row.name);
        let off = (told / right - 1.0).abs() * 1000.0;
        assert!(off <= stated as f64, "{}: {told} and not {right} tenths of a byte, {off} and not {stated}", row.name);
    }
}

#[test]
fn numbers_that_are_scaled_from_fewer_records_are_those_of_the_whole_world_within_the_stated_error() {
    let of = |budget| report("bandwidth --records 2000 --changed 2% --clients 4 --syncs-per-day 6 --days 10", budget);
    let (whole, scaled) = (of("1000000"), of("12500"));
    assert!(scaled.fewer.is_some_and(|[_, quarter]| quarter.records < 200), "{scaled:?}");
    are_within_their_errors(&whole, &scaled, 2);
}

#[test]
fn numbers_that_are_scaled_from_fewer_days_are_those_of_the_whole_world_within_the_stated_error() {
    let of = |budget| report("bandwidth field-bandwidth", budget);
    let (whole, scaled) = (of("1000000"), of("100000"));
    assert!(scaled.run.measured_s < scaled.asked.measured_s && scaled.fewer.is_none(), "{scaled:?}");
    are_within_their_errors(&whole, &scaled, 3);
}

#[test]
fn a_sender_without_a_number_says_why_in_a_sentence() {
    let flags = with(&[["--engines", "operation-log,delta-state"], ["--days", "3660"], ["--budget", "1000"]]);
    let output = unwrapped(&short_answer(&flags).output);
    assert!(output.contains("operation-log: no number is given: "), "{output}");
    assert!(
        output.contains(" days were run, and 3660 days are more than 10 times as many. Give --budget "),
        "{output}"
    );
    let budget = output.split("Give --budget ").nth(1).and_then(|rest| rest.split(':').next()).expect("a budget");
    let budget: u64 = budget.parse().expect("a number");
    assert!(budget > 1000, "{output}");
}

#[test]
fn syncs_that_the_link_cannot_carry_in_the_time_online_have_no_price() {
    // Full state: about 4 kB, of which 200 bit/s carry 3 kB in the two minutes that a client is online.
    let flags = "bandwidth --records 500 --changed 2% --clients 5 --syncs-per-day 6 --days 10 --link 200bit \
                 --engines delta-state,operation-log";
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let Answer { exit, output, .. } = short_answer(&[&flags[..], &["-vv"]].concat());
    assert_eq!(exit, 3, "{output}");
    let text = unwrapped(&output);
    for part in [
        "full state: a sync keeps the link busy for ",
        " s, which is more than 90.0 % of the 120 s that a client is online",
        "the full state is unknown",
    ] {
        assert!(text.contains(part), "{part}: {output}");
    }
    assert!(!text.contains("A larger --budget may tell"), "{output}");
    assert!(output.ends_with("verdict inconclusive (exit 3)\n"), "{output}");
    let read = record(&short_answer(&[&flags[..], &["--record", "-"]].concat()).output);
    assert_eq!(read["bandwidth"]["online_s"], 120);
    let full = row(&read, "whole-state");
    assert!(full["estimate"].is_null() && full["too_long_ms"].as_u64().is_some_and(|ms| ms > 108_000), "{full}");
    assert!(row(&read, "delta-state")["estimate"].is_object(), "{read}");
    // Not even a handshake gets through.
    let flags = "bandwidth --records 50 --changed 2% --clients 2 --syncs-per-day 6 --days 4 --link 1bit --record -";
    let answer = short_answer(&flags.split(' ').collect::<Vec<_>>());
    assert_eq!(answer.exit, 3, "{}", answer.talk);
    for row in record(&answer.output)["bandwidth"]["rows"].as_array().expect("rows") {
        assert!(row["estimate"].is_null() && row["too_long_ms"].is_u64(), "{row}");
    }
}

#[test]
fn expectations_of_other_numbers_are_left_out_and_that_is_said() {
    let told = |more: &[&str]| {
        short_answer(&[&["bandwidth", "field-bandwidth", "--budget", "10000", "-q"], more].concat()).talk
    };
    let said = "abench: field-bandwidth: its expectations are left out: they are for its own numbers\n";
    assert_eq!(told(&["--days", "4"]), said);
}

#[test]
fn a_report_is_run_again_for_its_times_and_not_from_a_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record.json");
    let path = path.to_str().expect("text");
    let flags = with(&[["--engines", "delta-state"], ["--days", "4"], ["--records", "50"]]);
    let samples = ["--samples", "2", "-q", "--record", path];
    let answer = short_answer(&[&flags[..], &samples].concat());
    assert!(matches!(answer.exit, 0 | 3), "{}", answer.talk);
    let read: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a record")).expect("JSON");
    assert_eq!(read["timing"]["samples"].as_array().map(Vec::len), Some(2));
    let refused = short_answer(&[&flags[..], &samples, &["--resume"]].concat());
    assert_eq!(refused.exit, 2);
    assert!(refused.talk.contains("--resume") && refused.talk.contains("--samples"), "{}", refused.talk);
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

#[test]
#[cfg(unix)]
fn a_report_that_is_stopped_ends_at_once_and_says_that_nothing_was_done_without_a_share_of_it() {
    let args = "bandwidth --records 5000 --changed 2% --clients 40 --syncs-per-day 6";
    let under_way = UnderWay::start(&args.split(' ').collect::<Vec<_>>());
    let start = std::time::Instant::now();
    let answer = under_way.interrupted();
    // Generous for a machine that has other things to do: the worlds take many seconds each.
    assert!(start.elapsed() < std::time::Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(answer.exit, 130, "{answer:?}");
    assert!(answer.output.contains("stopped by the user before the end. No check was completed."), "{answer:?}");
    assert!(!answer.output.contains('%'), "{answer:?}");
}
