//! Engines of others, each behind its adapter: every scenario in `adapters/` comes to what it expects.
//!
//! The test command installs the engines into `target/adapters`, at the versions that the adapters' lock files name.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::common::short_answer;

/// Whether the engines of a language are installed; said by name where they are not, and a failure in CI.
fn has(place: &str) -> bool {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join(place).exists();
    if !found {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI {place} must be there");
        let _ = writeln!(std::io::stderr(), "SKIPPED: {place} is not installed (.ci/test installs it)");
    }
    found
}

/// The scenarios beside the adapter of an engine.
fn scenarios(engine: &str) -> Vec<PathBuf> {
    let folder = Path::new("adapters").join(engine);
    let files = fs::read_dir(&folder).expect("an adapter").map(|entry| entry.expect("an entry").path());
    let mut scenarios: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|of| of == "toml")).collect();
    scenarios.sort_unstable();
    assert!(!scenarios.is_empty(), "{engine} has a scenario");
    scenarios
}

/// Each scenario says what it expects: exit code 0 means that it was met. Gives the reports.
fn all_meet_their_expectations(engine: &str) -> Vec<String> {
    let run = |scenario: PathBuf| {
        assert!(fs::read_to_string(&scenario).expect("a file").contains("[expect.engines]"), "{}", scenario.display());
        let answer = short_answer(&["run", scenario.to_str().expect("UTF-8")]);
        assert_eq!(answer.exit, 0, "{}: {answer:?}", scenario.display());
        answer.output
    };
    scenarios(engine).into_iter().map(run).collect()
}

#[test]
fn atomik_core_loses_two_equal_edits_and_a_repeated_one_and_holds_where_neither_happens() {
    if has("target/adapters/python/bin/python") {
        all_meet_their_expectations("atomik-core");
    }
}

#[test]
fn yjs_loses_increments_in_a_map_entry_alone_and_differs_for_good_where_a_client_id_is_used_again() {
    if has("target/adapters/node/yjs/node_modules/yjs") {
        all_meet_their_expectations("yjs");
    }
}

#[test]
fn the_replay_command_of_an_engine_in_a_process_can_be_pasted_as_it_is_printed() {
    if has("target/adapters/node/yjs/node_modules/yjs") {
        let report = short_answer(&["run", "adapters/yjs/concurrent-increments.toml"]).output;
        let command = report.lines().find(|line| line.starts_with("  abench replay ")).expect("a command");
        let words = shlex::split(command).expect("a shell takes it");
        assert!(words.iter().any(|word| word.starts_with("yjs-lww=cmd:node ")), "{command}");
        let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let answer = short_answer(&words);
        assert_eq!(answer.exit, 1, "{command}: {answer:?}");
        assert!(answer.output.contains("verdict falsified"), "{answer:?}");
    }
}

/// What the row of an engine says against it, in the report of this scenario.
fn against<'a>(engine: &str, scenario: &str, reports: &'a [String]) -> &'a str {
    let is_of = |report: &&String| report.lines().next().is_some_and(|line| line.contains(&format!(" {scenario}: ")));
    let report = reports.iter().find(is_of).expect("a report of the scenario");
    let row = report.lines().find(|line| line.trim_start().starts_with(&format!("{engine} "))).expect("a row");
    row.rsplit("  ").next().expect("a last column").trim()
}

#[test]
fn rxdb_keeps_the_number_of_who_reconnects_first_and_a_handler_that_adds_counts_twice_where_an_answer_is_lost() {
    if has("target/adapters/node/rxdb/node_modules/rxdb") {
        let reports = all_meet_their_expectations("rxdb");
        // 6 for 8, and 7 for 8.
        assert_eq!(against("rxdb-lww", "first-client-first", &reports), "truth +2");
        assert_eq!(against("rxdb-lww", "second-client-first", &reports), "truth +1");
    }
}

#[test]
fn watermelondb_keeps_the_number_of_who_reconnects_last() {
    if has("target/adapters/node/watermelondb/node_modules/@nozbe/watermelondb") {
        let reports = all_meet_their_expectations("watermelondb");
        // 7 for 8, and 6 for 8.
        assert_eq!(against("watermelondb-lww", "first-client-first", &reports), "truth +1");
        assert_eq!(against("watermelondb-lww", "second-client-first", &reports), "truth +2");
    }
}

#[test]
fn pouchdb_keeps_conflicts_to_be_merged_and_loses_one_of_two_equal_edits_without_a_conflict() {
    if has("target/adapters/node/pouchdb/node_modules/pouchdb") {
        all_meet_their_expectations("pouchdb");
    }
}

#[test]
fn replicache_loses_a_mutation_that_was_reported_done_within_a_second_and_keeps_it_afterwards() {
    if has("target/adapters/node/replicache/node_modules/replicache") {
        all_meet_their_expectations("replicache");
    }
}

#[test]
fn a_sqlite_session_ends_with_its_connection_and_its_conflict_handler_decides_what_is_lost() {
    if has("target/adapters/python/installed") {
        all_meet_their_expectations("sqlite-session");
    }
}

#[test]
fn tinybase_loses_increments_in_one_cell_and_refuses_a_clock_over_five_minutes_ahead() {
    if has("target/adapters/node/tinybase/node_modules/tinybase") {
        all_meet_their_expectations("tinybase");
    }
}

#[test]
fn every_adapter_has_a_test() {
    let entries = fs::read_dir("adapters").expect("adapters").map(|entry| entry.expect("an entry").path());
    let names = entries.filter(|path| path.is_dir()).filter_map(|path| Some(path.file_name()?.to_owned()));
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    let expected = [
        "atomik-core",
        "libraries",
        "node",
        "pouchdb",
        "replicache",
        "rxdb",
        "sqlite-session",
        "template",
        "tinybase",
        "watermelondb",
        "yjs",
    ];
    assert_eq!(names, expected);
}
