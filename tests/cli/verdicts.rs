//! Every verdict in a report is the record's: the text judges nothing by itself, and neither does the exit code.

use std::path::PathBuf;

use abench::domain::judge::Judge;
use abench::domain::law::Law;
use abench::domain::verdict::Verdict;
use abench::experiment::shown;
use abench::report::document::Detail;
use abench::report::format::text::{self, Table};
use abench::report::record::{Check, Record};
use abench::scenario::shipped::SHIPPED;

use crate::common::{PUBLISHED, answer, unwrapped};

/// What the last line of the board's table says of a run.
fn board(record: &Record) -> &'static str {
    let unmet = record.expectation.as_ref().is_some_and(|met| !met.met);
    let is_blind = |check: &Check| check.judge == Judge::BankSweep && check.verdict == Verdict::Inconclusive;
    match record.verdict {
        Verdict::Holds if unmet => "VERIFY: FAILED",
        Verdict::Holds if record.checks.iter().any(is_blind) => "VERIFY: INCONCLUSIVE",
        Verdict::Holds => "VERIFY: ALL MATCH",
        Verdict::Falsified => "VERIFY: FAILED",
        Verdict::Inconclusive => "VERIFY: INCONCLUSIVE",
    }
}

/// Every sentence of a report that states a verdict, as the record has it.
fn verdicts_of(record: &Record) -> Vec<String> {
    let mut told = vec![format!(" {} ", plain(&text::verdict_line(record)))];
    if let Some(expectation) = &record.expectation {
        let met =
            if expectation.met { "Every expectation of the scenario is met." } else { "Not as the scenario expects: " };
        told.push(met.to_owned());
    }
    if !record.bank_sweeps.is_empty() {
        told.push(board(record).to_owned());
    }
    let failed = record.checks.iter().filter(|check| check.verdict != Verdict::Holds);
    told.extend(failed.take(10).map(|check| format!(" - {} is {}: ", check.name, check.verdict)));
    for check in &record.checks {
        told.push(format!(" {} {} on: ", check.verdict, check.name));
        if check.orders.as_ref().is_some_and(|orders| orders.deliveries > 0) {
            let oracles: Vec<String> =
                check.oracles.iter().map(|(name, verdict)| format!("{name} {verdict}")).collect();
            told.push(format!("oracles: {}. coverage, counted as delivered: ", oracles.join(", ")));
        }
    }
    let engines = record.offline.iter().flat_map(|offline| &offline.engines);
    told.extend(engines.map(|row| format!(" {} {} {} ", row.name, row.verdict, row.wrong_registers)));
    if let Some(laws) = &record.laws {
        for delivery in &laws.delivery {
            let of =
                |law: &Law| laws.trials.iter().find(|trial| trial.algebra == delivery.algebra && trial.law == *law);
            let cells = Law::ALL.iter().filter_map(of).map(|trial| match trial.claimed {
                true => trial.verdict.to_string(),
                false => format!("({})", trial.verdict),
            });
            told.push(format!(" {} {} ", delivery.algebra, cells.collect::<Vec<_>>().join(" ")));
        }
        told.extend(laws.delivery.iter().map(|of| {
            format!(" {} {} {} {} ", of.algebra, of.any_order, of.repeated_at_once, of.repeated_at_any_time)
        }));
        let accused = laws.trials.iter().filter(|trial| trial.claimed && trial.verdict == Verdict::Falsified);
        told.extend(accused.map(|trial| format!("Claim falsified: {}", trial.name())));
    }
    let senders = record.bandwidth.iter().flat_map(|of| &of.rows).filter(|row| !row.against.is_empty());
    told.extend(senders.map(|row| format!(" {}, {}: ", row.label(), row.verdict)));
    told
}

/// Without what a terminal takes for colours.
fn plain(styled: &str) -> String {
    let mut parts = styled.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// The kinds of verdict that a report tells and the record does not have anywhere.
fn made_up(report: &str, record: &Record) -> Vec<String> {
    let record = serde_json::to_string(record).expect("a record is plain data");
    let words = ["falsified", "inconclusive", "holds"].into_iter();
    let made_up = words.filter(|word| report.contains(word) && !record.contains(&format!("\"{word}\"")));
    made_up.map(|word| format!("made up: {word}")).collect()
}

/// What is wrong with the verdicts of a report: those of the record that it does not tell, and kinds that the record has
/// none of.
fn lies(report: &str, record: &Record) -> Vec<String> {
    let (before, last) = report.trim_end().rsplit_once('\n').unwrap_or((report, ""));
    let mut lies = Vec::new();
    if last != plain(&text::verdict_line(record)) {
        lies.push(format!("the last line is not the verdict: {last}"));
    }
    lies.extend(made_up(report, record));
    let mut rest = format!(" {} ", unwrapped(before));
    for told in verdicts_of(record) {
        match rest.find(&told) {
            // What follows may begin with the blank that this ends with. What was told once is told for one.
            Some(place) => rest.replace_range(place..place + told.len(), " · "),
            None => lies.push(format!("not told: {told}")),
        }
    }
    lies
}

/// The text and the record of one run.
fn both(args: &[&str]) -> (i32, String, Record) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    let answer = answer(&[args, &["--record", path.to_str().expect("a path of text")]].concat());
    let record = std::fs::read_to_string(&path).expect("a record");
    (answer.exit, answer.output, serde_json::from_str(&record).expect("a record"))
}

#[test]
fn text_and_exit_code_of_every_kind_of_run_tell_the_verdicts_of_its_record() {
    let mut seen = Vec::new();
    for args in [
        &PUBLISHED[..],
        &["9", "7", "--plant", "dead-bank:0"],
        &["9", "7", "--plant", "accum-drop:7"],
        &["65537", "--budget", "5"],
        &["65536", "1"],
        &["100", "1", "--plant", "drop:70000"],
        &["6", "1", "--orders", "exhaustive", "--plant", "pipeline-hazard"],
        &["8", "1", "--orders", "all"],
        &["1000", "1", "--budget", "1999"],
        &["run", "tick"],
        &["run", "laws"],
        &["run", "every-order"],
        &["run", "recorded-65537", "--backend", "software"],
        &["run", "cloned-device"],
    ] {
        let (exit, text, record) = both(args);
        assert_eq!(lies(&text, &record), Vec::<String>::new(), "{args:?}");
        assert_eq!(exit, i32::from(record.outcome().exit_code()), "{args:?}");
        seen.push((record.verdict, exit));
    }
    for outcome in [
        (Verdict::Holds, 0),
        (Verdict::Holds, 1),
        (Verdict::Falsified, 0),
        (Verdict::Falsified, 1),
        (Verdict::Inconclusive, 3),
    ] {
        assert!(seen.contains(&outcome), "no run of these came to {outcome:?}");
    }
}

#[test]
fn the_reports_of_all_shipped_scenarios_tell_the_verdicts_of_their_records() {
    for (name, _) in SHIPPED {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results").join(format!("{name}.json"));
        let record: Record =
            serde_json::from_str(&std::fs::read_to_string(&path).expect("a record")).expect("a record of today");
        let report = plain(&text::render(&shown(&record), text::DEFAULT_WIDTH, Table::Shown, Detail::All));
        assert_eq!(lies(&report, &record), Vec::<String>::new(), "{name}");
        for row in record.offline.iter().flat_map(|offline| &offline.engines) {
            let check = record.checks.iter().find(|check| check.name == row.name).expect("a check of each engine");
            assert_eq!(check.verdict, row.verdict, "{name}: {}", row.name);
        }
    }
}

#[test]
fn a_report_that_lies_about_any_verdict_is_noticed() {
    let (_, text, record) = both(&["1000", "1", "--budget", "1999"]);
    assert_eq!(lies(&text, &record), Vec::<String>::new());
    let mut lied = 0;
    let (before, last) = text.trim_end().rsplit_once('\n').expect("lines");
    let flat = format!(" {} ", unwrapped(before));
    for told in verdicts_of(&record) {
        for (word, other) in [("inconclusive", "holds"), ("holds", "inconclusive"), ("INCONCLUSIVE", "ALL MATCH")] {
            for (place, _) in told.match_indices(word) {
                let mut lie = told.clone();
                lie.replace_range(place..place + word.len(), other);
                let lie = format!("{}\n{last}", flat.replace(&told, &lie));
                assert!(!lies(&lie, &record).is_empty(), "{word} of {told} may read {other}");
                lied += 1;
            }
        }
    }
    assert!(lied > 10, "{lied}");
    let besides = text.replacen("\n\n", "\nfalsified\n\n", 1);
    assert_eq!(lies(&besides, &record), ["made up: falsified"]);
}
